"""What makes generated code short: dead code goes, multiplications by the seed 1.0 go, displays are
read directly.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.effects import changes_memory
from ..ir.core import (
    FOR,
    IF,
    TRY,
    Atom,
    Function,
    Marker,
    Op,
    Region,
    Value,
    map_atom,
    op_reads,
    reads,
    same_atom,
    type_of,
    values,
    walk,
)
from ..ir.types import UNKNOWN, Array, Scalar, in_memory, shape_of

RECORD = Marker("record")  # (node, role, value): report to the recorder
LATE_REVERSES = (runtime.dynamic_reverse, runtime.late_reverse, runtime.late_again)
KEPT = {*LATE_REVERSES, runtime.check_same, RECORD}


def has_effect(op: Op) -> bool:
    """Whether an op does something though nothing reads its results."""
    if op.regions:
        return any(has_effect(inner) for region in op.regions for inner in region.ops)
    if isinstance(op.fn, Function):
        return changes_memory(op) or _reverses_late(op.fn, set())
    return (not isinstance(op.fn, dict | list) and op.fn in KEPT) or changes_memory(op)


def _reverses_late(f: Function, seen: set[Function]) -> bool:
    """Whether a function reverses a call that only the run knows: what that reaches has its
    cotangents beside the results.
    """
    if f in seen:
        return False
    seen.add(f)
    return any(
        op.fn in LATE_REVERSES
        or (isinstance(op.fn, Function) and _reverses_late(op.fn, seen))
        for op in walk(f.region)
    )


def drop_dead(
    region: Region, live: set[Value] | None = None, whole: Collection[Op] = ()
) -> set[Value]:
    """Remove what nothing reads from a region without side effects; returns the values it reads.
    What is in `whole` stays as it is: it may raise, or have an effect that a user sees.
    """
    live = set(live or ())
    live.update(values(region.outs))
    stays = set(map(id, whole))
    kept = []
    for op in reversed(region.ops):
        if id(op) in stays:
            live.update(op_reads(op), *map(reads, op.regions))
            kept.append(op)
            continue
        if not any(r in live for r in op.results) and not has_effect(op):
            continue
        if op.fn in (IF, TRY):
            _prune_branch(op, live)
        elif op.fn is FOR:
            _prune_loop(op, live)
        live.update(op_reads(op))
        for inner in op.regions:
            live |= drop_dead(inner)
        kept.append(op)
    region.ops = kept[::-1]
    return live


def _prune_branch(op: Op, live: set[Value]) -> None:
    keep = [r in live for r in op.results]
    if not all(keep):
        op.results = tuple(r for r, k in zip(op.results, keep, strict=True) if k)
        for region in op.regions:
            region.outs = tuple(o for o, k in zip(region.outs, keep, strict=True) if k)


def _prune_loop(op: Op, live: set[Value]) -> None:
    """Drop carried and collected values that neither the rest nor a later iteration needs."""
    if op.static["stop"]:
        return
    body, sequences, carried = op.regions[0], op.static["sequences"], op.static["carried"]
    keep = [r in live for r in op.results]
    params = body.params[sequences:]
    while True:
        wanted = set(values(tuple(o for o, k in zip(body.outs, keep, strict=True) if k)))
        wanted |= needs(body, wanted)
        more = [k or (i < carried and params[i] in wanted) for i, k in enumerate(keep)]
        if more == keep:
            break
        keep = more
    if all(keep):
        return
    op.results = tuple(r for r, k in zip(op.results, keep, strict=True) if k)
    body.outs = tuple(o for o, k in zip(body.outs, keep, strict=True) if k)
    body.params = (*body.params[:sequences], *(p for p, k in zip(params, keep, strict=False) if k))
    op.args = (
        *op.args[:sequences],
        *(a for a, k in zip(op.args[sequences:], keep, strict=False) if k),
    )
    op.static["carried"] = sum(keep[:carried])


def needs(region: Region, wanted: set[Value]) -> set[Value]:
    """Everything that the computation of `wanted` reads."""
    needed = set(wanted)
    for op in reversed(region.ops):
        if any(r in needed for r in op.results) or has_effect(op):
            needed.update(op_reads(op))
            for inner in op.regions:
                needed.update(reads(inner))
    return needed


def simplify(region: Region) -> None:
    """Fold what is certain, in place."""
    _fold(region, {})


def _fold(region: Region, known: dict[Value, Atom]) -> None:
    def new(a: Atom) -> Atom:
        return known.get(a, a) if isinstance(a, Value) else a

    ops: list[Op] = []
    for op in region.ops:
        op.args = tuple(map_atom(new, a) for a in op.args)
        op.static = {k: map_atom(new, v) for k, v in op.static.items()}
        for inner in op.regions:
            _fold(inner, known)
        fold = FOLDS.get(op.fn) if not isinstance(op.fn, dict | list) else None
        folded = fold(op, ops) if fold is not None else None
        if folded is None:
            ops.append(op)
        else:
            known[op.result] = folded[0]
    region.ops = ops
    region.outs = tuple(map_atom(new, o) for o in region.outs)


Folded = tuple[Atom] | None


def _multiply(op: Op, before: list[Op]) -> Folded:
    _broadcast_by_itself(op)
    a, b = op.args
    for x, y in ((a, b), (b, a)):
        if _is(x, 1.0) and _floating(y):
            if isinstance(y, Value) and y.name is None:
                y.name = op.result.name
            return (y,)
    if all(type(x) in (int, float) for x in (a, b)):
        return (a * b,)
    for x, y in ((a, b), (b, a)):
        if type(x) is float and _made_by(y, np.broadcast_to) and type(y.op.args[0]) is float:
            op.fn, op.args = np.broadcast_to, (x * y.op.args[0], y.op.args[1])
            return None
        if type(x) is float and _made_by(y, operator.mul) and _floating(y):
            for factor, rest in (y.op.args, y.op.args[::-1]):
                # Exact: one of the factors only moves the exponent.
                if type(factor) in (int, float) and (_is_power(factor) or _is_power(x)):
                    op.args = (x * factor, rest)
                    return None
        if _made_by(x, operator.neg) and op.fn is operator.mul:  # exact: -a * b is -(a * b)
            product = Value(None, op.result.type, op.result.span)
            before.append(Op(operator.mul, (x.op.args[0], y), {}, (product,), (), op.span))
            op.fn, op.args = operator.neg, (product,)
            return None
    return None


def _is_power(x: float) -> bool:
    """Whether a number is a power of two, small enough that scaling by it loses nothing."""
    return x != 0 and abs(math.frexp(x)[0]) == 0.5 and 2**-10 <= abs(x) <= 2**10


def _broadcast_by_itself(op: Op) -> None:
    """An operand that is broadcast to the shape of the other one need not be."""
    a, b = op.args
    for i, (x, y) in enumerate(((a, b), (b, a))):
        made = x.op if isinstance(x, Value) else None
        if made is None or made.fn is not np.broadcast_to or not isinstance(y, Value):
            continue
        shape, other = shape_of(x.type), shape_of(y.type)
        if shape is not None and shape == other and type_of(made.args[0]) != UNKNOWN:
            op.args = (made.args[0], y) if i == 0 else (y, made.args[0])
            return


def _add(op: Op, before: list[Op]) -> Folded:
    a, b = op.args
    for x, y in ((a, b), (b, a)):
        if _is(x, 0.0) and _floating(y):
            return (y,)
    if all(type(x) in (int, float) for x in (a, b)):
        return (a + b,)
    for x, y in ((a, b), (b, a)):
        if _made_by(x, operator.neg):  # exact: y + -x is y - x
            op.fn, op.args = operator.sub, (y, x.op.args[0])
            return None
    if _made_by(a, operator.mul) and _made_by(b, operator.mul) and _floating(a):
        if all(map(same_atom, a.op.args, b.op.args)):  # exact: x + x is 2 x
            op.fn, op.args = operator.mul, (2.0, a)
    return None


def _subtract(op: Op, before: list[Op]) -> Folded:
    a, b = op.args
    if _made_by(b, operator.neg):
        op.fn, op.args = operator.add, (a, b.op.args[0])
    return None


def _made_by(x: Atom, fn: Any) -> bool:
    """Whether an op made a value, of operands that are now what they were then."""
    if not isinstance(x, Value) or x.op is None or x.op.fn is not fn:
        return False
    return not any(in_memory(type_of(a)) for a in x.op.args)


def _negate(op: Op, before: list[Op]) -> Folded:
    (x,) = op.args
    return (-x,) if type(x) in (int, float) else None


def _getitem(op: Op, before: list[Op]) -> Folded:
    x, index = op.args
    if isinstance(x, tuple | list) and isinstance(index, int) and -len(x) <= index < len(x):
        return (x[index],)
    if (
        isinstance(x, Value)
        and x.op is not None
        and x.op.fn is runtime.make_list
        and isinstance(index, int)
    ):
        if -len(x.op.args) <= index < len(x.op.args):
            return (x.op.args[index],)
    return None


def _shape(op: Op, before: list[Op]) -> Folded:
    """A buffer has the shape of what it is for, whatever was added to it."""
    (x,) = op.args
    while isinstance(x, Value) and x.op is not None and x.op.fn in SHAPED and shape_of(x.type):
        if not isinstance(x.op.args[0], Value) or not shape_of(x.op.args[0].type):
            break
        x = x.op.args[0]
    op.args = (x,)
    return None


SHAPED: set[Any] = {runtime.add_at, runtime.accumulate, np.zeros_like}


def _is(x: Atom, constant: float) -> bool:
    return type(x) in (int, float) and x == constant


def _floating(x: Atom) -> bool:
    """Whether multiplying by 1.0 changes nothing, the type included."""
    t = type_of(x)
    if isinstance(t, Scalar):
        return t.kind in ("float", "complex")
    if in_memory(t):  # the array itself is no copy of it
        return False
    return isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "fc"


FOLDS: dict[Any, Callable[[Op, list[Op]], Folded]] = {
    operator.mul: _multiply,
    np.multiply: _multiply,
    operator.add: _add,
    operator.sub: _subtract,
    operator.neg: _negate,
    operator.getitem: _getitem,
    np.shape: _shape,
}
