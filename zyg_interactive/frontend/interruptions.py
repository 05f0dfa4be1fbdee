"""Exceptions that come after a change in memory: flags tell what ran before them.

What is handled is a region of which everything happened or nothing (`exceptions`). One that may
raise after it has changed something is taken apart here: into pieces that raise before they change
anything, each a `TRY` of its own, with the rest where nothing was raised. A loop ends with a flag;
in the place of a function that is called there is one that returns whether it raised, and what. So
the reverse part goes through what ran, and no later pass knows of this.
"""

from __future__ import annotations

import builtins
import dataclasses
import operator
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import runtime
from ..analysis.effects import BAR_CHANGES, LATE, SHOWS, changes_memory
from ..ir.core import (
    FOR,
    IF,
    TRY,
    UNPACK,
    WHILE,
    Atom,
    Function,
    Op,
    Region,
    Value,
    clone,
    map_atom,
    op_reads,
    reads,
    same_atom,
    substitute,
    type_of,
    values,
    walk,
)
from ..ir.types import BOOL, Closure, Other, Ref, Tuple, Type, Unknown, join
from ..iterators import Counter, Cursor
from ..rules.registry import REFUSAL
from ..source import Span

Catches = tuple[type[BaseException], ...]
ERROR_TYPE = Other(BaseException)
CERTAIN: set[Any] = {runtime.make_list, runtime.make_dict, list.append}  # raise nothing
# What nothing of a program's own code is in.
LIBRARIES = {"numpy", "scipy", "zyg_interactive", *sys.stdlib_module_names} - {"__main__"}
# Look at nothing but where something is kept.
MOVES: set[Any] = {
    *(getattr, setattr, object.__setattr__, operator.is_, operator.is_not, isinstance, UNPACK),
    *(list.pop, runtime.read_cell, runtime.bound, runtime.construct, runtime.new_object),
    *(runtime.frozen, runtime.store_global, runtime.read_global),
}
LAST = 1 << 60  # behind all operations
Instead = tuple[Atom, ...]
Flag = tuple[Value, Value]  # whether something was raised, and what
Flagged = tuple[list[Op], Value, Value]  # operations, and these
Taken = tuple[list[Op], tuple[Atom, Atom, tuple[Atom, ...]]]  # the same, and what is left


# ---- what may happen


@dataclass
class Facts:
    """What an operation may do, seen from where its exceptions are handled."""

    raises: bool = False
    changes: bool = False
    partial: bool = False  # raise after it has changed something
    whole: bool = False  # so, and it cannot be taken apart


UNKNOWN_FACTS = Facts(True, True, True, True)


class Effects:
    """The facts of operations and functions. `thrown`: only what is raised by `raise`, or by what
    is called, is handled.
    """

    def __init__(self, thrown: bool):
        self.thrown = thrown
        self.known: dict[Function, Facts] = {}
        self.busy: set[Function] = set()  # those that are being lowered
        self.unfinished: set[Function] = set()

    def _learn(self, region: Region) -> None:
        """Find the facts of all functions that are called, which may call each other."""
        new: list[Function] = []
        self._reach(region, new)
        unfinished = self.unfinished | self.busy
        changed = True
        while changed:
            changed = False
            for f in new:
                facts = UNKNOWN_FACTS if f in unfinished else self._sequence([f.region])
                facts.whole |= facts.partial and (f.checkpoint or f.order > 0)
                changed |= facts != self.known[f]
                self.known[f] = facts
        if not unfinished.isdisjoint(new):
            self.unfinished.update(new)

    def begin(self, busy: Iterable[Function]) -> None:
        """Forget what may have been lowered since then."""
        for f in self.unfinished:
            self.known.pop(f, None)
        self.unfinished.clear()
        self.busy = set(busy)

    def _reach(self, region: Region, new: list[Function]) -> None:
        for op in walk(region):
            if isinstance(op.fn, Function) and op.fn not in self.known:
                self.known[op.fn] = Facts()
                self._reach(op.fn.region, new)
                new.append(op.fn)

    def of_region(self, region: Region) -> Facts:
        return self._sequence([region])

    def of(self, op: Op) -> Facts:
        if op.fn is IF:
            found, other = map(self.of_region, op.regions)
            return Facts(
                found.raises or other.raises,
                found.changes or other.changes,
                found.partial or other.partial,
                found.whole or other.whole,
            )
        if op.regions:
            rounds = 2 if op.fn in (FOR, WHILE) else 1
            found = self._sequence(op.regions * rounds)
            collects = op.fn is WHILE and len(op.results) > op.static["carried"]
            found.whole |= found.partial and (collects or op.fn not in (FOR, WHILE, TRY))
            return found
        if isinstance(op.fn, Function):
            if op.fn not in self.known:
                self._learn(Region((), [op]))
            return self.known[op.fn]
        if isinstance(op.fn, dict | list):
            return Facts(not self.thrown)
        if op.fn in LATE:  # of which only the run knows what it does
            return UNKNOWN_FACTS
        return Facts(self._raises(op), _changes(op))

    def _sequence(self, regions: Iterable[Region]) -> Facts:
        found = Facts()
        for region in regions:
            for op in region.ops:
                facts = self.of(op)
                found.partial |= facts.partial or (found.changes and facts.raises)
                found.raises |= facts.raises
                found.changes |= facts.changes
                found.whole |= facts.whole
        return found

    def _raises(self, op: Op) -> bool:
        if op.fn in CERTAIN:
            return False
        return not self.thrown or op.fn in SHOWS or REFUSAL in op.static or _reaches_program(op)


