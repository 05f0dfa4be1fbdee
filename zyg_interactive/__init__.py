"""Source-to-source automatic differentiation of plain Python and NumPy, and tools that show it."""

from __future__ import annotations

from typing import Any

from . import applied, intrinsics, runtime
from .api import (
    Back,
    code_ir,
    code_pullback,
    derivative,
    explain,
    forward,
    grad,
    gradient,
    pullback,
    refresh,
    trace,
    withgradient,
)
from .checking import CheckResult, check_gradient
from .controls import checkpointed, hook, ignore, isderiving, stop_gradient
from .dense import diaghessian, hessian, hvp, jacobian, pushforward, sparsity_pattern
from .diagnostics import CustomGradientError, Diagnostic, Refused, ZygError
from .dynamic import LateSpecialisation
from .engine import engine
from .params import Grads, Params
from .rules.custom import nograd

__version__ = "0.1.0"

runtime.install(LateSpecialisation(engine))


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext zyg_interactive`: the `%%gradient` and `%gradient` magics."""
    from .notebook.magics import register

    register(shell)


__all__ = [
    "Back",
    "CheckResult",
    "CustomGradientError",
    "Diagnostic",
    "Grads",
    "Params",
    "Refused",
    "ZygError",
    "check_gradient",
    "checkpointed",
    "code_ir",
    "code_pullback",
    "derivative",
    "diaghessian",
    "explain",
    "forward",
    "grad",
    "gradient",
    "hessian",
    "hook",
    "hvp",
    "ignore",
    "applied",
    "intrinsics",
    "isderiving",
    "jacobian",
    "nograd",
    "pullback",
    "pushforward",
    "refresh",
    "sparsity_pattern",
    "stop_gradient",
    "trace",
    "withgradient",
]
