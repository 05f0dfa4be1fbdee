"""Linear filters of images.

Each is a correlation of the image, extended behind its edges, with weights: its adjoint is the
convolution with the same weights, in which what was read behind an edge is added to where it came
from. Filters of one axis, and those made of them, are filters of several with axes of one point.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Scalar, Type, fresh, is_complex
from ..registry import call, constant, in_argument, rank_of, result, rule, unsupported
from ..sequences import nested
from ..sizes import decided, dtype_of, normal, shape_at
from .signal import S, array

N: Any = importlib.import_module("scipy.ndimage")


def _mode(mode: Any) -> Any:
    mode = decided(mode)
    for m in [mode] if isinstance(mode, str) else mode:
        if m not in runtime.EDGES:
            raise unsupported(f"mode={m!r}")
    return mode if isinstance(mode, str) else tuple(mode)


def _image(g: Any, x: Any, w: Any, mode: Any, origin: Any, turned: bool = False) -> Any:
    """The cotangent of the image."""
    weights = np.flip(w) if turned else w
    spread = call(S.convolve, g, weights)
    return call(runtime.folded_in, spread, x, w, _mode(mode), origin, turned)


def _weights(
    g: Any, x: Any, w: Any, mode: Any, cval: Any, origin: Any, turned: bool = False
) -> Any:
    """The cotangent of the weights."""
    whole = call(runtime.extended, x, w, _mode(mode), cval, origin, turned)
    c = call(S.correlate, whole, g, mode="valid")
    return np.flip(c) if turned else c


def _real(*xs: Any) -> None:
    if any(is_complex(type_of(x)) is not False for x in xs):
        raise unsupported("a filter of complex numbers", "filter the parts")


def _filter(fn: Any, turned: bool) -> None:
    @rule(fn, order="input weights output mode cval origin axes")
    def filtered(
        g: Any,
        y: Any,
        input: Any,
        weights: Any,
        mode: Any = "reflect",
        cval: Any = 0.0,
        origin: Any = 0,
    ) -> Any:
        w = array(weights)
        _real(input, w)
        of_w = _weights(g, input, w, mode, cval, origin, turned)
        return _image(g, input, w, mode, origin, turned), nested(of_w, weights)


_filter(N.correlate, False)
_filter(N.convolve, True)


def _filter1d(fn: Any, turned: bool) -> None:
    @rule(fn, order="input weights axis output mode cval origin")
    def filtered(
        g: Any,
        y: Any,
        input: Any,
        weights: Any,
        axis: Any = -1,
        mode: Any = "reflect",
        cval: Any = 0.0,
        origin: Any = 0,
    ) -> Any:
        w = array(weights)
        _real(input, w)
        rank = rank_of(input)
        at = normal(decided(axis), rank)
        wide = call(runtime.along_axis, w, rank, at)
        origins = tuple(origin if i == at else 0 for i in range(rank))
        of_w = _weights(g, input, wide, mode, cval, origins, turned)
        return _image(g, input, wide, mode, origins, turned), nested(np.ravel(of_w), weights)


_filter1d(N.correlate1d, False)
_filter1d(N.convolve1d, True)


def _along(g: Any, x: Any, w: Any, axis: int, mode: Any, origin: Any = 0) -> Any:
    """The adjoint of a correlation with the weights `w` along one axis."""
    rank = rank_of(x)
    origins = tuple(origin if i == axis else 0 for i in range(rank))
    return _image(g, x, call(runtime.along_axis, w, rank, axis), mode, origins)


@rule(N.gaussian_filter1d, order="input sigma axis order output mode cval truncate")
def gaussian_filter1d(
    g: Any,
    y: Any,
    input: Any,
    sigma: Any,
    axis: Any = -1,
    order: Any = 0,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    radius: Any = None,
) -> Any:
    _real(input)
    at = normal(decided(axis), rank_of(input))
    w = call(runtime.gaussian_weights, input, sigma, order, truncate, radius)
    return _along(g, input, w, at, mode), in_argument(N.gaussian_filter1d, 1)


def _each(value: Any, count: int) -> list[Any]:
    value = decided(value)
    return list(value) if isinstance(value, tuple | list) else [value] * count


def _axes(axes: Any, rank: int) -> list[int]:
    axes = decided(axes)
    if axes is None:
        return list(range(rank))
    return [normal(a, rank) for a in ((axes,) if isinstance(axes, int) else axes)]


@rule(N.gaussian_filter, order="input sigma order output mode cval truncate")
def gaussian_filter(
    g: Any,
    y: Any,
    input: Any,
    sigma: Any,
    order: Any = 0,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
    radius: Any = None,
    axes: Any = None,
) -> Any:
    _real(input)
    at = _axes(axes, rank_of(input))
    t = type_of(sigma)
    one = isinstance(t, Scalar) or (isinstance(t, Array) and t.shape == ())
    sigmas = [sigma if one else sigma[i] for i in range(len(at))]
    parts = (_each(order, len(at)), _each(mode, len(at)), _each(radius, len(at)))
    for axis, s, o, m, r in zip(at, sigmas, *parts, strict=True):
        if isinstance(s, int | float) and s <= 1e-15:  # such an axis is left alone
            continue
        w = call(runtime.gaussian_weights, input, s, o, truncate, r)
        g = _along(g, input, w, axis, m)
    return g, in_argument(N.gaussian_filter, 1)


@rule(N.uniform_filter1d, order="input size axis output mode cval origin")
def uniform_filter1d(
    g: Any,
    y: Any,
    input: Any,
    size: Any,
    axis: Any = -1,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    _real(input)
    at = normal(decided(axis), rank_of(input))
    w = call(runtime.mean_weights, input, size)
    return _along(g, input, w, at, mode, origin), None


@rule(N.uniform_filter, order="input size output mode cval origin")
def uniform_filter(
    g: Any,
    y: Any,
    input: Any,
    size: Any = 3,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    axes: Any = None,
) -> Any:
    _real(input)
    at = _axes(axes, rank_of(input))
    for axis, n, m, o in zip(
        *(at, _each(size, len(at)), _each(mode, len(at)), _each(origin, len(at))), strict=True
    ):
        if n > 1:
            g = _along(g, input, call(runtime.mean_weights, input, n), axis, m, o)
    return g


def _derivative(fn: Any, across: tuple[float, ...]) -> None:
    """Sobel's and Prewitt's filters: a difference along an axis, a mean across the others."""

    @rule(fn, order="input axis output mode cval")
    def filtered(
        g: Any, y: Any, input: Any, axis: Any = -1, mode: Any = "reflect", cval: Any = 0.0
    ) -> Any:
        _real(input)
        rank = rank_of(input)
        at = normal(decided(axis), rank)
        for i, m in enumerate(_each(mode, rank)):
            w = (-1.0, 0.0, 1.0) if i == at else across
            g = _along(g, input, _fixed(input, w), i, m)
        return g


def _fixed(x: Any, w: tuple[float, ...]) -> Any:
    """Weights in the precision of `x`."""
    return np.array(w, dtype_of(type_of(x)))


_derivative(N.sobel, (1.0, 2.0, 1.0))
_derivative(N.prewitt, (1.0, 1.0, 1.0))


@rule(N.laplace, order="input output mode cval")
def laplace(
    g: Any, y: Any, input: Any, mode: Any = "reflect", cval: Any = 0.0, axes: Any = None
) -> Any:
    _real(input)
    at = _axes(axes, rank_of(input))
    w = _fixed(input, (1.0, -2.0, 1.0))
    parts = [_along(g, input, w, i, m) for i, m in zip(at, _each(mode, len(at)), strict=True)]
    return sum(parts[1:], parts[0])


@rule(N.gaussian_laplace, order="input sigma output mode cval")
def gaussian_laplace(
    g: Any,
    y: Any,
    input: Any,
    sigma: Any,
    mode: Any = "reflect",
    cval: Any = 0.0,
    axes: Any = None,
    truncate: Any = 4.0,
) -> Any:
    parts = [
        gaussian_filter(g, y, input, sigma, order, m, cval, truncate)[0]
        for order, m in _along_each(input, 2, mode, axes)
    ]
    return sum(parts[1:], parts[0]), in_argument(N.gaussian_laplace, 1)


@rule(N.gaussian_gradient_magnitude, order="input sigma output mode cval")
def gaussian_gradient_magnitude(
    g: Any,
    y: Any,
    input: Any,
    sigma: Any,
    mode: Any = "reflect",
    cval: Any = 0.0,
    axes: Any = None,
    truncate: Any = 4.0,
) -> Any:
    share, parts = np.where(np.equal(y, 0.0), 0.0, g) / np.where(np.equal(y, 0.0), 1.0, y), []
    for order, m in _along_each(input, 1, mode, axes):
        how = {"order": order, "mode": m, "cval": cval, "truncate": truncate}
        own = share * call(N.gaussian_filter, input, sigma, **how)
        parts.append(gaussian_filter(own, y, input, sigma, order, m, cval, truncate)[0])
    return sum(parts[1:], parts[0]), in_argument(N.gaussian_gradient_magnitude, 1)


def _along_each(x: Any, times: int, mode: Any, axes: Any) -> list[tuple[tuple[int, ...], Any]]:
    """For each axis: how often a filter differentiates along each, and its mode."""
    if axes is not None:
        raise unsupported("a derivative along some of the axes, `axes=`", "write gaussian_filter")
    rank = rank_of(x)
    orders = [tuple(times if i == k else 0 for i in range(rank)) for k in range(rank)]
    return list(zip(orders, _each(mode, rank), strict=True))


# ---- the helpers of the rules above

constant(runtime.gaussian_weights, runtime.mean_weights)


@rule(runtime.extended)
def extended(g: Any, y: Any, x: Any, w: Any, mode: Any, cval: Any, origin: Any, turned: Any) -> Any:
    """What lies behind an edge that is filled is a constant."""
    bar = call(runtime.folded_in, g, x, w, mode, origin, turned)
    return (bar, *(None,) * 5)


@rule(runtime.folded_in)
def folded_in(g: Any, y: Any, c: Any, x: Any, w: Any, mode: Any, origin: Any, turned: Any) -> Any:
    return (call(runtime.extended, g, w, mode, 0.0, origin, turned), *(None,) * 5)


@rule(runtime.along_axis)
def along_axis(g: Any, y: Any, w: Any, rank: Any, axis: Any) -> Any:
    return np.ravel(g), None, None


# ---- types


@result(
    *(N.correlate, N.convolve, N.correlate1d, N.convolve1d, N.gaussian_filter1d),
    *(N.gaussian_filter, N.uniform_filter1d, N.uniform_filter, N.sobel, N.prewitt, N.laplace),
    *(N.gaussian_laplace, N.gaussian_gradient_magnitude),
)
def _as_input(input: Any, *rest: Any, output: Any = None, **how: Any) -> Type:
    t = type_of(input)
    known = isinstance(t, Array) and t.dtype is not None and output is None
    return Array(t.dtype, t.shape) if known and isinstance(t, Array) else UNKNOWN


@result(runtime.extended)
def _extended(x: Any, *rest: Any) -> Type:
    t, shape = type_of(x), shape_at(x)
    if not isinstance(t, Array) or shape is None:
        return UNKNOWN
    return Array(t.dtype, tuple(fresh() for _ in shape))


@result(runtime.folded_in)
def _folded(c: Any, x: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_at(x))


@result(runtime.along_axis)
def _wide(w: Any, rank: Any, axis: Any) -> Type:
    shape = shape_at(w)
    if shape is None or not isinstance(rank, int) or not isinstance(axis, int):
        return UNKNOWN
    sizes = tuple(shape[0] if i == axis else 1 for i in range(rank))
    return Array(dtype_of(type_of(w)), sizes)


@result(runtime.gaussian_weights, runtime.mean_weights)
def _made_weights(x: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(x)), (fresh(),))


# ---- further files of this sub-package, which need what is above

for _name in ("warps", "ranked", "regions"):
    importlib.import_module(f"{__package__}.{_name}")
