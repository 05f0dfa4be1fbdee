"""Where the nodes, edges and groups of a graph are drawn.

`lay_out` asks Graphviz when a `dot` command is installed (the native one, or `graphviz-pure` from
PyPI). Otherwise, and for graphs so large that dot takes seconds, or when it fails, the layout is a
small layered one of our own that needs no binary:

1. break cycles, put each node one layer below its last predecessor;
2. cut long edges into hops of one layer with dummy nodes, shared by the edges of one source;
3. order each layer by the barycentre of its neighbours, keep the order with fewest crossings;
4. place each layer as near to its neighbours as the widths allow (isotonic regression).

(Sugiyama, Tagawa and Toda 1981; Gansner et al. 1993.) A group is laid out first on its own and is
then one big box in its parent, so boxes never overlap and always hold their nodes.

No text of the user reaches Graphviz: it sees invented names and fixed sizes. Everything is in
points, origin top left, and the same graph always gets the same layout.
"""

import json
import math
import shutil
import subprocess
import sysconfig
import unicodedata
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise, takewhile
from typing import Any, Literal, NamedTuple, TypedDict

from zyg_interactive.ide.schema import (
    Edge,
    EdgePath,
    Group,
    Layout,
    Node,
    Point,
    Rect,
    Summary,
)

LABEL_SIZE, DETAIL_SIZE, GROUP_LABEL_SIZE = 12.0, 10.5, 11.0  # font sizes
ADVANCE = 0.61  # width of a character of a monospaced font, for a font of size one
NODE_HEIGHT = 42.0
NODE_PADDING = 12.0
LOOP_REACH = 16.0  # how far a self-loop leaves its node
LAYER_GAP, NODE_GAP, LINE_GAP = 34.0, 22.0, 12.0
GROUP_PADDING, GROUP_LABEL_HEIGHT = 14.0, 20.0
MARGIN = 8.0

# The work for dot: layers that edges pass, and nodes. It takes about 0.1 ms for each.
LARGE = 1000  # above this dot is told to try less hard
DOT_LIMIT = 5000  # above this dot is not asked: edges through hundreds of layers hold it up
DOT_TIMEOUT = 5.0  # seconds; a brake, so far beyond what dot needs that it does not decide layouts
SWEEPS = 8
BENDS = 3  # layers that edges may pass, per node on average; beyond that they are straight lines


class Box(TypedDict):
    """What the layout needs to know of a node: its two lines of text and its group."""

    id: str
    label: str
    detail: str
    group: str | None


class LayoutError(Exception):
    """Graphviz is missing, failed, or took too long."""


def lay_out(nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]) -> Layout:
    """Lay out a graph with Graphviz, or without it where that is not possible."""
    if dot_work(nodes, edges) <= DOT_LIMIT:
        with suppress(LayoutError):
            return dot_layout(nodes, edges, groups)
    return layered_layout(nodes, edges, groups)


# ---------------------------------------------------------------------------------------- sizes


def box(node: Node) -> Box:
    """The box of a node of the document."""
    return {
        "id": node["id"],
        "label": node["label"],
        "detail": detail(node),
        "group": node["group"],
    }


def detail(node: Node) -> str:
    """The second line of a node: "value · sensitivity", in the pullback graph "cotangent ·
    sensitivity".
    """
    value = node["cotangent" if is_adjoint(node) else "value"]
    if value is None:
        shown = node["type"]
    elif value["shape"]:
        shown = value["type"]
    else:
        shown = value["text"]
    return f"{_shortened(shown, 24)} · {sensitivity_text(node)}"


def is_adjoint(node: Node) -> bool:
    """Whether a node belongs to the pullback graph: it stands for the cotangent of its primal."""
    return node["id"].startswith("b")


def sensitivity_text(node: Node) -> str:
    """The sensitivity of a node in a few characters: "0.42", "no gradient", "NaN", "Inf"."""
    return not_finite(node["cotangent"]) or number(node["sensitivity"])


def number(sensitivity: float | None) -> str:
    """A sensitivity in a few characters.

    >>> number(0.123456), number(0.0), number(None)
    ('0.123', '0', 'no gradient')
    """
    if sensitivity is None:
        return "no gradient"
    if math.isnan(sensitivity):
        return "NaN"
    return "Inf" if math.isinf(sensitivity) else f"{sensitivity:.3g}"


