"""A client that speaks WebSocket: the library `websockets` of Debian. Says `echoed` when all that
it sent came back, stays until its standard input ends, and says when the other side closes.

usage: websocket_client.py URL [COOKIE]"""

import asyncio
import os
import sys

import websockets


async def main(url, cookie):
    headers = {"Cookie": cookie} if cookie else {}
    # Host says what the URL says; the gateway listens at this address only.
    connect = websockets.connect(url, host="127.0.0.1", extra_headers=headers, max_size=None)
    async with connect as socket:
        for message in ["hello", "zażółć " * 1000, b"", os.urandom(4 << 20)]:
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping(b"still there?"))
        print("echoed", flush=True)
        stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        closed = asyncio.create_task(socket.wait_closed())
        await asyncio.wait([stop, closed], return_when=asyncio.FIRST_COMPLETED)
        if closed.done():
            print(f"closed by the other side: {socket.close_code}", flush=True)
            os._exit(0)
        await socket.close(4001, "done")
        print(f"closed: {socket.close_code}", flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
