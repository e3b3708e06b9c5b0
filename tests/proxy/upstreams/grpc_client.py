"""A client that speaks gRPC: Google's own implementation, with messages that are plain bytes. Makes
one call and says on standard output, as JSON, what comes of it.

usage: grpc_client.py ADDRESS CALL [AUTHORITY]    AUTHORITY: a PEM file, for TLS"""

import json
import os
import sys
import threading
import time

import grpc


def say(**event):
    print(json.dumps(event), flush=True)


def words(metadata):
    return {key: value if isinstance(value, str) else value.hex() for key, value in metadata or ()}


def refused(error):
    trailers = words(error.trailing_metadata())
    say(kind="status", code=error.code().name, text=error.details(), trailers=trailers)


def unary(channel, method, **options):
    call = channel.unary_unary(f"/portal.Echo/{method}")
    try:
        metadata = (("x-custom-bin", b"\x00\x01\xfe"),)
        answer, said = call.with_call(b"hello", metadata=metadata, **options)
    except grpc.RpcError as error:
        return refused(error)
    say(kind="answer", text=answer.decode(), first=words(said.initial_metadata()),
        trailers=words(said.trailing_metadata()), code=said.code().name)


def stream(channel, method):
    try:
        for message in channel.unary_stream(f"/portal.Echo/{method}")(b""):
            say(kind="message", text=message.decode())
    except grpc.RpcError as error:
        return refused(error)
    say(kind="end")


def many(channel):
    """Makes calls one after another, several at the same time, for longer than connections live."""
    call = channel.unary_unary("/portal.Echo/Unary")
    end, failed, made = time.monotonic() + 2, [], []

    def run():
        while time.monotonic() < end:
            made.append(1)
            try:
                call(b"hello", timeout=30)
            except grpc.RpcError as error:
                failed.append(f"{error.code().name}: {error.details()}")

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say(kind="calls", made=len(made), failed=failed)


def lines():
    for line in sys.stdin:
        if line.strip() == "end":
            return
        yield line.strip().encode()


def main(address, name, authority=None):
    options = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1))
    if authority:
        credentials = grpc.ssl_channel_credentials(open(authority, "rb").read())
        channel = grpc.secure_channel(address, credentials, options)
    else:
        channel = grpc.insecure_channel(address, options)
    if name == "Chat":
        for message in channel.stream_stream("/portal.Echo/Chat")(lines()):
            say(kind="message", text=message.decode())
        say(kind="end")
    elif name == "Collect":
        pieces = (bytes(65536) for _ in range(256))
        say(kind="answer", text=channel.stream_unary("/portal.Echo/Collect")(pieces).decode())
    elif name == "Many":
        many(channel)
    elif name == "Deadline":
        unary(channel, "Hang", timeout=1)
    elif name == "Cancel":
        call = channel.unary_unary("/portal.Echo/Hang").future(b"")
        sys.stdin.readline()
        call.cancel()
        sys.stdin.readline()
    elif name in ("Stream", "FailLate"):
        stream(channel, name)
    else:
        unary(channel, name, timeout=30 if name == "Unary" else None)


main(*sys.argv[1:])
os._exit(0)
