"""Lists, dicts and objects that are changed: reads and stores of what is in memory.

A program that changes nothing is lowered without any of this: its containers are values with a
structure. The first change that is met asks to start again (`MemoryNeeded`); then every list, dict
and object is a reference (`Ref`), what it holds is read where the program reads it, and a rule that
takes a whole list is given what the list holds at that moment.
"""

from __future__ import annotations

import ast
import builtins
import collections
import copy
import operator
import types
from collections.abc import Callable
from typing import Any

from .. import runtime
from ..ir.core import (
    CALL_VALUE,
    UNBOUND,
    Atom,
    Function,
    MemoryNeeded,
    Value,
    map_atom,
    type_of,
    values,
)
from ..ir.types import (
    ANY,
    INT,
    UNBOUND_TYPE,
    UNKNOWN,
    Const,
    Dict,
    List,
    Other,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
    escape,
    join,
    join_all,
    join_quietly,
    refers,
)
from ..iterators import Keys, Values, filled
from ..rules.registry import is_followed, lookup
from .cells import Cells
from .fence import refused
from .scope import Generated

SEQUENCES = (list, collections.deque)
SETS = (set, frozenset)
CONTAINERS = (*SEQUENCES, dict, *SETS)
# Whose copy and `|` are of the same class.
DICTS = (dict, collections.OrderedDict, collections.defaultdict)
SHALLOW = {builtins.list, builtins.tuple, builtins.reversed, operator.add, operator.mul}
ITERATING = {builtins.list, builtins.tuple}
# Callables with a rule that take the reference, not what is there.
REFERRING = {operator.getitem, getattr, runtime.bound, runtime.allocated}
NOT_HANDLED = object()


