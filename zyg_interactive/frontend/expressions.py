"""Expressions to IR."""

from __future__ import annotations

import ast
import copy
import operator
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Refused
from ..ir.core import Atom, Value, type_of, values
from ..ir.types import (
    BOOL,
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
    Type,
    Unknown,
    closures,
    escape,
    join,
    join_all,
    join_quietly,
    leaves,
    may_be_differentiable,
)
from ..rules.registry import ATTRIBUTES, METHODS, REFUSAL, is_followed, lookup
from ..source import code_of
from .arrays import ARRAY_CHANGES, Arrays
from .fence import LOOKING, looking, refused
from .memory import CHANGING, CONTAINERS, DICTS, held_type, is_set
from .resolve import UserFunction
from .scope import BoundMethod, Generated, LocalFunction, ScopeResolver

BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}
TITLES = ("__doc__", "__module__", "__name__", "__qualname__")  # of functions
OF_SETS = (operator.and_, operator.or_, operator.xor, operator.sub)
COMPARE = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Expressions(Arrays):
    """One method per kind of expression; each returns an atom."""

    def expr(self, node: ast.expr, name: str | None = None) -> Atom:
        """Lower an expression. `name`: the variable that its value is about to be bound to."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=id):
                return self._not_looking(self.load(id, node), node)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(BINARY[type(op)], self.expr(left), self.expr(right), node, name)
            case ast.UnaryOp(op=op, operand=operand):
                return self._unary(UNARY[type(op)], self.expr(operand), node, name)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(self.expr(left), ops, comparators, node, name)
            case ast.BoolOp(op=op, values=values):
                return self._logical(isinstance(op, ast.And), values, node, name)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._choice(
                    self.expr(test), lambda: self.expr(body), lambda: self.expr(orelse), node, name
                )
            case ast.Tuple(elts=elts):
                pieces = self._pieces(elts)
                if len(pieces) == 1:
                    return tuple(self.kept_view(_one_object(a)) for a in pieces[0])
                return self.op(tuple, (self._joined(pieces, node),), {}, node, name)
            case ast.List(elts=elts):
                pieces = self._pieces(elts)
                if len(pieces) == 1 and isinstance(pieces[0], list):
                    return self.display(pieces[0], node, name)
                return self._joined(pieces, node)
            case ast.Dict():
                return self._dict(node, name)
            case ast.Subscript(value=value, slice=index):
                return self.subscript(self.expr(value), self.index(index), node, name)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(*(None if p is None else self.expr(p) for p in (lower, upper, step)))
            case ast.Attribute(value=value, attr=attr):
                return self._not_looking(self.attribute(self.expr(value), attr, node, name), node)
            case ast.Lambda():
                return self.inner_function("<lambda>", node)
            case ast.Call():
                return self.call_expression(node, name)
            case ast.ListComp(elt=elt, generators=generators):
                return self.comprehension(elt, generators, node, name)
            case ast.GeneratorExp(elt=elt, generators=generators):
                return self.generator(elt, generators, node)
            case ast.DictComp(key=key, value=value):
                return self._dict_comprehension(node, key, value, name)
            case ast.Set(elts=elts):
                if len(elts) > 2 and all(map(is_constant, elts)):
                    return self._set_of(self._known_set(node), node)
                return self._set_of(self.display(self._items(elts), node), node)
            case ast.SetComp(elt=elt, generators=generators):
                return self._set_of(self.comprehension(elt, generators, node), node)
            case ast.JoinedStr():
                return self._formatted(node, name)
            case ast.NamedExpr(target=ast.Name(id=id), value=value):
                atom = self.expr(value, id)
                self.assign(id, atom, node)
                return atom
        raise refused(self.source, node)

    def _not_looking(self, atom: Atom, node: ast.expr) -> Atom:
        if any(atom is f for f in LOOKING):
            raise looking(self.source, atom, node)
        return atom

    def index(self, node: ast.expr) -> Atom:
        """What stands between brackets; a list of numbers there is a constant."""
        if isinstance(node, ast.List) and node.elts and is_literal(node):
            return ast.literal_eval(node)
        if isinstance(node, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in node.elts):
            return tuple(map(self.index, node.elts))
        return self.expr(node)

    def call_expression(self, node: ast.Call, name: str | None) -> Atom:
        raise NotImplementedError

    def comprehension(
        self,
        elt: ast.expr,
        generators: list[ast.comprehension],
        node: ast.expr,
        name: str | None = None,
    ) -> Atom:
        raise NotImplementedError

    def generator(
        self, elt: ast.expr, generators: list[ast.comprehension], node: ast.expr
    ) -> Generated:
        raise NotImplementedError

    # ---- operators

    def binary(self, fn: Any, a: Atom, b: Atom, node: ast.AST, name: str | None = None) -> Atom:
        if isinstance(a, tuple) and isinstance(b, tuple) and fn is operator.add:
            return a + b
        if isinstance(a, tuple) and isinstance(b, int) and fn is operator.mul:
            return a * b
        if not any(isinstance(x, Value | tuple | list | dict) or callable(x) for x in (a, b)):
            folded = _fold(fn, a, b)
            if folded is not None:
                return folded
        if fn is operator.or_ and any(map(_is_dict, (a, b))):
            return self._merged(a, b, node)
        sets = fn in OF_SETS and any(map(is_any_set, (a, b)))
        if sets and self.heap is None and not all(map(_holds_no_number, (a, b))):
            self.memory()
        in_memory = sets and self.heap is not None
        if not in_memory or any(_has_operators(type_of(x)) for x in (a, b)):
            a, b = self._keys_as_sets(a, b, node)
        overloaded = self._overloaded(fn, a, b, node)
        if overloaded is not None:
            return overloaded
        if in_memory:
            return self.binary_of_sets(fn, a, b, node)
        if isinstance(type_of(a), Array) or isinstance(type_of(b), Array):
            a, b = (self._beside(x, y, node) for x, y in ((a, b), (b, a)))
        made = self.op(fn, (self.materialise(a, node), self.materialise(b, node)), {}, node, name)
        s, t = type_of(a), type_of(b)
        if sets:
            made.type = s if isinstance(s, Other) else Other(type(a))
        if fn is operator.add and isinstance(s, List) and isinstance(t, List):
            items = None if s.items is None or t.items is None else (*s.items, *t.items)
            made.type = List(join(s.item, t.item), items)
        return self._binary_of_references(made, a, b, node)

    def _keys_as_sets(self, a: Atom, b: Atom, node: ast.AST) -> tuple[Atom, Atom]:
        """Two operands, as sets where one is the keys of a dict."""
        if not any(map(_is_keys, (a, b))):
            return a, b
        first, second = (
            self.call(set, (x,), {}, node) if _is_keys(x) or isinstance(x, frozenset) else x
            for x in (a, b)
        )
        return first, second

    def _merged(self, a: Atom, b: Atom, node: ast.AST) -> Atom:
        """`|` of dicts: a copy of the first with the items of the second."""
        if not all(map(_is_dict, (a, b))):
            raise refused(self.source, node, "`|` of this and a dict", "write `{**a, **b}`")
        self.memory()
        merged = self.call(copy.copy, (a,), {}, node)
        self.call(dict.update, (merged, b), {}, node)
        return merged

    def _beside(self, a: Atom, b: Atom, node: ast.AST) -> Atom:
        """An operand beside an array: an array, where it is a list. A whole number repeats one."""
        t = type_of(b)
        if not isinstance(t, Array) or t.shape == ():
            return a
        many = t.shape is not None or (t.dtype is not None and t.dtype.kind in "fc")
        return self.as_number(a, node, is_number) if many else a

    def as_number(self, a: Atom, node: ast.AST, quantity: Callable[[Type], bool]) -> Atom:
        """A list or tuple with a quantity in it as the array that NumPy makes of it."""
        t = self.held(a, deep=True)
        if not isinstance(t, List | Tuple) or not any(map(quantity, leaves(t))):
            return a
        return self.call(np.array, (a,), {}, node)

    def held(self, atom: Atom, deep: bool = False) -> Type:
        """The type of what a container holds now."""


        def of(t: Type) -> Type:
            if isinstance(t, Tuple) and deep:
                return Tuple(tuple(map(of, t.items)), t.cls)
            return held_type(t, deep) if isinstance(t, Ref) else t

        return of(type_of(atom))

    def _binary_of_references(self, made: Value, a: Atom, b: Atom, node: ast.AST) -> Atom:
        """What a binary operation makes of lists in memory is new in memory, too."""
        if self.heap is None or not any(isinstance(type_of(x), Ref) for x in (a, b)):
            return made
        s, t = (type_of(x) for x in (made.op.args if made.op is not None else (a, b)))
        if made.op is not None and made.op.fn is operator.add:
            if isinstance(s, List) and isinstance(t, List):
                items = None if s.items is None or t.items is None else (*s.items, *t.items)
                made.type = List(join(s.item, t.item), items)
        elif made.op is not None and made.op.fn is operator.mul:
            held = s if isinstance(s, List) else t
            if isinstance(held, List):
                made.type = List(held.item)
        return self.allocated(made, node)

    def _overloaded(self, fn: Any, a: Atom, b: Atom, node: ast.AST) -> Atom | None:
        """An operator of a user's class is a call of its method."""
        for left, right, prefix in ((a, b, "__"), (b, a, "__r")):
            t = type_of(left)
            if prefix == "__r" and isinstance(type_of(a), Unknown) and is_followed(t):
                continue  # it may be another one, which comes first
            if isinstance(t, Record | Ref | Other) and _has_operators(t):
                called = f"{prefix}{fn.__name__.strip('_')}__"
                method = getattr(t.cls, called, None)
                if method is not None:
                    self.guard_member(t.cls, called)
                    return self.call(self.constant(method, None), (left, right), {}, node)
        return None

    def call(
        self,
        fn: Atom,
        args: tuple[Atom, ...],
        kwargs: dict[str, Atom],
        node: ast.AST,
        name: str | None = None,
    ) -> Atom:
        raise NotImplementedError

    def _unary(self, fn: Any, x: Atom, node: ast.AST, name: str | None) -> Atom:
        if not isinstance(x, Value | tuple | list | dict):
            return fn(x)
        return self.op(fn, (x,), {}, node, name)

    def _comparison(
        self,
        left: Atom,
        ops: list[ast.cmpop],
        comparators: list[ast.expr],
        node: ast.Compare,
        name: str | None,
    ) -> Atom:
        right = self.expr(comparators[0])
        first = self._compare(ops[0], left, right, node, name)
        if len(ops) == 1:
            return first
        return self._choice(
            first,
            lambda: self._comparison(right, ops[1:], comparators[1:], node, None),
            lambda: first,
            node,
            name,
        )

    def _compare(
        self, op: ast.cmpop, a: Atom, b: Atom, node: ast.Compare, name: str | None
    ) -> Atom:
        if isinstance(op, ast.In | ast.NotIn):
            self.compared(a, node)
            inside = self.op(
                operator.contains, (self.materialise(b, node), self.materialise(a, node)), {}, node
            )
            return (
                self.op(operator.not_, (inside,), {}, node) if isinstance(op, ast.NotIn) else inside
            )
        fn = COMPARE[type(op)]
        if fn in (operator.is_, operator.is_not):
            decided = _identity(a, b)
            if decided is not None:
                return decided if fn is operator.is_ else not decided
        if isinstance(a, LocalFunction) and isinstance(b, LocalFunction):
            return (a is b) == (fn in (operator.is_, operator.eq))
        for x, y in ((a, b), (b, a)):
            if isinstance(type_of(y), Closure | Unknown | Other) or isinstance(y, BoundMethod):
                self.told_apart(x, node)
        if fn not in (operator.is_, operator.is_not):
            for x in (a, b):
                if not isinstance(x, BoundMethod):
                    self.compared(x, node)
        plain = not any(isinstance(x, Value | tuple | list | dict) or callable(x) for x in (a, b))
        if plain and fn not in (operator.is_, operator.is_not):
            with suppress(TypeError):  # which the program raises
                return fn(a, b)
        a, b = self._keys_as_sets(a, b, node)
        overloaded = self._overloaded(fn, a, b, node)
        if overloaded is not None:
            return overloaded
        return self.op(fn, (self.materialise(a, node), self.materialise(b, node)), {}, node, name)

    def told_apart(self, x: Atom, node: ast.AST) -> None:
        """Let a function that is made here be one object: else each place where it is a value has
        one of its own.
        """
        match x:
            case LocalFunction(fn=fn, key=key):
                self.has_to_be_made(fn, key, node)
            case Value(type=Closure(template=fn)) if not self.is_one_object(fn):
                self.has_to_be_made(fn, None, node)
            case BoundMethod(fn=fn):
                raise refused(
                    self.source,
                    node,
                    f"telling `{getattr(fn, '__name__', fn)}` from other functions",
                    "give functions names, and compare these",
                )

    def compared(self, x: Atom, node: ast.AST) -> None:
        """Let functions that are made here be one object each, in what is compared as well."""
        if isinstance(x, tuple | list):
            for a in x:
                self.compared(a, node)
            return
        self.told_apart(x, node)
        for t in closures(type_of(x)):
            if not self.is_one_object(t.template):
                self.has_to_be_made(t.template, None, node)

    def _logical(
        self, conjunction: bool, values: list[ast.expr], node: ast.expr, name: str | None
    ) -> Atom:
        first, rest = self.expr(values[0]), values[1:]
        if not rest:
            return first

        def more() -> Atom:
            return self._logical(conjunction, rest, node, None)

        def keep() -> Atom:
            return first

        then, other = (more, keep) if conjunction else (keep, more)
        return self._choice(first, then, other, node, name)

    def _choice(
        self, condition: Atom, then: Any, other: Any, node: ast.expr, name: str | None
    ) -> Atom:
        """`then() if condition else other()`, only one of them evaluated."""
        condition = self.truth(condition, node)
        if not isinstance(condition, Value):
            return then() if condition else other()
        key = "$choice"

        def bind(build: Any) -> Any:
            def run() -> None:
                self.env[key] = build()

            return run

        self.branch(condition, bind(then), bind(other), node)
        chosen = self.env.pop(key)
        if isinstance(chosen, Value) and chosen.op is self.region.ops[-1]:
            chosen.name = name
        return chosen

    def truth(self, atom: Atom, node: ast.AST | None = None) -> Atom:
        """The truth of a condition, decided now where its type tells."""
        if not isinstance(atom, Value):
            if isinstance(atom, LocalFunction | UserFunction | BoundMethod):
                return True
            return bool(atom)
        if isinstance(atom.type, Const):
            return bool(atom.type.value)
        if self.heap is not None and isinstance(atom.type, Ref | Unknown | Other):
            return self._truth_now(atom, node or self.fn.node)
        return atom

    def _truth_now(self, atom: Value, node: ast.AST) -> Atom:
        """The truth of something that may be changed later, as it is now."""
        t = atom.type
        if isinstance(t, Ref) and not t.optional and t.cls not in CONTAINERS:
            for method in ("__bool__", "__len__"):
                if hasattr(t.cls, method):
                    return self.truth(self.method_call(t.cls, method, (atom,), node), node)
            return True
        now = self.op(operator.truth, (atom,), {}, node)
        now.type = BOOL
        return now

    # ---- displays, subscripts, attributes

    def _items(self, elts: list[ast.expr]) -> list[Atom]:
        items: list[Atom] = []
        for e in elts:
            if isinstance(e, ast.Starred):
                items += self.spread(self.expr(e.value), e)
            else:
                items.append(self.expr(e))
        return items

    def _pieces(self, elts: list[ast.expr]) -> list[Any]:
        """The items of a display: lists of atoms, and atoms of sequences between them whose length
        only the run knows.
        """
        pieces: list[Any] = [[]]
        for e in elts:
            if not isinstance(e, ast.Starred):
                pieces[-1].append(self.expr(e))
                continue
            atom = self.expr(e.value)
            try:
                pieces[-1] += self.spread(atom, e)
            except Refused:
                pieces += [atom, []]
        return pieces

    def _joined(self, pieces: list[Any], node: ast.expr) -> Atom:
        """A list of pieces, one after the other."""
        whole: Atom = None
        for piece in pieces:
            if isinstance(piece, list) and not piece:
                continue
            if isinstance(piece, list):
                part: Atom = self.display(piece, node)
            else:
                part = self.call(list, (piece,), {}, node)
            whole = part if whole is None else self.binary(operator.add, whole, part, node)
        return whole

    def spread(self, atom: Atom, node: ast.AST) -> list[Atom]:
        """The items of a sequence of known length."""
        if isinstance(atom, Generated):
            atom = atom.items
        atom = self.frozen(self.gone_through_as(atom, node), node)
        if isinstance(atom, tuple):
            return list(atom)
        t = type_of(atom)
        exact = t.items if isinstance(t, Tuple | List) else None
        if exact is None and isinstance(t, Array) and t.shape and isinstance(t.shape[0], int):
            exact = (UNKNOWN,) * t.shape[0]
        if exact is None:
            raise refused(
                self.source,
                node,
                "unpacking a sequence whose length only the run knows",
                "index it instead",
            )
        return [self.subscript(atom, i, node) for i in range(len(exact))]

    def display(self, items: list[Atom], node: ast.AST, name: str | None = None) -> Value:
        """A list made of these items."""
        items = [self.materialise(i, node) for i in items]
        made = self.op(runtime.make_list, tuple(items), {}, node, name)
        types = tuple(map(type_of, items))
        joined = join_all if self.heap is None else join_quietly
        made.type = List(joined(types), types)
        if self.heap is not None:
            made.type = self.holding(made.type, node)
        return made

    def _dict(self, node: ast.Dict, name: str | None) -> Atom:
        if any(k is None for k in node.keys):
            return self._merged_dict(node, name)
        pairs = [
            (self.expr(k), self.materialise(self.expr(v), node))
            for k, v in zip(node.keys, node.values, strict=True)
            if k is not None
        ]
        if not all(_is_constant_key(k) for k, _ in pairs):
            filled = self.holding_new(Dict(()), node, name)
            for key, value in pairs:
                self.store_item(filled, key, value, node)
            return filled
        keys, items = zip(*pairs, strict=True) if pairs else ((), ())
        made = self.op(runtime.make_dict, (keys, *items), {}, node, name)
        made.type = Dict(tuple(dict(zip(keys, map(type_of, items), strict=True)).items()))
        if self.heap is not None:
            made.type = self.holding(made.type, node)
        return made

    def _merged_dict(self, node: ast.Dict, name: str | None) -> Atom:
        """A display with `**`: filled piece by piece."""
        made = self.holding_new(Dict(()), node, name)
        for k, v in zip(node.keys, node.values, strict=True):
            key = None if k is None else self.expr(k)
            value = self.expr(v)
            if k is not None:
                self.store_item(made, key, value, node)
            elif isinstance(value, dict):
                for key, part in value.items():
                    self.store_item(made, key, part, node)
            else:
                self.call(dict.update, (made, value), {}, node)
        return made

    def subscript(self, base: Atom, index: Atom, node: ast.AST, name: str | None = None) -> Atom:
        if base is np.r_ or base is np.c_:
            joined = self._joined_by_index(base, index, node, name)
            if joined is not None:
                return joined
        if (
            isinstance(base, tuple)
            and isinstance(index, int | np.integer | slice)
            and not isinstance(index, bool)
        ):
            try:
                return base[index]
            except (IndexError, TypeError):
                pass  # the run raises it
        self.told_apart(index, node)
        if isinstance(base, Value) and isinstance(base.type, Ref):
            if base.type.cls in CONTAINERS or issubclass(base.type.cls, CONTAINERS):
                return self.load_item(base, self.materialise(index, node), node, name)
            return self.method_call(base.type.cls, "__getitem__", (base, index), node)
        t = type_of(base)
        if isinstance(t, Other) and is_followed(t):
            return self.method_call(t.cls, "__getitem__", (base, index), node)
        if isinstance(base, Value) and base.op is not None and isinstance(index, int | str):
            item = _of_display(base, index)
            if item is not None:
                return item
        got = self.op(
            operator.getitem,
            (self.materialise(base, node), self.materialise(index, node)),
            {},
            node,
            name,
        )
        if self.heap is not None and isinstance(got.type, Unknown):
            escape(type_of(base))  # it may be any of the items
        return self.unpacked(got)

    def _joined_by_index(
        self, base: Any, index: Atom, node: ast.AST, name: str | None
    ) -> Atom | None:
        """`np.r_[a, b]`, `np.c_[a, b]`: rows or columns of arrays and numbers; None of the rest."""
        parts = list(index) if isinstance(index, tuple) else [index]
        known = [type_of(p) for p in parts]
        if not all(isinstance(t, Array | Scalar | Unknown) for t in known) or not any(
            isinstance(p, Value) for p in parts
        ):
            return None
        kinds = {t.dtype for t in known if isinstance(t, Array)}
        kind = kinds.pop() if len(kinds) == 1 and Unknown() not in known else None
        given = {} if kind is None or kind.kind not in "fc" else {"dtype": kind}
        items = [
            self.op(np.array, ([p],), given, node)
            if isinstance(type_of(p), Scalar)
            else self.op(np.atleast_1d, (p,), {}, node)
            for p in parts
        ]
        if base is np.c_:
            return self.op(np.column_stack, (items,), {}, node, name)
        return self.op(np.concatenate, (items,), {}, node, name)

    def attribute(self, base: Atom, attr: str, node: ast.AST, name: str | None = None) -> Atom:
        if not isinstance(
            base,
            Value | tuple | list | dict | LocalFunction | BoundMethod | UserFunction | int | float,
        ):
            if isinstance(base, set) and attr in CHANGING_SET:  # a default
                raise refused(
                    self.source,
                    node,
                    f"changing a set that is not made here with `{attr}`",
                    "make it in the function, or give it as an argument",
                    "ZYG103",
                )
            found = self.resolver.member(base, attr)
            if isinstance(base, type) and isinstance(getattr(base, attr, None), types.MethodType):
                self.guard_member(base, attr)
            return (
                self.meaning(found, attr, node)
                if not callable(base) or isinstance(base, type)
                else getattr(base, attr)
            )
        t = type_of(base)
        match t:
            case Array():
                if attr in ATTRIBUTES:
                    return self.op(ATTRIBUTES[attr], (base,), {}, node, name)
                if attr == "dtype" and t.dtype is not None:
                    return t.dtype
                if attr == "itemsize" and t.dtype is not None:
                    return t.dtype.itemsize
                if attr == "flat":
                    return self.op(np.ravel, (base,), {}, node, name)
                if attr == "view":
                    return BoundMethod(base, np.ndarray.view)
                if getattr(np.ndarray, attr, None) in ARRAY_CHANGES:
                    return BoundMethod(base, getattr(np.ndarray, attr))
                if attr in METHODS[np.ndarray]:
                    return BoundMethod(base, METHODS[np.ndarray][attr])
                if callable(getattr(np.ndarray, attr, None)) and not attr.startswith("__"):
                    return BoundMethod(base, getattr(np.ndarray, attr))
            case Record() | Ref() if not (isinstance(t, Ref) and issubclass(t.cls, CONTAINERS)):
                return self._member(base, t, attr, node, name)
            case Unknown() if attr in CHANGING:
                self.memory()  # it may be a list or dict
            case Scalar(kind=kind):
                if attr in ("real", "imag"):
                    return self.op(ATTRIBUTES[attr], (base,), {}, node, name)
                cls = {"bool": bool, "int": int, "float": float, "complex": complex}[kind]
                if hasattr(cls, attr):
                    return BoundMethod(base, getattr(cls, attr))
            case Closure() if attr in TITLES:
                title = self.op(getattr, (base, attr), {}, node, name)
                title.type = Other(str)
                return title
            case Tuple(cls=cls) if attr in getattr(cls, "_fields", ()):
                return self.subscript(base, getattr(cls, "_fields", ()).index(attr), node, name)
            case List() | Dict() | Tuple() | Other() | Ref():
                cls = (
                    t.cls
                    if isinstance(t, Other | Tuple | Ref)
                    else list
                    if isinstance(t, List)
                    else dict
                )
                table = METHODS.get(cls, {})
                own = getattr(cls, attr, None)
                if isinstance(own, property) and lookup(own.fget) is not None:
                    return self.call(own.fget, (base,), {}, node, name)
                changing = self.heap is not None and self.heap.arrays
                if changing and is_followed(t) and not callable(own):
                    what = f"`{attr}` of a {cls.__name__} in a function that changes arrays"
                    raise refused(self.source, node, what, "read it outside", "ZYG103")
                if attr in table or callable(getattr(cls, attr, None)):
                    return BoundMethod(
                        base, table.get(attr) or self.constant(getattr(cls, attr), None)
                    )
        got = self.op(getattr, (self.materialise(base, node), attr), {}, node, name)
        if isinstance(t, Other) and issubclass(t.cls, BaseException):
            assert got.op is not None
            got.op.static[REFUSAL] = refused(
                self.source,
                node,
                "a number that an exception carries",
                "keep it in a variable, and raise without it",
            ).diagnostic
        return got

    def _member(
        self, base: Atom, t: Record | Ref, attr: str, node: ast.AST, name: str | None
    ) -> Atom:
        """An attribute of an instance: its own, a property, or a method."""
        found = getattr(t.cls, attr, None)
        if isinstance(found, property):
            self.guard_member(t.cls, attr)
            return self.call(self.constant(found.fget, None), (base,), {}, node, name)
        if isinstance(t, Ref):
            own: Type | None = None
            site = t.site.find()
            if site.escaped or attr in site.contents or not _is_member(t.cls, attr):
                return self.attribute_in_memory(base, attr, node, name)
        else:
            own = t.get(attr)
        if own is not None and not isinstance(t, Ref):
            got = self.op(getattr, (base, attr), {}, node, name or attr)
            got.type = own
            return self.unpacked(got)
        raw = next((vars(c)[attr] for c in t.cls.__mro__ if attr in vars(c)), None)
        if isinstance(raw, staticmethod):
            self.guard_member(t.cls, attr)
            return self.constant(raw.__func__, None)
        if isinstance(raw, classmethod):
            self.guard_member(t.cls, attr)
            return BoundMethod(t.cls, self.constant(raw.__func__, None))
        if callable(raw):
            self.guard_member(t.cls, attr)
            return BoundMethod(base, self.constant(raw, None))
        if isinstance(t, Ref):
            return self.attribute_in_memory(base, attr, node, name)
        return self.op(getattr, (base, attr), {}, node, name or attr)

    def _formatted(self, node: ast.JoinedStr, name: str | None) -> Atom:
        """An f-string: its parts formatted as Python does, then joined."""
        parts: list[Atom] = []
        for v in node.values:
            if isinstance(v, ast.FormattedValue):
                atom = self.materialise(self.expr(v.value), v)
                convert = {115: str, 114: repr, 97: ascii}.get(v.conversion)
                if convert is not None:
                    atom = self.op(convert, (atom,), {}, v)
                spec = self.expr(v.format_spec) if v.format_spec is not None else ""
                parts.append(self.op(format, (atom, spec), {}, v))
            else:
                parts.append(self.expr(v))
        if all(isinstance(p, str) for p in parts):
            return "".join(parts)
        joined = self.op(runtime.join_text, tuple(parts), {}, node, name)
        joined.type = Other(str)
        return joined

    def _dict_comprehension(
        self, node: ast.DictComp, key: ast.expr, value: ast.expr, name: str | None
    ) -> Atom:
        """A dict that is filled with the pairs that a list comprehension makes."""
        made = self.holding_new(Dict(()), node, name)
        pair = ast.copy_location(ast.Tuple([key, value], ast.Load()), key)
        pairs = self.comprehension(pair, node.generators, node)
        self.listed(pairs, node, lambda pair: self._store_pair(made, pair, node))
        return made

    def _store_pair(self, made: Atom, pair: Atom, node: ast.expr) -> None:
        k, v = (self.subscript(pair, part, node) for part in (0, 1))
        self.store_item(made, k, v, node)

    def listed(
        self, atom: Atom, node: ast.expr, do: Callable[[Atom], Any] | None = None
    ) -> Atom:
        raise NotImplementedError

    def _set_of(self, items: Atom, node: ast.expr) -> Atom:
        """A set of what a display holds."""
        return self.call(set, (items,), {}, node)

    def iterable(self, node: ast.expr) -> Atom:
        """What a loop goes through: a display of constants as Python's compiler makes it."""
        if isinstance(node, ast.Set) and all(map(is_constant, node.elts)):
            return self._known_set(node)
        return self.expr(node)

    def _known_set(self, node: ast.Set) -> frozenset[Any]:
        """A display of constants as Python's compiler made it, in whose order the items stand."""
        live = self.fn.live
        code = self.fn.code or getattr(live, "__code__", None)
        code = code or code_of(self.source, self.fn.node)
        items = frozenset(map(ast.literal_eval, node.elts))
        kinds = {(type(i), i) for i in items}
        for c in () if code is None else code.co_consts:
            if isinstance(c, frozenset) and {(type(i), i) for i in c} == kinds:
                return c
        return items

    def sequence(self, it: Atom, node: ast.expr) -> tuple[Atom, Callable[[Atom], Atom]]:
        raise NotImplementedError

    # ---- functions

    def inner_function(self, name: str, node: ast.FunctionDef | ast.Lambda) -> Atom:
        """A function that is defined here; where it has to be one object, made at once."""
        defaults: dict[str, Atom] = {}
        positional = [*node.args.posonlyargs, *node.args.args]
        for arg, d in zip(
            positional[len(positional) - len(node.args.defaults) :], node.args.defaults, strict=True
        ):
            defaults[arg.arg] = self._default_value(d)
        for arg, kw in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if kw is not None:
                defaults[arg.arg] = self._default_value(kw)
        fn = UserFunction(name, self.source, node, ScopeResolver(self), defaults)
        made = LocalFunction(fn, self)
        return self._closure(made, node) if self.is_one_object(fn) else made

    def _default_value(self, node: ast.expr) -> Atom:
        """A default: an iterator is an object, which each call goes on with."""
        found = self.expr(node)
        return self.materialise(found, node) if isinstance(found, Generated) else found


