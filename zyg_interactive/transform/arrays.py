"""The reverse of what reads and changes arrays in memory.

The cotangent of a buffer is an array of its layout, which a run of the pullback owns; that of a
view is the same view of it. Reading adds to it, a store takes what is there and leaves zero (the
adjoint of an assignment: A. Griewank and A. Walther, Evaluating Derivatives, 2008, section 4.1).
The ops written here are those of a program that changes arrays, so a derivative can be
differentiated.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import runtime
from ..analysis.effects import INFIX, is_view
from ..diagnostics import refuse
from ..ir.core import IF, Atom, Op, Region, Value, append, building, emit, type_of, values
from ..ir.types import BOOL, Array, Scalar, Unknown, in_memory, value_of
from ..rules.aliasing import VIEWS, is_view_index
from ..rules.elementwise import narrow
from ..rules.registry import lookup
from .adjoint import Scope
from .cotangents import bar_type, made

if TYPE_CHECKING:
    from .pullback import Pullback

Reverse = Callable[["Pullback", Op, Scope, Region], None]
# A view, or a copy of its argument: which, only the run knows.
MAY_COPY: set[Any] = {
    *(np.reshape, np.ravel, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray),
    *(np.require, np.array, np.nan_to_num, np.einsum, np.imag, np.real_if_close, runtime.astype),
    *(runtime.add, runtime.match, runtime.unbroadcast, runtime.as_dtype, runtime.finished),
    runtime.real_where,
}


def reverse_of_array(op: Op) -> Reverse | None:
    """How an op on an array in memory is reversed; None for what a rule tells."""
    try:
        if op.fn is runtime.bar_of:
            return _nothing
        if op.fn in OF_ARRAYS and in_memory(type_of(op.args[0])):
            return OF_ARRAYS[op.fn]
    except TypeError:  # not hashable
        return None
    return _view if is_view(op) else None


# ---- cotangents of buffers


def shadow(p: Pullback, scope: Scope, x: Value) -> Value:
    """The cotangent of an array in memory, to be read and changed."""
    home = scope
    while x not in home.own and home.parent is not None:
        home = home.parent
    if x not in home.shadows:
        with building(home.region, x.span, p.infer, narrow):
            home.shadows[x] = _shadow(p, home, x)
    return home.shadows[x]


def _shadow(p: Pullback, home: Scope, x: Value) -> Value:
    t, op = x.type, x.op
    assert isinstance(t, Array) and t.site is not None
    if t.dtype is not None and t.dtype.kind not in "fc":
        raise refuse(
            "ZYG202",
            f"an array of {t.dtype} that is changed has no derivative",
            x.span,
            "make it an array of floats",
        )
    base = op.args[0] if op is not None and op.args else None
    if (
        op is not None
        and isinstance(base, Value)
        and in_memory(base.type)
        and (op.fn in VIEWS or (op.fn is operator.getitem and is_view_index(op.args[1]) is True))
        and op.fn is not runtime.bound
    ):
        bar = emit(op.fn, (shadow(p, home, base), *op.args[1:]), op.static)
    else:
        bar = emit(runtime.bar_of, (p.memory, x), name=f"{x.name}_bar" if x.name else None)
    kind = bar_type(value_of(t))
    assert isinstance(kind, Array)
    bar.type = Array(kind.dtype, t.shape, t.site.find().bar())
    return bar


def contribute(p: Pullback, scope: Scope, x: Value, c: Atom) -> None:
    """Add to the cotangent of an array in memory."""
    op = x.op
    if op is not None and op.fn is np.broadcast_to:  # shows an element several times
        p.contribute(scope, op.args[0], c, broadcasts=True)
        return
    how: Any = runtime.add_to_array if isinstance(type_of(c), Unknown) else operator.iadd
    emit(how, (shadow(p, scope, x), made(c)))  # what is not known may be None


def taken(p: Pullback, scope: Scope, y: Value) -> Atom:
    """The cotangent of an array that an op has made, all that came in since then."""
    return p.copied(shadow(p, scope, y))


def _nothing(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    """Cotangents begin with zero."""


# ---- views


def _view(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    """A view has no cotangent of its own; what turns out to be a copy has."""
    sure = op.fn is operator.getitem and is_view_index(op.args[1]) is True
    unsure = op.fn in MAY_COPY or (op.fn is operator.getitem and not sure)
    if not unsure or not any(r in p.active for r in op.results):
        return
    source = next(v for a in op.args for v in values(a) if in_memory(v.type))
    same = Value(None, BOOL, op.span)
    check = Op(runtime.shares, (op.result, source), {}, (same,), (), op.span)
    primal.ops.insert(primal.ops.index(op) + 1, check)
    sub = Scope(Region(), p.infer, scope)
    sub.primal = primal
    with building(sub.region, op.span, p.infer, narrow):
        g = taken(p, sub, op.result)
        if op.fn is operator.getitem:
            emit(runtime.add_at, (shadow(p, sub, source), op.args[1], g))
        else:
            p.through_rule(op, sub, g)
    append(Op(IF, (same,), {}, (), (Region(), sub.region), op.span))


def _getitem(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, index = op.args
    if is_view(op) and is_view_index(index) is not False:
        _view(p, op, scope, primal)
        return
    y = op.result
    if y not in p.active:
        return
    g = taken(p, scope, y) if in_memory(y.type) else p.total_of(scope, y)
    if g is not None and isinstance(y.type, Unknown):
        g = emit(runtime.whole_of, (p.memory, y, made(g)))
    if g is not None and base in p.active:
        emit(runtime.add_at, (shadow(p, scope, base), p.now(index, op, scope), made(g)))


# ---- stores


def _element(p: Pullback, scope: Scope, base: Value, index: Atom) -> Atom:
    """The cotangent at an index, by itself."""
    bar = shadow(p, scope, base)
    kind = is_view_index(index)
    if kind is not True:
        found = emit(runtime.take_at, (bar, index))
        found.type = p.infer(operator.getitem, (Value(None, base.type), index), {})
        return found
    found = emit(operator.getitem, (bar, index))
    t = found.type
    if isinstance(t, Scalar) or (isinstance(t, Array) and t.shape == ()):
        return found
    if isinstance(t, Array):
        found.type = Array(t.dtype, t.shape, bar.type.site if isinstance(bar.type, Array) else None)
    return p.copied(found)


def _setitem(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, index, value = op.args
    if base not in p.active:
        return
    index = p.now(index, op, scope)
    needed = any(v in p.active for v in values(value))
    g = _element(p, scope, base, index) if needed else None
    emit(operator.setitem, (shadow(p, scope, base), index, 0.0))
    _give(p, scope, value, g)


def _give(p: Pullback, scope: Scope, value: Atom, g: Atom) -> None:
    """Let a value have the cotangent of where it was stored."""
    if g is None or not any(v in p.active for v in values(value)):
        return
    if not isinstance(type_of(value), Scalar | Array):
        g = emit(runtime.match, (g, value))
    p.contribute(scope, value, g, broadcasts=True)


def _added(sign: int) -> Reverse:
    def reverse(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
        base, index, value = op.args
        if base in p.active and any(v in p.active for v in values(value)):
            index = p.now(index, op, scope)
            if op.fn in (np.add.at, np.subtract.at) and is_view_index(index) is not True:
                g: Atom = emit(operator.getitem, (shadow(p, scope, base), index))
            else:
                g = _element(p, scope, base, index)
            _give(p, scope, value, g if sign > 0 else emit(operator.neg, (g,)))

    return reverse


def _infix(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    base, value = op.args
    if base not in p.active:
        return
    bar = shadow(p, scope, base)
    if op.fn in (operator.iadd, operator.isub):
        if any(v in p.active for v in values(value)):
            g = p.copied(bar)
            _give(p, scope, value, g if op.fn is operator.iadd else emit(operator.neg, (g,)))
        return
    rule = lookup(INFIX[op.fn])
    if rule is None or rule.pullback is None:
        emit(operator.setitem, (bar, Ellipsis, 0.0))
        return
    g = p.copied(bar)
    old, other = p.now(base, op, scope), p.now(value, op, scope)
    c_old, c_value = rule.pullback(g, p.after(base, op, scope), old, other)
    emit(operator.setitem, (bar, Ellipsis, c_old))
    _give(p, scope, value, c_value)


def _filled(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    """`np.copyto(base, value)`, also of what a mask selects; `base.fill(value)`."""
    base, value = op.args
    if base not in p.active:
        return
    bar = shadow(p, scope, base)
    mask = p.now(op.static.get("where", True), op, scope)
    g: Atom = None
    if any(v in p.active for v in values(value)):
        g = p.copied(bar)  # what is behind a mask may be read later, too
        g = g if mask is True else emit(np.where, (mask, g, 0.0))
    if mask is True:
        emit(operator.setitem, (bar, Ellipsis, 0.0))
    else:
        emit(np.copyto, (bar, 0.0), {"where": mask})
    _give(p, scope, value, g)


def _added_cotangent(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    bar, c = op.args
    _give(p, scope, c, p.copied(shadow(p, scope, bar)))


def _taken_at(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    bar, index = op.args
    g = p.total_of(scope, op.result)
    if g is not None and bar in p.active:
        emit(runtime.give_at, (shadow(p, scope, bar), index, made(g)))


def _given_at(p: Pullback, op: Op, scope: Scope, primal: Region) -> None:
    bar, index, c = op.args
    if bar in p.active and any(v in p.active for v in values(c)):
        got = emit(runtime.take_at, (shadow(p, scope, bar), index))
        got.type = bar_type(type_of(c))
        p.contribute(scope, c, got)


OF_ARRAYS: dict[Any, Reverse] = {
    operator.getitem: _getitem,
    operator.setitem: _setitem,
    runtime.add_at: _added(1),
    runtime.subtract_at: _added(-1),
    np.add.at: _added(1),
    np.subtract.at: _added(-1),
    **dict.fromkeys(INFIX, _infix),
    np.copyto: _filled,
    np.ndarray.fill: _filled,
    runtime.add_to_array: _added_cotangent,
    runtime.take_at: _taken_at,
    runtime.give_at: _given_at,
}