def is_thrown(catches: Catches) -> bool:
    """Whether nothing raises these exceptions but code of the program: those that it defines, and
    `StopIteration`.
    """
    return all(c is StopIteration or not _is_library(c.__module__) for c in catches)


def _reaches_program(op: Op) -> bool:
    """Whether an op may run code of the program, such as a method of what it is given."""
    if op.fn is runtime.throw or not _is_library(_module(op.fn)):
        return True
    if op.fn in MOVES:
        return False
    given = (*op.args, *op.static.values())
    if any(map(_is_of_program, map(type_of, values(given)))):
        return True
    known = (a for a in given if not isinstance(a, Value | tuple | list | dict))
    return any(not _is_library(_module(a)) for a in known)


def _is_of_program(t: Type) -> bool:
    if isinstance(t, Unknown | Closure):
        return True
    cls = getattr(t, "cls", object)
    return not _is_library(cls.__module__)


def _module(a: Any) -> str:
    """The module that an object comes from."""
    of = getattr(a, "__objclass__", a)
    name = getattr(of, "__module__", None)
    return name if isinstance(name, str) else type(a).__module__


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in LIBRARIES


def _changes(op: Op) -> bool:
    """Whether an op changes what is still there after an exception: not cotangents of an inner
    derivative, nor where an iterator stands, which has no derivative.
    """
    if op.fn in BAR_CHANGES or not changes_memory(op):
        return False
    t = type_of(op.args[0]) if op.args else None
    return not (op.fn is setattr and isinstance(t, Ref) and t.cls in (Cursor, Counter))


# ---- taking apart


class Interruptions:
    """What the lowering of one program knows of exceptions after changes."""

    def __init__(self) -> None:
        self.effects = {True: Effects(True), False: Effects(False)}
        self.made: dict[Any, Function] = {}

    def facts(self, region: Region, catches: Catches, busy: Iterable[Function]) -> Facts:
        """What a region may do, of which some exceptions are handled."""
        for effects in self.effects.values():
            effects.begin(busy)
        return self.effects[is_thrown(catches)].of_region(region)

    def handled(self, op: Op) -> list[Op]:
        """What a `TRY` is whose body changes something before it raises."""
        body, otherwise = op.regions
        ops, (raised, error, outs) = _Flags(op.static["catches"], self).rest(body, body.outs[1:])
        _take(otherwise, error)
        done = Region((), [], (False, *outs))
        return [*ops, _choice(raised, op.results, (otherwise, done), op)]


