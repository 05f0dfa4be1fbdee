"""What is lowered anew, what is not, and what may never be stale."""

from __future__ import annotations

import gc
import linecache
import math
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import define, specialisation

from zyg_interactive import Refused, derivative, grad, gradient, nograd, refresh, source
from zyg_interactive.engine import engine

Count = Callable[[], int]


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """How many functions were lowered since the last time it was asked."""
    made: list[str] = []

    module = __import__("zyg_interactive.engine", fromlist=["lower"])
    lower = module.lower

    def counted(fn: Any, *rest: Any) -> Any:
        made.append(fn.name)
        return lower(fn, *rest)

    monkeypatch.setattr(module, "lower", counted)
    refresh()

    def count() -> int:
        n = len(made)
        made.clear()
        return n

    yield count
    refresh()


HELPER = """
def helper(x):
    return x * 2.0

def f(x):
    return helper(x)
"""


def test_a_redefined_helper_takes_effect_at_once() -> None:
    f = define(HELPER)
    assert gradient(f, 3.0) == (2.0,)
    f.__globals__["helper"] = define("def helper(x):\n    return x * x", "helper")
    assert gradient(f, 3.0) == (6.0,)
    f.__globals__["helper"] = math.sin
    assert gradient(f, 3.0) == (math.cos(3.0),)


def test_a_repeated_call_lowers_nothing(lowered: Count) -> None:
    f = define(HELPER)
    gradient(f, 3.0)
    assert lowered() == 2
    gradient(f, 4.0)
    assert lowered() == 0


def test_a_lambda_made_anew_lowers_nothing(lowered: Count) -> None:
    def made(a: float) -> Any:
        return lambda x: a * x

    assert gradient(made(2.0), 3.0) == (2.0,)
    assert lowered() == 1
    assert gradient(made(5.0), 3.0) == (5.0,)
    assert lowered() == 0


def test_sizes_share_code(lowered: Count) -> None:
    def f(w: Any, x: Any, b: Any) -> Any:
        return np.sum(np.tanh(w @ x + b))

    def units(w: int, x: int) -> Any:
        args = np.ones((w, x)), np.ones(x), np.ones(w)
        found = gradient(f, *args)
        assert [g.shape for g in found] == [a.shape for a in args]
        return specialisation(f, *args).units

    first = units(3, 4)
    assert lowered() == 1
    assert units(5, 6) is first, "the pattern of sizes is the same"
    assert lowered() == 0
    units(3, 3)
    assert lowered() == 1, "a square matrix is another pattern"


def test_globals_change_value_type_and_size() -> None:
    f = define("def f(x):\n    return np.sum(x * k)", scope={"k": 2.0})
    assert gradient(f, 3.0) == (2.0,)
    for k, want in (
        (5.0, 5.0),
        (3, 3.0),
        (np.ones(3), 3.0),
        (np.ones(4), 4.0),
        (np.ones((2, 2)), 4.0),
    ):
        f.__globals__["k"] = k
        assert gradient(f, 3.0) == (want,)


def test_global_flags_strings_and_counts() -> None:
    f = define(
        "def f(x):\n    y = x * 2 if flag else x * 5\n    return y ** n if name == 'power' else y",
        scope={"flag": True, "name": "power", "n": 2},
    )
    assert gradient(f, 3.0) == (24.0,)
    f.__globals__["n"] = 3
    assert gradient(f, 3.0) == (216.0,)
    f.__globals__["name"] = "none"
    assert gradient(f, 3.0) == (2.0,)
    f.__globals__["flag"] = False
    assert gradient(f, 3.0) == (5.0,)


def test_two_lambdas_on_one_line() -> None:
    a, b = (lambda x: x * 2), (lambda x: x * 5)
    assert (gradient(a, 3.0), gradient(b, 3.0)) == ((2.0,), (5.0,))
    c, d = (lambda x: x * 2.0), (lambda y: y * 2.0)
    assert (gradient(c, 3.0), gradient(d, 3.0)) == ((2.0,), (2.0,))
    e, f, g = (lambda x: x * 2), (lambda x: 1.5), (lambda x: None)
    for h in (e, f, g):
        assert source.code_of(*source.find(h.__code__)) == h.__code__


def test_edited_source_is_refused() -> None:
    f = define("def f(x):\n    return x * 2.0")
    file = f.__code__.co_filename
    text = "def f(x):\n    return x * 5.0"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    with pytest.raises(Refused, match="edited since") as caught:
        gradient(f, 3.0)
    assert caught.value.diagnostic.code == "ZYG102"


def test_no_source_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x * 2.0", space)
    with pytest.raises(Refused) as caught:
        gradient(space["f"], 3.0)
    assert caught.value.diagnostic.code == "ZYG102"


def test_the_same_text_in_two_cells() -> None:
    """Equal code objects, other globals."""
    text = "def f(x):\n    return h(x) * k"
    first = define(text, scope={"h": lambda x: 2 * x, "k": 1.0})
    second = define(text, scope={"h": lambda x: 5 * x, "k": 1.0})
    assert first.__code__ == second.__code__
    assert (gradient(first, 3.0), gradient(second, 3.0)) == ((2.0,), (5.0,))
    assert (gradient(first, 3.0), gradient(second, 3.0)) == ((2.0,), (5.0,))


