"""Rules of `rules/polynomials.py`."""

import numpy as np

from .checks import check_rule, x, z


def test_values():
    check_rule(np.vander, x(4))
    check_rule(np.vander, z(4), N=[2, 3, 5], increasing=[False, True])
    check_rule(np.polyval, x(4), x(3))
    check_rule(np.polyval, z(4), z(2, 3))
    check_rule(np.polyval, x(4), 1.7, single=False)


def test_arithmetic():
    for fn in (np.polyadd, np.polysub, np.polymul):
        check_rule(fn, x(4), x(3))
        check_rule(fn, z(2), z(4))
    check_rule(np.polyder, x(5), m=[0, 1, 2])
    check_rule(np.polyint, x(5), m=[0, 1, 2])
    check_rule(np.polyint, x(3), k=1.5, types=False)


def test_roots():
    check_rule(np.poly, x(4))
    check_rule(np.poly, z(4))
    check_rule(np.poly, x(3, 3) + np.diag([1.0, 4.0, 9.0]), types=False, single=False)
    check_rule(np.roots, np.array([1.0, -6.0, 11.0, -6.2]), types=False)
    check_rule(np.roots, z(4))
    check_rule(np.roots, np.array([1.0, 0.3, 2.0]), types=False)


def test_fits():
    check_rule(np.polyfit, x(6), x(6), 2, single=False)
    check_rule(np.polyfit, x(6), x(6, 2), 1, single=False)
    check_rule(np.polyfit, x(6), x(6), 2, w=x(6, low=0.5), single=False, types=False)
    check_rule(np.polyfit, x(6), x(6, 2), 2, w=x(6, low=0.5), single=False, types=False)
