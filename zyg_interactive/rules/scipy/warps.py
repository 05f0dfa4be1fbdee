"""Images that are moved, turned, scaled or read at given places: in the image, and in the places.

Each reads the image at places that follow from its arguments (`grids`). They are computed in the
order of SciPy's own sums: on an edge the last bit tells whether a place is inside.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...diagnostics import refuse
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, fresh, shape_of
from ..nondifferentiable import shape_from
from ..registry import call, constant, in_argument, in_precision, rank_of, result, rule, unsupported
from ..sequences import nested
from ..sizes import decided, dtype_of, normal, shape_at
from .grids import (
    MODES,
    N,
    coefficients,
    filtered_back,
    frame,
    sampled,
    spread,
    to_points,
)
from .signal import array

SPECIAL: Any = importlib.import_module("scipy.special")
# Whether `zoom` by one returns the image itself, in this release.
_TWO = np.array([0.3, 1.7])
KEPT = bool(np.array_equal(N.zoom(_TWO, 1, mode="reflect"), _TWO))


def _how(order: Any, mode: Any, prefilter: Any) -> tuple[int, str, bool]:
    mode = decided(mode)
    if mode not in MODES:
        raise unsupported(f"mode={mode!r}")
    return int(decided(order)), mode, bool(decided(prefilter))


@rule(N.map_coordinates, order="input coordinates output order mode cval prefilter")
def map_coordinates(
    g: Any,
    y: Any,
    input: Any,
    coordinates: Any,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    return sampled(g, input, coordinates, cval, *_how(order, mode, prefilter))


@rule(N.shift, order="input shift output order mode cval prefilter")
def shift(
    g: Any,
    y: Any,
    input: Any,
    shift: Any,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    by = array(shift)
    t = call(affine_places, call(np.ones, rank_of(input)), -by, np.shape(input))
    x_bar, t_bar = sampled(g, input, t, cval, *_how(order, mode, prefilter))
    return x_bar, nested(call(runtime.unbroadcast, -_total(t_bar, input), by), shift)


def _total(t_bar: Any, x: Any) -> Any:
    """The sum over all places, one for each axis."""
    return np.sum(t_bar, axis=tuple(range(1, rank_of(x) + 1)))


@rule(
    N.affine_transform,
    order="input matrix offset? output_shape output order mode cval prefilter",
)
def affine_transform(
    g: Any,
    y: Any,
    input: Any,
    matrix: Any,
    offset: Any,
    output_shape: Any = None,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    by, start = array(matrix), array(0.0 if offset is None else offset)
    t = call(affine_places, by, start, np.shape(y))
    x_bar, t_bar = sampled(g, input, t, cval, *_how(order, mode, prefilter))
    of_matrix, of_start = affine_places_rule(t_bar, t, by, start, None)[:2]
    return x_bar, nested(of_matrix, matrix), None if offset is None else nested(of_start, offset)


@rule(N.rotate, order="input angle axes reshape output order mode cval prefilter")
def rotate(
    g: Any,
    y: Any,
    input: Any,
    angle: Any,
    axes: Any = (1, 0),
    reshape: Any = True,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    if rank_of(input) != 2:
        raise unsupported("`rotate` of more than two axes", "turn the planes one by one")
    t = call(turned_places, angle, np.shape(input), np.shape(y))
    x_bar, t_bar = sampled(g, input, t, cval, *_how(order, mode, prefilter))
    return x_bar, turned_places_rule(t_bar, t, angle, np.shape(input), np.shape(y))[0]


@rule(N.zoom, order="input zoom output order mode cval prefilter")
def zoom(
    g: Any,
    y: Any,
    input: Any,
    zoom: Any,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
    grid_mode: Any = False,
) -> Any:
    how = (*_how(order, mode, prefilter), bool(decided(grid_mode)))
    return call(zoomed_back, g, input, zoom, *how), in_argument(N.zoom, 1)


def zoomed_back(
    g: Any, x: Any, zoom: Any, order: int, mode: str, prefilter: bool, grid_mode: bool
) -> Any:
    """The adjoint of `zoom`. By a factor of one SciPy returns the image itself, which is not what
    its splines are there in every mode.
    """
    if KEPT and prefilter and np.all(np.equal(zoom, 1)):
        return g.copy()
    t = scaled_places(x.shape, g.shape, grid_mode) + frame(order, mode, prefilter)
    c = coefficients(x, order, mode, prefilter)
    c_bar = spread(g, t, c, order, mode, (0,) * x.ndim)
    return to_points(c_bar, x, order, mode, prefilter).astype(np.result_type(g, x), copy=False)


@rule(zoomed_back)
def zoomed_back_rule(
    g: Any,
    y: Any,
    c: Any,
    x: Any,
    zoom: Any,
    order: Any,
    mode: Any,
    prefilter: Any,
    grid_mode: Any,
) -> Any:
    how = {"order": order, "mode": mode, "prefilter": prefilter, "grid_mode": grid_mode}
    return (call(N.zoom, g, zoom, **how), *(None,) * 6)


@rule(N.spline_filter1d, order="input order axis output mode")
def spline_filter1d(
    g: Any, y: Any, input: Any, order: Any = 3, axis: Any = -1, mode: Any = "mirror"
) -> Any:
    how, at, edge = _filter_of(input, order, axis, mode)
    return in_precision(call(filtered_back, g, how, at, edge), input)


@rule(N.spline_filter, order="input order output mode")
def spline_filter(g: Any, y: Any, input: Any, order: Any = 3, mode: Any = "mirror") -> Any:
    for i in range(rank_of(input)):
        g = call(filtered_back, g, *_filter_of(input, order, i, mode))
    return in_precision(g, input)


def _filter_of(x: Any, order: Any, axis: Any, mode: Any) -> tuple[int, int, str]:
    return int(decided(order)), normal(decided(axis), rank_of(x)), decided(mode)


@rule(filtered_back)
def filtered_back_rule(g: Any, y: Any, c: Any, order: Any, axis: Any, mode: Any) -> Any:
    return call(N.spline_filter1d, g, order, axis, mode=mode), None, None, None


# ---- places


def affine_places(matrix: Any, offset: Any, shape: Any) -> Any:
    """Where `affine_transform` reads for the points of `shape`; without the offset if it is
    None.
    """
    matrix = np.asarray(matrix, float)
    grid = np.indices(shape, float)
    if matrix.ndim == 2 and matrix.shape[1] != len(shape):
        raise refuse(
            "ZYG302",
            "`affine_transform` with a matrix of homogeneous coordinates has no gradient rule",
            None,
            "give it the square matrix and the offset",
        )
    start = np.broadcast_to(0.0 if offset is None else offset, (len(matrix),))
    found = []
    for row, first, own in zip(matrix, start, range(len(matrix)), strict=True):
        if matrix.ndim == 1:
            found.append(row * (grid[own] + first / row) if offset is not None else row * grid[own])
            continue
        at = np.zeros(shape)
        for entry, along in zip(row, grid, strict=True):
            at = at + along * entry
        found.append(at + first)
    return np.stack(found)


@rule(affine_places)
def affine_places_rule(g: Any, t: Any, matrix: Any, offset: Any, shape: Any) -> Any:
    of_matrix = call(of_affine, g, matrix)
    if offset is None:
        return of_matrix, None, None
    axes = tuple(range(1, rank_of(g)))
    return of_matrix, call(runtime.unbroadcast, np.sum(g, axis=axes), offset), None


def of_affine(g: Any, matrix: Any) -> Any:
    """The adjoint of `affine_places` in the matrix."""
    grid = np.indices(g.shape[1:], float)
    axes = tuple(range(1, g.ndim))
    if np.ndim(matrix) == 1:
        return np.sum(g * grid, axis=axes)
    return np.tensordot(g, grid, axes=(axes, axes))


@rule(of_affine)
def of_affine_rule(c: Any, y: Any, g: Any, matrix: Any) -> Any:
    return call(affine_places, c, None, np.shape(g)[1:]), None


def turned_places(angle: Any, of: Any, shape: Any) -> Any:
    """Where `rotate` reads in an image of the shape `of`."""
    c, s = SPECIAL.cosdg(angle), SPECIAL.sindg(angle)
    matrix = np.array([[c, s], [-s, c]])
    middle = matrix @ ((np.asarray(shape) - 1) / 2)
    return affine_places(matrix, (np.asarray(of) - 1) / 2 - middle, tuple(shape))


@rule(turned_places)
def turned_places_rule(g: Any, t: Any, angle: Any, of: Any, shape: Any) -> Any:
    """A rotation turns into its derivative by a right angle."""
    ahead = call(turned_places, angle + 90.0, of, shape)
    middle = call(middle_of, of)
    return np.sum(g * (ahead - middle)) * (np.pi / 180.0), None, None


def middle_of(of: Any) -> Any:
    return ((np.asarray(of, float) - 1) / 2)[:, None, None]


def scaled_places(of: Any, shape: Any, grid_mode: bool) -> Any:
    """Where `zoom` reads in an image of the shape `of`."""
    less = 0 if grid_mode else 1
    found = []
    for own, n, m in zip(np.indices(shape, float), of, shape, strict=True):
        by = (n - less) / (m - less) if m != less else 1.0
        found.append((own + 0.5) * by - 0.5 if grid_mode else own * by)
    return np.stack(found)


constant(middle_of)


# ---- types


@result(N.map_coordinates)
def _mapped(input: Any, coordinates: Any, output: Any = None, *rest: Any, **how: Any) -> Type:
    shape = shape_at(coordinates)
    if shape is None or output is not None:
        return UNKNOWN
    return Array(dtype_of(type_of(input)), shape[1:])


@result(N.shift)
def _shifted(input: Any, shift: Any, output: Any = None, *rest: Any, **how: Any) -> Type:
    t = type_of(input)
    return Array(t.dtype, t.shape) if isinstance(t, Array) and output is None else UNKNOWN


@result(N.affine_transform, N.rotate, N.zoom)
def _resized(input: Any, *rest: Any, output: Any = None, **how: Any) -> Type:
    t, shape = type_of(input), shape_of(type_of(input))
    if not isinstance(t, Array) or shape is None or output is not None or len(rest) > 2:
        return UNKNOWN
    return Array(t.dtype, tuple(fresh() for _ in shape))


@result(N.spline_filter1d, N.spline_filter)
def _filtered(input: Any, *rest: Any, output: Any = None, **how: Any) -> Type:
    kind = dtype_of(type_of(input))
    if kind is None or output is not None or len(rest) > 1:
        return UNKNOWN
    return Array(np.result_type(kind, float), shape_at(input))


@result(filtered_back)
def _filtered_back(c: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_at(c))


@result(affine_places)
def _affine_type(matrix: Any, offset: Any, shape: Any) -> Type:
    sizes, own = shape_from(shape), shape_at(matrix)
    if sizes is None or own is None:
        return UNKNOWN
    return Array(np.dtype(float), (own[0], *sizes))


@result(of_affine)
def _of_affine_type(g: Any, matrix: Any) -> Type:
    return Array(np.dtype(float), shape_at(matrix))


@result(turned_places)
def _turned_type(angle: Any, of: Any, shape: Any) -> Type:
    sizes = shape_from(shape)
    return UNKNOWN if sizes is None else Array(np.dtype(float), (len(sizes), *sizes))


@result(zoomed_back)
def _zoomed_back(g: Any, x: Any, *rest: Any) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (g, x)]
    return Array(None if None in kinds else np.result_type(*kinds), shape_at(x))


@result(middle_of)
def _middle_type(of: Any) -> Type:
    return Array(np.dtype(float), (2, 1, 1))