def _is_constant_key(key: Atom) -> bool:
    known = isinstance(key, str | int | float | tuple | bool | type(None))
    return known and not any(True for _ in values(key))


def _is_dict(a: Atom) -> bool:
    """Whether something is a dict whose `|` is that of `dict`."""
    t = type_of(a)
    return isinstance(t, Dict) or (isinstance(t, Ref) and t.cls in DICTS)


def _has_operators(t: Type) -> bool:
    """Whether something is an instance of a class that may say what operators do."""
    return (
        isinstance(t, Record) or (isinstance(t, Ref) and t.cls not in CONTAINERS) or is_followed(t)
    )


def _is_keys(a: Atom) -> bool:
    """Whether something is a view of the keys of a dict."""
    made = a.op if isinstance(a, Value) else None
    return made is not None and made.fn in (runtime.keys_of, dict.keys) and not is_set(made.args[0])


def is_any_set(a: Atom) -> bool:
    t = type_of(a)
    known = isinstance(t, Other) and issubclass(t.cls, set | frozenset)
    return known or is_set(a) or _is_keys(a) or isinstance(a, set | frozenset)


def _holds_no_number(a: Atom) -> bool:
    """Whether it is known of a set that its items carry no derivative."""
    if not isinstance(a, Value):
        return True
    made = a.op
    if made is None:
        return False
    if made.fn in OF_SETS:
        return all(map(_holds_no_number, made.args))
    if made.fn in (dict.keys, runtime.keys_of):
        return isinstance(type_of(made.args[0]), Dict)
    if made.fn not in (set, frozenset) or not made.args:
        return made.fn in (set, frozenset)
    items = made.args[0]
    t = type_of(items)
    if isinstance(t, List) and not may_be_differentiable(t):
        return True
    display = items.op if isinstance(items, Value) else None
    if display is None or display.fn is not runtime.make_list:
        return False
    return not any(True for _ in values(display.args))


