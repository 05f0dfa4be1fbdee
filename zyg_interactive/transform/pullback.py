"""The pullback transform: a function to its forward part, which keeps what is needed, and its
reverse part.

Both are ordinary IR, so a gradient can be differentiated again. The method is reverse accumulation
over structured control flow (A. Griewank and A. Walther, Evaluating Derivatives, 2008, chapters 3
and 6): the reverse of a branch is a branch on the same condition, that of a scan is the scan over
what it collected, backwards.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .. import runtime
from ..analysis.activity import active_values
from ..diagnostics import Refused, refuse
from ..ir.core import (
    CALL_VALUE,
    FOR,
    IF,
    UNPACK,
    WHILE,
    Atom,
    Demand,
    Function,
    Infer,
    Marker,
    Op,
    Region,
    Undecided,
    Value,
    append,
    building,
    clone,
    defined,
    emit,
    reads,
    substitute,
    type_of,
    values,
    walk,
)
from ..ir.types import (
    INT,
    UNKNOWN,
    Array,
    Closure,
    Dict,
    List,
    Other,
    Record,
    Scalar,
    Tuple,
    Type,
    Unknown,
    may_be_differentiable,
)
from ..rules.custom import CustomCall
from ..rules.elementwise import narrow
from ..rules.registry import Rule, lookup
from .cotangents import (
    Fields,
    as_scalar,
    bar_type,
    captured_count,
    component,
    differentiable,
    filled,
    is_zero,
    made,
    member,
    opened,
    plus,
    repaired,
    zero,
)
from .residuals import lighten, recompute
from .residuals import needed as residuals_of
from .simplify import drop_dead

REFUSAL = "$refusal"
Pattern = Any  # of a seed: True for a leaf that is given, None for a strong zero, tuples of these


@dataclass(eq=False)
class Pair:
    """The two halves of a differentiated function: `forward` returns (result, residuals), `reverse`
    takes (residuals, *seeds) and returns a cotangent for each active parameter.
    """

    forward: Function
    reverse: Function
    done: bool = False
    recursive: bool = False
    parts: tuple[Any, ...] = ()  # which parts there are of the cotangents that `reverse` returns


@dataclass
class Adjoint:
    """A function's primal, changed to leave what `reverse` reads; the reverse region reads its
    values freely.
    """

    function: Function
    primal: Region
    reverse: Region
    seeds: tuple[Value, ...]
    bars: dict[Value, Atom] = field(default_factory=dict)


Pairs = Callable[[Function, tuple[int, ...], Pattern], Pair]


class Watch(Protocol):
    """What a recording puts into the code: reports of values and cotangents."""

    def nodes(self, f: Function, copies: dict[Value, Atom]) -> dict[Value, int]:
        """The nodes of a function, by the value of its copy that each stands for."""

    def values(self, primal: Region, nodes: dict[Value, int]) -> None:
        """Add reports of the values to the primal."""

    def bar(self, node: int, total: Atom) -> None:
        """Add a report of a cotangent to the region being built."""


class Scope:
    """The reverse of one region while it is built: where ops go, and the cotangents that have come
    in so far.
    """

    def __init__(self, primal: Region, parent: Scope | None = None, loop: bool = False):
        self.region = Region()
        self.parent, self.loop = parent, loop
        self.own = set(values(primal.params)) | {r for op in primal.ops for r in op.results}
        self.bars: dict[Value, list[Atom]] = {}
        self.buffers: dict[Value, Atom] = {}
        self.carried: dict[Value, tuple[Value, Atom]] = {}  # of a loop: parameter and initial value
        self.threaded: dict[Value, Atom] = {}  # of a branch: the buffer it began with

    def crosses_loop(self, x: Value) -> bool:
        """Whether `x` comes from outside a loop that this scope is in."""
        scope: Scope | None = self
        while scope is not None and x not in scope.own:
            if scope.loop:
                return True
            scope = scope.parent
        return False

    def buffer(self, x: Value) -> Atom:
        """The accumulator of the cotangent of `x`, as it is at this point."""
        if x not in self.buffers:
            if self.parent is None or x in self.own:
                self.buffers[x] = self._zero(x)
            elif self.loop:
                param = Value(f"{x.name or 't'}_bar", bar_type(x.type), x.span)
                self.carried[x] = (param, self.parent.buffer(x))
                self.buffers[x] = param
            else:
                self.threaded[x] = self.buffers[x] = self.parent.buffer(x)
        return self.buffers[x]

    def _zero(self, x: Value) -> Atom:
        here = Region()
        with _in(here, x):
            made = zero(x)
        for op in here.ops:
            op.results[0].name = f"{x.name or 't'}_bar"
        self.region.ops += here.ops
        return made


_infer: Infer


def _in(region: Region, x: Value) -> Any:
    return building(region, x.span, _current_infer[0], narrow)


_current_infer: list[Infer] = []


class Pullback:
    """Builds the adjoint of one function."""

    def __init__(
        self,
        f: Function,
        wrt: tuple[int, ...],
        pattern: Pattern,
        infer: Infer,
        pairs: Pairs,
        implicit: bool,
        watch: Watch | None = None,
    ):
        self.f, self.infer, self.pairs, self.implicit, self.watch = f, infer, pairs, implicit, watch
        copies: dict[Value, Atom] = {}
        self.primal = clone(f.region, copies)
        self.watched = watch.nodes(f, copies) if watch is not None else {}
        self.params = [self.primal.params[i] for i in wrt]
        self.active = active_values(self.primal, set(self.params), implicit)
        for op in walk(self.primal):
            if any(v in self.active for v in values(op.args)):
                self._guarded(op)
        self.pattern = pattern

    def _guarded(self, op: Op) -> None:
        """What cannot be looked into must at least leave its arguments alone, whether its result is
        used or not.
        """
        if REFUSAL in op.static:
            op.fn, op.args = runtime.observe, (op.fn, *op.args)
        elif op.fn is CALL_VALUE:
            op.fn = runtime.observe
        elif not isinstance(op.fn, Function | Marker):
            rule = lookup(op.fn)
            if rule is not None and rule.pullback is not None and rule.custom is None:
                self._arguments(rule, op)

    def adjoint(self) -> Adjoint:
        _current_infer.append(self.infer)
        try:
            return self._adjoint()
        finally:
            _current_infer.pop()

    def _adjoint(self) -> Adjoint:
        top = Scope(self.primal)
        seeds: list[Value] = []
        outs = self.primal.outs if len(self.primal.outs) > 1 else self.primal.outs[0]
        with building(top.region, self.f.span, self.infer, narrow):
            self._contribute(top, outs, self._seed(outs, type_of(outs), self.pattern, seeds))
        self._region(self.primal, top)
        bars = {}
        with building(top.region, self.f.span, self.infer, narrow):
            for p in self.params:
                bars[p] = self._total(top, p)
        if self.watch is not None:
            self.watch.values(self.primal, self.watched)
        top.region.params = tuple(seeds)
        top.region.outs = tuple(bars.values())
        drop_dead(top.region)
        return Adjoint(self.f, self.primal, top.region, tuple(seeds), bars)

    def _seed(self, out: Atom, t: Type, pattern: Pattern, seeds: list[Value]) -> Atom:
        """The cotangent of the result: a parameter for each leaf that is given. They are appended
        to `seeds`.
        """
        if isinstance(pattern, tuple):
            assert isinstance(t, Tuple)
            parts = out if isinstance(out, tuple) else (out,) * len(pattern)
            items = zip(parts, t.items, pattern, strict=True)
            return tuple(self._seed(o, ti, p, seeds) for o, ti, p in items)
        if pattern is None:
            return None
        name = out.name if isinstance(out, Value) and out.name else "y"
        seeds.append(Value(f"{name}_bar", bar_type(t), self.f.span))
        return seeds[-1]

    # ---- regions and contributions

    def _region(self, primal: Region, scope: Scope) -> None:
        for op in reversed(list(primal.ops)):
            received = [r for r in op.results if r in scope.bars or r in scope.buffers]
            if not received:
                continue
            with building(scope.region, op.span, self.infer, narrow):
                try:
                    self._op(op, scope, primal)
                except Undecided as undecided:
                    self._demand(undecided)
                    raise refuse(
                        "ZYG201",
                        f"the gradient of `{_title(op.fn)}` needs to know {undecided} before the run",
                        op.span,
                        "pass it as a constant",
                    ) from undecided

    def _demand(self, undecided: Undecided) -> None:
        first = len(self.primal.params) - len(self.f.hidden)
        for i, p in enumerate(self.primal.params):
            if p is undecided.value and i >= first:
                path = self.f.hidden[i - first]
                raise Demand(
                    path, path.name, self.f.region.params[i], str(undecided)
                ) from undecided
            if p is undecided.value and self.f.key is not None:
                raise Demand(
                    self.f.key, p.name or "", self.f.region.params[i], str(undecided)
                ) from undecided

    def _total(self, scope: Scope, x: Value) -> Atom:
        """The whole cotangent of a value of this scope."""
        total: Atom = None
        for c in scope.bars.pop(x, []):
            total = plus(total, c)
        if x in scope.buffers:
            total = plus(scope.buffers.pop(x), total)
        total = as_scalar(total, x.type)
        if isinstance(total, Value):
            if isinstance(x.type, Array) and isinstance(total.type, Array):
                # A cotangent has the shape of its value, also where the rule's code does not tell.
                total.type = Array(total.type.dtype, x.type.shape or total.type.shape)
            if total.bar_of is None:
                total.bar_of = x
            if total.name is None:
                total.name = f"{x.name}_bar" if x.name else None
        if self.watch is not None and total is not None and x in self.watched:
            self.watch.bar(self.watched[x], made(total))
        return total

    def _contribute(self, scope: Scope, x: Atom, c: Atom, broadcasts: bool = False) -> None:
        """Add `c` to the cotangent of `x`."""
        if c is None or (isinstance(c, float | int) and c == 0):
            return
        if isinstance(x, tuple | list):
            for i, xi in enumerate(x):
                if any(v in self.active for v in values(xi)):
                    self._contribute(scope, xi, component(c, i), broadcasts)
            return
        if isinstance(x, dict):
            for k, xk in x.items():
                if any(v in self.active for v in values(xk)):
                    self._contribute(scope, xk, component(c, k), broadcasts)
            return
        if not isinstance(x, Value) or x not in self.active:
            return
        c = repaired(c, x, broadcasts)
        if is_zero(c):
            return
        if scope.crosses_loop(x):
            buffer = scope.buffer(x)
            c = as_scalar(c, x.type)
            numeric = isinstance(x.type, Scalar) or (
                isinstance(x.type, Array) and x.type.shape == ()
            )
            added = emit(
                operator.add if numeric else runtime.accumulate,
                (buffer, made(c) if not numeric else c),
            )
            self._renew(scope, x, added)
        else:
            scope.bars.setdefault(x, []).append(c)

    def _renew(self, scope: Scope, x: Value, version: Value) -> None:
        version.type = bar_type(x.type)
        version.name = f"{x.name or 't'}_bar"
        scope.buffers[x] = version

    def _scatter(self, scope: Scope, x: Value, index: Atom, c: Atom) -> None:
        """Add `c` at `x[index]` in the buffer that the reverse pass owns."""
        if x not in self.active or is_zero(c):
            return
        buffer = scope.buffer(x)
        self._renew(scope, x, emit(runtime.add_at, (buffer, index, made(c))))

    def _add_field(self, scope: Scope, x: Value, name: str, c: Atom) -> None:
        """Add `c` to the attribute `name` of the buffer of an object's cotangent."""
        if x not in self.active or is_zero(c):
            return
        self._renew(scope, x, emit(runtime.add_field, (scope.buffer(x), name, made(c))))

    # ---- ops

    def _op(self, op: Op, scope: Scope, primal: Region) -> None:
        fn = op.fn
        if fn is IF:
            self._if(op, scope)
        elif fn in (FOR, WHILE):
            self._loop(op, scope)
        elif isinstance(fn, Function):
            self._call(op, scope)
        elif fn is CALL_VALUE or (fn is runtime.observe and REFUSAL not in op.static):
            self._dynamic(op, scope, op.args[0], op.args[1:])
        elif fn in STRUCTURAL and STRUCTURAL[fn](self, op, scope):
            pass
        else:
            self._rule(op, scope)

    def _rule(self, op: Op, scope: Scope) -> None:
        rule = lookup(op.fn)
        if REFUSAL in op.static and rule is None:
            raise Refused(op.static[REFUSAL])
        if rule is not None and rule.custom is not None:
            self._custom(op, scope, rule.custom)
            return
        if rule is None or rule.pullback is None:
            raise refuse("ZYG301", f"no gradient rule for `{_title(op.fn)}`", op.span, _GIVE)
        data, metadata = self._arguments(rule, op)
        if any(v in self.active and v.type != INT for v in values(metadata)):
            raise refuse(
                "ZYG302",
                f"no gradient of `{_title(op.fn)}` in a keyword",
                op.span,
                "pass it by position",
            )
        if any(_is_unknown(a) for a in data):
            if self.f.late:
                kinds = ", ".join(repr(type_of(a)) for a in data)
                raise refuse("ZYG202", f"no gradient of `{_title(op.fn)}` for {kinds}", op.span)
            self._dynamic(op, scope, op.fn, op.args)
            return
        for a in data:
            if (
                isinstance(t := type_of(a), Array)
                and t.dtype is not None
                and t.dtype.kind not in "biufc"
            ):
                raise refuse(
                    "ZYG202",
                    f"an array of dtype {t.dtype} has no derivative",
                    op.span,
                    "convert it to floats",
                )
        y = op.result
        g = self._total(scope, y)
        if g is None:
            return
        cs = rule.pullback(g, y, *data, **metadata)
        # A rule with one argument may return its cotangent alone, or in a tuple of one.
        for x, c in zip(data, cs if isinstance(cs, tuple) else (cs,), strict=True):
            self._contribute(scope, x, c, rule.broadcasts)

    def _arguments(self, rule: Rule, op: Op) -> tuple[tuple[Atom, ...], dict[str, Atom]]:
        """The data and the metadata of a call."""
        try:
            return rule.bind(op.args, op.static)
        except LookupError as missing:
            if op.static.get("out") is not None:
                raise refuse(
                    "ZYG103", "`out=` is not supported", op.span, "bind the result to a name"
                ) from None
            raise refuse(
                "ZYG302",
                f"the gradient rule of `{_title(op.fn)}` does not know {missing}",
                op.span,
                "leave it out",
            ) from None

    def _getitem(self, op: Op, scope: Scope) -> bool:
        x, index = op.args
        t = type_of(x)
        if isinstance(x, tuple | list):
            if isinstance(index, int):
                self._contribute(scope, x[index], self._total(scope, op.result))
                return True
            return False
        known = not any(True for _ in values(index))
        if (
            isinstance(t, Tuple | List)
            and t.items is not None
            and isinstance(index, int | np.integer)
        ):
            parts: list[Atom] = [None] * len(t.items)
            parts[int(index)] = self._total(scope, op.result)
            if not scope.crosses_loop(x):
                self._contribute(scope, x, tuple(parts) if isinstance(t, Tuple) else parts)
                return True
            self._scatter(scope, x, index, parts[int(index)])
            return True
        if isinstance(t, Dict) and known and not scope.crosses_loop(x):
            self._contribute(
                scope, x, {k: None for k, _ in t.items} | {index: self._total(scope, op.result)}
            )
            return True
        if isinstance(t, Array | List | Tuple | Dict | Unknown):
            self._scatter(scope, x, index, self._total(scope, op.result))
            return True
        return False

    def _getattr(self, op: Op, scope: Scope) -> bool:
        x, name = op.args
        t = type_of(x)
        if isinstance(t, Unknown):
            self._dynamic(op, scope, getattr, op.args)
            return True
        if not isinstance(t, Record):
            return False
        g = self._total(scope, op.result)
        if scope.crosses_loop(x):
            self._add_field(scope, x, name, g)
        else:
            self._contribute(scope, x, Fields(dict.fromkeys(differentiable(t)) | {name: g}))
        return True

    def _added_field(self, op: Op, scope: Scope) -> bool:
        buffer, name, c = op.args
        g = self._total(scope, op.result)
        self._contribute(scope, buffer, g)
        self._contribute(scope, c, member(g, name))
        return True

    def _record(self, op: Op, scope: Scope) -> bool:
        g = self._total(scope, op.result)
        for k, a in op.static.items():
            if any(v in self.active for v in values(a)):
                self._contribute(scope, a, member(g, k))
        return True

    def _make_list(self, op: Op, scope: Scope) -> bool:
        g = self._total(scope, op.result)
        for i, a in enumerate(op.args):
            if any(v in self.active for v in values(a)):
                self._contribute(scope, a, component(g, i))
        return True

    def _make_dict(self, op: Op, scope: Scope) -> bool:
        g = self._total(scope, op.result)
        for k, a in zip(op.args[0], op.args[1:], strict=True):
            if any(v in self.active for v in values(a)):
                self._contribute(scope, a, component(g, k))
        return True

    def _construct(self, op: Op, scope: Scope) -> bool:
        g = self._total(scope, op.result)
        for k, a in zip(op.args[1], op.args[2:], strict=True):
            if any(v in self.active for v in values(a)):
                self._contribute(scope, a, member(g, k))
        return True

    def _unpack(self, op: Op, scope: Scope) -> bool:
        parts = tuple(self._total(scope, r) for r in op.results)
        if scope.crosses_loop(op.args[0]):
            for i, part in enumerate(parts):
                self._scatter(scope, op.args[0], i, part)
        else:
            self._contribute(scope, op.args[0], parts)
        return True

    def _captured(self, op: Op, scope: Scope) -> bool:
        f, i = op.args
        parts: list[Atom] = [None] * captured_count(type_of(f))
        parts[i] = self._total(scope, op.result)
        if isinstance(type_of(f), Closure) and not scope.crosses_loop(f):
            self._contribute(scope, f, tuple(parts))
            return True
        return False

    def _make_closure(self, op: Op, scope: Scope) -> bool:
        g = self._total(scope, op.result)
        for i, a in enumerate(op.args[4:]):
            if any(v in self.active for v in values(a)):
                self._contribute(scope, a, component(g, i))
        return True

    def _whole(self, op: Op, scope: Scope) -> Atom:
        """The cotangent of a result as a run-time value, its strong zeros written out."""
        return made(filled(self._total(scope, op.result), op.result))

    def _join(self, op: Op, scope: Scope) -> bool:
        """The concatenation of lists or tuples."""
        if not all(isinstance(type_of(a), List | Tuple) for a in op.args):
            return False
        g = self._whole(op, scope)
        self._contribute(scope, op.args, emit(runtime.unchain, (g, op.args)))
        return True

    def _repeat(self, op: Op, scope: Scope) -> bool:
        if any(isinstance(type_of(a), List | Tuple) for a in op.args):
            raise refuse(
                "ZYG301", "no gradient rule for the repetition of a list", op.span,
                "write a comprehension: `[x for _ in range(n)]`",
            )  # fmt: skip
        return False

    def _bound(self, op: Op, scope: Scope) -> bool:
        self._contribute(scope, op.args[0], self._total(scope, op.result))
        return True

    def _compress(self, op: Op, scope: Scope) -> bool:
        self._contribute(
            scope, op.args[0], emit(runtime.expand, (self._whole(op, scope), op.args[0]))
        )
        return True

    def _expand(self, op: Op, scope: Scope) -> bool:
        self._contribute(
            scope, op.args[0], emit(runtime.selected, (self._whole(op, scope), op.args[1]))
        )
        return True

    def _selected(self, op: Op, scope: Scope) -> bool:
        self._contribute(
            scope, op.args[0], emit(runtime.expand, (self._whole(op, scope), op.args[1]))
        )
        return True

    def _chain(self, op: Op, scope: Scope) -> bool:
        self._contribute(
            scope, op.args[0], emit(runtime.unchain, (self._whole(op, scope), op.args[0]))
        )
        return True

    def _unchain(self, op: Op, scope: Scope) -> bool:
        self._contribute(scope, op.args[0], emit(runtime.chain, (self._whole(op, scope),)))
        return True

    # ---- calls

    def _call(self, op: Op, scope: Scope) -> None:
        callee: Function = op.fn
        wrt = tuple(i for i, a in enumerate(op.args) if any(v in self.active for v in values(a)))
        gs = [self._total(scope, r) for r in op.results]
        leaves: list[Atom] = []
        patterns = tuple(_pattern(g, r, leaves) for g, r in zip(gs, op.results, strict=True))
        if not leaves:
            return
        pair = self.pairs(callee, wrt, patterns if len(patterns) > 1 else patterns[0])
        residuals = Value(
            f"{callee.name}_saved",
            pair.forward.region.outs and type_of(pair.forward.region.outs[-1]) or UNKNOWN,
            op.span,
        )
        op.fn = pair.forward
        op.results = (*op.results, residuals)
        residuals.op = op
        bars = [Value(None, UNKNOWN, op.span) for _ in wrt]
        kept = []
        for i, (k, bar) in enumerate(zip(wrt, bars, strict=True)):
            out = pair.reverse.region.outs[i] if pair.done else Value()
            bar.type = type_of(out) if pair.done else bar_type(type_of(op.args[k]))
            name = getattr(op.args[k], "name", None)
            bar.name = f"{name}_bar" if name else None
            kept.append(
                (
                    k,
                    bar,
                    pair.parts[i]
                    if pair.done and not is_zero(out)
                    else None
                    if pair.done
                    else True,
                )
            )
        append(Op(pair.reverse, (residuals, *leaves), {}, tuple(bars), (), op.span))
        for k, bar, parts in kept:
            self._contribute(scope, op.args[k], opened(bar, parts))

    def _dynamic(self, op: Op, scope: Scope, fn: Atom, args: tuple[Atom, ...]) -> None:
        """A call that is specialised when it happens; its residual is the pullback that was made
        for it.
        """
        g = self._total(scope, op.result)
        static = {k: v for k, v in op.static.items() if not k.startswith("$")}
        every = (fn, *args, *static.values())
        wrt = tuple(i for i, a in enumerate(every) if any(v in self.active for v in values(a)))
        back = Value("back", UNKNOWN, op.span)
        g = made(filled(g, op.result))
        op.fn, op.args = runtime.dynamic_forward, (wrt, tuple(static), *every)
        op.static = {}
        op.results = (op.result, back)
        back.op = op
        bars = tuple(Value(None, bar_type(type_of(every[i])), op.span) for i in wrt)
        append(Op(runtime.dynamic_reverse, (back, g), {}, bars, (), op.span))
        for i, bar in zip(wrt, bars, strict=True):
            if isinstance(type_of(every[i]), Array) and type_of(every[i]) != bar.type:
                bar.type = bar_type(type_of(every[i]))
            self._contribute(scope, every[i], bar)

    def _custom(self, op: Op, scope: Scope, rule: Callable[..., Any]) -> None:
        """A call whose gradient the user has given."""
        g = self._total(scope, op.result)
        static = {k: v for k, v in op.static.items() if not k.startswith("$")}
        wrt = tuple(i for i, a in enumerate(op.args) if any(v in self.active for v in values(a)))
        call = CustomCall(op.fn, rule, op.span, wrt, static)
        back = Value("back", UNKNOWN, op.span)
        g = made(filled(g, op.result))
        args = op.args
        op.fn, op.args, op.static = runtime.custom_forward, (call, *args), {}
        op.results = (op.result, back)
        back.op = op
        bars = tuple(Value(None, bar_type(type_of(args[i])), op.span) for i in wrt)
        append(Op(runtime.custom_reverse, (call, back, g, *args), {}, bars, (), op.span))
        for i, bar in zip(wrt, bars, strict=True):
            self._contribute(scope, args[i], bar)

    # ---- branches and loops

    def _if(self, op: Op, scope: Scope) -> None:
        gs = [self._total(scope, r) for r in op.results]
        inner = []
        for primal in op.regions:
            sub = Scope(primal, scope)
            with building(sub.region, op.span, self.infer, narrow):
                for out, g in zip(primal.outs, gs, strict=True):
                    self._contribute(sub, out, g)
            self._region(primal, sub)
            inner.append(sub)
        outer = list(dict.fromkeys(x for sub in inner for x in sub.bars if x not in sub.own))
        threaded = list(dict.fromkeys(x for sub in inner for x in sub.threaded))
        for sub in inner:
            with building(sub.region, op.span, self.infer, narrow):
                totals = [self._sum(sub, x) for x in outer]
                buffers = [sub.buffers.get(x, scope.buffer(x)) for x in threaded]
                sub.region.outs = (*totals, *buffers)
        results = [
            Value(f"{x.name}_bar" if x.name else None, bar_type(x.type), op.span)
            for x in (*outer, *threaded)
        ]
        reverse = Op(IF, op.args, {}, tuple(results), tuple(sub.region for sub in inner), op.span)
        for sub in inner:
            drop_dead(sub.region)
        self._export(op, reverse)
        append(reverse)
        for x, r in zip(outer, results, strict=False):
            self._contribute(scope, x, r)
        for x, r in zip(threaded, results[len(outer) :], strict=True):
            scope.buffers[x] = r

    def _sum(self, sub: Scope, x: Value) -> Atom:
        """What a branch contributes to a value around it: zero written out, for the other branch
        may contribute.
        """
        total: Atom = None
        for c in sub.bars.pop(x, []):
            total = plus(total, c)
        return made(filled(as_scalar(total, x.type), x))

    def _export(self, op: Op, reverse: Op) -> None:
        """Make values of a branch that its reverse reads results of the branch."""
        exported: list[Value] = []
        homes: list[int] = []
        around = {v for region in reverse.regions for v in reads(region)}
        for k, (primal, region) in enumerate(zip(op.regions, reverse.regions, strict=True)):
            recompute(primal, region, around)
            for v in residuals_of(primal, region):
                exported.append(v)
                homes.append(k)
        outside = [Value(v.name, v.type, v.span) for v in exported]
        for k, region in enumerate(reverse.regions):
            substitute(
                region,
                {v: o for v, o, home in zip(exported, outside, homes, strict=True) if home == k},
            )
        for k, primal in enumerate(op.regions):
            primal.outs = (
                *primal.outs,
                *(v if home == k else None for v, home in zip(exported, homes, strict=True)),
            )
        op.results = (*op.results, *outside)
        for o in outside:
            o.op = op

    def _loop(self, op: Op, scope: Scope) -> None:
        body = op.regions[-1]
        sequences, carried, stop = (
            op.static["sequences"],
            op.static["carried"],
            int(op.static["stop"]),
        )
        params = body.params[sequences:]
        sub = Scope(body, scope, loop=True)
        gathered = list(zip(op.results[carried:], body.outs[stop + carried :], strict=True))
        moving = [k for k in range(carried) if params[k] in self.active]
        bars = {
            k: Value(f"{params[k].name or 't'}_bar", bar_type(params[k].type), op.span)
            for k in moving
        }
        inits = {k: made(filled(self._total(scope, op.results[k]), op.results[k])) for k in moving}
        lists: list[tuple[Atom, Value]] = []
        with building(sub.region, op.span, self.infer, narrow):
            for k in moving:
                self._contribute_out(sub, body.outs[stop + k], bars[k])
        for result, out in gathered:
            g = self._total(scope, result)
            if g is not None:
                assert isinstance(result.type, List)
                item = Value(None, bar_type(result.type.item), op.span)
                lists.append((made(g), item))
                with building(sub.region, op.span, self.infer, narrow):
                    self._contribute_out(sub, out, item)
        self._region(body, sub)
        with building(sub.region, op.span, self.infer, narrow):
            nexts = [self._next(sub, params[k], bars[k]) for k in moving]
            items = [
                (j, p)
                for j, p in enumerate(body.params[:sequences])
                if any(v in self.active for v in values(p))
            ]
            item_bars = [made(filled(self._pattern_total(sub, p), p)) for _, p in items]
        taken = list(sub.carried)
        accumulated = [sub.buffers[x] for x in taken]
        sub.region.outs = (*nexts, *accumulated, *item_bars)
        drop_dead(sub.region)
        seqs, patterns, backwards = self._saved(op, sub.region, bool(stop))
        seqs += [g for g, _ in lists]
        patterns += [item for _, item in lists]
        backwards += [True] * len(lists)
        sub.region.params = (*patterns, *bars.values(), *(sub.carried[x][0] for x in taken))
        results = [Value(f"{params[k].name or 't'}_bar", bars[k].type, op.span) for k in moving]
        results += [Value(f"{x.name or 't'}_bar", bar_type(x.type), op.span) for x in taken]
        results += [Value(None, List(type_of(b)), op.span) for b in item_bars]
        static = {
            "sequences": len(seqs),
            "backwards": tuple(backwards),
            "carried": len(moving) + len(taken),
            "stop": False,
        }
        args = (*seqs, *inits.values(), *(sub.carried[x][1] for x in taken))
        append(Op(FOR, args, static, tuple(results), (sub.region,), op.span))
        for k, r in zip(moving, results, strict=False):
            self._contribute(scope, op.args[sequences + k], r)
        for x, r in zip(taken, results[len(moving) :], strict=False):
            scope.buffers[x] = r
        for (j, _), r in zip(items, results[len(moving) + len(taken) :], strict=True):
            aligned = r if op.static["backwards"][j] else emit(runtime.reverse, (r,))
            aligned.type = r.type
            self._contribute(scope, op.args[j], aligned)

    def _contribute_out(self, sub: Scope, out: Atom, bar: Value) -> None:
        """The cotangent of what leaves an iteration. What comes from outside the loop, leaves
        through a buffer.
        """
        self._contribute(sub, out, bar)

    def _next(self, sub: Scope, param: Value, bar: Value) -> Atom:
        total = self._total(sub, param)
        if total is None:
            if isinstance(bar.type, Array) and bar.type.shape not in (None, ()):
                total = emit(np.zeros_like, (bar,))
                total.type = bar.type
                return total
            return zero(param)
        return made(filled(total, param))

    def _pattern_total(self, sub: Scope, p: Atom) -> Atom:
        return (
            tuple(self._pattern_total(sub, x) for x in p)
            if isinstance(p, tuple)
            else self._total(sub, p)
        )

    def _saved(
        self, op: Op, reverse: Region, stop: bool
    ) -> tuple[list[Atom], list[Atom], list[bool]]:
        """What the reverse loop goes through: the range itself, or a tape of what it reads."""
        body = op.regions[-1]
        recompute(body, reverse)
        needed = residuals_of(body, reverse)
        sequences = op.static["sequences"]
        heads = set(values(body.params[:sequences]))
        if op.fn is FOR and not stop and all(v in heads for v in needed):
            copies = {v: Value(v.name, v.type, v.span) for v in heads}
            substitute(reverse, copies)
            patterns = [_renamed(p, copies) for p in body.params[:sequences]]
            return list(op.args[:sequences]), patterns, [not b for b in op.static["backwards"]]
        needed = list(dict.fromkeys(lighten(body, reverse, needed)))
        items = [Value(v.name, v.type, v.span) for v in needed]
        substitute(reverse, dict(zip(needed, items, strict=True)))
        kept: Atom = tuple(needed) if len(needed) != 1 else needed[0]
        tape = Value("tape", List(type_of(kept)), op.span)
        body.outs = (*body.outs, kept if needed else None)
        op.results = (*op.results, tape)
        tape.op = op
        pattern: Atom = (
            tuple(items) if len(items) > 1 else items[0] if items else Value(None, UNKNOWN, op.span)
        )
        return [tape], [pattern], [True]


