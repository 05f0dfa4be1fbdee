"""Calls whose callee or types only the run knows: specialised when they happen, like any other
call.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import runtime
from .analysis.effects import changes_what_it_is_given
from .diagnostics import refuse
from .emit.compile import Compiler
from .engine import Engine, Specialisation
from .ir.core import CALLED, Function, Region, type_of, walk
from .ir.types import Ref, Tuple, has_derivative, in_memory, may_be_differentiable


@dataclass
class _Form:
    """A compiled pair; `of_argument[k]` tells which cotangents belong to the k-th argument asked
    for.
    """

    forward: Any
    reverse: Any
    of_argument: list[Any]
    hidden: list[tuple[int, int]]
    chosen: tuple[int, ...]
    pattern: Any
    single: bool
    changing: bool
    arrays: bool  # whether it finds arrays by identity
    alone: bool  # whether it changes something, and its caller knows of no memory


class _Back:
    """What a late call keeps. `asked`: the arguments whose cotangents the first derivative takes,
    among those of `wrt`.
    """

    __slots__ = ("s", "form", "saved", "fn", "args", "wrt", "asked", "values", "result", "implicit")

    def __init__(
        self,
        s: Specialisation,
        form: _Form,
        saved: Any,
        fn: Any,
        args: tuple[Any, ...],
        wrt: tuple[int, ...],
        values: list[Any],
        result: Any,
        implicit: bool,
    ):
        self.s, self.form, self.saved, self.fn, self.args = s, form, saved, fn, args
        self.wrt = self.asked = wrt
        self.values, self.result, self.implicit = values, result, implicit


class _Again:
    """What the reverse of a late call keeps for its own."""

    __slots__ = ("reverse", "saved", "back", "bars", "seeds")

    def __init__(self, reverse: Any, saved: Any, back: _Back, bars: Any, seeds: list[Any]):
        self.reverse, self.saved, self.back = reverse, saved, back
        self.bars, self.seeds = bars, seeds


class LateSpecialisation(runtime.Dynamic):
    """Puts the engine behind `runtime.dynamic_forward` and `dynamic_reverse`."""

    def __init__(self, engine: Engine):
        self.engine = engine

    def forward(
        self,
        wrt: tuple[int, ...],
        names: tuple[str, ...],
        fn: Any,
        args: tuple[Any, ...],
        changing: str | None,
    ) -> tuple[Any, Any]:
        if not callable(fn):
            fn(*args)  # raises what Python raises
        implicit = runtime.reached() is not None
        s, form = self.engine.prepared(
            fn,
            args,
            ("dynamic", wrt, implicit, changing),
            lambda s: self._build(s, wrt, implicit, changing, args),
            names,
            changing,
        )
        if form.alone and changes_what_it_is_given(s.function):
            raise runtime.Changed(
                f"`{s.function.name}`, which only the run knows, may change what it is given",
                "call it by its name, or let it return the new value",
            )
        values = s.values(fn, args)
        y, saved = form.forward(*values)
        return y, _Back(s, form, saved, fn, args, wrt, values, y, implicit)

    def _build(
        self,
        s: Specialisation,
        wrt: tuple[int, ...],
        implicit: bool,
        changing: str | None,
        args: tuple[Any, ...],
    ) -> _Form:
        params = s.function.region.params
        first_hidden = len(params) - len(s.function.hidden)
        alone = s.heap is not None and not changing
        differentiable = has_derivative if alone else may_be_differentiable
        chosen: list[int] = []
        of_argument: list[Any] = []
        hidden: list[tuple[int, int]] = []

        def reached(root: int | str) -> dict[Any, Any]:
            """The cotangents of what the callee, or a function that it is given, captured."""
            tree: dict[Any, Any] = {}
            for k, path in enumerate(s.function.hidden):
                t = params[first_hidden + k].type
                if path.root == root and differentiable(t):
                    _plant(tree, path.steps, len(chosen))
                    chosen.append(first_hidden + k)
            return tree

        _refuse_held_functions(s)
        for i in wrt:
            if i == 0:
                of_argument.append(reached(CALLED))
            elif isinstance(args[i - 1], types.FunctionType) and i - 1 not in s.positions:
                of_argument.append(reached(i - 1))
                _only_called(s, i - 1, args[i - 1])
            elif i - 1 in s.positions and differentiable(params[s.positions.index(i - 1)].type):
                of_argument.append(len(chosen))
                chosen.append(s.positions.index(i - 1))
            else:
                of_argument.append(None)
        if implicit:
            for k in range(first_hidden, len(params)):
                if k not in chosen and may_be_differentiable(params[k].type):
                    hidden.append((k, len(chosen)))
                    chosen.append(k)
        t = type_of(s.function.region.outs[0])
        pattern = True if alone and not isinstance(t, Tuple) else _leaves(t, alone)
        pair = s.derivative(implicit).pair(s.function, tuple(chosen), pattern, alone)
        compiler = Compiler()
        title = s.function.name
        forward = compiler.function(pair.forward, title).callable
        reverse = compiler.function(pair.reverse, f"pullback of {title}").callable
        return _Form(
            forward,
            reverse,
            of_argument,
            hidden,
            tuple(chosen),
            pattern,
            len(chosen) == 1,
            s.function.changing,
            s.heap is not None and s.heap.arrays,
            alone,
        )

    def reverse(
        self,
        back: _Back,
        g: Any,
        memory: Any,
        by_identity: tuple[bool | None, ...] = (),
        every: bool = False,
    ) -> tuple[Any, ...]:
        form = back.form
        if by_identity:
            g = _drained(memory, back.result, g, form.pattern, form.arrays)
        seeds = _seeds(g, form.pattern)
        if form.changing:
            seeds.append(memory if memory is not None else runtime.new_memory(form.arrays))
        bars = form.reverse(back.saved, *seeds)
        if form.single:
            bars = (bars,)
        sink = runtime.reached()
        if sink is not None:
            sink += [(back.values[k], bars[j]) for k, j in form.hidden]
        found = _arranged(back, bars, back.wrt if every else back.asked, memory, by_identity)
        for i, (k, bar) in enumerate(zip(back.wrt, found, strict=False)):
            if by_identity and by_identity[i] and k > 0:
                found[i] = _settled(memory, back.args[k - 1], bar)
            elif by_identity and by_identity[i] is False and form.arrays:
                found[i] = runtime.drained(memory, back.args[k - 1], bar)
            elif by_identity and by_identity[i] is None and form.of_argument[i] is None:
                left = runtime.of_copy(memory, back.args[k - 1])
                found[i] = bar if left is None else left
        return tuple(found)

    def again(self, back: _Back, g: Any) -> tuple[tuple[Any, ...], Any]:
        """The cotangents as `reverse` gives them, and what their own pullback needs."""
        form, s = back.form, back.s
        if s.heap is not None:
            raise refuse(
                "ZYG301",
                f"no gradient of the gradient of `{s.function.name}`, which changes something and "
                "which only the run knows",
                s.function.span,
                "call it by its name",
            )
        key = ("again", back.wrt, back.implicit)
        if key not in s.units:
            s.units[key] = self._again(s, form, back.implicit)
        forward, reverse = s.units[key]
        seeds = _seeds(g, form.pattern)
        bars, saved = forward(*back.values, *seeds)
        found = _arranged(back, bars, back.asked, None, ())
        return tuple(found), _Again(reverse, saved, back, bars, seeds)

    def _again(self, s: Specialisation, form: _Form, implicit: bool) -> tuple[Any, Any]:
        """The pullback of the pullback: compiled forward and reverse parts."""
        derivatives = s.derivative(implicit)
        made = derivatives.seeded(s.function, form.chosen, form.pattern)
        first = len(s.function.region.params)
        wrt = (*form.chosen, *range(first, len(made.region.params)))
        pair = derivatives.pair(made, wrt, (True,) * len(form.chosen), True)
        compiler = Compiler()
        title = f"pullback of {s.function.name}"
        return (
            compiler.function(pair.forward, title).callable,
            compiler.function(pair.reverse, f"pullback of {title}").callable,
        )

    def reverse_again(self, again: _Again, bars: tuple[Any, ...]) -> tuple[Any, Any]:
        """The cotangents of what was kept, for each of `wrt`, and of the seed."""
        back, form = again.back, again.back.form
        seeds = [runtime.zeros_like(bar) for bar in again.bars]
        for i, bar in zip(back.asked, bars, strict=True):
            where = form.of_argument[back.wrt.index(i)]
            if isinstance(where, dict):
                _sown(where, bar, back.fn if i == 0 else back.args[i - 1], seeds)
            elif where is not None and bar is not None:
                seeds[where] = bar
        found = again.reverse(again.saved, *seeds)
        if len(form.chosen) + len(again.seeds) == 1:
            found = (found,)
        n = len(form.chosen)
        sink = runtime.reached()
        if sink is not None:
            sink += [(back.values[k], found[j]) for k, j in form.hidden]
        of_seeds = iter(found[n:])
        return (
            tuple(_arranged(back, found[:n], back.wrt, None, ())),
            _joined(form.pattern, of_seeds),
        )


def _only_called(s: Specialisation, place: int, f: types.FunctionType) -> None:
    """Refuse a late call that passes on a function that it is given: what that captured has a
    cotangent, which is followed where the function is called alone.
    """
    lowered = any(path.root == place for path in s.function.hidden)
    if lowered and not _passes_on(s.function.region, f, set()):
        return
    raise refuse(
        "ZYG301",
        f"no gradient in what `{f.__name__}` captured, which `{s.function.name}` is given and "
        "which only the run knows",
        s.function.span,
        f"call `{s.function.name}` by its name, and give it a function that is made in the call",
    )


def _passes_on(region: Region, f: types.FunctionType, seen: set[Function]) -> bool:
    for op in walk(region):
        if any(a is f for a in (*op.args, *op.static.values())):
            return True
        if isinstance(op.fn, Function) and op.fn not in seen:
            seen.add(op.fn)
            if _passes_on(op.fn.region, f, seen):
                return True
    return False


def _refuse_held_functions(s: Specialisation) -> None:
    """What a function captured has no cotangent where a call reaches it through a list or an
    object.
    """
    for path, p in s.function.hidden_params():
        held = path.root.get("f") if isinstance(path.root, dict) and len(path.root) == 1 else None
        if runtime.is_made(held) and has_derivative(p.type):
            raise refuse(
                "ZYG101",
                f"giving `{s.function.name}`, which only the run knows, a function in a list, "
                "tuple or object is not supported where that captured something",
                s.function.span,
                "pass the function by itself, or what it captured",
            )


def _arranged(
    back: _Back,
    bars: tuple[Any, ...],
    asked: tuple[int, ...],
    memory: Any,
    by_identity: tuple[bool | None, ...],
) -> list[Any]:
    """Cotangents by argument, from those of what was differentiated."""
    found: list[Any] = []
    for i, where in zip(back.wrt, back.form.of_argument, strict=True):
        if i not in asked:
            continue
        if isinstance(where, dict):
            of = back.fn if i == 0 else back.args[i - 1]
            found.append(_bar_of_callee(of, where, bars, memory))
            continue
        bar = None if where is None else bars[where]
        arg = back.args[i - 1]
        if bar is None and not (by_identity and isinstance(arg, np.ndarray)):
            bar = runtime.zeros_like(arg)
        found.append(runtime.real_scalar(bar) if isinstance(arg, float | int) else bar)
    return found


def _sown(tree: dict[Any, Any], bar: Any, f: Any, seeds: list[Any]) -> None:
    """Give the parts of a callee's cotangent to what the callee reaches: as `_bar_of_callee`, the
    other way round.
    """
    if bar is None:
        return
    if () in tree:
        seeds[tree[()]] = bar
        return
    is_function = isinstance(f, types.FunctionType)
    for k, inner in tree.items():
        if is_function:
            _sown(inner, bar[k], (f.__closure__ or ())[k].cell_contents, seeds)
        else:
            _sown(inner, getattr(bar, k), getattr(f, k), seeds)


def _joined(pattern: Any, leaves: Iterator[Any]) -> Any:
    """The cotangent of a seed from those of its leaves."""
    if isinstance(pattern, tuple):
        return tuple(_joined(p, leaves) for p in pattern)
    return None if pattern is None else next(leaves)


def _plant(tree: dict[Any, Any], steps: tuple[Any, ...], index: int) -> None:
    """Note which cotangent is that of what a callee reaches by `steps`."""
    for step in steps:
        tree = tree.setdefault(step, {})
    tree[()] = index


def _bar_of_callee(f: Any, tree: dict[Any, Any], bars: tuple[Any, ...], memory: Any) -> Any:
    """The cotangent of a callee: of what it captured, but for variables that are in memory, and of
    its attributes.
    """
    if () in tree:
        return bars[tree[()]]
    if not tree:
        return None
    if not isinstance(f, types.FunctionType):
        parts = {k: _bar_of_callee(getattr(f, k), inner, bars, memory) for k, inner in tree.items()}
        return types.SimpleNamespace(**parts)
    found: list[Any] = [None] * len(f.__closure__ or ())
    for k, inner in tree.items():
        cell = (f.__closure__ or ())[k]
        bar = _bar_of_callee(cell.cell_contents, inner, bars, memory)
        if k in runtime.shared_cells(f):
            runtime.add_to(memory, cell, "cell_contents", bar)
        elif memory is not None and runtime.by_identity(memory, cell.cell_contents):
            _settled(memory, cell.cell_contents, bar)  # as it is in the container it came from
        else:
            found[k] = bar
    return tuple(found)


def _settled(memory: Any, x: Any, bar: Any) -> Any:
    """The cotangent of an argument that is left once the arrays that it is, or holds in a tuple,
    have their own.
    """
    if isinstance(x, tuple) and isinstance(bar, tuple):
        left = [_settled(memory, xi, b) for xi, b in zip(x, bar, strict=True)]
        return runtime.tuple_like(x, left)
    if not isinstance(x, np.ndarray) or not x.ndim or x.dtype.kind not in "fc":
        return bar
    runtime.add_to_array(runtime.bar_of(memory, x), bar)
    return None


def _leaves(t: Any, alone: bool) -> Any:
    """Which parts of a result have a cotangent of their own; that of an object is in memory."""
    if isinstance(t, Tuple):
        return tuple(_leaves(i, alone) for i in t.items)
    return None if not alone and (isinstance(t, Ref) or in_memory(t)) else True


def _drained(memory: Any, y: Any, g: Any, pattern: Any, arrays: bool) -> Any:
    """The whole cotangent of a result: `g`, and what the arrays in it have by their identity. Those
    that the call finds by identity itself keep it, and are given `g`.
    """
    if isinstance(pattern, tuple):
        parts = g if isinstance(g, tuple) else (None,) * len(pattern)
        return tuple(_drained(memory, *x, arrays) for x in zip(y, parts, pattern, strict=True))
    if pattern is None:
        if isinstance(y, list | dict) and g is not None:  # its parts have theirs in memory
            runtime.scattered(memory, runtime.snapshot(y), g)
        return _settled(memory, y, g) if arrays else g
    total = runtime.drained(memory, y, g)
    return runtime.zeros_like(y) if total is None else total


def _seeds(g: Any, pattern: Any) -> list[Any]:
    if isinstance(pattern, tuple):
        return [s for part, p in zip(g, pattern, strict=True) for s in _seeds(part, p)]
    return [] if pattern is None else [g]
