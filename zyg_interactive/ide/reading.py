"""Reading a text without running it: lowering that goes on after each refusal.

The engine stops at the first refusal, for then there is no gradient. Here a refusal is noted, and
what was refused is taken as an unknown value that depends on every parameter, so that what comes
after it is looked at too. What only the run knows (the types of parameters, most of all) is never a
finding.
"""

from __future__ import annotations

import ast
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ..diagnostics import Diagnostic, Refused
from ..engine import LIBRARY, library
from ..frontend.link import Links, specification
from ..frontend.lower import Statements
from ..frontend.names import bound, read
from ..frontend.resolve import StaticResolver, UserFunction
from ..frontend.scope import BROKEN, CONTINUED, RETURN_VALUE, RETURNED, Lowering
from ..ir.core import (
    CALL_VALUE,
    UNBOUND,
    Atom,
    Function,
    Infer,
    MemoryNeeded,
    Path,
    Region,
    Undecided,
    Value,
    type_of,
)
from ..ir.types import UNKNOWN, Heap, List, Other, Type, Unknown
from ..rules.registry import infer
from ..source import Span
from .collect import HOLE, CollectedDerivatives

ITERATED = (range, zip, enumerate, reversed)  # calls that a loop counts
T = TypeVar("T")
ENDLESS = (map, filter, iter)  # calls of which it is certain that no loop can count them


class Unsure(Exception):
    """Only the run knows whether this can be lowered."""


class TooLong(Exception):
    """Reading a function took longer than an editor may wait."""


class StaticContext(Links):
    """What the lowering asks, for a text that is read: the live engine's `Linker` is the other one.

    `custom`: functions, live or read, that have a gradient rule of the user's. What was lowered is
    kept as long as the names mean the same that it asked for.
    """

    infer: Infer = staticmethod(infer)

    def __init__(self, resolver: StaticResolver, custom: Iterable[Any] = ()):
        super().__init__()
        self.resolver, self.custom = resolver, list(custom)
        self.until = math.inf
        self.refusals: dict[Function, dict[Any, Diagnostic]] = {}
        self.unsure: set[Function] = (
            set()
        )  # functions of which something is not known before the run
        self.readings: list[Reading] = []

    def tick(self) -> None:
        if time.perf_counter() > self.until:
            raise TooLong

    def read_type(self, value: Any) -> Type:
        return UNKNOWN

    def user_function(self, value: Any, origin: Path | None) -> UserFunction | None:
        return library(value) if getattr(value, "__module__", None) in LIBRARY else None

    def demanded(self, path: Path) -> bool:
        return False

    def has_custom_rule(self, fn: Any) -> bool:
        node = fn.node if isinstance(fn, UserFunction) else fn
        return any(node is known for known in self.custom)

    def gradient(
        self, callee: Function, wrt: tuple[int, ...], value: bool, check: bool, pattern: Any
    ) -> Function:
        """A derivative inside differentiated code; its refusals are those of the code around."""
        return self._reported(
            lambda inner: inner.fused(callee, wrt, value=value, check=check, pattern=pattern)
        )

    def split(
        self, callee: Function, wrt: tuple[int, ...], pattern: Any
    ) -> tuple[Function, Function]:
        return self._reported(lambda inner: inner.split(callee, wrt, pattern))

    def _reported(self, make: Callable[[CollectedDerivatives], T]) -> T:
        inner = self.derivatives()
        made = make(inner)
        for diagnostic in inner.found.values():
            self.readings[-1].report(diagnostic)
        return made

    def derivatives(self) -> CollectedDerivatives:
        return CollectedDerivatives(self.infer, self.refusals, self.tick)

    def top(self, fn: UserFunction, arguments: dict[str, Atom]) -> Function:
        """A function lowered for arguments of these types, or known."""
        self.heap = None
        try:
            return self.kept(fn, arguments, specification(fn, arguments))
        except MemoryNeeded:
            known, self.linked, self.heap = self.linked, {}, Heap()
            try:
                return self.stable(
                    lambda: self.kept(fn, arguments, specification(fn, arguments))
                )
            finally:
                self.linked = known

    def link(
        self, callee: UserFunction, arguments: dict[str, Atom], caller: Lowering | None, span: Span
    ) -> Function:
        self.tick()
        return super().link(callee, arguments, caller, span)

    def part(self, callee: UserFunction, given: dict[str, Atom], spec: Any) -> Function:
        function = self.settled(callee, given, spec)
        for diagnostic in self.refusals[function].values():
            self.readings[-1].report(diagnostic)
        return function

    def unsettled(self, function: Function) -> None:
        """Nothing is said of it: what the types are then, only the run knows."""

    def kept(self, callee: UserFunction, given: dict[str, Atom], spec: Any) -> Function:
        """The function lowered before, where all it asked for still is what it was."""
        names = self.resolver
        if spec in self.linked:
            function: Function
            function, asked = self.linked[spec]
            if names.holds(asked):
                names.asked |= asked.keys()
                return function
        around, names.asked = names.asked, set()
        try:
            function = self.settled(callee, given, spec)
            self.linked[spec] = function, names.meant()
        finally:
            names.asked |= around
        return function

    def lower(self, callee: UserFunction, given: dict[str, Atom], function: Function) -> Function:
        reading = Reading(callee, self)
        self.readings.append(reading)
        try:
            return reading.function(given)
        except Refused as refusal:
            reading.report(refusal.diagnostic)
        except (Undecided, Unsure):
            reading.unsure = True
        finally:
            self.readings.pop()
            self.refusals[function] = reading.found
            if reading.unsure:
                self.unsure.add(function)
        params = tuple(Value(n, t) for n, t in given.items() if isinstance(t, Type))
        return Function(
            callee.name,
            Region(params, [], (None,)),
            callee.source.span(callee.node),
            key=callee.node,
        )


