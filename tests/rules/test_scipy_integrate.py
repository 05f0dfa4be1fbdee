"""Rules of `rules/scipy/integrate.py`."""

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian, pushforward, stop_gradient
from zyg_interactive.diagnostics import Refused

from .checks import check_rule, x, z

I = pytest.importorskip("scipy.integrate")  # noqa: E741


@pytest.mark.parametrize("fn", [I.trapezoid, I.cumulative_trapezoid])
def test_trapezoids(fn):
    check_rule(fn, x(5))
    check_rule(fn, z(5))
    check_rule(fn, x(1))
    check_rule(fn, x(4, 3), axis=[0, 1, -1], dx=[0.5])
    check_rule(fn, x(4, 3), x(4), axis=[0], single=False)
    check_rule(fn, x(4, 3), x(4, 3), axis=[0, 1], single=False)
    check_rule(fn, z(5), x(5), single=False)


def test_cumulative_from_zero():
    check_rule(I.cumulative_trapezoid, x(4, 3), axis=[0, 1], initial=[0])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_simpson(n):
    check_rule(I.simpson, x(n), dx=[0.5])
    check_rule(I.simpson, x(n, 3), axis=[0])
    at = np.cumsum(x(n, low=0.5))
    assert check_gradient(lambda y: np.sum(I.simpson(y**2, x=at) ** 2), x(n))
    if n > 1:
        check_rule(I.simpson, z(2, n), axis=[1, -1])


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_romberg(n):
    check_rule(I.romb, x(n), dx=[0.5])
    check_rule(I.romb, z(n, 2), axis=[0])
    check_rule(I.romb, x(2, n), 0.5, 1)


def simpsons(y, h, x):
    return np.sum(I.cumulative_simpson(y, dx=h) ** 2), np.sum(I.cumulative_simpson(y, x=x) ** 3)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_cumulative_simpson(n):
    at = (x(n), 0.7, np.cumsum(x(n, low=0.5)))
    for i in (0, 1):
        assert check_gradient(lambda *a, i=i: simpsons(*a)[i], *at)
        for k in range(3):

            def again(*a, i=i, k=k):
                return np.sum(gradient(lambda *b: simpsons(*b)[i], *a, zeros=True)[k] ** 2)

            assert check_gradient(again, *at)


def test_cumulative_simpson_along_axes():
    y, places = x(2, 5, 3), np.cumsum(x(2, 5, 3, low=0.5), axis=1)

    def one(y, x, c):
        return np.sum(I.cumulative_simpson(y, x=x, axis=1, initial=c) ** 2)

    assert check_gradient(one, y, places, 0.3)
    assert check_gradient(one, y, places[0, :, 0], 0.3)
    assert check_gradient(lambda v: np.sum(np.abs(I.cumulative_simpson(v))), z(5))
    assert check_gradient(lambda v: I.cumulative_simpson([v, v * v, 2.0])[1] * I.romb([v, 1]), 0.7)
    for fn in (I.romb, lambda v: I.cumulative_simpson(v)[-1]):
        assert gradient(fn, np.ones(5, np.float32))[0].dtype == np.float32


def fixed(p, a, b):
    return I.fixed_quad(lambda t, q: np.exp(-p * q * t * t), a, b, args=(b,), n=7)[0]


def test_fixed_places():
    at = (0.7, -0.5, 1.3)
    assert check_gradient(fixed, *at)
    for i in range(3):
        assert check_gradient(lambda *a, i=i: gradient(fixed, *a)[i], *at)

    def of_vectors(w, q):
        area, _ = I.fixed_quad(lambda t: np.sin(np.outer(w, t)) * q, 0, 1)
        return np.sum(area**2)

    assert check_gradient(of_vectors, x(3), 0.7)
    assert check_gradient(lambda q: I.fixed_quad(lambda t: q, 0, 2)[0], 0.7)
    assert check_gradient(lambda q, b: np.abs(fixed(1j * q, 0, b)), 0.7, 1.2)
    assert gradient(lambda a: I.fixed_quad(lambda t: t + 1.0, a, 1.0)[0], 1.0) == (-2.0,)
    with pytest.raises(Refused, match="this callable"):
        gradient(lambda p: p * I.fixed_quad(np.vectorize(np.exp), 0.0, p)[0], 0.7)


