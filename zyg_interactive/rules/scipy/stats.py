"""Densities, probabilities and quantiles of distributions, as methods of SciPy's objects.

A family is described by the derivatives of its logarithmic density in the standardised variable
(the score) and in its shapes; location and scale follow for all families alike (N. L. Johnson,
S. Kotz and N. Balakrishnan, Continuous Univariate Distributions and Discrete ones). Where a density
is zero its logarithm is a constant, and so has no derivative. The derivative of a probability in a
shape has a closed form in few families, and is refused in the others.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ir.core import Atom, Value, type_of
from ...ir.types import (
    UNKNOWN,
    Array,
    Const,
    List,
    Other,
    Scalar,
    Tuple,
    Type,
    broadcast,
    is_plural,
    shape_of,
)
from ..linalg import LA, _lower
from ..making import makes
from ..registry import (
    LOWERED,
    RULES,
    Rule,
    call,
    in_precision,
    rank_of,
    result,
    rule,
    shape_of_atom,
    unsupported,
)
from . import samples as samples  # its rules
from .linalg import _whole
from .signal import array
from .special import ROOT_2PI, _normal_density, ratio, sp

ST: Any = importlib.import_module("scipy.stats")
CONTINUOUS: Any = ST.rv_continuous
DISCRETE: Any = ST.rv_discrete

Partial = Callable[..., Any]


@dataclass(frozen=True)
class Family:
    """`score(z, *shapes)`, `shapes[i](z, *shapes)`: derivatives of the logarithmic density;
    `probability[i]`: that of the distribution function in a shape. `inside` is a place where the
    density is not zero.
    """

    score: Partial | None
    shapes: tuple[Partial | None, ...] = ()
    probability: tuple[Partial | None, ...] = ()
    inside: float = 0.5


FAMILIES: dict[type, Family] = {}


def _family(
    name: str, *partials: Any, probability: tuple[Any, ...] = (), inside: float = 0.5
) -> None:
    score, *shapes = partials
    FAMILIES[type(getattr(ST, name))] = Family(score, tuple(shapes), probability, inside)


_family("norm", lambda z: -z)
_family("cauchy", lambda z: -2.0 * z / (1.0 + z**2))
_family("laplace", lambda z: -np.sign(z))
_family("logistic", lambda z: -np.tanh(0.5 * z))
_family("gumbel_r", lambda z: np.exp(-z) - 1.0)
_family("gumbel_l", lambda z: 1.0 - np.exp(z))
_family("expon", lambda z: -np.ones_like(z))
_family("uniform", lambda z: np.zeros_like(z))
_family("rayleigh", lambda z: 1.0 / z - z)
_family("maxwell", lambda z: 2.0 / z - z)
_family("halfnorm", lambda z: -z)
_family("halfcauchy", lambda z: -2.0 * z / (1.0 + z**2))
_family(
    "t",
    lambda z, v: -(v + 1.0) * z / (v + z**2),
    lambda z, v: (
        0.5
        * (
            sp.psi(0.5 * (v + 1.0))
            - sp.psi(0.5 * v)
            - 1.0 / v
            - np.log1p(z**2 / v)
            + (v + 1.0) * z**2 / (v * (v + z**2))
        )
    ),
)
_family("gamma", lambda z, a: ratio(a - 1.0, z) - 1.0, lambda z, a: np.log(z) - sp.psi(a))
_family(
    "invgamma",
    lambda z, a: 1.0 / z**2 - (a + 1.0) / z,
    lambda z, a: -np.log(z) - sp.psi(a),
)
_family(
    "chi2",
    lambda z, v: ratio(0.5 * v - 1.0, z) - 0.5,
    lambda z, v: 0.5 * (np.log(0.5 * z) - sp.psi(0.5 * v)),
)
_family(
    "beta",
    lambda z, a, b: ratio(a - 1.0, z) - ratio(b - 1.0, 1.0 - z),
    lambda z, a, b: np.log(z) - sp.psi(a) + sp.psi(a + b),
    lambda z, a, b: np.log1p(-z) - sp.psi(b) + sp.psi(a + b),
)
_family(
    "f",
    lambda z, n, m: ratio(0.5 * n - 1.0, z) - 0.5 * (n + m) * n / (m + n * z),
    lambda z, n, m: (
        0.5
        * (
            np.log(n * z / (m + n * z))
            + 1.0
            - (n + m) * z / (m + n * z)
            - sp.psi(0.5 * n)
            + sp.psi(0.5 * (n + m))
        )
    ),
    lambda z, n, m: (
        0.5
        * (
            np.log(m / (m + n * z))
            + 1.0
            - (n + m) / (m + n * z)
            - sp.psi(0.5 * m)
            + sp.psi(0.5 * (n + m))
        )
    ),
)
_family(
    "lognorm",
    lambda z, s: -(1.0 + np.log(z) / s**2) / z,
    lambda z, s: np.log(z) ** 2 / s**3 - 1.0 / s,
    probability=(lambda z, s: -_normal_density(np.log(z) / s) * np.log(z) / s**2,),
)
_family(
    "weibull_min",
    lambda z, c: ratio(c - 1.0, z) - c * np.power(z, c - 1.0),
    lambda z, c: 1.0 / c + (1.0 - np.power(z, c)) * np.log(z),
    probability=(lambda z, c: np.exp(-np.power(z, c)) * sp.xlogy(np.power(z, c), z),),
)
_family(
    "pareto",
    lambda z, b: -(b + 1.0) / z,
    lambda z, b: 1.0 / b - np.log(z),
    probability=(lambda z, b: np.power(z, -b) * np.log(z),),
    inside=1.5,
)
_family(
    "powerlaw",
    lambda z, a: ratio(a - 1.0, z),
    lambda z, a: 1.0 / a + np.log(z),
    probability=(lambda z, a: sp.xlogy(np.power(z, a), z),),
)
_family(
    "invgauss",
    lambda z, mu: 0.5 / z**2 - 1.5 / z - 0.5 / mu**2,
    lambda z, mu: (z / mu - 1.0) / mu**2,
)
_family(
    "skewnorm",
    lambda z, a: a * _mills(a * z) - z,
    lambda z, a: z * _mills(a * z),
    inside=0.0,
)
_family("truncnorm", lambda z, a, b: -z, None, None)
_family(
    "vonmises",
    lambda z, kappa: -kappa * np.sin(z),
    lambda z, kappa: np.cos(z) - sp.i1e(kappa) / sp.i0e(kappa),
)

# Of counts: in the parameters alone.
_family(
    "poisson",
    None,
    lambda k, mu: ratio(k, mu) - 1.0,
    probability=(lambda k, mu: -np.exp(sp.xlogy(k, mu) - mu - sp.gammaln(k + 1.0)),),
    inside=1.0,
)
_family(
    "binom",
    None,
    None,
    lambda k, n, p: ratio(k, p) - ratio(n - k, 1.0 - p),
    probability=(
        None,
        lambda k, n, p: (
            -np.exp(sp.xlogy(k, p) + sp.xlog1py(n - k - 1.0, -p) - sp.betaln(k + 1.0, n - k))
        ),
    ),
    inside=0.0,
)
_family(
    "bernoulli",
    None,
    lambda k, p: ratio(k, p) - ratio(1.0 - k, 1.0 - p),
    probability=(lambda k, p: k - 1.0,),
    inside=0.0,
)
_family(
    "geom",
    None,
    lambda k, p: 1.0 / p - ratio(k - 1.0, 1.0 - p),
    probability=(lambda k, p: k * np.exp(sp.xlog1py(k - 1.0, -p)),),
    inside=1.0,
)
_family(
    "nbinom",
    None,
    lambda k, n, p: sp.psi(k + n) - sp.psi(n) + np.log(p),
    lambda k, n, p: n / p - ratio(k, 1.0 - p),
    probability=(
        None,
        lambda k, n, p: np.exp(sp.xlogy(n - 1.0, p) + sp.xlog1py(k, -p) - sp.betaln(n, k + 1.0)),
    ),
    inside=1.0,
)


def _mills(x: Any) -> Any:
    """The derivative of the logarithm of the normal distribution function."""
    return np.exp(-0.5 * x**2 - sp.log_ndtr(x)) / ROOT_2PI


# ---- binding: shapes, location and scale, by position or by name


def _class_of(dist: Atom) -> Any:
    if not isinstance(dist, Value):
        return type(dist)
    t = type_of(dist)
    return t.cls if isinstance(t, Other) else type(t.value) if isinstance(t, Const) else None


def _names(dist: Atom) -> list[str]:
    """The names of the parameters of a distribution."""
    cls = _class_of(dist)
    if cls not in FAMILIES:
        raise LookupError(f"the distribution {getattr(dist, 'name', cls)}")
    return _parameters(next(d for d in vars(ST).values() if type(d) is cls))


def _parameters(dist: Any) -> list[str]:
    shapes = dist.shapes.split(", ") if dist.shapes else []
    return [*shapes, "loc", *(["scale"] if isinstance(dist, CONTINUOUS) else [])]


class OfDistribution(Rule):
    """The data of a call are the object, the place, and all parameters, None where one is left
    out.
    """

    def bind(
        self, args: tuple[Atom, ...], kwargs: dict[str, Atom]
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        dist, *given = args
        names = [self.data[0], *_names(dist)]
        if len(given) > len(names):
            raise LookupError(f"positional argument {len(names) + 1}")
        found = dict(zip(names, given, strict=False))
        for k, v in kwargs.items():
            if k in found or k not in names:
                raise LookupError(f"{k}=")
            found[k] = v
        if names[0] not in found:
            raise LookupError(f"a missing `{names[0]}`")
        return (dist, *(found.get(n) for n in names)), {}


def _of_distribution(fn: Any, first: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(pullback: Callable[..., Any]) -> Callable[..., Any]:
        def whole(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
            given = (x, *parameters)
            plain = [array(v) for v in given]
            bars = pullback(g, y, dist, *plain)
            bars = tuple(
                unsupported("a list of numbers", "make it an array")
                if isinstance(type_of(v), List | Tuple)
                else None
                if v is None
                else in_precision(c, v)
                for c, v in zip(bars, given, strict=True)
            )
            return (None, *bars)

        RULES[fn] = OfDistribution(fn, whole, (first,), variadic=True, broadcasts=True)
        return pullback

    return register


def _standard(
    dist: Any, x: Any, parameters: tuple[Any, ...]
) -> tuple[Family, Any, tuple[Any, ...], Any, Any]:
    """The family, the standardised place, the shapes, location and scale."""
    family = FAMILIES[_class_of(dist)]
    *shapes, loc, scale = parameters
    z = x if loc is None else x - loc
    z = z if scale is None else z / scale
    return family, z * 1.0, tuple(shapes), loc, scale


def _in_shape(i: int) -> Any:
    return unsupported(f"a distribution in its shape {i + 1}", "keep that one constant")


# ---- continuous distributions


def _log_density(
    g: Any, there: Any, dist: Any, x: Any, parameters: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The cotangents from that of the logarithmic density; `there`: where that is not constant."""
    family, z, shapes, loc, scale = _standard(dist, x, parameters)
    z = np.where(there, z, family.inside)
    g = np.where(there, g, 0.0)
    assert family.score is not None
    score = family.score(z, *shapes)
    size = 1.0 if scale is None else scale
    c = g * score / size
    of_shapes = (
        _in_shape(i) if d is None else g * d(z, *shapes) for i, d in enumerate(family.shapes)
    )
    of_scale = None if scale is None else -g * (z * score + 1.0) / size
    return (c, *of_shapes, None if loc is None else -c, of_scale)


