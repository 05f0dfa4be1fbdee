"""Derivatives inside differentiated code: the call of a transformation becomes a call of its
generated IR.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass, replace
from typing import Any

from . import api, controls, dense, derived, runtime
from .diagnostics import refuse
from .engine import library
from .frontend.calls import Calls
from .frontend.link import INTRINSICS, Intrinsic
from .frontend.lower import lower_call
from .frontend.names import parameters
from .frontend.resolve import UserFunction
from .frontend.scope import LocalFunction
from .ir.core import Atom, Function, Value, type_of
from .ir.types import may_be_differentiable
from .seeds import pattern_of
from .transformed import Transformed


def _chosen(
    xs: tuple[Atom, ...], wrt: Any, values: list[Atom], places: dict[int, int]
) -> tuple[list[int], list[int]]:
    """The arguments that gradients are asked for, and those of them that can have one."""
    asked = list(range(len(xs)) if wrt is None else [wrt] if isinstance(wrt, int) else wrt)
    return asked, [
        i for i in asked if i in places and may_be_differentiable(type_of(values[places[i]]))
    ]


def _gradient(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    f, xs = args[0], args[1:]
    options = dict(kwargs)
    if not xs:
        return Transformed(api.gradient, f, options)
    wrt = options.pop("wrt", None)
    zeros = options.pop("zeros", False)
    if options:
        raise refuse(
            "ZYG101", f"`{next(iter(options))}=` inside differentiated code", lowering.span(node)
        )
    callee, values, places = _callee(lowering, f, xs, node)
    asked, chosen = _chosen(xs, wrt, values, places)
    made = lowering.context.gradient(callee, tuple(places[i] for i in chosen))
    result = lowering.op(made, tuple(values), {}, node)
    lowering.returned(result, made.result, node)
    found = {i: lowering.subscript(result, k, node) for k, i in enumerate(chosen)}
    if zeros:
        missing = [i for i in asked if i not in found or found[i] is None]
        found |= {i: lowering.op(runtime.zeros_like, (xs[i],), {}, node) for i in missing}
    every = tuple(found.get(i) for i in asked)
    return every[0] if isinstance(wrt, int) else every


def _derivative(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    if len(args) == 1:
        return Transformed(api.derivative, args[0], {})
    return _gradient(lowering, args, {"wrt": 0, "zeros": True}, node)


def _transformed(context: Any, f: Transformed) -> Any:
    def call(
        lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        found: Atom = INTRINSICS[f.transform](lowering, (f.f, *args), {**f.options, **kwargs}, node)
        return found

    return call


def _callee(
    lowering: Calls, f: Atom, xs: tuple[Atom, ...], node: ast.AST
) -> tuple[Function, list[Atom], dict[int, int]]:
    """The function whose gradient is taken, the values it is called with, and which of its
    parameters each argument is.
    """
    args = tuple(
        lowering.op(operator.pos, (x,), {}, node)
        if isinstance(x, int | float | complex)
        else lowering.materialise(x, node)
        for x in xs
    )
    if isinstance(f, LocalFunction):
        f = f.fn
    if isinstance(f, UserFunction) and f.node.args.vararg is None:
        callee, values = lowering.linked(f, args, {}, node)
        names = parameters(f.node.args)
        first = 0
    else:  # every argument must be a parameter by itself
        given, first = args, 0
        if isinstance(f, Value):  # which function it is, or what it captured, the run knows
            f, given, first = library(derived.call), (f, *args), 1
        names = [f"a{i}" for i in range(len(given))]
        types = dict(zip(names, map(type_of, given), strict=True))
        callee = lower_call(getattr(f, "__name__", "call"), lambda _: f, types, lowering.context)
        values = [
            *given,
            *(lowering.hidden_value(h, p.type, h.name, node) for h, p in callee.hidden_params()),
        ]
        for g in callee.guards:
            lowering.guards[g.key] = g
    own = [p.name for p in callee.region.params[: len(callee.region.params) - len(callee.hidden)]]
    wanted = names[first : first + len(args)]
    return callee, values, {i: own.index(n) for i, n in enumerate(wanted) if n in own}


@dataclass(frozen=True, eq=False)
class Pulled:
    """The reverse part of a pullback that is taken in differentiated code."""

    reverse: Function
    pattern: Any
    asked: tuple[int, ...]
    chosen: tuple[int, ...]

    def __call__(self, *args: Any) -> Any:
        raise TypeError("a part of a program, not a function")


def _pullback(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    callee, values, places = _callee(lowering, args[0], args[1:], node)
    asked, chosen = _chosen(args[1:], kwargs.get("wrt"), values, places)
    pattern = pattern_of(callee.result)
    forward, reverse = lowering.context.split(
        callee, tuple(places[i] for i in chosen), pattern
    )
    result = lowering.op(forward, tuple(values), {}, node)
    lowering.returned(result, forward.result, node)
    y, saved = (lowering.subscript(result, k, node) for k in range(2))
    handle = Pulled(reverse, pattern, tuple(asked), tuple(chosen))
    back = lowering.call(library(derived.back_of), (handle, y, saved), {}, node)
    return (y, back)


def _pulled(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    """The call of what `pullback` returned."""
    handle, y, saved, seed = args
    assert isinstance(handle, Pulled)
    seeds = _seeds(lowering, handle.pattern, y, seed, node)
    result = lowering.op(handle.reverse, (saved, *seeds), {}, node)
    lowering.returned(result, handle.reverse.result, node)
    found = {i: lowering.subscript(result, k, node) for k, i in enumerate(handle.chosen)}
    return tuple(found.get(i) for i in handle.asked)


def _seeds(
    lowering: Calls, pattern: Any, y: Atom, seed: Atom, node: ast.AST
) -> list[Atom]:
    """The seeds of the leaves of a result."""
    if isinstance(pattern, tuple):
        given = [
            None if seed is None else lowering.subscript(seed, i, node)
            for i in range(len(pattern))
        ]
        parts = [lowering.subscript(y, i, node) for i in range(len(pattern))]
        return [
            leaf
            for p, part, s in zip(pattern, parts, given, strict=True)
            for leaf in _seeds(lowering, p, part, s, node)
        ]
    if pattern is None:
        return []
    if seed is None:
        seed = lowering.op(runtime.zeros_like, (y,), {}, node)
    return [seed]


def _derived(public: Any, f: Any) -> Intrinsic:
    """A transformation made of pullbacks: lowered from its text."""

    def lowered(
        lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        if len(args) == 1:
            return Transformed(public, args[0], dict(kwargs))
        return lowering.call(library(f), args, kwargs, node)

    return lowered


def _gradient_of_one(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    return _gradient(lowering, args, {"wrt": 0, "zeros": True}, node)


def _checkpointed(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    callee, values, _ = _callee(lowering, args[0], args[1:], node)
    again = replace(callee, checkpoint=True)
    result = lowering.op(again, tuple(values), {}, node)
    lowering.returned(result, callee.result, node)
    return result


INTRINSICS[derived.first_of] = lambda lowering, args, kwargs, node: lowering.call(
    library(derived.first_of), args, kwargs, node
)
INTRINSICS[controls.checkpointed] = _checkpointed
INTRINSICS[controls.isderiving] = lambda *_: True
INTRINSICS[api.gradient] = _gradient
INTRINSICS[api.derivative] = _derivative
INTRINSICS[api.pullback] = INTRINSICS[derived.pullback] = _pullback
INTRINSICS[derived.gradient] = _gradient_of_one
INTRINSICS[derived.pulled] = _pulled
for public, made in {
    api.withgradient: derived.withgradient,
    dense.pushforward: derived.pushforward,
    dense.jacobian: derived.jacobian,
    dense.hessian: derived.hessian,
    dense.diaghessian: derived.diaghessian,
    dense.hvp: derived.hvp,
}.items():
    INTRINSICS[public] = _derived(public, made)
INTRINSICS[Transformed] = _transformed
