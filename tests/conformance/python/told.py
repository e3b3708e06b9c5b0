#!/usr/bin/env python3
"""Judges what a portal was told of a citizen, with implementations that are none of the gateway's.

    told.py signature < request      verifies a message signature (RFC 9421)
    told.py jwe < request            opens an encrypted token (RFC 7516) and verifies what is in it
    told.py sign < request           signs a request, for the gateway's own code to verify

The request comes on standard input as one JSON object: method, target, headers as pairs, jwks; and
`algorithm` of a signature with `secret` in base64 when it is shared, or `key` (PEM) and `token` to be
opened. What is to be signed has `algorithm`, `covered`, and `key` or `secret`. The verdict goes to
standard output as one JSON object.
"""

import base64
import json
import sys
from types import SimpleNamespace

import jwt as pyjwt
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, algorithms, exceptions
from jwcrypto import jwe, jwk
from jwcrypto.common import JWException

ALGORITHMS = {
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "ed25519": algorithms.ED25519,
    "hmac-sha256": algorithms.HMAC_SHA256,
}


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


    def __setitem__(self, name, value):
        self.pairs.append((name, value))

    def __delitem__(self, name):
        self.pairs = [pair for pair in self.pairs if pair[0].lower() != name.lower()]


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

    def resolve_private_key(self, _):
        if self.given.get("secret"):
            return base64.b64decode(self.given["secret"])
        return self.given["key"].encode()


def message_of(given):
    host = next(value for name, value in given["headers"] if name == "host")
    return SimpleNamespace(
        method=given["method"],
        url=f"http://{host}{given['target']}",
        headers=Fields(given["headers"]),
    )


def sign(given):
    message = message_of(given)
    signer = HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[given["algorithm"]], key_resolver=Keys(given)
    )
    signer.sign(
        message, key_id="theirs", nonce="n-1", tag="theirs", covered_component_ids=given["covered"],
        use_existing_digest="content-digest" in given["covered"],
    )
    fields = dict(message.headers.items())
    return {"input": fields["Signature-Input"], "signature": fields["Signature"]}


def signature(given):
    message = message_of(given)
    chosen = ALGORITHMS[given["algorithm"]]
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
    judges = {"signature": signature, "jwe": opened, "sign": sign}
    if len(sys.argv) != 2 or sys.argv[1] not in judges:
        sys.exit(__doc__)
    print(json.dumps(judges[sys.argv[1]](json.load(sys.stdin))))


if __name__ == "__main__":
    main()
