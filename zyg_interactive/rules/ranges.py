"""Numbers in equal steps: linear in their ends, or linear in the logarithms of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.core import type_of
from ..ir.types import Array, Tuple, Type, broadcast
from .nondifferentiable import dtype_from
from .registry import call, conj, result, rule, unsupported
from .sizes import decided, dtype_after, dtype_of, normal, shape_at, size_of


def _shares(g: Any, num: Any, endpoint: Any) -> Any:
    """How far along each number is, from 0 to 1."""
    kind = dtype_of(type_of(g))
    real = None if kind is None or kind.kind not in "fc" else np.zeros(0, kind).real.dtype
    return call(np.linspace, 0.0, 1.0, num, endpoint=endpoint, dtype=real)


@rule(np.linspace, broadcasts=True, order="start stop num endpoint retstep dtype axis")
def linspace(
    g: Any,
    y: Any,
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    axis: Any = 0,
) -> Any:
    step = None
    if retstep:
        g, step = g[0], g[1]
    low = high = None
    if g is not None:
        t = _shares(g, num, endpoint)
        low = np.tensordot(1.0 - t, g, axes=(0, axis))
        high = np.tensordot(t, g, axes=(0, axis))
    if step is not None:
        share = step / (num - 1 if endpoint else num)
        low = -share if low is None else low - share
        high = share if high is None else high + share
    return low, high


@rule(np.logspace, order="start stop num endpoint base? dtype axis")
def logspace(
    g: Any,
    y: Any,
    start: Any,
    stop: Any,
    base: Any,
    num: Any = 50,
    endpoint: Any = True,
    axis: Any = 0,
) -> Any:
    if shape_at(start) != () or shape_at(stop) != () or shape_at(base) not in ((), None):
        raise unsupported("`np.logspace` of arrays", "write base ** np.linspace(...)")
    b = 10.0 if base is None else base
    t = _shares(g, num, endpoint)
    c = g * conj(y * np.log(b))
    base_bar = None
    if base is not None:
        powers = start * (1.0 - t) + stop * t
        base_bar = np.sum(g * conj(y * powers / b))
    return np.sum(c * (1.0 - t)), np.sum(c * t), base_bar


@rule(np.geomspace, order="start stop num endpoint dtype axis")
def geomspace(
    g: Any,
    y: Any,
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    axis: Any = 0,
) -> Any:
    if shape_at(start) != () or shape_at(stop) != ():
        raise unsupported("`np.geomspace` of arrays", "write np.exp(np.linspace(...))")
    t = _shares(g, num, endpoint)
    c = g * conj(y)
    return np.sum(c * (1.0 - t)) / conj(start), np.sum(c * t) / conj(stop)


@rule(np.arange)
def arange(g: Any, y: Any, *ends: Any, dtype: Any = None, device: Any = None) -> Any:
    """The number i is `start + i step`; where it ends does not move them."""
    if len(ends) == 1:
        return (None,)
    i = call(np.arange, np.shape(g)[0], dtype=dtype_of(type_of(g)))
    return np.sum(g), None, *((np.sum(g * i),) if len(ends) > 2 else ())


# ---- types


@result(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    dtype: Any = None,
    axis: Any = 0,
) -> Type:
    ends = broadcast(shape_at(start), shape_at(stop))
    own = [dtype_of(type_of(v)) for v in (start, stop)]
    kind = dtype_after(np.linspace, *own) if dtype is None else dtype_from(dtype, float)
    if ends is None:
        return Array(kind, None)
    i = normal(decided(axis), len(ends) + 1)
    made = Array(kind, (*ends[:i], size_of(num), *ends[i:]))
    return Tuple((made, Array(dtype_after(np.linspace, *own), ends))) if decided(retstep) else made


@result(np.logspace, np.geomspace)
def _spaced(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    *rest: Any,
    dtype: Any = None,
    **more: Any,
) -> Type:
    if dtype is not None or shape_at(start) != () or shape_at(stop) != ():
        return Array(None, None)
    kinds = [dtype_of(type_of(v)) for v in (start, stop)]
    return Array(dtype_after(np.linspace, *kinds), (size_of(num),))
