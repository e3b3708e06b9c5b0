#!/usr/bin/env python3
"""Judges what a portal was told of a citizen, with implementations that are none of the gateway's.

    told.py signature < request      verifies a message signature (RFC 9421)
    told.py jwe < request            opens an encrypted token (RFC 7516) and verifies what is in it

The request comes on standard input as one JSON object: method, target, headers as pairs, jwks; and
`secret` in base64 for a shared key, or `key` (PEM) and `token` to be opened. The verdict goes to
standard output as one JSON object.
"""

import base64
import json
import sys
from types import SimpleNamespace

import jwt as pyjwt
from http_message_signatures import HTTPMessageVerifier, algorithms, exceptions
from jwcrypto import jwe, jwk
from jwcrypto.common import JWException


class Fields:
    """Header fields, several of one name among them."""

    def __init__(self, pairs):
        self.pairs = [(name, value) for name, value in pairs]

    def items(self):
        return self.pairs

    def __iter__(self):
        return iter(dict.fromkeys(name for name, _ in self.pairs))

    def __contains__(self, name):
        return any(known.lower() == name.lower() for known, _ in self.pairs)


class Keys:
    """Finds a key by the name that a signature gives."""

    def __init__(self, given):
        self.given = given

    def resolve_public_key(self, key_id):
        if self.given.get("secret"):
            return base64.b64decode(self.given["secret"])
        for key in self.given["jwks"]["keys"]:
            if key["kid"] == key_id:
                return jwk.JWK(**key).export_to_pem()
        raise exceptions.InvalidSignature(f"nobody published a key named {key_id}")


def signature(given):
    host = next(value for name, value in given["headers"] if name == "host")
    message = SimpleNamespace(
        method=given["method"],
        url=f"http://{host}{given['target']}",
        headers=Fields(given["headers"]),
    )
    chosen = algorithms.HMAC_SHA256 if given.get("secret") else algorithms.ECDSA_P256_SHA256
    verifier = HTTPMessageVerifier(signature_algorithm=chosen, key_resolver=Keys(given))
    try:
        verified = verifier.verify(message, expect_tag="brama")
    except Exception as error:  # Whatever is wrong with it, it is not verified.
        return {"verified": False, "why": f"{type(error).__name__}: {error}"}
    return {"verified": True, "covered": [str(one) for one in verified[0].covered_components]}


def opened(given):
    token = jwe.JWE()
    key = jwk.JWK.from_pem(given["key"].encode())
    try:
        token.deserialize(given["token"], key)
    except JWException as error:
        return {"claims": None, "why": str(error)}
    inner = token.payload.decode()
    kid = pyjwt.get_unverified_header(inner)["kid"]
    keys = {key["kid"]: key for key in given["jwks"]["keys"]}
    public = pyjwt.PyJWK(keys[kid]).key
    claims = pyjwt.decode(inner, public, algorithms=["ES256"], options={"verify_aud": False})
    return {"claims": claims, "header": json.loads(token.objects["protected"])}


def main():
    judges = {"signature": signature, "jwe": opened}
    if len(sys.argv) != 2 or sys.argv[1] not in judges:
        sys.exit(__doc__)
    print(json.dumps(judges[sys.argv[1]](json.load(sys.stdin))))


if __name__ == "__main__":
    main()
