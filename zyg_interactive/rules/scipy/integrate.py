"""Integrals: of samples, which are sums with weights, and of functions.

The integral of a function has for its derivative in a bound the function there, and in a parameter
the integral of the derivative of the function (G. W. Leibniz's rule), which is computed by
quadrature too, to about ten digits, and so is the derivative of that.
"""

from __future__ import annotations

import importlib
import itertools
import warnings
from typing import Any

import numpy as np

from ... import runtime
from ...diagnostics import Refused
from ...ir.core import CALL_VALUE, Value, emit, type_of
from ...ir.types import FLOAT, UNKNOWN, Array, Const, Tuple, Type, fresh
from ..indexing import zero_type
from ..registry import (
    call,
    conj,
    constant,
    in_argument,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
    without_rule,
)
from ..sizes import decided, dtype_of, normal, reduced, shape_at, with_size
from . import ode as ode  # its rules
from .callables import (
    Pulled,
    arguments,
    checked,
    differentiable,
    filled,
    flat,
    not_there,
    nothing,
    of_arguments,
    twice,
    unflattened,
)
from .keywords import rule_apart_from
from .makers import parabolas
from .special import sp
from .verified import agree, agree_along, is_as_written

I: Any = importlib.import_module("scipy.integrate")  # noqa: E741

# ---- samples


def _pieces(c: Any, y: Any, x: Any, dx: Any, axis: int) -> tuple[Any, Any]:
    """The cotangents of samples and of their places, from those of the areas of the trapezoids,
    which lie along the last axis.
    """
    rank = rank_of(y)
    if x is not None and rank_of(x) not in (1, rank):
        raise unsupported("samples at places of another rank")
    wide = x is not None and rank_of(x) == rank
    samples = np.moveaxis(y, axis, -1)
    c = c * np.ones_like(samples[..., 1:])
    places = np.moveaxis(x, axis, -1) if wide else x
    weighted = c * (dx if x is None else np.diff(places))
    none = ((0, 0),) * (rank - 1)
    bar = 0.5 * (np.pad(weighted, (*none, (0, 1))) + np.pad(weighted, (*none, (1, 0))))
    y_bar = np.moveaxis(bar, -1, axis)
    if x is None:
        return y_bar, None
    steps = 0.5 * c * conj(samples[..., 1:] + samples[..., :-1])
    if not wide:
        leading = tuple(range(rank - 1))
        steps = np.sum(steps, axis=leading) if leading else steps
        return y_bar, -np.diff(np.pad(steps, 1))
    return y_bar, np.moveaxis(-np.diff(np.pad(steps, (*none, (1, 1)))), -1, axis)


def _of_step(g: Any, y: Any, dx: Any) -> Any:
    """The integral is proportional to the step."""
    return np.sum(g * conj(y)) / dx if isinstance(dx, Value | float) else None


def _step(dx: Any) -> Any:
    if dx is not None and rank_of(dx) != 0:
        raise unsupported("samples with several steps")
    return 1.0 if dx is None else dx


@rule(I.trapezoid, order="y x? dx? axis")
def trapezoid(g: Any, total: Any, y: Any, x: Any, dx: Any, axis: Any = -1) -> Any:
    at = normal(decided(axis), rank_of(y))
    y_bar, x_bar = _pieces(np.expand_dims(g, -1), y, x, _step(dx), at)
    return in_precision(y_bar, y), x_bar, _of_step(g, total, dx)


@rule(I.cumulative_trapezoid, order="y x? dx? axis")
def cumulative_trapezoid(
    g: Any, total: Any, y: Any, x: Any, dx: Any, axis: Any = -1, initial: Any = None
) -> Any:
    at = normal(decided(axis), rank_of(y))
    c = np.moveaxis(g, at, -1)
    c = c if initial is None else c[..., 1:]
    later = np.flip(np.cumsum(np.flip(c, -1), axis=-1), -1)
    y_bar, x_bar = _pieces(later, y, x, _step(dx), at)
    return in_precision(y_bar, y), x_bar, _of_step(g, total, dx)


