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
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.activity import active_values, is_given_functions
from ..analysis.effects import LATE, changes_memory, function_changes, reads_memory, stores
from ..diagnostics import Refused, refuse
from ..ir.core import (
    CALL_VALUE,
    FOR,
    IF,
    TRY,
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
    emit,
    map_atom,
    op_reads,
    type_of,
    values,
    walk,
)
from ..ir.text import fn_name
from ..ir.types import (
    INT,
    UNKNOWN,
    Array,
    Closure,
    Dict,
    List,
    Other,
    Ref,
    Scalar,
    Tuple,
    Type,
    Unknown,
    arrays,
    in_memory,
    is_complex,
    may_be_differentiable,
    refers,
    shape_of,
    value_of,
)
from ..rules.custom import CustomCall
from ..rules.elementwise import narrow
from ..rules.registry import REFUSAL, Rule, is_followed, lookup, wants_arrays
from ..rules.sizes import member_type
from ..runtime import CHANGING, COPY, STORING, VALUE
from .adjoint import Adjoint, Pairs, Pattern, Scope, Watch
from .arrays import contribute as contribute_to_array
from .arrays import reverse_of_array, shadow, taken
from .control import branch, loop
from .cotangents import (
    NOTHING,
    as_scalar,
    bar_type,
    component,
    filled,
    in_kind_of,
    is_short,
    is_zero,
    made,
    opened,
    plus,
    repaired,
)
from .kept import Kept, settle, without_copies
from .masks import is_pointwise, masked, may_be_real, unmasked
from .memory import reverse_of
from .simplify import drop_dead
from .structures import STRUCTURAL


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
        outermost: bool = True,
    ):
        self.f, self.infer, self.pairs, self.implicit, self.watch = f, infer, pairs, implicit, watch
        # The cotangents of what is in memory are collected and given only there, where they come
        # from a user or go to one; between a function and its callee they stay in memory.
        self.outermost = self.lasting = outermost
        copies: dict[Value, Atom] = {}
        self.primal = clone(f.region, copies)
        self.watched = watch.nodes(f, copies) if watch is not None else {}
        self.params = [self.primal.params[i] for i in wrt]
        self.memory = Value("memory", Other(runtime.Memory), f.span)
        self.active = active_values(
            self.primal,
            {p for p in self.params if may_be_differentiable(p.type)},
            implicit,
            f.changing,
        )
        self.kept: list[Kept] = []
        self.copies: set[Value] = set()
        for op in walk(self.primal):
            if any(v in self.active or _refers_to_objects(v.type) for v in values(op.args)):
                self._guarded(op)
        self.pattern = pattern

    def _guarded(self, op: Op) -> None:
        """What cannot be looked into must at least leave its arguments alone, whether its result is
        used or not.
        """
        if REFUSAL in op.static and not changes_memory(op) and not reads_memory(op):
            new, given = _given(op)
            if new and given:  # and keeps in it what it is given
                raise Refused(op.static[REFUSAL])
            if not new:
                op.fn, op.args = runtime.observe, (op.fn, *op.args)
        elif op.fn is CALL_VALUE:
            if not self.f.changing:
                op.fn = runtime.observe
        elif not isinstance(op.fn, Function | Marker):
            rule = lookup(op.fn)
            if rule is not None and rule.declared:
                op.fn, op.args = runtime.observe, (op.fn, *op.args)
            elif op.fn in OPEN and any(map(self._may_be_object, op.args)):
                op.fn, op.args = runtime.plain, (op.fn, *op.args)
            elif rule is not None and rule.pullback is not None and rule.custom is None:
                self._arguments(rule, op)

    def _may_be_object(self, a: Atom) -> bool:
        return isinstance(a, Value) and isinstance(a.type, Unknown) and a in self.active

    def adjoint(self) -> Adjoint:
        top = Scope(self.primal, self.infer)
        seeds: list[Value] = []
        outs = self.primal.outs if len(self.primal.outs) != 1 else self.primal.outs[0]
        with building(top.region, self.f.span, self.infer, narrow):
            self.contribute(top, outs, self._seed(outs, type_of(outs), self.pattern, seeds))
        self.reverse_region(self.primal, top)
        bars = {}
        with building(top.region, self.f.span, self.infer, narrow):
            for p in self.params:
                bars[p] = self._bar_of(p, top)
        if self.watch is not None:
            self.watch.values(self.primal, self.watched)
        top.region.params = tuple(seeds)
        top.region.outs = tuple(bars.values())
        drop_dead(top.region)
        settle(self.kept, self.primal, top.region, self.lasting)
        without_copies(top.region, self.copies)
        memory = self.memory if self.f.changing else None
        return Adjoint(self.f, self.primal, top.region, tuple(seeds), bars, memory)

    def _bar_of(self, p: Value, top: Scope) -> Atom:
        """The cotangent of a parameter; that of what is in memory as it was at the beginning."""
        if not refers(p.type):
            return self.total_of(top, p)
        if isinstance(p.type, Tuple):
            parts = self.total_of(top, p)
            return tuple(
                (self._collected(p, t, (i,)) if self.outermost else None)
                if isinstance(t, Ref) or in_memory(t)
                else component(parts, i)
                for i, t in enumerate(p.type.items)
            )
        if isinstance(p.type, Ref):
            return self._collected(p, p.type, ()) if self.outermost else None
        if in_memory(p.type):
            if p not in self.active:
                return None
            if self.watch is not None and p in self.watched:
                self.watch.bar(self.watched[p], self.copied(shadow(self, top, p)))
            return shadow(self, top, p) if self.outermost else None
        return self.total_of(top, p)

    def _collected(self, p: Value, t: Type, place: tuple[int, ...]) -> Atom:
        ops: list[Op] = []
        part: Atom = p
        for i in place:
            got = Value(None, t, p.span)
            ops.append(Op(operator.getitem, (part, i), {}, (got,), (), p.span))
            part = got
        before = Value(f"{p.name or 't'}_before", Other(runtime.Snapshot), p.span)
        ops.append(Op(runtime.snapshot, (part,), {}, (before,), (), p.span))
        self.primal.ops[:0] = ops
        return emit(runtime.collected, (self.memory, before))

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
        if isinstance(t, Ref):
            return self._seed_of_reference(out, seeds) if self.outermost else None
        if in_memory(t) and not self.outermost:
            return None
        name = out.name if isinstance(out, Value) and out.name else "y"
        seeds.append(Value(f"{name}_bar", bar_type(value_of(t)), self.f.span))
        return seeds[-1]

    def _seed_of_reference(self, out: Atom, seeds: list[Value]) -> Atom:
        """A seed for what the result refers to, brought to its parts."""
        seeds.append(Value(f"{getattr(out, 'name', None) or 'y'}_bar", UNKNOWN, self.f.span))
        after = Value(None, Other(runtime.Snapshot), self.f.span)
        self.primal.ops.append(Op(runtime.snapshot, (out,), {}, (after,), (), self.f.span))
        emit(runtime.scattered, (self.memory, after, seeds[-1]))
        return None

    # ---- regions and contributions

    def reverse_region(self, primal: Region, scope: Scope) -> None:
        for op in reversed(list(primal.ops)):
            received = [
                r
                for r in op.results
                if r in scope.bars or r in scope.buffers or (refers(r.type) and self._holds(r))
            ]
            if not received and not (self.f.changing and self._changes(op)):
                continue
            with building(scope.region, op.span, self.infer, narrow):
                if self.watch is not None:
                    self._watch_arrays(op, scope, self.watch)
                try:
                    self._op(op, scope, primal)
                except Undecided as undecided:
                    self._demand(undecided)
                    raise refuse(
                        "ZYG201",
                        f"the gradient of `{_title(op.fn)}` needs to know {undecided} "
                        "before the run",
                        op.span,
                        "pass it as a constant",
                    ) from undecided

    def _watch_arrays(self, op: Op, scope: Scope, watch: Watch) -> None:
        """Report the cotangents of the arrays in memory that an op has made or changed."""
        for r in op.results:
            x = op.args[0] if stores(op) else r
            if r in self.watched and x in self.active and in_memory(x.type):
                watch.bar(self.watched[r], self.copied(shadow(self, scope, x)))

    def _holds(self, r: Value) -> bool:
        """Whether arrays in memory that a result is or holds may have a cotangent."""
        return r in self.active or not isinstance(r.type, Array)

    def _changes(self, op: Op) -> bool:
        """Whether an op leaves something to be reversed in memory."""
        if changes_memory(op) or op.fn in LATE:
            return True
        return any(self._changes(inner) for region in op.regions for inner in region.ops)

    def _demand(self, undecided: Undecided) -> None:
        if undecided.value in self.active and _is_data(undecided.value.type):
            return  # as a constant it would have no derivative any more
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

    def total_of(self, scope: Scope, x: Value) -> Atom:
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
            seen = emit(runtime.shown, (total, x)) if is_followed(x.type) else made(total)
            self.watch.bar(self.watched[x], seen)
        return total

    def contribute(self, scope: Scope, x: Atom, c: Atom, broadcasts: bool = False) -> None:
        """Add `c` to the cotangent of `x`."""
        if isinstance(c, Refused):  # of a rule that has no derivative in this argument
            if any(v in self.active for v in values(x)):
                raise c
            return
        if c is None or (isinstance(c, float | int) and c == 0) or type_of(c) == NOTHING:
            return
        if isinstance(x, tuple | list):
            for i, xi in enumerate(x):
                if any(v in self.active for v in values(xi)):
                    self.contribute(scope, xi, component(c, i), broadcasts)
            return
        if isinstance(x, dict):
            for k, xk in x.items():
                if any(v in self.active for v in values(xk)):
                    self.contribute(scope, xk, component(c, k), broadcasts)
            return
        if not isinstance(x, Value) or x not in self.active:
            return
        if not in_memory(x.type) or broadcasts or not isinstance(type_of(c), Unknown):
            c = repaired(c, x, broadcasts)  # else it may be None, which only the run knows
        if is_zero(c):
            return
        if in_memory(x.type):
            contribute_to_array(self, scope, x, c)
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
            self.renew(scope, x, added)
        else:
            scope.bars.setdefault(x, []).append(c)

    def renew(self, scope: Scope, x: Value, version: Value) -> None:
        version.type = bar_type(x.type)
        version.name = f"{x.name or 't'}_bar"
        scope.buffers[x] = version

    def scatter(self, scope: Scope, x: Value, index: Atom, c: Atom) -> None:
        """Add `c` at `x[index]` in the buffer that the reverse pass owns."""
        if x not in self.active or is_zero(c):
            return
        buffer = scope.buffer(x)
        self.renew(scope, x, emit(runtime.add_at, (buffer, index, made(c))))

    def add_field(self, scope: Scope, x: Value, name: str, c: Atom) -> None:
        """Add `c` to the attribute `name` of the buffer of an object's cotangent."""
        if x not in self.active or is_zero(c):
            return
        self.renew(scope, x, emit(runtime.add_field, (scope.buffer(x), name, made(c))))

    # ---- ops

    def _op(self, op: Op, scope: Scope, primal: Region) -> None:
        fn = op.fn
        of_memory = (reverse_of_array(op) or reverse_of(op)) if self.f.changing else None
        if of_memory is not None:
            of_memory(self, op, scope, primal)
        elif fn in (IF, TRY):
            branch(self, op, scope)
        elif fn in (FOR, WHILE):
            loop(self, op, scope)
        elif isinstance(fn, Function):
            self._call(op, scope)
        elif fn is CALL_VALUE or (fn is runtime.observe and REFUSAL not in op.static):
            self._dynamic(op, scope, op.args[0], op.args[1:])
        elif not isinstance(fn, dict | list) and fn in AGAIN:
            AGAIN[fn](self, op, scope)
        elif fn is operator.getitem and self._may_be_changed(op.args[0]):
            self._dynamic(op, scope, fn, op.args)
        elif fn in STRUCTURAL and STRUCTURAL[fn](self, op, scope):
            pass
        elif any(r in scope.bars or r in scope.buffers or self._made(r) for r in op.results):
            self._rule(op, scope)

    def _may_be_changed(self, x: Atom) -> bool:
        """Whether only the run knows if this is an array that the user's program changes. In code
        that was made by this transform, what is not known is a cotangent, which is a value.
        """
        f = self.f
        return f.changing and f.order == 0 and not f.late and _is_unknown(x)

    def _made(self, y: Value) -> bool:
        return in_memory(y.type) and y in self.active

    def given(self, scope: Scope, y: Value) -> Atom:
        """The whole cotangent of what an op has made."""
        if self._made(y):
            return taken(self, scope, y)
        g = self.total_of(scope, y)
        if y.op is not None and y.op.fn is tuple and self._may_be_changed(y):
            # Its items are read by code that finds the cotangents of all arrays by identity; those
            # that the list of them has as values are given to it.
            member = member_type(y.op.args[0]) if len(y.op.args) == 1 else UNKNOWN
            if any(not in_memory(t) for t in arrays(member)):
                return emit(runtime.drained_items, (self.memory, y, g, _plain(member)))
        return g

    def copied(self, bar: Value) -> Value:
        """The cotangent of an array in memory as it is now."""
        copy = emit(np.copy, (bar,), name=bar.name)
        copy.type = value_of(bar.type)
        self.copies.add(copy)
        return copy

    def now(self, a: Atom, op: Op, scope: Scope) -> Atom:
        """What arrays in memory hold when an op reads them."""
        return map_atom(lambda v: self._kept(v, op, scope, 0), a)

    def after(self, a: Atom, op: Op, scope: Scope) -> Atom:
        """What arrays in memory hold after an op."""
        return map_atom(lambda v: self._kept(v, op, scope, 1), a)

    def _kept(self, v: Atom, op: Op, scope: Scope, place: int) -> Atom:
        if not isinstance(v, Value) or not any(map(in_memory, arrays(v.type))):
            return v
        for k in reversed(self.kept):
            if k.at[0] is not op:
                break
            if k.at[1] == place and k.of is v:
                return k.op.result
        t = v.type
        how: Any = np.copy if isinstance(t, Array) else runtime.own
        value = Value(v.name, value_of(t), v.span)
        region, copy = scope.primal, Op(how, (v,), {}, (value,), (), v.span)
        region.ops.insert(region.ops.index(op) + place, copy)
        self.kept.append(Kept(region, copy, v, (op, place)))
        return value

    def _rule(self, op: Op, scope: Scope) -> None:
        rule = lookup(op.fn)
        if self._made(op.result) and (
            not any(v in self.active for v in op_reads(op))
            or (rule is not None and rule.pullback is None and rule.custom is None)
        ):
            return  # a new buffer, which holds nothing active yet
        if REFUSAL in op.static and rule is None:
            raise Refused(op.static[REFUSAL])
        if rule is not None and rule.custom is not None:
            self._custom(op, scope, rule.custom)
            return
        if op.fn is getattr:
            raise refuse(
                "ZYG202",
                f"the attribute `{op.args[1]}` of a {type_of(op.args[0])!r} has no known type",
                op.span,
                "read it outside, or make the class a dataclass",
            )
        if rule is None or rule.pullback is None:
            raise refuse("ZYG301", f"no gradient rule for `{_title(op.fn)}`", op.span, _GIVE)
        if self.implicit and is_given_functions(op):
            raise refuse(
                "ZYG105",
                f"`{_title(op.fn)}` is given a function, and derivatives are asked for in globals",
                op.span,
                "pass what the function reads as an argument",
            )
        if op.args and any(_is_unknown(a) for a in self._arguments(rule, op)[0]):
            self._late_rule(op, scope, rule)
            return
        if self.f.arrays and isinstance(op.result.type, Unknown) and not self.f.late:
            if self.f.order == 0:  # what it makes may be an array that has its cotangent elsewhere
                self._dynamic(op, scope, op.fn, op.args)
                return
        g = self.given(scope, op.result)
        if g is None:
            return
        try:
            self.through_rule(op, scope, g)
        except Undecided as undecided:
            self._demand(undecided)
            if self.f.late:
                raise
            self._dynamic(op, scope, op.fn, op.args, g)

    def through_rule(self, op: Op, scope: Scope, g: Atom) -> None:
        """Let the arguments of an op have what its rule makes of the cotangent of its result."""
        rule = lookup(op.fn)
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
        for a in data:
            if isinstance(type_of(a), List | Tuple) and wants_arrays(op.fn):
                if any(v in self.active for v in values(a)):
                    raise refuse(
                        "ZYG302",
                        f"`{_title(op.fn)}` of a list has no gradient rule",
                        op.span,
                        "make it an array: `np.array(...)`",
                    )
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
        y = self.after(op.result, op, scope)
        read = tuple(self.now(a, op, scope) for a in data)
        metadata = {k: self.now(a, op, scope) for k, a in metadata.items()}
        masks: list[Atom] = []
        if is_pointwise(op.fn):
            g, masks = unmasked(g)
        if may_be_real(op.fn) and any(is_complex(type_of(a)) is not False for a in read):
            g = in_kind_of(g, y)
        cs = rule.pullback(g, y, *read, **metadata)
        if masks:
            cs = tuple(masked(c, masks) for c in (cs if isinstance(cs, tuple) else (cs,)))
        # A rule with one argument may return its cotangent alone, or in a tuple of one.
        given: dict[Any, tuple[Atom, Atom]] = {}
        for x, c in zip(data, cs if isinstance(cs, tuple) else (cs,), strict=True):
            key = id(x) if isinstance(x, Value) and in_memory(x.type) else len(given)
            refused = next((r for r in (c, given.get(key, (x, None))[1]) if _is_refused(r)), None)
            given[key] = (x, refused or (plus(given[key][1], c) if key in given else c))
        for x, c in given.values():
            self.contribute(scope, x, c, rule.broadcasts)

    def _late_rule(self, op: Op, scope: Scope, rule: Rule) -> None:
        """A rule for values of which only the run knows what they are."""
        data, metadata = self._arguments(rule, op)
        if any(v in self.active and v.type != INT for v in values(metadata)):
            raise refuse(
                "ZYG302",
                f"no gradient of `{_title(op.fn)}` in a keyword",
                op.span,
                "pass it by position",
            )
        if self.f.late:
            kinds = ", ".join(repr(type_of(a)) for a in data)
            raise refuse("ZYG202", f"no gradient of `{_title(op.fn)}` for {kinds}", op.span)
        self._dynamic(op, scope, op.fn, op.args)

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

    # ---- calls

    def _call(self, op: Op, scope: Scope) -> None:
        callee: Function = op.fn
        wrt = tuple(i for i, a in enumerate(op.args) if any(v in self.active for v in values(a)))
        gs = [self.total_of(scope, r) for r in op.results]
        leaves: list[Atom] = []
        outs = callee.region.outs
        patterns = tuple(
            self._pattern(scope, g, r, type_of(o), leaves)
            for g, r, o in zip(gs, op.results, outs, strict=True)
        )
        changes = self.f.changing and function_changes(callee, set())
        # Where a program changes things, what a call was given may be another thing by then.
        twice = callee.checkpoint and not self.f.changing
        if not leaves and not changes and not any(refers(r.type) for r in op.results):
            return
        pair = self.pairs(callee, wrt, patterns if len(patterns) != 1 else patterns[0])
        residuals = Value(
            f"{callee.name}_saved",
            pair.forward.region.outs and type_of(pair.forward.region.outs[-1]) or UNKNOWN,
            op.span,
        )
        if twice:
            again = tuple(Value(r.name, r.type, op.span) for r in op.results)
            append(Op(pair.forward, op.args, {}, (*again, residuals), (), op.span))
            for first, second in zip(op.results, again, strict=True):
                checked = Value(None, NOTHING, op.span)
                args = (callee.name, first, second)
                append(Op(runtime.check_same, args, {}, (checked,), (), op.span))
        else:
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
        memory = (self.memory,) if callee.changing else ()
        append(Op(pair.reverse, (residuals, *leaves, *memory), {}, tuple(bars), (), op.span))
        for k, bar, parts in kept:
            self.contribute(scope, op.args[k], opened(bar, parts))

    def _pattern(self, scope: Scope, g: Atom, y: Atom, out: Type, leaves: list[Atom]) -> Pattern:
        """Which parts of a result have a cotangent; these are appended to `leaves`. `out`: the type
        that it has in the callee, where an array may be a value that is in memory here.
        """
        t = type_of(y)
        if in_memory(t) and not in_memory(out) and isinstance(y, Value):
            scope.own.add(y)
            leaves.append(taken(self, scope, y))
            return True
        if isinstance(t, Ref) or in_memory(t) or (g is None and not refers(t)):
            return None
        if in_memory(out):
            span = y.span if isinstance(y, Value) else None
            raise refuse("ZYG202", "it is not known where this array was made", span)
        if isinstance(t, Tuple):
            inside = out.items if isinstance(out, Tuple) else t.items
            return tuple(
                self._pattern(scope, component(g, i), component(y, i), inner, leaves)
                for i, inner in enumerate(inside)
            )
        if g is None:
            return None
        leaves.append(made(filled(g, y)))
        return True

    def _dynamic(
        self, op: Op, scope: Scope, fn: Atom, args: tuple[Atom, ...], g: Atom = None
    ) -> None:
        """A call that is specialised when it happens; its residual is the pullback that was made
        for it. `g`: the cotangent of its result, where that was taken already.
        """
        if self.f.arrays and self._made(op.result):
            g = None  # it is found by the identity of the array, once
        elif g is None:
            g = self.given(scope, op.result)
        static = {k: v for k, v in op.static.items() if not k.startswith("$")}
        changing = None if not self.f.changing else STORING if self.f.arrays else CHANGING
        op.fn = runtime.late_forward
        op.args = (tuple(static), changing, (), fn, *args, *static.values())
        op.static = {}
        _late(self, op, scope, (made(filled(g, op.result)),))

    def _custom(self, op: Op, scope: Scope, rule: Callable[..., Any]) -> None:
        """A call whose gradient the user has given."""
        if self.f.changing and not self.f.late:
            # What it returns may be an array that is changed later, or one that it was given.
            self._dynamic(op, scope, op.fn, op.args)
            return
        g = self.given(scope, op.result)
        static = {k: v for k, v in op.static.items() if not k.startswith("$")}
        wrt = tuple(i for i, a in enumerate(op.args) if any(v in self.active for v in values(a)))
        call = CustomCall(op.fn, rule, op.span, wrt, static, self.f.changing)
        back = Value("back", UNKNOWN, op.span)
        g = made(filled(g, op.result))
        args = op.args
        op.fn, op.args, op.static = runtime.custom_forward, (call, *args), {}
        op.results = (op.result, back)
        back.op = op
        bars = tuple(Value(None, bar_type(value_of(type_of(args[i]))), op.span) for i in wrt)
        append(Op(runtime.custom_reverse, (call, back, g, *args), {}, bars, (), op.span))
        for i, bar in zip(wrt, bars, strict=True):
            self.contribute(scope, args[i], bar)


