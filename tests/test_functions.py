"""Functions of functions, callables of every kind, and what a class makes of operators."""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import typing
from typing import Any

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient

PROGRAMS = """
class Vec:
    def __init__(s, a, b):
        s.a, s.b = a, b

    def __add__(s, o):
        return Vec(s.a + o.a, s.b + o.b)

    def __mul__(s, k):
        return Vec(s.a * k, s.b * k)

    __rmul__ = __mul__

    def __neg__(s):
        return Vec(-s.a, -s.b)

    def __len__(s):
        return 2

    def __iter__(s):
        yield s.a
        yield s.b

    def __contains__(s, v):
        return v == s.a

    def __eq__(s, o):
        return s.a == o.a

    def __lt__(s, o):
        return s.a < o.a

    def __bool__(s):
        return s.a != 0

    def __call__(s, x):
        return s.a * x + s.b

    def __matmul__(s, o):
        return s.a * o.a + s.b * o.b

    def __iadd__(s, o):
        s.a = s.a + o.a
        return s

    def __pow__(s, k):
        return Vec(s.a**k, s.b**k)

    def __abs__(s):
        return math.sqrt(s.a**2 + s.b**2)

    def __float__(s):
        return float(s.a)

    @property
    def norm(s):
        return s.a**2 + s.b**2

    @norm.setter
    def norm(s, v):
        s.a = v

    @staticmethod
    def unit(x):
        return Vec(x, 1.0)

    @classmethod
    def of(cls, x):
        return cls(x, x)


class Base:
    def __init__(s, x):
        s.x = x

    def f(s, y):
        return s.x * y


class Sub(Base):
    def __init__(s, x):
        super().__init__(x * 2)
        s.k = 3.0

    def f(s, y):
        return super().f(y) * s.k


@dataclasses.dataclass(frozen=True)
class FD:
    a: float
    b: float = 2.0

    def g(s):
        return s.a * s.b


@dataclasses.dataclass
class PD:
    a: float
    l: list = dataclasses.field(default_factory=list)

    def __post_init__(s):
        s.c = s.a * 2


@dataclasses.dataclass(slots=True)
class SD:
    a: float


class NT(typing.NamedTuple):
    a: float
    b: float = 1.0


class Color(enum.Enum):
    RED = 2
    BLUE = 3


def deco(f):
    @functools.wraps(f)
    def w(*a, **k):
        return f(*a, **k) * 2

    return w


def decok(k):
    def d(f):
        def w(*a):
            return f(*a) * k

        return w

    return d


@deco
def dg(x):
    return x * x


@decok(3.0)
def dh(x):
    return x * x


@functools.lru_cache
def cached(n):
    return n * 2


@functools.singledispatch
def sd(x):
    return x * 1


@sd.register
def _(x: float):
    return x * 5


@sd.register
def _(x: list):
    return sum(x)


def va(*a, s=1.0, **k):
    return sum(a) * s * k.get("z", 1.0)


def po(a, /, b, *, c):
    return a * b * c


class GA:
    def __init__(s, x):
        s.x = x

    def __getattr__(s, n):
        return 7.0 if n == "seven" else s.x


class CP:
    def __init__(s, x):
        s.x = x

    @functools.cached_property
    def sq(s):
        return s.x**2


def sum_of_objects(x):
    return sum([Vec(x, 1.0), Vec(x * x, 2.0)], Vec(0.0, 0.0)).a * x


def operators_of_a_class(x):
    v = Vec(x, 2 * x) + Vec(1.0, x) * 2
    return abs(-v) ** 2


def reflected_operator_and_property(x):
    v = 2 * Vec(x, x * x)
    return v.norm * len(v)


def property_setter(x):
    v = Vec(x, 1.0)
    v.norm = x * x
    return v.a


def static_and_class_methods(x):
    return Vec.unit(x).a * Vec.of(x).b


def unpacked_object(x):
    a, b = Vec(x, x * x)
    return a * b


def super_call(x):
    return Sub(x).f(x)


def frozen_dataclass(x):
    return FD(x).g() + FD(x, x).b


def post_init_and_default_factory(x):
    p = PD(x)
    p.l.append(p.c)
    return p.l[0] * p.a


def dataclass_with_slots(x):
    s = SD(x)
    s.a = s.a * 2
    return s.a**2


def named_tuple(x):
    n = NT(x)
    m = n._replace(b=x * x)
    return m.a * m.b + n[1]


def decorated(x):
    return dg(x) + dh(x)


def star_arguments(x):
    return va(x, x * x, s=x, z=2.0) + po(x, 2.0, c=x)


def reduce(x):
    return functools.reduce(operator.mul, [x, 2.0, x]) + functools.reduce(
        lambda a, b: a + b * x, [1.0, 2.0], x
    )


def partial(x):
    return functools.partial(po, x, c=2.0)(x)


def lru_cache(x):
    return cached(3) * x


def singledispatch(x):
    return sd(x)


def map_and_filter(x):
    return sum(map(lambda v: v * x, [1.0, 2.0])) + sum(filter(lambda v: v > 1, [x, 0.5]))


def sorted_and_max_by_key(x):
    return (
        sorted([x, 3.0, 1.0], key=lambda v: -v)[1] + max([x, 2 * x], key=lambda v: -v) + min(x, 2.0)
    )


def max_and_min_of_tuples(x):
    found = [(x * x, 1)]
    for i in range(3):
        found.append((x**i, i))
    best = max((x * x, "a"), (x, "b"))[0] + min([(x * x, x), (x * x, 2.0 * x)])[1]
    pairs = ((v * x, k) for k, v in {1: 2.0, 2: x}.items())
    return best * max(found)[0] * min(found)[0] + max(pairs)[0]


def callable_object_and_matmul(x):
    return Vec(x, 1.0)(x) + (Vec(x, 2.0) @ Vec(x, x))


def in_place_operator_and_float(x):
    v = Vec(x, 1.0)
    w = v
    w += Vec(x, 1.0)
    return v.a * float(v)


def getattr_of_a_class(x):
    return GA(x).seven * x


def cached_property(x):
    c = CP(x)
    return c.sq * c.sq


def getattr_and_hasattr(x):
    return getattr(Vec(x, 1.0), "a") * (3.0 if hasattr(Vec(x, 1.0), "zz") else x)


def builtin_functions(x):
    return divmod(x * 3, 2.0)[1] + round(x * 2) * x + pow(x, 3) + abs(-x) + complex(x, 1.0).real


def enum(x):
    return x * Color.RED.value if Color.RED is not Color.BLUE else 0.0


def math_functions(x):
    return (
        math.fsum([x, x])
        + math.prod([x, 2.0, x])
        + math.dist([x, 0.0], [0.0, 1.0])
        + math.hypot(x, 2.0)
    )


def list_of_callables(x):
    fs = [math.sin, lambda v: v * x, Vec(x, 1.0), functools.partial(operator.mul, 2.0)]
    return sum(f(x) for f in fs)


def local_recursion_with_a_default(x):
    def f(n, acc=x):
        return acc if n == 0 else f(n - 1, acc * x)

    return f(2)


def bound_method(x):
    b = Base(x).f
    return b(x)


def max_of_objects(x):
    return max(Vec(x, 1.0), Vec(2 * x, 3.0)).b * x


def enumerate_zip_reversed(x):
    tot = 0.0
    for i, (a, b) in enumerate(zip([x, 2 * x], reversed([1.0, x])), start=1):
        tot += i * a * b
    return tot


def keyword_only(x, *, k=2.0):
    return x * k


def printing(x):
    print(f"{x:.2f}", end="")
    assert isinstance(x, float)
    return x * 2


def lambda_with_stars(x):
    return (lambda *a, **k: a[0] * k["q"])(x, q=x)
"""
SCOPE: dict[str, Any] = {
    **{"dataclasses": dataclasses, "enum": enum, "functools": functools, "operator": operator},
    **{"typing": typing, "__name__": "programs"},
}
NAMES = [
    "operators_of_a_class",
    "reflected_operator_and_property",
    "property_setter",
    "static_and_class_methods",
    "unpacked_object",
    "super_call",
    "frozen_dataclass",
    "post_init_and_default_factory",
    "dataclass_with_slots",
    "named_tuple",
    "decorated",
    "star_arguments",
    "reduce",
    "partial",
    "lru_cache",
    "singledispatch",
    "map_and_filter",
    "sorted_and_max_by_key",
    "callable_object_and_matmul",
    "in_place_operator_and_float",
    "getattr_of_a_class",
    "cached_property",
    "getattr_and_hasattr",
    "builtin_functions",
    "enum",
    "math_functions",
    "list_of_callables",
    "local_recursion_with_a_default",
    "bound_method",
    "max_of_objects",
    "enumerate_zip_reversed",
    "keyword_only",
    "printing",
    "lambda_with_stars",
    "sum_of_objects",
]
# A call in them is known only at the run: no derivative of a derivative passes there.
LATE = {"cached_property", "list_of_callables", "star_arguments"}