def not_finite(summary: Summary | None) -> str:
    """Return "NaN" or "Inf" if the value holds any, otherwise an empty text."""
    if summary is None:
        return ""
    return "NaN" if summary["nan"] else "Inf" if summary["inf"] else ""


def columns(text: str) -> int:
    """How many columns of a monospaced font a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def node_size(node: Box) -> tuple[float, float]:
    """Width and height of the box that holds both lines of a node."""
    label = columns(node["label"]) * LABEL_SIZE
    lower = columns(node["detail"]) * DETAIL_SIZE
    return round(max(label, lower, 60.0) * ADVANCE + 2 * NODE_PADDING, 1), NODE_HEIGHT


def group_label_width(group: Group) -> float:
    """Width of the label of a group, with its padding."""
    return columns(group["label"]) * GROUP_LABEL_SIZE * ADVANCE + GROUP_PADDING


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


# ------------------------------------------------------------------------------------- Graphviz


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
    ranks = _ranks(["node"] * len(nodes), pairs)
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
    members = _members(nodes, groups)
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
        rects[node["id"]] = _rect(x, y, w, h)
    group_rects: dict[str, Rect] = {}
    for position, group in enumerate(groups):
        (left, bottom), (right, top) = flipped(_numbers(objects[f"cluster_{position}"]["bb"]))
        group_rects[group["id"]] = _rect(
            (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        )
    drawn: list[EdgePath] = []
    for position, edge in enumerate(edges):
        text = paths[f"e{position}"].get("pos")
        start, end = rects[edge["from"]], rects[edge["to"]]
        points = _flattened(flipped(_numbers(text))) if text else [_centre(start), _centre(end)]
        points[0] = _on_border(points[0], start)
        points[-1] = _on_border(points[-1], end)
        drawn.append(_edge_path(edge, points))
    return _with_margin(width, height, rects, drawn, group_rects)


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


# ------------------------------------------------------------------------- the layout of our own

Kind = Literal["node", "group", "in", "out"]
Level = str | None  # the id of a group, or None outside of all


class Key(NamedTuple):
    """What stands in a level: a node, a group, or a port where the edges of a node pass."""

    kind: Kind
    id: str


class Arc(NamedTuple):
    """The part of an edge inside one level; `source` is the node where the whole edge starts."""

    start: Key
    end: Key
    source: str


class Hop(NamedTuple):
    """The part of an arc between two layers, from item to item of a level."""

    upper: int
    lower: int
    source: str


@dataclass
class _Members:
    nodes: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def _members(nodes: Iterable[Box], groups: Iterable[Group]) -> dict[Level, _Members]:
    """What is directly in each group, and outside of all under None."""
    found: dict[Level, _Members] = defaultdict(_Members)
    for node in nodes:
        found[node["group"]].nodes.append(node["id"])
    for group in groups:
        found[group["parent"]].groups.append(group["id"])
    return found


@dataclass
class _Frame:
    """One level, laid out: centres and routes, origin top left of the frame."""

    width: float
    height: float
    at: dict[Key, Point]
    routes: dict[Arc, list[Point]]

    def port(self, source: str) -> float:
        """How far right of the middle the edges of `source` cross the border."""
        at = self.at.get(Key("in", source)) or self.at[Key("out", source)]
        return at[0] - self.width / 2


def layered_layout(nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]) -> Layout:
    """Lay out a graph without any program but this one."""
    members = _members(nodes, groups)
    labels = {group["id"]: group_label_width(group) for group in groups}
    boxes = {Key("node", node["id"]): node_size(node) for node in nodes}
    trails = _trails(nodes, edges, groups)
    arcs: dict[Level, dict[Arc, None]] = defaultdict(dict)
    for trail in trails:
        for level, arc in trail:
            arcs[level][arc] = None
    levels: list[Level] = [None]  # outermost first
    for level in levels:
        levels += members[level].groups
    frames: dict[Level, _Frame] = {}
    for level in reversed(levels):
        keys = [Key("node", name) for name in members[level].nodes]
        keys += [Key("group", name) for name in members[level].groups]
        frame = _lay_out_level({key: boxes[key] for key in keys}, list(arcs[level]), frames)
        if level is not None:
            frame = _framed(frame, labels[level])
            boxes[Key("group", level)] = (frame.width, frame.height)
        frames[level] = frame

    rects: dict[str, Rect] = {}
    group_rects: dict[str, Rect] = {}
    corner: dict[Level, Point] = {None: (0.0, 0.0)}
    for level in levels:
        left, top = corner[level]
        for key, (x, y) in frames[level].at.items():
            w, h = boxes.get(key, (0.0, 0.0))
            if key.kind == "node":
                rects[key.id] = _rect(left + x, top + y, w, h)
            elif key.kind == "group":
                group_rects[key.id] = _rect(left + x, top + y, w, h)
                corner[key.id] = (left + x - w / 2, top + y - h / 2)

    drawn: list[EdgePath] = []
    for edge, trail in zip(edges, trails, strict=True):
        points: list[Point] = []
        for level, arc in trail:
            left, top = corner[level]
            points += [(left + x, top + y) for x, y in frames[level].routes[arc]]
        drawn.append(_edge_path(edge, points))
    return _with_margin(frames[None].width, frames[None].height, rects, drawn, group_rects)


def _trails(
    nodes: Iterable[Box], edges: Iterable[Edge], groups: Iterable[Group]
) -> list[list[tuple[Level, Arc]]]:
    """For each edge the levels it passes, outwards and inwards again, and its part in each."""
    home = {node["id"]: node["group"] for node in nodes}
    parent = {group["id"]: group["parent"] for group in groups}

    def enclosing(node: str) -> list[str]:
        found = []
        group = home[node]
        while group is not None:
            found.append(group)
            group = parent[group]
        return found

    def trail(source: str, target: str) -> list[tuple[Level, Arc]]:
        left, entered = enclosing(source), enclosing(target)
        meeting = next((group for group in left if group in entered), None)
        outwards: list[tuple[Level, Arc]] = []
        inwards: list[tuple[Level, Arc]] = []
        here, there = Key("node", source), Key("node", target)
        for group in takewhile(lambda group: group != meeting, left):
            outwards.append((group, Arc(here, Key("out", source), source)))
            here = Key("group", group)
        for group in takewhile(lambda group: group != meeting, entered):
            inwards.append((group, Arc(Key("in", source), there, source)))
            there = Key("group", group)
        return [*outwards, (meeting, Arc(here, there, source)), *reversed(inwards)]

    return [trail(edge["from"], edge["to"]) for edge in edges]


def _framed(inner: _Frame, label: float) -> _Frame:
    """Put the border of a group around its level; its ports move to the border."""
    width = max(inner.width + 2 * GROUP_PADDING, label)
    height = inner.height + GROUP_LABEL_HEIGHT + GROUP_PADDING
    right, down = (width - inner.width) / 2, GROUP_LABEL_HEIGHT
    border = {"in": 0.0, "out": height}
    at = {key: (x + right, border.get(key.kind, y + down)) for key, (x, y) in inner.at.items()}
    routes = {}
    for arc, points in inner.routes.items():
        moved = [(x + right, y + down) for x, y in points]
        if arc.start.kind == "in":
            moved.insert(0, at[arc.start])
        if arc.end.kind == "out":
            moved.append(at[arc.end])
        routes[arc] = moved
    return _Frame(width, height, at, routes)


def _lay_out_level(
    boxes: Mapping[Key, tuple[float, float]], arcs: Sequence[Arc], frames: Mapping[Level, _Frame]
) -> _Frame:
    """Lay out one level, given the boxes in it, the arcs, and the frames of the groups in it."""
    keys = list(dict.fromkeys([*boxes, *(key for arc in arcs for key in (arc.start, arc.end))]))
    item = {key: position for position, key in enumerate(keys)}
    pairs = [(item[arc.start], item[arc.end]) for arc in arcs]
    ranks = _ranks([key.kind for key in keys], pairs)
    chains = _chains(ranks, pairs, [arc.source for arc in arcs])
    sizes = [boxes.get(key, (0.0, 0.0)) for key in keys]
    sizes += [(0.0, 0.0)] * (len(ranks) - len(keys))
    hops = list(dict.fromkeys(hop for chain in chains for hop in chain))

    def port(position: int, source: str) -> float:
        is_group = position < len(keys) and keys[position].kind == "group"
        return frames[keys[position].id].port(source) if is_group else 0.0

    ends = {hop: (port(hop.upper, hop.source), port(hop.lower, hop.source)) for hop in hops}
    half = [width / 2 for width, _ in sizes]
    for looped in {start for start, end in pairs if start == end}:
        half[looped] += LOOP_REACH
    xs = _place(_order(ranks, hops), ends, half)
    left = min((x - reach for x, reach in zip(xs, half, strict=True)), default=0.0)
    width = max((x + reach - left for x, reach in zip(xs, half, strict=True)), default=0.0)
    xs = [x - left for x in xs]
    tops, bottoms = _heights(ranks, sizes)
    ys = [(tops[rank] + bottoms[rank]) / 2 for rank in ranks]
    nodes = {item[key]: boxes[key][0] for key in boxes if key.kind == "node"}
    ends = _spread_ends(ends, xs, nodes)

    def route(start: int, chain: list[Hop]) -> list[Point]:
        if not chain:
            right, y = xs[start] + sizes[start][0] / 2, ys[start]
            far = right + LOOP_REACH
            return [(right, y - 8), (far, y - 8), (far, y + 8), (right, y + 8)]
        points = []
        for hop in chain:
            leave, arrive = xs[hop.upper] + ends[hop][0], xs[hop.lower] + ends[hop][1]
            points += [
                (leave, ys[hop.upper] + sizes[hop.upper][1] / 2),
                (leave, bottoms[ranks[hop.upper]]),
                (arrive, tops[ranks[hop.lower]]),
                (arrive, ys[hop.lower] - sizes[hop.lower][1] / 2),
            ]
        return points if chain[0].upper == start else points[::-1]

    routes = {
        arc: route(start, chain) for arc, (start, _), chain in zip(arcs, pairs, chains, strict=True)
    }
    at = {key: (xs[position], ys[position]) for position, key in enumerate(keys)}
    return _Frame(width, bottoms[-1], at, routes)


def _ranks(kinds: Sequence[Kind], pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Layer of each item: arcs point down, but for those that close a cycle."""
    below: list[list[int]] = [[] for _ in kinds]
    for start, end in pairs:
        if start != end:
            below[start].append(end)
    order = _depth_first(below)
    place = {item: position for position, item in enumerate(order)}
    lower: list[list[int]] = [[] for _ in kinds]
    headed = [False] * len(kinds)
    for start, ends in enumerate(below):
        for end in ends:
            first, second = (start, end) if place[start] < place[end] else (end, start)
            lower[first].append(second)
            headed[second] = True
    lowest = 1 if "in" in kinds else 0
    ranks = [0 if kind == "in" else lowest for kind in kinds]
    for item in order:
        for other in lower[item]:
            ranks[other] = max(ranks[other], ranks[item] + 1)
    last = 1 + max((r for r, kind in zip(ranks, kinds, strict=True) if kind != "out"), default=0)
    ranks = [last if kind == "out" else r for r, kind in zip(ranks, kinds, strict=True)]
    for item, kind in enumerate(kinds):  # an input stands just above its first use
        if kind in ("node", "group") and not headed[item] and lower[item]:
            ranks[item] = min(ranks[other] for other in lower[item]) - 1
    return ranks


