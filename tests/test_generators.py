"""Iterators that are consumed while, or after, what they read is changed: as lazy as Python's."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import operator
import re
from typing import Any

import pytest
from helpers import check, check_second, define, names

from zyg_interactive import Refused, gradient, withgradient

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
# Iterators that are kept, or take turns with other code: objects that are gone on with.
KEPT = """
def sent_one_after_the_other(x):
    def g():
        a = yield x
        b = yield a * x
        if b > 0:
            c = yield a * b
        else:
            c = yield b
        for i in range(2):
            d = yield c * i * x
            c = c + d
        yield a * b * c * x
    it = g()
    next(it)
    p = it.send(x * x)
    q = it.send(p)
    r = it.send(q * p)
    return p * q * r * it.send(r * x) * it.send(x)


def averaged(x):
    def average():
        total, n, a = 0.0, 0, None
        while True:
            v = yield a
            n += 1
            total += v
            a = total / n
    it = average()
    next(it)
    for k in range(1, 4):
        m = it.send(x**k)
    return m


def first_in_a_handler(x):
    l = [x, x*2, 0.3]
    try:
        if x > 0.5: raise ValueError
    except ValueError:
        with contextlib.suppress(ValueError):
            y = np.tanh(x)
        l.append(y)
        x = next(iter(l))*x
    return x + sum(l)


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


def sq(it):
    for v in it:
        yield v * v


def gen(x, n=3):
    for i in range(n):
        yield x * (i + 1)


def total(it):
    t = 0.0
    for v in it:
        t += v
    return t


def made_by(x, n=4):
    return gen(x * x, n)


def powers_of(base):
    v = base
    while True:
        yield v
        v *= base


def passed(x):
    return total(gen(x)) * x


def pipe(x):
    def src():
        v = x
        for _ in range(5):
            yield v
            v *= x
    return sum(itertools.islice(sq(src()), 3))


def three(x):
    return sum(sq(sq(gen(x))))


def kept_once(x):
    g = gen(x)
    y = math.sin(x)
    return sum(g) * y


def returned(x):
    t = 0.0
    for v in made_by(x):
        t += v * v
    return t


def alternately(x):
    g = gen(x, 6)
    a = next(g)
    t = 0.0
    for v in g:
        t += v * a
        a = next(g, x)
    return t


def infinite_islice(x):
    return sum(itertools.islice(powers_of(x), 4))


def infinite_zip(x):
    return sum(a * b for a, b in zip([1.0, 2.0, 3.0], powers_of(x)))


def infinite_break(x):
    t = 0.0
    for v in powers_of(x):
        t += v
        if v < 0.1:
            break
    return t


def infinite_takewhile(x):
    return sum(itertools.takewhile(lambda v: v > 0.1, powers_of(x)))


def chained(x):
    return sum(itertools.chain(gen(x), gen(x * x)))


def islice_of_map(x):
    return sum(itertools.islice(map(lambda v: v * x, gen(x)), 1, None, 2))


def tee2(x):
    a, b = itertools.tee(gen(x))
    next(b)
    return sum(p * q for p, q in zip(a, b))


def cycled(x):
    return sum(itertools.islice(itertools.cycle(gen(x)), 7))


def genexp_kept(x):
    g = (v * x for v in [1.0, x, 2.0])
    a = next(g)
    x = math.sin(x)
    return a * sum(g)


class Node:
    def __init__(self, v, kids=()):
        self.v = v
        self.kids = list(kids)
    def walk(self):
        yield self
        for k in self.kids:
            yield from k.walk()


def tree_walk(x):
    t = Node(x, [Node(x * x, [Node(2 * x)]), Node(3.0)])
    return sum(n.v ** 2 for n in t.walk())


def tree_loop(x):
    t = Node(x, [Node(x * x, [Node(2 * x)]), Node(3.0)])
    r = 0.0
    for n in t.walk():
        r += n.v ** 2
        n.v = r
    return r + t.v * t.kids[0].v


class Tree:
    def __init__(self, v, left=None, right=None):
        self.v, self.left, self.right = v, left, right
    def walk(self):
        if self.left is not None:
            yield from self.left.walk()
        yield self.v
        if self.right is not None:
            yield from self.right.walk()


def in_order(x):
    t = Tree(x, Tree(x * x), Tree(2 * x, None, Tree(x ** 3)))
    return sum(k * v for k, v in enumerate(t.walk()))


def perms(items):
    if not items:
        yield []
    for k in range(len(items)):
        for rest in perms(items[:k] + items[k + 1:]):
            yield [items[k]] + rest


