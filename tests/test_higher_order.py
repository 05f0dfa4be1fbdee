"""Derivatives inside derivatives, in every nesting; what a program says about its own derivative.

Each case is compared with central differences of its own value, and that value with the plain call.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import (
    Params,
    Refused,
    check_gradient,
    checkpointed,
    derivative,
    diaghessian,
    explain,
    gradient,
    hessian,
    hook,
    hvp,
    ignore,
    isderiving,
    jacobian,
    nograd,
    pullback,
    pushforward,
    stop_gradient,
    withgradient,
)

X = np.array([1.0, 2.0, 3.0])
V = np.array([1.0, 0.0, 2.0])


def make(a: Any) -> Any:
    def g(s: Any) -> Any:
        return (a * s,)

    return g


def closure_in_a_loop(a: float) -> Any:
    g = make(a)
    return sum([g(s)[0] for s in X])


def loop_of_pullbacks(a: float) -> Any:
    _, back = pullback(lambda x: a * np.sin(x), X)
    total = 0.0
    for k in range(3):
        seed = np.zeros(3)
        seed[k] = 1.0
        total += np.sum(back(seed)[0])
    return total


def changed_between(a: float) -> Any:
    z = np.array([1.0, 2.0, 3.0]) * a
    _, back = pullback(lambda x: x**2, z)
    z[1] = 100.0
    return np.sum(back(np.ones(3))[0])


def newton(a: float) -> Any:
    z = 1.0
    slope = derivative(lambda z: z**2 - a)
    for _ in range(6):
        z = z - (z**2 - a) / slope(z)
    return z


def late(a: float) -> Any:
    fs = [lambda x: a * x**2, lambda x: a * x**3]
    total = 0.0
    for i in range(2):
        total = total + derivative(fs[i], a)
    return total


def late_in_the_outer_alone(a: float) -> Any:
    fs = [lambda x, c: c * x**2]
    total = 0.0
    for i in range(1):
        total += derivative(lambda x, f=fs[i]: f(x, a), 3.0)
    return total


def late_arrays(a: float) -> Any:
    fs = [lambda x: a * np.sin(x) * x]
    total = 0.0
    for i in range(1):
        total += np.sum(gradient(lambda z, f=fs[i]: np.sum(f(z) ** 2), X * a)[0])
    return total


class Scaled:
    def __init__(self, w: float):
        self.w = w

    def __call__(self, x: float) -> float:
        return self.w * x**2


CASES: list[Callable[[float], Any]] = [
    closure_in_a_loop,
    loop_of_pullbacks,
    changed_between,
    newton,
    late,
    late_in_the_outer_alone,
    late_arrays,
    lambda a: gradient(lambda p, q: p * q**2, a, a)[1],
    lambda a: gradient(lambda *p: p[0] * p[1] ** 2, a, a)[1],
    lambda a: gradient(lambda t: t[0] * t[1] * a**2, (a, 3.0))[0][1],
    lambda a: gradient(lambda t: t["x"] * t["y"] * a, {"x": a, "y": 3.0})[0]["y"],
    lambda a: pullback(lambda x: (a * x, x**2 * a), 3.0)[1]((1.0, 2.0))[0],
    lambda a: pullback(lambda x: (a * x, x**2 * a), 3.0)[1]((None, 2.0))[0],
    lambda a: withgradient(lambda y: a**2 * y**2, 3.0)[1][0],
    lambda a: np.sum(jacobian(lambda x: a * np.sin(x) * x, X)),
    lambda a: np.sum(jacobian(lambda y: jacobian(lambda x: a * x**3 * y, y)[0] * y, X)),
    lambda a: np.sum(hessian(lambda y: np.prod(y) * a**2, X)),
    lambda a: np.sum(hessian(lambda y: np.sum(y**3) * a**2)(X)),
    lambda a: np.sum(diaghessian(lambda y: np.prod(y) ** 2 * a**2, X)),
    lambda a: np.sum(hvp(lambda x: a**2 * np.sum(x**3), X, V)),
    lambda a: pushforward(lambda y: gradient(lambda z: a**3 * np.sum(z**3), y)[0], X)(V)[2],
    lambda a: gradient(lambda y: pushforward(lambda z: a**3 * z**3, y)(1.0), a)[0],
    lambda a: pushforward(lambda y: pushforward(lambda z: a**3 * z**3, y)(1.0), a)(1.0),
    lambda a: pushforward(lambda y: pushforward(lambda z: a**3 * z**3, y)(1.0), 2.0)(1.0),
    lambda a: derivative(Scaled(a), 3.0),
    lambda a: derivative(derivative(lambda x: a * x**4), 2.0),
    lambda a: derivative(
        lambda x: derivative(lambda y: derivative(lambda z: a * np.exp(x * y * z), 1.0), 1.0), 1.0
    ),
    lambda a: checkpointed(lambda b: checkpointed(np.sin, b * a) ** 2, a * 3.0),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_nested(number: int) -> None:
    f = CASES[number]
    h = 1e-5
    value, (g,) = withgradient(f, 0.7)
    assert value == pytest.approx(f(0.7), rel=1e-12)
    assert g == pytest.approx((f(0.7 + h) - f(0.7 - h)) / (2 * h), rel=1e-6)


def steps(x: Any) -> Any:
    s = 0.5
    for i in range(len(x)):
        s = s + np.sin(s) * x[i] ** 2
    y = x.copy()
    for _ in range(3):
        y[1:] += s * y[:-1] * y[1:]
    return y


def test_pushforward_is_the_jacobian_times_a_vector() -> None:
    x = X / 5
    by_columns = np.stack([pushforward(steps, x)(e) for e in np.eye(3)], axis=-1)
    np.testing.assert_allclose(by_columns, jacobian(steps, x), rtol=1e-12)
    np.testing.assert_allclose(pushforward(steps, x)(V), jacobian(steps, x) @ V, rtol=1e-12)


def test_pushforward_of_several() -> None:
    push = pushforward(lambda x, t: (x * t[0], t[1] ** 2), 2.0, (3.0, 4.0))
    assert push(1.0, (10.0, 100.0)) == (23.0, 800.0)
    assert push(1.0, None) == (3.0, 0.0)
    with pytest.raises(Refused, match="ZYG502"):
        push(1.0)


def test_pushforward_of_what_is_constant() -> None:
    assert pushforward(lambda x: 3.0, 2.0)(1.0) == 0.0


@pytest.mark.parametrize("shape", [(2,), (2, 2), ()])
def test_jacobian_in_either_mode(shape: tuple[int, ...]) -> None:
    x = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)
    wide = np.arange(12.0).reshape(3, 4)
    tall = jacobian(lambda x: np.sum(x**2) * wide, x)
    assert tall.shape == (3, 4, *shape)
    np.testing.assert_allclose(tall, wide.reshape(3, 4, *[1] * len(shape)) * 2 * x)
    assert jacobian(lambda x, n: np.sum(x**2) * wide, x, 3)[0].shape == (3, 4, *shape)


OF_SEVERAL: list[Callable[[float], Any]] = [
    lambda a: jacobian(lambda x, y: a * x * y, X, V + a),
    lambda a: jacobian(lambda x, y: a * x * y[0], X, V, wrt=1),
    lambda a: jacobian(lambda x, y: a * x * y, X, a, wrt=(1, 0)),
    lambda a: jacobian(lambda x, y: a * np.outer(x, x) * y, X, a, wrt=(-1,)),
    lambda a: jacobian(lambda x, y: a * y**3, X, a),
    lambda a: jacobian(lambda x: a * x**3, a),
    lambda a: jacobian(lambda x, y: a * y**3, wrt=1)(X, a),
    lambda a: jacobian(lambda *xs: a * xs[0] * xs[1] ** 2, X, a),
    lambda a: hessian(lambda x, y: a**2 * np.sum(x**2 * y**3), X, a),
    lambda a: hessian(lambda x, y: a**2 * np.sum(x**2 * y**3), X, V + a, wrt=0),
    lambda a: hessian(lambda x, y: a**2 * np.sum(x**2 * y**3), wrt=(1, 0))(X, a),
    lambda a: hessian(lambda x, y: a**2 * np.sum(x**2), X, a),
    lambda a: hessian(lambda x: a**2 * x**3, a),
    lambda a: diaghessian(lambda x, y: a**2 * np.sum(x**2 * y**3), X, a),
]


def parts(t: Any) -> list[Any]:
    return [p for i in t for p in parts(i)] if isinstance(t, tuple) else [t]


def total(t: Any) -> Any:
    return sum([total(i) for i in t]) if isinstance(t, tuple) else np.sum(t**2)


@pytest.mark.parametrize("number", range(len(OF_SEVERAL)))
def test_of_several_arguments(number: int) -> None:
    """Inside differentiated code as outside, and differentiable twice more."""
    f = OF_SEVERAL[number]
    (_, found), _ = withgradient(lambda a: (a, f(a)), 0.7)
    for p, expected in zip(parts(found), parts(f(0.7)), strict=True):
        assert np.shape(p) == np.shape(expected)
        np.testing.assert_allclose(p, expected, rtol=1e-12)
    h = 1e-5
    once = derivative(lambda a: total(f(a)))
    for of in (lambda a: total(f(a)), once):
        slope = (of(0.7 + h) - of(0.7 - h)) / (2 * h)
        assert derivative(of, 0.7) == pytest.approx(slope, rel=1e-6)


def test_dense_derivatives_that_are_refused() -> None:
    cases: list[tuple[Callable[[float], Any], str]] = [
        (lambda a: jacobian(lambda x: (a * x, x), X), "ZYG501"),
        (lambda a: jacobian(lambda t: a * t[0], (X,)), "ZYG501"),
        (lambda a: jacobian(lambda x, y: a * x, X, X, wrt=2), "ZYG503"),
        (lambda a: hessian(lambda x, y: a * np.sum(x), X, X, wrt=2), "ZYG503"),
        (lambda a: hessian(lambda x: a * x, X), "ZYG501"),
        (lambda a: jacobian([lambda x: (x, x), lambda x: a * x][int(a > 9)], X), "ZYG501"),
    ]
    for f, code in cases:
        with pytest.raises(Refused, match=code):
            f(2.0)
        with pytest.raises(Refused, match=code):
            gradient(lambda a, f=f: np.sum(f(a)), 2.0)


def test_hessian_vector_product() -> None:
    def f(x: Any) -> Any:
        return np.sum(steps(x) ** 2)

    x = X / 5
    h = hessian(f, x)
    np.testing.assert_allclose(h, h.T, rtol=1e-12)
    np.testing.assert_allclose(hvp(f, x, V), h @ V, rtol=1e-12)
    np.testing.assert_allclose(diaghessian(f, x), np.diag(h), rtol=1e-12)


def test_a_hessian_vector_product_runs_the_function_once() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(1)
        print(end="")
        return np.sum(x**3)

    def fails(x: Any) -> Any:
        return np.sum(x**2) + math.log(len(x) - 3.0)  # which only the value needs

    np.testing.assert_allclose(hvp(f, X, V), 6 * X * V)
    assert len(seen) == 1
    with pytest.raises(ValueError, match="math domain"):
        hvp(fails, X, V)
    assert hvp(lambda x: 3.0, X, V).tolist() == hvp(np.sum, X, V).tolist() == [0, 0, 0]
    assert hvp(lambda x: x**3, 2.0, 1.0) == 12.0
    assert hvp(lambda t: t[0] ** 2 * t[1], (2.0, 3.0), (1.0, 0.0)) == (6.0, 4.0)
    any_of = [lambda x: x, lambda x: np.sum(x**3)]
    np.testing.assert_allclose(hvp(lambda x: any_of[len(x) - 2](x), X, V), 6 * X * V)
    for g, v, code in [
        (lambda x: any_of[len(x) - 3](x), V, "ZYG501"),
        (lambda x: x, V, "ZYG501"),
        (np.sum, 1.0, "ZYG502"),
    ]:
        with pytest.raises(Refused, match=code):
            hvp(g, X, v)


def of_elements(x: Any) -> Any:
    s = 0.0
    for i in range(len(x) - 1):
        s = s + 100 * (x[i + 1] - x[i] ** 2) ** 2
    return s


def carried(x: Any) -> Any:
    s, t, k = 1.0, x[0], 0
    while k < 4:
        if k == 2:
            s, t = t * s, s
        s = s + np.sin(t) * x[k % 3]
        k += 1
    return s * x[1]


def untouched(x: Any) -> Any:
    a, b, last = x[0], x[1], 0.0
    for v in x:
        last = a * v**2
        a, b = b, a
    return last * b


@pytest.mark.parametrize("f", [of_elements, carried, untouched])
def test_loops_twice(f: Callable[[Any], Any]) -> None:
    h = 1e-6
    slope = (gradient(f, X + h * V)[0] - gradient(f, X - h * V)[0]) / (2 * h)
    np.testing.assert_allclose(hvp(f, X, V), slope, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(hessian(f, X) @ V, slope, rtol=1e-6, atol=1e-6)
    third = derivative(lambda a: np.sum(hvp(f, a * X, V)))
    outer = (np.sum(hvp(f, X * (1 + h), V)) - np.sum(hvp(f, X * (1 - h), V))) / (2 * h)
    assert third(1.0) == pytest.approx(outer, rel=1e-5)


def test_two_derivatives_share_a_tape() -> None:
    text = str(explain(derivative(of_elements), X))
    assert text.count("tape = []") == text.count("tape2 = []") == 1
    assert "tape3" not in text


def test_a_pullback_outlives_what_it_was_given() -> None:
    x = X.copy()
    y, back = pullback(lambda x: np.exp(x) * x, x)
    expected = back(np.ones(3))[0]
    x[:] = 0.0
    y[:] = 0.0
    np.testing.assert_array_equal(back(np.ones(3))[0], expected)


def test_a_pullback_of_what_changes_arrays_outlives_it_too() -> None:
    def f(x: Any) -> Any:
        y = np.zeros(3)
        y[:] = x**2
        return y * x

    x = X.copy()
    _, back = pullback(f, x)
    x[:] = 0.0
    np.testing.assert_allclose(back(np.ones(3))[0], 3 * X**2)


def test_known_arguments_are_told_apart() -> None:
    def f(x: Any, n: int) -> Any:
        a, b = np.split(x, n)[:2]
        return np.sum(a) * 2 + np.sum(b)

    x = np.arange(6.0)
    for _ in range(2):
        assert gradient(f, x, 2)[0].tolist() == [2, 2, 2, 1, 1, 1]
        assert gradient(f, x, 3)[0].tolist() == [2, 2, 1, 1, 0, 0]


def test_derivatives_kept_in_a_list() -> None:
    def of_local(a: float) -> Any:
        gs = [derivative(lambda x: a * x**2), derivative(lambda x: a * x**3)]
        return sum([g(a) for g in gs])

    def of_lambdas(a: float) -> Any:
        gs = [lambda x: derivative(lambda x: a * x**2, x), lambda x: derivative(lambda x: a * x, x)]
        return sum([g(a) for g in gs])

    with pytest.raises(Refused, match="ZYG101"):
        gradient(of_local, 2.0)
    assert gradient(of_lambdas, 2.0) == (9.0,)


def test_seeds_and_arguments_of_derivatives_inside() -> None:
    def sum_of_arrays(a: float) -> Any:
        return np.sum(gradient(lambda z: a * z, X)[0])

    def wrong_seed(a: float) -> Any:
        return np.sum(pullback(lambda z: a * z**2, X)[1](1.0)[0])

    def too_many_seeds(a: float) -> Any:
        return pullback(lambda z: (a * z, z), 2.0)[1]((1.0, 2.0, 3.0))[0]

    def no_such_argument(a: float) -> Any:
        return gradient(lambda z, w: a * z * w, 2.0, 3.0, wrt=2)

    for f, code in [
        (sum_of_arrays, "ZYG501"),
        (wrong_seed, "ZYG502"),
        (too_many_seeds, "ZYG502"),
        (no_such_argument, "ZYG503"),
    ]:
        with pytest.raises(Refused, match=code):
            gradient(f, 2.0)
    assert gradient(lambda a: pullback(lambda z: a * z**2, 3.0)[1]()[0], 2.0) == (6.0,)
    assert gradient(lambda a: gradient(lambda z, w: a * z * w, 2.0, 3.0, wrt=-1), 2.0) == (2.0,)
    assert gradient(lambda a: pullback(lambda z, w: a * w, 2.0, 3.0, wrt=1)[1](1.0), 2.0) == (1.0,)
    assert gradient(lambda a: withgradient(lambda z: (a * z, z), 2.0)[1][0], 2.0) == (1.0,)


def test_views_of_dicts_compare_as_sets() -> None:
    def f(a: Any) -> Any:
        d, e = {"p": a, "q": a**2}, {"q": 1.0, "p": 2.0}
        return a if d.keys() == e.keys() else 3 * a

    assert gradient(f, 2.0) == (1.0,)


# ---- what a program says about its derivative


def test_stop_gradient() -> None:
    assert gradient(lambda x: x * stop_gradient(x), 3.0) == (3.0,)
    assert gradient(lambda x: x * stop_gradient((x, {"a": x}))[1]["a"], 3.0) == (3.0,)


def test_ignore() -> None:
    def f(x: float) -> float:
        with ignore():
            n = np.floor(x) * x
            pair = (n, x * 2)
        return n * x + pair[1] * x

    assert gradient(f, 3.5) == (17.5,)


def test_ignore_refuses_changes_and_leaving() -> None:
    def changes(x: float) -> float:
        found: list[float] = []
        with ignore():
            found.append(x)
        return found[0] * x

    def leaves(x: float) -> float:
        with ignore():
            return x * x

    with pytest.raises(Refused, match="ZYG103"):
        gradient(changes, 2.0)
    with pytest.raises(Refused, match="ZYG101"):
        gradient(leaves, 2.0)


def test_hook() -> None:
    seen: list[float] = []
    assert gradient(lambda x: hook(lambda g: seen.append(g), x) ** 2, 3.0) == (6.0,)
    assert seen == [6.0]
    found = gradient(lambda x: np.sum(hook(lambda g: np.clip(g, -1, 1), x) ** 2), X / 5)[0]
    np.testing.assert_allclose(found, [0.4, 0.8, 1.0])


def test_nograd() -> None:
    @nograd
    def count(x: Any) -> float:
        return float(np.sum(x > 0))

    @nograd
    def spoils(x: Any) -> float:
        x[0] = 5.0
        return 1.0

    assert gradient(lambda x: np.sum(x) * count(x), X)[0].tolist() == [3, 3, 3]
    with pytest.raises(Refused, match="ZYG103"):
        gradient(lambda x: np.sum(x) * spoils(x), X.copy())


def test_checkpointed() -> None:
    def f(x: Any) -> Any:
        for _ in range(5):
            x = np.sin(x) * x + 1
        return np.sum(x)

    def g(x: Any) -> Any:
        return checkpointed(f, x * 2) * checkpointed(lambda y: checkpointed(f, y) ** 2, x)

    assert check_gradient(g, X).ok
    plain = gradient(lambda x: f(x * 2) * f(x) ** 2, X)[0]
    np.testing.assert_allclose(gradient(g, X)[0], plain, rtol=1e-12)

    def changing(x: Any) -> Any:
        a = np.zeros(2)
        a[0], a[1] = x, x**2
        found = checkpointed(lambda b: np.sum(b**2), a)
        a[0] = 100.0
        return found

    assert gradient(changing, 2.0) == (36.0,)


class Noisy:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, y: Any) -> Any:
        return np.sum(y * self.rng.normal(size=3))


@pytest.mark.parametrize("late", [False, True])
def test_checkpointed_draws_are_refused(late: bool) -> None:
    noisy = Noisy()
    fs = [lambda y: noisy(y)]

    def f(y: Any) -> Any:
        return fs[int(y[0] > 100)](y) if late else noisy(y)

    with pytest.raises(Refused, match="ZYG103"):
        gradient(lambda x: checkpointed(f, x), X)


def test_isderiving() -> None:
    def f(x: float) -> float:
        return x**2 if isderiving() else x**3

    assert f(2.0) == 8.0
    assert gradient(f, 2.0) == (4.0,)


def test_params_through_a_late_call() -> None:
    w = np.array([1.0, 2.0])
    fs = [lambda x: np.sum(w * x)]
    found = gradient(lambda: fs[len(w) - 2](3.0), Params([w]))
    assert found[w].tolist() == [3.0, 3.0]


# ---- the surface


def test_withgradient_brings_more_along() -> None:
    x = np.array([1.0, 2.0])
    value, (g,) = withgradient(lambda x: (np.sum(x**2), x * 2, "name"), x)
    assert (value[0], value[1].tolist(), value[2], g.tolist()) == (5.0, [2, 4], "name", [2, 4])
    value, (g,) = withgradient(lambda x: {"loss": np.sum(x**2), "pred": x * 2}, x)
    assert (value["loss"], value["pred"].tolist(), g.tolist()) == (5.0, [2, 4], [2, 4])

    def built(x: Any) -> Any:
        found = {}
        found["loss"] = np.sum(x**2)
        found["x"] = x
        return found

    value, (g,) = withgradient(built, x)
    assert (list(value), g.tolist()) == (["loss", "x"], [2, 4])
    with pytest.raises(Refused, match="ZYG501"):
        gradient(lambda x: (np.sum(x), x), x)


def test_params_are_a_set_and_a_vector() -> None:
    w, b, x = np.ones((2, 2)), np.zeros(2), np.array([1.0, 2.0])
    params = Params([w, b])
    value, grads = withgradient(lambda: (np.sum((w @ x + b) ** 2), "more"), params)
    assert value == (18.0, "more")
    assert params == Params([b, w]) and params != Params([w])
    assert list(params - Params([b]))[0] is w
    assert (len(params | [x]), len(params & Params([b]))) == (3, 1)
    assert grads.flat().tolist() == [6, 12, 6, 12, 6, 6]
    assert grads.load(grads.flat() * 2)[b].tolist() == [12, 12]
    assert grads.map(np.add, grads)[b].tolist() == [12, 12]
    assert (grads.copy()[b] == grads[b]).all() and grads.copy()[b] is not grads[b]
    params.load(np.arange(6.0))
    assert (w.tolist(), b.tolist()) == ([[0, 1], [2, 3]], [4, 5])
    assert params.flat().tolist() == list(range(6))
    with pytest.raises(ValueError, match="6 elements"):
        params.load(np.zeros(3))


def test_views_of_a_dict_that_is_not_changed() -> None:
    def f(x: Any) -> Any:
        d = {"a": np.sum(x**2), "b": x * 3}
        total = 0.0
        for key, v in d.items():
            total += np.sum(v) * len(key)
        return total + sum(np.sum(v) for v in d.values())

    assert gradient(f, np.array([1.0, 2.0]))[0].tolist() == [10, 14]


def test_the_gradient_of_a_number_of_which_only_the_run_knows_the_kind() -> None:
    scope = {"derivative": derivative}
    text = "def f(a, b):\n    return derivative(lambda q: q * q, a > 0.5 or b)"
    check(define(text, scope=scope), 0.3, 0.4)
    f = define(
        "def f(x):\n    return derivative(lambda y: table['sin' if y > 0 else 'exp'](y), x)",
        scope={**scope, "table": {"sin": math.sin, "exp": math.exp}},
    )
    assert pullback(f, 0.5)[1](1.0) == (-math.sin(0.5),)


def test_a_gradient_of_what_is_read_from_memory() -> None:
    text = """
    def f(x, y):
        fs = [lambda q: q * k + x for k in (0.5, 0.8)]
        s = fs[0](y * 0.3)
        slope = gradient(lambda q: q * s + q * q, y)[0]
        return x * slope if slope > -0.3 else s
    """
    check(define(textwrap.dedent(text), scope={"gradient": gradient}), 0.4, 0.7)


def test_a_comparison_that_python_does_not_know() -> None:
    f = define("def f(x):\n    return x if x < 0 else None < 0.3")
    assert gradient(f, -1.0) == (1.0,)
    with pytest.raises(TypeError, match="'<' not supported"):
        gradient(f, 1.0)


# ---- gradients, inside of a program that changes something, in what is in memory

IN_MEMORY = """
def loss(l, y=1.0):
    m = [v * v for v in l]
    m.append(l[0] * y)
    return sum(m)


