"""Values, operations, regions, functions: structured SSA, small enough to hold in the head.

An *atom* is what an operation may read: a `Value`, a Python constant, or a tuple, list or dict of
atoms. Four operations have regions; what a region changes leaves through its `outs`, and it may
read values around it:

* `IF`    args (condition,)            regions (then, else), outs merged into the results
* `TRY`   args ()                      regions (body; otherwise: param an exception of the classes
                                       `static["catches"]` that the body raised); outs (False or
                                       True, *merged): the first result tells whether it did
* `FOR`   args (*sequences, *initial)  region params (*items, *carried),
                                       outs (*carried, *collected)
* `WHILE` args (*initial)              regions (test: reads the body's parameters,
                                       outs (condition,); body: as in FOR)

`FOR` and `WHILE` are scans: results are the last carried values, then one list per collected out.
`static`: `sequences` (their number), `backwards` (per sequence), `carried` (their number), and
`stop`: where true, the first out of the body ends the loop.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from ..diagnostics import refuse
from ..source import Span
from .types import (
    UNBOUND_TYPE,
    UNKNOWN,
    Const,
    Dict,
    List,
    Scalar,
    Size,
    Tuple,
    Type,
    of_number,
    rank,
    same_constant,
)

Atom = Any
Infer = Callable[[Any, tuple[Atom, ...], dict[str, Atom]], Type]
Narrow = Callable[[Any, tuple[Atom, ...]], Any]


class Marker:
    """A control operation, or another operation that no Python object names."""

    def __init__(self, name: str):
        self.__name__ = name

    def __repr__(self) -> str:
        return self.__name__


IF = Marker("if")
FOR = Marker("for")
WHILE = Marker("while")
TRY = Marker("try")
UNPACK = Marker("unpack")  # the items of a tuple of known length, all at once
CALL_VALUE = Marker("call")  # call of a callee that only the run knows: args (callee, *args)


class _Unbound:
    """The value of a name that is not bound."""

    def __repr__(self) -> str:
        return "<unbound>"


UNBOUND = _Unbound()


class Undecided(Exception):
    """A rule branched on, or indexed with, a value that only the run knows."""

    def __init__(self, value: Value, what: str):
        super().__init__(f"{what} of the run-time value `{value.name or value.type}`")
        self.value = value


class Demand(Exception):
    """A parameter of the function lowered from the code `key` has to be known; lowering starts
    again with it known.
    """

    def __init__(self, key: Any, name: str, value: Value, what: str):
        super().__init__(what)
        self.key, self.name, self.value = key, name, value


class MemoryNeeded(Exception):
    """The program changes a list, dict or object; lowering starts again with references to memory
    in the place of values that never change. `span`: the statement that makes the change.
    """

    span: Span | None = None


class Value:
    """The result of an operation, or a parameter of a region. Equality is identity.

    NumPy calls and operators on a `Value` do not compute: they append an `Op` to the region being
    built, so a rule written for arrays is also a rule that writes adjoint code.
    """

    __slots__ = ("name", "type", "span", "bar_of", "op")

    def __init__(self, name: str | None = None, type: Type = UNKNOWN, span: Span | None = None):
        self.name, self.type, self.span = name, type, span
        self.bar_of: Value | None = None  # set on cotangents: the primal value they belong to
        self.op: Op | None = None

    def __repr__(self) -> str:
        return f"%{self.name or '_'}: {self.type!r}"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Atom, **static: Atom) -> Value:
        if method != "__call__":
            raise TypeError(
                f"np.{ufunc.__name__}.{method} in a rule; call np.{ufunc.__name__} itself"
            )
        return emit(ufunc, args, static)

    def __array_function__(
        self, fn: Any, types: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom]
    ) -> Value:
        return emit(fn, args, kwargs)

    def __bool__(self) -> bool:
        raise Undecided(self, "the truth")

    def __index__(self) -> int:
        raise Undecided(self, "the integer value")

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.type, Tuple):
            return iter([emit(operator.getitem, (self, i)) for i in range(len(self.type.items))])
        raise Undecided(self, "the length")

    def __getitem__(self, index: Atom) -> Any:
        return emit(operator.getitem, (self, index))

    @property
    def ndim(self) -> int:
        n = rank(self.type)
        if n is None:
            raise Undecided(self, "the rank")
        return n

    def __add__(self, other: Atom) -> Any:
        return emit(operator.add, (self, other))

    def __radd__(self, other: Atom) -> Any:
        return emit(operator.add, (other, self))

    def __sub__(self, other: Atom) -> Any:
        return emit(operator.sub, (self, other))

    def __rsub__(self, other: Atom) -> Any:
        return emit(operator.sub, (other, self))

    def __mul__(self, other: Atom) -> Any:
        return emit(operator.mul, (self, other))

    def __rmul__(self, other: Atom) -> Any:
        return emit(operator.mul, (other, self))

    def __truediv__(self, other: Atom) -> Any:
        return emit(operator.truediv, (self, other))

    def __rtruediv__(self, other: Atom) -> Any:
        return emit(operator.truediv, (other, self))

    def __pow__(self, other: Atom) -> Any:
        return emit(operator.pow, (self, other))

    def __rpow__(self, other: Atom) -> Any:
        return emit(operator.pow, (other, self))

    def __matmul__(self, other: Atom) -> Any:
        return emit(operator.matmul, (self, other))

    def __rmatmul__(self, other: Atom) -> Any:
        return emit(operator.matmul, (other, self))

    def __neg__(self) -> Any:
        return emit(operator.neg, (self,))


@dataclass(eq=False)
class Op:
    fn: Any
    args: tuple[Atom, ...]
    static: dict[str, Any] = field(default_factory=dict)
    results: tuple[Value, ...] = ()
    regions: tuple[Region, ...] = ()
    span: Span | None = None

    def __post_init__(self) -> None:
        for r in self.results:
            r.op = self

    @property
    def result(self) -> Value:
        (value,) = self.results
        return value


@dataclass(eq=False)
class Region:
    params: tuple[Atom, ...] = ()
    ops: list[Op] = field(default_factory=list)
    outs: tuple[Atom, ...] = ()


@dataclass(frozen=True)
class Cell:
    """A step of a path: the cell of a free variable, not what it holds."""

    number: int


CALLED = "called"  # the root of a path that begins at the function that was called


@dataclass(frozen=True)
class Path:
    """How a variable that is no argument is reached at each call.

    `root` is a dictionary of globals, a class, `CALLED` (the function called), the number of an
    argument, or a scope of the lowering (a local variable that an inner function captures). From
    there `steps` go through closures (an int, the number of the free variable; `Cell` of it where
    the cell itself is meant) and attributes (a str).
    """

    root: Any
    name: str
    steps: tuple[int | str | Cell, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Path):
            return False
        same = self.root is other.root or (
            isinstance(self.root, int | str) and self.root == other.root
        )
        return same and self.name == other.name and self.steps == other.steps

    def __hash__(self) -> int:
        root = self.root if isinstance(self.root, int | str) else id(self.root)
        return hash((root, self.name, self.steps))

    def fetch(self, f: Any, args: tuple[Any, ...]) -> Any:
        """The object there now, or `UNBOUND`."""
        if isinstance(self.root, dict):
            found = self.root.get(self.name, UNBOUND)
        elif isinstance(self.root, type):
            found = self.root
        else:
            found = f if self.root == CALLED else args[self.root]
        for step in self.steps:
            try:
                match step:
                    case str():
                        found = getattr(found, step)
                    case Cell(number=number):
                        found = found.__closure__[number]
                    case _:
                        found = found.__closure__[step].cell_contents
            except (ValueError, AttributeError, TypeError, IndexError):
                return UNBOUND
        return found


@dataclass(frozen=True)
class Guard:
    """What a specialisation took for granted: the object at `path` is `expected`.

    Of a Python function its code matters, so that one made anew by the same `def` is the same.
    """

    path: Path
    expected: Any = field(hash=False)
    made_of: Any = field(default=None, init=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        # As it is now: code and defaults of a function object may be changed in place.
        object.__setattr__(self, "made_of", made_of_now(self.expected))

    @property
    def key(self) -> Any:
        """Equal for guards of which one is enough."""
        return self.path

    def holds(self, f: Any, args: tuple[Any, ...]) -> bool:
        found = self.path.fetch(f, args)
        if self.made_of is None:
            return found is self.expected or Const(found) == Const(self.expected)
        now = made_of_now(found)
        return now is not None and all(map(same_constant, now, self.made_of))


@dataclass(frozen=True)
class Identical(Guard):
    """Taken for granted: the object at `path` is this very one. What a function captured matters
    where it is called as it is.
    """

    @property
    def key(self) -> Any:
        return (self.path, None)

    def holds(self, f: Any, args: tuple[Any, ...]) -> bool:
        return self.path.fetch(f, args) is self.expected


@dataclass(frozen=True)
class SameObject(Guard):
    """Taken for granted: the function at `path` is the very object at `first`."""

    first: Path = field(kw_only=True)

    @property
    def key(self) -> Any:
        return (self.path, self.first)

    def holds(self, f: Any, args: tuple[Any, ...]) -> bool:
        return self.path.fetch(f, args) is self.first.fetch(f, args)


# Functions that have a rule of the user's.
WITH_RULE: set[Any] = set()


def is_read(f: FunctionType) -> bool:
    """Whether the code of a function tells what it does. Functions that a user has given a rule,
    and those of NumPy and SciPy that a decorator has made, are known by themselves: others have
    the same code.
    """
    if f.__closure__ is None:
        return True
    module = f.__globals__.get("__name__") or ""
    return module.partition(".")[0] not in ("numpy", "scipy") and f not in WITH_RULE


def made_of_now(f: Any) -> tuple[Any, ...] | None:
    """What a Python function is made of, by identity or value; None for anything else."""
    if not isinstance(f, FunctionType):
        return None
    if not is_read(f):
        return (f,)
    named = tuple((f.__kwdefaults__ or {}).items())
    return (f.__code__, f.__globals__, f.__defaults__, named)


@dataclass(eq=False)
class Function:
    """A region with a name. `hidden` describes the last of its parameters."""

    name: str
    region: Region
    span: Span | None = None
    hidden: tuple[Path, ...] = ()
    guards: tuple[Guard, ...] = ()
    recursive: bool = False
    order: int = 0  # how many times it was differentiated
    key: Any = None  # the code it was lowered from
    changing: bool = False  # part of a program that changes lists, dicts, objects or arrays
    arrays: bool = False  # in which arrays are found by identity
    checkpoint: bool = False  # runs again in the reverse pass, which keeps its arguments alone
    late: bool = False  # a single call, specialised at the run
    forward: int | None = None  # of a fused gradient: how many of its ops are the forward part
    returns: bool = True  # else it raises, whatever it is given

    @property
    def __name__(self) -> str:
        return self.name

    def hidden_params(self) -> list[tuple[Path, Value]]:
        """The hidden parameters with the paths that they are fetched from."""
        first = len(self.region.params) - len(self.hidden)
        return list(zip(self.hidden, self.region.params[first:], strict=True))

    @property
    def result(self) -> Type:
        return type_of(self.region.outs[0]) if self.region.outs else UNBOUND_TYPE


@dataclass
class _Building:
    region: Region
    span: Span | None
    infer: Infer
    narrow: Narrow | None


_building: ContextVar[_Building] = ContextVar("_building")


@contextmanager
def building(
    region: Region, span: Span | None, infer: Infer, narrow: Narrow | None = None
) -> Iterator[Region]:
    """Let NumPy calls on `Value`s append to `region`, each op at `span` and typed by `infer`.

    `narrow` may put a cheaper callee in place of one that a rule wrote (`math.cos` for `np.cos` of
    a Python float).
    """
    token = _building.set(_Building(region, span, infer, narrow))
    try:
        yield region
    finally:
        _building.reset(token)


@contextmanager
def at(span: Span | None) -> Iterator[None]:
    """Let what is built meanwhile belong to another place of the source."""
    here = _building.get()
    with building(here.region, span or here.span, here.infer, here.narrow):
        yield


def emit(
    fn: Any, args: Iterable[Atom], static: dict[str, Any] | None = None, *, name: str | None = None
) -> Value:
    """Append `fn(*args, **static)` to the region being built and return its result."""
    here = _building.get()
    args, static = tuple(args), dict(static or {})
    if here.narrow is not None:
        fn = here.narrow(fn, args)
    result = Value(name, here.infer(fn, args, static), here.span)
    here.region.ops.append(Op(fn, args, static, (result,), (), here.span))
    return result


def append(op: Op) -> Op:
    """Append an op made by hand to the region being built."""
    _building.get().region.ops.append(op)
    return op


def current_span() -> Span | None:
    return _building.get().span


def current_region() -> Region:
    return _building.get().region


def type_of(atom: Atom) -> Type:
    match atom:
        case Value():
            return atom.type
        case tuple():
            return Tuple(tuple(map(type_of, atom)), type(atom))
        case list():
            items = tuple(map(type_of, atom))
            return List(items[0] if items else UNBOUND_TYPE, items)
        case dict():
            return Dict(tuple((k, type_of(v)) for k, v in atom.items()))
        case _ if atom is UNBOUND:
            return UNBOUND_TYPE
    if isinstance(atom, bool | int | float | complex | np.generic | np.ndarray):
        return of_number(atom)
    return Const(atom)


def values(atom: Atom) -> Iterator[Value]:
    """The `Value`s inside an atom."""
    if isinstance(atom, Value):
        yield atom
    elif isinstance(atom, tuple | list):
        for a in atom:
            yield from values(a)
    elif isinstance(atom, dict):
        for a in atom.values():
            yield from values(a)
    elif isinstance(atom, slice):
        yield from values((atom.start, atom.stop, atom.step))


def map_atom(f: Callable[[Atom], Atom], atom: Atom) -> Atom:
    """`atom` with `f` applied to each `Value` and constant in it."""
    match atom:
        case tuple():
            items = [map_atom(f, a) for a in atom]
            return type(atom)(*items) if hasattr(atom, "_fields") else tuple(items)
        case list():
            return [map_atom(f, a) for a in atom]
        case dict():
            return type(atom)({k: map_atom(f, a) for k, a in atom.items()})
        case slice():
            return slice(*(map_atom(f, a) for a in (atom.start, atom.stop, atom.step)))
    return f(atom)


def same_atom(a: Atom, b: Atom) -> bool:
    """Whether two atoms are the same value for certain."""
    if a is b:
        return True
    if isinstance(a, Value) or isinstance(b, Value):
        return False
    if isinstance(a, tuple) and isinstance(b, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same_atom, a, b))
    if isinstance(a, list | dict | slice) or isinstance(b, list | dict | slice):
        return False
    return Const(a) == Const(b)


def op_reads(op: Op) -> Iterator[Value]:
    """The values an op reads itself, not those its regions read."""
    yield from values(op.args)
    yield from values(op.static)


# These go through regions in regions, so they gather lists: generators in generators would hand
# each value on through all of them.


def defined(region: Region) -> Iterator[Value]:
    """Every value a region defines, in it and in its inner regions."""
    found: list[Value] = []

    def gather(region: Region) -> None:
        found.extend(values(region.params))
        for op in region.ops:
            found.extend(op.results)
            for inner in op.regions:
                gather(inner)

    gather(region)
    return iter(found)


def reads(region: Region) -> Iterator[Value]:
    """Every value read in a region and its inner regions, its own values included."""
    found: list[Value] = []

    def gather(region: Region) -> None:
        for op in region.ops:
            _gather(op.args, found)
            if op.static:
                found.extend(values(op.static))
            for inner in op.regions:
                gather(inner)
        _gather(region.outs, found)

    gather(region)
    return iter(found)


def _gather(atoms: tuple[Atom, ...], found: list[Value]) -> None:
    for a in atoms:
        if isinstance(a, Value):
            found.append(a)
        elif isinstance(a, tuple | list | dict | slice):
            found.extend(values(a))


def walk(region: Region) -> Iterator[Op]:
    found: list[Op] = []

    def gather(region: Region) -> None:
        for op in region.ops:
            found.append(op)
            for inner in op.regions:
                gather(inner)

    gather(region)
    return iter(found)


def clone(region: Region, mapping: dict[Value, Atom]) -> Region:
    """A copy of `region`; `mapping` tells what stands for the values around it and is filled with
    the copies.
    """

    def new(v: Atom) -> Atom:
        if not isinstance(v, Value):
            return v
        copy = Value(v.name, v.type, v.span)
        copy.bar_of = mapping.get(v.bar_of, v.bar_of) if v.bar_of is not None else None
        mapping[v] = copy
        return copy

    def old(a: Atom) -> Atom:
        return mapping.get(a, a) if isinstance(a, Value) else a

    params = tuple(map_atom(new, p) for p in region.params)
    ops = []
    for op in region.ops:
        args = tuple(map_atom(old, a) for a in op.args)
        static = {k: map_atom(old, v) for k, v in op.static.items()}
        # The test of a `WHILE` reads the parameters of its body.
        regions = tuple(reversed([clone(r, mapping) for r in reversed(op.regions)]))
        ops.append(Op(op.fn, args, static, tuple(new(r) for r in op.results), regions, op.span))
    return Region(params, ops, tuple(map_atom(old, o) for o in region.outs))


def ints(shape: tuple[Size, ...]) -> Type:
    """The type of a shape: a tuple of ints that know which size they are."""
    return Tuple(tuple(Scalar("int", s) for s in shape))


def known_int(atom: Atom, what: str) -> int:
    """An int that must be known before the run. Raises Undecided."""
    if isinstance(atom, Value):
        raise Undecided(atom, what)
    if not isinstance(atom, int | np.integer):
        raise refuse("ZYG201", f"{what} must be an integer, not {atom!r}", current_span())
    return int(atom)


def substitute(region: Region, mapping: dict[Value, Atom]) -> None:
    """Read other atoms in the place of some values, in a region and its inner regions."""
    if not mapping:
        return

    def new(a: Atom) -> Atom:
        return mapping.get(a, a) if isinstance(a, Value) else a

    for op in region.ops:
        op.args = tuple(map_atom(new, a) for a in op.args)
        op.static = {k: map_atom(new, v) for k, v in op.static.items()}
        for inner in op.regions:
            substitute(inner, mapping)
    region.outs = tuple(map_atom(new, o) for o in region.outs)