class Reading(Statements):
    """Lowers one function and goes on after each refusal."""

    context: StaticContext

    def __init__(self, fn: UserFunction, context: StaticContext):
        super().__init__(fn, context)
        self.found: dict[Any, Diagnostic] = {}
        self.unsure = False

    def report(self, diagnostic: Diagnostic) -> None:
        self.found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    @contextmanager
    def _going_on(self) -> Iterator[list[bool]]:
        """Note a refusal inside and put the state back. Yields a list that tells of failure."""
        here, failed = (self.region, self.env), list[bool]()
        try:
            yield failed
            return
        except (TooLong, MemoryNeeded):
            raise
        except Refused as refusal:
            self.report(refusal.diagnostic)
        except Exception:  # what is odd in a text that is being typed is no finding
            self.unsure = True
        failed.append(True)
        self.region, self.env = here

    def _unknown(self, node: ast.AST, name: str | None = None) -> Value:
        """What stands for a piece of syntax: unknown, and made of every variable in it."""
        names = sorted(read([node]) | bound([node]))
        parts = [self.env[n] for n in names if isinstance(self.env.get(n), Value)]
        return self.op(CALL_VALUE, (HOLE, *parts), {}, node, name)

    # ---- expressions

    def expr(self, node: ast.expr, name: str | None = None) -> Atom:
        with self._going_on() as failed:
            atom = super().expr(node, name)
        if not failed:
            return atom
        match node:
            case ast.NamedExpr(target=ast.Name(id=target), value=value):
                self.env[target] = self.expr(value, target)
                return self.env[target]
            case ast.Await(value=value):
                return self.expr(value, name)
        return self._unknown(node, name)

    def spread(self, atom: Atom, node: ast.AST) -> list[Atom]:
        if is_vague(atom):
            raise Unsure
        return super().spread(atom, node)

    def call_expression(self, node: ast.Call, name: str | None) -> Atom:
        for k in node.keywords:
            if k.arg is None and is_vague(self.expr(k.value)):
                for part in (
                    *node.args,
                    *(other.value for other in node.keywords if other is not k),
                ):
                    self.expr(part.value if isinstance(part, ast.Starred) else part)
                raise Unsure
        return super().call_expression(node, name)

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        if not isinstance(fn, Value) and self.context.has_custom_rule(fn):
            every = (*args, *kwargs.values())
            return self.op(
                CALL_VALUE, (HOLE, *(self.materialise(a, node) for a in every)), {}, node, name
            )
        return super().call(fn, args, kwargs, node, name)

    def sequence(self, it: Atom, node: ast.expr) -> tuple[Atom, Callable[[Atom], Atom]]:
        made = it.op if isinstance(it, Value) else None
        if is_vague(it) and (made is None or made.fn not in (*ITERATED, *ENDLESS)):
            it = self.op(list, (it,), {}, node)
            it.type = List(UNKNOWN)
        return super().sequence(it, node)

    # ---- statements

    def statement(self, s: ast.stmt) -> None:
        self.context.tick()
        before = dict(self.env)
        with self._going_on() as failed:
            super().statement(s)
        if failed:
            self.env = before
            self._passed_over(s)

    def _passed_over(self, s: ast.stmt) -> None:
        """Bind what a refused statement binds, after a look at the statements inside it."""
        match s:
            case ast.With(items=items, body=body):
                for item in items:
                    self.expr(item.context_expr)
                    self._bind_unknown(item, s)
                self.block(body)
                return
            case ast.Raise():
                self.env.update({RETURN_VALUE: UNBOUND, RETURNED: True})
                return
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind_unknown(s, s)
                return
            case ast.Assign(targets=targets):
                self._bind_unknown(s, s)
                for target in targets:
                    self._change(target, s)
                return
            case ast.AugAssign(target=target):
                self._bind_unknown(s, s)
                self._change(target, s)
                return
        bodies = list(_bodies(s))
        if isinstance(s, ast.For | ast.AsyncFor) or not bodies:
            self._bind_unknown(s, s)
        for body in bodies:
            self._maybe(body)

    def _maybe(self, body: list[ast.stmt]) -> None:
        """Statements that may run or not."""
        flags = {f: self.env.get(f, False) for f in (BROKEN, CONTINUED)}
        with self._going_on():
            self.branch(self._unknown(body[0]), lambda: self.block(body), lambda: None, body[0])
        self.env.update(flags)

    def _bind_unknown(self, part: ast.AST, s: ast.stmt) -> None:
        for name in sorted(bound([part])):
            self.env[name] = self._unknown(s, name)

    def _change(self, target: ast.expr, s: ast.stmt) -> None:
        """A store into a part of a variable makes the variable unknown."""
        root = target
        while isinstance(root, ast.Subscript | ast.Attribute):
            root = root.value
        if root is not target and isinstance(root, ast.Name) and root.id in self.env:
            self.env[root.id] = self._unknown(s, root.id)


def _bodies(s: ast.stmt) -> Iterator[list[ast.stmt]]:
    for part in (s, *getattr(s, "handlers", ()), *getattr(s, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(part, name, None)
            if isinstance(body, list) and body:
                yield body


def is_vague(atom: Atom) -> bool:
    """Whether only the run knows what kind of thing this is."""
    return isinstance(atom, Value) and isinstance(type_of(atom), Unknown | Other)
