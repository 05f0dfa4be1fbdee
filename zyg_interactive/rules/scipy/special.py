"""Special functions.

Derivatives are those of the NIST Digital Library of Mathematical Functions (DLMF), the chapter
named with each group. None stands for a derivative that has no closed form, mostly that in an order
or a parameter: it is refused where that argument is active. Where the obvious derivative loses
digits (near a removable singularity), another special function stands for it that does not.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from ...ir.core import Value, known_int, type_of
from ...ir.types import UNKNOWN, Array, Scalar, Tuple, Type, broadcast, is_complex, shape_of
from ..registry import (
    axes_of,
    call,
    conj,
    constant,
    elementwise_rule,
    in_argument,
    in_precision,
    rank_of,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of, reduced, shape_at
from .keywords import rule_apart_from

sp: Any = importlib.import_module("scipy.special")

ROOT_PI = math.sqrt(math.pi)
ROOT_2PI = math.sqrt(2.0 * math.pi)
DEGREE = math.pi / 180.0

constant(sp.gammasgn, sp.round)


def _real(fn: Any, x: Any) -> None:
    """Refuse complex numbers, for which the function is not holomorphic or its derivative not at
    hand.
    """
    if is_complex(type_of(x)) is not False:
        raise unsupported(f"`{fn.__name__}` of complex numbers")


def real_rule(fn: Any, *partials: Any) -> None:
    """As `elementwise_rule`, for real arguments alone."""

    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, *xs: Any) -> Any:
        _real(fn, xs[-1])
        return tuple(
            in_argument(fn, i) if d is None else in_precision(g * d(y, *xs), xs[i])
            for i, d in enumerate(partials)
        )


# ---- gamma and relatives (DLMF 5, 8)

elementwise_rule(sp.gamma, lambda y, x: y * sp.psi(x))
elementwise_rule(sp.gammaln, lambda y, x: sp.psi(x))
elementwise_rule(sp.loggamma, lambda y, x: sp.psi(x))
real_rule(sp.psi, lambda y, x: call(sp.zeta, 2.0, x))
elementwise_rule(sp.polygamma, None, lambda y, n, x: call(sp.polygamma, n + 1, x))
elementwise_rule(
    sp.beta,
    lambda y, a, b: y * (sp.psi(a) - sp.psi(a + b)),
    lambda y, a, b: y * (sp.psi(b) - sp.psi(a + b)),
)
elementwise_rule(
    sp.betaln,
    lambda y, a, b: sp.psi(a) - sp.psi(a + b),
    lambda y, a, b: sp.psi(b) - sp.psi(a + b),
)
elementwise_rule(
    sp.poch,
    lambda y, z, m: y * (sp.psi(z + m) - sp.psi(z)),
    lambda y, z, m: y * sp.psi(z + m),
)
elementwise_rule(
    sp.binom,
    lambda y, n, k: y * (sp.psi(n + 1.0) - sp.psi(n - k + 1.0)),
    lambda y, n, k: y * (sp.psi(n - k + 1.0) - sp.psi(k + 1.0)),
)


@rule(sp.rgamma)
def rgamma(g: Any, y: Any, x: Any) -> Any:
    """At the poles of the gamma function, where it is zero, `(-1)**n n!` (DLMF 5.7.1)."""
    if is_complex(type_of(x)) is not False:
        return g * conj(-y * sp.psi(x))
    pole = np.logical_and(np.equal(y, 0), np.less(x, 1))
    whole = np.where(pole, x, 0.0)
    at_pole = np.cos(np.pi * whole) * sp.gamma(1.0 - whole)
    return g * np.where(pole, at_pole, -y * sp.psi(np.where(pole, 1.0, x)))


@rule(sp.zeta, order="x q? out", broadcasts=True)
def zeta(g: Any, y: Any, x: Any, q: Any) -> Any:
    of_q = None if q is None else g * (-x * call(sp.zeta, x + 1, q))
    return in_argument(sp.zeta, 0), of_q


@rule(sp.multigammaln)
def multigammaln(g: Any, y: Any, a: Any, d: Any) -> Any:
    n = known_int(d, "the dimension of `multigammaln`")
    return in_precision(g * sum(sp.psi(a - 0.5 * j) for j in range(n)), a), None


@rule(sp.comb, order="N k", broadcasts=True)
def comb(g: Any, y: Any, N: Any, k: Any, exact: Any = False, repetition: Any = False) -> Any:
    if exact:
        raise unsupported("`comb` with exact=True")
    if repetition:
        raise unsupported("`comb` with repetition=True")
    n, chosen, none = _counts(N, k)
    low = sp.psi(n - chosen + 1.0)
    of_n, of_k = y * (sp.psi(n + 1.0) - low), y * (low - sp.psi(chosen + 1.0))
    bars = g * np.where(none, 0.0, of_n), g * np.where(none, 0.0, of_k)
    return tuple(map(in_precision, bars, (N, k)))


@rule(sp.perm, order="N k", broadcasts=True)
def perm(g: Any, y: Any, N: Any, k: Any, exact: Any = False) -> Any:
    if exact:
        raise unsupported("`perm` with exact=True")
    n, chosen, none = _counts(N, k)
    low = sp.psi(n - chosen + 1.0)
    of_n, of_k = y * (sp.psi(n + 1.0) - low), y * low
    bars = g * np.where(none, 0.0, of_n), g * np.where(none, 0.0, of_k)
    return tuple(map(in_precision, bars, (N, k)))


def _counts(n: Any, k: Any) -> tuple[Any, Any, Any]:
    """How many of how many, and where there is no way to choose them: the function is zero there,
    and the counts returned are others.
    """
    none = np.logical_or(np.greater(k, n), np.logical_or(np.less(n, 0), np.less(k, 0)))
    return np.where(none, 1.0, n), np.where(none, 1.0, k), none


@rule(sp.factorial)
def factorial(g: Any, y: Any, n: Any, exact: Any = False, extend: Any = "zero") -> Any:
    if exact or extend != "zero":
        raise unsupported("`factorial` with exact=True or extend='complex'")
    none = np.less(n, 0)
    c = g * np.where(none, 0.0, y * sp.psi(np.where(none, 0.0, n) + 1.0))
    return in_precision(c, n)


# Incomplete gamma and beta functions: in the last argument, densities.


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(sp.xlogy(a - 1.0, x) - x - sp.gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(sp.xlogy(a - 1.0, x) + sp.xlog1py(b - 1.0, -x) - sp.betaln(a, b))


elementwise_rule(sp.gammainc, None, lambda y, a, x: _gamma_density(a, x))
elementwise_rule(sp.gammaincc, None, lambda y, a, x: -_gamma_density(a, x))
elementwise_rule(sp.gammaincinv, None, lambda y, a, p: 1.0 / _gamma_density(a, y))
elementwise_rule(sp.gammainccinv, None, lambda y, a, p: -1.0 / _gamma_density(a, y))
elementwise_rule(sp.betainc, None, None, lambda y, a, b, x: _beta_density(a, b, x))
elementwise_rule(sp.betaincc, None, None, lambda y, a, b, x: -_beta_density(a, b, x))
elementwise_rule(sp.betaincinv, None, None, lambda y, a, b, p: 1.0 / _beta_density(a, b, y))
elementwise_rule(sp.betainccinv, None, None, lambda y, a, b, p: -1.0 / _beta_density(a, b, y))

# ---- distribution functions of statistics


def _normal_density(x: Any) -> Any:
    return np.exp(-0.5 * x**2) / ROOT_2PI


elementwise_rule(sp.ndtr, lambda y, x: _normal_density(x))
elementwise_rule(sp.ndtri, lambda y, p: ROOT_2PI * np.exp(0.5 * y**2))
elementwise_rule(sp.ndtri_exp, lambda y, p: ROOT_2PI * np.exp(0.5 * y**2 + p))
elementwise_rule(sp.chdtr, None, lambda y, v, x: 0.5 * _gamma_density(0.5 * v, 0.5 * x))
elementwise_rule(sp.chdtrc, None, lambda y, v, x: -0.5 * _gamma_density(0.5 * v, 0.5 * x))
elementwise_rule(sp.pdtr, None, lambda y, k, m: -_gamma_density(np.floor(k) + 1.0, m))
elementwise_rule(sp.pdtrc, None, lambda y, k, m: _gamma_density(np.floor(k) + 1.0, m))


@rule(sp.log_ndtr)
def log_ndtr(g: Any, y: Any, x: Any) -> Any:
    """The inverse Mills ratio; far to the left `erfcx` gives it without cancellation (DLMF 7.8)."""
    ratio = np.exp(-0.5 * x**2 - y) / ROOT_2PI
    if is_complex(type_of(x)) is not False:
        return g * conj(ratio)
    left = np.less(x, -2.0)
    tail = math.sqrt(2.0 / math.pi) / sp.erfcx(np.where(left, x, -2.0) * -math.sqrt(0.5))
    return g * np.where(left, tail, ratio)


def _student(t: Any, v: Any) -> Any:
    tail = sp.xlog1py(0.5 * (v + 1.0), t**2 / v)
    return np.exp(-tail - 0.5 * np.log(v) - sp.betaln(0.5, 0.5 * v))


elementwise_rule(sp.stdtr, None, lambda y, v, t: _student(t, v))
elementwise_rule(sp.stdtrit, None, lambda y, v, p: 1.0 / _student(y, v))

# ---- error functions (DLMF 7)

elementwise_rule(sp.erf, lambda y, x: 2.0 / ROOT_PI * np.exp(-(x**2)))
elementwise_rule(sp.erfc, lambda y, x: -2.0 / ROOT_PI * np.exp(-(x**2)))
elementwise_rule(sp.erfcx, lambda y, x: 2.0 * x * y - 2.0 / ROOT_PI)
elementwise_rule(sp.erfi, lambda y, x: 2.0 / ROOT_PI * np.exp(x**2))
elementwise_rule(sp.dawsn, lambda y, x: 1.0 - 2.0 * x * y)
elementwise_rule(sp.wofz, lambda y, x: 2j / ROOT_PI - 2.0 * x * y)
elementwise_rule(sp.erfinv, lambda y, x: 0.5 * ROOT_PI * np.exp(y**2))
elementwise_rule(sp.erfcinv, lambda y, x: -0.5 * ROOT_PI * np.exp(y**2))
elementwise_rule(
    sp.owens_t,
    lambda y, h, a: -0.5 / ROOT_2PI * np.exp(-0.5 * h**2) * sp.erf(math.sqrt(0.5) * a * h),
    lambda y, h, a: np.exp(-0.5 * h**2 * (1.0 + a**2)) / (2.0 * math.pi * (1.0 + a**2)),
)


@rule(sp.voigt_profile, broadcasts=True)
def voigt_profile(g: Any, y: Any, x: Any, sigma: Any, gamma: Any) -> Any:
    """The real part of `w(z)`, and its derivative by that of `w` (DLMF 7.10.2, 7.19)."""
    width = math.sqrt(2.0) * sigma
    z = (x + 1j * gamma) / width
    d = (2j / ROOT_PI - 2.0 * z * sp.wofz(z)) / (width * ROOT_2PI * sigma)
    of_sigma = y / sigma + math.sqrt(2.0) * np.real(d * z)
    return g * np.real(d), -g * of_sigma, -g * np.imag(d)


# ---- logistic functions, entropies and losses

elementwise_rule(sp.expit, lambda y, x: y * sp.expit(-x))
elementwise_rule(sp.logit, lambda y, p: np.divide(1.0, p * (1.0 - p)))
elementwise_rule(sp.log_expit, lambda y, x: sp.expit(-x))
elementwise_rule(sp.entr, lambda y, x: -np.log(x) - 1.0)
elementwise_rule(
    sp.rel_entr,
    lambda y, a, b: np.log(np.divide(a, b)) + 1.0,
    lambda y, a, b: -ratio(a, b),
)
elementwise_rule(
    sp.kl_div,
    lambda y, a, b: np.log(np.divide(a, b)),
    lambda y, a, b: 1.0 - ratio(a, b),
)
elementwise_rule(sp.xlogy, lambda y, a, b: np.log(b), lambda y, a, b: ratio(a, b))
elementwise_rule(sp.xlog1py, lambda y, a, b: np.log1p(b), lambda y, a, b: ratio(a, 1.0 + b))
elementwise_rule(
    sp.huber,
    lambda y, delta, r: np.maximum(np.absolute(r) - delta, 0.0),
    lambda y, delta, r: np.sign(r) * np.minimum(np.absolute(r), delta),
)


def ratio(a: Any, b: Any) -> Any:
    """`a / b`, and 0 where `a` is: the derivative of `a log b`, which is 0 there for each b."""
    none = np.equal(a, 0)
    return np.where(none, 0.0, np.divide(a, np.where(none, 1.0, b)))


if hasattr(sp, "softplus"):

    @rule(sp.softplus, order="x out")
    def softplus(g: Any, y: Any, x: Any) -> Any:
        return g * sp.expit(x)


@rule(sp.pseudo_huber, broadcasts=True)
def pseudo_huber(g: Any, y: Any, delta: Any, r: Any) -> Any:
    """`delta**2 (sqrt(1 + (r/delta)**2) - 1)`; it tends to `delta abs(r)` with delta."""
    flat = np.equal(delta, 0)
    u = r / np.where(flat, 1.0, delta)
    root = np.sqrt(1.0 + u**2)
    in_delta = delta * u**2 * (2.0 / (1.0 + root) - 1.0 / root)
    return (
        g * np.where(flat, np.absolute(r), in_delta),
        g * np.where(flat, 0.0, r / root),
    )


@rule_apart_from("", sp.logsumexp, order="a axis b? keepdims return_sign", broadcasts=True)
def logsumexp(
    g: Any,
    y: Any,
    a: Any,
    b: Any,
    axis: Any = None,
    keepdims: Any = False,
    return_sign: Any = False,
) -> Any:
    """The weights of the sum. Of nothing but `-inf` the weights are 0."""
    if return_sign:
        raise unsupported("`logsumexp` with return_sign=True")
    rank = rank_of(a) if b is None else max(rank_of(a), rank_of(b))
    axes = axes_of(decided(axis), rank)
    if not decided(keepdims) and len(axes) < rank:
        g, y = np.expand_dims(g, axes), np.expand_dims(y, axes)
    weights = np.exp(a - np.where(np.isfinite(y), y, 0.0))
    if b is None:
        return g * conj(weights), None
    return g * conj(b * weights), g * conj(weights)


@rule(sp.softmax)
def softmax(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    c = conj(y)
    return c * (g - np.sum(g * c, axis=axis, keepdims=True))


@rule(sp.log_softmax)
def log_softmax(g: Any, y: Any, x: Any, axis: Any = None) -> Any:
    return g - conj(np.exp(y)) * np.sum(g, axis=axis, keepdims=True)


# ---- powers and elementary functions

elementwise_rule(sp.cbrt, lambda y, x: np.divide(1.0, 3.0 * y**2))
elementwise_rule(sp.exp2, lambda y, x: y * math.log(2.0))
elementwise_rule(sp.exp10, lambda y, x: y * math.log(10.0))
elementwise_rule(sp.expm1, lambda y, x: y + 1.0)
elementwise_rule(sp.log1p, lambda y, x: np.divide(1.0, 1.0 + x))
elementwise_rule(sp.cosm1, lambda y, x: -np.sin(x))
elementwise_rule(sp.sindg, lambda y, x: DEGREE * sp.cosdg(x))
elementwise_rule(sp.cosdg, lambda y, x: -DEGREE * sp.sindg(x))
elementwise_rule(sp.tandg, lambda y, x: DEGREE * (1.0 + y**2))
elementwise_rule(sp.cotdg, lambda y, x: -DEGREE * (1.0 + y**2))
elementwise_rule(
    sp.radian,
    lambda y, d, m, s: DEGREE,
    lambda y, d, m, s: DEGREE / 60.0,
    lambda y, d, m, s: DEGREE / 3600.0,
)
elementwise_rule(
    sp.powm1,
    lambda y, x, p: p * np.power(x, p - 1.0),
    lambda y, x, p: (y + 1.0) * np.log(x),
)
# (exp(x) - 1) / x is Kummer's M(1, 2, x) (DLMF 13.6.2).
elementwise_rule(sp.exprel, lambda y, x: 0.5 * sp.hyp1f1(2.0, 3.0, x))


def in_power(y: Any, x: Any, p: Any) -> Any:
    """The derivative of `(x**p - 1) / p` in p: with `t = p log(x)` that of `log(x) exprel(t)`; at
    zero the power is a constant.
    """
    zero = np.equal(x, 0)
    log = np.log(np.where(zero, 1.0, x))
    return np.where(zero, y * y, 0.5 * log**2 * sp.hyp1f1(2.0, 3.0, p * log))


elementwise_rule(sp.boxcox, lambda y, x, p: np.power(x, p - 1.0), in_power)
elementwise_rule(
    sp.boxcox1p,
    lambda y, x, p: np.power(1.0 + x, p - 1.0),
    lambda y, x, p: in_power(y, 1.0 + x, p),
)
elementwise_rule(
    sp.inv_boxcox,
    lambda z, y, p: np.power(z, 1.0 - p),
    lambda z, y, p: -np.power(z, 1.0 - p) * in_power(y, z, p),
)
elementwise_rule(
    sp.inv_boxcox1p,
    lambda z, y, p: np.power(1.0 + z, 1.0 - p),
    lambda z, y, p: -np.power(1.0 + z, 1.0 - p) * in_power(y, 1.0 + z, p),
)

# ---- integrals and inverses of elementary functions (DLMF 4.13, 6, 25.12)

elementwise_rule(sp.exp1, lambda y, x: -np.exp(-x) / x)
elementwise_rule(sp.expi, lambda y, x: np.exp(x) / x)
elementwise_rule(sp.wrightomega, lambda y, x: y / (1.0 + y))


@rule(sp.expn, broadcasts=True)
def expn(g: Any, y: Any, n: Any, x: Any) -> Any:
    of_first = np.exp(-x) * (1.0 + x) / x**2
    if isinstance(n, int):
        c = sp.expn(n - 1, x) if n else of_first
    else:
        first = np.equal(n, 0)
        c = np.where(first, of_first, sp.expn(np.where(first, 1, n) - 1, x))
    return None if _is_integer(n) else in_argument(sp.expn, 0), in_precision(-g * c, x)


@rule(sp.spence)
def spence(g: Any, y: Any, x: Any) -> Any:
    """`log(x) / (1 - x)`, which is regular at 1."""
    if is_complex(type_of(x)) is not False:
        return g * conj(np.log(x) / (1.0 - x))
    return -g / sp.exprel(np.log(x))


@rule(sp.lambertw)
def lambertw(g: Any, y: Any, z: Any, k: Any = 0, tol: Any = 1e-8) -> Any:
    return in_precision(g * conj(np.exp(-y) / (1.0 + y)), z)


def _pair_rule(fn: Any, *partials: Any) -> None:
    """An elementwise function of one argument with several results."""

    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, x: Any) -> Any:
        bars = [None if g[i] is None else g[i] * conj(d(y, x)) for i, d in enumerate(partials)]
        given = [bar for bar in bars if bar is not None]
        return sum(given[1:], given[0]) if given else None

    @result(fn)
    def types(x: Any) -> Type:
        kind = dtype_of(type_of(x))
        if kind is None:
            return UNKNOWN
        made = fn(np.ones((), kind))
        shape = shape_of(type_of(x))
        return Tuple(tuple(Array(np.asarray(m).dtype, shape) for m in made))


def _sinhc(x: Any) -> Any:
    """`sinh(x) / x`, regular at 0."""
    if is_complex(type_of(x)) is not False:
        return np.sinc(1j * x / math.pi)
    return np.exp(-x) * sp.exprel(2.0 * x)


_pair_rule(sp.sici, lambda y, x: np.sinc(x / math.pi), lambda y, x: np.cos(x) / x)
_pair_rule(sp.shichi, lambda y, x: _sinhc(x), lambda y, x: np.cosh(x) / x)
_pair_rule(
    sp.fresnel,
    lambda y, x: np.sin(0.5 * math.pi * x**2),
    lambda y, x: np.cos(0.5 * math.pi * x**2),
)
_pair_rule(
    sp.airy,
    lambda y, x: y[1],
    lambda y, x: x * y[0],
    lambda y, x: y[3],
    lambda y, x: x * y[2],
)

# ---- Bessel functions (DLMF 10.6, 10.29, 10.51)

elementwise_rule(sp.j0, lambda y, x: -sp.j1(x))
elementwise_rule(sp.j1, lambda y, x: 0.5 * (sp.j0(x) - sp.jv(2, x)))
elementwise_rule(sp.y0, lambda y, x: -sp.y1(x))
elementwise_rule(sp.y1, lambda y, x: 0.5 * (sp.y0(x) - sp.yv(2, x)))
elementwise_rule(sp.i0, lambda y, x: sp.i1(x))
elementwise_rule(sp.i1, lambda y, x: 0.5 * (sp.i0(x) + sp.iv(2, x)))
elementwise_rule(sp.i0e, lambda y, x: sp.i1e(x) - np.sign(x) * y)
elementwise_rule(sp.i1e, lambda y, x: 0.5 * (sp.i0e(x) + sp.ive(2, x)) - np.sign(x) * y)
elementwise_rule(sp.k0, lambda y, x: -sp.k1(x))
elementwise_rule(sp.k1, lambda y, x: -0.5 * (sp.k0(x) + sp.kv(2, x)))
elementwise_rule(sp.k0e, lambda y, x: y - sp.k1e(x))
elementwise_rule(sp.k1e, lambda y, x: y - 0.5 * (sp.k0e(x) + sp.kve(2, x)))
for _fn in (sp.jv, sp.yv, sp.yn, sp.hankel1, sp.hankel2):
    elementwise_rule(_fn, None, lambda y, v, x, fn=_fn: 0.5 * (fn(v - 1, x) - fn(v + 1, x)))
elementwise_rule(sp.iv, None, lambda y, v, x: 0.5 * (sp.iv(v - 1, x) + sp.iv(v + 1, x)))
for _fn in (sp.kv, sp.kn):
    elementwise_rule(_fn, None, lambda y, v, x, fn=_fn: -0.5 * (fn(v - 1, x) + fn(v + 1, x)))
# The scaled ones. Those of the first three are real functions of |Im x| or |Re x|.
for _fn in (sp.jve, sp.yve):
    real_rule(_fn, None, lambda y, v, x, fn=_fn: 0.5 * (fn(v - 1, x) - fn(v + 1, x)))
real_rule(
    sp.ive, None, lambda y, v, x: 0.5 * (sp.ive(v - 1, x) + sp.ive(v + 1, x)) - np.sign(x) * y
)
elementwise_rule(sp.kve, None, lambda y, v, x: y - 0.5 * (sp.kve(v - 1, x) + sp.kve(v + 1, x)))
elementwise_rule(
    sp.hankel1e,
    None,
    lambda y, v, x: 0.5 * (sp.hankel1e(v - 1, x) - sp.hankel1e(v + 1, x)) - 1j * y,
)
elementwise_rule(
    sp.hankel2e,
    None,
    lambda y, v, x: 0.5 * (sp.hankel2e(v - 1, x) - sp.hankel2e(v + 1, x)) + 1j * y,
)


def _struve_rest(v: Any, x: Any) -> Any:
    return np.power(0.5 * x, v) * sp.rgamma(v + 1.5) / ROOT_PI


elementwise_rule(
    sp.struve,
    None,
    lambda y, v, x: 0.5 * (sp.struve(v - 1, x) - sp.struve(v + 1, x) + _struve_rest(v, x)),
)
elementwise_rule(
    sp.modstruve,
    None,
    lambda y, v, x: 0.5 * (sp.modstruve(v - 1, x) + sp.modstruve(v + 1, x) + _struve_rest(v, x)),
)


def _derivative_of_bessel(fn: Any) -> None:
    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, v: Any, z: Any, n: Any = 1) -> Any:
        return in_argument(fn, 0), in_precision(g * conj(call(fn, v, z, n + 1)), z)


_PRIMED = (sp.jvp, sp.yvp, sp.ivp, sp.kvp, sp.h1vp, sp.h2vp)
for _fn in _PRIMED:
    _derivative_of_bessel(_fn)


def _spherical(fn: Any, sign: float, at_zero: dict[int, float]) -> None:
    """`at_zero`: the second derivatives at zero, of the orders where they are not 0."""

    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, n: Any, z: Any, derivative: Any = False) -> Any:
        if not derivative:
            c = g * conj(call(fn, n, z, derivative=True))
            return in_argument(fn, 0), in_precision(c, z)
        # The differential equation (DLMF 10.47.1, 10.47.2).
        order = known_int(n, "the order of a spherical Bessel function")
        zero = np.equal(z, 0)
        x = np.where(zero, 1.0, z)
        d = (sign + order * (order + 1) / x**2) * call(fn, order, x) - 2.0 / x * y
        c = g * conj(np.where(zero, at_zero.get(order, 0.0), d))
        return in_argument(fn, 0), in_precision(c, z)


_spherical(sp.spherical_jn, -1.0, {0: -1 / 3, 2: 2 / 15})
_spherical(sp.spherical_in, 1.0, {0: 1 / 3, 2: 2 / 15})
_spherical(sp.spherical_yn, -1.0, {})
_spherical(sp.spherical_kn, 1.0, {})

# ---- hypergeometric functions and elliptic integrals (DLMF 13.3, 15.5, 16.3, 19.4, 19.5)

elementwise_rule(sp.hyp0f1, None, lambda y, v, z: sp.hyp0f1(v + 1.0, z) / v)
elementwise_rule(sp.hyp1f1, None, None, lambda y, a, b, z: a / b * sp.hyp1f1(a + 1.0, b + 1.0, z))
elementwise_rule(sp.hyperu, None, None, lambda y, a, b, z: -a * sp.hyperu(a + 1.0, b + 1.0, z))
elementwise_rule(
    sp.hyp2f1,
    None,
    None,
    None,
    lambda y, a, b, c, z: a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, z),
)
elementwise_rule(sp.ellipk, lambda y, m: math.pi / 8 * sp.hyp2f1(1.5, 1.5, 2.0, m))
elementwise_rule(sp.ellipe, lambda y, m: -math.pi / 8 * sp.hyp2f1(0.5, 1.5, 2.0, m))
# By Euler's transformation (DLMF 15.8.1) regular at 0, but for the pole.
elementwise_rule(sp.ellipkm1, lambda y, p: -math.pi / 8 * sp.hyp2f1(0.5, 0.5, 2.0, 1.0 - p) / p)


def _powers_of_sine(phi: Any, m: Any, first: float) -> Any:
    """`sum(k c(k) m**(k-1) J(k))`, of the coefficients of `(1 - m)**-first` and the integrals J of
    `sin**(2k)`: fifteen digits for m up to a tenth.
    """
    s, c = np.sin(phi), np.cos(phi)
    total, factor, integral = 0.0, 1.0, phi
    for k in range(1, 16):
        factor *= (first + k - 1.0) / k
        integral = ((2.0 * k - 1.0) * integral - np.power(s, 2 * k - 1) * c) / (2.0 * k)
        total = total + k * factor * np.power(m, k - 1) * integral
    return total


def in_modulus(f: Any, e: Any, phi: Any, m: Any) -> tuple[Any, Any]:
    """The derivatives of the incomplete integrals `f` and `e` in m (DLMF 19.4.5, 19.4.6); about 0 a
    series (DLMF 19.5).
    """
    small = np.less(np.absolute(m), 0.1)
    near, far = np.where(small, m, 0.0), np.where(small, 0.5, m)
    rest = np.sin(phi) * np.cos(phi) / np.sqrt(1.0 - far * np.sin(phi) ** 2)
    of_f = (np.divide(e - far * rest, 1.0 - far) - f) / (2.0 * far)
    of_e = (e - f) / (2.0 * far)
    return (
        np.where(small, _powers_of_sine(phi, near, 0.5), of_f),
        np.where(small, _powers_of_sine(phi, near, -0.5), of_e),
    )


elementwise_rule(
    sp.ellipkinc,
    lambda y, phi, m: 1.0 / np.sqrt(1.0 - m * np.sin(phi) ** 2),
    lambda y, phi, m: in_modulus(y, call(sp.ellipeinc, phi, m), phi, m)[0],
)
elementwise_rule(
    sp.ellipeinc,
    lambda y, phi, m: np.sqrt(1.0 - m * np.sin(phi) ** 2),
    lambda y, phi, m: in_modulus(call(sp.ellipkinc, phi, m), y, phi, m)[1],
)

# ---- orthogonal polynomials (DLMF 18.9)


def _polynomial(fn: Any, lower: Any) -> None:
    """`lower(n, *parameters, x)` is the derivative for n > 0; below that the polynomial is
    constant.
    """

    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, n: Any, *rest: Any) -> Any:
        refused: list[Any] = [in_argument(fn, i) for i in range(len(rest))]
        if _is_integer(n):
            refused[0] = None
        if isinstance(n, int):
            c = in_precision(g * conj(lower(n, *rest)), rest[-1]) if n else None
            return (*refused, c)
        flat = np.equal(n, 0)
        d = np.where(flat, 0.0, lower(np.where(flat, 1, n), *rest))
        return (*refused, in_precision(g * conj(d), rest[-1]))


def _is_integer(n: Any) -> bool:
    """Whether a degree is no variable: SciPy has another function for these."""
    t = type_of(n)
    if isinstance(t, Scalar):
        return t.kind == "int"
    return isinstance(t, Array) and t.dtype is not None and t.dtype.kind in "iu"


def _jacobi(n: Any, a: Any, b: Any, x: Any) -> Any:
    return 0.5 * (n + a + b + 1.0) * sp.eval_jacobi(n - 1, a + 1.0, b + 1.0, x)


_polynomial(sp.eval_jacobi, _jacobi)
_polynomial(sp.eval_legendre, lambda n, x: _jacobi(n, 0.0, 0.0, x))
_polynomial(sp.eval_sh_legendre, lambda n, x: 2.0 * _jacobi(n, 0.0, 0.0, 2.0 * x - 1.0))
_polynomial(sp.eval_chebyt, lambda n, x: n * sp.eval_chebyu(n - 1, x))
_polynomial(sp.eval_chebyu, lambda n, x: 2.0 * sp.eval_gegenbauer(n - 1, 2.0, x))
_polynomial(sp.eval_sh_chebyt, lambda n, x: 2.0 * n * sp.eval_chebyu(n - 1, 2.0 * x - 1.0))
_polynomial(sp.eval_chebyc, lambda n, x: n * sp.eval_chebyu(n - 1, 0.5 * x))
_polynomial(sp.eval_chebys, lambda n, x: sp.eval_gegenbauer(n - 1, 2.0, 0.5 * x))
_polynomial(sp.eval_sh_chebyu, lambda n, x: 4.0 * sp.eval_gegenbauer(n - 1, 2.0, 2.0 * x - 1.0))
_polynomial(
    sp.eval_sh_jacobi,
    lambda n, p, q, x: n * call(sp.eval_sh_jacobi, n - 1, p + 2.0, q + 1.0, x),
)
_polynomial(sp.eval_gegenbauer, lambda n, a, x: 2.0 * a * sp.eval_gegenbauer(n - 1, a + 1.0, x))
_polynomial(sp.eval_hermite, lambda n, x: 2.0 * n * sp.eval_hermite(n - 1, x))
_polynomial(sp.eval_hermitenorm, lambda n, x: n * sp.eval_hermitenorm(n - 1, x))
_polynomial(sp.eval_laguerre, lambda n, x: -sp.eval_genlaguerre(n - 1, 1.0, x))
_polynomial(sp.eval_genlaguerre, lambda n, a, x: -sp.eval_genlaguerre(n - 1, a + 1.0, x))

# ---- types, where the function is no ufunc


def _one(x: Any) -> Any:
    """A number of the type of the elements of `x`; Python's own where it is one."""
    t = type_of(x)
    if isinstance(t, Scalar):
        return x if not isinstance(x, Value) else {"complex": 1j, "float": 1.0}.get(t.kind, 1)
    return np.ones((), dtype_of(t))


