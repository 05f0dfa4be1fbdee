"""Programs of any length: what grows with them must grow in proportion."""

from __future__ import annotations

from collections.abc import Callable

ASSIGNMENTS = (
    "math.sin({a}) * {b} + y",
    "{a} / (1.0 + {b} * {b})",
    "math.exp(-{a} * {a}) - 0.5 * {b}",
    "math.tanh({a} + {b})",
)


def _function(lines: list[str], result: str) -> str:
    return "\n".join(
        ["def f(x, y):", *(f"    {line}" for line in lines), f"    return {result}", ""]
    )


def straight(n: int) -> str:
    lines = ["v0 = x", "v1 = x * y"]
    for i in range(2, n):
        formula = ASSIGNMENTS[i % 4].format(a=f"v{i - 1}", b=f"v{i - 2}")
        lines.append(f"v{i} = {formula}")
    return _function(lines, f"v{n - 1}")


def rebound(n: int) -> str:
    """The same two names again and again."""
    lines = ["a = x", "b = x * y"]
    lines += [f"{'ab'[i % 2]} = {ASSIGNMENTS[i % 4].format(a='a', b='b')}" for i in range(2, n)]
    return _function(lines, "a + b")


def mixed(n: int) -> str:
    """Branches, small loops and writes into an array."""
    lines, i = ["v0 = x", "v1 = x * y", "u = np.zeros(8)"], 2
    while len(lines) < n:
        a, b, new = f"v{i - 1}", f"v{i - 2}", f"v{i}"
        lines += (
            [f"if {a} > 0.0:", f"    {new} = {a} * {b}", "else:", f"    {new} = {a} - {b}"],
            [f"{new} = {b}", "for _ in range(3):", f"    {new} = 0.5 * {new} + math.cos({a})"],
            [f"u[{i % 8}] = {a} * y", f"{new} = u[{i * 3 % 8}] + {b}"],
            [f"{new} = math.sin({a}) + {b}"],
        )[i % 4]
        i += 1
    return _function(lines, f"v{i - 1} + np.sum(u)")


def views(n: int) -> str:
    """Writes through views of an array, and parts of it that are kept."""
    lines = ["u = np.zeros(9)", "u[0] = x", "u[5] = y"]
    for i in range(n // 3):
        lines += [
            "u[1:-1] += y * (u[2:] - u[:-2])",
            f"w{i} = u[{i % 3}:] * 0.5",
            f"u[{i % 3}:] = w{i}",
        ]
    return _function(lines, "np.sum(u)")


def long_loop(n: int) -> str:
    """One loop with a long body that carries many variables."""
    half = n // 2
    lines = [f"v{i} = x * {i}.0" for i in range(half)]
    lines += ["for _ in range(3):"]
    lines += [f"    v{i} = math.sin(v{(i - 1) % half}) * v{i} + y" for i in range(half)]
    return _function(lines, f"v{half - 1}")


def long_branch(n: int) -> str:
    lines = ["a = x", "if x > 0.1:"]
    for i in range(n // 2):
        lines += [f"    w{i} = a * y", f"    a = math.sin(w{i})"]
    return _function([*lines, "else:", "    a = y"], "a")


def lists(n: int) -> str:
    lines = ["s = [x, y]"]
    for i in range(n // 2):
        lines += [f"s[{i % 2}] = s[{(i + 1) % 2}] * y", f"s.append(s[{i}] * x)"]
    return _function(lines, "s[-1]")


def helpers(n: int) -> str:
    """One function called again and again."""
    helper = "def h(a, b):\n    c = a * b\n    return math.sin(c) + a\n\n"
    return helper + _function(["x = h(x, y)"] * n, "x")


def doublings(n: int) -> str:
    return _function(["x = 0.6 * (x + x)"] * n, "x * y")


def twice_called(n: int) -> str:
    """Functions that call the one before twice: 2**n calls of the first."""
    text = "def f0(x, y):\n    return math.sin(x) * y\n"
    for i in range(1, n):
        text += f"def f{i}(x, y):\n    return f{i - 1}(x, y) + f{i - 1}(x * 0.5, y)\n"
    return text + _function([], f"f{n - 1}(x, y)")


def called_in_branches(n: int) -> str:
    """Functions that each call the one before on two ways."""
    lines = ["def f0(x, y):", "    return x * y"]
    for k in range(1, n + 1):
        lines += [
            f"def f{k}(x, y):",
            f"    return f{k - 1}(x, y) + f{k - 1}(y, x) if x > 9 else f{k - 1}(x, y) * 0.9",
        ]
    return "\n".join([*lines, f"def f(x, y):\n    return f{n}(x, y)\n"])


def twice_called_inside(n: int) -> str:
    """The same of functions defined inside the one that is differentiated."""
    lines = ["def f0(x):", "    return math.sin(x) * y"]
    for i in range(1, n):
        lines += [f"def f{i}(x):", f"    return f{i - 1}(x) + f{i - 1}(x * 0.5)"]
    return _function(lines, f"f{n - 1}(x)")


LONG: dict[str, Callable[[int], str]] = {
    "straight line": straight,
    "two names": rebound,
    "branches, loops, writes": mixed,
    "writes through views": views,
    "one long loop": long_loop,
    "one long branch": long_branch,
    "lists": lists,
    "calls of one function": helpers,
}
# These are differentiated, and not run: calls in their number double with each step.
DEEP: dict[str, Callable[[int], str]] = {
    "doublings": doublings,
    "functions called twice": twice_called,
    "functions called in branches": called_in_branches,
    "inner functions called twice": twice_called_inside,
}
EVERY = LONG | DEEP
