"""Specialise, cache, guard: from a live callable and its arguments to compiled derivatives."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import types
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from .analysis.types import Sizes, key, key_of_fetched, shared
from .diagnostics import Refused, refuse
from .frontend.link import INTRINSICS, Links, specification
from .frontend.lower import lower, lower_call
from .frontend.resolve import LiveResolver, UserFunction, is_constant
from .frontend.scope import BoundMethod, Lowering
from .ir.core import (
    CALLED,
    Atom,
    Demand,
    Function,
    Guard,
    Infer,
    MemoryNeeded,
    Path,
    is_read,
)
from .ir.types import Array, Const, Heap, Scalar, Type, same_constant
from .rules.registry import FOLLOWED, infer, lookup
from .runtime import CHANGING, STORING, defaults_given, is_outside, module_of, shared_cells
from .source import SourceNotFound, find
from .transform.pipeline import Derivatives
from .transformed import Transformed

MOST_ENTRIES = 4096
# The package's own functions that are lowered as they stand.
DEEPEST = 6000  # frames: of a thread's stack, about 1 KB each at the most
LIBRARY = (f"{__package__}.derived", f"{__package__}.iterators")
# The module whose functions make functions of the user's: these are read like the user's own.
MAKERS = f"{__package__}.rules.scipy.makers"


@dataclass(eq=False)
class Specialisation:
    """One callable lowered for one pattern of argument types, and what was compiled from it.

    `positions`: which of the arguments are parameters of the function; the others are part of the
    program.
    """

    function: Function
    positions: tuple[int, ...]
    hidden_types: Any
    hidden_key: list[Any]
    anchor: Any = None  # what the cache knows by its id: kept alive with the entry
    heap: Heap | None = None  # what may be in memory, where the function changes something
    shared: tuple[int, ...] = ()  # which of the objects it is given are the same, then
    known: tuple[Any, ...] = ()  # the arguments that are part of the program, in their order
    units: dict[Any, Any] = field(default_factory=dict)
    derivatives: dict[bool, Derivatives] = field(default_factory=dict)

    @functools.cached_property
    def has_followed(self) -> bool:
        """Whether an argument may hold what has a cotangent of a form of its own."""
        types = [p.type for p in self.function.region.params]
        return bool(FOLLOWED) and not all(isinstance(t, Scalar | Array) for t in types)

    def hidden(self, f: Any, args: tuple[Any, ...]) -> list[Any]:
        """The values of globals and captured variables that the function reads, now."""
        return [p.fetch(f, args) for p in self.function.hidden]

    def values(self, f: Any, args: tuple[Any, ...]) -> list[Any]:
        """What the function's parameters are for this call."""
        return [*(args[i] for i in self.positions), *self.hidden(f, args)]

    def holds(self, f: Any, args: tuple[Any, ...]) -> bool:
        """Whether everything that was taken for granted still is so."""
        return all(g.holds(f, args) for g in self.function.guards)

    def current(self, f: Any, args: tuple[Any, ...]) -> bool:
        if not self.holds(f, args) or not self._knows(args):
            return False
        hidden = self.hidden(f, args)
        if [key_of_fetched(h) for h in hidden] != self.hidden_key:
            return False
        return self.heap is None or shared(args, hidden) == self.shared

    def _knows(self, args: tuple[Any, ...]) -> bool:
        """Whether the arguments that are part of the program are those it was made for."""
        if len(self.positions) == len(args):
            return True
        given = (a for i, a in enumerate(args) if i not in self.positions)
        return all(
            same_constant(a, b) or is_constant(a) for a, b in zip(given, self.known, strict=True)
        )

    def renewed(self, hidden: list[Any], args: tuple[Any, ...]) -> Specialisation:
        """The same for globals of other sizes."""
        found = () if self.heap is None else shared(args, hidden)
        return replace(self, hidden_key=[key_of_fetched(h) for h in hidden], shared=found)

    def derivative(self, implicit: bool = False) -> Derivatives:
        if implicit not in self.derivatives:
            self.derivatives[implicit] = Derivatives(infer, implicit)
        return self.derivatives[implicit]


