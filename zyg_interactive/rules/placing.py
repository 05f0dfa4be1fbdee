"""Inserting, choosing among arrays, blocks, windows, pieces: each element of the result is one of
the arguments', and the cotangent goes back to where it was read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Undecided, Value, type_of
from ..ir.types import UNKNOWN, Array, List, Tuple, Type, broadcast, fresh
from .nondifferentiable import shape_from
from .registry import call, constant, rank_of, result, rule, unsupported
from .selection import take
from .sequences import real_for
from .sizes import (
    along,
    array_shape,
    decided,
    dtype_of,
    is_array,
    member_types,
    members,
    normal,
    promoted,
    rebuilt,
    shape_at,
    static,
    with_size,
)

constant(
    *(runtime.inserted_places, runtime.places_kept, runtime.untrimmed, runtime.segments),
)


def _back(g: Any, x: Any) -> Any:
    return np.reshape(g, np.shape(x))


@rule(np.insert)
def insert(g: Any, y: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    flat = axis is None
    x = np.reshape(arr, (-1,)) if flat and rank_of(arr) != 1 else arr
    rank = rank_of(x)
    at = 0 if flat else normal(decided(axis), rank)
    n = np.shape(x)[at]
    new = call(runtime.inserted_places, n, obj, np.shape(g)[at] - n)
    kept = call(runtime.places_kept, n, new)
    bar = np.take(g, kept, axis=at)
    c = np.take(g, new, axis=at)
    single = shape_at(obj) == ()
    if single and at:  # NumPy takes the values as rows, whatever the axis
        c = np.moveaxis(c, at, 0)
    return (bar if x is arr else _back(bar, arr)), None, call(runtime.unbroadcast, c, values)


# ---- chosen among arrays


@rule(np.choose, order="a choices out mode")
def choose(g: Any, y: Any, a: Any, choices: Any, mode: Any = "raise") -> Any:
    items = members(choices)
    if items is None and not is_array(choices):
        raise Undecided(choices, "the length")
    n = np.shape(choices)[0] if items is None else len(items)
    a = np.asarray(a) if isinstance(a, list | tuple) else a
    if decided(mode) == "wrap":
        a = np.remainder(a, n)
    elif decided(mode) == "clip":
        a = np.clip(a, 0, n - 1)
    if items is not None:
        bars = [
            real_for(x, call(runtime.unbroadcast, np.where(np.equal(a, i), g, 0.0), x))
            for i, x in enumerate(items)
        ]
        return None, rebuilt(choices, bars)
    rank = rank_of(y)
    if rank_of(choices) != rank + 1:
        raise unsupported("`np.choose` of choices of another rank", "give a list of arrays")
    which = np.reshape(call(np.arange, n), (-1, *(1,) * rank))
    return None, call(runtime.unbroadcast, np.where(np.equal(a, which), g, 0.0), choices)


# ---- the same elements, moved by NumPy itself


def _moved(fn: Any, g: Any, a: Any, *args: Any, **static: Any) -> Any:
    """The cotangent of `a` in `fn(a, ...)`: NumPy moves the places as it moved the elements."""
    places = call(fn, np.reshape(call(np.arange, np.size(a)), np.shape(a)), *args, **static)
    flat = call(runtime.zeros_like, np.reshape(a, (-1,)))
    return _back(call(runtime.add_at, flat, places, g), a)


@rule(np.resize)
def resize(g: Any, y: Any, a: Any, new_shape: Any) -> Any:
    return _moved(np.resize, g, a, new_shape), None


@rule(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    g: Any,
    y: Any,
    x: Any,
    window_shape: Any,
    axis: Any = None,
    subok: Any = False,
    writeable: Any = False,
) -> Any:
    fn = np.lib.stride_tricks.sliding_window_view
    return _moved(fn, g, x, window_shape, axis=axis), None


@rule(np.diagflat)
def diagflat(g: Any, y: Any, v: Any, k: Any = 0) -> Any:
    return _back(np.diagonal(g, k), v)


@rule(np.extract)
def extract(g: Any, y: Any, condition: Any, arr: Any) -> Any:
    return None, take(g, y, arr, call(np.flatnonzero, condition))[0]


@rule(np.trim_zeros)
def trim_zeros(g: Any, y: Any, filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    if not is_array(filt) or rank_of(filt) != 1:
        raise unsupported("`np.trim_zeros` of anything but a row of numbers", "index it")
    places = call(runtime.untrimmed, filt, trim)
    return call(runtime.add_at, call(runtime.zeros_like, filt), places, g)


# ---- blocks


@rule(np.block)
def block(g: Any, y: Any, arrays: Any) -> Any:
    return (_blocks(g, arrays, rank_of(y), _depth(type_of(arrays), arrays)),)


def _depth(t: Type, x: Any) -> int:
    if isinstance(t, Tuple | List):
        if t.items is None:
            raise Undecided(x, "the length")
        return 1 + max((_depth(i, x) for i in t.items), default=0)
    return 0


def _blocks(g: Any, x: Any, rank: int, depth: int) -> Any:
    if depth == 0:
        return real_for(x, _back(g, x))
    axis, start, found = rank - depth, 0, []
    for item in members(x) or []:
        stop = start + _extent(item, axis, rank)
        found.append(_blocks(g[along(axis, slice(start, stop))], item, rank, depth - 1))
        start = stop
    return rebuilt(x, found)


def _extent(x: Any, axis: int, rank: int) -> Any:
    """The size of a block along an axis: of lists, that of their first."""
    while not is_array(x):
        x = (members(x) or [0])[0]
    own = axis - (rank - rank_of(x))
    return np.shape(x)[own] if own >= 0 else 1


# ---- taken apart


def _unstack(g: Any, y: Any, x: Any, axis: Any = 0) -> Any:
    whole = call(runtime.assemble, g, y)
    return np.moveaxis(whole, 0, axis) if axis != 0 else whole


if hasattr(np, "unstack"):
    rule(np.unstack)(_unstack)


def _segments_of(a: Any, indices: Any, axis: int) -> tuple[Any, Any]:
    index = list(indices) if isinstance(indices, tuple) else indices
    found = call(runtime.segments, index, np.shape(a)[axis])
    return found[0], found[1]


@rule(np.add.reduceat, order="array indices axis dtype out")
def add_reduceat(g: Any, y: Any, array: Any, indices: Any, axis: Any = 0) -> Any:
    at = normal(decided(axis), rank_of(array))
    taken, by = _segments_of(array, indices, at)
    zeros = call(runtime.zeros_like, array)
    return call(runtime.add_at, zeros, along(at, taken), np.take(g, by, axis=at)), None


@rule(np.maximum.reduceat, np.minimum.reduceat, order="array indices axis dtype out")
def extreme_reduceat(g: Any, y: Any, array: Any, indices: Any, axis: Any = 0) -> Any:
    at = normal(decided(axis), rank_of(array))
    taken, by = _segments_of(array, indices, at)
    best = np.equal(np.take(array, taken, axis=at), np.take(y, by, axis=at))
    share = np.where(best, 1.0, 0.0)
    count = call(runtime.add_at, call(runtime.zeros_like, y), along(at, by), share)
    c = np.where(best, np.take(g / count, by, axis=at), 0.0)
    zeros = call(runtime.zeros_like, array)
    return call(runtime.add_at, zeros, along(at, taken), c), None


# ---- types


@result(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Type:
    kind, shape = dtype_of(type_of(arr)), shape_at(arr)
    if static(axis) is None:
        return Array(kind, (fresh(),))
    return Array(kind, with_size(shape, axis, fresh()))


@result(np.choose)
def _choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Type:
    types, t = member_types(choices), type_of(choices)
    if out is not None:
        return UNKNOWN
    if types is None:
        rows = t.shape[1:] if isinstance(t, Array) and t.shape else None
        return Array(dtype_of(t), broadcast(shape_at(a), rows))
    shapes = [shape_at(a), *map(array_shape, types)]
    return Array(promoted(*(Value(None, t) for t in types)), broadcast(*shapes))


@result(np.resize)
def _resize(a: Any, new_shape: Any) -> Type:
    return Array(dtype_of(type_of(a)), shape_from(static(new_shape)))


@result(np.diagflat)
def _diagflat(v: Any, k: Any = 0) -> Type:
    n = fresh()
    return Array(dtype_of(type_of(v)), (n, n))


@result(np.extract, np.trim_zeros)
def _some(*args: Any, **rest: Any) -> Type:
    return Array(dtype_of(type_of(args[-1] if len(args) > 1 else args[0])), (fresh(),))


@result(np.trim_zeros)
def _trimmed(filt: Any, *rest: Any, **more: Any) -> Type:
    t = type_of(filt)
    return Array(t.dtype, (fresh(),)) if isinstance(t, Array) else UNKNOWN


@result(np.lib.stride_tricks.sliding_window_view)
def _windows(x: Any, window_shape: Any, axis: Any = None, **rest: Any) -> Type:
    shape, window = shape_at(x), static(window_shape)
    if shape is None or isinstance(window, Value):
        return UNKNOWN
    sizes = window if isinstance(window, tuple | list) else (window,)
    new = tuple(n if isinstance(n, int) else fresh() for n in sizes)
    return Array(dtype_of(type_of(x)), (*(fresh() for _ in shape), *new))


@result(np.block)
def _block(arrays: Any) -> Type:
    t = type_of(arrays)
    ranks, kinds = _leaves(t)
    if ranks is None or not kinds or any(k is None for k in kinds):
        return UNKNOWN
    depth = _depth(t, arrays)
    known = [k for k in kinds if k is not None]
    return Array(np.result_type(*known), tuple(fresh() for _ in range(max(depth, *ranks, 0))))


def _leaves(t: Type) -> tuple[list[int] | None, list[Any]]:
    if isinstance(t, Tuple | List):
        if t.items is None:
            return None, []
        ranks: list[int] = []
        kinds: list[Any] = []
        for item in t.items:
            found, more = _leaves(item)
            if found is None:
                return None, []
            ranks += found
            kinds += more
        return ranks, kinds
    shape = array_shape(t)
    return (None if shape is None else [len(shape)]), [dtype_of(t)]


def _unstacked(x: Any, axis: Any = 0) -> Type:
    shape = shape_at(x)
    if shape is None:
        return UNKNOWN
    i = normal(decided(axis), len(shape))
    n = shape[i]
    one = Array(dtype_of(type_of(x)), (*shape[:i], *shape[i + 1 :]))
    return Tuple((one,) * n) if isinstance(n, int) else UNKNOWN


if hasattr(np, "unstack"):
    result(np.unstack)(_unstacked)


@result(np.add.reduceat, np.maximum.reduceat, np.minimum.reduceat)
def _reduceat(array: Any, indices: Any, axis: Any = 0, **rest: Any) -> Type:
    shape, kind = shape_at(array), dtype_of(type_of(array))
    if rest or kind is None or kind.kind not in "fc":
        return UNKNOWN
    return Array(kind, with_size(shape, axis, fresh()))


@result(runtime.inserted_places, runtime.places_kept, runtime.untrimmed)
def _places(*args: Any) -> Type:
    return Array(np.dtype(np.intp), (fresh(),))


@result(runtime.segments)
def _two(*args: Any) -> Type:
    size = fresh()
    return Tuple((Array(np.dtype(np.intp), (size,)),) * 2)
