"""Sets in memory: the cotangent of an item stands where that of a key of a dict stands."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from .calls import NotFollowed
from .memory import Key, _cells, _whole

OPERATORS = (operator.and_, operator.or_, operator.xor, operator.sub)
Moves = list[tuple[Any, Any]]  # items, and the set or dict that each was taken from, or None


def set_of(cls: Any, items: Any) -> Any:
    """A set of what a list, a dict or another set holds."""
    return cls(items)


def take_items(memory: Any, x: Any, items: Any, likes: Any) -> list[Any]:
    """The cotangents of `items`, which a set was made of: the reverse of making it. Of equal ones
    the first is in the set.
    """
    cells = _cells(memory, x)
    return [_whole(cells.take(Key(k)), e) for k, e in zip(items, likes, strict=True)]


def put_items(memory: Any, x: Any, items: Any, cs: Any) -> None:
    """The reverse of `take_items`."""
    cells = _cells(memory, x)
    for k, c in reversed(list(zip(items, cs, strict=True))):
        cells.replace(Key(k), c)


def combined(fn: Any, *sets: Any) -> tuple[Moves, Any]:
    """A new set that `fn` makes of others and of dicts, and where its items are from."""
    keys = fn in OPERATORS
    made = fn(*(x.keys() if keys and isinstance(x, dict) else x for x in sets))
    if not isinstance(made, set | frozenset):
        raise NotFollowed(f"`{fn.__name__}` of a set and what makes a {type(made).__name__} of it")
    return _moved((), made, sets), made


def changed_set(fn: Any, x: Any, *others: Any) -> Moves:
    """Change a set by others, and by dicts: which of its items came, and went."""
    before = list(x)
    fn(x, *others)
    return _moved(before, x, others)


def _moved(before: Iterable[Any], after: Any, sources: Iterable[Any]) -> Moves:
    old = {id(k): k for k in before}
    now = {id(k): k for k in after}
    found: dict[int, Any] = {}
    for source in sources:
        if not isinstance(source, set | frozenset | dict):
            raise NotFollowed(f"a set that is made of a {type(source).__name__}")
        for k in source:
            found.setdefault(id(k), source)
    gone = [(k, None) for i, k in old.items() if i not in now]
    return gone + [(k, found.get(i)) for i, k in now.items() if i not in old]


def follow_items(x: Any, moves: Moves) -> None:
    """Note that items of a new set are from others."""


def moved_items(memory: Any, x: Any, moves: Moves) -> None:
    """Bring the cotangents of items to where they are from: the reverse of moving them."""
    cells = _cells(memory, x)
    for k, source in reversed(moves):
        c = cells.take(Key(k))
        if c is not None and source is not None:
            _cells(memory, source).accumulate(Key(k), c)


def moved_items_back(memory: Any, x: Any, moves: Moves) -> None:
    """The reverse of `moved_items`."""
    cells = _cells(memory, x)
    for k, source in moves:
        held = None if source is None else _cells(memory, source)
        if held is not None:
            held.owned.discard(Key(k))  # from here on somebody else holds it, too
        cells.replace(Key(k), None if held is None else held.get(Key(k)))


def check_size(x: Any, items: Any, handled: bool) -> None:
    """Raise what a loop over a set raises where it is met with another size. `handled`: what a loop
    itself raises may be handled around it, which is not followed.
    """
    if len(x) != len(items):
        if handled:
            raise _changed_meanwhile()
        raise RuntimeError("Set changed size during iteration")


def check_items(x: Any, items: Any) -> None:
    """Make sure that a set still holds what a loop went through."""
    if len(x) != len(items) or any(a is not b for a, b in zip(x, items, strict=True)):
        raise _changed_meanwhile()


def _changed_meanwhile() -> NotFollowed:
    what = "a set that is changed while a loop goes through it"
    return NotFollowed(what, "go through a list of it: `list(...)`")
