"""Rules of `rules/shaping.py` and `rules/sequences.py`, types of `rules/shapes.py`."""

import numpy as np
import pytest

from zyg_interactive import runtime

from .checks import check_rule, x, z


def test_same_elements():
    check_rule(np.reshape, x(3, 4), (6, 2), order=["C", "F"])
    check_rule(np.reshape, x(3, 4), [(2, -1), -1, (3, 4), (4, 3, 1)][1])
    for shape in ((2, -1), (3, -1), (-1,), (12,), (4, 3, 1)):
        check_rule(np.reshape, x(3, 4), shape)
    check_rule(np.ravel, x(2, 3), order=["C", "F"])
    check_rule(np.ravel, x(3))
    check_rule(runtime.flatten, x(2, 3), order=["C", "F"])
    check_rule(np.squeeze, x(1, 3, 1), axis=[None, 0, -1, (0, 2)])
    check_rule(np.expand_dims, x(3, 2), 1)
    check_rule(np.expand_dims, x(3, 2), (0, -1))
    for fn in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        for shape in ((), (3,), (3, 2), (2, 3, 4)):
            check_rule(fn, x(*shape))
    check_rule(np.copy, x(3))
    check_rule(runtime.copy, x(3))
    check_rule(runtime.item, x(1))
    check_rule(runtime.item, x(3, 2), 1, 0)
    check_rule(runtime.astype, x(3), np.float64)
    check_rule(runtime.astype, x(3), complex, single=False)


def test_axes():
    check_rule(np.transpose, x(2, 3, 4), axes=[None, (1, 2, 0), (-1, 0, 1)])
    check_rule(np.swapaxes, x(2, 3, 4), 0, -1)
    check_rule(np.moveaxis, x(2, 3, 4), 0, 2)
    check_rule(np.moveaxis, x(2, 3, 4), (0, 1), (-1, 0))
    for axis in range(3):
        for start in range(4):
            check_rule(np.rollaxis, x(2, 3, 4), axis, start)
    check_rule(np.matrix_transpose, x(2, 3, 4))


def test_turned():
    check_rule(np.flip, x(3, 4), axis=[None, 0, -1, (0, 1)])
    check_rule(np.fliplr, x(3, 4))
    check_rule(np.flipud, x(3, 4))
    check_rule(np.roll, x(3, 4), 2, axis=[None, 0, 1])
    check_rule(np.roll, x(3, 4), (1, 2), axis=[(0, 1)])
    check_rule(np.rot90, x(3, 4), k=[0, 1, 2, 3])
    check_rule(np.rot90, x(2, 3, 4), axes=[(0, 1), (2, 1)])


def test_repeated():
    check_rule(np.broadcast_to, x(3), (2, 3))
    check_rule(np.broadcast_to, x(2, 1), (2, 3))
    check_rule(np.broadcast_arrays, x(3), x(2, 1))
    for reps in (2, (2,), (2, 3), (2, 1, 3)):
        check_rule(np.tile, x(2, 3), reps)
    check_rule(np.tile, x(3), 4)
    check_rule(np.repeat, x(3, 2), 2, axis=[None, 0, 1])
    check_rule(np.repeat, x(3), [1, 0, 3])
    check_rule(np.repeat, x(2, 3), [1, 0, 3], axis=1)
    check_rule(np.meshgrid, x(3), x(2), indexing=["xy", "ij"], sparse=[False, True])
    check_rule(np.meshgrid, x(3), x(2), x(4), indexing=["xy", "ij"])


@pytest.mark.parametrize("k", [-1, 0, 1])
def test_cut(k):
    for fn in (np.triu, np.tril):
        check_rule(fn, x(3, 4), k)
        check_rule(fn, x(2, 3, 3), k)
        check_rule(fn, x(3), k)
    for shape in ((4,), (3, 4), (4, 3), (3, 3)):
        check_rule(np.diag, x(*shape), k)
    check_rule(np.diagonal, x(2, 3, 4), k, axis1=[0, 1], axis2=[2, -1])
    check_rule(np.trace, x(2, 3, 4), k, axis1=[0, 1], axis2=[2, -1])
    check_rule(np.trace, x(3, 3), k)
    check_rule(runtime.diagonal_like, x(2), x(3, 3), 1)


@pytest.mark.parametrize("mode", ["constant", "edge", "wrap", "reflect", "symmetric"])
def test_pad(mode):
    for width in (1, (2, 1), ((1, 2), (0, 3)), ((1, 1),)):
        check_rule(np.pad, x(4, 5), width, mode=mode)
    check_rule(np.pad, x(4), (0, 2), mode=mode)


