"""Which functions of a text are differentiated: those handed to `gradient` and its kin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from ..frontend.names import bound, parameters
from ..frontend.resolve import Data, Known, Meaning, Resolver, StaticResolver, UserFunction
from ..ir.core import Path
from ..ir.types import BOOL, FLOAT, INT, NUMBER, UNKNOWN, Other, Scalar, Tuple, Type
from ..source import FunctionNode
from .document import Piece

TRANSFORMS = frozenset(
    "gradient derivative forward pullback withgradient jacobian hessian diaghessian hvp "
    "pushforward trace explain check_gradient export code_ir code_pullback checkpointed".split()
)
SCALAR = frozenset({"gradient", "derivative", "hessian", "diaghessian", "hvp", "check_gradient"})
MAGIC = re.compile(r"#%?gradient\b(.*)")
ANNOTATED: dict[str, Type] = {
    "float": FLOAT,
    "int": INT,
    "bool": BOOL,
    "complex": Scalar("complex"),
    "str": Other(str),
    "np.ndarray": NUMBER,
    "numpy.ndarray": NUMBER,
    "ndarray": NUMBER,
}


@dataclass(eq=False)
class Place:
    """A function of a piece: its syntax, and how the names in it are resolved."""

    title: str
    node: FunctionNode
    piece: Piece
    resolver: Resolver
    local: bool  # defined inside another function
    inside: Resolver  # how names are resolved in its body

    def function(self) -> UserFunction:
        return UserFunction(self.title, self.piece.source, self.node, self.resolver)


@dataclass(eq=False)
class Root:
    """A function that is differentiated. `literals`: arguments that are certain, by position."""

    place: Place
    transform: str
    literals: dict[int, Any] = field(default_factory=dict)


class Inner:
    """Names as a function inside another sees them: those of the function around it first."""

    def __init__(self, node: FunctionNode, piece: Piece, outer: Resolver):
        self.outer = outer
        body = node.body if isinstance(node.body, list) else [node.body]
        scope: dict[str, Any] = {}
        self.own: dict[str, Meaning] = {
            name: Data(Path(scope, name), UNKNOWN)
            for name in bound(body) | set(parameters(node.args))
        }
        for name, made in _functions_in(body):
            self.own[name] = Known(UserFunction(name, piece.source, made, self))

    def name(self, name: str) -> Meaning:
        return self.own[name] if name in self.own else self.outer.name(name)

    def member(self, owner: Any, name: str) -> Meaning:
        return self.outer.member(owner, name)

    def imported(self, module: str) -> Meaning:
        return self.outer.imported(module)

    def cell(self, name: str) -> Any:
        return (id(self.own), name) if name in self.own else self.outer.cell(name)


def _functions_in(body: list[Any]) -> Iterator[tuple[str, FunctionNode]]:
    for s in body:
        match s:
            case ast.FunctionDef(name=name, decorator_list=[]):
                yield name, s
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as made):
                yield name, made


class Places:
    """Every function of a piece, and what the piece hands to the package."""

    def __init__(self, piece: Piece, resolver: StaticResolver):
        self.piece = piece
        self.functions: dict[ast.AST, Place] = {}
        self.calls: dict[
            str, list[tuple[ast.Call, Resolver, str | None]]
        ] = {}  # with the class around
        self.methods: dict[str, list[Place]] = {}
        self.magics = [m[1] for m in map(MAGIC.match, piece.text.split("\n")) if m]
        for s in piece.source.tree.body:
            self._visit(s, resolver, None, False)

    def _visit(
        self, node: ast.AST, resolver: Resolver, cls: str | None, local: bool, method: bool = False
    ) -> None:
        """Look through a node; `cls` is the class around it, `method`: right in that class."""
        todo: list[ast.AST] = [node]
        while todo:
            n = todo.pop()
            if isinstance(n, ast.ClassDef):
                for s in n.body:
                    self._visit(s, resolver, n.name, local, True)
                todo += n.decorator_list
                continue
            if isinstance(n, ast.FunctionDef | ast.Lambda):
                self._function(n, resolver, cls, local, method and n is node)
                continue
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name | ast.Attribute):
                word = n.func.id if isinstance(n.func, ast.Name) else n.func.attr
                self.calls.setdefault(word, []).append((n, resolver, cls))
            todo += ast.iter_child_nodes(n)

    def _function(
        self, n: FunctionNode, resolver: Resolver, cls: str | None, local: bool, method: bool
    ) -> None:
        name = getattr(n, "name", "<lambda>")
        inner = Inner(n, self.piece, resolver)
        place = Place(f"{cls}.{name}" if method else name, n, self.piece, resolver, local, inner)
        self.functions[n] = place
        if method:
            self.methods.setdefault(name, []).append(place)
        for d in getattr(n, "decorator_list", []):
            self._visit(d, resolver, cls, local)
        for d in (*n.args.defaults, *filter(None, n.args.kw_defaults)):
            self._visit(d, resolver, cls, local)
        for s in n.body if isinstance(n.body, list) else [n.body]:
            self._visit(s, inner, cls, True)


def transform_of(callee: ast.expr, resolver: Resolver) -> str | None:
    """The name of the package's transformation that an expression means."""
    name = _name_of(meaning_of(callee, resolver))
    return name if name in TRANSFORMS or name == "grad" else None


