"""Generated code as text, with the user's line of each of its lines."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .compile import Unit


@dataclass(frozen=True)
class Explanation:
    """The generated gradient code of a function; prints as the code. `lines`: pairs (line of it,
    user's line).
    """

    text: str
    lines: list[tuple[int, int]]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def explained(unit: Unit) -> Explanation:
    """The text of a unit and of all that it calls."""
    texts, lines, offset = [], [], 0
    for u in with_callees(unit):
        text = u.text
        texts.append(text)
        lines += _line_map(u, text, offset)
        offset += text.count("\n") + 3
    return Explanation("\n\n\n".join(texts), lines)


def with_callees(unit: Unit) -> list[Unit]:
    found = [unit]
    for u in found:
        found += [c for c in dict.fromkeys(u.callees) if c not in found]
    return found


def _line_map(unit: Unit, text: str, offset: int) -> list[tuple[int, int]]:
    """The printed tree has the shape of the compiled one: they are walked together."""
    shown = [n for n in ast.walk(ast.parse(text).body[0]) if isinstance(n, ast.stmt)]
    compiled = [n for n in ast.walk(unit.tree) if isinstance(n, ast.stmt)]
    return sorted({(a.lineno + offset, b.lineno) for a, b in zip(shown, compiled, strict=True)})
