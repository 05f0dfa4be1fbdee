"""Layouts by Graphviz.

No text of the user reaches it: it sees invented names and fixed sizes.
"""

import json
import math
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from zyg_interactive.ide.boxes import (
    GROUP_LABEL_SIZE,
    GROUP_PADDING,
    LAYER_GAP,
    NODE_GAP,
    Box,
    columns,
    edge_path,
    members_of,
    node_size,
    rectangle,
    with_margin,
)
from zyg_interactive.ide.layered import layers_of
from zyg_interactive.ide.schema import Edge, EdgePath, Group, Layout, Point, Rect

# The work for dot: layers that edges pass, and nodes. It takes about 0.1 ms for each.
LARGE = 1000  # above this dot is told to try less hard
DOT_LIMIT = 5000  # above this dot is not asked: edges through hundreds of layers hold it up
DOT_TIMEOUT = 5.0  # seconds; a brake, so far beyond what dot needs that it does not decide layouts


class LayoutError(Exception):
    """Graphviz is missing, failed, or took too long."""


def dot_layout(
    nodes: Sequence[Box],
    edges: Sequence[Edge],
    groups: Sequence[Group],
    *,
    command: str | None = None,
    timeout: float = DOT_TIMEOUT,
) -> Layout:
    """Lay out a graph with Graphviz; `command` is the program, `timeout` is in seconds.

    Raises LayoutError if Graphviz is missing, fails, or takes too long.
    """
    command = command or dot_command()
    if command is None:
        raise LayoutError("no dot command was found")
    try:
        done = subprocess.run(
            [command, "-Kdot", "-Tjson0"],
            input=dot_text(nodes, edges, groups).encode("ascii"),
            capture_output=True,
            check=True,
            timeout=timeout,
        )
        return _read_dot(json.loads(done.stdout), nodes, edges, groups)
    except (OSError, subprocess.SubprocessError, ImportError) as error:
        raise LayoutError(f"{command} failed: {error}") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise LayoutError(f"{command} wrote something unexpected: {error!r}") from error
    except RecursionError as error:
        raise LayoutError("the groups are nested too deeply") from error


def dot_command() -> str | None:
    """Path of a Graphviz program: on the path, or beside this Python."""
    for name in ("dot", "graphviz-pure"):
        found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
        if found:
            return found
    return None


def dot_work(nodes: Sequence[Box], edges: Sequence[Edge]) -> int:
    """How many places dot has to order: the nodes, and the layers that edges pass."""
    item = {node["id"]: position for position, node in enumerate(nodes)}
    pairs = [(item[edge["from"]], item[edge["to"]]) for edge in edges]
    ranks = layers_of(["node"] * len(nodes), pairs)
    return len(nodes) + sum(abs(ranks[end] - ranks[start]) for start, end in pairs)


def dot_text(nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]) -> str:
    """Write the graph in DOT, with invented names: `n0`, `e0`, `cluster_0`."""
    settings = {"ranksep": f"{LAYER_GAP / 72:.2f}", "nodesep": f"{NODE_GAP / 72:.2f}"}
    if dot_work(nodes, edges) > LARGE:
        settings |= {"nslimit": "1", "nslimit1": "1", "mclimit": "0.3", "splines": "line"}
    digraph: Any = import_module("graphviz").Digraph(
        graph_attr=settings,
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none"},
    )
    members = members_of(nodes, groups)
    named = {node["id"]: f"n{position}" for position, node in enumerate(nodes)}
    numbered = {group["id"]: position for position, group in enumerate(groups)}
    sizes = {node["id"]: node_size(node) for node in nodes}

    def fill(graph: Any, group: str | None) -> None:
        for identity in members[group].nodes:
            width, height = sizes[identity]
            graph.node(named[identity], width=f"{width / 72:.4f}", height=f"{height / 72:.4f}")
        for child in members[group].groups:
            position = numbered[child]
            with graph.subgraph(name=f"cluster_{position}") as cluster:
                # Letters of no meaning, as many as keep the place of the label.
                cluster.attr(
                    label="x" * columns(groups[position]["label"]) or "x",
                    labeljust="l",
                    fontname="Courier",
                    fontsize=f"{GROUP_LABEL_SIZE:g}",
                    margin=f"{GROUP_PADDING:g}",
                )
                if not (members[child].nodes or members[child].groups):
                    cluster.node(f"empty_{position}", width="0.1", height="0.1")
                fill(cluster, child)

    fill(digraph, None)
    for position, edge in enumerate(edges):
        digraph.edge(named[edge["from"]], named[edge["to"]], id=f"e{position}")
    return str(digraph.source)


def _read_dot(
    answer: Mapping[str, Any],
    nodes: Sequence[Box],
    edges: Sequence[Edge],
    groups: Sequence[Group],
) -> Layout:
    """Turn the answer of `dot -Tjson0`, which has its origin bottom left, into a layout."""
    _, _, width, height = _numbers(answer["bb"])
    objects = {item["name"]: item for item in answer.get("objects", ())}
    paths = {item["id"]: item for item in answer.get("edges", ())}

    def flipped(points: Iterable[float]) -> list[Point]:
        values = list(points)
        return [(x, height - y) for x, y in zip(values[::2], values[1::2], strict=True)]

    rects: dict[str, Rect] = {}
    for position, node in enumerate(nodes):
        ((x, y),) = flipped(_numbers(objects[f"n{position}"]["pos"]))
        w, h = node_size(node)
        rects[node["id"]] = rectangle(x, y, w, h)
    group_rects: dict[str, Rect] = {}
    for position, group in enumerate(groups):
        (left, bottom), (right, top) = flipped(_numbers(objects[f"cluster_{position}"]["bb"]))
        group_rects[group["id"]] = rectangle(
            (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        )
    drawn: list[EdgePath] = []
    for position, edge in enumerate(edges):
        text = paths[f"e{position}"].get("pos")
        start, end = rects[edge["from"]], rects[edge["to"]]
        points = _flattened(flipped(_numbers(text))) if text else [_centre(start), _centre(end)]
        points[0] = _on_border(points[0], start)
        points[-1] = _on_border(points[-1], end)
        drawn.append(edge_path(edge, points))
    return with_margin(width, height, rects, drawn, group_rects)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.replace(",", " ").split()]


def _flattened(controls: list[Point], steps: int = 6) -> list[Point]:
    """Points on a chain of cubic Bézier curves."""
    points = [controls[0]]
    for first in range(0, len(controls) - 3, 3):
        a, b, c, d = controls[first : first + 4]
        for step in range(1, steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(
                (
                    sum(w * point[0] for w, point in zip(weights, (a, b, c, d), strict=True)),
                    sum(w * point[1] for w, point in zip(weights, (a, b, c, d), strict=True)),
                )
            )
    return points


def _on_border(point: Point, rect: Rect) -> Point:
    """The point of the border of a box that is nearest to `point`."""
    x = min(max(point[0] - rect["x"], -rect["w"] / 2), rect["w"] / 2)
    y = min(max(point[1] - rect["y"], -rect["h"] / 2), rect["h"] / 2)
    if rect["w"] / 2 - abs(x) < rect["h"] / 2 - abs(y):
        x = math.copysign(rect["w"] / 2, x)
    else:
        y = math.copysign(rect["h"] / 2, y)
    return rect["x"] + x, rect["y"] + y


def _centre(rect: Rect) -> Point:
    return rect["x"], rect["y"]
