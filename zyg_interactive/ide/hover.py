"""What the gradient does at a place: adjoint of a line, pullback of a function, rule of a call."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..frontend.resolve import Asked, Known, UserFunction
from ..ir.text import fn_name
from ..rules.registry import lookup
from ..source import Span
from .check import Checker, name_span
from .document import Document, Piece
from .readable import Adjoint, adjoint
from .roots import Finder, Place, meaning_of

logger = logging.getLogger(__name__)
UNBROADCAST = "`unbroadcast(g, {0})` sums `g` over the axes along which `{0}` was broadcast."


@dataclass(frozen=True)
class Hover:
    """Markdown, and the place that it is about."""

    text: str
    span: Span


class Hovers:
    """Answers about one document; what was read is kept as long as it holds."""

    def __init__(self, checker: Checker):
        self.checker = checker
        self._kept: dict[ast.AST, tuple[Adjoint | None, Asked, list[Any]]] = {}

    def at(self, line: int, col: int) -> Hover | None:
        """What to say of a place: a line from 1, a column in bytes of UTF-8."""
        finder = self.checker.update()
        found = self.checker.document.at(line - 1)
        if found is None or not finder.uses_package():
            return None
        start, piece = found
        place = _innermost(finder, piece, line - start, col)
        node = _expression(piece, line - start, col)
        named = _named(finder, piece, place, node, line - start, col)
        if named is not None:
            return self._of_function(finder, *named)
        return self._of_line(finder, place, node, line - start) if place is not None else None

    def _of_function(self, finder: Finder, place: Place, span: Span) -> Hover | None:
        made = self.adjoint(finder, place)
        if made is None:
            return None
        if made.found:
            lines = [f"`{place.title}` cannot be differentiated:", ""]
            for d in made.found:
                at = (
                    f" (line {self.checker.document.place(d.span).line})"
                    if d.span is not None
                    else ""
                )
                lines.append(f"- {d.code}: {_plain(d.message)}{at}")
            return Hover("\n".join(lines), self.checker.document.place(span))
        code = ast.unparse(made.unit.tree)
        parts = [f"**pullback of `{place.title}`**", _fenced(code), *_notes(place, made, code)]
        return Hover("\n\n".join(parts), self.checker.document.place(span))

    def _of_line(
        self, finder: Finder, place: Place, node: ast.expr | None, line: int
    ) -> Hover | None:
        said = _rule(place, node)
        s = _statement(place, line)
        parts: list[str] = []
        if s is not None:
            made = self.adjoint(finder, place)
            if made is not None and not made.found:
                statements = made.statements(s.lineno, _last_line(s))
                code = "\n".join(map(ast.unparse, statements))
                if code:
                    parts = ["**adjoint of this line**", _fenced(code), *_notes(place, made, code)]
                elif isinstance(s, ast.Assign | ast.AugAssign | ast.AnnAssign):
                    parts = ["No derivative flows through this line."]
        if said:
            parts.append(said)
        if not parts or s is None:
            return None
        source = place.piece.source
        text = source.lines[s.lineno - 1]
        end = (
            len(text.encode())
            if _last_line(s) > s.lineno or hasattr(s, "body")
            else s.end_col_offset
        )
        span = Span(source.file, s.lineno, s.col_offset, s.lineno, end or 0)
        return Hover("\n\n".join(parts), self.checker.document.place(span))

    def adjoint(self, finder: Finder, place: Place) -> Adjoint | None:
        """The readable pullback of a function, or None where it cannot be made."""
        resolver, custom = self.checker.resolver, finder.custom()
        kept = self._kept.get(place.node)
        if kept is not None and kept[2] == custom and resolver.holds(kept[1]):
            return kept[0]
        resolver.asked = set()
        try:
            made: Adjoint | None = adjoint(place, resolver, custom)
        except Exception:  # an editor must have an answer for any text
            logger.debug("no adjoint of %s", place.title, exc_info=True)
            made = None
        self._kept = {n: k for n, k in self._kept.items() if n in finder.places}
        self._kept[place.node] = made, resolver.meant(), custom
        return made


def hover(document: Document, line: int, col: int) -> Hover | None:
    """What to say of a place of a document: `line` from 1, `col` in bytes of UTF-8, as in `ast`."""
    return Hovers(Checker(document)).at(line, col)


# ---- what is at a place


def _covers(node: Any, line: int, col: int) -> bool:
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return bool(start <= (line, col) < end)


def _innermost(finder: Finder, piece: Piece, line: int, col: int) -> Place | None:
    """The function that a line belongs to; a lambda where the column is in it."""
    best: Place | None = None
    for place in finder.places.values():
        node = place.node
        if place.piece is not piece or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        if isinstance(node, ast.Lambda) and not _covers(node, line, col):
            continue
        if best is None or _inside(node, best.node):
            best = place
    return best


def _inside(a: Any, b: Any) -> bool:
    return (b.lineno, b.col_offset) <= (a.lineno, a.col_offset) and (
        a.end_lineno,
        a.end_col_offset,
    ) <= (
        b.end_lineno,
        b.end_col_offset,
    )


def _expression(piece: Piece, line: int, col: int) -> ast.expr | None:
    """The smallest name or attribute at a place."""
    best: Any = None
    for n in ast.walk(piece.source.tree):
        if (
            isinstance(n, ast.Name | ast.Attribute)
            and _covers(n, line, col)
            and (best is None or _inside(n, best))
        ):
            best = n
    # `np` in `np.tanh`: the whole of it
    for n in ast.walk(piece.source.tree):
        if isinstance(n, ast.Attribute) and n.value is best:
            best = n
    found: ast.expr | None = best
    return found


def _named(
    finder: Finder, piece: Piece, place: Place | None, node: ast.expr | None, line: int, col: int
) -> tuple[Place, Span] | None:
    """The function of the text whose name is at a place, and where that name stands."""
    if place is not None:
        span = name_span(place)
        if span.line == line and span.col <= col < span.end_col:
            return place, span
    if isinstance(node, ast.Name):
        resolver = finder.resolver_at(place)
        meant = resolver.name(node.id)
        if isinstance(meant, Known) and isinstance(meant.value, UserFunction):
            named = finder.places.get(meant.value.node)
            if named is not None:
                return named, piece.source.span(node)
    return None


def _statement(place: Place, line: int) -> ast.stmt | None:
    """The innermost statement of a function at a line; the expression of a lambda counts as one."""
    if isinstance(place.node, ast.Lambda):
        return ast.copy_location(ast.Expr(place.node.body), place.node.body)
    found: ast.stmt | None = None
    for n in ast.walk(place.node):
        if (
            isinstance(n, ast.stmt)
            and n is not place.node
            and n.lineno <= line <= (n.end_lineno or 0)
        ):
            if found is None or _inside(n, found):
                found = n
    return found if found is not None and line <= _last_line(found) else None


def _last_line(s: ast.stmt) -> int:
    """The last line of a statement, of a loop or branch that of its header."""
    body = getattr(s, "body", None)
    if isinstance(body, list) and body:
        header: int = body[0].lineno - 1
        return max(s.lineno, header)
    return s.end_lineno or s.lineno


# ---- what to say


def _rule(place: Place, node: ast.expr | None) -> str:
    """Whether the function of a call has a gradient rule."""
    meant = meaning_of(node, place.inside) if node is not None else None
    if (
        not isinstance(meant, Known)
        or isinstance(meant.value, UserFunction | type)
        or not callable(meant.value)
    ):
        return ""
    name, rule = fn_name(meant.value), lookup(meant.value)
    module = getattr(meant.value, "__module__", None) or type(meant.value).__module__
    if module.partition(".")[0] == "zyg_interactive":
        return ""
    if rule is None:
        return f"`{name}` has no gradient rule (ZYG301). Give one with `@grad({name})`."
    if rule.pullback is None:
        return f"`{name}` is constant by nature: no derivative flows through it."
    return f"`{name}` has a gradient rule."


def _notes(place: Place, made: Adjoint, code: str) -> Iterator[str]:
    own = {n.id for n in ast.walk(place.node) if isinstance(n, ast.Name)}
    summed = [n for n in re.findall(r"unbroadcast\([^\n]*?, (\w+)\)", code) if n in own]
    if summed:
        yield UNBROADCAST.format(summed[0])
    if made.matrices and any(re.search(rf"\b{name}\b", code) for name in made.matrices):
        yield f"Taken for matrices: {', '.join(f'`{name}`' for name in made.matrices)}."


def _fenced(code: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{fence}python\n{code}\n{fence}"


def _plain(text: str) -> str:
    """Text of the user's is never markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
