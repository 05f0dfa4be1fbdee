"""Fourier, cosine and sine transforms.

The Fourier transforms are NumPy's along each axis (`rules/fft.py`). The cosine and sine transforms
are real matrices: those of types 1 and 4 are symmetric, those of types 2 and 3 each other's
transposes, but for weights of the first or the last entry; orthogonal ones are transposed by their
inverses (S. A. Martucci 1994, "Symmetric convolution and the discrete sine and cosine transforms").
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ... import runtime
from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Type, fresh, shape_of
from .. import fft as of_numpy
from ..registry import RULES, call, conj, constant, rank_of, result, rule, unsupported
from ..sizes import decided, normal
from .keywords import rule_apart_from

F: Any = importlib.import_module("scipy.fft")

constant(F.fftfreq, F.rfftfreq, F.next_fast_len)

_HOW = "overwrite_x workers"


def _pulled(fn: Any, g: Any, x: Any, n: Any, axis: Any, norm: Any) -> Any:
    """The cotangent of what NumPy's transform was given."""
    found = RULES[fn].pullback
    assert found is not None
    return found(g, None, x, n, axis, norm)


def _hermitian(g: Any, x: Any, n: Any, axis: Any, norm: Any) -> Any:
    """Of `hfft`: the real transform of the conjugate, with the norm of the other way."""
    return conj(_pulled(np.fft.irfft, g, x, n, axis, of_numpy._OTHER[norm]))


def _inverse_hermitian(g: Any, x: Any, n: Any, axis: Any, norm: Any) -> Any:
    return _pulled(np.fft.rfft, conj(g), x, n, axis, of_numpy._OTHER[norm])


def _of(fn: Any) -> Any:
    return lambda *args: _pulled(fn, *args)


