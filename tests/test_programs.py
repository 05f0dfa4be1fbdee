"""Small programs that once had a wrong value, a wrong gradient or a crash."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, gradient, pullback

V = np.array([1.0, 2.0, 3.0])


@dataclasses.dataclass
class Pt:
    x: float
    y: float
    tag: str = "q"


class Ob:
    def __init__(self, w: float, b: float):
        self.w, self.b = w, b

    def __call__(self, x: float) -> float:
        return self.w * x + self.b

    def meth(self, x: float) -> float:
        return self(x) * self.w

    @property
    def sq(self) -> float:
        return self.w**2


CASES: list[tuple[str, tuple[Any, ...]]] = [
    (
        """
def f(v):
    s = 0.0
    for i in range(2):
        y = v*i
        s = s + y
    y += 1
    return s
""",
        (2.0,),
    ),
    (
        """
def f(v):
    for i in range(4):
        x = v*i
        if x > 3: break
    return x*i
""",
        (2.0,),
    ),
    (
        """
def f(v):
    for i in range(4):
        i = i*2
        v = v*1.1 + i
    return v*i
""",
        (2.0,),
    ),
    (
        """
def f(x):
    a = 1.0
    def g(): return x*a
    a = x*x
    return g()
""",
        (2.0,),
    ),
    (
        """
def f(x):
    if x > 1:
        def g(y): return y*x
    else:
        def g(y): return y+x
    return g(x)
""",
        (2.0,),
    ),
    (
        """
def f(x):
    return x and x*2 or 3.0
""",
        (2.0,),
    ),
    (
        """
def f(x):
    return 1 < x < 3 and x*2.5
""",
        (2.0,),
    ),
    (
        """
def f(x):
    t = (x, x*2, [x*3, x])
    a, (b), (c, d) = t
    return a*b*c*d + t[2][0]
""",
        (1.3,),
    ),
    (
        """
def f(x):
    return sum(a*b for a, b in zip(x, reversed(x)))
""",
        ([1.0, 2.0, -3],),
    ),
    (
        """
def f(x):
    d = {'a': x, 'b': [x*2, x**2]}
    return d['a']*d['b'][1] + sum(v for v in d['b'])
""",
        (1.3,),
    ),
    (
        """
def f(x):
    s = 0.
    while True:
        s = s + x
        x = x*0.5
        if x < 0.1:
            return s*x
""",
        (1.3,),
    ),
    (
        """
def f(x):
    def fact(n):
        return 1.0 if n == 0 else x*fact(n-1)
    return fact(4)
""",
        (1.3,),
    ),
    (
        """
def g(x, n):
    if n == 0:
        return x
    return g(x*x, n-1)+x
def f(x):
    return g(x, 3)
""",
        (0.9,),
    ),
    (
        """
def f(xs):
    tot = 0.0
    for i, (a, b) in enumerate(zip(xs[0], xs[1]), 1):
        tot = tot + a*b*i
    return tot
""",
        (([1.0, 2.0], [3.0, 4.0]),),
    ),
    (
        """
def f(x):
    y = x
    for i in reversed(range(1, 6, 2)):
        y = y*x + i
    return y
""",
        (1.1,),
    ),
    (
        """
def f(x):
    tot = 0.0
    for row in x:
        for e in row:
            if e < 0: continue
            if e > 5: break
            tot = tot + e*e
    return tot
""",
        (np.array([[1.0, -2, 3], [4, 6, 7]]),),
    ),
    (
        """
def f(x):
    from_ = [x[i]*x[i-1] for i in range(len(x))]
    return from_[-1]*from_[0] + from_[1]
""",
        (np.array([1.0, -2, 3]),),
    ),
    (
        """
def f(x, *rest, k=2.0, **kw):
    s = x*k
    for r in rest:
        s = s + r*x
    return s
""",
        (
            1.0,
            2.0,
            3.0,
        ),
    ),
    (
        """
def h(x, *rest, k=2.0, **kw):
    s = x*k
    for r in rest:
        s = s + r*x
    return s*kw['q']
def f(x, y):
    return h(x, y, x*y, k=y, q=x)
""",
        (
            1.0,
            2.0,
        ),
    ),
    (
        """
def f(x):
    t = ()
    for i in range(3):
        t = t + (x*i,)
    return sum(t)
