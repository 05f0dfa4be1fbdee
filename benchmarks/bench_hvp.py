"""What a Hessian-vector product costs beside the gradient: hvp(f, x, v) over gradient(f, x).

python benchmarks/bench_hvp.py [--seconds S] [--json FILE] [program ...]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
from harness import interleaved

from zyg_interactive import gradient, hvp

BUDGET = 5.0
RNG = np.random.default_rng(0)
W1, W2 = RNG.normal(size=(64, 32)) / 8, RNG.normal(size=(10, 64)) / 8
BATCH = RNG.normal(size=(32, 50))
SYSTEM = RNG.normal(size=(60, 60)) / 20 + 2 * np.eye(60)


def dense_net(x: Any) -> Any:
    w = x.reshape(64, 32)
    h = np.tanh(w @ BATCH)
    return np.sum((W2 @ h) ** 2)


def stencil(x: Any) -> Any:
    u = x.reshape(300, 300)
    flux = (u[1:, :-1] - u[:-1, :-1]) ** 2 + (u[:-1, 1:] - u[:-1, :-1]) ** 2
    return np.sum(np.sqrt(1 + flux))


def scalar_loop(x: Any) -> Any:
    s = 0.0
    for i in range(len(x) - 1):
        s = s + 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return s


def pendulum(x: Any) -> Any:
    angle, speed = x[0], x[1]
    for _ in range(300):
        speed = speed - 0.01 * math.sin(angle)
        angle = angle + 0.01 * speed
    return angle**2 + speed**2


def solve(x: Any) -> Any:
    return np.sum(np.linalg.solve(SYSTEM + np.diag(x), x) ** 2)


def heat_in_place(x: Any) -> Any:
    u = x.copy()
    for _ in range(20):
        u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2]) * u[1:-1]
    return np.sum(u**2)


PROGRAMS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "dense net": (dense_net, RNG.normal(size=64 * 32)),
    "2-D stencil": (stencil, RNG.normal(size=90000)),
    "scalar loop over x[i]": (scalar_loop, RNG.normal(size=300)),
    "pendulum, scalars": (pendulum, np.array([1.0, 0.5])),
    "matrix solve": (solve, RNG.uniform(1, 2, 60)),
    "heat, in place": (heat_in_place, RNG.uniform(0, 1, 500)),
}


def check(f: Any, x: Any) -> None:
    v = np.random.default_rng(1).normal(size=x.shape)
    h = 1e-6 / np.linalg.norm(v)
    slope = (gradient(f, x + h * v)[0] - gradient(f, x - h * v)[0]) / (2 * h)
    np.testing.assert_allclose(hvp(f, x, v), slope, rtol=1e-4, atol=1e-4 * np.abs(slope).max())


def main() -> None:
    options = harness.arguments(__doc__ or "", list(PROGRAMS))
    print(harness.machine() + "\n")
    rows, results = [], {}
    for name in options.names or PROGRAMS:
        f, x = PROGRAMS[name]
        check(f, x)
        v = np.ones_like(x)
        times = interleaved(
            {
                "primal": lambda f=f, x=x: f(x),
                "gradient": lambda f=f, x=x: gradient(f, x),
                "hvp": lambda f=f, x=x, v=v: hvp(f, x, v),
            },
            options.seconds,
        )
        results[name] = times
        rows.append(
            [
                name,
                *(harness.in_words(times[k]) for k in ("primal", "gradient", "hvp")),
                harness.as_ratio(times["gradient"], times["primal"]),
                harness.as_ratio(times["hvp"], times["gradient"]),
            ]
        )
    head = ["program", "primal", "gradient", "hvp", "gradient/primal", "hvp/gradient"]
    print(harness.table(head, rows))
    above = [k for k, t in results.items() if t["hvp"] > BUDGET * t["gradient"]]
    print(f"\nabove the budget of {BUDGET:.0f} gradients: {', '.join(above) or 'none'}")
    harness.write(options.json, {"hvp": results})


if __name__ == "__main__":
    main()
