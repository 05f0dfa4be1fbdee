"""Running a cell once, as it would run anyway, and differentiating it.

The cell's statements fall into three parts. What comes before the first use of an input runs as it is. The part from
there to the result is lowered, differentiated and run in its recorded form: once. What follows runs as it is again. Where the
middle part cannot be differentiated it runs as it is too, and the reason is shown instead of a gradient.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..analysis.types import Sizes
from ..diagnostics import Diagnostic, Refused, refuse
from ..engine import Linker, engine
from ..frontend.lower import lower_block
from ..frontend.names import bound, needs_earlier_value, read
from ..frontend.resolve import LiveResolver, UserFunction
from ..ir.core import Demand, Function, type_of
from ..ir.types import Array, Scalar, may_be_differentiable, shape_of
from ..params import Grads, Params, gathered
from ..recording import Form, Recording, recorded_form, run
from ..source import Source

PLAIN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
SILENT = ("print", "display")
Execute = Callable[[list[ast.stmt]], None]


@dataclass
class Outcome:
    """What came of a cell."""

    recording: Recording | None = None
    gradients: dict[str, Any] = field(default_factory=dict)
    params: Grads | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass
class Options:
    """What the magic's line asks for."""

    inputs: list[str] = field(default_factory=list)
    of: str | None = None
    params: list[str] | None = None  # None: not asked for; empty: every array that is reached


def run_cell(
    source: Source, namespace: dict[str, Any], options: Options, execute: Execute
) -> Outcome:
    """Run the statements of a cell in `namespace`; `execute` runs statements as they are.

    An exception of the cell's own leaves as it is, with every variable bound that was bound by then.
    """
    body = source.tree.body
    if not body:
        return Outcome(diagnostics=[Diagnostic("ZYG601", "the cell is empty", None)])
    inputs = options.inputs or _inputs(body, namespace)
    start = _start(body, inputs, options, namespace)
    if not inputs:
        start = _leading(body)
        inputs = sorted(bound(body[:start]))
    end = _end(body, options.of)
    execute([s for s in body[: min(start, end)]])
    inputs = [n for n in inputs if options.inputs or _is_floating(namespace.get(n))]
    start = min(start, end)
    missing = [n for n in inputs if n not in namespace]
    middle, after = body[start:end], body[end:]
    execute([s for s in middle if isinstance(s, ast.Import | ast.ImportFrom)])
    try:
        if missing:
            raise refuse(
                "ZYG601",
                f"the input `{missing[0]}` is not defined",
                None,
                "assign it in the cell or before",
            )
        if not middle or not (inputs or options.params is not None):
            raise refuse(
                "ZYG601", "nothing to differentiate: the cell reads no float variable and computes nothing of one",
                None, "name the inputs: `%%gradient x, y`, and the result: `--of loss`",
            )  # fmt: skip
        prepared = _prepare(source, middle, namespace, inputs, options)
    except Refused as refusal:
        execute([s for s in middle if not isinstance(s, ast.Import | ast.ImportFrom)])
        execute(after)
        return Outcome(diagnostics=[refusal.diagnostic])
    outcome = _run(prepared, namespace, inputs, options)
    execute([s for s in middle if isinstance(s, PLAIN) or _defines_function(s)])
    execute(after)
    return outcome


# ---- which statements, which inputs


def _inputs(body: list[ast.stmt], namespace: dict[str, Any]) -> list[str]:
    """The float variables of the namespace that the cell reads before it binds them."""
    assigned = bound(body)
    names = [n for n in _in_order(body) if _is_floating(namespace.get(n))]
    return [n for n in names if n not in assigned or needs_earlier_value(n, body)]


def _in_order(body: list[ast.stmt]) -> list[str]:
    found = [
        n
        for s in body
        for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    ]
    return list(dict.fromkeys(n.id for n in found))


