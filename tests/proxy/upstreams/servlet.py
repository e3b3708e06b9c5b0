"""An application with a context path and a session of its own, as a servlet container has it: it
lives below /app, its cookie is for that path, and its redirects are written for it. Its page says
which session it is for. Ends with its standard input."""

import sys
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SESSIONS = []


class Servlet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("JSESSIONID")
        is_new = cookie is None or cookie.value not in SESSIONS
        if is_new:
            SESSIONS.append(f"s{len(SESSIONS)}")
        session = SESSIONS[-1] if is_new else cookie.value
        context = self.path == "/app" or self.path.startswith("/app/")
        home = self.path.split("?")[0] == "/app/home"
        body = session.encode() if home else b""
        self.send_response(200 if home else 302 if context else 404)
        if context and not home:
            # Tomcat writes the whole address, by the host that it was told.
            inner = self.path == "/app/absolute"
            origin = "http://%s:%d" % self.server.server_address if inner else ""
            self.send_header("Location", f"{origin}/app/home?from=here")
        if is_new:
            self.send_header("Set-Cookie", f"JSESSIONID={session}; Path=/app; HttpOnly")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Servlet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"listening http://127.0.0.1:{server.server_port}", flush=True)
sys.stdin.read()
