"""A gateway under callgrind, and what a request of a case of the table spends in it.

1. All cases of one address share a gateway; a citizen is signed in to it through the simulator.
2. A case is asked a few times uncounted, over the connections on which it is counted then.
3. What is counted is in user space: the program's own code and its libraries, without the kernel.
"""

import http.client
import re
import shutil
import ssl
import subprocess

import doors
import load
import programs as started
import subjects
from programs import Failed

COMMAND = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=callgrind.%p"]
# Callgrind is some fifty times slower, so nothing that waits may be impatient.
START_SECONDS = 120
WARM_UP = 300


def prepare():
    """Sees that there is valgrind, and has patience with what runs in it."""
    if not shutil.which("valgrind"):
        raise Failed("valgrind is needed (apt-get install valgrind)")
    started.START_SECONDS = START_SECONDS


class Gateway:
    """A gateway in a wrapper, with the simulator; `listen` is more of its configuration, `path` is of the portal.

    `simulator` is the full program, when this one is the gateway alone.
    """

    def __init__(
        self, brama, world, programs, scheme, wrapper=COMMAND, listen="", path="/private/", simulator=None
    ):
        self.world, self.programs, self.path = world, programs, path
        port, *others = subjects.free_ports(4)
        certificate, key = (world.directory / f"{f}.pem" for f in ("certificate", "key"))
        self.origin = f"http{'s' if scheme == 'tls' else ''}://localhost:{port}"
        where = f'http = "127.0.0.1:{port}"'
        if scheme == "tls":
            where = f'https = "127.0.0.1:{port}"\ncertificate = "{certificate}"\nkey = "{key}"'
        doors.start_simulator(world, programs, simulator or brama, self.origin, others[:2])
        file = world.configuration(
            "brama.toml",
            name=f"counted-{port}",
            public_url=self.origin,
            listen=f"{where}\n{listen}",
            operations=others[2],
            simulator_pages=others[0],
            simulator_soap=others[1],
        )
        command = [brama, "run", "--config", file]
        self.program = programs.start("brama", [*wrapper, *command], world.proxy_cores)
        self.program.wait_for(port)
        self.cookie = subjects.sign_in(self.origin, f"{path}1k", certificate)

    def count(self, case, requests):
        """Returns what callgrind wrote before the counted requests, which may be nothing, and after them."""
        fields = [*case.headers(self.cookie), *([] if case.has_browser_headers else ["Accept: text/html"])]
        self.control("--instr=off")
        self.control("--zero")
        if case.protocol == "h2":
            return self._count_h2(case, fields, requests)
        headers = dict(field.split(": ", 1) for field in fields)
        connection = self.connect()
        self._send(connection, case, headers, WARM_UP)
        self.control("--instr=on")
        self._send(connection, case, headers, requests)
        self.control("--instr=off")
        connection.close()
        return "", self.dump("counted")

    def connect(self):
        """Returns a connection that is not yet made."""
        address = self.origin.partition("://")[2]
        if self.origin.startswith("http:"):
            return http.client.HTTPConnection(address, timeout=60)
        trusted = ssl.create_default_context(cafile=self.world.directory / "certificate.pem")
        return http.client.HTTPSConnection(address, timeout=60, context=trusted)

    def _send(self, connection, case, headers, requests):
        for _ in range(requests):
            connection.request("GET", self.path + case.body, headers=headers)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise Failed(f"a request was answered {response.status}")
            if case.is_new_each_time:
                connection.close()

    def _count_h2(self, case, fields, requests):
        """Has h2load ask few times and then more; what the connections cost is in both."""
        self._ask_h2(case, fields, WARM_UP)
        self.control("--instr=on")
        self._ask_h2(case, fields, WARM_UP)
        before = self.dump("begun")
        self._ask_h2(case, fields, WARM_UP + requests)
        self.control("--instr=off")
        return before, self.dump("counted")

    def _ask_h2(self, case, fields, requests):
        command = [self.world.found["h2load"], "-t1", f"-c{load.H2_CONNECTIONS}", f"-m{load.H2_STREAMS}"]
        command += [word for field in fields for word in ("-H", field)]
        command += [f"-n{requests}", self.origin + self.path + case.body]
        text = self.programs.run("h2load", command, self.world.load_cores, 600)
        done = re.search(r"status codes: (\d+) 2xx", text)
        if not done or int(done[1]) != requests:
            raise Failed(f"not every request was answered:\n{text}")

    def control(self, what):
        control(self.program, what)

    def dump(self, name):
        """Returns what was counted since the last time, and forgets it."""
        self.control(f"--dump={name}")
        return newest(self.world.directory)


def control(program, what):
    """Has callgrind do something."""
    command = ["callgrind_control", what, str(program.process.pid)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=program.log.parent)
    if done.returncode or "Error" in done.stdout:
        raise Failed(f"callgrind_control {what}: {done.stdout}{done.stderr}")


def newest(folder):
    """Returns the text of what callgrind wrote last."""
    dumps = [path for path in folder.glob("callgrind.*") if "totals:" in path.read_text()]
    if not dumps:
        raise Failed("callgrind wrote nothing")
    return max(dumps, key=lambda path: path.stat().st_mtime_ns).read_text()


def total(dump):
    """Returns all that was spent."""
    found = re.search(r"^totals: (\d+)", dump, re.M)
    return int(found[1]) if found else 0
