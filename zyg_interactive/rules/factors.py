"""Factors of matrices that need not be symmetric: QR, eigenvalues and -vectors; least squares.

QR: S. F. Walter, L. Lehmann and R. Lamour 2012, "On evaluating higher-order derivatives of the QR
decomposition of tall matrices with full column rank in forward and reverse mode algorithmic
differentiation"; of wide matrices D. A. O. Roberts and L. R. Roberts 2020, "QR and LQ decomposition
matrix backpropagation algorithms for square, wide, and deep matrices". Eigenvectors: M. B. Giles
2008, section 3.1, with the norm and the phase that LAPACK gives them. Least squares: G. H. Golub
and V. Pereyra 1973, "The differentiation of pseudo-inverses".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Tuple, Type, broadcast, fresh, is_complex
from . import phase
from .contractions import transposed
from .linalg import pinv_bar, singular_bar, small_cut
from .registry import call, conj, constant, rank_of, result, rule, shape_of_atom, unsupported
from .sequences import in_kind
from .sizes import decided, dtype_after, dtype_of, shape_at

LA = np.linalg

# ---- orthogonal and triangular


@rule(LA.qr)
def qr(g: Any, y: Any, a: Any, mode: Any = "reduced") -> Any:
    mode = decided(mode)
    if mode not in ("reduced", "complete", "r"):
        raise unsupported(f"`np.linalg.qr` with mode={mode!r}", "write mode='reduced'")
    if mode == "r":
        factors = LA.qr(a)
        return _qr(None, g, factors[0], factors[1], a)
    q_bar, r_bar = g[0], g[1]
    shape = shape_of_atom(a)
    if mode == "reduced" or (shape is not None and shape[-1] == shape[-2]):
        return _qr(q_bar, r_bar, y[0], y[1], a)
    if q_bar is not None:
        raise unsupported("the whole Q of a matrix that is not square", "write mode='reduced'")
    factors = LA.qr(a)
    rows = np.shape(factors[1])[-2]
    return _qr(None, r_bar[..., :rows, :], factors[0], factors[1], a)


def _qr(q_bar: Any, r_bar: Any, q: Any, r: Any, a: Any) -> Any:
    """The first columns make Q and a square R; the others are Q times theirs in R."""
    if q_bar is None and r_bar is None:
        return None
    k = np.shape(q)[-1]
    square = r[..., :, :k]
    low, others_bar = None, None
    if r_bar is not None:
        others_bar = q @ r_bar[..., :, k:]
        through = a[..., :, k:] @ transposed(r_bar[..., :, k:])
        q_bar = through if q_bar is None else q_bar + through
        low = square @ transposed(r_bar[..., :, :k])
    inner = transposed(q_bar) @ q
    low = -inner if low is None else low - inner
    strict = np.tril(low, -1)
    diagonal = np.real(np.diagonal(low, 0, -2, -1))
    eye = call(np.eye, k, dtype=dtype_of(type_of(r)))
    symmetric = strict + transposed(strict) + np.expand_dims(diagonal, -1) * eye
    found = transposed(LA.solve(square, transposed(q_bar + q @ symmetric)))
    if others_bar is None:
        others_bar = np.zeros_like(a[..., :, k:])
    return call(np.concatenate, [found, others_bar], axis=-1)


# ---- eigenvalues


@rule(LA.eig)
def eig(g: Any, y: Any, a: Any) -> Any:
    return in_kind(_eig(g[0], g[1], y[0], y[1]), a)


@rule(LA.eigvals)
def eigvals(g: Any, y: Any, a: Any) -> Any:
    factors = LA.eig(a)
    order = np.expand_dims(call(runtime.same_order, y, factors[0]), -2)
    everywhere = np.broadcast_to(order, np.shape(a))
    vectors = np.take_along_axis(factors[1], everywhere, -1)
    return in_kind(_eig(g, None, y, vectors), a)


def _eig(values_bar: Any, vectors_bar: Any, values: Any, v: Any) -> Any:
    if values_bar is None and vectors_bar is None:
        return None
    vt = transposed(v)
    inner: Any = None
    if values_bar is not None:
        inner = np.expand_dims(values_bar, -1) * vt
    if vectors_bar is not None:
        vectors_bar = phase.fixed(vectors_bar, v, call(phase.real_largest, v))
        through = vt @ vectors_bar
        along = np.real(np.diagonal(through, 0, -2, -1))
        through = through - (vt @ v) * np.expand_dims(along, -2)
        gap = conj(np.expand_dims(values, -2) - np.expand_dims(values, -1))
        equal = np.equal(gap, 0)
        turned = np.where(equal, 0.0, np.divide(through, np.where(equal, 1.0, gap))) @ vt
        inner = turned if inner is None else inner + turned
    return LA.solve(vt, inner)


constant(runtime.same_order)


@rule(runtime.or_zero)
def or_zero(g: Any, y: Any, c: Any) -> Any:
    return g[: np.size(c)]


@rule(LA.svdvals)
def svdvals(g: Any, y: Any, x: Any) -> Any:
    factors = LA.svd(x, full_matrices=False)
    return singular_bar(g, factors[0], factors[2])


# ---- least squares


@rule(LA.lstsq, order="a b rcond")
def lstsq(g: Any, y: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    a_bar = b_bar = None
    small_cut(rcond, "np.linalg.lstsq")
    if g[0] is not None:
        a_bar, b_bar = least_squares(g[0], a, b)
    if g[1] is not None:
        rest = b - a @ y[0]
        c = 2 * rest * call(runtime.or_zero, g[1])
        more = -_times(c, y[0], b)
        a_bar = more if a_bar is None else a_bar + more
        b_bar = c if b_bar is None else b_bar + c
    if g[3] is not None:
        factors = LA.svd(a, full_matrices=False)
        more = singular_bar(g[3], factors[0], factors[2])
        a_bar = more if a_bar is None else a_bar + more
    return a_bar, b_bar


def least_squares(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The cotangents of `a` and `b` in the solution of least norm, the pseudo-inverse times `b`."""
    inverse = LA.pinv(a)
    return pinv_bar(_times(g, b, b), inverse, a), transposed(inverse) @ g


