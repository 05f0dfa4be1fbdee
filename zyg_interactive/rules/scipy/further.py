"""Special functions that are rarer: probabilities of statistics with their inverses, solutions of
differential equations, integrals of others, spherical harmonics.

As in `special`, derivatives are those of the NIST Digital Library of Mathematical Functions (DLMF),
and None stands for one without a closed form. Where a function comes with its derivative, the
derivative of that is given by the differential equation.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import Array, Tuple, Type, broadcast, shape_of
from ..registry import (
    call,
    conj,
    elementwise_rule,
    in_argument,
    in_precision,
    result,
    rule,
    unsupported,
)
from ..sizes import decided, dtype_of
from .special import (
    DEGREE,
    ROOT_2PI,
    ROOT_PI,
    _beta_density,
    _elementwise,
    _gamma_density,
    _pair_rule,
    _real,
    in_modulus,
    in_power,
    real_rule,
    sp,
)

# ---- probabilities, in the place or the probability, and their inverses


def _successes(k: Any, n: Any, p: Any) -> Any:
    """The derivative in p of the probability of more than `k` successes among `n`."""
    k = np.floor(k * 1.0)
    return _beta_density(k + 1.0, n - k, p)


def _failures(k: Any, n: Any, p: Any) -> Any:
    """The derivative in p of the probability of at most `k` failures before `n` successes."""
    return _beta_density(n * 1.0, np.floor(k * 1.0) + 1.0, p)


def _f_density(n: Any, m: Any, x: Any) -> Any:
    whole = m + n * x
    return _beta_density(0.5 * n, 0.5 * m, n * x / whole) * (n * m / whole**2)


def _chi_density(v: Any, x: Any) -> Any:
    return 0.5 * _gamma_density(0.5 * v, 0.5 * x)


def _slope_of_normal(z: Any) -> Any:
    """Of the quantiles of the normal distribution, where one is `z`."""
    return ROOT_2PI * np.exp(0.5 * z**2)


elementwise_rule(sp.bdtr, None, None, lambda y, k, n, p: -_successes(k, n, p))
elementwise_rule(sp.bdtrc, None, None, lambda y, k, n, p: _successes(k, n, p))
elementwise_rule(sp.bdtri, None, None, lambda p, k, n, y: -1.0 / _successes(k, n, p))
elementwise_rule(sp.nbdtr, None, None, lambda y, k, n, p: _failures(k, n, p))
elementwise_rule(sp.nbdtrc, None, None, lambda y, k, n, p: -_failures(k, n, p))
elementwise_rule(sp.nbdtri, None, None, lambda p, k, n, y: 1.0 / _failures(k, n, p))
elementwise_rule(sp.fdtr, None, None, lambda y, n, m, x: _f_density(n, m, x))
elementwise_rule(sp.fdtrc, None, None, lambda y, n, m, x: -_f_density(n, m, x))
elementwise_rule(sp.fdtri, None, None, lambda x, n, m, p: 1.0 / _f_density(n, m, x))
elementwise_rule(sp.chdtri, None, lambda x, v, p: -1.0 / _chi_density(v, x))
elementwise_rule(sp.pdtri, None, lambda m, k, y: -1.0 / _gamma_density(np.floor(k) + 1.0, m))
elementwise_rule(
    sp.gdtr,
    lambda y, a, b, x: x * _gamma_density(b, a * x),
    None,
    lambda y, a, b, x: a * _gamma_density(b, a * x),
)
elementwise_rule(
    sp.gdtrc,
    lambda y, a, b, x: -x * _gamma_density(b, a * x),
    None,
    lambda y, a, b, x: -a * _gamma_density(b, a * x),
)
elementwise_rule(
    sp.gdtrix,
    lambda x, a, b, p: -x / a,
    None,
    lambda x, a, b, p: 1.0 / (a * _gamma_density(b, a * x)),
)
elementwise_rule(
    sp.gdtria,
    lambda a, p, b, x: 1.0 / (x * _gamma_density(b, a * x)),
    None,
    lambda a, p, b, x: -a / x,
)
elementwise_rule(
    sp.nrdtrimn,
    lambda y, p, s, x: -s * _slope_of_normal((x - y) / s),
    lambda y, p, s, x: (y - x) / s,
    lambda y, p, s, x: 1.0,
)
elementwise_rule(
    sp.nrdtrisd,
    lambda y, m, p, x: -y / (x - m),
    lambda y, m, p, x: -(y**2) / (x - m) * _slope_of_normal((x - m) / y),
    lambda y, m, p, x: y / (x - m),
)


def _noncentral(x: Any, v: Any, c: Any) -> Any:
    """The density of the noncentral chi-square distribution (N. L. Johnson, S. Kotz and
    N. Balakrishnan, Continuous Univariate Distributions, volume 2, chapter 29).
    """
    near = np.less(x * c, 1.0)  # it is regular at 0, and its factors are not
    u, w = np.where(near, 1.0, x), np.where(near, 1.0, c)
    apart = 0.5 * (np.sqrt(u) - np.sqrt(w)) ** 2
    power = np.power(u / w, 0.25 * v - 0.5)
    far = 0.5 * np.exp(-apart) * power * sp.ive(0.5 * v - 1.0, np.sqrt(u * w))
    z = np.where(near, 0.25 * x * c, 0.0)
    return np.where(near, _chi_density(v, x) * np.exp(-0.5 * c) * sp.hyp0f1(0.5 * v, z), far)


elementwise_rule(
    sp.chndtr,
    lambda y, x, v, c: _noncentral(x, v, c),
    None,
    lambda y, x, v, c: 0.5 * (call(sp.chndtr, x, v + 2.0, c) - y),
)
elementwise_rule(sp.chndtrix, lambda x, p, v, c: 1.0 / _noncentral(x, v, c), None, None)


@rule(sp.tklmbda, broadcasts=True)
def tklmbda(g: Any, y: Any, x: Any, lmbda: Any) -> Any:
    """The inverse of `(p**l - (1 - p)**l) / l`; constant outside of the support."""
    outside = np.logical_or(np.less_equal(y, 0.0), np.greater_equal(y, 1.0))
    p = np.where(outside, 0.5, y)
    c = g * np.where(outside, 0.0, 1.0 / (p ** (lmbda - 1.0) + (1.0 - p) ** (lmbda - 1.0)))
    below, above = (in_power(sp.boxcox(v, lmbda), v, lmbda) for v in (p, 1.0 - p))
    return in_precision(c, x), in_precision(-c * (below - above), lmbda)


# ---- solutions of differential equations (DLMF 9, 10.61, 12.2, 28)


def _over(y: Any, x: Any, limit: Any) -> Any:
    """`y / x`, and its limit where x is 0."""
    zero = np.equal(x, 0)
    return np.where(zero, limit, y / np.where(zero, 1.0, x))


real_rule(sp.ber, lambda y, x: call(sp.berp, x))
real_rule(sp.bei, lambda y, x: call(sp.beip, x))
real_rule(sp.ker, lambda y, x: call(sp.kerp, x))
real_rule(sp.kei, lambda y, x: call(sp.keip, x))
real_rule(sp.berp, lambda y, x: -call(sp.bei, x) - _over(y, x, 0.0))
real_rule(sp.beip, lambda y, x: call(sp.ber, x) - _over(y, x, 0.5))
real_rule(sp.kerp, lambda y, x: -call(sp.kei, x) - y / x)
real_rule(sp.keip, lambda y, x: call(sp.ker, x) - y / x)
_pair_rule(
    sp.kelvin,
    lambda y, x: y[2],
    lambda y, x: y[3],
    lambda y, x: 1j * y[0] - _over(y[2], x, 0.5j),
    lambda y, x: 1j * y[1] - y[3] / x,
)


def _scale(x: Any) -> Any:
    """The derivative of the exponent by which the Airy functions are scaled."""
    _real(sp.airye, x)
    right = np.greater(x, 0)
    return np.where(right, np.sqrt(np.where(right, x, 1.0)), 0.0)


_pair_rule(
    sp.airye,
    lambda y, x: y[1] + _scale(x) * y[0],
    lambda y, x: x * y[0] + _scale(x) * y[1],
    lambda y, x: y[3] - _scale(x) * y[2],
    lambda y, x: x * y[2] - _scale(x) * y[3],
)


def _with_slope(fn: Any, factor: Callable[..., Any], unit: float = 1.0) -> None:
    """A real function of parameters and a place, that comes with its derivative: the second one is
    `factor` times the function. A place is measured in `unit`.
    """
    count = fn.nin - 1

    @rule(fn, broadcasts=True)
    def pullback(g: Any, y: Any, *given: Any) -> Any:
        bars = [] if g[0] is None else [g[0] * y[1]]
        bars += [] if g[1] is None else [g[1] * (factor(*given) * y[0])]
        bar = unit * sum(bars[1:], bars[0]) if bars else None
        c = None if bar is None else in_precision(bar, given[-1])
        return (*(in_argument(fn, i) for i in range(count)), c)

    @result(fn)
    def types(*given: Any) -> Type:
        shape = broadcast(*(shape_of(type_of(a)) for a in given))
        kind = np.dtype(float) if dtype_of(type_of(given[-1])) == np.dtype(float) else None
        return Tuple((Array(kind, shape),) * 2)


_with_slope(sp.pbdv, lambda v, x: 0.25 * x**2 - v - 0.5)
_with_slope(sp.pbvv, lambda v, x: 0.25 * x**2 - v - 0.5)
_with_slope(sp.pbwa, lambda a, x: a - 0.25 * x**2)


def characteristic(of: Any, m: Any, q: Any) -> Any:
    """A characteristic value of Mathieu's equation; in q there is no closed form."""
    return of(m, q)


