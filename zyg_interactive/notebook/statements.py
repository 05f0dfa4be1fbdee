"""What a cell's statements read, bind and may result in: questions to its syntax, and to what its
names stand for.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..frontend.names import bound, needs_earlier_value, parameters, read

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Import = ast.Import | ast.ImportFrom
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Match)
SHOWN = ("print", "display")
DEPTH = 3  # of containers that are looked into


@dataclass(frozen=True)
class Candidate:
    """What may be the result of a cell: the variable `name`, or the expression that its last
    statement is.
    """

    end: int  # one past the statement
    name: str | None


def reads(nodes: Iterable[ast.AST]) -> list[str]:
    """Names that are read when the statements run, in order; what functions read when they are
    called is not.
    """
    found: list[str] = []
    for node in _immediate(nodes):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.append(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return list(dict.fromkeys(found))


def _immediate(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield node
        if isinstance(node, FUNCTIONS):
            args = node.args
            yield from _immediate([*args.defaults, *(d for d in args.kw_defaults if d)])
            yield from _immediate(getattr(node, "decorator_list", []))
        else:
            yield from _immediate(ast.iter_child_nodes(node))


def captured(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that functions in these statements read when they are called, and do not bind."""
    found: set[str] = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, FUNCTIONS):
                body = node.body if isinstance(node.body, list) else [node.body]
                found |= read(body) - bound(body) - set(parameters(node.args))
    return found


def default_inputs(body: list[ast.stmt], namespace: dict[str, Any]) -> list[str]:
    """The floating variables of the namespace that a cell reads, and does not set first."""
    assigned, immediate = bound(body), reads(body)
    later = captured(body)
    found = [
        n
        for n in immediate
        if is_floating(namespace.get(n))
        and (n not in assigned or needs_earlier_value(n, _without_functions(body)))
    ]
    found += [n for n in sorted(later) if n not in assigned and is_floating(namespace.get(n))]
    return list(dict.fromkeys(found))


