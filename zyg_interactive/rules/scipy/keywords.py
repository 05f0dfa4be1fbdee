"""What rules of several sub-packages share: keywords that say how a result is computed, not what it
is; numbers that must be real.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ...diagnostics import Refused
from ...ir.core import type_of
from ...ir.types import List, Type, is_complex
from ..registry import call, result, rule, unsupported
from ..sequences import nested
from .callables import not_there

# Each is let through, with its default.
_HOW: dict[str, Any] = {
    "check_finite": True,
    "lapack_driver": "gesdd",
    "driver": None,
    "workers": None,
    "overwrite_x": False,
    "overwrite_a": False,
    "overwrite_b": False,
    "overwrite_data": False,
}


def _array(x: Any) -> Any:
    """A list of numbers as the array that SciPy makes of it."""
    return call(np.asarray, x) if isinstance(type_of(x), List) else x


def _given_back(c: Any, x: Any) -> Any:
    return nested(c, x) if isinstance(type_of(x), List) and not isinstance(c, Refused) else c


def rule_apart_from(
    how: str, *fns: Any, order: str = "", broadcasts: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `rule`; the pullback does not see the keywords named in `how`, and sees arrays in the
    place of lists. Keywords that let a call change what it is given are refused.
    """

    def register(pullback: Callable[..., Any]) -> Callable[..., Any]:
        def seeing_less(g: Any, y: Any, *data: Any, **metadata: Any) -> Any:
            for name in how.split():
                if metadata.pop(name, _HOW[name]) and name.startswith("overwrite"):
                    raise unsupported(f"`{name}=True`", "leave it out")
            bars = pullback(g, y, *map(_array, data), **metadata)
            bars = bars if isinstance(bars, tuple) else (bars,)
            return tuple(map(_given_back, bars, data))

        own = inspect.signature(pullback).parameters.values()
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_HOW[name])
            for name in how.split()
        ]
        vars(seeing_less)["__signature__"] = inspect.Signature([*own, *more])
        rule(*fns, order=order, broadcasts=broadcasts)(seeing_less)
        return pullback

    return register


def if_real(x: Any, who: str) -> Any:
    """`x`; raises where it is complex, which only the run knows."""
    if np.iscomplexobj(x):
        raise not_there(f"`{who}` of complex numbers has no gradient rule")
    return x


@rule(if_real)
def _if_real(g: Any, y: Any, x: Any, who: Any) -> Any:
    return g, None


@result(if_real)
def _as_it_is(x: Any, who: Any) -> Type:
    return type_of(x)


def real(fn: Any, x: Any) -> Any:
    known = is_complex(type_of(x))
    if known is None:
        return call(if_real, x, fn.__name__)
    if known:
        raise unsupported(f"`{fn.__name__}` of complex numbers")
    return x
