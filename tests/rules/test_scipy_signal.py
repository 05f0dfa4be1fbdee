"""Rules of `rules/scipy/signal.py` and `rules/scipy/ndimage.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x, z

S = pytest.importorskip("scipy.signal")
N = pytest.importorskip("scipy.ndimage")
MODES = ["full", "same", "valid"]


@pytest.mark.parametrize("sizes", [((6,), (3,)), ((3,), (6,)), ((4,), (4,)), ((4, 5), (2, 3))])
@pytest.mark.parametrize("name", ["convolve", "fftconvolve", "oaconvolve", "correlate"])
def test_convolution(name, sizes):
    m, n = sizes
    fn = getattr(S, name)
    check_rule(fn, x(*m), x(*n), mode=MODES)
    check_rule(fn, z(*m), z(*n), mode=MODES)
    if name in ("convolve", "correlate"):
        check_rule(fn, x(*m), x(*n), mode=MODES, method=["direct", "fft"])


def test_convolution_of_two_axes():
    for make in (x, z):
        check_rule(S.convolve2d, make(4, 5), make(3, 2), mode=MODES)
        check_rule(S.correlate2d, make(4, 5), make(3, 2), mode=["full", "valid", "same"])
        check_rule(S.correlate2d, make(2, 3), make(4, 3), mode=["same"])


B, A = np.array([0.4, 0.3, -0.2]), np.array([1.2, -0.5])


def test_filter():
    check_rule(S.lfilter, B, A, x(7))
    check_rule(S.lfilter, B, A, x(5, 3), axis=[0, 1])
    check_rule(S.lfilter, B + 0.1j, A - 0.2j, z(7))
    check_rule(S.lfilter, x(9), A, x(4))
    check_rule(S.lfilter, [1.0], A, x(5), types=False)
    assert check_gradient(lambda r, v: np.sum(S.lfilter([1.0, r], [1.0, -r], v) ** 2), 0.5, x(6))
    with pytest.raises(Refused, match="zi"):
        gradient(lambda v: np.sum(S.lfilter(B, A, v, zi=np.zeros(2))[0]), x(5))


def test_projections():
    check_rule(S.detrend, x(7), type=["linear", "constant"])
    check_rule(S.detrend, x(6, 4), axis=[0, 1], bp=[0, 2])
    check_rule(S.hilbert, x(6))
    check_rule(S.hilbert, x(3, 5), axis=[0, 1])


EDGES = ["reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap"]


@pytest.mark.parametrize("fn", [N.correlate1d, N.convolve1d])
@pytest.mark.parametrize("size", [3, 4])
def test_filters_of_one_axis(fn, size):
    check_rule(fn, x(6), x(size), mode=EDGES)
    check_rule(fn, x(4, 5), x(size), axis=[0, -1], mode=["reflect", "constant"], cval=[0.0, 2.0])
    check_rule(fn, x(6), x(size), origin=[-1, 0, 1])


@pytest.mark.parametrize("fn", [N.correlate, N.convolve])
def test_filters_of_several_axes(fn):
    check_rule(fn, x(4, 5), x(3, 2), mode=EDGES)
    check_rule(fn, x(4, 5), x(2, 3), origin=[-1, 0, (0, 1)], mode=["reflect", "constant"])


def test_weights_in_a_list():
    def smoothed(w, v):
        return np.sum(N.correlate1d(v, [w, 1.0 - 2.0 * w, w]) ** 2)

    assert check_gradient(smoothed, 0.2, x(6))
    assert check_gradient(lambda v: np.sum(N.convolve(v, [[0.0, 1.0], [2.0, 0.5]]) ** 2), x(4, 3))


def test_smoothing():
    check_rule(N.gaussian_filter1d, x(6), 1, mode=EDGES)
    check_rule(N.gaussian_filter1d, x(6), 1, order=[0, 1, 2, 3], radius=[None, 2])
    check_rule(N.gaussian_filter1d, x(4, 5), 1, axis=[0, 1], truncate=[4.0, 2.0])
    check_rule(N.gaussian_filter, x(4, 5), 1, mode=EDGES, order=[0, (1, 0)])
    check_rule(N.gaussian_filter, x(4, 5), (1, 0), axes=[None, (1, 0)])
    check_rule(N.gaussian_filter, x(4, 5), (1, 0.5), order=[1])
    check_rule(N.gaussian_filter, x(4, 5), 1, axes=[1, (0,)], mode=["nearest"])
    check_rule(N.uniform_filter1d, x(6), 3, mode=EDGES, origin=[-1, 0, 1])
    check_rule(N.uniform_filter1d, x(6), 4, mode=EDGES)
    check_rule(N.uniform_filter, x(4, 5), size=[3, (2, 3), (1, 4)], mode=["reflect", "wrap"])


def test_differences():
    for fn in (N.sobel, N.prewitt):
        check_rule(fn, x(4, 5), axis=[0, 1], mode=["reflect", "constant"])
    check_rule(N.laplace, x(4, 5), mode=EDGES)


def test_what_is_refused():
    with pytest.raises(Refused, match="`gaussian_filter` in its argument 2"):
        gradient(lambda s: np.sum(N.gaussian_filter(np.ones(4), s)), 1.0)
    with pytest.raises(Refused, match="axes"):
        gradient(lambda v: np.sum(S.fftconvolve(v, v, axes=0)), x(4, 3))
    with pytest.raises(Refused, match="boundary"):
        gradient(lambda v: np.sum(S.convolve2d(v, v, boundary="wrap")), x(4, 3))
    with pytest.raises(Refused, match="scipy.ndimage.*median_filter"):
        gradient(lambda v: np.sum(N.median_filter(v, 3)), x(4, 3))
    with pytest.raises(Refused, match="output"):
        gradient(lambda v: np.sum(N.laplace(v, output=float)), x(4, 3))
