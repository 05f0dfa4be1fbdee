"""What a derivative is of: one number, or a result that takes a seed, which may be a tuple."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .diagnostics import refuse
from .ir.core import Atom, Function, Value, type_of
from .ir.types import Array, Ref, Scalar, Tuple, has_derivative, shape_of

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


def seeds_of(seed: Any, template: Any, known: Any, name: str) -> list[Any]:
    """The seeds in a row as a pullback takes them: one for each part of the result that was `known`
    before the run, which may be a tuple by then.
    """
    leaves = iter(leaves_of(seed, template, name))

    def parts(template: Any, known: Any) -> Iterator[Any]:
        if isinstance(template, list) and isinstance(known, tuple):
            for t, k in zip(template, known, strict=True):
                yield from parts(t, k)
        else:
            yield rebuilt(leaves, template)

    return list(parts(template, known))


def rebuilt(parts: Iterator[Any], template: Any) -> Any:
    """What was taken apart: `template` has a list or tuple where there were several parts."""
    if isinstance(template, list | tuple) and not isinstance(template, Like):
        return tuple(rebuilt(parts, t) for t in template)
    return next(parts)


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


# ---- what a gradient is of


def first_of(f: Function) -> tuple[Atom, Any]:
    """What is differentiated of a result that brings more along, and which parts are seeded."""
    out = f.region.outs[0]
    t = type_of(out)
    if not isinstance(t, Tuple) or not t.items:
        return out, True
    first = out[0] if isinstance(out, tuple) else Value(None, t.items[0])
    return first, (True, *[None] * (len(t.items) - 1))


def require_scalar(f: Function, out: Atom) -> None:
    """Refuse a result that is known not to be a real scalar."""
    t = type_of(out)
    where = f.span
    if isinstance(t, Scalar | Array):
        shape = shape_of(t)
        if shape:
            raise refuse(
                "ZYG501",
                f"the result of `{f.name}` is an array ({t!r}); "
                "a gradient is of one number",
                where,
                "reduce it (`np.sum`), or ask for the `jacobian`, or for `pullback` and give a "
                "seed",
            )
        if (isinstance(t, Scalar) and t.kind == "complex") or (
            isinstance(t, Array) and t.dtype is not None and t.dtype.kind == "c"
        ):
            raise refuse(
                "ZYG501",
                f"the result of `{f.name}` is complex; a gradient is of one real number",
                where,
                "take `np.real`, `np.imag` or `np.abs` of it",
            )
        return
    if (
        isinstance(t, Tuple | Ref)
        or out is None
        or (not isinstance(out, int | float) and not has_derivative(t))
    ):
        what = "None" if out is None else f"{t!r}"
        raise refuse(
            "ZYG501",
            f"the result of `{f.name}` is {what}; a gradient is of one number",
            where,
            "return the number to differentiate",
        )


def unsure(out: Atom) -> bool:
    t = type_of(out)
    if isinstance(t, Scalar):
        return False
    return not (isinstance(t, Array) and t.shape == () and t.dtype is not None)
