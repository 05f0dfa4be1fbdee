"""Python's library around a program: files, texts, logs and draws are constants, and happen once;
containers and what `operator` makes are followed.
"""

from __future__ import annotations

import collections
import csv
import enum
import functools
import heapq
import io
import json
import logging
import operator
import pathlib
import queue
import random
import re
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, gradient

LOG = logging.getLogger("zyg_interactive.tests.library")
SCOPE: dict[str, Any] = {
    "__name__": "programs",
    "collections": collections,
    "enum": enum,
    "functools": functools,
    "csv": csv,
    "heapq": heapq,
    "io": io,
    "json": json,
    "logging": logging,
    "log": LOG,
    "np": np,
    "operator": operator,
    "queue": queue,
    "random": random,
    "re": re,
    "threading": threading,
    "time": time,
    "warnings": warnings,
    "RNG": random.Random(5),
}


# ---- outside: constants, and effects that happen once

OUTSIDE = {
    "json": """
def f(x):
    config = json.loads('{"k": 2.0, "l": [1, 2]}')
    return x * config["k"] + x ** config["l"][1]
""",
    "regular expressions": """
def f(x):
    m = re.match(r"(\\d+)-(\\d+)", "12-34")
    for d in re.finditer(r"\\d+", "1 22 3"):
        x = x * float(d.group())
    return x * int(m.group(1)) + len(re.sub(r"a", lambda m: m.group() * 2, "banana"))
""",
    "csv": """
def f(x):
    total = 0.0
    for k, row in enumerate(csv.reader(io.StringIO("1,2\\n3,4\\n"))):
        total += float(row[0]) * x ** k + float(row[1])
    return total
""",
    "clocks": """
def f(x):
    start = time.perf_counter()
    y = x * x
    if time.perf_counter() - start > 1e6:
        raise TimeoutError("slow")
    return y
""",
    "warnings that are caught": """
def f(x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("careful")
        return np.sqrt(x) * x
""",
    "text": """
def f(x):
    words = "the cat sat on the mat".split()
    s = ", ".join(f"{v:.2f}" for v in [x, x * x])
    counts = collections.Counter(words)
    for word, n in counts.most_common(2):
        x = x * n + len(word)
    return x * len(s)
""",
    "draws": """
def f(x):
    rng = random.Random(3)
    y = rng.random() * x + rng.gauss(x, 2 * x) + rng.uniform(x, 3.0) + rng.expovariate(x)
    return y * rng.randint(1, 9) + rng.choice([1, 2, 3]) * x + rng.normalvariate(x, 1.0)
""",
    "a lock": """
LOCK = threading.Lock()

def f(x):
    with LOCK:
        return x * x
""",
}


@pytest.mark.parametrize("program", OUTSIDE)
def test_outside(program: str) -> None:
    check(define(OUTSIDE[program], scope=SCOPE), 1.3)


FILES = {
    "a loop over lines": """
def f(x):
    total = 0.0
    with open(PATH) as file:
        for line in file:
            total += float(line) * x
            if float(line) > 1.5:
                break
        return total * float(file.readline())
""",
    "numbered lines": """
def f(x):
    with PATH.open() as file:
        for k, line in enumerate(file):
            x = x * float(line) + k
    return x
""",
    "next, then the rest": """
def f(x):
    with open(PATH) as file:
        header = next(file)
        rest = file.readlines()
    return x * float(header) + len(rest) * x
""",
    "a comprehension": """
def f(x):
    with open(PATH) as file:
        return sum([float(line) * x ** k for k, line in enumerate(file)])
""",
    "all lines": """
def f(x):
    return sum(float(line) * x for line in PATH.read_text().splitlines())
""",
}


