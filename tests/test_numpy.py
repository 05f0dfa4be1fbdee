"""All of NumPy: each public name is differentiated, a constant by nature, or refused with a reason.

`python -m pytest tests/test_numpy.py --update-golden` writes the table of `docs/numpy.md` anew.
"""

from __future__ import annotations

import pathlib
import types
import warnings
from typing import Any

import numpy as np
import pytest

from zyg_interactive.frontend.arrays import ARRAY_CHANGES, SHUFFLES
from zyg_interactive.frontend.link import INTRINSICS
from zyg_interactive.rules import lookup
from zyg_interactive.rules.registry import ATTRIBUTES, METHODS, reason_for

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "numpy.md"
DIFFERENTIATED, CONSTANT, REFUSED = "differentiated", "constant", "refused"
# Objects that are indexed, and not called.
OBJECTS = {"r_": DIFFERENTIATED, "c_": DIFFERENTIATED}
OBJECTS |= dict.fromkeys(("mgrid", "ogrid", "s_", "index_exp"), CONSTANT)
# What `frontend` reads of an array itself.
READ = {"flat": DIFFERENTIATED, "view": DIFFERENTIATED, "dtype": CONSTANT, "itemsize": CONSTANT}
READ |= dict.fromkeys(("base", "ctypes", "data", "device", "flags", "strides"), CONSTANT)


def kind_of(value: Any) -> str | None:
    """The class of a callable of NumPy."""
    rule = lookup(value)
    if rule is not None:
        return CONSTANT if rule.pullback is None else DIFFERENTIATED
    try:
        if value in INTRINSICS or value in SHUFFLES:
            return DIFFERENTIATED
        if value in ARRAY_CHANGES:
            refused = ARRAY_CHANGES[value].__name__ == "_refuse_change"
            return REFUSED if refused else DIFFERENTIATED
    except TypeError:  # not hashable
        pass
    return REFUSED if reason_for(value) else None


