"""Rules of `rules/scipy/interpolate.py`."""

import importlib
import inspect

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, pushforward
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, scipy_before, x

P = pytest.importorskip("scipy.interpolate")
KNOTS = np.array([0.0, 0.7, 1.1, 2.0, 3.0])
PLACES = np.array([0.2, 1.3, 2.4])


MADE = [
    P.CubicSpline(KNOTS, np.sin(KNOTS)),
    P.PchipInterpolator(KNOTS, np.sin(KNOTS)),
    P.make_interp_spline(KNOTS, np.sin(KNOTS)),
    P.CubicSpline(KNOTS, x(5, 2)),
]


@pytest.mark.parametrize("spline", MADE)
def test_a_spline_that_was_made_elsewhere(spline):
    check_rule(type(spline).__call__, spline, PLACES, nu=[0, 1], single=False)
    assert check_gradient(lambda v: np.sum(spline(v) ** 2), PLACES)
    found = gradient(lambda v, s: np.sum(s(v)), 0.3, spline, wrt=0)
    np.testing.assert_allclose(found, np.sum(spline(0.3, 1)))


def test_the_values():
    def through(make):
        return lambda y, v: np.sum(make(KNOTS, y)(v) ** 2)

    for shape in ((5,), (5, 2)):
        y = x(*shape)
        for make in (P.CubicSpline, P.make_interp_spline):
            assert check_gradient(through(make), y, PLACES)
    y = x(5)
    assert check_gradient(
        lambda y: np.sum(P.CubicSpline(KNOTS, y, bc_type="natural")(PLACES, 1) ** 2), y
    )
    assert check_gradient(lambda y: P.make_interp_spline(KNOTS, y, k=2)(0.3) ** 2, y)

    def twice(y, v):
        return np.sum(gradient(lambda v: np.sum(P.CubicSpline(KNOTS, y)(v) ** 2), v)[0] ** 2)

    assert check_gradient(twice, y, PLACES)


Y, AROUND = x(5), np.array([-0.4, 0.2, 2.4, 3.3])
DEGREES = ["linear", "slinear", "quadratic", "cubic", "zero", 2]
STEPS = ["nearest", "nearest-up", "previous", "next"]


def interpolated(kind):
    """A function with the kind written in it, as a program has it."""
    if kind == "linear":
        return lambda y, v: wave(P.interp1d(KNOTS, y)(v))
    if kind == "slinear":
        return lambda y, v: wave(P.interp1d(KNOTS, y, "slinear")(v))
    if kind == "quadratic":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="quadratic")(v))
    if kind == "cubic":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="cubic")(v))
    if kind == "zero":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="zero")(v))
    if kind == "nearest":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="nearest")(v))
    if kind == "nearest-up":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="nearest-up")(v))
    if kind == "previous":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="previous")(v))
    if kind == "next":
        return lambda y, v: wave(P.interp1d(KNOTS, y, kind="next")(v))
    return lambda y, v: wave(P.interp1d(KNOTS, y, kind=2)(v))


def wave(y):
    return np.sum(np.sin(y))


def both_orders(scalar, *args):
    assert check_gradient(scalar, *args)
    for i in range(len(args)):
        assert check_gradient(
            lambda *a, i=i: np.sum(np.cos(gradient(scalar, *a, zeros=True)[i])), *args
        )
    tangents = [0.3 * np.cos(a) for a in args]
    found = pushforward(scalar, *args)(*tangents)
    sums = [
        np.sum(g * t) for g, t in zip(gradient(scalar, *args, zeros=True), tangents, strict=True)
    ]
    np.testing.assert_allclose(found, sum(sums))


@pytest.mark.parametrize("kind", DEGREES + STEPS)
def test_interp1d(kind):
    f = interpolated(kind)
    both_orders(f, Y, PLACES)
    assert check_gradient(f, Y, 1.3)
    kept = Y.copy()
    of_y, of_v = gradient(f, Y, PLACES, zeros=True)
    assert np.array_equal(kept, Y) and of_y.shape == Y.shape
    if kind in [*STEPS, "zero"]:
        assert not np.any(of_v)


def test_interp1d_outside_its_knots():
    both_orders(lambda y, v: wave(P.interp1d(KNOTS, y, fill_value="extrapolate")(v)), Y, AROUND)
    both_orders(
        lambda y, v: wave(P.interp1d(KNOTS, y, "cubic", bounds_error=False, fill_value=2.0)(v)),
        Y,
        AROUND,
    )
    both_orders(
        lambda y, v: wave(P.interp1d(KNOTS, y, bounds_error=False, fill_value=(1.0, 2.0))(v)),
        Y,
        AROUND,
    )
    with pytest.raises(ValueError, match="below"):
        gradient(lambda y: np.sum(P.interp1d(KNOTS, y)(AROUND)), Y)


