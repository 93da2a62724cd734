"""Slow, plain float64 definitions: the full SVD of the cross product of centred items."""

from __future__ import annotations

import numpy as np


def centred(x, center=True):
    x = np.asarray(x, np.float64)
    return x - x.mean(axis=0) if center else x


def nuclear_norm(m):
    return np.linalg.svd(m, compute_uv=False).sum()


def similarity(x, y, center=True):
    x, y = centred(x, center), centred(y, center)
    return nuclear_norm((x / np.linalg.norm(x)).T @ (y / np.linalg.norm(y)))


def distance(x, y, center=True):
    """``|XQ - Y|`` of unit-norm items with the best Q, the narrower one turned into the wider one.

    Q is orthogonal to rounding and an error of it enters squared, so this keeps the digits of
    small distances that ``sqrt(2 - 2 s)`` has lost.
    """
    x, y = centred(x, center), centred(y, center)
    x, y = sorted((x / np.linalg.norm(x), y / np.linalg.norm(y)), key=lambda item: item.shape[1])
    u, _, vt = np.linalg.svd(x.T @ y, full_matrices=False)
    return np.linalg.norm(x @ (u @ vt) - y)


def procrustes(x, y, center=True, scale=True, score="angular"):
    if score == "similarity":
        return similarity(x, y, center)
    apart = distance(x, y, center)
    if score == "angular":
        return 2 * np.arcsin(apart / 2)
    if scale:
        return apart
    a, b = np.linalg.norm(centred(x, center)), np.linalg.norm(centred(y, center))
    return np.hypot(a - b, np.sqrt(a * b) * apart)


def bound(angle, dtype):
    """The error that the engine's angles may have."""
    relative, absolute = (1e-6, 1e-9) if np.dtype(dtype) == np.float64 else (1e-3, 3e-5)
    return np.maximum(relative * angle, absolute)


def planted(n, spectrum, angle, seed=0):
    """Items with this spectrum whose angle is known, turned at random.

    ``X = U S`` and ``Y = cos X + sin W S`` with U and W orthonormal and orthogonal to each other:
    ``X'Y = cos S^2``, whose nuclear norm is cos. Columns have mean 0. Rounding in float64 moves the
    angle by 1e-15, and that to float32 by 1e-7.
    """
    rng = np.random.default_rng(seed)
    d = len(spectrum)
    q = np.linalg.qr(np.hstack([np.ones((n, 1)), rng.standard_normal((n, 2 * d))]))[0][:, 1:]
    s = spectrum / np.linalg.norm(spectrum)
    x, e = q[:, :d] * s, q[:, d:] * s
    turns = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    return x @ next(turns), (np.cos(angle) * x + np.sin(angle) * e) @ next(turns)


def whitened(x, alpha):
    """X (alpha I + (1 - alpha) (X'X)^(-1/2)) on the span of X, rescaled to the norm of X."""
    x = centred(x)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    keep = s > max(x.shape) * np.finfo(np.float64).eps * s[0]
    z = (u[:, keep] * (alpha * s[keep] + 1 - alpha)) @ vt[keep]
    return z * np.linalg.norm(x) / np.linalg.norm(z)
