"""Objects: attributes by names that are computed, dataclasses and their bases, objects that are
gone through, and calls that are not followed and change them.
"""

from __future__ import annotations

import dataclasses
import types
import weakref
from collections import deque
from typing import Any

import pytest
from helpers import check, define

from zyg_interactive import Refused, derivative, gradient, withgradient

PROGRAMS = """
class Plain:
    k = 3.0

    def __init__(self, r):
        self.r, self.total = r, 0.0

    @property
    def twice(self):
        return 2 * self.r

    @twice.setter
    def twice(self, v):
        self.r = v / 2

    def on_add(self, v):
        self.total += v * self.r

    def on_sub(self, v):
        self.total -= v


@dataclass(slots=True)
class Slots:
    r: float
    total: float = 0.0


@dataclass
class Circle:
    r: float
    tags: list = field(default_factory=list)

    def area(self):
        return 3.0 * self.r ** 2


class ByHand(Circle):
    def __init__(self, a):
        super().__init__(a)

    def area(self):
        return 2.0 * super().area()


class ByName(Circle):
    def __init__(self, a, b):
        Circle.__init__(self, a, tags=[b])
        self.b = b


@dataclass
class Post(Circle):
    k: float = 2.0

    def __post_init__(self):
        self.tags.append(self.r * self.k)


class Inherits(Post):
    pass


@dataclass
class Own:
    r: float
    s: float = 1.0
    kept: list = field(default_factory=list)

    def __init__(self, r):
        self.r, self.s, self.kept = r * 2, r * 3, [r]


@dataclass
class Passing:
    r: float
    scale: InitVar[float] = 2.0
    n: ClassVar[int] = 3
    kept: list = field(default_factory=list)

    def __post_init__(self, scale):
        self.r *= scale


class Tree:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right

    def insert(self, v):
        side = "left" if v < self.value else "right"
        child = getattr(self, side)
        if child is None:
            setattr(self, side, Tree(v))
        else:
            child.insert(v)

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


class Bag:
    def __init__(self, *held):
        self.held = list(held)

    def __iter__(self):
        return iter(self.held)


class Doubling(Bag):
    def __iter__(self):
        for v in self.held:
            yield v * 2


def get_with_a_default(x):
    return getattr(Plain(x), "r", 1.0) * getattr(Plain(x), "nothing", x) * getattr(Plain(x), "k", 0)

def get_what_may_be_there(x):
    p = Plain(x)
    for _ in range(2):
        p.total += getattr(p, "cache", x)
        p.cache = x ** 3
    return p.total

def get_by_name(x):
    p = Plain(x)
    return sum(getattr(p, n) ** 2 for n in ("r", "total", "twice", "k"))

def method_by_name(x):
    p = Plain(x)
    for kind in ("add", "sub", "add"):
        getattr(p, "on_" + kind)(x * x)
    return p.total

def method_by_formatted_name(x):
    p = Plain(x)
    for kind in ("add", "sub", "add"):
        getattr(p, f"on_{kind}")(x * x)
    return p.total

def set_by_name(x):
    p = Plain(x)
    for name, value in [("total", x * x), ("new", x), ("twice", x ** 3)]:
        setattr(p, name, value)
    return p.r * p.total * p.new

def set_by_name_in_init(x):
    class Options:
        def __init__(self, **kw):
            for name, value in kw.items():
                setattr(self, name, value)

    o = Options(a=x, b=x * x)
    return o.a * o.b

def slots_by_name(x):
    s = Slots(x)
    for name in ("r", "total", "r"):
        setattr(s, name, getattr(s, name) * x + x)
    return s.r * s.total

def init_of_a_base(x):
    return ByHand(x).area()

def init_of_a_base_by_name(x):
    made = ByName(x, x * x)
    return made.area() * made.b + made.tags[0]

def after_an_inherited_init(x):
    return Inherits(x, k=x).tags[0] * x

def init_by_hand(x):
    return Own(x).r * Own(x).s * Own(x).kept[0]

def what_init_passes_on(x):
    return Passing(x, x).r * Passing.n

def recursive_iteration(x):
    t = Tree(x)
    for v in (x * x, 2 * x, 0.1, x + 0.5, -x):
        t.insert(v)
    return sum(k * v for k, v in enumerate(t))

def extended_by_objects(x):
    items = [x]
    items.extend(Bag(x, x * x))
    items += Doubling(x * x, x)
    items[1:2] = Doubling(x ** 3)
    return sum(k * v ** 2 for k, v in enumerate(items))

def yielded_from_objects(x):
    def every():
        yield from Bag(x, x * x)
        yield from Doubling(x, 3.0)

    return sum(k * v ** 2 for k, v in enumerate(every()))

def keywords_changed(**kw):
    kw["z"] = kw.pop("q", 1.0) * 2
    kw.setdefault("r", 3.0)
    return sum(kw.values())

def keywords(**kw):
    return kw

class Keeping:
    def __init__(self, **kw):
        self.kw = kw

    def __call__(self, x):
        return x * self.kw.get("q", 0.5)

def options(x):
    return keywords_changed(q=x * x, r=x) * keywords_changed()

def keywords_returned(x):
    first = keywords(q=x)
    first["q"] *= x
    items = []
    for d in [first, keywords(r=x * x), keywords()]:
        items.append(d)
    return sum(d.get("q", x) * k for k, d in enumerate(items, 1)) * items[1]["r"]

def keywords_kept(x):
    t = x
    for f in [Keeping(q=x), Keeping(), Keeping(q=x * x, r=1.0)]:
        t += f(t)
    return t

def get_of_either(x):
    held = [{"q": x, "r": 2.0}, 3][int(x)]
    return held.get("q", 0.0) * held.get("z", x) + sum(held.values())

class Linked:
    def __init__(self, v):
        self.v, self.links = v, []

    def link(self, o):
        self.links.append(o)
        o.links.append(self)

def objects_in_a_circle(x):
    nodes = {name: Linked(x * k) for k, name in enumerate("abc", 1)}
    nodes["a"].link(nodes["b"])
    nodes["b"].link(nodes["c"])
    nodes["c"].link(nodes["a"])
    for _ in range(2):
        new = {n: node.v * sum(o.v for o in node.links) for n, node in nodes.items()}
        for n, node in nodes.items():
            node.v = new[n]
    return sum(node.v for node in nodes.values())

def objects_in_a_long_chain(x):
    nodes = [Linked(x * (k % 3)) for k in range(300)]
    for a, b in zip(nodes, nodes[1:]):
        a.links.append(b)
    t, at = 0.0, nodes[0]
    while at.links:
        t = 0.9 * t + at.v * x
        at = at.links[0]
    return t

def places_of_an_array(x):
    out = np.zeros((2, 3))
    for i, j in np.ndindex(2, 3):
        out[i, j] = x * i + j * x * x
    for place in np.ndindex(out.shape):
        out[place] *= x
    return np.sum(out ** 2)

def elements_of_an_array(x):
    t, a = 0.0, x * np.arange(6.0).reshape(2, 3) + 1.0
    for (i, j), v in np.ndenumerate(a):
        t += v * v * (i - 2 * j)
    every = dict(np.ndenumerate(np.ravel(a)))
    return t + every[(1,)] * every[(2,)] + sum(v * i for (i,), v in np.ndenumerate(a[0]))

def complex_of_parts(x):
    z = complex(x, x * x)
    w = z ** 2 + z.conjugate() * complex(imag=x)
    return abs(w) + w.real * w.imag

def functions_compared(x):
    def f(v):
        return v * x

    def called(g):
        return g(x) if g is f and g == f else x

    return called(f) * (f is not None) + called(lambda v: v)

def remainder_of_text(x):
    text = "%5.1f|%s" % (x, "a") + "%d" % 3
    return x ** text.count("a")

def dispatched_on_text(x):
    try:
        of("text")
    except TypeError:
        return x * of(x)
    return x
"""


