"""IR to a Python syntax tree, every node stamped with the user's place."""

from __future__ import annotations

import ast
import math
import operator
import types
from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar

from .. import runtime
from ..analysis.effects import INFIX
from ..ir.core import (
    CALL_VALUE,
    FOR,
    IF,
    TRY,
    UNBOUND,
    UNPACK,
    WHILE,
    Atom,
    Op,
    Region,
    Value,
    op_reads,
    values,
)
from ..ir.text import fn_name
from ..ir.types import Array
from ..rules.registry import METHOD_NAMES
from ..source import Span
from ..transform.simplify import RECORD
from .effects import SILENT, is_basic, is_pure, may_add
from .names import Names, Webs, append_place, is_in_place

BINARY: dict[Any, type[ast.operator]] = {
    operator.add: ast.Add,
    operator.sub: ast.Sub,
    operator.mul: ast.Mult,
    operator.truediv: ast.Div,
    operator.floordiv: ast.FloorDiv,
    operator.mod: ast.Mod,
    operator.pow: ast.Pow,
    operator.matmul: ast.MatMult,
    operator.and_: ast.BitAnd,
    operator.or_: ast.BitOr,
    operator.xor: ast.BitXor,
    operator.lshift: ast.LShift,
    operator.rshift: ast.RShift,
}
COMPARE: dict[Any, type[ast.cmpop]] = {
    operator.gt: ast.Gt,
    operator.ge: ast.GtE,
    operator.lt: ast.Lt,
    operator.le: ast.LtE,
    operator.eq: ast.Eq,
    operator.ne: ast.NotEq,
    operator.is_: ast.Is,
    operator.is_not: ast.IsNot,
}
UNARY: dict[Any, type[ast.unaryop]] = {
    operator.neg: ast.USub,
    operator.pos: ast.UAdd,
    operator.invert: ast.Invert,
    operator.not_: ast.Not,
}
INFIX_METHODS = {f"__{fn.__name__.strip('_')}__": how for fn, how in BINARY.items()}
LONGEST = 60  # nodes of an expression before a part gets a name of its own
LOAD, STORE = ast.Load(), ast.Store()


N = TypeVar("N", bound=ast.AST)


def at(node: N, span: Span | None) -> N:
    """Stamp what has no place yet."""
    if span is not None:
        stack: list[Any] = [node]
        while stack:
            n = stack.pop()
            if "lineno" in n._attributes and not hasattr(n, "lineno"):
                n.lineno, n.col_offset, n.end_lineno, n.end_col_offset = span[1:]
                stack += ast.iter_child_nodes(n)
            elif "lineno" not in n._attributes:
                stack += ast.iter_child_nodes(n)
    return node


