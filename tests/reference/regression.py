"""Slow, plain definitions: every fold and penalty refitted from the normal equations."""

from __future__ import annotations

from fractions import Fraction

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


def exact_correlations(x, y, alphas, cv):
    """(cv, targets) of `linear_predictivity` in fractions: nothing is rounded but the result."""
    x, y = (np.array([[Fraction(v) for v in row] for row in side.tolist()]) for side in (x, y))
    eye = np.array([[Fraction(int(i == j)) for j in range(x.shape[1])] for i in range(x.shape[1])])
    if alphas is None:
        moved = x - x.mean(axis=0)
        alphas = [Fraction(a) * (moved**2).sum() / min(len(x) - 1, x.shape[1]) for a in GRID]
    found = []
    for train, test in folds(len(x), cv, 0):
        a, b = (side[train] - side[train].mean(axis=0) for side in (x, y))
        gram, cross = a.T @ a, a.T @ b
        best = [None] * y.shape[1]
        for alpha in map(Fraction, alphas):
            inverse = exact_inverse(gram + alpha * eye)
            weights = inverse @ cross
            freedom = len(train) - 1 - (inverse * gram).sum()
            criteria = ((b - a @ weights) ** 2).sum(axis=0) / freedom**2
            for t, criterion in enumerate(criteria):
                if best[t] is None or criterion < best[t][0]:
                    best[t] = criterion, weights[:, t]
        predicted = x[test] @ np.stack([w for _, w in best], axis=1)
        p, q = (side - side.mean(axis=0) for side in (predicted, y[test]))
        squares = (p**2).sum(axis=0) * (q**2).sum(axis=0)
        inner = (p * q).sum(axis=0)
        found.append(
            [np.sign(i) * float(i * i / s) ** 0.5 for i, s in zip(inner, squares, strict=True)]
        )
    return np.array(found, np.float64)


def exact_inverse(matrix):
    """Gauss-Jordan elimination."""
    size = len(matrix)
    work = np.concatenate(
        [matrix, np.array([[Fraction(int(i == j)) for j in range(size)] for i in range(size)])],
        axis=1,
    )
    for k in range(size):
        work[k] = work[k] / work[k, k]
        for i in range(size):
            if i != k:
                work[i] = work[i] - work[i, k] * work[k]
    return work[:, size:]
