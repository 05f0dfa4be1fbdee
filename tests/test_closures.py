"""Functions that captured something and are values: made anew, given to calls that only the run
knows and returned by these, held by what is given and returned; and arrays beside other things.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Params, Refused, gradient, hessian, withgradient

CAPTURED = """
class C:
    def __init__(self, k):
        self.k = k

    def m(self, v):
        return v * self.k


def make(w):
    h = {}

    def g(v):
        return {}

    return g


def f(x):
    return [g][0](x)
"""


@pytest.mark.parametrize(
    ("captured", "value"),
    [
        ("functools.partial(operator.mul, w)", "h(v)"),
        ("'abc'[: int(w)]", "v * len(h)"),
        ("w > 2", "2 * v if h else v"),
        ("C(w).m", "h(v)"),
        ("C(w)", "h.m(v)"),
        ("None if w < 2 else w", "v if h is None else v * h"),
        ("type('K', (), {'k': w})", "v * h.k"),
        ("[np.sin, np.cos][w > 2]", "h(v)"),
        ("int(w)", "v**h"),
    ],
)
def test_made_anew_with_other_constants(captured: str, value: str) -> None:
    """What a function has captured may be a part of the program, and another one the next time."""
    import functools
    import operator

    text = CAPTURED.replace("{}", captured, 1).replace("{}", value, 1)
    scope = {"functools": functools, "operator": operator, "__name__": __name__}
    f = define(text, scope=scope)
    for w in (1.0, 3.0):
        f.__globals__["g"] = f.__globals__["make"](w)
        found, (g,) = withgradient(f, 2.0)
        assert found == f(2.0)
        assert g == pytest.approx((f(2.0 + 1e-6) - f(2.0 - 1e-6)) / 2e-6)


NESTED = """
def make(w):
    def h(v, k=w, *, q=w):
        return v * k * q

    def g(v):
        return h(v)

    return g


def f(x):
    return [g][0](x)
"""


def test_made_anew_with_other_defaults() -> None:
    """What a function has captured may be a function, whose defaults are others the next time."""
    f = define(NESTED)
    for w in (1.0, 3.0):
        f.__globals__["g"] = f.__globals__["make"](w)
        value, (g,) = withgradient(f, 2.0)
        assert value == f(2.0)
        assert g == f(1.0)


MADE_ANEW = """
def make(w):
    def g(v):
        return v * w
    return g


def f(x):
    ({})
"""
VALUES = [
    "return [g, 1.0][:1][0](x)",
    "return (lambda: g)()(x)",
    "r = g if x > 100 else (1.0, g)\n    return r[1](x)",
    "l = [g]\n    l.append(g)\n    return sum(h(x) for h in l)",
    "r = g if x > 0 else None\n    return r(x)",
    "return max([g, g], key=lambda q: q(x))(x)",
    "d = {'a': [g]}\n    d['a'].append(d['a'].pop())\n    return d['a'][-1](x)",
    "return functools.partial(g, x)()",
    "return derivative(g)(x) * x",
]


@pytest.mark.parametrize("body", VALUES)
def test_made_anew(body: str) -> None:
    """A function made anew by the same `def` is another: it was taken for the first one."""
    import functools

    from zyg_interactive import derivative

    text = MADE_ANEW.replace("({})", body)
    f = define(text, scope={"functools": functools, "derivative": derivative})
    for w in (1.0, 3.0):
        f.__globals__["g"] = f.__globals__["make"](w)
        value, (g,) = withgradient(f, 2.0)
        assert value == f(2.0)
        assert g == f(1.0)


LATE = """
def found(f, q):
    return f if np.all(q < 1e6) else None


class Box:
    pass


def trampoline(x):
    def even(n, acc):
        return (lambda: odd(n - 1, acc * x)) if n else acc
    def odd(n, acc):
        return (lambda: even(n - 1, acc + x)) if n else acc
    r = even(6, 1.0)
    while callable(r):
        r = r()
    return r


def trampoline_in_lists(x):
    def again(n, acc):
        return [lambda: again(n - 1, acc * x)] if n else acc
    r = again(3, x)
    while isinstance(r, list):
        r = r[0]()
    return r


def linked(x):
    def cons(h, t):
        return lambda pick: pick(h, t)
    def total(c):
        return 0.0 if c is None else c(lambda h, t: h * h + total(t))
    return total(cons(x, cons(x * x, cons(2.0, None))))


def numerals(x):
    def n_times(n):
        if n == 0:
            return lambda f: (lambda v: v)
        return lambda f: (lambda v: f(n_times(n - 1)(f)(v)))
    return n_times(3)(lambda v: v * x)(1.0)