""",
        (1.1,),
    ),
    (
        """
def f(x):
    t = []
    for i in range(3):
        t = t + [x*i]
    return sum(t)
""",
        (1.1,),
    ),
    (
        """
def f(x):
    t = None
    for i in range(3):
        t = x if t is None else t*x
    return t
""",
        (1.1,),
    ),
    (
        """
def f(x):
    a, b = 1.0, x
    for _ in range(5):
        a, b = b, a + b*x
    return b
""",
        (0.7,),
    ),
    (
        """
def f(x):
    a = x
    b = a
    for _ in range(3):
        b = a*b
        a = b+1
    return a*b
""",
        (0.7,),
    ),
    (
        """
def f(x):
    return max(x, x*x, 3.0) + min([x, 2*x]) + abs(-x)
""",
        (4.7,),
    ),
    (
        """
def f(x, y):
    if x > y: z = x*y
    elif x == y: z = x
    else: return y*y*x
    return z*z
""",
        (
            1.7,
            1.2,
        ),
    ),
    (
        """
def f(p):
  return p.x*2
""",
        (Pt(1.0, 2.0),),
    ),
    (
        """
def f(p):
  return p.x*p.y*p.x
""",
        (Pt(1.0, 2.0),),
    ),
    (
        """
def f(p):
  s=0.
  for i in range(3):
    s = s+p.x*i*p.y
  return s
""",
        (Pt(1.0, 2.0),),
    ),
    (
        """
def f(x):
  p=Pt(x,x*x)
  for i in range(3):
    p = Pt(p.y, p.x*0.5)
  return p.x*p.y
""",
        (1.3,),
    ),
    (
        """
def f(x):
  p=Pt(x,x*x) if x > 0 else Pt(x, 1.)
  return p.x*p.y
""",
        (1.3,),
    ),
    (
        """
def g(p):
  return Pt(p.y*p.x,p.x)
def f(x):
  p=Pt(x,x*x)
  q = g(g(p))
  return q.x*q.y+p.y
""",
        (1.3,),
    ),
    (
        """
def g(p):
  return p.x*2
def f(x):
  p=Pt(x,x*x)
  return g(p)+p.y
""",
        (1.3,),
    ),
    (
        """
def f(ps):
  s=0.
  for p in ps:
    s = s+p.x*p.y
  return s
""",
        ([Pt(1.0, 2.0), Pt(3.0, 4.0)],),
    ),
    (
        """
def f(ps):
  return sum([p.x*p.y for p in ps])
""",
        ([Pt(1.0, 2.0), Pt(3.0, 4.0)],),
    ),
    (
        """
def f(o, x):
  return o(x)+o.meth(x)+o.sq
""",
        (
            Ob(1.0, 2.0),
            1.3,
        ),
    ),
    (
        """
def f(o, x):
  for i in range(3):
    x = o(x)+o.meth(x)+o.sq
  return x
""",
        (
            Ob(0.4, 0.2),
            0.3,
        ),
    ),
    (
        """
def f(os, x):
  for o in os:
    x = o(x)*o.sq
  return x
""",
        (
            [Ob(0.4, 0.2), Ob(0.6, 0.7)],
            0.3,
        ),
    ),
    (
        """
def f(x):
  ps=[Pt(x*i,x+i) for i in range(3)]
  return sum([p.x*p.y for p in ps])+ps[0].y
""",
        (0.3,),
    ),
    (
        """
def f(x):
  d={'a':[x,x*2],'b':(x,Pt(x,2.))}
  s=0.
  for i in range(2):
    s = s+d['a'][i]*d['b'][1].x*d['b'][0]
  return s
""",
        (0.3,),
    ),
    (
        """
def f(d):
  s=0.
  for i in range(2):
    s = s+d['a'][i]*d['b'][1].x*d['b'][0]
  return s
""",
        ({"a": [1.0, 2.0], "b": (3.0, Pt(4.0, 5.0))},),
    ),
    (
        """
def f(d):
  return d['a']*2
""",
        ({"a": 1.0, "b": 2.0},),
    ),
    (
        """
def f(d):
  return d['a']['q']*d['b'][0]
""",
        ({"a": {"q": 1.0}, "b": [2.0]},),
    ),
    (
        """
def g(d):
  return d['a']*d['b']
def f(x):
  return g({'a':x,'b':x*2})
