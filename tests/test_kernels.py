"""The kernels of the benchmarks: unmodified NumPy in place, against finite differences."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import check

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
KERNELS = importlib.import_module("kernels").KERNELS


def is_whole(x: Any) -> bool:
    return isinstance(x, int) or (isinstance(x, np.ndarray) and x.dtype.kind == "i")


@pytest.mark.parametrize("name", KERNELS)
def test_kernel(name: str) -> None:
    f, make = KERNELS[name]
    named = dict(zip(inspect.signature(f).parameters, make(5), strict=True))
    whole = {k: x for k, x in named.items() if is_whole(x)}
    args = [x for x in named.values() if not is_whole(x)]
    check(functools.partial(f, **whole) if whole else f, *args)


def test_there_are_enough() -> None:
    assert len(KERNELS) >= 40
