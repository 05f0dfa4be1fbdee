"""Bounds of what is minimised.

A variable on a bound stays there: it moves with the bound, and the others as if it was a constant,
so in the system that the implicit function theorem solves its equation is `x = bound` (A. V. Fiacco
1976, "Sensitivity analysis for nonlinear programming using penalty methods"). That holds where the
function pushes against the bound. Where it does not, or hardly, the minimum leaves the bound as the
parameters move, and has no derivative: this is refused at the run.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import Atom, emit, type_of
from ...ir.types import Array, Const, List, Record, Tuple, Type, Unknown
from ..registry import RULES, Rule, call, constant, result, rule, unsupported
from ..sequences import nested
from ..sizes import members, rebuilt, shape_at
from .callables import not_there
from .solved import BOUND, NEAR, attributes, member

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741

# How bounds are given: a pair for each variable, or the lower ones and the upper ones.
PAIRS, ENDS = "pairs", "ends"
FIXED = 2


class Bounded(Rule):
    """Of a call with `bounds=`: those of which the type is not known are `fixed`, metadata."""

    def bind(
        self, args: tuple[Atom, ...], kwargs: dict[str, Atom]
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        data, static = super().bind(args, kwargs)
        at = self.data.index("bounds")
        if isinstance(type_of(data[at]), Unknown):
            return (*data[:at], None, *data[at + 1 :]), static | {"fixed": data[at]}
        return data, static


def bounded(fn: Any) -> None:
    """Let the rule of `fn` be one with `bounds`, and `fixed` in their place."""
    RULES[fn] = Bounded(**vars(RULES[fn]))


def none(given: Any) -> bool:
    """Whether an argument that may be left out holds nothing."""
    t = type_of(given)
    return given is None or given == () or (isinstance(t, Const) and t.value in (None, ()))


def ends(bounds: Any, form: str) -> tuple[Any, Any]:
    """The lower and the upper bounds, infinite where there is none."""
    if isinstance(bounds, O.Bounds):
        return bounds.lb, bounds.ub
    low, high = zip(*bounds, strict=True) if form == PAIRS else bounds
    return _numbers(low, -np.inf), _numbers(high, np.inf)


def _numbers(bound: Any, instead: float) -> Any:
    given = bound if isinstance(bound, tuple | list) else [bound]
    every = np.array([instead if b is None else b for b in given], float)
    return every if isinstance(bound, tuple | list) else np.reshape(every, np.shape(bound))


def sides(x: Any, slope: Any, curved: Any, bounds: Any, form: str) -> Any:
    """Where each variable is: -1 on its lower bound, 1 on its upper one, 0 between them, FIXED
    where they are one. `slope` and `curved`: the gradient of the function and its Hessian. Raises
    where the minimum may leave a bound, or come to it, as the parameters move.
    """
    low, high = (np.broadcast_to(end, np.shape(x)) for end in ends(bounds, form))
    above, below = x - low, high - x
    size = 1 + np.max(np.abs(x), initial=0.0)
    # It leads farther beyond the bound than what is found may be off.
    pushes = np.abs(slope) > 2 * NEAR * size * np.abs(np.diagonal(curved))
    at_low = (above <= NEAR * size) & (slope > 0) & pushes
    at_high = (below <= NEAR * size) & (slope < 0) & pushes
    side = np.select([low == high, at_low, at_high], [FIXED, -1, 1], 0)
    free = side == 0
    gap = np.minimum(above, below)[free]
    if np.any(gap < np.maximum(1e-6 * size, 2 * _step(curved[np.ix_(free, free)], slope[free]))):
        raise not_there(
            "a minimum almost on one of its bounds, which hardly hold it there, has no gradient",
            "leave out the bounds, or widen them",
        )
    return side


def _step(curved: Any, slope: Any) -> Any:
    """How far Newton's step leads; 0 where there is none, which is refused elsewhere."""
    try:
        return np.abs(np.linalg.solve(curved, slope))
    except np.linalg.LinAlgError:
        return np.zeros_like(slope)


def movable(side: Any) -> Any:
    """`side`; raises where bounds that are one would have a cotangent each."""
    if np.any(side == FIXED):
        raise not_there("a variable that its bounds hold in one place has no gradient in them")
    return side


constant(sides, movable)


@result(sides, movable)
def _sides_type(x: Any, *rest: Any) -> Type:
    return Array(np.dtype(int), shape_at(x))


@rule(O.Bounds, order="lb? ub? keep_feasible")
def _made(g: Any, y: Any, lb: Any, ub: Any, keep_feasible: Any = False) -> Any:
    low, high = attributes(g, "Bounds", "lb", "ub")
    return _in(low, lb), _in(high, ub)


@result(O.Bounds)
def _made_type(lb: Any = -np.inf, ub: Any = np.inf, keep_feasible: Any = False) -> Type:
    low, high = (Array(np.dtype(float), shape_at(b) or (1,)) for b in (lb, ub))
    return Record(O.Bounds, (("lb", low), ("ub", high)))


class Held:
    """Bounds in a rule, of what is found at `x`."""

    def __init__(self, x: Any, bounds: Any, form: str):
        self.x, self.bounds, self.form = x, bounds, form

    def sides(self, slope: Any, curved: Any) -> Any:
        self.side = emit(sides, (self.x, slope, curved, self.bounds, self.form))
        return self.side

    def bars(self, bar: Any) -> Any:
        """The cotangents of the bounds, from those of the variables that they hold."""
        side: Any = emit(movable, (self.side,))
        low, high = (np.where(np.equal(side, at), bar, 0.0) for at in (-1, 1))
        t = type_of(self.bounds)
        if self.form == PAIRS and isinstance(t, List | Tuple | Array):
            return nested(np.stack((low, high), axis=-1), self.bounds)
        if isinstance(t, Record):
            ends = (("lb", low), ("ub", high))
            return {k: call(runtime.unbroadcast, c, member(self.bounds, k)) for k, c in ends}
        both = members(self.bounds)
        if self.form == ENDS and both is not None and len(both) == 2:
            return rebuilt(self.bounds, [_in(low, both[0]), _in(high, both[1])])
        return unsupported("what has bounds of this kind", "write `bounds=[(a, b)]` in the call")


def held(x: Any, bounds: Any, fixed: Any, form: str) -> Held | None:
    given = bounds if fixed is None else fixed
    return None if none(given) else Held(x, given, form)


def of_bounds(found: dict[int, Any], held: Held | None) -> Any:
    """The cotangents of the bounds, from what `solved.through` gives."""
    if held is None or isinstance(type_of(held.bounds), Unknown):
        return None
    return held.bars(found[BOUND])


def _in(bar: Any, bound: Any) -> Any:
    """The cotangent of bounds of all variables, or of one bound for all of them."""
    if bar is None or bound is None:
        return None
    return np.sum(bar) if shape_at(bound) == () else nested(bar, bound)


__all__ = ["ENDS", "PAIRS", "Held", "bounded", "held", "none", "of_bounds", "sides"]
