"""Every construct of Python that is refused, with what to write instead."""

from __future__ import annotations

import ast
import inspect
import sys
from typing import Any

from ..diagnostics import Refused, refuse
from ..source import Source

# what it is, and what to write instead
REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.ImportFrom: ("an `import` inside a function", "import at the top of the module"),
    ast.AsyncFunctionDef: ("`async def`", "call it from a plain function"),
    ast.AsyncFor: ("`async for`", "collect the items first"),
    ast.AsyncWith: ("`async with`", "enter the context around the call of the gradient"),
    ast.Await: ("`await`", "await the value before the differentiated function"),
    ast.Yield: ("a generator function", "build a list and return it"),
    ast.YieldFrom: ("a generator function", "build a list and return it"),
    ast.Starred: ("`*` unpacking here", "write the items out"),
}
# What looks at the variables of its caller, which have other names in generated code.
LOOKING = (eval, exec, locals, globals, sys._getframe, inspect.currentframe)


def refused(
    source: Source, node: ast.AST, what: str = "", help: str = "", code: str = "ZYG101"
) -> Refused:
    """The refusal of a syntax node, to raise."""
    name, instead = REFUSED.get(type(node), (f"`{type(node).__name__}`", ""))
    return refuse(code, f"{what or name} is not supported", source.span(node), help or instead)


def looking(source: Source, fn: Any, node: ast.AST) -> Refused:
    """The refusal of a function that looks at the variables of its caller."""
    what = f"`{fn.__name__}`, which looks at the variables of the function,"
    return refused(source, node, what, "name what you read, or call a function")