def continuations(x):
    def power(n, then):
        return then(x) if n == 0 else (lambda: power(n - 1, lambda r: (lambda: then(r * x))))
    r = power(2, lambda r: r)
    while callable(r):
        r = r()
    return r


def returned(x):
    def g(v):
        return v * x
    def h(n):
        return [g, h][n]
    return found(h, x)(1)(0)(3.0)


def kept_in_a_dict(x):
    def g(v):
        return v * x
    def h(n):
        return {'g': g, 'h': h, 'n': n * x}
    d = found(h, x)(0.5)
    return d['g'](d['n'])


def captured_anew(x):
    def g(v):
        return v * x
    def h(n):
        return lambda v: g(v) * n
    return found(h, x)(x)(3.0)


def given_back(x):
    def g(v):
        return v * x
    return found(lambda k: k, x)(g)(3.0)


def given_to_what_keeps_it(x):
    def g(v):
        return v * x
    def h(k):
        held = {'k': k}
        return lambda v: held['k'](v) * k(v)
    return found(h, x)(g)(3.0)


def given_and_not_used(x):
    return found(lambda k: 1.0, x)(lambda v: v * x) * x


def given_to_order_by(x):
    def h(k, y):
        return sorted([3.0 * y, 1.0, 2.0], key=k)[-1]
    return found(h, x)(lambda v: v * x, x)


def in_what_is_given(x):
    fs = {'a': lambda v: v * x, 'b': lambda v: v + x}
    return found(lambda d: d['a'](2.0) * d['b'](x), x)(fs)


def in_an_object(x):
    o = Box()
    o.f = lambda v: v * x
    o.y = x
    return found(lambda q: q.f(q.y), x)(o)


def appended(x):
    s = []
    h = found(lambda k: s.append(k), x)
    h(lambda v: v * x)
    h(lambda v: v + x)
    return s[0](s[1](2.0))


def variable(x):
    n = x
    def bump(v):
        nonlocal n
        n = n + v * x
        return bump if n < 100 else None
    f = bump
    for v in (x, 2.0):
        f = f(v)
    return n


def captured_in_memory(x):
    n = x * x
    def bump(v):
        nonlocal n
        n = math.sin(n + v)
        return n
    return found(lambda g: (lambda v: g(v) * x), x)(bump)(-0.4) * n


def captured_twice(x):
    h = found(lambda g: (lambda v: g(v) * x), x)
    k = h(math.sin)
    x = x * x
    return k(x)


def rebound_where_it_is_given(x):
    return found(lambda g: (lambda v: g(v) * x), x)(math.sin)((x := x * x) * x)


def into_an_array(x):
    a = np.zeros(3)
    a[1:] += found(lambda q: q * x, x)(x)
    return np.sum(a * a)


def array(x):
    a = np.array([x, 2 * x])
    def g(v):
        return v @ a
    r = found(lambda n: [g, n], x)(a * x)
    return r[0](r[1])


def array_that_changes(x):
    a = np.array([x, 2 * x])
    def g(v):
        return v @ a
    def h(n):
        a[0] *= x
        return [g, n]
    r = found(h, x)(a * x)
    a[1] += x
    return r[0](r[1])
"""

@pytest.mark.parametrize("name", re.findall(r"^def (\w+)\(x\)", LATE, re.MULTILINE))
def test_only_the_run_knows(name: str) -> None:
    f = define(LATE, name, {"__name__": __name__})
    check(f, 1.3)
    expected = (gradient(f, 1.3 + 1e-5)[0] - gradient(f, 1.3 - 1e-5)[0]) / 2e-5
    np.testing.assert_allclose(hessian(f, 1.3), expected, rtol=1e-6, atol=1e-6)


MIXED = """
def found(f, q):
    return f if np.all(q < 1e6) else None


def f(x):
    def h(n):
        return {}
    r = found(h, x)(x * 2)
    return {}
