"""Filters that choose: the largest of what lies in a window, the median, one of a rank.

The cotangent goes to what was chosen; where several entries of a window are the same number, they
share it, as those of `np.max` and `np.median` do.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...diagnostics import refuse
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type
from ..registry import call, result, rule, unsupported
from ..sizes import decided, dtype_of, shape_at

N: Any = importlib.import_module("scipy.ndimage")
S: Any = importlib.import_module("scipy.signal")


def _entries(x: Any, size: Any, footprint: Any, axes: Any) -> tuple[Any, list[int]]:
    """Which entries of a window there are, and the axes that it lies in."""
    own = range(x.ndim) if axes is None else np.atleast_1d(axes) % x.ndim
    at = [int(i) for i in own]
    if footprint is None:
        footprint = np.ones(np.broadcast_to(size, (len(at),)), bool)
    whole = np.asarray(footprint, bool)
    if at != sorted(at):  # SciPy does not always give a footprint another order
        raise refuse(
            "ZYG302", "a filter along axes in another order has no gradient rule", None, "sort them"
        )
    return np.expand_dims(whole, tuple(i for i in range(x.ndim) if i not in at)), at


def _each(value: Any, at: list[int], rank: int, other: Any) -> list[Any]:
    """A value for each axis, from one for all or one for each of those in `at`."""
    given = [value] * len(at) if isinstance(value, str) or np.ndim(value) == 0 else list(value)
    found = [other] * rank
    for axis, own in zip(at, given, strict=True):
        found[axis] = own
    return found


def _shares(x: Any, y: Any, how: tuple[Any, ...]) -> tuple[Any, Any, Any, Any]:
    """For each point and each entry of its window, the share of that in what was chosen; the
    window, the modes and the origins.
    """
    size, footprint, mode, cval, origin, axes = how
    window, at = _entries(x, size, footprint, axes)
    modes = tuple(_each(mode, at, x.ndim, "reflect"))
    shifts = _each(origin, at, x.ndim, 0)
    origins = tuple(int(o) if n > 1 else 0 for o, n in zip(shifts, window.shape, strict=True))
    values = _windows(runtime.extended(x, window, modes, cval, origins), window)
    same = (values == np.expand_dims(y, tuple(range(-x.ndim, 0)))) & window
    count = np.sum(same, axis=tuple(range(-x.ndim, 0)), keepdims=True)
    if not np.all(count):
        raise refuse(
            "ZYG302", "a filter whose result is in none of its windows has no gradient", None
        )
    return same / count, window, modes, origins


def _windows(wide: Any, window: Any) -> Any:
    return np.lib.stride_tricks.sliding_window_view(wide, window.shape)


def given_back(g: Any, x: Any, y: Any, how: tuple[Any, ...]) -> Any:
    """The cotangent `g` of what was chosen, where it came from."""
    shares, window, modes, origins = _shares(x, y, how)
    shares = (shares * np.expand_dims(g, tuple(range(-x.ndim, 0)))).astype(g.dtype, copy=False)
    wide = np.zeros([n + k - 1 for n, k in zip(x.shape, window.shape, strict=True)], g.dtype)
    for entry in np.ndindex(*window.shape):
        if window[entry]:
            place = tuple(slice(k, k + n) for k, n in zip(entry, x.shape, strict=True))
            wide[place] += shares[(..., *entry)]
    return runtime.folded_in(wide, x, window, modes, origins)


def chosen(c: Any, x: Any, y: Any, how: tuple[Any, ...]) -> Any:
    """What stands in `c` where `y` was chosen from `x`: the adjoint of `given_back`."""
    shares, window, modes, origins = _shares(x, y, how)
    values = _windows(runtime.extended(c, window, modes, 0.0, origins), window)
    return np.sum(shares * values, axis=tuple(range(-x.ndim, 0))).astype(c.dtype, copy=False)


@rule(given_back)
def _given_back(c: Any, out: Any, g: Any, x: Any, y: Any, how: Any) -> Any:
    return call(chosen, c, x, y, how), None, None, None


@rule(chosen)
def _chosen(g: Any, out: Any, c: Any, x: Any, y: Any, how: Any) -> Any:
    return call(given_back, g, x, y, how), None, None, None


def _modes(mode: Any) -> Any:
    mode = decided(mode)
    for m in [mode] if isinstance(mode, str) else mode:
        if m not in runtime.EDGES:
            raise unsupported(f"mode={m!r}")
    return mode if isinstance(mode, str) else tuple(mode)


def _extreme(fn: Any) -> None:
    @rule(fn, order="input size footprint output mode cval origin")
    def filtered(
        g: Any,
        y: Any,
        input: Any,
        size: Any = None,
        footprint: Any = None,
        mode: Any = "reflect",
        cval: Any = 0.0,
        origin: Any = 0,
        axes: Any = None,
    ) -> Any:
        return call(given_back, g, input, y, (size, footprint, _modes(mode), cval, origin, axes))


def _extreme1d(fn: Any) -> None:
    @rule(fn, order="input size axis output mode cval origin")
    def filtered(
        g: Any,
        y: Any,
        input: Any,
        size: Any,
        axis: Any = -1,
        mode: Any = "reflect",
        cval: Any = 0.0,
        origin: Any = 0,
    ) -> Any:
        return call(given_back, g, input, y, (size, None, _modes(mode), cval, origin, axis)), None


_extreme(N.maximum_filter)
_extreme(N.minimum_filter)
_extreme(N.median_filter)
_extreme1d(N.maximum_filter1d)
_extreme1d(N.minimum_filter1d)


@rule(N.rank_filter, order="input rank size footprint output mode cval origin")
def rank_filter(
    g: Any,
    y: Any,
    input: Any,
    rank: Any,
    size: Any = None,
    footprint: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    axes: Any = None,
) -> Any:
    how = (size, footprint, _modes(mode), cval, origin, axes)
    return call(given_back, g, input, y, how), None


@rule(N.percentile_filter, order="input percentile size footprint output mode cval origin")
def percentile_filter(
    g: Any,
    y: Any,
    input: Any,
    percentile: Any,
    size: Any = None,
    footprint: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    axes: Any = None,
) -> Any:
    """The percentile chooses alone: nothing moves with it."""
    return rank_filter(g, y, input, None, size, footprint, mode, cval, origin, axes)


@rule(S.medfilt)
def medfilt(g: Any, y: Any, volume: Any, kernel_size: Any = 3) -> Any:
    size = 3 if kernel_size is None else kernel_size
    return call(given_back, g, volume, y, (size, None, "constant", 0.0, 0, None))


@rule(S.medfilt2d)
def medfilt2d(g: Any, y: Any, input: Any, kernel_size: Any = 3) -> Any:
    return medfilt(g, y, input, kernel_size)


@result(
    *(N.maximum_filter, N.minimum_filter, N.median_filter, N.maximum_filter1d),
    *(N.minimum_filter1d, N.rank_filter, N.percentile_filter, S.medfilt, S.medfilt2d),
)
def _as_input(input: Any, *rest: Any, output: Any = None, **how: Any) -> Type:
    t = type_of(input)
    known = isinstance(t, Array) and t.dtype is not None and output is None
    return Array(t.dtype, t.shape) if known and isinstance(t, Array) else UNKNOWN


@result(given_back, chosen)
def _like_x(g: Any, x: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(g)), shape_at(x))
