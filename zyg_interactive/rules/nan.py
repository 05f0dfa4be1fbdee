"""Reductions that leave NaN out: those of `reductions` with a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reductions import as_given, cumprod, cumsum, mean, prod, std, sum_, var
from .registry import rule


def _there(a: Any) -> Any:
    return np.logical_not(np.isnan(a))


def _both(where: Any, a: Any) -> Any:
    return _there(a) if where is True else np.logical_and(_there(a), where)


@rule(np.nansum, order="a axis dtype out keepdims initial? where")
def nansum(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    return sum_(g, y, a, initial, axis, dtype, keepdims, _both(where, a))


@rule(np.nanprod, order="a axis dtype out keepdims initial? where")
def nanprod(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    return prod(g, y, a, initial, axis, dtype, keepdims, _both(where, a))


@rule(np.nanmean, order="a axis dtype out keepdims")
def nanmean(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    return mean(g, y, a, axis, dtype, keepdims, _both(where, a))


def _moment(of: Any) -> Any:
    def moment(
        g: Any,
        y: Any,
        a: Any,
        mean: Any,
        axis: Any = None,
        dtype: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        where: Any = True,
        correction: Any = None,
    ) -> Any:
        there = _both(where, a)
        return of(g, y, a, mean, axis, dtype, ddof, keepdims, there, correction)

    return moment


_ORDER = "a axis dtype out ddof keepdims where mean? correction"
rule(np.nanvar, order=_ORDER)(_moment(var))
rule(np.nanstd, order=_ORDER)(_moment(std))


@rule(np.nancumsum, order="a axis dtype out")
def nancumsum(g: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return as_given(np.where(_there(a), cumsum(g, y, a, axis), 0.0), y, a, dtype)


@rule(np.nancumprod, order="a axis dtype out")
def nancumprod(g: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    c = cumprod(g, y, np.where(_there(a), a, 1.0), axis)
    return as_given(np.where(_there(a), c, 0.0), y, a, dtype)
