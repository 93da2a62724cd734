"""SciPy's distances and rank statistics, and the definitions that it lacks."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.linalg import eigvalsh
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau, rankdata


def compare(p, q, comparison):
    p, q = np.asarray(p, np.float64), np.asarray(q, np.float64)
    m = len(p)
    if comparison == "cosine":
        return p @ q / np.linalg.norm(p) / np.linalg.norm(q)
    if comparison == "corr":
        return np.corrcoef(p, q)[0, 1]
    if comparison in ("kendall", "tau-b"):
        return kendalltau(p, q).statistic
    if comparison == "tau-a":
        signs = np.sign(np.subtract.outer(p, p)) * np.sign(np.subtract.outer(q, q))
        return signs.sum() / (m * (m - 1))
    if comparison.endswith("_cov"):
        if comparison == "corr_cov":
            p, q = p - p.mean(), q - q.mean()
        covariance = entry_covariance(len(squareform(p, checks=False)))
        whitened = np.linalg.solve(covariance, np.stack([p, q]).T)
        return p @ whitened[:, 1] / np.sqrt((p @ whitened[:, 0]) * (q @ whitened[:, 1]))
    if comparison.startswith("bures"):
        g, h = second_moments(p), second_moments(q)
        roots = []
        for matrix in (g, h):
            values, vectors = np.linalg.eigh(matrix)
            kept = values > 1e-12 * values[-1]
            roots.append((vectors[:, kept] * np.sqrt(values[kept])) @ vectors[:, kept].T)
        fidelity = np.linalg.norm(roots[0] @ roots[1], "nuc")
        if comparison == "bures":
            return fidelity / np.sqrt(np.trace(g) * np.trace(h))
        return np.trace(g) + np.trace(h) - 2 * fidelity
    rank_p, rank_q = rankdata(p), rankdata(q)
    if comparison == "spearman":
        return np.corrcoef(rank_p, rank_q)[0, 1]
    assert comparison == "rho-a"
    return 12 * (rank_p - (m + 1) / 2) @ (rank_q - (m + 1) / 2) / (m**3 - m)


def riemannian_distance(p, q):
    """The least over one share of noise, whose scale is known: a search along a line."""
    g, h = (about_first(squareform(v, checks=False)) for v in (p, q))
    noise = np.eye(len(g)) + 1

    def distance(share):
        logarithms = np.log(eigvalsh(g + np.exp(share) * noise, h))
        return np.linalg.norm(logarithms - logarithms.mean())

    near = min(np.linspace(-24, 24, 193), key=distance)  # signal or noise may be all
    return minimize_scalar(distance, bounds=(near - 0.25, near + 0.25), method="bounded").fun


def about_first(d):
    return (d[0, 1:, None] + d[0, None, 1:] - d[1:, 1:]) / 2


def entry_covariance(n):
    """Of squared distances under independent noise of n samples: squared products of contrasts."""
    rows, columns = np.triu_indices(n, 1)
    contrasts = np.eye(n)[rows] - np.eye(n)[columns]
    return (contrasts @ contrasts.T) ** 2


def second_moments(p):
    d = squareform(p, checks=False)
    centring = np.eye(len(d)) - 1 / len(d)
    return -centring @ d @ centring / 2


def dissimilarities(x, dissimilarity):
    """Condensed, from differences and in extended precision: small ones keep their digits."""
    x = np.asarray(x, np.longdouble)
    if dissimilarity == "correlation":
        x = x - x[:, :1]
        x = x - x.mean(axis=1, keepdims=True)
    return np.array([_dissimilarity(a, b, dissimilarity) for a, b in combinations(x, 2)])


def _dissimilarity(a, b, dissimilarity):
    if dissimilarity in ("euclidean", "sqeuclidean"):
        square = (a - b) @ (a - b)
        return square if dissimilarity == "sqeuclidean" else np.sqrt(square)
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    cosine = a @ b / np.sqrt((a @ a) * (b @ b))
    across = a - a @ b / (b @ b) * b
    across -= across @ b / (b @ b) * b
    return across @ across / (a @ a) / (1 + cosine) if cosine > 0 else 1 - cosine


def rsa(x, y, dissimilarity="correlation", comparison="spearman"):
    return compare(*(pdist(np.float64(z), dissimilarity) for z in (x, y)), comparison)
