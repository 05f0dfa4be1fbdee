"""NumPy's functions that call functions, inside differentiated code: `apply_along_axis`,
`apply_over_axes`, `piecewise`, `vectorize`, `fromfunction`.

The function they are given is lowered where they call it, so what it captures is differentiated as
well.
"""

from __future__ import annotations

import ast
import operator
from typing import Any

import numpy as np

from . import rows, runtime
from .diagnostics import refuse
from .engine import library
from .frontend.calls import Calls
from .frontend.link import INTRINSICS, Intrinsic
from .frontend.scope import BoundMethod, LocalFunction
from .ir.core import Atom, Value, type_of
from .ir.types import Array, Closure, Const, List, Scalar, Tuple, Unknown, rank
from .rules.sizes import dtype_of
from .transformed import Transformed

EACH = {1: rows.each_of_one, 2: rows.each_of_two, 3: rows.each_of_three}


def _bound(
    args: tuple[Atom, ...], kwargs: dict[str, Atom], names: tuple[str, ...]
) -> tuple[dict[str, Atom], tuple[Atom, ...], dict[str, Atom]]:
    """The named arguments, and what is handed on to the function."""
    given = dict(zip(names, args, strict=False))
    given |= {k: v for k, v in kwargs.items() if k in names}
    rest = {k: v for k, v in kwargs.items() if k not in names}
    return given, args[len(names) :], rest


def _whole(lowering: Calls, atom: Atom, what: str, node: ast.AST) -> int:
    t = type_of(atom)
    known = t.value if isinstance(t, Const) else atom
    if isinstance(known, Value) or not isinstance(known, int):
        raise refuse("ZYG201", f"{what} must be known before the run", lowering.span(node))
    return known


def _unsupported(lowering: Calls, what: str, help: str, node: ast.AST) -> Exception:
    return refuse("ZYG302", f"{what} has no gradient rule", lowering.span(node), help)


def _rank(lowering: Calls, atom: Atom, what: str, node: ast.AST) -> int:
    n = rank(type_of(atom))
    if n is None:
        raise refuse(
            "ZYG201", f"the rank of {what} must be known before the run", lowering.span(node)
        )
    return n


