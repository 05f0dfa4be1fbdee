"""The types of what `shaping` moves, repeats, cuts and fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, Dim, Size, Tuple, Type, broadcast, fresh, shape_of
from .indexing import scalar_type
from .nondifferentiable import shape_from
from .registry import result
from .shaping import widths_of
from .sizes import (
    Shape,
    decided,
    dtype_after,
    dtype_of,
    less,
    normal,
    product,
    shape_at,
    size_of,
    static,
    total,
    with_size,
)


def _array(x: Any, shape: Shape) -> Type:
    return Array(dtype_of(type_of(x)), shape)


@result(np.reshape)
def _reshape(a: Any, shape: Any, order: Any = "C", copy: Any = None) -> Type:
    shape = static(shape)
    sizes = shape_from(shape)
    wanted = shape if isinstance(shape, tuple | list) else (shape,)
    holes = [i for i, n in enumerate(wanted) if isinstance(n, int) and n < 0]
    if sizes is None or not holes:
        return _array(a, sizes)
    whole = shape_at(a)
    rest: Size = fresh() if whole is None else _left(whole, sizes, holes[0])
    return _array(a, (*sizes[: holes[0]], rest, *sizes[holes[0] + 1 :]))


def _left(whole: tuple[Size, ...], sizes: tuple[Size, ...], hole: int) -> Size:
    """The size of the axis that a reshape leaves to NumPy."""
    given = [s for i, s in enumerate(sizes) if i != hole]
    left = list(whole)
    for s in list(given):
        if s in left:
            left.remove(s)
            given.remove(s)
    given = [s for s in given if s != 1]
    if not given:
        return product(left)
    if all(isinstance(s, int) for s in (*given, *left)):
        top, bottom = product(left), product(given)
        if isinstance(top, int) and isinstance(bottom, int) and bottom and top % bottom == 0:
            return top // bottom
    return fresh()


@result(np.ravel, runtime.flatten)
def _ravel(a: Any, order: Any = "C") -> Type:
    shape = shape_at(a)
    return _array(a, (fresh() if shape is None else product(shape),))


@result(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Type:
    shape = shape_at(a)
    if shape is None:
        return _array(a, None)
    if axis is None:
        # A symbol may be 1 at the run, unless it is known not to be.
        decides = all(isinstance(s, int) or s.plural for s in shape)
        return _array(a, tuple(s for s in shape if s != 1) if decides else None)
    axis = decided(axis)
    axes = axis if isinstance(axis, tuple) else (axis,)
    gone = {normal(i, len(shape)) for i in axes} if shape else set()
    return _array(a, tuple(s for i, s in enumerate(shape) if i not in gone))


@result(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Type:
    shape, axis = shape_at(a), decided(axis)
    if shape is None:
        return _array(a, None)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    n = len(shape) + len(axes)
    new, rest = {normal(i, n) for i in axes}, iter(shape)
    return _array(a, tuple(1 if i in new else next(rest) for i in range(n)))


def _each(one: Any) -> Any:
    def how(*arys: Any) -> Type:
        return one(arys[0]) if len(arys) == 1 else Tuple(tuple(map(one, arys)))

    return how


def _atleast_1d(a: Any) -> Type:
    shape = shape_at(a)
    return _array(a, shape if shape is None else shape or (1,))


def _atleast_2d(a: Any) -> Type:
    shape = shape_at(a)
    return _array(a, None if shape is None else (1,) * (2 - len(shape)) + shape)


def _atleast_3d(a: Any) -> Type:
    shape = shape_at(a)
    if shape is not None and len(shape) < 3:
        shape = (*shape, 1) if len(shape) == 2 else (1, *(shape or (1,)), 1)
    return _array(a, shape)


result(np.atleast_1d)(_each(_atleast_1d))
result(np.atleast_2d)(_each(_atleast_2d))
result(np.atleast_3d)(_each(_atleast_3d))


@result(
    np.copy, runtime.copy, np.flip, np.fliplr, np.flipud, np.roll, np.sort, runtime.add_along_axis
)
def _same(*args: Any, axis: Any = -1, **rest: Any) -> Type:
    return _array(args[0], shape_at(args[0]))


@result(np.sort)
def _sort(a: Any, axis: Any = -1, **rest: Any) -> Type:
    return _ravel(a) if static(axis) is None else _array(a, shape_at(a))


@result(np.unwrap)
def _unwrap(p: Any, *rest: Any, **more: Any) -> Type:
    return Array(None, shape_at(p))


@result(runtime.add_along_axis, runtime.diagonal_like)
def _placed(c: Any, x: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_at(x))


@result(runtime.item)
def _item(x: Any, *index: Any) -> Type:
    t = type_of(x)
    return scalar_type(Array(t.dtype, ())) if isinstance(t, Array) else UNKNOWN


@result(runtime.like_first, runtime.into_like_first)
def _like(x: Any, other: Any) -> Type:
    return Array(None, shape_at(x))


# ---- axes in another order


@result(np.transpose, np.permute_dims)
def _transpose(a: Any, axes: Any = None) -> Type:
    shape, axes = shape_at(a), decided(axes)
    if shape is None:
        return _array(a, None)
    order = range(len(shape))[::-1] if axes is None else [normal(i, len(shape)) for i in axes]
    return _array(a, tuple(shape[i] for i in order))


@result(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any) -> Type:
    shape = shape_at(x)
    return _array(x, None if shape is None else (*shape[:-2], shape[-1], shape[-2]))


@result(np.swapaxes)
def _swapaxes(a: Any, axis1: Any, axis2: Any) -> Type:
    shape = shape_at(a)
    if shape is None:
        return _array(a, None)
    order, n = list(shape), len(shape)
    i, j = normal(decided(axis1), n), normal(decided(axis2), n)
    order[i], order[j] = order[j], order[i]
    return _array(a, tuple(order))


@result(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Type:
    shape = shape_at(a)
    if shape is None:
        return _array(a, None)
    return _array(
        a, _permuted(shape, lambda x: np.moveaxis(x, decided(source), decided(destination)))
    )


@result(np.rollaxis)
def _rollaxis(a: Any, axis: Any, start: Any = 0) -> Type:
    shape = shape_at(a)
    if shape is None:
        return _array(a, None)
    return _array(a, _permuted(shape, lambda x: np.rollaxis(x, decided(axis), decided(start))))


def _permuted(shape: tuple[Size, ...], move: Any) -> Shape:
    """The sizes in the order in which NumPy itself leaves the axes."""
    probe = np.empty(tuple(range(2, 2 + len(shape))), np.bool_)
    return tuple(shape[n - 2] for n in move(probe).shape)


@result(np.rot90)
def _rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Type:
    shape, k, axes = shape_at(m), decided(k), decided(axes)
    return _swapaxes(m, *axes) if k % 2 else _array(m, shape)


# ---- repeated


@result(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any, subok: Any = False) -> Type:
    return _array(array, shape_from(static(shape)))


@result(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: Any = False) -> Type:
    shape = broadcast(*map(shape_at, args))
    return Tuple(tuple(_array(a, shape) for a in args))


@result(np.tile)
def _tile(A: Any, reps: Any) -> Type:
    shape, reps = shape_at(A), static(reps)
    times = reps if isinstance(reps, tuple | list) else (reps,)
    if shape is None or isinstance(type_of(reps), Tuple) and isinstance(reps, Value):
        return _array(A, None)
    n = max(len(shape), len(times))
    padded = (1,) * (n - len(shape)) + shape
    counts = [1] * (n - len(times)) + [size_of(t) for t in times]
    return _array(A, tuple(_times(s, r) for s, r in zip(padded, counts, strict=True)))


def _times(size: Size, count: Any) -> Size:
    return size if count == 1 else product((size, count))


@result(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Type:
    shape, count = shape_at(a), static(repeats)
    if shape is None:
        return _array(a, (fresh(),) if axis is None else None)
    flat = (product(shape),) if axis is None else shape
    i = 0 if axis is None else normal(decided(axis), len(shape))
    size = _times(flat[i], count) if isinstance(count, int) else fresh()
    return _array(a, with_size(flat, i, size))


@result(np.meshgrid)
def _meshgrid(*xi: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True) -> Type:
    sizes: list[Size] = [product(shape_at(x) or ()) if shape_at(x) else 1 for x in xi]
    shapes = [shape_at(x) for x in xi]
    if any(s is None for s in shapes):
        return Tuple(tuple(_array(x, None) for x in xi))
    grids = []
    for i, x in enumerate(xi):
        shape = [n if not decided(sparse) or k == i else 1 for k, n in enumerate(sizes)]
        if decided(indexing) == "xy" and len(shape) > 1:
            shape[:2] = shape[1::-1]
        grids.append(_array(x, tuple(shape)))
    return Tuple(tuple(grids))


# ---- cut


@result(np.triu, np.tril)
def _triangle(m: Any, k: Any = 0) -> Type:
    shape = shape_at(m)
    return _array(m, shape * 2 if shape is not None and len(shape) == 1 else shape)


@result(np.diag)
def _diag(v: Any, k: Any = 0) -> Type:
    shape = shape_at(v)
    if shape is not None and len(shape) == 1:
        n = total((shape[0], abs(decided(k))))
        return _array(v, (n, n))
    return _diagonal(v, k)


@result(np.linalg.diagonal)
def _diagonal_of(x: Any, offset: Any = 0) -> Type:
    return _diagonal(x, offset, -2, -1)


@result(np.linalg.trace)
def _trace_of(x: Any, offset: Any = 0, dtype: Any = None) -> Type:
    return _trace(x, offset, -2, -1, dtype)


@result(np.diagonal)
def _diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Type:
    shape = shape_at(a)
    if shape is None:
        return _array(a, None)
    i, j = (normal(decided(k), len(shape)) for k in (axis1, axis2))
    rows, columns, k = shape[i], shape[j], static(offset)
    rest = tuple(s for n, s in enumerate(shape) if n not in (i, j))
    if isinstance(rows, int) and isinstance(columns, int) and isinstance(k, int):
        n: Size = max(min(rows + min(k, 0), columns - max(k, 0)), 0)
    elif rows == columns and isinstance(rows, Dim) and isinstance(k, int):
        n = less(rows, abs(k))
    else:
        n = fresh()
    return _array(a, (*rest, n))


@result(np.trace)
def _trace(
    a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None
) -> Type:
    t = _diagonal(a, offset, axis1, axis2)
    own = dtype_after(np.sum, dtype_of(t))
    given = static(dtype)
    own = own if given is None else None if isinstance(given, Value) else np.dtype(given)
    known = out is None and isinstance(t, Array) and t.shape is not None
    shape = shape_of(t)
    return Array(own, shape[:-1] if shape is not None else None) if known else Array(None, None)


@result(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **rest: Any) -> Type:
    shape = shape_at(array)
    if shape is None:
        return _array(array, None)
    widths = widths_of(static(pad_width), len(shape))
    return _array(
        array,
        tuple(
            total((s, w[0], w[1])) if all(isinstance(k, int) for k in w) else fresh()
            for s, w in zip(shape, widths, strict=True)
        ),
    )