def permutations(x):
    t = 0.0
    for p in perms([x, x * x, 2.0]):
        t += p[0] * p[1] - p[2]
    return t


def average():
    total, n = 0.0, 0
    value = 0.0
    while True:
        new = yield value
        total += new
        n += 1
        value = total / n


def appended(x):
    l = [x, 2 * x]
    def g():
        for q in l:
            yield q * x
    t = 0.0
    for u in g():
        t += u
        if len(l) < 5:
            l.append(u)
    return t


def local_pipeline(x):
    def read(n):
        k = 0
        while k < n:
            yield x + k
            k += 1
    def scaled(it, s):
        for v in it:
            yield v * s
    def smoothed(it):
        last = next(it)
        for v in it:
            yield 0.5 * (v + last)
            last = v
    return sum(v * v for v in smoothed(scaled(read(4), x)))


def stop_twice(x):
    g = gen(x, 1)
    a = next(g)
    t = next(g, x * x)
    return a * t + sum(g)


def in_a_loop(x):
    g = gen(x, 6)
    t = 0.0
    for k in range(3):
        t += next(g) * k
    return t + sum(g)


def in_a_list(x):
    gs = [gen(x), gen(x * x)]
    t = 0.0
    for k in range(2):
        for g in gs:
            t = t * x + next(g)
    return t


def return_in(x):
    def g(l):
        for v in l:
            if v > 1.5:
                return
            yield v
        yield 7.0
    it = g([x, 2 * x, 3 * x])
    return next(it) * sum(it)


def else_in(x):
    def g(l):
        for v in l:
            if v > 5:
                break
            yield v
        else:
            yield x * 5
        k = 3.0
        while k > 1:
            yield k * x
            k -= 1
        else:
            yield k
    it = g([x, 2 * x])
    return next(it) * sum(it)


class Node2:
    def __init__(self, v, kids=None):
        self.v = v
        self.kids = kids if kids is not None else []
    walk = Node.walk


class Node3:
    def __init__(self, v):
        self.v = v
        self.kids = []
    def add(self, k):
        self.kids.append(k)
        return self
    walk = Node.walk


def tree_walk2(x):
    t = Node2(x, [Node2(x * x, [Node2(2 * x)]), Node2(3.0)])
    return sum(n.v ** 2 for n in t.walk())


def tree_walk3(x):
    t = Node3(x).add(Node3(x * x).add(Node3(x * 3.0)))
    return sum(n.v ** 2 for n in t.walk())


def tree_list(x):
    t = Node2(x, [Node2(x * x, [Node2(2 * x)]), Node2(3.0)])
    return sum([n.v ** 2 for n in list(t.walk())])


def sends(x):
    a = average()
    next(a)
    t = 0.0
    for k in (1.0, 2.0, 3.0):
        t += a.send(k * x) * x
    return t


def sent_none(x):
    def g():
        y = yield x
        yield x * 2 if y is None else y
    return sum(g())


def skip_user(x):
    d = Down(x * 3)
    next(d)
    return d.n


def while_else(x):
    def g(l):
        k = 3.0
        while k > 1:
            yield k * x
            k -= 1
        else:
            yield k
    return sum(g([x, 2 * x]))


def for_else(x):
    def g(l):
        for v in l:
            if v > 5:
                break
            yield v
        else:
            yield x * 5
    return sum(g([x, 2 * x]))


def args_gen(x, *rest, scale=1.0, **more):
    for r in rest:
        yield r * scale * x
    for k, v in more.items():
        yield v * x


def star_kept(x):
    g = args_gen(x, 1.0, 2.0, scale=x, a=3.0)
    return next(g) * sum(g)


def comp_over(x):
    g = gen(x, 4)
    next(g)
    return sum([v * w for v in g for w in (1.0, x)])


def dict_of(x):
    g = gen(x)
    next(g)
    d = {k: v * x for k, v in enumerate(g)}
    return d[0] * d[1]


def unpacked(x):
    g = gen(x)
    a = next(g)
    b, c = g
    return a * b + c


def starred(x):
    def f3(a, b): return a * b
    g = gen(x)
    next(g)
    return f3(*g)


def extended(x):
    l = [x]
    g = gen(x)
    next(g)
    l.extend(g)
    l += gen(x)
    return sum(v * k for k, v in enumerate(l))


def reduced(x):
    g = gen(x)
    next(g)
    return functools.reduce(lambda a, b: a * b + x, g)


