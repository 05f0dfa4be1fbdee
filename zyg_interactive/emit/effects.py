"""What an op does besides its result: whether it may be moved, left out, or written in place."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.effects import touches_memory
from ..ir.core import UNPACK, Atom, Function, Op, Value
from ..ir.types import Array, Scalar
from ..rules.registry import lookup

SILENT = {len, range, np.shape}  # left out where nothing reads them: they cannot raise here
PURE_HELPERS = {f for f in vars(runtime).values() if isinstance(f, types.FunctionType)} - {
    runtime.observe,
    runtime.custom_forward,
    runtime.custom_reverse,
    runtime.check_array,
    runtime.check_scalar,
    runtime.check_same,
    runtime.seed_for,
    runtime.dynamic_forward,
    runtime.dynamic_reverse,
    runtime.late_forward,
    runtime.late_reverse,
    runtime.late_again,
    runtime.attribute_named,
    runtime.check_held,
    runtime.check_length,
    runtime.check_unpacked,
    runtime.check_immutable,
    runtime.check_plain,
    runtime.bound,
    runtime.throw,
    runtime.has_own,
    runtime.new_container,
    runtime.shuffle_order,
    runtime.move_to_end,
    runtime.follow_copies,
    runtime.copied,
    runtime.set_of,
    runtime.combined,
    *(runtime.changed_set, runtime.follow_items, runtime.check_size, runtime.check_items),
    runtime.check_sequence,
    runtime.check_least,
    runtime.check_unchanged,
    runtime.interrupted,
    runtime.enter,
    runtime.items_outside,
    runtime.list_outside,
    runtime.next_outside,
    runtime.leave,
    runtime.unbound_name,
    runtime.accumulate,
    runtime.add_at,
    runtime.add_to_array,
    runtime.give_at,
    runtime.subtract_at,
    runtime.store_flat,
    runtime.drained_items,
    runtime.whole_of,
}
IMPURE = {print, input}


def is_pure(op: Op) -> bool:
    """Whether an op may be computed later than it stands: nothing else sees when it happens."""
    fn = op.fn
    if touches_memory(op):
        return False
    if fn in PURE_HELPERS or fn in (getattr, UNPACK):
        return True
    if isinstance(fn, Function | types.MethodDescriptorType) or fn in IMPURE:
        return False
    rule = lookup(fn)
    return rule is not None and rule.custom is None and not _is_random(fn)


def _is_random(fn: Any) -> bool:
    return "random" in (getattr(fn, "__module__", None) or "") or isinstance(
        getattr(fn, "__self__", None), np.random.RandomState | np.random.Generator
    )


def is_basic(index: Atom) -> bool:
    """Whether an index is known to select each element at most once."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(_is_basic_part(p) for p in parts)


def _is_basic_part(p: Atom) -> bool:
    if isinstance(p, Value):
        return isinstance(p.type, Scalar) or (
            isinstance(p.type, Array)
            and p.type.dtype is not None
            and ((p.type.dtype.kind in "iu" and p.type.shape == ()) or p.type.dtype.kind == "b")
        )
    if isinstance(p, slice):
        return True
    return p is None or p is Ellipsis or isinstance(p, int | np.integer)


def may_add(c: Atom) -> bool:
    """Whether `buffer += c` cannot fail for c being complex or None."""
    t = getattr(c, "type", None)
    if isinstance(t, Scalar):
        return t.kind != "complex"
    return (isinstance(t, Array) and t.dtype is not None and t.dtype.kind != "c") or isinstance(
        c, float | int
    )
