"""Calls whose callee or types only the run knows: specialised when they happen, like any other
call.

What such a call came to is a function of the IR, and so is its reverse, with all that this does to
the memory of the program around it. So both are differentiated like other functions, to any order.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import runtime
from .analysis.effects import changes_what_it_is_given
from .diagnostics import refuse
from .emit.compile import Compiler
from .engine import Engine, Specialisation
from .ir.core import (
    CALLED,
    Atom,
    Function,
    Op,
    Region,
    Value,
    append,
    building,
    emit,
    type_of,
    walk,
)
from .ir.types import (
    FLOAT,
    UNKNOWN,
    Const,
    Other,
    Ref,
    Scalar,
    Tuple,
    Type,
    has_derivative,
    in_memory,
    may_be_differentiable,
    refers,
    value_of,
)
from .rules.elementwise import narrow
from .rules.registry import infer, is_followed
from .runtime import STORING, VALUE, Asked
from .transform.adjoint import Pattern
from .transform.cotangents import Fields, as_scalar, bar_type, is_zero, made, opened, plus
from .transform.pipeline import Derivatives
from .transformed import Transformed

# How the reverse of a late call finds an object whose identity it needs, once, after the call:
# among what was called and given, or among the results.
Place = Callable[[tuple[Any, ...], tuple[Any, ...]], Any]


class _Back:
    """What a late call keeps for a pullback: `saved`, the results before that, the objects that its
    reverse finds by their identity, and what the cotangents that it gives belong to.
    """

    __slots__ = ("unit", "saved", "results", "places", "given", "hidden")

    def __init__(
        self,
        unit: _Unit,
        saved: Any,
        results: tuple[Any, ...],
        given: tuple[Any, ...],
        hidden: list[Any],
    ):
        self.unit, self.saved, self.results, self.hidden = unit, saved, results, hidden
        self.places = [place(given, results) for place in unit.places]
        self.given = [given[i] for i, _ in unit.asked]


class _Bars:
    """The cotangent of a `_Back`: of what was kept, and, where the program around knows of no
    memory, the memory with those of what that refers to.
    """

    __slots__ = ("saved", "memory")

    def __init__(self, saved: Any, memory: Any):
        self.saved, self.memory = saved, memory

    def __add__(self, other: _Bars) -> _Bars:
        return _Bars(runtime.add(self.saved, other.saved), runtime.add(self.memory, other.memory))


class LateSpecialisation(runtime.Dynamic):
    """Puts the engine behind the functions of `runtime.late`."""

    def __init__(self, engine: Engine):
        self.engine = engine

    def forward(
        self,
        names: tuple[str, ...],
        changing: str | None,
        orders: tuple[Asked, ...],
        fn: Any,
        args: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        if not callable(fn):
            fn(*args)  # raises what Python raises
        implicit = runtime.reached() is not None
        given = (fn, *args)

        def units(s: Specialisation) -> list[_Unit]:
            key = ("late", changing, implicit)
            if key not in s.units:
                s.units[key] = _Called(s, changing, implicit)
            made: list[_Unit] = s.units[key].units(orders, given)
            return made

        form = ("late", changing, implicit, orders)
        s, found = self.engine.prepared(fn, args, form, units, names, changing)
        if found[0].late.alone and changes_what_it_is_given(s.function):
            raise runtime.Changed(
                f"`{s.function.name}`, which only the run knows, may change what it is given",
                "call it by its name, or let it return the new value",
            )
        return _run(found, s.values(fn, args), given)

    def again(self, times: int, back: _Back, memory: Any, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        late = back.unit.reversed
        units = late.units((late.asked,) * times, ())
        return _run(units, back.unit.arguments(back, memory, gs)[0], (back, *gs))

    def reverse(self, back: _Back, memory: Any, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        unit = back.unit
        values, carried = unit.arguments(back, memory, gs)
        found = _several(unit.reverse(*values), unit.outs)
        sink = runtime.reached()
        if sink is not None:
            sink += zip(back.hidden, found[len(unit.asked) :], strict=True)
        return unit.late.finished(unit, back.given, found, carried if memory is None else None)


def _run(units: list[_Unit], values: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Run the last of several derivatives, each of the forward part of the one before: the results,
    and what each of them keeps.
    """
    last = units[-1]
    n = len(last.patterns)
    *results, saved = _several(last.forward(*values), n + 1)
    first = n - len(units) + 1
    every = (*results, saved)
    backs = [
        _Back(unit, every[k], every[:k], given, [values[i] for i in unit.hidden])
        for k, unit in enumerate(units, first)
    ]
    seen = last.late.complete(every[: last.late.seen], given)
    return (*seen, *backs)


