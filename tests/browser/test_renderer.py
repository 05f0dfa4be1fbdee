"""Graph documents in JupyterLab: drawn, linked, reachable by keyboard, and harmless."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    OpenNotebook = Callable[..., Page]

pytestmark = pytest.mark.browser

Document = dict[str, Any]
CodeCell = Callable[..., dict[str, Any]]

MAGIC = "%%gradient loss(w, b, x)\n"
EVIL = "<img src=x onerror=alert(1)>"
SHOWN = ".zyg-panel:not([hidden])"


def cell_text(document: Document) -> str:
    text: str = document["source"]["text"]
    return MAGIC + text.rstrip("\n")


@pytest.fixture
def page(open_notebook: OpenNotebook, code_cell: CodeCell, document: Document) -> Page:
    """The document in the output of its own cell, with another cell after it."""
    cells = [code_cell("cell-loss", cell_text(document), document), code_cell("after", "x = 1")]
    opened = open_notebook(cells)
    opened.wait_for_selector(".zyg-node")
    opened.wait_for_selector(".zyg-gutter .zyg-badge")
    return opened


def node(page: Page, node_id: str) -> Locator:
    return page.locator(f"{SHOWN} .zyg-node[data-node='{node_id}']")


def lit_nodes(page: Page) -> set[str | None]:
    found = page.locator(f"{SHOWN} .zyg-node.zyg-lit").all()
    return {item.get_attribute("data-node") for item in found}


def source_line(page: Page, line: int) -> Locator:
    return page.locator(f".zyg-sourcepanel .zyg-line[data-line='{line}']")


def lit_lines(page: Page, listing: str = ".zyg-sourcepanel") -> list[str | None]:
    found = page.locator(f"{listing} .zyg-line.zyg-lit").all()
    return [item.get_attribute("data-line") for item in found]


def editor_line(page: Page, line: int) -> Locator:
    return page.locator(".jp-CodeCell .cm-line").nth(line - 1)


def lit_in_editor(page: Page) -> list[str]:
    return page.locator(".cm-line.zyg-editor-lit").all_inner_texts()


def gutter(page: Page, cell: int = 0) -> list[tuple[str, str]]:
    """The text of each editor line that has a marker, and the marker's."""
    found: list[list[str]] = (
        page.locator(".jp-CodeCell")
        .nth(cell)
        .evaluate(
            """cell => {
            const lines = [...cell.querySelectorAll('.cm-line')];
            const middle = e => {
                const { top, bottom } = e.getBoundingClientRect();
                return (top + bottom) / 2;
            };
            return [...cell.querySelectorAll('.zyg-gutter .zyg-badge')].map(badge => {
                const line = lines.find(e => Math.abs(middle(e) - middle(badge)) < 5);
                return [(line?.textContent ?? '?').trim(), badge.textContent];
            });
        }"""
        )
    )
    return [(line, badge) for line, badge in found]


MARKED = [
    ("h = x @ w + b", "0.42"),
    ("h = np.tanh(h)  # squash", "1.31"),
    ("bad = np.log(h * 0.0)", "NaN"),
    ("return np.sum(h ** 2) + 0 * np.sum(bad)", "3.46"),
]


def test_document_is_drawn(page: Page) -> None:
    assert page.locator(".zyg-title").inner_text() == "loss= 2.4025"
    assert page.locator(".zyg-chip .zyg-badge").all_inner_texts() == [
        "‖∇‖ 2.75",
        "‖∇‖ 0.0312",
        "‖∇‖ 0",
        "no path",
    ]
    assert page.locator(f"{SHOWN} .zyg-node").count() == 11
    assert page.locator(f"{SHOWN} .zyg-edge").count() == 11
    assert page.locator(f"{SHOWN} .zyg-group.zyg-kind-loop").count() == 1
    for node_id, mark in [("n5", "heat"), ("n2", "zero"), ("n6", "none"), ("n7", "bad")]:
        assert f"zyg-{mark}" in (node(page, node_id).get_attribute("class") or "").split()
    assert source_line(page, 5).locator(".zyg-badge").inner_text() == "1.31"
    assert gutter(page) == MARKED


def test_tabs_show_each_view(page: Page) -> None:
    for tab, expected in [
        ("Forward graph", "np.tanh"),
        ("Pullback graph", "w_bar"),
        ("Forward IR", "function loss("),
        ("Pullback IR", "function loss_pullback("),
        ("Generated code", "tape.append(h)"),
    ]:
        page.get_by_role("tab", name=tab).click()
        assert expected in page.get_by_role("tabpanel", name=tab).inner_text()
    page.get_by_role("button", name="Side by side").click()
    assert page.locator(SHOWN).count() == 1


