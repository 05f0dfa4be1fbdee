"""Functions that move, repeat, cut or fill: each is linear, and its rule is the transposed
movement.

What cannot be said as a movement back (a diagonal, indices that repeat) adds into zeros:
`runtime.diagonal_like`, `runtime.add_at`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import INT, Scalar
from .registry import call, rank_of, rule, shape_of_atom, unsupported
from .sequences import as_dtype, carries, nested
from .sizes import along, decided, normal, static

# ---- the same elements in another shape


def _back(g: Any, x: Any) -> Any:
    return np.reshape(g, np.shape(x))


def _plain_order(order: Any, g: Any, x: Any) -> Any:
    if order == "C":
        return _back(g, x)
    return call(np.reshape, g, np.shape(x), order=_known_order(order))


def _known_order(order: Any) -> str:
    if order not in ("C", "F"):
        raise unsupported(f"`order={order!r}`", "write order='C' or 'F'")
    return str(order)


@rule(np.reshape, order="a shape order")
def reshape(g: Any, y: Any, a: Any, shape: Any = None, order: Any = "C", copy: Any = None) -> Any:
    return _plain_order(order, g, a)


@rule(np.ravel, runtime.flatten)
def ravel(g: Any, y: Any, a: Any, order: Any = "C") -> Any:
    if shape_of_atom(a) is not None and rank_of(a) == 1:
        return g
    return _plain_order(order, g, a)


@rule(np.squeeze)
def squeeze(g: Any, y: Any, a: Any, axis: Any = None) -> Any:
    return np.expand_dims(g, axis) if axis is not None else _back(g, a)


@rule(np.expand_dims)
def expand_dims(g: Any, y: Any, a: Any, axis: Any) -> Any:
    return np.squeeze(g, axis), None


def atleast(g: Any, y: Any, a: Any) -> Any:
    same = shape_of_atom(a) is not None and shape_of_atom(a) == shape_of_atom(y)
    return g if same else _back(g, a)


@rule(np.atleast_1d, np.atleast_2d, np.atleast_3d)
def atleast_several(g: Any, y: Any, *arys: Any) -> Any:
    if len(arys) == 1:
        return (atleast(g, y, arys[0]),)
    return tuple(None if c is None else _back(c, a) for c, a in zip(g, arys, strict=True))


@rule(np.copy, runtime.copy)
def copy(g: Any, y: Any, a: Any, order: Any = "K", subok: Any = False) -> Any:
    return nested(g, a)


@rule(runtime.item)
def item(g: Any, y: Any, x: Any, *index: Any) -> Any:
    if not rank_of(x):
        return g, *(None for _ in index)
    place = index or (0,) * rank_of(x)
    if len(place) == 1 and not isinstance(type_of(place[0]), Scalar):  # a tuple
        return call(runtime.add_at, call(runtime.zeros_like, x), place[0], g), None
    if len(place) == 1 != rank_of(x):
        flat = call(runtime.zeros_like, np.reshape(x, (-1,)))
        return _back(call(runtime.add_at, flat, place, g), x), None
    return call(runtime.add_at, call(runtime.zeros_like, x), place, g), *(None for _ in index)


@rule(runtime.like_first)
def like_first(g: Any, y: Any, whole: Any, first: Any) -> Any:
    return call(runtime.into_like_first, g, y), None


@rule(runtime.into_like_first)
def into_like_first(g: Any, out: Any, c: Any, y: Any) -> Any:
    return call(runtime.into_like_first, g, y), None


# ---- axes in another order


@rule(np.transpose, np.permute_dims)
def transpose(g: Any, y: Any, a: Any, axes: Any = None) -> Any:
    if axes is None:
        return np.transpose(g)
    axes = decided(axes)
    n = len(axes)
    return np.transpose(g, tuple(int(i) for i in np.argsort([normal(i, n) for i in axes])))


@rule(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(g: Any, y: Any, x: Any) -> Any:
    return np.matrix_transpose(g)


@rule(np.swapaxes)
def swapaxes(g: Any, y: Any, a: Any, axis1: Any, axis2: Any) -> Any:
    return np.swapaxes(g, axis1, axis2), None, None


@rule(np.moveaxis)
def moveaxis(g: Any, y: Any, a: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(g, destination, source), None, None


@rule(np.rollaxis)
def rollaxis(g: Any, y: Any, a: Any, axis: Any, start: Any = 0) -> Any:
    n = rank_of(a)
    to = start + n if start < 0 else start
    at = normal(axis, n)
    return np.moveaxis(g, to - 1 if at < to else to, at), None


# ---- turned and shifted


@rule(np.flip)
def flip(g: Any, y: Any, m: Any, axis: Any = None) -> Any:
    return np.flip(g, axis)


@rule(np.fliplr)
def fliplr(g: Any, y: Any, m: Any) -> Any:
    return np.fliplr(g)


@rule(np.flipud)
def flipud(g: Any, y: Any, m: Any) -> Any:
    return np.flipud(g)


@rule(np.roll)
def roll(g: Any, y: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    shift = static(shift)
    back = tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift
    return np.roll(g, back, axis), None


@rule(np.rot90)
def rot90(g: Any, y: Any, m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    return np.rot90(g, -k, axes)


# ---- repeated


@rule(np.broadcast_to, broadcasts=True)
def broadcast_to(g: Any, y: Any, array: Any, shape: Any) -> Any:
    return g, None


@rule(np.broadcast_arrays, broadcasts=True)
def broadcast_arrays(g: Any, y: Any, *args: Any) -> Any:
    return tuple(g[i] for i in range(len(args)))


@rule(np.tile)
def tile(g: Any, y: Any, A: Any, reps: Any) -> Any:
    n, reps = rank_of(A), static(reps)
    if isinstance(reps, Value) and type_of(reps) != INT:
        raise unsupported("`np.tile` with counts that only the run knows", "give a tuple of them")
    times = reps if isinstance(reps, tuple | list) else (reps,)
    times = (1,) * (n - len(times)) + tuple(times)
    extra = len(times) - n
    sizes: list[Any] = list(times[:extra])
    for i in range(n):
        sizes += [times[extra + i], np.shape(A)[i]]
    summed = (*range(extra), *range(extra, extra + 2 * n, 2))
    return np.sum(np.reshape(g, tuple(sizes)), axis=summed), None


@rule(np.repeat)
def repeat(g: Any, y: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    flat = axis is None
    x = np.ravel(a) if flat and rank_of(a) != 1 else a
    i = 0 if flat else normal(axis, rank_of(a))
    t = type_of(repeats)
    if isinstance(t, Scalar):
        shape = [np.shape(x)[k] for k in range(rank_of(x))]
        c = np.sum(np.reshape(g, (*shape[: i + 1], repeats, *shape[i + 1 :])), axis=i + 1)
    else:
        index = call(np.repeat, call(np.arange, np.shape(x)[i]), repeats)
        c = call(runtime.add_at, call(runtime.zeros_like, x), along(i, index), g)
    return (c if x is a else _back(c, a)), None


@rule(np.meshgrid)
def meshgrid(
    g: Any, y: Any, *xi: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True
) -> Any:
    found = []
    for i, x in enumerate(xi):
        c = g[i]
        own = 1 - i if indexing == "xy" and i < 2 and len(xi) > 1 else i
        if c is not None and not sparse and len(xi) > 1:
            c = np.sum(c, axis=tuple(k for k in range(len(xi)) if k != own))
        found.append(c if c is None or not sparse and shape_of_atom(x) != () else _back(c, x))
    return tuple(found)


# ---- cut


@rule(np.triu)
def triu(g: Any, y: Any, m: Any, k: Any = 0) -> Any:
    return np.triu(g, k) if rank_of(m) > 1 else np.sum(np.triu(g, k), axis=0)


@rule(np.tril)
def tril(g: Any, y: Any, m: Any, k: Any = 0) -> Any:
    return np.tril(g, k) if rank_of(m) > 1 else np.sum(np.tril(g, k), axis=0)


@rule(np.diag)
def diag(g: Any, y: Any, v: Any, k: Any = 0) -> Any:
    return np.diagonal(g, k) if rank_of(v) == 1 else call(runtime.diagonal_like, g, v, k)


@rule(np.diagonal)
def diagonal(g: Any, y: Any, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    return call(runtime.diagonal_like, g, a, offset, axis1, axis2)


@rule(np.linalg.diagonal)
def diagonal_of(g: Any, y: Any, x: Any, offset: Any = 0) -> Any:
    return call(runtime.diagonal_like, g, x, offset, -2, -1)


@rule(np.linalg.trace)
def trace_of(g: Any, y: Any, x: Any, offset: Any = 0, dtype: Any = None) -> Any:
    return trace(g, y, x, offset, -2, -1, dtype)


@rule(np.trace, order="a offset axis1 axis2 dtype out")
def trace(
    g: Any,
    y: Any,
    a: Any,
    offset: Any = 0,
    axis1: Any = 0,
    axis2: Any = 1,
    dtype: Any = None,
) -> Any:
    if dtype is not None:
        g = as_dtype(g, a) if carries(y, a) else 0.0 * g
    along_it = np.shape(np.diagonal(a, offset, axis1, axis2))
    spread = np.broadcast_to(np.expand_dims(g, -1), along_it)
    return call(runtime.diagonal_like, spread, a, offset, axis1, axis2)


@rule(runtime.diagonal_like)
def diagonal_like(
    g: Any, y: Any, c: Any, x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1
) -> Any:
    return np.diagonal(g, offset, axis1, axis2), None


def widths_of(pad_width: Any, n: int) -> list[tuple[Any, Any]]:
    """`pad_width` in all its forms as one pair for each axis."""
    if isinstance(pad_width, Value) and isinstance(type_of(pad_width), Scalar):
        return [(pad_width, pad_width)] * n
    if isinstance(pad_width, Value | dict):
        raise TypeError("a `pad_width` that only the run knows")
    if isinstance(pad_width, tuple | list):
        rows = [tuple(w) if isinstance(w, tuple | list) else w for w in pad_width]
        if len(rows) == 2 and not any(isinstance(w, tuple) for w in rows):
            return [(rows[0], rows[1])] * n
        pairs = [(w * (2 // len(w)))[:2] if isinstance(w, tuple) else (w, w) for w in rows]
        return [(p[0], p[1]) for p in (pairs if len(pairs) > 1 else pairs * n)]
    return [(int(b), int(a)) for b, a in np.broadcast_to(pad_width, (n, 2))]
