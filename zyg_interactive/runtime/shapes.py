"""Arrays joined, split, scattered and scanned, and the methods that no NumPy function equals."""

from __future__ import annotations

from typing import Any

import numpy as np

from .cotangents import cotangent_dtype, tuple_like
from .numbers import scalar


def split_like(c: Any, xs: Any, axis: int | None) -> list[Any]:
    """The pieces of `c` that belong to the members of `xs`, which were joined along `axis`."""
    pieces, start = [], 0
    flat = np.ravel(c) if axis is None else np.moveaxis(c, axis, 0)
    for x in xs:
        n = np.size(x) if axis is None else np.shape(x)[axis] if axis < np.ndim(x) else 1
        piece = flat[start : start + n]
        piece = piece if axis is None else np.moveaxis(piece, 0, axis)
        pieces.append(np.reshape(piece, np.shape(x)))
        start += n
    return pieces


def join_like(cs: Any, xs: Any, axis: int | None) -> Any:
    """The concatenation of the cotangents `cs` of the members of `xs`; None is zero."""
    parts = [_zero(x) if c is None else np.asarray(c) for c, x in zip(cs, xs, strict=True)]
    if axis is None:
        return np.concatenate([np.ravel(p) for p in parts])
    lifted = [np.reshape(p, p.shape + (1,) * (axis + 1 - p.ndim)) for p in parts]
    return np.concatenate(lifted, axis)


def restructure(c: Any, xs: Any) -> Any:
    """The cotangent `c` of `np.array(xs)` in the structure of the nested lists `xs`."""
    if isinstance(xs, list):
        return [restructure(c[i], x) for i, x in enumerate(xs)]
    if isinstance(xs, tuple):
        return tuple_like(xs, [restructure(c[i], x) for i, x in enumerate(xs)])
    return scalar(c) if isinstance(xs, int | float | complex) else c


def assemble(cs: Any, xs: Any) -> Any:
    """The array of the cotangents `cs` of the nested lists `xs`; None is zero."""
    if isinstance(xs, list | tuple):
        given = cs if cs is not None else [None] * len(xs)
        parts = [assemble(c, x) for c, x in zip(given, xs, strict=True)]
        return np.stack(parts) if parts else np.zeros(0)
    return _zero(xs) if cs is None else np.asarray(cs)


def _zero(x: Any) -> Any:
    return np.zeros(np.shape(x), cotangent_dtype(np.asarray(x).dtype))


def before(x: Any, axis: int) -> Any:
    """The product of the elements that come before each one along an axis."""
    y = np.ones_like(x)
    first = np.moveaxis(y, axis, 0)
    first[1:] = np.cumprod(np.moveaxis(x, axis, 0)[:-1], axis=0)
    return y


def horner(c: Any, x: Any, axis: int) -> Any:
    """`s` with `s[i] = c[i] + x[i + 1] * s[i + 1]` along an axis: Horner's scheme."""
    s = np.array(c, np.result_type(c, x))
    steps, factors = np.moveaxis(s, axis, 0), np.moveaxis(x, axis, 0)
    for i in range(len(steps) - 2, -1, -1):
        steps[i] += factors[i + 1] * steps[i + 1]
    return s


def diagonal_like(c: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros in the shape of `x` with `c` on a diagonal."""
    y = np.zeros(np.shape(x), np.result_type(c))
    view = np.moveaxis(y, (axis1, axis2), (-2, -1))
    n = np.shape(c)[-1]
    rows, columns = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    view[..., rows, columns] = c
    return y


def add_along_axis(c: Any, x: Any, indices: Any, axis: int) -> Any:
    """Zeros in the shape of `x`, `c` added where `np.take_along_axis(x, indices, axis)` reads."""
    y = np.zeros(np.shape(x), np.result_type(c))
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(indices))])
    where[axis] = indices
    np.add.at(y, tuple(where), c)
    return y


def placed(mask: Any, values: Any, x: Any) -> Any:
    """Zeros like `x`, with `values` where a mask is true."""
    y = np.zeros_like(x)
    y[mask] = values
    return y


# ---- methods of arrays that no NumPy function equals in every argument


def astype(
    x: Any,
    dtype: Any,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Any:
    return x.astype(dtype, order, casting, subok, copy)


def copy(x: Any, order: Any = "C") -> Any:
    return x.copy(order)


def flatten(x: Any, order: Any = "C") -> Any:
    return x.flatten(order)


def item(x: Any, *index: Any) -> Any:
    return x.item(*index)


def tolist(x: Any) -> Any:
    return x.tolist()


def like_first(whole: Any, first: Any) -> Any:
    return whole.astype(np.asarray(first).dtype, copy=False)


def into_like_first(c: Any, y: Any) -> Any:
    """The cotangent of what became `y`: nothing comes through whole numbers."""
    return c if y.dtype.kind in "fc" else 0.0 * c


def compressed(x: Any, condition: Any, axis: Any = None) -> Any:
    return x.compress(condition, axis)


def nbytes(x: Any) -> int:
    return int(x.nbytes)
