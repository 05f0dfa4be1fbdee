"""Running a cell once, as it would run anyway, and differentiating it.

The cell's statements fall into three parts. What comes before the first use of an input runs as it
is. The part from there to the result is lowered, differentiated and run in its recorded form: once.
What follows runs as it is again. Where the middle part cannot be differentiated it runs as it is
too, and the reason is given instead of a gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.activity import active_values
from ..analysis.types import Sizes
from ..diagnostics import Diagnostic, Refused, refuse
from ..engine import Linker, engine
from ..errors import last_place
from ..frontend.lower import lower_block
from ..frontend.names import bound, needs_earlier_value
from ..frontend.resolve import LiveResolver, UserFunction
from ..ir.core import UNBOUND, Demand, Function, MemoryNeeded, Path, Value, type_of, walk
from ..ir.types import Array, Heap, Scalar, Type, may_be_differentiable, shape_of
from ..params import Grads, Params, gathered
from ..recording import Form, Recording, recorded_form, run
from ..source import Source, Span
from .statements import (
    BLOCKS,
    Candidate,
    candidates,
    default_inputs,
    defines_function,
    depending,
    hoisted,
    is_floating,
    is_several,
    may_run_before,
    reads,
    settings,
)

# Runs statements as they are; gives the value of the last, where that is an expression.
Execute = Callable[[list[ast.stmt]], Any]


@dataclass
class Outcome:
    """What came of a cell."""

    recording: Recording | None = None
    gradients: dict[str, Any] = field(default_factory=dict)
    params: Grads | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    title: str = ""
    value: Any = None  # of the last statement, where that is an expression
    error: Exception | None = None  # raised by the pullback, or by what follows the result


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

    An exception of the cell's own leaves as it is, with every variable bound that was bound by
    then.
    """
    body = source.tree.body
    if not body:
        return Outcome(diagnostics=[Diagnostic("ZYG601", "the cell is empty", None)])
    start, inputs = _run_beginning(body, namespace, options, execute)
    rest = body[start:]
    before = hoisted(rest)
    execute(before)
    rest = [s for s in rest if s not in before]
    prepared: _Prepared | None = None
    try:
        prepared = _prepared(source, rest, namespace, inputs, options)
    except Refused as refusal:
        diagnostic = refusal.diagnostic
    except Exception as error:  # the user's cell does not pay for a fault of ours
        diagnostic = Diagnostic(
            "ZYG901",
            f"{type(error).__name__} in zyg_interactive: {error}",
            None,
            "please report it",
        )
    if prepared is None:
        value = execute(rest)
        return Outcome(diagnostics=[diagnostic], value=value if rest else None)
    middle, after = rest[: prepared.end], rest[prepared.end :]
    outcome = _run(prepared, namespace, options)
    try:
        execute([s for s in middle if defines_function(s)])
        value = execute(after)
    except Exception as error:
        outcome.error = error
    else:
        outcome.value = value if after else outcome.value
    return outcome


def _run_beginning(
    body: list[ast.stmt], namespace: dict[str, Any], options: Options, execute: Execute
) -> tuple[int, list[str]]:
    """Run what comes before the first use of an input; how many statements that were, and the
    inputs.
    """
    inputs, first = options.inputs, _last_set(body, options.inputs, namespace)
    if not inputs:
        inputs = default_inputs(body, namespace)
    if not inputs and options.params is None:
        first = settings(body)
        execute(body[:first])
        inputs = [n for n in reads(body[first:]) if is_floating(namespace.get(n))]
        return first, [n for n in inputs if n in bound(body[:first])]
    execute(body[:first])
    while first < len(body):
        s, rest = body[first], body[first + 1 :]
        if not may_run_before(s, rest, inputs, namespace, options.params is not None):
            break
        if first == len(body) - 1 and isinstance(s, ast.Expr):
            break  # its value is the cell's
        execute([s])
        first += 1
    return first, inputs


