"""The state of lowering one function: names, the region being built, branches and their merging."""

from __future__ import annotations

import ast
import itertools
import types
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .. import runtime
from ..diagnostics import Refused, refuse
from ..ir.core import (
    IF,
    UNBOUND,
    Atom,
    Function,
    Guard,
    Identical,
    Infer,
    MemoryNeeded,
    Op,
    Path,
    Region,
    SameObject,
    Value,
    building,
    emit,
    same_atom,
    type_of,
)
from ..ir.types import UNKNOWN, Closure, Const, Heap, Type, join
from ..source import Span
from ..transformed import Transformed
from .interruptions import Catches, Facts, Interruptions
from .names import body_of, bound, declared, parameters
from .resolve import Data, Known, Meaning, Missing, Resolver, UserFunction, path_into

# Names that no program can use: how control leaves a block.
RETURNED, RETURN_VALUE, BROKEN, CONTINUED = "$returned", "$return", "$broken", "$continued"
RAISED, ERROR = "$raised", "$error"
FLAGS = (RETURNED, BROKEN, CONTINUED, RAISED)
PARTIAL = "$partial"  # whether something had changed in memory before an exception was raised
STILL = "$still"  # whether an exception goes on that a context was told of
DEAD = "$dead"  # no way leads here


BIRTHS = itertools.count()  # tells which of two things began first


class Context(Protocol):
    """What the lowering needs from those who drive it."""

    @property
    def infer(self) -> Infer:
        """How the type of an operation follows from its arguments."""

    @property
    def heap(self) -> Heap | None:
        """What may be in memory, where the program changes something."""

    hands_out: bool  # a function that is a value has a list, dict, set or object of the program's

    @property
    def interruptions(self) -> Interruptions:
        """Exceptions that come after a change in memory."""

    def facts(self, region: Region, catches: Catches) -> Facts:
        """What a region may do, of which some exceptions are handled."""

    def read_type(self, value: Any) -> Type:
        """The type of a live value."""

    def link(
        self, callee: UserFunction, arguments: dict[str, Atom], caller: Lowering, span: Span
    ) -> Function:
        """The callee lowered for these arguments; its parameters are those not constant."""

    def asked(self, outer: Lowering, name: str, meaning: Meaning | None) -> None:
        """An inner function asked what a name of the function around it means; None: that is not
        known.
        """

    def user_function(self, value: Any, origin: Path | None) -> UserFunction | None:
        """The user function behind a live object, or None where it has no Python text."""

    def frame_of(self, callee: Function) -> Frame | None:
        """The scope of a closure that is lowered now."""

    @property
    def runs(self) -> bool:
        """Whether the program may be run, not only read."""

    @property
    def recursive(self) -> bool:
        """Whether a function that is lowered now calls itself."""

    def local_class(self, key: Any, made: Callable[[], type]) -> type | None:
        """The class of a statement, made once; None where nothing may be run."""

    def demanded(self, path: Path) -> bool:
        """Whether the data at `path` has to be known before the run."""

    def gradient(
        self, callee: Function, wrt: tuple[int, ...], value: bool, check: bool, pattern: Any
    ) -> Function:
        """The function that returns the gradient of `callee` in some parameters, as a tuple; with
        the value before it, where that is asked for.
        """

    def split(
        self, callee: Function, wrt: tuple[int, ...], pattern: Any
    ) -> tuple[Function, Function]:
        """The pullback of `callee` as two functions: (result, residuals), and the cotangents from
        (residuals, *seeds).
        """

    def intrinsic(self, value: Any) -> Callable[..., Atom] | None:
        """How a call of one of the package's own transformations is lowered: `(lowering, args,
        kwargs, node) -> atom`.
        """


@dataclass(eq=False)
class LocalFunction:
    """A function defined inside the one being lowered. A variable it captures is looked up when it
    is called.
    """

    fn: UserFunction
    scope: Lowering
    key: Any = None  # what it is noted by that it has to be an object, if not by its text
    made: Value | None = None  # its object, where it was asked for last

    @property
    def __name__(self) -> str:
        return self.fn.name


@dataclass(frozen=True)
class BoundMethod:
    """`obj.method`, not called yet."""

    receiver: Atom
    fn: Any  # a UserFunction or a callable taking the receiver first


Counted = tuple[Atom, Callable[[Atom], Atom]]  # a `range`, and how to make the item at a place
Streamed = tuple[Atom, Callable[[Atom, Callable[[Atom], None]], None]]


