"""The tables of what workers cost each other, of what `workers` measured (`workers.json`)."""

import statistics

import contention

WORKERS = (1, 2, 8, 32, 64)
# What a request writes to that other workers write to as well, as read in the sources, and how often it must be
# fetched for that: once when a request begins and once when it ends, if both write. It is the least:
# what nobody has read is not there.
READ = {
    "permits of an upstream, and who holds them (src/proxy/upstream/admission.rs)": 2,
    "who holds the counters of clients (src/proxy/upstream/shares.rs)": 2,
    "requests of a server, and who holds it (src/proxy/upstream/lease.rs)": 2,
    "who holds a route (src/gate/mod.rs, src/gateway/stack.rs)": 2,
}


def tables(figures):
    """Returns the tables of the manual, each with a title."""
    if "cpu" in figures:
        yield "CPU time of a request", cpu_table(figures["cpu"])
    if "atomics" in figures:
        yield "What a request does", request_table(figures)
    if "cpu" in figures:
        yield "What more workers would do", speed_table(figures)


def cpu_table(cpu):
    rows = ["| workers | µs of CPU by the request | by that of two processes |", "|---|---|---|"]
    names = {"one": "1", "apart": "1 in each of two processes", "together": "2"}
    for key, name in names.items():
        ratios = [one / other for one, other in zip(cpu[key], cpu["apart"])]
        shown = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        rows.append(f"| {name} | {statistics.median(cpu[key]):.1f} | {shown} |")
    return rows


def request_table(figures):
    one, two = figures["atomics"]["1"], figures["atomics"]["2"]
    names = {
        "instructions": "instructions in user space",
        "reads_and_writes": "reads and writes of memory",
        "misses_l1_instructions": "of instructions, not in a first-level cache",
        "misses_l1_data": "of data, not in a first-level cache",
        "misses_last_level": "not in the last cache either",
        "atomic": "atomic instructions",
    }
    rows = ["| by the request | 1 worker | 2 workers |", "|---|---|---|"]
    for key, name in names.items():
        rows.append(f"| {name} | {number(one[key])} | {number(two[key])} |")
    return rows


def speed_table(figures):
    work = statistics.median(figures["cpu"]["one"]) / 1e6
    visits = list(READ.values())
    costs = (contention.NEAR, contention.USUAL, contention.FAR)
    head = " | ".join(f"a line in {cost * 1e9:.0f} ns" for cost in costs)
    rows = [f"| workers | {head} | the busiest line, {contention.USUAL * 1e9:.0f} ns |", "|---|---|---|---|---|"]
    for workers in WORKERS:
        speeds = [contention.speed(workers, work, visits, cost) for cost in costs]
        shown = " | ".join(f"{one.efficiency:.1%}" for one in speeds)
        rows.append(f"| {workers} | {shown} | {speeds[1].busiest:.1%} |")
    return rows


def number(value):
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.1f}"
