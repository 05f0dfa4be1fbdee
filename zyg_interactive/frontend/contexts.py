"""`with`: what is done when a block is entered, and however it is left.

A context of a class that is read may swallow an exception: that its `__exit__` is told of it and
what it returns is part of the program (PEP 343). A generator made a context by `contextmanager`
stands at its `yield` meanwhile, and is told there.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import operator
from collections.abc import Callable

from .. import runtime
from ..analysis.effects import changes_memory
from ..controls import ignore, stop_gradient
from ..diagnostics import refuse
from ..ir.core import Atom, Value, same_atom, type_of
from ..ir.types import Other, Ref
from ..iterators import DONE, Resumed
from .exceptions import EVERY, Exceptions, jumps
from .fence import refused
from .kept import machine_of
from .names import Scope, bound
from .resolve import UserFunction
from .scope import ERROR, PARTIAL, RAISED, STILL


class Contexts(Exceptions):
    """Adds contexts."""

    def _with(self, s: ast.With) -> None:
        item, *rest = s.items
        body = s.body
        if rest:
            body = [ast.copy_location(ast.With(rest, s.body), s)]
        call = item.context_expr
        if isinstance(call, ast.Call) and self.expr(call.func) is contextlib.suppress:
            kinds = ast.copy_location(ast.Tuple(call.args, ast.Load()), s)
            handler = ast.copy_location(ast.ExceptHandler(kinds, None, [_pass(s)]), s)
            self._try(ast.copy_location(ast.Try(body, [handler], [], []), s))
            return
        if isinstance(call, ast.Call) and self.expr(call.func) is ignore:
            self._ignored(body, s)
            return
        name = f"$context{call.lineno}_{call.col_offset}"

        def enter() -> None:
            self.env[name] = manager = self.materialise(self.expr(call), call)
            entered = self._enter(manager, call)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, entered)

        def go_on() -> None:
            self._within(self.env[name], body, s)

        self._attempted(enter, s)
        failed = self.env.get(RAISED, False) if self.catching is not None else False
        if failed is False:
            go_on()
        else:
            self.branch(failed, lambda: None, go_on, s)

    def _attempted(self, build: Callable[[], None], s: ast.With) -> None:
        """Build what may raise, which something around may handle."""
        if self.catching is None:
            build()
        else:
            self.attempt(build, s, self.catching)

    def _within(self, manager: Atom, body: list[ast.stmt], s: ast.With) -> None:
        """The block of a context that was entered, and what its end does."""

        def close(raised: bool) -> None:
            if raised:
                self._told(manager, s)
            else:
                self._left_in_peace(manager, s)

        swallows = self._may_swallow(manager)
        if self._leaves(body, []) and not swallows:
            self._closed(body, close, s)
            return
        ways_out = [[_pass(s)]] if swallows else []
        raised = self._body(body, EVERY, self._is_whole(body, ways_out), s)
        error, partial = self.env.get(ERROR), self.env.get(PARTIAL, False)

        def in_peace() -> None:
            self.env[STILL] = False
            self._attempted(lambda: self._left_in_peace(manager, s), s)

        def tell() -> None:
            swallowed = self._told(manager, s)
            if isinstance(swallowed, Value):
                self.env[STILL] = self.op(operator.not_, (swallowed,), {}, s)
            else:
                self.env[STILL] = not swallowed

        def told() -> None:
            self.env[STILL] = True
            self._attempted(tell, s)
            still = self.env[STILL]
            if partial is not False and still is not True:
                self.branch(still, lambda: None, check, s)

        def check() -> None:
            self.branch(partial, interrupted, lambda: None, s)

        def interrupted() -> None:
            self.op(runtime.interrupted, (error,), {}, s)

        def after() -> None:
            self.env[ERROR] = error
            self.branch(raised, told, in_peace, s)

        self._after(raised, after, s)

    def _left_in_peace(self, manager: Atom, s: ast.With) -> None:
        t = type_of(manager)
        if isinstance(t, Ref):
            self.method_call(t.cls, "__exit__", (manager, None, None, None), s)
        else:
            self.op(runtime.leave, (manager, False, None), {}, s)

    def _told(self, manager: Atom, s: ast.With) -> Atom:
        """Tell a context of an exception; whether it swallows that."""
        error = self.env[ERROR]
        frame = self._generator_of(manager, s)
        if frame is not None:
            made = machine_of(frame)
            if not made.guarded:  # it ends where it stands
                self._set(frame, made.names.at, DONE, s)
                return False
            self._set(frame, made.names.thrown, error, s)
            more = self.resumed(frame, s)
            self.branch(more, lambda: self._does_not_stop(s), lambda: None, s)
            return made.catches
        if not self._may_swallow(manager):
            self.op(runtime.leave, (manager, True, error), {}, s)
            return False
        t = type_of(manager)
        assert isinstance(t, Ref)
        kind = self.op(builtins.type, (error,), {}, s)
        trace = self.op(getattr, (error, "__traceback__"), {}, s)
        answer = self.method_call(t.cls, "__exit__", (manager, kind, error, trace), s)
        return self.truth(answer, s)

    def _does_not_stop(self, s: ast.With) -> None:
        self.throw(self.call(RuntimeError, ("generator didn't stop after throw()",), {}, s), s)

    def _generator_of(self, manager: Atom, s: ast.With) -> Atom | None:
        """The frame of the generator that a context was made of."""
        t = type_of(manager)
        if not isinstance(t, Ref) or not issubclass(t.cls, OF_GENERATORS):
            return None
        frame = self.attribute_in_memory(manager, "gen", s, None)
        u = type_of(frame)
        return frame if isinstance(u, Ref) and issubclass(u.cls, Resumed) else None

    def _may_swallow(self, manager: Atom) -> bool:
        """Whether a context may keep an exception from going on, and is read."""
        t = type_of(manager)
        if not isinstance(t, Ref):
            return False
        if issubclass(t.cls, OF_GENERATORS):
            frame = t.site.read("gen")
            made = getattr(getattr(frame, "cls", None), "machine", None)
            return made is not None and made.catches
        found = self.constant(getattr(t.cls, "__exit__", None), None)
        if not isinstance(found, UserFunction):
            return False
        answers = [r.value for r in _returns(found.node) if r.value is not None]
        return any(not isinstance(a, ast.Constant) or bool(a.value) for a in answers)

    def _ignored(self, body: list[ast.stmt], s: ast.With) -> None:
        """A block whose results are constants."""
        if any(map(jumps, body)):
            raise refused(
                self.source, s, "leaving a block that is ignored", "bind a name, and leave after it"
            )
        before, start = dict(self.env), len(self.region.ops)
        self.block(body)
        for op in self.region.ops[start:]:
            if changes_memory(op):
                raise refuse(
                    "ZYG103",
                    "a block that is ignored changes an array, list, dict or object",
                    op.span,
                    "change it outside of the block",
                )
        for name in sorted(bound(body)):
            atom = self.env.get(name)
            if name in self.env and not same_atom(before.get(name), atom):
                self.assign(name, self._stopped(atom, s), s)

    def _stopped(self, atom: Atom, node: ast.AST) -> Atom:
        if isinstance(atom, tuple):
            items = [self._stopped(a, node) for a in atom]
            return type(atom)(*items) if hasattr(atom, "_fields") else tuple(items)
        return self.op(stop_gradient, (atom,), {}, node) if isinstance(atom, Value) else atom

    def _enter(self, manager: Atom, node: ast.expr) -> Atom:
        t = type_of(manager)
        if isinstance(t, Ref):
            return self.method_call(t.cls, "__enter__", (manager,), node)
        entered = self.op(runtime.enter, (manager,), {}, node)
        entered.type = Other(object)
        return entered


# What `contextlib.contextmanager` makes of generators.
OF_GENERATORS = (contextlib._GeneratorContextManager,)


def _returns(node: ast.AST) -> list[ast.Return]:
    """The `return`s of a function, without those of functions in it."""
    found: list[ast.Return] = []
    todo = list(ast.iter_child_nodes(node))
    while todo:
        n = todo.pop()
        if isinstance(n, ast.Return):
            found.append(n)
        elif not isinstance(n, Scope):
            todo += ast.iter_child_nodes(n)
    return found


def _pass(node: ast.AST) -> ast.stmt:
    return ast.copy_location(ast.Pass(), node)
