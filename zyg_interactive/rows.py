"""What NumPy's functions of functions do, in plain Python.

Where differentiated code calls one, it is lowered like a function of the user's: so it can be
differentiated, to any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import runtime


def vectorized(f: Callable[..., Any], *args: Any) -> Any:
    """`np.vectorize(f)(*args)`: stands for the call itself in lowered code."""
    return np.vectorize(f)(*args)


def like_first(whole: Any, first: Any) -> Any:
    """`whole` in the dtype of its first part, in which NumPy keeps all of them."""
    return runtime.like_first(whole, first)


def each_row(f: Callable[..., Any], rows: Any, *args: Any, **kwargs: Any) -> Any:
    found = [f(row, *args, **kwargs) for row in rows]
    return like_first(np.stack(found), found[0])


def each_of_one(f: Callable[..., Any], a: Any) -> Any:
    found = [f(x) for x in a]
    return like_first(np.stack(found), found[0])


def each_of_two(f: Callable[..., Any], a: Any, b: Any) -> Any:
    found = [f(x, b[i]) for i, x in enumerate(a)]
    return like_first(np.stack(found), found[0])


def each_of_three(f: Callable[..., Any], a: Any, b: Any, c: Any) -> Any:
    found = [f(x, b[i], c[i]) for i, x in enumerate(a)]
    return like_first(np.stack(found), found[0])
