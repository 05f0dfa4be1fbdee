"""Pictures of a graph document that need no kernel and no script: SVG, HTML and plain text.

The HTML is made for saved, exported and untrusted notebooks. JupyterLab's sanitiser removes
`<svg>`, `<style>` and `<script>` there, but keeps tables, `<details>`, inline styles of known
properties and images from `data:` addresses; so the graphs are images and the source is a table.

Every tree is built as elements, never pasted together from text, and characters that could hide or
reorder text (controls, bidirectional overrides) are replaced.
"""

import base64
import math
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile
from typing import Literal, NamedTuple
from xml.etree import ElementTree as ET

from zyg_interactive.ide import boxes, layout
from zyg_interactive.ide.schema import (
    Document,
    Group,
    Line,
    Node,
    Note,
    Point,
    Rect,
    Scale,
    Summary,
)

GraphName = Literal["forward", "pullback"]

HEAT = ("#fef0d9", "#fdcc8a", "#fc8d59", "#e34a33", "#b30000")  # ColorBrewer's OrRd: safe for all
NO_PATH, ZERO, MAGENTA, NOT_FINITE = "#e5e7eb", "#ffffff", "#d4009f", "#fde7f7"
# Seen on white and on black alike:
LINE, BORDER, TAG = "#8b949e", "#6b7280", "#6b7280"
MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

LEGEND_WIDTH, LEGEND_HEIGHT = 516.0, 34.0
CORNER = 12.0  # radius of the bends of edges
DRAWN_LIMIT = 500  # nodes: a larger graph is not put into HTML
TEXT_COLUMNS = 100


# ----------------------------------------------------------------------------- colours and texts


def heat(t: float) -> str:
    """The colour of a warmth from 0 (pale) to 1 (strong).

    >>> heat(0.0), heat(0.125), heat(1.0)
    ('#fef0d9', '#fedeb2', '#b30000')
    """
    place = min(max(t, 0.0), 1.0) * (len(HEAT) - 1)
    first = min(int(place), len(HEAT) - 2)
    pairs = zip(_channels(HEAT[first]), _channels(HEAT[first + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - first)):02x}" for a, b in pairs)


def ink(background: str) -> str:
    """Black or white, whichever is read better on a colour; the contrast is at least 4.5."""
    light = contrast("#ffffff", background) > contrast("#000000", background)
    return "#ffffff" if light else "#000000"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def warmth(sensitivity: float, scale: Scale) -> float:
    """Where a sensitivity stands on the logarithmic scale, from 0 to 1."""
    low, high = scale["min"], scale["max"]
    if not low or not high or low >= high:
        return 1.0
    return min(max(math.log(sensitivity / low) / math.log(high / low), 0.0), 1.0)


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


class Look(NamedTuple):
    """How a node is drawn."""

    fill: str
    stroke: str
    width: float
    dashes: str


def look(node: Node, scale: Scale) -> Look:
    """Fill and border of a node: its warmth, or that it is not finite, zero, or has no gradient."""
    fill = _fill(node, scale)
    if layout.not_finite(node["cotangent"]) or layout.not_finite(node["value"]):
        return Look(fill, MAGENTA, 3.5, "")
    if fill == NO_PATH:
        return Look(fill, BORDER, 1.2, "5 3")
    return Look(fill, BORDER, 2.4 if node["kind"] == "result" else 1.0, "")


def _fill(node: Node, scale: Scale) -> str:
    if layout.not_finite(node["cotangent"]):
        return NOT_FINITE
    return _colour(node["sensitivity"], scale)


def _colour(sensitivity: float | None, scale: Scale) -> str:
    if sensitivity is None:
        return NO_PATH
    if not math.isfinite(sensitivity):
        return NOT_FINITE
    return heat(warmth(sensitivity, scale)) if sensitivity > 0 else ZERO


# Controls, bidirectional overrides, and what XML cannot hold.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def _clean(text: str) -> str:
    """One line of text, safe to show."""
    return _UNSAFE.sub("\ufffd", re.sub(r"\r\n|[\n\r\t]", " ", text))


