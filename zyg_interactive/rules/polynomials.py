"""Polynomials by their coefficients, the highest power first.

Roots move by the implicit function theorem: p(r) = 0, so p'(r) dr = -sum of dp_k r^(n-k).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..diagnostics import refuse
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type, fresh
from .factors import eigvals, least_squares
from .numerics import convolve
from .registry import call, conj, rank_of, result, rule
from .sequences import as_dtype, real_for
from .sizes import decided, dtype_after, dtype_of, promoted, shape_at, total

LA = np.linalg


@rule(np.vander)
def vander(g: Any, y: Any, x: Any, N: Any = None, increasing: Any = False) -> Any:
    return _fit(np.sum(g * conj(_steeper(x, np.shape(y)[1], decided(increasing))), axis=1), x)


def _fit(c: Any, x: Any) -> Any:
    """A cotangent in the precision of `x`: whole powers make single precision double."""
    return as_dtype(real_for(x, c), x)


def _steeper(x: Any, n: Any, increasing: Any) -> Any:
    """The derivatives of the powers."""
    up = call(np.arange, n)
    powers = up if increasing else np.flip(up)
    return powers * np.expand_dims(x, 1) ** call(np.maximum, powers - 1, 0)


@rule(np.polyval)
def polyval(g: Any, y: Any, p: Any, x: Any) -> Any:
    flat = np.reshape(x, (-1,)) if rank_of(x) != 1 else x
    powers = np.vander(flat, np.shape(p)[0])
    slope = np.sum(_steeper(flat, np.shape(p)[0], False) * p, axis=1)
    c = np.reshape(g, (-1,)) if rank_of(x) != 1 else g
    return _fit(c @ conj(powers), p), _fit(g * conj(np.reshape(slope, np.shape(x))), x)


def _down(p: Any, m: int) -> Any:
    """The powers of all terms but the last."""
    return np.flip(call(np.arange, 1, np.shape(p)[0] + m))


@rule(np.polyder)
def polyder(g: Any, y: Any, p: Any, m: Any = 1) -> Any:
    for i in reversed(range(int(decided(m)))):
        g = np.pad(g * _down(p, -i), (0, 1))
    return _fit(g, p)


@rule(np.polyint)
def polyint(g: Any, y: Any, p: Any, m: Any = 1, k: Any = None) -> Any:
    for i in reversed(range(int(decided(m)))):
        g = g[:-1] / _down(p, i + 1)
    return _fit(g, p)


def _last(g: Any, p: Any) -> Any:
    return g[np.shape(g)[0] - np.shape(p)[0] :]


@rule(np.polyadd)
def polyadd(g: Any, y: Any, a1: Any, a2: Any) -> Any:
    return _last(g, a1), _last(g, a2)


@rule(np.polysub)
def polysub(g: Any, y: Any, a1: Any, a2: Any) -> Any:
    return _last(g, a1), -_last(g, a2)


@rule(np.polymul)
def polymul(g: Any, y: Any, a1: Any, a2: Any) -> Any:
    # NumPy leaves leading zeros out: they have a place in the product all the same.
    missing = np.shape(a1)[0] + np.shape(a2)[0] - 1 - np.shape(g)[0]
    bars = convolve(np.pad(g, (missing, 0)), None, a1, a2)
    return tuple(call(if_whole, bar, a) for bar, a in zip(bars, (a1, a2), strict=True))


def if_whole(bar: Any, a: Any) -> Any:
    """The cotangent of coefficients. Raises where the first of them is zero: in a product NumPy
    leaves it out, so that it moves is not seen there.
    """
    if np.size(a) > 1 and a[0] == 0:
        raise refuse(
            "ZYG302",
            "`polymul` of coefficients that begin with a zero, which NumPy leaves out,",
            None,
            "leave it out, or write `np.convolve`",
        )
    return bar


@rule(if_whole)
def _if_whole(g: Any, y: Any, bar: Any, a: Any) -> Any:
    return g, None


@rule(np.poly)
def poly(g: Any, y: Any, seq_of_zeros: Any) -> Any:
    if rank_of(seq_of_zeros) == 2:
        values = LA.eigvals(seq_of_zeros)
        return eigvals(_of_roots(g, y, values), values, seq_of_zeros)
    return _of_roots(g, y, seq_of_zeros)


def _of_roots(g: Any, y: Any, r: Any) -> Any:
    # The derivative by a root is -p / (x - r): the coefficients of that quotient are sums of powers
    # of the root.
    n = np.shape(r)[0]
    sums = np.correlate(g[1:], y[:-1], mode="full")[n - 1 :]
    return _fit(-(conj(np.vander(r, n, increasing=True)) @ sums), r)


@rule(np.roots)
def roots(g: Any, y: Any, p: Any) -> Any:
    n = np.shape(p)[0]
    slope = np.sum(_steeper(y, n, False) * p, axis=1)
    return _fit(-((g / conj(slope)) @ conj(np.vander(y, n))), p)


@rule(np.polyfit, order="x y deg rcond full w? cov")
def polyfit(g: Any, fitted: Any, x: Any, y: Any, deg: Any, w: Any) -> Any:
    n = np.shape(fitted)[0]
    powers = np.vander(x, n)
    own = powers if w is None else powers * np.expand_dims(w, 1)
    wide = w if w is None or rank_of(y) == 1 else np.expand_dims(w, 1)
    known = y if w is None else y * wide
    a_bar, b_bar = least_squares(g, own, known)
    y_bar = b_bar if w is None else b_bar * wide
    w_bar = None
    if w is not None:
        w_bar = np.sum(np.real(a_bar * conj(powers)), axis=1)
        share = np.real(b_bar * conj(y))
        w_bar = w_bar + (share if rank_of(y) == 1 else np.sum(share, axis=1))
        a_bar = a_bar * np.expand_dims(w, 1)
    return vander(a_bar, powers, x), y_bar, None, w_bar


# ---- types


@result(np.vander)
def _vander(x: Any, N: Any = None, increasing: Any = False) -> Type:
    shape, kind = shape_at(x), dtype_of(type_of(x))
    if shape is None or kind is None:
        return UNKNOWN
    kind = np.promote_types(kind, int)
    columns = shape[0] if N is None else N if isinstance(N, int) else None
    own = getattr(type_of(N), "size", None) if columns is None else columns
    return Array(kind, (shape[0], fresh() if own is None else own))


@result(np.polyval)
def _value(p: Any, x: Any) -> Type:
    return Array(promoted(p, x), shape_at(x))


@result(np.polyder, np.polyint, np.poly)
def _coefficients(p: Any, *rest: Any, **more: Any) -> Type:
    kind, shape = dtype_of(type_of(p)), shape_at(p)
    single = kind is not None and kind == np.dtype(float) and shape is not None and len(shape) == 1
    return Array(kind if single else None, (fresh(),))


@result(np.polyadd, np.polysub, np.polymul)
def _combined(a1: Any, a2: Any) -> Type:
    return Array(dtype_after(np.add, dtype_of(type_of(a1)), dtype_of(type_of(a2))), (fresh(),))


@result(if_whole)
def _same(bar: Any, a: Any) -> Type:
    return type_of(bar)


@result(np.roots)
def _roots(p: Any) -> Type:
    return Array(None, (fresh(),))


@result(np.polyfit)
def _fit_type(x: Any, y: Any, deg: Any, *rest: Any, **more: Any) -> Type:
    shape = shape_at(y)
    if shape is None or rest or "full" in more or "cov" in more:
        return UNKNOWN
    kind = dtype_after(_fitted, dtype_of(type_of(y)))
    size = total((deg, 1)) if isinstance(deg, int) else fresh()
    return Array(kind, (size, *shape[1:]))


def _fitted(y: Any) -> Any:
    return y * 1.0 + np.zeros(1)
