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
from .registry import call, conj, named, rank_of, rule, shape_of_atom
from .sequences import as_dtype, carries
from .sizes import decided, dtype_of, normal


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


def chosen(c: Any, where: Any) -> Any:
    """`c` where a mask is true, zero elsewhere."""
    return c if where is True else np.where(where, c, 0.0)


def as_given(c: Any, y: Any, a: Any, dtype: Any) -> Any:
    """The cotangent of `a`, which `dtype=` had converted."""
    return c if dtype is None else as_dtype(c, a) if carries(y, a) else None


def counted(g: Any, a: Any, axis: Any, where: Any) -> Any:
    """How many elements are taken together, with the reduced axes where a mask selects them."""
    if where is True:
        return count_of(a, axis)
    mask = call(np.broadcast_to, where, np.shape(a))
    n = np.sum(mask, axis=axis, keepdims=axis is not None, **real_like(mask, g))
    return n


# ---- sums


@rule(np.sum, np.add.reduce, order="a axis dtype out keepdims initial? where")
def sum_(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    c = chosen(_over(restored(g, a, axis, keepdims), a), where)
    return as_given(c, y, a, dtype), None if initial is None else np.sum(g)


@rule(np.mean, order="a axis dtype out keepdims")
def mean(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    c = np.divide(restored(g, a, axis, keepdims), counted(g, a, axis, where))
    return as_given(chosen(_over(c, a), where), y, a, dtype)


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
def cumsum(g: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    if axis is None:
        c = np.flip(np.cumsum(np.flip(g)))
        flat = shape_of_atom(a) is not None and rank_of(a) == 1
        return as_given(c if flat else np.reshape(c, np.shape(a)), y, a, dtype)
    return as_given(np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis), y, a, dtype)


@rule(np.add.accumulate, order="a axis dtype out")
def add_accumulate(g: Any, y: Any, a: Any, axis: Any = 0, dtype: Any = None) -> Any:
    return cumsum(g, y, a, axis, dtype)


@rule(*named("cumulative_sum"))
def cumulative_sum(
    g: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, include_initial: Any = False
) -> Any:
    return cumsum(_after_first(g, x, axis, include_initial), y, x, axis, dtype)


def _after_first(g: Any, x: Any, axis: Any, include_initial: Any) -> Any:
    """The cotangent without that of the number that was put in front."""
    return cut(g, 0 if axis is None else axis, (1, None)) if include_initial else g


def cut(a: Any, axis: int, ends: tuple[Any, Any]) -> Any:
    i = normal(axis, rank_of(a))
    return a[(*((slice(None),) * i), slice(*ends))]


def beside(axis: int, rank: int, low: int, high: int) -> tuple[tuple[int, int], ...]:
    return tuple((low, high) if i == normal(axis, rank) else (0, 0) for i in range(rank))


# ---- products


def others(a: Any, axis: int) -> Any:
    """The product of the other elements along an axis."""
    after = np.flip(call(runtime.before, np.flip(a, axis), axis), axis)
    return call(runtime.before, a, axis) * after


@rule(np.prod, order="a axis dtype out keepdims initial? where")
def prod(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    x = a if where is True else np.where(where, a, 1.0)
    bar = None
    if initial is not None:
        bar = np.sum(g * conj(np.prod(x, axis=axis, keepdims=keepdims)))
        g = g * conj(initial)
    c = chosen(_prod(g, x, axis, keepdims), where)
    return as_given(c, y, a, dtype), bar


def _prod(g: Any, a: Any, axis: Any, keepdims: Any) -> Any:
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


@rule(np.multiply.reduce, order="a axis dtype out keepdims initial? where")
def multiply_reduce(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    return prod(g, y, a, initial, axis, dtype, keepdims, where)


@rule(np.cumprod, order="a axis dtype out")
def cumprod(g: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    if axis is None and rank_of(a) != 1:
        c = np.reshape(cumprod(g, y, np.ravel(a), 0), np.shape(a))
        return as_given(c, y, a, dtype)
    i = 0 if axis is None else normal(axis, rank_of(a))
    c = conj(call(runtime.before, a, i)) * call(runtime.horner, g, conj(a), i)
    return as_given(c, y, a, dtype)


@rule(np.multiply.accumulate, order="a axis dtype out")
def multiply_accumulate(g: Any, y: Any, a: Any, axis: Any = 0, dtype: Any = None) -> Any:
    return cumprod(g, y, a, axis, dtype)


@rule(*named("cumulative_prod"))
def cumulative_prod(
    g: Any, y: Any, x: Any, axis: Any = None, dtype: Any = None, include_initial: Any = False
) -> Any:
    return cumprod(_after_first(g, x, axis, include_initial), y, x, axis, dtype)


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
    rest = cut(c, axis, (None, -1) if by > 0 else (1, None))
    return np.pad(rest, beside(axis, rank, *((1, 0) if by > 0 else (0, 1))))


# ---- extremes


@rule(
    np.max,
    np.min,
    np.amax,
    np.amin,
    np.nanmax,
    np.nanmin,
    order="a axis out keepdims initial? where",
)
def extreme(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = None,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    if shape_of_atom(a) == () and initial is None:
        return g, None
    best = np.equal(a, restored(y, a, axis, keepdims))
    best = best if where is True else np.logical_and(best, where)
    n = np.sum(best, axis=axis, keepdims=keepdims, **real_like(best, g))
    bar = None
    if initial is not None:
        won = np.equal(y, initial)
        n = np.add(n, won)
        bar = np.sum(np.where(won, np.divide(g, n), 0.0))
    return np.where(best, restored(np.divide(g, n), a, axis, keepdims), 0.0), bar


@rule(
    np.maximum.reduce,
    np.minimum.reduce,
    np.fmax.reduce,
    np.fmin.reduce,
    order="a axis dtype out keepdims initial? where",
)
def extreme_reduce(
    g: Any,
    y: Any,
    a: Any,
    initial: Any,
    axis: Any = 0,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    return extreme(g, y, a, initial, axis, keepdims, where)


@rule(np.ptp, order="a axis out keepdims")
def ptp(g: Any, y: Any, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    high = np.max(a, axis=axis, keepdims=keepdims)
    low = np.min(a, axis=axis, keepdims=keepdims)
    c = extreme(g, high, a, None, axis, keepdims)[0]
    return c - extreme(g, low, a, None, axis, keepdims)[0]


# ---- moments


@rule(np.var, order="a axis dtype out ddof keepdims where mean? correction")
def var(
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
    scale = np.divide(
        2.0 * restored(g, a, axis, keepdims), _freedom(g, a, axis, ddof, correction, where)
    )
    return _moment(scale, y, a, mean, axis, dtype, where)


@rule(np.std, order="a axis dtype out ddof keepdims where mean? correction")
def std(
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
    safe = np.where(np.equal(y, 0), 1.0, y)  # the deviations are 0 there, and so is the cotangent
    g, safe = restored(g, a, axis, keepdims), restored(safe, a, axis, keepdims)
    scale = np.divide(g, safe * _freedom(g, a, axis, ddof, correction, where))
    return _moment(scale, y, a, mean, axis, dtype, where)


def _moment(
    scale: Any, y: Any, a: Any, mean: Any, axis: Any, dtype: Any, where: Any
) -> tuple[Any, Any]:
    """The cotangents of the data and of a mean that was given."""
    known = {} if where is True else {"where": where}
    middle = np.mean(a, axis=axis, keepdims=axis is not None, **known) if mean is None else mean
    c = chosen(scale * (a - middle), where)
    bar = None if mean is None else call(runtime.unbroadcast, -c, mean)
    return as_given(c, y, a, dtype), bar


def _freedom(g: Any, a: Any, axis: Any, ddof: Any, correction: Any, where: Any) -> Any:
    ddof = ddof if correction is None else correction
    n = counted(g, a, axis, where)
    return n - ddof if isinstance(ddof, Value) or ddof else n
