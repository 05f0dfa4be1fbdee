"""Numerical kernels in the in-place style in which NumPy programs are written.

The mathematics is that of kernels of PolyBench (L.-N. Pouchet, 2012) and NPBench (A. N. Ziogas et
al., ICS 2021); the text is our own. Each function takes arrays, changes them or buffers of its own,
and returns a number. `KERNELS` maps its name to it and to what makes its arguments for a size `n`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import linear, networks, particles, solvers, statistics, stencils

Arguments = tuple[Any, ...]
Made = Callable[[int], Arguments]
KERNELS: dict[str, tuple[Callable[..., Any], Made]] = {
    f.__name__: (f, make)
    for module in (stencils, solvers, linear, statistics, networks, particles)
    for f, make in module.INPUTS.items()
}

__all__ = ["KERNELS"]
