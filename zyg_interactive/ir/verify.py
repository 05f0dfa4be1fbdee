"""The one checker of IR: values defined once and before their use, regions and results agreeing."""

from __future__ import annotations

from .core import FOR, IF, TRY, WHILE, Function, Op, Region, Value, op_reads, values


class InvalidIR(AssertionError):
    """A pass left IR that breaks its rules."""


def verify(f: Function, free: set[Value] | None = None) -> Function:
    """Return `f` if it is well formed; `free` are values it may read from around it. Raises
    InvalidIR.
    """
    _region(f.region, set(free or ()), set(), f.name)
    return f


def _region(r: Region, visible: set[Value], seen: set[Value], where: str) -> None:
    visible = set(visible)

    def define(v: Value) -> None:
        if v in seen:
            raise InvalidIR(f"{where}: {v!r} is defined twice")
        seen.add(v)
        visible.add(v)

    for v in values(r.params):
        define(v)
    for op in r.ops:
        for v in op_reads(op):
            if v not in visible:
                raise InvalidIR(
                    f"{where}: {v!r} is read by `{op.fn!r}` (line {op.span and op.span.line}) "
                    "before it is defined"
                )
        inner_visible = visible | set(values(op.regions[1].params)) if op.fn is WHILE else visible
        for inner in op.regions:
            _region(inner, inner_visible, seen, where)
        _counts(op, where)
        for v in op.results:
            if v.op is not op:
                raise InvalidIR(f"{where}: {v!r} does not know the op that defines it")
            define(v)
    for v in values(r.outs):
        if v not in visible:
            raise InvalidIR(f"{where}: {v!r} leaves a region that does not see it")


def _counts(op: Op, where: str) -> None:
    n = len(op.results)
    if op.fn in (IF, TRY) and any(len(r.outs) != n for r in op.regions):
        raise InvalidIR(
            f"{where}: branches of an `if` leave {[len(r.outs) for r in op.regions]} values "
            f"for {n} results"
        )
    if op.fn in (FOR, WHILE):
        body = op.regions[-1]
        stop = bool(op.static["stop"])
        if len(body.outs) != n + stop:
            raise InvalidIR(f"{where}: a loop body leaves {len(body.outs)} values for {n} results")
        sequences = op.static["sequences"] if op.fn is FOR else 0
        if (
            len(op.args) - sequences != op.static["carried"]
            or len(body.params) - sequences != op.static["carried"]
        ):
            raise InvalidIR(
                f"{where}: a loop carries {op.static['carried']} values "
                f"but has {len(op.args)} arguments"
            )


__all__ = ["InvalidIR", "verify"]
