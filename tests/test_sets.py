"""Sets that are changed: of names and objects that were seen, and of numbers, which carry their
derivative; the order of their items is that of Python.
"""

from __future__ import annotations

from typing import Any

import pytest
from helpers import check, check_second, define, names

from zyg_interactive import Refused, derivative, gradient, pullback

PROGRAMS = """
import collections
import copy
import dataclasses
import functools
import heapq
import itertools
import operator

from zyg_interactive import checkpointed, derivative, gradient

SEEN = set()


class Node:
    def __init__(self, w, children=()):
        self.w = w
        self.children = list(children)
        self.seen = set()

    def mark(self, s):
        s.add(self)
        self.seen.add(self.w)


def visited(x):
    a = Node(x); b = Node(x * x, [a]); c = Node(x * 3, [a, b])
    seen = set()
    todo = [c]
    total = 0.0
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        total = total + node.w ** 2
        todo.extend(node.children)
    return total


def names_seen(x):
    seen = set()
    t = 0.0
    for name in ["a", "b", "a", "c"]:
        if name not in seen:
            seen.add(name)
            t = t * x + x
    return t * len(seen)


def objects_read_back(x):
    s = set()
    for i in range(3):
        s.add(Node(x ** (i + 1)))
    t = 0.0
    for n in s:
        t += n.w ** 2
    return t


def numbers(x):
    s = set()
    for i in range(1, 4):
        s.add(x ** i)
    return sum(v * v for v in s)


def popped(x):
    s = {x, x * x}
    s.add(x * 3)
    t = 0.0
    k = 1.0
    while s:
        v = s.pop()
        t += v ** 3
    return t


def equal_items(x):
    s = set()
    s.add(x)
    s.add(x * 1.0)
    s.discard(x * x)
    s.remove(x)
    s.add(x * x)
    return sum(s)


def unions_of_sets(x):
    a = {x, x * x}
    b = {x ** 3}
    b.add(x)
    return sum(v ** 2 for v in a | b) + sum(a & b) * 2 + sum(a - b) * 3 + sum(a ^ b) * 5


def in_place(x):
    a = {x, x * x}
    a.add(5.0)
    c = a
    a |= {x ** 3}
    a -= {5.0}
    a.update([x ** 4, x], {x ** 5: 1})
    return sum(v * v for v in c) * len(c)


def methods(x):
    a = {1, 2, 3}
    a.add(4)
    b = a.union([7], {8})
    d = a.difference({1}, [2])
    e = a.intersection({1, 2, 9})
    t = 0.0
    for v in b: t = t + x * v
    for v in d: t = t + x * x * v
    for v in e: t = t + x ** 3 * v
    return t


def changed_in_a_callee(x):
    s = set()
    def put(v):
        s.add(v)
    def go(s, v):
        s.add(v)
        return len(s)
    put(1); put(2)
    n = go(s, 1) + go(s, 7)
    return x ** n + sum(x * k for k in s)


def held_by_an_object(x):
    n = Node(x)
    n.seen = set()
    n.seen.add("a")
    m = n.seen
    m.add("b")
    return x ** len(n.seen)


def changed_by_a_late_call(x):
    s = set()
    fs = {"p": lambda s, v: s.add(v), "q": lambda s: sum(v * v for v in s)}
    for k in range(3):
        fs["p" if k < 5 else "q"](s, x ** k)
    return fs["q"](s)


def comprehended(x):
    s = {k % 3 for k in range(5)}
    s.add(10)
    return sum(x * k for k in s) + max(s) * x + min(s) + len(sorted(s)) * x


def keys_of_a_dict(x):
    d = {"a": x, "b": x * x, "c": 2.0}
    d["e"] = x ** 3
    return sum(d[k] for k in d.keys() - {"a"}) + sum(d[k] for k in set(d) & {"a", "b"})


def frozen_sets(x):
    seen = set()
    t = 0.0
    for p in [(1, 2), (2, 1), (3, 4)]:
        f = frozenset(p)
        if f in seen: continue
        seen.add(f)
        t = t + x ** sum(f)
    return t


def the_next_one(x):
    s = {x}
    s.add(x)
    (v,) = s
    return next(iter(s)) * v + [*s][0]


def tuples(x):
    seen = set()
    t = x
    for i in range(4):
        k = (i % 2, "a")
        if k in seen: t = t * x
        seen.add(k)
    for i, n in seen: t = t + i * x
    return t


def copies(x):
    a = {x}
    b = a.copy()
    b.add(x * x)
    c = copy.copy(b)
    c.clear()
    c |= b
    return sum(a) + sum(b) * 2 + sum(c) * x


def tried(x):
    s = set()
    t = x
    for k in range(4):
        try:
            t = t * risky(s, x, k)
        except Bad:
            t = t + 1
    return t * sum(s)


def depth_first(x):
    graph = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}
    w = {"a": x, "b": x * x, "c": 2 * x, "d": x ** 3}
    seen = set()
    def visit(n):
        if n in seen:
            return 0.0
        seen.add(n)
        return w[n] * w[n] + sum(visit(m) for m in graph[n])
    return visit("a")


def marked_by_methods(x):
    s = set()
    ns = [Node(x ** k) for k in range(1, 4)]
    for n in ns + ns[:1]:
        if n in s: continue
        n.mark(s)
    return sum(n.w for n in s) * sum(v for n in ns for v in n.seen)


def the_order_is_that_of_python(x):
    s = {17, 33, 1, 40, 9}
    s.add(100)
    t = x
    for v in s: t = t * x + v
    u = set([17, 33, 1, 40, 9])
    u |= s
    for v in u: t = t * x + v
    d = {k: 1.0 for k in [17, 33, 1, 40, 9, 65, 129]}
    for v in set(d): t = t * x + v
    for v in d.keys() - {1}: t = t * x + v
    for v in d.keys() | {1, 1000}: t = t * x + v
    for v in {17, 33, 1, 40, 9}: t = t * x + v
    return t


def branchy(x):
    s = set()
    for k in range(4):
        if x > 0.5:
            s.add(x * k)
        else:
            s = {x}
    if len(s) > 2:
        s.pop()
    r = s if x > 10 else s.copy()
    r.add(x + 7)
    return sum(v * v for v in r) + len(s) * x


def listed(x):
    groups = [set(), set()]
    for k in range(4):
        groups[k % 2].add(x ** k)
    d = {"g": groups[0]}
    d["g"].add(x * 11)
    return sum(v * v for v in groups[0]) - sum(groups[1]) * 3


def sorted_and_least(x):
    s = {x, x * x, x + 2}
    s.add(3 * x)
    a, *b = sorted(s)
    t = max(s) * min(s) + sum(sorted(s)[:2]) * a + sum(b) + math.fsum(s)
    return t + sum([v for v in s if v > x]) + sum(v * i for i, v in enumerate(sorted(s)))


def beside_others(x):
    s = {x}
    s.add(x * 2)
    t = 0.0
    for a, b in zip(s, [1.0, 2.0]):
        t += a * b
    for i, a in enumerate(s):
        t += i * a
    t += sum(map(lambda v: v ** 3, s)) + sum(filter(lambda v: v > 1, s))
    return t + any(v > 1 for v in s) * x


def left_early(x):
    s = {1, 2, 3}
    t = x
    for v in s.copy():
        s.discard(v)
        t = t * x
        if len(s) == 1:
            break
    for v in list(s):
        s.remove(v)
        t = t + x * v
    return t


def worked_off(x):
    todo = {1, 2, 3}
    done = set()
    t = 0.0
    while todo - done:
        k = min(todo - done)
        done.add(k)
        t = t + x ** k
    same = done == todo and done <= {1, 2, 3} and not done.isdisjoint({1})
    return t if same and done.issubset([1, 2, 3]) else 0.0


def returned_by_a_callee(x):
    def inner(s):
        s.add(x * x)
        return s
    return sum(inner(inner({x})))


def a_global_set(x):
    SEEN.clear()
    for k in range(3):
        SEEN.add(x ** k)
    return sum(SEEN)


def copied_deeply(x):
    a = {"s": {x, 2.0}, "n": [1]}
    a["n"].append(2)
    b = copy.deepcopy(a)
    b["s"].add(x * x)
    return sum(b["s"]) * len(a["s"])


def objects_copied_deeply(x):
    n = Node(x)
    s = {n}
    s.add(n)
    u = copy.deepcopy(s)
    return sum(m.w ** 2 for m in u)


def made_of_what_goes_by(x):
    s = set(range(3))
    s.add(5)
    u = set("abc")
    u.add("d")
    v = set((1, 2))
    v.add(4)
    w = set(k * 2 for k in range(3))
    w.update(range(10), (1, 2))
    return x * len(s) + x * len(u) + x ** sum(v) + x * sum(w)


def sets_of_arrays(x):
    arr = np.array([x, x * 2, 3.0])
    arr[0] = x * x
    s = set()
    for v in arr: s.add(v)
    return sum(v * v for v in s)


def operators(x):
    s = {x, x * x}
    s.add(0.1)
    return sum(s - {x}) + sum({x} | s) + sum(s & {x * x}) * 3


def displays_of_constants(x):
    t = x
    for v in {17, 33, 1, 40, 9, -5}: t = t * x + v
    s = {17, 33, 1, 40, 9, -5}
    for v in s: t = t * x + v
    return t + sum([v * x ** i for i, v in enumerate([w for w in {17, 33, 1, 40, 9, -5}])])


def displays_of_pairs(x):
    pairs = {(1, 2), (3, 4), (-1, "a")}
    return displays_of_constants(x) + len(pairs) * x + (x if x in {1, 2, 3} else 2 * x)


class Bad(Exception): pass


def risky(s, x, k):
    s.add(x * k)
    if k == 2: raise Bad("no")
    s.add(x + k)
    return x


def grow(s, x):
    t = x
    for v in s:
        t = t * x
        s.add(v + 10)
    return t


def caught(x):
    s = {1, 2}
    t = x
    try:
        t = grow(s, x)
    except RuntimeError:
        t = t * 3
    return t * sum(s)


def caught_key(x):
    s = {"a"}
    t = x
    for n in ["a", "b"]:
        try:
            s.remove(n)
            s.add(n + "x")
            t = t * x
        except KeyError as e:
            t = t + len(s) * x
    return t


def changed_in_an_inner_derivative(x):
    s = set()
    def g(y):
        s.add(y * x)
        return sum(v * v for v in s)
    a = gradient(g, x * 2)[0]
    return a * x + sum(s)


def made_in_an_inner_derivative(x):
    def g(y):
        s = {y}
        s.add(y * x)
        s |= {y ** 3}
        return sum(v * v for v in s)
    return derivative(g, x * 2) * x


def checkpointed_within(x):
    def g(y):
        s = {y}
        s.add(y * x)
        s = s | {y ** 3}
        return sum(v * v for v in s)
    return checkpointed(g, x * 2) * x


def gen(s):
    for v in s:
        yield v
        yield v * 2


def gone_through_by_a_generator(x):
    s = {x}
    s.add(x * x)
    return sum(gen(s)) + sum(v for v in s if v > 0.6)


def dedupe(x):
    seen = set()
    items = [x, x * 1.0, x * x, 2.0]
    out = [v for v in items if not (v in seen or seen.add(v))]
    return sum(out)


def breadth_first(x):
    g = {0: [1, 2], 1: [3], 2: [3], 3: []}
    q = collections.deque([0])
    seen = {0}
    t = 0.0
    depth = {0: x}
    while q:
        n = q.popleft()
        t += depth[n] ** 2
        for m in g[n]:
            if m not in seen:
                seen.add(m)
                depth[m] = depth[n] * x
                q.append(m)
    return t


def sorted_by_dependencies(x):
    deps = {"c": {"a", "b"}, "b": {"a"}, "a": set()}
    done = set()
    val = {}
    while len(done) < len(deps):
        for n in sorted(deps):
            if n not in done and deps[n] <= done:
                val[n] = x + sum(val[m] * x for m in sorted(deps[n]))
                done.add(n)
    return val["c"]


def dijkstra(x):
    g = {"a": [("b", 1.0), ("c", 4.0)], "b": [("c", 2.0)], "c": []}
    h = [(x, "a")]
    seen = set()
    dist = {}
    while h:
        d, n = heapq.heappop(h)
        if n in seen: continue
        seen.add(n)
        dist[n] = d
        for m, w in g[n]:
            heapq.heappush(h, (d + w * x, m))
    return sum(v * v for v in dist.values())


class Value:
    def __init__(self, data, prev=()):
        self.data = data
        self._prev = set(prev)
        self.grad = 0.0
    def __mul__(self, o):
        return Value(self.data * o.data, (self, o))
    def __add__(self, o):
        return Value(self.data + o.data, (self, o))


def micrograd(x):
    a = Value(x)
    b = Value(x * 2)
    c = a * b + a
    topo = []
    visited = set()
    def build(v):
        if v not in visited:
            visited.add(v)
            for ch in v._prev:
                build(ch)
            topo.append(v)
    build(c)
    t = 0.0
    for v in topo:
        t = t + v.data ** 2
    return t


def optional(x):
    s = None
    for k in range(3):
        if s is None:
            s = set()
        s.add(k * x)
    return sum(s)


def a_set_or_a_list(x):
    s = {x} if x > 0 else [x]
    r = {x * 2}
    r.add(1.0)
    for v in [1, 2]:
        r |= {v * x}
    return sum(r) + len(s) * x


def in_a_defaultdict(x):
    d = collections.defaultdict(set)
    for k in range(4): d[k % 2].add(x ** k)
    return sum(d[0]) * sum(d[1])


def under_keys_by_default(x):
    d = {}
    for k in range(4): d.setdefault(k % 2, set()).add(x ** k)
    return sum(d[0]) * sum(d[1])


def in_a_while(x):
    s = set()
    n = 0
    while (n := n + 1) < 4: s.add(n * x)
    return sum(s)


def matched(x):
    s = {1}
    s.add(2)
    match s:
        case set(): return x * len(s)
        case _: return x


def spread_out(x):
    s = {x}
    s.add(2 * x)
    def f(*a): return sum(a)
    return f(*s) + max(*s)


def symmetric(x):
    s = {x, 1.0}
    s ^= {1.0, x * x}
    s.symmetric_difference_update([x, 2.0])
    s &= {x * x, 2.0}
    s.intersection_update({x * x})
    return sum(s)


def compared(x):
    s = {x}
    s.add(1.0)
    return x if s == {1.0, x} and s != set() and s > {1.0} else x * x


def exchanged(x):
    a, b = {x}, {x * x}
    for _ in range(3):
        a, b = b, a | b
        b.add(x * 5)
    return sum(a) * sum(b)


def shown(x):
    s = {"a"}
    s.add("b")
    return x * len(repr(sorted(s))) + len(str(s)) * x + (x if bool(s) else 0.0)


def extremes_with_a_default(x):
    s = set()
    s.add(x)
    return min(s, default=0.0) + max(set(), default=x) + sum(s, x)


def indices(x):
    ks = {int(k) for k in np.array([1, 2, 2])}
    ks.add(4)
    a = np.array([x, x * x, 1.0, 2.0, 3.0])
    return sum(a[k] for k in ks) + a[list(ks)].sum()


@dataclasses.dataclass(eq=False)
class Q:
    w: float
    seen: set = dataclasses.field(default_factory=set)


class E:
    def __init__(self, k, w): self.k, self.w = k, w
    def __eq__(self, o): return self.k == o.k
    def __hash__(self): return hash(self.k)


def keys(d): return d.keys()


def keys_from_a_callee(x):
    d = {"a": x, "b": x * x, "c": 2.0}
    return sum(d[k] for k in keys(d) - {"a"})


def given_to_a_callee(x):
    d = {"a": x, "b": x * x, "c": 2.0}
    d["e"] = x
    def g(d, s): return sum(d[k] for k in keys(d) - s)
    return g(d, {"a"}) * g(d, {"b", "a"})


def made_by_late_calls(x):
    fs = {"mk": lambda v: {v, v * v}, "un": lambda s, t: s | t}
    fs["sum"] = lambda s: sum(v * v for v in s)
    n = "".join(["m", "k"])
    s = fs[n](x)
    s.add(x * 3)
    t = fs["un" if x < 5 else "mk"](s, {x ** 3})
    t.add(1.5)
    return fs["sum" if x < 5 else "mk"](t)


def changed_by_one_of_two_functions(x):
    s = set()
    def put(v): s.add(v)
    def get(): return sum(s)
    fs = [put, get]
    for k in range(3):
        fs[0 if k < 5 else 1](x * k)
    return fs[1 if x < 5 else 0]() * len(s)


def a_list_changed_by_one_of_two_functions(x):
    s = []
    def put(v): s.append(v)
    def get(): return sum(s)
    fs = [put, get]
    for k in range(3):
        fs[0 if k < 5 else 1](x * k)
    return fs[1 if x < 5 else 0]() * len(s)


def changed_under_two_names(x):
    a = {1}
    c = a
    a |= {2}
    a -= {1}
    a &= {2, 3}
    a ^= {9}
    return x * sum(c)


def functions_for_operators(x):
    both = sum(operator.and_({x, 1.0}, {x})) + sum(operator.sub({x, 1.0}, {1.0}))
    united = functools.reduce(operator.or_, [{x}, {x * x}, {x}])
    return both * sum(operator.xor({x, 1.0}, {1.0})) * sum(united)


def union_of_many(x):
    sets = [{x}, {x * x}]
    return sum(set().union(*sets)) * sum(set.union({x}, {2 * x}))


def held_by_a_class(x):
    Holder.seen.clear()
    Holder.seen.add(x)
    return sum(Holder.seen)


class Holder:
    seen = set()


def one_of_two_containers(x):
    objs = [set(), []]
    objs[1].append(x)
    for i in range(2):
        o = objs[0] if i < 5 else objs[i]
        o.add(x * i)
    return sum(objs[0]) + objs[1][0]


def found_by_a_key(x):
    d = {"s": {x}, "l": [x]}
    o = d["".join(["s"])]
    o.add(x * x)
    return sum(d["s"])


def gone_through_by_others(x):
    s = {x, x * x}
    s.add(x * 3)
    l = [1.0]
    l.extend(s)
    q = collections.deque(s)
    q.append(x)
    d = {k: x for k in sorted(s)}
    t = tuple(s)
    a, b, c = s
    e, *r = s
    m = max(s, key=lambda v: -v)
    total = sum(l) * sum(q) + sum(k * v for k, v in d.items()) + sum(t) * (a + b + c) + m
    pairs = itertools.combinations(sorted(s), 2)
    return total + (e + sum(r)) * x + sum(u * v for u, v in pairs)


def in_dataclasses(x):
    q = Q(x)
    q.seen.add(x * 2)
    r = Q(x * x)
    r.seen.add(q)
    return sum(q.seen) * sum(n.w for n in r.seen)


def equal_objects(x):
    s = {E(1, x)}
    s.add(E(1, x * x))
    s.add(E(2, x ** 3))
    return sum(e.w for e in s) * len(s)


def equal_numbers_of_other_kinds(x):
    s = {x / x}
    s.add(True)
    s.add(1)
    t = sum(s) * x
    s.discard(True)
    s.add(x)
    return t + sum(s)


def asked_for_its_class(x):
    s = {x}
    s.add(1.0)
    known = isinstance(s, (set, frozenset)) and isinstance(s, collections.abc.Set)
    return x * x if known and type(s) is set and isinstance(frozenset(s), frozenset) else x


def comprehended_twice(x):
    s = {v * x for v in range(3)}
    s.add(1.0)
    t = {v + u for v in s for u in {x, 1.0}}
    t.discard(1.0)
    return sum(t) + sum({v: v * x for v in s}.values()) + len({v for v in s if v > 0.1})


def rebuilt_in_a_loop(x):
    s = {x, 2 * x}
    for _ in range(3):
        s = {v * x for v in s} | {x}
        s.add(0.25)
    return sum(s)


def united_in_a_loop(x):
    s = set()
    for i in range(4):
        s = s | {x * i}
    return sum(v * v for v in s)


def of_two_branches(x):
    s = {x} if x > 0 else {2 * x}
    t = s if x > 0 else set()
    t.add(3 * x)
    return sum(s)


def frozen_keys(x):
    def g(v):
        s = set(); s.add(v)
        return frozenset(s)
    d = {g(1): x, g(2): x * x}
    return d[frozenset({1})] * d[g(2)] * sum(sum(k) for k in d)


def states(x):
    states = {(0, 0)}
    t = 0.0
    for _ in range(3):
        new = set()
        for i, j in states:
            for k in (0, 1):
                new.add((i + k, j + 1 - k))
                t = t + x ** (i + j)
        states = new
    return t * len(states)


def a_sieve(x):
    n = 20
    comp = set()
    t = 0.0
    for k in range(2, n):
        if k in comp: continue
        t += x ** k
        comp.update(range(k * k, n, k))
    return t


def chosen_one_by_one(x):
    a = np.array([x, x * x, 3.0])
    free = set(range(3))
    out = np.zeros(3)
    while free:
        k = min(free, key=lambda i: a[i])
        free.remove(k)
        out[k] = a[k] * len(free)
    return out.sum()
"""
HELPERS = {"Holder", "Q", "E", "keys", "Node", "Value", "Bad", "risky", "grow", "gen"}


