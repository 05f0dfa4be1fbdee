"""Keywords that say how a result is computed, not what it is; objects that are made to be asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ...ir.core import Atom
from ..registry import RULES, Rule, rule, unsupported

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


def rule_apart_from(
    how: str, *fns: Any, order: str = "", broadcasts: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `rule`; the pullback does not see the keywords named in `how`. Those that let a call
    change what it is given are refused.
    """

    def register(pullback: Callable[..., Any]) -> Callable[..., Any]:
        def seeing_less(g: Any, y: Any, *data: Any, **metadata: Any) -> Any:
            for name in how.split():
                if metadata.pop(name, _HOW[name]) and name.startswith("overwrite"):
                    raise unsupported(f"`{name}=True`", "leave it out")
            return pullback(g, y, *data, **metadata)

        own = inspect.signature(pullback).parameters.values()
        more = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_HOW[name])
            for name in how.split()
        ]
        vars(seeing_less)["__signature__"] = inspect.Signature([*own, *more])
        rule(*fns, order=order, broadcasts=broadcasts)(seeing_less)
        return pullback

    return register


class Making(Rule):
    """Of a call that makes an object: every argument is data, under any name."""

    def bind(
        self, args: tuple[Atom, ...], kwargs: dict[str, Atom]
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        return (*args, *kwargs.values()), {}


def makes(fn: Any, what: str) -> None:
    """Refuse what is asked of the object, but for what is lowered to a function of the arguments
    (`LOWERED`).
    """

    def refused(g: Any, y: Any, *given: Any) -> Any:
        raise unsupported(what)

    RULES[fn] = Making(fn, refused, variadic=True)
