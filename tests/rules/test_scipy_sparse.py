"""Rules of `rules/scipy/sparse.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient
from zyg_interactive.diagnostics import Refused

from .checks import x

SP = pytest.importorskip("scipy.sparse")
solvers = pytest.importorskip("scipy.sparse.linalg")
DENSE = np.where(x(4, 4) > 0, x(4, 4), 0.0) + 3 * np.eye(4)
matrix = SP.csr_array(DENSE)


@pytest.mark.parametrize("make", [SP.csr_array, SP.csc_array, SP.coo_array, SP.csr_matrix])
def test_products(make):
    wide = make(DENSE[:3])
    for shape in ((4,), (4, 2)):
        assert check_gradient(lambda v: np.sum(np.sin(wide @ v)), x(*shape))
        assert check_gradient(lambda v: np.sum(np.sin(wide.dot(v))), x(*shape))

    def slope(v):
        return np.sum(gradient(lambda v: np.sum(np.sin(wide @ v)), v)[0] ** 2)

    assert check_gradient(slope, x(4))
    found = gradient(lambda a, v: np.sum(a @ v), wide, np.ones(4), wrt=1)
    np.testing.assert_allclose(found, DENSE[:3].sum(0))


def test_systems():
    solve = solvers.spsolve
    for shape in ((4,), (4, 2)):
        assert check_gradient(lambda b: np.sum(np.sin(solve(matrix, b))), x(*shape))

    def slope(b):
        return np.sum(gradient(lambda b: np.sum(np.sin(solve(matrix, b))), b)[0] ** 2)

    assert check_gradient(slope, x(4))


def test_what_is_refused():
    with pytest.raises(Refused):
        gradient(lambda d: np.sum(SP.diags_array(d) @ np.ones(3)), np.ones(3))
    with pytest.raises(Refused, match="__rmatmul__"):
        gradient(lambda v: np.sum(v @ matrix), np.ones(4))
