"""Python's own functions of sequences and of several numbers: sum, max, min, list, tuple,
`math.prod` and kin.
"""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Undecided, Value, type_of
from ..ir.types import (
    FLOAT,
    INT,
    UNBOUND_TYPE,
    UNKNOWN,
    Array,
    List,
    Scalar,
    Tuple,
    Type,
    join,
    join_all,
    rank,
)
from . import elementwise
from .indexing import fitted
from .reductions import others, real_like
from .registry import RESULTS, call, infer, result, rule
from .sizes import is_array, member_type, members, rebuilt

# ---- sums


@rule(builtins.sum, order="iterable start?")
def sum_(g: Any, y: Any, iterable: Any, start: Any) -> Any:
    return _spread(g, iterable), None if start is None else fitted(g, start)


@rule(math.fsum)
def fsum(g: Any, y: Any, seq: Any) -> Any:
    return (_spread(g, seq),)


def _spread(g: Any, xs: Any) -> Any:
    """The cotangent of a sum for each of its terms, in their structure."""
    items = members(xs)
    if items is not None:
        return rebuilt(xs, [fitted(g, x) for x in items])
    if is_array(xs):
        return np.broadcast_to(g, np.shape(xs))
    if isinstance(type_of(xs), List):
        return call(runtime.spread, g, xs)
    raise Undecided(xs, "the type")


@rule(runtime.spread)
def spread(g: Any, y: Any, c: Any, xs: Any) -> Any:
    return call(runtime.gathered, g, c), None


@rule(runtime.gathered)
def gathered(g: Any, y: Any, cs: Any, like: Any) -> Any:
    return call(runtime.spread, g, cs), None


# ---- extremes


@rule(builtins.max, builtins.min)
def extreme(g: Any, y: Any, *xs: Any) -> Any:
    if len(xs) > 1:
        return tuple(_shares(g, y, list(xs)))
    items = members(xs[0])
    if items is not None:
        return (rebuilt(xs[0], _shares(g, y, items)),)
    return (_through_array(xs[0], lambda a: _best(g, y, a)),)


def _shares(g: Any, y: Any, xs: list[Any]) -> list[Any]:
    """What each number gets of `g`: all of it where it alone equals `y`, a part among several."""
    best = [np.equal(x, y) for x in xs]
    count: Any = best[0] * 1
    for b in best[1:]:
        count = count + b * 1
    share = np.divide(g, count)
    return [np.where(b, share, 0.0) for b in best]


def _best(g: Any, y: Any, a: Any) -> Any:
    best = np.equal(a, y)
    return np.where(best, np.divide(g, np.sum(best, **real_like(best, g))), 0.0)


def _through_array(xs: Any, pullback: Any) -> Any:
    """The cotangent of a sequence of numbers of unknown length, computed on the array of them."""
    if is_array(xs):
        return pullback(xs)
    if rank(member_type(xs)) != 0:
        raise Undecided(xs, "the type")
    return call(runtime.restructure, pullback(call(np.array, xs)), xs)


# ---- products and distances


@rule(math.prod, order="iterable start?")
def prod(g: Any, y: Any, iterable: Any, start: Any) -> Any:
    first = 1.0 if start is None else start
    items = members(iterable)
    if items is None:
        bar = _through_array(iterable, lambda a: g * first * others(a, 0))
        last = None if start is None else g * np.prod(call(np.array, iterable))
        return bar, last
    before = [first]
    for x in items:
        before.append(before[-1] * x)
    after: Any = 1.0
    bars: list[Any] = []
    for x, b in zip(reversed(items), reversed(before[:-1]), strict=True):
        bars.append(g * b * after)
        after = after * x
    return rebuilt(iterable, bars[::-1]), None if start is None else g * after


@rule(math.hypot)
def hypot(g: Any, y: Any, *coordinates: Any) -> Any:
    c = np.divide(g, np.where(np.equal(y, 0), 1.0, y))
    return tuple(c * x for x in coordinates)


@rule(math.dist)
def dist(g: Any, y: Any, p: Any, q: Any) -> Any:
    c = np.divide(g, np.where(np.equal(y, 0), 1.0, y))
    xs, ys = members(p), members(q)
    if xs is None or ys is None:
        a, b = (v if is_array(v) else call(np.array, v) for v in (p, q))
        return _through_array(p, lambda _: c * (a - b)), _through_array(q, lambda _: c * (b - a))
    bars = [c * (a - b) for a, b in zip(xs, ys, strict=True)]
    return rebuilt(p, bars), rebuilt(q, [-b for b in bars])


# ---- numbers


