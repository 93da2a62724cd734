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


def procrustes(x, y, center=True, scale=True, score="angular"):
    s = similarity(x, y, center)
    if score == "similarity":
        return s
    if score == "angular":
        return np.arccos(min(1.0, s))
    if scale:
        return np.sqrt(2 - 2 * s)
    a, b = np.linalg.norm(centred(x, center)), np.linalg.norm(centred(y, center))
    return np.sqrt(a**2 + b**2 - 2 * a * b * s)


def whitened(x, alpha):
    """X (alpha I + (1 - alpha) (X'X)^(-1/2)) on the span of X, rescaled to the norm of X."""
    x = centred(x)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    keep = s > max(x.shape) * np.finfo(np.float64).eps * s[0]
    z = (u[:, keep] * (alpha * s[keep] + 1 - alpha)) @ vt[keep]
    return z * np.linalg.norm(x) / np.linalg.norm(z)