def _late(p: Pullback, op: Op, scope: Scope, gs: tuple[Atom, ...]) -> None:
    """The reverse of a late call, of which each derivative keeps what its own pullback needs. `gs`:
    the cotangents of its results; that of what is kept is a tuple, which only the run knows.
    """
    names, changing, orders, *every = op.args
    order = p.f.order - len(orders)  # of the program that made the call
    asked = tuple(
        (i, _by_identity(a, changing == STORING, order))
        for i, a in enumerate(every)
        if any(v in p.active or _shares_cells(v.type) for v in values(a))
    )
    back = _kept_back(op)
    types = (bar_type(type_of(every[i])) for i, _ in asked)
    longer = (Array(None, shape_of(t)) if is_short(t) else t for t in types)  # they may be
    bars = tuple(Value(None, t, op.span) for t in longer)
    if changing or orders:
        op.args = (names, changing, (*orders, asked), *every)
        memory = p.memory if changing else None
        append(Op(runtime.late_reverse, (back, memory, *gs), {}, bars, (), op.span))
    else:
        op.fn, op.args = runtime.dynamic_forward, (tuple(i for i, _ in asked), names, *every)
        append(Op(runtime.dynamic_reverse, (back, *gs), {}, bars, (), op.span))
    for (i, _), bar in zip(asked, bars, strict=True):
        if not in_memory(type_of(every[i])):
            p.contribute(scope, every[i], bar)


