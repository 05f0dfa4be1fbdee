"""Variables that several functions share, and globals that are bound: kept in memory.

A variable that an inner function binds (`nonlocal`), or that is bound again after a function that
captured it has left as a value, is a cell, as it is in Python: each function that shares it reads
and stores what the cell holds. A global that a function binds is an item of the module's globals.
"""

from __future__ import annotations

import ast
import types
from typing import Any, NoReturn

from .. import runtime
from ..diagnostics import refuse
from ..ir.core import UNBOUND, Atom, MemoryNeeded, Path, Value, type_of, values
from ..ir.types import Closure, Const, Dict, Heap, List, Other, Record, Ref, Type
from ..source import code_of
from .names import body_of, rebound_inside, times_bound
from .resolve import Data, Known, Meaning, SharedGlobal, UserFunction
from .scope import Generated, LocalFunction, Lowering, ScopeResolver

CONTENTS = "cell_contents"


class Cells(Lowering):
    """Adds shared variables to names."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.cells: dict[str, Value] = {}
        self.comprehensions: list[ast.expr] = []  # being lowered, the outermost first

    @property
    def heap(self) -> Heap | None:
        return self.context.heap

    def memory(self) -> Heap:
        """The heap. Raises MemoryNeeded where the program was thought to change nothing."""
        if self.context.heap is None:
            raise MemoryNeeded
        return self.context.heap

    @property
    def scope(self) -> tuple[Any, ...]:
        return (self.locals, self.globals, self.nonlocals, self.cells)

    @scope.setter
    def scope(self, known: tuple[Any, ...]) -> None:
        self.locals, self.globals, self.nonlocals, self.cells = known

    # ---- variables of this function

    def share(self) -> None:
        """Make the cells of the variables that are shared, once the parameters are bound."""
        node = self.fn.node
        bound_inside = rebound_inside(body_of(node)) & self.locals
        if bound_inside:
            self.memory()
        for name in sorted(self.locals):
            if name in bound_inside or self._is_shared((node, name)):
                self.box(name, node)

    def box(self, name: str, scope: Any) -> None:
        """Keep a variable in a cell from here on."""
        site = self.memory().site(("variable", scope, name))
        cell = super().op(runtime.new_cell, (), {}, scope, f"{name}_cell")
        cell.type = Ref(types.CellType, site)
        self.cells[name] = cell
        if name in self.env:
            self._store(cell, self.env.pop(name), scope)

    def _is_shared(self, variable: Any) -> bool:
        return self.heap is not None and variable in self.heap.shared

    def assign(self, name: str, atom: Atom, node: ast.AST) -> None:
        if name in self.globals:
            self._store_global(name, atom, node)
        elif name in self.cells:
            self._store(self.cells[name], atom, node)
        elif name in self.nonlocals:
            self._store(self._cell_around(name, node), atom, node)
        else:
            super().assign(name, atom, node)

    def _store(self, cell: Value, atom: Atom, node: ast.AST) -> None:
        assert isinstance(cell.type, Ref)
        if atom is UNBOUND:
            super().op(delattr, (cell, CONTENTS), {}, node)
            return
        atom = self.materialise(atom, node)
        super().op(setattr, (cell, CONTENTS, atom), {}, node)
        cell.type.site.write(CONTENTS, type_of(atom))

    def load(self, name: str, node: ast.AST) -> Atom:
        if name in self.cells:
            return self._opened(self.cells[name], name, node)
        atom = super().load(name, node)
        return self._opened(atom, name, node) if _is_cell(atom) else atom

    def _opened(self, cell: Value, name: str, node: ast.AST) -> Atom:
        assert isinstance(cell.type, Ref)
        read = super().op(
            runtime.read_cell, (cell, name, name not in self.cells), {}, node, name
        )
        read.type = cell.type.site.read(CONTENTS)
        return self.unpacked(read)

    def captured_name(self, name: str) -> Meaning:
        if name in self.cells:
            return Data(Path(self, name), self.cells[name].type)
        if name in self.globals:
            found: Meaning = self._global_resolver().name(name)
            return found
        return super().captured_name(name)

    def hidden_value(self, path: Path, type: Type, name: str, node: ast.AST) -> Atom:
        if path.root is self and path.name in self.cells:
            return self.cells[path.name]
        return super().hidden_value(path, type, name, node)

    # ---- variables of the functions around

    def _cell_around(self, name: str, node: ast.AST) -> Value:
        """The cell of a variable of a function around this one."""
        found = self.resolver.name(name)
        if isinstance(found, Data) and _is_cell_type(found.type):
            cell = self.hidden_value(found.path, found.type, name, node)
            assert isinstance(cell, Value)
            return cell
        free = self.resolver.cell(name)
        if free is None:
            raise refuse(
                "ZYG101",
                f"`nonlocal {name}` here is not supported",
                self.span(node),
                "return the value instead",
            )
        self.memory().share(free)
        return self._placeholder(free, name, node)

    def _placeholder(self, variable: Any, name: str, node: ast.AST) -> Value:
        """A cell in the place of one that is there when the program is lowered again."""
        cell = super().op(runtime.new_cell, (), {}, node, f"{name}_cell")
        cell.type = Ref(types.CellType, self.memory().site(("variable", *_key(variable), name)))
        return cell

    # ---- closures

    def open_scope(self, node: ast.expr) -> None:
        """Let the names that a comprehension binds be its own."""
        own = comprehension_names(node)
        self.locals = self.locals | own
        self.globals, self.nonlocals = self.globals - own, self.nonlocals - own
        self.cells = {n: cell for n, cell in self.cells.items() if n not in own}
        for name in sorted(own):
            if self._is_shared((node, name)):
                self.box(name, node)

    def has_to_be_kept(self, atom: Generated) -> Atom:
        assert atom.keep is not None
        self.memory().share(atom.key)
        return atom.keep()  # stands for it until the program is lowered again

    def is_cell(self, atom: Atom) -> bool:
        return _is_cell(atom)

    def captured(self, resolver: Any, name: str, node: ast.AST) -> Atom:
        """What a function with these names captures of a variable around it."""
        owner: Any = resolver.outer if isinstance(resolver, ScopeResolver) else None
        if owner is self:
            return self.captures(name, node)
        while owner is not None and name not in owner.locals:
            around = owner.resolver
            owner = around.outer if isinstance(around, ScopeResolver) else None
        if owner is not None and name not in owner.cells:
            if times_bound(name, owner.scope_of(name)) > 1 or name not in owner.env:
                variable = (owner.scope_of(name), name)
                self.memory().share(variable)
                return self._placeholder(variable, name, node)
        found = resolver.name(name)
        if isinstance(found, Data) and _is_cell_type(found.type):
            return self.hidden_value(found.path, found.type, name, node)
        return self.materialise(self.meaning(found, name, node), node)

    def captures(self, name: str, node: ast.AST) -> Atom:
        """What a function that leaves as a value captures of a variable: what it is, or, where it
        may be bound again, its cell.
        """
        if name in self.cells:
            return self.cells[name]
        owner: Any = self
        while name not in owner.locals and isinstance(owner.resolver, ScopeResolver):
            owner = owner.resolver.outer
        scope = owner.scope_of(name)
        if name in owner.locals and (
            times_bound(name, scope) > 1
            or (owner is self and self._may_be_unbound(name))
            or self._makes_itself(name)
        ):
            if name in owner.cells:
                cell = self.hidden_value(Path(owner, name), owner.cells[name].type, name, node)
                assert isinstance(cell, Value)
                return cell
            self.memory().share((scope, name))
            return self._placeholder((scope, name), name, node)
        found = None if name in self.locals else self.resolver.name(name)
        if isinstance(found, Data) and _is_cell_type(found.type):
            return self.hidden_value(found.path, found.type, name, node)
        return self.materialise(self.load(name, node), node)

    def _may_be_unbound(self, name: str) -> bool:
        known = self.env.get(name, UNBOUND)
        return known is UNBOUND or (isinstance(known, Value) and known in self.maybe_unbound)

    def scope_of(self, name: str) -> ast.AST:
        """The comprehension or function that binds a name that is local here."""
        for node in reversed(self.comprehensions):
            if name in comprehension_names(node):
                return node
        return self.fn.node

    def _makes_itself(self, name: str) -> bool:
        """Whether a local function refers to itself, by the name it is about to be bound to."""
        known = self.env.get(name)
        return isinstance(known, LocalFunction) and known in self.closing

    def is_one_object(self, f: UserFunction) -> bool:
        """Whether an inner function is an object from where it is defined."""
        return self._is_shared(_place(f))

    def has_to_be_made(self, f: UserFunction, key: Any, node: ast.AST) -> NoReturn:
        """Note that an inner function has to be an object from where it is defined: the program is
        lowered again. `key`: what it is noted by, if not by its text.
        """
        if key is None and code_of(f.source, f.node) is None:
            raise refuse(
                "ZYG101",
                f"`{f.name}` cannot leave its function here",
                self.span(node),
                "call it directly",
            )
        self.memory().share(key or _place(f))
        raise MemoryNeeded

    closing: tuple[LocalFunction, ...] = ()  # local functions whose closures are being made

    def _closure(self, f: LocalFunction, node: ast.AST) -> Atom:
        """The run-time function object of an inner function."""
        code = code_of(f.fn.source, f.fn.node) if f.scope is self else None
        if code is None:
            self.has_to_be_made(f.fn, f.key, node)
        if f.made is not None and any(f.made.op is op for op in self.region.ops):
            return f.made
        outer, self.closing = self.closing, (*self.closing, f)
        try:
            captured = tuple(self.captures(name, node) for name in code.co_freevars)
        finally:
            self.closing = outer
        only = [a.arg for a in f.fn.node.args.kwonlyargs]
        given = {n: self.materialise(d, node) for n, d in f.fn.defaults.items()}
        defaults: Any = tuple(d for n, d in given.items() if n not in only) or None
        kwdefaults: Any = {n: d for n, d in given.items() if n in only} or None
        if any(True for _ in values(list(given.values()))):  # the run knows them
            captured = (*captured, *given.values())
            defaults, kwdefaults = None, tuple(n for n in given if n in only)
        scope = runtime.scope_of(self._globals())
        made = self.op(
            runtime.make_closure,
            (code, scope, defaults, kwdefaults, *captured),
            {},
            node,
            f.fn.name,
        )
        made.type = Closure(f.fn, code.co_freevars, tuple(map(type_of, captured)))
        f.made = made
        if any(isinstance(t, List | Dict | Record) or t == Other(set) for t in made.type.captured):
            self.context.hands_out = True
        return made

    # ---- globals

    def _global_resolver(self) -> Any:
        resolver: Any = self.resolver
        while not hasattr(resolver, "scope"):
            resolver = resolver.outer if not isinstance(resolver, ScopeResolver) else (
                resolver.outer.resolver
            )
        return resolver

    def _globals(self) -> dict[str, Any]:
        names: dict[str, Any] = (
            self.fn.scope if self.fn.scope is not None else self._global_resolver().scope
        )
        return names

    def _store_global(self, name: str, atom: Atom, node: ast.AST) -> None:
        if atom is UNBOUND:
            raise refuse(
                "ZYG101", f"`del` of the global `{name}` is not supported", self.span(node), ""
            )
        scope = runtime.scope_of(self._globals())
        heap = self.memory()
        heap.share((id(scope.names), name))
        atom = self.materialise(atom, node)
        super().op(runtime.store_global, (scope, name, atom), {}, node)
        heap.site(("global", id(scope.names))).write(name, type_of(atom))

    def meaning(self, found: Meaning, name: str, node: ast.AST) -> Atom:
        if not isinstance(found, SharedGlobal):
            return super().meaning(found, name, node)
        site = self.memory().site(("global", id(found.names)))
        if found.value is not UNBOUND:  # what it is before the first store
            if isinstance(found.first, Data):
                start = self.hidden_value(found.first.path, found.first.type, name, node)
                site.write(name, type_of(start))
            elif isinstance(found.first, Known):
                site.write(name, Const(found.value))
        scope = runtime.scope_of(found.names)
        read = super().op(runtime.read_global, (scope, name), {}, node, name)
        read.type = site.read(name)
        return read


def comprehension_names(node: ast.AST) -> set[str]:
    """The names that a comprehension binds."""
    generators: list[ast.comprehension] = getattr(node, "generators", [])
    return {
        n.id
        for g in generators
        for n in ast.walk(g.target)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _place(f: UserFunction) -> Any:
    return ("function", f.node)


def _is_cell(atom: Atom) -> bool:
    return isinstance(atom, Value) and _is_cell_type(atom.type)


def _is_cell_type(t: Type) -> bool:
    return isinstance(t, Ref) and t.cls is types.CellType


def _key(variable: Any) -> tuple[Any, ...]:
    return variable[:1] if isinstance(variable, tuple) else (variable,)