class _Flags:
    """Takes apart what raises some exceptions."""

    def __init__(self, catches: Catches, known: Interruptions):
        self.catches, self.known = catches, known
        self.effects = known.effects[is_thrown(catches)]

    def rest(self, region: Region, outs: Instead, instead: Instead = ()) -> Taken:
        """The operations of a region that raises nothing, and what it leaves. `instead`: what it
        leaves in the place of `outs` where something was raised; None: anything.
        """
        return _Pieces(self, region, outs, instead).from_(0)

    def tried(self, ops: list[Op], left: list[Value]) -> Flagged:
        """A piece that raises before it changes anything, of which some values are `left`."""
        copies: dict[Value, Atom] = {}
        body = clone(Region((), ops), copies)
        body.outs = (False, None, *(copies[v] for v in left))
        span = ops[-1].span
        error = Value("error", ERROR_TYPE, span)
        otherwise = Region((error,), [], (True, error, *(None for _ in left)))
        raised, thrown = _flags(span)
        static = {"catches": self.catches, "leaves": False}
        op = Op(TRY, (), static, (raised, thrown, *left), (body, otherwise), span)
        return [op], raised, thrown

    def apart(self, op: Op) -> Flagged:
        """An operation that raises after it has changed something."""
        if op.fn is IF:
            return self._if(op)
        if op.fn is TRY:
            return self._try(op)
        if op.fn is FOR:
            return self._loop(op)
        if op.fn is WHILE:
            return self._while(op)
        return self._call(op)

    def _if(self, op: Op) -> Flagged:
        arms = self._arm(op.regions[0]), self._arm(op.regions[1])
        raised, error = _flags(op.span)
        return [_choice(op.args[0], (raised, error, *op.results), arms, op)], raised, error

    def _arm(self, region: Region, first: int = 0) -> Region:
        ops, (raised, error, outs) = self.rest(region, region.outs[first:])
        return Region((), ops, (raised, error, *region.outs[:first], *outs))

    def _try(self, op: Op) -> Flagged:
        body, otherwise = op.regions
        catches = op.static["catches"]
        inner = _Flags(tuple(dict.fromkeys((*catches, *self.catches))), self.known)
        ops, (raised, error, outs) = inner.rest(body, body.outs[1:])
        _take(otherwise, error)
        caught = self._arm(otherwise, 1)
        if not all(issubclass(c, catches) for c in self.catches):  # others go on
            fits = Value("caught", BOOL, op.span)
            check = Op(builtins.isinstance, (error, catches), {}, (fits,), (), op.span)
            passed = Region((), [], (True, error, *(None for _ in op.results)))
            results = tuple(Value(r.name, r.type, r.span) for r in op.results)
            left = (*_flags(op.span), *results)
            caught = Region((), [check, _choice(fits, left, (caught, passed), op)], left)
        flags = _flags(op.span)
        done = Region((), [], (False, None, False, *outs))
        return [*ops, _choice(raised, (*flags, *op.results), (caught, done), op)], *flags

    def _loop(self, op: Op) -> Flagged:
        body = op.regions[-1]
        first, carried, stop = op.static["sequences"], op.static["carried"], int(op.static["stop"])
        params = body.params[first:]
        unread = (None,) * (len(op.results) - carried)
        instead = (*(True,) * stop, *params, *unread)
        body.ops, (raised, error, outs) = self.rest(body, body.outs, instead)
        ends = outs[0] if stop else raised
        kept, collected = outs[stop : stop + carried], outs[stop + carried :]
        body.outs = (ends, *kept, raised, error, *collected)
        body.params = (*body.params, *_flags(op.span))
        flags = _flags(op.span)
        static = {**op.static, "carried": carried + 2, "stop": True}
        results = (*op.results[:carried], *flags, *op.results[carried:])
        return [Op(op.fn, (*op.args, False, None), static, results, op.regions, op.span)], *flags

    def _while(self, op: Op) -> Flagged:
        test, body = op.regions
        if any(self.effects.of(part).raises for part in test.ops):  # it becomes a part of the body
            stop = op.static["stop"]
            go_on = Region((), body.ops, body.outs if stop else (False, *body.outs))
            end = Region((), [], (True, *body.params))
            copies = (Value(r.name, r.type, r.span) for r in op.results)
            outs = (Value("stop", BOOL, op.span), *copies)
            body.ops = [*test.ops, _choice(test.outs[0], outs, (go_on, end), op)]
            body.outs, test.ops, test.outs = outs, [], (True,)
            op.static = {**op.static, "stop": True}
        return self._loop(op)

    def _call(self, op: Op) -> Flagged:
        """A call of the function that returns whether it raised, what, and its result."""
        flags, all_of_it = _flags(op.span), Value(None, span=op.span)
        results = op.results or (Value(None, span=op.span),)
        all_of_it.type = Tuple((BOOL, ERROR_TYPE, results[0].type))
        called = Op(self._caught(op.fn), op.args, op.static, (all_of_it,), (), op.span)
        return [called, Op(UNPACK, (all_of_it,), {}, (*flags, *results), (), op.span)], *flags

    def _caught(self, f: Function) -> Function:
        key = f, self.catches
        if key not in self.known.made:
            made = dataclasses.replace(f, name=f"{f.name}_caught", region=Region())
            self.known.made[key] = made
            region = clone(f.region, {})
            region.ops, left = self.rest(region, region.outs)
            region.outs = ((left[0], left[1], *left[2]),)
            made.region = region
        return self.known.made[key]


