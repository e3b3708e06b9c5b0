"""Programs that the benchmark starts: bound to a core, measured from outside, always ended.

1. Only what was started here is ended, by its process number, and whatever it started in turn.
2. A program does not outlive the benchmark: not after an error, not after Ctrl-C, and not even when
   the benchmark itself is killed (PR_SET_PDEATHSIG).
3. The CPU time is the kernel's own clock of the process: nanoseconds, with all threads, those that
   have ended too.
"""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
START_SECONDS = 20
STOP_SECONDS = 3


class Failed(Exception):
    """Something that the benchmark needs did not work; the text is for the person who runs it."""


class Program:
    """A program that runs until it is stopped."""

    def __init__(self, name, process, log):
        self.name = name
        self.process = process
        self.log = log

    def pids(self):
        """Returns the program's process and its descendants."""
        children = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                parent = _parent(entry.name)
                children.setdefault(parent, []).append(int(entry.name))
        found, ahead = [], [self.process.pid]
        while ahead:
            pid = ahead.pop()
            found.append(pid)
            ahead.extend(children.get(pid, []))
        return found

    def cpu_nanoseconds(self):
        """Returns the CPU time that the program has used, user and system."""
        return sum(_cpu_clock(pid) for pid in self.pids())

    def cpu_ticks(self):
        """Returns the ticks in user space and in the kernel, which are coarse."""
        ticks = [_ticks(pid) for pid in self.pids()]
        return sum(user for user, _ in ticks), sum(system for _, system in ticks)

    def memory(self, kind="Pss"):
        """Returns the bytes of memory that the program occupies, shared pages in proportion."""
        return sum(_rollup(pid, kind) for pid in self.pids())

    def require_alive(self):
        """Fails with the end of the program's log when it has ended."""
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended with {self.process.returncode}:\n{self.last_words()}")

    def wait_for(self, port):
        """Waits until the program takes connections."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.require_alive()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    words = self.last_words()
                    raise Failed(f"{self.name} does not listen on port {port}:\n{words}") from None
                time.sleep(0.05)

    def last_words(self):
        """Returns the end of what the program has printed."""
        try:
            return self.log.read_text(errors="replace")[-2000:]
        except OSError:
            return ""

    def stop(self):
        """Ends the program and what it started: asked first, killed if it does not listen."""
        pids = self.pids() if self.process.poll() is None else []
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                _send(pid, sign)
            deadline = time.monotonic() + STOP_SECONDS
            while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
                self.process.poll()
                time.sleep(0.02)
        self.process.poll()


class Programs:
    """All that was started; leaving the `with` block ends it."""

    def __init__(self, logs):
        self.logs = Path(logs)
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.running):
            program.stop()

    def start(self, name, command, cores, environment=None):
        """Starts a program on these cores; what it prints goes to a log."""
        log = self.logs / f"{name}.out"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=self.logs,
                start_new_session=True,
                preexec_fn=lambda: _prepare(cores),
            )
        program = Program(name, process, log)
        self.running.append(program)
        return program

    def run(self, name, command, cores, seconds):
        """Runs a program to its end and returns what it printed."""
        program = self.start(name, command, cores)
        try:
            program.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{name} did not end within {seconds} s") from None
        finally:
            program.stop()
            self.running.remove(program)
        text = program.log.read_text(errors="replace")
        if program.process.returncode != 0:
            raise Failed(f"{name} ended with {program.process.returncode}:\n{text[-2000:]}")
        return text


def free_ports(count):
    """Returns ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _prepare(cores):
    """Runs in the new process, before the program does."""
    os.sched_setaffinity(0, cores)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _parent(pid):
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name of a program may hold blanks and brackets; the fields begin after the last one.
    return int(text.rpartition(")")[2].split()[1])


def _cpu_clock(pid):
    # The clock of another process has a number made of its pid: see clock_getcpuclockid(3).
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def _ticks(pid):
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0, 0
    user, system = text.rpartition(")")[2].split()[11:13]
    return int(user), int(system)


def _rollup(pid, kind):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:"))


def _send(pid, sign):
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass


def _is_alive(pid):
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