def test_chosen():
    check_rule(np.take, x(5), [0, 3, 3])
    check_rule(np.take, x(3, 4), np.array([[0, 1], [1, 1]]), axis=[None, 0, 1, -1])
    check_rule(np.take, x(3, 4), 1, axis=[None, 0, 1])
    check_rule(np.take_along_axis, x(3, 4), np.array([[0, 1, 1, 2]]), axis=[0])
    check_rule(np.take_along_axis, x(3, 4), np.array([[0], [3], [3]]), axis=[-1])
    check_rule(runtime.add_along_axis, x(1, 4), x(3, 4), np.array([[0, 1, 1, 2]]), 0)
    check_rule(np.sort, x(3, 4), axis=[None, 0, 1, -1])
    check_rule(np.delete, x(5), 2)
    check_rule(np.delete, x(3, 4), [0, 2], axis=[None, 0, 1])
    check_rule(np.compress, [True, False, True], x(3, 4), axis=[None, 0])
    a = x(4)
    check_rule(np.select, [a > 0, a > -1], [x(4), x(4)], types=False, compiled=False)
    check_rule(np.select, [a > 0, a > -1], [x(4), x(4)], x(4), types=False, compiled=False)
    check_rule(np.unwrap, x(5))


def test_filled():
    check_rule(np.full, (2, 3), 1.5)
    check_rule(np.full, (2, 3), x(3))
    check_rule(np.full_like, x(2, 3), 1.5)
    check_rule(np.linspace, 1.0, 2.5, 5, endpoint=[True, False])
    check_rule(np.linspace, x(3), 2.5, 5, axis=[0, 1])


@pytest.mark.parametrize("make", [list, tuple])
def test_joined(make):
    a, b, c = x(3, 2), x(3, 2), x(3, 2)
    for axis in (None, 0, 1, -1):
        check_rule(np.concatenate, make([a, b, c]), axis=axis)
        check_rule(np.append, a, b, axis=axis)
    check_rule(np.concatenate, make([x(2, 3), x(4, 3)]))
    check_rule(np.concatenate, make([x(3, 2), x(3, 5)]), axis=1)
    for axis in (0, 1, 2, -1):
        check_rule(np.stack, make([a, b, c]), axis=axis)
    for fn in (np.hstack, np.vstack, np.dstack, np.column_stack):
        check_rule(fn, make([a, b]))
        check_rule(fn, make([x(3), x(3)]))
    check_rule(np.hstack, make([x(3), x(2)]))
    check_rule(np.hstack, make([1.5, 2.5]), single=False)
    check_rule(np.vstack, make([x(3), x(2, 3)]))
    check_rule(np.column_stack, make([x(3), x(3, 2)]))
    check_rule(np.dstack, make([x(2, 3, 1), x(2, 3)]))


@pytest.mark.parametrize("fn", [np.concatenate, np.hstack, np.vstack, np.dstack, np.column_stack])
def test_joined_rows_of_an_array(fn):
    check_rule(fn, x(2, 3, 4))
    if fn is not np.concatenate:
        check_rule(fn, x(2, 3))
    check_rule(np.concatenate, x(2, 3, 4), axis=[None, 1, -1])
    check_rule(np.stack, x(2, 3, 4), axis=[0, 1, -1])


def test_arrays():
    for fn in (np.array, np.asarray):
        check_rule(fn, [[1.5, 2.0], [0.5, 3.0]], single=False)
        check_rule(fn, [x(3), x(3)])
        check_rule(fn, x(3, 2))
        check_rule(fn, 1.5)
        check_rule(fn, ((1.5, 2), [0.5, 1j]), single=False)
    check_rule(np.array, x(3), dtype=[None, np.float64, complex], single=False)
    check_rule(np.ascontiguousarray, x(3, 2))
    check_rule(np.ascontiguousarray, 1.5)


def test_split():
    for at in (2, [1, 3], (2,)):
        check_rule(np.split, x(4, 6), at)
        check_rule(np.split, x(4, 6), at, axis=1)
        check_rule(np.array_split, x(5, 6), at)
    check_rule(np.hsplit, x(4, 6), 2)
    check_rule(np.hsplit, x(4), 2)
    check_rule(np.vsplit, x(4, 6), [1])


def test_helpers():
    for axis in (0, 1, None):
        check_rule(
            runtime.split_like, np.concatenate([x(3, 2), x(3, 2)], axis), [x(3, 2), x(3, 2)], axis
        )
        check_rule(runtime.join_like, [x(3, 2), x(3, 2)], [x(3, 2), x(3, 2)], axis, types=False)
    check_rule(runtime.restructure, x(2, 3), [x(3), x(3)])
    check_rule(runtime.assemble, [x(3), x(3)], [x(3), x(3)], types=False)
    check_rule(np.stack, [z(3), z(3)])
