"""SciPy's distances and rank statistics, and the definitions that it lacks."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist
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
    rank_p, rank_q = rankdata(p), rankdata(q)
    if comparison == "spearman":
        return np.corrcoef(rank_p, rank_q)[0, 1]
    assert comparison == "rho-a"
    return 12 * (rank_p - (m + 1) / 2) @ (rank_q - (m + 1) / 2) / (m**3 - m)


def rsa(x, y, dissimilarity="correlation", comparison="spearman"):
    return compare(*(pdist(np.float64(z), dissimilarity) for z in (x, y)), comparison)
