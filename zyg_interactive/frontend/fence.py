"""Every construct of Python that is refused, with what to write instead."""

from __future__ import annotations

import ast

from ..diagnostics import Refused, refuse
from ..source import Source

# what it is, and what to write instead
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Try: ("`try`", "move the `try` into a caller of the differentiated function"),
    ast.With: ("`with`", "enter the context around the call of the gradient"),
    ast.Match: ("`match`", "write it as `if` / `elif`"),
    ast.Raise: ("`raise`", "check the arguments before the differentiated function"),
    ast.Assert: ("`assert`", "check the arguments before the differentiated function"),
    ast.Delete: ("`del`", "leave the name bound"),
    ast.Import: ("an `import` inside a function", "import at the top of the module"),
    ast.ImportFrom: ("an `import` inside a function", "import at the top of the module"),
    ast.ClassDef: ("a `class` inside a function", "define the class at the top of the module"),
    ast.AsyncFunctionDef: ("`async def`", "call it from a plain function"),
    ast.AsyncFor: ("`async for`", "collect the items first"),
    ast.AsyncWith: ("`async with`", "enter the context around the call of the gradient"),
    ast.Await: ("`await`", "await the value before the differentiated function"),
    ast.Yield: ("a generator function", "build a list and return it"),
    ast.YieldFrom: ("a generator function", "build a list and return it"),
    ast.NamedExpr: ("`:=`", "assign on a line of its own"),
    ast.GeneratorExp: ("a generator expression here", "use a list comprehension: `[... for ...]`"),
    ast.Set: ("a set display", "use a tuple or a list"),
    ast.SetComp: ("a set comprehension", "use a list comprehension"),
    ast.DictComp: ("a dict comprehension", "build a list, or write the keys out"),
    ast.Starred: ("`*` unpacking here", "write the items out"),
}


def refused(
    source: Source, node: ast.AST, what: str = "", help: str = "", code: str = "ZYG101"
) -> Refused:
    """The refusal of a syntax node, to raise."""
    name, instead = REFUSED.get(type(node), (f"`{type(node).__name__}`", ""))
    return refuse(code, f"{what or name} is not supported", source.span(node), help or instead)
