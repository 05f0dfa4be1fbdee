"""Interleaved timing: the contenders take turns, so that a busy machine hits all of them alike."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for variable in ONE_THREAD:  # read when NumPy is imported: import this module first
    os.environ.setdefault(variable, "1")

Run = Callable[[], Any]
TURN = 0.004  # seconds that a contender runs at a time, at least one call
SLOW = 0.1  # a call that takes longer is timed in the first rounds only
FIRST = 3


def interleaved(
    contenders: dict[str, Run], seconds: float = 2.0, rounds: int = 5
) -> dict[str, float]:
    """The best time of one call of each contender, in seconds.

    At least `rounds` rounds, and as many as begin within `seconds`. The garbage collector is on,
    as it is for a user; it starts each turn with nothing to do.
    """
    counts = {name: _repetitions(run) for name, run in contenders.items()}
    best = dict.fromkeys(contenders, float("inf"))
    order = list(contenders)
    gc.collect()
    gc.freeze()
    started, done = time.perf_counter(), 0
    while done < rounds or time.perf_counter() - started < seconds:
        for name in order:
            if done >= FIRST and best[name] > SLOW:
                continue
            gc.collect()
            best[name] = min(best[name], _turn(contenders[name], counts[name]))
        order = [*order[1:], order[0]]
        done += 1
    gc.unfreeze()
    return best


def _repetitions(run: Run) -> int:
    took = min(_turn(run, 1) for _ in range(2))
    return max(1, int(TURN / max(took, 1e-8)))


def _turn(run: Run, n: int) -> float:
    """Seconds for one call, in a row of n."""
    repetitions = range(n)
    began = time.perf_counter()
    for _ in repetitions:
        run()
    return (time.perf_counter() - began) / n


def geometric_mean(numbers: Sequence[float]) -> float:
    return statistics.geometric_mean(numbers) if numbers else float("nan")


def in_words(seconds: float | None) -> str:
    """A duration with three digits and its unit."""
    if seconds is None:
        return "–"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def as_ratio(a: float | None, b: float | None) -> str:
    return "–" if a is None or b is None else f"{a / b:.2f}" if a < 10 * b else f"{a / b:.0f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def row(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([row(head), row(rule), *map(row, rows)])


def machine() -> str:
    """What the numbers were measured on, without saying where."""
    import numpy as np

    return (
        f"{platform.system()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}, NumPy {np.__version__}"
    )


def arguments(description: str, names: Sequence[str]) -> argparse.Namespace:
    """The command line that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each workload (2)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers here too")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(names)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}")
    return chosen


def write(path: str | None, found: dict[str, Any]) -> None:
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), **found}, file, indent=1)
            file.write("\n")
