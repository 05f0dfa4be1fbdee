"""Matrices: cofactors, the derivative of the determinant."""

from __future__ import annotations

from typing import Any

import numpy as np


def cofactor(a: Any) -> Any:
    """The matrix of cofactors, the derivative of the determinant; of singular matrices too."""
    u, s, vh = np.linalg.svd(a)
    others = np.prod(np.where(np.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]), axis=-1)
    turn = (np.linalg.det(u) * np.linalg.det(vh))[..., None]
    cofactors = (np.conj(u) * (turn * others)[..., None, :]) @ np.conj(vh)
    return cofactors.astype(np.result_type(a, np.float32), copy=False)


def cofactor_pullback(c: Any, a: Any) -> Any:
    """The cotangent of `a` for the cotangent `c` of `cofactor(a)`."""
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    eye = np.eye(n, dtype=bool)
    skip = eye[:, None, :] | eye[None, :, :]
    pairs = np.prod(np.where(skip, 1.0, s[..., None, None, :]), axis=-1) * ~eye
    turn = (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    inner = np.conj(turn) * (np.swapaxes(u, -1, -2) @ c @ np.swapaxes(vh, -1, -2))
    diagonal = np.einsum("...ij,...jj->...i", pairs, inner)
    return u @ (diagonal[..., None] * eye - pairs * np.swapaxes(inner, -1, -2)) @ vh


def same_order(values: Any, others: Any) -> Any:
    """Where each eigenvalue stands among the same ones, which may be in another order."""
    apart = np.abs(values[..., :, None] - others[..., None, :])
    found = np.argmin(apart, axis=-1)
    n = values.shape[-1]
    for at in np.ndindex(values.shape[:-1]):
        if len(set(found[at].tolist())) < n:  # some are equal
            found[at] = np.arange(n)
    return found


def or_zero(c: Any) -> Any:
    """The cotangent of residuals, which NumPy leaves out where there are none."""
    return c if c.size else np.zeros(1, c.dtype)
