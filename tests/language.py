"""Random programs out of all of Python's statements, calls and containers.

`Language(choose)` fills in templates; `choose(n)` gives a number below n. In a template `$e` is an
expression, `$c` a condition; `$s $l $d $o $f` are a number, list, dict, object and function that
are there, the capitals new ones; `$n` is a number, `$j` an integer that a loop binds for the block
at `$$`; `$h` is an expression that binds nothing, as what a comprehension goes through must be.
What has a digit is the same throughout the template. Values stay bounded, so what differs from
finite differences is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from programs import Program

PRELUDE = '''
import collections, contextlib, copy, dataclasses, functools, heapq, itertools, operator


class Off(Exception):
    pass


class Far(Off):
    pass


class Box:
    scale = 0.5

    def __init__(self, x, y=0.3):
        self.x = x
        self.y = y

    def __call__(self, q):
        return math.tanh(q + self.x)

    def __add__(self, other):
        return Box(self.x + (other.x if isinstance(other, Box) else other), self.y)

    def __radd__(self, other):
        return self + other

    def __mul__(self, q):
        return Box(self.x * q, self.y)

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __len__(self):
        return 2

    def __iter__(self):
        yield self.x
        yield self.y

    def __contains__(self, q):
        return self.x > 0.1

    @property
    def size(self):
        return math.hypot(self.x, 1.0) - 1.0

    @size.setter
    def size(self, q):
        self.x = math.tanh(q)

    @staticmethod
    def half(q):
        return 0.5 * q

    @classmethod
    def of(cls, q):
        return cls(q, cls.scale)

    def bump(self, q):
        self.x = math.sin(self.x + q)
        return self.x


class Wide(Box):
    def bump(self, q):
        self.y += 0.1 * q
        return super().bump(q) + self.y


@dataclasses.dataclass
class Point:
    u: float
    v: float = 0.5
    w: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Fixed:
    u: float
    v: float


Two = collections.namedtuple("Two", "u v")


@contextlib.contextmanager
def scaled(l, q):
    l.append(q)
    yield l[-1] * 2.0
    l.pop()


class Kept:
    def __init__(self, box, eats=False):
        self.box, self.eats = box, eats

    def __enter__(self):
        self.box.y = self.box.y * 0.5 + 0.1
        return self.box

    def __exit__(self, kind, error, where):
        self.box.y += 0.1
        return self.eats and kind is not None and issubclass(kind, Off)


@contextlib.contextmanager
def mended(box, q):
    old = box.y
    box.y = math.tanh(q)
    try:
        yield box.y
    except Off:
        box.x = box.x * 0.9
    finally:
        box.y = old


def twice(fn):
    @functools.wraps(fn)
    def inner(q, *more):
        return fn(fn(q, *more), *more)

    return inner


@twice
def soft(q, k=0.7):
    return math.tanh(q * k)


@functools.singledispatch
def show(q):
    return 0.3 * q


@show.register
def _(q: list):
    return 0.2 * sum(q)


@functools.lru_cache(maxsize=None)
def fib(k):
    return 1.0 if k < 2 else 0.5 * (fib(k - 1) + fib(k - 2))


def count(xs, k=2):
    for q in xs:
        if k <= 0:
            return
        yield q * k
        k -= 1


def endless(q):
    while True:
        yield q
        q = 0.6 * q + 0.1


def scaled_by(it, q):
    for n in it:
        yield n * q


def halves(q, k):
    if k > 0:
        yield from halves(0.5 * q, k - 1)
        yield q
        yield from halves(q - 0.3, k - 2)


def many(*qs, k=1.0, **more):
    t = k
    for q in qs:
        t = t + 0.4 * q
    for name, q in more.items():
        t = t + 0.1 * len(name) * q
    return math.sin(t)


def deep(q, k):
    return q if k <= 0 else math.sin(deep(q * 0.9, k - 1) + 0.1 * k)


def even(q, k):
    return q if k <= 0 else odd(q * 0.8, k - 1)


def odd(q, k):
    return math.cos(q) if k <= 0 else even(q + 0.1, k - 1)


def first(l, q):
    for i, v in enumerate(l):
        for r in (0.2, 0.5):
            if v * r > q:
                return v - r * i
    return q * 0.5


def push(l, q):
    l.append(math.tanh(q))
    return l


def shown(d):
    return d.values()


def risky(q):
    if q > 0.4:
        raise Far("far")
    if q < -0.4:
        raise Off("off")
    return q * 2.0


def found(f, q):
    return f if q < 1e6 else None


def linked(h, t):
    return lambda pick: pick(h, t)


def total(c):
    return 0.0 if c is None else c(lambda h, t: 0.5 * h + 0.5 * total(t))


def bounced(q, k):
    def again(n, acc):
        return (lambda: again(n - 1, math.sin(acc + q))) if n > 0 else acc

    r = again(k, q)
    while callable(r):
        r = r()
    return r


class Tape:
    def __init__(self):
        self.notes = []

    def note(self, q):
        self.notes.append(q)
        return q
'''

EXPRESSIONS = """
($e + $e)
($e * $e)
($e - 0.5 * $e)
math.sin($e)
math.tanh($e * $e)
math.cos($e) * $k
np.tanh($e)
$e / (1.5 + math.sin($e))
($e if $c else $e)
max($e, $e)
abs($e)
(-$e)
($c and $e or $e)
$f($e)
soft($e)
soft($e, $k)
deep($e, $i)
even($e, $i)
first($l, $e)
many($e, $e)
many($e, k=$e, a=$e)
many($e, *($e, $e), b=$e)
many(**{"a": $e, "bb": $e})
Box($e)($e)
Box.half($e)
Box.of($e).x
(Box($e) + $e).x
(Box($e) * $e)[0]
sum(Box($e, $e))
$o.x
$o.y * $o.scale
$o.size
len($o) * $o[0]
$l[$i]
$l[-1]
sum($l)
sum($l[1:])
max($l)
min($l, key=lambda q: abs(q))
sum(q * $k for q in $l)
sum([q * r for q in $l for r in (0.5, 0.2)])
sum(map(lambda q: q * $s, $l))
sum(filter(lambda q: q > $k, $l), $e)
sum(a * b for a, b in zip($l, reversed($l)))
sum(i * q for i, q in enumerate($l)) * 0.1
sum(sorted($l)[:2])
sorted($l, key=lambda q: -q)[0]
sum(count($l))
sum(itertools.islice(endless($e), 3))
sum(scaled_by(count($l), $e))
sum(halves($e, 3)) * 0.2
sum(a * b for a, b in zip(list($l), endless($h)))
functools.reduce(lambda a, b: a * 0.5 + b, $l)
sum(itertools.chain($l, [$e]))
sum(a * b for a, b in itertools.pairwise($l)) * 0.3
sum(a * b for a, b in itertools.combinations($l, 2)) * 0.1
sum(itertools.islice($l, 2))
sum(itertools.accumulate($l)) * 0.1
next(iter($l))
next((q for q in $l if q > $k), $e)
(any(q > 0.3 for q in $l) + 1) * $e
np.sum(np.array($l))
np.dot(np.array($l[:2]), [$e, $e])
$d["a"]
$d.get("b", 0.2)
$d.get("zz", $e)
sum($d.values())
sum(len(k) * q for k, q in $d.items()) * 0.2
({**$d, "a": $e})["a"]
({"a": $e} | $d | {"b": $e})["b"]
sum({$e: 0.3, $e + 3.0: 0.2}) * 0.2
sum(q * r for q, r in {$e: $k, $e: $s}.items()) * 0.2
sum(shown($d))
sum($d[k] for k in sorted($d.keys() & {"a", "b"}))
max(($e, 0.1), ($e, 0.2))[0]
len([q for q in $l if q > 0]) * $e
($s * 2 if "a" in $d else $e)
Two($e, $e).v
Two($e, $e)._replace(u=$e).u
Point($e).u
Fixed($e, $e).v
dataclasses.replace(Fixed($e, 0.2), v=$e).v
functools.partial(many, $e, k=$s)($e)
operator.mul($e, $e)
(lambda q, r=$k: q * r)($e)
(lambda *qs: sum(qs))($e, $e)
(y := math.sin($e)) * y
show($e)
show([$e, $s])
fib($i) * $e
float(f"{1.5:.1f}") * $e
copy.copy($l)[0]
sum(copy.deepcopy([$l, $l])[1])
{"p": $e, "q": $e}["p"]
[$e, $e][0 if $c else 1]
($e, $e)[$c]
sum(x0 * x1 for x0, x1 in {k: (q, q) for k, q in $d.items()}.values()) * 0.2
math.prod($l[:2])
found($f, $e)($e)
found(lambda q: q * $s, $e)($e)
found(lambda q: [q, $s, {"a": $s}][$i], $s)($e)
found(lambda q: [q, np.array([q, $s])], $s)($e)[1][$i]
found(lambda q: {"a": [q, $s], "b": np.array([$s, q]), "c": q}, $s)($e)["b"][0]
found(lambda g, q: [g(q), g][1], $s)($f, $e)($e)
found(lambda g: (lambda q: g(q) * $s), $s)($f)($e)
found(lambda fs: fs["a"](fs["b"]), $s)({"a": lambda q: math.sin(q * $s), "b": $e})
total(linked($e, linked($e, None)))
bounced($e, $r)
derivative(lambda q: math.sin(q) * $s)($e)
gradient(lambda q: q * $s + q * q, $e)[0]
"""

CONDITIONS = """
$e > $k
$e < $e
$k < $e < 0.9
not $e > 0.1
$e > 0.0 and $e < 0.5
$e > 0.3 or $e < -0.2
isinstance($o, Wide)
$s is not None
len($l) > 2
"a" in $d
all(q < 0.9 for q in $l)
$o
bool($l)
"""

STATEMENTS = """
$S = $e
===
$s = $e
===
$s += 0.3 * $e
===
$s -= $e
===
$s, $s = $s, $e
===
$S1 = $S2 = $e
===
$S, *$L = $e, $e, $e
===
$S, ($S, $S) = $e, ($e, $e)
===
$S1: float = $e
===
$L = [$e, $e]
===
$L = [$e, *$l]
===
$L = [q * $k for q in $l]
===
$L = list(map(lambda q: math.sin(q) + $s, $l))
===
$L = [$e for _ in range(3)]
===
$L = $l + [$e]
===
$L = push($l, $e)
===
$l.append($e)
===
$l.insert($i, $e)
===
$l[$i] = $e
===
$l[0] += $e
===
$l[:1] = [$e, $e]
===
$l.extend([$e, $e])
===
$l.extend(math.sin(q) for q in $l[:2])
===
$S1 = $l.pop() if len($l) > 2 else $e
===
if len($l) > 2:
    del $l[0]
