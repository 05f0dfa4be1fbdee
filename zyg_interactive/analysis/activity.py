"""Which values depend on the inputs a derivative is taken in."""

from __future__ import annotations

from ..ir.core import CALL_VALUE, FOR, IF, WHILE, Atom, Function, Op, Region, Value, type_of, values
from ..ir.types import Other, Unknown, may_be_differentiable, refers
from ..rules.registry import REFUSAL, lookup
from .effects import changes_memory, function_changes, reads_memory


def active_values(region: Region, active: set[Value], implicit: bool = False) -> set[Value]:
    """Add to `active` every value of `region` that depends on it differentiably.

    `implicit`: derivatives in globals are asked for as well, so a callee that only the run knows is
    active by itself.
    """
    for op in region.ops:
        if op.fn is IF:
            for inner in op.regions:
                active_values(inner, active, implicit)
                active |= {
                    r for r, o in zip(op.results, inner.outs, strict=True) if _any(o, active)
                }
        elif op.fn in (FOR, WHILE):
            _loop(op, active, implicit)
        elif is_active(op, active, implicit):
            active |= {r for r in op.results if may_be_differentiable(r.type)}
            if REFUSAL in op.static:  # it may keep them in an object that it is given
                active |= {v for v in values(op.args) if isinstance(v.type, Other | Unknown)}
    return active


def is_active(op: Op, active: set[Value], implicit: bool = False) -> bool:
    """Whether a derivative may flow through an op without regions."""
    if implicit and op.fn is CALL_VALUE:
        return True
    if reads_memory(op):  # of which it is not known here what was stored there
        return True
    rule = None if isinstance(op.fn, Function) else lookup(op.fn)
    if rule is not None and rule.pullback is None:
        return False
    if isinstance(op.fn, Function) and function_changes(op.fn, set()):
        return True
    if rule is None and any(refers(type_of(a)) for a in (*op.args, *op.static.values())):
        return not changes_memory(op)  # what it makes of an object may depend on all that it holds
    return any(v in active for v in values(op.args)) or any(v in active for v in values(op.static))


def _loop(op: Op, active: set[Value], implicit: bool) -> None:
    body = op.regions[-1]
    sequences = op.static["sequences"]
    stop = int(op.static["stop"])
    for item, a in zip(body.params[:sequences], op.args[:sequences], strict=True):
        if _any(a, active):
            active |= {v for v in values(item) if may_be_differentiable(v.type)}
    carried = body.params[sequences:]
    inits = op.args[sequences:]
    nexts = body.outs[stop : stop + len(carried)]
    while True:
        before = len(active)
        for p, a, o in zip(carried, inits, nexts, strict=True):
            if (_any(a, active) or _any(o, active)) and may_be_differentiable(p.type):
                active.add(p)
        active_values(body, active, implicit)
        if len(active) == before:
            break
    for r, o in zip(op.results, body.outs[stop:], strict=True):
        if _any(o, active):
            active.add(r)
    for r, p in zip(op.results, carried, strict=False):
        if p in active:
            active.add(r)


def _any(atom: Atom, active: set[Value]) -> bool:
    return may_be_differentiable(type_of(atom)) and any(v in active for v in values(atom))
