"""Power spectra of real signals, and their transforms in short times.

A power is the square of what is linear in the signal: the transforms of its segments, without their
mean or trend, times a window (P. D. Welch 1967, "The use of fast Fourier transform for the
estimation of power spectra"). To take the trend away is a projection, its own adjoint.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Tuple, Type, fresh, is_complex
from ..registry import call, in_precision, rank_of, result, rule, unsupported
from ..sizes import decided, dtype_of, shape_at

S: Any = importlib.import_module("scipy.signal")
SCALES = ("density", "psd", "spectrum")


class _Segments:
    """How a signal of a length is cut; the weights of its window and of the frequencies."""

    def __init__(self, n: int, how: tuple[Any, ...]):
        fs, window, nperseg, noverlap, nfft, self.detrend, self.onesided, scaling = how[:8]
        complete = len(how) > 8  # zeros at both ends, and up to a whole number of segments
        around, filled = how[8:] if complete else (False, False)
        if isinstance(window, str | tuple):
            self.size = min(256 if nperseg is None else int(nperseg), n)
            self.window = S.get_window(window, self.size)
        else:
            self.window = np.asarray(window)
            self.size = len(self.window)
        if isinstance(noverlap, float):  # a share of the size
            noverlap = int(self.size * noverlap)
        self.step = self.size - (self.size // 2 if noverlap is None else int(noverlap))
        self.points = self.size if nfft is None else int(nfft)
        half = self.size // 2 if around else 0
        more = -(n + 2 * half - self.size) % self.step % self.size if filled else 0
        self.ends = (half, half + more)
        dense = scaling in ("density", "psd")
        whole = fs * np.sum(self.window**2) if dense else np.sum(self.window) ** 2
        weights = np.full(self.points // 2 + 1 if self.onesided else self.points, 1.0 / whole)
        if self.onesided and not complete:
            weights[1 : None if self.points % 2 else -1] *= 2.0
        self.roots = np.sqrt(weights)

    def flat(self, parts: Any) -> Any:
        return S.detrend(parts, type=self.detrend, axis=-1) if self.detrend else parts


def lines(x: Any, how: tuple[Any, ...], axis: int) -> Any:
    """The transforms of the segments, whose squares are the power: `(..., segment, frequency)`."""
    x = np.moveaxis(x, axis, -1)
    cut = _Segments(x.shape[-1], how)
    if any(cut.ends):
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [cut.ends])
    parts = np.lib.stride_tricks.sliding_window_view(x, cut.size, axis=-1)[..., :: cut.step, :]
    transform = np.fft.rfft if cut.onesided else np.fft.fft
    return transform(cut.flat(parts) * cut.window, cut.points) * cut.roots


def lines_back(c: Any, x: Any, how: tuple[Any, ...], axis: int) -> Any:
    """The adjoint of `lines`."""
    n = x.shape[axis]
    cut = _Segments(n, how)
    back = np.fft.ifft(c * cut.roots, cut.points, norm="forward")
    parts = cut.flat(np.real(back)[..., : cut.size] * cut.window)
    found = np.zeros((*parts.shape[:-2], n + sum(cut.ends)))
    for k in range(parts.shape[-2]):
        found[..., k * cut.step : k * cut.step + cut.size] += parts[..., k, :]
    return np.moveaxis(found[..., cut.ends[0] : cut.ends[0] + n], -1, axis)


@rule(lines)
def _lines(g: Any, y: Any, x: Any, how: Any, axis: Any) -> Any:
    return call(lines_back, g, x, how, axis), None, None


@rule(lines_back)
def _lines_back(g: Any, y: Any, c: Any, x: Any, how: Any, axis: Any) -> Any:
    return call(lines, g, how, axis), None, None, None


def _power(g: Any, x: Any, how: tuple[Any, ...], axis: Any, mean: bool) -> Any:
    """The cotangent of the signal. `g` has the frequencies where the signal has its samples, and
    the segments after all, where they are not averaged.
    """
    if g is None:
        return None
    _check(x, how)
    axis = int(decided(axis))
    found = call(lines, x, how, axis)
    if mean:
        g = np.expand_dims(np.moveaxis(g, axis, -1), -2) / np.shape(found)[-2]
    else:
        g = np.moveaxis(g, axis if axis >= 0 else axis - 1, -1)
    return in_precision(call(lines_back, 2.0 * g * found, x, how, axis), x)


def _check(x: Any, how: tuple[Any, ...]) -> None:
    if is_complex(type_of(x)) is not False:
        raise unsupported("the spectrum of a complex signal", "take that of its parts")
    if decided(how[5]) not in ("constant", "linear", False) or decided(how[7]) not in SCALES:
        raise unsupported("a trend that a function takes away, or another scaling")


@rule(S.welch)
def welch(
    g: Any,
    y: Any,
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: Any = True,
    scaling: Any = "density",
    axis: Any = -1,
    average: Any = "mean",
) -> Any:
    if decided(average) != "mean":
        raise unsupported(f"average={average!r}", "take the mean")
    how = (fs, window, nperseg, noverlap, nfft, detrend, bool(decided(return_onesided)), scaling)
    return _power(g[1], x, how, axis, True)


@rule(S.periodogram)
def periodogram(
    g: Any,
    y: Any,
    x: Any,
    fs: Any = 1.0,
    window: Any = "boxcar",
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: Any = True,
    scaling: Any = "density",
    axis: Any = -1,
) -> Any:
    if nfft is not None:
        raise unsupported("`periodogram` with nfft=", "cut or pad the signal before")
    window = "boxcar" if window is None else window
    size, onesided = np.shape(x)[decided(axis)], bool(decided(return_onesided))
    return _power(g[1], x, (fs, window, size, 0, None, detrend, onesided, scaling), axis, True)


@rule(S.spectrogram)
def spectrogram(
    g: Any,
    y: Any,
    x: Any,
    fs: Any = 1.0,
    window: Any = ("tukey", 0.25),
    nperseg: Any = None,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = "constant",
    return_onesided: Any = True,
    scaling: Any = "density",
    axis: Any = -1,
    mode: Any = "psd",
) -> Any:
    if decided(mode) != "psd":
        raise unsupported(f"mode={mode!r}", 'write mode="psd"')
    overlap = 0.125 if noverlap is None else noverlap
    onesided = bool(decided(return_onesided))
    how = (fs, window, nperseg, overlap, nfft, detrend, onesided, scaling)
    return _power(g[2], x, how, axis, False)


@rule(S.stft)
def stft(
    g: Any,
    y: Any,
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: Any = 256,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = False,
    return_onesided: Any = True,
    boundary: Any = "zeros",
    padded: Any = True,
    axis: Any = -1,
    scaling: Any = "spectrum",
) -> Any:
    if g[2] is None:
        return None
    if decided(boundary) not in ("zeros", None):
        raise unsupported(f"boundary={boundary!r}", "extend the signal before")
    onesided, ends = bool(decided(return_onesided)), (boundary is not None, bool(decided(padded)))
    how = (fs, window, nperseg, noverlap, nfft, detrend, onesided, scaling, *ends)
    _check(x, how)
    axis = int(decided(axis))
    bar = np.moveaxis(g[2], axis if axis >= 0 else axis - 1, -1)
    return in_precision(call(lines_back, bar, x, how, axis), x)


# ---- types


def _real(x: Any, rank: int) -> Any:
    kind = dtype_of(type_of(x))
    return Array(kind if kind is not None and kind.char == "d" else None, _sizes(rank))


def _sizes(rank: int) -> tuple[Any, ...]:
    return tuple(fresh() for _ in range(rank))


@result(S.welch, S.periodogram)
def _spectrum(x: Any, *rest: Any, **how: Any) -> Type:
    if shape_at(x) is None:
        return UNKNOWN
    return Tuple((Array(None, (fresh(),)), _real(x, rank_of(x))))


@result(S.spectrogram)
def _spectra(x: Any, *rest: Any, **how: Any) -> Type:
    if shape_at(x) is None:
        return UNKNOWN
    return Tuple((Array(None, (fresh(),)), Array(None, (fresh(),)), _real(x, rank_of(x) + 1)))


@result(S.stft)
def _transforms(x: Any, *rest: Any, **how: Any) -> Type:
    if shape_at(x) is None:
        return UNKNOWN
    kind = dtype_of(type_of(x))
    double = np.dtype(complex) if kind is not None and kind.char == "d" else None
    times = (Array(None, (fresh(),)), Array(None, (fresh(),)))
    return Tuple((*times, Array(double, _sizes(rank_of(x) + 1))))


@result(lines)
def _lines_type(x: Any, *rest: Any) -> Type:
    return UNKNOWN if shape_at(x) is None else Array(None, _sizes(rank_of(x) + 1))


@result(lines_back)
def _lines_back_type(c: Any, x: Any, *rest: Any) -> Type:
    return Array(np.dtype(float), shape_at(x))
