"""Indexing: the types that `x[i]` has, and the rules of the runtime's helpers that accumulate
cotangents.

`operator.getitem` has no rule here: the transform adds its cotangent into a buffer that the reverse
pass owns (`runtime.add_at`), so a loop that reads an array n times is O(n). The helpers are linear,
and their rules close the set: a reverse pass can be differentiated again.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import (
    BOOL,
    FLOAT,
    INT,
    UNKNOWN,
    Array,
    Const,
    Dict,
    List,
    Other,
    Record,
    Scalar,
    Size,
    Tuple,
    Type,
    Unbound,
    broadcast,
    fresh,
    is_complex,
    join,
    join_all,
    shape_of,
)
from .registry import call, constant, result, rule
from .sizes import Shape, array_shape, dtype_of, refreshed, sliced, static

# ---- the type of x[index]


@result(operator.getitem)
def _getitem(x: Any, index: Any) -> Type:
    t, index = type_of(x), static(index)
    match t:
        case Array(dtype=dtype, shape=shape):
            return Array(dtype, None if shape is None else indexed(shape, index))
        case Tuple(items=items):
            return _item(items, index, lambda some: Tuple(tuple(some)))
        case List(item=item, items=None):
            return List(item) if _is_slice(index) else refreshed(item)
        case List(items=items) if items is not None:
            return _item(items, index, lambda some: List(join_all(tuple(some)), tuple(some)))
        case Dict(items=pairs):
            if isinstance(index, Value):
                return join_all(tuple(v for _, v in pairs))
            found: Type = dict(pairs)[index]
            return found
        case Other(cls=cls):
            return INT if cls is range and not _is_slice(index) else t if cls is str else UNKNOWN
    return UNKNOWN


def _is_slice(index: Any) -> bool:
    return isinstance(index, slice) or type_of(index) == Other(slice)


def _item(items: tuple[Type, ...], index: Any, build: Any) -> Type:
    if isinstance(index, slice):
        bounds = tuple(map(static, (index.start, index.stop, index.step)))
        if not any(isinstance(b, Value) for b in bounds):
            built: Type = build(items[slice(*bounds)])
            return built
    if _is_slice(index):
        return UNKNOWN if build(()) == Tuple(()) else List(join_all(items))
    return join_all(items) if isinstance(index, Value) else items[operator.index(index)]


def indexed(shape: tuple[Size, ...], index: Any) -> Shape:
    """The shape of `x[index]`, by NumPy's rules for basic and advanced indices mixed."""
    parts = [static(p) for p in index] if isinstance(index, tuple) else _parts_of(index)
    if parts is None:
        return None
    taken = [_consumes(p) for p in parts]
    if any(n is None for n in taken):
        return None
    n = sum(k for k in taken if k is not None)
    if not any(p is Ellipsis for p in parts):
        parts, taken = [*parts, Ellipsis], [*taken, 0]
    at = next(i for i, p in enumerate(parts) if p is Ellipsis)
    if len(shape) < n:
        raise IndexError("too many indices")
    whole = len(shape) - n
    parts[at : at + 1] = [slice(None)] * whole
    taken[at : at + 1] = [1] * whole
    return _select(shape, parts, [k for k in taken if k is not None])


def _parts_of(index: Any) -> list[Any] | None:
    t = type_of(index)
    if isinstance(index, Value) and isinstance(t, Tuple):
        # The members of a tuple that the run makes: each by its type alone.
        return [Value(None, i) if not isinstance(i, Const) else i.value for i in t.items]
    return [index]


def _consumes(part: Any) -> int | None:
    """How many axes a part of an index stands for; None where that is not known."""
    if part is None or part is Ellipsis:
        return 0
    t = type_of(part)
    if isinstance(part, slice) or t == Other(slice):
        return 1
    if isinstance(t, Scalar):
        return 1 if t.kind == "int" else None
    dtype, shape = dtype_of(t), array_shape(t)
    if dtype is None or shape is None:
        return None
    return (len(shape) or None) if dtype.kind == "b" else 1


