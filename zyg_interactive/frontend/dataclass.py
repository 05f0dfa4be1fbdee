"""What `dataclasses.dataclass` writes into a class: no text of it can be lowered."""

from __future__ import annotations

import types
from typing import Any

from ..ir.core import Atom, type_of
from ..ir.types import Record, Ref


def initialised_by(cls: type, method: Any = None) -> type | None:
    """The dataclass whose `__init__`, written by `dataclass`, makes the instances of a class; or
    the base of the class whose `__init__` is this one.
    """
    inits = ((c, vars(c)["__init__"]) for c in cls.__mro__ if "__init__" in vars(c))
    by, init = next(((c, i) for c, i in inits if method in (None, i)), (object, None))
    written = isinstance(init, types.FunctionType) and init.__code__.co_filename == "<string>"
    return by if written and "__dataclass_fields__" in vars(by) else None


def initialises(fn: Any, args: tuple[Atom, ...]) -> type | None:
    """The class of whose instances this is the `__init__` that `dataclass` wrote."""
    if not args or getattr(fn, "__name__", None) != "__init__":
        return None
    t = type_of(args[0])
    return initialised_by(t.cls, fn) if isinstance(t, Record | Ref) else None


def fields_of(cls: type) -> tuple[Any, ...]:
    """The fields of a dataclass, and what its `__init__` only passes on, in the order of its
    parameters.
    """
    fields = vars(cls)["__dataclass_fields__"].values()
    return tuple(f for f in fields if f._field_type.name != "_FIELD_CLASSVAR")


def is_passed_on(field: Any) -> bool:
    """Whether this is an `InitVar`: it goes to `__post_init__`."""
    return bool(field._field_type.name == "_FIELD_INITVAR")
