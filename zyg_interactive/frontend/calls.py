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
import statistics
import types
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any, cast

import numpy as np

from .. import runtime
from ..diagnostics import Diagnostic, Refused, refuse
from ..ir.core import CALL_VALUE, Atom, Function, Value, type_of, values
from ..ir.text import fn_name
from ..ir.types import (
    UNBOUND_TYPE,
    UNKNOWN,
    Array,
    Closure,
    Const,
    Dict,
    List,
    Other,
    Record,
    Ref,
    Scalar,
    Tuple,
    Unknown,
    escape,
    rank,
    refers,
)
from ..iterators import Kept, View, bound, calling, columns
from ..rules.registry import PLACES, REFUSAL, lookup, reason_for, wants_arrays
from ..rules.sequences import JOINING
from ..rules.sizes import dtype_of, refreshed
from .arrays import ARRAY_CHANGES
from .containers import COLLECTIONS, COPIES, MADE
from .dataclass import initialised_by, initialises
from .expressions import Expressions, is_literal, is_number, is_real
from .fence import refused
from .generators import is_generator
from .memory import CONTAINERS, NOT_HANDLED, STORES, takes_contents
from .names import body_of, read
from .resolve import LOCAL_CLASSES, UserFunction
from .scope import BoundMethod, Frame, FrameResolver, Generated, LocalFunction, ScopeResolver
from .sets import METHODS as OF_SETS

AVERAGES = {
    *(statistics.mean, statistics.fmean, statistics.geometric_mean, statistics.harmonic_mean),
    *(statistics.variance, statistics.stdev, statistics.pvariance, statistics.pstdev),
}
# Callables that go through the arguments they are given, once and at once.
CONSUMERS = {
    *(sum, list, tuple, max, min, any, all, sorted, set, frozenset, dict, enumerate, zip, map),
    *(filter, functools.reduce, math.fsum, math.prod, list.extend, str.join),
    getattr(math, "sumprod", math.prod),  # since Python 3.12
    *(dict.update, Counter, OrderedDict, defaultdict, deque, deque.extend),
    *(np.array, np.asarray, np.stack, np.concatenate, np.sum, np.fromiter),
    *(itertools.chain, itertools.product, itertools.islice, itertools.accumulate),
    *(itertools.pairwise, itertools.starmap, itertools.zip_longest),
    *AVERAGES,
}


def method_of(fn: Atom) -> Atom:
    """The function of a bound method, and of a method of a text that is known."""
    if isinstance(fn, types.BuiltinMethodType) and isinstance(fn.__self__, str):
        return getattr(str, fn.__name__)
    return fn.fn if isinstance(fn, BoundMethod) else fn


GETTERS = (operator.itemgetter, operator.attrgetter, operator.methodcaller)
# Classes of which no iterator is.
NO_ITERATORS: set[Any] = {list, tuple, dict, set, str, bytes, int, float, complex, bool, np.ndarray}
FOREIGN = ("builtins", "numpy", "zyg_interactive")  # classes of these are not looked into
VIEWS = {dict.values, dict.items}
SEARCHING = {list.index, list.count, tuple.index, tuple.count}
HASHING = {set, frozenset, dict.fromkeys, Counter}  # which find out what is equal
ADAPTERS = {enumerate, zip, reversed}
EXTREMES = {max, min}
# Those of them that go through their first argument alone.
WHOLE = {sum, list, tuple, max, min, any, all, sorted, set, frozenset, math.fsum, math.prod}


