"""Derivatives of derivatives of calls whose callee or types only the run knows, in programs that
change lists, dicts, objects and arrays.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import Any

import numpy as np
import pytest
from helpers import define, differences

from zyg_interactive import Params, Refused, gradient

PROGRAMS = """
@dataclasses.dataclass
class Unit:
    w: float
    def __call__(self, q): return self.w * q * q


@dataclasses.dataclass
class Store:
    kind: str
    value: float = 0.0
    keep: list = dataclasses.field(default_factory=list)
    def put(self, q): self.value = self.value + q * q * q


def push(l, q): l.append(q * q * q)
def scale(a, q): a *= q
def first(a, q): a[0] = a[1] * q * q
def change(o, q): o.value = o.value * q + q * q
def many(q): return [q * q, q * q * q]
def pair(q): return q * q, np.array([q, q * q])
def row(q): return np.array([q * q, np.sin(q)])


TABLE = {'sq': lambda q: q * q, 'sin': np.sin, 'push': push, 'scale': scale, 'first': first,
         'change': change, 'many': many, 'pair': pair, 'row': row, 'dot': lambda a, b: a @ b,
         'all': lambda l: sum(l) * l[0], 'of_dict': lambda d: d['a'] * d['b'] * d['a'],
         'of_object': lambda o: o.value ** 3, 'of_view': lambda a: np.sum(a ** 3)}


def table(x, y):
    keep = []
    for k in ['sin', 'sq'][: int(y > -9) + 1]:
        keep.append(TABLE[k](x) * y)
    return keep[0] * keep[1]


def pushes(x, y):
    keep = [x]
    held = {'a': keep}
    held['a'].append(y)
    for _ in range(2):
        TABLE['pus' + 'h' * int(y > -9)](keep, x * keep[1])
    return TABLE['al' + 'l' * int(y > -9)](keep)


def scales(x, y):
    a = np.array([x, y, x * y])
    a[2] = a[0] * y
    for k in ['scale', 'first'][:int(y > -9) + 1]:
        TABLE[k](a, y)
    return np.sum(a * a)


def changes(x, y):
    o = Store('a')
    o.value = x * y
    for _ in range(2):
        TABLE['chang' + 'e' * int(y > -9)](o, x)
    return TABLE['of_objec' + 't' * int(y > -9)](o) * y


def method(x, y):
    stores = {'a': Store('a'), 'b': Store('b')}
    for k in sorted(stores):
        stores[k].put(x * y)
        x = x + TABLE['of_objec' + 't' * int(y > -9)](stores[k])
    return x * y


def lists(x, y):
    l = []
    l.append(x * y)
    l.append(y)
    return TABLE['al' + 'l' * int(y > -9)](l) * x


def dicts(x, y):
    d = {'a': x}
    d['b'] = x * y
    return TABLE['of_dic' + 't' * int(y > -9)](d) * d['a']


def objects(x, y):
    o = Store('a')
    o.value = x * y
    return TABLE['of_objec' + 't' * int(y > -9)](o) * x


def views(x, y):
    a = np.array([x, y, x * y, 1.0])
    a[1:] *= x
    z = TABLE['of_vie' + 'w' * int(y > -9)](a[1:3])
    a[2] = y
    return z * np.sum(a * a)


def returned_list(x, y):
    keep = []
    l = TABLE['man' + 'y' * int(y > -9)](x * y)
    keep.append(l[0] * l[1])
    return keep[0] * y


def returned_pair(x, y):
    keep = []
    s, a = TABLE['pai' + 'r' * int(y > -9)](x * y)
    a[0] = a[1] * s
    keep.append(np.sum(a))
    return keep[0] * y


def returned_array(x, y):
    a = TABLE['ro' + 'w' * int(y > -9)](x * y)
    b = a * a
    a[0] = y * x
    return np.sum(a * b)


def handed_on(x, y):
    a = np.array([x, y])
    b = [lambda q: q, np.sin][int(y < -9)](a)
    b[0] = x * y * y
    return np.sum(a * a) + b[1] * b[1]


def recursive(x, y):
    def walk(q, n, keep):
        keep.append(q * q)
        return q if n == 0 else ways[n % 2](q * y, n - 1, keep)
    ways = [walk, walk]
    keep = []
    return ways[int(y < -9)](x, 3, keep) * sum(keep)


