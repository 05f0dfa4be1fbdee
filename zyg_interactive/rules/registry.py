"""The one table of what is differentiable, and how.

A rule is a NumPy expression: `(g, y, *data, **metadata) -> cotangents of data`. `g` is the
cotangent of the result `y`. Parameters without a default are data; those with one are metadata and
may branch (`if axis is None`), for they are known when the rule runs. It runs on `Value`s to write
adjoint code, and on arrays to compute.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Refused, refuse
from ..ir.core import Atom, Undecided, Value, current_span, emit, type_of, values
from ..ir.types import (
    UNBOUND_TYPE,
    UNKNOWN,
    Array,
    Const,
    Other,
    Scalar,
    Type,
    broadcast,
    dtype_like,
    is_complex,
    shape_of,
)

Result = Callable[..., Type]
# The key under which an op keeps the diagnostic it is refused with once a derivative is needed.
REFUSAL = "$refusal"


@dataclass(frozen=True)
class Rule:
    """How one callable is differentiated. `pullback` is None for a callable whose result carries no
    derivative.
    """

    fn: Any
    pullback: Callable[..., Any] | None
    data: tuple[str, ...] = ()
    metadata: tuple[tuple[str, Any], ...] = ()
    variadic: bool = False
    broadcasts: bool = False
    order: tuple[
        str, ...
    ] = ()  # the callable's own positional order, where it is not (data, metadata)
    optional: frozenset[str] = frozenset()  # data that may be left out, and then is None
    custom: Callable[..., Any] | None = (
        None  # a user's rule: called as written, it returns (y, back)
    )
    declared: bool = False  # by a user, as one whose result is a constant

    def bind(
        self, args: tuple[Atom, ...], kwargs: dict[str, Atom]
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        """Split a call into data and metadata. Raises LookupError, naming what the rule has no
        place for.
        """
        names = [*self.data, *(name for name, _ in self.metadata)]
        if isinstance(self.fn, np.ufunc):
            kwargs = {k: v for k, v in kwargs.items() if k not in LAYOUT and v is not None}
        if self.variadic:
            named = tuple(kwargs[k] for k in self.data if k in kwargs)
            args = (*args, *named) if len(args) + len(named) >= len(self.data) else args
            kwargs = {k: v for k, v in kwargs.items() if not named or k not in self.data}
            bad = [k for k in kwargs if k not in dict(self.metadata)]
            if bad:
                raise LookupError(f"{bad[0]}=")
            return args, dict(kwargs)
        order = self.order or names
        if len(args) > len(order):
            raise LookupError(f"positional argument {len(order) + 1}")
        given = dict(zip(order, args, strict=False))
        for k, v in kwargs.items():
            if k in given or k not in (*names, *order):
                raise LookupError(f"{k}=")
            given[k] = v
        unfit = [k for k, v in given.items() if k not in names and v is not None]
        if unfit:
            raise LookupError(f"{unfit[0]}=")
        missing = [n for n in self.data if n not in given and n not in self.optional]
        if missing:
            raise LookupError(f"a missing `{missing[0]}`")
        defaults = dict(self.metadata)
        static = {
            k: v
            for k, v in given.items()
            if k in defaults and not (k in defaults and _is(v, defaults[k]))
        }
        return tuple(given.get(n) for n in self.data), static


def _is(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and isinstance(a, int | bool | str) and a == b)


RULES: dict[Any, Rule] = {}
RESULTS: dict[Any, Result] = {}
# Classes of objects that rules have cotangents for, in a form of their own.
FOLLOWED: set[type] = set()
# Functions that generated code writes as methods, under these names: `__add__` as `a + b`, `.T` as
# an attribute.
METHOD_NAMES: dict[Any, str] = {}
# Callables whose calls stand for others: `(lowering, args, kwargs, node) -> atom`.
LOWERED: dict[Any, Callable[..., Atom]] = {}
# Why a callable has no rule, in words that a diagnostic can give as help.
REASONS: dict[Any, str] = {}
# Keywords of every ufunc that say how it computes, not what.
LAYOUT = ("casting", "order", "subok")


def rule(
    *fns: Any, broadcasts: bool = False, order: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a pullback for one or several callables that mean the same.

    `order` names the positional parameters of the callables where their order is not that of the
    pullback. A name with `?` is data that may be left out and then is None; a name that the
    pullback lacks is refused unless it is None.
    """
    places = tuple(name.rstrip("?") for name in order.split())
    optional = frozenset(name[:-1] for name in order.split() if name.endswith("?"))

    def register(pullback: Callable[..., Any]) -> Callable[..., Any]:
        parameters = list(inspect.signature(pullback).parameters.values())[2:]
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        named = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
        data = tuple(p.name for p in named if p.default is p.empty)
        metadata = tuple((p.name, p.default) for p in named if p.default is not p.empty)
        for fn in fns:
            RULES[fn] = Rule(fn, pullback, data, metadata, variadic, broadcasts, places, optional)
        return pullback

    return register


