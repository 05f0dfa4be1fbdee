"""Local functions that leave: wrapped, decorated, composed, kept, with defaults of the run."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, gradient

PROGRAMS = """
import functools
from functools import lru_cache, partial, wraps


def compose(f, g):
    return lambda x: f(g(x))


def logged(fn):
    def inner(*a):
        return fn(*a)

    return inner


def wrapped(fn):
    @wraps(fn)
    def inner(*a, **k):
        return 2 * fn(*a, **k)

    return inner


def scaled(s):
    def deco(fn):
        def inner(x):
            return s * fn(x)

        return inner

    return deco


class Box:
    def __init__(self, cb):
        self.cb = cb

    def run(self, x):
        return self.cb(x) * self.cb(1.0)


def composed(x, y):
    h = compose(lambda t: t * t * y, lambda t: t * x)
    return h(y) + x


def wrapped_by_hand(x, y):
    def f(t):
        return t**3 * y

    f = logged(f)
    return f(x)


def decorated(x, y):
    @logged
    def f(t):
        return t**3 * y

    return f(x) * x


def kept_by_an_object(x, y):
    b = Box(lambda t: t * t * x * y)
    return b.run(x)


def mk(u, v):
    return [lambda t: t * u, lambda t: t * t * v]


def list_of_lambdas_of_a_helper(x, y):
    fs = mk(x, y)
    s = 0.0
    for f in fs:
        s += f(x * y)
    return s


def wraps_around(x, y):
    @wrapped
    def f(t):
        return t**3 * y

    return f(x) * x


def two_decorators(x, y):
    @scaled(x * y)
    @logged
    def f(t):
        return t**3 * y

    return f(x) * x


def lru_cache_of_a_recursion(x, y):
    @lru_cache(maxsize=None)
    def f(n):
        return x * y if n == 0 else f(n - 1) * x + y

    return f(3)


def composed_in_a_loop(x, y):
    s = 0.0
    for i in range(3):
        h = compose(lambda t: t * t * y * i, lambda t: t * x)
        s = s + h(y)
    return s


def composed_in_branches(x, y):
    if x > 0:
        h = compose(lambda t: t * t * y, lambda t: t * x)
    else:
        h = compose(lambda t: t * y, lambda t: t * x)
    return h(x)


def captures_what_changes_later(x, y):
    k = x

    def f(t):
        return t * k

    b = Box(f)
    k = x * y
    return b.run(y)


def nonlocal_of_a_kept_function(x, y):
    n = 0.0

    def f(t):
        nonlocal n
        n = n + t * x
        return n

    g = logged(f)
    g(y)
    f(x)
    return g(y * y) + n


def h(f, y):
    return f(y) * y


def default_of_a_lambda_that_is_passed_on(x, y):
    return h(lambda s, t=x * y: s * t, y)


def nx(f):
    return f(0)


def iterator_as_default(x, y):
    l = [x, y, x * y]
    return nx(lambda q, r=iter(l): next(r))


def mkp(f, x):
    return partial(f, x)


def partial_that_leaves(x, y):
    g = mkp(lambda a, b: a * a * b * y, x)
    return g(y)


def reg(fs, f):
    fs.append(f)


def appended_by_a_function(x, y):
    fs = []
    for i in range(3):
        reg(fs, lambda t: t * x * i)
    return sum([f(y) for f in fs])


def told_apart_in_a_list(x, y):
    def f(t):
        return t * x

    fs = []
    reg(fs, f)
    reg(fs, f)
    if fs[0] is fs[1] and fs[0] is f and f in fs:
        return f(y)
    return 100 * y


def ident(f):
    return f


def registered_by_a_decorator(x, y):
    fns = {}

    def register(name):
        def deco(fn):
            fns[name] = fn
            return fn

        return deco

    @register("a")
    def a(t):
        return t * x

    @register("b")
    def b(t):
        return t * y * a(t)

    return fns["a"](x) + fns["b"](y) * b(1.0)


def recursion_that_is_wrapped(x, y):
    def fact(n):
        return x if n == 0 else y * fact(n - 1) * fact(0)

    g = logged(fact)
    return g(3)


