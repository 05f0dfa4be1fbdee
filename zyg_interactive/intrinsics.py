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
from .frontend.scope import LocalFunction, Poisoned
from .ir.core import Atom, Function, Value, type_of
from .ir.types import (
    UNBOUND_TYPE,
    Array,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
    may_be_differentiable,
    shape_of,
)
from .seeds import first_of, pattern_of, require_scalar, unsure
from .transformed import Transformed


def _asked(
    lowering: Calls,
    wrt: Any,
    xs: tuple[Atom, ...],
    values: list[Atom],
    places: dict[int, int],
    node: ast.AST,
) -> tuple[list[int], list[int]]:
    """The arguments that gradients are asked for, and those of them that can have one."""
    asked = _numbers(lowering, wrt, len(xs), node)
    for i in asked if lowering.heap is not None else ():
        if isinstance(type_of(xs[i]), Unknown):
            lowering.op(runtime.check_plain, (xs[i],), {}, node)
    return asked, [
        i for i in asked if i in places and may_be_differentiable(type_of(values[places[i]]))
    ]


def _is_held(t: Type) -> bool:
    """Whether cotangents may belong to what something in memory holds."""
    parts = t.site.find().contents.values() if isinstance(t, Ref) else ()
    return any(may_be_differentiable(p) or isinstance(p, Ref) for p in parts)


def _not_collected(lowering: Calls, node: ast.AST) -> Poisoned:
    """In the place of a gradient in a list, dict or object that may be changed: refused where it
    is read.
    """
    return Poisoned(
        refuse(
            "ZYG101",
            "a gradient in a list, dict or object, inside of a program that changes something, "
            "is not supported",
            lowering.span(node),
            "let the function take the numbers or arrays themselves as arguments",
        )
    )


def _numbers(lowering: Calls, wrt: Any, n: int, node: ast.AST) -> list[int]:
    """The numbers of the arguments that are asked for, of n."""
    if isinstance(wrt, Value):
        raise refuse(
            "ZYG503",
            "`wrt=` inside differentiated code must be known before the run",
            lowering.span(node),
            "write it as a constant",
        )
    asked = list(range(n) if wrt is None else [wrt] if isinstance(wrt, int) else wrt)
    for i in asked:
        if isinstance(i, Value) or not -n <= i < n:
            raise refuse(
                "ZYG503", f"there is no argument {i}: {n} were given", lowering.span(node)
            )
    return [i % n for i in asked]


def _options(
    lowering: Calls, kwargs: dict[str, Atom], known: tuple[str, ...], node: ast.AST
) -> None:
    for name in kwargs:
        if name not in known:
            raise refuse("ZYG101", f"`{name}=` inside differentiated code", lowering.span(node))


