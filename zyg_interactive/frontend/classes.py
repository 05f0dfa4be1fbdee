"""A `class` statement inside a function.

The class is made when the function is lowered, once for a specialisation, and is known from then
on like a class of a module. So its statement may do nothing that could be seen: it defines methods
and constants, and all that it reads is known before the run. Python makes another class whenever
the statement runs; where the program could tell them apart, it is refused: in a loop, in a
recursive function, where something that can be changed belongs to the class.
"""

from __future__ import annotations

import abc
import ast
import builtins
import dataclasses
import enum
import functools
import math
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from ..diagnostics import Refused
from ..ir.core import Atom, Path, Value
from ..ir.types import UNKNOWN
from ..source import code_of
from .contexts import Contexts
from .fence import refused
from .names import bound, times_bound
from .resolve import Known, UserFunction, is_constant

# What makes another class, or a member of one, of what it is given, and does nothing else.
OF_CLASSES = {
    *(dataclasses.dataclass, functools.total_ordering, enum.unique, typing.final),
    typing.runtime_checkable,
}
OF_METHODS = {property, staticmethod, classmethod, functools.cached_property, abc.abstractmethod}
PURE = {
    *OF_METHODS,
    *(dataclasses.field, enum.auto, functools.partialmethod),
    *(abs, bool, complex, float, frozenset, int, max, min, round, str, sum, tuple),
    *(v for v in vars(math).values() if callable(v)),
}
METACLASSES = {type, abc.ABCMeta, enum.EnumMeta, type(typing.Protocol)}
NUMBERS = (int, float, complex)
Decorators = list[Callable[[Any], Any]]
Bases = tuple[Any, ...]
Parts = tuple[Decorators, Bases, dict[str, Any]]
ABOVE = "define the class at the top of the module"


