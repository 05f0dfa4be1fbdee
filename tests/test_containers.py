"""Containers of the standard library that a program changes, and copies."""

from __future__ import annotations

import bisect
import collections
import copy
import heapq
import re
import types
from typing import Any

import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient

PROGRAMS = """
def deque(x):
    d = collections.deque()
    d.append(x * 2)
    d.append(x * 3)
    return d[0] * d.pop()


def defaultdict(x):
    d = collections.defaultdict(float)
    d["a"] += x * 2
    return d["a"] ** 2


def ordered_dict(x):
    d = collections.OrderedDict()
    d["a"] = x * 2
    return d["a"] ** 2


def heap(x):
    h = []
    heapq.heappush(h, x * 3)
    heapq.heappush(h, x * 2)
    return heapq.heappop(h)


def shallow_copy(x):
    l = [x]
    m = copy.copy(l)
    m.append(x * 2)
    return sum(l) + m[1] ** 2


def deep_copy(x):
    l = [[x]]
    m = copy.deepcopy(l)
    m[0].append(x * 2)
    return l[0][0] + m[0][1] ** 2


def namespace(x):
    n = types.SimpleNamespace(a=x)
    n.b = n.a * 2
    return n.b**2


def counter(x):
    d = collections.Counter()
    d["a"] += x * 2
    return d["a"] ** 2


def deque_of_limited_length(x):
    d = collections.deque([x, x * 2, x * 3], maxlen=2)
    return sum(d)


def deque_filled_in_a_loop(x):
    d = collections.deque(maxlen=2)
    for i in range(4):
        d.append(x * i)
    return sum(d)


def chain_map(x):
    m = collections.ChainMap({}, {"a": x})
    m["b"] = m["a"] * 2
    return m["b"]


def insort(x):
    l = [1.0, 5.0]
    bisect.insort(l, x * 2)
    return l[1]


def sorted_by_key_and_searched(x):
    l = [3 * x, x, 2 * x]
    l.sort(key=lambda v: -v, reverse=True)
    l.reverse()
    l.remove(x)
    return l[0] + l.index(2 * x)


def dict_of_dicts(x):
    d = {"a": x}
    d |= {"b": x * 2}
    return d["b"] + d.popitem()[1]


def repeated_list(x):
    l = [x] * 3
    l[1] *= x
    return sum(l)


def deque_both_ends(x):
    d = collections.deque([x, 2 * x])
    d.appendleft(x * x)
    d.extend([3 * x])
    d.rotate(1)
    d[1] = d[1] * x
    return d.popleft() * d.pop() + sum(d) + len(d)


def defaultdict_of_lists(x):
    d = collections.defaultdict(list)
    for i in range(4):
        d[i % 2].append(x * i)
    return d[0][1] * d[1][1] + len(d[5])


def ordered(x):
    d = collections.OrderedDict(a=x, b=x * x)
    d.move_to_end("a")
    k, v = d.popitem(last=False)
    return v * d["a"] if k == "b" else 0.0


def deep_copy_of_objects(x):
    l = [[x, np.ones(2) * x], {"k": x}]
    m = copy.deepcopy(l)
    m[0][1][0] = x * x
    m[1]["k"] = m[1]["k"] * 3
    return np.sum(m[0][1]) * l[0][1][0] + m[1]["k"] * l[1]["k"]


def copy_of_an_object(x):
    n = types.SimpleNamespace(a=x, b=[x])
    m = copy.copy(n)
    m.a = m.a * 2
    m.b.append(x * x)
    return n.a * m.a + n.b[1]


def shuffled(x):
    w = np.arange(4.0) * x
    np.random.default_rng(3).shuffle(w)
    return w @ np.array([1.0, 2.0, 3.0, 4.0])


def shuffled_rows(x):
    w = np.ones((3, 2)) * np.array([[x], [x * x], [1.0]])
    np.random.default_rng(5).shuffle(w)
    return np.sum(w * np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))


def values_changed_while_gone_through(x):
    d = {"a": x, "b": x * x, "c": 1.0}
    s = 0.0
    for k, v in d.items():
        d["c"] = d["c"] + v * 2
        s = s + v * v
    return s


def heap_of_pairs(x):
    h = []
    for k in (3, 1, 2):
        heapq.heappush(h, (k, x**k))
    return heapq.heappop(h)[1] + heapq.heappop(h)[1] * 2
"""
SCOPE: dict[str, Any] = {
    **{"bisect": bisect, "collections": collections, "copy": copy, "heapq": heapq},
    **{"types": types, "__name__": "programs"},
}
NAMES = re.findall(r"^def (\w+)", PROGRAMS, re.M)


@pytest.mark.parametrize("name", NAMES)
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 1.3)


# The class is read late, and a derivative of a derivative does not pass there.
@pytest.mark.parametrize("name", [n for n in NAMES if n != "chain_map"])
def test_second_derivative(name: str) -> None:
    f = define(PROGRAMS, name, SCOPE)
    step = 1e-5
    expected = (derivative(f, 1.3 + step) - derivative(f, 1.3 - step)) / (2 * step)
    assert derivative(derivative(f))(1.3) == pytest.approx(expected, rel=1e-5, abs=1e-6)


LATE = """
def total(items):
    out = []
    for v in items:
        out.append(v * v)
    return sum(out)


def change(a):
    a[0] = a[1] * 2
    return np.sum(a * a)


def grow(items):
    items.append(items[0] * 3)
    return items[1]


TABLE = {"total": total, "change": change, "grow": grow}


def of_list(x, name):
    return TABLE[name]([x, 2 * x])


def of_array(x, name):
    a = np.ones(3) * x
    return TABLE[name](a) + a[0]
"""


def test_a_callee_known_at_the_run_may_change_what_is_its_own() -> None:
    assert gradient(define(LATE, "of_list"), 1.5, "total")[0] == 15.0


@pytest.mark.parametrize(("name", "callee"), [("of_list", "grow"), ("of_array", "change")])
def test_a_callee_known_at_the_run_may_not_change_what_it_is_given(name: str, callee: str) -> None:
    with pytest.raises(Refused, match="ZYG103: .* may change what it is given"):
        gradient(define(LATE, name), 1.5, callee)


def test_a_deque_that_is_given_keeps_its_length() -> None:
    f = define(
        """
def f(d, x):
    d.append(x * x)
    d.appendleft(3 * x)
    return sum(d) + d[0] * d[-1]
"""
    )
    for most in (2, None):

        def at(x: float, most: int | None = most) -> float:
            return float(f(collections.deque([1.0, 2.0], most), x))

        found = gradient(f, collections.deque([1.0, 2.0], most), 1.3)
        assert found[1] == pytest.approx((at(1.3 + 1e-6) - at(1.3 - 1e-6)) / 2e-6)


def test_a_dict_that_a_callee_changes_while_it_is_gone_through() -> None:
    text = """
def put(d, v):
    d["b"] = d["b"] + v


def f(x):
    d = {"a": x, "b": x * x}
    for v in d.values():
        put(d, v)
    return d["b"]
"""
    check(define(text), 1.3)


def test_containers_that_are_only_read() -> None:
    text = "def f(d, e, x):\n    return d[0] * e['a'] * x + sum(d) + len(e)"
    check(define(text), collections.deque([1.0, 2.0]), collections.OrderedDict(a=3.0), 1.3)
