"""A gradient held against differences along one direction, where code that is not smooth would make
it wrong without a sign: a right-hand side that jumps as the state crosses a parameter, an integrand
that jumps at one.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import runtime
from ...controls import stop_gradient
from ...diagnostics import Refused
from ...ir.core import Function, walk
from ..custom import has_custom
from ..registry import lookup
from .callables import flat, not_there

# Steps in the size of each number; what may differ, in that of the derivative.
STEPS, APART = (1e-4, 1e-6), 0.05


def is_as_written(back: Any) -> bool:
    """Whether a late call has the derivative of its code: not where the program says another one,
    or calls what only the run knows.
    """
    return not _says_another(back.unit.late.function, set())


def _says_another(f: Function, seen: set[Function]) -> bool:
    if has_custom(f, set()):
        return True
    seen.add(f)
    for op in walk(f.region):
        if isinstance(op.fn, Function):
            if op.fn not in seen and _says_another(op.fn, seen):
                return True
        elif op.fn is stop_gradient or ((rule := lookup(op.fn)) is not None and rule.declared):
            return True
    return False


def direction(x: Any, bar: Any, draw: np.random.Generator) -> tuple[Any, Any]:
    """A step for each number that has a cotangent, of its own size and of either sign; and the
    products of the two.
    """
    if bar is None:
        return None, None
    if isinstance(bar, tuple | list):
        inner = x
        if isinstance(x, types.FunctionType):
            inner = runtime.held_by(x)
        pairs = [direction(xi, b, draw) for xi, b in zip(inner, bar, strict=True)]
        return tuple(p[0] for p in pairs), tuple(p[1] for p in pairs)
    if isinstance(bar, dict):
        items = {k: direction(x[k], b, draw) for k, b in bar.items()}
        return {k: p[0] for k, p in items.items()}, tuple(p[1] for p in items.values())
    if isinstance(bar, types.SimpleNamespace):
        steps, products = direction(vars_of(x, bar), vars(bar), draw)
        return types.SimpleNamespace(**steps), products
    if isinstance(x, bool | int) or not isinstance(x, float | np.ndarray | np.floating):
        return None, None
    if np.asarray(x).dtype.kind != "f":
        return None, None
    step = draw.choice((-1.0, 1.0), np.shape(x)) * (np.max(np.abs(x), initial=0.0) or 1.0)
    return step, step * bar


def moved(x: Any, step: Any, h: float) -> Any:
    """`x` with `h` times the step; a function with what it captured."""
    if step is None:
        return x
    if isinstance(x, types.FunctionType):
        pairs = zip(runtime.held_by(x), step, strict=True)
        return runtime.remade(x, [moved(a, s, h) for a, s in pairs])
    if isinstance(x, tuple):
        return runtime.tuple_like(x, [moved(a, s, h) for a, s in zip(x, step, strict=True)])
    if isinstance(x, list):
        return [moved(a, s, h) for a, s in zip(x, step, strict=True)]
    if isinstance(x, dict):
        return {k: moved(v, step.get(k), h) for k, v in x.items()}
    if isinstance(step, types.SimpleNamespace):
        made = copy.copy(x)
        for k, v in moved(vars_of(x, step), vars(step), h).items():
            object.__setattr__(made, k, v)
        return made
    return x + h * step


def vars_of(x: Any, like: Any) -> dict[str, Any]:
    """The attributes of an object that a cotangent has."""
    return {k: getattr(x, k) for k in vars(like)}


def agree(
    value: Callable[[list[Any]], float], every: list[Any], bars: list[Any], size: float, who: str
) -> None:
    """Raise where `bars` are not the cotangents of `value(every)`, which is computed to eight
    digits of `size`.
    """
    draw = np.random.default_rng(0)
    pairs = [direction(x, bar, draw) for x, bar in zip(every, bars, strict=True)]
    products = flat([p[1] for p in pairs])
    steps = [p[0] for p in pairs]
    _confirm(
        value, every, steps, float(np.sum(products)), float(np.linalg.norm(products)), size, who
    )


def agree_along(
    value: Callable[[list[Any]], float],
    every: list[Any],
    steps: list[Any],
    products: Any,
    size: float,
    who: str,
) -> None:
    """Raise where the sum of `products` is not the derivative of `value` along `steps`."""
    largest = max(
        (ratio for x, s in zip(every, steps, strict=True) for ratio in ratios(x, s)), default=0.0
    )
    if not largest:
        return
    along, scale = float(np.sum(products)) / largest, float(np.linalg.norm(products)) / largest

    _confirm(value, every, steps, along, scale, size, who, 1 / largest)


def ratios(x: Any, step: Any) -> Iterator[float]:
    """How large the steps are, in the size of what they are added to."""
    if isinstance(step, tuple | list):
        inner = x
        if isinstance(x, types.FunctionType):
            inner = runtime.held_by(x)
        for xi, s in zip(inner, step, strict=True):
            yield from ratios(xi, s)
    elif isinstance(step, dict):
        for k, s in step.items():
            yield from ratios(x[k], s)
    elif isinstance(step, types.SimpleNamespace):
        yield from ratios(vars_of(x, step), vars(step))
    elif step is not None:
        yield float(np.max(np.abs(step), initial=0.0) / (np.max(np.abs(x), initial=0.0) or 1.0))


def _confirm(
    value: Callable[[list[Any]], float],
    every: list[Any],
    steps: list[Any],
    along: float,
    scale: float,
    size: float,
    who: str,
    unit: float = 1.0,
) -> None:
    """Raise where differences along `unit` times the steps are far from `along`; `scale`: how large
    its parts are.
    """
    noise = 1e-7 * size

    def at(h: float) -> float:
        return value([moved(x, s, h * unit) for x, s in zip(every, steps, strict=True)])

    for h in STEPS:
        if h < STEPS[0] and h * scale < 20 * noise:
            break
        try:
            with np.errstate(all="ignore"):
                found = 0.5 * (at(h) - at(-h))
        except Refused:
            return
        if not abs(found - h * along) > APART * h * scale + noise:
            return
    raise not_there(
        f"differences of `{who}` do not confirm its gradient",
        "the function that it is given may jump: where its argument crosses a parameter",
    )


__all__ = ["agree", "agree_along", "is_as_written"]
