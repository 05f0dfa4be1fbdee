"""Images between their points: what `map_coordinates` reads, and the adjoint of it.

An image is a tensor product of splines through its points (P. Thevenaz, T. Blu and M. Unser 2000,
"Interpolation revisited"): a filter along each axis makes their coefficients, and each place reads
those of the `order + 1` points around it on each axis, with the values of the B-spline as weights.
The adjoint adds to these points with the same weights, and filters.
"""

from __future__ import annotations

import importlib
import itertools
from functools import lru_cache
from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, fresh, is_complex
from ..registry import call, conj, in_precision, rank_of, result, rule
from ..sizes import dtype_of, shape_at

N: Any = importlib.import_module("scipy.ndimage")
P: Any = importlib.import_module("scipy.interpolate")

# How far SciPy goes on behind the edges before it filters, in two of the modes.
BEHIND = 12
# From how many points on what the filter reads is less than the precision.
REACH = 100
_FRAMED: dict[str, Any] = {"nearest": "edge", "grid-constant": "constant"}
# The period with which the points go on, beside their number.
_TURNS = {"mirror": -2, "constant": -2, "wrap": -2, "reflect": 0, "grid-mirror": 0}
MODES = {*_TURNS, "nearest", "grid-constant", "grid-wrap"}


def frame(order: int, mode: str, prefilter: bool) -> int:
    """How many points SciPy puts behind each edge before it filters."""
    return BEHIND if prefilter and order > 1 and mode in _FRAMED else 0


# ---- the coefficients


def coefficients(x: Any, order: int, mode: str, prefilter: bool) -> Any:
    """Those of the splines through `x`, with what is put behind its edges."""
    if not prefilter or order < 2:
        return np.array(x, np.result_type(x, float))
    width = frame(order, mode, prefilter)
    wide = np.pad(x, width, _FRAMED[mode]) if width else x
    return N.spline_filter(wide, order, np.result_type(x, float), mode)


def to_points(c: Any, x: Any, order: int, mode: str, prefilter: bool) -> Any:
    """The adjoint of `coefficients`."""
    if not prefilter or order < 2:
        return c.copy()
    for axis in range(c.ndim):
        c = filtered_back(c, order, axis, mode)
    width = frame(order, mode, prefilter)
    for axis, n in enumerate(x.shape):
        if not width:
            break
        c = np.moveaxis(c, axis, 0)
        middle = c[width : width + n].copy()
        if mode == "nearest":
            middle[0] += np.sum(c[:width], axis=0)
            middle[-1] += np.sum(c[width + n :], axis=0)
        c = np.moveaxis(middle, 0, axis)
    return np.ascontiguousarray(c)


def filtered_back(c: Any, order: int, axis: int, mode: str) -> Any:
    """The adjoint of `spline_filter1d`. The filter undoes a convolution with a kernel that is even:
    it is its own adjoint but for what SciPy does near the ends.
    """
    if order < 2:
        return c.copy()
    c = np.moveaxis(c, axis, 0)
    n = len(c)
    if n <= 2 * REACH:
        found = np.tensordot(_filter(n, order, mode), c, axes=(0, 0))
    else:
        found = N.spline_filter1d(c, order, 0, c.dtype, mode)
        matrix = _filter(2 * REACH, order, mode)
        skew = matrix - matrix.T
        for end in (slice(None, REACH), slice(-REACH, None)):
            found[end] -= np.tensordot(skew[end, end], c[end], axes=(1, 0))
    return np.ascontiguousarray(np.moveaxis(found, 0, axis))


@lru_cache(maxsize=32)
def _filter(n: int, order: int, mode: str) -> Any:
    """The matrix of the filter, of no more than twice `REACH` points."""
    return N.spline_filter1d(np.eye(n), order, 0, mode=mode)


# ---- the places


@lru_cache(maxsize=64)
def _spline(order: int, times: int) -> Any:
    """The derivative of a centred B-spline."""
    knots = np.arange(order + 2) - 0.5 * (order + 1)
    made = P.BSpline.basis_element(knots, extrapolate=False)
    return made.derivative(times) if times else made


def weights_at(n: int, t: Any, order: int, mode: str, times: int) -> tuple[Any, Any]:
    """Of `n` points, which ones the places `t` read, and with which weights: two arrays `(order +
    1, len(t))`. `times`: those of a derivative.
    """
    inside = np.ones(t.shape, bool)
    if mode == "constant":
        inside = (t >= 0) & (t <= n - 1)
    elif mode == "wrap" and n > 1:
        turns = np.where(t < 0, np.trunc(-t / (n - 1)) + 1, -np.trunc(t / (n - 1)))
        t = np.where((t < 0) | (t > n - 1), t + (n - 1) * turns, t)
    start = np.floor(t if order % 2 else t + 0.5) - order // 2
    if order == 1 and times and mode in ("constant", "wrap"):
        start = np.minimum(start, max(n - 2, 0))  # at the end, the slope from before
    read = start + np.arange(order + 1)[:, None]
    if times > order:
        weights = np.zeros(read.shape)
    elif order == 1 and times:
        weights = np.array([[-1.0], [1.0]]) * np.ones(read.shape)
    elif order == 0:
        weights = np.ones(read.shape)
    else:
        weights = np.nan_to_num(_spline(order, times)(t - read))
    if mode == "grid-constant":
        inside = (read >= 0) & (read <= n - 1)
    weights = np.where(inside, weights, 0.0)
    return _folded(read.astype(np.intp), n, mode), weights