class Linker(Links):
    """Lowers a live function and everything it calls, for one specialisation."""

    infer: Infer = staticmethod(infer)
    runs = True

    def __init__(self, engine: Engine, sizes: Sizes):
        super().__init__(sizes.heap)
        self.engine, self.sizes = engine, sizes
        self.called: Any = None  # the text of the function that is called
        self.origins: dict[int, Path] = {}  # where each closure is reached first

    def lower(self, callee: UserFunction, given: dict[str, Atom], function: Function) -> Function:
        return lower(callee, given, self)

    def wants(self, callee: UserFunction, name: str) -> bool:
        return name in self.engine.demands.get(_demand_key(callee.code or callee.node), ())

    def read_type(self, value: Any) -> Type:
        return self.sizes.type(value)

    def user_function(self, value: Any, origin: Path | None) -> UserFunction | None:
        if isinstance(value, functools.partial) or not isinstance(value, types.FunctionType):
            return None
        if value in INTRINSICS:
            return None
        module = module_of(value)
        if module in LIBRARY and not value.__closure__:
            return library(value)
        package = module.partition(".")[0]
        if package in ("numpy", "scipy", "zyg_interactive") and module not in (MAKERS, *LIBRARY):
            return None
        if is_outside(value):
            return None
        if origin is not None and value.__closure__:  # one that refers to itself is met again
            origin = self.origins.setdefault(id(value), origin)
        return self.engine.user_function(value, origin, self.read_type, self.heap)

    def demanded(self, path: Path) -> bool:
        """Whether the data at `path` has to be known."""
        return path.name in self.engine.demands.get(_of_call(path, self.called), ())

    def gradient(
        self, callee: Function, wrt: tuple[int, ...], value: bool, check: bool, pattern: Any
    ) -> Function:
        made = Derivatives(infer)
        return made.fused(callee, wrt, value=value, check=check, pattern=pattern)

    def split(
        self, callee: Function, wrt: tuple[int, ...], pattern: Any
    ) -> tuple[Function, Function]:
        return Derivatives(infer).split(callee, wrt, pattern)

    def top(self, callee: UserFunction, arguments: dict[str, Atom]) -> Function:
        """The function that was called, for argument types as they are."""
        return self.stable(
            lambda: self.settled(callee, arguments, specification(callee, arguments))
        )


