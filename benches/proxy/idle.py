"""What connections cost that do nothing, and what readers cost that read slowly.

1. Each idle connection has had one answer, so whatever a proxy keeps of a request is there. First
   they are without TLS, then with it.
2. Memory is that of the processes. What the kernel keeps for a socket is the same for all.
3. Afterwards a sample of the connections must still answer: a closed one costs nothing.
4. What was freed may be given back some seconds later, as an allocator has it.
5. Slow readers ask for 1 GiB and take 10 KiB/s; a proxy that reads ahead of them without a bound
   shows it.
"""

import socket
import ssl
import time

from programs import Failed
from world import KILOBYTE, LARGE

SLOW_READERS = 10
SLOW_RATE = 10 * KILOBYTE
# Every so many connections one is asked again at the end.
SAMPLE = 50
WARM_UP = 200
SETTLE_SECONDS = 2
# Until memory that was freed must have been given back: what a connection needed while it was busy, too.
GIVE_BACK_SECONDS = 12
MEGABYTE = 1_000_000
# Who the proxy is does not matter here.
CLIENT = ssl.create_default_context()
CLIENT.check_hostname = False
CLIENT.verify_mode = ssl.CERT_NONE


def measure(subject, connections, seconds):
    """Measures one subject; returns a record for each scheme."""
    try:
        plain = _idle(subject, connections, "plain")
        return [{**plain, **_slow(subject, seconds)}, _idle(subject, connections, "tls")]
    except OSError as error:
        raise Failed(f"{subject.name} does not hold its connections: {error}") from error


def as_text(record):
    """Returns a record for people."""
    text = (
        f"{record['name']}, {record['scheme']}: {record['connections']} idle connections, "
        f"{record['still_answer']} of a sample still answer\n"
        f"  PSS {record['pss_mb_before']:.1f} MB before, {record['pss_mb']:.1f} MB with them, "
        f"{record['pss_mb_after']:.1f} MB after; RSS grew by {record['rss_growth_mb']:.1f} MB\n"
        f"  {record['bytes_per_connection']} bytes a connection"
    )
    if "slow_readers" not in record:
        return text
    return (
        f"{text}\n  {record['slow_readers']} slow readers for {record['slow_seconds']} s: PSS grew by "
        f"{record['slow_growth_mb']:.2f} MB, within the second half by "
        f"{record['slow_late_growth_mb']:.2f} MB"
    )


def _idle(subject, connections, scheme):
    program = subject.programs[scheme]
    warm = _connect(subject, scheme)
    for _ in range(WARM_UP):
        _ask(warm, subject, scheme)
    warm.close()
    time.sleep(SETTLE_SECONDS)

    before = _memory(program)
    held = []
    try:
        for _ in range(connections):
            held.append(_connect(subject, scheme))
            _ask(held[-1], subject, scheme)
        time.sleep(GIVE_BACK_SECONDS)
        during = _memory(program)
        alive = sum(_still_answers(one, subject, scheme) for one in held[::SAMPLE])
        sample = len(held[::SAMPLE])
    finally:
        for one in held:
            one.close()
    time.sleep(GIVE_BACK_SECONDS)
    after = _memory(program)
    return {
        "name": subject.name,
        "case": "idle",
        "scheme": scheme,
        "connections": connections,
        "still_answer": f"{alive}/{sample}",
        "pss_mb_before": before["Pss"] / MEGABYTE,
        "pss_mb": during["Pss"] / MEGABYTE,
        "pss_mb_after": after["Pss"] / MEGABYTE,
        "rss_growth_mb": (during["Rss"] - before["Rss"]) / MEGABYTE,
        "bytes_per_connection": round((during["Pss"] - before["Pss"]) / connections),
    }


def _slow(subject, seconds):
    program = subject.programs["plain"]
    before = program.memory()
    readers = [_connect(subject, "plain", receive_buffer=64 * KILOBYTE) for _ in range(SLOW_READERS)]
    highest = {False: 0, True: 0}
    try:
        for reader in readers:
            reader.sendall(_request(subject, "plain", "large"))
        _expect_large(readers[0])
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            for reader in readers:
                reader.recv(SLOW_RATE // 10)
            is_late = passed > seconds / 2
            highest[is_late] = max(highest[is_late], program.memory())
            time.sleep(0.1)
    finally:
        for reader in readers:
            reader.close()
    return {
        "slow_readers": SLOW_READERS,
        "slow_seconds": seconds,
        "slow_growth_mb": (max(highest.values()) - before) / MEGABYTE,
        "slow_late_growth_mb": (highest[True] - highest[False]) / MEGABYTE,
    }


def _expect_large(reader):
    head = b""
    while b"\r\n\r\n" not in head:
        head += _receive(reader)
    length = f"content-length: {LARGE}".encode()
    if not head.startswith(b"HTTP/1.1 200") or length not in head.lower():
        raise Failed(f"a large body is answered with {head[:300]!r}")


def _memory(program):
    return {kind: program.memory(kind) for kind in ("Pss", "Rss")}


def _connect(subject, scheme, receive_buffer=None):
    one = socket.socket()
    one.settimeout(10)
    if receive_buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    one.connect(("127.0.0.1", subject.ports[scheme]))
    if scheme == "tls":
        one = CLIENT.wrap_socket(one, server_hostname="localhost")
    return one


def _request(subject, scheme, body):
    return (
        f"GET {subject.path}{body} HTTP/1.1\r\nHost: localhost:{subject.ports[scheme]}\r\n"
        f"Cookie: {subject.cookies[scheme]}\r\n\r\n"
    ).encode()


def _ask(connection, subject, scheme):
    """Sends a request and reads the whole answer."""
    connection.sendall(_request(subject, scheme, "1k"))
    answer = b""
    while not (b"\r\n\r\n" in answer and len(answer.partition(b"\r\n\r\n")[2]) >= KILOBYTE):
        answer += _receive(connection)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Failed(f"{subject.name} answers {answer[:300]!r}")


def _receive(connection):
    received = connection.recv(64 * KILOBYTE)
    if not received:
        raise Failed("a connection was closed before its answer was whole")
    return received


def _still_answers(connection, subject, scheme):
    try:
        _ask(connection, subject, scheme)
    except (OSError, Failed):
        return False
    return True