def _name_of(meant: Meaning | None) -> str | None:
    """What the package calls one of its own functions."""
    if isinstance(meant, Known) and isinstance(meant.value, FunctionType):
        if (meant.value.__module__ or "").partition(".")[0] == "zyg_interactive":
            return meant.value.__name__
    return None


def _is_of_package(meant: Meaning) -> bool:
    if not isinstance(meant, Known) or isinstance(meant.value, UserFunction):
        return False
    attribute = "__name__" if isinstance(meant.value, ModuleType) else "__module__"
    name = getattr(meant.value, attribute, None)
    return (name or "").partition(".")[0] == "zyg_interactive"


def meaning_of(node: ast.expr, resolver: Resolver) -> Meaning | None:
    """What a name, or an attribute of something known, means."""
    if isinstance(node, ast.Name):
        return resolver.name(node.id)
    if isinstance(node, ast.Attribute):
        owner = meaning_of(node.value, resolver)
        if isinstance(owner, Known) and not isinstance(owner.value, UserFunction):
            return resolver.member(owner.value, node.attr)
    return None


class Finder:
    """Finds what is differentiated, over all pieces of a text."""

    def __init__(self, every: list[Places], resolver: StaticResolver):
        self.every, self.resolver = every, resolver
        self.places = {n: place for p in every for n, place in p.functions.items()}
        # The words that may name a transformation: what the package calls it, and what
        # the text calls it.
        self.words = TRANSFORMS | {"grad"}
        self.words |= {n for n, m in resolver.bindings.items() if _name_of(m) in self.words}

    def uses_package(self) -> bool:
        """Whether the text imports the package at all, or uses its magics."""
        return any(p.magics for p in self.every) or any(
            map(_is_of_package, self.resolver.bindings.values())
        )

    def resolver_at(self, place: Place | None) -> Resolver:
        return self.resolver if place is None else place.inside

    def _calls(self) -> Iterator[tuple[str, ast.Call, Resolver, str | None]]:
        """The calls of transformations."""
        for p in self.every:
            for word in p.calls.keys() & self.words:
                for call, resolver, cls in p.calls[word]:
                    name = transform_of(call.func, resolver)
                    if name is not None:
                        yield name, call, resolver, cls

    def custom(self) -> list[Any]:
        """The functions, live ones or syntax, that have a gradient of the user's: `@grad(f)`."""
        found: list[Any] = []
        for name, call, resolver, _ in self._calls():
            if name == "grad" and call.args:
                meant = meaning_of(call.args[0], resolver)
                if isinstance(meant, Known):
                    fn = meant.value
                    found.append(fn.node if isinstance(fn, UserFunction) else fn)
        return found

    def roots(self) -> list[Root]:
        found: dict[ast.AST, Root] = {}
        for name, call, resolver, cls in self._calls():
            for place in self._functions(_first(call), resolver, cls) if name != "grad" else ():
                root = Root(place, name, _literals(call))
                found[place.node] = _agreed(found.get(place.node), root)
        for p in self.every:
            for text in p.magics:
                for word in re.findall(r"[^\W\d]\w*", text):
                    for place in self._known(self.resolver.bindings.get(word)):
                        found.setdefault(place.node, Root(place, "pullback"))
        return list(found.values())

    def _functions(
        self, node: ast.expr | None, resolver: Resolver, cls: str | None
    ) -> Iterator[Place]:
        """The functions of the text that an expression may mean."""
        match node:
            case ast.Lambda():
                yield self.places[node]
            case ast.Name(id=id):
                yield from self._known(resolver.name(id))
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                methods = [m for p in self.every for m in p.methods.get(attr, ())]
                of = cls if owner in ("self", "cls") else owner
                named = [m for m in methods if m.title == f"{of}.{attr}"]
                if named or len(methods) == 1:
                    yield from named or methods
            case ast.Call(func=func, args=[first, *_]):
                partial = ast.unparse(func) in ("partial", "functools.partial")
                if partial or transform_of(func, resolver) in TRANSFORMS:
                    yield from self._functions(first, resolver, cls)

    def _known(self, meant: Meaning | None) -> Iterator[Place]:
        if (
            isinstance(meant, Known)
            and isinstance(meant.value, UserFunction)
            and meant.value.node in self.places
        ):
            yield self.places[meant.value.node]


