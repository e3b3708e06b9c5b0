#!/usr/bin/env python3
"""A small service provider of the national node, with holes that can be opened one by one.

    provider.py --kit FOLDER --issuer I --node-issuer N --sso URL --resolve URL --logout URL
                [--port P] [--hole NAME]
    provider.py --list

It signs a person in by HTTP-Artifact and greets them, and shares nothing with the Rust code: signatures
are libxmlsec's, trees are libxml2's, keys are OpenSSL's. Without a hole it takes what the node may send
and refuses all else. `--hole` leaves one rule out, as programs were seen to do; `--list` prints the
holes, each with what is left out. Prints `listening URL` when it listens.

  /           a page for who is signed in; 401 for others
  /login      begins a login
  /acs        takes the artifact (POST and GET), and has the browser come once more with its cookies
  /logout     ends the session, here and at the node
"""

import argparse
import base64
import hashlib
import html
import http.cookies
import http.server
import pathlib
import secrets
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import xmlsec
from lxml import etree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
import encryption  # noqa: E402
from holes import HOLES  # noqa: E402
from reading import (  # noqa: E402
    ATTRIBUTES,
    LOA,
    PERSON,
    SAML2,
    SAML2P,
    SOAP,
    STATUS,
    TIMEOUT_SECONDS,
    Reader,
    Refused,
    must,
    now,
)

EIDAS = "http://eidas.europa.eu/saml-extensions"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
URI_NAMES = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
MAXIMUM_BYTES = 256 * 1024


# --- messages to the node --------------------------------------------------------------------


def instant():
    return now().strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Stripping:
    """A key whose library takes a secret for a number."""

    def __init__(self, key):
        self.key, self.curve = key, key.curve

    def exchange(self, *arguments):
        return self.key.exchange(*arguments).lstrip(b"\0")


