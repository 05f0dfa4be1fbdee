"""Rules of `rules/statistics.py`."""

import numpy as np
import pytest

from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, x, z


def test_covariance():
    for data in (x, z):
        check_rule(np.cov, data(3, 5), rowvar=[True, False], ddof=[None, 0, 1], single=False)
        check_rule(np.cov, data(5), bias=[False, True], single=False)
        check_rule(np.cov, data(5), data(5), single=False)
        check_rule(np.cov, data(2, 5), data(3, 5), single=False)
    check_rule(np.cov, x(3, 5), aweights=x(5, low=0.5), ddof=[None, 0], single=False)
    check_rule(np.cov, x(3, 5), fweights=np.array([1, 2, 1, 3, 1]), single=False, compiled=False)


def test_correlation():
    for data in (x, z):
        check_rule(np.corrcoef, data(3, 5), rowvar=[True, False], single=False)
        check_rule(np.corrcoef, data(5), data(5), single=False)
    _, bars = pull(np.corrcoef, (x(5),), {}, 1.0, 1.0)
    assert bars == (None, None)


def test_counts():
    check_rule(np.bincount, np.array([0, 1, 1, 3]), weights=x(4), single=False, compiled=False)
    edges = np.array([-2.0, 0.0, 2.0])
    a = np.array([-1.7, 0.3, 0.5, 1.9, 3.0])
    _, bars = pull(np.histogram, (a, edges), {"weights": x(5)}, (x(2), edges), (x(2), None))
    assert bars[2][-1] == 0 and np.all(bars[2][:-1] != 0)
    with pytest.raises(Refused, match="edges"):
        pull(np.histogram, (a, 2), {}, (x(2), edges), (None, x(3)))


def test_unique_numbers():
    check_rule(np.unique, x(5))
    check_rule(np.unique, x(2, 3))
    a = np.array([2.0, 1.0, 2.0])
    _, (bar,) = pull(np.unique, (a,), {}, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(bar, [2, 3, 2])