def test_interp1d_of_more():
    both_orders(lambda y, v: wave(P.interp1d(KNOTS[::-1], y)(v)), Y, PLACES)
    both_orders(lambda y, v: wave(P.interp1d(KNOTS, y, axis=0)(v)), x(5, 2), PLACES)
    z = x(5) + 1j * x(5)
    assert check_gradient(lambda y, v: np.sum(np.abs(P.interp1d(KNOTS, y)(v)) ** 2), z, PLACES)
    for spline in (P.interp1d(KNOTS, Y), P.interp1d(KNOTS, Y, "cubic"), P.interp1d(KNOTS, z)):
        assert check_gradient(lambda v, s=spline: np.sum(np.abs(s(v)) ** 2), PLACES)


def test_complex_values():
    z = x(5) + 1j * x(5)
    assert check_gradient(lambda y, v: np.sum(np.abs(P.CubicSpline(KNOTS, y)(v)) ** 2), z, PLACES)
    spline = P.CubicSpline(KNOTS, z)
    assert check_gradient(lambda v: np.sum(np.abs(spline(v)) ** 2), PLACES)


SLOPES = [
    (P.PchipInterpolator, {}, "pchip_slopes"),
    (P.Akima1DInterpolator, {}, "akima_slopes"),
    (P.Akima1DInterpolator, {"method": "makima"}, "makima_slopes"),
]


@pytest.mark.parametrize(("make", "how", "name"), SLOPES)
def test_slopes_are_those_of_scipy(make, how, name):
    slopes = getattr(importlib.import_module("zyg_interactive.rules.scipy.makers"), name)
    flat = np.array([0.0, 0.0, 1.0, 0.5, 0.5])
    # Before 1.17 Akima's slopes of two points are memory that SciPy has not written.
    fewest = 3 if scipy_before(1, 17) and make is P.Akima1DInterpolator else 2
    for n in range(fewest, 6):
        for y in (x(5), x(5, 2), flat, KNOTS):
            found = make(KNOTS[:n], y[:n], **how)(KNOTS[:n], 1)
            # The last knot of Akima's is the end of its domain.
            np.testing.assert_allclose(slopes(y[:n], KNOTS[:n]), found, atol=1e-12)


@pytest.mark.parametrize("shape", [(5,), (5, 2)])
def test_pchip_and_akima(shape):
    y = x(*shape)
    both_orders(lambda y, v: wave(P.PchipInterpolator(KNOTS, y)(v)), y, PLACES)
    both_orders(lambda y, v: wave(P.PchipInterpolator(KNOTS, y)(v)), y, AROUND)
    both_orders(lambda y, v: wave(P.PchipInterpolator(KNOTS, y)(v, 1)), y, PLACES)
    both_orders(lambda y, v: wave(P.Akima1DInterpolator(KNOTS, y)(v)), y, PLACES)
    both_orders(lambda y, v: wave(P.Akima1DInterpolator(KNOTS, y, method="makima")(v)), y, 1.3)
    if "extrapolate" in inspect.signature(P.Akima1DInterpolator).parameters:  # from 1.14 on
        both_orders(
            lambda y, v: wave(P.Akima1DInterpolator(KNOTS, y, extrapolate=True)(v)), y, AROUND
        )


def test_what_is_refused():
    with pytest.raises(Refused, match="knots"):
        gradient(lambda k: P.CubicSpline(k, np.sin(KNOTS))(0.3), KNOTS)
    with pytest.raises(Refused):
        gradient(lambda y: P.CubicSpline(KNOTS, y, bc_type="periodic")(0.3), np.zeros(5))
    with pytest.raises(Refused, match="knots"):
        gradient(lambda k: P.PchipInterpolator(k, np.sin(KNOTS))(0.3), KNOTS)
    with pytest.raises(Refused, match="knots"):
        gradient(lambda k: P.interp1d(k, np.sin(KNOTS))(0.3), KNOTS)
    with pytest.raises(Refused, match="axis"):
        gradient(lambda y: np.sum(P.interp1d(KNOTS, y)(0.3)), x(2, 5))
    with pytest.raises(Refused):
        gradient(lambda y: P.interp1d(KNOTS, y, fill_value=(y[0], y[1]))(0.3), Y)
    with pytest.raises(Refused):
        gradient(lambda y: P.KroghInterpolator(KNOTS, y).derivative(0.3), Y)
    with pytest.raises(Refused):
        gradient(lambda y: P.CubicSpline(KNOTS, y).c[0, 0], np.sin(KNOTS))
