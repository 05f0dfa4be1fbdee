"""The types of what `reductions` sums, multiplies and accumulates."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, Scalar, Type, fresh, is_plural
from .registry import named, result
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
    total,
    with_size,
)


def _is_plain(a: Any, initial: Any) -> bool:
    """Whether the first number leaves the dtype of the others as it is."""
    kind = dtype_of(type_of(a))
    if initial is None:
        return True
    t = type_of(initial)
    real = isinstance(t, Scalar) and t.kind != "complex"
    return real and kind is not None and kind.kind in "fc"


def _reduction(fn: Any, default: Any = None, integer_result: bool = True) -> Any:
    def how(
        a: Any,
        axis: Any = default,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        *more: Any,
        **rest: Any,
    ) -> Type:
        if out is not None or more or not _is_plain(a, rest.get("initial")):
            return UNKNOWN
        given = static(dtype)
        kind = dtype_after(fn, dtype_of(type_of(a)))
        if given is not None:
            kind = None if isinstance(given, Value) else np.dtype(given)
        return Array(kind, reduced(shape_at(a), axis, keepdims))

    return how


_SUMS: tuple[Any, ...] = (np.sum, np.mean, np.prod, np.nansum, np.nanmean, np.nanprod)
for _sum in _SUMS:
    result(_sum)(_reduction(_sum))
for _ufunc in (np.add, np.multiply):
    result(_ufunc.reduce)(_reduction(_ufunc.reduce, 0))


def _extreme(fn: Any, default: Any = None) -> Any:
    def how(
        a: Any,
        axis: Any = default,
        out: Any = None,
        keepdims: Any = False,
        *more: Any,
        **rest: Any,
    ) -> Type:
        if out is not None or more or not _is_plain(a, rest.get("initial")):
            return UNKNOWN
        return Array(dtype_of(type_of(a)), reduced(shape_at(a), axis, keepdims))

    return how


_EXTREMES: tuple[Any, ...] = (np.max, np.min, np.amax, np.amin, np.nanmax, np.nanmin, np.ptp)
for _best in _EXTREMES:
    result(_best)(_extreme(_best))


@result(np.maximum.reduce, np.minimum.reduce)
def _extreme_reduce(
    a: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False
) -> Type:
    known = dtype is None and out is None
    return Array(dtype_of(type_of(a)), reduced(shape_at(a), axis, keepdims)) if known else UNKNOWN


@result(np.var, np.std, np.nanvar, np.nanstd)
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
    return Array(kind, shape) if out is None and set(rest) <= {"where", "correction"} else UNKNOWN


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
        given = static(dtype)
        if out is not None or isinstance(given, Value):
            return UNKNOWN
        kind, shape = dtype_after(fn, dtype_of(type_of(a))), shape_at(a)
        kind = kind if given is None else np.dtype(given)
        if static(axis) is None:
            return Array(kind, None if shape is None else (product(shape),))
        return Array(kind, shape or None)

    return how


_RUNNING: tuple[Any, ...] = (np.cumsum, np.cumprod, np.nancumsum, np.nancumprod)
for _sum in _RUNNING:
    result(_sum)(_accumulation(_sum))
for _ufunc in (np.add, np.multiply):
    result(_ufunc.accumulate)(_accumulation(_ufunc.accumulate, 0))


@result(*named("cumulative_sum cumulative_prod"))
def _cumulative(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    include_initial: Any = False,
) -> Type:
    shape = shape_at(x)
    if dtype is not None or out is not None or shape is None:
        return UNKNOWN
    kind = dtype_after(_running_sum, dtype_of(type_of(x)))
    i = 0 if axis is None else normal(decided(axis), len(shape))
    return Array(kind, with_size(shape, i, total((shape[i], 1 if decided(include_initial) else 0))))


def _running_sum(x: Any) -> Any:
    return np.cumsum(x)


@result(np.diff)
def _diff(a: Any, n: Any = 1, axis: Any = -1, **rest: Any) -> Type:
    shape, kind = shape_at(a), dtype_of(type_of(a))
    if shape is None:
        return Array(kind, None)
    if rest or isinstance(static(n), Value):
        kinds = [kind, *(dtype_of(type_of(v)) for v in rest.values())]  # they are put together
        whole = None if None in kinds else np.result_type(*kinds)
        return Array(whole, with_size(shape, axis, fresh()))
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
