"""Rules of `rules/ranks.py`."""

import numpy as np
import pytest

from .checks import check_rule, pull, x, z

KEEP = [False, True]
METHODS = [
    *("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "hazen", "weibull"),
    *("averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"),
    *("median_unbiased", "normal_unbiased"),
]


@pytest.mark.parametrize(("fn", "scale"), [(np.quantile, 1), (np.percentile, 100)])
def test_quantile(fn, scale):
    check_rule(fn, x(6), 0.37 * scale)
    check_rule(fn, x(6), np.array([0.37, 0.61]) * scale, types=False, single=False)
    check_rule(fn, x(4, 3), 0.37 * scale, axis=[None, 0, 1, (0, 1)], keepdims=KEEP)
    check_rule(fn, x(2, 3, 4), 0.37 * scale, axis=[(0, 2), (2, 1), -1], keepdims=KEEP)
    check_rule(
        fn, x(2, 3, 4), np.array([0.4, 0.7]) * scale, axis=(0, 2), keepdims=KEEP, single=False
    )
    check_rule(fn, x(6), 0.37 * scale, method=METHODS)


@pytest.mark.parametrize("fn", [np.nanquantile, np.nanpercentile])
def test_quantile_without_nan(fn):
    check_rule(fn, x(4, 3), 0.37, axis=[None, 0, 1], keepdims=KEEP)
    a = np.array([[1.0, np.nan, 3.0, 2.0], [4.0, 1.0, 2.0, 3.0]])
    _, (bar, _) = pull(np.nanquantile, (a, 0.5), {"axis": 1}, None, np.ones(2))
    np.testing.assert_array_equal(bar, [[0, 0, 0, 1], [0, 0, 0.5, 0.5]])


@pytest.mark.parametrize("fn", [np.median, np.nanmedian])
def test_median(fn):
    for n in (5, 6):
        check_rule(fn, x(n))
        check_rule(fn, x(n, 3), axis=[None, 0, 1, (0, 1)], keepdims=KEEP)


def test_order():
    check_rule(np.sort, x(6))
    check_rule(np.sort, x(4, 3), axis=[None, 0, 1, -1])
    check_rule(np.sort_complex, z(5))
    check_rule(np.partition, x(6), 2)
    check_rule(np.partition, x(4, 3), 2, axis=[0, 1][:1])
    check_rule(np.partition, x(4, 3), 5, axis=None, types=False)


def test_equal_samples_share():
    a = np.array([2.0, 1.0, 2.0, 3.0])
    _, (bar,) = pull(np.sort, (a,), {}, np.sort(a), np.array([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(bar, [3, 1, 3, 8])
    _, (bar,) = pull(np.median, (np.array([1.0, 1.0, 1.0]),), {}, 1.0, 1.0)
    np.testing.assert_allclose(bar, [1 / 3] * 3)
    _, (bar, _) = pull(np.partition, (a, 1), {}, np.partition(a, 1), np.array([1.0, 2.0, 2.0, 8.0]))
    assert bar[0] == bar[2]
