"""Where the user's text is: spans, source texts with caret rendering, and the syntax tree of a
function that runs.
"""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import attrgetter
from types import CodeType
from typing import Any, NamedTuple

FUTURE_FLAGS = 0
for _name in __future__.all_feature_names:
    FUTURE_FLAGS |= getattr(__future__, _name).compiler_flag

FunctionNode = ast.FunctionDef | ast.Lambda
PLACE = attrgetter("lineno", "col_offset", "end_lineno", "end_col_offset")  # of a syntax node


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
    made: dict[Any, Any] = field(default_factory=dict, repr=False)  # of its nodes, kept as long

    @cached_property
    def functions(self) -> list[FunctionNode]:
        """The functions of the text, those inside others too."""
        return [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def span(self, node: ast.AST) -> Span:
        """The place of a syntax node; nodes without one (`ast.arguments`) have none and must not be
        asked.
        """
        return Span(self.file, *PLACE(node))

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


@lru_cache(maxsize=256)
def _compiled_apart(file: str, text: str, flags: int) -> tuple[CodeType, ...]:
    """The code objects of a text whose statements are compiled one by one, as IPython does it.

    The instructions may be others: a method of an imported name is called in another way.
    """
    parts = [ast.Module([s], []) for s in ast.parse(text, file).body]
    modules = [compile(p, file, "exec", flags=flags, dont_inherit=True) for p in parts]
    return tuple(code for module in modules for code in _codes(module))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def find(code: CodeType) -> tuple[Source, FunctionNode]:
    """The source and syntax node that `code` was compiled from.

    The text is compiled again and must contain an equal code object: a file edited since, or a cell
    run anew, is noticed instead of being differentiated in the place of the code that runs.

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
    if code not in codes and code not in _compiled_apart(source.file, source.text, flags):
        raise SourceNotFound(
            f"the text of {code.co_filename} is not the code of `{code.co_qualname}` that runs "
            "(edited since?)"
        )
    return source, _node_of(source, code)


def _node_of(source: Source, code: CodeType) -> FunctionNode:
    """The syntax node of a code object of this text. Raises SourceNotFound."""
    if code.co_name == "<lambda>":
        found = [n for n in source.functions if isinstance(n, ast.Lambda) and _may_be(n, code)]
        if found:
            # a lambda in a lambda: the inner one has all of its code inside
            return min(found, key=_extent)
    for node in source.functions:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if code.co_name == node.name and code.co_firstlineno == first:
                return node
    raise SourceNotFound(f"`{code.co_qualname}` is neither a `def` nor a `lambda`")


def _may_be(node: ast.Lambda, code: CodeType) -> bool:
    """Whether all of `code` lies in the body of a lambda that begins where `code` does."""
    if node.lineno != code.co_firstlineno:
        return False
    args = node.args
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    if names != list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]):
        return False
    start, end = (node.body.lineno, node.body.col_offset), _end(node.body)
    placed = False
    for line, end_line, col, end_col in code.co_positions():
        if line is None or end_line is None or col is None or end_col is None or end_col == 0:
            continue
        placed = True
        if not (start <= (line, col) and (end_line, end_col) <= end):
            return False
    return placed or _is_constant(node.body, code)


def _is_constant(body: ast.expr, code: CodeType) -> bool:
    """Whether code without positions, as Python 3.12 makes of a constant, returns this one."""
    found = compile(ast.Expression(body), "<constant>", "eval")
    if found.co_names or not found.co_consts:
        return False
    return repr(found.co_consts[-1]) == repr(code.co_consts[-1])


def _end(node: ast.expr) -> tuple[int, int]:
    return (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def _extent(node: ast.Lambda) -> tuple[int, int, int]:
    """Smaller for a lambda inside another."""
    line, col = _end(node.body)
    return (line - node.body.lineno, col, -node.body.col_offset)


def code_of(source: Source, node: FunctionNode) -> CodeType | None:
    """The code object that a function's syntax node is compiled to."""
    try:
        _, codes = _compiled(source.file, source.text, 0)
    except SyntaxError:
        return None
    for code in codes:
        try:
            if _node_of(source, code) is node:
                return code
        except SourceNotFound:
            continue
    return None
