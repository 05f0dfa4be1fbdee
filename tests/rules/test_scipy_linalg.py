"""Rules of `rules/scipy/linalg.py`."""

import inspect

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, spd, x, z

SL = pytest.importorskip("scipy.linalg")
BOTH = [False, True]


def well(*shape):
    """Matrices far from singular."""
    return x(*shape) + 3 * np.eye(shape[-1])


def test_systems():
    for b in ((3,), (3, 2)):
        check_rule(SL.solve, well(3, 3), x(*b))
        check_rule(SL.solve, well(3, 3), x(*b), transposed=[True])
        check_rule(SL.solve, spd(3), x(*b), assume_a=["pos", "sym"], lower=BOTH)
        check_rule(SL.solve, well(3, 3) + 1j * x(3, 3), z(*b))
        triangle = dict(trans=[0, 1, "T", 2], lower=BOTH, unit_diagonal=BOTH)
        check_rule(SL.solve_triangular, well(3, 3), x(*b), **triangle)
        check_rule(SL.solve_triangular, well(3, 3) + 1j * x(3, 3), z(*b), **triangle)
    check_rule(SL.inv, well(3, 3))
    if "assume_a" in inspect.signature(SL.inv).parameters:  # from 1.17 on
        check_rule(SL.inv, spd(3), assume_a=["pos"], lower=BOTH)
    check_rule(SL.pinv, x(4, 3))
    for shape in ((3, 3), (2, 3, 3)):
        check_rule(SL.det, well(*shape))


def test_factors():
    check_rule(SL.cholesky, spd(3), lower=BOTH)
    check_rule(SL.eigh, spd(3), lower=BOTH, driver=["evd"])  # its signs are steady
    check_rule(SL.eigh, spd(3), lower=BOTH, eigvals_only=[True])
    check_rule(SL.eigvalsh, spd(3), lower=BOTH)
    check_rule(SL.svd, x(4, 3), full_matrices=[False])
    check_rule(SL.svd, x(4, 3), compute_uv=[False])
    check_rule(SL.svdvals, x(4, 3))
    check_rule(SL.lu, well(3, 3))
    check_rule(SL.lu, x(3, 3)[::-1])
    check_rule(SL.qr, well(3, 3))
    check_rule(SL.qr, well(3, 3), mode=["economic"])
    check_rule(SL.cho_factor, spd(3), lower=BOTH)
    check_rule(SL.lu_factor, well(3, 3)[::-1])


def test_functions_of_matrices():
    check_rule(SL.expm, x(3, 3))
    check_rule(SL.expm, x(2, 3, 3))
    check_rule(SL.expm, z(3, 3))
    check_rule(SL.expm_frechet, x(3, 3), x(3, 3), compute_expm=BOTH, single=False)
    for fn in (SL.cosm, SL.sinm, SL.coshm, SL.sinhm):
        check_rule(fn, x(3, 3))
    for fn in (SL.logm, SL.sqrtm, SL.tanm, SL.tanhm):
        check_rule(fn, spd(3) / 4, single=fn is SL.sqrtm)
    check_rule(SL.sqrtm, well(3, 3) + 1j * x(3, 3))


def test_matrix_equations():
    check_rule(SL.solve_sylvester, well(3, 3), well(2, 2), x(3, 2))
    check_rule(SL.solve_sylvester, well(3, 3) + 1j * x(3, 3), well(2, 2) + 1j * x(2, 2), z(3, 2))
    check_rule(SL.solve_continuous_lyapunov, well(3, 3), x(3, 3))
    check_rule(SL.solve_discrete_lyapunov, x(3, 3) / 4, x(3, 3))


def test_made_matrices():
    check_rule(SL.toeplitz, x(4))
    check_rule(SL.toeplitz, z(4))
    check_rule(SL.toeplitz, x(4), x(3))
    check_rule(SL.toeplitz, z(2), z(3))
    check_rule(SL.hankel, x(4))
    check_rule(SL.hankel, x(4), x(3))
    check_rule(SL.hankel, x(2), x(3))
    check_rule(SL.circulant, x(4))
    check_rule(SL.block_diag, x(2, 3), x(2), x(1, 2))


def test_norms():
    check_rule(SL.norm, x(3, 4), ord=[None, "fro", "nuc", 1, 2, np.inf], keepdims=BOTH)
    check_rule(SL.norm, x(3, 4), axis=[0, (0, 1)], keepdims=BOTH)
    check_rule(SL.norm, x(5), ord=[None, 1, 3])


A, B = well(3, 3), x(3, 2)


