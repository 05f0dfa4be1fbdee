"""Generator functions cut at their yields: one function that goes on where it stopped.

The variables of a generator are attributes of a frame, and `at` tells where it stands: before its
first statement (0), behind its k-th `yield` (k), running or done. The function is its body with
each statement under the condition that it is to be run: all of them once control has come to the
place, before that only those that the place is in.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Any

from ..iterators import DONE, RUNNING, Resumed, begun, more, step
from .desugar import constant, loop_with_else, named, stored
from .fence import refused
from .names import COMPREHENSIONS, Scope, body_of, bound, declared, parameters, read
from .resolve import UserFunction
from .scope import FrameResolver, ScopeResolver

PLACE, ITEM, ERROR_OF_YIELD = "$at", "$item", "$told"


@dataclass(frozen=True, eq=False)
class Machine:
    """How a generator goes on: `step` takes the frame, an instance of `cls`, and tells whether
    there is another item.
    """

    cls: type
    step: UserFunction
    free: tuple[str, ...]  # variables of functions around, which the frame holds, too
    names: Names
    reads_sent: bool  # whether the value of a `yield` is used
    maybe_none: bool  # and may be None, as after `next`
    guarded: bool  # whether a `try` is around a `yield`: it may be told of an exception
    catches: bool  # and may handle it


@dataclass(eq=False)
class Step(UserFunction):
    """A function that goes on with a generator."""

    free: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """The attributes of a frame that are not the program's variables, and its own name."""

    frame: str
    at: str
    value: str
    sent: str
    iterator: str
    thrown: str


def machine(fn: UserFunction, free: tuple[str, ...]) -> Machine:
    """How to go on with a generator. Raises Refused."""
    known = fn.source.made
    key = (fn.node, free, id(getattr(fn.live, "__globals__", None)), fn.origin or fn.live)
    if key not in known:
        cutter, resolver = _Cutter(fn, free), outermost(fn.resolver)
        step = Step(fn.name, fn.source, cutter.function(), resolver, scope=fn.scope, free=free)
        cls: Any = type(fn.name, (Resumed,), {"__module__": Resumed.__module__})
        how = cutter.own, cutter.reads_sent, cutter.maybe_none, cutter.guarded, cutter.catches
        cls.machine = known[key] = Machine(cls, step, free, *how)
    found: Machine = known[key]
    return found


def outermost(resolver: Any) -> Any:
    """Where a function looks up what is global to it."""
    while isinstance(resolver, ScopeResolver | FrameResolver):
        outer: Any = resolver.outer
        resolver = outer.resolver if isinstance(resolver, ScopeResolver) else outer
    return resolver


