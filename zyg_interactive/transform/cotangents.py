"""Cotangents at transform time: structured atoms in which None is the strong zero, their sums,
zeros and repair.
"""

from __future__ import annotations

import operator
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Atom, Value, emit, type_of, values
from ..ir.types import (
    FLOAT,
    NUMBER,
    UNKNOWN,
    Array,
    Closure,
    Const,
    Dict,
    List,
    Record,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
    in_memory,
    is_complex,
    is_plural,
    may_be_differentiable,
    shape_of,
)
from .masks import both_masked


class Fields(dict[str, Any]):
    """The cotangent of an object at transform time: of its attributes, by name. A plain dict is
    that of a dict.
    """


def bar_type(t: Type) -> Type:
    """The type of a cotangent: floating where the value is a number, structured as the value is;
    None of what is in memory.
    """
    if isinstance(t, Ref) or in_memory(t):
        return NOTHING
    match t:
        case Scalar(kind=kind):
            return t if kind == "complex" else FLOAT
        case Array(dtype=dtype, shape=shape):
            if dtype is not None and dtype.kind in "iu":
                dtype = np.dtype(float)  # a seed may be of integers, but is never complex
            return Array(None if dtype is None or dtype.kind not in "fc" else dtype, shape)
        case Tuple(items=items):
            return Tuple(tuple(map(bar_type, items)), t.cls)
        case Closure(captured=captured):
            return Tuple(tuple(map(bar_type, captured)))
        case List(item=item, items=items):
            return List(bar_type(item), None if items is None else tuple(map(bar_type, items)))
        case Dict(items=items):
            return Dict(tuple((k, bar_type(v)) for k, v in items))
        case Record():
            return Record(
                SimpleNamespace,
                tuple((k, bar_type(t.get(k) or UNKNOWN)) for k in differentiable(t)),
            )
    return UNKNOWN


NOTHING = Const(None)


def differentiable(t: Record) -> list[str]:
    """The attributes of an object that a cotangent can flow into."""
    return [k for k, v in t.fields if may_be_differentiable(v)]


def zero(x: Atom) -> Atom:
    """A fresh zero cotangent of `x`."""
    if isinstance(x, tuple):
        return tuple(zero(a) for a in x)
    t = type_of(x)
    if isinstance(t, Scalar):
        return 0.0
    if isinstance(t, Array) and t.shape == ():
        return 0.0
    if not isinstance(x, Value) or isinstance(t, Ref) or in_memory(t):
        return None
    if (
        isinstance(t, Array)
        and t.shape is not None
        and t.dtype is not None
        and t.dtype.kind in "fc"
    ):
        made = emit(np.zeros_like, (x,))
    else:
        made = emit(runtime.zeros_like, (x,))
    made.type = bar_type(t)
    return made


def is_zero(c: Atom) -> bool:
    """Whether a cotangent is known to be zero."""
    if isinstance(c, tuple | list):
        return all(map(is_zero, c))
    if isinstance(c, dict):
        return all(map(is_zero, c.values()))
    return c is None or (isinstance(c, int | float) and not isinstance(c, bool) and c == 0)


def plus(a: Atom, b: Atom) -> Atom:
    """The sum of two cotangents of one value."""
    if is_zero(a):
        return b
    if is_zero(b):
        return a
    if isinstance(a, tuple | list) or isinstance(b, tuple | list):
        n = len(a) if isinstance(a, tuple | list) else len(b)
        items = [plus(component(a, i), component(b, i)) for i in range(n)]
        return items if isinstance(a, list) or isinstance(b, list) else tuple(items)
    if isinstance(a, dict) and isinstance(b, dict):
        return type(a)({k: plus(a.get(k), b.get(k)) for k in {**a, **b}})
    if isinstance(a, dict) or isinstance(b, dict):
        return emit(runtime.add, (made(a), made(b)))
    together = both_masked(a, b)
    if together is not None:
        return together
    # A number of no known kind may be a name without a value, whose cotangent is None.
    numeric = all(isinstance(t := type_of(x), Scalar | Array) and t != NUMBER for x in (a, b))
    return emit(operator.add if numeric else runtime.add, (a, b))


def component(c: Atom, key: Any) -> Atom:
    """One component of a structured cotangent."""
    if c is None:
        return None
    if isinstance(c, tuple | list):
        return c[key]
    if isinstance(c, dict):
        return c.get(key)
    got = emit(operator.getitem, (c, key))
    return got


def member(c: Atom, name: str) -> Atom:
    """The cotangent of an attribute, from that of its object."""
    if c is None:
        return None
    return c.get(name) if isinstance(c, dict) else emit(getattr, (c, name))


def made(c: Atom) -> Atom:
    """A structured cotangent as a run-time value: objects' as records."""
    if isinstance(c, dict):
        items = {k: made(v) for k, v in c.items()}
        if not isinstance(c, Fields):
            return emit(runtime.make_dict, (tuple(items), *items.values()))
        record = emit(runtime.record, (), items)
        record.type = Record(SimpleNamespace, tuple((k, type_of(v)) for k, v in items.items()))
        return record
    if isinstance(c, tuple):
        return tuple(map(made, c))
    if isinstance(c, list):
        return [made(x) for x in c]
    return c


