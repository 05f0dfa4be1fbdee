"""Rules of `rules/floats.py` and `rules/ranges.py`."""

import numpy as np

from .checks import check_rule, pull, x, z


def test_parts():
    check_rule(np.modf, x(4))
    check_rule(np.frexp, x(4), compiled=False)
    check_rule(np.ldexp, x(4), 3)
    check_rule(np.copysign, x(4), x(4))
    check_rule(np.copysign, x(4), -1.0)
    check_rule(np.divmod, x(4), x(4, low=0.5))
    check_rule(np.logaddexp2, x(4), x(3, 1))
    check_rule(np.heaviside, x(4), 0.5)
    _, bars = pull(np.heaviside, (np.zeros(2), 0.5), {}, None, x(2))
    assert np.all(bars[1] != 0)


def test_cleaned():
    check_rule(np.nan_to_num, x(4), nan=[0.0, 2.0])
    check_rule(np.nan_to_num, z(4))
    a = np.array([np.nan, np.inf, 1.0])
    np.testing.assert_array_equal(pull(np.nan_to_num, (a,), {}, a, np.ones(3))[1][0], [0, 0, 1])
    check_rule(np.real_if_close, x(4))
    check_rule(np.real_if_close, z(4), types=False)


def test_beyond_the_reals():
    for fn in (np.emath.sqrt, np.emath.log, np.emath.log2, np.emath.log10):
        check_rule(fn, x(4), types=False)
        check_rule(fn, z(4) + 3)


def test_reduced():
    for ufunc in (np.logaddexp, np.hypot, np.subtract):
        check_rule(ufunc.reduce, x(5))
        check_rule(ufunc.reduce, x(3, 4), axis=[0, 1], keepdims=[False, True])


def test_ranges():
    check_rule(np.linspace, 0.3, 1.7, 5, endpoint=[True, False], retstep=[False, True])
    check_rule(np.linspace, x(2), x(2), num=4, axis=[0, 1], single=False)
    check_rule(np.logspace, 0.3, 1.7, 4, endpoint=[True, False])
    check_rule(np.logspace, 0.3, 1.7, 4, base=2.5)
    check_rule(np.geomspace, 0.3, 1.7, 4, endpoint=[True, False])
    check_rule(np.arange, 0.3, 2.5, 0.5)
    check_rule(np.arange, 0.3, 2.5)


def test_numbers_in_another_precision():
    for kind in (np.float64, np.complex128):
        check_rule(kind, x(3), single=False)
        check_rule(kind, 1.5)
