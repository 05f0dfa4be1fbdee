"""The public functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import errors, runtime
from .diagnostics import refuse
from .emit.compile import Compiler, Unit
from .emit.explain import Explanation, explained
from .engine import Specialisation, engine
from .ir.core import Function, type_of
from .ir.text import show
from .ir.types import Array, Ref, Scalar, Tuple, has_derivative, shape_of
from .params import Grads, Params, gathered
from .recording import Form, Recording, record, recorded_form
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
        shortcuts.add(key, s, f, run, take)


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
    """(value, gradient) of a scalar function, computed together."""
    if _is_params(args):
        return _implicit(f, args[0])
    found = _shortcut("withgradient", f, args) if wrt is None and not zeros else MISS
    return _withgradient(f, args, _hashable(wrt), zeros) if found is MISS else found


@errors.user_frames
def _withgradient(f: Any, args: tuple[Any, ...], wrt: Wrt, zeros: bool) -> Any:
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
        _require_scalar(s)
        wrt = tuple(
            i for i, p in enumerate(s.function.region.params) if has_derivative(p.type)
        )
        made = s.derivative(implicit=True).fused(s.function, wrt, value=True, check=_unsure(s))
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
    _require_scalar(s)
    chosen = _chosen(s, args, wrt)
    made = s.derivative().fused(s.function, chosen, value=value, check=_unsure(s))
    return Compiler().function(made).callable


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


def _require_scalar(s: Specialisation) -> None:
    """Refuse what is known not to be a real scalar."""
    out = s.function.region.outs[0]
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


def _unsure(s: Specialisation) -> bool:
    t = type_of(s.function.region.outs[0])
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
        return _closure(s, _chosen(s, args, wrt))

    s, unit = engine.prepared(f, args, ("pullback", wrt), build)
    y, run = unit.callable(*s.values(f, args))
    return y, Back(run, y, lambda found: _arranged(s, found, args, wrt, False), s.function.name)


forward = pullback


def _closure(s: Specialisation, wrt: tuple[int, ...], recorded: bool = False) -> Unit:
    a = s.derivative().closed(s.function, wrt, _pattern_of(type_of(s.function.region.outs[0])))
    return Compiler(recorded).closure(s.function, a.primal, a.reverse, s.function.name)


def _pattern_of(t: Any) -> Any:
    return tuple(_pattern_of(i) for i in t.items) if isinstance(t, Tuple) else True


def jacobian(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """The dense derivative of an array-valued function: shape of the result + shape of the
    argument.

    One argument gives an array, several a tuple. Reverse mode: one pullback per element of the
    result.
    """
    if not args:
        return Transformed(jacobian, f, {"wrt": wrt})
    y, back = pullback(f, *args, wrt=wrt)
    if isinstance(y, tuple | list | dict):
        raise refuse(
            "ZYG501", "`jacobian` is of a function that returns one array", None, "return one array"
        )
    shape = np.shape(y)
    rows = []
    for index in np.ndindex(shape):
        seed: Any = 1.0
        if shape:
            seed = np.zeros(
                shape, np.result_type(y, float) if not np.iscomplexobj(y) else np.asarray(y).dtype
            )
            seed[index] = 1.0
        rows.append(back(seed))
    asked = range(len(args)) if wrt is None else [wrt] if isinstance(wrt, int) else list(wrt)
    found = []
    for k, i in enumerate(asked):
        column = [r if isinstance(wrt, int) else r[k] for r in rows]
        blocks = [np.zeros(np.shape(args[i])) if c is None else c for c in column]
        found.append(
            np.reshape(np.array(blocks), (*shape, *np.shape(args[i])))
            if blocks
            else np.zeros((*shape, *np.shape(args[i])))
        )
    return found[0] if isinstance(wrt, int) or len(args) == 1 else tuple(found)


def hessian(f: Callable[..., Any], x: Any = None) -> Any:
    """The matrix of second derivatives of a scalar function of one argument: shape of x + shape of
    x.

    Reverse over reverse: the Jacobian of the gradient.
    """
    if x is None:
        return Transformed(hessian, f, {})
    return jacobian(Transformed(gradient, f, {"wrt": 0, "zeros": True}), x)


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
        s.function, _chosen(s, args, None), _pattern_of(type_of(s.function.region.outs[0]))
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
        _require_scalar(s)
        return recorded_form(s.function, _chosen(s, args, wrt), _unsure(s))

    s, form = engine.prepared(f, args, ("recorded", wrt), build)
    return record(f, args, s, form)
