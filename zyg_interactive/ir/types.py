"""The type lattice: what is known of a value before it exists.

Dimensions of arrays are `1`, a known size, or a `Dim`: equal dims are equal sizes. A dim that came
from an argument is known not to be one, so whether broadcasting happens is decided before the run.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_fresh = itertools.count()


@dataclass(frozen=True)
class Dim:
    """A size known only at the run. `plural`: it is known not to be 1."""

    name: str
    plural: bool = False

    def __repr__(self) -> str:
        return self.name


Size = int | Dim


def fresh(plural: bool = False) -> Dim:
    """A size that equals no other as far as is known."""
    return Dim(f"?{next(_fresh)}", plural)


class Type:
    """Base of the lattice."""


@dataclass(frozen=True)
class Scalar(Type):
    """A Python number. `size` is set on an int that is a dimension of some array."""

    kind: str  # bool, int, float, complex
    size: Size | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Array(Type):
    """A NumPy array or NumPy scalar; `None` is unknown. With both unknown: a number of any kind.

    `site`: where its buffer was made, in a program that changes something. An array whose buffer
    may be changed is a reference like a list: see `in_memory`.
    """

    dtype: np.dtype[Any] | None = None
    shape: tuple[Size, ...] | None = None
    site: Site | None = None

    def __repr__(self) -> str:
        name = "number" if self.dtype is None else self.dtype.name
        return (
            f"{name}[...]"
            if self.shape is None
            else f"{name}{list(self.shape)}"
            if self.shape
            else f"{name}[]"
        )


@dataclass(frozen=True)
class Tuple(Type):
    items: tuple[Type, ...]
    cls: type = tuple

    def __repr__(self) -> str:
        return f"({', '.join(map(repr, self.items))})"


@dataclass(frozen=True)
class List(Type):
    """A list of `item`s of unknown length, or, where `items` is given, of just those."""

    item: Type
    items: tuple[Type, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"list[{self.item!r}]"
            if self.items is None
            else f"[{', '.join(map(repr, self.items))}]"
        )


@dataclass(frozen=True)
class Dict(Type):
    items: tuple[tuple[Any, Type], ...]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{k!r}: {t!r}" for k, t in self.items) + "}"


@dataclass(frozen=True)
class Record(Type):
    """An instance of a user's class, by its attributes."""

    cls: type
    fields: tuple[tuple[str, Type], ...]

    def __repr__(self) -> str:
        return f"{self.cls.__name__}({', '.join(f'{k}: {t!r}' for k, t in self.fields)})"

    def get(self, name: str) -> Type | None:
        return dict(self.fields).get(name)