def _folded(read: Any, n: int, mode: str) -> Any:
    """The points that stand for those behind the edges."""
    if n == 1:
        return np.zeros_like(read)
    if mode == "grid-wrap":
        return np.mod(read, n)
    if mode in ("grid-constant", "nearest"):
        return np.clip(read, 0, n - 1)
    period = 2 * n + _TURNS[mode]
    at = np.mod(read, period)
    return np.where(at < n, at, period - (1 if _TURNS[mode] == 0 else 0) - at)


def gathered(c: Any, t: Any, order: int, mode: str, times: tuple[int, ...]) -> Any:
    """The splines with the coefficients `c` at the places `t`, or derivatives of them: how often,
    along each axis.
    """
    if not any(times):
        return N.map_coordinates(c, t, order=order, mode=mode, prefilter=False)
    found = np.zeros(t.shape[1:], c.dtype)
    for index, weights in _terms(c, t, order, mode, times):
        found += (c[index] * weights).reshape(found.shape)
    return found


def spread(g: Any, t: Any, c: Any, order: int, mode: str, times: tuple[int, ...]) -> Any:
    """The adjoint of `gathered` in the coefficients."""
    found = np.zeros(c.shape, np.result_type(g, float))
    flat = np.ravel(g)
    for index, weights in _terms(c, t, order, mode, times):
        np.add.at(found, index, flat * weights)
    return found


def _terms(c: Any, t: Any, order: int, mode: str, times: tuple[int, ...]) -> Any:
    """For each of the points that a place reads: the index into the coefficients, the weight."""
    flat = np.reshape(np.asarray(t, float), (c.ndim, -1))
    parts = [
        weights_at(n, flat[i], order, mode, times[i]) for i, n in enumerate(c.shape)
    ]
    for chosen in itertools.product(range(order + 1), repeat=c.ndim):
        weights: Any = 1.0
        for (_, own), k in zip(parts, chosen, strict=True):
            weights = weights * own[k]
        yield tuple(read[k] for (read, _), k in zip(parts, chosen, strict=True)), weights


@rule(coefficients)
def _coefficients(g: Any, c: Any, x: Any, order: Any, mode: Any, prefilter: Any) -> Any:
    return in_precision(call(to_points, g, x, order, mode, prefilter), x), None, None, None


@rule(to_points)
def _to_points(g: Any, y: Any, c: Any, x: Any, order: Any, mode: Any, prefilter: Any) -> Any:
    return call(coefficients, g, order, mode, prefilter), None, None, None, None


@rule(gathered)
def _gathered(g: Any, y: Any, c: Any, t: Any, order: Any, mode: Any, times: Any) -> Any:
    c_bar = call(spread, g, t, c, order, mode, times)
    return c_bar, _slopes(g, c, t, order, mode, times), None, None, None


@rule(spread)
def _spread(g: Any, y: Any, c: Any, t: Any, like: Any, order: Any, mode: Any, times: Any) -> Any:
    c_bar = call(gathered, g, t, order, mode, times)
    return c_bar, _slopes(c, g, t, order, mode, times), None, None, None, None


def _slopes(g: Any, c: Any, t: Any, order: Any, mode: Any, times: Any) -> Any:
    """The cotangent of the places."""
    rows = []
    for axis in range(rank_of(c)):
        more = tuple(k + (i == axis) for i, k in enumerate(times))
        bar = g * conj(call(gathered, c, t, order, mode, more))
        rows.append(np.real(bar) if is_complex(type_of(bar)) is not False else bar)
    return in_precision(np.stack(rows), t)


def sampled(
    g: Any, x: Any, t: Any, cval: Any, order: int, mode: str, prefilter: bool
) -> tuple[Any, Any]:
    """The cotangents of an image and of the places where it is read."""
    rest = x if mode != "grid-constant" else x - cval  # splines go through constants
    c = call(coefficients, rest, order, mode, prefilter)
    at = t + float(frame(order, mode, prefilter))
    times = (0,) * rank_of(x)
    c_bar = call(spread, g, at, c, order, mode, times)
    x_bar = in_precision(call(to_points, c_bar, x, order, mode, prefilter), x)
    return x_bar, in_precision(_slopes(g, c, at, order, mode, times), t)


@result(coefficients)
def _coefficients_type(x: Any, order: Any, mode: Any, prefilter: Any) -> Type:
    shape, kind = shape_at(x), dtype_of(type_of(x))
    if shape is None:
        return UNKNOWN
    same = not frame(order, mode, prefilter)
    wide = None if kind is None else np.result_type(kind, float)
    return Array(wide, shape if same else tuple(fresh() for _ in shape))


@result(to_points)
def _to_points_type(c: Any, x: Any, *how: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_at(x))


@result(gathered)
def _gathered_type(c: Any, t: Any, *how: Any) -> Type:
    shape = shape_at(t)
    return UNKNOWN if shape is None else Array(dtype_of(type_of(c)), shape[1:])


@result(spread)
def _spread_type(g: Any, t: Any, c: Any, *how: Any) -> Type:
    kind = dtype_of(type_of(g))
    return Array(None if kind is None else np.result_type(kind, float), shape_at(c))
