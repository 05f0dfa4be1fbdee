"""The main job in JupyterLab: a `%%gradient` cell run by a kernel, seen, saved, opened again."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    OpenNotebook = Callable[..., Page]

pytestmark = pytest.mark.browser

MIME = "application/vnd.zyg.graph.v1+json"
SHOWN = ".zyg-panel:not([hidden])"
Document = dict[str, Any]

SETUP = """\
%load_ext zyg_interactive
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
W, b = rng.normal(size=(3, 4)), np.zeros(4)
ran = 0"""
LOSS = """\
%%gradient W, b
ran += 1
h = np.tanh(X @ W + b)
p = np.sum(h, axis=1)
loss = np.mean((p - y) ** 2)
print("ran", ran)"""
FAILING = """\
%%gradient W
before = W * 2
after = before @ np.ones(7)"""
REFUSED = """\
%%gradient W
c = W * 1.0
c.resize(2, 4, refcheck=False)
total = np.sum(c)
print("total", round(total, 3))"""
AFTER = "print('found', np.shape(W_bar), np.shape(before))"


def code(cell_id: str, source: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "execution_count": None,
        "source": source,
        "outputs": [],
    }


CELLS = {
    "setup": SETUP,
    "loss": LOSS,
    "failing": FAILING,
    "refused": REFUSED,
    "after": AFTER,
}


def run(page: Page, *cells: int) -> None:
    """Run cells one after the other, each to its end."""
    for cell in cells:
        page.evaluate(
            """cell => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.activeCellIndex = cell;
                content.deselectAll();
                void window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell,
        )
        page.wait_for_function(
            """cell => {
                const { model } = window.jupyterapp.shell.currentWidget.content.widgets[cell];
                return model.executionCount !== null && model.executionState === 'idle';
            }""",
            arg=cell,
        )


def in_cell(page: Page, cell: int, selector: str) -> Locator:
    return page.locator(".jp-CodeCell").nth(cell).locator(selector)


def outputs(page: Page, cell: int) -> str:
    return in_cell(page, cell, ".jp-OutputArea").inner_text()


def document_of(page: Page, cell: int) -> Document:
    """The document in the outputs of a cell."""
    found: list[dict[str, Any]] = page.evaluate(
        """cell => {
            const { widgets } = window.jupyterapp.shell.currentWidget.content;
            return widgets[cell].model.outputs.toJSON();
        }""",
        cell,
    )
    (made,) = [item["data"][MIME] for item in found if MIME in item.get("data", {})]
    assert isinstance(made, dict)
    return made


def node_of(document: Document, name: str) -> str:
    """The last node of a variable."""
    nodes = [n for n in document["graphs"]["forward"]["nodes"] if n["name"] == name]
    found = nodes[-1]["id"]
    assert isinstance(found, str)
    return found


def check_drawn_and_linked(page: Page, document: Document) -> None:
    """The picture of LOSS: nodes, gutter, and links both ways."""
    page.wait_for_selector(f"{SHOWN} .zyg-node")
    assert page.locator(f"{SHOWN} .zyg-node").count() == len(document["graphs"]["forward"]["nodes"])
    page.wait_for_selector(".zyg-gutter .zyg-badge")
    assert in_cell(page, 1, ".zyg-gutter .zyg-badge").count() == len(document["lines"])
    assert page.locator(".zyg-gutter .zyg-stale").count() == 0

    page.locator(f"{SHOWN} .zyg-node[data-node='{node_of(document, 'h')}']").hover()
    page.wait_for_selector(".cm-line.zyg-editor-lit")
    assert page.locator(".cm-line.zyg-editor-lit").all_inner_texts() == ["h = np.tanh(X @ W + b)"]
    in_cell(page, 1, ".zyg-title").hover()
    page.wait_for_selector(".cm-line.zyg-editor-lit", state="detached")

    in_cell(page, 1, ".cm-line").nth(4).hover(position={"x": 60, "y": 8})
    page.wait_for_selector(f".zyg-node.zyg-lit[data-node='{node_of(document, 'loss')}']")
    in_cell(page, 1, ".zyg-title").hover()