def test_functions():
    def area(p, a, b):
        return I.quad(lambda t: np.exp(-p * t * t), a, b)[0]

    assert check_gradient(area, 0.7, -0.5, 1.3)
    assert check_gradient(area, 0.7, 1.3, -0.5)
    assert check_gradient(lambda p: area(p, -np.inf, np.inf) + area(p, 0.0, np.inf), 0.7)
    assert check_gradient(
        lambda p, q: I.quad(lambda t, p, q: p * t**q, 0, 2, args=(p, q))[0], 1.3, 2.5
    )

    def of_array(w):
        return I.quad(lambda t: np.sum(w * t) ** 3, 0.0, 1.0)[0]

    assert check_gradient(of_array, x(3))
    # In a bound alone it may be differentiated again.
    bound = gradient(lambda b: gradient(lambda b: I.quad(np.cos, 0.0, b)[0], b)[0], 0.7)
    np.testing.assert_allclose(bound, -np.sin(0.7))


def area(p, a, b):
    return I.quad(lambda t: np.exp(-p * t * t), a, b)[0]


def of_array(w, q):
    return I.quad(lambda t, q: np.sum(np.sin(w * t * q)) ** 2, 0.0, 1.0, args=(q,))[0]


def test_functions_twice_and_forwards():
    at, by = (0.7, -0.5, 1.3), (1.0, 2.0, 3.0)
    np.testing.assert_allclose(pushforward(area, *at)(*by), np.dot(gradient(area, *at), by))
    for i in range(3):
        assert check_gradient(lambda *a, i=i: gradient(area, *a)[i], *at)
    whole = hessian(lambda p: area(p, -np.inf, np.inf), 0.7)
    np.testing.assert_allclose(whole, 0.75 * np.sqrt(np.pi) * 0.7**-2.5)
    for i in (0, 1):
        assert check_gradient(lambda w, q, i=i: np.sum(gradient(of_array, w, q)[i] ** 2), x(3), 0.8)

    def of_dict(p):
        d = {"a": p, "b": [p, p * p]}
        return I.quad(lambda t, d: np.exp(-d["a"] * t) * d["b"][1], 0.0, 1.0, args=(d,))[0]

    assert check_gradient(of_dict, 0.7)


def test_functions_in_functions():
    def below(p, a):
        return I.quad(lambda x: I.quad(lambda y: np.exp(-p * x * y), x, p * x + 1)[0], a, 1.2)[0]

    assert check_gradient(below, 0.7, 0.1)


def test_complex_parameters():
    def of_complex(c, d):
        return I.quad(
            lambda t, d: np.sum(np.abs(c * np.exp(1j * t)) * t) + np.real(d * d * t),
            0.0,
            1.0,
            args=(d,),
        )[0]

    assert check_gradient(of_complex, z(3), 0.3 + 0.8j)


def test_what_jumps_is_refused():
    def step(p):
        return I.quad(lambda t: np.where(t < p, 1.0, 3.0) * t, 0.0, 2.0)[0]

    with pytest.raises(Refused, match="do not confirm"):
        gradient(step, 0.7)
    with pytest.raises(Refused, match="do not confirm"):
        pushforward(step, 0.7)(1.0)
    bent = lambda p: I.quad(lambda t: np.abs(t - p), 0.0, 2.0)[0]  # noqa: E731
    np.testing.assert_allclose(gradient(bent, 0.7), 2 * 0.7 - 2, rtol=1e-7)
    stopped = lambda p: I.quad(lambda t: stop_gradient(p) * t * p, 0.0, 1.0)[0]  # noqa: E731
    np.testing.assert_allclose(gradient(stopped, 3.0), 1.5)
    odd = lambda p: I.quad(lambda t: p * t**3 + np.sin(p * t), -1.0, 1.0)[0]  # noqa: E731
    np.testing.assert_allclose(gradient(odd, 0.7), 0.0, atol=1e-12)


def test_what_is_refused():
    with pytest.raises(Refused):
        once = lambda p: I.quad(lambda t: np.exp(p * t), 0, 1)[0]  # noqa: E731
        gradient(lambda p: hessian(once, p), 0.7)
    with pytest.raises(Refused, match="error"):
        gradient(lambda p: I.quad(lambda t: p * t, 0, 1)[1], 0.7)
    with pytest.raises(Refused, match="weight"):
        gradient(lambda p: I.quad(lambda t: p * t, 0, 1, weight="cos", wvar=1)[0], 0.7)
    with pytest.raises(Refused, match="write `quad` in a function for `quad`"):
        gradient(lambda p: I.dblquad(lambda y, x: p * x * y, 0, 1, 0, 1)[0], 0.7)
    with pytest.raises(Refused, match="`simpson` in its argument 2"):
        gradient(lambda v: I.simpson(v, x=v), x(4))
