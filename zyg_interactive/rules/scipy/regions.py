"""What is measured in the labelled regions of an image, and what tells places alone."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...diagnostics import refuse
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, is_complex
from ..registry import call, constant, named, result, rule, unsupported
from ..sizes import dtype_of, shape_at

N: Any = importlib.import_module("scipy.ndimage")

constant(
    *named(
        "label find_objects binary_closing binary_dilation binary_erosion binary_fill_holes "
        "binary_hit_or_miss binary_opening binary_propagation generate_binary_structure "
        "iterate_structure maximum_position minimum_position value_indices watershed_ift",
        N,
    )
)


def _distances(fn: Any) -> None:
    """They follow from which points are not zero."""

    @rule(fn, order="input sampling? return_distances return_indices distances indices")
    def transformed(
        g: Any,
        y: Any,
        input: Any,
        sampling: Any,
        return_distances: Any = True,
        return_indices: Any = False,
    ) -> Any:
        return None, unsupported(f"`{fn.__name__}` in its `sampling`", "keep that constant")


_distances(N.distance_transform_edt)
constant(N.distance_transform_cdt)


@rule(N.distance_transform_bf, order="input metric sampling?")
def distance_transform_bf(
    g: Any, y: Any, input: Any, sampling: Any, metric: Any = "euclidean"
) -> Any:
    return None, unsupported("`distance_transform_bf` in its `sampling`", "keep that constant")


# ---- sums over regions


def in_regions(g: Any, x: Any, labels: Any, index: Any) -> Any:
    """The adjoint of `sum_labels`."""
    if labels is None:
        return np.full(x.shape, g)
    labels = np.asarray(labels)
    if np.broadcast_shapes(labels.shape, x.shape) != x.shape:
        raise refuse("ZYG302", "an image that is smaller than its labels has no gradient", None)
    if index is None:
        found = np.where(labels > 0, g, 0.0)
    else:
        own, where = np.unique(np.ravel(index), return_inverse=True)
        shares = np.zeros(len(own), np.result_type(g))
        np.add.at(shares, np.ravel(where), np.ravel(g))
        at = np.minimum(np.searchsorted(own, labels), len(own) - 1)
        found = np.where(own[at] == labels, shares[at], 0.0)
    return np.broadcast_to(found, x.shape).astype(np.result_type(g), copy=True)


@rule(in_regions)
def _in_regions(c: Any, y: Any, g: Any, x: Any, labels: Any, index: Any) -> Any:
    return call(N.sum_labels, c, labels, index), None, None, None


def _count(x: Any, labels: Any, index: Any) -> Any:
    return call(N.sum_labels, np.ones_like(x), labels, index)


@rule(N.sum_labels, *named("sum", N), order="input labels? index?")
def sum_labels(g: Any, y: Any, input: Any, labels: Any, index: Any) -> Any:
    return call(in_regions, g, input, labels, index), None, None


@rule(N.mean, order="input labels? index?")
def mean(g: Any, y: Any, input: Any, labels: Any, index: Any) -> Any:
    share = g / _count(input, labels, index)
    return call(in_regions, share, input, labels, index), None, None


@rule(N.variance, order="input labels? index?")
def variance(g: Any, y: Any, input: Any, labels: Any, index: Any) -> Any:
    if is_complex(type_of(input)) is not False:
        raise unsupported("the variance of complex numbers", "write that of the parts")
    share = 2.0 * g / _count(input, labels, index)
    middle = call(N.mean, input, labels, index)
    weights = call(in_regions, share, input, labels, index)
    bar = weights * input - call(in_regions, share * middle, input, labels, index)
    return bar, None, None


@rule(N.standard_deviation, order="input labels? index?")
def standard_deviation(g: Any, y: Any, input: Any, labels: Any, index: Any) -> Any:
    """Where all are the same, 0, as `np.std` has it."""
    flat = np.equal(y, 0.0)
    return variance(np.where(flat, 0.0, 0.5 * g / np.where(flat, 1.0, y)), y, input, labels, index)


@result(N.sum_labels, N.mean, N.variance, N.standard_deviation, *named("sum", N))
def _measured(input: Any, labels: Any = None, index: Any = None) -> Type:
    shape = () if index is None else shape_at(index)
    kind = dtype_of(type_of(input))
    double = kind is not None and kind.char == "d"
    return UNKNOWN if shape is None else Array(np.dtype(float) if double else None, shape)


@result(in_regions)
def _spread(g: Any, x: Any, *rest: Any) -> Type:
    return Array(dtype_of(type_of(g)), shape_at(x))