def _select(shape: tuple[Size, ...], parts: list[Any], taken: list[int]) -> Shape:
    out: list[Size] = []
    arrays: list[Shape] = []
    places: list[tuple[int, int]] = []  # of advanced parts: in the index, in the result
    axis = 0
    advanced = any(_is_advanced(p) for p in parts)
    for i, (part, n) in enumerate(zip(parts, taken, strict=True)):
        if part is None:
            out.append(1)
        elif isinstance(part, slice):
            out.append(sliced(shape[axis], part))
        elif type_of(part) == Other(slice):
            out.append(fresh())
        elif advanced:
            arrays.append(_index_shape(part))
            places.append((i, len(out)))
        axis += n
    if not advanced:
        return tuple(out)
    inner = broadcast(*arrays)
    if inner is None:
        return None
    together = all(b - a == 1 for (a, _), (b, _) in zip(places, places[1:], strict=False))
    at = places[0][1] if together else 0
    return (*out[:at], *inner, *out[at:])


def _is_advanced(part: Any) -> bool:
    if part is None or isinstance(part, slice):
        return False
    t = type_of(part)
    return isinstance(t, Tuple | List) or (isinstance(t, Array) and t.shape != ())


def _index_shape(part: Any) -> Shape:
    t = type_of(part)
    dtype = dtype_of(t)
    return (fresh(),) if dtype is not None and dtype.kind == "b" else array_shape(t)


# ---- accumulation


def fitted(g: Any, x: Any) -> Any:
    """`g` as a cotangent of `x`, which may have been broadcast; structures pass."""
    t = type_of(x)
    if not isinstance(t, Scalar | Array):
        return g
    s = shape_of(t)
    if s is not None and s == shape_of(type_of(g)):
        return g
    return call(runtime.unbroadcast, g, x)


@rule(runtime.add_at)
def add_at(g: Any, y: Any, buffer: Any, index: Any, c: Any) -> Any:
    return g, None, None if c is None else fitted(g[index], c)


@rule(runtime.accumulate, runtime.add)
def accumulate(g: Any, y: Any, a: Any, b: Any) -> Any:
    return _term(g, a), _term(g, b)


def _term(g: Any, x: Any) -> Any:
    return None if x is None else fitted(g, x)


@rule(runtime.unbroadcast, runtime.match)
def unbroadcast(g: Any, y: Any, c: Any, x: Any) -> Any:
    return np.broadcast_to(g, np.shape(c)), None


@rule(runtime.real_where)
def real_where(g: Any, out: Any, c: Any, y: Any) -> Any:
    return g, None  # of a real `out` it has been made real


@rule(runtime.scalar, runtime.real_scalar)
def same(g: Any, y: Any, x: Any) -> Any:
    s = shape_of(type_of(x))
    return g if not s else call(np.reshape, g, s if _known(s) else np.shape(x))


def _known(shape: tuple[Size, ...]) -> bool:
    return all(isinstance(n, int) for n in shape)


rule(runtime.own)(lambda g, y, x: (g,))  # which may be a tuple itself


rule(runtime.seed_for)(lambda g, y, seed, like: (g, None))


@rule(runtime.reverse)
def reverse(g: Any, y: Any, items: Any) -> Any:
    return (call(runtime.reverse, g),)


constant(runtime.zeros_like, runtime.truth, runtime.sign)


# ---- types of what they return


@result(runtime.add_at)
def _add_at(buffer: Any, index: Any, c: Any) -> Type:
    return type_of(buffer)


@result(runtime.accumulate, runtime.add)
def _accumulated(a: Any, b: Any) -> Type:
    if a is None or b is None:
        return type_of(b if a is None else a)
    s, t = type_of(a), type_of(b)
    if isinstance(s, Scalar) and isinstance(t, Scalar):
        return join(s, t)
    if isinstance(s, Scalar | Array) and isinstance(t, Scalar | Array):
        dtypes = [dtype_of(u) for u in (s, t) if not isinstance(u, Scalar)]
        dtype = dtypes[0] if all(d == dtypes[0] for d in dtypes) and _fits(s, t) else None
        return Array(dtype, broadcast(shape_of(s), shape_of(t)))
    return s if s == t else join(s, t)


