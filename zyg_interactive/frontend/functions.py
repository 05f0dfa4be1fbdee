"""Functions of functions, and what an object makes of operators and built-in functions."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
import functools
import itertools
import math
import operator
import types
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from .. import runtime
from ..ir.core import Atom, Value, type_of
from ..ir.types import (
    INT,
    UNBOUND_TYPE,
    UNKNOWN,
    Array,
    Const,
    Dict,
    List,
    Other,
    Record,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
    in_memory,
    may_be_differentiable,
)
from ..iterators import Kept, more, step
from ..rules.registry import is_followed, lookup
from .calls import WHOLE, goes_through
from .dataclass import fields_of, initialised_by, initialises, is_passed_on
from .decorators import DECORATORS
from .desugar import constant, stored
from .expressions import BINARY, is_any_set
from .fence import refused
from .kept import EACH, KeptIterators
from .memory import CONTAINERS, SETS, is_mapping
from .named import all_attributes, gotten, held_by, put
from .resolve import Known, UserFunction, is_hashable
from .scope import BoundMethod, Counted, Generated

# What a built-in function asks an object for.
ASKED: dict[Any, str] = {
    **{abs: "__abs__", len: "__len__", float: "__float__", int: "__int__", round: "__round__"},
    **{complex: "__complex__", operator.neg: "__neg__", operator.pos: "__pos__"},
    **{operator.invert: "__invert__", iter: "__iter__"},
    **{math.floor: "__floor__", math.ceil: "__ceil__", math.trunc: "__trunc__"},
}
_count = itertools.count()


@dataclass(frozen=True)
class Super:
    """`super()`: a receiver, seen as an instance of what comes after a class."""

    cls: type
    receiver: Atom


class Functions(KeptIterators):
    """Adds functions of functions to calls, and objects to functions of numbers."""

    def call_expression(self, node: ast.Call, name: str | None) -> Atom:
        match node:
            case ast.Call(func=ast.Name(id="super"), args=[], keywords=[]):
                found = self.resolver.name("__class__")
                arguments = [*self.fn.node.args.posonlyargs, *self.fn.node.args.args]
                if isinstance(found, Known) and isinstance(found.value, type) and arguments:
                    return Super(found.value, self.load(arguments[0].arg, node))
        return super().call_expression(node, name)

    def attribute(self, base: Atom, attr: str, node: ast.AST, name: str | None = None) -> Atom:
        if isinstance(base, Super):
            return self._inherited(base, attr, node, name)
        if isinstance(base, enum.Enum):
            return getattr(base, attr)
        t = type_of(base)
        if isinstance(t, Tuple) and attr == "_replace" and hasattr(t.cls, "_fields"):
            return BoundMethod(base, _replaced)
        if attr == "__dict__" and _is_object(base):
            raise all_attributes(self, node)
        if isinstance(t, Ref) and not issubclass(t.cls, CONTAINERS):
            found = next((vars(c)[attr] for c in t.cls.__mro__ if attr in vars(c)), None)
            if isinstance(found, functools.cached_property):
                return self._computed_once(base, t, attr, found, node)
            if found is None and t.site.read(attr) == UNBOUND_TYPE and not t.site.find().escaped:
                if isinstance(getattr(t.cls, "__getattr__", None), types.FunctionType):
                    return self.method_call(t.cls, "__getattr__", (base, attr), node)
            if _is_foreign_descriptor(found) or isinstance(
                t.cls.__getattribute__, types.FunctionType
            ):
                raise refused(self.source, node, f"the descriptor `{attr}` of a {t.cls.__name__}")
        return super().attribute(base, attr, node, name)

    def owner(self, base: Super, attr: str, node: ast.AST) -> tuple[type, type | None]:
        """The class of a `super()`, and the class after it that has an attribute."""
        t = type_of(base.receiver)
        cls = base.receiver if isinstance(base.receiver, type) else getattr(t, "cls", None)
        if not isinstance(cls, type) or base.cls not in cls.__mro__:
            raise refused(self.source, node, "`super()` here", "call the class by its name")
        after = cls.__mro__[cls.__mro__.index(base.cls) + 1 :]
        return cls, next((c for c in after if attr in vars(c)), None)

    def _inherited(self, base: Super, attr: str, node: ast.AST, name: str | None) -> Atom:
        cls, owner = self.owner(base, attr, node)
        if owner is None:
            raise refused(self.source, node, f"`{attr}` of `super()`, which has none")
        found = vars(owner)[attr]
        self.guard_member(owner, attr)
        if isinstance(found, property):
            return self.call(self.constant(found.fget, None), (base.receiver,), {}, node, name)
        if isinstance(found, staticmethod):
            return self.constant(found.__func__, None)
        if isinstance(found, classmethod):
            return BoundMethod(cls, self.constant(found.__func__, None))
        if found is object.__init__:
            return BoundMethod(base.receiver, _nothing)
        return BoundMethod(base.receiver, self.constant(found, None))

    def _has_inherited(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`hasattr(super(), name)`."""
        if len(args) == 2 and isinstance(args[0], Super) and isinstance(args[1], str):
            return self.owner(args[0], args[1], node)[1] is not None
        return NotImplemented

    def _computed_once(self, base: Atom, t: Ref, attr: str, found: Any, node: ast.AST) -> Atom:
        """A `cached_property`: what the object has, or what the function gives it."""
        has = self.op(runtime.has_own, (base, attr), {}, node)

        def compute() -> None:
            value = self.call(self.constant(found.func, None), (base,), {}, node)
            self._set(base, attr, value, node)

        self.branch(has, lambda: None, compute, node)
        return self.attribute_in_memory(base, attr, node, attr)

    def _unary(self, fn: Any, x: Atom, node: ast.AST, name: str | None) -> Atom:
        asked = self._asked(fn, (x,), node)
        return super()._unary(fn, x, node, name) if asked is None else asked[0]

    def _asked(self, fn: Any, args: tuple[Atom, ...], node: ast.AST) -> tuple[Atom] | None:
        """What an object of a user's class makes of a built-in function."""
        if not args or fn not in ASKED:
            return None
        t = type_of(args[0])
        if not _is_object(args[0]):
            return None
        assert isinstance(t, Record | Ref | Other)
        if issubclass(t.cls, Kept) and fn is iter:
            return (args[0],)
        method = getattr(t.cls, ASKED[fn], None)
        if not isinstance(method, types.FunctionType):
            return None
        self.guard_member(t.cls, ASKED[fn])
        return (self.call(self.constant(method, None), args, {}, node),)

    # ---- calls

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        if isinstance(fn, BoundMethod) and fn.fn is _replaced:
            return self._replaced(fn.receiver, kwargs, node)
        if isinstance(fn, BoundMethod) and fn.fn is _nothing:
            return None
        live = fn.live if isinstance(fn, UserFunction) else fn
        if is_hashable(live) and not isinstance(live, Value):
            asked = self._asked(live, args, node) if not kwargs else None
            if asked is not None:
                return asked[0]
            asked_sets = live in OPERATORS and any(_is_object(a) or is_any_set(a) for a in args)
            if len(args) == 2 and not kwargs and (live is operator.or_ or asked_sets):
                return self.binary(live, args[0], args[1], node, name)
            if live in SETS and self.heap is not None and isinstance(node, ast.expr):
                if len(args) < 2 and not kwargs:
                    return self.new_set(live, args, node)
            if live in THROUGH and (len(args) == 1 or live is sum):
                args = (self.gone_through_as(args[0], node), *args[1:])
            if isinstance(node, ast.expr) and self.is_lazy(live, args):
                return EACH[live](self, args, kwargs, node)
            lowered = FUNCTIONS.get(live)
            if lowered is not None and isinstance(node, ast.expr):
                found = lowered(self, live, args, kwargs, node)
                if found is not NotImplemented:
                    return found
            if isinstance(live, functools._lru_cache_wrapper):
                return self.call(self.constant(live.__wrapped__, None), args, kwargs, node, name)
            if hasattr(live, "registry") and hasattr(live, "dispatch") and args:
                chosen = [self.constant(c, None) for c in self._dispatched(live, args[0])]
                if len(chosen) == 2 and isinstance(node, ast.expr):
                    return self._choice(
                        self.op(isinstance, (args[0], np.ndarray), {}, node),
                        lambda: self.call(chosen[0], args, kwargs, node, None),
                        lambda: self.call(chosen[1], args, kwargs, node, None),
                        node,
                        name,
                    )
                if chosen:
                    return self.call(chosen[0], args, kwargs, node, name)
                if isinstance(t := type_of(args[0]), Unknown) or isinstance(t, Array):
                    generic = self.this_very(fn) if isinstance(fn, UserFunction) else live
                    return self.dynamic(generic, args, kwargs, node, name)
            by = initialises(live, args)
            if by is not None:
                self._initialise(args[0], by, args[1:], kwargs, node)
                return None
            self._refuse_objects(live, (*args, *kwargs.values()), node)
        return super().call(fn, args, kwargs, node, name)

    def _dispatched(self, live: Any, x: Atom) -> tuple[Any, ...]:
        """What a generic function calls for an argument: none where that is not known, two where
        it is one for an array without axes and another for a number of NumPy.
        """
        t = type_of(x)
        cls = class_of(t)
        if cls is not None:
            return (live.dispatch(cls),)
        if not isinstance(t, Array) or t.dtype is None:
            return ()
        of_array, of_number = live.dispatch(np.ndarray), live.dispatch(t.dtype.type)
        return (of_array,) if t.shape or of_array is of_number else (of_array, of_number)

    def _refuse_objects(self, fn: Any, args: tuple[Atom, ...], node: ast.AST) -> None:
        """Functions of numbers have rules for numbers: what they make of objects is not known."""
        rule, module = lookup(fn), getattr(fn, "__module__", None)
        if module not in ("numpy", "math") and fn not in ASKED:
            if rule is None or rule.pullback is None or rule.custom is not None:
                return
        for a in args:
            t = type_of(a)
            if fn in WHOLE and goes_through(a):
                continue
            if _library(getattr(t, "cls", None)) == _library(fn):
                continue  # of its own objects a library has rules
            if is_followed(t) and not isinstance(fn, np.ufunc) and module not in ("numpy", "math"):
                continue  # it has a rule that takes them
            if _is_object(a) and fn is not len:
                what = f"`{getattr(fn, '__name__', fn)}` of a {getattr(t, 'cls', object).__name__}"
                raise refused(self.source, node, what, "call its method")

    def _replaced(self, base: Atom, kwargs: dict[str, Atom], node: ast.AST) -> Atom:
        """`_replace` of a named tuple."""
        t = type_of(base)
        assert isinstance(t, Tuple)
        names: tuple[str, ...] = getattr(t.cls, "_fields", ())
        return t.cls(
            *(
                kwargs[n] if n in kwargs else self.subscript(base, i, node)
                for i, n in enumerate(names)
            )
        )

    def _reduce(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`functools.reduce` as the loop that it is."""
        if kwargs or len(args) not in (2, 3):
            return NotImplemented
        function, items, *start = args
        held = items.items if isinstance(items, Generated) else items
        if not start:
            held = self.call(list, (held,), {}, node)
            start = [self.subscript(held, 0, node)]
            held = self.subscript(held, slice(1, None), node)
        names = self.in_names(node, f=function, items=held, total=start[0], item=None)
        call = _like(ast.Call(names["f"], [names["total"], names["item"]], []), node)
        body = stored(node, names["total"].id, call)
        target = _like(ast.Name(names["item"].id, ast.Store()), node)
        del self.env[names["item"].id]
        self.block([_like(ast.For(target, names["items"], [body], []), node)])
        return self.env.pop(names["total"].id)

    def _sum(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`sum` of objects adds them one by one."""
        if not args:
            return NotImplemented
        items = args[0].items if isinstance(args[0], Generated) else args[0]
        t = self.held(items)
        held = t.item if isinstance(t, List) else None
        if isinstance(t, List) and t.items:
            held = t.items[0]
        if not isinstance(held, Record | Ref) or issubclass(held.cls, CONTAINERS):
            return NotImplemented
        start = args[1] if len(args) > 1 else kwargs.get("start", 0)
        return self._reduce(functools.reduce, (operator.add, items, start), {}, node)

    def _filter(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`filter` as a comprehension."""
        if kwargs or len(args) != 2:
            return NotImplemented
        names = self.in_names(node, f=args[0], items=args[1], item=None)
        item = names["item"]
        del self.env[item.id]
        test = item if args[0] is None else _like(ast.Call(names["f"], [item], []), node)
        target = _like(ast.Name(item.id, ast.Store()), node)
        part = ast.comprehension(target, names["items"], [test], 0)
        found = _like(ast.GeneratorExp(item, [part]), node)
        made, _ = self.generated(found.elt, found.generators, found)
        return self.known_iterator(made, fn, args, kwargs, node)

    def _any(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`any` and `all` of a generator go on only until they are decided."""
        if len(args) != 1 or not isinstance(args[0], Generated):
            return NotImplemented
        names = self.in_names(node, items=args[0], item=None)
        item = names["item"]
        del self.env[item.id]
        target = _like(ast.Name(item.id, ast.Store()), node)
        part = ast.comprehension(target, names["items"], [], 0)
        return self.search(fn, _like(ast.GeneratorExp(item, [part]), node), [], node)

    def _next(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`next` of a generator takes what it yields first; of an object it calls its method."""
        names = self.in_names(node, items=args[0], item=None, default=args[-1])
        if isinstance(args[0], Generated):
            item = names["item"]
            del self.env[item.id]
            target = _like(ast.Name(item.id, ast.Store()), node)
            part = ast.comprehension(target, names["items"], [], 0)
            made = _like(ast.GeneratorExp(item, [part]), node)
            return self.search(fn, made, [names["default"]] if len(args) > 1 else [], node)
        t = type_of(args[0])
        if not isinstance(t, Ref | Record) or not hasattr(t.cls, "__next__"):
            return NotImplemented
        if len(args) == 1 and not issubclass(t.cls, Kept):
            return self.method_call(t.cls, "__next__", (args[0],), node)
        if issubclass(t.cls, Kept):
            there = self.call(more, (args[0],), {}, node)

            def taken_now() -> None:
                self.env["$choice"] = self.call(step, (args[0],), {}, node)

            def at_its_end() -> None:
                if len(args) > 1:
                    self.env["$choice"] = args[1]
                else:
                    self.throw(self.op(StopIteration, (), {}, node), node)

            self.branch(self.truth(there, node), taken_now, at_its_end, node)
            return self.env.pop("$choice")
        found = names["item"]
        del self.env[found.id]
        call = _like(ast.Call(constant(node, next), [names["items"]], []), node)
        taken = stored(node, found.id, call)
        missing = stored(node, found.id, names["default"])
        at_end = constant(node, StopIteration)
        handler = _like(ast.ExceptHandler(at_end, None, [missing]), node)
        self.block([_like(ast.Try([taken], [handler], [], []), node)])
        return self.env.pop(found.id)

    def _map(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`map` as the list of what the function gives."""
        if kwargs or len(args) < 2:
            return NotImplemented
        items = args[1] if len(args) == 2 else self.adapted(zip, args[1:], {}, node)

        def counted(at: ast.expr) -> Counted:
            count, item = self.sequence(items, at)

            def applied(i: Atom) -> Atom:
                found = item(i)
                given = (found,) if len(args) == 2 else tuple(self.spread(found, node))
                return self.call(args[0], given, {}, node)

            return count, applied

        made = self.one_by_one(counted, node)
        return self.known_iterator(made, fn, args, kwargs, node)

    def _sorted_by(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`sorted`: the items in the order of the keys."""
        if len(args) != 1 or set(kwargs) - {"key", "reverse"}:
            return NotImplemented
        held = self.call(list, (_items(args[0]),), {}, node)
        t = self.held(held)
        if kwargs.get("key") is None and not may_be_differentiable(t):
            if not isinstance(t, List):
                return NotImplemented
            made = self.op(sorted, (held,), kwargs, node)
            made.type = List(t.item)  # of names, say: nothing is asked of them
            return self.allocated(made, node)
        count = self.op(range, (self.op(len, (held,), {}, node),), {}, node)
        keys = held
        if kwargs.get("key") is not None:
            keys = self._keys(held, kwargs["key"], count, node)
        order = self.op(runtime.sorting, (keys, kwargs.get("reverse", False)), {}, node)
        order.type = List(INT)
        made = self.mapped(
            lambda i: self.subscript(held, self.subscript(order, i, node), node), count, node
        )
        return self.allocated(made, node)

    def _keys(self, held: Atom, key: Atom, count: Atom, node: ast.expr) -> Atom:
        def of(i: Atom) -> Atom:
            return self.call(key, (self.subscript(held, i, node),), {}, node)

        return self.mapped(of, count, node)

    def _new_dict(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`dict` of keywords, of another dict, or of pairs."""
        if not args:
            parts = tuple(self.materialise(v, node) for v in kwargs.values())
            made = self.op(runtime.make_dict, (tuple(kwargs), *parts), {}, node)
            made.type = Dict(tuple(zip(kwargs, map(type_of, parts), strict=True)))
            return self.allocated(made, node) if self.heap is None else self._held(made, node)
        if len(args) != 1:
            return NotImplemented
        given = _items(args[0])
        made = self.holding_new(Dict(()), node, None)
        if is_mapping(given):
            self.call(dict.update, (made, given), {}, node)
        else:
            self.listed(given, node, lambda pair: self._store_pair(made, pair, node))
        for k, v in kwargs.items():
            self.store_item(made, k, v, node)
        return made

    def _held(self, made: Value, node: ast.expr) -> Value:
        assert isinstance(made.type, Dict)
        made.type = self.holding(made.type, node)
        return made

    def _best(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`max` and `min` with a key, or of tuples: the item at the place where it is best."""
        key = kwargs.get("key")
        if set(kwargs) - {"key"} or (key is None and not self._of_tuples(args)):
            return NotImplemented
        items = args[0] if len(args) == 1 else self.display(list(args), node)
        held = keys = self.call(list, (_items(items),), {}, node)
        if key is not None:
            count = self.op(range, (self.op(len, (held,), {}, node),), {}, node)
            keys = self._keys(held, key, count, node)
        place = self.op(runtime.place_of, (fn, keys), {}, node)
        place.type = INT
        return self.subscript(held, place, node)

    def _of_tuples(self, args: tuple[Atom, ...]) -> bool:
        """Whether it is tuples or lists that `max` is the greatest of."""
        if any(isinstance(a, Generated) for a in args):
            return False
        types = [self.held(a) for a in args]
        if len(types) == 1:
            whole = types[0]
            if not isinstance(whole, Tuple | List):
                return False
            types = [*(whole.items or ()), *([whole.item] if isinstance(whole, List) else [])]
        return any(isinstance(t, Tuple | List) for t in types)

    # ---- made by dataclasses

    def _places(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`np.ndindex` goes through the product of ranges."""
        shape = isinstance(type_of(args[0]), Tuple | List) if len(args) == 1 else False
        sizes = self.spread(args[0], node) if shape else args
        ranges = tuple(self.call(range, (n,), {}, node) for n in sizes)
        return self.call(itertools.product, ranges, {}, node)

    def _numbered(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`np.ndenumerate` goes through the places and the elements."""
        t = type_of(args[0]) if len(args) == 1 else UNKNOWN
        if not isinstance(t, Array) or t.shape is None or in_memory(t):  # may be changed
            return NotImplemented
        places = self.call(np.ndindex, (self.call(np.shape, args, {}, node),), {}, node)
        return self.call(zip, (places, self.call(np.ravel, args, {}, node)), {}, node)

    def _with_fields(self, fn: Any, args: Any, kwargs: Any, node: ast.expr) -> Atom:
        """`dataclasses.replace`: another instance, made of the fields."""
        cls = getattr(type_of(args[0]), "cls", None) if len(args) == 1 else None
        if not isinstance(cls, type) or not dataclasses.is_dataclass(cls):
            return NotImplemented
        kept = [f.name for f in dataclasses.fields(cls) if f.init and f.name not in kwargs]
        fields = {name: self.attribute(args[0], name, node) for name in kept}
        return self.call(cls, (), {**fields, **kwargs}, node)

    def _construct(
        self,
        cls: type,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        by = initialised_by(cls)
        parameters = fields_of(by) if by else ()
        special = by and (
            hasattr(cls, "__post_init__")
            or any(not f.init or f.kw_only or f.default_factory is not MISSING for f in parameters)
        )
        if by is None or not special:
            return super()._construct(cls, args, kwargs, node, name)
        self.memory()
        obj = self.new_object(cls, node, name)
        self._initialise(obj, by, args, kwargs, node)
        return obj

    def _initialise(
        self, obj: Atom, by: type, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> None:
        """What the `__init__` does that `dataclass` wrote for a class."""
        parameters = fields_of(by)
        positional = [f.name for f in parameters if f.init and not f.kw_only]
        given = {**dict(zip(positional, args, strict=False)), **kwargs}
        known = {f.name for f in parameters if f.init}
        if len(args) > len(positional) or not set(given) <= known:
            raise refused(self.source, node, f"these arguments of `{by.__name__}`", code="ZYG104")
        passed_on: list[Atom] = []
        for f in parameters:
            if f.name in given:
                value = given[f.name]
            elif f.default is not MISSING:
                value = f.default
            elif f.default_factory is not MISSING:
                value = self.call(self.constant(f.default_factory, None), (), {}, node)
            elif not f.init:
                continue
            else:
                what = f"`{by.__name__}` without `{f.name}`"
                raise refused(self.source, node, what, code="ZYG104")
            if is_passed_on(f):
                passed_on.append(value)
            else:
                self.call(object.__setattr__, (obj, f.name, value), {}, node)
        cls: Any = getattr(type_of(obj), "cls", by)
        if hasattr(cls, "__post_init__"):
            self.method_call(cls, "__post_init__", (obj, *passed_on), node)


def class_of(t: Type) -> type | None:
    """The class of what has this type, where it tells."""
    match t:
        case Scalar(kind=kind):
            return {"bool": bool, "int": int, "float": float, "complex": complex}[kind]
        case Array(shape=shape) if shape:
            return np.ndarray
        case List():
            return list
        case Dict():
            return dict
        case Const(value=value):
            return type(value)
        case Other(cls=cls) if cls is str:
            return cls
        case Record(cls=cls) | Tuple(cls=cls) | Ref(cls=cls, optional=False):
            return cls
    return None


def _replaced(*args: Any) -> None:
    """Stands for `_replace` of a named tuple."""


def _nothing(*args: Any) -> None:
    """Stands for `object.__init__`."""


def _is_object(a: Atom) -> bool:
    t = type_of(a)
    return (isinstance(t, Record | Ref) and not issubclass(t.cls, CONTAINERS)) or is_followed(t)


def _items(a: Atom) -> Atom:
    return a.items if isinstance(a, Generated) else a


def _is_foreign_descriptor(found: Any) -> bool:
    """Whether reading an attribute runs code that is not followed."""
    if found is None or not hasattr(type(found), "__get__"):
        return False
    followed = (
        *(types.FunctionType, property, staticmethod, classmethod, types.MemberDescriptorType),
        *(types.GetSetDescriptorType, types.WrapperDescriptorType, types.MethodDescriptorType),
        *(types.BuiltinFunctionType, types.ClassMethodDescriptorType, type),
    )
    return not isinstance(found, followed)


def _library(x: Any) -> str | None:
    module = getattr(x, "__module__", None)
    return module.partition(".")[0] if isinstance(module, str) else None


def _like(made: Any, at: ast.AST) -> Any:
    return ast.copy_location(made, at)


OPERATORS = set(BINARY.values())
# What goes through the items of its one argument.
THROUGH = {list, tuple, set, frozenset, sum, max, min, sorted, any, all}
FUNCTIONS: dict[Any, Any] = {
    builtins.getattr: gotten,
    builtins.hasattr: Functions._has_inherited,
    builtins.setattr: put,
    object.__setattr__: put,
    builtins.vars: held_by,
    functools.reduce: Functions._reduce,
    builtins.sum: Functions._sum,
    builtins.filter: Functions._filter,
    builtins.map: Functions._map,
    builtins.any: Functions._any,
    builtins.next: Functions._next,
    builtins.all: Functions._any,
    builtins.sorted: Functions._sorted_by,
    builtins.dict: Functions._new_dict,
    builtins.max: Functions._best,
    builtins.min: Functions._best,
    **DECORATORS,
    dataclasses.replace: Functions._with_fields,
    np.ndindex: Functions._places,
    np.ndenumerate: Functions._numbered,
}