===
$l.sort()
===
$l.reverse()
===
$l1 += [$e]
===
$l[$i], $l[$i] = $l[$i], $e
===
$D = {"a": $e, "b": $e}
===
$D = dict(a=$e, b=$e)
===
$D = {k: q * $s for k, q in $d.items()}
===
$D = {**$d, "b": $e}
===
$D = $d | {"b": $e}
===
kept_ = shown($d)
$d["b"] = $e
$S1 = sum(kept_)
===
keys_ = {}
for q in $l:
    keys_[q * $k] = q
$S1 = sum(q * r for q, r in keys_.items()) * 0.2
===
$d["a"] = $e
===
$d["b"] += $e
===
$d.update(b=$e)
===
$d.setdefault("c", $e)
===
$d["z"] = $e
$S1 = $d.pop("z", 0.1)
===
$O = Box($e, $e)
===
$O = Wide($e)
===
$o.x = $e
===
$o.y += $e
===
$o.size = $e
===
$S1 = $o.bump($e)
===
$O = $o + $e
===
setattr($o, "x", $e)
===
def $F1(q):
    return q * $s + $k
===
def $F1(q, *, r=$k):
    t = q
    for j in range(2):
        t = math.tanh(t + r)
    return t
===
$F1 = lambda q: q * $e1 + 0.1
===
$F1 = lambda q, k=$k: q * k
===
$F1 = functools.partial(many, $e)
===
$F1 = [math.sin, math.tanh, soft][$i]
===
$F1 = math.sin if $c else math.cos
===
$F1 = {"s": math.sin, "t": lambda q: q * $s}["st"[$i % 2]]
===
$F1 = Box($e)
===
def $F1(q):
    nonlocal $s1
    $s1 = math.sin($s1 + q)
    return $s1