@rule(characteristic)
def _characteristic(g: Any, y: Any, of: Any, m: Any, q: Any) -> Any:
    return None, in_argument(of, 0), in_argument(of, 1)


@result(characteristic)
def _of_both(of: Any, m: Any, q: Any) -> Type:
    return Array(None, broadcast(*(shape_of(type_of(a)) for a in (m, q))))


for _fn, _value in ((sp.mathieu_cem, sp.mathieu_a), (sp.mathieu_sem, sp.mathieu_b)):
    _with_slope(
        _fn,
        lambda m, q, x, of=_value: (
            2.0 * q * np.cos(2.0 * DEGREE * x) - call(characteristic, of, m, q)
        ),
        DEGREE,
    )
for _fn, _value in (
    (sp.mathieu_modcem1, sp.mathieu_a),
    (sp.mathieu_modcem2, sp.mathieu_a),
    (sp.mathieu_modsem1, sp.mathieu_b),
    (sp.mathieu_modsem2, sp.mathieu_b),
):
    _with_slope(
        _fn,
        lambda m, q, x, of=_value: (
            call(characteristic, of, m, q) - 2.0 * q * np.cosh(2.0 * x)
        ),
    )


@rule(sp.ellipj, broadcasts=True)
def ellipj(g: Any, y: Any, u: Any, m: Any) -> Any:
    """In the argument (DLMF 22.13.1), and in m, by the integral whose inverse the amplitude is."""
    sn, cn, dn, phi = y
    amplitude = -dn * in_modulus(u, call(sp.ellipeinc, phi, m), phi, m)[0]
    in_u = (cn * dn, -sn * dn, -m * sn * cn, dn)
    of_dn = -np.divide(0.5 * sn**2 + m * sn * cn * amplitude, dn)
    in_m = (cn * amplitude, -sn * amplitude, of_dn, amplitude)
    bars = []
    for slopes, x in ((in_u, u), (in_m, m)):
        parts = [c * d for c, d in zip(g, slopes, strict=True) if c is not None]
        bars.append(in_precision(sum(parts[1:], parts[0]), x) if parts else None)
    return tuple(bars)


