"""Derivatives made of many pullbacks: directions, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import errors, runtime
from .api import Wrt, chosen, gradient, hashable, pullback
from .diagnostics import refuse
from .emit.compile import Compiler
from .engine import Specialisation, engine
from .linearised import Linearised, asked_of, is_number, units_of
from .seeds import Like, leaves_of, require_scalar, unsure
from .sparse import compressed_hessian, compressed_jacobian, detected
from .transformed import Transformed


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
        return Transformed(pushforward, f, {"wrt": hashable(wrt)})
    return _pushforward(f, args, hashable(wrt))


@errors.user_frames
def _pushforward(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    linear = Linearised(f, args, wrt)
    asked = asked_of(args, wrt)

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


def jacobian(f: Callable[..., Any], *args: Any, wrt: Wrt = None, sparsity: Any = None) -> Any:
    """The derivative of an array-valued function: shape of the result + shape of the argument.

    One argument gives an array, several a tuple. Row by row with the pullback, or column by column
    with the pushforward where the arguments have fewer elements than the result.

    wrt: number or numbers of the arguments to differentiate in; one number gives one array, not a
    tuple. sparsity: where the derivative in one argument may be nonzero; then rows that share no
    column, or columns that share no row, are computed together (A. R. Curtis, M. J. D. Powell, J.
    K. Reid, 1974): three passes for a tridiagonal Jacobian of any size. It is a boolean array of
    the shape of the Jacobian, or of (elements of the result, elements of the argument); a sparse
    matrix of SciPy of the latter shape, of which the stored entries count, and the result is such a
    matrix, too; or True: what `sparsity_pattern` finds. A pattern that is given is compared with
    the function along one random direction.

    Raises Refused where the result is not one array or an argument that is asked for is none
    (ZYG501), where there is no argument of that number (ZYG503), and where the pattern is wrong,
    has another shape, or cannot be found (ZYG505).

    >>> jacobian(lambda x: x[1:] * x[:-1], np.array([1.0, 2.0, 3.0]), sparsity=True)
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    if not args:
        return Transformed(jacobian, f, _options(hashable(wrt), sparsity))
    return _jacobian(f, args, hashable(wrt), sparsity)


def _options(wrt: Wrt, sparsity: Any) -> dict[str, Any]:
    return {"wrt": wrt} if sparsity is None else {"wrt": wrt, "sparsity": sparsity}


def sparsity_pattern(f: Callable[..., Any], *args: Any, wrt: Wrt = None) -> Any:
    """Where the Jacobian may be nonzero: a boolean array of its shape; a tuple for several
    arguments. `sparsity_pattern(derivative(f), x)` is the pattern of a Hessian.

    Each element of the result is followed through the reverse part of the pullback, with the
    branches that this run took (sets of elements in the place of numbers: A. Griewank and A.
    Walther, Evaluating Derivatives, 2008, section 7.1). Where that mixes elements the pattern has
    more than the Jacobian, never less: an element is missing only where its derivative at this
    point is zero, as under a branch that was not taken, or an entry of a matrix that is zero.

    Raises Refused (ZYG505) where something cannot be followed: complex numbers, changes of arrays
    in place, rules of the user's, calls that only the run knows.

    >>> sparsity_pattern(lambda x: x[1:] * x[:-1], np.zeros(3)).astype(int)
    array([[1, 1, 0],
           [0, 1, 1]])
    """
    if not args:
        return Transformed(sparsity_pattern, f, {"wrt": hashable(wrt)})
    return _sparsity_pattern(f, args, hashable(wrt))


@errors.user_frames
def _sparsity_pattern(f: Any, args: tuple[Any, ...], wrt: Wrt) -> Any:
    found = []
    for i in asked_of(args, wrt):
        linear = Linearised(f, args, i)
        _require_arrays(linear.y, args, [i], "sparsity_pattern")
        found.append(np.reshape(detected(linear), (*np.shape(linear.y), *np.shape(args[i]))))
    return found[0] if isinstance(wrt, int) or len(args) == 1 else tuple(found)


@errors.user_frames
def _jacobian(f: Any, args: tuple[Any, ...], wrt: Wrt, sparsity: Any) -> Any:
    asked = asked_of(args, wrt)
    if sparsity is not None and sparsity is not False:
        linear = Linearised(f, args, _the_one(asked))
        _require_arrays(linear.y, args, asked, "jacobian")
        sparse = compressed_jacobian(linear, sparsity)
        return sparse if isinstance(wrt, int) or len(args) == 1 else (sparse,)
    linear = Linearised(f, args, wrt)
    _require_arrays(linear.y, args, asked, "jacobian")
    inputs = sum(int(np.size(args[i])) for i in asked)
    complex_ = any(np.iscomplexobj(a) for a in (linear.y, *(args[i] for i in asked)))
    by_columns = inputs < np.size(linear.y) and not complex_
    found = _columns(linear, asked) if by_columns else _rows(linear, asked)
    return found[0] if isinstance(wrt, int) or len(args) == 1 else tuple(found)


def _the_one(asked: list[int]) -> int:
    """The argument that a pattern is for."""
    if len(asked) != 1:
        raise refuse(
            "ZYG503",
            f"a pattern is for one argument; {len(asked)} are asked for",
            None,
            "choose one with `wrt=`",
        )
    return asked[0]


def _require_arrays(y: Any, args: tuple[Any, ...], asked: list[int], what: str) -> None:
    if not is_number(y):
        raise refuse(
            "ZYG501", f"`{what}` is of a function that returns one array", None, "return one array"
        )
    for i in asked:
        if not is_number(args[i]):
            raise refuse(
                "ZYG501",
                f"`{what}` is in arrays; argument {i} is a {type(args[i]).__name__}",
                None,
                "choose the arrays with `wrt=`, or ask for `pullback` and give seeds",
            )


