"""Calls that go through iterators: `any`, `all`, `next` up to what they look for; `itertools`."""

from __future__ import annotations

import ast
import heapq
import itertools
import operator
from collections.abc import Callable
from typing import Any

from .. import runtime
from ..ir.core import UNBOUND, Atom, Value, type_of
from ..ir.types import INT, Dict, List, Record, Ref, Tuple, join_all
from ..iterators import (
    Counter,
    Cursor,
    Kept,
    accumulate,
    drained,
    dropwhile,
    filterfalse,
    more,
    nlargest,
    nsmallest,
    rest,
    step,
    takewhile,
    zip_longest,
)
from .cells import comprehension_names
from .desugar import constant, named, stored
from .fence import refused
from .loops import Loops
from .memory import SEQUENCES
from .names import read_counts
from .resolve import UserFunction, is_hashable
from .scope import Counted, Generated, restore

SEARCHES = {any, all, next}
FOUND, SOUGHT = "$found", "$sought"


class Iteration(Loops):
    """Adds searches and `itertools` to calls."""

    def block(self, body: list[ast.stmt]) -> None:
        raise NotImplementedError

    def call_expression(self, node: ast.Call, name: str | None) -> Atom:
        match node.args:
            case [ast.GeneratorExp(generators=[_]) as gen, *rest] if not node.keywords:
                fn = self.expr(node.func)
                if any(fn is f for f in SEARCHES) and len(rest) <= (fn is next):
                    return self.search(fn, gen, rest, node)
        return super().call_expression(node, name)

    def search(
        self, fn: Any, gen: ast.GeneratorExp, rest: list[ast.expr], node: ast.expr
    ) -> Atom:
        """Go through a generator expression until what is sought is found."""
        elt, (part,) = gen.elt, gen.generators
        default = self.expr(rest[0]) if rest else None
        leave = [stored(elt, FOUND, constant(elt, True)), _like(ast.Break(), elt)]
        body: list[ast.stmt]
        if fn is next:
            # In a branch, so that what is found counts as left by the loop.
            body = [_like(ast.If(constant(elt, True), [stored(elt, SOUGHT, elt), *leave], []), elt)]
        else:
            test = elt if fn is any else _like(ast.UnaryOp(ast.Not(), elt), elt)
            body = [_like(ast.If(test, leave, []), elt)]
        for test in reversed(part.ifs):
            body = [_like(ast.If(test, body, []), test)]
        saved = {n: self.env.get(n) for n in (*comprehension_names(gen), FOUND, SOUGHT)}
        around = self.scope
        self.open_scope(gen)
        self.env.update({FOUND: False, SOUGHT: UNBOUND})
        self.block([_like(ast.For(part.target, part.iter, body, []), gen)])
        found, sought = self.env[FOUND], self.env[SOUGHT]
        self.scope = around
        restore(self.env, saved)
        if fn is not next:
            return found if fn is any else self.op(operator.not_, (found,), {}, node)

        def missing() -> None:
            if rest:
                self.env["$choice"] = default
            else:
                self.throw(self.op(StopIteration, (), {}, node), node)

        self.branch(found, lambda: self.env.update({"$choice": sought}), missing, node)
        return self.env.pop("$choice")

    def throw(self, error: Atom, node: ast.AST, *cause: Atom) -> None:
        raise NotImplementedError

    def in_names(self, node: ast.expr, **atoms: Atom) -> dict[str, ast.Name]:
        """Names that stand for atoms, in syntax that is made up."""
        k = next(_count)
        found = {}
        for name, atom in atoms.items():
            own = f"${name}{k}"
            self.env[own] = atom
            self.locals.add(own)
            found[name] = named(node, own)
        return found

    # ---- iterators that are kept

    def kept_iterator(self, name: str, atom: Generated, node: ast.expr) -> Atom:
        """What a name is bound to that an iterator over a list is given: where it stands, if the
        name is read more than once.
        """
        if not self.reads:
            self.reads = read_counts([self.fn.node])
        if atom.source is UNBOUND or self.reads[name] < 2:
            return atom
        t = type_of(atom.source)
        if isinstance(t, Dict) or (isinstance(t, Ref) and t.cls not in SEQUENCES):
            return atom
        if self.is_view(atom.source):
            return self.kept(atom.source, node)
        return self.cursor(atom.source, node)

    def kept(self, atom: Atom, node: ast.AST) -> Atom:
        """The iterator over something, as an object."""
        raise NotImplementedError

    def cursor(self, items: Atom, node: ast.expr) -> Atom:
        return self.call(Cursor, (items,), {}, node)

    def stepwise(self, it: Atom, s: ast.For) -> list[ast.stmt] | None:
        """A loop over what tells its items one by one, as a `while`; None: over something else."""
        t, node = type_of(it), s.iter
        if self.is_outside(it):
            return self._items_outside(it, s)
        if isinstance(t, Ref) and t.cls is list and _changes_size(s):
            it, t = self.cursor(it, node), self.site_of(Cursor, node)
        if not isinstance(t, Ref | Record) or not hasattr(t.cls, "__next__"):
            return None
        names = self.in_names(node, it=it, item=None)
        if issubclass(t.cls, Kept):
            test = _like(ast.Call(constant(node, more), [names["it"]], []), node)
            taken = _like(ast.Call(constant(node, step), [names["it"]], []), node)
            body = [_like(ast.Assign([s.target], taken), s.target), *s.body]
            if t.cls in (Cursor, Counter):
                return [_like(ast.While(test, body, []), s)]
            # What a generator does on its way to an item has a derivative: no test of a loop.
            take = [_like(ast.Pass(), node)], [_like(ast.Break(), node)]
            body = [_like(ast.If(test, *take), node), *body]
            return [_like(ast.While(constant(node, True), body, []), s)]
        taken = _like(ast.Call(constant(node, next), [names["it"]], []), node)
        item = names["item"]
        handler = _like(
            ast.ExceptHandler(constant(node, StopIteration), None, [_like(ast.Break(), node)]), node
        )
        attempt = _like(ast.Try([stored(node, item.id, taken)], [handler], [], []), node)
        body = [attempt, _like(ast.Assign([s.target], item), s.target), *s.body]
        return [_like(ast.While(constant(node, True), body, []), s)]

    def _items_outside(self, it: Atom, s: ast.For) -> list[ast.stmt]:
        """A loop over a file or its like: items are fetched when the loop comes to them."""
        node = s.iter
        items = self.call(runtime.items_outside, (it,), {}, node)
        names = self.in_names(node, items=items, item=None)
        item = names["item"]
        fetched = ast.Call(constant(node, runtime.next_outside), [names["items"]], [])
        ended = _like(ast.Call(constant(node, runtime.is_end), [item], []), node)
        body = [
            stored(node, item.id, _like(fetched, node)),
            _like(ast.If(ended, [_like(ast.Break(), node)], []), node),
            _like(ast.Assign([s.target], item), s.target),
            *s.body,
        ]
        return [_like(ast.While(constant(node, True), body, []), s)]

    def sequence(self, it: Atom, node: ast.expr) -> Counted:
        t = type_of(it)
        if isinstance(t, Ref | Record) and hasattr(t.cls, "__next__"):
            all_of = rest if t.cls is Cursor else drained
            return super().sequence(
                Generated(lambda: self.call(all_of, (it,), {}, node), self.depth), node
            )
        return super().sequence(it, node)

    # ---- itertools

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        if isinstance(node, ast.expr) and (whole := self._whole(fn, args, kwargs, node)):
            return self.known_iterator(Generated(whole, self.depth), fn, args, kwargs, node)
        chosen = LARGEST.get(fn.live) if isinstance(fn, UserFunction) else None
        if chosen is not None and len(args) > 1 and isinstance(node, ast.expr):
            items = self._values(args[1], node)
            return self.call(chosen, (args[0], items, *args[2:]), kwargs, node)
        if isinstance(node, ast.expr) and _is_known(fn) and fn in SELECTIONS:
            pools = tuple(self._values(a, node) for a in args[: COUNTS.get(fn, len(args))])
            made = Generated(lambda: self._made(fn, pools, args, kwargs, node), self.depth)
            return self.known_iterator(made, fn, args, kwargs, node)
        if isinstance(node, ast.expr) and _is_known(fn):

            def listed() -> Atom:
                lists = tuple(self._values(a, node) for a in args[: COUNTS.get(fn, len(args))])
                return self._made(fn, lists, args, kwargs, node)

            return self.known_iterator(Generated(listed, self.depth), fn, args, kwargs, node)
        return super().call(fn, args, kwargs, node, name)

    def known_iterator(
        self,
        made: Generated,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.expr,
    ) -> Atom:
        """An iterator of `itertools`, built where it is consumed."""
        raise NotImplementedError

    def _whole(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.expr
    ) -> Callable[[], Atom] | None:
        """What `itertools` makes of whole sequences, as plain Python does it."""
        if fn is itertools.accumulate:
            function = kwargs.get("func", args[1] if len(args) > 1 else None)
            start = (kwargs["initial"],) if kwargs.get("initial") is not None else ()
            function = operator.add if function is None else function
            return lambda: self.call(
                accumulate, (self._values(args[0], node), function, *start), {}, node
            )
        if fn is itertools.zip_longest:
            fill = kwargs.get("fillvalue")
            return lambda: self.call(
                zip_longest, (fill, *(self._values(a, node) for a in args)), {}, node
            )
        plain = CHOSEN.get(fn) if is_hashable(fn) else None
        if plain is None:
            return None
        return lambda: self.call(plain, (args[0], self._values(args[1], node)), {}, node)

    def _values(self, a: Atom, node: ast.expr) -> Value:
        """What goes through an argument, as a list that is no reference."""
        if hasattr(getattr(type_of(a), "cls", None), "__next__"):
            a = self.listed(a, node)
        a = a.items if isinstance(a, Generated) else a
        held = self.frozen(self.gone_through_as(a, node), node)
        if isinstance(type_of(held), List) and isinstance(held, Value):
            return held
        listed = self.listed(held, node)
        assert isinstance(listed, Value)
        return listed

    def _made(
        self,
        fn: Any,
        lists: tuple[Value, ...],
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.expr,
    ) -> Atom | None:
        """The list of what an iterator of `itertools` gives; None where it has to be refused."""
        if fn is itertools.chain:
            every = self.op(runtime.make_list, lists, {}, node)
            items = join_all(tuple(t.item for v in lists if isinstance(t := v.type, List)))
            every.type = List(List(items), tuple(v.type for v in lists))
            chained = self.op(runtime.chain, (every,), {}, node)
            chained.type = List(items)
            return chained
        if fn is itertools.islice:
            (values,), bounds = lists, args[1:]
            cut = slice(*bounds) if len(bounds) > 1 else slice(None, *bounds)
            return self.subscript(values, cut, node)
        if fn is itertools.pairwise:
            first = self.subscript(lists[0], slice(None, -1), node)
            second = self.subscript(lists[0], slice(1, None), node)
            return self.listed(self.adapted(zip, (first, second), {}, node), node)
        if fn is itertools.starmap:
            function, (values,) = args[0], (self._values(args[1], node),)
            count = self.op(range, (self.op(len, (values,), {}, node),), {}, node)
            return self.mapped(
                lambda i: self.call(
                    function, tuple(self.spread(self.subscript(values, i, node), node)), {}, node
                ),
                count,
                node,
            )
        return self._selected(fn, lists, args, kwargs, node)

    def _selected(
        self,
        fn: Any,
        lists: tuple[Value, ...],
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.expr,
    ) -> Atom | None:
        """Tuples of items: which they are does not depend on the items."""
        more = args[COUNTS.get(fn, len(args)) :]
        width = kwargs.get("r", more[0] if more else None)
        if fn is itertools.product:
            lists = lists * kwargs.get("repeat", 1)
            width = len(lists)
        if not isinstance(width, int):
            raise refused(self.source, node, f"`{fn.__name__}` of this", "give `r` as a number")
        lengths = tuple(self.op(len, (v,), {}, node) for v in lists)
        places = self.op(runtime.selections, (fn, lengths, width), {}, node)
        places.type = List(Tuple((INT,) * width))
        of = lists if fn is itertools.product else lists * width
        count = self.op(range, (self.op(len, (places,), {}, node),), {}, node)

        def chosen(i: Atom) -> Atom:
            place = self.subscript(places, i, node)
            at = [self.subscript(place, k, node) for k in range(width)]
            return tuple(self.subscript(v, k, node) for v, k in zip(of, at, strict=True))

        return self.mapped(chosen, count, node)


