"""The proxies under measurement: how each is started, and what is expected of it.

Each listens on a plain and on a TLS port. Brama needs two processes for that, because its address
in the browser is one; the others are one process.
"""

import os
import pwd
from dataclasses import dataclass, field

from login import sign_in
from programs import Failed, free_ports

REFERENCE = "nginx"
SCHEMES = ("plain", "tls")


@dataclass
class Subject:
    """One proxy, running."""

    name: str
    # Where the bodies are.
    path: str
    # Whether nobody gets through without a session.
    is_guarded: bool
    # Whether the backend is told who it is.
    is_told: bool
    ports: dict
    cookies: dict
    programs: dict = field(default_factory=dict)

    def origin(self, scheme):
        """Returns the address in a browser."""
        return f"{'https' if scheme == 'tls' else 'http'}://localhost:{self.ports[scheme]}"


# The command of each, in the order of the table.
COMMANDS = {
    "brama": None,
    "brama-public": None,
    "nginx": "nginx",
    "nginx-auth_request": "nginx",
    "haproxy": "haproxy",
    "envoy": "envoy",
    "envoy-ext_authz": "envoy",
    "caddy-forward_auth": "caddy",
    "traefik-forward_auth": "traefik",
    "apache": "apache2",
}
GUARDED = ("nginx-auth_request", "envoy-ext_authz", "caddy-forward_auth", "traefik-forward_auth")


def start(names, world, programs, brama, simulator=None):
    """Starts the subjects of these names; one that does not start ends the benchmark.

    `simulator` is the full program, when Brama is the gateway alone.
    """
    subjects = []
    if "brama" in names or "brama-public" in names:
        subjects += _start_brama(world, programs, brama, simulator or brama)
    for name in COMMANDS:
        if COMMANDS[name] in world.found:
            subjects.append(_start_peer(name, world, programs) if name in names else None)
    return [subject for subject in subjects if subject and subject.name in names]


def _start_peer(name, world, programs):
    ports = dict(zip(SCHEMES, free_ports(2), strict=True))
    is_guarded = name in GUARDED
    subject = Subject(name, "/private/", is_guarded, is_guarded, ports, world.cookies)
    command, environment = _command(name, world, ports)
    program = programs.start(name, command, world.proxy_cores, environment)
    for scheme in SCHEMES:
        program.wait_for(ports[scheme])
        subject.programs[scheme] = program
    return subject


def _command(name, world, ports):
    """Returns the command line and the environment of a peer."""
    binary = world.found[COMMANDS[name]]
    # Go programs know how many cores they have from this.
    one_core = {"GOMAXPROCS": "1", "HOME": str(world.directory)}
    if binary.name == "nginx":
        file = world.configuration(f"{name}.conf", name=name, **ports)
        return [binary, "-g", "daemon off;", "-c", file], None
    if binary.name == "haproxy":
        return [binary, "-db", "-f", world.configuration("haproxy.cfg", **ports)], None
    if binary.name == "envoy":
        return _envoy(name, binary, world, ports), None
    if binary.name == "caddy":
        file = world.configuration("Caddyfile", **ports)
        return [binary, "run", "--adapter", "caddyfile", "--config", file], one_core
    if binary.name == "traefik":
        world.configuration("traefik-routes.yaml")
        file = world.configuration("traefik.yaml", **ports)
        return [binary, f"--configFile={file}"], one_core
    if binary.name == "apache2":
        file = world.configuration("apache.conf", user=_apache_user(), **ports)
        return [binary, "-D", "FOREGROUND", "-f", file], None
    raise Failed(f"nobody knows how to start {name}")


def _envoy(name, binary, world, ports):
    authorization = ""
    if name == "envoy-ext_authz":
        authorization = world.configuration("envoy-ext_authz.yaml").read_text().rstrip()
    file = world.configuration(
        "envoy.yaml", name=name, authorization_filter=authorization, **ports
    )
    # Two of them would meet in shared memory, which is only for hot restart.
    one_worker = ["--concurrency", "1", "--disable-hot-restart"]
    return [binary, "-c", file, *one_worker, "--log-level", "error"]


def _apache_user():
    if os.geteuid() != 0:
        return ""
    # Apache refuses to be root; this account is in every Debian.
    name = next((n for n in ("www-data", "nobody") if _is_account(n)), None)
    if name is None:
        raise Failed("Apache needs an account www-data or nobody")
    return f"User {name}\nGroup #{pwd.getpwnam(name).pw_gid}"


def _is_account(name):
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _start_brama(world, programs, brama, simulator):
    ports = dict(zip(SCHEMES, free_ports(2), strict=True))
    pages, soap, *operations = free_ports(4)
    private = Subject("brama", "/private/", True, True, ports, {})
    public = Subject("brama-public", "/public/", False, False, ports, {})

    # 1. The simulator, which makes the keys.
    command = [simulator, "simulator", "--directory", world.directory / "kit", "--log", "error"]
    command += ["--pages", f"127.0.0.1:{pages}", "--soap", f"127.0.0.1:{soap}"]
    for scheme in SCHEMES:
        command += ["--acs", f"{private.origin(scheme)}/.brama/acs"]
    programs.start("simulator", command, world.load_cores).wait_for(pages)

    # 2. A gateway for each scheme, and a citizen signed in to it.
    for scheme, operations_port in zip(SCHEMES, operations, strict=True):
        listen = f'http = "127.0.0.1:{ports[scheme]}"'
        if scheme == "tls":
            certificate, key = (world.directory / f"{f}.pem" for f in ("certificate", "key"))
            listen = f'https = "127.0.0.1:{ports[scheme]}"\n'
            listen += f'certificate = "{certificate}"\nkey = "{key}"'
        file = world.configuration(
            "brama.toml",
            name=scheme,
            public_url=private.origin(scheme),
            listen=listen,
            operations=operations_port,
            simulator_pages=pages,
            simulator_soap=soap,
        )
        command = [brama, "run", "--config", file]
        program = programs.start(f"brama-{scheme}", command, world.proxy_cores)
        program.wait_for(ports[scheme])
        trusted = world.directory / "certificate.pem"
        cookie = sign_in(private.origin(scheme), "/private/1k", trusted)
        for subject in (private, public):
            subject.programs[scheme] = program
            subject.cookies[scheme] = cookie
    return [private, public]
