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
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient, pullback
from zyg_interactive.frontend.arrays import ARRAY_CHANGES, SHUFFLES
from zyg_interactive.frontend.link import INTRINSICS
from zyg_interactive.rules import lookup
from zyg_interactive.rules.registry import ATTRIBUTES, METHODS, reason_for

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "numpy.md"
CHECKED = pathlib.Path(__file__).parent / "rules" / "checked.txt"
DIFFERENTIATED, CONSTANT, REFUSED = "differentiated", "constant", "refused"
# Objects that are indexed, and not called, and what is gone through.
OBJECTS = {"r_": DIFFERENTIATED, "c_": DIFFERENTIATED, "ndenumerate": DIFFERENTIATED}
OBJECTS |= dict.fromkeys(("mgrid", "ogrid", "s_", "index_exp"), CONSTANT)
# What `frontend` reads of an array itself.
READ = {"flat": DIFFERENTIATED, "view": DIFFERENTIATED, "dtype": CONSTANT, "itemsize": CONSTANT}
READ |= dict.fromkeys(("base", "ctypes", "data", "device", "flags", "strides"), CONSTANT)


GONE = {"itemset", "newbyteorder", "ptp", "tostring"}  # NumPy 2.0 has them still, to say so


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
        if name.startswith("_") or name in GONE:
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

An argument that is real keeps a real gradient, whatever it is computed with. The vectors of `eig`,
of `eigh` and of `svd` are differentiated with the norm and the phase that LAPACK gives them: it
makes one number of each vector real. Of those of a wide matrix it makes none, and a result that
depends on their phase is refused at the run.
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
    checked = {line.split()[1] for line in CHECKED.read_text("utf-8").splitlines()}
    own = sum(name.startswith("numpy.") for name in checked)
    lines += [
        "",
        f"The rules of {own} of these functions and methods are checked one by one "
        "(`tests/rules/checked.txt`), the rest are other names of these, or are checked in "
        "programs.",
    ]
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


# ---- the convention of the table of complex gradients

GRADIENTS = {
    "abs(z)**2": lambda z: 2 * z,
    "np.real(z)": lambda z: 1,
    "np.imag(z)": lambda z: 1j,
    "np.real(z**2)": lambda z: 2 * np.conj(z),
    "np.angle(z)": lambda z: 1j * z / abs(z) ** 2,
}


@pytest.mark.parametrize("text", GRADIENTS)
def test_complex_gradients(text: str) -> None:
    f = define(f"def f(z):\n    return {text}\n")
    z = 0.7 - 1.3j
    (found,) = gradient(f, z)
    assert found == pytest.approx(GRADIENTS[text](z))


def test_pullback_of_a_holomorphic_function() -> None:
    z, g = 0.7 - 1.3j, 0.4 + 2j
    (found,) = pullback(lambda z: z**3, z)[1](g)
    assert found == pytest.approx(g * np.conj(3 * z**2))


# ---- awkward points

