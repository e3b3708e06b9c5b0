"""Each subject is asked before it is measured: what is fast and wrong does not count.

1. Every body is answered with 200 and has its length, with a session where one is needed.
2. A subject that guards refuses the same request without the session.
3. The backend is told who it is by those that say so, and by no other.
4. What a case sends besides gets through: it is answered, and the portal has its own cookie.
"""

import base64
import http.client
import json
import socket
import ssl
import time

from load import PORTAL_COOKIE
from programs import Failed
from world import SIZES

# A subject may lack a protocol; any other reason is a fault.
NOT_SPOKEN = "not spoken"


def examine(subjects, cases, world):
    """Examines the subjects; returns why each cannot be measured, by case and subject."""
    reasons = {}
    for subject in subjects:
        try:
            speaks = _examine(subject, cases, world)
        except Failed as failed:
            reasons.update({(case.name, subject.name): str(failed) for case in cases})
        else:
            missing = [case.name for case in cases if case.protocol not in speaks]
            reasons.update({(name, subject.name): NOT_SPOKEN for name in missing})
    return reasons


def _examine(subject, cases, world):
    """Examines one subject; returns the protocols that it speaks."""
    for scheme in sorted({case.scheme for case in cases}):
        with_session = {"Cookie": subject.cookies[scheme]}
        _wait_for_routes(subject, scheme, with_session, world)
        for body, size in SIZES.items():
            status, content = _get(subject, scheme, body, with_session, world)
            if status != 200 or len(content) != size:
                raise Failed(
                    f"{subject.name} answers {status} and {len(content)} bytes for {body} on "
                    f"{scheme}: {content[:300]!r}"
                )
        status, _ = _get(subject, scheme, "1k", {}, world)
        if status != (401 if subject.is_guarded else 200):
            raise Failed(f"{subject.name} answers {status} to somebody who is not signed in")
        _, identity = _get(subject, scheme, "identity", with_session, world)
        if subject.is_told != _is_token(identity):
            raise Failed(f"{subject.name} tells the backend {identity[:300]!r} about who it is")
        for case in (case for case in cases if case.scheme == scheme):
            sent = dict(field.split(": ", 1) for field in case.headers(subject.cookies[scheme]))
            status, cookies = _get(subject, scheme, "cookies", sent, world)
            if status != 200 or (PORTAL_COOKIE.encode() in cookies) != case.has_portal_cookie:
                raise Failed(f"{subject.name} answers {status} to {case.name}; to the portal goes {cookies[:300]!r}")
    asks_h2 = any(case.protocol == "h2" for case in cases)
    return {"h1", "h2"} if asks_h2 and _speaks_h2(subject, world) else {"h1"}


def _wait_for_routes(subject, scheme, headers, world):
    """Waits while a proxy listens already and knows no route yet, as Traefik does for a moment."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status, _ = _get(subject, scheme, "1k", headers, world)
        if status != 404:
            return
        time.sleep(0.05)


def _get(subject, scheme, body, headers, world):
    port = subject.ports[scheme]
    if scheme == "tls":
        trusted = ssl.create_default_context(cafile=world.directory / "certificate.pem")
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=trusted)
    else:
        connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        connection.request("GET", f"{subject.path}{body}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{subject.name} does not answer on {scheme}: {error}") from error
    finally:
        connection.close()


def _speaks_h2(subject, world):
    context = ssl.create_default_context(cafile=world.directory / "certificate.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    address = ("127.0.0.1", subject.ports["tls"])
    try:
        with (
            socket.create_connection(address, timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            return tls.selected_alpn_protocol() == "h2"
    except OSError as error:
        raise Failed(f"{subject.name} has no TLS: {error}") from error


def _is_token(content):
    """Tells whether it looks like a signed token with a subject. It is not verified here."""
    parts = content.split(b".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + b"=="))
    except ValueError:
        return False
    return "sub" in claims and len(parts[2]) >= 64
