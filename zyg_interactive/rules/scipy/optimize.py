"""Roots, by the implicit function theorem.

Where `f(x, p) = 0`, the cotangent of p is that of `f` in p at the root, seeded with
`-(df/dx)^-T g` (A. Griewank and A. Walther, Evaluating Derivatives, 2008, chapter 15). It is the
derivative of the root itself, not of the steps of the solver, which need not have one; so where it
starts has none. What the solver has not found is refused at the run.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...ir.types import FLOAT, Array, Record, Type, fresh
from ..registry import constant, result, rule, unsupported
from ..sizes import shape_at
from . import fits as fits  # its rules
from .callables import Pulled, arguments, checked, of_arguments
from .makers import Maker, off_itself, vector_of
from .minima import unknowns
from .solved import TRUTH, attributes, member, solved, through

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741


constant(O.linear_sum_assignment)


def _root(
    g: Any, x: Any, f: Any, args: Any, who: str, ok: Any = True, makers: tuple[Maker, ...] = ()
) -> Any:
    """The cotangents of a function and of its further arguments from that of its root; `makers`:
    what makes of the function the one whose root that is.
    """
    checked(f, who)
    pulled = Pulled(f, x, arguments(args), *makers)
    slope = solved(pulled.bars(1.0)[1], pulled.value, x, ok, who)
    bars = pulled.bars(np.divide(-g, slope))
    return bars.get(0), of_arguments(args, bars)


def _roots(
    g: Any, x: Any, f: Any, args: Any, who: str, ok: Any = True, makers: tuple[Maker, ...] = ()
) -> Any:
    """The same of several equations."""
    checked(f, who)
    like = Array(np.dtype(float), shape_at(x))
    pulled = Pulled(f, x, arguments(args), *makers, vector_of, like=like)
    bars = through(pulled, g, None, x, ok, who)
    return bars.get(0), of_arguments(args, bars)


def _no_report(full_output: Any) -> None:
    if full_output is not False and full_output != 0:
        raise unsupported("a root with full_output=True", "leave it out")


_BRACKETED = "f a b args? xtol rtol maxiter full_output disp"


def _bracketed(fn: Any, order: str) -> None:
    @rule(fn, order=order)
    def pullback(
        g: Any,
        y: Any,
        f: Any,
        a: Any,
        b: Any,
        args: Any,
        k: Any = 1,
        xtol: Any = None,
        rtol: Any = None,
        maxiter: Any = None,
        full_output: Any = False,
        disp: Any = True,
    ) -> Any:
        _no_report(full_output)
        f_bar, args_bar = _root(g, y, f, args, fn.__name__)
        return f_bar, None, None, args_bar

    @result(fn)
    def type_after(*args: Any, **static: Any) -> Type:
        return FLOAT


for _fn in (O.brentq, O.brenth, O.bisect, O.ridder):
    _bracketed(_fn, _BRACKETED)
_bracketed(O.toms748, "f a b args? k xtol rtol maxiter full_output disp")


@rule(O.newton, order="func x0 fprime? args? tol maxiter fprime2? x1? rtol full_output disp")
def newton(
    g: Any,
    y: Any,
    func: Any,
    x0: Any,
    fprime: Any,
    args: Any,
    fprime2: Any,
    x1: Any,
    tol: Any = None,
    maxiter: Any = None,
    rtol: Any = None,
    full_output: Any = False,
    disp: Any = True,
) -> Any:
    _no_report(full_output)
    if shape_at(x0) != ():
        raise unsupported("`newton` of several roots at once", "call it in a loop")
    f_bar, args_bar = _root(g, y, func, args, "newton")
    return f_bar, None, None, args_bar, None, None


@result(O.newton)
def _newton(func: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    return Array(None, shape_at(x0))


@rule(O.fixed_point, order="func x0 args? xtol maxiter method")
def fixed_point(
    g: Any,
    y: Any,
    func: Any,
    x0: Any,
    args: Any,
    xtol: Any = None,
    maxiter: Any = None,
    method: Any = "del2",
) -> Any:
    one = shape_at(x0) == ()
    find = _root if one else _roots
    f_bar, args_bar = find(g, y, func, args, "fixed_point", True, (off_itself,))
    return f_bar, None, args_bar


@result(O.fixed_point)
def _fixed_point(func: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    return Array(None, shape_at(x0))


@rule(
    O.fsolve,
    order="func x0 args? fprime? full_output col_deriv xtol maxfev band epsfcn factor diag",
)
def fsolve(
    g: Any,
    y: Any,
    func: Any,
    x0: Any,
    args: Any,
    fprime: Any,
    full_output: Any = 0,
    col_deriv: Any = 0,
    xtol: Any = None,
    maxfev: Any = 0,
    band: Any = None,
    epsfcn: Any = None,
    factor: Any = 100,
    diag: Any = None,
) -> Any:
    _no_report(full_output)
    f_bar, args_bar = _roots(g, y, func, args, "fsolve")
    return f_bar, None, args_bar, None


@result(O.fsolve)
def _fsolve(func: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    return Array(np.dtype(float), unknowns(x0) or (fresh(),))


# ---- results with more than the root


@rule(
    O.root_scalar,
    order="f args? method bracket? fprime? fprime2? x0? x1? xtol rtol maxiter options",
)
def root_scalar(
    g: Any,
    y: Any,
    f: Any,
    args: Any,
    bracket: Any,
    fprime: Any,
    fprime2: Any,
    x0: Any,
    x1: Any,
    method: Any = None,
    xtol: Any = None,
    rtol: Any = None,
    maxiter: Any = None,
    options: Any = None,
) -> Any:
    if fprime is True or fprime2 is True:
        raise unsupported("`root_scalar` of a function that returns its derivatives too")
    (bar,) = attributes(g, "root_scalar", "root")
    ok = member(y, "converged")
    f_bar, args_bar = _root(bar, member(y, "root"), f, args, "root_scalar", ok)
    return f_bar, args_bar, None, None, None, None, None


@result(O.root_scalar)
def _root_scalar(*args: Any, **static: Any) -> Type:
    return Record(O.RootResults, (("root", Array(np.dtype(float), ())), ("converged", TRUTH)))


@rule(O.root, order="fun x0 args? method jac? tol callback options")
def root(
    g: Any,
    y: Any,
    fun: Any,
    x0: Any,
    args: Any,
    jac: Any,
    method: Any = "hybr",
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    if jac is True:
        raise unsupported("`root` of a function that returns its Jacobian too")
    (bar,) = attributes(g, "root", "x")
    f_bar, args_bar = _roots(bar, member(y, "x"), fun, args, "root", member(y, "success"))
    return f_bar, None, args_bar, None


@result(O.root)
def _root_type(fun: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    return Record(
        O.OptimizeResult, (("x", Array(np.dtype(float), unknowns(x0))), ("success", TRUTH))
    )
