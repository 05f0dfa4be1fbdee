"""What the forward part keeps for the reverse part: as little as a careful author would keep."""

from __future__ import annotations

import operator

import numpy as np

from ..ir.core import (
    IF,
    TRY,
    Atom,
    Op,
    Region,
    Value,
    defined,
    ints,
    map_atom,
    op_reads,
    reads,
    substitute,
    type_of,
    values,
    walk,
)
from ..ir.types import Array, Scalar

# Cheaper to compute again than to keep, on Python numbers; none of them can raise.
CHEAP = {
    operator.add,
    operator.sub,
    operator.mul,
    operator.neg,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
}
DEEPEST = 3


def needed(primal: Region, reverse: Region) -> list[Value]:
    """What the reverse part reads of the primal."""
    inside = set(defined(primal))
    return [v for v in dict.fromkeys(reads(reverse)) if v in inside]


def recompute(primal: Region, reverse: Region, around: set[Value] | None = None) -> None:
    """Compute again, at the start of `reverse`, what is cheap to compute from the rest it reads.

    `around`: the values from outside of `primal` that may be used; all where it is not given.
    """
    inside = set(defined(primal))
    read = needed(primal, reverse)
    base = set(read)
    cheap = {v for v in read if _recipe(v, inside, base, around, DEEPEST)}
    made: dict[Value, Atom] = {}
    ops: list[Op] = []

    def copied(u: Atom) -> Atom:
        if not isinstance(u, Value) or u not in inside or (u in base and u not in cheap):
            return u
        if u not in made:
            assert u.op is not None
            args = tuple(map_atom(copied, a) for a in u.op.args)
            result = Value(u.name, u.type, u.span)
            ops.append(Op(u.op.fn, args, {}, (result,), (), u.op.span))
            made[u] = result
        return made[u]

    for v in read:
        if v in cheap:
            copied(v)
    substitute(reverse, {v: made[v] for v in cheap})
    reverse.ops[:0] = ops


def _recipe(
    v: Value, inside: set[Value], base: set[Value], around: set[Value] | None, depth: int
) -> bool:
    """Whether `v` follows cheaply from what is at hand."""
    op = v.op
    if op is None or op.fn not in CHEAP or depth == 0 or not isinstance(v.type, Scalar):
        return False
    for a in op.args:
        if not isinstance(type_of(a), Scalar):
            return False
        if not isinstance(a, Value):
            continue
        if a in inside:
            if a not in base and not _recipe(a, inside, base, around, depth - 1):
                return False
        elif around is not None and a not in around:
            return False
    return True


SHAPE_ONLY = (np.shape, np.zeros_like)


def lighten(primal: Region, reverse: Region, needed: list[Value]) -> list[Value]:
    """Keep the shape of an array, not the array, where the reverse part asks for no more; returns
    what is needed now.
    """
    readers: dict[Value, list[Op]] = {}
    barred = set(values(reverse.outs))
    for op in walk(reverse):
        for v in op_reads(op):
            readers.setdefault(v, []).append(op)
        for inner in op.regions:
            barred.update(values(inner.outs))
    kept = []
    known: dict[Value, Atom] = {}
    shapes: dict[Op | None, list[Op]] = {}  # what is read after each op; None: at the beginning
    outermost = set(primal.ops)
    for v in needed:
        ops = readers.get(v, [])
        whole = v in barred or not isinstance(v.type, Array) or not v.type.shape
        if v.op is not None and v.op.fn in (IF, TRY):  # of a branch not taken: without a shape
            whole = True
        if whole or any(op.fn not in SHAPE_ONLY or op.static for op in ops):
            kept.append(v)
            continue
        assert isinstance(v.type, Array) and v.type.shape is not None
        shape = Value(f"{v.name}_shape" if v.name else None, ints(v.type.shape), v.span)
        at = v.op if v.op in outermost else None
        shapes.setdefault(at, []).insert(0, Op(np.shape, (v,), {}, (shape,), (), v.span))
        for op in ops:
            if op.fn is np.zeros_like:
                dtype = v.type.dtype
                op.fn, op.args = np.zeros, (shape,)
                op.static = {} if dtype in (None, np.dtype(float)) else {"dtype": dtype}
            else:
                known[op.result] = shape
        kept.append(shape)
    if shapes:
        following = [(op, *shapes.get(op, ())) for op in primal.ops]
        primal.ops = [*shapes.get(None, ()), *(op for ops in following for op in ops)]
    if known:
        _without(reverse, known)
        substitute(reverse, known)
    return kept


def _without(region: Region, gone: dict[Value, Atom]) -> None:
    region.ops = [op for op in region.ops if not any(r in gone for r in op.results)]
    for op in region.ops:
        for inner in op.regions:
            _without(inner, gone)