def _along_axis(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    given, more, rest = _bound(args, kwargs, ("func1d", "axis", "arr"))
    arr = lowering.as_array(given["arr"], node)
    n = _rank(lowering, arr, "the array of `np.apply_along_axis`", node)
    axis = _whole(lowering, given["axis"], "the axis of `np.apply_along_axis`", node) % n
    shape = lowering.op(np.shape, (arr,), {}, node)
    sizes = [lowering.subscript(shape, i, node) for i in range(n)]
    moved = lowering.call(np.moveaxis, (arr, axis, -1), {}, node)
    flat = lowering.call(np.reshape, (moved, (-1, sizes[axis])), {}, node)
    made = lowering.call(library(rows.each_row), (given["func1d"], flat, *more), rest, node)
    k = _rank(lowering, made, "what the function of `np.apply_along_axis` returns", node) - 1
    inner = lowering.op(np.shape, (made,), {}, node)
    lead = [s for i, s in enumerate(sizes) if i != axis]
    tail = [lowering.subscript(inner, i + 1, node) for i in range(k)]
    whole = lowering.call(np.reshape, (made, (*lead, *tail)), {}, node)
    if not k:
        return whole
    source, target = tuple(range(n - 1, n - 1 + k)), tuple(range(axis, axis + k))
    return lowering.call(np.moveaxis, (whole, source, target), {}, node)


def _over_axes(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    given, _, _ = _bound(args, kwargs, ("func", "a", "axes"))
    value, axes = lowering.as_array(given["a"], node), given["axes"]
    several = isinstance(type_of(axes), List | Tuple)
    for atom in lowering.spread(axes, node) if several else [axes]:
        n = _rank(lowering, value, "the array of `np.apply_over_axes`", node)
        axis = _whole(lowering, atom, "the axes of `np.apply_over_axes`", node) % n
        made = lowering.call(given["func"], (value, axis), {}, node)
        if _rank(lowering, made, "what the function returns", node) != n:
            made = lowering.call(np.expand_dims, (made, axis), {}, node)
        value = made
    return value


def _is_function(atom: Atom) -> bool:
    if isinstance(atom, LocalFunction | BoundMethod) or not isinstance(atom, Value):
        return callable(atom) or isinstance(atom, LocalFunction | BoundMethod)
    return isinstance(atom.type, Closure) or not isinstance(atom.type, Array | Scalar)


def _piecewise(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    given, more, rest = _bound(args, kwargs, ("x", "condlist", "funclist"))
    x = lowering.as_array(given["x"], node)
    conditions = lowering.frozen(given["condlist"], node)
    t = type_of(x)
    if not isinstance(t, Array) or t.dtype is None or t.dtype.kind not in "fc" or t.shape == ():
        raise _unsupported(
            lowering, "`np.piecewise` of anything but an array of floats", "write np.where", node
        )
    if not isinstance(type_of(conditions), List | Tuple):
        raise _unsupported(
            lowering, "`np.piecewise` with one condition that is no list", "put it in a list", node
        )
    masks = [lowering.as_array(m, node) for m in lowering.spread(conditions, node)]
    functions = lowering.spread(given["funclist"], node)
    if any(isinstance(type_of(f), Unknown) for f in functions):
        raise _unsupported(
            lowering, "`np.piecewise` of what only the run knows", "write np.where", node
        )
    reached: Atom = None  # by a later condition, which wins
    exclusive: list[Atom] = []
    for mask in reversed(masks):
        own = mask
        if reached is not None:
            other = lowering.op(operator.invert, (reached,), {}, node)
            own = lowering.op(operator.and_, (mask, other), {}, node)
            reached = lowering.op(operator.or_, (reached, mask), {}, node)
        else:
            reached = mask
        exclusive.insert(0, own)
    if len(functions) == len(masks) + 1:
        exclusive.append(lowering.op(operator.invert, (reached,), {}, node))
    total: Atom = None
    for mask, f in zip(exclusive, functions, strict=True):
        value = f
        if _is_function(f):
            value = lowering.call(f, (lowering.subscript(x, mask, node), *more), rest, node)
        part: Atom = lowering.op(
            runtime.placed, (mask, lowering.as_array(value, node), x), {}, node
        )
        total = part if total is None else lowering.binary(operator.add, total, part, node)
    return total


def _vectorize(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    names = ("pyfunc", "otypes", "doc", "excluded", "cache", "signature")
    given, _, _ = _bound(args, kwargs, names)
    for name in ("otypes", "excluded", "signature"):
        if given.get(name) is not None:
            raise _unsupported(lowering, f"`np.vectorize` with {name}=", "leave it out", node)
    return Transformed(rows.vectorized, given["pyfunc"], {})


def _vectorized(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    f, *arrays = args
    arrays = [lowering.as_array(a, node) for a in arrays]
    if kwargs or not 0 < len(arrays) <= len(EACH):
        raise _unsupported(
            lowering, "such a call of what `np.vectorize` made", "give up to three arrays", node
        )
    if any(isinstance(type_of(a), Unknown) for a in arrays) and not isinstance(f, LocalFunction):
        return lowering.dynamic(rows.vectorized, (f, *arrays), {}, node)
    if all(rank(type_of(a)) == 0 for a in arrays):
        return lowering.call(f, tuple(arrays), {}, node)
    if len(arrays) > 1:
        made = lowering.call(np.broadcast_arrays, tuple(arrays), {}, node)
        arrays = [lowering.subscript(made, i, node) for i in range(len(arrays))]
    flat = [lowering.call(np.ravel, (a,), {}, node) for a in arrays]
    found = lowering.call(library(EACH[len(flat)]), (f, *flat), {}, node)
    if _rank(lowering, found, "what the function of `np.vectorize` returns", node) != 1:
        raise _unsupported(
            lowering, "`np.vectorize` of a function of several results", "return one number", node
        )
    shape = lowering.op(np.shape, (arrays[0],), {}, node)
    return lowering.call(np.reshape, (found, shape), {}, node)


def _like_first(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    whole, first = args
    dtype = dtype_of(type_of(whole))
    if dtype is not None and dtype == dtype_of(type_of(first)):
        return whole
    return lowering.op(runtime.like_first, (whole, first), {}, node)


def instance(vectorize: Any) -> Any:
    """The lowering of a call of an instance of `np.vectorize`."""

    def call(
        lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        if vectorize.otypes or vectorize.excluded or vectorize.signature is not None:
            raise _unsupported(
                lowering,
                "`np.vectorize` with otypes=, excluded= or signature=",
                "leave it out",
                node,
            )
        f = lowering.constant(vectorize.pyfunc, None)
        return _vectorized(lowering, (f, *args), kwargs, node)

    return call


def _from_function(
    lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
) -> Atom:
    given, _, rest = _bound(args, kwargs, ("function", "shape"))
    dtype = rest.pop("dtype", float)
    sizes = lowering.spread(given["shape"], node)
    places = lowering.op(np.indices, (tuple(sizes),), {"dtype": dtype}, node)
    places.type = Array(np.dtype(dtype) if not isinstance(dtype, Value) else None, None)
    grids: list[Atom] = []
    for i in range(len(sizes)):
        grid = lowering.subscript(places, i, node)
        grids.append(lowering.call(np.reshape, (grid, tuple(sizes)), {}, node))
    return lowering.call(given["function"], tuple(grids), rest, node)


def _known(fn: Any, lowered: Any) -> Intrinsic:
    """A lowering for arrays whose types are known; of others, the run's."""

    def call(
        lowering: Calls, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        if any(isinstance(type_of(a), Unknown) for a in (*args, *kwargs.values())):
            return lowering.dynamic(fn, args, kwargs, node)
        found: Atom = lowered(lowering, args, kwargs, node)
        return found

    return call


INTRINSICS[np.apply_along_axis] = _known(np.apply_along_axis, _along_axis)
INTRINSICS[np.apply_over_axes] = _known(np.apply_over_axes, _over_axes)
INTRINSICS[np.piecewise] = _known(np.piecewise, _piecewise)
INTRINSICS[np.vectorize] = _vectorize
INTRINSICS[rows.vectorized] = _vectorized
INTRINSICS[rows.like_first] = _like_first
INTRINSICS[np.fromfunction] = _from_function
INTRINSICS[np.vectorize.__call__] = instance
