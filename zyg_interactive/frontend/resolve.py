"""What a name means: from live objects, or, where nothing may run, from the text's imports."""

from __future__ import annotations

import ast
import builtins
import enum
import importlib
import types
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakSet

import numpy as np

from ..ir.core import UNBOUND, Cell, Path
from ..ir.types import UNKNOWN, Type, of_number
from ..source import FunctionNode, Source
from .names import bound

ReadType = Callable[[Any], Type]


@dataclass(frozen=True)
class Known:
    """A name for an object that is known now; `path` says where to look whether it still is it."""

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


@dataclass(frozen=True)
class SharedGlobal:
    """A global that the program binds: what it means when the program starts, and its value."""

    names: dict[str, Any] = field(compare=False)
    first: Known | Data | Missing
    value: Any = field(default=UNBOUND, compare=False)


Meaning = Known | Data | Missing | SharedGlobal


class Resolver(Protocol):
    """What the lowering asks about names that are not local."""

    def name(self, name: str) -> Meaning: ...

    def member(self, owner: Any, name: str) -> Meaning: ...

    def cell(self, name: str) -> Any:
        """What identifies the variable of a live function around, where `name` is one."""

    def imported(self, module: str) -> Meaning:
        """What a module is that a function imports."""


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
    scope: dict[str, Any] | None = None  # the globals of a text that is no live function
    captured: tuple[Type, ...] = ()  # by a closure

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def key(self) -> Any:
        """Equal for functions that may share specialisations."""
        # Equal code objects may belong to different globals: identity is meant, and both
        # are kept alive here.
        return (
            id(self.code or self.node),
            id(getattr(self.live, "__globals__", None)),
            self.origin,
            self.captured,
        )


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
    enum.Enum,
)


# Packages, and modules of SciPy, whose callable objects are functions by another name, such as
# `scipy.fft.fft`, `scipy.special.legendre_p`, `scipy.stats.norm` and splines.
OF_FUNCTIONS = ("numpy", "functools", "zyg_interactive", "uarray")
OF_FUNCTIONS_IN_SCIPY = (
    "scipy.special._multiufuncs",
    "scipy.stats._continuous_distns",
    "scipy.stats._discrete_distns",
    "scipy.stats._multivariate",
    "scipy.interpolate._cubic",
    "scipy.interpolate._interpolate",
    "scipy.interpolate._bsplines",
    "scipy.interpolate._fitpack2",
    "scipy.interpolate._rgi",
)


def is_constant(value: Any) -> bool:
    """Whether an object is part of the program, not of its data."""
    if isinstance(value, CONSTANTS):
        return True
    module = type(value).__module__
    if module == "scipy.stats._distn_infrastructure":  # a distribution with its parameters
        return True
    if type(value).__hash__ is None:  # it is compared by what it holds, which may change
        return False
    return callable(value) and (
        module.partition(".")[0] in OF_FUNCTIONS or module in OF_FUNCTIONS_IN_SCIPY
    )


# Classes of statements in functions: of each there is one, where Python makes many.
LOCAL_CLASSES: WeakSet[type] = WeakSet()


def path_into(cls: type, name: str) -> Path:
    """The way to what a class has under `name`."""
    return Path(cls, "class", (name,))


class LiveResolver:
    """Names of a live function: its free variables, its globals, the builtins."""

    def __init__(
        self,
        scope: dict[str, Any],
        free: Mapping[str, tuple[Path, types.CellType]],
        read_type: ReadType,
        shared: Container[Any] = (),
        variables: Container[str] = (),
    ):
        """`shared`: the variables that are in memory; `variables`: names of others that are."""
        self.scope, self.free, self.read_type, self.shared = scope, free, read_type, shared
        self.variables = variables

    def name(self, name: str) -> Meaning:
        if name in self.free:
            return self._free(name, *self.free[name])
        value = self.scope.get(name, UNBOUND)
        found: Known | Data | Missing
        if value is not UNBOUND:
            found = self._meaning(Path(self.scope, name), value)
        elif hasattr(builtins, name):
            found = Known(getattr(builtins, name))
        else:
            found = Missing()
        if (id(self.scope), name) in self.shared:
            return SharedGlobal(self.scope, found, value)
        return found

    def _free(self, name: str, path: Path, cell: types.CellType) -> Meaning:
        if id(cell) in self.shared or name in self.variables:
            *steps, last = path.steps
            assert isinstance(last, int)
            there = Path(path.root, path.name, (*steps, Cell(last)))
            return Data(there, self.read_type(cell), cell)
        try:
            return self._meaning(path, cell.cell_contents)
        except ValueError:
            return Missing()

    def cell(self, name: str) -> Any:
        return id(self.free[name][1]) if name in self.free else None

    def imported(self, module: str) -> Meaning:
        return Known(importlib.import_module(module))

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
        if isinstance(owner, type) and owner.__module__ not in ("builtins", "numpy"):
            if not callable(value) or isinstance(value, types.FunctionType):
                return self._meaning(path_into(owner, name), value)
        return Known(value)

    def _meaning(self, path: Path, value: Any) -> Known | Data:
        if is_constant(value):
            return Known(value, path)
        return Data(path, self.read_type(value), value)


