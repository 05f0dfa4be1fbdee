"""`try`, `with`, `raise`: exceptions as control flow.

What may raise is built into a region of its own (`TRY`), of which either everything happened or, as
far as the rest of the program can tell, nothing: a body whose variables are not read once it was
left early is one such region; otherwise each of its statements is. After it a flag, like that of
`break`, tells whether an exception was raised, so the reverse pass replays what ran. What may
raise after it has changed something in memory is taken apart (`interruptions`); where that cannot
be done, the run refuses to handle the exception.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable

from .. import runtime
from ..ir.core import (
    TRY,
    UNBOUND,
    Atom,
    Op,
    Region,
    Value,
)
from ..ir.types import BOOL, Other
from .fence import refused
from .functions import Functions
from .interruptions import Catches
from .names import always_jumps, bound, first_uses, read_counts
from .scope import DEAD, ERROR, FLAGS, PARTIAL, RAISED, STILL

EVERY: Catches = (BaseException,)
SIMPLE = (
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise),
    *(ast.Assert, ast.Import, ast.ImportFrom),
)


class Exceptions(Functions):
    """Adds exceptions; `block` is the statements' part."""

    def block(self, body: list[ast.stmt]) -> None:
        raise NotImplementedError

    # ---- regions that may be left early

    def attempt(
        self,
        build: Callable[[], None],
        node: ast.AST,
        catches: Catches,
        leave: Callable[[], None] | None = None,
    ) -> None:
        """Build what may raise; then `RAISED` tells whether it did; `ERROR` is the exception.
        `leave`: what happens then, before the exception leaves the function.
        """
        outer, before = self.region, self.env
        error = Value("error", Other(BaseException), self.span(node))
        regions, envs = [Region(), Region(params=(error,))], []
        self.region, self.env = regions[0], dict(before)
        build()
        envs.append(self.env)
        partial, apart = isinstance(node, SIMPLE) and _binds_on_the_way(node), False
        if self.heap is not None and leave is None:
            facts = self.context.facts(regions[0], catches)
            partial, apart = partial or facts.whole, facts.partial and not facts.whole
        self.region, self.env = regions[1], {**before, RAISED: True, ERROR: error, PARTIAL: partial}
        if leave is not None:
            leave()
            self.throw(error, node)
        envs.append(self.env)
        if not regions[0].ops:
            self.region, self.env = outer, envs[0]
            outer.ops += regions[0].ops
            return
        envs[0].setdefault(ERROR, UNBOUND)
        envs[0].setdefault(PARTIAL, partial)
        self.region, self.env = outer, before
        always = envs[0].get(DEAD) is True
        results, outs = self.merged(regions, envs, node)
        raised = Value("raised", BOOL, self.span(node))
        for region, out, flag in zip(regions, outs, (False, True), strict=True):
            region.outs = (flag, *out)
        static = {"catches": catches, "leaves": leave is not None}
        op = Op(TRY, (), static, (raised, *results), tuple(regions), self.span(node))
        self.region.ops += self.context.interruptions.handled(op) if apart else [op]
        if leave is None and not always:
            self.env[RAISED] = raised

    # ---- raise, assert

    def _raise(self, s: ast.Raise) -> None:
        if s.exc is None:
            error = self.env.get("$handled")
            if error is None:
                raise refused(self.source, s, "`raise` outside of `except`", "name the exception")
        else:
            error = self.materialise(self.expr(s.exc), s)
        cause = () if s.cause is None else (self.materialise(self.expr(s.cause), s),)
        self.throw(error, s, *cause)

    def throw(self, error: Atom, node: ast.AST, *cause: Atom) -> None:
        self.op(runtime.throw, (error, *cause), {}, node)
        self.env[DEAD] = True

    # ---- try

    def _try(self, s: ast.Try) -> None:
        if s.handlers and s.finalbody:
            inner = ast.copy_location(ast.Try(s.body, s.handlers, s.orelse, []), s)
            self._finally([inner], s.finalbody, s)
        elif s.finalbody:
            self._finally(s.body, s.finalbody, s)
        else:
            self._handled(s)

    def _body(self, body: list[ast.stmt], catches: Catches, whole: bool, node: ast.AST) -> Atom:
        """Build a body of which exceptions are caught; whether one was raised."""
        outer = self.catching
        catches = tuple(dict.fromkeys((*catches, *(outer or ()))))
        if whole:
            self.catching = None
            self.attempt(lambda: self.block(body), node, catches)
        else:
            self.catching = catches
            self.block(body)
        self.catching = outer
        return self.env.get(RAISED, False)

    def _handled(self, s: ast.Try) -> None:
        catches: list[type[BaseException]] = []
        for h in s.handlers:
            catches += self._types(h)
        whole = self._is_whole(s.body, [h.body for h in s.handlers])
        raised = self._body(s.body, tuple(catches), whole, s)

        def handle() -> None:
            self.env.update({f: False for f in FLAGS if f in self.env})
            self._dispatch(s, 0)

        def go_on() -> None:
            self.env[RAISED] = False
            self.block(s.orelse)

        self.branch(raised, handle, go_on, s)

    def _types(self, h: ast.ExceptHandler) -> Catches:
        """The exceptions of a handler; all of them, where only the run knows."""
        found = EVERY if h.type is None else self.expr(h.type)
        found = found if isinstance(found, tuple) else (found,)
        known = all(isinstance(c, type) and issubclass(c, BaseException) for c in found)
        return found if known else EVERY

    def _dispatch(self, s: ast.Try, k: int) -> None:
        """Choose among the handlers from the k-th on."""
        error = self.env[ERROR]
        if k == len(s.handlers):
            self._pass_on(error, s)
            return
        h = s.handlers[k]
        fits: Atom = True
        if h.type is not None:
            kinds = self.materialise(self.expr(h.type), h)
            fits = self.op(builtins.isinstance, (error, kinds), {}, h)
            fits.type = BOOL

        def interrupted() -> None:
            self.op(runtime.interrupted, (error,), {}, h)

        def handler() -> None:
            outer = self.env.get("$handled")
            self.env["$handled"] = error
            partial = self.env.get(PARTIAL, False)
            if partial is not False and not _raises_again(h.body):
                self.branch(partial, interrupted, lambda: None, h)
            if h.name is not None:
                self.assign(h.name, error, h)
            self.block(h.body)
            if h.name is not None:
                self.assign(h.name, UNBOUND, h)
            self.env["$handled"] = outer

        self.branch(fits, handler, lambda: self._dispatch(s, k + 1), h)

    def _pass_on(self, error: Atom, node: ast.AST) -> None:
        """Leave an exception that is not handled here to what is around."""
        if self.catching is not None:
            self.env[RAISED] = True
        else:
            self.throw(error, node)

    def _finally(self, body: list[ast.stmt], final: list[ast.stmt], node: ast.stmt) -> None:
        def close(raised: bool) -> None:
            if raised:
                self.env[RAISED] = False  # what comes now is not passed over
            self.block(final)

        if self._leaves(body, final) and not any(map(jumps, final)):
            self._closed(body, close, node)
        else:
            raised = self._body(body, EVERY, self._is_whole(body, [final]), node)
            self._after(raised, lambda: self.block(final), node)

    def _closed(
        self, body: list[ast.stmt], close: Callable[[bool], None], node: ast.stmt
    ) -> None:
        """A body, and what closes it, whose exceptions leave the function."""
        self.attempt(lambda: self.block(body), node, EVERY, lambda: close(True))
        self._after(False, lambda: close(False), node)

    def _after(self, raised: Atom, build: Callable[[], None], node: ast.stmt) -> None:
        """Build what happens however a body was left, then leave as it was left."""
        left = {f: self.env.get(f, False) for f in FLAGS if f in self.env}
        error = self.env.get(ERROR)
        dead = self.env.pop(DEAD, False)
        self.env.update(dict.fromkeys(left, False))
        build()
        if any(self.env.get(f, False) is True for f in (*FLAGS, DEAD)):
            return  # the jump out of `finally` is the one that counts
        if any(self.env.get(f, False) is not False for f in FLAGS if f != RAISED):
            raise refused(
                self.source, node, "a jump out of `finally` on some ways only", "jump after it"
            )

        def leave() -> None:
            self.env.update({**left, ERROR: error})
            if dead:
                self.env[DEAD] = True

        if STILL in self.env:
            raised = self.env.pop(STILL)
            if RAISED in left:
                left[RAISED] = raised
        # An exception out of `finally` takes the place of the one before.
        self.branch(self.env.get(RAISED, False), lambda: None, leave, node)
        if raised is not False and self.catching is None:
            self.env[RAISED] = False
            self.branch(raised, lambda: self.throw(error, node), lambda: None, node)

    def _leaves(self, body: list[ast.stmt], final: list[ast.stmt]) -> bool:
        """Whether an exception of a body leaves the function, and what comes then does not tell how
        far the body got.
        """
        told = first_uses(final)
        tells = any(told.get(name) == "read" for name in bound(body))
        return self.catching is None and not tells

    def _is_whole(self, body: list[ast.stmt], ways_out: list[list[ast.stmt]]) -> bool:
        """Whether nothing can tell how far a body got that was left early."""
        last = max((k for k, s in enumerate(body) if not _is_certain(s)), default=0)
        done = body[: last + (not isinstance(body[last], SIMPLE))] if body else []
        if body and _binds_on_the_way(body[last]):
            return False
        if any(_has_effect(n) for s in done for n in ast.walk(s)):
            return False
        if not self.reads:
            self.reads = read_counts([self.fn.node])
        inside = read_counts(body)
        uses = [(first_uses(way), always_jumps(way)) for way in ways_out]
        for name in bound(done):
            if self.reads[name] == inside[name] and name not in self.cells:
                continue
            if self.catching is not None:  # what is around may read it
                return False
            for met, jumps in uses:
                if met.get(name) == "read" or (name not in met and not jumps):
                    return False
        return True


