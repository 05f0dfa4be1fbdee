"""Functions made of one that SciPy is given. They capture it alone, and are lowered like functions
of the user's (`engine.MAKERS`): so what it captured has its cotangents through them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derived import gradient
from ...ir.core import Value, emit
from ..registry import rule

Maker = Callable[[Any], Callable[..., Any]]


def made(f: Any, makers: tuple[Maker, ...]) -> Any:
    """What the makers make of a function, one after the other."""
    for make in makers:
        f = make(f)
    return f


def unmade(bar: Any, makers: tuple[Maker, ...]) -> Any:
    """The cotangent of a function, from that of what was made of it."""
    for _ in makers:
        bar = emit(operator.getitem, (bar, 0)) if isinstance(bar, Value) else bar and bar[0]
    return bar


@rule(made)
def _made(g: Any, y: Any, f: Any, makers: Any) -> Any:
    return unmade(g, makers), None


def first_of(f: Any) -> Any:
    """Of a function that returns its derivative too."""

    def first(x: Any, *args: Any) -> Any:
        return f(x, *args)[0]

    return first


def of_vector(f: Any) -> Any:
    """Of a function of one number, as a function of a vector of it."""

    def of_number(x: Any, *args: Any) -> Any:
        return f(x[0], *args)

    return of_number


def vector_of(f: Any) -> Any:
    """What a function returns, as a vector."""

    def vector(x: Any, *args: Any) -> Any:
        return np.ravel(np.asarray(f(x, *args)))

    return vector


def slope_of(f: Any) -> Any:
    """The gradient."""

    def slope(x: Any, *args: Any) -> Any:
        return gradient(f, x, *args)

    return slope


def slope_and_value(f: Any) -> Any:
    """The gradient and the value, in one vector."""

    def both(x: Any, *args: Any) -> Any:
        return np.concatenate((gradient(f, x, *args), np.reshape(f(x, *args), 1)))

    return both


def squares(f: Any) -> Any:
    """Of residuals: half the sum of their squares, its gradient before it, and they after it."""

    def all_three(x: Any, *args: Any) -> Any:
        def half(at: Any) -> Any:
            r = np.ravel(np.asarray(f(at, *args)))
            return 0.5 * np.sum(r * r)

        r = np.ravel(np.asarray(f(x, *args)))
        return np.concatenate((gradient(half, x), np.reshape(0.5 * np.sum(r * r), 1), r))

    return all_three


def time_first(f: Any) -> Any:
    """Of a right-hand side that is given the state before the time."""

    def slope(t: Any, y: Any, *args: Any) -> Any:
        return f(y, t, *args)

    return slope


def right_hand_side(f: Any) -> Any:
    """A right-hand side, as a vector."""

    def slope(t: Any, y: Any, *args: Any) -> Any:
        return np.ravel(np.asarray(f(t, y, *args)))

    return slope


__all__ = [
    "Maker",
    "first_of",
    "made",
    "of_vector",
    "right_hand_side",
    "slope_and_value",
    "slope_of",
    "squares",
    "time_first",
    "unmade",
    "vector_of",
]
