"""Statistics and shortest ways, in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import uniform


def covariance(data: Any) -> Any:
    m = data.shape[1]
    data -= np.mean(data, axis=0)
    cov = np.zeros((m, m))
    for i in range(m):
        cov[i:, i] = data[:, i] @ data[:, i:] / (data.shape[0] - 1.0)
        cov[i, i:] = cov[i:, i]
    return np.sum(cov * cov)


def correlation(data: Any) -> Any:
    n, m = data.shape
    deviation = np.std(data, axis=0)
    deviation[deviation <= 0.01] = 1.0
    data -= np.mean(data, axis=0)
    data /= np.sqrt(n) * deviation
    corr = np.eye(m)
    for i in range(m - 1):
        corr[i + 1 :, i] = corr[i, i + 1 :] = data[:, i] @ data[:, i + 1 :]
    return np.sum(corr**3)


def floyd_warshall(path: Any) -> Any:
    """Shortest ways between all pairs: the least of two is kept in place."""
    for k in range(len(path)):
        path[:] = np.minimum(path, np.add.outer(path[:, k], path[k, :]))
    return np.sum(path * path)


def running_best(x: Any) -> Any:
    """A scan that keeps the largest so far, and how often it held."""
    best, held = np.empty_like(x), np.zeros(len(x), dtype=int)
    best[0] = x[0]
    for i in range(1, len(x)):
        if x[i] > best[i - 1]:
            best[i] = x[i]
        else:
            best[i] = best[i - 1]
            held[i] = held[i - 1] + 1
    return np.sum(best * best / (1.0 + held))


INPUTS = {
    covariance: lambda n: (uniform(n + 2, n),),
    correlation: lambda n: (uniform(n + 2, n),),
    floyd_warshall: lambda n: (uniform(n, n) * 4,),
    running_best: lambda n: (uniform(n),),
}
