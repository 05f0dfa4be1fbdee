"""Where the user's text is: spans, source texts with caret rendering, and the syntax tree of a function that runs."""

from __future__ import annotations

import __future__
import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag

FunctionNode = ast.FunctionDef | ast.Lambda


class Span(NamedTuple):
    """A place in the user's text. Lines from 1, columns in UTF-8 bytes from 0, as in `ast`."""

    file: str
    line: int
    col: int
    end_line: int
    end_col: int


class SourceNotFound(Exception):
    """The text of a function is not to be had, or is not the code that runs."""


@dataclass(eq=False)
class Source:
    """One text: a file, a notebook cell or what was typed at a prompt."""

    file: str
    text: str
    tree: ast.Module = field(repr=False)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def span(self, node: ast.AST) -> Span:
        """The place of a syntax node; nodes without one (`ast.arguments`) have none and must not be asked."""
        return Span(
            self.file,
            getattr(node, "lineno"),
            getattr(node, "col_offset"),
            getattr(node, "end_lineno"),
            getattr(node, "end_col_offset"),
        )

    def segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ""


def line_of(file: str, line: int) -> str:
    return linecache.getline(file, line).rstrip("\n")


def caret(span: Span, text: str | None = None) -> str:
    """The line of `span` with carets under the part that is meant.

    >>> print(caret(Span("f.py", 3, 8, 3, 15), "    y = open(p)"))
        y = open(p)
            ^^^^^^^
    """
    text = line_of(span.file, span.line) if text is None else text
    if not text.strip():
        return ""
    start = len(text.encode()[: span.col].decode(errors="replace"))
    if span.end_line == span.line:
        end = len(text.encode()[: span.end_col].decode(errors="replace"))
    else:
        end = len(text)
    indent = len(text) - len(text.lstrip())
    shown = text.strip()
    pad = max(start - indent, 0)
    return f"    {shown}\n    {' ' * pad}{'^' * max(1, min(end - start, len(shown) - pad))}"


def parse(file: str, text: str) -> Source:
    return Source(file, text, ast.parse(text, file))


@lru_cache(maxsize=256)
def _compiled(file: str, text: str, flags: int) -> tuple[Source, tuple[CodeType, ...]]:
    source = parse(file, text)
    module = compile(text, file, "exec", flags=flags, dont_inherit=True)
    return source, tuple(_codes(module))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def find(code: CodeType) -> tuple[Source, FunctionNode]:
    """The source and syntax node that `code` was compiled from.

    The text is compiled again and must contain an equal code object: a file edited since, or a cell run anew, is
    noticed instead of being differentiated in the place of the code that runs.

    Raises SourceNotFound.
    """
    text = "".join(linecache.getlines(code.co_filename))
    if not text:
        linecache.checkcache(code.co_filename)
        text = "".join(linecache.getlines(code.co_filename))
    if not text:
        raise SourceNotFound(
            f"the source of `{code.co_qualname}` is not available ({code.co_filename})"
        )
    flags = code.co_flags & FUTURE_FLAGS
    try:
        source, codes = _compiled(code.co_filename, text, flags)
        if code not in codes:
            linecache.checkcache(code.co_filename)
            source, codes = _compiled(
                code.co_filename, "".join(linecache.getlines(code.co_filename)), flags
            )
    except SyntaxError as error:
        raise SourceNotFound(
            f"the source of `{code.co_qualname}` no longer parses: {error.msg}"
        ) from error
    if code not in codes:
        raise SourceNotFound(
            f"the text of {code.co_filename} is not the code of `{code.co_qualname}` that runs (edited since?)"
        )
    found = [node for node in ast.walk(source.tree) if _is_node_of(node, code)]
    if not found:
        raise SourceNotFound(f"`{code.co_qualname}` is neither a `def` nor a `lambda`")
    node = found[0]
    assert isinstance(node, ast.FunctionDef | ast.Lambda)
    return source, node


def _is_node_of(node: ast.AST, code: CodeType) -> bool:
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return code.co_name == node.name and code.co_firstlineno == first
    if (
        isinstance(node, ast.Lambda)
        and code.co_name == "<lambda>"
        and code.co_firstlineno == node.lineno
    ):
        body = node.body
        place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
        return place in set(code.co_positions())
    return False


def code_of(source: Source, node: FunctionNode) -> CodeType | None:
    """The code object that a function's syntax node is compiled to."""
    try:
        _, codes = _compiled(source.file, source.text, 0)
    except SyntaxError:
        return None
    return next((code for code in codes if _is_node_of(node, code)), None)
