"""An open text: cut into pieces that are parsed on their own, and columns in the units of a client.

A text is cut where a line begins at column 0. A piece is parsed once and found again by its text,
so an edit costs one piece; a piece that does not parse is mended line by line, and no line ever
moves. All places in a piece are its own; `Document.place` tells where they are in the text.
"""

from __future__ import annotations

import ast
import gc
import itertools
import re
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Literal

from ..source import Source, Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]

CONTINUES = re.compile(r"(else|elif|except|finally)\b|[)\]}#]")
HEADER = re.compile(
    r"\s*(async\s+)?(def|class|if|elif|else|for|while|with|try|except|finally|match|case)\b"
)
BOUND = re.compile(r"(\s*(?:\w+\s*=(?!=)|return\b))(.*)")
NAMES = re.compile(r"(?<![\w.\"'])[^\W\d]\w*(?![\w.(\"'])")
QUOTES = ('"""', "'''")
UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
UNCLOSED = ("never closed", "forgot a comma", "unexpected EOF")  # what the parser says of brackets
MOST_STEPS = 6  # attempts to find where such a text ends
MOST_REPAIRS = 40
LONGEST_REPAIR = 0.2  # seconds for one piece
KEPT_PIECES = 20_000
_numbers = itertools.count(1)


# ---- columns


def to_client(line: str, column: int, encoding: Encoding = "utf-16") -> int:
    """The column of `ast` (bytes of UTF-8) in the units of a client.

    >>> to_client("𝒳é = 1", len("𝒳é".encode())), to_client("𝒳é = 1", len("𝒳é".encode()), "utf-32")
    (3, 2)
    """
    if encoding == "utf-8" or line.isascii():
        return column
    before = line.encode(errors="replace")[:column].decode(errors="replace")
    return len(before) if encoding == "utf-32" else _utf16(before)


def from_client(line: str, column: int, encoding: Encoding = "utf-16") -> int:
    """The column of a client in bytes of UTF-8; within a character it is the character's begin."""
    if encoding == "utf-8" or line.isascii():
        return min(column, len(line.encode(errors="replace")))
    if encoding == "utf-32":
        return len(line[:column].encode(errors="replace"))
    units = 0
    for k, character in enumerate(line):
        units += _utf16(character)
        if units > column:
            return len(line[:k].encode(errors="replace"))
    return len(line.encode(errors="replace"))


def _utf16(text: str) -> int:
    return len(text) + sum(c > "\uffff" for c in text)


# ---- pieces


@dataclass(eq=False)
class Piece:
    """Text from one column 0 to the next. `broken`: line (from 0) to what the parser said of it."""

    text: str
    source: Source
    broken: dict[int, str] = field(default_factory=dict)
    said: str = ""  # what the parser said first

    @property
    def count(self) -> int:
        """The number of its lines."""
        return self.text.count("\n") + 1


class Document:
    """A text as it is now. `pieces` are (first line from 0, piece)."""

    def __init__(self, file: str, text: str = ""):
        self.file = file
        self.lines: list[str] = []
        self.pieces: list[tuple[int, Piece]] = []
        self._kept: dict[tuple[str, int], Piece] = {}
        self._starts: dict[str, int] = {}
        self.update(text)

    def update(self, text: str) -> None:
        """Take another text. Pieces whose text is the same stay the same objects."""
        # What no file of Python holds, in as many columns; a magic as a comment.
        text = text.replace("\0", " ").encode(errors="replace").decode()
        self.lines = re.split(r"\r\n|\r|\n", text)
        shown = ["#" + s[1:] if s[:1] in ("%", "!") else s for s in self.lines]
        self.pieces = []
        if len(self._kept) > KEPT_PIECES:
            self._kept.clear()
        seen: dict[str, int] = {}
        todo = list(_cut(shown))
        k = 0
        while k < len(todo):
            start, lines = todo[k]
            whole = "\n".join(lines)
            nth = seen[whole] = seen.get(whole, -1) + 1  # equal pieces at two places are two pieces
            piece, k = self._piece(whole, nth, todo, k)
            self.pieces.append((start, piece))
        self._starts = {p.source.file: start for start, p in self.pieces}

    def _piece(
        self, text: str, nth: int, todo: list[tuple[int, list[str]]], k: int
    ) -> tuple[Piece, int]:
        """The piece that begins with the k-th cut, and the number of the cut after it."""
        kept = self._kept.get((text, nth))
        if kept is not None and not kept.broken:
            return kept, k + 1
        said, last, merged = kept.said if kept is not None else None, k, text
        for step in range(MOST_STEPS):
            if said is None:
                try:
                    found = self._kept.get((merged, nth)) or _made(merged, _parse(merged))
                    return self._keep(nth, found), last + 1
                except UNPARSED as error:
                    said = str(error)
            next_last = _goes_on(said, merged, todo, last, step == MOST_STEPS - 2)
            if next_last is None:
                break
            merged = "\n".join(
                [merged, *(s for _, lines in todo[last + 1 : next_last + 1] for s in lines)]
            )
            said, last = None, next_last
        return (kept or self._keep(nth, _repaired(text))), k + 1

    def _keep(self, nth: int, piece: Piece) -> Piece:
        self._kept[piece.text, nth] = piece
        return piece

    def place(self, span: Span) -> Span:
        """A span of a piece as one of the text."""
        start = self._starts.get(span.file)
        if start is None:
            return span
        return Span(self.file, span.line + start, span.col, span.end_line + start, span.end_col)

    def at(self, line: int) -> tuple[int, Piece] | None:
        """The piece that a line (from 0) is in, and its first line."""
        found = None
        for start, piece in self.pieces:
            if start > line:
                break
            found = start, piece
        return found

    def column(self, line: int, column: int, encoding: Encoding) -> int:
        """A column of `ast` in the units of a client; `line` from 0."""
        return to_client(self.lines[line], column, encoding) if line < len(self.lines) else 0