rule(builtins.pow, broadcasts=True, order="base exp mod")(
    lambda g, y, base, exp: elementwise.power(g, y, base, exp)
)


@rule(builtins.divmod, broadcasts=True)
def divmod_(g: Any, y: Any, a: Any, b: Any) -> Any:
    r = g[1]
    return (None, None) if r is None else (r, -r * y[0])


# ---- conversions of sequences


@rule(builtins.list, builtins.tuple, order="iterable?")
def converted(g: Any, y: Any, iterable: Any) -> Any:
    if iterable is None:
        return (None,)
    items = members(iterable)
    if items is not None:
        return (rebuilt(iterable, [g[i] for i in range(len(items))]),)
    if is_array(iterable):
        return (call(runtime.assemble, g, y),)
    if isinstance(type_of(iterable), List):
        return (g if isinstance(type_of(g), List) else call(builtins.list, g),)
    raise Undecided(iterable, "the type")


# ---- types of results


def _terms(xs: Any) -> Type:
    """The type that the members of a sequence have in common."""
    t = type_of(xs)
    if isinstance(t, Tuple):
        return join_all(t.items)
    if isinstance(t, List) and t.items is not None:
        return join_all(t.items)
    return member_type(xs)


@result(builtins.sum)
def _sum(iterable: Any, start: Any = 0) -> Type:
    items = members_of_type(iterable)
    if items is None:
        once = infer(operator.add, (start, Value(None, _terms(iterable))), {})
        # One addition more changes neither kind nor shape, unless the list may be empty.
        again = infer(operator.add, (Value(None, once), Value(None, _terms(iterable))), {})
        return once if once == again and is_array(iterable) else join(once, type_of(start))
    made = type_of(start)
    for t in items:
        made = infer(operator.add, (Value(None, made), Value(None, t)), {})
    return made


def members_of_type(xs: Any) -> tuple[Type, ...] | None:
    t = type_of(xs)
    return t.items if isinstance(t, Tuple | List) else None


@result(builtins.max, builtins.min)
def _extreme(*xs: Any, **rest: Any) -> Type:
    types = [type_of(x) for x in xs] if len(xs) > 1 else [_terms(xs[0])]
    joined = join_all(tuple(types))
    kinds = {t.kind for t in types if isinstance(t, Scalar)}
    mixed = len(kinds) > 1 or any(type(t) is not type(types[0]) for t in types)
    return UNKNOWN if rest else Array(None, ()) if mixed and rank(joined) == 0 else joined


@result(math.prod)
def _prod(iterable: Any, start: Any = 1) -> Type:
    items = members_of_type(iterable)
    types = items if items is not None else (_terms(iterable),)
    plain = all(isinstance(t, Scalar) for t in (*types, type_of(start)))
    if items is None or not plain:
        floats = plain and all(t == FLOAT for t in (*types, type_of(start)))
        return FLOAT if floats else Array(None, ()) if all(rank(t) == 0 for t in types) else UNKNOWN
    return join_all((INT, type_of(start), *types))


@result(builtins.pow)
def _pow(base: Any, exp: Any, mod: Any = None) -> Type:
    known: Type = RESULTS[operator.pow](base, exp)
    return known if mod is None else UNKNOWN


@result(builtins.divmod)
def _divmod(a: Any, b: Any) -> Type:
    return Tuple((infer(operator.floordiv, (a, b), {}), infer(operator.mod, (a, b), {})))


@result(builtins.list)
def _list(iterable: Any = ()) -> Type:
    t = type_of(iterable)
    if isinstance(t, Tuple) or (isinstance(t, List) and t.items is not None):
        items = t.items or ()
        return List(join_all(items) if items else UNBOUND_TYPE, items)
    return List(member_type(iterable))


@result(builtins.tuple)
def _tuple(iterable: Any = ()) -> Type:
    items = members_of_type(iterable)
    return UNKNOWN if items is None else Tuple(items)


@result(runtime.spread)
def _spread_type(c: Any, xs: Any) -> Type:
    t = type_of(xs)
    if not isinstance(t, List):
        return UNKNOWN
    items = None if t.items is None else tuple(_spread_item(c, i) for i in t.items)
    return List(_spread_item(c, t.item), items)


def _spread_item(c: Any, t: Type) -> Type:
    if t in (FLOAT, INT) and type_of(c) == FLOAT:
        return FLOAT
    return infer(runtime.match, (c, Value(None, t)), {})


@result(runtime.gathered)
def _gathered(cs: Any, like: Any) -> Type:
    from .indexing import zero_type

    return zero_type(type_of(like))
