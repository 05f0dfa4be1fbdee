"""Derivatives inside differentiated code: the call of a transformation becomes a call of its
generated IR.
"""

from __future__ import annotations

import ast
import operator
from typing import Any

from . import api, runtime
from .diagnostics import refuse
from .frontend.calls import Calls
from .frontend.link import INTRINSICS
from .frontend.lower import lower_call
from .frontend.resolve import UserFunction
from .frontend.scope import LocalFunction
from .ir.core import Atom, Function, Value, type_of
from .ir.types import may_be_differentiable
from .transformed import Transformed


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
    asked = range(len(xs)) if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    callee, values, places = _callee(lowering, f, xs, node)
    chosen = [i for i in asked if i in places and may_be_differentiable(type_of(values[places[i]]))]
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
    """The function whose gradient is taken, the values it is called with, and where each argument
    is among them.
    """
    args = tuple(
        x if isinstance(x, Value) else lowering.op(operator.pos, (x,), {}, node) for x in xs
    )
    if isinstance(f, LocalFunction):
        f = f.fn
    if isinstance(f, UserFunction):
        callee, values = lowering.linked(f, args, {}, node)
    else:
        types = {f"a{i}": type_of(a) for i, a in enumerate(args)}
        callee = lower_call(getattr(f, "__name__", "call"), lambda _: f, types, lowering.context)
        values = [
            *args,
            *(lowering.hidden_value(h, p.type, h.name, node) for h, p in callee.hidden_params()),
        ]
        for g in callee.guards:
            lowering.guards[g.key] = g
    places = {
        i: next(k for k, v in enumerate(values) if v is a)
        for i, a in enumerate(args)
        if a in values
    }
    return callee, values, places


INTRINSICS[api.gradient] = _gradient
INTRINSICS[api.derivative] = _derivative
INTRINSICS[Transformed] = _transformed
