"""Distances, between all rows of matrices and between two vectors.

A metric is described once, by its cotangents over two arrays of vectors along the last axis that
broadcast against each other. All pairs of the rows of one matrix are those of the matrix with
itself, with cotangents that are zero on the diagonal. At points that coincide the derivative of a
distance is 0, as that of a norm is at the origin.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import Value, type_of
from ...ir.types import Array, Type, broadcast, fresh, shape_of
from ..norms import _vector_norm
from ..registry import (
    call,
    conj,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of, reduced, shape_at
from .keywords import real
from .special import sp

S: Any = importlib.import_module("scipy.spatial")
D: Any = importlib.import_module("scipy.spatial.distance")

# ---- metrics: the cotangents of `a` and `b` from that of `y`, which has an axis of one at the end

Metric = Callable[..., tuple[Any, Any]]


def _safe(y: Any) -> Any:
    return np.where(np.equal(y, 0), 1.0, y)


def _minkowski(g: Any, y: Any, a: Any, b: Any, p: Any = 2) -> tuple[Any, Any]:
    u = a - b
    if p == np.inf:
        y = np.max(np.absolute(u), axis=-1, keepdims=True)
    c = _vector_norm(g, y, u, p, (-1,))
    return c, -c


def _of_order(p: Any) -> Metric:
    return lambda g, y, a, b: _minkowski(g, y, a, b, p)


def _squares(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    c = 2.0 * g * conj(a - b)
    return c, -c


def _cosine(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """`1 - a b / (|a| |b|)`."""
    aa, bb = (np.sum(v * v, axis=-1, keepdims=True) for v in (a, b))
    both, alike = np.sqrt(aa) * np.sqrt(bb), 1.0 - y
    return g * (alike * a / aa - b / both), g * (alike * b / bb - a / both)


def _centred(x: Any) -> Any:
    return x - np.mean(x, axis=-1, keepdims=True)


def _correlation(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    a_bar, b_bar = _cosine(g, y, _centred(a), _centred(b))
    return _centred(a_bar), _centred(b_bar)


def _canberra(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The sum of `|a - b| / (|a| + |b|)`; two zeros add nothing."""
    u, size = a - b, _safe(np.absolute(a) + np.absolute(b))
    share, c = np.absolute(u) / size, g / size
    return c * (np.sign(u) - share * np.sign(a)), -c * (np.sign(u) + share * np.sign(b))