@pytest.mark.parametrize("name", NAMES)
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, SCOPE), 1.3)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in LATE])
def test_second_derivative(name: str) -> None:
    f = define(PROGRAMS, name, SCOPE)
    step = 1e-5
    expected = (derivative(f, 1.3 + step) - derivative(f, 1.3 - step)) / (2 * step)
    assert derivative(derivative(f))(1.3) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_what_a_class_makes_of_a_read_is_not_passed_over() -> None:
    text = """
class Doubled:
    def __get__(self, obj, cls):
        return obj.x * 2


class Box:
    y = Doubled()

    def __init__(self, x):
        self.x = x


def f(x):
    return Box(x).y
"""
    with pytest.raises(Refused, match="the descriptor `y` of a Box"):
        gradient(define(text, "f", SCOPE), 1.3)


def test_a_function_of_numbers_is_refused_for_an_object() -> None:
    text = """
class Box:
    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return np.array([self.x])


def f(x):
    return np.sum(Box(x))
"""
    with pytest.raises(Refused, match="`sum` of a Box"):
        gradient(define(text, "f", SCOPE), 1.3)


def called(h, x):
    return h(x)


def called_twice(h, x):
    return 2 * h(x)


def test_a_late_call_of_a_function_that_is_given_a_closure():
    """What the closure captured has a gradient too, to any order."""

    def chosen(x, n):
        f = [called, called_twice][n]
        return f(lambda t: t * x, x)

    assert gradient(chosen, 3.0, 0, wrt=0) == 6.0
    assert gradient(chosen, 3.0, 1, wrt=0) == 12.0
    assert gradient(lambda x: gradient(chosen, x, 1, wrt=0) ** 2, 3.0) == (96.0,)


