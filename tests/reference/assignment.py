"""Assignment and the matching of units, slow and obvious, in float64."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.optimize import linear_sum_assignment

from .exact import Array, centred


def best_cost(cost: Array, maximize: bool = False) -> float:
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


def correlations(x: Array, y: Array) -> Array:
    """Of every unit of x with every unit of y; 0 of constant units."""
    sides = []
    for side in (x, y):
        c = centred(side)
        norms = np.sqrt((c**2).sum(axis=0))
        sides.append(c / np.where(norms > 0, norms, 1))
    return (sides[0].T @ sides[1]).astype(np.float64)


def permutation_match(x: Array, y: Array) -> float:
    """Mean correlation over the best one-to-one matching."""
    similarity = correlations(x, y)
    return float(similarity[linear_sum_assignment(similarity, maximize=True)].mean())


def semi_match(x: Array, y: Array) -> float:
    """Mean over units of x of the largest correlation."""
    return float(correlations(x, y).max(axis=1).mean())
