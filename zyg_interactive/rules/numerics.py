"""Interpolation, convolution, differences and ranks of samples: linear in the data, with weights
that depend on the places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Tuple, Type, fresh, shape_of
from .reductions import beside, cut
from .registry import call, conj, constant, rank_of, result, rule, unsupported
from .sequences import as_dtype, in_kind
from .sizes import decided, dtype_of, normal, static

constant(
    runtime.knot_places,
    runtime.inside_knots,
    runtime.beyond_knots,
    runtime.leaders,
)


@rule(np.interp, order="x xp fp left? right? period")
def interp(
    g: Any, y: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any, period: Any = None
) -> Any:
    """Between two knots `fp[i] + t (fp[i + 1] - fp[i])`, outside constant."""
    x, xp, fp = (np.asarray(a) if isinstance(a, list | tuple) else a for a in (x, xp, fp))
    if period is None:
        return _interp(g, x, xp, fp, left, right)
    # As NumPy does: all places in one period, in order, and one more at each end.
    place = np.remainder(xp, period)
    order = np.argsort(place)
    n = np.shape(xp)[0]
    ends = call(np.pad, order, 1, mode="wrap")
    shift = call(np.pad, call(np.zeros, n), 1, constant_values=(-1.0, 1.0)) * period
    c, places, values, *_ = _interp(
        g, np.remainder(x, period), place[ends] + shift, fp[ends], None, None
    )

    def gathered(bar: Any, of: Any) -> Any:
        return call(runtime.add_at, call(runtime.zeros_like, of), ends, bar)

    return c, gathered(places, xp), gathered(values, fp), None, None


def _interp(g: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    p = call(runtime.knot_places, x, xp)
    inside = call(runtime.inside_knots, x, xp)
    beyond = call(runtime.beyond_knots, x, xp)
    low, high = xp[p], xp[p + 1]
    gap = np.where(np.equal(high, low), 1.0, high - low)
    t = np.where(inside, (x - low) / gap, beyond)
    c = np.where(inside, g * conj(fp[p + 1] - fp[p]) / gap, 0.0)
    before, after = np.less(x, xp[0]), np.greater(x, xp[-1])
    kept = g if left is None else np.where(before, 0.0, g)
    kept = kept if right is None else np.where(after, 0.0, kept)

    def spread(of: Any, weights: Any, sign: float) -> Any:
        start = call(runtime.add_at, call(runtime.zeros_like, of), p, sign * weights * (1 - t))
        return call(runtime.add_at, start, p + 1, sign * weights * t)

    low_bar = None if left is None else np.sum(np.where(before, g, 0.0))
    high_bar = None if right is None else np.sum(np.where(after, g, 0.0))
    places, values = spread(xp, np.real(c), -1.0), spread(fp, kept, 1.0)
    return in_kind(np.real(c), x), places, values, low_bar, high_bar


# ---- convolution


@rule(np.convolve, order="a v mode")
def convolve(g: Any, y: Any, a: Any, v: Any, mode: Any = "full") -> Any:
    if rank_of(a) == 0 or rank_of(v) == 0:
        raise unsupported("`np.convolve` of a number", "multiply by it")
    whole = g if mode == "full" else call(runtime.embedded, g, a, v, mode)
    return np.correlate(whole, v, mode="valid"), np.correlate(whole, a, mode="valid")


@rule(np.correlate, order="a v mode")
def correlate(g: Any, y: Any, a: Any, v: Any, mode: Any = "valid") -> Any:
    # Of an even number of places the middle lies on the other side than that of `np.convolve`.
    mode = "mirrored" if mode == "same" else mode
    a_bar, c = convolve(g, y, a, conj(np.flip(v)), mode)
    return a_bar, conj(np.flip(c))


@rule(runtime.embedded)
def embedded(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.middle, g, a, v, mode), None, None, None


@rule(runtime.middle)
def middle(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.embedded, g, a, v, mode), None, None, None


# ---- differences


@rule(np.diff, order="a n axis prepend? append?")
def diff(g: Any, y: Any, a: Any, prepend: Any, append: Any, n: Any = 1, axis: Any = -1) -> Any:
    # The transpose of a difference is the difference of the padded cotangent, its sign turned.
    rank, n, size = rank_of(a), int(n), np.shape(a)[axis]
    alone = prepend is None and append is None
    after = call(min, n, size) if alone else n  # an array shorter than `n` has no differences
    c = np.diff(np.pad(g, beside(axis, rank, n, after)), n=n, axis=axis)
    c = -c if n % 2 else c
    low = 0 if prepend is None else _along(prepend, axis)
    high = low + size
    own = c if alone else cut(c, axis, (low, high))
    first, last = _end(c, prepend, axis, (None, low)), _end(c, append, axis, (high, None))
    return as_dtype(own, a), first, last


def _along(x: Any, axis: Any) -> Any:
    return np.shape(x)[axis] if rank_of(x) else 1


def _end(c: Any, x: Any, axis: Any, ends: Any) -> Any:
    """The cotangent of what was put at an end, which may be a number for all of it."""
    if x is None:
        return None
    part = cut(c, axis, ends)
    return as_dtype(part if rank_of(x) else np.sum(part), x)


@rule(np.trapezoid, *(getattr(np, n) for n in ("trapz",) if hasattr(np, n)), order="y x? dx? axis")
def trapezoid(g: Any, out: Any, y: Any, x: Any, dx: Any, axis: Any = -1) -> Any:
    g = np.expand_dims(g, axis)
    low, high = (cut(y, axis, ends) for ends in ((None, -1), (1, None)))
    if x is None:
        step = 1.0 if dx is None else dx
        half = g * (0.5 * step)
        dx_bar = np.sum(g * (0.5 * conj(low + high)))
        return _ends(half, y, axis), None, dx_bar
    rank = rank_of(y)
    if rank_of(x) != 1 and rank_of(x) != rank:
        raise ValueError("np.trapezoid with `x` of another rank than `y`")
    step = np.diff(x, axis=axis if rank_of(x) == rank else -1)
    if rank_of(x) == 1 and rank > 1:
        step = np.reshape(step, tuple(-1 if i == normal(axis, rank) else 1 for i in range(rank)))
    half = g * 0.5 * step
    y_bar = _both(half, y, axis)
    slope = g * (0.5 * conj(low + high))
    if rank_of(x) == 1 and rank > 1:
        slope = np.sum(slope, axis=tuple(i for i in range(rank) if i != normal(axis, rank)))
    return y_bar, diff(slope, None, x, None, None, axis=axis if rank_of(x) == rank else -1)[0], None


def _ends(half: Any, y: Any, axis: int) -> Any:
    """The trapezoidal weights: each step gives half of itself to both of its ends."""
    inner = np.broadcast_to(half, np.shape(cut(y, axis, (1, None))))
    return _both(inner, y, axis)


def _both(step: Any, y: Any, axis: int) -> Any:
    """Each step's part for the point before it and for the one after; no points have no steps."""
    rank, one = rank_of(y), call(min, 1, np.shape(y)[axis])
    return np.pad(step, beside(axis, rank, 0, one)) + np.pad(step, beside(axis, rank, one, 0))


