"""Classes that are defined inside a differentiated function."""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing

import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient

SCOPE = {
    "dataclasses": dataclasses,
    "dataclass": dataclasses.dataclass,
    "field": dataclasses.field,
    "enum": enum,
    "Enum": enum.Enum,
    "NamedTuple": typing.NamedTuple,
    "functools": functools,
    "__name__": "local_classes",
}
BOX = """
class Box:
    rate = 3.0
    def __init__(self, v):
        self.v = v
    def scaled(self, k):
        return self.v * k * self.rate
    @property
    def square(self):
        return self.v**2
    def __call__(self, t):
        return self.v * t + self.v**3
    def __add__(self, other):
        return Box(self.v + other.v)
    @staticmethod
    def of(t):
        return t**2
    @classmethod
    def made(cls, t):
        return cls(t * cls.rate)
"""
POINT = """
@dataclass
class Point:
    x: float
    y: float = 2.0
    w: list = field(default_factory=list)
    def norm(self):
        return self.x**2 * self.y
"""
PAIR = """
class Pair(NamedTuple):
    a: float
    b: float = 2.0
    def product(self):
        return self.a * self.b
"""
MODE = """
class Mode(Enum):
    LOW = 1
    HIGH = enum.auto()
"""
STOP = """
class Stop(Exception):
    pass
"""


def inside(classes: str, body: str, arguments: str = "x") -> str:
    """A function that defines classes, then does what `body` says."""
    lines = [*classes.splitlines(), *body.splitlines()]
    return f"def f({arguments}):\n" + "".join(f"    {s}\n" for s in lines)


