"""Derivatives made of many pullbacks: directions, Jacobians, Hessians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import errors, runtime
from .api import Wrt, arranged, chosen, gradient, hashable, kept_values, pullback
from .diagnostics import refuse
from .emit.compile import Compiler
from .engine import Specialisation, engine
from .ir.core import Function, type_of
from .rules.registry import infer
from .seeds import from_leaves, leaves_of, pattern_of, template_of
from .transform.pipeline import Derivatives
from .transformed import Transformed


class _Linearised:
    """A function at a point, run once: its result, its pullback, and its derivative in a direction,
    which is made when it is first asked for.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], wrt: Wrt):
        def build(s: Specialisation) -> _Halves:
            forward, reverse = s.derivative().split(
                s.function, chosen(s, args, wrt), pattern_of(s.function.result)
            )
            return _Halves(Compiler().function(forward).callable, reverse)

        s, self._halves = engine.prepared(f, args, ("linearised", wrt), build)
        self.args, self.wrt, self.name = args, wrt, s.function.name
        self._chosen = [s.positions[i] for i in chosen(s, args, wrt)]
        self._specialisation = s
        values = kept_values(s, f, args)
        self.y, self._saved = self._halves.forward(*values)
        if s.heap is None:
            self._saved = runtime.apart(self._saved, (values, self.y))
        self._template = template_of(self.y)

    def pull(self, seed: Any) -> Any:
        """The cotangents of the arguments."""
        leaves = leaves_of(seed, self._template, self.name)
        found = self._halves.back(self._saved, *leaves)
        return arranged(self._specialisation, found, self.args, self.wrt, False)

    def push(self, tangents: Sequence[Any]) -> Any:
        """The derivative in the direction of these tangents, one for each of the arguments asked
        for.
        """
        zeros = leaves_of(runtime.zeros_like(self.y), self._template, self.name)
        given = dict(zip(_asked(self.args, self.wrt), tangents, strict=True))
        seeds: list[Any] = []
        pattern = self._halves.pattern
        for i, p in zip(self._chosen, pattern, strict=True):
            if p is not None:
                arg = self.args[i]
                like = template_of(arg) if isinstance(p, tuple) or _is_number(arg) else None
                seeds += leaves_of(_tangent(given[i], arg, self.name), like, self.name)
        found = zeros
        if seeds:
            pushed = self._halves.push(self._saved, *zeros, *seeds)
            found = [z if p is None else p for z, p in zip(zeros, pushed, strict=True)]
        return from_leaves(iter(found), self._template)


class _Halves:
    """The compiled parts of a linearised function."""

    def __init__(self, forward: Any, reverse: Function):
        self.forward, self._reverse = forward, reverse

    @functools.cached_property
    def back(self) -> Any:
        return Compiler().function(self._reverse).callable

    @functools.cached_property
    def pattern(self) -> tuple[Any, ...]:
        """Which cotangents there are, of the arguments asked for."""
        (outs,) = self._reverse.region.outs
        return tuple(pattern_of(type_of(o)) for o in outs)

    @functools.cached_property
    def push(self) -> Any:
        made = Derivatives(infer).transposed(self._reverse, self.pattern)
        return Compiler().function(made).callable


def _asked(args: tuple[Any, ...], wrt: Wrt) -> list[int]:
    """The numbers of the arguments that derivatives are asked for."""
    if wrt is None:
        return list(range(len(args)))
    asked = [wrt] if isinstance(wrt, int) else list(wrt)
    for i in asked:
        if not -len(args) <= i < len(args):
            raise refuse("ZYG503", f"there is no argument {i}: {len(args)} were given", None)
    return [i % len(args) for i in asked]


def _tangent(t: Any, x: Any, name: str) -> Any:
    """A tangent of an argument, None for zero."""
    if t is None:
        return runtime.zeros_like(x)
    if _is_number(x) and np.shape(t) != np.shape(x):
        raise refuse(
            "ZYG502",
            f"the tangent has shape {np.shape(t)}, the argument of `{name}` has shape "
            f"{np.shape(x)}",
            None,
            "a tangent is a direction to go from the argument: give one of its shape",
        )
    return t