def scope() -> dict[str, Any]:
    import functools
    from dataclasses import InitVar, dataclass, field
    from typing import ClassVar

    @functools.singledispatch
    def of(x: Any) -> Any:
        raise TypeError(type(x).__name__)

    of.register(float)(_square)
    return {
        **{"dataclass": dataclass, "field": field, "InitVar": InitVar, "ClassVar": ClassVar},
        **{"__name__": __name__, "of": of},
    }


def _square(x: Any) -> Any:
    return x * x


NAMES = [
    line[4:].partition("(")[0]
    for line in PROGRAMS.splitlines()
    if line.startswith("def ") and line.endswith("(x):")
]


@pytest.mark.parametrize("name", NAMES)
def test_gradient(name: str) -> None:
    check(define(PROGRAMS, name, scope()), 0.7)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivative(name: str) -> None:
    f = define(PROGRAMS, name, scope())
    slope, h = derivative(f), 1e-5
    differences = (slope(0.7 + h) - slope(0.7 - h)) / (2 * h)
    assert abs(derivative(slope)(0.7) - differences) < 1e-5 * max(1.0, abs(differences))


class Sum:
    def __init__(self, r: Any):
        self.r, self.total = r, 0.0

    def unfollowed(self, add: Any) -> int:
        self.total = _kept(**add) * self.r
        return 1


@dataclasses.dataclass(slots=True)
class InSlots:
    r: Any
    total: Any = 0.0


