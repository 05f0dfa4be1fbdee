"""Iterators that are consumed while, or after, what they read is changed: as lazy as Python's."""

from __future__ import annotations

import functools
import itertools
import math
import operator
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


class Down:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n < 0.2:
            raise StopIteration
        self.n = self.n * 0.5
        return self.n


def counted(xs, k=2):
    found = []
    for q in xs:
        if k <= 0:
            return found
        found.append(q * k)
        k -= 1
    return found


def list_or_none(x):
    return sum(counted([x, x * x, 0.3]))


def walrus_out_of_a_comprehension(x):
    y = 0.0
    l = [(y := q * x) for q in (1.0, 2.0)]
    return y * sum(l)


def walrus_in_a_comprehension_in_a_loop(x):
    y = x
    for n in range(2):
        l = [(y := math.sin(y)) * q for q in (1.0, 2.0)]
    return y * sum(l)


def walrus_alone(x):
    l = [(y := q * x) for q in (1.0, 2.0)]
    return y * sum(l)


def default_that_binds(x):
    y = x
    t = next((q for q in [x] if q > 5), (y := 0.5 * x))
    return y * t


def parted_dict(x):
    d = {"a": x, "b": x * x}
    k = [(u, q) for u, q in d.items()]
    return (k[0][1], k[1][1])[int(x > 0)]


def next_iter(x):
    l = [x, 2*x]
    l.append(x)
    return next(iter(l))


def next_iter2(x):
    l = [x, 2*x]
    return next(iter(l)) * next(iter([]), x)


def it_next(x):
    l = [x, 2*x, x*3]
    it = iter(l)
    a = next(it)
    b = next(it)
    return a * b + sum(it)


def it_next_default(x):
    it = iter([x, x*2])
    t = 0.0
    while True:
        q = next(it, None)
        if q is None: break
        t += q * q
    return t + next(it, x)


def it_stop(x):
    it = iter([x])
    a = next(it)
    try:
        a += next(it)
    except StopIteration:
        a *= 5
    return a


def it_for_break(x):
    it = iter([x, 2*x, 3*x, 4*x])
    for q in it:
        if q > 1: break
    return q * sum(it)


def it_in_loop(x):
    it = iter([x, 2*x, 3*x, 4*x])
    t = 0.0
    for a in it:
        t += a * next(it)
    return t


def it_live(x):
    l = [x, 2*x]
    it = iter(l)
    a = next(it)
    l.append(x*x)
    return a + sum(it)


def grow(x):
    l = [x, 2*x]
    t = 0.0
    for q in l:
        if len(l) < 5: l.append(q * x)
        t += q
    return t


def shrink(x):
    l = [x, 2*x, 3*x, 4*x]
    t = 0.0
    for q in l:
        if q > 0.8: l.remove(q)
        t += q
    return t


def user_iter(x):
    t = 0.0
    for q in Down(x * 3): t += q * q
    return t


def user_next(x):
    d = Down(x * 3)
    a = next(d)
    for q in d:
        a += q * q
    return a + next(d, x)


def user_sum(x):
    return sum(Down(x * 3))


def user_list(x):
    return sum([q * 2 for q in Down(x * 3)])


def accumulate_f(x):
    return sum(itertools.accumulate([x, 2*x, 3*x], operator.mul, initial=x))


def takewhile(x):
    l = [x, 2*x, 3*x]
    l.append(x)
    taken = sum(itertools.takewhile(lambda q: q < 2, l))
    return taken * sum(itertools.dropwhile(lambda q: q < 1, l))


def zip_longest(x):
    return sum(a*b for a, b in itertools.zip_longest([x, 2*x, 3*x], [x], fillvalue=x*x))


def mapping_rest(x):
    d = {"a": x, "b": x*2, "c": x*3}
    match d:
        case {"a": u, **rest}:
            return u * rest["b"] + len(rest)
    return x


def star_unknown(x):
    def many(k, *qs, s=1.0):
        t = k
        for i, q in enumerate(qs): t = t + q * i
        return t * s + len(qs)
    l = [x, 2*x]
    l.append(x*x)
    return many(x, *l) + many(*l, s=x) + many(1.0, x, *l)


def star_unknown2(x):
    def two(a, b): return a * b
    l = [q for q in [x, 2*x, -x] if q > 0]
    return two(*l) + max(*l)


def splat_dict(x):
    def many(a, **more): return a + sum(more.values())
    d = {"a": x, "b": x*2}
    e = {**d, "c": x}
    return many(**{"a": x, "bb": x*x}) * many(**d)


def next_gen(x):
    g = (q * x for q in [1.0, 2.0])
    return next(g)


def next_filter(x):
    return next(filter(lambda q: q > 1, [x, 2*x, 3*x])) * next(filter(None, []), x)


def sorted_rev(x):
    l = [x, 0.1, -x]
    return sorted(l, reverse=True)[0] * sorted(l)[0] * sorted((x, 2*x))[1]


def sorted_str(x):
    d = {"b": x, "a": x*x}
    return sum(d[k] * i for i, k in enumerate(sorted(d)))


def tuple_idx(x):
    t = 0.0
    for k in range(4):
        t += (x, x*x, 2.0)[k % 3] * k
    return t


def tuple_idx_2(x):
    p = (x, x*x)
    i = int(x > 0.1)
    return p[i] * p[i - 1]


def optional_dict(x):
    def g(x):
        if x > 0.1:
            d = {"a": x}
            d["b"] = x * x
            return d
    l = g(x)
    t = 0.0
    if l:
        t = sum(l.values()) * l["a"] + l.get("c", x)
        l["c"] = 3 * x
        t += sum(v for k, v in l.items()) + sum({**l}.values())
        l.update(a=x*x*x)
        for k in l: t += l[k]
        t += l.pop("a")
    return t
"""
# What a loop and a generator do by turns, which is not followed.
REFUSED = """
def enumerated_and_left(x):
    it = iter([x, 2*x, 3*x, 4*x])
    for i, q in enumerate(it):
        if q > 1: break
    return q * sum(it)


def bound_before_it_raises(x):
    y = x
    try:
        y = (y := 1.5 * x) * math.sqrt(-x)
    except ValueError:
        pass
    return y


def grouped(x):
    it = iter([x, 2*x, 3*x, 4*x])
    return sum(a*b for a, b in zip(it, it))


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
SCOPE: dict[str, Any] = {
    **{"itertools": itertools, "functools": functools, "math": math, "operator": operator},
    "__name__": "programs",
}


def names(text: str) -> list[str]:
    return re.findall(r"^def (\w+)\(x\)", text, re.M)


@pytest.mark.parametrize("name", names(PROGRAMS))
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 0.7)


@pytest.mark.parametrize("name", names(REFUSED))
def test_refused(name: str) -> None:
    with pytest.raises(Refused):
        gradient(define(REFUSED, name, SCOPE), 0.7)
