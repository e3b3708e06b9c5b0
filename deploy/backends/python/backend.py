"""A portal that knows who is there by X-Brama-Assertion (docs/backends.md)."""

import html
import os
import secrets
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import signed

# --- who it is
import jwt

ISSUER = os.environ["BRAMA_ISSUER"]  # public_url of the gateway
AUDIENCE = os.environ["BRAMA_AUDIENCE"]  # audience of the route
KEYS = jwt.PyJWKClient(
    os.environ.get("BRAMA_JWKS", ISSUER + "/.brama/jwks.json"), lifespan=300
)
LEVELS = ["low", "substantial", "high"]
LEAST = LEVELS.index(os.environ.get("BRAMA_LEVEL", "substantial"))
LONGEST = 8192


def citizen(tokens):
    """Returns the claims, None when nobody is signed in, or raises jwt.PyJWTError."""
    if not tokens:
        return None
    if len(tokens) > 1 or len(tokens[0]) > LONGEST:
        raise jwt.InvalidTokenError("not one token of the gateway")
    # Older versions of PyJWT leave this to you.
    if "crit" in jwt.get_unverified_header(tokens[0]):
        raise jwt.InvalidTokenError("crit is not understood")
    key = KEYS.get_signing_key_from_jwt(tokens[0])  # by kid; fetched again when it is unknown
    return jwt.decode(
        tokens[0], key.key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, leeway=10,
        options={"require": ["iss", "aud", "sub", "sid", "iat", "nbf", "exp"]},
    )


def is_sure_enough(claims):
    """Whether the level of assurance is the least that is needed here."""
    levels = ["http://eidas.europa.eu/LoA/" + level for level in LEVELS]
    return claims.get("acr") in levels[LEAST:]


def bind(session, claims):
    """Ends a session of your own (of Flask or Django, say) that another login began."""
    login = [claims["sub"], claims["sid"]] if claims else None
    if session.get("login") != login:
        session.clear()
        session["login"] = login
# --- end


SESSIONS = {}  # of this process only; take those of your framework
MOST = 1 << 20  # bytes of a body


class Portal(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MOST:
            return self.answer(400, "<p>This portal takes no such body.</p>")
        body = self.rfile.read(length)
        try:
            signed.verify(self.command, self.path, self.headers, body, KEYS)
            claims = citizen(self.headers.get_all("X-Brama-Assertion"))
        except (jwt.PyJWTError, signed.InvalidSignature):
            return self.answer(401, "<p>This is no identity for this portal.</p>")
        if claims and not is_sure_enough(claims):
            return self.answer(403, "<p>A higher level of assurance is needed.</p>")
        cookie = SimpleCookie(self.headers.get("Cookie")).get("visits")
        old = cookie.value if cookie else ""
        session = SESSIONS.pop(old, {})
        bind(session, claims)
        if not claims:
            return self.answer(200, "<p>Nobody is signed in.</p>")
        session["visits"] = session.get("visits", 0) + 1
        # One who begins a session gets another name for it than anybody knew before.
        new = old if session["visits"] > 1 else secrets.token_urlsafe()
        SESSIONS[new] = session
        name = " ".join(filter(None, [claims.get("given_name"), claims.get("family_name")]))
        self.answer(
            200,
            f"<p>Signed in: <strong>{html.escape(name or claims['sub'])}</strong></p>"
            f"<p>Visit {session['visits']}</p>",
            f"visits={new}; HttpOnly; SameSite=Lax; Path=/",
        )

    do_POST = do_GET

    def answer(self, status, text, cookie=None):
        page = f'<!doctype html><meta charset="utf-8"><title>Portal</title>{text}\n'.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Portal)
print(f"listening http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
