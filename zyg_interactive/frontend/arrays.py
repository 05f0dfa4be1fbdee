"""Arrays that are changed in place: where their buffers are made, views of them, stores into them.

As long as nothing stores into an array it is a value. A buffer that is stored into is in memory
(`ir.types.in_memory`): arrays that may share it are references, whichever way they came to do so.
"""

from __future__ import annotations

import ast
import collections
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import CALL_VALUE, UNPACK, Atom, MemoryNeeded, Value, type_of
from ..ir.types import (
    UNKNOWN,
    Array,
    List,
    Ref,
    Site,
    Tuple,
    Type,
    Unknown,
    arrays,
    escape,
    fresh,
    placed,
    shape_of,
)
from ..rules.aliasing import aliases
from ..rules.registry import lookup
from .fence import refused
from .sets import Sets

IN_PLACE: dict[type[ast.operator], Any] = {
    ast.Add: operator.iadd,
    ast.Sub: operator.isub,
    ast.Mult: operator.imul,
    ast.Div: operator.itruediv,
    ast.FloorDiv: operator.ifloordiv,
    ast.Mod: operator.imod,
    ast.Pow: operator.ipow,
    ast.MatMult: operator.imatmul,
    ast.BitAnd: operator.iand,
    ast.BitOr: operator.ior,
    ast.BitXor: operator.ixor,
    ast.LShift: operator.ilshift,
    ast.RShift: operator.irshift,
}
# What gives an object that was there before, without a type of its own making.
POINTERS = {
    operator.getitem,
    getattr,
    UNPACK,
    CALL_VALUE,
    runtime.bound,
    runtime.captured,
    runtime.named_as,
    runtime.frozen,
    runtime.frozen_deep,
    runtime.values_of,
    runtime.read_cell,
    runtime.read_global,
    *(list.pop, dict.pop, set.pop, collections.deque.pop, collections.deque.popleft),
}


