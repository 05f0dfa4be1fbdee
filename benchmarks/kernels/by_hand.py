"""Gradients of some kernels as a careful author writes them: forward in place, reverse in place,
keeping what the reverse part reads and no more. Each takes what the kernel takes, and returns the
gradients of its arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import linear, networks, solvers, stencils


def heat_1d(u: Any, nu: float, steps: int) -> Any:
    for _ in range(steps):
        u[1:-1] += nu * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    bar = 2.0 * u
    for _ in range(steps):  # linear: nothing is kept
        inner = nu * bar[1:-1]
        bar[2:] += inner
        bar[1:-1] -= 2.0 * inner
        bar[:-2] += inner
    return (bar,)


def jacobi_2d(a: Any, b: Any, steps: int) -> Any:
    def step(source: Any, target: Any) -> None:
        target[1:-1, 1:-1] = 0.2 * (
            source[1:-1, 1:-1]
            + source[1:-1, :-2]
            + source[1:-1, 2:]
            + source[2:, 1:-1]
            + source[:-2, 1:-1]
        )

    def back(source_bar: Any, target_bar: Any) -> None:
        inner = 0.2 * target_bar[1:-1, 1:-1]
        target_bar[1:-1, 1:-1] = 0.0
        source_bar[1:-1, 1:-1] += inner
        source_bar[1:-1, :-2] += inner
        source_bar[1:-1, 2:] += inner
        source_bar[2:, 1:-1] += inner
        source_bar[:-2, 1:-1] += inner

    for _ in range(steps):
        step(a, b)
        step(b, a)
    a_bar, b_bar = 2.0 * a, np.zeros_like(b)
    for _ in range(steps):
        back(b_bar, a_bar)
        back(a_bar, b_bar)
    return a_bar, b_bar


def trisolv(low: Any, b: Any) -> Any:
    n = len(b)
    x = np.zeros_like(b)
    for i in range(n):
        x[i] = (b[i] - low[i, :i] @ x[:i]) / low[i, i]
    low_bar, b_bar, x_bar = np.zeros_like(low), np.zeros_like(b), 2.0 * x
    for i in range(n - 1, -1, -1):
        g = x_bar[i] / low[i, i]
        b_bar[i] = g
        low_bar[i, i] = -g * x[i]
        low_bar[i, :i] = -g * x[:i]
        x_bar[:i] -= g * low[i, :i]
    return low_bar, b_bar


def atax(a: Any, x: Any) -> Any:
    y = np.zeros_like(x)
    products = []
    for i in range(a.shape[0]):
        product = a[i] @ x
        products.append(product)
        y += a[i] * product
    a_bar, x_bar, y_bar = np.zeros_like(a), np.zeros_like(x), 2.0 * y
    for i in range(a.shape[0] - 1, -1, -1):
        product_bar = y_bar @ a[i]
        a_bar[i] += y_bar * products[i]
        a_bar[i] += product_bar * x
        x_bar += product_bar * a[i]
    return a_bar, x_bar


def softmax(x: Any) -> Any:
    shifted = np.max(x, axis=-1, keepdims=True)
    ties = x == shifted
    x -= shifted
    np.exp(x, out=x)
    e = x.copy()
    total = np.sum(x, axis=-1, keepdims=True)
    x /= total
    bar = 2.0 * x
    total_bar = -np.sum(bar * x, axis=-1, keepdims=True) / total
    e_bar = (bar / total + total_bar) * e
    top = np.sum(e_bar, axis=-1, keepdims=True)
    return (e_bar - top * ties / np.sum(ties, axis=-1, keepdims=True),)


def conv2d(image: Any, kernel: Any) -> Any:
    k = kernel.shape[0]
    n, m = image.shape[0] - k + 1, image.shape[1] - k + 1
    out = np.zeros((n, m))
    for i in range(k):
        for j in range(k):
            out += image[i : i + n, j : j + m] * kernel[i, j]
    bar = 2.0 * out
    image_bar, kernel_bar = np.zeros_like(image), np.zeros_like(kernel)
    for i in range(k):
        for j in range(k):
            image_bar[i : i + n, j : j + m] += bar * kernel[i, j]
            kernel_bar[i, j] = np.sum(bar * image[i : i + n, j : j + m])
    return image_bar, kernel_bar


def momentum(w: Any, x: Any, y: Any, steps: int) -> Any:
    v = np.zeros_like(w)
    kept = []
    for _ in range(steps):
        residual = x @ w - y
        kept.append((w.copy(), residual))
        v *= 0.9
        v -= 0.05 * (x.T @ residual)
        w += v
    residual_bar = 2.0 * (x @ w - y)
    w_bar = x.T @ residual_bar
    x_bar, y_bar, v_bar = np.outer(residual_bar, w), -residual_bar, np.zeros_like(w)
    for old, residual in reversed(kept):
        v_bar += w_bar
        residual_bar = -0.05 * (x @ v_bar)
        x_bar -= 0.05 * np.outer(residual, v_bar)
        v_bar *= 0.9
        w_bar += x.T @ residual_bar
        x_bar += np.outer(residual_bar, old)
        y_bar -= residual_bar
    return w_bar, x_bar, y_bar


BY_HAND = {
    stencils.heat_1d: (heat_1d, 2000),
    stencils.jacobi_2d: (jacobi_2d, 150),
    solvers.trisolv: (trisolv, 200),
    linear.atax: (atax, 300),
    networks.softmax: (softmax, 5000),
    stencils.conv2d: (conv2d, 150),
    networks.momentum: (momentum, 2000),
}
