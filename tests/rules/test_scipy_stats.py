"""Rules of `rules/scipy/stats.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, spd, x

ST = pytest.importorskip("scipy.stats")
C, D = ST.rv_continuous, ST.rv_discrete
# The shapes to check at, and what is inside the support.
REAL = {"loc": 0.3, "scale": 1.7}
EVERYWHERE = {n: () for n in "norm cauchy laplace logistic gumbel_r gumbel_l".split()}
EVERYWHERE |= {"t": (3.5,), "skewnorm": (1.5,), "vonmises": (1.5,), "truncnorm": (-3, 4)}
POSITIVE = {n: () for n in "expon rayleigh maxwell halfnorm halfcauchy".split()}
POSITIVE |= {n: (2.5,) for n in "gamma invgamma chi2 weibull_min".split()}
POSITIVE |= {"lognorm": (0.8,), "f": (3.5, 4.5), "invgauss": (0.8,)}
UNIT = {"uniform": (), "beta": (2.5, 1.5), "powerlaw": (1.5,)}
ABOVE_ONE = {"pareto": (2.5,)}
PLACES = [
    *((n, s, (-1.5, 1.5)) for n, s in EVERYWHERE.items()),
    *((n, s, (0.2, 2.5)) for n, s in POSITIVE.items()),
    *((n, s, (0.1, 0.9)) for n, s in UNIT.items()),
    *((n, s, (1.2, 2.5)) for n, s in ABOVE_ONE.items()),
]


@pytest.mark.parametrize(("name", "shapes", "where"), PLACES, ids=[p[0] for p in PLACES])
def test_continuous(name, shapes, where):
    dist = getattr(ST, name)
    at = x(4, low=where[0], high=where[1])
    there = 0.3 + 1.7 * at
    for fn in (C.logpdf, C.pdf):
        check_rule(fn, dist, at, *shapes)
        check_rule(fn, dist, there, *shapes, 0.3, 1.7)
    for fn in (C.cdf, C.logcdf, C.sf, C.logsf):
        check_rule(fn, dist, there, *shapes, 0.3, 1.7)
    for fn in (C.ppf, C.isf):
        check_rule(fn, dist, x(4, low=0.2, high=0.8), *shapes, 0.3, 1.7)


def test_parameters_broadcast_and_have_names():
    check_rule(C.logpdf, ST.norm, x(3, 1), x(4), x(3, 1, low=0.5))
    check_rule(C.logpdf, ST.gamma, x(3, low=0.5), x(3, low=1.2), scale=[2.5])

    def loss(mu, sigma):
        return np.sum(ST.norm.logpdf(np.arange(3.0), loc=mu, scale=sigma))

    assert check_gradient(loss, 0.3, 1.7)
    assert check_gradient(lambda m: gradient(loss, m, 1.7)[0] ** 2, 0.3)


COUNTS = {
    "poisson": (2.5,),
    "binom": (6, 0.3),
    "bernoulli": (0.3,),
    "geom": (0.3,),
    "nbinom": (4, 0.3),
}


@pytest.mark.parametrize(("name", "shapes"), COUNTS.items(), ids=COUNTS)
def test_discrete(name, shapes):
    dist = getattr(ST, name)
    for fn in (D.pmf, D.cdf, D.sf):
        check_rule(fn, dist, np.array([1, 0, -1, 2, 3]), *shapes)
    check_rule(D.logpmf, dist, np.array([1]), *shapes)
    inside = np.array([0] if name == "bernoulli" else [1, 2])
    check_rule(D.logcdf, dist, inside, *shapes)
    check_rule(D.logsf, dist, inside, *shapes)


def test_outside_of_the_support():
    at = np.array([-1.0, 0.0, 2.0])
    for fn, slope in ((C.logpdf, -1.0), (C.pdf, -np.exp(-2.0))):
        y = fn(ST.expon, at)
        _, bars = pull(fn, (ST.expon, at), {}, y, np.ones(3))
        np.testing.assert_allclose(bars[1], [0.0, -1.0, slope])
    y = D.logpmf(ST.poisson, np.array([-1, 0, 2]), 0.5)
    _, bars = pull(D.logpmf, (ST.poisson, np.array([-1, 0, 2]), 0.5), {}, y, np.ones(3))
    np.testing.assert_allclose(bars[2], [0.0, -1.0, 3.0])
    assert gradient(lambda m: ST.poisson.logpmf(0, m), 0.0) == (-1.0,)


def test_far_in_the_tail():
    assert np.isfinite(gradient(lambda v: ST.norm.logcdf(v), -40.0)[0])
    np.testing.assert_allclose(gradient(lambda v: ST.norm.logsf(v), 30.0)[0], -30.0, rtol=2e-3)


def test_multivariate_normal():
    fn, pdf = type(ST.multivariate_normal).logpdf, type(ST.multivariate_normal).pdf
    for at in ((3,), (4, 3)):
        for f in (fn, pdf):
            check_rule(f, ST.multivariate_normal, x(*at), x(3), spd(3))
    check_rule(fn, ST.multivariate_normal, x(4, 3), cov=[spd(3)], compiled=False, single=False)

    def loss(mean, root):
        at = np.arange(6.0).reshape(2, 3)
        return np.sum(ST.multivariate_normal.logpdf(at, mean=mean, cov=root @ root.T))

    assert check_gradient(loss, x(3), spd(3))


def test_what_is_refused():
    with pytest.raises(Refused, match="nakagami"):
        gradient(lambda v: ST.nakagami.logpdf(v, 2.0), 0.5)
    with pytest.raises(Refused, match="shape 1"):
        gradient(lambda a: ST.gamma.cdf(1.0, a), 0.5)
    with pytest.raises(Refused, match="in its count"):
        gradient(lambda k: ST.poisson.logpmf(k, 2.0), 1.0)
    with pytest.raises(Refused, match="frozen"):
        gradient(lambda m: ST.norm(m, 1.0).entropy(), 0.5)


standard = ST.norm(0.5, scale=2.0)


def test_frozen():
    assert gradient(lambda v: standard.logpdf(v), 1.5) == (-0.25,)
    assert gradient(lambda d, v: d.logpdf(v), standard, 1.5)[1] == -0.25
    assert check_gradient(lambda m, s, v: ST.norm(m, scale=s).logcdf(v), 0.3, 1.2, 0.5)
    assert check_gradient(lambda a, v: ST.gamma(a, scale=a).logpdf(v), 1.3, 0.5)
    assert check_gradient(lambda mu: np.sum(ST.poisson(mu).logpmf(np.arange(4))), 1.3)

    def two(m):
        prior = ST.norm(m, 1.0)
        return prior.logpdf(0.3) + prior.cdf(0.1)

    assert check_gradient(two, 0.2)
