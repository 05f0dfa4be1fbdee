"""Rules of `rules/scipy/signal.py`, `filtering.py`, `resampling.py`, `responses.py`, `spectra.py`
and of `ndimage.py`.
"""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused
from zyg_interactive.rules import lookup

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


SECTIONS = S.butter(3, 0.3, output="sos")


def test_filters_in_sections():
    check_rule(S.sosfilt, SECTIONS, x(9), twice=False)
    check_rule(S.sosfilt, SECTIONS, x(5, 4), axis=[0, 1], single=False, twice=False)
    check_rule(S.sosfilt, SECTIONS, z(6), twice=False)
    with pytest.raises(Refused, match="zi"):
        gradient(lambda v: np.sum(S.sosfilt(SECTIONS, v, zi=np.zeros((2, 2)))[0]), x(5))


PADS = ["odd", "even", "constant", None]


def test_filters_twice():
    b, a = S.butter(2, 0.3)

    def filtered(v):
        both = S.filtfilt(b, a, v, padlen=5) + S.sosfiltfilt(SECTIONS, v, padtype="even")
        return np.sum(S.sosfilt(SECTIONS, v) ** 3) + np.sum(both**3)

    v = x(18)
    assert check_gradient(filtered, v)
    assert check_gradient(lambda v: np.sum(np.cos(gradient(filtered, v)[0])), v)


def test_filters_both_ways():
    b, a = S.butter(2, 0.3)
    check_rule(S.filtfilt, b, a, x(14), padtype=PADS, twice=False)
    check_rule(S.filtfilt, b, a, x(8, 7), axis=[0, -1], padlen=[4, 0], twice=False)
    check_rule(S.filtfilt, B, np.array([1.0]), x(12), twice=False)
    check_rule(S.filtfilt, b + 0.1j, a - 0.2j, z(14), padtype=["odd", "even"], twice=False)
    check_rule(S.sosfiltfilt, SECTIONS, x(18), padtype=PADS, twice=False)
    check_rule(
        S.sosfiltfilt, SECTIONS, x(8, 7), axis=[0, -1], padlen=[4, 0], single=False, twice=False
    )
    check_rule(S.sosfiltfilt, SECTIONS, z(18), twice=False)
    with pytest.raises(Refused, match="gust"):
        gradient(lambda v: np.sum(S.filtfilt(b, a, v, method="gust")), x(12))
    with pytest.raises(Refused, match="`filtfilt` in its argument 1"):
        gradient(lambda b: np.sum(S.filtfilt(b, a, np.ones(15))), b)


def test_fitted_polynomials():
    modes = ["interp", "mirror", "constant", "nearest", "wrap"]
    check_rule(S.savgol_filter, x(9), 5, 2, mode=modes)
    check_rule(S.savgol_filter, x(5), 5, 3, deriv=[0, 1, 2], delta=[1.0, 0.3])
    check_rule(S.savgol_filter, x(7, 6), 3, 1, axis=[0, 1], mode=["interp", "nearest"])
    check_rule(S.savgol_filter, x(8), 4, 2, mode=["interp", "mirror"], cval=[0.0, 1.0])
    check_rule(S.savgol_filter, x(4), 1, 0)


def test_other_rates():
    for up, down in ((1, 1), (2, 1), (1, 3), (3, 2)):
        check_rule(S.upfirdn, x(4), x(6), up, down)
        check_rule(S.resample_poly, x(9), up, down)
    check_rule(S.upfirdn, x(2), x(5, 4), 2, 3, axis=[0, 1])
    check_rule(S.upfirdn, z(7), z(3), 3, 2)
    check_rule(S.upfirdn, [1.0, 2.0], x(5), types=False)
    check_rule(S.resample_poly, x(9, 2), 2, 3, window=["hamming", ("kaiser", 3.0)])
    check_rule(S.resample_poly, x(3, 8), 4, 6, axis=[1, -1], window=[x(7)])
    check_rule(S.resample_poly, z(7), 3, 2)
    check_rule(S.decimate, x(40), 2, ftype=["iir", "fir"], zero_phase=[True, False])
    check_rule(S.decimate, x(31, 2), 3, n=[4], axis=[0], ftype=["fir", "iir"])
    with pytest.raises(Refused, match="zeros"):
        gradient(lambda v: np.sum(S.resample_poly(v, 2, 1, padtype="mean")), x(5))


def test_trigonometric_interpolation():
    for n in (6, 7):
        for num in (3, 4, 6, 7, 9, 10):
            check_rule(S.resample, x(n), num)
            check_rule(S.resample, z(n), num)
    check_rule(S.resample, x(6, 5), 4, axis=[0, 1], window=[None, "hamming", ("kaiser", 2.0)])
    check_rule(S.resample, x(6), 9, window=x(6))
    with pytest.raises(Refused, match="times"):
        gradient(lambda v: np.sum(S.resample(v, 3, t=np.arange(5.0))[0]), x(5))


