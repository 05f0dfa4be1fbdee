"""Programs that change lists, dicts and objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import derivative


class Point:
    def __init__(self, a: Any, b: Any):
        self.a, self.b = a, b

    def step(self, x: Any) -> None:
        self.a = self.a * x
        self.b += self.a


CASES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "append": (
        """
def f(x):
    out=[]
    for i in range(3):
        out.append(x*i)
    return sum(out)
""",
        (2.0,),
    ),
    "a part by a slice that has a name": (
        """
def f(x):
    s = slice(0, 2)
    l = [x * x, x, 3.0]
    l.append(x * x * x)
    m = l[s]
    m.append(x)
    m[0] *= x
    return sum(l[s]) * sum(m) + l[3]
""",
        (0.7,),
    ),
    "append2": (
        """
def f(x):
    out=[]
    for i in range(3):
        out.append(np.sin(x*i))
    return np.sum(np.array(out)*x)
""",
        (2.0,),
    ),
    "setitem": (
        """
def f(x):
    d={'a':x}
    d['a']=d['a']*x
    d['b']=d['a']*2
    return d['a']*d['b']
""",
        (1.5,),
    ),
    "alias": (
        """
def f(x):
    a=[x,1.0]
    b=a
    b[0]=x*x*b[0]
    return a[0]*a[1]
""",
        (1.5,),
    ),
    "obj": (
        """
def f(x):
    q=Point(x,2*x)
    q.step(x)
    q.step(x)
    return q.a*q.b
""",
        (1.5,),
    ),
    "callee": (
        """
def g(l,x):
    l[0]=l[0]*x
    l.append(x)
def f(x):
    l=[x]
    g(l,x)
    g(l,l[0])
    return l[0]*l[-1]+l[1]
""",
        (1.5,),
    ),
    "pop": (
        """
def f(x):
    s=[x,x*x,x*x*x]
    y=s.pop()
    z=s.pop(0)
    s.insert(0,y*z)
    return s[0]*s[1]
""",
        (1.5,),
    ),
    "dictloop": (
        """
def f(x):
    d={}
    for i in range(3):
        d[i]=x*i
    t=0.0
    for k in d:
        t=t+d[k]*k
    return t
""",
        (1.5,),
    ),
    "argdict": (
        """
def f(p):
    p['a']=p['a']*p['b']
    return p['a']*p['a']
""",
        ({"a": 2.0, "b": 3.0},),
    ),
    "arglist": (
        """
def f(l,x):
    l.append(x)
    s=0.0
    for v in l:
        s=s+v*v
    return s
""",
        ([1.0, 2.0], 3.0),
    ),
    "fib": (
        """
def f(x):
    n=6
    m={0:x,1:x*x}
    for i in range(2,n):
        m[i]=m[i-1]+m[i-2]*x
    return m[n-1]
""",
        (0.7,),
    ),
    "sort": (
        """
def f(x):
    l=[x*x,-x,2*x]
    l.sort()
    return l[0]*3+l[1]*5+l[2]*7
""",
        (1.5,),
    ),
    "branch": (
        """
def f(x):
    l=[x]
    if x>0:
        l[0]=x*x
        l.append(l[0])
    return l[0]*l[-1]
""",
        (1.5,),
    ),
    "arr": (
        """
def f(x):
    o=Point(x,0.0)
    for i in range(2):
        o.a=np.tanh(o.a*x)
    return np.sum(o.a)
""",
        (np.array([1.0, 2.0]),),
    ),
    "recursion over objects": (
        """
class Node:
    def __init__(self, v, kids=()):
        self.v = v
        self.kids = list(kids)
    def total(self):
        t = self.v ** 2
        for k in self.kids:
            t += k.total()
        return t
def f(x):
    return Node(x, [Node(1.0, [Node(x*x, [Node(2*x)]), Node(x**3)])]).total()
""",
        (0.7,),
    ),
}
TWICE: dict[str, tuple[str, tuple[Any, ...]]] = {
    "object": (
        """
def f(x):
    q = Point(x, 2.0)
    return q.a*q.a*q.b
""",
        (1.5,),
    ),
    "loop": (
        """
def f(x):
    l = [x]
    for i in range(2):
        l.append(l[-1]*x)
    l[0] = l[2]*l[0]
    return l[0]*l[1]
""",
        (1.2,),
    ),
    "dict and list": (
        """
def f(x):
    d = {'a': x}
    d['a'] = np.sin(d['a'])
    y = d.pop('a')
    l = [y, x]
    l.insert(0, y*x)
    l.reverse()
    return sum(l)*l[0]
""",
        (0.7,),
    ),
    "method in a callee": (
        """
def g(x):
    m = Point(x, x*x)
    m.step(x)
    return m.a*m.b
def f(x):
    return g(x)
""",
        (0.7,),
    ),
}
SCOPE = {"Point": Point, "derivative": derivative, "np": np, "__name__": "programs"}


@pytest.mark.parametrize("name", CASES)
def test_changes(name: str) -> None:
    text, args = CASES[name]
    check(define(text, scope=SCOPE), *args)


@pytest.mark.parametrize("name", TWICE)
def test_changes_to_second_order(name: str) -> None:
    text, args = TWICE[name]
    check(define(text, scope=SCOPE), *args)
    twice = text + "\ndef h(x):\n    return derivative(f, x)\n"
    check(define(twice, "h", scope=SCOPE), *args)


def test_a_loop_over_a_list_that_its_body_turns_round() -> None:
    f = define(
        "def turn(l):\n    l.reverse()\n\ndef f(x):\n    l = [x, 2 * x, x * x, 3.0]\n    y = 0.0\n"
        "    for k, v in enumerate(l):\n        y = y * x + v\n        turn(l)\n"
        "    for v in l:\n        y = y * x + v\n        l.reverse()\n    return y"
    )
    check(f, 1.3)


# What may be one of two things in memory, by what is read of it.
EITHER = {
    "a branch": ("if x < 0:\n        d = Row(d)", "d[1] * d[2]"),
    "a number": ("if x < 0:\n        d = 1.0", "d[1]"),
    "a dict": ("if x < 0:\n        d = {0: x}", "math.fsum(d)"),
    "a tuple": ("e = (d, d)\n    if x < 0:\n        e = (Row(d), d)", "e[0][1] * e[1][2]"),
    "a loop": ("for k in range(2):\n        y = d[1]\n        d = Row(d)", "y * d[2]"),
    "a try": ("try:\n        assert x < 0\n        d = Row(d)\n    except AssertionError:\n"
              "        pass", "np.sum(d)"),
    "a change after it": ("e = Row(d) if x < 0 else d\n    d.append(x**3)", "e[3]"),
    "attributes": ("e = Row(x) if x > 0 else Other(x)", "e.s**2"),
}  # fmt: skip


@pytest.mark.parametrize("name", EITHER)
def test_either_of_two_things_in_memory(name: str) -> None:
    body, result = EITHER[name]
    f = define(
        "class Row:\n    def __init__(self, s):\n        self.s = s\n"
        "    def __getitem__(self, i):\n        return self.s[i]\n\nclass Other(Row):\n    pass\n\n"
        f"def f(x):\n    d = [x, x * x]\n    d.append(3 * x)\n    {body}\n    return {result}",
        scope=SCOPE,
    )
    check(f, 1.3)
    second = (derivative(f, 1.3 + 1e-5) - derivative(f, 1.3 - 1e-5)) / 2e-5
    assert derivative(derivative(f), 1.3) == pytest.approx(second, rel=1e-6)
