"""A function at a point: what Jacobians, Hessians and directions are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import runtime
from .api import Wrt, arranged, chosen, kept_values
from .diagnostics import refuse
from .emit.compile import Compiler
from .engine import Specialisation, engine
from .ir.core import Function, type_of
from .rules.registry import infer
from .seeds import leaves_of, pattern_of, rebuilt, seeds_of, template_of
from .transform.pipeline import Derivatives


class Linearised:
    """A function at a point, run once: its result, its pullback, and its derivative in a direction,
    which is made when it is first asked for.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], wrt: Wrt):
        def build(s: Specialisation) -> _Halves:
            forward, reverse = s.derivative().split(
                s.function, chosen(s, args, wrt), pattern_of(s.function.result)
            )
            return _Halves(Compiler().function(forward).callable, reverse)

        s, self._halves = engine.prepared(f, args, ("linearised", wrt), build)
        self.args, self.wrt, self.name = args, wrt, s.function.name
        self._chosen = [s.positions[i] for i in chosen(s, args, wrt)]
        self._specialisation = s
        values = kept_values(s, f, args)
        self.y, self.saved = self._halves.forward(*values)
        if s.heap is None:
            self.saved = runtime.apart(self.saved, (values, self.y))
        self._template, self._known = template_of(self.y), pattern_of(s.function.result)

    @property
    def reverse(self) -> Function:
        """The second half: it takes what was saved and the seeds."""
        half: Function = self._halves.reverse
        return half

    @property
    def one(self) -> int:
        """The number of the argument, where one is asked for."""
        (i,) = asked_of(self.args, self.wrt)
        return i

    def pull(self, seed: Any) -> Any:
        """The cotangents of the arguments."""
        found = self._halves.back(self.saved, *self._seeds(seed))
        return arranged(self._specialisation, found, self.args, self.wrt, False)

    def push(self, tangents: Sequence[Any]) -> Any:
        """The derivative in the direction of these tangents, one for each of the arguments asked
        for.
        """
        zeros = self._seeds(runtime.zeros_like(self.y))
        given = dict(zip(asked_of(self.args, self.wrt), tangents, strict=True))
        seeds: list[Any] = []
        pattern = self._halves.pattern
        for i, p in zip(self._chosen, pattern, strict=True):
            if p is not None:
                arg = self.args[i]
                like = template_of(arg) if isinstance(p, tuple) or is_number(arg) else None
                seeds += leaves_of(_tangent(given[i], arg, self.name), like, self.name)
        found = zeros
        if seeds:
            pushed = self._halves.push(self.saved, *zeros, *seeds)
            found = [z if p is None else p for z, p in zip(zeros, pushed, strict=True)]
        return rebuilt(iter(found), self._known)

    def _seeds(self, seed: Any) -> list[Any]:
        return seeds_of(seed, self._template, self._known, self.name)


class _Halves:
    """The compiled parts of a linearised function."""

    def __init__(self, forward: Any, reverse: Function):
        self.forward, self.reverse = forward, reverse

    @functools.cached_property
    def back(self) -> Any:
        return Compiler().function(self.reverse).callable

    @functools.cached_property
    def pattern(self) -> tuple[Any, ...]:
        """Which cotangents there are, of the arguments asked for."""
        (outs,) = self.reverse.region.outs
        return tuple(pattern_of(type_of(o)) for o in outs)

    @functools.cached_property
    def push(self) -> Any:
        made = Derivatives(infer).transposed(self.reverse, self.pattern)
        return Compiler().function(made).callable


def asked_of(args: tuple[Any, ...], wrt: Wrt) -> list[int]:
    """The numbers of the arguments that derivatives are asked for."""
    if wrt is None:
        return list(range(len(args)))
    asked = [wrt] if isinstance(wrt, int) else list(wrt)
    for i in asked:
        if not -len(args) <= i < len(args):
            raise refuse("ZYG503", f"there is no argument {i}: {len(args)} were given", None)
    return [i % len(args) for i in asked]


def _tangent(t: Any, x: Any, name: str) -> Any:
    """A tangent of an argument, None for zero."""
    if t is None:
        return runtime.zeros_like(x)
    if is_number(x) and np.shape(t) != np.shape(x):
        raise refuse(
            "ZYG502",
            f"the tangent has shape {np.shape(t)}, the argument of `{name}` has shape "
            f"{np.shape(x)}",
            None,
            "a tangent is a direction to go from the argument: give one of its shape",
        )
    return t


def is_number(x: Any) -> bool:
    return isinstance(x, int | float | complex | np.ndarray | np.generic)


def units_of(x: Any) -> Iterator[Any]:
    """The unit vectors of the shape of `x`."""
    dtype = runtime.cotangent_dtype(np.asarray(x).dtype)
    if not np.shape(x):
        yield dtype.type(1)
        return
    for index in np.ndindex(np.shape(x)):
        unit = np.zeros(np.shape(x), dtype)
        unit[index] = 1
        yield unit
