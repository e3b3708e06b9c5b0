"""Refuses every upload without a look at it, and closes the connection while it comes: Python's own
server does no better. Answers GET with `well`. Ends with its standard input."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Early(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, b"well")

    def do_POST(self):
        self.answer(413, b"too large for us")
        self.close_connection = True

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Early)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"listening http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