def _several(found: Any, count: int) -> tuple[Any, ...]:
    """What a generated function returned, always as a tuple."""
    return (found,) if count == 1 else tuple(found)


class _Unit:
    """A derivative of what a late call came to: its pair, and the reverse part as the program calls
    it, of what was kept, the objects at `places`, the cotangents of the results, and the memory.
    """

    def __init__(
        self, late: _Late, function: Function, asked: Asked, patterns: list[Pattern], given: Any
    ):
        self.late, self.asked, self.patterns = late, asked, patterns
        self.backs = len(patterns) - len(late.function.region.outs)  # kept by those before
        self.places: list[Place] = []
        wrt, self.hidden, arrange = late.arrangement(asked, given)
        pattern = tuple(patterns) if len(patterns) != 1 else patterns[0]
        self.pair = late.derivatives.pair(function, wrt, pattern, late.outermost)
        self.shapes: list[Pattern] = []
        self.reverse_function = self._reverse(function, arrange)
        self.outs = len(self.reverse_function.region.outs)

    # ---- the reverse part

    def _reverse(self, function: Function, arrange: _Arrange) -> Function:
        pair, region = self.pair, Region()
        saved = Value("saved", type_of(pair.forward.region.outs[-1]), function.span)
        self.memory = Value("memory", Other(runtime.Memory)) if function.changing else None
        self._given: list[Value] = []
        self._leaves: list[Value] = []
        seeds: list[Atom] = []
        with building(region, function.span, infer, narrow):
            for k, (out, pattern) in enumerate(
                zip(function.region.outs, self.patterns, strict=True)
            ):
                seen = k < self.late.seen
                self.shapes.append(self._leaf(type_of(out), pattern, (k,), seen, seeds))
            memory = () if self.memory is None else (self.memory,)
            results = tuple(Value(None, type_of(o)) for o in pair.reverse.region.outs)
            append(Op(pair.reverse, (saved, *seeds, *memory), {}, results, ()))
            bars = [
                None if is_zero(out) else opened(r, parts)
                for out, r, parts in zip(pair.reverse.region.outs, results, pair.parts, strict=True)
            ]
            region.outs = tuple(map(made, arrange(self, bars)))
        region.params = (saved, *self._given, *self._leaves, *memory)
        made_of = pair.reverse
        self.first_leaf = 1 + len(self._given)
        return Function(
            made_of.name,
            region,
            function.span,
            order=made_of.order,
            changing=made_of.changing,
            arrays=made_of.arrays,
        )

    def _leaf(
        self, t: Type, pattern: Pattern, path: tuple[int, ...], seen: bool, seeds: list[Atom]
    ) -> Pattern:
        """Take the cotangent of a part of a result; returns which parts have one."""
        if isinstance(pattern, tuple):
            assert isinstance(t, Tuple)
            parts = enumerate(zip(t.items, pattern, strict=True))
            return tuple(self._leaf(i, p, (*path, k), seen, seeds) for k, (i, p) in parts)
        if pattern is None and not seen:
            return None
        g: Value = Value(None, bar_type(value_of(t)))
        self._leaves.append(g)
        if pattern is not None:
            if seen and self.late.changing:  # its buffer may have more, by its identity
                seeds.append(self.emitted(runtime.drained, _result(path), g, g.type))
            else:
                seeds.append(g)
        elif isinstance(t, Ref):
            g.type = UNKNOWN
            if issubclass(t.cls, list | dict):  # its parts have theirs in memory
                emit(runtime.scattered, (self.memory, self.place(_snapshot(path)), g))
        else:
            self.emitted(runtime.settled, _result(path), g)
        return True

    def place(self, place: Place) -> Value:
        """A parameter for an object that is found by its identity."""
        self.places.append(place)
        self._given.append(Value(None, UNKNOWN))
        return self._given[-1]

    def emitted(self, fn: Any, place: Place, c: Atom, t: Type = UNKNOWN) -> Value:
        """An op on the memory of the program and an object."""
        done = emit(fn, (self.memory, self.place(place), c))
        done.type = t
        return done

    # ---- at the run

    @functools.cached_property
    def forward(self) -> Any:
        return Compiler().function(self.pair.forward, self.late.function.name).callable

    @functools.cached_property
    def reverse(self) -> Any:
        title = f"pullback of {self.late.function.name}"
        return Compiler().function(self.reverse_function, title).callable

    def arguments(self, back: _Back, memory: Any, gs: tuple[Any, ...]) -> tuple[list[Any], Any]:
        """The arguments of the reverse part, and the memory among them."""
        seen = self.late.seen
        unseen = len(self.shapes) - len(gs)
        every = (*gs[:seen], *(None,) * unseen, *gs[seen:])
        values = [back.saved, *back.places]
        for g, shape, like in zip(every, self.shapes, back.results, strict=True):
            values += _flat(g, shape, like)
        if self.memory is not None:
            if memory is None:
                for g in gs:
                    memory = runtime.add(memory, g.memory) if isinstance(g, _Bars) else memory
            if memory is None:
                memory = runtime.new_memory(self.pair.forward.arrays)
            values.append(memory)
        return values, memory

    # ---- the next derivative

    @functools.cached_property
    def reversed(self) -> _Reversed:
        return _Reversed(self)

    def kept(self) -> Pattern:
        """Which parts of what is kept have a cotangent."""
        again = self.reversed.units((self.reversed.asked,), ())[0]
        t = self.reverse_function.region.params[0].type
        return _narrowed(t, again.kept_parts)

    @property
    def kept_parts(self) -> Any:
        return self.pair.parts[0] if self.late.keeps else None


