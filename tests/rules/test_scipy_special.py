"""Rules of `rules/scipy/special.py`."""

import numpy as np
import pytest

from zyg_interactive import gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, x, z

sp = pytest.importorskip("scipy.special")

WIDE = (
    "erf erfc erfcx erfi dawsn ndtr log_ndtr expit log_expit exp2 exp10 expm1 cosm1 exprel sindg "
    "cosdg tandg i0 i1 i0e i1e j0 j1 wrightomega ndtri_exp"
)
POSITIVE = (
    "gamma gammaln loggamma psi rgamma entr cbrt log1p y0 y1 k0 k1 k0e k1e exp1 expi spence cotdg"
)
WITHIN_ONE = "logit ndtri erfcinv ellipk ellipe ellipkm1 erfinv"


@pytest.mark.parametrize("name", WIDE.split())
def test_everywhere(name):
    low, high = (-1.5, -0.1) if name == "ndtri_exp" else (-1.5, 1.5)
    check_rule(getattr(sp, name), x(3, 2, low=low, high=high))


@pytest.mark.parametrize("name", POSITIVE.split())
def test_of_positive_numbers(name):
    check_rule(getattr(sp, name), x(3, 2, low=0.4))


@pytest.mark.parametrize("name", WITHIN_ONE.split())
def test_of_probabilities(name):
    check_rule(getattr(sp, name), x(5, low=0.1, high=0.9))


HOLOMORPHIC = "erf erfc erfcx dawsn erfi wofz ndtr log_ndtr expm1 gamma loggamma rgamma exp1 expi"


@pytest.mark.parametrize("name", HOLOMORPHIC.split())
def test_of_complex_numbers(name):
    twice = name not in ("gamma", "loggamma", "rgamma")  # SciPy has no polygamma of these
    check_rule(getattr(sp, name), z(3) + 0.3, twice=twice)


def positive(*shape):
    return x(*shape, low=0.4, high=1.6)


def test_gamma_and_beta():
    for fn in (sp.beta, sp.betaln):
        check_rule(fn, positive(3, 1), positive(4))
    check_rule(sp.poch, positive(3), positive(3))
    check_rule(sp.polygamma, 2, positive(4))
    check_rule(sp.zeta, 2.5, positive(4))
    check_rule(sp.multigammaln, positive(3) + 2, 3)
    for fn in (sp.binom, sp.comb, sp.perm):
        check_rule(fn, positive(3) + 3, positive(3))
    check_rule(sp.factorial, positive(3))


def test_incomplete():
    p = x(4, low=0.2, high=0.8)
    for fn in (sp.gammainc, sp.gammaincc):
        check_rule(fn, 1.7, positive(4))
    for fn in (sp.gammaincinv, sp.gammainccinv):
        check_rule(fn, 1.7, p)
    for fn in (sp.betainc, sp.betaincc, sp.betaincinv, sp.betainccinv):
        check_rule(fn, 1.7, 2.4, p)
    for fn in (sp.chdtr, sp.chdtrc, sp.stdtr, sp.pdtr, sp.pdtrc):
        check_rule(fn, 3.0, positive(4))
    check_rule(sp.stdtrit, 3.0, p)


def test_entropies_and_losses():
    for fn in (sp.rel_entr, sp.kl_div, sp.xlogy, sp.xlog1py):
        check_rule(fn, positive(3, 1), positive(4))
    for fn in (sp.huber, sp.pseudo_huber):
        check_rule(fn, positive(3, 1), x(4))
    if hasattr(sp, "softplus"):
        check_rule(sp.softplus, x(4))


