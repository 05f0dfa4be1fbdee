"""Stencils: each step writes into the grids that it reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import uniform


def jacobi_1d(a: Any, b: Any, steps: int) -> Any:
    for _ in range(steps):
        b[1:-1] = (a[:-2] + a[1:-1] + a[2:]) / 3.0
        a[1:-1] = (b[:-2] + b[1:-1] + b[2:]) / 3.0
    return np.sum(a * a)


def jacobi_2d(a: Any, b: Any, steps: int) -> Any:
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = 0.2 * (
            b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1]
        )
    return np.sum(a * a)


def heat_1d(u: Any, nu: float, steps: int) -> Any:
    """One buffer that is updated in place, by an increment of its slices."""
    for _ in range(steps):
        u[1:-1] += nu * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def heat_3d(a: Any, b: Any, steps: int) -> Any:
    for _ in range(steps):
        for source, target in ((a, b), (b, a)):
            middle = source[1:-1, 1:-1, 1:-1]
            target[1:-1, 1:-1, 1:-1] = (
                0.125 * (source[2:, 1:-1, 1:-1] - 2.0 * middle + source[:-2, 1:-1, 1:-1])
                + 0.125 * (source[1:-1, 2:, 1:-1] - 2.0 * middle + source[1:-1, :-2, 1:-1])
                + 0.125 * (source[1:-1, 1:-1, 2:] - 2.0 * middle + source[1:-1, 1:-1, :-2])
                + middle
            )
    return np.sum(a * a)


def seidel_2d(a: Any, steps: int) -> Any:
    """Each point sees what was written just before it."""
    n = a.shape[0]
    for _ in range(steps):
        for i in range(1, n - 1):
            a[i, 1:-1] += (
                a[i - 1, :-2]
                + a[i - 1, 1:-1]
                + a[i - 1, 2:]
                + a[i, 2:]
                + a[i + 1, :-2]
                + a[i + 1, 1:-1]
                + a[i + 1, 2:]
            )
            for j in range(1, n - 1):
                a[i, j] += a[i, j - 1]
                a[i, j] /= 9.0
    return np.sum(a * a)


def fdtd_2d(ex: Any, ey: Any, hz: Any, source: Any) -> Any:
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz * hz)


def adi(u: Any, steps: int) -> Any:
    """Alternating directions: tridiagonal sweeps along one axis, then along the other."""
    n = u.shape[0]
    v, p, q = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
    a, b = -0.4, 1.8
    for _ in range(steps):
        for source, target in ((u.T, v), (v.T, u)):
            target[0, :] = 1.0
            p[:, 0] = 0.0
            q[:, 0] = target[0, :]
            for j in range(1, n - 1):
                p[1:-1, j] = -a / (a * p[1:-1, j - 1] + b)
                q[1:-1, j] = (
                    -a * source[j, :-2]
                    + (1.0 + 2.0 * a) * source[j, 1:-1]
                    - a * source[j, 2:]
                    - a * q[1:-1, j - 1]
                ) / (a * p[1:-1, j - 1] + b)
            target[-1, :] = 1.0
            for j in range(n - 2, 0, -1):
                target[j, 1:-1] = p[1:-1, j] * target[j + 1, 1:-1] + q[1:-1, j]
    return np.sum(u * u)


def hdiff(field: Any, coeff: Any) -> Any:
    """Horizontal diffusion with a flux limiter."""
    out = np.zeros_like(coeff)
    lap = 4.0 * field[1:-1, 1:-1] - (
        field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2]
    )
    flx = lap[1:, 1:-1] - lap[:-1, 1:-1]
    flx[flx * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0] = 0.0
    fly = lap[1:-1, 1:] - lap[1:-1, :-1]
    fly[fly * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0] = 0.0
    out[...] = field[2:-2, 2:-2] - coeff * (flx[1:, :] - flx[:-1, :] + fly[:, 1:] - fly[:, :-1])
    return np.sum(out * out)


def vadv(u: Any, w: Any) -> Any:
    """Vertical advection: a tridiagonal system in every column, solved in buffers."""
    levels = u.shape[0]
    c, d = np.empty_like(u), np.empty_like(u)
    for k in range(levels):
        up = 0.25 * w[k] if k > 0 else np.zeros_like(w[0])
        down = 0.25 * w[k + 1] if k < levels - 1 else np.zeros_like(w[0])
        diagonal = 1.5 - up - down
        rhs = u[k] * (1.0 + up)
        if k == 0:
            c[k] = down / diagonal
            d[k] = rhs / diagonal
        else:
            scale = 1.0 / (diagonal - c[k - 1] * up)
            c[k] = down * scale
            d[k] = (rhs - d[k - 1] * up) * scale
    out = np.empty_like(u)
    out[-1] = d[-1]
    for k in range(levels - 2, -1, -1):
        out[k] = d[k] - c[k] * out[k + 1]
    return np.sum(out * out)


def conv2d(image: Any, kernel: Any) -> Any:
    k = kernel.shape[0]
    n, m = image.shape[0] - k + 1, image.shape[1] - k + 1
    out = np.zeros((n, m))
    for i in range(k):
        for j in range(k):
            out += image[i : i + n, j : j + m] * kernel[i, j]
    return np.sum(out * out)


def deriche(image: Any, alpha: float) -> Any:
    """Recursive smoothing: down and up each row, in buffers."""
    k = (1.0 - np.exp(-alpha)) ** 2 / (1.0 + 2.0 * alpha * np.exp(-alpha) - np.exp(-2.0 * alpha))
    a1, a2 = k, k * np.exp(-alpha) * (alpha - 1.0)
    a3, a4 = k * np.exp(-alpha) * (alpha + 1.0), -k * np.exp(-2.0 * alpha)
    b1, b2 = 2.0 * np.exp(-alpha), -np.exp(-2.0 * alpha)
    there, back = np.empty_like(image), np.empty_like(image)
    there[:, 0] = a1 * image[:, 0]
    there[:, 1] = a1 * image[:, 1] + a2 * image[:, 0] + b1 * there[:, 0]
    for j in range(2, image.shape[1]):
        there[:, j] = (
            a1 * image[:, j] + a2 * image[:, j - 1] + b1 * there[:, j - 1] + b2 * there[:, j - 2]
        )
    back[:, -1] = 0.0
    back[:, -2] = a3 * image[:, -1]
    for j in range(image.shape[1] - 3, -1, -1):
        back[:, j] = (
            a3 * image[:, j + 1] + a4 * image[:, j + 2] + b1 * back[:, j + 1] + b2 * back[:, j + 2]
        )
    return np.sum((there + back) ** 2)


INPUTS = {
    jacobi_1d: lambda n: (uniform(n), uniform(n, seed=1), 3),
    jacobi_2d: lambda n: (uniform(n, n), uniform(n, n, seed=1), 3),
    heat_1d: lambda n: (uniform(n), 0.2, 5),
    heat_3d: lambda n: (uniform(n, n, n), uniform(n, n, n, seed=1), 2),
    seidel_2d: lambda n: (uniform(n, n), 2),
    fdtd_2d: lambda n: (
        uniform(n, n + 1),
        uniform(n, n + 1, seed=1),
        uniform(n, n + 1, seed=2),
        uniform(3),
    ),
    adi: lambda n: (uniform(n, n), 2),
    hdiff: lambda n: (uniform(n + 4, n + 4), uniform(n, n, seed=1)),
    vadv: lambda n: (uniform(n, 3), uniform(n + 1, 3, seed=1)),
    conv2d: lambda n: (uniform(n + 2, n + 2), uniform(3, 3, seed=1)),
    deriche: lambda n: (uniform(3, n), 0.25),
}
