"""Rules of `rules/placing.py` and `rules/padding.py`."""

import numpy as np
import pytest

from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, x, z

MODES = ["edge", "wrap", "reflect", "symmetric", "mean", "maximum", "minimum", "median"]


def test_insert():
    for obj in (1, -1, [0, 2], [2, 0], slice(0, 2), [1, 1]):
        check_rule(np.insert, x(4), obj, x(2))
        check_rule(np.insert, x(4), obj, 0.7)
    check_rule(np.insert, x(2, 3), 1, x(2), axis=1)
    check_rule(np.insert, x(2, 3), 1, x(3), axis=0)
    check_rule(np.insert, x(2, 3), [0, 2], x(2, 2), axis=1)
    check_rule(np.insert, x(2, 3), [1], x(2, 2), axis=1)
    check_rule(np.insert, x(2, 3), 4, z(2)[0].real)
    check_rule(np.insert, z(3), 1, z(2))


def test_choose():
    index = np.array([0, 1, 0])
    check_rule(np.choose, index, [x(3), x(3)], compiled=False)
    check_rule(np.choose, index, [x(2, 3), 0.7], single=False, compiled=False)
    check_rule(np.choose, index, x(2, 3), compiled=False)
    check_rule(np.choose, index + 2, [x(3), x(3)], mode=["wrap", "clip"], compiled=False)


def test_moved():
    check_rule(np.resize, x(3), (2, 5))
    check_rule(np.resize, x(3, 2), 4)
    check_rule(np.diagflat, x(2, 2), k=[0, 1, -1])
    check_rule(np.extract, np.array([True, False, True]), x(3))
    check_rule(np.trim_zeros, x(4), trim=["fb", "f", "b"])
    windows = np.lib.stride_tricks.sliding_window_view
    check_rule(windows, x(5), 2)
    check_rule(windows, x(4, 5), (2, 3))
    check_rule(windows, x(4, 5), 2, axis=1)


def test_trimmed_zeros():
    a = np.array([0.0, 1.5, 0.0, 2.5, 0.0])
    for trim, kept in (("fb", [1, 2, 3]), ("f", [1, 2, 3, 4]), ("b", [0, 1, 2, 3])):
        g = x(len(kept))
        _, (bar,) = pull(np.trim_zeros, (a, trim), {}, np.trim_zeros(a, trim), g)
        np.testing.assert_array_equal(bar[kept], g)


def test_block():
    for arrays in (
        [x(2), x(3)],
        [[x(2, 2), x(2, 3)], [x(1, 2), x(1, 3)]],
        [[x(2, 2), z(2, 1)]],
        [x(2, 3, 4), x(2, 3, 1)],
    ):
        check_rule(np.block, arrays, single=False, compiled=False)


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="not in this NumPy")
def test_unstack():
    check_rule(np.unstack, x(3, 2), axis=[0, 1, -1], types=False, compiled=False)


def test_reduceat():
    for indices in ([0, 2], [3, 1, 4], [0, 0, 2]):
        for ufunc in (np.add, np.maximum, np.minimum):
            check_rule(ufunc.reduceat, x(5), indices)
            check_rule(ufunc.reduceat, x(5, 2), indices, axis=0)
            check_rule(ufunc.reduceat, x(2, 5), indices, axis=1)


def test_pad():
    for mode in MODES:
        check_rule(np.pad, x(4), 2, mode=mode)
        check_rule(np.pad, x(4, 5), ((1, 0), (2, 1)), mode=mode)
    for mode in ("mean", "maximum", "minimum", "median"):
        check_rule(np.pad, x(4, 5), 2, mode=mode, stat_length=2)
    for mode in ("reflect", "symmetric"):
        check_rule(np.pad, x(4, 5), 2, mode=mode, reflect_type="odd")
    check_rule(np.pad, x(4, 5), (1, 2), mode="linear_ramp")
    check_rule(np.pad, x(4), 2, constant_values=1.7, single=False, types=False)
    check_rule(np.pad, x(3, 2), 2, constant_values=x(2, 2), types=False)
    check_rule(np.pad, x(3, 2), 2, constant_values=x(2), types=False)
    check_rule(np.pad, z(3), 1, mode="mean")
    with pytest.raises(Refused, match="function"):
        pull(np.pad, (x(3), 1, lambda *_: None), {}, None, x(5))
