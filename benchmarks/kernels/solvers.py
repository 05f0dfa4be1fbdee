"""Factorisations and solvers that overwrite what they are given, and two flows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import definite, dominant, uniform


def lu(a: Any) -> Any:
    for i in range(len(a)):
        for j in range(i):
            a[i, j] -= a[i, :j] @ a[:j, j]
            a[i, j] /= a[j, j]
        for j in range(i, len(a)):
            a[i, j] -= a[i, :i] @ a[:i, j]
    return np.sum(a * a)


def ludcmp(a: Any, b: Any) -> Any:
    """Factorise in place, then solve by substitution."""
    n = len(a)
    for k in range(n - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    x = b.copy()
    for i in range(n):
        x[i] -= a[i, :i] @ x[:i]
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return np.sum(x * x)


def cholesky(a: Any) -> Any:
    n = len(a)
    for i in range(n):
        for j in range(i):
            a[i, j] = (a[i, j] - a[i, :j] @ a[j, :j]) / a[j, j]
        a[i, i] = np.sqrt(a[i, i] - a[i, :i] @ a[i, :i])
    return np.sum(np.tril(a) ** 2)


def durbin(r: Any) -> Any:
    """Levinson and Durbin's recursion for a Toeplitz system."""
    y = np.zeros_like(r)
    y[0] = -r[0]
    alpha, beta = -r[0], 1.0
    for k in range(1, len(r)):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.flip(r[:k]) @ y[:k]) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y * y)


def trisolv(low: Any, b: Any) -> Any:
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - low[i, :i] @ x[:i]) / low[i, i]
    return np.sum(x * x)


def gramschmidt(a: Any) -> Any:
    n = a.shape[1]
    q, r = np.zeros_like(a), np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(a[:, k] @ a[:, k])
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = q[:, k] @ a[:, j]
            a[:, j] -= q[:, k] * r[k, j]
    return np.sum(r * r * r)


def cavity_flow(u: Any, v: Any, p: Any, steps: int) -> Any:
    """Flow in a box with a moving lid: pressure by relaxation, velocities in place."""
    dt, d, nu = 0.001, 0.5, 0.1
    for _ in range(steps):
        b = np.zeros_like(p)
        b[1:-1, 1:-1] = (u[1:-1, 2:] - u[1:-1, :-2] + v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * d * dt)
        for _ in range(3):
            pn = p.copy()
            p[1:-1, 1:-1] = 0.25 * (
                pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1] - d * d * b[1:-1, 1:-1]
            )
            p[:, -1] = p[:, -2]
            p[0, :] = p[1, :]
            p[:, 0] = p[:, 1]
            p[-1, :] = 0.0
        un, vn = u.copy(), v.copy()
        across, along = p[1:-1, 2:] - p[1:-1, :-2], p[2:, 1:-1] - p[:-2, 1:-1]
        for w, wn, gradient in ((u, un, across), (v, vn, along)):
            w[1:-1, 1:-1] = (
                wn[1:-1, 1:-1]
                - un[1:-1, 1:-1] * dt / d * (wn[1:-1, 1:-1] - wn[1:-1, :-2])
                - vn[1:-1, 1:-1] * dt / d * (wn[1:-1, 1:-1] - wn[:-2, 1:-1])
                - dt / (2 * d) * gradient
                + nu
                * dt
                / d**2
                * (wn[1:-1, 2:] + wn[1:-1, :-2] + wn[2:, 1:-1] + wn[:-2, 1:-1] - 4 * wn[1:-1, 1:-1])
            )
        u[0, :] = u[:, 0] = u[:, -1] = 0.0
        u[-1, :] = 1.0
        v[0, :] = v[-1, :] = v[:, 0] = v[:, -1] = 0.0
    return np.sum(u * u) + np.sum(v * v)


def channel_flow(u: Any, force: float, tolerance: float) -> Any:
    """Flow between two walls, periodic along them, until it changes no more."""
    dt, d, nu = 0.05, 0.5, 0.1
    change = 1.0
    while change > tolerance:
        un = u.copy()
        u[1:-1, 1:-1] = un[1:-1, 1:-1] + dt * (
            force
            - un[1:-1, 1:-1] * (un[1:-1, 1:-1] - un[1:-1, :-2]) / d
            + nu * (un[2:, 1:-1] - 2 * un[1:-1, 1:-1] + un[:-2, 1:-1]) / d**2
        )
        u[1:-1, 0] = u[1:-1, -2]
        u[1:-1, -1] = u[1:-1, 1]
        u[0, :] = u[-1, :] = 0.0
        change = (np.sum(u) - np.sum(un)) / np.sum(u)
    return np.sum(u * u)


INPUTS = {
    lu: lambda n: (dominant(n),),
    ludcmp: lambda n: (dominant(n), uniform(n)),
    cholesky: lambda n: (definite(n),),
    durbin: lambda n: (uniform(n, low=0.05, high=0.2),),
    trisolv: lambda n: (dominant(n), uniform(n)),
    gramschmidt: lambda n: (uniform(n + 1, n),),
    cavity_flow: lambda n: (uniform(n, n), uniform(n, n, seed=1), uniform(n, n, seed=2), 2),
    channel_flow: lambda n: (uniform(n, n), 1.0, 0.02),
}
