"""Rules of `rules/polynomials.py` and of `rules/numpy`."""

import importlib

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x, z


def test_values():
    check_rule(np.vander, x(4))
    check_rule(np.vander, z(4), N=[2, 3, 5], increasing=[False, True])
    check_rule(np.polyval, x(4), x(3))
    check_rule(np.polyval, z(4), z(2, 3))
    check_rule(np.polyval, x(4), 1.7, single=False)


def test_arithmetic():
    for fn in (np.polyadd, np.polysub, np.polymul):
        check_rule(fn, x(4), x(3))
        check_rule(fn, z(2), z(4))
    check_rule(np.polyder, x(5), m=[0, 1, 2])
    check_rule(np.polyint, x(5), m=[0, 1, 2])
    check_rule(np.polyint, x(3), k=1.5, types=False)


def test_a_first_coefficient_that_numpy_leaves_out():
    a, b = np.array([0.0, 2.0, 3.0]), np.array([1.0, 2.0])
    with pytest.raises(Refused, match="leaves out"):
        gradient(lambda a: np.polyval(np.polymul(a, b), 2.0), a)
    assert check_gradient(lambda b: np.polyval(np.polymul(a, b), 2.0), b)
    assert check_gradient(lambda a: np.polyval(np.polyadd(a, b), 2.0), a)


def test_roots():
    check_rule(np.poly, x(4))
    check_rule(np.poly, z(4))
    check_rule(np.poly, x(3, 3) + np.diag([1.0, 4.0, 9.0]), types=False, single=False)
    check_rule(np.roots, np.array([1.0, -6.0, 11.0, -6.2]), types=False)
    check_rule(np.roots, z(4))
    check_rule(np.roots, np.array([1.0, 0.3, 2.0]), types=False)


def test_fits():
    check_rule(np.polyfit, x(6), x(6), 2, single=False)
    check_rule(np.polyfit, x(6), x(6, 2), 1, single=False)
    check_rule(np.polyfit, x(6), x(6), 2, w=x(6, low=0.5), single=False, types=False)
    check_rule(np.polyfit, x(6), x(6, 2), 2, w=x(6, low=0.5), single=False, types=False)


BASES = {
    "poly": "polynomial",
    "cheb": "chebyshev",
    "leg": "legendre",
    "lag": "laguerre",
    "herm": "hermite",
    "herme": "hermite_e",
}
basis = pytest.mark.parametrize("short", BASES)


def of_basis(short, *names):
    """Functions of a module of `numpy.polynomial`."""
    module = importlib.import_module(f"numpy.polynomial.{BASES[short]}")
    return [getattr(module, short + name) for name in names]


@basis
def test_values_of_series(short):
    (val,) = of_basis(short, "val")
    check_rule(val, x(3), x(4))
    check_rule(val, x(2, 3), x(4, 2))
    check_rule(val, 0.3, x(3), single=False)
    check_rule(val, x(3), x(1))
    check_rule(val, z(3), z(4))
    check_rule(val, x(3), z(2), tensor=[True, False])
    assert check_gradient(lambda a, v: np.sum(val(v, [1.0, a, a * a]) ** 2), 0.4, x(3))


@basis
def test_values_of_series_of_several(short):
    val2d, val3d, grid2d, grid3d = of_basis(short, "val2d", "val3d", "grid2d", "grid3d")
    check_rule(val2d, x(5), x(5), x(3, 2))
    check_rule(val2d, x(2, 3), x(2, 3), x(3, 2, 2))
    check_rule(val3d, x(4), x(4), x(4), x(2, 3, 2))
    check_rule(grid2d, x(3), x(2), x(3, 4))
    check_rule(grid2d, x(3), x(2), x(3, 2, 2))
    check_rule(grid3d, x(3), x(2), x(1), x(2, 3, 2))


@basis
def test_weights_of_series(short):
    (vander,) = of_basis(short, "vander")
    check_rule(vander, x(4), 3)
    check_rule(vander, x(2, 3), 0)
    check_rule(vander, z(3), 2)
    check_rule(vander, 0.4, 2, single=False)


@basis
def test_derivatives_and_integrals(short):
    der, integral = of_basis(short, "der", "int")
    check_rule(der, x(5), m=[1, 0, 2, 5], scl=[1, 2.0])
    check_rule(der, x(4, 3), axis=[0, 1, -1])
    check_rule(integral, x(4), m=[1, 0, 2], lbnd=[0, 0.5])
    check_rule(integral, x(3), m=2, k=[[], [1.0, 2.0]], scl=[1, 2.0])
    check_rule(integral, x(4, 3), axis=[0, 1, -1])


@basis
def test_sums_and_products(short):
    add, sub, mul, mulx, power = of_basis(short, "add", "sub", "mul", "mulx", "pow")
    for fn in (add, sub, mul):
        check_rule(fn, x(4), x(2))
        check_rule(fn, x(1), x(3))
        check_rule(fn, z(2), z(4))
    check_rule(mulx, x(4))
    check_rule(mulx, z(1))
    for times in (2, 0, 1, 3):
        check_rule(power, x(3), times)
    for fn in (add, sub):
        assert check_gradient(lambda c, fn=fn: np.sum(fn(c, [1.0, 2.0]) ** 2), x(3))
    with pytest.raises(Refused, match="highest coefficients are zero"):
        gradient(lambda c: np.sum(sub(c, [0.0, 1.0]) ** 2), np.array([2.0, 1.0]))
    with pytest.raises(Refused, match="highest coefficients are zero"):
        gradient(lambda c: np.sum(mul(c, c)), np.array([2.0, 0.0]))


