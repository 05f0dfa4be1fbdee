"""Rules of `rules/linalg.py`."""

import numpy as np
import pytest
from helpers import define

from zyg_interactive import check_gradient, gradient, hvp, pushforward, runtime
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, spd, x, z

LA = np.linalg


def well(*shape):
    """Matrices far from singular."""
    return x(*shape) + 3 * np.eye(shape[-1])


def test_systems():
    for b in ((3,), (3, 2)):
        check_rule(LA.solve, well(3, 3), x(*b))
        check_rule(LA.solve, well(3, 3) + 1j * x(3, 3), z(*b))
    check_rule(LA.solve, well(2, 3, 3), x(2, 3, 4))
    check_rule(LA.solve, well(2, 3, 3), x(3, 4))
    check_rule(LA.solve, well(3, 3), x(2, 3, 4))
    check_rule(LA.solve, well(2, 3, 3), x(3))
    check_rule(LA.inv, well(3, 3))
    check_rule(LA.inv, well(2, 3, 3) + 1j * x(2, 3, 3))
    for shape in ((4, 3), (2, 4), (3, 3), (2, 4, 3)):
        check_rule(LA.pinv, x(*shape))
    check_rule(LA.pinv, z(4, 3))
    check_rule(LA.pinv, spd(3), hermitian=True)
    for n in (-3, -2, -1, 0, 1, 2, 3, 5):
        check_rule(LA.matrix_power, well(3, 3) / 3, n)


def test_determinants():
    for shape in ((1, 1), (2, 2), (4, 4), (2, 3, 3)):
        check_rule(LA.det, x(*shape))
        check_rule(LA.det, z(*shape))
        check_rule(LA.slogdet, well(*shape))
        check_rule(LA.slogdet, -well(*shape))
        check_rule(runtime.cofactor, x(*shape))
        check_rule(runtime.cofactor_pullback, x(*shape), well(*shape))
        check_rule(LA.slogdet, well(*shape) + 1j * x(*shape))
    check_rule(runtime.cofactor, z(3, 3))
    check_rule(runtime.cofactor_pullback, z(3, 3), well(3, 3) + 1j * x(3, 3))
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    _, (bar,) = pull(LA.det, (a,), {}, 0.0, 1.0)
    np.testing.assert_allclose(bar, [[4, -2], [-2, 1]], atol=1e-14)
    _, (bar,) = pull(LA.det, (np.zeros((3, 3)),), {}, 0.0, 1.0)
    np.testing.assert_array_equal(bar, np.zeros((3, 3)))
    singular = x(3, 2) @ x(2, 3)
    check_rule(LA.det, singular)
    check_rule(runtime.cofactor, singular, twice=False)  # refused, see below


def test_factors():
    for shape in ((3,), (3, 2)):
        check_rule(LA.cholesky, spd(*shape), upper=[False, True])
        apart = spd(*shape) + np.diag(5.0 * np.arange(3))  # no two eigenvalues close
        check_rule(LA.eigh, apart, UPLO=["L", "U"])
        check_rule(LA.eigvalsh, spd(*shape), UPLO=["L", "U"])


def test_singular_values():
    for shape in ((4, 3), (3, 4), (3, 3), (2, 4, 3)):
        check_rule(LA.svd, x(*shape), compute_uv=False)
        check_rule(LA.svd, x(*shape), full_matrices=False)
    check_rule(LA.svd, x(3, 3))
    check_rule(LA.svd, spd(3), compute_uv=False, hermitian=True)
    a = x(4, 3)
    with pytest.raises(Refused, match="full_matrices=False"):
        pull(LA.svd, (a,), {}, LA.svd(a), LA.svd(a))


def test_determinants_three_times():
    f = define("def f(a):\n    return np.linalg.det(a) ** 2\n")

    def second(a):
        return np.sum(hvp(f, a, np.ones((3, 3))) ** 2)

    check_gradient(second, well(3, 3))
    with pytest.raises(Refused, match="singular"):
        gradient(second, np.ones((3, 3)))


