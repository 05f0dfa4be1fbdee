"""Copies of arrays that are changed: made where, and only where, a later store would destroy what
the reverse part reads.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import runtime
from ..analysis.effects import stored_sites
from ..ir.core import Atom, Op, Region, Value, op_reads, reads, substitute, type_of, values, walk
from ..ir.types import Site, arrays
from .residuals import SHAPE_ONLY

# What makes a new array of its arguments, or brings them into one that it changes.
FRESH: set[Any] = {
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow),
    *(operator.matmul, np.sum, np.where, np.outer, np.dot, np.matmul, np.copy),
    *(operator.iadd, operator.isub, operator.setitem, runtime.add_at, np.copyto),
}


@dataclass
class Kept:
    """A copy of an array as it is at some point of the primal, in case that the reverse part reads
    it.
    """

    region: Region
    op: Op
    of: Atom
    at: tuple[Op, int]  # before or after which op


def settle(kept: list[Kept], primal: Region, reverse: Region, lasting: bool) -> None:
    """Leave out the copies that nothing reads, and those of what stays as it is.

    `lasting`: what the primal does not change itself stays; otherwise its caller may change it.
    """
    read = _contents_read(primal, reverse)
    changes = _Changes(primal) if lasting else None
    gone: dict[Value, Atom] = {}
    for k in kept:
        unread = k.op.result not in read
        if unread or (changes is not None and not changes.after(k.op, k.of)):
            gone[k.op.result] = k.of
    if gone:
        for region in {k.region for k in kept}:
            region.ops = [op for op in region.ops if not any(r in gone for r in op.results)]
        substitute(primal, gone)
        substitute(reverse, gone)


def _contents_read(*regions: Region) -> set[Value]:
    """The values of which more than the shape is read; also those that one region hands out."""
    found: set[Value] = set()
    for region in regions:
        found.update(values(region.outs))
        for op in walk(region):
            found.update(op_reads(op) if op.fn not in SHAPE_ONLY else ())
            for inner in op.regions:
                found.update(values(inner.outs))
    return found


def sites_of(atom: Atom) -> set[Site]:
    return {t.site.find() for t in arrays(type_of(atom)) if t.site is not None}


class _Changes:
    """When arrays are changed in a region: by place, and by the loops around it."""

    def __init__(self, region: Region):
        self.places: dict[int, tuple[int, frozenset[int]]] = {}
        # The last store into each array (None: into any), and the loops that store into it.
        self.stores: dict[Site | None, tuple[int, frozenset[int]]] = {}
        self._walk(region, frozenset())

    def _walk(self, region: Region, loops: frozenset[int]) -> None:
        for op in region.ops:
            place = len(self.places)
            self.places[id(op)] = (place, loops)
            if op.regions:
                looping = loops | {id(op)} if "carried" in op.static else loops
                for inner in op.regions:
                    self._walk(inner, looping)
            else:
                sites = stored_sites(op)
                for site in (None,) if sites is None else sites:
                    around = self.stores.get(site, (0, frozenset()))[1]
                    self.stores[site] = (place, loops | around)

    def after(self, op: Op, of: Atom) -> bool:
        """Whether an array may be changed once an op was executed."""
        place, loops = self.places[id(op)]
        found = (self.stores[s] for s in (None, *sites_of(of)) if s in self.stores)
        return any(later > place or loops & around for later, around in found)


def without_copies(region: Region, copies: set[Value]) -> None:
    """Read a cotangent directly where it is not changed before the copy of it was used."""
    for op in region.ops:
        for inner in op.regions:
            without_copies(inner, copies)
    inside = {v for op in region.ops for inner in op.regions for v in reads(inner)}
    inside.update(values(region.outs))
    places: dict[Value, list[int]] = {}
    for i, op in enumerate(region.ops):
        for v in op_reads(op):
            places.setdefault(v, []).append(i)
    gone: dict[Value, Atom] = {}
    for i, op in enumerate(region.ops):
        if len(op.results) != 1 or op.results[0] not in copies or op.fn is not np.copy:
            continue
        c, source = op.results[0], op.args[0]
        used = places.get(c, [])
        if c in inside or not used or not all(_consumes(region.ops[j]) for j in used):
            continue
        wanted = sites_of(source)
        between = (stored_sites(o) for o in region.ops[i + 1 : used[-1]])
        if all(sites is not None and not sites & wanted for sites in between):
            gone[c] = source
    if gone:
        region.ops = [op for op in region.ops if not any(r in gone for r in op.results)]
        substitute(region, gone)


def _consumes(op: Op) -> bool:
    """Whether an op is done with its arguments once it was executed."""
    return isinstance(op.fn, np.ufunc) or (not isinstance(op.fn, dict | list) and op.fn in FRESH)



