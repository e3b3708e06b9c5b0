"""Which lines of memory go from one core to another, told from a trace of all accesses of all threads.

The trace is that of valgrind's `lackey` (`--trace-mem=yes --trace-sched=yes`): each instruction, each access of it,
and which thread has its turn. Valgrind lets one thread run at a time, so the trace has an order.

A line has 64 bytes. Each thread is taken to be a core of its own with a cache in which everything has room. A
core that reads has the line from another core when that has changed it; a core that writes takes it from
whoever has it. Both are a *transfer*. A first fetch from memory is none, nor is a read of what nobody changed.
"""

import re
from bisect import bisect_right
from collections import defaultdict

LINE = 6
TRACE = ["valgrind", "--tool=lackey", "--trace-mem=yes", "--trace-sched=yes", "--basic-counts=no"]
TURN = re.compile(rb"SCHED\[(\d+)\]:\s+acquired lock")


class Caches:
    """The caches of all threads, and what went between those that are looked at."""

    def __init__(self):
        self.thread, self.instruction = 0, 0
        # By line: the threads that have it, and whether one of them has changed it.
        self.holders, self.changed = {}, {}
        self.is_awake, self.is_counting, self.workers = False, False, set()
        # By line, and what the instruction was that caused it.
        self.transfers = defaultdict(lambda: defaultdict(int))
        # How many instructions each thread has had.
        self.executed = defaultdict(int)

    def read(self, text):
        """Reads some whole lines of a trace."""
        for line in text.split(b"\n"):
            kind = line[:2]
            if kind == b"I ":
                self.instruction = line[3 : line.index(b",")]
                self.executed[self.thread] += 1
            elif kind in (b" L", b" S", b" M"):
                at, _, size = line[3:].partition(b",")
                self.access(int(at, 16), int(size), kind != b" L")
            elif b"SCHED" in line and (turn := TURN.search(line)):
                self.thread = int(turn[1])

    def access(self, at, size, writes):
        """Has the thread whose turn it is read or write."""
        for line in range(at >> LINE, (at + size - 1 >> LINE) + 1):
            holders = self.holders.get(line)
            if holders is None:
                self.holders[line], self.changed[line] = {self.thread}, writes
            elif writes:
                if holders != {self.thread}:
                    self._transfer(line, True)
                    self.holders[line] = {self.thread}
                self.changed[line] = True
            elif self.thread not in holders:
                if self.changed[line]:
                    self._transfer(line, False)
                    # It is in memory now, and whoever reads it next has it from there.
                    self.changed[line] = False
                holders.add(self.thread)

    def _transfer(self, line, writes):
        if self.is_counting and self.thread in self.workers:
            self.transfers[line][int(self.instruction, 16), writes] += 1


class Symbols:
    """Names of the addresses of a program, by what `nm` says and where it was loaded."""

    def __init__(self, nm, base):
        named = (line.split(" ", 2) for line in nm.splitlines() if line[:1] != " ")
        pairs = sorted((int(at, 16) + base, name) for at, _, name in (row for row in named if len(row) == 3))
        self.addresses = [at for at, _ in pairs]
        self.names = [name for _, name in pairs]

    def name(self, address, room=1 << 16):
        """Returns the name of what begins at the address or little before."""
        place = bisect_right(self.addresses, address) - 1
        if place < 0 or address - self.addresses[place] > room:
            return None
        return self.names[place]
