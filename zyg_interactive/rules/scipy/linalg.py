"""Linear algebra: systems and what belongs to them. Factors and functions of matrices are read with
it (`factors`, `matrices`).

The formulas are those of M. B. Giles 2008, "An extended collection of matrix derivative results for
forward and reverse mode algorithmic differentiation". Where one triangle of a matrix is read, only
that has a cotangent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Tuple, Type, broadcast, is_complex
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
    unsupported,
)
from ..sizes import reduced, shape_at
from . import matrices as matrices  # its rules
from .factors import SL, kind_after, like_the_first, outer, smaller
from .keywords import rule_apart_from

constant(SL.hilbert, SL.invhilbert, SL.pascal, SL.invpascal, SL.dft, SL.hadamard, SL.helmert)
constant(SL.issymmetric, SL.ishermitian, SL.bandwidth)

_GENERAL = (None, "gen", "general")
_HERMITIAN = ("her", "hermitian", "pos", "positive definite")
_SYMMETRIC = ("sym", "symmetric")


def _turned(x: Any) -> Any:
    """The transpose, not conjugated."""
    return np.swapaxes(x, -1, -2)


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
    bar = outer(b - a @ x, inverse @ b_bar, vector) - outer(b_bar, x, vector)
    return bar + outer(back @ x, x_bar - inverse @ (a @ x_bar), vector), b_bar


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
    bar = -outer(b_bar, y, rank_of(b) == 1)
    bar = (bar, _turned(bar), transposed(bar))[how] if how else bar
    cut, sign = (np.tril, -1) if lower else (np.triu, 1)
    return cut(bar, sign if unit_diagonal else 0), b_bar


@rule_apart_from("check_finite", SL.norm, order="a ord axis keepdims check_finite")
def norm(g: Any, y: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    return in_precision(norms.norm(g, y, a, ord, axis, keepdims), a)


# ---- types

like_the_first(SL.inv)


@result(SL.det)
def _det(a: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(a)
    return Array(kind_after(SL.det, a), None if shape is None else shape[:-2])


@result(SL.pinv)
def _pinv(a: Any, **static: Any) -> Type:
    if static.get("return_rank"):
        return UNKNOWN
    shape = shape_at(a)
    turned = None if shape is None else (*shape[:-2], shape[-1], shape[-2])
    return Array(kind_after(SL.pinv, a), turned)


@result(SL.solve, SL.solve_triangular)
def _solve(a: Any, b: Any, *rest: Any, **static: Any) -> Type:
    s, t = shape_at(a), shape_at(b)
    kind = kind_after(SL.solve, a, b)
    if s is None or t is None:
        return Array(kind, None)
    own = t if len(t) == 1 else t[-2:]
    batch = broadcast(s[:-2], t[: len(t) - len(own)])
    return Array(kind, None if batch is None else (*batch, *own))


@result(SL.norm)
def _norm(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, **rest: Any) -> Type:
    # In single or double precision as it happens.
    return Array(None, reduced(shape_at(a), axis, keepdims))


@result(SL.lstsq)
def _lstsq_type(a: Any, b: Any, *rest: Any, **static_: Any) -> Type:
    s, t, kind = shape_at(a), shape_at(b), kind_after(SL.solve, a, b)
    if s is None or t is None:
        return UNKNOWN
    values = Array(None, (smaller(s[0], s[1]),))
    return Tuple((Array(kind, (s[1], *t[1:])), UNKNOWN, UNKNOWN, values))
