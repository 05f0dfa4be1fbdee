"""Products of several matrices, systems of tensors, condition numbers.

M. B. Giles 2008, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.core import Undecided, type_of
from ..ir.types import UNKNOWN, Array, Type, is_complex
from .contractions import matmul
from .linalg import inv, solve
from .norms import norm
from .registry import rank_of, result, rule
from .sizes import (
    array_shape,
    decided,
    dtype_after,
    dtype_of,
    member_types,
    members,
    normal,
    rebuilt,
    shape_at,
)

LA = np.linalg


@rule(LA.multi_dot)
def multi_dot(g: Any, y: Any, arrays: Any) -> Any:
    items = members(arrays)
    if items is None:
        raise Undecided(arrays, "the length")
    before = [items[0]]
    for a in items[1:-1]:
        before.append(before[-1] @ a)
    bars: list[Any] = []
    for left, right in zip(reversed(before), reversed(items[1:]), strict=True):
        g, bar = matmul(g, None, left, right)
        bars.append(bar)
    return (rebuilt(arrays, [g, *reversed(bars)]),)


@rule(LA.tensorsolve)
def tensorsolve(g: Any, y: Any, a: Any, b: Any, axes: Any = None) -> Any:
    rank = rank_of(a)
    moved = a
    if axes is not None:
        gone = [normal(i, rank) for i in decided(axes)]
        order = [i for i in range(rank) if i not in gone] + gone
        moved = np.transpose(a, tuple(order))
    n = np.size(b)
    a_bar, b_bar = solve(
        np.reshape(g, (n,)), np.reshape(y, (n,)), np.reshape(moved, (n, n)), np.reshape(b, (n,))
    )
    a_bar = np.reshape(a_bar, np.shape(moved))
    if axes is not None:
        a_bar = np.transpose(a_bar, tuple(order.index(i) for i in range(rank)))
    return a_bar, np.reshape(b_bar, np.shape(b))


@rule(LA.tensorinv)
def tensorinv(g: Any, y: Any, a: Any, ind: Any = 2) -> Any:
    rank, ind = rank_of(a), int(decided(ind))
    n: Any = 1
    for i in range(rank - ind):
        n = n * np.shape(y)[i]
    flat = [np.reshape(v, (n, n)) for v in (g, y)]
    return np.reshape(inv(flat[0], flat[1], None), np.shape(a))


@rule(LA.cond)
def cond(g: Any, y: Any, x: Any, p: Any = None) -> Any:
    p = decided(p)
    if p in (None, 2, -2):
        factors = LA.svd(x, full_matrices=False)
        u, s, vh = factors[0], factors[1], factors[2]
        top, bottom = (slice(0, 1), slice(-1, None)) if p != -2 else (slice(-1, None), slice(0, 1))
        c = np.expand_dims(g, (-1, -2)) / np.expand_dims(s[..., bottom], -1)
        share = c * np.expand_dims(y, (-1, -2))
        first = (u[..., :, top] * c) @ vh[..., top, :]
        return first - (u[..., :, bottom] * share) @ vh[..., bottom, :]
    if is_complex(type_of(y)) is not False:  # some versions of NumPy return a complex number
        g, y = np.real(g), np.real(y)
    other = LA.inv(x)
    axes = (-2, -1)
    sizes = [LA.norm(m, p, axis=axes) for m in (x, other)]
    bar = norm(g * sizes[1], sizes[0], x, p, axes)
    return bar + inv(norm(g * sizes[0], sizes[1], other, p, axes), other, x)


# ---- types


@result(LA.multi_dot)
def _chain(arrays: Any) -> Type:
    items = member_types(arrays)
    if items is None:
        return UNKNOWN
    shapes = [array_shape(t) for t in items]
    kind = dtype_after(np.multiply, *map(dtype_of, items[:2]))
    if any(s is None for s in shapes) or len(set(map(dtype_of, items))) > 1:
        return UNKNOWN
    first, last = shapes[0], shapes[-1]
    assert first is not None and last is not None
    return Array(kind, (*first[:-1], *(last[1:])))


@result(LA.tensorsolve)
def _solution(a: Any, b: Any, axes: Any = None) -> Type:
    s, t = shape_at(a), shape_at(b)
    kind = dtype_after(np.linalg.solve, dtype_of(type_of(a)), dtype_of(type_of(b)))
    if s is None or t is None or axes is not None:
        return Array(kind, None)
    return Array(kind, s[len(t) :])


@result(LA.tensorinv)
def _inverse(a: Any, ind: Any = 2) -> Type:
    shape, ind = shape_at(a), int(decided(ind))
    kind = dtype_after(np.linalg.inv, dtype_of(type_of(a)))
    return Array(kind, None if shape is None else (*shape[ind:], *shape[:ind]))


@result(LA.cond)
def _condition(x: Any, p: Any = None) -> Type:
    shape, kind = shape_at(x), dtype_after(np.linalg.inv, dtype_of(type_of(x)))
    known = kind is not None and (kind.kind == "f" or p in (None, 2, -2))
    real = np.zeros(0, kind).real.dtype if known else None
    return Array(real, None if shape is None else shape[:-2])
