"""Floating-point numbers taken apart, put together, cleaned: `modf`, `ldexp`, `copysign`,
`nan_to_num`; and the functions that go on with complex numbers where the real ones end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Tuple, Type, broadcast, is_complex
from .elementwise import below
from .reductions import cut
from .registry import call, constant, elementwise_rule, result, rule
from .sizes import decided, dtype_of, promoted, reduced, shape_at

constant(np.spacing, np.fix, np.around)


@rule(np.modf)
def modf(g: Any, y: Any, x: Any) -> Any:
    return g[0]


@rule(np.frexp)
def frexp(g: Any, y: Any, x: Any) -> Any:
    return None if g[0] is None else np.ldexp(g[0], -y[1])


@rule(np.ldexp, broadcasts=True)
def ldexp(g: Any, y: Any, x: Any, i: Any) -> Any:
    return np.ldexp(g, i), None


@rule(np.nextafter, broadcasts=True)
def nextafter(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g, None


@rule(np.copysign, broadcasts=True)
def copysign(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * np.sign(a) * np.sign(y), None


@rule(np.heaviside, broadcasts=True)
def heaviside(g: Any, y: Any, x: Any, at_zero: Any) -> Any:
    return None, np.where(np.equal(x, 0), g, 0.0)


@rule(np.divmod, broadcasts=True)
def divmod_(g: Any, y: Any, a: Any, b: Any) -> Any:
    rest = g[1]
    return (None, None) if rest is None else (rest, -rest * y[0])


elementwise_rule(
    np.logaddexp2,
    lambda y, a, b: np.exp2(below(a, y)),
    lambda y, a, b: np.exp2(below(b, y)),
)


@rule(np.nan_to_num, order="x copy nan posinf neginf")
def nan_to_num(
    g: Any,
    y: Any,
    x: Any,
    copy: Any = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    if is_complex(type_of(x)) is False:
        return np.where(np.isfinite(x), g, 0.0)
    real = np.where(np.isfinite(np.real(x)), np.real(g), 0.0)
    return real + 1j * np.where(np.isfinite(np.imag(x)), np.imag(g), 0.0)


@rule(np.real_if_close)
def real_if_close(g: Any, y: Any, a: Any, tol: Any = 100) -> Any:
    return g


# ---- with complex results where there is no real one

elementwise_rule(np.emath.sqrt, lambda y, x: np.divide(0.5, y))
elementwise_rule(np.emath.log, lambda y, x: np.divide(1.0, x))
elementwise_rule(np.emath.log2, lambda y, x: np.divide(1.0 / math.log(2.0), x))
elementwise_rule(np.emath.log10, lambda y, x: np.divide(1.0 / math.log(10.0), x))


# ---- reduced by ufuncs


@rule(np.logaddexp.reduce, order="array axis dtype out keepdims")
def logaddexp_reduce(g: Any, y: Any, array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    g, y = (_restored(v, array, axis, keepdims) for v in (g, y))
    return g * np.exp(below(array, y))


@rule(np.hypot.reduce, order="array axis dtype out keepdims")
def hypot_reduce(g: Any, y: Any, array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    g, y = (_restored(v, array, axis, keepdims) for v in (g, y))
    return np.divide(g, np.where(np.equal(y, 0), 1.0, y)) * array


@rule(np.subtract.reduce, order="array axis dtype out keepdims")
def subtract_reduce(g: Any, y: Any, array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    at = decided(axis)
    c = np.broadcast_to(_restored(g, array, axis, keepdims), np.shape(array))
    parts = [cut(c, at, (None, 1)), -cut(c, at, (1, None))]
    return call(np.concatenate, parts, axis=at)


def _restored(v: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    return v if keepdims or axis is None else np.expand_dims(v, axis)


@result(np.logaddexp.reduce, np.hypot.reduce, np.subtract.reduce)
def _reduced(array: Any, axis: Any = 0, keepdims: Any = False, **rest: Any) -> Type:
    kind = dtype_of(type_of(array))
    known = kind is not None and kind.kind in "fc" and not rest
    return Array(kind, reduced(shape_at(array), axis, keepdims)) if known else UNKNOWN


# ---- types


def _pair(second: Any) -> Any:
    def how(*args: Any, **rest: Any) -> Type:
        shape = broadcast(*map(shape_at, args))
        kind = promoted(*args)
        if rest or kind is None:
            return UNKNOWN
        kind = kind if kind.kind == "f" else np.dtype(float)
        return Tuple((Array(kind, shape), Array(kind if second is None else second, shape)))

    return how


result(np.modf)(_pair(None))
result(np.frexp)(_pair(np.dtype(np.int32)))


@result(np.divmod)
def _divmod(a: Any, b: Any, **rest: Any) -> Type:
    kind, shape = promoted(a, b), broadcast(shape_at(a), shape_at(b))
    return UNKNOWN if rest or kind is None else Tuple((Array(kind, shape),) * 2)


@result(np.nan_to_num)
def _cleaned(x: Any, *args: Any, **rest: Any) -> Type:
    kind = dtype_of(type_of(x))
    return Array(kind, shape_at(x))


@result(np.real_if_close)
def _perhaps_real(a: Any, tol: Any = 100) -> Type:
    kind = dtype_of(type_of(a))
    real = kind is not None and kind.kind == "f"
    return Array(kind if real else None, shape_at(a))


@result(np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10)
def _perhaps_complex(x: Any) -> Type:
    kind = dtype_of(type_of(x))
    known = kind is not None and kind.kind == "c"
    return Array(kind if known else None, shape_at(x))
