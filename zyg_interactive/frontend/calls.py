"""Calls to IR: of rules, of user functions, of methods, of what only the run knows."""

from __future__ import annotations

import abc
import ast
import dataclasses
import functools
import inspect
import itertools
import math
import operator
import types
from typing import Any, cast

import numpy as np

from .. import runtime
from ..diagnostics import Diagnostic, Refused, refuse
from ..ir.core import CALL_VALUE, Atom, Function, Value, type_of, values
from ..ir.types import (
    UNKNOWN,
    Array,
    Closure,
    Const,
    Dict,
    List,
    Other,
    Record,
    Ref,
    Tuple,
    may_be_differentiable,
    rank,
)
from ..rules.registry import REFUSAL, lookup, reason_for
from ..rules.sizes import dtype_of, refreshed
from .arrays import ARRAY_CHANGES
from .containers import COLLECTIONS, COPIES, MADE
from .expressions import Expressions, is_literal
from .fence import refused
from .generators import collecting, is_generator
from .memory import NOT_HANDLED, STORES, held_type
from .resolve import UserFunction
from .scope import BoundMethod, Frame, FrameResolver, Generated, LocalFunction

# Callables that go through the arguments they are given, once and at once.
CONSUMERS = {
    *(sum, list, tuple, max, min, any, all, sorted, set, frozenset, dict, enumerate, zip, map),
    *(filter, functools.reduce, math.fsum, math.prod, list.extend, str.join),
    *(np.array, np.asarray, np.stack, np.concatenate, np.sum, np.fromiter),
    *(itertools.chain, itertools.product, itertools.islice, itertools.accumulate),
    *(itertools.pairwise, itertools.starmap, itertools.zip_longest),
}


# Functions of NumPy of which an argument is a sequence of arrays, and stays one.
SEQUENCES = {
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack, np.block),
    *(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.copy),
    *(np.select, np.choose, np.linalg.multi_dot, np.full, np.full_like, np.fromiter),
}
VIEWS = {dict.values, dict.items}
LAZY = {enumerate, zip, map, filter}  # they are gone through where they are consumed
EXTREMES = {max, min}