@basis
def test_roots_of_series(short):
    roots, from_roots = of_basis(short, "roots", "fromroots")
    made = from_roots(np.array([-0.8, 0.3, 1.1]))
    check_rule(roots, made, types=False)
    check_rule(roots, z(4))
    check_rule(roots, np.array([1.3, 0.5]))
    check_rule(from_roots, x(4))
    check_rule(from_roots, z(3))
    check_rule(from_roots, x(1))


@basis
def test_fits_of_series(short):
    (fit,) = of_basis(short, "fit")
    check_rule(fit, x(6), x(6), 2, single=False)
    check_rule(fit, x(6), x(6, 2), 1, single=False)
    check_rule(fit, x(6), x(6), 2, w=x(6, low=0.5), single=False, types=False)
    check_rule(fit, x(6), x(6, 2), 2, w=x(6, low=0.5), single=False, types=False)
    with pytest.raises(Refused, match="chosen degrees"):
        gradient(lambda y: np.sum(fit(np.arange(6.0), y, [0, 2]) ** 2), x(6))
    with pytest.raises(Refused, match="full"):
        gradient(lambda y: np.sum(fit(np.arange(6.0), y, 2, full=True)[0]), x(6))


def test_from_one_basis_to_another():
    for short in list(BASES)[1:]:
        module = importlib.import_module(f"numpy.polynomial.{BASES[short]}")
        for fn in (getattr(module, f"poly2{short}"), getattr(module, f"{short}2poly")):
            for n in (1, 2, 5):
                check_rule(fn, x(n))
            check_rule(fn, z(4))


def test_weight_functions():
    for short in ("leg", "lag", "herm", "herme"):
        check_rule(*of_basis(short, "weight"), x(3))
    check_rule(*of_basis("cheb", "weight"), x(3, low=-0.8, high=0.8))
    (gauss,) = of_basis("leg", "gauss")
    assert check_gradient(lambda a: np.sum(gauss(4)[1] * np.exp(a * gauss(4)[0])), 0.7)


def test_what_is_refused_of_series():
    (val,) = of_basis("cheb", "val")
    with pytest.raises(Refused, match="tensor=False"):
        gradient(lambda c: np.sum(val(np.ones(2), c, tensor=False)), x(3, 2))
    (div, integral) = of_basis("poly", "div", "int")
    with pytest.raises(Refused, match="divide by hand"):
        gradient(lambda c: np.sum(div(c, [1.0, 1.0])[0]), x(4))
    with pytest.raises(Refused):
        gradient(lambda k: np.sum(integral([1.0, 2.0], 1, k)), 0.3)
    with pytest.raises(Refused):
        gradient(lambda b: np.sum(integral([1.0, 2.0], lbnd=b)), 0.3)


CLASSES = ["Polynomial", "Chebyshev", "Legendre", "Laguerre", "Hermite", "HermiteE"]


def values_and_slopes(name):
    """Functions of the coefficients and the places, as a program has them."""
    cls = getattr(np.polynomial, name)
    return [
        lambda c, v: np.sum(np.sin(cls(c)(v))),
        lambda c, v: np.sum(np.sin(cls(c).deriv()(v))),
        lambda c, v: np.sum(np.sin(cls(c, domain=[0, 2], window=[-1, 1]).deriv(2)(v))),
    ]


@pytest.mark.parametrize("name", CLASSES)
def test_series_that_are_made(name):
    for f in values_and_slopes(name):
        assert check_gradient(f, x(4), x(3))
        assert check_gradient(f, x(4), 0.3)
        for i in (0, 1):
            assert check_gradient(
                lambda *a, f=f, i=i: np.sum(np.cos(gradient(f, *a, zeros=True)[i])), x(4), x(3)
            )
    p = getattr(np.polynomial, name)(x(4), domain=[0, 2])
    assert check_gradient(lambda v: np.sum(p(v) ** 2), x(3))
    with pytest.raises(Refused):  # of what was made elsewhere there is the first derivative
        gradient(lambda v: np.sum(gradient(lambda w: np.sum(p(w) ** 2), v)[0] ** 2), x(3))
    q = p.deriv()
    assert check_gradient(lambda v: q(v) ** 2, 0.3)
    np.testing.assert_allclose(gradient(lambda v, s: np.sum(s(v)), 0.3, p, wrt=0), q(0.3))
    p.coef[:] = 0.0  # what it holds may change
    assert not np.any(gradient(lambda v: np.sum(p(v) ** 2), x(3))[0])


def test_what_is_refused_of_series_that_are_made():
    cls = np.polynomial.Polynomial
    for f in (
        lambda c: cls(c).coef[0],
        lambda c: (cls(c) * 2.0)(0.3),
        lambda c: cls(c).integ()(0.3),
        lambda c: cls.fit(np.arange(4.0), c, 2)(0.3),
        lambda c: cls(c, c)(0.3),
    ):
        with pytest.raises(Refused):
            gradient(f, x(4))
    old = np.poly1d([1.0, 2.0])
    with pytest.raises(Refused):
        gradient(lambda v: old(v), 0.3)