def _is_floating(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "fc"
    return isinstance(x, float | complex)


def _start(
    body: list[ast.stmt], inputs: list[str], options: Options, namespace: dict[str, Any]
) -> int:
    """The first statement that uses an input; an input that the cell itself sets begins after it is set."""
    first = 0
    for i, s in enumerate(body):
        set_here = bound([s]) & set(options.inputs)
        if set_here and not any(n in namespace and needs_earlier_value(n, body) for n in set_here):
            first = i + 1
    for i in range(first, len(body)):
        if read([body[i]]) & set(inputs) or isinstance(body[i], ast.For | ast.While | ast.If):
            return i
        if options.params is not None and any(isinstance(n, ast.Call) for n in ast.walk(body[i])):
            return i
        if not _is_plain(body[i], inputs):
            return i
    return first


def _is_plain(s: ast.stmt, inputs: list[str]) -> bool:
    """Whether a statement may run before the recording: it reads no input, and calls nothing that could."""
    if isinstance(s, PLAIN):
        return True
    calls = any(isinstance(n, ast.Call) for n in ast.walk(s))
    return not (read([s]) & set(inputs)) and not calls


def _leading(body: list[ast.stmt]) -> int:
    """How many leading statements only set up data: imports, and assignments that read no variable of the cell."""
    count = 0
    names: set[str] = set()
    for s in body:
        simple = isinstance(s, PLAIN) or (
            isinstance(s, ast.Assign | ast.AnnAssign) and not read([s]) & names
        )
        if not simple:
            break
        names |= bound([s]) if isinstance(s, ast.Assign | ast.AnnAssign) else set()
        count += 1
    return count


def _end(body: list[ast.stmt], of: str | None) -> int:
    """One past the statement with the result."""
    for i in range(len(body) - 1, -1, -1):
        s = body[i]
        if of is not None:
            if of in bound([s]):
                return i + 1
        elif isinstance(s, ast.Assign | ast.AugAssign | ast.AnnAssign):
            return i + 1
        elif isinstance(s, ast.Expr) and not _is_silent(s):
            return i + 1
        elif isinstance(s, ast.For | ast.While | ast.If):
            return i + 1
    return len(body)


def _is_silent(s: ast.Expr) -> bool:
    call = s.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SILENT


def _defines_function(s: ast.stmt) -> bool:
    return isinstance(s, ast.Assign) and isinstance(s.value, ast.Lambda)


def _result_name(middle: list[ast.stmt], of: str | None) -> str | None:
    if of is not None:
        return of
    last = middle[-1]
    if isinstance(last, ast.Expr):
        return None
    names = [t.id for t in _targets(last) if isinstance(t, ast.Name)]
    if isinstance(last, ast.For | ast.While | ast.If):
        names = [
            n.id for n in ast.walk(last) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        ]
    if not names:
        raise refuse(
            "ZYG601", "the last statement binds no variable", None, "name the result: `--of name`"
        )
    return names[-1]


def _targets(s: ast.stmt) -> Iterable[ast.expr]:
    if isinstance(s, ast.Assign):
        return s.targets
    return [s.target] if isinstance(s, ast.AugAssign | ast.AnnAssign) else []


# ---- lowering and running


@dataclass
class _Prepared:
    function: Function
    form: Form
    names: list[str]
    wrt: tuple[int, ...]


def _prepare(
    source: Source,
    middle: list[ast.stmt],
    namespace: dict[str, Any],
    inputs: list[str],
    options: Options,
) -> _Prepared:
    """Lower and compile the middle of a cell."""
    statements = [
        s for s in middle if not isinstance(s, ast.Import | ast.ImportFrom | ast.ClassDef)
    ]
    result = _result_name(statements, options.of)
    assigned = bound(statements)
    earlier = {n for n in assigned if n in namespace and needs_earlier_value(n, statements)}
    while True:
        linker = Linker(engine, Sizes())
        resolver = LiveResolver(namespace, {}, linker.read_type)
        node = ast.FunctionDef("<module>", _no_arguments(), statements, [])
        node.lineno, node.col_offset = statements[0].lineno, 0
        node.end_lineno, node.end_col_offset = (
            statements[-1].end_lineno,
            statements[-1].end_col_offset,
        )
        fn = UserFunction("cell", source, node, resolver, scope=namespace)
        try:
            function, names = lower_block(fn, statements, earlier, result, linker)
            wrt = _wrt(function, namespace, inputs, options)
            _require_scalar(function)
            form = recorded_form(
                function, wrt, _unsure(function), pattern=(True, None), title="<module>"
            )
            return _Prepared(function, form, names, wrt)
        except Demand as demand:
            engine.note(demand)


def _no_arguments() -> ast.arguments:
    return ast.arguments([], [], None, [], [], None, [])


def _wrt(
    function: Function, namespace: dict[str, Any], inputs: list[str], options: Options
) -> tuple[int, ...]:
    chosen = []
    first = len(function.region.params) - len(function.hidden)
    for i, (path, param) in enumerate(function.hidden_params()):
        named = path.root is namespace and path.name in inputs
        if (named or options.params is not None) and may_be_differentiable(param.type):
            chosen.append(first + i)
    return tuple(chosen)


def _require_scalar(function: Function) -> None:
    out = function.region.outs[0][0]
    t = type_of(out)
    known = isinstance(t, Scalar | Array)
    if (known and shape_of(t)) or (not known and not may_be_differentiable(t)):
        raise refuse(
            "ZYG501", f"the result of the cell is {t!r}; a gradient is of one number", function.span,
            "end the cell in a scalar (`np.sum(...)`), or name it: `--of loss`",
        )  # fmt: skip


def _unsure(function: Function) -> bool:
    t = type_of(function.region.outs[0][0])
    return not (
        isinstance(t, Scalar) or (isinstance(t, Array) and t.shape == () and t.dtype is not None)
    )


def _run(p: _Prepared, namespace: dict[str, Any], inputs: list[str], options: Options) -> Outcome:
    values = [path.fetch(None, ()) for path in p.function.hidden]
    try:
        recording = run(p.form, values, "cell")
    except Exception as error:
        with contextlib.suppress(KeyError):
            namespace.update(_bound_so_far(p, error))
        raise
    recording.value, variables = recording.value
    namespace.update(zip(p.names, variables, strict=True))
    bars = dict(zip(p.wrt, recording.bars, strict=True))
    first = len(p.function.region.params) - len(p.function.hidden)
    gradients: dict[str, Any] = dict.fromkeys(inputs)
    reached = []
    for i, (path, param) in enumerate(p.function.hidden_params()):
        index = first + i
        if path.root is namespace and path.name in inputs:
            gradients[path.name] = bars.get(index)
            recording.inputs.append((path.name, p.form.plan.values_of[param], bars.get(index)))
        if index in bars:
            reached.append((values[i], bars[index]))
    outcome = Outcome(recording, gradients)
    if options.params is not None:
        arrays = [namespace[n] for n in options.params] if options.params else _arrays(values)
        outcome.params = gathered(Params(arrays), reached)
    return outcome


def _arrays(values: list[Any]) -> list[Any]:
    return [v for v in values if isinstance(v, np.ndarray) and v.dtype.kind in "fc"]


def _bound_so_far(p: _Prepared, error: BaseException) -> dict[str, Any]:
    """The cell's variables in the frame that was running it when it raised."""
    assert p.form.unit.callable is not None and p.form.unit.names is not None
    code = p.form.unit.callable.__code__
    tb = error.__traceback__
    while tb is not None and tb.tb_frame.f_code is not code:
        tb = tb.tb_next
    if tb is None:
        return {}
    found = {}
    for value, node in p.form.plan.copies.items():
        name = p.form.plan.all[node].name
        local = p.form.unit.names.of(value)
        if name in p.names and local in tb.tb_frame.f_locals:
            found[name] = tb.tb_frame.f_locals[local]
    return found