def _braycurtis(g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The sum of `|a - b|` over that of `|a + b|`."""
    c = g / _safe(np.sum(np.absolute(a + b), axis=-1, keepdims=True))
    apart, together = np.sign(a - b), y * np.sign(a + b)
    return c * (apart - together), -c * (apart + together)


def _jensenshannon(
    g: Any, y: Any, a: Any, b: Any, axis: Any = -1, base: Any = None
) -> tuple[Any, Any]:
    """`sqrt((R(p, m) + R(q, m)) / 2)` of the shares p and q and their mean m, where R is the sum of
    `p log(p / m)`: its derivative in p is `log(p / m)`, for those in m are zero together.
    """
    c = np.where(np.equal(y, 0), 0.0, 0.25 * g / _safe(y))
    c = c if base is None else c / np.log(base)
    sums = [np.sum(v, axis=axis, keepdims=True) for v in (a, b)]
    p, q = a / sums[0], b / sums[1]
    middle = 0.5 * (p + q)
    none = np.equal(middle, 0)
    bars = []
    for share, total in zip((p, q), sums, strict=True):
        # A share that grows beside one of zero is twice the mean.
        logs = np.log(np.where(none, 2.0, share) / np.where(none, 1.0, middle))
        whole = np.sum(sp.rel_entr(share, middle), axis=axis, keepdims=True)
        bars.append(c * (logs - whole) / total)
    return bars[0], bars[1]


_METRICS: dict[str, Metric] = {
    "sqeuclidean": _squares,
    "cityblock": _of_order(1),
    "chebyshev": _of_order(np.inf),
    "euclidean": _of_order(2),
    "cosine": _cosine,
    "correlation": _correlation,
    "canberra": _canberra,
    "braycurtis": _braycurtis,
    "jensenshannon": _jensenshannon,
}
# Further names that SciPy knows them by.
_ALIASES = {
    "sqeuclidean": "sqe sqeuclid",
    "cityblock": "cblock cb c",
    "chebyshev": "chebychev cheby cheb ch",
    "euclidean": "euclid eu e",
    "cosine": "cos",
    "correlation": "co",
    "minkowski": "mi m pnorm",
    "seuclidean": "se s",
    "mahalanobis": "mahal mah",
    "jensenshannon": "js",
}
_NAMES = {alias: name for name, every in _ALIASES.items() for alias in every.split()}
_NAMES |= {name: name for name in (*_METRICS, "minkowski", "seuclidean", "mahalanobis")}


# ---- metrics with a matrix or variances of their own


def _rows(x: Any, size: Any) -> Any:
    """The vectors along the last axis, as the rows of a matrix."""
    return np.reshape(x, (-1, size))


def _seuclidean(g: Any, y: Any, a: Any, b: Any, v: Any) -> tuple[Any, Any, Any]:
    """`|u / sqrt(v)|` with `u = a - b`."""
    u = a - b
    c = g / _safe(y) * (u / v)
    return c, -c, -0.5 * np.sum(_rows(c * u, np.shape(v)[0]), axis=0) / v


def _mahalanobis(g: Any, y: Any, a: Any, b: Any, vi: Any) -> tuple[Any, Any, Any]:
    """`sqrt(u VI u)` with `u = a - b`."""
    u = a - b
    c = 0.5 * g / _safe(y) * u
    both = c @ vi + c @ np.transpose(vi)
    n = np.shape(vi)[0]
    return both, -both, np.transpose(_rows(c, n)) @ _rows(u, n)


# ---- all pairs of rows

# Of the metrics of squares the sums over the pairs need no array of all differences.


def summed_differences(w: Any, a: Any, b: Any) -> Any:
    """`sum_j w[i, j] (a[i] - b[j])`; the differences are taken first, for the sake of those that
    are small.
    """
    if len(a) == 0 or len(b) == 0:
        return np.zeros(np.shape(a))
    return np.stack([weights @ (row - b) for weights, row in zip(w, a, strict=True)])


def projected_differences(c: Any, a: Any, b: Any) -> Any:
    """`c[i] (a[i] - b[j])`, an inner product for each i and j."""
    if len(a) == 0:
        return np.zeros((0, len(b)))
    return np.stack([(row - b) @ along for along, row in zip(c, a, strict=True)])


def _weighted(w: Any, c: Any) -> tuple[Any, Any]:
    return np.expand_dims(np.sum(w, axis=1), 1) * c, -(np.transpose(w) @ c)


@rule(summed_differences)
def _of_summed(g: Any, y: Any, w: Any, a: Any, b: Any) -> Any:
    return (call(projected_differences, g, a, b), *_weighted(w, g))


@rule(projected_differences)
def _of_projected(g: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    return (call(summed_differences, g, a, b), *_weighted(g, c))


def _metric(metric: Any) -> str:
    metric = decided(metric)
    own = "" if isinstance(metric, str) else getattr(metric, "__name__", "")
    given = own if getattr(D, own, None) is metric else metric
    name = _NAMES.get(given.lower()) if isinstance(given, str) else None
    if name is None:
        raise unsupported(f"distances with metric={metric!r}")
    return name


def _pairs(
    g: Any, y: Any, xa: Any, xb: Any, v: Any, vi: Any, metric: Any, p: Any
) -> tuple[Any, ...]:
    """The cotangents of both matrices and of `V` and `VI` from that of all distances."""
    name = _metric(metric)
    xa, xb = _double(xa), _double(xb)
    if name == "minkowski":
        p = decided(p)
        name = {1: "cityblock", 2: "euclidean", np.inf: "chebyshev"}.get(p, name)
    if name in ("euclidean", "sqeuclidean"):
        w = g * 2.0 if name == "sqeuclidean" else g / _safe(y)
        turned = np.transpose(w)
        a_bar, b_bar = (
            call(summed_differences, c, *at) for c, at in ((w, (xa, xb)), (turned, (xb, xa)))
        )
        return a_bar, b_bar, None, None
    a, b = np.expand_dims(xa, 1), np.expand_dims(xb, 0)
    g, y = np.expand_dims(g, -1), np.expand_dims(y, -1)
    v_bar = vi_bar = None
    if name == "seuclidean":
        a_bar, b_bar, v_bar = _seuclidean(g, y, a, b, _given(v, "V"))
    elif name == "mahalanobis":
        a_bar, b_bar, vi_bar = _mahalanobis(g, y, a, b, _given(vi, "VI"))
    else:
        metric = _METRICS[name] if name in _METRICS else _of_order(p)
        a_bar, b_bar = metric(g, y, a, b)
    return np.sum(a_bar, axis=1), np.sum(b_bar, axis=0), v_bar, vi_bar


def _given(x: Any, name: str) -> Any:
    if x is None:
        raise unsupported(f"a distance that finds `{name}` itself", f"give it `{name}=`")
    return _double(x)


def _double(x: Any) -> Any:
    """SciPy computes all distances in double precision."""
    double = np.dtype(float)
    return x if dtype_of(type_of(x)) == double else call(runtime.astype, x, double)


@rule(D.cdist, order="XA XB metric out w V? VI?")
def cdist(
    g: Any,
    y: Any,
    XA: Any,
    XB: Any,
    V: Any,
    VI: Any,
    metric: Any = "euclidean",
    p: Any = 2.0,
) -> Any:
    bars = _pairs(g, y, XA, XB, V, VI, metric, p)
    return _precise(bars, (XA, XB, V, VI))


@rule(D.pdist, order="X metric out w V? VI?")
def pdist(
    g: Any, y: Any, X: Any, V: Any, VI: Any, metric: Any = "euclidean", p: Any = 2.0
) -> Any:
    """Each pair is twice in the square, and once in each of its cotangents."""
    g, y = (call(D.squareform, v, checks=False) for v in (g, y))
    a_bar, _, v_bar, vi_bar = _pairs(g, y, X, X, V, VI, metric, p)
    halves = (None if c is None else 0.5 * c for c in (v_bar, vi_bar))
    return _precise((a_bar, *halves), (X, V, VI))


@rule(S.distance_matrix)
def distance_matrix(
    g: Any, out: Any, x: Any, y: Any, p: Any = 2.0, threshold: Any = 1000000
) -> Any:
    points = real(S.distance_matrix, x), real(S.distance_matrix, y)
    bars = _pairs(g, out, *points, None, None, "minkowski", p)
    return _precise(bars[:2], (x, y))


def _precise(bars: Any, xs: Any) -> tuple[Any, ...]:
    return tuple(None if c is None else in_precision(c, x) for c, x in zip(bars, xs, strict=True))


@rule(D.squareform)
def squareform(g: Any, y: Any, X: Any, force: Any = "no", checks: Any = True) -> Any:
    """Of a matrix the triangle above the diagonal is read; it is made symmetric of a vector."""
    if rank_of(X) == 1:
        return call(D.squareform, g + np.transpose(g), checks=False)
    return np.triu(call(D.squareform, g, checks=False), 1)


# ---- two vectors


def _vectors(fn: Any, u: Any, v: Any, complex_too: bool = False) -> tuple[Any, Any]:
    if rank_of(u) != 1 or rank_of(v) != 1:
        raise unsupported(f"`{fn.__name__}` of other than vectors")
    return (u, v) if complex_too else (real(fn, u), real(fn, v))


def _vector_rule(fn: Any, complex_too: bool = False) -> None:
    metric = _METRICS[fn.__name__]

    @rule(fn, order="u v w")
    def pullback(g: Any, y: Any, u: Any, v: Any) -> Any:
        return _precise(metric(g, y, *_vectors(fn, u, v, complex_too)), (u, v))


for _fn in (D.cosine, D.canberra, D.braycurtis):
    _vector_rule(_fn)
for _fn in (D.euclidean, D.sqeuclidean, D.cityblock, D.chebyshev):
    _vector_rule(_fn, complex_too=True)


@rule(D.minkowski, order="u v p w")
def minkowski(g: Any, y: Any, u: Any, v: Any, p: Any = 2) -> Any:
    a, b = _vectors(D.minkowski, u, v, True)
    return _precise(_minkowski(g, y, a, b, decided(p)), (u, v))


@rule(D.correlation, order="u v w centered")
def correlation(g: Any, y: Any, u: Any, v: Any, centered: Any = True) -> Any:
    metric = _correlation if decided(centered) else _cosine
    return _precise(metric(g, y, *_vectors(D.correlation, u, v)), (u, v))


@rule(D.seuclidean)
def seuclidean(g: Any, y: Any, u: Any, v: Any, V: Any) -> Any:
    a, b = _vectors(D.seuclidean, u, v)
    return _precise(_seuclidean(g, y, a, b, real(D.seuclidean, V)), (u, v, V))


@rule(D.mahalanobis)
def mahalanobis(g: Any, y: Any, u: Any, v: Any, VI: Any) -> Any:
    a, b = _vectors(D.mahalanobis, u, v)
    return _precise(_mahalanobis(g, y, a, b, real(D.mahalanobis, VI)), (u, v, VI))


@rule(D.jensenshannon, order="p q base?", broadcasts=True)
def jensenshannon(
    g: Any, y: Any, p: Any, q: Any, base: Any, axis: Any = 0, keepdims: Any = False
) -> Any:
    axis = decided(axis)
    if rank_of(p) != rank_of(q):
        raise unsupported("`jensenshannon` of arrays of other ranks")
    if axis is not None and not decided(keepdims) and rank_of(p) > 1:
        g, y = np.expand_dims(g, axis), np.expand_dims(y, axis)
    bars = _jensenshannon(g, y, p, q, axis, base)
    refused = None if base is None else unsupported("`jensenshannon` in its base")
    return (*_precise(bars, (p, q)), refused)


# ---- types


@result(D.cdist)
def _all(XA: Any, XB: Any, metric: Any = "euclidean", **how: Any) -> Type:
    shapes = shape_at(XA), shape_at(XB)
    known = all(s is not None and len(s) == 2 for s in shapes)
    sizes = tuple(s[0] for s in shapes if s) if known else None
    return Array(np.dtype(float), sizes)


@result(S.distance_matrix)
def _matrix(x: Any, y: Any, *rest: Any, **how: Any) -> Type:
    return _all(x, y)


@result(D.pdist)
def _each_pair(X: Any, metric: Any = "euclidean", **how: Any) -> Type:
    return Array(np.dtype(float), (fresh(),))


@result(D.squareform)
def _square(X: Any, force: Any = "no", checks: Any = True) -> Type:
    shape, kind = shape_at(X), dtype_of(type_of(X))
    if shape is None:
        return Array(kind, None)
    n = fresh()
    return Array(kind, (n, n) if len(shape) == 1 else (fresh(),))


@result(
    *(D.euclidean, D.sqeuclidean, D.cityblock, D.chebyshev, D.minkowski, D.cosine, D.correlation),
    *(D.canberra, D.braycurtis, D.seuclidean, D.mahalanobis),
)
def _one(u: Any, v: Any, *rest: Any, **how: Any) -> Type:
    kinds = {dtype_of(type_of(x)) for x in (u, v)}
    double = kinds == {np.dtype(float)} and not rest and not how
    return Array(np.dtype(float) if double else None, ())


@result(D.jensenshannon)
def _divergence(
    p: Any, q: Any, base: Any = None, axis: Any = 0, keepdims: Any = False
) -> Type:
    shapes = [shape_at(v) for v in (p, q)]
    ranks = {None if s is None else len(s) for s in shapes}
    if None in ranks or len(ranks) != 1 or isinstance(axis, Value) or isinstance(keepdims, Value):
        return Array(None, None)
    whole = broadcast(*shapes)
    return Array(None, reduced(whole, axis, keepdims))


@result(summed_differences)
def _like_rows(w: Any, a: Any, b: Any) -> Type:
    return Array(dtype_of(type_of(a)), shape_of(type_of(a)))


@result(projected_differences)
def _like_pairs(c: Any, a: Any, b: Any) -> Type:
    shapes = shape_of(type_of(a)), shape_of(type_of(b))
    sizes = tuple(s[0] for s in shapes if s)
    return Array(dtype_of(type_of(a)), sizes if len(sizes) == 2 else None)
