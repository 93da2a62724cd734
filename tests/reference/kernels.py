"""Slow, plain float64 definitions with explicit n x n kernel and centring matrices."""

from __future__ import annotations

import numpy as np


def gram(x, kernel="linear", bandwidth=("median", 0.5), degree=3, coef0=1.0, gamma=None):
    x = np.asarray(x, np.float64)
    x = x - x.mean(axis=0)
    if kernel == "linear":
        return x @ x.T
    if kernel == "polynomial":
        return ((1 / x.shape[1] if gamma is None else gamma) * (x @ x.T) + coef0) ** degree
    distances = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1))
    if isinstance(bandwidth, tuple):
        bandwidth = bandwidth[1] * np.median(distances[np.triu_indices(len(x), 1)])
    return np.exp(-(distances**2) / (2 * bandwidth**2))


def hsic(x, y, estimator="biased", **kernel):
    k, m = gram(x, **kernel), gram(y, **kernel)
    n = len(k)
    if estimator == "biased":
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ m @ h) / (n - 1) ** 2
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    middle = k.sum() * m.sum() / ((n - 1) * (n - 2))
    return (np.trace(k @ m) + middle - 2 / (n - 2) * (k @ m).sum()) / (n * (n - 3))


def cka(x, y, **options):
    return hsic(x, y, **options) / np.sqrt(hsic(x, x, **options) * hsic(y, y, **options))


def precise_projection(x, estimator, kernel="linear", bandwidth=("median", 0.5), degree=3,
                       coef0=1.0, gamma=None):  # fmt: skip
    """HKH, or the U-centred K (Szekely & Rizzo 2014), in extended precision from differences."""
    x = np.asarray(x).astype(np.longdouble)
    shifted = x - x[0]
    shifted -= shifted.mean(axis=0)
    if kernel == "rbf":
        squares = np.array([((row - x) ** 2).sum(axis=1) for row in x])
        if isinstance(bandwidth, tuple):
            upper = np.sort(np.sqrt(squares[np.triu_indices(len(x), 1)]))
            middle = (upper[(len(upper) - 1) // 2] + upper[len(upper) // 2]) / 2
            bandwidth = np.longdouble(bandwidth[1]) * middle
        k = np.expm1(-squares / (2 * bandwidth**2))
    else:
        k = shifted @ shifted.T
        if kernel == "polynomial":
            k = k * (1 / np.longdouble(x.shape[1]) if gamma is None else gamma)
            # Less coef0 ** degree, which no projection sees.
            k = k * sum((k + coef0) ** i * coef0 ** (degree - 1 - i) for i in range(degree))
    n = len(x)
    if estimator == "unbiased":
        np.fill_diagonal(k, 0)
    rows = k.sum(axis=1) / (n - 2 if estimator == "unbiased" else n)
    both = (n - 1) * (n - 2) if estimator == "unbiased" else n * n
    projected = k - rows - rows[:, None] + k.sum() / both
    if estimator == "unbiased":
        np.fill_diagonal(projected, 0)
    return projected


def precise_hsic(x, y, estimator="biased", **kernel):
    k, m = (precise_projection(a, estimator, **kernel) for a in (x, y))
    n = len(k)
    return (k * m).sum() / ((n - 1) ** 2 if estimator == "biased" else n * (n - 3))


def precise_cka(x, y, **options):
    """Not the same digits as `cka`, but all of them."""
    own = [precise_hsic(a, a, **options) for a in (x, y)]
    return precise_hsic(x, y, **options) / np.sqrt(own[0]) / np.sqrt(own[1])