@dataclass(frozen=True)
class Const(Type):
    """A value known before the run: a function, a class, a module, a string, `None`."""

    value: Any

    def __repr__(self) -> str:
        return getattr(self.value, "__name__", None) or repr(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and same_constant(self.value, other.value)

    def __hash__(self) -> int:
        return hash((Const, type(self.value)))


@dataclass(frozen=True)
class Closure(Type):
    """A function made during the run: its template and the types of what it captured."""

    template: Any
    names: tuple[str, ...]
    captured: tuple[Type, ...]

    def __eq__(self, other: object) -> bool:  # lowered again, a text gives another template
        return (
            isinstance(other, Closure)
            and self.template.node is other.template.node
            and self.captured == other.captured
        )

    def __hash__(self) -> int:
        return hash((Closure, id(self.template.node)))

    def __repr__(self) -> str:
        return f"closure {self.template.name}"


@dataclass(frozen=True)
class Other(Type):
    """A Python object without derivative, by its class: strings, random generators, ranges …"""

    cls: type

    def __repr__(self) -> str:
        return self.cls.__name__


class Site:
    """A place where objects are made, and what they may hold there: the types of their items by
    index or key, of their attributes by name, `ANY` where only the run knows which.

    One site stands for all objects made there, whenever. Where two may be the same, they are made
    one (B. Steensgaard, Points-to analysis in almost linear time, POPL 1996), so that what is
    known of an object holds under each of its names.
    """

    __slots__ = (
        *("heap", "label", "contents", "keys", "size", "scrambled", "stored", "escaped"),
        "_parent",
    )

    def __init__(self, heap: Heap, label: Any):
        self.heap, self.label = heap, label
        self.contents: dict[Any, Type] = {}
        self.keys: Type = UNBOUND_TYPE  # of a dict, which only the run knows
        self.size: int | None = None  # how many items, where all that are made here have so many
        self.scrambled = False  # items have moved: an index tells nothing
        # Of arrays: their elements are changed, or they are found by identity.
        self.stored = heap.open
        self.escaped = False  # code that is not known yet may change what is here
        self._parent: Site | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Site) and self.find() is other.find()

    def __hash__(self) -> int:  # of equal sites there may be more later
        return hash(Site)

    def find(self) -> Site:
        site = self
        while site._parent is not None:
            site = site._parent
        return site

    def read(self, key: Any) -> Type:
        """The type of what may be under `key`; `UNBOUND_TYPE` where nothing is known to be."""
        site = self.find()
        if site.escaped:
            return UNKNOWN
        if key is ANY or site.scrambled:
            return join_all(tuple(site.contents.values()))
        return join(site.contents.get(key, UNBOUND_TYPE), site.contents.get(ANY, UNBOUND_TYPE))

    def write(self, key: Any, new: Type) -> None:
        """Note that a value of this type may be stored under `key`."""
        site = self.find()
        key = ANY if site.scrambled else key
        if self.heap.arrays:
            for array in arrays(new):
                if array.site is not None:
                    array.site.store()
        if site.escaped:
            escape(new)
        if key not in site.contents:
            site.contents[key] = new
            self.heap.changed = True
        elif not subsumes(old := site.contents[key], new):
            joined = join(old, new)
            if self.heap.widening:
                escape(joined)
                joined = UNKNOWN
            if joined != old and not subsumes(old, joined):
                site.contents[key] = joined
                self.heap.changed = True

    def write_key(self, new: Type) -> None:
        """Note that a dict may have a key of this type that only the run knows."""
        site = self.find()
        joined = new if site.keys == UNBOUND_TYPE or site.keys == new else UNKNOWN
        if joined != site.keys:
            site.keys, self.heap.changed = joined, True

    def resize(self) -> None:
        """Note that items may come or go at the end."""
        site = self.find()
        if site.size != VARIES:
            site.size, self.heap.changed = VARIES, True

    def made(self, items: dict[Any, Type]) -> None:
        """Note that a container of just these is made here."""
        site = self.find()
        if site.size is None:
            site.size = len(items)
        elif site.size != len(items):
            self.resize()
        for key, t in items.items():
            self.write(key, t)

    @property
    def exact(self) -> dict[Any, Type] | None:
        """The types of all items of every container made here, or None."""
        site = self.find()
        if site.escaped or site.scrambled or site.size != len(site.contents):
            return None
        return dict(site.contents)

    def scramble(self) -> None:
        """Note that items move: what is known of one of them is known of none."""
        self.resize()
        site = self.find()
        if not site.scrambled:
            held = tuple(site.contents.values())
            site.scrambled, site.contents = True, {ANY: join_all(held)} if held else {}
            self.heap.changed = True

    def bar(self) -> Site:
        """The site of the cotangents of the arrays made here."""
        site = self.find()
        found = self.heap.site(("cotangent", id(site)))
        found.stored = True
        return found

    def store(self) -> None:
        """Note that elements of the arrays made here are changed."""
        site = self.find()
        if not site.stored:
            site.stored = self.heap.changed = True
        if not self.heap.arrays:
            self.heap.arrays = self.heap.changed = True

    def escape(self) -> None:
        """Note that code may change what is here of which nothing is known."""
        site = self.find()
        if not site.escaped:
            site.escaped = self.heap.changed = True
            for t in list(site.contents.values()):
                escape(t)

    def unite(self, other: Site) -> None:
        """Note that objects of the two sites may be the same."""
        a, b = self.find(), other.find()
        if a is b:
            return
        b._parent = a
        self.heap.changed = True
        if None not in (a.size, b.size) and a.size != b.size:
            a.resize()
        a.size = b.size if a.size is None else a.size
        if b.scrambled:
            a.scramble()
        if a.escaped or b.escaped:
            a.escape()
        if a.stored or b.stored:
            a.store()
        for key, t in b.contents.items():
            a.write(key, t)
        if b.keys != UNBOUND_TYPE:
            a.write_key(b.keys)