def _lines(text: str) -> list[str]:
    """The lines of a program, safe to show; only what ends a line for Python ends one here."""
    return [_clean(line.expandtabs(4)) for line in re.split(r"\r\n|\r|\n", text)]


def _fitted(text: str, limit: float) -> str:
    """Cut a text to a number of columns."""
    if boxes.columns(text) <= limit:
        return text
    widths = accumulate(boxes.columns(char) for char in text)
    return text[: sum(1 for _ in takewhile(lambda width: width <= limit - 1, widths))] + "…"


def _summary(summary: Summary) -> str:
    text = _clean(summary["text"])
    return f"{_clean(summary['type'])}  {text}" if summary["shape"] else text


def _headline(document: Document) -> str:
    result = document["result"]
    if result is None:
        return _clean(document["title"])
    return f"{_clean(result['name'] or document['title'])} = {_clean(result['text'])}"


# ------------------------------------------------------------------------------------------- SVG


def to_svg(document: Document, graph: GraphName = "forward") -> str:
    """A self-contained SVG picture of one graph, readable on a white and on a dark page."""
    drawn, scale = document["graphs"][graph], document["scale"]
    width = max(drawn["layout"]["width"], LEGEND_WIDTH + 2 * boxes.MARGIN)
    height = drawn["layout"]["height"] + LEGEND_HEIGHT + boxes.MARGIN
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "{http://www.w3.org/XML/1998/namespace}space": "preserve",
            "role": "img",
            "font-family": MONOSPACE,
            **_attributes(width=width, height=height),
            "viewBox": f"0 0 {width:g} {height:g}",
        },
    )
    _add(svg, "title", _described(document, graph))
    _add_definitions(svg)
    left = (width - drawn["layout"]["width"]) / 2
    picture = _add(svg, "g", transform=f"translate({left:g} 0)")
    for group in _outermost_first(drawn["groups"]):
        _add_group_box(picture, drawn["layout"]["groups"][group["id"]])
    for path in drawn["layout"]["edges"]:
        _add(picture, "path", d=_curve(path["points"]), fill="none", stroke=LINE, stroke_width=1.3)
        picture[-1].set("marker-end", "url(#zyg-arrow)")
    for group in drawn["groups"]:
        _add_group_label(picture, group, drawn["layout"]["groups"][group["id"]])
    for node in drawn["nodes"]:
        _add_node(picture, node, drawn["layout"]["nodes"][node["id"]], scale)
    _add_legend(svg, scale, drawn["layout"]["height"])
    return ET.tostring(svg, encoding="unicode")


def _described(document: Document, name: GraphName) -> str:
    graph = document["graphs"][name]
    count = f"{len(graph['nodes'])} nodes and {len(graph['edges'])} edges"
    text = f"{name.capitalize()} graph of {_clean(document['title'])}: {count}."
    known = [node for node in graph["nodes"] if node["sensitivity"] is not None]
    if known:
        top = max(known, key=lambda node: node["sensitivity"] or 0.0)
        text += f" Most sensitive: {_clean(top['label'])}, {layout.sensitivity_text(top)}."
    return text


def _add(
    parent: ET.Element, tag: str, text: str | None = None, **attributes: str | float
) -> ET.Element:
    element = ET.SubElement(parent, tag, _attributes(**attributes))
    element.text = text
    return element


def _attributes(**attributes: str | float) -> dict[str, str]:
    """Names with dashes and numbers without needless digits."""
    return {
        name.replace("_", "-"): value if isinstance(value, str) else f"{round(value, 2):.10g}"
        for name, value in attributes.items()
    }


def _add_definitions(svg: ET.Element) -> None:
    definitions = _add(svg, "defs")
    marker = _add(
        definitions,
        "marker",
        id="zyg-arrow",
        orient="auto",
        markerWidth=7,
        markerHeight=7,
        refX=6.5,
        refY=3.5,
        markerUnits="userSpaceOnUse",
    )
    _add(marker, "path", d="M0 0 L7 3.5 L0 7 Z", fill=LINE)
    ramp = _add(definitions, "linearGradient", id="zyg-heat")
    for position, colour in enumerate(HEAT):
        _add(ramp, "stop", offset=position / (len(HEAT) - 1), stop_color=colour)


