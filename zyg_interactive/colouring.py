"""Groups of columns, or rows, of a sparse matrix that one derivative gives at once, and its entries
from these.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from . import runtime
from .diagnostics import refuse

REMEMBERED = 32  # the colourings of so many patterns are kept


class Pattern(NamedTuple):
    """Where a matrix may be nonzero: its entries in order, row by row."""

    shape: tuple[int, int]
    rows: Any
    columns: Any

    @property
    def mirrored(self) -> Pattern:
        order = np.lexsort((self.rows, self.columns))
        return Pattern(self.shape[::-1], self.columns[order], self.rows[order])

    @property
    def symmetric(self) -> Pattern:
        """With the mirror of each entry, and the diagonal."""
        n = self.shape[0]
        rows, columns = (
            np.concatenate([a, b, np.arange(n)])
            for a, b in ((self.rows, self.columns), (self.columns, self.rows))
        )
        keys = np.unique(rows * n + columns)
        return Pattern(self.shape, keys // max(n, 1), keys % max(n, 1))

    def times(self, values: Any, v: Any) -> Any:
        """The matrix with these values times a vector."""
        found = np.zeros(self.shape[0], np.result_type(values, v))
        np.add.at(found, self.rows, values * v[self.columns])
        return found

    def filled(self, values: Any) -> Any:
        found = np.zeros(self.shape, values.dtype)
        found[self.rows, self.columns] = values
        return found

    def lists(self) -> list[Any]:
        """The columns of the entries of each row."""
        if not self.shape[0]:
            return []
        ends = np.searchsorted(self.rows, np.arange(1, self.shape[0]))
        return [part.tolist() for part in np.split(self.columns, ends)]


def of_matrix(matrix: Any) -> Pattern:
    return Pattern(matrix.shape, *np.nonzero(matrix))


def groups_of_columns(pattern: Pattern) -> Any:
    """A number for each column; columns of one number have no row in common.

    A greedy choice, columns with many entries first (A. R. Curtis, M. J. D. Powell, J. K. Reid, On
    the estimation of sparse Jacobian matrices, 1974).
    """
    return _remembered(_groups_of_columns, pattern)


def star_groups(pattern: Pattern) -> Any:
    """A number for each row of a symmetric pattern with a full diagonal, so that of each two
    entries that mirror each other one can be read: neighbours differ, and no path of four has two
    numbers alone (A. H. Gebremedhin, F. Manne, A. Pothen, What color is your Jacobian?, 2005,
    algorithm 4.1).
    """
    return _remembered(_star_groups, pattern)


def _remembered(make: Any, pattern: Pattern) -> Any:
    return _kept(make, pattern.shape, pattern.rows.tobytes(), pattern.columns.tobytes())


@functools.lru_cache(REMEMBERED)
def _kept(make: Any, shape: tuple[int, int], rows: bytes, columns: bytes) -> Any:
    return make(Pattern(shape, *(np.frombuffer(b, np.intp) for b in (rows, columns))))


def _groups_of_columns(pattern: Pattern) -> Any:
    rows_of = pattern.mirrored.lists()
    met: list[set[int]] = [set() for _ in range(pattern.shape[0])]  # the groups that a row has
    found = np.zeros(len(rows_of), int)
    for j in sorted(range(len(rows_of)), key=lambda j: -len(rows_of[j])):
        k = _least_but(set().union(*(met[i] for i in rows_of[j])))
        found[j] = k
        for i in rows_of[j]:
            met[i].add(k)
    return found


def _star_groups(pattern: Pattern) -> Any:
    near = [[w for w in row if w != v] for v, row in enumerate(pattern.lists())]
    found = [-1] * len(near)
    for v in range(len(near)):
        taken: set[int] = set()
        for w in near[v]:
            if found[w] >= 0:
                taken.add(found[w])
            for x in near[w]:
                if x == v or found[x] < 0:
                    continue
                if found[w] < 0 or any(y != w and found[y] == found[w] for y in near[x]):
                    taken.add(found[x])
        found[v] = _least_but(taken)
    return np.array(found, int)


def _least_but(taken: set[int]) -> int:
    k = 0
    while k in taken:
        k += 1
    return k


def seeds_of(groups: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """For each group the sum of its unit vectors."""
    count = int(groups.max(initial=-1)) + 1
    return [np.reshape((groups == k).astype(dtype), shape) for k in range(count)]


def from_columns(pattern: Pattern, groups: Any, sums: Any) -> Any:
    """The entries from the sum of the columns of each group."""
    return sums[groups[pattern.columns], pattern.rows]


def from_star(pattern: Pattern, groups: Any, sums: Any) -> Any:
    """The entries of a symmetric matrix from the sum of the columns of each group: one is in the
    sum for its column, or where that has another in its row, in the sum for its row.
    """
    rows, columns = pattern.rows, pattern.columns
    count = np.zeros(sums.shape, int)  # the columns of a group in each row
    np.add.at(count, (groups[columns], rows), 1)
    alone = count[groups[columns], rows] == 1
    if not (alone | (count[groups[rows], columns] == 1)).all():  # the colouring forbids it
        raise AssertionError("two entries of the Hessian cannot be told apart")
    return np.where(alone, sums[groups[columns], rows], sums[groups[rows], columns])


def as_pattern(given: Any, rows: tuple[int, ...], columns: tuple[int, ...]) -> Pattern:
    """The pattern that a user gives: a boolean array of the shape of the derivative, or a matrix
    with a row and a column for each element; of SciPy's, what it stores.
    """
    size = (int(np.prod(rows)), int(np.prod(columns)))
    found = given if runtime.is_sparse(given) else np.asarray(given) != 0
    if found.shape not in (size, (*rows, *columns)):
        raise refuse(
            "ZYG505",
            f"the pattern has shape {found.shape}, the derivative has shape {(*rows, *columns)}",
            None,
            f"give one of that shape, or of {size}",
        )
    if not runtime.is_sparse(given):
        return of_matrix(np.reshape(found, size))
    return Pattern(size, *_stored(_in_rows(given)))


def _in_rows(given: Any) -> Any:
    made = given.tocsr(copy=True)
    made.sum_duplicates()
    return made


def _stored(matrix: Any) -> tuple[Any, Any]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows, matrix.indices.astype(np.intp)


def as_given(pattern: Pattern, values: Any, given: Any) -> Any:
    """The entries in a sparse matrix like the one given, where that has some."""
    made, n = _in_rows(given), pattern.shape[1]
    rows, columns = _stored(made)
    places = np.searchsorted(pattern.rows * n + pattern.columns, rows * n + columns)
    parts = (values[places], made.indices, made.indptr)
    return type(made)(parts, shape=made.shape).asformat(given.format)


def check_direction(pattern: Pattern, values: Any, v: Any, slope: Any) -> None:
    """Refuse a matrix whose product with `v` is not the derivative in the direction `v`."""
    slope, v = np.ravel(slope), np.ravel(v)
    with np.errstate(all="ignore"):
        has = pattern.times(values, v)
        scale = pattern.times(np.abs(values), np.abs(v)) + np.abs(slope)
        room = np.sqrt(np.finfo(scale.dtype).eps)
        most = np.max(scale[np.isfinite(scale)], initial=0.0)
        off = np.abs(has - slope) > 10 * room * scale + 1e3 * room**2 * most
    off |= np.isfinite(has) != np.isfinite(slope)
    if off.any():
        raise refuse(
            "ZYG505",
            f"the derivative has entries where the pattern has none: row {int(np.argmax(off))} is "
            "wrong along a random direction",
            None,
            "`sparsity_pattern` finds the pattern; `sparsity=True` uses that",
        )
