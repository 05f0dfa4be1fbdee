"""Cotangents of what is made of parts: items, attributes, containers, closures."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import (
    UNPACK,
    Atom,
    Op,
    emit,
    type_of,
    values,
)
from ..ir.types import (
    Array,
    Closure,
    Dict,
    List,
    Record,
    Scalar,
    Tuple,
    Unknown,
    arrays,
    in_memory,
    refers,
)
from ..rules.aliasing import is_view_index
from .adjoint import Scope
from .cotangents import (
    Fields,
    bar_type,
    captured_count,
    component,
    differentiable,
    filled,
    made,
    member,
)
from .memory import around

if TYPE_CHECKING:
    from .pullback import Pullback


def _getitem(p: Pullback, op: Op, scope: Scope) -> bool:
    x, index = op.args
    t = type_of(x)
    if in_memory(op.result.type) and not refers(t):
        if isinstance(t, Array) and is_view_index(index) is False:  # a new array
            p.scatter(scope, x, index, p.given(scope, op.result))
            return True
        raise refuse("ZYG202", "it is not known where this array was made", op.span)
    if isinstance(x, tuple | list):
        if isinstance(index, int):
            if -len(x) <= index < len(x):  # else the run raises
                p.contribute(scope, x[index], p.total_of(scope, op.result))
        elif any(map(in_memory, arrays(t))):
            raise refuse("ZYG202", "which array of a tuple this is, only the run knows", op.span)
        else:
            zeros = emit(runtime.zeros_like, (x,))
            bars = emit(runtime.add_at, (zeros, index, made(p.total_of(scope, op.result))))
            bars.type = bar_type(t)
            p.contribute(scope, x, bars)
        return True
    known = not any(True for _ in values(index))
    if isinstance(t, Tuple | List) and t.items is not None and isinstance(index, int | np.integer):
        parts: list[Atom] = [None] * len(t.items)
        if not -len(parts) <= index < len(parts):
            if isinstance(t, Tuple):
                return True  # the run raises
            raise refuse(
                "ZYG104",
                f"item {index} of a list of {len(parts)} is not known before the run",
                op.span,
                "ask for the length of the list first",
            )
        parts[int(index)] = p.total_of(scope, op.result)
        if not scope.crosses_loop(x):
            p.contribute(scope, x, tuple(parts) if isinstance(t, Tuple) else parts)
            return True
        p.scatter(scope, x, index, parts[int(index)])
        return True
    if isinstance(t, Dict) and known and not scope.crosses_loop(x):
        p.contribute(
            scope, x, {k: None for k, _ in t.items} | {index: p.total_of(scope, op.result)}
        )
        return True
    if isinstance(t, Array | List | Tuple | Dict | Unknown):
        g = p.total_of(scope, op.result)
        if p.f.changing and not isinstance(t, Array) and any(map(in_memory, arrays(t))):
            g = emit(runtime.settled, (p.memory, op.result, made(g)))  # it may be one of these
        p.scatter(scope, x, index, g)
        return True
    return False


def _getattr(p: Pullback, op: Op, scope: Scope) -> bool:
    x, name = op.args
    t = type_of(x)
    if isinstance(t, Unknown):
        p._dynamic(op, scope, operator.attrgetter(name), (x,))
        return True
    if not isinstance(t, Record):
        return False
    g = p.total_of(scope, op.result)
    if scope.crosses_loop(x):
        p.add_field(scope, x, name, g)
    else:
        p.contribute(scope, x, Fields(dict.fromkeys(differentiable(t)) | {name: g}))
    return True


def _added_field(p: Pullback, op: Op, scope: Scope) -> bool:
    buffer, name, c = op.args
    g = p.total_of(scope, op.result)
    p.contribute(scope, buffer, g)
    p.contribute(scope, c, member(g, name))
    return True


def _record(p: Pullback, op: Op, scope: Scope) -> bool:
    g = p.total_of(scope, op.result)
    for k, a in op.static.items():
        if any(v in p.active for v in values(a)):
            p.contribute(scope, a, member(g, k))
    return True


def _make_list(p: Pullback, op: Op, scope: Scope) -> bool:
    g = p.total_of(scope, op.result)
    for i, a in enumerate(op.args):
        if any(v in p.active for v in values(a)):
            p.contribute(scope, a, component(g, i))
    return True


def _make_dict(p: Pullback, op: Op, scope: Scope) -> bool:
    g = p.total_of(scope, op.result)
    for k, a in zip(op.args[0], op.args[1:], strict=True):
        if any(v in p.active for v in values(a)):
            p.contribute(scope, a, component(g, k))
    return True


def _construct(p: Pullback, op: Op, scope: Scope) -> bool:
    g = p.total_of(scope, op.result)
    for k, a in zip(op.args[1], op.args[2:], strict=True):
        if any(v in p.active for v in values(a)):
            p.contribute(scope, a, member(g, k))
    return True


def _unpack(p: Pullback, op: Op, scope: Scope) -> bool:
    parts = tuple(p.total_of(scope, r) for r in op.results)
    if scope.crosses_loop(op.args[0]):
        for i, part in enumerate(parts):
            p.scatter(scope, op.args[0], i, part)
    else:
        p.contribute(scope, op.args[0], parts)
    return True


def _captured(p: Pullback, op: Op, scope: Scope) -> bool:
    f, i = op.args
    if not isinstance(type_of(f), Closure):
        return False
    part = p.total_of(scope, op.result)
    if scope.crosses_loop(f):
        p.scatter(scope, f, i, part)
    else:
        parts: list[Atom] = [None] * captured_count(type_of(f))
        parts[i] = part
        p.contribute(scope, f, tuple(parts))
    return True


def _make_closure(p: Pullback, op: Op, scope: Scope) -> bool:
    g = p.total_of(scope, op.result)
    for i, a in enumerate(op.args[4:]):
        if any(v in p.active for v in values(a)):
            p.contribute(scope, a, component(g, i))
    return True


def _whole(p: Pullback, op: Op, scope: Scope) -> Atom:
    """The cotangent of a result as a run-time value, its strong zeros written out."""
    return made(filled(p.total_of(scope, op.result), op.result))


def _join(p: Pullback, op: Op, scope: Scope) -> bool:
    """The concatenation of lists or tuples."""
    if not all(isinstance(type_of(a), List | Tuple) for a in op.args):
        return False
    g = _whole(p, op, scope)
    p.contribute(scope, op.args, emit(runtime.unchain, (g, op.args)))
    return True


def _sum_of_bars(p: Pullback, op: Op, scope: Scope) -> bool:
    """The sum of two cotangents of which only the run knows what they are, or that are structures:
    in the derivative of a derivative.
    """
    if all(isinstance(type_of(a), Scalar | Array) for a in op.args):
        return False
    g = p.total_of(scope, op.result)
    if g is not None or p.f.arrays:
        memory = p.memory if p.f.changing else None
        pair = emit(runtime.unadded, (memory, op.result, *op.args, made(g)))
        for i, a in enumerate(op.args):
            if any(v in p.active for v in values(a)):
                p.contribute(scope, a, component(pair, i))
    return True


def _parts_of_a_sum(p: Pullback, op: Op, scope: Scope) -> bool:
    """The same once more."""
    memory, y, a, b, c = op.args
    g = p.total_of(scope, op.result)
    if g is not None or p.f.arrays:
        every = None if memory is None else around(p, memory)
        found = emit(runtime.unadded_back, (every, y, a, b, made(g), c))
        found.type = bar_type(type_of(c))
        p.contribute(scope, c, found)
    return True


def _repeat(p: Pullback, op: Op, scope: Scope) -> bool:
    for items in op.args:
        if isinstance(type_of(items), List | Tuple):
            n = emit(len, (items,))
            p.contribute(scope, items, emit(runtime.folded, (_whole(p, op, scope), n)))
            return True
    return False


def _folded(p: Pullback, op: Op, scope: Scope) -> bool:
    c, n = op.args
    times = emit(runtime.repeats, (c, n))
    p.contribute(scope, c, emit(operator.mul, (_whole(p, op, scope), times)))
    return True


def _bound(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], p.total_of(scope, op.result))
    return True


def _compress(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], emit(runtime.expand, (_whole(p, op, scope), op.args[0])))
    return True


def _expand(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], emit(runtime.selected, (_whole(p, op, scope), op.args[1])))
    return True


def _selected(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], emit(runtime.expand, (_whole(p, op, scope), op.args[1])))
    return True


def _chain(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], emit(runtime.unchain, (_whole(p, op, scope), op.args[0])))
    return True


def _unchain(p: Pullback, op: Op, scope: Scope) -> bool:
    p.contribute(scope, op.args[0], emit(runtime.chain, (_whole(p, op, scope),)))
    return True


STRUCTURAL: dict[Any, Callable[[Pullback, Op, Scope], bool]] = {
    operator.getitem: _getitem,
    getattr: _getattr,
    UNPACK: _unpack,
    runtime.make_list: _make_list,
    runtime.make_dict: _make_dict,
    runtime.construct: _construct,
    runtime.captured: _captured,
    runtime.make_closure: _make_closure,
    runtime.record: _record,
    runtime.add_field: _added_field,
    operator.add: _join,
    operator.mul: _repeat,
    runtime.folded: _folded,
    runtime.add: _sum_of_bars,
    runtime.unadded: _parts_of_a_sum,
    runtime.bound: _bound,
    runtime.named_as: _bound,
    runtime.compress: _compress,
    runtime.expand: _expand,
    runtime.selected: _selected,
    runtime.chain: _chain,
    runtime.unchain: _unchain,
}