class Engine:
    """The cache of specialisations, and the way into it."""

    def __init__(self) -> None:
        self.exact: dict[Any, list[Specialisation]] = {}
        self.patterns: dict[Any, list[Specialisation]] = {}
        self.demands: dict[Any, set[str]] = {}
        self.changing: set[Any] = set()  # programs that change lists, dicts or objects
        self.on_clear: list[Callable[[], None]] = []

    def clear(self) -> None:
        """Forget everything: after rules were redefined."""
        self.exact.clear()
        self.patterns.clear()
        self.changing.clear()
        for forget in self.on_clear:
            forget()

    def prepared(
        self,
        f: Any,
        args: tuple[Any, ...],
        form: Any,
        build: Callable[[Specialisation], Any],
        names: tuple[str, ...] = (),
        changing: str | None = None,
    ) -> tuple[Specialisation, Any]:
        """The specialisation of `f` for arguments like these, and what `build` makes of it, made
        once per `form`.

        The last arguments are keywords called `names`. Raises Refused.
        """
        while True:
            s = self.specialise(f, args, names, changing)
            try:
                return s, s.units[form]
            except KeyError:
                pass
            try:
                with _deep(f):
                    made = s.units[form] = build(s)
                return s, made
            except Demand as demand:
                self.note(demand, f)

    def note(self, demand: Demand, f: Any = None) -> None:
        """Remember that a parameter must be known where `f` is called, and forget what was made
        without knowing.
        """
        key = _of_call(demand.key, _text(f, _identity(f)))
        known = self.demands.setdefault(_demand_key(key), set())
        if demand.name in known:
            raise refuse(
                "ZYG201",
                f"{demand} must be known before the run",
                demand.value.span,
                "make it a constant",
            ) from demand
        known.add(demand.name)
        self.clear()

    def specialise(
        self,
        f: Any,
        args: tuple[Any, ...],
        names: tuple[str, ...] = (),
        changing: str | None = None,
    ) -> Specialisation:
        """The specialisation of `f` for arguments like these; `changing`: as a part of a program
        that changes lists, dicts or objects, or arrays, too. Raises Refused.
        """
        who = _identity(f)
        if changing:
            who = (changing, who)
        exact = (who, names, *map(_argument_key, args))
        for s in self.exact.get(exact, ()):
            if s.current(f, args):
                return s
        while True:
            try:
                with _deep(f):
                    s = self._by_pattern(f, who, args, names)
                break
            except Demand as demand:
                self.note(demand, f)
            except MemoryNeeded as needed:
                if changing or who in self.changing:
                    raise refuse(
                        "ZYG101",
                        "a change of a constant, such as a parameter's default, is not supported",
                        needed.span,
                        "give it as an argument, or make a new one",
                    ) from None
                self.changing.add(who)
        if len(self.exact) > MOST_ENTRIES:
            self.exact.clear()
        if len(self.patterns) > MOST_ENTRIES:
            self.clear()
        same = self.exact.setdefault(exact, [])
        same.insert(0, s)
        del same[8:]
        return s

    def _by_pattern(
        self, f: Any, who: Any, args: tuple[Any, ...], names: tuple[str, ...]
    ) -> Specialisation:
        around = who[0] if isinstance(who, tuple) and who[0] in (CHANGING, STORING) else None
        changing = who in self.changing or around is not None
        sizes = Sizes(Heap(open=around == STORING) if changing else None)
        demanded = self.demands.get(_demand_key(_text(f, who)), ())
        keywords = dict(zip(names, args[len(args) - len(names) :], strict=True)) if names else {}
        positional = args[: len(args) - len(names)]
        plain = _parameters(f, len(positional)) if not names else None
        params = plain or [*(f"a{i}" for i in range(len(positional))), *keywords]
        given: dict[str, Any] = {
            n: a if n in demanded or (is_constant(a) and not isinstance(a, str)) else sizes.type(a)
            for n, a in zip(params, args, strict=True)
        }
        pattern = (
            who,
            tuple((n, a if isinstance(a, Type) else Const(a)) for n, a in given.items())
            if not changing
            else tuple((n, None if isinstance(a, Type) else Const(a)) for n, a in given.items()),
            _objects(args) if changing else None,
        )
        for s in self.patterns.get(pattern, ()):
            hidden = s.hidden(f, args)
            told = _objects((*args, *hidden)) if changing else tuple(map(sizes.fetched, hidden))
            if s.holds(f, args) and s.hidden_types == told:
                return s.renewed(s.hidden(f, args), args)
        linker = Linker(self, sizes)
        linker.called = _text(f, _identity(f))
        for i, (n, a) in enumerate(given.items()):
            if isinstance(a, types.FunctionType) and (plain or a.__closure__):
                # What a function that is passed has captured is fetched from it.
                given[n] = linker.user_function(a, Path(i, n)) or a
        if plain is not None:
            user = linker.user_function(f, Path(CALLED, f.__name__))
            if user is None:
                raise self._no_source(f)
            arguments = {**given, **{n: d for n, d in user.defaults.items() if n not in given}}
            function = linker.top(user, arguments)
        else:
            function = linker.stable(
                lambda: lower_call(
                    _name(f), lambda lowering: self._callee(f, lowering), given, linker
                )
            )
        function.key = _text(f, who)
        called = [(Path(CALLED, getattr(f, "__name__", "")), f)]
        called += [(Path(i, n), a) for i, (n, a) in enumerate(zip(params, args, strict=True))]
        function.guards += tuple(
            Guard(path, g)
            for path, g in called
            if isinstance(g, types.FunctionType) and (g.__defaults__ or g.__kwdefaults__)
        )
        hidden = [p.fetch(f, args) for p in function.hidden]
        positions = tuple(i for i, n in enumerate(params) if isinstance(given[n], Type))
        s = Specialisation(
            function,
            positions,
            _objects((*args, *hidden)) if changing else tuple(map(sizes.fetched, hidden)),
            [key_of_fetched(h) for h in hidden],
            (f, constants(given)),
            sizes.heap,
            shared(args, hidden) if changing else (),
            tuple(constants(given)),
        )
        self.patterns.setdefault(pattern, []).insert(0, s)
        del self.patterns[pattern][8:]
        return s

    def _no_source(self, f: Any) -> Refused:
        try:
            find(f.__code__)
        except SourceNotFound as error:
            return refuse("ZYG102", str(error), None, "define it in a file or in a notebook cell")
        return refuse("ZYG102", f"`{_name(f)}` cannot be read", None)

    def _callee(self, f: Any, lowering: Lowering) -> Atom:
        """The atom for a called object that is no plain function."""
        node = lowering.fn.node
        if isinstance(f, types.MethodType):
            fn = lowering.constant(f.__func__, Path(CALLED, "f", ("__func__",)))
            own = f.__self__
            self_path = Path(CALLED, "self", ("__self__",))
            if isinstance(own, type):
                return BoundMethod(own, fn)
            return BoundMethod(
                lowering.hidden_value(self_path, lowering.context.read_type(own), "self", node), fn
            )
        owner = getattr(f, "__self__", None)
        if (
            isinstance(f, types.BuiltinMethodType)
            and owner is not None
            and not isinstance(owner, types.ModuleType | type)
        ):
            own_path = Path(CALLED, "self", ("__self__",))
            own_type = lowering.context.read_type(f.__self__)
            return BoundMethod(
                lowering.hidden_value(own_path, own_type, "self", node),
                getattr(type(f.__self__), f.__name__),
            )
        if isinstance(f, Transformed):
            return self._inner(f, lowering, ("f",))
        if isinstance(f, types.FunctionType):
            return lowering.constant(f, Path(CALLED, f.__name__))
        call = type(f).__call__
        if (
            lookup(f) is None
            and isinstance(call, types.FunctionType)
            and lowering.context.intrinsic(f) is None
        ):
            own_value = lowering.hidden_value(
                Path(CALLED, "self"), lowering.context.read_type(f), "self", node
            )
            return BoundMethod(own_value, lowering.constant(call, None))
        return f

    def _inner(self, f: Transformed, lowering: Lowering, steps: tuple[str, ...]) -> Atom:
        """A transformed function, with what the lowering knows of the function inside."""
        if isinstance(f.f, Transformed):
            inner = self._inner(f.f, lowering, (*steps, "f"))
        else:
            inner = lowering.constant(f.f, Path(CALLED, "f", steps))
        return Transformed(f.transform, inner, f.options)

    def user_function(
        self,
        f: types.FunctionType,
        origin: Path | None,
        read_type: Any,
        heap: Heap | None = None,
    ) -> UserFunction | None:
        """The text of a live function, or None where it has none; `heap`: what is in memory."""
        try:
            source, node = find(f.__code__)
        except SourceNotFound:
            return None
        if defaults_given(f):
            raise refuse(
                "ZYG101",
                f"`{f.__name__}` has a default that only the run knows, "
                "and is called where only the run knows which function it is",
                source.span(node),
                "let it use a name from outside in the place of the default",
            )
        free = {}
        for i, (name, cell) in enumerate(
            zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        ):
            base = origin or Path({"f": f}, "f")
            free[name] = (Path(base.root, base.name, (*base.steps, i)), cell)
        a = node.args
        positional = [p.arg for p in (*a.posonlyargs, *a.args)]
        defaults = dict(zip(positional[::-1], (f.__defaults__ or ())[::-1], strict=False))
        defaults.update(f.__kwdefaults__ or {})
        shared: Container[Any] = () if heap is None else heap.shared
        # A variable that functions of a program share is one for all of them, wherever they are.
        names = f.__code__.co_freevars
        variables = () if heap is None else {names[i] for i in shared_cells(f)}
        resolver = LiveResolver(f.__globals__, free, read_type, shared, variables)
        return UserFunction(f.__name__, source, node, resolver, defaults, f, f.__code__, origin)


