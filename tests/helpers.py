"""`check(f, *args)`: everything that must hold of the gradient of a function."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import linecache
import math
import re
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zyg_interactive import api, derivative, gradient, pullback, withgradient
from zyg_interactive.analysis.types import attributes
from zyg_interactive.engine import Specialisation, engine
from zyg_interactive.ir.core import Function, Region, Value, values
from zyg_interactive.ir.verify import InvalidIR, verify
from zyg_interactive.seeds import pattern_of
from zyg_interactive.transform.residuals import needed

STEP = 6e-6  # about the cube root of the precision of a double: the best for central differences
_files = itertools.count()


def define(source: str, name: str = "f", scope: dict[str, Any] | None = None) -> Any:
    """The function `name` of a source text, whose lines Python and the engine can show."""
    file = f"<program-{next(_files)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space = {"np": np, "math": math, **(scope or {})}
    exec(compile(source, file, "exec", dont_inherit=True), space)
    return space[name]


# ---- leaves: the numbers in an argument, and arguments with other numbers in their places


def is_number(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "iuf"
    return isinstance(x, int | float) and not isinstance(x, bool)


def parts(x: Any) -> list[Any] | None:
    """What a container or an object holds, in order; None where it is no such thing."""
    if isinstance(x, tuple | list):
        return list(x)
    if isinstance(x, dict):
        return list(x.values())
    if is_number(x) or isinstance(x, np.ndarray | np.generic | str | bytes | bool | type(None)):
        return None
    if isinstance(x, types.FunctionType | type | types.ModuleType):
        return None
    found = attributes(x)
    return None if found is None else list(found.values())


def rebuilt(x: Any, leaf: Callable[[Any], Any]) -> Any:
    """A copy of a structure with `leaf` of each of its numbers."""
    if is_number(x):
        return leaf(x)
    if isinstance(x, tuple):
        items = [rebuilt(e, leaf) for e in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [rebuilt(e, leaf) for e in x]
    if isinstance(x, dict):
        return {k: rebuilt(v, leaf) for k, v in x.items()}
    if parts(x) is None:
        return x
    fields = {k: rebuilt(v, leaf) for k, v in (attributes(x) or {}).items()}
    if isinstance(x, types.SimpleNamespace):
        return types.SimpleNamespace(**fields)
    if dataclasses.is_dataclass(x):
        return dataclasses.replace(x, **fields)
    made = object.__new__(type(x))
    made.__dict__.update(fields)
    return made


def leaves(x: Any) -> Iterator[Any]:
    if is_number(x):
        yield x
    for part in parts(x) or ():
        yield from leaves(part)


def copied(x: Any) -> Any:
    return rebuilt(x, lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf)


def floats(x: Any) -> np.ndarray[Any, Any]:
    """All the numbers of a structure in a row."""
    found = [np.ravel(np.asarray(leaf, float)) for leaf in leaves(x)]
    return np.concatenate(found) if found else np.zeros(0)


def moved(x: Any, row: np.ndarray[Any, Any]) -> Any:
    """`x` with the numbers in `row` in the place of its own; integers become floats."""
    place = 0

    def leaf(old: Any) -> Any:
        nonlocal place
        n = np.size(old)
        new = row[place : place + n]
        place += n
        if isinstance(old, np.ndarray):
            return new.reshape(old.shape).copy()
        return np.float64(new[0]) if isinstance(old, np.generic) else float(new[0])

    return rebuilt(x, leaf)


def bars_in_a_row(x: Any, g: Any) -> np.ndarray[Any, Any]:
    """The cotangent `g` of `x` as the numbers of `x` stand, None as zeros."""
    if g is None:
        return np.zeros(sum(np.size(leaf) for leaf in leaves(x)))
    if is_number(x):
        return np.ravel(np.asarray(g, float))
    if parts(x) is None:
        return np.zeros(0)
    rows = [
        bars_in_a_row(part, bar) for part, bar in zip(parts(x) or (), bar_parts(x, g), strict=True)
    ]
    return np.concatenate(rows) if rows else np.zeros(0)


def bar_parts(x: Any, g: Any) -> list[Any]:
    if isinstance(x, tuple | list):
        assert type(g) is type(x) and len(g) == len(x), f"{g!r} does not mirror {x!r}"
        return list(g)
    if isinstance(x, dict):
        assert isinstance(g, dict) and set(g) <= set(x), f"{g!r} does not mirror {x!r}"
        return [g.get(k) for k in x]
    return [getattr(g, k, None) for k in attributes(x) or {}]


# ---- differences


def differences(
    f: Callable[..., Any], args: tuple[Any, ...], step: float = STEP
) -> np.ndarray[Any, Any]:
    """The gradient of a scalar function by central differences, as the numbers of `args` stand."""
    base = floats(args)
    found = np.zeros(len(base))
    for i in range(len(base)):
        h = step * max(1.0, abs(base[i]))
        ends = []
        for sign in (1, -1):
            row = base.copy()
            row[i] += sign * h
            ends.append(float(f(*moved(args, row))))
        found[i] = (ends[0] - ends[1]) / (2 * h)
    return found


# ---- what must hold


def same(a: Any, b: Any) -> bool:
    """Identical in type and in every bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray | np.generic):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    if isinstance(a, float):
        return repr(a) == repr(b)
    if parts(a) is not None:
        x, y = parts(a) or [], parts(b) or []
        return len(x) == len(y) and all(map(same, x, y))
    return bool(a == b)