def _depth_first(below: Sequence[Sequence[int]]) -> list[int]:
    """Reverse postorder: every arc points forwards in it, but for those that close a cycle."""
    finished: list[int] = []
    seen = [False] * len(below)
    for root in range(len(below)):
        if seen[root]:
            continue
        seen[root] = True
        path = [(root, iter(below[root]))]
        while path:
            item, rest = path[-1]
            following = next((other for other in rest if not seen[other]), None)
            if following is None:
                finished.append(item)
                path.pop()
            else:
                seen[following] = True
                path.append((following, iter(below[following])))
    return finished[::-1]


def _chains(
    ranks: list[int], pairs: Sequence[tuple[int, int]], sources: Sequence[str]
) -> list[list[Hop]]:
    """Cut arcs into hops from layer to layer; appends the ranks of new dummy items to `ranks`.

    Arcs from one item that belong to one source share their dummies. Short arcs are served first;
    when the allowance is used up, the remaining long ones are one hop each.
    """
    allowance = BENDS * len(ranks) + 1000
    dummies: dict[tuple[int, str], list[int]] = defaultdict(list)
    chains: list[list[Hop]] = [[] for _ in pairs]
    spans = [abs(ranks[start] - ranks[end]) for start, end in pairs]
    for position in sorted(range(len(pairs)), key=spans.__getitem__):
        (start, end), source, span = pairs[position], sources[position], spans[position]
        if start == end:
            continue
        upper, lower = (start, end) if ranks[start] < ranks[end] else (end, start)
        shared = dummies[upper, source]
        between: list[int] = []
        if span - 1 <= allowance:
            allowance -= span - 1
            while len(shared) < span - 1:
                shared.append(len(ranks))
                ranks.append(ranks[upper] + len(shared))
            between = shared[: span - 1]
        chains[position] = [Hop(*ends, source) for ends in pairwise([upper, *between, lower])]
    return chains