def _last_set(body: list[ast.stmt], names: list[str], namespace: dict[str, Any]) -> int:
    """One past the last statement that sets an input: the cell itself gives it its value."""
    last = 0
    for i, s in enumerate(body):
        set_here = bound([s]) & set(names)
        if any(n not in namespace or not needs_earlier_value(n, body) for n in set_here):
            last = i + 1
    return last


# ---- lowering


@dataclass
class _Prepared:
    """The statements from the first use of an input to the result, compiled."""

    function: Function
    form: Form
    names: list[str]  # the variables that it binds
    wrt: tuple[int, ...]
    end: int
    result: Candidate
    inputs: list[str]
    assigned: set[str]
    last: ast.stmt
    span: Span


class _NoScalar(Exception):
    """The result is no real scalar; `array`: one could be made of it."""

    def __init__(self, refusal: Refused, array: bool):
        self.refusal, self.array = refusal, array


def _prepared(
    source: Source,
    statements: list[ast.stmt],
    namespace: dict[str, Any],
    inputs: list[str],
    options: Options,
) -> _Prepared:
    """Find the result and compile what leads to it. Raises Refused."""
    _check_inputs(statements, namespace, inputs, options)
    found = candidates(statements, options.of)
    if options.of is not None and not found:
        raise refuse(
            "ZYG601",
            f"the cell does not assign `{options.of}`",
            None,
            "name a variable it sets: `--of loss`",
        )
    first: Refused | None = None
    constant: _Prepared | None = None
    involved = depending(statements, inputs)
    found.sort(key=lambda c: statements[c.end - 1] not in involved)
    for candidate in found:
        last = statements[candidate.end - 1]
        if constant is not None and candidate.end != constant.end:
            return constant
        if options.of is None and is_several(last):
            raise first or refuse(
                "ZYG601",
                "the last statement assigns several variables",
                source.span(last),
                "name the result: `--of name`",
            )
        try:
            made = _prepare(
                source, statements[: candidate.end], namespace, inputs, options, candidate
            )
        except _NoScalar as wrong:
            if wrong.array or options.of is not None:
                raise first or wrong.refusal from None
            first = first or wrong.refusal
        except Refused as refusal:
            # A call at the end may be there for what it does: the result may come before.
            if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)):
                raise first or refusal from None
            first = first or refusal
        else:
            # Of the variables that a loop or a branch leaves, the last that is a number for certain
            # and depends on an input.
            if _depends(made) and not (isinstance(last, BLOCKS) and _unsure(made.function)):
                return made
            constant = constant or made
    if constant is not None and first is None:
        return constant
    raise first or refuse(
        "ZYG601",
        "the cell assigns nothing and has no expression to differentiate",
        None,
        "end it in one, or name the result: `--of loss`",
    )


def _check_inputs(
    statements: list[ast.stmt], namespace: dict[str, Any], inputs: list[str], options: Options
) -> None:
    for n in (*options.inputs, *(options.params or ())):
        if n not in namespace:
            raise refuse(
                "ZYG601", f"the input `{n}` is not defined", None, "assign it in the cell or before"
            )
    for n in options.inputs:
        if not _may_have_gradient(namespace[n]):
            raise refuse(
                "ZYG503",
                f"the input `{n}` is a {type(namespace[n]).__name__} and holds no number",
            )
    for n in options.params or ():
        Params([namespace[n]]) if not isinstance(namespace[n], int | float | str) else _no_array(n)
    if not statements or not (inputs or options.params is not None):
        raise refuse(
            "ZYG601",
            "nothing to differentiate: the cell reads no floating variable",
            None,
            "name the inputs: `%%gradient x, y`, and the result: `--of loss`",
        )


def _no_array(name: str) -> None:
    raise refuse("ZYG503", f"`--params`: `{name}` is no array and holds none")


