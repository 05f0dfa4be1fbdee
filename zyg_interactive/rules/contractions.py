"""Products of vectors, matrices and tensors.

A product is bilinear: the cotangent of either factor is the product of the result's cotangent with
the conjugate of the other factor (M. B. Giles 2008, "An extended collection of matrix derivative
results for forward and reverse mode algorithmic differentiation", section 2.2). Sums over broadcast
batch axes are repaired centrally (`broadcasts=True`).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type, broadcast
from .registry import call, conj, rank_of, result, rule
from .sizes import decided, dtype_after, dtype_of, normal, product, shape_at

LA = np.linalg


def transposed(x: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    x = conj(x)
    return np.transpose(x) if rank_of(x) == 2 else np.swapaxes(x, -1, -2)


@rule(np.matmul, operator.matmul, LA.matmul, broadcasts=True)
def matmul(g: Any, y: Any, a: Any, b: Any) -> Any:
    m, n = rank_of(a), rank_of(b)
    if m == n == 1:
        return g * conj(b), g * conj(a)
    if n == 1:
        # Over the rows of all batches at once: no copy of `b` for each.
        rows = tuple(range(m - 1))
        b_bar = g @ conj(a) if m == 2 else np.tensordot(g, conj(a), axes=(rows, rows))
        return np.expand_dims(g, -1) * conj(b), b_bar
    if m == 1:
        a_bar = conj(b) @ g if n == 2 else np.sum(conj(b) * np.expand_dims(g, -2), axis=-1)
        return a_bar, np.expand_dims(conj(a), 1) * np.expand_dims(g, -2)
    if n == 2 and m > 2:
        rows = tuple(range(m - 1))
        return g @ transposed(b), np.tensordot(conj(a), g, axes=(rows, rows))
    return g @ transposed(b), transposed(a) @ g


@rule(np.dot, broadcasts=True, order="a b out")
def dot(g: Any, y: Any, a: Any, b: Any) -> Any:
    m, n = rank_of(a), rank_of(b)
    if m == 0 or n == 0:
        return g * conj(b), g * conj(a)
    if m <= 2 and n <= 2:
        return matmul(g, y, a, b)
    return _tensordot(g, a, b, [m - 1], [max(n - 2, 0)])


@rule(np.inner, broadcasts=True)
def inner(g: Any, y: Any, a: Any, b: Any) -> Any:
    m, n = rank_of(a), rank_of(b)
    if m == 0 or n == 0:
        return g * conj(b), g * conj(a)
    return _tensordot(g, a, b, [m - 1], [n - 1])


@rule(np.vdot)
def vdot(g: Any, y: Any, a: Any, b: Any) -> Any:
    # y = sum conj(a) b, linear in b and in conj(a).
    if rank_of(a) == rank_of(b) <= 1:
        return conj(g) * b, g * a
    flat_a, flat_b = (np.ravel(v) if rank_of(v) != 1 else v for v in (a, b))
    return np.reshape(conj(g) * flat_b, np.shape(a)), np.reshape(g * flat_a, np.shape(b))


@rule(np.outer, order="a b out")
def outer(g: Any, y: Any, a: Any, b: Any) -> Any:
    flat_a, flat_b = (v if rank_of(v) == 1 else np.ravel(v) for v in (a, b))
    a_bar, b_bar = g @ conj(flat_b), conj(flat_a) @ g
    return (
        a_bar if flat_a is a else np.reshape(a_bar, np.shape(a)),
        b_bar if flat_b is b else np.reshape(b_bar, np.shape(b)),
    )


rule(np.linalg.outer)(outer)


def _axes_pair(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The contracted axes of `np.tensordot`, in pairs and counted from the front."""
    axes = decided(axes)
    m, n = rank_of(a), rank_of(b)
    if isinstance(axes, int):
        return list(range(m - axes, m)), list(range(axes))
    p, q = (list(v) if isinstance(v, tuple | list) else [v] for v in axes)
    return [normal(i, m) for i in p], [normal(i, n) for i in q]


