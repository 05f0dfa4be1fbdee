"""Zeros behind masks, which stay zero whatever they are multiplied with.

`np.where(x > 0, np.sqrt(x), 0.0)` gives the root no cotangent at 0, where its derivative is
infinite; and 0 times infinity is not 0. So where a cotangent is `np.where(mask, g, 0.0)`, a
function of each element by itself is differentiated with `g`, and the mask is put on what comes
out: the same number, but for what the mask takes away.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Refused
from ..ir.core import Atom, Value, emit
from ..rules.elementwise import UFUNC_OF

WHERE = (np.where, runtime.select)


def is_pointwise(fn: Any) -> bool:
    """Whether each element of a result depends on the same element of each argument alone."""
    try:
        ufunc = UFUNC_OF.get(fn, fn)
    except TypeError:  # not hashable
        return False
    return isinstance(ufunc, np.ufunc) and ufunc.signature is None


def may_be_real(fn: Any) -> bool:
    """Whether a result may be real though an argument is complex."""
    if fn is operator.getitem:
        return False
    return UFUNC_OF.get(fn, fn) is np.absolute if is_pointwise(fn) else True


def unmasked(g: Atom) -> tuple[Atom, list[Atom]]:
    """A cotangent without the masks that were put on it, and these: `(mask, whether it keeps)`."""
    masks: list[Atom] = []
    while isinstance(g, Value) and g.op is not None and g.op.fn in WHERE and len(g.op.args) == 3:
        mask, yes, no = g.op.args
        if not (_is_nothing(no) or _is_nothing(yes)):
            break
        inner = yes if _is_nothing(no) else no
        if not isinstance(inner, Value):
            break
        masks.append((mask, _is_nothing(no)))
        g = inner
    return g, masks


def _is_nothing(c: Atom) -> bool:
    return isinstance(c, float) and c == 0.0


def both_masked(a: Atom, b: Atom) -> Atom:
    """The sum of two cotangents behind the same masks, behind them; None of others."""
    (x, masks), (y, others) = unmasked(a), unmasked(b)
    if not masks or len(masks) != len(others):
        return None
    if any(p[0] is not q[0] or p[1] != q[1] for p, q in zip(masks, others, strict=True)):
        return None
    return masked(emit(operator.add, (x, y)), masks)


def masked(c: Atom, masks: list[Any]) -> Atom:
    """A cotangent with masks put on it."""
    if c is None or isinstance(c, Refused) or (isinstance(c, int | float) and c == 0):
        return c
    for mask, keeps in reversed(masks):
        c = emit(np.where, (mask, c, 0.0) if keeps else (mask, 0.0, c))
    return c
