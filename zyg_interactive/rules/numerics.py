"""Interpolation, convolution, differences and ranks of samples: linear in the data, with weights
that depend on the places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type, fresh, shape_of
from .registry import call, constant, rank_of, result, rule, unsupported
from .sizes import static

constant(
    runtime.knot_places,
    runtime.inside_knots,
    runtime.beyond_knots,
    runtime.rank_weights,
    runtime.leaders,
)


@rule(np.interp, order="x xp fp left right period")
def interp(g: Any, y: Any, x: Any, xp: Any, fp: Any) -> Any:
    """Between two knots `fp[i] + t (fp[i + 1] - fp[i])`, outside constant."""
    x, xp, fp = (np.asarray(a) if isinstance(a, list | tuple) else a for a in (x, xp, fp))
    p = call(runtime.knot_places, x, xp)
    inside = call(runtime.inside_knots, x, xp)
    low, high = xp[p], xp[p + 1]
    t = np.where(inside, (x - low) / (high - low), call(runtime.beyond_knots, x, xp))
    c = np.where(inside, g * (fp[p + 1] - fp[p]) / (high - low), 0.0)

    def spread(of: Any, weights: Any, sign: float) -> Any:
        start = call(runtime.add_at, call(runtime.zeros_like, of), p, sign * weights * (1 - t))
        return call(runtime.add_at, start, p + 1, sign * weights * t)

    return c, spread(xp, c, -1.0), spread(fp, g, 1.0)


# ---- convolution


@rule(np.convolve, order="a v mode")
def convolve(g: Any, y: Any, a: Any, v: Any, mode: Any = "full") -> Any:
    whole = g if mode == "full" else call(runtime.embedded, g, a, v, mode)
    return np.correlate(whole, v, mode="valid"), np.correlate(whole, a, mode="valid")


@rule(np.correlate, order="a v mode")
def correlate(g: Any, y: Any, a: Any, v: Any, mode: Any = "valid") -> Any:
    if mode == "same":
        raise unsupported("`np.correlate` with mode='same'")
    a_bar, c = convolve(g, y, a, np.conj(np.flip(v)), mode)
    return a_bar, np.conj(np.flip(c))


@rule(runtime.embedded)
def embedded(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.middle, g, a, v, mode), None, None, None


@rule(runtime.middle)
def middle(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.embedded, g, a, v, mode), None, None, None


# ---- differences


@rule(np.ediff1d, order="ary to_end to_begin")
def ediff1d(g: Any, y: Any, ary: Any) -> Any:
    c = -np.diff(np.pad(g, 1))
    return c if rank_of(ary) == 1 else np.reshape(c, np.shape(ary))


@rule(np.gradient, order="f spacing?")
def gradient(
    g: Any, y: Any, f: Any, spacing: Any, axis: Any = None, edge_order: Any = 1
) -> Any:
    if (axis is None and rank_of(f) != 1) or isinstance(axis, tuple) or edge_order != 1:
        raise unsupported("`np.gradient` along several axes, or with edge_order=2")
    if spacing is not None and rank_of(spacing) != 0:
        raise unsupported("`np.gradient` with coordinates")
    c = call(runtime.gradient_back, g, 0 if axis is None else axis)
    return (c, None) if spacing is None else (c / spacing, -np.sum(g * y) / spacing)


@rule(runtime.gradient_back)
def gradient_back(g: Any, y: Any, c: Any, axis: Any) -> Any:
    return np.gradient(g, axis=axis), None


# ---- ranks


def _quantile(g: Any, a: Any, q: Any, axis: Any, keepdims: Any) -> Any:
    x = np.ravel(a) if axis is None else a
    at = 0 if axis is None else axis
    if rank_of(q) != 0:
        raise unsupported("quantiles of several probabilities at once")
    if axis is not None and (isinstance(axis, tuple) or rank_of(a) is None):
        raise unsupported("quantiles along several axes")
    weights = call(runtime.rank_weights, q, x, at)
    n = rank_of(x) or 1
    shape = [1] * n
    shape[at] = -1
    if axis is None:
        g = np.reshape(g, ())
    elif not keepdims:
        g = np.expand_dims(g, at)
    c = call(runtime.add_along_axis, g * np.reshape(weights, shape), x, np.argsort(x, axis=at), at)
    return np.reshape(c, np.shape(a)) if axis is None else c


@rule(np.quantile, order="a q axis")
def quantile(g: Any, y: Any, a: Any, q: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    return _quantile(g, a, q, axis, keepdims)


@rule(np.percentile, order="a q axis")
def percentile(
    g: Any, y: Any, a: Any, q: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    return _quantile(g, a, q / 100, axis, keepdims)


for _fn in (np.maximum, np.minimum):

    @rule(_fn.accumulate, order="array axis dtype out")
    def accumulate(g: Any, y: Any, array: Any, axis: Any = 0) -> Any:
        where = call(runtime.leaders, array, y, axis)
        return call(runtime.add_along_axis, g, array, where, axis)


# ---- types


@result(np.interp)
def _at_places(x: Any, xp: Any, fp: Any, **rest: Any) -> Type:
    shape = shape_of(type_of(x))
    return UNKNOWN if shape is None else Array(np.dtype(float), shape)


@result(np.gradient)
def _as_data(f: Any, *spacing: Any, axis: Any = None, **rest: Any) -> Type:
    t, shape = type_of(f), shape_of(type_of(f))
    if not isinstance(t, Array) or shape is None or (axis is None and len(shape) != 1):
        return UNKNOWN
    single = t.dtype is not None and t.dtype.kind in "fc"
    return Array(t.dtype if single else np.dtype(float), shape) if t.dtype else UNKNOWN


@result(np.maximum.accumulate, np.minimum.accumulate, runtime.gradient_back)
def _same(a: Any, axis: Any = 0, **more: Any) -> Type:
    t = type_of(a)
    return Array(t.dtype, t.shape) if isinstance(t, Array) and not more else UNKNOWN


@result(np.ediff1d)
def _differences(ary: Any, **more: Any) -> Type:
    t = type_of(ary)
    return Array(t.dtype, (fresh(),)) if isinstance(t, Array) and not more else UNKNOWN


@result(np.convolve, np.correlate, runtime.middle, runtime.embedded)
def _one_axis(a: Any, v: Any, *rest: Any, **more: Any) -> Type:
    s, t = type_of(a), type_of(v)
    if isinstance(s, Array) and isinstance(t, Array) and s.dtype is not None:
        if s.dtype == t.dtype:
            return Array(s.dtype, (fresh(),))
    return UNKNOWN


@result(np.quantile, np.percentile)
def _rank(a: Any, q: Any, axis: Any = None, keepdims: Any = False, **rest: Any) -> Type:
    t, shape = type_of(a), shape_of(type_of(a))
    if not isinstance(t, Array) or shape is None or rest or isinstance(q, tuple | list):
        return UNKNOWN
    if rank_of(q) != 0 or t.dtype is None or t.dtype.kind != "f":
        return UNKNOWN
    if axis is None:
        return UNKNOWN if keepdims else Array(t.dtype, ())
    at = static(axis)
    if not isinstance(at, int):
        return UNKNOWN
    left = list(shape)
    if keepdims:
        left[at] = 1
    else:
        del left[at]
    return Array(t.dtype, tuple(left))
