"""Exceptions and contexts of a program, as they happen."""

from __future__ import annotations

from typing import Any

from .calls import Unhandled


class Interrupted(Unhandled):
    """An exception was handled after something in memory had changed: nobody knows how much."""


def throw(error: Any, *cause: Any) -> None:
    """`raise error`, or `raise error from cause`."""
    if cause:
        raise error from cause[0]
    raise error


def interrupted(error: BaseException) -> None:
    """An exception is handled that came in the middle of a change."""
    raise Interrupted(
        "a list, dict, object or array was changed before this exception was raised, in the same "
        "call or expression"
    ) from error


def enter(manager: Any) -> Any:
    """Begin a context; what `as` binds."""
    return type(manager).__enter__(manager)


def leave(manager: Any, raised: bool, error: BaseException | None) -> None:
    """End a context, after its body or after an exception of its body."""
    if not raised:
        type(manager).__exit__(manager, None, None, None)
        return
    assert error is not None
    if type(manager).__exit__(manager, type(error), error, error.__traceback__):
        raise Interrupted(
            f"the context `{type(manager).__name__}` swallowed an exception; write it as `try` and "
            "`except`"
        ) from error