def _outermost_first(groups: Sequence[Group]) -> list[Group]:
    parents = {group["id"]: group["parent"] for group in groups}

    def depth(group: Group) -> int:
        above, count = group["parent"], 0
        while above is not None:
            above, count = parents[above], count + 1
        return count

    return sorted(groups, key=depth)


def _add_group_box(picture: ET.Element, rect: Rect) -> None:
    _add(
        picture,
        "rect",
        x=rect["x"] - rect["w"] / 2,
        y=rect["y"] - rect["h"] / 2,
        width=rect["w"],
        height=rect["h"],
        rx=8,
        fill=BORDER,
        fill_opacity=0.08,
        stroke=LINE,
    )


def _add_group_label(picture: ET.Element, group: Group, rect: Rect) -> None:
    left, top = rect["x"] - rect["w"] / 2, rect["y"] - rect["h"] / 2
    advance = boxes.GROUP_LABEL_SIZE * boxes.ADVANCE
    label = _fitted(_clean(group["label"]), (rect["w"] - 12) / advance)
    _add(
        picture,
        "rect",
        x=left,
        y=top,
        width=boxes.columns(label) * advance + 12,
        height=17,
        rx=6,
        fill=TAG,
    )
    size = boxes.GROUP_LABEL_SIZE
    _add(picture, "text", label, x=left + 6, y=top + 12.2, font_size=size, fill=ink(TAG))


def _add_node(picture: ET.Element, node: Node, rect: Rect, scale: Scale) -> None:
    style = look(node, scale)
    left, top = rect["x"] - rect["w"] / 2, rect["y"] - rect["h"] / 2
    place = _add(picture, "g")
    _add(place, "title", "\n".join(_facts(node)))
    box = _add(
        place,
        "rect",
        x=left,
        y=top,
        width=rect["w"],
        height=rect["h"],
        rx={"input": rect["h"] / 2, "const": 0.0}.get(node["kind"], 6.0),
        fill=style.fill,
        stroke=style.stroke,
        stroke_width=style.width,
    )
    if style.dashes:
        box.set("stroke-dasharray", style.dashes)
    rows = (
        (_clean(node["label"]), boxes.LABEL_SIZE, -4.0, "600"),
        (_clean(layout.detail(node)), boxes.DETAIL_SIZE, 12.0, "400"),
    )
    for text, size, down, weight in rows:
        _add(
            place,
            "text",
            _fitted(text, (rect["w"] - 8) / (size * boxes.ADVANCE)),
            x=rect["x"],
            y=rect["y"] + down,
            text_anchor="middle",
            font_size=size,
            font_weight=weight,
            fill=ink(style.fill),
        )


def _facts(node: Node) -> Iterable[str]:
    """What a tooltip says of a node."""
    yield _clean(node["label"])
    if node["line"] is not None:
        yield f"line {node['line']}"
    if node["visits"] != 1:
        yield f"ran {node['visits']} times"
    yield f"sensitivity: {layout.sensitivity_text(node)}"
    if node["value"] is not None:
        yield f"value: {_summary(node['value'])}"
    if node["cotangent"] is not None:
        yield f"cotangent: {_summary(node['cotangent'])}"


def _curve(points: Sequence[Point]) -> str:
    """A polyline with rounded corners."""
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (x, y), (bx, by) = _towards(corner, before), corner, _towards(corner, after)
        path.append(f"L{ax:.6g} {ay:.6g} Q{x:g} {y:g} {bx:.6g} {by:.6g}")
    path.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return " ".join(path)


def _towards(corner: Point, other: Point) -> Point:
    """The point where the rounding of a corner begins, on the way to the next corner."""
    x, y = other[0] - corner[0], other[1] - corner[1]
    part = min(CORNER / max(math.hypot(x, y), 1e-9), 0.5)
    return corner[0] + x * part, corner[1] + y * part


