"""Asks as Envoy does: Google's own implementation of gRPC, and the messages of Envoy as its makers
publish them. Reads questions from standard input, a line of JSON each, and says on standard output,
as JSON, what comes of it; first that it is ready.

usage: ext_authz_client.py ADDRESS [AUTHORITY]    AUTHORITY: a PEM file, for TLS

    {"call": "check", "request": CheckRequest}                   the message, as JSON
    {"call": "bytes", "method": "/SERVICE/METHOD", "bytes": HEX}   whatever they are
    {"call": "health", "service": NAME}
    {"call": "watch", "service": NAME}                             goes on beside the others"""

import json
import sys
import threading

import grpc
from envoy.service.auth.v3 import external_auth_pb2, external_auth_pb2_grpc
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc

OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0),
           ("grpc.enable_http_proxy", 0))


def say(**event):
    print(json.dumps(event), flush=True)


def refused(error):
    say(kind="status", code=error.code().name, text=error.details())


def told(answer):
    which = answer.WhichOneof("http_response")
    told = getattr(answer, which) if which else None
    fields = [[field.header.key, field.header.value or field.header.raw_value.decode("latin-1")]
              for field in (told.headers if told else ())]
    denied, allowed = answer.denied_response, answer.ok_response
    # A status of 0 and no status are different things to say.
    say(kind="answer", has_status=answer.HasField("status"), status=answer.status.code,
        which=which, code=denied.status.code, headers=fields, body=denied.body,
        actions=[field.append_action for field in (told.headers if told else ())],
        removed=list(allowed.headers_to_remove),
        metadata=json_format.MessageToDict(answer.dynamic_metadata))


def check(channel, asked):
    request = json_format.ParseDict(asked["request"], external_auth_pb2.CheckRequest())
    stub = external_auth_pb2_grpc.AuthorizationStub(channel)
    told(stub.Check(request, timeout=10))


def send_bytes(channel, asked):
    call = channel.unary_unary(asked["method"])
    compression = grpc.Compression.Gzip if asked.get("gzip") else None
    answer = call(bytes.fromhex(asked["bytes"]), timeout=10, compression=compression)
    told(external_auth_pb2.CheckResponse.FromString(answer))


def health(channel, asked):
    request = health_pb2.HealthCheckRequest(service=asked["service"])
    answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    say(kind="health", status=name)


def watch(channel, asked):
    request = health_pb2.HealthCheckRequest(service=asked["service"])

    def run():
        try:
            for answer in health_pb2_grpc.HealthStub(channel).Watch(request):
                name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
                say(kind="watched", status=name)
            say(kind="unwatched", code="OK")
        except grpc.RpcError as error:
            say(kind="unwatched", code=error.code().name)

    threading.Thread(target=run, daemon=True).start()


CALLS = {"check": check, "bytes": send_bytes, "health": health, "watch": watch}


def main():
    address, *authority = sys.argv[1:]
    if authority:
        with open(authority[0], "rb") as file:
            trusted = grpc.ssl_channel_credentials(file.read())
        channel = grpc.secure_channel(address, trusted, OPTIONS)
    else:
        channel = grpc.insecure_channel(address, OPTIONS)
    # So many messages take a while to load.
    say(kind="ready")
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            CALLS[asked["call"]](channel, asked)
        except grpc.RpcError as error:
            refused(error)


main()
