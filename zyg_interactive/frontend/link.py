"""Callees: lowered once for each pattern of arguments, recursive ones until their types settle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from ..diagnostics import refuse
from ..ir.core import Atom, Function, MemoryNeeded, Region, Undecided, Value, type_of, values
from ..ir.types import UNBOUND_TYPE, Const, Heap, Type, fresh
from ..rules.registry import LOWERED, arrived
from ..rules.sizes import covers, loosened, resized, settled_sizes, sizeless
from ..source import Span
from ..transformed import Transformed
from .interruptions import Catches, Facts, Interruptions
from .resolve import LOCAL_CLASSES, Known, Meaning, UserFunction
from .scope import BIRTHS, Frame, FrameResolver, Lowering, ScopeResolver

MOST_CONSTANTS = 8  # different known integers that one parameter of a callee is lowered for
MOST_ROUNDS = 8
DEEP = 16  # calls of a function inside itself, each for other types
DATA = (int, float, complex, np.ndarray, np.generic, tuple, list, dict)
T = TypeVar("T")
# What names of the functions around an inner one meant when it was lowered.
Answers = dict[tuple[Lowering, str], Meaning | None]
Intrinsic = Callable[..., Atom]
INTRINSICS: dict[Any, Intrinsic] = {}  # the API's functions inside differentiated code


class Links:
    """The part of a `Context` that is the same whether functions are live or only read."""

    def __init__(self, heap: Heap | None = None) -> None:
        self.heap = heap
        self.linked: dict[Any, Any] = {}
        self.busy: dict[Any, Function] = {}
        self.parts: dict[Any, list[tuple[Answers, Function]]] = {}
        self.frames: dict[Function, Frame] = {}  # of the closures that are lowered now
        self.asking: list[tuple[int, Answers]] = []  # of the inner functions that are lowered now
        self.constants: dict[tuple[Any, str], set[Any]] = {}
        self.classes: dict[Any, type] = {}
        self.interruptions = Interruptions()
        self.hands_out = False

    def lower(self, callee: UserFunction, given: dict[str, Atom], function: Function) -> Function:
        """The IR of `callee`, which will stand in `function`."""
        raise NotImplementedError

    def unsettled(self, function: Function) -> None:
        """What happens where the type of a recursive function does not settle."""
        raise refuse(
            "ZYG202",
            f"the type of the recursive function `{function.name}` does not settle",
            function.span,
        )

    runs = False

    def frame_of(self, callee: Function) -> Frame | None:
        return self.frames.get(callee)

    @property
    def recursive(self) -> bool:
        keys = [key for (key, _), _ in self.busy]
        return len(set(keys)) < len(keys) or any(f.recursive for f in self.busy.values())

    def local_class(self, key: Any, made: Callable[[], type]) -> type | None:
        if self.runs and key not in self.classes:
            self.classes[key] = made()
            LOCAL_CLASSES.add(self.classes[key])
        return self.classes.get(key)

    def wants(self, callee: UserFunction, name: str) -> bool:
        """Whether an argument has to be known before the run."""
        return False

    def intrinsic(self, value: Any) -> Intrinsic | None:
        if isinstance(value, Transformed):
            made: Intrinsic = INTRINSICS[Transformed](self, value)
            return made
        if isinstance(value, np.vectorize):
            called: Intrinsic = INTRINSICS[np.vectorize.__call__](value)
            return called
        try:
            arrived(value)
            return INTRINSICS.get(value) or LOWERED.get(value)
        except TypeError:
            return None

    def facts(self, region: Region, catches: Catches) -> Facts:
        return self.interruptions.facts(region, catches, self.busy.values())

    def stable(self, lowered: Callable[[], T]) -> T:
        """Lower until no more is learned of what may be in memory."""
        round = 0
        while round < MOST_ROUNDS:
            if self.heap is None:
                return lowered()
            self.linked.clear()
            self.interruptions = Interruptions()
            self.heap.changed, self.heap.widening = False, round >= MOST_ROUNDS // 2
            known = len(self.heap.shared)
            try:
                found = lowered()
            except MemoryNeeded:
                if len(self.heap.shared) == known:
                    raise
            else:
                if not self.heap.changed:
                    return found
            round = round + 1 if len(self.heap.shared) == known else 0  # else another program
        raise refuse(
            "ZYG202",
            "the types of what is stored in lists, dicts or attributes do not settle",
            None,
            "keep the type of each attribute and item the same",
        )

    def link(
        self, callee: UserFunction, arguments: dict[str, Atom], caller: Lowering | None, span: Span
    ) -> Function:
        """The callee lowered for these arguments; its parameters are those that are not known."""
        given = {name: self._given(callee, name, atom) for name, atom in arguments.items()}
        spec = specification(callee, given)
        if spec not in self.busy:
            spec, given = self._again(callee, spec, given)
        if spec in self.busy:
            self.busy[spec].recursive = True
            return self.busy[spec]
        # It captures values of its caller, which may be others at every call.
        if isinstance(callee.resolver, ScopeResolver | FrameResolver):
            return self.part(callee, given, spec)
        return self.kept(callee, given, spec)

    def _again(
        self, callee: UserFunction, spec: Any, given: dict[str, Atom]
    ) -> tuple[Any, dict[str, Atom]]:
        """The specification for a call of a function inside itself, with parts of what it was
        given: for any sizes, so that it is lowered once.
        """
        around = [s for s in self.busy if s[0] == spec[0]]
        if not around:
            return spec, given
        types = [t for _, t in spec[1]]
        for s in around:
            if covers([t for _, t in s[1]], types):
                return s, given
        names = [n for n, a in given.items() if isinstance(a, Type)]
        if len(around) > DEEP:
            given = given | {n: loosened(cast(Type, given[n])) for n in names}
        elif any([sizeless(t) for _, t in s[1]] == [sizeless(t) for t in types] for s in around):
            given = given | {n: resized(cast(Type, given[n]), lambda _: fresh()) for n in names}
        else:
            return spec, given
        return specification(callee, given), given

    def part(self, callee: UserFunction, given: dict[str, Atom], spec: Any) -> Function:
        """An inner function: what it captures may be another thing at every call. Where all that
        it asked for is the same, it is not lowered again.
        """
        if self.heap is not None or not isinstance(callee.resolver, ScopeResolver):
            return self.settled(callee, given, spec)
        (key, _), items = spec
        known = self.parts.setdefault((key, items), [])
        for answers, function in known:
            if all(_same(outer.captured_name(n), a) for (outer, n), a in answers.items()):
                for (outer, n), a in answers.items():
                    self.asked(outer, n, a)
                return function
        answers = {}
        self.asking.append((next(BIRTHS), answers))
        try:
            function = self.settled(callee, given, spec)
        finally:
            self.asking.pop()
        told = all(a is not None for a in answers.values())
        if told and not any(f.recursive for f in self.busy.values()):
            known.append((answers, function))
        return function

    def asked(self, outer: Lowering, name: str, meaning: Meaning | None) -> None:
        """An inner function asked what a name of the function around it means; None: that is not
        known.
        """
        for began, answers in self.asking:
            if outer.born < began:
                same = _same(answers.get((outer, name), meaning), meaning)
                answers[outer, name] = meaning if same else None

    def kept(self, callee: UserFunction, given: dict[str, Atom], spec: Any) -> Function:
        """The function lowered before for the same arguments, or now."""
        if spec not in self.linked:
            self.linked[spec] = self.settled(callee, given, spec)
        function: Function = self.linked[spec]
        return function

    def settled(self, callee: UserFunction, given: dict[str, Atom], spec: Any) -> Function:
        """Lower; a recursive function again and again, until its result type and its hidden
        parameters stay.
        """
        arrays = self.heap is not None and self.heap.arrays
        function = Function(
            callee.name, Region(), changing=self.heap is not None, arrays=arrays
        )
        function.region.outs = (Value(None, UNBOUND_TYPE),)
        function.region.params = tuple(Value(n, t) for n, t in given.items() if isinstance(t, Type))
        self.busy[spec] = function
        if isinstance(callee.resolver, FrameResolver):
            self.frames[function] = callee.resolver.frame
        try:
            for _ in range(MOST_ROUNDS):
                settled = set(self.linked)
                lowered = self.lower(callee, given, function)
                same = settled_sizes(lowered.result) == settled_sizes(function.result)
                stable = same and lowered.hidden == function.hidden
                function.region, function.hidden = lowered.region, lowered.hidden
                function.guards, function.span = lowered.guards, lowered.span
                function.key, function.returns = lowered.key, lowered.returns
                if stable or not function.recursive:
                    return function
                for other in self.linked.keys() - settled:  # they may call what has changed
                    del self.linked[other]
        finally:
            del self.busy[spec]
            self.frames.pop(function, None)
        self.unsettled(function)
        return function

    def _given(self, callee: UserFunction, name: str, atom: Atom) -> Atom:
        """What the callee sees of an argument: its type, or the atom where it is part of the
        program.
        """
        wanted = self.wants(callee, name)
        if isinstance(atom, Value):
            if wanted and not isinstance(atom.type, Const):
                raise Undecided(atom, f"the argument `{name}`")
            return atom.type.value if isinstance(atom.type, Const) else atom.type
        if wanted or isinstance(atom, bool) or not isinstance(atom, DATA):
            return atom
        if _is_whole(atom) and not any(True for _ in values(atom)):
            seen = self.constants.setdefault((callee.key, name), set())
            seen.add(atom)
            if len(seen) <= MOST_CONSTANTS:
                return atom
        return type_of(atom)


def _same(a: Meaning | None, b: Meaning | None) -> bool:
    """Whether a name means the same for certain."""
    if isinstance(a, Known) and isinstance(b, Known):
        return a.value is b.value and a.path == b.path
    return a is not None and a == b


def specification(callee: UserFunction, given: dict[str, Atom]) -> Any:
    """What tells calls of a function apart: types, known values, and of an inner function the call
    of the one around it in which it was defined.
    """
    around = callee.resolver.outer if isinstance(callee.resolver, ScopeResolver) else None
    items = ((n, a if isinstance(a, Type) else Const(a)) for n, a in given.items())
    return ((callee.key, around), tuple(items))


def _is_whole(atom: Atom) -> bool:
    return isinstance(atom, int) or (isinstance(atom, tuple) and all(map(_is_whole, atom)))