def _one(fn: Any, pulled: Any) -> None:
    @rule_apart_from(_HOW, fn, order="x n axis norm overwrite_x workers plan")
    def transform(g: Any, y: Any, x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
        return pulled(g, x, n, axis, norm)


_one(F.fft, _of(np.fft.fft))
_one(F.ifft, _of(np.fft.ifft))
_one(F.rfft, _of(np.fft.rfft))
_one(F.irfft, _of(np.fft.irfft))
_one(F.hfft, _hermitian)
_one(F.ihfft, _inverse_hermitian)


def _sizes(x: Any, s: Any, axes: Any) -> list[tuple[Any, Any]]:
    """The axes of a transform and how many points each has, where that is given."""
    s, axes, rank = decided(s), decided(axes), rank_of(x)
    if axes is None:
        axes = range(rank) if s is None else range(rank - len(s), rank)
    axes = (axes,) if isinstance(axes, int) else axes
    counts = [None] * len(axes) if s is None else (s,) if isinstance(s, int) else s
    return [(normal(a, rank), n) for a, n in zip(axes, counts, strict=True)]


def _several(fn: Any, others: Any, last: Any, default: Any) -> None:
    """A transform of several axes: `last` is that of the last of them, which is made first of a
    real array and last to one.
    """

    @rule_apart_from(_HOW, fn, order="x s axes norm overwrite_x workers plan")
    def transform(
        g: Any, y: Any, x: Any, s: Any = None, axes: Any = default, norm: Any = None
    ) -> Any:
        *first, (axis, n) = _sizes(x, s, axes)
        if last is np.fft.irfft:
            g = _pulled(last, g, x, n, axis, norm)
        for a, k in first:
            g = _pulled(others, g, x, k, a, norm)
        return g if last is np.fft.irfft else _pulled(last, g, x, n, axis, norm)


for _several_axes, _axes in (("n", None), ("2", (-2, -1))):
    for _name, _others in (("fft", np.fft.fft), ("ifft", np.fft.ifft)):
        _several(getattr(F, _name + _several_axes), _others, _others, _axes)
    _several(getattr(F, f"rfft{_several_axes}"), np.fft.fft, np.fft.rfft, _axes)
    _several(getattr(F, f"irfft{_several_axes}"), np.fft.ifft, np.fft.irfft, _axes)


@rule(F.fftshift)
def fftshift(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.ifftshift(g, axes=axes)


@rule(F.ifftshift)
def ifftshift(g: Any, y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.fftshift(g, axes=axes)


# ---- cosine and sine transforms

_BACK = {1: 1, 2: 3, 3: 2, 4: 4}
# The weights of the first and of the last entry, by which each matrix differs from the transpose of
# its counterpart: (before the counterpart, after it).
_EDGES = {
    (F.dct, 1): ((2.0, 2.0), (0.5, 0.5)),
    (F.dct, 2): ((2.0, 1.0), (1.0, 1.0)),
    (F.dct, 3): ((1.0, 1.0), (0.5, 1.0)),
    (F.dst, 2): ((1.0, 2.0), (1.0, 1.0)),
    (F.dst, 3): ((1.0, 1.0), (1.0, 0.5)),
}
_INVERSE = {F.dct: F.idct, F.dst: F.idst}


def _weighted(c: Any, axis: Any, weights: tuple[float, float]) -> Any:
    first, last = weights
    return c if first == last == 1.0 else c * call(runtime.edge_weights, c, axis, first, last)


def _transposed(fn: Any, g: Any, type: Any, axis: Any, norm: Any, orthogonal: Any) -> Any:
    """The transpose of a cosine or sine transform."""
    if type not in _BACK:
        raise unsupported(f"`{fn.__name__}` of type {type!r}")
    if orthogonal is None:
        orthogonal = norm == "ortho"
    if orthogonal:
        other = of_numpy._OTHER[norm]
        return call(_INVERSE[fn], g, type=type, axis=axis, norm=other, orthogonalize=True)
    before, after = _EDGES.get((fn, type), ((1.0, 1.0), (1.0, 1.0)))
    made = call(
        *(fn, _weighted(g, axis, before)),
        type=_BACK[type],
        axis=axis,
        norm=norm,
        orthogonalize=False,
    )
    return _weighted(made, axis, after)


def _real_transforms(fn: Any, inverse: Any, several: Any, inverses: Any) -> None:
    @rule_apart_from(_HOW, fn, order="x type n axis norm overwrite_x workers orthogonalize")
    def there(
        g: Any,
        y: Any,
        x: Any,
        type: Any = 2,
        n: Any = None,
        axis: Any = -1,
        norm: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        return of_numpy._resized(_transposed(fn, g, type, axis, norm, orthogonalize), x, n, axis)

    @rule_apart_from(_HOW, inverse, order="x type n axis norm overwrite_x workers orthogonalize")
    def back(
        g: Any,
        y: Any,
        x: Any,
        type: Any = 2,
        n: Any = None,
        axis: Any = -1,
        norm: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        orthogonal = norm == "ortho" if orthogonalize is None else orthogonalize
        return there(g, y, x, _BACK.get(type, type), n, axis, of_numpy._OTHER[norm], orthogonal)

    for many, each in ((several, there), (inverses, back)):
        _each_axis(many, each)


def _each_axis(fn: Any, each: Any) -> None:
    @rule_apart_from(_HOW, fn, order="x type s axes norm overwrite_x workers")
    def transform(
        g: Any,
        y: Any,
        x: Any,
        type: Any = 2,
        s: Any = None,
        axes: Any = None,
        norm: Any = None,
        orthogonalize: Any = None,
    ) -> Any:
        for axis, n in _sizes(x, s, axes):
            g = each(g, None, x, type, n, axis, norm, orthogonalize)
        return g


_real_transforms(F.dct, F.idct, F.dctn, F.idctn)
_real_transforms(F.dst, F.idst, F.dstn, F.idstn)

constant(runtime.edge_weights)

# ---- types


@result(F.fft, F.ifft, F.ihfft, F.rfft)
def _to_complex(x: Any, n: Any = None, axis: Any = -1, norm: Any = None, **how: Any) -> Type:
    return of_numpy._like(x, "c", axis, fresh())


@result(F.irfft, F.hfft)
def _to_real(x: Any, n: Any = None, axis: Any = -1, norm: Any = None, **how: Any) -> Type:
    return of_numpy._like(x, "f", axis, fresh())


@result(F.fftn, F.ifftn, F.fft2, F.ifft2, F.rfftn, F.rfft2)
def _several_to_complex(x: Any, *rest: Any, **how: Any) -> Type:
    return _unsized(x, "c")


@result(F.irfftn, F.irfft2)
def _several_to_real(x: Any, *rest: Any, **how: Any) -> Type:
    return _unsized(x, "f")


def _unsized(x: Any, kind: str) -> Type:
    made = of_numpy._like(x, kind, 0, None)
    if not isinstance(made, Array) or made.shape is None:
        return UNKNOWN
    return Array(made.dtype, tuple(fresh() for _ in made.shape))


@result(F.dct, F.idct, F.dst, F.idst, F.dctn, F.idctn, F.dstn, F.idstn)
def _real_transform(x: Any, type: Any = 2, *rest: Any, **how: Any) -> Type:
    t, shape = type_of(x), shape_of(type_of(x))
    if not isinstance(t, Array) or t.dtype is None or t.dtype.kind not in "fc" or shape is None:
        return UNKNOWN
    cut = any(how.get(k) is not None for k in "ns") or (rest and rest[0] is not None)
    return Array(t.dtype, tuple(fresh() for _ in shape) if cut else shape)


@result(F.fftshift, F.ifftshift)
def _shifted(x: Any, axes: Any = None) -> Type:
    t = type_of(x)
    return Array(t.dtype, t.shape) if isinstance(t, Array) else UNKNOWN


@result(runtime.edge_weights)
def _weights(c: Any, axis: Any, *ends: Any) -> Type:
    t, shape = type_of(c), shape_of(type_of(c))
    if not isinstance(t, Array) or shape is None or t.dtype is None:
        return UNKNOWN
    kind = t.dtype.type(0).real.dtype
    at = normal(axis, len(shape))
    return Array(kind, tuple(s if i == at else 1 for i, s in enumerate(shape)))