def _add_legend(svg: ET.Element, scale: Scale, top: float) -> None:
    """The colour scale and the special borders, on a light card."""
    card = _add(svg, "g", transform=f"translate({boxes.MARGIN:g} {top:g})", font_size=10.5)
    card.set("fill", "#24292f")
    width, height = LEGEND_WIDTH, LEGEND_HEIGHT
    _add(card, "rect", width=width, height=height, rx=6, fill="#ffffff", stroke="#d0d7de")

    def word(text: str, x: float, anchor: str = "start") -> None:
        _add(card, "text", text, x=x, y=21, text_anchor=anchor)

    def swatch(x: float, text: str, style: Look) -> None:
        box = _add(card, "rect", x=x, y=10, width=20, height=14, rx=3, fill=style.fill)
        box.set("stroke", style.stroke)
        box.set("stroke-width", f"{style.width:g}")
        if style.dashes:
            box.set("stroke-dasharray", style.dashes)
        word(text, x + 26)

    word("sensitivity", 12)
    if scale["min"] and scale["max"]:
        word(layout.number(scale["min"]), 142, "end")
        _add(card, "rect", x=148, y=11, width=72, height=12, fill="url(#zyg-heat)")
        word(layout.number(scale["max"]), 226)
    swatch(278, "0", Look(ZERO, BORDER, 1.0, ""))
    swatch(320, "no gradient", Look(NO_PATH, BORDER, 1.2, "5 3"))
    swatch(424, "NaN, Inf", Look(NOT_FINITE, MAGENTA, 3.0, ""))


# ------------------------------------------------------------------------------------------ HTML

_CELL = "text-align: left; vertical-align: top; padding: 1px 8px; border: none; font-size: 13px"
_CODE = f"{_CELL}; font-family: monospace; white-space: pre"


def to_html(document: Document) -> str:
    """HTML for a notebook without kernel or trust: tables, images and folded code."""
    root = ET.Element("div", {"class": "zyg-static"})
    _add(_add(root, "p"), "strong", _headline(document))
    _add_notes(root, document)
    _add_source(root, document)
    _add_inputs(root, document)
    for name in ("forward", "pullback"):
        _add_picture(root, document, name)
    code = _add_fold(root, "Generated code")
    _add(code, "pre", "\n".join(_lines(document["code"]["text"])), style="text-align: left")
    return ET.tostring(root, encoding="unicode", method="html")


def _add_fold(root: ET.Element, title: str) -> ET.Element:
    fold = _add(root, "details")
    _add(fold, "summary", title)
    return fold


def _add_table(root: ET.Element, *heads: str) -> ET.Element:
    table = _add(root, "table", style="border-collapse: collapse; margin: 0 0 12px 0")
    row = _add(_add(table, "thead"), "tr")
    for head in heads:
        _add(row, "th", head, style=_CELL)
    return _add(table, "tbody")


def _add_notes(root: ET.Element, document: Document) -> None:
    if not document["notes"]:
        return
    listed = _add(root, "ul")
    for note in document["notes"]:
        _add(listed, "li", _note(note))


def _add_source(root: ET.Element, document: Document) -> None:
    """The program, each line with its sensitivity on the colour of its warmth."""
    rows = _add_table(root, "line", "sensitivity", _clean(document["source"]["file"]), "")
    looks = _line_looks(document)
    for number, text in enumerate(_lines(document["source"]["text"]), _first_line(document)):
        row = _add(rows, "tr")
        _add(row, "td", str(number), style=_CODE.replace("left", "right"))
        heated, note = _add(row, "td", style=_CODE), ""
        if number in looks:
            heated.text, colour, line = looks[number]
            heated.set("style", f"{_CODE}; background-color: {colour}; color: {ink(colour)}")
            note = _clean(line["text"])
        _add(row, "td", text, style=_CODE)
        _add(row, "td", note, style=f"{_CODE}; opacity: 0.75")


