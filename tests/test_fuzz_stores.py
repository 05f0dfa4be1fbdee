"""Random programs over shared buffers: the gradient against finite differences, at orders one and
two.

`ZYG_FUZZ=1000 pytest tests/test_fuzz_stores.py` tries so many instead of a few; `python
tests/test_fuzz_stores.py 20000` prints what became of them.
"""

from __future__ import annotations

import linecache
import os
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
from programs import arguments
from stores import Stores
from test_fuzz import Skipped, examine

from zyg_interactive import Refused
from zyg_interactive.engine import engine

EXAMPLES = int(os.environ.get("ZYG_FUZZ", "80"))
MOST_REFUSED = 0.05


def tried(seed: int) -> str:
    """What becomes of one program: accepted, skipped, or the code of what it is refused with."""
    numbers = np.random.default_rng(seed)
    program = Stores(lambda n: int(numbers.integers(n)), size=3 + seed % 9).program()
    args: tuple[Any, ...] = arguments(program.kinds, lambda: float(numbers.uniform(-1.2, 1.2)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            examine(program, args)
    except Skipped:
        return "skipped"
    except Refused as refusal:
        return refusal.diagnostic.code
    except Exception as error:
        raise AssertionError(f"seed {seed}: {error}\n{program.text}\n{args}") from error
    return "accepted"


@pytest.mark.parametrize("part", range(4))
def test_random_stores(part: int) -> None:
    became = Counter(tried(seed) for seed in range(part, EXAMPLES, 4))
    refused = sum(n for kind, n in became.items() if kind.startswith("ZYG"))
    assert refused <= MOST_REFUSED * sum(became.values()), became


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    became: Counter[str] = Counter()
    wrong = 0
    for seed in range(first, first + int(sys.argv[1])):
        if seed % 100 == 0:  # the programs are not met again
            engine.clear()
            linecache.clearcache()
        if seed % 1000 == 0:
            print(seed, dict(became), "wrong:", wrong, flush=True)
        try:
            became[tried(seed)] += 1
        except AssertionError as error:
            wrong += 1
            print(str(error)[:3000], flush=True)
            if wrong > 5:
                break
    print(dict(became), "wrong:", wrong)
