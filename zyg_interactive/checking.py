"""Is this gradient right? Random directional derivatives, and where they disagree, the operation
that is wrong.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import runtime
from .api import trace, withgradient
from .diagnostics import Diagnostic, ZygError
from .ir.core import Atom, Function, Op, Value, map_atom, values
from .recording import Recording

MOST_DIRECTIONS = 64


@dataclass(frozen=True)
class CheckResult:
    """Whether a gradient agreed with differences; `error` is the largest relative difference."""

    ok: bool
    error: float
    diagnostic: Diagnostic | None = None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            error = f"largest relative error {self.error:.1e}"
            return f"gradient agrees with central differences ({error})"
        return str(self.diagnostic)

    __repr__ = __str__


def check_gradient(
    f: Callable[..., Any],
    *args: Any,
    wrt: int | Sequence[int] | None = None,
    rtol: float = 1e-5,
    directions: int = 3,
    seed: int = 0,
) -> CheckResult:
    """Compare the gradient of a scalar function with central differences along random directions.

    rtol: the largest relative difference that passes. directions: how many are tried. Where they
    disagree, every operation that ran is checked by itself, and the first wrong one is named with
    its line.
    """
    rng = np.random.default_rng(seed)
    if wrt is None:
        asked = [i for i, a in enumerate(args) if direction(a, rng) is not None]
    else:
        asked = [wrt] if isinstance(wrt, int) else list(wrt)
    _, gradients = withgradient(f, *args, wrt=asked, zeros=True)
    worst = 0.0
    for _ in range(min(directions, MOST_DIRECTIONS)):
        ways = [direction(args[i], rng) for i in asked]
        expected, spread = _difference(f, args, asked, ways)
        got = sum(inner(w, g) for w, g in zip(ways, gradients, strict=True))
        error = abs(got - expected) / max(1.0, abs(expected), abs(got))
        worst = max(worst, error if math.isfinite(error) else math.inf)
        if not error <= rtol + spread:
            return CheckResult(False, worst, _named(f, args, wrt, got, expected, rng))
    return CheckResult(True, worst)


def direction(x: Any, rng: np.random.Generator) -> Any:
    """A random tangent of a value: normal numbers where it is floating, None elsewhere."""
    if isinstance(x, bool | np.bool_):
        return None
    if isinstance(x, float | int):
        return float(rng.normal())
    if isinstance(x, complex):
        return complex(rng.normal(), rng.normal())
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "iufc":
        d = rng.normal(size=np.shape(x))
        return d + 1j * rng.normal(size=np.shape(x)) if x.dtype.kind == "c" else d
    if isinstance(x, tuple | list):
        return (
            type(x)([direction(e, rng) for e in x])
            if not hasattr(x, "_fields")
            else [direction(e, rng) for e in x]
        )
    if isinstance(x, dict):
        return {k: direction(v, rng) for k, v in x.items()}
    fields = runtime.attributes(x)
    return {k: direction(v, rng) for k, v in fields.items()} if fields else None


def moved(x: Any, d: Any, h: float) -> Any:
    """`x + h d`, in the structure of `x`."""
    if d is None:
        return x
    if isinstance(x, int | float | complex | np.ndarray | np.generic):
        return x + h * d
    if isinstance(x, tuple | list):
        items = [moved(e, de, h) for e, de in zip(x, d, strict=True)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        return {k: moved(v, d[k], h) for k, v in x.items()}
    other = copy.copy(x)
    for k, dk in d.items():
        object.__setattr__(other, k, moved(getattr(x, k), dk, h))
    return other


def inner(d: Any, g: Any) -> float:
    """The real inner product of a tangent and a gradient."""
    if d is None or g is None:
        return 0.0
    if isinstance(d, float | complex | np.ndarray):
        return float(np.sum(np.real(np.conj(d) * g)))
    if isinstance(d, tuple | list):
        return sum(inner(a, b) for a, b in zip(d, g, strict=True))
    parts = g if isinstance(g, dict) else vars(g)
    return float(sum(inner(v, parts.get(k)) for k, v in d.items()))


def _difference(
    f: Callable[..., Any], args: tuple[Any, ...], asked: list[int], ways: list[Any]
) -> tuple[float, float]:
    """The directional derivative by central differences, and how far two step sizes disagree."""

    def at(h: float) -> float:
        there = list(args)
        for i, w in zip(asked, ways, strict=True):
            there[i] = moved(args[i], w, h)
        return float(f(*there))

    h = 1e-5
    coarse = (at(2 * h) - at(-2 * h)) / (4 * h)
    fine = (at(h) - at(-h)) / (2 * h)
    best = (4 * fine - coarse) / 3
    return best, min(1e-3, 10 * abs(fine - coarse) / max(1.0, abs(best)))


def _named(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    wrt: Any,
    got: float,
    expected: float,
    rng: np.random.Generator,
) -> Diagnostic:
    message = f"the gradient along a random direction is {got:.8g}, differences give {expected:.8g}"
    recording = trace(f, *args, wrt=wrt)
    wrong = first_wrong(recording, rng)
    if wrong is None:
        return Diagnostic(
            "ZYG504",
            f"{message}; each operation by itself is right here",
            recording.result.span if recording.result else None,
            "the function may have a kink or a jump close to this point, or depend on more than "
            "its arguments",
        )
    op, a, b = wrong
    name = getattr(op.fn, "__name__", repr(op.fn))
    return Diagnostic(
        "ZYG504",
        f"{message}; the first wrong operation is `{name}`: "
        f"its pullback gives {a:.8g}, differences {b:.8g}",
        op.span,
        f"mend the gradient rule of `{name}`",
    )


def first_wrong(recording: Recording, rng: np.random.Generator) -> tuple[Op, float, float] | None:
    """The first operation whose own pullback disagrees with its own differences, at the values it
    had last.
    """
    plan = recording.plan
    for node in recording.nodes:
        op = plan.ops.get(node.id)
        if op is None or isinstance(op.fn, Function) or not node.received or node.value is None:
            continue
        known = [
            recording.nodes[plan.values_of[v]].value for v in values(op.args) if v in plan.values_of
        ]
        if any(k is None or k.data is None for k in known):
            continue
        found = _check_op(op, recording, rng)
        if found is not None:
            return found
    return None


def _check_op(
    op: Op, recording: Recording, rng: np.random.Generator
) -> tuple[Op, float, float] | None:
    def data(a: Atom) -> Any:
        if not isinstance(a, Value):
            return a
        kept = recording.nodes[recording.plan.values_of[a]].value
        assert kept is not None
        return kept.data

    args = tuple(map_atom(data, a) for a in op.args)
    static = {k: v for k, v in op.static.items() if not k.startswith("$")}
    wrt = tuple(
        i + 1 for i, a in enumerate(args) if isinstance(a, float | np.floating) or _is_floating(a)
    )
    if not wrt or any(True for _ in values(static)):
        return None
    try:
        y, back = runtime.dynamic_forward(wrt, tuple(static), op.fn, *args, *static.values())
        g = direction(y, rng)
        bars = runtime.dynamic_reverse(back, g)
    except (ZygError, TypeError, ValueError):
        return None
    bars = bars if len(wrt) > 1 else (bars,)
    ways = [direction(args[i - 1], rng) for i in wrt]

    def at(h: float) -> float:
        there = list(args)
        for i, w in zip(wrt, ways, strict=True):
            there[i - 1] = moved(args[i - 1], w, h)
        return inner(g, op.fn(*there, **static))

    expected = (at(1e-6) - at(-1e-6)) / 2e-6
    got = sum(inner(w, b) for w, b in zip(ways, bars, strict=True))
    if abs(got - expected) > 1e-4 * max(1.0, abs(got), abs(expected)):
        return op, got, expected
    return None


def _is_floating(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind in "fc"