def _add_inputs(root: ET.Element, document: Document) -> None:
    if not document["inputs"]:
        return
    rows = _add_table(root, "input", "value", "gradient")
    for item in document["inputs"]:
        gradient = item["gradient"]
        row = _add(rows, "tr")
        _add(row, "td", _clean(item["name"]), style=_CODE)
        _add(row, "td", _summary(item["value"]), style=_CODE)
        _add(row, "td", "no path" if gradient is None else _summary(gradient), style=_CODE)


def _add_picture(root: ET.Element, document: Document, name: GraphName) -> None:
    described = _described(document, name)
    fold = _add_fold(root, f"{name.capitalize()} graph")
    count = len(document["graphs"][name]["nodes"])
    if count > DRAWN_LIMIT:
        text = (
            f"{described} More than {DRAWN_LIMIT} nodes are not drawn here: open it in JupyterLab."
        )
        _add(fold, "p", text)
        return
    fold.set("open", "open")
    data = base64.b64encode(to_svg(document, name).encode()).decode("ascii")
    frame = _add(fold, "div", style="overflow: auto; max-height: 720px")
    source = f"data:image/svg+xml;base64,{data}"
    _add(frame, "img", src=source, alt=described, style="max-width: none")


# ------------------------------------------------------------------------------------ plain text

_BAR_CELLS = 8
_EIGHTHS = " ▏▎▍▌▋▊▉"


def to_text(document: Document) -> str:
    """Plain text for a terminal: the program with sensitivities, inputs, result; 100 columns."""
    looks, scale = _line_looks(document), document["scale"]
    rows = [_headline(document), ""]
    for number, text in enumerate(_lines(document["source"]["text"]), _first_line(document)):
        bar, shown = "", ""
        if number in looks:
            shown, _, line = looks[number]
            sensitivity = line["sensitivity"]
            if sensitivity is not None and math.isfinite(sensitivity) and sensitivity > 0:
                bar = _bar(warmth(sensitivity, scale))
        rows.append(f"{number:>5}  {bar:<{_BAR_CELLS}} {shown:>8} │ {text}")
    if document["inputs"]:
        rows += ["", "gradients"]
    wide = max((boxes.columns(_clean(item["name"])) for item in document["inputs"]), default=0)
    for item in document["inputs"]:
        name, gradient = _clean(item["name"]), item["gradient"]
        pad = " " * (wide - boxes.columns(name))
        rows.append(f"  {name}{pad}  {'no path' if gradient is None else _summary(gradient)}")
    if document["notes"]:
        rows.append("")
    rows += [_note(note) for note in document["notes"]]
    return "\n".join(_fitted(row, TEXT_COLUMNS).rstrip() for row in rows)


def _bar(t: float) -> str:
    """A bar of eighths of a character; never empty.

    >>> _bar(1.0), _bar(0.0)
    ('████████', '▏')
    """
    eighths = max(round(t * _BAR_CELLS * 8), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


# ----------------------------------------------------------------------------- lines and notes


def _first_line(document: Document) -> int:
    return document["source"]["firstLine"]


def _line_looks(document: Document) -> dict[int, tuple[str, str, Line]]:
    """For each line with a sensitivity its text, its colour, and the entry itself."""
    broken = {
        node["id"]: layout.sensitivity_text(node)
        for node in document["graphs"]["forward"]["nodes"]
        if layout.not_finite(node["cotangent"])
    }
    looks = {}
    for line in document["lines"]:
        shown, colour = layout.number(line["sensitivity"]), NOT_FINITE
        if line["node"] in broken:
            shown = broken[line["node"]]
        else:
            colour = _colour(line["sensitivity"], document["scale"])
        looks[line["line"]] = (shown, colour, line)
    return looks


def _note(note: Note) -> str:
    """A diagnostic in one line.

    >>> _note({"severity": "error", "code": "ZYG101", "message": "no rule", "line": 3})
    'error ZYG101, line 3: no rule'
    """
    place = "" if note["line"] is None else f", line {note['line']}"
    kind = f"{note['severity']} {note['code']}".rstrip()
    return _clean(f"{kind}{place}: {note['message']}")
