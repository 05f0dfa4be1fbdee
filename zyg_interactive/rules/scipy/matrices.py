"""Functions of matrices, matrix equations, and matrices made of vectors and blocks.

The formulas are those of N. J. Higham 2008, Functions of Matrices, chapter 3: Fréchet derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Tuple, Type, fresh
from ..contractions import transposed
from ..registry import (
    call,
    conj,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of, shape_at
from .factors import SL, kind_after, like_the_first
from .keywords import rule_apart_from

# ---- functions of matrices


@rule_apart_from("", SL.expm)
def expm(g: Any, y: Any, A: Any) -> Any:
    """The Fréchet derivative at the conjugate transpose is the adjoint of that at the matrix."""
    at = transposed(A)
    if rank_of(A) > 2:  # SciPy's function takes stacks from 1.17 on
        bar = _corner(call(SL.expm, _blocks(at, g, np.zeros_like(at), at)), at)
    else:
        bar = call(SL.expm_frechet, at, g, compute_expm=False)
    return in_precision(bar, A)


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


for _fn in (SL.expm, SL.cosm, SL.sinm, SL.coshm, SL.sinhm):
    like_the_first(_fn)


@result(SL.logm, SL.sqrtm, SL.tanm, SL.tanhm)
def _real_or_complex(a: Any, *rest: Any, **static: Any) -> Type:
    """Whether it is, only the numbers tell."""
    return Array(None, shape_at(a))


@result(SL.expm_frechet)
def _frechet(A: Any, E: Any, method: Any = None, compute_expm: Any = True, **rest: Any) -> Type:
    one = Array(kind_after(SL.expm, E) if _same_kind(A, E) else None, shape_at(A))
    return (
        Tuple((Array(kind_after(SL.expm, A), shape_at(A)), one)) if decided(compute_expm) else one
    )


def _same_kind(a: Any, b: Any) -> bool:
    return dtype_of(type_of(a)) == dtype_of(type_of(b))


@result(SL.solve_sylvester)
def _sylvester(a: Any, b: Any, q: Any) -> Type:
    return Array(kind_after(SL.solve_sylvester, a, b, q), shape_at(q))


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
