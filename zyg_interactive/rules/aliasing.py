"""Which operations give an array that shares its buffer with an argument."""

from __future__ import annotations

import builtins
import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Atom, Function, Marker, Value, type_of
from ..ir.types import Array, Const, Other, Scalar, Tuple, Unknown
from .registry import lookup

# Always a view, writable where the array is.
VIEWS: set[Any] = {
    *(np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims, np.squeeze),
    *(np.flip, np.fliplr, np.flipud, np.matrix_transpose, runtime.bound),
}
# A view, the array itself, or a copy, as it happens; or a view that cannot be written.
ALIASING: set[Any] = {
    *VIEWS,
    *(np.reshape, np.ravel, np.asarray, np.asanyarray, np.ascontiguousarray),
    *(np.asfortranarray, np.require, np.atleast_1d, np.atleast_2d, np.atleast_3d),
    *(np.broadcast_to, np.broadcast_arrays, np.diagonal, np.real, np.imag, np.rot90),
    *(np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.trim_zeros),
    *(np.einsum, np.real_if_close, np.meshgrid, np.linalg.diagonal, np.linalg.matrix_transpose),
    *(np.lib.stride_tricks.as_strided, np.lib.stride_tricks.sliding_window_view),
    *(builtins.list, builtins.tuple, builtins.reversed, builtins.sorted, builtins.zip),
    *(builtins.enumerate, builtins.max, builtins.min, builtins.iter),
    *(runtime.add, runtime.match, runtime.unbroadcast, runtime.as_dtype, runtime.finished),
    runtime.real_where,
}


def aliases(fn: Any, args: tuple[Atom, ...], static: dict[str, Any]) -> bool:
    """Whether arrays in the result may share a buffer with one in the arguments."""
    if isinstance(fn, Function | Marker):
        return False
    if fn is operator.getitem:
        return isinstance(type_of(args[0]), Array) and is_view_index(args[1]) is not False
    if fn in ALIASING:
        return True
    if fn is np.array or fn is runtime.astype:
        return static.get("copy", True) is not True
    if fn is np.nan_to_num:
        return static.get("copy", True) is not True
    if isinstance(fn, np.ufunc) or lookup(fn) is not None:
        return False
    module = getattr(fn, "__module__", None) or ""
    return not (module.startswith(("_operator", "operator", "zyg_interactive.runtime")))


def is_view_index(index: Atom) -> bool | None:
    """Whether `x[index]` is a view (or an element) of `x`; None where only the run knows."""
    t = type_of(index)
    if isinstance(index, Value) and isinstance(t, Tuple):
        parts: list[Any] = [Value(None, i) for i in t.items]
    else:
        parts = list(index) if isinstance(index, tuple) else [index]
    told = [_selects_simply(p) for p in parts]
    return False if False in told else None if None in told else True


def _selects_simply(part: Atom) -> bool | None:
    if part is None or part is Ellipsis or isinstance(part, slice):
        return True
    t = type_of(part)
    match t:
        case Scalar(kind=kind):
            return kind == "int"
        case Other(cls=cls):
            return True if cls is slice else None
        case Const(value=value):
            return True if value is None or value is Ellipsis or isinstance(value, slice) else False
        case Array(dtype=dtype, shape=shape):
            if shape is None or dtype is None:
                return None
            return shape == () and dtype.kind in "iu"
        case Unknown():
            return None
    return False
