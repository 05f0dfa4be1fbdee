"""The graph document, version 1, as types, and a structural check of a whole document.

`docs/graph-document.md` is the reference. The types describe what a maker must write; a reader
must ignore fields it does not know, so `validate` does not complain about extra ones.
"""

import math
from collections import Counter
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    TypedDict,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

LABEL_LIMIT = 40
TEXT_LIMIT = 200

Point = tuple[float, float]
View = Literal["source", "forward", "pullback", "ir", "code"]

# "from" is a keyword of Python, so the two edge types are written as calls.
Edge = TypedDict("Edge", {"from": str, "to": str})
EdgePath = TypedDict("EdgePath", {"from": str, "to": str, "points": list[Point]})


class Summary(TypedDict):
    """A value in brief; `norm`, `min` and `max` are None where JSON has no such number."""

    type: str
    shape: list[int]
    norm: float | None
    min: float | None
    max: float | None
    nan: int
    inf: int
    text: str


class Rect(TypedDict):
    """A box by its centre and size, in points, origin top left."""

    x: float
    y: float
    w: float
    h: float


class Layout(TypedDict):
    """Where everything is; the last point of an edge carries the arrow."""

    width: float
    height: float
    nodes: dict[str, Rect]
    edges: list[EdgePath]
    groups: dict[str, Rect]


class Node(TypedDict):
    """One value of the program, with what is known of it."""

    id: str
    primal: str
    kind: Literal["input", "const", "op", "result"]
    label: str
    name: str
    line: int | None
    col: int
    endLine: int | None
    endCol: int
    type: str
    group: str | None
    visits: int
    value: Summary | None
    cotangent: Summary | None
    sensitivity: float | None


class Group(TypedDict):
    """A loop, a branch or a call, drawn as a box around its nodes."""

    id: str
    kind: Literal["loop", "branch", "call"]
    label: str
    parent: str | None
    line: int | None


class Graph(TypedDict):
    """Nodes, edges and groups, already laid out."""

    nodes: list[Node]
    edges: list[Edge]
    groups: list[Group]
    layout: Layout


class SourceText(TypedDict):
    """The user's text; line n of the document is text line `n - firstLine`."""

    file: str
    firstLine: int
    text: str


class Result(TypedDict):
    """What was differentiated."""

    name: str
    node: str
    text: str


class Input(TypedDict):
    """What it was differentiated by; `gradient` None means that no path leads to the result."""

    name: str
    node: str
    value: Summary
    gradient: Summary | None


class Line(TypedDict):
    """The sensitivity of one source line: that of its largest node."""

    line: int
    sensitivity: float | None
    node: str
    nodes: list[str]
    text: str


class Graphs(TypedDict):
    """The two graphs of a document."""

    forward: Graph
    pullback: Graph


class Scale(TypedDict):
    """The smallest positive and the largest finite sensitivity."""

    min: float | None
    max: float | None


class IR(TypedDict):
    """The printed intermediate representation."""

    forward: str
    pullback: str


class Code(TypedDict):
    """The generated source and its map: pairs (its line from 1, the user's line)."""

    text: str
    lines: list[tuple[int, int]]


class Note(TypedDict):
    """A diagnostic."""

    severity: Literal["error", "warning", "info"]
    code: str
    message: str
    line: int | None


class Document(TypedDict):
    """Everything a viewer needs."""

    version: Literal[1]
    id: str
    title: str
    cellId: str | None
    source: SourceText
    result: Result | None
    inputs: list[Input]
    lines: list[Line]
    graphs: Graphs
    scale: Scale
    ir: IR
    code: Code
    notes: list[Note]
    view: NotRequired[View]


def validate(document: object) -> list[str]:
    """What is wrong with `document`: one text per fault, none if it is sound.

    First the shape (fields and types), then, if that is right, the references between parts.

    >>> validate({"version": 2})[:2]
    ['document.version: expected 1, found 2', 'document.id: missing']
    """
    faults = list(_shape_faults(document, Document, "document"))
    return faults or list(_reference_faults(cast(Document, document)))


