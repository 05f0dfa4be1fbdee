"""Rules of `rules/scipy/fits.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian
from zyg_interactive.diagnostics import Refused

O = pytest.importorskip("scipy.optimize")  # noqa: E741
T = np.linspace(0, 1, 9)
Y = 2 * np.exp(-1.3 * T) + 0.1 * np.cos(20 * T)
S = np.linspace(0.1, 0.2, 9)
CLOSE = dict(xtol=1e-14, ftol=1e-14)


def decay(t, a, b):
    return a * np.exp(-b * t)


def slope(f, x, h=1e-4):
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def test_curve_fit():
    def fitted(t, y, s):
        found, _ = O.curve_fit(decay, t, y, sigma=s, **CLOSE)
        return found[0] * found[1]

    assert check_gradient(fitted, T, Y, S)
    assert check_gradient(lambda t, y: np.sum(np.sin(O.curve_fit(decay, t, y)[0])), T, Y)

    def captured(y, w, p0):
        found, _ = O.curve_fit(lambda t, a, b: decay(w * t, a, b), T, y, p0)
        return found[1] ** 2

    assert check_gradient(lambda y, w: captured(y, w, np.ones(2)), Y, 1.1)
    assert gradient(captured, Y, 1.1, np.ones(2))[2] is None
    # Of several independent variables, in a tuple, and of samples in lists.
    plane = lambda v, a, b: a * v[0] + b * v[1]  # noqa: E731
    assert check_gradient(lambda t, u: np.prod(O.curve_fit(plane, (t, u), Y)[0]), T, np.sin(T))
    power = lambda v, a, b: a * v**b  # noqa: E731
    assert check_gradient(lambda y: O.curve_fit(power, [1, 2, 4], [1.0, y, 6.0])[0][1], 2.2)

    last = lambda y: O.curve_fit(decay, T, y, **CLOSE)[0][1]  # noqa: E731
    expected = slope(lambda y: gradient(last, y)[0], Y)
    np.testing.assert_allclose(hessian(last, Y), expected, atol=1e-4)


@pytest.mark.parametrize("absolute", [False, True])
def test_the_covariance_of_the_parameters(absolute):
    def errors(t, y, s):
        found, cov = O.curve_fit(decay, t, y, sigma=s, absolute_sigma=True, **CLOSE)
        return np.sum(np.sqrt(np.diag(cov))) + cov[0, 1] + found[0]

    def relative(t, y, s):
        found, cov = O.curve_fit(decay, t, y, sigma=s, **CLOSE)
        return np.sum(np.sqrt(np.diag(cov))) + cov[0, 1] + found[0]

    f = errors if absolute else relative
    assert check_gradient(f, T, Y, S)
    expected = slope(lambda y: gradient(f, T, y, S)[1], Y)
    np.testing.assert_allclose(hessian(lambda y: f(T, y, S), Y), expected, atol=1e-3)

    def correlated(y, root):
        found, cov = O.curve_fit(decay, T, y, sigma=root @ root.T, absolute_sigma=absolute)
        return found[0] + 10 * cov[0, 1]

    assert check_gradient(correlated, Y, np.linalg.cholesky(np.diag(S**2) + 0.001))


def test_a_fit_on_its_bounds():
    def fitted(y, high):
        found, _ = O.curve_fit(decay, T, y, bounds=([0, 0], [5.0, high]))
        return found[0] * found[1]

    assert check_gradient(fitted, Y, 1.0)
    # The rate stays where it is, and the factor is that of a linear fit.
    shape = decay(T, 1.0, 1.0)
    np.testing.assert_allclose(gradient(fitted, Y, 1.0)[0], shape / (shape @ shape), rtol=1e-4)


def test_what_curve_fit_refuses():
    line = lambda t, a, b: a + b * t  # noqa: E731
    with pytest.raises(Refused, match="full_output"):
        gradient(lambda y: O.curve_fit(line, T, y, full_output=True)[0][0], Y)
    with pytest.raises(Refused, match="nan_policy"):
        gradient(lambda y: O.curve_fit(line, T, y, check_finite=False, nan_policy="omit")[0][0], Y)
    with pytest.warns(O.OptimizeWarning), pytest.raises(Refused, match="not estimated"):
        gradient(lambda y: O.curve_fit(line, T[:2], y)[1][0, 0], Y[:2])
    with pytest.raises(Refused, match="callable|for Polynomial"):
        gradient(lambda y: O.curve_fit(np.polynomial.Polynomial([1.0]), T, y, [1.0])[0][0], Y)


A = np.random.default_rng(0).normal(size=(6, 3))
B = A @ np.array([1.0, -1.0, 2.0]) + 0.1 * np.arange(6)


def test_linear_least_squares():
    def positive(a, b):
        found, norm = O.nnls(a, b)
        return np.sum(np.sin(found)) + norm**3

    assert np.any(O.nnls(A, B)[0] == 0)
    assert check_gradient(positive, A, B)
    expected = slope(lambda b: gradient(positive, A, b)[1], B)
    np.testing.assert_allclose(hessian(lambda b: positive(A, b), B), expected, atol=1e-5)

    def bounded(a, b, high):
        r = O.lsq_linear(a, b, bounds=([-0.5, -0.5, -0.5], [3.0, 3, high]), tol=1e-14)
        return np.sum(np.sin(r.x)) + r.cost + np.sum(r.fun**3)

    assert check_gradient(bounded, A, B, 1.0)
    assert check_gradient(lambda a, b: np.sum(O.lsq_linear(a, b).x ** 2), A, B)


def test_what_linear_problems_refuse():
    with pytest.raises(Refused, match="almost on one of its bounds"):
        gradient(lambda b: O.nnls(A, 0.0 * b)[0][0], B)
    with pytest.raises(Refused, match="norm of residuals"):
        gradient(lambda s: O.nnls(A, A @ np.ones(3) * s)[1], 1.0)
    with pytest.raises(Refused, match="corner"):
        gradient(lambda c: O.linprog(c, bounds=(0, 1)).x[0], B)
