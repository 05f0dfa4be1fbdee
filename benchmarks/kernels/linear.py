"""Products of matrices and vectors that update their operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import uniform


def gemm(c: Any, a: Any, b: Any, alpha: float, beta: float) -> Any:
    c *= beta
    c += alpha * (a @ b)
    return np.sum(c * c)


def two_mm(d: Any, a: Any, b: Any, c: Any) -> Any:
    t = np.empty((a.shape[0], b.shape[1]))
    np.matmul(a, b, out=t)
    t *= 1.5
    d[...] = t @ c + 1.2 * d
    return np.sum(d * d)


def gesummv(a: Any, b: Any, x: Any) -> Any:
    y = np.zeros_like(x)
    t = np.zeros_like(x)
    for i in range(len(x)):
        t[i] += a[i] @ x
        y[i] += b[i] @ x
        y[i] = 1.5 * t[i] + 1.2 * y[i]
    return np.sum(y * y)


def gemver(a: Any, u1: Any, v1: Any, u2: Any, v2: Any, y: Any, z: Any) -> Any:
    a += np.outer(u1, v1) + np.outer(u2, v2)
    x = np.zeros_like(y)
    x += 1.2 * (y @ a) + z
    w = 1.5 * (a @ x)
    return np.sum(w * w)


def atax(a: Any, x: Any) -> Any:
    y = np.zeros_like(x)
    for i in range(a.shape[0]):
        y += a[i] * (a[i] @ x)
    return np.sum(y * y)


def bicg(a: Any, p: Any, r: Any) -> Any:
    s, q = np.zeros(a.shape[1]), np.zeros(a.shape[0])
    for i in range(a.shape[0]):
        s += r[i] * a[i]
        q[i] = a[i] @ p
    return np.sum(s * s) + np.sum(q * q * q)


def mvt(x1: Any, x2: Any, y1: Any, y2: Any, a: Any) -> Any:
    x1 += a @ y1
    x2 += y2 @ a
    return np.sum(x1 * x1) + np.sum(x2 * x2)


def syrk(c: Any, a: Any) -> Any:
    for i in range(len(a)):
        c[i, : i + 1] *= 1.2
        for k in range(a.shape[1]):
            c[i, : i + 1] += 1.5 * a[i, k] * a[: i + 1, k]
    return np.sum(c * c)


def syr2k(c: Any, a: Any, b: Any) -> Any:
    for i in range(len(a)):
        c[i, : i + 1] *= 1.2
        for k in range(a.shape[1]):
            c[i, : i + 1] += a[: i + 1, k] * 1.5 * b[i, k] + b[: i + 1, k] * 1.5 * a[i, k]
    return np.sum(c * c)


def trmm(a: Any, b: Any) -> Any:
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            b[i, j] += a[i + 1 :, i] @ b[i + 1 :, j]
    b *= 1.5
    return np.sum(b * b)


def symm(c: Any, a: Any, b: Any) -> Any:
    t = np.empty(c.shape[1])
    c *= 1.2
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            c[:i, j] += 1.5 * b[i, j] * a[i, :i]
            t[j] = b[:i, j] @ a[i, :i]
        c[i, :] += 1.5 * b[i, :] * a[i, i] + 1.5 * t
    return np.sum(c * c)


def doitgen(a: Any, c4: Any) -> Any:
    for r in range(a.shape[0]):
        for q in range(a.shape[1]):
            a[r, q, :] = a[r, q, :] @ c4
    return np.sum(a * a)


def spmv(values: Any, x: Any, columns: Any, rows: Any) -> Any:
    """A sparse matrix by rows, times a vector."""
    y = np.empty(len(rows) - 1)
    for i in range(len(rows) - 1):
        part = columns[rows[i] : rows[i + 1]]
        y[i] = values[rows[i] : rows[i + 1]] @ x[part]
    return np.sum(y * y)


def scatter(x: Any, places: Any, n: int) -> Any:
    """A histogram with weights: places repeat."""
    out = np.zeros(n)
    np.add.at(out, places, x)
    out[places] *= 0.5
    return np.sum(out * out)


INPUTS = {
    gemm: lambda n: (uniform(n, n), uniform(n, n, seed=1), uniform(n, n, seed=2), 1.5, 1.2),
    two_mm: lambda n: tuple(uniform(n, n, seed=k) for k in range(4)),
    gesummv: lambda n: (uniform(n, n), uniform(n, n, seed=1), uniform(n)),
    gemver: lambda n: (uniform(n, n), *(uniform(n, seed=k) for k in range(6))),
    atax: lambda n: (uniform(n + 1, n), uniform(n)),
    bicg: lambda n: (uniform(n + 1, n), uniform(n), uniform(n + 1, seed=1)),
    mvt: lambda n: (*(uniform(n, seed=k) for k in range(4)), uniform(n, n)),
    syrk: lambda n: (uniform(n, n), uniform(n, n + 1, seed=1)),
    syr2k: lambda n: (uniform(n, n), uniform(n, n + 1, seed=1), uniform(n, n + 1, seed=2)),
    trmm: lambda n: (uniform(n, n), uniform(n, n + 1, seed=1)),
    symm: lambda n: (uniform(n, n + 1), uniform(n, n, seed=1), uniform(n, n + 1, seed=2)),
    doitgen: lambda n: (uniform(2, 3, n), uniform(n, n, seed=1)),
    spmv: lambda n: (
        uniform(3 * n),
        uniform(n),
        np.arange(3 * n) * 7 % n,
        np.arange(0, 3 * n + 1, 3),
    ),
    scatter: lambda n: (uniform(n), np.arange(n) * 5 % 4, 4),
}
