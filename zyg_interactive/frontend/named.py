"""Attributes by names that may be known only at the run: `getattr` and `setattr`."""

from __future__ import annotations

import ast
import builtins
import operator
import types
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..ir.core import Atom, Value, type_of
from ..ir.types import ANY, UNBOUND_TYPE, Closure, Record, Ref, Unknown
from .expressions import TITLES
from .fence import looking, refused
from .memory import CONTAINERS

if TYPE_CHECKING:
    from .functions import Functions

MOST = 32  # members of a class that are told from each other at the run


def gotten(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`getattr(base, name)`, `getattr(base, name, default)`."""
    if kwargs or len(args) not in (2, 3):
        return NotImplemented
    base, name, *default = args
    if isinstance(type_of(base), Closure) and isinstance(name, str) and name in TITLES:
        return self.attribute(base, name, node)
    if not default:
        known = isinstance(name, str) or not isinstance(name, Value)
        return NotImplemented if known else _by_name(self, base, name, node)
    has = _has(self, base, name, node)
    there = (base, name)
    return self._choice(has, lambda: self.call(fn, there, {}, node), lambda: default[0], node, None)


def _has(self: Functions, base: Atom, name: Atom, node: ast.expr) -> Atom:
    """`hasattr(base, name)`, decided now where types tell."""
    t = type_of(base)
    if not isinstance(base, Value) and isinstance(name, str):
        if isinstance(base, types.ModuleType | type):
            return hasattr(base, name)
        if not isinstance(t, Record | Ref):
            return self.call(builtins.hasattr, (base, name), {}, node)
    if isinstance(t, Record | Ref) and not issubclass(t.cls, CONTAINERS):
        if hasattr(t.cls, "__getattr__"):
            what = f"`getattr` with a default of a {t.cls.__name__}, which has a `__getattr__`"
            raise refused(self.source, node, what, "read the attribute")
        if isinstance(name, str):
            found = _of_class(t.cls, name)
            if found is not None and not isinstance(found, types.MemberDescriptorType):
                return True
            if isinstance(t, Record):
                return t.get(name) is not None
            if not t.site.find().escaped and t.site.read(name) == UNBOUND_TYPE:
                return False
    return self.op(builtins.hasattr, (base, name), {}, node)


def _of_class(cls: type, name: str) -> Any:
    return next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)


def _runs_code(member: Any) -> bool:
    """Whether reading this member of a class is more than to read what an object holds."""
    return hasattr(type(member), "__get__") and not isinstance(member, types.MemberDescriptorType)


def _by_name(self: Functions, base: Atom, name: Value, node: ast.expr) -> Atom:
    t = type_of(base)
    if isinstance(t, Unknown):
        return self.call(runtime.attribute_named, (base, name), {}, node)
    if not isinstance(t, Record | Ref) or issubclass(t.cls, CONTAINERS):
        return NotImplemented
    self.memory()
    if hasattr(t.cls, "__getattr__") or t.cls.__getattribute__ is not object.__getattribute__:
        raise _unknown(self, "getattr", node)

    def own() -> Atom:
        assert isinstance(t, Ref)
        self.op(runtime.check_held, (base, name), {}, node)
        got = self.op(builtins.getattr, (base, name), {}, node)
        got.type = t.site.read(ANY)
        return self.unpacked(got)

    def among(members: list[str]) -> Atom:
        if not members:
            return own()
        first, *rest = members
        return self._choice(
            self.op(operator.eq, (name, first), {}, node),
            lambda: self.attribute(base, first, node),
            lambda: among(rest),
            node,
            None,
        )

    return among(_members(self, t.cls, name, node, _runs_code))


def _members(self: Functions, cls: type, name: Value, node: ast.expr, asked: Any) -> list[str]:
    """The members of a class, of those that are asked for, that may have such a name."""
    made = name.op
    first = made.args[0] if made is not None and made.fn in PREFIXING else None
    start = first if isinstance(first, str) else ""
    names = [n for n in dir(cls) if n.startswith(start) and not n.startswith("__")]
    members = [n for n in names if asked(_of_class(cls, n))]
    if len(members) > MOST:
        raise _unknown(self, "getattr", node)
    return members


PREFIXING = (operator.add, runtime.join_text)


def put(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`setattr(base, name, value)`."""
    if kwargs or len(args) != 3 or not isinstance(args[1], Value):
        return NotImplemented
    base, name, value = args
    t = type_of(base)
    if isinstance(t, Unknown):
        self.memory()
        self._late(setattr, (base, name, value), node)
        return None
    if not isinstance(t, Record | Ref) or issubclass(t.cls, CONTAINERS):
        return NotImplemented
    self.memory()
    if isinstance(t.cls.__setattr__, types.FunctionType) and fn is builtins.setattr:
        return self.method_call(t.cls, "__setattr__", (base, name, value), node)
    if hasattr(t.cls, "__getattr__") or t.cls.__getattribute__ is not object.__getattribute__:
        raise _unknown(self, "setattr", node)

    def own() -> None:
        assert isinstance(t, Ref)
        self.op(runtime.check_held, (base, name), {}, node)
        self.op(setattr, (base, name, self.materialise(value, node)), {}, node)
        t.site.write(ANY, type_of(value))

    def among(members: list[str]) -> None:
        if not members:
            own()
            return
        first, *rest = members
        is_first = self.op(operator.eq, (name, first), {}, node)
        self.branch(
            is_first,
            lambda: self.store_attribute(base, first, value, node),
            lambda: among(rest),
            node,
        )

    among(_members(self, t.cls, name, node, lambda m: isinstance(m, property)))
    return None


def held_by(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`vars(x)`."""
    if not args:
        raise looking(self.source, fn, node)
    if any(isinstance(type_of(a), Record | Ref) for a in args):
        raise all_attributes(self, node)
    return NotImplemented


def all_attributes(self: Functions, node: ast.AST) -> Exception:
    return refused(
        self.source,
        node,
        "`__dict__` of an object",
        "use `getattr` and `setattr`, which take a name that is computed, too",
    )


def _unknown(self: Functions, what: str, node: ast.expr) -> Exception:
    return refused(
        self.source,
        node,
        f"`{what}` with a name that only the run knows",
        "keep the values in a dict",
        "ZYG103",
    )
