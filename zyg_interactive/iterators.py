"""Parts of Python's library in plain Python: lowered like functions of the user's.

What is here is `itertools` as its documentation writes it down, what `iter` makes of a list, and
what else needs no more than a few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Cursor:
    """An iterator over a list or tuple: what is next is at `place`; at its end that is -1."""

    def __init__(self, items: Any):
        self.items = items
        self.place = 0

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        if not more(self):
            raise StopIteration
        return step(self)


def more(cursor: Cursor) -> bool:
    if 0 <= cursor.place < len(cursor.items):
        return True
    cursor.place = -1
    return False


def step(cursor: Cursor) -> Any:
    cursor.place += 1
    return cursor.items[cursor.place - 1]


def rest(cursor: Cursor) -> Any:
    """The list of all that is left."""
    found = []
    while more(cursor):
        found.append(step(cursor))
    return found


def drained(iterator: Any) -> Any:
    found = []
    for item in iterator:
        found.append(item)
    return found


def bound(receiver: Any, method: Callable[..., Any]) -> Any:
    """A bound method that is kept."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return method(receiver, *args, **kwargs)

    return call


def calling(method: str, *given: Any, **named: Any) -> Any:
    """`operator.methodcaller`."""

    def call(x: Any) -> Any:
        return getattr(x, method)(*given, **named)

    return call


def counted(counter: Any, items: Any) -> None:
    for item in items:
        counter[item] += 1


def filled(mapping: Any, pairs: Any) -> None:
    for key, value in pairs:
        mapping[key] = value


def nlargest(n: int, items: Any, key: Any = None) -> Any:
    return sorted(items, key=key, reverse=True)[:n]


def nsmallest(n: int, items: Any, key: Any = None) -> Any:
    return sorted(items, key=key)[:n]


def columns(rows: Any) -> Any:
    """`zip(*rows)`."""
    found = []
    if len(rows) > 0:
        for k in range(min([len(row) for row in rows])):
            found.append(tuple([row[k] for row in rows]))
    return found


def accumulate(items: Any, function: Callable[..., Any], *initial: Any) -> Any:
    found: list[Any] = []
    for value in initial:
        found.append(value)
    for item in items:
        found.append(function(found[-1], item) if found else item)
    return found


def takewhile(function: Callable[..., Any], items: Any) -> Any:
    found = []
    for item in items:
        if not function(item):
            break
        found.append(item)
    return found


def dropwhile(function: Callable[..., Any], items: Any) -> Any:
    found = []
    dropping = True
    for item in items:
        if dropping and function(item):
            continue
        dropping = False
        found.append(item)
    return found


def filterfalse(function: Callable[..., Any], items: Any) -> Any:
    return [item for item in items if not function(item)]


def zip_longest(fill: Any, *sequences: Any) -> Any:
    found = []
    longest = 0
    for items in sequences:
        longest = max(longest, len(items))
    for k in range(longest):
        found.append(tuple([items[k] if k < len(items) else fill for items in sequences]))
    return found
