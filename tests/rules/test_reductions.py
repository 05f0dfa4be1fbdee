"""Rules of `rules/reductions.py`."""

import numpy as np
import pytest

from zyg_interactive import runtime

from .checks import check_rule, pull, x, z

AXES = [None, 0, -1, (0, 2), (1, 0)]
KEEP = [False, True]


@pytest.mark.parametrize("fn", [np.sum, np.mean, np.prod, np.max, np.min, np.ptp, np.nansum])
def test_reduction(fn):
    check_rule(fn, x(2, 3, 4), axis=AXES, keepdims=KEEP)
    check_rule(fn, x(5))
    check_rule(fn, x(1, 3), axis=[0, 1, None])


@pytest.mark.parametrize("fn", [np.nanmean, np.nanmax, np.nanmin])
def test_reduction_without_nan(fn):
    check_rule(fn, x(2, 3, 4), axis=AXES, keepdims=KEEP)


def test_nan_is_left_out():
    a = np.array([1.0, np.nan, 3.0])
    for fn, bar in ((np.nansum, [1, 0, 1]), (np.nanmean, [0.5, 0, 0.5]), (np.nanmax, [0, 0, 1])):
        _, found = pull(fn, (a,), {}, fn(a), 1.0)
        np.testing.assert_array_equal(found[0], bar)


@pytest.mark.parametrize("fn", [np.var, np.std])
def test_moment(fn):
    check_rule(fn, x(2, 3, 4), axis=AXES, keepdims=KEEP, ddof=[0, 1])
    check_rule(fn, z(4), ddof=[0, 1])


@pytest.mark.parametrize("fn", [np.sum, np.mean, np.prod, np.cumsum, np.cumprod])
def test_complex(fn):
    check_rule(fn, z(3, 2), axis=[None, 0, 1])


@pytest.mark.parametrize("fn", [np.cumsum, np.cumprod])
def test_cumulative(fn):
    check_rule(fn, x(3, 4), axis=[None, 0, 1, -1])
    check_rule(fn, x(4))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
def test_ufunc_reduce(ufunc):
    check_rule(ufunc.reduce, x(3, 4))
    check_rule(ufunc.reduce, x(3, 4), axis=[0, 1, None], keepdims=KEEP)


def test_ufunc_accumulate():
    check_rule(np.add.accumulate, x(3, 4), axis=[0, 1])
    check_rule(np.multiply.accumulate, x(3, 4), axis=[0, 1])


def test_others():
    check_rule(np.diff, x(5, 4), axis=[0, 1, -1], n=[1, 2, 3])
    check_rule(np.diff, x(5))
    check_rule(np.diff, x(5), prepend=0.3, append=x(2), n=[1, 2])
    check_rule(np.diff, x(5, 2), prepend=x(1, 2), axis=0)
    check_rule(np.trapezoid, x(3, 5), axis=[0, 1], dx=[0.2, 1.0])
    check_rule(np.trapezoid, x(5), np.sort(x(5)))
    check_rule(np.trapezoid, x(3, 5), np.sort(x(5)))
    check_rule(np.trapezoid, x(3, 5), x(3, 5), axis=[0, 1])
    check_rule(np.average, x(3, 4), axis=[None, 0, 1])
    check_rule(np.average, x(3, 4), weights=x(3, 4, low=0.5), axis=[None, 0, 1], keepdims=KEEP)
    check_rule(np.average, x(3, 4), 1, x(4, low=0.5))


def test_helpers():
    check_rule(runtime.before, x(3, 4), 1)
    check_rule(runtime.before, z(3), 0)
    check_rule(runtime.horner, x(3, 4), x(3, 4), 0)
    check_rule(runtime.horner, z(4), z(4), 0)


def test_zeros_and_ties():
    for a, bar in (([0.0, 2.0, 3.0], [6, 0, 0]), ([0.0, 0.0, 3.0], [0, 0, 0])):
        _, found = pull(np.prod, (np.array(a),), {}, 0.0, 1.0)
        np.testing.assert_array_equal(found[0], bar)
    _, (found,) = pull(np.cumprod, (np.array([2.0, 0.0, 3.0]),), {}, None, np.ones(3))
    np.testing.assert_array_equal(found, [1, 8, 0])
    _, found = pull(np.max, (np.array([2.0, 2.0, 1.0]),), {}, 2.0, 1.0)
    np.testing.assert_array_equal(found[0], [0.5, 0.5, 0])
    _, found = pull(np.std, (np.ones(3),), {}, 0.0, 1.0)
    np.testing.assert_array_equal(found[0], 0)


def test_keywords():
    mask = x(3, 4) > -1
    for fn in (np.sum, np.mean, np.prod, np.var, np.std, np.nansum, np.nanmean, np.nanprod):
        check_rule(fn, x(3, 4), where=mask, axis=[None, 0, 1], keepdims=KEEP, compiled=False)
    for fn in (np.max, np.min, np.maximum.reduce, np.fmin.reduce):
        check_rule(fn, x(3, 4), where=mask, initial=0.3, axis=[0, 1], types=False, compiled=False)
    for fn in (np.sum, np.prod, np.add.reduce, np.multiply.reduce):
        check_rule(fn, x(3, 4), initial=1.7, axis=[0, 1, None], types=False, single=False)
    for fn in (np.var, np.std):
        check_rule(fn, x(3, 4), mean=x(3, 1), axis=1, types=False)
        check_rule(fn, x(3, 4), correction=1, axis=[None, 1])
    a = x(3, 4).astype(np.float32)
    for fn in (np.sum, np.mean, np.prod, np.cumsum, np.cumprod, np.var, np.std):
        y = fn(a, axis=0, dtype=np.float64)
        _, bars = pull(fn, (a,), {"axis": 0, "dtype": np.float64}, y, np.ones_like(y))
        bar = bars[0] if isinstance(bars, tuple) else bars
        assert bar.dtype == np.float32


def test_nan_reductions():
    for fn in (np.nanprod, np.nanvar, np.nanstd):
        check_rule(fn, x(3, 4), axis=[None, 0, 1], keepdims=KEEP)
    for fn in (np.nancumsum, np.nancumprod):
        check_rule(fn, x(3, 4), axis=[None, 0, 1])
    a = np.array([1.0, np.nan, 3.0])
    for fn in (np.nanprod, np.nanvar, np.nanstd, np.nancumsum, np.nancumprod):
        y = fn(a)
        _, found = pull(fn, (a,), {}, y, np.ones_like(y))
        bar = found[0] if isinstance(found, tuple) else found
        assert bar[1] == 0 and np.all(np.isfinite(bar))


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="not in this NumPy")
def test_running_forms_of_the_array_api():
    for fn in (np.cumulative_sum, np.cumulative_prod):
        check_rule(fn, x(3, 4), axis=[0, 1, -1], include_initial=KEEP)
        check_rule(fn, x(4))


def test_what_a_rule_does_not_treat_is_refused():
    for kwargs in ({"where": np.ones(3, bool)}, {"initial": 1.0}):
        with pytest.raises(LookupError):
            pull(np.cumsum, (x(3),), kwargs, None, None)
