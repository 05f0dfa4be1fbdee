"""The only helpers that generated code calls. A leaf: it imports nothing but NumPy and the standard
library.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np


def unbroadcast(c: Any, x: Any) -> Any:
    """Sum the cotangent `c` over the axes along which `x` was broadcast. `x` may be a Python
    number.
    """
    shape = np.shape(x)
    if np.shape(c) == shape:
        return c
    extra = np.ndim(c) - len(shape)
    if extra < 0:
        return np.broadcast_to(c, shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and np.shape(c)[i + extra] != 1
    )
    return np.sum(c, axis=axes, keepdims=True).reshape(shape)


def match(c: Any, x: Any) -> Any:
    """`unbroadcast`, and the real part where `x` is real: the repair where types are known only at
    the run.
    """
    c = unbroadcast(c, x)
    return np.real(c) if np.iscomplexobj(c) and not np.iscomplexobj(x) else c


def zeros_like(x: Any) -> Any:
    """A fresh zero cotangent for `x`: floating, complex, or structured as `x` is; None where
    nothing can flow.
    """
    if isinstance(x, complex):
        return 0j
    if isinstance(x, int | float):
        return 0.0
    if isinstance(x, np.ndarray | np.generic):
        return np.zeros(x.shape, cotangent_dtype(x.dtype)) if x.dtype.kind in "biufc" else None
    if isinstance(x, types.FunctionType) and x.__closure__:
        return tuple(zeros_like(cell.cell_contents) for cell in x.__closure__)
    if isinstance(x, tuple):
        return _tuple_like(x, [zeros_like(e) for e in x])
    if isinstance(x, list):
        return [zeros_like(e) for e in x]
    if isinstance(x, dict):
        return {k: zeros_like(v) for k, v in x.items()}
    fields = attributes(x)
    if not fields:
        return None
    return types.SimpleNamespace(**{k: zeros_like(v) for k, v in fields.items()})


PLAIN = (
    str,
    bytes,
    type(None),
    type(Ellipsis),
    types.FunctionType,
    types.BuiltinFunctionType,
    type,
    np.ufunc,
)


def attributes(x: Any) -> dict[str, Any] | None:
    """The attributes of an instance of a Python class, or None where it has no plain ones."""
    if isinstance(x, PLAIN):
        return None
    if dataclasses.is_dataclass(x):
        return {f.name: getattr(x, f.name) for f in dataclasses.fields(x) if hasattr(x, f.name)}
    if (
        isinstance(x, types.ModuleType | types.MethodType | np.random.Generator)
        or callable(x)
        and not hasattr(x, "__dict__")
    ):
        return None
    if type(x).__module__.partition(".")[0] in ("numpy", "builtins"):
        return None
    found = getattr(x, "__dict__", None)
    return dict(found) if isinstance(found, dict) else None


def cotangent_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Cotangents are floating: integers are differentiated as reals."""
    return dtype if dtype.kind in "fc" else np.dtype(float)


