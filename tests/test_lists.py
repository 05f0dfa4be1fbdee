"""Lists of whole numbers in the place of arrays, and what NumPy's functions of functions keep."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import gradient, pullback, pushforward

X = np.array([[0.3, -1.2, 2.1], [1.4, 0.2, -0.4], [-0.7, 1.9, 0.6]])
QUANTITIES = [
    *(
        "[1, 2, 3] * x",
        "x / [1, 2, 3]",
        "(x * x) ** [1, 2, 3]",
        "[1, 2, 3] @ x",
        "np.vdot([1, 2, 3], x[0])",
    ),
    *(
        "np.fft.fft(x, axis=0).real * [1, 2, 3]",
        "np.arctan2([1, 2, 3], x)",
        "np.power([1, 2, 3], x)",
    ),
    *("np.interp(x, [-2, 0, 2], [1, 5, 2])", "np.interp([1], [0, 1, 2], x[0])"),
    *("np.average(x, axis=0, weights=[1, 2, 3])", "np.average(x, 1, (1, 2, 3))"),
    *("np.cov(x, fweights=[1, 2, 3])", "np.cov(x, aweights=[1, 2, 3])", "np.vecdot(x, [1, 2, 3])"),
    *("np.trapezoid([1, 2, 3], x[0])", "np.polyval([1, 2, 3], x)", "np.polyval(x[0], [1, 2, 3])"),
    *("np.polyfit([0, 1, 2], x[0], 1)", "np.hstack([[1, 2], x[0]])", "np.vstack([x, [1, 2, 3]])"),
    "np.piecewise(x[0], [[True, False, True]], [lambda t: t * 2, lambda t: t])",
]
PLACES = [
    *(
        "np.roll(x, [1, 2], 0)",
        "np.roll(x, [1, 1], [0, 1])",
        "x.transpose([1, 0])",
        "x.item((1, 2))",
    ),
    *(
        "np.tile(x, [2, 1])",
        "np.take(x, [0, 2])",
        "np.repeat(x, [1, 0, 2], axis=0)",
        "np.reshape(x, [9, 1])",
    ),
    *("x.sum().item()", "np.moveaxis(x, [0], [1])", "np.delete(x, [0, 1])", "np.pad(x, [1, 2])"),
]


@pytest.mark.parametrize("call", [*QUANTITIES, *PLACES])
def test_whole_numbers(call):
    f = define(f"def f(x):\n    return np.sum(np.sin({call}))\n")
    check(f, X)
    weights = np.cos(np.arange(9.0)).reshape(3, 3)
    check(lambda x: np.sum(gradient(f, x)[0] * weights), X)


@pytest.mark.parametrize(
    "call",
    [
        "np.vectorize(lambda a: 0 if a < 0 else a)(x)",
        "np.apply_along_axis(lambda v: 1 if v[0] < 1 else v[1], 0, x)",
    ],
)
def test_the_dtype_of_the_first_result_is_that_of_all(call):
    f = define(f"def f(x):\n    return {call} * x\n")
    x = np.array([[-1.0, 2.5], [0.3, -0.2]])
    y, _ = pullback(f, x)
    np.testing.assert_array_equal(y, f(x))
    check(f, x)


@pytest.mark.parametrize(
    "call",
    [
        "np.hanning(3) * x",
        "np.diff(x, prepend=0.5)",
        "np.polyder(x)",
        "np.digitize(x, [0]) * x",
        "[1, 2, 3] * x",
    ],
)
def test_single_precision_stays(call):
    f = define(f"def f(x):\n    return np.sum({call})\n")
    assert gradient(f, np.float32(X[0]))[0].dtype == np.float32


def test_a_tuple_whose_length_only_the_run_knows():
    f = define("def f(x):\n    return x * x, tuple(np.sin(x))\n")
    x, v = X[0], np.array([1.0, 0.5, -2.0])
    _, back = pullback(f, x)
    np.testing.assert_allclose(back((v, tuple(v)))[0], v * 2 * x + v * np.cos(x))
    first, second = pushforward(f, x)(v)
    np.testing.assert_allclose((first, second), (2 * x * v, np.cos(x) * v))


@pytest.mark.parametrize(
    "call", ["x.clip(0)", "np.subtract(x, 2, out=None)", "np.exp(x, dtype=None)", "x.clip(max=0)"]
)
def test_what_is_left_open(call):
    check(define(f"def f(x):\n    return np.sum({call} * x)\n"), X)


def test_a_short_whole_number_has_a_gradient_in_double_precision():
    assert gradient(lambda x: np.sum(np.sin(x)), np.array([1, 2], np.int8))[0].dtype == float
