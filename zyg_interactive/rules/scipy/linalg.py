"""Linear algebra: what `rules/linalg.py` does for NumPy, and more factors, systems and functions of
matrices.

The formulas are those of M. B. Giles 2008, "An extended collection of matrix derivative results for
forward and reverse mode algorithmic differentiation"; of QR and LU factors, S. F. Walter and
L. Lehmann 2010, "Algorithmic differentiation of linear algebra functions with application in
optimum experimental design", and D. A. O. Roberts and L. R. Roberts 2020, "QR and LQ decomposition
matrix backpropagation algorithms"; of functions of matrices, N. J. Higham 2008, Functions of
Matrices, chapter 3. Where one triangle of a matrix is read, only that has a cotangent.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import Value, type_of
from ...ir.types import UNKNOWN, Array, Const, Size, Tuple, Type, broadcast, fresh, is_complex
from .. import linalg as of_numpy
from .. import norms
from ..contractions import transposed
from ..linalg import LA
from ..registry import (
    call,
    conj,
    constant,
    in_precision,
    rank_of,
    result,
    rule,
    shape_of_atom,
    takes_lists,
    unsupported,
)
from ..sizes import decided, dtype_after, dtype_of, reduced, shape_at
from .keywords import rule_apart_from

SL: Any = importlib.import_module("scipy.linalg")

constant(SL.hilbert, SL.invhilbert, SL.pascal, SL.invpascal, SL.dft, SL.hadamard, SL.helmert)
constant(SL.issymmetric, SL.ishermitian, SL.bandwidth)

_GENERAL = (None, "gen", "general")
_HERMITIAN = ("her", "hermitian", "pos", "positive definite")
_SYMMETRIC = ("sym", "symmetric")


def _turned(x: Any) -> Any:
    """The transpose, not conjugated."""
    return np.swapaxes(x, -1, -2)


def _outer(a: Any, b: Any, vector: bool) -> Any:
    """`a b^H`, of columns or of matrices."""
    if vector:
        return np.expand_dims(a, -1) * np.expand_dims(conj(b), -2)
    return a @ transposed(b)


def _read(bar: Any, a: Any, assume_a: Any, lower: Any) -> Any:
    """The cotangent of the part of a matrix that is read."""
    if assume_a in _GENERAL:
        return bar
    real = is_complex(type_of(a)) is False
    if assume_a in _HERMITIAN or (assume_a in _SYMMETRIC and real):
        return of_numpy._lower(0.5 * (bar + transposed(bar)), bool(lower))
    raise unsupported(f"`assume_a={assume_a!r}`", "leave it out")


# ---- systems


@rule_apart_from(
    "overwrite_a overwrite_b check_finite",
    SL.solve,
    broadcasts=True,
    order="a b lower overwrite_a overwrite_b check_finite assume_a transposed",
)
def solve(
    g: Any,
    y: Any,
    a: Any,
    b: Any,
    lower: Any = False,
    assume_a: Any = None,
    transposed: Any = False,
) -> Any:
    matrix = _turned(a) if transposed else a
    if transposed and assume_a not in _GENERAL:
        raise unsupported("`transposed=True` of a matrix that is not general")
    if assume_a not in _GENERAL:
        matrix = _whole(a, lower)
    bar, b_bar = of_numpy.solve(g, y, matrix, b)
    return _read(_turned(bar) if transposed else bar, a, assume_a, lower), b_bar


def _whole(a: Any, lower: Any) -> Any:
    """The matrix of which one triangle is given."""
    inner, other = (np.tril, -1) if lower else (np.triu, 1)
    return inner(a) + transposed(inner(a, other))


@rule_apart_from("overwrite_a check_finite", SL.inv, order="a overwrite_a check_finite")
def inv(g: Any, y: Any, a: Any, assume_a: Any = None, lower: Any = False) -> Any:
    return _read(of_numpy.inv(g, y, a), a, assume_a, lower)


@rule_apart_from("overwrite_a check_finite", SL.det, order="a overwrite_a check_finite")
def det(g: Any, y: Any, a: Any) -> Any:
    return in_precision(of_numpy.det(g, y, a), a)


@rule_apart_from("check_finite", SL.pinv)
def pinv(
    g: Any, y: Any, a: Any, atol: Any = None, rtol: Any = None, return_rank: Any = False
) -> Any:
    if return_rank:
        raise unsupported("`pinv` with return_rank=True")
    return of_numpy.pinv(g, y, a)


@rule_apart_from(
    "overwrite_a overwrite_b check_finite lapack_driver",
    SL.lstsq,
    order="a b cond overwrite_a overwrite_b check_finite lapack_driver",
)
def lstsq(g: Any, y: Any, a: Any, b: Any, cond: Any = None) -> Any:
    """Of the solution, at constant rank (G. H. Golub and V. Pereyra 1973)."""
    if g[1] is not None or g[3] is not None:
        raise unsupported(
            "`lstsq` in its residues or singular values", "compute them of `b - a @ x`, or by `svd`"
        )
    if g[0] is None:
        return None, None
    x, x_bar = y[0], g[0]
    vector = rank_of(b) == 1
    inverse = LA.pinv(a)
    back = transposed(inverse)
    b_bar = back @ x_bar
    bar = _outer(b - a @ x, inverse @ b_bar, vector) - _outer(b_bar, x, vector)
    return bar + _outer(back @ x, x_bar - inverse @ (a @ x_bar), vector), b_bar


_TRANS = {0: 0, "N": 0, 1: 1, "T": 1, 2: 2, "C": 2}


@rule_apart_from(
    "overwrite_b check_finite",
    SL.solve_triangular,
    broadcasts=True,
    order="a b trans lower unit_diagonal overwrite_b check_finite",
)
def solve_triangular(
    g: Any, y: Any, a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False
) -> Any:
    how = _TRANS[trans]
    matrix = conj(a) if how == 1 else a
    b_bar = call(
        SL.solve_triangular,
        *(matrix, g),
        trans=0 if how else 2,
        lower=lower,
        unit_diagonal=unit_diagonal,
    )
    bar = -_outer(b_bar, y, rank_of(b) == 1)
    bar = (bar, _turned(bar), transposed(bar))[how] if how else bar
    cut, sign = (np.tril, -1) if lower else (np.triu, 1)
    return cut(bar, sign if unit_diagonal else 0), b_bar


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
    bar = -_outer(b_bar, y, rank_of(b) == 1)
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
    if not of_numpy._square(a):
        raise unsupported("`lu` of a matrix that is not square")
    if g[1] is None and g[2] is None:
        return None
    return y[0] @ _lu(g[1], g[2], y[1], y[2])


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
    if pivoting:
        raise unsupported("`qr` with pivoting=True")
    if mode not in ("full", "economic"):
        raise unsupported(f"`qr` with mode={mode!r}", "write mode='economic'")
    shape = shape_of_atom(a)
    if shape is None or (shape[-1] != shape[-2] and mode == "full"):
        raise unsupported("`qr` of a matrix that is not square", "write mode='economic'")
    q_bar, r_bar = g[0], g[1]
    if q_bar is None and r_bar is None:
        return None
    q, r = y[0], y[1]
    if not _may_be_wide(shape):
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


@rule_apart_from("overwrite_a overwrite_b check_finite driver", SL.eigh, order="a b")
def eigh(g: Any, y: Any, a: Any, lower: Any = True, eigvals_only: Any = False) -> Any:
    uplo = "L" if lower else "U"
    if eigvals_only:
        return of_numpy.eigvalsh(g, y, a, UPLO=uplo)
    return of_numpy.eigh(g, y, a, UPLO=uplo)


@rule_apart_from("overwrite_a overwrite_b check_finite driver", SL.eigvalsh, order="a b")
def eigvalsh(g: Any, y: Any, a: Any, lower: Any = True) -> Any:
    return of_numpy.eigvalsh(g, y, a, UPLO="L" if lower else "U")


@rule_apart_from("check_finite", SL.norm, order="a ord axis keepdims check_finite")
def norm(g: Any, y: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    return in_precision(norms.norm(g, y, a, ord, axis, keepdims), a)


# ---- functions of matrices


@rule_apart_from("", SL.expm)
def expm(g: Any, y: Any, A: Any) -> Any:
    """The Fréchet derivative at the conjugate transpose is the adjoint of that at the matrix."""
    return in_precision(call(SL.expm_frechet, transposed(A), g, compute_expm=False), A)


@rule_apart_from("check_finite", SL.expm_frechet, order="A E method compute_expm check_finite")
def expm_frechet(
    g: Any, y: Any, A: Any, E: Any, method: Any = None, compute_expm: Any = True
) -> Any:
    """The second derivative is a Fréchet derivative of matrices of blocks (Higham, theorem 3.6)."""
    first, second = (g[0], g[1]) if compute_expm else (None, g)
    at = transposed(A)
    bar = None if first is None else call(SL.expm_frechet, at, first, compute_expm=False)
    if second is None:
        return bar, None
    e, zero = transposed(E), np.zeros_like(at)
    both = call(
        SL.expm_frechet,
        _blocks(at, second, zero, at),
        _blocks(e, zero, zero, e),
        compute_expm=False,
    )
    of_a = _corner(both, at)
    bar = of_a if bar is None else bar + of_a
    return bar, call(SL.expm_frechet, at, second, compute_expm=False)


def _blocks(a: Any, b: Any, c: Any, d: Any) -> Any:
    above, below = np.concatenate((a, b), axis=-1), np.concatenate((c, d), axis=-1)
    return np.concatenate((above, below), axis=-2)


def _corner(x: Any, like: Any) -> Any:
    """The upper right block."""
    n = np.shape(like)[-1]
    return x[..., :n, n:]


def _function(fn: Any) -> None:
    """A function of matrices that commutes with the conjugate transpose: its Fréchet derivative is
    a block of its value at a matrix of blocks (Higham, equation 3.16).
    """

    @rule(fn)
    def pullback(g: Any, y: Any, A: Any) -> Any:
        at = transposed(A)
        return in_precision(_corner(call(fn, _blocks(at, g, np.zeros_like(at), at)), at), A)


for _fn in (SL.logm, SL.cosm, SL.sinm, SL.tanm, SL.coshm, SL.sinhm, SL.tanhm):
    _function(_fn)


@rule(SL.sqrtm)
def sqrtm(g: Any, y: Any, A: Any) -> Any:
    root = transposed(y)
    return in_precision(call(SL.solve_sylvester, root, root, g), A)


@rule(SL.solve_sylvester)
def solve_sylvester(g: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    c = call(SL.solve_sylvester, transposed(a), transposed(b), g)
    yt = transposed(y)
    return tuple(map(in_precision, (-c @ yt, -yt @ c, c), (a, b, q)))


@rule(SL.solve_continuous_lyapunov)
def solve_continuous_lyapunov(g: Any, y: Any, a: Any, q: Any) -> Any:
    c = call(SL.solve_continuous_lyapunov, transposed(a), g)
    bar = -(c @ transposed(y) + transposed(c) @ y)
    return in_precision(bar, a), in_precision(c, q)


@rule(SL.solve_discrete_lyapunov)
def solve_discrete_lyapunov(g: Any, y: Any, a: Any, q: Any, method: Any = None) -> Any:
    c = call(SL.solve_discrete_lyapunov, transposed(a), g)
    bar = c @ a @ transposed(y) + transposed(c) @ a @ y
    return in_precision(bar, a), in_precision(c, q)


# ---- matrices made of vectors and blocks


@rule(SL.block_diag)
def block_diag(g: Any, y: Any, *arrays: Any) -> Any:
    bars = []
    row: Any = 0
    column: Any = 0
    for a in arrays:
        rank = rank_of(a)
        if rank > 2:
            raise unsupported("`block_diag` of stacks of matrices")
        m: Any = np.shape(a)[0] if rank == 2 else 1
        n: Any = np.shape(a)[-1] if rank else 1
        part = g[row : row + m, column : column + n]
        bars.append(part if rank == 2 else np.reshape(part, np.shape(a)))
        row, column = row + m, column + n
    return tuple(bars)


def _steps(m: Any, n: Any, sign: int) -> Any:
    """`i + sign j` of each place."""
    return call(np.arange, m)[:, None] + sign * call(np.arange, n)[None, :]


def _scattered(to: Any, at: Any, c: Any) -> Any:
    return call(runtime.add_at, call(runtime.zeros_like, to), at, c)


def _vector(fn: Any, *xs: Any) -> None:
    if any(x is not None and rank_of(x) != 1 for x in xs):
        raise unsupported(f"`{fn.__name__}` of arrays that are not one-dimensional")


@rule(SL.toeplitz, order="c r?")
def toeplitz(g: Any, y: Any, c: Any, r: Any) -> Any:
    _vector(SL.toeplitz, c, r)
    m = np.shape(c)[0]
    steps = _steps(m, m if r is None else np.shape(r)[0], -1)
    below = np.greater_equal(steps, 0)
    if r is None:
        return _scattered(c, np.absolute(steps), np.where(below, g, conj(g))), None
    of_c = _scattered(c, np.where(below, steps, 0), np.where(below, g, 0.0))
    return of_c, _scattered(r, np.where(below, 0, -steps), np.where(below, 0.0, g))


@rule(SL.hankel, order="c r?")
def hankel(g: Any, y: Any, c: Any, r: Any) -> Any:
    _vector(SL.hankel, c, r)
    m = np.shape(c)[0]
    steps = _steps(m, m if r is None else np.shape(r)[0], 1)
    first = np.less(steps, m)
    of_c = _scattered(c, np.where(first, steps, 0), np.where(first, g, 0.0))
    if r is None:
        return of_c, None
    return of_c, _scattered(r, np.where(first, 0, steps - m + 1), np.where(first, 0.0, g))


@rule(SL.circulant)
def circulant(g: Any, y: Any, c: Any) -> Any:
    _vector(SL.circulant, c)
    m = np.shape(c)[0]
    return _scattered(c, np.remainder(_steps(m, m, -1), m), g)


# ---- types


def _kind(fn: Any, *xs: Any) -> Any:
    return dtype_after(fn, *(dtype_of(type_of(x)) for x in xs))


def _like_the_first(fn: Any) -> None:
    @result(fn)
    def type_after(a: Any, *rest: Any, **static: Any) -> Type:
        return Array(_kind(fn, a), shape_at(a))


for _fn in (SL.inv, SL.cholesky, SL.expm, SL.cosm, SL.sinm, SL.coshm, SL.sinhm):
    _like_the_first(_fn)


@result(SL.logm, SL.sqrtm, SL.tanm, SL.tanhm)
def _real_or_complex(a: Any, *rest: Any, **static: Any) -> Type:
    """Whether it is, only the numbers tell."""
    return Array(None, shape_at(a))


@result(SL.det)
def _det(a: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(a)
    return Array(_kind(SL.det, a), None if shape is None else shape[:-2])


@result(SL.pinv)
def _pinv(a: Any, **static: Any) -> Type:
    if static.get("return_rank"):
        return UNKNOWN
    shape = shape_at(a)
    turned = None if shape is None else (*shape[:-2], shape[-1], shape[-2])
    return Array(_kind(SL.pinv, a), turned)


@result(SL.solve, SL.solve_triangular)
def _solve(a: Any, b: Any, *rest: Any, **static: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    kind = _kind(SL.solve, a, b)
    if s is None or t is None:
        return Array(kind, None)
    own = t if len(t) == 1 else t[-2:]
    batch = broadcast(s[:-2], t[: len(t) - len(own)])
    return Array(kind, None if batch is None else (*batch, *own))


def _flag(name: str, at: int, default: Any, args: tuple[Any, ...], static_: dict[str, Any]) -> Any:
    """A keyword of a call, given by name or as the argument number `at`."""
    return decided(static_.get(name, args[at] if len(args) > at else default))


@result(SL.cho_factor)
def _cho_factor(a: Any, lower: Any = False, *rest: Any, **static_: Any) -> Type:
    return Tuple((Array(_kind(SL.cholesky, a), shape_at(a)), Const(decided(lower))))


takes_lists(SL.cho_solve, SL.lu_solve)  # a factor and what tells how it is laid out


@result(SL.cho_solve, SL.lu_solve)
def _solve_factored(factors: Any, b: Any, *rest: Any, **static_: Any) -> Type:
    t = type_of(factors)
    if not isinstance(t, Tuple):
        return UNKNOWN
    return Array(_kind(SL.solve, Value(None, t.items[0]), b), shape_at(b))


@result(SL.lu_factor)
def _lu_factor(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), _kind(SL.inv, a)
    if shape is None:
        return UNKNOWN
    n = shape[-1] if shape[-1] == shape[-2] else fresh()
    return Tuple((Array(kind, shape), Array(np.dtype(np.int32), (*shape[:-2], n))))


@result(SL.lu)
def _lu_type(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), _kind(SL.inv, a)
    if shape is None or rest or static_.get("permute_l") or static_.get("p_indices"):
        return UNKNOWN
    m, n = shape[-2:]
    k, batch = _smaller(m, n), shape[:-2]
    real = None if kind is None else kind.type(0).real.dtype
    return Tuple(
        (Array(real, (*batch, m, m)), Array(kind, (*batch, m, k)), Array(kind, (*batch, k, n)))
    )


def _smaller(m: Size, n: Size) -> Size:
    return min(m, n) if isinstance(m, int) and isinstance(n, int) else m if m == n else fresh()


@result(SL.qr)
def _qr_type(a: Any, *rest: Any, **static_: Any) -> Type:
    shape, kind = shape_at(a), _kind(SL.inv, a)
    mode = _flag("mode", 2, "full", rest, static_)
    if (
        shape is None
        or mode not in ("full", "economic")
        or _flag("pivoting", 3, False, rest, static_)
    ):
        return UNKNOWN
    m, n = shape[-2:]
    k = m if mode == "full" else _smaller(m, n)
    return Tuple((Array(kind, (*shape[:-2], m, k)), Array(kind, (*shape[:-2], k, n))))


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
    if b is not None or static_.get("subset_by_index") or static_.get("subset_by_value"):
        return UNKNOWN
    t = of_numpy._eigh_type(a)
    if not isinstance(t, Tuple):
        return UNKNOWN
    return t.items[0] if decided(static_.get("eigvals_only", False)) else Tuple(t.items)


@result(SL.eigvalsh)
def _eigvalsh_type(a: Any, b: Any = None, **static_: Any) -> Type:
    if b is not None or static_.get("subset_by_index") or static_.get("subset_by_value"):
        return UNKNOWN
    return of_numpy._eigvalsh_type(a)


@result(SL.norm)
def _norm(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, **rest: Any) -> Type:
    # In single or double precision as it happens.
    return Array(None, reduced(shape_at(a), axis, keepdims))


@result(SL.lstsq)
def _lstsq_type(a: Any, b: Any, *rest: Any, **static_: Any) -> Type:
    s, t, kind = shape_at(a), shape_at(b), _kind(SL.solve, a, b)
    if s is None or t is None:
        return UNKNOWN
    values = Array(None, (_smaller(s[0], s[1]),))
    return Tuple((Array(kind, (s[1], *t[1:])), UNKNOWN, UNKNOWN, values))


@result(SL.expm_frechet)
def _frechet(A: Any, E: Any, method: Any = None, compute_expm: Any = True, **rest: Any) -> Type:
    one = Array(_kind(SL.expm, E) if _same_kind(A, E) else None, shape_at(A))
    return Tuple((Array(_kind(SL.expm, A), shape_at(A)), one)) if decided(compute_expm) else one


def _same_kind(a: Any, b: Any) -> bool:
    return dtype_of(type_of(a)) == dtype_of(type_of(b))


@result(SL.solve_sylvester)
def _sylvester(a: Any, b: Any, q: Any) -> Type:
    return Array(_kind(SL.solve_sylvester, a, b, q), shape_at(q))


@result(SL.solve_continuous_lyapunov, SL.solve_discrete_lyapunov)
def _lyapunov(a: Any, q: Any, method: Any = None) -> Type:
    return Array(None, shape_at(q))


@result(SL.block_diag)
def _block_diag(*arrays: Any) -> Type:
    return Array(None, (fresh(), fresh()))


@result(SL.toeplitz, SL.hankel)
def _toeplitz(c: Any, r: Any = None) -> Type:
    s, t = shape_at(c), shape_at(c if r is None else r)
    if s is None or t is None or len(s) != 1 or len(t) != 1:
        return UNKNOWN
    kinds = {dtype_of(type_of(v)) for v in (c, r) if v is not None}
    return Array(kinds.pop() if len(kinds) == 1 else None, (s[0], t[0]))


@result(SL.circulant)
def _circulant(c: Any) -> Type:
    return _toeplitz(c)
