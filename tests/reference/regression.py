"""Slow, plain definitions: every fold and penalty refitted from the normal equations."""

from __future__ import annotations

import numpy as np

GRID = np.logspace(-6, 4, 21)


def folds(n, cv, random_state):
    """(train, test) rows of a shuffled KFold."""
    order = np.random.RandomState(random_state).permutation(n)
    for test in np.array_split(order, cv):
        yield np.setdiff1d(order, test, assume_unique=True), test


def centred(x):
    x = np.asarray(x, np.float64)
    return x - x.mean(axis=0)


def default_alphas(x):
    x = centred(x)
    return GRID * (x**2).sum() / min(x.shape[0] - 1, x.shape[1])


def fit(x, y, alpha, intercept=True):
    """(weights, intercept) of ridge regression."""
    mx, my = (x.mean(axis=0), y.mean(axis=0)) if intercept else (0 * x[0], 0 * y[0])
    u, s, vt = np.linalg.svd(x - mx, full_matrices=False)
    weights = vt.T @ ((s / (s**2 + alpha))[:, None] * (u.T @ (y - my)))
    return weights, my - mx @ weights


def generalised_cross_validation(x, y, alpha):
    n = len(x)
    x, y = centred(x), centred(y)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    shrink = s**2 / (s**2 + alpha)
    residual = y - u @ (shrink[:, None] * (u.T @ y))
    return (residual**2).sum(axis=0) / (n - 1 - shrink.sum()) ** 2


def pearson(a, b):
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))


def linear_predictivity(x, y, alphas=None, cv=5, random_state=0, splits=None):
    """(r, r2, alpha), each (cv, targets); on these splits, else on shuffled folds."""
    alphas = default_alphas(x) if alphas is None else np.asarray(alphas, np.float64)
    results = []
    for train, test in splits or folds(len(x), cv, random_state):
        criteria = [generalised_cross_validation(x[train], y[train], a) for a in alphas]
        choice = np.argmin(criteria, axis=0)
        predicted = np.empty((len(test), y.shape[1]))
        for t, best in enumerate(choice):
            weights, offset = fit(x[train], y[train][:, [t]], alphas[best])
            predicted[:, t] = (x[test] @ weights + offset)[:, 0]
        error = ((y[test] - predicted) ** 2).sum(axis=0)
        total = ((y[test] - y[test].mean(axis=0)) ** 2).sum(axis=0)
        results.append((pearson(predicted, y[test]), 1 - error / total, alphas[choice]))
    return tuple(np.array(part) for part in zip(*results, strict=True))
