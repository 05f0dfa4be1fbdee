"""Layouts: nothing overlaps, edges meet their nodes, groups hold their nodes, always the same."""

import os
import random
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zyg_interactive.ide import dot
from zyg_interactive.ide.boxes import Box, columns, node_size
from zyg_interactive.ide.dot import (
    DOT_LIMIT,
    LayoutError,
    dot_command,
    dot_layout,
    dot_text,
    dot_work,
)
from zyg_interactive.ide.layered import layered_layout
from zyg_interactive.ide.layout import detail, lay_out, number
from zyg_interactive.ide.schema import Edge, Group, Layout, Rect

Graph = tuple[list[Box], list[Edge], list[Group]]
Engine = Callable[[Sequence[Box], Sequence[Edge], Sequence[Group]], Layout]


def patient_dot(nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]) -> Layout:
    if dot_command() is None or find_spec("graphviz") is None:
        if os.environ.get("ZYG_REQUIRE_ALL") == "1":
            pytest.fail("no dot command, and ZYG_REQUIRE_ALL=1")
        pytest.skip("no dot command or no `graphviz` package")
    return dot_layout(nodes, edges, groups, timeout=60)


engines = pytest.mark.parametrize("engine", [layered_layout, patient_dot])


# ------------------------------------------------------------------------------- making graphs


def box(identity: int, group: str | None = None, label: str = "") -> Box:
    label = label or f"v{identity} = f(x)"
    return {"id": f"n{identity}", "label": label, "detail": "float64[3] · 0.1", "group": group}


def group(identity: str, parent: str | None = None, label: str = "for i in x") -> Group:
    return {"id": identity, "kind": "loop", "label": label, "parent": parent, "line": 1}


def edges(*ends: tuple[int, int]) -> list[Edge]:
    return [{"from": f"n{start}", "to": f"n{end}"} for start, end in ends]


def nested() -> Graph:
    """Loops in a loop, edges across two borders, a cycle, a double edge, an empty group."""
    homes = [None, None, "a", "a", "b", "b", "c", None, None]
    groups = [group("b", "a"), group("a"), group("c"), group("empty", None, "if " + "x" * 40)]
    ends = [(0, 2), (1, 4), (2, 3), (3, 4), (4, 5), (5, 2), (5, 6), (6, 7), (6, 7), (0, 7), (1, 6)]
    return [box(i, home) for i, home in enumerate(homes)], edges(*ends), groups


