"""Which names a piece of syntax reads and binds."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that statements bind in their own scope."""
    return {name for node in _own(nodes) if (name := _binds(node)) is not None}


def _binds(node: ast.AST) -> str | None:
    """The name that a node by itself binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.alias(name=name, asname=other):
            return (other or name).split(".")[0]
        case ast.ExceptHandler(name=caught) | ast.MatchAs(name=caught) | ast.MatchStar(name=caught):
            return caught
        case ast.MatchMapping(rest=caught):
            return caught
    return None


def declared(nodes: Iterable[ast.AST], kind: type[ast.Global | ast.Nonlocal]) -> set[str]:
    """Names that statements declare `global` or `nonlocal` in their own scope."""
    return {name for node in _own(nodes) if isinstance(node, kind) for name in node.names}


def rebound_inside(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that functions inside these nodes bind anew in the scope of the nodes."""
    found: set[str] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, Scope):
            body = body_of(node)
            own = bound(body)
            if not isinstance(node, ast.ClassDef):
                own |= set(parameters(node.args))
            found |= declared(body, ast.Nonlocal) | (rebound_inside(body) - own)
        else:
            todo += ast.iter_child_nodes(node)
    return found


def body_of(node: Scope) -> list[ast.AST]:
    return list(node.body) if isinstance(node.body, list) else [node.body]


def times_bound(name: str, node: ast.AST) -> int:
    """How many times the scope of a function or comprehension binds a name: in a loop, more than
    once.
    """
    if isinstance(node, COMPREHENSIONS):
        return 2
    assert isinstance(node, Scope)
    count = 0 if isinstance(node, ast.ClassDef) else parameters(node.args).count(name)
    for n in _own(body_of(node)):
        count += _binds(n) == name
        if isinstance(n, ast.For | ast.AsyncFor | ast.While):
            count += name in bound([n])
    return count


def read(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that are read, in inner functions and comprehensions too."""
    return {
        n.id
        for node in nodes
        for n in ast.walk(node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }


def read_counts(nodes: Iterable[ast.AST]) -> Counter[str]:
    """How often names are read; an augmented assignment reads what it changes."""
    counts: Counter[str] = Counter()
    for node in nodes:
        for n in ast.walk(node):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
                counts[n.id] += 1
            elif isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name):
                counts[n.target.id] += 1
    return counts


def _own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope: not the bodies of inner functions and classes; of comprehensions the
    names that they bind around them.
    """
    todo = list(nodes)
    while todo:  # no recursion: the tree of a long sum is as deep as the sum is long
        node = todo.pop()
        yield node
        if isinstance(node, Scope):
            todo += getattr(node, "decorator_list", [])
        elif isinstance(node, COMPREHENSIONS):  # `:=` in it binds around it
            todo += [n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]
        else:
            todo += ast.iter_child_nodes(node)


def parameters(args: ast.arguments) -> list[str]:
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    every += [a for a in (args.vararg, args.kwarg) if a is not None]
    return [a.arg for a in every]


def needs_earlier_value(name: str, body: list[ast.stmt]) -> bool:
    """Whether a loop body may read `name` before binding it: a value of the iteration before, or of
    before the loop.
    """
    return first_use(name, body) != "bound"


def first_use(name: str, body: list[ast.stmt]) -> str:
    """What may happen to `name` first: "read", or on every way through "bound" or "neither"."""
    for s in body:
        met = _first_in(name, s)
        if met != "neither":
            return met
    return "neither"


def _first_in(name: str, s: ast.stmt) -> str:
    match s:
        case ast.If():
            if name in read([s.test]):
                return "read"
            ways = {first_use(name, s.body), first_use(name, s.orelse)}
            if "read" in ways:
                return "read"
            if ways == {"bound"}:
                return "bound"
            # Bound on one way only: what follows may read the earlier value.
            return "read" if "bound" in ways else "neither"
        case ast.For(target=target, iter=it, body=body):
            if name in read([it]):
                return "read"
            if name in bound([target]):
                return "read"  # an empty sequence leaves the earlier value
            return "read" if first_use(name, body) != "neither" else "neither"
        case ast.While(test=test, body=body):
            met = "read" if name in read([test]) else first_use(name, body)
            return "read" if met != "neither" else "neither"
        case ast.Assign(targets=targets, value=value):
            if name in read([value, *targets]):
                return "read"
            return "bound" if name in bound(targets) else "neither"
        case ast.With(items=items, body=body):
            if name in read([i.context_expr for i in items]):
                return "read"
            if name in bound([i.optional_vars for i in items if i.optional_vars is not None]):
                return "bound"
            return first_use(name, body)
        case ast.Try():
            if name in read([s]):
                return "read"
            return "read" if name in bound([s]) else "neither"
        case ast.AugAssign():
            return "read" if name in read([s]) | bound([s.target]) else "neither"
    if name in read([s]):
        return "read"
    return "bound" if name in bound([s]) else "neither"


def always_jumps(body: list[ast.stmt]) -> bool:
    """Whether a block never reaches its end."""
    for s in body:
        if isinstance(s, ast.Return | ast.Break | ast.Continue | ast.Raise):
            return True
        if isinstance(s, ast.With) and always_jumps(s.body):
            return True
        if isinstance(s, ast.If) and s.orelse and always_jumps(s.body) and always_jumps(s.orelse):
            return True
    return False
