"""Calls that are specialised when they happen, and gradients that a user's rule gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cotangents import add

# What the program changes around a late call.
CHANGING, STORING = "changing", "storing"


class Dynamic:
    """Calls that are specialised when they happen. The engine puts itself here; generated code only
    calls.
    """

    def forward(
        self,
        wrt: tuple[int, ...],
        names: tuple[str, ...],
        fn: Any,
        args: tuple[Any, ...],
        changing: str | None,
    ) -> tuple[Any, Any]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def reverse(
        self,
        back: Any,
        g: Any,
        memory: Any,
        by_identity: tuple[bool | None, ...] = (),
        every: bool = False,
    ) -> tuple[Any, ...]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def again(self, back: Any, g: Any) -> tuple[tuple[Any, ...], Any]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def reverse_again(self, back: Any, bars: tuple[Any, ...]) -> tuple[Any, Any]:
        raise RuntimeError("zyg_interactive.engine is not loaded")


_dynamic = Dynamic()


def install(dynamic: Dynamic) -> None:
    """Put the engine behind `dynamic_forward` and `dynamic_reverse`."""
    global _dynamic
    _dynamic = dynamic


def dynamic_forward(
    wrt: tuple[int, ...], names: tuple[str, ...], fn: Any, *args: Any
) -> tuple[Any, Any]:
    """Call `fn` and keep its pullback. The last arguments are keywords called `names`; `wrt` counts
    `fn` as 0.
    """
    return _dynamic.forward(wrt, names, fn, args, None)


def dynamic_reverse(back: Any, g: Any) -> Any:
    """The cotangents of the callee and arguments that were asked for."""
    return _one_or_all(_dynamic.reverse(back, g, None))


def late_jacobian(back: Any, y: Any, place: int) -> Any:
    """The derivative of a vector `y` in the argument of which the cotangent is number `place`."""
    rows = [np.ravel(_dynamic.reverse(back, unit, None)[place]) for unit in np.eye(np.size(y))]
    return np.stack(rows)


def late_jacobian_reverse(back: Any, place: int, g: Any) -> Any:
    """The cotangent of what the call kept, from that of its Jacobian."""
    total = None
    for unit, row in zip(np.eye(len(g)), g, strict=True):
        found, again = _dynamic.again(back, unit)
        bars: list[Any] = [None] * len(found)
        bars[place] = row.reshape(np.shape(found[place]))
        total = add(total, _dynamic.reverse_again(again, tuple(bars))[0])
    return total


# The derivative of a derivative: the cotangent of what `dynamic_forward` keeps is a tuple, of the
# cotangents of the callee and the arguments that are active in either.


def twice_forward(
    wrt: tuple[int, ...], names: tuple[str, ...], every: tuple[int, ...], fn: Any, *args: Any
) -> tuple[Any, Any]:
    """As `dynamic_forward`; `every`: also what is active in the outer derivative alone."""
    y, back = _dynamic.forward(every, names, fn, args, None)
    back.asked = wrt
    return y, back


def twice_reverse(back: Any, g: Any, back_bar: Any) -> Any:
    """The cotangents from those of the result and of what was kept, where there are any."""
    found: tuple[Any, ...] = (None,) * len(back.wrt)
    if g is not None:
        found = _dynamic.reverse(back, g, None, every=True)
    if back_bar is not None:
        found = tuple(map(add, found, back_bar))
    return _one_or_all(found)


def again_forward(back: Any, g: Any) -> tuple[Any, ...]:
    """As `dynamic_reverse`, and its own pullback is kept."""
    found, again = _dynamic.again(back, g)
    return (*found, again)


def again_reverse(again: Any, *bars: Any) -> Any:
    """The cotangents of what was kept and of the seed, from those of the cotangents."""
    return _dynamic.reverse_again(again, bars)


def changing_forward(
    wrt: tuple[int, ...], names: tuple[str, ...], arrays: bool, fn: Any, *args: Any
) -> tuple[Any, Any]:
    """As `dynamic_forward`, in a program that changes lists, dicts or objects; `arrays`: arrays,
    too, so what the call was given, or returns, may be another thing when it is reversed.
    """
    return _dynamic.forward(wrt, names, fn, args, STORING if arrays else CHANGING)


def changing_reverse(back: Any, g: Any, memory: Any, by_identity: tuple[bool | None, ...]) -> Any:
    """As `dynamic_reverse`; the cotangents of what objects hold are in `memory`, also those of the
    arrays among the arguments that `by_identity` tells.
    """
    return _one_or_all(_dynamic.reverse(back, g, memory, by_identity))


def _one_or_all(found: tuple[Any, ...]) -> Any:
    """As generated functions return: one result by itself, several as a tuple."""
    return found[0] if len(found) == 1 else found


def custom_forward(call: Any, *args: Any) -> tuple[Any, Any]:
    """Call a gradient rule of the user's: (y, back)."""
    y, back = call.forward(*args)
    return y, back


def custom_reverse(call: Any, back: Any, g: Any, *args: Any) -> Any:
    """The cotangents that the user's rule gives, checked against the arguments."""
    return _one_or_all(call.reverse(back, g, *args))
