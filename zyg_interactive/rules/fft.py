"""Discrete Fourier transforms.

Each is linear, and its adjoint is the transform the other way with the norm on the other side: of
`fft` without a factor, `ifft` without a factor (R. N. Bracewell, The Fourier Transform and Its
Applications, chapter 11). Of a real transform half of the spectrum is left out, which the adjoint
counts twice where the transform back used it twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type, fresh, shape_of
from .registry import call, constant, result, rule
from .sizes import static

_OTHER: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


def _resized(c: Any, a: Any, n: Any, axis: Any) -> Any:
    """Undo the cropping or padding to `n` points."""
    return c if n is None else call(runtime.resized, c, np.shape(a)[axis], axis)


@rule(runtime.resized)
def resized(g: Any, y: Any, a: Any, n: Any, axis: Any) -> Any:
    return call(runtime.resized, g, np.shape(a)[axis], axis), None, None


def _one(fn: Any, back: Any) -> None:
    @rule(fn, order="a n axis norm out")
    def transform(g: Any, y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        return _resized(back(g, axis=axis, norm=_OTHER[norm]), a, n, axis)


def _several(fn: Any, back: Any, axes: Any) -> None:
    default = axes

    @rule(fn, order="a s axes norm out")
    def transform(g: Any, y: Any, a: Any, axes: Any = default, norm: Any = None) -> Any:
        return back(g, axes=axes, norm=_OTHER[norm])


_one(np.fft.fft, np.fft.ifft)
_one(np.fft.ifft, np.fft.fft)
for _axes, _there, _back in (
    ((-2, -1), np.fft.fft2, np.fft.ifft2),
    (None, np.fft.fftn, np.fft.ifftn),
):
    _several(_there, _back, _axes)
    _several(_back, _there, _axes)


@rule(np.fft.rfft, order="a n axis norm out")
def rfft(g: Any, y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    size = np.shape(a)[axis] if n is None else n
    whole = call(runtime.resized, g, size, axis)
    c = np.real(np.fft.ifft(whole, axis=axis, norm=_OTHER[norm]))
    return _resized(c, a, n, axis)


@rule(np.fft.irfft, order="a n axis norm out")
def irfft(g: Any, y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    c = np.fft.rfft(g, axis=axis, norm=_OTHER[norm])
    c = c * call(runtime.spectrum_weights, g, axis)
    return _resized(c, a, n, axis)


@rule(np.fft.fftshift)
def fftshift(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.ifftshift(g, axes=axes)


@rule(np.fft.ifftshift)
def ifftshift(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.fftshift(g, axes=axes)


constant(np.fft.fftfreq, np.fft.rfftfreq, runtime.spectrum_weights)


# ---- types


def _like(a: Any, kind: str, axis: Any, size: Any) -> Type:
    t = type_of(a)
    shape = shape_of(t)
    if not isinstance(t, Array) or t.dtype is None or shape is None or static(axis) is None:
        return UNKNOWN
    if size is not None:
        at = list(shape)
        at[static(axis)] = size
        shape = tuple(at)
    single = t.dtype in (np.dtype(np.float32), np.dtype(np.complex64))
    bits = {("c", True): np.complex64, ("c", False): np.complex128}
    bits |= {("f", True): np.float32, ("f", False): np.float64}
    return Array(np.dtype(bits[kind, single]), shape)


@result(np.fft.fft, np.fft.ifft)
def _of_one(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Type:
    return _like(a, "c", axis, None if n is None else fresh())


@result(np.fft.rfft)
def _of_real(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Type:
    return _like(a, "c", axis, fresh())


@result(np.fft.irfft)
def _to_real(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Type:
    return _like(a, "f", axis, fresh())


@result(np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn)
def _of_several(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Type:
    return _like(a, "c", 0, None)


@result(runtime.resized)
def _of_resized(a: Any, n: Any, axis: Any) -> Type:
    t, shape = type_of(a), shape_of(type_of(a))
    if not isinstance(t, Array) or shape is None or static(axis) is None:
        return UNKNOWN
    at = list(shape)
    at[static(axis)] = fresh()
    return Array(t.dtype, tuple(at))


@result(np.fft.fftshift, np.fft.ifftshift)
def _shifted(x: Any, axes: Any = None) -> Type:
    t = type_of(x)
    return Array(t.dtype, t.shape) if isinstance(t, Array) else UNKNOWN