def any_of(x):
    g = gen(x, 5)
    t = x if any(v > 1.0 for v in g) else 2 * x
    return t * sum(g)


def maxmin(x):
    g = gen(x, 5)
    a = next(g)
    return max(g) * a + min(gen(x)) + sorted(gen(x), reverse=True)[0]


def in_object(x):
    class_ = Box(gen(x, 5))
    return class_.take() + class_.take() * x


class Box:
    def __init__(self, it):
        self.it = it
    def take(self):
        return next(self.it)


class Series:
    def __init__(self, x):
        self.x = x
    def __iter__(self):
        k = 1.0
        while True:
            yield self.x ** k
            k += 1


def series(x):
    t = 0.0
    for k, v in enumerate(Series(x)):
        if v < 0.1: break
        t += v * k
    return t


def zip_series(x):
    return sum(a * b for a, b in zip([1.0, 2.0, 3.0], Series(x)))


def chunks(items, n):
    it = iter(items)
    while True:
        part = list(itertools.islice(it, n))
        if not part:
            return
        yield part


def batches(x):
    t = 0.0
    for p in chunks([x, 2 * x, 3 * x, 4 * x, 5 * x], 2):
        t += sum(p) ** 2
    return t


def fib():
    a, b = 1.0, 1.0
    while True:
        yield a
        a, b = b, a + b


def fibs(x):
    return sum(v * x ** k for k, v in enumerate(itertools.islice(fib(), 6)))


def newton(f, df, x):
    while True:
        x = x - f(x) / df(x)
        yield x


def root(x):
    last = 2.0
    for r in newton(lambda r: r * r - x, lambda r: 2 * r, 1.0):
        if abs(r - last) < 1e-9:
            break
        last = r
    return r


def counted(x):
    t = 0.0
    for k in itertools.count(1):
        t += x ** k / k
        if k >= 6: break
    t += sum(v * x for v in itertools.islice(itertools.count(0.5, x), 3))
    return t + sum(itertools.repeat(x, 3))


def interleave(*its):
    its = [iter(i) for i in its]
    while its:
        for it in list(its):
            try:
                yield next(it)
            except StopIteration:
                its.remove(it)


def interleaved(x):
    return sum(v * k for k, v in enumerate(interleave([x, 2 * x], [x * x])))


def lazily(x):
    log = []
    def src():
        for k in range(4):
            log.append(k)
            yield x * k
    g = src()
    a = next(g) + next(g)
    n = len(log)
    return a * n + sum(g) * len(log)


def generator_in_branch(x):
    g = gen(x, 4)
    if x > 0.5:
        t = next(g)
    else:
        t = x
    return t * sum(g)


def array_gen(x):
    def rows(a):
        for r in a:
            yield r * x
    g = rows(np.array([[1.0, 2.0], [3.0, 4.0]]))
    return next(g)[1] * sum(next(g))


def array_store(x):
    a = np.zeros(3)
    def fill():
        for k in range(3):
            a[k] = x * (k + 1)
            yield a[k] * x
    t = 0.0
    for v in fill():
        t += v * a[0] + a.sum()
    return t


def dict_in(x):
    d = {"a": x, "b": 2 * x}
    def g():
        for k, v in d.items():
            yield v * len(k)
    t = 0.0
    for v in g():
        d["b"] = d["b"] * x
        t += v
    return t + sum(d.values())


def vals_in(x):
    d = {"a": x, "b": 2 * x}
    def g():
        for v in d.values():
            yield v * x
    t = 0.0
    for v in g():
        d["b"] = d["b"] * x
        t += v
    return t


def enumerated_and_left(x):
    it = iter([x, 2*x, 3*x, 4*x])
    for i, q in enumerate(it):
        if q > 1: break
    return q * sum(it)


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


def truth(x):
    g = gen(x)
    next(g)
    if g: return x * x
    return x


def isinst(x):
    g = gen(x)
    next(g)
    if isinstance(g, list): return x
    return sum(g)


def isnone(x):
    g = gen(x) if x > 0.5 else None
    if g is not None:
        return sum(g)
    return x


def copied_alias(x):
    g = gen(x)
    h = g
    a = next(g)
    return a * sum(h)


def in_tuple(x):
    t = (gen(x), 1.0)
    return sum(t[0]) + sum(t[0])


def closed_over(x):
    g = gen(x, 5)
    def take():
        return next(g)
    return take() + take() * x


def late(x):
    fs = {"a": lambda it: sum(it)}
    key = "a" if x > 0 else "b"
    return fs[key](gen(x))


