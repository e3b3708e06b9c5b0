"""A portal of Flask whose user comes from the gateway (docs/portals.md)."""

# --- who it is
import os

import jwt
from flask import Flask, Response, g, request, session

ISSUER = os.environ["BRAMA_ISSUER"]  # public_url of the gateway
AUDIENCE = os.environ["BRAMA_AUDIENCE"]  # audience of the route
KEYS = jwt.PyJWKClient(
    os.environ.get("BRAMA_JWKS", ISSUER + "/.brama/jwks.json"), lifespan=300
)
LEVELS = ["http://eidas.europa.eu/LoA/" + level for level in ("substantial", "high")]


class Gateway:
    """Before any portal of WSGI: REMOTE_USER is who the token says, or is not there."""

    def __init__(self, portal):
        self.portal = portal

    def __call__(self, environ, start_response):
        for name in ("REMOTE_USER", "brama.claims"):
            environ.pop(name, None)
        try:
            claims = citizen(environ.get("HTTP_X_BRAMA_ASSERTION"))
        except jwt.PyJWTError:
            refusal = Response("This is no identity for this portal.", status=401)
            return refusal(environ, start_response)
        if claims:
            environ["REMOTE_USER"] = claims["sub"]
            environ["brama.claims"] = claims
        return self.portal(environ, start_response)


def citizen(token):
    """Returns the claims, None when nobody is signed in, or raises jwt.PyJWTError."""
    if token is None:
        return None
    if len(token) > 8192:
        raise jwt.InvalidTokenError("not one token of the gateway")
    key = KEYS.get_signing_key_from_jwt(token)  # by kid; fetched again when it is unknown
    claims = jwt.decode(
        token, key.key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, leeway=10,
        options={"require": ["iss", "aud", "sub", "sid", "iat", "nbf", "exp"]},
    )
    if claims.get("acr") not in LEVELS:
        raise jwt.InvalidTokenError("a higher level of assurance is needed")
    return claims


app = Flask(__name__)
app.secret_key = os.environ["PORTAL_SECRET"]
app.wsgi_app = Gateway(app.wsgi_app)


@app.before_request
def bind():
    """Ends the session of Flask that another login began."""
    g.claims = request.environ.get("brama.claims")
    login = [g.claims["sub"], g.claims["sid"]] if g.claims else None
    if session.get("login") != login:
        session.clear()
        if login:
            session["login"] = login
# --- end


@app.get("/whoami")
def whoami():
    if request.remote_user is None:
        return {"user": None}
    session["visits"] = session.get("visits", 0) + 1
    name = " ".join(filter(None, map(g.claims.get, ("given_name", "family_name"))))
    return {"user": request.remote_user, "name": name, "visits": session["visits"]}
