"""The language server: the answers of `ide` in the words of the protocol.

It starts by the command `zyg lsp`, never as `python -m` in a workspace, where a local `numpy.py`
would be run; it reads no settings of a workspace, and it runs and imports nothing of the user's.
"""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path
from typing import Any

from lsprotocol import types as t
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from .. import __version__
from ..diagnostics import Diagnostic
from ..ide.check import Checker, in_order
from ..ide.document import Document, Encoding, from_client
from ..ide.hover import Hovers
from ..source import Span

# One page a code, in a checkout; an installed package has no documentation beside it.
DOCS = Path(__file__).resolve().parents[2] / "docs" / "diagnostics"
SLICE = 0.008  # seconds of work between two looks at what the client wants
QUICK = 0.03  # an answer that takes longer is not begun on every key
LONGEST_WAIT = 0.4


def _page(code: str) -> t.CodeDescription | None:
    """Where a diagnostic is explained."""
    page = DOCS / f"{code}.md"
    return t.CodeDescription(href=page.as_uri()) if page.exists() else None


class Open:
    """A document that a client has open."""

    def __init__(self, uri: str):
        self.uri = uri
        self.document = Document(to_fs_path(uri) or uri)
        self.checker = Checker(self.document)
        self.hovers = Hovers(self.checker)
        self.took = 0.0  # seconds that the findings cost after the last edit
        self.read = False
        self.version: int | None = None
        self.task: asyncio.Task[None] | None = None


class Server(LanguageServer):
    """Publishes findings when a text is opened or changed, and answers hovers."""

    def __init__(self) -> None:
        super().__init__("zyg", __version__)
        self.open: dict[str, Open] = {}

    @property
    def encoding(self) -> Encoding:
        said = self.workspace.position_encoding
        return "utf-8" if said == "utf-8" else "utf-32" if said == "utf-32" else "utf-16"

    def current(self, uri: str) -> Open:
        """A document brought up to the text that the client has."""
        if uri not in self.open:
            self.open[uri] = Open(uri)
        here, there = self.open[uri], self.workspace.get_text_document(uri)
        if here.version != there.version or there.version is None:
            here.document.update(there.source)
            here.version = there.version
        return here

    def schedule(self, uri: str) -> None:
        """Look for findings soon; of a text that changes meanwhile nothing is published."""
        here = self.open.setdefault(uri, Open(uri)) if uri not in self.open else self.open[uri]
        if here.task is not None:
            here.task.cancel()
        here.task = asyncio.get_running_loop().create_task(self._publish(here))

    async def _publish(self, here: Open) -> None:
        if here.took > QUICK:
            await asyncio.sleep(min(here.took, LONGEST_WAIT))
        begun = now = time.perf_counter()
        self.current(here.uri)
        version, found = here.version, list[Diagnostic]()
        for some in here.checker.steps():
            found += some
            if time.perf_counter() - now > SLICE:
                await asyncio.sleep(0)
                now = time.perf_counter()
        here.took = (
            time.perf_counter() - begun if here.read else 0.0
        )  # the first time tells nothing
        here.read = True
        diagnostics = [self.diagnostic(here, d) for d in in_order(found)]
        self.text_document_publish_diagnostics(
            t.PublishDiagnosticsParams(uri=here.uri, diagnostics=diagnostics, version=version)
        )

    def close(self, uri: str) -> None:
        here = self.open.pop(uri, None)
        if here is not None and here.task is not None:
            here.task.cancel()
        self.text_document_publish_diagnostics(t.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    # ---- conversions

    def range(self, document: Document, span: Span) -> t.Range:
        lines = ((span.line - 1, span.col), (span.end_line - 1, span.end_col))
        start, end = (
            t.Position(line, document.column(line, col, self.encoding)) for line, col in lines
        )
        return t.Range(start, end)

    def diagnostic(self, here: Open, d: Diagnostic) -> t.Diagnostic:
        related = [
            t.DiagnosticRelatedInformation(
                t.Location(here.uri, self.range(here.document, span)), note
            )
            for span, note in d.related
        ]
        return t.Diagnostic(
            range=self.range(here.document, d.span or Span(here.document.file, 1, 0, 1, 0)),
            message=f"{d.message}\nhelp: {d.help}" if d.help else d.message,
            severity=t.DiagnosticSeverity.Error,
            code=d.code,
            code_description=_page(d.code),
            source="zyg",
            related_information=related or None,
        )


def server() -> Server:
    """A server with its handlers; `start_io` runs it."""
    made = Server()

    @made.feature(t.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: t.DidOpenTextDocumentParams) -> None:
        made.schedule(params.text_document.uri)

    @made.feature(t.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: t.DidChangeTextDocumentParams) -> None:
        made.schedule(params.text_document.uri)

    @made.feature(t.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: t.DidCloseTextDocumentParams) -> None:
        made.close(params.text_document.uri)

    @made.feature(t.TEXT_DOCUMENT_HOVER)
    async def hover(params: t.HoverParams) -> t.Hover | None:
        here = made.current(params.text_document.uri)
        line = params.position.line
        if line >= len(here.document.lines):
            return None
        column = from_client(here.document.lines[line], params.position.character, made.encoding)
        found = here.hovers.at(line + 1, column)
        if found is None:
            return None
        content = t.MarkupContent(t.MarkupKind.Markdown, found.text)
        return t.Hover(content, made.range(here.document, found.span))

    return made


def serve(**options: Any) -> None:
    """Serve a client over standard input and output until it leaves."""
    made = server()
    gc.collect()
    gc.freeze()  # what is loaded stays: no collection walks it again
    gc.set_threshold(50_000, 20, 50)
    made.start_io(**options)
