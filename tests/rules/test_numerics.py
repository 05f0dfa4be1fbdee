"""Rules of `rules/numerics.py` and `rules/fft.py`."""

import numpy as np
import pytest

from zyg_interactive import gradient

from .checks import check_rule, x, z

NORMS = [None, "ortho", "forward"]


@pytest.mark.parametrize("fn", [np.fft.fft, np.fft.ifft])
def test_transform(fn):
    check_rule(fn, z(5), norm=NORMS)
    check_rule(fn, z(4, 3), axis=[0, -1], n=[None, 2, 6])
    check_rule(fn, x(6))


@pytest.mark.parametrize("n", [5, 6])
def test_real_transform(n):
    check_rule(np.fft.rfft, x(n), norm=NORMS)
    check_rule(np.fft.rfft, x(3, n), axis=[0, 1], n=[None, 4, 7])


def test_transform_to_real():
    check_rule(np.fft.irfft, z(4), norm=NORMS)
    check_rule(np.fft.irfft, z(4, 3), axis=[0, 1], n=[None, 5, 8])


@pytest.mark.parametrize("fn", [np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn])
def test_several(fn):
    check_rule(fn, z(3, 4), norm=NORMS)
    check_rule(fn, z(2, 3, 2), axes=[(0, 1), (1, 2)])


SEVERAL = [np.fft.rfft2, np.fft.irfft2, np.fft.rfftn, np.fft.irfftn]


@pytest.mark.parametrize("fn", SEVERAL)
def test_several_to_and_from_real(fn):
    data = x if fn in (np.fft.rfft2, np.fft.rfftn) else z
    check_rule(fn, data(3, 4), norm=NORMS)
    check_rule(fn, data(3, 4), s=[(2, 5), (4, -1)], axes=(0, 1))
    check_rule(fn, data(2, 3, 4), axes=[(0, 1), (2, 0)])


def test_sizes():
    for fn in (np.fft.fft2, np.fft.ifftn):
        check_rule(fn, z(3, 4), s=[(2, 5), (4, 4)], axes=(0, 1))


def test_hermitian():
    check_rule(np.fft.hfft, z(4), norm=NORMS, n=[None, 5])
    check_rule(np.fft.ihfft, x(6), norm=NORMS, n=[None, 5])


@pytest.mark.parametrize("fn", [np.fft.fftshift, np.fft.ifftshift])
def test_shift(fn):
    check_rule(fn, x(5))
    check_rule(fn, x(3, 4), axes=[None, 0, (0, 1)])


def test_interp():
    knots = np.array([0.0, 1.0, 2.5, 3.0])
    check_rule(np.interp, np.array([-0.5, 0.3, 1.7, 2.6, 3.5]), knots, x(4), single=False)
    check_rule(np.interp, 1.7, knots, x(4), single=False)
    places = np.array([-0.5, 0.3, 1.7, 2.6, 3.5])
    check_rule(np.interp, places, knots, x(4), left=0.3, right=0.7, single=False, types=False)
    check_rule(np.interp, places + 0.1, knots + 0.3, x(4), period=3.5, single=False)
    check_rule(np.interp, places, knots, z(4), single=False)


@pytest.mark.parametrize("sizes", [(5, 3), (3, 5), (4, 4), (1, 3)])
def test_convolve(sizes):
    n, m = sizes
    check_rule(np.convolve, x(n), x(m), mode=["full", "same", "valid"])
    check_rule(np.correlate, x(n), x(m), mode=["full", "valid", "same"])
    check_rule(np.correlate, z(n), z(m), mode=["full", "valid", "same"])
    check_rule(np.convolve, z(n), z(m))


def test_differences():
    check_rule(np.ediff1d, x(5))
    check_rule(np.ediff1d, x(2, 3))
    check_rule(np.ediff1d, x(5), to_end=x(2), to_begin=0.3, types=False)
    check_rule(np.gradient, x(5))
    check_rule(np.gradient, x(4, 3), axis=[0, 1, -1])
    check_rule(np.gradient, x(5), 0.3)


@pytest.mark.parametrize("size", [0, 1, 2])
@pytest.mark.parametrize(
    "fn",
    [
        lambda v: np.diff(v),
        lambda v: np.diff(v, 3),
        lambda v: np.diff(v, 2, prepend=v),
        lambda v: np.ediff1d(v),
        lambda v: np.ediff1d(v, to_begin=v, to_end=0.5),
        lambda v: np.trapezoid(v),
        lambda v: np.trapezoid(v, 2 * v),
        lambda v: np.trapezoid(np.outer(v, v), dx=0.5, axis=0),
    ],
)
def test_arrays_that_are_too_short(fn, size):
    """Their gradient has their shape, and is that of what is left."""
    v = np.arange(1.0, size + 1)
    (got,) = gradient(lambda v: np.sum(fn(v)), v)
    steps = 1e-6 * np.eye(size)
    expected = [(np.sum(fn(v + h)) - np.sum(fn(v - h))) / 2e-6 for h in steps]
    np.testing.assert_allclose(got, np.array(expected), atol=1e-8)


def test_gradient():
    places = np.array([0.0, 0.4, 1.0, 1.3, 2.2])
    check_rule(np.gradient, x(4, 5), edge_order=[1, 2])
    check_rule(np.gradient, x(4, 5), axis=[(0, 1), (1, 0), (1,)], edge_order=[1, 2])
    check_rule(np.gradient, x(4, 5), 0.3, 0.7)
    check_rule(np.gradient, x(4, 5), 0.3, axis=(0, 1))
    check_rule(np.gradient, x(4, 5), 0.3, places, edge_order=[1, 2])
    check_rule(np.gradient, x(5, 4), places, axis=0, edge_order=[1, 2])
    check_rule(np.gradient, z(5), places, edge_order=[1, 2], single=False, types=False)


@pytest.mark.parametrize("fn", [np.maximum.accumulate, np.minimum.accumulate])
def test_running(fn):
    check_rule(fn, x(6))
    check_rule(fn, x(4, 3), axis=[0, 1])