def _times(c: Any, x: Any, of: Any) -> Any:
    """The product of two columns, or of the rows of two matrices; `of` has their rank."""
    if rank_of(of) == 1:
        return np.expand_dims(c, -1) * np.expand_dims(conj(x), -2)
    return c @ transposed(x)


# ---- types


def _inexact(x: Any) -> Any:
    return dtype_after(np.linalg.inv, dtype_of(type_of(x)))


@result(LA.qr)
def _qr_type(a: Any, mode: Any = "reduced") -> Type:
    shape, kind = shape_at(a), _inexact(a)
    if shape is None or decided(mode) not in ("reduced", "complete", "r"):
        return UNKNOWN
    m, n = shape[-2:]
    square = m == n
    known = [m, n] if isinstance(m, int) and isinstance(n, int) else None
    if decided(mode) == "complete":
        k: Any = m
    else:
        k = min(known) if known else m if square else fresh()
    if decided(mode) == "r":
        return Array(kind, (*shape[:-2], k, n))
    q, r = (*shape[:-2], m, k), (*shape[:-2], k, n)
    return Tuple((Array(kind, q), Array(kind, r)), type(LA.qr(np.eye(1))))


@result(LA.eig)
def _eig_type(a: Any) -> Type:
    shape, kind = shape_at(a), _inexact(a)
    kind = kind if is_complex(type_of(a)) else None  # of reals as it happens
    parts = (Array(kind, None if shape is None else shape[:-1]), Array(kind, shape))
    return Tuple(parts, type(LA.eig(np.eye(1))))


@result(LA.eigvals)
def _eigvals_type(a: Any) -> Type:
    made = _eig_type(a)
    return made.items[0] if isinstance(made, Tuple) else UNKNOWN


@result(LA.lstsq)
def _lstsq_type(a: Any, b: Any, rcond: Any = None) -> Type:
    s, t = shape_at(a), shape_at(b)
    kind = dtype_after(np.linalg.solve, dtype_of(type_of(a)), dtype_of(type_of(b)))
    real = None if kind is None else np.zeros(0, kind).real.dtype
    if s is None or t is None:
        return UNKNOWN
    solution = (s[-1], *t[1:])
    rank = Array(np.dtype(np.int32), ())
    return Tuple((Array(kind, solution), Array(real, None), rank, Array(real, None)))


@result(runtime.same_order)
def _order(values: Any, others: Any) -> Type:
    return Array(np.dtype(np.intp), broadcast(shape_at(values), shape_at(others)))


@result(runtime.or_zero)
def _or_zero(c: Any) -> Type:
    return Array(dtype_of(type_of(c)), (fresh(),))


@result(LA.svdvals)
def _svdvals_type(x: Any) -> Type:
    return UNKNOWN
