"""A collector of OpenTelemetry traces, over HTTP and over gRPC, as others read the protocol.

It listens on two ports of loopback and prints them; then every span, a line of JSON for each. The
messages are read by the OpenTelemetry project's own definitions (opentelemetry-proto), calls by
grpcio. Each span has the attributes of its resource, and the names of all headers that came with it.
"""

import json
import os
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc

# setup.sh of the judges says why.
sys.path.insert(0, os.path.join(sys.prefix, "apart"))
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

EXPORT = "opentelemetry.proto.collector.trace.v1.TraceService"
LOCK = threading.Lock()


def value(attribute):
    return getattr(attribute.value, attribute.value.WhichOneof("value"))


def attributes(message):
    return {attribute.key: value(attribute) for attribute in message.attributes}


def tell(request, protocol, headers):
    assert request.ByteSize() > 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
                assert not span.parent_span_id or len(span.parent_span_id) == 8, span
                assert span.end_time_unix_nano >= span.start_time_unix_nano > 0, span
                line = {
                    "protocol": protocol,
                    "headers": headers,
                    "resource": attributes(resource.resource),
                    "scope": scope.scope.name,
                    "trace": span.trace_id.hex(),
                    "span": span.span_id.hex(),
                    "parent": span.parent_span_id.hex(),
                    "state": span.trace_state,
                    "name": span.name,
                    "kind": span.kind,
                    "flags": span.flags,
                    "status": span.status.code,
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span),
                }
                with LOCK:
                    print(json.dumps(line), flush=True)


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/traces", self.path
        assert self.headers["content-type"] == "application/x-protobuf"
        request = service.ExportTraceServiceRequest.FromString(body)
        tell(request, "http", {name.lower(): text for name, text in self.headers.items()})
        answer = service.ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def export(request, context):
    tell(request, "grpc", dict(context.invocation_metadata()))
    return service.ExportTraceServiceResponse()


def main():
    http = ThreadingHTTPServer(("127.0.0.1", 0), Http)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=service.ExportTraceServiceRequest.FromString,
        response_serializer=service.ExportTraceServiceResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(EXPORT, {"Export": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"http": http.server_port, "grpc": port}), flush=True)
    # Until whoever started it goes away.
    sys.stdin.read()


main()
