"""Errors that show the user's frames: the engine's own are taken out of tracebacks at the door of
the API.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import os
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from . import runtime
from .diagnostics import Diagnostic, ZygError, refuse
from .emit.compile import UNIT
from .source import Span, line_of

P = ParamSpec("P")
R = TypeVar("R")
HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_frames(f: Callable[P, R]) -> Callable[P, R]:
    """Let errors leave `f` with the frames of generated and user code only."""

    @functools.wraps(f)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True  # IPython and pytest leave this frame out
        try:
            return f(*args, **kwargs)
        except BaseException as error:
            shown = leaving(error)
            if shown is error:
                raise
        raise shown from None

    return wrapped


def leaving(error: BaseException) -> BaseException:
    """The error to raise in the place of `error`: itself without engine frames, or the refusal that
    it stands for.
    """
    if isinstance(error, runtime.NotReal):
        return refuse(
            "ZYG202",
            str(error),
            last_place(error.__traceback__),
            "pass a complex number, or use `np.power`",
        )
    if isinstance(error, runtime.NotScalar):
        return refuse(
            "ZYG501",
            f"{error}; a gradient is of one real number",
            None,
            "reduce it (`np.sum`), or ask for the `jacobian`",
        )
    if isinstance(error, runtime.NotArray):
        return refuse("ZYG501", str(error), last_place(error.__traceback__), error.help)
    if isinstance(error, runtime.WrongSeed):
        return refuse(
            "ZYG502",
            str(error),
            last_place(error.__traceback__),
            "a seed is the cotangent of the result: give one of its shape",
        )
    if isinstance(error, runtime.Changed):
        return refuse(
            "ZYG103", str(error), last_place(error.__traceback__), error.help
        )
    if isinstance(error, runtime.NotFollowed):
        return refuse(
            "ZYG101", f"{error} is not supported", last_place(error.__traceback__), error.help
        )
    if isinstance(error, runtime.Interrupted):
        return refuse(
            "ZYG101",
            f"handling an exception is not supported here: {error}",
            last_place(error.__traceback__),
            "change things after what may raise, or outside of the call",
        )
    if isinstance(error, runtime.NoCotangent):
        return refuse(
            "ZYG202",
            str(error),
            last_place(error.__traceback__),
            "take the number out of the object before the differentiated part",
        )
    if isinstance(error, ZygError):
        return type(error)(_placed(error.diagnostic, error.__traceback__))
    error.__traceback__ = stripped(error.__traceback__)
    return error


def _placed(d: Diagnostic, tb: TracebackType | None) -> Diagnostic:
    """A refusal of an op that only the run knew is shown where the program came to it."""
    if d.span is None or line_of(d.span.file, d.span.line):
        return d
    return dataclasses.replace(d, span=last_place(tb) or d.span)


def last_place(tb: TracebackType | None) -> Span | None:
    """The innermost line of user code in a traceback."""
    tb = stripped(tb)
    if tb is None:
        return None
    last = tb
    while tb is not None:
        if line_of(tb.tb_frame.f_code.co_filename, tb.tb_lineno):  # not that of an op by itself
            last = tb
        tb = tb.tb_next
    tb = last
    code, at = tb.tb_frame.f_code, tb.tb_lasti // 2
    line, end, col, end_col = list(code.co_positions())[at]
    return Span(code.co_filename, line or tb.tb_lineno, col or 0, end or tb.tb_lineno, end_col or 0)


def stripped(tb: TracebackType | None) -> TracebackType | None:
    """A traceback without the package's own frames; generated code carries the user's file and
    stays.
    """
    frames = []
    while tb is not None:
        frames.append(tb)
        tb = tb.tb_next
    kept: TracebackType | None = None
    for t in reversed(frames):
        if not t.tb_frame.f_code.co_filename.startswith(HERE):
            t = _named(t)
            kept = TracebackType(kept, t.tb_frame, t.tb_lasti, t.tb_lineno)
    return kept


def _named(t: TracebackType) -> TracebackType:
    """The entry of a fused gradient that was in its reverse part, named so: `pullback of f`.

    One code object has one name, so the entry is made anew from a `raise` that stands where the
    error did.
    """
    unit = t.tb_frame.f_globals.get(UNIT)
    if unit is None or not unit.is_reverse(t.tb_lasti):
        return t
    place = list(t.tb_frame.f_code.co_positions())[t.tb_lasti // 2]
    line, end_line, col, end_col = (n or 0 for n in place)
    stub = ast.Raise(ast.Name("error", ast.Load()))
    for node in ast.walk(stub):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno, node.end_lineno = line or t.tb_lineno, end_line or t.tb_lineno
            node.col_offset, node.end_col_offset = col, end_col
    code = compile(ast.Module([stub], []), t.tb_frame.f_code.co_filename, "exec")
    title = f"pullback of {t.tb_frame.f_code.co_name}"
    try:
        exec(code.replace(co_name=title, co_qualname=title), {"error": Exception()})
    except Exception as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            return error.__traceback__.tb_next
    return t