def test_from_the_cell_to_its_picture_and_back(
    open_notebook: OpenNotebook, notebooks: pathlib.Path
) -> None:
    page = open_notebook([code(*item) for item in CELLS.items()], kernel=True)
    run(page, 0, 1)
    assert outputs(page, 1).startswith("ran 1\n")
    document = document_of(page, 1)
    assert document["cellId"] == "loss" and document["view"] == "source"
    assert [item["name"] for item in document["inputs"]] == ["W", "b"]
    check_drawn_and_linked(page, document)

    run(page, 2)
    error = outputs(page, 2)
    assert "after = before @ np.ones(7)" in error and "ValueError" in error
    assert "zyg_interactive" not in error

    run(page, 3)
    refused = outputs(page, 3)
    assert "total" in refused and "ZYG103" in refused and "c.resize(2, 4" in refused

    run(page, 4)
    assert outputs(page, 4).strip() == "found (3, 4) (3, 4)"

    page.evaluate("() => { void window.jupyterapp.commands.execute('docmanager:save'); }")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    path = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    saved = json.loads((notebooks / path).read_text("utf-8"))

    page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")
    again = open_notebook(saved["cells"])  # and no kernel
    check_drawn_and_linked(again, document)
    assert outputs(again, 1).startswith("ran 1\n")


def test_call_paints_the_cell_of_its_function(open_notebook: OpenNotebook) -> None:
    defining = "import numpy as np\n\ndef f(a):\n    h = np.sin(a)\n    return h * 2"
    call = "%load_ext zyg_interactive\n%gradient f(0.5)"
    page = open_notebook([code("defining", defining), code("call", call)], kernel=True)
    run(page, 0, 1)
    page.wait_for_selector(".zyg-gutter .zyg-badge")
    assert in_cell(page, 0, ".zyg-gutter .zyg-badge").count() == 3
    assert in_cell(page, 1, ".zyg-gutter .zyg-badge").count() == 0
    assert in_cell(page, 1, ".zyg-title").inner_text().startswith("f(0.5)")


@pytest.mark.parametrize(
    "view, tab",
    [
        ("forward", "Forward graph"),
        ("pullback", "Pullback graph"),
        ("ir", "Forward IR"),
        ("code", "Generated code"),
    ],
)
def test_view_is_opened_first(
    open_notebook: OpenNotebook,
    code_cell: Callable[..., dict[str, Any]],
    document: Document,
    view: str,
    tab: str,
) -> None:
    page = open_notebook([code_cell("cell-loss", "x", {**document, "view": view})])
    page.wait_for_selector(".zyg-tab")
    assert page.locator(".zyg-tab[aria-selected='true']").inner_text() == tab
    assert page.locator(SHOWN).count() == 2  # the source beside it


def test_unknown_view_is_the_source(
    open_notebook: OpenNotebook, code_cell: Callable[..., dict[str, Any]], document: Document
) -> None:
    page = open_notebook([code_cell("cell-loss", "x", {**document, "view": "hologram"})])
    page.wait_for_selector(".zyg-node")
    assert page.locator(".zyg-tab[aria-selected='true']").inner_text() == "Source"


def test_second_line_of_a_node(
    open_notebook: OpenNotebook, code_cell: Callable[..., dict[str, Any]], document: Document
) -> None:
    """In the forward graph the value and the sensitivity, in the pullback graph the cotangent."""
    for graph, held in (("forward", "value"), ("pullback", "cotangent")):
        for item in document["graphs"][graph]["nodes"]:
            item[held] = {"type": "float", "shape": [], "norm": 1.0, "min": 1.0, "max": 1.0}
            item[held] |= {"nan": 0, "inf": 0, "text": f"a {held}"}
    page = open_notebook([code_cell("cell-loss", "x", {**document, "view": "pullback"})])
    page.wait_for_selector(".zyg-node")
    texts = page.locator(f"{SHOWN} .zyg-sub").all_text_contents()
    assert texts and all(text.startswith("a cotangent · ") for text in texts)
    page.get_by_role("tab", name="Forward graph").click()
    assert page.locator(f"{SHOWN} .zyg-sub").first.text_content() == "a value · 2.75"