def nested(x, y):
    keep = []
    inner = {'a': lambda q: q * q * y}
    outer = {'a': lambda k, q: inner[k](q) * inner[k](q * y)}
    for k in sorted(outer):
        keep.append(outer[k](k, x))
    return keep[0] * y


def cells(x, y):
    total = x
    def more(q):
        nonlocal total
        total = total * q + q * q
    def less(q):
        nonlocal total
        total = total - q * y
    for f in {'a': more, 'b': less}.values():
        f(y * x)
    return total * total


def rebound(x, y):
    f = {'s': np.sin, 't': lambda q: q * y}['st'[int(y > -9)]]
    l = [x * 0.5, y, 0.3]
    z = f(x)
    y, x = x, sum(map(lambda q: q * y, l))
    return x * x + y * f(y) * z


def callables(x, y):
    units = [Unit(x), Unit(x * y)]
    keep = []
    for u in units:
        keep.append(u(y))
    keep.append(x * y)
    return keep[0] * keep[1] * keep[2] * units[0](x)


def queue(x, y):
    last = deque(maxlen=2)
    out = []
    for q in [x, y, x * y, x + y]:
        last.append(q)
        out.append(sum(last) / len(last))
    return np.var(out)


def in_a_loop(x, y):
    a = np.zeros(4)
    for i in range(4):
        f = [np.sin, np.cos, TABLE['sq']][i % 3]
        a[i] = f(x * (i + 1)) * (a[i - 1] if i else y)
    return np.sum(a)
"""
NAMES = [line[4 : line.index("(")] for line in PROGRAMS.split("\n") if line.endswith("(x, y):")]
BOTH = """

def first(x, y):
    g, h = gradient({name}, x, y)
    return (0.0 if g is None else 0.7 * g) + (0.0 if h is None else 0.4 * h)


def one(x, y):
    return gradient(lambda q: {name}(q, y), x)[0]


def twice(x, y):
    g, h = gradient(first, x, y)
    return (0.0 if g is None else 0.3 * g) + (0.0 if h is None else 0.9 * h)
"""
SCOPE = {"gradient": gradient, "deque": deque, "__name__": "programs", "dataclasses": dataclasses}
AT = (0.7, -0.4)


def numbers(found: Any) -> Any:
    return np.array([0.0 if g is None else g for g in found])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", ["first", "one", "twice"])
def test_derivatives_of_derivatives(name: str, of: str) -> None:
    f = define(PROGRAMS + BOTH.format(name=name), of, SCOPE)
    np.testing.assert_allclose(numbers(gradient(f, *AT)), differences(f, AT), rtol=1e-5, atol=1e-6)


def test_params_of_a_derivative_are_refused() -> None:
    source = """