def _one_object(a: Atom) -> Atom:
    """An iterator as the object that it is under each of its names."""
    return a.keep() if isinstance(a, Generated) and a.keep is not None else a


def is_real(t: Type) -> bool:
    """Whether a leaf of a list may be a quantity: whole numbers may tell a shape."""
    return not isinstance(t, Scalar) or t.kind in ("float", "complex")


def is_number(t: Type) -> bool:
    """Whether a leaf of a list is a quantity where no shape and no place can be meant."""
    return is_real(t) or (isinstance(t, Scalar) and t.kind == "int")


def is_literal(node: ast.expr) -> bool:
    """Whether a display holds but numbers and strings: metadata such as `axes=([0], [1])`."""
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(is_literal, node.elts))
    if isinstance(node, ast.UnaryOp):
        number = isinstance(node.operand, ast.Constant) and not isinstance(node.operand.value, str)
        return number and isinstance(node.op, ast.USub | ast.UAdd)
    return isinstance(node, ast.Constant)


CHANGING_SET = {"add", "discard", "remove", "pop", "clear", "update"} | {
    f"{name}_update" for name in ("difference", "intersection", "symmetric_difference")
}


def is_constant(node: ast.expr) -> bool:
    """Whether Python's compiler knows the value of an expression."""
    if isinstance(node, ast.Tuple):
        return all(map(is_constant, node.elts))
    if isinstance(node, ast.UnaryOp):
        number = isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float)
        return isinstance(node.op, ast.USub) and number
    return isinstance(node, ast.Constant)