def listed_twice(x):
    g = gen(x)
    a = list(g)
    b = list(g)
    return sum(a) * (1 + len(b))


def swapped(x):
    def g():
        a, b = x, 1.0
        for _ in range(4):
            a, b = b, a + b
            yield a
    it = g()
    return next(it) + sum(it)


class Plain:
    pass


def stored_in_object(x):
    a = np.zeros(3)
    p = Plain()
    p.a = a
    p.x = x
    def fill(p):
        p.a[1] = p.x * 2
    fill(p)
    return a.sum() * x


def stop_caught(x):
    g = gen(x, 1)
    try:
        v = next(g)
    except StopIteration:
        v = 1.0
    try:
        w = next(g)
    except StopIteration:
        w = x * x
    return v * w


def until_it_stops(x):
    g = gen(x)
    t = 0.0
    while True:
        try:
            v = next(g)
        except StopIteration:
            break
        t += v * v
    return t


def loop_in_try(x):
    g = gen(x)
    t = 0.0
    try:
        while True:
            t += next(g) * x
    except StopIteration:
        pass
    return t


def appended_until_it_stops(x):
    g = gen(x)
    out = []
    try:
        while True:
            out.append(next(g) * x)
    except StopIteration:
        out.append(x)
    return sum(out) * len(out)


def try_else(x):
    g = gen(x, 2)
    t = 0.0
    while True:
        try:
            v = next(g)
        except StopIteration:
            return t
        else:
            t += v * math.sin(v)


def two_in_a_try(x):
    g, h = gen(x, 3), iter([x, 2 * x])
    t = 0.0
    while True:
        try:
            a = next(g)
            b = next(h)
        except StopIteration:
            break
        t += a * b
    return t + sum(g)


def into_a_dict(x):
    d = {"n": 0.0}
    g = gen(x, 3)
    while True:
        try:
            d["n"] += next(g)
        except StopIteration:
            break
    return d["n"] * x


def caught_in_a_callee(x):
    def pull(g):
        try:
            return next(g)
        except StopIteration:
            return x
    g = gen(x, 2)
    return pull(g) * pull(g) * pull(g) * pull(g)


def by_its_method(x):
    g = gen(x, 3)
    t = 0.0
    while True:
        try:
            t += g.__next__()
        except StopIteration:
            break
    return t * x


def finally_around_next(x):
    g = gen(x, 2)
    t = 0.0
    n = 0
    while True:
        try:
            t += next(g)
        except StopIteration:
            break
        finally:
            n += 1
    return t * n * x


def expression_until_it_stops(x):
    g = (v * x for v in [1.0, 2.0, x])
    t = 0.0
    while True:
        try:
            v = next(g)
        except StopIteration:
            break
        t = t * x + v
    return t


def zip_until_it_stops(x):
    g = zip(gen(x), gen(x * x))
    t = 0.0
    while True:
        try:
            a, b = next(g)
        except StopIteration:
            break
        t += a * b
    return t


def enumerate_until_it_stops(x):
    g = enumerate([x, 2*x, x*x])
    t = 0.0
    while True:
        try:
            k, v = next(g)
        except StopIteration:
            break
        t += k * v * v
    return t


def value_of_the_stop(x):
    g = gen(x, 0)
    try:
        v = next(g)
    except StopIteration as e:
        v = x if e.value is None else 2.0
    return v * x


def nested_until_it_stops(x):
    t = 0.0
    for k in range(3):
        g = gen(x * (k + 1), k)
        while True:
            try:
                t += next(g) ** 2
            except StopIteration:
                break
    return t


def any_exception(x):
    def gen(n):
        for k in range(n):
            yield x * (k + 1)
    g = gen(2)
    t = 0.0
    while True:
        try:
            t += next(g)
        except Exception:
            break
    return t * x


def exhausted_by_a_loop(x):
    g = (v * x for v in [1.0, x])
    t = 0.0
    for v in g:
        t += v
    for v in g:
        t += v * 100
    return t * x


def exhausted_in_a_loop(x):
    g = (v * x for v in [1.0, x])
    t = 0.0
    for k in range(3):
        t += sum(g) + x
    return t


def view_by_iter_twice(x):
    d = {"a": x, "b": x * x}
    i = iter(d.items())
    t = sum(v for k, v in i)
    return t + sum(v * x for k, v in i)


def combinations_twice(x):
    r = itertools.combinations([x, x * x, 3.0], 2)
    return sum(a * b for a, b in r) * x + sum(a for a, b in r)


