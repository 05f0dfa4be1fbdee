"""The page on SciPy lists what has a rule. `SCIPY_UPDATE=1` writes the list anew."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from pathlib import Path

import pytest

from zyg_interactive.rules.registry import LATER, lookup

from .checks import scipy_before

pytest.importorskip("scipy")
PAGE = Path(__file__).parents[2] / "docs" / "scipy.md"
PARTS = (
    *("special", "linalg", "fft", "signal", "ndimage", "integrate", "optimize", "interpolate"),
    *("sparse", "sparse.linalg", "spatial", "spatial.distance", "stats"),
)
# Rules that refuse everything but what is lowered elsewhere, of which the page tells in words.
IN_WORDS = {
    *("CubicSpline", "make_interp_spline", "interp1d"),
    *("PchipInterpolator", "Akima1DInterpolator", "BSpline", "RegularGridInterpolator"),
    *("KroghInterpolator", "BarycentricInterpolator", "UnivariateSpline"),
    *("InterpolatedUnivariateSpline", "get_window"),
    *("distance_transform_edt", "distance_transform_bf"),
}


def with_a_rule(part: str) -> list[str]:
    module = importlib.import_module(f"scipy.{part}")
    if part == "stats":
        families = importlib.import_module("zyg_interactive.rules.scipy.stats").FAMILIES
        every = vars(module).items()
        return sorted(n for n, v in every if type(v) in families or _is_rule_of(v))
    found = []
    for name in getattr(module, "__all__", None) or dir(module):
        rule = lookup(getattr(module, name))
        if rule is not None and rule.pullback is not None and name not in IN_WORDS:
            found.append(name)
    return sorted(found)


def _is_rule_of(fn: object) -> bool:
    rule = lookup(fn) if inspect.isfunction(fn) else None
    return rule is not None and rule.pullback is not None


def table() -> str:
    rows = [f"| `scipy.{p}` | {' '.join(f'`{n}`' for n in with_a_rule(p))} |" for p in PARTS]
    return "\n".join(["| | |", "|---|---|", *(r for r in rows if not r.endswith("|  |"))])


@pytest.mark.skipif(scipy_before(1, 17), reason="it has fewer functions")
def test_the_page_lists_what_has_a_rule() -> None:
    text = PAGE.read_text("utf-8")
    made = re.sub(
        r"(tests/rules/test_scipy_page.py -->\n).*?(<!-- /table -->)",
        lambda m: f"{m[1]}\n{table()}\n\n{m[2]}",
        text,
        flags=re.S,
    )
    if os.environ.get("SCIPY_UPDATE"):
        PAGE.write_text(made, "utf-8")
    assert PAGE.read_text("utf-8") == made


def test_every_file_of_rules_is_read_when_it_is_needed() -> None:
    folder = Path(importlib.import_module("zyg_interactive.rules.scipy").__file__).parent
    helpers = {
        "__init__",
        "keywords",
        "callables",
        "makers",
        "solved",
        "minima",
        "bounds",
        "fits",
        "ode",
        "samples",
        "further",
        "adjoint",
        "verified",
    }
    assert {p.stem for p in folder.glob("*.py")} - helpers >= LATER["scipy"]
