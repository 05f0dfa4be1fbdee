"""Rules of `rules/elementwise.py`: broadcasting, single precision, keywords."""

import operator

import numpy as np
import pytest

from .checks import check_rule, pull, x, z


@pytest.mark.parametrize("fn", [np.maximum, np.minimum, np.fmax, np.fmin, np.hypot, np.arctan2])
def test_choosing(fn):
    check_rule(fn, x(3, 4), x(3, 4))
    check_rule(fn, x(3, 1), x(4))
    _, bars = pull(fn, (1.5, 1.5), {}, fn(1.5, 1.5), 1.0)
    assert abs(bars[0]) == abs(bars[1])


def test_clip_and_where():
    check_rule(np.clip, x(8), -0.5, 0.7)
    check_rule(np.clip, x(8), x(8, low=-0.9, high=-0.1), x(8, low=0.1, high=0.9))
    check_rule(np.clip, x(8), None, 0.7)
    check_rule(np.clip, x(8), 0, 1)
    check_rule(np.where, x(6) > 0, x(6), x(6))
    check_rule(np.where, x(6) > 0, x(6), 0.0)


@pytest.mark.parametrize(
    "fn", [operator.add, operator.sub, operator.mul, operator.truediv, np.add, np.divide]
)
def test_arithmetic(fn):
    check_rule(fn, x(3, 1), x(4, low=0.5))
    check_rule(fn, z(3), z(3))
    check_rule(fn, x(3), z(3), single=False)
    check_rule(fn, 1.5, 2.5)


@pytest.mark.parametrize(
    "fn", [np.sin, np.cos, np.tan, np.exp, np.sinh, np.cosh, np.tanh, np.square, np.arctan, np.sinc]
)
def test_functions(fn):
    check_rule(fn, x(3, 2))


@pytest.mark.parametrize(
    "fn",
    [
        *(np.sin, np.cos, np.tan, np.exp, np.sinh, np.cosh, np.tanh, np.square, np.sqrt, np.log),
        *(np.exp2, np.log2, np.log10, np.log1p, np.expm1, np.reciprocal, np.arcsinh, np.arccosh),
        *(np.arctan, np.sinc),
    ],
)
def test_holomorphic_functions(fn):
    check_rule(fn, z(3) + 3, single=fn is not np.exp2)


@pytest.mark.parametrize("fn", [np.absolute, np.real, np.imag, np.angle, np.conjugate])
def test_complex_parts(fn):
    check_rule(fn, z(3))
    check_rule(fn, x(3))


def test_powers():
    check_rule(operator.pow, x(4, low=0.5), x(4))
    for p in (0, 1, 2, 3, -1, 0.5, 2.5):
        check_rule(operator.pow, x(4, low=0.5), p)
    check_rule(operator.pow, 2.0, x(4))
    check_rule(operator.pow, z(3), 3)


def test_sign_of_complex_numbers_turns_with_them():
    check_rule(np.sign, z(4))
    check_rule(np.sign, z())
