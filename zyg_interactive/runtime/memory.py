"""Cotangents of what is in memory: of the items and attributes of objects that may be changed.

A `Memory` belongs to one run of a pullback. It finds the cotangents of an object by the identity of
the object, so it does not matter by which name, or in which function, it was reached: reading an
item adds to its cotangent, storing one takes it. In a derivative of a derivative the memory of the
inner one is memory, too: there `memory` is a tuple, the outermost first.

Lists are shadowed as they are at the time that the reverse part has come to; what lies beyond their
end then has no cotangent. None is zero.
"""

from __future__ import annotations

import functools
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .buffers import add_to_array, array_bar, drained, drained_back
from .calls import Changed, NotFollowed, defaults_given, shared_cells
from .cotangents import (
    add,
    as_dtype,
    attributes,
    cotangent_dtype,
    real_where,
    tuple_like,
    zeros_like,
)
from .numbers import real_scalar, scalar


class Cells(dict[Any, Any]):
    """The cotangents of the parts of one object, by index, key or name."""

    __slots__ = ("owned",)

    def __init__(self) -> None:
        super().__init__()
        self.owned: set[Any] = set()  # arrays that nothing else holds, added into in place

    def accumulate(self, key: Any, c: Any) -> None:
        if type(c) is np.float64:  # the cotangents of Python's numbers are Python's
            c = float(c)
        held = self.get(key)
        if held is None:
            self[key] = c
            self.owned.discard(key)
        elif key in self.owned and _fits(c, held):
            held += c
        else:
            self[key] = total = add(held, c)
            if isinstance(total, np.ndarray) and total.dtype.kind == "f" and total.ndim:
                self.owned.add(key)

    def replace(self, key: Any, c: Any) -> None:
        self.owned.discard(key)
        if c is None:
            self.pop(key, None)
        else:
            self[key] = c

    def take(self, key: Any) -> Any:
        self.owned.discard(key)
        return self.pop(key, None)

    def move(self, places: dict[Any, Any]) -> None:
        """Let cotangents stand elsewhere: `places` maps old keys to new ones."""
        held = {places.get(k, k): c for k, c in self.items()}
        self.clear()
        self.owned.clear()
        self.update(held)


def _fits(c: Any, held: Any) -> bool:
    return isinstance(c, np.ndarray) and c.dtype == held.dtype and c.shape == held.shape


class Memory:
    """The cotangents of objects, by identity."""

    __slots__ = ("_cells", "_buffers", "arrays")

    def __init__(self, arrays: bool = False) -> None:
        self._cells: dict[int, tuple[Any, Cells]] = {}
        self._buffers: dict[int, tuple[Any, Any]] = {}
        self.arrays = arrays  # whether arrays are found by identity, too, not where they are held

    def of(self, x: Any) -> Cells:
        found = self._cells.get(id(x))
        if found is None:
            found = self._cells[id(x)] = (x, Cells())  # the object is kept alive: ids are unique
        return found[1]

    def buffer(self, owner: Any, make: Callable[[], Any] | None) -> Any:
        """The cotangent of a buffer; None where it has none and none is to be made."""
        found = self._buffers.get(id(owner))
        if found is None:
            if make is None:
                return None
            found = self._buffers[id(owner)] = (owner, make())
        return found[1]

    def __add__(self, other: Memory) -> Memory:
        """The sums of the cotangents in two memories."""
        total = Memory(self.arrays)
        for memory in (self, other):
            for x, cells in memory._cells.values():
                for key, c in cells.items():
                    total.of(x).accumulate(key, c)
            for owner, bar in memory._buffers.values():
                held = total.buffer(owner, functools.partial(np.zeros_like, bar))
                held += bar
        return total


def new_memory(arrays: bool = False) -> Memory:
    return Memory(arrays)


def by_identity(memory: Any, x: Any) -> bool:
    """Whether the cotangent of something is that of a buffer, wherever it is held."""
    first = memory[0] if type(memory) is tuple else memory
    return bool(first.arrays) and isinstance(x, np.ndarray) and x.ndim > 0


def _cells(memory: Any, x: Any) -> Cells:
    if type(memory) is not tuple:
        found: Cells = memory.of(x)
        return found
    for m in reversed(memory):
        x = m.of(x)
    cells: Cells = x
    return cells


