"""Choosing by indices, sorting, deleting; filling with a number: the rules, then the types."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, Type, broadcast, fresh
from .nondifferentiable import dtype_from, shape_from
from .registry import call, rank_of, result, rule, takes_lists, unsupported
from .sequences import carries
from .sizes import (
    Shape,
    along,
    array_shape,
    decided,
    dtype_of,
    member_types,
    members,
    normal,
    rebuilt,
    shape_at,
    static,
    with_size,
)


def _back(g: Any, x: Any) -> Any:
    return np.reshape(g, np.shape(x))


# ---- chosen by indices


@rule(np.take, order="a indices axis out mode")
def take(g: Any, y: Any, a: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    x = np.ravel(a) if axis is None and rank_of(a) != 1 else a
    index = list(indices) if isinstance(indices, tuple) else indices
    if mode != "raise":
        n = np.shape(x)[0 if axis is None else decided(axis)]
        index = np.remainder(index, n) if decided(mode) == "wrap" else np.clip(index, 0, n - 1)
    where = along(0 if axis is None else decided(axis), index)
    c = call(runtime.add_at, call(runtime.zeros_like, x), where, g)
    return (c if x is a else _back(c, a)), None


@rule(np.take_along_axis)
def take_along_axis(g: Any, y: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        c = call(runtime.add_along_axis, g, np.ravel(arr), indices, 0)
        return _back(c, arr), None
    return call(runtime.add_along_axis, g, arr, indices, axis), None


@rule(runtime.add_along_axis)
def add_along_axis(g: Any, y: Any, c: Any, x: Any, indices: Any, axis: Any) -> Any:
    return np.take_along_axis(g, indices, axis), None, None, None


@rule(np.delete)
def delete(g: Any, y: Any, arr: Any, obj: Any, axis: Any = None) -> Any:
    x = np.ravel(arr) if axis is None and rank_of(arr) != 1 else arr
    at = 0 if axis is None else normal(axis, rank_of(arr))
    kept = call(np.delete, call(np.arange, np.shape(x)[at]), obj)
    c = call(runtime.add_at, call(runtime.zeros_like, x), along(at, kept), g)
    return (c if x is arr else _back(c, arr)), None


@rule(np.compress, order="condition a axis out")
def compress(g: Any, y: Any, condition: Any, a: Any, axis: Any = None) -> Any:
    return None, take(g, y, a, call(np.flatnonzero, condition), axis)[0]


@rule(runtime.compressed)
def compress_method(g: Any, y: Any, x: Any, condition: Any, axis: Any = None) -> Any:
    return take(g, y, x, call(np.flatnonzero, condition), axis)[0], None


@rule(np.select, order="condlist choicelist default?")
def select(g: Any, y: Any, condlist: Any, choicelist: Any, default: Any) -> Any:
    conditions, choices = members(condlist), members(choicelist)
    if conditions is None or choices is None:
        raise unsupported("`np.select` of lists whose length only the run knows")
    found, rest = [], g
    for condition, choice in zip(conditions, choices, strict=True):
        found.append(call(runtime.unbroadcast, np.where(condition, rest, 0.0), choice))
        rest = np.where(condition, 0.0, rest)
    last = None if default is None else call(runtime.unbroadcast, rest, default)
    return None, rebuilt(choicelist, found), last


takes_lists(np.select)

# ---- filled


@rule(np.full, broadcasts=True, order="shape fill_value dtype order")
def full(
    g: Any, y: Any, fill_value: Any, shape: Any = None, dtype: Any = None, order: Any = "C"
) -> Any:
    return (g if carries(y, fill_value) else None,)


@rule(np.full_like, broadcasts=True)
def full_like(
    g: Any,
    y: Any,
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
) -> Any:
    return None, g if carries(y, fill_value) else None


@rule(np.unwrap)
def unwrap(
    g: Any, y: Any, p: Any, discont: Any = None, axis: Any = -1, period: Any = 2 * np.pi
) -> Any:
    return g


# ---- types of results


def _array(x: Any, shape: Shape) -> Type:
    return Array(dtype_of(type_of(x)), shape)


@result(np.take)
def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Type:
    shape, at = shape_at(a), shape_at(indices)
    if out is not None or at is None:
        return UNKNOWN
    if static(axis) is None:
        return _array(a, at)
    if shape is None:
        return _array(a, None)
    i = normal(decided(axis), len(shape))
    return _array(a, (*shape[:i], *at, *shape[i + 1 :]))


@result(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Type:
    shape, at = shape_at(arr), shape_at(indices)
    if static(axis) is None:
        return _array(arr, at)
    if shape is None or at is None:
        return _array(arr, None)
    i = normal(decided(axis), len(shape))
    sizes = [
        n if k == i else broadcast((n,), (s,))
        for k, (n, s) in enumerate(zip(at, shape, strict=True))
    ]
    return _array(
        arr, tuple(s[0] if isinstance(s, tuple) else fresh() if s is None else s for s in sizes)
    )


@result(np.delete)
def _delete(arr: Any, obj: Any, axis: Any = None) -> Type:
    shape = shape_at(arr)
    if static(axis) is None:
        return _array(arr, (fresh(),))
    return _array(arr, with_size(shape, axis, fresh()))


@result(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Type:
    return _delete(a, condition, axis) if out is None else UNKNOWN


@result(runtime.compressed)
def _compress_method(x: Any, condition: Any, axis: Any = None) -> Type:
    return _delete(x, condition, axis)


@rule(runtime.placed)
def placed(g: Any, y: Any, mask: Any, values: Any, x: Any) -> Any:
    return None, call(runtime.unbroadcast, g[mask], values), None


@result(runtime.placed)
def _placed(mask: Any, values: Any, x: Any) -> Type:
    return type_of(x)


@result(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Type:
    conditions, choices = member_types(condlist), member_types(choicelist)
    if conditions is None or choices is None:
        return UNKNOWN
    shapes = [array_shape(t) for t in (*conditions, *choices, type_of(default))]
    from .sizes import promoted

    dtype = promoted(*(Value(None, t) for t in choices), default)
    return Array(dtype, broadcast(*shapes))


# ---- filled


@result(np.full)
def _full(shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **rest: Any) -> Type:
    own = dtype_of(type_of(fill_value))
    return Array(own if dtype is None else dtype_from(dtype, float), shape_from(static(shape)))


@result(np.full_like)
def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
) -> Type:
    sizes = shape_at(a) if shape is None else shape_from(static(shape))
    return Array(dtype_of(type_of(a)) if dtype is None else dtype_from(dtype, float), sizes)
