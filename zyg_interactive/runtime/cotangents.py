"""Cotangents: zeros, sums, the shape and dtype of a value, structures of them."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from .calls import defaults_given, shared_cells
from .outside import is_outside


class NoCotangent(TypeError):
    """A derivative came to what has none."""


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


def real_where(c: Any, y: Any) -> Any:
    """A cotangent of `y`, its real part where `y` turns out to be real."""
    if isinstance(c, tuple | list) and isinstance(y, tuple | list):
        items = [real_where(a, b) for a, b in zip(c, y, strict=True)]
        return tuple_like(c, items) if isinstance(c, tuple) else items
    if isinstance(c, complex) or (isinstance(c, np.ndarray | np.generic) and c.dtype.kind == "c"):
        return c if np.iscomplexobj(y) else c.real
    return c


DEEPEST = 20
# Of classes whose objects have cotangents of a form of their own: what makes a zero one of an
# object, and what a user is shown of one.
ZEROS: dict[type, Callable[[Any], Any]] = {}
SHOWN: dict[type, Callable[[Any, Any], Any]] = {}


def zeros_like(x: Any, around: tuple[Any, ...] = ()) -> Any:
    """A fresh zero cotangent for `x`: floating, complex, or structured as `x` is; None where
    nothing can flow, and where `x` is a part of itself: one of what is `around`. What is far inside
    of a chain of objects has its cotangent in memory, by its identity.
    """
    if isinstance(x, complex):
        return 0j
    if isinstance(x, int | float):
        return 0.0
    if isinstance(x, np.ndarray | np.generic):
        return np.zeros(x.shape, cotangent_dtype(x.dtype)) if x.dtype.kind in "biufc" else None
    if type(x) in ZEROS:
        return ZEROS[type(x)](x)
    if isinstance(x, types.FunctionType) and (x.__closure__ or defaults_given(x)):
        if any(x is y for y in around):
            return None
        around = (*around, x)
        shared = shared_cells(x)  # what these hold has its cotangent in memory
        parts = (
            None if i in shared else zeros_like(cell.cell_contents, around)
            for i, cell in enumerate(x.__closure__ or ())
        )
        return (*parts, *(zeros_like(d, around) for d in defaults_given(x)))
    if isinstance(x, tuple):
        return tuple_like(x, [zeros_like(e, around) for e in x])
    if len(around) > DEEPEST or any(x is y for y in around):
        return None
    around = (*around, x)
    if isinstance(x, list):
        return [zeros_like(e, around) for e in x]
    if isinstance(x, dict):
        items = {k: zeros_like(v, around) for k, v in x.items()}
        # The items of SciPy's results are their attributes.
        by_name = type(x).__setattr__ is dict.__setitem__
        return types.SimpleNamespace(**items) if by_name else items
    fields = attributes(x)
    if fields is None:
        return None
    if not fields:  # a name without a value, which may stand where numbers do
        return 0.0
    return types.SimpleNamespace(**{k: zeros_like(v, around) for k, v in fields.items()})


PLAIN = (
    str,
    bytes,
    type(None),
    type(Ellipsis),
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    type,
    np.ufunc,
)


# Modules whose objects are not taken apart.
OPAQUE = ("numpy.", "builtins.", "scipy.sparse.")


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
    if f"{type(x).__module__}.".startswith(OPAQUE) or is_outside(type(x)):
        return None
    found = getattr(x, "__dict__", None)
    return dict(found) if isinstance(found, dict) else None


def cotangent_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Cotangents are floating: integers are differentiated as reals."""
    return dtype if dtype.kind in "fc" else np.dtype(float)


def as_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A cotangent in the dtype of its value."""
    if dtype.kind != "c" and np.iscomplexobj(x):
        x = np.real(x)
    return np.asarray(x, dtype) if isinstance(x, np.ndarray) else dtype.type(x)


def tuple_like(x: Any, items: list[Any]) -> Any:
    return type(x)(*items) if hasattr(x, "_make") else tuple(items)


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents, which may be None (zero) or structured. Neither is changed."""
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, tuple):
        return tuple_like(a, [add(x, y) for x, y in zip(a, b, strict=True)])
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
    if c is None:
        return buffer
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
    """Add `c` at `buffer[index]` in place, repeated indices counted each time; returns it."""
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
        return tuple_like(buffer, items)
    if isinstance(buffer, list):
        _add_items(buffer, index, c)
        return buffer
    if isinstance(buffer, dict):
        buffer[index] = add(buffer.get(index), c)
        return buffer
    raise NoCotangent("no cotangent of a part of an object that is not followed")


def add_field(buffer: Any, name: str, c: Any) -> Any:
    """The cotangent of an object with `c` added to that of one attribute. The buffer is not
    changed.
    """
    return add(buffer, types.SimpleNamespace(**{name: c}))


def _add_items(items: list[Any], index: Any, c: Any) -> None:
    if isinstance(index, slice):
        items[index] = [_item(x, y) for x, y in zip(items[index], c, strict=True)]
    else:
        items[index] = _item(items[index], c)


def _item(held: Any, c: Any) -> Any:
    """The sum of two cotangents; those of Python's numbers are Python's."""
    total = add(held, c)
    return float(total) if type(held) is float and type(c) is np.float64 else total


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


def own(x: Any) -> Any:
    """A copy that shares memory with nothing: what a gradient hands to its caller."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, tuple):
        return tuple_like(x, [own(e) for e in x])
    if isinstance(x, list):
        return [own(e) for e in x]
    if isinstance(x, dict):
        return {k: own(v) for k, v in x.items()}
    if isinstance(x, types.SimpleNamespace):
        return types.SimpleNamespace(**own(vars(x)))
    return x


def is_sparse(x: Any) -> bool:
    """Whether something is a sparse matrix of SciPy, which is not imported for that."""
    return (type(x).__module__ or "").startswith("scipy.sparse") and hasattr(x, "tocoo")


def shown(c: Any, x: Any) -> Any:
    """The cotangent of an argument `x` as a user is given it."""
    if c is None:
        return None
    if type(x) in SHOWN:
        return SHOWN[type(x)](c, x)
    if isinstance(x, tuple):
        return tuple_like(c, [shown(*each) for each in zip(c, x, strict=True)])
    if isinstance(x, list) and len(c) == len(x):  # else the program has changed it
        return [shown(*each) for each in zip(c, x, strict=True)]
    if isinstance(x, dict):
        return {k: shown(v, x.get(k)) for k, v in c.items()}
    if isinstance(c, types.SimpleNamespace):
        fields = {k: shown(v, getattr(x, k, None)) for k, v in vars(c).items()}
        return types.SimpleNamespace(**fields)
    return c


def record(**fields: Any) -> types.SimpleNamespace:
    """The cotangent of an object: its attributes' cotangents."""
    return types.SimpleNamespace(**fields)
