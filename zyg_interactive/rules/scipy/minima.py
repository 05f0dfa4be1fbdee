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

from ...ir.types import Array, Record, Size, Type, fresh
from ..registry import result, rule, unsupported
from ..sizes import shape_at
from .bounds import ENDS, PAIRS, Held, bounded, held, none, of_bounds
from .callables import Pulled, arguments, checked, of_arguments
from .makers import Maker, first_of, of_vector, slope_and_value, slope_of, squares
from .solved import TRUTH, attributes, member, through

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741
_FLOAT = np.dtype(float)
_NUMBER = Array(_FLOAT, ())


def _minimum(
    f: Any,
    x: Any,
    args: Any,
    bars: tuple[Any, Any],
    y: Any,
    who: str,
    on: Held | None,
    *makers: Maker,
) -> dict[int, Any]:
    """The cotangents of a function (0), of its further arguments, and of variables on a bound, from
    those of its minimiser and of its least value.
    """
    checked(f, who)
    (size,) = shape_at(x) or (fresh(),)
    of_x, of_value = bars
    last = slope_of if of_value is None else slope_and_value
    like = Array(_FLOAT, (size,) if of_value is None else (fresh(),))
    pulled = Pulled(f, x, arguments(args), *makers, last, like=like)
    out: Any = None if of_value is None else np.reshape(of_value, (1,))
    return through(pulled, of_x, out, x, member(y, "success"), who, on)


@rule(
    O.minimize,
    order="fun x0 args? method jac? hess? hessp? bounds? constraints tol callback options",
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
    bounds: Any,
    method: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
    fixed: Any = None,
) -> Any:
    if not none(constraints):
        raise unsupported("`minimize` with constraints", "write its conditions for `root`")
    bars, x = attributes(g, "minimize", "x", "fun"), member(y, "x")
    on = held(x, bounds, fixed, PAIRS)
    makers = (first_of,) if jac is True else ()
    found = _minimum(fun, x, args, bars, y, "minimize", on, *makers)
    of_args = of_arguments(args, found)
    return found.get(0), None, of_args, None, None, None, of_bounds(found, on)


@rule(O.minimize_scalar, order="fun bracket? bounds? args? method tol options")
def minimize_scalar(
    g: Any,
    y: Any,
    fun: Any,
    bracket: Any,
    bounds: Any,
    args: Any,
    method: Any = None,
    tol: Any = None,
    options: Any = None,
    fixed: Any = None,
) -> Any:
    of_x, of_value = attributes(g, "minimize_scalar", "x", "fun")
    x: Any = np.reshape(member(y, "x"), (1,))
    on = held(x, bounds, fixed, ENDS)
    bars = (None if of_x is None else np.reshape(of_x, (1,)), of_value)
    found = _minimum(fun, x, args, bars, y, "minimize_scalar", on, of_vector)
    return found.get(0), None, of_bounds(found, on), of_arguments(args, found)


@rule(
    O.least_squares,
    order="fun x0 jac? bounds? method ftol xtol gtol x_scale loss f_scale diff_step tr_solver "
    "tr_options jac_sparsity max_nfev verbose args? kwargs callback workers",
)
def least_squares(
    g: Any,
    y: Any,
    fun: Any,
    x0: Any,
    jac: Any,
    bounds: Any,
    args: Any,
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
    fixed: Any = None,
) -> Any:
    if loss != "linear":
        raise unsupported("`least_squares` with another loss", "write it for `minimize`")
    of_x, of_cost, of_residuals = attributes(g, "least_squares", "x", "cost", "fun")
    x, residuals = member(y, "x"), member(y, "fun")
    on = held(x, bounds, fixed, ENDS)
    checked(fun, "least_squares")
    pulled = Pulled(fun, x, arguments(args), squares, like=Array(_FLOAT, (fresh(),)))
    first: Any = np.zeros(1) if of_cost is None else np.reshape(of_cost, (1,))
    rest: Any = np.zeros_like(residuals) if of_residuals is None else of_residuals
    out: Any = np.concatenate((first, rest))
    found = through(pulled, of_x, out, x, member(y, "success"), "least_squares", on)
    return found.get(0), None, None, of_bounds(found, on), of_arguments(args, found)


for _fn in (O.minimize, O.minimize_scalar, O.least_squares):
    bounded(_fn)


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
