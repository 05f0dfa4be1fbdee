"""What stands outside of any program that is differentiated: files, texts, clocks, logs."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

# Modules of Python's library that work on what they are given, and are read as the user's own are.
# What the others do is no arithmetic: it happens as it is written, and has no derivative.
READ = {
    *("abc", "argparse", "bisect", "collections", "_collections_abc", "contextlib", "copy"),
    *("dataclasses", "enum", "fractions", "functools", "heapq", "itertools", "numbers"),
    *("operator", "statistics", "types", "typing"),
}


def module_of(x: Any) -> str:
    """The module of a function or class: of a function where it is written, whatever it wraps."""
    if isinstance(x, types.FunctionType):
        return x.__globals__.get("__name__") or ""
    return getattr(x, "__module__", None) or ""


def is_outside(x: Any) -> bool:
    """Whether a function or class is one of Python's library that is not read."""
    module = module_of(x)
    root = module.partition(".")[0] if isinstance(module, str) else ""
    return root in sys.stdlib_module_names and root not in READ and root != "builtins"


CONCURRENT = {"threading", "_thread", "concurrent", "multiprocessing", "asyncio"}


def is_concurrent(x: Any) -> bool:
    """Whether a function or class of Python's library runs something at the side."""
    return is_outside(x) and module_of(x).partition(".")[0] in CONCURRENT


# Objects whose own state is theirs alone: nothing in them is what a program gave them.
APART = {"logging"}


def is_apart(x: Any) -> bool:
    """Whether an object is of Python's library, and keeps nothing that it is given."""
    return is_outside(type(x)) and type(x).__module__.partition(".")[0] in APART


END = object()


def items_outside(x: Any) -> Iterator[Any]:
    """Go through a file, or another thing of which a program is only given the items."""
    return iter(x)


def list_outside(x: Any) -> list[Any]:
    return list(x)


def next_outside(items: Iterator[Any]) -> Any:
    """The next of the items, or `END`."""
    return next(items, END)


def is_end(item: Any) -> bool:
    return item is END
