"""Rules of `rules/factors.py` and `rules/systems.py`."""

import numpy as np
import pytest

from zyg_interactive.diagnostics import Refused

from .checks import check_rule, pull, x, z

LA = np.linalg


def apart(*shape):
    """Matrices with eigenvalues far from each other."""
    return x(*shape) + np.diag(4.0 ** np.arange(shape[-1]))


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (2, 4, 3), (2, 3, 4)])
def test_qr(shape):
    check_rule(LA.qr, x(*shape))
    check_rule(LA.qr, z(*shape))
    check_rule(LA.qr, x(*shape), mode="r")


def test_whole_qr():
    check_rule(LA.qr, x(3, 3), mode="complete")
    a = x(4, 3)
    y = LA.qr(a, mode="complete")
    with pytest.raises(Refused, match="mode='reduced'"):
        pull(LA.qr, (a, "complete"), {}, y, y)
    _, (bar,) = pull(LA.qr, (a, "complete"), {}, y, (None, y[1]))
    np.testing.assert_allclose(bar, pull(LA.qr, (a,), {}, LA.qr(a), (None, LA.qr(a)[1]))[1][0])


def test_eigenvalues():
    check_rule(LA.eigvals, apart(3, 3), types=False)
    check_rule(LA.eigvals, z(3, 3) + apart(3, 3))
    check_rule(LA.eig, z(3, 3) + apart(3, 3))
    check_rule(LA.eig, apart(3, 3), types=False, single=False)
    turning = np.array([[1.0, -2.0, 0.3], [2.0, 1.0, 0.1], [0.2, 0.4, 5.0]])
    check_rule(LA.eig, turning, types=False, single=False)
    check_rule(LA.eigvals, turning, types=False)
    check_rule(LA.eigvals, z(2, 3, 3) + apart(3, 3))


def test_least_squares():
    for m, n in ((5, 3), (3, 5), (3, 3)):
        for b in ((m,), (m, 2)):
            check_rule(LA.lstsq, x(m, n), x(*b), rcond=None, types=False, single=False)
            check_rule(LA.lstsq, z(m, n), z(*b), rcond=None, types=False, single=False)
    a, b = x(4, 3), x(4)
    for fn, args in ((LA.lstsq, (a, b)), (LA.pinv, (a,))):
        with pytest.raises(Refused, match="limit"):
            pull(fn, args, {"rcond": 1e-3}, fn(*args), fn(*args))


def test_singular_values():
    for shape in ((4, 3), (3, 4), (2, 3, 3)):
        check_rule(LA.svdvals, x(*shape), types=False)
        check_rule(LA.svdvals, z(*shape), types=False)


def test_products_and_tensors():
    check_rule(LA.multi_dot, [x(2, 3), x(3, 4), x(4, 2)])
    check_rule(LA.multi_dot, [z(3), z(3, 4), z(4)])
    check_rule(LA.multi_dot, [x(3, 4), x(4)])
    a = np.eye(6).reshape(2, 3, 6) + 0.2 * x(2, 3, 6)
    check_rule(LA.tensorsolve, a, x(2, 3))
    b = np.moveaxis(a, 2, 0)
    check_rule(LA.tensorsolve, b, x(2, 3), axes=(0,), types=False)
    check_rule(LA.tensorinv, a)
    check_rule(LA.tensorinv, b + 0j, ind=1)


def test_condition():
    spread = np.array([[3.0, 0, 0], [0, 2.0, 0], [0, 0, 1.2]])
    check_rule(LA.cond, x(3, 3) / 3 + spread, p=[None, 2, -2, 1, -1, np.inf, "fro"])
    check_rule(LA.cond, x(4, 3) / 3 + np.eye(4, 3) * [3.0, 2.0, 1.2])
    check_rule(LA.cond, z(2, 3, 3) / 3 + spread, p=[2, "fro", 1])
