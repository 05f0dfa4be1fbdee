"""Names, closures and calls, also those that are specialised when they happen."""

from __future__ import annotations

import builtins
import collections
import functools
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

import numpy as np

from .outside import is_apart


def bound(x: Any, unbound: Any, name: str) -> Any:
    """`x`, or the error Python raises where a local name has no value."""
    if x is unbound:
        raise UnboundLocalError(
            f"cannot access local variable '{name}' where it is not associated with a value"
        )
    return x


def unbound_name(name: str) -> Any:
    raise NameError(f"name '{name}' is not defined")


class Scope:
    """The globals of a function as one object, not as the items of a dictionary."""

    def __init__(self, names: dict[str, Any]):
        self.names = names

    def __repr__(self) -> str:
        return "globals"


_scopes: WeakValueDictionary[int, Scope] = WeakValueDictionary()


def scope_of(names: dict[str, Any]) -> Scope:
    """The one object that stands for some globals."""
    found = _scopes.get(id(names))
    if found is None:
        found = _scopes[id(names)] = Scope(names)  # keeps the globals alive: ids are unique
    return found


def read_global(scope: Scope, name: str) -> Any:
    """A global variable that the program binds."""
    if name in scope.names:
        return scope.names[name]
    if hasattr(builtins, name):
        return getattr(builtins, name)
    raise NameError(f"name '{name}' is not defined")


def store_global(scope: Scope, name: str, value: Any) -> None:
    scope.names[name] = value


def make_closure(
    code: types.CodeType, scope: Scope, defaults: Any, kwdefaults: Any, *held: Any
) -> Any:
    """The function that a `def` or `lambda` makes, over the values it captures; a cell is the
    variable itself. Defaults that only the run knows come after these, and `kwdefaults` names the
    last of them, of the parameters that are given by name.
    """
    captured = held[: len(code.co_freevars)]
    given = held[len(captured) :]
    if given:
        last = len(given) - len(kwdefaults)
        defaults, kwdefaults = given[:last], dict(zip(kwdefaults, given[last:], strict=True))
    cells = tuple(v if isinstance(v, types.CellType) else types.CellType(v) for v in captured)
    f = types.FunctionType(code, scope.names, code.co_name, defaults, cells)
    f.__kwdefaults__ = kwdefaults
    _made.add(f)
    shared = tuple(i for i, v in enumerate(captured) if isinstance(v, types.CellType))
    if shared:
        _shared[f] = shared
    if given:
        _given[f] = given
    return f


def named_as(f: Any, wrapped: Any) -> Any:
    """A function that a program made, by the names of another one."""
    return functools.update_wrapper(f, wrapped)


# Which free variables of a closure that a program made are in memory.
_shared: WeakKeyDictionary[types.FunctionType, tuple[int, ...]] = WeakKeyDictionary()


# Defaults of closures that a program made, where only the run knows them.
_given: WeakKeyDictionary[types.FunctionType, tuple[Any, ...]] = WeakKeyDictionary()


_made: WeakSet[types.FunctionType] = WeakSet()


def is_made(f: Any) -> bool:
    """Whether a function was made by a program that is differentiated."""
    return isinstance(f, types.FunctionType) and f in _made


def shared_cells(f: Any) -> tuple[int, ...]:
    """The numbers of the free variables of a closure that other functions of the program share."""
    return _shared.get(f, ()) if isinstance(f, types.FunctionType) else ()


def captured_cell(f: types.FunctionType, i: int) -> types.CellType:
    """The i-th free variable of a closure itself."""
    return (f.__closure__ or ())[i]


def captured(f: types.FunctionType, i: int) -> Any:
    """What a closure captured as its i-th free variable, or, after these, has as a default."""
    cells = f.__closure__ or ()
    return cells[i].cell_contents if i < len(cells) else _given[f][i - len(cells)]


def defaults_given(f: types.FunctionType) -> tuple[Any, ...]:
    """The defaults of a closure that a program made, where only the run knows them."""
    return _given.get(f, ())


def held_by(f: types.FunctionType) -> list[Any]:
    """What a closure captured, and its defaults that only the run knows."""
    return [*(cell.cell_contents for cell in f.__closure__ or ()), *defaults_given(f)]


def remade(f: types.FunctionType, held: list[Any]) -> types.FunctionType:
    """A function like a closure, that holds other values."""
    count = len(f.__closure__ or ())
    cells, given = tuple(map(types.CellType, held[:count])), tuple(held[count:])
    made = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, cells)
    made.__kwdefaults__ = f.__kwdefaults__
    if given:
        last = len(given) - len(f.__kwdefaults__ or {})
        made.__defaults__ = given[:last]
        made.__kwdefaults__ = dict(zip(f.__kwdefaults__ or {}, given[last:], strict=True))
        _given[made] = given
    return made


class Unhandled(BaseException):
    """What is refused while a program runs. It is no `Exception`: no handler of the program may
    take it for one of its own.
    """


class Changed(Unhandled):
    """A call that is not followed changed something, or may change it."""

    def __init__(self, what: str, help: str = "build a new array instead"):
        super().__init__(what)
        self.help = help


class NotFollowed(Unhandled):
    """Something that only the run knows, of which no derivative can be taken."""

    def __init__(self, what: str, help: str = "make it a list first: `list(...)`"):
        super().__init__(what)
        self.help = help


PLAIN = (int, float, complex, str, bytes, set, frozenset, np.ndarray, np.generic, type(None))


def attribute_named(x: Any, name: str) -> Any:
    return getattr(x, name)


