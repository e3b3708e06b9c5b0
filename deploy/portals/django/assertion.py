"""Users by the signed token: what arrives past the gateway is nobody, or refused."""

# --- who it is
import os

import jwt
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import RemoteUserMiddleware
from django.http import HttpResponse

ISSUER = os.environ["BRAMA_ISSUER"]  # public_url of the gateway
AUDIENCE = os.environ["BRAMA_AUDIENCE"]  # audience of the route
KEYS = jwt.PyJWKClient(
    os.environ.get("BRAMA_JWKS", ISSUER + "/.brama/jwks.json"), lifespan=300
)
LEVELS = ["http://eidas.europa.eu/LoA/" + level for level in ("substantial", "high")]


class AssertionMiddleware:
    """Stands behind SessionMiddleware and before AuthenticationMiddleware."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            claims = citizen(request.headers.get("X-Brama-Assertion"))
        except jwt.PyJWTError:
            return HttpResponse("This is no identity for this portal.", status=401)
        # Django's session ends with the login that it was begun in.
        login = [claims["sub"], claims["sid"]] if claims else None
        if request.session.get("login") != login:
            request.session.flush()
            if login:
                request.session["login"] = login
        # What headers become begins with HTTP_, so no client can write these.
        request.META["BRAMA_SUBJECT"] = claims["sub"] if claims else ""
        request.META["BRAMA_CLAIMS"] = claims
        return self.get_response(request)


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


class GatewayUserMiddleware(RemoteUserMiddleware):
    header = "BRAMA_SUBJECT"


class GatewayUserBackend(RemoteUserBackend):
    """Makes a user of whoever comes for the first time. The user name is the subject."""

    def configure_user(self, request, user, created=True):
        claims = request.META["BRAMA_CLAIMS"]  # those of the route
        user.first_name = claims.get("given_name", "")[:150]
        user.last_name = claims.get("family_name", "")[:150]
        user.save(update_fields=["first_name", "last_name"])
        return user
# --- end
