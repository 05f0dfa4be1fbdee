"""Cotangents of sparse matrices, and the linear maps between these and arrays.

A result of `A @ x` with the cotangent `g` has `outer(g, conj(x))` as that of `A`. To write it out
would fill the matrix; to write out what stands where `A` has entries would lose those that are zero
today, which SciPy drops as it adds and converts. So it is kept by its factors until somebody asks
for entries by their places: those that the program gave.

Matrices and their cotangents are dual. Each function here takes either, and the cotangent of what
it makes of the one is the other: so all of them may be differentiated again.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import runtime
from ...ir.types import Array
from ..registry import FOLLOWED, call, conj, result, rule
from ..sizes import shape_at

SP: Any = importlib.import_module("scipy.sparse")


class Factors:
    """A matrix as a sum of products `a @ b.T`, of arrays `(n, k)` and `(m, k)`, and of a sparse
    one.
    """

    __slots__ = ("pairs", "rest", "shape")

    def __init__(self, shape: tuple[int, int], pairs: Any = (), rest: Any = None):
        self.shape, self.pairs, self.rest = shape, tuple(pairs), rest

    def __add__(self, other: Any) -> Factors:
        x = other if isinstance(other, Factors) else Factors(self.shape, rest=other)
        rest = [r for r in (self.rest, x.rest) if r is not None]
        return Factors(self.shape, self.pairs + x.pairs, sum(rest[1:], rest[0]) if rest else None)

    __radd__ = __add__


FOLLOWED.add(Factors)
runtime.ZEROS[Factors] = lambda x: SP.csr_array(x.shape)


def _mapped(x: Any, shape: Any, a_to: Callable[..., Any], rest_to: Callable[..., Any]) -> Any:
    """A linear map of a matrix, of its factors and of what is sparse."""
    if not isinstance(x, Factors):
        return rest_to(x)
    rest = None if x.rest is None else rest_to(x.rest)
    return Factors(shape, (a_to(a, b) for a, b in x.pairs), rest)


# ---- entries, by their places


def entries(x: Any, i: Any, j: Any) -> Any:
    """`x[i, j]`, of whole numbers `i` and `j`; zero where a sparse matrix has no entry."""
    i, j = np.asarray(i), np.asarray(j)
    if not isinstance(x, Factors):
        at = SP.csr_matrix(x)[i, j] if i.size else np.zeros(0, x.dtype)
        return np.asarray(at).ravel()
    parts = [np.einsum("nk,nk->n", a[i], b[j]) for a, b in x.pairs]
    parts += [] if x.rest is None else [entries(x.rest, i, j)]
    return sum(parts[1:], parts[0]) if parts else np.zeros(i.size)


def placed(v: Any, i: Any, j: Any, like: Any) -> Any:
    """A sparse matrix with the entries `v` at these places, of the shape of `like`."""
    n, m = like.shape
    i, j = np.asarray(i), np.asarray(j)
    at = (np.where(i < 0, i + n, i), np.where(j < 0, j + m, j))
    return SP.csr_array((v, at), shape=(n, m))


@rule(entries)
def _entries(g: Any, y: Any, x: Any, i: Any, j: Any) -> Any:
    return call(placed, g, i, j, x), None, None


@rule(placed)
def _placed(g: Any, y: Any, v: Any, i: Any, j: Any, like: Any) -> Any:
    return call(entries, g, i, j), None, None, None


def like(c: Any, matrix: Any) -> Any:
    """A cotangent where a matrix has entries, of the class of that."""
    at = matrix.tocoo()
    return type(matrix)(placed(entries(c, at.row, at.col), at.row, at.col, matrix))


result(entries)(lambda x, i, j: Array(None, shape_at(i)))


def rows_of(indptr: Any) -> Any:
    """The row of each entry of a compressed matrix."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _places(shape: tuple[int, int], k: int) -> tuple[Any, Any]:
    """The rows and columns of a diagonal."""
    count = max(min(shape[0] + min(k, 0), shape[1] - max(k, 0)), 0)
    return np.arange(count) - min(k, 0), np.arange(count) + max(k, 0)


def diagonal(x: Any, k: int, like: Any) -> Any:
    """The entries on a diagonal, of the shape of `like`; their sum where that is one number."""
    v = entries(x, *_places(x.shape, k))
    return v if np.size(like) == len(v) else np.full(np.shape(like), np.sum(v))


def on_diagonal(v: Any, k: int, like: Any) -> Any:
    """A sparse matrix with these entries on a diagonal, of the shape of `like`."""
    i, j = _places(like.shape, k)
    return placed(np.broadcast_to(v, i.shape), i, j, like)


@rule(diagonal)
def _diagonal(g: Any, y: Any, x: Any, k: Any, like: Any) -> Any:
    return call(on_diagonal, g, k, x), None, None


@rule(on_diagonal)
def _on_diagonal(g: Any, y: Any, v: Any, k: Any, like: Any) -> Any:
    return call(diagonal, g, k, v), None, None


result(diagonal)(lambda x, k, like: Array(None, shape_at(like)))

# ---- rows and columns


def lines(key: Any, shape: tuple[int, int]) -> tuple[Any, Any]:
    """The rows and columns that `x[key]` takes."""
    both = key if isinstance(key, tuple) else (key, slice(None))
    i, j = (np.ravel(np.arange(n)[k]) for k, n in zip(both, shape, strict=True))
    return i, j


