"""Rules of `rules/scipy/spatial.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, spd, x, z

D = pytest.importorskip("scipy.spatial.distance")

METRICS = "euclidean sqeuclidean cityblock chebyshev cosine correlation canberra braycurtis"
POWERS = [1, 1.5, 2, 3.0, np.inf]


@pytest.mark.parametrize("metric", METRICS.split())
def test_all_pairs(metric):
    check_rule(D.cdist, x(4, 3), x(2, 3), metric=[metric])
    check_rule(D.cdist, x(1, 3), x(2, 3), metric=[metric])
    check_rule(D.pdist, x(4, 3), metric=[metric])
    check_rule(D.pdist, x(2, 3), metric=[metric])


def test_all_pairs_with_parameters():
    check_rule(D.cdist, x(4, 3), x(2, 3), metric=["minkowski"], p=POWERS)
    check_rule(D.pdist, x(4, 3), metric=["minkowski"], p=POWERS)
    v, vi = x(3, low=0.5), spd(3) + 0.1 * x(3, 3)
    check_rule(D.cdist, x(4, 3), x(2, 3), metric=["seuclidean"], V=v)
    check_rule(D.pdist, x(4, 3), metric=["seuclidean"], V=v)
    check_rule(D.cdist, x(4, 3), x(2, 3), metric=["mahalanobis"], VI=vi)
    check_rule(D.pdist, x(4, 3), metric=["mahalanobis"], VI=vi)
    positive = {"low": 0.2}
    check_rule(D.cdist, x(4, 3, **positive), x(2, 3, **positive), metric=["jensenshannon"])
    check_rule(D.pdist, x(4, 3, **positive), metric=["jensenshannon"])
    check_rule(D.cdist, x(2, 3), x(2, 3), metric=["c", "SqE", D.cosine], compiled=False)


def test_distance_matrix():
    spatial = pytest.importorskip("scipy.spatial")
    check_rule(spatial.distance_matrix, x(4, 3), x(2, 3), p=POWERS)
    check_rule(spatial.distance_matrix, x(4, 3), x(2, 3), threshold=[0])
    with pytest.raises(Refused, match="complex"):
        gradient(lambda v: np.sum(spatial.distance_matrix(v * 1j, v)), x(2, 3))


def test_squareform():
    check_rule(D.squareform, x(6), checks=[True, False], force=["no", "tomatrix"])
    check_rule(D.squareform, x(1))
    check_rule(D.squareform, x(4, 4), checks=[False])
    at = x(4, 2)
    assert check_gradient(lambda v: np.sum(D.squareform(D.pdist(v)) ** 3 * at[:, 0]), at)
    assert check_gradient(lambda v: np.sum(D.squareform(D.cdist(v, v)) ** 3), at)


@pytest.mark.parametrize("metric", METRICS.split())
def test_two_vectors(metric):
    check_rule(getattr(D, metric), x(4), x(4))


def test_two_vectors_with_parameters():
    check_rule(D.minkowski, x(4), x(4), p=POWERS)
    check_rule(D.correlation, x(4), x(4), centered=[True, False])
    check_rule(D.seuclidean, x(4), x(4), x(4, low=0.5))
    check_rule(D.mahalanobis, x(3), x(3), spd(3) + 0.1 * x(3, 3))
    p, q = x(4, 3, low=0.2), x(4, 3, low=0.2)
    check_rule(D.jensenshannon, p, q, axis=[0, 1, -1, None], keepdims=[False, True])
    check_rule(D.jensenshannon, p[0], q[0], 2.0)


def test_two_complex_vectors():
    for fn in (D.euclidean, D.cityblock, D.sqeuclidean):
        check_rule(fn, z(3), z(3))
    check_rule(D.minkowski, z(3), z(3), p=[3])


@pytest.mark.parametrize("metric", ["euclidean", "mahalanobis", "seuclidean", "minkowski"])
def test_points_that_coincide(metric):
    given = {"mahalanobis": {"VI": np.eye(2)}, "seuclidean": {"V": np.ones(2)}}.get(metric, {})
    at = np.array([[1.0, 2.0], [1.0, 2.0], [4.0, 6.0]])
    y = D.cdist(at, at, metric, **given)
    _, bars = pull(D.cdist, (at, at, metric), given, y, np.ones((3, 3)))
    np.testing.assert_allclose(bars[0], [[-0.6, -0.8], [-0.6, -0.8], [1.2, 1.6]])
    y = D.pdist(at, metric, **given)
    _, bars = pull(D.pdist, (at, metric), given, y, np.ones(3))
    np.testing.assert_allclose(bars[0], [[-0.6, -0.8], [-0.6, -0.8], [1.2, 1.6]])


def test_points_that_coincide_twice():
    at = np.array([1.0, 2.0, 1.0, 2.0, 4.0, 6.0])
    lengths = hessian(lambda v: np.sum(D.pdist(v.reshape(3, 2))), at)
    squares = hessian(lambda v: np.sum(D.pdist(v.reshape(3, 2)) ** 2), at)
    assert np.all(np.isfinite(lengths)) and np.all(np.isfinite(squares))
    assert hessian(lambda v: D.euclidean(v, v), at[:2]).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    whole = hessian(lambda v: np.sum(D.cdist(v.reshape(3, 2), np.ones((1, 2)))), at)
    assert np.all(np.isfinite(whole))


def test_small_differences_of_large_numbers():
    a, b = np.array([[1e8, 1e8]]), np.array([[1e8 + 3.0, 1e8 + 4.0]])
    found = gradient(lambda v: np.sum(D.cdist(v, b)), a)[0]
    np.testing.assert_allclose(found, [[-0.6, -0.8]], rtol=1e-14)


def test_zeros_and_ties():
    a, b = np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, -1.0])
    for fn in (D.canberra, D.braycurtis, D.cityblock, D.chebyshev):
        assert all(np.all(np.isfinite(c)) for c in gradient(fn, a, b))
    tied = gradient(D.chebyshev, np.array([1.0, 3.0]), np.array([0.0, 4.0]))[0]
    assert tied.tolist() == [0.5, -0.5]
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.8, 0.0])
    found = gradient(D.jensenshannon, p, q)[0]
    step = 1e-7
    there = (D.jensenshannon(p + step * np.eye(3)[2], q) - D.jensenshannon(p, q)) / step
    np.testing.assert_allclose(found[2], there, rtol=1e-5)
    assert gradient(D.jensenshannon, p[:2], p[:2])[0].tolist() == [0.0, 0.0]
    rows = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    assert np.all(np.isfinite(gradient(lambda v: np.sum(D.pdist(v, "braycurtis")), rows)[0]))


def test_lists_and_whole_numbers():
    found = gradient(lambda v: D.euclidean([v, 0.0], [0.0, 4.0]), 3.0)[0]
    np.testing.assert_allclose(found, 0.6)
    found = gradient(lambda v: np.sum(D.cdist([[v, 0.0]], [[0, 4]])), 3.0)[0]
    np.testing.assert_allclose(found, 0.6)
    found = gradient(lambda v: np.sum(D.cdist(v, np.array([[0, 4]]))), np.array([[3.0, 0.0]]))[0]
    np.testing.assert_allclose(found, [[0.6, -0.8]])


def test_what_is_refused():
    a, b = x(3, 2), x(2, 2)
    for text, call in {
        "`w=`": lambda v: np.sum(D.cdist(v, b, "minkowski", w=np.ones(2))),
        "`V`": lambda v: np.sum(D.cdist(v, b, "seuclidean")),
        "`VI`": lambda v: np.sum(D.pdist(v, "mahalanobis")),
        "hamming": lambda v: np.sum(D.pdist(v, "hamming")),
        "in its base": lambda v: D.jensenshannon(b[0] ** 2, b[1] ** 2, v[0, 0] ** 2 + 2),
    }.items():
        with pytest.raises(Refused, match=text):
            gradient(call, a)
    with pytest.raises(Refused):
        gradient(lambda p: np.sum(D.cdist(a, b, "minkowski", p=p)), 3.0)
