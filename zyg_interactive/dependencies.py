"""Which elements of a result depend on which elements of an argument, found by following them
through the reverse part of a pullback.

That part is linear in its seeds, and its control flow is that of the run. So each element of a seed
is followed as a set of elements of the result, through sums, products, moves and scatters; what is
not known here mixes everything it is given, or is refused.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import runtime
from .diagnostics import Refused, refuse
from .ir.core import FOR, IF, UNPACK, WHILE, Function, Marker, Op, Region, Value, map_atom
from .ir.text import fn_name

ELEMENTWISE = {
    *(np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.conjugate),
}
# Functions that only move elements: what moves their numbers moves the sets.
MOVES = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.expand_dims),
    *(np.squeeze, np.broadcast_to, np.take, np.take_along_axis, np.flip, np.fliplr, np.flipud),
    *(np.roll, np.rot90, np.repeat, np.tile, np.split, np.array_split, np.diag, np.diagonal),
    *(np.tril, np.triu, np.copy, np.real, np.atleast_1d, np.atleast_2d, np.diagflat),
}
JOINS = {np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack}


class Unsure(Exception):
    """Something that cannot be followed."""


class Followed(NDArrayOperatorsMixin):
    """An array of sets in the place of numbers; the last axis of `bits` holds a set each."""

    dtype = np.dtype(float)

    def __init__(self, bits: Any):
        self.bits = bits
        self.shape: tuple[int, ...] = bits.shape[:-1]
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Unsure("an array of numbers")

    def __bool__(self) -> bool:
        raise Unsure("a condition")

    def __float__(self) -> float:
        raise Unsure("a number")

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def __getitem__(self, index: Any) -> Any:
        return self._moved(lambda numbers: numbers[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise Unsure("a change")

    def reshape(self, *shape: Any) -> Any:
        return self._moved(lambda numbers: numbers.reshape(*shape))

    def copy(self, order: Any = "C") -> Any:
        return self

    def _moved(self, how: Callable[[Any], Any]) -> Any:
        """Where `how` moves the elements."""
        return _looked_up(how(_numbers(self.shape, 0)), [self])

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        if options.get("out") is None and "where" not in options:
            if ufunc is np.matmul and method == "__call__":
                return _product(*args)
            if ufunc in ELEMENTWISE and method == "__call__":
                return _united(args)
            if ufunc is np.add and method == "reduce" and len(args) == 1:
                return _sum(*args, **{"axis": 0, **options})
        raise Unsure(f"np.{ufunc.__name__}")

    def __array_function__(self, fn: Any, types: Any, args: Any, options: Any) -> Any:
        if fn in (np.shape, np.ndim, np.size):
            return getattr(self, fn.__name__)
        if fn in (np.iscomplexobj, np.isrealobj):
            return fn is np.isrealobj
        if fn is np.result_type:
            return self.dtype
        if fn is np.zeros_like:
            return _empty(self.shape, self)
        if fn in (np.sum, np.mean):
            known = {k: v for k, v in options.items() if k in ("axis", "keepdims")}
            if len(known) == len(options):
                return _sum(*args, **known)
        if fn is np.cumsum:
            return _running(*args, **options)
        if fn is np.where and len(args) == 3 and not isinstance(args[0], Followed):
            return _united(args)
        if fn is np.dot and max(map(np.ndim, args)) <= 2 and min(map(np.ndim, args)) > 0:
            return _product(*args)
        if fn is np.outer:
            return _united((np.ravel(args[0])[:, None], np.ravel(args[1])[None, :]))
        if fn in MOVES:
            rest = dict(options)
            if isinstance(args[0], Followed) and not any(isinstance(a, Followed) for a in args[1:]):
                return args[0]._moved(lambda numbers: fn(numbers, *args[1:], **rest))
        if fn in JOINS and isinstance(args[0], list | tuple):
            held = [x for x in args[0] if isinstance(x, Followed)]
            starts = iter(np.cumsum([0, *(x.size for x in held)]))
            moved = [
                _numbers(x.shape, int(next(starts)))
                if isinstance(x, Followed)
                else np.zeros(np.shape(x), int)
                for x in args[0]
            ]
            return _looked_up(fn(moved, *args[1:], **options), held)
        return _mixed(fn, args, options)


def _numbers(shape: tuple[int, ...], start: int) -> Any:
    """The numbers of elements, from 1: 0 is what depends on nothing."""
    count = int(np.prod(shape))
    return np.reshape(np.arange(start + 1, start + count + 1), shape)


def _looked_up(numbers: Any, held: list[Followed]) -> Any:
    """The sets that have these numbers."""
    if isinstance(numbers, list | tuple):
        return type(numbers)([_looked_up(n, held) for n in numbers])
    width = held[0].bits.shape[-1]
    rows = [np.zeros((1, width), np.uint8), *(x.bits.reshape(x.size, width) for x in held)]
    return Followed(np.concatenate(rows)[numbers])


def _empty(shape: tuple[int, ...], like: Followed) -> Followed:
    return Followed(np.zeros((*shape, like.bits.shape[-1]), np.uint8))


def _united(args: tuple[Any, ...]) -> Followed:
    """What each element of an elementwise result depends on."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    held = [a for a in args if isinstance(a, Followed)]
    bits = np.zeros((*shape, held[0].bits.shape[-1]), np.uint8)
    for a in held:
        lead = (1,) * (len(shape) - a.ndim)
        bits |= a.bits.reshape(*lead, *a.bits.shape)
    return Followed(bits)


