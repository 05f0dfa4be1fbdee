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
    selection,
    sequence_types,
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
    "selection",
    "sequence_types",
    "sequences",
    "shapes",
    "shaping",
]
