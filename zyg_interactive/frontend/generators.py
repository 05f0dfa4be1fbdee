"""Generator functions as functions that return the list of what they yield.

Such a generator is run to its end where it is consumed, so it must end. Where it would take turns
with a loop, so that the order is seen, or one changes what the other reads (`Loops._in_order`), it
is an object that is gone on with item by item (`kept`).
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from weakref import WeakKeyDictionary

from ..source import FunctionNode
from .fence import refused
from .names import Scope, body_of
from .resolve import UserFunction

ITEMS = "$items"
_made: WeakKeyDictionary[ast.AST, FunctionNode] = WeakKeyDictionary()


def is_generator(node: FunctionNode) -> bool:
    """Whether calling a function makes a generator."""
    todo = body_of(node)
    while todo:
        n = todo.pop()
        if isinstance(n, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(n, Scope):
            todo += ast.iter_child_nodes(n)
    return False


def collecting(fn: UserFunction) -> UserFunction:
    """The function that returns what a generator function yields. Raises Refused."""
    if fn.node not in _made:
        assert isinstance(fn.node, ast.FunctionDef)
        collector = _Collector(fn)
        begin = ast.Assign([ast.Name(ITEMS, ast.Store())], ast.List([], ast.Load()))
        end = ast.Return(ast.Name(ITEMS, ast.Load()))
        body = [collector.visit(copy.deepcopy(s)) for s in fn.node.body]
        made = ast.FunctionDef(fn.node.name, fn.node.args, [begin, *body, end], [])
        for inner in (begin, end, made):
            _place(inner, fn.node)
        _made[fn.node] = made
    return dataclasses.replace(fn, node=_made[fn.node])


def _place(node: ast.AST, at: ast.AST) -> None:
    for n in ast.walk(node):
        if isinstance(n, ast.stmt | ast.expr) and not hasattr(n, "lineno"):
            ast.copy_location(n, at)


def _leaves(s: ast.AST, inside: bool = False) -> bool:
    """Whether a statement may leave the loop that it stands in; `inside`: within another loop."""
    if isinstance(s, ast.Return) or (isinstance(s, ast.Break) and not inside):
        return True
    if isinstance(s, Scope):
        return False
    inside = inside or isinstance(s, ast.For | ast.While)
    return any(_leaves(n, inside) for n in ast.iter_child_nodes(s))


class _Collector(ast.NodeTransformer):
    """Appends to the list where the generator yields."""

    def __init__(self, fn: UserFunction):
        self.source = fn.source

    def visit_Expr(self, s: ast.Expr) -> ast.stmt:
        match s.value:
            case ast.Yield(value=value):
                return self._calling(s, "append", value or ast.Constant(None))
            case ast.YieldFrom(value=value):
                return self._calling(s, "extend", value)
        return s

    def _calling(self, s: ast.stmt, method: str, value: ast.expr) -> ast.stmt:
        appended = ast.Attribute(ast.Name(ITEMS, ast.Load()), method, ast.Load())
        made = ast.copy_location(ast.Expr(ast.Call(appended, [value], [])), s)
        _place(made, s)
        return made

    def visit_Return(self, s: ast.Return) -> ast.stmt:
        made = ast.copy_location(ast.Return(ast.Name(ITEMS, ast.Load())), s)
        _place(made, s)
        return made

    def visit_While(self, s: ast.While) -> ast.AST:
        endless = isinstance(s.test, ast.Constant) and s.test.value
        if endless and not any(map(_leaves, s.body)):
            raise refused(
                self.source, s, "a generator without an end", "stop it after the items in use"
            )
        return self.generic_visit(s)

    def visit_Yield(self, node: ast.expr) -> ast.expr:
        raise refused(
            self.source, node, "the value of a `yield`", "pass the values as arguments"
        )

    visit_YieldFrom = visit_Yield

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        return node
