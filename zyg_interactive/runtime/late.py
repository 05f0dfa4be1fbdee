"""Calls that are specialised when they happen, and gradients that a user's rule gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cotangents import add

# What the program changes around a late call.
CHANGING, STORING = "changing", "storing"


# Which of the callee (0) and the arguments of a late call a derivative is asked for in, and whether
# each has its cotangent by identity; COPY: a list or dict that is a copy; VALUE: whatever it is, it
# is a cotangent itself.
COPY, VALUE = "copy", "value"
Asked = tuple[tuple[int, bool | str], ...]


class Dynamic:
    """Calls that are specialised when they happen. The engine puts itself here; generated code only
    calls.
    """

    def forward(
        self,
        names: tuple[str, ...],
        changing: str | None,
        orders: tuple[Asked, ...],
        fn: Any,
        args: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def again(self, times: int, back: Any, memory: Any, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def reverse(self, back: Any, memory: Any, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        raise RuntimeError("zyg_interactive.engine is not loaded")


_dynamic = Dynamic()


def install(dynamic: Dynamic) -> None:
    """Put the engine behind the functions that follow."""
    global _dynamic
    _dynamic = dynamic


def late_forward(
    names: tuple[str, ...], changing: str | None, orders: tuple[Asked, ...], fn: Any, *args: Any
) -> tuple[Any, ...]:
    """Call `fn`: its result, and for each of `orders` what a pullback keeps, of the call and of
    what comes before. The last arguments are keywords called `names`. `changing`: what the program
    changes around the call, so what it was given, or returns, may be another thing when it is
    reversed.
    """
    return _dynamic.forward(names, changing, orders, fn, args)


def late_reverse(back: Any, memory: Any, *gs: Any) -> Any:
    """The cotangents of what was asked for from those of the results; those of what objects hold
    are in `memory`, where there is one.
    """
    return _one_or_all(_dynamic.reverse(back, memory, gs))


def late_again(times: int, back: Any, memory: Any, *gs: Any) -> Any:
    """As `late_reverse`; its own pullback is kept, and the pullback of that, so many `times`."""
    return _one_or_all(_dynamic.again(times, back, memory, gs))


def dynamic_forward(
    wrt: tuple[int, ...], names: tuple[str, ...], fn: Any, *args: Any
) -> tuple[Any, ...]:
    """Call `fn` and keep its pullback, in a program that changes nothing. The last arguments are
    keywords called `names`; `wrt` counts `fn` as 0.
    """
    return _dynamic.forward(names, None, (tuple((i, False) for i in wrt),), fn, args)


def dynamic_reverse(back: Any, g: Any) -> Any:
    """The cotangents of the callee and arguments that were asked for."""
    return _one_or_all(_dynamic.reverse(back, None, (g,)))


def late_jacobian(back: Any, y: Any, place: int) -> Any:
    """The derivative of a vector `y` in the argument of which the cotangent is number `place`."""
    units = np.eye(np.size(y))
    return np.stack([np.ravel(_dynamic.reverse(back, None, (unit,))[place]) for unit in units])


def late_jacobian_reverse(back: Any, place: int, g: Any) -> Any:
    """The cotangent of what the call kept, from that of its Jacobian."""
    total = None
    for unit, row in zip(np.eye(len(g)), g, strict=True):
        *found, again = _dynamic.again(1, back, None, (unit,))
        bars: list[Any] = [None] * len(found)
        bars[place] = row.reshape(np.shape(found[place]))
        total = add(total, _dynamic.reverse(again, None, tuple(bars))[0])
    return total


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
