"""Factors of matrices: Cholesky, LU, QR, singular values, eigenvalues; and solving by factors.

Of QR and LU factors, S. F. Walter and L. Lehmann 2010, "Algorithmic differentiation of linear
algebra functions with application in optimum experimental design", and D. A. O. Roberts and
L. R. Roberts 2020, "QR and LQ decomposition matrix backpropagation algorithms"; of eigenvectors,
M. B. Giles 2008, section 3.1. Where one triangle of a matrix is read, only that has a cotangent.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import Value, type_of
from ...ir.types import UNKNOWN, Array, Const, Size, Tuple, Type, fresh, is_complex
from .. import linalg as of_numpy
from .. import phase
from ..contractions import transposed
from ..linalg import LA
from ..registry import (
    call,
    conj,
    in_precision,
    rank_of,
    result,
    shape_of_atom,
    takes_lists,
    unsupported,
)
from ..sizes import decided, dtype_after, dtype_of, shape_at
from .keywords import rule_apart_from

SL: Any = importlib.import_module("scipy.linalg")


def outer(a: Any, b: Any, vector: bool) -> Any:
    """`a b^H`, of columns or of matrices."""
    if vector:
        return np.expand_dims(a, -1) * np.expand_dims(conj(b), -2)
    return a @ transposed(b)


# ---- factors


@rule_apart_from("overwrite_a check_finite", SL.cholesky, order="a lower overwrite_a check_finite")
def cholesky(g: Any, y: Any, a: Any, lower: Any = False) -> Any:
    return of_numpy.cholesky(g, y, a, upper=not lower)


@rule_apart_from(
    "overwrite_a check_finite", SL.cho_factor, order="a lower overwrite_a check_finite"
)
def cho_factor(g: Any, y: Any, a: Any, lower: Any = False) -> Any:
    """The triangle that is not used is that of the matrix."""
    if g[0] is None:
        return None
    inner, outer, k = (np.tril, np.triu, 1) if lower else (np.triu, np.tril, -1)
    bar = of_numpy.cholesky(inner(g[0]), inner(y[0]), a, upper=not lower)
    return bar + outer(g[0], k)


@rule_apart_from(
    "overwrite_b check_finite", SL.cho_solve, order="c_and_lower b overwrite_b check_finite"
)
def cho_solve(g: Any, y: Any, c_and_lower: Any, b: Any) -> Any:
    c, lower = c_and_lower[0], decided(c_and_lower[1])
    b_bar = call(SL.cho_solve, (c, lower), g)
    bar = -outer(b_bar, y, rank_of(b) == 1)
    both = bar + transposed(bar)
    of_c = np.tril(both @ np.tril(c)) if lower else np.triu(np.triu(c) @ both)
    return (of_c, None), b_bar


def _lu(l_bar: Any, u_bar: Any, low: Any, up: Any) -> Any:
    """The cotangent of the permuted matrix."""
    lt, ut = transposed(low), transposed(up)
    inner = None if l_bar is None else np.tril(lt @ l_bar, -1)
    if u_bar is not None:
        of_u = np.triu(u_bar @ ut)
        inner = of_u if inner is None else inner + of_u
    # x u^-H, as u^-1 x^H turned back.
    return LA.solve(lt, transposed(LA.solve(up, transposed(inner))))


@rule_apart_from(
    "overwrite_a check_finite", SL.lu, order="a permute_l overwrite_a check_finite p_indices"
)
def lu(g: Any, y: Any, a: Any, permute_l: Any = False, p_indices: Any = False) -> Any:
    if permute_l or p_indices:
        raise unsupported("`lu` with permute_l=True or p_indices=True")
    low_bar, up_bar, low, up = g[1], g[2], y[1], y[2]
    if low_bar is None and up_bar is None:
        return None
    if of_numpy._square(a):
        return y[0] @ _lu(low_bar, up_bar, low, up)
    return y[0] @ _lu_not_square(low_bar, up_bar, low, up)


def _lu_not_square(l_bar: Any, u_bar: Any, low: Any, up: Any) -> Any:
    """The same of a tall or a wide matrix: a square one, whose factors are `l` and `u`, and rows
    `r u` below it, or columns `l c` beside it. Of the two, one is empty.
    """
    k = np.shape(low)[-1]
    square, rest = low[..., :k, :], low[..., k:, :]
    upper, beside = up[..., :, :k], up[..., :, k:]
    l_bar = np.zeros_like(low) if l_bar is None else l_bar
    u_bar = np.zeros_like(up) if u_bar is None else u_bar
    # r = rows u^-1 and c = l^-1 columns.
    rows = transposed(LA.solve(upper, transposed(l_bar[..., k:, :])))
    columns = LA.solve(transposed(square), u_bar[..., :, k:])
    inner = _lu(
        l_bar[..., :k, :] - columns @ transposed(beside),
        u_bar[..., :, :k] - transposed(rest) @ rows,
        square,
        upper,
    )
    corner = np.zeros_like(rest) @ np.zeros_like(beside)
    above = np.concatenate((inner, columns), axis=-1)
    return np.concatenate((above, np.concatenate((rows, corner), axis=-1)), axis=-2)


def _unpacked(lu: Any) -> tuple[Any, Any]:
    """The two factors that `lu_factor` puts into one matrix."""
    eye = call(np.eye, np.shape(lu)[-1], dtype=dtype_of(type_of(lu)))
    return np.tril(lu, -1) + eye, np.triu(lu)


@rule_apart_from("overwrite_a check_finite", SL.lu_factor, order="a overwrite_a check_finite")
def lu_factor(g: Any, y: Any, a: Any) -> Any:
    if not of_numpy._square(a):
        raise unsupported("`lu_factor` of a matrix that is not square")
    if g[0] is None:
        return None
    low, up = _unpacked(y[0])
    bar = _lu(np.tril(g[0], -1), np.triu(g[0]), low, up)
    # The rows go back to where they were by solving for what these factors make of them.
    made = transposed(up) @ (transposed(low) @ bar)
    return call(SL.lu_solve, (y[0], y[1]), made, trans=2)


@rule_apart_from(
    "overwrite_b check_finite", SL.lu_solve, order="lu_and_piv b trans overwrite_b check_finite"
)
def lu_solve(g: Any, y: Any, lu_and_piv: Any, b: Any, trans: Any = 0) -> Any:
    factors, places = lu_and_piv[0], lu_and_piv[1]
    if trans and is_complex(type_of(factors)) is not False:
        raise unsupported("`lu_solve` with trans= of complex numbers")
    b_bar = call(SL.lu_solve, (factors, places), g, trans=0 if trans else 2)
    low, up = _unpacked(factors)
    lt, ut = transposed(low), transposed(up)
    given, found = (b, b_bar) if trans else (g, y)
    if rank_of(b) == 1:
        given, found = np.expand_dims(given, -1), np.expand_dims(found, -1)
    # The rows are those of the permuted matrix.
    bar = -(LA.solve(lt, LA.solve(ut, given)) @ transposed(found))
    of_low, of_up = np.tril(bar @ ut, -1), np.triu(lt @ bar)
    return (of_low + of_up, None), b_bar


@rule_apart_from(
    "overwrite_a check_finite", SL.qr, order="a overwrite_a lwork mode pivoting check_finite"
)
def qr(g: Any, y: Any, a: Any, lwork: Any = None, mode: Any = "full", pivoting: Any = False) -> Any:
    if mode not in ("full", "economic"):
        raise unsupported(f"`qr` with mode={mode!r}", "write mode='economic'")
    shape = shape_of_atom(a)
    if shape is None or (shape[-1] != shape[-2] and mode == "full"):
        raise unsupported("`qr` of a matrix that is not square", "write mode='economic'")
    q_bar, r_bar = g[0], g[1]
    if q_bar is None and r_bar is None:
        return None
    if not pivoting:
        return _qr_of(q_bar, r_bar, y[0], y[1], a)
    # The factors are those of the columns in another order.
    order = np.expand_dims(y[2], -2)
    bar = _qr_of(q_bar, r_bar, y[0], y[1], _columns(a, order))
    return _columns(bar, np.argsort(order, axis=-1))


def _columns(a: Any, order: Any) -> Any:
    return np.take_along_axis(a, np.broadcast_to(order, np.shape(a)), -1)


def _qr_of(q_bar: Any, r_bar: Any, q: Any, r: Any, a: Any) -> Any:
    shape = shape_of_atom(a)
    if shape is not None and not _may_be_wide(shape):
        return _qr(q_bar, r_bar, q, r)
    # The columns that are left over do not determine Q.
    k = np.shape(q)[-1]
    rest = None
    if r_bar is not None:
        rest, r_bar = r_bar[..., k:], r_bar[..., :k]
        of_rest = a[..., k:] @ transposed(rest)
        q_bar = of_rest if q_bar is None else q_bar + of_rest
    bar = _qr(q_bar, r_bar, q, r[..., :k])
    more = np.zeros_like(a[..., k:]) if rest is None else q @ rest
    return np.concatenate((bar, more), axis=-1)


def _may_be_wide(shape: tuple[Size, ...]) -> bool:
    m, n = shape[-2:]
    return m != n and not (isinstance(m, int) and isinstance(n, int) and m > n)


def _qr(q_bar: Any, r_bar: Any, q: Any, r: Any) -> Any:
    """Of a matrix with no more columns than rows."""
    inner: Any = None if r_bar is None else r @ transposed(r_bar)
    if q_bar is not None:
        of_q = transposed(q_bar) @ q
        inner = -of_q if inner is None else inner - of_q
    below = np.tril(inner, -1)
    middle = np.tril(inner) - below
    if is_complex(type_of(q)) is not False:  # the diagonal of R is real
        middle = np.real(middle)
    whole = q @ (below + transposed(below) + middle)
    whole = whole if q_bar is None else whole + q_bar
    return transposed(LA.solve(r, transposed(whole)))


@rule_apart_from(
    "overwrite_a check_finite lapack_driver",
    SL.svd,
    order="a full_matrices compute_uv overwrite_a check_finite lapack_driver",
)
def svd(g: Any, y: Any, a: Any, full_matrices: Any = True, compute_uv: Any = True) -> Any:
    return of_numpy.svd(g, y, a, full_matrices, compute_uv)


@rule_apart_from("overwrite_a check_finite", SL.svdvals, order="a overwrite_a check_finite")
def svdvals(g: Any, y: Any, a: Any) -> Any:
    return of_numpy.svd(g, y, a, compute_uv=False)


@rule_apart_from("overwrite_a overwrite_b check_finite driver", SL.eigh, order="a b?")
def eigh(
    g: Any, y: Any, a: Any, b: Any, lower: Any = True, eigvals_only: Any = False, type: Any = 1
) -> Any:
    if eigvals_only:
        return eigvalsh(g, y, a, b, lower, type)
    if b is None:
        return of_numpy.eigh(g, y, a, UPLO="L" if lower else "U"), None
    return _of_two(g[0], g[1], y[0], y[1], b, lower, type)


@rule_apart_from("overwrite_a overwrite_b check_finite driver", SL.eigvalsh, order="a b?")
def eigvalsh(g: Any, y: Any, a: Any, b: Any, lower: Any = True, type: Any = 1) -> Any:
    if b is None:
        return of_numpy.eigvalsh(g, y, a, UPLO="L" if lower else "U"), None
    vectors = call(SL.eigh, a, b, lower=lower)[1]
    return _of_two(g, None, y, vectors, b, lower, type)


def _of_two(w_bar: Any, v_bar: Any, w: Any, v: Any, b: Any, lower: Any, kind: Any) -> Any:
    """Of `a v = b v diag(w)` with `v^H b v = 1`: the products `v^H da v` and `v^H db v` tell how
    `v` turns, as in the usual problem, and the second one how it grows.
    """
    if kind != 1:
        raise unsupported(f"`eigh` with type={kind!r}")
    if w_bar is None and v_bar is None:
        return None, None
    if v_bar is not None and is_complex(type_of(v)) is not False:
        v_bar = phase.fixed(v_bar, v, call(phase.real_row, v, None if lower else -1))
    of_a: Any = None
    grown: Any = 0.0
    row = np.expand_dims(w, -2)
    if w_bar is not None:
        of_a = np.expand_dims(w_bar, -2) * call(np.eye, np.shape(v)[-1])
    if v_bar is not None:
        through = transposed(v) @ v_bar
        gap = row - np.expand_dims(w, -1)
        equal = np.equal(gap, 0)
        turned = np.where(equal, 0.0, np.divide(through, np.where(equal, 1.0, gap)))
        of_a = turned if of_a is None else of_a + turned
        grown = 0.5 * through * call(np.eye, np.shape(v)[-1])
    of_b = -of_a * row - grown
    bars = (v @ of_a @ transposed(v), v @ of_b @ transposed(v))
    return tuple(
        in_precision(of_numpy._lower(0.5 * (bar + transposed(bar)), bool(lower)), b) for bar in bars
    )


# ---- types


def kind_after(fn: Any, *xs: Any) -> Any:
    return dtype_after(fn, *(dtype_of(type_of(x)) for x in xs))


def like_the_first(fn: Any) -> None:
    @result(fn)
    def type_after(a: Any, *rest: Any, **static: Any) -> Type:
        return Array(kind_after(fn, a), shape_at(a))


like_the_first(SL.cholesky)


def _flag(name: str, at: int, default: Any, args: tuple[Any, ...], static_: dict[str, Any]) -> Any:
    """A keyword of a call, given by name or as the argument number `at`."""
    return decided(static_.get(name, args[at] if len(args) > at else default))


def smaller(m: Size, n: Size) -> Size:
    return min(m, n) if isinstance(m, int) and isinstance(n, int) else m if m == n else fresh()


@result(SL.cho_factor)
def _cho_factor(a: Any, lower: Any = False, *rest: Any, **static_: Any) -> Type:
    return Tuple((Array(kind_after(SL.cholesky, a), shape_at(a)), Const(decided(lower))))


takes_lists(SL.cho_solve, SL.lu_solve)  # a factor and what tells how it is laid out


@result(SL.cho_solve, SL.lu_solve)
def _solve_factored(factors: Any, b: Any, *rest: Any, **static_: Any) -> Type:
    t = type_of(factors)
    if not isinstance(t, Tuple):
        return UNKNOWN
    return Array(kind_after(SL.solve, Value(None, t.items[0]), b), shape_at(b))


@result(SL.lu_factor)
def _lu_factor(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), kind_after(SL.inv, a)
    if shape is None:
        return UNKNOWN
    n = shape[-1] if shape[-1] == shape[-2] else fresh()
    return Tuple((Array(kind, shape), Array(np.dtype(np.int32), (*shape[:-2], n))))


@result(SL.lu)
def _lu_type(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), kind_after(SL.inv, a)
    if shape is None or rest or static_.get("permute_l") or static_.get("p_indices"):
        return UNKNOWN
    m, n = shape[-2:]
    k, batch = smaller(m, n), shape[:-2]
    real = None if kind is None else kind.type(0).real.dtype
    return Tuple(
        (Array(real, (*batch, m, m)), Array(kind, (*batch, m, k)), Array(kind, (*batch, k, n)))
    )


@result(SL.qr)
def _qr_type(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), kind_after(SL.inv, a)
    mode = _flag("mode", 2, "full", rest, static_)
    if shape is None or mode not in ("full", "economic"):
        return UNKNOWN
    m, n = shape[-2:]
    k = m if mode == "full" else smaller(m, n)
    both = Array(kind, (*shape[:-2], m, k)), Array(kind, (*shape[:-2], k, n))
    pivots = Array(np.dtype(np.int32), (*shape[:-2], n))
    return Tuple((*both, pivots) if _flag("pivoting", 3, False, rest, static_) else both)


@result(SL.svd)
def _svd_type(
    a: Any, full_matrices: Any = True, compute_uv: Any = True, *rest: Any, **static_: Any
) -> Type:
    t = of_numpy._svd_type(a, full_matrices, compute_uv)
    return Tuple(t.items) if isinstance(t, Tuple) else t


@result(SL.svdvals)
def _svdvals(a: Any, *rest: Any, **static_: Any) -> Type:
    return of_numpy._svd_type(a, False, False)


@result(SL.eigh)
def _eigh_type(a: Any, b: Any = None, **static_: Any) -> Type:
    if static_.get("subset_by_index") or static_.get("subset_by_value"):
        return UNKNOWN
    if b is not None:
        a = Value(None, Array(kind_after(SL.solve, a, b), shape_at(a)))
    t = of_numpy._eigh_type(a)
    if not isinstance(t, Tuple):
        return UNKNOWN
    return t.items[0] if decided(static_.get("eigvals_only", False)) else Tuple(t.items)


@result(SL.eigvalsh)
def _eigvalsh_type(a: Any, b: Any = None, **static_: Any) -> Type:
    if static_.get("subset_by_index") or static_.get("subset_by_value"):
        return UNKNOWN
    if b is not None and kind_after(SL.inv, a) != kind_after(SL.inv, b):
        return UNKNOWN
    return of_numpy._eigvalsh_type(a)


__all__ = ["SL", "kind_after", "like_the_first", "outer", "smaller"]
