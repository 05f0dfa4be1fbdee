"""Fits: `curve_fit`, and linear least squares with bounds.

What is found is a minimum of half a sum of squares, on which `minima` tells. The covariance that
`curve_fit` estimates is `inv(J^T J)`, with the Jacobian J of the residuals, times their variance:
it is differentiated as this function of the parameters and the data.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.core import emit, type_of
from ...ir.types import UNKNOWN, Array, List, Record, Tuple, Type, fresh
from ..contractions import transposed
from ..registry import constant, result, rule, unsupported, without_rule
from ..sequences import nested
from ..sizes import shape_at
from .bounds import ENDS, bounded, held, none, of_bounds
from .callables import Pulled, checked, not_there
from .makers import fitted, fitted_closely
from .minima import unknowns
from .solved import BOUND, TRUTH, attributes, member, solved, through

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741
_FLOAT = np.dtype(float)


def numbered(x: Any) -> tuple[int, ...]:
    """The places of a vector, whose number is in the type of this."""
    return tuple(range(len(x)))


constant(numbered)


def is_covariance(found: Any, pcov: Any, absolute: bool, count: int) -> Any:
    """`found`, the covariance for residuals of the variance 1 and the sum of squares; raises where
    `pcov` is another, as where it was not to be estimated.
    """
    n = len(pcov)
    expected = found[:-1].reshape(n, n) * (1.0 if absolute else found[-1] / max(count - n, 1))
    off, size = np.max(np.abs(expected - pcov)), np.max(np.abs(pcov))
    if not (np.isfinite(size) and off <= 0.01 * size):
        raise not_there("`curve_fit` has not estimated this covariance closely: it has no gradient")
    return found


@rule(is_covariance)
def _is_covariance(g: Any, y: Any, found: Any, pcov: Any, absolute: Any, count: Any) -> Any:
    return g, None, None, None


@result(is_covariance)
def _as_found(found: Any, *rest: Any) -> Type:
    return type_of(found)


@rule(
    O.curve_fit,
    order="f xdata ydata p0? sigma? absolute_sigma check_finite bounds? method jac? full_output "
    "nan_policy",
)
def curve_fit(
    g: Any,
    y: Any,
    f: Any,
    xdata: Any,
    ydata: Any,
    p0: Any,
    sigma: Any,
    bounds: Any,
    jac: Any,
    absolute_sigma: Any = False,
    check_finite: Any = None,
    method: Any = None,
    full_output: Any = False,
    nan_policy: Any = None,
    maxfev: Any = None,
    max_nfev: Any = None,
    ftol: Any = None,
    xtol: Any = None,
    gtol: Any = None,
    epsfcn: Any = None,
    factor: Any = None,
    diag: Any = None,
    x_scale: Any = None,
    diff_step: Any = None,
    tr_solver: Any = None,
    tr_options: Any = None,
    verbose: Any = 0,
    fixed: Any = None,
) -> Any:
    if full_output:
        raise unsupported("`curve_fit` with full_output=True", "leave it out")
    if not none(nan_policy) and nan_policy != "raise":
        raise unsupported("`curve_fit` with nan_policy=", "leave the samples out before")
    checked(f, "curve_fit")
    of_k, of_cov = g[0], g[1]
    k = y[0]
    (n,) = shape_at(k) or (fresh(),)
    on = held(k, bounds, fixed, ENDS)
    args = (emit(numbered, (k,)), xdata, ydata, sigma)
    if of_cov is None:
        pulled = Pulled(f, k, args, fitted, like=Array(_FLOAT, (n,)))
        out: Any = None
    else:
        pulled = Pulled(f, k, args, fitted_closely, like=Array(_FLOAT, (fresh(),)))
        out = _of_covariance(of_cov, pulled.value, y, ydata, absolute_sigma)
    found = through(pulled, of_k, out, k, True, "curve_fit", on)
    return found.get(0), found.get(3), found.get(4), None, found.get(5), of_bounds(found, on), None


def _of_covariance(c: Any, value: Any, y: Any, ydata: Any, absolute: Any) -> Any:
    """The cotangents of what `fitted_closely` adds, from that of the covariance."""
    n, count = np.shape(y[0])[0], np.size(ydata)
    unit = emit(is_covariance, (value[n:], y[1], absolute, count))
    flat = np.ravel(c)
    if absolute:
        return np.concatenate((flat, np.zeros(1)))
    free = count - n
    of_total = np.reshape(np.sum(flat * unit[:-1]) / free, (1,))
    return np.concatenate((flat * unit[-1] / free, of_total))


bounded(O.curve_fit)


@result(O.curve_fit)
def _curve_fit_type(
    f: Any, xdata: Any, ydata: Any, p0: Any = None, *rest: Any, **static: Any
) -> Type:
    if static.get("full_output"):
        return UNKNOWN
    (n,) = (None if none(p0) else unknowns(p0)) or (fresh(),)
    return Tuple((Array(_FLOAT, (n,)), Array(_FLOAT, (n, n))))


# ---- linear least squares


def _linear(
    of_x: Any, of_residuals: Any, a: Any, b: Any, x: Any, ok: Any, who: str, on: Any
) -> tuple[Any, Any, Any]:
    """The cotangents of the matrix and of the right-hand side, and those of variables on a bound,
    from those of what is found and of its residuals `a x - b`.
    """
    residuals, normal = a @ x - b, transposed(a) @ a
    slope = transposed(a) @ residuals
    whole = of_x if of_residuals is None else transposed(a) @ of_residuals
    if of_x is not None and of_residuals is not None:
        whole = whole + of_x
    free = np.where(np.equal(on.sides(slope, normal), 0), 1.0, 0.0)
    rows = np.expand_dims(free, 1) * normal + np.diag(1.0 - free)
    weights = np.linalg.solve(transposed(solved(rows, free * slope, x, ok, who)), whole)
    moved = -free * weights
    of_a, of_b = np.outer(residuals, moved) + np.outer(a @ moved, x), -(a @ moved)
    if of_residuals is not None:
        of_a, of_b = of_a + np.outer(of_residuals, x), of_b - of_residuals
    return of_a, of_b, (1.0 - free) * weights


def _matrix(a: Any, who: str) -> Any:
    a = emit(np.asarray, (a,)) if isinstance(type_of(a), List | Tuple) else a
    if not isinstance(type_of(a), Array):
        raise unsupported(f"`{who}` of a matrix that is no array", "give it an array")
    return a


def far_from_zero(norm: Any) -> Any:
    """`norm`, of residuals; raises where they are zero."""
    if not norm > 1e-12:
        raise not_there("the norm of residuals that are zero has no gradient")
    return norm


@rule(far_from_zero)
def _far(g: Any, y: Any, norm: Any) -> Any:
    return g


@result(far_from_zero)
def _norm(norm: Any) -> Type:
    return type_of(norm)


@rule(O.nnls, order="A b maxiter")
def nnls(g: Any, y: Any, A: Any, b: Any, maxiter: Any = None, atol: Any = None) -> Any:
    a, right, x = _matrix(A, "nnls"), _matrix(b, "nnls"), y[0]
    of_residuals: Any = None
    if g[1] is not None:
        of_residuals = g[1] * (a @ x - right) / emit(far_from_zero, (y[1],))
    on = held(x, (0.0, np.inf), None, ENDS)
    of_a, of_b, _ = _linear(g[0], of_residuals, a, right, x, True, "nnls", on)
    return nested(of_a, A), nested(of_b, b)


@result(O.nnls)
def _nnls(A: Any, b: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(A)
    n = shape[1] if shape and len(shape) == 2 else fresh()
    return Tuple((Array(_FLOAT, (n,)), Array(_FLOAT, ())))


@rule(O.lsq_linear, order="A b bounds? method tol lsq_solver lsmr_tol max_iter verbose")
def lsq_linear(
    g: Any,
    y: Any,
    A: Any,
    b: Any,
    bounds: Any,
    method: Any = "trf",
    tol: Any = None,
    lsq_solver: Any = None,
    lsmr_tol: Any = None,
    max_iter: Any = None,
    verbose: Any = 0,
    lsmr_maxiter: Any = None,
    fixed: Any = None,
) -> Any:
    of_x, of_cost, of_fun = attributes(g, "lsq_linear", "x", "cost", "fun")
    a, right, x = _matrix(A, "lsq_linear"), _matrix(b, "lsq_linear"), member(y, "x")
    if of_cost is not None:
        of_fun = of_cost * member(y, "fun") + (0.0 if of_fun is None else of_fun)
    given = (-np.inf, np.inf) if fixed is None and none(bounds) else bounds
    on = held(x, given, fixed, ENDS)
    ok = member(y, "success")
    of_a, of_b, bar = _linear(of_x, of_fun, a, right, x, ok, "lsq_linear", on)
    return nested(of_a, A), nested(of_b, b), of_bounds({BOUND: bar}, on)


bounded(O.lsq_linear)


@result(O.lsq_linear)
def _lsq_linear_type(A: Any, b: Any, *rest: Any, **static: Any) -> Type:
    shape, rows = shape_at(A), shape_at(b)
    n = shape[1] if shape and len(shape) == 2 else fresh()
    m = rows[0] if rows else fresh()
    vectors = (("x", Array(_FLOAT, (n,))), ("fun", Array(_FLOAT, (m,))))
    return Record(O.OptimizeResult, (*vectors, ("cost", Array(_FLOAT, ())), ("success", TRUTH)))


_CORNER = (
    "its solution is a corner, where as many constraints hold as there are unknowns: solve those "
    "with np.linalg.solve"
)
without_rule(_CORNER, O.linprog, O.milp)
without_rule("write its residuals for `least_squares`", O.leastsq)
