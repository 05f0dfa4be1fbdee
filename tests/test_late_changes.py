"""Arrays that a program changes after a call that only the run knows was given them, captured them,
or returned them; and values that may be an array or a number.
"""

from __future__ import annotations

import re

import pytest
from helpers import check, define

from zyg_interactive import Refused, gradient

PROGRAMS = """
class Q:
    def __init__(self, a): self.a = a
    def sq(self): return np.sum(self.a * self.a)


def cell_array(x):
    y = x
    f3 = {'s': math, 't': lambda q: y}['st'[0]]
    y = np.dot([y, x], [y, x])
    y = np.array([y, y * x])
    z = y * x
    y[0] = x
    return np.sum(y * z)


def cell_array2(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y @ np.array([[1.0, x], [x, 2.0]])
    z = f3[int(x > 0) - 1](x)
    y[0] = x
    return np.sum(y * z)


def list_scalar(x):
    l = []
    l.append(np.dot([x, x], [x, 1.0]))
    l.append(np.array([x, x]))
    l.append(l[0] * l[1])
    t = 0.0
    for q in l:
        t = t + np.sum(q * q)
    return t


def closure_1(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y * 2
    z = f3[int(x > 0) - 1](x)
    y[0] = x
    return np.sum(z)


def closure_2(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    z = f3[int(x > 0) - 1](x)
    y[0] = x
    return np.sum(z)


def closure_3(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y * 2
    z = f3[int(x > 0) - 1](x)
    y[0] = x
    return np.sum(y * z)


def closure_4(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y @ np.array([[1.0, x], [x, 2.0]])
    z = f3[int(x > 0) - 1](x)
    return np.sum(y * z)


def closure_5(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y @ np.array([[1.0, x], [x, 2.0]])
    z = f3[int(x > 0) - 1](x)
    y[0] = x
    return np.sum(z)


def closure_6(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y @ np.array([[1.0, x], [x, 2.0]])
    z = y * x
    y[0] = x
    return np.sum(y) + 0 * f3[int(x > 0) - 1](x)[0]


def late_op_arg(x):
    y = np.array([x, 2*x])
    g = [y, 2.0]
    y = g[int(x > 100)]
    z = y * x
    y[0] = x * 5
    return np.sum(z)


def late_op_arg2(x):
    y = np.array([x, 2*x])
    g = [y, 2.0]
    y = g[int(x > 100)]
    z = y * y
    y[0] = x * 5
    return np.sum(z * y)


def late_fn_arg(x):
    y = np.array([x, 2*x])
    g = [lambda q: q * q, math.sin]
    z = g[int(x > 100)](y)
    y[0] = x * 5
    return np.sum(z * y)


def late_fn_inner_array(x):
    def h(q):
        w = q * x
        keep.append(w)
        return np.sum(w * w)
    keep = []
    y = np.array([x, 2*x])
    g = [h, math.sin]
    z = g[int(x > 100)](y)
    keep[0][0] = x * 5
    y[0] = x * 5
    return np.sum(z * y) + np.sum(keep[0])


def late_method(x):
    o = Q(np.array([x, x * 2]))
    m = [o]
    z = m[int(x > 100)].sq()
    o.a[0] = 5 * x
    return z * np.sum(o.a)


def known_fn_arg(x):
    def h(q):
        return q * q
    y = np.array([x, 2*x])
    z = h(y)
    y[0] = x * 5
    return np.sum(z * y)


def late_obj(x):
    o = Q(np.array([x, x * 2]))
    m = [Q.sq, math.sin]
    z = m[int(x > 100)](o)
    o.a[0] = 5 * x
    return z * np.sum(o.a)


def late_list(x):
    o = [np.array([x, x * 2])]
    m = [lambda l: np.sum(l[0] * l[0]), math.sin]
    z = m[int(x > 100)](o)
    o[0][0] = 5 * x
    return z * np.sum(o[0])


def late_closure_rebinding(x):
    y = np.array([x, 2*x])
    f3 = [lambda q: y * q, lambda q: q]
    y = y * 2
    z = f3[int(x > 0) - 1](x)
    y[0] = 5*x
    return np.sum(z)


def cross_arrays(x):
    l = [x, x*x, 0.3]
    l.append(x)
    y = np.array([x, x, x])
    z = np.cross(l[:3], l[:3][::-1])
    w = z * x
    y[0] = x * x
    z[1] = 5 * x
    return z[0] * y[0] + np.sum(w) + np.sum(z * y)


def cross_arrays2(x):
    l = [x, x*x, 0.3]
    l.append(x)
    y = np.array([x, x, x])
    z = np.cross(l[:3], l[:3][::-1])
    l2 = [z]
    w = l2[0] * x
    z[1] = 5 * x
    y[0] = x * x
    return l2[0][0] * y[0] + np.sum(w) + np.sum(z * y)
"""


