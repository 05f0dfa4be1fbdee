"""Kernels in place: each gradient against differences, some against adjoints by hand.

python benchmarks/bench_kernels.py [--seconds S] [--json FILE] [kernel ...]
"""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
from harness import interleaved
from kernels import KERNELS
from kernels.by_hand import BY_HAND

from zyg_interactive import gradient

STEPS = {"heat_1d": 50, "jacobi_2d": 10, "momentum": 20}


def arguments(name: str, n: int) -> tuple[Any, ...]:
    """What a kernel takes: never the same arrays twice, since it changes them."""
    args: tuple[Any, ...] = KERNELS[name][1](n)
    if name in STEPS:
        args = (*args[:-1], STEPS[name])
    return args


def is_data(x: Any) -> bool:
    return isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype.kind == "f")


def error(name: str, n: int) -> float:
    """How far the gradient is from a difference along a random direction, relatively."""
    f, make = KERNELS[name]
    args = make(n)
    rng = np.random.default_rng(1)
    direction = [rng.uniform(-1, 1, np.shape(x)) if is_data(x) else None for x in args]

    def moved(h: float) -> Any:
        return f(
            *(
                copy.deepcopy(x) if d is None else x + h * d
                for x, d in zip(args, direction, strict=True)
            )
        )

    h = 1e-6
    slope = (moved(h) - moved(-h)) / (2 * h)
    found = 0.0
    for g, d in zip(gradient(f, *copy.deepcopy(args)), direction, strict=True):
        if d is not None and g is not None:
            found += float(np.sum(np.asarray(g) * d))
    return abs(found - slope) / max(1.0, abs(slope))


def peak(run: Callable[[], Any]) -> int:
    """The most memory that a call holds at once, in bytes."""
    run()
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main() -> None:
    options = harness.arguments(__doc__ or "", list(KERNELS))
    chosen = options.names or list(KERNELS)
    wrong = {name: e for name in chosen if (e := error(name, 6)) > 1e-5}
    print(harness.machine())
    print(f"{len(chosen)} kernels, wrong against differences: {wrong or 'none'}\n")
    assert not wrong
    rows, results = [], {}
    for f, (hand, n) in BY_HAND.items():
        name = f.__name__
        if name not in chosen:
            continue
        args = arguments(name, n)
        arrays = [k for k, x in enumerate(args) if isinstance(x, np.ndarray)]
        ours = gradient(f, *copy.deepcopy(args), wrt=arrays)
        for a, b in zip(ours, hand(*copy.deepcopy(args)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
        runs = {
            "copy": lambda args=args: copy.deepcopy(args),
            "primal": lambda f=f, args=args: f(*copy.deepcopy(args)),
            "hand": lambda hand=hand, args=args: hand(*copy.deepcopy(args)),
            "ours": lambda f=f, args=args, arrays=arrays: gradient(
                f, *copy.deepcopy(args), wrt=arrays
            ),
        }
        times = interleaved(runs, options.seconds)
        spent = {k: times[k] - times["copy"] for k in ("primal", "hand", "ours")}
        memory = {k: peak(runs[k]) for k in ("hand", "ours")}
        results[name] = {**spent, **{f"{k} bytes": v for k, v in memory.items()}}
        rows.append(
            [
                f"{name}, n = {n}",
                *(harness.in_words(spent[k]) for k in ("primal", "hand", "ours")),
                f"{spent['ours'] / spent['hand']:.2f}",
                f"{memory['hand'] / 1e6:.2f} MB",
                f"{memory['ours'] / 1e6:.2f} MB",
            ]
        )
    head = ["kernel", "primal", "hand", "ours", "ours/hand", "memory, hand", "memory, ours"]
    print(harness.table(head, rows))
    harness.write(options.json, {"kernels": results})


if __name__ == "__main__":
    main()
