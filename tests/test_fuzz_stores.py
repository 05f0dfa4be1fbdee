"""Random programs over shared buffers: the gradient against finite differences, at orders one and
two.

`ZYG_FUZZ=1000 pytest tests/test_fuzz_stores.py` tries so many instead of a few; `python
tests/test_fuzz_stores.py 20000` prints what became of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from fuzzing import MOST_REFUSED, refused, report, survey
from programs import Program
from stores import Stores

EXAMPLES = int(os.environ.get("ZYG_FUZZ", "80"))


def make(choose: Callable[[int], int], seed: int) -> Program:
    return Stores(choose, size=3 + seed % 9).program()


@pytest.mark.parametrize("part", range(4))
def test_random_stores(part: int) -> None:
    became = survey(make, range(part, EXAMPLES, 4))
    assert refused(became) <= MOST_REFUSED * sum(became.values()), became


if __name__ == "__main__":
    report(make)
