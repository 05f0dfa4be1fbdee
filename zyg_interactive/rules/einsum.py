"""`np.einsum` in every form: the cotangent of an operand is the sum of products of the result's and
the other operands, by the same letters.
"""

from __future__ import annotations

from collections import Counter
from string import ascii_letters
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Refused
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, List, Size, Type, broadcast, fresh
from .registry import call, conj, rank_of, result, rule, shape_of_atom, unsupported
from .sizes import dtype_of, shape_at, static


def _spelled(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The string of subscripts and the operands; lists of subscripts after each operand are spelled
    with letters.
    """
    if isinstance(static(args[0]), str):
        return args[0], args[1:]
    operands, lists = args[0 : len(args) - 1 : 2], [static(s) for s in args[1::2]]
    out = static(args[-1]) if len(args) % 2 else None
    if not all(isinstance(s, list | tuple) for s in (*lists, out or [])):
        raise unsupported(
            "`np.einsum` without constant subscripts", "write np.einsum('ij,jk->ik', a, b)"
        )

    def word(subscripts: Any) -> str:
        return "".join("..." if i is Ellipsis else ascii_letters[i] for i in subscripts)

    spelled = ",".join(map(word, lists))
    return (spelled if out is None else f"{spelled}->{word(out)}"), operands


def _terms(subscripts: Any, operands: tuple[Any, ...]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, `...` and an implicit result written out."""
    subscripts = static(subscripts)
    if not isinstance(subscripts, str):
        raise TypeError("subscripts that are no string")
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow:
        counts = Counter(c for c in left if c.isalpha())
        out = "..." * ("..." in left) + "".join(sorted(c for c in counts if counts[c] == 1))
    if "..." in left:
        free = [c for c in reversed(ascii_letters) if c not in subscripts]
        ranks = [
            rank_of(x) - len(t.replace("...", "")) if "..." in t else 0
            for t, x in zip(terms, operands, strict=True)
        ]
        names = "".join(free[: max(ranks)])
        terms = [
            t.replace("...", names[len(names) - n :]) for t, n in zip(terms, ranks, strict=True)
        ]
        out = out.replace("...", names)
    return terms, out


@rule(np.einsum, broadcasts=True)
def einsum(
    g: Any,
    y: Any,
    *args: Any,
    optimize: Any = False,
    order: Any = "K",
    casting: Any = "safe",
) -> Any:
    subscripts, operands = _spelled(args)
    terms, out = _terms(subscripts, operands)
    given: dict[str, Any] = {"optimize": optimize} if optimize in (True, "greedy") else {}
    bars = [_einsum_bar(g, i, operands, terms, out, given) for i in range(len(operands))]
    if subscripts is args[0]:
        return None, *bars
    found: list[Any] = [None] * len(args)
    found[0 : 2 * len(bars) : 2] = bars
    return tuple(found)


def _einsum_bar(
    g: Any, i: int, operands: tuple[Any, ...], terms: list[str], out: str, given: dict[str, Any]
) -> Any:
    x, term = operands[i], terms[i]
    inputs, factors = [out], [g]
    for j, other in enumerate(operands):
        if j != i:
            inputs.append(terms[j])
            factors.append(conj(other))
    # A letter that occurs twice reads a diagonal: a unit matrix puts the cotangent there.
    unused = [c for c in ascii_letters if c not in "".join(terms) + out]
    target, seen = "", set[str]()
    for k, c in enumerate(term):
        if c in seen:
            twin = unused.pop()
            inputs.append(c + twin)
            factors.append(call(np.eye, np.shape(x)[k], dtype=dtype_of(type_of(g))))
            c = twin
        seen.add(c)
        target += c
    # A letter that occurs nowhere else was summed alone: the cotangent is the same along it.
    alone = [k for k, c in enumerate(target) if not any(c in s for s in inputs)]
    kept = "".join(c for k, c in enumerate(target) if k not in alone)
    bar = np.einsum(f"{','.join(inputs)}->{kept}", *factors, **given)
    if alone:
        bar = np.broadcast_to(np.expand_dims(bar, tuple(alone)), np.shape(x))
    if any(_broadcast_by(c, i, operands, terms) for c in term):
        bar = bar + call(runtime.zeros_like, x)
    return bar


def _broadcast_by(c: str, i: int, operands: tuple[Any, ...], terms: list[str]) -> bool:
    """Whether another operand has size one along an axis, and this one more."""
    sizes = [
        (j == i, n)
        for j, (t, x) in enumerate(zip(terms, operands, strict=True))
        for k, n in zip(t, shape_at(x) or (), strict=False)
        if k == c
    ]
    return any(n == 1 for mine, n in sizes if not mine) and any(n != 1 for mine, n in sizes if mine)


# ---- types of results


@result(np.einsum)
def _einsum(*args: Any, optimize: Any = False, **rest: Any) -> Type:
    if set(rest) - {"order", "casting"} or isinstance(static(args[0]), Value) and len(args) < 2:
        return UNKNOWN
    try:
        subscripts, operands = _spelled(args)
    except Refused:
        return UNKNOWN
    dtype = dtype_of(List(UNKNOWN, tuple(map(type_of, operands))))
    if any(shape_of_atom(x) is None for x in operands):
        return Array(None, None)
    terms, out = _terms(subscripts, operands)
    sizes: dict[str, list[Size]] = {}
    for term, x in zip(terms, operands, strict=True):
        for c, n in zip(term, shape_at(x) or (), strict=True):
            sizes.setdefault(c, []).append(n)
    return Array(dtype, tuple(_letter_size(sizes[c]) for c in out))


def _letter_size(sizes: list[Size]) -> Size:
    joined = broadcast(*((n,) for n in sizes))
    return fresh() if joined is None else joined[0]
