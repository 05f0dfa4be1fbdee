"""What NumPy has that no derivative passes: why, and what to write instead. A diagnostic says it as
its help.

Set operations are here and not among the constants: their results are numbers of the arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import without_rule

BESSEL = "its derivative is another Bessel function; use scipy.special.i0"
CLASS = "a class of its own; use plain arrays"
DRAW = "the draw does not depend on its parameters as a formula; move and scale a standard one"
FIT = "write the edges, and np.histogram with `weights`"
MOVED = "draw the places, and index: x[rng.permutation(len(x))]"
READ = "reads memory that others own; copy it into an array before"
SETS = "write np.unique(np.concatenate((a, b))), or index with np.isin"
WALK = "hands out places in memory; loop over x.ravel(), or over np.ndindex(x.shape)"

# Names of a module, and the reason.
FUNCTIONS: dict[str, str] = {
    "asmatrix": CLASS,
    "bmat": CLASS,
    "matrix": CLASS,
    "memmap": CLASS,
    "recarray": CLASS,
    "record": CLASS,
    "poly1d": "a class of its own; np.polyval and its like take arrays of coefficients",
    "broadcast": "write np.broadcast_arrays",
    "flatiter": WALK,
    "nditer": WALK,
    "nested_iters": WALK,
    "frombuffer": READ,
    "from_dlpack": READ,
    "frompyfunc": "its results are objects; write np.vectorize",
    "i0": BESSEL,
    "kaiser": BESSEL,
    "histogram2d": FIT,
    "histogramdd": FIT,
    "histogram_bin_edges": "the edges follow the data; write them with np.linspace",
    "intersect1d": SETS,
    "setdiff1d": SETS,
    "setxor1d": SETS,
    "union1d": SETS,
    "unique_all": "write np.unique",
    "unique_counts": "write np.unique",
    "unique_inverse": "write np.unique",
    "unique_values": "write np.unique",
    "polydiv": "divide by hand: the remainder is what a linear system leaves",
}
DRAWS: dict[str, str] = {
    **dict.fromkeys(
        (
            *("beta", "chisquare", "dirichlet", "f", "gamma", "noncentral_chisquare", "vonmises"),
            *("noncentral_f", "standard_gamma", "standard_t", "triangular", "wald"),
        ),
        DRAW,
    ),
    "multivariate_normal": "write mean + rng.standard_normal(n) @ np.linalg.cholesky(cov).T",
    "choice": "draw the places, and index: x[rng.integers(len(x))]",
    "permutation": MOVED,
    "permuted": MOVED,
}
METHODS: dict[str, str] = {
    "getfield": "reads the bytes of another type; write x.astype",
    "to_device": "arrays of NumPy are on one device; leave it out",
}


def _register(owner: Any, table: dict[str, str]) -> None:
    for name, reason in table.items():
        if hasattr(owner, name):
            without_rule(reason, getattr(owner, name))


_register(np, FUNCTIONS)
for _source in (np.random.Generator, np.random.RandomState, np.random):
    _register(_source, DRAWS)
_register(np.ndarray, METHODS)
