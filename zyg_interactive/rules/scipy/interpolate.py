"""Splines: in the places where they are evaluated, and in the values that they interpolate.

An interpolating spline is linear in its values: the cotangent of these is that of the result,
multiplied with the splines through the unit vectors (C. de Boor, A Practical Guide to Splines,
chapter 13). In the places of the knots there is no rule.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import Atom, Value, type_of
from ...ir.types import UNKNOWN, Array, Other, Type
from ..registry import (
    LOWERED,
    call,
    in_argument,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of, shape_at
from .keywords import makes

P: Any = importlib.import_module("scipy.interpolate")

# What makes a spline that is linear in its values, and the keywords with which it still is.
_LINEAR: dict[Any, dict[str, tuple[Any, ...]]] = {
    P.CubicSpline: {"axis": (0,), "bc_type": ("not-a-knot", "natural", "clamped")},
    P.make_interp_spline: {
        "axis": (0,),
        "bc_type": (None, "not-a-knot", "natural", "clamped"),
        "k": (1, 2, 3, 4, 5),
        "check_finite": (True, False),
    },
}
_BY_POSITION = {P.CubicSpline: ("axis", "bc_type"), P.make_interp_spline: ("k",)}
_MAKES = {P.CubicSpline: P.CubicSpline, P.make_interp_spline: P.BSpline}
_PIECES: Any = P.PPoly.__call__
_BSPLINE: Any = P.BSpline.__call__


def spline_at(make: Any, options: tuple[Any, ...], x: Any, y: Any, v: Any, nu: int) -> Any:
    """The spline through the values `y` at `x`, or a derivative of it, at the places `v`."""
    return make(x, y, **dict(options))(v, nu)


@rule(spline_at)
def spline(g: Any, at: Any, make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Any:
    rank = rank_of(v)
    slope = call(spline_at, make, options, x, y, v, nu + 1)
    v_bar = _summed(g * slope, rank_of(y) - 1)
    basis = call(spline_at, make, options, x, call(np.eye, np.shape(x)[0]), v, nu)
    places = tuple(range(rank))
    y_bar = np.tensordot(basis, g, axes=(places, places))
    refused = unsupported("a spline in the places of its knots", "keep them constant")
    return None, None, refused, in_precision(y_bar, y), in_precision(v_bar, v), None


def _summed(c: Any, trailing: int) -> Any:
    """The sum over the components of what is interpolated."""
    return np.sum(c, axis=tuple(range(-trailing, 0))) if trailing else c


def _options(op: Any) -> tuple[Any, ...] | None:
    """The keywords of what made a spline, where it is linear in its values with them."""
    named = dict(zip(_BY_POSITION[op.fn], op.args[2:], strict=False)) | op.static
    named = {k: v for k, v in named.items() if not k.startswith("$")}
    allowed = _LINEAR[op.fn]
    for k, v in named.items():
        if k not in allowed or isinstance(v, Value | tuple | list) or v not in allowed[k]:
            return None
    return tuple(named.items())


def _evaluated(fn: Any) -> None:
    def lowered(lowering: Any, args: Any, kwargs: dict[str, Atom], node: Any) -> Atom:
        made = args[0]
        op = made.op if isinstance(made, Value) else None
        if op is None or op.fn not in _LINEAR or lowering.heap is not None:
            return lowering._known(fn, args, kwargs, node, None)
        options = _options(op)
        given = dict(zip(("x", "nu"), args[1:], strict=False)) | kwargs
        if options is None or set(given) - {"x", "nu"} or len(op.args) < 2 or len(args) > 3:
            return lowering._known(fn, args, kwargs, node, None)
        x, y = (lowering.call(np.asarray, (a,), {}, node) for a in op.args[:2])
        return lowering.call(
            spline_at, (op.fn, options, x, y, given["x"], given.get("nu", 0)), {}, node
        )

    LOWERED[fn] = lowered


_evaluated(_PIECES)
_evaluated(_BSPLINE)

# ---- splines that were made elsewhere, in the places


def _components(spline: Any, own: int) -> int:
    """How many axes what is interpolated has."""
    if isinstance(spline, Value):
        raise unsupported(
            "a spline that is made here with these options, or of which only the run knows,",
            "make it before, or write `CubicSpline(x, y)`",
        )
    axes = int(spline.c.ndim) - own
    if axes and spline.axis != 0:
        raise unsupported("a spline with axis= other than 0")
    return axes


def _call_rule(fn: Any, own: int) -> None:
    @rule(fn)
    def evaluate(g: Any, y: Any, self: Any, x: Any, nu: Any = 0, extrapolate: Any = None) -> Any:
        axes = _components(self, own)
        slope = call(fn, self, x, decided(nu) + 1, extrapolate)
        return in_argument(fn, 0), in_precision(_summed(g * slope, axes), x)

    @result(fn)
    def type_after(self: Any, x: Any, *rest: Any, **static: Any) -> Type:
        shape = shape_at(x)
        if isinstance(self, Value) or shape is None:
            return UNKNOWN
        more = tuple(self.c.shape[own:])
        return Array(None, (*shape, *more) if not more or self.axis == 0 else None)


_call_rule(_PIECES, 2)
_call_rule(_BSPLINE, 1)


# ---- making a spline


def _made(fn: Any) -> None:
    makes(fn, "a spline but for its values, and its derivatives, where it is made")
    result(fn)(lambda *args, **static: Other(_MAKES[fn]))


_made(P.CubicSpline)
_made(P.make_interp_spline)


@result(spline_at)
def _at(make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Type:
    s, t = shape_at(v), shape_at(y)
    kind = dtype_of(type_of(y))
    real = kind is not None and kind.kind != "c"
    if s is None or t is None:
        return UNKNOWN
    return Array(np.dtype(float) if real else None, (*s, *t[1:]))