def _neighbours(
    ranks: Sequence[int], hops: Iterable[Hop]
) -> tuple[list[list[int]], list[list[int]]]:
    """For each item those above and those below it, in the next layer."""
    above: list[list[int]] = [[] for _ in ranks]
    below: list[list[int]] = [[] for _ in ranks]
    for hop in hops:
        if ranks[hop.lower] == ranks[hop.upper] + 1:
            above[hop.lower].append(hop.upper)
            below[hop.upper].append(hop.lower)
    return above, below


def _order(ranks: Sequence[int], hops: Sequence[Hop]) -> list[list[int]]:
    """The items of each layer from left to right, with few crossings."""
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=0) + 1)]
    for item, rank in enumerate(ranks):
        layers[rank].append(item)
    above, below = _neighbours(ranks, hops)
    place = [0.0] * len(ranks)

    def renumber(layer: Sequence[int]) -> None:
        for position, item in enumerate(layer):
            place[item] = float(position)

    def barycentre(item: int) -> float:
        others = towards[item]
        return sum(place[other] for other in others) / len(others) if others else place[item]

    for layer in layers:
        renumber(layer)
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        towards, passed = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        for layer in passed:
            layer.sort(key=barycentre)
            renumber(layer)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How many pairs of hops cross: the inversions between the layers."""
    count = 0
    for upper, lower in pairwise(layers):
        place = {item: position for position, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(place[other] for other in below[item])
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _place(
    layers: Sequence[Sequence[int]],
    ends: Mapping[Hop, tuple[float, float]],
    half: Sequence[float],
) -> list[float]:
    """Horizontal centres: sweep down and up, each layer as near to its neighbours as it can be."""
    ranks = [0] * len(half)
    xs = [0.0] * len(half)
    room = [reach + (NODE_GAP if reach else LINE_GAP) / 2 for reach in half]
    for rank, layer in enumerate(layers):
        right = -sum(room[item] for item in layer)
        for item in layer:
            ranks[item] = rank
            xs[item] = right + room[item]
            right += 2 * room[item]
    up: list[list[tuple[int, float, float]]] = [[] for _ in half]
    down: list[list[tuple[int, float, float]]] = [[] for _ in half]
    for hop, (leave, arrive) in ends.items():
        if ranks[hop.lower] == ranks[hop.upper] + 1:
            stiffness = 1.0 + 2.0 * ((not half[hop.upper]) + (not half[hop.lower]))
            up[hop.lower].append((hop.upper, leave - arrive, stiffness))
            down[hop.upper].append((hop.lower, arrive - leave, stiffness))
    both = [[*higher, *lower] for higher, lower in zip(up, down, strict=True)]
    passes = [(up, layers), (down, layers[::-1])] * (SWEEPS // 2)
    passes += [(both, layers), (both, layers[::-1])]
    for pulls, order in passes:
        for layer in order:
            wishes, weights = [], []
            for item in layer:
                weight = sum(stiffness for _, _, stiffness in pulls[item])
                wish = sum(s * (xs[other] + shift) for other, shift, s in pulls[item])
                wishes.append(wish / weight if weight else xs[item])
                weights.append(weight or 0.1)
            placed = _apart(wishes, weights, [room[item] for item in layer])
            for item, x in zip(layer, placed, strict=True):
                xs[item] = x
    return xs


def _apart(wishes: Sequence[float], weights: Sequence[float], room: Sequence[float]) -> list[float]:
    """Positions nearest to the wishes (weighted least squares) that keep order and distance.

    Without the distances that each must keep to the one before, the positions may not decrease:
    isotonic regression, solved by pooling adjacent violators.

    >>> _apart([0.0, 0.0], [1.0, 1.0], [5.0, 5.0])
    [-5.0, 5.0]
    """
    shifts, right = [], 0.0
    for reach in room:
        shifts.append(right + reach)
        right += 2 * reach
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for wish, weight, shift in zip(wishes, weights, shifts, strict=True):
        mean, count = wish - shift, 1
        while pools and pools[-1][0] > mean:
            other, more, members = pools.pop()
            mean = (mean * weight + other * more) / (weight + more)
            weight, count = weight + more, count + members
        pools.append((mean, weight, count))
    means = (mean for mean, _, count in pools for _ in range(count))
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]


def _heights(
    ranks: Sequence[int], sizes: Sequence[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """Top and bottom of every layer."""
    tallest = [0.0] * (max(ranks, default=0) + 1)
    for rank, (_, height) in zip(ranks, sizes, strict=True):
        tallest[rank] = max(tallest[rank], height)
    tops, bottoms, top = [], [], 0.0
    for height in tallest:
        tops.append(top)
        bottoms.append(top + height)
        top += height + LAYER_GAP
    return tops, bottoms


def _spread_ends(
    ends: Mapping[Hop, tuple[float, float]], xs: Sequence[float], widths: Mapping[int, float]
) -> dict[Hop, tuple[float, float]]:
    """Where hops meet the nodes: side by side, in the order of their other ends."""
    meeting: dict[tuple[int, int], list[Hop]] = defaultdict(list)
    for hop in ends:
        meeting[0, hop.upper].append(hop)
        meeting[1, hop.lower].append(hop)
    moved: tuple[dict[Hop, float], dict[Hop, float]] = ({}, {})
    for (side, item), hops in meeting.items():
        if item not in widths:
            continue
        others = {
            hop: xs[hop.upper] + ends[hop][0] if side else xs[hop.lower] + ends[hop][1]
            for hop in hops
        }
        hops.sort(key=others.__getitem__)
        gap = min(LINE_GAP, (widths[item] - 2 * NODE_PADDING) / max(len(hops) - 1, 1))
        for position, hop in enumerate(hops):
            moved[side][hop] = gap * (position - (len(hops) - 1) / 2)
    return {
        hop: (moved[0].get(hop, leave), moved[1].get(hop, arrive))
        for hop, (leave, arrive) in ends.items()
    }


# -------------------------------------------------------------------------------------- results


def _centre(rect: Rect) -> Point:
    return rect["x"], rect["y"]


def _rect(x: float, y: float, w: float, h: float) -> Rect:
    return {"x": x, "y": y, "w": w, "h": h}


def _edge_path(edge: Edge, points: list[Point]) -> EdgePath:
    return {"from": edge["from"], "to": edge["to"], "points": _simplified(points)}


def _simplified(points: list[Point]) -> list[Point]:
    """Leave out the points that lie on the line between their neighbours."""
    kept = points[:1]
    for point, following in pairwise(points[1:]):
        (ax, ay), (bx, by), (cx, cy) = kept[-1], point, following
        length = math.hypot(cx - ax, cy - ay)
        if abs((cx - ax) * (by - ay) - (cy - ay) * (bx - ax)) > 0.2 * length:
            kept.append(point)
    return [*kept, points[-1]]


def _with_margin(
    width: float,
    height: float,
    nodes: Mapping[str, Rect],
    edges: Iterable[EdgePath],
    groups: Mapping[str, Rect],
) -> Layout:
    """Round, and leave a margin on all sides."""

    def moved(rects: Mapping[str, Rect]) -> dict[str, Rect]:
        return {
            name: {
                "x": round(rect["x"] + MARGIN, 2),
                "y": round(rect["y"] + MARGIN, 2),
                "w": round(rect["w"], 2),
                "h": round(rect["h"], 2),
            }
            for name, rect in rects.items()
        }

    return {
        "width": round(width + 2 * MARGIN, 2),
        "height": round(height + 2 * MARGIN, 2),
        "nodes": moved(nodes),
        "edges": [
            {
                "from": path["from"],
                "to": path["to"],
                "points": [(round(x + MARGIN, 2), round(y + MARGIN, 2)) for x, y in path["points"]],
            }
            for path in edges
        ],
        "groups": moved(groups),
    }