@dataclass(eq=False)
class Generated:
    """A generator, or another iterator: nothing of it is computed before it is consumed, which may
    be done once.

    `listed` builds the list of all that it yields. Where a loop consumes it item by item, `counted`
    tells how many there are and builds one; `streamed` builds what is done with one, if there is
    one at that place.
    """

    listed: Callable[[], Atom]
    depth: int  # of loops, where it was made
    counted: Callable[[ast.expr], Counted] | None = None
    streamed: Callable[[ast.expr], Streamed] | None = None
    reads: frozenset[str] = frozenset()  # variables that it looks up when it is consumed
    source: Atom = UNBOUND  # what an iterator goes through that `iter` made
    again: bool = False  # a view, which may be gone through more than once
    view: Value | None = None  # the dict that it shows
    key: Any = None  # what it is noted by that it has to be an object
    keep: Callable[[], Atom] | None = None  # makes it one
    made: list[Atom] = field(default_factory=list)

    @property
    def items(self) -> Atom:
        """The list, built where it is asked for first."""
        if self.again:
            return self.listed()
        if not self.made:
            self.made.append(self.listed())
        return self.made[0]


@dataclass(frozen=True)
class Poisoned:
    """A name that cannot stand for one value here: refused where it is read, and only there; or one
    that takes memory to stand for one.
    """

    refusal: Refused | MemoryNeeded
    consumed: Generated | None = None  # once


class Frame:
    """The scope of a closure that is called where it was not made: a root for paths to what it
    captured.
    """


class FrameResolver:
    """Names as a closure sees them that is called where it was not made."""

    def __init__(self, frame: Frame, captured: dict[str, Value], outer: Resolver):
        self.frame, self.captured, self.outer = frame, captured, outer

    def name(self, name: str) -> Meaning:
        if name in self.captured:
            return Data(Path(self.frame, name), self.captured[name].type)
        return self.outer.name(name)

    def member(self, owner: Any, name: str) -> Meaning:
        return self.outer.member(owner, name)

    def cell(self, name: str) -> Any:
        return None if name in self.captured else self.outer.cell(name)

    def imported(self, module: str) -> Meaning:
        return self.outer.imported(module)


class ScopeResolver:
    """Names as an inner function sees them: those of the functions around it first."""

    def __init__(self, outer: Lowering):
        self.outer = outer

    def name(self, name: str) -> Meaning:
        known = False
        try:
            found = self.outer.captured_name(name)
            known = True
        finally:  # what cannot be told is never the same as before
            self.outer.context.asked(self.outer, name, found if known else None)
        return found

    def member(self, owner: Any, name: str) -> Meaning:
        return self.outer.resolver.member(owner, name)

    def cell(self, name: str) -> Any:
        return None if name in self.outer.locals else self.outer.resolver.cell(name)

    def imported(self, module: str) -> Meaning:
        return self.outer.resolver.imported(module)