""",
        (3.0,),
    ),
    (
        """
def g(x):
  return {'a':x,'b':x*2}
def f(x):
  d=g(x)
  return d['a']*d['b']
""",
        (3.0,),
    ),
    (
        """
def f(x):
  d={'a':x,'b':x*2} if x>0 else {'a':x*x,'b':x}
  return d['a']*d['b']
""",
        (3.0,),
    ),
    (
        """
def f(x):
  d={'a':x,'b':x*2}
  for i in range(3):
    d = {'a':d['b'],'b':d['a']*x}
  return d['a']*d['b']
""",
        (3.0,),
    ),
    (
        """
def f(x):
  s=0.
  for i, a in enumerate(reversed(x)):
    s = s+a*i
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  s=0.
  for i, a in enumerate(reversed(range(2,5))):
    s = s+a*i*x
  return s
""",
        (2.0,),
    ),
    (
        """
def f(x):
  s=0.
  for i, a in zip(reversed(range(3)), reversed(x)):
    s = s+a*i
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  s=0.
  for i, a in enumerate(x, start=2):
    s = s+a*i
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  s=0.
  for i in reversed(range(len(x))):
    s = s*0.5+x[i]*i
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  s=0.
  for a, b in zip(x, x[1:]):
    s = s+a*b
  return s
""",
        (np.array([1.0, 2.0, 4.0]),),
    ),
    (
        """
def f(x):
  s=0.
  for a, b in zip(x, x[1:]):
    s = s+a*b
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  s=0.
  for a, (b, c) in zip(range(1,9,2), enumerate(x)):
    s = s+a*b*c
  return s
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  ys=x+[x[0]*2]
  return sum(ys)*ys[-1]
""",
        ([1.0, 2.0, 4.0],),
    ),
    (
        """
def f(x):
  ys=[x]
  for i in range(3):
    ys=ys+[ys[-1]*x]
  return sum(ys)*ys[-1]
""",
        (1.2,),
    ),
    (
        """
def f(x):
  ys=(x,)*3
  return sum(ys)*ys[-1]
""",
        (1.2,),
    ),
    (
        """
def f(x, w):
  n = len(x)
  for i in range(2): n = 1
  v = np.reshape(w, (n,))
  return np.sum(x * v)
""",
        (
            np.array([1.0, 2, 3]),
            np.array([2.0]),
        ),
    ),
    (
        """
def f(x, w, c):
  n = len(x) if c < 0 else 1
  v = np.reshape(w, (n,))
  return np.sum(x * v)
""",
        (
            np.array([1.0, 2, 3]),
            np.array([2.0]),
            1.0,
        ),
    ),
    (
        """
def f(x, w, c):
  n = len(x)
  if c > 0:
    n = n - 2
  v = np.ones(n)*w
  return np.sum((x * v)**2)
""",
        (
            np.array([1.0, 2, 3]),
            2.0,
            1.0,
        ),
    ),
    (
        """
def f(x, w, c):
  n = len(x)
  if c > 0:
    n = n - 2
  v = np.ones((n, 3))*w
  return np.sum((np.outer(x,x) * v)**2)
""",
        (
            np.array([1.0, 2, 3]),
            np.array([[2.0, 1.0, 2.0]]),
            1.0,
        ),
    ),
    (
        """
def f(x):
  return x
""",
        (V,),
    ),
    (
        """
def f(x):
  return x
""",
        (3.0,),
    ),
    (
        """
def f(x, y):
  return x + y
""",
        (
            V,
            V,
        ),
    ),
    (
        """
def f(x, y):
  return x + y
""",
        (
            V,
            V + 1,
        ),
    ),
    (
        """
def f(x):
  return x.T
""",
        (np.ones((2, 3)),),
    ),
    (
        """
def f(x):
  return x[::-1]
""",
        (V,),
    ),
    (
        """
def f(x, y):
  return np.sum(x*y)
""",
        (
            np.arange(3),
            2,
        ),
    ),
    (
        """
def f(x):
  return x*1
""",
        (np.float64(2.0),),
    ),
    (
        """
def f(x):
  return [a*2 for a in x][0]
""",
        ((1.0, 2.0),),
    ),
    (
        """
def f(x):
  return np.sum(np.array(x)**2)
""",
        ([[1.0, 2.0], [3.0, 4.0]],),
    ),
    (
        """
