"""Convolutions and linear filters.

A convolution is bilinear, and its adjoint a correlation with the other factor (A. V. Oppenheim and
R. W. Schafer, Discrete-Time Signal Processing, chapter 2). A recursive filter is linear in what it
filters: its adjoint is the same filter run backwards.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, List, Tuple, Type, fresh, shape_of
from ..registry import call, conj, in_precision, rank_of, result, rule, unsupported
from ..sequences import nested
from ..sizes import dtype_of, shape_at
from .keywords import rule_apart_from

S: Any = importlib.import_module("scipy.signal")

def _adjoint(g: Any, a: Any, v: Any, mode: Any) -> tuple[Any, Any]:
    """The cotangents of the factors of a convolution."""
    if mode not in ("full", "same", "valid"):
        raise unsupported(f"mode={mode!r}")
    whole = g if mode == "full" else call(runtime.in_whole, g, a, v, mode)
    return (
        call(S.correlate, whole, v, mode="valid"),
        call(S.correlate, whole, a, mode="valid"),
    )


def _turned(x: Any) -> Any:
    return conj(np.flip(x))


@rule(S.convolve)
def convolve(g: Any, y: Any, in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    return _adjoint(g, in1, in2, mode)


@rule(S.fftconvolve, S.oaconvolve, order="in1 in2 mode axes")
def fftconvolve(g: Any, y: Any, in1: Any, in2: Any, mode: Any = "full") -> Any:
    return _adjoint(g, in1, in2, mode)


@rule(S.correlate)
def correlate(g: Any, y: Any, in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    first, second = _adjoint(g, in1, _turned(in2), mode)
    return first, _turned(second)


def _no_edge(boundary: Any, fillvalue: Any) -> None:
    if boundary != "fill" or fillvalue != 0:
        raise unsupported("a boundary that is not filled with zeros", "pad before")


@rule(S.convolve2d)
def convolve2d(
    g: Any,
    y: Any,
    in1: Any,
    in2: Any,
    mode: Any = "full",
    boundary: Any = "fill",
    fillvalue: Any = 0,
) -> Any:
    _no_edge(boundary, fillvalue)
    return _adjoint(g, in1, in2, mode)


@rule(S.correlate2d)
def correlate2d(
    g: Any,
    y: Any,
    in1: Any,
    in2: Any,
    mode: Any = "full",
    boundary: Any = "fill",
    fillvalue: Any = 0,
) -> Any:
    _no_edge(boundary, fillvalue)
    if mode != "same":
        return correlate(g, y, in1, in2, mode)
    # Where it centres filters of even size is where a convolution of all in reverse does.
    first, second = _adjoint(np.flip(g), np.flip(in1), conj(in2), mode)
    return np.flip(first), conj(second)


@rule(runtime.in_whole)
def in_whole(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.of_whole, g, a, v, mode), None, None, None


@rule(runtime.of_whole)
def of_whole(g: Any, y: Any, c: Any, a: Any, v: Any, mode: Any) -> Any:
    return call(runtime.in_whole, g, a, v, mode), None, None, None


# ---- filters


def _backwards(b: Any, a: Any, g: Any, axis: Any) -> Any:
    """The adjoint of a filter, applied to `g`."""
    turned = np.flip(g, axis=axis)
    return np.flip(call(S.lfilter, conj(b), conj(a), turned, axis=axis), axis=axis)


def _unit(g: Any) -> Any:
    """A filter that does nothing, in the precision of `g`."""
    return np.ones(1, dtype_of(type_of(g)))


def array(x: Any) -> Any:
    return call(np.asarray, x) if isinstance(type_of(x), List | Tuple) else x


@rule(S.lfilter, order="b a x axis zi")
def lfilter(g: Any, y: Any, b: Any, a: Any, x: Any, axis: Any = -1) -> Any:
    """With A the recursive part, `dy = (1/A) (db * x - da * y) + (B/A) dx`."""
    top, bottom = array(b), array(a)
    c = _backwards(_unit(g), bottom, g, axis)  # the adjoint of 1/A
    of_b, of_a = (call(runtime.lagged, c, v, to, axis) for v, to in ((x, top), (y, bottom)))
    return nested(of_b, b), nested(-of_a, a), in_precision(_backwards(top, bottom, g, axis), x)


@rule(runtime.lagged)
def lagged(g: Any, y: Any, c: Any, x: Any, like: Any, axis: Any) -> Any:
    """Linear in `c`, and in the conjugate of `x`: in each a filter without recursion."""
    return (
        call(S.lfilter, g, _unit(g), x, axis=axis),
        _backwards(g, _unit(g), c, axis),
        *(None, None),
    )


@rule_apart_from("overwrite_data", S.detrend, order="data axis type bp overwrite_data")
def detrend(g: Any, y: Any, data: Any, axis: Any = -1, type: Any = "linear", bp: Any = 0) -> Any:
    """A projection, which is its own adjoint."""
    return call(S.detrend, g, axis=axis, type=type, bp=bp)


@rule(S.hilbert, order="x N axis")
def hilbert(g: Any, y: Any, x: Any, axis: Any = -1) -> Any:
    """The imaginary part is skew in the real signal."""
    return np.real(g) - np.imag(call(S.hilbert, np.imag(g), axis=axis))


# ---- types


@result(S.convolve, S.fftconvolve, S.oaconvolve, S.correlate, S.convolve2d, S.correlate2d)
def _convolved(a: Any, v: Any, *rest: Any, **how: Any) -> Type:
    s, t = type_of(a), type_of(v)
    if not (isinstance(s, Array) and isinstance(t, Array) and s.shape is not None):
        return UNKNOWN
    kind = s.dtype if s.dtype == t.dtype and s.dtype is not None else None
    return Array(kind if kind is None or kind.kind in "fc" else None, _any_sizes(s.shape))


def _any_sizes(shape: Any) -> Any:
    return tuple(fresh() for _ in shape)


@result(runtime.in_whole)
def _in_whole(c: Any, a: Any, v: Any, mode: Any) -> Type:
    t, shape = type_of(c), shape_of(type_of(a))
    return Array(t.dtype, _any_sizes(shape)) if isinstance(t, Array) and shape else UNKNOWN


@result(runtime.of_whole)
def _of_whole(c: Any, a: Any, v: Any, mode: Any) -> Type:
    return _in_whole(c, a, v, mode)


@result(S.lfilter)
def _filtered(b: Any, a: Any, x: Any, axis: Any = -1, zi: Any = None) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (b, a, x)]
    if zi is not None:
        return UNKNOWN
    known = None not in kinds
    return Array(np.result_type(*kinds, np.float32) if known else None, shape_at(x))


@result(runtime.lagged)
def _lagged(g: Any, x: Any, like: Any, axis: Any) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (g, x)]
    shape = shape_at(like)
    return Array(None if None in kinds else np.result_type(*kinds), shape)


@result(S.detrend)
def _detrended(data: Any, *rest: Any, **how: Any) -> Type:
    t = type_of(data)
    known = isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "fc"
    return Array(t.dtype, t.shape) if known and isinstance(t, Array) else UNKNOWN


@result(S.hilbert)
def _analytic(x: Any, N: Any = None, axis: Any = -1) -> Type:
    kind = dtype_of(type_of(x))
    shape = shape_at(x)
    if kind is None or shape is None or rank_of(x) == 0:
        return UNKNOWN
    single = kind == np.dtype(np.float32)
    sizes = shape if N is None else _any_sizes(shape)
    return Array(np.dtype(np.complex64 if single else np.complex128), sizes)


# ---- further files of this sub-package, which need what is above

for _name in ("filtering", "resampling", "ranked", "responses", "spectra"):
    importlib.import_module(f"{__package__}.{_name}")