LISTS: set[Any] = set()  # callables whose rules take lists; others of NumPy are given arrays


# Modules whose functions take arrays.
OF_ARRAYS = (
    "numpy",
    *(f"scipy.{part}" for part in ("linalg", "special", "fft", "signal", "ndimage", "spatial")),
)


def takes_lists(*fns: Any) -> None:
    """Declare that the rules of these callables take lists and tuples of numbers or arrays. In a
    call of another callable of NumPy or SciPy, a list in the place of an array is made one first.
    """
    LISTS.update(fns)


# Data of NumPy's functions that tell places, counts or shapes: a list of whole numbers stays one.
# None is an argument without a name.
PLACES = {
    *(None, "axis", "axis1", "axis2", "deg", "destination", "dtype", "indices", "k", "kth", "n"),
    *("indices_or_sections", "new_shape", "obj", "pad_width", "repeats", "reps", "shape", "shift"),
    *("size", "source", "window_shape"),
}


def wants_arrays(fn: Any) -> bool:
    """Whether lists among the data of a callable are to be made arrays."""
    rule = lookup(fn)
    if rule is None or rule.pullback is None or rule.custom is not None or fn in LISTS:
        return False
    owner = fn if isinstance(fn, np.ufunc) else getattr(fn, "__self__", fn)
    module = getattr(fn, "__module__", None) or ""
    return isinstance(owner, np.ufunc) or module.startswith(OF_ARRAYS)


def elementwise_rule(fns: Any, *partials: Callable[..., Any] | None) -> None:
    """`partials[i](y, *xs)` is the derivative of an elementwise function in its argument i; None
    where there is none to write, which is refused once that argument is active.

    For complex arguments the function must be holomorphic; the cotangent takes the conjugate
    derivative (convention du/dx + i du/dy).
    """
    names = tuple(f"x{i}" for i in range(len(partials)))
    for fn in fns if isinstance(fns, tuple) else (fns,):
        RULES[fn] = Rule(fn, _elementwise(fn, partials), names, broadcasts=True)


def _elementwise(fn: Any, partials: tuple[Callable[..., Any] | None, ...]) -> Callable[..., Any]:
    def pullback(g: Any, y: Any, *xs: Any) -> tuple[Any, ...]:
        return tuple(
            in_argument(fn, i) if d is None else in_precision(g * conj(d(y, *xs)), xs[i])
            for i, d in enumerate(partials)
        )

    return pullback


def in_precision(c: Any, x: Any) -> Any:
    """A cotangent in single precision where `x` is, if what it was made with has no such form."""
    t, has = type_of(x), type_of(c)
    if not (isinstance(t, Array) and isinstance(has, Array) and t.dtype and has.dtype):
        return c
    if t.dtype.char not in "fF" or has.dtype.char not in "dD":
        return c
    return call(runtime.astype, c, np.dtype("F" if has.dtype.char == "D" else "f"))


def in_argument(fn: Any, i: int) -> Refused:
    """A refusal to return in the place of a cotangent: it is raised where one is needed."""
    return unsupported(f"`{fn.__name__}` in its argument {i + 1}", "keep that one constant")


