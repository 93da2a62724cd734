"""Assignment and the matching of units, slow and obvious, in float64."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.floating]


def best_cost(cost: Floats, maximize: bool = False) -> float:
    """Optimum over all one-to-one pairings, one by one; infinite if each has a forbidden pair."""
    m, n = cost.shape
    if m > n:
        return best_cost(cost.T, maximize)
    sign = -1 if maximize else 1
    sums = (
        sum(sign * float(cost[i, j]) for i, j in enumerate(columns))
        for columns in itertools.permutations(range(n), m)
    )
    return sign * min(sums)


def correlations(x: Floats, y: Floats) -> Floats:
    """Pearson correlation of every unit of x with every unit of y; 0 for constant units."""
    found = np.zeros((x.shape[1], y.shape[1]))
    for i, a in enumerate(x.T.astype(np.float64)):
        for j, b in enumerate(y.T.astype(np.float64)):
            if np.ptp(a) > 0 and np.ptp(b) > 0:
                a_centred, b_centred = a - a.mean(), b - b.mean()
                found[i, j] = (a_centred @ b_centred) / np.sqrt(
                    (a_centred @ a_centred) * (b_centred @ b_centred)
                )
    return found


def permutation_match(x: Floats, y: Floats) -> float:
    """Mean correlation over the best one-to-one matching; NaN for a constant representation."""
    if not (np.ptp(x, axis=0).any() and np.ptp(y, axis=0).any()):
        return np.nan
    similarity = correlations(x, y)
    return float(similarity[linear_sum_assignment(similarity, maximize=True)].mean())


def semi_match(x: Floats, y: Floats) -> float:
    """Mean over units of x of the largest correlation; NaN for a constant representation."""
    if not (np.ptp(x, axis=0).any() and np.ptp(y, axis=0).any()):
        return np.nan
    best = []
    for row in correlations(x, y):
        largest = row[0]
        for value in row:
            largest = max(largest, value)
        best.append(largest)
    return float(np.mean(best))
