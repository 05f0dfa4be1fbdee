"""Known bugs of the engine; `python tests/known_bugs_engine.py NAME` runs one. Not collected."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from helpers import check, define

from zyg_interactive import derivative, pullback


def bool_or_float() -> None:
    """The value of a nested derivative is np.float64 where Python gives a float."""
    f = define(
        "def f(a, b):\n    return derivative(lambda q: q * q, a > 0.5 or b)",
        scope={"derivative": derivative},
    )
    check(f, 0.3, 0.4)


def record_joined_of_float_and_array() -> None:
    """The gradient of the float `p.x` is np.float64."""
    f = define(
        "def f(p, x, c):\n    if c > 0:\n        p = P(x[0])\n    return math.sin(p.x)",
        scope={"P": P},
    )
    check(f, P(0.3), np.ones(2), -1.0)


def second_order_through_a_dynamic_call() -> None:
    """ZYG301 no gradient rule for `dynamic_reverse`: a derivative of a call specialised late."""
    f = define(
        "def f(x):\n    return derivative(lambda y: table['sin' if y > 0 else 'exp'](y), x)",
        scope={"derivative": derivative, "table": {"sin": math.sin, "exp": math.exp}},
    )
    assert pullback(f, 0.5)[1](1.0) == (-math.sin(0.5),)


def dot_of_lists() -> None:
    check(define("def f(x):\n    return np.dot([x for e in range(3)], [0.1, 0.4, 0.8])"), 1.5)


class P:
    def __init__(self, x: Any):
        self.x = x


if __name__ == "__main__":
    own = {n: f for n, f in list(globals().items()) if callable(f) and f.__module__ == __name__}
    for name in sys.argv[1:] or [n for n, f in own.items() if not isinstance(f, type)]:
        try:
            own[name]()
            print("mended ", name)
        except Exception as error:
            text = (str(error).strip() or "wrong").splitlines()[0]
            print("fails  ", name, "|", type(error).__name__, text[:110])