# ---- single parts


def add_to(memory: Any, x: Any, key: Any, c: Any) -> None:
    """Add `c` to the cotangent of a part of `x`: the reverse of reading it."""
    if c is not None:
        _cells(memory, x).accumulate(key, c)


def take_from(memory: Any, x: Any, key: Any, like: Any) -> Any:
    """The cotangent of a part of `x`, which is zero before: the reverse of storing `like` there."""
    return _whole(_cells(memory, x).take(key), like)


def _whole(c: Any, like: Any) -> Any:
    """A cotangent with zeros where nothing flows; those of Python's numbers are Python's."""
    if c is None:
        return zeros_like(like)
    if type(like) is float and isinstance(c, np.ndarray | np.generic):
        return float(np.real(c))
    if isinstance(c, tuple) and isinstance(like, tuple) and any(part is None for part in c):
        return tuple_like(like, [_whole(part, e) for part, e in zip(c, like, strict=True)])
    return c


def whole_of(memory: Any, y: Any, g: Any) -> Any:
    """The whole cotangent of what may be an array that is found by its identity; zeros where there
    is none.
    """
    return _whole(drained(memory, y, g), y)


def read_from(memory: Any, x: Any, key: Any, like: Any) -> Any:
    """The cotangent of a part of `x`."""
    cells = _cells(memory, x)
    cells.owned.discard(key)  # from here on somebody else holds it, too
    return _whole(cells.get(key), like)


def put_into(memory: Any, x: Any, key: Any, c: Any) -> None:
    """Replace the cotangent of a part of `x`: the reverse of removing it."""
    _cells(memory, x).replace(key, c)


# ---- stretches of a list


def cut_from(memory: Any, x: Any, start: int, old: int, likes: Any) -> list[Any]:
    """The cotangents of the items `likes` that stand from `start` on: the reverse of putting them
    in the place of `old` items.
    """
    cells, new = _cells(memory, x), len(likes)
    found = [cells.take(start + i) for i in range(new)]
    _shift(cells, start + new, old - new)
    return [_whole(c, e) for c, e in zip(found, likes, strict=True)]


def paste_into(memory: Any, x: Any, start: int, old: int, cs: Any) -> None:
    """Put cotangents in the place of those of `old` items: the reverse of `cut_from`."""
    cells = _cells(memory, x)
    for i in range(old):
        cells.take(start + i)
    _shift(cells, start + old, len(cs) - old)
    for i, c in enumerate(cs):
        cells.replace(start + i, c)


def _shift(cells: Cells, start: int, by: int) -> None:
    if by:
        cells.move({k: k + by for k in cells if k >= start})


def reorder_in(memory: Any, x: Any, order: Any, back: bool) -> None:
    """Follow items that moved from `order[k]` to `k`; `back`: or that move back."""
    pairs = enumerate(order)
    _cells(memory, x).move({(k if back else o): (o if back else k) for k, o in pairs})


# ---- everything that a container holds


def take_all(memory: Any, x: Any, likes: Any) -> Any:
    """The cotangents of all of a new container, made of `likes`: the reverse of making it."""
    cells = _cells(memory, x)
    if isinstance(likes, dict):
        return {k: _whole(cells.take(k), e) for k, e in likes.items()}
    return [_whole(cells.take(i), e) for i, e in enumerate(likes)]


def put_all(memory: Any, x: Any, cs: Any) -> None:
    """The reverse of `take_all`."""
    cells = _cells(memory, x)
    for key, c in _items(cs):
        cells.replace(key, c)


def _items(x: Any) -> Iterator[tuple[Any, Any]]:
    return iter(x.items()) if isinstance(x, dict) else enumerate(x)


def frozen(x: Any) -> Any:
    """What a list or dict holds now; None of None."""
    return list(x) if isinstance(x, deque) else None if x is None else x.copy()


def frozen_deep(x: Any) -> Any:
    """What nested lists, tuples and dicts hold now."""
    if isinstance(x, list | deque):
        return [frozen_deep(e) for e in x]
    if type(x) is tuple:
        return tuple(frozen_deep(e) for e in x)
    if isinstance(x, dict):
        return {k: frozen_deep(v) for k, v in x.items()}
    return x