def test_node_lights_its_line_everywhere(page: Page) -> None:
    node(page, "n5").hover()
    assert lit_nodes(page) == {"n5"}
    assert lit_lines(page) == ["5"]
    assert page.locator(".zyg-sourcepanel .zyg-span").all_inner_texts() == ["np.tanh(h)"]
    page.wait_for_selector(".cm-line.zyg-editor-lit .zyg-span")
    assert lit_in_editor(page) == ["        h = np.tanh(h)  # squash"]
    detail = page.locator(".zyg-detail").inner_text()
    assert "ran 3 times" in detail and "float64[4, 3]" in detail

    node(page, "n5").click()
    page.get_by_role("tab", name="Pullback graph").click()
    assert lit_nodes(page) == {"b3"}
    page.get_by_role("tab", name="Generated code").click()
    assert lit_lines(page, f"{SHOWN} .zyg-listing[aria-label='Generated code']") == ["5", "6", "13"]


def test_line_lights_its_nodes(page: Page) -> None:
    source_line(page, 3).hover()
    assert lit_nodes(page) == {"n3", "n4"}
    page.wait_for_selector(".cm-line.zyg-editor-lit")
    assert lit_in_editor(page) == ["    h = x @ w + b"]

    editor_line(page, 9).hover(position={"x": 60, "y": 8})
    page.wait_for_selector(".zyg-node[data-node='n9'].zyg-lit")
    assert lit_nodes(page) == {"n8", "n9"}
    assert lit_lines(page) == ["9"]
    page.wait_for_selector(".zyg-tip")

    page.locator(".zyg-title").hover()
    page.wait_for_selector(".zyg-node.zyg-lit", state="detached")
    page.locator(".zyg-gutter .zyg-badge").nth(1).click()
    page.locator(".zyg-title").hover()
    page.wait_for_selector(".zyg-detail.zyg-pinned")
    assert lit_nodes(page) == {"n5"}


def test_keyboard_alone_is_enough(page: Page) -> None:
    def focused() -> str | None:
        found: str | None = page.evaluate("document.activeElement.dataset.node ?? null")
        return found

    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = page.evaluate(active)
    page.get_by_role("tab", name="Source").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Forward graph"

    node(page, "n0").focus()
    for key, expected in [
        ("ArrowDown", "n3"),
        ("ArrowDown", "n4"),
        ("ArrowDown", "n5"),
        ("ArrowUp", "n4"),
        ("ArrowRight", "n6"),
        ("ArrowLeft", "n4"),
    ]:
        page.keyboard.press(key)
        assert focused() == expected
    assert lit_lines(page) == ["3"]
    page.keyboard.press("Enter")
    assert node(page, "n4").get_attribute("aria-pressed") == "true"
    assert focused() == "n4"
    page.keyboard.press("Escape")
    assert page.locator(".zyg-node[aria-pressed='true']").count() == 0

    source_line(page, 4).focus()
    page.keyboard.press("ArrowDown")
    assert lit_nodes(page) == {"n5"}
    page.keyboard.press("Enter")
    assert source_line(page, 5).get_attribute("aria-selected") == "true"
    assert page.evaluate(active) == before


def test_hostile_text_stays_text(page: Page) -> None:
    for tab in page.get_by_role("tab").all():
        tab.click()
    page.get_by_role("tab", name="Source").click()
    for item in page.locator(f"{SHOWN} .zyg-node").all():
        item.hover()
    editor_line(page, 5).hover(position={"x": 60, "y": 8})
    page.wait_for_selector(".zyg-tip")
    assert EVIL in page.locator(".zyg-tip").inner_text()
    assert page.locator(".zyg-output img, .zyg-tip img, .zyg-gutter img").count() == 0
    assert EVIL in page.locator(".zyg-notes").inner_text()


def break_document(document: Document, path: list[str | int], value: object) -> Document:
    broken = copy.deepcopy(document)
    at: Any = broken
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return broken


def test_malformed_documents_say_so(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document
) -> None:
    broken: list[object] = [
        break_document(document, ["version"], 2),
        break_document(document, ["version"], None),
        break_document(document, ["graphs", "forward", "nodes", 2, "label"], None),
        break_document(document, ["graphs", "pullback", "layout"], ["no"]),
        break_document(document, ["lines"], "none"),
        break_document(document, ["code", "lines", 0], [1]),
        break_document(document, ["source", "firstLine"], "2"),
        {},
        [],
    ]
    page = open_notebook([code_cell("cell-loss", cell_text(document), *broken)])
    page.wait_for_function(f"document.querySelectorAll('.zyg-problem').length === {len(broken)}")
    problems = page.locator(".zyg-problem").all_inner_texts()
    assert "version 2" in problems[0]
    assert "document.graphs.forward.nodes[2].label is not text" in problems[2]
    assert page.locator(".zyg-gutter .zyg-badge").count() == 0


