"""What may raise, cut into steps: what may raise after something in memory has changed is another.

An exception comes out of one step, so it is known what is left behind: all that the steps before it
have changed, and nothing of its own. What cannot be cut, such as a call that changes something and
then raises, is partial: to handle its exception is refused at the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import runtime
from ..analysis.effects import MAKES, changes_memory
from ..ir.core import (
    CALL_VALUE,
    FOR,
    IF,
    TRY,
    UNBOUND,
    WHILE,
    Atom,
    Function,
    Op,
    Region,
    Value,
    clone,
    reads,
    substitute,
    type_of,
    values,
)
from ..ir.types import BOOL, Other, Ref
from ..iterators import Counter, Cursor
from ..rules.registry import REFUSAL
from ..source import Span

Catches = tuple[type[BaseException], ...]
Step = list[Op]
Raised = tuple[Atom, ...]  # whether it raised, what, and whether in the middle of a change


def partial_of(region: Region, catches: Catches, span: Span) -> Atom:
    """Whether something in memory may have changed within the step of a region that raises: a
    second parameter of the handler, where that depends on the step.
    """
    found = set(_partial_steps(region, catches))
    return Value("partial", BOOL, span) if len(found) > 1 else True in found


def _partial_steps(region: Region, catches: Catches) -> Iterator[bool]:
    for step in cut(region, catches):
        if _is_choice(step, catches):
            for way in step[0].regions:
                yield from _partial_steps(way, catches)
        else:
            yield not _is_one(step, catches)


def in_steps(op: Op) -> list[Op]:
    """A `TRY` as one for each of its steps, and what follows from them."""
    catches = op.static["catches"]
    body, handler = op.regions
    steps = cut(body, catches)
    if len(steps) < 2 and not any(_is_choice(step, catches) for step in steps):
        return [op]
    raised, ops = _Steps(op).build(steps, _own(body))
    substitute(handler, dict(zip(values(handler.params), raised[1:], strict=False)))
    handler.params = ()
    went_on = Region((), [], body.outs)
    return [*ops, Op(IF, raised[:1], {}, op.results, (handler, went_on), op.span)]


def _own(region: Region) -> list[Value]:
    """The values that a region makes and leaves."""
    made = {v for op in region.ops for v in op.results}
    return [v for v in dict.fromkeys(values(region.outs)) if v in made]


class _Steps:
    """Makes the steps of a `TRY`."""

    def __init__(self, op: Op):
        self.span, self.catches = op.span, op.static["catches"]
        self.tells = len(op.regions[1].params) > 1  # whether the step that raised was partial

    def build(self, steps: list[Step], leaving: list[Value]) -> tuple[Raised, list[Op]]:
        """The steps, each under the condition that those before it did not raise."""
        if not steps:
            return (False, UNBOUND, *self.told(False)), []
        step, *rest = steps
        read = {*reads(Region((), [op for other in rest for op in other])), *leaving}
        crossing = [v for op in step for v in op.results if v in read]
        build = self.choice if _is_choice(step, self.catches) else self.attempt
        raised, first = build(step, crossing)
        if not rest:
            return raised, [first]
        later = [v for v in leaving if v not in crossing]
        again, ops = self.build(rest, later)
        failed = Region((), [], (*raised, *(None for _ in later)))
        went_on = Region((), ops, (*again, *later))
        both, second = self.left(IF, raised[:1], {}, (failed, went_on), later)
        return both, [first, second]

    def attempt(self, step: Step, leaving: list[Value]) -> tuple[Raised, Op]:
        error = Value("error", Other(BaseException), self.span)
        partial = self.told(not _is_one(step, self.catches))
        body = Region((), step, (False, UNBOUND, *self.told(False), *leaving))
        failed = Region((error,), [], (True, error, *partial, *(None for _ in leaving)))
        static = {"catches": self.catches, "leaves": False}
        return self.left(TRY, (), static, (body, failed), leaving)

    def told(self, partial: bool) -> tuple[bool, ...]:
        return (partial,) if self.tells else ()

    def choice(self, step: Step, leaving: list[Value]) -> tuple[Raised, Op]:
        """A step that is a branch, of which the ways are cut into steps."""
        (op,) = step
        ways = []
        for way in op.regions:
            outs = tuple(way.outs[op.results.index(v)] for v in leaving)
            way = Region((), way.ops, outs)
            raised, ops = self.build(cut(way, self.catches), _own(way))
            ways.append(Region((), ops, (*raised, *outs)))
        return self.left(IF, op.args, {}, tuple(ways), leaving)

    def left(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        static: dict[str, Any],
        regions: tuple[Region, ...],
        leaving: list[Value],
    ) -> tuple[Raised, Op]:
        """An operation that leaves whether it raised, and values that its regions make."""
        types = {"raised": BOOL, "error": Other(BaseException), "partial": BOOL}
        raised = tuple(Value(n, t, self.span) for n, t in types.items())[: 2 + self.tells]
        regions = tuple(clone(r, {}) for r in regions)
        return raised, Op(fn, args, static, (*raised, *leaving), regions, self.span)


def cut(region: Region, catches: Catches) -> list[Step]:
    """The operations of a region in steps; a branch that is partial is one by itself."""
    steps: list[Step] = []
    watch = None
    for op in region.ops:
        if watch is not None:
            watch.op(op)
        if watch is None or watch.found:
            watch = _Partial(catches)
            watch.op(op)
            steps.append([])
        steps[-1].append(op)
        if watch.found:
            watch = None
    return steps


def _is_choice(step: Step, catches: Catches) -> bool:
    """Whether a step is a branch of which the ways are cut."""
    return step[0].fn is IF and not _is_one(step, catches)


def _is_one(step: Step, catches: Catches) -> bool:
    """Whether a step changes nothing before it raises."""
    watch = _Partial(catches)
    watch.region(Region((), step))
    return not watch.found


class _Partial:
    """Whether a region may have changed something in memory before it raises one of some
    exceptions.
    """

    def __init__(self, catches: Catches):
        # What a program defines, or `StopIteration`, nothing raises but `raise` and what is called.
        self.catches = catches
        self.thrown = all(c is StopIteration or c.__module__ != "builtins" for c in catches)
        self.changed = self.found = False
        self.seen: list[Function] = []

    def region(self, region: Region) -> None:
        for op in region.ops:
            self.op(op)

    def op(self, op: Op) -> None:
        before = self.changed
        if op.regions:
            after = []
            rounds = 2 if op.fn in (FOR, WHILE) else 1
            for inner in op.regions * rounds:
                self.changed = before if rounds == 1 else self.changed
                self.region(inner)
                after.append(self.changed)
            self.changed = before or any(after)
        elif isinstance(op.fn, Function):
            if op.fn in self.seen:
                self.found = self.changed = self.changed or op.fn.changing
                return
            self.seen.append(op.fn)
            self.region(op.fn.region)
            self.seen.pop()
        else:
            self.found |= before and self._may_raise(op)
            late = op.fn is CALL_VALUE
            self.found |= late  # of which only the run knows what it does
            self.changed |= late or _changes(op)

    def _may_raise(self, op: Op) -> bool:
        if op.fn is runtime.throw:
            cls = getattr(type_of(op.args[0]), "cls", BaseException)
            return any(issubclass(cls, c) or issubclass(c, cls) for c in self.catches)
        return not self.thrown or op.fn is runtime.observe or REFUSAL in op.static


def _changes(op: Op) -> bool:
    """Whether an op changes what was there before, other than where an iterator stands, which has
    no derivative.
    """
    t = type_of(op.args[0]) if op.args else None
    moves = op.fn is setattr and isinstance(t, Ref) and t.cls in (Cursor, Counter)
    return changes_memory(op) and not moves and not any(op.fn is made for made in MAKES)
