"""Coded diagnostics: what, where, why, and what to write instead. Every refusal of the package is
one of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .source import Span, caret

# The code says who refuses: 1 Python constructs, 2 values and types, 3 rules, 4 custom gradients, 5
# calls of the API.
TITLES = {
    "ZYG101": "construct not supported",
    "ZYG102": "the source is not available",
    "ZYG103": "in-place change not supported",
    "ZYG104": "argument binding",
    "ZYG105": "a shared variable that changes",
    "ZYG201": "must be known before the run",
    "ZYG202": "type not differentiable",
    "ZYG203": "value may alias",
    "ZYG301": "no gradient rule",
    "ZYG302": "keyword without a gradient rule",
    "ZYG303": "a rule failed",
    "ZYG401": "custom gradient returned the wrong number of cotangents",
    "ZYG402": "custom gradient returned the wrong shape",
    "ZYG403": "custom gradient must return (value, back)",
    "ZYG501": "the result is not a real scalar",
    "ZYG502": "wrong seed",
    "ZYG503": "not a differentiable argument",
    "ZYG504": "gradient check failed",
    "ZYG505": "wrong or unknown sparsity pattern",
    "ZYG601": "nothing to differentiate in the cell",
    "ZYG901": "a fault of zyg_interactive",
}


def name_of_file(file: str) -> str:
    return f'File "{file}"'


# What a text is called. A notebook says "Cell In[3]", for the file of a cell is an invention.
place_of: Callable[[str], str] = name_of_file


@dataclass(frozen=True)
class Diagnostic:
    """One finding. `message` says what and why, `help` what to write instead."""

    code: str
    message: str
    span: Span | None = None
    help: str = ""
    related: tuple[tuple[Span, str], ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.message}"]
        if self.span is not None:
            lines += _place(self.span)
        for span, note in self.related:
            lines += [f"  {note}:", *_place(span)]
        if self.help:
            lines.append(f"  help: {self.help}")
        return "\n".join(lines)


def _place(span: Span) -> list[str]:
    shown = caret(span)
    return [
        f"  {place_of(span.file)}, line {span.line}",
        *(["  " + s for s in shown.splitlines()] if shown else []),
    ]


class ZygError(Exception):
    """An error that carries a `Diagnostic`; its text is the diagnostic's."""

    def __init__(self, diagnostic: Diagnostic):
        super().__init__(str(diagnostic))
        self.diagnostic = diagnostic

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: the diagnostic alone; the user's slip is no business of the engine's
        frames.
        """
        return [
            f"{type(self).__name__}: {line}" if i == 0 else line
            for i, line in enumerate(str(self).splitlines())
        ]


class Refused(ZygError):
    """The function (or the call) cannot be differentiated, for the reason given."""


class CustomGradientError(ZygError):
    """A rule given with `@grad` broke its contract."""


def refuse(code: str, message: str, span: Span | None = None, help: str = "") -> Refused:
    """A `Refused` to raise."""
    return Refused(Diagnostic(code, message, span, help))