class Memory(Cells):
    """Adds memory to operations."""

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        raise NotImplementedError

    def truth(self, atom: Atom) -> Atom:
        raise NotImplementedError

    def told_apart(self, x: Atom, node: ast.AST) -> None:
        raise NotImplementedError

    def compared(self, x: Atom, node: ast.AST) -> None:
        raise NotImplementedError

    def load(self, name: str, node: ast.AST) -> Atom:
        """A view of a dict shows what the dict holds now."""
        atom = super().load(name, node)
        made = atom.op if isinstance(atom, Value) and self.is_view(atom) else None
        return atom if made is None else self._view(made.fn, made.args[0], node)

    def _view(self, fn: Any, base: Value, node: ast.AST) -> Value:
        """What a view of a dict shows now. Where it is kept, it is an object."""
        read, cls = VIEWS[fn]
        got: Value = read(self, base, node)
        self.views[got] = lambda: self.call(cls, (base,), {}, node)
        return got

    def op(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        static: dict[str, Any],
        node: ast.AST,
        name: str | None = None,
    ) -> Value:
        if self.heap is not None:
            if takes_contents(fn):
                deep = fn not in SHALLOW
                if fn in ITERATING and any(map(_is_object, args)):
                    raise refused(self.source, node, f"`{fn.__name__}` of an object here")
                if _is_numpy(fn) and any(map(is_set, args)):
                    raise refused(
                        self.source, node, f"`{fn.__name__}` of a set", "make a list of it first"
                    )
                args = tuple(self.frozen(a, node, deep) for a in args)
                static = {k: self.frozen(a, node, deep) for k, a in static.items()}
            elif fn is CALL_VALUE:
                for a in (*args, *static.values()):
                    escape(type_of(a))
        return super().op(fn, args, static, node, name)

    # ---- making

    def site_of(self, cls: type, node: ast.AST) -> Ref:
        return Ref(cls, self.memory().site((self.span(node), cls)))

    def allocated(self, atom: Atom, node: ast.AST) -> Atom:
        """A list or dict that an operation has made, as what it is from here on."""
        t = type_of(atom)
        if self.heap is None or not isinstance(t, List | Dict) or not isinstance(atom, Value):
            return atom
        made = super().op(runtime.allocated, (atom,), {}, node)
        made.type = self.holding(t, node)
        return made

    def holding(self, t: List | Dict, node: ast.AST) -> Ref:
        """The reference to a new container of this type."""
        ref = self.site_of(list if isinstance(t, List) else dict, node)
        if isinstance(t, Dict):
            ref.site.made(dict(t.items))
        elif t.items is not None:
            ref.site.made(dict(enumerate(t.items)))
        else:
            ref.site.resize()
            ref.site.write(ANY, t.item)
        return ref

    def holding_new(self, t: List | Dict, node: ast.AST, name: str | None) -> Value:
        """A new empty container in memory."""
        self.memory()
        empty = runtime.make_list if isinstance(t, List) else runtime.make_dict
        args: tuple[Atom, ...] = () if isinstance(t, List) else ((),)
        made = super().op(empty, args, {}, node, name)
        made.type = self.holding(t, node)
        return made

    def new_object(self, cls: type, node: ast.AST, name: str | None) -> Value:
        made = super().op(runtime.new_object, (cls,), {}, node, name)
        made.type = self.site_of(cls, node)
        return made

    # ---- reading all of it

    def frozen(self, atom: Atom, node: ast.AST, deep: bool = False) -> Atom:
        """What lists and dicts hold now, in the place of references to them; those in a tuple stay
        references unless it is `deep`.
        """

        def read(a: Atom) -> Atom:
            t = type_of(a)
            if not isinstance(a, Value) or not isinstance(t, Ref):
                return a
            if not issubclass(t.cls, CONTAINERS):
                return a
            if t.optional:  # of None, what is called is given None
                a = self.op(runtime.bound, (a, UNBOUND, ""), {}, node, a.name)
                a.type = t = Ref(t.cls, t.site)
            if issubclass(t.cls, SETS):
                return self.held_keys(a, node)
            held = held_type(t, deep)
            got = super(Memory, self).op(
                runtime.frozen_deep if deep and refers(held_type(t, False)) else runtime.frozen,
                (a,),
                {},
                node,
                a.name,
            )
            got.type = held
            return got

        if not deep:
            return read(atom)
        return map_atom(read, atom) if any(refers(v.type) for v in values(atom)) else atom

    def held_values(self, base: Value, node: ast.AST) -> Value:
        """The values of a dict as a list."""
        assert isinstance(base.type, Ref)
        got = super().op(runtime.values_of, (base,), {}, node)
        exact = base.type.site.exact
        items = None if exact is None else tuple(exact.values())
        got.type = List(
            join_quietly(items) if items is not None else base.type.site.read(ANY), items
        )
        return got

    def items_of(self, base: Value, node: ast.AST) -> Atom:
        """The items of a dict, as a view."""
        raise NotImplementedError

    def held_keys(self, base: Value, node: ast.AST) -> Value:
        assert isinstance(base.type, Ref)
        got = super().op(runtime.keys_of, (base,), {}, node)
        site = base.type.site.find()
        if issubclass(base.type.cls, SETS):
            got.type = List(site.read(ANY))
        elif site.exact is not None:
            known = tuple(
                _key_type(k) if isinstance(k, int | float) else Const(k) for k in site.exact
            )
            got.type = List(join_all(known), known)
        else:
            types = {_key_type(k) for k in site.contents if k is not ANY} | {site.keys}
            types -= {UNBOUND_TYPE}
            hidden = site.escaped or ANY in site.contents and site.keys == UNBOUND_TYPE
            got.type = List(types.pop() if len(types) == 1 and not hidden else UNKNOWN)
        return got

    def gone_through_as(self, atom: Atom, node: ast.AST) -> Atom:
        """What is gone through of something: of a dict, its keys; of a view, what it shows now."""
        if isinstance(atom, Value) and atom.op is not None and self.is_view(atom):
            return VIEWS[atom.op.fn][0](self, atom.op.args[0], node)
        t = type_of(atom)
        if isinstance(t, Dict):
            return tuple(k for k, _ in t.items)
        if isinstance(atom, Value) and isinstance(t, Ref) and issubclass(t.cls, (dict, *SETS)):
            return atom if t.optional else self.held_keys(atom, node)
        return atom

    # ---- reading a part

    def load_item(self, base: Value, index: Atom, node: ast.AST, name: str | None) -> Atom:
        t = base.type
        assert isinstance(t, Ref)
        if issubclass(t.cls, SEQUENCES) and _is_slice(index):
            return self.allocated(
                self.op(operator.getitem, (self.frozen(base, node), index), {}, node, name), node
            )
        got = self.op(operator.getitem, (base, index), {}, node, name)
        got.type = t.site.read(_place(t, index))
        return self.unpacked(got)

    def attribute_in_memory(self, base: Atom, attr: str, node: ast.AST, name: str | None) -> Atom:
        """An attribute that an object has itself, or a constant of its class."""
        t = type_of(base)
        assert isinstance(t, Ref)
        got = super().op(getattr, (base, attr), {}, node, name or attr)
        got.type = t.site.read(attr)
        of_class = next((vars(c)[attr] for c in t.cls.__mro__ if attr in vars(c)), None)
        if of_class is not None and not isinstance(of_class, types.MemberDescriptorType):
            got.type = join(got.type, self.context.read_type(of_class))
        return self.unpacked(got)

    def unpacked(self, atom: Atom) -> Atom:
        """A value whose type tells what it is, as that."""
        if isinstance(atom, Value) and isinstance(atom.type, Const):
            return atom.type.value
        return atom

    # ---- storing

    def store_item(self, base: Atom, index: Atom, value: Atom, node: ast.AST) -> None:
        t = type_of(base)
        value = self.materialise(value, node)
        self.told_apart(index, node)
        if isinstance(t, List | Dict):
            raise MemoryNeeded
        if isinstance(t, Ref) and not issubclass(t.cls, CONTAINERS):
            self.method_call(t.cls, "__setitem__", (base, index, value), node)
        elif isinstance(t, Ref):
            assert isinstance(base, Value)
            if issubclass(t.cls, SEQUENCES) and _is_slice(index):
                self._store_slice(base, index, value, node)
                return
            super().op(operator.setitem, (base, self.materialise(index, node), value), {}, node)
            place = _place(t, index)
            t.site.write(place, type_of(value))
            if issubclass(t.cls, dict):
                self._note_key(t, index)
                if place is ANY:
                    t.site.write_key(_key_type(index))
        elif isinstance(t, Unknown | Other) and not is_followed(t):
            self.memory()
            self._late(operator.setitem, (base, self.materialise(index, node), value), node)
        else:
            raise refused(
                self.source, node, f"a store into an item of {_article(t)}", code="ZYG103"
            )

    def _note_key(self, t: Ref, index: Atom) -> None:
        if isinstance(index, Value) or t.site.exact is None or index not in t.site.exact:
            t.site.resize()

    def _store_slice(self, base: Value, index: Atom, value: Atom, node: ast.AST) -> None:
        bounds = index if isinstance(index, slice) else None
        if bounds is None or bounds.step not in (None, 1):
            raise refused(
                self.source, node, "a store into a slice with a step", "store item by item"
            )
        start, stop = self._bounds(base, bounds, node)
        self.splice(base, start, stop, value, node)

    def _bounds(self, base: Value, index: slice, node: ast.AST) -> tuple[Atom, Atom]:
        """Where a slice of a list begins and ends, counted from its start."""
        ends = super().op(runtime.ends_of, (base, index.start, index.stop), {}, node)
        ends.type = Tuple((INT, INT))
        start = super().op(operator.getitem, (ends, 0), {}, node)
        return start, super().op(operator.getitem, (ends, 1), {}, node)

    def splice(self, base: Value, start: Atom, stop: Atom, value: Atom, node: ast.AST) -> None:
        """Put the items of a sequence in the place of those from `start` to `stop`."""
        t = type_of(base)
        assert isinstance(t, Ref)
        items = self.frozen(self.gone_through_as(value, node), node)
        held = type_of(items)
        if not isinstance(held, List):
            unbound = held == UNBOUND_TYPE  # what a call gives that is being lowered
            items = self.frozen(self.call(builtins.list, (items,), {}, node), node)
            if unbound and isinstance(items, Value):
                items.type = List(UNBOUND_TYPE)
            held = type_of(items)
        super().op(runtime.splice, (base, start, stop, items), {}, node)
        t.site.scramble()
        if isinstance(held, List):
            t.site.write(ANY, held.item)
        else:
            t.site.write(ANY, UNKNOWN)

    def store_attribute(self, base: Atom, attr: str, value: Atom, node: ast.expr) -> None:
        t = type_of(base)
        value = self.materialise(value, node)
        if isinstance(t, Ref):
            found = getattr(t.cls, attr, None)
            if isinstance(found, property) and found.fset is not None:
                self.guard_member(t.cls, attr)
                self.call(self.constant(found.fset, None), (base, value), {}, node)
            elif isinstance(t.cls.__setattr__, types.FunctionType):
                self.method_call(t.cls, "__setattr__", (base, attr, value), node)
            else:
                self._set(base, attr, value, node)
        elif isinstance(t, Unknown | Other):
            self.memory()
            self._late(setattr, (base, attr, value), node)
        elif hasattr(t, "cls") and not isinstance(t, Tuple):
            raise MemoryNeeded
        else:
            raise refused(
                self.source,
                node,
                f"a store into an attribute of {_article(t)}",
                "return the value instead",
                "ZYG103",
            )

    def _set(self, base: Atom, attr: str, value: Atom, node: ast.AST) -> None:
        t = type_of(base)
        assert isinstance(t, Ref)
        super().op(setattr, (base, attr, value), {}, node)
        t.site.write(attr, type_of(value))

    def method_call(self, cls: type, method: str, args: tuple[Atom, ...], node: ast.AST) -> Atom:
        found = getattr(cls, method, None)
        if found is None:
            raise refused(self.source, node, f"`{method}` of a {cls.__name__}", code="ZYG103")
        self.guard_member(cls, method)
        return self.call(self.constant(found, None), args, {}, node)

    def _late(self, fn: Any, args: tuple[Atom, ...], node: ast.AST) -> Value:
        """A change of something that only the run knows."""
        return self.op(CALL_VALUE, (fn, *args), {}, node)

    def delete(self, target: ast.expr, base: Atom, key: Atom) -> None:
        """`del base[key]`, `del base.key` (where the key is a name)."""
        t = type_of(base)
        attribute = isinstance(target, ast.Attribute)
        if isinstance(t, List | Dict) or type(t).__name__ == "Record":
            raise MemoryNeeded
        if isinstance(t, Unknown | Other):
            self.memory()
            self._late(delattr if attribute else operator.delitem, (base, key), target)
        elif not isinstance(t, Ref):
            raise refused(
                self.source,
                target,
                f"`del` of a part of {_article(t)}",
                "build a new one",
                "ZYG103",
            )
        elif attribute:
            super().op(delattr, (base, key), {}, target)
        elif issubclass(t.cls, dict):
            super().op(operator.delitem, (base, self.materialise(key, target)), {}, target)
            t.site.resize()
        elif not issubclass(t.cls, SEQUENCES):
            self.method_call(t.cls, "__delitem__", (base, key), target)
        else:
            assert isinstance(base, Value)
            if isinstance(key, slice) and key.step in (None, 1):
                start, stop = self._bounds(base, key, target)
                empty = super().op(runtime.make_list, (), {}, target)
                empty.type = List(UNBOUND_TYPE, ())
                self.splice(base, start, stop, empty, target)
            elif _is_slice(key):
                raise refused(
                    self.source, target, "`del` of a slice with a step", "delete item by item"
                )
            else:
                super().op(list.pop, (base, self.materialise(key, target)), {}, target)
                t.site.scramble()

    # ---- calls that change what they are given

    def memory_call(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A call of a method of a list or dict, or of another function that changes something;
        NOT_HANDLED for others.
        """
        try:
            change = CHANGES.get(fn)
        except TypeError:
            return NOT_HANDLED
        if change is not None and args:
            t = type_of(args[0])
            if isinstance(t, List | Dict) or (fn in STORES and type(t).__name__ == "Record"):
                raise MemoryNeeded
            if isinstance(t, Ref) or fn in STORES:
                return change(self, tuple(args), dict(kwargs), node, name)
            return NOT_HANDLED
        if self.heap is None or not args:
            return NOT_HANDLED
        owner = getattr(fn, "__objclass__", None)
        t = type_of(args[0])
        if owner in CONTAINERS and isinstance(t, Ref) and isinstance(args[0], Value):
            return self._reading_method(fn, args, kwargs, node, name)
        return NOT_HANDLED

    def _reading_method(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A method that only reads: of what the container holds now."""
        base = args[0]
        assert isinstance(base, Value)
        if fn is dict.values or fn is dict.keys:
            return self._view(fn, base, node)
        if fn is dict.items:
            return self.items_of(base, node)
        if fn is dict.copy:
            assert isinstance(base.type, Ref)
            return self.call(copy.copy if base.type.cls in DICTS else dict, (base,), {}, node)
        if fn is dict.get and not kwargs and len(args) in (2, 3):
            return self._get(base, args[1], args[2] if len(args) == 3 else None, node)
        return self.allocated(
            self.call(fn, (self.frozen(base, node), *args[1:]), kwargs, node, name), node
        )

    def _get(self, base: Value, key: Atom, default: Atom, node: ast.AST) -> Atom:
        inside = self.op(operator.contains, (base, self.materialise(key, node)), {}, node)

        def found() -> None:
            self.env["$choice"] = self.load_item(base, key, node, None)

        def missing() -> None:
            self.env["$choice"] = default

        self.branch(inside, found, missing, node)
        return self.env.pop("$choice")

    def _append(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, value = args
        value = self.materialise(value, node)
        super().op(list.append, (base, value), {}, node)
        base.type.site.resize()
        base.type.site.write(ANY, type_of(value))
        return None

    def _insert(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, index, value = args
        value = self.materialise(value, node)
        super().op(list.insert, (base, index, value), {}, node)
        base.type.site.scramble()
        base.type.site.write(ANY, type_of(value))
        return None

    def _extend(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, items = args
        end = super().op(len, (base,), {}, node)
        self.splice(base, end, end, items, node)
        return None

    def _pop(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base = args[0]
        popped = super().op(list.pop, args, {}, node, name)
        popped.type = base.type.site.read(ANY)
        if len(args) == 1 or args[1] == -1:
            base.type.site.resize()
        else:
            base.type.site.scramble()
        return self.unpacked(popped)

    def _remove(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, item = args
        self.told_apart(item, node)
        index = super().op(list.index, (base, self.materialise(item, node)), {}, node)
        index.type = INT
        super().op(list.pop, (base, index), {}, node)
        base.type.site.scramble()
        return None

    def _clear(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        if issubclass(base.type.cls, dict):
            super().op(dict.clear, (base,), {}, node)
            base.type.site.resize()
            return None
        end = super().op(len, (base,), {}, node)
        empty = super().op(runtime.make_list, (), {}, node)
        empty.type = List(UNBOUND_TYPE, ())
        self.splice(base, 0, end, empty, node)
        return None

    def _reverse(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        order = super().op(runtime.backwards, (base,), {}, node)
        self._reorder(base, order, node)
        return None

    def _sort(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        key = kwargs.get("key")
        keys: Atom = base
        if key is not None:
            count = super().op(len, (base,), {}, node)
            places = super().op(range, (count,), {}, node)
            got = self.mapped(
                lambda i: self.call(key, (self.load_item(base, i, node, None),), {}, node),
                places,
                node,
            )
            keys = got
        order = super().op(runtime.sorting, (keys, kwargs.get("reverse", False)), {}, node)
        self._reorder(base, order, node)
        return None

    def mapped(self, body: Callable[[Atom], Atom], count: Atom, node: ast.AST) -> Atom:
        """What `body` makes of each number below a count, in a list."""
        raise NotImplementedError

    def _reorder(self, base: Value, order: Value, node: ast.AST) -> None:
        order.type = List(INT)
        super().op(runtime.reorder, (base, order), {}, node)
        assert isinstance(base.type, Ref)
        base.type.site.scramble()

    def _setitem(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, index, value = args
        self.store_item(base, index, value, node)
        return None

    def _delitem(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        subscript = ast.copy_location(ast.Subscript(node, node, ast.Del()), node)
        self.delete(subscript, *args)
        return None

    def _setattr(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, attr, value = args
        if not isinstance(attr, str):
            raise refused(self.source, node, "`setattr` here", code="ZYG103")
        self.store_attribute(base, attr, value, node)
        return None

    def _plain_setattr(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        """`object.__setattr__`, past what the class makes of a store."""
        base, attr, value = args
        t = type_of(base)
        if not isinstance(t, Ref) or not isinstance(attr, str):
            raise refused(self.source, node, "`object.__setattr__` here", code="ZYG103")
        value = self.materialise(value, node)
        super().op(object.__setattr__, (base, attr, value), {}, node)
        t.site.write(attr, type_of(value))
        return None

    def _delattr(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, attr = args
        target = ast.copy_location(ast.Attribute(node, "", ast.Del()), node)
        self.delete(target, base, attr)
        return None

    # ---- dicts

    def _dict_pop(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        base, key = args[:2]
        key = self.materialise(key, node)

        def present() -> None:
            popped = super(Memory, self).op(dict.pop, (base, key), {}, node, name)
            popped.type = base.type.site.read(_place(base.type, key))
            self.env["$choice"] = self.unpacked(popped)

        def missing() -> None:
            self.env["$choice"] = args[2]

        if len(args) == 2:
            present()
        else:
            inside = super().op(operator.contains, (base, key), {}, node)
            self.branch(inside, present, missing, node)
        base.type.site.resize()
        return self.env.pop("$choice")

    def _popitem(self, args: Any, kwargs: Any, node: ast.AST, name: str | None) -> Atom:
        (base,) = args
        key = super().op(runtime.last_key, (base,), {}, node)
        popped = super().op(dict.pop, (base, key), {}, node, name)
        popped.type = base.type.site.read(ANY)
        base.type.site.resize()
        return (key, self.unpacked(popped))

    def _setdefault(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, key = args[:2]
        default = args[2] if len(args) > 2 else None
        inside = super().op(operator.contains, (base, self.materialise(key, node)), {}, node)
        self.branch(inside, lambda: None, lambda: self.store_item(base, key, default, node), node)
        return self.load_item(base, key, node, name)

    def _update(self, args: Any, kwargs: Any, node: Any, name: str | None) -> Atom:
        base, *others = args
        for other in others:
            t = type_of(other)
            exact = t.site.exact if isinstance(t, Ref) and issubclass(t.cls, dict) else None
            if isinstance(t, Dict):
                exact = dict(t.items)
            if _is_sequence(other):
                self.call(filled, (base, other), {}, node)
                continue
            if exact is None:
                self._update_all(base, other, node)
                continue
            for key in exact:
                if isinstance(t, Ref):
                    value = self.load_item(other, key, node, None)
                else:
                    value = self.op(operator.getitem, (other, key), {}, node)
                self.store_item(base, key, value, node)
        for key, value in kwargs.items():
            self.store_item(base, key, value, node)
        return None

    def _update_all(self, base: Value, other: Atom, node: Any) -> None:
        """Store every item of a dict of which only the run knows the keys."""
        t = type_of(other)
        if not isinstance(other, Value) or not isinstance(t, Ref) or not issubclass(t.cls, dict):
            raise refused(
                self.source, node, "`update` with this", "use a dict, or store key by key", "ZYG103"
            )
        keys = self.held_keys(other, node)
        count = super().op(range, (super().op(len, (keys,), {}, node),), {}, node)

        def store(i: Atom) -> Atom:
            key = super(Memory, self).op(operator.getitem, (keys, i), {}, node)
            key.type = UNKNOWN if keys.type == List(UNKNOWN) else key.type
            self.store_item(base, key, self.load_item(other, key, node, None), node)
            return None

        self.mapped(store, count, node)


VIEWS: dict[Any, tuple[Any, type]] = {
    dict.keys: (Memory.held_keys, Keys),
    dict.values: (Memory.held_values, Values),
}
VIEWS |= {runtime.keys_of: VIEWS[dict.keys], runtime.values_of: VIEWS[dict.values]}
Change = Callable[..., Atom]
STORES = (operator.setitem, operator.delitem, setattr, delattr, object.__setattr__)
CHANGES: dict[Any, Change] = {
    list.append: Memory._append,
    list.insert: Memory._insert,
    list.extend: Memory._extend,
    list.pop: Memory._pop,
    list.remove: Memory._remove,
    list.clear: Memory._clear,
    list.reverse: Memory._reverse,
    list.sort: Memory._sort,
    list.__setitem__: Memory._setitem,
    dict.__setitem__: Memory._setitem,
    operator.setitem: Memory._setitem,
    operator.delitem: Memory._delitem,
    setattr: Memory._setattr,
    object.__setattr__: Memory._plain_setattr,
    delattr: Memory._delattr,
    dict.pop: Memory._dict_pop,
    dict.popitem: Memory._popitem,
    dict.setdefault: Memory._setdefault,
    dict.update: Memory._update,
    dict.clear: Memory._clear,
}


def _is_object(x: Atom) -> bool:
    """Whether something is gone through as its class tells."""
    t = type_of(x)
    return isinstance(t, Ref) and not issubclass(t.cls, CONTAINERS)


def is_set(x: Atom) -> bool:
    """Whether something is a set in memory."""
    t = type_of(x)
    return isinstance(t, Ref) and issubclass(t.cls, SETS)


def _is_numpy(fn: Any) -> bool:
    module = getattr(fn, "__module__", None) or type(fn).__module__
    return module.partition(".")[0] in ("numpy", "scipy")


def takes_contents(fn: Any) -> bool:
    """Whether a callable has a rule for what a list holds, not for where it is."""
    if isinstance(fn, Function) or fn in REFERRING:
        return False
    rule = lookup(fn)
    return rule is not None and rule.pullback is not None


def held_type(t: Ref, deep: bool, around: frozenset[int] = frozenset()) -> Type:
    """The type of what a container holds."""
    if not issubclass(t.cls, CONTAINERS):
        return t
    if id(t.site.find()) in around:
        return UNKNOWN
    around = around | {id(t.site.find())}

    def part(i: Type) -> Type:
        match i:
            case Ref() if deep and not i.optional:
                return held_type(i, True, around)
            case Tuple(items=items, cls=cls) if deep:
                return Tuple(tuple(map(part, items)), cls)
        return i

    exact = t.site.exact
    if issubclass(t.cls, dict):
        if exact is None:
            return Other(dict)
        return Dict(tuple((k, part(v)) for k, v in exact.items()))
    if exact is not None:
        types = tuple(part(exact[i]) for i in range(len(exact)))
        return List(join_quietly(types), types)
    return List(part(t.site.read(ANY)))


def _key_type(key: Atom) -> Type:
    t = type_of(key)
    if isinstance(t, Const):
        number = isinstance(t.value, int | float)
        t = Scalar(type(t.value).__name__) if number else Other(type(t.value))
    return t


def _is_slice(index: Atom) -> bool:
    return isinstance(index, slice) or type_of(index) == Other(slice)


def _place(t: Ref, index: Atom) -> Any:
    """The part of a site that an index or key reads."""
    if isinstance(index, Value) or any(True for _ in values(index)):
        return ANY
    if issubclass(t.cls, SEQUENCES):
        if not isinstance(index, int) or isinstance(index, bool):
            return ANY
        size = t.site.find().size
        if index < 0:
            return index + size if size is not None and size >= -index else ANY
        return index
    try:
        hash(index)
    except TypeError:
        return ANY
    return index


def _article(t: Type) -> str:
    name = repr(t)
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


def is_mapping(x: Atom) -> bool:
    t = type_of(x)
    return isinstance(t, Dict) or (isinstance(t, Ref) and issubclass(t.cls, dict))


def _is_sequence(x: Atom) -> bool:
    t = type_of(x)
    listed = isinstance(t, List | Tuple) or (isinstance(t, Ref) and t.cls is list)
    return listed or isinstance(x, Generated)


CHANGING = {"append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort"} | {
    "update",
    "popitem",
    "setdefault",
    "add",
    "discard",
}
