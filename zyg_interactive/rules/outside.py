"""What stands outside of the program: draws of Python's own generator, items of files."""

from __future__ import annotations

import random
from typing import Any

from .. import runtime
from ..ir.types import BOOL, FLOAT, UNKNOWN, List, Other, Type
from .registry import constant, result, rule, without_rule

constant(runtime.is_end)
without_rule("make a list of it", runtime.items_outside, runtime.list_outside, runtime.next_outside)


@result(runtime.is_end)
def _is_end(item: Any) -> Type:
    return BOOL


@result(runtime.list_outside)
def _listed(x: Any) -> Type:
    return List(UNKNOWN)


# ---- draws: moved and scaled, as those of NumPy (see `random.py`)

_Draws = random.Random
constant(
    *(_Draws, _Draws.random, _Draws.seed, _Draws.getrandbits, _Draws.getstate, _Draws.setstate),
    *(_Draws.randrange, _Draws.randint),
)


@result(
    *(_Draws.random, _Draws.uniform, _Draws.gauss, _Draws.normalvariate, _Draws.expovariate)
)
def _number(*args: Any, **kwargs: Any) -> Type:
    return FLOAT


@result(_Draws)
def _new(*seed: Any) -> Type:
    return Other(_Draws)


@rule(_Draws.gauss, order="self mu? sigma?")
@rule(_Draws.normalvariate, order="self mu? sigma?")
def _normal(g: Any, y: Any, self: Any, mu: Any, sigma: Any) -> Any:
    moved = y if mu is None else y - mu
    return None, None if mu is None else g, None if sigma is None else g * moved / sigma


@rule(_Draws.uniform)
def _uniform(g: Any, y: Any, self: Any, a: Any, b: Any) -> Any:
    share = g * (y - a) / (b - a)
    return None, g - share, share


@rule(_Draws.expovariate, order="self lambd?")
def _exponential(g: Any, y: Any, self: Any, lambd: Any) -> Any:
    return None, None if lambd is None else -g * y / lambd
