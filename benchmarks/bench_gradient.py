"""Gradients against hand-written adjoints and autograd; overhead, first call, memory: README.md."""

from __future__ import annotations

import functools
import importlib.util
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
import numpy as np
from workloads import Workload, logistic, logistic_by_hand, under, workloads

import zyg_interactive as zyg
from zyg_interactive.engine import engine

try:
    import autograd
    import autograd.numpy as autograd_numpy
except ImportError:  # the extra `bench` is not installed
    autograd = None

Gradients = tuple[Any, ...]


# ---- the contenders


def ours(w: Workload, args: Gradients) -> Callable[[], Gradients]:
    wrt = None if w.wrt is None else tuple(range(w.wrt))
    return lambda: zyg.gradient(w.primal, *args, wrt=wrt)


def theirs(w: Workload, args: Gradients) -> Callable[[], Gradients] | None:
    if autograd is None:
        return None
    gradient = autograd.grad(under(autograd_numpy, w.primal), argnum=_chosen(w))
    return lambda: gradient(*args)


def _chosen(w: Workload) -> tuple[int, ...]:
    """The arguments that have a derivative."""
    asked = w.args[: w.wrt]
    return tuple(i for i, a in enumerate(asked) if not isinstance(a, int))


# ---- verification


def verify(w: Workload) -> None:
    """Ours and autograd's against by hand, by hand against central differences."""
    for args in (w.small, w.args):
        _agree(w, "zyg_interactive", ours(w, args)(), w.hand(*args))
    hand = w.hand(*w.small)
    if (run := theirs(w, w.small)) is not None:
        _agree(w, "autograd", run(), [hand[i] for i in _chosen(w)])
    for i in _chosen(w):
        _agree(w, "central differences", [_differences(w, i)], [hand[i]], 1e-5)


def _agree(w: Workload, who: str, found: Any, hand: Any, tolerance: float = 1e-9) -> None:
    for a, b in zip(found, hand, strict=True):
        if (a is None) != (b is None):
            raise AssertionError(f"{w.title}: {who} gives {a!r}, the hand-written adjoint {b!r}")
        if a is None:
            continue
        error = np.max(np.abs(np.asarray(a) - b), initial=0.0)
        if np.shape(a) != np.shape(b) or not error <= tolerance * (1 + np.max(np.abs(b))):
            raise AssertionError(f"{w.title}: {who} is {error:.3g} off the hand-written adjoint")


def _differences(w: Workload, i: int) -> Any:
    args = list(w.small)
    x = np.asarray(args[i], float)
    found, h = np.zeros(x.shape), 1e-6
    for at in np.ndindex(x.shape):
        ends = []
        for step in (h, -h):
            moved = x.copy()
            moved[at] += step
            args[i] = moved if moved.shape else float(moved)
            ends.append(w.primal(*args))
        found[at] = (ends[0] - ends[1]) / (2 * h)
    return found


# ---- time


def measure(w: Workload, seconds: float) -> dict[str, float]:
    contenders = {
        "primal": functools.partial(w.primal, *w.args),
        "hand": functools.partial(w.hand, *w.args),
        "ours": ours(w, w.args),
    }
    if (run := theirs(w, w.args)) is not None:
        contenders["autograd"] = run
    return harness.interleaved(contenders, seconds)


def row(title: str, t: dict[str, float]) -> list[str]:
    hand, ag = t["hand"], t.get("autograd")
    times = [harness.in_words(x) for x in (t["primal"], hand, t["ours"], ag)]
    ratios = [(t["ours"], hand), (ag, hand), (hand, t["primal"]), (t["ours"], t["primal"])]
    return [title, *times, *(harness.as_ratio(a, b) for a, b in ratios)]


HEAD = (
    "workload",
    "primal",
    "hand",
    "ours",
    "autograd",
    "ours/hand",
    "autograd/hand",
    "hand/primal",
    "ours/primal",
)


# ---- what one call costs above the generated code


SCALE = 2.0


def square(x):
    return x * x


def scaled(x):
    return SCALE * x * square(x)


def four(a, b, c, d):
    return a * b + c * d


def overhead(seconds: float) -> dict[str, float]:
    """Seconds of `gradient(f, x)` above the code that was generated for it."""
    vector = np.ones(3)
    cases: dict[str, tuple[Callable[..., Any], Gradients]] = {
        "x*x of a float": (square, (3.0,)),
        "a lambda": (lambda x: x * x, (3.0,)),
        "four floats": (four, (1.0, 2.0, 3.0, 4.0)),
        "one helper and one global number": (scaled, (3.0,)),
        "an array": (lambda x: np.sum(x * x), (vector,)),
    }
    found = {}
    for name, (f, args) in cases.items():
        zyg.gradient(f, *args)
        s, generated = engine.prepared(f, args, ("gradient", None), _not_made)
        values = s.values(f, args)
        t = harness.interleaved(
            {
                "whole": functools.partial(zyg.gradient, f, *args),
                "code": functools.partial(generated, *values),
            },
            seconds / len(cases),
        )
        found[name] = t["whole"] - t["code"]
    return found


