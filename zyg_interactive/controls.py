"""What a program says about its own derivative: cut it, look at it, trade memory for time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np


def stop_gradient(x: Any) -> Any:
    """`x` as a constant: a copy of it, through which no derivative flows.

    >>> from zyg_interactive import gradient
    >>> gradient(lambda x: x * stop_gradient(x), 3.0)
    (3.0,)
    """
    return x.copy() if isinstance(x, np.ndarray) else copy.deepcopy(x)


class ignore:
    """`with ignore():` the names that are bound in the block are constants after it.

    The block runs as it is written; it may not change arrays, lists, dicts or objects.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


def hook(f: Callable[[Any], Any], x: Any) -> Any:
    """`x`, whose cotangent goes through `f` in the reverse pass: to look at it, to clip or scale
    it. Where `f` returns None, the cotangent is left as it is.

    >>> from zyg_interactive import gradient
    >>> gradient(lambda x: hook(lambda g: -g, x) ** 2, 3.0)
    (-6.0,)
    """
    return stop_gradient(x)


def hooked(f: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The gradient rule of `hook`."""

    def back(g: Any) -> Any:
        found = f(g)
        return None, g if found is None else found

    return hook(f, x), back


def checkpointed(f: Callable[..., Any], *args: Any) -> Any:
    """`f(*args)`, of which nothing but the arguments is kept for the reverse pass: that runs `f`
    once more (A. Griewank and A. Walther, Evaluating Derivatives, 2008, chapter 12). Calls may be
    nested.

    What `f` prints, it prints twice; an `f` that returns another value the second time (it draws
    random numbers, say) is refused then. In a program that changes arrays, lists, dicts or objects
    this is a plain call.
    """
    return f(*args)


def isderiving() -> bool:
    """Whether this is differentiated code: False where it is run as it stands."""
    return False
