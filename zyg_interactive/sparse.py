"""Jacobians and Hessians that are mostly zero, from a few directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import runtime
from .colouring import (
    Pattern,
    as_given,
    as_pattern,
    check_direction,
    from_columns,
    from_star,
    groups_of_columns,
    of_matrix,
    seeds_of,
    star_groups,
)
from .dependencies import pattern_of_pullback
from .diagnostics import refuse
from .linearised import Linearised


def detected(linear: Linearised) -> Any:
    """The pattern of the Jacobian, as a matrix; it may have entries where that is zero, but none
    that the Jacobian has at this point is missing.
    """
    x = linear.args[linear.one]
    for what in (linear.y, x):
        if np.iscomplexobj(what):
            raise refuse(
                "ZYG505",
                f"what the result of `{linear.name}` depends on is followed for real numbers alone",
                None,
                "give the pattern: `sparsity=` takes a boolean array or a sparse matrix of SciPy",
            )
    size = (int(np.size(linear.y)), int(np.size(x)))
    found = pattern_of_pullback(linear.reverse, linear.saved, linear.y, linear.name)
    if not found or found[0] is None:
        return np.zeros(size, bool)
    if found[0].shape != size:
        raise refuse("ZYG901", f"a pattern of shape {found[0].shape} for {size}", None)
    return found[0]


def compressed_jacobian(linear: Linearised, sparsity: Any) -> Any:
    """From one pullback for each group of rows that share no column, or one pushforward for each
    group of columns that share no row: whichever are fewer.
    """
    x, y = linear.args[linear.one], linear.y
    pattern = _pattern(linear, sparsity)
    rows, columns = groups_of_columns(pattern.mirrored), groups_of_columns(pattern)
    complex_ = np.iscomplexobj(y) or np.iscomplexobj(x)
    if complex_ or rows.max(initial=-1) <= columns.max(initial=-1):
        sums = _pulled(linear, seeds_of(rows, np.shape(y), _kind(y)))
        values = sums[rows[pattern.rows], pattern.columns]
        if sparsity is not True:
            _check_pulled(linear, pattern, values)
    else:
        seeds = seeds_of(columns, np.shape(x), _kind(x))
        sums = np.array([np.ravel(linear.push([s])) for s in seeds])
        values = from_columns(pattern, columns, sums)
        if sparsity is not True:
            v = _random(x)
            check_direction(pattern, values, v, linear.push([v]))
    return _shaped(pattern, values, linear, sparsity)


def compressed_hessian(linear: Linearised, sparsity: Any) -> Any:
    """Of the gradient that is linearised: one pullback for each number of a star colouring."""
    pattern = _pattern(linear, sparsity).symmetric
    groups = star_groups(pattern)
    sums = _pulled(linear, seeds_of(groups, np.shape(linear.y), _kind(linear.y)))
    values = from_star(pattern, groups, sums)
    if sparsity is not True:
        _check_pulled(linear, pattern, values)
    return _shaped(pattern, values, linear, sparsity)


def _pattern(linear: Linearised, sparsity: Any) -> Pattern:
    if sparsity is True:
        return of_matrix(detected(linear))
    return as_pattern(sparsity, np.shape(linear.y), np.shape(linear.args[linear.one]))


def _kind(x: Any) -> Any:
    return runtime.cotangent_dtype(np.asarray(x).dtype)


def _pulled(linear: Linearised, seeds: list[Any]) -> Any:
    x = linear.args[linear.one]
    found = [linear.pull(s if np.shape(s) else s[()]) for s in seeds]
    bars = [runtime.zeros_like(x) if b is None else b for b in found]
    return np.array([np.ravel(b) for b in bars]) if bars else np.zeros((0, int(np.size(x))))


def _check_pulled(linear: Linearised, pattern: Pattern, values: Any) -> None:
    """Compare a Jacobian with one more pullback."""
    u = _random(linear.y)
    (bar,) = _pulled(linear, [u])
    order = np.lexsort((pattern.rows, pattern.columns))
    check_direction(pattern.mirrored, values[order], u, bar)


def _random(like: Any) -> Any:
    """The same numbers each time: two runs give the same result, or the same refusal."""
    found = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(like))
    return np.asarray(found, _kind(like))


def _shaped(pattern: Pattern, values: Any, linear: Linearised, sparsity: Any) -> Any:
    if runtime.is_sparse(sparsity):
        return as_given(pattern, values, sparsity)
    shape = (*np.shape(linear.y), *np.shape(linear.args[linear.one]))
    return np.reshape(pattern.filled(values), shape)