def _first(call: ast.Call) -> ast.expr | None:
    named = [k.value for k in call.keywords if k.arg == "f"]
    return call.args[0] if call.args else named[0] if named else None


def _literals(call: ast.Call) -> dict[int, Any]:
    args = call.args[1:]
    if any(isinstance(a, ast.Starred) for a in args):
        return {}
    return {i: a.value for i, a in enumerate(args) if isinstance(a, ast.Constant)}


def _agreed(a: Root | None, b: Root) -> Root:
    """One function differentiated at two places: what holds at both."""
    if a is None:
        return b
    literals = {
        i: v
        for i, v in a.literals.items()
        if i in b.literals and type(b.literals[i]) is type(v) and b.literals[i] == v
    }
    scalar = a.transform if a.transform in SCALAR else b.transform
    return Root(a.place, scalar, literals)


def arguments(place: Place, literals: dict[int, Any], default: Type = UNKNOWN) -> dict[str, Any]:
    """Types of parameters: by annotation, by literal arguments, else `default`."""
    args = place.node.args
    found: dict[str, Any] = {}
    for i, a in enumerate([*args.posonlyargs, *args.args]):
        found[a.arg] = _annotated(a, default)
        if i in literals:
            found[a.arg] = _of_literal(literals[i], found[a.arg])
    for a in args.kwonlyargs:
        found[a.arg] = _annotated(a, default)
    for rest in (args.vararg, args.kwarg):
        if rest is not None:
            found[rest.arg] = UNKNOWN
    return found


def _annotated(a: ast.arg, default: Type) -> Type:
    return (
        ANNOTATED.get(ast.unparse(a.annotation), default) if a.annotation is not None else default
    )


def _of_literal(value: Any, otherwise: Type) -> Any:
    if isinstance(value, str):
        return Other(str)
    return value if isinstance(value, bool | None) else otherwise


def pattern_of(t: Type) -> Any:
    """A seed for each part of a result."""
    return tuple(map(pattern_of, t.items)) if isinstance(t, Tuple) else True
