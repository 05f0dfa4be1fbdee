"""Joining and splitting: concatenate, stack and their kin, `np.array` of nested lists, split.

A sequence argument may be a tuple or list of values, a `Value` that holds one, or an array, which is iterated over its
first axis. Its cotangent has its structure. Where the length is known only at the run, `runtime.split_like` and
`runtime.restructure` make it; they and their transposes have rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Undecided, Value, type_of
from ..ir.types import UNKNOWN, Array, List, Scalar, Size, Tuple, Type, fresh, is_complex, shape_of
from .indexing import zero_type
from .registry import call, rank_of, result, rule
from .sizes import (
    Shape,
    along,
    array_shape,
    decided,
    dtype_of,
    is_array,
    member_type,
    member_types,
    members,
    normal,
    product,
    rebuilt,
    same,
    sliced,
    static,
    total,
    with_size,
)

# ---- cotangents of joined sequences


def pieces(g: Any, xs: Any, axis: int | None, low: int = 0) -> Any:
    """The cotangent of `xs`, whose members were joined along `axis`; those of rank at most `low` count as one there."""
    items = members(xs)
    if items is not None:
        return rebuilt(xs, _exact(g, items, axis, low))
    if is_array(xs):
        if axis is None or axis == 0 and rank_of(xs) > 1 + low:
            return np.reshape(g, np.shape(xs))
        parts = call(np.split, g, np.shape(xs)[0], axis)
        return np.reshape(call(np.stack, parts), np.shape(xs))
    if not isinstance(type_of(xs), List):
        raise Undecided(xs, "the type")
    rank = rank_of(xs[0]) if axis is not None else 0
    if axis is None or rank > low:
        return call(runtime.split_like, g, xs, axis)
    # Each member counts as one along the axis.
    rows = g if axis == 0 else np.moveaxis(g, axis, 0)
    if rank_of(g) != rank + 1:
        shape = np.shape(xs[0])
        rows = np.reshape(rows, (-1, *(shape[i] for i in range(rank))))
    return call(runtime.restructure, rows, xs)


def shape_rank(t: Type, x: Any) -> int:
    shape = array_shape(t)
    if shape is None:
        raise Undecided(x, "the rank")
    return len(shape)


def _exact(g: Any, items: list[Any], axis: int | None, low: int) -> list[Any]:
    found = []
    start: Any = 0
    for x in items:
        single = axis is not None and rank_of(x) <= low
        n = 1 if single else np.size(x) if axis is None else np.shape(x)[axis]
        stop = n if isinstance(start, int) and start == 0 else start + n
        if axis is None:
            piece = g[start:stop]
            flat = rank_of(x) == 1
        elif axis == 0 and rank_of(x) == 0 and rank_of(g) == 1:
            piece, flat = g[start], True
        else:
            piece = g[along(axis, slice(start, stop))]
            flat = not single
        found.append(real_for(x, piece if flat else np.reshape(piece, np.shape(x))))
        start = stop
    return found


def _axis_of(axis: Any, xs: Any) -> int | None:
    """`axis` from the front, where it is not None."""
    axis = decided(axis)
    if axis is None or axis >= 0:
        return None if axis is None else int(axis)
    items = members(xs)
    rank = rank_of(items[0]) if items else rank_of(xs) - 1 if is_array(xs) else None
    return normal(axis, shape_rank(member_type(xs), xs) if rank is None else rank)


@rule(np.concatenate, order="arrays axis out")
def concatenate(g: Any, y: Any, arrays: Any, axis: Any = 0) -> Any:
    return (pieces(g, arrays, _axis_of(axis, arrays), -1),)


@rule(np.append)
def append(g: Any, y: Any, arr: Any, values: Any, axis: Any = None) -> Any:
    return pieces(g, (arr, values), _axis_of(axis, (arr, values)), -1)


@rule(np.hstack)
def hstack(g: Any, y: Any, tup: Any) -> Any:
    return (pieces(g, tup, 0 if rank_of(y) == 1 else 1, 0),)


@rule(np.vstack)
def vstack(g: Any, y: Any, tup: Any) -> Any:
    return (pieces(g, tup, 0, 1),)


@rule(np.dstack)
def dstack(g: Any, y: Any, tup: Any) -> Any:
    return (pieces(g, tup, 2, 2),)


@rule(np.column_stack)
def column_stack(g: Any, y: Any, tup: Any) -> Any:
    return (pieces(g, tup, 1, 1),)


@rule(np.stack, order="arrays axis out")
def stack(g: Any, y: Any, arrays: Any, axis: Any = 0) -> Any:
    axis = decided(axis)
    items = members(arrays)
    if items is not None:
        bars = [real_for(x, g[along(axis, i)]) for i, x in enumerate(items)]
        return (rebuilt(arrays, bars),)
    rows = g if axis == 0 else np.moveaxis(g, axis, 0)
    return (rows if is_array(arrays) else call(runtime.restructure, rows, arrays),)


# ---- arrays of nested lists


@rule(np.array, np.asarray, order="object dtype")
def array(
    g: Any,
    y: Any,
    object: Any,
    dtype: Any = None,
    copy: Any = True,
    order: Any = None,
    subok: Any = False,
) -> Any:
    return (nested(g, object) if carries(y, object) else None,)


def carries(y: Any, x: Any) -> bool:
    """Whether a conversion of `x` that gave `y` let derivatives pass: numbers cut to integers carry none."""
    t = type_of(y)
    dtype = dtype_of(t)
    if dtype is None:
        raise Undecided(y, "the dtype")
    own = dtype_of(type_of(x))
    return dtype.kind in "fc" or (dtype.kind in "iu" and own is not None and own.kind in "iu")


def nested(g: Any, x: Any) -> Any:
    """The cotangent `g` of an array in the structure of the nested lists it was made of."""
    t = type_of(x)
    if isinstance(t, Array | Scalar):
        return real_for(x, as_dtype(g, x))
    if isinstance(t, Tuple | List):
        items = members(x)
        if items is None:
            return call(runtime.restructure, g, x)
        return rebuilt(x, [nested(g[i], item) for i, item in enumerate(items)])
    if isinstance(x, Value):
        raise Undecided(x, "the type")
    return None


def real_for(x: Any, c: Any) -> Any:
    """The cotangent `c` of the member `x` of a sequence, real where `x` is."""
    mixed = is_complex(type_of(x)) is False and is_complex(type_of(c)) is not False
    return np.real(c) if mixed else c


def as_dtype(g: Any, x: Any) -> Any:
    """`g` in the precision of the array `x`, where a conversion changed it."""
    t = type_of(x)
    if not isinstance(t, Array) or t.dtype is None or t.dtype.kind not in "fc":
        return g
    dtype = dtype_of(type_of(g))
    if dtype is None or dtype == t.dtype or dtype.kind != t.dtype.kind:
        return g
    return call(runtime.astype, g, t.dtype)


@rule(np.ascontiguousarray, np.asfortranarray)
def contiguous(g: Any, y: Any, a: Any, dtype: Any = None) -> Any:
    if not carries(y, a):
        return (None,)
    if is_array(a) and rank_of(a) == 0:
        return (np.reshape(g, ()),)
    return (nested(g, a),)


@rule(runtime.astype)
def astype(
    g: Any,
    y: Any,
    x: Any,
    dtype: Any,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: Any = True,
    copy: Any = True,
) -> Any:
    return (as_dtype(g, x) if carries(y, x) else None), None


@rule(runtime.tolist)
def tolist(g: Any, y: Any, x: Any) -> Any:
    return (call(runtime.assemble, g, y),)


# ---- splitting


@rule(np.split, np.array_split)
def split(g: Any, y: Any, ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    at = static(indices_or_sections)
    if isinstance(at, tuple | list) and at != type(at)(sorted(at)):
        raise ValueError("np.split at indices that do not ascend")
    axis = decided(axis)
    return joined(g, y, axis if axis >= 0 else normal(axis, rank_of(ary))), None


@rule(np.hsplit)
def hsplit(g: Any, y: Any, ary: Any, indices_or_sections: Any) -> Any:
    return split(g, y, ary, indices_or_sections, 0 if rank_of(ary) == 1 else 1)


@rule(np.vsplit)
def vsplit(g: Any, y: Any, ary: Any, indices_or_sections: Any) -> Any:
    return split(g, y, ary, indices_or_sections, 0)


def joined(g: Any, y: Any, axis: int) -> Any:
    """The concatenation of the cotangents of the pieces `y`."""
    parts = g if isinstance(g, tuple | list) else None
    if parts is not None and all(p is not None for p in parts):
        return call(np.concatenate, list(parts), axis=axis)
    return call(runtime.join_like, g, y, axis)


# ---- the runtime's helpers, each the transpose of another


@rule(runtime.split_like)
def split_like(g: Any, y: Any, c: Any, xs: Any, axis: Any) -> Any:
    whole = call(runtime.join_like, g, xs, axis)
    same_rank = shape_of(type_of(c)) is not None and shape_of(type_of(whole)) == shape_of(
        type_of(c)
    )
    return (whole if same_rank else np.reshape(whole, np.shape(c))), None, None


@rule(runtime.join_like)
def join_like(g: Any, y: Any, cs: Any, xs: Any, axis: Any) -> Any:
    return call(runtime.split_like, g, xs, axis), None, None


@rule(runtime.restructure)
def restructure(g: Any, y: Any, c: Any, xs: Any) -> Any:
    whole = call(runtime.assemble, g, xs)
    return np.reshape(whole, np.shape(c)), None


@rule(runtime.assemble)
def assemble(g: Any, y: Any, cs: Any, xs: Any) -> Any:
    return call(runtime.restructure, g, xs), None


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


@result(np.vstack)
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


@result(np.array, np.asarray, np.ascontiguousarray, np.asfortranarray, runtime.astype)
def _array(x: Any, dtype: Any = None, *more: Any, **rest: Any) -> Type:
    shape = array_shape(type_of(x))
    given = static(dtype)
    kind = dtype_of(type_of(x)) if given is None else None
    if given is not None and not isinstance(given, Value):
        kind = np.dtype(given)
    return UNKNOWN if rest.get("ndmin") is not None else Array(kind, shape)


@result(np.ascontiguousarray, np.asfortranarray)
def _contiguous(x: Any, dtype: Any = None) -> Type:
    t = _array(x, dtype)
    return Array(t.dtype, t.shape or (1,) if t.shape is not None else None) if is_type(t) else t


def is_type(t: Type) -> bool:
    return isinstance(t, Array)


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