def f(xs):
  s = 0.
  for x in xs:
    s = s + np.sum(x*x)
  return s
""",
        ([V, V + 1],),
    ),
    (
        """
def f(xs):
  s = xs[0]
  for x in xs[1:]:
    s = s * x
  return np.sum(s)
""",
        ([V, V + 1, V + 2],),
    ),
    (
        """
def f(xs):
  return np.sum(sum(xs))
""",
        ([V, V + 1, V + 2],),
    ),
    (
        """
def f(x):
  while np.sum(x) > 1:
    x = x*0.5
  return np.sum(x*x)
""",
        (V,),
    ),
    (
        """
def f(x):
  y = np.zeros(3)
  for i in range(3):
    y = y + x[i]*np.eye(3)[i]
  return np.sum(y**2)
""",
        (V,),
    ),
    (
        """
def f(x):
  ys = []
  for i in range(3):
    ys = ys + [x[i]**2]
  return np.sum(np.stack(ys))
""",
        (V,),
    ),
    (
        """
def f(x):
  return f'{x:.1f}' and x*x
""",
        (3.0,),
    ),
    (
        """
def f(x):
  return {'a': [x, {'b': x*x}]}['a'][1]['b']
""",
        (3.0,),
    ),
    (
        """
def f(x):
  a, *b, c = [x, x*2, x*3, x*4]
  return a*b[1]*c
""",
        (3.0,),
    ),
    (
        """
def f(x):
  a = b = x*x
  a += 1
  return a*b
""",
        (3.0,),
    ),
    (
        """
def f(x):
  return (lambda *a, **k: a[0]*k['z'])(x, z=x*x)
""",
        (3.0,),
    ),
    (
        """
def f(x):
  g = lambda a: lambda b: a*b
  return g(x)(x*x)
""",
        (3.0,),
    ),
    (
        """
def f(x):
  fs = [lambda y: y*x, lambda y: y+x]
  return fs[0](2.0)*fs[1](x)
""",
        (3.0,),
    ),
    (
        """
def f(x):
  s=0.
  for g in [math.sin, math.cos, lambda y: y*y]:
    s = s + g(x)
  return s
""",
        (3.0,),
    ),
    (
        """
def f(x):
  def fib(n):
    if n < 2: return x
    return fib(n-1)*fib(n-2)
  return fib(5)
""",
        (1.1,),
    ),
    (
        """
def ev(n, x):
  return x if n == 0 else od(n-1, x*x)
def od(n, x):
  return ev(n-1, x+1)
def f(x):
  return ev(4, x)
""",
        (1.1,),
    ),
    (
        """
def f(x):
  if x is None: return 0.0
  return x*x
""",
        (1.1,),
    ),
    (
        """
def f(x, n):
  return x**n
""",
        (
            1.1,
            3,
        ),
    ),
    (
        """
def f(x):
  return x % 1.0 * x + x // 1.0
""",
        (2.3,),
    ),
    (
        """
def f(x):
  t = 0.
  for i in range(int(x)):
    t = t + x
  return t
""",
        (3.3,),
    ),
    (
        """
def f(x):
  i = 0
  while True:
    i += 1
    if i > 5: break
    if i % 2: continue
    x = x*x*0.5
  return x
""",
        (1.3,),
    ),
    (
        """
def f(x):
  for i in range(3):
    for j in range(3):
      if j > i: break
      x = x*0.5+j
    else_ = x
  return x*else_
""",
        (1.3,),
    ),
    (
        """
def f(x):
  for i in range(3):
    for j in range(3):
      if x > 20: return x*j
      x = x*x+j
  return x
""",
        (1.3,),
    ),
    (
        """
def f(x, y):
  return max(x, y)*min(x, y)
""",
        (
            1.0,
            1.0,
        ),
    ),
    (
        """
def f(x):
    s = 0.0
    for i in range(3):
        if i > 1:
            s = s + np.sum(y * x)
        else:
            y = x * x
    return s
""",
        (V,),
    ),
    (
        """
def f(x):
    for s in (1, x[0]):
        if x[2] > 5:
            return x[2]
        v = x - s
    return np.sum(v)
""",
        (V,),
    ),
    (
        """
def f(x, z):
    y = x
    for i in range(2):
        y = np.concatenate([x, z])
    return y[0]