class Emitter:
    """Emits the statements of one Python function.

    `bind(name, object)` puts an object that the code refers to into its globals and returns the
    name it has there.
    """

    def __init__(
        self, regions: list[Region], bind: Callable[[str, Any], str], recorded: bool = False
    ):
        self.webs = Webs(regions)
        self.bind, self.recorded = bind, recorded
        for region in regions:
            self._bind_all(region)
        self.names = Names(self.webs, self._scope_names)
        self.pending: dict[Value, ast.expr] = {}
        self._reads: dict[int, set[Value]] = {}

    # ---- what the code refers to: bound first, so that no local name hides it

    def _bind_all(self, region: Region) -> None:
        self._objects: dict[int, tuple[str, Any]] = getattr(self, "_objects", {})
        self._scope_names: set[str] = getattr(self, "_scope_names", set())
        for op in region.ops:
            if not op.regions:
                self._reference(op)
            for a in (*op.args, *op.static.values()):
                self._bind_constants(a)
            for inner in op.regions:
                self._bind_all(inner)
                for o in inner.outs:
                    self._bind_constants(o)
        for o in region.outs:
            self._bind_constants(o)

    def _reference(self, op: Op) -> None:
        fn = op.fn
        if (
            fn is UNPACK
            or fn in BINARY
            or fn in COMPARE
            or fn in UNARY
            or fn in DISPLAYS
            or (fn in STORES and fn not in (runtime.add_at, runtime.subtract_at))
            or fn is RECORD
            or fn is CALL_VALUE
        ):
            return
        if not isinstance(fn, types.MethodDescriptorType):
            self._bind(fn)

    def _bind_constants(self, a: Atom) -> None:
        if isinstance(a, tuple | list):
            for x in a:
                self._bind_constants(x)
        elif isinstance(a, dict):
            for x in a.values():
                self._bind_constants(x)
        elif isinstance(a, slice):
            self._bind_constants((a.start, a.stop, a.step))
        elif not isinstance(a, Value) and not _is_literal(a):
            self._bind(a)

    def _bind(self, x: Any) -> ast.expr:
        if id(x) not in self._objects:
            name = self.bind(_wanted_name(x), x)
            self._objects[id(x)] = (name, x)
            self._scope_names.add(name.partition(".")[0])
        return _dotted(self._objects[id(x)][0])

    # ---- atoms

    def atom(self, a: Atom) -> ast.expr:
        match a:
            case Value():
                if a in self.pending:
                    return self.pending.pop(a)
                return ast.Name(self.names.of(a), LOAD)
            case tuple() if hasattr(a, "_fields"):
                return ast.Call(self._bind(type(a)), [self.atom(x) for x in a], [])
            case tuple():
                return ast.Tuple([self.atom(x) for x in a], LOAD)
            case list():
                return ast.List([self.atom(x) for x in a], LOAD)
            case dict():
                return ast.Dict([self.atom(k) for k in a], [self.atom(v) for v in a.values()])
            case slice():
                return ast.Slice(
                    *(None if p is None else self.atom(p) for p in (a.start, a.stop, a.step))
                )
        if _is_literal(a):
            return _literal(a)
        return self._bind(a)

    def _plain(self, a: Atom) -> ast.expr:
        """An atom where slices must be written as calls."""
        if isinstance(a, slice):
            parts = [
                ast.Constant(None) if p is None else self.atom(p) for p in (a.start, a.stop, a.step)
            ]
            return ast.Call(ast.Name("slice", LOAD), parts, [])
        if isinstance(a, tuple) and any(isinstance(x, slice) for x in a):
            return ast.Tuple([self._plain(x) for x in a], LOAD)
        return self.atom(a)

    # ---- expressions

    def expr(self, op: Op) -> ast.expr:
        fn, args = op.fn, op.args
        right = len(args) == OPERANDS.get(fn, len(args))  # a call raises what is due for another
        if fn in BINARY and right:
            return ast.BinOp(self.atom(args[0]), BINARY[fn](), self.atom(args[1]))
        if fn in COMPARE and right:
            return ast.Compare(self.atom(args[0]), [COMPARE[fn]()], [self.atom(args[1])])
        if fn in UNARY and right:
            return ast.UnaryOp(UNARY[fn](), self.atom(args[0]))
        if fn in DISPLAYS and right:
            return DISPLAYS[fn](self, op)
        keywords = [
            ast.keyword(k, self._plain(v)) for k, v in op.static.items() if not k.startswith("$")
        ]
        if fn is CALL_VALUE:
            return ast.Call(self.atom(args[0]), [self._plain(a) for a in args[1:]], keywords)
        if isinstance(fn, types.MethodDescriptorType):
            receiver = self.atom(args[0])
            return ast.Call(
                ast.Attribute(receiver, fn.__name__, LOAD),
                [self._plain(a) for a in args[1:]],
                keywords,
            )
        name = METHOD_NAMES.get(fn)
        if name is not None and args:
            return self._method(name, op, keywords)
        return ast.Call(self._bind(fn), [self._plain(a) for a in args], keywords)

    def _method(self, name: str, op: Op, keywords: list[ast.keyword]) -> ast.expr:
        """A method of a class that rules know, as somebody would write it."""
        receiver, *rest = (self.atom(a) for a in op.args)
        if name in INFIX_METHODS and rest:
            return ast.BinOp(receiver, INFIX_METHODS[name](), rest[0])
        if f"__{name[3:]}" in INFIX_METHODS and rest:  # `__radd__`
            return ast.BinOp(rest[0], INFIX_METHODS[f"__{name[3:]}"](), receiver)
        if name == "__neg__":
            return ast.UnaryOp(ast.USub(), receiver)
        if name == "__getitem__":
            return ast.Subscript(receiver, rest[0], LOAD)
        member = ast.Attribute(receiver, name.lstrip("."), LOAD)
        return member if name.startswith(".") else ast.Call(member, rest, keywords)

    def _getitem(self, op: Op) -> ast.expr:
        return ast.Subscript(self.atom(op.args[0]), self.atom(op.args[1]), LOAD)

    def _getattr(self, op: Op) -> ast.expr:
        if not isinstance(op.args[1], str):
            return self._builtin("getattr", op)
        return ast.Attribute(self.atom(op.args[0]), op.args[1], LOAD)

    def _builtin(self, name: str, op: Op) -> ast.expr:
        return ast.Call(ast.Name(name, LOAD), [self.atom(a) for a in op.args], [])

    def _contains(self, op: Op) -> ast.expr:
        container, item = (self.atom(a) for a in op.args)
        return ast.Compare(item, [ast.In()], [container])

    def _make_list(self, op: Op) -> ast.expr:
        return ast.List([self.atom(a) for a in op.args], LOAD)

    def _make_dict(self, op: Op) -> ast.expr:
        return ast.Dict([_literal(k) for k in op.args[0]], [self.atom(a) for a in op.args[1:]])

    def _construct(self, op: Op) -> ast.expr:
        cls, fields, *items = op.args
        keywords = [ast.keyword(f, self.atom(a)) for f, a in zip(fields, items, strict=True)]
        return ast.Call(self._bind(cls), [], keywords)

    # ---- statements

    def block(
        self, region: Region, stop_at: Callable[[int], list[ast.stmt]] | None = None
    ) -> list[ast.stmt]:
        """The statements of a region; `stop_at(i)` may add some before op i."""
        out: list[ast.stmt] = []
        for i, op in enumerate(region.ops):
            if stop_at is not None:
                out += self._between(stop_at(i))
            self._statement(op, region, out)
        if stop_at is not None:
            out += self._between(stop_at(len(region.ops)))
        out += self.flush()
        return out

    def _between(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        return [*self.flush(), *stmts] if stmts else []

    def flush(self, keep: set[Value] | None = None, web: Value | None = None) -> list[ast.stmt]:
        """Name pending expressions: all but `keep`, or those that read the variable `web`."""
        out: list[ast.stmt] = []
        for v in list(self.pending):
            if (keep is not None and v in keep) or v not in self.pending:
                continue
            node = self.pending[v]
            if web is not None and not _mentions(node, self.names.of(web)):
                continue
            self.pending.pop(v)
            assign = ast.Assign([ast.Name(self.names.of(v), STORE)], node)
            out.append(at(assign, v.span or _span_of(node)))
        return out

    def _statement(self, op: Op, region: Region, out: list[ast.stmt]) -> None:
        if op.fn is IF:
            out += self._if(op)
        elif op.fn is TRY:
            out += self._try(op)
        elif op.fn is FOR:
            out += self._for(op)
        elif op.fn is WHILE:
            out += self._while(op)
        elif op.fn is RECORD:
            out += self._record(op)
        elif is_in_place(op):
            out += self._in_place(op)
        elif op.fn in STORES and self.webs.uses[op.result] == 0:
            if op.fn in INFIX and not isinstance(
                self.pending.get(op.args[0], ast.Name("x")), ast.Name | ast.Subscript
            ):
                out += self.flush()
            out += self.flush(keep=set(op_reads(op)))
            out.append(at(STORES[op.fn](self, op), op.span))
        else:
            self._assign(op, region, out)

    def _assign(self, op: Op, region: Region, out: list[ast.stmt]) -> None:
        impure = not is_pure(op)
        if impure:
            out += self.flush(keep=set(op_reads(op)))
        if op.fn in SILENT and self.webs.uses[op.results[0]] == 0 and not self.recorded:
            return
        value = at(self.atom(op.args[0]) if op.fn is UNPACK else self.expr(op), op.span)
        if not op.results:
            out.append(at(ast.Expr(value), op.span))
            return
        if len(op.results) == 1 and op.fn is not UNPACK:
            v = op.result
            if self._inlines(v, region, value, impure):
                self.pending[v] = value
                return
            if self.webs.uses[v] == 0 and impure:
                out.append(at(ast.Expr(value), op.span))
                return
            if self.webs.shared(v):
                out += self.flush(web=v)
            target: ast.expr = ast.Name(self.names.of(v), STORE)
        else:
            target = ast.Tuple([self.store(r) for r in op.results], STORE)
        out.append(at(ast.Assign([target], value), op.span))

    def store(self, a: Atom) -> ast.expr:
        if isinstance(a, tuple):
            return ast.Tuple([self.store(x) for x in a], STORE)
        return ast.Name("_" if self.webs.uses[a] == 0 else self.names.of(a), STORE)

    def _inlines(self, v: Value, region: Region, value: ast.expr, impure: bool) -> bool:
        if (
            self.recorded
            or v.name is not None
            or self.webs.uses[v] != 1
            or self.webs.shared(v)
            or impure
        ):
            return False
        if _size(value) > LONGEST:
            return False
        return v in self._read_in(region)

    def _read_in(self, region: Region) -> set[Value]:
        """What the ops of a region read themselves."""
        if id(region) not in self._reads:
            self._reads[id(region)] = {v for op in region.ops for v in op_reads(op)}
        return self._reads[id(region)]

    def _in_place(self, op: Op) -> list[ast.stmt]:
        buffer = op.args[0]
        name = self.names.of(buffer)
        pre = self.flush(keep=set(op_reads(op)))
        array = isinstance(buffer.type, Array)
        target: ast.Name | ast.Subscript | None = None
        if op.fn is runtime.accumulate and array and may_add(op.args[1]):
            target = ast.Name(name, STORE)
        elif op.fn is runtime.add_at and array and is_basic(op.args[1]) and may_add(op.args[2]):
            target = ast.Subscript(ast.Name(name, LOAD), self.atom(op.args[1]), STORE)
        if target is None:
            args = [ast.Name(name, LOAD), *(self._plain(a) for a in op.args[1:])]
            change: ast.stmt = ast.Assign(
                [ast.Name(name, STORE)], ast.Call(self._bind(op.fn), args, [])
            )
            return [*pre, at(change, op.span)]
        value = self.atom(op.args[-1])
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
            change = ast.AugAssign(target, ast.Sub(), value.operand)
        else:
            change = ast.AugAssign(target, ast.Add(), value)
        return [*pre, at(change, op.span)]

    def _record(self, op: Op) -> list[ast.stmt]:
        recorder, node, value = op.args
        call = ast.Call(self._bind(recorder), [_literal(node), self.atom(value)], [])
        return [at(ast.Expr(call), op.span)]

    # ---- stores

    def _setitem(self, op: Op) -> ast.stmt:
        base, key, value = (self.atom(a) for a in op.args)
        return ast.Assign([ast.Subscript(base, key, STORE)], value)

    def _setattr(self, op: Op) -> ast.stmt:
        if not isinstance(op.args[1], str):
            return ast.Expr(self._builtin("setattr", op))
        value = self.atom(op.args[2])
        return ast.Assign([ast.Attribute(self.atom(op.args[0]), op.args[1], STORE)], value)

    def _raise(self, op: Op) -> ast.stmt:
        error, *cause = (self.atom(a) for a in op.args)
        return ast.Raise(error, *cause)

    def _infix(self, op: Op) -> ast.stmt:
        target = self._target(op)
        return self._augmented(target, BINARY[INFIX[op.fn]], op.args[1])

    def _add_at(self, op: Op) -> ast.stmt:
        if not is_basic(op.args[1]) or not may_add(op.args[2]):
            args = [self._plain(a) for a in op.args]
            return ast.Expr(ast.Call(self._bind(op.fn), args, []))
        target = ast.Subscript(self.atom(op.args[0]), self.atom(op.args[1]), STORE)
        sign = ast.Add if op.fn is runtime.add_at else ast.Sub
        return self._augmented(target, sign, op.args[2])

    def _target(self, op: Op) -> ast.Name | ast.Subscript:
        """The array that an op changes, as the target of an assignment."""
        target = self.atom(op.args[0])
        assert isinstance(target, ast.Name | ast.Subscript)
        target.ctx = STORE
        return target

    def _augmented(
        self, target: ast.Name | ast.Subscript, kind: type[ast.operator], value: Atom
    ) -> ast.stmt:
        node = self.atom(value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if kind in (ast.Add, ast.Sub):
                node, kind = node.operand, ast.Sub if kind is ast.Add else ast.Add
        return ast.AugAssign(target, kind(), node)

    def _delitem(self, op: Op) -> ast.stmt:
        base, key = (self.atom(a) for a in op.args)
        return ast.Delete([ast.Subscript(base, key, ast.Del())])

    def _delattr(self, op: Op) -> ast.stmt:
        return ast.Delete([ast.Attribute(self.atom(op.args[0]), op.args[1], ast.Del())])

    # ---- branches

    def _if(self, op: Op) -> list[ast.stmt]:
        pre = self.flush(keep=set(values(op.args)))
        test = at(self.atom(op.args[0]), op.span)
        choice = self._conditional(op, test)
        if choice is not None:
            return [*pre, choice]
        arms = []
        for inner in op.regions:
            arms.append(self._arm(inner, op))
        if not arms[0] and arms[1]:
            test, arms = at(ast.UnaryOp(ast.Not(), test), op.span), [arms[1], []]
        if not arms[0]:
            return [*pre, at(ast.Expr(test), op.span)]
        return [*pre, at(ast.If(test, arms[0], arms[1]), op.span)]

    def _arm(self, region: Region, op: Op) -> list[ast.stmt]:
        """The statements of a region, and what it leaves where they come to an end."""
        body = self.block(region)
        if body and isinstance(body[-1], ast.Raise):
            return body
        return [*body, *self._moves(op.results, region.outs, op.span)]

    def _conditional(self, op: Op, test: ast.expr) -> ast.stmt | None:
        """A branch that only chooses between two expressions, as one."""
        if len(op.results) != 1 or self.recorded or any(len(r.ops) > 1 for r in op.regions):
            return None
        for inner in op.regions:
            if inner.ops and not (
                is_pure(inner.ops[0])
                and not inner.ops[0].regions
                and inner.outs[0] is inner.ops[0].results[0]
                and not is_in_place(inner.ops[0])
                and self.webs.uses[inner.ops[0].result] == 1
            ):
                return None
        chosen = [self.expr(r.ops[0]) if r.ops else self.atom(r.outs[0]) for r in op.regions]
        value = ast.IfExp(
            test,
            *(
                at(c, (r.ops[0].span if r.ops else op.span))
                for c, r in zip(chosen, op.regions, strict=True)
            ),
        )
        return at(ast.Assign([ast.Name(self.names.of(op.result), STORE)], value), op.span)

    def _try(self, op: Op) -> list[ast.stmt]:
        pre = self.flush()
        body, otherwise = op.regions
        error = otherwise.params[0]
        tried, caught = self._arm(body, op), self._arm(otherwise, op)
        kinds = [self._bind(c) for c in op.static["catches"]]
        handler = ast.ExceptHandler(
            kinds[0] if len(kinds) == 1 else ast.Tuple(kinds, LOAD),
            self.names.of(error),
            caught or [ast.Pass()],
        )
        handlers = [handler]
        if BaseException in op.static["catches"]:  # what is refused at the run is not handled
            refusal = self._bind(runtime.Unhandled)
            handlers.insert(0, ast.ExceptHandler(refusal, None, [ast.Raise()]))
        return [*pre, at(ast.Try(tried or [ast.Pass()], handlers, [], []), op.span)]

    def _moves(
        self, targets: tuple[Value, ...], sources: tuple[Atom, ...], span: Span | None
    ) -> list[ast.stmt]:
        """Assign several variables at once, as if together."""
        pairs = [
            (self.names.of(t), s)
            for t, s in zip(targets, sources, strict=True)
            if not (isinstance(s, Value) and self.webs.find(s) is self.webs.find(t))
            and self._wanted(t)
        ]
        if not pairs:
            return []
        names = {t for t, _ in pairs}
        clash = len(pairs) > 1 and any(
            self._reads_any(v, names - {t} if v in self.pending else names)
            for t, s in pairs
            for v in values(s)
        )
        if clash:
            target = ast.Tuple([ast.Name(t, STORE) for t, _ in pairs], STORE)
            value = ast.Tuple([self.atom(s) for _, s in pairs], LOAD)
            return [at(ast.Assign([target], value), span)]
        return [at(ast.Assign([ast.Name(t, STORE)], self.atom(s)), span) for t, s in pairs]

    def _reads_any(self, v: Value, names: set[str]) -> bool:
        """Whether the expression that stands for `v` reads one of these variables."""
        if v in self.pending:
            return any(_mentions(self.pending[v], name) for name in names)
        return self.names.of(v) in names

    def _wanted(self, t: Value) -> bool:
        return self.webs.uses[t] > 0 or self.webs.shared(t)

    # ---- loops

    def _for(self, op: Op) -> list[ast.stmt]:
        sequences = op.static["sequences"]
        pre = self.flush(keep=set(values(op.args)))
        body, args = op.regions[0], op.args
        nodes = [self.atom(seq) for seq in args[:sequences]]
        targets = [self.store(p) for p in body.params[:sequences]]
        start, stmts = self._carry(op, args[sequences:], body)
        assigned = [n.id for s in start for n in ast.walk(s) if _is_store(n)]
        iterables = []
        for node, back in zip(nodes, op.static["backwards"], strict=True):
            if any(_mentions(node, name) for name in assigned):  # what comes before would change it
                name = self.names.fresh("t")
                pre.append(at(ast.Assign([ast.Name(name, STORE)], node), op.span))
                node = ast.Name(name, LOAD)
            iterables.append(ast.Call(ast.Name("reversed", LOAD), [node], []) if back else node)
        if sequences == 1:
            target, iterable = targets[0], iterables[0]
        else:
            target = ast.Tuple(targets, STORE)
            iterable = ast.Call(ast.Name("zip", LOAD), iterables, [])
        loop = ast.For(target, iterable, stmts or [ast.Pass()], [])
        return [*pre, *start, at(loop, op.span)]

    def _while(self, op: Op) -> list[ast.stmt]:
        test_region, body = op.regions
        pre = self.flush(keep=set(values(op.args)))
        start, stmts = self._carry(op, op.args, body)
        before = self.block_for_test(test_region)
        test = at(self.atom(test_region.outs[0]), op.span)
        if before:
            leave = ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])
            loop = ast.While(ast.Constant(True), [*before, leave, *stmts], [])
        else:
            loop = ast.While(test, stmts or [ast.Pass()], [])
        return [*pre, *start, at(loop, op.span)]

    def block_for_test(self, region: Region) -> list[ast.stmt]:
        """The statements before the condition of a `while`; one op by itself stays pending."""
        if len(region.ops) == 1 and region.outs[0] in region.ops[0].results and not self.recorded:
            op = region.ops[0]
            if not op.regions and is_pure(op) and self.webs.uses[op.result] == 1:
                self.pending[op.result] = at(self.expr(op), op.span)
                return []
        out: list[ast.stmt] = []
        for op in region.ops:
            self._statement(op, region, out)
        return [*out, *self.flush(keep=set(values(region.outs)))]

    def _carry(
        self, op: Op, inits: tuple[Atom, ...], body: Region
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """What comes before a loop, and its body: carried variables, collected lists, the stop."""
        span, stop = op.span, int(op.static["stop"])
        carried = op.static["carried"]
        params = body.params[op.static["sequences"] if op.fn is FOR else 0 :]
        start = self._moves(params, inits, span)
        lists = op.results[carried:]
        for v in lists:
            start.append(
                at(ast.Assign([ast.Name(self.names.of(v), STORE)], ast.List([], LOAD)), span)
            )
        collected = body.outs[stop + carried :]
        place = append_place(op)

        def appends(i: int) -> list[ast.stmt]:
            if i != place:
                return []
            return [self._append(v, o, span) for v, o in zip(lists, collected, strict=True)]

        stmts = self.block(body, appends if lists else None)
        stmts += self._moves(params, body.outs[stop : stop + carried], span)
        if stop:
            test = self.atom(body.outs[0])
            stmts.append(at(ast.If(test, [ast.Break()], []), span))
        return start, stmts

    def _append(self, tape: Value, item: Atom, span: Span | None) -> ast.stmt:
        append = ast.Attribute(ast.Name(self.names.of(tape), LOAD), "append", LOAD)
        return at(ast.Expr(ast.Call(append, [self.atom(item)], [])), span)


DISPLAYS: dict[Any, Callable[[Emitter, Op], ast.expr]] = {
    operator.getitem: Emitter._getitem,
    getattr: Emitter._getattr,
    operator.contains: Emitter._contains,
    runtime.make_list: Emitter._make_list,
    runtime.make_dict: Emitter._make_dict,
    runtime.construct: Emitter._construct,
}


OPERANDS = {
    **dict.fromkeys((*BINARY, *COMPARE, operator.getitem, operator.contains), 2),
    **dict.fromkeys(UNARY, 1),
}
STORES: dict[Any, Callable[[Emitter, Op], ast.stmt]] = {
    operator.setitem: Emitter._setitem,
    setattr: Emitter._setattr,
    operator.delitem: Emitter._delitem,
    delattr: Emitter._delattr,
    runtime.throw: Emitter._raise,
    runtime.add_at: Emitter._add_at,
    runtime.subtract_at: Emitter._add_at,
    **dict.fromkeys(INFIX, Emitter._infix),
}


def _is_literal(a: Any) -> bool:
    if type(a) is float:
        return math.isfinite(a)
    if type(a) is complex:
        return math.isfinite(a.real) and math.isfinite(a.imag)
    return type(a) in (int, bool, str, bytes, type(None), type(Ellipsis))


def _literal(a: Any) -> ast.expr:
    if isinstance(a, tuple):
        return ast.Tuple([_literal(x) for x in a], LOAD)
    if type(a) in (int, float) and (a < 0 or (a == 0 and math.copysign(1, a) < 0)):
        return ast.UnaryOp(ast.USub(), ast.Constant(-a))
    return ast.Constant(a)


def _wanted_name(x: Any) -> str:
    """What an object is called in generated code."""
    if x is UNBOUND:
        return "unbound"
    if isinstance(x, float | complex):
        return "nan" if x != x else "inf"
    if callable(x) or isinstance(x, types.ModuleType):
        name = fn_name(x)
        return name if all(part.isidentifier() for part in name.split(".")) else "function"
    return type(x).__name__.lower()


def _dotted(name: str) -> ast.expr:
    first, *rest = name.split(".")
    node: ast.expr = ast.Name(first, LOAD)
    for part in rest:
        node = ast.Attribute(node, part, LOAD)
    return node


def _span_of(node: ast.expr) -> Span:
    end, end_col = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return Span("", node.lineno, node.col_offset, end, end_col)


def _size(node: ast.AST) -> int:
    return sum(1 for n in ast.walk(node) if isinstance(n, ast.expr))


def _is_store(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
