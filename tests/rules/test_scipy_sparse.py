"""Rules of `rules/scipy/sparse.py` and `rules/scipy/entries.py`."""

import numpy as np
import pytest

from zyg_interactive import (
    Params,
    check_gradient,
    explain,
    gradient,
    hessian,
    pullback,
    trace,
    withgradient,
)
from zyg_interactive.diagnostics import Refused

from .checks import x

SP = pytest.importorskip("scipy.sparse")
solvers = pytest.importorskip("scipy.sparse.linalg")
DENSE = np.where(x(4, 4) > 0, x(4, 4), 0.0) + 3 * np.eye(4)
matrix = SP.csr_array(DENSE)
old_matrix = SP.csr_matrix(DENSE)
ROWS, COLUMNS = np.array([0, 1, 2, 3, 0, 0]), np.array([0, 1, 2, 3, 1, 1])  # one place twice
SOME, MASK = np.array([0, 2, 3]), np.array([True, False, True, True])
PLACES, ENDS = np.array([1, 2, 3, 0]), np.arange(5)
weights = np.array([0.3, -0.7, 0.4, 1.1])


def made(v, kind=SP.csr_array):
    return kind((np.concatenate((v + 3.0, v[:2])), (ROWS, COLUMNS)), shape=(4, 4))


def shifted(v):
    return SP.csr_array((v, PLACES, ENDS), shape=(4, 4))


def good(f, *args):
    """The gradient, and that of a product with it, against differences."""
    args = args or (x(4),)
    assert check_gradient(f, *args)

    def slope(*at):
        return sum(np.sum(np.abs(g) ** 2) for g in gradient(f, *at) if g is not None)

    assert check_gradient(slope, *args)


@pytest.mark.parametrize("make", [SP.csr_array, SP.csc_array, SP.coo_array, SP.csr_matrix])
def test_products(make):
    wide = make(DENSE[:3])
    for shape in ((4,), (4, 2)):
        good(lambda v: np.sum(np.sin(wide @ v)), x(*shape))
        good(lambda v: np.sum(np.sin(wide.dot(v))), x(*shape))
    for shape in ((3,), (2, 3)):
        good(lambda v: np.sum(np.sin(v @ wide)), x(*shape))
    found = gradient(lambda a, v: np.sum(a @ v), wide, np.ones(4), wrt=1)
    np.testing.assert_allclose(found, DENSE[:3].sum(0))


def test_systems():
    for shape in ((4,), (4, 2), (4, 1)):
        good(lambda b: np.sum(np.sin(solvers.spsolve(matrix, b))), x(*shape))


MAKERS = {
    "coordinates": lambda v: made(v) @ v,
    "by column": lambda v: made(v, SP.csc_array) @ v,
    "coo": lambda v: made(v, SP.coo_array) @ v,
    "matrix": lambda v: made(v, SP.csr_matrix) @ v,
    "compressed": lambda v: shifted(v) @ v,
    "compressed by column": lambda v: SP.csc_array((v, PLACES, ENDS), shape=(4, 4)) @ v,
    "of another one": lambda v: SP.csr_array(made(v, SP.coo_array)) @ v,
    "one diagonal": lambda v: SP.diags_array(v) @ v,
    "diagonals": lambda v: SP.diags([v, v[:3] ** 2, v[1]], [0, 1, -1], shape=(4, 4)) @ v,
    "wide": lambda v: SP.diags_array([v, v**2], offsets=[0, 2], shape=(4, 6)) @ np.ones(6),
    "numbers": lambda v: SP.diags_array([v[0], v[1], v[2] * v[3], 1.0]) @ v,
    "lists": lambda v: SP.csr_array(([v[0], v[1] ** 2], ([0, 1], [2, 2])), shape=(4, 4)) @ v,
    "in a format": lambda v: SP.diags_array(v, format="csc") @ v,
}


@pytest.mark.parametrize("name", MAKERS)
def test_made_of_entries(name):
    good(lambda v: np.sum(np.sin(MAKERS[name](v))))


