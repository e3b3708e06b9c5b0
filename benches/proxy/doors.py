"""The doors at which a proxy in front asks Brama: a gateway that has them, and how each is asked.

1. All are asked the same: whether a citizen who signed in through the simulator may have a page.
   The counts of the gateway say whether each answer was a yes.
2. Beside each door stands the cheapest answer that can be had in the same way: `/healthz` of the
   same gateway over HTTP, health over gRPC at the same door, and `return 204` of nginx. Each is
   sent as many bytes.
"""

import http.client
import re
from dataclasses import dataclass

import subjects
from programs import Failed

PATH = "/asked/about?year=2026"
HOST = "localhost"
FIELDS = {
    "accept": "text/html",
    "accept-language": "pl,en;q=0.5",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
CHECK = "/envoy.service.auth.v3.Authorization/Check"
HEALTH = "/grpc.health.v1.Health/Check"
GRPC, NGINX, TRAEFIK, ENVOY = "envoy-grpc", "nginx", "traefik", "envoy"
# The same question as nginx's, asked at a socket of the file system.
UNIX = "haproxy"
NAMES = (GRPC, NGINX, UNIX, TRAEFIK)
# Connections that the operations listener takes of one address are 25.
OPERATORS = 16
# Those that listen at a port; the last is asked by an Envoy only.
PORTS = (GRPC, NGINX, TRAEFIK, ENVOY)


@dataclass
class Gateway:
    """A gateway with doors, and a citizen who is signed in to it."""

    program: object
    operations: int
    # By the name of the door; of one, the path of its socket.
    ports: dict
    cookie: str

    def yes(self):
        """Returns how many decisions were a yes until now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.operations, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        found = re.search(r'brama_companion_decisions_total\{outcome="allowed"\} (\d+)', text)
        return int(found[1]) if found else 0


def start(world, programs, brama, wrapper=(), simulator=None):
    """Starts the backend, the simulator and a gateway with all doors, and signs a citizen in."""
    world.start_backend(programs)
    port, operations, pages, soap, *doors = subjects.free_ports(4 + len(PORTS))
    origin = f"http://{HOST}:{port}"
    start_simulator(world, programs, simulator or brama, origin, (pages, soap))
    file = world.configuration(
        "brama.toml",
        name="plain",
        public_url=origin,
        listen=f'http = "127.0.0.1:{port}"',
        operations=operations,
        simulator_pages=pages,
        simulator_soap=soap,
    )
    ports = dict(zip(PORTS, doors, strict=True))
    with file.open("a") as more:
        more.write('\n[[route]]\npath = "/asked/"\naudience = "portal"\n')
        for door, at in ports.items():
            more.write(f'\n[[companion]]\nproxy = "{door}"\nlisten = "127.0.0.1:{at}"\n')
        ports[UNIX] = world.directory / "decide.sock"
        more.write(f'\n[[companion]]\nproxy = "{UNIX}"\nunix = "{ports[UNIX]}"\n')
    command = [*wrapper, brama, "run", "--config", file]
    program = programs.start("brama", command, world.proxy_cores)
    program.wait_for(port)
    cookie = subjects.sign_in(origin, "/private/1k", world.directory / "certificate.pem")
    return Gateway(program, operations, ports, cookie)


def start_simulator(world, programs, brama, origin, ports):
    """Starts the node on a laptop, which makes the keys too."""
    pages, soap = ports
    command = [brama, "simulator", "--directory", world.directory / "kit", "--log", "error"]
    command += ["--pages", f"127.0.0.1:{pages}", "--soap", f"127.0.0.1:{soap}"]
    command += ["--acs", f"{origin}/.brama/acs"]
    programs.start("simulator", command, world.load_cores).wait_for(pages)


def ask(world, programs, load, requests):
    """Has h2load ask so often."""
    command = [world.found["h2load"], "-t1", f"-n{requests}", *load]
    text = programs.run("h2load", command, world.load_cores, 600)
    done = re.search(r"(\d+) succeeded", text)
    if not done or int(done[1]) != requests:
        raise Failed(f"not every request was answered:\n{text[-2000:]}")


def question(world, gateway, door, connections, streams=1):
    """Returns how h2load asks at a door; several at a time on a connection only over gRPC."""
    at = gateway.ports[door]
    if door == GRPC:
        message = envoys(gateway.cookie)
        return call(world, "question", message, f"127.0.0.1:{at}{CHECK}", connections, streams)
    if door == UNIX:
        load = get(gateway, NGINX, "localhost/authz/auth-request", connections)
        return [*load, f"--base-uri=unix:{at}"]
    path = "/authz/auth-request" if door == NGINX else "/authz/forward-auth"
    return get(gateway, door, f"127.0.0.1:{at}{path}", connections)


def floor(world, gateway, door, connections, streams=1, nginx=None):
    """Returns how h2load asks, in the same way, for the cheapest answer of the same gateway, or of
    nginx at a port."""
    if door == GRPC:
        # A field that no reader of health knows.
        message = part(15, b"-" * (len(envoys(gateway.cookie)) - 3))
        at = f"127.0.0.1:{nginx or gateway.ports[door]}{HEALTH}"
        return call(world, "health", message, at, connections, streams)
    if nginx:
        return get(gateway, door, f"127.0.0.1:{nginx}/healthz", connections)
    return get(gateway, door, f"127.0.0.1:{gateway.operations}/healthz", min(connections, OPERATORS))


def get(gateway, door, address, connections):
    told = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "http", "cookie": gateway.cookie}
    if door == NGINX:
        told.update({"x-original-method": "GET", "x-original-uri": PATH, "x-original-host": HOST})
    else:
        told.update({"x-forwarded-method": "GET", "x-forwarded-uri": PATH})
        told["x-forwarded-host"] = HOST
    return ["--h1", f"-c{connections}", "-m1", *lines({**FIELDS, **told}), f"http://{address}"]


def call(world, name, message, address, connections, streams):
    file = world.directory / name
    file.write_bytes(framed(message))
    fields = lines({"content-type": "application/grpc", "te": "trailers"})
    return [f"-c{connections}", f"-m{streams}", "-d", file, *fields, f"http://{address}"]


def lines(fields):
    return [word for name, value in fields.items() for word in ("-H", f"{name}: {value}")]


def envoys(cookie):
    """Returns what Envoy asks (envoy/service/auth/v3/attribute_context.proto), headers as they
    came."""
    said = {":method": "GET", ":path": PATH, ":authority": HOST, ":scheme": "http"}
    headers = b"".join(
        part(1, part(1, name.encode()) + part(3, value.encode()))
        for name, value in {**said, **FIELDS, "cookie": cookie}.items()
    )
    texts = {1: "4711", 2: "GET", 4: PATH, 5: HOST, 6: "http", 10: "HTTP/1.1"}
    request = b"".join(part(number, text.encode()) for number, text in texts.items())
    source = part(1, part(1, part(2, b"192.0.2.7")))
    attributes = part(1, source) + part(4, part(2, request + part(13, headers)))
    return part(1, attributes)


def part(number, value):
    """Returns a value of a message: its number, its length, its bytes."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number):
    rest = []
    while number >= 128:
        rest.append(number & 127 | 128)
        number >>= 7
    return bytes([*rest, number])


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message
