"""The pullback of a function as one would write it on a board.

Parameters are taken for arrays of floats unless the text says something else, so operations have
rules and the adjoint is arithmetic. Shapes are not known: where two arrays of different shapes may
have met, the sum over broadcast axes is kept as `unbroadcast`; elsewhere there is none.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import runtime
from ..diagnostics import Diagnostic
from ..emit.compile import Compiler, Unit
from ..frontend.names import bound, read
from ..frontend.resolve import StaticResolver
from ..ir.core import Atom, Function, Infer, Op, Value, append, at, building, emit, type_of, values
from ..ir.text import fn_name
from ..ir.types import INT, Array, Dim, Scalar, Type, may_be_differentiable, shape_of
from ..rules.registry import infer
from ..transform.adjoint import Pattern, Scope
from ..transform.cotangents import bar_type, filled, made
from ..transform.simplify import drop_dead, simplify
from .collect import CollectedDerivatives, Collecting
from .reading import StaticContext
from .roots import Place, arguments, pattern_of

ELEMENTWISE = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.pow,
    operator.neg,
)
UNSAID = (
    runtime.own,
    runtime.real_scalar,
    runtime.scalar,
    runtime.as_dtype,
)  # calls that are not shown
OPERATORS = {
    "np.divide": ast.Div,
    "np.multiply": ast.Mult,
    "np.add": ast.Add,
    "np.subtract": ast.Sub,
}
FLOATS = Array(np.dtype(float), None)
MATRIX_CALLS = ("dot", "matmul", "inner", "outer", "solve", "inv", "det", "einsum", "transpose")


@dataclass(eq=False)
class Adjoint:
    """The generated pullback of one function, and what was assumed to make it."""

    unit: Unit
    found: list[Diagnostic]
    matrices: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n\n\n".join(ast.unparse(u.tree) for u in self._units())

    def _units(self) -> list[Unit]:
        units = [self.unit]
        for u in units:
            units += [c for c in u.callees if c not in units]
        return units

    def statements(self, first: int, last: int) -> list[ast.stmt]:
        """The adjoint statements of the user's lines, those of a loop or branch whole."""
        (reverse,) = [s for s in self.unit.tree.body if isinstance(s, ast.FunctionDef)]
        return list(_within(reverse.body, first, last)) or [
            s for s in _simple(reverse.body) if any(first <= n.lineno <= last for n in _placed(s))
        ]


def _within(body: list[ast.stmt], first: int, last: int) -> Iterator[ast.stmt]:
    for s in body:
        inside = first <= s.lineno <= last
        if inside and not isinstance(s, ast.Return):
            yield s
        elif not inside and isinstance(s, ast.For | ast.While | ast.If):
            yield from _within([*s.body, *s.orelse], first, last)


def _simple(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for s in body:
        if isinstance(s, ast.For | ast.While | ast.If):
            yield from _simple([*s.body, *s.orelse])
        elif not isinstance(s, ast.Return):
            yield s


def _placed(s: ast.stmt) -> Iterator[ast.expr]:
    return (n for n in ast.walk(s) if isinstance(n, ast.expr) and hasattr(n, "lineno"))


def adjoint(
    place: Place, resolver: StaticResolver, custom: list[Any], exact: bool = False
) -> Adjoint:
    """The pullback of a function. `exact`: as the engine makes it where shapes are unknown."""
    context = _Context(resolver, custom)
    context.until = float("inf")
    given = arguments(place, {}, FLOATS)
    matrices = []
    for name in _matrices(place) & given.keys():
        if given[name] == FLOATS:
            given[name] = Array(np.dtype(float), (Dim(f"{name}0", True), Dim(f"{name}1", True)))
            matrices.append(name)
    given.update({name: INT for name in _counts(place) & given.keys() if given[name] == FLOATS})
    function = context.top(place.function(), given)
    derivatives = _Derivatives(context, exact)
    params = function.region.params
    wrt = tuple(i for i, p in enumerate(params) if may_be_differentiable(p.type) and p.type != INT)
    pattern = pattern_of(type_of(function.region.outs[0]))
    if exact:
        a = derivatives.closed(function, wrt, pattern)
    else:
        a = derivatives.adjoint(function, wrt, pattern)
        with building(a.reverse, function.span, context.infer):
            a.reverse.outs = tuple(made(b) for b in a.bars.values())
        simplify(a.reverse)
        drop_dead(a.reverse)
    unit = _Printer().closure(function, a.primal, a.reverse, function.name)
    if not exact:
        tidy = _Tidy(unit.scope)
        unit.tree.body = [
            tidy.visit(s) if isinstance(s, ast.FunctionDef) else s for s in unit.tree.body
        ]
    found = list(derivatives.found.values())
    return Adjoint(unit, found, sorted(matrices))


def _matrices(place: Place) -> set[str]:
    """Names that stand beside `@` or are handed to matrix functions."""
    found = set()
    for n in ast.walk(place.node):
        operands: list[ast.expr] = []
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult):
            operands = [n.left, n.right]
        elif (
            isinstance(n, ast.Call)
            and isinstance(n.func, ast.Attribute)
            and n.func.attr in MATRIX_CALLS
        ):
            operands = n.args
        elif isinstance(n, ast.Attribute) and n.attr == "T":
            operands = [n.value]
        found |= {o.id for o in operands if isinstance(o, ast.Name)}
    return found