def _shape_faults(value: object, expected: Any, where: str) -> Iterator[str]:
    """Compare a value with a type made of the pieces that this file uses."""
    origin, parts = get_origin(expected), get_args(expected)
    if is_typeddict(expected):
        if not isinstance(value, dict):
            yield _mismatch(value, expected.__name__, where)
            return
        for field, kind in get_type_hints(expected).items():
            if field in value:
                yield from _shape_faults(value[field], kind, f"{where}.{field}")
            elif field in expected.__required_keys__:
                yield f"{where}.{field}: missing"
    elif origin is UnionType:
        if value is not None:
            (kind,) = (part for part in parts if part is not NoneType)
            yield from _shape_faults(value, kind, where)
    elif origin is Literal:
        if value not in parts or isinstance(value, bool):
            yield _mismatch(value, " or ".join(map(repr, parts)), where)
    elif origin is list:
        if not isinstance(value, list):
            yield _mismatch(value, "a list", where)
            return
        for position, item in enumerate(value):
            yield from _shape_faults(item, parts[0], f"{where}[{position}]")
    elif origin is tuple:  # a pair; JSON makes it a list
        if not isinstance(value, (list, tuple)) or len(value) != len(parts):
            yield _mismatch(value, f"{len(parts)} items", where)
            return
        for position, (item, kind) in enumerate(zip(value, parts, strict=True)):
            yield from _shape_faults(item, kind, f"{where}[{position}]")
    elif origin is dict:
        if not isinstance(value, dict):
            yield _mismatch(value, "a mapping", where)
            return
        for key, item in value.items():
            yield from _shape_faults(key, parts[0], f"{where}, key {key!r}")
            yield from _shape_faults(item, parts[1], f"{where}[{key!r}]")
    elif not _is_scalar(value, expected):
        yield _mismatch(value, expected.__name__, where)


def _is_scalar(value: object, expected: type) -> bool:
    if expected is float:
        return type(value) in (int, float) and math.isfinite(cast(float, value))
    return type(value) is expected


def _mismatch(value: object, expected: str, where: str) -> str:
    return f"{where}: expected {expected}, found {value!r:.40}"


def _reference_faults(document: Document) -> Iterator[str]:
    forward, pullback = document["graphs"]["forward"], document["graphs"]["pullback"]
    known = {node["id"] for node in forward["nodes"]}
    yield from _graph_faults(forward, known, "forward")
    yield from _graph_faults(pullback, known, "pullback")
    mentioned = [("inputs", item["node"]) for item in document["inputs"]]
    if document["result"] is not None:
        mentioned.append(("result", document["result"]["node"]))
    last = document["source"]["firstLine"] + document["source"]["text"].count("\n")
    for entry in document["lines"]:
        where = f"lines, line {entry['line']}"
        mentioned += [(where, node) for node in (entry["node"], *entry["nodes"])]
        if not document["source"]["firstLine"] <= entry["line"] <= last:
            yield f"{where}: not a line of the source"
    for where, node in mentioned:
        if known and node not in known:  # a graph may be left out
            yield f"{where}: unknown node {node!r}"


def _graph_faults(graph: Graph, primals: set[str], where: str) -> Iterator[str]:
    nodes = [node["id"] for node in graph["nodes"]]
    groups = [group["id"] for group in graph["groups"]]
    parents = {group["id"]: group["parent"] for group in graph["groups"]}
    for kind, ids in (("node", nodes), ("group", groups)):
        for repeated in (item for item, count in Counter(ids).items() if count > 1):
            yield f"{where}: two {kind}s called {repeated!r}"
    for node in graph["nodes"]:
        if len(node["label"]) > LABEL_LIMIT:
            yield f"{where}, node {node['id']}: label longer than {LABEL_LIMIT} characters"
        if node["primal"] not in primals:
            yield f"{where}, node {node['id']}: unknown primal {node['primal']!r}"
        if node["group"] is not None and node["group"] not in parents:
            yield f"{where}, node {node['id']}: unknown group {node['group']!r}"
        for summary in (node["value"], node["cotangent"]):
            if summary is not None and len(summary["text"]) > TEXT_LIMIT:
                yield f"{where}, node {node['id']}: text longer than {TEXT_LIMIT} characters"
    for group in graph["groups"]:
        above, seen = group["parent"], {group["id"]}
        while above is not None and above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        if above is not None:
            fault = "is inside itself" if above in parents else f"has no parent {above!r}"
            yield f"{where}: group {group['id']!r} {fault}"
    ends = [(edge["from"], edge["to"]) for edge in graph["edges"]]
    for end in sorted({end for pair in ends for end in pair} - set(nodes)):
        yield f"{where}: an edge at the unknown node {end!r}"
    layout = graph["layout"]
    if set(layout["nodes"]) != set(nodes):
        yield f"{where}: the layout has other nodes than the graph"
    if set(layout["groups"]) != set(groups):
        yield f"{where}: the layout has other groups than the graph"
    if [(path["from"], path["to"]) for path in layout["edges"]] != ends:
        yield f"{where}: the layout has other edges than the graph"
    if any(len(path["points"]) < 2 for path in layout["edges"]):
        yield f"{where}: an edge of fewer than two points"
