#!/usr/bin/env python3
"""Encrypts and decrypts assertions the way the node does; an independent judge.

    encryption.py decrypt --key KEY.pem [--count]
        reads lines {"encrypted": "<saml2:EncryptedAssertion ...>"}, writes {"plain": "..."};
        with --count writes the single line {"count": N} instead.
    encryption.py encrypt --certificate-or-public-key FILE --node-issuer X --service-issuer Y
                          --count N [--leading-zero-z M] [--mixed]
        writes N lines {"encrypted": "...", "plain": "..."} with random assertions; the first M have
        an ECDH secret that begins with a zero byte, the others have not.
    encryption.py selftest
        round trips, refusals and the known answer of RFC 7518, appendix C; when BRAMA_NODE_SAMPLE
        names a folder with a genuine message of the node, decrypts that too.

All input and output is NDJSON in UTF-8. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.

The scheme: ECDH on P-256 or P-384 with an ephemeral key of the sender, ConcatKDF with SHA-256, AES
key wrap, AES-GCM. What is peculiar to the node:
  1. AlgorithmID, PartyUInfo and PartyVInfo are upper-case hex of a 4-byte length and the data, and
     go into the KDF verbatim, length included (XML Encryption 1.1 would strip an octet).
  2. The ECDH secret keeps its leading zero bytes.
  3. The content key decides between AES-128 and AES-256: it may have 16 bytes although aes256-gcm
     is declared.

The decrypting side accepts the node's element shape only. It judges what a simulator writes, so
leniency would hide mistakes.
"""

import argparse
import base64
import binascii
import hashlib
import itertools
import json
import os
import pathlib
import random
import re
import sys
import traceback

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from lxml import etree

SAML2 = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"

