"""Real numbers made of complex ones where only the run knows which they are: their cotangents must
be real, whatever they are multiplied with.
"""

from __future__ import annotations

import numpy as np
import pytest
from helpers import check, define

from zyg_interactive import gradient

X = np.array([1.0, 0.5, 0.2, 2.0, -0.3, 0.9])
UNKNOWN = {  # each is `z`
    "late": "u = FUNCTIONS[int(np.sum(z.real) > 0)](z)",
    "joined": "u = [2.0, z * 1, z][int(np.sum(z.real) > 0)]",
}
REAL = [
    *("np.abs(u)", "abs(u[0])", "u.real", "u[1].imag", "np.angle(u)", "np.linalg.norm(u)"),
    *("np.var(u)", "np.std(u)", "np.nanvar(u)", "np.fft.irfft(u)", "np.sum(np.abs(u))"),
    "np.linalg.svdvals(np.outer(u, u) + np.diag([1.0, 2.0, 5.0]))",
    "np.linalg.eigvalsh(np.outer(u, u.conj()) + np.diag([1.0, 2.0, 5.0]))",
    "np.linalg.slogdet(np.outer(u, u) + np.diag([1.0, 2.0, 5.0]))[1]",
]
FUNCTIONS = [np.sin, lambda z: z * 1]


@pytest.mark.parametrize("made", UNKNOWN)
@pytest.mark.parametrize("real", REAL)
def test_real_of_complex(made, real):
    f = define(
        "def f(x):\n"
        "    z = x[:3] + 1j * x[3:]\n"
        f"    {UNKNOWN[made]}\n"
        f"    return np.real(np.sum({real} * (1 + 2j) * z.sum()) ** 2)\n",
        scope={"FUNCTIONS": FUNCTIONS},
    )
    check(f, X)
    check(lambda x: np.sum(gradient(f, x)[0] * np.array([1.0, 0.5, 2, -1, 0.3, -2])), X)