def pushforward(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """`push`: `push(*tangents)` is the derivative of `f` in that direction (forward mode), any
    number of times; a tangent has the shape of its argument, None is zero.

    It is the transpose of the pullback, made by differentiating that in its seed (A. Griewank and
    A. Walther, Evaluating Derivatives, 2008, chapter 3): one pass, no matter how long the result.

    >>> push = pushforward(lambda x, y: x * y, 2.0, 5.0)
    >>> push(1.0, 0.0), push(0.0, 1.0)
    (5.0, 2.0)
    """
    if not args:
        return Transformed(pushforward, f, {"wrt": hashable(wrt)})
    return _pushforward(f, args, hashable(wrt))


@errors.user_frames
def _pushforward(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    linear = _Linearised(f, args, wrt)
    asked = _asked(args, wrt)

    @errors.user_frames
    def push(*tangents: Any) -> Any:
        if len(tangents) != len(asked):
            raise refuse(
                "ZYG502",
                f"`{linear.name}` is differentiated in {len(asked)} arguments; "
                f"{len(tangents)} tangents were given",
                None,
            )
        return linear.push(tangents)

    return push


def jacobian(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """The dense derivative of an array-valued function: shape of the result + shape of the
    argument.

    One argument gives an array, several a tuple. Row by row with the pullback, or column by column
    with the pushforward where the arguments have fewer elements than the result.
    """
    if not args:
        return Transformed(jacobian, f, {"wrt": hashable(wrt)})
    return _jacobian(f, args, hashable(wrt))


@errors.user_frames
def _jacobian(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    linear = _Linearised(f, args, wrt)
    if not _is_number(linear.y):
        raise refuse(
            "ZYG501", "`jacobian` is of a function that returns one array", None, "return one array"
        )
    asked = _asked(args, wrt)
    for i in asked:
        if not _is_number(args[i]):
            raise refuse(
                "ZYG501",
                f"`jacobian` is in arrays; argument {i} is a {type(args[i]).__name__}",
                None,
                "choose the arrays with `wrt=`, or ask for `pullback` and give seeds",
            )
    inputs = sum(int(np.size(args[i])) for i in asked)
    complex_ = any(np.iscomplexobj(a) for a in (linear.y, *(args[i] for i in asked)))
    by_columns = inputs < np.size(linear.y) and not complex_
    found = _columns(linear, asked) if by_columns else _rows(linear, asked)
    return found[0] if isinstance(wrt, int) or len(args) == 1 else tuple(found)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | complex | np.ndarray | np.generic)


def _rows(linear: _Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pullback for each element of the result."""
    shape = np.shape(linear.y)
    pulled = [linear.pull(seed) for seed in _units(linear.y)]
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        bars = [p if isinstance(linear.wrt, int) else p[k] for p in pulled]
        blocks = [runtime.zeros_like(x) if b is None else b for b in bars]
        whole = np.array(blocks) if blocks else np.zeros(0)
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _columns(linear: _Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pushforward for each element of the arguments."""
    shape = np.shape(linear.y)
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        before, after = [None] * k, [None] * (len(asked) - k - 1)
        pushed = [linear.push([*before, unit, *after]) for unit in _units(x)]
        whole = np.stack(pushed, axis=-1) if pushed else np.zeros((*shape, 0))
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _units(x: Any) -> Iterator[Any]:
    """The unit vectors of the shape of `x`."""
    dtype = runtime.cotangent_dtype(np.asarray(x).dtype)
    if not np.shape(x):
        yield dtype.type(1)
        return
    for index in np.ndindex(np.shape(x)):
        unit = np.zeros(np.shape(x), dtype)
        unit[index] = 1
        yield unit


def _gradient_of(f: Callable[..., Any]) -> Transformed:
    return Transformed(gradient, f, {"wrt": 0, "zeros": True})


def hessian(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """The second derivatives of a scalar function: shape of the argument + shape of the argument.

    One argument gives an array. Several give a tuple with a row for each argument, which is a tuple
    of blocks: that in row i and column j is the derivative of the i-th gradient in the j-th
    argument, of the shape of the i-th + the shape of the j-th. wrt: as for `gradient`; one number
    gives one block.

    Reverse over reverse: the Jacobian of the gradient. Raises Refused (ZYG501) where the result is
    no real number, or an argument that is asked for no array, (ZYG503) where there is no argument
    of that number.

    >>> hessian(lambda x, y: x**2 * y, 2.0, 3.0)[0][1]
    array(4.)
    """
    if not args:
        return Transformed(hessian, f, {"wrt": hashable(wrt)})
    rows = []
    for i in _asked(args, wrt):
        of_one = Transformed(gradient, f, {"wrt": i, "zeros": True})
        rows.append(jacobian(of_one, *args, wrt=wrt))
    return rows[0] if isinstance(wrt, int) or len(args) == 1 else tuple(rows)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of a scalar function times a vector: both have the structure and shape of `x`.

    The Hessian is symmetric, so one pullback of the gradient gives it, at a small multiple of the
    cost of the gradient (B. A. Pearlmutter, Fast exact multiplication by the Hessian, 1994).

    >>> hvp(lambda x: x[0] ** 2 * x[1], np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 4.])
    """
    found = pullback(_gradient_of(f), x)[1](v)[0]
    return runtime.zeros_like(x) if found is None else found


@errors.user_frames
def diaghessian(f: Callable[..., Any], *args: Any) -> Any:
    """The second derivatives of a scalar function in each element alone: the diagonal of the
    Hessian, in the shape of the argument; a tuple for several arguments.

    One Hessian-vector product for each element.
    """
    if not args:
        return Transformed(diaghessian, f, {})
    found = []
    for i, x in enumerate(args):
        if not _is_number(x):
            raise refuse("ZYG501", "`diaghessian` is in arrays and numbers", None)
        linear = _Linearised(Transformed(gradient, f, {"wrt": i, "zeros": True}), args, i)
        units = list(_units(x))
        rows = [linear.pull(unit) for unit in units]
        values = [0.0 if r is None else np.sum(r * u) for r, u in zip(rows, units, strict=True)]
        diagonal = np.reshape(np.array(values), np.shape(x))
        found.append(diagonal if np.shape(x) else diagonal[()])
    return found[0] if len(args) == 1 else tuple(found)
