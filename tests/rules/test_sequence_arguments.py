"""Lists and tuples of numbers in the place of arrays."""

import pytest
from helpers import check, define

LISTS = [
    *("np.sum(l)", "np.mean(l)", "np.dot(l, l)", "np.sum(np.exp(l))", "np.linalg.norm(l)"),
    *("np.max(l)", "np.sum(np.cumsum(l))", "np.sum(a + l)", "np.sum(l - a)", "a @ l", "l @ a"),
    *("np.prod(l)", "np.sum(np.outer(l, l))", "np.sum(np.where(a > 0, l, 2.0))", "np.trapezoid(l)"),
    *("np.sum(np.multiply(l, 3.0))", "np.interp(x, [0.0, 1.0, 2.0], l[:3])", "np.sum(np.diff(l))"),
    *("np.sum(np.concatenate([l, [x], a]))", "np.sum(np.stack([l, l]) ** 2)", "a.dot(l)"),
    *("np.sum(np.linalg.solve(np.eye(len(l)), l))", "np.cross(l[:3], l[:3][::-1])[0]"),
    *("np.sum(np.tile(l, 2))", "np.sum(np.roll(l, 1) * l)", "np.max([l, l])", "np.std(l)"),
    *("np.sum(np.hstack((l, l)))", "np.sum(np.maximum(l, 0.3))", "np.dot((x, x), l[:2])"),
    *("np.einsum('i,i', l, l)", "np.sum(np.reshape(l, (-1, 1)))", "np.sum(a.reshape((len(l), 1)))"),
]


@pytest.mark.parametrize("text", LISTS)
@pytest.mark.parametrize("change", ["", "l.append(x)"])
def test_list_in_the_place_of_an_array(text, change):
    """NumPy takes a list where it takes an array."""
    lines = ("l = [x, x * x, 0.3]", change or "pass", "a = np.array(l) * x", f"return {text}")
    check(define("\n    ".join(("def f(x):", *lines))), 0.7)
