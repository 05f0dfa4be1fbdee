"""The derivatives of solutions of ordinary differential equations, computed.

Along `y' = f(t, y, p)`, the cotangent of the state obeys `a' = -(df/dy)^T a`, backwards, and that
of the parameters gathers `(df/dp)^T a` (Y. Cao, S. Li, L. Petzold and R. Serban 2003, "Adjoint
sensitivity analysis for differential-algebraic equations"). The derivative of these in a direction
is the adjoint of the equation together with its tangent `d' = df/dy d + df/dp p'` (D. B. Özyurt and
P. I. Barton 2005, "Cheap second order directional derivatives of stiff ODE embedded functionals").

The state on the way back is that of a solution forwards, kept whole: going back along a flow that
contracts is unstable. All of it is solved to eight digits or, if those are more, to those that the
program asks for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import runtime
from .callables import filled, flat, leaves, not_there, nothing, twice, unflattened
from .makers import Maker, made, unmade
from .verified import agree, agree_along, is_as_written

I: Any = importlib.import_module("scipy.integrate")  # noqa: E741

# The solver of the derivatives: of high order, with a solution between its steps that is as good.
SOLVERS = {"RK23": "DOP853", "RK45": "DOP853", "DOP853": "DOP853"}
SOLVERS |= {"Radau": "LSODA", "BDF": "LSODA", "LSODA": "LSODA"}
DIGITS, ZERO = 1e-8, 1e-10
# The place of the state among the callee, the time, the state and what else a call is given.
STATE = 2

How = tuple[str, Any, Any, float, bool]  # method, rtol, atol, max_step, and whether times are given


class Flow:
    """A right-hand side, with the cotangents `wrt` of its late call, and how it is solved."""

    def __init__(
        self,
        wrt: tuple[int, ...],
        f: Any,
        y0: Any,
        makers: tuple[Maker, ...],
        how: How,
        args: Any,
    ):
        self.how = how
        self.wrt, self.makers, self.args = wrt, makers, args
        self.given_f, self.f = f, made(f, makers)
        self.state = wrt.index(STATE)
        method, self.rtol, self.atol, self.longest, self.given = how
        self.method = SOLVERS[method]
        if np.iscomplexobj(y0):
            raise not_there("there is no gradient of complex solutions")
        self.start = np.array(y0, float)
        self.nothing = nothing(wrt, self.f, None, self.start, *args)

    def f_of(self, t: float, y: Any) -> Any:
        return self.f(t, y, *self.args)

    def back(self, t: float, y: Any) -> Any:
        return runtime.dynamic_forward(self.wrt, (), self.f, t, y, *self.args)[1]

    def bars(self, back: Any, seed: Any) -> list[Any]:
        """The cotangents of a call, for each of `wrt`."""
        found = runtime.dynamic_reverse(back, seed)
        return filled(self.nothing, found if len(self.wrt) > 1 else (found,))

    def others(self, bars: Any) -> list[Any]:
        """All but the cotangent of the state."""
        return [bar for i, bar in enumerate(bars) if i != self.state]

    def whole(self, of_state: Any, others: list[Any]) -> tuple[Any, ...]:
        """The cotangents as `adjoint` returns them: that of what was given, not of what was made of
        it.
        """
        bars = [*others[: self.state], of_state, *others[self.state :]]
        if self.wrt[0] == 0:
            bars[0] = unmade(bars[0], self.makers)
        return tuple(bars)

    def solved(
        self,
        slope: Callable[..., Any],
        start: float,
        end: float,
        state: Any,
        zero: Any,
        **more: Any,
    ) -> Any:
        """The solution from `start` to `end`; `zero`: what is small for each of its elements."""
        found = I.solve_ivp(
            slope,
            (start, end),
            state,
            method=self.method,
            rtol=min(self.rtol, DIGITS),
            atol=zero,
            max_step=self.longest,
            **more,
        )
        if not found.success:
            raise not_there(f"the gradient of a solution was not found: {found.message}")
        return found

    @property
    def zero(self) -> Any:
        """What is small for each element of the state."""
        return np.minimum(self.atol, ZERO) * np.ones_like(self.start)

    def agrees(self, times: Any, path: Any, found: Any) -> None:
        """Raise where a solution is far from the exact one."""
        exact = np.array([path(t)[: self.start.size] for t in times])
        scale = np.max(np.abs(exact), axis=0, initial=0.0)
        if np.any(np.abs(found - exact) > 0.1 * scale + 100 * np.asarray(self.atol)):
            raise not_there(
                "a solution that is a tenth off, or more, has no gradient", "make `rtol` smaller"
            )

    def summed(self, t0: float, times: Any, weights: Any) -> Callable[[list[Any]], float]:
        """The sum of the states, of what is like `every`."""

        def value(every: list[Any]) -> float:
            f, _, y0, *args = every
            at = Flow(self.wrt, f, y0, self.makers, self.how, args)
            path = at.solved(at.f_of, t0, times[-1], at.start, at.zero, dense_output=True).sol
            return float(sum(c @ path(t) for c, t in zip(weights, times, strict=True)))

        return value

    def every(self, y0: Any) -> list[Any]:
        """What a solution depends on, as a call of the right-hand side has it."""
        return [self.given_f, None, y0, *self.args]

    def by_place(self, bars: tuple[Any, ...]) -> list[Any]:
        """Cotangents beside `every`."""
        known = dict(zip(self.wrt, bars, strict=True))
        return [known.get(i) for i in range(STATE + 1 + len(self.args))]


def _segments(t0: float, times: Any) -> Iterator[tuple[int, float, float]]:
    """From the last: which time it ends at, that, and where it starts."""
    for k in reversed(range(len(times))):
        yield k, times[k], times[k - 1] if k else t0


def _largest(*trees: Any) -> float:
    return max((float(np.max(np.abs(x), initial=0.0)) for x in leaves(trees)), default=0.0)


def adjoint(
    wrt: tuple[int, ...],
    f: Any,
    t0: float,
    t1: float,
    times: Any,
    y0: Any,
    g: Any,
    found: Any,
    makers: tuple[Maker, ...],
    how: How,
    *args: Any,
) -> tuple[Any, ...]:
    """The cotangents of what a solution depends on, for each of `wrt`, from `g`, those of the
    states `found` at `times`: `(times, n)`.
    """
    flow = Flow(wrt, f, y0, makers, how, args)
    if not flow.given and np.any(g[1:-1]):
        raise not_there(
            "the steps that `solve_ivp` takes by itself have no derivative: only the last has",
            "say at which times: `t_eval=`",
        )
    path = flow.solved(flow.f_of, t0, times[-1], flow.start, flow.zero, dense_output=True).sol
    flow.agrees(times, path, found)
    n, like = flow.start.size, flow.others(flow.nothing)
    state = np.zeros(n + flat(like).size)
    small = ZERO * _largest(g)

    def slope(t: float, state: Any) -> Any:
        bars = flow.bars(flow.back(t, path(t)), state[:n])
        return -flat(bars[flow.state], flow.others(bars))

    for k, late, early in _segments(t0, times):
        state[:n] += g[k]
        if late != early and np.any(state[:n]):
            state = flow.solved(slope, late, early, state, small).y[:, -1]
    bars = flow.whole(state[:n], unflattened(like, state[n:]))
    if np.any(g) and is_as_written(flow.back(t0, flow.start)):
        size = float(np.sum(np.abs(g * found)))
        agree(flow.summed(t0, times, g), flow.every(y0), flow.by_place(bars), size, "solve_ivp")
    return bars


def adjoint_again(
    wrt: tuple[int, ...],
    f: Any,
    t0: float,
    t1: float,
    times: Any,
    y0: Any,
    g: Any,
    found: Any,
    makers: tuple[Maker, ...],
    how: How,
    c: tuple[Any, ...],
    *args: Any,
) -> tuple[Any, ...]:
    """The cotangents of `g` and of what a solution depends on, from `c`, those of the cotangents
    that `adjoint` returns: the first is the tangent of the states in the direction `c`.
    """
    flow = Flow(wrt, f, y0, makers, how, args)
    n, like = flow.start.size, flow.others(flow.nothing)
    direction = list(c)
    of_state = direction[flow.state]
    tangent0 = np.zeros(n) if of_state is None else np.array(of_state, float)
    if wrt[0] == 0:
        for _ in makers:
            direction[0] = (direction[0],)
    size = _largest(c) or 1.0
    small = np.concatenate((flow.zero, np.full(n, ZERO * size)))

    def reversed_at(t: float, y: Any, d: Any, a: Any) -> tuple[Any, Any, Any]:
        """`df/dy^T a` and the others; the derivatives of `a . (df/dy d + df/dp p')`, and this sum
        but for `a`.
        """
        direction[flow.state] = d
        bars, back_bar, moved = twice(wrt, flow.f, (t, y, *flow.args), a, direction)
        return (
            filled(flow.nothing, bars),
            filled(flow.nothing, back_bar),
            runtime.add(np.zeros(n), moved),
        )

    def both(t: float, state: Any) -> Any:
        y, d = np.split(state, 2)
        return np.concatenate((flow.f_of(t, y), reversed_at(t, y, d, np.zeros(n))[2]))

    start = np.concatenate((flow.start, tangent0))
    path = flow.solved(both, t0, times[-1], start, small, dense_output=True).sol
    flow.agrees(times, path, found)
    g_bar = np.array([path(t)[n:] for t in times])
    if is_as_written(flow.back(t0, flow.start)):
        weights = np.random.default_rng(1).choice((-1.0, 1.0), np.shape(g_bar))
        value, sized = flow.summed(t0, times, weights), float(np.sum(np.abs(found)))
        agree_along(value, flow.every(y0), flow.by_place(c), weights * g_bar, sized, "solve_ivp")
    if not flow.given:
        g_bar[1:-1] = np.nan  # as these steps have no derivative

    state = np.zeros(2 * n + flat(like).size)
    small = ZERO * _largest(g) * np.concatenate((np.ones(n), np.full(len(state) - n, size)))

    def slope(t: float, state: Any) -> Any:
        a, b = state[:n], state[n : 2 * n]
        y, d = np.split(path(t), 2)
        bars, curved, _ = reversed_at(t, y, d, a)
        straight = flow.bars(flow.back(t, y), b)
        sums = [runtime.add(p, q) for p, q in zip(straight, curved, strict=True)]
        return -flat(bars[flow.state], sums[flow.state], flow.others(sums))

    for k, late, early in _segments(t0, times):
        state[:n] += g[k]
        if late != early and np.any(state[: 2 * n]):
            state = flow.solved(slope, late, early, state, small).y[:, -1]
    return g_bar, *flow.whole(state[n : 2 * n], unflattened(like, state[2 * n :]))


__all__ = ["SOLVERS", "STATE", "How", "adjoint", "adjoint_again"]
