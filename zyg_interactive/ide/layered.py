"""The layout that needs no program but this one.

1. break cycles, put each node one layer below its last predecessor;
2. cut long edges into hops of one layer with dummy nodes, shared by the edges of one source;
3. order each layer by the barycentre of its neighbours, keep the order with fewest crossings;
4. place each layer as near to its neighbours as the widths allow (isotonic regression).

(Sugiyama, Tagawa and Toda 1981; Gansner et al. 1993.) A group is laid out first on its own and is
then one big box in its parent, so boxes never overlap and always hold their nodes.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Literal, NamedTuple

from zyg_interactive.ide.boxes import (
    GROUP_LABEL_HEIGHT,
    GROUP_PADDING,
    LAYER_GAP,
    NODE_GAP,
    NODE_PADDING,
    Box,
    Level,
    edge_path,
    group_label_width,
    members_of,
    node_size,
    rectangle,
    with_margin,
)
from zyg_interactive.ide.schema import Edge, EdgePath, Group, Layout, Point, Rect

LOOP_REACH = 16.0  # how far a self-loop leaves its node
LINE_GAP = 12.0  # between edges side by side
SWEEPS = 8
BENDS = 3  # layers that edges may pass, per node on average; beyond that they are straight lines

Kind = Literal["node", "group", "in", "out"]


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
    members = members_of(nodes, groups)
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
                rects[key.id] = rectangle(left + x, top + y, w, h)
            elif key.kind == "group":
                group_rects[key.id] = rectangle(left + x, top + y, w, h)
                corner[key.id] = (left + x - w / 2, top + y - h / 2)

    drawn: list[EdgePath] = []
    for edge, trail in zip(edges, trails, strict=True):
        points: list[Point] = []
        for level, arc in trail:
            left, top = corner[level]
            points += [(left + x, top + y) for x, y in frames[level].routes[arc]]
        drawn.append(edge_path(edge, points))
    return with_margin(frames[None].width, frames[None].height, rects, drawn, group_rects)


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
    ranks = layers_of([key.kind for key in keys], pairs)
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


def layers_of(kinds: Sequence[Kind], pairs: Sequence[tuple[int, int]]) -> list[int]:
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