@result(sp.ellipj)
def _elliptic(u: Any, m: Any) -> Type:
    shape = broadcast(*(shape_of(type_of(a)) for a in (u, m)))
    kind = np.dtype(float) if dtype_of(type_of(u)) == np.dtype(float) else None
    return Tuple((Array(kind, shape),) * 4)


# ---- integrals of other functions (DLMF 7.2, 9.10, 10.43, 11.7)


def _bessel_share(x: Any, value: Any, sign: float) -> Any:
    """`(I0(x) - 1) / x` and, with the sign -1, `(1 - J0(x)) / x`: a series where that loses digits
    (DLMF 10.8.3).
    """
    small = np.less(np.absolute(x), 0.1)
    t = sign * 0.25 * np.where(small, x, 0.0) ** 2
    series = 0.25 * x * (1.0 + t / 4.0 * (1.0 + t / 9.0 * (1.0 + t / 16.0)))
    return np.where(small, series, sign * (value - 1.0) / np.where(small, 1.0, x))


_pair_rule(sp.iti0k0, lambda y, x: sp.i0(x), lambda y, x: sp.k0(x))
_pair_rule(sp.itj0y0, lambda y, x: sp.j0(x), lambda y, x: sp.y0(x))
_pair_rule(
    sp.it2i0k0,
    lambda y, x: _bessel_share(x, sp.i0(x), 1.0),
    lambda y, x: -sp.k0(x) / x,
)
_pair_rule(
    sp.it2j0y0,
    lambda y, x: _bessel_share(x, sp.j0(x), -1.0),
    lambda y, x: -sp.y0(x) / x,
)
_pair_rule(
    sp.itairy,
    lambda y, x: call(sp.airy, x)[0],
    lambda y, x: call(sp.airy, x)[2],
    lambda y, x: call(sp.airy, -x)[0],
    lambda y, x: call(sp.airy, -x)[2],
)
real_rule(sp.itstruve0, lambda y, x: sp.struve(0.0, x))
real_rule(sp.itmodstruve0, lambda y, x: sp.modstruve(0.0, x))
real_rule(sp.it2struve0, lambda y, x: -_over(sp.struve(0.0, x), x, 2.0 / math.pi))
_TURNED = cmath.exp(0.25j * math.pi) / ROOT_PI
_pair_rule(
    sp.modfresnelp,
    lambda y, x: -np.exp(1j * x**2),
    lambda y, x: -2j * x * y[1] - _TURNED.conjugate(),
)
_pair_rule(
    sp.modfresnelm,
    lambda y, x: -np.exp(-1j * x**2),
    lambda y, x: 2j * x * y[1] - _TURNED,
)
elementwise_rule(
    sp.besselpoly,
    lambda y, a, p, v: call(sp.besselpoly, a, p + 1.0, v - 1.0)
    - call(sp.besselpoly, a, p + 1.0, v + 1.0),
    None,
    None,
)