def of_a_list(x):
    return gradient(loss, [x, 2 * x])[0][0]


def of_a_list_by_a_pullback(x):
    l = [x, 2 * x]
    l.append(x)
    return pullback(loss, l, x)[1](1.0)[0][1]


def of_what_only_the_run_knows(x):
    return gradient(loss, {0: x} and [x, x * x])[0][1]


def of_something_else(x):
    l = [x, 2 * x]
    l.append(x)
    (_, slope) = gradient(loss, l, x)
    return slope * gradient(loss, l, x, wrt=1)


def of_names(x):
    n = ["a"]
    n.append("b")
    g = gradient(lambda n, y: len(n) * y * y, n, x)
    return g[1] + (g[0] is None) * x
"""
SCOPE = {"gradient": gradient, "pullback": pullback}
REFUSED = ["of_a_list", "of_a_list_by_a_pullback", "of_what_only_the_run_knows"]


@pytest.mark.parametrize("name", REFUSED)
def test_gradients_in_what_is_in_memory_are_refused(name: str) -> None:
    with pytest.raises(Refused, match="a gradient in a list"):
        derivative(define(IN_MEMORY, name, SCOPE), 1.3)


@pytest.mark.parametrize("name", ["of_something_else", "of_names"])
def test_gradients_beside_what_is_in_memory(name: str) -> None:
    check(define(IN_MEMORY, name, SCOPE), 1.3)
