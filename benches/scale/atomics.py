"""Which instructions of a program change memory in one step that no other core sees half done, and how often
they were executed: a disassembly (objdump) beside what callgrind counted by the instruction.

On x86-64 these are the instructions with a `lock` prefix, and `xchg` with memory. Each takes the line of memory
for its core alone, whether or not another one wants it.
"""

import re
import subprocess
from collections import defaultdict

# What callgrind must be told, for `executed` to be read from it.
OPTIONS = ["--dump-instr=yes", "--dump-line=no", "--compress-pos=no", "--compress-strings=no", "--cache-sim=yes"]
ATOMIC = r"\slock |\sxchg +[^,]*\(|\sxchg +[^,]*,[^,]*\("


def atomic(binary):
    """Returns the addresses of such instructions in a program or a library."""
    ways = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    command = ["objdump", "-d", "--no-show-raw-insn", str(binary)]
    with subprocess.Popen(command, **ways) as disassembly:
        return {read for line in disassembly.stdout if (read := address(line)) is not None}


def address(line):
    """Returns the address of a line of a disassembly that is such an instruction, or None."""
    found = re.match(r" *([0-9a-f]+):", line)
    return int(found[1], 16) if found and re.search(ATOMIC, line) else None


def executed(dump):
    """Returns how often each instruction was executed, by object, function and address."""
    counts, place, function, is_call = defaultdict(int), "", "", False
    for line in dump.splitlines():
        if line.startswith("ob="):
            place = line[3:]
        elif line.startswith("fn="):
            function = line[3:]
        elif line.startswith("calls="):
            is_call = True
        elif line.startswith("0x"):
            # The line after a call is what was spent in the callee.
            if not is_call:
                at, _, costs = line.partition(" ")
                counts[place, function, int(at, 16)] += int(costs.split()[0]) if costs else 0
            is_call = False
    return counts


def by_function(dump, known=None):
    """Returns how often such instructions were executed, by function; `known` are their addresses by object."""
    counts, known, found = executed(dump), {} if known is None else known, defaultdict(int)
    for (place, function, at), count in counts.items():
        if place.startswith("/") and place not in known:
            known[place] = atomic(place)
        if at in known.get(place, ()):
            found[function] += count
    return dict(found)


def totals(dump):
    """Returns what was counted of each kind of event."""
    names = re.search(r"^events: (.*)$", dump, re.M)[1].split()
    counts = re.search(r"^totals: (.*)$", dump, re.M)[1].split()
    return dict(zip(names, map(int, counts)))
