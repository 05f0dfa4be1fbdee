"""The public functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import derived, errors, runtime
from .diagnostics import refuse
from .emit.compile import Compiler, Unit
from .emit.explain import Explanation, explained
from .engine import Specialisation, engine
from .ir.core import Atom, Function, Value, reads, type_of
from .ir.text import show
from .ir.types import Array, Dict, Ref, Scalar, Tuple, has_derivative, in_memory, shape_of
from .params import Grads, Params, gathered
from .recording import Form, Recording, record, recorded_form
from .rules.registry import infer
from .shortcuts import MISS, Shortcuts, key_of
from .transform.pipeline import Derivatives
from .transformed import Transformed

Wrt = int | Sequence[int] | None
shortcuts = Shortcuts()
engine.on_clear.append(shortcuts.clear)


# ---- gradients of scalar functions


def gradient(f: Callable[..., Any], *args: Any, wrt: Wrt = None, zeros: bool = False) -> Any:
    """The gradient of a scalar function: a tuple with one entry per argument.

    An entry has the shape and dtype of its argument (complex arguments: du/dx + i du/dy), mirrors
    it where it is a tuple, list, dict or object, and is None where the result does not depend on
    it. `gradient(f)` alone returns a function. `gradient(f, Params([...]))`, with `f` of no
    arguments, gives a `Grads`.

    wrt: number or numbers of the arguments to differentiate in; one number gives one gradient, not
    a tuple. zeros: give zeros of the right shape in the place of None.

    Raises Refused where the function cannot be differentiated, or its result is not a real scalar.

    >>> gradient(lambda x, y: x * y + x, 2.0, 5.0)
    (6.0, 2.0)
    """
    if not args:
        return Transformed(gradient, f, {"wrt": _hashable(wrt), "zeros": zeros})
    if wrt is not None or zeros:
        return _gradient(f, args, _hashable(wrt), zeros)
    found = _shortcut("gradient", f, args)
    return _gradient(f, args, None, False) if found is MISS else found


def _shortcut(form: str, f: Any, args: tuple[Any, ...]) -> Any:
    """What a repeated call returns, or MISS where it is not like the one before."""
    __tracebackhide__ = True
    key = key_of(form, f, args)
    short = shortcuts.known.get(key) if key is not None else None
    if short is None:
        return MISS
    try:
        return short(f, *args)
    except BaseException as error:
        shown = errors.leaving(error)
        if shown is error:
            raise
    raise shown from None


def _remember(
    form: str, s: Specialisation, f: Any, args: tuple[Any, ...], run: Any, take: str
) -> None:
    """Let the next call like this one take a shortcut, where its result needs no arranging."""
    key = key_of(form, f, args)
    if key is not None:
        shortcuts.add(key, s, f, run, take, len(args))


def _hashable(wrt: Wrt) -> Wrt:
    return wrt if wrt is None or isinstance(wrt, int) else tuple(wrt)


def _is_params(args: tuple[Any, ...]) -> bool:
    return len(args) == 1 and isinstance(args[0], Params)


@errors.user_frames
def _gradient(f: Any, args: tuple[Any, ...], wrt: Wrt, zeros: bool) -> Any:
    if _is_params(args):
        return _implicit(f, args[0])[1]
    s, run = engine.prepared(
        f, args, ("gradient", wrt), lambda s: _fused(s, args, wrt, value=False)
    )
    found = run(*s.values(f, args))
    if wrt is None and not zeros and _chosen(s, args, None) == tuple(range(len(args))):
        _remember("gradient", s, f, args, run, "")
    if wrt == 0 and zeros and found and found[0] is not None:
        _remember("derivative", s, f, args, run, "[0]")
    return _arranged(s, found, args, wrt, zeros)


def derivative(f: Callable[..., Any], *args: Any) -> Any:
    """The derivative of a function of one number; `derivative(f)` is a function, and nests.

    >>> derivative(lambda x: 3 * x**2 + 2 * x + 1, 5)
    32.0
    """
    if not args:
        return Transformed(derivative, f, {})
    if len(args) != 1:
        raise refuse(
            "ZYG503", "`derivative` takes a function of one argument", None, "use `gradient`"
        )
    found = _shortcut("derivative", f, args)
    return _gradient(f, args, 0, True) if found is MISS else found


def withgradient(f: Callable[..., Any], *args: Any, wrt: Wrt = None, zeros: bool = False) -> Any:
    """(value, gradient) of a scalar function, computed together.

    Where the function returns a tuple or a dict, its first entry is what is differentiated, and the
    value is all that it returns.
    """
    if _is_params(args):
        return _implicit(f, args[0])
    found = _shortcut("withgradient", f, args) if wrt is None and not zeros else MISS
    return _withgradient(f, args, _hashable(wrt), zeros) if found is MISS else found


@errors.user_frames
def _withgradient(f: Any, args: tuple[Any, ...], wrt: Wrt, zeros: bool) -> Any:
    s = engine.specialise(f, args)
    t = s.function.result
    if isinstance(t, Dict) or (isinstance(t, Ref) and issubclass(t.cls, dict)):
        value, found = _withgradient(Transformed(derived.first_of, f, {}), args, wrt, zeros)
        return value[1], found
    s, run = engine.prepared(
        f, args, ("withgradient", wrt), lambda s: _fused(s, args, wrt, value=True)
    )
    value, found = run(*s.values(f, args))
    if wrt is None and not zeros and _chosen(s, args, None) == tuple(range(len(args))):
        _remember("withgradient", s, f, args, run, "")
    return value, _arranged(s, found, args, wrt, zeros)


@errors.user_frames
def _implicit(f: Any, params: Params) -> tuple[Any, Grads]:
    """The gradient of `f()` in arrays that it reaches through globals and closures."""

    def build(s: Specialisation) -> tuple[Any, tuple[int, ...]]:
        out, pattern = _first(s)
        _require_scalar(s, out)
        wrt = tuple(
            i for i, p in enumerate(s.function.region.params) if has_derivative(p.type)
        )
        made = s.derivative(implicit=True).fused(
            s.function, wrt, value=True, check=_unsure(out), pattern=pattern
        )
        unit = Compiler().function(made)
        return unit.callable, wrt

    s, (run, wrt) = engine.prepared(f, (), "implicit", build)
    values = s.values(f, ())
    # Gradients have the structure that the function meets, which it may change.
    before = values if s.heap is None else list(map(runtime.structure, values))
    with runtime.collecting() as reached:
        value, bars = run(*values)
    pairs = [(before[i], bar) for i, bar in zip(wrt, bars, strict=True)]
    return value, gathered(params, [*pairs, *reached])


def _fused(s: Specialisation, args: tuple[Any, ...], wrt: Wrt, value: bool) -> Any:
    out, pattern = _first(s) if value else (s.function.region.outs[0], True)
    _require_scalar(s, out)
    chosen = _chosen(s, args, wrt)
    made = s.derivative().fused(
        s.function, chosen, value=value, check=_unsure(out), pattern=pattern
    )
    return Compiler().function(made).callable


def _first(s: Specialisation) -> tuple[Atom, Any]:
    """What is differentiated of a result that brings more along, and which parts are seeded."""
    out = s.function.region.outs[0]
    t = type_of(out)
    if not isinstance(t, Tuple) or not t.items:
        return out, True
    first = out[0] if isinstance(out, tuple) else Value(None, t.items[0])
    return first, (True, *[None] * (len(t.items) - 1))


def _chosen(s: Specialisation, args: tuple[Any, ...], wrt: Wrt) -> tuple[int, ...]:
    """The parameters to differentiate in: those asked for, that can carry a derivative."""
    asked = range(len(args)) if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    params = s.function.region.params
    chosen = []
    for i in asked:
        if not -len(args) <= i < len(args):
            raise refuse("ZYG503", f"there is no argument {i}: {len(args)} were given", None)
        i %= len(args)
        at = s.positions.index(i) if i in s.positions else None
        if at is not None and has_derivative(params[at].type):
            chosen.append(at)
        elif wrt is not None:
            raise refuse(
                "ZYG503",
                f"argument {i} is a {type(args[i]).__name__}, in which there is no derivative",
                None,
            )
    return tuple(dict.fromkeys(chosen))


def _arranged(
    s: Specialisation, found: tuple[Any, ...], args: tuple[Any, ...], wrt: Wrt, zeros: bool
) -> Any:
    """Gradients by argument, from gradients by parameter."""
    by_argument = dict(zip([s.positions[i] for i in _chosen(s, args, wrt)], found, strict=True))
    asked = range(len(args)) if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    result = []
    for i in asked:
        g = by_argument.get(i % len(args))
        result.append(runtime.zeros_like(args[i]) if g is None and zeros else g)
    return result[0] if isinstance(wrt, int) else tuple(result)


def _require_scalar(s: Specialisation, out: Atom) -> None:
    """Refuse a result that is known not to be a real scalar."""
    t = type_of(out)
    where = s.function.span
    if isinstance(t, Scalar | Array):
        shape = shape_of(t)
        if shape:
            raise refuse(
                "ZYG501",
                f"the result of `{s.function.name}` is an array ({t!r}); "
                "a gradient is of one number",
                where,
                "reduce it (`np.sum`), or ask for the `jacobian`, or for `pullback` and give a "
                "seed",
            )
        if (isinstance(t, Scalar) and t.kind == "complex") or (
            isinstance(t, Array) and t.dtype is not None and t.dtype.kind == "c"
        ):
            raise refuse(
                "ZYG501",
                f"the result of `{s.function.name}` is complex; a gradient is of one real number",
                where,
                "take `np.real`, `np.imag` or `np.abs` of it",
            )
        return
    if (
        isinstance(t, Tuple | Ref)
        or out is None
        or (not isinstance(out, int | float) and not has_derivative(t))
    ):
        what = "None" if out is None else f"{t!r}"
        raise refuse(
            "ZYG501",
            f"the result of `{s.function.name}` is {what}; a gradient is of one number",
            where,
            "return the number to differentiate",
        )


def _unsure(out: Atom) -> bool:
    t = type_of(out)
    if isinstance(t, Scalar):
        return False
    return not (isinstance(t, Array) and t.shape == () and t.dtype is not None)


# ---- pullbacks and dense derivatives


class Back:
    """The pullback at one point: seeds to cotangents, any number of times.

    A seed has the shape of the result; for a tuple of results a tuple of seeds, None for zero.
    """

    def __init__(self, run: Callable[..., Any], y: Any, arrange: Callable[[Any], Any], name: str):
        self._run, self._arrange, self._name = run, arrange, name
        self._template = _template(y)

    def __call__(self, seed: Any = None) -> Any:
        if seed is None:
            seed = 1.0
            if not isinstance(self._template, _Like) or self._template.shape:
                raise refuse(
                    "ZYG502",
                    f"the result of `{self._name}` is no scalar; its pullback needs a seed",
                    None,
                )
        return self._pull(seed)

    @errors.user_frames
    def _pull(self, seed: Any) -> Any:
        return self._arrange(self._run(*_leaves(seed, self._template, self._name)))

    def __repr__(self) -> str:
        return f"<pullback of {self._name}>"


SHORT = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64))


class _Like(NamedTuple):
    """What the seed of one number or array must look like."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def _template(y: Any) -> Any:
    """What a seed must look like: that of an array, or a list of these."""
    if isinstance(y, int | float | complex | np.ndarray | np.generic):
        return _Like(np.shape(y), np.asarray(y).dtype)
    return [_template(e) for e in y] if isinstance(y, tuple) else None


