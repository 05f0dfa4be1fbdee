"""Norms of vectors and matrices, of every order. Where a norm has a kink its derivative is shared
among the largest, and 0 at the origin.

M. B. Giles 2008, "An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation", section 2.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.core import Value, type_of
from ..ir.types import Array, Type
from .registry import rank_of, result, rule, unsupported
from .sizes import dtype_of, normal, reduced, shape_at

LA = np.linalg


@rule(LA.norm)
def norm(g: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    rank = rank_of(x)
    whole = axis is None and (ord is None or rank == 1)
    axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(normal(i, rank) for i in axes)
    if not keepdims and not (whole or len(axes) == rank):
        g, y = np.expand_dims(g, axes), np.expand_dims(y, axes)
    _known(ord)
    if whole and ord is None or len(axes) == 1 or ord in (None, "fro"):
        return _vector_norm(g, y, x, 2 if ord in (None, "fro") else ord, axes)
    return _matrix_norm(g, y, x, ord, axes, keepdims)


def _known(ord: Any) -> None:
    if isinstance(ord, Value):
        raise unsupported("`ord` that only the run knows")


def _vector_norm(g: Any, y: Any, x: Any, p: Any, axes: tuple[int, ...]) -> Any:
    if p == 0:
        return None
    if p == 1:
        return g * np.sign(x)
    if p in (np.inf, -np.inf):
        return g * np.sign(x) * _shares(np.equal(np.absolute(x), y), axes, g)
    safe = np.where(np.equal(y, 0), 1.0, y)  # 0 at the origin
    if p == 2:
        return np.divide(g, safe) * x
    size = np.absolute(x)
    if p < 2:
        zero = np.equal(size, 0)
        size = np.where(zero, 1.0, size)
    return g * np.sign(x) * np.power(size, p - 1.0) / np.power(safe, p - 1.0)


def _shares(best: Any, axes: tuple[int, ...], g: Any) -> Any:
    """One, shared equally among the places where `best` is true."""
    dtype = dtype_of(type_of(g))
    kind = np.dtype(float) if dtype is None else dtype.type(0).real.dtype
    return np.divide(best, np.sum(best, axis=axes, keepdims=True, dtype=kind), dtype=kind)


def _matrix_norm(g: Any, y: Any, x: Any, ord: Any, axes: tuple[int, ...], keepdims: Any) -> Any:
    rows, columns = axes
    if ord in (1, -1, np.inf, -np.inf):
        summed, other = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = np.sum(np.absolute(x), axis=summed, keepdims=True)
        return g * np.sign(x) * _shares(np.equal(sums, y), (other,), g)
    if ord not in (2, -2, "nuc"):
        raise unsupported(f"`ord={ord!r}`")
    last = (-2, -1)
    moved = np.moveaxis(x, axes, last) if axes != (rank_of(x) - 2, rank_of(x) - 1) else x
    factors = LA.svd(moved, full_matrices=False)
    u, s, vh = factors[0], factors[1], factors[2]
    if ord == "nuc":
        bar = u @ vh
    else:
        best = np.max(s, axis=-1, keepdims=True) if ord == 2 else np.min(s, axis=-1, keepdims=True)
        bar = (u * np.expand_dims(_shares(np.equal(s, best), (-1,), s), -2)) @ vh
    return g * (bar if moved is x else np.moveaxis(bar, last, axes))


@rule(LA.vector_norm)
def vector_norm(
    g: Any, y: Any, x: Any, axis: Any = None, keepdims: Any = False, ord: Any = 2
) -> Any:
    _known(ord)
    axes = (
        tuple(range(rank_of(x))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    )
    if not keepdims and len(axes) != rank_of(x):
        g, y = np.expand_dims(g, axes), np.expand_dims(y, axes)
    return _vector_norm(g, y, x, ord, axes)


@rule(LA.matrix_norm)
def matrix_norm(g: Any, y: Any, x: Any, keepdims: Any = False, ord: Any = "fro") -> Any:
    return norm(g, y, x, ord, (-2, -1), keepdims)


# ---- types of results


def _real(kind: Any) -> Any:
    return None if kind is None else np.zeros(0, kind).real.dtype


@result(LA.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Type:
    kind = _real(dtype_of(type_of(x)))
    real = None if kind is None else np.dtype(float) if kind.kind != "f" else kind
    return Array(real, reduced(shape_at(x), axis, keepdims))


@result(LA.vector_norm)
def _vector(x: Any, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Type:
    return _norm(x, ord, axis, keepdims)


@result(LA.matrix_norm)
def _matrix(x: Any, keepdims: Any = False, ord: Any = "fro") -> Type:
    return _norm(x, ord, (-2, -1), keepdims)
