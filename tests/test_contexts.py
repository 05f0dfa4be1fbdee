"""Contexts: classes that swallow exceptions, and generators that are contexts."""

from __future__ import annotations

import pytest
from helpers import define
from programs import Program
from test_fuzz import examine

from zyg_interactive import derivative, gradient, withgradient

HELPERS = """\
import contextlib


class Guard:
    def __init__(self, kinds, log):
        self.kinds = kinds
        self.log = log

    def __enter__(self):
        self.log.append(0.5)
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.log.append(1.0)
            return
        self.log.append(2.0)
        if issubclass(kind, self.kinds):
            self.log[0] *= 1.5
            return True


@contextlib.contextmanager
def scaled(l, q):
    l.append(q)
    try:
        yield l[-1] * 2.0
    finally:
        l.pop()


@contextlib.contextmanager
def counted(d, kind):
    d["n"] = d.get("n", 0.0) + 1.0
    try:
        yield d
    except kind as error:
        d["caught"] = d["n"] * len(error.args)
    else:
        d["fine"] = 1.0
    finally:
        d["n"] = d["n"] * 3.0


@contextlib.contextmanager
def swallowed():
    try:
        yield
    except (ValueError, ZeroDivisionError):
        pass


@contextlib.contextmanager
def temporarily(a, i, q):
    old = a[i]
    a[i] = q
    try:
        yield a
    finally:
        a[i] = old


"""
PROGRAMS = {
    "a class that swallows": """
def f(x, y):
    log = [x]
    for k in range(4):
        with Guard(ValueError, log):
            y = y * x
            if k == 2:
                raise ValueError
            y = y + log[-1]
    return y * sum(log)
""",
    "a function of the library that raises": """
def f(x, y):
    log = [x]
    with Guard((ValueError, KeyError), log) as guard:
        y = math.sqrt(y) * x
        y = y + guard.log[0]
    return y * sum(log)
""",
    "one inside of the other": """
def f(x, y):
    log = [x]
    try:
        with Guard(ValueError, log):
            y = y * x
            with Guard(KeyError, log):
                y = y * log[0]
                raise IndexError
            y = y * 100.0
    except IndexError:
        y = y + x
    return y * sum(log)
""",
    "break and continue": """
def f(x, y):
    log = [x]
    for k in range(4):
        with Guard(ValueError, log):
            if k * y > 1.0:
                break
            if k == 1:
                continue
            log.append(x * k)
    else:
        log.append(y)
    return sum(log) * y
""",
    "return": """
def f(x, y):
    log = [y]

    def g(k):
        with Guard(ValueError, log):
            if k == 1:
                raise ValueError
            return x * k
        return y * 7.0

    return g(0.5) * g(1) * g(2) * sum(log)
""",
    "a generator with finally": """
def f(x, y):
    l = [x]
    with scaled(l, y * y) as v:
        t = v * len(l)
    return t + l[0] * len(l)
""",
    "an exception in a generator with finally": """
def f(x, y):
    l = [x]
    try:
        with scaled(l, y * y) as v:
            t = math.sqrt(v - x * 4.0)
    except ValueError:
        t = x
    return t + l[0] * len(l)
""",
    "a generator that handles": """
def f(x, y):
    d = {"caught": x, "fine": y}
    for k in range(3):
        with counted(d, ValueError) as q:
            q["v"] = x * k
            y = y + math.sqrt(y - k * x)
    return y * d["n"] * d["caught"] + d["v"] * d["fine"]
""",
    "a generator that does not handle that": """
def f(x, y):
    d = {}
    try:
        with counted(d, KeyError):
            y = math.sqrt(y)
    except ValueError:
        y = y * d["n"]
    return y * x * d["n"]
""",
    "a generator that swallows": """
def f(x, y):
    s = 0.0
    for v in [1.0, 0.0, 2.0]:
        with swallowed():
            s = s + y
            s = s + x / v if v else s + 1 / 0
            s = s * y
    return s
""",
    "return out of a generator": """
def f(x, y):
    def g():
        with swallowed():
            return x * 2.0

    def h():
        with swallowed():
            return math.sqrt(y) * x
        return y * 3.0

    return g() * h()
""",
    "an array that is changed for a while": """
def f(x, y):
    a = np.array([x, y, x * y])
    t = 0.0
    for k in range(2):
        with temporarily(a, k, a[k + 1] * 2.0), temporarily(a, 2, y):
            t += np.sum(a**2) * x
    return t * a[0] + a[2]
""",
    "an exception while an array is changed": """
def f(x, y):
    a = np.array([x, y, x * y])
    try:
        with temporarily(a, 0, y * y) as b:
            t = math.sqrt(b[1]) * b[0]
    except ValueError:
        t = a[0]
    return t * a[0] + a[2]
""",
    "a generator that is defined here": """
def f(x, y):
    @contextlib.contextmanager
    def inside(k):
        nonlocal t
        t = t * k
        try:
            yield
        finally:
            t = t / (1.0 + k * k)

    t = x
    with inside(y):
        t = t + y
    return t
""",
    "a variable that is bound before what is swallowed": """
def f(x, y):
    log = [x]
    try:
        try:
            y = math.sqrt(y) * x
            raise KeyError
        except KeyError:
            y = y * 2.0
            raise
    except (KeyError, ValueError):
        with Guard(ValueError, log):
            y = math.sqrt(-1.0 - x * x)
    return y * sum(log)
""",
    "a variable that is bound before what is suppressed": """
def f(x, y):
    try:
        try:
            y = math.sqrt(y) * x
            raise KeyError
        except KeyError:
            y = y * 2.0
            raise
    except (KeyError, ValueError):
        with contextlib.suppress(ValueError):
            y = math.sqrt(-1.0 - x * x)
    return y * x
""",
    "a jump that is swallowed": """
def f(x, y):
    def g(q):
        if q > 0.0:
            with contextlib.suppress(ValueError):
                return math.sqrt(q - 0.5) * x
        else:
            q = q * 3.0
        q = q * y
        return q

    return g(x) * g(y)
""",
    "what raises as it is entered or left": """
class Picky:
    def __init__(self, q, r):
        if q > 0.8:
            raise KeyError(q)
        self.q = q
        self.r = r

    def __enter__(self):
        if self.q > 0.6:
            raise ValueError
        return self

    def __exit__(self, *error):
        if self.r < 0.3:
            raise IndexError


def f(x, y):
    l = [x]
    try:
        l.append(y)
        with Picky(x, y) as p:
            l.append(p.q * y)
        l.append(x * 3.0)
    except (KeyError, IndexError):
        l.append(x * y)
    except ValueError:
        l[0] = y
    return sum(k * v for k, v in enumerate(l)) * l[0]
""",
    "a generator without try": """
@contextlib.contextmanager
def plain(q):
    yield q * 2.0


def f(x, y):
    try:
        with plain(x) as v:
            y = math.sqrt(y) * v
    except ValueError:
        y = x * y
    return y
""",
    "yield inside of try, in a loop": """
def items(l):
    for k in range(3):
        try:
            v = l[k]
            yield v * 2.0
            v = v * 3.0
        finally:
            l[k] = v


def f(x, y):
    l = [x, y, x * y]
    s = 0.0
    for v in items(l):
        s = s + v * l[1]
    return s * sum(l)
""",
    "yield inside of try, and what is sent": """
def summed(n):
    t = 0.0
    try:
        while True:
            r = yield t
            if r is None:
                return
            t += r
    finally:
        n.append(t)


def f(x, y):
    n = []
    g = summed(n)
    next(g)
    s = g.send(x) + g.send(x * y)
    try:
        g.send(None)
    except StopIteration:
        pass
    return s * n[0]
""",
}
ARGUMENTS = [(0.4, 0.9), (-0.6, 1.3), (0.9, -0.4)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_contexts(name: str) -> None:
    for args in ARGUMENTS:
        examine(Program(HELPERS + PROGRAMS[name], "ss"), args)


RAISING = {
    "in a context": (
        KeyError,
        "def f(x):\n    with Guard(ValueError, [x]):\n        raise KeyError('q')\n    return x\n",
    ),
    "in a generator": (
        KeyError,
        "def f(x):\n    with scaled([x], x):\n        raise KeyError('q')\n    return x\n",
    ),
    "in one that handles others": (
        KeyError,
        "def f(x):\n    with swallowed():\n        raise KeyError\n    return x\n",
    ),
    "in itself": (NotImplementedError, "def f(x):\n    raise NotImplementedError\n"),
    "in a callee": (
        ValueError,
        "def g(x):\n    raise ValueError(x)\n\n\ndef f(x):\n    return g(x) * x\n",
    ),
}


@pytest.mark.parametrize("name", RAISING)
def test_what_always_raises_raises(name: str) -> None:
    kind, text = RAISING[name]
    f = define(HELPERS + text)
    for differentiated in (derivative, gradient, withgradient):
        with pytest.raises(kind):
            differentiated(f, 0.5)


def test_a_generator_that_goes_on_after_an_exception() -> None:
    text = """
@contextlib.contextmanager
def again():
    try:
        yield 1.0
    except ValueError:
        yield 2.0


def f(x):
    with again() as v:
        x = x * v
        raise ValueError
    return x
"""
    with pytest.raises(RuntimeError, match="didn't stop"):
        derivative(define(HELPERS + text), 0.5)