@_of_distribution(CONTINUOUS.logpdf, "x")
def logpdf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    return _log_density(g, np.not_equal(y, -np.inf), dist, x, parameters)


@_of_distribution(CONTINUOUS.pdf, "x")
def pdf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    return _log_density(g * y, np.not_equal(y, 0.0), dist, x, parameters)


def _arguments(dist: Any, x: Any, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    *shapes, loc, scale = parameters
    return (dist, x, *shapes, 0.0 if loc is None else loc, 1.0 if scale is None else scale)


def _probability(
    g: Any, density: Any, factor: Any, dist: Any, x: Any, parameters: tuple[Any, ...]
) -> tuple[Any, ...]:
    """The cotangents from that of the distribution function; `density` is in `x`, times `factor`,
    which the rest has to be multiplied with.
    """
    family, z, shapes, loc, scale = _standard(dist, x, parameters)
    c = g * density
    there = np.not_equal(density, 0.0)
    safe = np.where(there, z, family.inside)
    partials = family.probability or (None,) * len(shapes)
    of_shapes = (
        _in_shape(i) if d is None else g * np.where(there, factor * d(safe, *shapes), 0.0)
        for i, d in enumerate(partials)
    )
    z = np.where(there, z, 0.0)  # it may be infinite
    return (c, *of_shapes, None if loc is None else -c, None if scale is None else -c * z)


def _over(density: Any, y: Any) -> tuple[Any, Any]:
    """From logarithms: a density over a probability, and one over the probability; 0 where that is
    0.
    """
    none = np.equal(y, -np.inf)
    safe = np.where(none, 0.0, y)
    return np.where(none, 0.0, np.exp(density - safe)), np.where(none, 0.0, np.exp(-safe))


@_of_distribution(CONTINUOUS.cdf, "x")
def cdf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    density = call(CONTINUOUS.pdf, *_arguments(dist, x, parameters))
    return _probability(g, density, 1.0, dist, x, parameters)


@_of_distribution(CONTINUOUS.sf, "x")
def sf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    return cdf(-g, y, dist, x, *parameters)


@_of_distribution(CONTINUOUS.logcdf, "x")
def logcdf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    density = call(CONTINUOUS.logpdf, *_arguments(dist, x, parameters))
    return _probability(g, *_over(density, y), dist, x, parameters)


@_of_distribution(CONTINUOUS.logsf, "x")
def logsf(g: Any, y: Any, dist: Any, x: Any, *parameters: Any) -> Any:
    return logcdf(-g, y, dist, x, *parameters)


def _quantile(g: Any, y: Any, dist: Any, q: Any, parameters: tuple[Any, ...]) -> Any:
    *shapes, loc, scale = parameters
    density = call(CONTINUOUS.pdf, *_arguments(dist, y, parameters))
    z = y if loc is None else y - loc
    of_scale = None if scale is None else g * z / scale
    return (np.divide(g, density), *map(_in_shape, range(len(shapes))), g, of_scale)


@_of_distribution(CONTINUOUS.ppf, "q")
def ppf(g: Any, y: Any, dist: Any, q: Any, *parameters: Any) -> Any:
    return _quantile(g, y, dist, q, parameters)


@_of_distribution(CONTINUOUS.isf, "q")
def isf(g: Any, y: Any, dist: Any, q: Any, *parameters: Any) -> Any:
    of_q, *rest = _quantile(g, y, dist, q, parameters)
    return (-of_q, *rest)


# ---- discrete distributions


def _count(what: str) -> Any:
    return unsupported(f"a discrete distribution in its {what}", "keep that one constant")


def _masses(
    g: Any, there: Any, dist: Any, k: Any, parameters: tuple[Any, ...], of: str
) -> tuple[Any, ...]:
    family = FAMILIES[_class_of(dist)]
    *shapes, loc = parameters
    k = k if loc is None else k - loc
    k = np.where(there, np.floor(k * 1.0), family.inside)
    g = np.where(there, g, 0.0)
    partials = family.shapes if of == "density" else family.probability
    bars = (_in_shape(i) if d is None else g * d(k, *shapes) for i, d in enumerate(partials))
    return (_count("count"), *bars, _count("location"))


@_of_distribution(DISCRETE.logpmf, "k")
def logpmf(g: Any, y: Any, dist: Any, k: Any, *parameters: Any) -> Any:
    return _masses(g, np.not_equal(y, -np.inf), dist, k, parameters, "density")


@_of_distribution(DISCRETE.pmf, "k")
def pmf(g: Any, y: Any, dist: Any, k: Any, *parameters: Any) -> Any:
    return _masses(g * y, np.not_equal(y, 0.0), dist, k, parameters, "density")


def _mass_rule(fn: Any, sign: float, logarithm: bool) -> None:
    @_of_distribution(fn, "k")
    def probability(g: Any, y: Any, dist: Any, k: Any, *parameters: Any) -> Any:
        low, high = (-np.inf, 0.0) if logarithm else (0.0, 1.0)
        # Below the support or above it the function is constant.
        there = np.logical_and(np.not_equal(y, low), np.not_equal(y, high))
        weight = sign * np.exp(-np.where(there, y, 0.0)) if logarithm else sign
        return _masses(g * weight, there, dist, k, parameters, "probability")


_mass_rule(DISCRETE.cdf, 1.0, False)
_mass_rule(DISCRETE.sf, -1.0, False)
_mass_rule(DISCRETE.logcdf, 1.0, True)
_mass_rule(DISCRETE.logsf, -1.0, True)


# ---- the multivariate normal distribution

MULTIVARIATE: Any = type(ST.multivariate_normal)


def _multivariate(g: Any, x: Any, mean: Any, cov: Any) -> tuple[Any, ...]:
    """SciPy reads the lower triangle of the covariance."""
    rank = rank_of(x)
    if rank not in (1, 2) or cov is None or rank_of(cov) != 2:
        raise unsupported(
            "`multivariate_normal` of other than points or rows of points, and a covariance matrix"
        )
    if mean is not None and rank_of(mean) != 1:
        raise unsupported("`multivariate_normal` with a mean that is no vector")
    inverse = LA.inv(_whole(cov, True))
    v = (x if mean is None else x - mean) @ inverse
    if rank == 1:
        x_bar = -g * v
        squares = g * (np.expand_dims(v, -1) * v)
        return x_bar, -x_bar, _lower(0.5 * (squares - g * inverse))
    g = np.reshape(g, np.shape(x)[:1])  # a single row has no axis in the result
    x_bar = -np.expand_dims(g, -1) * v
    squares = -np.transpose(v) @ x_bar
    return x_bar, -np.sum(x_bar, axis=0), _lower(0.5 * (squares - np.sum(g) * inverse))


@rule(MULTIVARIATE.logpdf, order="self x mean? cov? allow_singular")
def multivariate_logpdf(g: Any, y: Any, self: Any, x: Any, mean: Any, cov: Any) -> Any:
    bars = _multivariate(g, x, mean, cov)
    return (None, *map(_precise, bars, (x, mean, cov)))


@rule(MULTIVARIATE.pdf, order="self x mean? cov? allow_singular")
def multivariate_pdf(g: Any, y: Any, self: Any, x: Any, mean: Any, cov: Any) -> Any:
    return multivariate_logpdf(g * y, y, self, x, mean, cov)


def _precise(c: Any, x: Any) -> Any:
    return None if x is None else in_precision(c, x)


# ---- frozen distributions: a method of one is that of the distribution, with the parameters

FROZEN = {
    CONTINUOUS: type(ST.norm()),
    DISCRETE: type(ST.poisson(1)),
}


def _freezes(dist: Any) -> None:
    cls = FROZEN[CONTINUOUS if isinstance(dist, CONTINUOUS) else DISCRETE]
    makes(dist, "a frozen distribution, but for its densities and probabilities,")
    result(dist)(lambda *args, **kwargs: Other(cls))


def _parts(frozen: Any, lowering: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]] | None:
    """The distribution and the parameters of a frozen one, where they can be told."""
    if not isinstance(frozen, Value):
        return frozen.dist, frozen.args, frozen.kwds
    op = frozen.op
    if op is None or not isinstance(op.fn, CONTINUOUS | DISCRETE):
        return None
    given = (*op.args, *op.static.values())
    if lowering.heap is not None and any(isinstance(type_of(a), Array) for a in given):
        return None  # the arrays may have been changed since
    return op.fn, op.args, op.static