def test_responses():
    check_rule(S.freqz, x(4), np.array([1.0, 0.3, -0.2]), worN=[7, np.array([0.1, 1.0, 2.5])])
    check_rule(S.freqz, x(4), worN=6, whole=[False, True], fs=[2 * np.pi, 3.0])
    check_rule(S.freqz, x(3), 2.0, worN=5, single=False)
    check_rule(S.freqz, z(3), z(2), worN=5)


def test_quotients():
    check_rule(S.deconvolve, x(7), np.array([1.3, 0.4, -0.2]))
    check_rule(S.deconvolve, x(3), np.array([1.3, 0.4, -0.2]))


def test_windows():
    def weighed(v):
        return np.sum(S.windows.hann(5) * S.windows.kaiser(5, 3.0) * S.get_window("hann", 5) * v)

    assert check_gradient(weighed, x(5))
    with pytest.raises(Refused, match="`kaiser`, in its parameters"):
        gradient(lambda b: np.sum(S.windows.kaiser(5, b)), 3.0)
    with pytest.raises(Refused, match="`get_window`, in its parameters"):
        gradient(lambda b: np.sum(S.get_window(("kaiser", b), 5)), 3.0)
    with pytest.raises(Refused, match="`gaussian`, in its parameters"):
        gradient(lambda s: np.sum(S.windows.gaussian(5, std=s)), 3.0)
    with pytest.raises(Refused, match="`tukey`, in its parameters"):
        gradient(lambda a: np.sum(S.windows.tukey(5, a)), 0.3)
    refusing = (
        "chebwin exponential gaussian general_cosine general_gaussian general_hamming kaiser "
        "kaiser_bessel_derived taylor tukey"
    )
    for name in refusing.split():
        assert lookup(getattr(S.windows, name)).pullback is not None


def test_what_is_refused():
    with pytest.raises(Refused, match="`gaussian_filter` in its argument 2"):
        gradient(lambda s: np.sum(N.gaussian_filter(np.ones(4), s)), 1.0)
    with pytest.raises(Refused, match="axes"):
        gradient(lambda v: np.sum(S.fftconvolve(v, v, axes=0)), x(4, 3))
    with pytest.raises(Refused, match="boundary"):
        gradient(lambda v: np.sum(S.convolve2d(v, v, boundary="wrap")), x(4, 3))
    with pytest.raises(Refused, match="scipy.ndimage.*grey_closing"):
        gradient(lambda v: np.sum(N.grey_closing(v, 3)), x(4, 3))
    with pytest.raises(Refused, match="output"):
        gradient(lambda v: np.sum(N.laplace(v, output=float)), x(4, 3))


def test_power():
    check_rule(S.welch, x(20), nperseg=[8, 5], noverlap=[None, 2, 0])
    check_rule(S.welch, x(20), 2.5, ("kaiser", 2.0), 8, nfft=[None, 11], scaling=["spectrum"])
    check_rule(S.welch, x(12, 3), nperseg=6, axis=[0], detrend=["linear", False, "constant"])
    check_rule(S.welch, x(3, 12), nperseg=6, return_onesided=[False, True])
    check_rule(S.welch, x(20), window=np.hanning(7) + 0.1)
    check_rule(S.periodogram, x(9), window=[None, "hann"], scaling=["density", "spectrum"])
    check_rule(S.periodogram, x(8, 2), axis=[0, 1], return_onesided=[True, False])
    check_rule(S.spectrogram, x(20), nperseg=[8, 5], noverlap=[None, 3])
    check_rule(S.spectrogram, x(20, 2), nperseg=8, axis=[0, -2])
    check_rule(S.spectrogram, x(2, 20), 3.0, nperseg=8, axis=[1, -1])
    assert check_gradient(lambda v: np.sum(np.log(1.0 + S.welch(v, nperseg=8)[1])), x(20))
    with pytest.raises(Refused, match="average"):
        gradient(lambda v: np.sum(S.welch(v, average="median", nperseg=4)[1]), x(20))
    with pytest.raises(Refused, match="complex signal"):
        gradient(lambda v: np.sum(S.welch(v, nperseg=4)[1]), z(20))
    with pytest.raises(Refused, match="mode"):
        gradient(lambda v: np.sum(S.spectrogram(v, nperseg=4, mode="magnitude")[2]), x(20))
    with pytest.raises(Refused):
        gradient(lambda r: np.sum(S.welch(np.arange(20.0), r, nperseg=4)[1]), 2.0)


def test_transforms_in_short_times():
    check_rule(S.stft, x(20), nperseg=[8, 5], noverlap=[None, 3])
    check_rule(S.stft, x(19), nperseg=6, boundary=["zeros", None], padded=[True, False])
    check_rule(S.stft, x(20, 2), 3.0, nperseg=8, axis=[0, -2], scaling=["spectrum", "psd"])
    check_rule(S.stft, x(12), nperseg=4, return_onesided=[False], detrend=["linear"], nfft=[7])

    def loud(v):
        return np.sum(np.log(1.0 + np.abs(S.stft(v, nperseg=8)[2]) ** 2))

    assert check_gradient(loud, x(20))
    with pytest.raises(Refused, match="boundary"):
        gradient(lambda v: np.sum(np.abs(S.stft(v, nperseg=4, boundary="even")[2])), x(20))