class _Cutter:
    """Cuts one function."""

    def __init__(self, fn: UserFunction, free: tuple[str, ...]):
        self.fn, self.source, self.free = fn, fn.source, free
        self.places = self.loops = 0
        self.reads_sent = self.guarded = self.catches = False
        self.inside: list[ast.stmt] = []  # an atomic statement for each name that stays a variable

    def function(self) -> ast.FunctionDef:
        node = self.fn.node
        assert isinstance(node, ast.FunctionDef)
        body = [s for old in node.body for s in _simpler(copy.deepcopy(old))]
        tries = [n for s in body for n in ast.walk(s) if isinstance(n, ast.Try) and _yields(n)]
        self.guarded, self.catches = bool(tries), any(t.handlers for t in tries)
        used = {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name)}
        used |= set(parameters(node.args)) | set(self.free)
        self.maybe_none = any(map(_asks_for_none, body))
        self.own = Names(*(_unused(n, used) for n in NAMES))
        if "super" in used:
            raise self.refused(node, "`super` in a generator that is kept")
        outside = declared(body, ast.Global) | declared(body, ast.Nonlocal)
        self.framed = set(parameters(node.args)) | (_stored(body) - outside - {ITEM})
        self.others = bound(body) - self.framed - outside - {ITEM}
        body = [_Captured(self).visit(s) for s in body]
        for name in sorted(_bound_otherwise(body) & self.framed):
            raise self.refused(node, f"`{name}`, a variable and more in a generator that is kept,")
        binds = [n for s in body for n in ast.walk(s) if isinstance(n, ast.NamedExpr)]
        if binds:
            raise self.refused(binds[0], "`:=` in a generator that is kept")
        cut = [*self.entry(node), *self.block(body), *self.leave(node)]
        self.check_others(body)
        renamed = _Framed(self.framed, self.own.frame)
        cut = [renamed.visit(s) for s in cut]
        only = ast.arg(self.own.frame)
        arguments = ast.arguments([], [only], None, [], [], None, [])
        made = ast.FunctionDef(node.name, arguments, cut, [])
        for n in ast.walk(made):
            if isinstance(n, ast.stmt | ast.expr | ast.arg) and not hasattr(n, "lineno"):
                ast.copy_location(n, node)
        return made

    def refused(self, node: ast.AST, what: str) -> Exception:
        return refused(self.source, node, what, "make a list: `list(...)`")

    def check_others(self, body: list[ast.stmt]) -> None:
        """Names that are bound other than by assignment are those of one statement."""
        for name in self.others:
            if sum(_mentions(name, s) for s in self.inside) > 1:
                raise self.refused(
                    self.fn.node, f"`{name}`, bound between the yields of a generator that is kept,"
                )

    # ---- pieces

    def attr(self, at: ast.AST, attr: str, ctx: ast.expr_context | None = None) -> ast.Attribute:
        frame = ast.copy_location(ast.Name(self.own.frame, ast.Load()), at)
        return ast.copy_location(ast.Attribute(frame, attr, ctx or ast.Load()), at)

    def put(self, at: ast.AST, attr: str, value: ast.expr) -> ast.stmt:
        return ast.copy_location(ast.Assign([self.attr(at, attr, ast.Store())], value), at)

    def go(self, at: ast.AST, place: int) -> ast.stmt:
        target = ast.copy_location(ast.Name(PLACE, ast.Store()), at)
        return ast.copy_location(ast.Assign([target], constant(at, place)), at)

    def entry(self, node: ast.AST) -> list[ast.stmt]:
        own = self.own
        target = ast.copy_location(ast.Name(PLACE, ast.Store()), node)
        message = constant(node, "generator already executing")
        error = ast.copy_location(ast.Raise(_call(node, ValueError, message)), node)
        ended = [
            ast.copy_location(ast.If(_compared(node, ast.Eq(), RUNNING), [error], []), node),
            _return(node, False),
        ]
        return [
            ast.copy_location(ast.Assign([target], self.attr(node, own.at)), node),
            ast.copy_location(ast.If(_compared(node, ast.Lt(), 0), ended, []), node),
            self.put(node, own.at, constant(node, RUNNING)),
        ]

    def leave(self, node: ast.AST) -> list[ast.stmt]:
        return [self.put(node, self.own.at, constant(node, DONE)), _return(node, False)]

    # ---- statements

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        whole: list[ast.stmt] = []  # statements without a yield, one after the other

        def flush() -> None:
            if whole:
                test = _compared(whole[0], ast.Eq(), 0)
                inner = [made for s in whole for made in self.atomic(s)]
                found.append(ast.copy_location(ast.If(test, inner, []), whole[0]))
                whole.clear()

        for s in body:
            if not _yields(s):
                whole.append(s)
                continue
            flush()
            first = self.places + 1
            inner = self.cut(s)
            if isinstance(s, ast.If | ast.For | ast.While | ast.Try):
                test = self.inside_of(s, first, self.places)
                inner = [ast.copy_location(ast.If(test, inner, []), s)]
            found += inner
        flush()
        return found

    def inside_of(self, at: ast.AST, first: int, last: int) -> ast.expr:
        """Whether control is running, or on its way to a place from `first` to `last`."""
        low, high = _compared(at, ast.GtE(), first), _compared(at, ast.LtE(), last)
        if first == 1:
            return high
        inside = ast.copy_location(ast.BoolOp(ast.And(), [low, high]), at)
        running = _compared(at, ast.Eq(), 0)
        return ast.copy_location(ast.BoolOp(ast.Or(), [running, inside]), at)

    def atomic(self, s: ast.stmt) -> list[ast.stmt]:
        """A statement without a yield, in which `return` ends the generator."""
        self.inside.append(s)
        return self.ended(s)

    def ended(self, s: ast.stmt) -> list[ast.stmt]:
        made = _Ended(self).visit(s)
        return made if isinstance(made, list) else [made]

    def cut(self, s: ast.stmt) -> list[ast.stmt]:
        match s:
            case ast.Expr(value=ast.Yield(value=value)):
                return self.yielded(s, value, [])
            case (
                ast.Assign(value=ast.Yield(value=value))
                | ast.AnnAssign(value=ast.Yield(value=value), simple=1)
            ):
                assert isinstance(s, ast.Assign | ast.AnnAssign)
                taken = copy.copy(s)
                taken.value = self.attr(s, self.own.sent)
                self.inside.append(taken)
                self.reads_sent = True
                forget = self.put(s, self.own.sent, constant(s, None))
                if not self.maybe_none:  # then it is there only where it was sent
                    gone = self.attr(s, self.own.sent, ast.Del())
                    forget = ast.copy_location(ast.Delete([gone]), s)
                return self.yielded(s, value, [taken, forget])
            case ast.If(test=test, body=then, orelse=other):
                return self.cut_if(s, test, then, other)
            case ast.While(test=test, body=body, orelse=[]):
                return [self.cut_while(s, test, body)]
            case ast.For(target=target, iter=it, body=body, orelse=[]):
                return self.cut_for(s, target, it, body)
            case ast.Try():
                return [self.cut_try(s)]
        raise self.refused(s, "a `yield` here, in a generator that is kept,")

    def yielded(
        self, s: ast.stmt, value: ast.expr | None, then: list[ast.stmt]
    ) -> list[ast.stmt]:
        """A `yield`, and what is done with what was sent."""
        if value is not None and _yields(value):
            raise self.refused(s, "a `yield` in a `yield`")
        self.places += 1
        place = self.places
        stop = [
            self.put(s, self.own.value, value or constant(s, None)),
            self.put(s, self.own.at, constant(s, place)),
            _return(s, True),
        ]
        here = _compared(s, ast.Eq(), place)
        # Not met on the way to another place, and passed over on the way from this one.
        running = ast.copy_location(ast.If(_compared(s, ast.Eq(), 0), stop, []), s)
        then = [self.go(s, 0), *(self.told(s) if self.guarded else []), *then]
        return [running, ast.copy_location(ast.If(here, then, []), s)]

    def told(self, s: ast.stmt) -> list[ast.stmt]:
        """Raise what the generator was told of where it stood."""
        thrown = self.own.thrown
        none = ast.copy_location(
            ast.Compare(self.attr(s, thrown), [ast.IsNot()], [constant(s, None)]), s
        )
        target = ast.copy_location(ast.Name(ERROR_OF_YIELD, ast.Store()), s)
        error = ast.copy_location(ast.Name(ERROR_OF_YIELD, ast.Load()), s)
        taken = ast.copy_location(ast.Assign([target], self.attr(s, thrown)), s)
        forget = self.put(s, thrown, constant(s, None))
        again = ast.copy_location(ast.Raise(error), s)
        return [ast.copy_location(ast.If(none, [taken, forget, again], []), s)]

    def cut_try(self, s: ast.Try) -> ast.stmt:
        """A `try` around a `yield`, which is entered again on the way there."""
        beyond = [*s.orelse, *s.finalbody, *(b for h in s.handlers for b in h.body)]
        if any(map(_yields, beyond)):
            raise self.refused(s, "a `yield` in `except`, `else` or `finally`")
        body = self.block(s.body)
        handlers: list[ast.ExceptHandler] = []
        for h in s.handlers:
            caught = [made for inner in h.body for made in self.ended(copy.deepcopy(inner))]
            handlers.append(ast.copy_location(ast.ExceptHandler(h.type, h.name, caught), h))
        if handlers:  # as one statement: the exception has its name in a handler alone
            nothing: list[ast.stmt] = [ast.copy_location(ast.Pass(), s)]
            self.inside.append(ast.copy_location(ast.Try(nothing, s.handlers, [], []), s))
        orelse = self.block(s.orelse)
        final: list[ast.stmt] = []
        if s.finalbody:  # not where it stops at a `yield`
            leaving = ast.Compare(self.attr(s, self.own.at), [ast.Lt()], [constant(s, 0)])
            inside = [made for f in s.finalbody for made in self.atomic(f)]
            final.append(ast.If(ast.copy_location(leaving, s), inside, []))
        return ast.copy_location(ast.Try(body, handlers, orelse, final), s)

    def cut_if(
        self, s: ast.stmt, test: ast.expr, then: list[ast.stmt], other: list[ast.stmt]
    ) -> list[ast.stmt]:
        if _yields(test):
            raise self.refused(s, "a `yield` in a condition")
        self.inside.append(ast.copy_location(ast.Expr(test), s))
        then = self.block(then)
        last = self.places
        other = self.block(other)
        running = _compared(s, ast.Eq(), 0)
        choice = ast.IfExp(running, test, _compared(s, ast.LtE(), last))
        return [ast.copy_location(ast.If(ast.copy_location(choice, s), then, other), s)]

    def cut_while(self, s: ast.stmt, test: ast.expr, body: list[ast.stmt]) -> ast.stmt:
        if _yields(test):
            raise self.refused(s, "a `yield` in a condition")
        self.inside.append(ast.copy_location(ast.Expr(test), s))
        leave: list[ast.stmt] = []
        if not (isinstance(test, ast.Constant) and test.value):
            stop = ast.copy_location(ast.Break(), s)
            go_on = ast.copy_location(ast.Pass(), s)
            inner = ast.copy_location(ast.If(test, [go_on], [stop]), test)
            running = _compared(s, ast.Eq(), 0)
            leave = [ast.copy_location(ast.If(running, [inner], []), s)]
        return ast.copy_location(ast.While(constant(s, True), [*leave, *self.block(body)], []), s)

    def cut_for(
        self, s: ast.stmt, target: ast.expr, it: ast.expr, body: list[ast.stmt]
    ) -> list[ast.stmt]:
        if _yields(it):
            raise self.refused(s, "a `yield` in what a loop goes through")
        self.loops += 1
        name = f"{self.own.iterator}{self.loops}"
        begin = self.put(it, name, _call(it, begun, it))
        taken = ast.copy_location(
            ast.Assign([target], _call(it, step, self.attr(it, name))), target
        )
        self.inside += [ast.copy_location(ast.Expr(it), s), taken]
        stop = ast.copy_location(ast.Break(), s)
        there = ast.copy_location(ast.If(_call(it, more, self.attr(it, name)), [taken], [stop]), it)
        running = _compared(s, ast.Eq(), 0)
        first = ast.copy_location(ast.If(running, [begin], []), s)
        take = ast.copy_location(ast.If(_compared(s, ast.Eq(), 0), [there], []), s)
        loop = ast.While(constant(s, True), [take, *self.block(body)], [])
        return [first, ast.copy_location(loop, s)]


