"""Jacobians and Hessians that are mostly zero: dense, with the pattern given as an array or as a
matrix of SciPy, and with it found.

python benchmarks/bench_sparse.py [--seconds S] [--json FILE] [problem ...]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness
import numpy as np
import scipy.sparse
from harness import interleaved

from zyg_interactive import derivative, hessian, jacobian, sparsity_pattern


def flow(u: Any) -> Any:
    inner = u[2:] - 2 * u[1:-1] + u[:-2] + np.exp(u[1:-1]) * u[2:]
    return np.concatenate([u[:1], inner, u[-1:]])


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def arrow(x: Any) -> Any:
    return np.sum(x[0] ** 2 * x**2) + np.sum(x**4)


def plate(x: Any) -> Any:
    n = int(len(x) ** 0.5)
    u = x.reshape(n, n)
    return np.sum((u[1:] - u[:-1]) ** 2) + np.sum((u[:, 1:] - u[:, :-1]) ** 4) + np.sum(np.exp(u))


# The function, its derivative, and the function whose Jacobian that is.
PROBLEMS: dict[str, tuple[Any, Callable[..., Any], Callable[..., Any]]] = {
    "flow (tridiagonal Jacobian)": (flow, jacobian, flow),
    "Rosenbrock (tridiagonal Hessian)": (rosenbrock, hessian, derivative(rosenbrock)),
    "arrow (Hessian with a dense row)": (arrow, hessian, derivative(arrow)),
    "plate (Hessian of a 2-D stencil)": (plate, hessian, derivative(plate)),
}


def main() -> None:
    options = harness.arguments(__doc__ or "", list(PROBLEMS))
    print(harness.machine() + "\n")
    rows, results = [], {}
    for name in options.names or PROBLEMS:
        f, of, g = PROBLEMS[name]
        for n in (100, 900):
            x = np.random.default_rng(0).uniform(0.5, 1.5, n)
            pattern = sparsity_pattern(g, x)
            np.testing.assert_allclose(of(f, x, sparsity=pattern), of(f, x), rtol=1e-9, atol=1e-9)
            stored = scipy.sparse.csr_array(pattern)
            times = interleaved(
                {
                    "dense": lambda of=of, f=f, x=x: of(f, x),
                    "given": lambda of=of, f=f, x=x, p=pattern: of(f, x, sparsity=p),
                    "SciPy": lambda of=of, f=f, x=x, p=stored: of(f, x, sparsity=p),
                    "found": lambda of=of, f=f, x=x: of(f, x, sparsity=True),
                },
                options.seconds,
            )
            results[f"{name}, {n}"] = times
            rows.append(
                [
                    f"{name}, n = {n}",
                    *(harness.in_words(times[k]) for k in ("dense", "given", "SciPy", "found")),
                    *(harness.as_ratio(times["dense"], times[k]) for k in ("given", "SciPy")),
                ]
            )
    head = ["problem", "dense", "given", "SciPy", "found", "dense/given", "dense/SciPy"]
    print(harness.table(head, rows))
    harness.write(options.json, {"sparse": results})


if __name__ == "__main__":
    main()
