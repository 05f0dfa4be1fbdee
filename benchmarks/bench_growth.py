"""What the first gradient code of a program takes as the program grows: seconds for n, 2n, 4n
lines, and the ratio of each to the one before, which is 2 where the growth is linear.

python benchmarks/bench_growth.py [--json FILE] [program ...]
"""

from __future__ import annotations

import gc
import linecache
import math
import time
from typing import Any

import harness
import numpy as np
from growing import EVERY, LONG

from zyg_interactive import explain

LINES = (250, 500, 1000)
STEPS = (8, 16, 32)  # calls in calls


def defined(text: str, file: str) -> Any:
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {"np": np, "math": math}
    exec(compile(text, file, "exec"), space)
    return space["f"]


def seconds(name: str, n: int) -> float:
    """To differentiate a new program, and to compile and print its pullback."""
    f = defined(EVERY[name](n), f"<{name}, {n}>")
    gc.collect()
    began = time.process_time()
    explain(f, 0.5, 0.7)
    return time.process_time() - began


def main() -> None:
    options = harness.arguments(__doc__ or "", list(EVERY))
    print(harness.machine() + "\n")
    rows, found = [], {}
    for name in options.names or EVERY:
        sizes = LINES if name in LONG else STEPS
        seconds(name, sizes[0])  # warms the engine
        times = found[name] = {n: seconds(name, n) for n in sizes}
        ratios = [
            harness.as_ratio(times[b], times[a]) for a, b in zip(sizes, sizes[1:], strict=False)
        ]
        rows.append([name, str(sizes[0]), *map(harness.in_words, times.values())])
        rows[-1].append(", ".join(ratios))
    print(harness.table(["program", "n", "n lines", "2n", "4n", "ratios"], rows))
    harness.write(options.json, {"growth": found})


if __name__ == "__main__":
    main()
