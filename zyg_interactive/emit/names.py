"""Which values share one Python variable, and what it is called.

Values that stand for one variable at different times (what a loop carries, what a branch assigns,
the versions of a buffer that is changed in place) form a *web* and share a name; every other value
has a name of its own.
"""

from __future__ import annotations

import builtins
import keyword
from collections import Counter

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
        self.home: dict[Op, Region] = {}  # where each op stands
        for r in regions:
            self.uses.update(reads(r))
            self._visit(r)
        for r in regions:
            self._region(r)
        for v in list(self.parent):
            self.size[self.find(v)] += 1

    def _visit(self, region: Region) -> None:
        for op in region.ops:
            self.home[op] = region
            for inner in op.regions:
                self._visit(inner)

    def find(self, v: Value) -> Value:
        root = v
        while (above := self.parent.get(root, root)) is not root:
            root = above
        while v is not root:  # the next search is short
            self.parent[v], v = root, self.parent[v]
        return root

    def shared(self, v: Value) -> bool:
        """Whether the variable of `v` is assigned more than once."""
        return self.size[self.find(v)] > 1

    def join(self, a: Value, b: Value) -> None:
        self.parent.setdefault(a, a)
        self.parent.setdefault(b, b)
        a, b = self.find(a), self.find(b)
        if a is not b:
            self.parent[b] = a

    def defines(self, region: Region, v: Value) -> bool:
        return v.op is not None and self.home.get(v.op) is region

    def _region(self, region: Region) -> None:
        for op in region.ops:
            if is_in_place(op):
                self.join(op.args[0], op.result)
            for inner in op.regions:
                self._region(inner)
        for op in region.ops:
            if op.fn is IF:
                self._branch(op)
            elif op.fn in (FOR, WHILE):
                self._loop(op, region)

    def _branch(self, op: Op) -> None:
        inside: Counter[Value] | None = None  # how often the regions read a value
        counts = [Counter(values(inner.outs)) for inner in op.regions]
        for k, r in enumerate(op.results):
            for inner, count in zip(op.regions, counts, strict=True):
                out = inner.outs[k]
                if not isinstance(out, Value):
                    continue
                if self.defines(inner, out) and count[out] == 1:
                    self.join(r, out)
                    continue
                if inside is None:
                    inside = Counter(u for part in op.regions for u in reads(part))
                # A buffer that is threaded through the branch: only that uses it.
                only_here = inside[out] == self.uses[out]
                if (
                    only_here
                    and out.name is not None
                    and _is_buffer(out)
                    and self._untouched(op, out, k)
                ):
                    self.join(r, out)

    def _untouched(self, op: Op, v: Value, k: int) -> bool:
        outs = [inner.outs[k] for inner in op.regions]
        return all(isinstance(o, Value) and self.find(o) is self.find(v) for o in outs)

    def _loop(self, op: Op, region: Region) -> None:
        loop = _Body(op, self)
        sequences, stop = op.static["sequences"], int(op.static["stop"])
        params = loop.body.params[sequences:]
        inits = op.args[sequences:]
        nexts = loop.body.outs[stop : stop + len(params)]
        counts = Counter(values(nexts))
        for p, init, out, result in zip(params, inits, nexts, op.results, strict=False):
            loop.join(p, result)
            if isinstance(out, Value) and out is not p and counts[out] == 1:
                if self.find(out) is not self.find(p) and loop.may_replace(p, out):
                    loop.join(p, out)
            if (
                isinstance(init, Value)
                and self.uses[init] == 1
                and self.defines(region, init)
                and not self.apart
            ):
                loop.join(p, init)


class _Body:
    """The body of a loop: where its values are assigned and read."""

    def __init__(self, op: Op, webs: Webs):
        self.body, self.webs, self.place = op.regions[-1], webs, append_place(op)
        self.assigned: dict[Value, int] = {}  # of each web, the first op that assigns it
        self.read: dict[Value, int] = {}  # the last op that reads a value
        self.read_inside: dict[Value, int] = {}  # the last op whose regions do
        for i, inner in enumerate(self.body.ops):
            for r in inner.results:
                self.assigned.setdefault(webs.find(r), i)
            self.read.update(dict.fromkeys(op_reads(inner), i))
            for part in inner.regions:
                self.read_inside.update(dict.fromkeys(reads(part), i))
        first = int(op.static["stop"]) + len(self.body.params) - int(op.static["sequences"])
        self.carried_out = set(values(self.body.outs[:first]))
        self.collected = set(values(self.body.outs[first:]))

    def join(self, a: Value, b: Value) -> None:
        found = [self.assigned.get(self.webs.find(v)) for v in (a, b)]
        self.webs.join(a, b)
        places = [i for i in found if i is not None]
        if places:
            self.assigned[self.webs.find(a)] = min(places)

    def may_replace(self, p: Value, out: Value) -> bool:
        """Whether `out` may be written over `p`: nothing reads `p` once the variable of `out` is
        assigned, which happens earlier where `out` is the last version of a buffer.
        """
        if not self.webs.defines(self.body, out) or p in self.carried_out:
            return False
        at = self.assigned[self.webs.find(out)]
        if self.read.get(p, -1) > at or self.read_inside.get(p, -1) >= at:
            return False
        return p not in self.collected or self.place <= at


def _is_buffer(v: Value) -> bool:
    return isinstance(v.type, List) or (isinstance(v.type, Array) and v.type.shape != ())


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
        self.last: dict[str, int] = {}  # the number that each base was given last

    def of(self, v: Value) -> str:
        root = self.webs.find(v)
        if root not in self.names:
            self.names[root] = self.fresh(v.name or root.name or "t")
        return self.names[root]

    def fresh(self, base: str) -> str:
        base = base if base.isidentifier() and base != "_" else "t"  # `_` is what nobody reads
        name, joint = base, "_" if base[-1].isdigit() else ""
        n = self.last.get(base, 1)
        while name in self.taken:
            n += 1
            name = f"{base}{joint}{n}"
        self.last[base] = n
        self.taken.add(name)
        return name