===
fs_ = [lambda q: q * k + $s for k in (0.5, 0.8)]
$S1 = fs_[$i % 2]($e)
===
if $c:
    $$
===
if $c:
    $$
else:
    $$
===
if $c:
    $$
elif $c:
    $$
else:
    $$
===
for $j in range($r):
    $$
===
for $n1 in $l1:
    if len($l1) > 5:
        break
    $$
===
for $n in list($l):
    $$
===
for $j, $n in enumerate($l[:3]):
    $$
===
for $n, $n in zip($l[:3], [$e, $e]):
    $$
===
for $n in reversed($l[:3]):
    $$
===
for $n in (q * $s for q in $l[:3]):
    $$
===
for $n in map(lambda q: q + $s, $l[:3]):
    $$
===
for $n in (q for q in list($l) if q > $k):
    $$
===
for $n in count(list($l)):
    $$
===
for $n in scaled_by(count(list($l)), $e):
    $$
===
for $n in itertools.islice(endless($e), 3):
    $$
===
for _, $n in list($d.items()):
    $$
===
for $n in list($d.values()):
    $$
===
for $n in itertools.chain($l[:2], ($e,)):
    $$
===
for $n in list($o):
    $$
===
for $n1 in list($l):
    if $c:
        continue
    $$
    if $c:
        break