class Keys:
    """What the provider signs with, opens with and trusts."""

    def __init__(self, folder, hole):
        def path(name):
            return str(folder / name)

        pem = xmlsec.KeyFormat.PEM
        self.signing = xmlsec.Key.from_file(path("service-sig.key.pem"), pem)
        self.signing.load_cert_from_file(path("service-sig.crt.pem"), pem)
        self.decryption = encryption.load_private_key(path("service-enc.key.pem"))
        if hole == "stripped-secret":
            self.decryption = Stripping(self.decryption)
        self.node = xmlsec.Key.from_file(path("node-signing.crt.pem"), xmlsec.KeyFormat.CERT_PEM)

    def sign(self, message):
        """Signs a message behind its Issuer."""
        root = etree.fromstring(message)
        template = xmlsec.template.create(
            root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.ECDSA_SHA256, ns="ds"
        )
        root.find(f"{{{SAML2}}}Issuer").addnext(template)
        reference = xmlsec.template.add_reference(
            template, xmlsec.Transform.SHA256, uri=f"#{root.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
        xmlsec.template.x509_data_add_certificate(data)
        xmlsec.tree.add_ids(root, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = self.signing
        context.sign(template)
        return etree.tostring(root)


def write(name, attributes, inside):
    """Writes a message of ours."""
    attributes = {"Version": "2.0", "IssueInstant": instant(), **attributes}
    written = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return (
        f'<saml2p:{name} xmlns:saml2p="{SAML2P}" xmlns:saml2="{SAML2}" {written}>{inside}'
        f"</saml2p:{name}>"
    )


def message_id():
    return f"ID-{secrets.token_hex(16)}"


# --- the provider ----------------------------------------------------------------------------


class Login:
    """A login that has begun: its request, and the browser that it belongs to."""

    def __init__(self, target, identifier):
        self.id = identifier
        self.resolve_id = None
        self.browser = secrets.token_urlsafe(16)
        self.target = target


class Provider:
    """Logins and sessions."""

    def __init__(self, options, keys):
        self.options = options
        self.keys = keys
        self.reader = Reader(options, keys)
        self.has = self.reader.has
        self.lock = threading.Lock()
        self.logins = {}
        self.waiting = {}
        self.sessions = {}

    def begin(self, target):
        """Returns a login, its RelayState and the signed request."""
        login, relay_state = Login(target, message_id()), secrets.token_urlsafe(16)
        self.logins[relay_state] = login
        requested = "".join(
            f'<eidas:RequestedAttribute Name="{PERSON}{name}" NameFormat="{URI_NAMES}"'
            f' isRequired="true"/>' for name in ATTRIBUTES
        )
        inside = (
            f"<saml2:Issuer>{html.escape(self.options.issuer)}</saml2:Issuer>"
            f'<saml2p:Extensions xmlns:eidas="{EIDAS}"><eidas:SPType>public</eidas:SPType>'
            f"<eidas:RequestedAttributes>{requested}</eidas:RequestedAttributes>"
            f'</saml2p:Extensions><saml2p:NameIDPolicy AllowCreate="true" Format="{UNSPECIFIED}"/>'
            f'<saml2p:RequestedAuthnContext Comparison="minimum"><saml2:AuthnContextClassRef>'
            f"{LOA}substantial</saml2:AuthnContextClassRef></saml2p:RequestedAuthnContext>"
        )
        attributes = {
            "ID": login.id,
            "Destination": self.options.sso,
            "AssertionConsumerServiceURL": self.options.acs,
            "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
            "ForceAuthn": "true",
        }
        if self.has("destination-of-request"):
            attributes["Destination"] = "https://elsewhere.example/sso"
        return login, relay_state, self.keys.sign(write("AuthnRequest", attributes, inside))

    def finish(self, artifact, relay_state, cookie):
        """Ends a login: returns where to go and the token of the session."""
        login = self.take(relay_state, cookie)
        answer = self.resolve(artifact, login)
        person = self.reader.read(answer, login)
        token = secrets.token_urlsafe(24)
        self.sessions[token] = person
        return login.target, token

    def take(self, relay_state, cookie):
        """The login that this is the answer to, which this browser has begun."""
        if self.has("any-browser"):
            login = self.logins.get(relay_state)
        elif self.has("unsolicited"):
            login = self.logins.get(relay_state)
            if login is None:
                return Login("/", None)
            must(login.browser == cookie, "another browser began this login")
        else:
            keep = self.has("replay")
            login = self.logins.get(relay_state) if keep else self.logins.pop(relay_state, None)
            must(login is not None, "no such login")
            must(login.browser == cookie, "another browser began this login")
        must(login is not None, "no such login")
        return login

    def resolve(self, artifact, login):
        if not self.has("artifact-injection"):
            try:
                decoded = base64.b64decode(artifact, validate=True)
            except ValueError as error:
                raise Refused("no artifact") from error
            source = hashlib.sha1(self.options.node_issuer.encode()).digest()
            must(len(decoded) == 44 and decoded[:2] == b"\0\4", "no artifact")
            must(decoded[4:24] == source, "an artifact of another node")
        login.resolve_id = message_id()
        if self.has("repeated-ids"):
            login.resolve_id = "ID-2062b5c4-87ac-482a-af14-f94e0197dab3"
        return self.call(
            self.options.resolve,
            write(
                "ArtifactResolve",
                {"ID": login.resolve_id},
                f"<saml2:Issuer>{html.escape(self.options.issuer)}</saml2:Issuer>"
                f"<saml2p:Artifact>{artifact}</saml2p:Artifact>",
            ),
        )

    def call(self, address, message):
        """Sends a message in SOAP: within a time, and no more than so many bytes are read."""
        signed = self.keys.sign(message)
        body = b'<soap:Envelope xmlns:soap="%s"><soap:Body>%s</soap:Body></soap:Envelope>' % (
            SOAP.encode(), signed)
        request = urllib.request.Request(address, body, {"Content-Type": "text/xml"})
        seconds = None if self.has("no-timeout") else TIMEOUT_SECONDS
        if self.has("impatient"):
            seconds = 1.0
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return self.read_body(answer, seconds)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise Refused(f"the node does not answer: {error}") from error

    def read_body(self, answer, seconds):
        deadline = time.monotonic() + (seconds or 1e9)
        read = b""
        while True:
            piece = answer.read1(65536)
            if not piece:
                return read
            read += piece
            if not self.has("unbounded-answers"):
                must(len(read) <= MAXIMUM_BYTES, "too long an answer")
            elif len(read) > MAXIMUM_BYTES:
                # The memory of the test machine is spared; the time is not.
                read = read[:MAXIMUM_BYTES]
            if not self.has("unbounded-answers", "no-timeout", "slow-bytes"):
                must(time.monotonic() < deadline, "too slow an answer")

    def log_out(self, token):
        if self.has("logout-cookie-only"):
            return
        session = self.sessions.get(token)
        if session is None:
            return
        if not self.has("logout-waits-for-node"):
            self.sessions.pop(token, None)
        inside = (
            f"<saml2:Issuer>{html.escape(self.options.issuer)}</saml2:Issuer>"
            f'<saml2:NameID Format="{UNSPECIFIED}">{html.escape(session["name_id"])}</saml2:NameID>'
            f"<saml2p:SessionIndex>{html.escape(session['session'])}</saml2p:SessionIndex>"
        )
        message = write(
            "LogoutRequest", {"ID": message_id(), "Destination": self.options.logout}, inside
        )
        answer = self.call(self.options.logout, message)
        root = self.reader.parse(answer)
        response = self.reader.child(self.reader.child(root, SOAP, "Body"), SAML2P, "LogoutResponse")
        self.reader.verify(response)
        issuer = self.reader.text(response, SAML2, "Issuer")
        must(issuer == self.options.node_issuer, "another issuer")
        codes = [code.get("Value") for code in response.iter(f"{{{SAML2P}}}StatusCode")]
        must(codes[:1] == [STATUS + "Success"], f"the node says {codes}")
        self.sessions.pop(token, None)


class Handler(http.server.BaseHTTPRequestHandler):
    """The pages."""

    protocol_version = "HTTP/1.1"
    provider = None

    def log_message(self, *_):
        pass

    def cookie(self, name):
        cookies = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        return cookies[name].value if name in cookies else None

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.answer(dict(urllib.parse.parse_qsl(self.rfile.read(length).decode())))

    def answer(self, form):
        path, _, query = self.path.partition("?")
        fields = {**dict(urllib.parse.parse_qsl(query)), **form}
        pages = {"/": self.home, "/login": self.login, "/acs": self.acs, "/finish": self.go_on,
                 "/logout": self.logout}
        page = pages.get(path)
        if page is None:
            self.send(404, "there is nothing here")
            return
        try:
            with self.provider.lock if path == "/login" else Nothing():
                page(fields)
        except Refused as refusal:
            self.send(403, f"sign-in stopped: {html.escape(str(refusal))}")
        except Exception as error:  # noqa: BLE001 a page in any case
            self.send(500, f"internal error: {html.escape(repr(error))}")

    def home(self, _):
        person = self.provider.sessions.get(self.cookie("session"))
        if person is None:
            self.send(401, '<a href="/login">sign in</a>')
            return
        shown = " ".join(html.escape(person[name]) for name in ATTRIBUTES)
        self.send(200, f"<p>Signed in as {shown}</p>")

    def login(self, _):
        login, relay_state, request = self.provider.begin("/")
        encoded = base64.b64encode(request).decode()
        page = (
            f'<form method="post" action="{html.escape(self.provider.options.sso)}">'
            f'<input type="hidden" name="SAMLRequest" value="{encoded}">'
            f'<input type="hidden" name="RelayState" value="{relay_state}">'
            f"<button>Go on</button></form><script>document.forms[0].submit()</script>"
        )
        cookies = [f"login={login.browser}; Path=/; HttpOnly; SameSite=Lax"]
        if self.provider.has("fixation") and self.cookie("session") is None:
            cookies.append(f"session={secrets.token_urlsafe(24)}; Path=/; HttpOnly; SameSite=Lax")
        self.send(200, page, cookies)

    def acs(self, fields):
        if self.command == "GET" and self.provider.has("post-only"):
            self.send(405, "POST")
            return
        if not fields.get("SAMLart"):
            raise Refused("no artifact")
        handle = secrets.token_urlsafe(16)
        relay_state = fields.get("RelayState", "")
        self.provider.waiting[handle] = (fields["SAMLart"], relay_state)
        later = ""
        if self.provider.has("open-redirect-later"):
            later = "&next=" + urllib.parse.quote(relay_state, safe="")
        self.redirect(f"/finish?handle={handle}{later}")

    def go_on(self, fields):
        waiting = self.provider.waiting.pop(fields.get("handle"), None)
        must(waiting is not None, "nothing waits")
        artifact, relay_state = waiting
        target = None
        if self.provider.has("open-redirect", "open-redirect-later") and relay_state.startswith("http"):
            login = next(reversed(self.provider.logins))
            target, relay_state = relay_state, login
        own, token = self.provider.finish(artifact, relay_state, self.cookie("login"))
        if self.provider.has("fixation") and self.cookie("session"):
            self.provider.sessions[self.cookie("session")] = self.provider.sessions.pop(token)
            self.redirect(own)
            return
        flags = "" if self.provider.has("cookie-flags") else "; HttpOnly; SameSite=Lax"
        self.redirect(target or own, [f"session={token}; Path=/{flags}"])

    def logout(self, _):
        gone = [] if self.provider.has("logout-does-nothing") else ["session=; Path=/; Max-Age=0"]
        if self.provider.has("logout-does-nothing"):
            self.send(200, "signed out")
            return
        try:
            self.provider.log_out(self.cookie("session"))
        except Refused:
            if self.provider.has("logout-waits-for-node"):
                raise
        self.send(200, "signed out", gone)

    def redirect(self, target, cookies=()):
        self.send(303, "", cookies, {"Location": target})

    def send(self, status, text, cookies=(), headers=None):
        page = f"<!DOCTYPE html><html><body>{text}</body></html>".encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


class Nothing:
    """Where nothing is to be guarded."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def narrow(hole):
    """Has the library know less."""
    wraps, keys = encryption.KEY_WRAPS, encryption.CONTENT_KEYS
    if hole == "only-kw-aes256":
        encryption.KEY_WRAPS = {name: size for name, size in wraps.items() if size == 32}
    if hole == "only-aes256":
        encryption.CONTENT_KEYS = {name: sizes for name, sizes in keys.items() if 32 in sizes}
    if hole == "declared-key-length":
        encryption.CONTENT_KEYS = {name: sizes[-1:] for name, sizes in keys.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--kit", type=pathlib.Path)
    for name in ("issuer", "node-issuer", "sso", "resolve", "logout"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--hole", choices=[*HOLES, "none"], default="none")
    options = parser.parse_args()
    if options.list:
        for name, what in HOLES.items():
            print(f"{name}\t{what}")
        return
    xmlsec.enable_debug_trace(False)
    narrow(options.hole)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    options.acs = f"http://localhost:{server.server_port}/acs"
    Handler.provider = Provider(options, Keys(options.kit, options.hole))
    print(f"listening http://localhost:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
