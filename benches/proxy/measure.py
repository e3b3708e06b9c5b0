"""Rounds: every subject has its turn in each, so that what the machine does meanwhile hits all.

1. The order of the subjects moves by one from round to round.
2. A ratio is taken within a round, to the reference's figure of the same minute.
3. What is reported is the median of the rounds, and of a ratio the least and the greatest too.
4. A subject that fails is left out from then on, in that case only, and the reason is reported.
5. Noise only ever adds. So there is a second ratio, of the best round to the reference's best:
   where the two differ much, the machine was too busy to tell.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field

from programs import Failed
from subjects import REFERENCE


@dataclass
class Row:
    """The rounds of one subject in one case."""

    name: str
    case: str
    rates: list = field(default_factory=list)
    cpu: list = field(default_factory=list)
    ratios: list = field(default_factory=list)
    best_ratio: float | None = None
    p99: list = field(default_factory=list)
    busy: list = field(default_factory=list)
    memory: list = field(default_factory=list)
    # Why there are no figures.
    reason: str | None = None


@dataclass
class Plan:
    """How much is measured."""

    cases: list
    rounds: int
    seconds: int
    warm_up: int
    # No round begins that could not end by then; None when there is no hurry.
    deadline: float | None = None
    # Or only the first of those that have protocol and TLS in common.
    warms_each_case: bool = True

    def warm_ups(self):
        """Returns the cases that warm up."""
        if self.warms_each_case:
            return self.cases
        return list({(case.scheme, case.protocol): case for case in reversed(self.cases)}.values())


def measure(subjects, reasons, plan, generator):
    """Measures all subjects but those that cannot be measured; returns a row for each."""
    rows = {(c.name, s.name): Row(s.name, c.name) for c in plan.cases for s in subjects}
    for place, reason in reasons.items():
        rows[place].reason = reason
    turns = [(case, subject) for case in plan.warm_ups() for subject in subjects]
    for case, subject in turns:
        act = lambda _: generator.run(subject, case, plan.warm_up)
        _turn(rows, case, subject, act, "warm-up")
    longest = 0.0
    for number in range(plan.rounds):
        began = time.monotonic()
        if plan.deadline and number and began + longest > plan.deadline:
            break
        for case in plan.cases:
            first = number % len(subjects)
            for subject in subjects[first:] + subjects[:first]:
                what = f"round {number + 1} of {plan.rounds}"
                act = lambda row: _round(row, subject, case, plan.seconds, generator)
                _turn(rows, case, subject, act, what)
        longest = max(longest, time.monotonic() - began)
    _say("")
    for (case, _), row in rows.items():
        reference = rows.get((case, REFERENCE))
        if reference and row.cpu and reference.cpu:
            row.best_ratio = min(row.cpu) / min(reference.cpu)
            row.ratios = [a / b for a, b in zip(row.cpu, reference.cpu, strict=False)]
    return list(rows.values())


def _turn(rows, case, subject, act, what):
    row = rows[case.name, subject.name]
    if row.reason:
        return
    _say(f"{what} {case.name} {subject.name}")
    try:
        act(row)
    except Failed as failed:
        row.reason = str(failed)


def middle(values):
    """Returns the median, or None of nothing."""
    return statistics.median(values) if values else None


def _round(row, subject, case, seconds, generator):
    program = subject.programs[case.scheme]
    program.require_alive()
    cpu, clock = program.cpu_nanoseconds(), time.monotonic_ns()
    load = generator.run(subject, case, seconds)
    cpu, clock = program.cpu_nanoseconds() - cpu, time.monotonic_ns() - clock
    row.rates.append(load.requests / load.seconds)
    row.cpu.append(cpu / 1e3 / load.requests)
    row.p99.append(load.p99_ms)
    row.busy.append(cpu / clock)
    row.memory.append(program.memory())


def _say(text):
    """Progress on one line, for who watches; nothing for a file."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
