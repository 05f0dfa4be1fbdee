"""From a recording to the graph document that every viewer reads."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable
from typing import Any

from ..recording import Group, Node, Recording, Summary, summary
from ..source import Span, line_of
from . import schema
from .layout import box, lay_out

MOST_NODES = 2000  # beyond this a graph is no picture any more; the document says so


def document(
    recording: Recording,
    *,
    cell: str | None = None,
    source: schema.SourceText | None = None,
    notes: Iterable[schema.Note] = (),
    title: str | None = None,
    draw: bool = True,
) -> schema.Document:
    """The document of one recording; without `source` it shows the text of the function.
    `draw=False`: no graphs.
    """
    found = source or _source_of(recording)
    lines = _Lines(found)
    every = [*notes, *_findings(recording, lines)]
    if draw and len(recording.nodes) > MOST_NODES:
        draw = False
        text = (
            f"the graph has {len(recording.nodes)} nodes and is not drawn (more than {MOST_NODES})"
        )
        every.append({"severity": "info", "code": "", "message": text, "line": None})
    result = recording.result
    made: schema.Document = {
        "version": 1,
        "id": uuid.uuid4().hex,
        "title": title or recording.title,
        "cellId": cell,
        "source": found,
        "result": None
        if result is None
        else {
            "name": result.name or "result",
            "node": f"n{result.id}",
            "text": result.value.text if result.value else "",
        },
        "inputs": [_input(recording, name, at, g) for name, at, g in recording.inputs],
        "lines": _line_rows(recording, lines),
        "graphs": {
            "forward": _forward(recording, lines, draw),
            "pullback": _pullback(recording, lines, draw),
        },
        "scale": _scale(recording),
        "ir": {"forward": recording.ir, "pullback": recording.pullback_ir},
        "code": {"text": recording.code, "lines": recording.code_lines},
        "notes": every,
    }
    return made


class _Lines:
    """Which lines of files are lines of the document."""

    def __init__(self, source: schema.SourceText):
        self.file, self.first = source["file"], source["firstLine"]
        self.last = self.first + source["text"].rstrip("\n").count("\n")

    def of(self, span: Span | None) -> int | None:
        if span is None or span.file != self.file or not self.first <= span.line <= self.last:
            return None
        return span.line


def _source_of(recording: Recording) -> schema.SourceText:
    span = recording.span
    if span is None:
        return {"file": "", "firstLine": 1, "text": ""}
    text = "\n".join(line_of(span.file, n) for n in range(span.line, span.end_line + 1))
    return {"file": span.file, "firstLine": span.line, "text": text}


def _findings(recording: Recording, lines: _Lines) -> list[schema.Note]:
    """What a reader should look at first: values that are no numbers, inputs without a path."""
    found: list[schema.Note] = []
    bad = recording.first_nonfinite()
    if bad is not None:
        node, where = bad
        summary = next(
            s for s in (node.values if where == "value" else node.cotangents) if not s.finite
        )
        kind = "NaN" if summary.nan else "Inf"
        what = "the value" if where == "value" else "the cotangent"
        message = f"{kind} first appears in {what} of `{node.label}`"
        found.append(
            {"severity": "warning", "code": "", "message": message, "line": lines.of(node.span)}
        )
    for name, at, g in recording.inputs:
        if g is None and recording.nodes[at].received == 0:
            message = f"no path leads from `{name}` to the result: its gradient is None"
            found.append({"severity": "info", "code": "", "message": message, "line": None})
    return found


def _input(recording: Recording, name: str, at: int, gradient: Any) -> schema.Input:
    node = recording.nodes[at]
    value = _summary(node.value) or _summary(summary(None))
    assert value is not None
    return {
        "name": name,
        "node": f"n{at}",
        "value": value,
        "gradient": None if gradient is None else _summary(summary(gradient)),
    }


def _summary(s: Summary | None) -> schema.Summary | None:
    if s is None:
        return None
    return {
        "type": s.type,
        "shape": list(s.shape),
        "norm": s.norm,
        "min": s.min,
        "max": s.max,
        "nan": s.nan,
        "inf": s.inf,
        "text": s.text,
    }


def _finite(x: float | None) -> float | None:
    return x if x is not None and math.isfinite(x) else None


def _line_rows(recording: Recording, lines: _Lines) -> list[schema.Line]:
    rows: dict[int, list[Node]] = {}
    for n in recording.nodes:
        line = lines.of(n.span)
        if line is not None and n.sensitivity is not None:
            rows.setdefault(line, []).append(n)
    name = recording.result.name if recording.result and recording.result.name else "result"
    found: list[schema.Line] = []
    for line, every in sorted(rows.items()):
        # An input that a line reads tells less of the line than what it computes.
        nodes = [n for n in every if n.kind != "input"] or every
        best = max(
            nodes,
            key=lambda n: (
                not math.isfinite(n.sensitivity or 0.0),
                n.sensitivity or 0.0,
                bool(n.name),
            ),
        )
        s = _finite(best.sensitivity)
        shown = "not finite" if s is None else f"{s:.3g}"
        found.append(
            {
                "line": line,
                "sensitivity": s,
                "node": f"n{best.id}",
                "nodes": [f"n{n.id}" for n in every],
                "text": f"|∂{name}/∂{best.name or '(' + best.label + ')'}| = {shown}",
            }
        )
    return found


def _scale(recording: Recording) -> schema.Scale:
    found = [s for n in recording.nodes if (s := _finite(n.sensitivity)) is not None and s > 0]
    return {"min": min(found), "max": max(found)} if found else {"min": None, "max": None}


def _forward(recording: Recording, lines: _Lines, draw: bool) -> schema.Graph:
    nodes = [
        _node(n, f"n{n.id}", n.label, lines) for n in recording.nodes if n.visits or n.received
    ]
    shown = {n["id"] for n in nodes}
    edges: list[schema.Edge] = [
        {"from": f"n{o}", "to": f"n{n.id}"}
        for n in recording.nodes
        for o in n.operands
        if f"n{n.id}" in shown and f"n{o}" in shown and o != n.id
    ]
    return _graph(nodes, edges, recording.groups, lines, draw)


def _pullback(recording: Recording, lines: _Lines, draw: bool) -> schema.Graph:
    """The cotangents, flowing from the result back to the inputs."""
    nodes = []
    for n in recording.nodes:
        if n.received:
            text = recording.adjoints.get(n.id) or f"∂/∂({n.name or n.label})"
            nodes.append(_node(n, f"b{n.id}", text if len(text) <= 40 else text[:39] + "…", lines))
    shown = {n["id"] for n in nodes}
    edges: list[schema.Edge] = [
        {"from": f"b{n.id}", "to": f"b{o}"}
        for n in recording.nodes
        for o in n.operands
        if f"b{n.id}" in shown and f"b{o}" in shown and o != n.id
    ]
    return _graph(nodes, edges, recording.groups, lines, draw)


def _node(n: Node, id: str, label: str, lines: _Lines) -> schema.Node:
    line = lines.of(n.span)
    col, end = _columns(n.span) if line is not None else (0, 0)
    kind: Any = "result" if n.kind == "result" else n.kind
    return {
        "id": id,
        "primal": f"n{n.id}",
        "kind": kind,
        "label": label,
        "name": n.name,
        "line": line,
        "col": col,
        "endLine": n.span.end_line if n.span is not None and line is not None else None,
        "endCol": end,
        "type": n.type,
        "group": f"g{n.group.id}" if n.group is not None else None,
        "visits": n.visits,
        "value": _summary(n.value),
        "cotangent": _summary(n.cotangent),
        "sensitivity": _finite(n.sensitivity),
    }


def _columns(span: Span | None) -> tuple[int, int]:
    """Columns in UTF-16 units, as a browser counts."""
    if span is None:
        return 0, 0

    def units(line: int, col: int) -> int:
        return (
            len(
                line_of(span.file, line).encode()[:col].decode(errors="replace").encode("utf-16-le")
            )
            // 2
        )

    return units(span.line, span.col), units(span.end_line, span.end_col)


def _graph(
    nodes: list[schema.Node],
    edges: list[schema.Edge],
    groups: list[Group],
    lines: _Lines,
    draw: bool,
) -> schema.Graph:
    if not draw:
        empty: schema.Layout = {"width": 0.0, "height": 0.0, "nodes": {}, "edges": [], "groups": {}}
        return {"nodes": [], "edges": [], "groups": [], "layout": empty}
    parents = {g.id: g.parent for g in groups}
    used: set[int] = set()
    for n in nodes:
        at = int(n["group"][1:]) if n["group"] is not None else None
        while at is not None and at not in used:
            used.add(at)
            up = parents[at]
            at = up.id if up is not None else None
    kept: list[schema.Group] = [
        {
            "id": f"g{g.id}",
            "kind": _kind(g),
            "label": g.label,
            "parent": f"g{g.parent.id}" if g.parent is not None else None,
            "line": lines.of(g.span),
        }
        for g in groups
        if g.id in used
    ]
    unique: list[schema.Edge] = [
        {"from": a, "to": b} for a, b in dict.fromkeys((e["from"], e["to"]) for e in edges)
    ]
    layout = lay_out([box(n) for n in nodes], unique, kept)
    return {"nodes": nodes, "edges": unique, "groups": kept, "layout": layout}


def _kind(g: Group) -> Any:
    return g.kind