def _leaves(seed: Any, template: Any, name: str) -> list[Any]:
    """The seeds of a structured result in a row."""
    if isinstance(template, list) and isinstance(seed, tuple | list):
        if len(seed) != len(template):
            raise refuse(
                "ZYG502",
                f"`{name}` returns {len(template)} results, the seed has {len(seed)}",
                None,
            )
        return [leaf for s, t in zip(seed, template, strict=True) for leaf in _leaves(s, t, name)]
    if isinstance(template, list):
        raise refuse(
            "ZYG502", f"`{name}` returns {len(template)} results; give a tuple of seeds", None
        )
    return [_leaf(seed, template, name) if isinstance(template, _Like) else seed]


def _from_leaves(leaves: Iterator[Any], template: Any) -> Any:
    """What `_leaves` takes apart."""
    if isinstance(template, list):
        return tuple(_from_leaves(leaves, t) for t in template)
    return next(leaves)


def _leaf(seed: Any, like: _Like, name: str) -> Any:
    """A seed for one number or array, in its precision."""
    if seed is None:
        return np.zeros(like.shape) if like.shape else 0.0
    if np.shape(seed) != like.shape:
        raise refuse(
            "ZYG502",
            f"the seed has shape {np.shape(seed)}, the result of `{name}` has shape {like.shape}",
            None,
            "a seed is the cotangent of the result: give one of its shape",
        )
    if np.iscomplexobj(seed) and like.dtype.kind != "c":
        raise refuse(
            "ZYG502",
            f"the seed is complex, the result of `{name}` is real",
            None,
            "take its real part",
        )
    if like.dtype in SHORT:  # a seed of 1.0 would make the gradient longer
        return np.asarray(seed, like.dtype) if like.shape else like.dtype.type(seed)
    return np.asarray(seed) if isinstance(seed, list) else seed