def _not_made(s: Any) -> Any:
    raise AssertionError("the gradient was made already")


# ---- the first gradient of a function


def first(lines: int, arrays: bool, times: int = 5) -> float:
    """Seconds for the first gradient of a function of so many lines, in a warm engine."""
    argument = np.linspace(0.1, 0.9, 5) if arrays else 0.5
    best = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        for i in range(times + 1):
            path = Path(folder, f"long_{lines}_{i}.py")
            path.write_text(long_text(lines, "np" if arrays else "math"), encoding="utf-8")
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            began = time.perf_counter()
            zyg.gradient(module.f, argument, 0.7)
            if i:  # the first warms the engine
                best = min(best, time.perf_counter() - began)
    return best


PATTERNS = (
    "    v{i} = {m}.sin(v{j}) * v{k} + y",
    "    v{i} = v{j} / (1.0 + v{k} * v{k})",
    "    v{i} = {m}.exp(-v{j} * v{j}) - 0.5 * v{k}",
    "    v{i} = {m}.tanh(v{j} + v{k})",
    "    for _ in range(3):\n        v{j} = 0.5 * v{j} + {m}.cos(v{k})\n    v{i} = v{j} - y",
    "    if {c} > 0.0:\n        v{i} = v{j} * v{k}\n    else:\n        v{i} = v{j} - v{k}",
)


def long_text(lines: int, module: str) -> str:
    """A module with a function `f` of so many lines: assignments, loops, branches."""
    body, i = ["    v0 = x", "    v1 = x * y"], 2
    while sum(part.count("\n") + 1 for part in body) < lines - 2:
        pattern = PATTERNS[i % len(PATTERNS)]
        condition = f"v{i - 1}" if module == "math" else f"np.sum(v{i - 1})"
        body.append(pattern.format(i=i, j=i - 1, k=i - 2, m=module, c=condition))
        i += 1
    result = f"v{i - 1}" if module == "math" else f"np.sum(v{i - 1})"
    imported = "import math" if module == "math" else "import numpy as np"
    return "\n".join([imported, "", "", "def f(x, y):", *body, f"    return {result}", ""])


# ---- memory


def peak(run: Callable[[], Any]) -> int:
    """Bytes at the peak of a call above those before it."""
    run()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run()
    found = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return found


def memory() -> dict[str, int]:
    args = (0.3, 3.5699, 10**4)
    return {
        "hand": peak(lambda: logistic_by_hand(*args)),
        "ours": peak(lambda: zyg.gradient(logistic, *args)),
    }


# ---- all of it


def main() -> None:
    every = workloads()
    chosen = harness.arguments(__doc__ or "", list(every))
    times: dict[str, dict[str, float]] = {}
    rows = []
    print(harness.machine(), flush=True)
    for name in chosen.names or every:
        verify(every[name])
        times[name] = measure(every[name], chosen.seconds)
        rows.append(row(every[name].title, times[name]))
    means = [
        harness.geometric_mean([t[a] / t[b] for t in times.values() if a in t])
        for a, b in (("ours", "hand"), ("autograd", "hand"), ("hand", "primal"), ("ours", "primal"))
    ]
    rows.append(["geometric mean", "", "", "", "", *(harness.as_ratio(m, 1.0) for m in means)])
    print("\n" + harness.table(HEAD, rows))
    found: dict[str, Any] = {"seconds": times}
    if not chosen.names:
        found |= {
            "overhead": overhead(chosen.seconds),
            "first": {
                f"{n} lines of {'NumPy' if arrays else 'scalars'}": first(n, arrays)
                for n in (20, 500)
                for arrays in (False, True)
            },
            "memory": memory(),
        }
        extra = [
            *((f"call overhead: {k}", harness.in_words(t)) for k, t in found["overhead"].items()),
            *((f"first gradient: {k}", harness.in_words(t)) for k, t in found["first"].items()),
            *(
                (f"memory of the logistic loop, 10⁴: {k}", f"{b / 1e6:.2f} MB")
                for k, b in found["memory"].items()
            ),
        ]
        print("\n" + harness.table(("else", "measured"), extra))
    harness.write(chosen.json, found)


if __name__ == "__main__":
    main()
