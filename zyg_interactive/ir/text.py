"""The one printer of IR."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .core import Atom, Function, Op, Region, Value
from .types import Unknown


def fn_name(fn: Any) -> str:
    """How a callee is written: `np.sin`, `math.cos`, `mul`, `layer`."""
    module = getattr(fn, "__module__", None) or ""
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or repr(fn)
    name = name.replace("<locals>.", "")
    if isinstance(fn, Function):
        return fn.name
    if module in ("_operator", "operator") or module.startswith("zyg_interactive"):
        return name
    if isinstance(fn, np.ufunc):  # it does not tell where it comes from
        if getattr(np, name, None) is fn:
            return f"np.{name}"
        return f"scipy.special.{name}" if name.isidentifier() else f"np.frompyfunc of {name}"
    if module == "numpy":
        return f"np.{name}"
    if module.startswith("numpy."):
        return f"np.{module.removeprefix('numpy.')}.{name}"
    if module in ("builtins", ""):
        return name
    return f"{module}.{name}"


class _Printer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[Value, str] = {}
        self.used: Counter[str] = Counter()
        self.temporaries = 0

    def ref(self, a: Atom) -> str:
        match a:
            case Value():
                return self._value(a)
            case tuple():
                return f"({', '.join(map(self.ref, a))}{',' if len(a) == 1 else ''})"
            case list():
                return f"[{', '.join(map(self.ref, a))}]"
            case dict():
                return "{" + ", ".join(f"{k!r}: {self.ref(v)}" for k, v in a.items()) + "}"
            case slice():
                parts = [a.start, a.stop, a.step] if a.step is not None else [a.start, a.stop]
                return ":".join("" if p is None else self.ref(p) for p in parts)
        if callable(a):
            return fn_name(a)
        text = repr(a)
        return text if len(text) <= 40 else f"<{type(a).__name__}>"

    def _value(self, v: Value) -> str:
        if v not in self.names:
            if v.name is None:
                self.names[v] = f"%{self.temporaries}"
                self.temporaries += 1
            else:
                self.used[v.name] += 1
                n = self.used[v.name]
                self.names[v] = f"%{v.name}" if n == 1 else f"%{v.name}.{n}"
        return self.names[v]

    def typed(self, a: Atom) -> str:
        if isinstance(a, Value) and not isinstance(a.type, Unknown):
            return f"{self.ref(a)}: {a.type!r}"
        return self.ref(a)

    def region(self, r: Region, depth: int) -> None:
        pad = "  " * depth
        for op in r.ops:
            self.op(op, pad, depth)
        self.lines.append(f"{pad}yield {', '.join(map(self.ref, r.outs))}".rstrip())

    def op(self, op: Op, pad: str, depth: int) -> None:
        left = ", ".join(map(self.typed, op.results))
        static = "".join(f", {k}={self.ref(v)}" for k, v in op.static.items() if not op.regions)
        call = f"{fn_name(op.fn)}({', '.join(map(self.ref, op.args))}{static})"
        where = f"  # line {op.span.line}" if op.span is not None else ""
        self.lines.append(f"{pad}{left + ' = ' if left else ''}{call}{where}")
        for i, inner in enumerate(op.regions):
            head = (
                f"({', '.join(map(self.typed, inner.params))})"
                if inner.params
                else ("else" if i else "do")
            )
            self.lines.append(f"{pad}  {head}:")
            self.region(inner, depth + 2)


def show(f: Function) -> str:
    """The IR of a function as text.

    ```
    f(%x: float):
      %0: float = sin(%x)  # line 2
      yield %0
    ```
    """
    p = _Printer()
    p.lines.append(f"{f.name}({', '.join(map(p.typed, f.region.params))}):")
    p.region(f.region, 1)
    return "\n".join(p.lines)