@rule(np.ediff1d, order="ary to_end? to_begin?")
def ediff1d(g: Any, y: Any, ary: Any, to_end: Any, to_begin: Any) -> Any:
    low = 0 if to_begin is None else _size(to_begin)
    inner = np.shape(ary)[0] if rank_of(ary) == 1 else np.size(ary)
    high = low + call(max, inner - 1, 0)
    own = g if to_end is None and to_begin is None else g[low:high]
    c = -np.diff(np.pad(own, 1))[:inner]
    first = None if to_begin is None else np.reshape(g[:low], np.shape(to_begin))
    last = None if to_end is None else np.reshape(g[high:], np.shape(to_end))
    return (c if rank_of(ary) == 1 else np.reshape(c, np.shape(ary))), last, first


def _size(x: Any) -> Any:
    return np.size(x) if rank_of(x) else 1


@rule(np.gradient)
def gradient(g: Any, y: Any, f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    rank, edge_order = rank_of(f), decided(edge_order)
    given = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [normal(i, rank) for i in given]
    several = len(axes) > 1
    spacings = varargs if len(varargs) == len(axes) else (*varargs,) * len(axes)
    whole: Any = None
    bars: list[Any] = []
    for i, at in enumerate(axes):
        c, of = (g[i], y[i]) if several else (g, y)
        h = spacings[i] if spacings else None
        if c is None:
            bars.append(None)
            continue
        part, bar = _slopes_back(c, of, f, h, at, edge_order)
        part = as_dtype(part, f)
        whole = part if whole is None else whole + part
        bars.append(bar)
    if not varargs:
        return (whole,)
    if len(varargs) == len(axes):
        return whole, *bars
    known = [b for b in bars if b is not None]
    return whole, sum(known[1:], known[0]) if known else None


def _slopes_back(c: Any, y: Any, f: Any, h: Any, axis: int, edge_order: Any) -> Any:
    """The cotangents of `f` and of its spacing along an axis.

    Between places at distances p and q, where f has slopes s and t: (q s + p t) / (p + q); at an
    end the slope there, or the parabola's, s + p (s - t) / (p + q) (B. Fornberg 1988, "Generation
    of finite difference formulas on arbitrarily spaced grids").
    """
    last, rank = -1, rank_of(f)
    moved = axis != rank - 1
    c, y, f = (np.moveaxis(v, axis, last) if moved else v for v in (c, y, f))
    regular = h is None or rank_of(h) == 0
    d: Any = (1.0 if h is None else h) if regular else np.diff(h)
    s = np.diff(f) / d
    p, q = (d, d) if regular else (d[:-1], d[1:])
    inner, first, end = c[..., 1:-1], c[..., :1], c[..., -1:]
    share = p / (p + q)
    s_bar = _put(inner * (1.0 - share), 0, 1) + _put(inner * share, 1, 0)
    n = np.shape(f)[-1] - (2 if edge_order == 1 else 3)
    if edge_order == 1:
        s_bar = s_bar + _put(first, 0, n) + _put(end, n, 0)
    else:
        a, z = (share, 1.0 - share) if regular else (share[:1], 1.0 - share[-1:])
        s_bar = s_bar + _put(np.concatenate([first * (1.0 + a), -first * a], axis=-1), 0, n)
        s_bar = s_bar + _put(np.concatenate([-end * z, end * (1.0 + z)], axis=-1), n, 0)
    f_bar = -np.diff(_put(s_bar / d, 1, 1))
    f_bar = np.moveaxis(f_bar, last, axis) if moved else f_bar
    if h is None:
        return f_bar, None
    if regular:
        return f_bar, -np.sum(conj(y) * c) / h
    around = _over_rest(inner * conj(s[..., 1:] - y[..., 1:-1]), rank) / (p + q)
    ahead = _over_rest(inner * conj(s[..., :-1] - y[..., 1:-1]), rank) / (p + q)
    d_bar = _put(around, 0, 1) + _put(ahead, 1, 0) - _over_rest(s_bar * conj(s), rank) / d
    if edge_order != 1:
        # d/dp of s + p (s - t) / (p + q) at the first end, and its mirror image at the last.
        p0, q0, p1, q1 = p[:1], q[:1], p[-1:], q[-1:]
        u = _over_rest(first * conj(s[..., :1] - s[..., 1:2]), rank) / (p0 + q0) ** 2
        v = _over_rest(end * conj(s[..., -1:] - s[..., -2:-1]), rank) / (p1 + q1) ** 2
        d_bar = d_bar + _put(np.concatenate([u * q0, -u * p0]), 0, n)
        d_bar = d_bar + _put(np.concatenate([-v * q1, v * p1]), n, 0)
    return f_bar, -np.diff(_put(np.real(d_bar), 1, 1))


def _put(c: Any, before: Any, after: Any) -> Any:
    """`c` among zeros along the last axis."""
    return np.pad(c, ((0, 0),) * (rank_of(c) - 1) + ((before, after),))


def _over_rest(c: Any, rank: int) -> Any:
    """The sum over all axes but the last."""
    return np.sum(c, axis=tuple(range(rank - 1))) if rank > 1 else c


for _fn in (np.maximum, np.minimum, np.fmax, np.fmin):

    @rule(_fn.accumulate, order="array axis dtype out")
    def accumulate(g: Any, y: Any, array: Any, axis: Any = 0) -> Any:
        where = call(runtime.leaders, array, y, axis)
        return call(runtime.add_along_axis, g, array, where, axis)


# ---- types


@result(np.interp)
def _at_places(x: Any, xp: Any, fp: Any, **rest: Any) -> Type:
    shape, kind = shape_of(type_of(x)), dtype_of(type_of(fp))
    if shape is None or kind is None:
        return UNKNOWN
    return Array(np.dtype(complex if kind.kind == "c" else float), shape)


@result(np.gradient)
def _as_data(f: Any, *spacing: Any, axis: Any = None, edge_order: Any = 1) -> Type:
    t, shape = type_of(f), shape_of(type_of(f))
    if not isinstance(t, Array) or shape is None or t.dtype is None:
        return UNKNOWN
    at = static(axis)
    count = len(shape) if at is None else len(at) if isinstance(at, tuple) else 1
    one = Array(t.dtype if t.dtype.kind in "fc" else np.dtype(float), shape)
    return one if count == 1 else Tuple((one,) * count)


@result(*(fn.accumulate for fn in (np.maximum, np.minimum, np.fmax, np.fmin)))
def _same(a: Any, axis: Any = 0, **more: Any) -> Type:
    t = type_of(a)
    return Array(t.dtype, t.shape) if isinstance(t, Array) and not more else UNKNOWN


@result(np.ediff1d)
def _differences(ary: Any, **more: Any) -> Type:
    t = type_of(ary)
    return Array(t.dtype, (fresh(),)) if isinstance(t, Array) and not more else UNKNOWN


@result(np.convolve, np.correlate, runtime.middle, runtime.embedded)
def _one_axis(a: Any, v: Any, *rest: Any, **more: Any) -> Type:
    s, t = type_of(a), type_of(v)
    if isinstance(s, Array) and isinstance(t, Array) and s.dtype is not None:
        if s.dtype == t.dtype:
            return Array(s.dtype, (fresh(),))
    return UNKNOWN