@dataclasses.dataclass(frozen=True)
class Rest:
    """Positional arguments of which only the run knows how many there are, in a list."""

    items: Atom


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
                args += self._spread_out(fn, len(args), self.expr(a.value), a)
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
            elif isinstance(value, dict):
                kwargs.update(value)
            elif isinstance(t := type_of(value), Dict):
                kwargs.update({key: self.subscript(value, key, node) for key, _ in t.items})
            elif isinstance(t, Ref) and issubclass(t.cls, dict) and t.site.exact is not None:
                kwargs.update({key: self.subscript(value, key, node) for key in t.site.exact})
            else:
                raise refused(
                    self.source,
                    k.value,
                    "`**` of what only the run knows",
                    "write the keywords out",
                )
        return tuple(args), kwargs

    def takes_all(self, fn: Any, args: tuple[Atom, ...]) -> bool:
        """Whether a function goes through the object that it is given first."""
        return _in(WHOLE, fn) and len(args) > 0 and goes_through(args[0]) and (
            len(args) == 1 or fn not in EXTREMES
        )

    def _spread_out(
        self, fn: Atom, before: int, atom: Atom, node: ast.Starred
    ) -> list[Atom]:
        """The arguments that `*atom` stands for, after so many others; where only the run knows how
        many, a `Rest` for the parameter that takes them all, or as many as there are parameters.
        """
        if hasattr(getattr(type_of(atom), "cls", None), "__next__"):
            atom = self.listed(atom, node.value)
        atom = atom.items if isinstance(atom, Generated) else atom
        held = self.frozen(self.gone_through_as(atom, node), node)
        t = type_of(held)
        callee = fn.fn if isinstance(fn, LocalFunction) else fn
        if isinstance(t, List) and t.items is None and isinstance(callee, UserFunction):
            a = callee.node.args
            named = len(a.posonlyargs) + len(a.args) - before
            if named <= 0 and a.vararg is not None:
                return [Rest(held)]
            if named > 0 and not a.defaults:
                check = runtime.check_length if a.vararg is None else runtime.check_least
                self.op(check, (held, named), {}, node)
                first = [self.subscript(held, i, node) for i in range(named)]
                if a.vararg is None:
                    return first
                return [*first, Rest(self.subscript(held, slice(named, None), node))]
        if isinstance(t, List) and t.items is None and _in({max, min}, fn) and before == 0:
            return [held]
        if fn is zip and (isinstance(t, Unknown) or (isinstance(t, List) and t.items is None)):
            return [Rest(held)]
        return self.spread(held, node)

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        """Lower `fn(*args, **kwargs)`."""
        if isinstance(fn, types.BuiltinMethodType) and type(fn.__self__) is str:
            fn, args = getattr(str, fn.__name__), (fn.__self__, *args)
        method = method_of(fn)
        if isinstance(fn, UserFunction) and _in(AVERAGES, fn.live):
            method = fn.live
        if fn is zip and any(isinstance(a, Rest) for a in args) and not kwargs:
            rows = self._joined_rest(args, node)
            return Generated(lambda: self.call(columns, (rows,), {}, node), self.depth)
        if _in(ADAPTERS, fn) and isinstance(node, ast.expr) and args and not {*kwargs} - {"start"}:
            return self.adapted(fn, args, kwargs, node)
        if any(isinstance(a, Generated) for a in args) and _in(CONSUMERS, method):
            args = tuple(a.items if isinstance(a, Generated) else a for a in args)
        if self.takes_all(fn, args) and isinstance(node, ast.expr):
            args = (self.listed(args[0], node), *args[1:])
        if _in(EXTREMES, fn) and "default" in kwargs and len(args) == 1:
            return self._extreme(fn, args[0], dict(kwargs), node, name)
        sequences = List | Tuple | Ref | Array
        if fn is iter and len(args) == 1 and isinstance(args[0], Generated):
            return self.iterated(args[0], node) if args[0].again else args[0]
        if fn is iter and len(args) == 1 and isinstance(type_of(args[0]), sequences):
            return self.iterated(args[0], node)
        args = tuple(self.materialise(a, node) if isinstance(a, Generated) else a for a in args)
        for k, v in kwargs.items():
            if isinstance(v, Generated):
                kwargs = {**kwargs, k: self.materialise(v, node)}
        if isinstance(fn, Value) and isinstance(fn.type, Const):
            return self.call(self.constant(fn.type.value, None), args, kwargs, node, name)
        if _in(VIEWS, fn) and len(args) == 1 and isinstance(type_of(args[0]), Dict):
            fn, args = BoundMethod(args[0], fn), ()
        if method is dict.get and not kwargs:
            asked = (fn.receiver, *args) if isinstance(fn, BoundMethod) else args
            if len(asked) in (2, 3) and isinstance(type_of(asked[0]), Dict):
                if not isinstance(asked[1], Value):
                    return self._asked_for(*asked, node=node, name=name)
                self.memory()
        if isinstance(fn, BoundMethod) and _in(VIEWS, fn.fn) and not args and not kwargs:
            known = type_of(fn.receiver)
            if isinstance(known, Dict):
                held = [(k, self.subscript(fn.receiver, k, node)) for k, _ in known.items]
                items = tuple(held) if fn.fn is dict.items else tuple(v for _, v in held)

                def keep() -> Atom:
                    self.memory()
                    return self.display(list(items), node)

                return dataclasses.replace(self.iterated(items), again=True, keep=keep)
        if _in(SEARCHING, method):
            for a in args:
                self.told_apart(a, node)
        if _in(HASHING, method):
            for a in args:
                self.compared(a, node)
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
            case Value(type=Closure(template=template, captured=captured)):
                return self._closure_call(fn, template, len(captured), args, kwargs, node, name)
            case Value(type=Record(cls=cls) | Ref(cls=cls)) if _has_call(cls):
                self.guard_member(cls, "__call__")
                method = self.constant(cls.__call__, None)
                return self.call(method, (fn, *args), kwargs, node, name)
            case Value(type=Other(cls=cls)) if _has_rule(cls):
                return self.call(cls.__call__, (fn, *args), kwargs, node, name)
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
            inner = self.constant(fn.func, None)
            return self.call(inner, (*fn.args, *args), {**fn.keywords, **kwargs}, node, name)
        if isinstance(fn, GETTERS) and len(args) == 1 and not kwargs:
            return self._gotten(fn, args[0], node, name)
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
        if lookup(fn) is None and _has_rule(type(fn)):
            return self.call(type(fn).__call__, (fn, *args), kwargs, node, name)
        return self._known(fn, args, kwargs, node, name)

    def _asked_for(
        self, held: Atom, key: Atom, default: Atom = None, *, node: ast.AST, name: str | None
    ) -> Atom:
        """`held.get(key, default)` where it is known what the dict holds."""
        t = type_of(held)
        assert isinstance(t, Dict)
        return self.subscript(held, key, node, name) if key in dict(t.items) else default

    def adapted(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> Atom:
        """`zip` or `enumerate` of generators."""
        raise NotImplementedError

    def generator_of(
        self,
        fn: UserFunction,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """What a call of a generator function makes."""
        raise NotImplementedError

    def iterated(self, items: Atom, node: ast.AST | None = None) -> Atom:
        """An iterator over something."""
        raise NotImplementedError

    def looked_up(self, fn: UserFunction) -> frozenset[str]:
        """The variables of this function that an inner one looks up when it is called."""
        if not isinstance(fn.resolver, ScopeResolver):
            return frozenset()
        found: set[str] = set()
        todo: list[UserFunction] = [fn]
        while todo:
            names = (read(body_of(todo.pop().node)) & self.locals) - found
            found |= names
            known = (self.env.get(n) for n in names)
            todo += [f.fn for f in known if isinstance(f, LocalFunction)]
        return frozenset(found)

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

    def _handed(self, fn: Any, args: tuple[Atom, ...], node: ast.AST) -> tuple[Atom, ...]:
        """Arguments as a callable is given them: of a view what it shows, where there is a rule for
        what a list holds.
        """
        if fn is not len and not takes_contents(fn):
            args = tuple(map(self.kept_view, args))
        return tuple(a if self.is_view(a) else self.materialise(a, node) for a in args)

    def _known(
        self,
        fn: Any,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None,
    ) -> Atom:
        """A callable that has a rule, or that is refused once a derivative has to pass it."""
        args = self._handed(fn, args, node)
        kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
        args, kwargs = self._of_arrays(fn, args, kwargs, node)
        if lookup(fn) is None:
            self._handed_over(fn, (*args, *kwargs.values()), node)
        if fn in (len,) and isinstance(args[0], tuple):
            return len(args[0])
        if fn is getattr and len(args) == 2 and isinstance(args[1], str) and not kwargs:
            return self.attribute(args[0], args[1], node, name)
        if fn is operator.getitem and len(args) == 2 and not kwargs:
            return self.subscript(args[0], args[1], node, name)
        if fn is isinstance and len(args) == 2:
            self._check_asked(args[0], args[1], node)
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

    def _gotten(self, fn: Any, x: Atom, node: ast.AST, name: str | None) -> Atom:
        """A call of what `operator.itemgetter`, `attrgetter` or `methodcaller` made."""
        made, what = fn.__reduce__()[:2]
        if isinstance(fn, operator.methodcaller):
            named = made.keywords if isinstance(made, functools.partial) else {}
            given: tuple[Any, ...] = getattr(made, "args", ()) + what
            method = self.attribute(x, given[0], node)
            return self.call(method, given[1:], named, node, name)
        if isinstance(fn, operator.itemgetter):
            found = [self.subscript(x, key, node) for key in what]
        else:
            found = []
            for path in what:
                steps = str(path).split(".")
                found.append(functools.reduce(lambda at, s: self.attribute(at, s, node), steps, x))
        return found[0] if len(found) == 1 else tuple(found)

    def _handed_over(self, fn: Any, given: tuple[Atom, ...], node: ast.AST) -> None:
        """Refuse to give what is not followed a function that may change lists, dicts or objects;
        or to give these, or any function, to another thread.
        """
        for t in map(type_of, given):
            captured = t.captured if isinstance(t, Closure) else ()
            if any(isinstance(c, List | Dict | Ref | Record) for c in captured) or (
                runtime.is_concurrent(fn)
                and (
                    isinstance(t, Closure)
                    or refers(t)
                    or (isinstance(t, Const) and callable(t.value))
                )
            ):
                raise refused(
                    self.source,
                    node,
                    f"giving `{_title(fn)}` what it may change where no derivative follows",
                    "call the function here, or give it what it needs as arguments, and use what "
                    "it returns",
                )

    def _check_asked(self, x: Atom, classes: Any, node: ast.AST) -> None:
        """Of an iterator that is kept it is known that it is no container: it is of a class of its
        own.
        """
        asked = classes if isinstance(classes, tuple) else (classes,)
        if issubclass(getattr(type_of(x), "cls", object), Kept) and not set(asked) <= NO_ITERATORS:
            raise refused(self.source, node, "`isinstance` of an iterator that is kept")

    def _of_arrays(
        self, fn: Any, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        """The arguments of a callable of NumPy: arrays in the place of lists of numbers, and in
        the precision that `dtype=` of a ufunc asks for.
        """
        if _in(set(JOINING), fn) and args:
            return (self._members(args[0], node), *args[1:]), kwargs
        rule = lookup(fn) if wants_arrays(fn) else None
        if rule is None:
            return args, kwargs
        if isinstance(fn, np.ufunc) and kwargs.get("dtype") is not None:
            given = [self._converted(a, kwargs["dtype"], node) for a in args[: fn.nin]]
            if all(g is not None for g in given):
                args = (*given, *args[fn.nin :])
                kwargs = {k: v for k, v in kwargs.items() if k != "dtype"}
        names = (None,) * len(args) if rule.variadic else rule.order or rule.data

        def number(a: Atom, name: str | None) -> Atom:
            if name not in (None, *rule.data):
                return a
            return self.as_number(a, node, is_real if name in PLACES else is_number)

        named = itertools.zip_longest(args, names[: len(args)], fillvalue="")
        return tuple(itertools.starmap(number, named)), {k: number(v, k) for k, v in kwargs.items()}

    def _members(self, arrays: Atom, node: ast.AST) -> Atom:
        """Arrays that are joined, where some of them are lists."""
        t = self.held(arrays, deep=True)
        if not isinstance(t, List | Tuple) or not isinstance(node, ast.expr):
            return arrays
        if t.items is not None and any(isinstance(i, List | Tuple) for i in t.items):
            return tuple(self.as_number(a, node, is_number) for a in self.spread(arrays, node))
        if t.items is None and isinstance(t, List) and isinstance(t.item, List | Tuple):
            return self.listed(arrays, node, lambda a: self.as_number(a, node, is_number))
        return arrays

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
            return self.op(fn.live, self._handed(fn.live, args, node), kwargs, node, name)
        lowering = self.context.intrinsic(fn.live)
        if lowering is not None:
            return lowering(self, args, kwargs, node)
        if is_generator(fn.node):
            return self.generator_of(fn, args, kwargs, node, name)
        try:
            callee, values = self.linked(fn, args, kwargs, node)
        except Refused as refusal:
            # What the program itself made may hold what the derivative is asked for in.
            if fn.live is None or (_holds(fn.live)):
                raise
            return self._opaque(self.this_very(fn), args, kwargs, refusal.diagnostic, node, name)
        result = self.op(callee, tuple(values), {}, node, name)
        # Sizes that the callee made up may be others at the next call of it.
        self.returned(result, refreshed(callee.result), node)
        if callee.region.ops and callee.region.ops[-1].fn is runtime.throw:
            result.type = UNBOUND_TYPE  # it never returns
            return result
        known = not isinstance(callee.region.outs[0], Value | tuple | list | dict)
        return callee.region.outs[0] if known and not callee.recursive else result

    def linked(
        self, fn: UserFunction, args: tuple[Atom, ...], kwargs: dict[str, Atom], node: ast.AST
    ) -> tuple[Function, list[Atom]]:
        """The callee lowered for these arguments, and the values to call it with."""
        arguments = {
            k: self.kept_method(a, node)
            if isinstance(a, BoundMethod)
            else self._made_in(self.kept_view(a), node)
            for k, a in self.bind(fn, args, kwargs, node).items()
        }
        callee = self.context.link(fn, arguments, self, self.span(node))
        own = callee.region.params[: len(callee.region.params) - len(callee.hidden)]
        values = [arguments[p.name] for p in own]
        known, frame = self.frames, self.context.frame_of(callee)
        if frame is not None and isinstance(fn.resolver, FrameResolver):
            # A closure calls another one of the same `def`, or itself: it is given what that holds.
            self.frames = {**known, frame: fn.resolver.captured}
        values += [self.hidden_value(h, p.type, h.name, node) for h, p in callee.hidden_params()]
        self.frames = known
        for g in callee.guards:
            self.guards[g.key] = g
        return callee, [self.materialise(v, node) for v in values]

    def _made_in(self, atom: Atom, node: ast.AST) -> Atom:
        """A tuple in which inner functions are objects: of these it is known what they capture."""
        if not isinstance(atom, tuple):
            return atom
        items = [
            self.materialise(a, node) if isinstance(a, LocalFunction) else self._made_in(a, node)
            for a in atom
        ]
        return type(atom)(*items) if hasattr(atom, "_fields") else tuple(items)

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
        if any(map(_is_local, (*args, *kwargs.values(), *_captured(fn)))):
            raise Refused(why)  # it may change the class, of which there is one for all calls
        if getattr(fn, "__name__", None) == "__init__" and args:
            escape(type_of(args[0]))  # it has attributes that are not known
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
                given[p] = self._default(fn, p, node)
        if a.vararg is not None:
            unknown = any(isinstance(r, Rest) for r in rest)
            given[a.vararg.arg] = self._rest_of(rest, node) if unknown else rest
        if a.kwarg is not None:
            given[a.kwarg.arg] = extra
        return given

    def _default(self, fn: UserFunction, parameter: str, node: ast.AST) -> Atom:
        """A default of a function. Where it was computed in a function around this one, which is
        still lowered, the function that has it is made an object, which takes it along.
        """
        default = fn.defaults[parameter]
        if isinstance(fn.resolver, ScopeResolver) and fn.resolver.outer is not self:
            if isinstance(default, Generated) or any(True for _ in values(default)):
                self.has_to_be_made(fn, None, node)
        return default

    def kept_method(self, method: BoundMethod, node: ast.AST) -> Atom:
        return self.call(bound, (method.receiver, method.fn), {}, node)

    def _rest_of(self, rest: tuple[Atom, ...], node: ast.AST) -> Atom:
        """The tuple of positional arguments of which only the run knows how many there are."""
        return self.op(tuple, (self._joined_rest(rest, node),), {}, node)

    def _joined_rest(self, rest: tuple[Atom, ...], node: ast.AST) -> Atom:
        """The list of positional arguments of which only the run knows how many there are."""
        whole: Atom = None
        for r in rest:
            part = self.display([r], node) if not isinstance(r, Rest) else r.items
            whole = part if whole is None else self.binary(operator.add, whole, part, node)
        return whole

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
        frame, names = Frame(), closure.type.names
        self.frames[frame] = dict(zip(names, captured, strict=False))
        given = captured[len(names) :]
        defaults = dict(zip(template.defaults, given, strict=True)) if given else template.defaults
        resolver = FrameResolver(frame, self.frames[frame], template.resolver)
        fn = UserFunction(
            template.name,
            template.source,
            template.node,
            resolver,
            defaults,
            captured=closure.type.captured,
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
        if method is np.clip and len(args) == 1 and not {"max", "a_max"} & set(kwargs):
            args = (*args, None)  # which the function wants to be told
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
        if cls in GETTERS and not any(isinstance(a, Value) for a in (*args, *kwargs.values())):
            return cls(*args, **kwargs)
        if cls is operator.methodcaller:
            return self.call(calling, args, kwargs, node, name)
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
        plain = initialised_by(cls) is not None and not hasattr(cls, "__post_init__")
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
        given = map(type_of, (*args, *kwargs.values()))
        if self.context.hands_out or Other(set) in given:
            self.memory()  # what is called may change these
        return self.op(CALL_VALUE, (fn, *args), kwargs, node, name)

    def unused(self, node: ast.Call) -> None:
        """A call whose result is not used: an observer, such as `print`."""
        if any(isinstance(a, ast.GeneratorExp) for a in node.args):
            self.call_expression(node, None)
            return
        fn = self.expr(node.func)
        if isinstance(fn, types.FunctionType) and lookup(fn) is None:
            fn = self.constant(fn, None)
        args, kwargs = self._given(fn, node)
        if any(isinstance(a, Generated) for a in args):
            self.call(fn, args, kwargs, node)
            return
        if isinstance(fn, Value) and not isinstance(fn.type, Const | Closure | Other):
            given = map(type_of, (*args, *kwargs.values()))
            if any(isinstance(t, List | Dict | Record) or t == Other(set) for t in given):
                self.memory()  # it is called for what it does to them
        known = (
            fn if not isinstance(fn, Value | BoundMethod | LocalFunction | UserFunction) else None
        )
        if (
            known is not None
            and callable(known)
            and known is not next
            and initialises(known, args) is None
            and lookup(known) is None
            and not isinstance(known, type)
            and known not in STORES
            and known not in ARRAY_CHANGES
            and known not in COLLECTIONS
            and known not in OF_SETS
        ):
            args = tuple(self.materialise(a, node) for a in args)
            kwargs = {k: self.materialise(v, node) for k, v in kwargs.items()}
            self._handed_over(known, (*args, *kwargs.values()), node)
            self.op(runtime.observe, (known, *args), kwargs, node)
            return
        self.call(fn, args, kwargs, node)


def _is_local(a: Atom) -> bool:
    """Whether something is a class that is defined in a function, or an instance of one."""
    t = a if isinstance(a, type) else getattr(type_of(a), "cls", None)
    return isinstance(t, type) and any(c in LOCAL_CLASSES for c in t.__mro__)


def _captured(fn: Any) -> list[Any]:
    cells = getattr(fn, "__closure__", None) or ()
    return [c.cell_contents for c in cells if c != types.CellType()]


def _holds(f: Any) -> bool:
    """Whether a function that the program made captured something, or has it as a default."""
    return runtime.is_made(f) and bool(f.__closure__ or runtime.defaults_given(f))


def _has_rule(cls: type) -> bool:
    """Whether calls of the instances of a class have a rule."""
    own = next((vars(c)["__call__"] for c in cls.__mro__ if "__call__" in vars(c)), None)
    return isinstance(own, types.FunctionType) and lookup(own) is not None


def _has_call(cls: type) -> bool:
    return any("__call__" in vars(c) for c in cls.__mro__)


def _is_plain(cls: type) -> bool:
    """Whether an instance of a class is made as Python makes instances."""
    by: Any = cls.__new__
    return (
        type(cls) in (type, abc.ABCMeta)
        and by is object.__new__
        and (issubclass(cls, Kept | View) or cls.__module__.partition(".")[0] not in FOREIGN)
        and not runtime.is_outside(cls)
    )


def goes_through(a: Atom) -> bool:
    """Whether an argument is an object that is gone through as its class tells."""
    t = type_of(a)
    if not isinstance(t, Ref | Record) or issubclass(t.cls, CONTAINERS):
        return False
    return hasattr(t.cls, "__iter__")


def _in(fns: set[Any], fn: Any) -> bool:
    try:
        return fn in fns
    except TypeError:  # not hashable
        return False


def _title(fn: Any) -> str:
    module = getattr(fn, "__module__", None)
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or repr(fn)
    if isinstance(fn, np.ufunc) or module == "numpy":
        return fn_name(fn)
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
        case Scalar() | Array():  # some number: of no class that is not one of numbers
            every = classes if isinstance(classes, tuple) else (classes,)
            return None if any(map(_may_be_number, every)) else False
    return None if cls is None else issubclass(cls, classes)


def _may_be_number(cls: Any) -> bool:
    numbers = (bool, int, float, complex, np.ndarray, np.generic, np.float64, np.complex128)
    return not isinstance(cls, type) or any(issubclass(n, cls) for n in numbers)
