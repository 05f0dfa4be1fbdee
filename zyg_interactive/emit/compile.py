"""Functions of IR to callables, compiled with the user's file, lines and columns."""

from __future__ import annotations

import ast
import builtins
import copy
import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from ..ir.core import Atom, Function, Region, Value
from ..source import Span
from .names import Names
from .python import LOAD, Emitter, at

UNIT = "__zyg_unit__"  # in the globals of generated code: the unit it belongs to
MODULES = {"np": np, "math": math}


@dataclass(eq=False)
class Unit:
    """One compiled Python function: what runs, and the tree that `explain` shows."""

    name: str
    tree: ast.FunctionDef
    scope: dict[str, Any]
    file: str
    callable: Callable[..., Any] | None = None
    callees: list[Unit] = field(default_factory=list)
    names: Names | None = None
    plain: set[str] = field(default_factory=set)  # of a closure: captured arrays that are values
    forward: int | None = None  # of a fused gradient: how many statements are the forward part

    def is_reverse(self, instruction: int) -> bool:
        """Whether an instruction of a fused gradient belongs to its reverse part."""
        if self.forward is None:
            return False
        alone = copy.copy(self.tree)
        alone.body = self.tree.body[: self.forward] or [ast.Pass()]
        module = compile(ast.fix_missing_locations(ast.Module([alone], [])), self.file, "exec")
        code = next(c for c in module.co_consts if isinstance(c, CodeType))
        # The forward part alone is compiled to the same instructions, and a return of None.
        return instruction >= len(code.co_code) - 4

    def adjoint(self, v: Value) -> str | None:
        """The statement that makes a value, as text."""
        if self.names is None or self.names.webs.find(v) not in self.names.names:
            return None
        name, found = self.names.of(v), []
        for s in ast.walk(self.tree):
            target = (
                s.targets[0]
                if isinstance(s, ast.Assign)
                else s.target
                if isinstance(s, ast.AugAssign)
                else None
            )
            base = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(base, ast.Name) and base.id == name:
                found.append(s)
        telling = [
            s for s in found if not isinstance(s, ast.Assign) or not isinstance(s.value, ast.Name)
        ]
        return ast.unparse(found[0]) if len(found) == 1 and telling else None

    @property
    def text(self) -> str:
        return ast.unparse(ast.fix_missing_locations(self.tree))