def _sum(x: Any, axis: Any = None, keepdims: bool = False) -> Followed:
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    found = tuple(a % x.ndim for a in axes)
    return Followed(_any(x.bits, found, keepdims))


def _any(bits: Any, axis: Any, keepdims: Any = False) -> Any:
    return np.bitwise_or.reduce(bits, axis=axis, keepdims=keepdims)


def _running(x: Any, axis: Any = None) -> Followed:
    bits = x.reshape(x.size).bits if axis is None else x.bits
    return Followed(np.bitwise_or.accumulate(bits, axis=0 if axis is None else axis % x.ndim))


def _product(a: Any, b: Any) -> Any:
    """A matrix product. An entry of the matrix that is zero connects nothing."""
    a_followed = isinstance(a, Followed)
    if (a_followed and isinstance(b, Followed)) or max(np.ndim(a), np.ndim(b)) > 2:
        return _mixed(np.matmul, (a, b), {})
    x, matrix = (a, b) if a_followed else (b, a)
    sets = np.unpackbits(x.bits, axis=-1).astype(np.float32)
    of_x = x.ndim - 1 if a_followed else 0
    of_matrix = 0 if a_followed else np.ndim(matrix) - 1
    connects = (np.asarray(matrix) != 0).astype(np.float32)
    if a_followed:  # (…, k, set), (k, …)
        found = np.moveaxis(np.tensordot(sets, connects, (of_x, of_matrix)), x.ndim - 1, -1)
    else:
        found = np.tensordot(connects, sets, (of_matrix, of_x))
    return Followed(np.packbits(found > 0, axis=-1))


def _mixed(fn: Any, args: Any, options: Any) -> Any:
    """Each element of the result depends on all that the function is given. Its shape is that of
    the result for zeros.
    """
    held: list[Followed] = []

    def plain(a: Any) -> Any:
        if isinstance(a, Followed):
            held.append(a)
            return np.zeros(a.shape)
        return type(a)(map(plain, a)) if type(a) in (list, tuple) else a

    made = fn(*map(plain, args), **{k: plain(v) for k, v in options.items()})
    if not isinstance(made, np.ndarray | np.generic) or made.dtype.kind != "f":
        raise Unsure(fn_name(fn))
    every = np.zeros(held[0].bits.shape[-1], np.uint8)
    for x in held:
        every |= _any(x.bits.reshape(x.size, len(every)), 0)
    return Followed(np.broadcast_to(every, (*np.shape(made), len(every))))


# ---- the helpers of generated code