@pytest.mark.parametrize("name", re.findall(r"^def (\w+)\(x\)", PROGRAMS, re.M))
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, {"__name__": "programs"}), 0.7)


FUNCTIONS = """
def ap(h):
    return h(2.0)


def ap2(h):
    return 3 * h(2.0)


def first_of(l):
    return 3 * l[0](2.0)


def rebound(x):
    p = x
    f = lambda t: t * p
    p = 2 * x
    return [ap, ap2][1 if x > 0 else 0](f)


def captured_array(x):
    y = np.array([x, x])
    f = lambda t: t * y
    z = [ap, ap2][1 if x > 0 else 0](f)
    y[0] = 5 * x
    return np.sum(z)


def bound_by_the_callee(x):
    p = x

    def f(t):
        nonlocal p
        p = p * t
        return p

    z = [ap, ap2][1 if x > 0 else 0](f)
    return z + p


def in_a_list(x):
    f = lambda t: t * x
    return [ap, first_of][1 if x > 0 else 0]([f])


def in_a_tuple(x):
    f = lambda t: t * x
    return [ap, lambda p: p[1](p[0])][1 if x > 0 else 0]((x, f))
"""


@pytest.mark.parametrize(
    "name", ["rebound", "captured_array", "bound_by_the_callee", "in_a_list", "in_a_tuple"]
)
def test_function_given_to_a_late_call(name: str) -> None:
    check(define(FUNCTIONS, name), 0.7)


OPERATORS = """
class V:
    def __init__(self, v): self.v = v
    def times(self, *other): return V(self.v * other[0].v if other else self.v**2)
    __or__ = __and__ = __xor__ = __floordiv__ = __lshift__ = __rshift__ = __lt__ = __eq__ = times
    __invert__ = __round__ = __abs__ = times


def f(x):
    held = []
    for put in [lambda h: h.append(V(x)), lambda h: h.append(V(x * x))]:
        put(held)
    a, b = held
    return ({}).v
"""
NO_DERIVATIVE = ["a | b", "a & b", "a ^ b", "a // b", "a << b", "a >> b", "a < b", "a == b"]


@pytest.mark.parametrize("expression", [*NO_DERIVATIVE, "~a", "round(a)"])
def test_operators_to_which_an_unknown_class_may_give_a_derivative(expression: str) -> None:
    with pytest.raises(Refused, match="of a V that only the run knows"):
        gradient(define(OPERATORS.replace("({})", f"({expression})"), "f", {"__name__": "v"}), 0.7)


def test_operators_of_unknown_numbers() -> None:
    f = define("""
def f(x):
    held = []
    for put in [lambda h: h.append(x), lambda h: h.append(np.array([x, 2 * x]))]:
        put(held)
    a, b = held
    y = a if a < 1.0 and a == x and round(a) < 9 else 0.0
    return y * a + (a // 1.0) * a + np.sum((b // 1.0) * b) + np.sum(b[b > 0.8])
""")
    check(f, 0.7)