===
for $n1 in $l[:4]:
    if $n1 > $k:
        break
    $$
else:
    $$
===
w_ = 0
while w_ < $r:
    w_ += 1
    $$
===
w_ = 0
while w_ < 3 and ($c):
    w_ += 1
    if $c:
        continue
    $$
else:
    $$
===
while True:
    $$
    break
===
for $j1 in range(2):
    for $n in $l[:2]:
        $$
        if $c:
            break
    else:
        continue
    break
===
try:
    $s1 = risky($s)
except Far:
    $$
===
try:
    $S1 = risky($s)
except (Far, ValueError) as error:
    $S1 = $e
except Off:
    $S1 = $e
===
try:
    $$
    $s1 = risky($s)
except Off:
    $s1 = $e
else:
    $$
finally:
    $$
===
try:
    $s1 = risky($s)
    $$
except Off:
    pass
finally:
    $s1 = $s1 * 0.5
===
try:
    try:
        $s1 = risky($s)
    except Far:
        $s1 = $e
        raise
except Off:
    $$
===
with contextlib.suppress(Off):
    $s1 = risky($s)
    $$
===
with Kept($o) as b_:
    $s1 = b_.y + $e
    $$
===
with Kept($o, True) as b_:
    $s1 = risky($s) + b_.y
    $$
===
with mended($o, $e) as q_:
    $s1 = $s1 * 0.5 + q_
    $$
===
with mended($o, $e):
    $s1 = risky($s)
    $$
===
with np.errstate(all="ignore"):
    $$
===
match $l:
    case [$N1, $N2]:
        $s1 = $N1 * $N2
    case [$N1, *_] if $N1 > $k:
        $$
    case _:
        $$
===
match $i:
    case 1 | 2:
        $s1 = $e
===
match [$i, $e]:
    case [0 | 1, $s1] if $c:
        $$
===
$c and ($s1 := $e)
===
$s1: float
===
match $d:
    case {"a": $N1, **$N2}:
        $s1 = $N1 * len($N2)
    case _:
        pass
===
match $o:
    case Box(x=$N1, y=$N2):
        $s1 = $N1 - $N2
===
match $i:
    case 0:
        $$
    case 1 | 2:
        $$
===
assert $s is not None, f"{$s}"
===
if $c:
    return $e