def mutual_recursion_that_is_wrapped(x, y):
    def even(n):
        return x if n == 0 else y * odd(n - 1)

    def odd(n):
        return y if n == 0 else x * even(n - 1)

    g = logged(even)
    return g(3)


def memo(fn):
    cache = {}

    def inner(n):
        if n not in cache:
            cache[n] = fn(n)
        return cache[n]

    return inner


def memoised_recursion(x, y):
    @memo
    def f(n):
        return x if n == 0 else y * f(n - 1)

    return f(3) * f(2)


def same_function_twice(x, y):
    def f(t):
        return t * x

    fs = [f, f]
    if fs[0] is fs[1]:
        return f(y)
    return 100 * y


def pipe(*fs):
    def run(v):
        for f in fs:
            v = f(v)
        return v

    return run


def pipe_of_functions(x, y):
    r = pipe(lambda a: a * x, lambda a: a + y, np.sin)
    return r(y)


def curry(f):
    return lambda a: lambda b: f(a, b)


def curried(x, y):
    return curry(lambda a, b: a * a * b * x)(x)(y)


def reduced_with_compose(x, y):
    g = functools.reduce(compose, [lambda t: t * x, lambda t: t * t, lambda t: t + y])
    return g(x)


def kept_by_an_object_of_a_local_class(x, y):
    class A:
        def __init__(self, cb):
            self.cb = cb

    a = A(lambda t: t * x)
    a.cb2 = compose(a.cb, lambda t: t * y * y)
    return a.cb2(x)


def default_of_a_kept_function(x, y):
    def f(t, k=x):
        return t * k

    b = Box(f)
    return b.run(y)


def loop_variable_as_default(x, y):
    fs = [lambda t, i=i: t * x * i for i in range(4)]
    return sum(f(y) for f in fs)


def appended_with_a_default(x, y):
    fs = []
    for w in (x, y, x * y):
        fs.append(lambda t, w=w: t * w * w)
    return fs[0](y) + fs[2](x)


def lambda_as_default(x, y):
    f = lambda t, g=(lambda s: s * x): g(t) * t
    return f(y) + logged(f)(x)


def default_of_a_default(x, y):
    f = lambda t, g=(lambda s, q=x * x: s * x * q): g(t) * t
    return h(f, y) + f(x)


def keyword_only_default(x, y):
    def f(t, *, k=x * y):
        return t * k

    return h(f, y) + logged(f)(x)


def rep(f, n):
    def g(t):
        for _ in range(n):
            t = f(t)
        return t

    return g


def decorated_in_a_loop(x, y):
    for _ in range(2):

        @wrapped
        def f(t):
            return t * x

        y = f(y)
    return rep(lambda t: t * x + y, 3)(y)


def partial_as_decorator(x, y):
    @partial(compose, lambda t: t * y)
    def f(t):
        return t * x * x

    return f(y)


def iterator_as_default_called_twice(x, y):
    l = [x, y, x * y]
    f = lambda q, r=iter(l): next(r) * q
    return f(x) + 10 * f(y)


def default_of_the_last_iteration(x, y):
    for w in (x, y):
        f = lambda t, w=w * x: t * w
    return f(y)


def list_as_default(x, y):
    def f(t, acc=[]):
        acc.append(t * x)
        return sum(acc)

    g = logged(f)
    return g(y) * g(x)


def defaults_of_two_kinds(x, y):
    def f(t, k=x, *, m=y):
        return t * k * m

    b = Box(f)
    b2 = Box(lambda t, q=b: q.run(t) * q.cb(t, k=y, m=2.0))
    return b2.run(x)


def defaults_in_a_dict(x, y):
    fs = {n: (lambda t, n=n, w=x * n: t * w**n) for n in range(1, 4)}
    return fs[1](y) + fs[3](x, w=y)


def gradient_of_what_is_wrapped(x, y):
    f = lambda t: t * x
    return gradient(logged(f), y)[0] * gradient(f, x)[0]


def gradient_with_a_default(x, y):
    def f(t, k=x * x):
        return t * t * k

    return gradient(logged(f), y)[0] * f(y)


