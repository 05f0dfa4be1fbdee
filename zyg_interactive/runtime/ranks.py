"""Samples in order: the weights that quantiles give them, and equal ones."""

from __future__ import annotations

from typing import Any

import numpy as np

# How fast the place of a quantile among n samples moves with its probability, less n (R. J.
# Hyndman and Y. Fan 1996, "Sample quantiles in statistical packages").
_SPEED = {
    "linear": -1.0,
    "interpolated_inverted_cdf": 0.0,
    "hazen": 0.0,
    "weibull": 1.0,
    "median_unbiased": 1 / 3,
    "normal_unbiased": 0.25,
}


def _places(q: Any, n: int, method: Any) -> Any:
    """Where among n samples in order the quantiles lie."""
    return np.quantile(np.arange(float(n)), q, method=method)


def _row(places: Any, n: int, size: int, low_share: Any, high_share: Any) -> Any:
    weights = np.zeros((*np.shape(places), size))
    low = np.clip(np.floor(places).astype(int), 0, max(n - 2, 0))
    index = np.indices(np.shape(places), sparse=True)
    weights[(*index, low)] = low_share(places - low)
    if n > 1:
        weights[(*index, low + 1)] += high_share(places - low)
    return weights


def rank_weights(q: Any, x: Any, method: str, nan: bool) -> Any:
    """The weights, along the last axis, of the samples `x` in order in their quantiles."""
    return _weights(x, nan, lambda n, size: _value(q, n, size, method))


def rank_slopes(q: Any, x: Any, method: str, nan: bool) -> Any:
    """The derivative of `rank_weights` by the probability."""
    return _weights(x, nan, lambda n, size: _slope(q, n, size, method))


def _value(q: Any, n: int, size: int, method: str) -> Any:
    if n == 0:
        return np.zeros((*np.shape(q), size))
    return _row(_places(q, n, method), n, size, lambda t: 1 - t, lambda t: t)


def _slope(q: Any, n: int, size: int, method: str) -> Any:
    speed = n + _SPEED[method] if method in _SPEED and n > 1 else 0.0
    if not speed:
        return np.zeros((*np.shape(q), size))
    places = _places(q, n, method)
    moves = (places > 0) & (places < n - 1)
    rate = np.where(moves, speed, 0.0)
    return _row(places, n, size, lambda t: -rate, lambda t: rate)


def _weights(x: Any, nan: bool, of: Any) -> Any:
    size = x.shape[-1]
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    if not nan:
        return of(size, size).astype(kind, copy=False)
    counts = np.sum(~np.isnan(x), axis=-1)
    rows = {n: of(int(n), size) for n in np.unique(counts)}
    some = next(iter(rows.values()))
    whole = np.zeros((*some.shape[:-1], *counts.shape, size), kind)
    for place in np.ndindex(counts.shape):
        whole[(..., *place, slice(None))] = rows[counts[place]]
    return whole


def evened(c: Any, y: Any, axis: int) -> Any:
    """Cotangents of samples in order, equal ones sharing theirs."""
    s, values = np.moveaxis(c, axis, -1), np.moveaxis(y, axis, -1)
    starts = np.ones(values.shape, bool)
    starts[..., 1:] = values[..., 1:] != values[..., :-1]
    if starts.all():
        return c
    run = np.cumsum(starts.ravel()) - 1
    total = np.zeros(run[-1] + 1, s.dtype)
    np.add.at(total, run, s.ravel())
    count = np.bincount(run).astype(np.zeros(0, s.dtype).real.dtype)
    return np.moveaxis((total / count)[run].reshape(s.shape), -1, axis)
