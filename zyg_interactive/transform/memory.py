"""The reverse of what reads and changes memory.

The cotangents of what a list, dict or object holds are found at the run, by the identity of the
object (`runtime.memory`): the reverse of a read adds to one, that of a store takes it and leaves
zero, in the reverse order of the program. So it does not matter which names an object has, or
whether a callee changed it (the adjoint of an assignment: A. Griewank and A. Walther, Evaluating
Derivatives, 2008, section 4.1). All of it is operations on memory again, whose reverse stands here,
too: a derivative can be differentiated.
"""

from __future__ import annotations

import collections
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import Atom, Op, Region, Value, emit, type_of, values
from ..ir.types import INT, UNKNOWN, Ref, Unknown, may_be_differentiable
from .adjoint import Scope
from .cotangents import bar_type, component, filled, made

if TYPE_CHECKING:
    from .pullback import Pullback

SEQUENCES = (list, collections.deque)
Reverse = Callable[["Pullback", Op, Scope, Region], None]


def reverse_of(op: Op) -> Reverse | None:
    """How an op on memory is reversed; None for other ops."""
    try:
        if op.fn in OF_BARS:
            return OF_BARS[op.fn]
        if op.fn in MAKING and isinstance(op.result.type, Ref):
            return MAKING[op.fn]
        if op.fn in OF_ITEMS:
            return OF_ITEMS[op.fn]
        if op.fn in GLOBALS or op.fn in OF_PARTS and isinstance(type_of(op.args[0]), Ref):
            return OF_PARTS[op.fn]
    except TypeError:  # not hashable
        pass
    return None


# ---- what is found out while the program runs, for the reverse part


def _before(op: Op, primal: Region, fn: Any, args: tuple[Atom, ...], type: Any = INT) -> Value:
    found = Value(None, type, op.span)
    primal.ops.insert(primal.ops.index(op), Op(fn, args, {}, (found,), (), op.span))
    return found


def _after(op: Op, primal: Region, fn: Any, args: tuple[Atom, ...], type: Any = INT) -> Value:
    found = Value(None, type, op.span)
    primal.ops.insert(primal.ops.index(op) + 1, Op(fn, args, {}, (found,), (), op.span))
    return found


def _place(op: Op, primal: Region, base: Atom, key: Atom) -> Atom:
    """The index or key under which a part of a container stands, counted from the start."""
    t = type_of(base)
    if isinstance(t, Ref) and issubclass(t.cls, SEQUENCES):
        if not (isinstance(key, int) and key >= 0):
            return _before(op, primal, runtime.place, (base, key))
    return key


# ---- parts


def _bar_of_part(p: Pullback, op: Op, scope: Scope) -> Atom:
    """The cotangent that a part is left with which an op has read: an array has its own by its
    identity, whatever else was known to be there when it was stored.
    """
    g = p.total_of(scope, op.result)
    if g is None or not p.f.arrays or not isinstance(op.result.type, Unknown):
        return made(g)
    return emit(runtime.settled, (p.memory, op.result, made(g)))