def _fits(s: Type, t: Type) -> bool:
    """Whether a Python number among two types leaves the dtype of the other as it is."""
    complexes = [is_complex(u) for u in (s, t)]
    weak = [u for u in (s, t) if isinstance(u, Scalar)]
    floats = all(d is not None and d.kind in "fc" for d in map(dtype_of, (s, t)))
    return not weak or (floats and complexes[0] == complexes[1])


@result(runtime.unbroadcast)
def _unbroadcast(c: Any, x: Any) -> Type:
    return Array(dtype_of(type_of(c)), shape_of(type_of(x)))


@result(runtime.match)
def _match(c: Any, x: Any) -> Type:
    dtype, wants = dtype_of(type_of(c)), is_complex(type_of(x))
    if dtype is not None and dtype.kind == "c" and wants is not True:
        dtype = np.zeros(0, dtype).real.dtype if wants is False else None
    return Array(dtype, shape_of(type_of(x)))


@result(runtime.real_where)
def _real_where(c: Any, y: Any) -> Type:
    t = type_of(c)
    return Array(None, t.shape) if isinstance(t, Array) else UNKNOWN


@result(runtime.zeros_like)
def _zeros_like(x: Any) -> Type:
    return zero_type(type_of(x))


def zero_type(t: Type) -> Type:
    """The type of the zero cotangent of a value."""
    match t:
        case Scalar(kind=kind):
            none = Const(None)
            return none if kind == "bool" else Scalar("complex") if kind == "complex" else FLOAT
        case Array(dtype=None, shape=shape):
            return Array(None, shape)
        case Array(dtype=dtype, shape=shape) if dtype is not None:
            known = dtype.kind in "iufc"
            return Array(runtime.cotangent_dtype(dtype), shape) if known else Const(None)
        case Tuple(items=items, cls=cls):
            return Tuple(tuple(map(zero_type, items)), cls)
        case List(item=item, items=items):
            return List(zero_type(item), None if items is None else tuple(map(zero_type, items)))
        case Dict(items=pairs):
            return Dict(tuple((k, zero_type(v)) for k, v in pairs))
        case Const() | Other():
            return Const(None)
        case Unbound():
            return t
        case Record():
            return UNKNOWN
    return UNKNOWN


@result(runtime.own)
def _own(x: Any) -> Type:
    return type_of(x)


@result(runtime.seed_for)
def _seed_for(seed: Any, like: Any) -> Type:
    return type_of(seed)


@result(runtime.scalar)
def _scalar(x: Any) -> Type:
    return scalar_type(type_of(x))


def scalar_type(t: Type) -> Type:
    """The type of the Python number in an array of one."""
    shape = shape_of(t)
    if isinstance(t, Array) and t.dtype is not None and shape is not None and set(shape) <= {1}:
        kinds = {"f": "float", "c": "complex", "i": "int", "u": "int", "b": "bool"}
        return Scalar(kinds[t.dtype.kind])
    return t if isinstance(t, Scalar) else UNKNOWN


@result(runtime.real_scalar)
def _real_scalar(x: Any) -> Type:
    t = scalar_type(type_of(x))
    return FLOAT if t == Scalar("complex") else t


@result(runtime.reverse)
def _reverse(items: Any) -> Type:
    t = type_of(items)
    if isinstance(t, List):
        return List(t.item, None if t.items is None else t.items[::-1])
    return t if isinstance(t, Array) else UNKNOWN


result(runtime.truth)(lambda x: BOOL)


@rule(runtime.finished)
def _finished(g: Any, y: Any, c: Any, x: Any) -> Any:
    return g, None
