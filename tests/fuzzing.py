"""What becomes of random programs, by their number: for the draw of a test, and for long runs."""

from __future__ import annotations

import linecache
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from programs import Program, arguments
from test_fuzz import Skipped, examine

from zyg_interactive import Refused
from zyg_interactive.engine import engine

MOST_REFUSED = 0.05
Make = Callable[[Callable[[int], int], int], Program]


def tried(make: Make, seed: int) -> str:
    """What becomes of one program: accepted, skipped, or what it is refused with."""
    numbers = np.random.default_rng(seed)
    program = make(lambda n: int(numbers.integers(n)), seed)
    args: tuple[Any, ...] = arguments(program.kinds, lambda: float(numbers.uniform(-1.2, 1.2)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            examine(program, args)
    except Skipped:
        return "skipped"
    except Refused as refusal:
        if os.environ.get("ZYG_FUZZ_SHOW"):
            print(seed, refusal)
        return f"{refusal.diagnostic.code} {refusal.diagnostic.message[:60]}"
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error!r}\n{program.text}\n{args}") from error
    return "accepted"


def survey(make: Make, seeds: range) -> Counter[str]:
    return Counter(tried(make, seed) for seed in seeds)


def refused(became: Counter[str]) -> int:
    return sum(n for kind, n in became.items() if kind.startswith("ZYG"))


def report(make: Make) -> None:
    """`python tests/test_fuzz_….py COUNT [FIRST]`: try so many, and print what became of them."""
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    became: Counter[str] = Counter()
    wrong = 0
    for seed in range(first, first + int(sys.argv[1])):
        if seed % 100 == 0:  # the programs are not met again
            engine.clear()
            linecache.clearcache()
        if seed % 1000 == 0:
            print(seed, sum(became.values()), "wrong:", wrong, flush=True)
        try:
            became[tried(make, seed)] += 1
        except AssertionError as error:
            wrong += 1
            print(str(error)[-3000:], flush=True)
            if wrong > 20:
                break
    for kind, n in became.most_common():
        print(f"{n:6} {kind}")
    print(f"{refused(became)} of {sum(became.values())} refused, {wrong} wrong")
