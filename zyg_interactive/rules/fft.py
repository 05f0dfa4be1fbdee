"""Discrete Fourier transforms.

Each is linear, and its adjoint is the transform the other way with the norm on the other side: of
`fft` without a factor, `ifft` without a factor (R. N. Bracewell, The Fourier Transform and Its
Applications, chapter 11). Of a real transform half of the spectrum is left out, which the adjoint
counts twice where the transform back used it twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Type, fresh, shape_of
from .registry import call, constant, rank_of, result, rule
from .sizes import decided, static

_OTHER: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


def _turned(norm: Any) -> Any:
    return _OTHER[decided(norm)]


def _resized(c: Any, a: Any, n: Any, axis: Any) -> Any:
    """Undo the cropping or padding to `n` points."""
    return c if n is None else call(runtime.resized, c, np.shape(a)[axis], axis)


@rule(runtime.resized)
def resized(g: Any, y: Any, a: Any, n: Any, axis: Any) -> Any:
    return call(runtime.resized, g, np.shape(a)[axis], axis), None, None


Adjoint = Callable[..., Any]  # (cotangent, argument, number of points, axis, norm)


def _complex(back: Any) -> Adjoint:
    def adjoint(g: Any, a: Any, n: Any, axis: Any, norm: Any) -> Any:
        return _resized(back(g, axis=axis, norm=_turned(norm)), a, n, axis)

    return adjoint


def _of_real_points(g: Any, a: Any, n: Any, axis: Any, norm: Any) -> Any:
    size = np.shape(a)[axis] if n is None else n
    whole = call(runtime.resized, g, size, axis)
    return _resized(np.real(np.fft.ifft(whole, axis=axis, norm=_turned(norm))), a, n, axis)


def _to_real_points(g: Any, a: Any, n: Any, axis: Any, norm: Any) -> Any:
    c = np.fft.rfft(g, axis=axis, norm=_turned(norm))
    return _resized(c * call(runtime.spectrum_weights, g, axis), a, n, axis)


def _one(fn: Any, adjoint: Adjoint) -> None:
    @rule(fn, order="a n axis norm out")
    def transform(g: Any, y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        return adjoint(g, a, n, axis, norm)


def _points(n: Any, a: Any, axis: Any) -> Any:
    return np.shape(a)[axis] if n == -1 else n


def _several(fn: Any, default: Any, order: Any) -> None:
    """A transform along several axes: one after the other. `order` gives the adjoints of the last
    axis and of the others, and whether the transform takes the last axis first.
    """
    last, others, last_first = order

    @rule(fn, order="a s axes norm out")
    def transform(
        g: Any, y: Any, a: Any, s: Any = None, axes: Any = default, norm: Any = None
    ) -> Any:
        rank = rank_of(a)
        if axes is None:
            axes = range(rank) if s is None else range(rank - len(s), rank)
        sizes = [None] * len(axes)
        if s is not None:
            sizes = [_points(n, a, i) for n, i in zip(s, axes, strict=True)]
        steps = [
            (last if i == len(axes) - 1 else others, n, axis)
            for i, (n, axis) in enumerate(zip(sizes, axes, strict=True))
        ]
        for adjoint, n, axis in steps if last_first else reversed(steps):
            g = adjoint(g, a, n, axis, norm)
        return g


_there, _back = _complex(np.fft.ifft), _complex(np.fft.fft)
_one(np.fft.fft, _there)
_one(np.fft.ifft, _back)
_one(np.fft.rfft, _of_real_points)
_one(np.fft.irfft, _to_real_points)
_one(
    np.fft.hfft,
    lambda g, a, n, axis, norm: np.conj(_to_real_points(g, a, n, axis, _turned(norm))),
)
_one(
    np.fft.ihfft,
    lambda g, a, n, axis, norm: _of_real_points(np.conj(g), a, n, axis, _turned(norm)),
)
for _axes, _forward, _inverse, _halved, _whole in (
    ((-2, -1), np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2),
    (None, np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn),
):
    _several(_forward, _axes, (_there, _there, False))
    _several(_inverse, _axes, (_back, _back, False))
    # NumPy transforms the real axis first on the way there, and last on the way back.
    _several(_halved, _axes, (_of_real_points, _there, True))
    _several(_whole, _axes, (_to_real_points, _back, False))


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


@result(np.fft.rfft, np.fft.ihfft)
def _of_real(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Type:
    return _like(a, "c", axis, fresh())


@result(np.fft.irfft, np.fft.hfft)
def _to_real(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Type:
    return _like(a, "f", axis, fresh())


@result(np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn)
def _of_several(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Type:
    if s is not None:
        return _unshaped(a, "c")
    return _like(a, "c", 0, None)


def _unshaped(a: Any, kind: str) -> Type:
    t, shape = _like(a, kind, 0, None), shape_of(type_of(a))
    return Array(t.dtype, tuple(fresh() for _ in shape)) if isinstance(t, Array) and shape else t


@result(np.fft.rfft2, np.fft.rfftn)
def _of_several_real(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Type:
    return _unshaped(a, "c")


@result(np.fft.irfft2, np.fft.irfftn)
def _of_several_to_real(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Type:
    return _unshaped(a, "f")


@result(runtime.resized)
def _of_resized(a: Any, n: Any, axis: Any) -> Type:
    t, shape = type_of(a), shape_of(type_of(a))
    if not isinstance(t, Array) or shape is None or static(axis) is None:
        return UNKNOWN
    at = list(shape)
    at[static(axis)] = n if isinstance(n, int) else fresh()
    return Array(t.dtype, tuple(at))


@result(np.fft.fftshift, np.fft.ifftshift)
def _shifted(x: Any, axes: Any = None) -> Type:
    t = type_of(x)
    return Array(t.dtype, t.shape) if isinstance(t, Array) else UNKNOWN
