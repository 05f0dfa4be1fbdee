"""Recording one gradient: the value and the cotangent of every node, at every visit."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import runtime
from .analysis.effects import stores
from .emit.compile import Compiler, Unit
from .emit.explain import explained, with_callees
from .engine import Specialisation
from .ir.core import FOR, IF, TRY, WHILE, Atom, Function, Op, Region, Value, append, values
from .ir.text import fn_name, show
from .ir.types import Unknown
from .rules.registry import infer
from .source import Span, line_of
from .transform.pipeline import Derivatives
from .transform.simplify import RECORD

KEPT_VISITS = 64  # of each node, the first and the last half of this number are kept
SAMPLE = 200  # characters of a value's text


# ---- what is known before the run


@dataclass(eq=False)
class Group:
    """A loop, a branch or a called function: nodes that belong together."""

    id: int
    kind: str  # loop, branch, call
    label: str
    span: Span | None
    parent: Group | None


@dataclass(eq=False)
class Node:
    """One value of the program: an input, a constant of the outside, the result of an operation."""

    id: int
    name: str
    kind: str  # input, op, result
    label: str
    type: str
    span: Span | None
    function: str
    group: Group | None
    operands: list[int] = field(default_factory=list)
    visits: int = 0
    value: Summary | None = None
    cotangent: Summary | None = None
    values: list[Summary] = field(default_factory=list)
    cotangents: list[Summary] = field(default_factory=list)
    square: float = 0.0  # of the norm of its cotangent, over all visits
    received: int = 0  # how often a cotangent came

    @property
    def sensitivity(self) -> float | None:
        """The L2 norm of its cotangent over all visits; None where no path leads from it to the
        result.
        """
        return math.sqrt(self.square) if self.received else None

    @property
    def line(self) -> int | None:
        return self.span.line if self.span is not None else None


@dataclass(frozen=True)
class Summary:
    """What is kept of a value."""

    type: str
    shape: tuple[int, ...]
    norm: float | None
    min: float | None
    max: float | None
    nan: int
    inf: int
    text: str
    data: Any = field(default=None, repr=False, compare=False)

    @property
    def finite(self) -> bool:
        return not self.nan and not self.inf


def summary(x: Any, keep: bool = True) -> Summary:
    """Summarise a value of any kind; arrays are copied, for the program may change them."""
    if isinstance(x, bool | np.bool_):
        return Summary("bool", (), None, None, None, 0, 0, str(x), x)
    if runtime.is_sparse(x):
        return replace(summary(x.tocoo().data), type=type(x).__name__, shape=x.shape, text=_text(x))
    if (
        isinstance(x, int | float | complex | np.ndarray | np.generic)
        and np.asarray(x).dtype.kind in "iufc"
    ):
        a = np.asarray(x)
        kind = (
            type(x).__name__
            if not isinstance(x, np.ndarray | np.generic)
            else f"{a.dtype}{list(a.shape)}"
        )
        magnitude = np.abs(a) if a.dtype.kind == "c" else a
        finite = (
            magnitude[np.isfinite(magnitude)]
            if a.ndim
            else (magnitude if np.isfinite(magnitude) else np.empty(0))
        )
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(np.ravel(a)))
        return Summary(
            kind,
            a.shape,
            norm if math.isfinite(norm) else None,
            float(np.min(finite)) if np.size(finite) else None,
            float(np.max(finite)) if np.size(finite) else None,
            int(np.count_nonzero(np.isnan(magnitude))),
            int(np.count_nonzero(np.isinf(magnitude))),
            _text(x),
            a.copy() if keep and isinstance(x, np.ndarray) else x,
        )
    return Summary(
        type(x).__name__,
        np.shape(x) if isinstance(x, np.ndarray) else (),
        None,
        None,
        None,
        0,
        0,
        _text(x),
        None,
    )


def _text(x: Any) -> str:
    if isinstance(x, float | np.floating):
        return f"{float(x):.6g}"
    if isinstance(x, np.ndarray):
        with np.printoptions(threshold=8, edgeitems=2, precision=4):
            text = str(x)
    else:
        try:
            text = repr(x)
        except Exception as error:
            text = f"<{type(x).__name__}: {type(error).__name__} in its repr>"
    text = " ".join(text.split())
    return text if len(text) <= SAMPLE else text[: SAMPLE - 1] + "…"


class Plan:
    """The nodes of a function and of all that it calls, found while its adjoint is built."""

    def __init__(self) -> None:
        self.all: list[Node] = []
        self.groups: list[Group] = []
        self.by_function: dict[Function, dict[Value, int]] = {}
        self.calls: list[tuple[Function, int, list[int]]] = []
        self.group_of: dict[Function, Group] = {}
        self.result: int | None = None
        self.span: Span | None = None
        self.ops: dict[int, Op] = {}
        self.values_of: dict[Value, int] = {}
        self.copies: dict[
            Value, int
        ] = {}  # of the function that is recorded: the values of its copy that runs
        self.params: dict[Function, list[int]] = {}
        self.outs: dict[Function, list[int]] = {}

    # ---- what the transform asks

    def nodes(self, f: Function, copies: dict[Value, Atom]) -> dict[Value, int]:
        if f not in self.by_function:
            group = self._call_group(f)
            self.span = self.span or f.span
            found: dict[Value, int] = {}
            self.by_function[f] = found
            for p in values(f.region.params):
                found[p] = self._node(p, "input", None, f, group)
            self.params[f] = [found[p] for p in values(f.region.params)]
            self._region(f.region, f, group, found)
            self.outs[f] = [found[v] for v in values(f.region.outs) if v in found]
            if self.result is None and self.outs[f]:
                self.result = self.outs[f][0]
                self.all[self.result].kind = (
                    "result" if self.all[self.result].kind == "op" else "input"
                )
        watched = {
            c: n for v, n in self.by_function[f].items() if isinstance(c := copies.get(v), Value)
        }
        self.copies = self.copies or watched
        return watched

    def values(self, primal: Region, nodes: dict[Value, int]) -> None:
        ops: list[Op] = []
        for v in values(primal.params):
            if v in nodes:
                ops.append(_report(record_value, nodes[v], v, v.span))
        for op in primal.ops:
            inner = (
                op.regions[1:] if op.fn is WHILE else op.regions
            )  # the test of a loop is not reported
            for region in inner:
                self.values(region, nodes)
            ops.append(op)
            # Of a store, the array as it is now: a version of its buffer.
            ops += [
                _report(record_value, nodes[r], op.args[0] if stores(op) else r, op.span)
                for r in op.results
                if r in nodes
            ]
        primal.ops = ops

    def bar(self, node: int, total: Atom) -> None:
        append(_report(record_bar, node, total, self.all[node].span))

    # ---- nodes, groups, edges

    def _call_group(self, f: Function) -> Group | None:
        if not self.by_function:
            return None
        group = Group(len(self.groups), "call", f.name, f.span, None)
        self.groups.append(group)
        self.group_of[f] = group
        return group

    def _region(
        self, region: Region, f: Function, group: Group | None, found: dict[Value, int]
    ) -> None:
        for op in region.ops:
            if op.fn in (FOR, WHILE):
                inner = Group(len(self.groups), "loop", _first_line(op.span), op.span, group)
                self.groups.append(inner)
                body = op.regions[-1]
                for p in values(body.params):
                    found[p] = self._node(p, "op", op, f, inner)
                for region_ in op.regions:
                    self._region(region_, f, inner, found)
                self._link_loop(op, found)
            elif op.fn in (IF, TRY):
                labels = ("then", "else") if op.fn is IF else ("try", "except")
                for arm, label in zip(op.regions, labels, strict=True):
                    if arm.ops:
                        inner = Group(
                            len(self.groups),
                            "branch",
                            f"{label}: {_first_line(op.span)}",
                            op.span,
                            group,
                        )
                        self.groups.append(inner)
                        self._region(arm, f, inner, found)
            for r in op.results:
                found[r] = self._node(r, "op", op, f, group)
                self._operands(r, op, found)
            if isinstance(op.fn, Function):
                self.calls.append(
                    (op.fn, found[op.results[0]], [found[v] for v in values(op.args) if v in found])
                )

    def _operands(self, r: Value, op: Op, found: dict[Value, int]) -> None:
        k = op.results.index(r)
        if op.fn in (IF, TRY):
            sources = [v for arm in op.regions for v in values(arm.outs[k])] + list(values(op.args))
        elif op.fn in (FOR, WHILE):
            stop = int(op.static["stop"])
            sources = list(values(op.regions[-1].outs[stop + k]))
        else:
            sources = [*values(op.args), *values(op.static)]
        self.all[found[r]].operands = list(dict.fromkeys(found[v] for v in sources if v in found))

    def _link_loop(self, op: Op, found: dict[Value, int]) -> None:
        body = op.regions[-1]
        stop, sequences = int(op.static["stop"]), op.static["sequences"] if op.fn is FOR else 0
        for i, p in enumerate(body.params):
            sources = list(values(op.args[i]))
            if i >= sequences:
                sources += list(values(body.outs[stop + i - sequences]))
            for v in values(p):
                self.all[found[v]].operands = list(
                    dict.fromkeys(found[s] for s in sources if s in found)
                )

    def _node(self, v: Value, kind: str, op: Op | None, f: Function, group: Group | None) -> int:
        node = Node(
            len(self.all), v.name or "", kind, _label(v, op), _type_text(v), v.span, f.name, group
        )
        self.all.append(node)
        self.values_of[v] = node.id
        if op is not None and not op.regions and op.results:
            self.ops[node.id] = op
        return node.id

    def finish(self) -> None:
        """Link calls with what they call, and put called functions into the group of their first
        call.
        """
        for callee, node, arguments in self.calls:
            if callee not in self.params:
                continue
            group = self.group_of.get(callee)
            if group is not None and group.parent is None and self.all[node].group is not group:
                group.parent = self._outside(self.all[node].group, group)
            for a, p in zip(arguments, self.params[callee], strict=False):
                if a not in self.all[p].operands:
                    self.all[p].operands.append(a)
            self.all[node].operands = [o for o in self.outs[callee] if o != node] or self.all[
                node
            ].operands

    def _outside(self, group: Group | None, inner: Group) -> Group | None:
        """`group`, unless that would put `inner` into itself: a recursion."""
        g = group
        while g is not None:
            if g is inner:
                return None
            g = g.parent
        return group


class _Totals(Plan):
    """The same nodes, for code that is shown and not run: which value is the cotangent of each."""

    def __init__(self) -> None:
        super().__init__()
        self.totals: dict[int, Atom] = {}

    def values(self, primal: Region, nodes: dict[Value, int]) -> None:
        return

    def bar(self, node: int, total: Atom) -> None:
        self.totals[node] = total

    def adjoints(self, unit: Unit) -> dict[int, str]:
        """The statement that makes the cotangent of each node."""
        found = {}
        for node, total in self.totals.items():
            texts = (
                [u.adjoint(total) for u in with_callees(unit)] if isinstance(total, Value) else []
            )
            text = next((t for t in texts if t is not None), None)
            if text is not None:
                found[node] = text
        return found


def _report(recorder: Callable[..., None], node: int, value: Atom, span: Span | None) -> Op:
    return Op(RECORD, (recorder, node, value), {}, (), (), span)


def _label(v: Value, op: Op | None) -> str:
    if op is None:
        return v.name or "input"
    if op.fn in (FOR, WHILE, IF, TRY):
        return (
            f"{v.name or '·'} ({op.fn.__name__})"
            if v in op.results
            else f"{v.name or '·'} (each time)"
        )
    text = _segment(op.span) or fn_name(op.fn)
    text = f"{v.name} = {text}" if v.name and not text.startswith(f"{v.name} ") else text
    return text if len(text) <= 40 else text[:39] + "…"


def _segment(span: Span | None) -> str:
    if span is None:
        return ""
    line = line_of(span.file, span.line).encode()
    end = span.end_col if span.end_line == span.line else len(line)
    return line[span.col : end].decode(errors="replace").strip()


def _first_line(span: Span | None) -> str:
    text = _segment(span).rstrip(":")
    return text if len(text) <= 40 else text[:39] + "…"


def _type_text(v: Value) -> str:
    return "" if isinstance(v.type, Unknown) else repr(v.type)


# ---- the run

_recording: ContextVar[Recording] = ContextVar("_recording")


def record_value(node: int, x: Any) -> None:
    """Called by recorded code."""
    _recording.get()._value(node, x)


def record_bar(node: int, c: Any) -> None:
    """Called by recorded code."""
    _recording.get()._bar(node, c)


class Recording:
    """Value and cotangent of every node of one gradient.

    `nodes` are in the order of the program; `value` is the result, `gradients` what `gradient`
    returns. A recording of a run that ended in an exception holds what was reached until then, and
    the exception as `error`.
    """

    def __init__(self, plan: Plan, title: str):
        self.title, self.plan = title, plan
        self.nodes = [
            Node(
                n.id, n.name, n.kind, n.label, n.type, n.span, n.function, n.group, list(n.operands)
            )
            for n in plan.all
        ]
        self.groups = list(plan.groups)
        self.result = self.nodes[plan.result] if plan.result is not None else None
        self.value: Any = None
        self.gradients: tuple[Any, ...] = ()
        self.bars: tuple[Any, ...] = ()
        self.inputs: list[tuple[str, int, Any]] = []
        self.code = ""
        self.code_lines: list[tuple[int, int]] = []
        self.ir = ""
        self.pullback_ir = ""
        self.span = plan.span
        self.adjoints: dict[int, str] = {}

    def _value(self, node: int, x: Any) -> None:
        n = self.nodes[node]
        n.visits += 1
        n.value = summary(x)
        _keep(n.values, n.value)

    def _bar(self, node: int, c: Any) -> None:
        n = self.nodes[node]
        n.received += 1
        n.cotangent = summary(c)
        n.square += _square(c)
        _keep(n.cotangents, n.cotangent)

    @contextmanager
    def running(self) -> Iterator[None]:
        token = _recording.set(self)
        try:
            yield
        finally:
            _recording.reset(token)
            for n in self.nodes:
                n.cotangents.reverse()  # they came last visit first

    # ---- questions

    def node(self, name: str) -> Node:
        """The last node of a variable. Raises KeyError."""
        for n in reversed(self.nodes):
            if n.name == name:
                return n
        raise KeyError(f"no variable `{name}` was recorded")

    def lines(self, file: str | None = None) -> dict[int, Node]:
        """By line of the source, the node with the largest sensitivity."""
        found: dict[int, Node] = {}
        busy = {n.line for n in self.nodes if n.kind != "input" and n.sensitivity is not None}
        for n in self.nodes:
            if n.line is None or (file is not None and n.span is not None and n.span.file != file):
                continue
            # An input that a line reads tells less of the line than what it computes.
            if n.sensitivity is None or (n.kind == "input" and n.line in busy):
                continue
            if n.line not in found or _larger(n, found[n.line]):
                found[n.line] = n
        return dict(sorted(found.items()))

    def variables(self) -> dict[str, float | None]:
        """The sensitivity of each variable: that of its last value."""
        return {n.name: n.sensitivity for n in self.nodes if n.name}

    def first_nonfinite(self) -> tuple[Node, str] | None:
        """The first node, in the order of the run, that holds NaN or Inf, and whether it is in its
        "value" or its "cotangent".
        """
        for n in self.nodes:
            if any(not s.finite for s in n.values):
                return n, "value"
        for n in reversed(self.nodes):
            if any(not s.finite for s in n.cotangents):
                return n, "cotangent"
        return None

    def __repr__(self) -> str:
        rows = [f"Recording of {self.title}: {len(self.nodes)} nodes"]
        for n in self.nodes:
            if n.name:
                s = "no path" if n.sensitivity is None else f"{n.sensitivity:.4g}"
                value = n.value.text if n.value else "-"
                rows.append(f"  line {n.line}: {n.label:42} = {value}   sensitivity {s}")
        return "\n".join(rows)


def _keep(kept: list[Summary], s: Summary) -> None:
    if len(kept) >= KEPT_VISITS:
        del kept[KEPT_VISITS // 2]
    kept.append(s)


def _square(c: Any) -> float:
    if runtime.is_sparse(c):
        return _square(c.tocoo().data)
    if isinstance(c, tuple | list):
        return sum(map(_square, c))
    if isinstance(c, dict):
        return sum(map(_square, c.values()))
    if isinstance(c, types.SimpleNamespace):  # the cotangent of an object
        return _square(vars(c))
    if c is None or not isinstance(c, int | float | complex | np.ndarray | np.generic):
        return 0.0
    with np.errstate(all="ignore"):
        return float(np.sum(np.abs(c) ** 2))


def _larger(a: Node, b: Node) -> bool:
    s, t = a.sensitivity or 0.0, b.sensitivity or 0.0
    return s > t or (s == t and bool(a.name) and not b.name) or math.isnan(s)


@dataclass
class Form:
    """A recorded form, compiled."""

    unit: Unit
    plan: Plan
    wrt: tuple[int, ...]
    code: str
    code_lines: list[tuple[int, int]]
    ir: str
    pullback_ir: str
    adjoints: dict[int, str]


def recorded_form(
    f: Function, wrt: tuple[int, ...], check: bool, *, pattern: Any = True, title: str = ""
) -> Form:
    """Compile the gradient of a function so that every value and cotangent is reported."""
    plan = Plan()
    made = Derivatives(infer, watch=plan).fused(f, wrt, value=True, check=check, pattern=pattern)
    plan.finish()
    unit = Compiler(recorded=True).function(made, title or f.name)
    totals = _Totals()
    a = Derivatives(infer, watch=totals).closed(f, wrt, pattern)
    closure = Compiler().closure(f, a.primal, a.reverse, f.name)
    shown = explained(closure)
    reverse = Function(f"pullback of {f.name}", a.reverse)
    return Form(
        unit, plan, wrt, shown.text, shown.lines, show(f), show(reverse), totals.adjoints(closure)
    )


def record(
    f: Callable[..., Any], args: tuple[Any, ...], s: Specialisation, form: Form
) -> Recording:
    """Run a recorded form once."""
    recording = run(form, s.values(f, args), s.function.name)
    by_argument = dict(
        zip(
            [s.positions[i] for i in form.wrt if i < len(s.positions)], recording.bars, strict=False
        )
    )
    recording.gradients = tuple(by_argument.get(i) for i in range(len(args)))
    params = s.function.region.params
    recording.inputs = [
        (params[k].name or f"argument {i}", k, by_argument.get(i))
        for k, i in enumerate(s.positions)
    ]
    return recording


def run(form: Form, arguments: list[Any], title: str) -> Recording:
    """Run a recorded form once."""
    recording = Recording(form.plan, title)
    recording.code, recording.code_lines = form.code, form.code_lines
    recording.ir, recording.pullback_ir, recording.adjoints = (
        form.ir,
        form.pullback_ir,
        form.adjoints,
    )
    assert form.unit.callable is not None
    with recording.running():
        recording.value, recording.bars = form.unit.callable(*arguments)
    return recording