def standing(x: Any, deep: bool) -> Any:
    """Where the parts of a container stand, to bring cotangents there later."""
    if x is None:
        return _Stand({}, {}, {})
    nested = {k: standing(e, True) for k, e in _items(x) if _is_nested(e)} if deep else {}
    return _Stand(x, nested, {k: e for k, e in _items(x) if isinstance(e, np.ndarray)})


def keys_of(x: dict[Any, Any]) -> list[Any]:
    return list(x)


class Key:
    """Where the cotangent of a key of a dict itself stands, beside that of the value under it."""

    __slots__ = ("key",)

    def __init__(self, key: Any):
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (
            self.key is other.key or bool(self.key == other.key)
        )

    def __hash__(self) -> int:
        return hash((Key, self.key))


def new_key(x: dict[Any, Any], key: Any) -> Any:
    """Where the cotangent of a key stands that is about to be stored; if an equal one is there
    already, that stays the key, and nothing stands here.
    """
    return object() if key in x else Key(key)


def places_of_keys(x: dict[Any, Any]) -> list[Key]:
    return list(map(Key, x))


def places_of_values(x: dict[Any, Any]) -> list[Any]:
    return list(x)


def values_of(x: dict[Any, Any]) -> list[Any]:
    """What a dict holds now, in its order."""
    return list(x.values())


def spread_values(memory: Any, x: Any, keys: list[Any], c: Any) -> None:
    """Add the cotangents of the values of a dict to those under its keys."""
    spread_over(memory, _Stand(x, {}, {}), dict(zip(keys, c, strict=True)))


def read_values(memory: Any, x: Any, keys: list[Any], likes: Any) -> Any:
    """The reverse of `spread_values`."""
    found = read_over(memory, _Stand(x, {}, {}), dict(zip(keys, likes, strict=True)))
    return list(found.values())


class _Stand:
    """A container, those in it, and its arrays."""

    __slots__ = ("x", "nested", "arrays")

    def __init__(self, x: Any, nested: dict[Any, Any], arrays: dict[Any, Any]):
        self.x, self.nested, self.arrays = x, nested, arrays


def _is_nested(x: Any) -> bool:
    return isinstance(x, list | dict | deque) or type(x) is tuple


def spread_over(memory: Any, stand: Any, c: Any) -> None:
    """Add the cotangent of what a container held to those of its parts: the reverse of `frozen`."""
    if c is None:
        return
    if isinstance(stand.x, dict) and not isinstance(c, dict):
        raise Changed(
            "what is made of the keys of a dict here is not followed",
            "make a list of the keys first: `[k for k in d]`",
        )
    cells = None if isinstance(stand.x, tuple) else _cells(memory, stand.x)
    for key, part in _items(c):
        if by_identity(memory, stand.arrays.get(key)):
            add_to_array(array_bar(memory, stand.arrays[key]), part)
        elif key in stand.nested:
            inner = stand.nested[key]
            if isinstance(inner.x, tuple) and cells is not None:
                cells.accumulate(key, part)  # what it refers to has no part in this cotangent
            spread_over(memory, inner, part)
        elif cells is not None and part is not None:
            cells.accumulate(key, part)


def read_over(memory: Any, stand: Any, likes: Any) -> Any:
    """The cotangents of what a container held: the reverse of `spread_over`."""
    cells = {} if isinstance(stand.x, tuple) else _cells(memory, stand.x)
    found = {}
    for key, like in _items(likes):
        nested = stand.nested.get(key)
        if by_identity(memory, stand.arrays.get(key)):
            found[key] = array_bar(memory, stand.arrays[key]).copy()
        elif nested is not None and not isinstance(nested.x, tuple):
            found[key] = read_over(memory, nested, like)
        else:
            found[key] = _whole(cells.get(key), like)
    if isinstance(likes, dict):
        return found
    items = list(found.values())
    return tuple_like(likes, items) if isinstance(likes, tuple) else items


# ---- arguments and results


class Snapshot:
    """A structure of containers and objects as it is now: what a cotangent of it looks like."""

    __slots__ = ("value", "parts")

    def __init__(self, value: Any, parts: dict[Any, Snapshot] | None):
        self.value, self.parts = value, parts


