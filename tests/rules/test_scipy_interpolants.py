"""Rules of `rules/scipy/interpolants.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x
from .test_scipy_interpolate import AROUND, KNOTS, PLACES, both_orders, wave

P = pytest.importorskip("scipy.interpolate")
GRID = (np.array([0.0, 0.7, 1.1, 2.0]), np.array([1.0, 2.0, 2.5]))
AT = np.array([[0.3, 1.2], [1.9, 2.4], [0.8, 1.7]])


def test_polynomials_through_values():
    for y in (x(5), x(5, 2)):
        both_orders(lambda y, v: wave(P.KroghInterpolator(KNOTS, y)(v)), y, AROUND)
        both_orders(lambda y, v: wave(P.BarycentricInterpolator(KNOTS, y)(v)), y, AROUND)
    assert check_gradient(lambda y: P.KroghInterpolator(KNOTS, y)(0.3) ** 2, x(5))
    assert check_gradient(lambda y: P.KroghInterpolator([0.0, 0.0, 1.0], y)(0.3) ** 2, x(3))
    for fn in (P.barycentric_interpolate, P.krogh_interpolate):
        check_rule(fn, KNOTS, x(5), PLACES, single=False, twice=False)
        check_rule(fn, KNOTS, x(5, 2), 0.3, single=False, twice=False)
        both_orders(lambda y, v, fn=fn: wave(fn(KNOTS, y, v)), x(5), PLACES)
        with pytest.raises(Refused, match="knots"):
            gradient(lambda k, fn=fn: fn(k, np.ones(5), 0.3), KNOTS)


def test_splines_through_values():
    y = x(5)
    make = P.InterpolatedUnivariateSpline
    both_orders(lambda y, v: wave(make(KNOTS, y)(v)), y, AROUND)
    both_orders(lambda y, v: wave(make(KNOTS, y, k=2)(v, 1)), y, PLACES)
    both_orders(lambda y, v: wave(make(KNOTS, y, ext="zeros")(v)), y, AROUND)
    both_orders(lambda y, v: wave(P.UnivariateSpline(KNOTS, y, s=0)(v)), y, PLACES)
    spline = make(KNOTS, y)
    check_rule(P.UnivariateSpline.__call__, spline, PLACES, nu=[0, 1], single=False, twice=False)
    line = make(KNOTS, y, k=1)
    assert check_gradient(lambda v: wave(gradient(lambda w: wave(line(w)), v)[0]), PLACES)
    smooth = P.UnivariateSpline(KNOTS, y)
    assert check_gradient(lambda v: wave(smooth(v)), PLACES)
    with pytest.raises(Refused):
        gradient(lambda y: P.UnivariateSpline(KNOTS, y)(0.3), y)
    with pytest.raises(Refused):
        gradient(lambda y: make(KNOTS, y, ext=3)(0.3), y)
    flat = make(KNOTS, y, ext=3)
    with pytest.raises(Refused, match="constant outside"):
        gradient(lambda v: flat(v), 0.3)
    with pytest.raises(Refused, match="knots"):
        gradient(lambda k: make(k, y)(0.3), KNOTS)


def test_coefficients_of_splines():
    t = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0])
    for c in (x(5), x(5, 2)):
        both_orders(lambda c, v: wave(P.BSpline(t, c, 2)(v)), c, PLACES)
        both_orders(lambda c, v: wave(P.BSpline(t, c, k=2, extrapolate=True)(v, 1)), c, AROUND)
    z = x(5) + 1j * x(5)
    assert check_gradient(lambda c, v: np.sum(np.abs(P.BSpline(t, c, 2)(v)) ** 2), z, PLACES)
    with pytest.raises(Refused, match="knots"):
        gradient(lambda t: P.BSpline(t, np.ones(5), 2)(0.3), t)
    with pytest.raises(Refused):
        gradient(lambda c: P.BSpline(t, c, 2).integrate(0.0, 1.0), x(5))


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_grids(method):
    for c in (x(4, 3), x(4, 3, 2)):
        check_rule(P.interpn, GRID, c, AT, method=[method], single=False, twice=False)
    if method == "linear":
        both_orders(lambda c, v: wave(P.interpn(GRID, c, v)), x(4, 3), AT)
        both_orders(lambda c, v: wave(P.RegularGridInterpolator(GRID, c)(v)), x(4, 3, 2), AT)
    else:
        make = P.RegularGridInterpolator
        both_orders(lambda c, v: wave(make(GRID, c, method="nearest")(v)), x(4, 3), AT)


def test_grids_in_other_ways():
    make = P.RegularGridInterpolator
    outside = np.array([[-0.3, 1.2], [1.9, 2.9], [0.8, 1.7]])
    both_orders(lambda c, v: wave(make(GRID, c, "linear", False, None)(v)), x(4, 3), outside)
    both_orders(
        lambda c, v: wave(make(GRID, c, bounds_error=False, fill_value=0.5)(v)), x(4, 3), outside
    )
    both_orders(lambda c, v: wave(P.interpn(GRID, c, v)), x(4, 3), AT[0])
    both_orders(lambda c, v: wave(P.interpn((KNOTS,), c, v)), x(5), PLACES)
    turned = (GRID[0][::-1], GRID[1])
    both_orders(lambda c, v: wave(make(turned, c)(v)), x(4, 3), AT)
    both_orders(lambda c, v: wave(make(GRID, c)(v)), x(4, 3), np.stack([AT, AT + 0.01]))
    assert check_gradient(
        lambda c, v: np.sum(np.abs(make(GRID, c)(v)) ** 2), x(4, 3) + 1j * x(4, 3), AT
    )
    made = make(GRID, x(4, 3))
    call = P.RegularGridInterpolator.__call__
    check_rule(call, made, AT, single=False, twice=False)
    assert check_gradient(lambda v: wave(made(v)), AT)
    for c in (x(4, 3), x(4, 3, 2)):
        for fill in (None, 0.5):
            own = make(GRID, c, bounds_error=False, fill_value=fill)
            assert check_gradient(lambda v, own=own: wave(own(v)), outside)


def test_what_is_refused_of_grids():
    with pytest.raises(Refused, match="knots"):
        gradient(lambda p: P.interpn((p, GRID[1]), np.ones((4, 3)), AT)[0], GRID[0])
    with pytest.raises(Refused, match="method"):
        gradient(lambda c: P.interpn(GRID, c, AT, method="pchip")[0], np.ones((4, 3)))
    with pytest.raises(Refused):
        gradient(
            lambda c: P.RegularGridInterpolator(GRID, c, method="slinear")(AT)[0], np.ones((4, 3))
        )
    with pytest.raises(Refused, match="np.stack"):
        gradient(lambda c: P.interpn(GRID, c, (0.3, 1.2))[0], np.ones((4, 3)))


def test_lists():
    made = P.RegularGridInterpolator
    assert check_gradient(lambda v: wave(made((KNOTS,), [1, 2, 3, 5, 4])(v)), PLACES)
    assert check_gradient(lambda c: wave(made(GRID, c)([[0.3, 1.2], [1.9, 2.4]])), x(4, 3))
    assert check_gradient(lambda a: wave(P.interpn(GRID, np.ones((4, 3)), [[a, 1.2]])), 0.3)
    assert check_gradient(lambda a: P.interpn((KNOTS,), [a, 2.0, a, 1.0, 0.5], PLACES)[0], 0.3)
