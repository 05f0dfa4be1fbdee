"""Solutions of ordinary differential equations.

The gradient is that of the exact solution, at the states that the solver has found: `adjoint` tells
how it is computed, and how closely. In the times it is the right-hand side there.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import CALL_VALUE, Atom, Value, emit, type_of
from ...ir.types import UNKNOWN, Array, Const, List, Record, Size, Tuple, Type, fresh
from ..indexing import zero_type
from ..registry import call, in_precision, infer, result, rule, unsupported
from ..sequences import nested
from ..sizes import decided, dtype_of, rebuilt, shape_at
from .adjoint import SOLVERS, STATE, adjoint, adjoint_again
from .callables import arguments, checked, differentiable, of_arguments
from .makers import Maker, made, right_hand_side, time_first
from .solved import TRUTH, attributes, if_found, member

I: Any = importlib.import_module("scipy.integrate")  # noqa: E741
_FLOAT = np.dtype(float)


def _vector(x: Any) -> Any:
    """Numbers in a list or a tuple, as the array that SciPy makes of them."""
    return call(np.asarray, x) if isinstance(type_of(x), List | Tuple) else x


def _given_back(c: Any, x: Any) -> Any:
    return nested(c, x) if isinstance(type_of(x), List | Tuple) else c


def _cotangents(
    f: Any, span: tuple[Any, Any], times: Any, y0: Any, found: Any, args: Any, how: Any, *more: Any
) -> Any:
    """What `adjoint` gives for each argument that has a cotangent, by its place in the call of the
    right-hand side; `more`: the cotangents of the states, and the makers.
    """
    g, makers = more
    given = arguments(args)
    every = (f, None, y0, *given)
    wrt = tuple(i for i, a in enumerate(every) if i == STATE or differentiable(a))
    bars = emit(adjoint, (wrt, f, *span, times, y0, g, found, makers, how, *given))
    bars.type = _bars_type(wrt, every)
    return {i: bars[k] for k, i in enumerate(wrt)}


def _bars_type(wrt: tuple[int, ...], every: tuple[Atom, ...]) -> Tuple:
    return Tuple(
        tuple(
            Array(_FLOAT, shape_at(every[i])) if i == STATE else zero_type(type_of(every[i]))
            for i in wrt
        )
    )


@rule(adjoint)
def _adjoint(
    c: Any,
    bars: Any,
    wrt: Any,
    f: Any,
    t0: Any,
    t1: Any,
    times: Any,
    y0: Any,
    g: Any,
    found: Any,
    makers: Any,
    how: Any,
    *args: Any,
) -> Any:
    every = (f, None, y0, *args)
    read = (wrt, f, t0, t1, times, y0, g, found, makers, how)
    again = emit(adjoint_again, (*read, tuple(c[k] for k in range(len(wrt))), *args))
    again.type = Tuple((Array(_FLOAT, shape_at(g)), *_bars_type(wrt, every).items))
    own = {i: again[k + 1] for k, i in enumerate(wrt)}
    refused = unsupported("the gradient of a solution, in the times", "keep them constant")
    of_end, of_times = (None, refused) if how[-1] else (refused, None)
    times_bars = (refused, of_end, of_times)
    head = (None, own.get(0), *times_bars, own[STATE], again[0], None, None, None)
    return *head, *(own.get(STATE + 1 + i) for i in range(len(args)))


def _slope(f: Any, t: Any, y: Any, args: Any, makers: tuple[Maker, ...]) -> Any:
    """The right-hand side at one end."""
    slope = emit(CALL_VALUE, (call(made, f, makers), t, y, *arguments(args)))
    slope.type = Array(_FLOAT, shape_at(y))
    return slope


def slopes_at(f: Any, times: Any, states: Any, makers: tuple[Maker, ...], *args: Any) -> Any:
    """The right-hand side at each of the times: `(times, n)`."""
    slope = made(f, makers)
    return np.array([slope(t, y, *args) for t, y in zip(times, states, strict=True)])


def _slopes(f: Any, times: Any, states: Any, args: Any, makers: tuple[Maker, ...]) -> Any:
    slopes = emit(slopes_at, (f, times, states, makers, *arguments(args)))
    slopes.type = Array(_FLOAT, shape_at(states))
    return slopes


def _method(method: Any) -> Any:
    t = type_of(method)
    name = t.value if isinstance(t, Const) else method
    if name not in SOLVERS:
        raise unsupported("`solve_ivp` with a method that is not one of SciPy's by its name")
    return name


@rule(
    I.solve_ivp,
    order="fun t_span y0 method t_eval? dense_output events vectorized args? rtol atol max_step "
    "first_step min_step jac jac_sparsity lband uband",
)
def solve_ivp(
    g: Any,
    y: Any,
    fun: Any,
    t_span: Any,
    y0: Any,
    t_eval: Any,
    args: Any,
    method: Any = "RK45",
    dense_output: Any = False,
    events: Any = None,
    vectorized: Any = False,
    rtol: Any = 1e-3,
    atol: Any = 1e-6,
    max_step: Any = np.inf,
    first_step: Any = None,
    min_step: Any = 0,
    jac: Any = None,
    jac_sparsity: Any = None,
    lband: Any = None,
    uband: Any = None,
) -> Any:
    if dense_output or vectorized or events is not None:
        raise unsupported("`solve_ivp` with dense_output=, events= or vectorized=", "leave it out")
    of_t, of_y = attributes(g, "solve_ivp", "t", "y")
    if t_eval is None and of_t is not None:
        raise unsupported("`solve_ivp` in the times of its steps", "say which: `t_eval=`")
    checked(fun, "solve_ivp")
    if of_y is None:
        return None, None, None, of_t if of_t is None else _given_back(of_t, t_eval), None
    makers = (right_hand_side,)
    how = (_method(method), rtol, atol, max_step, t_eval is not None)
    start, rows = _vector(y0), np.transpose(of_y)
    span = (t_span[0], t_span[1])
    times = member(y, "t") if t_eval is None else _vector(t_eval)
    states = np.transpose(if_found(member(y, "y"), member(y, "success"), "solve_ivp"))
    found = _cotangents(fun, span, times, start, states, args, how, rows, makers)
    y0_bar = found[STATE]
    times_bar: Any = None
    if t_eval is not None:
        moved = np.sum(rows * _slopes(fun, times, states, args, makers), axis=1)
        times_bar = _given_back(moved if of_t is None else moved + of_t, t_eval)
    span_bar: Any = None
    if any(isinstance(t, Value) for t in span):
        first = y0_bar if t_eval is not None else y0_bar - rows[0]
        t0_bar = -np.sum(first * _slope(fun, span[0], start, args, makers))
        last = _slope(fun, span[1], states[-1], args, makers)
        span_bar = (t0_bar, np.sum(rows[-1] * last) if t_eval is None else None)
        span_bar = span_bar if isinstance(t_span, tuple) else rebuilt(t_span, list(span_bar))
    y0_bar = _given_back(in_precision(y0_bar, start), y0)
    return found.get(0), span_bar, y0_bar, times_bar, _of_arguments(args, found)


def _of_arguments(args: Any, found: dict[int, Any]) -> Any:
    """The cotangent of `args=`, from those by their place in a call with a time and a state."""
    return of_arguments(args, {i - 1: bar for i, bar in found.items()})


@rule(
    I.odeint,
    order="func y0 t args? Dfun col_deriv full_output ml mu rtol atol tcrit h0 hmax hmin ixpr "
    "mxstep mxhnil mxordn mxords printmessg tfirst",
)
def odeint(
    g: Any,
    y: Any,
    func: Any,
    y0: Any,
    t: Any,
    args: Any,
    Dfun: Any = None,
    col_deriv: Any = 0,
    full_output: Any = 0,
    ml: Any = None,
    mu: Any = None,
    rtol: Any = None,
    atol: Any = None,
    tcrit: Any = None,
    h0: Any = 0.0,
    hmax: Any = 0.0,
    hmin: Any = 0.0,
    ixpr: Any = 0,
    mxstep: Any = 0,
    mxhnil: Any = 0,
    mxordn: Any = 12,
    mxords: Any = 5,
    printmessg: Any = 0,
    tfirst: Any = False,
) -> Any:
    if full_output:
        raise unsupported("`odeint` with full_output=True", "leave it out")
    checked(func, "odeint")
    makers = (right_hand_side,) if decided(tfirst) else (time_first, right_hand_side)
    usual = 1.49012e-8
    how = ("LSODA", _or(rtol, usual), _or(atol, usual), hmax or np.inf, True)
    start, times = call(np.atleast_1d, _vector(y0)), _vector(t)
    found = _cotangents(func, (times[0], None), times, start, y, args, how, g, makers)
    y0_bar = np.reshape(in_precision(found[STATE], start), np.shape(_vector(y0)))
    slopes = _slopes(func, times, y, args, makers)
    moved = np.sum(g * slopes, axis=1)
    # Where all begins is not only a time at which the solution is asked for.
    first = moved[:1] - np.reshape(np.sum(found[STATE] * slopes[0]), (1,))
    times_bar = _given_back(np.concatenate((first, moved[1:])), t)
    return found.get(0), _given_back(y0_bar, y0), times_bar, _of_arguments(args, found)


def _or(given: Any, usual: float) -> Any:
    return usual if given is None else given


# ---- types


def _sizes(y0: Any, times: Any) -> tuple[Size, Size]:
    """How many unknowns there are, and how many times."""
    shape, at = shape_at(y0), None if times is None else shape_at(times)
    n = fresh() if shape is None else shape[0] if shape else 1
    return n, at[0] if at else fresh()


@result(I.solve_ivp)
def _solve_ivp_type(
    fun: Any, t_span: Any, y0: Any, method: Any = None, t_eval: Any = None, *_: Any, **static: Any
) -> Type:
    n, times = _sizes(y0, t_eval)
    kind = dtype_of(type_of(_typed(y0)))
    states = Array(_FLOAT if kind is not None and kind.kind != "c" else None, (n, times))
    fields = (("t", Array(_FLOAT, (times,))), ("y", states), ("success", TRUTH))
    return Record(I._ivp.ivp.OdeResult, fields)


def _typed(x: Any) -> Any:
    """A stand-in for the array that is made of a list of numbers."""
    t = type_of(x)
    return Value(None, infer(np.asarray, (x,), {})) if isinstance(t, List | Tuple) else x


@result(I.odeint)
def _odeint_type(func: Any, y0: Any, t: Any, *_: Any, **static: Any) -> Type:
    n, times = _sizes(y0, t)
    return UNKNOWN if static.get("full_output") else Array(_FLOAT, (times, n))
