"""Functions that are passed to SciPy: their pullbacks inside a rule.

What a function captures has a cotangent where the function was made in the code that is
differentiated: then its type tells what that is. One that comes from elsewhere may capture what is
active there, which is not seen here, and is refused.
"""

from __future__ import annotations

import types

import numpy as np

from ... import runtime
from ...ir.core import Atom, Op, Value, append, current_span, type_of
from ...ir.types import (
    NUMBER,
    UNKNOWN,
    Array,
    Closure,
    Const,
    Scalar,
    Type,
    may_be_differentiable,
    refers,
)
from ..indexing import zero_type
from ..registry import unsupported

_PLAIN = (types.BuiltinFunctionType, types.FunctionType, np.ufunc)


def checked(f: Atom, who: str) -> None:
    """Refuse a function of which it is not known what it captures."""
    t = type_of(f)
    if isinstance(t, Closure):
        if refers(t):
            raise unsupported(
                f"`{who}` of a function that captures what the program changes",
                "give it a copy under another name",
            )
        return
    known = t.value if isinstance(t, Const) else f
    cells = getattr(known, "__closure__", None) or ()
    if not isinstance(known, _PLAIN) or any(map(_holds_data, cells)):
        raise unsupported(
            f"`{who}` of this callable",
            "write a `def` or a `lambda` in the place of the call, that calls it",
        )


def _holds_data(cell: types.CellType) -> bool:
    try:
        return not callable(cell.cell_contents)
    except ValueError:
        return True


class Pulled:
    """A call of `f` at `x` in a rule, and its pullback any number of times."""

    def __init__(self, f: Atom, x: Atom, args: tuple[Atom, ...]):
        every = (f, x, *args)
        self.wrt = tuple(i for i, a in enumerate(every) if i == 1 or differentiable(a))
        self.value = Value(None, _result_like(x))
        self.back = Value("back", UNKNOWN)
        self._types = [zero_type(type_of(every[i])) for i in self.wrt]
        call = (self.wrt, (), *every)
        results = (self.value, self.back)
        append(Op(runtime.dynamic_forward, call, {}, results, (), current_span()))

    def bars(self, seed: Atom) -> dict[int, Atom]:
        """The cotangents of the function (0), of the place (1) and of what else it is given."""
        found = tuple(Value(None, t) for t in self._types)
        op = Op(runtime.dynamic_reverse, (self.back, seed), {}, found, (), current_span())
        append(op)
        return dict(zip(self.wrt, found, strict=True))


def differentiable(a: Atom) -> bool:
    """Whether a cotangent can flow into an atom."""
    return isinstance(a, Value) and may_be_differentiable(type_of(a))


def _result_like(x: Atom) -> Type:
    t = type_of(x)
    return UNKNOWN if isinstance(t, Array) and t.shape else NUMBER


def arguments(args: Atom) -> tuple[Atom, ...]:
    """`args=` as SciPy takes it: a tuple, or a single value that stands for a tuple of it."""
    if args is None:
        return ()
    if isinstance(args, tuple):
        return args
    t = type_of(args)
    if isinstance(t, Scalar | Array):
        return (args,)
    raise unsupported("`args=` that is not written as a tuple", "write `args=(a, b)`")


def of_arguments(args: Atom, bars: dict[int, Atom]) -> Atom:
    """The cotangent of `args=`."""
    if args is None:
        return None
    if isinstance(args, tuple):
        return tuple(bars.get(i + 2) for i in range(len(args)))
    return bars.get(2)


__all__ = ["Pulled", "arguments", "checked", "differentiable", "of_arguments"]
