"""Rules of `rules/scipy/grids.py`, `warps.py`, `ranked.py` and `regions.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x, z

N = pytest.importorskip("scipy.ndimage")
S = pytest.importorskip("scipy.signal")
MODES = [
    *("constant", "nearest", "mirror", "reflect", "wrap"),
    *("grid-mirror", "grid-wrap", "grid-constant"),
]
PLACES = np.array([[0.3, 2.6, 1.2, -0.4, 4.7], [1.7, 0.2, 3.1, 2.2, 0.6]])


@pytest.mark.parametrize("mode", MODES)
def test_places(mode):
    for order in range(6):
        check_rule(N.map_coordinates, x(5, 4), PLACES, order=order, mode=mode)
    check_rule(N.map_coordinates, x(5, 4), PLACES, mode=mode, cval=1.5)
    check_rule(N.map_coordinates, x(5, 4), PLACES, order=3, mode=mode, prefilter=False)
    line = np.array([[0.3, 2.6, 1.2, -7.4, 13.7, 3.2]])
    check_rule(N.map_coordinates, x(5), line, order=3, mode=mode, cval=1.5)
    check_rule(N.map_coordinates, x(1), line, order=1, mode=mode)


def test_places_of_more():
    check_rule(N.map_coordinates, z(5, 4), PLACES, order=[1, 3])
    t = np.stack([x(2, 2, low=0.1, high=n - 1.1) for n in (3, 4, 2)])
    check_rule(N.map_coordinates, x(3, 4, 2), t, order=[1, 2], mode=["nearest", "mirror"])


@pytest.mark.filterwarnings("ignore:promoting specified output:UserWarning")
@pytest.mark.parametrize("mode", MODES)
def test_filters_of_splines(mode):
    for order in (2, 3, 4, 5):
        check_rule(N.spline_filter1d, x(6), order, mode=mode, twice=False, single=False)
        check_rule(N.spline_filter1d, x(250), order, mode=mode, twice=False, single=False)
    check_rule(N.spline_filter1d, x(4, 3), axis=[0, 1], order=[3, 1], mode=mode)
    check_rule(N.spline_filter, x(4, 3), order=[3, 2], mode=mode)
    check_rule(N.spline_filter, z(4, 3), mode=mode)


@pytest.mark.parametrize("mode", MODES)
def test_moved(mode):
    check_rule(N.shift, x(5, 4), np.array([0.3, -1.2]), mode=mode, order=[3, 1])
    check_rule(N.shift, x(5, 4), 0.4, mode=mode, single=False)
    check_rule(N.zoom, x(5, 4), 1.7, mode=mode, order=[3, 1])
    check_rule(N.rotate, x(5, 4), 25.0, mode=mode, order=[3, 1], single=False)
    check_rule(N.rotate, x(4, 4), 25.0, mode=mode, reshape=False, single=False)
    matrix, offset = np.array([[0.83, 0.31], [-0.17, 1.13]]), np.array([0.23, 0.41])
    check_rule(N.affine_transform, x(5, 4), matrix, offset, mode=mode, order=[3, 1], types=False)
    check_rule(N.affine_transform, x(5, 4), offset + 0.7, offset, mode=mode, types=False)


def test_moved_in_other_ways():
    check_rule(N.zoom, x(5, 4), (2.0, 0.6), order=[1, 3], grid_mode=[False, True], mode="mirror")
    check_rule(N.zoom, x(5), 1.0, order=3, mode=["reflect"])
    check_rule(N.zoom, z(5), 0.5)
    matrix = np.eye(2) * 0.87
    check_rule(N.affine_transform, x(5, 4), matrix, 0.17, output_shape=(3, 6), types=False)
    check_rule(N.affine_transform, x(5), np.array([0.9]), types=False)
    for angle in (0, 90, 180, -90):
        check_rule(N.rotate, x(4, 3), angle, order=1, single=False, twice=False)

    def turned(a, v):
        return np.sum(N.shift(v, [a, 2.0 * a]) ** 2) + np.sum(N.rotate(v, 10.0 * a) ** 2)

    assert check_gradient(turned, 0.3, x(5, 4))


def test_what_is_refused_of_images():
    with pytest.raises(Refused, match="`zoom` in its argument 2"):
        gradient(lambda s: np.sum(N.zoom(np.ones(4), s)), 1.3)
    with pytest.raises(Refused, match="more than two axes"):
        gradient(lambda v: np.sum(N.rotate(v, 10.0)), x(2, 3, 3))
    with pytest.raises(Refused, match="homogeneous"):
        gradient(lambda v: np.sum(N.affine_transform(v, np.eye(3))), x(4, 4))
    with pytest.raises(Refused, match="output"):
        gradient(lambda v: np.sum(N.shift(v, 1.0, output=float)), x(4, 3))
    with pytest.raises(Refused):
        gradient(lambda c: np.sum(N.shift(np.ones(4), 1.0, cval=c)), 0.5)


EDGES = ["reflect", "mirror", "nearest", "wrap", "constant"]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


@pytest.mark.parametrize("fn", [N.maximum_filter, N.minimum_filter, N.median_filter])
def test_windows(fn):
    check_rule(fn, x(5, 4), size=[3, (2, 3)], mode=EDGES)
    check_rule(fn, x(5, 4), footprint=[CROSS], mode=["reflect", "constant"], cval=[0.0, 0.7])
    check_rule(fn, x(7), size=[3, 4], origin=[-1, 0, 1])
    check_rule(fn, x(3), size=7)
    check_rule(fn, x(4, 5), size=(3, 2), mode=["reflect"], origin=(0, -1))


def test_windows_along_some_axes():
    for fn in (N.maximum_filter1d, N.minimum_filter1d):
        check_rule(fn, x(5, 4), 3, axis=[0, -1], mode=EDGES)
    check_rule(N.maximum_filter, x(4, 3), size=3, axes=[(0,), 1, None])
    check_rule(N.maximum_filter, x(4, 3), size=[(3, 2)], axes=[(0, 1)], mode=["wrap"])
    check_rule(N.maximum_filter, x(4), size=1, origin=[0, 1])
    with pytest.raises(Refused, match="another order"):
        gradient(lambda v: np.sum(N.median_filter(v, (3, 2), axes=(1, 0))), x(4, 3))


def test_ranks():
    check_rule(N.rank_filter, x(5, 4), 2, size=[3, (2, 3)])
    check_rule(N.rank_filter, x(7), -2, size=3, mode=EDGES)
    check_rule(N.percentile_filter, x(5, 4), 30, size=3)
    check_rule(N.percentile_filter, x(7), 100, size=3)
    check_rule(S.medfilt, x(7), kernel_size=[None, 3, 5])
    check_rule(S.medfilt, x(5, 4), kernel_size=[3, (3, 1)])
    check_rule(S.medfilt2d, x(5, 4), kernel_size=[3, (1, 3)])


def test_ties_share():
    v = np.array([1.0, 2.0, 2.0, 0.0])
    (found,) = gradient(lambda v: N.maximum_filter(v, 3, mode="nearest")[1], v)
    np.testing.assert_array_equal(found, [0, 0.5, 0.5, 0])
    (found,) = gradient(lambda v: np.sum(N.maximum_filter(v, 3)[0]), np.array([3.0, 1.0]))
    np.testing.assert_array_equal(found, [1, 0])
    (found,) = gradient(lambda v: np.sum(N.median_filter(v, 3)), np.ones(3))
    assert np.sum(found) == 3.0


def test_derivatives_of_a_smoothed_image():
    for fn in (N.gaussian_laplace, N.gaussian_gradient_magnitude):
        check_rule(fn, x(5, 4), 0.8, mode=["reflect", "wrap", ("nearest", "constant")])
        check_rule(fn, x(6), 1, truncate=[4.0, 2.0])
        check_rule(fn, x(5, 4), (1, 0.7), twice=False)
        with pytest.raises(Refused, match="argument 2"):
            gradient(lambda s, fn=fn: np.sum(fn(np.ones(4), s)), 1.0)
    (found,) = gradient(lambda v: np.sum(N.gaussian_gradient_magnitude(v, 1.0)), np.ones((3, 3)))
    assert np.all(np.isfinite(found))


LABELS = np.array([[1, 1, 0, 2], [3, 2, 2, 0], [3, 3, 1, 4]])


@pytest.mark.parametrize("fn", [N.sum_labels, N.mean, N.variance, N.standard_deviation])
def test_regions(fn):
    check_rule(fn, x(3, 4), single=False)
    for index in (None, 2, np.array([3, 1, 2]), [1, 2], np.array([[1, 2], [2, 3]])):
        check_rule(fn, x(3, 4), labels=LABELS, index=index, single=False)
    check_rule(fn, x(3, 4), labels=np.array([1, 2, 0, 1]), index=np.array([1, 2]), single=False)


def test_sums_by_another_name():
    check_rule(N.sum, x(3, 4), labels=LABELS, index=[np.array([3, 1])], single=False)


def test_what_follows_from_places():
    def weighed(v):
        regions, count = N.label(v > 0)
        far = N.distance_transform_edt(v > 0)
        return np.sum(N.sum_labels(v**2, regions, np.arange(1, count + 1)) ** 2) + np.sum(far * v)

    assert check_gradient(weighed, x(5, 4))
    with pytest.raises(Refused, match="sampling"):
        gradient(lambda s: np.sum(N.distance_transform_edt(np.eye(3) < 1, s)), 1.0)
    with pytest.raises(Refused, match="sampling"):
        gradient(lambda s: np.sum(N.distance_transform_bf(np.eye(3) < 1, sampling=s)), 1.0)
    with pytest.raises(Refused, match="smaller than its labels"):
        gradient(lambda v: N.sum_labels(v, np.ones((2, 3))), x(3))
