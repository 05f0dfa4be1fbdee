"""Exceptions that are handled after something in memory has changed in the same statement."""

from __future__ import annotations

import pytest
from helpers import check, check_second, define, names

PROGRAMS = """
def store_before(x):
    a = [1.0, 2.0]
    try:
        a[0] = x; y = math.sqrt(-x)
    except ValueError:
        y = a[0] * x
    return y * a[0]


def call_before(x):
    a = [x, 2.0]
    def put(v):
        a[0] = v * x
        return v
    try:
        y = put(x) + math.sqrt(-x)
    except ValueError:
        y = a[0]
    return y * a[0] * x


def bare_except(x):
    l = [x, 2 * x]
    t = 0.0
    while True:
        try:
            t += l.pop() * x
        except:
            break
    return t


def nothing_stored(x):
    d = {}
    try:
        d["a"], d["b"] = x * x, {}["no"]
    except KeyError:
        d["a"] = x
    return d["a"] * len(d)


def first_of_two_stores(x):
    d = {}
    l = [0.0]
    try:
        d["a"], l[3] = x * x, x
    except IndexError:
        d["b"] = d["a"] * x
    return d["a"] * d["b"]


def nested(x):
    d = {"n": 0.0}
    def bump(v):
        d["n"] += v
        return d["n"]
    try:
        try:
            y = bump(x) * math.log(-x)
        except ZeroDivisionError:
            y = 5.0
    except ValueError:
        y = bump(x * x)
    finally:
        bump(2 * x)
    return y * d["n"]


def in_a_choice(x):
    d = {"n": 0.0}
    def bump(v):
        d["n"] += v
        return d["n"]
    t = 0.0
    for k in range(3):
        try:
            t += bump(x) * (math.log(-x) if k == 1 else bump(2.0) * math.log(x)) * bump(k * x)
        except ValueError:
            t += d["n"] * x
    return t * d["n"]


def in_a_loop(x):
    a = np.zeros(3)
    def put(k, v):
        a[k] = v
        return v
    t = 0.0
    for k in range(3):
        try:
            t += put(k, x * k) * math.sqrt(1.0 - k)
        except ValueError:
            t += a[k] * x
    return t * a.sum()


def callee_that_changes_and_raises(x):
    a = [x, 2.0]
    def put(v):
        a[0] = v * x
        if v > 0.5:
            raise ValueError("big")
        return v
    try:
        y = put(x)
    except ValueError:
        y = a[0]
    return y * a[0] * x
"""


@pytest.mark.parametrize("name", names(PROGRAMS))
def test_gradient(name: str) -> None:
    f = define(PROGRAMS, name)
    check(f, 0.7)
    check_second(f, 0.7)
