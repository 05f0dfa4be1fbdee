"""Loops and comprehensions to scans, and what they go through to counted sequences."""

from __future__ import annotations

import ast
import enum
import itertools
import operator
import types
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import runtime
from ..analysis.effects import changed_sites, goes_on, reached_sites, shows
from ..ir.core import (
    FOR,
    UNBOUND,
    WHILE,
    Atom,
    Function,
    Op,
    Region,
    Value,
    defined,
    map_atom,
    same_atom,
    substitute,
    type_of,
)
from ..ir.types import (
    BOOL,
    INT,
    UNBOUND_TYPE,
    UNKNOWN,
    Array,
    Const,
    Dict,
    List,
    Other,
    Record,
    Ref,
    Site,
    Tuple,
    Type,
    Unknown,
    join,
    join_all,
    subsumes,
)
from ..iterators import Items
from ..rules.registry import REFUSAL
from .calls import Calls
from .desugar import LEFT
from .fence import refused
from .memory import SEQUENCES, SETS, is_set
from .names import bound, first_uses, read, read_counts
from .scope import (
    BROKEN,
    CONTINUED,
    DEAD,
    ERROR,
    FLAGS,
    PARTIAL,
    RAISED,
    RETURN_VALUE,
    RETURNED,
    Counted,
    Generated,
    Poisoned,
    Streamed,
    restore,
)

MAX_TYPE_ROUNDS = 6


