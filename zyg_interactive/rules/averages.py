"""Python's own `statistics`: means and spreads. It computes them with fractions, exactly, so the
values are Python's, and the rules are those of the formulas. The other functions of the module are
followed like the user's.
"""

from __future__ import annotations

import math
import operator
import statistics
from typing import Any

import numpy as np

from ..ir.types import FLOAT, UNKNOWN, Type
from .builtins import _through_array, members_of_type
from .indexing import fitted
from .registry import call, result, rule, unsupported
from .sizes import member_type, members, rebuilt


def _each(xs: Any, pullback: Any) -> Any:
    """The cotangent of data, computed on the array of them, in their structure."""
    items = members(xs)
    if items is None:
        return _through_array(xs, pullback)
    bars = pullback(call(np.array, items))
    return rebuilt(xs, [fitted(call(operator.getitem, bars, i), x) for i, x in enumerate(items)])


@rule(statistics.mean)
def mean(g: Any, y: Any, data: Any) -> Any:
    return (_each(data, lambda a: np.broadcast_to(g / np.size(a), np.shape(a))),)


@rule(statistics.fmean, order="data weights?")
def fmean(g: Any, y: Any, data: Any, weights: Any) -> Any:
    if weights is None:
        return *mean(g, y, data), None
    w, x = call(np.array, weights), call(np.array, data)
    share = g / np.sum(w)
    return (
        _each(data, lambda a: share * w),
        _each(weights, lambda a: share * (x - y)),
    )


@rule(statistics.geometric_mean)
def geometric_mean(g: Any, y: Any, data: Any) -> Any:
    return (_each(data, lambda a: g * y / (np.size(a) * a)),)


@rule(statistics.harmonic_mean, order="data weights?")
def harmonic_mean(g: Any, y: Any, data: Any, weights: Any) -> Any:
    if weights is None:
        return _each(data, lambda a: g * _over_squares(y**2, a) / np.size(a)), None
    w, x = call(np.array, weights), call(np.array, data)
    share = g * y / np.sum(w)
    return (
        _each(data, lambda a: share * _over_squares(y * w, a)),
        _each(weights, lambda a: share * (1 - y / x)),
    )


def _over_squares(top: Any, a: Any) -> Any:
    """`top / a**2`; at 0 the harmonic mean is 0 by definition, and has no derivative there."""
    zero = np.equal(a, 0)
    return np.where(zero, np.nan, top / np.where(zero, 1.0, a) ** 2)


@rule(statistics.variance, order="data xbar?")
def variance(g: Any, y: Any, data: Any, xbar: Any) -> Any:
    return _of_squares(g, data, xbar, 1)


@rule(statistics.pvariance, order="data mu?")
def pvariance(g: Any, y: Any, data: Any, mu: Any) -> Any:
    return _of_squares(g, data, mu, 0)


@rule(statistics.stdev, order="data xbar?")
def stdev(g: Any, y: Any, data: Any, xbar: Any) -> Any:
    return _of_squares(_under_root(g, y), data, xbar, 1)


@rule(statistics.pstdev, order="data mu?")
def pstdev(g: Any, y: Any, data: Any, mu: Any) -> Any:
    return _of_squares(_under_root(g, y), data, mu, 0)


def _under_root(g: Any, y: Any) -> Any:
    # Where all are equal, the deviations are 0, and so is the cotangent.
    return g / (2 * np.where(np.equal(y, 0), 1.0, y))


def _of_squares(g: Any, data: Any, centre: Any, lost: int) -> tuple[Any, Any]:
    """The cotangents of the sum of squares about a centre, divided by the count less `lost`."""
    x = call(np.array, data)
    middle = np.mean(x) if centre is None else centre
    share = 2 * g / (np.size(x) - lost)
    bar = _each(data, lambda a: share * (a - middle))
    return bar, None if centre is None else -share * np.sum(x - centre)


# Since Python 3.12: what the functions of two sets of data are computed with.
SUM_OF_PRODUCTS = getattr(math, "sumprod", None)
if SUM_OF_PRODUCTS is not None:

    @rule(SUM_OF_PRODUCTS)
    def sumprod(g: Any, y: Any, p: Any, q: Any) -> Any:
        a, b = (call(np.array, v if members(v) is None else members(v)) for v in (p, q))
        return _each(p, lambda _: g * b), _each(q, lambda _: g * a)


@rule(statistics.mode)
def mode(g: Any, y: Any, data: Any) -> Any:
    raise unsupported("the most common value", "count whole numbers, and index with the place")


@result(statistics.mean, statistics.fmean, statistics.geometric_mean, statistics.harmonic_mean)
@result(statistics.variance, statistics.stdev, statistics.pvariance, statistics.pstdev)
def of_floats(data: Any, *rest: Any, **more: Any) -> Type:
    types = members_of_type(data) or (member_type(data),)
    return FLOAT if all(t == FLOAT for t in types) else UNKNOWN