def arrays(x: Any) -> Iterator[np.ndarray[Any, Any]]:
    if isinstance(x, np.ndarray):
        yield x
    for part in parts(x) or ():
        yield from arrays(part)


def mirrors(x: Any, g: Any) -> None:
    """A gradient has the structure, shapes and dtypes of its argument; integers' are floats."""
    if g is None:
        return
    if isinstance(x, np.ndarray):
        want = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
        assert isinstance(g, np.ndarray), f"the gradient of an array is a {type(g).__name__}"
        assert (g.shape, g.dtype) == (x.shape, want), f"{g.dtype}{g.shape} for {x.dtype}{x.shape}"
    elif isinstance(x, np.generic):
        want = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
        assert np.shape(g) == () and np.asarray(g).dtype == want, f"{g!r} for {x!r}"
    elif is_number(x):
        assert type(g) is float, f"the gradient of a {type(x).__name__} is a {type(g).__name__}"
    elif parts(x) is not None:
        for part, bar in zip(parts(x) or (), bar_parts(x, g), strict=True):
            mirrors(part, bar)


def seed_like(y: Any) -> Any:
    return 1.0 if not isinstance(y, np.ndarray) or y.ndim == 0 else np.ones(y.shape)


def scalar_of(y: Any) -> Any:
    """The number whose gradient a seed of ones gives."""
    return float(sum(np.sum(leaf) for leaf in leaves(y)))


def names(programs: str) -> list[str]:
    """The functions of one number in a source text."""
    return re.findall(r"^def (\w+)\(x\)", programs, re.M)


def check_second(f: Callable[[float], float], x: float) -> None:
    """Check the second derivative against differences of the first."""
    slope, h = derivative(f), 1e-5
    differences = (slope(x + h) - slope(x - h)) / (2 * h)
    np.testing.assert_allclose(derivative(slope)(x), differences, rtol=1e-5, atol=1e-6)


