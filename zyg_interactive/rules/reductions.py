"""Sums, products, extremes and moments along axes, and cumulative forms of them.

The cotangent of a reduction is spread over what was reduced: `restored` gives the reduced axes
back. Products use prefix products and Horner's scheme in the place of division, so zeros are right.
Ties of extremes share equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, Type, is_plural
from .registry import call, conj, rank_of, result, rule, shape_of_atom
from .sizes import (
    decided,
    dtype_after,
    dtype_of,
    less,
    normal,
    product,
    reduced,
    shape_at,
    static,
    with_size,
)


def restored(g: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    """`g`, the cotangent of a reduction of `a`, with its reduced axes back as axes of size one."""
    if axis is None or keepdims or shape_of_atom(a) == ():
        return g
    return np.expand_dims(g, axis)


def _over(g: Any, a: Any) -> Any:
    return g if shape_of_atom(a) == () else np.broadcast_to(g, np.shape(a))


def count_of(a: Any, axis: Any) -> Any:
    """How many elements of `a` a reduction of `axis` takes together."""
    if axis is None:
        return np.size(a)
    if not isinstance(axis, tuple):
        return np.shape(a)[axis] if shape_of_atom(a) != () else 1
    n: Any = 1
    for i in axis:
        n = np.shape(a)[i] if isinstance(n, int) and n == 1 else n * np.shape(a)[i]
    return n


def real_like(mask: Any, g: Any) -> dict[str, Any]:
    """The `dtype=` with which a count does not promote a cotangent of single precision."""
    dtype = dtype_of(type_of(g))
    return {"dtype": dtype.type(0).real.dtype} if dtype is not None and dtype.kind in "fc" else {}


# ---- sums


@rule(np.sum, order="a axis dtype out keepdims")
@rule(np.add.reduce, order="a axis dtype out keepdims")
def sum_(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return _over(restored(g, a, axis, keepdims), a)


@rule(np.mean, order="a axis dtype out keepdims")
def mean(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return _over(np.divide(restored(g, a, axis, keepdims), count_of(a, axis)), a)


@rule(np.nansum, order="a axis dtype out keepdims")
def nansum(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return np.where(np.isnan(a), 0.0, restored(g, a, axis, keepdims))


@rule(np.nanmean, order="a axis dtype out keepdims")
def nanmean(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    there = np.logical_not(np.isnan(a))
    n = np.sum(there, axis=axis, keepdims=True, **real_like(there, g))
    n = np.reshape(n, ()) if axis is None else n
    return np.where(there, np.divide(restored(g, a, axis, keepdims), n), 0.0)


@rule(np.average, order="a axis weights? returned")
def average(g: Any, y: Any, a: Any, weights: Any, axis: Any = None, keepdims: Any = False) -> Any:
    if weights is None:
        return mean(g, y, a, axis, keepdims), None
    g, y = (restored(v, a, axis, keepdims) for v in (g, y))
    if shape_of_atom(weights) is None or rank_of(weights) == rank_of(a):
        w = weights
        share = np.divide(g, np.sum(w, axis=axis, keepdims=axis is not None))
        return share * conj(w), conj(a - y) * share
    # One-dimensional weights along one axis.
    rank = rank_of(a)
    others = tuple(i for i in range(rank) if i != normal(decided(axis), rank))
    share = np.divide(g, np.sum(weights))
    return share * conj(np.expand_dims(weights, others)), np.sum(conj(a - y) * share, axis=others)


@rule(np.cumsum, order="a axis dtype out")
def cumsum(g: Any, y: Any, a: Any, axis: Any = None) -> Any:
    if axis is None:
        c = np.flip(np.cumsum(np.flip(g)))
        return c if shape_of_atom(a) is not None and rank_of(a) == 1 else np.reshape(c, np.shape(a))
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


@rule(np.add.accumulate, order="a axis dtype out")
def add_accumulate(g: Any, y: Any, a: Any, axis: Any = 0) -> Any:
    return cumsum(g, y, a, axis)


@rule(np.diff, order="a n axis")
def diff(g: Any, y: Any, a: Any, n: Any = 1, axis: Any = -1) -> Any:
    # The transpose of a difference is the difference of the padded cotangent, its sign turned.
    rank, n = rank_of(a), int(n)
    width = tuple((n, n) if i == normal(axis, rank) else (0, 0) for i in range(rank))
    c = np.diff(np.pad(g, width), n=n, axis=axis)
    return -c if n % 2 else c


@rule(np.trapezoid, order="y x? dx? axis")
def trapezoid(g: Any, out: Any, y: Any, x: Any, dx: Any, axis: Any = -1) -> Any:
    g = np.expand_dims(g, axis)
    low, high = (_cut(y, axis, ends) for ends in ((None, -1), (1, None)))
    if x is None:
        step = 1.0 if dx is None else dx
        half = g * (0.5 * step)
        dx_bar = np.sum(g * (0.5 * conj(low + high)))
        return _ends(half, y, axis), None, dx_bar
    rank = rank_of(y)
    if rank_of(x) != 1 and rank_of(x) != rank:
        raise ValueError("np.trapezoid with `x` of another rank than `y`")
    step = np.diff(x, axis=axis if rank_of(x) == rank else -1)
    if rank_of(x) == 1 and rank > 1:
        step = np.reshape(step, tuple(-1 if i == normal(axis, rank) else 1 for i in range(rank)))
    half = g * 0.5 * step
    y_bar = np.pad(half, _beside(axis, rank, 0, 1)) + np.pad(half, _beside(axis, rank, 1, 0))
    slope = g * (0.5 * conj(low + high))
    if rank_of(x) == 1 and rank > 1:
        slope = np.sum(slope, axis=tuple(i for i in range(rank) if i != normal(axis, rank)))
    return y_bar, diff(slope, None, x, axis=axis if rank_of(x) == rank else -1), None


def _cut(a: Any, axis: int, ends: tuple[int | None, int | None]) -> Any:
    i = normal(axis, rank_of(a))
    return a[(*((slice(None),) * i), slice(*ends))]


def _beside(axis: int, rank: int, low: int, high: int) -> tuple[tuple[int, int], ...]:
    return tuple((low, high) if i == normal(axis, rank) else (0, 0) for i in range(rank))


def _ends(half: Any, y: Any, axis: int) -> Any:
    """The trapezoidal weights: each step gives half of itself to both of its ends."""
    rank = rank_of(y)
    inner = np.broadcast_to(half, np.shape(_cut(y, axis, (1, None))))
    return np.pad(inner, _beside(axis, rank, 0, 1)) + np.pad(inner, _beside(axis, rank, 1, 0))


# ---- products


def others(a: Any, axis: int) -> Any:
    """The product of the other elements along an axis."""
    after = np.flip(call(runtime.before, np.flip(a, axis), axis), axis)
    return call(runtime.before, a, axis) * after


@rule(np.prod, order="a axis dtype out keepdims")
def prod(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    rank = rank_of(a)
    if rank == 0:
        return g
    if axis is None and rank > 1:
        return g * np.reshape(conj(others(np.ravel(a), 0)), np.shape(a))
    axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    c, partial = restored(g, a, axis, keepdims), a
    for i, ax in enumerate(axes):
        c = c * conj(others(partial, normal(ax, rank)))
        if i + 1 < len(axes):
            partial = np.prod(partial, axis=ax, keepdims=True)
    return c


@rule(np.multiply.reduce, order="a axis dtype out keepdims")
def multiply_reduce(g: Any, y: Any, a: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return prod(g, y, a, axis, keepdims)


@rule(np.cumprod, order="a axis dtype out")
def cumprod(g: Any, y: Any, a: Any, axis: Any = None) -> Any:
    if axis is None and rank_of(a) != 1:
        return np.reshape(cumprod(g, y, np.ravel(a), 0), np.shape(a))
    i = 0 if axis is None else normal(axis, rank_of(a))
    return conj(call(runtime.before, a, i)) * call(runtime.horner, g, conj(a), i)


@rule(np.multiply.accumulate, order="a axis dtype out")
def multiply_accumulate(g: Any, y: Any, a: Any, axis: Any = 0) -> Any:
    return cumprod(g, y, a, axis)


@rule(runtime.before)
def before(g: Any, y: Any, x: Any, axis: Any) -> Any:
    # y[i + 1] = y[i] * x[i]: cumprod, one place later.
    ahead = _shifted(g, x, axis, -1)
    return conj(y) * call(runtime.horner, ahead, conj(x), axis), None


@rule(runtime.horner)
def horner(g: Any, y: Any, c: Any, x: Any, axis: Any) -> Any:
    # The transposed recurrence runs the other way: t[i] = g[i] + x[i] * t[i - 1].
    factors = np.flip(np.roll(conj(x), -1, axis), axis)
    t = np.flip(call(runtime.horner, np.flip(g, axis), factors, axis), axis)
    return t, _shifted(t, x, axis, 1) * conj(y), None


def _shifted(c: Any, x: Any, axis: int, by: int) -> Any:
    """`c` moved along an axis, with zero where it comes in."""
    rank = rank_of(x)
    cut = _cut(c, axis, (None, -1) if by > 0 else (1, None))
    return np.pad(cut, _beside(axis, rank, *((1, 0) if by > 0 else (0, 1))))


# ---- extremes


@rule(np.max, np.min, np.nanmax, np.nanmin, order="a axis out keepdims")
def extreme(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    if shape_of_atom(a) == ():
        return g
    best = np.equal(a, restored(y, a, axis, keepdims))
    n = np.sum(best, axis=axis, keepdims=keepdims, **real_like(best, g))
    return np.where(best, restored(np.divide(g, n), a, axis, keepdims), 0.0)


@rule(np.maximum.reduce, np.minimum.reduce, order="a axis dtype out keepdims")
def extreme_reduce(g: Any, y: Any, a: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return extreme(g, y, a, axis, keepdims)


@rule(np.ptp, order="a axis out keepdims")
def ptp(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    high = np.max(a, axis=axis, keepdims=keepdims)
    low = np.min(a, axis=axis, keepdims=keepdims)
    return extreme(g, high, a, axis, keepdims) - extreme(g, low, a, axis, keepdims)


# ---- moments


@rule(np.var, order="a axis dtype out ddof keepdims")
def var(g: Any, y: Any, a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    scale = np.divide(2.0 * g, _freedom(a, axis, ddof))
    return restored(scale, a, axis, keepdims) * _centred(a, axis)


@rule(np.std, order="a axis dtype out ddof keepdims")
def std(g: Any, y: Any, a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    safe = np.where(np.equal(y, 0), 1.0, y)  # the deviations are 0 there, and so is the cotangent
    scale = np.divide(g, safe * _freedom(a, axis, ddof))
    return restored(scale, a, axis, keepdims) * _centred(a, axis)


def _freedom(a: Any, axis: Any, ddof: Any) -> Any:
    n = count_of(a, axis)
    return n - ddof if isinstance(ddof, Value) or ddof else n


def _centred(a: Any, axis: Any) -> Any:
    return a - np.mean(a, axis=axis, keepdims=axis is not None)


# ---- types of results


def _reduction(fn: Any, default: Any = None, integer_result: bool = True) -> Any:
    def how(
        a: Any, axis: Any = default, dtype: Any = None, out: Any = None, keepdims: Any = False
    ) -> Type:
        if out is not None:
            return UNKNOWN
        given = static(dtype)
        kind = dtype_after(fn, dtype_of(type_of(a)))
        if given is not None:
            kind = None if isinstance(given, Value) else np.dtype(given)
        return Array(kind, reduced(shape_at(a), axis, keepdims))

    return how


_SUMS: tuple[Any, ...] = (np.sum, np.mean, np.prod, np.nansum, np.nanmean)
for _sum in _SUMS:
    result(_sum)(_reduction(_sum))
for _ufunc in (np.add, np.multiply):
    result(_ufunc.reduce)(_reduction(_ufunc.reduce, 0))


def _extreme(fn: Any, default: Any = None) -> Any:
    def how(a: Any, axis: Any = default, out: Any = None, keepdims: Any = False) -> Type:
        if out is not None:
            return UNKNOWN
        return Array(dtype_of(type_of(a)), reduced(shape_at(a), axis, keepdims))

    return how


_EXTREMES: tuple[Any, ...] = (np.max, np.min, np.nanmax, np.nanmin, np.ptp)
for _best in _EXTREMES:
    result(_best)(_extreme(_best))


@result(np.maximum.reduce, np.minimum.reduce)
def _extreme_reduce(
    a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False
) -> Type:
    known = dtype is None and out is None
    return Array(dtype_of(type_of(a)), reduced(shape_at(a), axis, keepdims)) if known else UNKNOWN


@result(np.var, np.std)
def _moment(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **rest: Any,
) -> Type:
    kind = dtype_after(np.var, dtype_of(type_of(a))) if dtype is None else None
    shape = reduced(shape_at(a), axis, keepdims)
    return Array(kind, shape) if out is None and not rest else UNKNOWN


@result(np.average)
def _average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, keepdims: Any = False
) -> Type:
    if static(returned) is not False:
        return UNKNOWN
    own = [dtype_of(type_of(v)) for v in (a, weights) if v is not None]
    return Array(dtype_after(_quotient, *own), reduced(shape_at(a), axis, keepdims))


def _quotient(a: Any, w: Any = 1) -> Any:
    return np.average(np.ravel(a), weights=np.ravel(w))


def _accumulation(fn: Any, default: Any = None) -> Any:
    def how(a: Any, axis: Any = default, dtype: Any = None, out: Any = None) -> Type:
        if out is not None or dtype is not None:
            return UNKNOWN
        kind, shape = dtype_after(fn, dtype_of(type_of(a))), shape_at(a)
        if static(axis) is None:
            return Array(kind, None if shape is None else (product(shape),))
        return Array(kind, shape or None)

    return how


result(np.cumsum)(_accumulation(np.cumsum))
result(np.cumprod)(_accumulation(np.cumprod))
for _ufunc in (np.add, np.multiply):
    result(_ufunc.accumulate)(_accumulation(_ufunc.accumulate, 0))


@result(np.diff)
def _diff(a: Any, n: Any = 1, axis: Any = -1, **rest: Any) -> Type:
    shape, kind = shape_at(a), dtype_of(type_of(a))
    if rest or shape is None or isinstance(static(n), Value):
        return Array(kind, None)
    size = less(shape[normal(decided(axis), len(shape))], decided(n))
    return Array(kind, with_size(shape, axis, size))


@result(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Type:
    own = [dtype_of(type_of(v)) for v in (y, x) if v is not None]
    return Array(dtype_after(np.trapezoid, *own), reduced(shape_at(y), axis, False))


@result(runtime.before)
def _before(x: Any, axis: Any) -> Type:
    return type_of(x)


@result(runtime.horner)
def _horner(c: Any, x: Any, axis: Any) -> Type:
    shapes = [shape_at(v) for v in (c, x)]
    known = [s for s in shapes if s is not None]
    known.sort(key=lambda s: not any(map(is_plural, s)))
    dtype = dtype_after(np.add, dtype_of(type_of(c)), dtype_of(type_of(x)))
    return Array(dtype, known[0] if known else None)