def _kept_back(op: Op) -> Value:
    """One more result: what the pullback of a late call needs."""
    back = Value("back", UNKNOWN, op.span)
    op.results = (*op.results, back)
    back.op = op
    return back


def _late_forward(p: Pullback, op: Op, scope: Scope) -> None:
    gs = tuple(made(p.total_of(scope, r)) for r in op.results)
    if op.fn is runtime.dynamic_forward:
        wrt, names, *every = op.args
        orders = (tuple((i, False) for i in wrt),)
        op.fn, op.args = runtime.late_forward, (names, None, orders, *every)
    _late(p, op, scope, gs)


def _late_reverse(p: Pullback, op: Op, scope: Scope) -> None:
    """The reverse of the reverse of a late call."""
    seeds = [made(p.total_of(scope, r)) for r in op.results]
    if op.fn is runtime.dynamic_reverse:
        op.args = (0, op.args[0], None, *op.args[1:])
    elif op.fn is runtime.late_reverse:
        op.args = (0, *op.args)
    times, back, memory, *gs = op.args
    op.fn, op.args = runtime.late_again, (times + 1, back, memory, *gs)
    again = _kept_back(op)
    args = (again, None if memory is None else p.memory, *seeds)
    of = (back, *gs)
    bars = tuple(Value(None, bar_type(type_of(a)), op.span) for a in of)
    append(Op(runtime.late_reverse, args, {}, bars, (), op.span))
    for a, bar in zip(of, bars, strict=True):
        p.contribute(scope, a, bar)


