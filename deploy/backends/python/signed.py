"""Asks that the gateway signed each request, when it is told to (docs/identity.md)."""

import os
import threading
import time

# --- who it is
from datetime import timedelta
from types import SimpleNamespace

from http_message_signatures import (
    HTTPMessageVerifier, HTTPSignatureComponentResolver, HTTPSignatureKeyResolver,
    InvalidSignature, algorithms,
)

PINNED = {
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "ed25519": algorithms.ED25519,
    "hmac-sha256": algorithms.HMAC_SHA256,
}
ALGORITHM = os.environ.get("BRAMA_SIGNED")  # algorithm of the route; left out, nothing is asked
VERIFY = None if ALGORITHM is None else PINNED[ALGORITHM]
SECRET = os.environ.get("BRAMA_SECRET_FILE")  # the secret of hmac-sha256, as it is
KEY_ID = os.environ.get("BRAMA_KEY_ID")  # its name
AUDIENCE = os.environ.get("BRAMA_AUDIENCE")  # audience of the route
LIFETIME = timedelta(minutes=5)
PARTS = ["@method", "@authority", "@path", "@query", "x-brama-audience"]
OURS = ("x-brama-", "content-digest")  # and what else the portal reads, such as "remote-user"


class Keys(HTTPSignatureKeyResolver):
    """Finds a key by its name: the shared one, or one of those of the tokens."""

    def __init__(self, published):
        self.published = published  # jwt.PyJWKClient

    def resolve_public_key(self, key_id):
        if ALGORITHM != "hmac-sha256":
            return self.published.get_signing_key(key_id).key
        with open(SECRET, "rb") as secret:
            return secret.read() if key_id == KEY_ID else None


class Parts(HTTPSignatureComponentResolver):
    """What was signed of a request is what came: not what an address made of it would say."""

    def get_authority(self):
        [host] = self.header_field_lines["host"]
        return host.lower().removesuffix(":80")

    def get_path(self):
        return self.message.target.partition("?")[0]

    def get_query(self):
        return "?" + self.message.target.partition("?")[2]


class Nonces:
    """Those of signatures that are still valid: each is good for one request of this process."""

    def __init__(self):
        self.used, self.swept, self.lock = {}, 0, threading.Lock()

    def use(self, nonce, expires):
        with self.lock:
            now = int(time.time() - HTTPMessageVerifier.max_clock_skew.total_seconds())
            if expires < now:  # by the clock that the others are forgotten by
                raise InvalidSignature("its time is over")
            if now > self.swept:  # once a second
                self.used = {known: end for known, end in self.used.items() if end >= now}
                self.swept = now
            if nonce in self.used:
                raise InvalidSignature("this request was here before")
            self.used[nonce] = expires


NONCES = Nonces()


def verify(method, target, headers, body, published):
    """Raises InvalidSignature unless the gateway signed it. The target is that of the request line."""
    if VERIFY is None:
        return
    names = [name.lower() for name, _ in headers.items()]
    # The library wants an address too, of which nothing is signed.
    message = SimpleNamespace(method=method, target=target, headers=headers, url="http://portal/")
    verifier = HTTPMessageVerifier(
        signature_algorithm=VERIFY, key_resolver=Keys(published), component_resolver_class=Parts
    )
    try:
        signatures = verifier.verify(
            message, max_age=LIFETIME, expect_tag="brama",
            # All that is told, or somebody could tell more than what was signed.
            require_components=sorted({*PARTS, *(name for name in names if name.startswith(OURS))}),
            # A body is proven where its sender made a digest of it.
            body=body if "content-digest" in names else None,
        )
        if len(signatures) != 1:
            raise InvalidSignature("not one signature of the gateway")
        if headers.get_all("X-Brama-Audience") != [AUDIENCE]:
            raise InvalidSignature("signed for another portal")
        parameters = signatures[0].parameters
        NONCES.use(parameters["nonce"], parameters["expires"])
    except InvalidSignature:
        raise
    except Exception as error:  # whatever could not be checked is not signed
        raise InvalidSignature(str(error)) from error
# --- end
