"""Roots, by the implicit function theorem.

Where `f(x, p) = 0`, the cotangent of p is that of `f` in p at the root, seeded with
`-(df/dx)^-T g` (A. Griewank and A. Walther, Evaluating Derivatives, 2008, chapter 15). It is the
derivative of the root itself, not of the steps of the solver, which need not have one; so where it
starts has none. That of a root of one equation may be differentiated again.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import emit, type_of
from ...ir.types import FLOAT, Array, Record, Type
from ..registry import call, result, rule, unsupported
from ..sizes import shape_at
from .callables import Pulled, arguments, checked, of_arguments

O: Any = importlib.import_module("scipy.optimize")  # noqa: E741


def _root(g: Any, x: Any, f: Any, args: Any, who: str) -> Any:
    """The cotangents of a function and of its further arguments from that of its root."""
    checked(f, who)
    pulled = Pulled(f, x, arguments(args))
    slope = pulled.bars(1.0)[1]
    bars = pulled.bars(np.divide(-g, slope))
    return bars.get(0), of_arguments(args, bars)


def _roots(g: Any, x: Any, f: Any, args: Any, who: str) -> Any:
    """The same of several equations."""
    checked(f, who)
    pulled = Pulled(f, x, arguments(args))
    place = pulled.wrt.index(1)
    bars = pulled.bars(call(runtime.implicit_seed, pulled.back, x, g, place))
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
        args: Any,
        a: Any = None,
        b: Any = None,
        k: Any = 1,
        xtol: Any = None,
        rtol: Any = None,
        maxiter: Any = None,
        full_output: Any = False,
        disp: Any = True,
    ) -> Any:
        _no_report(full_output)
        return _root(g, y, f, args, fn.__name__)

    @result(fn)
    def type_after(*args: Any, **static: Any) -> Type:
        return FLOAT


for _fn in (O.brentq, O.brenth, O.bisect, O.ridder):
    _bracketed(_fn, _BRACKETED)
_bracketed(O.toms748, "f a b args? k xtol rtol maxiter full_output disp")


@rule(O.newton, order="func x0 fprime args? tol maxiter fprime2 x1 rtol full_output disp")
def newton(
    g: Any,
    y: Any,
    func: Any,
    args: Any,
    x0: Any = None,
    fprime: Any = None,
    tol: Any = None,
    maxiter: Any = None,
    fprime2: Any = None,
    x1: Any = None,
    rtol: Any = None,
    full_output: Any = False,
    disp: Any = True,
) -> Any:
    _no_report(full_output)
    if shape_at(x0) != ():
        raise unsupported("`newton` of several roots at once", "call it in a loop")
    return _root(g, y, func, args, "newton")


@result(O.newton)
def _newton(func: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    return Array(None, shape_at(x0))


@rule(
    O.fsolve, order="func x0 args? fprime full_output col_deriv xtol maxfev band epsfcn factor diag"
)
def fsolve(
    g: Any,
    y: Any,
    func: Any,
    args: Any,
    x0: Any = None,
    fprime: Any = None,
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
    return _roots(g, y, func, args, "fsolve")


@result(O.fsolve)
def _fsolve(func: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(x0)
    return Array(np.dtype(float), shape if shape else (1,) if shape == () else None)


# ---- results with more than the root


def _attribute(g: Any, name: str, who: str) -> Any:
    """The cotangent of the root; no other attribute may have one."""
    if not isinstance(g, dict) or any(v is not None for k, v in g.items() if k != name):
        raise unsupported(f"`{who}` in what is not its `.{name}`")
    return g.get(name)


def _member(y: Any, name: str) -> Any:
    got = emit(getattr, (y, name))
    t = type_of(y)
    got.type = dict(t.fields)[name] if isinstance(t, Record) else got.type
    return got


@rule(
    O.root_scalar,
    order="f args? method bracket fprime fprime2 x0 x1 xtol rtol maxiter options",
)
def root_scalar(
    g: Any,
    y: Any,
    f: Any,
    args: Any,
    method: Any = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: Any = None,
    rtol: Any = None,
    maxiter: Any = None,
    options: Any = None,
) -> Any:
    if fprime is True or fprime2 is True:
        raise unsupported("`root_scalar` of a function that returns its derivatives too")
    bar = _attribute(g, "root", "root_scalar")
    return _root(bar, _member(y, "root"), f, args, "root_scalar")


@result(O.root_scalar)
def _root_scalar(*args: Any, **static: Any) -> Type:
    return Record(O.RootResults, (("root", Array(np.dtype(float), ())),))


@rule(O.root, order="fun x0 args? method jac tol callback options")
def root(
    g: Any,
    y: Any,
    fun: Any,
    args: Any,
    x0: Any = None,
    method: Any = "hybr",
    jac: Any = None,
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    if jac is True:
        raise unsupported("`root` of a function that returns its Jacobian too")
    bar = _attribute(g, "x", "root")
    return _roots(bar, _member(y, "x"), fun, args, "root")


@result(O.root)
def _root_type(fun: Any, x0: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(x0)
    known = shape if shape else (1,) if shape == () else None
    return Record(O.OptimizeResult, (("x", Array(np.dtype(float), known)),))


@result(runtime.implicit_seed)
def _seed(back: Any, x: Any, g: Any, place: Any) -> Type:
    return Array(np.dtype(float), shape_at(x))
