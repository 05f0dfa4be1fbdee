"""What the adjoints of filters and of transforms need beside NumPy's own functions."""

from __future__ import annotations

from typing import Any

import numpy as np

# What SciPy calls the ways to go on behind the edge, in NumPy's words.
EDGES = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "mirror": "reflect",
    "nearest": "edge",
    "wrap": "wrap",
    "grid-wrap": "wrap",
    "constant": "constant",
    "grid-constant": "constant",
}


def edge_weights(c: Any, axis: int, first: float, last: float) -> Any:
    """Ones along an axis, but for the first and the last."""
    weights = np.ones(c.shape[axis], c.real.dtype)
    weights[0] *= first
    weights[-1] *= last
    along = [1] * c.ndim
    along[axis] = -1
    return weights.reshape(along)


# ---- convolutions of several axes: the part that a mode takes of the whole


def _part(a: Any, v: Any, mode: str) -> tuple[slice, ...]:
    if mode == "full":
        return tuple(slice(None) for _ in a.shape)
    sizes = zip(a.shape, v.shape, strict=True)
    if mode == "same":
        return tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in sizes)
    return tuple(slice(min(n, k) - 1, max(n, k)) for n, k in sizes)


def in_whole(c: Any, a: Any, v: Any, mode: str) -> Any:
    """A part of the convolution of `a` and `v` in the place that it has in the whole, among
    zeros.
    """
    whole = np.zeros([n + k - 1 for n, k in zip(a.shape, v.shape, strict=True)], c.dtype)
    whole[_part(a, v, mode)] = c
    return whole


def of_whole(c: Any, a: Any, v: Any, mode: str) -> Any:
    """The part of a whole convolution that a mode takes."""
    return c[_part(a, v, mode)].copy()


def lagged(g: Any, x: Any, like: Any, axis: int) -> Any:
    """The sum of `g[n] conj(x[n - k])` along an axis and over all others, for each place k of
    `like`.
    """
    count = len(like)
    g, x = np.moveaxis(g, axis, -1), np.moveaxis(x, axis, -1)
    found = np.zeros(count, np.result_type(g, x))
    n = g.shape[-1]
    for k in range(min(count, n)):
        found[k] = np.sum(g[..., k:] * np.conj(x[..., : n - k]))
    return found


# ---- filters with an edge


def _widths(weights: Any, origin: Any, turned: bool) -> list[tuple[int, int]]:
    """How far a filter reaches before and behind each axis; `turned`: that of a convolution."""
    origins = [origin] * weights.ndim if isinstance(origin, int | np.integer) else list(origin)
    found = []
    for size, shift in zip(weights.shape, origins, strict=True):
        at = -shift - (1 - size % 2) if turned else shift
        before = size // 2 + at
        found.append((before, size - 1 - before))
    return found


def _modes(mode: Any, rank: int) -> list[Any]:
    return [EDGES[m] for m in ([mode] * rank if isinstance(mode, str) else mode)]


def extended(
    x: Any, weights: Any, mode: Any, cval: float, origin: Any, turned: bool = False
) -> Any:
    """`x` and what a filter reads behind its edges."""
    for axis, (width, how) in enumerate(
        zip(_widths(weights, origin, turned), _modes(mode, x.ndim), strict=True)
    ):
        along = [(0, 0)] * x.ndim
        along[axis] = width
        more: dict[str, Any] = {"constant_values": cval} if how == "constant" else {}
        x = np.pad(x, along, how, **more)
    return x


def folded_in(c: Any, x: Any, weights: Any, mode: Any, origin: Any, turned: bool = False) -> Any:
    """The adjoint of `extended`: what was read behind an edge is added to where it came from."""
    for axis, (width, how) in enumerate(
        zip(_widths(weights, origin, turned), _modes(mode, x.ndim), strict=True)
    ):
        c = np.moveaxis(c, axis, 0)
        n = x.shape[axis]
        if how == "constant":
            c = c[width[0] : width[0] + n]
        else:
            whole = np.zeros((n, *c.shape[1:]), c.dtype)
            np.add.at(whole, np.pad(np.arange(n), width, how), c)
            c = whole
        c = np.moveaxis(c, 0, axis)
    return np.ascontiguousarray(c)


def gaussian_weights(x: Any, sigma: float, order: int, truncate: float, radius: Any) -> Any:
    """The weights of a Gaussian filter or of a derivative of one, in the precision of `x`."""
    if sigma <= 1e-15:  # such an axis is left alone
        return np.ones(1, x.real.dtype if x.dtype.kind in "fc" else float)
    reach = int(truncate * float(sigma) + 0.5) if radius is None else int(radius)
    places = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 / (sigma * sigma) * places**2)
    bell = bell / np.sum(bell)
    # The derivative of p(x) exp(-x**2 / 2 s**2) has the polynomial p' - p x / s**2.
    polynomial = np.polynomial.Polynomial([1.0])
    step = np.polynomial.Polynomial([0.0, -1.0 / (sigma * sigma)])
    for _ in range(order):
        polynomial = polynomial.deriv() + polynomial * step
    kind = x.real.dtype if x.dtype.kind in "fc" else np.dtype(float)
    return (polynomial(places) * bell)[::-1].astype(kind)


def along_axis(weights: Any, rank: int, axis: int) -> Any:
    """Weights of one axis as those of an array of several."""
    shape = [1] * rank
    shape[axis] = len(weights)
    return np.reshape(weights, shape)


def mean_weights(x: Any, size: int) -> Any:
    kind = x.real.dtype if x.dtype.kind in "fc" else np.dtype(float)
    return np.full(size, 1.0 / size, kind)


# ---- quadrature of samples


def simpson_weights(y: Any, x: Any, dx: float, axis: int) -> Any:
    """The weights of samples in SciPy's Simpson rule; of an even number of them with the correction
    of the last interval (K. V. Cartwright 2017, "Simpson's rule cumulative integration with MS
    Excel and irregularly-spaced data").
    """
    n = y.shape[axis]
    h = np.full(max(n - 1, 0), float(dx)) if x is None else np.diff(np.asarray(x, float))
    weights = np.zeros(n)
    if n == 2:
        weights[:] = 0.5 * h[0]
    elif n > 2:
        pairs = n - 1 if n % 2 else n - 2
        h0, h1 = h[0:pairs:2], h[1:pairs:2]
        both, shape = h0 + h1, _quotient(h0, h1)
        weights[0:pairs:2] += both / 6.0 * (2.0 - _quotient(1.0, shape))
        weights[1:pairs:2] += both / 6.0 * both * _quotient(both, h0 * h1)
        weights[2 : pairs + 1 : 2] += both / 6.0 * (2.0 - shape)
        if n % 2 == 0:
            p, q = h[-2], h[-1]
            weights[-1] += _quotient(2.0 * q**2 + 3.0 * p * q, 6.0 * (p + q))
            weights[-2] += _quotient(q**2 + 3.0 * p * q, 6.0 * p)
            weights[-3] -= _quotient(q**3, 6.0 * p * (p + q))
    kind = y.real.dtype if y.dtype.kind in "fc" else np.dtype(float)
    return along_axis(weights.astype(kind), y.ndim, axis)


def _quotient(a: Any, b: Any) -> Any:
    """`a / b`, and 0 where `b` is."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=np.not_equal(b, 0))
