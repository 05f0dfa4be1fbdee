"""Random programs over scalars, vectors, matrices, lists, tuples, dicts and objects.

`Maker(choose)` writes one; `choose(n)` gives a number below n, from hypothesis or from a random
generator. Values stay bounded and every operation is defined everywhere, so that what differs from
finite differences is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

SIZE, ROWS = 3, 2  # of vectors; matrices are ROWS by SIZE
KINDS = ("s", "v", "m", "l", "t", "d", "o")


@dataclasses.dataclass
class Pair:
    x: float
    y: Any
    label: str = "pair"


@dataclasses.dataclass
class Program:
    text: str
    kinds: str  # of the arguments of f

    @property
    def second(self) -> str:
        """A function of the numbers of the gradient of `f`."""
        names = [f"a{i}" for i in range(len(self.kinds))]
        lines = [
            f"def second({', '.join(names)}):",
            f"    g = gradient(f, {', '.join(names)})",
            "    total = 0.0",
        ]
        for i, kind in enumerate(self.kinds):
            part = f"g[{i}] * 0.7" if kind == "s" else f"np.sum(np.sin(np.array(g[{i}])))"
            lines.append(f"    total = total + (0.0 if g[{i}] is None else {part})")
        return "\n".join([*lines, "    return total", ""])


class Maker:
    def __init__(self, choose: Callable[[int], int], size: int = 8):
        self.choose, self.left = choose, size
        self.lines: list[str] = []
        self.helpers: list[str] = []
        self.scope: dict[str, str] = {}
        self.count = 0
        self.loops = 0
        self.integers: list[str] = []
        self.functions: list[str] = []
        self.nested = False
        self.inside = False  # a loop or branch: what is bound here may be unbound later

    # ---- choices

    def pick(self, items: Any) -> Any:
        items = list(items)
        return items[self.choose(len(items))]

    def chance(self, n: int) -> bool:
        return self.choose(n) == 0

    def fresh(self, base: str) -> str:
        self.count += 1
        return f"{base}{self.count}"

    def names(self, kind: str) -> list[str]:
        return [n for n, k in self.scope.items() if k == kind]

    def name(self, kind: str) -> str | None:
        found = self.names(kind)
        return self.pick(found) if found else None

    # ---- expressions

    def constant(self) -> str:
        return self.pick(["0.5", "1.5", "2.0", "-0.7", "0.3", "2", "1"])

    def scalar(self, depth: int = 2) -> str:
        if depth <= 0 or self.chance(4):
            return self.leaf()

        def a() -> str:
            return self.scalar(depth - 1)

        n = self.choose(24)
        match n:
            case 0:
                return f"({a()} + {a()})"
            case 1:
                return f"({a()} - {a()})"
            case 2:
                return f"math.sin({a()}) * {a()}"
            case 3:
                return f"math.sin({a()} * {a()})"
            case 4:
                return f"np.tanh({a()})"
            case 5:
                return f"{a()} / (1.0 + math.cos({a()}) ** 2)"
            case 6:
                return f"math.sqrt(1.0 + ({a()}) ** 2)"
            case 7:
                return f"np.sum({self.vector(depth - 1)})"
            case 8:
                return f"({self.vector(depth - 1)})[{self.choose(SIZE)}]"
            case 9:
                return f"np.dot({self.vector(depth - 1)}, {self.vector(depth - 1)}) * 0.2"
            case 10:
                return f"({a()} if {self.condition()} else {a()})"
            case 11:
                return f"max({a()}, {a()})"
            case 12:
                return f"abs({a()})"
            case 13:
                return f"np.mean({self.matrix(depth - 1)})"
            case 14:
                return f"({self.matrix(depth - 1)})[{self.choose(ROWS)}, {self.choose(SIZE)}]"
            case 15 if self.functions:
                return self.call(depth - 1)
            case 16:
                return f"sum({self.listed(depth - 1)})"
            case 17:
                return f"({self.listed(depth - 1)})[{self.choose(2)}]"
            case 18:
                return f"(-{a()})"
            case 19 if self.chance(2) and not self.nested:
                return self.inner_gradient(depth - 1)
            case 20:
                return f"({self.condition()} and {a()} or {a()})"
            case 21:
                return f"math.tanh({a()}) ** {self.pick(['2', '3'])}"
            case 22:
                return f"(lambda q: {self.inside_lambda('q', depth - 1)})({a()})"
            case 23:
                return f"np.max({self.vector(depth - 1)})"
        return self.leaf()

    def leaf(self) -> str:
        options = [self.constant()] + self.names("s") * 3
        options += [f"{n}[{self.choose(SIZE)}]" for n in self.names("v")]
        options += [f"{n}[{self.pick([0, -1])}]" for n in self.names("t")]
        options += [f'{n}["{self.pick("ab")}"]' for n in self.names("d")]
        options += [f"{n}.x" for n in self.names("o")]
        options += [f"{n}[{self.pick([0, 1, -1])}]" for n in self.names("l")]
        options += [f"0.3 * {n}" for n in self.integers]
        return self.pick(options)

    def inside_lambda(self, name: str, depth: int) -> str:
        saved, self.scope = self.scope, {**self.scope, name: "s"}
        text = self.scalar(depth)
        self.scope = saved
        return text

    def inner_gradient(self, depth: int) -> str:
        self.nested = True
        body = self.inside_lambda("q", depth)
        self.nested = False
        how = self.choose(3)
        if how == 0:
            return f"derivative(lambda q: {body} + q * q, {self.scalar(depth)})"
        if how == 1:
            return f"gradient(lambda q: ({body}) * q, {self.scalar(depth)})[0]"
        return f"derivative(derivative(lambda q: math.sin(q) * ({body})))({self.scalar(depth)})"

    def call(self, depth: int) -> str:
        f = self.pick(self.functions)
        first = self.scalar(depth)
        return self.pick(
            [
                f"{f}({first})",
                f"{f}({first}, {self.scalar(depth)})",
                f"{f}({first}, k={self.scalar(depth)})",
            ]
        )

    def vector(self, depth: int = 2) -> str:
        options = self.names("v") + [f"{n}[{self.choose(ROWS)}]" for n in self.names("m")]
        options += [f"{n}.y" for n in self.names("o")]
        if depth <= 0 and options:
            return self.pick(options)

        def a() -> str:
            return self.vector(depth - 1)

        def s() -> str:
            return self.scalar(depth - 1)

        match self.choose(13):
            case 0:
                return f"({a()} + {a()})" if depth > 0 else "np.ones(3)"
            case 1 if depth > 0:
                return f"np.sin({a()}) * {a()}"
            case 2 if depth > 0:
                return f"{s()} * np.tanh({a()})"
            case 3 if depth > 0:
                return f"{a()}[::-1]"
            case 4 if depth > 0:
                return f"np.where({a()} > {self.constant()}, {a()}, {s()})"
            case 5 if depth > 0:
                return f"np.array([{s()}, {s()}, {s()}])"
            case 6 if depth > 0:
                return f"np.sum({self.matrix(depth - 1)}, axis=0)"
            case 7 if depth > 0:
                return f"({a()} - {s()})"
            case 8 if depth > 0:
                return f"np.concatenate([{a()}[1:], {a()}[:1]])"
            case 9 if depth > 0:
                return f"np.maximum({a()}, {s()})"
            case 10 if depth > 0:
                return f"np.array([{self.over('e', a())}])"
            case 11 if depth > 0:
                return f"np.exp(-({a()}) ** 2)"
        return self.pick(options) if options else "np.array([0.1, -0.4, 0.8])"

    def over(self, name: str, vector: str) -> str:
        return f"{self.inside_lambda(name, 1)} for {name} in {vector}"

    def matrix(self, depth: int = 1) -> str:
        name = self.name("m")
        if depth <= 0:
            return name or "np.ones((2, 3))"

        def a() -> str:
            return self.matrix(depth - 1)

        match self.choose(6):
            case 0:
                return f"({a()} * {self.vector(depth - 1)})"
            case 1:
                return f"np.tanh({a()} @ {a()}.T) @ {a()}"
            case 2:
                return f"({a()} + {self.scalar(depth - 1)})"
            case 3:
                return f"np.stack([{self.vector(depth - 1)}, {self.vector(depth - 1)}])"
            case 4:
                return f"np.sin({a()}) * {a()}[:, 1:2]"
        return name or "np.ones((2, 3))"

    def listed(self, depth: int = 1) -> str:
        """A list of at least two numbers."""
        name = self.name("l")

        def s() -> str:
            return self.scalar(max(depth - 1, 0))

        match self.choose(7):
            case 0 if name:
                return name
            case 1 if name:
                return f"({name} + [{s()}])"
            case 2 if depth > 0:
                return f"[{self.over('e', self.vector(depth - 1))}]"
            case 3 if depth > 0:
                some = f"[{self.over('e', self.vector(depth - 1))} if e > {self.constant()}]"
                return f"({some} + [{s()}, {s()}])"
            case 4:
                self.integers.append("j")
                text = self.scalar(max(depth - 1, 0))
                self.integers.remove("j")
                return f"[{text} for j in range({self.pick([2, 3])})]"
            case 5 if depth > 0:
                inside = self.inside_lambda("e", 1)
                first, second = self.vector(depth - 1), self.vector(depth - 1)
                return f"[{inside} * c for e in {first} for c in {second}]"
        return f"[{s()}, {s()}]"

    def condition(self) -> str:
        a, b = self.scalar(1), self.constant()
        match self.choose(5):
            case 0:
                return f"{a} > {b}"
            case 1:
                return f"{a} < {self.scalar(1)}"
            case 2:
                return f"-1.0 < {a} < {b}"
            case 3:
                return f"not {a} > {b}"
        return f"({a} < {b} {self.pick(['and', 'or'])} {self.scalar(1)} > 0.1)"

    def value(self, kind: str) -> str:
        match kind:
            case "s":
                return self.scalar()
            case "v":
                return self.vector()
            case "m":
                return self.matrix()
            case "l":
                return self.listed()
            case "t":
                return f"({self.scalar()}, {self.scalar()})"
            case "d":
                return f'{{"a": {self.scalar()}, "b": {self.scalar()}}}'
        return f"Pair({self.scalar()}, {self.vector()})"

    # ---- statements

    def emit(self, line: str, depth: int) -> None:
        self.lines.append("    " * depth + line)

    def block(self, depth: int, count: int) -> None:
        before = len(self.lines)
        for _ in range(count):
            if self.left > 0:
                self.left -= 1
                self.statement(depth)
        if len(self.lines) == before:
            self.emit("pass", depth)

    def assign(self, depth: int) -> None:
        kind = self.pick("sssvvmltdo")
        value = self.value(kind)
        old = self.names(kind)
        name = self.pick(old) if old and not self.chance(3) else self.fresh(kind)
        if name in self.scope and kind == "s":
            value = f"math.tanh({value})" if self.loops else value
        elif name in self.scope and kind in "vm" and self.loops:
            value = f"np.tanh({value})"
        elif kind == "l" and self.loops:
            value = f"[math.tanh(e) for e in {value}][:3]"
        self.emit(f"{name} = {value}", depth)
        self.scope[name] = kind

    def statement(self, depth: int) -> None:
        match self.choose(15):
            case 0 | 1 | 2 | 3:
                self.assign(depth)
            case 4:
                name = self.name("s")
                if name is None:
                    return self.assign(depth)
                self.emit(f"{name} {self.pick(['+=', '-='])} math.sin({self.scalar()})", depth)
            case 5 | 6:
                self.branch(depth)
            case 7 | 8 | 9:
                if self.loops < 2:
                    self.loop(depth)
                else:
                    self.assign(depth)
            case 10:
                self.local_function(depth)
            case 11:
                names = self.names("s")
                if len(names) >= 2:
                    a, b = self.pick(names), self.pick(names)
                    if a != b:
                        self.emit(
                            f"{a}, {b} = math.sin({b}), math.sin({a} + {self.scalar(1)})", depth
                        )
                        return None
                self.assign(depth)
            case 12:
                if self.loops and self.chance(2):
                    self.emit(f"if {self.condition()}:", depth)
                    self.emit(self.pick(["break", "continue"]), depth + 1)
                else:
                    self.emit(f"if {self.condition()}:", depth)
                    self.emit(f"return {self.scalar()}", depth + 1)
            case 13:
                name = self.name("t")
                if name is None:
                    return self.assign(depth)
                a, b = self.fresh("s"), self.fresh("s")
                self.emit(f"{a}, {b} = {name}", depth)
                self.scope |= {a: "s", b: "s"}
            case 14:
                self.helper()
                self.assign(depth)
        return None

    def branch(self, depth: int) -> None:
        before = dict(self.scope)
        functions = list(self.functions)
        self.emit(f"if {self.condition()}:", depth)
        ends = []
        self.block(depth + 1, 1 + self.choose(2))
        ends.append(self.scope)
        if self.chance(3):
            self.scope, self.functions = dict(before), list(functions)
            self.emit(f"elif {self.condition()}:", depth)
            self.block(depth + 1, 1)
            ends.append(self.scope)
        if not self.chance(3):
            self.scope, self.functions = dict(before), list(functions)
            self.emit("else:", depth)
            self.block(depth + 1, 1 + self.choose(2))
            ends.append(self.scope)
        else:
            ends.append(before)
        self.functions = functions
        # Now and then a name that may be unbound is used: then Python raises, and so must we.
        keep = (
            ends[0]
            if self.chance(8)
            else {n: k for n, k in ends[0].items() if all(e.get(n) == k for e in ends)}
        )
        self.scope = dict(keep)

    def loop(self, depth: int) -> None:
        before, functions = dict(self.scope), list(self.functions)
        integers = list(self.integers)
        self.loops += 1
        bound: dict[str, str] = {}
        match self.choose(9):
            case 0 | 1:
                i = self.fresh("i")
                count = self.pick(["3", "1, 4", "4, 0, -2", "0", "len(np.ones(2))"])
                self.emit(f"for {i} in range({count}):", depth)
                self.integers.append(i)
            case 2:
                e = self.fresh("s")
                self.emit(f"for {e} in {self.vector(1)}:", depth)
                bound = {e: "s"}
            case 3:
                e, c = self.fresh("s"), self.fresh("s")
                self.emit(f"for {e}, {c} in zip({self.vector(1)}, {self.listed()}):", depth)
                bound = {e: "s", c: "s"}
            case 4:
                i, e = self.fresh("i"), self.fresh("s")
                self.emit(f"for {i}, {e} in enumerate({self.vector(1)}):", depth)
                self.integers.append(i)
                bound = {e: "s"}
            case 5:
                e = self.fresh("s")
                self.emit(f"for {e} in reversed({self.listed()}):", depth)
                bound = {e: "s"}
            case 6:
                k = self.fresh("k")
                self.emit(f"{k} = 0", depth)
                self.emit(f"while {k} < 3 and {self.condition()}:", depth)
                self.emit(f"{k} += 1", depth + 1)
                self.integers.append(k)
            case 7:
                r = self.fresh("v")
                self.emit(f"for {r} in {self.matrix()}:", depth)
                bound = {r: "v"}
            case 8:
                e = self.fresh("s")
                self.emit(f"for {e} in ({self.scalar()}, {self.scalar()}):", depth)
                bound = {e: "s"}
        self.scope |= bound
        self.block(depth + 1, 1 + self.choose(3))
        self.loops -= 1
        self.integers, self.functions = integers, functions
        keep = (
            dict(self.scope)
            if self.chance(8)
            else {n: k for n, k in self.scope.items() if n in before}
        )
        self.scope = {n: k for n, k in keep.items() if before.get(n, k) == k}

    def local_function(self, depth: int) -> None:
        f = self.fresh("f")
        saved, self.scope = self.scope, {**self.scope, "z": "s", "k": "s"}
        functions, self.functions = self.functions, []
        if self.chance(3):
            self.emit(f"{f} = lambda z, k={self.constant()}: {self.scalar()}", depth)
        else:
            self.emit(f"def {f}(z, k={self.constant()}):", depth)
            if self.chance(2):
                self.emit(f"if {self.condition()}:", depth + 1)
                self.emit(f"return {self.scalar()}", depth + 2)
            self.emit(f"return {self.scalar()}", depth + 1)
        self.scope, self.functions = saved, [*functions, f]

    def helper(self) -> None:
        """A function beside `f`, some recursive."""
        h = self.fresh("h")
        saved, lines, functions = self.scope, self.lines, self.functions
        integers, loops, self.integers, self.loops = self.integers, self.loops, [], 0
        self.scope, self.lines, self.functions = {"z": "s", "k": "s"}, [], []
        if self.chance(3):
            self.lines = [
                f"def {h}(z, k=0.4, n=3):",
                "    if n == 0:",
                f"        return {self.scalar()}",
                f"    return math.sin({h}({self.scalar(1)}, k, n - 1)) + {self.scalar(1)}",
            ]
        else:
            self.emit(f"def {h}(z, k=0.4):", 0)
            self.block(1, 2)
            self.emit(f"return {self.scalar()}", 1)
        self.helpers += [*self.lines, ""]
        self.scope, self.lines, self.functions = saved, lines, [*functions, h]
        self.integers, self.loops = integers, loops

    def program(self) -> Program:
        kinds = "".join(
            self.pick("svm" if self.choose(3) else "ssvvmltdo") for _ in range(1 + self.choose(3))
        )
        self.scope = {f"a{i}": k for i, k in enumerate(kinds)}
        head = f"def f({', '.join(self.scope)}):"
        self.block(1, 2 + self.choose(5))
        self.emit(f"return {self.scalar()} + {self.scalar()}", 1)
        return Program("\n".join([*self.helpers, head, *self.lines, ""]), kinds)


def arguments(kinds: str, number: Callable[[], float]) -> tuple[Any, ...]:
    """Arguments of these kinds, of the numbers that `number` gives."""

    def array(*shape: int) -> Any:
        return np.array([number() for _ in range(int(np.prod(shape)))]).reshape(shape)

    def one(kind: str) -> Any:
        match kind:
            case "s":
                return number()
            case "v":
                return array(SIZE)
            case "m":
                return array(ROWS, SIZE)
            case "l":
                return [number(), number(), number()]
            case "t":
                return (number(), number())
            case "d":
                return {"a": number(), "b": number()}
        return Pair(number(), array(SIZE))

    return tuple(map(one, kinds))