# Modules that are imported to read a text: nothing of the user's, and nothing that does anything
# on import.
SAFE_MODULES = (
    "numpy",
    "math",
    "cmath",
    "operator",
    "functools",
    "itertools",
    "builtins",
    "zyg_interactive",
)


Asked = dict[str, Meaning | None]


class StaticResolver:
    """Names of a text that is read and never run: its imports, its own functions, its constants.

    The text may come in pieces that are read on their own (`meanings`) and put together
    (`bindings`): an editor reads again only the piece that changed. `asked` holds the names that
    were looked up: what an answer depends on.
    """

    def __init__(self, *sources: Source):
        self.bindings: dict[str, Meaning] = {}
        self.asked: set[str] = set()
        for source in sources:
            self.bindings.update(self.meanings(source))

    def meanings(self, source: Source) -> dict[str, Meaning]:
        """What the names mean that a piece of the text binds."""
        found: dict[str, Meaning] = {}
        for s in source.tree.body:
            self._bind(s, source, found)
        return found

    def _bind(self, s: ast.stmt, source: Source, found: dict[str, Meaning]) -> None:
        match s:
            case ast.Import(names=names):
                for a in names:
                    root = a.name.partition(".")[0]
                    whole = self._import(a.name)  # `import numpy.linalg` binds `numpy`
                    found[a.asname or root] = whole if a.asname else self._import(root)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                owner = self._import(module)
                for a in names:
                    if a.name == "*":
                        found.update(self._star(owner))
                        continue
                    name = a.asname or a.name
                    found[name] = self.variable(name)
                    if isinstance(owner, Known):
                        found[name] = self._imported(owner.value, a.name)
            case ast.FunctionDef(name=name, decorator_list=[]):
                found[name] = Known(UserFunction(name, source, s, self))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as node):
                found[name] = Known(UserFunction(name, source, node, self))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)) if (
                name not in found
            ):
                found[name] = self._constant(name, value)
            case ast.If() | ast.Try() | ast.With():
                for inner in ast.walk(s):
                    if isinstance(inner, ast.Import | ast.ImportFrom | ast.FunctionDef):
                        self._bind(inner, source, found)
                for name in bound([s]):
                    found.setdefault(name, self.variable(name))
            case _:
                for name in bound([s]):
                    found[name] = self.variable(name)

    def _constant(self, name: str, value: Any) -> Meaning:
        """A number is data of a known type; what is part of the program is known."""
        if is_constant(value):
            return Known(value, Path(self.bindings, name))
        return Data(Path(self.bindings, name), of_number(value))

    def variable(self, name: str) -> Data:
        """A name of which only the run knows what it stands for."""
        return Data(Path(self.bindings, name), UNKNOWN)

    def _import(self, module: str) -> Meaning:
        if module.partition(".")[0] in SAFE_MODULES:
            try:
                return Known(importlib.import_module(module))
            except ImportError:
                return Missing()
        return self.variable(module)

    def _imported(self, owner: Any, name: str) -> Meaning:
        """`from owner import name`: a member, or a module inside a package."""
        if not hasattr(owner, name):
            return self._import(f"{owner.__name__}.{name}")
        return self.member(owner, name)

    def _star(self, owner: Meaning) -> dict[str, Meaning]:
        """`from owner import *`; "*" stands for the names of a module that is not read."""
        if not isinstance(owner, Known):
            return {"*": self.variable("*")}
        names = getattr(owner.value, "__all__", None) or [
            n for n in dir(owner.value) if n[0] != "_"
        ]
        return {n: self.member(owner.value, n) for n in names}

    def meant(self) -> Asked:
        """What the names mean that were looked up."""
        return {name: self.bindings.get(name) for name in self.asked}

    def holds(self, asked: Asked) -> bool:
        """Whether names still mean what they meant."""
        return all(_is_same(self.bindings.get(name), meaning) for name, meaning in asked.items())

    def name(self, name: str) -> Meaning:
        self.asked.add(name)
        if name in self.bindings:
            return self.bindings[name]
        value = getattr(builtins, name, UNBOUND)
        if value is not UNBOUND:
            return Known(value)
        self.asked.add("*")
        return self.variable(name) if "*" in self.bindings else Missing()

    def member(self, owner: Any, name: str) -> Meaning:
        try:
            return Known(getattr(owner, name))
        except AttributeError:
            return Missing()

    @property
    def scope(self) -> dict[str, Any]:
        return self.bindings

    def imported(self, module: str) -> Meaning:
        return self._import(module)

    def cell(self, name: str) -> Any:
        return None


def _is_same(a: Meaning | None, b: Meaning | None) -> bool:
    if isinstance(a, Data) and isinstance(b, Data):
        return a.path == b.path and a.type == b.type
    return a is b


def is_hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True