def _has_followed(x: Any) -> bool:
    if isinstance(x, dict):
        return any(map(_has_followed, x.values()))
    return isinstance(x, Followed) or (isinstance(x, tuple | list) and any(map(_has_followed, x)))


def _zeros_like(x: Any) -> Any:
    if isinstance(x, Followed):
        return _empty(x.shape, x)
    if isinstance(x, tuple):
        return runtime.tuple_like(x, [_zeros_like(e) for e in x])
    return [_zeros_like(e) for e in x] if isinstance(x, list) else runtime.zeros_like(x)


def _add_at(buffer: Any, index: Any, c: Any) -> Any:
    if not isinstance(buffer, np.ndarray | Followed):
        return runtime.add_at(buffer, index, c)
    if not isinstance(c, Followed):
        return buffer
    held = buffer if isinstance(buffer, Followed) else _empty(buffer.shape, c)
    return _scattered(held, _numbers(held.shape, -1)[index], c)


def _scattered(held: Followed, to: Any, c: Followed) -> Followed:
    """The sets of `c` united with those at the places `to`."""
    bits, width = held.bits.copy(), held.bits.shape[-1]
    given = np.broadcast_to(_united((c, np.zeros(np.shape(to)))).bits, (*np.shape(to), width))
    flat = bits.reshape(held.size, width)
    np.bitwise_or.at(flat, np.ravel(to), given.reshape(np.size(to), width))
    return Followed(bits)


def _add_along_axis(c: Any, x: Any, indices: Any, axis: int) -> Any:
    held = _empty(np.shape(x), c)
    return _scattered(held, np.take_along_axis(_numbers(held.shape, -1), indices, axis), c)


def _join_like(cs: Any, xs: Any, axis: int | None) -> Any:
    parts = [np.zeros(np.shape(x)) if c is None else c for c, x in zip(cs, xs, strict=True)]
    if axis is None:
        return np.concatenate([np.ravel(p) for p in parts])
    shapes = [np.shape(p) + (1,) * (axis + 1 - np.ndim(p)) for p in parts]
    return np.concatenate([np.reshape(*x) for x in zip(parts, shapes, strict=True)], axis)


def _accumulate(buffer: Any, c: Any) -> Any:
    if isinstance(buffer, np.ndarray) and not isinstance(c, Followed):
        return buffer + c
    return runtime.add(buffer, c)


def _same(x: Any, *_: Any) -> Any:
    return x


def _evened(c: Any, y: Any, axis: int) -> Any:
    """Which elements are equal, and share, is not asked: it may be all."""
    return _mixed(runtime.evened, (c, y, axis), {})


HELPERS: dict[Any, Callable[..., Any]] = {
    runtime.evened: _evened,
    runtime.zeros_like: _zeros_like,
    runtime.add_at: _add_at,
    runtime.accumulate: _accumulate,
    runtime.add_along_axis: _add_along_axis,
    runtime.join_like: _join_like,
    **dict.fromkeys(
        (runtime.scalar, runtime.real_scalar, runtime.as_dtype, runtime.own, builtins.float), _same
    ),
}
# What works on sets as it works on numbers: it calls NumPy, which calls the above.
KNOWN: set[Any] = {
    *(runtime.add, runtime.unbroadcast, runtime.match, runtime.split_like, runtime.restructure),
    runtime.real_where,
    *(runtime.copy, builtins.list, builtins.tuple, builtins.reversed, builtins.len),
    *(operator.getitem, operator.add, operator.sub, operator.mul, operator.truediv),
    *(operator.neg, operator.pos, operator.matmul),
}


