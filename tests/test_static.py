"""Static pictures: what they show, and that no text of a user ever becomes markup."""

import base64
import json
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from zyg_interactive.ide.boxes import columns
from zyg_interactive.ide.layered import layered_layout
from zyg_interactive.ide.layout import box
from zyg_interactive.ide.schema import Document, Edge, Graph, Group, Node, Summary, validate
from zyg_interactive.ide.static import (
    MAGENTA,
    GraphName,
    contrast,
    heat,
    ink,
    to_html,
    to_svg,
    to_text,
    warmth,
)

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</text></g></svg><b>&lt;&amp;]]>",
    "</pre></td></table><iframe src=javascript:alert(1)>",
    '"]; evil [label=<<b>x</b>>]; //',
    "\x1b[31mred\x07\x00",
    "\u202egnp.exe\u2066",
    "\ud800 lone",
    "漢字 é 🙂",
    "a\nb\r\nc\td",
    "${7*7}{{x}}%s\\N\\G",
]


# ---------------------------------------------------------------------- making small documents


def summary(text: str = "0.5", shape: tuple[int, ...] = (), **other: Any) -> Summary:
    size = f"[{', '.join(map(str, shape))}]" if shape else ""
    made: Any = {
        "type": f"float64{size}",
        "shape": list(shape),
        "norm": 0.5,
        "min": 0.1,
        "max": 0.9,
        "nan": 0,
        "inf": 0,
        "text": text,
    }
    made.update(other)
    return cast(Summary, made)


def node(identity: str, label: str, sensitivity: float | None = 0.5, **other: Any) -> Node:
    made: Any = {
        "id": identity,
        "primal": identity.replace("b", "n"),
        "kind": "op",
        "label": label,
        "name": label.partition(" ")[0],
        "line": 1,
        "col": 0,
        "endLine": 1,
        "endCol": 1,
        "type": "float64",
        "group": None,
        "visits": 1,
        "value": summary(),
        "cotangent": None if sensitivity is None else summary(),
        "sensitivity": sensitivity,
    }
    made.update(other)
    return cast(Node, made)


def graph(
    nodes: list[Node], ends: Sequence[tuple[str, str]] = (), groups: Sequence[Group] = ()
) -> Graph:
    edges: list[Edge] = [{"from": start, "to": end} for start, end in ends]
    laid = layered_layout([box(item) for item in nodes], edges, list(groups))
    return {"nodes": nodes, "edges": edges, "groups": list(groups), "layout": laid}


def document(forward: Graph, pullback: Graph | None = None, **other: Any) -> Document:
    positive = [s for item in forward["nodes"] if (s := item["sensitivity"])]
    first = forward["nodes"][0]["id"] if forward["nodes"] else ""
    made: Any = {
        "version": 1,
        "id": "d1",
        "title": "loss",
        "cellId": None,
        "source": {"file": "cell 1", "firstLine": 1, "text": "z = w @ x + b\ny = z * z"},
        "result": None,
        "inputs": [],
        "lines": [],
        "graphs": {"forward": forward, "pullback": pullback or graph([])},
        "scale": {"min": min(positive, default=None), "max": max(positive, default=None)},
        "ir": {"forward": "", "pullback": ""},
        "code": {"text": "def pullback(y_bar):\n    return y_bar", "lines": []},
        "notes": [],
    }
    if first:
        made["lines"] = [
            {"line": 1, "sensitivity": 0.5, "node": first, "nodes": [first], "text": "|∂| = 0.5"}
        ]
    made.update(other)
    return cast(Document, made)


