"""What was measured, as a table for people or as lines of JSON for programs."""

import json

from measure import Row, middle

MEGABYTE = 1_000_000


def as_json(rows):
    """Returns one object a line; a figure that there is not is null."""
    return "\n".join(json.dumps(_record(row)) for row in rows)


def as_table(rows):
    """Returns a table for each case."""
    lines = []
    for case in dict.fromkeys(row.case for row in rows):
        lines += ["", _LINE.format(case, *_HEAD)]
        lines += [_LINE.format(row.name, *_figures(row)) for row in rows if row.case == case]
    return "\n".join(lines[1:])


_LINE = "{:<22}{:>9}{:>12}{:>10}{:>14}{:>7}{:>9}{:>8}{:>7}"
_HEAD = ("req/s", "CPU us/req", "to nginx", "range", "best", "p99 ms", "PSS MB", "core")


def _figures(row):
    if row.reason:
        return ["-"] * len(_HEAD)
    ratio = spread = best = "-"
    if row.ratios:
        ratio = f"{middle(row.ratios):.2f}"
        spread = f"{min(row.ratios):.2f}..{max(row.ratios):.2f}"
        best = f"{row.best_ratio:.2f}"
    return [
        f"{middle(row.rates):.0f}",
        f"{middle(row.cpu):.1f}",
        ratio,
        spread,
        best,
        f"{middle(row.p99):.2f}",
        f"{middle(row.memory) / MEGABYTE:.1f}",
        f"{middle(row.busy):.0%}",
    ]


def _record(row):
    if row.reason:
        # Rounds before a failure are no result.
        row = Row(row.name, row.case, reason=row.reason)
    memory = middle(row.memory)
    return {
        "name": row.name,
        "case": row.case,
        "requests_per_second": _rounded(middle(row.rates), 1),
        "cpu_us_per_request": _rounded(middle(row.cpu), 2),
        "ratio_to_nginx": _rounded(middle(row.ratios), 3),
        "p99_ms": _rounded(middle(row.p99), 3),
        "pss_mb": _rounded(memory / MEGABYTE if memory else None, 2),
        "ratio_range": [round(end(row.ratios), 3) for end in (min, max)] if row.ratios else None,
        "ratio_of_best": _rounded(row.best_ratio, 3),
        "core_busy": _rounded(middle(row.busy), 3),
        "rounds": len(row.rates),
        "reason": row.reason,
    }


def _rounded(value, digits):
    return None if value is None else round(value, digits)