def check(
    f: Callable[..., Any],
    *args: Any,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    differentiable: bool = True,
) -> Any:
    """Check the pullback of `f` at `args`; returns the gradients.

    `f` returns a number, or an array, which is seeded with ones. It may change its arguments: they
    must be left as the plain call leaves them. `differentiable=False` leaves the comparison with
    differences out.
    """
    before, after = args, copy.deepcopy(args)
    plain = f(*after)
    args = copy.deepcopy(before)
    y, back = pullback(f, *args)
    assert same(y, plain), f"the value changed: {y!r} instead of {plain!r}"
    seed = seed_like(y)
    first = back(seed)
    kept = copied(first)
    again = back(seed)
    assert same_bars(kept, again), f"called again, the pullback gives {again!r} instead of {kept!r}"
    assert same(args, after), f"the arguments are left as {args!r} instead of {after!r}"
    args = before
    assert len(first) == len(args)
    for x, g in zip(args, first, strict=True):
        mirrors(x, g)
    unaliased(args, first, again, y)
    if np.ndim(y) == 0 and not isinstance(y, tuple | list | dict):
        agree(first, gradient(f, *copy.deepcopy(args)), "gradient", args)
        value, found = withgradient(f, *copy.deepcopy(args))
        assert same(value, plain), f"withgradient changed the value: {value!r} instead of {plain!r}"
        agree(first, found, "withgradient", args)
    if differentiable:
        got = np.concatenate(
            [np.zeros(0), *(bars_in_a_row(x, g) for x, g in zip(args, first, strict=True))]
        )
        want = differences(lambda *xs: scalar_of(f(*xs)), args)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)
    verified(f, args)
    return first


def same_bars(a: Any, b: Any) -> bool:
    if isinstance(a, types.SimpleNamespace):
        return isinstance(b, types.SimpleNamespace) and same_bars(vars(a), vars(b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same_bars(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same_bars, a, b))
    return same(a, b)


def agree(first: Any, found: Any, name: str, args: tuple[Any, ...]) -> None:
    for x, a, b in zip(args, first, found, strict=True):
        mirrors(x, b)
        np.testing.assert_allclose(
            bars_in_a_row(x, b),
            bars_in_a_row(x, a),
            rtol=1e-12,
            atol=1e-14,
            err_msg=f"{name} differs from pullback",
        )
    unaliased(args, found)


def unaliased(args: Any, first: Any, *others: Any) -> None:
    """No array of a gradient shares memory with an argument, the result or another gradient."""
    mine = list(arrays(first))
    for i, a in enumerate(mine):
        assert a.flags.writeable, "a gradient is read-only"
        for b in (*arrays(args), *(b for o in others for b in arrays(o)), *mine[i + 1 :]):
            assert not np.shares_memory(a, b), "a gradient shares memory"


# ---- the IR


def verified(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Function, Function]:
    """The IR of `f` and of its pullback, checked after lowering and after the transform."""
    s = engine.specialise(f, args)
    verify_all(s.function, set())
    a = s.derivative().closed(
        s.function, api.chosen(s, args, None), pattern_of(s.function.result)
    )
    inputs = set(values(a.primal.params)) | set(values(a.reverse.params))
    free = set(needed(a.primal, a.reverse)) | inputs
    primal = Function(f"{s.function.name} forward", a.primal)
    verify_all(primal, set())
    reverse = Function(f"pullback of {s.function.name}", a.reverse)
    seen = set(_seen(a.primal))
    for v in free:
        if v not in seen and v not in set(values(a.reverse.params)):
            raise InvalidIR(f"{v!r} is saved, but no value of the function's own level")
    verify_all(reverse, free - set(values(a.reverse.params)))
    return s.function, reverse


def _seen(region: Region) -> Iterator[Value]:
    yield from values(region.params)
    for op in region.ops:
        yield from op.results


def verify_all(f: Function, free: set[Value], done: set[Function] | None = None) -> None:
    """Verify a function and every function that it calls."""
    done = set() if done is None else done
    if f in done:
        return
    done.add(f)
    verify(f, free)
    stack = [f.region]
    while stack:
        for op in stack.pop().ops:
            stack += op.regions
            if isinstance(op.fn, Function):
                verify_all(op.fn, set(), done)


def specialisation(f: Callable[..., Any], *args: Any) -> Specialisation:
    return engine.specialise(f, args)
