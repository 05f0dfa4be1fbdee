"""What rules of transforms, convolutions and ranks ask at the run."""

from __future__ import annotations

from typing import Any

import numpy as np


def resized(a: Any, n: int, axis: int) -> Any:
    """The first `n` along an axis, padded with zeros where there are fewer."""
    size = a.shape[axis]
    if n <= size:
        cut = [slice(None)] * a.ndim
        cut[axis] = slice(n)
        return a[tuple(cut)].copy()
    width = [(0, 0)] * a.ndim
    width[axis] = (0, n - size)
    return np.pad(a, width)


def spectrum_weights(c: Any, axis: int) -> Any:
    """How often the transform to the real points of `c` uses each entry of the half spectrum."""
    n = c.shape[axis]
    weights = np.full(n // 2 + 1, 2.0, c.dtype if c.dtype.kind == "f" else float)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    along = [1] * c.ndim
    along[axis] = -1
    return weights.reshape(along)


def knot_places(x: Any, xp: Any) -> Any:
    """The knot before each place, but for the last."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)


def inside_knots(x: Any, xp: Any) -> Any:
    return (np.asarray(x) >= xp[0]) & (np.asarray(x) < xp[-1])


def beyond_knots(x: Any, xp: Any) -> Any:
    """1.0 at and behind the last knot, else 0.0."""
    return np.where(np.asarray(x) >= xp[-1], 1.0, 0.0)


def _span(n: int, m: int, mode: str) -> slice:
    """What a mode of `np.convolve` takes of the whole."""
    most, least = max(n, m), min(n, m)
    start, size = ((least - 1) // 2, most) if mode != "valid" else (least - 1, most - least + 1)
    if mode == "mirrored" and n < m:  # what `np.correlate` takes for the middle
        start = n // 2
    return slice(start, start + size)


def embedded(c: Any, a: Any, v: Any, mode: str) -> Any:
    """A part of a convolution in the place that it has in the whole, among zeros."""
    whole = np.zeros(len(a) + len(v) - 1, c.dtype)
    whole[_span(len(a), len(v), mode)] = c
    return whole


def middle(c: Any, a: Any, v: Any, mode: str) -> Any:
    """The part of a whole convolution that a mode takes."""
    return c[_span(len(a), len(v), mode)].copy()


def leaders(x: Any, y: Any, axis: int) -> Any:
    """Where each entry of a running maximum or minimum `y` of `x` comes from: its last place."""
    along = [1] * x.ndim
    along[axis] = -1
    places = np.arange(x.shape[axis]).reshape(along)
    return np.maximum.accumulate(np.where(x == y, places, 0), axis=axis)