def _without_functions(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements but for definitions: what a function reads is read when it is called."""
    return [
        s
        for s in body
        if not isinstance(s, FUNCTIONS)
        and not (isinstance(s, ast.Assign) and isinstance(s.value, ast.Lambda))
    ]


def is_floating(x: Any, depth: int = DEPTH) -> bool:
    """Whether a value is floating, or a list, tuple or dictionary that holds such."""
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind in "fc"
    if isinstance(x, list | tuple | dict) and depth:
        items = list(x.values() if isinstance(x, dict) else x)
        return len(items) <= 1000 and any(is_floating(e, depth - 1) for e in items)
    return isinstance(x, float | complex)


def settings(body: list[ast.stmt]) -> int:
    """How many leading statements only set up data: they define, or assign what reads no variable
    of the cell.
    """
    count = 0
    names: set[str] = set()
    for s in body:
        simple = isinstance(s, (*DEFINITIONS, *IMPORTS)) or (
            isinstance(s, ast.Assign | ast.AnnAssign) and not read([s]) & names
        )
        if not simple:
            break
        names |= bound([s]) if isinstance(s, ast.Assign | ast.AnnAssign) else set()
        count += 1
    return count


def may_run_before(
    s: ast.stmt,
    rest: list[ast.stmt],
    inputs: Iterable[str],
    namespace: dict[str, Any],
    everything: bool,
) -> bool:
    """Whether a statement has nothing to do with the inputs, so that it may run as it is before
    they are used.

    `rest`: the statements after it. `everything`: arrays count wherever they are, so that any call
    may use some.
    """
    if isinstance(s, IMPORTS):
        return True
    if isinstance(s, DEFINITIONS):
        changing = bound(r for r in rest if not isinstance(r, (*DEFINITIONS, *IMPORTS)))
        within = read([s]) if isinstance(s, ast.ClassDef) else captured([s])
        return not within & changing and not set(reads([s])) & set(inputs)
    names = read([s]) | set(reads([s]))
    if names & set(inputs):
        return False
    calls = any(isinstance(n, ast.Call) for n in ast.walk(s))
    if everything and calls:
        return False
    return not any(_is_of_user(namespace[n], namespace, calls) for n in names if n in namespace)


def _is_of_user(value: Any, namespace: dict[str, Any], calls: bool) -> bool:
    """Whether using a value may run a function of the notebook, which may read its variables."""
    if isinstance(value, types.MethodType):
        value = value.__func__
    if isinstance(value, types.FunctionType):
        return value.__globals__ is namespace
    cls = value if isinstance(value, type) else type(value)
    if cls.__module__ == namespace.get("__name__", "__main__"):
        return True
    if isinstance(value, list | tuple | dict | set):
        return calls
    library = isinstance(value, type | types.ModuleType | types.BuiltinFunctionType | np.ufunc)
    return callable(value) and not library


def candidates(body: list[ast.stmt], of: str | None) -> list[Candidate]:
    """What may be the result, the last first."""
    found = []
    for i in range(len(body) - 1, -1, -1):
        found += [Candidate(i + 1, n) for n in _results(body[i]) if of is None or n == of]
        if of is not None and not found and of in bound([body[i]]):
            found.append(Candidate(i + 1, of))
        if of is not None and found:
            break
    return found


def depending(body: list[ast.stmt], inputs: Iterable[str]) -> set[ast.stmt]:
    """The statements that may depend on the inputs: they use one, or what does, or call."""
    names, found = set(inputs), set()
    for s in body:
        calls = any(isinstance(n, ast.Call) for n in ast.walk(s))
        if calls or (read([s]) | set(reads([s]))) & names:
            found.add(s)
            names |= bound([s])
    return found


def _results(s: ast.stmt) -> list[str | None]:
    """The names, the last first, that may be the result of a statement; None: its own value."""
    match s:
        case ast.Expr(value=ast.Name(id=name)):
            return [name]
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return []
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if name in SHOWN:
            return []
        case ast.Expr():
            return [None]
        case ast.Assign(value=ast.Lambda()):
            return []
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
            return list(reversed(_stored(s)))
        case _ if isinstance(s, BLOCKS):
            return list(reversed(_stored(s)))
    return []


def _stored(s: ast.stmt) -> list[str | None]:
    names = [
        n
        for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n in _targets(s)
    ]
    names.sort(key=lambda n: (n.lineno, n.col_offset))
    latest: dict[str | None, None] = {}
    for n in names:
        latest.pop(n.id, None)
        latest[n.id] = None
    return list(latest)


def _targets(s: ast.stmt) -> set[ast.AST]:
    """The places that assignments in a statement store to: not the variables of loops and
    comprehensions.
    """
    found: set[ast.AST] = set()
    for n in ast.walk(s):
        if isinstance(n, ast.Assign):
            found |= {t for target in n.targets for t in ast.walk(target)}
        elif isinstance(n, ast.AugAssign | ast.AnnAssign):
            found.add(n.target)
    return found


def is_several(s: ast.stmt) -> bool:
    """Whether a statement assigns several variables at once."""
    return isinstance(s, ast.Assign) and any(isinstance(t, ast.Tuple | ast.List) for t in s.targets)


def hoisted(middle: list[ast.stmt]) -> list[ast.stmt]:
    """Imports, and classes that use nothing the statements bind: they may run before the others."""
    changing = bound(s for s in middle if not isinstance(s, (*DEFINITIONS, *IMPORTS)))
    return [
        s
        for s in middle
        if isinstance(s, IMPORTS) or (isinstance(s, ast.ClassDef) and not read([s]) & changing)
    ]


def defines_function(s: ast.stmt) -> bool:
    return isinstance(s, DEFINITIONS) or (
        isinstance(s, ast.Assign) and isinstance(s.value, ast.Lambda)
    )
