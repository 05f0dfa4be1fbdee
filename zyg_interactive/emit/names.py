"""Which values share one Python variable, and what it is called.

Values that stand for one variable at different times (what a loop carries, what a branch assigns,
the versions of a buffer that is changed in place) form a *web* and share a name; every other value
has a name of its own.
"""

from __future__ import annotations

import builtins
import keyword
from collections import Counter
from typing import Any

from .. import runtime
from ..ir.core import FOR, IF, WHILE, Op, Region, Value, op_reads, reads, values
from ..ir.types import Array, List, in_memory

IN_PLACE = (runtime.accumulate, runtime.add_at)


def is_in_place(op: Op) -> bool:
    """Whether an op changes its buffer and returns it."""
    if op.fn not in IN_PLACE or not isinstance(op.args[0], Value):
        return False
    t = op.args[0].type
    return isinstance(t, List) or (
        isinstance(t, Array) and t.shape != () and not in_memory(t)
    )


class Webs:
    """Groups of values that share a variable, found from the regions of one Python function."""

    def __init__(self, regions: list[Region], keep_apart: bool = False):
        self.parent: dict[Value, Value] = {}
        self.size: Counter[Value] = Counter()
        self.uses: Counter[Value] = Counter()
        self.apart = keep_apart
        for r in regions:
            self.uses.update(reads(r))
        for r in regions:
            self._region(r)
        for v in list(self.parent):
            self.size[self.find(v)] += 1

    def find(self, v: Value) -> Value:
        while v in self.parent and self.parent[v] is not v:
            v = self.parent[v]
        return v

    def shared(self, v: Value) -> bool:
        """Whether the variable of `v` is assigned more than once."""
        return self.size[self.find(v)] > 1

    def _join(self, a: Value, b: Value) -> None:
        self.parent.setdefault(a, a)
        self.parent.setdefault(b, b)
        a, b = self.find(a), self.find(b)
        if a is not b:
            self.parent[b] = a

    def _region(self, region: Region) -> None:
        for op in region.ops:
            if is_in_place(op):
                self._join(op.args[0], op.result)
            for inner in op.regions:
                self._region(inner)
        for i, op in enumerate(region.ops):
            if op.fn is IF:
                self._branch(op)
            elif op.fn in (FOR, WHILE):
                self._loop(op, region, i)

    def _branch(self, op: Op) -> None:
        for k, r in enumerate(op.results):
            for inner in op.regions:
                out = inner.outs[k]
                if isinstance(out, Value) and _defines(inner, out) and _count(inner.outs, out) == 1:
                    self._join(r, out)
                elif (
                    isinstance(out, Value)
                    and self._only_in(out, op)
                    and self._untouched(op, out, k)
                ):
                    self._join(r, out)

    def _only_in(self, v: Value, op: Op) -> bool:
        """Whether every use of `v` is in the regions of `op`: a buffer that is threaded through a
        branch.
        """
        inside = Counter(u for inner in op.regions for u in reads(inner))
        return v.name is not None and inside[v] == self.uses[v] and _is_buffer(v)

    def _untouched(self, op: Op, v: Value, k: int) -> bool:
        outs = [inner.outs[k] for inner in op.regions]
        return all(isinstance(o, Value) and self.find(o) is self.find(v) for o in outs)

    def _loop(self, op: Op, region: Region, index: int) -> None:
        body = op.regions[-1]
        sequences, stop = op.static["sequences"], int(op.static["stop"])
        params = body.params[sequences:]
        inits = op.args[sequences:]
        nexts = body.outs[stop : stop + len(params)]
        place = append_place(op)
        for p, init, out, result in zip(params, inits, nexts, op.results, strict=False):
            self._join(p, result)
            if isinstance(out, Value) and out is not p and _count(nexts, out) == 1:
                if self.find(out) is not self.find(p) and self._may_replace(p, out, op, place):
                    self._join(p, out)
            if (
                isinstance(init, Value)
                and self.uses[init] == 1
                and _defines(region, init)
                and not self.apart
            ):
                self._join(p, init)

    def _may_replace(self, p: Value, out: Value, op: Op, place: int) -> bool:
        """Whether `out` may be written over `p`: nothing reads `p` once the variable of `out` is
        assigned, which happens earlier where `out` is the last version of a buffer.
        """
        body, stop = op.regions[-1], int(op.static["stop"])
        if not any(out in inner.results for inner in body.ops):
            return False
        web = self.find(out)
        at = next(i for i, x in enumerate(body.ops) if any(self.find(r) is web for r in x.results))
        for later in body.ops[at + 1 :]:
            if p in set(op_reads(later)) or any(p in set(reads(inner)) for inner in later.regions):
                return False
        if any(p in set(reads(inner)) for inner in body.ops[at].regions):
            return False
        first = stop + len(body.params) - int(op.static["sequences"])
        if p in set(values(body.outs[:first])):
            return False
        return p not in set(values(body.outs[first:])) or place <= at


def _is_buffer(v: Value) -> bool:
    return isinstance(v.type, List) or (isinstance(v.type, Array) and v.type.shape != ())


def _defines(region: Region, v: Value) -> bool:
    return v.op is not None and v.op in region.ops


def _count(atoms: tuple[Any, ...], v: Value) -> int:
    return sum(1 for u in values(atoms) if u is v)


def append_place(op: Op) -> int:
    """After which op of a loop's body what it collects is complete: 0 is before the first."""
    body = op.regions[-1]
    first = int(op.static["stop"]) + op.static["carried"]
    collected = set(values(body.outs[first:]))
    place = 0
    for i, inner in enumerate(body.ops):
        if any(r in collected for r in inner.results):
            place = i + 1
    return place


class Names:
    """Python names for values, unique in one function."""

    def __init__(self, webs: Webs, reserved: set[str]):
        self.webs = webs
        self.taken = set(reserved) | set(dir(builtins)) | set(keyword.kwlist)
        self.names: dict[Value, str] = {}

    def of(self, v: Value) -> str:
        root = self.webs.find(v)
        if root not in self.names:
            self.names[root] = self.fresh(v.name or root.name or "t")
        return self.names[root]

    def fresh(self, base: str) -> str:
        base = base if base.isidentifier() and base != "_" else "t"  # `_` is what nobody reads
        name, n = base, 2
        while name in self.taken:
            name = f"{base}{n}" if not base[-1].isdigit() else f"{base}_{n}"
            n += 1
        self.taken.add(name)
        return name
