"""Random programs over shared buffers: stores, views, aliases, loops, branches and callees.

`Stores(choose)` writes one; `choose(n)` gives a number below n. Values stay bounded, so what
differs from finite differences is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from programs import Program

Shape = tuple[int, ...]
VECTOR: Shape = (3,)
MATRIX: Shape = (2, 3)
PAIR: Shape = (2,)
HELPERS = """
def bump(x, k, c):
    x[k] += np.sin(x[0]) * c
    return x


def blend(x, y):
    x[...] = 0.5 * x + np.tanh(y)
    return np.sum(x * y)


class Holder:
    def __init__(self, x):
        self.x = x

    def step(self, c):
        self.x *= 0.7
        self.x += c
        return self.x[0]

"""


class Stores:
    def __init__(self, choose: Callable[[int], int], size: int = 9):
        self.choose, self.left = choose, size
        self.buffers: dict[str, Shape] = {"v": VECTOR, "m": MATRIX}
        self.lines: list[str] = []
        self.count = 0
        self.indices: list[str] = []

    def pick(self, items: Any) -> Any:
        items = list(items)
        return items[self.choose(len(items))]

    def fresh(self) -> str:
        self.count += 1
        return f"b{self.count}"

    def program(self) -> Program:
        self.block(1)
        total = " + ".join(f"np.sum(np.sin({n}) * {0.3 + 0.1 * k:.1f})" for k, n in self.named())
        lines = [f"    {line}" for line in self.lines]
        text = "\n".join([HELPERS, "def f(v, m, s):", *lines, f"    return s + {total}", ""])
        return Program(text, "vms")

    def named(self) -> list[tuple[int, str]]:
        return list(enumerate(self.buffers))

    def of(self, shape: Shape) -> list[str]:
        return [n for n, s in self.buffers.items() if s == shape]

    # ---- expressions

    def index(self, n: int) -> str:
        if self.indices and self.choose(3) == 0:
            return f"{self.pick(self.indices)} % {n}"
        return str(self.choose(n) - (n if self.choose(4) == 0 else 0))

    def scalar(self, depth: int = 0) -> str:
        kind = self.choose(6 if depth < 2 else 3)
        if kind == 0:
            return "s"
        if kind == 1:
            return self.pick(("0.5", "-0.7", "1.3"))
        if kind == 2:
            name = self.pick(self.of(VECTOR))
            return f"{name}[{self.index(3)}]"
        if kind == 3:
            return f"np.tanh({self.scalar(depth + 1)} * {self.scalar(depth + 1)})"
        if kind == 4:
            return f"np.mean({self.pick(self.buffers)})"
        name = self.pick(self.of(MATRIX))
        return f"{name}[{self.index(2)}, {self.index(3)}]"

    def array(self, shape: Shape, depth: int = 0) -> str:
        known = self.of(shape)
        kind = self.choose(5 if depth < 2 else 2)
        if kind == 0 and known:
            return str(self.pick(known))
        if kind <= 1 and shape == VECTOR:
            return f"{self.pick(self.of(MATRIX))}[{self.index(2)}]"
        if kind <= 1 and shape == PAIR:
            return f"{self.pick(self.of(MATRIX))}[:, {self.index(3)}]"
        if kind <= 1:
            return str(self.pick(known)) if known else "np.ones((2, 3))"
        if kind == 2:
            return f"np.sin({self.array(shape, depth + 1)})"
        if kind == 3:
            return f"({self.array(shape, depth + 1)} * {self.scalar(depth + 1)})"
        return f"({self.array(shape, depth + 1)} + {self.array(shape, depth + 1)})"

    def view(self) -> tuple[str, Shape]:
        name = self.pick(self.buffers)
        shape = self.buffers[name]
        if shape == MATRIX:
            text, shape = self.pick(
                (
                    (f"{name}[{self.index(2)}]", VECTOR),
                    (f"{name}[:, {self.index(3)}]", PAIR),
                    (f"{name}[::-1]", MATRIX),
                    (f"{name}.reshape(6)[:3]", VECTOR),
                    (f"{name}.T[1]", PAIR),
                    (f"np.ravel({name})[1:4]", VECTOR),
                    (f"{name}[:, ::2][1]", PAIR),
                )
            )
        elif shape == VECTOR:
            text, shape = self.pick(((f"{name}[::-1]", VECTOR), (f"{name}[1:]", PAIR)))
        else:
            text = f"{name}[::-1]"
        return text, shape

    # ---- statements

    def block(self, depth: int) -> None:
        while self.left > 0:
            self.left -= 1
            self.statement(depth)
            if depth > 1 and self.choose(3) == 0:
                return

    def emit(self, line: str) -> None:
        self.lines.append(line)

    def statement(self, depth: int) -> None:
        self.pick(
            (
                *(self.store, self.store, self.store, self.augmented, self.augmented),
                *(self.new, self.aliased, self.called, self.swapped, self.read),
                *((self.loop, self.branch, self.held) if depth < 3 else ()),
            )
        )(depth)

    def new(self, depth: int) -> None:
        shape = self.pick((VECTOR, MATRIX, PAIR))
        name = self.fresh()
        made = self.pick(
            (f"np.zeros({shape})", f"np.ones({shape})", f"{self.array(shape)}.copy()", None)
        )
        if made is None:
            self.emit(f"{name} = np.empty({shape})")
            self.emit(f"{name}[...] = {self.array(shape)}")
        else:
            self.emit(f"{name} = {made}")
        if depth == 1:
            self.buffers[name] = shape

    def aliased(self, depth: int) -> None:
        text, shape = self.view()
        name = self.fresh()
        self.emit(f"{name} = {text}")
        if depth == 1:
            self.buffers[name] = shape
        else:
            self.emit(f"{name}[0] += {self.scalar()}")

    def store(self, depth: int) -> None:
        name = self.pick(self.buffers)
        shape = self.buffers[name]
        n = shape[-1]
        if shape == MATRIX:
            text = self.pick(
                (
                    f"{name}[{self.index(2)}, {self.index(3)}] = {self.scalar()}",
                    f"{name}[{self.index(2)}] = {self.array(VECTOR)}",
                    f"{name}[:, {self.index(3)}] = {self.array(PAIR)}",
                    f"{name}[{name} > 0.4] = {self.scalar()}",
                    f"{name}.T[{self.index(3)}] = {self.array(PAIR)}",
                    f"{name}[...] = {self.array(MATRIX)}",
                    f"np.copyto({name}, {self.array(MATRIX)})",
                    f"{name}.flat[{self.index(6)}] = {self.scalar()}",
                    f"np.sin({self.array(MATRIX)}, out={name})",
                )
            )
        else:
            text = self.pick(
                (
                    f"{name}[{self.index(n)}] = {self.scalar()}",
                    f"{name}[[0, -1]] = {self.scalar()}",
                    f"{name}[1:] = {name}[:-1] * {self.scalar()}",
                    f"{name}[:] = {self.array(shape)}",
                    f"{name}.fill({self.scalar()})",
                    f"np.add.at({name}, [0, 0, 1], {self.scalar()})",
                    f"np.multiply({self.array(shape)}, {self.scalar()}, out={name})",
                    f"np.put({name}, [1], {self.scalar()})",
                )
            )
        self.emit(text)

    def augmented(self, depth: int) -> None:
        name = self.pick(self.buffers)
        shape = self.buffers[name]
        operator = self.pick(("+=", "-=", "*="))
        if self.choose(2):
            self.emit(f"{name} {operator} {self.array(shape)}")
        elif shape == MATRIX:
            self.emit(f"{name}[{self.index(2)}] {operator} {self.array(VECTOR)}")
        else:
            self.emit(f"{name}[{self.index(shape[0])}] {operator} {self.scalar()}")

    def called(self, depth: int) -> None:
        name = self.pick(self.buffers)
        shape = self.buffers[name]
        if self.choose(2):
            self.emit(f"s = s + 0.2 * blend({name}, {self.array(shape)})")
        else:
            self.emit(f"bump({name}, {self.choose(2)}, {self.scalar()})")

    def swapped(self, depth: int) -> None:
        shape = self.buffers[self.pick(self.buffers)]
        known = self.of(shape)
        a, b = self.pick(known), self.pick(known)
        self.emit(f"{a}, {b} = {b}, {a}")

    def read(self, depth: int) -> None:
        self.emit(f"s = np.tanh(s + {self.scalar()})")

    def inner(self, depth: int) -> None:
        outer, self.lines = self.lines, []
        self.block(depth + 1)
        inside = self.lines or ["pass"]
        self.lines = [*outer, *(f"    {line}" for line in inside)]

    def loop(self, depth: int) -> None:
        index = f"i{depth}"
        self.emit(f"for {index} in range({1 + self.choose(3)}):")
        self.indices.append(index)
        self.inner(depth)
        self.indices.pop()

    def branch(self, depth: int) -> None:
        self.emit(f"if {self.scalar()} > 0.2:")
        self.inner(depth)
        if self.choose(2):
            self.emit("else:")
            self.inner(depth)

    def held(self, depth: int) -> None:
        name = self.pick(self.of(VECTOR))
        kind = self.choose(3)
        if kind == 0:
            self.emit(f"held = [{name}, {self.pick(self.of(VECTOR))}]")
            self.emit(f"held[{self.choose(2)}][{self.index(3)}] *= {self.scalar()}")
        elif kind == 1:
            self.emit(f"table = {{'k': {name}}}")
            self.emit(f"table['k'][{self.index(3)}] = {self.scalar()}")
        else:
            self.emit(f"s = s + 0.1 * Holder({name}).step({self.scalar()})")
