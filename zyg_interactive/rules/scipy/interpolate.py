"""Splines: in the places where they are evaluated, and in the values that they interpolate.

An interpolating spline is linear in its values: the cotangent of these is that of the result,
multiplied with the splines through the unit vectors (C. de Boor, A Practical Guide to Splines,
chapter 13). That through given slopes, too, in both; those of `PchipInterpolator` and
`Akima1DInterpolator` are functions of the values (`makers`). In the places of the knots there is no
rule.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import Atom, Value, type_of, values
from ...ir.types import UNKNOWN, Array, Other, Type
from ..making import makes
from ..registry import (
    LOWERED,
    call,
    conj,
    in_argument,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of, shape_at
from .callables import Pulled
from .makers import akima_slopes, makima_slopes, pchip_slopes

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
ANY: tuple[Any, ...] = ()
# What makes a curve through values with slopes that are functions of these.
_CURVED: dict[Any, dict[str, tuple[Any, ...]]] = {
    P.PchipInterpolator: {"axis": (0,), "extrapolate": (True, False)},
    P.Akima1DInterpolator: {
        "axis": (0,),
        "method": ("akima", "makima"),
        "extrapolate": (True, False),
    },
}
_PIECEWISE: dict[str, tuple[Any, ...]] = {
    "kind": ("linear", "slinear", "quadratic", "cubic", "zero", 0, 1, 2, 3)
    + ("nearest", "nearest-up", "previous", "next"),
    **{"axis": (0, -1), "copy": (True, False), "bounds_error": (None, True, False)},
    **{"fill_value": ANY, "assume_sorted": (True, False)},
}
_BY_POSITION = {
    P.CubicSpline: ("axis", "bc_type"),
    P.make_interp_spline: ("k",),
    P.PchipInterpolator: ("axis", "extrapolate"),
    P.Akima1DInterpolator: ("axis",),
    P.interp1d: ("kind", "axis", "copy", "bounds_error", "fill_value", "assume_sorted"),
}
_BETWEEN: Any = P.interp1d.__call__
_PIECES: Any = P.PPoly.__call__
_BSPLINE: Any = P.BSpline.__call__


def spline_at(make: Any, options: tuple[Any, ...], x: Any, y: Any, v: Any, nu: int) -> Any:
    """The spline through the values `y` at `x`, or a derivative of it, at the places `v`."""
    return make(x, y, **dict(options))(v, nu)


@rule(spline_at)
def spline(g: Any, at: Any, make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Any:
    rank = rank_of(v)
    slope = call(spline_at, make, options, x, y, v, nu + 1)
    v_bar = _summed(g * conj(slope), rank_of(y) - 1)
    basis = call(spline_at, make, options, x, call(np.eye, np.shape(x)[0]), v, nu)
    places = tuple(range(rank))
    y_bar = np.tensordot(basis, g, axes=(places, places))
    refused = unsupported("a spline in the places of its knots", "keep them constant")
    return None, None, refused, in_precision(y_bar, y), in_precision(v_bar, v), None


def _summed(c: Any, trailing: int) -> Any:
    """The sum over the components of what is interpolated."""
    return np.sum(c, axis=tuple(range(-trailing, 0))) if trailing else c


def interpolated(options: tuple[Any, ...], x: Any, y: Any, v: Any) -> Any:
    """What `interp1d` gives at the places `v`, of values along the first axis of `y`."""
    return P.interp1d(x, y, **dict(options))(v)


# The degree of the polynomials between the knots.
_DEGREES = {
    "linear": 1,
    "slinear": 1,
    "quadratic": 2,
    "cubic": 3,
    "zero": 0,
    0: 0,
    1: 1,
    2: 2,
    3: 3,
}
_DEGREES |= dict.fromkeys(("nearest", "nearest-up", "previous", "next"), 0)


@rule(interpolated)
def _interpolated(g: Any, at: Any, options: Any, x: Any, y: Any, v: Any) -> Any:
    how = dict(options)
    rank = rank_of(v)
    if how.get("axis", -1) != 0 and rank_of(y) != 1:
        raise unsupported("`interp1d` along an axis other than 0")
    beyond = how.get("fill_value") == "extrapolate"
    v_bar, degree = None, _DEGREES[how.get("kind", "linear")]
    if degree:
        order = np.argsort(x)
        v_bar = _in_place(g, x[order], y[order], v, degree, beyond)
    linear = how | {"axis": 0} | ({} if beyond else {"fill_value": 0.0})
    basis = call(interpolated, tuple(linear.items()), x, call(np.eye, np.shape(x)[0]), v)
    places = tuple(range(rank))
    y_bar = np.tensordot(basis, g, axes=(places, places))
    refused = unsupported("`interp1d` in the places of its knots", "keep them constant")
    return None, refused, in_precision(y_bar, y), v_bar


def _in_place(g: Any, x: Any, y: Any, v: Any, degree: int, beyond: bool) -> Any:
    """The cotangent of the places, of a spline that is constant outside its knots or goes on."""
    slope = call(spline_at, P.make_interp_spline, (("k", degree),), x, y, v, 1)
    bar = _summed(g * conj(slope), rank_of(y) - 1)
    outside = np.logical_or(np.less(v, x[0]), np.greater(v, x[-1]))
    return bar if beyond else np.where(outside, 0.0, bar)


def curve_at(make: Any, options: tuple[Any, ...], x: Any, y: Any, v: Any, nu: int) -> Any:
    """As `spline_at`, of a curve with slopes that are functions of the values."""
    return make(x, y, **dict(options))(v, nu)


def hermite_at(x: Any, y: Any, slopes: Any, v: Any, nu: int, extrapolate: Any = None) -> Any:
    """The cubic spline with these values and slopes at its knots."""
    return P.CubicHermiteSpline(x, y, slopes, extrapolate=extrapolate)(v, nu)


@rule(curve_at)
def _curve(g: Any, at: Any, make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Any:
    how, places = dict(options), tuple(range(rank_of(v)))
    v_bar = _summed(g * call(curve_at, make, options, x, y, v, nu + 1), rank_of(y) - 1)
    eye = call(np.eye, np.shape(x)[0])
    none = np.zeros_like(eye)
    further = how.get("extrapolate", make is P.PchipInterpolator)
    of_y = call(hermite_at, x, eye, none, v, nu, extrapolate=further)
    of_slopes = call(hermite_at, x, none, eye, v, nu, extrapolate=further)
    slopes = pchip_slopes if make is P.PchipInterpolator else akima_slopes
    slopes = makima_slopes if how.get("method") == "makima" else slopes
    pulled = Pulled(slopes, y, (x,), like=Array(None, shape_at(y)))
    y_bar = np.tensordot(of_y, g, axes=(places, places))
    y_bar = y_bar + pulled.bars(np.tensordot(of_slopes, g, axes=(places, places)))[1]
    refused = unsupported("a spline in the places of its knots", "keep them constant")
    return None, None, refused, in_precision(y_bar, y), in_precision(v_bar, v), None


@rule(hermite_at)
def _hermite(
    g: Any, at: Any, x: Any, y: Any, slopes: Any, v: Any, nu: Any, extrapolate: Any = None
) -> Any:
    slope = call(hermite_at, x, y, slopes, v, nu + 1, extrapolate=extrapolate)
    refused = in_argument(hermite_at, 0)
    return refused, refused, refused, _summed(g * slope, rank_of(y) - 1), None


def _options(op: Any) -> tuple[Any, ...] | None:
    """The keywords of what made a spline, where there is a rule with them."""
    named = dict(zip(_BY_POSITION[op.fn], op.args[2:], strict=False)) | op.static
    named = {k: v for k, v in named.items() if not k.startswith("$")}
    allowed = _LINEAR.get(op.fn) or _CURVED.get(op.fn) or _PIECEWISE
    for k, v in named.items():
        if k not in allowed or any(True for _ in values(v)) or isinstance(v, list):
            return None
        if allowed[k] is not ANY and v not in allowed[k]:
            return None
    return tuple(named.items())


def _evaluated(fn: Any) -> None:
    def lowered(lowering: Any, args: Any, kwargs: dict[str, Atom], node: Any) -> Atom:
        made = args[0]
        op = made.op if isinstance(made, Value) else None
        if op is None or op.fn not in _BY_POSITION or lowering.heap is not None:
            return lowering._known(fn, args, kwargs, node, None)
        options = _options(op)
        given = dict(zip(("x", "nu"), args[1:], strict=False)) | kwargs
        if options is None or set(given) - {"x", "nu"} or len(op.args) < 2 or len(args) > 3:
            return lowering._known(fn, args, kwargs, node, None)
        x, y = (lowering.call(np.asarray, (a,), {}, node) for a in op.args[:2])
        if op.fn is P.interp1d:
            return lowering.call(interpolated, (options, x, y, given["x"]), {}, node)
        at = spline_at if op.fn in _LINEAR else curve_at
        return lowering.call(at, (op.fn, options, x, y, given["x"], given.get("nu", 0)), {}, node)

    LOWERED[fn] = lowered


_evaluated(_PIECES)
_evaluated(_BSPLINE)
_evaluated(_BETWEEN)

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
        return in_argument(fn, 0), in_precision(_summed(g * conj(slope), axes), x)

    @result(fn)
    def type_after(self: Any, x: Any, *rest: Any, **static: Any) -> Type:
        shape = shape_at(x)
        if isinstance(self, Value) or shape is None:
            return UNKNOWN
        more = tuple(self.c.shape[own:])
        return Array(None, (*shape, *more) if not more or self.axis == 0 else None)


_call_rule(_PIECES, 2)
_call_rule(_BSPLINE, 1)


@rule(_BETWEEN)
def _interp1d(g: Any, y: Any, self: Any, x: Any) -> Any:
    if isinstance(self, Value) or not isinstance(self, P.interp1d):
        raise unsupported("an interpolation of which only the run knows, or of another kind")
    if self.axis and self.y.ndim > 1:
        raise unsupported("`interp1d` along an axis other than 0")
    beyond = isinstance(self.fill_value, str)
    if self._kind == "spline":
        degree = self._spline.k
    else:
        degree = _DEGREES[self._kind]
    refused = in_argument(_BETWEEN, 0)
    return refused, _in_place(g, self.x, self.y, x, degree, beyond) if degree else None


@result(_BETWEEN)
def _interp1d_type(self: Any, x: Any) -> Type:
    shape = shape_at(x)
    if isinstance(self, Value) or shape is None or self.y.ndim > 1:
        return UNKNOWN
    return Array(None, shape)


# ---- making a spline


def _made(fn: Any) -> None:
    makes(fn, "a spline but for its values, and its derivatives, where it is made")
    made = P.BSpline if fn is P.make_interp_spline else fn
    result(fn)(lambda *args, **static: Other(made))


for _fn in _BY_POSITION:
    _made(_fn)


@result(interpolated)
def _interpolated_type(options: Any, x: Any, y: Any, v: Any) -> Type:
    t = shape_at(y)
    if t is None or (len(t) != 1 and dict(options).get("axis", -1) != 0):
        return UNKNOWN
    return _at(None, None, x, y, v, None)


@result(hermite_at)
def _hermite_type(x: Any, y: Any, slopes: Any, v: Any, nu: Any, **static: Any) -> Type:
    return _at(None, None, x, y, v, nu)


@result(spline_at, curve_at)
def _at(make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Type:
    s, t = shape_at(v), shape_at(y)
    kind = dtype_of(type_of(y))
    real = kind is not None and kind.kind != "c"
    if s is None or t is None:
        return UNKNOWN
    return Array(np.dtype(float) if real else None, (*s, *t[1:]))


# ---- a further file of this sub-package, which needs what is above

importlib.import_module(f"{__package__}.interpolants")
