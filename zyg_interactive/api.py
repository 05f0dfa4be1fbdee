"""The public functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import derived, errors, runtime
from .diagnostics import refuse
from .emit.compile import Compiler, Unit
from .emit.explain import Explanation, explained
from .engine import Specialisation, engine
from .ir.core import Function, reads, type_of
from .ir.text import show
from .ir.types import Array, Dict, Ref, Tuple, Type, has_derivative, in_memory
from .params import Grads, Params, gathered
from .recording import Form, Recording, record, recorded_form
from .rules.custom import has_custom
from .seeds import (
    Like,
    first_of,
    pattern_of,
    require_scalar,
    seeds_of,
    template_of,
    unsure,
)
from .shortcuts import MISS, Shortcuts, key_of
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
        return Transformed(gradient, f, {"wrt": hashable(wrt), "zeros": zeros})
    if wrt is not None or zeros:
        return _gradient(f, args, hashable(wrt), zeros)
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
    if key is not None and not s.has_followed:
        shortcuts.add(key, s, f, run, take, len(args))


def hashable(wrt: Wrt) -> Wrt:
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
    if wrt is None and not zeros and chosen(s, args, None) == tuple(range(len(args))):
        _remember("gradient", s, f, args, run, "")
    if wrt == 0 and zeros and found and found[0] is not None:
        _remember("derivative", s, f, args, run, "[0]")
    return arranged(s, found, args, wrt, zeros)


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
    return _withgradient(f, args, hashable(wrt), zeros) if found is MISS else found


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
    if wrt is None and not zeros and chosen(s, args, None) == tuple(range(len(args))):
        _remember("withgradient", s, f, args, run, "")
    return value, arranged(s, found, args, wrt, zeros)


@errors.user_frames
def _implicit(f: Any, params: Params) -> tuple[Any, Grads]:
    """The gradient of `f()` in arrays that it reaches through globals and closures."""

    def build(s: Specialisation) -> tuple[Any, tuple[int, ...]]:
        out, pattern = first_of(s.function)
        require_scalar(s.function, out)
        wrt = tuple(
            i for i, p in enumerate(s.function.region.params) if has_derivative(p.type)
        )
        made = s.derivative(implicit=True).fused(
            s.function, wrt, value=True, check=unsure(out), pattern=pattern
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
    if not s.function.returns:
        return _raising(s.function)
    out, pattern = first_of(s.function) if value else (s.function.region.outs[0], True)
    require_scalar(s.function, out)
    made = s.derivative().fused(
        s.function, chosen(s, args, wrt), value=value, check=unsure(out), pattern=pattern
    )
    return Compiler().function(made).callable


def _raising(f: Function) -> Callable[..., Any]:
    """Raises what a function raises that never returns, as far as is known; else refuses it."""
    run: Any = Compiler().function(f).callable

    def raises(*values: Any) -> None:
        run(*values)
        require_scalar(f, f.region.outs[0])

    return raises


def chosen(s: Specialisation, args: tuple[Any, ...], wrt: Wrt) -> tuple[int, ...]:
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


def arranged(
    s: Specialisation, found: tuple[Any, ...], args: tuple[Any, ...], wrt: Wrt, zeros: bool
) -> Any:
    """Gradients by argument, from gradients by parameter."""
    by_argument = dict(zip([s.positions[i] for i in chosen(s, args, wrt)], found, strict=True))
    asked = range(len(args)) if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    result = []
    for i in asked:
        g = by_argument.get(i % len(args))
        if s.has_followed:
            g = runtime.shown(g, args[i])
        result.append(runtime.zeros_like(args[i]) if g is None and zeros else g)
    return result[0] if isinstance(wrt, int) else tuple(result)


# ---- pullbacks and dense derivatives


class Back:
    """The pullback at one point: seeds to cotangents, any number of times.

    A seed has the shape of the result; for a tuple of results a tuple of seeds, None for zero.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        y: Any,
        arrange: Callable[[Any], Any],
        name: str,
        known: Any,
    ):
        self._run, self._arrange, self._name, self._known = run, arrange, name, known
        self._template = template_of(y)

    def __call__(self, seed: Any = None) -> Any:
        if seed is None:
            seed = 1.0
            if not isinstance(self._template, Like) or self._template.shape:
                raise refuse(
                    "ZYG502",
                    f"the result of `{self._name}` is no scalar; its pullback needs a seed",
                    None,
                )
        return self._pull(seed)

    @errors.user_frames
    def _pull(self, seed: Any) -> Any:
        return self._arrange(self._run(*seeds_of(seed, self._template, self._known, self._name)))

    def __repr__(self) -> str:
        return f"<pullback of {self._name}>"


