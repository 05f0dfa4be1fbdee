"""Functions whose result carries no derivative: comparisons, rounding, questions about shape and
type.
"""

from __future__ import annotations

import bisect
import math
import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import ints, type_of
from ..ir.types import (
    BOOL,
    INT,
    NUMBER,
    Array,
    Const,
    Other,
    Scalar,
    Tuple,
    Type,
    broadcast,
    fresh,
    rank,
    shape_of,
)
from .registry import constant, named, result

_COMPARISONS = (operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne)
constant(
    *_COMPARISONS, operator.is_, operator.is_not, operator.contains, operator.not_, operator.truth
)
constant(
    operator.and_, operator.or_, operator.xor, operator.invert, operator.lshift, operator.rshift
)
constant(operator.floordiv, operator.index)
constant(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal)
constant(
    np.logical_and,
    np.logical_or,
    np.logical_not,
    np.logical_xor,
    np.isfinite,
    np.isnan,
    np.isinf,
    np.signbit,
)
constant(
    np.isclose,
    np.allclose,
    np.array_equal,
    np.any,
    np.all,
    np.isscalar,
    np.iscomplexobj,
    np.isrealobj,
    np.isin,
)
constant(np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide, round)
constant(
    math.floor,
    math.ceil,
    math.trunc,
    math.isnan,
    math.isinf,
    math.isfinite,
    math.isclose,
    math.comb,
    math.factorial,
)
constant(math.gcd, math.isqrt)
constant(
    np.argmax,
    np.argmin,
    np.argsort,
    np.argpartition,
    np.nonzero,
    np.flatnonzero,
    np.count_nonzero,
    np.searchsorted,
    np.digitize,
)
constant(np.argwhere, np.nanargmax, np.nanargmin)
constant(
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.finfo,
    np.iinfo,
    np.dtype,
    np.can_cast,
    np.broadcast_shapes,
)
constant(
    np.zeros,
    np.ones,
    np.empty,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.eye,
    np.identity,
)
constant(
    np.tri,
    np.triu_indices,
    np.tril_indices,
    np.diag_indices,
    np.indices,
    np.ix_,
    np.errstate,
    np.ndindex,
)
constant(
    len,
    range,
    bool,
    str,
    repr,
    isinstance,
    issubclass,
    callable,
    hasattr,
    *(any, all),
    type,
    id,
    hash,
    format,
    print,
    input,
    int,
)
constant(ord, chr)

# Whole numbers, truth values, bytes, times; classes of types.
constant(
    *named(
        "bool bool_ byte bytes_ character datetime64 flexible generic inexact int16 int32 int64 "
        "int8 int_ intc integer intp long longlong number object_ short signedinteger str_ "
        "timedelta64 ubyte ufunc uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong "
        "unsignedinteger ushort void complexfloating floating busdaycalendar ndarray"
    )
)
# Bits, divisors, places, order.
constant(
    *named(
        "bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
        "bitwise_right_shift bitwise_xor invert left_shift right_shift gcd lcm packbits unpackbits "
        "lexsort mask_indices diag_indices_from tril_indices_from triu_indices_from unravel_index "
        "ravel_multi_index bartlett blackman hamming hanning einsum_path"
    )
)
# Questions about values, types and memory.
constant(
    *named(
        "array_equiv in1d iscomplex isreal isneginf isposinf isnat isdtype issubdtype isfortran "
        "iterable common_type min_scalar_type mintypecode promote_types typename may_share_memory "
        "shares_memory"
    ),
    *named("matrix_rank LinAlgError", np.linalg),
)
# Texts, files, dates, settings.
constant(
    *named(
        "array2string array_repr array_str base_repr binary_repr format_float_positional "
        "format_float_scientific datetime_as_string datetime_data busday_count busday_offset "
        "is_busday fromfile fromregex fromstring genfromtxt load loadtxt save savetxt savez "
        "savez_compressed get_include get_printoptions set_printoptions printoptions getbufsize "
        "setbufsize geterr geterrcall seterr seterrcall info show_config show_runtime"
    ),
    *(module.test for module in (np, np.linalg, np.fft)),
    *named("dump dumps tobytes tofile", np.ndarray),
)


@result(
    operator.is_,
    operator.is_not,
    operator.contains,
    operator.not_,
    operator.truth,
    bool,
    isinstance,
    hasattr,
    *(any, all),
)
def _bool(*args: Any, **static: Any) -> Type:
    return BOOL


@result(
    runtime.nbytes,
    len,
    np.size,
    np.ndim,
    int,
    math.floor,
    math.ceil,
    math.trunc,
    math.comb,
    math.factorial,
    math.gcd,
    math.isqrt,
)
def _int(*args: Any, **static: Any) -> Type:
    return INT


@result(len)
def _len(x: Any) -> Type:
    shape = shape_of(type_of(x))
    return Scalar("int", shape[0]) if shape else INT


@result(np.shape)
def _shape(x: Any) -> Type:
    shape = shape_of(type_of(x))
    return ints(shape) if shape is not None else Other(tuple)


@result(np.argmax, np.argmin)
def _argmax(x: Any, axis: Any = None, **static: Any) -> Type:
    n = rank(type_of(x))
    if axis is None:
        return Array(np.dtype(np.intp), ())
    shape = shape_of(type_of(x))
    if n is None or shape is None or not isinstance(axis, int):
        return Array(np.dtype(np.intp), None)
    return Array(np.dtype(np.intp), tuple(s for i, s in enumerate(shape) if i != axis % n))


