"""What the transform works on: adjoints, pairs, the reverse of a region while it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..ir.core import (
    Atom,
    Function,
    Infer,
    Region,
    Value,
    building,
    values,
)
from ..rules.elementwise import narrow
from .cotangents import (
    bar_type,
    zero,
)

Pattern = Any  # of a seed: True for a leaf that is given, None for a strong zero, tuples of these


@dataclass(eq=False)
class Pair:
    """The two halves of a differentiated function: `forward` returns (result, residuals), `reverse`
    takes (residuals, *seeds) and returns a cotangent for each active parameter.
    """

    forward: Function
    reverse: Function
    done: bool = False
    recursive: bool = False
    parts: tuple[Any, ...] = ()  # which parts there are of the cotangents that `reverse` returns


@dataclass
class Adjoint:
    """A function's primal, changed to leave what `reverse` reads; the reverse region reads its
    values freely.
    """

    function: Function
    primal: Region
    reverse: Region
    seeds: tuple[Value, ...]
    bars: dict[Value, Atom] = field(default_factory=dict)
    memory: Value | None = None  # of a function that changes memory: where its cotangents are


Pairs = Callable[[Function, tuple[int, ...], Pattern], Pair]


class Watch(Protocol):
    """What a recording puts into the code: reports of values and cotangents."""

    def nodes(self, f: Function, copies: dict[Value, Atom]) -> dict[Value, int]:
        """The nodes of a function, by the value of its copy that each stands for."""

    def values(self, primal: Region, nodes: dict[Value, int]) -> None:
        """Add reports of the values to the primal."""

    def bar(self, node: int, total: Atom) -> None:
        """Add a report of a cotangent to the region being built."""


class Scope:
    """The reverse of one region while it is built: where ops go, and the cotangents that have come
    in so far.
    """

    def __init__(
        self, primal: Region, infer: Infer, parent: Scope | None = None, loop: bool = False
    ):
        self.region, self.primal = Region(), primal
        self.infer, self.parent, self.loop = infer, parent, loop
        self.own = set(values(primal.params)) | {r for op in primal.ops for r in op.results}
        self.bars: dict[Value, list[Atom]] = {}
        self.buffers: dict[Value, Atom] = {}
        self.carried: dict[Value, tuple[Value, Atom]] = {}  # of a loop: parameter and initial value
        self.threaded: dict[Value, Atom] = {}  # of a branch: the buffer it began with
        self.shadows: dict[Value, Value] = {}  # the cotangents of arrays in memory

    def crosses_loop(self, x: Value) -> bool:
        """Whether `x` comes from outside a loop that this scope is in."""
        scope: Scope | None = self
        while scope is not None and x not in scope.own:
            if scope.loop:
                return True
            scope = scope.parent
        return False

    def buffer(self, x: Value) -> Atom:
        """The accumulator of the cotangent of `x`, as it is at this point."""
        if x not in self.buffers:
            if self.parent is None or x in self.own:
                self.buffers[x] = self._zero(x)
            elif self.loop:
                param = Value(f"{x.name or 't'}_bar", bar_type(x.type), x.span)
                self.carried[x] = (param, self.parent.buffer(x))
                self.buffers[x] = param
            else:
                self.threaded[x] = self.buffers[x] = self.parent.buffer(x)
        return self.buffers[x]

    def _zero(self, x: Value) -> Atom:
        here = Region()
        with building(here, x.span, self.infer, narrow):
            made = zero(x)
        for op in here.ops:
            op.results[0].name = f"{x.name or 't'}_bar"
        self.region.ops += here.ops
        return made