@errors.user_frames
def pullback(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> tuple[Any, Back]:
    """(y, back): the result of `f(*args)` and its pullback. `back(seed)` is the tuple of cotangents
    of the arguments.

    >>> y, back = pullback(lambda x: x * 3, np.array([1, 1, 1]))
    >>> back(np.array([1, 2, 3]))
    (array([3, 6, 9]),)
    """
    wrt = hashable(wrt)

    def build(s: Specialisation) -> Unit:
        return _closure(s, chosen(s, args, wrt), lasting=s.heap is None)

    s, unit = engine.prepared(f, args, ("back", wrt), build)
    values = kept_values(s, f, args)
    y, run = unit.callable(*values)
    for name, cell in zip(run.__code__.co_freevars, run.__closure__ or (), strict=True):
        if s.heap is None or name in unit.plain:
            cell.cell_contents = runtime.apart(cell.cell_contents, (values, y))
    known = pattern_of(s.function.result)

    def arrange(found: Any) -> Any:
        return arranged(s, found, args, wrt, False)

    return y, Back(run, y, arrange, s.function.name, known)


forward = pullback


def kept_values(s: Specialisation, f: Any, args: tuple[Any, ...]) -> list[Any]:
    """What a function is called with whose pullback is kept. Its arrays are copies where what reads
    them later cannot be looked into: a rule of the user's, or a program that changes arrays, of
    which these are not.
    """
    values = s.values(f, args)
    if s.heap is None and not has_custom(s.function, set()):
        return values
    types = [p.type for p in s.function.region.params]
    return [_copied(v, t) for v, t in zip(values, types, strict=True)]


def _copied(x: Any, t: Type) -> Any:
    if isinstance(t, Tuple):
        return runtime.tuple_like(x, [_copied(v, i) for v, i in zip(x, t.items, strict=True)])
    plain = isinstance(t, Array) and not in_memory(t)
    return x.copy() if plain and isinstance(x, np.ndarray) else x


def _closure(s: Specialisation, wrt: tuple[int, ...], lasting: bool = True) -> Unit:
    a = s.derivative().closed(s.function, wrt, pattern_of(s.function.result), lasting)
    unit = Compiler().closure(s.function, a.primal, a.reverse, s.function.name)
    assert unit.names is not None
    read = [v for v in reads(a.reverse) if isinstance(v.type, Array) and not in_memory(v.type)]
    unit.plain = {unit.names.of(v) for v in read}
    return unit


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
    wrt = hashable(wrt)
    _, unit = engine.prepared(
        f, args, ("pullback", wrt), lambda s: _closure(s, chosen(s, args, wrt))
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
        s.function, chosen(s, args, None), pattern_of(type_of(s.function.region.outs[0]))
    )
    return show(Function(f"pullback of {s.function.name}", a.reverse))


def refresh() -> None:
    """Forget every specialisation."""
    engine.clear()


@errors.user_frames
def trace(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Recording:
    """Record one gradient of a scalar function: value and cotangent of each node at each visit."""
    wrt = hashable(wrt)

    def build(s: Specialisation) -> Form:
        require_scalar(s.function, s.function.region.outs[0])
        return recorded_form(s.function, chosen(s, args, wrt), unsure(s.function.region.outs[0]))

    s, form = engine.prepared(f, args, ("recorded", wrt), build)
    return record(f, args, s, form)