def _tuple_like(x: Any, items: list[Any]) -> Any:
    return type(x)(*items) if hasattr(x, "_fields") else tuple(items)


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents, which may be None (zero) or structured. Neither is changed."""
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, tuple):
        return _tuple_like(a, [add(x, y) for x, y in zip(a, b, strict=True)])
    if isinstance(a, list):
        return [add(x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, dict):
        return {k: add(a.get(k), b.get(k)) for k in {**a, **b}}
    if isinstance(a, types.SimpleNamespace):
        return types.SimpleNamespace(**add(vars(a), vars(b)))
    return a + b


def accumulate(buffer: Any, c: Any) -> Any:
    """Add `c` into an owned buffer in place where it is an array or a list; returns the buffer to
    go on with.
    """
    if isinstance(buffer, np.ndarray) and buffer.ndim:
        if np.iscomplexobj(c) and not np.iscomplexobj(buffer):
            c = np.real(c)
        buffer += c
        return buffer
    if isinstance(buffer, list):
        buffer[:] = [add(x, y) for x, y in zip(buffer, c, strict=True)]
        return buffer
    return add(buffer, c)


def add_at(buffer: Any, index: Any, c: Any) -> Any:
    """Add `c` at `buffer[index]` in place, repeated indices counted each time; returns the buffer."""
    if isinstance(buffer, np.ndarray):
        if np.iscomplexobj(c) and not np.iscomplexobj(buffer):
            c = np.real(c)
        if is_basic(index):
            buffer[index] += c
        else:
            np.add.at(buffer, index, c)
        return buffer
    if isinstance(buffer, tuple):
        items = list(buffer)
        _add_items(items, index, c)
        return _tuple_like(buffer, items)
    if isinstance(buffer, list):
        _add_items(buffer, index, c)
        return buffer
    if isinstance(buffer, dict):
        buffer[index] = add(buffer.get(index), c)
        return buffer
    raise TypeError(f"no cotangent of a {type(buffer).__name__} at an index")


def add_field(buffer: Any, name: str, c: Any) -> Any:
    """The cotangent of an object with `c` added to that of one attribute. The buffer is not
    changed.
    """
    return add(buffer, types.SimpleNamespace(**{name: c}))


def _add_items(items: list[Any], index: Any, c: Any) -> None:
    if isinstance(index, slice):
        items[index] = [add(x, y) for x, y in zip(items[index], c, strict=True)]
    else:
        items[index] = add(items[index], c)


def is_basic(index: Any) -> bool:
    """Whether an index selects each element at most once: NumPy's basic indexing, and boolean
    masks.
    """
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        if isinstance(part, np.ndarray | list):
            if np.asarray(part).dtype != bool:
                return False
        elif isinstance(part, tuple):
            return False
    return True


def quotient(a: Any, b: Any) -> Any:
    """`a / b` of Python numbers, with NumPy's result where b is 0."""
    try:
        return a / b
    except ZeroDivisionError:
        with np.errstate(all="ignore"):
            return (np.divide(a, b)).item()


def power(a: Any, b: Any) -> Any:
    """`a ** b` of Python numbers, with NumPy's result where Python raises."""
    try:
        return a**b
    except (ZeroDivisionError, OverflowError):
        with np.errstate(all="ignore"):
            return np.power(float(a), float(b)).item()


def log(x: float) -> float:
    """`math.log` with NumPy's results at zero and below."""
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else math.nan


def select(condition: Any, a: Any, b: Any) -> Any:
    """`np.where` of Python scalars."""
    return a if condition else b


def reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


def scalar(x: Any) -> Any:
    """The cotangent of a Python number as a Python number."""
    return x.item() if isinstance(x, np.generic | np.ndarray) and x.size == 1 else x


def real_scalar(x: Any) -> Any:
    """As `scalar`, for a real Python number."""
    x = scalar(x)
    return x.real if isinstance(x, complex) else x


def as_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A cotangent in the dtype of its value."""
    if dtype.kind != "c" and np.iscomplexobj(x):
        x = np.real(x)
    return np.asarray(x, dtype) if isinstance(x, np.ndarray) else dtype.type(x)


def check_scalar(y: Any) -> None:
    """Raise where a gradient is asked of something that is not one real number."""
    if (
        np.ndim(y) != 0
        or isinstance(y, complex | np.complexfloating)
        or not isinstance(y, int | float | np.generic | np.ndarray)
    ):
        raise NotScalar(y)


class NotScalar(TypeError):
    """The result of a function whose gradient was asked for is not a real scalar."""

    def __init__(self, y: Any):
        super().__init__(f"the result is a {type(y).__name__} of shape {np.shape(y)}")
        self.y = y


def own(x: Any) -> Any:
    """A copy that shares memory with nothing: what a gradient hands to its caller."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, tuple):
        return _tuple_like(x, [own(e) for e in x])
    if isinstance(x, list):
        return [own(e) for e in x]
    if isinstance(x, dict):
        return {k: own(v) for k, v in x.items()}
    if isinstance(x, types.SimpleNamespace):
        return types.SimpleNamespace(**own(vars(x)))
    return x


def record(**fields: Any) -> types.SimpleNamespace:
    """The cotangent of an object: its attributes' cotangents."""
    return types.SimpleNamespace(**fields)


def bound(x: Any, unbound: Any, name: str) -> Any:
    """`x`, or the error Python raises where a local name has no value."""
    if x is unbound:
        raise UnboundLocalError(
            f"cannot access local variable '{name}' where it is not associated with a value"
        )
    return x


