"""What rules of counts and of repeated numbers ask at the run."""

from __future__ import annotations

from typing import Any

import numpy as np


def unique_places(a: Any) -> Any:
    """Where each number stands among those that `np.unique` keeps."""
    return np.unique(a, return_inverse=True)[1].reshape(np.shape(a))


def unique_counts(a: Any) -> Any:
    """How often each number that `np.unique` keeps occurs, as a number of its kind."""
    a = np.asarray(a)
    kind = np.zeros(0, a.dtype).real.dtype if a.dtype.kind in "fc" else np.dtype(float)
    return np.unique(a, return_counts=True)[1].astype(kind)


def bins_of(a: Any, edges: Any) -> Any:
    """The bin of `np.histogram` that each number falls into, -1 outside of all."""
    found = np.searchsorted(edges, a, side="right") - 1
    found = np.where(np.equal(a, edges[-1]), len(edges) - 2, found)
    return np.where(found > len(edges) - 2, -1, found)


def inserted_places(n: int, obj: Any, count: int) -> Any:
    """Where the new elements of `np.insert` stand along the axis of `n` old ones."""
    if isinstance(obj, slice):
        index = np.arange(*obj.indices(n))
    else:
        index = np.asarray(obj)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
    if index.size == 1:
        start = int(index.reshape(())[()])
        return np.arange(count) + (start + n if start < 0 else start)
    index = np.where(index < 0, index + n, index)
    order = np.argsort(index, kind="stable")
    index[order] += np.arange(len(index))
    return index


def places_kept(n: int, inserted: Any) -> Any:
    """Where the old elements stand, beside those that were inserted."""
    kept = np.ones(n + len(inserted), bool)
    kept[inserted] = False
    return np.flatnonzero(kept)


def untrimmed(a: Any, trim: str) -> Any:
    """The places of what `np.trim_zeros` leaves of a sequence."""
    full = np.flatnonzero(a)
    if not len(full):
        return full
    low = full[0] if "f" in trim.lower() else 0
    high = full[-1] + 1 if "b" in trim.lower() else len(a)
    return np.arange(low, high)


def segments(indices: Any, n: int) -> tuple[Any, Any]:
    """The elements that each entry of a `reduceat` takes, and which entry takes each."""
    starts = np.asarray(indices)
    stops = np.append(starts[1:], n)
    stops = np.where(stops > starts, stops, starts + 1)
    taken = [np.arange(a, b) for a, b in zip(starts, stops, strict=True)]
    return np.concatenate(taken), np.repeat(np.arange(len(starts)), [len(t) for t in taken])
