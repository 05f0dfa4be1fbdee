"""Implicit parameters: `Params`, a set of arrays by identity; `Grads`, what is indexed by them."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from . import runtime


class Params:
    """An ordered set of arrays, by identity.

    >>> W, b = np.zeros((2, 3)), np.zeros(2)
    >>> len(Params([W, b, W]))
    2
    """

    def __init__(self, arrays: Iterable[Any] = ()):
        self._arrays: dict[int, Any] = {}
        for a in arrays:
            self.add(a)

    def add(self, array: Any) -> None:
        """Add one array, or every array in a list, tuple, dict or object."""
        if isinstance(array, np.ndarray):
            self._arrays.setdefault(id(array), array)
            return
        for part in _parts(array):
            self.add(part)

    def discard(self, array: Any) -> None:
        """Take an array out, where it is in."""
        self._arrays.pop(id(array), None)

    def __or__(self, other: Iterable[Any]) -> Params:
        return Params([*self, *other])

    def __and__(self, other: Params) -> Params:
        return Params(a for a in self if a in other)

    def __sub__(self, other: Params) -> Params:
        return Params(a for a in self if a not in other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Params) and self._arrays.keys() == other._arrays.keys()

    def __hash__(self) -> int:
        raise TypeError("Params can be changed, and so are no keys")

    def flat(self) -> Any:
        """Everything in one vector, in order: a copy."""
        return _flat(list(self))

    def load(self, vector: Any) -> None:
        """Write a vector such as `flat` gives back into the arrays. Raises ValueError where it has
        another length.
        """
        for array, part in zip(self, _parts_of(vector, list(self)), strict=True):
            array[...] = part

    def __iter__(self) -> Iterator[Any]:
        return iter(self._arrays.values())

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, array: Any) -> bool:
        return id(array) in self._arrays

    def __repr__(self) -> str:
        return f"Params([{', '.join(f'{a.dtype}{list(a.shape)}' for a in self)}])"


def _parts(x: Any) -> list[Any]:
    if isinstance(x, Mapping):
        return list(x.values())
    if isinstance(x, list | tuple | Params):
        return list(x)
    fields = runtime.attributes(x)
    if fields:
        return list(fields.values())
    raise TypeError(f"Params holds arrays, not a {type(x).__name__}")


def _flat(arrays: list[Any]) -> Any:
    return np.concatenate([np.ravel(a) for a in arrays]) if arrays else np.zeros(0)


def _parts_of(vector: Any, arrays: list[Any]) -> list[Any]:
    """A vector in parts of the shapes of some arrays."""
    vector = np.asarray(vector)
    wanted = sum(a.size for a in arrays)
    if vector.shape != (wanted,):
        raise ValueError(f"expected a vector of {wanted} elements, got shape {vector.shape}")
    ends = np.cumsum([a.size for a in arrays])[:-1]
    return [p.reshape(a.shape) for p, a in zip(np.split(vector, ends), arrays, strict=True)]


class Grads(Mapping[Any, Any]):
    """The gradient with respect to each array of `Params`, indexed by the array itself; None where
    no path exists.
    """

    def __init__(self, params: Params, gradients: dict[int, Any]):
        self.params, self._gradients = params, gradients

    def __getitem__(self, array: Any) -> Any:
        if array not in self.params:
            raise KeyError(
                "this array is not among the Params; an array is found by identity, not by value"
            )
        return self._gradients.get(id(array))

    def __contains__(self, array: object) -> bool:
        return array in self.params

    def __iter__(self) -> Iterator[Any]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def map(self, f: Callable[..., Any], *others: Grads) -> Grads:
        """`f` of each gradient that exists; with others, of those of one array together."""
        found = {
            k: f(g, *(o._gradients.get(k) for o in others))
            for k, g in self._gradients.items()
            if g is not None
        }
        return Grads(self.params, found)

    def copy(self) -> Grads:
        return self.map(np.copy)

    def flat(self) -> Any:
        """Every gradient in one vector, in the order of the Params; zeros where there is none."""
        return _flat([np.zeros(p.shape) if self[p] is None else self[p] for p in self.params])

    def load(self, vector: Any) -> Grads:
        """A vector such as `flat` gives as gradients of the same Params. Raises ValueError where it
        has another length.
        """
        arrays = list(self.params)
        parts = _parts_of(vector, arrays)
        return Grads(self.params, {id(a): p.copy() for a, p in zip(arrays, parts, strict=True)})

    def _combined(self, other: Grads, f: Callable[[Any, Any], Any]) -> Grads:
        keys = {**self._gradients, **other._gradients}
        params = Params([*self.params, *other.params])
        found = {k: f(self._gradients.get(k), other._gradients.get(k)) for k in keys}
        return Grads(params, found)

    def __add__(self, other: Grads) -> Grads:
        return self._combined(other, runtime.add)

    def __sub__(self, other: Grads) -> Grads:
        return self + -other

    def __neg__(self) -> Grads:
        return self.map(lambda g: -g)

    def __mul__(self, factor: float) -> Grads:
        return self.map(lambda g: g * factor)

    __rmul__ = __mul__

    def __truediv__(self, factor: float) -> Grads:
        return self.map(lambda g: g / factor)

    def __repr__(self) -> str:
        norms = (None if self[p] is None else np.linalg.norm(self[p]) for p in self.params)
        rows = [
            f"  {p.dtype}{list(p.shape)}: {'None' if norm is None else f'norm {norm:.4g}'}"
            for p, norm in zip(self.params, norms, strict=True)
        ]
        return "Grads(\n" + "\n".join(rows) + "\n)"


def gathered(params: Params, pairs: Iterable[tuple[Any, Any]]) -> Grads:
    """Add up the cotangents of values in which parameters were reached."""
    found: dict[int, Any] = {}
    for value, bar in pairs:
        _gather(params, value, bar, found)
    return Grads(params, found)


def _gather(params: Params, value: Any, bar: Any, found: dict[int, Any]) -> None:
    if bar is None:
        return
    if value in params if isinstance(value, np.ndarray) else False:
        found[id(value)] = runtime.add(found.get(id(value)), bar)
    elif isinstance(value, list | tuple):
        for v, b in zip(value, bar, strict=True):
            _gather(params, v, b, found)
    elif isinstance(value, dict):
        for k, v in value.items():
            _gather(params, v, bar.get(k), found)
    elif isinstance(value, types.FunctionType):
        for v, b in zip(runtime.held_by(value), bar, strict=True):
            _gather(params, v, b, found)
    else:
        for k, v in (runtime.attributes(value) or {}).items():
            _gather(params, v, getattr(bar, k, None), found)
