"""Arrays that come out of calls which only the run knows, and out of rules of the user's, and are
changed in place: their cotangents are found by identity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, grad, gradient, hook, nograd, pullback

FUNCTIONS = [
    lambda z: z * 2.0,
    lambda z: z,
    lambda z: z[1:],
    lambda z: (z, z * 2),
]


def store_then_read(a: Any) -> Any:
    z = np.zeros(3)
    z[0] = a
    w = FUNCTIONS[int(a > 100)](z)
    w[1] = a**2
    return w[0] + w[1] * 3


def the_same_array(a: Any) -> Any:
    z = np.zeros(3)
    z[0] = a
    w = FUNCTIONS[1 + int(a > 100)](z)
    w[1] = a**2
    z[0] = 5 * a
    return w[0] + w[1] * 3 + z[1]


def a_view(a: Any) -> Any:
    z = np.zeros(3)
    z[0], z[1] = a, a**3
    w = FUNCTIONS[2 + int(a > 100)](z)
    r = w[0]
    w[0] = a**2
    return r * 2 + z[1] * 3


def two_in_a_tuple(a: Any) -> Any:
    z = np.zeros(3)
    z[0], z[1] = a, a**3
    p = FUNCTIONS[3 - int(a > 100)](z)
    u, v = p
    u[1] = a**2
    v[0] = 3 * a
    return u[1] + v[0] + v[1] + z[1] * 2 + p[0][1]


def in_a_loop(a: Any) -> Any:
    z = np.zeros(3)
    z[0], z[1] = a, a**3
    w = FUNCTIONS[int(a > 100)](z)
    t = 0.0
    for _ in range(3):
        t += w[1] * w[0]
        w[1] = w[1] + a
    return t


def a_view_of_it(a: Any) -> Any:
    z = np.zeros(3)
    z[0] = a
    w = FUNCTIONS[int(a > 100)](z)
    v = w[1:]
    w[1] = a**2
    s = v[0] * 3
    v[0] = a**3
    return s + w[1]


def in_a_list(a: Any) -> Any:
    z = np.zeros(3)
    z[0] = a
    ws = [FUNCTIONS[int(a > 100)](z) for _ in range(2)]
    ws[0][1] = a**2
    ws[1][0] = ws[0][1] * a
    return sum([w[0] * 2 + w[1] for w in ws])


def in_a_tuple_of_any_length(a: Any) -> Any:
    found = []
    for k in range(int(a + 0.5)):
        found.append((a**k * np.ones(3), k))
    first = tuple(found)
    return np.sum(first[1][0] ** 2) + sum(np.sum(z) * k for z, k in first)


def changed_before_it_is_in_a_tuple(a: Any) -> Any:
    z = a * np.ones(3)
    found = [z]
    found.append(z * a)
    z[0] = 5.0
    pair = tuple(found)
    z[1] *= a
    return np.sum(pair[0] ** 2) + np.sum(pair[1])


def splatted(a: Any) -> Any:
    found = []
    found.append(a * np.ones(3))
    return (lambda *zs: np.sum(zs[0] ** 2))(*found)


CASES: list[Callable[[Any], Any]] = [
    *(in_a_tuple_of_any_length, changed_before_it_is_in_a_tuple, splatted),
    *(store_then_read, the_same_array, a_view, two_in_a_tuple, in_a_loop, a_view_of_it, in_a_list),
]


@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_late(f: Callable[[Any], Any]) -> None:
    h = 1e-6
    assert gradient(f, 2.0)[0] == pytest.approx((f(2.0 + h) - f(2.0 - h)) / (2 * h), rel=1e-7)


def doubled(z: Any) -> Any:
    return z * 1.0


@grad(doubled)
def _(z: Any) -> Any:
    return z * 1.0, lambda d: (2 * d,)


def product(p: Any, q: Any) -> Any:
    return p * q


@grad(product)
def _(p: Any, q: Any) -> Any:
    return p * q, lambda d: (10 * d * q, 100 * d * p)


def same(z: Any) -> Any:
    return z


@grad(same)
def _(z: Any) -> Any:
    return z, lambda d: (d,)


def custom_read(a: Any) -> Any:
    z = np.zeros(2)
    z[0] = a
    return doubled(z)[0] + z[0]


def custom_stored(a: Any) -> Any:
    z = np.zeros(2)
    z[0] = a
    w = doubled(z)
    w[1] = a**2
    z[0] = 7 * a
    return w[0] + w[1] * 3 + z[0]


def custom_in_a_loop(a: Any) -> Any:
    z = np.zeros(2)
    z[0] = a
    t = 0.0
    for k in range(3):
        w = doubled(z)
        w[1] = a * k
        z = w * 1.0
        t += w[1]
    return z[0] + t + z[1]


def custom_given_one_array_twice(a: Any) -> Any:
    z = np.ones(2) * a
    z[0] = a**2
    y = product(z, z)
    z[1] = 0.0
    y += z
    return np.sum(y)


def hooked(a: Any) -> Any:
    z = np.zeros(2)
    z[0] = a
    w = hook(lambda g: 2 * g, z)
    w[1] = a**2
    z[0] = 7 * a
    return w[0] + w[1] * 3 + z[0]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (custom_read, 3.0),
        (custom_stored, 21.0),
        (custom_in_a_loop, 13.0),
        (custom_given_one_array_twice, 1984.0),
        (hooked, 21.0),
    ],
)
def test_custom(f: Callable[[Any], Any], expected: float) -> None:
    assert gradient(f, 2.0) == (expected,)


def test_a_custom_rule_that_hands_its_argument_on() -> None:
    def f(a: Any) -> Any:
        z = np.zeros(2)
        z[0] = a
        w = same(z)
        z[0] = 3.0
        return w[0] * a

    with pytest.raises(Refused, match="ZYG103.*returned an array that it was given"):
        gradient(f, 2.0)


def test_nograd_hands_its_argument_on() -> None:
    @nograd
    def handed_on(z: Any) -> Any:
        return z

    def f(a: Any) -> Any:
        z = np.zeros(2)
        z[0] = a
        y = handed_on(z)
        y[1] = a**2
        return z[1] + z[0]

    assert gradient(f, 2.0) == (5.0,)


def squares(z: Any) -> Any:
    return z**2


@grad(squares)
def _(z: Any) -> Any:
    return z**2, lambda d: (2 * d * z,)


def of_rows(z: Any) -> Any:
    t = np.zeros(2)
    for r in z:
        t += r**2
    return t


@pytest.mark.parametrize(
    "f", [squares, of_rows, lambda z: FUNCTIONS[int(z[0, 0] > 100)](z) * z, lambda z: z[1] ** 2]
)
def test_a_pullback_is_kept_apart(f: Any) -> None:
    z = np.arange(4.0).reshape(2, 2)
    y, back = pullback(f, z)
    seed = np.ones(np.shape(y))
    expected = back(seed)[0].copy()
    z[:] = 7.0
    np.testing.assert_array_equal(back(seed)[0], expected)


@pytest.mark.parametrize(
    "value",
    [
        "r[1 : i + 1] * r[0] if i > 1 else r[0] * r[0]",
        "a[1 : i + 1] + r[i] * r[0] if i > 1 else r[i]",
    ],
)
def test_an_array_or_a_number_is_stored_and_differentiated_twice(value: str) -> None:
    """The cotangents that helpers hand on as they are count once."""
    f = define(
        "def f(r):\n    a = np.zeros(3)\n    for i in range(1, 3):\n"
        f"        a[1 : i + 1] = {value}\n    return a @ a\n\n"
        "def g(r):\n    bar = gradient(f, r)[0]\n    return np.sum(bar * np.cos(bar))",
        "g",
        {"gradient": gradient},
    )
    check(f, np.linspace(0.1, 0.5, 5))


UNKNOWN_KIND = """
class Pair:
    def __init__(self, u, v):
        self.u, self.v = u, v

    def __iter__(self):
        yield self.u
        yield self.v


def f(x):
    a = np.array([x, sum(Pair(x, np.tanh(0.4)))])
    {}
"""


@pytest.mark.parametrize(
    "body",
    [
        "a[0] *= 2.0\n    return np.sum(a)",
        "b = a\n    b[0] = x * x\n    return np.sum(a * b)",
        "a[0] *= x\n    return (lambda w: np.sum(w * w))(a)",
        "def g(q):\n        a[1] += q\n        return np.sum(a)\n    return g(x) * g(2.0)",
    ],
)
def test_an_array_of_numbers_of_which_only_the_run_knows_the_kind(body: str) -> None:
    """Its cotangent is found by its identity, once: it was counted twice."""
    check(define(UNKNOWN_KIND.format(body), scope={"__name__": __name__}), 0.7)
