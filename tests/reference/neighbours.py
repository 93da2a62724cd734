"""Slow, plain definitions: whole matrices and masks."""

from __future__ import annotations

import itertools

import numpy as np


def similarities(x, metric="cosine", center=True):
    x = np.asarray(x, np.float64)
    x = x - x.mean(axis=0) if center else x
    if metric == "euclidean":
        return -((x[:, None] - x) ** 2).sum(axis=-1)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def mask(similarity, k):
    """Whether j is among the k nearest neighbours of i; of equally near ones the first."""
    hidden = similarity.copy()
    np.fill_diagonal(hidden, -np.inf)
    nearest = np.argsort(-hidden, axis=1, kind="stable")[:, :k]
    found = np.zeros(similarity.shape, bool)
    np.put_along_axis(found, nearest, True, axis=1)
    return found


def masks(x, y, k, **options):
    return (mask(similarities(z, **options), k) for z in (x, y))


def mutual_knn(x, y, k=10, **options):
    a, b = masks(x, y, k, **options)
    return ((a & b).sum(axis=1) / k).mean()


def jaccard_knn(x, y, k=10, **options):
    a, b = masks(x, y, k, **options)
    return ((a & b).sum(axis=1) / (a | b).sum(axis=1)).mean()


def hsic_unbiased(a, b):
    """Song et al. 2012, equation 5, of matrices that need not be symmetric; zero diagonals."""
    n = len(a)
    one = np.ones(n)
    total = np.trace(a @ b) + (one @ a @ one) * (one @ b @ one) / ((n - 1) * (n - 2))
    return (total - 2 / (n - 2) * (one @ a @ b @ one)) / (n * (n - 3))


def cknna(x, y, k=10, center=True):
    kernels = [similarities(z, center=center) for z in (x, y)]
    for kernel in kernels:
        np.fill_diagonal(kernel, 0)
    near = list(masks(x, y, k, center=center))

    def align(i, j):
        both = near[i] & near[j]
        return hsic_unbiased(both * kernels[i], both * kernels[j])

    return align(0, 1) / np.sqrt(align(0, 0) * align(1, 1))


def exact_dissimilarities(x, metric, center):
    """Squared distances or 1 - cosines from differences, in extended precision.

    Whole numbers without centring: exact, as fractions.
    """
    if metric == "euclidean" and (x == np.round(x)).all():
        whole = x.astype(object)
        return np.array([[sum((a - b) ** 2) for b in whole] for a in whole], object)
    x = x.astype(np.longdouble)
    if metric == "cosine":
        if center:
            x = x - x[0]
            x = x - x.mean(axis=0)
        x = x / np.sqrt((x**2).sum(axis=1, keepdims=True))
    return np.array([((row - x) ** 2).sum(axis=1) for row in x])


def exact_neighbours(x, k, metric="cosine", center=True, tolerance=1e-12):
    """Dissimilarities that differ by no more than that tie, chains of them as one group."""
    dissimilarity = exact_dissimilarities(x, metric, center)
    rounding = 1e-30 if metric == "cosine" else 0  # of parallel samples
    rows = np.zeros((len(x), len(x)), bool)
    for i, row in enumerate(dissimilarity):
        order = [j for j in np.argsort(row, kind="stable") if j != i]
        groups = [[order[0]]]
        for previous, j in itertools.pairwise(order):
            tied = row[j] - row[previous] <= tolerance * row[j] + rounding
            groups[-1].append(j) if tied else groups.append([j])
        rows[i, [j for group in groups for j in sorted(group)][:k]] = True
    return rows


def shared(rows, k, of_union=False):
    both = (rows[0] & rows[1]).sum(axis=1)
    return (both / ((rows[0] | rows[1]).sum(axis=1) if of_union else k)).mean()