def _elementwise(fn: Any) -> None:
    """An elementwise function: its dtype is found by a call on ones."""

    @result(fn)
    def type_after(*args: Any, **static: Any) -> Type:
        if any(isinstance(v, Value) for v in static.values()):
            return UNKNOWN
        if not all(isinstance(type_of(a), Scalar | Array) for a in args):
            return UNKNOWN
        if any(dtype_of(type_of(a)) is None for a in args):
            return UNKNOWN
        made = np.asarray(fn(*map(_one, args), **static))
        return Array(made.dtype, broadcast(*(shape_of(type_of(a)) for a in args)))


for _fn in (
    *(*_PRIMED, sp.polygamma, sp.zeta, sp.comb, sp.perm, sp.factorial),
    *(sp.lambertw, sp.spherical_jn, sp.spherical_yn, sp.spherical_in, sp.spherical_kn),
):
    _elementwise(_fn)
if hasattr(sp, "softplus"):
    _elementwise(sp.softplus)


def _inexact(kind: Any) -> Any:
    return kind if kind is None or kind.kind in "fc" else np.dtype(float)


@result(sp.logsumexp)
def _logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: Any = False, return_sign: Any = False
) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (a, b) if v is not None]
    if return_sign is not False or any(k is None for k in kinds):
        return UNKNOWN
    whole = shape_at(a) if b is None else broadcast(shape_at(a), shape_at(b))
    return Array(_inexact(np.result_type(*kinds)), reduced(whole, axis, keepdims))


@result(sp.multigammaln)
def _multigammaln(a: Any, d: Any) -> Type:
    return Array(np.dtype(float), shape_at(a))


@result(sp.softmax, sp.log_softmax)
def _softmax(x: Any, axis: Any = None) -> Type:
    return Array(_inexact(dtype_of(type_of(x))), shape_at(x))


# The rules of the rarer functions, which are made with what is above.
importlib.import_module(f"{__package__}.further")