def _thaws(cls: Any, name: str) -> None:
    frozen_method = getattr(cls, name)

    def lowered(lowering: Any, args: Any, kwargs: dict[str, Atom], node: Any) -> Atom:
        parts = _parts(args[0], lowering)
        if parts is None:
            return lowering._known(frozen_method, args, kwargs, node, None)
        dist, given, named = parts
        every = {**dict(zip(_parameters(dist), given, strict=False)), **named, **kwargs}
        return lowering.call(getattr(type(dist), name), (dist, *args[1:]), every, node)

    LOWERED[frozen_method] = lowered


for _dist in vars(ST).values():
    if isinstance(_dist, CONTINUOUS | DISCRETE):
        _freezes(_dist)
for _name in "pdf logpdf cdf logcdf sf logsf ppf isf".split():
    _thaws(FROZEN[CONTINUOUS], _name)
for _name in "pmf logpmf cdf logcdf sf logsf".split():
    _thaws(FROZEN[DISCRETE], _name)

# ---- types


@result(
    *(getattr(CONTINUOUS, n) for n in "pdf logpdf cdf logcdf sf logsf ppf isf".split()),
    *(getattr(DISCRETE, n) for n in "pmf logpmf cdf logcdf sf logsf".split()),
)
def _elementwise(dist: Any, *args: Any, **named: Any) -> Type:
    given = (*args, *named.values())
    if not all(isinstance(type_of(a), Scalar | Array) for a in given):
        return UNKNOWN
    return Array(np.dtype(float), broadcast(*(shape_of(type_of(a)) for a in given)))


@result(MULTIVARIATE.logpdf, MULTIVARIATE.pdf)
def _points(dist: Any, x: Any, *rest: Any, **named: Any) -> Type:
    """Axes of one point are left out of the result."""
    shape = shape_of_atom(x)
    known = shape is not None and all(is_plural(s) or s != 1 for s in shape)
    return Array(np.dtype(float), shape[:-1] if known and shape is not None else None)
