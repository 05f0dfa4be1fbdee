"""Statements in contexts in contexts: what each leaves behind, its value and gradient.

A few of all the combinations are drawn; `python tests/test_nested.py 2` tries all that are two deep
(some 15,000 programs, 12 minutes).
"""

from __future__ import annotations

import itertools
import linecache
import random
import sys
from collections import Counter
from typing import Any

import numpy as np
from helpers import define

from zyg_interactive import Refused, withgradient
from zyg_interactive.engine import engine

# `$` stands for the block, `@` for a number that is unique to the context.
CONTEXTS = {
    "for": "for k in range(3):\n    $\n    s = s + t * 0.5",
    "for else": "for k in range(3):\n    if x > 5.0:\n        break\n    $\n"
    "else:\n    s = s + 0.3 * t",
    "for break": "for k in range(4):\n    if k == 2:\n        break\n    $\ns = s + k * t",
    "for continue": "for k in range(3):\n    if k == 1:\n        continue\n    $\n    s = s + t",
    "for items": "for t in [t, y, t * x]:\n    $\n    s = s + t",
    "while": "n@ = 0\nwhile n@ < 3:\n    n@ += 1\n    $\n    s = s + t",
    "while true": "n@ = 0\nwhile True:\n    n@ += 1\n    if n@ > 2:\n        break\n"
    "    $\n    s = s + t",
    "try": "try:\n    $\n    if k == 1:\n        raise ValueError\n    s = s + t\n"
    "except ValueError:\n    s = s + t * 0.25",
    "except": "try:\n    raise ValueError\nexcept ValueError:\n    $\n    s = s + t",
    "finally": "try:\n    s = s + t\nfinally:\n    $",
    "try finally": "try:\n    $\nfinally:\n    s = s + t * 0.2",
    "try else": "try:\n    math.sqrt(k)\nexcept ValueError:\n    pass\nelse:\n    $",
    "caught": "try:\n    $\nexcept ValueError:\n    t = t * 0.9",
    "suppress": "with contextlib.suppress(ValueError):\n    $\n"
    "    if k == 1:\n        raise ValueError\n    s = s + t",
    "with": "with contextlib.nullcontext(t) as u:\n    $\n    s = s + u * t",
    "if": "if k != 1:\n    $\nelse:\n    s = s - t",
    "else": "if k == 1:\n    s = s - t\nelse:\n    $",
    "match": "match [k]:\n    case [1]:\n        $\n    case _:\n        s = s + 0.1 * t",
    "nonlocal": "def g@():\n    nonlocal t, s, k\n    $\n    s = s + t\ng@()",
    "function": "def g@(t, s, k):\n    $\n    return t * 0.5 + s\nr = g@(t, s, k)\n"
    "s = s + (0.0 if r is None else r)",
    "generator": "def g@(t, s, k):\n    for k in range(2):\n        $\n        yield t + s\n"
    "for v in g@(t, s, k):\n    s = s + v * 0.3",
    "changing generator": "def g@():\n    nonlocal t, s\n    for k in range(2):\n        $\n"
    "        yield t\nfor v in g@():\n    s = s + v * 0.3",
}
STATEMENTS = (
    "t = t * y",
    "if k == 1:\n    t = y * 2.0",
    "match k:\n    case 1:\n        t = y * 2.0",
    "match [k, t * 2.0]:\n    case [1, t]:\n        pass",
    "k == 1 and (t := y * 2.0)",
    "with contextlib.suppress(ValueError):\n    t = math.sqrt(0.5 - k) * y",
    "try:\n    t = math.sqrt(0.5 - k) * y\nexcept ValueError:\n    pass",
    "try:\n    if k == 1:\n        raise ValueError\n    t = y * x\nfinally:\n    s = s + t",
    "for j in range(k):\n    t = t * y",
    "while t > 0.1:\n    t = t * 0.5\n    break",
    "t, s = s + y, t",
    "[t := t * v for v in (x, y)]",
    "l.append(t)\nt = l[-2] * y",
    "l[0] = t\ns = s + l[0] * l[-1]",
    "u = t\ndel t\nt = u * y",
    "t += y\nt *= x",
    "if k == 2:\n    return s + t",
    "if k == 1:\n    raise ValueError",
    "assert k != 5 or (t := y)",
    "t = (lambda q: q * t)(y)",
    "d = {'t': t}\nd['t'] *= y\nt = d['t']",
    "if k == 1:\n    break",
    "if k == 1:\n    continue",
    "try:\n    if k == 1:\n        raise KeyError\n    t = x * 2.0\nexcept KeyError:\n    t = y\n"
    "else:\n    t = t * y",
    "s = s + (q := t * 2.0) * k + q",
    "a = np.array([x, y])\na[k % 2] = t\nt = a[0] * a[1]",
    "o.x = t * y\ns = s + o.x",
    "t: float",
    "for t in [x, y][:k]:\n    pass",
)
HEAD = """import contextlib


class Box:
    def __init__(self, x):
        self.x = x


def f(x, y):
    t, s, k = x, 0.0, 1
    l = [x, y]
    o = Box(x)
    """
