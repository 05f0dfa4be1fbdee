"""Functions that are passed to SciPy: their pullbacks inside a rule.

What a function captures has a cotangent where the function was made in the code that is
differentiated: then its type tells what that is. One that comes from elsewhere may capture what is
active there, which is not seen here, and is refused.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import runtime
from ...diagnostics import Refused, refuse
from ...ir.core import Atom, Op, Value, append, current_span, type_of, values
from ...ir.types import (
    NUMBER,
    UNKNOWN,
    Array,
    Closure,
    Const,
    Scalar,
    Type,
    fresh,
    may_be_differentiable,
    refers,
)
from ..indexing import zero_type
from ..registry import call, unsupported
from .makers import Maker, made, unmade

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
    """A call of `f`, or of what `make` makes of it, at `x` in a rule, and its pullback any number
    of times.
    """

    def __init__(
        self, f: Atom, x: Atom, args: tuple[Atom, ...], *makers: Maker, like: Type | None = None
    ):
        every = (call(made, f, makers) if makers else f, x, *args)
        self._makers = makers
        self.wrt = tuple(i for i, a in enumerate(every) if i == 1 or differentiable(a))
        self.value = Value(None, _result_like(x) if like is None else like)
        self.back = Value("back", UNKNOWN)
        self._types = [zero_type(type_of(every[i])) for i in self.wrt]
        op = (self.wrt, (), *every)
        results = (self.value, self.back)
        append(Op(runtime.dynamic_forward, op, {}, results, (), current_span()))

    def bars(self, seed: Atom) -> dict[int, Atom]:
        """The cotangents of the function (0), of the place (1) and of what else it is given."""
        found = tuple(Value(None, t) for t in self._types)
        op = Op(runtime.dynamic_reverse, (self.back, seed), {}, found, (), current_span())
        append(op)
        bars: dict[int, Atom] = dict(zip(self.wrt, found, strict=True))
        return bars | {0: unmade(bars[0], self._makers)} if 0 in bars else bars

    def jacobian(self, size: Any) -> Value:
        """The derivative in the place, of a vector in a vector of `size` elements."""
        found = Value(None, Array(np.dtype(float), (fresh(), size)))
        args = (self.back, self.value, self.wrt.index(1))
        append(Op(runtime.late_jacobian, args, {}, (found,), (), current_span()))
        return found


def twice(
    wrt: tuple[int, ...], f: Any, args: tuple[Any, ...], seed: Any, c: Any
) -> tuple[tuple[Any, ...], tuple[Any, ...], Any]:
    """The cotangents of `f` (0) and of `args` in a call with a `seed`, for each of `wrt`; and of
    their sum, weighted by `c`, the cotangents again, and that of the seed.
    """
    asked = tuple((i, False) for i in wrt)
    _, back, outer = runtime.late_forward((), None, (asked, asked), f, *args)
    *bars, again = runtime.late_again(1, back, None, seed)
    kept, along = runtime.late_reverse(again, None, *c)
    others = runtime.late_reverse(outer, None, None, kept)
    return tuple(bars), others if len(wrt) > 1 else (others,), along


def differentiable(a: Atom) -> bool:
    """Whether a cotangent can flow into an atom."""
    return any(may_be_differentiable(type_of(v)) for v in values(a))


def _result_like(x: Atom) -> Type:
    t = type_of(x)
    return UNKNOWN if isinstance(t, Array) and t.shape else NUMBER


def not_there(why: str, help: str = "") -> Refused:
    """A refusal to raise at the run, where there is no derivative for what was computed."""
    return refuse("ZYG302", why, None, help)


def leaves(tree: Any) -> Iterator[Any]:
    """The numbers and arrays of a cotangent."""
    if isinstance(tree, tuple | list):
        for part in tree:
            yield from leaves(part)
    elif isinstance(tree, dict | types.SimpleNamespace):
        yield from leaves(list((tree if isinstance(tree, dict) else vars(tree)).values()))
    elif tree is not None:
        yield tree


def flat(*trees: Any) -> Any:
    """What is in cotangents, in one vector of real numbers."""
    return np.concatenate([np.zeros(0), *map(_reals, leaves(trees))])


def _reals(x: Any) -> Any:
    x = np.ravel(x)
    return np.stack((x.real, x.imag), axis=-1).ravel() if np.iscomplexobj(x) else x


def nothing(wrt: tuple[int, ...], *every: Any) -> list[Any]:
    """The zero cotangents of a function (0) and of its arguments."""
    return [runtime.zeros_like(every[i]) for i in wrt]


def filled(zeros: list[Any], bars: Any) -> list[Any]:
    """Cotangents with their zeros written out."""
    return [runtime.add(zero, bar) for zero, bar in zip(zeros, bars, strict=True)]


def unflattened(tree: Any, vector: Any) -> Any:
    """The cotangent of which `vector` has the numbers, as `flat` gives them, in the structure and
    the dtypes of `tree`.
    """
    ends = np.cumsum([0, *(np.size(_reals(x)) for x in leaves(tree))])
    if ends[-1] != np.size(vector):
        raise not_there("there is no gradient in parameters of this kind here")
    return _as_in(tree, iter(np.split(vector, ends[1:])))


def _as_in(tree: Any, parts: Iterator[Any]) -> Any:
    if isinstance(tree, tuple):
        return runtime.tuple_like(tree, [_as_in(part, parts) for part in tree])
    if isinstance(tree, list):
        return [_as_in(part, parts) for part in tree]
    if isinstance(tree, dict):
        return {k: _as_in(part, parts) for k, part in tree.items()}
    if isinstance(tree, types.SimpleNamespace):
        return types.SimpleNamespace(**_as_in(vars(tree), parts))
    if tree is None:
        return None
    part = next(parts)
    part = part[::2] + 1j * part[1::2] if np.iscomplexobj(tree) else part
    part = part.reshape(np.shape(tree))
    return part.astype(tree.dtype) if isinstance(tree, np.ndarray) else part.item()


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


__all__ = [
    "Pulled",
    "arguments",
    "checked",
    "differentiable",
    "filled",
    "flat",
    "leaves",
    "not_there",
    "nothing",
    "of_arguments",
    "unflattened",
]