def items_told_apart(x, y):
    a = [lambda t: t * x, lambda t: t * y]
    fs = [a[0], a[1], a[0]]
    return 1.0 * x if fs[0] is fs[2] and fs[0] is not fs[1] and fs.count(a[0]) == 2 else 2.0 * x


def attributes_told_apart(x, y):
    def f(t):
        return t * x

    b, c = Box(f), Box(f)
    return b.run(x) if b.cb is c.cb else 3 * y


def results_told_apart(x, y):
    def f(t):
        return t * x

    b, c = ident(f), ident(f)
    return b(x) if b is c and b == f else 3 * y


def function_as_key(x, y):
    def f(t):
        return t * x

    d = {f: 3.0}
    return d[f] * f(y)


def items_compared(x, y):
    def f(t):
        return t * x

    fs = [f, f]
    return y * (2.0 if fs[0] == fs[1] else 3.0)


def apply_late(fs, i, t):
    return fs[i](t)


def called_late_from_a_list(x, y):
    fs = [lambda t, k=x: t * k, lambda t: t * t * y]
    i = int(y > 0)
    return apply_late(fs, i, x) * apply_late(fs, 0, y)


def counting_decorator(x, y):
    n = 0.0

    def count(fn):
        def inner(*a):
            nonlocal n
            n += 1.0
            return fn(*a)

        return inner

    @count
    def f(t):
        return t * x * n

    s = 0.0
    for i in range(3):
        s += f(y)
    return s * n


def name_bound_after_it_was_captured(x, y):
    def f(t):
        return t * k

    k = x
    g = logged(f)
    k = y * x
    r = g(x)
    k = 2.0
    return r + g(y) + f(y)


class Ev:
    def __init__(self):
        self.hs = []

    def on(self, f):
        self.hs.append(f)
        return f

    def fire(self, v):
        return sum(h(v) for h in self.hs)


def event_handlers(x, y):
    e = Ev()

    @e.on
    def a(t):
        return t * x

    @e.on
    def b(t):
        return t * t * y

    e.on(lambda t: a(t) * b(t))
    return e.fire(x)


def default_of_none(x, y):
    def step(v, f=None):
        if f is None:
            f = lambda t: t * x
        return f(v)

    return step(y) + step(x, lambda t: t * t * y)


def composed_of_the_composed(x, y):
    g = compose(compose(lambda t: t + x, np.sin), compose(lambda t: t * y, lambda t: t**2))
    s = 0.0
    while s < 2:
        s = s + g(y) ** 2 + 0.5
    return s


def generator_function_with_a_default(x, y):
    def gen(n, w=x):
        for i in range(n):
            yield i * w

    def tot(g):
        return lambda n: sum(g(n))

    return tot(gen)(4) * y


def decorated_in_a_branch(x, y):
    if x > 0:

        @logged
        def f(t):
            return t * x
    else:
        f = logged(lambda t: t)
    try:
        r = f(y)
    finally:
        r2 = f(x)
    return r * r2


def cache_runs_once(x, y):
    calls = 0

    @functools.cache
    def f(n):
        nonlocal calls
        calls += 1
        return x if n < 1 else y * f(n - 1) + x * f(n - 2)

    return f(5) * calls + f(3)


def lru_cache_without_settings(x, y):
    @lru_cache
    def f(t, k=2.0):
        return t * t * x * k

    return f(y) * f(y) + f(x)


def names_of_what_is_wrapped(x, y):
    @wrapped
    def f(t):
        'doc of f'
        return t * x

    if f.__name__ == "f" and f.__doc__ == 'doc of f':
        return f(y)
    return 50.0 * y


def timed(label):
    def deco(fn):
        @wraps(fn)
        def wrapper(*args, **kwargs):
            out = fn(*args, **kwargs)
            return out * label

        return wrapper

    return deco


def wraps_in_a_loop(x, y):
    s = 0.0
    for i in range(3):

        @timed(x * i)
        @timed(y)
        def f(t, *, k=1.0):
            return t * t * k * x

        s += f(y, k=x) + f(x)
    return s


def top(t):
    return t * t