def cut(x: Any, key: Any) -> Any:
    """Some of the rows and columns."""
    i, j = lines(key, x.shape)
    return _mapped(x, (len(i), len(j)), lambda a, b: (a[i], b[j]), lambda s: s.tocsr()[i][:, j])


def pasted(x: Any, key: Any, like: Any) -> Any:
    """What was cut, in its place in a matrix of the shape of `like`."""
    n, m = like.shape
    i, j = lines(key, (n, m))

    def rows(count: int, at: Any, c: Any) -> Any:
        whole = np.zeros((count, c.shape[1]), c.dtype)
        np.add.at(whole, at, c)
        return whole

    def sparse(s: Any) -> Any:
        at = s.tocoo()
        return placed(at.data, i[at.row], j[at.col], like)

    return _mapped(x, (n, m), lambda a, b: (rows(n, i, a), rows(m, j, b)), sparse)


@rule(cut)
def _cut(g: Any, y: Any, x: Any, key: Any) -> Any:
    return call(pasted, g, key, x), None


@rule(pasted)
def _pasted(g: Any, y: Any, x: Any, key: Any, like: Any) -> Any:
    return call(cut, g, key), None, None


# ---- products with arrays


def outer(a: Any, b: Any) -> Any:
    """The cotangent with the factors `a: (n,) | (n, k)` and `b: (m,) | (m, k)`."""
    n, m = len(a), len(b)
    return Factors((n, m), [(np.reshape(a, (n, -1)), np.reshape(b, (m, -1)))])


def times(x: Any, v: Any) -> Any:
    """A sparse matrix, times an array."""
    return x @ v


@rule(outer)
def _outer(g: Any, y: Any, a: Any, b: Any) -> Any:
    return call(times, g, conj(b)), call(times, call(transposed, g), conj(a))


@rule(times)
def _times(g: Any, y: Any, x: Any, v: Any) -> Any:
    return call(outer, g, conj(v)), call(times, call(adjoint, x), g)


# ---- of one matrix, another one


def transposed(x: Any) -> Any:
    return _mapped(x, x.shape[::-1], lambda a, b: (b, a), lambda s: s.T)


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    return conjugated(transposed(x))


def scaled(x: Any, c: Any) -> Any:
    """A matrix, times a number."""
    return _mapped(x, x.shape, lambda a, b: (a * c, b), lambda s: s * c)


@rule(transposed)
def _transposed(g: Any, y: Any, x: Any) -> Any:
    return call(transposed, g)


@rule(adjoint)
def _adjoint(g: Any, y: Any, x: Any) -> Any:
    return call(adjoint, g)


@rule(scaled)
def _scaled(g: Any, y: Any, x: Any, c: Any) -> Any:
    return call(scaled, g, conj(c)), call(inner, x, g)


# ---- of two matrices


def inner(x: Any, y: Any) -> Any:
    """The sum of `conj(x) * y`, of which one is sparse."""
    if isinstance(x, Factors):
        return np.conj(inner(y, x))
    at = x.tocoo()
    return np.sum(np.conj(at.data) * entries(y, at.row, at.col))


def product(x: Any, y: Any) -> Any:
    """`x @ y`, of which one is sparse."""
    if isinstance(y, Factors):
        shape = (x.shape[0], y.shape[1])
        return _mapped(y, shape, lambda a, b: (x @ a, b), lambda s: x @ s)
    return _mapped(x, (x.shape[0], y.shape[1]), lambda a, b: (a, y.T @ b), lambda s: s @ y)


def together(x: Any, y: Any) -> Any:
    """`x * y`, entry by entry, of which one is sparse."""
    x, y = (y, x) if isinstance(x, Factors) else (x, y)
    at = x.tocoo()
    return placed(at.data * entries(y, at.row, at.col), at.row, at.col, x)


def conjugated(x: Any) -> Any:
    return _mapped(x, x.shape, lambda a, b: (np.conj(a), np.conj(b)), lambda s: s.conj(copy=False))


@rule(inner)
def _inner(g: Any, s: Any, x: Any, y: Any) -> Any:
    return call(scaled, y, conj(g)), call(scaled, x, g)


@rule(product)
def _product(g: Any, p: Any, x: Any, y: Any) -> Any:
    return call(product, g, call(adjoint, y)), call(product, call(adjoint, x), g)


@rule(together)
def _together(g: Any, p: Any, x: Any, y: Any) -> Any:
    return call(together, g, call(conjugated, y)), call(together, call(conjugated, x), g)


@rule(conjugated)
def _conjugated(g: Any, y: Any, x: Any) -> Any:
    return call(conjugated, g)


# ---- between sparse and dense


def filled(x: Any) -> Any:
    """A sparse matrix as an array."""
    return x.toarray()


def thinned(x: Any) -> Any:
    """An array as a sparse matrix: the cotangent of one that was filled."""
    return SP.csr_array(x)


@rule(filled)
def _filled(g: Any, y: Any, x: Any) -> Any:
    return call(thinned, g)


@rule(thinned)
def _thinned(g: Any, y: Any, x: Any) -> Any:
    return call(filled, g)


result(filled)(lambda x: Array(None, None))
