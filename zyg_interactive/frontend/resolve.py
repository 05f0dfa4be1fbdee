"""What a name means: from live objects, or, where nothing may run, from the text's imports."""

from __future__ import annotations

import ast
import builtins
import importlib
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..ir.core import UNBOUND, Path
from ..ir.types import UNKNOWN, Type
from ..source import FunctionNode, Source
from .names import bound

ReadType = Callable[[Any], Type]


@dataclass(frozen=True)
class Known:
    """A name that stands for an object known now; `path` says where to look whether it still does."""

    value: Any
    path: Path | None = None


@dataclass(frozen=True)
class Data:
    """A name that stands for data, fetched at each call from `path`."""

    path: Path
    type: Type
    value: Any = field(default=UNBOUND, compare=False)


@dataclass(frozen=True)
class Missing:
    """A name that stands for nothing."""


Meaning = Known | Data | Missing


class Resolver(Protocol):
    """What the lowering asks about names that are not local."""

    def name(self, name: str) -> Meaning: ...

    def member(self, owner: Any, name: str) -> Meaning: ...


@dataclass(eq=False)
class UserFunction:
    """A function whose text is lowered: a live one, or one that is only read."""

    name: str
    source: Source
    node: FunctionNode
    resolver: Resolver
    defaults: dict[str, Any] = field(default_factory=dict)
    live: Any = None
    code: types.CodeType | None = None
    origin: Path | None = None

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def key(self) -> Any:
        """Equal for functions that may share specialisations."""
        return (self.code or self.node, self.origin)


CONSTANTS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.BuiltinMethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ModuleType,
    types.MethodType,
    type,
    np.ufunc,
    np.dtype,
    str,
    bytes,
    bool,
    type(None),
    type(Ellipsis),
)


def is_constant(value: Any) -> bool:
    """Whether an object is part of the program, not of its data."""
    return isinstance(value, CONSTANTS) or (
        callable(value) and type(value).__module__.partition(".")[0] in ("numpy", "functools", "zyg_interactive")
    )


class LiveResolver:
    """Names of a live function: its free variables, its globals, the builtins."""

    def __init__(self, scope: dict[str, Any], free: Mapping[str, tuple[Path, Any]], read_type: ReadType):
        self.scope, self.free, self.read_type = scope, free, read_type

    def name(self, name: str) -> Meaning:
        if name in self.free:
            path, value = self.free[name]
        else:
            path = Path(self.scope, name)
            value = self.scope.get(name, UNBOUND)
        if value is UNBOUND:
            value = getattr(builtins, name, UNBOUND)
            return Missing() if value is UNBOUND else Known(value)
        return self._meaning(path, value)

    def member(self, owner: Any, name: str) -> Meaning:
        try:
            value = getattr(owner, name)
        except AttributeError:
            return Missing()
        scope = getattr(owner, "__dict__", None)
        if isinstance(owner, types.ModuleType) and isinstance(scope, dict) and name in scope:
            if owner.__name__.partition(".")[0] in ("numpy", "math", "operator", "scipy", "cmath"):
                return Known(value)
            return self._meaning(Path(scope, name), value)
        return Known(value)

    def _meaning(self, path: Path, value: Any) -> Meaning:
        if is_constant(value):
            return Known(value, path)
        return Data(path, self.read_type(value), value)


# Modules that are imported to read a text: nothing of the user's, and nothing that does anything on import.
SAFE_MODULES = ("numpy", "math", "cmath", "operator", "functools", "itertools", "builtins", "zyg_interactive")


class StaticResolver:
    """Names of a text that is read and never run: its imports and its own functions."""

    def __init__(self, source: Source):
        self.source = source
        self.bindings: dict[str, Meaning] = {}
        for s in source.tree.body:
            self._bind(s)

    def _bind(self, s: ast.stmt) -> None:
        match s:
            case ast.Import(names=names):
                for a in names:
                    module = a.name if a.asname else a.name.partition(".")[0]
                    self.bindings[a.asname or module] = self._import(module)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for a in names:
                    owner = self._import(module)
                    name = a.asname or a.name
                    self.bindings[name] = self.member(owner.value, a.name) if isinstance(owner, Known) else self._data(name)
            case ast.FunctionDef(name=name):
                self.bindings[name] = Known(self.function(s))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as node):
                self.bindings[name] = Known(UserFunction(name, self.source, node, self))
            case ast.If() | ast.Try() | ast.With():
                for inner in ast.iter_child_nodes(s):
                    if isinstance(inner, ast.stmt):
                        self._bind(inner)
            case _:
                for name in bound([s]):
                    self.bindings[name] = self._data(name)

    def function(self, node: ast.FunctionDef) -> UserFunction:
        return UserFunction(node.name, self.source, node, self)

    def _data(self, name: str) -> Data:
        return Data(Path(self.bindings, name), UNKNOWN)

    def _import(self, module: str) -> Meaning:
        if module.partition(".")[0] in SAFE_MODULES:
            try:
                return Known(importlib.import_module(module))
            except ImportError:
                return Missing()
        return self._data(module)

    def name(self, name: str) -> Meaning:
        if name in self.bindings:
            return self.bindings[name]
        value = getattr(builtins, name, UNBOUND)
        return Missing() if value is UNBOUND else Known(value)

    def member(self, owner: Any, name: str) -> Meaning:
        try:
            return Known(getattr(owner, name))
        except AttributeError:
            return Missing()