CHANGED = {
    "sum": lambda v: (made(v) + matrix) @ v,
    "difference": lambda v: (matrix - made(v).T) @ v,
    "scaled": lambda v: (2.0 * made(v) * v[0] / v[1]) @ v,
    "negative": lambda v: -made(v) @ v,
    "product": lambda v: made(v) @ made(v).T @ matrix @ v,
    "diagonal from both sides": lambda v: (SP.diags_array(v) @ matrix @ SP.diags_array(v)) @ v,
    "matrices": lambda v: made(v, SP.csr_matrix) * (old_matrix * made(v, SP.csr_matrix)) * v,
    "matrix and number": lambda v: (made(v, SP.csr_matrix) * v[0] + v[1] * old_matrix) @ v,
    "from the left": lambda v: v @ made(v),
    "rows from the left": lambda v: np.outer(v, v) @ made(v),
    "columns": lambda v: made(v) @ np.outer(v, v),
    "entry by entry": lambda v: made(v).multiply(matrix) @ v,
    "filled": lambda v: np.sin(made(v).toarray()),
    "with an array": lambda v: made(v) + np.outer(v, v),
    "from an array": lambda v: np.outer(v, v) - made(v),
    "diagonal": lambda v: made(v).diagonal() ** 2,
    "upper diagonal": lambda v: made(v).diagonal(1) ** 2,
    "all": lambda v: made(v).sum() ** 2,
    "sums of columns": lambda v: made(v).sum(axis=0) ** 2,
    "sums of rows": lambda v: made(v).sum(axis=1) ** 2,
    "converted": lambda v: made(v).tocoo().tocsc().asformat("csr").copy() @ v,
    "entries": lambda v: made(v)[0, 1] * v[0] + made(v)[-1, 3] ** 2,
    "rows": lambda v: made(v)[1:3] @ v,
    "chosen": lambda v: made(v)[SOME, :][:, SOME] @ v[SOME],
    "masked": lambda v: made(v)[MASK][:, MASK] @ v[MASK],
    "crossed": lambda v: made(v)[np.ix_(SOME, SOME)] @ v[SOME],
    "sum of a list": lambda v: sum([made(v), matrix, shifted(v)]) @ v,
    "asked": lambda v: made(v) @ np.ones(made(v).shape[0]) * made(v).nnz,
}


@pytest.mark.parametrize("name", CHANGED)
def test_made_of_others(name):
    good(lambda v: np.sum(np.sin(CHANGED[name](v))))


def test_complex():
    def of_entries(v):
        a = SP.csr_array((v + 1j * v**2, PLACES, ENDS))
        return np.sum(np.abs(a.conj() @ (v + 1j)) ** 2)

    def of_a_system(v):
        entries = np.concatenate((v + 3.0, v[:2])) * (1 + 0.2j)
        a = SP.csc_array((entries, (ROWS, COLUMNS)), shape=(4, 4))
        return np.sum(np.abs(solvers.spsolve(a, v + 1j * v**2)) ** 2)

    def of_a_factorisation(v):
        entries = np.concatenate((v + 3.0, v[:2])) * (1 + 0.2j)
        lu = solvers.splu(SP.csc_array((entries, (ROWS, COLUMNS)), shape=(4, 4)))
        return np.sum(np.abs(lu.solve(v + 1j, "H") + lu.solve(v + 0j)) ** 2)

    for f in (of_entries, of_a_system, of_a_factorisation):
        good(f)


def test_systems_in_their_entries():
    good(lambda v: np.sum(solvers.spsolve(made(v, SP.csc_matrix), v) ** 2))
    good(lambda v: np.sum(solvers.spsolve(made(v).T.tocsc(), np.outer(v, v)) ** 2))

    def stepped(v):
        inverse = solvers.splu(SP.eye(4, format="csc") - 0.1 * made(v, SP.csc_matrix))
        u = v
        for _ in range(3):
            u = inverse.solve(u)
        return u @ u

    good(stepped)

    def assembled(v):
        rows, columns, entries = [], [], []
        for k in range(4):
            rows.append(k)
            columns.append(k)
            entries.append(v[k] ** 2 + 1.0)
            if k:
                rows.append(k)
                columns.append(k - 1)
                entries.append(-v[k])
        a = SP.csc_matrix((entries, (rows, columns)), shape=(4, 4))
        return np.sum(solvers.spsolve(a, np.ones(4)) ** 2)

    good(assembled)


def test_entries_that_are_zero_today_have_a_derivative():
    """SciPy drops them, as it adds matrices and as it converts diagonals."""
    zero, ones, unit = np.zeros(4), np.ones(4), SP.eye_array(4, format="csr")
    for f, at in (
        (lambda v: np.sum(SP.diags_array(v).tocsr() @ ones), zero),
        (lambda v: np.sum((unit - SP.csr_array(SP.diags_array(v))) @ ones), ones),
        (lambda v: np.sum(shifted(v) @ ones), zero),
        (lambda v: np.sum((shifted(v) - shifted(ones)) @ ones), ones),
    ):
        np.testing.assert_allclose(np.abs(gradient(f, at)[0]), np.ones(4))


def test_kept_in_structures():
    class Model:
        def __init__(self, v):
            self.a = made(v)

        def step(self, u):
            return self.a @ u / 5 + np.sin(u)

    def of_an_object(v):
        model, u = Model(v), v
        for _ in range(3):
            u = model.step(u)
        return u @ u

    def of_a_list(v):
        every = []
        for k in range(3):
            every.append(shifted(v * k))
        return sum(np.sum(a @ v) for a in every)

    def of_either(v):
        a = shifted(v) if v[0] > 0 else matrix
        return np.sum(a @ v)

    def summed(v):
        a = matrix
        for k in range(3):
            a = a + shifted(v) * k
        a += matrix
        return np.sum((a @ v) ** 2)

    for f in (of_an_object, of_a_list, of_either, summed):
        good(f)
    good(of_either, -x(4))