CALLED = "def f(x, key='a'):\n"
PROGRAMS = {
    "attributes and methods": inside(BOX, "b = Box(x)\nreturn b.scaled(x) + b.square"),
    "call and operators": inside(BOX, "b = Box(x)(2.0) + (Box(x) + Box(x**2)).v\nreturn b * x"),
    "static and class methods": inside(BOX, "return Box.of(x) + Box.made(x).square * Box.rate"),
    "a base": inside(
        BOX + "class Wide(Box):\n"
        "    def __init__(self, v, w):\n        super().__init__(v)\n        self.w = w\n"
        "    def scaled(self, k):\n        return super().scaled(k) * self.w\n",
        "w = Wide(x, x**2)\nreturn w.scaled(2.0) * isinstance(w, Box)",
    ),
    "changed attributes in a loop": inside(
        BOX, "b = Box(x)\nfor k in range(3):\n    b.v = b.v * x + k\nreturn b.v"
    ),
    "instances made in a loop": inside(
        BOX, "s = 0.0\nfor k in range(3):\n    s += Box(x * k)(x)\nreturn s"
    ),
    "instances in a list": inside(
        BOX, "boxes = [Box(x * k) for k in range(4)]\nreturn sum(b.square for b in boxes)"
    ),
    "instances in a branch": inside(
        BOX, "if x > 0:\n    b = Box(x)\nelse:\n    b = Box(-x)\nreturn b.square * x"
    ),
    "a dataclass": inside(POINT, "p = Point(x)\np.w.append(x)\nreturn p.norm() * p.w[0] * p.y"),
    "a dataclass that is not changed": inside(POINT, "return Point(x, x**2).norm()"),
    "a frozen dataclass": inside(
        "@dataclass(frozen=True)\nclass P:\n    a: float\n    b: float = 1.5",
        "p = P(x)\nreturn p.a ** 3 * p.b + dataclasses.replace(p, b=x).b",
    ),
    "a dataclass of dataclasses": inside(
        POINT + "@dataclass\nclass Line:\n    a: Point\n    b: Point\n",
        "line = Line(Point(x), Point(2.0, x))\nreturn line.a.norm() + line.b.norm()",
    ),
    "post-init": inside(
        "@dataclass\nclass P:\n    a: float\n    b: float = field(init=False)\n"
        "    def __post_init__(self):\n        self.b = self.a ** 2",
        "return P(x).b * x",
    ),
    "a named tuple": inside(PAIR, "p = Pair(x)\na, b = p\nreturn p.product() * a + b * p[0]"),
    "a named tuple replaced": inside(PAIR, "return Pair(x)._replace(b=x**2).product()"),
    "an enumeration": inside(
        MODE, "m = Mode.HIGH if x > 0 else Mode.LOW\nreturn x**2 if m is Mode.HIGH else x**3"
    ),
    "an enumeration's value": inside(MODE, "return x ** Mode.HIGH.value"),
    "an exception": inside(
        STOP,
        "y = x\ntry:\n    if x > 0:\n        raise Stop('far')\n    y = x**2\n"
        "except Stop:\n    y = x**3\nreturn y",
    ),
    "an exception in a loop": inside(
        STOP,
        "s = x\ntry:\n    for k in range(9):\n        s = s * x + k\n"
        "        if s > 4:\n            raise Stop(k)\n"
        "except Stop:\n    s = s * x\nreturn s",
    ),
    "an exception out of an inner function": inside(
        STOP,
        "def g(t):\n    if t > 1:\n        raise Stop\n    return t\n"
        "try:\n    y = g(x)\nexcept Stop as e:\n    y = x**2\nreturn y * x",
    ),
    "an exception with a base": inside(
        STOP + "class Far(Stop):\n    pass",
        "try:\n    raise Far\nexcept Stop:\n    y = x**2\nreturn y",
    ),
    "a function that makes instances": (
        inside(BOX, "return Box(t**2)", "t").replace("def f", "def make")
        + "def f(x):\n    a, b = make(x), make(2.0)\n    return a.scaled(x) * b.square + a(x)\n"
    ),
    "a function that makes a class": (
        inside(BOX, "return Box", "").replace("def f", "def make")
        + "def f(x):\n    Box = make()\n    return Box(x).square + Box.of(x)\n"
    ),
    "a callee": (
        inside(BOX, "return Box(t)(t)", "t").replace("def f", "def g")
        + "def f(x):\n    return sum(g(x * k) for k in range(3)) + g(x)\n"
    ),
    "a class in an inner function": inside(
        "def g(t):" + BOX.replace("\n", "\n    ") + "\n    return Box(t * x).square",
        "return g(x) + g(2.0)",
    ),
    "a cached property": inside(
        "class C:\n    def __init__(self, v):\n        self.v = v\n"
        "    @functools.cached_property\n    def cube(self):\n        return self.v**3",
        "c = C(x)\nreturn c.cube + c.cube",
    ),
    "a setter": inside(
        "class C:\n    @property\n    def v(self):\n        return self._v * 2\n"
        "    @v.setter\n    def v(self, t):\n        self._v = t**2",
        "c = C()\nc.v = x\nreturn c.v",
    ),
    "a context manager": inside(
        "class C:\n    def __init__(self):\n        self.s = []\n"
        "    def __enter__(self):\n        return self\n"
        "    def __exit__(self, *e):\n        self.s.append(1.0)\n",
        "c = C()\nwith c as d:\n    y = x**2\nreturn y * c.s[0]",
    ),
    "an iterator": inside(
        "class C:\n    def __init__(self, v):\n        self.v = v\n"
        "    def __iter__(self):\n        return iter([self.v, self.v**2])",
        "return sum(C(x)) + [t for t in C(x)][1]",
    ),
    "kept in a dict": inside(
        BOX, "d = {'a': Box(x)}\nd['b'] = d['a']\nd['b'].v *= x\nreturn d['a'].v"
    ),
    "constants of a class": inside(
        "class C:\n    a = 2.0\n    b, c = (1.0, math.pi)\n    d = (a, 3.0)\n    name = 'C'",
        "return x**2 * C.a * C.c + x * C.d[1] * len(C.name)",
    ),
    "a class that is empty": inside("class C:\n    pass", "c = C()\nc.v = x**2\nreturn c.v * x"),
    "a pattern of a class": inside(
        POINT, "match Point(x, 3.0):\n    case Point(a, b):\n        return a**2 * b\nreturn x"
    ),
    "an abstract base": inside(
        "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...\n"
        "class B(A):\n    def m(self):\n        return 2.0\n",
        "return B().m() * x",
    ),
    "a class in a class": inside("class A:\n    class B:\n        k = 2.0", "return A.B.k * x**2"),
    "a class of either of two": inside(
        "",
        "if x > 0:\n    class A:\n        k = 2.0\nelse:\n    class A:\n        k = 3.0\n"
        "return A.k * x**2",
    ),
    "a class in a generator": (
        inside(BOX, "yield Box(t).v\nyield Box(t**2).square", "t").replace("def f", "def g")
        + "def f(x):\n    return sum(g(x))\n"
    ),
    "an instance of a class given to a late call": (
        "T = {'a': lambda o, t: o.scaled(t)}\n"
        + inside(BOX, "return T[key](Box(x), x)", "x, key='a'")
    ),
    "a class given to a late call": (
        "T = {'a': lambda o, t: o(t).square}\n" + inside(BOX, "return T[key](Box, x)", "x, key='a'")
    ),
    "a class in a late call": (
        inside(BOX, "return Box(t)", "t").replace("def f", "def make")
        + "T = {'a': make}\n"
        + CALLED
        + "    return T[key](x).square\n"
    ),
    "what is printed": inside(POINT, "s = f'{Point(x)!r}'\nreturn x**2 if s else x"),
    "slots": inside(
        "class C:\n    __slots__ = ('v',)\n    def __init__(self, v):\n        self.v = v**2",
        "return C(x).v * x",
    ),
}


