"""Objects that are made to be asked: splines, distributions, polynomials."""

from __future__ import annotations

from typing import Any

from ..ir.core import Atom
from .registry import RULES, Rule, unsupported


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