def large(count: int = 2000) -> Graph:
    """Like a long program: mostly local edges, each line in one of a hundred groups."""
    pick = random.Random(7)
    ends = [(max(0, i - pick.randint(1, 30)), i) for i in range(1, count) for _ in range(2)]
    groups = [group(f"g{k}") for k in range(count // 20)]
    return [box(i, f"g{i // 20}") for i in range(count)], edges(*ends), groups


def chain_from_anywhere(count: int = 2000) -> Graph:
    """A chain with an edge from anywhere to every node: the hard case."""
    pick = random.Random(3)
    ends = [(j, i) for i in range(1, count) for j in (i - 1, pick.randrange(i))]
    return [box(i) for i in range(count)], edges(*ends), []


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any small graph, with cycles, self-loops and repeated edges."""
    depth = draw(st.integers(0, 4))
    groups = [
        group(f"g{k}", draw(st.sampled_from([None, *(f"g{j}" for j in range(k))])))
        for k in range(depth)
    ]
    homes = st.sampled_from([None, *(item["id"] for item in groups)])
    count = draw(st.integers(0, 9))
    nodes = [box(i, draw(homes), draw(st.text(max_size=20))) for i in range(count)]
    end = st.integers(0, count - 1)
    ends = draw(st.lists(st.tuples(end, end), max_size=15)) if count else []
    return nodes, edges(*ends), groups


# ------------------------------------------------------------------------------- what is sound


def sides(rect: Rect) -> tuple[float, float, float, float]:
    return (
        rect["x"] - rect["w"] / 2,
        rect["y"] - rect["h"] / 2,
        rect["x"] + rect["w"] / 2,
        rect["y"] + rect["h"] / 2,
    )


def holds(outer: tuple[float, ...], inner: tuple[float, ...], slack: float = 0.1) -> bool:
    return (
        outer[0] <= inner[0] + slack
        and outer[1] <= inner[1] + slack
        and outer[2] >= inner[2] - slack
        and outer[3] >= inner[3] - slack
    )


def overlap(one: Rect, other: Rect) -> bool:
    wide = (one["w"] + other["w"]) / 2 - abs(one["x"] - other["x"])
    high = (one["h"] + other["h"]) / 2 - abs(one["y"] - other["y"])
    return wide > 0.1 and high > 0.1


def on_border(point: tuple[float, float], rect: Rect) -> bool:
    left, top, right, bottom = sides(rect)
    x, y = point
    gaps = (abs(x - left), abs(x - right), abs(y - top), abs(y - bottom))
    return holds((left, top, right, bottom), (x, y, x, y)) and min(gaps) < 0.1


def assert_sound(
    laid: Layout, nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]
) -> None:
    page = (0.0, 0.0, laid["width"], laid["height"])
    assert set(laid["nodes"]) == {node["id"] for node in nodes}
    assert set(laid["groups"]) == {group["id"] for group in groups}
    everything = [*laid["nodes"].values(), *laid["groups"].values()]
    assert all(holds(page, sides(rect)) for rect in everything)
    ordered = sorted(laid["nodes"].items(), key=lambda item: sides(item[1])[1])
    for position, (name, rect) in enumerate(ordered):
        for other, below in ordered[position + 1 :]:
            if sides(below)[1] > sides(rect)[3]:
                break
            assert not overlap(rect, below), (name, other)
    for node in nodes:
        rect = laid["nodes"][node["id"]]
        assert (rect["w"], rect["h"]) == pytest.approx(node_size(node), abs=0.1)
        if node["group"] is not None:
            assert holds(sides(laid["groups"][node["group"]]), sides(rect))
    for item in groups:
        if item["parent"] is not None:
            around = laid["groups"][item["parent"]]
            assert holds(sides(around), sides(laid["groups"][item["id"]]))
    assert [(e["from"], e["to"]) for e in laid["edges"]] == [(e["from"], e["to"]) for e in edges]
    for path in laid["edges"]:
        assert len(path["points"]) >= 2
        assert all(holds(page, (x, y, x, y), 40.0) for x, y in path["points"])
        assert on_border(path["points"][0], laid["nodes"][path["from"]]), path
        assert on_border(path["points"][-1], laid["nodes"][path["to"]]), path


# -------------------------------------------------------------------------------------- tests


@engines
@pytest.mark.parametrize(
    "graph",
    [
        ([], [], []),
        ([box(0)], [], []),
        ([box(0)], edges((0, 0)), []),
        ([box(0), box(1)], edges((0, 1), (1, 0), (1, 1), (0, 1)), []),
        ([box(i) for i in range(6)], [], []),
        ([], [], [group("lonely")]),
        nested(),
    ],
    ids=["empty", "one", "self-loop", "cycle", "no edges", "empty group", "nested"],
)
def test_sound(engine: Engine, graph: Graph) -> None:
    assert_sound(engine(*graph), *graph)


@engines
def test_same_again(engine: Engine) -> None:
    assert engine(*nested()) == engine(*nested())


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_any_graph_layered(graph: Graph) -> None:
    assert_sound(layered_layout(*graph), *graph)


@given(graphs())
@settings(max_examples=25, deadline=None)
def test_any_graph_dot(graph: Graph) -> None:
    assert_sound(patient_dot(*graph), *graph)


@engines
def test_large(engine: Engine) -> None:
    graph = large()
    assert_sound(engine(*graph), *graph)


@pytest.mark.parametrize("graph", [large(), chain_from_anywhere()], ids=["groups", "chain"])
def test_large_with_what_lay_out_chooses(graph: Graph) -> None:
    assert_sound(lay_out(*graph), *graph)


def test_deep_recursion_of_the_user() -> None:
    groups = [group(f"g{k}", f"g{k - 1}" if k else None, "f(n - 1)") for k in range(1200)]
    nodes = [box(0, None), box(1, "g1199"), box(2, "g600")]
    assert_sound(
        lay_out(nodes, edges((0, 1), (1, 2)), groups), nodes, edges((0, 1), (1, 2)), groups
    )


def test_flow_is_downwards_and_straight() -> None:
    laid = layered_layout([box(0), box(1), box(2)], edges((0, 1), (1, 2)), [])
    tops = [laid["nodes"][f"n{i}"]["y"] for i in range(3)]
    assert tops == sorted(tops)
    assert len({laid["nodes"][f"n{i}"]["x"] for i in range(3)}) == 1
    assert all(len(path["points"]) == 2 for path in laid["edges"])


def test_long_edge_goes_round_the_nodes() -> None:
    laid = layered_layout([box(i) for i in range(3)], edges((0, 1), (1, 2), (0, 2)), [])
    left, top, right, bottom = sides(laid["nodes"]["n1"])
    beside = [x for x, y in laid["edges"][2]["points"] if top - 1 <= y <= bottom + 1]
    assert beside
    assert all(x < left or x > right for x in beside)


def test_groups_are_apart_from_strangers() -> None:
    nodes, ends, groups = nested()
    laid = layered_layout(nodes, ends, groups)
    assert not overlap(laid["groups"]["a"], laid["groups"]["c"])
    for node in nodes:
        if node["group"] is None:
            assert not any(overlap(laid["nodes"][node["id"]], r) for r in laid["groups"].values())


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(1)",
        "print('not json')",
        'print(\'{"bb": "0,0,9,9"}\')',
        'print(\'{"bb": "0,0,9"}\')',
        "import time; time.sleep(60)",
    ],
)
def test_a_failing_dot_is_replaced(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("graphviz")
    if os.name == "nt":
        pytest.skip("needs a script as a program")
    fake = tmp_path / "dot"
    fake.write_text(f"#!/usr/bin/env python3\n{program}\n")
    fake.chmod(0o755)
    graph = nested()
    with pytest.raises(LayoutError):
        dot_layout(*graph, command=str(fake), timeout=1.0)
    monkeypatch.setattr(dot, "dot_command", lambda: str(fake))
    if "sleep" not in program:
        assert lay_out(*graph) == layered_layout(*graph)


def test_no_dot_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dot, "dot_command", lambda: None)
    assert lay_out(*nested()) == layered_layout(*nested())


def test_no_text_of_the_user_in_dot() -> None:
    pytest.importorskip("graphviz")
    evil = ['"]; evil', "<b>evil</b>", "\\N evil", "evil\x00\ud800"]
    nodes = [box(i, None, text) for i, text in enumerate(evil)]
    for node, text in zip(nodes, evil, strict=True):
        node["id"], node["detail"], node["group"] = text, text, evil[0]
    ends: list[Edge] = [{"from": evil[1], "to": evil[2]}]
    groups = [group(evil[0], None, evil[1])]
    text = dot_text(nodes, ends, groups)
    assert "evil" not in text
    assert "<b>" not in text
    assert text.isascii()
    for engine in (layered_layout, patient_dot):
        assert_sound(engine(nodes, ends, groups), nodes, ends, groups)


def test_texts() -> None:
    assert columns("añ漢字e\u0301") == 7
    assert number(float("nan")) == "NaN"
    assert number(float("inf")) == "Inf"
    assert number(12345.678) == "1.23e+04"
    scalar = {"type": "float64", "shape": [], "nan": 0, "inf": 0, "text": "0.5"}
    node: Any = {"id": "n0", "value": scalar, "type": "float64"}
    node |= {"cotangent": None, "sensitivity": None}
    assert detail(node) == "0.5 · no gradient"
    node |= {"cotangent": {**scalar, "inf": 1}}
    assert detail(node) == "0.5 · Inf"
    node |= {"value": None, "type": "float64[2]", "cotangent": scalar, "sensitivity": 0.25}
    assert detail(node) == "float64[2] · 0.25"
    assert detail({**node, "id": "b0"}) == "0.5 · 0.25"
    node |= {"value": {**scalar, "text": "x" * 99}}
    assert len(detail(node)) == 31


def test_dot_is_asked_by_the_work_it_would_have() -> None:
    assert dot_work([box(0), box(1), box(2)], edges((0, 1), (1, 2), (0, 2))) == 3 + 1 + 1 + 2
    assert dot_work(*large()[:2]) > DOT_LIMIT