@pytest.mark.parametrize("name", [name for name in names(PROGRAMS) if name not in HELPERS])
def test_gradient(name: str) -> None:
    f = define(PROGRAMS, name, {"__name__": "programs"})
    check(f, 0.7)
    check_second(f, 0.7)


RAISING = """
def changed_size(x):
    s = {1, 2}
    for v in s:
        s.add(v + 10)
    return x


def changed_size_at_the_end(x):
    s = {1}
    for v in s:
        s.add(x)
    return x


def missing(x):
    s = set()
    s.add(1)
    s.remove(2)
    return x


def not_hashable(x):
    s = set()
    s.add([x])
    return x


def empty(x):
    s = {1}
    s.pop()
    s.pop()
    return x
"""


@pytest.mark.parametrize("name", names(RAISING))
def test_raises_what_python_raises(name: str) -> None:
    f = define(RAISING, name)
    with pytest.raises((RuntimeError, KeyError, TypeError)) as plain:
        f(0.7)
    with pytest.raises(plain.type) as raised:
        derivative(f, 0.7)
    assert raised.type is plain.type
    assert raised.value.args == plain.value.args


REFUSED = """
def another_item_in_the_place(x):
    s = {1, 2}
    for v in s:
        s.remove(v)
        s.add(v + 100)
    return x * sum(s)


def a_default(x, seen=set()):
    seen.add(x)
    return sum(seen) * x


def swap(s):
    for v in s:
        s.remove(v)
        s.add(v + 100)


def refusals_are_not_handled(x):
    try:
        swap({1, 2})
        return x
    except TypeError:
        return x * 3


def refusals_are_not_handled_by_a_bare_except(x):
    try:
        swap({1, 2})
        return x
    except:
        return x * 3


def handled_in_the_same_function(x):
    s = {1, 2}
    try:
        for v in s:
            s.add(v + 10)
    except RuntimeError:
        return x
    return x * x


def in_common_with_a_list(x):
    s = {x, 1.0}
    s.add(2.0)
    return sum(s.intersection([x, 2.0]))


def an_array_of_a_set(x):
    s = {x}
    s.add(2.0)
    return np.sum(np.array(s))


def a_sum_of_a_set(x):
    s = {x}
    s.add(2.0)
    return np.sum(s)


def numbers_in_what_only_the_run_knows_to_be_sets(x):
    d = {"a": {x, 1.0}, "b": [1]}
    d["c"] = 1
    k = "".join(["a"])
    total = 0.0
    for v in sorted(d[k] | d[k]):
        total = total + v * v
    return total
"""