W = np.array([0.4, -0.7])
T = {'p': lambda x: np.sum(W * x) ** 3, 'q': lambda x: x}
def f(x): return T['p' if x > -9 else 'q'](x) * x
def df(x): return gradient(f, x)[0]
"""
    df = define(source, "df", SCOPE)
    with pytest.raises(Refused, match="ZYG105"):
        gradient(lambda: df(0.7), Params([df.__globals__["W"]]))


@pytest.mark.parametrize("arg", ["0.7", "W[0]"])
def test_globals_through_a_call_of_a_call(arg: str) -> None:
    """What a late call reaches has a cotangent though nothing that it is given has one."""
    f = define(
        "def lin(x):\n    return np.sum(W * W) * x\n\ntable = {'a': lin, 'b': np.sin}\n\n"
        f"def f(x):\n    return table['a' if x > 0 else 'b'](x)\n\ndef g():\n    return f({arg})",
        "g",
        {"W": np.array([1.0, 2.0])},
    )
    w = f.__globals__["W"]
    want = {"0.7": [1.4, 2.8], "W[0]": [7, 4]}[arg]
    np.testing.assert_allclose(gradient(f, Params([w]))[w], want)


def test_globals_through_a_late_call_in_a_program_that_changes_a_list() -> None:
    f = define(
        "def lin(x):\n    return np.sum(W * x)\n\ntable = {'a': lin, 'b': np.sin}\n\n"
        "def f():\n    kept = [0.7]\n    kept.append(1.0)\n"
        "    return table['a' if kept[0] > 0 else 'b'](kept[0])",
        scope={"W": np.array([1.0, 2.0])},
    )
    with pytest.raises(Refused, match="ZYG105"):
        gradient(f, Params([f.__globals__["W"]]))


def test_twice_through_a_program_that_reads_a_text() -> None:
    """A late call of which nothing is asked keeps what its pullback needs all the same."""
    f = define(
        "def parsed(text):\n    words, place = text.replace('(', ' ( ').split(), 0\n\n"
        "    def read():\n        nonlocal place\n        place += 1\n"
        "        return words[place - 1]\n    return [read(), read()]\n\n"
        "def f(x):\n    return {'a': x}[parsed('(a')[1]] ** 2 * x\n\n"
        "def g(x):\n    return gradient(f, x)[0] ** 2",
        "g",
        {"gradient": gradient},
    )
    np.testing.assert_allclose(gradient(f, 1.3)[0], 2 * (3 * 1.3**2) * 6 * 1.3)


# What a late call does to a list or dict of a program that changes nothing itself.
CHANGED = {
    "append": ("keep = [x]\n    T[key + 'app'](keep, x)", "keep[1] * keep[-1]"),
    "append in a loop": (
        "keep = [x]\n    for k in range(3):\n        T[key + 'app'](keep, x * k)",
        "sum(keep) * keep[3]",
    ),
    "append in a branch": ("keep = [x]\n    if x > 0:\n        T[key + 'app'](keep, x)", "keep[1]"),
    "append, unpacked": ("keep = [x]\n    T[key + 'app'](keep, x)\n    a, b = keep", "a * b * b"),
    "append by another name": (
        "keep = [x]\n    other = keep\n    T[key + 'app'](other, x)",
        "keep[1]",
    ),
    "append in a callee": ("keep = [x]\n    g(keep, key, x)", "keep[1]"),
    "append in a closure": (
        "keep = [x]\n    def w():\n        T[key + 'app'](keep, x)\n    w()",
        "keep[1]",
    ),
    "a list in a list": ("b = [[x], x]\n    T[key + 'app'](b[0], x)", "b[0][1] * b[1]"),
    "a store": ("keep = [x, x * x]\n    T[key + 'set'](keep, x)", "keep[0] * keep[1]"),
    "a dict": ("d = {'a': x}\n    T[key + 'dict'](d, x)", "d['b'] * d['a']"),
    "of a known key": ("keep = [x]\n    T['app'](keep, x)", "keep[1] * keep[0]"),
    "sorted names": ("s = x\n    for k in sorted(['sq', key + 'lin']):\n        s = T[k](s)", "s"),
    "sorted names in a list": ("v = [T[k](x) for k in sorted(['sq', 'lin'])]", "v[0] * v[1]"),
    "sorted names of a late call": ("k = sorted(['sq', 'lin'])", "T[key + 'all'](k, x)"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_changes_of_a_program_that_changes_nothing_itself(name: str) -> None:
    body, result = CHANGED[name]
    f = define(
        "T = {'app': lambda p, q: p.append(q * q), 'set': lambda p, q: p.__setitem__(0, q**3),\n"
        "     'dict': lambda p, q: p.update(b=q * q), 'sq': lambda q: q * q,\n"
        "     'lin': lambda q: 3 * q + 1, 'all': lambda ks, q: sum(T[k](q) for k in ks)}\n\n"
        "def g(keep, key, x):\n    T[key + 'app'](keep, x)\n\n"
        f"def f(x, key=''):\n    {body}\n    return {result}\n\n"
        "def h(x):\n    return gradient(f, x, '')[0]",
        "h",
        {"gradient": gradient},
    )
    for function, order in ((f.__globals__["f"], gradient), (f, gradient)):
        (found,) = order(function, 1.3)
        np.testing.assert_allclose(found, differences(function, (1.3,))[0], rtol=1e-5)


def test_a_change_by_a_late_call_that_also_returns_is_refused_where_nothing_else_changes() -> None:
    f = define(
        "T = {'pop': lambda p, q: p.pop() * q, 'at': lambda p, q: p[0]}\n\n"
        "def f(x, key):\n    keep = [x, x * x]\n    y = T[key](keep, x)\n    return y * keep[-1]"
    )
    with pytest.raises(Refused, match="ZYG103"):
        gradient(f, 1.3, "pop")


def test_an_item_that_is_not_there() -> None:
    f = define(
        "def f(x):\n    t = (x,)\n    try:\n        return t[1]\n"
        "    except IndexError:\n        return x * x"
    )
    assert gradient(f, 3.0) == (6.0,)
    with pytest.raises(Refused, match="ZYG104"):
        gradient(define("def f(x):\n    return [x][1] * x"), 3.0)
