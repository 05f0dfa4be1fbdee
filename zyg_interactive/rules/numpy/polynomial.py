"""Series of polynomials in the six bases of `numpy.polynomial`, the lowest degree first.

A series is linear in its coefficients, with the polynomials of the basis as weights (the `vander`
of each), and its derivative in the place is the series with the coefficients that `der` gives. What
makes coefficients of coefficients is linear too, or bilinear: the pullback multiplies with what the
function makes of the unit vectors, n calls for n coefficients and n m for a product.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

import numpy as np

from ...diagnostics import refuse
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Scalar, Type, fresh, shape_of
from ..factors import least_squares
from ..nondifferentiable import size_of
from ..registry import (
    call,
    conj,
    constant,
    elementwise_rule,
    rank_of,
    result,
    rule,
    unsupported,
    without_rule,
)
from ..sequences import as_dtype, real_for
from ..sizes import decided, dtype_of, normal, promoted, shape_at, total, with_size

NAMES = {
    "polynomial": "poly",
    "chebyshev": "cheb",
    "legendre": "leg",
    "laguerre": "lag",
    "hermite": "herm",
    "hermite_e": "herme",
}
BASES: dict[str, Any] = {
    short: importlib.import_module(f"numpy.polynomial.{name}") for name, short in NAMES.items()
}


def _as(c: Any, x: Any) -> Any:
    """A cotangent in the precision of `x`: the weights are in double precision."""
    return as_dtype(real_for(x, c), x)


# ---- what the functions make of unit vectors


@lru_cache(maxsize=256)
def _columns(fn: Any, n: int, size: int) -> Any:
    matrix = np.zeros((size, n))
    for i in range(n):
        column = fn(np.eye(n)[i])
        matrix[: len(column), i] = column
    return matrix


@lru_cache(maxsize=256)
def _products(fn: Any, n: int, m: int) -> Any:
    found = np.zeros((n + m - 1, n, m))
    for i in range(n):
        for j in range(m):
            term = fn(np.eye(n)[i], np.eye(m)[j])
            found[: len(term), i, j] = term
    return found


def columns(fn: Any, n: int, size: int) -> Any:
    """The matrix of a linear function of `n` coefficients, which gives `size` of them."""
    return _columns(fn, int(n), int(size)).copy()


def products(fn: Any, n: int, m: int) -> Any:
    """The coefficients of the products of the polynomials of a basis."""
    return _products(fn, int(n), int(m)).copy()


def along_columns(fn: Any, n: int, how: Any) -> Any:
    """As `columns`, of a function that takes an axis."""
    return fn(np.eye(n), *how)


def whole(g: Any, size: int) -> Any:
    """`g`, which must be of that size: where NumPy has left a coefficient out that is zero, that it
    moves is not seen.
    """
    if len(g) != size:
        raise refuse(
            "ZYG302",
            "a series whose highest coefficients are zero, and left out, has no gradient",
            None,
            "leave them out of the arguments, or write the sum or product of arrays",
        )
    return g


constant(columns, products, along_columns)


@rule(whole)
def _whole(g: Any, y: Any, c: Any, size: Any) -> Any:
    return g, None


# ---- values


def _flat(x: Any) -> Any:
    return x if rank_of(x) == 1 else np.reshape(x, (-1,))


def _series(val: Any, places: tuple[Any, ...], c: Any) -> int:
    """How many axes the series has in the place of a number."""
    axes = rank_of(c) - len(places)
    if axes < 0:
        raise unsupported(f"`{val.__name__}` of that few axes", "write an array of coefficients")
    return axes


def _slopes(val: Any, der: Any, places: tuple[Any, ...], c: Any) -> list[Any]:
    return [call(val, *places, call(der, c, axis=i)) for i in range(len(places))]


def _values(basis: Any, short: str, at: int) -> None:
    """Of `val`, `val2d` and `val3d`, in `at` coordinates of the same shape."""
    name = f"{short}val" if at == 1 else f"{short}val{at}d"
    val, der, vander = (getattr(basis, n) for n in (name, f"{short}der", f"{short}vander"))

    def pullback(g: Any, places: tuple[Any, ...], c: Any) -> tuple[Any, ...]:
        axes = _series(val, places, c)
        first = tuple(range(axes))
        bars = []
        for x, slope in zip(places, _slopes(val, der, places, c), strict=True):
            bar = g * conj(slope)
            bars.append(_as(np.sum(bar, axis=first) if axes else bar, x))
        weights: Any = 1.0
        for i, x in enumerate(places):
            own = call(vander, _flat(x), np.shape(c)[i] - 1)
            others = tuple(k + 1 for k in range(at) if k != i)
            weights = weights * (np.expand_dims(own, others) if others else own)
        rows = np.reshape(g, (*np.shape(c)[at:], -1))
        c_bar = np.tensordot(conj(weights), rows, axes=((0,), (axes,)))
        return (*bars, _as(c_bar, c))

    _register(val, at, pullback)


def _grids(basis: Any, short: str, at: int) -> None:
    """Of `grid2d` and `grid3d`: every coordinate of one axis with every one of the others."""
    grid = getattr(basis, f"{short}grid{at}d")
    der, vander = getattr(basis, f"{short}der"), getattr(basis, f"{short}vander")

    def pullback(g: Any, places: tuple[Any, ...], c: Any) -> tuple[Any, ...]:
        axes = _series(grid, places, c)
        flat = [_flat(x) for x in places]
        shape = (*np.shape(c)[at:], *(np.shape(x)[0] for x in flat))
        bars, c_bar = [], np.reshape(g, shape)
        for i, (x, slope) in enumerate(zip(places, _slopes(grid, der, places, c), strict=True)):
            others = tuple(k for k in range(axes + at) if k != axes + i)
            bar = np.sum(np.reshape(g * conj(slope), shape), axis=others)
            bars.append(_as(np.reshape(bar, np.shape(x)), x))
        for i, x in enumerate(flat):
            weights = conj(call(vander, x, np.shape(c)[i] - 1))
            c_bar = np.tensordot(c_bar, weights, axes=((axes,), (0,)))
        order = (*range(axes, axes + at), *range(axes))
        return (*bars, _as(np.transpose(c_bar, order), c))

    _register(grid, at, pullback)


def _register(fn: Any, at: int, pullback: Any) -> None:
    if at == 1:

        @rule(fn)
        def val(g: Any, y: Any, x: Any, c: Any, tensor: Any = True) -> Any:
            if rank_of(c) > 1 and not decided(tensor):
                raise unsupported("`tensor=False`", "evaluate the series one by one")
            return pullback(g, (x,), c)
    elif at == 2:

        @rule(fn)
        def val2d(g: Any, out: Any, x: Any, y: Any, c: Any) -> Any:
            return pullback(g, (x, y), c)
    else:

        @rule(fn)
        def val3d(g: Any, out: Any, x: Any, y: Any, z: Any, c: Any) -> Any:
            return pullback(g, (x, y, z), c)


def _weights(basis: Any, short: str) -> None:
    vander, der = getattr(basis, f"{short}vander"), getattr(basis, f"{short}der")

    @rule(vander)
    def pullback(g: Any, y: Any, x: Any, deg: Any) -> Any:
        return _of_weights(g, y, x, vander, der), None


def _of_weights(g: Any, y: Any, x: Any, vander: Any, der: Any) -> Any:
    """The cotangent of the places, of the values of the polynomials there."""
    matrix = call(along_columns, der, np.shape(y)[-1], ())
    slopes = call(vander, x, np.shape(matrix)[0] - 1) @ matrix
    return _as(np.reshape(np.sum(g * conj(slopes), axis=-1), np.shape(x)), x)


# ---- coefficients of coefficients


def _calculus(basis: Any, short: str) -> None:
    der, integral = getattr(basis, f"{short}der"), getattr(basis, f"{short}int")

    @rule(der)
    def of_der(g: Any, y: Any, c: Any, m: Any = 1, scl: Any = 1, axis: Any = 0) -> Any:
        return _as(_turned(g, call(along_columns, der, np.shape(c)[axis], (m, scl)), axis), c)

    @rule(integral)
    def of_int(
        g: Any,
        y: Any,
        c: Any,
        m: Any = 1,
        k: Any = (),
        lbnd: Any = 0,
        scl: Any = 1,
        axis: Any = 0,
    ) -> Any:
        how: tuple[Any, ...] = (m, [], lbnd, scl)
        return _as(_turned(g, call(along_columns, integral, np.shape(c)[axis], how), axis), c)


def _turned(g: Any, matrix: Any, axis: Any) -> Any:
    """The transpose of a matrix, along an axis."""
    at, rank = normal(decided(axis), rank_of(g)), rank_of(g)
    bar = np.tensordot(g, conj(matrix), axes=((at,), (0,)))
    return bar if at == rank - 1 else np.moveaxis(bar, -1, at)


def _vectors(basis: Any, short: str) -> None:
    add, sub, mul, mulx, power = (
        getattr(basis, short + n) for n in ("add", "sub", "mul", "mulx", "pow")
    )

    def both(g: Any, a: Any, b: Any) -> Any:
        return call(whole, g, call(max, np.shape(a)[0], np.shape(b)[0]))

    @rule(add)
    def of_add(g: Any, y: Any, c1: Any, c2: Any) -> Any:
        g = both(g, c1, c2)
        return tuple(_as(g[: np.shape(c)[0]], c) for c in (c1, c2))

    @rule(sub)
    def of_sub(g: Any, y: Any, c1: Any, c2: Any) -> Any:
        g = both(g, c1, c2)
        return _as(g[: np.shape(c1)[0]], c1), _as(-g[: np.shape(c2)[0]], c2)

    @rule(mul)
    def of_mul(g: Any, y: Any, c1: Any, c2: Any) -> Any:
        n, m = np.shape(c1)[0], np.shape(c2)[0]
        table = np.tensordot(call(whole, g, n + m - 1), call(products, mul, n, m), axes=1)
        return _as(table @ conj(c2), c1), _as(conj(c1) @ table, c2)

    @rule(mulx)
    def of_mulx(g: Any, y: Any, c: Any) -> Any:
        n = np.shape(c)[0]
        return _as(call(whole, g, n + 1) @ call(columns, mulx, n, n + 1), c)

    @rule(power)
    def of_power(g: Any, y: Any, c: Any, pow: Any, maxpower: Any = None) -> Any:
        times = int(decided(pow))
        if times == 0:
            return np.zeros_like(c), None
        n = np.shape(c)[0]
        before = call(power, c, times - 1)
        size = (times - 1) * (n - 1) + 1
        table = call(products, mul, size, n)
        turned = np.tensordot(call(whole, g, size + n - 1), table, axes=1)
        return _as(times * (conj(before) @ turned), c), None


def _linear(fn: Any) -> None:
    """From one basis to another."""

    @rule(fn)
    def pullback(g: Any, y: Any, c: Any) -> Any:
        n = np.shape(c)[0]
        return _as(call(whole, g, n) @ call(columns, fn, n, n), c)


# ---- roots and fits


def _roots(basis: Any, short: str) -> None:
    roots, val, der = (getattr(basis, short + n) for n in ("roots", "val", "der"))
    vander, from_roots = getattr(basis, f"{short}vander"), getattr(basis, f"{short}fromroots")
    changed = None if short == "poly" else getattr(basis, f"poly2{short}")

    @rule(roots)
    def of_roots(g: Any, y: Any, c: Any) -> Any:
        """p(r) = 0, so `p'(r) dr = -sum of dc_k p_k(r)`."""
        slope = call(val, y, call(der, c))
        return _as(-((g / conj(slope)) @ conj(call(vander, y, np.shape(c)[0] - 1))), c)

    @rule(from_roots)
    def of_from_roots(g: Any, y: Any, roots: Any) -> Any:
        """By a root the derivative is -p / (x - r), whose coefficients of powers are sums."""
        n = np.shape(roots)[0]
        p = y
        if changed is not None:
            g = g @ call(columns, changed, n + 1, n + 1)
            p = call(BASES["poly"].polyfromroots, roots)
        sums = np.flip(np.correlate(np.flip(g[:-1]), np.flip(p[1:]), mode="full")[n - 1 :])
        powers = np.flip(np.vander(roots, n, increasing=True), axis=1)
        return _as(-(conj(powers) @ sums), roots)


def _fits(basis: Any, short: str) -> None:
    fit, vander, der = (getattr(basis, short + n) for n in ("fit", "vander", "der"))

    @rule(fit, order="x y deg rcond full w?")
    def pullback(
        g: Any, fitted: Any, x: Any, y: Any, deg: Any, w: Any, rcond: Any = None
    ) -> Any:
        t = type_of(deg)
        if not isinstance(t, Scalar) and not (isinstance(t, Array) and t.shape == ()):
            raise unsupported(f"`{fit.__name__}` of chosen degrees", "fit all up to the highest")
        powers = call(vander, x, np.shape(fitted)[0] - 1)
        own = powers if w is None else powers * np.expand_dims(w, 1)
        wide = w if w is None or rank_of(y) == 1 else np.expand_dims(w, 1)
        a_bar, b_bar = least_squares(g, own, y if w is None else y * wide)
        y_bar, w_bar = b_bar, None
        if w is not None:
            y_bar = b_bar * wide
            share = np.real(b_bar * conj(y))
            w_bar = np.sum(np.real(a_bar * conj(powers)), axis=1)
            w_bar = _as(w_bar + (share if rank_of(y) == 1 else np.sum(share, axis=1)), w)
            a_bar = a_bar * np.expand_dims(w, 1)
        return _of_weights(a_bar, powers, x, vander, der), _as(y_bar, y), None, w_bar


# ---- the six bases

for _short, _basis in BASES.items():
    _weights(_basis, _short)
    for _at in (1, 2, 3):
        _values(_basis, _short, _at)
    for _at in (2, 3):
        _grids(_basis, _short, _at)
    _calculus(_basis, _short)
    _vectors(_basis, _short)
    _roots(_basis, _short)
    _fits(_basis, _short)
    without_rule(
        "divide by hand: the remainder is what a linear system leaves",
        getattr(_basis, f"{_short}div"),
    )
    if _short != "poly":
        _linear(getattr(_basis, f"poly2{_short}"))
        _linear(getattr(_basis, f"{_short}2poly"))
        constant(getattr(_basis, f"{_short}gauss"))
without_rule("write np.prod(x - r)", BASES["poly"].polyvalfromroots)
constant(BASES["cheb"].chebpts1, BASES["cheb"].chebpts2)
elementwise_rule(BASES["cheb"].chebweight, lambda y, x: x * y / (1.0 - x * x))
elementwise_rule(BASES["lag"].lagweight, lambda y, x: -y)
elementwise_rule(BASES["herm"].hermweight, lambda y, x: -2.0 * x * y)
elementwise_rule(BASES["herme"].hermeweight, lambda y, x: -x * y)
elementwise_rule(BASES["leg"].legweight, lambda y, x: 0.0 * x)


# ---- types


def _double(*xs: Any) -> Any:
    """The dtype of what is made of these where it is double: some functions make that of single
    precision.
    """
    kind = promoted(*xs)
    if kind is None or kind.kind in "biu":
        return None if kind is None else np.dtype(float)
    return kind if kind.char in "dD" else None


def _types(basis: Any, short: str) -> None:
    def of(*names: str) -> list[Any]:
        return [getattr(basis, short + n) for n in names]

    def at_places(places: tuple[Any, ...], c: Any) -> Type:
        s, t = shape_at(places[0]), shape_at(c)
        if s is None or t is None or len(t) < len(places):
            return UNKNOWN
        return Array(_double(*places, c), (*t[len(places) :], *s))

    @result(*of("val"))
    def val(x: Any, c: Any, tensor: Any = True) -> Type:
        one = len(shape_at(c) or ()) == 1
        return at_places((x,), c) if one or tensor is True else UNKNOWN

    @result(*of("val2d", "val3d"))
    def val_of_several(*args: Any) -> Type:
        return at_places(args[:-1], args[-1])

    @result(*of("grid2d", "grid3d"))
    def grid(*args: Any) -> Type:
        *places, c = args
        shapes, t = [shape_at(x) for x in places], shape_at(c)
        if None in shapes or t is None or len(t) < len(places):
            return UNKNOWN
        sizes = [n for s in shapes if s is not None for n in s]
        return Array(_double(*places, c), (*t[len(places) :], *sizes))

    @result(*of("vander"))
    def vander(x: Any, deg: Any) -> Type:
        shape = shape_of(type_of(x))
        if shape is None:
            return UNKNOWN
        size = total((deg, 1)) if isinstance(deg, int) else fresh()
        return Array(_double(x), (*(shape or (1,)), size))

    @result(*of("der", "int"))
    def calculus(c: Any, *rest: Any, axis: Any = 0, **how: Any) -> Type:
        shape = shape_at(c)
        if not shape:
            return UNKNOWN
        if len(rest) > 2:  # the axis may be among them
            return Array(_double(c), tuple(fresh() for _ in shape))
        return Array(_double(c), with_size(shape, axis, fresh()))

    @result(*of("add", "sub", "mul"))
    def of_two(c1: Any, c2: Any) -> Type:
        return Array(_double(c1, c2), (fresh(),))

    @result(*of("mulx", "pow", "fromroots"))
    def of_one(c: Any, *rest: Any, **how: Any) -> Type:
        return Array(_double(c), (fresh(),))

    @result(*of("roots"))
    def roots(c: Any) -> Type:
        return Array(None, (fresh(),))

    @result(*of("fit"))
    def fit(x: Any, y: Any, deg: Any, *rest: Any, **more: Any) -> Type:
        shape = shape_at(y)
        if shape is None or len(rest) > 1 or "full" in more:
            return UNKNOWN
        size = total((deg, 1)) if isinstance(deg, int) else fresh()
        return Array(_double(x, y), (size, *shape[1:]))

    if short != "poly":
        result(getattr(basis, f"poly2{short}"), getattr(basis, f"{short}2poly"))(of_one)
        result(*of("weight"))(lambda x: Array(_double(x), shape_at(x)))


for _short, _basis in BASES.items():
    _types(_basis, _short)


@result(columns)
def _columns_type(fn: Any, n: Any, size: Any) -> Type:
    return Array(np.dtype(float), (size_of(size), size_of(n)))


@result(products)
def _products_type(fn: Any, n: Any, m: Any) -> Type:
    return Array(np.dtype(float), (fresh(), size_of(n), size_of(m)))


@result(along_columns)
def _along_columns_type(fn: Any, n: Any, how: Any) -> Type:
    return Array(None, (fresh(), size_of(n)))


@result(whole)
def _whole_type(g: Any, size: Any) -> Type:
    return Array(dtype_of(type_of(g)), (size_of(size),))


# ---- the classes, in a file of their own

importlib.import_module(f"{__package__}.series")
