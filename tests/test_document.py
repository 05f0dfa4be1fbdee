"""The open text: columns in the units of clients, pieces, and the repair of what does not parse."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zyg_interactive.ide.document import Document, Encoding, from_client, to_client

ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
WIDTHS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
UNITS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}

SAMPLE = '''"""A module."""
import numpy as np

@decorated(
    1,
)
def f(x):
    text = """
column 0 inside a string
"""
    return np.sin(
x) + len(text)

if True:
    y = 1
else:
    y = 2


class A:
    def g(self, x):
        try:
            return x
        except ValueError:
            return 0
'''


def names(document: Document) -> set[str]:
    """The functions and classes of a document."""
    return {
        n.name
        for _, piece in document.pieces
        for n in ast.walk(piece.source.tree)
        if isinstance(n, ast.FunctionDef | ast.ClassDef)
    }


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_columns_of_every_encoding(encoding: Encoding) -> None:
    line = "s = '𝒳é'; y = 1"
    for k in range(len(line) + 1):
        units = len(line[:k].encode(WIDTHS[encoding])) // UNITS[encoding]
        column = len(line[:k].encode())
        assert to_client(line, column, encoding) == units
        assert from_client(line, units, encoding) == column


def test_a_column_inside_a_character_is_its_begin() -> None:
    assert from_client("𝒳é", 1, "utf-16") == 0
    assert from_client("𝒳é", 99, "utf-16") == len("𝒳é".encode())
    assert from_client("abc", 99, "utf-16") == 3


@given(st.text(max_size=20), st.sampled_from(ENCODINGS))
def test_columns_go_there_and_back(text: str, encoding: Encoding) -> None:
    line = text.encode(errors="replace").decode().replace("\n", "").replace("\r", "")
    for k in range(len(line) + 1):
        column = len(line[:k].encode())
        assert from_client(line, to_client(line, column, encoding), encoding) == column


def test_pieces_cover_the_text_and_know_their_lines() -> None:
    document = Document("f.py", SAMPLE)
    assert "\n".join(piece.text for _, piece in document.pieces) == SAMPLE
    assert not any(piece.broken for _, piece in document.pieces)
    assert names(document) == {"f", "A", "g"}
    for start, piece in document.pieces:
        assert document.lines[start] == piece.text.split("\n")[0]
        for n in piece.source.tree.body:
            line = document.place(piece.source.span(n)).line
            assert document.lines[line - 1].lstrip("@").strip() != ""


def test_an_edit_keeps_the_other_pieces() -> None:
    document = Document("f.py", SAMPLE)
    before = {id(piece) for _, piece in document.pieces}
    document.update("# a line more\n" + SAMPLE.replace("y = 2", "y = 3"))
    fresh = [piece for _, piece in document.pieces if id(piece) not in before]
    assert [("y = 3" in p.text) or p.text == "# a line more" for p in fresh] == [True] * len(fresh)
    assert len(fresh) <= 2
    (f,) = [p for _, p in document.pieces if "def f" in p.text]
    assert document.place(f.source.span(f.source.tree.body[0])).line == 8


def test_equal_pieces_at_two_places_are_two() -> None:
    document = Document("f.py", "x = 1\nx = 1\n")
    first, second = (
        document.place(p.source.span(p.source.tree.body[0])) for _, p in document.pieces
    )
    assert (first.line, second.line) == (1, 2)


@pytest.mark.parametrize("cut", range(len(SAMPLE)))
def test_every_truncation_keeps_lines_and_intact_functions(cut: int) -> None:
    text = SAMPLE[:cut] + "\n\n\ndef intact(x):\n    return x\n"
    document = Document("f.py", text)
    assert len(document.lines) == text.count("\n") + 1
    open_string = SAMPLE[:cut].count('"""') % 2 == 1
    assert "intact" in names(document) or open_string


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\0",
        "x = '\ud800'",
        "x =\r\ny = 2\rz = 3",
        "(" * 300,
        "if x:\n" * 100,
        "\tx\n  y\n z",
        "def f(:\n  return\n",
        "try:\n    x = 1\ny = 2",
        "'''",
        "@\n@\n",
        "\\",
        "x = 1 \\",
        "else:\n  1",
        "-" * 5000 + "1",
        "1" + "+1" * 5000,
        "x = !ls\n?y\n",
    ],
)
def test_odd_texts(text: str) -> None:
    document = Document("f.py", text)
    assert document.pieces


@given(st.text(alphabet="x=()[]{}'\"\n \t:#@\\ defif,0é𝒳%!\0", max_size=60))
def test_no_text_raises(text: str) -> None:
    assert Document("f.py", text).pieces


def test_magics_are_comments_in_as_many_columns() -> None:
    document = Document("cell", "%%gradient f\nx = 1\n!ls\n%time f(x)\ny = 2\n")
    assert not any(piece.broken for _, piece in document.pieces)
    assert "#%gradient f" in document.pieces[0][1].text
    assert document.lines[0] == "%%gradient f"


def test_a_broken_line_is_told_with_its_line() -> None:
    document = Document("f.py", "def f(x):\n    y = (\n    return x\n")
    (piece,) = [p for _, p in document.pieces if p.broken]
    assert list(piece.broken) == [1]
    assert names(document) == {"f"}