@pytest.mark.parametrize("program", FILES)
def test_files(program: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1\n2\n3.5\n")
    check(define(FILES[program], scope={"PATH": path}), 1.3)


def test_what_is_written_is_written_once(tmp_path: pathlib.Path) -> None:
    f = define(
        "def f(x):\n    with open(PATH, 'a') as file:\n        file.write(f'{x}\\n')\n"
        "        print('also', file=file)\n    return x * x",
        scope={"PATH": tmp_path / "out.txt"},
    )
    assert gradient(f, 1.5) == (3.0,)
    assert (tmp_path / "out.txt").read_text() == "1.5\nalso\n"


@pytest.mark.parametrize("call", ["log.info", "log.warning", "logging.getLogger(log.name).info"])
def test_logs_are_written_once(call: str, caplog: pytest.LogCaptureFixture) -> None:
    f = define(f"def f(x):\n    {call}('x is %s', x)\n    return x * x", scope=SCOPE)
    with caplog.at_level(logging.INFO, LOG.name):
        assert gradient(f, 1.5) == (3.0,)
    assert [r.getMessage() for r in caplog.records] == ["x is 1.5"]


def test_a_logger_that_decides(caplog: pytest.LogCaptureFixture) -> None:
    f = define(
        "def f(x):\n    if log.isEnabledFor(logging.INFO):\n        log.info('yes')\n"
        "    log.debug('no')\n    return x * x",
        scope=SCOPE,
    )
    with caplog.at_level(logging.INFO, LOG.name):
        assert gradient(f, 1.5) == (3.0,)
    assert [r.getMessage() for r in caplog.records] == ["yes"]


def test_a_draw_is_made_once() -> None:
    f = define("def f(x):\n    return x * RNG.random()", scope=SCOPE)
    RNG = SCOPE["RNG"]
    RNG.seed(1)
    first = RNG.random()
    RNG.seed(1)
    assert gradient(f, 2.0) == (first,)
    second = RNG.random()
    RNG.seed(1)
    assert [RNG.random(), RNG.random()] == [first, second]


REFUSED = {
    "a queue that hands on a number": """
def f(x):
    q = queue.Queue()
    q.put(x)
    return q.get() * 2
""",
    "a thread that changes a list": """
def f(x):
    found = []
    thread = threading.Thread(target=lambda: found.append(x * x))
    thread.start()
    thread.join()
    return found[0]
""",
    "a thread that is given a list": """
def work(x, found):
    found.append(x * x)

def f(x):
    found = [0.0]
    thread = threading.Thread(target=work, args=(x, found))
    thread.start()
    thread.join()
    return found[1]
""",
    "a function that changes a list, given to the library": """
def f(x):
    found = [x]
    def each(m):
        found.append(x * x)
        return "b"
    re.sub("a", each, "aa")
    return found[-1]
""",
    "numbers in a text": "def f(x):\n    return float(json.dumps(x)) * x",
    "an object that is gone through": """
import statistics
class Pair:
    def __init__(self, x): self.x = x
    def __iter__(self): return iter([self.x, self.x])
def f(x):
    return statistics.fmean(Pair(x))
""",
    "an object that is gone through, by a keyword": """
import statistics
class Pair:
    def __init__(self, x): self.x = x
    def __iter__(self): return iter([self.x, self.x])
def f(x):
    return statistics.fmean(data=Pair(x))
""",
    "eval": "def f(x):\n    return eval('x * x')",
    "exec": "def f(x):\n    exec('y = x * x')\n    return x",
    "locals": "def f(x):\n    return locals()['x'] * x",
    "vars": "def f(x):\n    return vars()['x'] * x",
    "globals": "def f(x):\n    return globals()['math'].sin(x)",
    "structured arrays": """
def f(x):
    a = np.zeros(1, [("a", float)])
    a["a"] = x * x
    return a["a"][0]
""",
}


@pytest.mark.parametrize("program", REFUSED)
def test_refused(program: str) -> None:
    with pytest.raises(Refused):
        gradient(define(REFUSED[program], scope=SCOPE), 1.5)


# ---- what is followed

FOLLOWED = {
    "getters": """
FIRST = operator.itemgetter(1)

def f(x):
    u, v = operator.itemgetter(0, 2)((x, 1.0, x * x))
    ordered = sorted([(2, x), (1, x * x)], key=operator.itemgetter(0))
    return FIRST([1.0, x]) * operator.itemgetter("k")({"k": x}) + u * v + ordered[0][1]
""",
    "attributes and methods by name": """
class P:
    def __init__(self, a, q=None):
        self.a, self.q = a, q

    def scaled(self, k, *, by=1.0):
        return self.a * k * by

def f(x):
    best = max([P(x), P(2 * x)], key=operator.attrgetter("a"))
    deep = operator.attrgetter("q.a")(P(1.0, P(x)))
    call = operator.methodcaller("scaled", 2.0, by=x)
    each = map(operator.methodcaller("scaled", 3.0), [P(x), P(x * x)])
    return best.a * deep + call(P(x)) + sum(each)
""",
    "bound methods that are kept": """
class P:
    def __init__(self, a):
        self.a = a

    def scaled(self, k, by=1.0):
        return self.a * k * by

    def grow(self, k):
        self.a = self.a * k
        return self.a

def apply(method, v):
    return method(v)

def f(x):
    p = P(x)
    methods = [p.scaled, P(2.0).scaled]
    table = {"grow": p.grow}
    table["grow"](x)
    rows = []
    put = rows.append
    put(x)
    put(p.a)
    return methods[0](2.0) * methods[1](x, by=x) + apply(p.scaled, x) + sum(map(p.grow, rows))
""",
    "counters": """
def f(x):
    c = collections.Counter(a=x)
    c.update({"a": 2.0, "b": x})
    c.update("ab")
    c.subtract({"a": x})
    both = c + collections.Counter({"a": x * x})
    return both["a"] * both["b"] + c.total() * both.most_common(1)[0][1] + c["none"]
""",
    "pairs": """
def f(x):
    d = dict([("a", x), ("b", 2.0)])
    d.update([("a", x * x)])
    d.update(zip("bc", [x, x ** 3]))
    d |= {"d": x}
    o = collections.OrderedDict((k, v * x) for k, v in d.items())
    return o["a"] * d["b"] + d["c"] * o["d"]
""",
    "columns": """
def f(x):
    rows = [(x * k, x ** k) for k in range(4)]
    us, vs = zip(*rows)
    xs, ys = map(np.array, zip(*rows))
    turned = list(map(list, zip(*[[u, v] for u, v in rows])))
    return sum(u * v for u, v in zip(us, vs)) + (xs * ys).sum() + turned[1][2] * len(turned)
""",
    "a language": """
def parsed(text):
    tokens, place = text.replace("(", " ( ").replace(")", " ) ").split(), 0

    def read():
        nonlocal place
        token = tokens[place]
        place += 1
        if token == "(":
            items = []
            while tokens[place] != ")":
                items.append(read())
            place += 1
            return items
        try:
            return float(token)
        except ValueError:
            return token

    return read()

def value(tree, names):
    if isinstance(tree, str):
        return names[tree]
    if isinstance(tree, float):
        return tree
    op, *args = tree
    table = {"+": operator.add, "*": operator.mul}
    return functools.reduce(table[op], [value(a, names) for a in args])

def f(x):
    return value(parsed("(+ a (* b b 2) (* a b))"), {"a": x, "b": 2 * x})
""",
    "members of an enumeration": """
class Kind(enum.Enum):
    LINEAR = 1
    SQUARE = 2

def f(x):
    y = sum(w * x ** kind.value for kind, w in zip(Kind, [0.5, 2.0]))
    for kind in Kind:
        y += x * (kind is Kind.SQUARE)
    return y
""",
    "the largest": """
def f(x):
    a, b = heapq.nsmallest(2, [3 * x, x, 2 * x])
    return a * b * heapq.nlargest(1, [x, -2 * x], key=abs)[0]
""",
    "deques of generators": """
def f(x):
    d = collections.deque(v * x for v in [1.0, 2.0, 3.0])
    d.extend(v * x for v in [x])
    return d[0] * d[-1] + sum(d)
""",
}


@pytest.mark.parametrize("program", FOLLOWED)
def test_followed(program: str) -> None:
    check(define(FOLLOWED[program], scope=SCOPE), 1.3)


def test_a_config_of_arguments() -> None:
    import argparse

    config: Any = argparse.Namespace(rate=0.5, name="a")
    check(define("def f(x, c):\n    return x * c.rate ** 2"), 1.3, config)


def test_closures_of_the_library_are_apart() -> None:
    """What a kept bound method captured is its own, though all of them share one code."""
    scope = {"table": {"a": lambda x: [x, x].index, "b": lambda x: np.array([x, 2 * x]).sum}}
    first = define("def f(x):\n    return x * table['a'](x)(x)", scope=scope)
    second = define("def f(x):\n    return x * table['b'](x)()", scope=scope)
    assert gradient(first, 1.5) == (0.0,)
    assert gradient(second, 1.5) == (9.0,)


@pytest.mark.parametrize("call", ["or_(x)", "lt(x, x, x)", "neg(x, x)", "contains(x)", "is_(x)"])
def test_operators_of_another_number_of_operands(call: str) -> None:
    f = define(f"def f(x):\n    return operator.{call}", scope={"operator": operator})
    with pytest.raises(TypeError) as own:
        f(1.5)
    with pytest.raises((TypeError, Refused)) as found:
        gradient(f, 1.5)
    assert found.type is Refused or str(found.value) == str(own.value)
