"""Random draws: constants, but for the distributions that are moved and scaled.

A draw is differentiated as the program that computes it from the generator's state: `loc + scale *
z` has derivatives 1 and z (D. P. Kingma and M. Welling 2014, "Auto-encoding variational Bayes",
section 2.4). Draws that depend on a parameter in another way have no rule, and those whose values
are whole numbers are constants. The rules read the draw and never draw again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.core import type_of
from ..ir.types import UNKNOWN, Array, Other, Type, broadcast, shape_of
from .nondifferentiable import shape_from
from .registry import constant, result, rule
from .sizes import static

Generator, RandomState = np.random.Generator, np.random.RandomState
_SOURCES = (Generator, RandomState, np.random)
_WHOLE = ("integers", "randint", "random_integers", "binomial", "poisson", "geometric", "bytes")
_COUNTS_TOO = ("hypergeometric", "logseries", "multinomial", "multivariate_hypergeometric", "zipf")
_PLAIN = ("random", "random_sample", "sample", "ranf", "rand", "randn", "standard_normal")
_MORE = ("standard_exponential", "standard_cauchy", "seed", "get_state", "set_state", "spawn")


def _named(name: str) -> list[tuple[Any, bool]]:
    """The callables of that name, and whether each is a method that takes its generator first."""
    return [(getattr(s, name), s is not np.random) for s in _SOURCES if hasattr(s, name)]


for _name in (*_WHOLE, *_COUNTS_TOO, "negative_binomial", *_PLAIN, *_MORE):
    constant(*(fn for fn, _ in _named(_name)))
constant(np.random.default_rng, Generator, RandomState, np.random.SeedSequence)


@result(np.random.default_rng)
def _new_generator(*seed: Any) -> Type:
    return Other(Generator)


def _moved(g: Any, y: Any, loc: Any, scale: Any) -> Any:
    moved = y if loc is None else y - loc
    return (None if loc is None else g), (None if scale is None else g * moved / scale)


def _method(g: Any, y: Any, self: Any, loc: Any, scale: Any, size: Any = None) -> Any:
    return None, *_moved(g, y, loc, scale)


def _function(g: Any, y: Any, loc: Any, scale: Any, size: Any = None) -> Any:
    return _moved(g, y, loc, scale)


for _name in ("normal", "laplace", "logistic", "gumbel"):
    for _fn, _bound in _named(_name):
        _order = "loc? scale? size"
        if _bound:
            rule(_fn, broadcasts=True, order=f"self {_order}")(_method)
        else:
            rule(_fn, broadcasts=True, order=_order)(_function)


def _between(g: Any, y: Any, low: Any, high: Any) -> Any:
    a, b = (0.0 if low is None else low), (1.0 if high is None else high)
    share = g * (y - a) / (b - a)
    return (None if low is None else g - share), (None if high is None else share)


def _uniform_method(g: Any, y: Any, self: Any, low: Any, high: Any, size: Any = None) -> Any:
    return None, *_between(g, y, low, high)


def _uniform_function(g: Any, y: Any, low: Any, high: Any, size: Any = None) -> Any:
    return _between(g, y, low, high)


for _fn, _bound in _named("uniform"):
    _order = "low? high? size"
    if _bound:
        rule(_fn, broadcasts=True, order=f"self {_order}")(_uniform_method)
    else:
        rule(_fn, broadcasts=True, order=_order)(_uniform_function)


def _scaled_method(g: Any, y: Any, self: Any, scale: Any, size: Any = None) -> Any:
    return None, None if scale is None else g * y / scale


def _scaled_function(g: Any, y: Any, scale: Any, size: Any = None) -> Any:
    return None if scale is None else g * y / scale


for _name in ("exponential", "rayleigh"):
    for _fn, _bound in _named(_name):
        if _bound:
            rule(_fn, broadcasts=True, order="self scale? size")(_scaled_method)
        else:
            rule(_fn, broadcasts=True, order="scale? size")(_scaled_function)


def _lognormal(g: Any, y: Any, mean: Any, sigma: Any) -> Any:
    """`exp(mean + sigma z)`."""
    moved = np.log(y) if mean is None else np.log(y) - mean
    c = g * y
    return (None if mean is None else c), (None if sigma is None else c * moved / sigma)


def _lognormal_method(g: Any, y: Any, self: Any, mean: Any, sigma: Any, size: Any = None) -> Any:
    return None, *_lognormal(g, y, mean, sigma)


def _lognormal_function(g: Any, y: Any, mean: Any, sigma: Any, size: Any = None) -> Any:
    return _lognormal(g, y, mean, sigma)


def _shaped(grow: Any) -> tuple[Any, Any]:
    """Draws whose logarithm, of `grow(y)`, is another draw over the parameter."""

    def method(g: Any, y: Any, self: Any, a: Any, size: Any = None) -> Any:
        return None, function(g, y, a)

    def function(g: Any, y: Any, a: Any, size: Any = None) -> Any:
        whole = grow(y)
        return -g * whole * np.log(whole) / a

    return method, function


def _both(name: str, method: Any, function: Any, order: str) -> None:
    for fn, bound in _named(name):
        if bound:
            rule(fn, broadcasts=True, order=f"self {order}")(method)
        else:
            rule(fn, broadcasts=True, order=order)(function)


_both("lognormal", _lognormal_method, _lognormal_function, "mean? sigma? size")
for _name in ("weibull", "power"):
    _both(_name, *_shaped(lambda y: y), "a size")
_both("pareto", *_shaped(lambda y: y + 1.0), "a size")


# ---- types of results: only where every argument that decides them is plain


def _drawn(skip: int, parameters: int) -> Any:
    def how(*args: Any, size: Any = None, **rest: Any) -> Type:
        given = args[skip : skip + parameters]
        if len(args) > skip + parameters:
            size = args[skip + parameters]
        if rest or (parameters and len(given) < parameters):
            return UNKNOWN
        if static(size) is None:
            # Without a size, numbers draw a Python float and arrays an array: either is a number.
            shape = broadcast(*(shape_of(type_of(a)) for a in given))
            return Array(np.dtype(float), shape) if shape else UNKNOWN
        return Array(np.dtype(float), shape_from(size))

    return how


_COUNTS = {"random": 0, "random_sample": 0, "standard_normal": 0, "normal": 2, "uniform": 2}
_COUNTS |= {"lognormal": 2, "weibull": 1, "power": 1, "pareto": 1}
_COUNTS |= {"laplace": 2, "logistic": 2, "gumbel": 2, "exponential": 1, "rayleigh": 1}
for _name, _parameters in _COUNTS.items():
    for _fn, _bound in _named(_name):
        result(_fn)(_drawn(int(_bound), _parameters))


@result(np.random.rand, np.random.randn)
def _by_sizes(*sizes: Any) -> Type:
    return Array(np.dtype(float), shape_from(tuple(sizes))) if sizes else UNKNOWN
