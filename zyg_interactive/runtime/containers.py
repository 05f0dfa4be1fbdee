"""Lists, tuples, dictionaries and objects: made, unpacked, filtered, joined."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

import numpy as np

from .calls import NotFollowed
from .cotangents import match, zeros_like


def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


def make_list(*items: Any) -> list[Any]:
    return list(items)


def make_dict(keys: tuple[Any, ...], *values: Any) -> dict[Any, Any]:
    return dict(zip(keys, values, strict=True))


def construct(cls: Any, fields: tuple[str, ...], *values: Any) -> Any:
    """An instance of a dataclass from its fields."""
    return cls(**dict(zip(fields, values, strict=True)))


def join_text(*parts: str) -> str:
    return "".join(parts)


def check_length(items: Any, n: int) -> None:
    """Raise what unpacking into `n` names raises."""
    if len(items) != n:
        few = len(items) < n
        raise ValueError(
            f"not enough values to unpack (expected {n}, got {len(items)})"
            if few
            else f"too many values to unpack (expected {n})"
        )


def check_unpacked(x: Any, n: int) -> None:
    """The same for what only the run knows, which is read by index."""
    if not isinstance(x, list | tuple | str | bytes | range | np.ndarray | deque):
        what = f"unpacking a {type(x).__name__} that only the run knows"
        raise NotFollowed(what, "make it a list where it is made")
    check_length(x, n)


def check_sequence(x: Any) -> None:
    """Make sure that something is gone through by index."""
    if not isinstance(x, list | tuple | str | bytes | range | np.ndarray):
        raise NotFollowed(f"a loop over a {type(x).__name__} that only the run knows")


def selections(fn: Any, lengths: tuple[int, ...], width: int) -> list[tuple[int, ...]]:
    """Which items an iterator of `itertools` puts together: their places."""
    places = [range(n) for n in lengths]
    return list(fn(*places) if fn is itertools.product else fn(*places, width))


def place_of(fn: Any, keys: list[Any]) -> int:
    """Where `max` or `min` finds the best of some keys: the first of equal ones."""
    return int(fn(range(len(keys)), key=keys.__getitem__))


def check_unchanged(x: Any, items: Any) -> None:
    """Make sure that a list or dict still holds what a loop went through, or so many items."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(items, int):
        items = x if len(x) == items else []
    if len(x) != len(items) or any(a is not b for a, b in zip(x, items, strict=True)):
        raise NotFollowed("a list or dict that is changed while a loop goes through it")


def check_least(items: Any, n: int) -> None:
    """Raise what unpacking into `n` names and a starred one raises."""
    if len(items) < n:
        raise ValueError(
            f"not enough values to unpack (expected at least {n}, got {len(items)})"
        )


def compress(pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The items of a comprehension that its conditions let through."""
    return [x for keep, x in pairs if keep]


def expand(g: list[Any], pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The pullback of `compress`: zero for the items left out."""
    it = iter(g)
    return [(None, next(it) if keep else zeros_like(x)) for keep, x in pairs]


def selected(c: list[tuple[bool, Any]], pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The pullback of `expand`: what the items let through get."""
    return [x for (_, x), (keep, _) in zip(c, pairs, strict=True) if keep]


def chain(lists: list[list[Any]]) -> list[Any]:
    """The items of lists in a row, as a comprehension with two `for` gives them."""
    return [x for items in lists for x in items]


def unchain(g: list[Any], lists: list[list[Any]]) -> list[list[Any]]:
    """The pullback of `chain`."""
    it = iter(g)
    return [[next(it) for _ in items] for items in lists]


def spread(c: Any, xs: Any) -> list[Any]:
    """The cotangent `c` of a sum for each of the terms `xs`."""
    return [match(c, x) for x in xs]


def gathered(cs: Any, like: Any) -> Any:
    """The sum of the cotangents `cs`, each broadcast to the shape of `like`; None is zero."""
    start = zeros_like(like)
    return sum((np.broadcast_to(c, np.shape(like)) for c in cs if c is not None), start=start)