def test_sums_of_exponentials():
    axes = [None, 0, -1, (0, 1)]
    check_rule(sp.logsumexp, x(3, 4), axis=axes, keepdims=[False, True])
    check_rule(sp.logsumexp, x(3, 4), axis=axes, b=positive(3, 4), keepdims=[False, True])
    check_rule(sp.logsumexp, x(3, 4), axis=[0, 1], b=positive(4))
    check_rule(sp.logsumexp, x(4), axis=[1], b=positive(3, 4))
    check_rule(sp.logsumexp, z(4))
    check_rule(sp.softmax, x(3, 4), axis=[None, 0, -1, (0, 1)])
    check_rule(sp.log_softmax, x(3, 4), axis=[None, 0, -1, (0, 1)])


def test_a_sum_of_a_list():
    weights = sp.softmax([1.0, 2.0, 3.0])
    found = gradient(lambda v: sp.logsumexp([v, 2 * v, 3.0]), 1.0)
    np.testing.assert_allclose(found, weights[0] + 2 * weights[1])


def test_elementary():
    check_rule(sp.radian, x(3), x(3), x(3))
    check_rule(sp.powm1, positive(3), x(3))
    for fn in (sp.boxcox, sp.boxcox1p, sp.inv_boxcox, sp.inv_boxcox1p):
        check_rule(fn, positive(3), 0.7)
    check_rule(sp.expn, 3, positive(3))
    check_rule(sp.expn, 0, positive(3))
    check_rule(sp.expn, np.array([0, 1, 2]), positive(3))
    check_rule(sp.owens_t, x(3), x(3))
    check_rule(sp.voigt_profile, x(3), positive(3), positive(3))
    check_rule(sp.lambertw, positive(4))
    check_rule(sp.lambertw, z(4), k=[0, 1])


@pytest.mark.parametrize("fn", [sp.sici, sp.shichi, sp.fresnel, sp.airy])
def test_pairs(fn):
    check_rule(fn, positive(3))


ORDERED = "jv yv iv kv hankel1 hankel2 jve yve ive kve hankel1e hankel2e struve modstruve"


@pytest.mark.parametrize("name", ORDERED.split())
def test_bessel(name):
    fn = getattr(sp, name)
    check_rule(fn, 2, positive(3))
    check_rule(fn, 0.7, positive(3))
    if name not in ("jve", "yve", "ive", "struve", "modstruve"):
        check_rule(fn, 1, z(3) + 2)


def test_more_bessel():
    check_rule(sp.yn, 2, positive(3))
    check_rule(sp.kn, 2, positive(3))
    for fn in (sp.jvp, sp.yvp, sp.ivp, sp.kvp):
        check_rule(fn, 1, positive(3))
        check_rule(fn, 1, positive(3), 2)
    for fn in (sp.h1vp, sp.h2vp):
        check_rule(fn, 1, z(3) + 2)
    for fn in (sp.spherical_jn, sp.spherical_yn, sp.spherical_in, sp.spherical_kn):
        for n in (0, 2):
            check_rule(fn, n, positive(3), derivative=[False, True])


def test_hypergeometric():
    check_rule(sp.hyp0f1, 1.5, x(3))
    check_rule(sp.hyp1f1, 1.5, 2.5, x(3))
    check_rule(sp.hyperu, 1.5, 2.5, positive(3))
    check_rule(sp.hyp2f1, 0.5, 1.5, 2.5, x(3, low=-0.8, high=0.8))
    for fn in (sp.ellipkinc, sp.ellipeinc):
        check_rule(fn, x(3), 0.4)
        check_rule(fn, 3 * x(3), np.array([0.01, -0.7, 0.3]))
        check_rule(fn, x(5), np.array([0.0, 0.0995, 0.1005, -3.0, 0.95]))
        near, far = (gradient(lambda m, fn=fn: fn(2.0, m), m)[0] for m in (0.1 - 1e-12, 0.1))
        np.testing.assert_allclose(near, far, rtol=1e-11)


