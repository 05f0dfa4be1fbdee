"""Signals at another rate.

`upfirdn` is linear in the filter and in the signal, with three arrays that are alike: what it sums
is `h[l] x[k] g[m]` where `l = m down - k up`. `resample` is a trigonometric interpolation, whose
kernel is even: its adjoint is one too.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, fresh, is_complex
from ..registry import call, in_precision, result, rule, unsupported
from ..sequences import nested
from ..sizes import decided, promoted, shape_at, with_size
from .filtering import sosfilt_back, sosfiltfilt_back
from .signal import array

S: Any = importlib.import_module("scipy.signal")


def _real_like(c: Any, x: Any) -> Any:
    c = np.real(c) if np.iscomplexobj(c) and not np.iscomplexobj(x) else c
    return np.ascontiguousarray(c)


# ---- by whole factors


def upfirdn_back(g: Any, x: Any, h: Any, up: int, down: int, axis: int) -> Any:
    """The adjoint of `upfirdn` in the signal: with the filter reversed, and the factors
    exchanged.
    """
    n, taps = x.shape[axis], len(h)
    late = -(taps - 1) % up
    turned = np.concatenate((np.zeros(late, h.dtype), np.conj(np.flip(h))))
    c = np.moveaxis(S.upfirdn(turned, g, down, up, axis=axis), axis, 0)
    start = (taps - 1 + late) // up
    found = np.zeros((n, *c.shape[1:]), c.dtype)
    part = c[start : start + n]
    found[: len(part)] = part
    return _real_like(np.moveaxis(found, 0, axis), x)


def upfirdn_taps(g: Any, x: Any, h: Any, up: int, down: int, axis: int) -> Any:
    """The adjoint of `upfirdn` in the filter."""
    g, x = np.moveaxis(g, axis, 0), np.conj(np.moveaxis(x, axis, 0))
    found = np.zeros(len(h), np.result_type(g, x))
    places = np.arange(len(x)) * up
    for k in range(len(h)):
        at, off = np.divmod(k + places, down)
        read = (off == 0) & (at < len(g))
        found[k] = np.sum(g[at[read]] * x[read])
    return _real_like(found, h)


@rule(S.upfirdn)
def upfirdn(
    g: Any,
    y: Any,
    h: Any,
    x: Any,
    up: Any = 1,
    down: Any = 1,
    axis: Any = -1,
    mode: Any = "constant",
    cval: Any = 0,
) -> Any:
    if decided(mode) != "constant" or decided(cval) != 0:
        raise unsupported("a signal that is not extended with zeros", "extend it before")
    taps = array(h)
    how = (up, down, axis)
    of_h = in_precision(call(upfirdn_taps, g, x, taps, *how), taps)
    return nested(of_h, h), in_precision(call(upfirdn_back, g, x, taps, *how), x)


@rule(upfirdn_back)
def _upfirdn_back(
    c: Any, y: Any, g: Any, x: Any, h: Any, up: Any, down: Any, axis: Any
) -> Any:
    of_h = call(upfirdn_taps, g, c, h, up, down, axis)
    return call(as_long, call(S.upfirdn, h, c, up, down, axis), g, axis), None, of_h, *(None,) * 3


@rule(upfirdn_taps)
def _upfirdn_taps(
    c: Any, y: Any, g: Any, x: Any, h: Any, up: Any, down: Any, axis: Any
) -> Any:
    of_g = call(as_long, call(S.upfirdn, c, x, up, down, axis), g, axis)
    return of_g, call(upfirdn_back, g, x, c, up, down, axis), *(None,) * 4


def as_long(c: Any, like: Any, axis: int) -> Any:
    """`c`, which may have fewer or more zeros at its end, as long as `like`."""
    c = np.moveaxis(c, axis, 0)
    found = np.zeros((like.shape[axis], *c.shape[1:]), c.dtype)
    part = c[: len(found)]
    found[: len(part)] = part
    return np.moveaxis(found, 0, axis)


@rule(as_long)
def _as_long(g: Any, y: Any, c: Any, like: Any, axis: Any) -> Any:
    return call(as_long, g, c, axis), None, None


# ---- by a fraction


def poly_back(g: Any, x: Any, up: int, down: int, axis: int, window: Any) -> Any:
    """The adjoint of `resample_poly`."""
    common = math.gcd(int(up), int(down))
    up, down = int(up) // common, int(down) // common
    if up == down:
        return g.copy()
    if isinstance(window, list | np.ndarray):
        h = np.array(window)
        half = (len(h) - 1) // 2
    else:
        half = 10 * max(up, down)
        h = S.firwin(2 * half + 1, 1.0 / max(up, down), window=window)
        h = h.astype(x.dtype) if x.dtype.kind in "fc" else h
    before = down - half % down
    h = np.concatenate((np.zeros(before, h.dtype), h * up))
    whole = np.moveaxis(g, axis, 0)
    gap = np.zeros(((half + before) // down, *whole.shape[1:]), g.dtype)
    whole = np.moveaxis(np.concatenate((gap, whole)), 0, axis)
    return upfirdn_back(whole, x, h, up, down, axis)


@rule(S.resample_poly)
def resample_poly(
    g: Any,
    y: Any,
    x: Any,
    up: Any,
    down: Any,
    axis: Any = 0,
    window: Any = ("kaiser", 5.0),
    padtype: Any = "constant",
    cval: Any = None,
) -> Any:
    if decided(padtype) != "constant" or decided(cval) not in (None, 0):
        raise unsupported("a signal that is not extended with zeros", "extend it before")
    return in_precision(call(poly_back, g, x, up, down, axis, window), x), None, None


@rule(poly_back)
def _poly_back(
    c: Any, y: Any, g: Any, x: Any, up: Any, down: Any, axis: Any, window: Any
) -> Any:
    bar = call(S.resample_poly, c, up, down, axis=axis, window=window)
    return (bar, *(None,) * 5)


def decimate_back(
    g: Any, x: Any, q: int, n: Any, ftype: str, axis: int, zero_phase: bool
) -> Any:
    """The adjoint of `decimate`: zeros where samples were left out, and that of the filter."""
    kind = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
    if ftype == "fir":
        h = S.firwin(20 * q + 1 if n is None else n + 1, 1.0 / q, window="hamming").astype(kind)
        if zero_phase:
            return poly_back(g, x, 1, q, axis, h)
        return upfirdn_back(g, x, h, 1, q, axis)
    sos = S.cheby1(8 if n is None else n, 0.05, 0.8 / q, output="sos").astype(kind)
    whole = np.zeros(x.shape, np.result_type(g, sos))
    np.moveaxis(whole, axis, 0)[::q] = np.moveaxis(g, axis, 0)
    if zero_phase:
        return sosfiltfilt_back(whole, x, sos, axis, "odd", None)
    return sosfilt_back(whole, x, sos, axis)


@rule(S.decimate)
def decimate(
    g: Any,
    y: Any,
    x: Any,
    q: Any,
    n: Any = None,
    ftype: Any = "iir",
    axis: Any = -1,
    zero_phase: Any = True,
) -> Any:
    if decided(ftype) not in ("iir", "fir"):
        raise unsupported("`decimate` with a filter that was made before", "filter, and slice")
    return in_precision(call(decimate_back, g, x, q, n, ftype, axis, zero_phase), x), None


@rule(decimate_back)
def _decimate_back(
    c: Any, y: Any, g: Any, x: Any, q: Any, n: Any, ftype: Any, axis: Any, zero_phase: Any
) -> Any:
    how = {"n": n, "ftype": ftype, "axis": axis, "zero_phase": zero_phase}
    return (call(S.decimate, c, q, **how), *(None,) * 6)


# ---- by trigonometric interpolation


def resample_back(g: Any, x: Any, axis: int, window: Any) -> Any:
    """The adjoint of `resample`. Of an even number of frequencies the highest has the weight two
    towards fewer samples, and one towards more.
    """
    n, m = x.shape[axis], g.shape[axis]
    found = g
    if n != m:
        found = S.resample(g, n, axis=axis) * (m / n)
        half, odd = divmod(min(n, m), 2)
        if not odd:
            rest = np.moveaxis(g, axis, -1)
            sent = np.sum(rest * np.cos(2 * np.pi * half * np.arange(m) / m), -1, keepdims=True)
            wave = sent * np.cos(2 * np.pi * half * np.arange(n) / n) / n
            wave = np.moveaxis(wave, -1, axis)
            found = found + wave if m < n else found - wave
    if window is not None:
        found = S.resample(found, n, axis=axis, window=window)
    return np.ascontiguousarray(found).astype(g.dtype)


@rule(S.resample)
def resample(
    g: Any,
    y: Any,
    x: Any,
    num: Any,
    t: Any = None,
    axis: Any = 0,
    window: Any = None,
    domain: Any = "time",
) -> Any:
    if t is not None or decided(domain) != "time":
        raise unsupported("`resample` with times, or of frequencies", "give it the signal alone")
    if window is not None and is_complex(type_of(x)) is not False:
        raise unsupported("`resample` of a complex signal with a window", "resample its parts")
    return in_precision(call(resample_back, g, x, axis, window), x), None


@rule(resample_back)
def _resample_back(c: Any, y: Any, g: Any, x: Any, axis: Any, window: Any) -> Any:
    bar = call(resampled_like, c, g, axis, window)
    return bar, None, None, None


def resampled_like(c: Any, like: Any, axis: int, window: Any) -> Any:
    return S.resample(c, like.shape[axis], axis=axis, window=window)


@rule(resampled_like)
def _resampled_like(g: Any, y: Any, c: Any, like: Any, axis: Any, window: Any) -> Any:
    return call(resample_back, g, c, axis, window), None, None, None


# ---- types


def _double(*xs: Any) -> Any:
    kind = promoted(*xs)
    return kind if kind is not None and kind.char in "dD" else None


def _of_length(kind: Any, x: Any, axis: Any) -> Type:
    shape = shape_at(x)
    return UNKNOWN if not shape else Array(kind, with_size(shape, axis, fresh()))


@result(S.upfirdn)
def _upfirdn_type(
    h: Any, x: Any, up: Any = 1, down: Any = 1, axis: Any = -1, *rest: Any, **how: Any
) -> Type:
    return _of_length(_double(h, x), x, axis)


@result(S.resample_poly)
def _poly_type(x: Any, up: Any, down: Any, axis: Any = 0, *rest: Any, **how: Any) -> Type:
    return _of_length(_double(x), x, axis)


@result(S.decimate)
def _decimated(
    x: Any, q: Any, n: Any = None, ftype: Any = "iir", axis: Any = -1, *rest: Any, **how: Any
) -> Type:
    return _of_length(_double(x), x, axis)


@result(S.resample)
def _resampled(x: Any, num: Any, t: Any = None, axis: Any = 0, *rest: Any, **how: Any) -> Type:
    return UNKNOWN if t is not None else _of_length(_double(x), x, axis)


@result(resampled_like)
def _resampled_like_type(c: Any, like: Any, *rest: Any) -> Type:
    return Array(_double(c), shape_at(like))


@result(as_long)
def _as_long_type(c: Any, like: Any, axis: Any) -> Type:
    return Array(_double(c), shape_at(like))


@result(upfirdn_back, poly_back, decimate_back, resample_back)
def _like_x(g: Any, x: Any, *rest: Any) -> Type:
    real = _double(g) if _double(g) == _double(x) else None
    return Array(real, shape_at(x))


@result(upfirdn_taps)
def _taps(g: Any, x: Any, h: Any, *rest: Any) -> Type:
    real = _double(g) if _double(g) == _double(x) == _double(h) else None
    return Array(real, shape_at(h))
