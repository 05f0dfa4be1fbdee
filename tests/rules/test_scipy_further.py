"""Rules of `rules/scipy/further.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x

sp = pytest.importorskip("scipy.special")


def positive(*shape):
    return x(*shape, low=0.4, high=1.6)


def share(*shape):
    return x(*shape, low=0.2, high=0.8)


def test_probabilities():
    for fn in (sp.bdtr, sp.bdtrc, sp.bdtri):
        check_rule(fn, 2, 5, share(4))
    for fn in (sp.nbdtr, sp.nbdtrc, sp.nbdtri):
        check_rule(fn, 2, 3, share(4))
    for fn in (sp.fdtr, sp.fdtrc):
        check_rule(fn, 3.5, 4.5, positive(4))
    check_rule(sp.fdtri, 3.5, 4.5, share(4))
    check_rule(sp.chdtri, 3.5, share(4))
    check_rule(sp.pdtri, 2, share(4))
    assert gradient(lambda p: sp.bdtr(5, 5, p), 0.3) == (0.0,)


def test_probabilities_of_gamma_and_normal_distributions():
    for fn in (sp.gdtr, sp.gdtrc):
        check_rule(fn, positive(3, 1), 1.7, positive(4))
    check_rule(sp.gdtrix, positive(3, 1), 1.7, share(4))
    check_rule(sp.gdtria, share(3, 1), 1.7, positive(4))
    check_rule(sp.nrdtrimn, share(3), positive(3), x(3))
    check_rule(sp.nrdtrisd, x(3), np.array([0.2, 0.3, 0.8]), x(3) + np.array([-4, -5, 4]))


def test_noncentral():
    check_rule(sp.chndtr, positive(3), 3.5, positive(3))
    check_rule(sp.chndtr, 10 * positive(3), 3.5, 10 * positive(3))
    check_rule(sp.chndtrix, share(3), 3.5, 0.7)
    central = gradient(lambda v: sp.chdtr(3.0, v), 1.3)
    np.testing.assert_allclose(gradient(lambda v: sp.chndtr(v, 3.0, 0.0), 1.3), central)
    assert gradient(lambda v: sp.chndtr(v, 3.0, 0.5), 0.0) == (0.0,)


def test_tukey():
    for shape in (-0.5, 0.3, 1.7):
        check_rule(sp.tklmbda, x(3, low=-0.4, high=0.4), np.array(shape))
    check_rule(sp.tklmbda, x(3), 0)
    assert gradient(lambda v: sp.tklmbda(v, 2.0), 0.7) == (0.0,)


@pytest.mark.parametrize("name", "ber bei ker kei berp beip kerp keip kelvin".split())
def test_kelvin(name):
    check_rule(getattr(sp, name), positive(3))


def test_kelvin_at_zero():
    assert gradient(lambda v: sp.beip(v), 0.0) == (0.5,)
    assert gradient(lambda v: sp.berp(v), 0.0) == (0.0,)
    assert gradient(lambda v: np.imag(sp.kelvin(v)[2]), 0.0) == (0.5,)


@pytest.mark.parametrize("fn", [sp.pbdv, sp.pbvv, sp.pbwa])
def test_parabolic_cylinders(fn):
    check_rule(fn, 1.3, positive(3))


def test_mathieu():
    for fn in (sp.mathieu_cem, sp.mathieu_sem):
        check_rule(fn, 2, 0.7, 50 * positive(3))
    modified = (sp.mathieu_modcem1, sp.mathieu_modcem2, sp.mathieu_modsem1, sp.mathieu_modsem2)
    for fn in modified:
        check_rule(fn, 2, 0.7, positive(3))


def test_scaled_airy():
    check_rule(sp.airye, positive(3))
    assert check_gradient(lambda v: sp.airye(v)[2] * sp.airye(v)[3], -0.7)
    assert check_gradient(lambda v: gradient(lambda u: sp.airye(u)[2] ** 2, v)[0], -0.7)


def test_elliptic():
    for m in (0.0, 0.05, 0.3, 0.9):
        check_rule(sp.ellipj, x(3), np.array(m + 1e-3))
    check_rule(sp.ellipj, x(3), 0.3)
    slopes = [gradient(lambda m, i=i: sp.ellipj(0.7, m)[i], 0.0)[0] for i in range(4)]
    steps = [(a - b) / 1e-6 for a, b in zip(sp.ellipj(0.7, 1e-6), sp.ellipj(0.7, 0.0), strict=True)]
    np.testing.assert_allclose(slopes, steps, rtol=1e-5)


INTEGRALS = "iti0k0 itj0y0 it2i0k0 it2j0y0 itstruve0 itmodstruve0 it2struve0"


@pytest.mark.parametrize("name", [*INTEGRALS.split(), "modfresnelp", "modfresnelm"])
def test_integrals(name):
    check_rule(getattr(sp, name), positive(3))


def test_integrals_of_airy():
    """SciPy's values have about eight digits."""
    at = positive(3)
    slopes = [*sp.airy(at)[::2], *sp.airy(-at)[::2]]
    for i, slope in enumerate(slopes):
        found = gradient(lambda v, i=i: np.sum(sp.itairy(v)[i]), at)[0]
        np.testing.assert_allclose(found, slope)
        ends = [sp.itairy(at + h)[i] for h in (0.01, -0.01)]
        np.testing.assert_allclose((ends[0] - ends[1]) / 0.02, slope, rtol=1e-4)


