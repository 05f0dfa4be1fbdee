"""The table of what is checked: which file of tests checks which rule with `check_rule`.

`checked.txt` has one line a rule. `--update-golden` of a whole file of tests writes its lines anew;
that of `tests/test_numpy.py` then counts them in the page on NumPy.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from zyg_interactive.rules.registry import LATER, RULES, lookup

FILE = Path(__file__).parent / "checked.txt"
# Whose rules must be checked.
OWNERS = ("numpy", "scipy", "math", "cmath")
checked_now: dict[str, set[str]] = {}  # by this process: file of tests -> names

current = ""  # the file whose tests run


def note(fn: Any) -> None:
    """`check_rule` checks the rule of a function."""
    checked_now.setdefault(current, set()).add(name_of(fn))


def name_of(fn: Any) -> str:
    """How the table calls a function."""
    if isinstance(fn, np.ufunc):
        own = getattr(np, fn.__name__, None) is fn
        return f"{'numpy' if own else 'scipy.special'}.{fn.__name__}"
    owner = getattr(fn, "__objclass__", None) or getattr(fn, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{name_of(owner)}.{fn.__name__}"
    if isinstance(owner, type):
        return f"{owner.__module__}.{owner.__name__}.{fn.__name__}"
    name = getattr(fn, "__qualname__", type(fn).__qualname__)
    return f"{getattr(fn, '__module__', None)}.{name}"


def table() -> dict[str, set[str]]:
    """File of tests -> the rules that it checks."""
    found: dict[str, set[str]] = {}
    if FILE.exists():
        for line in FILE.read_text("utf-8").splitlines():
            file, name = line.split()
            found.setdefault(file, set()).add(name)
    return found


def write(file: str, names: set[str]) -> None:
    known = table() | {file: names}
    lines = [f"{f} {n}" for f in sorted(known) for n in sorted(known[f])]
    FILE.write_text("\n".join(lines) + "\n", "utf-8")


def rules() -> dict[str, Any]:
    """Every rule of a function of NumPy, of SciPy where it is there, and of `math`."""
    if importlib.util.find_spec("scipy") is not None:
        for part in sorted(LATER["scipy"]):
            importlib.import_module(f"scipy.{part}")
            lookup(_of_part(f"scipy.{part}"))
    lookup(_of_part("numpy.polynomial"))
    named = {name_of(fn): rule for fn, rule in RULES.items() if rule.pullback is not None}
    return {name: rule for name, rule in named.items() if name.split(".")[0] in OWNERS}


def _of_part(part: str) -> Any:
    """A function that makes the rules of a part of a package be read."""

    def asked() -> None:
        """Stands for any function of that part."""

    asked.__module__ = part
    return asked