# How many of the arguments are gone through, where not all are.
COUNTS: dict[Any, int] = {
    itertools.islice: 1,
    itertools.starmap: 0,
    itertools.combinations: 1,
    itertools.combinations_with_replacement: 1,
    itertools.permutations: 1,
}
# Methods that change how long a list is.
RESIZING = {"append", "insert", "extend", "pop", "remove", "clear"}


def _changes_size(s: ast.For) -> bool:
    """Whether the body of a loop makes what it goes through longer or shorter, as far as the text
    tells.
    """
    through = ast.unparse(s.iter)
    for n in (n for inner in s.body for n in ast.walk(inner)):
        match n:
            case ast.Call(func=ast.Attribute(value=base, attr=attr)) if attr in RESIZING:
                changed: ast.expr = base
            case ast.Subscript(value=base, ctx=ast.Del()):
                changed = base
            case ast.Subscript(value=base, slice=ast.Slice(), ctx=ast.Store()):
                changed = base
            case ast.AugAssign(target=target):
                changed = target
            case _:
                continue
        if ast.unparse(changed) == through:
            return True
    return False


# Those that take all that they are given when they are made.
SELECTIONS = {
    itertools.combinations,
    itertools.combinations_with_replacement,
    itertools.permutations,
    itertools.product,
}
KNOWN = {*COUNTS, *SELECTIONS, itertools.chain, itertools.pairwise}


LARGEST = {heapq.nlargest: nlargest, heapq.nsmallest: nsmallest}
CHOSEN = {
    itertools.takewhile: takewhile,
    itertools.dropwhile: dropwhile,
    itertools.filterfalse: filterfalse,
}


def _is_known(fn: Any) -> bool:
    try:
        return fn in KNOWN
    except TypeError:  # not hashable
        return False


_count = itertools.count()


def _like(made: Any, at: ast.AST) -> Any:
    return ast.copy_location(made, at)

