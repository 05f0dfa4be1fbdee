"""Rules of `rules/builtins.py` and `rules/random.py`."""

import math

import numpy as np
import pytest

from zyg_interactive import runtime
from zyg_interactive.rules import lookup
from zyg_interactive.rules.registry import ATTRIBUTES, METHODS

from .checks import check_rule, pull, x


def test_sums():
    for xs in ([1.5, 2.5, 0.5], (1.5, 2.5), [x(3), x(3)], [x(2, 3), x(3)], x(4), x(4, 3)):
        check_rule(sum, xs, single=False)
        check_rule(sum, xs, 1.5, single=False)
    check_rule(math.fsum, [1.5, 2.5])


@pytest.mark.parametrize("fn", [max, min])
def test_extremes(fn):
    check_rule(fn, 1.5, 2.5)
    check_rule(fn, 1.5, 2.5, 0.5)
    check_rule(fn, [1.5, 2.5, 0.5])
    check_rule(fn, x(4))
    _, bars = pull(fn, (2.0, 2.0), {}, 2.0, 1.0)
    assert list(bars) == [0.5, 0.5]


def test_products_and_distances():
    check_rule(math.prod, [1.5, 0.0, 2.5])
    check_rule(math.prod, x(4), single=False)
    check_rule(math.prod, [1.5, 2.0], start=1.5)
    check_rule(math.hypot, 1.5, 2.5, 0.5)
    check_rule(math.dist, (1.5, 2.0), (0.5, 1.0))
    check_rule(math.dist, [1.5, 2.0], [0.5, 1.0])


def test_numbers_and_conversions():
    check_rule(pow, 1.5, 2.5)
    check_rule(divmod, 7.3, 2.1)
    for fn in (list, tuple):
        for xs in ([1.5, 2.5], (1.5, 2.5), [x(3), x(2)]):
            check_rule(fn, xs)
    check_rule(list, x(3, 2))


def test_helpers():
    check_rule(runtime.spread, x(2, 3), [x(3), x(2, 3)])
    check_rule(runtime.gathered, [x(3), x(3)], x(3))


def test_methods_are_functions_that_are_known():
    for name, fn in METHODS[np.ndarray].items():
        assert lookup(fn) is not None, name
        assert hasattr(np.ndarray, name), name
    a = x(2, 2)
    for name, fn in ATTRIBUTES.items():
        np.testing.assert_array_equal(fn(a), getattr(a, name))
    for name in (
        "conj",
        "copy",
        "flatten",
        "ravel",
        "tolist",
        "nonzero",
        "argmax",
        "squeeze",
        "sum",
    ):
        np.testing.assert_array_equal(METHODS[np.ndarray][name](a), getattr(a, name)())


@pytest.mark.parametrize(
    "name, parameters",
    [
        ("normal", (0.3, 1.7)),
        ("uniform", (0.3, 1.7)),
        ("laplace", (0.3, 1.7)),
        ("logistic", (0.3, 1.7)),
        ("gumbel", (0.3, 1.7)),
        ("exponential", (1.7,)),
        ("rayleigh", (1.7,)),
    ],
)
def test_draws_are_differentiated_in_their_parameters(name, parameters):
    def draw(shift=(0.0, 0.0)):
        generator = np.random.default_rng(3)
        moved = (p + d for p, d in zip(parameters, shift, strict=False))
        return getattr(generator, name)(*moved, 5)

    method = METHODS[np.random.Generator][name]
    generator, y, g = np.random.default_rng(3), draw(), x(5)
    _, bars = pull(method, (generator, *parameters, 5), {}, y, g)
    for i, bar in enumerate(bars[1:]):
        step = np.eye(2)[i] * 1e-6
        expected = np.sum(g * (draw(step) - draw(-step))) / 2e-6
        assert abs(np.sum(bar) - expected) < 1e-7


def test_draws_without_a_rule_are_not_constants():
    for name in ("gamma", "beta", "choice", "permutation", "shuffle"):
        assert lookup(METHODS[np.random.Generator][name]) is None
