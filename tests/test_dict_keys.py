"""Numbers as the keys of dicts, which carry their derivative as the values do; `|` of dicts, and
views of dicts that are kept.
"""

from __future__ import annotations

import pytest
from helpers import check, check_second, define, names

from zyg_interactive import Refused, derivative, gradient

PROGRAMS = """
import collections, copy, functools, heapq, itertools, operator
from collections import Counter, OrderedDict, defaultdict


def stored(x):
    d = {}
    d[x * x] = x
    return sum(d.keys()) * sum(d.values())


def displayed(x):
    d = {x: 2.0, x * x: x}
    return sum(k * v for k, v in d.items())


def in_a_tuple(x):
    d = {(x, i): i * x for i in range(3)}
    return sum(k[0] ** 2 * v for k, v in d.items())


def the_first_of_equal_keys_stays(x):
    d = {x: 1.0}
    d[x * 1.0] = 5.0
    return sum([k * k for k in d])


def an_equal_constant_in_the_place_of_a_key(x):
    d = {x: 1.0}
    del d[x]
    d[0.7] = 2.0
    return sum([k for k in d if k > x - 1]) * x


def counted(x):
    c = Counter([x, x * x, x])
    c.update([x])
    return c.most_common(1)[0][0] * x + sum(k * v for k, v in c.items())


def sums_of_counters(x):
    c = Counter([x, x * x, x]) + Counter([x])
    return sum(k * v for k, v in c.items())


def popped(x):
    d = {}
    for i in range(4):
        d[x**i] = i
    total = 0.0
    while d:
        k, v = d.popitem()
        total += k * v
    return total


def popped_from_the_front(x):
    d = OrderedDict([(x, 1), (x * x, 2)])
    d.move_to_end(x)
    k, v = d.popitem(last=False)
    return k * v


def set_by_default(x):
    d = {}
    d.setdefault(x * x, []).append(x)
    e = defaultdict(float)
    e[x * x * x] += x
    return sum(k * v[0] for k, v in d.items()) + sum(k * v for k, v in e.items())


def turned_round(x):
    d = {v: k for k, v in {x: 1, x * x: 2}.items()}
    return d[1] * d[2]


def replaced(x):
    d = {x: 1}
    for _ in range(3):
        k = next(iter(d))
        del d[k]
        d[k * x] = 1
    return list(d)[0]


def cleared(x):
    d = {x: 1, x * x: 2}
    d.clear()
    d[x**3] = 2
    return [*d.keys()][0]


def copied(x):
    d = {x * x: x}
    total = sum(k * v for k, v in d.copy().items()) + sum(k * v for k, v in dict(d).items())
    total += sum(k * v for k, v in copy.copy(d).items())
    total += sum(k * v for k, v in copy.deepcopy(d).items())
    total += sum(k * v for k, v in {**d}.items()) + sum(k * v for k, v in (d | {}).items())
    return total + sum(k * v for k, v in OrderedDict(d).items())


def put_by_a_callee(x):
    def put(d, k):
        d[k * k] = k

    def read(d):
        return [k * v for k, v in d.items()][0]

    d = {}
    put(d, x)
    return read(d) * x


def put_by_what_only_the_run_knows(x):
    d = {}
    for f in [lambda d, k: d.update({k * k: 1.0}), lambda d, k: None]:
        f(d, x)
    return [k for k in d][0]


def unpacked(x):
    a, b = {x: 1.0, x * x: 2.0}
    c, *rest = {x: 1.0, x**3: 2.0}
    return a * b * c * rest[0] * (lambda *q: q[0] + q[1])(*{x: 1, x * x: 2})


def gone_through(x):
    d = {x: 1, x * x: 2}
    m = max(d) * min(d) + max(d, key=d.get) + sorted(d, reverse=True)[0] + sum(d, 0.5)
    m += next(reversed(d)) + functools.reduce(lambda a, b: a * b, d) + list(d)[1] * tuple(d)[0]
    return m + sum(map(lambda k: k * k, d)) + sum(k for i, k in enumerate(d) if i)


def gone_through_by_itertools(x):
    d = {x: 1, x * x: 2}
    total = sum(itertools.chain(d, d.keys())) + sum(itertools.islice(d, 1))
    total += sum(itertools.accumulate(d)) + sum(itertools.takewhile(lambda k: k > 0.5, d))
    total += sum(a * b for a, b in itertools.pairwise(d))
    return total + sum(a * b for a, b in itertools.product(d, {x: 2}))


def put_into_lists(x):
    d = {x: 1, x * x: 2}
    l, q = [x], collections.deque(d)
    l.extend(d)
    l += d
    l[0:1] = d
    return sum(l) * q.popleft() * heapq.nlargest(1, d)[0]


def delegated(x):
    def generator():
        yield from {x: 1, x * x: 2}

    return sum(generator())


def viewed(x):
    d = {x: 1, x * x: 2}
    keys = d.keys()
    d[x**3] = 3
    return sum(k for k in keys)


def constant_numbers(x):
    d = {0.5: x}
    for i in range(3):
        d[i] = x**i
    return x * sum(d) * max(d) * list(d)[1] + sum(sorted(d)) * x + sum(k * v for k, v in d.items())


def merged(x):
    d = {"a": x} | {"b": x * x}
    e = {}
    for k in "ab":
        e[k] = x * d[k]
    f = e | d | {"c": x}
    e["a"] = 3.0
    return sum(f.values()) * d["a"] * d["b"] * f["b"]


def merged_by_a_function(x):
    d = operator.or_({"a": x}, {"b": x * x})
    o = OrderedDict(a=x) | OrderedDict(b=x * x)
    m = defaultdict(float, a=x) | {"b": x * x}
    return d["a"] * d["b"] + o["a"] * o["b"] + m["a"] * m["b"] + m["c"]


def merged_in_place(x):
    d = {"a": x}
    e = d
    d |= {"b": x * x}
    return e["b"] * e["a"]
"""

