"""The documentation is right: its code runs, its values are those it shows, its refusals come."""

from __future__ import annotations

import ast
import io
import itertools
import linecache
import pathlib
import re
import tokenize
import warnings
from typing import Any

import numpy as np
import pytest

from zyg_interactive.diagnostics import TITLES, ZygError

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ROOT / "docs" / "diagnostics"
RUN = [ROOT / "README.md", *(ROOT / "docs" / f"{n}.md" for n in "guide rules architecture".split())]
WITHOUT_EXAMPLE = {"ZYG203", "ZYG303", "ZYG901"}
_files = itertools.count()


def blocks(text: str, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def compiled(tree: ast.Module | ast.Expression, file: str, mode: str) -> Any:
    return compile(tree, file, mode, dont_inherit=True)


def comments(text: str) -> dict[int, str]:
    """The comment at the end of each line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0]: t.string[1:].strip() for t in tokens if t.type == tokenize.COMMENT}


def run(text: str, space: dict[str, Any]) -> Any:
    """Run a block; an expression with a comment has the value that the comment says.

    Returns the value of the last statement, if it is an expression.
    """
    file = f"<documentation-{next(_files)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    said, value = comments(text), None
    for s in ast.parse(text, file).body:
        if not isinstance(s, ast.Expr):
            value = None
            exec(compiled(ast.Module([s], []), file, "exec"), space)
            continue
        value = eval(compiled(ast.Expression(s.value), file, "eval"), space)
        if value is not None and s.end_lineno in said:
            assert shown(value) == " ".join(said[s.end_lineno].split()), f"line {s.lineno}"
    return value


def shown(value: Any) -> str:
    return " ".join(repr(value).split())


def run_cell(text: str, space: dict[str, Any]) -> str | None:
    """Run a `%%gradient` cell; the code of what it was refused for."""
    pytest.importorskip("IPython", reason="IPython is not installed")
    from zyg_interactive.notebook.cell import Options
    from zyg_interactive.notebook.cell import run_cell as run_it
    from zyg_interactive.source import parse

    line, _, body = text.partition("\n")
    inputs = [n for n in line.removeprefix("%%gradient").replace(",", " ").split() if n]
    source = parse(f"<documentation-{next(_files)}>", f"\n{body}")

    def execute(statements: list[ast.stmt]) -> None:
        exec(compiled(ast.Module(statements, []), source.file, "exec"), space)

    found = run_it(source, space, Options(inputs), execute).diagnostics
    return found[0].code if found else None


def code_of(text: str, space: dict[str, Any]) -> str | None:
    """The code of the diagnostic that a block leads to."""
    if text.startswith("%%gradient"):
        return run_cell(text, space)
    try:
        value = run(text, space)
    except ZygError as error:
        return error.diagnostic.code
    found = getattr(value, "diagnostic", None)
    return found.code if found is not None else None


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_code_runs(path: pathlib.Path) -> None:
    text = path.read_text("utf-8")
    assert blocks(text)
    space: dict[str, Any] = {"__name__": path.stem}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks(text):
            if block.startswith("%%gradient"):
                assert run_cell(block, space) is None, block
            else:
                run(block, space)


@pytest.mark.parametrize("code", TITLES)
def test_page_of_a_diagnostic(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text("utf-8")
    assert text.startswith(f"# {code}: {TITLES[code]}\n")
    heads = re.findall(r"^## (.*)$", text, re.M)
    assert heads == ["What it says", "Why", "What to write instead", "Example"]
    before, _, after = text.partition("## Example")
    if code in WITHOUT_EXAMPLE:
        assert not blocks(text)
        return
    (example,), space = blocks(after), {"__name__": "example"}
    assert code_of(example, space) == code
    for instead in blocks(before):
        assert code_of(instead, space) is None


def test_codes_without_an_example_are_not_in_use() -> None:
    files = (ROOT / "zyg_interactive").rglob("*.py")
    text = "".join(f.read_text("utf-8") for f in files if f.name != "diagnostics.py")
    assert {code for code in WITHOUT_EXAMPLE if f'"{code}"' in text} <= {"ZYG901"}


def test_every_code_in_use_has_a_title_and_a_page() -> None:
    files = (ROOT / "zyg_interactive").rglob("*.py")
    used = set(re.findall(r'"(ZYG\d{3})"', "".join(f.read_text("utf-8") for f in files)))
    assert used == set(TITLES)
    assert {p.stem for p in PAGES.glob("ZYG*.md")} == set(TITLES)
    index = (PAGES / "README.md").read_text("utf-8")
    assert all(f"[{code}]({code}.md): {title}" in index for code, title in TITLES.items())


def documents() -> list[pathlib.Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: pathlib.Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target
