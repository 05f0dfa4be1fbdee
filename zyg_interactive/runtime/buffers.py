"""Cotangents of arrays that are changed: of each buffer one of its layout, found by the identity of
the buffer. The cotangent of a view is the same view of that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .calls import NotFollowed
from .cotangents import zeros_like

NUMBERS = "use arrays of real or complex numbers"


def root(x: Any) -> Any:
    """The array that a view is a view of, in the end."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def bar_of(memory: Any, x: Any, make: bool = True) -> Any:
    """The cotangent of an array in memory, to be read and changed; zero where there was none."""
    if isinstance(x, np.generic):
        return memory.buffer(x, (lambda: np.zeros((), x.dtype)) if make else None)
    if not isinstance(x, np.ndarray):
        raise NotFollowed(
            f"a {type(x).__name__} where an array stood when the gradient was generated",
            "keep a variable an array, or a number, on every way",
        )
    owner = root(x)
    low, high = np.lib.array_utils.byte_bounds(owner)
    held = memory.buffer(owner, (lambda: _zeros(owner.dtype, high - low)) if make else None)
    if held is None:
        return None
    if real_dtype(x.dtype) != held.dtype:
        raise NotFollowed(
            f"the gradient of an array of {owner.dtype} that is seen as {x.dtype}", NUMBERS
        )
    if any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True)):
        raise NotFollowed(
            "changing an array that shows an element several times", "copy it first: `x.copy()`"
        )
    offset = x.__array_interface__["data"][0] - low
    return np.ndarray(x.shape, x.dtype, held, offset, x.strides)


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the real numbers that an array is made of."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _zeros(dtype: np.dtype[Any], size: int) -> Any:
    if dtype.kind not in "fc":
        raise NotFollowed(f"the gradient of an array of {dtype}", NUMBERS)
    real = real_dtype(dtype)
    return np.zeros(size // real.itemsize, real)


def array_bar(memory: Any, x: Any, make: bool = True) -> Any:
    """`bar_of`, or that of the cotangent: `memory` is a tuple in a derivative of a derivative."""
    for m in reversed(memory if type(memory) is tuple else (memory,)):
        x = None if x is None else bar_of(m, x, make)
    return x


def add_to_array(bar: Any, c: Any) -> None:
    if c is not None:
        bar += np.real(c) if np.iscomplexobj(c) and not np.iscomplexobj(bar) else c


def drained(memory: Any, y: Any, g: Any) -> Any:
    """The whole cotangent of a result: `g`, and what its buffer has, which is zero from here on."""
    bar = _own_bar(memory, y)
    if bar is None:
        return g
    total = bar.copy() if g is None else g + bar
    bar[...] = 0
    return total


def drained_back(memory: Any, y: Any, total: Any, like: Any) -> Any:
    """The reverse of `drained`, from the cotangent of the total: the cotangent of `g`, which looks
    like `like`. What the buffer had got to has it, too, and no more.
    """
    bar = _own_bar(memory, y)
    if bar is not None:
        bar[...] = 0 if total is None else total
    return zeros_like(like) if total is None else total


def _own_bar(memory: Any, y: Any) -> Any:
    """The cotangent that an array has by its identity; None where it has none yet."""
    if not isinstance(y, np.ndarray) or not y.ndim or y.dtype.kind not in "fc":
        return None
    if type(memory) is not tuple:
        return bar_of(memory, y, make=False)
    bar = array_bar(memory[1:], y, make=False)
    return None if bar is None else bar_of(memory[0], bar)


def drained_items(memory: Any, items: Any, g: Any, pattern: Any) -> Any:
    """The whole cotangent of a tuple of which only the run knows the length. `pattern`: which parts
    of an item are arrays that nothing else has a cotangent of by identity.
    """
    parts = (None,) * len(items) if g is None else g
    return tuple(_drained(memory, y, c, pattern) for y, c in zip(items, parts, strict=True))


def _drained(memory: Any, y: Any, g: Any, pattern: Any) -> Any:
    if isinstance(pattern, tuple):
        parts = (None,) * len(pattern) if g is None else g
        return tuple(_drained(memory, *x) for x in zip(y, parts, pattern, strict=True))
    return drained(memory, y, g) if pattern else g


def drained_items_back(memory: Any, items: Any, totals: Any, pattern: Any) -> Any:
    """The reverse of `drained_items`, from the cotangents of the totals."""
    each = zip(items, totals, strict=True)
    return tuple(_drained_back(memory, y, total, pattern) for y, total in each)


def _drained_back(memory: Any, y: Any, total: Any, pattern: Any) -> Any:
    if isinstance(pattern, tuple):
        parts = (None,) * len(pattern) if total is None else total
        return tuple(_drained_back(memory, *x) for x in zip(y, parts, pattern, strict=True))
    return drained_back(memory, y, total, y) if pattern else total


def shares(x: Any, y: Any) -> bool:
    """Whether two arrays are views of one buffer."""
    return isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and root(x) is root(y)


def subtract_at(x: Any, index: Any, v: Any) -> None:
    """`x[index] -= v`."""
    x[index] -= v


def take_at(bar: Any, index: Any) -> Any:
    """The cotangent of what was stored at `x[index]`: of an element that was stored several times,
    the last one has it.
    """
    found = bar[index]
    if not isinstance(found, np.ndarray):
        return found
    found = found.copy()
    last = _stored_last(bar.shape, index)
    if last is not None:
        found[~last] = 0
    return found


def give_at(bar: Any, index: Any, c: Any) -> None:
    """Add `c` to the elements that `take_at` reads: its reverse."""
    last = _stored_last(bar.shape, index)
    np.add.at(bar, index, c if last is None else np.where(last, c, 0))


def _stored_last(shape: tuple[int, ...], index: Any) -> Any:
    """Which of the places of an index are the last to be written; None where all are."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [p for p in parts if isinstance(p, list | np.ndarray) and np.asarray(p).dtype != bool]
    if not arrays or _distinct(shape, parts):
        return None
    places = np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]
    flat = places.ravel()[::-1]
    _, first = np.unique(flat, return_index=True)
    if len(first) == flat.size:
        return None
    last = np.zeros(flat.size, bool)
    last[flat.size - 1 - first] = True
    return last.reshape(places.shape)


def _distinct(shape: tuple[int, ...], parts: tuple[Any, ...]) -> bool:
    """Whether index arrays are seen at once to select each element no more than once."""
    if any(isinstance(p, list | np.ndarray) and np.asarray(p).dtype == bool for p in parts):
        return False
    taken = sum(p is not None and p is not Ellipsis for p in parts)
    codes: Any = 0
    axis = 0
    for p in parts:
        if p is Ellipsis:
            axis += len(shape) - taken
        elif p is not None:
            if isinstance(p, list | np.ndarray):
                codes = codes * shape[axis] + np.asarray(p) % shape[axis]
            axis += 1
    return np.unique(codes).size == np.size(codes)


# ---- where functions store


def store_flat(x: Any, index: Any, v: Any) -> None:
    """`x.flat[index] = v`."""
    x.flat[index] = v


def flat_index(x: Any, index: Any) -> Any:
    """The index of elements of an array that are counted in its flat order."""
    return np.unravel_index(np.arange(x.size)[index], x.shape)


def diagonal_index(x: Any) -> Any:
    """The index of the diagonal of an array."""
    if x.ndim == 2:
        return np.diag_indices(min(x.shape))
    return np.diag_indices_from(x)


def index_along(x: Any, index: Any, axis: int) -> Any:
    """The index of `np.take_along_axis(x, index, axis)`."""
    parts: list[Any] = list(np.ogrid[tuple(map(slice, index.shape))])
    parts[axis] = index
    return tuple(parts)
