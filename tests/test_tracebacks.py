"""An error in either pass shows the user's lines, with carets, and none of the engine's."""

from __future__ import annotations

import ast
import itertools
import linecache
import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import define, specialisation

import zyg_interactive
from zyg_interactive import api, gradient, pullback
from zyg_interactive.emit.compile import Compiler, Unit

ENGINE = str(Path(zyg_interactive.__file__).parent)


def frames(call: Callable[[], Any], error: type[BaseException]) -> list[tuple[str, int, str, str]]:
    """(name, line, text under the carets, file) of the frames below the call."""
    with pytest.raises(error) as caught:
        call()
    found = []
    for frame in traceback.extract_tb(caught.value.__traceback__):
        if frame.filename == __file__ or frame.filename.startswith(ENGINE):
            continue
        line = linecache.getline(frame.filename, frame.lineno or 0)
        under = (
            line.encode()[frame.colno : frame.end_colno].decode() if frame.colno is not None else ""
        )
        found.append((frame.name, frame.lineno or 0, under, frame.filename))
    return found


def engine_frames(call: Callable[[], Any]) -> list[str]:
    """Frames of the engine that a traceback shows besides the door of the API."""
    try:
        call()
    except Exception as error:
        names = [
            f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(ENGINE)
        ]
        return [f"{Path(f.filename).name}:{f.name}" for f in names]
    raise AssertionError("no error")


PRIMAL = """
def inner(x):
    return math.sqrt(x - 10.0)

def f(x):
    y = x * 2
    return inner(y) + 1
"""


def test_an_error_in_the_primal() -> None:
    f = define(PRIMAL)
    found = frames(lambda: gradient(f, 1.0), ValueError)
    assert [(line, under) for _, line, under, _ in found] == [
        (7, "inner(y)"),
        (3, "math.sqrt(x - 10.0)"),
    ]
    assert all(file == f.__code__.co_filename for *_, file in found)


BACKWARD = """
def f(x, y):
    a = np.sin(x)
    b = bad(a, y)
    return np.sum(b)
"""


def test_an_error_in_the_backward_pass() -> None:
    def bad(a: Any, y: Any) -> Any:
        return a * y

    def rule(a: Any, y: Any) -> Any:
        def back(d: Any) -> Any:
            raise RuntimeError("no way back")

        return a * y, back

    zyg_interactive.grad(bad)(rule)
    f = define(BACKWARD, scope={"bad": bad})
    _, back = pullback(f, np.ones(3), 2.0)
    found = frames(lambda: back(1.0), RuntimeError)
    name, line, under, file = found[0]
    assert (name, line, under) == ("pullback of f", 4, "bad(a, y)")
    assert file == f.__code__.co_filename


def test_the_engines_frames_are_absent() -> None:
    f = define(PRIMAL)
    allowed = {"errors.py:wrapped", "api.py:gradient", "api.py:_gradient", "api.py:__call__"}
    assert set(engine_frames(lambda: gradient(f, 1.0))) <= allowed
    assert len(engine_frames(lambda: gradient(f, 1.0))) <= 2


PROGRAMS = {
    "branches": """
def f(x):
    if x > 1:
        y = x * x
    else:
        y = 2 * x
    return y
""",
    "loop": """
def f(x):
    s = 0.0
    for i in range(3):
        s = s + x ** i
    return s
""",
    "while": """
def f(x):
    while x < 10.0:
        x = x * 1.5
    return x
""",
    "comprehension": """
def f(x):
    ys = [x * i for i in range(3) if i > 0]
    return sum(ys)
""",
    "early": """
def f(x):
    for i in range(3):
        if x > 1.0:
            return x
        x = x * 2
    return 2 * x
""",
    "call": """
def g(x):
    return math.sin(x)

def f(x):
    return g(g(x)) * g(x)
""",
    "arrays": """
def f(x):
    y = np.outer(np.ones(3) * x, np.ones(2))
    return np.sum(y[0] * y[1])
""",
}


def units(unit: Unit) -> list[Unit]:
    found = [unit]
    for u in found:
        found += [c for c in u.callees if c not in found]
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_node_lies_within_the_users_function(name: str) -> None:
    f = define(PROGRAMS[name])
    s = specialisation(f, 0.7)
    source = ast.parse(PROGRAMS[name])
    spans = {
        n.name: (n.lineno, n.end_lineno or 0) for n in source.body if isinstance(n, ast.FunctionDef)
    }
    closed = api._closure(s, (0,))
    fused = Compiler().function(s.derivative().fused(s.function, (0,)))
    for unit in itertools.chain(units(closed), units(fused)):
        base = unit.name.removesuffix("_forward").removesuffix("_reverse").rstrip("0123456789")
        first, last = spans[base]
        assert unit.file == f.__code__.co_filename
        for node in ast.walk(unit.tree):
            if hasattr(node, "lineno"):
                where = f"{ast.dump(node)[:60]} of {unit.name}, line {node.lineno}"
                assert first <= node.lineno <= node.end_lineno <= last, where


def test_an_error_keeps_its_type_and_text() -> None:
    def f(x: float) -> float:
        return math.log(x)

    with pytest.raises(ValueError, match="math domain error"):
        gradient(f, -1.0)
