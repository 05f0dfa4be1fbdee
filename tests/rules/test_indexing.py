"""Types of `x[index]` and rules of the helpers that accumulate: `rules/indexing.py`."""

import operator

import numpy as np
import pytest

from zyg_interactive import runtime
from zyg_interactive.ir.core import Value
from zyg_interactive.ir.types import FLOAT, INT, UNKNOWN, Array, Dim, List, Tuple
from zyg_interactive.rules.registry import infer

from .checks import agrees, check_rule, pull, type_at, typed, x, z

MASK = np.array([True, False, True])
INDICES = [
    1,
    -1,
    (1, 2),
    (1, 2, 3),
    slice(1, None),
    slice(None, -1),
    slice(1, -1),
    slice(None, 2),
    slice(-2, None),
    slice(None, None, 2),
    slice(None, None, -1),
    (slice(None), 1),
    (slice(None), slice(1, None), 2),
    Ellipsis,
    (Ellipsis, 0),
    (0, Ellipsis),
    (0, Ellipsis, 1),
    None,
    (None, 1),
    (slice(None), None, 1),
    (Ellipsis, None),
    [0, 2, 2],
    [[0, 1], [2, 2]],
    np.array([0, 2]),
    np.array([[0, 1], [1, 2]]),
    (slice(None), [0, 1]),
    ([0, 1], slice(None), [1, 0]),
    (0, slice(None), [1, 0]),
    (slice(None), [0, 1], 1),
    (slice(None), 0, [1, 0]),
    ([[0], [1]], [0, 1]),
    (np.array([0, 1]), np.array([0, 1]), np.array([0, 1])),
    MASK,
    (MASK, 1),
    (slice(None), np.ones(4, bool)),
    (MASK, slice(None), 0),
    np.ones((3, 4), bool),
    (np.ones((3, 4), bool), [0] * 12),
    [True, False, True],
    (np.int64(1), slice(None)),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_type_of_an_indexed_array(index):
    a = x(3, 4, 5)
    t = infer(operator.getitem, (typed(a, {}, "atoms"), index), {})
    assert t != UNKNOWN and t.shape is not None
    agrees(t, a[index], {"n3": 3, "n4": 4, "n5": 5}, repr(index))


def test_equal_derivations_are_equal_sizes():
    a = Value("a", Array(np.dtype(float), (Dim("n", True),)))

    def size(index):
        return infer(operator.getitem, (a, index), {}).shape[0]

    assert size(slice(1, None)) == size(slice(None, -1))
    assert size(slice(2, None)) == size(slice(1, -1)) == size(slice(None, -2))
    assert size(slice(1, None)) != size(slice(2, None))
    once = Value("b", Array(np.dtype(float), (size(slice(1, None)),)))
    assert infer(operator.getitem, (once, slice(1, None)), {}).shape[0] == size(slice(2, None))


def test_run_time_indices():
    a = Value("a", Array(np.dtype(float), (Dim("n", True), Dim("m", True))))
    i, m = Value("i", INT), Value("m", Array(np.dtype(bool), (Dim("n", True),)))

    def shape(index):
        return infer(operator.getitem, (a, index), {}).shape

    assert shape(i) == (Dim("m", True),)
    assert shape((i, i)) == ()
    assert len(shape((slice(None), i))) == 1
    assert len(shape(slice(None, i))) == 2
    assert shape(m)[1] == Dim("m", True)
    assert shape(Value("u", UNKNOWN)) is None


def test_containers():
    def item(t, i):
        return infer(operator.getitem, (Value(None, t), i), {})

    pair = Tuple((FLOAT, INT))
    assert item(pair, 0) == FLOAT and item(pair, -1) == INT
    assert item(pair, slice(0, 1)) == Tuple((FLOAT,))
    assert item(pair, Value(None, INT)) == FLOAT
    assert item(List(FLOAT), Value(None, INT)) == FLOAT
    assert item(List(FLOAT), slice(1, None)) == List(FLOAT)
    assert item(List(FLOAT, (FLOAT, INT)), 1) == INT
    assert infer(operator.getitem, ({"a": 1.5}, "a"), {}) == FLOAT


def test_items_of_a_list_have_sizes_of_their_own():
    rows = Value(None, List(Array(np.dtype(float), (Dim("?7"), Dim("n", True)))))
    a, b = (infer(operator.getitem, (rows, i), {}) for i in (0, 1))
    assert a.shape[0] != b.shape[0] and a.shape[1] == b.shape[1]


@pytest.mark.parametrize("index", [1, slice(1, None), (0, 1), [0, 2, 2], MASK], ids=repr)
def test_add_at(index):
    a = x(3, 4)
    c, g = x(*a[index].shape), x(3, 4)
    y = runtime.add_at(a.copy(), index, c)
    _, (a_bar, index_bar, c_bar) = pull(runtime.add_at, (a, index, c), {}, y, g)
    np.testing.assert_array_equal(a_bar, g)
    np.testing.assert_array_equal(c_bar, g[index])
    assert index_bar is None


def test_helpers():
    check_rule(runtime.add, x(3), x(3))
    check_rule(runtime.add, x(2, 3), x(3))
    check_rule(runtime.unbroadcast, x(2, 3), x(3))
    check_rule(runtime.unbroadcast, x(2, 3), x(2, 1))
    check_rule(runtime.own, x(3))
    check_rule(runtime.scalar, x(1), single=False)
    check_rule(runtime.reverse, [x(3), x(3)])
    check_rule(runtime.match, z(2, 3), z(3))


def test_zeros():
    for v in (1, 1.5, 1j, x(3), np.arange(3), (1.5, x(2)), [x(2), 1]):
        zero = infer(runtime.zeros_like, (Value(None, type_at(v, {})),), {})
        agrees(zero, runtime.zeros_like(v), {"n2": 2, "n3": 3}, repr(v))