INF = np.inf
AWKWARD = [
    ("np.sqrt(a)", [0.0, 4.0], [INF, 0.25]),
    ("np.linalg.norm(a)", [0.0, 0.0], [0, 0]),
    ("np.linalg.norm(a, axis=0)", [[0.0], [0.0]], [[0], [0]]),
    ("np.std(a)", [2.0, 2.0], [0, 0]),
    ("np.hypot(a, 0.0)", [0.0, 2.0], [0, 1]),
    ("np.arctan2(a, np.zeros(2))", [0.0, 0.0], [0, 0]),
    ("np.abs(a)", [0.0, -1.0], [0, -1]),
    ("np.sinc(a)", [0.0, 0.0], [0, 0]),
    ("a**2", [0.0, 1.0], [0, 2]),
    ("a**1", [0.0, 1.0], [1, 1]),
    ("a**0", [0.0, 1.0], [0, 0]),
    ("a ** np.array([0.0, 1.0, 2.0])", [0.0, 0.0, 0.0], [0, 1, 0]),
    ("0.0**a", [1.0, 2.0], [0, 0]),
    ("np.max(a)", [2.0, 2.0, 1.0], [0.5, 0.5, 0]),
    ("np.min(a)", [2.0, 1.0, 1.0], [0, 0.5, 0.5]),
    ("np.maximum(a, 1.0)", [1.0, 2.0, 0.0], [0.5, 1, 0]),
    ("np.median(a)", [1.0, 2.0, 2.0, 3.0], [0, 0.5, 0.5, 0]),
    ("np.sort(a) * np.array([1.0, 2.0, 3.0])", [1.0, 1.0, 0.0], [2.5, 2.5, 1]),
    ("np.prod(a)", [0.0, 2.0, 3.0], [6, 0, 0]),
    ("np.prod(a)", [0.0, 0.0, 3.0], [0, 0, 0]),
    ("np.cumprod(a)", [2.0, 0.0, 3.0], [1, 8, 0]),
    ("np.logaddexp(a, 1.0)", [-INF, INF, 1.0], [0, 1, 0.5]),
    ("np.logaddexp(a, -np.inf)", [-INF, 1.0], [1, 1]),
    ("np.logaddexp(a, np.inf)", [INF, 1.0], [1, 0]),
    ("np.logaddexp2(a, -np.inf)", [-INF, 1.0], [1, 1]),
    # What a mask takes away stays away.
    ("np.where(a > 0, np.sqrt(a), 0.0)", [0.0, 4.0], [0, 0.25]),
    ("np.where(a > 0, 2.0 * np.log(a) + 1.0, 0.0)", [0.0, 4.0, -1.0], [0, 0.5, 0]),
    ("np.where(a != 0, np.sin(a) / a, 1.0)", [0.0, np.pi], [0, -1 / np.pi]),
    ("np.where(a == 0, 0.0, a / np.abs(a))", [0.0, -2.0], [0, 0]),
    ("np.where(a > 0, a**0.5, 0.0)", [0.0, 4.0], [0, 0.25]),
    ("np.where(a > 0, np.where(a > 1, np.sqrt(a - 1), 0.0), 0.0)", [0.0, 1.0, 5.0], [0, 0, 0.25]),
    # Of nothing, and of one.
    ("np.sum(a)", [], []),
    ("np.cumsum(a)", [], []),
    ("np.sort(a)", [], []),
    ("a @ a", [], []),
    ("np.mean(a)", 2.0, 1),
    ("np.median(a)", 2.0, 1),
    ("np.prod(a)", 2.0, 1),
    ("np.std(a)", 2.0, 0),
    ("np.sum(a, axis=())", [1.0, 2.0], [1, 1]),
    ("np.quantile(a, 0.5, axis=(-1, -2))", [[1.0, 2.0, 3.0]], [[0, 1, 0]]),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("text", "at", "expected"), AWKWARD)
def test_awkward_point(text: str, at: Any, expected: Any) -> None:
    f = define(f"def f(a):\n    return np.sum({text})\n")
    (found,) = gradient(f, np.array(at, float))
    np.testing.assert_allclose(found, expected, atol=1e-15)


def test_second_derivatives_where_the_formula_has_a_hole() -> None:
    sinc = define("def f(a):\n    return np.sinc(a)\n")
    assert derivative(derivative(sinc))(0.0) == pytest.approx(-(np.pi**2) / 3)
    text = "def f(p):\n    return derivative(lambda x: x**p, 2.0)\n"
    power = define(text, "f", {"derivative": derivative})
    assert derivative(power, 0.0) == pytest.approx(0.5)


def test_second_derivative_behind_a_mask() -> None:
    f = define("def f(a):\n    return np.sum(np.where(a > 0, a * np.sqrt(a), 0.0))\n")
    scope = {"f": f, "gradient": gradient}
    g = define("def g(a):\n    return np.sum(gradient(f, a)[0])\n", "g", scope)
    (found,) = gradient(g, np.array([0.0, 4.0]))
    np.testing.assert_allclose(found, [0, 0.375])


# ---- precision

SINGLE = [
    *("np.mean(a)", "np.var(a)", "np.median(a)", "np.quantile(a, 0.3)", "np.prod(a)", "a**2.5"),
    *("2.0**a", "np.maximum(a, 0.0)", "np.gradient(a)", "np.fft.fft(a).real", "np.convolve(a, a)"),
    *("np.pad(a, 1)", "np.polyval(a, 2.0)", "np.cov(a)", "np.insert(a, 1, 0.5)", "np.r_[a, 1.0]"),
    *("np.interp(a, np.array([0.0, 1.0]), np.array([0.0, 2.0]))", "np.sum(a, dtype=np.float64)"),
    *("np.linalg.eigvals(np.diag(a)).real", "np.linalg.det(np.diag(a))", "np.float64(a)"),
    *("np.piecewise(a, [a > 1], [np.sin, 0.0])", "np.add(a, 1.0, dtype=np.float64)"),
]


