"""Where the nodes, edges and groups of a graph are drawn.

`lay_out` asks Graphviz when a `dot` command is installed (the native one, or `graphviz-pure` from
PyPI): `dot.py`. Otherwise, and for graphs so large that dot takes seconds, or when it fails, the
layout is a small layered one of our own that needs no binary: `layered.py`.

Everything is in points, origin top left, and the same graph always gets the same layout.
"""

import math
from collections.abc import Sequence
from contextlib import suppress

from zyg_interactive.ide.boxes import Box
from zyg_interactive.ide.dot import DOT_LIMIT, LayoutError, dot_layout, dot_work
from zyg_interactive.ide.layered import layered_layout
from zyg_interactive.ide.schema import Edge, Group, Layout, Node, Summary


def lay_out(nodes: Sequence[Box], edges: Sequence[Edge], groups: Sequence[Group]) -> Layout:
    """Lay out a graph with Graphviz, or without it where that is not possible."""
    if dot_work(nodes, edges) <= DOT_LIMIT:
        with suppress(LayoutError):
            return dot_layout(nodes, edges, groups)
    return layered_layout(nodes, edges, groups)


# ----------------------------------------------------------------------------- texts of a node


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


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