def hermitian(n, *batch):
    a = z(*batch, n, n)
    return a + np.conj(np.swapaxes(a, -1, -2)) + np.diag(9.0 * np.arange(n))


def test_complex_vectors_have_the_phase_of_lapack():
    for a in (hermitian(3), hermitian(3, 2)):
        check_rule(LA.eigh, a, UPLO=["L", "U"])
        check_rule(LA.eigvalsh, a, UPLO=["L", "U"])
    apart = np.diag([1.0, 4.0, 9.0])
    for a in (z(3, 3) + apart, z(5, 3) + 3 * np.eye(5, 3), z(2, 3, 3) + apart):
        check_rule(LA.svd, a, full_matrices=False)
        check_rule(LA.svd, a, compute_uv=False)


def test_a_phase_that_nothing_fixes():
    """LAPACK transforms a wide matrix twice, and none of its vectors has a number that is real."""
    a, w = z(3, 7), z(3, 3)
    assert not np.any(np.imag(LA.svd(a)[0]) == 0)
    with pytest.raises(Refused, match="phase"):
        gradient(lambda a: np.sum(np.real(w * LA.svd(a, full_matrices=False)[0])), a)
    with pytest.raises(Refused, match="phase"):
        f = define("def f(a):\n    return np.linalg.svd(a, full_matrices=False)[0]\n")
        pushforward(f, a)(z(3, 7))

    def projection(a, w):
        u = LA.svd(a, full_matrices=False)[0][:, :2]
        return np.sum(np.real(w * (u @ np.conj(u.T))))

    check_gradient(projection, a, w, wrt=0)
    check_gradient(lambda a: np.sum(np.abs(gradient(projection, a, w, wrt=0)) ** 2), a)


KEEP = [False, True]


def test_norms():
    check_rule(LA.norm, x(5), ord=[None, 1, 2, 3, 2.5, np.inf, -np.inf, -1, 0.5], keepdims=KEEP)
    check_rule(LA.norm, z(5), ord=[None, 1, 2, 3, np.inf])
    check_rule(LA.norm, x(3, 4), axis=[None, 0, 1, -1, (0, 1), (1, 0)], keepdims=KEEP)
    check_rule(LA.norm, x(3, 4), ord=[1, 3, np.inf, -np.inf], axis=[0, 1], keepdims=KEEP)
    orders = ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
    check_rule(LA.norm, x(3, 4), ord=orders, keepdims=KEEP)
    check_rule(LA.norm, x(2, 3, 4), ord=orders, axis=[(0, 2), (2, 1), (-2, -1)], keepdims=KEEP)
    check_rule(LA.norm, x(2, 3, 4))
    check_rule(LA.vector_norm, x(2, 3), axis=[None, 0, 1, (0, 1)], ord=[2, 4, 1], keepdims=KEEP)
    check_rule(LA.matrix_norm, x(2, 3, 4), ord=["fro", 1, 2], keepdims=KEEP)


def test_norms_where_they_have_no_derivative():
    for ord in (None, 2, 1, 3, np.inf):
        a = np.zeros(2)
        _, (bar,) = pull(LA.norm, (a,), {"ord": ord}, 0.0, 1.0)
        np.testing.assert_array_equal(bar, 0)
    _, (bar,) = pull(LA.norm, (np.array([1.0, -1.0]), np.inf), {}, 1.0, 1.0)
    np.testing.assert_array_equal(bar, [0.5, -0.5])


def test_repeated_eigenvalues():
    a = np.eye(2)
    w, v = LA.eigh(a)
    _, (bar,) = pull(LA.eigh, (a,), {}, (w, v), (np.arange(2.0), None))
    np.testing.assert_array_equal(bar, [[0, 0], [0, 1]])
