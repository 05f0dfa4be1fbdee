"""Rules of `rules/scipy/optimize.py`."""

import numpy as np
import pytest

from zyg_interactive import Params, check_gradient, gradient, pushforward
from zyg_interactive.diagnostics import Refused

from .checks import x

O = pytest.importorskip("scipy.optimize")  # noqa: E741
I = pytest.importorskip("scipy.integrate")  # noqa: E741


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder", "toms748"])
def test_root_in_a_bracket(name):
    solve = getattr(O, name)

    def root(p):
        return solve(lambda t: t**3 - p, 0.0, 5.0)

    np.testing.assert_allclose(gradient(root, 8.0), 1 / 12)
    np.testing.assert_allclose(gradient(lambda p: gradient(root, p)[0], 8.0), -1 / 144)


def cubic(t, p, q):
    return t**3 + q * t - p


def test_arguments():
    assert check_gradient(lambda p, q: O.brentq(cubic, 0.0, 5.0, args=(p, q)) ** 2, 3.0, 0.5)
    assert check_gradient(lambda p: O.brentq(lambda t, p: t * t - p, 0.0, 5.0, (p,)), 3.0)
    assert check_gradient(lambda p, q: O.newton(cubic, 1.0, args=(p, q)), 3.0, 0.5)
    assert check_gradient(lambda p: O.newton(lambda t: np.exp(t) - p * p, 0.5), 1.3)


def test_a_complex_root():
    def found(p):
        return np.abs(O.newton(lambda t: t**3 - p, -0.5 + 0.9j, tol=1e-12)) ** 2

    assert check_gradient(found, 2.0)
    assert check_gradient(found, 2.0 + 0.5j)


def test_results_with_more_than_the_root():
    def found(p):
        return O.root_scalar(lambda t: np.cos(t) - p * t, bracket=(0.0, 2.0)).root

    assert check_gradient(found, 1.2)
    with pytest.raises(Refused, match="root_scalar"):
        gradient(lambda p: 1.0 * O.root_scalar(lambda t: t - p, bracket=(0, 2)).iterations, 1.2)


def test_systems():
    start = np.ones(3)

    def equations(a, b):
        return lambda v: a @ v + 0.1 * v**3 - b

    a, b = x(3, 3) + 3 * np.eye(3), x(3)
    assert check_gradient(lambda a, b: np.sum(O.fsolve(equations(a, b), start) ** 2), a, b)
    assert check_gradient(
        lambda b: np.sum(O.fsolve(lambda v, b: v + v**3 - b, start, args=(b,)) ** 2), b
    )
    assert check_gradient(lambda b: np.sum(O.root(lambda v: v + v**3 - b, start).x ** 2), b)


def ratio(p):
    """`(sqrt p)^2 + (2 / sqrt p)^2`, of a system that returns a list."""
    return np.sum(O.fsolve(lambda v: [v[0] ** 2 - p, v[0] * v[1] - 2.0], [1.0, 1.0]) ** 2)


def test_systems_twice_and_forwards():
    np.testing.assert_allclose(gradient(ratio, 4.0), 0.75)
    np.testing.assert_allclose(pushforward(ratio, 4.0)(2.0), 1.5)
    np.testing.assert_allclose(gradient(lambda p: gradient(ratio, p)[0], 4.0), 0.125)

    def of_array(b):
        return np.sum(np.sin(O.root(lambda v: v + v**3 - b[::-1], np.zeros(3), tol=1e-12).x))

    b = x(3)
    np.testing.assert_allclose(pushforward(of_array, b)(b), gradient(of_array, b)[0] @ b)
    assert check_gradient(lambda b: np.sum(gradient(of_array, b)[0] ** 2), b)


def test_where_a_solver_starts_has_no_derivative():
    def steps(p):
        v = np.array([p])
        for _ in range(3):
            v = O.fsolve(lambda w, a, b: w + 0.1 * w**3 - a * b, v, args=(v, p), xtol=1e-12)
        return v[0]

    assert check_gradient(steps, 1.3)
    assert check_gradient(lambda p: O.brentq(lambda t: t * t - p, 0.0, p), 4.0)
    assert check_gradient(
        lambda p: O.root_scalar(lambda t: t * t - p, x0=p, fprime=lambda t: 2 * t * p / p).root, 4.0
    )


def test_unknowns_in_a_matrix():
    b = 0.3 * np.ones(4)
    square = np.zeros((2, 2))
    assert check_gradient(lambda b: np.sum(O.fsolve(lambda v: v + v**3 - b, square) ** 2), b)
    with pytest.raises(Refused, match="no real vector"):
        by_krylov = lambda b: O.root(lambda v: v + v**3 - b, square, method="krylov").x  # noqa: E731
        gradient(lambda b: np.sum(by_krylov(b)), b.reshape(2, 2))