def filled(c: Atom, x: Atom) -> Atom:
    """A cotangent of `x` with its strong zeros written out, where code that is not seen will read
    it.
    """
    t = type_of(x)
    if c is None:
        return zero(x)
    if isinstance(c, tuple | list) and isinstance(t, Tuple | List):
        items = [filled(ci, component(x, i)) for i, ci in enumerate(c)]
        return items if isinstance(c, list) else tuple(items)
    if isinstance(c, tuple) and isinstance(t, Closure):
        return tuple(filled(ci, _captured(x, i, t)) for i, ci in enumerate(c))
    if isinstance(c, dict) and isinstance(t, Record):
        return Fields({k: filled(c.get(k), _attribute(x, k, t)) for k in differentiable(t)})
    if isinstance(c, dict) and isinstance(t, Dict):
        return {k: filled(c.get(k), _item(x, k, v)) for k, v in t.items}
    return c


def _attribute(x: Atom, name: str, t: Record) -> Value:
    got = emit(getattr, (x, name))
    got.type = t.get(name) or UNKNOWN
    return got


def _captured(x: Atom, i: int, t: Closure) -> Value:
    got = emit(runtime.captured, (x, i))
    got.type = t.captured[i]
    return got


def _item(x: Atom, key: Any, t: Type) -> Atom:
    got = component(x, key)
    if isinstance(got, Value):
        got.type = t
    return got


def skeleton(c: Atom) -> Any:
    """Which parts of a cotangent there are: True, or None for a strong zero, in its structure."""
    if isinstance(c, tuple | list):
        return type(c)(map(skeleton, c))
    if isinstance(c, dict):
        return type(c)({k: skeleton(v) for k, v in c.items()})
    return None if c is None else True


def opened(c: Atom, known: Any) -> Atom:
    """A cotangent that a call returned, its strong zeros known again."""
    if known is None:
        return None
    if isinstance(known, Fields):
        return Fields(
            {k: opened(member(c, k) if v is not None else None, v) for k, v in known.items()}
        )
    if isinstance(known, dict):
        return {k: opened(component(c, k) if v is not None else None, v) for k, v in known.items()}
    if isinstance(known, tuple | list) and any(k is not True for k in known):
        return type(known)(
            opened(component(c, i) if v is not None else None, v) for i, v in enumerate(known)
        )
    return c


def repaired(c: Atom, x: Value, broadcasts: bool) -> Atom:
    """A rule's cotangent brought to the shape of `x`, and to the reals where `x` is real."""
    if c is None or not isinstance(x.type, Scalar | Array):
        return c
    if broadcasts:
        c = _unbroadcast(c, x)
    has, wants = is_complex(type_of(c)), is_complex(x.type)
    if has is not False and wants is False:
        real: Any = runtime.real_scalar if isinstance(x.type, Scalar) else np.real
        c = emit(real, (c,))
        assert isinstance(c, Value)
        dtype = None if is_short(x.type) else bar_dtype(x.type)  # it may be longer than `x`
        c.type = Array(dtype, shape_of(x.type))
        if isinstance(x.type, Scalar):
            c.type = FLOAT
    return c


def in_kind_of(c: Atom, y: Atom) -> Atom:
    """The cotangent of a result of which only the run knows whether it is real. Of a real result it
    must be real, for the rule to make a complex argument's of it.
    """
    if isinstance(c, tuple | list):
        return type(c)(in_kind_of(ci, component(y, i)) for i, ci in enumerate(c))
    numeric = isinstance(type_of(c), Array | Scalar | Unknown)
    if not numeric or isinstance(c, dict) or not isinstance(type_of(y), Array | Unknown):
        return c
    if is_complex(type_of(c)) is False or is_complex(type_of(y)) is not None:
        return c
    return emit(runtime.real_where, (c, y))


def as_scalar(c: Atom, t: Type) -> Atom:
    """The cotangent of a Python number as a Python number: it is cheaper from here on."""
    has = type_of(c)
    if not isinstance(c, Value) or not isinstance(t, Scalar) or isinstance(has, Scalar):
        return c
    real = t.kind != "complex"
    known = (
        isinstance(has, Array) and has.dtype is not None and (has.dtype.kind in "iuf" or not real)
    )
    how: Any = (
        (float if real else complex) if known else (runtime.real_scalar if real else runtime.scalar)
    )
    done = emit(how, (c,), name=c.name)
    done.type = FLOAT if real else t
    return done


def is_short(t: Type) -> bool:
    """Whether an array is known to be of less than double precision."""
    return isinstance(t, Array) and t.dtype in (np.float16, np.float32, np.complex64)


def bar_dtype(t: Type) -> Any:
    known = isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "fc"
    return t.dtype if isinstance(t, Array) and known else np.dtype(float)


def _unbroadcast(c: Atom, x: Value) -> Atom:
    have, want = shape_of(type_of(c)), shape_of(x.type)
    if have is None or want is None:
        return emit(runtime.unbroadcast, (c, x))
    if len(have) < len(want):
        return emit(np.broadcast_to, (c, emit(np.shape, (x,))))
    extra = len(have) - len(want)
    ones = []
    for i, (h, w) in enumerate(zip(have[extra:], want, strict=True)):
        if w == h or (is_plural(w) and is_plural(h)):
            continue
        if w == 1 and is_plural(h):
            ones.append(i)
        else:
            return emit(runtime.unbroadcast, (c, x))
    if extra:
        axis: Any = None if not want else tuple(range(extra)) if extra > 1 else 0
        c = emit(np.sum, (c,), {} if axis is None else {"axis": axis})
    if ones:
        c = emit(
            np.sum, (c,), {"axis": tuple(ones) if len(ones) > 1 else ones[0], "keepdims": True}
        )
    return c


def captured_count(t: Type) -> int:
    return len(t.captured) if isinstance(t, Closure) else 0


def depends(c: Atom) -> bool:
    return any(True for _ in values(c))
