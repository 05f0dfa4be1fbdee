"""Iterators that are consumed while, or after, what they read is changed: as lazy as Python's."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest
from helpers import check, define

from zyg_interactive import Refused, gradient

PROGRAMS = """
def kept_rebound(x):
    l = [x, x*2]
    g = (q*x for q in l)
    x = math.sin(x)
    return sum(g)


def kept_map_rebound(x):
    l = [x, x*2]
    g = map(lambda q: q*x, l)
    x = math.sin(x)
    return sum(g)


def kept_appended(x):
    l = [x, x*2]
    g = (q*x for q in l)
    l.append(x*3)
    return sum(g)


def zip_kept(x):
    l = [x, x*2]; m = [x, 3.0]
    z = zip(l, m)
    l[0] = x*5
    return sum(a*b for a, b in z)


def values_kept(x):
    d = {"a": x, "b": x*2}
    v = d.values()
    d["a"] = x*7
    return sum(v)


def items_kept(x):
    d = {"a": x, "b": x*2}
    v = d.items()
    d["c"] = x*7
    return sum(q for k, q in v)


def iter_kept(x):
    l = [x, x*2]
    i = iter(l)
    l.append(x*4)
    return sum(i)


def enumerate_kept(x):
    l = [x, x*2]
    i = enumerate(l)
    l.append(x*4)
    return sum(k*q for k, q in i)


def reversed_kept(x):
    l = [x, x*2]
    i = reversed(l)
    l[0] = (x*4)
    return sum(q for q in i)


def for_genexp_rebind(x):
    t = 0.0
    for u in (q*x for q in [1.0, 2.0, 3.0]):
        t += u
        x = math.sin(x)
    return t


def for_map_rebind(x):
    t = 0.0
    for u in map(lambda q: q*x, [1.0, 2.0, 3.0]):
        t += u
        x = math.sin(x)
    return t


def for_filter_rebind(x):
    t = 0.0
    for u in filter(lambda q: q*x < 1.6, [1.0, 2.0, 3.0]):
        t += u * x
        x = math.sin(x)*2
    return t


def for_genexp_memory(x):
    t = 0.0
    l = [x, 2*x, 3*x]
    m = [1.0, 1.0, 1.0]
    for u in (q*m[0] for q in l):
        t += u
        m[0] *= x
    return t


def for_enumerate_gen(x):
    t = 0.0
    for i, u in enumerate(q*x for q in [1.0, 2.0, 3.0]):
        t += u * i
        x = math.sin(x)
    return t


def for_zip_gen(x):
    t = 0.0
    for i, u in zip([1.0, 2.0, 3.0], (q*x for q in [1.0, 2.0, 3.0])):
        t += u * i
        x = math.sin(x)
    return t


def genfun_ok(x):
    def gen(l):
        for q in l:
            yield q * l[0]
    out = []
    l = [x, x*2, x*3]
    for u in gen(l):
        out.append(u)
    return sum(out)


def comp_over_gen_memory(x):
    l = [x, x*2, x*3, x*4]
    m = [1.0]
    def h(u):
        m[0] *= 2.0
        return u
    return sum([h(u) * m[0] for u in (q * m[0] for q in l)])


def comp_over_gen_pure(x):
    l = [x, x*2, x*3, x*4]
    l.append(x)
    return sum([u * 2 for u in (q * x for q in l)])


def any_lazily(x):
    l = [x, x*2]
    l.append(x)
    n = [0]
    def h(q):
        n[0] += 1
        return q > 0.5
    any(h(q) for q in l)
    return x * n[0]


def nested_gen(x):
    t = 0.0
    for u in (q*x for q in (r*x for r in [1.0, 2.0])):
        t += u
        x = math.sin(x)
    return t


def gen_cond_break(x):
    t = 0.0
    for u in (q*x for q in [1.0, 2.0, 5.0, -1.0] if q * x < 3.0):
        if u > 3: continue
        t += u
        x = math.sin(x) + 1
        if t > 4: break
    else:
        t = t * 2
    return t


def return_in_gen_loop(x):
    def h(l, x):
        for u in (q*x for q in l):
            x = x + 0.5
            if u > 1: return u * x
        return x
    return h([x, x*3.0, x*5.0], x)


def zip_changed_in_loop(x):
    l = [x, x*2]; m = [x, 3.0]
    t = 0.0
    for a, b in zip(l, m):
        l[1] = x * 5
        t += a*b
    return t


def zip_unchanged_in_changing(x):
    l = [x, x*2]; m = [x, 3.0]
    l.append(x)
    t = 0.0
    for a, b in zip(l, m):
        t += a*b
    return t


def reversed_changed_in_loop(x):
    l = [x, x*2, x]
    t = 0.0
    for a in reversed(l):
        l[0] = x * 5
        t += a
    return t


def enumerate_changed(x):
    l = [x, x*2, x]
    t = 0.0
    for i, a in enumerate(l):
        l[(i+1)%3] = a * 5
        t += a
    return t


def dict_zip(x):
    l = [x, x*2, x*3]
    s = dict(zip("abc", l))
    return s["a"]*s["c"]


def zip_star(x):
    l = [(x, 1.0), (x*2, x)]
    a, b = zip(*l)
    return a[1]*b[1]


def unpack_enumerate(x):
    l = [x, x*2]
    (i, a), (j, b) = enumerate(l)
    return a * j + b


def dict_views(x):
    d = {"a": x, "b": x*2}
    k, v = d.keys(), d.values()
    d["c"] = x*x
    return len(k) * sum(v)


def items_loop(x):
    d = {"a": x, "b": x*2}
    d["c"] = x*x
    t = 0.0
    for k, v in d.items():
        t += len(k) * v
    return t
"""
# What a loop and a generator do by turns, which is not followed.
REFUSED = """
def zip_passed(x):
    def h(z, l):
        l[1] = 5*x
        return sum(a*b for a, b in z)
    l = [x, x*2]; m = [x, 3.0]
    return h(zip(l, m), l)


def genfun_rebind(x):
    def gen():
        yield x
        yield x*2
    t = 0.0
    for u in gen():
        t += u
        x = math.sin(x)
    return t


def genfun_memory(x):
    def gen(l):
        for q in l:
            yield q * l[0]
    t = 0.0
    l = [x, x*2, x*3]
    for u in gen(l):
        t += u
        l[0] *= 0.5
    return t


def islice_del(x):
    l = [x, x*2, x*3, x*4]
    t = 0.0
    for u in itertools.islice(l, 3):
        t += u
        del l[0]
    return t


def multi_gen(x):
    t = 0.0
    for u in (q*x*r for q in [1.0, 2.0] for r in [1.0, 3.0]):
        t += u
        x = math.sin(x)
    return t


def zip_append_in_loop(x):
    l = [x, x*2]; m = [x, 3.0, 2.0]
    t = 0.0
    for a, b in zip(l, m):
        if len(l) < 3: l.append(x)
        t += a*b
    return t
"""
SCOPE: dict[str, Any] = {"itertools": itertools, "math": math}


def names(text: str) -> list[str]:
    return re.findall(r"^def (\w+)\(x\)", text, re.M)


@pytest.mark.parametrize("name", names(PROGRAMS))
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 0.7)


@pytest.mark.parametrize("name", names(REFUSED))
def test_refused(name: str) -> None:
    with pytest.raises(Refused):
        gradient(define(REFUSED, name, SCOPE), 0.7)
