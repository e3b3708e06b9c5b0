"""The load: what a case is, and one round of it from wrk or h2load.

Both keep a fixed number of requests in flight, so a proxy on one core is always busy and the rate
is what it can do. wrk speaks HTTP/1.1, h2load HTTP/2; both print what they counted.
"""

import re
import secrets
from dataclasses import dataclass

from programs import Failed

CONNECTIONS = 32
# The same number of requests in flight, as browsers send them: several on each connection.
H2_CONNECTIONS, H2_STREAMS = 8, 4

# Read by wrk at its end; numbers without units.
WRK_SUMMARY = """\
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\nsummary %d %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
"""
# What a browser sends besides.
BROWSER_HEADERS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: pl,en-US;q=0.7,en;q=0.3",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Priority: u=0, i",
]
# A cookie that a portal has set, beside that of the session: 2 KB of what no proxy can foresee.
PORTAL_COOKIE = "portal=" + secrets.token_urlsafe(1500)[:2000]


@dataclass(frozen=True)
class Case:
    """One kind of load."""

    name: str
    scheme: str
    body: str
    protocol: str
    is_new_each_time: bool = False
    # Whether a browser's other headers are sent, and the portal's cookie.
    has_browser_headers: bool = False
    has_portal_cookie: bool = False

    def headers(self, session):
        """Returns the headers of a request of somebody with this cookie of a session."""
        portal = f"; {PORTAL_COOKIE}" if self.has_portal_cookie else ""
        found = [f"Cookie: {session}{portal}"]
        return found + (BROWSER_HEADERS if self.has_browser_headers else [])


CASES = {
    case.name: case
    for case in (
        Case("h1-keepalive-1k", "plain", "1k", "h1"),
        Case("h1-keepalive-64k", "plain", "64k", "h1"),
        Case("h1-browser-1k", "plain", "1k", "h1", has_browser_headers=True),
        Case("h1-cookie-1k", "plain", "1k", "h1", has_portal_cookie=True),
        Case("h1-new-1k", "plain", "1k", "h1", is_new_each_time=True),
        Case("h1-tls-1k", "tls", "1k", "h1"),
        Case("h2-tls-1k", "tls", "1k", "h2"),
        Case("h2-tls-64k", "tls", "64k", "h2"),
        Case("h2-browser-1k", "tls", "1k", "h2", has_browser_headers=True),
        Case("h2-cookie-1k", "tls", "1k", "h2", has_portal_cookie=True),
    )
}
QUICK_CASES = ("h1-keepalive-1k", "h1-keepalive-64k", "h1-browser-1k", "h1-cookie-1k", "h1-new-1k", "h2-tls-1k")


@dataclass(frozen=True)
class Load:
    """What a load generator saw."""

    requests: int
    seconds: float
    failed: int
    p99_ms: float


class Generator:
    """Runs the load generators on their cores."""

    def __init__(self, world, programs):
        self.world = world
        self.programs = programs
        self.script = world.directory / "summary.lua"
        self.script.write_text(WRK_SUMMARY)

    def run(self, subject, case, seconds):
        """Puts load on a subject for some seconds."""
        url = f"{subject.origin(case.scheme)}{subject.path}{case.body}"
        headers = case.headers(subject.cookies[case.scheme])
        run = self._h2load if case.protocol == "h2" else self._wrk
        if case.is_new_each_time:
            headers.append("Connection: close")
        load = run(url, [word for header in headers for word in ("-H", header)], seconds)
        if load.requests == 0 or load.failed > load.requests // 1000:
            raise Failed(
                f"{subject.name} failed {load.failed} of {load.requests} requests of {case.name}"
            )
        return load

    def _wrk(self, url, headers, seconds):
        command = [self.world.found["wrk"], "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        command += ["--latency", "-s", self.script, *headers, url]
        text = self.programs.run("wrk", command, self.world.load_cores, seconds + 30)
        found = re.search(r"^summary (\d+) (\d+) (\d+) (\d+)$", text, re.MULTILINE)
        if not found:
            raise Failed(f"wrk says nothing that is understood:\n{text}")
        requests, microseconds, failed, p99 = map(int, found.groups())
        return Load(requests, microseconds / 1e6, failed, p99 / 1e3)

    def _h2load(self, url, headers, seconds):
        log = self.world.directory / "h2load.log"
        log.unlink(missing_ok=True)
        command = [self.world.found["h2load"], "-t1", f"-c{H2_CONNECTIONS}", f"-m{H2_STREAMS}"]
        command += ["-D", seconds, f"--log-file={log}", *headers, url]
        text = self.programs.run("h2load", command, self.world.load_cores, seconds + 30)
        done = re.search(r"requests: .* (\d+) succeeded, (\d+) failed", text)
        if not done:
            raise Failed(f"h2load says nothing that is understood:\n{text}")
        # Each line: when it began, the status, the microseconds until its end.
        times = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
        p99 = times[len(times) * 99 // 100] / 1e3 if times else 0.0
        return Load(int(done[1]), float(seconds), int(done[2]), p99)