def snapshot(x: Any) -> Snapshot:
    """Remember what an argument holds, which the function may change."""
    return _snapshot(x, {})


def _snapshot(x: Any, seen: dict[int, Snapshot]) -> Snapshot:
    if id(x) in seen:
        return seen[id(x)]
    parts: dict[Any, Any] | None
    if isinstance(x, list | tuple | dict | deque):
        parts = dict(_items(x))
    elif isinstance(x, set | frozenset):
        parts = {Key(e): e for e in x}
    elif isinstance(x, types.CellType):
        parts = cell_parts(x)
    elif isinstance(x, int | float | complex | np.ndarray | np.generic):
        parts = None
    else:
        parts = attributes(x)
    made = Snapshot(x, None)
    if parts is not None:
        seen[id(x)] = made
        made.parts = {k: _snapshot(v, seen) for k, v in parts.items()}
    return made


def cell_parts(cell: types.CellType) -> dict[str, Any]:
    try:
        return {"cell_contents": cell.cell_contents}
    except ValueError:
        return {}


def structure(x: Any) -> Any:
    """A copy of the containers and objects of a structure, around the same values."""
    return _structure(snapshot(x), set())


def _structure(node: Snapshot, path: set[int]) -> Any:
    if node.parts is None or id(node.value) in path:
        return node.value if node.parts is None else None
    parts = {k: _structure(p, path | {id(node.value)}) for k, p in node.parts.items()}
    if isinstance(node.value, dict):
        return parts
    if isinstance(node.value, set | frozenset):
        return node.value.copy()
    if isinstance(node.value, tuple):
        return tuple_like(node.value, list(parts.values()))
    is_list = isinstance(node.value, list | deque)
    return [*parts.values()] if is_list else types.SimpleNamespace(**parts)


def collected(memory: Any, before: Snapshot) -> Any:
    """The cotangent of an argument, in its structure; None where nothing flows."""
    return _collected(memory, before, None, set())


def _collected(memory: Any, node: Snapshot, c: Any, path: set[int]) -> Any:
    x = node.value
    if node.parts is None:
        if by_identity(memory, x) and x.dtype.kind in "fc":
            held = array_bar(memory, x, make=False)
            c = c if held is None else held if c is None else c + held
        return finished(c, x)
    if id(x) in path:  # a structure that holds itself
        return None
    path = path | {id(x)}
    if isinstance(x, tuple):
        items = [
            _collected(memory, part, None if c is None else c[i], path)
            for i, part in node.parts.items()
        ]
        return None if all(i is None for i in items) else tuple_like(x, items)
    cells = _cells(memory, x)
    found = {k: _collected(memory, part, cells.get(k), path) for k, part in node.parts.items()}
    if all(v is None for v in found.values()):
        return None
    if isinstance(x, dict):
        return found
    if isinstance(x, set | frozenset):
        return {place.key: c for place, c in found.items()}
    return list(found.values()) if isinstance(x, list | deque) else types.SimpleNamespace(**found)


def of_copy(memory: Any, x: Any) -> Any:
    """The cotangents of what a list or dict holds that is a copy, which are zero from here on; None
    where nothing flows. Arrays that are found by their identity are no copies, and keep theirs.
    """
    cells = _cells(memory, x)
    found = {
        k: of_copy(memory, e)
        if isinstance(e, list | dict | deque)
        else None
        if by_identity(memory, e)
        else cells.take(k)
        for k, e in _items(x)
    }
    if all(c is None for c in found.values()):
        return None
    return found if isinstance(x, dict) else list(found.values())


def of_copy_back(memory: Any, x: Any, c: Any) -> None:
    """The reverse of `of_copy`."""
    cells = _cells(memory, x)
    for k, e in _items(x):
        part = None if c is None else c[k]
        if isinstance(e, list | dict | deque):
            of_copy_back(memory, e, part)
        elif not by_identity(memory, e):
            cells.replace(k, part)


