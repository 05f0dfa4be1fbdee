"""Types of live values: the pattern of their shapes, never the sizes."""

from __future__ import annotations

import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..ir.core import MemoryNeeded, is_read, made_of_now
from ..ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    UNKNOWN,
    Array,
    Const,
    Dict,
    Dim,
    Heap,
    List,
    Other,
    Record,
    Ref,
    Scalar,
    Site,
    Size,
    Tuple,
    Type,
    join_all,
)
from ..runtime import PLAIN, attributes, is_made
from ..runtime.buffers import root
from ..runtime.memory import cell_parts

LONGEST_RECORD = 8  # depth of nested objects that is looked into


# Containers that are followed in memory only.
IN_MEMORY = (deque, defaultdict, OrderedDict, Counter)


class Sizes:
    """Names for sizes: 1 is itself, equal sizes have equal names."""

    def __init__(self, heap: Heap | None = None) -> None:
        self.dims: dict[int, Dim] = {}
        self.heap = heap  # of a program that changes lists, dicts or objects
        self.objects: dict[int, Ref] = {}
        self.buffers: dict[int, Site] = {}

    def of(self, n: int) -> Size:
        if n == 1:
            return 1
        if n not in self.dims:
            self.dims[n] = Dim(f"n{len(self.dims)}", plural=True)
        return self.dims[n]

    def type(self, x: Any, depth: int = 0) -> Type:
        """The type of a live value."""
        cls = type(x)
        if cls is float:
            return FLOAT
        if cls is np.ndarray or isinstance(x, np.generic):
            return Array(x.dtype, tuple(map(self.of, x.shape)), self._buffer(x))
        if cls is int:
            return INT
        if cls is bool:
            return BOOL
        if cls is complex:
            return Scalar("complex")
        if isinstance(x, tuple):
            return Tuple(tuple(self.type(e, depth + 1) for e in x), cls)
        if self.heap is not None and is_mutable(x):
            return self._reference(x, self.heap)
        if cls is list:
            items = tuple(self.type(e, depth + 1) for e in x)
            if items and all(i == items[0] for i in items):
                return List(items[0])
            return List(join_all(items), items)
        if cls is dict:
            return Dict(tuple((k, self.type(v, depth + 1)) for k, v in x.items()))
        if self.heap is None and isinstance(x, IN_MEMORY):
            raise MemoryNeeded
        if cls is set:
            return Other(cls)
        if is_made(x) and x.__closure__:
            return UNKNOWN  # what it captured may have a derivative
        if isinstance(x, PLAIN):
            return Const(x) if not isinstance(x, str) else Other(str)
        if depth > LONGEST_RECORD:
            return UNKNOWN
        fields = attributes(x)
        if fields is None:
            return Other(cls)
        return Record(cls, tuple((k, self.type(v, depth + 1)) for k, v in fields.items()))

    def fetched(self, x: Any, around: tuple[Any, ...] = ()) -> Type:
        """As `type`; of a function, of what it is made and has captured. `around`: the functions
        that have captured it.
        """
        if type(x) is not types.FunctionType:
            return self.type(x)
        if any(x is f for f in around):
            return Const(None)
        cells = x.__closure__ or ()
        held = (self.fetched(v, (*around, x)) for c in cells for v in parts(c).values())
        return Tuple((Const(made_of_now(x)), *held))

    def _buffer(self, x: Any) -> Site | None:
        """The site of an array that may be changed: one for each buffer."""
        if self.heap is None or not isinstance(x, np.ndarray) or not x.ndim:
            return None
        owner = id(root(x))
        if owner not in self.buffers:
            self.buffers[owner] = self.heap.site(("buffer", len(self.buffers)))
        return self.buffers[owner]

    def _reference(self, x: Any, heap: Heap) -> Ref:
        """The type of something that may be changed: one site for each object."""
        if id(x) not in self.objects:
            ref = self.objects[id(x)] = Ref(type(x), heap.site(("object", len(self.objects))))
            if isinstance(x, deque) and x.maxlen is not None:
                heap.limited.add(ref.site)
            held = {k: self.type(v) for k, v in parts(x).items()}
            if isinstance(x, set) or isinstance(x, list | deque) and (
                len(held) > LONGEST_LIST or len(held) > 1 and len(set(held.values())) == 1
            ):
                ref.site.resize()
                ref.site.write(ANY, join_all(tuple(held.values())))
            else:
                ref.site.made(held)
        return self.objects[id(x)]

    def pattern(self, values: Iterable[Any]) -> Any:
        """The types of values, and what is known of the objects in them: equal for values that may
        share a specialisation.
        """
        types = [self.fetched(v) for v in values]
        numbers = {id(r.site): i for i, r in enumerate(self.objects.values())}
        buffers = {id(s): i for i, s in enumerate(self.buffers.values())}

        def told(t: Type) -> Any:
            match t:
                case Ref(cls=cls, site=site):
                    return (cls, numbers[id(site)])
                case Array(dtype=dtype, shape=shape, site=Site() as site):
                    return (Array(dtype, shape), buffers[id(site)])
                case Tuple(items=items, cls=cls):
                    return (cls, *map(told, items))
            return t

        objects = tuple(
            (r.cls, r.site.size, *((k, told(t)) for k, t in r.site.contents.items()))
            for r in self.objects.values()
        )
        return (*map(told, types), objects)


