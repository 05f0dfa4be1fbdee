"""Rules of `rules/scipy/fft.py`."""

import pytest

from zyg_interactive import gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x, z

F = pytest.importorskip("scipy.fft")
NORMS = [None, "ortho", "forward"]


@pytest.mark.parametrize("fn", [F.fft, F.ifft, F.irfft, F.hfft])
def test_of_complex_numbers(fn):
    check_rule(fn, z(5), norm=NORMS)
    check_rule(fn, z(4, 3), axis=[0, -1], n=[None, 3, 6])


@pytest.mark.parametrize("fn", [F.fft, F.rfft, F.ihfft])
@pytest.mark.parametrize("n", [5, 6])
def test_of_real_numbers(fn, n):
    check_rule(fn, x(n), norm=NORMS)
    check_rule(fn, x(3, n), axis=[0, 1], n=[None, 4, 7])


@pytest.mark.parametrize("name", ["fftn", "ifftn", "fft2", "ifft2", "irfftn", "irfft2"])
def test_several_axes(name):
    fn = getattr(F, name)
    check_rule(fn, z(3, 4), norm=NORMS)
    check_rule(fn, z(2, 3, 4), axes=[(0, 1), (1, 2)], s=[None, (3, 4)])


@pytest.mark.parametrize("name", ["rfftn", "rfft2"])
def test_several_axes_of_real_numbers(name):
    fn = getattr(F, name)
    check_rule(fn, x(3, 4), norm=NORMS)
    check_rule(fn, x(2, 3, 5), axes=[(0, 1), (1, 2)], s=[None, (3, 4)])


@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
def test_cosine_and_sine(name):
    fn = getattr(F, name)
    orthogonal = [None, False, True]
    check_rule(fn, x(5), type=[1, 2, 3, 4], norm=NORMS)
    check_rule(fn, x(4), type=[1, 2, 3, 4], norm=NORMS, orthogonalize=orthogonal, single=False)
    check_rule(fn, x(4, 3), type=[2, 3], axis=[0, -1], n=[None, 3, 6])
    check_rule(getattr(F, f"{name}n"), x(4, 3), type=[1, 2], norm=NORMS)
    check_rule(getattr(F, f"{name}n"), x(2, 3, 4), axes=[(0, 2)], s=[None, (3, 3)])


@pytest.mark.parametrize("fn", [F.fftshift, F.ifftshift])
def test_shift(fn):
    check_rule(fn, x(5))
    check_rule(fn, x(3, 4), axes=[None, 0, (0, 1)])


def test_overwriting_is_refused():
    with pytest.raises(Refused, match="overwrite_x"):
        gradient(lambda v: F.dct(v, overwrite_x=True)[0], x(4))