def product_by_hand(x):
    r = itertools.product([x, x * x], [3.0, x])
    a, b = next(r)
    return sum(a * b for a, b in r) * x + a * b


def contained_twice(x):
    g = (v for v in [1.0, 2.0, 3.0])
    return x * 2 if 2.0 in g and 2.0 in g else x * 3


def contained_then_summed(x):
    g = (v for v in [1.0, 2.0, 3.0])
    t = x * 2 if 2.0 in g else x * 3
    return t * sum(g)


def joined_twice(x):
    g = (str(k) for k in range(3))
    return x * len(",".join(g)) + len(",".join(g))


def pool_is_taken_at_once(x):
    l = [x, x * x, 3.0]
    r = itertools.combinations(l, 2)
    l[0] = 7.0
    return sum(a * b for a, b in r)


def pool_is_taken_at_once_2(x):
    l = [x, x * x]
    r = itertools.product(l, repeat=2)
    l.append(x)
    return sum(a * b for a, b in r)


def not_contained(x):
    g = (v * x for v in [1.0, x])
    return sum(g) if x * 5 not in g else next(g, x)


def contained_in_order(x):
    it = iter([1.0, 2.0, 3.0, x])
    t = 1.0
    for v in (1.0, 3.0):
        t = t * 3 if v in it else t
    return t * next(it)


def permutations_by_hand(x):
    r = itertools.permutations([x, x * x, 3.0], 2)
    a, b = next(r)
    return sum(p * p * q for p, q in r) * a + b


def view_and_its_iterator(x):
    d = {"a": x, "b": x * x}
    v = d.items()
    i = iter(v)
    k, q = next(i)
    return q * sum(q for k, q in v) + sum(q for k, q in i)


def values_by_hand(x):
    d = {"a": x, "b": x * x}
    d["c"] = x ** 3
    i = iter(d.values())
    a = next(i)
    return a * sum(i) + sum(i)


def in_a_try_in_a_loop(x):
    def risky(q):
        if q > 5:
            raise ValueError
        return q * 2
    l = [x, 2 * x]
    l.append(x)
    s = x
    for k in l:
        try:
            s = s + risky(x)
            g = (q * x for q in l)
            s = math.sin(s)
            s = s + sum(g)
        except ValueError:
            pass
        finally:
            s = s * x
    return s


@contextlib.contextmanager
def scaled(l, q):
    l.append(q)
    yield l[-1] * 2.0
    l.pop()


def in_a_context(x):
    l = [x]
    with scaled(l, x * x) as v:
        t = v * len(l)
    return t + l[0] * len(l)
"""
# Where the order is seen: in what is printed, and in a list that is changed.
SEEN = """
def tell(told, *what):
    print(*what)
    told.append(len(what))


def gen(x, told, n=3):
    for i in range(n):
        tell(told, "made", i)
        yield x * (i + 1)
    tell(told, "end")


def used(x, told):
    tell(told, "used")
    return x * x


def by_turns(x, told):
    t = 0.0
    for v in gen(x, told):
        t += used(v, told)
    return t


def left_early(x, told):
    t = 0.0
    for v in gen(x, told):
        t += v * x
        if t > 1.0:
            break
    return t


def of_a_slice(x, told):
    return sum(itertools.islice(gen(x, told), 2)) * x


def of_a_list(x, told):
    return sum([used(v, told) for v in gen(x, told)])


def of_an_expression(x, told):
    return sum(used(v, told) for v in gen(x, told))


def of_map(x, told):
    t = 0.0
    for v in map(lambda v: used(v, told), gen(x, told)):
        tell(told, "body")
        t += v
    return t


def zipped(x, told):
    return sum(a * b for a, b in zip([x, 2 * x], gen(x, told)))


def of_two(x, told):
    return sum(used(a, told) * b for a, b in zip(gen(x, told), gen(x * x, told)))


def by_hand(x, told):
    g = gen(x, told)
    a = next(g)
    tell(told, "between")
    return a * sum(g)


def passed_on(x, told):
    def twice(it):
        for v in it:
            tell(told, "twice")
            yield 2 * v
    t = 0.0
    for v in twice(gen(x, told)):
        t += used(v, told)
    return t


def until(x, told):
    return sum(itertools.takewhile(lambda v: v < 1.0, gen(x, told))) * x


def walk(x, told, n):
    if n > 0:
        yield from walk(x, told, n - 1)
        tell(told, "at", n)
        yield x ** n
        yield from walk(x, told, n - 2)