@pytest.mark.parametrize("n", [0, 1, 3, np.array([0, 1, 2, 4])])
def test_polynomials(n):
    at = x(4, low=0.1, high=0.9)
    for name in "legendre sh_legendre chebyt chebyu sh_chebyt hermite hermitenorm laguerre".split():
        check_rule(getattr(sp, f"eval_{name}"), n, at)
    for name in "chebyc chebys sh_chebyu".split():
        check_rule(getattr(sp, f"eval_{name}"), n, at)
    check_rule(sp.eval_sh_jacobi, n, 2.5, 1.5, at)
    check_rule(sp.eval_gegenbauer, n, 1.5, at)
    check_rule(sp.eval_genlaguerre, n, 1.5, at)
    check_rule(sp.eval_jacobi, n, 0.5, 1.5, at)


def bars(fn, *args, **kwargs):
    y = fn(*args, **kwargs)
    return pull(fn, args, kwargs, y, np.ones_like(y))[1]


def test_where_the_formula_has_a_pole():
    assert bars(sp.xlogy, 0.0, 2.0) == (np.log(2.0), 0.0)
    with np.errstate(divide="ignore"):
        assert bars(sp.xlogy, 0.0, 0.0) == (-np.inf, 0.0)
        assert bars(sp.rel_entr, 0.0, 1.0) == (-np.inf, 0.0)
        assert bars(sp.kl_div, 0.0, 1.0) == (-np.inf, 1.0)
    assert bars(sp.xlog1py, 0.0, -1.0 + 1e-3)[1] == 0
    np.testing.assert_allclose(bars(sp.rgamma, np.array([0.0, -1.0, -2.0])), [[1, -1, 2]])
    assert bars(sp.i0, 0.0) == (0.0,) and bars(sp.i0e, 0.0) == (0.0,)
    assert bars(sp.i1, 0.0) == (0.5,) and bars(sp.j1, 0.0) == (0.5,)
    assert bars(sp.spence, 1.0) == (-1.0,)
    assert bars(sp.exprel, 0.0) == (0.5,)
    np.testing.assert_allclose(bars(sp.ellipk, 0.0), np.pi / 8)
    assert bars(sp.pseudo_huber, 0.0, -2.0) == (2.0, 0.0)
    assert bars(sp.lambertw, 0.0) == (1.0,)
    np.testing.assert_allclose(bars(sp.spherical_jn, 0, 0.0, derivative=True)[1], -1 / 3)


def test_far_away():
    """The logarithm of a normal probability falls as a parabola: its slope is about -x."""
    np.testing.assert_allclose(bars(sp.log_ndtr, -1e6), 1e6, rtol=1e-9)
    assert bars(sp.log_ndtr, 50.0) == (0.0,)
    np.testing.assert_allclose(bars(sp.log_expit, -1e4), 1.0)
    assert bars(sp.expit, 800.0) == (0.0,)


def test_sums_of_nothing():
    none = np.array([-np.inf, -np.inf])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(bars(sp.logsumexp, none)[0], [0, 0])
    np.testing.assert_array_equal(bars(sp.logsumexp, np.array([-np.inf, 1.0]))[0], [0, 1])
    np.testing.assert_allclose(bars(sp.softmax, np.array([1e4, 0.0]))[0], [0, 0])


def test_an_order_is_refused_only_where_it_is_active():
    assert gradient(lambda v: sp.jv(2.5, v), 1.0)[0] == (sp.jv(1.5, 1.0) - sp.jv(3.5, 1.0)) / 2
    with pytest.raises(Refused, match="`jv` in its argument 1"):
        gradient(lambda v: sp.jv(v, 1.0), 2.5)
    with pytest.raises(Refused, match="`jv` in its argument 1"):
        gradient(lambda v: sp.jv(v, v), 2.5)
    with pytest.raises(Refused, match="complex"):
        gradient(lambda v: np.real(sp.ive(1, v)), 1.0 + 1j)


def test_what_has_no_rule_is_refused_by_its_name():
    with pytest.raises(Refused, match="scipy.special.kolmogorov"):
        gradient(sp.kolmogorov, 0.5)
    with pytest.raises(Refused, match="return_sign"):
        gradient(lambda v: sp.logsumexp(v, return_sign=True)[0], np.ones(3))