def functions(module: Any) -> dict[str, Any]:
    found = {}
    for name in dir(module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = getattr(module, name, None)
        plain = isinstance(value, types.ModuleType) or not callable(value)
        if name.startswith("_") or (plain and name not in OBJECTS):
            continue
        found[name] = value
    return found


def classes(module: Any) -> dict[str, str | None]:
    """The class of each public name of a module."""
    return {name: OBJECTS.get(name) or kind_of(value) for name, value in functions(module).items()}


def of_arrays() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in dir(np.ndarray):
        if name.startswith("_"):
            continue
        known = METHODS[np.ndarray].get(name) or ATTRIBUTES.get(name)
        own = getattr(np.ndarray, name)
        found[name] = READ.get(name) or kind_of(known if known is not None else own)
    return found


def of_draws() -> dict[str, str | None]:
    cls = np.random.Generator
    names = [n for n in dir(cls) if not n.startswith("_") and n != "bit_generator"]
    return {name: kind_of(getattr(cls, name)) for name in names}


METHOD_NAMES = ("reduce", "accumulate", "reduceat", "outer", "at")


def of_ufuncs() -> dict[str, str | None]:
    """The methods of the ufuncs of two numbers that have a derivative."""
    found: dict[str, str | None] = {}
    for name, value in functions(np).items():
        binary = isinstance(value, np.ufunc) and value.nin == 2 and value.nout == 1
        if not binary or value.signature or kind_of(value) != DIFFERENTIATED:
            continue
        if name != value.__name__:
            continue
        for method in METHOD_NAMES:
            kind = DIFFERENTIATED if method == "outer" else kind_of(getattr(value, method))
            found[f"{name}.{method}"] = kind
    return found


SECTIONS = {
    "numpy": lambda: classes(np),
    "numpy.linalg": lambda: classes(np.linalg),
    "numpy.fft": lambda: classes(np.fft),
    "numpy.random.Generator": of_draws,
    "numpy.ndarray": of_arrays,
    "methods of ufuncs": of_ufuncs,
}


def reason(section: str, name: str) -> str:
    if section == "methods of ufuncs":
        ufunc, method = name.split(".")
        value = getattr(getattr(np, ufunc), method)
    else:
        owner: Any = np
        for part in section.split(".")[1:]:
            owner = getattr(owner, part)
        value = getattr(owner, name)
    return reason_for(value) or "it changes the array in place; bind the result to a name"


COMPLEX = """## Complex numbers

The gradient of a real result `u` by `z = x + iy` is `du/dx + i du/dy`: the direction in which `u`
grows fastest, so `z - rate * gradient` descends. PyTorch has the same convention; what JAX returns
is the conjugate.

| `u` | this package | PyTorch | JAX |
|---|---|---|---|
| any real `u(z)` | `du/dx + i du/dy` | `du/dx + i du/dy` | `du/dx - i du/dy` |
| `abs(z)**2` | `2 z` | `2 z` | `2 conj(z)` |
| `real(z)` | `1` | `1` | `1` |
| `imag(z)` | `i` | `i` | `-i` |
| `real(z**2)` | `2 conj(z)` | `2 conj(z)` | `2 z` |
| `angle(z)` | `i z / abs(z)**2` | `i z / abs(z)**2` | `-i conj(z) / abs(z)**2` |
| pullback of a holomorphic `f` with seed `g` | `g conj(f'(z))` | `g conj(f'(z))` | `g f'(z)` |

An argument that is real keeps a real gradient, whatever it is computed with. The vectors of `eig`
are differentiated with the norm and the phase that LAPACK gives them; those of `eigh` and `svd` of
complex matrices have a phase that nothing fixes, so only what does not depend on it has a
derivative.
"""


def page() -> str:
    found = {title: section() for title, section in SECTIONS.items()}
    version = ".".join(np.__version__.split(".")[:2])
    lines = [
        "# All of NumPy",
        "",
        f"Each public name of NumPy {version}, in one of three classes: it is **differentiated**; "
        "its result is a **constant** by",
        "nature (places, counts, truth values, texts, whole numbers); or it is **refused**, where "
        "a derivative would have to",
        "pass it, with the reason below. Keywords that a rule does not know are refused as well, "
        "never ignored.",
        "",
        "| | names | differentiated | constant | refused |",
        "|---|---|---|---|---|",
    ]
    total = [0, 0, 0]
    for title, kinds in found.items():
        counts = [list(kinds.values()).count(k) for k in (DIFFERENTIATED, CONSTANT, REFUSED)]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        lines.append(f"| {title} | {len(kinds)} | " + " | ".join(map(str, counts)) + " |")
    lines.append(f"| all | {sum(total)} | " + " | ".join(map(str, total)) + " |")
    lines += ["", *COMPLEX.splitlines()]
    for title, kinds in found.items():
        lines += ["", f"## {title}", "", "| | |", "|---|---|"]
        for kind in (DIFFERENTIATED, CONSTANT):
            names = ", ".join(f"`{n}`" for n in sorted(kinds) if kinds[n] == kind)
            lines.append(f"| {kind} | {names or 'none'} |")
        refused = [n for n in sorted(kinds) if kinds[n] == REFUSED]
        if refused:
            lines += ["", "| refused | why, and what to write |", "|---|---|"]
            by_reason: dict[str, list[str]] = {}
            for n in refused:
                by_reason.setdefault(reason(title, n), []).append(f"`{n}`")
            lines += [f"| {', '.join(names)} | {why} |" for why, names in by_reason.items()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("title", SECTIONS)
def test_every_name_is_in_a_class(title: str) -> None:
    missing = [name for name, kind in SECTIONS[title]().items() if kind is None]
    assert not missing


def test_page(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(), "utf-8")
    written = PAGE.read_text("utf-8")
    if f"NumPy {'.'.join(np.__version__.split('.')[:2])}," in written:
        assert written == page()
    else:  # another version: what is there must be told of, but for what has gone since
        told = set(written.split("`"))
        old = {"trapz", "in1d", "row_stack"}
        for section in SECTIONS.values():
            assert set(section()) <= told | old
