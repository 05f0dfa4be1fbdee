"""Which values depend on the inputs a derivative is taken in."""

from __future__ import annotations

from types import FunctionType

from ..ir.core import (
    FOR,
    IF,
    TRY,
    WHILE,
    Atom,
    Function,
    Op,
    Region,
    Value,
    defined,
    type_of,
    values,
)
from ..ir.types import (
    Array,
    Closure,
    Other,
    Site,
    Type,
    Unknown,
    arrays,
    in_memory,
    leaves,
    may_be_differentiable,
    refers,
)
from ..rules.registry import REFUSAL, lookup
from ..runtime import Memory
from .effects import (
    LATE,
    changes_memory,
    function_changes,
    is_view,
    reached_sites,
    reads_memory,
    stores,
)


def active_values(
    region: Region, active: set[Value], implicit: bool = False, changing: bool = False
) -> set[Value]:
    """Add to `active` every value of `region` that depends on it differentiably.

    Of an array in memory it counts what its buffer may ever hold. `implicit`: derivatives in
    globals are asked for as well; `changing`: or what a program stores in memory may be read there:
    so a callee that only the run knows is active by itself.
    """
    spread = _Activity(active, implicit or changing, implicit)
    spread.touch(*active)
    while True:
        known = len(spread.sites), len(active)
        spread.region(region)
        if (len(spread.sites), len(active)) == known:
            break
    active |= {v for v in defined(region) if spread.in_active_memory(v)}
    return active


class _Activity:
    def __init__(self, active: set[Value], reaching: bool, implicit: bool):
        self.active, self.reaching, self.implicit = active, reaching, implicit
        self.sites: set[int] = set()  # of buffers that may hold something active

    def touch(self, *found: Value) -> None:
        """Note that these depend on the inputs."""
        for v in found:
            self._touch_sites(v.type)
            self.active.add(v)

    def _touch_sites(self, t: Type) -> None:
        self.sites |= {id(_site(a)) for a in arrays(t) if in_memory(a) and _is_real(a)}

    def in_active_memory(self, v: Value) -> bool:
        return in_memory(v.type) and id(_site(v.type)) in self.sites

    def any(self, atom: Atom) -> bool:
        return may_be_differentiable(type_of(atom)) and any(
            v in self.active or self.in_active_memory(v) for v in values(atom)
        )

    def region(self, region: Region) -> None:
        for op in region.ops:
            if op.fn in (IF, TRY):
                for inner in op.regions:
                    self.region(inner)
                    pairs = zip(op.results, inner.outs, strict=True)
                    self.touch(*(r for r, o in pairs if self.any(o) or _loses_sight(o, r)))
            elif op.fn in (FOR, WHILE):
                self._loop(op)
            elif self._depends(op):
                self._op(op)

    def _op(self, op: Op) -> None:
        """Note what an op makes that depends on its arguments."""
        self.touch(*(r for r in op.results if may_be_differentiable(r.type)))
        if REFUSAL in op.static:  # it may keep them in an object that it is given
            self.touch(*(v for v in values(op.args) if isinstance(v.type, Other | Unknown)))
        if stores(op):
            self._touch_sites(type_of(op.args[0]))
        elif isinstance(op.fn, Function) or op.fn in LATE:  # it may store into any of them
            for a in (*op.args, *op.static.values()):
                self._touch_sites(type_of(a))
            for site in reached_sites(Region((), [op])):  # or into what they hold
                for held in site.contents.values():
                    self._touch_sites(held)
            self.touch(
                *(v for v in values(op.args) if isinstance(v.type, Other) and is_open(v.type))
            )

    def _depends(self, op: Op) -> bool:
        """Whether a derivative may flow through an op without regions."""
        if self.reaching and op.fn in LATE:
            return True
        if reads_memory(op):  # of which it is not known here what was stored there
            return True
        if op.fn is getattr and _is_exception(type_of(op.args[0])):  # nor what it was raised with
            return True
        every = (*op.args, *op.static.values())
        if is_view(op):
            return any(map(self.any, every))
        rule = None if isinstance(op.fn, Function) else lookup(op.fn)
        if rule is not None and rule.pullback is None:
            return False
        if isinstance(op.fn, Function) and function_changes(op.fn, set()):
            return True
        if self.implicit and rule is not None and is_given_functions(op):
            return True  # they may read the globals that derivatives are asked for in
        if rule is None and any(_refers_to_objects(type_of(a)) for a in every):
            return not changes_memory(op)  # it may depend on all that an object holds
        if rule is not None and rule.pullback is not None and any(map(_captures_variables, every)):
            return True  # it may call the function, which reads what they hold by then
        found = (v for a in every for v in values(a))
        return any(v in self.active or self.in_active_memory(v) for v in found)

    def _loop(self, op: Op) -> None:
        body = op.regions[-1]
        sequences = op.static["sequences"]
        stop = int(op.static["stop"])
        for item, a in zip(body.params[:sequences], op.args[:sequences], strict=True):
            if self.any(a):
                self.touch(*(v for v in values(item) if may_be_differentiable(v.type)))
        carried = body.params[sequences:]
        inits = op.args[sequences:]
        nexts = body.outs[stop : stop + len(carried)]
        while True:
            before = len(self.active)
            for p, a, o in zip(carried, inits, nexts, strict=True):
                flows = self.any(a) or self.any(o) or _loses_sight(a, p) or _loses_sight(o, p)
                if flows and may_be_differentiable(p.type):
                    self.touch(p)
            self.region(body)
            if len(self.active) == before:
                break
        outs = zip(op.results, body.outs[stop:], strict=True)
        self.touch(*(r for r, o in outs if self.any(o) or _loses_sight(o, r)))
        self.touch(*(r for r, p in zip(op.results, carried, strict=False) if p in self.active))


def _loses_sight(a: Atom, merged: Value) -> bool:
    """Whether the type of what merges different things does not tell that they are in memory: what
    is read of it may depend on all that is stored there.
    """
    return refers(type_of(a)) and any(isinstance(t, Unknown) for t in leaves(merged.type))


def is_given_functions(op: Op) -> bool:
    """Whether an op is given a function of the user's."""
    return any(isinstance(a, FunctionType) or isinstance(type_of(a), Closure) for a in op.args)


def is_open(t: Other) -> bool:
    """Whether a call may keep something in an object of which nothing but the class is known."""
    return may_be_differentiable(t) and not issubclass(t.cls, Memory | BaseException)


def _is_exception(t: Type) -> bool:
    return isinstance(t, Other) and issubclass(t.cls, BaseException)


def _site(t: Type) -> Site:
    assert isinstance(t, Array) and t.site is not None
    return t.site.find()


def _is_real(t: Array) -> bool:
    """Whether an array in memory can hold what has a derivative: integers are stored, not kept."""
    return t.dtype is None or t.dtype.kind in "fc"


def _captures_variables(a: Atom) -> bool:
    t = type_of(a)
    return isinstance(t, Closure) and refers(t)


def _refers_to_objects(t: Type) -> bool:
    return refers(t) and not isinstance(t, Array)
