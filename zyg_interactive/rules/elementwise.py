"""Arithmetic and elementwise functions: Python's operators, `math`, NumPy's ufuncs.

Derivatives are those of M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, chapters 3
and 4. Where a derivative has a pole, `np.divide` and `np.power` are written out: on Python numbers
they become helpers with NumPy's result instead of an exception.
"""

from __future__ import annotations

import cmath
import math
import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import (
    BOOL,
    FLOAT,
    INT,
    NUMBER,
    UNKNOWN,
    Array,
    Const,
    Other,
    Scalar,
    Type,
    broadcast,
    is_complex,
    shape_of,
)
from .registry import conj, elementwise_rule, result, rule, ufunc_result
from .sizes import promoted

# ---- arithmetic

UFUNC_OF = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.true_divide,
    operator.floordiv: np.floor_divide,
    operator.mod: np.remainder,
    operator.pow: np.power,
    operator.neg: np.negative,
    operator.pos: np.positive,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.and_: np.bitwise_and,
    operator.or_: np.bitwise_or,
    operator.xor: np.bitwise_xor,
    operator.invert: np.invert,
    abs: np.absolute,
}
_RANKS = ["bool", "int", "float", "complex"]


def _scalar_result(fn: Any, kinds: list[str]) -> Type:
    top = max(kinds, key=_RANKS.index)
    if fn in (operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne):
        return BOOL
    if fn in (operator.and_, operator.or_, operator.xor) and top == "bool":
        return BOOL
    if fn is operator.truediv:
        return Scalar(top if top == "complex" else "float")
    if fn is operator.pow:
        return Scalar(top) if top in ("float", "complex") else NUMBER if kinds[1] == "int" else INT
    if fn is abs and top == "complex":
        return FLOAT
    return Scalar("int" if top == "bool" else top)


OF_TEXT = (operator.add, operator.mod)


def _is_text(t: Type) -> bool:
    return t == Other(str) or (isinstance(t, Const) and isinstance(t.value, str))


def _operator_result(fn: Any) -> Any:
    def how(*args: Any, **static: Any) -> Type:
        types = [type_of(a) for a in args]
        kinds = [t.kind for t in types if isinstance(t, Scalar)]
        if len(kinds) == len(types):
            if fn is operator.pow and kinds == ["int", "int"]:
                return INT if isinstance(args[1], int) and args[1] >= 0 else Array(None, ())
            return _scalar_result(fn, kinds)
        if fn in OF_TEXT and all(map(_is_text, types[: 1 if fn is operator.mod else 2])):
            return Other(str)
        return ufunc_result(UFUNC_OF[fn], args, static)

    return how


for _fn in UFUNC_OF:
    result(_fn)(_operator_result(_fn))


