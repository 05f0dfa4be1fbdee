"""Solving, inverting, factorising; determinants and norms.

The formulas are those of M. B. Giles 2008, "An extended collection of matrix derivative results for
forward and reverse mode algorithmic differentiation"; of eigenvectors and singular vectors,
sections 3.1 and 3.2 there, and J. Townsend 2016, "Differentiating the singular value
decomposition"; of the pseudo-inverse, G. H. Golub and V. Pereyra 1973. NumPy reads one triangle of
a symmetric matrix only (`cholesky`, `eigh`), and only there the cotangent is not zero: what
differences of the program give.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import known_int, type_of
from ..ir.types import UNKNOWN, Array, Size, Tuple, Type, broadcast, fresh, is_complex
from . import phase
from .contractions import transposed
from .registry import call, conj, rank_of, result, rule, shape_of_atom, unsupported
from .sizes import decided, dtype_after, dtype_of, shape_at

LA = np.linalg


def _matrices(g: Any, y: Any) -> Any:
    """A cotangent of one number for each matrix, ready to scale the matrices."""
    return g if rank_of(y) == 0 else np.expand_dims(g, (-1, -2))


# ---- systems


@rule(LA.solve, broadcasts=True)
def solve(g: Any, y: Any, a: Any, b: Any) -> Any:
    at = transposed(a)
    if rank_of(b) > 1:
        b_bar = LA.solve(at, g)
        return -b_bar @ transposed(y), b_bar
    b_bar = LA.solve(at, g) if rank_of(a) == 2 else LA.solve(at, np.expand_dims(g, -1))[..., 0]
    return -np.expand_dims(b_bar, -1) * np.expand_dims(conj(y), -2), b_bar


@rule(LA.inv)
def inv(g: Any, y: Any, a: Any) -> Any:
    yt = transposed(y)
    return -(yt @ g @ yt)


@rule(LA.pinv, order="a rcond hermitian")
def pinv(
    g: Any, y: Any, a: Any, rcond: Any = None, hermitian: Any = False, rtol: Any = None
) -> Any:
    for cut in (rcond, rtol):
        small_cut(cut, "np.linalg.pinv")
    bar = pinv_bar(g, y, a)
    return _lower(0.5 * (bar + transposed(bar))) if decided(hermitian) else bar


def small_cut(rcond: Any, name: str) -> None:
    """Refuse a limit that takes more away than zeros: the formula is that of a constant rank."""
    if rcond is not None and not isinstance(decided(rcond), float | int):
        raise unsupported(f"`{name}` with limits for each matrix", "give one number")
    if rcond is not None and decided(rcond) > 1e-8:
        raise unsupported(f"`{name}` with a limit above 1e-8", "leave it out")


def pinv_bar(g: Any, y: Any, a: Any) -> Any:
    yt, gt = transposed(y), transposed(g)
    outside = gt @ y @ yt - a @ (y @ gt @ y @ yt)
    inside = yt @ y @ gt - (yt @ y @ gt @ y) @ a
    return outside + inside - yt @ g @ yt


@rule(LA.matrix_power)
def matrix_power(g: Any, y: Any, a: Any, n: Any) -> Any:
    n = known_int(n, "the exponent of `matrix_power`")
    if n == 0:
        return None, None
    base = a if n > 0 else LA.inv(a)
    back = transposed(base)
    powers = [None, back]
    for _ in range(abs(n) - 2):
        powers.append(powers[-1] @ back)
    bar: Any = None
    for k in range(abs(n)):
        left, right = powers[k] if k else None, powers[abs(n) - 1 - k] if abs(n) - 1 - k else None
        term = g if left is None else left @ g
        term = term if right is None else term @ right
        bar = term if bar is None else bar + term
    return (bar if n > 0 else -(back @ bar @ back)), None


# ---- determinants


@rule(LA.det)
def det(g: Any, y: Any, a: Any) -> Any:
    return _matrices(g, y) * conj(call(runtime.cofactor, a))


@rule(runtime.cofactor)
def cofactor(g: Any, y: Any, a: Any) -> Any:
    return call(runtime.cofactor_pullback, g, a)


@rule(runtime.cofactor_pullback)
def cofactor_pullback(g: Any, y: Any, c: Any, a: Any) -> Any:
    """The third derivative of `det(a)` in the directions `c` and `g`, where `a` is regular."""
    at, gt = conj(call(_regular, a)), conj(g)
    x, d = LA.inv(at), np.expand_dims(LA.det(at), (-1, -2))
    by_c, by_g = x @ c, x @ gt
    of_c, of_g = _trace(by_c), _trace(by_g)
    both = by_c @ by_g
    inner = (of_c * of_g - _trace(both)) * x - (of_g * by_c + of_c * by_g) @ x
    a_bar = np.swapaxes(d * (inner + (both + by_g @ by_c) @ x), -1, -2)
    return call(runtime.cofactor_pullback, g, at), a_bar


def _regular(a: Any) -> Any:
    """A matrix, refused where it is singular or nearly so."""
    if np.any(LA.cond(a) > 1e10):
        raise refuse(
            "ZYG302", "the third derivative of `np.linalg.det` of a singular matrix", None
        )
    return a


@rule(_regular)
def regular(g: Any, y: Any, a: Any) -> Any:
    return g


def _trace(m: Any) -> Any:
    return np.expand_dims(np.trace(m, 0, -2, -1), (-1, -2))


@rule(LA.slogdet)
def slogdet(g: Any, y: Any, a: Any) -> Any:
    sign_bar, log_bar = g[0], g[1]
    c = log_bar
    if is_complex(type_of(a)) is not False and sign_bar is not None:
        turn = -1j * np.imag(conj(sign_bar) * y[0])
        c = turn if c is None else c + turn
    return None if c is None else _matrices(c, y[1]) * transposed(LA.inv(a))


# ---- factors of symmetric matrices


def _lower(s: Any, lower: bool = True) -> Any:
    """The cotangent of the triangle that was read, from the symmetric one `s` of the whole."""
    cut, k = (np.tril, -1) if lower else (np.triu, 1)
    return s + cut(s, k) - (np.triu(s, 1) if lower else np.tril(s, -1))


@rule(LA.cholesky)
def cholesky(g: Any, y: Any, a: Any, upper: Any = False) -> Any:
    low, bar = (transposed(y), transposed(g)) if upper else (y, g)
    lt = transposed(low)
    p = lt @ bar
    # The lower triangle, its diagonal halved.
    half = 0.5 * (np.tril(p) + np.tril(p, -1))
    s = LA.solve(lt, transposed(LA.solve(lt, transposed(half))))
    return _lower(0.5 * (s + transposed(s)), not upper)


@rule(LA.eigh)
def eigh(g: Any, y: Any, a: Any, UPLO: Any = "L") -> Any:
    values, vectors = y[0], y[1]
    return _eigh(g[0], g[1], values, vectors, UPLO)


def _eigh(values_bar: Any, vectors_bar: Any, values: Any, vectors: Any, uplo: Any) -> Any:
    vt = transposed(vectors)
    s = None
    if values_bar is not None:
        s = (vectors * np.expand_dims(values_bar, -2)) @ vt
    if vectors_bar is not None:
        if is_complex(type_of(vectors)) is not False:
            row = 0 if uplo in ("L", "l") else -1
            places = call(phase.real_row, vectors, row)
            vectors_bar = phase.fixed(vectors_bar, vectors, places)
        gap = np.expand_dims(values, -2) - np.expand_dims(values, -1)
        equal = np.equal(gap, 0)
        turn = np.where(equal, 0.0, np.divide(vt @ vectors_bar, np.where(equal, 1.0, gap)))
        turned = vectors @ turn @ vt
        s = turned if s is None else s + turned
    return None if s is None else _lower(0.5 * (s + transposed(s)), uplo in ("L", "l"))


@rule(LA.eigvalsh)
def eigvalsh(g: Any, y: Any, a: Any, UPLO: Any = "L") -> Any:
    vectors = LA.eigh(a, UPLO=UPLO)[1]
    return _eigh(g, None, y, vectors, UPLO)


# ---- singular values


@rule(LA.svd)
def svd(
    g: Any,
    y: Any,
    a: Any,
    full_matrices: Any = True,
    compute_uv: Any = True,
    hermitian: Any = False,
) -> Any:
    alone = not compute_uv
    u_bar, s_bar, v_bar = (None, g, None) if alone else (g[0], g[1], g[2])
    if u_bar is None and v_bar is None:
        if s_bar is None:
            return None
        if hermitian:  # NumPy reads one triangle
            below = np.tril(a, -1)
            whole = np.tril(a) + transposed(below)
            factors = LA.svd(whole, full_matrices=False)
        elif not alone and (not full_matrices or _square(a)):
            factors = y
        else:
            factors = LA.svd(a, full_matrices=False)
        bar = singular_bar(s_bar, factors[0], factors[2])
        return _lower(0.5 * (bar + transposed(bar))) if hermitian else bar
    if hermitian:
        raise unsupported("the vectors of `np.linalg.svd` with hermitian=True", "write eigh")
    u, s, vh = y[0], y[1], y[2]
    if is_complex(type_of(a)) is not False:
        u_bar, v_bar = _phase_fixed(u_bar, v_bar, u, vh)
    if full_matrices and not _square(a):
        raise unsupported(
            "the vectors of `np.linalg.svd` of a matrix that is not square, with "
            "full_matrices=True,",
            "write full_matrices=False",
        )
    ut, v = transposed(u), transposed(vh)
    wide = np.expand_dims(s, -2)
    gap = (wide - np.expand_dims(s, -1)) * (wide + np.expand_dims(s, -1))
    equal = np.equal(gap, 0)
    f = np.where(equal, 0.0, np.divide(1.0, np.where(equal, 1.0, gap)))
    inner = None if s_bar is None else _diagonal(s_bar, s)
    bar = None
    if u_bar is not None:
        j = f * (ut @ u_bar)
        inner = _plus(inner, (j + transposed(j)) * wide)
        rest = u_bar / wide
        bar = (rest - u @ (ut @ rest)) @ vh
    if v_bar is not None:
        vt_bar = transposed(v_bar)
        k = f * (vh @ vt_bar)
        inner = _plus(inner, np.expand_dims(s, -1) * (k + transposed(k)))
        rest = transposed(vt_bar / wide)
        bar = _plus(bar, u @ (rest - (rest @ v) @ vh))
    if is_complex(type_of(a)) is not False and u_bar is not None:
        phase = ut @ u_bar
        inner = _plus(
            inner, _diagonal((np.diagonal(phase - transposed(phase), 0, -2, -1)) / (2 * s), s)
        )
    return None if inner is None else _plus(u @ inner @ vh, bar)


def _phase_fixed(u_bar: Any, v_bar: Any, u: Any, vh: Any) -> tuple[Any, Any]:
    """The phase of a left singular vector is that of the right one."""
    u_bar = np.zeros_like(u) if u_bar is None else u_bar
    v_bar = np.zeros_like(vh) if v_bar is None else v_bar
    pairs = np.concatenate((u, transposed(vh)), axis=-2)
    bars = np.concatenate((u_bar, transposed(v_bar)), axis=-2)
    bars = phase.fixed(bars, pairs, call(phase.real_of_pairs, pairs, vh))
    rows = np.shape(u)[-2]
    return bars[..., :rows, :], transposed(bars[..., rows:, :])


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _diagonal(d: Any, s: Any) -> Any:
    """Diagonal matrices of the last axis of `d`."""
    eye = call(np.eye, np.shape(s)[-1], dtype=dtype_of(type_of(s)))
    return np.expand_dims(d, -1) * eye


def _square(a: Any) -> bool:
    shape = shape_of_atom(a)
    return shape is not None and shape[-1] == shape[-2]


def singular_bar(g: Any, u: Any, vh: Any) -> Any:
    return (u * np.expand_dims(g, -2)) @ vh


# ---- types of results


def _inexact(x: Any) -> Any:
    return dtype_after(np.linalg.inv, dtype_of(type_of(x)))


@result(LA.inv, LA.cholesky, _regular)
def _like(a: Any, **rest: Any) -> Type:
    return Array(_inexact(a), shape_at(a))


@result(LA.matrix_power)
def _power(a: Any, n: Any) -> Type:
    kind = dtype_of(type_of(a))
    return Array(kind if kind is not None and kind.kind in "fc" else None, shape_at(a))


@result(runtime.cofactor, runtime.cofactor_pullback)
def _cofactor(a: Any, *more: Any) -> Type:
    return Array(None if more else _inexact(a), shape_at(more[-1] if more else a))


@result(LA.pinv)
def _pinv(a: Any, **rest: Any) -> Type:
    shape = shape_at(a)
    turned = None if shape is None else (*shape[:-2], shape[-1], shape[-2])
    return Array(_inexact(a), turned)


@result(LA.solve)
def _solve(a: Any, b: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    kind = dtype_after(np.linalg.solve, dtype_of(type_of(a)), dtype_of(type_of(b)))
    if s is None or t is None:
        return Array(kind, None)
    own = t if len(t) == 1 else t[-2:]
    batch = broadcast(s[:-2], t[: len(t) - len(own)])
    return Array(kind, None if batch is None else (*batch, *own))


@result(LA.det)
def _det(a: Any) -> Type:
    shape = shape_at(a)
    return Array(_inexact(a), None if shape is None else shape[:-2])


def _real(kind: Any) -> Any:
    return None if kind is None else np.zeros(0, kind).real.dtype


@result(LA.slogdet)
def _slogdet(a: Any) -> Type:
    one = _det(a)
    shape = shape_at(a)
    if not isinstance(one, Array):
        return UNKNOWN
    log = Array(_real(one.dtype), None if shape is None else shape[:-2])
    return Tuple((one, log), type(LA.slogdet(np.eye(1))))


@result(LA.eigh)
def _eigh_type(a: Any, UPLO: Any = "L") -> Type:
    shape, kind = shape_at(a), _inexact(a)
    values = Array(_real(kind), None if shape is None else shape[:-1])
    return Tuple((values, Array(kind, shape)), type(LA.eigh(np.eye(1))))


@result(LA.eigvalsh)
def _eigvalsh_type(a: Any, UPLO: Any = "L") -> Type:
    shape = shape_at(a)
    return Array(_real(_inexact(a)), None if shape is None else shape[:-1])


@result(LA.svd)
def _svd_type(
    a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False
) -> Type:
    shape, kind = shape_at(a), _inexact(a)
    if shape is None:
        return UNKNOWN
    m, n = shape[-2:]
    k: Size = min(m, n) if isinstance(m, int) and isinstance(n, int) else m if m == n else fresh()
    batch = shape[:-2]
    values = Array(_real(kind), (*batch, k))
    if not decided(compute_uv):
        return values
    full = decided(full_matrices)
    u, vh = (*batch, m, m if full else k), (*batch, n if full else k, n)
    return Tuple((Array(kind, u), values, Array(kind, vh)), type(LA.svd(np.eye(1))))