===
print($e, file=SINK)
===
t_ = Tape()
$S1 = t_.note($e) + sum(t_.notes)
===
it_ = iter($l)
$S1 = next(it_)
$S2 = sum(it_)
===
it_ = iter($l)
$S1 = next(it_) + next(it_, 0.3)
===
g_ = (q * $s for q in $l)
$s2 = $e
$S1 = sum(g_)
===
q_ = collections.deque($l, maxlen=3)
q_.append($e)
$S1 = q_[0] + q_.popleft()
===
h_ = [*$l]
heapq.heapify(h_)
heapq.heappush(h_, $e)
$S1 = heapq.heappop(h_)
===
c_ = collections.defaultdict(list)
c_["a"].append($e)
c_["a"].append($e)
$S1 = sum(c_["a"])
===
a_ = np.zeros(3)
a_[$i] = $e
a_[1:] += $e
$S1 = np.sum(a_ * a_)
===
l_ = $l
l_.append($e)
$S1 = sum(l_)
===
$L1 = [$e, $e]
o_ = Point($e, w=$L1)
o_.w.append(o_.u)
o_.v *= 0.5
$S1 = o_.v + sum(o_.w)
"""


FUNCTIONS_THAT_LEAVE = """
k_ = $s
def $F1(q):
    return math.tanh(q * k_)
===
v_ = np.array([$e, $e])
r_ = found(lambda q: [None, v_, q], $s)($e)
$S1 = math.sin(np.sum(r_[1] * v_) * r_[2])
===
v_ = np.array([$e, $e])
def a_(q):
    return [b_, v_ * q]
def b_(q):
    v_[$i] = q
    return np.sum(v_)
r_ = found(a_, $s)($e)
v_[0] *= 0.5
$S1 = math.tanh(r_[0]($e) + r_[1][$i])
===
t_ = $s
def a_(q):
    return [a_, q * t_]
r_ = found(a_, $s)($e)
$S1 = r_[0](r_[1])[1]
===
t_ = $s
def a_(q):
    nonlocal t_
    t_ = math.sin(t_ + q)
    return a_ if q < 0.3 else None
r_ = found(a_, $s)($e)
if r_ is not None:
    r_($e)