def unbound_name(name: str) -> Any:
    raise NameError(f"name '{name}' is not defined")


def truth(x: Any) -> bool:
    return bool(x)


class Scope:
    """The globals of a function as one object, not as the items of a dictionary."""

    def __init__(self, names: dict[str, Any]):
        self.names = names

    def __repr__(self) -> str:
        return "globals"


def make_closure(
    code: types.CodeType, scope: Scope, defaults: Any, kwdefaults: Any, *captured: Any
) -> Any:
    """The function that a `def` or `lambda` makes, over the values it captures."""
    cells = tuple(types.CellType(v) for v in captured)
    f = types.FunctionType(code, scope.names, code.co_name, defaults, cells)
    f.__kwdefaults__ = kwdefaults
    return f


def captured(f: types.FunctionType, i: int) -> Any:
    """What a closure captured as its i-th free variable."""
    return (f.__closure__ or ())[i].cell_contents


def make_list(*items: Any) -> list[Any]:
    return list(items)


def make_dict(keys: tuple[Any, ...], *values: Any) -> dict[Any, Any]:
    return dict(zip(keys, values, strict=True))


def construct(cls: Any, fields: tuple[str, ...], *values: Any) -> Any:
    """An instance of a dataclass from its fields."""
    return cls(**dict(zip(fields, values, strict=True)))


def join_text(*parts: str) -> str:
    return "".join(parts)


def check_length(items: Any, n: int) -> None:
    """Raise what unpacking into `n` names raises."""
    if len(items) != n:
        few = len(items) < n
        raise ValueError(
            f"not enough values to unpack (expected {n}, got {len(items)})"
            if few
            else f"too many values to unpack (expected {n})"
        )


def check_immutable(x: Any, name: str) -> None:
    """An in-place operator on an array is a change of the array, which is not supported."""
    if isinstance(x, np.ndarray | list):
        raise Changed(
            f"`{name}` is changed in place; write `{name} = {name} + ...`, which makes a new one"
        )