def layer() -> Document:
    """A small network layer with a loop: the document of most tests, and of the pictures."""
    loop: Group = {
        "id": "g0",
        "kind": "loop",
        "label": "for k in range(3)",
        "parent": None,
        "line": 3,
    }
    call: Group = {"id": "g1", "kind": "call", "label": "act(z)", "parent": "g0", "line": 5}
    array = summary("[[0.1, 0.2], [0.3, 0.4]]", (2, 2))
    nodes = [
        node("n0", "w", 1.8, kind="input", value=array, line=1),
        node("n1", "x", 0.21, kind="input", value=array, line=1),
        node("n2", "b", 0.0, kind="input", line=1),
        node("n3", "0.5", None, kind="const", line=2, value=summary("0.5")),
        node("n4", "h = x", 0.3, line=2, value=array),
        node("n5", "w @ h", 0.9, line=4, group="g0", visits=3, value=array),
        node("n6", "z = w @ h + b", 0.62, line=4, group="g0", visits=3, value=array),
        node(
            "n7",
            "exp(z)",
            None,
            line=5,
            group="g1",
            visits=3,
            value=array,
            cotangent=summary("nan", (2, 2), nan=2, norm=None),
        ),
        node("n8", "h = tanh(z)", 0.07, line=5, group="g1", visits=3, value=array),
        node("n9", "print_width = len(h)", None, line=6, value=summary("2", type="int")),
        node("n10", "h * h", 0.02, line=7, value=array),
        node("n11", "y = sum(h * h)", 1.0, kind="result", line=7, value=summary("0.4213")),
    ]
    ends = [
        ("n1", "n4"),
        ("n0", "n5"),
        ("n4", "n5"),
        ("n5", "n6"),
        ("n2", "n6"),
        ("n6", "n7"),
        ("n6", "n8"),
        ("n7", "n8"),
        ("n8", "n5"),
        ("n8", "n10"),
        ("n8", "n10"),
        ("n8", "n9"),
        ("n10", "n11"),
        ("n3", "n11"),
        ("n0", "n11"),
    ]
    backward: list[Node] = [
        {**item, "id": item["id"].replace("n", "b"), "label": f"{item['name']}_bar"}
        for item in nodes[4:]
    ]
    back_ends = [
        (end.replace("n", "b"), start.replace("n", "b"))
        for start, end in ends
        if {start, end}.isdisjoint({"n0", "n1", "n2", "n3"})
    ]
    text = (
        "def loss(w, x, b):\n    h, c = x, 0.5\n    for k in range(3):\n        z = w @ h + b\n"
        "        h = act(z)\n    print_width = len(h)\n    return c * np.sum(h * h)"
    )
    lines = [
        {"line": 2, "sensitivity": 0.3, "node": "n4", "nodes": ["n4"], "text": "|∂y/∂h| = 0.3"},
        {
            "line": 4,
            "sensitivity": 0.9,
            "node": "n5",
            "nodes": ["n5", "n6"],
            "text": "|∂y/∂z| = 0.62",
        },
        {
            "line": 5,
            "sensitivity": None,
            "node": "n7",
            "nodes": ["n7", "n8"],
            "text": "NaN in ∂y/∂z",
        },
        {"line": 7, "sensitivity": 1.0, "node": "n11", "nodes": ["n10", "n11"], "text": ""},
    ]
    return document(
        graph(nodes, ends, [call, loop]),
        graph(backward, back_ends, [loop, call]),
        source={"file": "cell 1", "firstLine": 1, "text": text},
        lines=lines,
        result={"name": "y", "node": "n11", "text": "0.4213"},
        inputs=[
            {"name": "w", "node": "n0", "value": array, "gradient": array},
            {"name": "n", "node": "n3", "value": summary("3", type="int"), "gradient": None},
        ],
        notes=[{"severity": "warning", "code": "ZYG301", "message": "NaN in exp(z)", "line": 5}],
    )


