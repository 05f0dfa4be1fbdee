"""Random programs out of all of Python's statements: the gradient against finite differences, at
orders one and two.

`ZYG_FUZZ=1000 pytest tests/test_fuzz_language.py` tries so many instead of a few; `python
tests/test_fuzz_language.py 20000` prints what became of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from fuzzing import refused, report, survey
from language import Language
from programs import Program

EXAMPLES = int(os.environ.get("ZYG_FUZZ", "100"))
MOST_REFUSED = 0.1  # of a small draw; of a long one, 0.05 is aimed at


def make(choose: Callable[[int], int], seed: int) -> Program:
    return Language(choose, size=3 + seed % 8).program()


def test_random_programs() -> None:
    became = survey(make, range(EXAMPLES))
    assert refused(became) <= MOST_REFUSED * sum(became.values()), became


if __name__ == "__main__":
    report(make)
