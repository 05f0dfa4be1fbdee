"""Statements as simpler statements: `match`, `else` of loops, loops with a test that binds."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..iterators import more, step

Refuse = Callable[[ast.AST, str], Exception]
# The attribute that the k-th positional pattern of a class is matched with; None: the object.
Positional = Callable[[ast.expr, int], str | None]
Bindings = list[tuple[str, ast.expr]]
# Whether what a pattern binds may be read outside of the case.
Outlives = Callable[[str, ast.match_case], bool]
LEFT = "$left"  # whether a loop was left by `break`


def named(at: ast.AST, id: str) -> ast.Name:
    return ast.copy_location(ast.Name(id, ast.Load()), at)


def stored(at: ast.AST, id: str, value: ast.expr) -> ast.stmt:
    """`id = value`."""
    target = ast.copy_location(ast.Name(id, ast.Store()), at)
    return ast.copy_location(ast.Assign([target], value), at)


def constant(at: ast.AST, value: Any) -> ast.expr:
    return ast.copy_location(ast.Constant(value), at)


def loop_with_else(s: ast.For | ast.While) -> list[ast.stmt]:
    """A loop that notes whether it was left by `break`, and what follows if not."""
    left = f"{LEFT}{s.lineno}_{s.col_offset}"
    body = _noting(s.body, left)
    loop: ast.stmt
    if isinstance(s, ast.For):
        loop = ast.For(s.target, s.iter, body, [])
    else:
        loop = ast.While(s.test, body, [])
    test = ast.copy_location(ast.UnaryOp(ast.Not(), named(s, left)), s)
    return [
        stored(s, left, constant(s, False)),
        ast.copy_location(loop, s),
        ast.copy_location(ast.If(test, s.orelse, []), s),
    ]


def _noting(body: list[ast.stmt], left: str) -> list[ast.stmt]:
    """The statements of a loop, with a note before each `break` of its own."""
    found: list[ast.stmt] = []
    for s in body:
        match s:
            case ast.Break():
                found += [stored(s, left, constant(s, True)), s]
                continue
            case ast.If(test=test, body=then, orelse=other):
                s = ast.copy_location(ast.If(test, _noting(then, left), _noting(other, left)), s)
            case ast.With(items=items, body=inner):
                s = ast.copy_location(ast.With(items, _noting(inner, left)), s)
            case ast.Try(body=tried, handlers=handlers, orelse=other, finalbody=final):
                caught = [
                    ast.copy_location(ast.ExceptHandler(h.type, h.name, _noting(h.body, left)), h)
                    for h in handlers
                ]
                parts = (_noting(tried, left), caught, _noting(other, left), _noting(final, left))
                s = ast.copy_location(ast.Try(*parts), s)
            case ast.Match(subject=subject, cases=cases):
                every = [ast.match_case(c.pattern, c.guard, _noting(c.body, left)) for c in cases]
                s = ast.copy_location(ast.Match(subject, every), s)
            case ast.For(target=target, iter=it, body=inner, orelse=other) if other:
                s = ast.copy_location(ast.For(target, it, inner, _noting(other, left)), s)
            case ast.While(test=test, body=inner, orelse=other) if other:
                s = ast.copy_location(ast.While(test, inner, _noting(other, left)), s)
        found.append(s)
    return found


def tested_inside(s: ast.While) -> ast.While:
    """A loop whose test is the first statement of its body."""
    leave = ast.copy_location(ast.Break(), s)
    stay = ast.copy_location(ast.Pass(), s)
    test = ast.copy_location(ast.If(s.test, [stay], [leave]), s.test)
    return ast.copy_location(ast.While(constant(s, True), [test, *s.body], []), s)


def step_by_step(s: ast.For, it: ast.expr) -> ast.stmt:
    """A loop that asks an iterator, which is kept, for each item."""
    taken = ast.copy_location(ast.Assign([s.target], _call(s.iter, step, it)), s.target)
    leave = ast.copy_location(ast.Break(), s)
    ask = ast.copy_location(ast.If(_call(s.iter, more, it), [taken], [leave]), s.iter)
    return ast.copy_location(ast.While(constant(s, True), [ask, *s.body], []), s)


# ---- match


def match(
    s: ast.Match, refuse: Refuse, positional: Positional, outlives: Outlives
) -> list[ast.stmt]:
    """A `match` as `if` and `elif`."""
    patterns = Patterns(refuse, positional)
    subject = f"$subject{s.lineno}_{s.col_offset}"
    chain: list[ast.stmt] = []
    for case in reversed(s.cases):
        bindings: Bindings = []
        test = patterns.test(case.pattern, named(case.pattern, subject), bindings)
        binds = [stored(case.pattern, n, e) for n, e in bindings]
        if case.guard is not None and any(isinstance(n, ast.Lambda) for n in ast.walk(case.guard)):
            # It captures what the pattern has bound, under the name.
            fits = f"$fits{case.guard.lineno}_{case.guard.col_offset}"
            first = [*binds, stored(case.guard, fits, case.guard)]
            no = [stored(case.pattern, fits, constant(case.pattern, False))]
            tried = ast.copy_location(ast.If(test, first, no), case.pattern)
            asked = named(case.guard, fits)
            chain = [tried, ast.copy_location(ast.If(asked, case.body, chain), case.guard)]
            continue
        if case.guard is not None:
            left = [b for b, (n, _) in zip(binds, bindings, strict=True) if outlives(n, case)]
            if left:  # they are bound, whatever the guard says
                chain = [ast.copy_location(ast.If(test, left, []), case.pattern), *chain]
            guard = _Replaced(dict(bindings)).visit(_copy(case.guard))
            test = _and([test, guard], case.guard)
        chain = [ast.copy_location(ast.If(test, [*binds, *case.body], chain), case.pattern)]
    return [stored(s, subject, s.subject), *chain]


class _Replaced(ast.NodeTransformer):
    """Puts what a pattern binds in the place of the names, in a guard."""

    def __init__(self, bindings: dict[str, ast.expr]):
        self.bindings = bindings

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.bindings.get(node.id, node)


def _copy(node: ast.expr) -> ast.expr:
    copied = ast.parse(ast.unparse(node), mode="eval").body
    for inner in ast.walk(copied):
        if isinstance(inner, ast.expr):
            ast.copy_location(inner, node)
    return copied


def _and(tests: list[ast.expr], at: ast.AST) -> ast.expr:
    parts = [t for t in tests if not (isinstance(t, ast.Constant) and t.value is True)]
    if not parts:
        return constant(at, True)
    return parts[0] if len(parts) == 1 else ast.copy_location(ast.BoolOp(ast.And(), parts), at)


def _call(at: ast.AST, fn: object, *args: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(constant(at, fn), list(args), []), at)


def _item(at: ast.AST, base: ast.expr, index: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Subscript(base, index, ast.Load()), at)


def _attribute(at: ast.AST, base: ast.expr, attr: str) -> ast.expr:
    return ast.copy_location(ast.Attribute(base, attr, ast.Load()), at)


def _compared(at: ast.AST, a: ast.expr, op: ast.cmpop, b: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Compare(a, [op], [b]), at)


def _others(at: ast.AST, subject: ast.expr, keys: list[ast.expr]) -> ast.expr:
    """The items of a dict under other keys."""
    k, v = (ast.copy_location(ast.Name(n, ast.Load()), at) for n in ("$key", "$value"))
    target = ast.Tuple([ast.Name(n.id, ast.Store()) for n in (k, v)], ast.Store())
    left = ast.Compare(k, [ast.NotIn()], [ast.Tuple(keys, ast.Load())])
    items = ast.Call(_attribute(at, subject, "items"), [], [])
    made = ast.DictComp(k, v, [ast.comprehension(target, items, [left], 0)])
    for n in ast.walk(made):
        if isinstance(n, ast.expr):
            ast.copy_location(n, at)
    return made


class Patterns:
    """Patterns as conditions."""

    def __init__(self, refuse: Refuse, positional: Positional):
        self.refuse, self.positional = refuse, positional

    def test(self, p: ast.pattern, subject: ast.expr, bindings: Bindings) -> ast.expr:
        """Whether a subject fits a pattern; what it binds is added to `bindings`."""
        match p:
            case ast.MatchValue(value=value):
                return _compared(p, subject, ast.Eq(), value)
            case ast.MatchSingleton(value=value):
                return _compared(p, subject, ast.Is(), constant(p, value))
            case ast.MatchAs(pattern=inner, name=bound):
                fits = constant(p, True) if inner is None else self.test(inner, subject, bindings)
                if bound is not None:
                    bindings.append((bound, subject))
                return fits
            case ast.MatchOr(patterns=patterns):
                return ast.copy_location(
                    ast.BoolOp(ast.Or(), [self._alternative(a, subject) for a in patterns]), p
                )
            case ast.MatchSequence(patterns=patterns):
                return self._sequence(p, patterns, subject, bindings)
            case ast.MatchMapping(keys=keys, patterns=patterns, rest=rest):
                tests = [_call(p, isinstance, subject, constant(p, dict))]
                tests += [_compared(p, k, ast.In(), subject) for k in keys]
                for k, inner in zip(keys, patterns, strict=True):
                    tests.append(self.test(inner, _item(inner, subject, k), bindings))
                if rest is not None:
                    bindings.append((rest, _others(p, subject, keys)))
                return _and(tests, p)
            case ast.MatchClass(cls=cls, patterns=patterns, kwd_attrs=names, kwd_patterns=others):
                tests = [_call(p, isinstance, subject, cls)]
                attrs = [self.positional(cls, k) for k in range(len(patterns))]
                for attr, inner in zip([*attrs, *names], [*patterns, *others], strict=True):
                    part = subject if attr is None else _attribute(inner, subject, attr)
                    tests.append(self.test(inner, part, bindings))
                return _and(tests, p)
        raise self.refuse(p, "this pattern")

    def _alternative(self, p: ast.pattern, subject: ast.expr) -> ast.expr:
        found: Bindings = []
        test = self.test(p, subject, found)
        if found:
            raise self.refuse(p, "alternatives of a pattern that bind names")
        return test

    def _sequence(
        self, p: ast.AST, patterns: list[ast.pattern], subject: ast.expr, bindings: Bindings
    ) -> ast.expr:
        stars = [k for k, inner in enumerate(patterns) if isinstance(inner, ast.MatchStar)]
        least = constant(p, len(patterns) - len(stars))
        tests = [
            _call(p, isinstance, subject, constant(p, (list, tuple))),
            _compared(p, _call(p, len, subject), ast.GtE() if stars else ast.Eq(), least),
        ]
        for k, inner in enumerate(patterns):
            after = k - len(patterns)
            if isinstance(inner, ast.MatchStar):
                if inner.name is not None:
                    stop = None if after == -1 else constant(inner, after + 1)
                    some = ast.copy_location(ast.Slice(constant(inner, k), stop, None), inner)
                    part = _call(inner, list, _item(inner, subject, some))
                    bindings.append((inner.name, part))
                continue
            place = k if not stars or k < stars[0] else after
            part = _item(inner, subject, constant(inner, place))
            tests.append(self.test(inner, part, bindings))
        return _and(tests, p)