def hostile(text: str) -> Document:
    """The same document with one text in every place where a user's text may come."""
    evil = layer()
    for drawn in (evil["graphs"]["forward"], evil["graphs"]["pullback"]):
        for item in drawn["nodes"]:
            item["label"] = item["name"] = item["type"] = text
            for found in (item["value"], item["cotangent"]):
                if found is not None:
                    found["text"] = found["type"] = text
        for box_of_nodes in drawn["groups"]:
            box_of_nodes["label"] = text
    evil["id"] = evil["title"] = evil["source"]["file"] = text
    evil["source"]["text"] = "\n".join([re.sub(r"[\r\n]", "", text)] * 7)
    evil["code"]["text"] = evil["ir"]["forward"] = evil["ir"]["pullback"] = text
    if evil["result"] is not None:
        evil["result"]["name"] = evil["result"]["text"] = text
    for given in evil["inputs"]:
        given["name"] = text
        for found in (given["value"], given["gradient"]):
            if found is not None:
                found["text"] = found["type"] = text
    for line in evil["lines"]:
        line["text"] = text
    for note in evil["notes"]:
        note["message"] = note["code"] = text
    return evil


class Tags(HTMLParser):
    """Counts elements and attributes as a browser would see them; collects images and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.images: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        self.found.update(f"{tag}.{name}" for name, _ in attrs)
        self.images += [value or "" for name, value in attrs if name == "src"]

    def handle_comment(self, data: str) -> None:
        self.found["comment"] += 1

    def handle_decl(self, decl: str) -> None:
        self.found["declaration"] += 1

    def handle_pi(self, data: str) -> None:
        self.found["instruction"] += 1

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def elements(svg: str) -> Counter[str]:
    return Counter(element.tag for element in ET.fromstring(svg).iter())


def unsafe(text: str) -> list[str]:
    """Characters that could hide or reorder text, or break XML."""
    kinds = ("Cc", "Cs")
    return [
        char
        for char in text
        if (unicodedata.category(char) in kinds and char != "\n")
        or "\u202a" <= char <= "\u202e"
        or "\u2066" <= char <= "\u2069"
    ]


# -------------------------------------------------------------------------------------- tests


def test_documents_of_these_tests_are_sound() -> None:
    for made in (layer(), document(graph([])), hostile("text")):
        assert validate(made) == []
        assert validate(json.loads(json.dumps(made))) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d.pop("id"), "document.id: missing"),
        (lambda d: d.update(version=2), "document.version: expected 1, found 2"),
        (lambda d: d.update(lines={}), "document.lines: expected a list, found {}"),
        (lambda d: d["scale"].update(max=float("inf")), "scale.max: expected float, found inf"),
        (lambda d: d["code"].update(lines=[[1]]), "code.lines[0]: expected 2 items"),
        (lambda d: d["lines"][0].update(line=True), "lines[0].line: expected int, found True"),
        (lambda d: d["lines"][0].update(line=99), "not a line of the source"),
        (lambda d: d["lines"][0].update(node="n99"), "unknown node 'n99'"),
        (lambda d: d["inputs"][0].update(node="n99"), "inputs: unknown node 'n99'"),
        (lambda d: nodes_of(d)[0].update(kind="odd"), "kind: expected 'input' or"),
        (lambda d: nodes_of(d)[0].update(label="x" * 41), "label longer than 40"),
        (lambda d: nodes_of(d)[0].update(primal="b99"), "unknown primal 'b99'"),
        (lambda d: nodes_of(d)[0].update(group="g99"), "unknown group 'g99'"),
        (lambda d: nodes_of(d)[0]["value"].update(text="x" * 201), "text longer than 200"),
        (lambda d: nodes_of(d).append(nodes_of(d)[0]), "two nodes called 'n0'"),
        (lambda d: nodes_of(d).pop(), "unknown node 'n11'"),
        (lambda d: d["graphs"]["forward"]["groups"][1].update(parent="g1"), "is inside itself"),
        (lambda d: d["graphs"]["forward"]["groups"][1].update(parent="g9"), "no parent 'g9'"),
        (lambda d: d["graphs"]["forward"]["edges"].pop(), "other edges than the graph"),
        (lambda d: d["graphs"]["forward"]["layout"]["nodes"].pop("n0"), "other nodes than"),
        (lambda d: d["graphs"]["forward"]["layout"]["groups"].clear(), "other groups than"),
        (lambda d: d["graphs"]["forward"]["layout"]["edges"][0]["points"].pop(), ""),
    ],
)
def test_faults_are_found(change: Any, fault: str) -> None:
    broken = json.loads(json.dumps(layer()))
    change(broken)
    assert any(fault in found for found in validate(broken))


def nodes_of(broken: Any) -> Any:
    return broken["graphs"]["forward"]["nodes"]


def test_validate_ignores_fields_it_does_not_know() -> None:
    assert validate({**layer(), "future": object()}) == []


def test_colours_are_readable() -> None:
    shades = [heat(step / 200) for step in range(201)]
    assert all(contrast(shade, ink(shade)) >= 4.5 for shade in shades)
    assert len(set(shades)) > 150
    depths = [contrast(shade, "#000000") for shade in shades]
    assert depths == sorted(depths, reverse=True)
    assert heat(-1.0) == heat(0.0)
    assert heat(2.0) == heat(1.0)


def test_warmth_is_logarithmic() -> None:
    assert warmth(0.01, {"min": 0.0001, "max": 1.0}) == pytest.approx(0.5)
    assert warmth(0.3, {"min": 0.3, "max": 0.3}) == 1.0
    assert warmth(0.3, {"min": None, "max": None}) == 1.0
    assert warmth(1e-9, {"min": 0.1, "max": 1.0}) == 0.0


@pytest.mark.parametrize("name", ["forward", "pullback"])
def test_svg_shows_every_node_and_edge(name: GraphName) -> None:
    made = layer()
    tree = ET.fromstring(to_svg(made, name))
    texts = [element.text for element in tree.iter(f"{SVG}text")]
    for item in made["graphs"][name]["nodes"]:
        assert item["label"] in texts
    arrows = [path for path in tree.iter(f"{SVG}path") if path.get("marker-end")]
    assert len(arrows) == len(made["graphs"][name]["edges"])
    assert "for k in range(3)" in texts
    _, _, width, height = map(float, tree.get("viewBox", "").split())
    for rect in tree.iter(f"{SVG}rect"):
        assert float(rect.get("x", 0)) + float(rect.get("width", 0)) <= width
        assert float(rect.get("y", 0)) + float(rect.get("height", 0)) <= height


def test_borders_tell_the_state() -> None:
    states = [
        node("n0", "fine"),
        node("n1", "none", None),
        node("n2", "zero", 0.0),
        node("n3", "nan", None, cotangent=summary("nan", nan=1)),
        node("n4", "inf", float("nan"), cotangent=summary("inf", inf=1)),
        node("n5", "value", 0.5, value=summary("nan", nan=1)),
    ]
    tree = ET.fromstring(to_svg(document(graph(states))))
    boxes = {}
    for place in tree.iter(f"{SVG}g"):
        title, rect = place.find(f"{SVG}title"), place.find(f"{SVG}rect")
        if title is not None and rect is not None:
            boxes[(title.text or "").split("\n")[0]] = rect
    assert boxes["none"].get("stroke-dasharray")
    assert boxes["zero"].get("fill") == "#ffffff"
    for name in ("nan", "inf", "value"):
        assert boxes[name].get("stroke") == MAGENTA
        assert float(boxes[name].get("stroke-width", 0)) >= 3
    for name in ("fine", "zero"):
        assert boxes[name].get("stroke") != MAGENTA
        assert not boxes[name].get("stroke-dasharray")


@pytest.mark.parametrize("name", ["forward", "pullback"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_in_svg(text: str, name: GraphName) -> None:
    svg = to_svg(hostile(text), name)
    assert elements(svg) == elements(to_svg(hostile("text"), name))
    assert not unsafe(svg)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup_in_html(text: str) -> None:
    page, plain = Tags(to_html(hostile(text))), Tags(to_html(hostile("text")))
    assert page.found == plain.found
    assert not unsafe("".join(page.words))
    for image in page.images:
        kind, _, data = image.partition(",")
        assert kind == "data:image/svg+xml;base64"
        ET.fromstring(base64.b64decode(data))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_controls_a_terminal(text: str) -> None:
    shown = to_text(hostile(text))
    assert not unsafe(shown)
    assert len(shown.split("\n")) == len(to_text(hostile("text")).split("\n"))


def test_text_is_shown_as_written() -> None:
    text = "</b> & \"x\" 'y' <i>"
    assert f"{text}" in "".join(Tags(to_html(hostile(text))).words)
    svg = ET.fromstring(to_svg(hostile(text)))
    assert text in [element.text for element in svg.iter(f"{SVG}text")]
    assert text in to_text(hostile(text))


def test_html_needs_nothing_that_sanitising_removes() -> None:
    page = Tags(to_html(layer()))
    allowed = {"div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    allowed |= {"details", "summary", "pre", "img"}
    assert {name for name in page.found if "." not in name} <= allowed
    attributes = {name.partition(".")[2] for name in page.found if "." in name}
    assert attributes <= {"class", "style", "src", "alt", "open"}
    assert page.found["img.alt"] == page.found["img"] == 2
    assert "url(" not in to_html(layer())


def test_html_holds_source_inputs_and_code() -> None:
    made = layer()
    words = Tags(to_html(made)).words
    for line in made["source"]["text"].split("\n"):
        assert line in words
    assert "no path" in words
    assert "NaN" in words
    assert made["code"]["text"] in words
    assert heat(warmth(0.9, made["scale"])) in to_html(made)


def test_a_huge_graph_is_not_put_into_html() -> None:
    nodes = [node(f"n{i}", f"v{i} = f(x)") for i in range(2000)]
    ends = [(f"n{max(0, i - 3)}", f"n{i}") for i in range(1, 2000)]
    big = document(graph(nodes, ends))
    start = time.perf_counter()
    assert len(list(ET.fromstring(to_svg(big)).iter(f"{SVG}title"))) == 2001
    page = to_html(big)
    assert time.perf_counter() - start < 2
    assert Tags(page).found["img"] == 1
    assert len(page) < 50_000


def test_text_for_a_terminal() -> None:
    made = layer()
    made["source"]["text"] += "  # " + "漢字" * 80
    rows = to_text(made).split("\n")
    assert max(map(columns, rows)) <= 100
    assert rows[0] == "y = 0.4213"
    assert rows[2] == "    1                    │ def loss(w, x, b):"
    assert rows[5] == "    4  ██████▊       0.9 │         z = w @ h + b"
    assert rows[6].endswith("NaN │         h = act(z)")
    assert "  n  no path" in rows
    assert rows[-1] == "warning ZYG301, line 5: NaN in exp(z)"


def test_line_numbers_follow_python() -> None:
    made = document(graph([node("n0", "x")]))
    made["source"] = {"file": "f", "firstLine": 2, "text": "a\x0cb\r\n\tc\u2028d"}
    rows = to_text(made).split("\n")[2:4]
    assert rows[0].startswith("    2")
    assert rows[1].startswith("    3")
    assert rows[1].endswith("│     c\u2028d")


def test_nothing_to_show() -> None:
    empty = document(graph([]))
    assert ET.fromstring(to_svg(empty)).tag == f"{SVG}svg"
    assert "def pullback" in to_html(empty)
    assert to_text(empty).startswith("loss\n")
    one = document(graph([node("n0", "x", None)]), scale={"min": None, "max": None})
    one["lines"][0]["sensitivity"] = None
    assert "no gradient" in to_text(one)
    assert "no gradient" in to_html(one)
    one["lines"][0]["sensitivity"] = float("nan")
    assert "NaN" in to_text(one)


def test_same_again() -> None:
    for make in (to_svg, to_html, to_text):
        assert make(layer()) == make(layer())
