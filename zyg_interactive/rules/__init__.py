"""Gradient rules. Importing the package registers them all."""

from . import (
    builtins,
    contractions,
    elementwise,
    indexing,
    linalg,
    nondifferentiable,
    random,
    reductions,
    sequences,
    shapes,
    shaping,
)
from .registry import RULES, Rule, constant, elementwise_rule, lookup, result, rule

__all__ = [
    "RULES",
    "Rule",
    "builtins",
    "constant",
    "contractions",
    "elementwise",
    "elementwise_rule",
    "indexing",
    "linalg",
    "lookup",
    "nondifferentiable",
    "random",
    "reductions",
    "result",
    "rule",
    "sequences",
    "shapes",
    "shaping",
]
