"""The seed examples, word for word, and custom gradients that are wrong."""

from __future__ import annotations

import builtins
import inspect
import itertools
import linecache
import math
from typing import Any

import numpy as np
import pytest

import zyg_interactive
from zyg_interactive import CustomGradientError, grad, gradient

_files = itertools.count()


def results(text: str) -> dict[str, Any]:
    """The names that a text binds, which is run as it stands."""
    file = f"<seed-{next(_files)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {name: getattr(zyg_interactive, name) for name in zyg_interactive.__all__}
    space |= {"np": np, "math": math, "__name__": "seed"}
    exec(compile(text, file, "exec", dont_inherit=True), space)
    return space


def test_derivative() -> None:
    found = results("""
f = lambda x: 3*x**2 + 2*x + 1
a = derivative(f, 5)
df = derivative(f)
b = df(5)
c = derivative(df)(5)
""")
    assert (found["a"], found["b"], found["c"]) == (32.0, 32.0, 6.0)
    assert all(type(found[name]) is float for name in "abc")


def test_a_function_looked_up_during_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
fs = {"sin": math.sin, "cos": math.cos, "tan": math.tan}
g = gradient(lambda x: fs[input()](x), 1)
"""
    monkeypatch.setattr(builtins, "input", lambda: "sin")
    assert results(text)["g"] == (0.5403023058681398,)
    monkeypatch.setattr(builtins, "input", lambda: "cos")
    assert results(text)["g"] == (-math.sin(1),)


def test_forward() -> None:
    found = results("""
y, back = forward(lambda x: x * 3, np.array([1, 1, 1]))
g = back(np.array([1, 2, 3]))
""")
    assert found["y"].tolist() == [3, 3, 3]
    assert [g.tolist() for g in found["g"]] == [[3, 6, 9]]


def test_custom_gradient() -> None:
    found = results("""
def add(a, b): return a + b

@grad(add)
def _(a, b): return add(a, b), lambda d: (d, d)

g = gradient(lambda a, b: add(a * 2, b) * a, 3.0, 4.0)
""")
    assert found["g"] == (16.0, 3.0)


def test_params() -> None:
    found = results("""
rng = np.random.default_rng(0)
W, b = rng.random((2, 3)), rng.random(2); predict = lambda x: W @ x + b
g = gradient(lambda: np.sum(predict(np.array([1, 2, 3]))), Params([W, b]))
""")
    assert found["g"][found["W"]].tolist() == [[1, 2, 3], [1, 2, 3]]
    assert found["g"][found["b"]].tolist() == [1, 1]


# ---- custom gradients that break their contract


def mix(a, b, c):
    return a * b + c


def called(a, b, c):
    return 2 * mix(a, b, c)


def message(rule, *args) -> str:
    grad(mix)(rule)
    with pytest.raises(CustomGradientError) as caught:
        gradient(called, *args)
    text = str(caught.value)
    line = inspect.getsourcelines(rule)[1]
    assert f'File "{__file__}", line {line}' in text, "points at the rule"
    at = inspect.getsourcelines(called)[1] + 1
    assert f'File "{__file__}", line {at}' in text, "points at the call"
    assert "return 2 * mix(a, b, c)" in text and "^^^^^^^^^^^^" in text
    return text


def test_two_cotangents_for_three_arguments() -> None:
    def rule(a, b, c):
        return mix(a, b, c), lambda d: (d * b, d * a)

    text = message(rule, 1.0, 2.0, 3.0)
    assert text.startswith("ZYG401") and "2 cotangents for 3 arguments" in text


def test_a_wrong_shape() -> None:
    def rule(a, b, c):
        return np.sum(mix(a, b, c)), lambda d: (np.ones(2), None, None)

    text = message(rule, np.ones(3), 2.0, 3.0)
    assert text.startswith("ZYG402") and "(2,)" in text and "(3,)" in text


def test_no_pair() -> None:
    def rule(a, b, c):
        return mix(a, b, c)

    text = message(rule, 1.0, 2.0, 3.0)
    assert text.startswith("ZYG403") and "(value, back)" in text


def test_an_exception_inside() -> None:
    def rule(a, b, c):
        def back(d):
            raise ZeroDivisionError("in the rule")

        return mix(a, b, c), back

    grad(mix)(rule)
    with pytest.raises(ZeroDivisionError, match="in the rule") as caught:
        gradient(called, 1.0, 2.0, 3.0)
    places = [(t.frame.code.path.name, t.lineno + 1) for t in caught.traceback]
    first = inspect.getsourcelines(rule)[1]
    assert (__file__.rpartition("/")[2], first + 2) in places, "shows the line of the rule"
    at = inspect.getsourcelines(called)[1] + 1
    assert (__file__.rpartition("/")[2], at) in places, "shows the call"