class Arrays(Sets):
    """Adds arrays in memory to operations."""

    def op(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        static: dict[str, Any],
        node: ast.AST,
        name: str | None = None,
    ) -> Value:
        made = super().op(fn, args, static, node, name)
        if self.heap is not None:
            if fn is CALL_VALUE and not self.heap.arrays:  # what is called may change arrays
                self.heap.arrays = self.heap.changed = True
            if any(t.site is None and t.shape != () for t in arrays(made.type)):
                made.type = placed(made.type, self._site_of_result(fn, args, static, node))
            if isinstance(made.type, Array) and made.type.shape is None:
                escape(made.type)  # it may be a number, which has no identity
                made.type = UNKNOWN
        return made

    def returned(self, result: Value, t: Type, node: ast.AST) -> None:
        result.type = t
        if self.heap is not None:
            result.type = placed(t, self.heap.site((self.span(node), "returned")))

    def _site_of_result(
        self, fn: Any, args: tuple[Atom, ...], static: dict[str, Any], node: ast.AST
    ) -> Site:
        """Where the arrays in the result of an operation were made."""
        heap = self.memory()
        held = [
            t.site
            for a in (*args, *static.values())
            for t in arrays(type_of(a))
            if t.site is not None
        ]
        if aliases(fn, args, static):
            for other in held[1:]:
                held[0].unite(other)
            return held[0] if held else heap.site("outside")
        if fn in POINTERS and not isinstance(type_of(args[0]), Array):
            return heap.site("outside")
        return heap.site((self.span(node), getattr(fn, "__name__", None)))

    # ---- stores

    def stored(self, base: Atom, node: ast.AST) -> Value:
        """An array whose elements are about to be changed."""
        t = type_of(base)
        assert isinstance(t, Array)
        if t.shape == () or not isinstance(base, Value):
            raise refused(
                self.source,
                node,
                "a store into an array without axes" if t.shape == () else "a store here",
                "use a number, or an array of one element",
                "ZYG103",
            )
        self.memory()
        if t.site is None:
            raise refused(
                self.source,
                node,
                "a store into an array of which it is not known where it was made",
                "copy it first: `x = x.copy()`",
                "ZYG103",
            )
        t.site.store()
        return base

    def store_item(self, base: Atom, index: Atom, value: Atom, node: ast.AST) -> None:
        if not isinstance(type_of(base), Array):
            super().store_item(base, index, value, node)
            return
        array = self.stored(base, node)
        value = self.as_array(value, node)
        super().op(operator.setitem, (array, self.as_index(index, node), value), {}, node)

    def as_index(self, index: Atom, node: ast.AST) -> Atom:
        """An index with what lists hold in the place of lists."""
        return self.frozen(self.materialise(index, node), node, deep=True)

    def as_array(self, value: Atom, node: ast.AST) -> Atom:
        """What is stored, as a number or an array."""
        value = self.frozen(self.materialise(value, node), node, deep=True)
        if isinstance(type_of(value), List | Tuple):
            value = self.op(np.array, (value,), {}, node)
        return value

    def added_at(
        self, op: ast.operator, base: Atom, index: Atom, value: Atom, node: ast.AST
    ) -> None:
        """`base[index] += value`, or `-=`, where the index selects each element at most once."""
        array = self.stored(base, node)
        fn = runtime.add_at if isinstance(op, ast.Add) else runtime.subtract_at
        args = (array, self.as_index(index, node), self.as_array(value, node))
        super().op(fn, args, {}, node)

    def changed_array(self, op: ast.operator, base: Atom, value: Atom, node: ast.AST) -> Atom:
        """`base op= value` of an array: the same array."""
        array = self.stored(base, node)
        value = self.as_array(value, node)
        super().op(IN_PLACE[type(op)], (array, value), {}, node)
        return array

    # ---- calls that change an array

    def memory_call(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        try:
            change = ARRAY_CHANGES.get(fn)
        except TypeError:
            change = None
        if change is not None and args:
            t = type_of(args[0])
            if isinstance(t, Array):
                return change(self, fn, tuple(args), dict(kwargs), node)
            if isinstance(t, Unknown) and self.heap is None and fn not in INFIX:
                raise MemoryNeeded
        if fn is np.ndarray.view and len(args) == 1 and not kwargs:
            return self.subscript(args[0], Ellipsis, node, name)
        if change is None and not kwargs and _is_shuffle(fn):
            *owner, x = args
            return self._shuffled(fn, owner, x, node)
        if not isinstance(fn, Value):
            out = self._out(fn, args, kwargs)
            if out is not None:
                return self._into(fn, args, kwargs, out, node, name)
        return super().memory_call(fn, args, kwargs, node, name)

    def _out(self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom]) -> Atom:
        """The array that a call is asked to put its result into."""
        out = kwargs.get("out")
        if isinstance(fn, np.ufunc) and len(args) > fn.nin:
            out = args[fn.nin]
        if isinstance(out, tuple) and len(out) == 1:
            out = out[0]
        return out if lookup(fn) is not None else None

    def _into(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        out: Atom,
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """`fn(*args, out=out)`: the same computation, then a copy."""
        t = type_of(out)
        if not isinstance(t, Array) or (isinstance(fn, np.ufunc) and fn.nout != 1):
            raise refused(
                self.source, node, "`out=` of this", "bind the result to a name", "ZYG103"
            )
        array = self.stored(out, node)
        if isinstance(fn, np.ufunc):
            args = args[: fn.nin]
        rest = {k: v for k, v in kwargs.items() if k not in ("out", "where")}
        where = kwargs.get("where", True)
        if where is not True:
            return self._where(fn, args, rest, where, array, node)
        made = self.call(fn, args, rest, node)
        kind = type_of(made)
        same = isinstance(kind, Array) and kind.dtype is not None and kind.dtype == t.dtype
        if not same and not isinstance(fn, np.ufunc):
            raise refused(
                self.source,
                node,
                "`out=` of another dtype than the result",
                "bind the result to a name, and copy it",
                "ZYG103",
            )
        super().op(np.copyto, (array, self.as_array(made, node)), {}, node)
        return array

    def _where(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        where: Atom,
        array: Value,
        node: ast.AST,
    ) -> Atom:
        """A ufunc of the elements that a mask selects, into them."""
        shape = self.op(np.shape, (array,), {}, node)
        mask = self.op(np.broadcast_to, (where, shape), {}, node)

        def chosen(a: Atom) -> Atom:
            whole = self.op(np.broadcast_to, (a, shape), {}, node)
            return self.op(operator.getitem, (whole, mask), {}, node)

        made = self.call(fn, tuple(map(chosen, args)), kwargs, node)
        super().op(operator.setitem, (array, mask, made), {}, node)
        return array

    def _filled(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        """`np.copyto`, `fill`: all elements, or those that a mask selects."""
        array, value = self.stored(args[0], node), self.as_array(args[1], node)
        rest = dict(zip(("casting", "where"), args[2:], strict=False)) | kwargs
        rest = {k: self.as_index(v, node) for k, v in rest.items() if v is not True}
        super().op(fn, (array, value), rest, node)
        return None

    def _masked(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        """`np.putmask`, `np.place`."""
        names = ("a", "mask", "values") if fn is np.putmask else ("arr", "mask", "vals")
        given = dict(zip(names, args, strict=False)) | kwargs
        array, value = self.stored(args[0], node), self.as_array(given[names[2]], node)
        shape = shape_of(type_of(value))
        if shape is None or (shape != () and (fn is np.place or shape != shape_of(array.type))):
            raise refused(
                self.source,
                node,
                f"`np.{fn.__name__}` with values that are repeated",
                "write `x[mask] = values`",
                "ZYG103",
            )
        super().op(np.copyto, (array, value), {"where": self.as_index(given["mask"], node)}, node)
        return None

    def _placed_at(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        """Stores at places that are found first: of the flat array, of a diagonal."""
        find, names = PLACES[fn]
        given = dict(zip(names, args, strict=False)) | kwargs
        if set(given) - set(names):
            raise refused(
                self.source,
                node,
                f"`{next(iter(set(given) - set(names)))}=` of `np.{fn.__name__}`",
                "leave it out",
                "ZYG103",
            )
        array = self.stored(args[0], node)
        others = (self.as_index(given[n], node) for n in names[1:] if n in given and n != "v")
        where = super().op(find, (array, *others), {}, node)
        self.store_item(array, where, given["v"], node)
        return None

    def _added_at(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        array, index = self.stored(args[0], node), self.as_index(args[1], node)
        super().op(fn, (array, index, self.as_array(args[2], node)), {}, node)
        return None

    def _sorted(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        array = self.stored(args[0], node)
        in_order = self.call(np.sort, args, kwargs, node)
        super().op(np.copyto, (array, in_order), {}, node)
        return None

    def _infix(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        array = self.stored(args[0], node)
        super().op(fn, (array, self.as_array(args[1], node)), {}, node)
        return array

    def _shuffled(self, fn: Any, owner: list[Atom], x: Atom, node: ast.AST) -> Atom:
        """A list or array in another order, which does not depend on what it holds."""
        t = type_of(x)
        if self.heap is None and isinstance(t, Array | List):
            self.memory()
        order = super().op(runtime.shuffle_order, (fn, x, *owner), {}, node)
        if isinstance(t, Ref) and isinstance(x, Value):
            self._reorder(x, order, node)
        elif isinstance(t, Array):
            order.type = Array(np.dtype(np.intp), (fresh(),))
            self.store_item(x, Ellipsis, self.subscript(x, order, node), node)
        else:
            return self._refuse_change(fn, (x,), {}, node)
        return None

    def subscript(self, base: Atom, index: Atom, node: ast.AST, name: str | None = None) -> Atom:
        raise NotImplementedError

    def _refuse_change(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        raise refused(
            self.source,
            node,
            f"changing an array with `{getattr(fn, '__name__', fn)}`",
            "build a new array",
            "ZYG103",
        )


SHUFFLES = {
    np.random.shuffle,
    np.random.Generator.shuffle,
    np.random.RandomState.shuffle,
}


def _is_shuffle(fn: Any) -> bool:
    try:
        return fn in SHUFFLES
    except TypeError:  # not hashable
        return False


ArrayChange = Callable[..., Atom]
INFIX = set(IN_PLACE.values())
# How the places are found that a function stores at, and its parameters: the value is `v`.
PLACES: dict[Any, tuple[Any, tuple[str, ...]]] = {
    np.put: (runtime.flat_index, ("a", "ind", "v")),
    np.ndarray.put: (runtime.flat_index, ("a", "indices", "v")),
    runtime.store_flat: (runtime.flat_index, ("x", "index", "v")),
    np.fill_diagonal: (runtime.diagonal_index, ("a", "v")),
    np.put_along_axis: (runtime.index_along, ("arr", "indices", "v", "axis")),
}
ARRAY_CHANGES: dict[Any, ArrayChange] = {
    **dict.fromkeys(INFIX, Arrays._infix),
    **dict.fromkeys(PLACES, Arrays._placed_at),
    **dict.fromkeys((np.copyto, np.ndarray.fill), Arrays._filled),
    **dict.fromkeys((np.putmask, np.place), Arrays._masked),
    **dict.fromkeys((np.add.at, np.subtract.at), Arrays._added_at),
    np.ndarray.sort: Arrays._sorted,
    **dict.fromkeys(
        (
            *(np.ndarray.resize, np.ndarray.partition, np.ndarray.setflags, np.ndarray.setfield),
            *(np.ndarray.byteswap, np.multiply.at, np.divide.at, np.maximum.at, np.minimum.at),
        ),
        Arrays._refuse_change,
    ),
}
