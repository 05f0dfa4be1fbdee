"""Statements to IR, and the entry: a function's syntax and its arguments' types to a `Function`.

`break`, `continue` and early `return` become flags and nested regions here, so no later pass knows
of them. Every `for` becomes a counted loop: over a sequence, it counts its items and reads them by
index.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import (
    FOR,
    UNBOUND,
    WHILE,
    Atom,
    Demand,
    Function,
    Op,
    Region,
    Undecided,
    Value,
    type_of,
)
from ..ir.types import (
    BOOL,
    INT,
    UNKNOWN,
    Array,
    Const,
    Dict,
    List,
    Other,
    Scalar,
    Tuple,
    Type,
    join,
    subsumes,
)
from ..rules.registry import lookup
from ..source import parse
from .calls import REFUSAL, Calls
from .expressions import BINARY
from .fence import refused
from .names import always_jumps, bound, needs_earlier_value, parameters, read, read_counts
from .resolve import Known, Meaning, Missing, UserFunction
from .scope import (
    BROKEN,
    CONTINUED,
    FLAGS,
    RETURN_VALUE,
    RETURNED,
    Context,
    LocalFunction,
    Lowering,
)

MAX_TYPE_ROUNDS = 6


def lower(fn: UserFunction, arguments: dict[str, Atom], context: Context) -> Function:
    """The IR of `fn` for these arguments: a `Type` makes a parameter, any other atom is known.

    Raises Refused, or Undecided where a parameter would have to be known.
    """
    statements = Statements(fn, context)
    try:
        return statements.function(arguments)
    except Undecided as undecided:
        raise statements.undecided(undecided) from undecided


def lower_call(
    title: str, callee: Callable[[Lowering], Atom], arguments: dict[str, Atom], context: Context
) -> Function:
    """The IR of a call of something that is no plain function: `callee` gives the atom that is
    called.

    Arguments called `a0`, `a1` … are passed by position, the others by name.
    """
    source = parse(f"<{title}>", f"({', '.join(arguments)})")
    body = ast.copy_location(ast.Constant(None), source.tree.body[0])
    stub = ast.copy_location(ast.Lambda(ast.arguments([], [], None, [], [], None, []), body), body)
    return Statements(UserFunction(title, source, stub, NoNames()), context).call_of(
        callee, arguments
    )


def lower_block(
    fn: UserFunction, body: list[ast.stmt], earlier: set[str], result: str | None, context: Context
) -> tuple[Function, list[str]]:
    """The IR of statements that run in a namespace, as a function without arguments.

    `earlier`: names of the namespace that the statements read and also bind. The function returns
    the value of `result` (else of the last statement, if that is an expression) and a tuple of the
    variables that are bound; their names are returned beside it. Functions that the statements
    define are not among them.
    """
    statements = Statements(fn, context)
    try:
        return statements.block_function(body, earlier, result)
    except Undecided as undecided:
        raise statements.undecided(undecided) from undecided


class NoNames:
    """The names of a call that has no text: none."""

    def name(self, name: str) -> Meaning:
        return Missing()

    def member(self, owner: Any, name: str) -> Meaning:
        return Known(getattr(owner, name))


class Statements(Calls):
    params: list[Value] = []
    reads: Counter[str] = Counter()  # how often the function reads each name

    def function(self, arguments: dict[str, Atom]) -> Function:
        args = self.fn.node.args
        nodes = {a.arg: a for a in ast.walk(args) if isinstance(a, ast.arg)}
        params: list[Value] = []
        for name in parameters(args):
            given = arguments[name]
            self.env[name] = given
            if isinstance(given, Type):
                params.append(Value(name, given, self.span(nodes[name])))
                self.env[name] = params[-1]
        self.params = params
        self.env.update({RETURNED: False})
        node = self.fn.node
        if isinstance(node, ast.Lambda):
            self.env[RETURN_VALUE] = self.expr(node.body)
            self.env[RETURNED] = True
        else:
            self.block(node.body)
        out = self.materialise(self._result(), node)
        return self._finished(params, out)

    def _finished(self, params: list[Value], out: Atom) -> Function:
        self.region.params = (*params, *self.hidden.values())
        self.region.outs = (out,)
        node = self.fn.node
        return Function(
            self.fn.name,
            self.region,
            self.span(node),
            tuple(self.hidden),
            tuple(self.guards.values()),
            key=self.fn.code or node,
        )

    def call_of(self, callee: Callable[[Lowering], Atom], arguments: dict[str, Atom]) -> Function:
        node = self.fn.node
        atoms = {
            n: Value(n, t, self.span(node)) if isinstance(t, Type) else t
            for n, t in arguments.items()
        }
        self.params = [a for a in atoms.values() if isinstance(a, Value)]
        args = tuple(a for n, a in atoms.items() if n[0] == "a" and n[1:].isdigit())
        kwargs = {n: a for n, a in atoms.items() if not (n[0] == "a" and n[1:].isdigit())}
        out = self.materialise(self.call(callee(self), args, kwargs, node), node)
        function = self._finished(self.params, out)
        function.late = True
        return function

    def block_function(
        self, body: list[ast.stmt], earlier: set[str], result: str | None
    ) -> tuple[Function, list[str]]:
        self.locals = bound(body)
        for name in sorted(earlier):
            self.env[name] = self.meaning(self.resolver.name(name), name, body[0])
        self.env[RETURNED] = False
        last = body[-1]
        self.block(body if result is not None else body[:-1])
        if result is not None:
            out = self.load(result, last)
        elif isinstance(last, ast.Expr):
            out = self.expr(last.value)
        else:
            raise refused(
                self.source,
                last,
                "a last statement without a value",
                "name the result: `--of name`",
            )
        names = [
            n
            for n in sorted(self.locals)
            if n in self.env and not isinstance(self.env[n], LocalFunction | UserFunction)
        ]
        kept = tuple(self.materialise(self.env[n], last) for n in names)
        return self._finished([], (self.materialise(out, last), kept)), names

    def undecided(self, undecided: Undecided) -> Exception:
        """What a value that has to be known leads to: a demand for a parameter, else a refusal."""
        value = undecided.value
        if value in self.params and value.name is not None:
            return Demand(self.fn.code or self.fn.node, value.name, value, str(undecided))
        for path, hidden in self.hidden.items():
            if hidden is value:
                return Demand(path, path.name, value, str(undecided))
        return refuse(
            "ZYG201", f"{undecided} must be known before the run", value.span, "make it a constant"
        )

    def _result(self) -> Atom:
        returned = self.env[RETURNED]
        if returned is False:
            return None
        if isinstance(returned, Value):  # falls off the end on some way: None there
            self.branch(
                returned, lambda: None, lambda: self.env.update({RETURN_VALUE: None}), self.fn.node
            )
        return self.env[RETURN_VALUE]

    # ---- blocks and how control leaves them

    def block(self, body: list[ast.stmt]) -> None:
        for k, s in enumerate(body):
            flags = [self.env[f] for f in FLAGS if self.env.get(f, False) is not False]
            if any(f is True for f in flags):
                return
            if flags:
                self._guarded(flags, body[k:])
                return
            if (
                isinstance(s, ast.If)
                and always_jumps(s.body) != always_jumps(s.orelse)
                and body[k + 1 :]
            ):
                rest = body[k + 1 :]
                if always_jumps(s.body):
                    self._if(s, s.body, [*s.orelse, *rest])
                else:
                    self._if(s, [*s.body, *rest], s.orelse)
                return
            self.statement(s)

    def _guarded(self, flags: list[Atom], rest: list[ast.stmt]) -> None:
        """The rest of a block that may have been left."""
        left = flags[0]
        for f in flags[1:]:
            left = self.op(operator.or_, (left, f), {}, rest[0])

        def go_on() -> None:
            for f in FLAGS:
                if f in self.env:
                    self.env[f] = False
            self.block(rest)

        self.branch(left, lambda: None, go_on, rest[0])

    def statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Assign(targets=targets, value=value):
                single = targets[0] if len(targets) == 1 else None
                name = single.id if isinstance(single, ast.Name) else None
                atom = self.expr(value, name)
                for t in targets:
                    self.bind_target(t, atom)
            case ast.AnnAssign(target=target, value=value):
                if value is not None:
                    self.bind_target(target, self.expr(value, getattr(target, "id", None)))
            case ast.AugAssign():
                self._augmented(s)
            case ast.Return(value=value):
                self.env[RETURN_VALUE] = None if value is None else self.expr(value)
                self.env[RETURNED] = True
            case ast.If():
                self._if(s, s.body, s.orelse)
            case ast.For():
                self._for(s)
            case ast.While():
                self._while(s)
            case ast.Break():
                self.env[BROKEN] = True
            case ast.Continue():
                self.env[CONTINUED] = True
            case ast.Pass():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call):
                self.unused(call)
            case ast.Expr(value=value):
                self.expr(value)
            case ast.FunctionDef(name=name, decorator_list=decorators):
                if decorators:
                    raise refused(
                        self.source,
                        decorators[0],
                        "a decorator on an inner function",
                        "call it by hand",
                    )
                self.env[name] = self.inner_function(name, s)
            case _:
                raise refused(self.source, s)

    def bind_target(self, target: ast.expr, atom: Atom) -> None:
        match target:
            case ast.Name(id=name):
                if (
                    isinstance(atom, Value)
                    and atom.name is None
                    and self.region.ops
                    and atom.op is self.region.ops[-1]
                ):
                    atom.name = name
                self.env[name] = atom
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                self._unpack(elts, atom, target)
            case ast.Subscript():
                raise refused(
                    self.source,
                    target,
                    "a store into an array or container",
                    "build a new one: `np.where`, `np.concatenate`, a list comprehension",
                    "ZYG103",
                )
            case ast.Attribute():
                raise refused(
                    self.source,
                    target,
                    "a store into an attribute",
                    "return the value instead",
                    "ZYG103",
                )
            case _:
                raise refused(self.source, target)

    def _unpack(self, elts: list[ast.expr], atom: Atom, node: ast.expr) -> None:
        stars = [i for i, e in enumerate(elts) if isinstance(e, ast.Starred)]
        t = type_of(atom)
        exact = isinstance(atom, tuple) or (isinstance(t, Tuple | List) and t.items is not None)
        if not exact and not stars:
            items = [self.subscript(atom, i, node) for i in range(len(elts))]
            self.op(runtime.check_length, (self.materialise(atom, node), len(elts)), {}, node)
        else:
            items = self.spread(atom, node)
        if stars:
            k, after = stars[0], len(elts) - stars[0] - 1
            middle = self.display(items[k : len(items) - after], node)
            items = [*items[:k], middle, *items[len(items) - after :]]
            elts = [e.value if isinstance(e, ast.Starred) else e for e in elts]
        if len(items) != len(elts):
            raise refused(
                self.source,
                node,
                f"unpacking {len(items)} values into {len(elts)} names",
                code="ZYG104",
            )
        for e, item in zip(elts, items, strict=True):
            self.bind_target(e, item)

    def _augmented(self, s: ast.AugAssign) -> None:
        if not isinstance(s.target, ast.Name):
            raise refused(
                self.source,
                s,
                "an in-place change of an item or attribute",
                "build a new value",
                "ZYG103",
            )
        name = s.target.id
        old, new = self.load(name, s.target), self.expr(s.value)
        t = type_of(old)
        if isinstance(t, List | Dict) or (
            isinstance(t, Array) and t.shape != () and t.shape is not None
        ):
            raise refused(
                self.source,
                s,
                "an in-place change of an array or list",
                f"write `{name} = {name} {_symbol(s.op)} ...`, which makes a new one",
                "ZYG103",
            )
        if isinstance(t, Array) or (isinstance(old, Value) and not isinstance(t, Scalar)):
            if isinstance(old, Value) and not _immutable(old):
                self.op(runtime.check_immutable, (old, name), {}, s)
        self.env[name] = self.binary(BINARY[type(s.op)], old, new, s, name)

    def _if(self, s: ast.If, then: list[ast.stmt], other: list[ast.stmt]) -> None:
        test = self.truth(self.expr(s.test))
        self.branch(test, lambda: self.block(then), lambda: self.block(other), s)

    # ---- loops

    def _for(self, s: ast.For) -> None:
        if s.orelse:
            raise refused(self.source, s, "`for … else`", "set a flag before `break`")
        count, item = self.sequence(self.expr(s.iter), s.iter)

        def body(index: Atom) -> None:
            self.bind_target(s.target, item(index))
            self.block(s.body)

        index_name = s.target.id if isinstance(s.target, ast.Name) and _is_range(item) else None
        self.loop(count, body, s, [s.target], s.body, index_name)

    def sequence(self, it: Atom, node: ast.expr) -> tuple[Atom, Callable[[Atom], Atom]]:
        """A sequence as a `range` to count it, and how to read an item."""
        made = it.op if isinstance(it, Value) else None
        if made is not None and made.fn is range:
            return it, _same
        if (
            made is not None
            and made.fn in (zip, enumerate, reversed)
            and isinstance(node, ast.Call)
        ):
            known = {REFUSAL, "start"} if made.fn is enumerate else {REFUSAL}
            if not set(made.static) - known and made in self.region.ops:
                self.region.ops.remove(made)  # counted instead
                return self._adapted(made, node)
        if isinstance(it, tuple | list):
            it = self.display(list(it), node)
        t = type_of(it)
        if isinstance(t, Dict) or (isinstance(t, Other) and issubclass(t.cls, dict)):
            it = self.op(list, (it,), {}, node)
            it.type = List(UNKNOWN)
            if isinstance(t, Dict):
                it.type = List(Other(str), tuple(Const(k) for k, _ in t.items))
        elif isinstance(t, Array) and t.shape == ():
            raise refused(self.source, node, "a loop over a scalar", "loop over an array or a list")
        elif isinstance(t, Other) and issubclass(t.cls, str | range | tuple | bytes):
            pass
        elif not isinstance(t, Array | List | Tuple):
            raise refused(
                self.source,
                node,
                "a loop over this iterator",
                "loop over a range, an array, a list or a tuple",
            )
        length = self.op(len, (it,), {}, node)
        return self.op(range, (length,), {}, node), lambda i: self.subscript(it, i, node)

    def _adapted(self, made: Op, node: ast.Call) -> tuple[Atom, Callable[[Atom], Atom]]:
        """`zip`, `enumerate` and `reversed`: counted like what they go through."""
        texts = (
            node.args
            if not any(isinstance(a, ast.Starred) for a in node.args)
            else [node] * len(made.args)
        )
        every = list(zip(made.args, texts, strict=True))
        if made.fn is reversed:
            source = made.args[0].op if isinstance(made.args[0], Value) else None
            if source is not None and source.fn in (zip, enumerate, reversed):
                raise refused(
                    self.source, node, "`reversed` of an iterator", "reverse what it goes through"
                )
        parts = [self.sequence(a, text) for a, text in (every if made.fn is zip else every[:1])]
        if made.fn is enumerate:
            (count, item), start = (
                parts[0],
                made.args[1] if len(made.args) > 1 else made.static.get("start", 0),
            )
            read = self._by_place(count, item, node)

            def numbered(i: Atom) -> Atom:
                return (i if start == 0 else self.binary(operator.add, i, start, node), read(i))

            return self._counted(count, node), numbered
        if made.fn is reversed:
            count, item = parts[0]
            plain = _is_range(item)
            length = self.op(len, (count,), {}, node)
            last = self.op(operator.sub, (length, 1), {}, node)

            def from_the_end(i: Atom) -> Atom:
                place = self.op(operator.sub, (last, i), {}, node)
                return self.subscript(count, place, node) if plain else item(place)

            return self._counted(count, node), from_the_end
        lengths = tuple(self.op(len, (count,), {}, node) for count, _ in parts)
        shortest = self.op(min, lengths, {}, node) if len(lengths) > 1 else lengths[0]
        shortest.type = INT
        reads = [self._by_place(count, item, node) for count, item in parts]
        return self.op(range, (shortest,), {}, node), lambda i: tuple(r(i) for r in reads)

    def _by_place(
        self, count: Atom, item: Callable[[Atom], Atom], node: ast.expr
    ) -> Callable[[Atom], Atom]:
        """How to read the i-th item that a sequence gives."""
        made = count.op if isinstance(count, Value) else None
        if not _is_range(item) and made is not None and made.fn is range and len(made.args) == 1:
            return item
        return lambda i: item(self.subscript(count, i, node))

    def _counted(self, count: Atom, node: ast.expr) -> Atom:
        return self.op(range, (self.op(len, (count,), {}, node),), {}, node)

    def _while(self, s: ast.While) -> None:
        if s.orelse:
            raise refused(self.source, s, "`while … else`", "set a flag before `break`")

        def test() -> Atom:
            return self.truth(self.expr(s.test))

        self.loop(
            None, lambda _: self.block(s.body), s, [], s.body, None, test=test, test_node=s.test
        )

    def loop(
        self,
        count: Atom,
        body: Callable[[Atom], Any],
        node: ast.AST,
        targets: list[ast.expr],
        stmts: list[ast.stmt],
        index_name: str | None,
        *,
        test: Callable[[], Atom] | None = None,
        test_node: ast.expr | None = None,
        collects: bool = False,
    ) -> Value | None:
        """Build a scan. With `collects`, what `body` returns each time is collected into a list,
        which is returned.
        """
        carried = self._carried(targets, stmts, test_node, node)
        # Flags of the loops around stay outside: inside, control has not left anything yet.
        outer_flags = {f: self.env.get(f, False) for f in (BROKEN, CONTINUED)}
        inits = {name: self.materialise(self.env.get(name, UNBOUND), node) for name in carried}
        types = {name: type_of(atom) for name, atom in inits.items()}
        returns = any(isinstance(n, ast.Return) for s in stmts for n in ast.walk(s))
        if returns:
            inits[RETURN_VALUE], types[RETURN_VALUE] = UNBOUND, type_of(UNBOUND)
        before, outer = dict(self.env), self.region
        for round in range(MAX_TYPE_ROUNDS):
            self.env, self.region = dict(before), Region()
            params = {n: self._carried_param(n, types[n], inits[n], node) for n in inits}
            self.env.update(params)
            self.env.update({RETURNED: False, BROKEN: False, CONTINUED: False})
            tested: Region | None = None
            if test is not None:
                tested = self.region
                entered = dict(self.env)
                tested.outs = (test(),)
                self.env = entered  # what the test region defines is not seen by the body
                self.region = Region()
            index = (
                Value(index_name, INT, self.span(targets[0] if targets else node))
                if count is not None
                else None
            )
            collected = body(index)
            stop = self._stop(node)
            outs = {n: self.materialise(self.env.get(n, UNBOUND), node) for n in inits}
            if collects:
                collected = self.materialise(collected, node)
            widened = {n: _widen(types[n], type_of(outs[n]), round) for n in inits}
            if all(subsumes(types[n], type_of(outs[n])) for n in inits):
                break
            types = widened
        else:
            raise refused(
                self.source,
                node,
                "a loop whose variables change their type",
                "keep their types the same",
            )
        unbound = {
            n
            for n, o in outs.items()
            if o is UNBOUND or (isinstance(o, Value) and o in self.maybe_unbound)
        }
        returned = self.env[RETURNED]
        self.env, inner = before, self.region
        self.region = outer
        inner.params = (*((index,) if index is not None else ()), *params.values())
        inner.outs = (
            *((stop,) if stop is not False else ()),
            *outs.values(),
            *((collected,) if collects else ()),
        )
        results = {
            n: Value(None if n.startswith("$") else n, types[n], self.span(node)) for n in inits
        }
        gathered = Value(None, List(type_of(collected)), self.span(node)) if collects else None
        static = {
            "sequences": 0 if count is None else 1,
            "backwards": () if count is None else (False,),
            "carried": len(inits),
            "stop": stop is not False,
        }
        regions = (inner,) if tested is None else (tested, inner)
        every = (*results.values(), *((gathered,) if gathered is not None else ()))
        args = (*((count,) if count is not None else ()), *inits.values())
        op = Op(FOR if test is None else WHILE, args, static, every, regions, self.span(node))
        self._leave(op, results, inits, unbound, returned, outer_flags, node)
        return gathered

    def _carried_param(self, name: str, type: Type, init: Atom, node: ast.AST) -> Value:
        param = Value(None if name.startswith("$") else name, type, self.span(node))
        if not name.startswith("$") and (
            init is UNBOUND or (isinstance(init, Value) and init in self.maybe_unbound)
        ):
            self.maybe_unbound.add(param)
        return param

    def _stop(self, node: ast.AST) -> Atom:
        """Whether the loop ends after this iteration: `break` or `return` was met."""
        flags = [f for f in (self.env[BROKEN], self.env[RETURNED]) if f is not False]
        if any(f is True for f in flags):
            return True
        if len(flags) == 2:
            return self.op(operator.or_, (flags[0], flags[1]), {}, node)
        return flags[0] if flags else False

    def _leave(
        self,
        op: Op,
        results: dict[str, Value],
        inits: dict[str, Atom],
        unbound: set[str],
        returned: Atom,
        outer_flags: dict[str, Atom],
        node: ast.AST,
    ) -> None:
        """Append the loop and bind what it leaves."""
        if returned is not False:  # carry the flag: only the last iteration can have set it
            flag_in, flag_out = Value(None, BOOL, op.span), Value(None, BOOL, op.span)
            body = op.regions[-1]
            stop, carried = int(op.static["stop"]), op.static["carried"]
            body.params = (*body.params, flag_in)
            body.outs = (*body.outs[: stop + carried], returned, *body.outs[stop + carried :])
            op.args = (*op.args, False)
            op.results = (*op.results[:carried], flag_out, *op.results[carried:])
            flag_out.op = op
            op.static["carried"] += 1
            self.env[RETURNED] = flag_out
        self.region.ops.append(op)
        for name, value in results.items():
            self.env[name] = value
            init = inits[name]
            maybe = (
                name in unbound
                or init is UNBOUND
                or (isinstance(init, Value) and init in self.maybe_unbound)
            )
            if maybe and not name.startswith("$"):
                self.maybe_unbound.add(value)
        self.env.update(outer_flags)

    def _carried(
        self, targets: list[ast.expr], stmts: list[ast.stmt], test: ast.expr | None, node: ast.AST
    ) -> list[str]:
        """The variables that a loop hands from one iteration to the next, or out of it."""
        assigned = bound([*targets, *stmts])
        if not self.reads:
            self.reads = read_counts([self.fn.node])
        inside = read_counts([*stmts, *targets, *([test] if test else [])])
        elsewhere = {name for name, n in self.reads.items() if n > inside[name]}
        tested = read([test]) if test is not None else set()
        at_target = bound(targets)
        carried = []
        for name in sorted(assigned, key=lambda n: (n not in self.env, n)):
            earlier = name not in at_target and needs_earlier_value(name, stmts)
            if earlier or name in elsewhere or name in tested:
                carried.append(name)
        order = {name: i for i, name in enumerate(self.env)}
        return sorted(carried, key=lambda n: (order.get(n, len(order)), n))

    # ---- comprehensions

    def comprehension(
        self,
        elt: ast.expr,
        generators: list[ast.comprehension],
        node: ast.expr,
        name: str | None = None,
    ) -> Atom:
        first, rest = generators[0], generators[1:]
        if first.is_async:
            raise refused(
                self.source, node, "`async` in a comprehension", "collect the items first"
            )
        saved = {n: self.env.get(n) for n in bound([g.target for g in generators])}
        shadowed = self.locals
        self.locals = self.locals | set(saved)
        count, item = self.sequence(self.expr(first.iter), first.iter)
        conditional = bool(first.ifs)

        def value() -> Atom:
            return self.comprehension(elt, rest, node) if rest else self.expr(elt)

        def keeping() -> None:
            self.env["$kept"] = value()
            self.env["$keep"] = True

        def body(index: Atom) -> Atom:
            self.bind_target(first.target, item(index))
            if not conditional:
                return value()
            keep: Atom = self._all(first.ifs)
            self.env["$kept"] = UNBOUND
            self.branch(keep, keeping, lambda: self.env.update({"$keep": False}), node)
            return (self.env.pop("$keep"), self.env.pop("$kept"))

        index_name = (
            first.target.id if isinstance(first.target, ast.Name) and _is_range(item) else None
        )
        items = self.loop(count, body, node, [], [], index_name, collects=True)
        assert items is not None
        if conditional:
            items = self._compressed(items, node)
        if rest:
            inner = items.type.item if isinstance(items.type, List) else UNKNOWN
            items = self.op(runtime.chain, (items,), {}, node)
            items.type = inner
        items.name = name
        self.locals = shadowed
        for n, atom in saved.items():
            if atom is None:
                self.env.pop(n, None)
            else:
                self.env[n] = atom
        return items

    def _all(self, tests: list[ast.expr]) -> Atom:
        together = (
            tests[0]
            if len(tests) == 1
            else ast.copy_location(ast.BoolOp(ast.And(), tests), tests[0])
        )
        return self.truth(self.expr(together))

    def _compressed(self, pairs: Value, node: ast.expr) -> Value:
        assert isinstance(pairs.type, List)
        item = pairs.type.item
        kept = self.op(runtime.compress, (pairs,), {}, node)
        kept.type = List(item.items[1] if isinstance(item, Tuple) else UNKNOWN)
        return kept


def _same(index: Atom) -> Atom:
    return index


def _is_range(item: Callable[[Atom], Atom]) -> bool:
    return item is _same


def _widen(known: Type, new: Type, round: int) -> Type:
    joined = join(known, new)
    return joined if round < MAX_TYPE_ROUNDS - 2 else UNKNOWN


def _immutable(x: Value) -> bool:
    """Whether a scalar was made by arithmetic, which never gives an array without axes."""
    return x.op is not None and lookup(x.op.fn) is not None and x.op.fn is not operator.getitem


def _symbol(op: ast.operator) -> str:
    return ast.unparse(ast.BinOp(ast.Name("a"), op, ast.Name("b")))[2:-2]
