"""What all subjects share: a folder, certificates, the bodies, the backend, the cores.

1. The proxy under measurement has one core to itself; load generator and backend have the others.
2. The folder lies in memory where it can, so that no disk is measured, and goes away at the end.
"""

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from peers import APACHE_MODULES, HERE
from programs import Failed, free_ports

KILOBYTE = 1024
SIZES = {"1k": KILOBYTE, "64k": 64 * KILOBYTE}
LARGE = 1024 * KILOBYTE * KILOBYTE
# Connections that a proxy must take; some reserve memory for each of them when they start.
CONNECTIONS = 1024


class World:
    """The surroundings of a run."""

    def __init__(self, programs_found, proxy_core, connections=CONNECTIONS):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2 or proxy_core not in cores:
            raise Failed(f"core {proxy_core} and another one are needed; there are {cores}")
        self.proxy_cores = {proxy_core}
        self.load_cores = set(cores) - self.proxy_cores
        self.found = programs_found
        self.connections = connections
        memory = Path("/dev/shm")
        in_memory = memory if os.access(memory, os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="brama-proxy-", dir=in_memory))
        # nginx and Apache give up being root, and must still read this.
        self.directory.chmod(0o755)
        # Of the form and length of Brama's own, so that every subject reads the same bytes.
        session = secrets.token_urlsafe(32)
        self.cookies = {"plain": f"brama={session}", "tls": f"__Host-brama={session}"}
        self.identity = _identity()
        self.backend, self.authentication = free_ports(2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def prepare(self):
        """Makes certificates and bodies."""
        certificate, key = self.directory / "certificate.pem", self.directory / "key.pem"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        make += ["-nodes", "-days", "30", "-subj", "/CN=localhost", "-out", certificate]
        make += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key]
        done = subprocess.run(make, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"openssl made no certificate: {done.stderr}")
        key.chmod(0o644)
        (self.directory / "both.pem").write_text(certificate.read_text() + key.read_text())
        files = self.directory / "files"
        files.mkdir()
        (files / "64k").write_bytes(b"b" * SIZES["64k"])
        with (files / "large").open("wb") as large:
            large.truncate(LARGE)

    def start_backend(self, programs):
        """Starts the backend and the authentication service."""
        file = self.configuration("backend.conf", name="backend")
        command = [self.found["nginx"], "-g", "daemon off;", "-c", file]
        backend = programs.start("backend", command, self.load_cores)
        backend.wait_for(self.backend)
        backend.wait_for(self.authentication)

    def configuration(self, template, name=None, **values):
        """Writes a configuration from a template; returns the path."""
        # Temporary folders of nginx, which else lie where only its package may write.
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = [f"    {kind}_temp_path {self.directory}/{name}-{kind};" for kind in kinds]
        known = {
            "directory": self.directory,
            "backend": self.backend,
            "authentication": self.authentication,
            "cookie_plain": self.cookies["plain"],
            "cookie_tls": self.cookies["tls"],
            "identity": self.identity,
            "kilobyte": "a" * KILOBYTE,
            "connections": self.connections,
            "files": self.connections * 2,
            "modules": APACHE_MODULES,
            "temporary": "\n".join(folders),
            "user": "user root;" if os.geteuid() == 0 else "",
            **values,
        }
        text = (HERE / "config" / template).read_text()
        text = re.sub(r"\{\{(\w+)\}\}", lambda match: str(known[match[1]]), text)
        path = self.directory / (f"{name}-{template}" if name else template)
        path.write_text(text)
        return path


def _identity():
    """A token of the size of Brama's: what an authentication service would hand over."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = {"alg": "ES256", "kid": secrets.token_urlsafe(16), "typ": "JWT"}
    claims = {name: secrets.token_urlsafe(24) for name in ("sub", "jti", "sid", "acr", "iss")}
    claims.update(iat=1_700_000_000, nbf=1_700_000_000, exp=1_700_000_300)
    head, claims = (json.dumps(value).encode() for value in (head, claims))
    return ".".join([part(head), part(claims), part(secrets.token_bytes(64))])
