"""Exceptions that are handled after something was changed: in a callee, a loop, an expression."""

from __future__ import annotations

import pytest
from programs import Program
from test_fuzz import examine

HELPERS = """\
import contextlib


class Far(Exception):
    pass


class Off(Far):
    pass


class Box:
    def __init__(self, x):
        self.x = x


class Closing:
    def __init__(self, box):
        self.box = box

    def __enter__(self):
        self.box.x *= 1.5
        return self.box

    def __exit__(self, *error):
        self.box.x += 0.25
        return False


def change(l, q):
    l.append(math.sin(q))
    if q > 0.5:
        raise Far("a")
    l[0] = l[0] * q
    if q > 0.3:
        raise Off("b")
    return q * l[0]
"""

PROGRAMS = {
    "a callee": """
def f(x, y):
    l = [x]
    try:
        s = change(l, y)
    except Far:
        s = l[-1] * y
    return s + sum(l) * l[0]
""",
    "a pop before an index": """
def f(x, y):
    l = [x, y * y]
    try:
        y = l.pop() / l[3 if x > 0 else 0]
    except IndexError:
        y = y * x
    return y * l[0] + len(l)
""",
    "a callee of a callee": """
def deep(l, q):
    t = change(l, q * 0.9)
    l.append(t * q)
    return t + change(l, q)


def f(x, y):
    l = [x]
    s = 0.0
    for k in range(4):
        try:
            s = s + 2.0 * deep(l, y * k * 0.5) + l[-1]
        except Off:
            s = s * y + l[-1]
        except Far as e:
            s = s + l[-1] * y * x
    return s + sum(l) * l[0]
""",
    "recursion": """
def search(l, q, k):
    l.append(q * k)
    if k == 0:
        raise Far
    l[0] *= q
    search(l, q * 0.9, k - 1)
    l[0] *= 3.0


def f(x, y):
    l = [x]
    try:
        search(l, y, 3)
    except Far:
        pass
    return sum(v * v for v in l)
""",
    "a finally in the callee": """
def closing(l, q):
    try:
        l[0] = l[0] * q
        change(l, q)
    finally:
        l[0] = l[0] * l[-1]


def f(x, y):
    l = [x]
    for k in range(3):
        try:
            closing(l, y * k * 0.4)
        except Far:
            l[0] *= x
    return sum(v * v for v in l)
""",
    "a nonlocal": """
def f(x, y):
    n = x

    def bump(q):
        nonlocal n
        n = n * q
        if n > -0.1:
            raise ValueError
        n = n + 1.0
        return n

    for k in range(3):
        try:
            bump(y + k)
        except ValueError:
            n = n * n
    return n * x
""",
    "a loop with an array": """
def f(x, y):
    l = [x]
    a = np.zeros(4)

    def run(q):
        t = q
        for i in range(8):
            a[i] = math.sin(t) * l[0]
            l.append(a[i] * q)
            t = t * 1.1 + q
        return t

    try:
        z = run(y)
    except IndexError:
        z = l[-1] * y
    return z + np.sum(a * a) + sum(l)
""",
    "the test of a while": """
def f(x, y):
    l = [x]
    o = Box(y)

    def test(q):
        o.x = o.x * q + 0.1
        if len(l) > 3:
            raise Far
        return True

    def run(q):
        while test(q):
            l.append(o.x * q)
            q = q * 1.05

    try:
        run(y)
        s = 1.0
    except Far:
        s = o.x
    return s + sum(l) * o.x
""",
    "a comprehension": """
def f(x, y):
    l = [x]

    def g(v):
        l.append(v * l[-1])
        if len(l) > 3:
            raise KeyError(3)
        return v * l[0]

    try:
        s = sum([g(y * k) for k in range(5 if x > 0 else 2)])
    except KeyError:
        s = l[-1] * x
    return s + l[0] * l[1]
""",
    "handlers in handlers": """
def f(x, y):
    l = [x]

    def g(v):
        try:
            l.append(v * l[0])
            change(l, v)
        except Off:
            l[0] = l[0] * v
            raise Far
        except ZeroDivisionError:
            l[0] = 0.0
        else:
            l[0] += v
        return l[0]

    s = 0.0
    for k in range(4):
        try:
            s += g(y * k * 0.3)
        except Far:
            s = s * x + l[0]
    return s + sum(l)
""",
    "suppress": """
def f(x, y):
    l = [x]
    s = y
    for k in range(4):
        with contextlib.suppress(Far):
            s = s * y
            s = s + change(l, y * k * 0.3)
    return s * x + sum(l)
""",
    "an attribute": """
def f(x, y):
    o = Box(x)

    def step(k):
        o.x = o.x * y
        if k == 2:
            raise StopIteration
        o.x = o.x + k
        return o.x * y

    t = 0.0
    k = 0
    while True:
        try:
            t = t + step(k)
        except StopIteration:
            break
        k += 1
    return t * o.x
""",
    "results that nothing reads": """
def f(x, y):
    l = [x]

    def g(v):
        l.append(v)
        1 / (v > 0)
        l.append(v * v)
        [1.0, 2.0][3 if v > 0.5 else 0]
        l[0] *= v

    for k in range(4):
        try:
            g(y * (k - 1) * 0.5)
        except ZeroDivisionError:
            l[0] = l[0] * x
        except IndexError as e:
            l[0] = l[0] + y * len(str(e))
    return sum(v * v for v in l)
""",
    "raised again": """
def f(x, y):
    l = [x]

    def g(v):
        try:
            change(l, v)
        except Far:
            l[0] *= v
            raise

    for k in range(4):
        try:
            g(y * k * 0.3)
        except Exception:
            l[0] = l[0] * x
    return sum(v * v for v in l)
""",
    "a derivative around": """
def f(x, y):
    l = [x]

    def g(v):
        try:
            l.append(change([v], v))
            r = change(l, v)
        except Far:
            r = l[-1] * v
        return r * v

    return gradient(g, y)[0] * x + l[0]
""",
    "returns out of loops": """
def g(l, v):
    for k in range(5):
        l.append(v * k)
        if k > 2 and v > 0.5:
            return change(l, v * k)
        if v * k > 0.4:
            continue
        change(l, v * k)
    else:
        l[0] *= 2.0
    return l[-1]


def f(x, y):
    l = [x]
    for k in range(4):
        try:
            y = y + 0.1 * g(l, y * k * 0.3)
        except Off:
            l[0] *= y
            continue
        except Far:
            l[0] *= x
            break
        l[0] += 1.0
    return sum(v * v for v in l) * y
""",
    "a view of an array": """
def g(a, v):
    a[0] = a[0] * v
    w = a[1:]
    w += v
    if v > 0.4:
        raise Far
    a[1] *= a[0]
    return a.sum()


def f(x, y):
    a = np.array([x, y, 0.5])
    s = 0.0
    for k in range(4):
        try:
            s += g(a, y * k * 0.4)
        except Far:
            s += a[1] * x
    return s + np.sum(a * a)
""",
    "results in structures": """
def g(l, v):
    l.append(v)
    if v > 0.4:
        raise Far
    return v, [v, l[0]], {"a": v * v}


def f(x, y):
    l = [x]
    s = 0.0
    for k in range(4):
        try:
            a, b, c = g(l, y * k * 0.4)
            s += a * b[0] + b[1] * c["a"]
        except Far:
            s += l[-1] * x
    return s + sum(l)
""",
    "handlers in recursion": """
def f(x, y):
    l = [x]

    def solve(v, k):
        l.append(v)
        if k == 0:
            raise Far
        try:
            solve(v * 0.5 * l[0], k - 1)
        except Far:
            l[0] *= v
            if k == 1:
                raise Off
            l[0] += 0.1

    try:
        solve(y, 3)
    except Far:
        l[0] *= x
    return sum(v * v for v in l)
""",
    "a context of its own": """
def g(o, l, v):
    with Closing(o) as c:
        c.x = c.x * v
        l.append(c.x)
        return change(l, v)


def f(x, y):
    o = Box(x)
    l = [y]
    s = 1.0
    for k in range(4):
        try:
            s *= g(o, l, y * k * 0.4)
        except Far:
            s += o.x
    return s * o.x + sum(l)
""",
    "an exception of NumPy": """
def g(l, q):
    l.append(q * q)
    np.linalg.inv(np.eye(2) * (q > 0))
    return q


def f(x, y):
    l = [x]
    try:
        y = g(l, y)
    except np.linalg.LinAlgError:
        y = y * l[-1]
    return y * x + sum(l)
""",
    "the text of an object": """
class Shy:
    __slots__ = ("closed",)

    def __str__(self):
        raise Far


def f(x, y):
    l = [x]
    shy = Shy()

    def g(q):
        l.append(q * q)
        f"{shy}"
        return q

    try:
        y = g(y)
    except Far:
        y = y * l[-1]
    return y * x + sum(l)
""",
    "finally, out of which an exception leaves its function": """
def close(l, q):
    try:
        change(l, q)
    finally:
        l.append(q * q)
        l[0] *= q
    return q


def f(x, y):
    l = [x]
    for k in range(3):
        try:
            close(l, y * (k + 1))
        except Off:
            l.append(y)
        except Far:
            l[0] += l[-1] * x
    return sum(l) * l[0]
""",
    "finally in each call of a recursion": """
def down(l, q, n):
    if n == 0:
        raise Far("bottom")
    try:
        return down(l, q, n - 1) * q
    finally:
        l.append(n * q)


def f(x, y):
    l = [x]
    try:
        down(l, y, 3)
    except Far:
        y = y * l[-1]
    return sum(k * v for k, v in enumerate(l)) * y
""",
    "the result of a recursion that always raises": """
def down(q, n):
    if n == 0:
        raise Far("bottom")
    return down(q, n - 1) * q


def f(x, y):
    try:
        y = down(y, 3)
    except Far:
        y = y * x
    return y
""",
    "what a loop goes through raises": """
def items(q):
    if q > 0.5:
        raise Off
    return [q, q * 2.0]


def f(x, y):
    s = x
    for k in range(3):
        try:
            s = s * y
            for v in items(x * k):
                s = s + v
            s = s + 1.0
        except Off:
            s = s * 0.5
    return s
""",
    "a generator raises on the way": """
def items(q):
    yield q
    yield math.sqrt(q)
    yield q * q


def f(x, y):
    s = x
    try:
        s = s * y
        for k, v in enumerate(items(x)):
            s = s + v * k
        for v in map(math.sqrt, [abs(y), y]):
            s = s + v
    except ValueError:
        s = s * 0.5
    return s
""",
    "the test of a jump raises": """
def f(x, y):
    def g(q):
        s = x
        try:
            s = s * y
            if math.sqrt(q) > 0.8:
                return s
            s = s + 1.0
        except ValueError:
            s = s * 0.5
        return s * q

    return g(x) * g(y)
""",
    "the test of a loop raises": """
def f(x, y):
    s = abs(x)
    try:
        s = s * 2.0
        while math.sqrt(1.0 - s) > 0.0:
            s = s + abs(y) * 0.3
    except ValueError:
        s = s * x
    return s
""",
    "return out of finally": """
def f(x, y):
    def g(q):
        try:
            change([q], 1.0)
        finally:
            return q * q

    return g(x) * g(y)
""",
}
ARGUMENTS = [(0.4, 0.9), (0.7, 0.35), (-0.6, 1.3), (0.9, -0.4), (-0.5, 0.2)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_changes_before_an_exception(name: str) -> None:
    for args in ARGUMENTS:
        examine(Program(HELPERS + PROGRAMS[name], "ss"), args)
