"""The straight way of a repeated call: everything that was taken for granted checked by one small
generated function.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from .engine import Specialisation
from .ir.core import CALLED, Path, SameObject, is_read

MOST = 1024
MISS = object()  # what a shortcut returns where something has changed
_SCALARS = (float, int, complex)


def key_of(form: str, f: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What identifies a call, quickly; None where there is no shortcut. Ids are of what the
    shortcut keeps alive.
    """
    if type(f) is not FunctionType:
        return None
    own = id(f.__code__) if is_read(f) else id(f)
    parts: list[Any] = [form, own, id(f.__globals__)]
    for a in args:
        kind = type(a)
        if kind is np.ndarray:
            parts += (a.dtype, a.shape)
        elif kind in _SCALARS:
            parts.append(kind)
        else:
            return None
    return tuple(parts)


class Shortcuts:
    """Compiled forms by the key of the call they were last found for."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def clear(self) -> None:
        self.known.clear()

    def add(
        self,
        key: tuple[Any, ...],
        s: Specialisation,
        f: Any,
        run: Callable[..., Any],
        take: str,
        count: int,
    ) -> None:
        """Remember that calls like this one, of `count` arguments, are `run(*arguments, *hidden)`,
        then `take`, where that can be checked quickly.
        """
        made = _compiled(s, f, run, take, count)
        if made is not None:
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[key] = made


def _compiled(
    s: Specialisation, f: Any, run: Callable[..., Any], take: str, count: int
) -> Callable[..., Any] | None:
    """`call(f, *args)`: MISS, or what `run` returns."""
    if s.positions != tuple(range(count)):
        return None
    scope: dict[str, Any] = {"run": run, "MISS": MISS, "ndarray": np.ndarray, "anchor": (s, f)}
    tests, values = [], []
    for i, guard in enumerate(s.function.guards):
        found = _expression(guard.path, f"g{i}", scope)
        if found is None or isinstance(guard, SameObject):
            return None
        scope[f"c{i}"] = guard.expected
        tests.append(f"{found} is c{i}")
        if guard.made_of is not None and is_read(guard.expected):
            code, _, defaults, named = guard.made_of
            if named:
                return None
            scope[f"code{i}"], scope[f"defaults{i}"] = code, defaults
            tests.append(f"c{i}.__code__ is code{i} and c{i}.__defaults__ is defaults{i}")
    lines = []
    for i, (path, x) in enumerate(zip(s.function.hidden, s.hidden(f, ()), strict=True)):
        found = _expression(path, f"h{i}_from", scope)
        if found is None:
            return None
        lines.append(f"    h{i} = {found}")
        values.append(f"h{i}")
        if type(x) is np.ndarray:
            scope[f"d{i}"], scope[f"s{i}"] = x.dtype, x.shape
            same = f"type(h{i}) is ndarray and h{i}.dtype == d{i} and h{i}.shape == s{i}"
        elif type(x) in _SCALARS:
            scope[f"d{i}"] = type(x)
            same = f"type(h{i}) is d{i}"
        else:
            return None
        lines.append(f"    if not ({same}): return MISS")
    args = [f"a{i}" for i in range(len(s.positions))]
    if tests:
        lines.insert(0, f"    if not ({' and '.join(tests)}): return MISS")
    text = "\n".join(
        [
            f"def call({', '.join(['f', *args])}):",
            *lines,
            f"    return run({', '.join([*args, *values])}){take}",
        ]
    )
    exec(compile(text, __file__, "exec"), scope)
    made: Callable[..., Any] = scope["call"]
    return made


def _expression(path: Path, name: str, scope: dict[str, Any]) -> str | None:
    """The code that fetches what is at a path, or None where it takes more than looking."""
    if isinstance(path.root, dict) and not path.steps:
        scope[name] = path.root
        return f"{name}.get({path.name!r})"
    if path.root == CALLED and len(path.steps) == 1 and isinstance(path.steps[0], int):
        return f"f.__closure__[{path.steps[0]}].cell_contents"
    return None