class _Any:
    def __repr__(self) -> str:
        return "*"


ANY = _Any()
VARIES = -1


class Heap:
    """The sites of one specialisation, kept while it is lowered again until nothing changes."""

    def __init__(self, open: bool = False) -> None:
        self.open = open  # others change the arrays that are here
        self.sites: dict[Any, Site] = {}
        self.changed = False
        self.widening = False
        self.arrays = open  # arrays are changed, too
        self.factories: dict[Site, set[Any]] = {}  # of `defaultdict`, by where they are made
        self.limited: set[Site] = set()  # where deques of limited length are made
        # Variables that several functions share and some bind; iterators that are objects.
        self.shared: set[Any] = set()
        self.generators: dict[type, Any] = {}  # of frames: what names mean that are global to it

    def share(self, variable: Any) -> None:
        """Note that a variable is to be kept in memory."""
        if variable not in self.shared:
            self.shared.add(variable)
            self.changed = True

    def site(self, label: Any) -> Site:
        if label not in self.sites:
            self.sites[label] = Site(self, label)
        return self.sites[label]


@dataclass(frozen=True, eq=False)
class Ref(Type):
    """A list, dict or object that may be changed: where it is in memory, not what it holds. No
    cotangent flows into it; those of what it holds are found by its identity.
    """

    cls: type
    site: Site
    optional: bool = False  # it may be None

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ref)
            and self.cls is other.cls
            and self.optional == other.optional
            and self.site.find() is other.site.find()
        )

    def __hash__(self) -> int:  # of equal sites there may be more later
        return hash((Ref, self.cls))

    def __repr__(self) -> str:
        return f"&{self.cls.__name__}{'?' if self.optional else ''}"


@dataclass(frozen=True)
class Unknown(Type):
    def __repr__(self) -> str:
        return "?"


@dataclass(frozen=True)
class Unbound(Type):
    """The type of a name that has no value yet: the bottom of the lattice."""

    def __repr__(self) -> str:
        return "unbound"


INERT = (
    str,
    bytes,
    range,
    slice,
    type,
    type(None),
    np.dtype,
    np.random.Generator,
    np.random.RandomState,
    random.Random,
)
UNKNOWN = Unknown()
UNBOUND_TYPE = Unbound()
FLOAT = Scalar("float")
INT = Scalar("int")
BOOL = Scalar("bool")
NUMBER = Array(None, None)
PLAIN_NUMBER = Array(None, ())
_KINDS = ["bool", "int", "float", "complex"]


def same_constant(a: Any, b: Any) -> bool:
    """Whether two known values may stand for one another: identity, or equality within one plain
    type.
    """
    if a is b:
        return True
    if type(a) is not type(b) or not isinstance(
        a, int | float | complex | str | bytes | tuple | type(None) | slice
    ):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_constant, a, b))
    return bool(a == b) and repr(a) == repr(b)  # repr tells 0.0 from -0.0


def is_numeric(t: Type) -> bool:
    return isinstance(t, Scalar | Array)


def refers(t: Type) -> bool:
    """Whether a value of this type is, or holds, something that may be changed."""
    if isinstance(t, Scalar):
        return False
    todo, seen = [t], set()  # what calls keep for each other is shared: each part is looked at once
    while todo:
        part = todo.pop()
        if isinstance(part, Ref) or in_memory(part):
            return True
        if isinstance(part, Tuple | List | Dict | Closure) and id(part) not in seen:
            seen.add(id(part))
            todo += _held(part)
    return False


def _held(t: Tuple | List | Dict | Closure) -> Iterable[Type]:
    match t:
        case Tuple(items=items):
            return items
        case List(item=item, items=items):
            return (item,) if items is None else items
        case Dict(items=pairs):
            return (v for _, v in pairs)
        case Closure(captured=captured):
            return captured