_Arrange = Callable[[_Unit, list[Atom]], list[Atom]]


class _Late:
    """A function that a late call came to, and its derivatives. The program has the first `seen` of
    its results.
    """

    outermost = False
    keeps = False

    def __init__(
        self,
        function: Function,
        derivatives: Derivatives,
        changing: str | None,
        alone: bool,
        level: int,
        seen: int,
    ):
        self.function, self.derivatives, self.changing = function, derivatives, changing
        self.alone, self.level, self.seen = alone, level, seen
        self._made: dict[tuple[Asked, ...], list[_Unit]] = {(): []}

    def units(self, orders: tuple[Asked, ...], given: Any) -> list[_Unit]:
        """A derivative for each of `orders`: of the function, and of what it becomes by the one
        before. `given`: the callee and what it is given, for an example.
        """
        if orders in self._made:
            return self._made[orders]
        if self.alone and self.level + len(orders) > 2:
            raise refuse(
                "ZYG301",
                f"no third derivative of `{self.function.name}`, which changes something and which "
                "only the run knows",
                self.function.span,
                "call it by its name",
            )
        before = self.units(orders[:-1], given)
        outs = self.function.region.outs
        patterns = [
            _leaves(type_of(o), self.outermost) if k < self.seen else None
            for k, o in enumerate(outs)
        ]
        patterns += [unit.kept() for unit in before]
        function = before[-1].pair.forward if before else self.function
        made = [*before, _Unit(self, function, orders[-1], patterns, given)]
        self._made[orders] = made
        return made

    def arrangement(self, asked: Asked, given: Any) -> tuple[tuple[int, ...], list[int], _Arrange]:
        """The parameters to differentiate in; those of them that the program does not know of; and
        what makes of the cotangents of all of them those of what was asked for.
        """
        raise NotImplementedError

    def complete(self, seen: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The results as the program has them."""
        return seen

    def finished(
        self, unit: _Unit, given: list[Any], found: tuple[Any, ...], memory: Any
    ) -> tuple[Any, ...]:
        """The cotangents as the program has them."""
        raise NotImplementedError


class _Called(_Late):
    """What was called."""

    def __init__(self, s: Specialisation, changing: str | None, implicit: bool):
        alone = s.heap is not None and not changing
        super().__init__(s.function, s.derivative(implicit), changing, alone, 0, 1)
        self.outermost = alone
        self.arrays = s.heap is not None and s.heap.arrays
        self.s, self.implicit = s, implicit

    def arrangement(self, asked: Asked, given: Any) -> tuple[tuple[int, ...], list[int], _Arrange]:
        function, positions = self.function, self.s.positions
        params = function.region.params
        first_hidden = len(params) - len(function.hidden)
        differentiable = has_derivative if self.alone else may_be_differentiable
        chosen: list[int] = []
        of_argument: list[Any] = []

        def reached(root: int | str) -> dict[Any, Any]:
            """The cotangents of what the callee, or a function that it is given, captured."""
            tree: dict[Any, Any] = {}
            for k, path in enumerate(function.hidden):
                t = params[first_hidden + k].type
                if path.root == root and differentiable(t):
                    _plant(tree, path.steps, len(chosen))
                    chosen.append(first_hidden + k)
            return tree

        for i, _ in asked:
            if i == 0:
                of_argument.append(reached(CALLED))
            elif isinstance(given[i], types.FunctionType) and i - 1 not in positions:
                of_argument.append(reached(i - 1))
                _only_followed(self.s, given[i])
            elif i - 1 in positions and differentiable(params[positions.index(i - 1)].type):
                of_argument.append(len(chosen))
                chosen.append(positions.index(i - 1))
            else:
                of_argument.append(None)
        visible = len(chosen)
        if self.implicit:
            self._refuse_memory(params[first_hidden:])
            chosen += [
                k
                for k in range(first_hidden, len(params))
                if k not in chosen and may_be_differentiable(params[k].type)
            ]

        def arrange(unit: _Unit, bars: list[Atom]) -> list[Atom]:
            found = [
                self._of_callee(unit, bars, where, i, (), given[i])
                if isinstance(where, dict)
                else self._of_argument(unit, None if where is None else bars[where], i, how, given)
                for (i, how), where in zip(asked, of_argument, strict=True)
            ]
            return [*found, *bars[visible:]]

        return tuple(chosen), chosen[visible:], arrange

    def _refuse_memory(self, hidden: Sequence[Value]) -> None:
        """Globals that have their cotangents by identity: nobody would bring these to a user."""
        if self.changing and any(refers(p.type) and has_derivative(p.type) for p in hidden):
            raise refuse(
                "ZYG105",
                f"derivatives in globals that `{self.function.name}` reaches, which only the run "
                "knows, in a program that changes lists, dicts, objects or arrays",
                self.function.span,
                "pass them as arguments, or call it by its name",
            )

    def _of_argument(self, unit: _Unit, bar: Atom, i: int, how: bool | str, given: Any) -> Atom:
        x = given[i]
        if not self.changing:
            pass
        elif how is True:
            bar = None if bar is None else unit.emitted(runtime.settled, _given(i), made(bar))
        elif how == VALUE and not _is_plain(x, self.arrays):
            raise refuse(
                "ZYG301",
                f"no such derivative of `{self.function.name}`, which only the run knows, for a "
                "cotangent that is a structure",
                self.function.span,
                "call it by its name",
            )
        elif isinstance(x, list | dict) and how and bar is None:
            bar = emit(runtime.of_copy, (unit.memory, unit.place(_given(i))))
        elif self.arrays and isinstance(x, np.ndarray):
            bar = unit.emitted(runtime.drained, _given(i), made(bar))
        return as_scalar(bar, FLOAT) if isinstance(x, float | int) else bar

    def _of_callee(
        self,
        unit: _Unit,
        bars: list[Atom],
        tree: dict[Any, Any],
        root: int,
        steps: tuple[Any, ...],
        f: Any,
    ) -> Atom:
        """The cotangent of a callee: of what it captured, but for variables that are in memory, and
        of its attributes.
        """
        own = bars[tree[()]] if () in tree else None
        closure = isinstance(f, types.FunctionType)
        if closure and self.changing and not _is_of_numbers(type_of(made(own))):
            own = unit.emitted(runtime.settled, _reached(root, steps), made(own))
        parts: dict[Any, Atom] = {}
        for k, inner in tree.items():
            if k == ():
                continue
            there = (*steps, k)
            part = f.__closure__[k].cell_contents if closure else getattr(f, k)
            bar = self._of_callee(unit, bars, inner, root, there, part)
            if closure and self.changing and bar is not None:
                place = _captured(root, there, self.changing == STORING)
                bar = unit.emitted(runtime.settled, place, made(bar))
            parts[k] = bar
        if not parts:
            return own
        if not closure:
            return Fields(parts)
        captured = tuple(parts.get(k) for k in range(len(f.__closure__)))
        if is_zero(own) or isinstance(type_of(own), Tuple):
            return plus(own, captured)
        return emit(runtime.add, (made(own), made(captured)))

    def finished(
        self, unit: _Unit, given: list[Any], found: tuple[Any, ...], memory: Any
    ) -> tuple[Any, ...]:
        return tuple(
            _filled(bar, x)
            if (bar is None or isinstance(x, types.FunctionType))
            and i > 0
            and not (how is True and isinstance(x, np.ndarray))
            else bar
            for (i, how), x, bar in zip(unit.asked, given, found, strict=False)
        )


class _Reversed(_Late):
    """The reverse part of a derivative. Asked for are the cotangents of what was kept, and of the
    cotangents of the results.
    """

    def __init__(self, unit: _Unit):
        late = unit.late
        super().__init__(
            unit.reverse_function,
            late.derivatives,
            late.changing,
            late.alone,
            late.level + unit.backs + 1,
            len(unit.asked),
        )
        self.of = unit
        params = self.function.region.params
        self.wrt = tuple(
            k
            for k in (0, *range(unit.first_leaf, unit.first_leaf + len(unit._leaves)))
            if may_be_differentiable(params[k].type)
        )
        self.keeps = 0 in self.wrt
        shapes = unit.shapes
        last = len(shapes) - unit.backs
        self.gs = [*shapes[: late.seen], *shapes[last:]]
        self.asked: Asked = tuple((i, False) for i in range(1 + len(self.gs)))

    def arrangement(self, asked: Asked, given: Any) -> tuple[tuple[int, ...], list[int], _Arrange]:
        def arrange(unit: _Unit, bars: list[Atom]) -> list[Atom]:
            of = dict(zip(self.wrt, bars, strict=True))
            first = self.of.first_leaf
            leaves = iter([of.get(first + k) for k in range(len(self.of._leaves))])
            return [of.get(0), *(_joined(shape, leaves) for shape in self.gs)]

        return self.wrt, [], arrange

    def complete(self, seen: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
        return self.of.late.finished(self.of, given[0].given, seen, None)

    def finished(
        self, unit: _Unit, given: list[Any], found: tuple[Any, ...], memory: Any
    ) -> tuple[Any, ...]:
        of_kept, *of_gs = found
        seen = self.of.late.seen
        return (
            _Bars(of_kept, memory),
            *(
                _filled(bar, g) if k < seen else _Bars(bar, None)
                for k, (bar, g) in enumerate(zip(of_gs, given[1:], strict=True))
            ),
        )


def _is_of_numbers(t: Type) -> bool:
    """Whether a cotangent, whole, is that of a value, and nothing in it has one by its identity."""
    if isinstance(t, Tuple):
        return all(map(_is_of_numbers, t.items))
    return isinstance(t, Scalar) or t == Const(None)


def _is_plain(x: Any, arrays: bool) -> bool:
    """Whether the whole cotangent of a value is found: not where it holds something that is found
    by its identity, in another than a list or dict.
    """
    if isinstance(x, list | dict):
        items = x.values() if isinstance(x, dict) else x
        return all(_is_plain(e, arrays) and not (arrays and _is_array(e)) for e in items)
    if isinstance(x, tuple):
        return not any(isinstance(e, list | dict | tuple) or arrays and _is_array(e) for e in x)
    plain = int | float | complex | str | np.generic | np.ndarray
    return x is None or isinstance(x, plain) or is_followed(Other(type(x)))


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def _given(i: int) -> Place:
    return lambda given, results: given[i]


def _result(path: tuple[int, ...]) -> Place:
    def find(given: tuple[Any, ...], results: tuple[Any, ...]) -> Any:
        found: Any = results
        for i in path:
            found = found[i]
        return found

    return find


def _snapshot(path: tuple[int, ...]) -> Place:
    """A result with all it holds, as it was returned."""
    result = _result(path)
    return lambda given, results: runtime.snapshot(result(given, results))


def _reached(root: int, steps: tuple[Any, ...]) -> Place:
    """A function that a callee captured, or the callee itself."""

    def find(given: tuple[Any, ...], results: tuple[Any, ...]) -> Any:
        f = given[root]
        for step in steps:
            f = getattr(f, step) if isinstance(step, str) else f.__closure__[step].cell_contents
        return f

    return find


def _captured(root: int, steps: tuple[Any, ...], arrays: bool) -> Place:
    """What a closure captured, where it has its cotangent by its identity: a variable that is in
    memory, or one of `arrays`.
    """

    def find(given: tuple[Any, ...], results: tuple[Any, ...]) -> Any:
        f = _reached(root, steps[:-1])(given, results)
        cell = f.__closure__[steps[-1]]
        if steps[-1] in runtime.shared_cells(f):
            return cell
        return cell.cell_contents if arrays else None

    return find


def _plant(tree: dict[Any, Any], steps: tuple[Any, ...], index: int) -> None:
    """Note which cotangent is that of what a callee reaches by `steps`."""
    for step in steps:
        tree = tree.setdefault(step, {})
    tree[()] = index


def _leaves(t: Type, alone: bool) -> Pattern:
    """Which parts of a result have a cotangent of their own; that of an object is in memory."""
    if isinstance(t, Tuple):
        return tuple(_leaves(i, alone) for i in t.items)
    return None if not alone and (isinstance(t, Ref) or in_memory(t)) else True


def _narrowed(t: Type, parts: Any) -> Pattern:
    """Which parts of what is kept have a cotangent, from those that the reverse part gives one."""
    if isinstance(t, Tuple):
        each = parts if isinstance(parts, tuple) else (parts,) * len(t.items)
        return tuple(map(_narrowed, t.items, each))
    return None if is_zero(parts) or isinstance(t, Ref) or in_memory(t) else True


def _flat(g: Any, shape: Pattern, like: Any) -> list[Any]:
    """The leaves of a cotangent, zero where there is none."""
    if isinstance(g, _Bars):
        g = g.saved
    if isinstance(shape, tuple):
        parts = (None,) * len(shape) if g is None else g
        return [x for each in zip(parts, shape, like, strict=True) for x in _flat(*each)]
    if shape is None:
        return []
    if g is None:
        return [runtime.zeros_like(like)]
    if isinstance(like, types.FunctionType):
        return [_filled(g, like)]
    g = runtime.real_where(g, like)
    return [float(g) if type(like) is float and isinstance(g, np.ndarray | np.generic) else g]


def _joined(shape: Pattern, leaves: Iterator[Atom]) -> Atom:
    """A cotangent from its leaves."""
    if isinstance(shape, tuple):
        return tuple(_joined(part, leaves) for part in shape)
    return None if shape is None else next(leaves)


def _filled(bar: Any, like: Any) -> Any:
    """A cotangent with zeros where there is none."""
    if isinstance(bar, tuple) and isinstance(like, tuple):
        return tuple(map(_filled, bar, like))
    if isinstance(bar, tuple) and isinstance(like, types.FunctionType):
        parts = zip(bar, runtime.held_by(like), runtime.zeros_like(like), strict=True)
        return tuple(zero if b is None else _filled(b, held) for b, held, zero in parts)
    return runtime.zeros_like(like) if bar is None else bar


def _only_followed(s: Specialisation, f: types.FunctionType) -> None:
    """Refuse a late call to which a function that it is given is a part of the program: what that
    captured has a cotangent, which is followed where the function is called or passed on.
    """
    if not _is_part(s.function.region, f, set()):
        return
    raise refuse(
        "ZYG301",
        f"no gradient in what `{f.__name__}` captured, which `{s.function.name}` is given and "
        "which only the run knows",
        s.function.span,
        f"call `{s.function.name}` by its name, and give it a function that is made in the call",
    )


def _is_part(region: Region, f: types.FunctionType, seen: set[Function]) -> bool:
    for op in walk(region):
        if _holds((op.fn, op.args, op.static), f):
            return True
        if isinstance(op.fn, Function) and op.fn not in seen:
            seen.add(op.fn)
            if _is_part(op.fn.region, f, seen):
                return True
    return _holds(region.outs, f)


def _holds(a: Any, f: types.FunctionType) -> bool:
    """Whether a constant is a function, or made of it."""
    if isinstance(a, tuple | list):
        return any(_holds(e, f) for e in a)
    if isinstance(a, dict):
        return any(_holds(e, f) for e in a.values())
    if isinstance(a, functools.partial):
        return _holds((a.func, a.args, a.keywords), f)
    return a is f or (isinstance(a, Transformed) and _holds(a.f, f))
