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