VIEWS = """
import statistics


class Model:
    def __init__(self, x): self.d = filled(x)
    @property
    def parameters(self): return self.d.values()
    def put(self, x): self.d["z"] = x


class Holder: pass


def filled(x, start=0):
    d = {}
    for i, k in enumerate("abc"):
        d[k] = x**i
    return d


def keys(d): return d.keys()


def values(d): return d.values()


def items(d): return d.items()


def returned(x):
    d = filled(x)
    k, v, i = keys(d), values(d), items(d)
    d["z"] = x**3
    return sum(v) + sum(d[n] for n in k) * x + sum(b for a, b in i) * x * x + len(v) * x


def returned_late(x):
    d = filled(x)
    for f in [values, values]:
        v = f(d)
    d["z"] = x**3
    p, q, *r = v
    return sum(v) * p * q * r[0]


def returned_by_a_property(x):
    m = Model(x)
    p = m.parameters
    m.put(x**3)
    return sum(p) + max(p) * list(p)[2]


def put_away(x):
    d = filled(x)
    h = Holder()
    h.v = d.values()
    l, t, e = [d.values()], (d.items(), 1), {"v": d.values()}
    d["z"] = x**3
    return sum(l[0]) + sum(b for a, b in t[0]) * x + sum(e["v"]) * x * x + sum(h.v) * x**3


def given(x):
    d = filled(x)
    def f(v):
        d["z"] = x**3
        return sum(v)
    return f(d.values())


def captured(x):
    d = filled(x)
    v = d.values()
    def f():
        return sum(v)
    d["z"] = x**3
    return f() * x


def chosen(x):
    d = filled(x)
    v = d.values() if x > 0 else [x]
    d["z"] = x**3
    return sum(v)


def iterator(x):
    d = filled(x)
    it, names = iter(d.values()), iter(d.keys())
    d["a"] = x**3
    return next(it) * d[next(names)] + next(it)


def given_to_the_library(x):
    d = filled(x)
    v = d.values()
    d["z"] = x**3
    return statistics.fmean(v) + math.fsum(v) * x * all(v) + x * any(d.items())


def of_a_dict_that_is_not_changed(x):
    d = {"a": x, "b": x * x}
    def f(pairs, numbers):
        total = 0.0
        for k, v in pairs:
            total += v * v
        return total * sum(numbers) * len(numbers)
    return f(d.items(), d.values()) + isinstance(d.values(), list) * x


def compared(x):
    d, e = filled(x), {}
    for k in "cba":
        e[k] = x
    same = d.keys() == e.keys(), keys(d) == keys(e), d.keys() >= {"a"}, {"z"} < keys(d)
    same += (d.keys().isdisjoint("xyz"), keys(d).isdisjoint(["a"]))
    return x * sum(same) * len(keys(d) & keys(e)) * len(keys(d) | {"z"})


def joined(x):
    d, e = filled(x), {"b": 2 * x, "z": x}
    total = sum(d[k] * e[k] for k in d.keys() & e.keys())
    total += sum(d.get(k, 0) * e.get(k, x) for k in sorted(d.keys() | e.keys()))
    return total + sum(d[k] for k in set(d) - set(e)) + sum(e[k] for k in {"b", "q"} & e.keys())
"""
LATE = """
def merged(x):
    held = []
    for f in [lambda h: h.append({"a": x}), lambda h: h.append({"b": x * x})]:
        f(held)
    both = held[0] | held[1]
    return both["a"] * both["b"]


def merged_in_place(x):
    held = []
    for f in [lambda h: h.append({"a": x}), lambda h: h.append({"b": x * x})]:
        f(held)
    held[0] |= held[1]
    return held[0]["a"]


def with_a_list(x):
    return ({"a": x} | [("b", x)])["a"]
"""


def test_what_is_printed_of_a_view(capsys: pytest.CaptureFixture[str]) -> None:
    f = define("""
def f(x):
    d = {}
    for k in "ab":
        d[k] = x
    print(d.keys(), d.values(), d.items(), f"{d.values()}")
    return sum(d.values())
""")
    f(1.5)
    assert derivative(f, 1.5) == 2.0
    first, second = capsys.readouterr().out.splitlines()
    assert second == first


@pytest.mark.parametrize(
    "source, name", [(p, name) for p in (PROGRAMS, VIEWS) for name in names(p)]
)
def test_gradient(source: str, name: str) -> None:
    f = define(source, name, {"__name__": "programs"})
    check(f, 0.7)
    check_second(f, 0.7)


@pytest.mark.parametrize("name", names(LATE))
def test_a_merge_that_is_not_followed_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="of a dict that only|changed in place|of this and a dict"):
        derivative(define(LATE, name), 0.7)


def test_the_keys_of_an_argument_are_constants() -> None:
    def f(d: dict[float, float]) -> float:
        return sum(k * v for k, v in d.items())

    assert gradient(f, {2.0: 1.0, 3.0: 1.0}) == ({2.0: 2.0, 3.0: 3.0},)


def test_the_pieces_of_a_display_are_evaluated_in_order() -> None:
    source = """
def f(x):
    seen = []
    def note(name, v):
        seen.append(name)
        return v
    d = {note("k", "a"): note("v", x), **note("m", {"b": x}), note("l", "c"): note("w", x)}
    return d["a"] * d["b"] * d["c"] * (seen == ["k", "v", "m", "l", "w"])
"""
    assert derivative(define(source), 2.0) == 12.0