def check_held(x: Any, name: str) -> None:
    """Make sure that an attribute is what an object holds, not what its class makes of its name."""
    member = next((vars(c)[name] for c in type(x).__mro__ if name in vars(c)), None)
    if hasattr(type(member), "__get__") and not isinstance(member, types.MemberDescriptorType):
        raise Changed(
            f"`{name}` of a {type(x).__name__}, by a name that only the run knows, has no gradient",
            "write the name out",
        )


def check_same(name: str, first: Any, second: Any) -> None:
    """Raise where a function that is run a second time, for the reverse pass, did another thing."""
    if not _is_same(first, second):
        raise Changed(
            f"`{name}`, which is checkpointed, returned another value when it was run again",
            "call it without `checkpointed`: a function that draws random numbers, or reads what "
            "changes, cannot be run twice",
        )


def _is_same(x: Any, y: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic | int | float | complex):
        return np.array_equal(x, y, equal_nan=np.asarray(x).dtype.kind in "fc")
    if isinstance(x, tuple | list):
        return len(x) == len(y) and all(map(_is_same, x, y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(_is_same(v, y[k]) for k, v in x.items())
    return True  # a function or an object, of which what it holds is not compared


def check_immutable(x: Any, name: str) -> None:
    """An in-place operator on what may be changed is a change of it, which is not supported."""
    sparse = type(x).__module__.startswith("scipy.sparse")
    if sparse or isinstance(x, np.ndarray | list | dict | set | collections.deque):
        sign = "|" if isinstance(x, dict | set) else "+"
        raise Changed(
            f"`{name}` is changed in place; write `{name} = {name} {sign} ...`, which makes a new "
            "one"
        )


def observe(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call something that is not differentiated, and make sure it changed none of the arrays it was
    given.
    """
    before = [(a, a.copy()) for a in _arrays((args, kwargs), 0)]
    containers = [(c, dict(_held(c))) for c in _containers((args, kwargs), 0)]
    result = f(*args, **kwargs)
    for container, held in containers:
        now = _held(container)
        if [*now] != [*held] or any(now[k] is not held[k] for k in held):
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


def check_plain(x: Any) -> None:
    """Refuse the gradient in something in memory, where only the run knows that it is that."""
    if not isinstance(x, (*PLAIN, tuple)) and not callable(x):
        raise NotFollowed(
            f"a gradient in a {type(x).__name__}, inside of a program that changes something,",
            "let the function take the numbers or arrays themselves as arguments",
        )


def plain(fn: Any, *args: Any) -> Any:
    """What an operator makes that has no derivative of numbers, arrays, and sets that hold neither;
    of what else only the run knows, it must be a truth value or a whole number.
    """
    result = fn(*args)
    if isinstance(result, set | frozenset) and any(map(_has_number, result)):
        raise NotFollowed(f"`{fn.__name__}` of sets of numbers that only the run knows to be sets")
    if not isinstance(result, int | np.bool_ | np.integer):
        for a in args:
            if not isinstance(a, PLAIN):
                what = f"`{fn.__name__}` of a {type(a).__name__} that only the run knows"
                raise NotFollowed(what, "call a function or method that says what it does")
    return result


def _has_number(x: Any) -> bool:
    if isinstance(x, tuple | frozenset):
        return any(map(_has_number, x))
    return isinstance(x, int | float | complex | np.generic) and not isinstance(x, bool)


def apart(saved: Any, given: Any) -> Any:
    """What a pullback keeps, with copies of the arrays in it that its caller holds as well, and may
    change before the pullback is used.
    """
    held = list(_arrays(given, 0))
    return _apart(saved, held) if held else saved


def _apart(x: Any, held: list[Any]) -> Any:
    if isinstance(x, np.ndarray):
        return x.copy() if any(np.may_share_memory(x, a) for a in held) else x
    if type(x) in (tuple, list):
        items = [i if type(i) is float else _apart(i, held) for i in x]
        same = all(a is b for a, b in zip(x, items, strict=True))
        return x if same else items if type(x) is list else tuple(items)
    return x


def _arrays(x: Any, depth: int) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays in a structure of containers and objects."""
    if isinstance(x, np.ndarray):
        yield x
    elif depth < 6:
        for part in x if isinstance(x, tuple) else _held(x).values():
            yield from _arrays(part, depth + 1)


def _containers(x: Any, depth: int) -> Iterator[Any]:
    """The lists, dicts and objects in a structure."""
    if depth > 6 or isinstance(x, np.ndarray | int | float | complex | str):
        return
    if isinstance(x, tuple):
        parts: Any = x
    else:
        held = _held(x)
        if depth > 0 and (held or isinstance(x, HOLDING) or _has_attributes(x)):
            yield x
        parts = held.values()
    for part in parts:
        yield from _containers(part, depth + 1)


HOLDING = (list, dict, set, collections.deque)


def _held(x: Any) -> dict[Any, Any]:
    """What a list, dict, set, deque or object holds."""
    if isinstance(x, dict):
        return dict(x)
    if isinstance(x, set | list | collections.deque):
        return dict(enumerate(x))
    return _attributes(x) if _has_attributes(x) else {}


def _has_attributes(x: Any) -> bool:
    """Whether something is an object whose attributes are the program's."""
    if type(x).__module__ in ("builtins", "numpy") or is_apart(x):
        return False
    return isinstance(getattr(x, "__dict__", None), dict) or any(True for _ in _slots(type(x)))


def _attributes(x: Any) -> dict[str, Any]:
    """The attributes of an object, those in slots as well."""
    in_slots = {name: getattr(x, name) for name in _slots(type(x)) if hasattr(x, name)}
    return in_slots | getattr(x, "__dict__", {})


def _slots(cls: type) -> Iterator[str]:
    for c in cls.__mro__:
        for name, member in vars(c).items():
            if isinstance(member, types.MemberDescriptorType):
                yield name


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
