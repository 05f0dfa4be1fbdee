"""Interpolation on grids, through polynomials, by B-splines: in the values and in the places.

All are linear in the values. On a grid each place reads the corners of its cell (P. J. Davis 1975,
Interpolation and Approximation, section 3.6 tells of tensor products); the others are the sums of
those through the unit vectors, as many as there are values.
"""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import numpy as np

from ...ir.core import Atom, Value, type_of, values
from ...ir.types import UNKNOWN, Array, List, Other, Tuple, Type, is_complex
from ..making import makes
from ..registry import (
    LOWERED,
    call,
    conj,
    constant,
    in_argument,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sequences import nested
from ..sizes import decided, dtype_of, members, shape_at

P: Any = importlib.import_module("scipy.interpolate")

KNOTS = "an interpolation in the places of its knots"
HELP = "keep them constant"


def array(x: Any) -> Any:
    return call(np.asarray, x) if isinstance(type_of(x), List | Tuple) else x


def _summed(c: Any, trailing: int) -> Any:
    return np.sum(c, axis=tuple(range(-trailing, 0))) if trailing else c


def _real(c: Any) -> Any:
    return np.real(c) if is_complex(type_of(c)) is not False else c


def _across(basis: Any, g: Any, places: int) -> Any:
    axes = tuple(range(places))
    return np.tensordot(basis, g, axes=(axes, axes))


# ---- one variable


def value_at(make: Any, options: tuple[Any, ...], x: Any, y: Any, v: Any, nu: int) -> Any:
    """What interpolates `y` at `x`, or a derivative of it, at the places `v`."""
    made = make(x, y, **dict(options))
    if make in _FITPACK:
        return made(v, nu) if nu <= dict(options).get("k", 3) else np.zeros(np.shape(v))
    return made.derivative(v, nu) if nu else made(v)


def units_at(make: Any, options: tuple[Any, ...], x: Any, v: Any, nu: int) -> Any:
    """The same of each unit vector."""
    rows = np.eye(len(x))
    if make in _FITPACK:
        return np.stack([value_at(make, options, x, row, v, nu) for row in rows], axis=-1)
    return value_at(make, options, x, rows, v, nu)


@rule(value_at)
def _value_at(g: Any, at: Any, make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Any:
    slope = call(value_at, make, options, x, y, v, nu + 1)
    v_bar = _real(_summed(g * conj(slope), rank_of(y) - 1))
    y_bar = _across(call(units_at, make, options, x, v, nu), g, rank_of(v))
    refused = unsupported(KNOTS, HELP)
    return None, None, refused, in_precision(y_bar, y), in_precision(v_bar, v), None


@rule(units_at)
def _units_at(g: Any, at: Any, make: Any, options: Any, x: Any, v: Any, nu: Any) -> Any:
    v_bar = _real(np.sum(g * call(units_at, make, options, x, v, nu + 1), axis=-1))
    return None, None, unsupported(KNOTS, HELP), v_bar, None


def bspline_at(options: tuple[Any, ...], t: Any, c: Any, k: int, v: Any, nu: int) -> Any:
    """The spline with the knots `t` and the coefficients `c`, or a derivative of it."""
    return P.BSpline(t, c, k, **dict(options))(v, nu)


@rule(bspline_at)
def _bspline_at(g: Any, at: Any, options: Any, t: Any, c: Any, k: Any, v: Any, nu: Any) -> Any:
    slope = call(bspline_at, options, t, c, k, v, nu + 1)
    v_bar = _real(_summed(g * conj(slope), rank_of(c) - 1))
    basis = call(bspline_at, options, t, call(np.eye, np.shape(c)[0]), k, v, nu)
    c_bar = in_precision(_across(basis, g, rank_of(v)), c)
    return None, unsupported(KNOTS, HELP), c_bar, None, in_precision(v_bar, v), None


@rule(P.barycentric_interpolate, order="xi yi x axis der")
@rule(P.krogh_interpolate, order="xi yi x der axis")
def interpolate(
    g: Any, y: Any, xi: Any, yi: Any, x: Any, der: Any = 0, axis: Any = 0
) -> Any:
    nu = decided(der)
    if decided(axis) != 0 or not isinstance(nu, int):
        raise unsupported("an interpolation along an axis other than 0, or of several derivatives")
    x = call(np.asarray, x)
    bars = _value_at(g, y, P.KroghInterpolator, (), xi, yi, x, nu)
    return bars[2:5]


# ---- grids


def cells(points: Any, xi: Any, method: str, beyond: bool) -> tuple[list[Any], Any]:
    """For each axis the corners of the cells, their weights and the slopes of these, two of each
    for every place; and which places are inside.
    """
    found, inside = [], np.ones(len(xi), bool)
    for axis, given in enumerate(points):
        p, v = np.asarray(given, float), xi[:, axis]
        turned = len(p) > 1 and p[0] > p[-1]
        p = p[::-1] if turned else p
        if not beyond:
            inside &= (v >= p[0]) & (v <= p[-1])
        i = np.clip(np.searchsorted(p, v, side="right") - 1, 0, max(len(p) - 2, 0))
        j = np.minimum(i + 1, len(p) - 1)
        gap = np.where(j > i, p[j] - p[i], 1.0)
        t = np.where(j > i, (v - p[i]) / gap, 0.0)
        if method == "nearest":
            t, slope = np.where(t <= 0.5, 0.0, 1.0), np.zeros(len(v))
        else:
            slope = np.where(j > i, 1.0 / gap, 0.0)
        at = (len(p) - 1 - i, len(p) - 1 - j) if turned else (i, j)
        found.append((at, (1.0 - t, t), (-slope, slope)))
    return found, inside


def _corners(points: Any, xi: Any, how: tuple[Any, ...], times: tuple[int, ...]) -> Any:
    """The index of each corner, and its weight."""
    flat = np.reshape(np.asarray(xi, float), (-1, len(points)))
    axes, inside = cells(points, flat, *how)
    for chosen in itertools.product((0, 1), repeat=len(axes)):
        weight = np.where(inside, 1.0, 0.0)
        for (_, own, slopes), k, nu in zip(axes, chosen, times, strict=True):
            weight = weight * (own[k] if nu == 0 else slopes[k] if nu == 1 else 0.0)
        yield tuple(at[k] for (at, _, _), k in zip(axes, chosen, strict=True)), weight


def _wide(weight: Any, like: Any) -> Any:
    return weight.reshape(-1, *(1,) * (like.ndim - 1))


def read_cells(c: Any, points: Any, xi: Any, how: Any, times: Any, like: Any) -> Any:
    """What the places read of the values `c` of a grid, in the shape of `like`."""
    found: Any = 0.0
    for index, weight in _corners(points, xi, how, times):
        found = found + c[index] * _wide(weight, c[index])
    return np.reshape(found, like.shape)


def spread_cells(g: Any, points: Any, xi: Any, how: Any, times: Any, like: Any) -> Any:
    """The adjoint of `read_cells`, in the shape of the values `like`."""
    found = np.zeros(like.shape, np.result_type(g, float))
    rows = np.reshape(g, (-1, *like.shape[len(points) :]))
    for index, weight in _corners(points, xi, how, times):
        np.add.at(found, index, rows * _wide(weight, rows))
    return found


@rule(read_cells)
def _read_cells(
    g: Any, y: Any, c: Any, points: Any, xi: Any, how: Any, times: Any, like: Any
) -> Any:
    of_c = call(spread_cells, g, points, xi, how, times, c)
    return of_c, None, _slopes(g, c, points, xi, how, times), None, None, None


@rule(spread_cells)
def _spread_cells(
    c: Any, y: Any, g: Any, points: Any, xi: Any, how: Any, times: Any, like: Any
) -> Any:
    of_g = call(read_cells, c, points, xi, how, times, g)
    return of_g, None, _slopes(g, c, points, xi, how, times), None, None, None


def _slopes(g: Any, c: Any, points: Any, xi: Any, how: Any, times: Any) -> Any:
    """The cotangent of the places."""
    parts = []
    for axis in range(len(times)):
        more = tuple(k + (i == axis) for i, k in enumerate(times))
        bar = _real(g * conj(call(read_cells, c, points, xi, how, more, g)))
        axes = rank_of(c) - len(times)
        parts.append(np.reshape(_summed(bar, axes), (-1,)))
    return in_precision(np.reshape(np.stack(parts, axis=-1), np.shape(xi)), xi)


def _on_grid(g: Any, points: Any, c: Any, xi: Any, method: Any, beyond: bool) -> Any:
    axes = members(points)
    if axes is None:
        raise unsupported("a grid of which only the run knows how many axes it has")
    if method not in ("linear", "nearest"):
        raise unsupported(f"method={method!r}", 'write method="linear"')
    if isinstance(type_of(xi), Tuple):
        raise unsupported("places in a tuple", "write np.stack(xi, axis=-1)")
    at, own, how, times = array(xi), array(c), (method, beyond), (0,) * len(axes)
    c_bar = in_precision(call(spread_cells, g, points, at, how, times, own), own)
    v_bar = _slopes(g, own, points, at, how, times)
    return unsupported(KNOTS, HELP), nested(c_bar, c), nested(v_bar, xi)


def grid_at(options: tuple[Any, ...], points: Any, c: Any, xi: Any) -> Any:
    """What `RegularGridInterpolator` gives at the places `xi`."""
    return P.RegularGridInterpolator(points, c, **dict(options))(xi)


@rule(grid_at)
def _grid_at(g: Any, y: Any, options: Any, points: Any, values: Any, xi: Any) -> Any:
    named = dict(options)
    beyond = named.get("fill_value", 0.0) is None
    bars = _on_grid(g, points, values, xi, named.get("method", "linear"), beyond)
    return (None, *bars)


@rule(P.interpn)
def interpn(
    g: Any,
    y: Any,
    points: Any,
    values: Any,
    xi: Any,
    method: Any = "linear",
    bounds_error: Any = True,
    fill_value: Any = np.nan,
) -> Any:
    return _on_grid(g, points, values, xi, decided(method), fill_value is None)


constant(cells)

# ---- objects that are made and then called

_FITPACK = (P.UnivariateSpline, P.InterpolatedUnivariateSpline)
_EXT = (0, 1, 2, "extrapolate", "zeros", "raise")
_DEGREES = (1, 2, 3, 4, 5)
_BOUNDS: tuple[Any, ...] = (True, False)
_ALLOWED: dict[Any, dict[str, tuple[Any, ...]]] = {
    P.KroghInterpolator: {"axis": (0,)},
    P.BarycentricInterpolator: {"axis": (0,)},
    P.UnivariateSpline: {"k": _DEGREES, "s": (0,), "ext": _EXT},
    P.InterpolatedUnivariateSpline: {"k": _DEGREES, "ext": _EXT},
    P.BSpline: {"extrapolate": (True, False, "periodic"), "axis": (0,)},
    P.RegularGridInterpolator: {"method": ("linear", "nearest"), "bounds_error": _BOUNDS},
}
_BY_POSITION: dict[Any, tuple[str, ...]] = {
    P.KroghInterpolator: ("axis",),
    P.BarycentricInterpolator: ("axis",),
    P.UnivariateSpline: ("w", "bbox", "k", "s", "ext"),
    P.InterpolatedUnivariateSpline: ("w", "bbox", "k", "ext"),
    P.BSpline: ("extrapolate", "axis"),
    P.RegularGridInterpolator: ("method", "bounds_error", "fill_value"),
}
_NAMES: dict[Any, tuple[str, ...]] = {
    P.KroghInterpolator: ("xi", "yi"),
    P.BarycentricInterpolator: ("xi", "yi"),
    P.UnivariateSpline: ("x", "y"),
    P.InterpolatedUnivariateSpline: ("x", "y"),
    P.BSpline: ("t", "c", "k"),
    P.RegularGridInterpolator: ("points", "values"),
}


def _parts(op: Any) -> tuple[list[Atom], tuple[Any, ...]] | None:
    """What an object was made of, and how; None where there is no rule with these keywords."""
    names = _NAMES[op.fn]
    given = dict(zip((*names, *_BY_POSITION[op.fn]), op.args, strict=False)) | op.static
    given = {k: v for k, v in given.items() if not k.startswith("$")}
    if any(k not in given for k in names):
        return None
    how = {k: v for k, v in given.items() if k not in names}
    for k, v in how.items():
        if any(True for _ in values(v)) or isinstance(v, list):
            return None
        free = k == "fill_value" and op.fn is P.RegularGridInterpolator
        if not free and v not in _ALLOWED[op.fn].get(k, ()):
            return None
    if op.fn is P.UnivariateSpline and how.get("s") != 0:  # it smooths
        return None
    return [given[k] for k in names], tuple(how.items())


def _evaluated(fn: Any, further: tuple[str, ...]) -> None:
    before = LOWERED.get(fn)

    def lowered(lowering: Any, args: Any, kwargs: dict[str, Atom], node: Any) -> Atom:
        op = args[0].op if isinstance(args[0], Value) else None
        given = dict(zip(further, args[1:], strict=False)) | kwargs
        known = op is not None and op.fn in _NAMES and lowering.heap is None
        parts = _parts(op) if known else None
        if parts is None or set(given) - {*further[:2]} or further[0] not in given:
            if before is not None:
                return before(lowering, args, kwargs, node)
            return lowering._known(fn, args, kwargs, node, None)
        assert op is not None
        own, how = parts
        v, nu = given[further[0]], given.get("nu", 0)
        if op.fn is P.RegularGridInterpolator and isinstance(type_of(v), Tuple):
            return lowering._known(fn, args, kwargs, node, None)
        if op.fn is P.RegularGridInterpolator:
            c, v = (lowering.call(np.asarray, (a,), {}, node) for a in (own[1], v))
            return lowering.call(grid_at, (how, own[0], c, v), {}, node)
        arrays = [lowering.call(np.asarray, (a,), {}, node) for a in own[:2]]
        v = lowering.call(np.asarray, (v,), {}, node)
        if op.fn is P.BSpline:
            return lowering.call(bspline_at, (how, *arrays, own[2], v, nu), {}, node)
        return lowering.call(value_at, (op.fn, how, *arrays, v, nu), {}, node)

    LOWERED[fn] = lowered


_evaluated(P.interp1d.__call__, ("x",))
_evaluated(P.BarycentricInterpolator.__call__, ("x",))
_evaluated(P.BSpline.__call__, ("x", "nu"))
_evaluated(P.UnivariateSpline.__call__, ("x", "nu"))
_evaluated(P.RegularGridInterpolator.__call__, ("xi",))


def _made(fn: Any) -> None:
    makes(fn, "an interpolation but for its values where it is made with these options")
    result(fn)(lambda *args, **static: Other(fn))


for _fn in _NAMES:
    _made(_fn)


# ---- objects that were made elsewhere, in the places


@rule(P.BarycentricInterpolator.__call__)
def barycentric(g: Any, y: Any, self: Any, x: Any) -> Any:
    raise unsupported("an interpolation that was made elsewhere", "make it where it is evaluated")


@rule(P.UnivariateSpline.__call__)
def univariate(g: Any, y: Any, self: Any, x: Any, nu: Any = 0, ext: Any = None) -> Any:
    if isinstance(self, Value):
        raise unsupported("a spline that smooths, or of which only the run knows,")
    if self.ext not in (0, 1, 2) or ext not in (None, *_EXT):
        raise unsupported("a spline that is constant outside its knots", "write np.clip")
    return _derivative_at(g, y, self, x, decided(nu), ext)[:2]


def derivative_at(made: Any, x: Any, nu: int, ext: Any) -> Any:
    """A derivative of a spline of FITPACK, of any order."""
    return made(x, nu, ext) if nu <= made._eval_args[2] else np.zeros(np.shape(x))


@rule(derivative_at)
def _derivative_at(g: Any, y: Any, made: Any, x: Any, nu: Any, ext: Any) -> Any:
    bar = in_precision(g * call(derivative_at, made, x, nu + 1, ext), x)
    return in_argument(derivative_at, 0), bar, None, None


def values_of(made: Any) -> Any:
    return made.values


constant(values_of)


@rule(P.RegularGridInterpolator.__call__)
def on_grid(g: Any, y: Any, self: Any, xi: Any, method: Any = None) -> Any:
    if isinstance(self, Value):
        raise unsupported("an interpolation of which only the run knows, or of another method")
    how = self.method if method is None else decided(method)
    c = call(values_of, self)
    bars = _on_grid(g, tuple(self.grid), c, xi, how, self.fill_value is None)
    return in_argument(P.RegularGridInterpolator.__call__, 0), bars[2]


# ---- types


@result(value_at)
def _value_type(make: Any, options: Any, x: Any, y: Any, v: Any, nu: Any) -> Type:
    s, t = shape_at(v), shape_at(y)
    kind = dtype_of(type_of(y))
    if s is None or t is None:
        return UNKNOWN
    double = kind is not None and kind.char in "dil"
    return Array(np.dtype(float) if double else None, (*s, *t[1:]))


@result(units_at)
def _units_type(make: Any, options: Any, x: Any, v: Any, nu: Any) -> Type:
    s, t = shape_at(v), shape_at(x)
    return UNKNOWN if s is None or t is None else Array(np.dtype(float), (*s, t[0]))


@result(bspline_at)
def _bspline_type(options: Any, t: Any, c: Any, k: Any, v: Any, nu: Any) -> Type:
    return _value_type(None, options, t, c, v, nu)


@result(P.barycentric_interpolate, P.krogh_interpolate)
def _interpolated(xi: Any, yi: Any, x: Any, *rest: Any, **how: Any) -> Type:
    return UNKNOWN if rest or "axis" in how else _value_type(None, None, xi, yi, x, 0)


@result(read_cells)
def _read_type(c: Any, points: Any, xi: Any, how: Any, times: Any, like: Any) -> Type:
    kind = dtype_of(type_of(c))
    return Array(kind if kind is not None and kind.char in "dD" else None, shape_at(like))


@result(spread_cells)
def _spread_type(g: Any, points: Any, xi: Any, how: Any, times: Any, like: Any) -> Type:
    return _read_type(g, points, xi, how, times, like)


def _on_grid_type(points: Any, c: Any, xi: Any) -> Type:
    t = type_of(points)
    axes = len(points) if isinstance(points, tuple | list) else None
    axes = len(t.items) if isinstance(t, Tuple) and axes is None else axes
    s, own, kind = shape_at(xi), shape_at(c), dtype_of(type_of(c))
    if axes is None or s is None or own is None or isinstance(type_of(xi), Tuple):
        return UNKNOWN
    first = s[:-1] if len(s) > 1 else s if axes == 1 else (1,)
    double = kind is not None and kind.char in "dD"
    return Array(kind if double else None, (*first, *own[axes:]))


@result(grid_at)
def _grid_type(options: Any, points: Any, c: Any, xi: Any) -> Type:
    return _on_grid_type(points, c, xi)


@result(P.interpn)
def _interpn_type(points: Any, c: Any, xi: Any, *rest: Any, **how: Any) -> Type:
    return _on_grid_type(points, c, xi)


@result(derivative_at)
def _derivative_type(made: Any, x: Any, nu: Any, ext: Any) -> Type:
    return Array(np.dtype(float), shape_at(x))


@result(P.UnivariateSpline.__call__)
def _univariate_type(self: Any, x: Any, *rest: Any, **how: Any) -> Type:
    return Array(None, shape_at(x))


@result(values_of)
def _values_type(made: Any) -> Type:
    return UNKNOWN if isinstance(made, Value) else Array(made.values.dtype, made.values.shape)


@result(P.RegularGridInterpolator.__call__)
def _on_grid_call_type(self: Any, xi: Any, *rest: Any, **how: Any) -> Type:
    if isinstance(self, Value):
        return UNKNOWN
    return _on_grid_type(tuple(self.grid), self.values, xi)


