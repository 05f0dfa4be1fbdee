"""Arrays to run the kernels on: the same at every call."""

from __future__ import annotations

from typing import Any

import numpy as np


def uniform(*shape: int, low: float = 0.2, high: float = 1.2, seed: int = 0) -> Any:
    """Numbers between `low` and `high`."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def definite(n: int, seed: int = 0) -> Any:
    """A symmetric positive definite matrix."""
    a = uniform(n, n, seed=seed)
    return a @ a.T + n * np.eye(n)


def dominant(n: int, seed: int = 0) -> Any:
    """A matrix with a dominant diagonal, which needs no pivoting."""
    return uniform(n, n, seed=seed) + n * np.eye(n)
