"""What differentiating takes grows in proportion to the program: counted, not timed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import define

from zyg_interactive import explain, gradient
from zyg_interactive.engine import engine
from zyg_interactive.ir.core import Function, walk

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from growing import DEEP, EVERY, LONG

SIZE = 50
DEEPEST = 60  # calls in calls
ARGS = (0.5, 0.7)


def calls_of(run: Callable[[], Any]) -> int:
    """How many functions, of Python and of C, are called."""
    count = 0

    def counted(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def ops_of(f: Any) -> int:
    """The operations of the gradient and of every function that it calls."""
    s = engine.specialise(f, ARGS)
    found = [s.derivative().fused(s.function, (0, 1))]
    seen = set(found)
    total = 0
    for part in found:
        for op in walk(part.region):
            total += 1
            if isinstance(op.fn, Function) and op.fn not in seen:
                seen.add(op.fn)
                found.append(op.fn)
    return total


def sizes_of(name: str, n: int) -> dict[str, int]:
    f = define(EVERY[name](n))
    shown: list[Any] = []
    calls = calls_of(lambda: shown.append(explain(f, *ARGS)))
    return {"calls": calls, "lines": str(shown[0]).count("\n"), "operations": ops_of(f)}


@pytest.mark.parametrize("name", EVERY)
def test_growth_is_linear(name: str) -> None:
    """From 2n to 4n lines twice as much is added as from n to 2n, give or take a third."""
    n = SIZE if name in LONG else 7
    sizes_of(name, 6)  # the rules are read
    small, middle, large = (sizes_of(name, k * n) for k in (1, 2, 4))
    for what in small:
        first, second = middle[what] - small[what], large[what] - middle[what]
        assert second <= 2.6 * first + 50, f"{what}: {small[what]}, {middle[what]}, {large[what]}"


@pytest.mark.parametrize("name", DEEP)
def test_doublings(name: str) -> None:
    """2**60 calls, if they were counted: the functions are differentiated once each."""
    f = define(EVERY[name](DEEPEST))
    assert ops_of(f) < 30 * DEEPEST
    explain(f, *ARGS)


def test_inner_functions_are_differentiated_for_what_they_capture_now() -> None:
    text = """
def f(x):
    k = 2.0
    def g(t):
        return k * t
    a = g(x)
    k = x
    b = g(x)
    k = (x, 3.0)
    def h(t):
        return k[1] * g2(t)
    g2 = lambda t: t * t
    c = h(x)
    g2 = lambda t: t * t * t
    return a + b + c + h(x)
"""
    assert gradient(define(text), 2.0) == (2.0 + 4.0 + 3 * 4.0 + 3 * 12.0,)
