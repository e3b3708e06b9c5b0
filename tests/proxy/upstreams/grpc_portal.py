"""A portal that speaks gRPC: Google's own implementation, with messages that are plain bytes. Says
on standard output, as JSON, what happens; sends the next message of a stream when it is told
`next`, and ends with its standard input.

usage: grpc_portal.py [--young] [CERTIFICATE KEY]    --young: no connection gets old"""

import concurrent.futures
import json
import queue
import sys

import grpc

told = queue.Queue()


def say(**event):
    print(json.dumps(event), flush=True)


def has_deadline(context):
    # Without one the library counts from the end of time.
    return context.time_remaining() < 1e6


def unary(request, context):
    seen = dict(context.invocation_metadata())
    say(kind="unary", custom=seen.get("x-custom-bin", b"").hex(), deadline=has_deadline(context))
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-sum", "42"), ("x-raw-bin", b"\x00\xff")))
    return request.upper()


def stream(_request, context):
    number = 0
    while context.is_active():
        number += 1
        yield b"message %d" % number
        if told.get() == "end":
            return


def chat(requests, _context):
    for request in requests:
        say(kind="heard", text=request.decode())
        yield request.upper()


def collect(requests, _context):
    return b"%d" % sum(len(request) for request in requests)


def fail(_request, context):
    context.set_trailing_metadata((("x-why", "because"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "nie ma, zażółć")


def fail_late(_request, context):
    yield b"first"
    context.abort(grpc.StatusCode.DATA_LOSS, "lost")


def hang(_request, context):
    gone = queue.Queue()
    context.add_callback(lambda: gone.put(None))
    say(kind="hanging", deadline=has_deadline(context))
    gone.get()
    say(kind="gone")
    return b""


METHODS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Stream": grpc.unary_stream_rpc_method_handler(stream),
    "Collect": grpc.stream_unary_rpc_method_handler(collect),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "FailLate": grpc.unary_stream_rpc_method_handler(fail_late),
    "Hang": grpc.unary_unary_rpc_method_handler(hang),
}


def main(files):
    workers = concurrent.futures.ThreadPoolExecutor(max_workers=8)
    options = [("grpc.so_reuseport", 0)]
    if files[:1] == ["--young"]:
        files = files[1:]
        options.append(("grpc.max_connection_age_ms", 100))
    server = grpc.server(workers, options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("portal.Echo", METHODS),))
    if files:
        certificate, key = (open(file, "rb").read() for file in files)
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening {'https' if files else 'http'}://localhost:{port}", flush=True)
    for line in sys.stdin:
        told.put(line.strip())
    server.stop(None)


main(sys.argv[1:])