@pytest.mark.parametrize("name", [name for name in names(REFUSED) if name != "swap"])
def test_refused(name: str) -> None:
    with pytest.raises(Refused, match="ZYG101|ZYG103"):
        derivative(define(REFUSED, name), 0.7)


def test_a_set_that_is_given_is_changed_and_has_a_gradient_by_its_items() -> None:
    f = define("""
def f(x, s):
    s.add(4.0)
    return x * sum(v * v for v in s)
""")
    given: set[Any] = {1.0, 2.0}
    assert gradient(f, 2.0, given) == (21.0, {1.0: 4.0, 2.0: 8.0})
    assert given == {1.0, 2.0, 4.0}
    given.add(3)  # of another kind: another specialisation
    assert gradient(f, 2.0, given) == (30.0, {1.0: 4.0, 2.0: 8.0, 3: 12.0, 4.0: 16.0})


def test_a_set_that_is_returned_takes_seeds_by_its_items() -> None:
    f = define("""
def f(x):
    s = {x}
    s.add(x * x)
    return s
""")
    y, back = pullback(f, 3.0)
    assert y == {3.0, 9.0}
    assert back({3.0: 1.0, 9.0: 1.0}) == (7.0,)


def test_code_without_a_text_that_changes_a_set_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("def note(held, v): held[0].add(v)", space)
    f = define("""
def f(x):
    s = {1.0}
    s.add(x)
    note([s], 5.0)
    return sum(s)
""", scope=space)
    with pytest.raises(Refused):
        derivative(f, 0.7)