def closures(t: Type) -> Iterator[Closure]:
    """The functions made during the run that something of this type is, or holds."""
    todo, seen = [t], set()
    while todo:
        part = todo.pop()
        if isinstance(part, Closure):
            yield part
        elif isinstance(part, Tuple | List | Dict) and id(part) not in seen:
            seen.add(id(part))
            todo += _held(part)
        elif isinstance(part, Ref) and id(site := part.site.find()) not in seen:
            seen.add(id(site))
            todo += site.contents.values()


def in_memory(t: Type) -> bool:
    """Whether an array is a reference: no cotangent flows into it; that of its buffer is found by
    the buffer's identity.
    """
    if not isinstance(t, Array) or t.site is None or t.shape == ():
        return False
    site = t.site.find()
    return site.heap.arrays and (site.stored or site.escaped)


def arrays(t: Type) -> Iterator[Array]:
    """The arrays in a structure, but not those that are held in memory."""
    match t:
        case Array():
            yield t
        case Tuple(items=items) | List(items=tuple(items)) | Closure(captured=items):
            for i in items:
                yield from arrays(i)
        case List(item=item):
            yield from arrays(item)
        case Dict(items=pairs) | Record(fields=pairs):
            for _, i in pairs:
                yield from arrays(i)


def placed(t: Type, site: Site) -> Type:
    """A type whose arrays are at a site, where it does not tell where they are."""
    match t:
        case Array(dtype=dtype, shape=shape, site=None) if shape != ():
            return Array(dtype, shape, site)
        case Tuple(items=items, cls=cls):
            return Tuple(tuple(placed(i, site) for i in items), cls)
        case List(item=item, items=None):
            return List(placed(item, site))
        case List(items=items) if items is not None:
            each = tuple(placed(i, site) for i in items)
            return List(join_all(each), each)
        case Dict(items=pairs):
            return Dict(tuple((k, placed(v, site)) for k, v in pairs))
    return t


def value_of(t: Type) -> Type:
    """The type of a copy of an array."""
    return Array(t.dtype, t.shape) if isinstance(t, Array) else t


def has_derivative(t: Type) -> bool:
    """Whether an argument of this type has a cotangent, in itself or in what it refers to."""
    return refers(t) or may_be_differentiable(t)


def may_be_differentiable(t: Type) -> bool:
    """Whether a cotangent can flow into a value of this type."""
    match t:
        case Scalar(kind=kind, size=size):
            return kind != "bool" and size is None  # a length is no quantity
        case Array(dtype=dtype):
            return dtype is None or dtype.kind in "iufcO"
        case Tuple(items=items):
            return any(map(may_be_differentiable, items))
        case List(item=item, items=items):
            return (
                any(map(may_be_differentiable, items))
                if items is not None
                else may_be_differentiable(item)
            )
        case Dict(items=items):
            return any(may_be_differentiable(v) for _, v in items)
        case Record(fields=fields):
            return any(may_be_differentiable(v) for _, v in fields)
        case Closure(captured=captured):
            return any(map(may_be_differentiable, captured))
        case Unknown():
            return True
        case Other(cls=cls):
            return not issubclass(cls, INERT)
    return False


def is_complex(t: Type) -> bool | None:
    """True, False, or None where it is not known."""
    match t:
        case Scalar(kind=kind):
            return kind == "complex"
        case Array(dtype=dtype) if dtype is not None:
            return dtype.kind == "c"
    return None


def of_number(x: Any) -> Type:
    """The type of a constant number or array, its sizes known."""
    match x:
        case bool():
            return BOOL
        case np.generic() | np.ndarray():
            return Array(x.dtype, x.shape)
        case int():
            return INT
        case float():
            return FLOAT
        case complex():
            return Scalar("complex")
    return Const(x)


def rank(t: Type) -> int | None:
    if isinstance(t, Scalar):
        return 0
    return len(t.shape) if isinstance(t, Array) and t.shape is not None else None


def shape_of(t: Type) -> tuple[Size, ...] | None:
    if isinstance(t, Scalar):
        return ()
    return t.shape if isinstance(t, Array) else None


def dtype_like(t: Type) -> Any:
    """What NumPy's promotion wants: a dtype, or the Python type of a weak scalar."""
    if isinstance(t, Scalar):
        return {"bool": np.dtype(bool), "int": int, "float": float, "complex": complex}[t.kind]
    return t.dtype if isinstance(t, Array) else None