@rule(I.simpson, order="y x?")
def simpson(g: Any, total: Any, y: Any, x: Any, dx: Any = 1.0, axis: Any = -1) -> Any:
    at = normal(decided(axis), rank_of(y))
    if x is not None and rank_of(x) != 1:
        raise unsupported("`simpson` at places of several axes")
    weights = call(runtime.simpson_weights, y, x, dx, at)
    c = np.expand_dims(g, at) * weights
    return in_precision(c, y), in_argument(I.simpson, 1)


constant(runtime.simpson_weights)


@rule_apart_from("", I.cumulative_simpson, order="y x? dx? axis initial?")
def cumulative_simpson(
    g: Any, total: Any, y: Any, x: Any, dx: Any, initial: Any, axis: Any = -1
) -> Any:
    """The integrals over the single intervals are those of parabolas (`makers`)."""
    rank = rank_of(y)
    at = normal(decided(axis), rank)
    if x is not None and rank_of(x) not in (1, rank):
        raise unsupported("samples at places of another rank")
    if initial is not None and rank_of(initial) != 0:
        raise unsupported("`cumulative_simpson` with several initial values", "add them afterwards")
    c = np.moveaxis(g, at, -1)
    c = c if initial is None else c[..., 1:]
    later = np.flip(np.cumsum(np.flip(c, -1), axis=-1), -1)
    samples, wide = np.moveaxis(y, at, -1), x is not None and rank_of(x) == rank
    places = np.moveaxis(x, at, -1) if wide else x
    step = _step(dx) * np.ones_like(np.real(samples[..., 1:]))
    steps = step if x is None else np.diff(places) * np.ones_like(step)
    like = Array(None, shape_at(steps))
    bars = Pulled(parabolas, samples, (steps,), like=like).bars(later)
    x_bar = dx_bar = None
    if x is None:
        dx_bar = np.sum(bars[2]) if isinstance(dx, Value | float) else None
    else:
        moved = np.pad(bars[2], (*((0, 0),) * (rank - 1), (1, 1)))
        x_bar = -np.diff(moved)
        x_bar = np.moveaxis(x_bar, -1, at) if wide else _over_rows(x_bar, rank)
    initial_bar = None if initial is None else np.sum(g)
    y_bar = in_precision(np.moveaxis(bars[1], -1, at), y)
    return y_bar, in_precision(x_bar, x), dx_bar, initial_bar


def _over_rows(c: Any, rank: int) -> Any:
    """The sum over all axes but the last."""
    return np.sum(c, axis=tuple(range(rank - 1))) if rank > 1 else c


@rule_apart_from("", I.romb, order="y dx? axis show")
def romb(g: Any, total: Any, y: Any, dx: Any, axis: Any = -1, show: Any = False) -> Any:
    at = normal(decided(axis), rank_of(y))
    weights = call(romberg_weights, y, at)
    c = np.expand_dims(g, at) * _step(dx) * weights
    return in_precision(c, y), _of_step(g, total, dx)


def romberg_weights(y: Any, axis: int) -> Any:
    """Of samples in Romberg's rule: Richardson's extrapolation of those of the trapezoids (NIST
    Digital Library of Mathematical Functions, 3.5.10).
    """
    n = y.shape[axis]
    rows = []
    for k in reversed(range((n - 1).bit_length())):
        row = np.zeros(n)
        row[:: 2**k] = 2.0**k
        row[[0, -1]] *= 0.5
        rows.append(row)
    for j in range(1, len(rows)):
        rows = [b + (b - a) / (4.0**j - 1.0) for a, b in itertools.pairwise(rows)]
    kind = y.real.dtype if y.dtype.kind in "fc" else np.dtype(float)
    return runtime.along_axis(rows[0].astype(kind), y.ndim, axis)


constant(romberg_weights)

# ---- functions


def _area(f: Any, a: float, b: float, points: Any) -> Any:
    """The integral of a vector."""
    total, _, info = I.quad_vec(
        f, a, b, epsabs=1e-12, epsrel=1e-10, points=points, full_output=True
    )
    if not info.success:
        warnings.warn(f"the gradient of an integral: {info.message}", stacklevel=2)
    return total


def _within(a: float, b: float) -> float:
    """A place between the bounds."""
    return 0.5 * (a + b) if np.isfinite(a) and np.isfinite(b) else a if np.isfinite(a) else 0.0