def settled(memory: Any, x: Any, c: Any) -> Any:
    """Give the cotangent of `x` to the arrays that `x` is, or holds in a tuple, or to the variable
    that it is; returns what is left of it.
    """
    if isinstance(x, types.CellType):
        add_to(memory, x, "cell_contents", c)
        return None
    if isinstance(x, tuple) and isinstance(c, tuple):
        return tuple_like(x, [settled(memory, *each) for each in zip(x, c, strict=True)])
    if isinstance(x, types.FunctionType) and isinstance(c, tuple):
        each = zip(captured_in(memory, x), c, strict=True)
        return tuple(settled(memory, *parts) for parts in each)
    if not _is_array(x):
        return c
    add_to_array(array_bar(memory, x), c)
    return None


def captured_in(memory: Any, f: types.FunctionType) -> tuple[Any, ...]:
    """What a function captured and its defaults, as `settled` wants them: variables in memory as
    such, and None for what has its cotangent where it is held.
    """
    shared = shared_cells(f)
    held = [
        cell if i in shared else cell.cell_contents for i, cell in enumerate(f.__closure__ or ())
    ]
    every = (*held, *defaults_given(f))
    return tuple(None if _is_array(v) and not by_identity(memory, v) else v for v in every)


def settled_back(memory: Any, x: Any, left: Any, like: Any) -> Any:
    """The reverse of `settled`, from the cotangent of what was left."""
    if like is None:
        return None
    if isinstance(x, types.CellType):
        return read_from(memory, x, "cell_contents", like)
    if isinstance(x, tuple) and isinstance(like, tuple):
        parts = (None,) * len(x) if left is None else left
        each = zip(x, parts, like, strict=True)
        return tuple_like(x, [settled_back(memory, *parts) for parts in each])
    if isinstance(x, types.FunctionType) and isinstance(like, tuple):
        parts = (None,) * len(like) if left is None else left
        each = zip(captured_in(memory, x), parts, like, strict=True)
        return tuple(settled_back(memory, *part) for part in each)
    if not _is_array(x):
        return zeros_like(like) if left is None else left
    return array_bar(memory, x).copy()


def _each(y: Any, *xs: Any) -> Iterator[tuple[Any, ...]]:
    """The parts of a structure, with those of others like it, which may be None."""
    each = [x if isinstance(x, tuple | list) else (x,) * len(y) for x in xs]
    if any(len(x) != len(y) for x in each):
        what = "a second derivative of a list that is changed, and that only the run knows"
        raise NotFollowed(what, "make a new list")
    return zip(y, *each, strict=True)


def unadded(memory: Any, y: Any, a: Any, b: Any, g: Any) -> tuple[Any, Any]:
    """The cotangents of `a` and `b`, which may be None or structures, from that of their sum."""
    if isinstance(y, tuple | list):
        pairs = [unadded(memory, *parts) for parts in _each(y, a, b, g)]
        of_a, of_b = ([pair[i] for pair in pairs] for i in (0, 1))
        made = list if isinstance(y, list) else functools.partial(tuple_like, y)
        return None if a is None else made(of_a), None if b is None else made(of_b)
    if isinstance(y, dict):
        a, b, g = ({} if x is None else x for x in (a, b, g))
        found = {k: unadded(memory, v, a.get(k), b.get(k), g.get(k)) for k, v in y.items()}
        return {k: found[k][0] for k in a}, {k: found[k][1] for k in b}
    if a is None or b is None:  # the sum is the other one itself
        return (None if a is None else g), (None if b is None else g)
    if memory is None or not _is_array(y) or not by_identity(memory, y):
        return real_where(g, a), real_where(g, b)
    whole = drained(memory, y, g)
    return settled(memory, a, real_where(whole, a)), settled(memory, b, real_where(whole, b))


def unadded_back(memory: Any, y: Any, a: Any, b: Any, gs: Any, g: Any) -> Any:
    """The reverse of `unadded`, from the cotangents of both: that of `g`."""
    of_a, of_b = (None, None) if gs is None else gs
    if isinstance(y, tuple | list):
        parts = _each(y, a, b, of_a, of_b, g)
        items = [unadded_back(memory, v, p, q, (c, d), e) for v, p, q, c, d, e in parts]
        return items if isinstance(y, list) else tuple_like(y, items)
    if isinstance(y, dict):
        a, b, of_a, of_b, g = ({} if x is None else x for x in (a, b, of_a, of_b, g))
        held = {k: (a.get(k), b.get(k), (of_a.get(k), of_b.get(k)), g.get(k)) for k in y}
        return {k: unadded_back(memory, v, *held[k]) for k, v in y.items()}
    if a is None or b is None:
        total = of_b if a is None else of_a
    elif memory is None or not _is_array(y) or not by_identity(memory, y):
        total = add(of_a, of_b)
    else:
        total = add(settled_back(memory, a, of_a, a), settled_back(memory, b, of_b, b))
        return drained_back(memory, y, total, g)
    return zeros_like(g) if total is None else total