def _is_member(cls: type, attr: str) -> bool:
    """Whether a class has a method, or a constant, of this name: no slot or field."""
    found = next((vars(c)[attr] for c in cls.__mro__ if attr in vars(c)), None)
    return callable(found) or isinstance(found, staticmethod | classmethod)


def _fold(fn: Any, a: Any, b: Any) -> Any:
    """Arithmetic on constants, where it is certain."""
    if (
        isinstance(a, str)
        or isinstance(b, str)
        or isinstance(a, np.ndarray)
        or isinstance(b, np.ndarray)
    ):
        return None
    try:
        return fn(a, b)
    except Exception:  # the run raises it, if it comes to it
        return None


def _identity(a: Atom, b: Atom) -> bool | None:
    """`a is b` where the types tell; only comparisons with None are decided."""
    for x, y in ((a, b), (b, a)):
        if y is None:
            t = type_of(x)
            if x is None:
                return True
            if not isinstance(x, Value) or isinstance(
                t, Scalar | Array | Tuple | List | Dict | Record | Closure
            ):
                return False
            if isinstance(t, Const):
                return t.value is None
    return None


def _of_display(base: Value, index: Any) -> Atom | None:
    """An item of a list or dict that was just displayed."""
    assert base.op is not None
    if base.op.fn is runtime.make_list and isinstance(index, int) and not isinstance(index, bool):
        if -len(base.op.args) <= index < len(base.op.args):
            return base.op.args[index]
    if base.op.fn is runtime.make_dict and index in base.op.args[0]:
        return dict(zip(base.op.args[0], base.op.args[1:], strict=True))[index]
    return None
