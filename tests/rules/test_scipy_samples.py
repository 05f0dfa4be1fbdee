"""Rules of `rules/scipy/samples.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x

ST = pytest.importorskip("scipy.stats")

AXES = [0, 1, -1, None]
EVERY = {"axis": AXES, "keepdims": [False, True]}


def positive(*shape):
    return x(*shape, low=0.4, high=1.6)


@pytest.mark.parametrize("fn", [ST.gmean, ST.hmean])
def test_means(fn):
    check_rule(fn, positive(5))
    check_rule(fn, positive(4, 3), **EVERY)
    check_rule(fn, positive(4, 3), axis=[0, 1, None], weights=positive(4, 3))


def test_means_of_powers():
    check_rule(ST.pmean, positive(4, 3), 1.5, **EVERY)
    for p in (-1, 0, 0.5, 2):
        check_rule(ST.pmean, positive(5), p)
        check_rule(ST.pmean, positive(4, 3), p, axis=[0, 1], weights=positive(4, 3))


def test_means_within_limits():
    check_rule(ST.tmean, x(4, 3), axis=[None, 0, 1], keepdims=[False, True])
    limits = [None, (-0.5, 1.0), (None, 0.7), (-0.6, None)]
    check_rule(ST.tmean, x(9), limits=limits)
    ends = np.array([1.0, 2.0, 3.0, 4.0])
    for inclusive, slope in (((True, False), [0, 0.5, 0.5, 0]), ((False, True), [0, 0, 0.5, 0.5])):
        found = gradient(lambda v, i=inclusive: ST.tmean(v, (2.0, 4.0), i), ends)[0]
        np.testing.assert_allclose(found, slope)


@pytest.mark.filterwarnings("ignore")
def test_scores():
    check_rule(ST.zscore, x(4, 3), axis=AXES, ddof=[0, 1])
    check_rule(ST.zmap, x(4, 3), x(4, 3), axis=AXES, ddof=[0, 1])
    check_rule(ST.zmap, x(2, 3), x(4, 3), axis=[0])
    check_rule(ST.zmap, x(1), x(4))
    assert np.all(np.isnan(gradient(lambda v: np.sum(ST.zscore(v)), np.ones(3))[0]))


@pytest.mark.parametrize("fn", [ST.sem, ST.variation])
def test_deviations(fn):
    check_rule(fn, positive(4, 3), axis=AXES, ddof=[0, 1], keepdims=[False, True])
    assert gradient(fn, np.ones(3))[0].tolist() == [0.0, 0.0, 0.0]


def test_moments():
    check_rule(ST.moment, x(4, 3), order=[2, 0, 1, 3, 4], **EVERY)
    check_rule(ST.moment, x(4), order=[1, 0, 2, 3], center=0.3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fn", [ST.skew, ST.kurtosis])
def test_shapes(fn):
    check_rule(fn, x(5, 4), **EVERY, bias=[True, False])
    check_rule(fn, x(3), bias=[True, False], twice=False)
    assert np.all(np.isnan(gradient(fn, np.ones(4))[0]))


def test_shapes_of_few():
    check_rule(ST.kurtosis, x(4), fisher=[True, False])
    flat = gradient(lambda v: ST.skew(v, bias=False), np.array([1.0, 2.0]))[0]
    np.testing.assert_allclose(flat, 0.0, atol=1e-12)


def test_entropies():
    check_rule(ST.entropy, positive(4, 3), **EVERY)
    check_rule(ST.entropy, positive(4, 3), positive(4, 3), **EVERY)
    check_rule(ST.entropy, positive(4, 3), positive(1, 3), axis=[1])
    check_rule(ST.entropy, positive(4), base=[2.5])
    check_rule(ST.entropy, positive(4), positive(4), 2.5)
    none = gradient(lambda p: ST.entropy(np.array([0.3, 0.7, 0.0]), p), np.array([0.4, 0.4, 0.2]))
    np.testing.assert_allclose(none[0], [0.25, -0.75, 1.0])


def test_boxcox():
    check_rule(ST.boxcox, positive(4), 0.7)
    check_rule(ST.boxcox, positive(4), -0.7)
    found = gradient(lambda p: np.sum(ST.boxcox(np.array([1.0, 2.0]), p)), 0.0)[0]
    np.testing.assert_allclose(found, 0.5 * np.log(2.0) ** 2)


def correlation(v, w):
    return ST.pearsonr(v, w).statistic


def test_correlations():
    a, b = x(5), x(5)
    assert check_gradient(correlation, a, b)
    assert check_gradient(lambda v, w: ST.pearsonr(v, w)[0] ** 2, a, b)

    def unpacked(v, w):
        r, p = ST.pearsonr(v, w)
        return r * p

    assert check_gradient(unpacked, a, b)
    assert check_gradient(lambda v: np.sum(hessian(correlation, v, b)[0][0] ** 2), a)
    for side in ("two-sided", "less", "greater"):
        for n in (2, 3, 5):

            def chance(v, w, n=n, side=side):
                return ST.pearsonr(v[:n], w[:n], alternative=side).pvalue

            assert check_gradient(chance, a, b)
    for i in (0, 1):
        assert check_gradient(lambda v, w, i=i: np.sum(gradient(correlation, v, w)[i] ** 2), a, b)

    def kept(v):
        return sum([r[0] for r in [ST.pearsonr(v * b, b), ST.pearsonr(v, b)]])

    assert check_gradient(kept, a)


def test_lists_and_programs():
    def of_numbers(a, b):
        return ST.gmean([a, b, 2.0]) * ST.kurtosis([a, b, a * b, 1])

    assert check_gradient(of_numbers, 1.3, 2.0)

    def loss(v):
        ranks = ST.rankdata(v)
        return np.sum(ranks * ST.zscore(v)) + ST.entropy(v, base=2) * ST.sem(v**2)

    assert check_gradient(loss, positive(5))


def test_what_is_refused():
    with pytest.raises(Refused, match="nan_policy='omit'"):
        gradient(lambda v: ST.skew(v, nan_policy="omit"), x(4))
    with pytest.raises(Refused, match="several orders"):
        gradient(lambda v: np.sum(ST.moment(v, [2, 3])), x(4))
    with pytest.raises(Refused, match="in its power"):
        gradient(lambda p: ST.pmean(np.array([1.0, 2.0]), p), 2.0)
    with pytest.raises(Refused, match="lmbda"):
        gradient(lambda v: ST.boxcox(v)[1], positive(4))
    with pytest.raises(Refused, match="complex"):
        gradient(lambda v: np.real(ST.moment(v * 1j, 2)), x(4))
    with pytest.raises(Refused, match="several ranks"):
        gradient(lambda v: np.sum(ST.gmean(v, axis=1, weights=np.ones(3))), positive(2, 3))


def of(fn, v):
    return fn(v)


def of_each(fns, v):
    return sum([fn(v) for fn in fns])


def test_functions_that_share_the_code_of_a_decorator():
    """Each is differentiated as itself, however it gets into the program."""
    at = positive(5)
    own = [gradient(lambda v: ST.sem(v), at)[0], gradient(lambda v: ST.skew(v), at)[0]]
    assert not np.allclose(*own)
    for fn, slope in zip((ST.sem, ST.skew), own, strict=True):
        for found in (
            gradient(fn, at)[0],
            gradient(of, fn, at)[1],
            gradient(lambda v, fn=fn: fn(v), at)[0],
            gradient(of_each, [fn, fn], at)[1] / 2,
        ):
            np.testing.assert_allclose(found, slope)
    np.testing.assert_allclose(gradient(of_each, [ST.sem, ST.skew], at)[1], sum(own))
    with pytest.raises(Refused, match="kstat"):
        gradient(ST.kstat, at)
