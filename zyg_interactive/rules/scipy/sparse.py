"""Products with sparse matrices and systems of them, in what is dense.

The adjoint is the product with the conjugate transpose, or the system of it. In the entries of a
sparse matrix there is no rule: SciPy may sort them and sum duplicates while it solves, so that they
no longer stand where they were given.
"""

from __future__ import annotations

import importlib
from typing import Any

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, fresh
from ..registry import call, in_argument, rank_of, result, rule, unsupported
from ..sizes import shape_at

SP: Any = importlib.import_module("scipy.sparse")
SOLVERS: Any = importlib.import_module("scipy.sparse.linalg")
TIMES: Any = SP.csr_array.__matmul__
DOT: Any = SP.csr_array.dot


def adjoint_times(matrix: Any, x: Any) -> Any:
    """The conjugate transpose of a sparse matrix, times `x`."""
    return matrix.conj().T @ x


def adjoint_solve(matrix: Any, x: Any) -> Any:
    """What the conjugate transpose of a sparse matrix, times it, makes `x`."""
    return SOLVERS.spsolve(matrix.conj().T.tocsc(), x)


def _dense(x: Any) -> None:
    if not isinstance(type_of(x), Array) or rank_of(x) not in (1, 2):
        raise unsupported("a product of a sparse matrix with other than a vector or matrix")


@rule(TIMES, DOT, SP.coo_array.dot)
def times(g: Any, y: Any, self: Any, other: Any) -> Any:
    _dense(other)
    return in_argument(TIMES, 0), call(adjoint_times, self, g)


@rule(adjoint_times)
def times_back(g: Any, y: Any, matrix: Any, x: Any) -> Any:
    return in_argument(TIMES, 0), call(TIMES, matrix, g)


@rule(SOLVERS.spsolve, order="A b permc_spec use_umfpack")
def spsolve(g: Any, y: Any, A: Any, b: Any, permc_spec: Any = None, use_umfpack: Any = True) -> Any:
    _dense(b)
    return in_argument(SOLVERS.spsolve, 0), call(adjoint_solve, A, g)


@rule(adjoint_solve)
def solve_back(g: Any, y: Any, matrix: Any, x: Any) -> Any:
    return in_argument(SOLVERS.spsolve, 0), call(SOLVERS.spsolve, matrix, g)


@result(TIMES, DOT, SP.coo_array.dot, adjoint_times)
def _product(matrix: Any, x: Any) -> Type:
    shape = shape_at(x)
    known = isinstance(type_of(x), Array) and shape is not None
    return Array(None, (fresh(), *shape[1:])) if known and shape is not None else UNKNOWN


@result(SOLVERS.spsolve, adjoint_solve)
def _solution(matrix: Any, b: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(b)
    return Array(None, shape) if isinstance(type_of(b), Array) and shape else UNKNOWN
