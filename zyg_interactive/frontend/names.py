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
    return first_uses(body).get(name) != "bound"


def first_uses(body: list[ast.stmt]) -> dict[str, str]:
    """What may happen to each name first: "read", or on every way through "bound"."""
    found: dict[str, str] = {}
    for s in body:
        for name, use in _uses(s).items():
            found.setdefault(name, use)
    return found


def _uses(s: ast.stmt) -> dict[str, str]:
    found: set[str] = set()  # what is bound, unless it may be read before
    match s:
        case ast.If():
            first = read([s.test])
            ways = [first_uses(s.body), first_uses(s.orelse)]
            for name in {*ways[0], *ways[1]}:
                # Bound on one way only: what follows may read the earlier value.
                both = all(way.get(name) == "bound" for way in ways)
                (found if both else first).add(name)
        case ast.For() | ast.While():  # a body that is not entered leaves the earlier values
            head = [s.iter, s.target] if isinstance(s, ast.For) else [s.test]
            inside = [*first_uses(s.body), *first_uses(s.orelse)]
            first = read(head) | bound(head) | set(inside)
        case ast.Assign(targets=targets, value=value):
            first, found = read([value, *targets]), bound(targets)
        case ast.Match(subject=subject, cases=cases):
            first = read([subject])
            ways = [_uses_of_case(c) for c in cases if not _leaves(c.body)]
            if not any(_always_fits(c) for c in cases):
                ways.append({})
            for name in {name for way in ways for name in way}:
                every = all(way.get(name) == "bound" for way in ways)
                (found if every else first).add(name)
        case ast.Try() | ast.With() | ast.AugAssign() | ast.Delete():
            first = read([s]) | bound([s])  # a context may swallow an exception
        case ast.AnnAssign(value=None):
            first = set()
        case _:
            named = [n.target.id for n in ast.walk(s) if isinstance(n, ast.NamedExpr)]
            first, found = read([s]), bound([s]) - set(named)  # which may stand behind an `and`
    return dict.fromkeys(found, "bound") | dict.fromkeys(first, "read")


def _uses_of_case(case: ast.match_case) -> dict[str, str]:
    first = read([case.pattern, *([case.guard] if case.guard else [])])
    # Where a guard fails, what was captured is bound, and the body is not run.
    captured = "bound" if case.guard is None else "read"
    found = dict.fromkeys(first, "read")
    for uses in (dict.fromkeys(bound([case.pattern]), captured), first_uses(case.body)):
        for name, use in uses.items():
            found.setdefault(name, use)
    return found


def _leaves(body: list[ast.stmt]) -> bool:
    """Whether a block ends with what leaves the function, or goes to what handles it."""
    return isinstance(body[-1], ast.Raise | ast.Return)


def _always_fits(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and not case.guard


def always_jumps(body: list[ast.stmt]) -> bool:
    """Whether a block never reaches its end."""
    for s in body:
        if isinstance(s, ast.Return | ast.Break | ast.Continue | ast.Raise):
            return True
        if isinstance(s, ast.If) and s.orelse and always_jumps(s.body) and always_jumps(s.orelse):
            return True
    return False


ASKING = {"get", "items", "values", "keys", "copy"}  # methods of a dict that leave it as it is
LOOKING = {"len", "sorted", "list", "tuple", "print", "str", "repr", "any", "all"}


def only_asked(name: str, fn: Scope) -> bool:
    """Whether a function does no more with a dict than to ask it for what it holds, and that by
    itself: the dict is not changed, kept, passed on or returned.
    """
    asked: set[ast.AST] = set()
    for n in ast.walk(fn):
        match n:
            case ast.Subscript(value=at, ctx=ast.Load()) | ast.keyword(arg=None, value=at):
                asked.add(at)
            case ast.Call(func=ast.Attribute(value=at, attr=attr)) if attr in ASKING:
                asked.add(at)
            case ast.Call(func=ast.Name(id=called), args=args) if called in LOOKING:
                asked.update(args)
            case ast.Compare(ops=ops, comparators=others):
                pairs = zip(ops, others, strict=True)
                asked.update(at for op, at in pairs if isinstance(op, ast.In | ast.NotIn))
            case ast.For(iter=at) | ast.comprehension(iter=at) | ast.FormattedValue(value=at):
                asked.add(at)
            case ast.If(test=at) | ast.IfExp(test=at) | ast.UnaryOp(op=ast.Not(), operand=at):
                asked.add(at)
            case ast.Dict(keys=keys, values=values):
                asked.update(v for k, v in zip(keys, values, strict=True) if k is None)
    inner = [n for n in ast.walk(fn) if isinstance(n, Scope) and n is not fn]
    inside = {m for n in inner for m in ast.walk(n)}
    named = (n for n in ast.walk(fn) if isinstance(n, ast.Name) and n.id == name)
    return all(n in asked and n not in inside for n in named)
