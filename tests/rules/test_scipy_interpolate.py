"""Rules of `rules/scipy/interpolate.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x

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


def test_what_is_refused():
    with pytest.raises(Refused, match="knots"):
        gradient(lambda k: P.CubicSpline(k, np.sin(KNOTS))(0.3), KNOTS)
    with pytest.raises(Refused):
        gradient(lambda y: P.CubicSpline(KNOTS, y, bc_type="periodic")(0.3), np.zeros(5))
    with pytest.raises(Refused):
        gradient(lambda y: P.PchipInterpolator(KNOTS, y)(0.3), np.sin(KNOTS))
    with pytest.raises(Refused):
        gradient(lambda y: P.CubicSpline(KNOTS, y).c[0, 0], np.sin(KNOTS))
