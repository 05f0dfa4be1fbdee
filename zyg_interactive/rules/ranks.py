"""Samples in order: sorting, medians, quantiles. Equal samples share what they get.

A quantile is a sum of two neighbours among the samples in order, with weights that depend on the
probability alone (R. J. Hyndman and Y. Fan 1996, "Sample quantiles in statistical packages").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type
from .registry import call, constant, rank_of, result, rule
from .sizes import decided, dtype_after, dtype_of, normal, reduced, shape_at

# ---- in order


def _flat(x: Any, axis: Any) -> tuple[Any, int]:
    """What is sorted, and along which axis."""
    if axis is None:
        return (np.ravel(x) if rank_of(x) != 1 else x), 0
    return x, normal(decided(axis), rank_of(x))


def _back(c: Any, x: Any, like: Any) -> Any:
    return c if x is like else np.reshape(c, np.shape(like))


def _sorted_bar(g: Any, y: Any, x: Any, axis: int) -> Any:
    """The cotangent of `x` from `g`, that of `y`, which holds the same numbers in order."""
    order = np.argsort(x, axis=axis, kind="stable")
    return call(runtime.add_along_axis, call(runtime.evened, g, y, axis), x, order, axis)


@rule(np.sort, order="a axis kind")
def sort(g: Any, y: Any, a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    x, at = _flat(a, axis)
    return _back(_sorted_bar(g, y, x, at), x, a)


@rule(np.sort_complex)
def sort_complex(g: Any, y: Any, a: Any) -> Any:
    return _sorted_bar(g, y, a, rank_of(a) - 1)


@rule(np.partition, order="a kth axis kind")
def partition(g: Any, y: Any, a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Any:
    x, at = _flat(a, axis)
    order = np.argsort(y, axis=at, kind="stable")
    c, whole = (np.take_along_axis(v, order, at) for v in (g, y))
    return _back(_sorted_bar(c, whole, x, at), x, a), None


@rule(runtime.evened)
def evened(g: Any, y: Any, c: Any, x: Any, axis: Any) -> Any:
    return call(runtime.evened, g, x, axis), None, None


# ---- quantiles


def _quantile(
    g: Any, a: Any, q: Any, axis: Any, keepdims: Any, method: str, nan: bool = False
) -> tuple[Any, Any]:
    rank, several = rank_of(a), rank_of(q)
    taken = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    taken = tuple(normal(i, rank) for i in taken)
    rest = tuple(i for i in range(rank) if i not in taken)
    moved = (*rest, *taken)
    turned = np.transpose(a, moved) if moved != tuple(range(rank)) else a
    kept = tuple(np.shape(a)[i] for i in rest)
    x = np.reshape(turned, (*kept, -1)) if len(taken) != 1 else turned
    if keepdims:
        g = np.squeeze(g, tuple(several + i for i in taken)) if taken else g
    s = np.sort(x, axis=-1)
    weights = call(runtime.rank_weights, q, x, method, nan)
    over = tuple(range(several))
    if nan:
        spread = np.expand_dims(g, -1) * weights
        c = np.sum(spread, axis=over) if over else spread
    elif over:
        c = np.tensordot(g, weights, axes=(over, over))
    else:
        c = np.expand_dims(g, -1) * weights
    bar = _sorted_bar(c, s, x, len(rest))
    bar = np.reshape(bar, np.shape(turned)) if x is not turned else bar
    if turned is not a:
        bar = np.transpose(bar, tuple(moved.index(i) for i in range(rank)))
    # In the probability: what the neighbours differ by, times how fast the place moves.
    slopes = call(runtime.rank_slopes, q, x, method, nan)
    if nan:
        moves = np.sum(slopes * np.where(np.isnan(s), 0.0, s), axis=-1)
    else:
        moves = np.tensordot(slopes, s, axes=(-1, -1))
    left = tuple(range(several, several + len(rest)))
    return bar, np.sum(g * moves, axis=left) if left else g * moves


@rule(runtime.rank_weights)
def rank_weights(g: Any, y: Any, q: Any, x: Any, method: Any, nan: Any) -> Any:
    change = np.sum(g * call(runtime.rank_slopes, q, x, method, nan), axis=-1)
    left = tuple(range(rank_of(q), rank_of(change)))
    return np.sum(change, axis=left) if left else change, None, None, None


constant(runtime.rank_slopes)


def _registered(fn: Any, scale: float, nan: bool) -> None:
    @rule(fn, order="a q axis out overwrite_input method keepdims")
    def quantile(
        g: Any,
        y: Any,
        a: Any,
        q: Any,
        axis: Any = None,
        keepdims: Any = False,
        method: Any = "linear",
        overwrite_input: Any = False,
    ) -> Any:
        q = np.asarray(q, float) if isinstance(q, list | tuple) else q
        own = q if scale == 1.0 else np.divide(q, scale)
        bar, q_bar = _quantile(g, a, own, axis, keepdims, method, nan)
        return bar, q_bar if scale == 1.0 else q_bar / scale

    result(fn)(_rank)


def _registered_median(fn: Any, nan: bool) -> None:
    @rule(fn, order="a axis out overwrite_input keepdims")
    def median(
        g: Any,
        y: Any,
        a: Any,
        axis: Any = None,
        overwrite_input: Any = False,
        keepdims: Any = False,
    ) -> Any:
        return _quantile(g, a, 0.5, axis, keepdims, "linear", nan)[0]

    result(fn)(_middle)


def spread_quantile(g: Any, a: Any, axis: int) -> Any:
    """The cotangent of the medians along an axis that is kept."""
    return _quantile(g, a, 0.5, axis, True, "linear")[0]


# ---- types


def _rank(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
) -> Type:
    shape, asked = reduced(shape_at(a), axis, keepdims), shape_at(q)
    kind = dtype_of(type_of(a))
    if shape is None or asked is None or out is not None:
        return UNKNOWN
    wide = isinstance(type_of(q), Array) and kind != np.dtype(float)
    return Array(None if wide else dtype_after(_half, kind), (*asked, *shape))


def _half(a: Any) -> Any:
    return np.quantile(a, 0.5)


def _middle(
    a: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    keepdims: Any = False,
) -> Type:
    shape = reduced(shape_at(a), axis, keepdims)
    if out is not None or shape is None:
        return UNKNOWN
    return Array(dtype_after(_half, dtype_of(type_of(a))), shape)


@result(np.partition)
def _partition(a: Any, kth: Any, axis: Any = -1, **rest: Any) -> Type:
    return Array(dtype_of(type_of(a)), shape_at(a)) if axis is not None else UNKNOWN


@result(np.sort_complex)
def _sorted(a: Any) -> Type:
    kind = dtype_of(type_of(a))
    return Array(kind, shape_at(a)) if kind is not None and kind.kind == "c" else UNKNOWN


@result(runtime.evened)
def _as_given(c: Any, y: Any, axis: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_at(c))


@result(runtime.rank_weights, runtime.rank_slopes)
def _weights(q: Any, x: Any, method: Any, nan: Any) -> Type:
    shape, asked, kind = shape_at(x), shape_at(q), dtype_of(type_of(x))
    if shape is None or asked is None or kind is None:
        return UNKNOWN
    own = kind if kind.kind == "f" else np.dtype(float)
    return Array(own, (*asked, *(shape if nan else shape[-1:])))


for _fn, _scale in ((np.quantile, 1.0), (np.percentile, 100.0)):
    _registered(_fn, _scale, False)
for _fn, _scale in ((np.nanquantile, 1.0), (np.nanpercentile, 100.0)):
    _registered(_fn, _scale, True)
_registered_median(np.median, False)
_registered_median(np.nanmedian, True)
