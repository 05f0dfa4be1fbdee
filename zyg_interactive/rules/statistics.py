"""Covariances and correlations; counts with weights; what is left of repeated numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Value, type_of
from ..ir.types import UNKNOWN, Array, Tuple, Type, fresh
from .registry import call, constant, rank_of, result, rule, unsupported
from .sizes import decided, dtype_after, dtype_of, shape_at

# ---- covariances


@rule(np.cov, order="m y? rowvar bias ddof fweights aweights?")
def cov(
    g: Any,
    out: Any,
    m: Any,
    y: Any,
    aweights: Any,
    rowvar: Any = True,
    bias: Any = False,
    ddof: Any = None,
    fweights: Any = None,
    dtype: Any = None,
) -> Any:
    """C = X W X^H / f, with X the deviations: the mean moves nothing, for they sum to zero."""
    if dtype is not None:
        raise unsupported("`np.cov` with dtype=", "leave it out")
    rows = [_variables(v, decided(rowvar)) for v in (m, y) if v is not None]
    x = rows[0] if len(rows) == 1 else np.concatenate(rows, axis=0)
    fweights = call(np.asarray, fweights) if isinstance(fweights, list | tuple) else fweights
    free = (0 if bias else 1) if ddof is None else ddof
    w = fweights if aweights is None else aweights if fweights is None else aweights * fweights
    if w is None:
        count: Any = np.shape(x)[1]
        middle = np.mean(x, axis=1, keepdims=True)
        factor: Any = count - free
    else:
        whole = np.sum(w)
        middle = np.expand_dims((x @ w) / whole, 1)
        spread = free if aweights is None else free * np.sum(w * aweights) / whole
        factor = whole - spread
    z = x - middle
    n = np.shape(z)[0]
    c = np.reshape(g, (n, n))
    both = (c + np.conj(np.transpose(c))) @ z / factor
    bar = both if w is None else both * w
    w_bar = None
    if aweights is not None:
        if fweights is not None:
            raise unsupported("`np.cov` with both kinds of weights", "give one of them")
        own = np.sum(np.real(np.conj(z) * (c @ z)), axis=0)
        change = 1.0 - free * (2 * w * whole - np.sum(w * w)) / whole**2
        product = np.sum(np.real(np.conj(c) * np.reshape(out, (n, n))))
        w_bar = own / factor - product * change / factor
    if y is None:
        return _as_given(bar, m, decided(rowvar)), None, w_bar
    split = np.shape(rows[0])[0]
    parts = (bar[:split], bar[split:])
    m_bar, y_bar = (_as_given(b, v, decided(rowvar)) for b, v in zip(parts, (m, y), strict=True))
    return m_bar, y_bar, w_bar


def _variables(v: Any, rowvar: Any) -> Any:
    """One row for each variable."""
    if rank_of(v) < 2:
        return np.reshape(v, (1, -1))
    return v if rowvar else np.transpose(v)


def _as_given(bar: Any, v: Any, rowvar: Any) -> Any:
    if rank_of(v) < 2:
        return np.reshape(bar, np.shape(v))
    return bar if rowvar else np.transpose(bar)


@rule(np.corrcoef, order="x y? rowvar")
def corrcoef(g: Any, out: Any, x: Any, y: Any, rowvar: Any = True) -> Any:
    given: dict[str, Any] = {} if decided(rowvar) else {"rowvar": False}
    c = np.cov(x, **given) if y is None else np.cov(x, y, **given)
    if y is None and rank_of(x) < 2:
        return None, None  # of one variable with itself
    sizes = np.real(np.diagonal(c))
    deviations = np.sqrt(sizes)
    scaled = g / np.expand_dims(deviations, 1) / np.expand_dims(deviations, 0)
    both = np.real(np.conj(g) * out)
    n = np.shape(sizes)[0]
    eye = call(np.eye, n, dtype=dtype_of(type_of(sizes)))
    drop = (np.sum(both, axis=1) + np.sum(both, axis=0)) / (2.0 * sizes)
    bar = scaled - np.expand_dims(drop, 1) * eye
    return cov(bar, c, x, y, None, **given)[:2]


# ---- counted


@rule(np.bincount, order="x weights? minlength")
def bincount(g: Any, y: Any, x: Any, weights: Any, minlength: Any = 0) -> Any:
    return None, None if weights is None else g[x]


@rule(np.histogram, order="a bins range density weights?")
def histogram(
    g: Any,
    y: Any,
    a: Any,
    bins: Any,
    weights: Any,
    range: Any = None,
    density: Any = None,
) -> Any:
    edges_bar = g[1]
    if edges_bar is not None and shape_at(bins) == ():
        raise unsupported("the edges of `np.histogram`, as it finds them,", "give `bins` as edges")
    if weights is None or g[0] is None:
        return None, edges_bar, None
    if density:
        raise unsupported("`np.histogram` with density=True", "divide by the sum")
    places = call(runtime.bins_of, a, y[1])
    within = np.greater_equal(places, 0)
    return None, edges_bar, np.where(within, g[0][places], 0.0)


@rule(np.unique)
def unique(
    g: Any,
    y: Any,
    ar: Any,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    equal_nan: Any = True,
    sorted: Any = True,
) -> Any:
    if axis is not None or not decided(sorted):
        raise unsupported("`np.unique` along an axis, or with sorted=False", "leave it out")
    c = g[0] if return_index or return_inverse or return_counts else g
    if c is None:
        return None
    places = call(runtime.unique_places, ar)
    share = c / call(runtime.unique_counts, ar)
    return np.reshape(share[places], np.shape(ar))


constant(runtime.unique_places, runtime.unique_counts, runtime.bins_of)


# ---- types


@result(np.cov)
def _cov(m: Any, y: Any = None, rowvar: Any = True, *rest: Any, **more: Any) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (m, y) if v is not None]
    kind = dtype_after(_product, *kinds)
    s, t = shape_at(m), None if y is None else shape_at(y)
    if rest or "dtype" in more or s is None or (y is not None and t is None):
        return UNKNOWN
    if y is None:
        if len(s) < 2:
            return Array(kind, ())
        n = s[0] if decided(rowvar) else s[1]
        return Array(kind, (n, n)) if isinstance(n, int) and n > 1 or _plural(n) else UNKNOWN
    size = fresh(True)
    return Array(kind, (size, size))


def _plural(n: Any) -> bool:
    return bool(getattr(n, "plural", False))


def _product(*xs: Any) -> Any:
    return np.result_type(*xs, float).type(0)


@result(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: Any = True, *rest: Any, **more: Any) -> Type:
    return _cov(x, y, rowvar) if not rest and not more else UNKNOWN


@result(np.bincount)
def _counts(x: Any, weights: Any = None, minlength: Any = 0) -> Type:
    return Array(np.dtype(int if weights is None else float), (fresh(),))


@result(np.unique)
def _unique(ar: Any, *rest: Any, **more: Any) -> Type:
    one = Array(dtype_of(type_of(ar)), (fresh(),))
    if not rest and not more:
        return one
    flags = dict(zip(("return_index", "return_inverse", "return_counts"), rest, strict=False))
    flags |= {k: v for k, v in more.items() if k.startswith("return")}
    if len(rest) > 3 or "axis" in more or any(isinstance(v, Value) for v in flags.values()):
        return UNKNOWN
    asked = sum(map(bool, flags.values()))
    place = Array(np.dtype(np.intp), None)
    return Tuple((one, *(place,) * asked)) if asked else one


@result(np.histogram)
def _histogram(
    a: Any,
    bins: Any = 10,
    range: Any = None,
    density: Any = None,
    weights: Any = None,
) -> Type:
    kind = np.dtype(int) if weights is None else dtype_of(type_of(weights))
    known = density is None
    counts = Array(kind if known else None, (fresh(),))
    return Tuple((counts, Array(np.dtype(float), (fresh(),))))


@result(runtime.unique_places, runtime.bins_of)
def _places(a: Any, *edges: Any) -> Type:
    return Array(np.dtype(np.intp), shape_at(a))


@result(runtime.unique_counts)
def _unique_counts(a: Any) -> Type:
    kind = dtype_of(type_of(a))
    real = None if kind is None or kind.kind not in "fc" else np.zeros(0, kind).real.dtype
    return Array(real, (fresh(),))