class Classes(Contexts):
    """Adds classes to statements."""

    def local_class(self, s: ast.ClassDef) -> Atom:
        """What the name of a class is bound to."""
        if self.depth:
            raise self._no_class(s, "in a loop", "define it before the loop")
        if self.context.recursive:
            raise self._no_class(s, "in a recursive function", ABOVE)
        parts = self._parts(s)
        cls = self.context.local_class((s, parts[1]), lambda: self._class(s, *parts))
        return cls if cls is not None else self.hidden_value(Path(s, s.name), UNKNOWN, s.name, s)

    def _parts(self, s: ast.ClassDef) -> Parts:
        """What a class statement is made of besides its body, which is looked at."""
        if getattr(s, "type_params", ()):
            raise self._no_class(s, "with type parameters", ABOVE)
        decorators = [self._decorator(d) for d in s.decorator_list]
        bases = tuple(self._base(b) for b in s.bases)
        keywords = {str(k.arg): self._class_keyword(k) for k in s.keywords}
        self._body_of_class(s)
        return decorators, bases, keywords

    def _class(
        self, s: ast.ClassDef, decorators: Decorators, bases: Bases, keywords: dict[str, Any]
    ) -> type:
        code = self._class_code(s)
        cells = {name: self._cell(s, name) for name in code.co_freevars}
        body = types.FunctionType(code, self._globals(), s.name, None, tuple(cells.values()))
        build: Callable[..., Any] = builtins.__build_class__
        try:
            cls = build(body, s.name, *bases, **keywords)
            for decorate in reversed(decorators):
                cls = decorate(cls)
        except Exception as error:
            what = f"that cannot be made before the run ({error})"
            raise self._no_class(s, what, ABOVE) from error
        if s.name in cells:
            cells[s.name].cell_contents = cls
        found: type = cls
        return found

    def _class_code(self, s: ast.ClassDef) -> types.CodeType:
        around = self.fn.code or code_of(self.source, self.fn.node)
        first = min([s.lineno, *(d.lineno for d in s.decorator_list)])
        for code in around.co_consts if around is not None else ():
            if isinstance(code, types.CodeType) and code.co_name == s.name:
                if code.co_firstlineno == first:
                    return code
        raise self._no_class(s, "whose text is not the code that runs", ABOVE)

    def _cell(self, s: ast.ClassDef, name: str) -> types.CellType:
        """What the class captures of a variable of the functions around."""
        if name == s.name and times_bound(name, self.fn.node) == 1:
            return types.CellType()
        found = self.captured_name(name)
        bound_once = name not in self.locals or times_bound(name, self.fn.node) == 1
        atom = self.meaning(found, name, s) if isinstance(found, Known) and bound_once else UNKNOWN
        if isinstance(atom, UserFunction) and atom.live is not None:
            return types.CellType(atom.live)
        if not is_constant(atom):
            raise refused(
                self.source,
                next(_reads(s, name), s),
                f"a class in a function that reads its variable `{name}`",
                f"give it to the instance, and keep it there: `self.{name} = {name}`",
            )
        return types.CellType(atom)

    # ---- what the statement may be made of

    def _live(self, node: ast.expr) -> Any:
        """An object that is known before the run; UNKNOWN where nothing may be run to know it."""
        atom = self.expr(node)
        live = atom.live if isinstance(atom, UserFunction) else atom
        if isinstance(live, Value) and not self.context.runs:
            return UNKNOWN
        if live is None or not is_constant(live):
            raise refused(self.source, node, "a class in a function, made of this,", ABOVE)
        return live

    def _decorator(self, node: ast.expr) -> Callable[[Any], Any]:
        call = node if isinstance(node, ast.Call) else None
        found = self._live(node if call is None else call.func)
        literal = call is None or not call.args and all(k.arg for k in call.keywords)
        if not literal or (found is not UNKNOWN and found not in OF_CLASSES):
            raise refused(self.source, node, "this decorator of a class in a function", ABOVE)
        if call is None:
            decorator: Callable[[Any], Any] = found
            return decorator
        given = {k.arg: self._literal(k.value) for k in call.keywords if k.arg is not None}
        return functools.partial(found, **given) if found is not UNKNOWN else functools.partial

    def _literal(self, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise self._doing(node) from None

    def _base(self, node: ast.expr) -> Any:
        found = self._live(node)
        if found is UNKNOWN or found is typing.NamedTuple:
            return found
        if not isinstance(found, type) or type(found) not in METACLASSES or _told(found):
            raise refused(self.source, node, "this base of a class in a function", ABOVE)
        return found

    def _class_keyword(self, k: ast.keyword) -> Any:
        found = self._live(k.value) if k.arg == "metaclass" else None
        if found is not UNKNOWN and found not in METACLASSES:
            raise refused(self.source, k.value, "this keyword of a class in a function", ABOVE)
        return found

    def _body_of_class(self, s: ast.ClassDef) -> None:
        """Refuse what a class statement may not do; what it binds is `own`."""
        own: set[str] = set()
        for member in s.body:
            match member:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    for d in member.decorator_list:
                        if not isinstance(d, ast.Attribute) or _root(d) not in own:
                            self._pure(d, own)  # else `@name.setter`
                    for default in (*member.args.defaults, *member.args.kw_defaults):
                        if default is not None:
                            self._pure(default, own)
                    own.add(name)
                    for store in _stores_into_class(member, s.name):
                        raise self._doing(store)
                case ast.Assign(targets=targets, value=value) if _are_names(targets):
                    self._pure(value, own)
                    own |= bound([member])
                case ast.AnnAssign(target=ast.Name(id=name), value=value):
                    if value is not None:
                        self._pure(value, own)
                        own.add(name)
                case ast.ClassDef(name=name):
                    self._parts(member)
                    own.add(name)
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    raise self._doing(member)

    def _pure(self, node: ast.expr, own: set[str]) -> None:
        """Refuse an expression that does something, or whose value can be changed or is not known;
        `own`: names that the class has bound.
        """
        match node:
            case ast.Constant():
                return
            case ast.Name(id=name) if name in own:
                return
            case ast.Name() | ast.Attribute():
                if isinstance(node, ast.Attribute) and _root(node) in own:
                    raise self._doing(node)
                atom = self.expr(node)
                live = atom.live if isinstance(atom, UserFunction) else atom
                if isinstance(live, Value) and not self.context.runs:
                    return
                if isinstance(node, ast.Attribute) and isinstance(live, NUMBERS):
                    return
                if live is not None and is_constant(live):
                    return
            case ast.UnaryOp(operand=ast.Constant()):
                return
            case ast.Tuple(elts=parts):
                for part in parts:
                    self._pure(part, own)
                return
            case ast.BinOp(left=left, right=right):
                self._pure(left, own)
                self._pure(right, own)
                return
            case ast.Lambda(args=args):
                for default in (*args.defaults, *args.kw_defaults):
                    if default is not None:
                        self._pure(default, own)
                return
            case ast.Call(func=func, args=args, keywords=keywords):
                if not (isinstance(func, ast.Name) and func.id in own):
                    live = self._live(func)
                    if live is UNKNOWN or live in PURE:
                        for part in (*args, *(k.value for k in keywords)):
                            self._pure(part, own)
                        return
        raise self._doing(node)

    def _doing(self, node: ast.AST) -> Refused:
        what = "a class in a function whose statement does this, or that only the run knows,"
        return refused(self.source, node, what, "set it in `__init__`, or " + ABOVE)

    def _no_class(self, s: ast.ClassDef, where: str, help: str) -> Refused:
        return refused(self.source, s, f"a class {where}", help)


def _are_names(targets: list[ast.expr]) -> bool:
    names = (e for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t]))
    return all(isinstance(t, ast.Name) for t in names)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _stores_into_class(
    method: ast.FunctionDef | ast.AsyncFunctionDef, cls: str
) -> Iterator[ast.Attribute]:
    """Where a method changes its class, as far as the text tells."""
    names = {cls, "__class__"}
    if any(isinstance(d, ast.Name) and d.id == "classmethod" for d in method.decorator_list):
        names |= {a.arg for a in method.args.args[:1]}
    for n in ast.walk(method):
        if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load):
            match n.value:
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in names:
                    yield n
                case ast.Call(func=ast.Name(id="type")):
                    yield n


def _told(base: type) -> bool:
    """Whether a base is told of its subclasses, by code of the user's."""
    hook = getattr(base.__init_subclass__, "__func__", None)
    return isinstance(hook, types.FunctionType) and hook.__module__ != "typing"


def _reads(s: ast.ClassDef, name: str) -> Iterator[ast.Name]:
    return (n for n in ast.walk(s) if isinstance(n, ast.Name) and n.id == name)