def named(names: str, *owners: Any) -> list[Any]:
    """What NumPy's modules have under these names, in the version that is there."""
    found = [(o, n) for o in owners or (np,) for n in names.split()]
    return [getattr(o, n) for o, n in found if hasattr(o, n)]


def constant(*fns: Any) -> None:
    """Declare callables whose result carries no derivative."""
    for fn in fns:
        RULES[fn] = Rule(fn, None)


def without_rule(reason: str, *fns: Any) -> None:
    """Say why callables have no rule, and what to write instead."""
    for fn in fns:
        REASONS[fn] = reason


def reason_for(fn: Any) -> str:
    """Why a callable has no rule; an empty string where nothing is said."""
    try:
        known = REASONS.get(fn, "")
    except TypeError:  # not hashable
        return ""
    if isinstance(fn, np.ufunc) and not fn.__name__.isidentifier():
        return REASONS[np.frompyfunc]
    if not known and isinstance(getattr(fn, "__self__", None), np.ufunc):
        return "write it as a loop, or with np.add, np.multiply or np.maximum"
    return known


def result(*fns: Any) -> Callable[[Result], Result]:
    """Register how the type of a result follows: `(*types, **static) -> Type`; static may hold
    `Value`s.
    """

    def register(f: Result) -> Result:
        for fn in fns:
            RESULTS[fn] = f
        return f

    return register


# Packages whose rules are read when one of their functions is first met: the folder of this package
# that holds them, and the files not read yet.
LATER: dict[str, set[str]] = {
    "numpy": {"polynomial"},
    "scipy": {
        *("special", "linalg", "fft", "signal", "ndimage", "stats", "interpolate"),
        *("integrate", "optimize", "sparse", "spatial"),
    },
}


def arrived(fn: Any) -> bool:
    """Whether the rules of the package that `fn` belongs to have been read just now."""
    if isinstance(fn, np.ufunc):  # it does not tell where it comes from
        package, part = "scipy", "special" if "scipy.special" in sys.modules else ""
    elif isinstance(fn, types.MethodDescriptorType):  # nor does one of a factorisation
        package, part = "scipy", "sparse" if "scipy.sparse.linalg" in sys.modules else ""
    else:
        package, _, rest = str(getattr(fn, "__module__", None)).partition(".")
        part = rest.partition(".")[0]
    left = LATER.get(package, ())
    if part not in left:
        return False
    LATER[package].discard(part)
    importlib.import_module(f"{__package__}.{package}.{part}")
    return True


def is_followed(t: Type) -> bool:
    """Whether there are rules for objects of this type, which have cotangents of their own."""
    return isinstance(t, Other) and (t.cls in FOLLOWED or (arrived(t.cls) and t.cls in FOLLOWED))


def lookup(fn: Any) -> Rule | None:
    try:
        found = RULES.get(fn)
    except TypeError:  # not hashable
        return None
    return RULES.get(fn) if found is None and arrived(fn) else found


def infer(fn: Any, args: tuple[Atom, ...], static: dict[str, Atom]) -> Type:
    """The type of `fn(*args, **static)`, as far as the rules tell."""
    try:
        how = RESULTS.get(fn)
    except TypeError:
        return UNKNOWN
    if how is None and arrived(fn):
        how = RESULTS.get(fn)
    if any(type_of(a) == UNBOUND_TYPE for a in args) and fn is not runtime.bound:
        return UNBOUND_TYPE  # of a recursive call, not known yet: whatever it is made into
    try:
        if how is not None:
            return _no_object(how(*args, **static))
        if isinstance(fn, np.ufunc):
            return ufunc_result(fn, args, static)
    except (Undecided, TypeError, ValueError, IndexError, KeyError):
        # The types do not fit: the run itself will raise what NumPy raises.
        return UNKNOWN
    return UNKNOWN


def _no_object(t: Type) -> Type:
    """What looks like an array of objects is one whose dtype is not known."""
    if isinstance(t, Array) and t.dtype is not None and t.dtype.kind == "O":
        return Array(None, t.shape)
    return t