def _prepare(
    source: Source,
    statements: list[ast.stmt],
    namespace: dict[str, Any],
    inputs: list[str],
    options: Options,
    result: Candidate,
) -> _Prepared:
    """Lower and compile the statements up to a result."""
    assigned = bound(statements)
    earlier = {n for n in assigned if n in namespace and needs_earlier_value(n, statements)}
    last, lowered, end = statements[-1], statements, result.end
    if isinstance(last, ast.Expr) and result.name is not None and len(statements) > 1:
        lowered = statements[:-1]  # a name, to be shown
    elif isinstance(last, ast.Expr):
        result = Candidate(end, None)
    heap: Heap | None = None
    while True:
        linker = Linker(engine, Sizes(heap))
        resolver = LiveResolver(namespace, {}, linker.read_type)
        fn = UserFunction(
            "cell", source, _as_function(statements, assigned), resolver, scope=namespace
        )
        try:
            function, names = linker.stable(
                partial(lower_block, fn, lowered, earlier, result.name, linker)
            )
            break
        except Demand as demand:
            engine.note(demand)
        except MemoryNeeded:
            heap = Heap()
    _check_calls(function, namespace, assigned)
    _require_scalar(function, source.span(last))
    wrt = _wrt(function, namespace, inputs, options)
    form = recorded_form(function, wrt, _unsure(function), pattern=(True, None), title="<module>")
    return _Prepared(
        function, form, names, wrt, end, result, inputs, assigned, last, source.span(last)
    )


def _as_function(statements: list[ast.stmt], assigned: set[str]) -> ast.FunctionDef:
    """The statements as a function body that reads, at its end, all that it binds: the namespace
    keeps it.
    """
    first, last = statements[0], statements[-1]
    kept = ast.Tuple([ast.Name(n, ast.Load()) for n in sorted(assigned)], ast.Load())
    node = ast.FunctionDef("<module>", _no_arguments(), [*statements, ast.Expr(kept)], [])
    node.lineno, node.col_offset = first.lineno, 0
    node.end_lineno, node.end_col_offset = last.end_lineno, last.end_col_offset
    return node


def _may_have_gradient(x: Any) -> bool:
    try:
        return may_be_differentiable(Sizes().type(x))
    except MemoryNeeded:  # a container that is followed in memory only
        return True


def _no_arguments() -> ast.arguments:
    return ast.arguments([], [], None, [], [], None, [])


def _check_calls(function: Function, namespace: dict[str, Any], assigned: set[str]) -> None:
    """Refuse calls of functions that read variables which the cell changes: they would see the
    values of before.
    """
    for op in walk(function.region):
        if isinstance(op.fn, Function):
            paths = [*op.fn.hidden, *(g.path for g in op.fn.guards)]
            for path in paths:
                if path.root is namespace and path.name in assigned:
                    raise refuse(
                        "ZYG105",
                        f"`{op.fn.name}` reads `{path.name}`, which the cell assigns",
                        op.span,
                        f"give it to `{op.fn.name}` as an argument",
                    )


def _named_params(function: Function, namespace: dict[str, Any]) -> list[tuple[int, Path, Value]]:
    """The parameters of lowered statements: what they read of the namespace, and reach in it."""
    first = len(function.region.params) - len(function.hidden)
    return [(first + i, path, param) for i, (path, param) in enumerate(function.hidden_params())]


def _is_input(path: Path, namespace: dict[str, Any], inputs: list[str]) -> bool:
    return path.root is namespace and path.name in inputs


def _wrt(
    function: Function, namespace: dict[str, Any], inputs: list[str], options: Options
) -> tuple[int, ...]:
    return tuple(
        i
        for i, path, param in _named_params(function, namespace)
        if (_is_input(path, namespace, inputs) or options.params is not None)
        and may_be_differentiable(param.type)
    )