_GIVE = "give one with `@grad(f)`: a function that returns the value and its pullback"


def _renamed(p: Atom, copies: dict[Value, Value]) -> Atom:
    return tuple(_renamed(x, copies) for x in p) if isinstance(p, tuple) else copies[p]


def _is_unknown(a: Atom) -> bool:
    t: Type = type_of(a)
    return isinstance(t, Unknown) or (isinstance(t, Other) and may_be_differentiable(t))


def _pattern(g: Atom, y: Atom, leaves: list[Atom]) -> Pattern:
    """Which parts of a result have a cotangent; these are appended to `leaves`."""
    if g is None:
        return None
    t = type_of(y)
    if isinstance(t, Tuple):
        return tuple(
            _pattern(component(g, i), component(y, i), leaves) for i in range(len(t.items))
        )
    leaves.append(made(filled(g, y)))
    return True


def _title(fn: Any) -> str:
    from ..ir.text import fn_name

    return fn_name(fn)


STRUCTURAL: dict[Any, Callable[[Pullback, Op, Scope], bool]] = {
    operator.getitem: Pullback._getitem,
    getattr: Pullback._getattr,
    UNPACK: Pullback._unpack,
    runtime.make_list: Pullback._make_list,
    runtime.make_dict: Pullback._make_dict,
    runtime.construct: Pullback._construct,
    runtime.captured: Pullback._captured,
    runtime.make_closure: Pullback._make_closure,
    runtime.record: Pullback._record,
    runtime.add_field: Pullback._added_field,
    operator.add: Pullback._join,
    operator.mul: Pullback._repeat,
    runtime.bound: Pullback._bound,
    runtime.compress: Pullback._compress,
    runtime.expand: Pullback._expand,
    runtime.selected: Pullback._selected,
    runtime.chain: Pullback._chain,
    runtime.unchain: Pullback._unchain,
}