"""


@pytest.mark.parametrize(
    ("made", "read"),
    [
        ("['s', n]", "r[1] @ x"),
        ("[None, n]", "r[1] @ x"),
        ("{'a': None, 'b': n}", "r['b'] @ x"),
        ("(None, n)", "r[1] @ x"),
        ("[n.sum(), n]", "r[1] @ x * r[0]"),
        ("[[1.0], n]", "r[0][0] * r[1] @ x"),
        ("[n.sum(), n]", "r.pop() @ x * r.pop()"),
        ("collections.deque([1.0, n])", "r.pop() @ x"),
        ("collections.deque([n, 1.0])", "r.popleft() @ x"),
        ("{'a': None, 'b': n}", "r.pop('b') @ x"),
        ("[n, 1.0, n * n]", "sum(v @ x for v in r if not isinstance(v, float))"),
    ],
)
def test_arrays_beside_other_things(made: str, read: str) -> None:
    """What a late call returns holds arrays, which have their cotangents by their identity."""
    import collections

    f = define(MIXED.format(made, read), scope={"collections": collections})
    at = np.array([0.9, 1.3])
    check(f, at)
    if "for v in r" in read or made.startswith("[") and "r.pop()" in read:
        with pytest.raises(Refused):  # the second derivative of a list that is changed
            hessian(f, at)
        return
    rows = [(gradient(f, at + h)[0] - gradient(f, at - h)[0]) / 2e-5 for h in 1e-5 * np.eye(2)]
    np.testing.assert_allclose(hessian(f, at), rows, rtol=1e-6, atol=1e-6)


def test_what_is_known_of_a_function_is_renewed() -> None:
    """What a function captured may be of another type the next time."""
    make: Any = define("def make(w):\n    return lambda v: v * w", "make")
    source = "def f(x):\n    return [g, g][0](x)"
    f = define(source, scope={"g": None})
    for w in (1.0, np.array(2.0), 3, 1 + 0j):
        f.__globals__["g"] = make(w)
        assert gradient(lambda x: np.real(f(x)), 2.0) == (float(np.real(w)),)


PARAMS = """
def make(w):
    def g(v):
        return (w * v * w).sum()
    def again(v):
        return [g, again]
    return g, again


def found(f, q):
    return f if q < 1e6 else None


def f():
    {}
"""


@pytest.mark.parametrize(
    "body",
    [
        "return [g][0](3.0)",
        "l = [g]\n    l.append(g)\n    return sum(h(1.5) for h in l)",
        "return (g if len(w) > 1 else None)(3.0)",
        "return found(g, 2.0)(3.0)",
        "return again(0)[0](3.0)",
        "return found(again, 1.0)(0)[0](3.0)",
    ],
)
def test_parameters_that_a_value_has_captured(body: str) -> None:
    w = np.array([1.0, 2.0])
    f = define(PARAMS.format(body), scope={"w": w})
    f.__globals__["g"], f.__globals__["again"] = f.__globals__["make"](w)
    np.testing.assert_allclose(gradient(f, Params([w]))[w], 6 * w)


MEMBERS = """
class C:
    def __init__(self, k):
        self.k = k


def make(w):
    return lambda v: v * w


def make_method(w):
    return lambda self, v=1.0: v * w * self.k


def put(w):
    C.{} = {}


def f(x):
    return {}
"""


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        ("st", "staticmethod(make(w))", "C(1.0).st(x)"),
        ("cm", "classmethod(lambda cls, v: v * w)", "C(1.0).cm(x)"),
        ("cm", "classmethod(lambda cls, v: v * w)", "C.cm(x)"),
        ("m", "make_method(w)", "C(2.0).m(x)"),
        ("fn", "make(w)", "C.fn(x)"),
        ("fn", "make(w)", "[C.fn][0](x)"),
        ("p", "property(make_method(w))", "C(x).p"),
        ("__mul__", "make_method(w)", "C(2.0) * x"),
        ("__call__", "make_method(w)", "C(2.0)(x)"),
    ],
)
def test_members_made_anew(name: str, member: str, value: str) -> None:
    f = define(MEMBERS.format(name, member, value), scope={"__name__": __name__})
    for w in (1.0, 3.0):
        f.__globals__["put"](w)
        found, (g,) = withgradient(f, 2.0)
        assert found == f(2.0)
        assert g == pytest.approx(f(3.0) - f(2.0))


UNPACKED = """
def found(f, q):
    return f if q < 1e6 else None


class Pair:
    def __init__(self, u):
        self.u = u

    def __iter__(self):
        return iter([self.u, 2 * self.u])

    def __getitem__(self, i):
        return 7.0


def f(x):
    r = found(lambda q: {}, x)(x)
    try:
        a, b = r
    except ValueError:
        return x * x
    return (3 * a + b) * x
"""


@pytest.mark.parametrize("made", ["(q, 2 * q)", "[q, q * q]", "[q]", "(q, q, q)", "np.ones(2) * q"])
def test_unpacking_what_only_the_run_knows(made: str) -> None:
    check(define(UNPACKED.format(made)), 1.3)


@pytest.mark.parametrize("made", ["{1: q, 0: 2 * q}", "Pair(q)", "{q, 3 * q}"])
def test_unpacking_what_has_no_order_by_index_is_refused(made: str) -> None:
    """A dict with the keys 0 and 1 was read by index."""
    with pytest.raises(Refused, match="unpacking"):
        gradient(define(UNPACKED.format(made), scope={"__name__": __name__}), 1.3)