def recursive(x, told):
    t = 0.0
    for v in walk(x, told, 3):
        t += used(v, told)
    return t
"""
REFUSED = """
def in_a_lambda(x):
    g = lambda: (yield from [x, x * x])
    return sum(g())


def bound_before_it_raises(x):
    y = x
    try:
        y = (y := 1.5 * x) * math.sqrt(-x)
    except ValueError:
        pass
    return y


class Opaque:
    def __init__(self, kept):
        class Inner:
            values = [2.0]
        self.kept = kept


def kept_by_what_is_not_followed(x):
    l = [x]
    Opaque(l).kept.append(x * x)
    return sum(l) * x


def closed(x):
    g = iter_of(x)
    a = next(g)
    g.close()
    return a + sum(g)


def iter_of(q):
    yield q
    yield q * q


def zip_append_in_loop(x):
    l = [x, x*2]; m = [x, 3.0, 2.0]
    t = 0.0
    for a, b in zip(l, m):
        if len(l) < 3: l.append(x)
        t += a*b
    return t
"""
MADE = {
    "iter": ("iter(l)", "next(g) * next(g)"),
    "generator": ("(q * x for q in l)", "sum(g)"),
    "map": ("map(lambda q: q * x, l)", "sum(g)"),
    "zip": ("zip(l, [x, 2.0])", "sum(a * b for a, b in g)"),
    "combinations": ("itertools.combinations(l, 2)", "sum(a * b for a, b in g)"),
    "function": ("scaled_items(x * x, 3)", "sum(g)"),
    "tuple": ("(iter(l), x)", "next(g[0]) * g[1]"),
    "default": ("lambda q, r=x * l[0]: q * r", "g(x) * g(2.0)"),
    "default_of_gradient": ("gradient(lambda q, r=x * l[0]: q * q * r)", "g(x)[0]"),
}
ONLY_WAYS = {
    "match": """
    match [x, 0.5]:
        case [a, b]:
            l = [a * b, math.sin(x)]
            g = {made}
            l = None
        case _:
            raise ValueError
    return {used}
""",
    "elif": """
    if x > 9.0:
        raise ValueError
    elif x > 0.0:
        l = [x * 0.5, math.sin(x)]
        g = {made}
        l = None
    else:
        raise ValueError
    return {used}
""",
    "loop": """
    t = 0.0
    for k in (0.5, 0.3):
        match [x, k]:
            case [a, b]:
                l = [a * b, math.sin(x)]
                g = {made}
                l = None
            case _:
                raise ValueError
        t += {used}
    return t
""",
}
SCOPE: dict[str, Any] = {
    **{"itertools": itertools, "functools": functools, "math": math, "operator": operator},
    **{"contextlib": contextlib, "gradient": gradient},
    "__name__": "programs",
}


@pytest.mark.parametrize("name", names(PROGRAMS))
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 0.7)


@pytest.mark.parametrize("name", names(KEPT))
def test_kept(name: str) -> None:
    f = define(KEPT, name, SCOPE)
    check(f, 0.7)
    check_second(f, 0.7)


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("way", ONLY_WAYS)
def test_made_in_the_only_branch_that_is_gone_on_from(way: str, made: str) -> None:
    body = ONLY_WAYS[way].format(made=MADE[made][0], used=MADE[made][1])
    items = "def scaled_items(q, k):\n    for j in range(k):\n        yield q * j"
    f = define(f"{items}\n\n\ndef f(x):{body}", "f", SCOPE)
    check(f, 0.7)
    check_second(f, 0.7)


@pytest.mark.parametrize("name", re.findall(r"^def (\w+)\(x, told\)", SEEN, re.M)[1:])
def test_order(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Effects happen in the order of plain Python, and the derivatives are right."""
    text = f"{SEEN}\n\ndef f(x):\n    told = []\n    y = {name}(x, told)\n"
    both = define(f"{text}    return y, told\n", "f", SCOPE)
    value, told = both(0.7)
    printed = capsys.readouterr().out
    (found, noted), _ = withgradient(both, 0.7)
    assert capsys.readouterr().out == printed
    assert (found, noted) == (value, told)
    f = define(f"{text}    return y * (1 + len(told))\n", "f", SCOPE)
    check(f, 0.7)
    check_second(f, 0.7)


@pytest.mark.parametrize("name", names(REFUSED))
def test_refused(name: str) -> None:
    with pytest.raises(Refused):
        gradient(define(REFUSED, name, SCOPE), 0.7)