@contextmanager
def _deep(f: Any) -> Iterator[None]:
    """Room for programs that are nested deep: reading, deriving and writing them is recursive."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        yield
    except RecursionError:
        raise refuse(
            "ZYG202",
            f"`{_name(f)}` is nested too deep, or calls itself for types that never repeat",
            None,
            "write a long chain of calls or branches as a loop",
        ) from None
    finally:
        sys.setrecursionlimit(before)


def _objects(values: tuple[Any, ...]) -> Any:
    """The types of values that the program may change parts of."""
    return Sizes(Heap()).pattern(values)


def _parameters(f: Any, count: int) -> list[str] | None:
    """The names of the parameters that `count` positional arguments bind, where `f` is as plain as
    that.
    """
    if not isinstance(f, types.FunctionType) or lookup(f) is not None or f in INTRINSICS:
        return None
    code = f.__code__
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS) or code.co_kwonlyargcount:
        return None
    missing = code.co_argcount - count
    if missing < 0 or missing > len(f.__defaults__ or ()):
        return None
    return list(code.co_varnames[:count])


def _argument_key(a: Any) -> Any:
    """As `key`; of what is part of the program the identity, where the cache keeps it alive."""
    by_value = a is None or isinstance(a, str | bytes | bool | types.FunctionType)
    return ("constant", id(a)) if is_constant(a) and not by_value else key(a)


def _demand_key(key: Any) -> Any:
    """Demands belong to a text; equal code objects may share them and specialise once more."""
    return id(key) if isinstance(key, ast.AST) else key


def _of_call(key: Any, called: Any) -> Any:
    """What is demanded of what a function has captured, or is given, is demanded of that function
    alone.
    """
    if isinstance(key, Path) and isinstance(key.root, int | str):
        return (called, key)
    return key


def _text(f: Any, who: Any) -> Any:
    """What the demands of a callable belong to: a function's code, if that tells what it does."""
    known = isinstance(f, types.FunctionType) and not is_read(f)
    return f if known else getattr(f, "__code__", who)


def _identity(f: Any) -> Any:
    """What two callables share that share specialisations: a function's code, else the object."""
    if isinstance(f, types.FunctionType) and is_read(f):
        own = (id(f.__code__), id(f.__globals__))
        if f.__module__ != MAKERS:
            return own
        return (*own, *(_identity(cell.cell_contents) for cell in f.__closure__ or ()))
    if isinstance(f, Transformed):
        return (f.transform, _identity(f.f), tuple(f.options.items()))
    if isinstance(f, types.MethodType):
        return (id(getattr(f.__func__, "__code__", f.__func__)), type(f.__self__))
    try:
        hash(f)
    except TypeError:
        return id(f)
    return f


def constants(given: dict[str, Any]) -> list[Any]:
    """The arguments that are part of the program."""
    return [a for a in given.values() if not isinstance(a, Type)]


def _name(f: Any) -> str:
    return getattr(f, "__name__", None) or type(f).__name__


engine = Engine()


@functools.cache
def library(f: types.FunctionType) -> UserFunction:
    """A function of the package itself, to be lowered like the user's."""
    found = engine.user_function(f, None, Sizes(None).type)
    assert found is not None
    found.live = None  # there is no other way to call it
    return found
