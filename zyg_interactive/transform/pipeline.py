"""The passes in order: what a differentiated function is made of, made once and kept."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.effects import is_reversed_late
from ..diagnostics import Refused, refuse
from ..ir.core import (
    FOR,
    UNPACK,
    Atom,
    Function,
    Infer,
    Op,
    Region,
    Undecided,
    Value,
    append,
    building,
    defined,
    emit,
    map_atom,
    reads,
    substitute,
    type_of,
    values,
)
from ..ir.types import Array, Const, Dict, List, Record, Scalar, Tuple, Type, Unknown, value_of
from .adjoint import Adjoint, Pair, Pattern, Watch
from .cotangents import Fields, as_scalar, filled, is_short, made, skeleton
from .pullback import Pullback
from .residuals import lighten, needed, recompute
from .simplify import drop_dead, simplify


class Derivatives:
    """Makes and keeps the derivatives of functions. `implicit`: with respect to globals too."""

    def __init__(self, infer: Infer, implicit: bool = False, watch: Watch | None = None):
        self.infer, self.implicit, self.watch = infer, implicit, watch
        self._pairs: dict[Any, Pair] = {}
        self._times: Counter[Function] = Counter()  # how many pairs there are of a function

    def adjoint(
        self,
        f: Function,
        wrt: tuple[int, ...],
        pattern: Pattern = True,
        outermost: bool = True,
        lasting: bool = True,
    ) -> Adjoint:
        """The adjoint of `f` in the parameters `wrt`; `pattern` tells which parts of the result are
        seeded. `lasting`: what `f` does not change stays as it is until the reverse part runs.
        """
        made = self.builder(f, wrt, pattern, outermost)
        made.lasting = lasting and outermost
        return made.adjoint()

    def builder(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, outermost: bool
    ) -> Pullback:
        if self.implicit and is_reversed_late(f.region, {f}):
            raise refuse(
                "ZYG105",
                "derivatives in globals of a derivative of a call that only the run knows",
                f.span,
                "pass what the function reads as an argument",
            )
        return Pullback(
            f, wrt, pattern, self.infer, self.pair, self.implicit, self.watch, outermost
        )

    def pair(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, outermost: bool = False
    ) -> Pair:
        """The forward and reverse function of a callee. `outermost`: its caller knows of no
        memory.
        """
        key = (f, wrt, pattern, outermost)
        if key in self._pairs:
            pair = self._pairs[key]
            pair.recursive = pair.recursive or not pair.done
            return pair
        n = len(self._pairs)
        tag = str(n) if self._times[f] else ""
        self._times[f] += 1
        order, changing = f.order + 1, f.changing
        forward, reverse = (
            Function(f"{f.name}{tag}_{half}", Region(), f.span, order=order, changing=changing)
            for half in ("forward", "reverse")
        )
        forward.arrays = reverse.arrays = f.arrays
        pair = self._pairs[key] = Pair(forward, reverse)
        try:
            self._fill(pair, self.adjoint(f, wrt, pattern, outermost), f)
        except (Refused, Undecided):
            del self._pairs[key]
            self._times[f] -= 1
            raise
        return pair

    def _fill(self, pair: Pair, a: Adjoint, f: Function) -> None:
        outs = a.reverse.outs
        # What goes round in a recursion, through any of its functions, has one form.
        going_round = any(p.recursive and not p.done for p in self._pairs.values())
        with building(a.reverse, f.span, self.infer):
            if going_round:
                outs = tuple(filled(o, p) for p, o in zip(a.bars, outs, strict=True))
            pair.parts = tuple(map(skeleton, outs))
            a.reverse.outs = tuple(map(made, outs))
        simplify(a.reverse)
        drop_dead(a.reverse)
        residuals, saved = self._handed_over(f, a)
        memory = () if a.memory is None else (a.memory,)
        a.reverse.params = (residuals, *a.seeds, *memory)
        a.primal.outs = (*a.primal.outs, tuple(saved))
        pair.forward.region, pair.reverse.region, pair.done = a.primal, a.reverse, True
        pair.forward.recursive = pair.reverse.recursive = pair.recursive

    def _handed_over(self, f: Function, a: Adjoint) -> tuple[Value, tuple[Value, ...]]:
        """Let the reverse part have what it reads of the primal from one parameter, the residuals;
        returns that, and what the primal must leave in it.
        """
        recompute(a.primal, a.reverse)
        saved = tuple(lighten(a.primal, a.reverse, needed(a.primal, a.reverse)))
        residuals = Value("saved", Tuple(tuple(type_of(v) for v in saved)), f.span)
        items = tuple(Value(v.name or "t", v.type, v.span) for v in saved)
        substitute(a.reverse, dict(zip(saved, items, strict=True)))
        if items:
            unpack = Region()
            with building(unpack, f.span, self.infer):
                append(Op(UNPACK, (residuals,), {}, items, (), f.span))
            a.reverse.ops[:0] = unpack.ops
        return residuals, saved

    def split(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern = True
    ) -> tuple[Function, Function]:
        """The pullback of `f` as two functions: the first returns (result, residuals), the second
        takes (residuals, *seeds) and returns the tuple of cotangents.
        """
        a = self._close(f, self.adjoint(f, wrt, pattern, lasting=not f.changing))
        residuals, saved = self._handed_over(f, a)
        a.primal.outs = ((a.primal.outs[0], saved),)
        a.reverse.params, a.reverse.outs = (residuals, *a.seeds), (tuple(a.reverse.outs),)
        forward = Function(f"{f.name}_forward", a.primal, f.span, f.hidden, f.guards)
        reverse = Function(f"{f.name}_reverse", a.reverse, f.span)
        for half in (forward, reverse):
            half.order, half.changing, half.arrays = f.order + 1, f.changing, f.arrays
        return forward, reverse

    def seeded(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, first: int = 0
    ) -> Function:
        """The pullback of `f` as one function of its parameters and the seeds, without what only
        the result of `f` needs; the first operations of `f`, so many, are kept in any case.
        """
        builder = self.builder(f, wrt, pattern, True)
        whole = builder.primal.ops[:first]
        a = self._close(f, builder.adjoint())
        region = Region(
            (*a.primal.params, *a.seeds), [*a.primal.ops, *a.reverse.ops], (a.reverse.outs,)
        )
        drop_dead(region, whole=whole)
        made = Function(f.name, region, f.span)
        made.order, made.changing, made.arrays = f.order + 1, f.changing, f.arrays
        return made

    def transposed(self, reverse: Function, pattern: Pattern) -> Function:
        """The derivative in a direction, from the second half of a `split`: what is linear in its
        seeds, transposed. It takes (residuals, *seeds, *tangents), and no value of a seed matters.
        """
        made = self.seeded(reverse, tuple(range(1, len(reverse.region.params))), pattern)
        made.name = f"{reverse.name.removesuffix('_reverse')}_push"
        return made

    def closed(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern = True, lasting: bool = True
    ) -> Adjoint:
        """The adjoint with its cotangents as a caller expects them: of the right type, sharing
        memory with nothing.
        """
        return self._close(f, self.adjoint(f, wrt, pattern, lasting=lasting))

    def _close(self, f: Function, a: Adjoint) -> Adjoint:
        with building(a.reverse, f.span, self.infer):
            a.reverse.outs = tuple(self._given_to(p, c) for p, c in a.bars.items())
        simplify(a.reverse)
        drop_dead(a.reverse)
        with building(a.reverse, f.span, self.infer):
            a.reverse.outs = owned(a)
        if a.memory is not None and a.memory in set(reads(a.reverse)):
            arrays = (True,) if f.arrays else ()
            a.reverse.ops.insert(0, Op(runtime.new_memory, arrays, {}, (a.memory,), (), f.span))
        return a

    def fused(
        self,
        f: Function,
        wrt: tuple[int, ...],
        *,
        value: bool = False,
        check: bool = False,
        pattern: Pattern = True,
    ) -> Function:
        """The gradient of a scalar function as one function: forward, then reverse. It returns a
        tuple with one entry for each of `wrt` (None where no path exists); (value, that tuple)
        where the value is asked for.

        `check`: make sure at the run that the result is a scalar.
        """
        a = self.adjoint(f, wrt, pattern)
        if check:
            with building(a.primal, f.span, self.infer):
                out = a.primal.outs[0]
                emit(runtime.check_scalar, (out[0] if isinstance(pattern, tuple) else out,))
        if a.seeds:
            one = _one(a.seeds[0].type)
            substitute(a.reverse, {a.seeds[0]: one})
            a.bars = {
                p: map_atom(lambda c: one if c is a.seeds[0] else c, c) for p, c in a.bars.items()
            }
        self._close(f, a)
        outs = (a.primal.outs[0], a.reverse.outs) if value else a.reverse.outs
        region = Region(a.primal.params, [*a.primal.ops, *a.reverse.ops], (outs,))
        forward = len(a.primal.ops)
        made = Function(f.name, region, f.span, f.hidden, f.guards, order=f.order + 1)
        made.forward, made.changing, made.arrays = forward, f.changing, f.arrays
        return made

    def _given_to(self, p: Value, c: Atom) -> Atom:
        """The cotangent of a parameter as its caller expects it."""
        t = p.type
        unsure = isinstance(t, Unknown) or (isinstance(t, Array) and t.dtype is None)
        if unsure and isinstance(c := made(c), Value):
            return emit(runtime.finished, (c, p), name=c.name)
        return self.finished(t, c)

    def finished(self, t: Type, c: Atom) -> Atom:
        """A cotangent as its caller expects it, structured as its value is: a Python number's is a
        Python number, a float32 array's float32.
        """
        if isinstance(t, Tuple) and isinstance(c, tuple):
            items = [self.finished(ti, ci) for ti, ci in zip(t.items, c, strict=True)]
            return t.cls(*items) if hasattr(t.cls, "_fields") else tuple(items)
        if isinstance(t, List) and t.items is not None and isinstance(c, list):
            return [self.finished(ti, ci) for ti, ci in zip(t.items, c, strict=True)]
        if isinstance(t, Dict) and isinstance(c, dict):
            return {k: self.finished(ti, c.get(k)) for k, ti in t.items}
        if isinstance(t, Record) and isinstance(c, dict):
            return made(Fields({k: self.finished(ti, c.get(k)) for k, ti in t.fields}))
        c = made(c)
        if not isinstance(c, Value):
            return c
        if isinstance(t, Scalar):
            return as_scalar(c, t)
        has = type_of(c)
        if isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "fc":
            if not (isinstance(has, Array) and has.dtype == t.dtype):
                done = emit(runtime.as_dtype, (c, t.dtype), name=c.name)
                done.type = t
                return done
        if isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "iu" and is_short(has):
            return emit(runtime.as_dtype, (c, np.dtype(float)), name=c.name)  # of int8, float16
        return c


def _one(t: Type) -> Any:
    """The seed of a gradient: 1, in the precision of the result."""
    if isinstance(t, Array) and t.dtype is not None and t.dtype != np.dtype(float):
        return t.dtype.type(1)
    return 1.0


def owned(a: Adjoint) -> tuple[Atom, ...]:
    """Copy what could share memory with an argument, with a value of the primal or with another
    gradient.
    """
    inside = set(defined(a.reverse))
    seen: set[Value] = set()
    result: list[Atom] = []
    for o in a.reverse.outs:
        shared = not _is_fresh(o, inside) or any(v in seen for v in values(o))
        seen.update(values(o))
        if shared and not _is_immutable(type_of(o)):
            copy = emit(runtime.own, (o,), name=getattr(o, "name", None))
            copy.type = value_of(type_of(o))
            o = copy
        result.append(o)
    return tuple(result)


# What returns a new array for certain, or changes one that the reverse part made itself.
FRESH: set[Any] = {
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow),
    *(operator.matmul, np.sum, np.where, np.outer, np.zeros_like, np.concatenate, np.stack),
    *(np.copy, runtime.copy),
    *(runtime.zeros_like, runtime.scalar, runtime.real_scalar, runtime.own),
    *(runtime.accumulate, runtime.add_at, runtime.collected),
}


def _is_fresh(o: Atom, inside: set[Value]) -> bool:
    """Whether an out is a new array that the reverse part made, which nothing else holds."""
    if isinstance(o, tuple | list | dict):
        return False
    if not isinstance(o, Value):
        return True
    if o not in inside or o.op is None:
        return False
    if o.op.fn is FOR:  # what a loop accumulates: new if it began so and each iteration makes it so
        k = o.op.results.index(o)
        if k >= o.op.static["carried"]:
            return False
        body, init = o.op.regions[0], o.op.args[o.op.static["sequences"] + k]
        return _is_fresh(init, inside) and _is_fresh(body.outs[k], inside)
    return o.op.fn in FRESH or isinstance(o.op.fn, np.ufunc)


def _is_immutable(t: Type) -> bool:
    return isinstance(t, Scalar | Const)
