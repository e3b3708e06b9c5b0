#!/usr/bin/env python3
"""Verifies a JWT against a JWKS file with PyJWT and prints its claims.

    verify_token.py --jwks FILE --audience A --issuer I  < token

The token comes on standard input; its claims go to standard output as one JSON object.

The judge is strict about what a gateway publishes and mints:
  1. the key set holds public, asymmetric keys only;
  2. the token names one of them with `kid`, and its `alg` is the one that belongs to that key;
  3. `iss`, `aud`, `iat` and `exp` are present and right (`nbf` too, when present).

Exit codes: 0 the token is valid, 1 it is not (or the key set is unfit), 2 wrong usage.
"""

import argparse
import json
import sys

import jwt

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
REQUIRED_CLAIMS = ["iss", "aud", "iat", "exp"]


class Invalid(Exception):
    """The token or the key set is not acceptable; the text says why."""


def load_keys(path):
    """Returns the keys of a JWKS file by `kid`, refusing a set that should not be published."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    keys = {}
    for member in document.get("keys", []):
        kid = member.get("kid")
        if not kid:
            raise Invalid("a key of the set has no kid")
        if kid in keys:
            raise Invalid(f'the set has two keys with kid "{kid}"')
        if member.get("kty") == "oct" or PRIVATE_MEMBERS & member.keys():
            raise Invalid(f'key "{kid}" carries secret material')
        if member.get("use", "sig") != "sig":
            raise Invalid(f'key "{kid}" is not for signatures')
        keys[kid] = jwt.PyJWK(member)
    if not keys:
        raise Invalid("the key set is empty")
    return keys


def verify(token, keys, audience, issuer):
    """Returns the claims of a valid token."""
    kid = jwt.get_unverified_header(token).get("kid")
    if kid not in keys:
        raise Invalid(f'no key with kid "{kid}"; the set has {sorted(keys)}')
    key = keys[kid]
    return jwt.decode(
        token,
        key=key,
        algorithms=[key.algorithm_name],
        audience=audience,
        issuer=issuer,
        options={"require": REQUIRED_CLAIMS},
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jwks", required=True, metavar="FILE", help="the published key set")
    parser.add_argument("--audience", required=True)
    parser.add_argument("--issuer", required=True)
    arguments = parser.parse_args()

    try:
        keys = load_keys(arguments.jwks)
        claims = verify(sys.stdin.read().strip(), keys, arguments.audience, arguments.issuer)
    except (Invalid, jwt.PyJWTError, OSError, ValueError) as error:
        print(f"verify_token.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(claims))
    return 0


if __name__ == "__main__":
    sys.exit(main())
