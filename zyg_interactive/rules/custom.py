"""Gradient rules that users give with `@grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..controls import hook, hooked, stop_gradient
from ..diagnostics import CustomGradientError, Diagnostic
from ..ir.core import CALL_VALUE, WITH_RULE, Function, type_of, walk
from ..ir.types import Type, value_of
from ..source import SourceNotFound, Span, find
from .registry import RULES, Rule, constant, lookup, result


def define(f: Callable[..., Any], rule: Callable[..., Any]) -> None:
    """Make `rule`, which returns (y, back), the gradient of `f`."""
    RULES[f] = Rule(f, _called_as_written, variadic=True, custom=rule)
    WITH_RULE.add(f)


def nograd(f: Callable[..., Any]) -> Callable[..., Any]:
    """Take the result of `f` as a constant, whatever it is given. A decorator.

    A call that changes the arrays, lists or objects it is given is refused at the run.
    """
    RULES[f] = Rule(f, None, declared=True)
    WITH_RULE.add(f)
    return f


def _called_as_written(*args: Any) -> Any:
    raise AssertionError("a custom rule is called by the code it is compiled into")


def has_custom(f: Function, seen: set[Function]) -> bool:
    """Whether a function calls one with a rule of the user's, or one that only the run knows."""
    if f in seen:
        return False
    seen.add(f)
    return any(
        has_custom(op.fn, seen)
        if isinstance(op.fn, Function)
        else op.fn is CALL_VALUE or (rule := lookup(op.fn)) is not None and rule.custom is not None
        for op in walk(f.region)
    )


class CustomCall:
    """One place where a user's rule is called: checks what it returns, says where it is wrong."""

    def __init__(
        self,
        f: Any,
        rule: Callable[..., Any],
        span: Span | None,
        wrt: tuple[int, ...],
        keywords: dict[str, Any],
        changing: bool,
    ):
        self.name = getattr(f, "__name__", repr(f))
        self.rule, self.span, self.wrt, self.keywords = rule, span, wrt, keywords
        self.changing = changing  # whether the program may change the arguments later

    @property
    def __name__(self) -> str:
        return f"gradient_of_{self.name}"

    def forward(self, *args: Any) -> tuple[Any, Any]:
        given = args
        if self.changing:
            given = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
        result = self.rule(*given, **self.keywords)
        if self.changing:
            self._check_apart(result, args, given)
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            raise self._error(
                "ZYG403",
                f"the gradient rule of `{self.name}` returned {_kind(result)}, not (value, back)",
                "return the value of the function and a function from its cotangent to those of "
                "the arguments",
            )
        return result

    def _check_apart(self, result: Any, args: tuple[Any, ...], given: tuple[Any, ...]) -> None:
        """Refuse a rule for which it matters that it is given copies. Its `back` reads what it was
        given, and must not see what the program stores there later.
        """
        for a, copy in zip(args, given, strict=True):
            if a is copy:
                continue
            if not np.array_equal(a, copy, equal_nan=a.dtype.kind in "fc"):
                raise runtime.Changed(f"the gradient rule of `{self.name}` changed its argument")
            y = result[0] if isinstance(result, tuple) and result else None
            if isinstance(y, np.ndarray) and np.may_share_memory(y, copy):
                raise runtime.Changed(
                    f"the gradient rule of `{self.name}` returned an array that it was given, in a "
                    "program that changes arrays",
                    "let the rule return a copy",
                )

    def reverse(self, back: Any, g: Any, *args: Any) -> tuple[Any, ...]:
        cotangents = back(g)
        if not isinstance(cotangents, tuple | list):
            if len(args) != 1:
                raise self._count(1, args)
            cotangents = (cotangents,)
        if len(cotangents) != len(args):
            raise self._count(len(cotangents), args)
        return tuple(self._checked(i, cotangents[i], args[i]) for i in self.wrt)

    def _count(self, n: int, args: tuple[Any, ...]) -> CustomGradientError:
        cotangents = "1 cotangent" if n == 1 else f"{n} cotangents"
        return self._error(
            "ZYG401",
            f"the gradient rule of `{self.name}` returned {cotangents} for {len(args)} arguments",
            "return a tuple with one cotangent for each argument, None for zero",
        )

    def _checked(self, i: int, c: Any, x: Any) -> Any:
        if c is None:
            return runtime.zeros_like(x)
        numeric = isinstance(x, int | float | complex | np.ndarray | np.generic)
        if numeric and np.shape(c) != np.shape(x):
            raise self._error(
                "ZYG402",
                f"the gradient rule of `{self.name}` returned a cotangent of shape {np.shape(c)} "
                f"for argument {i}, which has shape {np.shape(x)}",
                "a cotangent has the shape of its argument: sum over what was broadcast",
            )
        if numeric and np.asarray(c).dtype.kind not in "biufc":
            raise self._error(
                "ZYG402",
                f"the gradient rule of `{self.name}` returned {_kind(c)} for argument {i}, "
                "not a number",
                "",
            )
        return c

    def _error(self, code: str, message: str, help: str) -> CustomGradientError:
        where = _span_of(self.rule)
        related = ((self.span, f"`{self.name}` is called here"),) if self.span is not None else ()
        return CustomGradientError(Diagnostic(code, message, where, help, related))


def _span_of(rule: Callable[..., Any]) -> Span | None:
    try:
        source, node = find(rule.__code__)
    except (SourceNotFound, AttributeError):
        return None
    return source.span(node)


def _kind(x: Any) -> str:
    return f"a tuple of {len(x)}" if isinstance(x, tuple) else f"a {type(x).__name__}"


define(hook, hooked)
constant(stop_gradient)


@result(stop_gradient)
def _same(x: Any) -> Type:
    return value_of(type_of(x))
