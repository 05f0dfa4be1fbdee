"""Statistics of samples: means of several kinds, moments and what is made of them, entropies,
correlations.

`z` are the deviations from the mean in standard deviations throughout; the derivatives of moments
follow from those of the deviations, which sum to zero (M. G. Kendall and A. Stuart, The Advanced
Theory of Statistics, volume 1, chapters 3 and 10). What is not a number, as the skewness of equal
numbers, has no derivative that is one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...ir.core import type_of
from ...ir.types import Array, Tuple, Type, broadcast
from ..reductions import count_of, restored
from ..registry import constant, in_precision, rank_of, result, unsupported
from ..sizes import decided, dtype_of, reduced, shape_at
from .keywords import real, rule_apart_from
from .special import in_power, ratio, sp

ST: Any = importlib.import_module("scipy.stats")

constant(ST.rankdata)

# ---- what all of them share


def statistic(fn: Any, order: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """As `rule`, for real samples; lists of numbers are made arrays."""
    return rule_apart_from("", fn, order=order, **options)


def _plain(nan_policy: Any, dtype: Any = None) -> None:
    if decided(nan_policy) != "propagate":
        raise unsupported(f"nan_policy={nan_policy!r}", "leave out what is not a number before")
    if dtype is not None:
        raise unsupported("a mean with dtype=", "convert the sample before")


def _sum(x: Any, axis: Any) -> Any:
    return np.sum(x, axis=axis, keepdims=True)


def _mean(x: Any, axis: Any) -> Any:
    return np.mean(x, axis=axis, keepdims=True)


def _safe(y: Any) -> Any:
    return np.where(np.equal(y, 0), 1.0, y)


def _same_rank(fn: Any, *xs: Any) -> None:
    if len({rank_of(x) for x in xs}) > 1:
        raise unsupported(f"`{fn.__name__}` of arrays of several ranks", "give them the same axes")


def _whole(x: Any, other: Any) -> Any:
    """A sample with the axes along which it is broadcast."""
    return x * np.ones_like(other)


# ---- means


def _weights(fn: Any, a: Any, weights: Any, axis: Any) -> tuple[Any, Any, Any]:
    """The sample, and the weights with their sum, one for each element."""
    a = real(fn, a)
    if weights is None:
        return a, 1.0, count_of(a, axis)
    _same_rank(fn, a, weights)
    weights = real(fn, weights)
    a, w = _whole(a, weights), _whole(weights, a)
    return a, w, _sum(w, axis)


def _mean_bars(c: Any, in_a: Any, in_w: Any, a: Any, weights: Any) -> tuple[Any, Any]:
    of_weights = None if weights is None else in_precision(c * in_w, weights)
    return in_precision(c * in_a, a), of_weights


@statistic(ST.gmean, "a axis dtype weights?", broadcasts=True)
def gmean(
    g: Any,
    y: Any,
    a: Any,
    weights: Any,
    axis: Any = 0,
    dtype: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """The mean of the logarithms is that of the mean."""
    _plain(nan_policy, dtype)
    axis = decided(axis)
    x, w, total = _weights(ST.gmean, a, weights, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    in_w = np.log(x) - np.log(y)
    return _mean_bars(np.divide(g * y, total), np.divide(w, x), in_w, a, weights)


@statistic(ST.hmean, "a axis dtype weights?", broadcasts=True)
def hmean(
    g: Any,
    y: Any,
    a: Any,
    weights: Any,
    axis: Any = 0,
    dtype: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """The mean of the reciprocals is that of the mean."""
    _plain(nan_policy, dtype)
    axis = decided(axis)
    x, w, total = _weights(ST.hmean, a, weights, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    share = np.divide(y, x)
    return _mean_bars(np.divide(g, total), w * share**2, y * (1.0 - share), a, weights)


@statistic(ST.pmean, "a p weights?", broadcasts=True)
def pmean(
    g: Any,
    y: Any,
    a: Any,
    weights: Any,
    p: Any,
    axis: Any = 0,
    dtype: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """The mean of the powers is that of the mean. Its derivative in a weight has a limit at p = 0,
    the logarithm.
    """
    _plain(nan_policy, dtype)
    axis = decided(axis)
    x, w, total = _weights(ST.pmean, a, weights, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    share = np.divide(x, y)
    in_w = y * sp.boxcox(share, p)
    in_a = w * np.power(share, p - 1.0)
    bars = _mean_bars(np.divide(g, total), in_a, in_w, a, weights)
    return (*bars, unsupported("`pmean` in its power", "keep it constant"))


@statistic(ST.tmean, "a limits inclusive axis")
def tmean(
    g: Any,
    y: Any,
    a: Any,
    limits: Any = None,
    inclusive: Any = (True, True),
    axis: Any = None,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """The mean of what is within limits."""
    _plain(nan_policy)
    axis = decided(axis)
    x = real(ST.tmean, a)
    low, high = (None, None) if limits is None else decided(limits)
    with_low, with_high = decided(inclusive)
    within = np.ones_like(x)
    if low is not None:
        within = within * (np.greater_equal if with_low else np.greater)(x, low)
    if high is not None:
        within = within * (np.less_equal if with_high else np.less)(x, high)
    c = restored(g, a, axis, decided(keepdims))
    return in_precision(np.divide(c, _sum(within, axis)) * within, a)


# ---- scores and moments


@statistic(ST.zmap, "scores compare axis ddof nan_policy", broadcasts=True)
def zmap(
    g: Any,
    y: Any,
    scores: Any,
    compare: Any,
    axis: Any = 0,
    ddof: Any = 0,
    nan_policy: Any = "propagate",
) -> Any:
    """`(scores - mean) / deviation`, of the mean and deviation of `compare`."""
    _plain(nan_policy)
    axis, ddof = decided(axis), decided(ddof)
    _same_rank(ST.zmap, scores, compare)
    x = real(ST.zmap, compare)
    n = count_of(x, axis)
    d = x - _mean(x, axis)
    free = n - ddof
    deviation = np.sqrt(np.divide(_sum(d * d, axis), free))
    c, y = g / deviation, real(ST.zmap, y)
    of_compare = -_sum(c, axis) / n - _sum(c * y, axis) / free * (d / deviation)
    return in_precision(c, scores), in_precision(of_compare, compare)


@statistic(ST.zscore, "a axis ddof nan_policy")
def zscore(
    g: Any, y: Any, a: Any, axis: Any = 0, ddof: Any = 0, nan_policy: Any = "propagate"
) -> Any:
    of_scores, of_compare = zmap(g, y, a, a, axis, ddof, nan_policy)
    return of_scores + of_compare


@statistic(ST.sem, "a axis ddof nan_policy")
def sem(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = 0,
    ddof: Any = 1,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """0 where the deviations are, as `np.std`."""
    _plain(nan_policy)
    axis, ddof = decided(axis), decided(ddof)
    x = real(ST.sem, a)
    n = count_of(x, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    return in_precision(g / (_safe(y) * n * (n - ddof)) * (x - _mean(x, axis)), a)


@statistic(ST.variation, "a axis nan_policy ddof")
def variation(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = 0,
    nan_policy: Any = "propagate",
    ddof: Any = 0,
    keepdims: Any = False,
) -> Any:
    _plain(nan_policy)
    axis, ddof = decided(axis), decided(ddof)
    x = real(ST.variation, a)
    n = count_of(x, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    middle = _mean(x, axis)
    share = (x - middle) / (_safe(y) * middle * (n - ddof))
    return in_precision(np.divide(g, middle) * (share - y / n), a)


@statistic(ST.moment, "a order axis nan_policy center?")
def moment(
    g: Any,
    y: Any,
    a: Any,
    center: Any,
    order: Any = 1,
    axis: Any = 0,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """Of the deviations `d`: `k (d**(k-1) - mean(d**(k-1))) / n`."""
    _plain(nan_policy)
    axis, k = decided(axis), decided(order)
    if not isinstance(k, int | float):
        raise unsupported("`moment` of several orders", "call it for each")
    if k == 0 or (k == 1 and center is None):
        return None, None
    x = real(ST.moment, a)
    c = restored(g, a, axis, decided(keepdims)) * (k / count_of(x, axis))
    if center is None:
        powers = _power(x - _mean(x, axis), k - 1)
        return in_precision(c * (powers - _mean(powers, axis)), a), None
    if rank_of(center) != 0:
        raise unsupported("`moment` about several centres", "subtract them before")
    bar = c * _power(x - center, k - 1)
    return in_precision(bar, a), -np.sum(bar)


def _power(d: Any, k: Any) -> Any:
    return np.ones_like(d) if k == 0 else np.power(d, k)


def _standardised(x: Any, axis: Any) -> tuple[Any, Any]:
    d = x - _mean(x, axis)
    deviation = np.sqrt(_mean(d * d, axis))
    return d / deviation, deviation


def _scale(g: Any, y: Any, n: Any, deviation: Any) -> Any:
    """What every deviation is multiplied with: NaN where the result is."""
    return np.where(np.isnan(y), np.nan, g) / (n * deviation)


@statistic(ST.skew, "a axis bias nan_policy")
def skew(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = 0,
    bias: Any = True,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    _plain(nan_policy)
    axis = decided(axis)
    x = real(ST.skew, a)
    n = count_of(x, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    z, deviation = _standardised(x, axis)
    c = 3.0 * _scale(g, y, n, deviation)
    if not decided(bias):
        c = c * np.where(np.greater(n, 2), np.sqrt(n * (n - 1.0)) / np.maximum(n - 2.0, 1.0), 1.0)
    squares = z * z
    return in_precision(c * (squares - 1.0 - _mean(squares * z, axis) * z), a)


@statistic(ST.kurtosis, "a axis fisher bias nan_policy")
def kurtosis(
    g: Any,
    y: Any,
    a: Any,
    axis: Any = 0,
    fisher: Any = True,
    bias: Any = True,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    _plain(nan_policy)
    axis = decided(axis)
    x = real(ST.kurtosis, a)
    n = count_of(x, axis)
    g, y = (restored(v, a, axis, decided(keepdims)) for v in (g, y))
    z, deviation = _standardised(x, axis)
    c = 4.0 * _scale(g, y, n, deviation)
    if not decided(bias):
        free = np.maximum((n - 2.0) * (n - 3.0), 1.0)
        c = c * np.where(np.greater(n, 3), (n * n - 1.0) / free, 1.0)
    cubes = z * z * z
    whole = _mean(cubes * z, axis) * z
    return in_precision(c * (cubes - _mean(cubes, axis) - whole), a)


# ---- entropies


@statistic(ST.entropy, "pk qk? base? axis", broadcasts=True)
def entropy(
    g: Any,
    y: Any,
    pk: Any,
    qk: Any,
    base: Any,
    axis: Any = 0,
    nan_policy: Any = "propagate",
    keepdims: Any = False,
) -> Any:
    """Of the shares p and q, to which the samples are divided first: the derivatives are
    `-log(p) - y` and, of the relative entropy, `log(p / q) - y` and `1 - p / q`.
    """
    _plain(nan_policy)
    axis = decided(axis)
    base_bar = None if base is None else -np.sum(g * y) / (base * np.log(base))
    g, y = (restored(v, pk, axis, decided(keepdims)) for v in (g, y))
    if base is not None:
        g, y = g / np.log(base), y * np.log(base)
    if qk is None:
        total = _sum(pk, axis)
        return in_precision(-g * (np.log(pk / total) + y) / total, pk), None, base_bar
    _same_rank(ST.entropy, pk, qk)
    a, b = _whole(pk, qk), _whole(qk, pk)
    totals = _sum(a, axis), _sum(b, axis)
    p, q = a / totals[0], b / totals[1]
    p_bar = g * (np.log(np.divide(p, q)) - y) / totals[0]
    q_bar = g * (1.0 - ratio(p, q)) / totals[1]
    return in_precision(p_bar, pk), in_precision(q_bar, qk), base_bar


# ---- correlations


class Correlation(NamedTuple):
    """What is differentiated of the result of `pearsonr`, and its cotangents."""

    statistic: Any
    pvalue: Any


@statistic(ST.pearsonr, "x y")
def pearsonr(
    g: Any,
    out: Any,
    x: Any,
    y: Any,
    alternative: Any = "two-sided",
    method: Any = None,
    axis: Any = 0,
) -> Any:
    """The inner product of the deviations, each divided by its length. The p-value is a probability
    of the coefficient's distribution among independent normal samples.
    """
    if rank_of(x) != 1 or rank_of(y) != 1:
        raise unsupported("`pearsonr` of other than two vectors")
    c = g[0]
    if g[1] is not None:
        if decided(method) is not None:
            raise unsupported("the p-value of `pearsonr` with method=")
        density = _density(out[0], count_of(x, None))
        sides = {"two-sided": -2.0 * np.sign(out[0]), "less": 1.0, "greater": -1.0}
        of_p = g[1] * density * sides[decided(alternative)]
        c = of_p if c is None else c + of_p
    if c is None:
        return None, None
    units, lengths = zip(*(_direction(v) for v in (x, y)), strict=True)
    bars = (
        c / length * (other - out[0] * unit)
        for unit, other, length in zip(units, units[::-1], lengths, strict=True)
    )
    return tuple(map(in_precision, bars, (x, y)))


def _density(r: Any, n: Any) -> Any:
    """Of the coefficient of `n` independent pairs, `(1 - r**2)**(n/2 - 2) / B(1/2, n/2 - 1)`; of
    two it is 1 or -1.
    """
    half = 0.5 * np.maximum(n, 3)
    inside = np.exp(sp.xlog1py(half - 2.0, -r * r) - sp.betaln(0.5, half - 1.0))
    return np.where(np.greater(n, 2), inside, 0.0)


def _direction(x: Any) -> tuple[Any, Any]:
    d = x - np.mean(x)
    length = np.sqrt(np.sum(d * d))
    return d / length, length


# ---- transformations


@statistic(ST.boxcox, "x lmbda? alpha optimizer", broadcasts=True)
def boxcox(g: Any, y: Any, x: Any, lmbda: Any, alpha: Any = None, optimizer: Any = None) -> Any:
    if lmbda is None:
        raise unsupported("`boxcox` that finds `lmbda` itself", "give it `lmbda=`")
    in_x = np.power(x, lmbda - 1.0)
    return in_precision(g * in_x, x), in_precision(g * in_power(y, x, lmbda), lmbda)


# ---- types


def _kind(*xs: Any) -> Any:
    """Double precision where all is; SciPy's releases differ in the others."""
    kinds = {dtype_of(type_of(x)) for x in xs if x is not None}
    return np.dtype(float) if kinds == {np.dtype(float)} else None


