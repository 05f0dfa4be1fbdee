"""Parts of Python's library in plain Python: lowered like functions of the user's.

What is here is `itertools` as its documentation writes it down, what `iter` makes of a list, and
what else needs no more than a few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .runtime import NotFollowed, check_items


class Kept:
    """An iterator that stands somewhere."""

    def __iter__(self) -> Any:
        return self


class View:
    """A view of a dict that is kept: it shows what the dict holds when it is looked at."""

    def __init__(self, held: Any):
        self.held = held

    def __len__(self) -> int:
        return len(self.held)

    def __repr__(self) -> str:
        return f"dict_{type(self).__name__.lower()}({list(self)!r})"

    def __iter__(self) -> Any:
        raise NotImplementedError


class Values(View):
    def __iter__(self) -> Any:
        yield from self.held.values()


class Items(View):
    def __iter__(self) -> Any:
        yield from self.held.items()

    def __contains__(self, item: Any) -> bool:
        key, value = item
        return key in self.held and bool(self.held[key] == value)

    def _as_a_set(self, other: Any) -> Any:
        raise NotFollowed("comparing the items of a dict, or joining them as a set,")

    __eq__ = __ne__ = __le__ = __lt__ = __ge__ = __gt__ = _as_a_set
    __and__ = __or__ = __xor__ = __sub__ = __rand__ = __ror__ = __rxor__ = __rsub__ = _as_a_set
    isdisjoint = _as_a_set


class Keys(View):
    def __iter__(self) -> Any:
        yield from self.held

    def __contains__(self, key: Any) -> bool:
        return key in self.held

    def isdisjoint(self, other: Any) -> Any:
        return not self.held.keys() & set(other)

    def __and__(self, other: Any) -> Any:
        return self.held.keys() & other

    def __or__(self, other: Any) -> Any:
        return self.held.keys() | other

    def __sub__(self, other: Any) -> Any:
        return self.held.keys() - other

    def __xor__(self, other: Any) -> Any:
        return self.held.keys() ^ other

    def __rand__(self, other: Any) -> Any:
        return other & self.held.keys()

    def __ror__(self, other: Any) -> Any:
        return other | self.held.keys()

    def __rsub__(self, other: Any) -> Any:
        return other - self.held.keys()

    def __rxor__(self, other: Any) -> Any:
        return other ^ self.held.keys()

    def __eq__(self, other: Any) -> Any:
        return self.held.keys() == other

    def __ne__(self, other: Any) -> Any:
        return self.held.keys() != other

    def __le__(self, other: Any) -> Any:
        return self.held.keys() <= other

    def __lt__(self, other: Any) -> Any:
        return self.held.keys() < other

    def __ge__(self, other: Any) -> Any:
        return self.held.keys() >= other

    def __gt__(self, other: Any) -> Any:
        return self.held.keys() > other


class Resumed(Kept):
    """The frame of a generator: its variables, and where it stands. Classes of this are made for
    generator functions as they are lowered (`frontend.resumable`).
    """

    machine: Any = None

    def __next__(self) -> Any:
        raise NotFollowed("a generator that is kept, in code that is not differentiated,")

    def close(self) -> None:
        raise NotFollowed("`close` of a generator")

    def throw(self, *error: Any) -> Any:
        raise NotFollowed("`throw` into a generator")


RUNNING, DONE = -2, -1  # where a generator stands


def check_begun(place: int) -> None:
    if place == 0:
        raise TypeError("can't send non-None value to a just-started generator")


def send(frame: Resumed, value: Any) -> Any:
    """Stands for the method of generators."""
    raise NotImplementedError


def begun(items: Any) -> Any:
    """What `iter` gives: stands for it in what generators are made into."""
    return iter(items)


class Attempts(Kept):
    """An iterator of a class that tells its end by an exception."""

    def __init__(self, inner: Any):
        self.inner = inner
        self.ended = False
        self.item = None

    def __next__(self) -> Any:
        if not attempted(self):
            raise StopIteration
        return self.item


def attempted(attempts: Attempts) -> bool:
    if attempts.ended:
        return False
    try:
        attempts.item = next(attempts.inner)
    except StopIteration:
        attempts.ended = True
    return not attempts.ended


def found(attempts: Attempts) -> Any:
    return attempts.item


class Counter(Kept):
    """An iterator over a range."""

    def __init__(self, next: int, by: int, left: int):
        self.next, self.by, self.left = next, by, left

    def __next__(self) -> int:
        if not not_counted(self):
            raise StopIteration
        return counted_on(self)


def not_counted(counter: Counter) -> bool:
    return counter.left > 0


def counted_on(counter: Counter) -> int:
    counter.left -= 1
    counter.next += counter.by
    return counter.next - counter.by


class Cursor(Kept):
    """An iterator over a list or tuple: what is next is at `place`; at its end that is -1."""

    def __init__(self, items: Any):
        self.items = items
        self.place = 0

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


def partially(f: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """`functools.partial` that is kept."""

    def call(*more: Any, **others: Any) -> Any:
        return f(*given, *more, **named, **others)

    return call


def remembering(f: Callable[..., Any], most: int | None) -> Any:
    """`functools.lru_cache` of a function that is defined in another one."""
    known: dict[Any, Any] = {}

    def call(*args: Any) -> Any:
        if args not in known:
            if len(known) == most:
                raise NotFollowed(
                    "`lru_cache` that forgets what it was called with first", "use `maxsize=None`"
                )
            known[args] = f(*args)
        return known[args]

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


# ---- `itertools` of what gives its items one by one: each as lazy as it is in Python


def each_zipped(a: Any, b: Any) -> Any:
    for x in a:
        for y in b:
            yield (*x, y)
            break
        else:
            return


def each_key(d: Any, keys: Any) -> Any:
    for k in keys:
        if len(d) != len(keys):
            raise RuntimeError("dictionary changed size during iteration")
        yield k


def each_of_set(s: Any, items: Any) -> Any:
    for x in items:
        if len(s) != len(items):
            raise RuntimeError("Set changed size during iteration")
        check_items(s, items)
        yield x


def each_value(d: Any, keys: Any) -> Any:
    for k in keys:
        yield d[k]


def each_item(d: Any, keys: Any) -> Any:
    for k in keys:
        yield k, d[k]


def each_alone(items: Any) -> Any:
    for x in items:
        yield (x,)


def each_backwards(items: Any, last: Any) -> Any:
    k = last
    while 0 <= k < len(items):
        yield items[k]
        k -= 1


def each_numbered(items: Any, start: Any) -> Any:
    k = start
    for x in items:
        yield k, x
        k += 1


def each_mapped(function: Callable[..., Any], items: Any) -> Any:
    for x in items:
        yield function(x)


def each_spread(function: Callable[..., Any], items: Any) -> Any:
    for x in items:
        yield function(*x)


def each_filtered(function: Callable[..., Any], items: Any) -> Any:
    for x in items:
        if function(x):
            yield x


def each_true(items: Any) -> Any:
    for x in items:
        if x:
            yield x


def each_false(function: Callable[..., Any], items: Any) -> Any:
    for x in items:
        if not function(x):
            yield x


def each_until(items: Any, stop: Any) -> Any:
    k = 0
    while k < stop:
        for x in items:
            yield x
            break
        else:
            return
        k += 1


def each_stepped(items: Any, start: Any, stop: Any, step: Any) -> Any:
    k, wanted = 0, start
    while stop is None or k < max(start, stop):
        for x in items:
            if k == wanted:
                yield x
                wanted += step
            break
        else:
            return
        k += 1


def each_taken(function: Callable[..., Any], items: Any) -> Any:
    for x in items:
        if not function(x):
            return
        yield x


def each_left(function: Callable[..., Any], items: Any) -> Any:
    dropping = True
    for x in items:
        if dropping and function(x):
            continue
        dropping = False
        yield x


def each_of_both(a: Any, b: Any) -> Any:
    yield from a
    yield from b


def each_of_each(iterables: Any) -> Any:
    for items in iterables:
        yield from items


def each_pair(items: Any) -> Any:
    for x in items:
        last = x
        break
    else:
        return
    for x in items:
        yield last, x
        last = x


def each_total(items: Any, function: Callable[..., Any]) -> Any:
    for x in items:
        total = x
        break
    else:
        return
    yield total
    for x in items:
        total = function(total, x)
        yield total


def each_total_from(items: Any, function: Callable[..., Any], initial: Any) -> Any:
    total = initial
    yield total
    for x in items:
        total = function(total, x)
        yield total


def each_of_longest(fill: Any, a: Any, b: Any) -> Any:
    while True:
        first = second = fill
        ended = True
        for x in a:
            first, ended = x, False
            break
        for y in b:
            second, ended = y, False
            break
        if ended:
            return
        yield first, second


def each_again(items: Any) -> Any:
    found = []
    for x in items:
        yield x
        found.append(x)
    while found:
        for x in found:
            yield x


def each_count(start: Any, step: Any) -> Any:
    while True:
        yield start
        start += step


def each_repeated(x: Any) -> Any:
    while True:
        yield x


def each_shared(items: Any, found: Any) -> Any:
    k = 0
    while True:
        if k == len(found):
            for x in items:
                found.append(x)
                break
            else:
                return
        yield found[k]
        k += 1


def tee(items: Any) -> Any:
    found: list[Any] = []
    return each_shared(items, found), each_shared(items, found)