def ufunc_result(fn: np.ufunc, args: tuple[Atom, ...], static: dict[str, Atom]) -> Type:
    types = [type_of(a) for a in args]
    if (
        set(static) - {"dtype", *LAYOUT}
        or fn.nout != 1
        or not all(isinstance(t, Scalar | Array) for t in types)
    ):
        return UNKNOWN
    shapes = [shape_of(t) for t in types]
    dtypes = [dtype_like(t) for t in types]
    if static.get("dtype") is not None:
        dtype: np.dtype[Any] | None = np.dtype(static["dtype"])
    elif any(d is None for d in dtypes):
        dtype = None
    else:
        dtype = fn.resolve_dtypes((*dtypes, None))[-1]
    return Array(dtype, broadcast(*shapes))


# Expressions that rules share.


def call(fn: Any, *args: Any, **static: Any) -> Any:
    """`fn(*args, **static)` where NumPy does not dispatch on a `Value`: an op if there is one, else
    computed.
    """
    symbolic = any(True for _ in values((args, static)))
    return emit(fn, args, static) if symbolic else fn(*args, **static)


def unsupported(what: str, help: str = "") -> Refused:
    """A refusal to raise in a rule: `what` has no derivative here."""
    try:
        span = current_span()
    except LookupError:  # a rule that computes
        span = None
    return refuse("ZYG302", f"{what} has no gradient rule", span, help)


def conj(x: Any) -> Any:
    """The conjugate; nothing where `x` is known to be real."""
    return np.conj(x) if is_complex(type_of(x)) is not False else x


def shape_of_atom(x: Any) -> tuple[Any, ...] | None:
    return shape_of(type_of(x))


def rank_of(x: Any) -> int:
    """The rank of an atom, which must be known. Raises Undecided."""
    shape = shape_of_atom(x)
    if shape is None:
        if isinstance(x, Value):
            raise Undecided(x, "the rank")
        return int(np.ndim(x))
    return len(shape)


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes as non-negative ints; all where `axis` is None."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted(int(a) % rank for a in axes))


def static_type(x: Any) -> Any:
    """A metadata atom for type inference: a known value, or None where only the run knows it."""
    t = type_of(x)
    return x if not isinstance(x, Value) else (t.value if isinstance(t, Const) else None)


__all__ = [
    "ATTRIBUTES",
    "LAYOUT",
    "LOWERED",
    "METHODS",
    "PLACES",
    "REASONS",
    "REFUSAL",
    "RESULTS",
    "RULES",
    "Rule",
    "axes_of",
    "call",
    "conj",
    "constant",
    "elementwise_rule",
    "emit",
    "in_argument",
    "in_precision",
    "infer",
    "lookup",
    "named",
    "rank_of",
    "reason_for",
    "result",
    "rule",
    "shape_of_atom",
    "static_type",
    "takes_lists",
    "ufunc_result",
    "unsupported",
    "wants_arrays",
    "without_rule",
]


# ---- methods and attributes: the function that each one is, its object first


def _methods() -> dict[str, Any]:
    same = (
        "sum mean prod max min std var cumsum cumprod argmax argmin argsort any all clip reshape "
        "transpose ravel squeeze swapaxes repeat trace diagonal round dot take nonzero "
        "searchsorted choose argpartition"
    )
    table = {name: getattr(np, name) for name in same.split()}
    table |= {"conj": np.conjugate, "conjugate": np.conjugate}
    own = ("astype", "copy", "flatten", "item", "tolist")
    table |= {name: getattr(runtime, name) for name in own}
    return table | {"compress": runtime.compressed}


def _draws(cls: type) -> dict[str, Any]:
    return {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


METHODS: dict[type, dict[str, Any]] = {
    np.ndarray: _methods(),
    np.generic: _methods(),
    np.random.Generator: _draws(np.random.Generator),
    np.random.RandomState: _draws(np.random.RandomState),
}

ATTRIBUTES: dict[str, Any] = {
    "T": np.transpose,
    "mT": np.matrix_transpose,
    "real": np.real,
    "imag": np.imag,
    "shape": np.shape,
    "size": np.size,
    "ndim": np.ndim,
    "nbytes": runtime.nbytes,
}