@errors.user_frames
def pullback(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> tuple[Any, Back]:
    """(y, back): the result of `f(*args)` and its pullback. `back(seed)` is the tuple of cotangents
    of the arguments.

    >>> y, back = pullback(lambda x: x * 3, np.array([1, 1, 1]))
    >>> back(np.array([1, 2, 3]))
    (array([3, 6, 9]),)
    """
    wrt = _hashable(wrt)

    def build(s: Specialisation) -> Unit:
        return _closure(s, _chosen(s, args, wrt), lasting=s.heap is None)

    s, unit = engine.prepared(f, args, ("back", wrt), build)
    values = s.values(f, args)
    y, run = unit.callable(*values)
    for name, cell in zip(run.__code__.co_freevars, run.__closure__ or (), strict=True):
        if s.heap is None or name in unit.plain:
            cell.cell_contents = runtime.apart(cell.cell_contents, (values, y))
    return y, Back(run, y, lambda found: _arranged(s, found, args, wrt, False), s.function.name)


forward = pullback


def _closure(s: Specialisation, wrt: tuple[int, ...], lasting: bool = True) -> Unit:
    a = s.derivative().closed(s.function, wrt, pattern_of(s.function.result), lasting)
    unit = Compiler().closure(s.function, a.primal, a.reverse, s.function.name)
    assert unit.names is not None
    read = [v for v in reads(a.reverse) if isinstance(v.type, Array) and not in_memory(v.type)]
    unit.plain = {unit.names.of(v) for v in read}
    return unit


def pattern_of(t: Any) -> Any:
    return tuple(pattern_of(i) for i in t.items) if isinstance(t, Tuple) else True


class _Linearised:
    """A function at a point, run once: its result, its pullback, and its derivative in a direction,
    which is made when it is first asked for.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], wrt: Wrt):
        def build(s: Specialisation) -> _Halves:
            forward, reverse = s.derivative().split(
                s.function, _chosen(s, args, wrt), pattern_of(s.function.result)
            )
            return _Halves(Compiler().function(forward).callable, reverse)

        s, self._halves = engine.prepared(f, args, ("linearised", wrt), build)
        self.args, self.wrt, self.name = args, wrt, s.function.name
        self._chosen = [s.positions[i] for i in _chosen(s, args, wrt)]
        self._specialisation = s
        values = s.values(f, args)
        self.y, self._saved = self._halves.forward(*values)
        if s.heap is None:
            self._saved = runtime.apart(self._saved, (values, self.y))
        self._template = _template(self.y)

    def pull(self, seed: Any) -> Any:
        """The cotangents of the arguments."""
        leaves = _leaves(seed, self._template, self.name)
        found = self._halves.back(self._saved, *leaves)
        return _arranged(self._specialisation, found, self.args, self.wrt, False)

    def push(self, tangents: Sequence[Any]) -> Any:
        """The derivative in the direction of these tangents, one for each of the arguments asked
        for.
        """
        zeros = _leaves(runtime.zeros_like(self.y), self._template, self.name)
        given = dict(zip(_asked(self.args, self.wrt), tangents, strict=True))
        seeds: list[Any] = []
        pattern = self._halves.pattern
        for i, p in zip(self._chosen, pattern, strict=True):
            if p is not None:
                arg = self.args[i]
                like = _template(arg) if isinstance(p, tuple) or _is_number(arg) else None
                seeds += _leaves(_tangent(given[i], arg, self.name), like, self.name)
        found = zeros
        if seeds:
            pushed = self._halves.push(self._saved, *zeros, *seeds)
            found = [z if p is None else p for z, p in zip(zeros, pushed, strict=True)]
        return _from_leaves(iter(found), self._template)


class _Halves:
    """The compiled parts of a linearised function."""

    def __init__(self, forward: Any, reverse: Function):
        self.forward, self._reverse = forward, reverse

    @functools.cached_property
    def back(self) -> Any:
        return Compiler().function(self._reverse).callable

    @functools.cached_property
    def pattern(self) -> tuple[Any, ...]:
        """Which cotangents there are, of the arguments asked for."""
        (outs,) = self._reverse.region.outs
        return tuple(pattern_of(type_of(o)) for o in outs)

    @functools.cached_property
    def push(self) -> Any:
        made = Derivatives(infer).transposed(self._reverse, self.pattern)
        return Compiler().function(made).callable


def _asked(args: tuple[Any, ...], wrt: Wrt) -> list[int]:
    """The numbers of the arguments that derivatives are asked for."""
    if wrt is None:
        return list(range(len(args)))
    return [i % len(args) for i in ([wrt] if isinstance(wrt, int) else wrt)]


def _tangent(t: Any, x: Any, name: str) -> Any:
    """A tangent of an argument, None for zero."""
    if t is None:
        return runtime.zeros_like(x)
    if _is_number(x) and np.shape(t) != np.shape(x):
        raise refuse(
            "ZYG502",
            f"the tangent has shape {np.shape(t)}, the argument of `{name}` has shape "
            f"{np.shape(x)}",
            None,
            "a tangent is a direction to go from the argument: give one of its shape",
        )
    return t


def pushforward(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """`push`: `push(*tangents)` is the derivative of `f` in that direction (forward mode), any
    number of times; a tangent has the shape of its argument, None is zero.

    It is the transpose of the pullback, made by differentiating that in its seed (A. Griewank and
    A. Walther, Evaluating Derivatives, 2008, chapter 3): one pass, no matter how long the result.

    >>> push = pushforward(lambda x, y: x * y, 2.0, 5.0)
    >>> push(1.0, 0.0), push(0.0, 1.0)
    (5.0, 2.0)
    """
    if not args:
        return Transformed(pushforward, f, {"wrt": _hashable(wrt)})
    return _pushforward(f, args, _hashable(wrt))


@errors.user_frames
def _pushforward(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    linear = _Linearised(f, args, wrt)
    asked = _asked(args, wrt)

    @errors.user_frames
    def push(*tangents: Any) -> Any:
        if len(tangents) != len(asked):
            raise refuse(
                "ZYG502",
                f"`{linear.name}` is differentiated in {len(asked)} arguments; "
                f"{len(tangents)} tangents were given",
                None,
            )
        return linear.push(tangents)

    return push


def jacobian(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """The dense derivative of an array-valued function: shape of the result + shape of the
    argument.

    One argument gives an array, several a tuple. Row by row with the pullback, or column by column
    with the pushforward where the arguments have fewer elements than the result.
    """
    if not args:
        return Transformed(jacobian, f, {"wrt": _hashable(wrt)})
    return _jacobian(f, args, _hashable(wrt))


@errors.user_frames
def _jacobian(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    linear = _Linearised(f, args, wrt)
    if not _is_number(linear.y):
        raise refuse(
            "ZYG501", "`jacobian` is of a function that returns one array", None, "return one array"
        )
    asked = _asked(args, wrt)
    for i in asked:
        if not _is_number(args[i]):
            raise refuse(
                "ZYG501",
                f"`jacobian` is in arrays; argument {i} is a {type(args[i]).__name__}",
                None,
                "choose the arrays with `wrt=`, or ask for `pullback` and give seeds",
            )
    inputs = sum(int(np.size(args[i])) for i in asked)
    complex_ = any(np.iscomplexobj(a) for a in (linear.y, *(args[i] for i in asked)))
    by_columns = inputs < np.size(linear.y) and not complex_
    found = _columns(linear, asked) if by_columns else _rows(linear, asked)
    return found[0] if isinstance(wrt, int) or len(args) == 1 else tuple(found)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | complex | np.ndarray | np.generic)


def _rows(linear: _Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pullback for each element of the result."""
    shape = np.shape(linear.y)
    pulled = [linear.pull(seed) for seed in _units(linear.y)]
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        bars = [p if isinstance(linear.wrt, int) else p[k] for p in pulled]
        blocks = [runtime.zeros_like(x) if b is None else b for b in bars]
        whole = np.array(blocks) if blocks else np.zeros(0)
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _columns(linear: _Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pushforward for each element of the arguments."""
    shape = np.shape(linear.y)
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        before, after = [None] * k, [None] * (len(asked) - k - 1)
        pushed = [linear.push([*before, unit, *after]) for unit in _units(x)]
        whole = np.stack(pushed, axis=-1) if pushed else np.zeros((*shape, 0))
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _units(x: Any) -> Iterator[Any]:
    """The unit vectors of the shape of `x`."""
    dtype = runtime.cotangent_dtype(np.asarray(x).dtype)
    if not np.shape(x):
        yield dtype.type(1)
        return
    for index in np.ndindex(np.shape(x)):
        unit = np.zeros(np.shape(x), dtype)
        unit[index] = 1
        yield unit


def _gradient_of(f: Callable[..., Any]) -> Transformed:
    return Transformed(gradient, f, {"wrt": 0, "zeros": True})


def hessian(f: Callable[..., Any], x: Any = None) -> Any:
    """The matrix of second derivatives of a scalar function of one argument: shape of x + shape of
    x.

    Reverse over reverse: the Jacobian of the gradient.
    """
    if x is None:
        return Transformed(hessian, f, {})
    return jacobian(_gradient_of(f), x)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of a scalar function times a vector: both have the structure and shape of `x`.

    The Hessian is symmetric, so one pullback of the gradient gives it, at a small multiple of the
    cost of the gradient (B. A. Pearlmutter, Fast exact multiplication by the Hessian, 1994).

    >>> hvp(lambda x: x[0] ** 2 * x[1], np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 4.])
    """
    found = pullback(_gradient_of(f), x)[1](v)[0]
    return runtime.zeros_like(x) if found is None else found


@errors.user_frames
def diaghessian(f: Callable[..., Any], *args: Any) -> Any:
    """The second derivatives of a scalar function in each element alone: the diagonal of the
    Hessian, in the shape of the argument; a tuple for several arguments.

    One Hessian-vector product for each element.
    """
    if not args:
        return Transformed(diaghessian, f, {})
    found = []
    for i, x in enumerate(args):
        if not _is_number(x):
            raise refuse("ZYG501", "`diaghessian` is in arrays and numbers", None)
        linear = _Linearised(Transformed(gradient, f, {"wrt": i, "zeros": True}), args, i)
        units = list(_units(x))
        rows = [linear.pull(unit) for unit in units]
        values = [0.0 if r is None else np.sum(r * u) for r, u in zip(rows, units, strict=True)]
        diagonal = np.reshape(np.array(values), np.shape(x))
        found.append(diagonal if np.shape(x) else diagonal[()])
    return found[0] if len(args) == 1 else tuple(found)


# ---- custom gradients


def grad(f: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the gradient of `f` by hand: the decorated function returns `(y, back)`.

    `back(cotangent)` returns a tuple with one cotangent per argument of `f`, None for zero.

        @grad(add)
        def _(a, b):
            return add(a, b), lambda d: (d, d)
    """

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        from .rules.custom import define

        define(f, rule)
        engine.clear()
        return rule

    return register


# ---- looking at it


@errors.user_frames
def explain(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Explanation:
    """The generated source of the pullback of `f` for arguments like these: readable, with the
    user's names.
    """
    wrt = _hashable(wrt)
    _, unit = engine.prepared(
        f, args, ("pullback", wrt), lambda s: _closure(s, _chosen(s, args, wrt))
    )
    return explained(unit)


@errors.user_frames
def code_ir(f: Callable[..., Any], *args: Any) -> str:
    """The forward IR of `f` for arguments like these."""
    return show(engine.specialise(f, args).function)


@errors.user_frames
def code_pullback(f: Callable[..., Any], *args: Any) -> str:
    """The IR of the pullback of `f` for arguments like these."""
    s = engine.specialise(f, args)
    a = s.derivative().closed(
        s.function, _chosen(s, args, None), pattern_of(type_of(s.function.region.outs[0]))
    )
    return show(Function(f"pullback of {s.function.name}", a.reverse))


def refresh() -> None:
    """Forget every specialisation."""
    engine.clear()


@errors.user_frames
def trace(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Recording:
    """Record one gradient of a scalar function: value and cotangent of each node at each visit."""
    wrt = _hashable(wrt)

    def build(s: Specialisation) -> Form:
        _require_scalar(s, s.function.region.outs[0])
        return recorded_form(s.function, _chosen(s, args, wrt), _unsure(s.function.region.outs[0]))

    s, form = engine.prepared(f, args, ("recorded", wrt), build)
    return record(f, args, s, form)