class Lowering:
    """Lowers one function. Subclasses add expressions, calls and statements."""

    def __init__(self, fn: UserFunction, context: Context):
        self.fn, self.source, self.resolver, self.context = fn, fn.source, fn.resolver, context
        self.born = next(BIRTHS)
        self.env: dict[str, Atom] = {}
        self.hidden: dict[Path, Value] = {}
        self.guards: dict[Any, Guard] = {}
        self.maybe_unbound: set[Value] = set()
        self.region = Region()
        body = body_of(fn.node)
        self.globals, self.nonlocals = declared(body, ast.Global), declared(body, ast.Nonlocal)
        own = bound(body) | set(parameters(fn.node.args))
        self.locals = own - self.globals - self.nonlocals
        self.depth = 0  # of loops
        self.views: dict[Value, Callable[[], Atom]] = {}  # of dicts, and what makes them objects
        self.gone_through: list[Any] = []  # what loops go through, to be looked at when they end
        self.frames: dict[Any, dict[str, Value]] = {}

    @property
    def scope(self) -> tuple[Any, ...]:
        """Which names are whose: of a function, or of a comprehension in it."""
        return (self.locals, self.globals, self.nonlocals)

    @scope.setter
    def scope(self, known: tuple[Any, ...]) -> None:
        self.locals, self.globals, self.nonlocals = known

    # ---- building

    def span(self, node: ast.AST) -> Span:
        return self.source.span(node)

    def op(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        static: dict[str, Any],
        node: ast.AST,
        name: str | None = None,
    ) -> Value:
        with building(self.region, self.span(node), self.context.infer):
            return emit(fn, args, static, name=name)

    def returned(self, result: Value, t: Type, node: ast.AST) -> None:
        """Note the type of what a call returns."""
        result.type = t

    # ---- names

    def load(self, name: str, node: ast.AST) -> Atom:
        if name in self.env:
            atom = self.env[name]
            if isinstance(atom, Poisoned):
                if atom.consumed is not None and atom.consumed.keep is not None:
                    return self.has_to_be_kept(atom.consumed)
                raise atom.refusal
            if isinstance(atom, Generated) and not atom.again:
                return self._consumed(name, atom, node)
            if atom is UNBOUND or (isinstance(atom, Value) and atom in self.maybe_unbound):
                checked = self.op(runtime.bound, (atom, UNBOUND, name), {}, node, name)
                checked.type = type_of(atom)
                self.env[name] = checked
                return checked
            return atom
        if name in self.locals:
            return self.op(runtime.bound, (UNBOUND, UNBOUND, name), {}, node, name)
        return self.meaning(self.resolver.name(name), name, node)

    def _consumed(self, name: str, atom: Generated, node: ast.AST) -> Atom:
        """A generator that has a name, which may be consumed once."""
        gone = refuse(
            "ZYG101",
            f"the generator `{name}` is read again, and it is consumed once",
            self.span(node),
            "make a list: `list(...)`",
        )
        if atom.depth != self.depth:
            if atom.keep is None:
                raise gone
            return self.has_to_be_kept(atom)
        self.env[name] = Poisoned(gone, atom)
        return atom

    def has_to_be_kept(self, atom: Generated) -> Atom:
        """Note that an iterator is an object, once the program is lowered again."""
        raise NotImplementedError

    def assign(self, name: str, atom: Atom, node: ast.AST) -> None:
        """Bind a name."""
        self.env[name] = atom

    def meaning(self, found: Meaning, name: str, node: ast.AST) -> Atom:
        """The atom for a name or member that is not local."""
        if isinstance(found, Known):
            if found.path is not None:
                self.guards[found.path] = Guard(found.path, found.value)
            if isinstance(found.value, LocalFunction):
                return found.value
            return self.constant(found.value, found.path)
        if isinstance(found, Missing):
            return self.op(runtime.unbound_name, (name,), {}, node)
        assert isinstance(found, Data)
        if found.value is not UNBOUND and self.context.demanded(found.path):
            self.guards[found.path] = Guard(found.path, found.value)
            return found.value
        return self.hidden_value(found.path, found.type, name, node)

    def guard_member(self, cls: type, name: str) -> None:
        """Take it for granted that a class has what it has now under `name`."""
        path, found = path_into(cls, name), getattr(cls, name)
        if isinstance(found, types.MethodType):  # of the class, and another one each time
            path, found = replace(path, steps=(name, "__func__")), found.__func__
        captured = isinstance(found, types.FunctionType) and found.__closure__
        self.guards[path] = Identical(path, found) if captured else Guard(path, found)

    def constant(self, value: Any, path: Path | None) -> Atom:
        """A known object as an atom; a Python function remembers the way to it."""
        if isinstance(value, UserFunction):
            return value
        user = self.context.user_function(value, path)
        if user is None:
            return value
        if path is not None and user.origin is not None and user.origin != path:
            same = SameObject(path, value, first=user.origin)
            self.guards[same.key] = same
        return user

    def hidden_value(self, path: Path, type: Type, name: str, node: ast.AST) -> Atom:
        """The parameter that carries the data at `path`, made at its first use."""
        if path.root is self:
            return self.load(path.name, node)
        if isinstance(path.root, Frame) and path.root in self.frames:
            return self.frames[path.root][path.name]
        if path not in self.hidden:
            self.hidden[path] = Value(name, type, self.span(node))
        return self.unpacked(self.hidden[path])

    def unpacked(self, atom: Atom) -> Atom:
        return atom

    def captured_name(self, name: str) -> Meaning:
        """What `name` means to a function defined in this one."""
        if name not in self.locals:
            return self.resolver.name(name)
        atom = self.env.get(name, UNBOUND)
        consumed = atom.consumed if isinstance(atom, Poisoned) else atom
        if isinstance(consumed, Generated) and consumed.keep is not None:
            atom = self.has_to_be_kept(consumed)
        if self.is_view(atom):
            atom = self.env[name] = self.kept_view(atom)
        if isinstance(atom, Poisoned):
            raise atom.refusal
        if isinstance(atom, LocalFunction | UserFunction) or (
            atom is not UNBOUND and isinstance(type_of(atom), Const)
        ):
            return Known(atom)
        return Data(Path(self, name), type_of(atom))

    # ---- control

    def branch(
        self, condition: Atom, then: Callable[[], None], other: Callable[[], None], node: ast.AST
    ) -> None:
        """Build `if condition: then() else: other()`, and merge the names that they bind."""
        if not isinstance(condition, Value):
            (then if condition else other)()
            return
        regions, envs = [], []
        outer, before = self.region, self.env
        for build, truth in ((then, True), (other, False)):
            self.region, self.env = Region(), dict(before)
            self.env.update({f: truth for f in FLAGS if before.get(f) is condition})
            build()
            regions.append(self.region)
            envs.append(self.env)
        self.region, self.env = outer, before
        results, outs = self.merged(regions, envs, node)
        for region, out in zip(regions, outs, strict=True):
            region.outs = tuple(out)
        self.region.ops.append(
            Op(IF, (condition,), {}, tuple(results), tuple(regions), self.span(node))
        )

    def merged(
        self, regions: list[Region], envs: list[dict[str, Atom]], node: ast.AST
    ) -> tuple[list[Value], tuple[list[Atom], list[Atom]]]:
        """Let names mean what they mean after either of two regions: the values that are merged,
        and what each region gives for them.
        """
        before = self.env
        ended = [e.pop(DEAD, False) is True for e in envs]
        results: list[Value] = []
        outs: tuple[list[Atom], list[Atom]] = ([], [])
        for name in sorted({*envs[0], *envs[1]}, key=_order(envs)):
            a, b = (e.get(name, False if name in FLAGS else UNBOUND) for e in envs)
            try:
                if ended[0] != ended[1]:  # only one of them is gone on from
                    arm = ended.index(False)
                    before[name] = self._left(
                        (a, b)[arm],
                        before.get(name),
                        (regions[arm], envs[arm]),
                        (outs[arm], outs[1 - arm]),
                        results,
                        node,
                    )
                else:
                    before[name] = self._merge(name, a, b, (regions, envs), outs, results, node)
            except (Refused, MemoryNeeded) as refusal:
                consumed = [p.consumed for p in (a, b) if isinstance(p, Poisoned)]
                before[name] = Poisoned(refusal, consumed[0] if consumed else None)
        if all(ended):
            before[DEAD] = True
        return results, outs

    def _left(
        self,
        atom: Atom,
        before: Atom,
        arm: tuple[Region, dict[str, Atom]],
        outs: tuple[list[Atom], list[Atom]],
        results: list[Value],
        node: ast.AST,
    ) -> Atom:
        """What an atom of the only region that is gone on from is after it; `before`: what its name
        meant before the region, `outs`: what this one gives, and the other.
        """

        def leave(a: Atom) -> Atom:
            match a:
                case Value():
                    left = Value(a.name, a.type, a.span)
                    if a in self.maybe_unbound:
                        self.maybe_unbound.add(left)
                    outs[0].append(a)
                    outs[1].append(None)
                    results.append(left)
                    return left
                case tuple():
                    items = [leave(x) for x in a]
                    return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
                case BoundMethod():
                    return BoundMethod(leave(a.receiver), a.fn)
                case LocalFunction(fn=fn) if fn.defaults:
                    defaults = {n: leave(d) for n, d in fn.defaults.items()}
                    return replace(a, fn=replace(fn, defaults=defaults))
                case Transformed():
                    return Transformed(a.transform, leave(a.f), a.options)
                case Generated():
                    return leave(self._materialised_in(*arm, a, node))
            return a

        # What was there before the region is nothing that was made in it.
        lazy = isinstance(atom, Generated | LocalFunction | Transformed)
        return atom if lazy and atom is before else leave(atom)

    def _merge(
        self,
        name: str,
        a: Atom,
        b: Atom,
        arms: tuple[list[Region], list[dict[str, Atom]]],
        outs: tuple[list[Atom], list[Atom]],
        results: list[Value],
        node: ast.AST,
    ) -> Atom:
        if same_atom(a, b):
            return a
        if (
            isinstance(a, tuple)
            and isinstance(b, tuple)
            and len(a) == len(b)
            and type(a) is type(b)
        ):
            items = [
                self._merge(name, x, y, arms, outs, results, node)
                for x, y in zip(a, b, strict=True)
            ]
            return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
        a, b = (self._materialised_in(r, e, x, node) for r, e, x in zip(*arms, (a, b), strict=True))
        merged = Value(
            None if name.startswith("$") else name, join(type_of(a), type_of(b)), self.span(node)
        )
        if name == RETURN_VALUE:
            merged.name = "result"
        if name not in (*FLAGS, RETURN_VALUE) and any(
            x is UNBOUND or x in self.maybe_unbound
            for x in (a, b)
            if not isinstance(x, dict | list)
        ):
            self.maybe_unbound.add(merged)
        outs[0].append(a)
        outs[1].append(b)
        results.append(merged)
        return merged

    def _materialised_in(
        self, region: Region, env: dict[str, Atom], atom: Atom, node: ast.AST
    ) -> Atom:
        outer = self.region, self.env
        self.region, self.env = region, env
        try:
            return self.materialise(atom, node)
        finally:
            self.region, self.env = outer

    def is_view(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.views

    def kept_view(self, atom: Atom) -> Atom:
        """A view of a dict as an object, which shows what the dict holds then."""
        return self.views[atom]() if isinstance(atom, Value) and atom in self.views else atom

    def materialise(self, atom: Atom, node: ast.AST) -> Atom:
        """An atom that stands for a run-time object: inner functions become closures."""
        match atom:
            case LocalFunction():
                return self._closure(atom, node)
            case UserFunction():
                return self._found(atom, node)
            case Poisoned(refusal=refusal):
                raise refusal
            case BoundMethod():
                return self.kept_method(atom, node)
            case Value() if atom in self.views:
                return self.kept_view(atom)
            case Generated(keep=keep) if keep is not None:
                return self.materialise(keep(), node)
            case Generated():
                raise refuse(
                    "ZYG101",
                    "a generator that is kept is not supported",
                    self.span(node),
                    "consume it where it is made: `list(...)`, or a list comprehension",
                )
            case Transformed():
                known = isinstance(atom.f, UserFunction) and atom.f.live is not None
                inner = self.this_very(atom.f) if known else self.materialise(atom.f, node)
                if not isinstance(inner, Value):
                    return Transformed(atom.transform, inner, atom.options)
                raise refuse(
                    "ZYG101",
                    f"`{atom.__name__}`, a function that is made here, is not supported as a value",
                    self.span(node),
                    "use a lambda: `lambda x: gradient(f, x)`",
                )
            case tuple():
                items = [self.materialise(a, node) for a in atom]
                return type(atom)(*items) if hasattr(atom, "_fields") else tuple(items)
        return atom

    def _found(self, f: UserFunction, node: ast.AST) -> Atom:
        """The run-time object of a function that is not made here. One that captured something is
        fetched at each call: made anew by the same `def`, it is another.
        """
        if f.live is None:
            return f
        t = self._type_of_function(f, ())
        if f.origin is None or t is None:
            return f.live
        return self.hidden_value(f.origin, t, f.name, node)

    def this_very(self, f: UserFunction) -> Any:
        """A live function as a part of the program, with what it has captured now."""
        if f.origin is not None and f.live.__closure__:
            same = Identical(f.origin, f.live)
            self.guards[same.key] = same
        return f.live

    def _type_of_function(self, f: UserFunction, around: tuple[Any, ...]) -> Closure | None:
        """The type of a live function; None where it has captured nothing. `around`: the functions
        that have captured it.
        """
        if f.code is None or not f.live.__closure__:
            return None
        captured: list[Type] = []
        for i, name in enumerate(f.code.co_freevars):
            found = f.resolver.name(name)
            if isinstance(found, Known) and found.path is not None:
                self.guards[found.path] = Guard(found.path, found.value)
            if isinstance(found, Data) and getattr(found.type, "cls", None) is types.CellType:
                captured.append(found.type)
            elif i in runtime.shared_cells(f.live):  # it may have its cotangent in memory
                captured.append(UNKNOWN)
            elif isinstance(found, Data):
                captured.append(found.type)
            elif not isinstance(found, Known) or any(found.value is g for g in (*around, f.live)):
                captured.append(UNKNOWN)
            else:
                user = self.context.user_function(found.value, found.path)
                inner = user and self._type_of_function(user, (*around, f.live))
                captured.append(inner or Const(found.value))
        return Closure(f, f.code.co_freevars, tuple(captured))

    def _closure(self, f: LocalFunction, node: ast.AST) -> Atom:
        """The run-time function object of an inner function."""
        raise NotImplementedError

    def kept_method(self, method: BoundMethod, node: ast.AST) -> Atom:
        """The run-time function object of a bound method."""
        raise NotImplementedError


def restore(env: dict[str, Atom], saved: dict[str, Atom | None]) -> None:
    """Let names mean again what they meant; None: nothing."""
    for name, atom in saved.items():
        if atom is None:
            env.pop(name, None)
        else:
            env[name] = atom


def _order(envs: list[dict[str, Atom]]) -> Callable[[str], int]:
    names = list(dict.fromkeys([*envs[0], *envs[1]]))
    place = {name: i for i, name in enumerate(names)}
    return place.__getitem__
