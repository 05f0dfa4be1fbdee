"""Calls whose callee or types only the run knows: specialised when they happen, like any other
call.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import runtime
from .analysis.effects import changes_what_it_is_given
from .emit.compile import Compiler
from .engine import Engine, Specialisation
from .ir.core import CALLED, type_of
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
    pattern: Any
    single: bool
    changing: bool
    arrays: bool  # whether it finds arrays by identity
    alone: bool  # whether it changes something, and its caller knows of no memory


@dataclass
class _Back:
    form: _Form
    saved: Any
    fn: Any
    args: tuple[Any, ...]
    wrt: tuple[int, ...]
    values: list[Any]
    result: Any


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
        changing: bool,
    ) -> tuple[Any, Any]:
        if not callable(fn):
            fn(*args)  # raises what Python raises
        implicit = runtime.reached() is not None
        s, form = self.engine.prepared(
            fn,
            args,
            ("dynamic", wrt, implicit, changing),
            lambda s: self._build(s, wrt, implicit, changing),
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
        return y, _Back(form, saved, fn, args, wrt, values, y)

    def _build(
        self, s: Specialisation, wrt: tuple[int, ...], implicit: bool, changing: bool
    ) -> _Form:
        params = s.function.region.params
        first_hidden = len(params) - len(s.function.hidden)
        alone = s.heap is not None and not changing
        differentiable = has_derivative if alone else may_be_differentiable
        chosen: list[int] = []
        of_argument: list[Any] = []
        hidden: list[tuple[int, int]] = []
        for i in wrt:
            if i == 0:
                tree: dict[Any, Any] = {}
                for k, path in enumerate(s.function.hidden):
                    t = params[first_hidden + k].type
                    if path.root == CALLED and differentiable(t):
                        _plant(tree, path.steps, len(chosen))
                        chosen.append(first_hidden + k)
                of_argument.append(tree)
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
            pattern,
            len(chosen) == 1,
            s.function.changing,
            s.heap is not None and s.heap.arrays,
            alone,
        )

    def reverse(
        self, back: _Back, g: Any, memory: Any, by_identity: tuple[bool, ...] = ()
    ) -> tuple[Any, ...]:
        form = back.form
        if by_identity:
            g = runtime.drained(memory, back.result, g)
        seeds = _seeds(g, form.pattern)
        if form.changing:
            seeds.append(memory if memory is not None else runtime.new_memory(form.arrays))
        bars = form.reverse(back.saved, *seeds)
        if form.single:
            bars = (bars,)
        sink = runtime.reached()
        if sink is not None:
            sink += [(back.values[k], bars[j]) for k, j in form.hidden]
        found: list[Any] = []
        for i, where in zip(back.wrt, form.of_argument, strict=True):
            if i == 0:
                found.append(_bar_of_callee(back.fn, where, bars, memory))
            else:
                bar = None if where is None else bars[where]
                arg = back.args[i - 1]
                if bar is None and not (by_identity and isinstance(arg, np.ndarray)):
                    bar = runtime.zeros_like(arg)
                found.append(runtime.real_scalar(bar) if isinstance(arg, float | int) else bar)
        for i, (k, bar) in enumerate(zip(back.wrt, found, strict=True)):
            if by_identity and by_identity[i] and k > 0:
                found[i] = _settled(memory, back.args[k - 1], bar)
        return tuple(found)


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
        else:
            found[k] = bar
    return tuple(found)


def _settled(memory: Any, x: Any, bar: Any) -> Any:
    """The cotangent of an argument that is left once the array that it is has its own."""
    if not isinstance(x, np.ndarray) or not x.ndim or x.dtype.kind not in "fc":
        return bar
    runtime.add_to_array(runtime.bar_of(memory, x), bar)
    return None


def _leaves(t: Any, alone: bool) -> Any:
    """Which parts of a result have a cotangent of their own; that of an object is in memory."""
    if isinstance(t, Tuple):
        return tuple(_leaves(i, alone) for i in t.items)
    return None if not alone and (isinstance(t, Ref) or in_memory(t)) else True


def _seeds(g: Any, pattern: Any) -> list[Any]:
    if isinstance(pattern, tuple):
        return [s for part, p in zip(g, pattern, strict=True) for s in _seeds(part, p)]
    return [] if pattern is None else [g]