def _require_scalar(function: Function, span: Span) -> None:
    """Raise _NoScalar where the result is known not to be a real scalar."""
    out = function.region.outs[0][0]
    t = type_of(out)
    if isinstance(t, Scalar | Array):
        if shape_of(t):
            what, help = (
                f"an array, {t!r}",
                "end the cell in a scalar (`np.sum(...)`), or name it: `--of loss`",
            )
        elif _kind(t) == "complex":
            what, help = (
                "complex",
                "end the cell in a real number: `np.real`, `np.imag` or `np.abs` of it",
            )
        elif _kind(t) == "bool":
            what, help = "a bool", "name the result: `--of loss`"
        else:
            return
    elif (isinstance(out, Value) and may_be_differentiable(t)) or isinstance(out, int | float):
        return
    else:
        what = f"{t!r}" if isinstance(out, Value) else f"{out!r}"
        help = "end the cell in a number, or name the result: `--of loss`"
    refusal = refuse(
        "ZYG501", f"the result of the cell is {what}; a gradient is of one real number", span, help
    )
    raise _NoScalar(refusal, array=isinstance(t, Array) and bool(shape_of(t)))


def _kind(t: Type) -> str:
    if isinstance(t, Scalar):
        return t.kind
    kind = t.dtype.kind if isinstance(t, Array) and t.dtype is not None else "f"
    return {"c": "complex", "b": "bool"}.get(kind, "float")


def _unsure(function: Function) -> bool:
    t = type_of(function.region.outs[0][0])
    return not (
        isinstance(t, Scalar) or (isinstance(t, Array) and t.shape == () and t.dtype is not None)
    )


def _depends(p: _Prepared) -> bool:
    """Whether the result depends on an input."""
    params = p.function.region.params
    active = {v for i in p.wrt for v in _values(params[i])}
    out = p.function.region.outs[0][0]
    return out in active_values(p.function.region, active)


def _values(param: Any) -> list[Value]:
    return [param] if isinstance(param, Value) else []


# ---- running


def _run(p: _Prepared, namespace: dict[str, Any], options: Options) -> Outcome:
    """Run the recorded form and bind the variables; an error of the statements' own is raised."""
    values = [path.fetch(None, ()) for path in p.function.hidden]
    # Gradients have the structure that the cell's statements met, which they may change.
    before = list(map(runtime.structure, values)) if p.function.changing else values
    # No function that is called may take a variable of before for the one the statements set.
    old = {n: namespace.pop(n) for n in p.assigned if n in namespace}
    try:
        recording = run(p.form, values, "cell")
    except BaseException as error:
        namespace.update({**old, **_bound_so_far(p, error)})
        if not isinstance(error, Exception | runtime.Changed) or not _is_of_pullback(p, error):
            raise
        return _failed(p, error)
    recording.value, variables = recording.value
    bound_now = zip(p.names, variables, strict=True)
    namespace.update({**old, **{n: v for n, v in bound_now if v is not UNBOUND}})
    return _outcome(p, recording, before, namespace, options)


def _outcome(
    p: _Prepared,
    recording: Recording,
    values: list[Any],
    namespace: dict[str, Any],
    options: Options,
) -> Outcome:
    bars = dict(zip(p.wrt, recording.bars, strict=True))
    value = recording.value if isinstance(p.last, ast.Expr) else None
    outcome = Outcome(recording, dict.fromkeys(p.inputs), value=value)
    reached, holders = [], []
    first = len(p.function.region.params) - len(p.function.hidden)
    used = set()
    arrays = _chosen_arrays(values, namespace, options)
    for index, path, param in _named_params(p.function, namespace):
        value, bar = values[index - first], bars.get(index)
        node = p.form.plan.values_of[param]
        if _is_input(path, namespace, p.inputs):
            used.add(path.name)
            outcome.gradients[path.name] = bar
            recording.inputs.append((path.name, node, bar))
        elif arrays is not None:
            holders.append((path, node, value))
        if index in bars:
            reached.append((value, bar))
    if arrays is not None:
        outcome.params = gathered(arrays, reached)
        recording.inputs += _param_rows(holders, outcome.params)
    recording.inputs.sort(key=lambda entry: _order(entry[0], p.inputs))
    outcome.notes = [
        f"the cell does not use the input `{n}`: its gradient is None"
        for n in p.inputs
        if n not in used
    ]
    outcome.title = p.result.name or ast.unparse(p.last)
    if recording.result is not None and p.result.name is not None:
        recording.result.name = recording.result.name or p.result.name
    return outcome