def _twice_jacobian(p: Pullback, op: Op, scope: Scope) -> None:
    """The reverse of the Jacobian of a late call, which is made of its reverse."""
    back, _, place = op.args
    g = p.total_of(scope, op.result)
    if g is None:
        return
    back_bar = Value("back_bar", UNKNOWN, op.span)
    append(Op(runtime.late_jacobian_reverse, (back, place, g), {}, (back_bar,), (), op.span))
    p.contribute(scope, back, back_bar)


AGAIN: dict[Any, Callable[[Pullback, Op, Scope], None]] = {
    runtime.dynamic_forward: _late_forward,
    runtime.late_forward: _late_forward,
    runtime.dynamic_reverse: _late_reverse,
    runtime.late_reverse: _late_reverse,
    runtime.late_again: _late_reverse,
    runtime.late_jacobian: _twice_jacobian,
}
# Operators without a derivative, to which a class may give another meaning.
OPEN = {
    *(operator.and_, operator.or_, operator.xor, operator.invert),
    *(operator.lshift, operator.rshift, operator.floordiv, round),
    *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
}
_PRIMAL = {CALL_VALUE, runtime.late_forward, runtime.observe}
_GIVE = "give one with `@grad(f)`: a function that returns the value and its pullback"


def _is_unknown(a: Atom) -> bool:
    t: Type = type_of(a)
    if isinstance(t, Other):
        return may_be_differentiable(t) and not is_followed(t)
    return isinstance(t, Unknown)


