"""Variables that a statement binds on some ways only: what is read after it may be older."""

from __future__ import annotations

import pytest
from helpers import define
from programs import Program
from test_fuzz import examine

from zyg_interactive import Refused, derivative

IN_A_LOOP = {
    "a case": "match k:\n            case 1:\n                t = y * 2.0",
    "one of several cases": "match k:\n            case 1 | 2:\n                t = y\n"
    "            case 3:\n                pass",
    "a case that captures": "match [k, y]:\n"
    "            case [1, t]:\n                pass",
    "a guard that fails": "match [k, y]:\n"
    "            case [1, t] if x > 9.0:\n                pass",
    "a guard that captures": "match [k, y]:\n"
    "            case [1, t] if (lambda q: q * t)(2.0) > 9.0:\n                pass\n"
    "            case [2, t] if any(map(lambda q: q < t + k, [0.0])):\n                s = s * t",
    "a case of several that raises": "match k:\n            case 1:\n                t = y * 2.0\n"
    "            case 7:\n                raise ValueError\n"
    "            case _:\n                pass",
    "every case": "match k:\n            case 1:\n                t = y * 2.0\n"
    "            case 7:\n                raise ValueError\n"
    "            case q:\n                t = x * q",
    "a guard that fails before another case": "match [k, y]:\n"
    "            case [1, t] if x > 100.0:\n                pass\n"
    "            case [2, q]:\n                t = q * x",
    "behind and": "k == 1 and (t := y * 2.0)",
    "behind or": "k != 1 or (t := y * 2.0)",
    "an arm of a choice": "q = x if k != 1 else (t := y * 2.0)",
    "an assertion": "assert k != 1 or (t := y * 2.0)",
    "a chain of comparisons": "0 < k < (t := y * 2.0)",
    "a comprehension": "[t := y * q for q in range(k)]",
    "an annotation": "t: float",
    "a loop": "for q in range(k - 1):\n            t = y * q",
    "the target of a loop": "for t in [y, x][: k - 1]:\n            pass",
    "what is suppressed": "with contextlib.suppress(ValueError):\n"
    "            t = math.sqrt(0.5 - k) * y",
    "what is handled": "try:\n            t = math.sqrt(0.5 - k) * y\n"
    "        except ValueError:\n            pass",
}


@pytest.mark.parametrize("name", IN_A_LOOP)
def test_in_a_loop(name: str) -> None:
    text = f"""import contextlib


def f(x, y):
    t, s = x, 0.0
    for k in range(4):
        {IN_A_LOOP[name]}
        s = s + t * x
    return s * y
"""
    for args in ((0.4, 0.9), (-0.6, 1.3)):
        examine(Program(text, "ss"), args)


BEHIND_AN_EXCEPTION = {
    "a case": "match [x]:\n            case [1]:\n                y = 5.0",
    "behind and": "x > 100.0 and (y := 5.0)",
    "an assertion": "assert x < 100.0 or (y := 5.0)",
    "a comprehension": "[y := 5.0 for q in range(0)]",
    "an annotation": "y: float",
    "a loop": "for q in range(0):\n            y = 5.0",
    "a loop that is left": "while True:\n            if x < 100.0:\n                break\n"
    "            y = 5.0",
    "what is suppressed": "with contextlib.suppress(ValueError):\n            y = math.sqrt(-1.0)",
}


@pytest.mark.parametrize("name", BEHIND_AN_EXCEPTION)
def test_behind_an_exception(name: str) -> None:
    text = f"""import contextlib


def f(x, y):
    try:
        try:
            raise KeyError
        except KeyError:
            y = y * 3.0
            raise
    except KeyError:
        {BEHIND_AN_EXCEPTION[name]}
    return y * x
"""
    for args in ((0.4, 0.9), (-0.6, 1.3)):
        examine(Program(text, "ss"), args)


def test_a_variable_of_a_generator_that_a_pattern_captures() -> None:
    text = """
def items(t, l):
    for k in range(3):
        match [k, t * 2.0]:
            case [1, t]:
                l.append(t)
            case [2, *_]:
                pass
        yield t + l[-1]


def f(x, y):
    l, s = [y], 0.0
    for v in items(x, l):
        s = s + v * l[0]
        l[0] = l[0] * x
    return s * len(l)
"""
    for args in ((0.4, 0.9), (-0.6, 1.3)):
        examine(Program(text, "ss"), args)


@pytest.mark.parametrize("binds", ["def t():\n            pass", "import math as t"])
def test_a_variable_of_a_generator_that_is_bound_otherwise_is_refused(binds: str) -> None:
    text = f"""
def items(t, l):
    for k in range(3):
        yield l[0] * k
        t = 2.0
        {binds}


def f(x):
    l, s = [x], 0.0
    for v in items(x, l):
        s = s + v * l[0]
        l[0] = l[0] * x
    return s
"""
    with pytest.raises(Refused, match="and more"):
        derivative(define(text), 0.5)
