"""Functions made of one that SciPy is given. They capture it alone, and are lowered like functions
of the user's (`engine.MAKERS`): so what it captured has its cotangents through them. And functions
that say how SciPy computes something, for the sake of the pullback alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derived import gradient, pullback
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


def off_itself(f: Any) -> Any:
    """How far a function leads from where it is given."""

    def step(x: Any, *args: Any) -> Any:
        return f(x, *args) - x

    return step


def vector_of(f: Any) -> Any:
    """What a function returns, as a vector."""

    def vector(x: Any, *args: Any) -> Any:
        return np.ravel(np.asarray(f(x, *args)))

    return vector


def slope_of(f: Any) -> Any:
    """The gradient. What is minimised may be an array of one number."""

    def slope(x: Any, *args: Any) -> Any:
        def one(at: Any) -> Any:
            return np.sum(f(at, *args))

        return gradient(one, x)

    return slope


def slope_and_value(f: Any) -> Any:
    """The gradient and the value, in one vector."""

    def both(x: Any, *args: Any) -> Any:
        def one(at: Any) -> Any:
            return np.sum(f(at, *args))

        return np.concatenate((gradient(one, x), np.reshape(one(x), 1)))

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


def off(f: Any, k: Any, places: Any, xdata: Any, ydata: Any, sigma: Any) -> Any:
    """How far a model with the parameters `k`, as many as `places`, is off the data, in the
    standard deviations `sigma`, or with that covariance, as `curve_fit` takes them.
    """
    at = np.asarray(xdata, float) if isinstance(xdata, list | tuple | np.ndarray) else xdata
    r = np.ravel(f(at, *[k[i] for i in places]) - np.asarray(ydata, float))
    if sigma is None:
        return r
    scale = np.asarray(sigma, float)
    if np.ndim(scale) == 2:
        return np.sum(np.linalg.inv(np.linalg.cholesky(scale)) * r, axis=1)
    return r / scale


def fitted(f: Any) -> Any:
    """Of a model: the gradient of half the sum of squares in its parameters."""

    def slope(k: Any, places: Any, xdata: Any, ydata: Any, sigma: Any) -> Any:
        def half(at: Any) -> Any:
            r = off(f, at, places, xdata, ydata, sigma)
            return 0.5 * np.sum(r * r)

        return gradient(half, k)

    return slope


def fitted_closely(f: Any) -> Any:
    """The same, and after it the covariance of the parameters for residuals of the variance 1, and
    the sum of squares.
    """

    def all_three(k: Any, places: Any, xdata: Any, ydata: Any, sigma: Any) -> Any:
        def residuals(at: Any) -> Any:
            return off(f, at, places, xdata, ydata, sigma)

        r, back = pullback(residuals, k)
        slopes = np.stack([back(unit)[0] for unit in np.eye(int(np.size(r)))])
        covariance = np.linalg.inv(np.transpose(slopes) @ slopes)
        total = np.reshape(np.sum(r * r), 1)
        return np.concatenate((r @ slopes, np.ravel(covariance), total))

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


def pchip_slopes(y: Any, x: Any) -> Any:
    """Of `PchipInterpolator` at its knots: weighted harmonic means of those of the secants, zero at
    an extremum (F. N. Fritsch and J. Butland 1984, "A method for constructing local monotone
    piecewise cubic interpolants"). `(n, ...)` of `y: (n, ...)` and `x: (n,)`.
    """
    h = np.reshape(np.diff(x), (-1,) + (1,) * (np.ndim(y) - 1))
    m = np.diff(y, axis=0) / h
    if len(m) == 1:
        return np.concatenate((m, m))
    turns = np.sign(m[1:]) * np.sign(m[:-1]) <= 0
    before, after = np.where(turns, 1.0, m[:-1]), np.where(turns, 1.0, m[1:])
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    inner = np.where(turns, 0.0, (w1 + w2) / (w1 / before + w2 / after))
    first = end_slope(h[:1], h[1:2], m[:1], m[1:2])
    last = end_slope(h[-1:], h[-2:-1], m[-1:], m[-2:-1])
    return np.concatenate((first, inner, last))


def end_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    """At an end, from three points, where that keeps the shape (C. Moler 2004, Numerical Computing
    with MATLAB, section 3.6).
    """
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3 * np.abs(m0))
    return np.where(np.sign(d) != np.sign(m0), 0.0, np.where(steep, 3 * m0, d))


def akima_slopes(y: Any, x: Any) -> Any:
    """Of `Akima1DInterpolator` at its knots (H. Akima 1970, "A new method of interpolation and
    smooth curve fitting based on local procedures").
    """
    return weighted_slopes(y, x, 0.0)


def makima_slopes(y: Any, x: Any) -> Any:
    """The same with `method="makima"`."""
    return weighted_slopes(y, x, 0.5)


def weighted_slopes(y: Any, x: Any, flat: float) -> Any:
    h = np.reshape(np.diff(x), (-1,) + (1,) * (np.ndim(y) - 1))
    s = np.diff(y, axis=0) / h
    if len(s) == 1:
        return np.concatenate((s, s))
    left, right = 2 * s[:1] - s[1:2], 2 * s[-1:] - s[-2:-1]
    m = np.concatenate((2 * left - s[:1], left, s, right, 2 * right - s[-1:]))
    bends = np.abs(np.diff(m, axis=0)) + flat * np.abs(m[1:] + m[:-1])
    f1, f2 = bends[2:], bends[:-2]
    both = f1 + f2
    told = both > 1e-9 * np.max(both)
    share = np.where(told, f2 / np.where(told, both, 1.0), 0.0)
    return np.where(told, m[1:-2] + share * (m[2:-1] - m[1:-2]), 0.5 * (m[3:] + m[:-3]))


def parabolas(y: Any, h: Any) -> Any:
    """The integrals over the single intervals, of the steps `h`, of samples along the last axis: of
    the parabola through its ends and one sample more, the next one for the intervals in even
    places, the one before for the others and the last. Of two samples, of a line.
    """
    n = np.shape(y)[-1]
    if n < 3:
        return 0.5 * h * (y[..., 1:] + y[..., :-1])
    first = parabola(h[..., :-1], h[..., 1:], y[..., :-2], y[..., 1:-1], y[..., 2:])
    last = parabola(h[..., 1:], h[..., :-1], y[..., 2:], y[..., 1:-1], y[..., :-2])
    ahead = np.concatenate((first, last[..., -1:]), axis=-1)
    behind = np.concatenate((first[..., :1], last), axis=-1)
    places = np.arange(n - 1)
    return np.where((places % 2 == 0) & (places < n - 2), ahead, behind)


def parabola(h: Any, further: Any, f1: Any, f2: Any, f3: Any) -> Any:
    """Over the first step of two (K. V. Cartwright 2017, "Simpson's rule cumulative integration
    with MS Excel and irregularly-spaced data").
    """
    share = h / (h + further)
    bend = h * share / further
    return h / 6 * ((3 - share) * f1 + (3 + bend + share) * f2 - bend * f3)


__all__ = [
    "akima_slopes",
    "makima_slopes",
    "pchip_slopes",
    "Maker",
    "first_of",
    "fitted",
    "fitted_closely",
    "made",
    "of_vector",
    "off_itself",
    "parabolas",
    "right_hand_side",
    "slope_and_value",
    "slope_of",
    "squares",
    "time_first",
    "unmade",
    "vector_of",
]
