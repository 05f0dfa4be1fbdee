"""Rules of `rules/scipy/minima.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian, pushforward
from zyg_interactive.diagnostics import Refused

from .checks import spd

O = pytest.importorskip("scipy.optimize")  # noqa: E741
I = pytest.importorskip("scipy.integrate")  # noqa: E741
A, B = spd(2), np.array([0.3, 0.7])


def bowl(a, b):
    """Whose minimum is that of a quadratic function, at `a^-1 b`, with a quartic term."""
    return lambda v: 0.5 * v @ a @ v - b @ v + 0.1 * np.sum(v**4)


def lowest(a, b):
    slope = lambda v: 0.5 * (a + a.T) @ v - b + 0.4 * v**3  # noqa: E731
    return O.minimize(bowl(a, b), np.zeros(2), jac=slope, tol=1e-9)


def test_the_place_of_a_minimum():
    def loss(a, b):
        return np.sum(np.sin(lowest(a, b).x))

    assert check_gradient(loss, A, B)
    np.testing.assert_allclose(pushforward(loss, A, B)(A, B), sum_of(gradient(loss, A, B)))
    assert check_gradient(lambda b: np.sum(gradient(loss, A, b)[1] ** 2), B)
    assert check_gradient(lambda b: np.sum(pushforward(lambda b: loss(A, b), b)(B)), B)


def sum_of(gradients):
    return sum(np.sum(g * v) for g, v in zip(gradients, (A, B), strict=True))


def test_the_least_value():
    assert check_gradient(lambda a, b: lowest(a, b).fun, A, B)
    # The envelope theorem: minus the place, and minus the inverse of the Hessian.
    place = lowest(A, B).x
    np.testing.assert_allclose(gradient(lambda b: lowest(A, b).fun, B)[0], -place, rtol=1e-6)
    curved = A + np.diag(1.2 * place**2)
    np.testing.assert_allclose(
        hessian(lambda b: lowest(A, b).fun, B), -np.linalg.inv(curved), rtol=1e-6
    )
    assert check_gradient(lambda b: lowest(A, b).fun * np.sum(lowest(A, b).x), B)


def test_arguments():
    def found(p, q, jac):
        def f(v, p, q):
            value = np.sum((v - p) ** 2) + q * v[0] ** 4
            return (value, 2 * (v - p) + 4 * q * np.array([v[0] ** 3, 0.0])) if jac else value

        r = O.minimize(f, [0.0, p], args=(p, q), jac=jac, method="BFGS")
        return r.x[0] * r.fun if r.success else 0.0 * p

    place = O.brentq(lambda t: t - 1.3 + 1.2 * t**3, 0, 2)
    of_p = 1 / (1 + 3.6 * place**2)
    value = (place - 1.3) ** 2 + 0.6 * place**4
    expected = of_p * value + place * 2 * (1.3 - place)
    for jac in (None, True):
        np.testing.assert_allclose(gradient(found, 1.3, 0.6, jac, wrt=0), expected, rtol=1e-4)


def test_an_array_of_one_number():
    found = gradient(lambda p: O.minimize(lambda v: (v - p) ** 2 + v**4, [0.0]).fun, 0.8)
    place = O.brentq(lambda t: t - 0.8 + 2 * t**3, 0, 2)
    np.testing.assert_allclose(found, 2 * (0.8 - place), rtol=1e-6)


def one_inside_the_other(b):
    """The rate with which `y' = -p y` falls from 1 to b."""

    def miss(p, b):
        return (I.solve_ivp(lambda t, y: -p[0] * y, (0, 1), [1.0], rtol=1e-9).y[0, -1] - b) ** 2

    return O.minimize(miss, [1.0], args=(b,)).x[0]


def test_a_minimum_over_solutions():
    np.testing.assert_allclose(gradient(one_inside_the_other, 0.5), -2.0, rtol=1e-4)


def test_one_unknown():
    def found(p):
        return O.minimize_scalar(lambda t: (t - p) ** 2 + t**4, tol=1e-10).x

    place = O.brentq(lambda t: t - 0.8 + 2 * t**3, 0, 2)
    first = 1 / (1 + 6 * place**2)
    np.testing.assert_allclose(gradient(found, 0.8), first, rtol=1e-6)
    np.testing.assert_allclose(pushforward(found, 0.8)(2.0), 2 * first, rtol=1e-6)
    np.testing.assert_allclose(hessian(found, 0.8), -12 * place * first**3, rtol=1e-6)

    def bounded(p):
        r = O.minimize_scalar(
            lambda t, q: (t - q) ** 2 + t**4, bounds=(0, 2), method="bounded", args=(p,)
        )
        return r.fun

    assert check_gradient(bounded, 0.8)
    # It almost reaches the bound: only the function moves.
    np.testing.assert_allclose(gradient(bounded, -0.8), -1.6, rtol=1e-4)


def test_least_squares():
    t = np.linspace(0, 1, 8)
    y = np.exp(-1.3 * t) + 0.05 * np.cos(20 * t)

    def fit(y, s):
        exact = dict(jac="3-point", xtol=1e-15, ftol=1e-15, gtol=1e-15)
        return O.least_squares(lambda k: k[0] * np.exp(-k[1] * t * s) - y, [1.0, 1.0], **exact)

    def by_root(y, s):
        """The same, where the slope of the sum of squares is zero."""

        def slope(k):
            f = np.exp(-k[1] * t * s)
            r = k[0] * f - y
            return np.array([r @ f, r @ (-t * s * k[0] * f)])

        return O.fsolve(slope, [1.0, 1.0], xtol=1e-13)

    for i in (0, 1):
        # The residuals are large: without their second derivatives this would not hold.
        found = gradient(
            lambda y, s, i=i: O.least_squares(
                lambda k: k[0] * np.exp(-k[1] * t * s) - y, [1.0, 1.0]
            ).x[i],
            y,
            1.1,
        )
        expected = gradient(lambda y, s, i=i: by_root(y, s)[i], y, 1.1)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)

    def loss(y, s):
        r = O.least_squares(lambda k: k[0] * np.exp(-k[1] * t * s) - y, [1.0, 1.0])
        return r.cost + np.sum(r.fun**3)

    assert check_gradient(loss, y, 1.1)
    # The residuals are orthogonal to their Jacobian.
    cost = lambda y: O.least_squares(lambda k: k[0] + k[1] * t - y, [1.0, 1.0]).cost  # noqa: E731
    design = np.stack([np.ones(8), t], axis=1)
    np.testing.assert_allclose(
        hessian(cost, y), np.eye(8) - design @ np.linalg.pinv(design), atol=1e-8
    )
    assert fit(y, 1.1).success


def test_bounds():
    def found(p):
        return O.minimize(
            lambda v: np.sum((v - p) ** 2 + v**4), [0.5, 0.5], bounds=[(0, 1), (0, None)]
        ).x[0]

    def with_bounds(p):
        return O.minimize(
            lambda v: np.sum((v - p) ** 2 + v**4), [0.5, 0.5], bounds=O.Bounds(0.0, 1.0)
        ).x[0]

    def fitted(b):
        return O.least_squares(lambda v: v - b, [1.0, 1.0], bounds=([0, 0], [5, 5])).x[0]

    place = O.brentq(lambda t: t - 0.8 + 2 * t**3, 0, 2)
    for f in (found, with_bounds):
        np.testing.assert_allclose(gradient(f, 0.8), 1 / (1 + 6 * place**2), rtol=1e-4)
        np.testing.assert_allclose(gradient(f, -0.8), 0.0)
        with pytest.raises(Refused, match="almost on one of its bounds"):
            gradient(f, 0.0)
    np.testing.assert_allclose(gradient(fitted, B + 1)[0], [1.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(gradient(fitted, B - 1)[0], [0.0, 0.0], atol=1e-7)


C3, B3 = np.array([[3, 1, 0.5], [1, 2, 0.3], [0.5, 0.3, 1.0]]), np.array([1.3, -0.7, 1.9])


def curved(b):
    return lambda v: 0.5 * v @ C3 @ v - b @ v + 0.1 * np.sum(v**4)


def one_is_free(b, high):
    """The second unknown is on its lower bound 0, the third on its upper one."""
    free = O.brentq(lambda t: 3 * t + 0.5 * high - b[0] + 0.4 * t**3, -5, 5)
    v = np.stack([free, 0.0, high])
    return np.sum(np.sin(v * np.array([1.0, 2.0, 3.0]))) + curved(b)(v)


def by_lbfgsb(b, high):
    r = O.minimize(curved(b), np.full(3, 0.2), bounds=[(0, high), (0, None), (0, high)], tol=1e-10)
    return np.sum(np.sin(r.x * np.array([1.0, 2.0, 3.0]))) + r.fun


def by_tnc(b, high):
    limits = O.Bounds([0, 0, 0], [high, 9.0, high])
    r = O.minimize(curved(b), np.full(3, 0.2), method="TNC", bounds=limits, tol=1e-10)
    return np.sum(np.sin(r.x * np.array([1.0, 2.0, 3.0]))) + r.fun


def by_slsqp(b, high):
    top = np.stack([high, 9.0, high])
    limits = np.stack([np.zeros(3), top], axis=1)
    r = O.minimize(curved(b), np.full(3, 0.2), method="SLSQP", bounds=limits, tol=1e-12)
    return np.sum(np.sin(r.x * np.array([1.0, 2.0, 3.0]))) + r.fun


def by_trust_constr(b, high):
    limits = O.Bounds(0.0, high)
    r = O.minimize(curved(b), np.full(3, 0.2), method="trust-constr", bounds=limits, tol=1e-10)
    return np.sum(np.sin(r.x * np.array([1.0, 2.0, 3.0]))) + r.fun


@pytest.mark.parametrize("found", [by_lbfgsb, by_tnc, by_slsqp, by_trust_constr])
def test_active_bounds(found):
    expected = gradient(one_is_free, B3, 0.5)
    for a, b in zip(gradient(found, B3, 0.5), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    if found is not by_trust_constr:
        second, exact = hessian(found, B3, 0.5), hessian(one_is_free, B3, 0.5)
        for i in (0, 1):
            for k in (0, 1):
                np.testing.assert_allclose(second[i][k], exact[i][k], rtol=1e-4, atol=1e-5)


def test_bounds_in_other_forms():
    def repeated(b):
        return np.sum(
            O.minimize(lambda v: np.sum((v - b) ** 2), b * 0, bounds=[(0, 0.5)] * 3).x ** 2
        )

    np.testing.assert_allclose(
        gradient(repeated, np.array([0.3, -0.4, 3.0]))[0], [0.6, 0, 0], atol=1e-6
    )

    def fixed(p):
        f = lambda v: np.sum((v - p) ** 2) + v[0] * v[1]  # noqa: E731
        return np.sum(O.minimize(f, [0.5, 0.2], bounds=[(0.2, 0.2), (0, None)]).x)

    np.testing.assert_allclose(gradient(fixed, 0.7), 1.0, rtol=1e-5)

    def held(p):
        f = lambda v: np.sum((v - 1) ** 2)  # noqa: E731
        return O.minimize(f, [0.5], bounds=[(p, p)]).x[0]

    with pytest.raises(Refused, match="in one place"):
        gradient(held, 0.7)

    def least(b, low):
        r = O.least_squares(
            lambda v: np.array([v[0] * v[1] - b[0], v[0] + v[1] - b[1], v[0] ** 2 - b[2]]),
            [2.0, 1.0],
            bounds=([low, -1.0], [5, 5.0]),
            **dict(xtol=1e-14, ftol=1e-14, gtol=1e-14),
        )
        return np.sum(r.x**2) + r.cost + np.sum(r.fun**3)

    assert check_gradient(least, np.array([0.3, 1.2, 0.4]), 1.5)


def test_what_is_refused():
    def limited(p):
        f = lambda v: np.sum((v - p) ** 2)  # noqa: E731
        return O.minimize(f, [0.5], constraints={"type": "ineq", "fun": lambda v: v[0]}).x[0]

    with pytest.raises(Refused, match="constraints"):
        gradient(limited, 0.8)

    def unfinished(p):
        return O.minimize(lambda v: np.sum((v - p) ** 4), [0.3, 0.4], options={"maxiter": 1}).x[0]

    with pytest.raises(Refused, match="not converged"):
        gradient(unfinished, 0.8)

    def kink(p):
        return O.minimize(lambda v: np.sum(np.abs(v - p)), [0.0], method="Nelder-Mead").fun

    with pytest.raises(Refused, match="singular"):
        gradient(kink, 0.8)

    def steep(p):
        f = lambda v: np.sum(np.abs(v - p) + 0.1 * v**2)  # noqa: E731
        return O.minimize(f, [0.0], method="Nelder-Mead").fun

    with pytest.raises(Refused, match="no solution"):
        gradient(steep, 0.8)
    with pytest.raises(Refused, match="what is not its"):
        gradient(lambda p: np.sum(O.minimize(lambda v: (v[0] - p) ** 2, [0.0]).jac), 0.8)
    with pytest.raises(Refused, match="loss"):
        gradient(lambda p: O.least_squares(lambda v: v - p, [0.0], loss="huber").x[0], 0.8)
