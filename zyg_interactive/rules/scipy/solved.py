"""What solves equations: its results, the check that it has solved them, and the implicit function
theorem, `dx = -(dF/dx)^-1 dF/dp dp` where `F(x, p) = 0`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ...ir.core import Value, emit, type_of
from ...ir.types import Record, Scalar, Type
from ..contractions import transposed
from ..registry import result, rule, unsupported
from .callables import Pulled, not_there

TRUTH = Scalar("bool")
# The key of the cotangents of variables that are held, among those of a callee (0) and arguments.
BOUND = -1
# How far, in the size of the unknowns, Newton's next step may lead.
NEAR = 1e-3


def attributes(g: Any, who: str, *names: str) -> tuple[Any, ...]:
    """The cotangents of these attributes of a result; no other may have one."""
    t = type_of(g)
    if isinstance(g, Value) and isinstance(t, Record):  # of a result that a branch has used
        g = {k: member(g, k) for k, _ in t.fields}
    if not isinstance(g, dict) or any(v is not None for k, v in g.items() if k not in names):
        known = " and ".join(f"`.{name}`" for name in names)
        raise unsupported(f"`{who}` in what is not its {known}")
    return tuple(g.get(name) for name in names)


def member(y: Any, name: str) -> Any:
    got = emit(getattr, (y, name))
    t = type_of(y)
    got.type = dict(t.fields)[name] if isinstance(t, Record) else got.type
    return got


def is_solved(jacobian: Any, residual: Any, x: Any, ok: Any, who: str) -> Any:
    """The Jacobian; raises where `x` is no isolated solution: where the solver says so, or the step
    of Newton's method from there is long.
    """
    if not ok:
        raise not_there(f"`{who}` has not converged: its result has no gradient")
    if np.ndim(x) > 1 or (np.ndim(x) and np.iscomplexobj(x)):
        raise not_there(f"`{who}` of unknowns that are no real vector has no gradient")
    n = np.size(x)
    square = np.reshape(jacobian[:n] if np.ndim(jacobian) else jacobian, (n, n))
    if not np.all(np.isfinite(square)) or np.linalg.cond(square) > 1e14:
        raise not_there(
            f"what `{who}` has found is not the only solution near it: its Jacobian is singular"
        )
    step = np.linalg.solve(square, np.ravel(residual)[:n])
    if np.max(np.abs(step), initial=0.0) > NEAR * (1 + np.max(np.abs(x), initial=0.0)):
        raise not_there(
            f"what `{who}` has found is no solution, or not close to one: it has no gradient",
            "give it smaller tolerances, another start, or a function that is smooth there",
        )
    return jacobian


@rule(is_solved)
def _is_solved(g: Any, y: Any, jacobian: Any, residual: Any, x: Any, ok: Any, who: Any) -> Any:
    return g, None, None, None, None


@result(is_solved)
def _same_type(jacobian: Any, *rest: Any) -> Type:
    return type_of(jacobian)


def solved(jacobian: Any, residual: Any, x: Any, ok: Any, who: str) -> Any:
    return emit(is_solved, (jacobian, residual, x, ok, who))


def if_found(x: Any, ok: Any, who: str) -> Any:
    """`x`, which a solver has found; raises where it says that it has not."""
    return emit(_checked, (x, ok, who))


def _checked(x: Any, ok: Any, who: str) -> Any:
    if not ok:
        raise not_there(f"`{who}` has failed: its result has no gradient")
    return x


@rule(_checked)
def _as_it_is(g: Any, y: Any, x: Any, ok: Any, who: Any) -> Any:
    return g, None, None


result(_checked)(_same_type)


class Held(Protocol):
    def sides(self, slope: Any, curved: Any) -> Any:
        """Of each unknown: 0 where it is free."""


def through(
    pulled: Pulled, g: Any, out: Any, x: Any, ok: Any, who: str, held: Held | None = None
) -> dict[int, Any]:
    """The cotangents of a function `F, h` of `x` and parameters, and of its further arguments.
    `F(x) = 0`, of as many elements as `x`; `g` and `out` are the cotangents of `x` and of `h`.
    `held` may tell that some elements of `x` stay on bounds: there F need not be zero, and their
    cotangents are BOUND.
    """
    n = np.shape(x)[0]
    jacobian, residual = pulled.jacobian(n), pulled.value
    whole = g
    if out is not None:
        jacobian, others = jacobian[:n], jacobian[n:]
        of_x = transposed(others) @ out
        whole = of_x if g is None else g + of_x
        residual = residual[:n]
    if held is None:
        weights = np.linalg.solve(transposed(solved(jacobian, residual, x, ok, who)), whole)
        seed, bars = -weights, {}
    else:
        free = np.where(np.equal(held.sides(residual, jacobian), 0), 1.0, 0.0)
        rows = np.expand_dims(free, 1) * jacobian + np.diag(1.0 - free)
        weights = np.linalg.solve(transposed(solved(rows, free * residual, x, ok, who)), whole)
        seed, bars = -free * weights, {BOUND: (1.0 - free) * weights}
    return bars | pulled.bars(seed if out is None else np.concatenate((seed, out)))


__all__ = ["BOUND", "NEAR", "TRUTH", "attributes", "if_found", "member", "solved", "through"]