@rule(np.add, operator.add, operator.iadd, broadcasts=True)
def add(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g, g


@rule(np.subtract, operator.sub, broadcasts=True)
def subtract(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g, -g


@rule(np.multiply, operator.mul, broadcasts=True)
def multiply(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g * conj(b), g * conj(a)


@rule(np.true_divide, operator.truediv, broadcasts=True)
def divide(g: Any, y: Any, a: Any, b: Any) -> Any:
    c = g / conj(b)
    return c, -c * conj(y)


@rule(np.negative, operator.neg)
def negative(g: Any, y: Any, x: Any) -> Any:
    return -g


@rule(np.positive, operator.pos)
def positive(g: Any, y: Any, x: Any) -> Any:
    return g


@rule(np.power, operator.pow, math.pow, np.float_power, broadcasts=True)
def power(g: Any, y: Any, x: Any, p: Any) -> Any:
    return g * conj(_power_in_base(x, p)), g * conj(_power_in_exponent(y, x))


def _power_in_base(x: Any, p: Any) -> Any:
    if not isinstance(p, Value) and np.ndim(p) == 0:
        if p == 0:
            return 0.0
        if p == 1:
            return 1.0
        if p == 2:
            return 2 * x
        whole = float(np.real(p)).is_integer() and np.real(p) > 1
        return p * (x ** (p - 1) if whole else np.power(x, _floating(p) - 1))
    # d x**p / dx = p x**(p-1), and 0 where p is 0, at x = 0 too.
    zero = np.logical_and(np.equal(p, 0), np.equal(x, 0))
    return p * np.power(x * 1.0, np.where(zero, 1.0, p - 1.0))


def _floating(p: Any) -> Any:
    return p if isinstance(p, complex) else float(p)


def _power_in_exponent(y: Any, x: Any) -> Any:
    # x**p log x tends to 0 with x, which the formula does not.
    if isinstance(x, int | float):
        return y * runtime.log(x if x != 0 else 1.0)
    return y * np.log(np.where(np.equal(x, 0), 1.0, x))


@rule(np.square)
def square(g: Any, y: Any, x: Any) -> Any:
    return g * conj(2 * x)


@rule(np.absolute, np.fabs, abs, math.fabs)
def absolute(g: Any, y: Any, x: Any) -> Any:
    return g * np.sign(x)


@rule(np.sign)
def sign(g: Any, y: Any, x: Any) -> Any:
    """Of a real number constant; of a complex one its direction, which turns with it."""
    if is_complex(type_of(x)) is False:
        return None
    size = np.where(np.equal(y, 0), 1.0, np.absolute(x))
    return (g - y * np.real(np.conjugate(y) * g)) / size


@rule(np.remainder, operator.mod, broadcasts=True)
def remainder(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g, -g * np.floor_divide(a, b)


@rule(np.fmod, math.fmod, broadcasts=True)
def fmod(g: Any, y: Any, a: Any, b: Any) -> Any:
    return g, -g * np.trunc(np.divide(a, b))


# ---- elementary functions: each in NumPy and in `math`

elementwise_rule((np.exp, math.exp), lambda y, x: y)
elementwise_rule((np.exp2, math.exp2), lambda y, x: y * math.log(2.0))
elementwise_rule((np.expm1, math.expm1), lambda y, x: y + 1.0)
elementwise_rule(np.log, lambda y, x: np.divide(1.0, x))
elementwise_rule((np.log2, math.log2), lambda y, x: np.divide(1.0 / math.log(2.0), x))
elementwise_rule((np.log10, math.log10), lambda y, x: np.divide(1.0 / math.log(10.0), x))
elementwise_rule((np.log1p, math.log1p), lambda y, x: np.divide(1.0, 1.0 + x))
elementwise_rule((np.sqrt, math.sqrt), lambda y, x: np.divide(0.5, y))
elementwise_rule((np.cbrt, math.cbrt), lambda y, x: np.divide(1.0, 3.0 * y**2))
elementwise_rule((np.sin, math.sin), lambda y, x: np.cos(x))
elementwise_rule((np.cos, math.cos), lambda y, x: -np.sin(x))
elementwise_rule((np.tan, math.tan), lambda y, x: 1.0 + y**2)
elementwise_rule((np.arcsin, math.asin), lambda y, x: np.divide(1.0, np.sqrt(1.0 - x**2)))
elementwise_rule((np.arccos, math.acos), lambda y, x: np.divide(-1.0, np.sqrt(1.0 - x**2)))
elementwise_rule((np.arctan, math.atan), lambda y, x: 1.0 / (1.0 + x**2))
elementwise_rule((np.sinh, math.sinh), lambda y, x: np.cosh(x))
elementwise_rule((np.cosh, math.cosh), lambda y, x: np.sinh(x))
elementwise_rule((np.tanh, math.tanh), lambda y, x: 1.0 - y**2)
elementwise_rule((np.arcsinh, math.asinh), lambda y, x: 1.0 / np.sqrt(1.0 + x**2))
elementwise_rule(
    (np.arccosh, math.acosh), lambda y, x: np.divide(1.0, np.sqrt(x - 1.0) * np.sqrt(x + 1.0))
)
elementwise_rule((np.arctanh, math.atanh), lambda y, x: np.divide(1.0, 1.0 - x**2))
elementwise_rule(np.reciprocal, lambda y, x: -(y**2))
elementwise_rule((np.deg2rad, np.radians, math.radians), lambda y, x: math.pi / 180.0)
elementwise_rule((np.rad2deg, np.degrees, math.degrees), lambda y, x: 180.0 / math.pi)
elementwise_rule(math.erf, lambda y, x: 2.0 / math.sqrt(math.pi) * np.exp(-(x**2)))
elementwise_rule(math.erfc, lambda y, x: -2.0 / math.sqrt(math.pi) * np.exp(-(x**2)))
elementwise_rule((cmath.exp,), lambda y, x: y)
elementwise_rule((cmath.sin,), lambda y, x: np.cos(x))
elementwise_rule((cmath.cos,), lambda y, x: -np.sin(x))
elementwise_rule((cmath.sqrt,), lambda y, x: np.divide(0.5, y))


def below(x: Any, y: Any) -> Any:
    """`x - y`, and 0 where both are the same infinity."""
    return np.where(np.equal(x, y), 0.0, x - y)


elementwise_rule(
    np.logaddexp, lambda y, a, b: np.exp(below(a, y)), lambda y, a, b: np.exp(below(b, y))
)


@rule(math.log)
def log(g: Any, y: Any, x: Any, base: Any = None) -> Any:
    if isinstance(base, Value):
        return g / (x * np.log(base))
    return g / x if base is None else g / (x * math.log(base))


@rule(np.arctan2, math.atan2, broadcasts=True)
def arctan2(g: Any, y: Any, a: Any, b: Any) -> Any:
    r2 = a**2 + b**2
    c = np.divide(
        g, np.where(np.equal(r2, 0), 1.0, r2)
    )  # 0 at the origin, where no direction is meant
    return c * b, -c * a


@rule(np.hypot, broadcasts=True)
def hypot(g: Any, y: Any, a: Any, b: Any) -> Any:
    c = np.divide(g, np.where(np.equal(y, 0), 1.0, y))
    return c * a, c * b


@rule(np.sinc)
def sinc(g: Any, y: Any, x: Any) -> Any:
    at_zero = np.equal(x, 0)
    safe = np.where(at_zero, 1.0, x)
    # At 0 the first term of the series, for the sake of the second derivative.
    near = x * (-(math.pi**2) / 3.0)
    return g * conj(np.where(at_zero, near, (np.cos(np.pi * safe) - np.sinc(safe)) / safe))


# ---- choosing: ties share equally


def _share(g: Any, wins: Any, tie: Any) -> Any:
    return np.where(tie, 0.5 * g, np.where(wins, g, 0.0))


@rule(np.maximum, np.fmax, broadcasts=True)
def maximum(g: Any, y: Any, a: Any, b: Any) -> Any:
    tie = np.equal(a, b)
    return _share(g, np.greater(a, b), tie), _share(g, np.greater(b, a), tie)


@rule(np.minimum, np.fmin, broadcasts=True)
def minimum(g: Any, y: Any, a: Any, b: Any) -> Any:
    tie = np.equal(a, b)
    return _share(g, np.less(a, b), tie), _share(g, np.less(b, a), tie)


@rule(np.where, broadcasts=True)
def where(g: Any, y: Any, condition: Any, a: Any, b: Any) -> Any:
    return None, np.where(condition, g, 0.0), np.where(condition, 0.0, g)


@rule(np.clip, broadcasts=True, order="a a_min? a_max? out min? max?")
def clip(g: Any, y: Any, a: Any, a_min: Any, a_max: Any, min: Any, max: Any) -> Any:
    """`min` and `max` are NumPy's newer names of `a_min` and `a_max`."""
    lo, hi = (a_min if min is None else min), (a_max if max is None else max)
    bar, low, high = _clip(g, a, lo, hi)
    return (
        bar,
        low if min is None else None,
        high if max is None else None,
        low if min is not None else None,
        high if max is not None else None,
    )


def _clip(g: Any, x: Any, lo: Any, hi: Any) -> Any:
    below = False if lo is None else np.less(x, lo)
    above = False if hi is None else np.greater(x, hi)
    outside = above if below is False else below if above is False else np.logical_or(below, above)
    g_lo = None if lo is None else np.where(below, g, 0.0)
    g_hi = None if hi is None else np.where(above, g, 0.0)
    return (g if outside is False else np.where(outside, 0.0, g)), g_lo, g_hi


@result(np.where)
def _chosen(*args: Any, **static: Any) -> Type:
    types = [type_of(a) for a in args if a is not None]
    if not all(isinstance(t, Scalar | Array) for t in types):
        return UNKNOWN
    return Array(promoted(*args[-2:]), broadcast(*map(shape_of, types)))


@result(np.clip)
def _clipped(a: Any, a_min: Any = None, a_max: Any = None, *out: Any, **more: Any) -> Type:
    bounds = [
        b for b in (a_min, a_max, more.pop("min", None), more.pop("max", None)) if b is not None
    ]
    if out or more or not all(isinstance(type_of(v), Scalar | Array) for v in (a, *bounds)):
        return UNKNOWN
    return Array(promoted(a, *bounds), broadcast(*(shape_of(type_of(v)) for v in (a, *bounds))))


# ---- complex parts


@rule(np.conjugate, complex.conjugate)
def conjugate(g: Any, y: Any, x: Any) -> Any:
    return conj(g)


@rule(np.real)
def real(g: Any, y: Any, x: Any) -> Any:
    g = np.real(g)
    return g + 0j if is_complex(type_of(x)) else g


@rule(np.imag)
def imag(g: Any, y: Any, x: Any) -> Any:
    return 1j * np.real(g) if is_complex(type_of(x)) is not False else None


@rule(np.angle)
def angle(g: Any, y: Any, z: Any, deg: Any = False) -> Any:
    if is_complex(type_of(z)) is False:
        return None
    size = np.absolute(z)
    c = g * 1j * z / np.where(np.equal(size, 0), 1.0, size) ** 2  # 0 at the origin
    return c * (180.0 / math.pi) if deg else c


@result(np.real, np.imag, np.angle)
def _part(x: Any, **static: Any) -> Type:
    t = type_of(x)
    if isinstance(t, Array) and t.dtype is not None:
        return Array(np.empty(0, t.dtype).real.dtype, t.shape)
    return FLOAT if isinstance(t, Scalar) else UNKNOWN


@result(np.sinc)
def _sinc(x: Any) -> Type:
    t = type_of(x)
    if isinstance(t, Scalar):
        return Array(np.dtype(complex if t.kind == "complex" else float), ())
    dtype = t.dtype if isinstance(t, Array) else None
    return Array(dtype if dtype is not None and dtype.kind in "fc" else None, shape_of(t))


@rule(float)
def to_float(g: Any, y: Any, x: Any) -> Any:
    return g


@rule(complex, order="real? imag?")
def to_complex(g: Any, y: Any, real: Any, imag: Any) -> Any:
    return None if real is None else g, None if imag is None else -1j * g


_MATH = [f for f in vars(math).values() if callable(f)]
for _fn in _MATH:
    result(_fn)(lambda *args, **static: FLOAT)
result(float)(lambda *args, **static: FLOAT)
result(complex, complex.conjugate, cmath.exp, cmath.sin, cmath.cos, cmath.sqrt)(
    lambda *args, **static: Scalar("complex")
)

# ---- what a rule writes for arrays, in the cheap form for Python numbers

SCALAR_TWINS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: runtime.quotient,
    np.negative: operator.neg,
    np.power: runtime.power,
    np.absolute: abs,
    np.sign: runtime.sign,
    np.where: runtime.select,
    np.equal: operator.eq,
    np.logical_and: operator.and_,
    np.not_equal: operator.ne,
    np.less: operator.lt,
    np.greater: operator.gt,
    np.less_equal: operator.le,
    np.greater_equal: operator.ge,
    np.floor_divide: operator.floordiv,
    np.log: runtime.log,
    np.exp: math.exp,
    np.sqrt: math.sqrt,
    np.sin: math.sin,
    np.cos: math.cos,
    np.sinh: math.sinh,
    np.cosh: math.cosh,
}
for _fn in (runtime.quotient, runtime.power, runtime.log, runtime.sign):
    result(_fn)(lambda *args, **static: FLOAT)
result(runtime.select)(lambda c, a, b: FLOAT)
elementwise_rule(
    runtime.quotient, lambda y, a, b: np.divide(1.0, b), lambda y, a, b: np.divide(-y, b)
)
elementwise_rule(runtime.log, lambda y, x: np.divide(1.0, x))
rule(runtime.power, broadcasts=True)(power)
rule(runtime.select)(lambda g, y, c, a, b: (None, np.where(c, g, 0.0), np.where(c, 0.0, g)))


def narrow(fn: Any, args: tuple[Any, ...]) -> Any:
    """The callee to use for real Python numbers in the place of a NumPy function."""
    twin = SCALAR_TWINS.get(fn) if isinstance(fn, np.ufunc) or fn is np.where else None
    if twin is None:
        return fn
    types = [type_of(a) for a in args]
    cheap = all(isinstance(t, Scalar) and t.kind != "complex" for t in types)
    return twin if cheap else fn
