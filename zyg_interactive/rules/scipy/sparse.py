"""Sparse matrices: made of their entries, converted, added and multiplied; systems of them.

Values are SciPy's; the cotangents of matrices are those of `entries`, and a factorisation has that
of the matrix it is of. (The adjoint of a solution: M. B. Giles 2008, "An extended collection of
matrix derivative results for forward and reverse mode AD", section 2.3.)
"""

from __future__ import annotations

import ast
import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...frontend.fence import refused
from ...ir.core import Atom, type_of
from ...ir.types import UNKNOWN, Array, List, Other, Scalar, Tuple, Type, fresh
from ..registry import (
    FOLLOWED,
    LOWERED,
    METHOD_NAMES,
    call,
    conj,
    constant,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sequences import nested
from ..sizes import decided, members, rebuilt, shape_at
from .entries import (
    Factors,
    adjoint,
    conjugated,
    diagonal,
    entries,
    inner,
    like,
    on_diagonal,
    outer,
    pasted,
    placed,
    product,
    rows_of,
    scaled,
    thinned,
    times,
    together,
    transposed,
)

SP: Any = importlib.import_module("scipy.sparse")
SOLVERS: Any = importlib.import_module("scipy.sparse.linalg")
FORMATS = ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")
ARRAYS, MATRICES = ([getattr(SP, f"{f}_{kind}") for f in FORMATS] for kind in ("array", "matrix"))
CLASSES = (*ARRAYS, *MATRICES)
LU: Any = type(SOLVERS.splu(SP.eye_array(1, format="csc")))
FOLLOWED.update(CLASSES, (LU,))
runtime.ZEROS.update(dict.fromkeys((*CLASSES, LU), lambda x: Factors(x.shape)))
runtime.SHOWN.update(dict.fromkeys(CLASSES, like))
COMPRESSED = (SP.csr_array, SP.csc_array, SP.csr_matrix, SP.csc_matrix)
# The class of a transpose; of other classes it may depend on the release.
TURNED = {
    SP.csr_array: SP.csc_array,
    SP.csc_array: SP.csr_array,
    SP.csr_matrix: SP.csc_matrix,
    SP.csc_matrix: SP.csr_matrix,
    SP.coo_array: SP.coo_array,
    SP.coo_matrix: SP.coo_matrix,
}


def methods(*names: str) -> list[Any]:
    """What the classes have under these names, properties as functions."""
    found = {getattr(c, n, None): n for n in names for c in CLASSES}
    every = {}
    for f, name in found.items():
        if f is not None:
            every[getattr(f, "fget", f)] = f".{name}" if isinstance(f, property) else name
    METHOD_NAMES.update(every)
    return list(every)


def class_of(x: Any) -> Any:
    """The class of a sparse matrix; None of anything else."""
    t = type_of(x)
    cls = t.cls if isinstance(t, Other) else type(x)
    return cls if issubclass(cls, CLASSES) else None


constant(rows_of)
constant(*methods("shape", "ndim", "nnz", "format", "size", "count_nonzero", "nonzero"))

# ---- made of entries

MAKERS = [c for c in CLASSES if c.__name__[:3] in ("csr", "csc", "coo")]


def _maker(cls: Any) -> None:
    @rule(cls)
    def made(
        g: Any, y: Any, arg1: Any, shape: Any = None, dtype: Any = None, copy: Any = False
    ) -> Any:
        if class_of(arg1) is not None:
            return g
        if not isinstance(arg1, tuple) or len(arg1) not in (2, 3):
            what = "a sparse matrix that is made of an array"
            raise unsupported(what, "give the entries and their places")
        if len(arg1) == 2:
            data, (i, j) = arg1
            return ((_like_data(call(entries, g, i, j), data), (None, None)),)
        data, indices, indptr = arg1
        lines = call(rows_of, indptr)
        at = (indices, lines) if cls.__name__[:3] == "csc" else (lines, indices)
        return ((_like_data(call(entries, g, *at), data), None, None),)


def _like_data(c: Any, data: Any) -> Any:
    return nested(c, data) if isinstance(type_of(data), List | Tuple) else c


def _sharing(cls: Any) -> None:
    """In a function that changes arrays: what is made of some without a copy may be one of them."""

    def lowered(lowering: Any, args: Any, kwargs: dict[str, Atom], node: ast.AST) -> Atom:
        given = args[0] if args and isinstance(args[0], tuple) else ()
        shares = len(given) == 3 or (len(given) == 2 and cls.__name__.startswith("coo"))
        shares = shares and kwargs.get("copy") is not True
        if shares and lowering.heap is not None and lowering.heap.arrays:
            what = "a sparse matrix that shares its arrays in a function that changes some"
            raise refused(lowering.source, node, what, "write `copy=True`", "ZYG103")
        return lowering._known(cls, args, kwargs, node, None)

    LOWERED[cls] = lowered


for _c in MAKERS:
    _maker(_c)
    _sharing(_c)


def _makes(cls: Any) -> None:
    result(cls)(lambda *args, **static: Other(cls))


for _c in CLASSES:
    _makes(_c)


def _of_diagonals(fn: Any) -> None:
    @rule(fn, order="diagonals offsets shape format dtype")
    def diags(
        g: Any,
        y: Any,
        diagonals: Any,
        offsets: Any = 0,
        shape: Any = None,
        format: Any = None,
        dtype: Any = None,
    ) -> Any:
        at = decided(offsets)
        if isinstance(type_of(diagonals), Array):
            if rank_of(diagonals) != 1 or np.ndim(at):
                raise unsupported("diagonals that are the rows of an array", "give a list of them")
            return call(diagonal, g, int(at), diagonals)
        each = members(diagonals)
        if each is None:
            raise unsupported("a number of diagonals that only the run knows")
        if not np.ndim(at) and _number(each[0]):  # one, written out
            whole = call(np.asarray, diagonals)
            return (nested(call(diagonal, g, int(at), whole), diagonals),)
        bars = [call(diagonal, g, int(k), d) for k, d in zip(np.atleast_1d(at), each, strict=True)]
        return (rebuilt(diagonals, bars),)

    plain = fn is SP.diags

    @result(fn)
    def type_after(*args: Any, format: Any = None, **static: Any) -> Type:
        return Other(getattr(SP, f"{format or 'dia'}_{'matrix' if plain else 'array'}"))


for _fn in (SP.diags, SP.diags_array):
    _of_diagonals(_fn)


def _unit(fn: Any, kind: str) -> None:
    constant(fn)

    @result(fn)
    def type_after(*args: Any, format: Any = None, **static: Any) -> Type:
        return Other(getattr(SP, f"{format}_{kind}")) if format else UNKNOWN


_unit(SP.eye, "matrix")
_unit(SP.identity, "matrix")
_unit(SP.eye_array, "array")

# ---- of one matrix, another one


def _same_class(x: Any, *rest: Any, **static: Any) -> Type:
    cls = class_of(x)
    return UNKNOWN if cls is None else Other(cls)


def _turned(x: Any, *rest: Any, **static: Any) -> Type:
    cls = TURNED.get(class_of(x))
    return UNKNOWN if cls is None else Other(cls)


@rule(*methods("copy", "__pos__", *(f"to{f}" for f in FORMATS)))
def _converted(g: Any, y: Any, self: Any, copy: Any = False) -> Any:
    return g


@rule(*methods("asformat"))
def _asformat(g: Any, y: Any, self: Any, format: Any = None, copy: Any = False) -> Any:
    return g


result(*methods("copy", "__pos__"))(_same_class)


def _format(name: str) -> None:
    @result(*methods(f"to{name}"))
    def type_after(self: Any, *rest: Any, **static: Any) -> Type:
        cls = class_of(self)
        kind = "array" if cls in ARRAYS else "matrix"
        return UNKNOWN if cls is None else Other(getattr(SP, f"{name}_{kind}"))


for _name in FORMATS:
    _format(_name)


@rule(*methods("T", "transpose"))
def _transpose(g: Any, y: Any, self: Any, axes: Any = None, copy: Any = False) -> Any:
    return call(transposed, g)


result(*methods("T", "transpose"))(_turned)


@rule(*methods("conj", "conjugate"))
def _conjugate(g: Any, y: Any, self: Any, copy: Any = True) -> Any:
    return call(conjugated, g)


@rule(*methods("__neg__"))
def _negative(g: Any, y: Any, self: Any) -> Any:
    return call(scaled, g, -1.0)


result(*methods("conj", "conjugate", "__neg__"))(_same_class)


def _number(x: Any) -> bool:
    return isinstance(type_of(x), Scalar) or (isinstance(type_of(x), Array) and rank_of(x) == 0)


def _scaling(g: Any, y: Any, self: Any, other: Any) -> Any:
    if _number(other):
        return call(scaled, g, conj(other)), call(inner, self, g)
    if class_of(other) is not None:
        return call(together, g, call(conjugated, other)), call(together, g, call(conjugated, self))
    raise unsupported("the product of a sparse matrix and an array, entry by entry")


rule(*methods("multiply"), SP.csr_array.__mul__, SP.csr_array.__rmul__)(_scaling)


@rule(*methods("__truediv__"))
def _quotient(g: Any, y: Any, self: Any, other: Any) -> Any:
    if not _number(other):
        raise unsupported("a sparse matrix divided by other than a number")
    slope = call(inner, self, g) / conj(other) ** 2
    return call(scaled, g, 1 / conj(other)), -slope


def _after_scaling(self: Any, other: Any) -> Type:
    return _same_class(self) if _number(other) and class_of(self) in TURNED else UNKNOWN


result(*methods("multiply", "__mul__", "__rmul__", "__truediv__"))(_after_scaling)

# ---- sums


def _sum_rule(fn: Any, left: float, right: float) -> None:
    @rule(fn)
    def added(g: Any, y: Any, self: Any, other: Any) -> Any:
        if _number(other):  # zero: SciPy adds no other number
            return call(scaled, g, left), None
        if class_of(other) is None:
            if not isinstance(type_of(other), Array) or rank_of(other) != 2:
                raise unsupported("a sum of a sparse matrix and other than a matrix")
            return call(scaled, call(thinned, g), left), right * g
        return call(scaled, g, left), call(scaled, g, right)

    @result(fn)
    def type_after(self: Any, other: Any) -> Type:
        cls = class_of(self)
        known = cls is class_of(other) or isinstance(other, int)
        return Other(cls) if cls in TURNED and known else UNKNOWN


for _name, _left, _right in (
    ("__add__", 1.0, 1.0),
    ("__radd__", 1.0, 1.0),
    ("__sub__", 1.0, -1.0),
    ("__rsub__", -1.0, 1.0),
):
    for _fn in methods(_name):
        _sum_rule(_fn, _left, _right)

# ---- products


def _vectors(x: Any) -> None:
    if not isinstance(type_of(x), Array) or rank_of(x) not in (1, 2):
        raise unsupported("a product of a sparse matrix with other than a vector or matrix")


PRODUCTS = methods("__matmul__", "dot")


@rule(*PRODUCTS)
def _product(g: Any, y: Any, self: Any, other: Any) -> Any:
    if class_of(other) is not None:
        return call(product, g, call(adjoint, other)), call(product, call(adjoint, self), g)
    _vectors(other)
    return call(outer, g, conj(other)), call(times, call(adjoint, self), g)


@rule(*methods("__rmatmul__"))
def _from_left(g: Any, y: Any, self: Any, other: Any) -> Any:
    _vectors(other)
    rows = np.expand_dims(g, 0) if rank_of(other) == 1 else g
    given = np.expand_dims(other, 0) if rank_of(other) == 1 else other
    of_other = call(times, call(conjugated, self), np.transpose(g))
    return call(outer, np.transpose(conj(given)), np.transpose(rows)), np.transpose(of_other)


@rule(SP.csr_matrix.__mul__)  # of matrices it is the matrix product
def _star(g: Any, y: Any, self: Any, other: Any) -> Any:
    return (_scaling if _number(other) else _product)(g, y, self, other)


@rule(SP.csr_matrix.__rmul__)
def _star_from_left(g: Any, y: Any, self: Any, other: Any) -> Any:
    return (_scaling if _number(other) else _from_left)(g, y, self, other)


@result(*PRODUCTS)
def _after_product(self: Any, other: Any) -> Type:
    cls = class_of(self)
    if cls in TURNED and cls is class_of(other):
        return Other(cls) if cls in COMPRESSED else UNKNOWN
    shape = shape_at(other)
    if not isinstance(type_of(other), Array) or shape is None:
        return UNKNOWN
    return Array(None, (fresh(), *shape[1:]))


@result(times)
def _after_times(x: Any, v: Any) -> Type:
    shape = shape_at(v)
    return UNKNOWN if shape is None else Array(None, (fresh(), *shape[1:]))


# ---- what is dense


@rule(*methods("toarray", "todense"))
def _toarray(g: Any, y: Any, self: Any, order: Any = None, out: Any = None) -> Any:
    if out is not None:
        raise unsupported("`out=` of a sparse matrix", "leave it out")
    return call(thinned, g)


@result(*methods("toarray"))
def _two_axes(self: Any, *rest: Any, **static: Any) -> Type:
    return Array(None, (fresh(), fresh()))


@rule(*methods("diagonal"))
def _its_diagonal(g: Any, y: Any, self: Any, k: Any = 0) -> Any:
    return call(on_diagonal, g, k, self)


result(*methods("diagonal"))(lambda *args, **static: Array(None, (fresh(),)))


@rule(*methods("sum"))
def _sum(g: Any, y: Any, self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    cls = class_of(self)
    if cls in MATRICES and axis is not None:
        raise unsupported("the sum of a sparse matrix along an axis", "use a sparse array")
    return call(spread, g, self, axis)


def spread(g: Any, x: Any, axis: Any) -> Any:
    """The cotangent of a matrix from that of its sum."""
    n, m = x.shape
    rows, columns = np.ones(n), np.ones(m)
    if axis is None:
        return outer(g * rows, columns)
    return outer(rows, g) if axis in (0, -2) else outer(g, columns)


def gathered(x: Any, like: Any, axis: Any) -> Any:
    return x.sum(axis=axis)


@rule(spread)
def _spread(g: Any, y: Any, c: Any, x: Any, axis: Any) -> Any:
    return call(gathered, g, c, axis), None, None


@rule(gathered)
def _gathered(g: Any, y: Any, x: Any, like: Any, axis: Any) -> Any:
    return call(spread, g, x, axis), None, None


# ---- parts


def _ranks(key: Any) -> list[int]:
    """How many axes each index has; a slice has one, and is told by -1."""
    each = key if isinstance(key, tuple) else (key, slice(None))
    numbers = [isinstance(type_of(k), Scalar) for k in each]
    return [
        -1 if isinstance(k, slice) else 0 if number else rank_of(k)
        for k, number in zip(each, numbers, strict=True)
    ]


def _takes_lines(ranks: list[int]) -> bool:
    return ranks in ([2, 2], [-1, -1], [-1, 1], [1, -1])


@rule(*methods("__getitem__"))
def _part(g: Any, y: Any, self: Any, key: Any) -> Any:
    ranks = _ranks(key)
    if ranks == [0, 0]:
        return call(placed, *(call(np.reshape, c, (1,)) for c in (g, *key)), self), None
    if _takes_lines(ranks):
        return call(pasted, g, key, self), None
    raise unsupported("these entries of a sparse matrix", "write `A[i, j]`, `A[i : i + 1]`")


@result(*methods("__getitem__"))
def _after_part(self: Any, key: Any) -> Type:
    ranks = _ranks(key)
    if ranks == [0, 0]:
        return Array(None, ())
    return _same_class(self) if class_of(self) in COMPRESSED and _takes_lines(ranks) else UNKNOWN


# ---- systems


def adjoint_solve(matrix: Any, g: Any, b: Any) -> Any:
    """What the conjugate transpose of a sparse matrix, times it, makes `g`; of the shape of `b`."""
    return np.reshape(SOLVERS.spsolve(matrix.conj().T.tocsc(), g), np.shape(b))


def _by_matrix(weights: Any, y: Any) -> Any:
    """The cotangent of a matrix, from that of the right-hand side and the solution."""
    return call(scaled, call(outer, weights, conj(y)), -1.0)


@rule(SOLVERS.spsolve, order="A b permc_spec use_umfpack")
def _spsolve(
    g: Any, y: Any, A: Any, b: Any, permc_spec: Any = None, use_umfpack: Any = True
) -> Any:
    _vectors(b)
    weights = call(adjoint_solve, A, g, b)
    return _by_matrix(weights, y), weights


@rule(adjoint_solve)
def _adjoint_solve(g: Any, weights: Any, matrix: Any, c: Any, b: Any) -> Any:
    back = call(SOLVERS.spsolve, matrix, g)
    return _by_matrix(weights, back), back, None


@rule(SOLVERS.splu)
def _splu(g: Any, y: Any, A: Any, *, permc_spec: Any = None, diag_pivot_thresh: Any = None) -> Any:
    return g


ADJOINT = {"N": "H", "H": "N"}


@rule(LU.solve)
def _lu_solve(g: Any, y: Any, self: Any, rhs: Any, trans: Any = "N") -> Any:
    trans = decided(trans)
    if trans not in ADJOINT:
        raise unsupported(f"`solve` with trans={trans!r}", 'write "H", or solve with the transpose')
    weights = call(LU.solve, self, g, trans=ADJOINT[trans])
    pair = (weights, conj(y)) if trans == "N" else (y, conj(weights))
    return call(scaled, call(outer, *pair), -1.0), weights


result(SOLVERS.splu)(lambda *args, **static: Other(LU))


@result(LU.solve)
def _like_right(self: Any, rhs: Any, **static: Any) -> Type:
    return Array(None, shape_at(rhs))


@result(SOLVERS.spsolve)
def _solution(matrix: Any, b: Any, *rest: Any, **static: Any) -> Type:
    shape = shape_at(b)
    if not isinstance(type_of(b), Array) or not shape:
        return UNKNOWN
    return Array(None, shape) if len(shape) == 1 or shape[1:] != (1,) else Array(None, shape[:1])


@result(adjoint_solve)
def _like_b(matrix: Any, g: Any, b: Any) -> Type:
    return Array(None, shape_at(b))