class _Captured(ast.NodeTransformer):
    """Lets patterns capture under other names what they put into variables of the frame."""

    def __init__(self, cutter: _Cutter):
        self.cutter = cutter

    def visit_match_case(self, case: ast.match_case) -> ast.match_case:
        self.generic_visit(case)
        captured = {n: f"{n}$" for n in sorted(bound([case.pattern]) & self.cutter.framed)}
        if captured and case.guard is not None:
            raise self.cutter.refused(
                case.guard, "a guard of what is captured in a generator that is kept"
            )
        for n in ast.walk(case.pattern):
            for field in ("name", "rest"):
                if getattr(n, field, None) in captured:
                    setattr(n, field, captured[getattr(n, field)])
        at = case.pattern
        case.body[:0] = [stored(at, n, named(at, other)) for n, other in captured.items()]
        return case

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node


class _Ended(ast.NodeTransformer):
    """`return` in a generator."""

    def __init__(self, cutter: _Cutter):
        self.cutter = cutter

    def visit_Return(self, s: ast.Return) -> Any:
        done = self.cutter.leave(s)
        if s.value is None or (isinstance(s.value, ast.Constant) and s.value.value is None):
            return done
        return [ast.copy_location(ast.Expr(s.value), s), *done]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node


class _Framed(ast.NodeTransformer):
    """Attributes of the frame in the place of variables; `names`: those that are meant here."""

    def __init__(self, names: set[str], frame: str):
        self.names, self.frame = names, frame

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.names:
            return node
        frame = ast.copy_location(ast.Name(self.frame, ast.Load()), node)
        return ast.copy_location(ast.Attribute(frame, attribute_of(node.id), node.ctx), node)

    def _function(self, node: Any) -> Any:
        args = node.args
        args.defaults = [self.visit(d) for d in args.defaults]
        args.kw_defaults = [d and self.visit(d) for d in args.kw_defaults]
        body = body_of(node)
        hidden = set(parameters(args)) | bound(body) - declared(body, ast.Nonlocal)
        inner = _Framed(self.names - hidden, self.frame)
        if isinstance(node, ast.Lambda):
            node.body = inner.visit(node.body)
        else:
            node.body = [inner.visit(s) for s in node.body]
        return node

    visit_FunctionDef = visit_Lambda = _function

    def _comprehension(self, node: Any) -> Any:
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        own = {
            n.id
            for g in node.generators
            for n in ast.walk(g.target)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        inner = _Framed(self.names - own, self.frame)
        for k, g in enumerate(node.generators):
            g.ifs = [inner.visit(t) for t in g.ifs]
            g.iter = g.iter if k == 0 else inner.visit(g.iter)
            g.target = inner.visit(g.target)
        for part in ("elt", "key", "value"):
            if hasattr(node, part):
                setattr(node, part, inner.visit(getattr(node, part)))
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


NAMES = ("frame", "at", "value", "sent", "iterator", "thrown")


def attribute_of(name: str) -> str:
    """The attribute of a frame that a variable is: such as a program may write it."""
    return name.replace("$", "_")


def _unused(name: str, used: set[str]) -> str:
    while any(attribute_of(u).startswith(name) for u in used):
        name += "_"
    return name


def _yields(node: ast.AST) -> bool:
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return True
    return not isinstance(node, Scope) and any(map(_yields, ast.iter_child_nodes(node)))


def _simpler(s: ast.stmt) -> list[ast.stmt]:
    """A statement without `yield from` and, where it yields, without loops that have an `else`."""
    if not _yields(s):
        return [s]
    for field in ("body", "orelse"):
        inner = getattr(s, field, None)
        if isinstance(inner, list):
            setattr(s, field, [made for old in inner for made in _simpler(old)])
    match s:
        case ast.Expr(value=ast.YieldFrom(value=value)):
            target = ast.copy_location(ast.Name(ITEM, ast.Store()), s)
            item = ast.copy_location(ast.Name(ITEM, ast.Load()), s)
            each = ast.copy_location(ast.Expr(ast.copy_location(ast.Yield(item), s)), s)
            return [ast.copy_location(ast.For(target, value, [each], []), s)]
        case ast.For(orelse=[_, *_]) | ast.While(orelse=[_, *_]):
            return loop_with_else(s)
    return [s]


def _asks_for_none(node: ast.AST) -> bool:
    """Whether a piece of a generator may do something with None but fail."""
    for n in ast.walk(node):
        match n:
            case ast.Constant(value=None) | ast.BoolOp() | ast.Not():
                return True
            case ast.If(test=ast.Name()) | ast.While(test=ast.Name()) | ast.IfExp(test=ast.Name()):
                return True
    return False


def _stored(body: list[ast.stmt]) -> set[str]:
    """The names that statements bind by assignment, in their own scope."""
    found: set[str] = set()
    todo: list[ast.AST] = list(body)
    while todo:
        n = todo.pop()
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store | ast.Del):
            found.add(n.id)
        if not isinstance(n, (*COMPREHENSIONS, Scope)):
            todo += ast.iter_child_nodes(n)
    return found


def _bound_otherwise(body: list[ast.stmt]) -> set[str]:
    """The names that statements bind other than by assignment, in their own scope."""
    found: set[str] = set()
    todo: list[ast.AST] = list(body)
    while todo:
        n = todo.pop()
        if isinstance(n, Scope | ast.alias):
            found |= bound([n])
        elif isinstance(n, ast.ExceptHandler) and n.name is not None:
            found.add(n.name)
        if not isinstance(n, (*COMPREHENSIONS, Scope)):
            todo += ast.iter_child_nodes(n)
    return found


def _mentions(name: str, s: ast.stmt) -> bool:
    return name in read([s]) or name in bound([s])


def _place(at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(PLACE, ast.Load()), at)


def _compared(at: ast.AST, how: ast.cmpop, place: int) -> ast.expr:
    return ast.copy_location(ast.Compare(_place(at), [how], [constant(at, place)]), at)


def _call(at: ast.AST, fn: Any, *args: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(constant(at, fn), list(args), []), at)


def _return(at: ast.AST, value: bool) -> ast.stmt:
    return ast.copy_location(ast.Return(constant(at, value)), at)