def compress(pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The items of a comprehension that its conditions let through."""
    return [x for keep, x in pairs if keep]


def expand(g: list[Any], pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The pullback of `compress`: zero for the items left out."""
    it = iter(g)
    return [(None, next(it) if keep else zeros_like(x)) for keep, x in pairs]


def selected(c: list[tuple[bool, Any]], pairs: list[tuple[bool, Any]]) -> list[Any]:
    """The pullback of `expand`: what the items let through get."""
    return [x for (_, x), (keep, _) in zip(c, pairs, strict=True) if keep]


def chain(lists: list[list[Any]]) -> list[Any]:
    """The items of lists in a row, as a comprehension with two `for` gives them."""
    return [x for items in lists for x in items]


def unchain(g: list[Any], lists: list[list[Any]]) -> list[list[Any]]:
    """The pullback of `chain`."""
    it = iter(g)
    return [[next(it) for _ in items] for items in lists]


class Changed(RuntimeError):
    """A call whose result is not used changed an array in place."""


def _arrays(x: Any, depth: int) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays in a structure of containers and objects."""
    if isinstance(x, np.ndarray):
        yield x
    elif depth < 6:
        parts = x if isinstance(x, list | tuple) else x.values() if isinstance(x, dict) else ()
        if not parts and type(x).__module__ not in ("builtins", "numpy"):
            parts = getattr(x, "__dict__", {}).values()
        for part in parts:
            yield from _arrays(part, depth + 1)


def _members(container: list[Any] | dict[Any, Any]) -> Any:
    return container if isinstance(container, list) else container.values()


def observe(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call something that is not differentiated, and make sure it changed none of the arrays it was
    given.
    """
    before = [(a, a.copy()) for a in _arrays((args, kwargs), 0)]
    containers = [(c, c.copy()) for c in (*args, *kwargs.values()) if isinstance(c, list | dict)]
    result = f(*args, **kwargs)
    for container, held in containers:
        if len(container) != len(held) or any(
            x is not y for x, y in zip(_members(container), _members(held), strict=True)
        ):
            kind = type(container).__name__
            name = getattr(f, "__name__", repr(f))
            raise Changed(f"`{name}` changed a {kind}, and there is no gradient rule for it")
    for array, copy in before:
        if not np.array_equal(array, copy, equal_nan=array.dtype.kind in "fc"):
            name = getattr(f, "__name__", repr(f))
            raise Changed(
                f"`{name}` changed an array in place, and there is no gradient rule for it"
            )
    return result


# ---- what rules of sequences, of shapes and of matrices write where no NumPy function says it


def _zero(x: Any) -> Any:
    return np.zeros(np.shape(x), cotangent_dtype(np.asarray(x).dtype))


def split_like(c: Any, xs: Any, axis: int | None) -> list[Any]:
    """The pieces of `c` that belong to the members of `xs`, which were concatenated along `axis`."""
    pieces, start = [], 0
    flat = np.ravel(c) if axis is None else np.moveaxis(c, axis, 0)
    for x in xs:
        n = np.size(x) if axis is None else np.shape(x)[axis] if axis < np.ndim(x) else 1
        piece = flat[start : start + n]
        piece = piece if axis is None else np.moveaxis(piece, 0, axis)
        pieces.append(np.reshape(piece, np.shape(x)))
        start += n
    return pieces


def join_like(cs: Any, xs: Any, axis: int | None) -> Any:
    """The concatenation of the cotangents `cs` of the members of `xs`; None is zero."""
    parts = [_zero(x) if c is None else np.asarray(c) for c, x in zip(cs, xs, strict=True)]
    if axis is None:
        return np.concatenate([np.ravel(p) for p in parts])
    lifted = [np.reshape(p, p.shape + (1,) * (axis + 1 - p.ndim)) for p in parts]
    return np.concatenate(lifted, axis)


def restructure(c: Any, xs: Any) -> Any:
    """The cotangent `c` of `np.array(xs)` in the structure of the nested lists `xs`."""
    if isinstance(xs, list):
        return [restructure(c[i], x) for i, x in enumerate(xs)]
    if isinstance(xs, tuple):
        return _tuple_like(xs, [restructure(c[i], x) for i, x in enumerate(xs)])
    return scalar(c) if isinstance(xs, int | float | complex) else c


def assemble(cs: Any, xs: Any) -> Any:
    """The array of the cotangents `cs` of the nested lists `xs`; None is zero."""
    if isinstance(xs, list | tuple):
        given = cs if cs is not None else [None] * len(xs)
        parts = [assemble(c, x) for c, x in zip(given, xs, strict=True)]
        return np.stack(parts) if parts else np.zeros(0)
    return _zero(xs) if cs is None else np.asarray(cs)


def spread(c: Any, xs: Any) -> list[Any]:
    """The cotangent `c` of a sum for each of the terms `xs`."""
    return [match(c, x) for x in xs]


def gathered(cs: Any, like: Any) -> Any:
    """The sum of the cotangents `cs`, each broadcast to the shape of `like`; None is zero."""
    start = zeros_like(like)
    return sum((np.broadcast_to(c, np.shape(like)) for c in cs if c is not None), start=start)


def before(x: Any, axis: int) -> Any:
    """The product of the elements that come before each one along an axis."""
    y = np.ones_like(x)
    first = np.moveaxis(y, axis, 0)
    first[1:] = np.cumprod(np.moveaxis(x, axis, 0)[:-1], axis=0)
    return y


def horner(c: Any, x: Any, axis: int) -> Any:
    """`s` with `s[i] = c[i] + x[i + 1] * s[i + 1]` along an axis: Horner's scheme."""
    s = np.array(c, np.result_type(c, x))
    steps, factors = np.moveaxis(s, axis, 0), np.moveaxis(x, axis, 0)
    for i in range(len(steps) - 2, -1, -1):
        steps[i] += factors[i + 1] * steps[i + 1]
    return s


def diagonal_like(c: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros in the shape of `x` with `c` on a diagonal."""
    y = np.zeros(np.shape(x), np.result_type(c))
    view = np.moveaxis(y, (axis1, axis2), (-2, -1))
    n = np.shape(c)[-1]
    rows, columns = np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)
    view[..., rows, columns] = c
    return y


def add_along_axis(c: Any, x: Any, indices: Any, axis: int) -> Any:
    """Zeros in the shape of `x`, `c` added where `np.take_along_axis(x, indices, axis)` reads."""
    y = np.zeros(np.shape(x), np.result_type(c))
    where: list[Any] = list(np.ogrid[tuple(slice(n) for n in np.shape(indices))])
    where[axis] = indices
    np.add.at(y, tuple(where), c)
    return y


def cofactor(a: Any) -> Any:
    """The matrix of cofactors, the derivative of the determinant; of singular matrices too."""
    u, s, vh = np.linalg.svd(a)
    others = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]), axis=-1)
    turn = (np.linalg.det(u) * np.linalg.det(vh))[..., None]
    cofactors = (np.conj(u) * (turn * others)[..., None, :]) @ np.conj(vh)
    return cofactors.astype(np.result_type(a, np.float32), copy=False)


def cofactor_pullback(c: Any, a: Any) -> Any:
    """The cotangent of `a` for the cotangent `c` of `cofactor(a)`."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    eye = np.eye(n, dtype=bool)
    skip = eye[:, None, :] | eye[None, :, :]
    pairs = np.prod(np.where(skip, 1.0, s[..., None, None, :]), axis=-1) * ~eye
    turn = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    inner = np.conj(turn) * (np.swapaxes(u, -1, -2) @ c @ np.swapaxes(vh, -1, -2))
    diagonal = np.einsum("...ij,...jj->...i", pairs, inner)
    return u @ (diagonal[..., None] * eye - pairs * np.swapaxes(inner, -1, -2)) @ vh


# ---- methods of arrays that no NumPy function equals in every argument


def astype(
    x: Any,
    dtype: Any,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: bool = True,
    copy: bool = True,
) -> Any:
    return x.astype(dtype, order, casting, subok, copy)


def copy(x: Any, order: Any = "C") -> Any:
    return x.copy(order)


def flatten(x: Any, order: Any = "C") -> Any:
    return x.flatten(order)


def item(x: Any, *index: Any) -> Any:
    return x.item(*index)


def tolist(x: Any) -> Any:
    return x.tolist()


class Dynamic:
    """Calls that are specialised when they happen. The engine puts itself here; generated code only
    calls.
    """

    def forward(
        self, wrt: tuple[int, ...], names: tuple[str, ...], fn: Any, args: tuple[Any, ...]
    ) -> tuple[Any, Any]:
        raise RuntimeError("zyg_interactive.engine is not loaded")

    def reverse(self, back: Any, g: Any) -> tuple[Any, ...]:
        raise RuntimeError("zyg_interactive.engine is not loaded")


dynamic = Dynamic()


def dynamic_forward(
    wrt: tuple[int, ...], names: tuple[str, ...], fn: Any, *args: Any
) -> tuple[Any, Any]:
    """Call `fn` and keep its pullback. The last arguments are keywords called `names`; `wrt` counts
    `fn` as 0.
    """
    return dynamic.forward(wrt, names, fn, args)


def dynamic_reverse(back: Any, g: Any) -> Any:
    """The cotangents of the callee and arguments that were asked for."""
    return _one_or_all(dynamic.reverse(back, g))


def _one_or_all(found: tuple[Any, ...]) -> Any:
    """As generated functions return: one result by itself, several as a tuple."""
    return found[0] if len(found) == 1 else found


_reached: ContextVar[list[tuple[Any, Any]] | None] = ContextVar("_reached", default=None)


@contextmanager
def collecting() -> Iterator[list[tuple[Any, Any]]]:
    """Collect (value, cotangent) of globals that calls known only at the run have reached."""
    found: list[tuple[Any, Any]] = []
    token = _reached.set(found)
    try:
        yield found
    finally:
        _reached.reset(token)


def reached() -> list[tuple[Any, Any]] | None:
    """Where such pairs are collected now, or None."""
    return _reached.get()


def custom_forward(call: Any, *args: Any) -> tuple[Any, Any]:
    """Call a gradient rule of the user's: (y, back)."""
    y, back = call.forward(*args)
    return y, back


def custom_reverse(call: Any, back: Any, g: Any, *args: Any) -> Any:
    """The cotangents that the user's rule gives, checked against the arguments."""
    return _one_or_all(call.reverse(back, g, *args))
