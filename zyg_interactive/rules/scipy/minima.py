"""Minima, by the implicit function theorem: the gradient is zero there, so its Jacobian, the whole
Hessian of the function, has the part of the Jacobian of a system (`solved`; A. Griewank and
A. Walther, Evaluating Derivatives, 2008, chapter 15). For least squares that Hessian is the one of
half the sum of squares, with the second derivatives of the residuals.

The least value is differentiated along with the place: to first order, by the envelope theorem.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import emit, type_of
from ...ir.types import Array, Const, Record, Size, Type, fresh
from ..registry import constant, result, rule, unsupported
from ..sizes import shape_at
from .callables import Pulled, arguments, checked, not_there, of_arguments
from .makers import Maker, first_of, of_vector, slope_and_value, slope_of, squares
from .solved import TRUTH, attributes, member, through

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741
_FLOAT = np.dtype(float)
_NUMBER = Array(_FLOAT, ())


def inside(x: Any, bounds: Any) -> Any:
    """`x`; raises where it is on one of its bounds, or almost: no derivative is zero there."""
    if isinstance(bounds, O.Bounds):
        low, high = bounds.lb, bounds.ub
    else:
        pairs = [(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]
        low, high = np.transpose(np.array(pairs, float))
    near = 1e-6 * (1 + np.abs(x))
    if not (np.all(x - low > near) and np.all(high - x > near)):
        raise not_there(
            "a minimum on one of its bounds has no gradient", "leave out the bounds, or widen them"
        )
    return x


def between(x: Any, bounds: Any) -> Any:
    """As `inside`, of bounds as `least_squares` takes them: the lower ones and the upper ones."""
    return inside(x, bounds if isinstance(bounds, O.Bounds) else O.Bounds(*bounds))


@rule(inside, between)
def _inside(g: Any, y: Any, x: Any, bounds: Any = None) -> Any:
    return g


@result(inside, between)
def _inside_type(x: Any, **static: Any) -> Type:
    return type_of(x)


constant(O.Bounds)


def _none(given: Any) -> bool:
    """Whether an argument that may be left out holds nothing."""
    t = type_of(given)
    return given is None or given == () or (isinstance(t, Const) and t.value in (None, ()))


def _minimum(
    f: Any, x: Any, args: Any, bars: tuple[Any, Any], y: Any, who: str, *makers: Maker
) -> tuple[Any, Any]:
    """The cotangents of a function and of its further arguments, from those of its minimiser and of
    its least value.
    """
    checked(f, who)
    (size,) = shape_at(x) or (fresh(),)
    of_x, of_value = bars
    last = slope_of if of_value is None else slope_and_value
    like = Array(_FLOAT, (size,) if of_value is None else (fresh(),))
    pulled = Pulled(f, x, arguments(args), *makers, last, like=like)
    out: Any = None if of_value is None else np.reshape(of_value, (1,))
    found = through(pulled, of_x, out, x, member(y, "success"), who)
    return found.get(0), of_arguments(args, found)


@rule(
    O.minimize,
    order="fun x0 args? method jac? hess? hessp? bounds constraints tol callback options",
)
def minimize(
    g: Any,
    y: Any,
    fun: Any,
    x0: Any,
    args: Any,
    jac: Any,
    hess: Any,
    hessp: Any,
    method: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    if not _none(constraints):
        raise unsupported("`minimize` with constraints", "write its conditions for `root`")
    bars = attributes(g, "minimize", "x", "fun")
    x = member(y, "x")
    if not _none(bounds):
        x = emit(inside, (x,), {"bounds": bounds})
    makers = (first_of,) if jac is True else ()
    f_bar, args_bar = _minimum(fun, x, args, bars, y, "minimize", *makers)
    return f_bar, None, args_bar, None, None, None


@rule(O.minimize_scalar, order="fun bracket? bounds args? method tol options")
def minimize_scalar(
    g: Any,
    y: Any,
    fun: Any,
    bracket: Any,
    args: Any,
    bounds: Any = None,
    method: Any = None,
    tol: Any = None,
    options: Any = None,
) -> Any:
    of_x, of_value = attributes(g, "minimize_scalar", "x", "fun")
    x: Any = np.reshape(member(y, "x"), (1,))
    if not _none(bounds):
        x = emit(inside, (x,), {"bounds": (bounds,)})
    bars = (None if of_x is None else np.reshape(of_x, (1,)), of_value)
    f_bar, args_bar = _minimum(fun, x, args, bars, y, "minimize_scalar", of_vector)
    return f_bar, None, args_bar


@rule(
    O.least_squares,
    order="fun x0 jac? bounds method ftol xtol gtol x_scale loss f_scale diff_step tr_solver "
    "tr_options jac_sparsity max_nfev verbose args? kwargs callback workers",
)
def least_squares(
    g: Any,
    y: Any,
    fun: Any,
    x0: Any,
    jac: Any,
    args: Any,
    bounds: Any = None,
    method: Any = "trf",
    ftol: Any = None,
    xtol: Any = None,
    gtol: Any = None,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: Any = None,
    diff_step: Any = None,
    tr_solver: Any = None,
    tr_options: Any = None,
    jac_sparsity: Any = None,
    max_nfev: Any = None,
    verbose: Any = 0,
    callback: Any = None,
    workers: Any = None,
) -> Any:
    if loss != "linear":
        raise unsupported("`least_squares` with another loss", "write it for `minimize`")
    of_x, of_cost, of_residuals = attributes(g, "least_squares", "x", "cost", "fun")
    x, residuals = member(y, "x"), member(y, "fun")
    if not _none(bounds):
        x = emit(between, (x,), {"bounds": bounds})
    checked(fun, "least_squares")
    pulled = Pulled(fun, x, arguments(args), squares, like=Array(_FLOAT, (fresh(),)))
    first: Any = np.zeros(1) if of_cost is None else np.reshape(of_cost, (1,))
    rest: Any = np.zeros_like(residuals) if of_residuals is None else of_residuals
    out: Any = np.concatenate((first, rest))
    found = through(pulled, of_x, out, x, member(y, "success"), "least_squares")
    return found.get(0), None, None, of_arguments(args, found)


def unknowns(x0: Any) -> tuple[Size, ...] | None:
    """The shape of the unknowns, from that of where a solver starts."""
    shape = shape_at(x0)
    return shape if shape and len(shape) == 1 else (1,) if shape == () else None


@result(O.minimize)
def _minimize_type(fun: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    fields = (("x", Array(_FLOAT, unknowns(x0))), ("fun", _NUMBER), ("success", TRUTH))
    return Record(O.OptimizeResult, fields)


@result(O.minimize_scalar)
def _minimize_scalar_type(*args: Any, **static: Any) -> Type:
    return Record(O.OptimizeResult, (("x", _NUMBER), ("fun", _NUMBER), ("success", TRUTH)))


@result(O.least_squares)
def _least_squares_type(fun: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    fields = (
        *(("x", Array(_FLOAT, unknowns(x0))), ("cost", _NUMBER)),
        *(("fun", Array(_FLOAT, (fresh(),))), ("success", TRUTH)),
    )
    return Record(O.OptimizeResult, fields)