def test_dangling_references_are_harmless(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document
) -> None:
    document["lines"][0]["node"] = "nowhere"
    document["result"]["node"] = "__proto__"
    document["graphs"]["forward"]["edges"].append({"from": "n0", "to": "nowhere"})
    document["graphs"]["forward"]["groups"][0]["parent"] = "g0"
    del document["graphs"]["forward"]["layout"]["nodes"]["n10"]
    page = open_notebook([code_cell("cell-loss", cell_text(document), document)])
    page.wait_for_selector(".zyg-node")
    assert page.locator(f"{SHOWN} .zyg-node").count() == 10
    source_line(page, 3).hover()
    assert lit_nodes(page) == {"n3", "n4"}


CONTRASTS = """selectors => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const channels = (color, over) => {
        context.fillStyle = over ?? '#000';
        context.fillRect(0, 0, 1, 1);
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = rgb => {
        const [r, g, b] = rgb.map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (a, b) => {
        const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
        return (x + 0.05) / (y + 0.05);
    };
    const badges = [...document.querySelectorAll('.zyg-badge:not(:empty)')].map(e => {
        const style = getComputedStyle(e);
        return [e.className, ratio(channels(style.color), channels(style.backgroundColor))];
    });
    const nodes = [...document.querySelectorAll('.zyg-node')].map(e => {
        const ink = getComputedStyle(e.querySelector('.zyg-label')).fill;
        const fill = getComputedStyle(e.querySelector('.zyg-box')).fill;
        return [e.getAttribute('class'), ratio(channels(ink), channels(fill))];
    });
    return [...badges, ...nodes];
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_legible_on_every_colour(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document, dark: bool
) -> None:
    ramp = [node for node in document["graphs"]["forward"]["nodes"] if node["id"] != "n7"]
    for step, item in enumerate(ramp):
        item["sensitivity"] = 10.0**step
        item["cotangent"] = None
    document["scale"] = {"min": 1.0, "max": 10.0 ** (len(ramp) - 1)}
    page = open_notebook([code_cell("cell-loss", cell_text(document), document)], dark=dark)
    page.wait_for_selector(".zyg-node")
    page.wait_for_selector(".zyg-gutter .zyg-badge")
    measured: list[tuple[str, float]] = page.evaluate(CONTRASTS)
    assert len(measured) >= 18
    assert [item for item in measured if item[1] < 4.5] == []


def set_cell(page: Page, text: str, cell: int = 0) -> None:
    page.evaluate(
        """([cell, text]) => {
            const content = window.jupyterapp.shell.currentWidget.content;
            content.widgets[cell].model.sharedModel.setSource(text);
        }""",
        [cell, text],
    )


def stale(page: Page) -> int:
    return page.locator(".zyg-gutter .zyg-badge.zyg-stale").count()


def test_markers_follow_their_lines_and_go_stale(page: Page, document: Document) -> None:
    # A line above the source moves it; the source itself is as it was.
    editor_line(page, 1).click(position={"x": 30, "y": 8})
    page.keyboard.press("Home")
    page.keyboard.type("\n\n")
    assert gutter(page) == MARKED
    assert stale(page) == 0

    # A new line within it makes it another function: markers stay at their lines, and say so.
    editor_line(page, 4).click(position={"x": 30, "y": 8})
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("y = 1")
    assert gutter(page) == MARKED
    assert stale(page) == len(MARKED)
    title = page.locator(".zyg-gutter .zyg-badge").first.get_attribute("title")
    assert title == "stale: run the cell again"

    set_cell(page, cell_text(document))
    page.wait_for_selector(".zyg-badge.zyg-stale", state="detached")
    assert gutter(page) == MARKED


def test_stale_when_opened_and_mended_by_typing(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document
) -> None:
    edited = cell_text(document).replace("h * 0.0", "h * 0.5")
    page = open_notebook([code_cell("cell-loss", edited, document)])
    page.wait_for_selector(".zyg-badge.zyg-stale")
    set_cell(page, cell_text(document))
    page.wait_for_selector(".zyg-badge.zyg-stale", state="detached")
    assert gutter(page) == MARKED


def test_painting_finds_its_cell(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document
) -> None:
    """A copy of a cell has a new id; a document without a cell paints none."""
    text = cell_text(document)
    page = open_notebook(
        [
            code_cell("cell-loss", text, document),
            code_cell("a-copy", text, {**document, "id": "doc-2"}),
            code_cell("elsewhere", text, {**document, "id": "doc-3", "cellId": None}),
        ]
    )
    page.wait_for_selector(".jp-CodeCell:nth-child(2) .zyg-gutter .zyg-badge")
    assert gutter(page, 0) == MARKED
    assert gutter(page, 1) == MARKED
    assert gutter(page, 2) == []


def test_editor_made_later_is_painted(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document, windowed_lab: str
) -> None:
    filler = [code_cell(f"filler-{index}", "x = 1\n" * 10) for index in range(250)]
    cells = [*filler, code_cell("cell-loss", cell_text(document), document)]
    page = open_notebook(cells, address=windowed_lab)
    assert page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.widgets.at(-1).editor === null"
    )
    page.evaluate(
        """() => {
            const content = window.jupyterapp.shell.currentWidget.content;
            void content.scrollToItem(content.widgets.length - 1, 'center');
        }"""
    )
    page.wait_for_selector(".zyg-gutter .zyg-badge")
    # While the notebook scrolls, cells come and go: the last one settles.
    for _ in range(50):
        marked = gutter(page, page.locator(".jp-CodeCell").count() - 1)
        if marked == MARKED:
            break
        page.wait_for_timeout(200)
    assert marked == MARKED


def large_document(document: Document, count: int) -> Document:
    """The document with a forward graph of `count` nodes in rows of ten."""
    graph = document["graphs"]["forward"]
    sample = graph["nodes"][3]
    graph["nodes"] = [
        {
            **sample,
            "id": f"n{index}",
            "primal": f"n{index}",
            "label": f"v{index} = f(v{index - 10})",
            "line": 3 + index % 6,
            "sensitivity": 10.0 ** (index % 7 - 3),
        }
        for index in range(count)
    ]
    graph["edges"] = [{"from": f"n{i}", "to": f"n{i + 10}"} for i in range(count - 10)]
    graph["groups"] = []
    boxes = {
        f"n{i}": {"x": 80 + i % 10 * 150, "y": 30 + i // 10 * 70, "w": 130, "h": 32}
        for i in range(count)
    }
    routes = [
        {
            **edge,
            "points": [
                [boxes[edge["from"]]["x"], boxes[edge["from"]]["y"] + 16],
                [boxes[edge["to"]]["x"], boxes[edge["to"]]["y"] - 16],
            ],
        }
        for edge in graph["edges"]
    ]
    height = 60 + count // 10 * 70
    graph["layout"] = {
        "width": 1560,
        "height": height,
        "nodes": boxes,
        "edges": routes,
        "groups": {},
    }
    document["scale"] = {"min": 1e-3, "max": 1e3}
    return document


def test_large_graph_is_quick_and_followed(
    open_notebook: OpenNotebook, code_cell: CodeCell, document: Document
) -> None:
    large = large_document(document, 300)
    page = open_notebook([code_cell("cell-loss", cell_text(document), large)])
    page.wait_for_selector(".zyg-node")
    assert page.locator(f"{SHOWN} .zyg-node").count() == 300
    font = page.evaluate(
        f"""document.querySelector('{SHOWN} .zyg-label').getBoundingClientRect().height"""
    )
    assert font > 6  # opened large enough to read, not shrunk to fit

    hover_ms = page.evaluate(
        """async () => {
            const lines = document.querySelectorAll('.zyg-sourcepanel .zyg-line.zyg-linkable');
            const start = performance.now();
            for (const line of lines) {
                line.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
            }
            return (performance.now() - start) / lines.length;
        }"""
    )
    assert hover_ms < 50

    # A node out of sight comes into sight when it gets the focus.
    node(page, "n0").focus()
    page.keyboard.press("End")
    box, frame = (
        node(page, "n299").bounding_box(),
        page.locator(f"{SHOWN} .zyg-graph").bounding_box(),
    )
    assert box is not None and frame is not None
    assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert frame["y"] <= box["y"] and box["y"] + box["height"] <= frame["y"] + frame["height"]


def test_zoom_and_fit(page: Page) -> None:
    graph = page.locator(f"{SHOWN} .zyg-graphpane")

    def width() -> float:
        box = node(page, "n5").bounding_box()
        assert box is not None
        return box["width"]

    start = width()
    graph.get_by_role("button", name="Zoom in").click()
    assert width() > start * 1.2
    graph.get_by_role("button", name="Show the whole graph").click()
    assert width() == pytest.approx(start, rel=0.2)
    before = width()
    node(page, "n5").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("true")
    assert width() > before
