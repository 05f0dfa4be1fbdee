"""Seeds: cotangents of results, which may be tuples, and the numbers and arrays in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .diagnostics import refuse
from .ir.types import Tuple

SHORT = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64))


class Like(NamedTuple):
    """What the seed of one number or array must look like."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def template_of(y: Any) -> Any:
    """What a seed must look like: that of an array, or a list of these."""
    if isinstance(y, int | float | complex | np.ndarray | np.generic):
        return Like(np.shape(y), np.asarray(y).dtype)
    return [template_of(e) for e in y] if isinstance(y, tuple) else None


def leaves_of(seed: Any, template: Any, name: str) -> list[Any]:
    """The seeds of a structured result in a row."""
    if isinstance(template, list) and isinstance(seed, tuple | list):
        if len(seed) != len(template):
            raise refuse(
                "ZYG502",
                f"`{name}` returns {len(template)} results, the seed has {len(seed)}",
                None,
            )
        return [leaf for s, t in zip(seed, template, strict=True) for leaf in leaves_of(s, t, name)]
    if isinstance(template, list):
        raise refuse(
            "ZYG502", f"`{name}` returns {len(template)} results; give a tuple of seeds", None
        )
    return [_leaf(seed, template, name) if isinstance(template, Like) else seed]


def from_leaves(leaves: Iterator[Any], template: Any) -> Any:
    """What `leaves_of` takes apart."""
    if isinstance(template, list):
        return tuple(from_leaves(leaves, t) for t in template)
    return next(leaves)


def _leaf(seed: Any, like: Like, name: str) -> Any:
    """A seed for one number or array, in its precision."""
    if seed is None:
        return np.zeros(like.shape) if like.shape else 0.0
    if np.shape(seed) != like.shape:
        raise refuse(
            "ZYG502",
            f"the seed has shape {np.shape(seed)}, the result of `{name}` has shape {like.shape}",
            None,
            "a seed is the cotangent of the result: give one of its shape",
        )
    if np.iscomplexobj(seed) and like.dtype.kind != "c":
        raise refuse(
            "ZYG502",
            f"the seed is complex, the result of `{name}` is real",
            None,
            "take its real part",
        )
    if like.dtype in SHORT:  # a seed of 1.0 would make the gradient longer
        return np.asarray(seed, like.dtype) if like.shape else like.dtype.type(seed)
    return np.asarray(seed) if isinstance(seed, list) else seed


def pattern_of(t: Any) -> Any:
    return tuple(pattern_of(i) for i in t.items) if isinstance(t, Tuple) else True