$S1 = t_
===
h_ = [lambda q: q * $s, $f]
r_ = found(lambda fs, q: (fs, fs[0](q)), $s)(h_, $e)
h_.append(lambda q: q + $s)
$S1 = math.sin(r_[0][-1](r_[1]))
===
p_ = Box($e)
p_.f = lambda q: q * p_.x
p_.x = $e
r_ = found(lambda o: (o.f, o.y), $s)(p_)
$S1 = math.sin(r_[0](r_[1]))
"""


def _parts(text: str) -> list[str]:
    return [p.strip("\n") for p in text.split("===")]


class Language:
    def __init__(self, choose: Callable[[int], int], size: int = 8):
        self.choose, self.left = choose, size
        self.scope: dict[str, list[str]] = {
            "s": ["x", "y"],
            "l": ["l0"],
            "d": ["d0"],
            "o": ["o0"],
            "f": ["math.sin", "soft"],
            "j": [],
        }
        self.count = 0
        self.loops = 0
        self.binds = True  # whether `:=` may stand here

    def pick(self, items: Any) -> Any:
        return items[self.choose(len(items))]

    def program(self) -> Program:
        body = self.block(1, 0)
        end = [f"{n} * 0.{k % 8 + 1}" for k, n in enumerate(self.scope["s"])]
        end += [f"sum({n}) * 0.3" for n in self.scope["l"]]
        end += [f"{n}['a'] * 0.7" for n in self.scope["d"]]
        end += [f"{n}.x + {n}.y" for n in self.scope["o"]]
        lines = [
            "def f(x, y):",
            "    l0 = [x * 0.5, y, 0.3]",
            '    d0 = {"a": x * y, "b": y}',
            "    o0 = Box(x, y)",
            *body,
            f"    return {' + '.join(end)}",
        ]
        return Program("\n".join([PRELUDE, *lines, ""]), "ss")

    def block(self, depth: int, least: int) -> list[str]:
        lines: list[str] = []
        known = {k: list(v) for k, v in self.scope.items()}
        wanted = 1 + self.choose(3) if depth > 1 else self.left
        while self.left > 0 and wanted > 0:
            self.left -= 1
            wanted -= 1
            lines += self.statement(depth)
        if depth > 1:
            self.scope = known
        return lines or ["    " * depth + "pass"]

    def statement(self, depth: int) -> list[str]:
        template = self.pick(TEMPLATES)
        lines: list[str] = []
        same: dict[str, str] = {}
        new: list[tuple[str, str]] = []
        inside: list[tuple[str, str]] = []
        loop = template.startswith(("for", "while", "w_"))
        for line in template.split("\n"):
            indent = depth + (len(line) - len(line.lstrip())) // 4
            if line.strip() == "$$":
                for kind, name in inside:
                    self.scope[kind].append(name)
                self.loops += loop
                lines += self.block(indent, 1)
                self.loops -= loop
                for kind, name in inside:
                    self.scope[kind].remove(name)
                continue
            text = self.filled(line.strip(), same, new, inside)
            if self.loops:
                text = self.bounded(text)
            lines.append("    " * indent + text)
        if not any(line.startswith(" ") for line in template.split("\n")) or "def " in template:
            for kind, name in new:
                if name not in self.scope[kind]:
                    self.scope[kind].append(name)
        return lines

    def filled(
        self,
        text: str,
        same: dict[str, str],
        new: list[tuple[str, str]],
        inside: list[tuple[str, str]],
        depth: int = 2,
    ) -> str:
        def value(m: re.Match[str]) -> str:
            key = m.group(0)
            if key in same:
                return same[key]
            kind = m.group(1)
            made = self.value(kind, new, inside, depth)
            if m.group(2):
                same[key] = made
            return made

        text = re.sub(r"\$([a-zA-Z])(\d?)", value, text)
        for name in dict.fromkeys(re.findall(r"\b[a-z]+_(?=\W|$)", text)):  # the template's own
            fresh = same.setdefault(name, f"{name}{self.fresh()}")
            text = re.sub(rf"\b{name}(?=\W|$)", fresh, text)
        return text

    def bounded(self, text: str) -> str:
        """A line in a loop: what it assigns to a number that is there is kept small."""
        m = re.fullmatch(r"(\w+) (=|\+=|-=) (.+)", text)
        if m is None or m[1] not in self.scope["s"] or re.match(r"s\d+ = ", m[3]):
            return text
        return f"{m[1]} = math.sin({m[1]} + {m[3]})"

    def fresh(self) -> int:
        self.count += 1
        return self.count

    def value(
        self, kind: str, new: list[tuple[str, str]], inside: list[tuple[str, str]], depth: int
    ) -> str:
        match kind:
            case "e":
                return self.expression(depth)
            case "h":
                around, self.binds = self.binds, False
                made = self.expression(depth)
                self.binds = around
                return made
            case "c":
                return self.filled(self.pick(TESTS), {}, new, inside, depth - 1)
            case "k":
                return str(self.pick(("0.2", "0.5", "-0.3", "0.8")))
            case "i":
                own = self.scope["j"]
                return f"{self.pick(own)} % 2" if own and self.choose(3) == 0 else self.pick("01")
            case "r":
                return str(self.pick("123"))
            case "n" | "j":
                name = f"{kind}{self.fresh()}"
                inside.append(("s" if kind == "n" else "j", name))
                return name
            case "N":
                return f"m{self.fresh()}"
            case "S" | "L" | "D" | "O" | "F":
                name = f"{kind.lower()}{self.fresh()}"
                new.append((kind.lower(), name))
                return name
        return str(self.pick(self.scope[kind]))

    def expression(self, depth: int) -> str:
        if depth <= 0 or self.choose(4) == 0:
            return str(self.pick([*self.scope["s"], "0.5", "x", "-0.4"]))
        template = self.pick(VALUES)
        if ":=" in template and not self.binds:
            template = "$s"
        return self.filled(template, {}, [], [], depth - 1)


TEMPLATES = _parts(STATEMENTS) + _parts(FUNCTIONS_THAT_LEAVE)
VALUES = EXPRESSIONS.strip().split("\n")
TESTS = CONDITIONS.strip().split("\n")