def broadcast(*shapes: tuple[Size, ...] | None) -> tuple[Size, ...] | None:
    """NumPy's broadcasting on sizes, some of which are symbols."""
    if any(s is None for s in shapes):
        return None
    known = [s for s in shapes if s is not None]
    n = max(map(len, known), default=0)
    padded = [(1,) * (n - len(s)) + s for s in known]
    return tuple(_broadcast_size(sizes) for sizes in zip(*padded, strict=True))


def _broadcast_size(sizes: tuple[Size, ...]) -> Size:
    candidates = [s for s in sizes if s != 1]
    if not candidates:
        return 1
    plural = [s for s in candidates if is_plural(s)]
    if plural:
        return next((s for s in plural if isinstance(s, int)), plural[0])
    return candidates[0] if all(s == candidates[0] for s in candidates) else fresh()


def is_plural(s: Size) -> bool:
    """Known not to be 1."""
    return s.plural if isinstance(s, Dim) else s != 1


def join(a: Type, b: Type) -> Type:
    """The least type that holds values of both."""
    if a == b and all(map(_same_size, leaves(a), leaves(b))):
        return a
    match a, b:
        case Scalar(kind=j), Scalar(kind=k) if j == k:
            return Scalar(j)
        case Unbound(), _:
            return b
        case _, Unbound():
            return a
        case Const(value=x), _ if isinstance(x, int | float | complex | np.generic | np.ndarray):
            return join(of_number(x), b)
        case _, Const(value=x) if isinstance(x, int | float | complex | np.generic | np.ndarray):
            return join(a, of_number(x))
        case Scalar(kind=j), Scalar(kind=k):
            return Scalar(max(j, k, key=_KINDS.index)) if "bool" not in (j, k) else PLAIN_NUMBER
        case (Scalar() | Array(), Scalar() | Array()) if not _may_be_either(a, b):
            return _join_arrays(a, b)
        case Tuple(items=xs, cls=c), Tuple(items=ys, cls=d) if len(xs) == len(ys) and c is d:
            return Tuple(tuple(map(join, xs, ys)), c)
        case List(), List():
            if a.items is not None and b.items is not None and len(a.items) == len(b.items):
                items = tuple(map(join, a.items, b.items))
                return List(join_all(items), items)
            return List(join(a.item, b.item))
        case Dict(items=xs), Dict(items=ys) if [k for k, _ in xs] == [k for k, _ in ys]:
            return Dict(tuple((k, join(s, t)) for (k, s), (_, t) in zip(xs, ys, strict=True)))
        case Record(cls=c, fields=xs), Record(cls=d, fields=ys) if c is d and [
            k for k, _ in xs
        ] == [k for k, _ in ys]:
            return Record(c, tuple((k, join(s, t)) for (k, s), (_, t) in zip(xs, ys, strict=True)))
        case Closure(template=f, captured=xs), Closure(template=g, captured=ys) if f.node is g.node:
            return Closure(f, a.names, tuple(map(join, xs, ys)))
        case Ref(cls=c), Ref(cls=d) if c is d:
            a.site.unite(b.site)
            return a if a.optional else b
        case Ref(), Const(value=None):
            return Ref(a.cls, a.site, True)
        case Const(value=None), Ref():
            return Ref(b.cls, b.site, True)
        case Other(cls=c), Const(value=v) if type(v) is c:
            return a
        case Const(value=v), Other(cls=c) if type(v) is c:
            return b
        case Const(value=v), Const(value=w) if type(v) is type(w) and isinstance(v, str | bytes):
            return Other(type(v))
    escape(a)
    escape(b)
    return UNKNOWN


def escape(t: Type) -> None:
    """Note that what a value of this type refers to may be changed where nobody sees it."""
    match t:
        case Ref(site=site):
            site.escape()
        case Array(site=site) if site is not None:
            site.escape()
        case Tuple(items=items):
            for i in items:
                escape(i)
        case List(item=item, items=items):
            for i in items if items is not None else (item,):
                escape(i)
        case Dict(items=pairs):
            for _, i in pairs:
                escape(i)
        case Closure(captured=captured):
            for i in captured:
                escape(i)


