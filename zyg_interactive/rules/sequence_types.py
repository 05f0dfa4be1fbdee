"""The types of what `sequences` joins, makes and splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, List, Scalar, Size, Type, fresh, shape_of
from .indexing import zero_type
from .registry import rank_of, result
from .sequences import FLOATING
from .sizes import (
    Shape,
    array_shape,
    decided,
    dtype_of,
    member_type,
    member_types,
    normal,
    product,
    same,
    sliced,
    static,
    total,
    with_size,
)

# ---- types of results


def _joined(xs: Any, axis: int | None, lift: Callable[[Shape], Shape]) -> Shape:
    """The shape of a concatenation of members whose shapes are lifted first."""
    types = member_types(xs)
    if types is None:
        inner = lift(array_shape(member_type(xs)))
        if axis is None or inner is None:
            return (fresh(),) if axis is None else None
        rows = shape_of(type_of(xs))
        size = product((rows[0], inner[axis])) if rows else fresh()
        return with_size(inner, axis, size)
    shapes = [lift(array_shape(t)) for t in types]
    known = [s for s in shapes if s is not None]
    if axis is None:
        return (total(map(product, known)),) if len(known) == len(shapes) else (fresh(),)
    if not known:
        return None
    sizes: list[Size] = [fresh() if s is None else s[axis] for s in shapes]
    return with_size(same(known), axis, total(sizes))


def sequence_dtype(xs: Any) -> Any:
    return dtype_of(type_of(xs))


def _plain(s: Shape) -> Shape:
    return s


def _at_least(rank: int) -> Callable[[Shape], Shape]:
    def lift(s: Shape) -> Shape:
        return None if s is None else (1,) * (rank - len(s)) + s

    return lift


def _depth(s: Shape) -> Shape:
    if s is None or len(s) > 2:
        return s
    return (*s, 1) if len(s) == 2 else (1, *(s or (1,)), 1)


def _columns(s: Shape) -> Shape:
    return None if s is None else s if len(s) > 1 else (*(s or (1,)), 1)


@result(np.concatenate)
def _concatenate(arrays: Any, axis: Any = 0, out: Any = None, **rest: Any) -> Type:
    if out is not None or rest:
        return UNKNOWN
    return Array(sequence_dtype(arrays), _joined(arrays, decided(axis), _plain))


@result(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Type:
    return _concatenate((arr, values), axis)


@result(np.hstack)
def _hstack(tup: Any) -> Type:
    types = member_types(tup)
    first = array_shape(types[0] if types else member_type(tup))
    shape = None if first is None else _joined(tup, 0 if len(first) <= 1 else 1, _at_least(1))
    return Array(sequence_dtype(tup), shape)


@result(np.vstack, *(getattr(np, n) for n in ("row_stack",) if hasattr(np, n)))
def _vstack(tup: Any) -> Type:
    return Array(sequence_dtype(tup), _joined(tup, 0, _at_least(2)))


@result(np.dstack)
def _dstack(tup: Any) -> Type:
    return Array(sequence_dtype(tup), _joined(tup, 2, _depth))


@result(np.column_stack)
def _column_stack(tup: Any) -> Type:
    return Array(sequence_dtype(tup), _joined(tup, 1, _columns))


@result(np.stack)
def _stack(arrays: Any, axis: Any = 0, out: Any = None, **rest: Any) -> Type:
    types = member_types(arrays)
    shapes = [array_shape(t) for t in types or (member_type(arrays),)]
    known = [s for s in shapes if s is not None]
    if out is not None or rest:
        return UNKNOWN
    if not known:
        return Array(sequence_dtype(arrays), None)
    inner, rows = same(known), shape_of(type_of(arrays))
    i = normal(decided(axis), len(inner) + 1)
    n: Size = len(types) if types is not None else rows[0] if rows else fresh()
    return Array(sequence_dtype(arrays), (*inner[:i], n, *inner[i:]))


@result(np.asanyarray, np.asarray_chkfinite, np.require)
@result(np.array, np.asarray, np.ascontiguousarray, np.asfortranarray, runtime.astype)
def _array(x: Any, dtype: Any = None, *more: Any, **rest: Any) -> Type:
    shape = array_shape(type_of(x))
    given = static(dtype)
    kind = dtype_of(type_of(x)) if given is None else None
    if given is not None and not isinstance(given, Value):
        kind = np.dtype(given)
    least = rest.get("ndmin") or 0
    if isinstance(least, int) and shape is not None:
        shape = (*(1,) * (least - len(shape)), *shape)
    return Array(kind, shape) if isinstance(least, int) else UNKNOWN


if hasattr(np, "astype"):
    result(np.astype)(_array)


for _type in FLOATING:
    result(_type)(lambda x=0.0, _type=_type: _array(x, _type))


@result(runtime.as_dtype)
def _as_dtype(x: Any, dtype: Any) -> Type:
    return _array(x, dtype)


@result(np.fromiter)
def _fromiter(iter: Any, dtype: Any, count: Any = -1, **rest: Any) -> Type:
    kind = static(dtype)
    return Array(None if isinstance(kind, Value) else np.dtype(kind), (fresh(),))


@result(np.ascontiguousarray, np.asfortranarray)
def _contiguous(x: Any, dtype: Any = None) -> Type:
    t = _array(x, dtype)
    scalar = isinstance(t, Array) and t.shape == ()
    return Array(dtype_of(t), (1,)) if scalar else t


@result(np.split, np.array_split)
def _split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> Type:
    t, at = type_of(ary), static(indices_or_sections)
    shape, dtype = shape_of(t), dtype_of(t)
    axis = decided(axis)
    if shape is None:
        return List(Array(dtype, None))
    size = shape[normal(axis, len(shape))]
    if isinstance(at, tuple | list) and all(isinstance(i, int) for i in at):
        bounds = zip((0, *at), (*at, None), strict=True)
        sizes = [sliced(size, slice(i, j)) for i, j in bounds]
    elif isinstance(at, int):
        even = size // at if isinstance(size, int) and size % at == 0 else None
        sizes = [even if even is not None else fresh() for _ in range(at)]
    else:
        return List(Array(dtype, with_size(shape, axis, fresh())))
    items = tuple(Array(dtype, with_size(shape, axis, n)) for n in sizes)
    return List(Array(dtype, with_size(shape, axis, fresh())), items)


@result(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> Type:
    return _split(ary, indices_or_sections, 0 if rank_of(ary) == 1 else 1)


@result(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> Type:
    return _split(ary, indices_or_sections, 0)


@result(runtime.split_like, runtime.restructure)
def _like(c: Any, xs: Any, axis: Any = None) -> Type:
    return zero_type(type_of(xs))


@result(runtime.join_like)
def _join_like(cs: Any, xs: Any, axis: Any) -> Type:
    return Array(None, None)


@result(runtime.assemble)
def _assemble(cs: Any, xs: Any) -> Type:
    dtype = dtype_of(type_of(xs))
    return Array(
        None if dtype is None else runtime.cotangent_dtype(dtype), array_shape(type_of(xs))
    )


@result(runtime.tolist)
def _tolist(x: Any) -> Type:
    t = type_of(x)
    kinds = {"f": "float", "c": "complex", "i": "int", "u": "int", "b": "bool"}
    if not isinstance(t, Array) or t.dtype is None or t.shape is None:
        return UNKNOWN
    made: Type = Scalar(kinds[t.dtype.kind])
    for _ in t.shape:
        made = List(made)
    return made
