"""Layouts of large graphs: with Graphviz, without it, and with what `lay_out` chooses."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

import harness

from zyg_interactive.ide.boxes import Box
from zyg_interactive.ide.dot import dot_command, dot_layout
from zyg_interactive.ide.layered import layered_layout
from zyg_interactive.ide.layout import lay_out
from zyg_interactive.ide.schema import Edge, Group, Layout

Graph = tuple[list[Box], list[Edge], list[Group]]
Engine = Callable[[Sequence[Box], Sequence[Edge], Sequence[Group]], Layout]
PATIENCE = 120.0  # seconds that dot may take where it is asked whatever the graph


def lines_in_groups(count: int) -> Graph:
    """Like a long program: mostly local edges, twenty nodes to a group."""
    pick = random.Random(7)
    ends = [(max(0, i - pick.randint(1, 30)), i) for i in range(1, count) for _ in range(2)]
    groups: list[Group] = [
        {"id": f"g{k}", "kind": "loop", "label": "for i in x", "parent": None, "line": 1}
        for k in range(-(-count // 20))
    ]
    return [node(i, f"g{i // 20}") for i in range(count)], edges(ends), groups


def from_anywhere(count: int) -> Graph:
    """A chain with an edge from anywhere to every node: the hard case."""
    pick = random.Random(3)
    ends = [(j, i) for i in range(1, count) for j in (i - 1, pick.randrange(i))]
    return [node(i, None) for i in range(count)], edges(ends), []


def node(i: int, group: str | None) -> Box:
    label, detail = f"v{i} = f(x)", "float64[3] · 0.1"
    return {"id": f"n{i}", "label": label, "detail": detail, "group": group}


def edges(ends: Sequence[tuple[int, int]]) -> list[Edge]:
    return [{"from": f"n{start}", "to": f"n{end}"} for start, end in ends]


GRAPHS: dict[str, Graph] = {
    "groups-200": lines_in_groups(200),
    "groups-2000": lines_in_groups(2000),
    "chain-200": from_anywhere(200),
    "chain-2000": from_anywhere(2000),
}


def engines(graph: Graph) -> dict[str, Callable[[], Layout]]:
    found: dict[str, Engine] = {"chosen": lay_out, "without": layered_layout}
    if dot_command() is not None and len(graph[0]) <= 200:
        found["dot"] = partial(dot_layout, timeout=PATIENCE)
    return {name: partial(engine, *graph) for name, engine in found.items()}


def main() -> None:
    chosen = harness.arguments(__doc__ or "", list(GRAPHS))
    print(harness.machine(), flush=True)
    times = {
        name: harness.interleaved(engines(GRAPHS[name]), chosen.seconds, rounds=3)
        for name in chosen.names or GRAPHS
    }
    columns = ("chosen", "without", "dot")
    rows = [[name, *(harness.in_words(t.get(c)) for c in columns)] for name, t in times.items()]
    print("\n" + harness.table(("graph", *columns), rows))
    harness.write(chosen.json, {"seconds": times})


if __name__ == "__main__":
    main()
