"""`tests/golden/*.md`: programs, and beside each its IR, pullback, refusal or traceback.

A case is a heading, then a ```python block that defines `f` and `args`, then what is expected:

    ```ir            the forward IR
    ```pullback      the generated source
    ```diagnostics   the refusal
    ```traceback     the error, in the user's lines

`pytest tests/test_golden.py --update-golden` rewrites them; a new case needs only empty blocks.
Every case with a pullback is also compared with finite differences, and its IR verified, so that a
wrong snapshot cannot be blessed.
"""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import check, verified

import zyg_interactive
from zyg_interactive import Refused, code_ir, explain, gradient, pullback, refresh

HERE = Path(__file__).parent / "golden"
ENGINE = str(Path(zyg_interactive.__file__).parent)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CARETS = re.compile(r"(?<=  )[~^]+$", re.MULTILINE)  # which of them are `~` differs between Pythons
FILE = "case.py"  # what the programs are called in the texts


class Case(NamedTuple):
    path: Path
    title: str
    program: str
    expected: dict[str, str]


def cases() -> list[Case]:
    found = []
    for path in sorted(HERE.glob("*.md")):
        for part in re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]:
            blocks = BLOCK.findall(part)
            title, program = part.partition("\n")[0].strip(), blocks[0][1]
            assert blocks[0][0] == "python", f"{path.name}: {title} has no program"
            found.append(Case(path, title, program, dict(blocks[1:])))
    return found


def run(program: str) -> dict[str, Any]:
    linecache.cache[FILE] = (len(program), None, program.splitlines(keepends=True), FILE)
    space: dict[str, Any] = {"__name__": "case"}
    exec(compile(program, FILE, "exec", dont_inherit=True), space)
    return space


def made(case: Case) -> dict[str, str]:
    """What the blocks of a case should hold."""
    refresh()
    space = run(case.program)
    f, args = space["f"], space["args"]
    texts = {}
    for kind in case.expected:
        match kind:
            case "ir":
                texts[kind] = code_ir(f, *args)
            case "pullback":
                texts[kind] = str(explain(f, *args))
            case "diagnostics":
                with pytest.raises(Refused) as refused:
                    gradient(f, *args)
                texts[kind] = str(refused.value)
            case "traceback":
                texts[kind] = shown(f, args)
            case _:
                raise AssertionError(f"a block of kind {kind}")
        texts[kind] = texts[kind].rstrip() + "\n"
    if {"ir", "pullback"} & set(texts):
        if space.get("smooth", True):
            check(f, *args)
        else:
            verified(f, args)
    return texts


def shown(f: Any, args: tuple[Any, ...]) -> str:
    """The user's part of the traceback of an error, in the value or in the pullback."""
    try:
        y, back = pullback(f, *args)
        back(np.ones(np.shape(y)) if np.shape(y) else 1.0)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [x for x in frames if x.filename == FILE]
        last = traceback.format_exception_only(error)
        text = "".join([*traceback.StackSummary.from_list(own).format(), *last])
        return CARETS.sub(lambda m: "^" * len(m.group()), text)
    raise AssertionError("no error")


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.path.stem}: {c.title}")
def test_golden(case: Case, request: pytest.FixtureRequest) -> None:
    texts = made(case)
    if request.config.getoption("--update-golden"):
        rewrite(case, texts)
        return
    for kind, want in case.expected.items():
        assert texts[kind] == want, (
            f"{kind} of {case.title} changed; look at it, then --update-golden"
        )


def rewrite(case: Case, texts: dict[str, str]) -> None:
    whole = case.path.read_text()
    start = whole.index(f"## {case.title}\n")
    end = whole.find("\n## ", start)
    part = whole[start : end if end >= 0 else len(whole)]

    def block(found: re.Match[str]) -> str:
        kind = found[1]
        return f"```{kind}\n{texts[kind]}```" if kind in texts else found[0]

    case.path.write_text(whole.replace(part, BLOCK.sub(block, part)))


def test_titles_are_unique() -> None:
    titles = [(c.path.name, c.title) for c in cases()]
    assert len(titles) == len(set(titles))


def test_two_runs_give_the_same_text() -> None:
    case = next(c for c in cases() if "pullback" in c.expected)
    assert made(case) == made(case)