def _is_array(x: Any) -> bool:
    """Whether something is an array that may have its cotangent by its identity."""
    return isinstance(x, np.ndarray) and x.ndim > 0 and x.dtype.kind in "fc"


def finished(c: Any, x: Any) -> Any:
    """A cotangent as its owner expects it: of its type and precision, shared with nobody."""
    if c is None:
        return None
    if isinstance(x, complex) and not isinstance(x, np.generic):
        return scalar(c)
    if isinstance(x, int | float) and not isinstance(x, np.generic):
        return real_scalar(c)
    if isinstance(x, np.ndarray | np.generic):
        dtype = cotangent_dtype(x.dtype)
        if isinstance(x, np.ndarray):
            return np.array(np.broadcast_to(as_dtype(np.asarray(c), dtype), x.shape))
        return as_dtype(c, dtype)
    return c


def scattered(memory: Any, after: Snapshot, c: Any) -> None:
    """Give the cotangent of a structure to its parts: a seed."""
    if c is None or after.parts is None:
        return
    x = after.value
    cells = None if isinstance(x, tuple) else _cells(memory, x)
    given = vars(c) if isinstance(c, types.SimpleNamespace) else dict(_items(c))
    if isinstance(x, set | frozenset):
        given = {Key(e): part for e, part in given.items()}
    for key, part in after.parts.items():
        g = given.get(key)
        if g is None:
            continue
        if by_identity(memory, part.value):
            add_to_array(array_bar(memory, part.value), g)
        elif cells is not None and (part.parts is None or isinstance(part.value, tuple)):
            cells.accumulate(key, g)
        scattered(memory, part, g)


# ---- cells of closures, objects


def new_cell() -> types.CellType:
    return types.CellType()


def read_cell(cell: types.CellType, name: str, free: bool) -> Any:
    """The value of a variable that several functions share, or the error where it has none."""
    try:
        return cell.cell_contents
    except ValueError:
        pass
    if free:
        raise NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in "
            "enclosing scope"
        )
    raise UnboundLocalError(
        f"cannot access local variable '{name}' where it is not associated with a value"
    )


def new_object(cls: Any) -> Any:
    """An instance without attributes."""
    made = cls.__new__(cls)
    return made


def has_own(x: Any, attr: str) -> bool:
    """Whether an object has an attribute itself, not by its class."""
    return attr in vars(x)


def place(x: Any, i: Any) -> Any:
    """An index of a list, counted from its start."""
    return i + len(x) if i < 0 else i


def splice(x: list[Any], start: int, stop: int, items: Any) -> None:
    """Put items in the place of those from `start` to `stop`."""
    x[start:stop] = items


def reorder(x: list[Any], order: Any) -> None:
    """Let the item at `order[k]` stand at `k`."""
    items = list(x)
    for k, o in enumerate(order):
        x[k] = items[o]


def allocated(x: Any) -> Any:
    """A list or dict of its own of what was made: from here on it may be changed, and what was made
    is kept.
    """
    return x.copy()


def ends_of(x: list[Any], start: int | None, stop: int | None) -> tuple[int, int]:
    """Where a slice of a list begins and ends, counted from its start."""
    first, last, _ = slice(start, stop).indices(len(x))
    return first, max(first, last)


def backwards(x: list[Any]) -> list[int]:
    return list(range(len(x)))[::-1]


def sorting(keys: list[Any], reverse: bool) -> list[int]:
    """The order in which sorting by these keys puts items."""
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def last_key(x: dict[Any, Any]) -> Any:
    if not x:
        raise KeyError("popitem(): dictionary is empty")
    return next(reversed(x))


def forget(memory: Any, x: Any) -> None:
    """Let no part of `x` have a cotangent: the reverse of clearing it."""
    cells = _cells(memory, x)
    cells.clear()
    cells.owned.clear()