def test_a_matrix_that_is_given():
    """Its gradient is a matrix, with entries where it has some."""

    def loss(a, v):
        return np.sum(np.sin(a @ v) ** 2)

    value, (by_a, by_v) = withgradient(loss, matrix, weights)
    dense_a, dense_v = gradient(loss, DENSE, weights)
    assert value == loss(matrix, weights)
    assert isinstance(by_a, SP.csr_array)
    np.testing.assert_allclose(by_a.toarray(), np.where(DENSE != 0, dense_a, 0.0))
    np.testing.assert_allclose(by_v, dense_v)
    (inside,) = gradient(lambda d: loss(d["a"], d["v"]), {"a": old_matrix, "v": weights})
    assert isinstance(inside["a"], SP.csr_matrix)
    np.testing.assert_allclose(inside["a"].toarray(), by_a.toarray())
    for _ in range(3):  # the same call again
        (again,) = gradient(lambda a: loss(a, weights), matrix)
        assert isinstance(again, SP.csr_array)
    y, back = pullback(lambda a: a @ weights, matrix)
    filled = np.outer(weights, weights)
    np.testing.assert_allclose(back(weights)[0].toarray(), np.where(DENSE != 0, filled, 0.0))
    assert gradient(lambda a: np.sum(weights), matrix) == (None,)


def test_params_beside_a_matrix():
    found = gradient(lambda: np.sum(matrix @ weights), Params([weights]))
    np.testing.assert_allclose(found[weights], DENSE.sum(0))


def test_precision():
    v = x(4).astype(np.float32)
    assert gradient(lambda v: np.sum(shifted(v) @ v), v)[0].dtype == np.float32


def test_newton():
    found = hessian(lambda v: np.sum(solvers.spsolve(made(v).tocsc(), weights) ** 2), x(4))
    np.testing.assert_allclose(found, found.T, atol=1e-12)


def refused(f, message, at=None):
    with pytest.raises(Refused, match=message):
        gradient(f, x(4) if at is None else at)


def test_changes_are_refused():
    def alias(v):
        a = shifted(v)
        b = a
        a *= 2.0
        return np.sum(b @ v)

    def late_alias(v):
        every = [shifted(v)]
        every.append(1)
        a = every[0]
        a *= 2.0
        return np.sum(every[0] @ v)

    def entry(v):
        a = matrix.copy()
        a[0, 1] = v[0]
        return np.sum(a @ v)

    def data(v):
        a = matrix.copy()
        a.data[:4] = v
        return np.sum(a @ v)

    def replaced(v):
        a = shifted(v)
        a.data = v**2
        return np.sum(a @ v)

    def diagonal(v):
        a = shifted(v)
        a.setdiag(1.0)
        return np.sum(a @ v)

    def shared(v):
        entries = v.copy()
        a = SP.csr_array((entries, PLACES, ENDS), shape=(4, 4))
        entries[0] = 7.0 * v[1]
        return np.sum(a @ v)

    def shared_late(v):
        every = [v.copy()]
        every.append(1)
        a = SP.coo_array((every[0], (SOME, SOME)), shape=(4, 4))
        every[0][1] = 3.0 * v[0]
        return np.sum(a @ v)

    for f in (alias, late_alias):
        refused(f, "in place")
    for f in (entry, data, replaced, diagonal):
        refused(f, "ZYG103")
    refused(shared, "copy=True")
    refused(shared_late, "copy=True", x(3))

    def copied(v):
        entries = v.copy()
        a = SP.csr_array((entries, PLACES, ENDS), shape=(4, 4), copy=True)
        entries[0] = 7.0 * v[1]
        return np.sum(a @ entries)

    assert check_gradient(copied, x(4))


def test_what_is_refused():
    refused(lambda v: np.sum(SP.csr_array(np.outer(v, v)) @ v), "give the entries")
    refused(lambda v: np.sum(shifted(v) ** 2), "call its method")
    refused(lambda v: np.sum(shifted(v)), "call its method")
    refused(lambda v: np.sum(abs(shifted(v)) @ v), "__abs__")
    refused(lambda v: np.sum(shifted(v)[0] @ v), "entries")
    refused(lambda v: shifted(v).data.sum(), "ZYG202")
    refused(lambda v: np.sum(shifted(v) * v), "entry by entry")


def test_generated_code_reads_like_a_hand_written_one():
    def f(v):
        a = shifted(v)
        return np.sum((2.0 * a @ matrix - a.T.tocsr()) @ v)

    code = str(explain(f, x(4)))
    for written in ("2.0 * a", " @ ", " - a.T.tocsr()"):
        assert written in code
    assert "__" not in code


def test_the_sensitivity_of_a_matrix_is_that_of_its_entries():
    def f(v):
        a = shifted(v)
        return np.sum(np.sin(a @ weights))

    at = x(4)
    found = trace(f, at).variables()["a"]
    np.testing.assert_allclose(found, np.linalg.norm(gradient(f, at)[0]))