class Loops(Calls):
    """Adds scans to expressions and calls; `block` and `bind_target` are the statements' part."""

    # What is caught around each statement by itself, in a body of which exceptions are handled.
    catching: tuple[type[BaseException], ...] | None = None
    reads: Counter[str] = Counter()  # how often the function reads each name

    def bind_target(self, target: ast.expr, atom: Atom) -> None:
        raise NotImplementedError

    def sequence(self, it: Atom, node: ast.expr) -> Counted:
        """A sequence as a `range` to count it, and how to read an item."""
        it = self.gone_through_as(it, node) if self.is_view(it) else it
        made = it.op if isinstance(it, Value) else None
        if made is not None and made.fn is range:
            return it, _same
        if made is not None and made.fn is runtime.values_of and isinstance(it, Value):
            base = made.args[0]
            if self.live:
                return self._live_values(base, node)
            self.gone_through.append((base, it))
        if isinstance(it, Generated):
            if it.counted is not None:
                return it.counted(node)
            it = self._ahead(it, node)
        if isinstance(it, enum.EnumMeta):
            it = tuple(it)
        if isinstance(it, tuple | list | str | bytes | frozenset | set):
            it = self.display(list(it), node)
        if isinstance(it, Value) and isinstance(it.type, Ref):
            return self._held_sequence(it, it.type, node)
        t = type_of(it)
        if isinstance(t, Record) and hasattr(t.cls, "__iter__"):
            return self.sequence(self.method_call(t.cls, "__iter__", (it,), node), node)
        if isinstance(t, Dict) or (isinstance(t, Other) and issubclass(t.cls, dict)):
            it = self.op(list, (it,), {}, node)
            it.type = List(UNKNOWN)
            if isinstance(t, Dict):
                it.type = List(Other(str), tuple(Const(k) for k, _ in t.items))
        elif isinstance(t, Array) and t.shape == ():
            raise refused(self.source, node, "a loop over a scalar", "loop over an array or a list")
        elif isinstance(t, Other) and issubclass(t.cls, str | range | tuple | bytes):
            pass
        elif isinstance(t, Other) and not issubclass(t.cls, ENDLESS) and _iterates(t.cls):
            source = it.op.args[0] if isinstance(it, Value) and it.op and it.op.fn is set else None
            held = type_of(source)
            item = held.item if isinstance(held, List) else UNKNOWN
            if isinstance(source, frozenset):
                item = join_all(tuple(map(type_of, source)))
            it = self.op(list, (it,), {}, node)
            it.type = List(item)
        elif self.is_outside(it):
            it = self.call(runtime.list_outside, (it,), {}, node)
        elif t == UNBOUND_TYPE:  # what a call gives that is being lowered
            it = self.op(list, (it,), {}, node)
            it.type = List(UNBOUND_TYPE)
        elif isinstance(t, Unknown):
            self.op(runtime.check_sequence, (it,), {}, node)
        elif not isinstance(t, Array | List | Tuple):
            raise refused(
                self.source,
                node,
                "a loop over this iterator",
                "loop over a range, an array, a list or a tuple",
            )
        length = self.op(len, (it,), {}, node)
        return self.op(range, (length,), {}, node), lambda i: self.subscript(it, i, node)

    def is_outside(self, it: Atom) -> bool:
        """Whether something is gone through that is no part of the program, such as a file."""
        made = it.op if isinstance(it, Value) else None
        if made is None or any(made.fn is cls for cls in SETS):
            return False
        if made.fn is runtime.enter:
            return True
        own = isinstance(made.fn, types.FunctionType) and not runtime.is_outside(made.fn)
        return isinstance(type_of(it), Unknown | Other) and REFUSAL in made.static and not own

    def _live_values(self, base: Value, node: ast.expr) -> Counted:
        """The values of a dict as they are when the loop comes to them."""
        keys = self.held_keys(base, node)
        length = self.op(len, (keys,), {}, node)
        self.gone_through.append((base, length))

        def item(i: Atom) -> Atom:
            return self.load_item(base, self.subscript(keys, i, node), node, None)

        return self.op(range, (length,), {}, node), item

    def _held_sequence(
        self, it: Value, t: Ref, node: ast.expr
    ) -> Counted:
        """What a list or dict in memory holds when the loop begins."""
        if t.optional:
            it = self.op(runtime.bound, (it, UNBOUND, ""), {}, node, it.name)
            it.type = t = Ref(t.cls, t.site)
        if issubclass(t.cls, dict):
            return self.sequence(self.held_keys(it, node), node)
        if issubclass(t.cls, SETS):
            return self._items_of_set(it, node)
        if issubclass(t.cls, SEQUENCES):
            if self.live:
                length = self.op(len, (it,), {}, node)
                self.gone_through.append((it, length))
                count = self.op(range, (length,), {}, node)
                return count, lambda i: self.load_item(it, i, node, None)
            items = self.frozen(it, node)
            self.gone_through.append((it, items))
            return self.sequence(items, node)
        return self.sequence(self.method_call(t.cls, "__iter__", (it,), node), node)

    def _items_of_set(self, it: Value, node: ast.expr) -> Counted:
        """What a set holds when the loop begins; each step makes sure that it has as many items."""
        items = self.held_keys(it, node)
        self.gone_through.append((it, items))
        count, item = self.sequence(items, node)

        def checked(i: Atom) -> Atom:
            self._check_size(it, items, node)
            return item(i)

        return count, checked

    def _check_size(self, it: Value, items: Value, node: ast.AST) -> None:
        self.op(runtime.check_size, (it, items, self.catching is not None), {}, node)

    # Lists in memory that loops go through, and what they held then: looked at when the loop ends.
    live = False  # whether a loop may store into the list that it goes through

    def unchanged(self, before: int, node: ast.AST) -> None:
        """Make sure that what a loop went through is what it was when the loop began."""
        while len(self.gone_through) > before:
            found = self.gone_through.pop()
            if isinstance(found, Ahead):
                self._in_order(found, node)
            elif is_set(found[0]):
                if isinstance(node, ast.For) and not _leaves(node):  # it came to the end
                    self._check_size(found[0], found[1], node)
                self.op(runtime.check_items, found, {}, node)
            else:
                self.op(runtime.check_unchanged, found, {}, node)

    # ---- generators

    def generated(
        self, elt: ast.expr, generators: list[ast.comprehension], node: ast.expr
    ) -> tuple[Generated, Atom]:
        """A generator expression: what it goes through first is found now, all else later."""
        first, rest = generators[0], generators[1:]
        source = self.iterable(first.iter)
        scope = self.scope

        def listed() -> Atom:
            inside, self.scope = self.scope, scope
            items = self.comprehension(elt, generators, node, source=source)
            self.scope = inside
            return items

        def item_of(value: Atom, use: Callable[[Atom], Any]) -> Any:
            """Use what the generator makes of an item: in the scope around, not in its own."""
            inside, self.scope = self.scope, scope
            names = {n: self.env.get(n) for n in bound([first.target])}
            self.open_scope(node)
            self.comprehensions.append(node)

            def leave() -> None:
                self.scope = inside
                restore(self.env, names)

            def taken() -> Any:
                made = self.expr(elt)
                leave()
                return use(made)

            self.bind_target(first.target, value)
            found = None
            if first.ifs:
                self.branch(self._all(first.ifs), taken, leave, node)
            else:
                found = taken()
            self.comprehensions.remove(node)
            return found

        def counted(at: ast.expr) -> Counted:
            count, item = self.sequence(source, first.iter)
            return count, lambda i: item_of(item(i), lambda made: made)

        def streamed(at: ast.expr) -> Streamed:
            count, each = self.stream(source, first.iter)
            return count, lambda i, use: each(i, lambda v: item_of(v, use))

        binds = any(isinstance(n, ast.NamedExpr) for n in ast.walk(node))
        by_one = not (rest or binds or first.is_async)
        made = Generated(
            listed,
            self.depth,
            counted if by_one and not first.ifs else None,
            streamed if by_one else None,
            frozenset(read([node])) & self.locals,
        )
        return made, source

    def stream(self, it: Atom, node: ast.expr) -> Streamed:
        """As `sequence`, of what may give no item at a place."""
        if isinstance(it, Generated) and it.streamed is not None:
            return it.streamed(node)
        count, item = self.sequence(it, node)
        return count, lambda i, use: use(item(i))

    def one_by_one(self, counted: Callable[[ast.expr], Counted], node: ast.expr) -> Generated:
        def listed() -> Atom:
            began = len(self.gone_through)
            count, item = counted(node)
            items = self.mapped(item, count, node)
            self.unchanged(began, node)
            return items

        return Generated(listed, self.depth, counted)

    def adapted(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        assert isinstance(node, ast.expr)
        return self.one_by_one(lambda at: self._adapted(fn, args, kwargs, at), node)

    def items_of(self, base: Value, node: ast.AST) -> Atom:
        assert isinstance(node, ast.expr)
        text = node

        def counted(at: ast.expr) -> Counted:
            pairs = (self.held_keys(base, text), self.held_values(base, text))
            return self._adapted(zip, pairs, {}, text)

        view = self.one_by_one(counted, text)
        view.again, view.view = True, base
        view.keep = lambda: self.call(Items, (base,), {}, text)
        return view

    def iterated(self, items: Atom, node: ast.AST | None = None) -> Atom:
        if isinstance(items, Generated):  # a view
            return Generated(lambda: items.items, self.depth, lambda at: self.sequence(items, at))
        return Generated(
            lambda: items, self.depth, lambda at: self.sequence(items, at), source=items
        )

    def _ahead(self, it: Generated, node: ast.AST) -> Atom:
        """All that a generator yields, before the loop that consumes it begins: `_in_order` sees to
        it that nobody can tell.
        """
        region, start = self.region, len(self.region.ops)
        items = it.items
        names = {n: self.env.get(n, UNBOUND) for n in it.reads}
        own = {s.find() for s in (getattr(type_of(items), "site", None),) if isinstance(s, Site)}
        ahead = Ahead(region, region.ops[start:], len(region.ops), names, own, it)
        for other in self.gone_through:
            if isinstance(other, Ahead) and ahead.meets(other):
                self._takes_turns([ahead, other], "two generators", "what the other reads", node)
        self.gone_through.append(ahead)
        return items

    def _in_order(self, ahead: Ahead, node: ast.AST) -> None:
        """Refuse a loop and a generator of which one changes what the other reads."""
        assert self.region is ahead.region
        rebound = any(
            not same_atom(self.env.get(n, UNBOUND), old) for n, old in ahead.names.items()
        )
        later = self.region.ops[ahead.stop :]
        after = Ahead(self.region, later, len(self.region.ops), {}, set())
        if rebound or ahead.meets(after):
            self._takes_turns([ahead], "a generator and a loop", "what the other reads", node)
        left_early = any(op.regions and op.static.get("stop") for op in later)
        if left_early and (ahead.is_called() or ahead.changes()):
            who = "a generator and a loop that may leave it"
            self._takes_turns([ahead], who, "what is read later", node)

    def _takes_turns(self, every: list[Ahead], who: str, what: str, node: ast.AST) -> None:
        """Let generators be objects that are gone on with item by item, or refuse them."""
        kept = [a.made for a in every if a.made is not None and a.made.keep is not None]
        known = all(self._is_shared(g.key) for g in kept)
        if known and not (self.heap is not None and self.heap.changed):  # it was of no use
            raise refused(
                self.source,
                node,
                f"{who}, where one changes {what},",
                "collect first: `for item in list(...)`, if that is meant",
            )
        for g in kept:
            self.memory().share(g.key)

    def listed(
        self, atom: Atom, node: ast.expr, do: Callable[[Atom], Any] | None = None
    ) -> Atom:
        """What goes through something, or what `do` makes of each, as a list."""

        def counted(at: ast.expr) -> Counted:
            count, item = self.sequence(atom, at)
            return count, item if do is None else lambda i: do(item(i))

        return self.one_by_one(counted, node).items

    def mapped(self, body: Callable[[Atom], Atom], count: Atom, node: ast.AST) -> Atom:
        return self.loop(count, body, node, [], [], None, collects=True)

    def _adapted(
        self, fn: Any, args: tuple[Atom, ...], static: dict[str, Any], node: ast.expr
    ) -> Counted:
        """`zip`, `enumerate` and `reversed`: counted like what they go through."""
        given = node.args if isinstance(node, ast.Call) else []
        plain = len(given) == len(args) and not any(isinstance(a, ast.Starred) for a in given)
        texts = given if plain else [node] * len(args)
        every = list(zip(args, texts, strict=True))
        if fn is reversed and isinstance(args[0], Generated):
            raise refused(
                self.source, node, "`reversed` of an iterator", "reverse what it goes through"
            )
        began = len(self.gone_through)
        parts = [self.sequence(a, text) for a, text in (every if fn is zip else every[:1])]
        if len(parts) > 1:  # the shortest ends them all
            for found in self.gone_through[began:]:
                if isinstance(found, Ahead) and found.changes():
                    self._takes_turns([found], "`zip` of a generator", "what is read later", node)
        if fn is enumerate:
            (count, item), start = (
                parts[0],
                args[1] if len(args) > 1 else static.get("start", 0),
            )
            read = self._by_place(count, item, node)

            def numbered(i: Atom) -> Atom:
                return (i if start == 0 else self.binary(operator.add, i, start, node), read(i))

            return self._counted(count, node), numbered
        if fn is reversed:
            count, item = parts[0]
            plain = is_range(item)
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
        if not is_range(item) and made is not None and made.fn is range and len(made.args) == 1:
            return item
        return lambda i: item(self.subscript(count, i, node))

    def _counted(self, count: Atom, node: ast.expr) -> Atom:
        return self.op(range, (self.op(len, (count,), {}, node),), {}, node)

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
        if self.catching is not None:
            for name in (ERROR, PARTIAL):
                inits[name], types[name] = UNBOUND, type_of(UNBOUND)
        before, outer = dict(self.env), self.region
        self.depth += 1
        for round in range(MAX_TYPE_ROUNDS):
            self.env, self.region = dict(before), Region()
            params = {n: self._carried_param(n, types[n], inits[n], node) for n in inits}
            self.env.update(params)
            self.env.update(dict.fromkeys(FLAGS, False))
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
            outs = {n: self._handed_on(self.env.get(n, UNBOUND), node) for n in inits}
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
        self.depth -= 1
        unbound = {
            n
            for n, o in outs.items()
            if o is UNBOUND or (isinstance(o, Value) and o in self.maybe_unbound)
        }
        left = {flag: self.env[flag] for flag in (RETURNED, RAISED)}
        self.env, inner = before, self.region
        self.region = outer
        same = {params[n]: inits[n] for n in inits if outs[n] is params[n]}
        if same:  # bound to what it was, such as an array that is changed in place
            for part in (inner, tested) if tested is not None else (inner,):
                substitute(part, same)
            collected, stop = (map_atom(_in_place_of(same), a) for a in (collected, stop))
            kept = {n: o for n, o in outs.items() if params[n] not in same}
            outs = {n: map_atom(_in_place_of(same), o) for n, o in kept.items()}
            inits = {n: inits[n] for n in outs}
            params = {n: params[n] for n in outs}
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
        self._leave(op, results, inits, unbound, left, outer_flags)
        return gathered

    def _handed_on(self, atom: Atom, node: ast.AST) -> Atom:
        """What a variable is in the next iteration."""
        if isinstance(atom, Poisoned) and atom.consumed is not None and atom.consumed.keep:
            atom = self.has_to_be_kept(atom.consumed)
        return self.materialise(atom, node)

    def _carried_param(self, name: str, type: Type, init: Atom, node: ast.AST) -> Value:
        param = Value(None if name.startswith("$") else name, type, self.span(node))
        if not name.startswith("$") and (
            init is UNBOUND or (isinstance(init, Value) and init in self.maybe_unbound)
        ):
            self.maybe_unbound.add(param)
        return param

    def _stop(self, node: ast.AST) -> Atom:
        """Whether the loop ends after this iteration: `break` or `return` was met."""
        if self.env.pop(DEAD, False) is True:
            return True
        flags = [self.env[f] for f in (BROKEN, RETURNED, RAISED) if self.env[f] is not False]
        if any(f is True for f in flags):
            return True
        stop: Atom = flags[0] if flags else False
        for f in flags[1:]:
            stop = self.op(operator.or_, (stop, f), {}, node)
        return stop

    def _leave(
        self,
        op: Op,
        results: dict[str, Value],
        inits: dict[str, Atom],
        unbound: set[str],
        left: dict[str, Atom],
        outer_flags: dict[str, Atom],
    ) -> None:
        """Append the loop and bind what it leaves."""
        for flag, returned in left.items():  # carried: only the last iteration can have set them
            if returned is False:
                continue
            flag_in, flag_out = Value(None, BOOL, op.span), Value(None, BOOL, op.span)
            body = op.regions[-1]
            stop, carried = int(op.static["stop"]), op.static["carried"]
            body.params = (*body.params, flag_in)
            body.outs = (*body.outs[: stop + carried], returned, *body.outs[stop + carried :])
            op.args = (*op.args, False)
            op.results = (*op.results[:carried], flag_out, *op.results[carried:])
            flag_out.op = op
            op.static["carried"] += 1
            self.env[flag] = flag_out
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
        elsewhere_kept = {*self.cells, *self.globals, *self.nonlocals}
        assigned = bound([*targets, *stmts]) - elsewhere_kept
        if not self.reads:
            self.reads = read_counts([self.fn.node])
        inside = read_counts([*stmts, *targets, *([test] if test else [])])
        elsewhere = {name for name, n in self.reads.items() if n > inside[name]}
        tested = read([test]) if test is not None else set()
        at_target = bound(targets)
        uses = first_uses(stmts)
        carried = []
        for name in sorted(assigned, key=lambda n: (n not in self.env, n)):
            earlier = name not in at_target and uses.get(name) != "bound"
            made_up = name.startswith(LEFT)  # read behind the loop, though not in the text
            if earlier or made_up or name in elsewhere or name in tested:
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
        source: Atom = UNBOUND,
    ) -> Atom:
        """A list comprehension; `source`: what it goes through first, where that is known."""
        first, rest = generators[0], generators[1:]
        if first.is_async:
            raise refused(
                self.source, node, "`async` in a comprehension", "collect the items first"
            )
        saved = {n: self.env.get(n) for n in bound([g.target for g in generators])}
        around = self.scope
        outermost = node not in self.comprehensions
        if outermost:
            self.open_scope(node)
            self.comprehensions.append(node)
        began = len(self.gone_through)
        source = self.iterable(first.iter) if source is UNBOUND else source
        count, item = self.sequence(source, first.iter)
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
            first.target.id if isinstance(first.target, ast.Name) and is_range(item) else None
        )
        walrus = (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        bound_outside: list[ast.stmt] = [ast.copy_location(ast.Expr(n), n) for n in walrus]
        items = self.loop(count, body, node, [], bound_outside, index_name, collects=True)
        assert items is not None
        self.unchanged(began, node)
        if conditional:
            items = self._compressed(items, node)
        if rest:
            inner = items.type.item if isinstance(items.type, List) else UNKNOWN
            items = self.op(runtime.chain, (items,), {}, node)
            items.type = inner
        items.name = name
        if outermost:
            items = self.allocated(items, node)
        self.scope = around
        if outermost:
            self.comprehensions.remove(node)
        restore(self.env, saved)
        return items

    def _all(self, tests: list[ast.expr]) -> Atom:
        together = (
            tests[0]
            if len(tests) == 1
            else ast.copy_location(ast.BoolOp(ast.And(), tests), tests[0])
        )
        return self.truth(self.expr(together), together)

    def _compressed(self, pairs: Value, node: ast.expr) -> Value:
        assert isinstance(pairs.type, List)
        item = pairs.type.item
        kept = self.op(runtime.compress, (pairs,), {}, node)
        kept.type = List(item.items[1] if isinstance(item, Tuple) else UNKNOWN)
        return kept


def _in_place_of(same: dict[Value, Atom]) -> Callable[[Atom], Atom]:
    return lambda a: same.get(a, a) if isinstance(a, Value) else a


@dataclass(frozen=True, eq=False)
class Ahead:
    """What a generator yields, computed before a loop: the operations, and what variables were."""

    region: Region
    ops: list[Op]
    stop: int
    names: dict[str, Atom]
    own: set[Site]  # of the list of what it yields
    made: Generated | None = None

    def is_called(self) -> bool:
        """Whether it is a generator function, which may do anything where it is left early."""
        return any(isinstance(op.fn, Function) for op in self.ops)

    def changed(self) -> set[Site] | None:
        found = changed_sites(Region((), list(self.ops)))
        return None if found is None else found - {s.find() for s in self.own}

    def changes(self) -> bool:
        """Whether it may change what is still there when it is done, or shows what it does."""
        changed, made = self.changed(), Region((), list(self.ops))
        if shows(made) or goes_on(made):
            return True
        given = reached_sites(made, without=set(defined(made)))
        return changed is None or not changed.isdisjoint(given)

    def meets(self, other: Ahead) -> bool:
        """Whether one may change what the other reads in memory, or both show what they do."""
        if shows(Region((), list(self.ops))) and shows(Region((), list(other.ops))):
            return True
        return self._disturbs(other) or other._disturbs(self)

    def _disturbs(self, other: Ahead) -> bool:
        changed = self.changed()
        read = reached_sites(Region((), list(other.ops))) - {s.find() for s in other.own}
        return bool(read) if changed is None else not changed.isdisjoint(read)


ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)


def _iterates(cls: type) -> bool:
    return hasattr(cls, "__iter__")


def _same(index: Atom) -> Atom:
    return index


def is_range(item: Callable[[Atom], Atom]) -> bool:
    return item is _same


def _widen(known: Type, new: Type, round: int) -> Type:
    joined = join(known, new)
    return joined if round < MAX_TYPE_ROUNDS - 2 else UNKNOWN


def _leaves(s: ast.For) -> bool:
    """Whether a loop may end before it has come to the end."""
    return any(isinstance(n, ast.Break | ast.Return) for part in s.body for n in ast.walk(part))
