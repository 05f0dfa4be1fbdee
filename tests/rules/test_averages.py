"""Rules of `rules/averages.py`: Python's own `statistics`."""

import math
import statistics as st

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient

from .checks import check_rule

DATA = [1.5, 2.5, 0.5, 3.25]
ABOUT = [st.variance, st.stdev, st.pvariance, st.pstdev]
MEANS = [st.mean, st.fmean, st.geometric_mean, st.harmonic_mean]


@pytest.mark.parametrize("fn", [*ABOUT, *MEANS])
def test_of_one_list(fn):
    check_rule(fn, DATA, single=False)
    check_rule(fn, tuple(DATA), single=False)


@pytest.mark.parametrize("fn", ABOUT)
def test_about_a_centre(fn):
    check_rule(fn, DATA, 1.25, single=False)


@pytest.mark.parametrize("fn", [st.fmean, st.harmonic_mean])
def test_weights(fn):
    check_rule(fn, DATA, [1.0, 2.0, 0.5, 1.5], single=False)


PROGRAMS = {
    **{f"{fn.__name__} of a list that grew": (
        f"v = [x]\n    for k in range(3):\n        v.append(v[-1] * x + k)\n"
        f"    return st.{fn.__name__}(v) * x") for fn in (*ABOUT, *MEANS)},
    **{f"{fn.__name__} of a generator": f"return st.{fn.__name__}(x * k for k in range(1, 5)) * x"
       for fn in (*ABOUT, *MEANS)},
    "a given centre": "return st.variance([x, x * x, 3.0], x) + st.pstdev([x, x * x], mu=x**3)",
    "given weights": "return st.fmean([x, x * x, 3.0], weights=[x, 1.0, 2.0]) * x",
    "a loop": "s = x\n    for k in range(3):\n        s += st.stdev([x, s, k])\n    return s",
    "a branch": "return st.mean([x, x * x]) if x > 0 else st.median([x, 2.0])",
    "an array": "return st.mean(np.array([x, x * x])) + st.stdev(np.array([x, x * x, 1.0]))",
    "values of a dict": "d = {'a': x, 'b': x * x}\n    return st.fmean(d.values()) * x",
    "a zero": "return st.harmonic_mean([x, 0.0]) + x**2",
    "equal numbers": "return st.stdev([x, x, x]) + x**2",
    "medians": "v = [x, x * x, 3.0, 0.5]\n    return st.median(v) + st.median(v[1:]) * x",
    "covariance": "return st.covariance([x, x**2, 3.0, 5.0], [x, 1.0, x**3, 2.0]) * x",
    "correlation": "return st.correlation([x, x**2, 3.0, 5.0], [x, 1.0, x**3, 2.0])",
    "regression": "a, b = st.linear_regression([1.0, x, 3.0], [x, 1.0, x**3])\n    return a * b",
    "quantiles": "return sum(st.quantiles([x, x**2, 3.0 * x, 1.0], n=4)) * x",
}  # fmt: skip

if hasattr(math, "sumprod"):  # since Python 3.12
    PROGRAMS["math.sumprod"] = (
        "v = [x]\n    for k in range(3):\n        v.append(v[-1] * x + k)\n"
        "    pairs = math.sumprod([x, 2.0], (x * x, x))\n"
        "    pairs += math.sumprod(np.array([x, 1.0]), (x, x))\n"
        "    return math.sumprod(v, (x * k for k in range(4))) + pairs"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    f = define(f"def f(x):\n    {PROGRAMS[name]}", scope={"st": st})
    check(f, 1.3)
    second = (derivative(f, 1.3 + 1e-5) - derivative(f, 1.3 - 1e-5)) / 2e-5
    assert derivative(derivative(f), 1.3) == pytest.approx(second, rel=1e-5, abs=1e-6)


def test_what_they_raise_and_refuse():
    for text in ("st.mean([])", "st.stdev([x])", "st.geometric_mean([x, -1.0])"):
        with pytest.raises(st.StatisticsError):
            gradient(define(f"def f(x):\n    return {text} * x", scope={"st": st}), 1.3)
    with pytest.raises(Refused, match="ZYG302"):
        gradient(define("def f(x):\n    return st.mode([x, x, 1.0])", scope={"st": st}), 1.3)
    f = define("def f(x):\n    return st.harmonic_mean([x, 1.0])", scope={"st": st})
    assert np.isnan(gradient(f, 0.0)[0])
