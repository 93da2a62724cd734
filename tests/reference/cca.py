"""Singular vectors of both sides, units of unit norm, and those of their product."""

from __future__ import annotations

import numpy as np

from .exact import Array, Undecided, centred, directions, varying


def canonical_correlations(x: Array, y: Array, regularization: float = 0.0) -> Array:
    """As many as the smaller rank."""
    (u, s), (v, t) = directions(x, not regularization), directions(y, not regularization)
    if regularization:
        u, v = (
            axes * (values / np.sqrt(values**2 + regularization * (values**2).sum() / units))
            for axes, values, units in (
                (u, s, varying(x).sum()),
                (v, t, varying(y).sum()),
            )
        )
    return np.minimum(np.linalg.svd(u.T @ v, compute_uv=False), 1)


def cca(x: Array, y: Array, regularization: float = 0.0) -> float:
    return float(canonical_correlations(x, y, regularization).mean())


def svcca(x: Array, y: Array, variance: float = 0.99) -> float:
    sides = []
    for side in (x, y):
        u, s = directions(side, units=False)
        shares = np.cumsum(s**2) / (s**2).sum()
        if (abs(shares[:-1] - variance) < 1e-9).any():
            raise Undecided("components that hold this share, but for rounding")
        kept = int((shares < variance).sum()) + 1
        if kept < len(s) and s[kept] > (1 - 1e-6) * s[kept - 1]:
            raise Undecided("one of two components of one variance is kept, any")
        sides.append(u[:, :kept])
    return float(np.minimum(np.linalg.svd(sides[0].T @ sides[1], compute_uv=False), 1).mean())


def pwcca(x: Array, y: Array) -> float:
    (u, _), (v, _) = directions(x), directions(y)
    p, rho, _ = np.linalg.svd(u.T @ v, full_matrices=False)
    if (-np.diff(rho) < 1e-5).any():
        raise Undecided("variates of equal correlations are any of a space")
    if len(rho) < u.shape[1] and rho[-1] < 1e-5:
        raise Undecided("a variate of correlation 0 is any of a space")
    weights = np.abs((u @ p).T @ centred(x).astype(np.float64)).sum(axis=1)
    return float(weights @ np.minimum(rho, 1) / weights.sum())