def test_what_has_not_converged():
    with pytest.raises(Refused, match="not converged"):
        gradient(lambda p: O.root(lambda v: v * v + p, [1.0]).x[0], 2.0)
    with pytest.raises(Refused, match="not converged"):
        gradient(lambda p: O.root_scalar(lambda t: t - p, bracket=(0, 9), maxiter=1).root, 2.0)
    with pytest.raises(Refused, match="no solution"), pytest.warns(RuntimeWarning):
        gradient(lambda p: O.fsolve(lambda v: v * v + p, [1.0])[0], 2.0)
    with pytest.raises(Refused, match="singular"):
        gradient(lambda p: O.fsolve(lambda v: [v[0] - p, v[0] - p], [1.0, 1.0])[0], 2.0)


def made_elsewhere(p):
    return lambda t, q=1.0: t - p * q


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_functions_made_elsewhere(p):
    """Made anew by the same `def`, a function is another."""
    fixed = made_elsewhere(p)
    assert gradient(lambda q: O.brentq(fixed, 0.0, 5.0) * q, 2.0) == (p,)
    assert gradient(lambda q: O.brentq(fixed, 0.0, 9.0, args=(q,)), 2.0) == (p,)


def test_a_function_that_only_the_run_knows():
    def chosen(p, n):
        functions = [lambda t: t - p, lambda t: t - 2 * p]
        return O.brentq(functions[n], 0.0, 10.0)

    assert gradient(chosen, 2.0, 0) == (1.0, None)
    assert gradient(chosen, 2.0, 1) == (2.0, None)


def test_what_is_refused():
    with pytest.raises(Refused, match="full_output"):
        gradient(lambda p: O.brentq(lambda t: t - p, 0, 5, full_output=True)[0], 2.0)


def test_a_function_that_captures_what_is_bound_again_is_refused():
    def rebound(w):
        p = w

        def f(t):
            return t**3 - p

        p = 2 * w
        return O.brentq(f, 0.0, 5.0)

    with pytest.raises(Refused, match="what the program changes"):
        gradient(rebound, 3.0)


def test_parameters_that_the_function_reads():
    w = np.array([2.0])

    def loss():
        return O.brentq(lambda t: t**3 - w[0], 0.0, 5.0)

    with pytest.raises(Refused, match="ZYG105"):
        gradient(loss, Params([w]))


def test_tuples_within_the_arguments():
    def found(p, q):
        return O.brentq(lambda v, c: v - c[0] * c[1], 0, 9, args=((p, q),))

    np.testing.assert_allclose(gradient(found, 1.1, 0.7), [0.7, 1.1])

    def integral(p, q):
        return I.quad(lambda v, c: v * c[0] * c[1], 0, 2, args=((p, q),))[0]

    def least(p, q):
        f = lambda v, c, d: v - c[0] * c[1] * d  # noqa: E731
        return O.least_squares(f, [1.0], args=((p, q), 2.0)).x[0]

    np.testing.assert_allclose(gradient(integral, 1.1, 0.7), [1.4, 2.2])
    np.testing.assert_allclose(gradient(least, 1.1, 0.7), [1.4, 2.2])


def settled(p, q):
    return O.fixed_point(lambda u, q: np.cos(p * u) * q, 0.5, args=(q,)) ** 2


def test_fixed_points():
    assert check_gradient(settled, 0.7, 0.8)
    for i in (0, 1):
        assert check_gradient(lambda *a, i=i: gradient(settled, *a)[i], 0.7, 0.8)

    def several(c):
        start = np.array([1.2, 1.3])
        return np.sum(O.fixed_point(lambda u: np.sqrt(c / (u + 1)), start, xtol=1e-12) ** 3)

    assert check_gradient(several, np.array([10.0, 12.0]))
    assert check_gradient(lambda c: np.sum(gradient(several, c)[0] ** 2), np.array([10.0, 12.0]))
    with pytest.raises(Refused, match="singular"):
        gradient(lambda p: O.fixed_point(lambda u: u * p / p, 0.5), 0.7)


def test_an_assignment_is_a_constant():
    def cheapest(costs):
        rows, columns = O.linear_sum_assignment(costs)
        return np.sum(costs[rows, columns] ** 2)

    assert check_gradient(cheapest, np.array([[4.0, 1.0, 3.0], [2.0, 0.5, 5.0], [3.0, 2.0, 2.0]]))


def test_what_another_function_must_know_is_not_a_constant_here():
    special = pytest.importorskip("scipy.special")

    def of_dimension(n):
        return gradient(lambda v: special.multigammaln(v, n), 3.0)[0]

    np.testing.assert_allclose(of_dimension(2), special.psi(3.0) + special.psi(2.5))
    root = gradient(lambda p: O.brentq(lambda t: t**3 - p, 0.0, 5.0), 8.0)
    np.testing.assert_allclose(root, 1 / 12)
    area = gradient(lambda p: I.fixed_quad(lambda t: p * t, 0.0, 1.0)[0], 0.7)
    np.testing.assert_allclose(area, 0.5)
