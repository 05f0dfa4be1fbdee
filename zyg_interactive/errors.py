"""Errors that show the user's frames: the engine's own are taken out of tracebacks at the door of the API."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from . import runtime
from .diagnostics import ZygError, refuse
from .source import Span

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
        except runtime.NotScalar as error:
            refusal: BaseException = refuse(
                "ZYG501", f"{error}; a gradient is of one real number", None,
                "reduce it (`np.sum`), or ask for the `jacobian`",
            )  # fmt: skip
        except runtime.Changed as error:
            refusal = refuse(
                "ZYG103", str(error), last_place(error.__traceback__), "build a new array instead"
            )
        except ZygError as error:
            refusal = error.with_traceback(None)
        except BaseException as error:
            error.__traceback__ = stripped(error.__traceback__)
            raise
        raise refusal from None

    return wrapped


def last_place(tb: TracebackType | None) -> Span | None:
    """The innermost line of user code in a traceback."""
    tb = stripped(tb)
    if tb is None:
        return None
    while tb.tb_next is not None:
        tb = tb.tb_next
    code, at = tb.tb_frame.f_code, tb.tb_lasti // 2
    line, end, col, end_col = list(code.co_positions())[at]
    return Span(code.co_filename, line or tb.tb_lineno, col or 0, end or tb.tb_lineno, end_col or 0)


def stripped(tb: TracebackType | None) -> TracebackType | None:
    """A traceback without the package's own frames; generated code carries the user's file and stays."""
    frames = []
    while tb is not None:
        frames.append(tb)
        tb = tb.tb_next
    kept: TracebackType | None = None
    for t in reversed(frames):
        if not t.tb_frame.f_code.co_filename.startswith(HERE):
            kept = TracebackType(kept, t.tb_frame, t.tb_lasti, t.tb_lineno)
    return kept