def jumps(node: ast.AST) -> bool:
    """Whether a statement may leave the block that it stands in, other than by raising."""
    if isinstance(node, ast.Return | ast.Break | ast.Continue):
        return True
    if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        return False
    inside = ast.iter_child_nodes(node)
    if isinstance(node, ast.For | ast.While):
        return any(isinstance(n, ast.Return) for n in ast.walk(node))
    return any(map(jumps, inside))


def _raises_again(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise) and always_jumps(body)


def _is_certain(s: ast.stmt) -> bool:
    """Whether a statement cannot raise."""
    match s:
        case ast.Pass() | ast.Break() | ast.Continue() | ast.Global() | ast.Nonlocal():
            return True
        case ast.Assign(targets=targets, value=ast.Constant() | ast.Name()):
            return all(isinstance(t, ast.Name) for t in targets)
        case ast.Return(value=None | ast.Constant()):
            return True
    return False


def _has_effect(n: ast.AST) -> bool:
    """Whether a node may change something in memory, as far as the text tells."""
    match n:
        case ast.Expr(value=ast.Call()):
            return True
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store()):
            return True
        case ast.AugAssign():
            return not isinstance(n.target, ast.Name)
    return False


def _binds_on_the_way(s: ast.stmt) -> bool:
    """Whether a statement may bind a name and raise after that."""
    if any(isinstance(n, ast.NamedExpr) for n in ast.walk(s)):
        return True
    targets = s.targets if isinstance(s, ast.Assign) else []
    parts = (n for t in targets for n in ast.walk(t))
    kinds = {type(n) for n in parts if isinstance(getattr(n, "ctx", None), ast.Store)}
    return ast.Name in kinds and bool(kinds & {ast.Subscript, ast.Attribute})
