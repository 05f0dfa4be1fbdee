"""Statements to IR, and the entry: a function's syntax and its arguments' types to a `Function`.

`break`, `continue` and early `return` become flags and nested regions here, so no later pass knows
of them. Every `for` becomes a counted loop: over a sequence, it counts its items and reads them by
index.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import (
    UNBOUND,
    Atom,
    Demand,
    Function,
    MemoryNeeded,
    Undecided,
    Value,
    type_of,
)
from ..ir.types import (
    UNBOUND_TYPE,
    Array,
    Dict,
    List,
    Other,
    Record,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
)
from ..iterators import Kept
from ..rules.aliasing import is_view_index
from ..rules.registry import is_followed, lookup
from ..source import parse
from .classes import Classes
from .desugar import loop_with_else, match, named, step_by_step, stored, tested_inside
from .exceptions import SIMPLE
from .expressions import BINARY
from .fence import refused
from .interruptions import Catches
from .loops import is_range
from .memory import CONTAINERS, SETS, is_set
from .names import always_jumps, bound, only_asked, parameters, read_counts
from .resolve import Known, Meaning, Missing, UserFunction
from .resumable import Step
from .scope import (
    BROKEN,
    CONTINUED,
    DEAD,
    FLAGS,
    RETURN_VALUE,
    RETURNED,
    Context,
    Generated,
    LocalFunction,
    Lowering,
)
from .sets import IN_PLACE


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

    scope: dict[str, Any] = {}

    def name(self, name: str) -> Meaning:
        return Missing()

    def member(self, owner: Any, name: str) -> Meaning:
        return Known(getattr(owner, name))

    def cell(self, name: str) -> Any:
        return None

    def imported(self, module: str) -> Meaning:
        return Missing()


class Statements(Classes):
    params: list[Value] = []

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
        if args.kwarg is not None:
            self._keep(args.kwarg)
        self.share()
        self.env.update({RETURNED: False})
        if isinstance(self.fn, Step):
            self.open_frame(self.fn, params[0])
        node = self.fn.node
        if isinstance(node, ast.Lambda):
            self.env[RETURN_VALUE] = self.expr(node.body)
            self.env[RETURNED] = True
        else:
            self.block(node.body)
        returns = self.env.get(DEAD) is not True or self.env[RETURNED] is not False
        function = self._finished(params, self.materialise(self._result(), node))
        function.returns = returns and function.result != UNBOUND_TYPE
        return function

    def _keep(self, keywords: ast.arg) -> None:
        """The dict of keywords is one in memory, where the function does more than to ask it."""
        given = self.env[keywords.arg]
        t = type_of(given)
        if self.heap is None or not isinstance(t, Dict) or only_asked(keywords.arg, self.fn.node):
            return
        keys = tuple(k for k, _ in t.items)
        values = [self.materialise(self.subscript(given, k, keywords), keywords) for k in keys]
        made = self.op(runtime.make_dict, (keys, *values), {}, keywords, keywords.arg)
        made.type = Ref(dict, self.heap.site((self.span(keywords), keys)))
        made.type.site.made(dict(zip(keys, map(type_of, values), strict=True)))
        self.env[keywords.arg] = made

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
            changing=self.heap is not None,
            arrays=self.heap is not None and self.heap.arrays,
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
            if any(f is True for f in flags) or self.env.get(DEAD) is True:
                return
            if flags:
                self._guarded(flags, body[k:])
                return
            if isinstance(s, ast.If) and self.catching is not None and not _is_name(s.test):
                self.block([*_tested_before(s), *body[k + 1 :]])
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
            if self.catching is None:
                self.statement(s)
            else:
                self._caught(s, self.catching)

    def _caught(self, s: ast.stmt, catches: Catches) -> None:
        """A statement of a body whose exceptions are caught one by one."""
        match s:
            case ast.While(orelse=[]) if not isinstance(s.test, ast.Constant):
                self.statement(tested_inside(s))
            case ast.For(orelse=[]) if _may_raise(s.iter):
                self._taken_first(s, catches)
            case _ if isinstance(s, SIMPLE):
                self.attempt(lambda: self.statement(s), s, catches)
            case _:
                self.statement(s)

    def _taken_first(self, s: ast.For, catches: Catches) -> None:
        """A loop of which what it goes through may raise, at once or item by item."""
        name = f"$items{s.lineno}_{s.col_offset}"
        iterated = False

        def take() -> None:
            nonlocal iterated
            items = self.expr(s.iter)
            iterated = isinstance(items, Generated)
            self.env[name] = self.kept(items, s.iter) if iterated else items

        self.attempt(take, s.iter, catches)
        items = named(s.iter, name)
        if iterated:
            self.block([step_by_step(s, items)])
        else:
            self.block([ast.copy_location(ast.For(s.target, items, s.body, []), s)])

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

    def _outlives(self, name: str, case: ast.match_case) -> bool:
        if not self.reads:
            self.reads = read_counts([self.fn.node])
        return name in self.cells or self.reads[name] > read_counts([case])[name]

    def statement(self, s: ast.stmt) -> None:
        try:
            self._statement(s)
        except MemoryNeeded as needed:
            needed.span = needed.span or self.span(s)
            raise

    def _statement(self, s: ast.stmt) -> None:
        match s:
            case ast.Assign(targets=targets, value=value):
                single = targets[0] if len(targets) == 1 else None
                name = single.id if isinstance(single, ast.Name) else None
                atom = self.expr(value, name)
                if isinstance(atom, Generated) and name is not None:
                    atom = self.kept_iterator(name, atom, value)
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
            case ast.For(orelse=[_, *_]) | ast.While(orelse=[_, *_]):
                self.block(loop_with_else(s))
            case ast.For():
                self._for(s)
            case ast.While():
                self._while(s)
            case ast.Match():
                refuse = partial(refused, self.source)
                self.block(match(s, refuse, self._positional, self._outlives))
            case ast.Try():
                self._try(s)
            case ast.With():
                self._with(s)
            case ast.Raise():
                self._raise(s)
            case ast.Assert(test=test, msg=msg):
                self._assert(s, test, msg)
            case ast.Import(names=names):
                for a in names:
                    root = a.name.partition(".")[0]
                    whole = self.resolver.imported(a.name)
                    found = whole if a.asname else self.resolver.imported(root)
                    self.assign(a.asname or root, self.meaning(found, a.name, s), s)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                owner = self.resolver.imported(module)
                for a in names:
                    self.assign(a.asname or a.name, self._imported(owner, module, a.name, s), s)
            case ast.Break():
                self.env[BROKEN] = True
            case ast.Continue():
                self.env[CONTINUED] = True
            case ast.Delete(targets=targets):
                for t in targets:
                    self._delete(t)
            case ast.Pass():
                pass
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call):
                self.unused(call)
            case ast.Expr(value=value):
                self.expr(value)
            case ast.FunctionDef(name=name, decorator_list=nodes):
                decorators = [self.expr(d) for d in nodes]
                made = self.inner_function(name, s)
                for decorator, node in reversed(list(zip(decorators, nodes, strict=True))):
                    made = self.call(decorator, (made,), {}, node)
                self.assign(name, made, s)
            case ast.ClassDef(name=name):
                self.assign(name, self.local_class(s), s)
            case ast.Global() | ast.Nonlocal():
                pass
            case _:
                raise refused(self.source, s)

    def _imported(self, owner: Meaning, module: str, name: str, node: ast.stmt) -> Atom:
        if not isinstance(owner, Known):
            return self.meaning(owner, name, node)
        if hasattr(owner.value, name):
            return self.meaning(self.resolver.member(owner.value, name), name, node)
        return self.meaning(self.resolver.imported(f"{module}.{name}"), name, node)

    def _assert(self, s: ast.Assert, test: ast.expr, msg: ast.expr | None) -> None:
        def fail() -> None:
            args = () if msg is None else (self.materialise(self.expr(msg), s),)
            self.throw(self.op(AssertionError, args, {}, s), s)

        self.branch(self.truth(self.expr(test), test), lambda: None, fail, s)

    def _positional(self, cls: ast.expr, k: int) -> str | None:
        """The attribute that the k-th positional pattern of a class is matched with."""
        known = self.expr(cls)
        if known in MATCHED_WHOLE:
            return None
        names = getattr(known, "__match_args__", ()) if isinstance(known, type) else ()
        if k >= len(names):
            raise refused(self.source, cls, "a pattern of this class", "name the attributes")
        found: str = names[k]
        return found

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
                self.assign(name, atom, target)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                self._unpack(elts, atom, target)
            case ast.Subscript(value=ast.Attribute(value=array, attr="flat"), slice=index):
                base = self.expr(array)
                at = self.as_index(self.index(index), target)
                self.call(runtime.store_flat, (base, at, atom), {}, target)
            case ast.Subscript(value=value, slice=index):
                self.store_item(self.expr(value), self.index(index), atom, target)
            case ast.Attribute(value=value, attr=attr):
                self.store_attribute(self.expr(value), attr, atom, target)
            case _:
                raise refused(self.source, target)

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Subscript(value=value, slice=index):
                self.delete(target, self.expr(value), self.index(index))
            case ast.Attribute(value=value, attr=attr):
                self.delete(target, self.expr(value), attr)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for e in elts:
                    self._delete(e)
            case ast.Name(id=name):
                self.load(name, target)
                self.assign(name, UNBOUND, target)
            case _:
                raise refused(self.source, target)

    def _unpack(self, elts: list[ast.expr], atom: Atom, node: ast.expr) -> None:
        t = type_of(atom)
        if isinstance(t, Ref | Record) and hasattr(t.cls, "__iter__") and _is_object(t.cls):
            atom = self.method_call(t.cls, "__iter__", (atom,), node)
        if isinstance(t, Ref | Record) and hasattr(t.cls, "__next__"):
            atom = self.listed(atom, node)
        atom = atom.items if isinstance(atom, Generated) else atom
        atom = self.frozen(self.gone_through_as(atom, node), node)
        stars = [i for i, e in enumerate(elts) if isinstance(e, ast.Starred)]
        t = type_of(atom)
        exact = isinstance(atom, tuple) or (isinstance(t, Tuple | List) and t.items is not None)
        if isinstance(t, Unknown) and stars:
            self.op(runtime.check_sequence, (atom,), {}, node)
        if not exact and stars and isinstance(t, List | Array | Unknown):
            k, after = stars[0], len(elts) - stars[0] - 1
            least = (self.materialise(atom, node), len(elts) - 1)
            self.op(runtime.check_least, least, {}, node)
            cut = self.subscript(atom, slice(k, -after if after else None), node)
            middle = self.allocated(self.call(list, (cut,), {}, node), node)
            items = [self.subscript(atom, i, node) for i in range(k)]
            items += [middle, *(self.subscript(atom, i - after, node) for i in range(after))]
            for e, item in zip(elts, items, strict=True):
                self.bind_target(e.value if isinstance(e, ast.Starred) else e, item)
            return
        if not exact and not stars:
            check: Any = runtime.check_length
            if isinstance(t, Unknown):
                check = runtime.check_unpacked
            self.op(check, (self.materialise(atom, node), len(elts)), {}, node)
            items = [self.subscript(atom, i, node) for i in range(len(elts))]
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
        text = ast.unparse(s.target)
        match s.target:
            case ast.Name(id=name):
                old = self.load(name, s.target)
                self.bind_target(s.target, self._changed(s, old, self.expr(s.value), text, name))
            case ast.Subscript(value=value, slice=at):
                base, index = self.expr(value), self.index(at)
                if (
                    isinstance(s.op, ast.Add | ast.Sub)
                    and isinstance(type_of(base), Array)
                    and is_view_index(index)
                    and not (isinstance(value, ast.Attribute) and value.attr == "flat")
                ):
                    self.added_at(s.op, base, index, self.expr(s.value), s)
                    return
                old = self.subscript(base, index, s.target)
                t = type_of(old)
                number = isinstance(t, Unknown) or isinstance(t, Array) and not t.shape
                if isinstance(type_of(base), Array) and number:
                    new = self.binary(BINARY[type(s.op)], old, self.expr(s.value), s)
                else:
                    new = self._changed(s, old, self.expr(s.value), text)
                if isinstance(value, ast.Attribute) and value.attr == "flat":
                    array = base.op.args[0] if isinstance(base, Value) and base.op else base
                    at_once = (array, self.as_index(index, s), new)
                    self.call(runtime.store_flat, at_once, {}, s)
                elif new is not old or not is_view_index(index):  # else it is stored already
                    self.store_item(base, index, new, s.target)
            case ast.Attribute(value=value, attr=attr):
                base = self.expr(value)
                old = self.attribute(base, attr, s.target)
                new = self._changed(s, old, self.expr(s.value), text)
                self.store_attribute(base, attr, new, s.target)

    def _changed(
        self, s: ast.AugAssign, old: Atom, new: Atom, text: str, name: str | None = None
    ) -> Atom:
        """What an augmented assignment binds: the same list, changed, or a new value."""
        t = type_of(old)
        changes_set = (t == Other(set) or isinstance(old, set)) and type(s.op) in IN_PLACE
        if isinstance(t, List | Dict) or changes_set and self.heap is None:
            raise MemoryNeeded
        if changes_set:
            raise refused(
                self.source, s, "changing a set that is not made here", "make a new one", "ZYG103"
            )
        if isinstance(t, Ref) and isinstance(old, Value):
            if issubclass(t.cls, list) and isinstance(s.op, ast.Add):
                self.call(list.extend, (old, new), {}, s.value)
                return old
            if issubclass(t.cls, dict) and isinstance(s.op, ast.BitOr):
                self.call(dict.update, (old, new), {}, s)
                return old
            if t.cls is set and type(s.op) in IN_PLACE and is_set(new):
                self.call(IN_PLACE[type(s.op)], (old, new), {}, s)
                return old
            if issubclass(t.cls, SETS):
                return self.binary(BINARY[type(s.op)], old, new, s, name)
            method = f"__i{BINARY[type(s.op)].__name__.strip('_')}__"
            if hasattr(t.cls, method):
                return self.method_call(t.cls, method, (old, new), s)
        if is_followed(t) and isinstance(s.op, ast.Mult | ast.Div):
            what, sign = f"changing `{text}` in place", "*" if isinstance(s.op, ast.Mult) else "/"
            raise refused(self.source, s, what, f"write `{text} = {text} {sign} ...`", "ZYG103")
        if isinstance(t, Array) and t.shape != () and t.shape is not None:
            return self.changed_array(s.op, old, new, s)
        if isinstance(t, Array) or (isinstance(old, Value) and not isinstance(t, Scalar)):
            if isinstance(old, Value) and not _immutable(old) and not is_followed(t):
                self.op(runtime.check_immutable, (old, text), {}, s)
        return self.binary(BINARY[type(s.op)], old, new, s, name)

    def _if(self, s: ast.If, then: list[ast.stmt], other: list[ast.stmt]) -> None:
        test = self.truth(self.expr(s.test), s.test)
        self.branch(test, lambda: self.block(then), lambda: self.block(other), s)

    # ---- loops

    def _for(self, s: ast.For) -> None:
        began = len(self.gone_through)
        it = self.iterable(s.iter)
        t = type_of(it)
        if isinstance(t, Ref | Record) and _is_object(t.cls) and hasattr(t.cls, "__iter__"):
            it = self.method_call(t.cls, "__iter__", (it,), s.iter)
        steps = self.stepwise(it, s)
        if steps is not None:
            self.block(steps)
            return
        self.live = any(map(_may_store, s.body))
        if isinstance(it, Generated) and it.streamed is not None:
            count, each = self.stream(it, s.iter)
            index_name = None
        else:
            count, item = self.sequence(it, s.iter)
            index_name = s.target.id if isinstance(s.target, ast.Name) and is_range(item) else None

            def each(index: Atom, use: Callable[[Atom], None]) -> None:
                use(item(index))

        self.live = False

        def go_on(value: Atom) -> None:
            self.bind_target(s.target, value)
            self.block(s.body)

        def body(index: Atom) -> None:
            each(index, go_on)

        self.loop(count, body, s, [s.target], s.body, index_name)
        self.unchanged(began, s)

    def _while(self, s: ast.While) -> None:
        if any(isinstance(n, ast.NamedExpr) for n in ast.walk(s.test)):
            s = tested_inside(s)

        def test() -> Atom:
            return self.truth(self.expr(s.test), s.test)

        self.loop(
            None, lambda _: self.block(s.body), s, [], s.body, None, test=test, test_node=s.test
        )


# Classes whose one positional pattern is matched with the object itself (PEP 634).
MATCHED_WHOLE = (
    *(bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple),
)


def _may_store(s: ast.stmt) -> bool:
    """Whether a statement may change the items of a list, itself or in what it calls."""
    return any(
        isinstance(n, ast.Call) or (isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store))
        for n in ast.walk(s)
    )


def _is_object(cls: type) -> bool:
    """Whether instances of a class are gone through as the class tells."""
    return not issubclass(cls, (*CONTAINERS, Kept))


# What raises no more than what it is given.
QUIET = {"enumerate", "len", "list", "range", "reversed", "tuple", "zip"}
QUIET_METHODS = {"copy", "items", "keys", "values"}


def _may_raise(node: ast.expr) -> bool:
    """Whether an expression calls something that may raise, as far as the text tells."""
    for n in ast.walk(node):
        match n:
            case ast.Call(func=ast.Name(id=name)) if name in QUIET:
                pass
            case ast.Call(func=ast.Attribute(attr=name)) if name in QUIET_METHODS:
                pass
            case ast.Call():
                return True
    return False


def _tested_before(s: ast.If) -> list[ast.stmt]:
    """An `if` whose test is a statement of its own."""
    found = f"$test{s.lineno}_{s.col_offset}"
    choice = ast.copy_location(ast.If(named(s.test, found), s.body, s.orelse), s)
    return [stored(s, found, s.test), choice]


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id.startswith("$")


def _immutable(x: Value) -> bool:
    """Whether a scalar was made by arithmetic, which never gives an array without axes."""
    if x.op is None or x.op.fn is operator.getitem or lookup(x.op.fn) is None:
        return False
    return not str(getattr(x.op.fn, "__module__", None)).startswith("scipy.sparse")


