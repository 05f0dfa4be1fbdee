"""Random programs: the gradient against finite differences, at orders one and two.

`ZYG_FUZZ=1000 pytest tests/test_fuzz.py` tries so many instead of a few.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from typing import Any

import numpy as np
from helpers import (
    bars_in_a_row,
    check,
    copied,
    define,
    floats,
    moved,
    verified,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import Maker, Pair, Program, arguments

from zyg_interactive import Refused, derivative, gradient, pullback

EXAMPLES = int(os.environ.get("ZYG_FUZZ", "60"))
SCOPE = {
    **{"Pair": Pair, "gradient": gradient, "derivative": derivative, "SINK": io.StringIO()},
    "__name__": "programs",
}
REFUSALS: Counter[str] = Counter()
RTOL, ATOL = 2e-5, 2e-6


class Skipped(Exception):
    """Nothing can be said about this program: it raises, or it is not smooth here."""


def smooth_differences(f: Any, args: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    """The gradient by differences, NaN where both sides or two steps do not agree."""
    base = floats(args)
    middle = float(f(*copied(args)))
    found = np.full(len(base), np.nan)
    for i in range(len(base)):
        slopes = []
        for h in (6e-6, 2.3e-5):
            ends = []
            for sign in (1, -1):
                row = base.copy()
                row[i] += sign * h
                ends.append(float(f(*moved(args, row))))
            slopes += [
                (ends[0] - middle) / h,
                (middle - ends[1]) / h,
                (ends[0] - ends[1]) / (2 * h),
            ]
        scale = max(1.0, *map(abs, slopes))
        if max(slopes) - min(slopes) < 3e-3 * scale:
            if abs(slopes[2] - slopes[5]) < 1e-6 * scale:
                found[i] = slopes[2]
    return found


def compare(f: Any, args: tuple[Any, ...], grads: tuple[Any, ...], what: str) -> int:
    got = np.concatenate([bars_in_a_row(x, g) for x, g in zip(args, grads, strict=True)])
    want = smooth_differences(f, args)
    known = np.isfinite(want)
    np.testing.assert_allclose(got[known], want[known], rtol=RTOL, atol=ATOL, err_msg=what)
    return int(known.sum())


def examine(program: Program, args: tuple[Any, ...]) -> None:
    """Check one program. Raises Skipped, Refused, or what is wrong."""
    try:
        f = define(program.text, scope=SCOPE)
    except SyntaxError as error:  # of `:=`, in places where it may not stand
        raise Skipped from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = f(*copied(args))
    except Refused as refusal:  # by a gradient inside
        raise Refused(refusal.diagnostic) from None
    except Exception as error:
        raises_alike(f, args, error)
        raise Skipped from error
    if not (np.isfinite(plain) and abs(plain) < 1e6):
        raise Skipped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(f, *args, differentiable=False)
        grads = gradient(f, *copied(args))
        if compare(f, args, grads, "first order") and all(k in "svm" for k in program.kinds):
            examine_second(program, args)


def examine_second(program: Program, args: tuple[Any, ...]) -> None:
    second = define(f"{program.text}\n{program.second}", "second", SCOPE)
    try:
        first = second(*copied(args))
    except Refused:
        raise
    if not np.isfinite(first):
        return
    value, back = pullback(second, *copied(args))
    np.testing.assert_allclose(
        value, first, rtol=1e-10, err_msg="value of the gradient in a program"
    )
    if isinstance(value, float | np.floating):
        compare(second, args, back(1.0), "second order")
        verified(second, args)


def raises_alike(f: Any, args: tuple[Any, ...], error: Exception) -> None:
    try:
        gradient(f, *copied(args))
    except Refused as refusal:
        raise refusal from None
    except Exception as ours:
        assert isinstance(ours, type(error)), f"{ours!r} is raised in the place of {error!r}"
    else:
        raise AssertionError(f"{error!r} is raised by the function, and nothing by its gradient")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_random_programs(data: st.DataObject) -> None:
    def choose(n: int) -> int:
        return data.draw(st.integers(0, n - 1))

    program = Maker(choose).program()
    seed = data.draw(st.integers(0, 2**32 - 1))
    numbers = np.random.default_rng(seed)
    try:
        examine(program, arguments(program.kinds, lambda: float(numbers.uniform(-1.2, 1.2))))
    except Skipped:
        REFUSALS["skipped"] += 1
    except Refused as refusal:
        REFUSALS[refusal.diagnostic.code] += 1
        assert refusal.diagnostic.code != "ZYG303", refusal
    else:
        REFUSALS["accepted"] += 1


def test_most_are_accepted() -> None:
    """Of the programs above: refusals are rare."""
    total = sum(REFUSALS.values())
    refused = total - REFUSALS["skipped"] - REFUSALS["accepted"]
    assert refused <= 0.2 * max(total, 1), dict(REFUSALS)
