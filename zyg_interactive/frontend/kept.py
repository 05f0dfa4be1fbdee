"""Generators and other iterators that are kept: objects in memory that go on where they stopped.

An iterator is built into what consumes it (`Generated`) where that is told by the text. Where it is
kept, or takes turns with other code, it is made as an object instead: the frame of a generator
(`resumable`), also of `itertools`, which are generators in plain Python (`iterators`). What has to
be an object is found out as a program is lowered, which is then lowered again.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from .. import iterators, runtime
from ..diagnostics import Refused
from ..ir.core import UNBOUND, Atom, Value, type_of
from ..ir.types import UNBOUND_TYPE, Dict, List, Other, Record, Ref
from ..iterators import (
    Attempts,
    Counter,
    Kept,
    Resumed,
    attempted,
    begun,
    check_begun,
    counted_on,
    found,
    more,
    not_counted,
    send,
    step,
)
from .calls import CONSUMERS, goes_through, method_of
from .cells import comprehension_names
from .fence import refused
from .generators import collecting
from .iteration import SELECTIONS, Iteration
from .memory import CONTAINERS, is_set
from .names import body_of, bound, declared, parameters, read
from .resolve import UserFunction
from .resumable import Machine, Step, attribute_of, machine, outermost
from .scope import BoundMethod, FrameResolver, Generated, ScopeResolver, restore


class KeptIterators(Iteration):
    """Adds iterators that are objects."""

    # ---- generators

    def generator_of(
        self,
        fn: UserFunction,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """What a call of a generator function makes."""
        if isinstance(fn.node, ast.Lambda):
            raise refused(fn.source, fn.node, "a `yield` in a lambda", "write a `def`")

        def keep() -> Atom:
            return self.begin(fn, args, kwargs, node)

        try:
            whole = collecting(fn)
        except Refused as refusal:
            try:
                return keep()
            except Refused:
                raise refusal from None
        made = Generated(
            lambda: self._user_call(whole, args, kwargs, node, name),
            self.depth,
            reads=self.looked_up(fn),
        )
        return self.lazy(made, keep, node, fn.name)

    def lazy(self, made: Generated, keep: Callable[[], Atom], node: ast.AST, what: str) -> Atom:
        """An iterator that is built where it is consumed, or an object if it has to be one."""
        made.key = ("kept", self.span(node), what)
        made.keep = keep
        return keep() if self._is_shared(made.key) else made

    def begin(
        self, fn: UserFunction, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Value:
        """The frame of a generator that stands before its first statement."""
        made = machine(fn, free_of(fn))
        arguments = self.bind(fn, args, kwargs, node)
        frame = self.new_object(made.cls, node, None)
        self.memory().generators[made.cls] = outermost(fn.resolver)
        self._set(frame, made.names.at, 0, node)
        if made.reads_sent and made.maybe_none:
            self._set(frame, made.names.sent, None, node)
        if made.guarded:
            self._set(frame, made.names.thrown, None, node)
        for name, atom in arguments.items():
            if isinstance(atom, dict):
                atom = self.call(dict, (), atom, node)
            self._set(frame, attribute_of(name), self.materialise(atom, node), node)
        for name in made.free:
            captured = self.captured(fn.resolver, name, node)
            self._set(frame, attribute_of(name), captured, node)
        return frame

    def open_frame(self, fn: Step, frame: Atom) -> None:
        """Bind what the frame of a generator holds of the functions around it."""
        for name in fn.free:
            atom = self.attribute_in_memory(frame, attribute_of(name), fn.node, name)
            self.locals, self.nonlocals = self.locals | {name}, self.nonlocals - {name}
            if self.is_cell(atom):
                assert isinstance(atom, Value)
                self.cells[name] = atom
            else:
                self.env[name] = atom

    def generator(self, elt: ast.expr, generators: list[ast.comprehension], node: ast.expr) -> Atom:
        made, source = self.generated(elt, generators, node)
        scope = self.scope
        if _is_iterator(source):
            made.counted = made.streamed = None

        def keep() -> Atom:
            inside, self.scope = self.scope, scope
            fn = UserFunction("genexpr", self.source, _function_of(node), ScopeResolver(self))
            frame = self.begin(fn, (source,), {}, node)
            self.scope = inside
            return frame

        return self.lazy(made, keep, node, "genexpr")

    # ---- what is kept

    def kept(self, atom: Atom, node: ast.AST) -> Atom:
        """The iterator over something, as an object."""
        assert isinstance(node, ast.expr)
        if isinstance(atom, Generated):
            view = atom.view
            if view is None:
                whole = atom.items if atom.again else self.materialise(atom, node)
                return self.kept(whole, node)
            keys = self.kept(view, node)
            return self.kept(self.call(iterators.each_item, (view, keys), {}, node), node)
        t = type_of(atom)
        made = atom.op if isinstance(atom, Value) else None
        if made is not None and made.fn is runtime.keys_of and self.is_view(atom):
            return self.kept(made.args[0], node)
        if made is not None and made.fn is runtime.values_of:
            keys = self.kept(made.args[0], node)
            values = self.call(iterators.each_value, (made.args[0], keys), {}, node)
            return self.kept(values, node)
        if isinstance(t, Ref | Record) and not issubclass(t.cls, CONTAINERS):
            if issubclass(t.cls, Kept):
                return atom
            if hasattr(t.cls, "__next__"):
                return self.call(Attempts, (atom,), {}, node)
            return self.kept(self.method_call(t.cls, "__iter__", (atom,), node), node)
        if isinstance(t, Ref) and issubclass(t.cls, dict):
            assert isinstance(atom, Value)
            keys = self.held_keys(atom, node)
            return self.kept(self.call(iterators.each_key, (atom, keys), {}, node), node)
        if is_set(atom):
            assert isinstance(atom, Value)
            keys = self.held_keys(atom, node)
            return self.kept(self.call(iterators.each_of_set, (atom, keys), {}, node), node)
        if isinstance(t, Dict):
            atom = self.call(list, (atom,), {}, node)
        elif isinstance(t, Other) and not issubclass(t.cls, str | range | tuple | bytes):
            atom = self.op(list, (atom,), {}, node)
        if isinstance(atom, Value) and atom.op is not None and atom.op.fn is range:
            return self.count(atom, node)
        if t == Other(range):
            atom = self.listed(atom, node)
        return self.cursor(atom, node)

    def resumed(self, frame: Atom, node: ast.AST) -> Atom:
        """Go on with a generator to its next item; whether there is one."""
        t = type_of(frame)
        assert isinstance(t, Ref)
        resolver = self.memory().generators.get(t.cls)
        if resolver is None:
            raise refused(
                self.source, node, "a generator that a call is given that only the run knows"
            )
        fn = dataclasses.replace(machine_of(frame).step, resolver=resolver)
        return self._user_call(fn, (frame,), {}, node, None)

    def count(self, it: Value, node: ast.AST) -> Atom:
        """An iterator over a range."""
        assert it.op is not None
        given = it.op.args
        first, by = (given[0] if len(given) > 1 else 0), (given[2] if len(given) > 2 else 1)
        length = self.op(len, (it,), {}, node)
        return self.call(Counter, (first, by, length), {}, node)

    def sent(self, frame: Atom, value: Atom, node: ast.AST) -> Atom:
        """`send`: go on, with this as the value of the `yield` that a generator stands at."""
        made = machine_of(frame)
        if value is not None:
            at = self.attribute_in_memory(frame, made.names.at, node, None)
            self.call(check_begun, (at,), {}, node)
        if made.reads_sent:
            self._set(frame, made.names.sent, self.materialise(value, node), node)
        return self.call(next, (frame,), {}, node)

    def attribute(self, base: Atom, attr: str, node: ast.AST, name: str | None = None) -> Atom:
        if isinstance(base, Generated):
            base = self.materialise(base, node)
        t = type_of(base)
        if isinstance(t, Ref) and issubclass(t.cls, Kept):
            if attr == "__next__":
                return BoundMethod(base, next)
            if attr == "__iter__":
                return BoundMethod(base, iter)
            if attr == "send" and issubclass(t.cls, Resumed):
                return BoundMethod(base, send)
        return super().attribute(base, attr, node, name)

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        t = type_of(args[0]) if args else None
        if fn is send and len(args) == 2:
            return self.sent(args[0], args[1], node)
        if fn is begun:
            return self.kept(args[0], node)
        if (fn is more or fn is step) and isinstance(t, Ref):
            if issubclass(t.cls, Resumed):
                if fn is more:
                    return self.resumed(args[0], node)
                value = machine_of(args[0]).names.value
                return self.attribute_in_memory(args[0], value, node, name)
            if t.cls in TAKEN:
                ahead, taken = TAKEN[t.cls]
                return self.call(ahead if fn is more else taken, args, {}, node, name)
        if isinstance(node, ast.expr) and self.is_lazy(fn, args):
            return EACH[fn](self, args, kwargs, node)
        if isinstance(node, ast.expr) and takes_at_once(fn):
            args = tuple(self.listed(a, node) if _is_iterator(a) else a for a in args)
        return super().call(fn, args, kwargs, node, name)

    def iterated(self, items: Atom, node: ast.AST | None = None) -> Atom:
        made = super().iterated(items)
        assert isinstance(made, Generated)
        if node is None:
            return made
        return self.lazy(made, lambda: self.kept(items, node), node, "iter")

    def spread(self, atom: Atom, node: ast.AST) -> list[Atom]:
        if _is_iterator(atom) and isinstance(node, ast.expr):
            atom = self.listed(atom, node)
        return super().spread(atom, node)

    def begun_all(self, args: tuple[Atom, ...], node: ast.AST) -> tuple[Atom, ...]:
        """The iterators of arguments of which a class tells how they are gone through."""

        def begin(a: Atom) -> Atom:
            t = type_of(a)
            if not goes_through(a) or not isinstance(t, Ref | Record) or _is_iterator(a):
                return a
            return self.method_call(t.cls, "__iter__", (a,), node)

        return tuple(map(begin, args))

    def is_lazy(self, fn: Atom, args: tuple[Atom, ...]) -> bool:
        """Whether an iterator over these arguments has to take them one by one."""
        try:
            if fn not in EACH:
                return False
        except TypeError:  # not hashable
            return False
        if fn in UNENDING:
            return True
        return any(_is_iterator(a) or (fn in SOME and isinstance(a, Generated)) for a in args)

    def adapted(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        assert isinstance(node, ast.expr)
        if fn is not reversed:
            args = self.begun_all(args, node)
            if self.is_lazy(fn, args):
                return self.call(fn, args, kwargs, node)
        made = super().adapted(fn, args, kwargs, node)
        assert isinstance(made, Generated)
        return self.known_iterator(made, fn, args, kwargs, node)

    def known_iterator(
        self,
        made: Generated,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.expr,
    ) -> Atom:
        if fn in SELECTIONS:
            return self.lazy(made, lambda: self.kept(made.listed(), node), node, fn.__name__)
        if fn not in EACH:
            return made
        return self.lazy(made, lambda: EACH[fn](self, args, kwargs, node), node, fn.__name__)

    def each(self, fn: Any, *args: Atom, node: ast.AST) -> Atom:
        """A generator of `iterators`."""
        return self.call(fn, args, {}, node)

    def comprehension(
        self,
        elt: ast.expr,
        generators: list[ast.comprehension],
        node: ast.expr,
        name: str | None = None,
        source: Atom = UNBOUND,
    ) -> Atom:
        if source is UNBOUND and not generators[0].is_async:
            source = self.iterable(generators[0].iter)
        if not _is_iterator(source):
            return super().comprehension(elt, generators, node, name, source)
        return self._collected(elt, generators, node, source)

    def _collected(
        self, elt: ast.expr, generators: list[ast.comprehension], node: ast.expr, source: Atom
    ) -> Atom:
        """A list comprehension over an iterator, as loops that append."""
        found = self.holding_new(List(UNBOUND_TYPE, ()), node, None)
        names = self.in_names(node, items=source, found=found)
        append = _like(ast.Attribute(names["found"], "append", ast.Load()), elt)
        body: ast.stmt = _like(ast.Expr(_like(ast.Call(append, [elt], []), elt)), elt)
        for k, g in reversed(list(enumerate(generators))):
            for test in reversed(g.ifs):
                body = _like(ast.If(test, [body], []), test)
            body = _like(ast.For(g.target, g.iter if k else names["items"], [body], []), node)
        saved = {n: self.env.get(n) for n in comprehension_names(node)}
        around, outermost = self.scope, node not in self.comprehensions
        if outermost:
            self.open_scope(node)
            self.comprehensions.append(node)
        self.block([body])
        if outermost:
            self.comprehensions.remove(node)
        self.scope = around
        restore(self.env, saved)
        return found if outermost else self.frozen(found, node)

    def _compare(
        self, op: ast.cmpop, a: Atom, b: Atom, node: ast.Compare, name: str | None
    ) -> Atom:
        one_by_one = isinstance(b, Generated) or _is_iterator(b)
        if not one_by_one or not isinstance(op, ast.In | ast.NotIn):
            return super()._compare(op, a, b, node, name)
        names = self.in_names(node, items=b, sought=a, item=None)
        item = names["item"]
        target = _like(ast.Name(item.id, ast.Store()), node)
        part = ast.comprehension(target, names["items"], [], 0)
        same = _like(ast.Compare(item, [ast.Eq()], [names["sought"]]), node)
        inside = self.search(any, _like(ast.GeneratorExp(same, [part]), node), [], node)
        return self.op(operator.not_, (inside,), {}, node) if isinstance(op, ast.NotIn) else inside

    # ---- `zip`, `map`, `itertools` of iterators

    def _texts(self, args: tuple[Atom, ...], node: ast.expr) -> list[ast.expr]:
        given = node.args if isinstance(node, ast.Call) else []
        plain = len(given) == len(args) and not any(isinstance(a, ast.Starred) for a in given)
        return given if plain else [node] * len(args)

    def _each_zipped(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        if not args or kwargs.get("strict"):
            raise refused(self.source, node, "`zip` of these", "zip lists: `list(...)`")
        texts = self._texts(args, node)
        items = [self.kept(a, text) for a, text in zip(args, texts, strict=True)]
        whole = self.each(iterators.each_alone, items[0], node=texts[0])
        for k, text in enumerate(texts[1:], 1):
            at = node if k == len(texts) - 1 else text
            rows = self.kept(whole, texts[0])
            whole = self.each(iterators.each_zipped, rows, items[k], node=at)
        return whole

    def _each_numbered(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        start = args[1] if len(args) > 1 else kwargs.get("start", 0)
        items = self.kept(args[0], self._texts(args, node)[0])
        return self.each(iterators.each_numbered, items, start, node=node)

    def _each_reversed(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        if _is_iterator(args[0]) or isinstance(args[0], Generated):
            raise refused(
                self.source, node, "`reversed` of an iterator", "reverse what it goes through"
            )
        last = self.op(operator.sub, (self.op(len, (args[0],), {}, node), 1), {}, node)
        return self.each(iterators.each_backwards, args[0], last, node=node)

    def _each_mapped(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        if len(args) == 2:
            items = self.kept(args[1], self._texts(args, node)[1])
            return self.each(iterators.each_mapped, args[0], items, node=node)
        rows = self._each_zipped(args[1:], {}, node)
        return self.each(iterators.each_spread, args[0], self.kept(rows, node), node=node)

    def _each_filtered(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        items = self.kept(args[1], self._texts(args, node)[1])
        if args[0] is None or args[0] is bool:
            return self.each(iterators.each_true, items, node=node)
        return self.each(iterators.each_filtered, args[0], items, node=node)

    def _each_cut(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        items, bounds = self.kept(args[0], self._texts(args, node)[0]), args[1:]
        if len(bounds) == 1 and bounds[0] is not None:
            return self.each(iterators.each_until, items, bounds[0], node=node)
        start, stop, step = (*((None,) if len(bounds) == 1 else ()), *bounds, None, None)[:3]
        return self.each(
            iterators.each_stepped,
            *(items, 0 if start is None else start, stop, 1 if step is None else step),
            node=node,
        )

    def _each_of(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """Of a function, then of items."""
        items = self.kept(args[1], self._texts(args, node)[1])
        return self.each(fn, args[0], items, node=node)

    def _each_chained(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        texts = self._texts(args, node)
        whole = self.kept(args[0], texts[0])
        for k, (part, text) in enumerate(zip(args[1:], texts[1:], strict=True), 2):
            both = self.each(
                iterators.each_of_both,
                *(whole, self.kept(part, text)),
                node=node if k == len(args) else text,
            )
            if k == len(args):
                return both
            whole = self.kept(both, text)
        return whole

    def _each_flat(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        items = self.kept(args[0], self._texts(args, node)[0])
        return self.each(iterators.each_of_each, items, node=node)

    def _each_pair(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        items = self.kept(args[0], self._texts(args, node)[0])
        return self.each(iterators.each_pair, items, node=node)

    def _each_total(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        function = kwargs.get("func", args[1] if len(args) > 1 else None)
        function = operator.add if function is None else function
        items = self.kept(args[0], self._texts(args, node)[0])
        if kwargs.get("initial") is None:
            return self.each(iterators.each_total, items, function, node=node)
        start = kwargs["initial"]
        return self.each(iterators.each_total_from, items, function, start, node=node)

    def _each_of_longest(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        if len(args) != 2:
            raise refused(self.source, node, "`zip_longest` of these", "zip lists: `list(...)`")
        a, b = (self.kept(a, t) for a, t in zip(args, self._texts(args, node), strict=True))
        fill = kwargs.get("fillvalue")
        return self.each(iterators.each_of_longest, fill, a, b, node=node)

    def _each_again(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        items = self.kept(args[0], self._texts(args, node)[0])
        return self.each(iterators.each_again, items, node=node)

    def _each_count(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        given = {**dict(zip(("start", "step"), args, strict=False)), **kwargs}
        start, by = given.get("start", 0), given.get("step", 1)
        return self.each(iterators.each_count, start, by, node=node)

    def _each_repeated(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        endless = self.each(iterators.each_repeated, args[0], node=node)
        times = args[1] if len(args) > 1 else kwargs.get("times")
        if times is None:
            return endless
        return self.each(iterators.each_until, endless, times, node=node)

    def _tee(self, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        if len(args) > 1 and args[1] != 2:
            raise refused(self.source, node, "more than two iterators by `tee`", "tee again")
        items = self.kept(args[0], self._texts(args, node)[0])
        return self.call(iterators.tee, (items,), {}, node)


def machine_of(frame: Atom) -> Machine:
    made: Any = getattr(type_of(frame), "cls", None)
    found: Machine = made.machine
    return found


def free_of(fn: UserFunction) -> tuple[str, ...]:
    """The variables of functions around that a function reads or binds."""
    body = body_of(fn.node)
    outside = declared(body, ast.Nonlocal)
    own = (bound(body) | set(parameters(fn.node.args))) - outside
    names = (read(body) | outside) - own - declared(body, ast.Global)
    return tuple(sorted(n for n in names if _is_around(fn.resolver, n)))


def _is_around(resolver: Any, name: str) -> bool:
    if isinstance(resolver, ScopeResolver):
        return name in resolver.outer.locals or _is_around(resolver.outer.resolver, name)
    if isinstance(resolver, FrameResolver):
        return name in resolver.captured or _is_around(resolver.outer, name)
    return False


def _function_of(node: ast.expr) -> ast.FunctionDef:
    """A generator expression as a generator function of what it goes through first."""
    if node not in _functions:
        _functions[node] = _as_function(node)
    return _functions[node]


_functions: WeakKeyDictionary[ast.AST, ast.FunctionDef] = WeakKeyDictionary()


def _as_function(node: ast.expr) -> ast.FunctionDef:
    assert isinstance(node, ast.GeneratorExp)
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    source = "source"
    while source in used:
        source += "_"
    body: ast.stmt = _like(ast.Expr(_like(ast.Yield(node.elt), node.elt)), node.elt)
    for k, g in reversed(list(enumerate(node.generators))):
        for test in reversed(g.ifs):
            body = _like(ast.If(test, [body], []), test)
        it = g.iter if k else _like(ast.Name(source, ast.Load()), g.iter)
        body = _like(ast.For(g.target, it, [body], []), node)
    only = _like(ast.arg(source), node)
    arguments = ast.arguments([], [only], None, [], [], None, [])
    made: ast.FunctionDef = _like(ast.FunctionDef("genexpr", arguments, [body], []), node)
    return made


def takes_at_once(fn: Atom) -> bool:
    """Whether a function goes through its arguments, and is not looked into."""
    try:
        return method_of(fn) in CONSUMERS - {functools.reduce, *EACH}
    except TypeError:  # not hashable
        return False


def _is_iterator(a: Atom) -> bool:
    t = type_of(a) if not isinstance(a, Generated) else None
    return isinstance(t, Ref | Record) and hasattr(t.cls, "__next__")


def _like(made: Any, at: ast.AST) -> Any:
    return ast.copy_location(made, at)


def _of(fn: Any) -> Any:
    def made(lowering: KeptIterators, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        return lowering._each_of(fn, args, kwargs, node)

    return made


# Iterators as generators of `iterators`.
EACH: dict[Any, Any] = {
    zip: KeptIterators._each_zipped,
    enumerate: KeptIterators._each_numbered,
    reversed: KeptIterators._each_reversed,
    map: KeptIterators._each_mapped,
    filter: KeptIterators._each_filtered,
    itertools.islice: KeptIterators._each_cut,
    itertools.takewhile: _of(iterators.each_taken),
    itertools.dropwhile: _of(iterators.each_left),
    itertools.filterfalse: _of(iterators.each_false),
    itertools.starmap: _of(iterators.each_spread),
    itertools.chain: KeptIterators._each_chained,
    itertools.chain.from_iterable: KeptIterators._each_flat,
    itertools.pairwise: KeptIterators._each_pair,
    itertools.accumulate: KeptIterators._each_total,
    itertools.zip_longest: KeptIterators._each_of_longest,
    itertools.cycle: KeptIterators._each_again,
    itertools.count: KeptIterators._each_count,
    itertools.repeat: KeptIterators._each_repeated,
    itertools.tee: KeptIterators._tee,
}
# Whether there is another item, and what it is.
TAKEN = {Attempts: (attempted, found), Counter: (not_counted, counted_on)}
UNENDING = {itertools.cycle, itertools.count, itertools.repeat, itertools.tee}
# Those that do not take all that they are given.
SOME = {itertools.islice, itertools.takewhile}