class _Pieces:
    """A region in pieces: each is followed by the rest where nothing was raised."""

    def __init__(self, flags: _Flags, region: Region, outs: Instead, instead: Instead):
        self.flags, self.ops, self.outs, self.instead = flags, region.ops, outs, instead
        self.last = {v: LAST for v in values(outs)}  # the place where a value is read last
        for k, op in reversed(list(enumerate(self.ops))):
            for v in (*op_reads(op), *(v for inner in op.regions for v in reads(inner))):
                self.last.setdefault(v, k)
        self.made_at = {r: k for k, op in enumerate(self.ops) for r in op.results}
        self.merged: set[Value] = set()

    def from_(self, at: int) -> Taken:
        done: list[Op] = []
        while at < len(self.ops):
            start, at = at, self._end(at)
            piece = self.ops[start:at]
            facts = [self.flags.effects.of(op) for op in piece]
            if not any(f.raises for f in facts):
                done += piece
                continue
            if facts[0].partial:
                made, raised, error = self.flags.apart(piece[0])
            else:
                results = (r for op in piece for r in op.results)
                left = [r for r in results if self.last.get(r, -1) >= at]
                made, raised, error = self.flags.tried(piece, left)
            done += made
            if at == len(self.ops) and not self.instead:
                return done, (raised, error, self.outs)
            inner, (late, error_late, outs) = self.from_(at)
            inside = partial(self._is_inside, at)
            merged = _Merged((raised, error), (late, error_late), made[-1], inside)
            instead = self.instead or (None,) * len(outs)
            left_by = tuple(map(merged.leave, outs, instead))
            self.merged.update(merged.results)
            done.append(merged.choice(inner))
            return done, (*merged.flags, left_by)
        return done, (False, None, self.outs)

    def _is_inside(self, at: int, v: Value) -> bool:
        """Whether a value is made by the operations from here on."""
        return v in self.merged or self.made_at.get(v, -1) >= at

    def _end(self, at: int) -> int:
        """Where the piece ends that begins here."""
        changed = False
        for k in range(at, len(self.ops)):
            facts = self.flags.effects.of(self.ops[k])
            if facts.partial:
                return max(k, at + 1)
            if changed and facts.raises:
                return k
            changed |= facts.changes
        return len(self.ops)


class _Merged:
    """What two regions leave: nothing, where something was raised, and the rest."""

    def __init__(
        self, then: Flag, other: tuple[Atom, Atom], after: Op, inside: Callable[[Value], bool]
    ):
        self.raised, self.after, self.inside = then[0], after, inside
        self.flags = _flags(after.span)
        self.results: list[Value] = [*self.flags]
        self.outs: tuple[list[Atom], list[Atom]] = ([True, then[1]], [*other])

    def leave(self, out: Atom, other: Atom) -> Atom:
        """What is left after both; `other`: what is left in the place of it, or None."""
        if other is None:
            return map_atom(self._left, out)
        t = join(type_of(out), type_of(other))
        return out if same_atom(out, other) else self._result(out, other, t)

    def _left(self, a: Atom) -> Atom:
        return self._result(a, None, a.type) if isinstance(a, Value) and self.inside(a) else a

    def _result(self, out: Atom, other: Atom, t: Type) -> Value:
        found = Value(getattr(out, "name", None), t, self.after.span)
        self.results.append(found)
        self.outs[0].append(other)
        self.outs[1].append(out)
        return found

    def choice(self, inner: list[Op]) -> Op:
        arms = Region((), [], tuple(self.outs[0])), Region((), inner, tuple(self.outs[1]))
        return _choice(self.raised, tuple(self.results), arms, self.after)


def _flags(span: Span | None) -> Flag:
    return Value("raised", BOOL, span), Value("error", ERROR_TYPE, span)


def _choice(
    condition: Atom, results: tuple[Value, ...], arms: tuple[Region, Region], of: Op
) -> Op:
    return Op(IF, (condition,), {}, results, arms, of.span)


def _take(otherwise: Region, error: Atom) -> None:
    """Let the region that handles an exception read it from around."""
    substitute(otherwise, {otherwise.params[0]: error})
    otherwise.params = ()