TAIL = "\n    return s * 1.1 + t * 0.7 + y * 0.3 + sum(l) * 0.2 + o.x * 0.1\n"
ARGUMENTS = ((0.6, 0.9), (-0.43, 1.21))
MOST_REFUSED = 0.1


def program(contexts: tuple[str, ...], statement: str) -> str:
    text = statement
    for depth, name in enumerate(reversed(contexts)):
        whole = CONTEXTS[name].replace("@", str(depth))
        line = next(line for line in whole.split("\n") if line.strip() == "$")
        indent = " " * (len(line) - 1)
        text = whole.replace("$", text.replace("\n", f"\n{indent}"))
    return HEAD + text.replace("\n", "\n    ") + TAIL


def examine(text: str, args: tuple[float, float]) -> str:
    """What becomes of a program; raises AssertionError where that is wrong."""
    try:
        f = define(text, scope={"__name__": "program"})
    except SyntaxError:  # a jump where none may be
        return "no program"
    error: Exception | None = None
    plain: Any = None
    try:
        plain = f(*args)
    except Exception as raised:
        error = raised
    try:
        value, found = withgradient(f, *args)
    except Refused as refusal:
        return refusal.diagnostic.code
    except Exception as raised:
        assert type(raised) is type(error), f"{raised!r} in the place of {error!r}\n{text}"
        return "raises"
    assert error is None, f"{error!r} is not raised\n{text}"
    assert value == plain, f"the value changed: {value!r} instead of {plain!r}\n{text}"
    bars = [0.0 if c is None else c for c in found]
    slopes = []
    for i in range(2):
        ends = [f(*(a + h * (i == j) for j, a in enumerate(args))) for h in (1e-6, -1e-6)]
        slopes.append((ends[0] - ends[1]) / 2e-6)
    np.testing.assert_allclose(bars, slopes, rtol=1e-4, atol=1e-5, err_msg=text)
    return "accepted"


def survey(programs: list[tuple[str, ...]]) -> Counter[str]:
    became: Counter[str] = Counter()
    for n, (*contexts, statement) in enumerate(programs):
        if n % 100 == 0:  # they are not met again
            engine.clear()
            linecache.clearcache()
        for args in ARGUMENTS:
            became[examine(program(tuple(contexts), statement), args)] += 1
    return became


def every(depth: int) -> list[tuple[str, ...]]:
    return list(itertools.product(*[CONTEXTS] * depth, STATEMENTS))


def test_one_deep() -> None:
    became = survey(random.Random(1).sample(every(1), 150))
    refused = sum(n for kind, n in became.items() if kind.startswith("ZYG"))
    assert refused <= MOST_REFUSED * sum(became.values()), became


def test_two_deep() -> None:
    became = survey(random.Random(2).sample(every(2), 150))
    refused = sum(n for kind, n in became.items() if kind.startswith("ZYG"))
    assert refused <= MOST_REFUSED * sum(became.values()), became


if __name__ == "__main__":
    print(survey(every(int(sys.argv[1]))))
