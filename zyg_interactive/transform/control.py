"""The reverse of branches and loops."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from .. import runtime
from ..ir.core import (
    FOR,
    IF,
    TRY,
    Atom,
    Op,
    Region,
    Value,
    append,
    building,
    emit,
    reads,
    substitute,
    type_of,
    values,
)
from ..ir.types import UNKNOWN, Array, Dim, List, Tuple, Type, in_memory
from ..rules.elementwise import narrow
from .adjoint import Scope
from .cotangents import (
    as_scalar,
    bar_type,
    filled,
    made,
    plus,
    zero,
)
from .residuals import lighten, recompute
from .residuals import needed as residuals_of
from .simplify import drop_dead, needs

if TYPE_CHECKING:
    from .pullback import Pullback


def branch(p: Pullback, op: Op, scope: Scope) -> None:
    gs = [p.total_of(scope, r) for r in op.results]
    inner = []
    for primal in op.regions:
        sub = Scope(primal, p.infer, scope)
        with building(sub.region, op.span, p.infer, narrow):
            for out, g in zip(primal.outs, gs, strict=True):
                p.contribute(sub, out, g)
        p.reverse_region(primal, sub)
        inner.append(sub)
    outer = list(dict.fromkeys(x for sub in inner for x in sub.bars if x not in sub.own))
    threaded = list(dict.fromkeys(x for sub in inner for x in sub.threaded))
    for sub in inner:
        with building(sub.region, op.span, p.infer, narrow):
            totals = [_sum(p, sub, x) for x in outer]
            buffers = [sub.buffers.get(x, scope.buffer(x)) for x in threaded]
            sub.region.outs = (*totals, *buffers)
    results = [
        Value(f"{x.name}_bar" if x.name else None, bar_type(x.type), op.span)
        for x in (*outer, *threaded)
    ]
    if op.static.get("leaves"):  # the body came to its end, or nothing is reversed
        _export(p, op, Op(TRY, (), {}, (), tuple(sub.region for sub in inner), op.span))
        for part in inner[0].region.ops:
            append(part)
        outs = inner[0].region.outs  # of one value there may be both
        for x, c in zip(outer, outs, strict=False):
            p.contribute(scope, x, c)
        for x, c in zip(threaded, outs[len(outer) :], strict=True):
            scope.buffers[x] = c
        return
    condition = op.args
    if op.fn is TRY:  # whether the body came to its end
        condition = (emit(operator.not_, (op.results[0],)),)
    reverse = Op(IF, condition, {}, tuple(results), tuple(sub.region for sub in inner), op.span)
    for sub in inner:
        drop_dead(sub.region)
    _export(p, op, reverse)
    append(reverse)
    for x, r in zip(outer, results, strict=False):
        p.contribute(scope, x, r)
    for x, r in zip(threaded, results[len(outer) :], strict=True):
        scope.buffers[x] = r


def _sum(p: Pullback, sub: Scope, x: Value) -> Atom:
    """What a branch contributes to a value around it: zero written out, for the other branch
    may contribute.
    """
    total: Atom = None
    for c in sub.bars.pop(x, []):
        total = plus(total, c)
    return made(filled(as_scalar(total, x.type), x))


def _export(p: Pullback, op: Op, reverse: Op) -> None:
    """Make values of a branch that its reverse reads results of the branch."""
    exported: list[Value] = []
    homes: list[int] = []
    around = {v for region in reverse.regions for v in reads(region)}
    for k, (primal, region) in enumerate(zip(op.regions, reverse.regions, strict=True)):
        recompute(primal, region, around)
        for v in residuals_of(primal, region):
            exported.append(v)
            homes.append(k)
    outside = [Value(v.name, v.type, v.span) for v in exported]
    for k, region in enumerate(reverse.regions):
        substitute(
            region,
            {v: o for v, o, home in zip(exported, outside, homes, strict=True) if home == k},
        )
    for k, primal in enumerate(op.regions):
        primal.outs = (
            *primal.outs,
            *(
                v if home == k else _nothing(v.type)
                for v, home in zip(exported, homes, strict=True)
            ),
        )
    op.results = (*op.results, *outside)
    for o in outside:
        o.op = op


def loop(p: Pullback, op: Op, scope: Scope) -> None:
    body = op.regions[-1]
    sequences, carried, stop = (
        op.static["sequences"],
        op.static["carried"],
        int(op.static["stop"]),
    )
    params = body.params[sequences:]
    sub = Scope(body, p.infer, scope, loop=True)
    gathered = list(zip(op.results[carried:], body.outs[stop + carried :], strict=True))
    moving = [k for k in range(carried) if params[k] in p.active and not in_memory(params[k].type)]
    totals = {k: p.total_of(scope, op.results[k]) for k in moving}
    of_lists = [p.total_of(scope, result) for result, _ in gathered]
    if not p.f.changing:
        read = [out for (_, out), g in zip(gathered, of_lists, strict=True) if g is not None]
        moving = _reached(body, totals, read, params, stop)
    bars = {
        k: Value(f"{params[k].name or 't'}_bar", bar_type(params[k].type), op.span) for k in moving
    }
    inits = {k: made(filled(totals[k], op.results[k])) for k in moving}
    lists: list[tuple[Atom, Value]] = []
    with building(sub.region, op.span, p.infer, narrow):
        for k in moving:
            p.contribute(sub, body.outs[stop + k], bars[k])
    for (result, out), g in zip(gathered, of_lists, strict=True):
        if g is not None:
            assert isinstance(result.type, List)
            item = Value(None, bar_type(result.type.item), op.span)
            lists.append((made(g), item))
            with building(sub.region, op.span, p.infer, narrow):
                p.contribute(sub, out, item)
    p.reverse_region(body, sub)
    with building(sub.region, op.span, p.infer, narrow):
        nexts = [_next(p, sub, params[k], bars[k]) for k in moving]
        items = [
            (j, item)
            for j, item in enumerate(body.params[:sequences])
            if any(v in p.active for v in values(item))
        ]
        item_bars = [made(filled(_pattern_total(p, sub, item), item)) for _, item in items]
    taken = list(sub.carried)
    accumulated = [sub.buffers[x] for x in taken]
    same = [k for k, c in zip(moving, nexts, strict=True) if c is bars[k] and not p.f.changing]
    for k in same:  # each iteration hands it on as it is
        p.contribute(scope, op.args[sequences + k], inits[k])
    nexts = [c for k, c in zip(moving, nexts, strict=True) if k not in same]
    moving = [k for k in moving if k not in same]
    sub.region.outs = (*nexts, *accumulated, *item_bars)
    substitute(sub.region, {bars.pop(k): inits.pop(k) for k in same})
    item_bars = list(sub.region.outs[len(moving) + len(taken) :])
    drop_dead(sub.region)
    seqs, patterns, backwards = _saved(p, op, sub.region, bool(stop))
    seqs += [g for g, _ in lists]
    patterns += [item for _, item in lists]
    backwards += [True] * len(lists)
    sub.region.params = (*patterns, *bars.values(), *(sub.carried[x][0] for x in taken))
    results = [Value(f"{params[k].name or 't'}_bar", bars[k].type, op.span) for k in moving]
    results += [Value(f"{x.name or 't'}_bar", bar_type(x.type), op.span) for x in taken]
    results += [Value(None, List(type_of(b)), op.span) for b in item_bars]
    static = {
        "sequences": len(seqs),
        "backwards": tuple(backwards),
        "carried": len(moving) + len(taken),
        "stop": False,
    }
    args = (*seqs, *inits.values(), *(sub.carried[x][1] for x in taken))
    append(Op(FOR, args, static, tuple(results), (sub.region,), op.span))
    for k, r in zip(moving, results, strict=False):
        p.contribute(scope, op.args[sequences + k], r)
    for x, r in zip(taken, results[len(moving) :], strict=False):
        scope.buffers[x] = r
    for (j, _), r in zip(items, results[len(moving) + len(taken) :], strict=True):
        aligned = r if op.static["backwards"][j] else emit(runtime.reverse, (r,))
        aligned.type = r.type
        p.contribute(scope, op.args[j], aligned)


def _reached(
    body: Region, totals: dict[int, Atom], read: list[Atom], params: tuple[Value, ...], stop: int
) -> list[int]:
    """The carried values that a cotangent comes to, from after the loop (`totals`), from what it
    collects (`read`), or from another one of them.
    """
    found = [k for k, g in totals.items() if g is not None]
    while True:
        wanted = set(values((*(body.outs[stop + k] for k in found), *read)))
        needed = needs(body, wanted)
        more = [k for k in totals if k in found or params[k] in needed]
        if more == found:
            return found
        found = more


def _next(p: Pullback, sub: Scope, param: Value, bar: Value) -> Atom:
    total = p.total_of(sub, param)
    if total is None:
        if isinstance(bar.type, Array) and _keeps_its_size(bar.type):
            total = emit(np.zeros_like, (bar,))
            total.type = bar.type
            return total
        return zero(param)
    return made(filled(total, param))


def _pattern_total(p: Pullback, sub: Scope, item: Atom) -> Atom:
    if isinstance(item, tuple):
        return tuple(_pattern_total(p, sub, x) for x in item)
    return p.total_of(sub, item)


def _saved(
    p: Pullback, op: Op, reverse: Region, stop: bool
) -> tuple[list[Atom], list[Atom], list[bool]]:
    """What the reverse loop goes through: the range itself, or a tape of what it reads."""
    body = op.regions[-1]
    recompute(body, reverse)
    needed = residuals_of(body, reverse)
    sequences = op.static["sequences"]
    heads = set(values(body.params[:sequences]))
    if op.fn is FOR and not stop and all(v in heads for v in needed):
        copies = {v: Value(v.name, v.type, v.span) for v in heads}
        substitute(reverse, copies)
        patterns = [_renamed(item, copies) for item in body.params[:sequences]]
        return list(op.args[:sequences]), patterns, [not b for b in op.static["backwards"]]
    needed = list(dict.fromkeys(lighten(body, reverse, needed)))
    if needed and not p.f.changing:
        there = _tape_with(op, body, set(needed), int(stop))
        if there is not None:
            result, held = there
            slots = tuple(Value(v.name, v.type, v.span) for v in held)
            substitute(reverse, dict(zip(held, slots, strict=True)))
            return [result], [slots], [True]
    items = [Value(v.name, v.type, v.span) for v in needed]
    substitute(reverse, dict(zip(needed, items, strict=True)))
    kept: Atom = tuple(needed) if len(needed) != 1 else needed[0]
    tape = Value("tape", List(type_of(kept)), op.span)
    body.outs = (*body.outs, kept if needed else None)
    op.results = (*op.results, tape)
    tape.op = op
    pattern: Atom = (
        tuple(items) if len(items) > 1 else items[0] if items else Value(None, UNKNOWN, op.span)
    )
    return [tape], [pattern], [True]


def _tape_with(
    op: Op, body: Region, needed: set[Value], stop: int
) -> tuple[Value, tuple[Value, ...]] | None:
    """A tape that the loop keeps for another derivative, where it has all that this one needs."""
    first = op.static["carried"]
    for result, kept in zip(op.results[first:], body.outs[stop + first :], strict=True):
        if isinstance(kept, tuple) and all(isinstance(v, Value) for v in kept):
            if needed <= set(kept) and len(set(kept)) == len(kept) > 1:
                return result, kept
    return None


def _renamed(p: Atom, copies: dict[Value, Value]) -> Atom:
    return tuple(_renamed(x, copies) for x in p) if isinstance(p, tuple) else copies[p]


def _nothing(t: Type, depth: int = 20) -> Atom:
    """What stands for a value of a branch that was not taken: None, in the structure of a tuple;
    not in all of it where what calls of calls of calls keep would be as large as all of them.
    """
    if not isinstance(t, Tuple) or not depth:
        return None
    if depth > 2 and _leaves(t, MOST_LEAVES) > MOST_LEAVES:
        depth = 2
    return tuple(_nothing(i, depth - 1) for i in t.items)


MOST_LEAVES = 500


def _leaves(t: Type, most: int) -> int:
    """The number of parts of a tuple, counted no further than `most`."""
    if not isinstance(t, Tuple):
        return 1
    count = 0
    for i in t.items:
        count += _leaves(i, most - count)
        if count > most:
            break
    return count


def _keeps_its_size(t: Array) -> bool:
    """Whether all values of this type that a loop carries are known to have one size."""
    sizes = t.shape or ()
    return bool(sizes) and not any(isinstance(s, Dim) and s.name.startswith("?") for s in sizes)
