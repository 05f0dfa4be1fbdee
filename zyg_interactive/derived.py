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


def jacobians(y: Any, back: Callable[..., Any], *xs: Any) -> Any:
    """The Jacobian in each of `xs`, from one pullback for each element of the result."""
    shape = np.shape(y)
    seeds = [np.reshape(seed, shape) for seed in np.eye(int(np.size(y)))]
    pulled = [back(seed) for seed in seeds]
    return tuple([block([bars[k] for bars in pulled], y, x) for k, x in enumerate(xs)])


def block(bars: Any, y: Any, x: Any) -> Any:
    rows = [filled(bar, x) for bar in bars]
    return np.reshape(np.stack(rows), np.shape(y) + np.shape(x))


def filled(found: Any, x: Any) -> Any:
    return zeros_like(x) if found is None else found


def diagonal(back: Callable[..., Any], x: Any) -> Any:
    """The diagonal of the Jacobian of the gradient in `x`, whose pullback is given."""
    shape = np.shape(x)
    if not shape:
        return filled(back(1.0), x)
    n = int(np.size(x))
    seeds = np.eye(n)
    rows = [np.reshape(filled(back(np.reshape(seed, shape)), x), n) for seed in seeds]
    return np.reshape(np.diagonal(np.stack(rows)), shape)
