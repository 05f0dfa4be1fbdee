"""The layers: a module imports only from those above it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import zyg_interactive

ROOT = Path(zyg_interactive.__file__).parent
# From the top. Modules of one entry may import each other.
LAYERS = (
    "source",
    "diagnostics",
    "ir.types",
    "ir.core",
    "ir.text ir.verify",
    "runtime",
    "transformed",
    "controls",
    "iterators",
    "rules",
    "analysis.effects",
    "frontend",
    "analysis",
    "transform",
    "emit",
    "derived rows",
    "rules.scipy",
    "engine",
    "dynamic",
    "params",
    "errors",
    "recording",
    "shortcuts",
    "seeds",
    "api",
    "linearised",
    "colouring dependencies",
    "sparse",
    "dense",
    "intrinsics applied",
    "checking",
    "ide",
    "lsp notebook",
    "cli",
)
APART = ("lsp", "notebook")
LEAF = "runtime"  # imports no other layer
PLACE = {name: i for i, layer in enumerate(LAYERS) for name in layer.split()}
# What the table does not yet say, each with its reason.
KNOWN: dict[tuple[str, str], str] = {}


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if "labextension" not in p.parts)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str | None:
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((name for name in names if name in PLACE), None)


def imported(path: Path) -> list[tuple[int, str]]:
    """The package's own modules that a module imports, inside functions too."""
    package = path.relative_to(ROOT).parent.parts
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.startswith("zyg_interactive.")]
            found += [(node.lineno, n.removeprefix("zyg_interactive.")) for n in names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = package[: len(package) - node.level + 1]
            elif module.partition(".")[0] == "zyg_interactive":
                base, module = (), module.partition(".")[2]
            else:
                continue
            for alias in node.names:
                target = ".".join([*base, *filter(None, [module])])
                inner = ".".join(filter(None, [target, alias.name]))
                found.append((node.lineno, inner if is_module(inner) else target))
    return [(line, name) for line, name in found if name]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_go_up(path: Path) -> None:
    module = name_of(path)
    mine = layer_of(module)
    if module in ("", "ir"):  # the facade
        return
    assert mine is not None, f"{module} is in no layer: give it one in LAYERS"
    wrong = []
    for line, name in imported(path):
        theirs = layer_of(name)
        assert theirs is not None, f"{module}:{line} imports {name}, which is in no layer"
        apart = {mine, theirs} == set(APART) or LEAF == mine != theirs
        if (PLACE[theirs] > PLACE[mine] or apart) and (module, name) not in KNOWN:
            wrong.append(f"{module}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_leaf_imports_numpy_and_the_standard_library_alone() -> None:
    nodes = [n for p in (ROOT / LEAF).glob("*.py") for n in ast.walk(ast.parse(p.read_text()))]
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    roots = {name.partition(".")[0] for name in names}
    assert roots <= {"numpy", *sys.stdlib_module_names}
