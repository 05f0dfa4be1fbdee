"""Python numbers, with NumPy's results where Python raises."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def quotient(a: Any, b: Any) -> Any:
    """`a / b` of Python numbers, with NumPy's result where b is 0."""
    try:
        return a / b
    except ZeroDivisionError:
        with np.errstate(all="ignore"):
            return (np.divide(a, b)).item()


def power(a: Any, b: Any) -> Any:
    """`a ** b` of real Python numbers, with NumPy's result where Python raises.

    Raises NotReal where Python goes on with a complex number: the code around it is for reals.
    """
    try:
        y = a**b
        if isinstance(y, complex):
            raise NotReal(f"{a!r} ** {b!r} is complex, and the arguments are real")
        return y
    except (ZeroDivisionError, OverflowError):
        with np.errstate(all="ignore"):
            return np.power(float(a), float(b)).item()


def log(x: float) -> float:
    """`math.log` with NumPy's results at zero and below."""
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else math.nan


def select(condition: Any, a: Any, b: Any) -> Any:
    """`np.where` of Python scalars."""
    return a if condition else b


def truth(x: Any) -> bool:
    return bool(x)


def scalar(x: Any) -> Any:
    """The cotangent of a Python number as a Python number."""
    return x.item() if isinstance(x, np.generic | np.ndarray) and x.size == 1 else x


def real_scalar(x: Any) -> Any:
    """As `scalar`, for a real Python number."""
    x = scalar(x)
    return x.real if isinstance(x, complex) else x


def check_scalar(y: Any) -> None:
    """Raise where a gradient is asked of something that is not one real number."""
    if (
        np.ndim(y) != 0
        or isinstance(y, complex | np.complexfloating)
        or not isinstance(y, int | float | np.generic | np.ndarray)
    ):
        raise NotScalar(y)


def check_array(x: Any, what: str, help: str) -> None:
    """Raise where a Jacobian is asked of something, or in something, that is no number or array."""
    if not isinstance(x, int | float | complex | np.ndarray | np.generic):
        raise NotArray(f"{what} is a {type(x).__name__}", help)


class NotArray(TypeError):
    """A Jacobian of something that is no number or array."""

    def __init__(self, what: str, help: str):
        super().__init__(what)
        self.help = help


def seed_for(seed: Any, y: Any) -> Any:
    """A seed, which must have the shape of the result it is for."""
    if np.shape(seed) != np.shape(y):
        raise WrongSeed(f"the seed has shape {np.shape(seed)}, the result has shape {np.shape(y)}")
    return seed


class WrongSeed(ValueError):
    """A seed of another shape than the result."""


class NotReal(TypeError):
    """A power of real numbers turned out complex."""


class NotScalar(TypeError):
    """The result of a function whose gradient was asked for is not a real scalar."""

    def __init__(self, y: Any):
        super().__init__(f"the result is a {type(y).__name__} of shape {np.shape(y)}")
        self.y = y