class Calls(Expressions):
    """Adds calls to expressions."""

    def call_expression(self, node: ast.Call, name: str | None) -> Atom:
        fn = self.expr(node.func)
        return self.call(fn, *self._given(fn, node), node, name)

    def _given(self, fn: Atom, node: ast.Call) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        """The arguments of a call of `fn`."""
        args: list[Atom] = []
        for a in node.args:
            if isinstance(a, ast.Starred):
                args += self.spread(self.expr(a.value), a)
            elif isinstance(a, ast.List | ast.Tuple) and lookup(fn) is not None and is_literal(a):
                args.append(ast.literal_eval(a))
            else:
                args.append(self.expr(a))
        kwargs: dict[str, Atom] = {}
        for k in node.keywords:
            literal = (
                isinstance(k.value, ast.List | ast.Tuple)
                and lookup(fn) is not None
                and is_literal(k.value)
            )
            value = ast.literal_eval(k.value) if literal else self.expr(k.value)
            if k.arg is not None:
                kwargs[k.arg] = value
            elif isinstance(t := type_of(value), Dict):
                kwargs.update({key: self.subscript(value, key, node) for key, _ in t.items})
            else:
                raise refused(
                    self.source,
                    k.value,
                    "`**` of what only the run knows",
                    "write the keywords out",
                )
        return tuple(args), kwargs

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        """Lower `fn(*args, **kwargs)`."""
        method = fn.fn if isinstance(fn, BoundMethod) else fn
        if any(map(_goes_through, args)) and _in(CONSUMERS, method):
            lazily = _in(LAZY, method)
            args = tuple(
                a.items
                if isinstance(a, Generated)
                else self.listed(a, node)
                if _goes_through(a) and not lazily and isinstance(node, ast.expr)
                else a
                for a in args
            )
        if _in(EXTREMES, fn) and "default" in kwargs and len(args) == 1:
            return self._extreme(fn, args[0], dict(kwargs), node, name)
        sequences = List | Tuple | Ref | Array
        if fn is iter and len(args) == 1 and isinstance(type_of(args[0]), sequences):
            return Generated(args[0], self.depth)
        for a in (*args, *kwargs.values()):
            if isinstance(a, Generated):
                self.materialise(a, node)
        if isinstance(fn, BoundMethod) and isinstance(fn.receiver, dict) and fn.fn is dict.get:
            if args and not isinstance(args[0], Value):  # of the keywords that a function is given
                return fn.receiver.get(args[0], args[1] if len(args) > 1 else None)
        if isinstance(fn, BoundMethod) and _in(VIEWS, fn.fn) and not args and not kwargs:
            known = type_of(fn.receiver)
            if isinstance(known, Dict) and may_be_differentiable(known):
                held = [(k, self.subscript(fn.receiver, k, node)) for k, _ in known.items]
                items = tuple(held) if fn.fn is dict.items else tuple(v for _, v in held)
                return Generated(items, self.depth)
        live = fn.live if isinstance(fn, UserFunction) else fn
        if _in(set(COPIES), live) and len(args) == 1 and not kwargs:
            return self.copied(args[0], COPIES[live], node)
        changed = self.memory_call(live, args, kwargs, node, name)
        if changed is not NOT_HANDLED:
            return changed
        match fn:
            case BoundMethod(receiver=receiver, fn=method):
                return self._method(receiver, method, args, kwargs, node, name)
            case LocalFunction():
                return self._user_call(fn.fn, args, kwargs, node, name)
            case UserFunction():
                return self._user_call(fn, args, kwargs, node, name)
            case Value(type=Const(value=known)):
                return self.call(self.constant(known, None), args, kwargs, node, name)
            case Value(type=Closure(template=template, captured=captured)):
                return self._closure_call(fn, template, len(captured), args, kwargs, node, name)
            case Value(type=Record(cls=cls) | Ref(cls=cls)) if _has_call(cls):
                self.guard_member(cls, "__call__")
                method = self.constant(cls.__call__, None)
                return self.call(method, (fn, *args), kwargs, node, name)
            case Value():
                return self.dynamic(fn, args, kwargs, node, name)
        lowering = self.context.intrinsic(fn)
        if lowering is not None:
            return lowering(self, args, kwargs, node)
        if isinstance(fn, types.FunctionType) and lookup(fn) is None:
            known = self.constant(fn, None)
            if known is not fn:
                return self.call(known, args, kwargs, node, name)
        if isinstance(fn, functools.partial):
            bound = self.constant(fn.func, None)
            return self.call(bound, (*fn.args, *args), {**fn.keywords, **kwargs}, node, name)
        if isinstance(fn, types.MethodType):
            return self.call(
                self.constant(fn.__func__, None), (fn.__self__, *args), kwargs, node, name
            )
        if isinstance(getattr(fn, "__self__", None), np.ufunc):
            as_plain = self._ufunc_method(fn, args, kwargs, node, name)
            if as_plain is not None:
                return as_plain
        if isinstance(fn, type) and lookup(fn) is None:
            return self._construct(fn, args, kwargs, node, name)
        return self._known(fn, args, kwargs, node, name)

    def listed(self, atom: Atom, node: ast.expr) -> Atom:
        """What goes through something, as a list."""
        raise NotImplementedError

    def _extreme(
        self, fn: Any, items: Atom, kwargs: dict[str, Atom], node: ast.AST, name: str | None
    ) -> Atom:
        """`max` or `min` with a default."""
        default = kwargs.pop("default")
        empty = self.op(operator.not_, (self.op(len, (items,), {}, node),), {}, node)

        def of_none() -> None:
            self.env["$choice"] = default

        def of_some() -> None:
            self.env["$choice"] = self.call(fn, (items,), kwargs, node, name)

        self.branch(empty, of_none, of_some, node)
        return self.env.pop("$choice")

    def _ufunc_method(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom | None:
        """`np.add.outer(a, b)` as the sum of a column and a row; None for other methods."""
        ufunc, method = fn.__self__, fn.__name__
        if method == "outer" and len(args) == 2 and not kwargs:
            n = rank(type_of(args[1]))
            if n is None:
                return None
            column = self.subscript(args[0], (Ellipsis, *[None] * n), node) if n else args[0]
            return self.call(ufunc, (column, args[1]), {}, node, name)
        return None

    def _known(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A callable that has a rule, or that is refused once a derivative has to pass it."""
        args = tuple(self.materialise(a, node) for a in args)
        kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
        args, kwargs = self._arrays_given(fn, args, kwargs, node)
        if fn in (len,) and isinstance(args[0], tuple):
            return len(args[0])
        if fn is getattr and len(args) == 2 and isinstance(args[1], str) and not kwargs:
            return self.attribute(args[0], args[1], node, name)
        if fn is operator.getitem and len(args) == 2 and not kwargs:
            return self.subscript(args[0], args[1], node, name)
        if isinstance(fn, operator.attrgetter):
            return self.attribute(args[0], str(fn.__reduce__()[1][0]), node, name)
        if fn is isinstance and len(args) == 2:
            decided = _isinstance(args[0], args[1])
            if decided is not None:
                return decided
        if fn is tuple and len(args) == 1 and isinstance(type_of(args[0]), Tuple):
            return args[0]
        result = self.op(fn, args, kwargs, node, name)
        if isinstance(result.type, List | Dict):
            return self.allocated(result, node)
        if lookup(fn) is None:
            assert result.op is not None
            result.op.static[REFUSAL] = Diagnostic(
                "ZYG301",
                f"no gradient rule for `{_title(fn)}`",
                self.span(node),
                reason_for(fn)
                or f"give one: `@grad({_title(fn)})`, a function that returns the value and its "
                "pullback",
            )
        return result

    def _arrays_given(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        """The arguments of a function of NumPy, as the arrays that it makes of them itself: of
        lists of numbers, and in the precision that `dtype=` of a ufunc asks for.
        """
        rule = lookup(fn)
        of_numpy = isinstance(fn, np.ufunc) or str(getattr(fn, "__module__", "")).startswith("nump")
        if rule is None or rule.pullback is None or not of_numpy or fn in SEQUENCES:
            return args, kwargs
        names = rule.order or (*rule.data, *(name for name, _ in rule.metadata))
        takes_data = [rule.variadic or i >= len(names) or names[i] in rule.data for i in range(9)]
        if isinstance(fn, np.ufunc) and kwargs.get("dtype") is not None:
            kept = {k: v for k, v in kwargs.items() if k != "dtype"}
            given = [self._converted(a, kwargs["dtype"], node) for a in args[: fn.nin]]
            if all(g is not None for g in given):
                args, kwargs = (*given, *args[fn.nin :]), kept
        return (
            tuple(
                self.as_array(a, node) if _is_list_of_data(a, takes_data[min(i, 8)]) else a
                for i, a in enumerate(args)
            ),
            {
                k: self.as_array(v, node) if _is_list_of_data(v, k in rule.data) else v
                for k, v in kwargs.items()
            },
        )

    def _converted(self, a: Atom, dtype: Atom, node: ast.AST) -> Atom | None:
        """`a` in another dtype; None where that is not what `dtype=` of a ufunc does."""
        own = dtype_of(type_of(a))
        if isinstance(dtype, Value) or own is None:
            return None
        wanted = np.dtype(cast(Any, dtype))
        if wanted.kind not in "fc" or not np.can_cast(own, wanted, "same_kind"):
            return None
        if own == wanted and isinstance(type_of(a), Array):
            return a
        if isinstance(type_of(a), Array):
            return self.op(runtime.astype, (a, wanted), {}, node)
        return self.op(np.array, (a,), {"dtype": wanted}, node)

    # ---- user functions

    def _user_call(
        self,
        fn: UserFunction,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        rule = lookup(fn.live) if fn.live is not None else None
        if rule is not None:  # a custom gradient
            return self.op(
                fn.live, tuple(self.materialise(a, node) for a in args), kwargs, node, name
            )
        lowering = self.context.intrinsic(fn.live)
        if lowering is not None:
            return lowering(self, args, kwargs, node)
        if is_generator(fn.node):
            return Generated(self._user_call(collecting(fn), args, kwargs, node, name), self.depth)
        try:
            callee, values = self.linked(fn, args, kwargs, node)
        except Refused as refusal:
            if fn.live is None:
                raise
            return self._opaque(fn.live, args, kwargs, refusal.diagnostic, node, name)
        result = self.op(callee, tuple(values), {}, node, name)
        # Sizes that the callee made up may be others at the next call of it.
        self.returned(result, refreshed(callee.result), node)
        known = not isinstance(callee.region.outs[0], Value | tuple | list | dict)
        return callee.region.outs[0] if known and not callee.recursive else result

    def linked(
        self, fn: UserFunction, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> tuple[Function, list[Atom]]:
        """The callee lowered for these arguments, and the values to call it with."""
        arguments = self.bind(fn, args, kwargs, node)
        callee = self.context.link(fn, arguments, self, self.span(node))
        own = callee.region.params[: len(callee.region.params) - len(callee.hidden)]
        values = [arguments[p.name] for p in own]
        values += [self.hidden_value(h, p.type, h.name, node) for h, p in callee.hidden_params()]
        for g in callee.guards:
            self.guards[g.key] = g
        return callee, [self.materialise(v, node) for v in values]

    def _opaque(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        why: Diagnostic,
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A call of a function that cannot be lowered: fine as long as no derivative has to pass
        it.
        """
        args = tuple(self.materialise(a, node) for a in args)
        kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
        result = self.op(fn, args, kwargs, node, name)
        assert result.op is not None
        result.op.static[REFUSAL] = dataclasses.replace(
            why, related=(*why.related, (self.span(node), "reached from this call"))
        )
        return result

    def bind(
        self, fn: UserFunction, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> dict[str, Atom]:
        """Arguments by parameter name, as Python binds them."""
        a = fn.node.args
        positional = [p.arg for p in (*a.posonlyargs, *a.args)]
        only = {p.arg for p in a.posonlyargs}
        given: dict[str, Atom] = dict(zip(positional, args, strict=False))
        rest, extra = args[len(positional) :], {}
        for k, v in kwargs.items():
            if (k in positional and k not in only) or k in [p.arg for p in a.kwonlyargs]:
                if k in given:
                    raise self._binding(fn, f"got multiple values for argument `{k}`", node)
                given[k] = v
            elif a.kwarg is not None:
                extra[k] = v
            else:
                raise self._binding(fn, f"has no parameter `{k}`", node)
        if rest and a.vararg is None:
            raise self._binding(
                fn, f"takes {len(positional)} positional arguments, {len(args)} were given", node
            )
        for p in (*positional, *(p.arg for p in a.kwonlyargs)):
            if p not in given:
                if p not in fn.defaults:
                    raise self._binding(fn, f"misses its argument `{p}`", node)
                given[p] = fn.defaults[p]
        if a.vararg is not None:
            given[a.vararg.arg] = rest
        if a.kwarg is not None:
            given[a.kwarg.arg] = extra
        return given

    def _binding(self, fn: UserFunction, what: str, node: ast.AST) -> Refused:
        return refuse("ZYG104", f"`{fn.name}` {what}", self.span(node))

    def _closure_call(
        self,
        closure: Value,
        template: UserFunction,
        count: int,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A call of a closure that was made during the run: what it captured becomes arguments."""
        assert isinstance(closure.type, Closure)
        captured = []
        for i, t in enumerate(closure.type.captured):
            is_cell = isinstance(t, Ref) and t.cls is types.CellType
            read = runtime.captured_cell if is_cell else runtime.captured
            captured.append(self.op(read, (closure, i), {}, node))
            captured[-1].type = t
        frame = Frame()
        self.frames[frame] = dict(zip(closure.type.names, captured, strict=True))
        resolver = FrameResolver(frame, self.frames[frame], template.resolver)
        fn = UserFunction(
            template.name, template.source, template.node, resolver, template.defaults
        )
        return self._user_call(fn, args, kwargs, node, name)

    # ---- methods, constructors, dynamic calls

    def _method(
        self,
        receiver: Atom,
        method: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        if method in (np.reshape, np.transpose) and len(args) != 1:
            args = (args,) if args else ()
        return self.call(method, (receiver, *args), kwargs, node, name)

    def _construct(
        self,
        cls: type,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """An instance of a class: named tuples and dataclasses are made of their fields."""
        if cls in MADE:
            return self.made_container(cls, args, dict(kwargs), node)
        if cls is types.SimpleNamespace and not args:
            space = self.new_object(cls, node, name)
            for attr, value in kwargs.items():
                self.store_attribute(space, attr, value, cast(ast.expr, node))
            return space
        if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            bound_args = inspect.signature(cls).bind(*args, **kwargs)
            bound_args.apply_defaults()
            return cls(*bound_args.args)
        own = next((vars(c)["__init__"] for c in cls.__mro__ if "__init__" in vars(c)), None)
        if isinstance(own, types.FunctionType) and _is_plain(cls):
            known = self.constant(own, None)
            if isinstance(known, UserFunction):
                self.memory()
                self.guard_member(cls, "__init__")
                obj = self.new_object(cls, node, name)
                self.call(known, (obj, *args), kwargs, node)
                return obj
        if own is object.__init__ and _is_plain(cls) and not args and not kwargs:
            self.memory()
            return self.new_object(cls, node, name)
        plain = dataclasses.is_dataclass(cls) and not hasattr(cls, "__post_init__")
        if plain and not any(not f.init or f.kw_only for f in dataclasses.fields(cls)):
            fields = [f.name for f in dataclasses.fields(cls)]
            defaults = {
                f.name: f.default
                for f in dataclasses.fields(cls)
                if f.default is not dataclasses.MISSING
            }
            given = {**defaults, **dict(zip(fields, args, strict=False)), **kwargs}
            if set(given) == set(fields):
                values = tuple(self.materialise(given[f], node) for f in fields)
                made = self.op(runtime.construct, (cls, tuple(fields), *values), {}, node, name)
                types_of = tuple(zip(fields, map(type_of, values), strict=True))
                made.type = Record(cls, types_of)
                if self.heap is not None:
                    made.type = self.site_of(cls, node)
                    for field, t in types_of:
                        made.type.site.write(field, t)
                return made
        result = self._known(cls, args, kwargs, node, name)
        if isinstance(result, Value) and result.type == UNKNOWN:
            result.type = Other(cls)
        return result

    def dynamic(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        """A callee that only the run knows."""
        args = tuple(self.materialise(a, node) for a in args)
        kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
        return self.op(CALL_VALUE, (fn, *args), kwargs, node, name)

    def unused(self, node: ast.Call) -> None:
        """A call whose result is not used: an observer, such as `print`."""
        fn = self.expr(node.func)
        args, kwargs = self._given(fn, node)
        known = (
            fn if not isinstance(fn, Value | BoundMethod | LocalFunction | UserFunction) else None
        )
        if (
            known is not None
            and callable(known)
            and lookup(known) is None
            and not isinstance(known, type)
            and known not in STORES
            and known not in ARRAY_CHANGES
            and known not in COLLECTIONS
        ):
            args = tuple(self.materialise(a, node) for a in args)
            kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
            self.op(runtime.observe, (known, *args), kwargs, node)
            return
        self.call(fn, args, kwargs, node)


def _has_call(cls: type) -> bool:
    return any("__call__" in vars(c) for c in cls.__mro__)


def _is_plain(cls: type) -> bool:
    """Whether an instance of a class is made as Python makes instances."""
    by: Any = cls.__new__
    return (
        type(cls) in (type, abc.ABCMeta)
        and by is object.__new__
        and cls.__module__.partition(".")[0] not in ("builtins", "numpy", "zyg_interactive")
    )


def _is_list_of_data(a: Atom, is_data: bool) -> bool:
    """Whether an argument is a list of floating numbers, of which NumPy makes an array."""
    t = type_of(a)
    if isinstance(t, Ref):
        t = held_type(t, False) if issubclass(t.cls, list | tuple) and not t.optional else t
    if not isinstance(t, List | Tuple) or hasattr(getattr(t, "cls", None), "_fields"):
        return False
    if not any(True for _ in values(a)) and not is_data:
        return False
    dtype = dtype_of(t)
    return dtype is not None and dtype.kind in "fc"


def _goes_through(a: Atom) -> bool:
    """Whether an argument is consumed once, by going through it."""
    if isinstance(a, Generated):
        return True
    return isinstance(a, Value) and a.op is not None and a.op.fn in (zip, enumerate, reversed)


def _in(fns: set[Any], fn: Any) -> bool:
    try:
        return fn in fns
    except TypeError:  # not hashable
        return False


def _title(fn: Any) -> str:
    module = getattr(fn, "__module__", None)
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or repr(fn)
    if isinstance(fn, np.ufunc) or module == "numpy":
        return f"np.{name}"
    if module and module.startswith("numpy."):
        return f"np.{module.removeprefix('numpy.')}.{name}"
    return name if module in (None, "builtins", "__main__") else f"{module}.{name}"


def _isinstance(x: Atom, classes: Any) -> bool | None:
    """`isinstance(x, classes)` where the type of `x` tells."""
    if isinstance(classes, Value) or (
        isinstance(classes, tuple) and any(isinstance(c, Value) for c in classes)
    ):
        return None
    t = type_of(x)
    cls: type | None = None
    match t:
        case Record(cls=c) | Other(cls=c) | Tuple(cls=c) | Ref(cls=c, optional=False):
            cls = c
        case List():
            cls = list
        case Dict():
            cls = dict
        case Const(value=v):
            cls = type(v)
        case Array(shape=shape) if shape:
            cls = np.ndarray
    return None if cls is None else issubclass(cls, classes)
