"""Rules of `rules/contractions.py`."""

import operator

import numpy as np
import pytest

from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, x, z

SHAPES = [
    ((4,), (4,)),
    ((3, 4), (4,)),
    ((4,), (4, 2)),
    ((3, 4), (4, 2)),
    ((2, 3, 4), (4,)),
    ((4,), (2, 4, 3)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((1, 4), (4, 1)),
]


@pytest.mark.parametrize("a, b", SHAPES)
def test_matmul(a, b):
    check_rule(np.matmul, x(*a), x(*b))
    check_rule(operator.matmul, z(*a), z(*b))
    check_rule(np.matmul, x(*a), z(*b), single=False)


def test_dot_and_kin():
    for a, b in (
        *SHAPES[:4],
        ((2, 3, 4), (4,)),
        ((2, 3, 4), (4, 5)),
        ((2, 4), (3, 4, 5)),
        ((4,), (3, 4, 5)),
    ):
        check_rule(np.dot, x(*a), z(*b), single=False)
        check_rule(np.dot, x(*a), x(*b))
    check_rule(np.dot, 1.5, x(3), single=False)
    check_rule(np.dot, x(3, 2), 1.5, single=False)
    for a, b in (((4,), (4,)), ((3, 4), (4,)), ((3, 4), (2, 4)), ((2, 3, 4), (5, 4))):
        check_rule(np.inner, z(*a), z(*b))
    check_rule(np.vdot, z(4), z(4))
    check_rule(np.vdot, x(2, 3), z(3, 2), single=False)
    check_rule(np.vdot, x(4), x(4))
    check_rule(np.outer, z(3), z(2))
    check_rule(np.outer, x(2, 2), x(3))
    check_rule(np.cross, x(3), x(3))
    check_rule(np.cross, x(5, 3), x(3))
    check_rule(np.cross, x(3, 4), x(3, 4), axis=0)


def test_tensordot():
    check_rule(np.tensordot, z(2, 3, 4), z(3, 4, 5))
    check_rule(np.tensordot, x(2, 3), x(4, 5), axes=0)
    check_rule(np.tensordot, x(2, 3, 4), x(4, 3), axes=[(2, 0), ((1, 2), (1, 0)), ([2, 1], [0, 1])])
    check_rule(np.tensordot, x(2, 3, 4), x(5, 4, 2), axes=[((0, -1), (2, 1)), ((2, 0), (1, 2))])
    check_rule(np.tensordot, x(3, 4), x(3, 4))


def test_kron():
    for a, b in (
        ((3,), (2,)),
        ((2, 3), (4, 5)),
        ((2, 3), (4,)),
        ((3,), (2, 4)),
        ((2, 2, 3), (3, 2)),
    ):
        check_rule(np.kron, z(*a), z(*b))


@pytest.mark.parametrize(
    "subscripts, shapes",
    [
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("ii->", [(3, 3)]),
        ("iij->ji", [(3, 3, 2)]),
        ("iii->i", [(3, 3, 3)]),
        ("ij->i", [(3, 4)]),
        ("ij->", [(3, 4)]),
        ("ij->ji", [(3, 4)]),
        ("i,j->ij", [(3,), (2,)]),
        ("i,i", [(3,), (3,)]),
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ij,ij->", [(3, 4), (3, 4)]),
        ("ij,k->k", [(3, 4), (2,)]),
        ("i,ij,j->", [(3,), (3, 4), (4,)]),
        ("ii,ij->j", [(3, 3), (3, 4)]),
        ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
        ("...ij,...jk->...ik", [(2, 3, 4), (4, 5)]),
        ("...i->...", [(2, 3, 4)]),
        ("i...,i...", [(3, 2), (3, 2)]),
        ("i,i->i", [(1,), (3,)]),
    ],
)
def test_einsum(subscripts, shapes):
    check_rule(np.einsum, subscripts, *(x(*s) for s in shapes))
    check_rule(np.einsum, subscripts, *(z(*s) for s in shapes), optimize=[False, True])


def test_einsum_of_lists():
    check_rule(np.einsum, x(2, 3), [0, 1], [1, 0])
    check_rule(np.einsum, x(2, 3), [0, 1], x(3, 4), [1, 2], [0, 2])
    check_rule(np.einsum, x(2, 3), [0, 1], x(3), [1])
    check_rule(np.einsum, x(2, 3, 4), [Ellipsis, 1], [Ellipsis], compiled=False)


def test_einsum_of_lists_that_only_the_run_knows_is_refused():
    a = x(2, 3)
    with pytest.raises(Refused, match="ZYG302"):
        pull(np.einsum, (a, a), {}, a.T, a.T)


def test_einsum_broadcasts():
    check_rule(np.einsum, "ij,kj->ik", x(3, 1), x(2, 4))
    check_rule(np.einsum, "ij,kj->ik", x(3, 4), x(2, 1))
    check_rule(np.einsum, "ij,ij->", x(1, 4), x(3, 1))


def test_forms_of_the_array_api():
    LA = np.linalg
    check_rule(LA.matmul, z(2, 3), z(3, 2))
    check_rule(LA.tensordot, x(2, 3, 4), x(3, 4, 2))
    check_rule(LA.outer, x(3), x(2))
    check_rule(LA.cross, x(2, 3), x(2, 3))
    for fn in (np.vecdot, LA.vecdot):
        check_rule(fn, z(2, 3), z(2, 3))
        check_rule(fn, x(2, 3), x(3))
        check_rule(fn, z(3, 2), z(3, 2), axis=[0, 1], types=False)
        check_rule(fn, x(3), x(3, 3), axis=0, types=False)
    if hasattr(np, "matvec"):
        check_rule(np.matvec, z(4, 3), z(3))
        check_rule(np.matvec, x(2, 4, 3), x(3))
        check_rule(np.vecmat, z(3), z(3, 4))
        check_rule(np.vecmat, x(2, 3), x(3, 4))


def test_cross_along_other_axes():
    check_rule(np.cross, x(3, 4), x(4, 3), axisa=0, types=False)
    check_rule(np.cross, z(3, 4), z(3, 4), axisa=0, axisb=0, axisc=0, types=False)
    check_rule(np.cross, x(3, 5, 2), x(3, 2), axisa=0, axisb=0, types=False)