HALVES = {
    "sums": "def f(z):\n    if len(z) == 1:\n        return z[0] ** 2\n    m = len(z) // 2\n"
    "    return f(z[:m]) * 2 + f(z[m:])",
    "a transform": """
def f(z):
    return transformed(z) @ z


def transformed(z):
    n = len(z)
    if n == 1:
        return z
    if n % 2:
        k = np.arange(n)
        return np.exp(-np.outer(k, k) / n) @ z
    even, odd = transformed(z[::2]), transformed(z[1::2])
    t = np.exp(-np.arange(n // 2) / n) * odd
    return np.concatenate([even + t, even - t])
""",
    "a merge": """
def f(z):
    return np.array(merged(list(z))) @ np.arange(len(z))


def merged(l):
    if len(l) < 2:
        return l
    a, b = merged(l[: len(l) // 2]), merged(l[len(l) // 2 :])
    found = []
    while a and b:
        found.append(a.pop(0) if a[0] < b[0] else b.pop(0))
    return found + a + b
""",
    "a path that grows": """
def f(z):
    return walk(z, 0, ())


def walk(z, k, path):
    if k == len(z):
        return sum(v * w for v, w in zip(path, path[1:]))
    return walk(z, k + 1, (*path, z[k] * (k + 1)))
""",
}


@pytest.mark.parametrize("program", HALVES)
@pytest.mark.parametrize("size", [1, 4, 6, 30])
def test_recursion_over_parts(program: str, size: int) -> None:
    check(define(HALVES[program]), np.sin(np.arange(1.0, size + 1)))


GENERIC = """
@functools.singledispatch
def show(q):
    return 0.3 * q


@show.register
def _(q: list):
    return 0.2 * sum(q)


@show.register
def _(q: np.ndarray):
    return (q * q).sum()


def found(f, q):
    return f if q < 1e6 else None


def f(x):
    return {}
"""


@pytest.mark.parametrize(
    "value",
    [
        "show(found(lambda q: q * x, x)(x))",
        "show(found(lambda q: [q, x], x)(x))",
        "show(found(lambda q: np.array([q, x]), x)(x))",
        "found(show, x)(x)",
        "sum(show(s) for s in [x * 2, np.array([x, 1.0]), [x, x]])",
    ],
)
def test_a_generic_function_of_what_only_the_run_knows(value: str) -> None:
    check(define(GENERIC.format(value), scope={"functools": functools}), 1.3)


@pytest.mark.parametrize("value", ["--0.4", "~1", "not 0", "-(-1)", "+1"])
def test_signs_in_displays(value: str) -> None:
    check(define(f"def f(x):\n    return x * max(({value}, 0.1)) + np.sum([{value}, 2]) * x"), 1.3)