@rule(np.tensordot, LA.tensordot)
def tensordot(g: Any, y: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    return _tensordot(g, a, b, *_axes_pair(a, b, axes))


def _tensordot(g: Any, a: Any, b: Any, p: list[int], q: list[int]) -> Any:
    m, n = rank_of(a), rank_of(b)
    free_a = [i for i in range(m) if i not in p]
    free_b = [i for i in range(n) if i not in q]
    split = len(free_a)
    last = tuple(range(split, split + len(free_b)))
    # What is left of `b` are its contracted axes, ascending: name each by its partner in `a`.
    a_bar = np.tensordot(g, conj(b), axes=(last, tuple(free_b)))
    a_bar = _ordered(a_bar, free_a + [i for _, i in sorted(zip(q, p, strict=True))])
    b_bar = np.tensordot(conj(a), g, axes=(tuple(free_a), tuple(range(split))))
    return a_bar, _ordered(b_bar, [j for _, j in sorted(zip(p, q, strict=True))] + free_b)


def _ordered(x: Any, axes: list[int]) -> Any:
    """`x`, whose axes are those named, with its axes in order."""
    if axes == sorted(axes):
        return x
    return np.transpose(x, tuple(axes.index(i) for i in range(len(axes))))


@rule(np.kron)
def kron(g: Any, y: Any, a: Any, b: Any) -> Any:
    n = max(rank_of(a), rank_of(b))
    rows, columns = (_filled_shape(v, n) for v in (a, b))
    pairs = np.reshape(g, tuple(s for pair in zip(rows, columns, strict=True) for s in pair))
    even, odd = tuple(range(0, 2 * n, 2)), tuple(range(1, 2 * n, 2))
    wide_a, wide_b = np.reshape(a, rows), np.reshape(b, columns)
    a_bar = np.sum(pairs * np.expand_dims(conj(wide_b), even), axis=odd)
    b_bar = np.sum(pairs * np.expand_dims(conj(wide_a), odd), axis=even)
    return np.reshape(a_bar, np.shape(a)), np.reshape(b_bar, np.shape(b))


def _filled_shape(x: Any, n: int) -> tuple[Any, ...]:
    shape, m = np.shape(x), rank_of(x)
    return (*(1,) * (n - m), *(shape[i] for i in range(m)))


@rule(np.cross, broadcasts=True)
def cross(
    g: Any,
    y: Any,
    a: Any,
    b: Any,
    axisa: Any = -1,
    axisb: Any = -1,
    axisc: Any = -1,
    axis: Any = None,
) -> Any:
    ends = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    if all(i == -1 for i in ends):
        return np.cross(conj(b), g), np.cross(g, conj(a))
    if axis is not None and rank_of(a) == rank_of(b):
        return np.cross(conj(b), g, axis=axis), np.cross(g, conj(a), axis=axis)
    p, q = (np.moveaxis(v, i, -1) for v, i in zip((a, b), ends, strict=False))
    g = np.moveaxis(g, ends[2], -1)
    bars = (np.cross(conj(q), g), np.cross(g, conj(p)))
    return tuple(
        np.moveaxis(call(runtime.unbroadcast, bar, v), -1, i)
        for bar, v, i in zip(bars, (p, q), ends, strict=False)
    )


@rule(LA.cross, broadcasts=True)
def cross_of(g: Any, y: Any, x1: Any, x2: Any, axis: Any = -1) -> Any:
    return cross(g, y, x1, x2, axis=axis)


# ---- sums of products along one axis


def _vecdot(g: Any, y: Any, x1: Any, x2: Any, axis: Any = -1) -> Any:
    # sum conj(x1) x2
    axis = decided(axis)
    g = np.expand_dims(g, -1)
    if axis == -1:
        return conj(g) * x2, g * x1
    a, b = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    bars = (call(runtime.unbroadcast, conj(g) * b, a), call(runtime.unbroadcast, g * a, b))
    return tuple(np.moveaxis(bar, -1, axis) for bar in bars)


if hasattr(np, "vecdot"):
    rule(np.vecdot, broadcasts=True)(_vecdot)
    rule(LA.vecdot, broadcasts=True)(_vecdot)

if hasattr(np, "matvec"):

    @rule(np.matvec, broadcasts=True)
    def matvec(g: Any, y: Any, x1: Any, x2: Any) -> Any:
        column = np.expand_dims(g, -1)
        return column * np.expand_dims(conj(x2), -2), np.sum(conj(x1) * column, axis=-2)

    @rule(np.vecmat, broadcasts=True)
    def vecmat(g: Any, y: Any, x1: Any, x2: Any) -> Any:
        row = np.expand_dims(g, -2)
        return np.sum(conj(row) * x2, axis=-1), np.expand_dims(x1, -1) * row


# ---- types of results


def _dtype(*xs: Any) -> Any:
    return dtype_after(np.multiply, *(dtype_of(type_of(x)) for x in xs))


@result(np.matmul, operator.matmul, LA.matmul)
def _matmul(a: Any, b: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    if s is None or t is None or not s or not t:
        return Array(_dtype(a, b), None)
    batch = broadcast(s[:-2], t[:-2])
    if batch is None:
        return Array(_dtype(a, b), None)
    rows, columns = (s[-2:-1] if len(s) > 1 else ()), (t[-1:] if len(t) > 1 else ())
    return Array(_dtype(a, b), (*batch, *rows, *columns))


@result(np.dot)
def _dot(a: Any, b: Any, out: Any = None) -> Type:
    s, t = shape_at(a), shape_at(b)
    if out is not None or s is None or t is None:
        return UNKNOWN if out is not None else Array(_dtype(a, b), None)
    if not s or not t:
        return Array(_dtype(a, b), s + t)
    return Array(_dtype(a, b), (*s[:-1], *(t[:-2] + t[-1:] if len(t) > 1 else ())))


@result(np.inner)
def _inner(a: Any, b: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    if s is None or t is None:
        return Array(_dtype(a, b), None)
    return Array(_dtype(a, b), (*s[:-1], *t[:-1]) if s and t else s + t)


@result(np.vdot)
def _vdot(a: Any, b: Any) -> Type:
    return Array(_dtype(a, b), ())


@result(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any, out: Any = None) -> Type:
    s, t = shape_at(a), shape_at(b)
    if out is not None or s is None or t is None:
        return UNKNOWN
    return Array(_dtype(a, b), (product(s), product(t)))


@result(np.tensordot, LA.tensordot)
def _tensordot_type(a: Any, b: Any, axes: Any = 2) -> Type:
    s, t = shape_at(a), shape_at(b)
    if s is None or t is None:
        return Array(_dtype(a, b), None)
    p, q = _axes_pair(a, b, axes)
    free = [n for i, n in enumerate(s) if i not in p] + [n for i, n in enumerate(t) if i not in q]
    return Array(_dtype(a, b), tuple(free))


@result(np.kron)
def _kron(a: Any, b: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    if s is None or t is None:
        return Array(_dtype(a, b), None)
    n = max(len(s), len(t))
    s, t = (1,) * (n - len(s)) + s, (1,) * (n - len(t)) + t
    return Array(_dtype(a, b), tuple(product(pair) for pair in zip(s, t, strict=True)))


@result(np.cross)
def _cross(a: Any, b: Any, *more: Any, **rest: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    three = s is not None and t is not None and 3 in (s[-1:] + t[-1:]) and not (more or rest)
    return Array(_dtype(a, b), broadcast(s, t) if three else None)


@result(LA.cross)
def _cross_of(x1: Any, x2: Any, axis: Any = -1) -> Type:
    return _cross(x1, x2) if decided(axis) == -1 else UNKNOWN


def _vecdot_type(x1: Any, x2: Any, axis: Any = -1) -> Type:
    s, t = shape_at(x1), shape_at(x2)
    both = broadcast(s, t)
    if both is None or decided(axis) != -1 or s is None or t is None:
        return Array(_dtype(x1, x2), None)
    return Array(_dtype(x1, x2), both[:-1])


if hasattr(np, "vecdot"):
    result(np.vecdot, LA.vecdot)(_vecdot_type)

if hasattr(np, "matvec"):

    @result(np.matvec)
    def _matvec(x1: Any, x2: Any) -> Type:
        s, t = shape_at(x1), shape_at(x2)
        batch = None if s is None or t is None else broadcast(s[:-2], t[:-1])
        shape = None if batch is None or s is None else (*batch, s[-2])
        return Array(_dtype(x1, x2), shape)

    @result(np.vecmat)
    def _vecmat(x1: Any, x2: Any) -> Type:
        s, t = shape_at(x1), shape_at(x2)
        batch = None if s is None or t is None else broadcast(s[:-1], t[:-2])
        shape = None if batch is None or t is None else (*batch, t[-1])
        return Array(_dtype(x1, x2), shape)
