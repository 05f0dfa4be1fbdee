"""What `functools` makes of functions: partial ones, ones by another name, ones that remember."""

from __future__ import annotations

import ast
import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..ir.core import Atom, type_of, values
from ..ir.types import Closure
from ..iterators import partially, remembering
from .desugar import named
from .fence import refused
from .resolve import UserFunction
from .scope import BoundMethod, LocalFunction

if TYPE_CHECKING:
    from .functions import Functions


def partial(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`functools.partial` as a lambda over what it binds."""
    if not args:
        return NotImplemented
    if not any(True for _ in values((*args, *kwargs.values()))) and callable(args[0]):
        if not isinstance(args[0], UserFunction | LocalFunction | BoundMethod):
            return functools.partial(*args, **kwargs)
    key = ("partial", self.span(node))
    if self._is_shared(key):
        return self.call(partially, args, kwargs, node)
    function, *bound = args
    atoms = {f"a{i}_": a for i, a in enumerate(bound)}
    atoms |= {f"k_{k}": a for k, a in kwargs.items()}
    names = self.in_names(node, f=function, **atoms)
    more = ast.copy_location(ast.Starred(named(node, "more"), ast.Load()), node)
    first = [names[f"a{i}_"] for i in range(len(bound))]
    keywords = [ast.copy_location(ast.keyword(k, names[f"k_{k}"]), node) for k in kwargs]
    keywords.append(ast.copy_location(ast.keyword(None, named(node, "others")), node))
    call = ast.copy_location(ast.Call(names["f"], [*first, more], keywords), node)
    rest, keys = (ast.copy_location(ast.arg(name), node) for name in ("more", "others"))
    parameters = ast.arguments([], [], rest, [], [], keys, [])
    made = self.inner_function("<lambda>", ast.copy_location(ast.Lambda(parameters, call), node))
    return dataclasses.replace(made, key=key)


def wraps(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`functools.wraps(f)`: gives a function the names of another one."""
    return NotImplemented if len(args) != 1 or kwargs else BoundMethod(args[0], _named_as)


def _named_as(wrapped: Any, wrapper: Any) -> None:
    """Stands for what `functools.wraps` returns."""


def update_wrapper(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`functools.update_wrapper(f, g)`: a function by the names of another one."""
    if len(args) != 2 or kwargs:
        return NotImplemented
    f, wrapped = args
    if isinstance(f, LocalFunction):
        self.told_apart(f, node)
    return _named(self, f, wrapped, node)


def _wrap(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    wrapped, f = args
    return _named(self, f, wrapped, node)


def _named(self: Functions, f: Atom, wrapped: Atom, node: ast.expr) -> Atom:
    f = self.materialise(f, node)
    t = type_of(f)
    if not isinstance(t, Closure):
        raise refused(self.source, node, "another name for a function that is not defined here")
    made = self.op(runtime.named_as, (f, self.materialise(wrapped, node)), {}, node)
    made.type = t
    return made


def cache(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`functools.cache(f)`: a function that remembers what it returned."""
    if len(args) != 1 or kwargs:
        return NotImplemented
    return _remember(self, args[0], None, node)


def lru_cache(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    """`functools.lru_cache` of a function, or with its settings."""
    settings = {**dict(zip(("maxsize", "typed"), args, strict=False)), **kwargs}
    if set(settings) - {"maxsize", "typed"} or settings.get("typed"):
        return NotImplemented
    f, most = settings.get("maxsize", 128), 128
    if f is None or isinstance(f, int):
        return BoundMethod(f, _remembered)
    return _remember(self, f, most, node)


def _remembered(most: Any, f: Any) -> None:
    """Stands for what `functools.lru_cache(maxsize=most)` returns."""


def _remembers(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    most, f = args
    return _remember(self, f, most, node)


def _remember(self: Functions, f: Atom, most: int | None, node: ast.expr) -> Atom:
    self.memory()
    return _named(self, self.call(remembering, (f, most), {}, node), f, node)


def _outside_of_a_class(self: Functions, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
    raise refused(self.source, node, f"`{fn.__name__}` outside of a class", "leave it out")


DECORATORS: dict[Any, Any] = {
    functools.partial: partial,
    functools.wraps: wraps,
    functools.update_wrapper: update_wrapper,
    functools.lru_cache: lru_cache,
    functools.cache: cache,
    staticmethod: _outside_of_a_class,
    classmethod: _outside_of_a_class,
    _named_as: _wrap,
    _remembered: _remembers,
}
