"""The language server through a client, with columns in each of the three encodings."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import zyg_interactive

lsp = pytest.importorskip("pytest_lsp")
t = pytest.importorskip("lsprotocol.types")
pytest.importorskip("pygls")
pytest.importorskip("pytest_asyncio")

LanguageClient = lsp.LanguageClient  # by this annotation pytest-lsp knows its own argument
pytestmark = [pytest.mark.editor, pytest.mark.asyncio]

ROOT = Path(zyg_interactive.__file__).parent.parent
START = "import sys; from zyg_interactive.cli import main; sys.exit(main(['lsp']))"
SERVER = lsp.ClientServerConfig(
    server_command=[sys.executable, "-P", "-c", START],
    server_env={**os.environ, "PYTHONPATH": str(ROOT)},
)
URI = "file:///workspace/f.py"
TEXT = """import numpy as np
from zyg_interactive import gradient


def act(x):
    s = '𝒳é'; y = np.unique_values(x)
    return y + len(s)


def loss(x):
    z = act(x)
    h = np.tanh(z)
    return np.sum(h, like=True)


g = gradient(loss, 1.0)
"""
LINES = TEXT.split("\n")
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def units(line: int, part: str, encoding: str) -> int:
    codec, size = WIDTHS[encoding]
    return len(LINES[line].split(part)[0].encode(codec)) // size


class Client:
    """What a test asks of an editor."""

    def __init__(self, raw: Any, encoding: str):
        self.raw, self.encoding, self.version = raw, encoding, 0

    async def open(self, text: str, uri: str = URI) -> list[Any]:
        self.version += 1
        item = t.TextDocumentItem(uri, "python", self.version, text)
        self.raw.text_document_did_open(t.DidOpenTextDocumentParams(item))
        return await self.published(uri)

    async def change(self, text: str, uri: str = URI) -> list[Any]:
        self.send(text, uri)
        return await self.published(uri)

    def send(self, text: str, uri: str = URI) -> None:
        self.version += 1
        self.raw.text_document_did_change(
            t.DidChangeTextDocumentParams(
                t.VersionedTextDocumentIdentifier(self.version, uri),
                [t.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def published(self, uri: str) -> list[Any]:
        await asyncio.wait_for(
            self.raw.wait_for_notification(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS), 20
        )
        found: list[Any] = list(self.raw.diagnostics[uri])
        return found

    async def hover(self, line: int, character: int) -> Any:
        place = t.TextDocumentIdentifier(URI), t.Position(line, character)
        return await self.raw.text_document_hover_async(t.HoverParams(*place))


@lsp.fixture(config=SERVER, params=["utf-8", "utf-16", "utf-32"], name="raw")
async def raw_client(request: Any, lsp_client: LanguageClient) -> AsyncIterator[None]:
    general = t.GeneralClientCapabilities(position_encodings=[request.param])
    capabilities = t.ClientCapabilities(general=general)
    result = await lsp_client.initialize_session(t.InitializeParams(capabilities=capabilities))
    lsp_client.encoding = result.capabilities.position_encoding or "utf-16"
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def client(raw: Any) -> Client:
    return Client(raw, str(getattr(raw.encoding, "value", raw.encoding)))


async def test_findings_with_code_place_help_and_caller(client: Client) -> None:
    found = await client.open(TEXT)
    assert [d.code for d in found] == ["ZYG301", "ZYG302"]
    missing = found[0]
    start, end = missing.range.start, missing.range.end
    assert (start.line, start.character) == (5, units(5, "np.unique", client.encoding))
    assert end.character - start.character == len("np.unique_values(x)")
    assert "no gradient rule for `np.unique_values`\nhelp: write np.unique" in missing.message
    assert missing.code_description.href.endswith("ZYG301.md")
    assert missing.source == "zyg"
    (related,) = missing.related_information
    assert related.message == "reached from this call"
    assert related.location.uri == URI
    assert related.location.range.start.line == 10


async def test_edits_are_followed(client: Client) -> None:
    assert len(await client.open(TEXT)) == 2
    assert len(await client.change(TEXT.replace("np.unique_values", "np.sin"))) == 1
    broken = TEXT.replace("    h = np.tanh(z)", "    h = np.tanh(z")
    assert [d.code for d in await client.change(broken)][:1] == ["ZYG301"]
    assert len(await client.change(TEXT)) == 2
    assert await client.change("") == []


async def test_of_many_edits_the_last_one_counts(client: Client) -> None:
    await client.open(TEXT)
    for k in range(30):
        client.send(TEXT.replace("1.0", f"{k}.0"))
    client.send(TEXT.replace("np.unique_values", "np.sin"))
    while len(await client.published(URI)) != 1:
        pass


async def test_a_closed_document_has_no_findings(client: Client) -> None:
    await client.open(TEXT)
    closing = t.DidCloseTextDocumentParams(t.TextDocumentIdentifier(URI))
    client.raw.text_document_did_close(closing)
    assert await client.published(URI) == []


async def test_hover(client: Client) -> None:
    text = TEXT.replace(", like=True", "").replace("np.unique_values", "np.sin")
    await client.open(text)
    found = await client.hover(11, 5)
    assert "z_bar = h_bar * (1.0 - h ** 2)" in found.contents.value
    assert (found.range.start.line, found.range.start.character) == (11, 4)
    at = units(5, "np.unique", client.encoding) + 4
    assert "np.sin" in (await client.hover(5, at)).contents.value
    assert await client.hover(0, 3) is None
    assert await client.hover(999, 3) is None


async def test_a_workspace_runs_nothing(client: Client, tmp_path: Path) -> None:
    trap = f"import pathlib\npathlib.Path(r'{tmp_path / 'ran'}').touch()\n"
    (tmp_path / "numpy.py").write_text(trap)
    file = tmp_path / "f.py"
    file.write_text(trap + TEXT)
    assert len(await client.open(trap + TEXT, file.as_uri())) == 2
    assert not (tmp_path / "ran").exists()