def _gradient(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    if len(args) == 1:
        return Transformed(api.gradient, args[0], dict(kwargs))
    return _value_and_gradient(lowering, args, kwargs, node, False)[1]


def _withgradient(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    return _value_and_gradient(lowering, args, kwargs, node, True)


def _value_and_gradient(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST, value: bool
) -> tuple[Atom, Atom]:
    _options(lowering, kwargs, ("wrt", "zeros"), node)
    wrt, xs = kwargs.get("wrt"), args[1:]
    callee, values, places = _callee(lowering, args[0], xs, node)
    asked, chosen = _asked(lowering, wrt, xs, values, places, node)
    out, pattern = first_of(callee) if value else (callee.region.outs[0], True)
    if type_of(out) == UNBOUND_TYPE:  # in a recursion: not yet known, neither are cotangents
        y = lowering.op(callee, tuple(values), {}, node)
        return y, y if isinstance(wrt, int) else (y,) * len(asked)
    if lowering.heap is None or isinstance(type_of(out), Scalar | Array):
        require_scalar(callee, out)  # else the run does
    made = lowering.context.gradient(
        callee, tuple(places[i] for i in chosen), value, unsure(out), pattern
    )
    result = lowering.op(made, tuple(values), {}, node)
    lowering.returned(result, made.result, node)
    bars = lowering.subscript(result, 1, node) if value else result
    found = {i: lowering.subscript(bars, k, node) for k, i in enumerate(chosen)}
    held = [i for i in asked if i in places and _is_held(type_of(values[places[i]]))]
    found |= {i: _not_collected(lowering, node) for i in held}
    if kwargs.get("zeros"):
        missing = [i for i in asked if i not in found or found[i] is None]
        found |= {i: lowering.op(runtime.zeros_like, (xs[i],), {}, node) for i in missing}
    every = tuple(found.get(i) for i in asked)
    of_value = lowering.subscript(result, 0, node) if value else None
    return of_value, every[0] if isinstance(wrt, int) else every


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
    alone: bool  # one cotangent is asked for, not a tuple
    held: tuple[int, ...]  # the arguments in memory: what they hold has cotangents

    def __call__(self, *args: Any) -> Any:
        raise TypeError("a part of a program, not a function")


def _pullback(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> tuple[Atom, Atom]:
    callee, values, places = _callee(lowering, args[0], args[1:], node)
    _options(lowering, kwargs, ("wrt",), node)
    wrt = kwargs.get("wrt")
    asked, chosen = _asked(lowering, wrt, args[1:], values, places, node)
    pattern = pattern_of(callee.result)
    forward, reverse = lowering.context.split(
        callee, tuple(places[i] for i in chosen), pattern
    )
    result = lowering.op(forward, tuple(values), {}, node)
    lowering.returned(result, forward.result, node)
    y, saved = (lowering.subscript(result, k, node) for k in range(2))
    held = tuple(i for i in asked if i in places and _is_held(type_of(values[places[i]])))
    handle = Pulled(reverse, pattern, tuple(asked), tuple(chosen), isinstance(wrt, int), held)
    back = lowering.call(library(derived.back_of), (handle, y, saved), {}, node)
    return (y, back)


def _pulled(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    """The call of what `pullback` returned."""
    handle, y, saved, seed = args
    if isinstance(handle, Pulled) and type_of(y) == UNBOUND_TYPE:  # not yet known, in a recursion
        return y if handle.alone else (y,) * len(handle.asked)
    if not isinstance(handle, Pulled):
        raise refuse(
            "ZYG101",
            "a call of one of several pullbacks that only the run tells apart is not supported",
            lowering.span(node),
            "call each of them by its name",
        )
    leaves = _seeds(lowering, handle.pattern, y, 1.0 if seed is None else seed, node)
    result = lowering.op(handle.reverse, (saved, *leaves), {}, node)
    lowering.returned(result, handle.reverse.result, node)
    found = {i: lowering.subscript(result, k, node) for k, i in enumerate(handle.chosen)}
    found |= {i: _not_collected(lowering, node) for i in handle.held}
    every = tuple(found.get(i) for i in handle.asked)
    return every[0] if handle.alone else every


def _seeds(lowering: Calls, pattern: Any, y: Atom, seed: Atom, node: ast.AST) -> list[Atom]:
    """The seeds of the leaves of a result."""
    if isinstance(pattern, tuple):
        parts: Any = (None,) * len(pattern)
        if seed is not None:
            t = type_of(seed)
            count = len(t.items) if isinstance(t, Tuple) else None
            if count != len(pattern):
                raise refuse(
                    "ZYG502",
                    f"the function returns {len(pattern)} results; give a tuple of seeds",
                    lowering.span(node),
                )
            parts = [lowering.subscript(seed, i, node) for i in range(count)]
        found: list[Atom] = []
        for i, (p, part) in enumerate(zip(pattern, parts, strict=True)):
            found += _seeds(lowering, p, lowering.subscript(y, i, node), part, node)
        return found
    if pattern is None:
        return []
    if seed is None:
        return [lowering.op(runtime.zeros_like, (y,), {}, node)]
    if _has_one_shape(type_of(seed), type_of(y)):
        return [seed]
    return [lowering.op(runtime.seed_for, (seed, y), {}, node)]


def _has_one_shape(a: Type, b: Type) -> bool:
    known = shape_of(a)
    return known is not None and known == shape_of(b)


def _derived(public: Any, f: Any) -> Intrinsic:
    """A transformation made of pullbacks: lowered from its text."""

    def lowered(
        lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        if len(args) == 1:
            return Transformed(public, args[0], dict(kwargs))
        return lowering.call(library(f), args, kwargs, node)

    return lowered


def _jacobian(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    """One pullback for each element of the result, for all arguments that are asked for."""
    _options(lowering, kwargs, ("wrt",), node)
    f, *xs = args
    if not xs:
        return Transformed(dense.jacobian, f, dict(kwargs))
    wrt = kwargs.get("wrt")
    asked = _numbers(lowering, wrt, len(xs), node)
    for i in asked:
        _array(lowering, xs[i], f"`jacobian` is in arrays; argument {i}", _CHOOSE, node)
    y, back = _pullback(lowering, args, {"wrt": tuple(asked)}, node)
    what = "`jacobian` is of a function that returns one array; its result"
    _array(lowering, y, what, "return one array", node)
    of_asked = tuple(xs[i] for i in asked)
    found = lowering.call(library(derived.jacobians), (y, back, *of_asked), {}, node)
    if isinstance(wrt, int) or len(xs) == 1:
        return lowering.subscript(found, 0, node)
    return tuple(lowering.subscript(found, k, node) for k in range(len(asked)))


_CHOOSE = "choose the arrays with `wrt=`, or ask for `pullback` and give seeds"


def _array(lowering: Calls, x: Atom, what: str, help: str, node: ast.AST) -> None:
    """Refuse what is no number or array; where only the run knows, it refuses."""
    t = type_of(x)
    if isinstance(t, Scalar | Array):
        return
    if isinstance(t, Unknown):
        lowering.op(runtime.check_array, (x, what, help), {}, node)
        return
    raise refuse("ZYG501", f"{what} is a {t!r}", lowering.span(node), help)


def _hessian(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    """The Jacobian of the gradient in each argument that is asked for."""
    _options(lowering, kwargs, ("wrt",), node)
    f, *xs = args
    if not xs:
        return Transformed(dense.hessian, f, dict(kwargs))
    wrt = kwargs.get("wrt")
    asked = _numbers(lowering, wrt, len(xs), node)
    rows = []
    for i in asked:
        of_one = Transformed(api.gradient, f, {"wrt": i, "zeros": True})
        rows.append(_jacobian(lowering, (of_one, *xs), dict(kwargs), node))
    return rows[0] if isinstance(wrt, int) or len(xs) == 1 else tuple(rows)


def _diaghessian(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    """The diagonal of each block on the diagonal of the Hessian."""
    _options(lowering, kwargs, (), node)
    f, *xs = args
    if not xs:
        return Transformed(dense.diaghessian, f, {})
    found = []
    for i, x in enumerate(xs):
        _array(lowering, x, f"`diaghessian` is in arrays and numbers; argument {i}", "", node)
        of_one = Transformed(api.gradient, f, {"wrt": i, "zeros": True})
        back = _pullback(lowering, (of_one, *xs), {"wrt": i}, node)[1]
        found.append(lowering.call(library(derived.diagonal), (back, x), {}, node))
    return found[0] if len(xs) == 1 else tuple(found)


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
INTRINSICS[api.withgradient] = _withgradient
INTRINSICS[api.pullback] = INTRINSICS[derived.pullback] = _pullback
INTRINSICS[derived.gradient] = _gradient_of_one
INTRINSICS[derived.pulled] = _pulled
INTRINSICS[dense.jacobian] = _jacobian
INTRINSICS[dense.hessian] = _hessian
INTRINSICS[dense.diaghessian] = _diaghessian
for public, made in {
    dense.pushforward: derived.pushforward,
    dense.hvp: derived.hvp,
}.items():
    INTRINSICS[public] = _derived(public, made)
INTRINSICS[Transformed] = _transformed
