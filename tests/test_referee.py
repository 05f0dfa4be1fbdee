"""The referee set: functions over plain NumPy with cotangents that another system computed.

A refusal is a gap and is listed in `referee/refused.txt` (`id` or `id second`); a different number
is a defect. `REFEREE_UPDATE=1` writes the list anew.
"""

from __future__ import annotations

import importlib.util
import json
import linecache
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent / "referee"
CASES = json.loads((HERE / "cases.json").read_text())["cases"]
REFUSED = HERE / "refused.txt"
NEEDED = [name for name in ("scipy",) if importlib.util.find_spec(name) is None]

zyg = pytest.importorskip("zyg_interactive")


def value(v: Any, scalar: bool = False) -> Any:
    """An array of the set as NumPy's, or as a Python number."""
    if "re" in v:
        real, imaginary = (np.array(v[k], float).reshape(v["shape"]) for k in ("re", "im"))
        return real + 1j * imaginary
    found = np.array(v["data"], v["dtype"]).reshape(v["shape"])
    return found.item() if scalar else found


def load(case: dict[str, Any]) -> Any:
    """The function of a case, its source known to the engine."""
    scope: dict[str, Any] = {"__name__": f"referee_{case['id']}"}
    return define(case["source"], f"<referee {case['id']}>", scope, "f")


def define(source: str, file: str, scope: dict[str, Any], name: str) -> Any:
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def close(found: Any, expected: Any, where: str) -> None:
    expected = np.asarray(expected)
    found = np.zeros(expected.shape) if found is None else np.asarray(found)
    assert found.shape == expected.shape, f"{where}: shape {found.shape}, not {expected.shape}"
    assert found.dtype == expected.dtype, f"{where}: dtype {found.dtype}, not {expected.dtype}"
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    error = float(np.max(np.abs(found - expected), initial=0.0))
    assert error <= 1e-9 + 1e-7 * scale, f"{where}: {found} is not {expected}"


def _inputs(case: dict[str, Any]) -> list[Any]:
    scalars = case.get("python_scalar") or [False] * len(case["inputs"])
    return [value(v, s) for v, s in zip(case["inputs"], scalars, strict=True)]


def _seed(case: dict[str, Any], y: Any) -> Any:
    seeds = [value(c) for c in case["cotangents"]]
    return tuple(seeds) if case["tuple_output"] else seeds[0]


def first_order(case: dict[str, Any]) -> None:
    f, inputs = load(case), _inputs(case)
    y, back = zyg.pullback(f, *inputs)
    outputs = y if case["tuple_output"] else (y,)
    for i, (found, expected) in enumerate(zip(outputs, case["output"], strict=True)):
        # The set's outputs are arrays where the program may return Python numbers.
        known = value(expected)
        close(np.asarray(found, known.dtype), known, f"{case['id']} result {i}")
    found = back(_seed(case, y))
    for i, expected in enumerate(case["expected"]):
        close(found[i], value(expected), f"{case['id']} cotangent {i}")


SECOND = """
def contracted({names}):
    bars = gradient(
        lambda {names}: np.sum(np.real(np.conj(seed) * {f}({names}))), {names}, zeros=True
    )
    return {terms}
"""


def second_order(case: dict[str, Any]) -> None:
    """The gradient of a gradient, contracted with weights, as a user would write it."""
    f, inputs = load(case), _inputs(case)
    n = len(inputs)
    terms = " + ".join(f"np.sum(np.real(np.conj(w{i}) * bars[{i}]))" for i in range(n))
    own = f"f{CASES.index(case)}"
    source = SECOND.format(f=own, names=", ".join(f"x{i}" for i in range(n)), terms=terms)
    scope = {"np": np, own: f, "gradient": zyg.gradient, "__name__": f"second_{case['id']}"}
    scope |= {f"w{i}": value(w) for i, w in enumerate(case["w"])}
    scope["seed"] = _seed(case, None)
    contracted = define(source, f"<referee {case['id']} second>", scope, "contracted")
    found = zyg.gradient(contracted, *inputs)
    for i, expected in enumerate(case["expected_second"]):
        close(found[i], value(expected), f"{case['id']} second {i}")


def _applies(case: dict[str, Any], kind: str) -> bool:
    return kind == "first" or bool(case.get("expected_second"))


ORDERS = {"first": first_order, "second": second_order}
ALL = [(c, kind) for kind in ORDERS for c in CASES if _applies(c, kind)]


def _name(case: dict[str, Any], kind: str) -> str:
    return case["id"] if kind == "first" else f"{case['id']} second"


def _listed() -> set[str]:
    lines = REFUSED.read_text().splitlines() if REFUSED.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def _absent(case: dict[str, Any]) -> bool:
    """Whether the case needs a package that is not installed here."""
    return any(name in case["source"] for name in NEEDED)


refused: set[str] = set()


@pytest.mark.parametrize("case, kind", ALL, ids=[_name(c, k) for c, k in ALL])
def test_case(case: dict[str, Any], kind: str) -> None:
    if _absent(case):
        return
    try:
        ORDERS[kind](case)
    except zyg.Refused as gap:
        refused.add(_name(case, kind))
        print(f"{_name(case, kind)}: {gap}")
        if not os.environ.get("REFEREE_UPDATE"):
            assert _name(case, kind) in _listed(), f"refused, and not listed: {gap}"
        return
    assert os.environ.get("REFEREE_UPDATE") or _name(case, kind) not in _listed(), (
        "no longer refused"
    )


def test_the_list_of_refused_cases_is_kept() -> None:
    """Every name in the list is a case; with `REFEREE_UPDATE=1` the list is written anew."""
    if os.environ.get("REFEREE_UPDATE"):
        absent = {_name(c, k) for c, k in ALL if _absent(c)} & _listed()
        REFUSED.write_text("".join(f"{name}\n" for name in sorted(refused | absent)))
    assert _listed() <= {_name(c, k) for c, k in ALL}