@pytest.mark.parametrize("text", SINGLE)
def test_single_precision_stays(text: str) -> None:
    f = define(f"def f(a):\n    return np.sum({text})\n")
    (found,) = gradient(f, np.array([0.5, 1.5], np.float32))
    assert found.dtype == np.float32


def test_whole_numbers_are_real_ones() -> None:
    for text in ("np.mean(a)", "np.sum(a * 1.5)", "np.prod(a)", "np.sum(np.sort(a) ** 2)"):
        f = define(f"def f(a):\n    return {text}\n")
        (found,) = gradient(f, np.array([1, 2, 3]))
        assert found.dtype == np.float64
    assert derivative(lambda x: x * x, 3) == 6.0


# ---- lists, and functions that call functions

PROGRAMS = {
    "lists of numbers": "np.prod([a[0], a[1]]) * np.linalg.norm((a[0], 2.0))",
    "lists and arrays": "np.dot([a[0], 1.0], a[:2]) + np.std([a[0], a[2]])",
    "appended": "np.sum(np.append(a, [a[0] ** 2, 2.0]) ** 2)",
    "np.r_": "np.sum(np.r_[a, 0.5, a**2] ** 3)",
    "np.c_": "np.sum(np.c_[a, a**2] ** 3)",
    "piecewise": "np.sum(np.piecewise(a, [a < 0.5, a > 1], [np.sin, lambda t: t**2, 0.3]))",
    "piecewise of numbers": "np.sum(np.piecewise(a, [a < 0.5, a > 1], [a[0], np.sin, a[1]]))",
    "overlapping": "np.sum(np.piecewise(a, [a > 0, a > 1], [np.sin, lambda t: t**2]))",
    "along an axis": "np.sum(np.apply_along_axis(lambda r: r * np.sum(r), 0, np.outer(a, a)))",
    "along an axis to numbers": "np.sum(np.apply_along_axis(np.prod, 1, np.outer(a, a)))",
    "to matrices": "np.sum(np.apply_along_axis(lambda r: np.outer(r, a), 0, np.outer(a, a)) ** 2)",
    "over axes": "np.sum(np.apply_over_axes(np.sum, np.outer(a, a), [0, 1]) ** 2)",
    "vectorize": "np.sum(np.vectorize(lambda t: t**2 if t > 1 else 3 * t)(a))",
    "vectorize of two": "np.sum(np.vectorize(lambda t, s: t * s**2)(a[:, None], a))",
    "captured": "np.sum(np.vectorize(lambda t: t * a[0])(a))",
    "fromfunction": "np.sum(np.fromfunction(lambda i, j: a[0] * i + j * a[1] ** 2, (2, 3)))",
    "fromiter": "np.sum(np.fromiter((t**2 for t in a), float) ** 2)",
    "methods": "np.sum(a.compress([True, False, True]) ** 2) + a.item(1) ** 2 + a.nbytes * a[0]",
    "arange": "np.sum(np.arange(a[0], 5.0, a[1]) ** 2)",
    "dtype and layout": "np.sum(np.multiply(a, a, dtype=float, casting='same_kind', order='C'))",
}


@pytest.mark.parametrize("title", PROGRAMS)
def test_program(title: str) -> None:
    f = define(f"def f(a):\n    return {PROGRAMS[title]}\n")
    check(f, np.array([0.3, 0.8, 1.7]))


REFUSALS = {
    "np.union1d(a, a)[0]": "ZYG301",
    "np.frompyfunc(lambda t: t, 1, 1)(a)[0]": "ZYG301",
    "np.exp(a, where=a > 0)[0]": "ZYG302",
    "np.vectorize(lambda t: t, otypes=[float])(a)[0]": "ZYG302",
    "np.histogram(a, 3)[1][0]": "ZYG302",
    "np.multiply.reduceat(a, [0, 1])[0]": "ZYG301",
    "a.to_device('cpu')[0]": "ZYG301",
}


@pytest.mark.parametrize("text", REFUSALS)
def test_refused(text: str) -> None:
    f = define(f"def f(a):\n    return {text}\n")
    with pytest.raises(Refused) as refused:
        gradient(f, np.array([0.3, 0.8, 1.7]))
    assert refused.value.diagnostic.code == REFUSALS[text]
    assert refused.value.diagnostic.help


def test_data_of_a_list_is_never_made_a_constant() -> None:
    f = define("def f(c):\n    return np.sum(np.choose(np.array([0, 1]), c))\n")
    with pytest.raises(Refused):
        gradient(f, [np.ones(2), np.ones(2)])