def test_functions_that_are_passed() -> None:
    def apply(g: Any, x: float) -> Any:
        return g(x)

    def made(a: float) -> Any:
        return lambda x: a * x

    for a in (2.0, 5.0, 2.0):
        assert gradient(apply, made(a), 3.0, wrt=1) == a


def test_functions_in_containers_and_attributes() -> None:
    class Box:
        f: Any

    box = Box()
    table: dict[str, Any] = {}

    def through_dict(x: float) -> Any:
        return table["f"](x)

    def through_attribute(x: float) -> Any:
        return box.f(x)

    for a in (2.0, 5.0):
        table["f"] = box.f = (lambda k: lambda x: k * x)(a)
        assert gradient(through_dict, 3.0) == (a,)
        assert gradient(through_attribute, 3.0) == (a,)


def test_default_arguments() -> None:
    def made(a: float) -> Any:
        def f(x: float, k: float = a) -> float:
            return k * x

        return f

    def keyword(a: float) -> Any:
        def f(x: float, *, k: float = a) -> float:
            return k * x

        return f

    for make in (made, keyword):
        assert [gradient(make(a), 3.0) for a in (2.0, 5.0, 2.0)] == [(2.0,), (5.0,), (2.0,)]


class Line:
    scale = 1.0

    def __init__(self, a: float):
        self.a = a

    def at(self, x: float) -> float:
        return self.a * x * self.scale

    def __call__(self, x: float) -> float:
        return self.at(x) * 2

    @property
    def double(self) -> float:
        return 2 * self.a


def test_bound_methods_and_callable_objects() -> None:
    for a in (2.0, 5.0):
        assert gradient(Line(a).at, 3.0) == (a,)
        assert gradient(Line(a), 3.0) == (2 * a,)


def test_an_object_changes() -> None:
    line = Line(2.0)

    def f(x: float) -> float:
        return line.at(x) + line.double * x

    assert gradient(f, 3.0) == (6.0,)
    line.a = 5.0
    assert gradient(f, 3.0) == (15.0,)


def test_a_class_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(2.0)

    def f(x: float) -> float:
        return line.at(x)

    def scaled(x: float) -> float:
        return Line.scale * x

    assert (gradient(f, 3.0), gradient(scaled, 3.0)) == ((2.0,), (1.0,))
    monkeypatch.setattr(Line, "scale", 3.0)
    assert (gradient(f, 3.0), gradient(scaled, 3.0)) == ((6.0,), (3.0,))
    monkeypatch.setattr(Line, "at", lambda self, x: self.a * x * x)
    assert gradient(f, 3.0) == (12.0,)


def test_a_global_that_is_a_derivative() -> None:
    f = define("def f(x):\n    return g(x)", scope={"g": derivative(lambda x: x**3)})
    assert gradient(f, 3.0) == (18.0,)
    f.__globals__["g"] = derivative(lambda x: x**2)
    assert gradient(f, 3.0) == (2.0,)


def test_what_is_forgotten_is_not_kept_alive() -> None:
    """A cell that is run again leaves nothing behind: of classes, globals, kept generators."""
    text = """
class Row:
    scale = 2.0

    def __init__(self, v):
        self.v = v

    def half(self):
        return 0.5 * self.v * Row.scale


def items(x):
    yield x
    yield x * x


def f(x):
    global told
    told = x
    g, h = items(x), (q * x for q in [x, 2.0])
    y = next(g) + next(h)
    row = Row(x)
    row.v += x
    return row.half() * told + y * next(g) + next(h)
"""
    f = define(text, scope={"__name__": "cell"})
    assert np.isfinite(derivative(f, 0.7))
    left = [weakref.ref(f), weakref.ref(f.__globals__["Row"])]
    del f
    engine.clear()
    source._compiled.cache_clear()
    gc.collect()
    assert [r() for r in left] == [None, None]


def test_functions_of_one_def_with_rules_of_their_own() -> None:
    def scaled(k: float) -> Any:
        return lambda x: k * x

    def of(fn: Any, x: Any) -> Any:
        return fn(x) * x

    own, other, constant, plain = map(scaled, (1.0, 2.0, 3.0, 4.0))
    grad(own)(lambda x: (own(x), lambda g: 100.0 * g))
    grad(other)(lambda x: (other(x), lambda g: 200.0 * g))
    nograd(constant)
    assert gradient(own, 1.0) == (100.0,) and gradient(other, 1.0) == (200.0,)
    slopes = [gradient(of, fn, 1.0)[1] for fn in (own, other, constant, plain)]
    assert slopes == [101.0, 202.0, 3.0, 8.0]
    captured = [gradient(lambda x, fn=fn: of(fn, x), 1.0)[0] for fn in (own, other, constant)]
    assert captured == slopes[:3]
