"""Filters that are linear in what they filter, each with its adjoint.

A recursive filter that starts at rest runs backwards in its adjoint. `filtfilt` and `sosfiltfilt`
extend the signal, start in the steady state of its first sample and run both ways: the adjoint
takes these steps in reverse (F. Gustafsson 1996, "Determining the initial states in
forward-backward filtering", tells where the states come from). In the coefficients there is no
rule.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type
from ..registry import call, in_argument, in_precision, result, rule, unsupported
from ..sizes import decided, dtype_of, promoted, shape_at

S: Any = importlib.import_module("scipy.signal")

Filter = Any  # a function of a signal along its last axis


def backwards(once: Filter, g: Any) -> Any:
    """The adjoint of a filter that starts at rest, of real coefficients or conjugate ones."""
    return np.flip(once(np.flip(g, -1)), -1)


def _narrow(c: Any, x: Any) -> Any:
    """A cotangent, real where the signal is."""
    c = np.real(c) if np.iscomplexobj(c) and not np.iscomplexobj(x) else c
    return np.ascontiguousarray(c)


# ---- one way


def sosfilt_back(g: Any, x: Any, sos: Any, axis: int) -> Any:
    """The adjoint of `sosfilt`."""
    return _narrow(np.flip(S.sosfilt(np.conj(sos), np.flip(g, axis), axis=axis), axis), x)


@rule(S.sosfilt, order="sos x axis zi")
def sosfilt(g: Any, y: Any, sos: Any, x: Any, axis: Any = -1) -> Any:
    bar = call(sosfilt_back, g, x, sos, decided(axis))
    return in_argument(S.sosfilt, 0), in_precision(bar, x)


@rule(sosfilt_back)
def _sosfilt_back(c: Any, y: Any, g: Any, x: Any, sos: Any, axis: Any) -> Any:
    return call(S.sosfilt, sos, c, axis=axis), None, in_argument(S.sosfilt, 0), None


# ---- both ways


def _both_ways(
    g: Any, x: Any, axis: int, padtype: Any, edge: int, once: Filter, steady: Any
) -> Any:
    """`once` filters with the conjugate coefficients; `steady` is what is left of a filter that
    starts in the steady state and is given nothing.
    """
    n = x.shape[axis]
    edge = 0 if padtype is None else edge
    rest = np.moveaxis(g, axis, -1)
    c = np.zeros((*rest.shape[:-1], n + 2 * edge), np.result_type(g, steady))
    c[..., edge : edge + n] = rest
    for _ in range(2):
        c = np.flip(c, -1)
        first = np.sum(np.conj(steady) * c, axis=-1)
        c = backwards(once, c).copy()
        c[..., 0] += first
    return _narrow(np.moveaxis(_unextended(c, n, edge, padtype), -1, axis), x)


def _unextended(c: Any, n: int, edge: int, padtype: Any) -> Any:
    """What was put at the ends, added to where it came from."""
    found = c[..., edge : edge + n].copy()
    if not edge:
        return found
    before, after = c[..., :edge], c[..., edge + n :]
    ends = np.sum(before, -1), np.sum(after, -1)
    if padtype != "constant":
        sign = -1.0 if padtype == "odd" else 1.0
        found[..., 1 : edge + 1] += sign * np.flip(before, -1)
        found[..., n - 1 - edge : n - 1] += sign * np.flip(after, -1)
        ends = (2.0 * ends[0], 2.0 * ends[1]) if padtype == "odd" else (0.0, 0.0)
    found[..., 0] += ends[0]
    found[..., -1] += ends[1]
    return found


def filtfilt_back(g: Any, x: Any, b: Any, a: Any, axis: int, padtype: Any, padlen: Any) -> Any:
    """The adjoint of `filtfilt`."""
    b, a = np.atleast_1d(b), np.atleast_1d(a)
    edge = 3 * max(len(a), len(b)) if padlen is None else padlen
    size = x.shape[axis] + 2 * (0 if padtype is None else edge)
    steady = S.lfilter(b, a, np.zeros(size), zi=S.lfilter_zi(b, a))[0]

    def once(v: Any) -> Any:
        return S.lfilter(np.conj(b), np.conj(a), v)

    return _both_ways(g, x, axis, padtype, edge, once, steady)


@rule(S.filtfilt, order="b a x axis padtype padlen method irlen")
def filtfilt(
    g: Any,
    y: Any,
    b: Any,
    a: Any,
    x: Any,
    axis: Any = -1,
    padtype: Any = "odd",
    padlen: Any = None,
    method: Any = "pad",
) -> Any:
    if decided(method) != "pad":
        raise unsupported(f"method={method!r}", "pad the signal")
    bar = call(filtfilt_back, g, x, b, a, axis, padtype, padlen)
    return in_argument(S.filtfilt, 0), in_argument(S.filtfilt, 1), in_precision(bar, x)


@rule(filtfilt_back)
def _filtfilt_back(
    c: Any, y: Any, g: Any, x: Any, b: Any, a: Any, axis: Any, padtype: Any, padlen: Any
) -> Any:
    refused = in_argument(S.filtfilt, 0)
    bar = call(S.filtfilt, b, a, c, axis=axis, padtype=padtype, padlen=padlen)
    return bar, None, refused, refused, None, None, None


def sosfiltfilt_back(g: Any, x: Any, sos: Any, axis: int, padtype: Any, padlen: Any) -> Any:
    """The adjoint of `sosfiltfilt`."""
    sos = np.asarray(sos)
    taps = 2 * len(sos) + 1 - min(np.sum(sos[:, 2] == 0), np.sum(sos[:, 5] == 0))
    edge = 3 * int(taps) if padlen is None else padlen
    size = x.shape[axis] + 2 * (0 if padtype is None else edge)
    steady = S.sosfilt(sos, np.zeros(size), zi=S.sosfilt_zi(sos))[0]

    def once(v: Any) -> Any:
        return S.sosfilt(sos, v)

    return _both_ways(g, x, axis, padtype, edge, once, steady)


@rule(S.sosfiltfilt)
def sosfiltfilt(
    g: Any,
    y: Any,
    sos: Any,
    x: Any,
    axis: Any = -1,
    padtype: Any = "odd",
    padlen: Any = None,
) -> Any:
    bar = call(sosfiltfilt_back, g, x, sos, axis, padtype, padlen)
    return in_argument(S.sosfiltfilt, 0), in_precision(bar, x)


@rule(sosfiltfilt_back)
def _sosfiltfilt_back(
    c: Any, y: Any, g: Any, x: Any, sos: Any, axis: Any, padtype: Any, padlen: Any
) -> Any:
    bar = call(S.sosfiltfilt, sos, c, axis=axis, padtype=padtype, padlen=padlen)
    return bar, None, in_argument(S.sosfiltfilt, 0), None, None, None


# ---- polynomials fitted to a window


def savgol_back(
    g: Any,
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int,
    delta: float,
    axis: int,
    mode: str,
) -> Any:
    """The adjoint of `savgol_filter`: inside a convolution, at the ends the values of polynomials,
    which are linear in the samples of one window.
    """
    own = np.moveaxis(g, axis, 0)
    wide, half = own.astype(float), window_length // 2
    how = {"deriv": deriv, "delta": delta}
    if mode == "interp":
        wide[:half] = 0.0
        wide[len(own) - half :] = 0.0
    weights = np.flip(S.savgol_coeffs(window_length, polyorder, **how))
    spread = np.zeros((len(own) + window_length - 1, *own.shape[1:]))
    for k, weight in enumerate(weights):
        spread[k : k + len(own)] += weight * wide
    place = runtime.along_axis(weights, x.ndim, 0)
    edges = "constant" if mode == "interp" else mode
    found = runtime.folded_in(spread, own, place, (edges,) * x.ndim, 0, True)
    if mode == "interp" and half:
        square = np.eye(window_length)
        fitted = S.savgol_filter(square, window_length, polyorder, axis=0, **how)
        found[:window_length] += np.tensordot(fitted[:half], own[:half], axes=(0, 0))
        found[-window_length:] += np.tensordot(fitted[-half:], own[-half:], axes=(0, 0))
    return np.moveaxis(found, 0, axis).astype(g.dtype, copy=False)


@rule(S.savgol_filter)
def savgol_filter(
    g: Any,
    y: Any,
    x: Any,
    window_length: Any,
    polyorder: Any,
    deriv: Any = 0,
    delta: Any = 1.0,
    axis: Any = -1,
    mode: Any = "interp",
    cval: Any = 0.0,
) -> Any:
    bar = call(savgol_back, g, x, window_length, polyorder, deriv, delta, axis, mode)
    return in_precision(bar, x), None, None


@rule(savgol_back)
def _savgol_back(
    c: Any,
    y: Any,
    g: Any,
    x: Any,
    window_length: Any,
    polyorder: Any,
    deriv: Any,
    delta: Any,
    axis: Any,
    mode: Any,
) -> Any:
    how = {"deriv": deriv, "delta": delta, "axis": axis, "mode": mode}
    return (call(S.savgol_filter, c, window_length, polyorder, **how), *(None,) * 7)


# ---- types


def _double(*xs: Any) -> Any:
    kind = promoted(*xs)
    return kind if kind is not None and kind.char in "dD" else None


@result(S.sosfilt, S.sosfiltfilt)
def _in_sections(sos: Any, x: Any, *rest: Any, zi: Any = None, **how: Any) -> Type:
    return UNKNOWN if zi is not None else Array(_double(sos, x), shape_at(x))


@result(S.filtfilt)
def _both(b: Any, a: Any, x: Any, *rest: Any, **how: Any) -> Type:
    return Array(_double(b, a, x), shape_at(x))


@result(S.savgol_filter)
def _smoothed(x: Any, *rest: Any, **how: Any) -> Type:
    kind = dtype_of(type_of(x))
    return Array(kind if kind is not None and kind.char in "fd" else None, shape_at(x))


@result(sosfilt_back, filtfilt_back, sosfiltfilt_back, savgol_back)
def _like_x(g: Any, x: Any, *rest: Any) -> Type:
    real = _double(g) if _double(g) == _double(x) else None
    return Array(real, shape_at(x))


