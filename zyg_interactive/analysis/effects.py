"""What an operation does to memory: to lists, dicts, objects and arrays that may be changed, and to
the cotangents of what they hold.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Container
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import CALL_VALUE, Function, Op, Region, Value, type_of, values, walk
from ..ir.types import Array, Closure, Other, Ref, Site, Tuple, Type, in_memory, refers
from ..iterators import Kept
from ..rules.aliasing import aliases
from ..rules.registry import REFUSAL

# Read a part of what the first argument refers to, or all of it.
READS: set[Any] = {
    operator.getitem,
    getattr,
    runtime.frozen,
    runtime.frozen_deep,
    runtime.values_of,
    runtime.keys_of,
    runtime.first_key,
    runtime.last_key,
    runtime.read_cell,
    runtime.read_global,
}
# In-place operators, and those they stand for.
INFIX: dict[Any, Any] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ifloordiv: operator.floordiv,
    operator.imod: operator.mod,
    operator.ipow: operator.pow,
    operator.imatmul: operator.matmul,
    operator.iand: operator.and_,
    operator.ior: operator.or_,
    operator.ixor: operator.xor,
    operator.ilshift: operator.lshift,
    operator.irshift: operator.rshift,
}
# Change the elements of an array: the first argument.
STORES: set[Any] = {
    *INFIX,
    *(operator.setitem, runtime.add_at, runtime.subtract_at, runtime.add_to_array),
    runtime.give_at,
    *(np.copyto, np.ndarray.fill, np.add.at, np.subtract.at),
}
# Change what the first argument refers to.
CHANGES: set[Any] = {
    operator.setitem,
    operator.delitem,
    setattr,
    delattr,
    object.__setattr__,
    list.append,
    list.insert,
    list.pop,
    *(deque.append, deque.appendleft, deque.pop, deque.popleft, deque.clear),
    runtime.follow_copies,
    dict.pop,
    dict.clear,
    *(set.add, set.discard, set.remove, set.pop, set.clear),
    *(runtime.changed_set, runtime.follow_items),
    runtime.splice,
    runtime.reorder,
    runtime.store_global,
}
# Make a new container of values.
MAKES: set[Any] = {
    runtime.make_list,
    runtime.make_dict,
    runtime.construct,
    runtime.allocated,
    runtime.set_of,
}
# The same for cotangents; the first argument is the memory.
BAR_READS: set[Any] = {
    runtime.read_from,
    runtime.read_over,
    runtime.read_values,
    runtime.collected,
    runtime.settled_back,
}
# Fetch cotangents and leave others.
TAKES: set[Any] = {
    runtime.take_from,
    runtime.cut_from,
    runtime.take_all,
    runtime.take_items,
    runtime.of_copy,
    runtime.drained,
    runtime.drained_back,
    runtime.drained_items,
    runtime.drained_items_back,
    runtime.whole_of,
}
BAR_CHANGES: set[Any] = {
    runtime.add_to,
    runtime.put_into,
    runtime.paste_into,
    runtime.reorder_in,
    runtime.put_all,
    runtime.put_items,
    *(runtime.moved_items, runtime.moved_items_back),
    runtime.spread_over,
    runtime.spread_values,
    runtime.scattered,
    runtime.forget,
    runtime.copied_bars,
    runtime.copied_bars_back,
    *TAKES,
    runtime.settled,
    *(runtime.unadded, runtime.unadded_back),
    runtime.of_copy_back,
}
# May do anything.
LATE: set[Any] = {
    CALL_VALUE,
    runtime.late_forward,
    runtime.late_reverse,
    runtime.late_again,
}
# What is seen from outside, or follows from what was done before.
SHOWS = (print, input, runtime.observe, runtime.enter, runtime.leave)
DRAWS = (np.random.Generator, np.random.RandomState)


def stores(op: Op) -> bool:
    """Whether an op changes elements of the array that is its first argument."""
    try:
        return op.fn in STORES and in_memory(type_of(op.args[0]))
    except TypeError:  # not hashable
        return False


def is_view(op: Op) -> bool:
    """Whether the result of an op is an array that may share a buffer with an argument."""
    return any(in_memory(r.type) for r in op.results) and aliases(op.fn, op.args, op.static)


def reads_memory(op: Op) -> bool:
    """Whether the result of an op comes out of memory."""
    if op.fn in BAR_READS or op.fn in TAKES:
        return True
    if op.fn is runtime.read_global:
        return True
    if op.fn in READS or op.fn in (list.pop, dict.pop, set.pop, deque.pop, deque.popleft):
        return isinstance(type_of(op.args[0]), Ref)
    return False


def changes_memory(op: Op) -> bool:
    """Whether the reverse part has something to do for an op though its results are not used."""
    if op.regions:
        return any(map(region_changes, op.regions))
    fn = op.fn
    if isinstance(fn, Function):
        return fn.changing and function_changes(fn, set())
    try:
        if fn in CHANGES or fn in BAR_CHANGES:
            return True
        if fn in MAKES:
            return refers(op.result.type)
    except TypeError:  # not hashable
        return False
    return stores(op)


def region_changes(region: Region) -> bool:
    return any(map(changes_memory, region.ops))


def function_changes(f: Function, seen: set[Function]) -> bool:
    """Whether a call of a function changes memory, or may: a call that only the run knows."""
    if f in seen:
        return False
    seen.add(f)
    if not (f.region.params or f.region.ops or f.region.outs):
        return True  # a recursive function that is not built yet
    return _region(f.region, seen)


def _region(region: Region, seen: set[Function]) -> bool:
    for op in region.ops:
        if isinstance(op.fn, Function):
            if op.fn.changing and function_changes(op.fn, seen):
                return True
        elif any(_region(inner, seen) for inner in op.regions):
            return True
        elif op.fn in LATE or op.fn is runtime.read_global:
            return True
        elif not op.regions and changes_memory(op):
            return True
    return False


def is_reversed_late(region: Region, seen: set[Function]) -> bool:
    """Whether a derivative of a call that only the run knows is taken in a region, or by a function
    that it calls.
    """
    for op in walk(region):
        if isinstance(op.fn, Function) and op.fn not in seen:
            seen.add(op.fn)
            if is_reversed_late(op.fn.region, seen):
                return True
        elif not isinstance(op.fn, dict | list | Function):
            if op.fn in (runtime.dynamic_reverse, runtime.late_reverse, runtime.late_again):
                return True
    return False


def touches_memory(op: Op) -> bool:
    """Whether an op must stay where it is among those that change memory."""
    if changes_memory(op) or reads_memory(op):
        return True
    return any(refers(v.type) and not isinstance(v.type, Array) for v in values(op.args))


def stored_sites(op: Op, seen: set[Function] | None = None) -> set[Site] | None:
    """The sites of the arrays that an op changes; None: of any array in memory."""
    found: set[Site] = set()
    seen = set() if seen is None else seen
    inner = [*op.regions]
    if isinstance(op.fn, Function):
        if op.fn in seen:
            return found
        seen.add(op.fn)
        inner = [op.fn.region]
    elif op.fn in LATE:
        return None
    elif stores(op):
        t = type_of(op.args[0])
        assert isinstance(t, Array) and t.site is not None
        found.add(t.site.find())
    for region in inner:
        for part in region.ops:
            more = stored_sites(part, seen)
            if more is None:
                return None
            found |= more
    return found


def changes_what_it_is_given(f: Function) -> bool:
    """Whether a call of a function may change what its parameters refer to, or globals: something
    that is still there when it has returned.
    """
    changed = changed_sites(f.region, {f})
    if changed is None:
        return True
    given: set[Site] = set()
    for p in f.region.params:
        for v in values(p):
            _reach(v.type, given)
    return not changed.isdisjoint(given)


def changed_sites(region: Region, seen: set[Function] | None = None) -> set[Site] | None:
    """The sites of what a region changes; None: of anything. `seen`: functions not to look into."""
    found: set[Site] = set()
    seen = set() if seen is None else seen
    for op in walk(region):
        if op.fn in LATE or op.fn is runtime.store_global:
            return None
        if isinstance(op.fn, Function):
            if op.fn in seen:
                continue
            seen.add(op.fn)
            more = changed_sites(op.fn.region, seen)
            if more is None:
                return None
            found |= more
        elif stores(op) or (not op.regions and op.fn in CHANGES):
            t = type_of(op.args[0])
            if isinstance(t, Ref | Array) and t.site is not None:
                found.add(t.site.find())
    return found


def shows(region: Region, seen: set[Function] | None = None) -> bool:
    """Whether the order in which a region and others are run can be told from outside: it prints,
    draws random numbers or calls what is not known.
    """
    return _any_op(region, _is_shown, set() if seen is None else seen)


def goes_on(region: Region) -> bool:
    """Whether a region goes on with an iterator that is kept, which may be without an end."""
    return _any_op(region, _goes_on, set())


def _any_op(region: Region, fits: Callable[[Op], bool], seen: set[Function]) -> bool:
    for op in walk(region):
        if isinstance(op.fn, Function):
            if op.fn not in seen:
                seen.add(op.fn)
                if _any_op(op.fn.region, fits, seen):
                    return True
        elif fits(op):
            return True
    return False


def _is_shown(op: Op) -> bool:
    if any(op.fn is f for f in SHOWS) or op.fn in LATE or REFUSAL in op.static:
        return True
    given = (getattr(op.fn, "__self__", None), *op.args)
    if any(isinstance(a, DRAWS) for a in given):
        return True
    types = (type_of(v) for v in values(op.args))
    return any(isinstance(t, Other) and issubclass(t.cls, DRAWS) for t in types)


def _goes_on(op: Op) -> bool:
    given = (type_of(v) for v in values(op.args))
    return any(isinstance(t, Ref) and issubclass(t.cls, Kept) for t in given)


def reached_sites(region: Region, without: Container[Value] = ()) -> set[Site]:
    """The sites of what the operations of a region are given, and of what that leads to."""
    found: set[Site] = set()
    for op in walk(region):
        for a in (*op.args, *op.static.values()):
            for v in values(a):
                if v not in without:
                    _reach(v.type, found)
    return found


def _reach(t: Type, found: set[Site]) -> None:
    """Add the sites that a value of this type leads to."""
    match t:
        case Ref(site=site):
            if (site := site.find()) not in found:
                found.add(site)
                for part in site.contents.values():
                    _reach(part, found)
        case Array(site=Site() as site):
            found.add(site.find())
        case Tuple(items=items) | Closure(captured=items):
            for part in items:
                _reach(part, found)


__all__ = [
    "BAR_CHANGES",
    "CHANGES",
    "INFIX",
    "changed_sites",
    "changes_what_it_is_given",
    "changes_memory",
    "goes_on",
    "is_view",
    "reached_sites",
    "reads_memory",
    "shows",
    "stored_sites",
    "stores",
    "touches_memory",
]