def wraps_around_a_global(x, y):
    f = wrapped(top)
    g = wraps(top)(lambda t: t * x)
    return f(x) + g(y) * (1.0 if g.__name__ == "top" else 10.0)


def same_decorator_twice(x, y):
    @logged
    @logged
    def f(t):
        return t * x * y

    return f(y)


def decorator_with_optional_arguments(x, y):
    def deco(cls_or_fn=None, *, scale=2.0):
        def inner(fn):
            def run(t):
                return fn(t) * scale

            return run

        return inner if cls_or_fn is None else inner(cls_or_fn)

    @deco
    def f(t):
        return t * x

    @deco(scale=y)
    def g(t):
        return t * t * x

    return f(y) * g(x)


def partial_of_a_partial(x, y):
    p = partial(partial(lambda a, b, c=1.0: a * b * b * c, x), c=y)
    q = partial(p, c=3.0 * x)
    b = Box(q)
    b2 = Box(p)
    return b.run(y) + b2.run(y)


def registry(x, y):
    hs = {}

    def on(*names, w=1.0):
        def deco(f):
            for n in names:
                hs[n] = (f, w)
            return f

        return deco

    @on("a", "b", w=x)
    def h1(t):
        return t * y

    @on("c")
    def h2(t):
        return t * t * x

    return sum(hs[k][0](y) * hs[k][1] for k in ("a", "b", "c"))

def continued(n, k, x):
    return k(x) if n == 0 else continued(n - 1, lambda v: k(v * n * x) if v < 1e9 else v, x)


def continuation_passing(x, y):
    return continued(4, lambda v: v * y, x)


def continuations_of_a_local_function(x, y):
    def go(n, k):
        return k(x) if n == 0 else go(n - 1, lambda v: k(v * n * y) if v < 1e9 else v)

    return go(3, lambda v: v * x)


def nested_in_itself(f, n, x):
    def h(t):
        return t if t > 100 else f(t) * x * (n + 1)

    return h(x) if n == 0 else nested_in_itself(h, n - 1, x)


def function_around_itself(x, y):
    return nested_in_itself(lambda t: t * t * y, 2, x)


class Link:
    pass


def link(after, w):
    made = Link()

    def run(t):
        if after is None:
            return t * w
        return after.run(t) * w

    made.run = run
    return made


def chain_of_closures(x, y):
    return link(link(link(None, x), 2 * y), 5 * x * y).run(x)


def list_of_closures_that_call_each_other(x, y):
    fs = []
    for i in range(4):

        def run(t, i=i, w=x * (i + 1)):
            return t * w if i == 0 else fs[i - 1](t) * w

        fs.append(run)
    return fs[3](y)


def fixed_point(x, y):
    fix = lambda f: (lambda g: g(g))(lambda g: f(lambda n: g(g)(n)))
    return fix(lambda rec: lambda n: x if n == 0 else y * rec(n - 1))(3)


def numerals(x, y):
    zero = lambda f: lambda v: v
    succ = lambda n: lambda f: lambda v: f(n(f)(v))
    return succ(succ(succ(zero)))(lambda v: v * x)(y)


def recursion_that_remembers(x, y):
    @functools.lru_cache(None)
    def f(n):
        return x if n < 2 else f(n - 1) + y * f(n - 2)

    return f(6)


def set_of_the_same(x, y):
    def f(t):
        return t * x

    fs = []
    for _ in range(3):
        fs.append(f)
    return len(set(fs)) * f(y)


def lists_compared(x, y):
    def f(t):
        return t * x

    a = [f]
    b = [f] if x > 0 else [f, f]
    return f(y) * (2.0 if a == b and (f, 1) in [(a[0], 1)] else 3.0)


def wraps_around_the_library(x, y):
    f, g = wrapped(np.sin), wrapped(math.exp)
    return f(x) * g(y) + seq(f, lambda v: v * y)(x)


def seq(*fs):
    def run(v):
        for f in fs:
            v = f(v)
        return v

    return run


def unbound_until_called(x, y):
    if x > 100:
        k = x
    f = logged(lambda t: t * k if t > 1000 else t * x)
    return f(y) * x
