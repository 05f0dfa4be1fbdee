"""The classes of `numpy.polynomial`: a series that is made, differentiated perhaps, and evaluated.

Where it is made and where it is evaluated are one function of the coefficients and the places. It
is linear in the coefficients: the pullback evaluates those of the unit vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.core import Atom, Value, type_of, values
from ...ir.types import UNKNOWN, Array, Other, Type
from ..making import makes
from ..nondifferentiable import size_of
from ..registry import LOWERED, call, conj, rank_of, result, rule, unsupported
from ..sequences import as_dtype, real_for
from ..sizes import promoted, shape_at

CLASSES = tuple(
    getattr(np.polynomial, name)
    for name in ("Polynomial", "Chebyshev", "Legendre", "Laguerre", "Hermite", "HermiteE")
)
_ABSTRACT: Any = CLASSES[0].__mro__[1]
_CALLED, _DERIVED = _ABSTRACT.__call__, _ABSTRACT.deriv


def _as(c: Any, x: Any) -> Any:
    return as_dtype(real_for(x, c), x)


def series_at(cls: Any, how: tuple[Any, ...], c: Any, x: Any, nu: int) -> Any:
    """What a series of the class `cls`, or a derivative of it, is at the places `x`."""
    made = cls(c, **dict(how))
    return (made.deriv(nu) if nu else made)(x)


def series_units(cls: Any, how: tuple[Any, ...], n: int, x: Any, nu: int) -> Any:
    """The same of each unit vector of `n` coefficients."""
    return np.stack([series_at(cls, how, row, x, nu) for row in np.eye(n)], axis=-1)


@rule(series_at)
def _series_at(g: Any, y: Any, cls: Any, how: Any, c: Any, x: Any, nu: Any) -> Any:
    x_bar = g * conj(call(series_at, cls, how, c, x, nu + 1))
    basis = call(series_units, cls, how, np.shape(c)[0], x, nu)
    axes = tuple(range(rank_of(x)))
    c_bar = np.tensordot(g, conj(basis), axes=(axes, axes))
    return None, None, _as(c_bar, c), _as(x_bar, x), None


@rule(series_units)
def _series_units(g: Any, y: Any, cls: Any, how: Any, n: Any, x: Any, nu: Any) -> Any:
    bar = np.sum(g * conj(call(series_units, cls, how, n, x, nu + 1)), axis=-1)
    return None, None, None, _as(bar, x), None


def of_object(made: Any, x: Any, nu: int) -> Any:
    """What an object that was made elsewhere is at the places `x`, or a derivative of it."""
    return (made.deriv(nu) if nu else made)(x)


@rule(of_object, order="made x nu")
def _of_object(g: Any, y: Any, x: Any, made: Any = None, nu: Any = 0) -> Any:
    return _as(g * conj(call(of_object, made, x, nu + 1)), x)


@rule(_CALLED, order="self arg")
def _called(g: Any, y: Any, arg: Any, self: Any = None) -> Any:
    return _of_object(g, y, arg, self, 0)


@rule(_DERIVED)
def _derived(g: Any, y: Any, self: Any, m: Any = 1) -> Any:
    raise unsupported("a derivative of a series, but where it is evaluated")


def _made(op: Any) -> tuple[Any, tuple[Any, ...], Atom, int] | None:
    """The class, how it was made, the coefficients, and how often they are differentiated."""
    nu = 0
    while op is not None and op.fn is _DERIVED:
        m = dict(zip(("self", "m"), op.args, strict=False)) | op.static
        if not isinstance(m.get("m", 1), int) or not isinstance(m["self"], Value):
            return None
        nu, op = nu + int(m.get("m", 1)), m["self"].op
    if op is None or op.fn not in CLASSES:
        return None
    names = ("coef", "domain", "window", "symbol")
    given = dict(zip(names, op.args, strict=False)) | op.static
    how = {k: v for k, v in given.items() if k != "coef" and not k.startswith("$")}
    if "coef" not in given or any(True for _ in values(tuple(how.values()))):
        return None
    fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in how.items()}
    return op.fn, tuple(fixed.items()), given["coef"], nu


def _evaluated(lowering: Any, args: Any, kwargs: dict[str, Atom], node: Any) -> Atom:
    made = _made(args[0].op) if isinstance(args[0], Value) else None
    given = dict(zip(("arg",), args[1:], strict=False)) | kwargs
    if made is None or lowering.heap is not None or set(given) != {"arg"} or len(args) > 2:
        return lowering._known(_CALLED, args, kwargs, node, None)
    cls, how, c, nu = made
    c, x = (lowering.call(np.asarray, (a,), {}, node) for a in (c, given["arg"]))
    return lowering.call(series_at, (cls, how, c, x, nu), {}, node)


LOWERED[_CALLED] = _evaluated


def _class(cls: Any) -> None:
    makes(cls, "a series, but for its values and derivatives where it is made")
    result(cls)(lambda *args, **static: Other(cls))


for _cls in CLASSES:
    _class(_cls)


@result(_DERIVED)
def _derived_type(self: Any, m: Any = 1) -> Type:
    return type_of(self)


@result(series_at)
def _series_type(cls: Any, how: Any, c: Any, x: Any, nu: Any) -> Type:
    kind = promoted(c, x)
    double = kind is not None and kind.char in "dD"
    return Array(kind if double else None, shape_at(x))


@result(series_units)
def _units_type(cls: Any, how: Any, n: Any, x: Any, nu: Any) -> Type:
    shape, kind = shape_at(x), promoted(x, 1.0)
    double = kind is not None and kind.char in "dD"
    return UNKNOWN if shape is None else Array(kind if double else None, (*shape, size_of(n)))


@result(of_object)
def _of_object_type(made: Any, x: Any, nu: Any) -> Type:
    return Array(None, shape_at(x))


@result(_CALLED)
def _called_type(self: Any, arg: Any) -> Type:
    return Array(None, shape_at(arg))
