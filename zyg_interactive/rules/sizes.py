"""Sizes and dtypes of results, and the members of sequences: what the rule files share in inferring
types.

A size made from others has a name made from theirs (`?n-1`, `?m*n`), so equal derivations are equal
sizes and `x[1:] - x[:-1]` is known not to broadcast.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from ..ir.core import Undecided, Value, type_of
from ..ir.types import (
    UNKNOWN,
    Array,
    Const,
    Dict,
    Dim,
    List,
    Record,
    Scalar,
    Size,
    Tuple,
    Type,
    fresh,
    is_plural,
    join_all,
    shape_of,
)
from .nondifferentiable import size_of

Shape = tuple[Size, ...] | None
_FRESH = re.compile(r"\?\d+")

# ---- sizes


def _inner(size: Size) -> str:
    """A size as part of the name of another."""
    name = size.name if isinstance(size, Dim) else str(size)
    if _FRESH.fullmatch(name):
        return name
    name = name.removeprefix("?")
    return name if re.fullmatch(r"\w+", name) else f"({name})"


def _names(sizes: Iterable[Size]) -> list[str]:
    """The parts of a name, numbers last: a `?` before a digit is always that of a fresh size."""
    return sorted(map(_inner, sizes), key=lambda name: (name.isdigit(), name))


def refreshed(t: Type) -> Type:
    """The type of one item of a list: sizes that may differ between items get new names."""
    match t:
        case Array(dtype=dtype, shape=shape, site=site) if shape is not None:
            return Array(dtype, tuple(map(_renamed, shape)), site)
        case Tuple(items=items, cls=cls):
            return Tuple(tuple(map(refreshed, items)), cls)
        case List(item=item, items=items) if items is not None:
            return List(item, tuple(map(refreshed, items)))
        case Dict(items=pairs):
            return Dict(tuple((k, refreshed(v)) for k, v in pairs))
        case Record(cls=cls, fields=pairs):
            return Record(cls, tuple((k, refreshed(v)) for k, v in pairs))
    return t


def _renamed(size: Size) -> Size:
    return fresh(is_plural(size)) if is_made_up(size) else size


def is_made_up(size: Size) -> bool:
    """Whether a size is fresh, or derived from one that is."""
    return isinstance(size, Dim) and re.search(r"\?\d", size.name) is not None


def resized(t: Type, size: Callable[[Size], Size]) -> Type:
    """A type with other sizes."""
    match t:
        case Array(dtype=dtype, shape=shape, site=site) if shape is not None:
            return Array(dtype, tuple(map(size, shape)), site)
        case Scalar(kind=kind, size=s) if s is not None:
            return Scalar(kind)
        case Tuple(items=items, cls=cls):
            return Tuple(tuple(resized(i, size) for i in items), cls)
        case List(item=item, items=items):
            every = None if items is None else tuple(resized(i, size) for i in items)
            return List(resized(item, size), every)
        case Dict(items=pairs):
            return Dict(tuple((k, resized(v, size)) for k, v in pairs))
        case Record(cls=cls, fields=pairs):
            return Record(cls, tuple((k, resized(v, size)) for k, v in pairs))
    return t


def _anonymous(size: Size) -> Size:
    return ANY_SIZE


ANY_SIZE = Dim("?", False)


def sizeless(t: Type) -> Type:
    """A type without its sizes."""
    return resized(t, _anonymous)


def settled_sizes(t: Type) -> Type:
    """A type without the names of the sizes that were made up."""
    return resized(t, lambda size: ANY_SIZE if is_made_up(size) else size)


def covers(known: list[Type], given: list[Type]) -> bool:
    """Whether code for types of which some sizes are fresh may be given others."""
    if [sizeless(t) for t in known] != [sizeless(t) for t in given]:
        return False
    places: dict[Size, Size] = {}
    return all(
        x == y or (isinstance(x, Dim) and _FRESH.fullmatch(x.name) and not is_plural(x))
        and places.setdefault(x, y) == y
        for x, y in zip(_sizes(known), _sizes(given), strict=True)
    )


def _sizes(types: list[Type]) -> list[Size]:
    found: list[Size] = []

    def note(size: Size) -> Size:
        found.append(size)
        return size

    for t in types:
        resized(t, note)
    return found


def loosened(t: Type) -> Type:
    """The type of what recursion may make longer or shorter."""
    match t:
        case Array(dtype=dtype, shape=shape, site=site) if shape is not None:
            return Array(dtype, tuple(fresh() for _ in shape), site)
        case List(items=items) if items is not None:
            return List(join_all(tuple(map(loosened, items))))
        case Tuple(items=items, cls=cls) if cls is tuple:
            return UNKNOWN
    return resized(t, lambda size: fresh())


def product(sizes: Iterable[Size]) -> Size:
    """The size of a flattened array."""
    rest = [s for s in sizes if s != 1]
    if all(isinstance(s, int) for s in rest):
        return int(math.prod(s for s in rest if isinstance(s, int)))
    if len(rest) == 1:
        return rest[0]
    return Dim("?" + "*".join(_names(rest)), any(map(is_plural, rest)))


def total(sizes: Iterable[Size]) -> Size:
    """The size of a concatenation."""
    rest = [s for s in sizes if s != 0]
    known = sum(s for s in rest if isinstance(s, int))
    dims = [s for s in rest if isinstance(s, Dim)]
    if not dims:
        return known
    if len(dims) == 1 and not known:
        return dims[0]
    names = _names(dims) + ([str(known)] if known else [])
    return Dim("?" + "+".join(names), known > 1)


def less(size: Size, k: int) -> Size:
    """`max(size - k, 0)`."""
    if k == 0:
        return size
    if isinstance(size, int):
        return max(size - k, 0)
    m = re.fullmatch(r"\?([^*+]*)-(\d+)", size.name)
    base, taken = (m[1], int(m[2])) if m else (_inner(size), 0)
    return Dim(f"?{base}-{taken + k}")


def sliced(size: Size, index: slice) -> Size:
    """How many elements a slice takes from an axis."""
    start, stop, step = (static(b) for b in (index.start, index.stop, index.step))
    parts = (start, stop, step)
    if any(isinstance(p, Value) for p in parts):
        return fresh()
    if isinstance(size, int):
        return len(range(*slice(*parts).indices(size)))
    if step in (None, 1, -1) and start is None and stop is None:
        return size
    begins = 0 if start is None else start
    ends = 0 if stop is None else stop
    if step in (None, 1) and begins >= 0 and (stop is None or ends < 0):
        return less(size, begins - ends)
    return Dim(f"?{_inner(size)}[{':'.join('' if p is None else str(p) for p in parts)}]")


def static(x: Any) -> Any:
    """A metadata atom: its value where it is known, else the `Value`."""
    if isinstance(x, Value):
        t = type_of(x)
        return t.value if isinstance(t, Const) else x
    return x


def decided(x: Any) -> Any:
    """A metadata atom whose value must be known. Raises Undecided."""
    x = static(x)
    if isinstance(x, Value):
        raise Undecided(x, "the metadata")
    if isinstance(x, tuple):
        return tuple(map(decided, x))
    return x


def reduced(shape: Shape, axis: Any, keepdims: Any) -> Shape:
    """The shape that is left when `axis` is reduced."""
    try:
        axis, keepdims = decided(axis), bool(decided(keepdims))
    except Undecided:
        return None
    if axis is None and not keepdims:
        return ()
    if shape is None or not shape:
        return shape
    n = len(shape)
    axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {normal(a, n) for a in axes}
    if keepdims:
        return tuple(1 if i in gone else s for i, s in enumerate(shape))
    return tuple(s for i, s in enumerate(shape) if i not in gone)


def normal(axis: Any, rank: int) -> int:
    """An axis counted from the front. Raises IndexError."""
    at = int(axis)
    if not -rank <= at < rank:
        raise IndexError(f"axis {at} of {rank}")
    return at % rank


def with_size(shape: Shape, axis: Any, size: Size) -> Shape:
    """`shape` with another size along one axis."""
    if shape is None:
        return None
    i = normal(decided(axis), len(shape))
    return (*shape[:i], size, *shape[i + 1 :])


def shape_at(x: Any) -> Shape:
    """The shape of an atom, lists and tuples of numbers taken as the arrays NumPy makes of them."""
    t = type_of(x)
    return array_shape(t)


def array_shape(t: Type) -> Shape:
    if isinstance(t, Tuple | List):
        items = t.items
        if items is None:
            inner = array_shape(t.item) if isinstance(t, List) else None
            return None if inner is None else (fresh(), *inner)
        if not items:
            return (0,)
        shapes = [array_shape(i) for i in items]
        known = [s for s in shapes if s is not None]
        if len(known) != len(items) or any(len(s) != len(known[0]) for s in known):
            return None
        return (len(items), *same(known))
    return shape_of(t)


def same(shapes: list[tuple[Size, ...]]) -> tuple[Size, ...]:
    """The one shape that all of these must be for the call to succeed, as well as it is known."""
    return tuple(
        next((s for s in sizes if isinstance(s, int)), sizes[0])
        for sizes in zip(*shapes, strict=True)
    )


# ---- dtypes


def dtype_of(t: Type) -> np.dtype[Any] | None:
    """The dtype of the array that NumPy makes of a value of this type."""
    if isinstance(t, Scalar):
        return np.dtype(t.kind)
    if isinstance(t, Array):
        return t.dtype
    if isinstance(t, Tuple | List):
        items = t.items if t.items is not None else (t.item,) if isinstance(t, List) else ()
        dtypes = [dtype_of(i) for i in items]
        known = [d for d in dtypes if d is not None]
        return np.result_type(*known) if known and len(known) == len(dtypes) else None
    return None


def promoted(*atoms: Any) -> np.dtype[Any] | None:
    """The common dtype under NumPy's promotion, in which Python numbers are weak."""
    weak = {"bool": np.dtype(bool), "int": 0, "float": 0.0, "complex": 0j}
    found: list[Any] = []
    for t in map(type_of, atoms):
        d = weak[t.kind] if isinstance(t, Scalar) else dtype_of(t)
        if d is None:
            return None
        found.append(d)
    return np.result_type(*found)


