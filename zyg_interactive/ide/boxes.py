"""What every layout shares: boxes of fixed size, the gaps between them, the parts of a result."""

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypedDict

from zyg_interactive.ide.schema import Edge, EdgePath, Group, Layout, Point, Rect

LABEL_SIZE, DETAIL_SIZE, GROUP_LABEL_SIZE = 12.0, 10.5, 11.0  # font sizes
ADVANCE = 0.61  # width of a character of a monospaced font, for a font of size one
NODE_HEIGHT = 42.0
NODE_PADDING = 12.0
LAYER_GAP, NODE_GAP = 34.0, 22.0
GROUP_PADDING, GROUP_LABEL_HEIGHT = 14.0, 20.0
MARGIN = 8.0

Level = str | None  # the id of a group, or None outside of all


class Box(TypedDict):
    """What the layout needs to know of a node: its two lines of text and its group."""

    id: str
    label: str
    detail: str
    group: str | None


# ---------------------------------------------------------------------------------------- sizes


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


# --------------------------------------------------------------------------------------- groups


@dataclass
class Members:
    """What is directly in a group, by id."""

    nodes: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def members_of(nodes: Iterable[Box], groups: Iterable[Group]) -> dict[Level, Members]:
    """What is directly in each group, and outside of all under None."""
    found: dict[Level, Members] = defaultdict(Members)
    for node in nodes:
        found[node["group"]].nodes.append(node["id"])
    for group in groups:
        found[group["parent"]].groups.append(group["id"])
    return found


# -------------------------------------------------------------------------------------- results


def rectangle(x: float, y: float, w: float, h: float) -> Rect:
    return {"x": x, "y": y, "w": w, "h": h}


def edge_path(edge: Edge, points: list[Point]) -> EdgePath:
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


def with_margin(
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
