"""Layers of neural networks, written into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import uniform


def softmax(x: Any) -> Any:
    x -= np.max(x, axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= np.sum(x, axis=-1, keepdims=True)
    return np.sum(x * x)


def mlp(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    h = np.empty((x.shape[0], w1.shape[1]))
    np.matmul(x, w1, out=h)
    h += b1
    np.maximum(h, 0.0, out=h)
    z = h @ w2
    z += b2
    z -= np.max(z, axis=-1, keepdims=True)
    np.exp(z, out=z)
    z /= np.sum(z, axis=-1, keepdims=True)
    return np.sum(z * z)


def convolved(x: Any, w: Any) -> Any:
    """(N, H, W, C) by (K, K, C, D), without padding."""
    k = w.shape[0]
    n, height, width = x.shape[0], x.shape[1] - k + 1, x.shape[2] - k + 1
    out = np.empty((n, height, width, w.shape[3]))
    for i in range(height):
        for j in range(width):
            patch = x[:, i : i + k, j : j + k, :, np.newaxis]
            out[:, i, j, :] = np.sum(patch * w[np.newaxis], axis=(1, 2, 3))
    return out


def pooled(x: Any) -> Any:
    """The largest of every two by two."""
    out = np.empty((x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j, :] = np.max(x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, :], axis=(1, 2))
    return out


def lenet(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    h = convolved(x, w1)
    h += b1
    np.maximum(h, 0.0, out=h)
    h = pooled(h)
    flat = np.reshape(h, (h.shape[0], -1))
    z = flat @ w2
    z += b2
    return np.sum(np.tanh(z) ** 2)


def batch_norm(x: Any, gamma: Any, beta: Any, running: Any) -> Any:
    """Normalise in place, and keep a running mean."""
    mean = np.mean(x, axis=0)
    running *= 0.9
    running += 0.1 * mean
    x -= mean
    x /= np.sqrt(np.mean(x * x, axis=0) + 1e-3)
    x *= gamma
    x += beta
    return np.sum(x**3) + np.sum(running * mean)


def momentum(w: Any, x: Any, y: Any, steps: int) -> Any:
    """Descent with momentum on least squares: the derivative of what training reaches."""
    v = np.zeros_like(w)
    for _ in range(steps):
        residual = x @ w - y
        v *= 0.9
        v -= 0.05 * (x.T @ residual)
        w += v
    return np.sum((x @ w - y) ** 2)


INPUTS = {
    softmax: lambda n: (uniform(3, n),),
    mlp: lambda n: (
        uniform(3, n, low=-1.0),
        uniform(n, 5, low=-1.0, seed=1),
        uniform(5),
        uniform(5, 4, low=-1.0, seed=2),
        uniform(4),
    ),
    lenet: lambda n: (
        uniform(2, 6, 6, 1, low=-1.0),
        uniform(3, 3, 1, 2, low=-1.0, seed=1),
        uniform(2),
        uniform(8, 3, low=-1.0, seed=2),
        uniform(3),
    ),
    batch_norm: lambda n: (uniform(n, 3), uniform(3), uniform(3, seed=1), uniform(3, seed=2)),
    momentum: lambda n: (uniform(3), uniform(n, 3, seed=1), uniform(n, seed=2), 3),
}
