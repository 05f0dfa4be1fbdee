"""Transformations made of pullbacks, in plain Python.

Where differentiated code calls one, it is lowered like a function of the user's: so it can be
differentiated again, to any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .runtime import zeros_like


def pullback(f: Callable[..., Any], *args: Any) -> Any:
    """(y, back): stands for the transformation itself in the code below."""
    raise NotImplementedError


def gradient(f: Callable[..., Any], *args: Any) -> Any:
    """As `pullback`: with zeros where no path exists."""
    raise NotImplementedError


def pulled(handle: Any, y: Any, saved: Any, seed: Any) -> Any:
    """The cotangents for a seed; `handle` is the reverse part, `saved` what it reads."""
    raise NotImplementedError


def call(f: Callable[..., Any], *args: Any) -> Any:
    return f(*args)


def back_of(handle: Any, y: Any, saved: Any) -> Callable[..., Any]:
    """The second of what `pullback` returns."""

    def back(seed: Any = None) -> Any:
        return pulled(handle, y, saved, seed)

    return back


def pushforward(f: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    """The derivative in a direction, as the pullback of the pullback: that is linear in its seed,
    and its transpose does not depend on which one.
    """
    y, back = pullback(f, *args)

    def push(*tangents: Any) -> Any:
        again = pullback(back, zeros_like(y))[1]
        return again(tangents)[0]

    return push


def first_of(f: Callable[..., Any], *args: Any) -> Any:
    """The first entry of a dict, and the dict."""
    found = f(*args)
    return [value for _, value in found.items()][0], found


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian is symmetric: reverse over reverse is one pullback of the gradient."""
    return pullback(lambda at: gradient(f, at), x)[1](v)[0]


def jacobian(f: Callable[..., Any], x: Any) -> Any:
    y, back = pullback(f, x)
    shape = np.shape(y)
    if not shape:
        return filled(back(1.0)[0], x)
    seeds = np.eye(int(np.size(y)))
    rows = [filled(back(np.reshape(seed, shape))[0], x) for seed in seeds]
    return np.reshape(np.stack(rows), shape + np.shape(x))


def filled(found: Any, x: Any) -> Any:
    return zeros_like(x) if found is None else found


def hessian(f: Callable[..., Any], x: Any) -> Any:
    return jacobian(lambda at: gradient(f, at), x)


def diaghessian(f: Callable[..., Any], x: Any) -> Any:
    shape = np.shape(x)
    back = pullback(lambda at: gradient(f, at), x)[1]
    if not shape:
        return filled(back(1.0)[0], x)
    n = int(np.size(x))
    seeds = np.eye(n)
    rows = [np.reshape(filled(back(np.reshape(seed, shape))[0], x), n) for seed in seeds]
    return np.reshape(np.diagonal(np.stack(rows)), shape)
