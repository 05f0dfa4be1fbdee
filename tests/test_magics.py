"""`%%gradient` and `%gradient` in an IPython shell, without a browser."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from zyg_interactive.ide import schema

pytest.importorskip("IPython", reason="IPython is not installed")
InteractiveShell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
capture_output = pytest.importorskip("IPython.utils.capture").capture_output

MIME = "application/vnd.zyg.graph.v1+json"
SETUP = """
import numpy as np, math
import zyg_interactive as zyg
x, y, n, text = 2.0, 3.0, 4, "text"
v = np.array([1.0, 2.0, 3.0])
W, b = np.arange(6.0).reshape(2, 3), np.zeros(2)
ran = []
"""


@dataclass
class Ran:
    """What a cell did."""

    stdout: str
    error: BaseException | None
    documents: list[dict[str, Any]] = field(default_factory=list)
    bundles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        (made,) = self.documents
        return made

    @property
    def plain(self) -> str:
        (bundle,) = self.bundles
        return str(bundle["text/plain"])


class Notebook:
    def __init__(self, shell: InteractiveShell):
        self.shell, self.names = shell, shell.user_ns

    def run(self, cell: str) -> Ran:
        """Run a cell; every document that it shows is checked."""
        with capture_output() as captured:
            result = self.shell.run_cell(cell, store_history=True)
        bundles = [o.data for o in captured.outputs if MIME in o.data]
        documents = [b[MIME] for b in bundles]
        for made in documents:
            assert schema.validate(made) == []
            assert schema.validate(json.loads(json.dumps(made, allow_nan=False))) == []
        error = result.error_in_exec or result.error_before_exec
        return Ran(captured.stdout, error, documents, bundles)

    def fine(self, cell: str) -> Ran:
        ran = self.run(cell)
        assert ran.error is None, ran.stdout
        return ran

    def gradients(self, cell: str) -> dict[str, Any]:
        """The gradients of a cell that must have some."""
        self.names.pop("gradients", None)
        ran = self.fine(cell)
        assert ran.documents, ran.stdout
        found = self.names["gradients"]
        assert isinstance(found, dict)
        return found

    def refused(self, cell: str) -> str:
        """What a cell says that ran, and was not differentiated."""
        ran = self.fine(cell)
        assert not ran.documents
        assert "the cell ran, but was not differentiated" in ran.stdout
        return ran.stdout


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(colors="nocolor")
    made.run_cell("%load_ext zyg_interactive")
    yield made
    made.reset()
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(shell: InteractiveShell) -> Notebook:
    shell.reset(new_session=False)
    made = Notebook(shell)
    made.fine(SETUP)
    return made


# ---- what is differentiated


@pytest.mark.parametrize(
    "cell, expected",
    [
        ("%%gradient\nz = x * y", {"x": 3.0, "y": 2.0}),
        ("%%gradient x\nz = x * y", {"x": 3.0}),
        ("%%gradient x, y\nz = x * y", {"x": 3.0, "y": 2.0}),
        ("%%gradient y,x\nz = x * y", {"y": 2.0, "x": 3.0}),
        ("%%gradient n\nz = n * x", {"n": 2.0}),
        ("%%gradient --of z\nz = x * y\nw = z * x", {"x": 3.0, "y": 2.0}),
        ("%%gradient --no-graph\nz = x * y", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nx * y + 1", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nx * y;", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nz = x * y\nz", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nz = x * y\nprint(z)", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nx += 1\nz = x**2", {"x": 6.0}),
        ("%%gradient\nx = 5.0\nz = x**2", {"x": 10.0}),
        ("%%gradient x\nx = 5.0\nz = x**2", {"x": 10.0}),
        ("%%gradient\nt = 1.5\nz = t * 2", {"t": 2.0}),
        ("%%gradient\na, c = x * 2, y * 3\nz = a * c", {"x": 18.0, "y": 12.0}),
        ("%%gradient\nt = [x, x * 2]\nz = t[1]", {"x": 2.0}),
        ("%%gradient\nfor i in range(3):\n    x = x * 2\n    k = i\n    t = [x]", {"x": 8.0}),
        ("%%gradient\nif n > 2:\n    z = x * y", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nwhile x < 100:\n    x = x * y", {"x": 81.0, "y": 216.0}),
        ("%%gradient\ndef f(a):\n    return a * x\nz = f(y)", {"y": 2.0, "x": 3.0}),
        ("%%gradient\nf = lambda a: a * x\nz = f(y)", {"y": 2.0, "x": 3.0}),
        ("%%gradient\ndef f(a):\n    return a * k\nk = x * 2\nz = f(y)", {"x": 6.0, "y": 4.0}),
        ("%%gradient\nz = (lambda: x * y)()", {"x": 3.0, "y": 2.0}),
        ("%%gradient\nwith open('/dev/null'):\n    pass\nz = x * y", {"x": 3.0, "y": 2.0}),
        ("%%gradient\n'''words'''\nz = x", {"x": 1.0}),
        ("%%gradient\nz = int(x) * 2", {"x": None}),
        ("%%gradient x, y\nz = x * 2", {"x": 2.0, "y": None}),
    ],
)
def test_gradients(notebook: Notebook, cell: str, expected: dict[str, Any]) -> None:
    found = notebook.gradients(cell)
    assert found == expected
    assert list(found) == list(expected)


def test_a_classs_own_gradient(notebook: Notebook) -> None:
    """A class of the cell itself, made after an input was used."""
    found = notebook.gradients(
        "%%gradient\nfrom dataclasses import dataclass\nh = x * 2\n@dataclass\n"
        "class Point:\n    a: float\np = Point(h)\nz = p.a * 2"
    )
    assert found == {"x": 4.0}
    assert notebook.names["p"].a == 4.0 and notebook.names["Point"]


def test_containers_and_objects_as_inputs(notebook: Notebook) -> None:
    notebook.fine("params = {'W': np.ones((2, 3)), 'b': np.zeros(2)}")
    found = notebook.gradients("%%gradient\nz = np.sum(params['W'] @ v + params['b'])")
    assert list(found) == ["params", "v"]
    np.testing.assert_array_equal(found["params"]["W"], [[1, 2, 3], [1, 2, 3]])
    notebook.fine("from types import SimpleNamespace\nmodel = SimpleNamespace(W=np.ones(3))")
    found = notebook.gradients("%%gradient model\nz = np.sum(model.W * v)")
    np.testing.assert_array_equal(found["model"].W, [1, 2, 3])


def test_params_are_reached_through_functions_and_objects(notebook: Notebook) -> None:
    notebook.fine(
        "predict = lambda x: W @ x + b\n"
        "class Layer:\n"
        "    def __init__(self):\n        self.W = np.ones((3, 3))\n"
        "    def __call__(self, x):\n        return np.tanh(self.W @ x)\n"
        "layer = Layer()"
    )
    ran = notebook.fine("%%gradient --params W,b\nz = np.sum(predict(np.array([1, 2, 3])))")
    found = notebook.names["gradients_of_params"]
    np.testing.assert_array_equal(found[notebook.names["W"]], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_array_equal(found[notebook.names["b"]], [1, 1])
    assert [i["name"] for i in ran.document["inputs"]] == ["W", "b"]
    ran = notebook.fine("%%gradient --params\nz = np.sum(layer(v))")
    assert {i["name"] for i in ran.document["inputs"]} == {"v", "layer.W"}
    found = notebook.names["gradients_of_params"]
    assert found[notebook.names["layer"].W].shape == (3, 3)


def test_what_a_call_at_the_end_returns_is_not_the_result(notebook: Notebook) -> None:
    """A plot comes after the loss; what it returns is shown as in a plain cell."""
    notebook.fine(
        "import types\nplt = types.ModuleType('plt')\n"
        "exec(\"def plot(*a): return ['a line']\", plt.__dict__)"
    )
    found = notebook.gradients("%%gradient\nh = v * 2\nplt.plot(h)\nz = np.sum(h)\nplt.plot(v)")
    np.testing.assert_array_equal(found["v"], [2, 2, 2])
    assert notebook.names["_"] == ["a line"]


def test_a_last_assignment_of_no_number_is_not_the_result(notebook: Notebook) -> None:
    assert notebook.gradients("%%gradient\nz = x * y\ndone = True\nname = 'loss'")["x"] == 3.0


# ---- the cell runs as a plain one


def test_cell_runs_once(notebook: Notebook) -> None:
    notebook.fine("def f(x):\n    ran.append('f')\n    return x * 2")
    for cell in [
        "%%gradient\nran.append(1)\nz = x * y",
        "%%gradient\nz = x * y\nran.append(1)",
        "%%gradient\nz = f(x)",
        "%%gradient\nz = f(x)\nwords = 'a' + text",
        "%%gradient\nz = f(v)",
        "%%gradient\nz = x * y\nran.append(z)\nw = z * 2",
    ]:
        notebook.names["ran"].clear()
        ran = notebook.run(cell)
        assert ran.error is None and len(notebook.names["ran"]) == 1, cell


def test_values_are_those_of_a_plain_cell(notebook: Notebook) -> None:
    cells = [
        "for i in range(3):\n    q = x * i\n    x = x + q\nlast = q",
        "t = 0.0\nfor k, e in enumerate(v):\n    t += e * k\n    if t > 5:\n        u = t",
        "a = c = x * 2\nd: float = a + 1\n(p, q), r = (a, c), d\nz = p * q * r",
        "h = [e * x for e in v]\ns = sum(h)\nwords = f'{s:.1f}'\ns",
        "import math as m\ndef g(a, k=2):\n    return m.sin(a) * k\nz = g(x) + g(y, k=3)",
        "big = x > 1 and y > 1\nz = x if big else y",
        "z = np.float32(2) * v.astype(np.float32).sum()",
    ]
    for cell in cells:
        notebook.shell.reset(new_session=False)
        notebook.fine(SETUP)
        before = set(notebook.names)
        notebook.fine(cell)
        plain = {k: repr(notebook.names[k]) for k in set(notebook.names) - before}
        plain["x"] = repr(notebook.names["x"])
        notebook.shell.reset(new_session=False)
        notebook.fine(SETUP)
        notebook.fine(f"%%gradient\n{cell}")
        for name, shown in plain.items():
            if name[0] != "_" and "0x" not in shown:
                assert repr(notebook.names[name]) == shown, (cell, name)


def test_output_in_order(notebook: Notebook) -> None:
    cell = "%%gradient\nprint('a')\nz = x * y\nprint('b', z)\nw = z + x\nprint('c', w)"
    assert notebook.fine(cell).stdout.startswith("a\nb 6.0\nc 8.0\n")


def test_value_of_the_last_expression(notebook: Notebook) -> None:
    for cell, expected in [
        ("%%gradient\nx * y", 6.0),
        ("%%gradient\nz = x * y\nz", 6.0),
        ("%%gradient --of z\nz = x * y\nz, x", (6.0, 2.0)),
        ("%%gradient\nz = v * 2\nx * y", 6.0),
    ]:
        ran = notebook.fine(cell)
        assert ran.documents
        assert notebook.names["_"] == expected
    notebook.names["_"] = None
    notebook.fine("%%gradient\nx * y * 2;")
    assert notebook.names["_"] != 12.0


def test_exception_of_the_cell(notebook: Notebook) -> None:
    ran = notebook.run("%%gradient\nz = x * 2\nw = v @ np.ones(7)\nlate = 1.0")
    assert isinstance(ran.error, ValueError) and not ran.documents
    assert re.search(r"-+> 3 w = v @ np.ones\(7\)", ran.stdout)
    assert "zyg_interactive" not in ran.stdout and "run_cell_magic" not in ran.stdout
    assert notebook.names["z"] == 4.0 and "late" not in notebook.names

    ran = notebook.run("%%gradient\nq = x * 2\nr = q * y\nassert r < 0, 'too large'")
    assert isinstance(ran.error, AssertionError)
    assert notebook.names["q"] == 4.0 and notebook.names["r"] == 12.0


def test_exception_in_a_function_of_another_cell(notebook: Notebook) -> None:
    notebook.fine("def fragile(a):\n    return a @ np.ones(7)")
    ran = notebook.run("%%gradient\nz = np.sum(fragile(v))")
    assert isinstance(ran.error, ValueError)
    assert "return a @ np.ones(7)" in ran.stdout and "z = np.sum(fragile(v))" in ran.stdout
    assert "zyg_interactive" not in ran.stdout


def test_exception_after_the_result(notebook: Notebook) -> None:
    ran = notebook.run("%%gradient\nz = x * y\nraise ValueError('at the end')")
    assert isinstance(ran.error, ValueError) and "----> 3 raise ValueError" in ran.stdout
    assert ran.document["result"]["name"] == "z" and notebook.names["gradients"]["x"] == 3.0


def test_exception_of_the_pullback(notebook: Notebook) -> None:
    """All of the cell runs; then the line is shown whose pullback failed."""
    notebook.fine("def add(a, b):\n    return a + b")
    ran = notebook.run(
        "%%gradient\n@zyg.grad(add)\ndef _(a, b):\n    return add(a, b), lambda d: (d,)\n"
        "z = add(x, y)\nafter = 1"
    )
    assert "ZYG401" in ran.stdout
    assert "def _(a, b):" in ran.stdout and "z = add(x, y)" in ran.stdout
    assert "zyg_interactive/" not in ran.stdout
    assert notebook.names["z"] == 5.0 and notebook.names["after"] == 1

    ran = notebook.run(
        "%%gradient\n@zyg.grad(add)\ndef _(a, b):\n    def back(d):\n        return 1 / 0\n"
        "    return add(a, b), back\nz = add(x, y)\nafter = 2"
    )
    assert isinstance(ran.error, ZeroDivisionError)
    assert "return 1 / 0" in ran.stdout and "in pullback of" in ran.stdout
    assert notebook.names["after"] == 2


def test_magics_and_commands_in_the_cell(notebook: Notebook) -> None:
    ran = notebook.fine("%%gradient\n%timeit -n1 -r1 1\n!echo from the shell\nz = x * y")
    assert "from the shell" in ran.stdout
    assert notebook.names["gradients"] == {"x": 3.0, "y": 2.0}
    assert ran.document["source"]["text"].startswith("%timeit -n1")


# ---- refusals


@pytest.mark.parametrize(
    "cell, code, line, bound",
    [
        ("%%gradient\nz = v * 2", "ZYG501", "z = v * 2", "z"),
        ("%%gradient\nz = 'a' + str(x)", "ZYG501", "z = 'a' + str(x)", "z"),
        ("%%gradient\nz = complex(x, 1)", "ZYG501", "z = complex(x, 1)", "z"),
        ("%%gradient\nz = x > 1", "ZYG501", "z = x > 1", "z"),
        ("%%gradient\na, c = x * 2, x", "ZYG601", "a, c = x * 2, x", "c"),
        (
            "%%gradient\nz = v * 1\nz.resize(3)\nw = np.sum(z)",
            "ZYG103",
            "z.resize(3)",
            "w",
        ),
        ("%%gradient\ng = (x for _ in range(2))\nz = x * len([g])", "ZYG101", "[g]", "z"),
        ("%%gradient nosuch\nz = x * 2", "ZYG601", "`nosuch`", "z"),
        ("%%gradient text\nz = x * 2", "ZYG503", "`text` is a str", "z"),
        ("%%gradient --params text\nz = x * 2", "ZYG503", "`text`", "z"),
        ("%%gradient --of nosuch\nz = x * 2", "ZYG601", "`nosuch`", "z"),
        ("%%gradient\nz = n * 2", "ZYG601", "nothing to differentiate", "z"),
        ("%%gradient\n# a comment", "ZYG601", "the cell is empty", "x"),
        ("%%gradient\npass", "ZYG601", "nothing to differentiate", "x"),
    ],
)
def test_refused_cell_ran(notebook: Notebook, cell: str, code: str, line: str, bound: str) -> None:
    told = notebook.refused(cell)
    assert code in told and line in told and "ipython-input" not in told
    assert bound in notebook.names


def test_refused_cell_says_its_line(notebook: Notebook) -> None:
    told = notebook.refused("%%gradient\n\nz = v * 1\nz.resize(2, 1)\nw = np.sum(z)")
    assert re.search(r"Cell In\[\d+\], line 4\n +z.resize\(2, 1\)\n +\^", told)


def test_function_that_reads_what_the_cell_assigns_is_refused(notebook: Notebook) -> None:
    """It would see the value of before: the cell would compute something else than it says."""
    notebook.fine("k = 100.0\ndef scaled(a):\n    return a * k")
    told = notebook.refused("%%gradient\nk = x * 2\nz = scaled(y)")
    assert "ZYG105" in told and "`scaled` reads `k`" in told
    assert notebook.names["z"] == 12.0


def test_fault_of_ours_does_not_cost_the_cell(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zyg_interactive.notebook import cell

    def broken(*_: Any) -> None:
        raise KeyError("oh no")

    monkeypatch.setattr(cell, "lower_block", broken)
    told = notebook.refused("%%gradient\nz = x * y")
    assert "ZYG901" in told and "oh no" in told
    assert notebook.names["z"] == 6.0


@pytest.mark.parametrize(
    "cell, said",
    [
        ("%%gradient --bogus\nz = x", "unrecognized arguments: --bogus"),
        ("%%gradient --view hologram\nz = x", "invalid choice: 'hologram'"),
        ("%%gradient --of\nz = x", "expected one argument"),
        ("%%gradient 'x\nz = x", "No closing quotation"),
        ("%%gradient f(x)\nz = x", "`f(x)` is not the name of a variable"),
        ("%gradient f(", "%gradient takes a call"),
        ("%gradient f(a=1)", "%gradient takes a call"),
        ("%gradient", "%gradient takes a call"),
    ],
)
def test_wrong_use(notebook: Notebook, cell: str, said: str) -> None:
    with capture_output() as captured:
        result = notebook.shell.run_cell(cell)
    assert type(result.error_in_exec).__name__ == "UsageError"
    assert said in captured.stdout + captured.stderr


def test_syntax_error(notebook: Notebook) -> None:
    ran = notebook.run("%%gradient\nz = x\nw = (x")
    assert ran.error is not None and "was never closed" in ran.stdout
    assert "w = (x" in ran.stdout and "line 3" in ran.stdout
    assert "zyg_interactive" not in ran.stdout and "run_cell_magic" not in ran.stdout
    ran = notebook.run("%%gradient\nz = x\nreturn z")
    assert "'return' outside function" in ran.stdout and "zyg_interactive" not in ran.stdout


# ---- what is left and what is shown


def test_gradients_are_left_in_the_namespace(notebook: Notebook) -> None:
    notebook.fine("%%gradient\nz = x * y")
    assert (notebook.names["x_bar"], notebook.names["y_bar"]) == (3.0, 2.0)
    notebook.fine("%%gradient\nz = x * y * 2")
    assert notebook.names["x_bar"] == 6.0


def test_names_of_the_user_are_left_alone(notebook: Notebook) -> None:
    notebook.fine("y_bar = 'a mean'")
    notebook.fine("%%gradient\nx_bar = np.mean(v)\nz = x_bar * x * y")
    assert notebook.names["x_bar"] == 2.0 and notebook.names["y_bar"] == "a mean"
    assert set(notebook.names["gradients"]) == {"v", "x", "y"}
    notebook.fine("%%gradient\ngradients = 5\nz = x")
    assert notebook.names["gradients"] == 5


def test_document(notebook: Notebook) -> None:
    ran = notebook.fine(
        "%%gradient --view pullback --of loss\nh = W @ v\nloss = np.sum(h**2)\nh\n\n"
    )
    made = ran.document
    assert made["view"] == "pullback" and made["title"] == "loss" and made["cellId"] is None
    assert made["source"]["text"] == "h = W @ v\nloss = np.sum(h**2)\nh"
    assert made["source"]["firstLine"] == 2
    assert re.fullmatch(r"Cell In\[\d+\]", made["source"]["file"])
    assert [line["line"] for line in made["lines"]] == [2, 3]
    assert made["result"]["name"] == "loss"
    assert {n["line"] for n in made["graphs"]["forward"]["nodes"]} <= {2, 3}
    assert "h = W @ v" in ran.plain
    assert "<table" in ran.bundles[0]["text/html"]


def test_no_graph(notebook: Notebook) -> None:
    made = notebook.fine("%%gradient --no-graph\nz = x * y").document
    assert made["graphs"]["forward"]["nodes"] == []
    assert made["inputs"][0]["gradient"]["text"] == "3"


def test_document_names_its_cell(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = {"metadata": {"cellId": "abc-123"}}
    monkeypatch.setattr(notebook.shell, "get_parent", lambda: parent, raising=False)
    assert notebook.fine("%%gradient\nz = x").document["cellId"] == "abc-123"


def test_hostile_values_are_text(notebook: Notebook) -> None:
    evil = "<img src=x onerror=alert(1)>"
    notebook.fine(
        f"class Evil:\n    def __repr__(self):\n        return {evil!r}\n"
        f"evil, note = Evil(), {evil!r}"
    )
    ran = notebook.fine(
        f"%%gradient\nlabel = {evil!r} + note\npair = (evil, x)\nkey = {{label: x}}\n"
        "z = key[label] * pair[1]"
    )
    html = ran.bundles[0]["text/html"]
    assert "<img src=x" not in html and "<script" not in html
    assert "&lt;img src=x" in html


def test_infinite_gradient_is_named(notebook: Notebook) -> None:
    with np.errstate(all="ignore"):
        made = notebook.fine("%%gradient\nz = np.sum(np.sqrt(v - 1.0))").document
    assert any("Inf first appears" in note["message"] for note in made["notes"])


# ---- calls


def test_gradient_of_a_call(notebook: Notebook) -> None:
    notebook.fine("def f(a, k):\n    h = np.sin(a)\n    return h * k")
    ran = notebook.fine("%gradient f(x, y)")
    assert ran.document["title"] == "f(x, y)"
    assert ran.document["source"]["text"].startswith("def f(a, k):")
    assert re.fullmatch(r"Cell In\[\d+\]", ran.document["source"]["file"])
    found = notebook.names["gradients"]
    assert found["a"] == pytest.approx(3.0 * np.cos(2.0)) and found["k"] == np.sin(2.0)
    ran = notebook.fine("%gradient (lambda t: t**2)(3.0)")
    assert notebook.names["gradients"] == {"t": 6.0}


def test_call_that_fails(notebook: Notebook) -> None:
    notebook.fine("def f(a):\n    return a @ np.ones(7)\ndef g(a):\n    return a * 2")
    ran = notebook.run("%gradient f(v)")
    assert isinstance(ran.error, ValueError) and "return a @ np.ones(7)" in ran.stdout
    assert "zyg_interactive" not in ran.stdout
    ran = notebook.run("%gradient g(v)")
    assert (
        "ZYG501" in ran.stdout and "Cell In[" in ran.stdout and "zyg_interactive" not in ran.stdout
    )
    ran = notebook.run("%gradient nosuch(v)")
    assert isinstance(ran.error, NameError) and "zyg_interactive" not in ran.stdout


# ---- again and again


def test_helper_defined_anew_takes_effect(notebook: Notebook) -> None:
    notebook.fine("def helper(a):\n    return a * 2")
    cell = "%%gradient\nz = helper(x)"
    assert notebook.gradients(cell) == {"x": 2.0}
    notebook.fine("def helper(a):\n    return a * 5")
    assert notebook.gradients(cell) == {"x": 5.0}
    notebook.fine("factor = 7.0\ndef helper(a):\n    return a * factor")
    assert notebook.gradients(cell)["x"] == 7.0
    notebook.fine("factor = 8.0")
    assert notebook.gradients(cell)["x"] == 8.0


def test_function_and_its_imports_in_one_cell(notebook: Notebook) -> None:
    """IPython compiles a cell statement by statement: the code is not that of the whole text."""
    notebook.shell.reset(new_session=False)
    notebook.fine("import numpy as np\ndef total(a):\n    return np.sum(a * 2)\nv = np.ones(3)")
    np.testing.assert_array_equal(notebook.gradients("%%gradient\nz = total(v)")["v"], [2, 2, 2])
    notebook.fine("%%gradient\nimport numpy as np\ndef more(a):\n    return np.sum(a)\nz = more(v)")
    assert notebook.gradients("%%gradient\nz = more(v)")["v"][0] == 1.0


def test_same_cell_twenty_times(notebook: Notebook) -> None:
    """No slower, and nothing is kept that was not kept before."""
    cell = "%%gradient\nh = np.tanh(W @ v)\nz = np.sum(h * h)"
    times, counts = [], []
    for _ in range(20):
        start = time.perf_counter()
        notebook.fine(cell)
        times.append(time.perf_counter() - start)
        gc.collect()
        counts.append(sum("zyg_" in repr(type(o)) for o in gc.get_objects()))
    assert sorted(times[10:])[5] < 3 * sorted(times[:10])[5]
    assert counts[-1] <= counts[5] * 1.1


def test_hundred_nodes_are_quick(notebook: Notebook) -> None:
    lines = ["h0 = np.sin(v)"]
    lines += [f"h{i} = np.tanh(h{i - 1} * {i}.0) + h{max(i - 3, 0)}" for i in range(1, 34)]
    cell = "%%gradient\n" + "\n".join([*lines, "z = np.sum(h33)"])
    assert len(notebook.fine(cell).document["graphs"]["forward"]["nodes"]) >= 100
    times = []
    for _ in range(3):
        start = time.perf_counter()
        notebook.fine(cell)
        times.append(time.perf_counter() - start)
    assert min(times) < 1.0  # 0.2 s on a quiet machine