def _counts(place: Place) -> set[str]:
    """Names that count or select: in `range(...)`, or alone as an index."""
    found: set[str] = set()
    for n in ast.walk(place.node):
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "range":
            found |= read(n.args)
        elif isinstance(n, ast.Subscript):
            found |= read([n.slice]) - read([n.value])
    return found - bound([place.node])


class _Context(StaticContext):
    """As for a check, but an unknown shape is taken to broadcast to a known one."""

    infer: Infer = staticmethod(
        lambda fn, args, static: _guessed(fn, args, infer(fn, args, static))
    )


def _guessed(fn: Any, args: tuple[Atom, ...], found: Type) -> Type:
    if not isinstance(found, Array) or found.shape is not None or not _is_elementwise(fn):
        return found
    shapes = [s for a in args if (s := shape_of(type_of(a))) is not None]
    return Array(found.dtype, max(shapes, key=len)) if shapes else found


def _is_elementwise(fn: Any) -> bool:
    return (isinstance(fn, np.ufunc) and fn.signature is None) or fn in ELEMENTWISE


class _Derivatives(CollectedDerivatives):
    def __init__(self, context: StaticContext, exact: bool):
        super().__init__(context.infer, context.refusals, context.tick)
        self.exact = exact

    def builder(
        self, f: Function, wrt: tuple[int, ...], pattern: Pattern, outermost: bool
    ) -> Collecting:
        kind = Collecting if self.exact else _Readable
        return kind(f, wrt, pattern, self, outermost)


class _PullbackOf:
    """The pullback of a function whose text is not shown, by name: `norm_pullback(x, y_bar)`."""

    def __init__(self, name: str):
        self.__name__ = f"{name.rpartition('.')[2]}_pullback"

    def __call__(self, *args: Any) -> Any:
        raise AssertionError("what is made for a reader is never run")


class _Readable(Collecting):
    """Builds an adjoint in which a call is one of its pullback, and each cotangent has a name."""

    alone = False  # whether the op at hand has one array, so that nothing was broadcast

    def _rule(self, op: Op, scope: Scope) -> None:
        arrays = {v for v in values(op.args) if not isinstance(v.type, Scalar)}
        self.alone = len(arrays) < 2
        super()._rule(op, scope)

    def contribute(self, scope: Scope, x: Atom, c: Atom, broadcasts: bool = False) -> None:
        if isinstance(x, Value) and isinstance(c, Value) and x.name and x in self.active:
            if c.name not in (None, f"{x.name}_bar"):
                again = emit(runtime.own, (c,))
                again.type, c = c.type, again
        super().contribute(scope, x, c, broadcasts and not self.alone)

    def total_of(self, scope: Scope, x: Value) -> Atom:
        """The sum stands where the last part of it came in, at the line that reads `x`."""
        parts = [c.span for c in scope.bars.get(x, ()) if isinstance(c, Value)]
        with at(parts[-1] if parts else None):
            return super().total_of(scope, x)

    def _call(self, op: Op, scope: Scope) -> None:
        self._named(op, scope, op.fn.name, op.args)

    def _dynamic(
        self, op: Op, scope: Scope, fn: Atom, args: tuple[Atom, ...], g: Atom = None
    ) -> None:
        if g is not None:
            scope.bars.setdefault(op.result, []).append(g)
        name = (fn.name or "call") if isinstance(fn, Value) else fn_name(fn)
        self._named(op, scope, name, args)

    def _make_up(self, op: Op, scope: Scope) -> None:
        self._named(op, scope, fn_name(op.fn), op.args)

    def _named(self, op: Op, scope: Scope, name: str, args: tuple[Atom, ...]) -> None:
        bars = [made(filled(self.total_of(scope, r), r)) for r in op.results]
        wrt = [v for v in dict.fromkeys(values(args)) if v in self.active]
        found = [Value(f"{v.name}_bar" if v.name else None, bar_type(v.type), op.span) for v in wrt]
        if not found:
            return
        append(Op(_PullbackOf(name), (*args, *bars), {}, tuple(found), (), op.span))
        for v, bar in zip(wrt, found, strict=True):
            self.contribute(scope, v, bar)


class _Printer(Compiler):
    """Prints what `Compiler` compiles: nothing is compiled, let alone run."""

    def _finish(self, unit: Unit, titles: dict[str, str]) -> None:
        ast.fix_missing_locations(ast.Module([unit.tree], []))


class _Tidy(ast.NodeTransformer):
    """What only the machine needs goes; operators are written as operators."""

    def __init__(self, scope: dict[str, Any]):
        self.names = {name for name, x in scope.items() if any(x is s for s in UNSAID)} | {"float"}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if len(node.args) == 1 and not node.keywords:
            if isinstance(node.func, ast.Name) and node.func.id in self.names:
                return node.args[0]
            if ast.unparse(node.func) == "np.transpose":
                return ast.Attribute(node.args[0], "T", ast.Load())
        if len(node.args) == 2 and not node.keywords:
            operator_of = OPERATORS.get(ast.unparse(node.func))
            if operator_of is not None:
                return ast.BinOp(node.args[0], operator_of(), node.args[1])
        return node