class _Run:
    """Runs IR with sets in the place of some of its values."""

    def __init__(self) -> None:
        self.at: dict[Value, Any] = {}

    def call(self, f: Function, args: list[Any]) -> list[Any]:
        outer, self.at = self.at, {}
        try:
            return self.region(f.region, args)
        finally:
            self.at = outer

    def region(self, region: Region, args: list[Any]) -> list[Any]:
        self.bind(region.params, args)
        for op in region.ops:
            self.at.update(zip(op.results, self.op(op), strict=True))
        return [self.atom(o) for o in region.outs]

    def bind(self, to: Any, x: Any) -> None:
        """Items of a loop may be taken apart."""
        if isinstance(to, Value):
            self.at[to] = x
            return
        for part, item in zip(to, x, strict=True):
            self.bind(part, item)

    def atom(self, a: Any) -> Any:
        return map_atom(lambda v: self.at[v] if isinstance(v, Value) else v, a)

    def op(self, op: Op) -> list[Any]:
        fn, args = op.fn, [self.atom(a) for a in op.args]
        if fn is IF:
            return self.region(op.regions[0 if args[0] else 1], [])
        if fn in (FOR, WHILE):
            return self.loop(op, args)
        if fn is UNPACK:
            return list(args[0])
        if isinstance(fn, Function):
            return self.call(fn, args)
        if isinstance(fn, Marker):
            raise Unsure(fn_name(fn))
        static = {k: self.atom(v) for k, v in op.static.items() if not k.startswith("$")}
        found = self.plain(fn, args, static)
        return list(found) if len(op.results) > 1 else [found] * len(op.results)

    def plain(self, fn: Any, args: list[Any], static: dict[str, Any]) -> Any:
        if not _has_followed(args) and not _has_followed(static):
            if fn is runtime.accumulate or fn is runtime.add_at:
                args = [runtime.own(args[0]), *args[1:]]
            return fn(*args, **static)
        if fn in HELPERS:
            return HELPERS[fn](*args, **static)
        of_numpy = isinstance(fn, np.ufunc) or (getattr(fn, "__module__", "") or "").startswith(
            "numpy"
        )
        if fn not in KNOWN and not of_numpy:
            raise Unsure(fn_name(fn))
        return fn(*args, **static)

    def loop(self, op: Op, args: list[Any]) -> list[Any]:
        body, static = op.regions[-1], op.static
        n = static["sequences"] if op.fn is FOR else 0
        stop, count = int(static["stop"]), static["carried"]
        carried = args[n:]
        lists: list[list[Any]] = [[] for _ in op.results[count:]]
        sequences = [list(s) for s in args[:n]]
        backwards = static["backwards"] if op.fn is FOR else ()
        rounds = [s[::-1] if b else s for s, b in zip(sequences, backwards, strict=True)]
        step = 0
        while step < min(map(len, rounds)) if op.fn is FOR else self.holds(op, carried):
            outs = self.region(body, [*(r[step] for r in rounds), *carried])
            carried = outs[stop : stop + count]
            for held, out in zip(lists, outs[stop + count :], strict=True):
                held.append(out)
            step += 1
            if stop and outs[0]:
                break
        return [*carried, *lists]

    def holds(self, op: Op, carried: list[Any]) -> bool:
        self.bind(op.regions[1].params, carried)
        return bool(self.region(op.regions[0], [])[0])


def pattern_of_pullback(reverse: Function, saved: Any, y: Any, name: str) -> list[Any]:
    """For each cotangent that the reverse part gives, a boolean matrix: which elements of the
    result (rows) an element of the argument (columns) has influence on; None where on none.
    """
    m = int(np.size(y))
    identity = np.packbits(np.eye(m, dtype=bool), axis=-1)
    seed = Followed(identity.reshape(*np.shape(y), identity.shape[-1]))
    try:
        (found,) = _Run().call(reverse, [saved, seed])
        return [_matrix(x, m) for x in found]
    except Refused:
        raise
    except (Exception, runtime.Unhandled) as error:
        raise refuse(
            "ZYG505",
            f"what the result of `{name}` depends on cannot be followed: {error}",
            None,
            "give the pattern: `sparsity=` takes a boolean array or a sparse matrix of SciPy",
        ) from error


def _matrix(x: Any, m: int) -> Any:
    if not isinstance(x, Followed):
        if x is None or isinstance(x, int | float | np.ndarray | np.generic):
            return None
        raise Unsure(type(x).__name__)
    return np.unpackbits(x.bits.reshape(x.size, x.bits.shape[-1]), axis=-1, count=m).astype(bool).T