"""
NAMES = re.findall(r"def (\w+)\(x, y\)", PROGRAMS)
# Callees that only the run knows: a derivative of their derivative is refused.
LATE = {"event_handlers"}
STEP = 1e-5


SCOPE = {"__name__": "leaving", "gradient": gradient}


@pytest.mark.parametrize("name", NAMES)
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 1.3, 0.7)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in LATE])
def test_second_derivatives(name: str) -> None:
    f = define(PROGRAMS, name, SCOPE)

    def gradients(x: float, y: float) -> np.ndarray:
        return np.array(gradient(f, x, y, zeros=True), float)

    def hessian(x: float, y: float) -> np.ndarray:
        rows = (gradient(part(i), x, y, zeros=True) for i in range(2))
        return np.array([*rows], float)

    def part(i: int) -> Callable[[float, float], float]:
        return lambda x, y: gradient(f, x, y, zeros=True)[i]

    steps = np.eye(2) * STEP
    at = np.array([1.3, 0.7])
    expected = [(gradients(*(at + h)) - gradients(*(at - h))) / (2 * STEP) for h in steps]
    assert hessian(*at) == pytest.approx(np.array(expected), rel=1e-5, abs=1e-6)


REFUSED = """
def of_two_functions_with_defaults(x, y):
    if x > 1:
        def f(t, k=x * y):
            return t * k
    else:
        def f(t, k=x):
            return t * k * k
    return f(y)


def handlers_with_a_default(x, y):
    fs = []
    for f in (lambda t, k=y: t * k, lambda t: t * x):
        fs.append(f)
    return sum(f(x) for f in fs)


def default_of_what_is_wrapped_and_called_late(x, y):
    def f(t, k=x):
        return t * k

    fs = [(lambda f: lambda *a: f(*a))(f), lambda t: t]
    return sum(h(y) for h in fs)


def what_is_not_followed_and_called_late(x, y):
    def f(t):
        async def g():
            pass

        return t * x

    fs = [(lambda f: lambda *a: f(*a))(f), lambda t: t]
    return sum(h(y) for h in fs)


def integrand_with_a_default(x, y):
    from scipy.integrate import quad

    return quad(lambda t, k=x: t * k, 0, 1)[0]


def static_method_in_a_function(x, y):
    @staticmethod
    def f(t):
        return t * x

    return f(y)


def least_recently_used(x, y):
    import functools

    @functools.lru_cache(maxsize=2)
    def f(t):
        return t * x

    return f(y) + f(x) + f(1.0)


def what_is_wrapped(x, y):
    import functools

    def f(t):
        return t * x

    g = functools.wraps(f)(lambda t: f(t) * y)
    return g.__wrapped__(y)
"""


@pytest.mark.parametrize("name", re.findall(r"def (\w+)\(x, y\)", REFUSED))
def test_refused(name: str) -> None:
    if name.startswith("integrand"):
        pytest.importorskip("scipy")
    with pytest.raises(Refused):
        gradient(define(REFUSED, name), 1.3, 0.7)


def scaling(k: float) -> Callable[[float], float]:
    return lambda t: t * k


def test_functions_in_a_tuple_are_those_of_this_call() -> None:
    text = """
def applied(fs, x):
    total = 1.0
    for f in fs:
        total = total * f(x)
    return total


def f(g, x):
    return applied((g, g), x)
"""
    f = define(text)
    found = [gradient(f, lambda t, k=k: t * k, 1.5)[1] for k in (2.0, 3.0)]
    captured = [gradient(f, scaling(k), 1.5)[1] for k in (2.0, 3.0)]
    assert found == captured == [12.0, 27.0]


def test_a_function_is_wrapped_once_and_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = """
import functools

def logged(fn):
    print("wrapping", fn.__name__)

    @functools.wraps(fn)
    def inner(*args):
        print("calling", fn.__name__)
        return fn(*args)

    return inner


def f(x):
    @logged
    def square(t):
        return t * t

    print(square.__name__)
    return square(x)
"""
    assert gradient(define(text), 3.0) == (6.0,)
    assert capsys.readouterr().out == "wrapping square\nsquare\ncalling square\n"