def _valued(f: Any, a: float, b: float, points: Any, args: Any) -> tuple[Any, float]:
    """The integral, of what is like `(f, None, *args)`, and its size."""

    def value(every: list[Any]) -> float:
        of, _, *given = every
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = I.quad(of, a, b, tuple(given), points=points, limit=200, epsabs=0, epsrel=1e-9)
        if not found[1] <= 1e-8 * abs(found[0]):
            raise not_there("an integral was not found closely enough")
        return float(found[0])

    try:
        return value, abs(value([f, None, *args]))
    except Refused:  # there is nothing to hold a gradient against
        return value, 0.0


def _by_place(wrt: tuple[int, ...], bars: Any, args: Any) -> list[Any]:
    known = dict(zip(wrt, bars, strict=True))
    return [known.get(i) for i in range(2 + len(args))]


def integrated(
    wrt: tuple[int, ...], f: Any, a: float, b: float, g: float, points: Any, *args: Any
) -> tuple[Any, ...]:
    """The cotangents of a function and of what else it is given, from that of its integral."""

    zeros = nothing(wrt, f, None, *args)

    def bars(t: float) -> Any:
        _, back = runtime.dynamic_forward(wrt, (), f, t, *args)
        found = runtime.dynamic_reverse(back, 1.0)
        return flat(filled(zeros, found if len(wrt) > 1 else (found,)))

    found = unflattened(zeros, g * _area(bars, a, b, points))
    if g and _is_as_written(wrt, f, _within(a, b), args):
        value, size = _valued(f, a, b, points, args)
        known = _by_place(wrt, found, args)
        agree(lambda every: g * value(every), [f, None, *args], known, abs(g) * size, "quad")
    return tuple(found)


def _is_as_written(wrt: tuple[int, ...], f: Any, t: float, args: Any) -> bool:
    return is_as_written(runtime.dynamic_forward(wrt, (), f, t, *args)[1])


def integrated_again(
    wrt: tuple[int, ...],
    f: Any,
    a: float,
    b: float,
    g: float,
    points: Any,
    c: tuple[Any, ...],
    *args: Any,
) -> tuple[Any, ...]:
    """The cotangents of the bounds, of `g` and of what a function is given, from `c`, those of the
    cotangents that `integrated` returns.
    """

    zeros = nothing(wrt, f, None, *args)

    def bars(t: float) -> Any:
        _, others, along_c = twice(wrt, f, (t, *args), 1.0, c)
        return flat(runtime.add(0.0, along_c), filled(zeros, others))

    def along(t: float) -> float:
        return float(bars(t)[0]) if np.isfinite(t) else 0.0

    g_bar, *others = _area(bars, a, b, points)
    if _is_as_written(wrt, f, _within(a, b), args):
        value, size = _valued(f, a, b, points, args)
        agree_along(value, [f, None, *args], _by_place(wrt, c, args), [g_bar], size, "quad")
    of_f = unflattened(zeros, g * np.array(others))
    return -g * along(a), g * along(b), float(g_bar), *of_f


@rule(integrated)
def _integrated(
    c: Any, bars: Any, wrt: Any, f: Any, a: Any, b: Any, g: Any, points: Any, *args: Any
) -> Any:
    every = (f, None, *args)
    direction = tuple(c[k] for k in range(len(wrt)))
    again = emit(integrated_again, (wrt, f, a, b, g, points, direction, *args))
    of_args = tuple(zero_type(type_of(every[i])) for i in wrt)
    again.type = Tuple((FLOAT, FLOAT, FLOAT, *of_args))
    own = {i: again[k + 3] for k, i in enumerate(wrt)}
    further = (own.get(i + 2) for i in range(len(args)))
    return None, own.get(0), again[0], again[1], again[2], None, *further


