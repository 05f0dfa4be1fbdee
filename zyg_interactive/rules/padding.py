"""`np.pad` in each of its modes. NumPy pads one axis after the other, so the transpose goes through
them backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import Scalar
from .ranks import spread_quantile
from .reductions import extreme
from .registry import call, rank_of, rule, unsupported
from .shaping import widths_of
from .sizes import along, decided, dtype_of, static

MAPPED = ("edge", "wrap", "reflect", "symmetric", "empty")
LINEAR = ("mean", "linear_ramp", "reflect", "symmetric")


@rule(np.pad, order="array pad_width mode constant_values? end_values?")
def pad(
    g: Any,
    y: Any,
    array: Any,
    pad_width: Any,
    constant_values: Any,
    end_values: Any,
    mode: Any = "constant",
    reflect_type: Any = "even",
    stat_length: Any = None,
) -> Any:
    n = rank_of(array)
    try:
        widths = widths_of(_spelled(static(pad_width), n), n)
    except TypeError:
        raise unsupported("a `pad_width` that only the run knows", "write its numbers") from None
    shape = np.shape(array)
    if callable(mode):
        raise unsupported("`np.pad` with a function", "concatenate the pieces")
    mode = decided(mode)
    if mode in ("constant", "empty"):
        cut = tuple(slice(w, w + shape[i]) for i, (w, _) in enumerate(widths))
        bar = None if constant_values is None else _at_ends(g, constant_values, widths, shape)
        return g[cut], None, bar, None
    if mode in ("maximum", "minimum", "median"):
        for axis in reversed(range(n)):
            g = _through_statistic(g, array, axis, widths, mode, stat_length)
        return g, None, None, None
    odd = mode in ("reflect", "symmetric") and decided(reflect_type) == "odd"
    if mode in ("mean", "linear_ramp") or odd:
        return _linear(g, array, widths, mode, stat_length, odd, end_values)
    if mode not in MAPPED:
        raise unsupported(f"`np.pad` with mode={mode!r}")
    # Each element of the result is one of the array's: pad the places in the same way.
    places = [call(np.pad, call(np.arange, shape[i]), w, mode=mode) for i, w in enumerate(widths)]
    index = call(np.ix_, *places)
    where = tuple(index[i] for i in range(n))
    zeros = call(runtime.zeros_like, array)
    return call(runtime.add_at, zeros, where, g), None, None, None


def _spelled(pad_width: Any, n: int) -> Any:
    """A dict of axes, written out."""
    if not isinstance(pad_width, dict):
        return pad_width
    pairs: list[Any] = [(0, 0)] * n
    for axis, w in pad_width.items():
        pairs[axis] = tuple(w) if isinstance(w, tuple | list) else (w, w)
    return tuple(pairs)


def _regions(g: Any, axis: int, widths: Any, shape: Any) -> tuple[Any, Any]:
    """What padding one axis has written and no later axis has: at both ends."""
    inner = tuple(slice(w, w + shape[i]) for i, (w, _) in enumerate(widths))
    low, high = widths[axis][0], widths[axis][0] + shape[axis]
    before = (*((slice(None),) * axis), slice(None, low), *inner[axis + 1 :])
    after = (*((slice(None),) * axis), slice(high, None), *inner[axis + 1 :])
    return g[before], g[after]


def _at_ends(g: Any, values: Any, widths: Any, shape: Any) -> Any:
    """The cotangent of the numbers that are put at the ends."""
    pairs = [_regions(g, i, widths, shape) for i in range(len(widths))]
    sums = [[np.sum(low), np.sum(high)] for low, high in pairs]
    if isinstance(type_of(values), Scalar) or rank_of(values) == 0:
        return sum(s for pair in sums for s in pair)
    rows = [call(np.stack, pair) for pair in sums]
    return call(runtime.unbroadcast, call(np.stack, rows), values)


def _axis_of_width(axis: int, widths: Any) -> Any:
    return tuple(w if i == axis else (0, 0) for i, w in enumerate(widths))


# ---- linear along each axis


def _linear(
    g: Any, array: Any, widths: Any, mode: str, stat_length: Any, odd: bool, end_values: Any
) -> Any:
    given: dict[str, Any] = {"reflect_type": "odd"} if odd else {}
    if stat_length is not None and mode == "mean":
        given["stat_length"] = stat_length
    if not isinstance(stat_length, int | type(None)):
        raise unsupported("several `stat_length`", "give one number")
    kind = dtype_of(type_of(g))
    if end_values is not None and isinstance(end_values, Value):
        raise unsupported("`end_values` that only the run knows", "write the numbers")
    for axis in reversed(range(rank_of(array))):
        unit = call(np.eye, np.shape(array)[axis], dtype=kind)
        matrix = call(np.pad, unit, (widths[axis], (0, 0)), mode=mode, **given)
        g = np.moveaxis(np.tensordot(matrix, g, axes=((0,), (axis,))), 0, axis)
    return g, None, None, None


# ---- the largest, the least, the middle one


def _through_statistic(
    g: Any, array: Any, axis: int, widths: Any, mode: str, stat_length: Any
) -> Any:
    if not isinstance(stat_length, int | type(None)):
        raise unsupported("several `stat_length`", "give one number")
    given = {} if stat_length is None else {"stat_length": stat_length}
    earlier = tuple(w if i < axis else (0, 0) for i, w in enumerate(widths))
    x = call(np.pad, array, earlier, mode=mode, **given) if axis else array
    n, low = np.shape(x)[axis], widths[axis][0]
    bar = g[along(axis, slice(low, low + n))]
    ends = (slice(None, stat_length), slice(None if stat_length is None else -stat_length, None))
    sides = (slice(None, low), slice(low + n, None))
    for end, side in zip(ends, sides, strict=True):
        part = x[along(axis, end)]
        c = np.sum(g[along(axis, side)], axis=axis, keepdims=True)
        bar = bar + _placed(_of_statistic(c, part, axis, mode), x, axis, end)
    return bar


def _of_statistic(c: Any, x: Any, axis: int, mode: str) -> Any:
    if mode == "median":
        return spread_quantile(c, x, axis)
    best = (np.max if mode == "maximum" else np.min)(x, axis=axis, keepdims=True)
    return extreme(c, best, x, None, axis, True)[0]


def _placed(c: Any, x: Any, axis: int, end: slice) -> Any:
    return call(runtime.add_at, call(runtime.zeros_like, x), along(axis, end), c)