def _may_be_either(a: Type, b: Type) -> bool:
    """Whether a value of one of these is an array in memory, or a number, which has no identity."""
    placed = any(isinstance(t, Array) and t.site is not None for t in (a, b))
    return placed and (shape_of(a) == ()) != (shape_of(b) == ())


def _same_size(a: Type, b: Type) -> bool:
    return not isinstance(a, Scalar) or not isinstance(b, Scalar) or a.size == b.size


def _join_arrays(a: Type, b: Type) -> Type:
    s, t = shape_of(a), shape_of(b)
    shape: tuple[Size, ...] | None = None
    if s is not None and t is not None and len(s) == len(t):
        shape = tuple(
            x if x == y else fresh(is_plural(x) and is_plural(y)) for x, y in zip(s, t, strict=True)
        )
    p, q = _dtype(a), _dtype(b)
    sites = [t.site for t in (a, b) if isinstance(t, Array) and t.site is not None]
    if len(sites) > 1:
        sites[0].unite(sites[1])
    return Array(p if p == q else None, shape, sites[0] if sites else None)


def _dtype(t: Type) -> np.dtype[Any] | None:
    return np.dtype(t.kind) if isinstance(t, Scalar) else t.dtype if isinstance(t, Array) else None


def join_all(types: tuple[Type, ...]) -> Type:
    joined: Type = UNBOUND_TYPE
    for t in types:
        joined = join(joined, t)
    return joined


def join_quietly(types: tuple[Type, ...]) -> Type:
    """As `join_all`, where that lets nothing escape; else unknown: what is read is escaped then."""
    classes = {t.cls if isinstance(t, Ref) else None for t in types}
    if len(classes) > 1 or (classes == {None} and any(map(refers, types)) and len(set(types)) > 1):
        return UNKNOWN
    return join_all(types)


def subsumes(a: Type, b: Type) -> bool:
    """Whether code specialised for `a` may receive a `b`; fresh sizes are compared by what is known
    of them.
    """
    match a, b:
        case Array(dtype=p, shape=s), Array(dtype=q, shape=t):
            if (p is not None and p != q) or b.site not in (None, a.site):
                return False
            return s is None or (
                t is not None
                and len(s) == len(t)
                and all(_holds(x, y) for x, y in zip(s, t, strict=True))
            )
        case Tuple(items=xs), Tuple(items=ys):
            return len(xs) == len(ys) and all(map(subsumes, xs, ys))
        case List(item=x, items=None), List(item=y):
            return subsumes(x, y)
        case List(items=xs), List(items=ys) if xs is not None and ys is not None:
            return len(xs) == len(ys) and all(map(subsumes, xs, ys))
        case Unknown(), _:
            return True
        case Scalar(kind=j), Scalar(kind=k):
            return j == k and (a.size is None or a.size == b.size)
        case Dict(items=xs), Dict(items=ys):
            return [k for k, _ in xs] == [k for k, _ in ys] and all(
                subsumes(s, t) for (_, s), (_, t) in zip(xs, ys, strict=True)
            )
        case Record(cls=c, fields=xs), Record(cls=d, fields=ys):
            return c is d and subsumes(Dict(xs), Dict(ys))
        case Closure(template=f, captured=xs), Closure(template=g, captured=ys):
            return f.node is g.node and all(map(subsumes, xs, ys))
        case Other(cls=c), Const(value=v):
            return type(v) is c
        case _, Unbound():
            return True
        case Ref(cls=c, optional=True), Ref(cls=d):
            return c is d and a.site.find() is b.site.find()
        case Ref(optional=True), Const(value=None):
            return True
    return a == b


def _holds(x: Size, y: Size) -> bool:
    return x == y or (
        isinstance(x, Dim) and x.name.startswith("?") and (not x.plural or is_plural(y))
    )


def leaves(t: Type) -> Iterator[Type]:
    """The numeric types inside a type."""
    match t:
        case Scalar() | Array() | Unknown():
            yield t
        case Tuple(items=items):
            for i in items:
                yield from leaves(i)
        case List(item=item, items=items):
            for i in items if items is not None else (item,):
                yield from leaves(i)
        case Dict(items=pairs) | Record(fields=pairs):
            for _, i in pairs:
                yield from leaves(i)
