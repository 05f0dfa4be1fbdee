"""Sets in memory: what is put into one is followed, as the keys of a dict are."""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import runtime
from ..diagnostics import Refused
from ..ir.core import Atom, MemoryNeeded, Value, type_of
from ..ir.types import ANY, BOOL, UNKNOWN, List, Other, Ref, Tuple, Type, Unknown, escape, join_all
from .containers import Containers
from .fence import refused
from .memory import SETS


class Sets(Containers):
    """Adds sets to what is in memory."""

    def new_set(self, cls: type, args: tuple[Atom, ...], node: ast.expr) -> Atom:
        """A new set of what something holds, in a program that changes something."""
        if not args:
            made = super().op(runtime.set_of, (cls, ()), {}, node)
            made.type = self._set_at(cls, node)
            return made
        given = _behind_keys(args[0])
        self.compared(given, node)
        if _is_set_or_dict(given):
            return self.combined(cls, (given,), cls, node)
        items = self.frozen(self.gone_through_as(given, node), node)
        if not isinstance(type_of(items), List):
            items = self.listed(items, node)
        items = self.frozen(items, node)
        t = type_of(items)
        made = super().op(runtime.set_of, (cls, items), {}, node)
        made.type = self._set_at(cls, node)
        made.type.site.write(ANY, t.item if isinstance(t, List) else UNKNOWN)
        return made

    def _set_at(self, cls: type, node: ast.AST) -> Ref:
        ref = self.site_of(cls, node)
        ref.site.resize()
        return ref

    def combined(self, fn: Any, sets: tuple[Atom, ...], cls: type, node: ast.AST) -> Value:
        """A new set of class `cls` that `fn` makes of sets and dicts."""
        found = super().op(runtime.combined, (fn, *sets), {}, node)
        ref = self._set_at(cls, node)
        found.type = Tuple((Other(list), ref))
        for s in sets:
            ref.site.write(ANY, self._item_of(s, node))
        moves = super().op(operator.getitem, (found, 0), {}, node)
        made = super().op(operator.getitem, (found, 1), {}, node)
        moves.type, made.type = Other(list), ref
        super().op(runtime.follow_items, (made, moves), {}, node)
        return made

    def _item_of(self, s: Atom, node: ast.AST) -> Type:
        """The type of what a set or a dict holds as an item or key."""
        t = type_of(s)
        if isinstance(s, set | frozenset):
            return join_all(tuple(type_of(i) for i in s))
        if not isinstance(t, Ref):
            return UNKNOWN
        if issubclass(t.cls, SETS):
            return t.site.read(ANY)
        assert isinstance(s, Value)
        held = self.held_keys(s, node).type
        return held.item if isinstance(held, List) else UNKNOWN

    def binary_of_sets(self, fn: Any, a: Atom, b: Atom, node: ast.AST) -> Atom:
        """`|`, `&`, `-` and `^`, of sets in memory and others, and of the keys of dicts."""
        first, second = (_behind_keys(x) for x in (a, b))
        t = type_of(first)
        cls = t.cls if isinstance(t, Ref | Other) and issubclass(t.cls, SETS) else set
        cls = type(first) if isinstance(first, set | frozenset) else cls
        made = self.combined(fn, (first, second), cls, node)
        if isinstance(t, Unknown):  # of which class it is, too
            escape(made.type)
            made.type = UNKNOWN
        return made

    def memory_call(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        try:
            method = METHODS.get(fn)
        except TypeError:  # not hashable
            method = None
        if method is None or not args or kwargs:
            return super().memory_call(fn, args, kwargs, node, name)
        t = type_of(args[0])
        if isinstance(t, Ref) and issubclass(t.cls, SETS):
            return method(self, fn, args, node, name)
        makes = fn in METHODS and METHODS[fn] is not Sets._asked_of
        if self.heap is None and makes and not isinstance(t, Unknown):
            raise MemoryNeeded
        if fn in CHANGING and not isinstance(t, Unknown):
            raise refused(
                self.source,
                node,
                f"changing a set that is not made here with `{fn.__name__}`",
                "keep the values in a list or in the keys of a dict",
                "ZYG103",
            )
        return super().memory_call(fn, args, kwargs, node, name)

    # ---- methods

    def _put(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        base, item = args
        self.compared(item, node)
        item = self.materialise(item, node)
        super().op(fn, (base, item), {}, node)
        if fn is set.add:
            base.type.site.write(ANY, type_of(item))
        return None

    def _take_item(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        taken = super().op(set.pop, (base,), {}, node, name)
        taken.type = base.type.site.read(ANY)
        return self.unpacked(taken)

    def _emptied(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        super().op(set.clear, args, {}, node)
        return None

    def _copy(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        return args[0] if fn is frozenset.copy else self.combined(fn, args, set, node)

    def _changed_by(self, fn: Any, args: Any, node: Any, name: str | None) -> Atom:
        """What changes a set by all that others hold: at once by sets and dicts, as that may let
        the items stand in another order, and item by item by others.
        """
        base, *others = args
        for other in others:
            if not _is_set_or_dict(other) and fn in BY_ITEM:
                self._each(other, partial(self._one_more, BY_ITEM[fn], base, node), node)
                continue
            if not _is_set_or_dict(other):
                if fn is not set.symmetric_difference_update:
                    raise self._needs_set(fn, node)
                other = self.new_set(set, (other,), node)
            moves = super().op(runtime.changed_set, (fn, base, other), {}, node)
            moves.type = Other(list)
            base.type.site.write(ANY, self._item_of(other, node))
        return None

    def _one_more(self, fn: Any, base: Atom, node: ast.AST, item: Atom) -> Atom:
        return self.call(fn, (base, item), {}, node)

    def _made_by(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        base, *others = args
        cls = base.type.cls
        first = list(itertools.takewhile(_is_set_or_dict, others))
        rest = others[len(first) :]
        if not rest:
            return self.combined(fn, args, cls, node)
        change = getattr(set, CHANGES_BY.get(fn.__name__, ""), None)
        if change is None or cls is frozenset:
            raise self._needs_set(fn, node)
        made = self.combined(fn if first else set.copy, (base, *first), cls, node)
        self.call(change, (made, *rest), {}, node)
        return made

    def _needs_set(self, fn: Any, node: ast.AST) -> Refused:
        what = f"`{fn.__name__}` of a set and what is no set or dict"
        return refused(self.source, node, what, "make a set of it first: `set(...)`")

    def _asked_of(self, fn: Any, args: Any, node: ast.AST, name: str | None) -> Atom:
        base, other = args
        if not _is_set_or_dict(other):
            other = self.frozen(self.gone_through_as(other, node), node)
        asked = super().op(fn, (base, self.materialise(other, node)), {}, node, name)
        asked.type = BOOL
        return asked


def _behind_keys(x: Atom) -> Atom:
    """A dict in the place of the view of its keys."""
    made = x.op if isinstance(x, Value) else None
    return made.args[0] if made is not None and made.fn is runtime.keys_of else x


def _is_set_or_dict(x: Atom) -> bool:
    t = type_of(x)
    known = isinstance(t, Ref) and issubclass(t.cls, (*SETS, dict)) and not t.optional
    return known or isinstance(x, set | frozenset)


Method = Callable[..., Atom]
BY_ITEM: dict[Any, Any] = {set.update: set.add, set.difference_update: set.discard}
CHANGES_BY = {"union": "update", "difference": "difference_update"}
_CHANGES = ("update", "difference_update", "intersection_update", "symmetric_difference_update")
_MAKES = ("union", "difference", "intersection", "symmetric_difference")
CHANGING: dict[Any, Method] = {
    **dict.fromkeys((set.add, set.discard, set.remove), Sets._put),
    set.pop: Sets._take_item,
    set.clear: Sets._emptied,
    **{getattr(set, name): Sets._changed_by for name in _CHANGES},
}
METHODS: dict[Any, Method] = {
    **CHANGING,
    **dict.fromkeys((set.copy, frozenset.copy), Sets._copy),
    **{getattr(cls, name): Sets._made_by for cls in SETS for name in _MAKES},
    **{
        getattr(cls, name): Sets._asked_of
        for cls in SETS
        for name in ("isdisjoint", "issubset", "issuperset")
    },
}
# What an in-place operator of sets calls.
IN_PLACE: dict[Any, Any] = {
    ast.BitOr: set.update,
    ast.BitAnd: set.intersection_update,
    ast.Sub: set.difference_update,
    ast.BitXor: set.symmetric_difference_update,
}