def _param_rows(
    holders: list[tuple[Path, int, Any]], found: Grads
) -> Iterator[tuple[str, int, Any]]:
    """What is shown of the arrays of `--params`: names, the nodes they came in, gradients."""
    shown = set()
    for path, node, value in holders:
        for name, array in _arrays(value, ".".join(map(str, (path.name, *path.steps)))):
            if array in found and id(array) not in shown:
                shown.add(id(array))
                yield name, node, found[array]


def _order(name: str, inputs: list[str]) -> int:
    return inputs.index(name) if name in inputs else len(inputs)


def _chosen_arrays(values: list[Any], namespace: dict[str, Any], options: Options) -> Params | None:
    if options.params is None:
        return None
    if options.params:
        return Params([namespace[n] for n in options.params])
    return Params([a for v in values for _, a in _arrays(v, "")])


def _arrays(value: Any, name: str, depth: int = 6) -> Iterator[tuple[str, Any]]:
    """The floating arrays in a value, with the expressions that lead to them."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fc":
            yield name, value
    elif depth:
        if isinstance(value, list | tuple):
            parts = [(f"{name}[{i}]", e) for i, e in enumerate(value)]
        elif isinstance(value, dict):
            parts = [(f"{name}[{k!r}]", e) for k, e in value.items()]
        else:
            parts = [(f"{name}.{k}", e) for k, e in (runtime.attributes(value) or {}).items()]
        for inner, e in parts:
            yield from _arrays(e, inner, depth - 1)


def _failed(p: _Prepared, error: Exception | runtime.Changed) -> Outcome:
    """The statements ran; their pullback did not."""
    if isinstance(error, runtime.NotScalar):
        help = "end the cell in a scalar (`np.sum(...)`), or name it: `--of loss`"
        message = f"{error}; a gradient is of one real number"
        return Outcome(diagnostics=[Diagnostic("ZYG501", message, p.span, help)])
    if isinstance(error, runtime.Changed):
        place = last_place(error.__traceback__)
        return Outcome(
            diagnostics=[Diagnostic("ZYG103", str(error), place, error.help)]
        )
    return Outcome(error=error)


def _is_of_pullback(p: _Prepared, error: BaseException) -> bool:
    """Whether the statements themselves had all run."""
    if isinstance(error, runtime.NotScalar):
        return True
    tb = _frame_of(p, error)
    return tb is not None and p.form.unit.is_reverse(tb.tb_lasti)


def _frame_of(p: _Prepared, error: BaseException) -> Any:
    """The traceback's entry of the code that ran the cell."""
    assert p.form.unit.callable is not None
    code, tb = p.form.unit.callable.__code__, error.__traceback__
    while tb is not None and tb.tb_frame.f_code is not code:
        tb = tb.tb_next
    return tb


def _bound_so_far(p: _Prepared, error: BaseException) -> dict[str, Any]:
    """The cell's variables in the frame that was running it when it raised."""
    assert p.form.unit.names is not None
    tb = _frame_of(p, error)
    if tb is None:
        return {}
    found = {}
    for value, node in p.form.plan.copies.items():
        name = p.form.plan.all[node].name
        local = p.form.unit.names.of(value)
        if name in p.names and local in tb.tb_frame.f_locals:
            found[name] = tb.tb_frame.f_locals[local]
    return {n: v for n, v in found.items() if v is not UNBOUND}
