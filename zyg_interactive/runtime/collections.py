"""Containers of the standard library, as a program changes them, and the cotangents of copies."""

from __future__ import annotations

import copy
import heapq
from collections import OrderedDict, deque
from typing import Any

import numpy as np

from .buffers import add_to_array, array_bar
from .calls import NotFollowed
from .cotangents import add, attributes
from .memory import _cells, _items, by_identity


def new_container(cls: Any, *args: Any) -> Any:
    """An empty container: `deque(maxlen)`, `defaultdict(factory)`, or of another class."""
    *first, limit = args
    return cls((), limit) if cls is deque else cls(*first)


def is_full(x: deque[Any]) -> bool:
    """Whether a deque lets an item go when it is given one."""
    return x.maxlen is not None and len(x) == x.maxlen


def rotation(x: deque[Any], n: int = 1) -> list[int]:
    """The order in which `rotate(n)` puts items."""
    size = len(x)
    return [(i - n) % size for i in range(size)]


def move_to_end(x: OrderedDict[Any, Any], key: Any, last: bool = True) -> None:
    x.move_to_end(key, last)


def first_key(x: dict[Any, Any]) -> Any:
    if not x:
        raise KeyError("dictionary is empty")
    return next(iter(x))


def shuffle_order(fn: Any, x: Any, *owner: Any) -> Any:
    """The order in which `shuffle` puts the items of a list or array, with the same draws."""
    if isinstance(x, list):
        places: Any = list(range(len(x)))
    else:
        places = np.arange(len(x)).reshape(len(x), *[1] * (x.ndim - 1))
    fn(*owner, places)
    return places if isinstance(x, list) else places.ravel()


class _Placed:
    """An item of a heap with its place, compared as the item is."""

    __slots__ = ("item", "place")

    def __init__(self, item: Any, place: int):
        self.item, self.place = item, place

    def __lt__(self, other: Any) -> bool:
        return bool(self.item < other.item)


def heap_order(x: list[Any], what: str) -> list[int]:
    """The order in which a function of `heapq` puts items: `"push"` after the new item stands at
    the end; `"pop"` so that the least stands at the end, to be removed; `"all"` of `heapify`.
    """
    placed = [_Placed(e, i) for i, e in enumerate(x)]
    if what == "push":
        last = placed.pop()
        heapq.heappush(placed, last)
    elif what == "pop":
        least = heapq.heappop(placed)
        placed.append(least)
    else:
        heapq.heapify(placed)
    return [p.place for p in placed]


def folded(c: Any, n: int) -> list[Any]:
    """The cotangent of a list of `n` items of which `c` is that of its repetition."""
    found: list[Any] = []
    for i in range(n):
        total = None
        for part in c[i::n]:
            total = add(total, part)
        found.append(total)
    return found


def repeats(c: Any, n: int) -> int:
    """How often `n` items are repeated."""
    return len(c) // n if n else 0


# ---- copies


def copied(x: Any, deep: bool) -> tuple[list[tuple[Any, Any]], Any]:
    """A copy, and each container, object or array in it beside what it was copied from."""
    if not deep:
        made = copy.copy(x)
        return [(x, made)], made
    memo: dict[int, Any] = {}
    made = copy.deepcopy(x, memo)
    pairs = [(o, memo[id(o)]) for o in _reached(x, set()) if id(o) in memo]
    for o, m in pairs:
        if isinstance(o, set | frozenset) and any(type(e) is tuple and e not in o for e in m):
            what = "a deep copy of a set of tuples that hold objects"
            raise NotFollowed(what, "copy them one by one")
    return pairs, made


def _reached(x: Any, seen: set[int]) -> list[Any]:
    """The containers, objects and arrays of a structure, each once."""
    if id(x) in seen or isinstance(x, int | float | complex | str):
        return []
    if isinstance(x, np.ndarray):
        seen.add(id(x))
        return [x]
    holds = isinstance(x, list | tuple | dict | deque | set | frozenset)
    parts = dict(_items(x)) if holds else attributes(x)
    if parts is None:
        return []
    seen.add(id(x))
    found = [] if isinstance(x, tuple) else [x]
    for part in parts.values():
        found += _reached(part, seen)
    return found


def follow_copies(pairs: list[tuple[Any, Any]]) -> None:
    """Note that copies were made: their cotangents go to what they are copies of."""


def copied_bars(memory: Any, pairs: list[tuple[Any, Any]]) -> None:
    """Bring the cotangents of copies to the originals: the reverse of `copied`."""
    for original, made in pairs:
        if isinstance(made, np.ndarray):
            if by_identity(memory, made) and made.dtype.kind in "fc":
                bar = array_bar(memory, made, make=False)
                if bar is not None:
                    add_to_array(array_bar(memory, original), bar.copy())
                    bar[...] = 0
            continue
        cells = _cells(memory, made)
        for key in list(cells):
            c = cells.take(key)
            if c is not None:
                _cells(memory, original).accumulate(key, c)


def copied_bars_back(memory: Any, pairs: list[tuple[Any, Any]]) -> None:
    """The reverse of `copied_bars`: what was added to an original counts for the copy, too."""
    for original, made in pairs:
        if isinstance(made, np.ndarray):
            if by_identity(memory, made) and made.dtype.kind in "fc":
                bar = array_bar(memory, original, make=False)
                if bar is not None:
                    add_to_array(array_bar(memory, made), bar.copy())
            continue
        for key, c in list(_cells(memory, original).items()):
            _cells(memory, made).replace(key, c)