# ---- means and series (DLMF 10.46, 19.8)


def _in_mean(y: Any, a: Any, b: Any) -> Any:
    """The derivative of the arithmetic-geometric mean in its first argument. Where that is the
    larger one it follows from the other derivative, for the mean of multiples is the multiple.
    """
    large = np.greater(np.absolute(a), np.absolute(b))
    ratio = np.divide(np.where(large, b, a), np.where(large, a, b))
    c = 0.5 * y * sp.hyp2f1(0.5, 0.5, 2.0, 1.0 - ratio**2)
    return np.divide(y, a) * np.where(large, 1.0 - np.divide(c, a), np.divide(c, b))


elementwise_rule(sp.agm, _in_mean, lambda y, a, b: _in_mean(y, b, a))
elementwise_rule(
    sp.wright_bessel, None, None, lambda y, a, b, x: call(sp.wright_bessel, a, a + b, x)
)
if hasattr(sp, "log_wright_bessel"):
    elementwise_rule(
        sp.log_wright_bessel,
        None,
        None,
        lambda y, a, b, x: np.exp(call(sp.log_wright_bessel, a, a + b, x) - y),
    )

# ---- polynomials and spherical harmonics (DLMF 14.10, 14.30, 18.9)

elementwise_rule(
    sp.lpmv,
    None,
    None,
    lambda y, m, v, x: (
        ((v + 1.0) * x * y - (v - m + 1.0) * call(sp.lpmv, m, v + 1, x)) / (1.0 - x**2)
    ),
)


@rule(sp.diric, broadcasts=True)
def diric(g: Any, y: Any, x: Any, n: Any) -> Any:
    """Chebyshev's polynomial of the second kind of `cos(x / 2)`, divided by n."""
    n = decided(n)
    if not isinstance(n, int):
        raise unsupported("`diric` of several orders", "call it for each")
    if n == 1:
        return None, None
    slope = sp.eval_gegenbauer(n - 2, 2.0, np.cos(0.5 * x))
    return in_precision(-g * np.sin(0.5 * x) * slope / n, x), None


_elementwise(sp.diric)


def _harmonics(fn: Any, turned: bool) -> None:
    """`turned`: the older function, with the order before the degree and the azimuth before the
    polar angle.
    """

    @rule(fn, broadcasts=True)
    def pullback(
        g: Any, y: Any, first: Any, second: Any, theta: Any, phi: Any, diff_n: Any = 0
    ) -> Any:
        if decided(diff_n) != 0:
            raise unsupported("spherical harmonics with diff_n=", "differentiate the value")
        m, n = (first, second) if turned else (second, first)
        azimuth = theta if turned else phi

        def neighbour(step: int) -> Any:
            square = (n - step * m) * (n + step * m + 1.0)
            none = np.less_equal(square, 0.0)  # beyond the degree
            size = np.where(none, 0.0, np.sqrt(np.where(none, 1.0, square)))
            order = np.where(none, m, m + step)
            at = (order, n) if turned else (n, order)
            return size * np.exp(-1j * step * azimuth) * call(fn, *at, theta, phi)

        polar_bar = g * conj(0.5 * (neighbour(1) - neighbour(-1)))
        azimuth_bar = g * conj(1j * m * y)
        bars = (azimuth_bar, polar_bar) if turned else (polar_bar, azimuth_bar)
        angles = (in_precision(c, x) for c, x in zip(bars, (theta, phi), strict=True))
        return None, None, *angles

    _elementwise(fn)


if hasattr(sp, "sph_harm_y"):
    _harmonics(sp.sph_harm_y, False)
if hasattr(sp, "sph_harm"):
    _harmonics(sp.sph_harm, True)
