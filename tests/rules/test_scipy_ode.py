"""Rules of `rules/scipy/ode.py` and what `rules/scipy/adjoint.py` computes."""

from dataclasses import dataclass

import numpy as np
import pytest

from zyg_interactive import check_gradient, gradient, hessian, pullback, pushforward, stop_gradient
from zyg_interactive.diagnostics import Refused

from .checks import x

I = pytest.importorskip("scipy.integrate")  # noqa: E741
SL = pytest.importorskip("scipy.linalg")
TIMES = np.array([0.0, 0.4, 1.0, 1.5])
METHODS = ["RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"]
CLOSE = dict(rtol=1e-6, atol=1e-8)
A, Y0 = x(3, 3), x(3)


def exact(a, y0):
    """Of `y' = a y`."""
    return np.sum(np.sin(np.stack([SL.expm(a * t) @ y0 for t in TIMES], axis=1)))


@pytest.mark.parametrize("method", METHODS)
def test_every_method(method):
    def found(a, y0):
        s = I.solve_ivp(lambda t, y: a @ y, (0, 2), y0, method, TIMES, rtol=1e-9, atol=1e-10)
        return np.sum(np.sin(s.y))

    kept = A.copy(), Y0.copy()
    for a, b in zip(gradient(found, A, Y0), gradient(exact, A, Y0), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    assert np.array_equal(A, kept[0]) and np.array_equal(Y0, kept[1])


def test_the_gradient_is_closer_than_the_solution():
    def found(a, y0):
        return np.sum(I.solve_ivp(lambda t, y: a @ y, (0, 2), y0, t_eval=TIMES, rtol=0.1).y)

    def at_best(a, y0):
        return np.sum(np.stack([SL.expm(a * t) @ y0 for t in TIMES], axis=1))

    assert abs(found(A, Y0) / at_best(A, Y0) - 1) > 1e-6
    for a, b in zip(gradient(found, A, Y0), gradient(at_best, A, Y0), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def by_odeint(a, y0):
    return np.sum(np.sin(I.odeint(lambda y, t: a @ y, y0, TIMES, rtol=1e-10, atol=1e-10)))


def by_solve_ivp(a, y0):
    found = I.solve_ivp(
        lambda t, y, a: a @ y, (0, 1.5), y0, t_eval=TIMES, args=(a,), rtol=1e-9, atol=1e-10
    )
    return np.sum(np.sin(found.y)) if found.success else 0.0


@pytest.mark.parametrize("found", [by_odeint, by_solve_ivp])
def test_forwards_and_twice(found):
    assert check_gradient(found, A, Y0)
    da, dy = x(3, 3), x(3)
    bars = gradient(found, A, Y0)
    tangent = np.sum(bars[0] * da) + bars[1] @ dy
    np.testing.assert_allclose(pushforward(found, A, Y0)(da, dy), tangent, **CLOSE)
    expected, second = hessian(exact, A, Y0), hessian(found, A, Y0)
    for i in (0, 1):
        for k in (0, 1):
            np.testing.assert_allclose(second[i][k], expected[i][k], **CLOSE)


def test_the_product_of_both_modes():
    def states(p, y0):
        s = I.solve_ivp(
            lambda t, y: np.array([y[1], -p[0] * np.sin(y[0]) - p[1] * y[1] + np.cos(t)]),
            (0.0, 3.0),
            y0,
            t_eval=np.linspace(0, 3, 5),
            max_step=0.5,
        )
        return s.y

    p, y0, dp, dy = x(2, low=0.5), x(2), x(2), x(2)
    y, back = pullback(states, p, y0)
    g = x(*y.shape)
    bars = back(g)
    forwards = pushforward(states, p, y0)(dp, dy)
    np.testing.assert_allclose(np.sum(g * forwards), bars[0] @ dp + bars[1] @ dy, **CLOSE)


def predators(t, z, a, b):
    return [a * z[0] - b * z[0] * z[1], -z[1] + 0.5 * z[0] * z[1]]


def test_lists_numbers_and_functions_of_a_module():
    def last(p, q, h):
        s = I.solve_ivp(
            predators, [0, 2], [h, 1.0], args=(p, q), rtol=1e-9, atol=1e-10, method="DOP853"
        )
        return s.y[0, -1] * s.y[1, -1]

    assert check_gradient(last, 1.1, 0.4, 0.9)

    def of_odeint(p, q, h):
        s = I.odeint(predators, (h, 1.0), [0.0, 1.0, 2.0], (p, q), tfirst=True)
        return s[-1, 0] * s[-1, 1]

    assert check_gradient(of_odeint, 1.1, 0.4, 0.9)

    def of_a_number(k, y0):
        return I.odeint(lambda y, t, k: -k * y, y0, TIMES, args=(k,))[-1, 0]

    decayed = np.exp(-1.5 * 0.7)
    np.testing.assert_allclose(
        gradient(of_a_number, 0.7, 1.3), (-1.5 * 1.3 * decayed, decayed), **CLOSE
    )


def test_parameters_in_structures():
    def found(p, q):
        d = {"a": p, "b": [q, p * q]}

        def slope(t, y, d):
            s = np.zeros(2)
            s[0] = d["b"][1] * y[1]
            s[1] = -d["a"] * y[0]
            return s

        return I.solve_ivp(slope, (0, 2), (1.0, q), args=(d,), rtol=1e-9, atol=1e-10).y[0, -1]

    assert check_gradient(found, 0.7, 1.2)


@dataclass
class Rates:
    down: float
    up: np.ndarray


def test_parameters_in_an_object():
    def found(p, q):
        r = Rates(p, q)
        return I.solve_ivp(
            lambda t, y, r: -r.down * y + r.up, (0, 1), [1.0, 2.0], args=(r,), rtol=1e-8
        ).y[0, -1]

    fallen = np.exp(-0.7)
    of_p = -fallen + 0.3 * (fallen / 0.7 - (1 - fallen) / 0.7**2)
    expected = of_p, np.array([(1 - fallen) / 0.7, 0.0])
    for a, b in zip(gradient(found, 0.7, np.array([0.3, 0.4])), expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    tangent = pushforward(found, 0.7, np.array([0.3, 0.4]))(1.0, np.zeros(2))
    np.testing.assert_allclose(tangent, of_p, **CLOSE)


def test_one_after_the_other():
    def shots(v):
        heights = np.zeros(3)
        y = np.array([0.0, v])
        for k in range(3):
            s = I.solve_ivp(lambda t, y, c: np.array([y[1], -c]), (0.0, 0.5), y, args=(2 * v,))
            y = s.y[:, -1]
            heights[k] = y[0]
        return np.sum(heights)

    assert check_gradient(shots, 3.0)


def test_backwards_in_time_and_single_precision():
    def found(k, y0):
        return np.sum(I.solve_ivp(lambda t, y: -k * y * t, (2.0, 0.5), y0).y[:, -1])

    grown = np.exp(0.7 * (4 - 0.25) / 2)
    of_k, of_y = gradient(found, 0.7, np.ones(2, np.float32))
    np.testing.assert_allclose(of_k, 2 * (4 - 0.25) / 2 * grown, rtol=1e-6)
    np.testing.assert_allclose(of_y, [grown, grown], rtol=1e-6)
    assert of_y.dtype == np.float32


def test_a_flow_that_contracts():
    """Going back along it would lose everything: `exp(60)` times the error."""

    def found(k, y0):
        return I.solve_ivp(lambda t, y: -k * (y - np.cos(t)), (0, 3), y0, "LSODA").y[0, -1]

    k = 20.0
    of_k, of_y = gradient(found, k, np.array([2.0]))
    # y = (k^2 cos t + k sin t) / (1 + k^2), and what has decayed.
    slope = (
        (2 * k * np.cos(3) + np.sin(3)) * (1 + k * k) - 2 * k * (k * k * np.cos(3) + k * np.sin(3))
    ) / (1 + k * k) ** 2
    np.testing.assert_allclose(of_k, slope, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(of_y, 0.0, atol=1e-9)


def test_the_ends():
    def found(t0, t1, y0):
        return I.solve_ivp(lambda t, y: -0.7 * y * t, (t0, t1), [y0], rtol=1e-8).y[0, -1]

    def of_list(t1):
        return I.solve_ivp(lambda t, y: -0.7 * y * t, [0.5, t1], [1.3], rtol=1e-8).y[0, -1]

    def at_times(t0):
        y = I.solve_ivp(lambda t, y: -0.7 * y * t, (t0, 2.0), [1.3], t_eval=[0.5, 1.0, 2.0]).y
        return np.sum(y)

    y = 1.3 * np.exp(-0.35 * (4 - 0.25))
    found_bars = gradient(found, 0.5, 2.0, 1.3)
    np.testing.assert_allclose(found_bars, (0.35 * y, -1.4 * y, y / 1.3), rtol=1e-6)
    np.testing.assert_allclose(gradient(of_list, 2.0), -1.4 * y, rtol=1e-6)
    all_three = 1.3 * np.exp(-0.35 * (np.array([0.5, 1.0, 2.0]) ** 2 - 0.25))
    np.testing.assert_allclose(gradient(at_times, 0.5), 0.35 * np.sum(all_three), rtol=1e-6)
    np.testing.assert_allclose(
        pushforward(found, 0.5, 2.0, 1.3)(0.0, 1.0, 0.0), -1.4 * y, rtol=1e-6
    )
    second = gradient(lambda t1: gradient(of_list, t1)[0], 2.0)
    np.testing.assert_allclose(second, (1.4**2 - 0.7) * y, rtol=1e-6)


def test_the_times():
    def found(times, y0):
        s = I.solve_ivp(decay, (0.0, 2.0), y0, t_eval=times, rtol=1e-9, atol=1e-10)
        return np.sum(np.sin(s.y))

    def of_list(p):
        s = I.solve_ivp(decay, (0, 2), [1.0], t_eval=[0.5, p], rtol=1e-9)
        return np.sum(s.y) + np.sum(s.t**2)

    def of_odeint(times, y0):
        return np.sum(np.sin(I.odeint(decay, y0, times, tfirst=True, rtol=1e-10, atol=1e-10)))

    for f, times in ((found, TIMES + 0.1), (found, TIMES), (of_odeint, TIMES + 0.1)):
        decayed = np.exp(-(TIMES if f is of_odeint else times))[:, None] * np.array([1.0, 2.0])
        expected = np.sum(-decayed * np.cos(decayed), axis=1)
        if f is of_odeint:
            expected[0] -= np.sum(expected)
        at, y0 = gradient(f, times, np.array([1.0, 2.0]))
        np.testing.assert_allclose(at, expected, **CLOSE)
        tangent = pushforward(f, times, np.array([1.0, 2.0]))(np.ones(4), np.zeros(2))
        np.testing.assert_allclose(tangent, np.sum(expected), **CLOSE)
    np.testing.assert_allclose(gradient(of_list, 1.2), -np.exp(-1.2) + 2.4, rtol=1e-6)


def decay(t, y):
    return -y


def test_what_jumps_is_refused():
    def relay(p):
        how = dict(rtol=1e-8, max_step=0.01)
        return I.solve_ivp(lambda t, y: np.where(y > p, -1.0, -3.0), (0, 2), [1.0], **how).y[0, -1]

    def friction(v):
        slope = lambda t, y: np.array([y[1], -y[0] - 0.3 * np.sign(y[1])])  # noqa: E731
        return I.solve_ivp(slope, (0, 6), [1.0, v], rtol=1e-8).y[0, -1]

    def switched(p):
        slope = lambda t, y, d: np.where(t < d["at"], 1.0, 3.0) * y  # noqa: E731
        return I.solve_ivp(slope, (0, 2), [1.0], args=({"at": p},), rtol=1e-8).y[0, -1]

    for f in (relay, friction, switched):
        with pytest.raises(Refused, match="do not confirm"):
            gradient(f, 0.3)
        with pytest.raises(Refused, match="do not confirm"):
            pushforward(f, 0.3)(1.0)


def test_derivatives_that_the_program_says():
    def stopped(p):
        slope = lambda t, y, p: -stop_gradient(p) * y  # noqa: E731
        return I.solve_ivp(slope, (0, 1), [p], args=(p,), rtol=1e-8).y[0, -1]

    np.testing.assert_allclose(gradient(stopped, 2.0), np.exp(-2.0), rtol=1e-6)
    np.testing.assert_allclose(pushforward(stopped, 2.0)(1.0), np.exp(-2.0), rtol=1e-6)


def test_complex_parameters():
    def found(c):
        slope = lambda t, y: -(np.abs(c) ** 2) * y + np.real(c)  # noqa: E731
        return I.solve_ivp(slope, (0, 1), [1.0], rtol=1e-9, atol=1e-10).y[0, -1]

    assert check_gradient(found, 0.3 + 0.8j)


def test_single_precision_in_parameters():
    def found(p):
        return np.sum(I.solve_ivp(lambda t, y: -p * y, (0, 1), np.ones(2), rtol=1e-8).y[:, -1])

    (bar,) = gradient(found, np.ones(2, np.float32))
    assert bar.dtype == np.float32
    np.testing.assert_allclose(bar, -np.exp(-1.0), rtol=1e-6)


def test_what_bends_and_what_turns_often_is_not():
    def bent(p):
        return I.solve_ivp(lambda t, y: -np.maximum(y, p), (0, 2), [1.0], rtol=1e-8).y[0, -1]

    np.testing.assert_allclose(gradient(bent, 0.3), -2 - np.log(0.3), rtol=1e-5)

    def waves(w):
        slope = lambda t, y: np.array([y[1], -w * w * y[0]])  # noqa: E731
        how = dict(method="DOP853", rtol=1e-9, atol=1e-9)
        return I.solve_ivp(slope, (0, 50), [1.0, 0.0], **how).y[0, -1]

    np.testing.assert_allclose(gradient(waves, 6.0), -50 * np.sin(300.0), rtol=1e-4)
    np.testing.assert_allclose(pushforward(waves, 6.0)(2.0), -100 * np.sin(300.0), rtol=1e-4)


def test_what_is_refused():
    with pytest.raises(Refused, match="dense_output"):
        gradient(
            lambda p: I.solve_ivp(lambda t, y: -p * y, (0, 2), [1.0], dense_output=True).y[0, -1],
            0.7,
        )
    with pytest.raises(Refused, match="events"):
        gradient(
            lambda p: I.solve_ivp(lambda t, y: -p * y, (0, 2), [1.0], events=decay).y[0, -1], 0.7
        )
    with pytest.raises(Refused, match="takes by itself"):
        gradient(lambda p: np.sum(I.solve_ivp(lambda t, y: -p * y, (0, 2), [1.0]).y), 0.7)
    with pytest.raises(Refused, match="times of its steps"):
        gradient(lambda p: np.sum(I.solve_ivp(lambda t, y: -p * y, (0, 2), [1.0]).t), 0.7)
    with pytest.raises(Refused):

        def once(p):
            return np.sum(I.solve_ivp(decay, (0, 2), [1.0], t_eval=[0.5, p]).y)

        gradient(lambda p: gradient(once, p)[0], 0.7)
    with pytest.raises(Refused, match="failed"):
        gradient(lambda p: I.solve_ivp(lambda t, y: p * y * y, (0, 5), [1.0]).y[0, -1], 1.0)
    with pytest.raises(Refused, match="complex"):
        gradient(lambda p: np.real(I.solve_ivp(lambda t, y: -p * y, (0, 2), [1j]).y[0, -1]), 1.0)
    with pytest.raises(Refused, match="a tenth off"):
        gradient(
            lambda p: I.solve_ivp(lambda t, y: [y[1], -p * y[0]], (0, 1000), [1.0, 0.0]).y[0, -1],
            1.0,
        )
    with pytest.raises(Refused, match="what is not its"):
        gradient(lambda p: 1.0 * I.solve_ivp(lambda t, y: -p * y, (0, 2), [1.0]).nfev, 0.7)
    with pytest.raises(Refused, match="full_output"):
        gradient(lambda p: I.odeint(lambda y, t: -p * y, 1.0, TIMES, full_output=True)[0][-1], 0.7)