def holds(f, *args):
    """Both orders of the gradient of a curved function of the result."""

    def scalar(*args):
        return np.sum(np.sin(f(*args)))

    assert check_gradient(scalar, *args)
    assert check_gradient(lambda *a: np.sum(np.cos(gradient(scalar, *a)[0])), *args)


def test_solving_by_factors():
    holds(lambda a, b: SL.cho_solve(SL.cho_factor(a @ a.T), b), A, B)
    holds(lambda a, b: SL.cho_solve(SL.cho_factor(a @ a.T, lower=True), b), A, B)
    holds(lambda a, b: SL.cho_solve((SL.cholesky(a @ a.T), False), b), A, B[:, 0])
    for matrix in (A, A[::-1].copy()):
        holds(lambda a, b: SL.lu_solve(SL.lu_factor(a), b), matrix, B)
        holds(lambda a, b: SL.lu_solve(SL.lu_factor(a), b, trans=1), matrix, B)
        holds(lambda a, b: SL.lu_solve(SL.lu_factor(a), b), matrix, B[:, 0])


def test_least_squares():
    for shape in ((5, 3), (3, 5), (3, 3)):
        for right in ((shape[0],), (shape[0], 2)):
            holds(lambda a, b: SL.lstsq(a, b)[0], x(*shape) + 3 * np.eye(*shape), x(*right))
    with pytest.raises(Refused, match="residues"):
        gradient(lambda a: np.sum(SL.lstsq(a, np.ones(5))[1]), x(5, 3))


def test_tall_factors():
    check_rule(SL.qr, x(5, 3), mode=["economic"])
    check_rule(SL.qr, x(3, 5), mode=["economic"])
    check_rule(SL.qr, z(5, 3), mode=["economic"])


def test_lu_of_matrices_that_are_not_square():
    for shape in ((5, 3), (3, 5), (2, 4, 3)):
        check_rule(SL.lu, x(*shape))
    check_rule(SL.lu, z(4, 3))
    check_rule(SL.lu, z(3, 4))
    holds(lambda a: np.sin(SL.lu(a)[1] @ SL.lu(a)[2]) + SL.lu(a)[1], x(3, 3))
    holds(lambda a: SL.lu(a)[2], x(3, 5))
    holds(lambda a: SL.lu(a)[1], x(5, 3))


def test_qr_with_pivoting():
    for shape in ((3, 3), (5, 3), (3, 5)):
        check_rule(SL.qr, x(*shape), mode=["economic"], pivoting=[True])
    check_rule(SL.qr, well(3, 3), pivoting=[True])
    check_rule(SL.qr, z(4, 3), mode=["economic"], pivoting=[True])
    holds(lambda a: SL.qr(a, pivoting=True)[1], well(3, 3))


def test_eigenvalues_of_two_matrices():
    check_rule(SL.eigh, spd(3), spd(3), lower=BOTH)
    check_rule(SL.eigh, spd(3), spd(3), lower=BOTH, eigvals_only=[True])
    check_rule(SL.eigvalsh, spd(3), spd(3), lower=BOTH)
    h = spd(3) + 1j * (A - A.T)
    check_rule(SL.eigvalsh, h, spd(3) + 0j)
    holds(lambda a, b: SL.eigh(a, b)[0], spd(3), spd(3))
    holds(lambda a, b: SL.eigh(a, b)[1] ** 2, spd(3), spd(3))
    holds(lambda a, b: SL.eigvalsh(a, b), spd(3), spd(3))


def test_what_is_refused():
    with pytest.raises(Refused, match="not square"):
        gradient(lambda a: np.sum(SL.lu_factor(a)[0]), x(4, 3))
    with pytest.raises(Refused, match="type=2"):
        gradient(lambda a: SL.eigvalsh(a, spd(3), type=2)[0], spd(3))
    with pytest.raises(Refused, match="phase"):
        gradient(lambda a: np.sum(np.real((1 + 1j) * SL.eigh(a + 0j, spd(3))[1])), spd(3))
    with pytest.raises(Refused, match="overwrite_a"):
        gradient(lambda a: np.sum(SL.inv(a, overwrite_a=True)), well(3, 3))
    with pytest.raises(Refused, match="subset_by_index"):
        gradient(lambda a: SL.eigvalsh(a, subset_by_index=(0, 0))[0], spd(3))
    with pytest.raises(Refused, match="scipy.linalg.*schur"):
        gradient(lambda a: np.sum(SL.schur(a)[0]), well(3, 3))


def test_lists_are_arrays():
    def of_lists(v):
        return (
            SL.det([[v, 1.0], [1.0, v]]) + SL.norm([v, 2 * v]) + np.sum(SL.expm([[v, 1], [0, v]]))
        )

    assert check_gradient(of_lists, 2.0)