@lru_cache(maxsize=512)
def _dtype_after(fn: Callable[..., Any], *dtypes: np.dtype[Any]) -> np.dtype[Any]:
    return np.asarray(fn(*(np.ones((1, 1), d) for d in dtypes))).dtype


def dtype_after(fn: Callable[..., Any], *dtypes: np.dtype[Any] | None) -> np.dtype[Any] | None:
    """The dtype of `fn`'s result, by a call on one number."""
    known = [d for d in dtypes if d is not None]
    return _dtype_after(fn, *known) if len(known) == len(dtypes) else None


# ---- sequences


def members(xs: Any) -> list[Any] | None:
    """The members of a tuple or list; None where their number is known only at the run."""
    if isinstance(xs, tuple | list):
        return list(xs)
    if isinstance(xs, Value):
        t = xs.type
        items = t.items if isinstance(t, Tuple | List) else None
        return None if items is None else [xs[i] for i in range(len(items))]
    return None


def rebuilt(xs: Any, items: list[Any]) -> Any:
    """Cotangents of the members of `xs`, in the structure of `xs`."""
    t = type_of(xs)
    if not isinstance(t, Tuple):
        return items
    return t.cls(*items) if hasattr(t.cls, "_fields") else tuple(items)


def member_types(xs: Any) -> tuple[Type, ...] | None:
    t = type_of(xs)
    return t.items if isinstance(t, Tuple | List) else None


def member_type(xs: Any) -> Type:
    """The type of every member of a sequence of unknown length, or of the rows of an array."""
    t = type_of(xs)
    if isinstance(t, List):
        return t.item
    if isinstance(t, Array) and t.shape:
        return Array(t.dtype, t.shape[1:])
    return UNKNOWN


def is_array(x: Any) -> bool:
    return isinstance(type_of(x), Array | Scalar)


def along(axis: int, part: Any) -> tuple[Any, ...]:
    """The index that takes `part` along one axis, counted from either end."""
    if axis >= 0:
        return (*((slice(None),) * axis), part)
    return (Ellipsis, part, *((slice(None),) * (-axis - 1)))


__all__ = [
    "along",
    "array_shape",
    "decided",
    "dtype_after",
    "dtype_of",
    "is_array",
    "less",
    "member_type",
    "member_types",
    "members",
    "normal",
    "product",
    "promoted",
    "rebuilt",
    "reduced",
    "refreshed",
    "same",
    "shape_at",
    "size_of",
    "sliced",
    "static",
    "total",
    "with_size",
]
