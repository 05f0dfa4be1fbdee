"""Types of live values: the pattern of their shapes, never the sizes."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from ..ir.types import (
    BOOL,
    FLOAT,
    INT,
    UNKNOWN,
    Array,
    Const,
    Dict,
    Dim,
    List,
    Other,
    Record,
    Scalar,
    Size,
    Tuple,
    Type,
    join_all,
)
from ..runtime import PLAIN, attributes

LONGEST_RECORD = 8  # depth of nested objects that is looked into


class Sizes:
    """Names for sizes: 1 is itself, equal sizes have equal names."""

    def __init__(self) -> None:
        self.dims: dict[int, Dim] = {}

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
            return Array(x.dtype, tuple(map(self.of, x.shape)))
        if cls is int:
            return INT
        if cls is bool:
            return BOOL
        if cls is complex:
            return Scalar("complex")
        if isinstance(x, tuple):
            return Tuple(tuple(self.type(e, depth + 1) for e in x), cls)
        if cls is list:
            items = tuple(self.type(e, depth + 1) for e in x)
            if items and all(i == items[0] for i in items):
                return List(items[0])
            return List(join_all(items), items)
        if cls is dict:
            return Dict(tuple((k, self.type(v, depth + 1)) for k, v in x.items()))
        if isinstance(x, PLAIN):
            return Const(x) if not isinstance(x, str) else Other(str)
        if depth > LONGEST_RECORD:
            return UNKNOWN
        fields = attributes(x)
        if fields is None:
            return Other(cls)
        return Record(cls, tuple((k, self.type(v, depth + 1)) for k, v in fields.items()))


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
        return x if depth else (id(x.__code__), id(x.__globals__))
    if isinstance(x, tuple):
        return (cls, *[key(e, depth + 1) for e in x])
    if isinstance(x, PLAIN):
        return id(x)
    fields = attributes(x) if depth <= LONGEST_RECORD else None
    if fields is None:
        return cls
    return (cls, *[(k, key(v, depth + 1)) for k, v in fields.items()])
