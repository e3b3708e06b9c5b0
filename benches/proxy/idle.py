"""What connections cost that do nothing, and what readers cost that read slowly.

1. Each idle connection has had one answer, so whatever a proxy keeps of a request is there.
2. Memory is that of the processes. What the kernel keeps for a socket is the same for all.
3. Afterwards a sample of the connections must still answer: a closed one costs nothing.
4. Slow readers ask for 1 GiB and take 10 KiB/s; a proxy that reads ahead of them without a bound
   shows it.
"""

import socket
import time

from programs import Failed
from world import KILOBYTE, LARGE

SLOW_READERS = 10
SLOW_RATE = 10 * KILOBYTE
# Every so many connections one is asked again at the end.
SAMPLE = 50
WARM_UP = 200
SETTLE_SECONDS = 2
MEGABYTE = 1_000_000


def measure(subject, connections, seconds):
    """Measures one subject; returns a record."""
    try:
        return {**_idle(subject, connections), **_slow(subject, seconds)}
    except OSError as error:
        raise Failed(f"{subject.name} does not hold its connections: {error}") from error


def as_text(record):
    """Returns a record for people."""
    return (
        f"{record['name']}: {record['connections']} idle connections, "
        f"{record['still_answer']} of a sample still answer\n"
        f"  PSS {record['pss_mb_before']:.1f} MB before, {record['pss_mb']:.1f} MB with them, "
        f"{record['pss_mb_after']:.1f} MB after; RSS grew by {record['rss_growth_mb']:.1f} MB\n"
        f"  {record['bytes_per_connection']} bytes a connection\n"
        f"  {record['slow_readers']} slow readers for {record['slow_seconds']} s: PSS grew by "
        f"{record['slow_growth_mb']:.2f} MB, within the second half by "
        f"{record['slow_late_growth_mb']:.2f} MB"
    )


def _idle(subject, connections):
    program = subject.programs["plain"]
    warm = _connect(subject)
    for _ in range(WARM_UP):
        _ask(warm, subject)
    warm.close()
    time.sleep(SETTLE_SECONDS)

    before = _memory(program)
    held = []
    try:
        for _ in range(connections):
            held.append(_connect(subject))
            _ask(held[-1], subject)
        time.sleep(SETTLE_SECONDS)
        during = _memory(program)
        alive = sum(_still_answers(one, subject) for one in held[::SAMPLE])
        sample = len(held[::SAMPLE])
    finally:
        for one in held:
            one.close()
    time.sleep(SETTLE_SECONDS)
    after = _memory(program)
    return {
        "name": subject.name,
        "case": "idle",
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
    readers = [_connect(subject, receive_buffer=64 * KILOBYTE) for _ in range(SLOW_READERS)]
    highest = {False: 0, True: 0}
    try:
        for reader in readers:
            reader.sendall(_request(subject, "large"))
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


def _connect(subject, receive_buffer=None):
    one = socket.socket()
    one.settimeout(10)
    if receive_buffer:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    one.connect(("127.0.0.1", subject.ports["plain"]))
    return one


def _request(subject, body):
    return (
        f"GET {subject.path}{body} HTTP/1.1\r\nHost: localhost:{subject.ports['plain']}\r\n"
        f"Cookie: {subject.cookies['plain']}\r\n\r\n"
    ).encode()


def _ask(connection, subject):
    """Sends a request and reads the whole answer."""
    connection.sendall(_request(subject, "1k"))
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


def _still_answers(connection, subject):
    try:
        _ask(connection, subject)
    except (OSError, Failed):
        return False
    return True
