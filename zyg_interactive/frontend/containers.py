"""Containers of the standard library in memory: deques, dicts of `collections`, heaps, copies."""

from __future__ import annotations

import ast
import bisect
import collections
import copy
import heapq
import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import CALL_VALUE, Atom, Value, type_of
from ..ir.types import ANY, BOOL, INT, Array, Dict, List, Other, Ref, Tuple
from ..iterators import counted
from .fence import refused
from .memory import Memory, is_mapping, is_set

MADE = (collections.defaultdict, collections.OrderedDict, collections.Counter, collections.deque)
deque = collections.deque


class Containers(Memory):
    """Adds containers of the standard library to what is in memory."""

    def made_container(
        self, cls: type, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        """A new container, filled with what it is made of."""
        heap = self.memory()
        first: tuple[Atom, ...] = ()
        if cls is collections.defaultdict and args:
            first, args = (self.materialise(args[0], node),), args[1:]
        limit = kwargs.pop("maxlen", args[1] if len(args) > 1 else None) if cls is deque else None
        made = super().op(runtime.new_container, (cls, *first, limit), {}, node)
        made.type = Ref(cls, heap.site((self.span(node), cls)))
        made.type.site.made({})
        if cls is collections.defaultdict:
            heap.factories.setdefault(made.type.site.find(), set()).add(first[0] if first else None)
        if cls is deque:
            if limit is not None:
                heap.limited.add(made.type.site)
            if args:
                self.call(deque.extend, (made, args[0]), {}, node)
        elif cls is collections.Counter and args and not is_mapping(args[0]):
            self.call(counted, (made, args[0]), {}, node)
        elif args or kwargs:
            self.call(dict.update, (made, *args), kwargs, node)
        return made

    def load_item(self, base: Value, index: Atom, node: ast.AST, name: str | None) -> Atom:
        t = base.type
        assert isinstance(t, Ref)
        if not issubclass(t.cls, collections.defaultdict | collections.Counter):
            return super().load_item(base, index, node, name)
        inside = self.op(operator.contains, (base, self.materialise(index, node)), {}, node)
        inside.type = BOOL

        def missing() -> None:
            value: Atom = 0
            if t.cls is collections.defaultdict:
                value = self._from_factory(base, t, node)
                self.store_item(base, index, value, node)
            self.env["$choice"] = value

        def present() -> None:
            self.env["$choice"] = super(Containers, self).load_item(base, index, node, name)

        self.branch(inside, present, missing, node)
        return self.env.pop("$choice")

    def _from_factory(self, base: Value, t: Ref, node: ast.AST) -> Atom:
        """What a `defaultdict` has under a key that is missing."""
        known = self.memory().factories.get(t.site.find(), set())
        if len(known) == 1 and not isinstance(factory := next(iter(known)), Value):
            return self.call(self.constant(factory, None), (), {}, node)
        factory = super().op(getattr, (base, "default_factory"), {}, node)
        return self.op(CALL_VALUE, (factory,), {}, node)

    def memory_call(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        try:
            change = COLLECTIONS.get(fn)
        except TypeError:  # not hashable
            change = None
        if change is not None and args:
            t = type_of(args[0])
            if isinstance(t, List | Dict):
                self.memory()
            if isinstance(t, Ref | List | Dict):
                return change(self, args, dict(kwargs), node, name)
        if args and isinstance(t := type_of(args[0]), Ref) and issubclass(t.cls, dict):
            if t.cls is not dict and not isinstance(fn, types.FunctionType):
                fn = getattr(dict, getattr(fn, "__name__", ""), fn)  # what the class inherits
        return super().memory_call(fn, args, kwargs, node, name)

    # ---- deques

    def _make_room(self, base: Value, left: bool, node: ast.AST) -> None:
        """Let a deque of limited length lose the item at its other end, where it is full."""
        assert isinstance(base.type, Ref)
        if base.type.site not in self.memory().limited:
            return
        full = super().op(runtime.is_full, (base,), {}, node)
        full.type = BOOL

        def drop() -> None:
            self.call(deque.pop if left else deque.popleft, (base,), {}, node)

        self.branch(full, drop, lambda: None, node)

    def _push(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, value = args
        value = self.materialise(value, node)
        self._make_room(base, False, node)
        super().op(deque.append, (base, value), {}, node)
        base.type.site.scramble()
        base.type.site.write(ANY, type_of(value))
        return None

    def _push_left(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, value = args
        value = self.materialise(value, node)
        self._make_room(base, True, node)
        super().op(deque.appendleft, (base, value), {}, node)
        base.type.site.scramble()
        base.type.site.write(ANY, type_of(value))
        return None

    def _take(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        popped = super().op(deque.pop, (base,), {}, node, name)
        popped.type = base.type.site.read(ANY)
        base.type.site.scramble()
        return self.unpacked(popped)

    def _take_left(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        popped = super().op(deque.popleft, (base,), {}, node, name)
        popped.type = base.type.site.read(ANY)
        base.type.site.scramble()
        return self.unpacked(popped)

    def _push_all(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, items = args
        self._each(items, lambda v: self.call(deque.append, (base, v), {}, node), node)
        return None

    def _push_all_left(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, items = args
        self._each(items, lambda v: self.call(deque.appendleft, (base, v), {}, node), node)
        return None

    def _each(self, items: Atom, do: Callable[[Atom], Any], node: Any) -> None:
        self.listed(self.frozen(self.gone_through_as(items, node), node), node, do)

    def listed(
        self, atom: Atom, node: ast.expr, do: Callable[[Atom], Any] | None = None
    ) -> Atom:
        raise NotImplementedError

    def _rotate(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, *steps = args
        order = super().op(runtime.rotation, (base, *steps), {}, node)
        self._reorder(base, order, node)
        return None

    def _empty(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        super().op(deque.clear, (base,), {}, node)
        base.type.site.resize()
        return None

    # ---- heaps and sorted lists

    def _heap_push(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, value = args
        self.call(list.append, (base, value), {}, node)
        self._reorder(base, super().op(runtime.heap_order, (base, "push"), {}, node), node)
        return None

    def _heap_pop(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        self._reorder(base, super().op(runtime.heap_order, (base, "pop"), {}, node), node)
        return self.call(list.pop, (base,), {}, node, name)

    def _heapify(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        self._reorder(base, super().op(runtime.heap_order, (base, "all"), {}, node), node)
        return None

    def _insort(self, fn: Any, args: Any, kwargs: Any, node: ast.AST) -> Atom:
        if len(args) != 2 or kwargs:
            raise refused(self.source, node, "`insort` with more than a list and an item")
        base, value = args
        value = self.materialise(value, node)
        place = super().op(fn, (base, value), {}, node)
        place.type = INT
        self.call(list.insert, (base, place, value), {}, node)
        return None

    def _insort_right(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        return self._insort(bisect.bisect_right, args, kwargs, node)

    def _insort_left(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        return self._insort(bisect.bisect_left, args, kwargs, node)

    # ---- dicts that keep an order

    def _move_to_end(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        super().op(runtime.move_to_end, (*args, *kwargs.values()), {}, node)
        args[0].type.site.resize()
        return None

    def _pop_first(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, last = args[0], [*args[1:], *kwargs.values()]
        if not last or last[0] is True:
            return self.call(dict.popitem, (base,), {}, node, name)
        key = super().op(runtime.first_key, (base,), {}, node)
        return (key, self.call(dict.pop, (base, key), {}, node, name))

    def _count(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        return self.call(counted, args, kwargs, node)

    # ---- copies

    def copied(self, x: Atom, deep: bool, node: ast.AST) -> Atom:
        """`copy.copy` and `copy.deepcopy`."""
        t = type_of(x)
        if isinstance(t, Array) and t.shape != ():
            return self.call(np.copy, (x,), {}, node)
        if isinstance(x, tuple) and not deep:
            return x
        if isinstance(t, Tuple) and deep:
            parts = [self.subscript(x, i, node) for i in range(len(t.items))]
            return tuple(self.copied(p, True, node) for p in parts)
        if not isinstance(t, Ref):
            if isinstance(t, List | Dict) or type(t).__name__ == "Record":
                self.memory()
            return x
        if is_set(x) and not deep:
            return self.call(set.copy if t.cls is set else frozenset.copy, (x,), {}, node)
        made = super().op(runtime.copied, (x, deep), {}, node)
        made.type = Tuple((Other(list), t))
        pairs = super().op(operator.getitem, (made, 0), {}, node)
        second = super().op(operator.getitem, (made, 1), {}, node)
        super().op(runtime.follow_copies, (pairs,), {}, node)
        second.type = t
        return second

    def subscript(self, base: Atom, index: Atom, node: ast.AST, name: str | None = None) -> Atom:
        raise NotImplementedError


Change = Callable[..., Atom]
COLLECTIONS: dict[Any, Change] = {
    deque.append: Containers._push,
    deque.appendleft: Containers._push_left,
    deque.pop: Containers._take,
    deque.popleft: Containers._take_left,
    deque.extend: Containers._push_all,
    deque.extendleft: Containers._push_all_left,
    deque.rotate: Containers._rotate,
    deque.clear: Containers._empty,
    heapq.heappush: Containers._heap_push,
    heapq.heappop: Containers._heap_pop,
    heapq.heapify: Containers._heapify,
    bisect.insort_right: Containers._insort_right,
    bisect.insort_left: Containers._insort_left,
    collections.OrderedDict.move_to_end: Containers._move_to_end,
    collections.OrderedDict.popitem: Containers._pop_first,
}
if hasattr(collections, "_count_elements"):  # what `Counter.update` is made of
    COLLECTIONS[collections._count_elements] = Containers._count
COPIES = {copy.copy: False, copy.deepcopy: True}