class Compiler:
    """Compiles functions that call each other, each once. `recorded`: report every value to
    `recorder`.
    """

    def __init__(self, recorded: bool = False):
        self.recorded = recorded
        self.units: dict[Function, Unit] = {}

    def function(self, f: Function, title: str | None = None) -> Unit:
        """A function as it stands: its outs are returned, as a tuple where there are several."""
        if f in self.units:
            return self.units[f]
        unit = Unit(f.name, ast.FunctionDef("f", _arguments([]), [], []), dict(MODULES), _file(f))
        self.units[f] = unit
        e = Emitter([f.region], self._binder(unit), self.recorded)
        unit.names = e.names
        params = [e.names.of(p) for p in f.region.params]
        if f.forward is None:
            body = e.block(f.region)
        else:
            body = e.block(Region(ops=f.region.ops[: f.forward]))
            unit.forward = len(body)
            body += e.block(Region(ops=f.region.ops[f.forward :]))
        body.append(
            _return(e, f.region.outs if len(f.region.outs) != 1 else f.region.outs[0], f.span)
        )
        unit.tree = _def(f.name, params, body, f.span)
        self._finish(unit, {_identifier(f.name): title or f.name})
        return unit

    def closure(self, f: Function, primal: Region, reverse: Region, title: str) -> Unit:
        """The pair a user sees: `y, pullback = f_pullback(*args)`."""
        unit = Unit(f.name, ast.FunctionDef("f", _arguments([]), [], []), dict(MODULES), _file(f))
        e = Emitter([primal, reverse], self._binder(unit), self.recorded)
        unit.names = e.names
        params = [e.names.of(p) for p in primal.params]
        body = e.block(primal)
        inner_params = [e.names.of(p) for p in reverse.params]
        inner_name = e.names.fresh("pullback")
        inner = e.block(reverse)
        inner.append(_return(e, tuple(reverse.outs), f.span))
        body.append(_def(inner_name, inner_params, inner, f.span))
        result = e.atom(primal.outs[0])
        pair = ast.Tuple([result, ast.Name(inner_name, LOAD)], LOAD)
        body.append(at(ast.Return(pair), f.span))
        name = f"{_identifier(f.name)}_pullback"
        unit.tree = _def(name, params, body, f.span)
        self._finish(unit, {name: title, inner_name: f"pullback of {title}"})
        return unit

    # ---- scopes

    def _binder(self, unit: Unit) -> Callable[[str, Any], str]:
        counter = itertools.count(2)

        def bind(wanted: str, x: Any) -> str:
            root, _, rest = wanted.partition(".")
            if rest and root in MODULES and _get(MODULES[root], rest) is x:
                return wanted
            base = wanted.rpartition(".")[2]
            target = x
            if isinstance(x, Function):
                base = _identifier(x.name)
                callee = self.units.get(x) or self.function(x, _title_of(x))
                unit.callees.append(callee)
                target = callee
            name = base
            while name in unit.scope or _is_builtin(name, x):
                if unit.scope.get(name) is target:
                    return name
                name = f"{base}{next(counter)}"
            unit.scope[name] = target
            return name

        return bind

    def _finish(self, unit: Unit, titles: dict[str, str]) -> None:
        module = ast.Module([unit.tree], [])
        ast.fix_missing_locations(module)
        code = _titled(compile(module, unit.file, "exec"), titles)
        hidden = unit.scope.get(unit.tree.name)  # a callee of the same name: itself, in a recursion
        exec(code, unit.scope)
        unit.scope[UNIT] = unit
        unit.callable = unit.scope.pop(unit.tree.name)
        if hidden is not None:
            unit.scope[unit.tree.name] = hidden
        for waiting in {*self.units.values(), unit}:  # recursive functions wait for each other
            for name, x in list(waiting.scope.items()):
                if isinstance(x, Unit) and x.callable is not None and name != UNIT:
                    waiting.scope[name] = x.callable


def _get(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part, None)
    return module


def _is_builtin(name: str, x: Any) -> bool:
    """Whether a name would hide a builtin that is not meant."""
    return hasattr(builtins, name) and getattr(builtins, name) is not x


def _identifier(name: str) -> str:
    return name if name.isidentifier() and name != "_" else "function"  # `_`: what nobody reads


def _title_of(f: Function) -> str:
    if f.name.endswith("_reverse"):
        return f"pullback of {f.name.removesuffix('_reverse')}"
    return f.name.removesuffix("_forward")


def _file(f: Function) -> str:
    return f.span.file if f.span is not None else "<zyg_interactive>"


def _arguments(names: list[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])


def _def(name: str, params: list[str], body: list[ast.stmt], span: Span | None) -> ast.FunctionDef:
    node = ast.FunctionDef(_identifier(name), _arguments(params), body, [])
    if sys.version_info >= (3, 12):
        node.type_params = []
    first = span._replace(end_line=span.line, end_col=span.col) if span is not None else None
    result: ast.FunctionDef = at(node, first)
    return result


def _return(e: Emitter, outs: Atom, span: Span | None) -> ast.stmt:
    result: ast.stmt = at(ast.Return(e.atom(outs)), span)
    return result


def _titled(code: CodeType, titles: dict[str, str]) -> CodeType:
    """Name code objects as a traceback should show them."""
    consts = tuple(_titled(c, titles) if isinstance(c, CodeType) else c for c in code.co_consts)
    title = titles.get(code.co_name, code.co_name)
    return code.replace(co_consts=consts, co_name=title, co_qualname=title)
