"""The pullback transform that goes on after a refusal, with a cotangent that is made up."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Diagnostic, Refused
from ..ir.core import (
    CALL_VALUE,
    Atom,
    Function,
    Infer,
    Marker,
    Op,
    Region,
    Undecided,
    Value,
    emit,
    type_of,
    values,
    walk,
)
from ..ir.types import INT, Other, Unknown
from ..rules.registry import lookup
from ..source import Span
from ..transform.adjoint import Adjoint, Pair, Pattern, Scope
from ..transform.cotangents import bar_type
from ..transform.pipeline import Derivatives
from ..transform.pullback import Pullback
from ..transform.structures import STRUCTURAL

HOLE = Marker("refused")  # called with what a refused thing depends on, it stands for that thing
# Functions of NumPy whose arguments are names and formats, not numbers.
TEXTUAL = (
    "load",
    "loadtxt",
    "genfromtxt",
    "fromfile",
    "fromregex",
    "fromstring",
    "memmap",
    "save",
    "savez",
    "savetxt",
)
MOVES = (operator.getitem, getattr, list, tuple, sorted)  # they move any object, not numbers alone

Refusals = Mapping[Function, dict[Any, Diagnostic]]


class CollectedDerivatives(Derivatives):
    """Derivatives whose refusals are collected in `found`, with the calls that led to them.

    `refusals`: what the lowering of each function was refused for. `tick` is called now and then,
    and may raise.
    """

    def __init__(self, infer: Infer, refusals: Refusals, tick: Callable[[], None]):
        super().__init__(infer)
        self.refusals, self.tick = refusals, tick
        self.found: dict[Any, Diagnostic] = {}
        self.calls: list[Span | None] = []
        self.found_by: dict[Any, dict[Any, Diagnostic]] = {}

    def report(self, diagnostic: Diagnostic) -> None:
        self.found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    def pair(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, outermost: bool = False
    ) -> Pair:
        """As ever; what the callee is refused for is kept with it, and found at every call."""
        around, self.found = self.found, {}
        calls, self.calls = self.calls, []
        try:
            pair = super().pair(f, wrt, pattern, outermost)
            mine = self.found_by.setdefault((f, wrt, pattern), self.found)
        finally:
            self.found, self.calls = around, calls
        for diagnostic in mine.values():
            if calls and calls[-1] is not None and not diagnostic.related:
                came = ((calls[-1], "reached from this call"),)
                diagnostic = replace(diagnostic, related=came)
            self.report(diagnostic)
        return pair

    def builder(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, outermost: bool
    ) -> Collecting:
        return Collecting(f, wrt, pattern, self, outermost)

    def adjoint(
        self,
        f: Function,
        wrt: tuple[int, ...],
        pattern: Pattern = True,
        outermost: bool = True,
        lasting: bool = True,
    ) -> Adjoint:
        self.tick()
        for diagnostic in self.refusals.get(f, {}).values():
            self.report(diagnostic)
        return super().adjoint(f, wrt, pattern, outermost, lasting)


class Collecting(Pullback):
    """Builds an adjoint as far as that goes."""

    def __init__(
        self,
        f: Function,
        wrt: tuple[int, ...],
        pattern: Pattern,
        derivatives: CollectedDerivatives,
        outermost: bool,
    ):
        self.derivatives, infer = derivatives, derivatives.infer
        implicit = derivatives.implicit
        super().__init__(
            f, wrt, pattern, infer, derivatives.pair, implicit, outermost=outermost
        )
        self.numbers = _numbers(self.primal)

    def _guarded(self, op: Op) -> None:
        try:
            super()._guarded(op)
        except Refused as refusal:
            self.derivatives.report(refusal.diagnostic)

    def _op(self, op: Op, scope: Scope, primal: Region) -> None:
        fn, args = op.fn, op.args
        received = {r: list(scope.bars[r]) for r in op.results if r in scope.bars}
        try:
            super()._op(op, scope, primal)
            return
        except Refused as refusal:
            if self._is_certain(op, refusal.diagnostic.code):
                self.derivatives.report(refusal.diagnostic)
        except Undecided:
            pass  # a rule has to know what the run will tell
        op.fn, op.args = fn, args
        scope.bars.update(received)
        self._make_up(op, scope)

    def _make_up(self, op: Op, scope: Scope) -> None:
        """Give cotangents to the arguments of an op whose own is not to be had."""
        for r in op.results:
            scope.bars.pop(r, None)
        for v in dict.fromkeys(values(op.args)):
            if v in self.active:
                made_up = emit(CALL_VALUE, (HOLE, v))
                made_up.type = bar_type(v.type)
                self.contribute(scope, v, made_up)

    def _call(self, op: Op, scope: Scope) -> None:
        self.derivatives.calls.append(op.span)
        try:
            super()._call(op, scope)
        finally:
            self.derivatives.calls.pop()

    def _is_certain(self, op: Op, code: str) -> bool:
        """Whether the refusal does not hang on a type that only the run knows.

        What has no rule is harmless where no derivative comes in: `np.load(path)`.
        """
        if code == "ZYG302":
            return not self._hangs_on_keywords(op)
        if code != "ZYG301":
            return True
        fn, args = (op.args[0], op.args[1:]) if op.fn is runtime.observe else (op.fn, op.args)
        if fn in STRUCTURAL:
            return not any(isinstance(type_of(a), Unknown | Other) for a in args[:1])
        if isinstance(getattr(fn, "__self__", None), np.ufunc):  # `np.maximum.accumulate`
            return True
        module = getattr(fn, "__module__", None) or type(fn).__module__
        if module.partition(".")[0] == "numpy" and getattr(fn, "__name__", "") not in TEXTUAL:
            return True
        return any(self._is_number(v) for v in values(args) if v in self.active)

    def _hangs_on_keywords(self, op: Op) -> bool:
        """Whether a keyword's value, refused if a derivative comes in by it, may be a constant."""
        rule = lookup(op.fn)
        try:
            _, metadata = rule.bind(op.args, op.static) if rule is not None else ((), {})
        except LookupError:
            return False
        inside = [v for v in values(metadata) if v in self.active]
        return bool(inside) and all(
            isinstance(v.type, Unknown | Other) or v.type == INT for v in inside
        )

    def _is_number(self, v: Value) -> bool:
        if not isinstance(v.type, Unknown | Other):
            return True
        return v in self.numbers or (v.op is not None and _computes(v.op))


def _numbers(region: Region) -> set[Value]:
    """Values of unknown type that are certainly numbers: something is computed with them."""
    return {v for op in walk(region) if _computes(op) for v in values(op.args)}


def _computes(op: Op) -> bool:
    rule = lookup(op.fn) if not isinstance(op.fn, Function) else None
    if rule is None or rule.pullback is None or op.fn in MOVES:
        return False
    return op.fn not in (operator.add, operator.mul, operator.mod) or not any(
        map(_is_text, op.args)
    )


def _is_text(a: Atom) -> bool:
    t = type_of(a)
    return isinstance(a, str) or (isinstance(t, Other) and t.cls is str)