""",
        (V, V + 1),
    ),
    (
        """
def f(x, z):
    y = x
    for i in range(2):
        y = np.concatenate([y, z]) if i > 0 else z * 2
    return np.sum(y**2)
""",
        (V[:1], V + 1),
    ),
    (
        """
def f(os, x):
    r = os[0]
    for o in os:
        r = o if o.w > 1 else [o][0]
    return r.w * x
""",
        ([Ob(2.0, 1.0), Ob(3.0, 1.0)], 3.0),
    ),
    (
        """
def f(o):
    return getattr(o, "w") * 2
""",
        (Ob(2.0, 1.0),),
    ),
]


@pytest.mark.parametrize(("text", "args"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_program(text: str, args: tuple[Any, ...]) -> None:
    check(define(text.lstrip(), scope={"Pt": Pt, "Ob": Ob}), *args)


SECOND = [
    """
def f(a):
    def g(z, k=0.7):
        if a:
            return z
        return (lambda q: math.tanh(q))(k)
    return g(a, a)
""",
    """
def f(a):
    for v in (2, 3):
        if a:
            return 1.0 < a < 2.0 and a / v
""",
    """
def f(a):
    xs = [(not e and a or e) * c for e in [a, 0.4] for c in [a, 0.3]]
    return xs[1]
""",
]


@pytest.mark.parametrize("text", SECOND)
def test_gradient_of_the_gradient(text: str) -> None:
    text = f"{text}\ndef second(a):\n    return gradient(f, a)[0] * 0.7\n"
    check(define(text, "second", {"gradient": gradient}), 0.3)


def test_a_buffer_does_not_overwrite_what_a_tape_keeps() -> None:
    text = """
def f(v):
    for _ in range(2):
        y = np.array([0.3, v[1]])[::1]
        v = np.tanh(y + v[1])
    return v[0]

def second(v):
    return np.sum(np.sin(gradient(f, v)[0]))
"""
    check(define(text, "second", {"gradient": gradient}), np.array([0.3, 0.06]))


def test_what_a_loop_goes_through_is_read_before_what_it_carries_is_set() -> None:
    text = """
def f(x):
    for _ in range(2):
        x = sum([x for j in range(3)])
    return x
"""
    assert check(define(text), 2.0) == (9.0,)


def test_partial_binds_arguments() -> None:
    apply = define("def apply(f, x):\n    return f(x)", "apply")
    scale = define("def scale(x, k=1.0):\n    return x * k", "scale")
    assert gradient(functools.partial(scale, k=5.0), 3.0) == (5.0,)
    assert gradient(apply, functools.partial(scale, k=2.0), 3.0) == (None, 2.0)
    assert gradient(apply, functools.partial(scale, k=4.0), 3.0) == (None, 4.0)


def test_a_seed_takes_the_precision_of_the_result() -> None:
    x = np.ones(3, np.float32)
    _, back = pullback(define("def f(x):\n    return np.sum(x)"), x)
    assert back(1.0)[0].dtype == back()[0].dtype == np.float32


def test_a_complex_seed_of_a_real_result_is_refused() -> None:
    _, back = pullback(define("def f(x):\n    return x * 2"), np.ones(2))
    with pytest.raises(Refused, match="ZYG502"):
        back(1j * np.ones(2))


def test_second_order_of_a_function_that_ignores_an_argument() -> None:
    text = """
def f(m, a):
    def g(z, k=0.5):
        if not k > 2.0:
            return z
        return np.sin(m)[1]
    if 2 < a:
        return a
    return g(m[0, 0], 0.7)

def second(m, a):
    return np.sum(gradient(f, m, a)[0])
"""
    check(define(text, "second", {"gradient": gradient}), np.ones((2, 3)), 0.3)


def test_defaults_changed_in_place() -> None:
    f = define("def g(x, k=2.0):\n    return x * k\n\ndef f(x):\n    return g(x)")
    assert gradient(f, 3.0) == (2.0,)
    f.__globals__["g"].__defaults__ = (7.0,)
    assert gradient(f, 3.0) == (7.0,)


def test_a_power_that_turns_complex_is_refused() -> None:
    f = define("def f(x):\n    return (x**0.5).real")
    assert gradient(f, 4.0) == (0.25,)
    with pytest.raises(Refused, match="ZYG202"):
        gradient(f, -4.0)