def _kept(a: Any) -> Any:
    return a


def _known_at_the_run(x: Any) -> Any:
    found: dict[str, Any] = {}
    found[["a"][int(x)]] = x
    return found


def _filled(items: Any, add: Any) -> int:
    items.append(_kept(**add))
    return 1


def _put(s: Any, add: Any) -> int:
    s.total = _kept(**add) * s.r
    return 1


def _method(x: Any) -> Any:
    s = Sum(x)
    s.unfollowed(_known_at_the_run(x))
    return s.total


def _slots(x: Any) -> Any:
    s = InSlots(x)
    _put(s, _known_at_the_run(x))
    return s.total * x


def _deque(x: Any) -> Any:
    d = deque([x])
    _filled(d, _known_at_the_run(x))
    return d[-1] * d[0]


@pytest.mark.parametrize("f", [_method, _slots, _deque])
def test_a_call_that_is_not_followed_changes_no_object(f: Any) -> None:
    with pytest.raises(Refused):
        gradient(f, 0.7)


WEAK: Any = weakref.WeakKeyDictionary({_kept: 3.0})
FROZEN = types.MappingProxyType({"a": 2.0})


def _of_weak(x: Any) -> Any:
    items: list[Any] = []
    items.append(x)
    table: dict[str, Any] = {"a": WEAK, "b": 2}
    return table["ab"[int(x)]][_kept] * items[0]


def _of_frozen(x: Any) -> Any:
    found: Any = [FROZEN, 3][int(x)]
    return found["a"] * x


@pytest.mark.parametrize("f", [_of_weak, _of_frozen])
def test_an_item_of_an_object_that_is_not_followed(f: Any) -> None:
    with pytest.raises(Refused) as refused:
        derivative(derivative(f))(0.7)
    assert refused.value.diagnostic.span is not None
    assert refused.value.diagnostic.span.file == __file__


def _by_dict(x: Any) -> Any:
    s = Sum(x)
    s.__dict__["total"] = x * x
    return s.total


def _by_vars(x: Any) -> Any:
    s = Sum(x)
    vars(s)["total"] = x * x
    return s.total


def _over_a_method(x: Any) -> Any:
    s: Any = Sum(x)
    for name in ["total", "unfollowed"]:
        setattr(s, name, x)
    return s.total * s.unfollowed


@pytest.mark.parametrize("f", [_by_dict, _by_vars, _over_a_method])
def test_attributes_that_are_stored_past_what_is_followed(f: Any) -> None:
    with pytest.raises(Refused):
        gradient(f, 0.7)


def _unfollowed(k: Any) -> Any:
    def constant() -> Any:
        for _ in range(1):

            class Inside:
                pass

        return k

    return constant


def _of_functions(x: Any, fs: Any) -> Any:
    return x * round(fs[int(x)]())


def test_a_closure_that_is_not_followed_is_called_as_it_is_now() -> None:
    for k in (1, 2, 3, 1):
        f = _unfollowed(k)
        assert withgradient(lambda x, f=f: x * round(f()), 0.7) == (0.7 * k, (float(k),))
        assert derivative(lambda x, f=f: _of_functions(x, [f, None]), 0.7) == k


def _found(x: Any) -> Any:
    def f(v: Any) -> Any:
        return v * x

    kept = {"f": f}
    return x if kept["f"] is f else x * x


def _removed(x: Any) -> Any:
    def f(v: Any) -> Any:
        return v * x

    items = [x]
    items.append(f)
    items.remove(f)
    return items[0] * len(items)


def _counted(x: Any) -> Any:
    def f(v: Any) -> Any:
        return v * x

    return x * [f, f].count(f)


def _bound(x: Any) -> Any:
    s = Sum(x)
    return s.r if s.unfollowed in [s.unfollowed] else 0.0


@pytest.mark.parametrize("f", [_found, _removed, _counted])
def test_a_function_that_is_made_here_is_told_from_others(f: Any) -> None:
    check(f, 0.7)


def test_a_bound_method_is_not_told_from_others() -> None:
    with pytest.raises(Refused):
        gradient(_bound, 0.7)


class Squares:
    def f(self, x: Any) -> Any:
        return x * x


class Doubles:
    """A class that works together with what may come after it."""

    def f(self, x: Any) -> Any:
        return 2 * super().f(x) if hasattr(super(), "f") else x

    def g(self, x: Any) -> Any:
        inherited = getattr(super(), "g", None)
        return x if inherited is None else inherited(x)


class Both(Doubles, Squares):
    pass


def test_what_super_has() -> None:
    check(lambda x: Both().f(x) + Doubles().f(x) + Both().g(x), 1.3)