def _cut(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    start, current = 0, [lines[0]]
    for k, line in enumerate(lines[1:], 1):
        begins = line and not line[0].isspace() and not CONTINUES.match(line)
        if begins and not current[-1].startswith("@"):
            yield start, current
            start, current = k, []
        current.append(line)
    yield start, current


def _goes_on(
    said: str, text: str, todo: list[tuple[int, list[str]]], last: int, far: bool
) -> int | None:
    """Up to which cut a text may go on: inside a bracket or a string, or after a decorator.

    `far`: up to the next line that begins with a closing bracket.
    """
    if last + 1 >= len(todo):
        return None
    if "triple-quoted" in said:
        quotes = [q for q in QUOTES if text.count(q) % 2]
        ends = (
            k for k in range(last + 1, len(todo)) if any(q in s for s in todo[k][1] for q in quotes)
        )
        return next(ends, None)
    decorates = text.startswith("@") and not re.search(r"^(async |def |class )", text, re.M)
    if not decorates and not any(hint in said for hint in UNCLOSED):
        return None
    if not far:
        return last + 1
    closed = (
        k for k in range(last + 1, len(todo)) if any(s[:1] in (")", "]", "}") for s in todo[k][1])
    )
    return next(closed, None)


def _made(text: str, tree: ast.Module) -> Piece:
    return Piece(text, Source(f"<piece {next(_numbers)}>", text, tree))


def _parse(text: str) -> ast.Module:
    """Without garbage collection, which walks the half-built tree again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a text that is being typed: `1if x`
            return ast.parse(text)
    finally:
        if enabled:
            gc.enable()


# ---- repair


def _repaired(text: str) -> Piece:
    """A piece that does not parse, with `pass` in the place of lines that cannot stay."""
    lines = text.split("\n")
    broken: dict[int, str] = {}
    said = ""
    until = time.perf_counter() + LONGEST_REPAIR
    for _ in range(MOST_REPAIRS):
        try:
            mended = "\n".join(lines)
            piece = _made(mended, _parse(mended))
            return Piece(text, piece.source, broken, said)
        except UNPARSED as error:
            said = said or str(error)
            if not _mend(lines, broken, error) or time.perf_counter() > until:
                break
    return Piece(text, _made("", ast.Module([], [])).source, broken or {0: said}, said)


def _mend(lines: list[str], broken: dict[int, str], error: Exception) -> bool:
    """Change one line by what the parser says; False where that was tried before."""
    said = getattr(error, "msg", None) or str(error)
    at = min(max((getattr(error, "lineno", None) or 1) - 1, 0), len(lines) - 1)
    header = re.search(r"on line (\d+)", said)
    if "expected an indented block" in said and header is not None:
        _give_body(lines, broken, int(header[1]) - 1, said)
        return True
    if "expected 'except' or 'finally' block" in said and _drop_try(lines, broken, at, said):
        return True
    if said.startswith(("unexpected indent", "unindent does not match")):
        _align(lines, broken, at)
        broken.setdefault(at, said)
        return True
    while at > 0 and lines[at].strip() in ("", "pass"):
        at -= 1
    if at in broken and lines[at].strip() in ("", "pass"):
        return False
    below = next((line for line in lines[at + 1 :] if line.strip()), "")
    indent = _indent(lines[at])
    opens = len(_indent(below)) > len(indent) and HEADER.match(lines[at])
    kept = BOUND.match(lines[at])
    if kept is not None and at not in broken:  # the value goes, what it is made of stays
        names = dict.fromkeys(n for n in NAMES.findall(_code(kept[2])) if not iskeyword(n))
        lines[at] = f"{kept[1]} __unparsed__({', '.join(names)})"
        broken[at] = said
        return True
    lines[at] = indent + ("if 1:" if opens else "pass")
    broken.setdefault(at, said)
    return True


def _give_body(lines: list[str], broken: dict[int, str], at: int, said: str) -> None:
    """A header without a block gets one; at the second time the header itself goes."""
    if at in broken:
        lines[at] = _indent(lines[at]) + "pass"
        return
    end = at
    while end + 1 < len(lines) and not _code(lines[end]).endswith(":") and end - at < 30:
        end += 1
    lines[end] = _code(lines[end]) + " pass"
    broken[at] = said


def _drop_try(lines: list[str], broken: dict[int, str], at: int, said: str) -> bool:
    depth = len(_indent(lines[at])) if lines[at].strip() else 0
    for k in range(at - 1, -1, -1):
        if lines[k].lstrip().startswith("try") and len(_indent(lines[k])) >= depth:
            rest = lines[k].partition(":")[2]
            lines[k] = f"{_indent(lines[k])}if 1:{rest}"
            broken.setdefault(k, said)
            return True
    return False


def _align(lines: list[str], broken: dict[int, str], at: int) -> None:
    """A line at a wrong depth goes to that of the line above it, or goes."""
    above = next((line for line in reversed(lines[:at]) if line.strip()), "")
    wanted = _indent(above)
    misplaced = at not in broken and len(wanted) != len(_indent(lines[at]))
    lines[at] = wanted + lines[at].lstrip() if misplaced else ""


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _code(line: str) -> str:
    return line.split("#")[0].rstrip()