def _read(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, key = op.args
    if op.fn is runtime.read_global and p.implicit:
        raise refuse(
            "ZYG105",
            f"the global `{key}` is bound anew in a function that is differentiated in globals",
            op.span,
            f"return the new `{key}`, and bind it outside",
        )
    g = _bar_of_part(p, op, scope)
    if g is not None:
        emit(runtime.add_to, (p.memory, base, _place(op, primal, base, key), g))


def _read_cell(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = _bar_of_part(p, op, scope)
    if g is not None:
        emit(runtime.add_to, (p.memory, op.args[0], "cell_contents", g))


def _store(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, key, value = op.args
    _taken(p, scope, base, _place(op, primal, base, key), value)
    if _is_differentiable_key(base, key):
        place = _before(op, primal, runtime.new_key, (base, key), UNKNOWN)
        _taken(p, scope, base, place, key)


def _is_differentiable_key(base: Atom, key: Atom) -> bool:
    t = type_of(base)
    return isinstance(t, Ref) and issubclass(t.cls, dict) and may_be_differentiable(type_of(key))


def _taken(p: Pullback, scope: Scope, base: Atom, key: Atom, value: Atom) -> None:
    """The cotangent of a part goes to the value that was stored there."""
    if not any(v in p.active for v in values(value)):
        emit(runtime.put_into, (p.memory, base, key, None))
        return
    c = emit(runtime.take_from, (p.memory, base, key, value))
    c.type = bar_type(type_of(value))
    p.contribute(scope, value, c)


def _delete(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, key = op.args
    emit(runtime.put_into, (p.memory, base, _place(op, primal, base, key), None))


def _dict_pop(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, key = op.args
    emit(runtime.put_into, (p.memory, base, key, _bar_of_part(p, op, scope)))


def _clear(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    emit(runtime.forget, (p.memory, op.args[0]))


# ---- lists


def _append(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, value = op.args
    _taken(p, scope, base, _before(op, primal, len, (base,)), value)


def _pop(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base = op.args[0]
    g = _bar_of_part(p, op, scope)
    if len(op.args) == 1:
        emit(runtime.put_into, (p.memory, base, _after(op, primal, len, (base,)), g))
    else:
        place = _place(op, primal, base, op.args[1])
        emit(runtime.paste_into, (p.memory, base, place, 0, [g]))


def _append_left(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, value = op.args
    cs = emit(runtime.cut_from, (p.memory, base, 0, 0, [value]))
    if any(v in p.active for v in values(value)):
        c = emit(operator.getitem, (cs, 0))
        c.type = bar_type(type_of(value))
        p.contribute(scope, value, c)


def _pop_left(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = _bar_of_part(p, op, scope)
    emit(runtime.paste_into, (p.memory, op.args[0], 0, 0, [g]))


def _follow_copies(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    emit(runtime.copied_bars, (p.memory, op.args[0]))


def _insert(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, index, value = op.args
    ends = _before(op, primal, runtime.ends_of, (base, index, None), bar_type(INT))
    start = emit(operator.getitem, (ends, 0))
    cs = emit(runtime.cut_from, (p.memory, base, start, 0, [value]))
    if any(v in p.active for v in values(value)):
        c = emit(operator.getitem, (cs, 0))
        c.type = bar_type(type_of(value))
        p.contribute(scope, value, c)


def _splice(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, start, stop, items = op.args
    old = stop - start
    cs = emit(runtime.cut_from, (p.memory, base, start, old, items))
    cs.type = bar_type(type_of(items))
    p.contribute(scope, items, cs)


def _reorder(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, order = op.args
    emit(runtime.reorder_in, (p.memory, base, order, True))


# ---- sets


def _add(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, item = op.args
    if may_be_differentiable(type_of(item)):
        _taken(p, scope, base, _before(op, primal, runtime.new_key, (base, item), UNKNOWN), item)


def _discard(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, item = op.args
    if may_be_differentiable(type_of(item)):
        place = _before(op, primal, runtime.Key, (item,), UNKNOWN)
        emit(runtime.put_into, (p.memory, base, place, None))


def _take_item(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = p.total_of(scope, op.result)
    if may_be_differentiable(op.result.type):
        place = _after(op, primal, runtime.Key, (op.result,), UNKNOWN)
        emit(runtime.put_into, (p.memory, op.args[0], place, made(g)))


def _set_of(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    items = op.args[1]
    if any(v in p.active for v in values(items)):
        cs = emit(runtime.take_items, (p.memory, op.result, items, items))
        cs.type = bar_type(type_of(items))
        p.contribute(scope, items, cs)


def _changed_set(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    emit(runtime.moved_items, (p.memory, op.args[1], op.result))


def _follow_items(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    emit(runtime.moved_items, (p.memory, *op.args))


# ---- all of a container


def _frozen(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = p.total_of(scope, op.result)
    if g is None:
        return
    if op.fn is runtime.frozen:
        stand = emit(runtime.standing, (op.args[0], False))
    else:
        stand = _before(op, primal, runtime.standing, (op.args[0], True), bar_type(INT))
    emit(runtime.spread_over, (p.memory, stand, made(g)))


def _values_of(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = p.total_of(scope, op.result)
    if g is not None:
        places = _before(op, primal, runtime.places_of_values, op.args, bar_type(INT))
        emit(runtime.spread_values, (p.memory, op.args[0], places, made(g)))


def _keys_of(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = p.total_of(scope, op.result)
    if g is not None:
        places = _before(op, primal, runtime.places_of_keys, op.args, bar_type(INT))
        emit(runtime.spread_values, (p.memory, op.args[0], places, made(g)))


def _one_key(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    g = p.total_of(scope, op.result)
    if g is not None:
        place = _after(op, primal, runtime.Key, (op.result,), UNKNOWN)
        emit(runtime.add_to, (p.memory, op.args[0], place, made(g)))


def _made_of(keys: Callable[[Op], Any], first: int) -> Reverse:
    def reverse(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
        pairs = list(zip(keys(op), op.args[first:], strict=True))
        for key, value in reversed(pairs):  # of two equal keys of a dict the last counts
            _taken(p, scope, op.result, key, value)

    return reverse


def _allocated(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    (items,) = op.args
    cs = emit(runtime.take_all, (p.memory, op.result, items))
    cs.type = bar_type(type_of(items))
    p.contribute(scope, items, cs)


MAKING: dict[Any, Reverse] = {
    runtime.make_list: _made_of(lambda op: range(len(op.args)), 0),
    runtime.make_dict: _made_of(lambda op: op.args[0], 1),
    runtime.construct: _made_of(lambda op: op.args[1], 2),
    runtime.allocated: _allocated,
    runtime.set_of: _set_of,
}
OF_ITEMS: dict[Any, Reverse] = {
    runtime.follow_copies: _follow_copies,
    runtime.follow_items: _follow_items,
    runtime.changed_set: _changed_set,
}
OF_PARTS: dict[Any, Reverse] = {
    operator.getitem: _read,
    getattr: _read,
    runtime.read_cell: _read_cell,
    operator.setitem: _store,
    runtime.read_global: _read,
    runtime.store_global: _store,
    setattr: _store,
    object.__setattr__: _store,
    operator.delitem: _delete,
    delattr: _delete,
    dict.pop: _dict_pop,
    dict.clear: _clear,
    set.add: _add,
    set.discard: _discard,
    set.remove: _discard,
    set.pop: _take_item,
    set.clear: _clear,
    list.append: _append,
    list.pop: _pop,
    collections.deque.append: _append,
    collections.deque.appendleft: _append_left,
    collections.deque.pop: _pop,
    collections.deque.popleft: _pop_left,
    collections.deque.clear: _clear,
    list.insert: _insert,
    runtime.splice: _splice,
    runtime.reorder: _reorder,
    runtime.frozen: _frozen,
    runtime.frozen_deep: _frozen,
    runtime.values_of: _values_of,
    runtime.keys_of: _keys_of,
    runtime.first_key: _one_key,
    runtime.last_key: _one_key,
}


GLOBALS = {runtime.read_global, runtime.store_global}


# ---- cotangents in memory: the derivative of a derivative


def around(p: Pullback, memory: Atom) -> tuple[Atom, ...]:
    """The memory of the cotangents of what is in a memory."""
    return (p.memory, *(memory if isinstance(memory, tuple) else (memory,)))


def _replaces(taking: Any) -> Reverse:
    """The reverse of an op that brings its last argument into memory: `taking` fetches it."""

    def reverse(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
        memory, *place, value = op.args
        c = emit(taking, (around(p, memory), *place, value))
        c.type = bar_type(type_of(value))
        p.contribute(scope, value, c)

    return reverse


def _fetches(giving: Any, always: bool) -> Reverse:
    """The reverse of an op that fetches from memory: `giving` brings the cotangent there; always,
    where the op leaves zero.
    """

    def reverse(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
        memory, *place, like = op.args
        g = p.total_of(scope, op.result)
        if g is not None or always:
            if g is None and giving is not runtime.put_into:
                g = emit(runtime.zeros_like, (like,))
            emit(giving, (around(p, memory), *place, made(g)))

    return reverse


def _paste(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, start, old, cs = op.args
    taken = emit(runtime.cut_from, (around(p, memory), x, start, old, cs))
    for i, c in enumerate(cs if isinstance(cs, list) else ()):
        if any(v in p.active for v in values(c)):
            p.contribute(scope, c, component(taken, i))
    if not isinstance(cs, list):
        taken.type = bar_type(type_of(cs))
        p.contribute(scope, cs, taken)


def _cut(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, start, old, likes = op.args
    g = p.total_of(scope, op.result)
    cs = emit(runtime.zeros_like, (likes,)) if g is None else made(g)
    emit(runtime.paste_into, (around(p, memory), x, start, old, cs))


def _reorder_bars(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, order, back = op.args
    emit(runtime.reorder_in, (around(p, memory), x, order, not back))


def _moved_items(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, moves = op.args
    emit(runtime.moved_items_back, (around(p, memory), x, moves))


def _moved_items_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, moves = op.args
    emit(runtime.moved_items, (around(p, memory), x, moves))


def _forget(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x = op.args
    emit(runtime.forget, (around(p, memory), x))


def _copied_bars(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, pairs = op.args
    emit(runtime.copied_bars_back, (around(p, memory), pairs))


def _copied_bars_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, pairs = op.args
    emit(runtime.copied_bars, (around(p, memory), pairs))


def _collected(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, before = op.args
    g = p.total_of(scope, op.result)
    if g is not None:
        emit(runtime.scattered, (around(p, memory), before, made(g)))


def _scattered(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, after, c = op.args
    got = emit(runtime.collected, (around(p, memory), after))
    p.contribute(scope, c, got)


def _drained(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, y, g = op.args
    _back(p, scope, op, runtime.drained_back, (memory, y), (g,), g)


def _drained_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, y, total, _ = op.args
    _back(p, scope, op, runtime.drained, (memory, y), (), total)


def _drained_items(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, items, g, pattern = op.args
    _back(p, scope, op, runtime.drained_items_back, (memory, items), (pattern,), g)


def _drained_items_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, items, totals, pattern = op.args
    _back(p, scope, op, runtime.drained_items, (memory, items), (pattern,), totals)


def _settled(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, c = op.args
    _back(p, scope, op, runtime.settled_back, (memory, x), (c,), c)


def _settled_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, left, _ = op.args
    _back(p, scope, op, runtime.settled, (memory, x), (), left)


def _back(
    p: Pullback,
    scope: Scope,
    op: Op,
    fn: Any,
    place: tuple[Atom, ...],
    more: tuple[Atom, ...],
    c: Atom,
) -> None:
    """Let `c` have what `fn` makes of the cotangent of the result, and of what is in memory."""
    memory, x = place
    g = made(filled(p.total_of(scope, op.result), op.result))
    found = emit(fn, (around(p, memory), x, g, *more))
    found.type = bar_type(type_of(c))
    p.contribute(scope, c, found)


def _of_copy(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x = op.args
    emit(runtime.of_copy_back, (around(p, memory), x, made(p.total_of(scope, op.result))))


def _of_copy_back(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    memory, x, c = op.args
    p.contribute(scope, c, emit(runtime.of_copy, (around(p, memory), x)))


OF_BARS: dict[Any, Reverse] = {
    runtime.add_to: _replaces(runtime.read_from),
    runtime.read_from: _fetches(runtime.add_to, False),
    runtime.put_into: _replaces(runtime.take_from),
    runtime.take_from: _fetches(runtime.put_into, True),
    runtime.spread_over: _replaces(runtime.read_over),
    runtime.read_over: _fetches(runtime.spread_over, False),
    runtime.spread_values: _replaces(runtime.read_values),
    runtime.read_values: _fetches(runtime.spread_values, False),
    runtime.put_all: _replaces(runtime.take_all),
    runtime.take_all: _fetches(runtime.put_all, True),
    runtime.put_items: _replaces(runtime.take_items),
    runtime.take_items: _fetches(runtime.put_items, True),
    runtime.moved_items: _moved_items,
    runtime.moved_items_back: _moved_items_back,
    runtime.cut_from: _cut,
    runtime.paste_into: _paste,
    runtime.reorder_in: _reorder_bars,
    runtime.forget: _forget,
    runtime.copied_bars: _copied_bars,
    runtime.copied_bars_back: _copied_bars_back,
    runtime.collected: _collected,
    runtime.scattered: _scattered,
    runtime.drained: _drained,
    runtime.whole_of: _drained,
    runtime.drained_back: _drained_back,
    runtime.drained_items: _drained_items,
    runtime.drained_items_back: _drained_items_back,
    runtime.settled: _settled,
    runtime.settled_back: _settled_back,
    runtime.of_copy: _of_copy,
    runtime.of_copy_back: _of_copy_back,
}
