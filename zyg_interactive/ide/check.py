"""What differentiation would refuse in a text, found without running or importing any of it.

A function counts that the text hands to `gradient` or its kin, with all that it calls. Answers are
kept by the piece of text that a function stands in and by what the names meant that it asked for,
so that an edit costs what it changed.
"""

from __future__ import annotations

import ast
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..diagnostics import Diagnostic
from ..frontend.resolve import Asked, Known, Meaning, StaticResolver, UserFunction
from ..ir.core import Function, type_of
from ..ir.types import Tuple, may_be_differentiable
from ..source import Span
from .document import Document, Piece
from .reading import StaticContext
from .roots import SCALAR, Finder, Place, Places, Root, arguments, pattern_of

logger = logging.getLogger(__name__)
LONGEST = 1.0  # seconds for one function and what it calls
MOST_KEPT = 4000  # lowered functions


def check(text: str, file: str, every: bool = False) -> list[Diagnostic]:
    """The findings of a text by line; `every`: of functions that nothing differentiates, too.

    >>> source = "import numpy as np\\nfrom zyg_interactive import gradient\\n"
    >>> for found in check(source + "gradient(lambda x: np.sort_complex(x), 1.0)", "f.py"):
    ...     print(found.code, found.message, found.span[1:])
    ZYG301 no gradient rule for `np.sort_complex` (3, 19, 3, 37)
    """
    return Checker(Document(file, text)).findings(every)


@dataclass(eq=False)
class Answer:
    """The findings of one function, and what they depend on beside its own text."""

    findings: list[Diagnostic]
    asked: Asked
    given: Any


class Checker:
    """The findings of a document while it is edited."""

    def __init__(self, document: Document):
        self.document = document
        self.resolver = StaticResolver()
        self._read: dict[Piece, tuple[Places, dict[str, Meaning]]] = {}
        self._answers: dict[ast.AST, Answer] = {}
        self._reader: Reader | None = None
        self._finder: Finder | None = None
        self._pieces: object = None  # those that the finder is of

    def findings(self, every: bool = False) -> list[Diagnostic]:
        """The findings of the text as it is now."""
        found: list[Diagnostic] = []
        for step in self.steps(every):
            found += step
        return in_order(found)

    def steps(self, every: bool = False) -> Iterator[list[Diagnostic]]:
        """The same function by function, so that a caller can do something else in between."""
        finder = self.update()
        custom = finder.custom()
        seen: set[tuple[str, Span | None]] = set()
        answers: dict[ast.AST, Answer] = {}
        for root in self.roots(finder, every):
            answer = answers[root.place.node] = self._answer(root, custom)
            fresh = [d for d in answer.findings if (d.code, d.span) not in seen]
            seen.update((d.code, d.span) for d in fresh)
            yield [self.placed(d) for d in fresh]
        self._answers = answers

    def update(self) -> Finder:
        """Read the pieces that are new, and what the names mean now."""
        if self._finder is not None and self._pieces is self.document.pieces:
            return self._finder
        read = {}
        for _, piece in self.document.pieces:
            if piece not in self._read:
                self._read[piece] = (
                    Places(piece, self.resolver),
                    self.resolver.meanings(piece.source),
                )
            read[piece] = self._read[piece]
        self._read = read
        bindings = self.resolver.bindings
        bindings.clear()
        for _, meanings in read.values():
            for name, meaning in meanings.items():
                again = name in bindings and not _is_function(meaning)
                bindings[name] = self.resolver.variable(name) if again else meaning
        self._pieces = self.document.pieces
        self._finder = Finder([places for places, _ in read.values()], self.resolver)
        return self._finder

    def roots(self, finder: Finder, every: bool) -> list[Root]:
        found = finder.roots()
        if every:
            there = {r.place.node for r in found}
            others = [
                p
                for p in finder.places.values()
                if not p.local and isinstance(p.node, ast.FunctionDef)
            ]
            found += [Root(p, "pullback") for p in others if p.node not in there]
        return found

    def placed(self, d: Diagnostic) -> Diagnostic:
        """A finding with the places of the document in it."""
        place = self.document.place
        related = tuple((place(span), note) for span, note in d.related)
        return replace(d, span=place(d.span) if d.span is not None else None, related=related)

    def _answer(self, root: Root, custom: list[Any]) -> Answer:
        given = (root.transform in SCALAR, root.literals, custom)
        kept = self._answers.get(root.place.node)
        if kept is not None and kept.given == given and self.resolver.holds(kept.asked):
            return kept
        if self._reader is None or self._reader.context.custom != custom or self._reader.is_full():
            self._reader = Reader(self.resolver, custom)
        self.resolver.asked = set()
        findings = self._reader.examine(root)
        if self._reader.failed:
            self._reader = None
        return Answer(findings, self.resolver.meant(), given)


class Reader:
    """Reads functions one after the other, those that they share once."""

    def __init__(self, resolver: StaticResolver, custom: list[Any]):
        self.context = StaticContext(resolver, custom)
        self.derivatives = self.context.derivatives()
        self.failed = False

    def is_full(self) -> bool:
        return len(self.context.linked) > MOST_KEPT

    def examine(self, root: Root) -> list[Diagnostic]:
        """What a function is refused for; as far as it was read, where that takes too long."""
        self.context.until = time.perf_counter() + LONGEST
        found = self.derivatives.found = {}
        try:
            function = self.context.top(root.place.function(), arguments(root.place, root.literals))
            wrt = tuple(
                i for i, p in enumerate(function.region.params) if may_be_differentiable(p.type)
            )
            self.derivatives.pair(function, wrt, pattern_of(type_of(function.region.outs[0])))
            if root.transform in SCALAR and function not in self.context.unsure and not found:
                _require_number(root.place, function, found)
        except Exception:  # an editor must have an answer for any text
            logger.debug("%s was not read to its end", root.place.title, exc_info=True)
            self.failed = True
        return list(found.values())


def _require_number(place: Place, function: Function, found: dict[Any, Diagnostic]) -> None:
    """A gradient is of one number; what is certainly none is found before the run."""
    out = function.region.outs[0]
    if out is None or isinstance(out, str) or isinstance(type_of(out), Tuple):
        what = "None" if out is None else f"{type_of(out)!r}"
        found["ZYG501"] = Diagnostic(
            "ZYG501",
            f"the result of `{place.title}` is {what}; a gradient is of one number",
            name_span(place),
            "return the number to differentiate",
        )


def name_span(place: Place) -> Span:
    """Where the name of a function stands; of a lambda, the word `lambda`."""
    node = place.node
    word, name = (
        ("def ", place.title.rpartition(".")[2])
        if isinstance(node, ast.FunctionDef)
        else ("", "lambda")
    )
    start = node.col_offset + len(word)
    return Span(
        place.piece.source.file, node.lineno, start, node.lineno, start + len(name.encode())
    )


def _is_function(meaning: Meaning) -> bool:
    return isinstance(meaning, Known) and isinstance(meaning.value, UserFunction)


def in_order(found: list[Diagnostic]) -> list[Diagnostic]:
    return sorted(found, key=lambda d: (d.span is None, d.span or Span("", 0, 0, 0, 0), d.code))