def _plain(t: Type) -> Any:
    """Which parts of a value are arrays that are not changed."""
    if isinstance(t, Tuple):
        return tuple(map(_plain, t.items))
    return isinstance(t, Array) and not in_memory(t)


def _is_data(t: Type) -> bool:
    """Whether a type is that of floating numbers, or of a container of them."""
    if isinstance(t, Array):
        return t.dtype is None or t.dtype.kind in "fc"
    if isinstance(t, Scalar):
        return t.kind in ("float", "complex")
    return not isinstance(t, Unknown) and may_be_differentiable(t)


def _is_refused(c: Atom) -> bool:
    return isinstance(c, Refused)


def _shares_cells(t: Type) -> bool:
    """Whether a function captured variables that are in memory: their cotangents go there."""
    return isinstance(t, Closure) and any(isinstance(c, Ref) for c in t.captured)


def _by_identity(a: Atom, arrays: bool, order: int) -> bool | str:
    """How a late call gives the cotangent of an argument, in a program that changes `arrays` or
    not. In a derivative, what is not known is a cotangent, but for what comes out of the program.
    """
    t = type_of(a)
    if isinstance(t, List | Dict):
        return COPY
    if order and isinstance(a, Value) and isinstance(t, Unknown):
        if a.op is None or not (a.op.fn in _PRIMAL or reads_memory(a.op)):
            return VALUE
    return arrays and (not isinstance(t, Array) or in_memory(t))


def _given(op: Op) -> tuple[bool, bool]:
    """Whether a call fills an object that is just made, and whether it is given anything else."""
    first = op.args[0] if op.args else None
    made = first.op if isinstance(first, Value) else None
    fills = getattr(op.fn, "__name__", None) == "__init__"
    new = fills and made is not None and made.fn is runtime.new_object
    return new, len(set(values((op.args, list(op.static.values()))))) > 1


def _refers_to_objects(t: Type) -> bool:
    return refers(t) and not isinstance(t, Array)


def _title(fn: Any) -> str:
    return fn_name(fn)