SHA256 = XENC + "sha256"
ELEMENT_TYPE = XENC + "Element"
ECDH_ES = XENC11 + "ECDH-ES"
CONCAT_KDF = XENC11 + "ConcatKDF"
# key wrap algorithm -> bytes of the key encryption key
KEY_WRAPS = {XENC + "kw-aes128": 16, XENC + "kw-aes192": 24, XENC + "kw-aes256": 32}
# declared content algorithm -> bytes that the content key may have
CONTENT_KEYS = {XENC11 + "aes128-gcm": (16,), XENC11 + "aes256-gcm": (16, 32)}
CURVES = {"urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1(), "urn:oid:1.3.132.0.34": ec.SECP384R1()}

# What --mixed goes through: (key wrap, declared content algorithm, bytes of the content key).
MIXED_FORMS = [
    (wrap, content, length)
    for wrap in KEY_WRAPS
    for content, lengths in CONTENT_KEYS.items()
    for length in lengths
]
USUAL_FORM = (XENC + "kw-aes256", XENC11 + "aes256-gcm", 32)


class Refused(Exception):
    """The message is not what the node would send, or does not decrypt; the text says why."""


# --- decrypting ------------------------------------------------------------------------------


def decrypt(encrypted, private_key):
    """Returns the plain text (bytes) of an EncryptedAssertion given as a standalone document."""
    # 1. EncryptedData, its method and its two parts.
    root = parse(encrypted)
    expect(root, SAML2, "EncryptedAssertion")
    (data,) = children(root, (XENC, "EncryptedData"))
    expect_attributes(data, Id=None, Type=ELEMENT_TYPE)
    expect_id(data)
    method, key_info, data_cipher = children(
        data, (XENC, "EncryptionMethod"), (DS, "KeyInfo"), (XENC, "CipherData")
    )
    content_algorithm = algorithm(method, CONTENT_KEYS)
    (digest,) = children(method, (DS, "DigestMethod"))
    algorithm(digest, [SHA256])
    children(digest)

    # 2. EncryptedKey inside KeyInfo, with the key agreement.
    expect_attributes(key_info)
    (key,) = children(key_info, (XENC, "EncryptedKey"))
    expect_attributes(key, Id=None)
    expect_id(key)
    method, key_info, key_cipher = children(
        key, (XENC, "EncryptionMethod"), (DS, "KeyInfo"), (XENC, "CipherData")
    )
    wrap_algorithm = algorithm(method, KEY_WRAPS)
    children(method)
    expect_attributes(key_info)
    (agreement,) = children(key_info, (XENC, "AgreementMethod"))
    algorithm(agreement, [ECDH_ES])
    derivation, originator = children(
        agreement, (XENC11, "KeyDerivationMethod"), (XENC, "OriginatorKeyInfo")
    )
    other_info = read_other_info(derivation, wrap_algorithm)
    ephemeral = read_originator(originator, private_key.curve)

    # 3. Secret -> key encryption key -> content key -> plain text.
    secret = private_key.exchange(ec.ECDH(), ephemeral)
    wrapping_key = derive(secret, other_info, KEY_WRAPS[wrap_algorithm])
    try:
        content_key = keywrap.aes_key_unwrap(wrapping_key, cipher_value(key_cipher))
    except (keywrap.InvalidUnwrap, ValueError) as error:
        raise Refused(f"the content key does not unwrap: {error!r}") from error
    if len(content_key) not in CONTENT_KEYS[content_algorithm]:
        raise Refused(f"content key of {len(content_key)} bytes under {content_algorithm}")
    sealed = cipher_value(data_cipher)
    if len(sealed) < 12 + 16:
        raise Refused(f"content of {len(sealed)} bytes has no room for an IV and a tag")
    try:
        return AESGCM(content_key).decrypt(sealed[:12], sealed[12:], None)
    except InvalidTag as error:
        raise Refused("the content does not authenticate under its key") from error


def parse(text):
    """Returns the root element; refuses document types and everything that hides in them."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"not well-formed XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise Refused("a document type declaration")
    return root


def read_other_info(derivation, wrap_algorithm):
    """Returns the KDF's OtherInfo: the three values as decoded, nothing stripped."""
    algorithm(derivation, [CONCAT_KDF])
    (parameters,) = children(derivation, (XENC11, "ConcatKDFParams"))
    expect_attributes(parameters, AlgorithmID=None, PartyUInfo=None, PartyVInfo=None)
    (digest,) = children(parameters, (DS, "DigestMethod"))
    algorithm(digest, [SHA256])
    children(digest)
    names = ("AlgorithmID", "PartyUInfo", "PartyVInfo")
    values = [read_prefixed(parameters, name) for name in names]
    if values[0][4:] != wrap_algorithm.encode():
        raise Refused(f"AlgorithmID says {values[0][4:]!r}, the key is wrapped by {wrap_algorithm}")
    return b"".join(values)


def read_prefixed(parameters, name):
    """Returns an attribute that is upper-case hex of a 4-byte length and as many bytes."""
    text = parameters.get(name)
    if not re.fullmatch("(?:[0-9A-F]{2})+", text):
        raise Refused(f'{name} "{text}" is not upper-case hex')
    value = bytes.fromhex(text)
    if len(value) <= 4 or int.from_bytes(value[:4], "big") != len(value) - 4:
        raise Refused(f"{name} of {len(value)} bytes does not begin with its length")
    return value


def read_originator(originator, curve):
    """Returns the sender's ephemeral public key, which must be on the recipient's curve."""
    expect_attributes(originator)
    (key_value,) = children(originator, (DS, "KeyValue"))
    expect_attributes(key_value)
    (ec_key,) = children(key_value, (DSIG11, "ECKeyValue"))
    expect_attributes(ec_key)
    named, public = children(ec_key, (DSIG11, "NamedCurve"), (DSIG11, "PublicKey"))
    expect_attributes(named, URI=None)
    children(named)
    declared = CURVES.get(named.get("URI"))
    if declared is None or declared.name != curve.name:
        raise Refused(f'ephemeral key on {named.get("URI")}, the recipient is on {curve.name}')
    expect_attributes(public)
    point = base64_text(public)
    if point[:1] != b"\x04":
        raise Refused("the ephemeral key is not an uncompressed point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError as error:
        raise Refused(f"the ephemeral key is not a point of {curve.name}") from error


def cipher_value(cipher_data):
    """Returns the bytes of CipherData/CipherValue."""
    expect_attributes(cipher_data)
    (value,) = children(cipher_data, (XENC, "CipherValue"))
    expect_attributes(value)
    return base64_text(value)


def derive(secret, other_info, length):
    """ConcatKDF with SHA-256 (NIST SP 800-56A, 5.8.1)."""
    return ConcatKDFHash(hashes.SHA256(), length, other_info).derive(secret)


# --- the shape of elements -------------------------------------------------------------------


def expect(element, namespace, name):
    """Refuses an element with another name."""
    if element.tag != f"{{{namespace}}}{name}":
        raise Refused(f"found {element.tag}, expected {name}")


def children(element, *names):
    """Returns the children, which must be exactly these, in this order, with no text between."""
    found = list(element)
    wanted = [f"{{{namespace}}}{name}" for namespace, name in names]
    if [child.tag for child in found] != wanted:
        raise Refused(f"{element.tag} holds {[child.tag for child in found]}, expected {wanted}")
    if element.text or any(child.tail for child in found):
        raise Refused(f"{element.tag} holds text between its elements")
    return found


def expect_attributes(element, **wanted):
    """Refuses missing, further and different attributes; None stands for any value."""
    if set(element.keys()) != set(wanted):
        raise Refused(f"{element.tag} has attributes {element.keys()}, expected {list(wanted)}")
    for name, value in wanted.items():
        if value is not None and element.get(name) != value:
            raise Refused(f'{name} of {element.tag} is "{element.get(name)}", expected "{value}"')


def expect_id(element):
    """Refuses an Id that is not an underscore and 32 hexadecimal digits."""
    if not re.fullmatch("_[0-9a-f]{32}", element.get("Id")):
        raise Refused(f'Id "{element.get("Id")}" is not an underscore and 32 hexadecimal digits')


def algorithm(element, known):
    """Returns the only attribute, Algorithm, which must be a known one."""
    expect_attributes(element, Algorithm=None)
    value = element.get("Algorithm")
    if value not in known:
        raise Refused(f"{element.tag} names the algorithm {value}")
    return value


def base64_text(element):
    """Returns the bytes of an element that holds only base64 on one line."""
    if len(element):
        raise Refused(f"{element.tag} holds elements, expected base64")
    try:
        return base64.b64decode(element.text or "", validate=True)
    except binascii.Error as error:
        raise Refused(f"{element.tag} is not base64: {error}") from error


# --- encrypting ------------------------------------------------------------------------------


def encrypt(plain, public_key, node_issuer, service_issuer, form=USUAL_FORM, leading_zero=None):
    """Returns an EncryptedAssertion as a standalone document.

    leading_zero: whether the ECDH secret must begin with a zero byte; None leaves it to chance.
    """
    wrap_algorithm, content_algorithm, content_key_length = form
    ephemeral, secret = agree(public_key, leading_zero)
    algorithm_id, party_u, party_v = map(prefixed, (wrap_algorithm, node_issuer, service_issuer))
    other_info = algorithm_id + party_u + party_v
    wrapping_key = derive(secret, other_info, KEY_WRAPS[wrap_algorithm])
    content_key = os.urandom(content_key_length)
    wrapped = keywrap.aes_key_wrap(wrapping_key, content_key)
    iv = os.urandom(12)
    sealed = iv + AESGCM(content_key).encrypt(iv, plain, None)
    point = ephemeral.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    (curve,) = (uri for uri, curve in CURVES.items() if curve.name == public_key.curve.name)
    return (
        f'<saml2:EncryptedAssertion xmlns:saml2="{SAML2}" xmlns:ds="{DS}" xmlns:dsig11="{DSIG11}"'
        f' xmlns:xenc="{XENC}" xmlns:xenc11="{XENC11}">'
        f'<xenc:EncryptedData Id="{random_id()}" Type="{ELEMENT_TYPE}">'
        f'<xenc:EncryptionMethod Algorithm="{content_algorithm}">'
        f'<ds:DigestMethod Algorithm="{SHA256}"/></xenc:EncryptionMethod>'
        f'<ds:KeyInfo><xenc:EncryptedKey Id="{random_id()}">'
        f'<xenc:EncryptionMethod Algorithm="{wrap_algorithm}"/>'
        f'<ds:KeyInfo><xenc:AgreementMethod Algorithm="{ECDH_ES}">'
        f'<xenc11:KeyDerivationMethod Algorithm="{CONCAT_KDF}">'
        f'<xenc11:ConcatKDFParams AlgorithmID="{algorithm_id.hex().upper()}"'
        f' PartyUInfo="{party_u.hex().upper()}" PartyVInfo="{party_v.hex().upper()}">'
        f'<ds:DigestMethod Algorithm="{SHA256}"/></xenc11:ConcatKDFParams>'
        f"</xenc11:KeyDerivationMethod>"
        f"<xenc:OriginatorKeyInfo><ds:KeyValue><dsig11:ECKeyValue>"
        f'<dsig11:NamedCurve URI="{curve}"/>'
        f"<dsig11:PublicKey>{base64.b64encode(point).decode()}</dsig11:PublicKey>"
        f"</dsig11:ECKeyValue></ds:KeyValue></xenc:OriginatorKeyInfo>"
        f"</xenc:AgreementMethod></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(wrapped).decode()}"
        f"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(sealed).decode()}"
        f"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml2:EncryptedAssertion>"
    )


def agree(public_key, leading_zero):
    """Returns an ephemeral public key and the secret it shares with the recipient."""
    while True:
        ephemeral = ec.generate_private_key(public_key.curve)
        secret = ephemeral.exchange(ec.ECDH(), public_key)
        if leading_zero is None or (secret[0] == 0) == leading_zero:
            return ephemeral.public_key(), secret


def prefixed(text):
    """Returns the text's UTF-8 bytes behind their 4-byte length."""
    data = text.encode()
    return len(data).to_bytes(4, "big") + data


def random_id():
    """Returns an identifier as the node writes them."""
    return "_" + os.urandom(16).hex()


SYLLABLES = """ża łó szcz ęd rzy ńcz ąg ćm iał ośw ło ździ eń Kra Wrocł Łódź ów ski nia ÓŹ Ż ĄĘ
pro dom las ko wa na &amp; &lt; „tak” — 1999""".split()


def random_assertion():
    """Returns a random assertion; lengths vary so that every remainder modulo 16 occurs."""
    words = (
        "".join(random.choices(SYLLABLES, k=random.randint(1, 4)))
        for _ in range(random.randint(0, 60))
    )
    return (
        f'<saml2:Assertion xmlns:saml2="{SAML2}" ID="{random_id()}">{" ".join(words)}'
        "</saml2:Assertion>"
    )


# --- keys ------------------------------------------------------------------------------------


def load_private_key(path):
    """Returns the EC private key of a PEM file."""
    key = serialization.load_pem_private_key(pathlib.Path(path).read_bytes(), None)
    return checked_curve(key, ec.EllipticCurvePrivateKey, path)


def load_public_key(path):
    """Returns the EC public key of a PEM file that holds a certificate or the key alone."""
    pem = pathlib.Path(path).read_bytes()
    if b"BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem).public_key()
    else:
        key = serialization.load_pem_public_key(pem)
    return checked_curve(key, ec.EllipticCurvePublicKey, path)


def checked_curve(key, kind, path):
    """Returns the key when it is an EC key of a curve we know."""
    if not isinstance(key, kind) or key.curve.name not in {c.name for c in CURVES.values()}:
        raise Refused(f"{path} holds no P-256 or P-384 key")
    return key


# --- commands --------------------------------------------------------------------------------


def command_decrypt(arguments):
    private_key = load_private_key(arguments.key)
    count = 0
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        try:
            plain = decrypt(json.loads(line)["encrypted"], private_key).decode()
        except (Refused, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(f"line {number}: {error if isinstance(error, Refused) else repr(error)}")
        count += 1
        if not arguments.count:
            write({"plain": plain})
    if arguments.count:
        write({"count": count})


def command_encrypt(arguments):
    public_key = load_public_key(arguments.certificate_or_public_key)
    forms = itertools.cycle(MIXED_FORMS if arguments.mixed else [USUAL_FORM])
    for number, form in zip(range(arguments.count), forms):
        plain = random_assertion()
        encrypted = encrypt(
            plain.encode(),
            public_key,
            arguments.node_issuer,
            arguments.service_issuer,
            form,
            leading_zero=number < arguments.leading_zero_z,
        )
        write({"encrypted": encrypted, "plain": plain})


def command_selftest(_arguments):
    checks = [
        derives_the_known_answer_of_rfc_7518,
        derives_what_a_bare_hash_derives,
        opens_what_it_seals,
        refuses_what_was_tampered_with,
        refuses_other_shapes,
    ]
    if os.environ.get("BRAMA_NODE_SAMPLE"):
        checks.append(opens_the_genuine_message)
    else:
        print("skipped: the genuine message (BRAMA_NODE_SAMPLE is not set)")
    failed = 0
    for check in checks:
        try:
            check()
            print(f"ok: {check.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED: {check.__name__}")
            traceback.print_exc()
    if failed:
        raise Refused(f"{failed} of {len(checks)} checks failed")


def write(record):
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


# --- self test -------------------------------------------------------------------------------


def derives_the_known_answer_of_rfc_7518():
    """RFC 7518, appendix C, derives with the same 4-byte lengths; only its last field differs."""
    alice = ec.derive_private_key(
        from_base64url("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"), ec.SECP256R1()
    )
    bob = ec.EllipticCurvePublicNumbers(
        from_base64url("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"),
        from_base64url("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"),
        ec.SECP256R1(),
    ).public_key()
    parties = prefixed("A128GCM") + prefixed("Alice") + prefixed("Bob")
    other_info = parties + (128).to_bytes(4, "big")
    derived = derive(alice.exchange(ec.ECDH(), bob), other_info, 16)
    assert base64.urlsafe_b64encode(derived) == b"VqqN6vgjbSBcIijNcacQGg=="


def from_base64url(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def derives_what_a_bare_hash_derives():
    """With SHA-256 and at most 32 bytes the KDF is one hash, cut to length."""
    for length in KEY_WRAPS.values():
        secret, other_info = b"\0" + os.urandom(31), os.urandom(120)
        block = hashlib.sha256(b"\0\0\0\1" + secret + other_info).digest()
        assert derive(secret, other_info, length) == block[:length]


def opens_what_it_seals():
    for curve in CURVES.values():
        private_key = ec.generate_private_key(curve)
        for form in MIXED_FORMS:
            for leading_zero in (False, True):
                plain = random_assertion().encode()
                sealed = encrypt(plain, private_key.public_key(), "węzeł", "sp", form, leading_zero)
                assert decrypt(sealed, private_key) == plain


def refuses_what_was_tampered_with():
    private_key = ec.generate_private_key(ec.SECP256R1())
    other_key = ec.generate_private_key(ec.SECP256R1())
    sealed = encrypt(random_assertion().encode(), private_key.public_key(), "node", "service")
    decrypt(sealed, private_key)
    assert_refused(sealed, other_key)
    # Another recipient name of the same length changes the derived key.
    before, after = (prefixed(name).hex().upper() for name in ("service", "servicf"))
    assert before in sealed
    assert_refused(sealed.replace(before, after), private_key)
    # One flipped bit in each base64 value: the point, the wrapped key, the content.
    values = re.findall(">([A-Za-z0-9+/=]{40,})<", sealed)
    assert len(values) == 3
    for value in values:
        data = bytearray(base64.b64decode(value))
        data[-1] ^= 1
        assert_refused(sealed.replace(value, base64.b64encode(data).decode()), private_key)


def refuses_other_shapes():
    private_key = ec.generate_private_key(ec.SECP256R1())
    sealed = encrypt(random_assertion().encode(), private_key.public_key(), "node", "service")
    for before, after in [
        ("#aes256-gcm", "#aes128-gcm"),
        ("#aes256-gcm", "#aes256-cbc"),
        ('#kw-aes256"', '#kw-aes128"'),
        ("#ECDH-ES", "#dh-es"),
        ("#ConcatKDF", "#pbkdf2"),
        ("1.2.840.10045.3.1.7", "1.3.132.0.34"),
        ("0000002A", "0000002a"),
        ("0000002A", ""),
        ('Id="_', 'Id="'),
        (f'<ds:DigestMethod Algorithm="{SHA256}"/></xenc:Enc', "</xenc:Enc"),
        ("<ds:KeyInfo>", "<ds:KeyInfo> "),
        ("<ds:KeyInfo>", "<ds:KeyInfo><!-- -->"),
        ("<saml2:Enc", "<!DOCTYPE x><saml2:Enc"),
        ("</saml2:EncryptedAssertion>", ""),
    ]:
        assert before in sealed, before
        assert_refused(sealed.replace(before, after, 1), private_key)


def assert_refused(sealed, private_key):
    try:
        decrypt(sealed, private_key)
    except Refused:
        return
    raise AssertionError(f"accepted {sealed}")


def opens_the_genuine_message():
    """A genuine message of the node; the folder's layout is described in its own README."""
    folder = pathlib.Path(os.environ["BRAMA_NODE_SAMPLE"])
    private_key = load_private_key(folder / "du_enc_ec.key.pem")
    message = etree.parse(folder / "artifact-response.xml")
    (assertion,) = message.iter(f"{{{SAML2}}}EncryptedAssertion")
    plain = decrypt(etree.tostring(assertion, encoding="unicode", with_tail=False), private_key)
    assert plain == (folder / "expected-assertion.xml").read_bytes()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("decrypt", help="from encrypted assertions to plain text")
    command.set_defaults(run=command_decrypt)
    add = command.add_argument
    add("--key", required=True, metavar="KEY.pem", help="the recipient's EC private key")
    add("--count", action="store_true", help="write how many were decrypted, not the texts")

    command = commands.add_parser("encrypt", help="random assertions, encrypted and plain")
    command.set_defaults(run=command_encrypt)
    add = command.add_argument
    add("--certificate-or-public-key", required=True, metavar="FILE", help="the recipient's, PEM")
    add("--node-issuer", required=True, metavar="X", help="goes to PartyUInfo")
    add("--service-issuer", required=True, metavar="Y", help="goes to PartyVInfo")
    add("--count", required=True, type=int, metavar="N", help="how many lines")
    add(
        "--leading-zero-z",
        type=int,
        default=0,
        metavar="M",
        help="the first M lines have a secret that begins with a zero byte, the others do not",
    )
    add(
        "--mixed",
        action="store_true",
        help="go in turn through kw-aes128/192/256, each with a 16-byte key under aes128-gcm and"
        " a 16 and a 32-byte key under aes256-gcm (otherwise kw-aes256, aes256-gcm, 32 bytes)",
    )

    command = commands.add_parser("selftest", help="check this judge itself")
    command.set_defaults(run=command_selftest)

    arguments = parser.parse_args()
    if arguments.run is command_encrypt and arguments.leading_zero_z > arguments.count:
        parser.error("--leading-zero-z is more than --count")

    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8")
    try:
        arguments.run(arguments)
    except (Refused, OSError, ValueError) as error:
        print(f"encryption.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