@pytest.mark.parametrize("title", PROGRAMS)
def test_program(title: str) -> None:
    f = define(PROGRAMS[title], scope=SCOPE)
    check(f, 1.3)
    step = 1e-5
    second = (derivative(f, 1.3 + step) - derivative(f, 1.3 - step)) / (2 * step)
    assert derivative(derivative(f))(1.3) == pytest.approx(second, rel=1e-5, abs=1e-6)


REFUSED = {
    "in a loop": inside("", "for k in range(2):\n    class A:\n        k = 2.0\nreturn A.k * x"),
    "in a recursive function": (
        "def f(x, n=2):\n    class Stop(Exception):\n        pass\n    if n == 0:\n"
        "        raise Stop\n    try:\n        return f(x, n - 1) * x\n"
        "    except Stop:\n        return x\n"
    ),
    "a list of the class": inside("class A:\n    s = []", "A.s.append(x)\nreturn len(A.s) * x"),
    "an effect": inside("class A:\n    print('made')", "return x"),
    "a method that changes the class": inside(
        "class A:\n    n = 0.0\n    def __repr__(self):\n        type(self).n += 1.0\n"
        "        return 'A'",
        "a = A()\nprint(a)\nreturn a.n * x",
    ),
    "a function that changes the class": (
        "def bump(c):\n    c.n += 1.0\n    return c.n\n"
        + inside("class A:\n    n = 0.0", "bump(A)\nreturn bump(A) * x")
    ),
    "a class that is stored into": inside("class A:\n    n = 0.0", "A.n = x\nreturn A.n * x"),
    "a value of the function in the statement": inside("class A:\n    k = x**2", "return A.k"),
    "a default that the run knows": inside(
        "class A:\n    def m(self, k=x):\n        return k", "return A().m()"
    ),
    "a decorator of the user's": inside(
        "def d(c):\n    return c\n@d\nclass A:\n    k = 2.0", "return A.k * x"
    ),
    "a base that is told": inside(
        "class A:\n    def __init_subclass__(cls):\n        print('told')\nclass B(A):\n    pass",
        "return x",
    ),
    "a number that an exception carries": inside(
        STOP, "try:\n    raise Stop(x)\nexcept Stop as e:\n    return e.args[0] * x"
    ),
}


@pytest.mark.parametrize("title", REFUSED)
def test_refused(title: str) -> None:
    f = define(REFUSED[title], scope=SCOPE)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            gradient(f, 1.3)
        assert refused.value.diagnostic.code in ("ZYG101", "ZYG103")
        assert refused.value.diagnostic.span is not None


def test_every_call_has_the_class_as_it_was_made() -> None:
    f = define(inside("class A:\n    n = 1.0", "a = A()\na.n += x\nreturn a.n * x"), scope=SCOPE)
    assert [gradient(f, 2.0) for _ in range(3)] == [(5.0,)] * 3