@result(np.argsort, np.argpartition)
def _argsort(x: Any, **static: Any) -> Type:
    return Array(np.dtype(np.intp), shape_of(type_of(x)))


@result(np.any, np.all)
def _any(x: Any, axis: Any = None, **static: Any) -> Type:
    return Array(np.dtype(bool), () if axis is None else None)


@result(np.isclose)
def _isclose(a: Any, b: Any, **static: Any) -> Type:
    return Array(np.dtype(bool), broadcast(shape_of(type_of(a)), shape_of(type_of(b))))


@result(np.round, round, np.searchsorted)
def _rounded(*args: Any, **static: Any) -> Type:
    return NUMBER


@result(range)
def _range(*args: Any) -> Type:
    return Other(range)


@result(str, repr, format, input)
def _text(*args: Any, **static: Any) -> Type:
    return Other(str)


@result(print)
def _nothing(*args: Any, **static: Any) -> Type:
    return Const(None)


def size_of(x: Any) -> Any:
    """A dimension from an atom that a shape is made of."""
    t = type_of(x)
    if isinstance(x, int) and not isinstance(x, bool):
        return x if x >= 0 else fresh()
    if isinstance(t, Scalar) and t.size is not None:
        return t.size
    return fresh()


def shape_from(x: Any) -> tuple[Any, ...] | None:
    """The sizes that a `shape` argument means: an int or a tuple of ints, constant or not."""
    t = type_of(x)
    if isinstance(x, tuple | list):
        return tuple(map(size_of, x))
    if isinstance(t, Tuple):
        return tuple(
            s.size if isinstance(s, Scalar) and s.size is not None else fresh() for s in t.items
        )
    if isinstance(t, Scalar) or (isinstance(t, Array) and t.shape == ()):
        return (size_of(x),)
    return None


def dtype_from(dtype: Any, default: Any) -> np.dtype[Any] | None:
    t = type_of(dtype)
    if dtype is None:
        fallback: np.dtype[Any] = np.dtype(default)
        return fallback
    known: np.dtype[Any] | None = np.dtype(t.value) if isinstance(t, Const) else None
    return known


@result(np.zeros, np.ones, np.empty)
def _filled(shape: Any, dtype: Any = None, **static: Any) -> Type:
    return Array(dtype_from(dtype, float), shape_from(shape))


@result(np.zeros_like, np.ones_like, np.empty_like)
def _filled_like(x: Any, dtype: Any = None, shape: Any = None, **static: Any) -> Type:
    t = type_of(x)
    sizes = shape_of(t) if shape is None else shape_from(shape)
    if dtype is not None:
        return Array(dtype_from(dtype, float), sizes)
    if isinstance(t, Scalar):
        return Array(np.dtype(t.kind), sizes)
    return Array(t.dtype if isinstance(t, Array) else None, sizes)


@result(np.eye, np.identity)
def _eye(n: Any, m: Any = None, **static: Any) -> Type:
    return Array(
        dtype_from(static.get("dtype"), float), (size_of(n), size_of(n if m is None else m))
    )


@result(np.arange)
def _arange(*args: Any, dtype: Any = None, **static: Any) -> Type:
    types = [type_of(a) for a in args]
    if dtype is not None:
        kind = dtype_from(dtype, float)
    elif all(isinstance(t, Scalar) for t in types):
        kind = np.dtype(float if any(t == Scalar("float") for t in types) else int)
    else:
        kind = None
    return Array(kind, (size_of(args[0]) if len(args) == 1 else fresh(),))


@result(np.triu_indices, np.tril_indices, np.triu_indices_from, np.tril_indices_from)
def _places(*args: Any, **rest: Any) -> Type:
    place = Array(np.dtype(np.intp), (fresh(),))
    return Tuple((place, place))


@result(np.nonzero)
def _nonzero(x: Any) -> Type:
    n = rank(type_of(x))
    one = Array(np.dtype(np.intp), (fresh(),))
    return Tuple((one,) * n) if n else Other(tuple)


@result(np.flatnonzero)
def _flatnonzero(x: Any) -> Type:
    return Array(np.dtype(np.intp), (fresh(),))


# ---- what is asked of lists, dicts and objects in memory

_ASKED_OF_SETS = ("isdisjoint", "issubset", "issuperset")
constant(
    runtime.nbytes,
    runtime.place,
    runtime.ends_of,
    *(runtime.keys_of, runtime.first_key, runtime.last_key),
    *(runtime.Key, runtime.new_key, runtime.places_of_keys, runtime.places_of_values),
    runtime.backwards,
    runtime.sorting,
    runtime.standing,
    runtime.snapshot,
    runtime.new_memory,
    runtime.new_object,
    *(runtime.flat_index, runtime.diagonal_index, runtime.index_along),
    runtime.new_cell,
    *(runtime.new_container, runtime.is_full, runtime.rotation, runtime.heap_order),
    *(runtime.copied, bisect.bisect_left, bisect.bisect_right),
    *(runtime.repeats, runtime.shuffle_order, runtime.place_of),
    *(list.index, list.count, tuple.index, tuple.count),
    *(runtime.captured_cell, runtime.plain),
    *(runtime.combined, runtime.check_size, runtime.check_items),
    *(getattr(cls, name) for cls in (set, frozenset) for name in _ASKED_OF_SETS),
)


@result(list.index, list.count, tuple.index, tuple.count, bisect.bisect_left, bisect.bisect_right)
def _place_or_number(*args: Any) -> Type:
    return INT
