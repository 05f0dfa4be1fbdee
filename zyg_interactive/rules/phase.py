"""The phase of eigenvectors and singular vectors of complex matrices, which no equation fixes.

LAPACK makes one number of most vectors real: the largest of `eig`, the first or the last of `eigh`,
the first of the right ones of `svd` where the matrix is not wide. There the vectors have the
derivative of that; elsewhere only what does not depend on the phase has one, and it is looked at in
the pullback whether it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..diagnostics import refuse
from ..ir.core import type_of
from ..ir.types import Array, Type
from .registry import call, conj, constant, result, rule
from .sizes import dtype_of, shape_at

TOLERANCE = 1e-6  # of what differs by rounding alone; in single precision 1e-3
SINGLE = 1e-3


def fixed(v_bar: Any, v: Any, places: Any) -> Any:
    """The cotangent of columns `v` without what is along their phase, which went to the `places`
    where LAPACK has made a number real.
    """
    along = np.imag(np.sum(conj(v_bar) * v, axis=-2, keepdims=True))
    size = np.sum(np.abs(v_bar), axis=-2, keepdims=True)
    turn = call(of_phase, along, places, size)
    marks = np.where(places, np.divide(1.0, np.where(places, np.real(v), 1.0)), 0.0)
    return v_bar + 1j * marks * turn


def real_largest(v: Any) -> Any:
    """Where the largest number is of those in each column that are real."""
    sizes = np.where(np.imag(v) == 0, np.abs(v), 0.0)
    largest = np.expand_dims(np.argmax(sizes, axis=-2), -2)
    places = np.zeros(np.shape(v), bool)
    np.put_along_axis(places, largest, np.take_along_axis(sizes, largest, -2) > 0, -2)
    return places


def real_row(v: Any, row: int | None) -> Any:
    """A row, where it is real; None is none."""
    places = np.zeros(np.shape(v), bool)
    if row is not None:
        numbers = v[..., row, :]
        places[..., row, :] = (np.imag(numbers) == 0) & (numbers != 0)
    return places


def real_of_pairs(pairs: Any, vh: Any) -> Any:
    """The first row of the right vectors, below the left ones."""
    rows = np.shape(pairs)[-2] - np.shape(vh)[-1]
    return real_row(pairs, None if rows < np.shape(vh)[-1] else rows)


def of_phase(along: Any, places: Any, size: Any) -> Any:
    """The derivative by each phase where that is known; refused where it is not, and matters."""
    known = np.any(places, axis=-2, keepdims=True)
    small = TOLERANCE if np.asarray(size).dtype == np.float64 else SINGLE
    if np.any(~known & (np.abs(along) > small * size)):
        raise _refused()
    return np.where(known, along, np.zeros_like(along))


def of_phase_bar(g: Any, places: Any, size: Any) -> Any:
    """The cotangent of `along`; of a seed that is zero (forward mode) nothing was looked at."""
    known = np.any(places, axis=-2, keepdims=True)
    if np.any(~known) and not np.any(size):
        raise _refused()
    return np.where(known, g, np.zeros_like(g))


def _refused() -> Exception:
    return refuse(
        "ZYG302",
        "what is differentiated depends on the phase of complex vectors, which nothing fixes here",
        None,
        "let it depend on `abs(v)` or on projections `v @ conj(v).T`; or take the reverse mode",
    )


constant(real_largest, real_row, real_of_pairs)


@rule(of_phase)
def _of_phase(g: Any, y: Any, along: Any, places: Any, size: Any) -> Any:
    return call(of_phase_bar, g, places, size), None, None


@rule(of_phase_bar)
def _of_phase_bar(g: Any, y: Any, g_: Any, places: Any, size: Any) -> Any:
    return np.where(np.any(places, axis=-2, keepdims=True), g, 0.0), None, None


@result(real_largest, real_row, real_of_pairs)
def _places(v: Any, *rest: Any) -> Type:
    return Array(np.dtype(bool), shape_at(v))


@result(of_phase)
def _of_phase_type(along: Any, places: Any, size: Any) -> Type:
    return Array(dtype_of(type_of(along)), shape_at(along))


@result(of_phase_bar)
def _of_phase_bar_type(g: Any, places: Any, size: Any) -> Type:
    return Array(dtype_of(type_of(g)), shape_at(g))