@rule(I.quad, order="func a b args? full_output epsabs epsrel limit points weight")
def quad(
    g: Any,
    y: Any,
    func: Any,
    a: Any,
    b: Any,
    args: Any,
    full_output: Any = 0,
    epsabs: Any = None,
    epsrel: Any = None,
    limit: Any = 50,
    points: Any = None,
) -> Any:
    if full_output:
        raise unsupported("`quad` with full_output=True", "leave it out")
    if g[1] is not None:
        raise unsupported("`quad` in its error")
    if g[0] is None:
        return None, None, None, None
    checked(func, "quad")
    c, more = g[0], arguments(args)
    every = (func, None, *more)
    wrt = tuple(i for i, v in enumerate(every) if differentiable(v))
    found: dict[int, Any] = {}
    if wrt:
        bars = emit(integrated, (wrt, func, a, b, c, points, *more))
        bars.type = Tuple(tuple(zero_type(type_of(every[i])) for i in wrt))
        found = {i: bars[k] for k, i in enumerate(wrt)}
    a_bar = -c * emit(CALL_VALUE, (func, a, *more)) if isinstance(a, Value) else None
    b_bar = c * emit(CALL_VALUE, (func, b, *more)) if isinstance(b, Value) else None
    return found.get(0), a_bar, b_bar, of_arguments(args, found)


@rule(I.fixed_quad, order="func a b args? n")
def fixed_quad(g: Any, y: Any, func: Any, a: Any, b: Any, args: Any, n: Any = 5) -> Any:
    """A sum of values at fixed places between the bounds, with fixed weights."""
    if g[0] is None:
        return None, None, None, None
    checked(func, "fixed_quad")
    if rank_of(a) != 0 or rank_of(b) != 0:
        raise unsupported("`fixed_quad` between several bounds")
    nodes, weights = (np.real(v) for v in sp.roots_legendre(decided(n)))
    share = 0.5 * (nodes + 1.0)
    pulled = Pulled(func, (b - a) * share + a, arguments(args))
    c = np.expand_dims(g[0], -1) * (0.5 * weights)
    bars = pulled.bars(call(runtime.unbroadcast, (b - a) * c, pulled.value))
    of_places = bars[1]
    of_width = np.sum(c * conj(pulled.value))
    a_bar = np.sum((1.0 - share) * of_places) - of_width if isinstance(a, Value) else None
    b_bar = np.sum(share * of_places) + of_width if isinstance(b, Value) else None
    return bars.get(0), a_bar, b_bar, of_arguments(args, bars)


without_rule("write `quad` in a function for `quad`", I.dblquad, I.tplquad, I.nquad)

# ---- types


def _inexact(x: Any) -> Any:
    kind = dtype_of(type_of(x))
    return kind if kind is not None and kind.kind in "fc" else None


@result(I.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Type:
    kind = None if x is not None or isinstance(dx, Value) else _inexact(y)
    return Array(kind, reduced(shape_at(y), axis, False))


@result(I.simpson)
def _simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: Any = -1) -> Type:
    return Array(None, reduced(shape_at(y), axis, False))


@result(I.cumulative_trapezoid)
def _cumulative(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None) -> Type:
    shape = shape_at(y)
    return Array(None, shape if initial is not None else with_size(shape, axis, fresh()))


@result(I.romb)
def _romb(y: Any, dx: Any = 1.0, axis: Any = -1, show: Any = False) -> Type:
    return Array(None, reduced(shape_at(y), axis, False))


@result(I.cumulative_simpson)
def _cumulative_simpson(
    y: Any, *, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None
) -> Type:
    return _cumulative(y, x, dx, axis, initial)


@result(I.fixed_quad)
def _fixed_quad(*args: Any, **static: Any) -> Type:
    return Tuple((Array(None, None), Const(None)))


@result(I.quad)
def _quad(*args: Any, **static: Any) -> Type:
    plain = not static.get("full_output") and not static.get("complex_func")
    return Tuple((FLOAT, FLOAT)) if plain and len(args) < 5 else UNKNOWN


@result(romberg_weights)
def _romberg(y: Any, axis: Any) -> Type:
    return _weights(y, None, None, axis)


@result(runtime.simpson_weights)
def _weights(y: Any, x: Any, dx: Any, axis: Any) -> Type:
    shape, kind = shape_at(y), _inexact(y)
    if shape is None or kind is None:
        return UNKNOWN
    real = kind.type(0).real.dtype
    return Array(real, tuple(s if i == axis else 1 for i, s in enumerate(shape)))
