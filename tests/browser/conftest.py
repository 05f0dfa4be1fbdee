"""Fixtures of the browser tests: Chromium, a JupyterLab, and pages on its notebooks."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = pathlib.Path(__file__).parent
TIMEOUT_MS = 30_000

Cell = dict[str, Any]
CodeCell = Callable[..., Cell]
OpenNotebook = Callable[..., "Page"]


def _load_labserver() -> Any:
    """The module beside this one; the tests are no package."""
    spec = importlib.util.spec_from_file_location("labserver", HERE / "labserver.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def missing(reason: str) -> None:
    """Skips the test, or fails it where everything must run (ZYG_REQUIRE_ALL=1, CI)."""
    required = os.environ.get("ZYG_REQUIRE_ALL") or os.environ.get("CI")
    if required not in (None, "", "0", "false"):
        pytest.fail(f"{reason}, and every test is required to run", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One headless browser for the session."""
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    path = next((candidate for candidate in found if candidate), None)
    if path is None and pathlib.Path("/usr/bin/chromium").exists():
        path = "/usr/bin/chromium"
    if path is None:
        missing("no Chromium on this machine")
    if importlib.util.find_spec("playwright") is None:
        missing("playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder that JupyterLab serves."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(notebooks: pathlib.Path, chromium: Browser) -> Iterator[str]:
    """The address of a running JupyterLab. Asks for Chromium first, so as not to start in vain."""
    with _load_labserver().serve(notebooks) as address:
        yield address


@pytest.fixture(scope="session")
def windowed_lab(notebooks: pathlib.Path, chromium: Browser) -> Iterator[str]:
    """A JupyterLab that makes the editor of a cell when the cell comes into sight."""
    tracker = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "full"}}
    with _load_labserver().serve(notebooks, tracker) as address:
        yield address


@pytest.fixture
def document() -> dict[str, Any]:
    """A fresh copy of the hand-made graph document."""
    loaded: dict[str, Any] = json.loads((HERE / "fixtures" / "document.json").read_text("utf-8"))
    return loaded


@pytest.fixture
def code_cell() -> CodeCell:
    """Makes a code cell whose saved outputs are graph documents."""
    return _code_cell


def _code_cell(cell_id: str, source: str, *documents: object) -> Cell:
    outputs = [
        {
            "output_type": "display_data",
            "metadata": {},
            "data": {
                "application/vnd.zyg.graph.v1+json": item,
                "text/plain": ["a graph"],
            },
        }
        for item in documents
    ]
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": outputs,
    }


class Watch:
    """Listens, while it is entered, for what a page must not do."""

    def __init__(self, page: Page, address: str) -> None:
        self.trouble: list[str] = []
        self._page = page
        self._own = (address, address.replace("http", "ws", 1), "data:", "blob:", "about:")
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "request": self._request,
            "pageerror": lambda error: self.trouble.append(f"error: {error}"),
            "dialog": self._dialog,
        }

    def __enter__(self) -> Watch:
        for event, listener in self._listeners.items():
            self._page.on(event, listener)
        return self

    def __exit__(self, *_: object) -> None:
        for event, listener in self._listeners.items():
            self._page.remove_listener(event, listener)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self._own):
            self.trouble.append(f"outside request: {request.url}")
        if request.url.endswith("/x"):
            self.trouble.append(f"markup of a document was parsed: {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="session")
def pages(chromium: Browser) -> Iterator[Callable[[str], Page]]:
    """Gives the page on the JupyterLab at an address; it is loaded once, for that takes long."""
    opened: dict[str, Page] = {}

    def page_on(address: str) -> Page:
        if address not in opened:
            page = chromium.new_page(viewport={"width": 1400, "height": 1100})
            page.set_default_timeout(TIMEOUT_MS)
            page.goto(f"{address}/lab?reset")
            page.wait_for_selector(".jp-Launcher")
            opened[address] = page
        return opened[address]

    yield page_on
    for page in opened.values():
        page.close()


@pytest.fixture
def open_notebook(
    lab: str, pages: Callable[[str], Page], notebooks: pathlib.Path
) -> Iterator[OpenNotebook]:
    """Opens cells as a notebook; fails the test if the page misbehaved.

    `address` names another JupyterLab than the usual one, `dark` its dark theme. The notebook has
    no kernel, unless `kernel` asks for one.
    """
    with contextlib.ExitStack() as stack:
        watches: list[Watch] = []

        def run(
            cells: list[Cell], dark: bool = False, address: str = lab, kernel: bool = False
        ) -> Page:
            name = f"notebook-{len(list(notebooks.glob('*.ipynb')))}.ipynb"
            made = _notebook(cells, PYTHON if kernel else NOBODYS)
            (notebooks / name).write_text(json.dumps(made), "utf-8")
            page = pages(address)
            watches.append(stack.enter_context(Watch(page, address)))
            page.mouse.move(0, 0)
            _set_theme(page, dark)
            stack.callback(page.evaluate, CLOSE)
            page.evaluate(OPEN, name)
            if kernel:
                page.wait_for_function(READY)
            else:
                _without_kernel(page)
            return page

        yield run
    trouble = [item for watch in watches for item in watch.trouble]
    assert trouble == []


OPEN = """path => {
    void window.jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
}"""
# Disposed of rather than closed: closing asks whether to save.
CLOSE = "() => window.jupyterapp.shell.currentWidget?.dispose()"
# The indicator of the kernel says that it is ready before it is.
READY = """() => {
    const { sessionContext } = window.jupyterapp.shell.currentWidget?.context ?? {};
    const kernel = sessionContext?.session?.kernel;
    return sessionContext?.isReady && kernel?.status === 'idle'
        && kernel?.connectionStatus === 'connected';
}"""
# A kernel that nobody has, for a language that nobody has one for, or another is started.
NOBODYS = ("none-such", "none-such")
PYTHON = ("python3", "python")


def _notebook(cells: list[Cell], kernel: tuple[str, str]) -> dict[str, object]:
    name, language = kernel
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": name, "display_name": name, "language": language},
            "language_info": {"name": language, "mimetype": "text/x-python"},
        },
        "cells": cells,
    }


def _without_kernel(page: Page) -> None:
    page.locator(".jp-Dialog select").select_option(label="No Kernel")
    page.click(".jp-Dialog .jp-mod-accept")
    page.wait_for_selector(".jp-Dialog", state="detached")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell .cm-content")


def _set_theme(page: Page, dark: bool) -> None:
    """Changes to JupyterLab's dark or light theme and waits until it is there."""
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate(
        """theme => {
            void window.jupyterapp.commands.execute('apputils:change-theme', { theme });
        }""",
        theme,
    )
    body = f"body[data-jp-theme-light='{'false' if dark else 'true'}']"
    page.wait_for_selector(body, state="attached")
