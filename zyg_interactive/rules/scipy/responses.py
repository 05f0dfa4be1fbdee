"""Frequency responses, quotients of sequences, windows."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import numpy as np

from ...ir.core import type_of
from ...ir.types import UNKNOWN, Array, Tuple, Type, fresh
from ..registry import call, conj, constant, in_precision, rank_of, result, rule, unsupported
from ..sequences import as_dtype, nested, real_for
from ..sizes import dtype_of, shape_at
from .signal import array, lfilter

S: Any = importlib.import_module("scipy.signal")
W: Any = importlib.import_module("scipy.signal.windows")


@rule(S.freqz, order="b a? worN whole plot fs include_nyquist")
def freqz(
    g: Any,
    y: Any,
    b: Any,
    a: Any,
    worN: Any = 512,
    whole: Any = False,
    plot: Any = None,
    fs: Any = 2 * np.pi,
    include_nyquist: Any = False,
) -> Any:
    """`h = B / A`, both polynomials of `exp(-iw)`."""
    bar = g[1]
    if bar is None:
        return None, None
    top, bottom = array(b), np.ones(1) if a is None else array(a)
    bottom = np.reshape(bottom, (1,)) if rank_of(bottom) == 0 else bottom
    if rank_of(top) != 1 or rank_of(bottom) != 1:
        raise unsupported("`freqz` of several filters", "take them one by one")
    turn = np.exp(-1j * (y[0] * (2.0 * np.pi / fs)))
    above, below = _powers(turn, top), _powers(turn, bottom)
    share = bar / conj(below @ bottom)
    of_b, of_a = share @ conj(above), -(share * conj(y[1])) @ conj(below)
    of_b = as_dtype(real_for(top, of_b), top)
    of_a = as_dtype(real_for(bottom, of_a), bottom)
    if a is not None and rank_of(array(a)) == 0:
        return nested(of_b, b), of_a[0]
    return nested(of_b, b), None if a is None else nested(of_a, a)


def _powers(turn: Any, of: Any) -> Any:
    return np.expand_dims(turn, 1) ** call(np.arange, np.shape(of)[0])


@rule(S.deconvolve)
def deconvolve(g: Any, y: Any, signal: Any, divisor: Any) -> Any:
    """The quotient is what a recursive filter makes of a pulse, and the remainder what is left of
    the signal.
    """
    of_quotient, rest = g[0], g[1]
    quotient = y[0]
    of_signal, of_divisor = rest, None
    if rest is not None:
        moved = call(S.correlate, rest, divisor, mode="valid")
        of_quotient = -moved if of_quotient is None else of_quotient - moved
        of_divisor = -call(S.correlate, rest, quotient, mode="valid")
    if of_quotient is None:
        return None, None
    pulse = np.where(np.equal(call(np.arange, np.shape(quotient)[0]), 0), 1.0, 0.0)
    top, bottom, _ = lfilter(of_quotient, quotient, signal, divisor, pulse)
    if of_signal is not None:
        top, bottom = of_signal + top, of_divisor + bottom
    return in_precision(top, signal), in_precision(bottom, divisor)


# ---- windows, which are constants; but what some of them are given may be active

_PLAIN = (
    "boxcar triang parzen bohman blackman nuttall blackmanharris flattop bartlett hann hamming "
    "cosine barthann lanczos"
)
for _name in _PLAIN.split():
    constant(getattr(W, _name))


@rule(S.get_window)
def get_window(g: Any, y: Any, window: Any, Nx: Any, fftbins: Any = True) -> Any:
    return unsupported("a window, `get_window`, in its parameters", "keep them constant"), None


def _window(fn: Any) -> None:
    given = [
        p
        for p in inspect.signature(fn).parameters.values()
        if p.name not in ("sym", "xp", "device")
    ]

    def refused(g: Any, y: Any, *data: Any, **how: Any) -> Any:
        why = f"a window, `{fn.__name__}`, in its parameters"
        return (None, *(unsupported(why, "keep them constant") for _ in given[1:]))

    own = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("g", "y")]
    own += [p.replace(default=p.empty, kind=p.POSITIONAL_OR_KEYWORD) for p in given]
    own.append(inspect.Parameter("sym", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=True))
    vars(refused)["__signature__"] = inspect.Signature(own)
    order = [p.name if p.default is p.empty else f"{p.name}?" for p in given]
    rule(fn, order=" ".join([*order, "sym"]))(refused)


for _name in W.__all__:
    if _name not in (*_PLAIN.split(), "get_window", "dpss"):
        _window(getattr(W, _name))


# ---- types


@result(S.freqz)
def _response(b: Any, *rest: Any, **how: Any) -> Type:
    kind = dtype_of(type_of(b))
    if kind is None or shape_at(b) is None or kind.char not in "dD":
        return UNKNOWN
    size = fresh()
    return Tuple((Array(None, (size,)), Array(None, (size,))))


@result(S.deconvolve)
def _quotient(signal: Any, divisor: Any) -> Type:
    kinds = [dtype_of(type_of(v)) for v in (signal, divisor)]
    if any(k is None or k.char != "d" for k in kinds):
        return UNKNOWN
    return Tuple((Array(np.dtype(float), (fresh(),)), Array(np.dtype(float), (fresh(),))))
