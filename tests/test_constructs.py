"""Every construct of Python: the programs of `constructs.md`, and the table of `docs/python.md`.

`python -m pytest tests/test_constructs.py --update-golden` writes the table anew.
"""

from __future__ import annotations

import ast
import pathlib
import re
from typing import Any

import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parent / "docs" / "python.md"
SECTION = re.compile(
    r"## (?P<title>.+?)(?:: (?P<code>ZYG\d+))?\n\n```python\n(?P<text>.*?)```", re.S
)
CASES = [m.groupdict() for m in SECTION.finditer((HERE / "constructs.md").read_text("utf-8"))]
ABSTRACT = {
    *("mod", "stmt", "expr", "expr_context", "boolop", "operator", "unaryop", "cmpop"),
    *("comprehension", "excepthandler", "pattern", "type_ignore", "type_param", "slice"),
}
# Kept by `ast` for old programs, or no part of what a function does.
LEFT_OUT = {
    *("Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "Suite"),
    *("AugLoad", "AugStore", "Param", "Load", "Store", "Del", "Module", "Interactive"),
    *("Expression", "FunctionType", "TypeIgnore", "TypeAlias", "TypeVar", "ParamSpec"),
    "TypeVarTuple",
}


def constructs() -> list[str]:
    """The node classes of `ast` that a function can be made of."""
    found = []
    for name, cls in vars(ast).items():
        if isinstance(cls, type) and issubclass(cls, ast.AST) and cls is not ast.AST:
            if name.startswith("_") or name in LEFT_OUT:
                continue
            if name not in ABSTRACT or name == "comprehension":
                found.append(name)
    return sorted(found, key=str.lower)


def used(case: dict[str, Any]) -> set[str]:
    return {type(n).__name__ for n in ast.walk(ast.parse(case["text"]))}


def table() -> str:
    lines = [
        "# All of Python",
        "",
        "What a differentiated function may be made of: each node class of the module `ast`, and "
        "programs that use it.",
        "Every one of these programs is run by the tests, and its first and second derivatives "
        "are compared with differences;",
        "or it is refused, with the code that is shown. A construct that stands in no program is "
        "refused as well.",
        "",
        "| construct | | programs |",
        "|---|---|---|",
    ]
    for name in constructs():
        works = [c["title"] for c in CASES if name in used(c) and c["code"] is None]
        refused = [c for c in CASES if name in used(c) and c["code"] is not None]
        if works:
            shown = "; ".join(works[:3]) + (f"; and {len(works) - 3} more" if works[3:] else "")
            lines.append(f"| `{name}` | works | {shown} |")
        else:
            (first, *_) = refused
            code = f"[{first['code']}](diagnostics/{first['code']}.md)"
            lines.append(f"| `{name}` | {code} | {first['title']} |")
    lines += ["", "Refused, though the construct by itself is followed elsewhere:", ""]
    for c in CASES:
        if c["code"] is not None:
            lines.append(f"- {c['title']}: [{c['code']}](diagnostics/{c['code']}.md)")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["title"])
def test_program(case: dict[str, Any]) -> None:
    f = define(case["text"], scope=scope())
    if case["code"] is not None:
        with pytest.raises(Refused) as refused:
            gradient(f, 1.3)
        assert refused.value.diagnostic.code == case["code"]
        return
    check(f, 1.3)
    step = 1e-5
    expected = (derivative(f, 1.3 + step) - derivative(f, 1.3 - step)) / (2 * step)
    found = derivative(derivative(f))(1.3)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def scope() -> dict[str, Any]:
    import contextlib
    import itertools
    import threading

    modules = {"contextlib": contextlib, "itertools": itertools, "threading": threading}
    return {**modules, "__name__": "constructs"}


def test_every_construct_stands_in_a_program() -> None:
    missing = [name for name in constructs() if not any(name in used(c) for c in CASES)]
    assert not missing


def test_page(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(table(), "utf-8")
    assert PAGE.read_text("utf-8") == table()
