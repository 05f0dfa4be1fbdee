"""Joining and splitting: concatenate, stack and their kin, `np.array` of nested lists, split.

A sequence argument may be a tuple or list of values, a `Value` that holds one, or an array, which
is iterated over its first axis. Its cotangent has its structure. Where the length is known only at
the run, `runtime.split_like` and `runtime.restructure` make it; they and their transposes have
rules of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Undecided, Value, type_of
from ..ir.types import Array, Const, List, Scalar, Tuple, Type, is_complex, shape_of
from .registry import call, rank_of, rule, takes_lists, unsupported
from .sizes import (
    along,
    array_shape,
    decided,
    dtype_of,
    is_array,
    member_type,
    members,
    normal,
    rebuilt,
    static,
)

JOINING = (np.concatenate, np.hstack, np.vstack, np.dstack, np.column_stack)
takes_lists(
    *(*JOINING, np.stack, np.block, np.linalg.multi_dot, np.choose, np.full, np.full_like),
    *(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.copy),
    np.fromiter,
)

# ---- cotangents of joined sequences


def pieces(g: Any, xs: Any, axis: int | None, low: int = 0) -> Any:
    """The cotangent of `xs`, whose members were joined along `axis`.

    Members of rank at most `low` have size one there.
    """
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


@rule(np.vstack, *(getattr(np, n) for n in ("row_stack",) if hasattr(np, n)))
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


@rule(np.array, np.asarray, np.asanyarray, np.asarray_chkfinite, order="object dtype")
def array(
    g: Any,
    y: Any,
    object: Any,
    dtype: Any = None,
    copy: Any = True,
    order: Any = None,
    subok: Any = False,
    ndmin: Any = 0,
) -> Any:
    if not carries(y, object):
        return (None,)
    if ndmin and decided(ndmin):
        own = array_shape(type_of(object))
        if own is None:
            raise Undecided(object, "the rank")
        g = g[(0,) * max(decided(ndmin) - len(own), 0)]
    return (nested(g, object),)


def in_kind(c: Any, x: Any) -> Any:
    """A cotangent of the kind of `x`, where only the run knows its own."""
    t = type_of(x)
    kind = t.dtype if isinstance(t, Array) else None
    known = c is not None and kind is not None and kind.kind in "fc"
    return call(runtime.as_dtype, c, kind) if known else c


@rule(np.require)
def require(g: Any, y: Any, a: Any, dtype: Any = None, requirements: Any = None) -> Any:
    return (nested(g, a) if carries(y, a) else None,)


@rule(np.fromiter, order="iter dtype count")
def fromiter(g: Any, y: Any, iter: Any, dtype: Any, count: Any = -1) -> Any:
    items = members(iter)
    if decided(count) >= 0 and (items is None or decided(count) != len(items)):
        raise unsupported("`np.fromiter` with count=", "leave it out")
    return (nested(g, iter) if carries(y, iter) else None), None


def carries(y: Any, x: Any) -> bool:
    """Whether the conversion of `x` to `y` lets derivatives pass; a cut to integers does not."""
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
    if isinstance(x, Value) and not isinstance(t, Const):
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


def _astype(
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


rule(runtime.astype)(_astype)
if hasattr(np, "astype"):
    rule(np.astype)(_astype)


FLOATING = {
    *(np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128),
    np.clongdouble,
}


@rule(*FLOATING)
def number(g: Any, y: Any, x: Any) -> Any:
    """`np.float32(x)`: a number, or an array of numbers, in another precision."""
    return (nested(g, x) if carries(y, x) else None,)


@rule(runtime.as_dtype)
def in_dtype(g: Any, y: Any, x: Any, dtype: Any) -> Any:
    return as_dtype(g, x), None


@rule(runtime.tolist)
def tolist(g: Any, y: Any, x: Any) -> Any:
    return (call(runtime.assemble, g, y),)


# ---- splitting


@rule(np.split, np.array_split)
def split(g: Any, y: Any, ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    at = static(indices_or_sections)
    if isinstance(at, tuple | list) and at != type(at)(sorted(at)):
        raise unsupported("`np.split` at indices that do not ascend", "order them")
    axis = decided(axis)
    return joined(g, y, axis if axis >= 0 else normal(axis, rank_of(ary))), None


@rule(np.dsplit)
def dsplit(g: Any, y: Any, ary: Any, indices_or_sections: Any) -> Any:
    return split(g, y, ary, indices_or_sections, 2)


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