def _rows(linear: Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pullback for each element of the result."""
    shape = np.shape(linear.y)
    pulled = [linear.pull(seed) for seed in units_of(linear.y)]
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        bars = [p if isinstance(linear.wrt, int) else p[k] for p in pulled]
        blocks = [runtime.zeros_like(x) if b is None else b for b in bars]
        whole = np.array(blocks) if blocks else np.zeros(0)
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _columns(linear: Linearised, asked: list[int]) -> list[Any]:
    """The Jacobians in each argument, one pushforward for each element of the arguments."""
    shape = np.shape(linear.y)
    found = []
    for k, i in enumerate(asked):
        x = linear.args[i]
        before, after = [None] * k, [None] * (len(asked) - k - 1)
        pushed = [linear.push([*before, unit, *after]) for unit in units_of(x)]
        whole = np.stack(pushed, axis=-1) if pushed else np.zeros((*shape, 0))
        found.append(np.reshape(whole, (*shape, *np.shape(x))))
    return found


def _gradient_of(f: Callable[..., Any]) -> Transformed:
    return Transformed(gradient, f, {"wrt": 0, "zeros": True})


def hessian(f: Callable[..., Any], *args: Any, wrt: Wrt = None, sparsity: Any = None) -> Any:
    """The second derivatives of a scalar function: shape of the argument + shape of the argument.

    One argument gives an array. Several give a tuple with a row for each argument, which is a tuple
    of blocks: that in row i and column j is the derivative of the i-th gradient in the j-th
    argument, of the shape of the i-th + the shape of the j-th. wrt: as for `gradient`; one number
    gives one block. sparsity: as for `jacobian`, in one argument; a pattern that is not symmetric
    is made so. Fewer products with vectors are needed than for a Jacobian of that pattern, since
    one of two entries that mirror each other is enough (star colouring: A. H. Gebremedhin, F.
    Manne, A. Pothen, 2005).

    Reverse over reverse: the Jacobian of the gradient. Raises Refused (ZYG501) where the result is
    no real number, or an argument that is asked for no array, (ZYG503) where there is no argument
    of that number, (ZYG505) where the pattern is wrong, has another shape, or cannot be found.

    >>> hessian(lambda x, y: x**2 * y, 2.0, 3.0)[0][1]
    array(4.)
    """
    if not args:
        return Transformed(hessian, f, _options(hashable(wrt), sparsity))
    if sparsity is not None and sparsity is not False:
        found = _sparse_hessian(f, args, hashable(wrt), sparsity)
        return found if isinstance(wrt, int) or len(args) == 1 else ((found,),)
    rows = []
    for i in asked_of(args, wrt):
        of_one = Transformed(gradient, f, {"wrt": i, "zeros": True})
        rows.append(jacobian(of_one, *args, wrt=wrt))
    return rows[0] if isinstance(wrt, int) or len(args) == 1 else tuple(rows)


@errors.user_frames
def _sparse_hessian(f: Any, args: tuple[Any, ...], wrt: Wrt, sparsity: Any) -> Any:
    i = _the_one(asked_of(args, wrt))
    linear = Linearised(Transformed(gradient, f, {"wrt": i, "zeros": True}), args, i)
    _require_arrays(linear.y, args, [i], "hessian")
    return compressed_hessian(linear, sparsity)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of a scalar function times a vector: both have the structure and shape of `x`.

    The Hessian is symmetric, so one pullback of the gradient gives it, at a small multiple of the
    cost of the gradient (B. A. Pearlmutter, Fast exact multiplication by the Hessian, 1994).
    Raises Refused where the result is no real number (ZYG501), `x` has no derivative (ZYG503), or
    `v` has another shape (ZYG502).

    >>> hvp(lambda x: x[0] ** 2 * x[1], np.array([2.0, 3.0]), np.array([1.0, 0.0]))
    array([6., 4.])
    """
    return _hvp(f, x, v)


@errors.user_frames
def _hvp(f: Any, x: Any, v: Any) -> Any:
    if not is_number(x):
        bar = pullback(_gradient_of(f), x)[1](v)[0]
        return runtime.zeros_like(x) if bar is None else bar
    s, run = engine.prepared(f, (x,), "hvp", lambda s: _product(s, x))
    if run is None:
        return runtime.zeros_like(x)
    like = Like(np.shape(x), runtime.cotangent_dtype(np.asarray(x).dtype))
    (found,) = run(*s.values(f, (x,)), *leaves_of(v, like, f"gradient of {s.function.name}"))
    return runtime.zeros_like(x) if found is None else found


def _product(s: Specialisation, x: Any) -> Any:
    """The pullback of the gradient as one function, without what only the gradient's value needs;
    None where that is zero.
    """
    out = s.function.region.outs[0]
    require_scalar(s.function, out)
    wrt = chosen(s, (x,), 0)
    of_one = s.derivative().fused(s.function, wrt, check=unsure(out))
    if of_one.region.outs[0][0] is None:
        return None
    made = s.derivative().seeded(of_one, wrt, (True,), first=of_one.forward or 0)
    return Compiler().function(made).callable


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
        if not is_number(x):
            raise refuse("ZYG501", "`diaghessian` is in arrays and numbers", None)
        linear = Linearised(Transformed(gradient, f, {"wrt": i, "zeros": True}), args, i)
        units = list(units_of(x))
        rows = [linear.pull(unit) for unit in units]
        values = [0.0 if r is None else np.sum(r * u) for r, u in zip(rows, units, strict=True)]
        diagonal = np.reshape(np.array(values), np.shape(x))
        found.append(diagonal if np.shape(x) else diagonal[()])
    return found[0] if len(args) == 1 else tuple(found)