LONGEST_LIST = 32  # items of a list in memory whose types are told apart


def is_mutable(x: Any) -> bool:
    """Whether something is a list, dict, cell or object that a program may change."""
    if isinstance(x, list | dict | set | deque | types.CellType):
        return type(x).__module__ in ("builtins", "collections")
    if isinstance(x, int | float | complex | tuple | np.ndarray | np.generic):
        return False
    return attributes(x) is not None


def parts(x: Any) -> dict[Any, Any]:
    """What something mutable holds, by index, key or name."""
    if isinstance(x, dict):
        return dict(x)
    if isinstance(x, list | deque | set):
        return dict(enumerate(x))
    if isinstance(x, types.CellType):
        return cell_parts(x)
    return attributes(x) or {}


def shared(args: Any, fetched: Any) -> tuple[int, ...]:
    """Which of the mutable things in a structure are the same, and which arrays share a buffer:
    their numbers as they are met. What a function that is an argument has captured is among what
    is `fetched`, where it is used.
    """
    numbers: dict[int, int] = {}
    met: list[int] = []

    def walk(x: Any) -> None:
        if isinstance(x, tuple):
            for e in x:
                walk(e)
        elif isinstance(x, np.ndarray):
            met.append(numbers.setdefault(id(root(x)), len(numbers)))
        elif type(x) is types.FunctionType and x.__closure__:
            if id(x) not in numbers:
                numbers[id(x)] = len(numbers)
                for c in x.__closure__:
                    for e in parts(c).values():
                        walk(e)
        elif is_mutable(x):
            known = id(x) in numbers
            met.append(numbers.setdefault(id(x), len(numbers)))
            if not known:
                for e in parts(x).values():
                    walk(e)

    walk(tuple(a for a in args if type(a) is not types.FunctionType))
    walk(tuple(fetched))
    return tuple(met)


def key(x: Any, depth: int = 0) -> Any:
    """A hashable that is equal for values of one type and equal sizes: the fast way to a
    specialisation.
    """
    cls = type(x)
    if cls is float or cls is int or cls is complex:
        return cls
    if cls is np.ndarray:
        return (x.dtype, x.shape)
    if isinstance(x, np.generic):
        return cls
    if cls is tuple or cls is list:
        return (cls, *[key(e, depth + 1) for e in x])
    if cls is dict:
        return (cls, *[(k, key(v, depth + 1)) for k, v in x.items()])
    if cls is bool or x is None or cls is str:
        return (cls, x)
    if cls is types.FunctionType:
        if is_made(x) and depth:
            return cls
        return x if depth or not is_read(x) else (id(x.__code__), id(x.__globals__))
    if isinstance(x, tuple):
        return (cls, *[key(e, depth + 1) for e in x])
    if cls is set:
        return (cls, frozenset(str if type(e) is str else key(e, depth + 1) for e in x))
    if isinstance(x, PLAIN):
        return id(x)
    if cls is types.CellType:
        return (cls, *[key(v, depth + 1) for v in cell_parts(x).values()])
    fields = attributes(x) if depth <= LONGEST_RECORD else None
    if fields is None:
        return cls
    return (cls, *[(k, key(v, depth + 1)) for k, v in fields.items()])


def key_of_fetched(x: Any, around: tuple[Any, ...] = ()) -> Any:
    """As `key`, of what is not an argument: of a function, what it has captured counts. `around`:
    the functions that have captured it.
    """
    if type(x) is not types.FunctionType:
        return key(x, len(around))
    if any(x is f for f in around):
        return None
    held = (v for c in x.__closure__ or () for v in parts(c).values())
    return (Const(made_of_now(x)), *(key_of_fetched(v, (*around, x)) for v in held))
