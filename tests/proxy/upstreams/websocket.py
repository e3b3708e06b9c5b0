"""A portal that speaks WebSocket: the library `websockets` of Debian. It sends every message back,
serves the page for browsers, and says on standard output, as JSON, what happens. Ends with its
standard input."""

import asyncio
import http
import json
import pathlib
import sys
import urllib.parse

import websockets

PAGE = pathlib.Path(__file__).with_name("websocket.html").read_bytes()


def say(**event):
    print(json.dumps(event), flush=True)


async def echo(socket, _path):
    assertion = socket.request_headers.get("X-Brama-Assertion")
    say(kind="opened", identified=assertion is not None)
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass
    say(kind="closed", code=socket.close_code)


async def pages(path, _headers):
    url = urllib.parse.urlsplit(path)
    if url.path == "/page":
        return http.HTTPStatus.OK, [("Content-Type", "text/html")], PAGE
    if url.path == "/report":
        say(kind="report", text=urllib.parse.parse_qs(url.query)["text"][0])
        return http.HTTPStatus.OK, [], b""
    return None


async def main():
    serve = websockets.serve(echo, "127.0.0.1", 0, process_request=pages, max_size=None)
    async with serve as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening http://127.0.0.1:{port}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
