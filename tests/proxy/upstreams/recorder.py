"""Says on standard output, as JSON, what requests Python's own parsers make of what comes, and
answers each with the same: http.server reads the request line, email.parser the fields. Both are
older and more lenient than Node's. Ends with its standard input."""

import http.client
import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The gateway adds a few fields to the hundred that it takes from a client.
http.client._MAXHEADERS = 200

OUTPUT = threading.Lock()


def say(event):
    with OUTPUT:
        print(json.dumps(event), flush=True)


class Broken(Exception):
    """A body that ends before its end, or is not one."""


class Recorder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is one packet, and is not held back until the last one is acknowledged.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __getattr__(self, name):
        # http.server calls do_METHOD; here every method is answered in the same way.
        if name.startswith("do_"):
            return self.record
        raise AttributeError(name)

    def record(self):
        method, target, version = self.requestline.split(" ")
        try:
            body, trailers = self.body()
        except Broken:
            say({"kind": "aborted", "target": target})
            self.close_connection = True
            return
        seen = {
            "kind": "request",
            "method": method,
            "target": target,
            "version": version.removeprefix("HTTP/"),
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "body": body.decode("latin-1"),
            "trailers": trailers,
        }
        say(seen)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)
        status = int(query.get("status", ["200"])[0])
        self.send_response(status)
        text = json.dumps(seen).encode()
        if status not in (204, 304):
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if method != "HEAD" and status not in (204, 304):
            self.wfile.write(text)

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise Broken
        return body, []

    def chunks(self):
        body = b""
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\n"):
                raise Broken
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            chunk = self.rfile.read(size)
            if len(chunk) < size or not self.rfile.readline().endswith(b"\n"):
                raise Broken
            body += chunk
        trailers = []
        while (line := self.rfile.readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            trailers.append([name.lower(), value.strip()])
        return body, trailers

    def send_error(self, code, message=None, explain=None):
        say({"kind": "unreadable", "why": f"{code} {message}"})
        super().send_error(code, message, explain)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        # A connection that broke; what was lost shows as an aborted request.
        pass


server = Server(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"listening http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
