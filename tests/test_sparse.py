"""Jacobians and Hessians with a pattern, given or found: beside the dense ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zyg_interactive import (
    Refused,
    derivative,
    grad,
    gradient,
    hessian,
    jacobian,
    pullback,
    sparsity_pattern,
)
from zyg_interactive.colouring import (
    from_columns,
    from_star,
    groups_of_columns,
    of_matrix,
    seeds_of,
    star_groups,
)

N = 12
X = np.random.default_rng(0).normal(size=N)
DIFFERENCES = np.diff(np.eye(N), axis=0)
W = np.random.default_rng(1).normal(size=(N, N))


def tridiagonal(x: Any) -> Any:
    inner = x[1:-1] ** 2 * x[2:] + np.exp(x[:-2]) * x[1:-1]
    return np.concatenate([x[:1] * x[1:2], inner, x[-1:] * x[-2:-1]])


def by_element(x: Any) -> Any:
    return np.array([x[i] * x[i - 1] * x[(i + 1) % len(x)] for i in range(len(x))])


def recurrence(x: Any) -> Any:
    s = 0.0
    for v in x[:5]:
        s = np.tanh(s + v) if v > 0 else v * 2
    return x * s


def until(x: Any) -> Any:
    y = x
    while np.sum(np.abs(y)) > 5:
        y = y * 0.5 + np.roll(y, 1) * 0.1
    return y


def five_points(x: Any) -> Any:
    u = np.pad(x.reshape(3, 4), 1)
    return 4 * u[1:-1, 1:-1] ** 2 - u[2:, 1:-1] - u[:-2, 1:-1] - u[1:-1, 2:] - u[1:-1, :-2]


def step(x: Any, k: int) -> Any:
    return x[k:] * x[:-k]


CASES: list[Callable[[Any], Any]] = [
    *(tridiagonal, by_element, recurrence, until, five_points),
    lambda x: step(step(x, 1), 2),
    lambda x: (DIFFERENCES @ x) ** 2,
    lambda x: x @ DIFFERENCES.T,
    lambda x: W @ (x * x),
    lambda x: DIFFERENCES @ np.outer(x, X[:3]),
    lambda x: np.dot(DIFFERENCES, x.reshape(-1, 2).repeat(2, axis=1)[:, 0].repeat(2)),
    lambda x: x * np.sum(x),
    lambda x: x - np.mean(x[:3]),
    lambda x: np.where(x > 0, x**2, np.roll(x, 1) ** 3),
    lambda x: np.where(X > 0, x, 0.0) * np.zeros(N),
    lambda x: np.linalg.solve(2 * np.eye(N), x),
    lambda x: np.linalg.inv(np.diag(x + 5.0))[0],
    lambda x: np.stack([x * 2, x**2]),
    lambda x: np.cumsum(x**2),
    lambda x: np.cumsum(x.reshape(3, 4), axis=1),
    lambda x: np.maximum(x, x[::-1]),
    lambda x: np.sort(x) * x,
    lambda x: x[np.array([3, 3, 1])] * x[:3],
    lambda x: x[x > 0] ** 2,
    lambda x: np.take(x, [0, 5, 0]),
    lambda x: np.einsum("ij,j->ij", x.reshape(3, 4), x[:4]),
    lambda x: np.convolve(x, X[:2]),
    lambda x: np.prod(x.reshape(3, 4), axis=0),
    lambda x: np.tile(x[:2], 3) + x[0],
    lambda x: np.linalg.norm(x.reshape(3, 4), axis=1),
    lambda x: np.sum(x**2),
    lambda x: np.ones(3),
    lambda x: np.array([pullback(lambda y: y**3, v)[1](1.0)[0] for v in x]),
    lambda x: gradient(lambda y: np.sum(y[1:] ** 2 * y[:-1]), x)[0],
    lambda x: np.diag(x) + np.triu(np.outer(x, x)),
    lambda x: np.split(x, 3)[1] * np.swapaxes(x.reshape(3, 4), 0, 1)[:, 2],
]


@pytest.mark.parametrize("number", range(len(CASES)))
@pytest.mark.parametrize("x", [X, np.zeros(N), np.ones(N)], ids=["random", "zeros", "ones"])
def test_found(number: int, x: Any) -> None:
    f = CASES[number]
    with np.errstate(all="ignore"):
        dense = jacobian(f, x)
        pattern = sparsity_pattern(f, x)
        assert pattern.shape == dense.shape
        assert not np.any((dense != 0) & ~pattern)
        sparse = jacobian(f, x, sparsity=True)
        assert sparse.dtype == dense.dtype
        np.testing.assert_allclose(sparse, dense, rtol=1e-12)
        if np.isfinite(dense).all():
            np.testing.assert_allclose(jacobian(f, x, sparsity=pattern), dense, rtol=1e-12)


def test_what_is_found_is_small() -> None:
    for f in (tridiagonal, by_element, five_points, CASES[6], CASES[7]):
        assert np.array_equal(sparsity_pattern(f, X), jacobian(f, X) != 0)


def test_passes() -> None:
    band = of_matrix(np.abs(np.subtract.outer(np.arange(50), np.arange(50))) <= 1)
    assert groups_of_columns(band).max() + 1 == 3
    assert star_groups(band).max() + 1 == 3
    arrow = np.eye(50, dtype=bool)
    arrow[0] = arrow[:, 0] = True
    assert groups_of_columns(of_matrix(arrow)).max() + 1 == 50
    assert star_groups(of_matrix(arrow)).max() + 1 == 2


@pytest.mark.parametrize("seed", range(20))
def test_colourings_of_random_patterns(seed: int) -> None:
    """Entries are what they were after they have been added up in groups."""
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 25, 2)
    matrix = np.where(rng.random((m, n)) < rng.uniform(0, 0.4), rng.normal(size=(m, n)), 0.0)
    pattern = of_matrix(matrix)
    groups = groups_of_columns(pattern)
    sums = np.array([matrix @ s for s in seeds_of(groups, (n,), float)])
    found = pattern.filled(from_columns(pattern, groups, sums))
    np.testing.assert_array_equal(found, matrix)
    values = rng.normal(size=(n, n))
    pattern = of_matrix(rng.random((n, n)) < rng.uniform(0, 0.4)).symmetric
    matrix = (values + values.T) * pattern.filled(np.ones(len(pattern.rows)))
    groups = star_groups(pattern)
    sums = np.array([matrix @ s for s in seeds_of(groups, (n,), float)])
    found = pattern.filled(from_star(pattern, groups, sums))
    np.testing.assert_allclose(found, matrix, rtol=1e-12)


HESSIANS: list[Callable[[Any], Any]] = [
    lambda x: np.sum(x[0] * x**2) + np.sum(x**3),
    lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
    lambda x: np.sum(five_points(x) ** 2),
    lambda x: np.sum(np.tanh(W @ x)),
    lambda x: np.sum(x),
    lambda x: sum([np.sin(x[i] * x[i + 1]) for i in range(len(x) - 1)]),
]


@pytest.mark.parametrize("number", range(len(HESSIANS)))
def test_hessians(number: int) -> None:
    f = HESSIANS[number]
    dense = hessian(f, X)
    np.testing.assert_allclose(hessian(f, X, sparsity=True), dense, rtol=1e-12, atol=1e-12)
    pattern = sparsity_pattern(derivative(f), X)
    assert not np.any((dense != 0) & ~pattern)
    found = hessian(f, X, sparsity=np.triu(pattern))
    np.testing.assert_allclose(found, dense, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(hessian(f, sparsity=True)(X), dense, rtol=1e-12, atol=1e-12)


def test_matrices_of_scipy() -> None:
    sp = pytest.importorskip("scipy.sparse")
    dense = jacobian(tridiagonal, X)
    for make in (sp.csr_array, sp.csc_array, sp.coo_matrix, sp.dia_array):
        given = make(dense != 0)
        found = jacobian(tridiagonal, X, sparsity=given)
        assert found.format == given.format and isinstance(found, sp.sparray) == isinstance(
            given, sp.sparray
        )
        np.testing.assert_allclose(found.toarray(), dense)
    h = hessian(HESSIANS[1], X, sparsity=sp.csr_array(hessian(HESSIANS[1], X)))
    np.testing.assert_allclose(h.toarray(), hessian(HESSIANS[1], X))


def test_of_several_arguments() -> None:
    dense = jacobian(lambda x, a: a * x**2, X, 2.0)
    np.testing.assert_allclose(
        jacobian(lambda x, a: a * x**2, X, 2.0, wrt=0, sparsity=np.eye(N)), dense[0]
    )
    found = sparsity_pattern(lambda x, a: a * x**2, X, 2.0)
    assert found[0].tolist() == np.eye(N, dtype=bool).tolist() and found[1].all()
    z = X[:4] + 1j
    np.testing.assert_allclose(
        jacobian(lambda z: z**2, z, sparsity=np.eye(4)), jacobian(lambda z: z**2, z)
    )
    single = X.astype(np.float32)
    assert jacobian(tridiagonal, single, sparsity=True).dtype == np.float32


def doubled(x: Any) -> Any:
    return x * 2


@grad(doubled)
def _(x: Any) -> Any:
    return doubled(x), lambda d: (2 * d,)


def in_place(x: Any) -> Any:
    u = x.copy()
    u[1:] += x[:-1] ** 2
    return u


def test_refused() -> None:
    band = jacobian(tridiagonal, X) != 0
    for i, j in [(0, 0), (3, 4), (5, 5), (11, 10)]:
        wrong = band.copy()
        wrong[i, j] = False
        with pytest.raises(Refused, match="ZYG505.*random direction"):
            jacobian(tridiagonal, X, sparsity=wrong)
    with pytest.raises(Refused, match="ZYG505.*shape"):
        jacobian(tridiagonal, X, sparsity=band[1:])
    with pytest.raises(Refused, match="ZYG505"):
        hessian(HESSIANS[1], X, sparsity=np.eye(N))
    with pytest.raises(Refused, match="ZYG503"):
        jacobian(lambda x, y: x * y, X, X, sparsity=np.eye(N))
    with pytest.raises(Refused, match="ZYG501"):
        jacobian(lambda x: (x, x), X, sparsity=np.eye(N))
    cannot_be_followed: list[Callable[[Any], Any]] = [in_place, doubled, lambda x: x * 1j]
    for f in cannot_be_followed:
        with pytest.raises(Refused, match="ZYG505"):
            jacobian(f, X, sparsity=True)
    np.testing.assert_allclose(
        jacobian(in_place, X, sparsity=np.eye(N) + np.eye(N, k=-1)), jacobian(in_place, X)
    )
    with pytest.raises(Refused, match="ZYG101"):
        gradient(lambda a: np.sum(jacobian(lambda x: a * x, X, sparsity=True)), 2.0)
