"""The demo notebooks: they run from top to bottom, and what is saved in them is fit to be shown."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
from typing import Any

import pytest

from zyg_interactive.ide import schema

pytestmark = pytest.mark.notebook

FOLDER = pathlib.Path(__file__).parents[1] / "demo_notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MIME = "application/vnd.zyg.graph.v1+json"
MOST_BYTES = 400_000


def need(*packages: str) -> None:
    """Skip where a package is missing, or fail where everything must run."""
    for name in packages:
        if importlib.util.find_spec(name) is None:
            if os.environ.get("ZYG_REQUIRE_ALL") not in (None, "", "0"):
                pytest.fail(f"{name} is not installed, and every test is required to run")
            pytest.skip(f"{name} is not installed")


def outputs(notebook: Any) -> list[Any]:
    return [o for cell in notebook["cells"] for o in cell.get("outputs", ())]


def text_of(notebook: Any) -> str:
    """All that was printed or shown as text."""
    found = []
    for o in outputs(notebook):
        text = o.get("text") or o.get("data", {}).get("text/plain", "")
        found.append(text if isinstance(text, str) else "".join(text))
    return "\n".join(found)


SAYS = {
    "01_first_gradient.ipynb": [
        "32.0",
        "(32.0, 6.0)",
        "def polynomial_pullback(x):",
        "(0.5403023058681398,)",
        "(array([3, 6, 9]),)",
        "the first wrong operation is `scaled`",
        "gradient agrees with central differences",
        "ZYG103",
    ],
    "02_digits.ipynb": [
        "gradient agrees with central differences",
        "are read correctly",
    ],
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_demo_runs(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    need("nbclient", "nbformat", "ipykernel", "sklearn")
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    shown = text_of(notebook)
    for said in SAYS[path.name]:
        assert said in shown
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("%%gradient"):
            made = [o["data"][MIME] for o in cell.outputs if MIME in o.get("data", {})]
            assert len(made) == ("w.resize(" not in cell.source)
            assert all(schema.validate(m) == [] for m in made)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_saved_outputs_are_fit_to_be_shown(path: pathlib.Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    raw = path.read_text("utf-8")
    notebook = json.loads(raw)
    assert outputs(notebook)
    for private in ("/tmp/", "/home/", "/root/", "/usr/", "/work", "ipykernel_", "site-packages"):
        assert private not in raw
    for said in SAYS[path.name]:
        assert said in text_of(notebook)
    for o in outputs(notebook):
        if MIME in o.get("data", {}):
            assert schema.validate(o["data"][MIME]) == []
    counts = [c["execution_count"] for c in notebook["cells"] if c["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))  # run once, from top to bottom


def test_every_demo_is_checked() -> None:
    assert [path.name for path in NOTEBOOKS] == sorted(SAYS)