def _reduces(fn: Any, order: str, along: Any = 0) -> None:
    names = order.split()

    @result(fn)
    def type_after(*args: Any, **how: Any) -> Type:
        given = dict(zip(names, args, strict=False)) | how
        samples = [given[n] for n in (names[0], "qk", "weights") if given.get(n) is not None]
        shapes = [shape_at(x) for x in samples]
        known = None not in shapes and len({len(s) for s in shapes if s is not None}) == 1
        whole = broadcast(*shapes) if known else None
        axis, keepdims = given.get("axis", along), given.get("keepdims", False)
        several = fn is ST.moment and shape_at(given.get("order", 1)) != ()
        return Array(_kind(*samples), None if several else reduced(whole, axis, keepdims))


for _fn in (ST.gmean, ST.hmean, ST.sem, ST.variation, ST.skew, ST.kurtosis):
    _reduces(_fn, "a axis")
_reduces(ST.pmean, "a p")
_reduces(ST.moment, "a order axis")
_reduces(ST.tmean, "a limits inclusive axis", None)
_reduces(ST.entropy, "pk qk base axis")


@result(ST.zscore)
def _scores(a: Any, *rest: Any, **how: Any) -> Type:
    return Array(_kind(a), shape_at(a))


@result(ST.zmap)
def _mapped(scores: Any, compare: Any, *rest: Any, **how: Any) -> Type:
    return Array(_kind(scores, compare), None)


@result(ST.boxcox)
def _transformed(x: Any, lmbda: Any = None, *rest: Any, **how: Any) -> Type:
    return Array(_kind(x, lmbda), shape_at(x))


@result(ST.pearsonr)
def _correlated(x: Any, y: Any, **how: Any) -> Type:
    ranks = {None if s is None else len(s) for s in map(shape_at, (x, y))}
    one = Array(_kind(x, y), () if ranks == {1} else None)
    return Tuple((one, Array(None, one.shape)), Correlation)