@pytest.mark.parametrize("at", [0.0, 1e-9, 0.0999, 0.1001])
def test_integrals_near_zero(at):
    for fn, sign in ((sp.it2i0k0, 1.0), (sp.it2j0y0, -1.0)):
        found = gradient(lambda v, fn=fn: fn(v)[0], at)[0]
        np.testing.assert_allclose(found, at / 4 + sign * at**3 / 64 + at**5 / 2304, rtol=1e-9)


def test_means_and_series():
    check_rule(sp.agm, positive(3, 1), positive(4))
    check_rule(sp.agm, positive(3), 50 * positive(3))
    wide = gradient(lambda a, b: sp.agm(a, b), 3.0, 1e-8)
    np.testing.assert_allclose(wide, (0.07154349059370245, 1078242.3423917715), rtol=1e-13)
    check_rule(sp.besselpoly, positive(3), 1.5, 2.0)
    check_rule(sp.wright_bessel, 0.7, 1.3, positive(3))
    if hasattr(sp, "log_wright_bessel"):
        check_rule(sp.log_wright_bessel, 0.7, 1.3, positive(3))
    assert gradient(lambda v: sp.agm(v, 1.0), 1.0) == (0.5,)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_dirichlet(n):
    check_rule(sp.diric, 3 * x(4), n)
    assert gradient(lambda v: sp.diric(v, n), 0.0)[0] in (0.0, None)
    if n > 1:
        bent = gradient(lambda v: gradient(lambda u: sp.diric(u, n), v)[0], 0.0)[0]
        np.testing.assert_allclose(bent, (1 - n * n) / 12)


def test_legendre():
    check_rule(sp.lpmv, 1, 2.0, x(3, low=-0.8, high=0.8))
    check_rule(sp.lpmv, 0, 0.0, x(3, low=-0.8, high=0.8))


DEGREES = [(0, 0), (2, 0), (2, 1), (2, 2), (3, -2), (2, -2)]


@pytest.mark.parametrize(("n", "m"), DEGREES)
def test_spherical_harmonics(n, m):
    if hasattr(sp, "sph_harm_y"):
        check_rule(sp.sph_harm_y, n, m, positive(3), x(3))
        at_pole = gradient(lambda v: np.real(sp.sph_harm_y(n, m, v, 0.3)), 0.0)[0]
        step = 1e-6
        there = [np.real(sp.sph_harm_y(n, m, v, 0.3)) for v in (step, 0.0)]
        np.testing.assert_allclose(at_pole, (there[0] - there[1]) / step, atol=1e-5)
    if hasattr(sp, "sph_harm"):
        check_rule(sp.sph_harm, m, n, x(3), positive(3))


def test_harmonics_of_many_degrees():
    if hasattr(sp, "sph_harm_y"):
        n, m = np.array([[1], [2], [3]]), np.array([0, 1, -1])
        check_rule(sp.sph_harm_y, n, m, 0.7, 0.3)


def test_what_is_refused():
    with pytest.raises(Refused, match="`pbdv` in its argument 1"):
        gradient(lambda v: sp.pbdv(v, 0.3)[0], 0.7)
    with pytest.raises(Refused, match="complex"):
        gradient(lambda v: np.real(sp.airye(1j * v)[0]), 0.7)
    with pytest.raises(Refused, match="diff_n"):
        gradient(lambda v: np.real(sp.sph_harm_y(2, 1, v, 0.3, diff_n=1)[0]), 0.7)
