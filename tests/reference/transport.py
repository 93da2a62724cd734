"""Slow, plain definitions: transport as a linear programme, soft matching on top of it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from .assignment import correlations
from .exact import varying


def optimal_cost(cost, a=None, b=None, mass=None):
    """Least sum of plan * cost; `mass` makes the marginals upper limits of a plan of this mass."""
    m, n = cost.shape
    a = np.full(m, 1 / m) if a is None else a
    b = np.full(n, 1 / n) if b is None else b
    entry = np.arange(m * n)
    sums = coo_array(
        (np.ones(2 * m * n), (np.r_[entry // n, m + entry % n], np.r_[entry, entry])),
        shape=(m + n, m * n),
    )
    limits = np.r_[a, b]
    finite = np.isfinite(cost.ravel())
    values = np.where(finite, cost.ravel(), 0)
    bounds = np.c_[np.zeros(m * n), np.where(finite, np.inf, 0)]
    if mass is None:
        found = linprog(values, A_eq=sums, b_eq=limits, bounds=bounds)
    else:
        found = linprog(
            values, A_ub=sums, b_ub=limits, A_eq=np.ones((1, m * n)), b_eq=[mass], bounds=bounds
        )
    assert found.success, found.message
    return found.fun


def soft_match(x, y, score="similarity", mass=1.0):
    similarity, part = correlations(x, y), mass if mass < 1 else None
    if score == "similarity":
        return -optimal_cost(-similarity, mass=part) / mass
    squares = [varying(side).astype(float) for side in (x, y)]
    cost = squares[0][:, None] + squares[1] - 2 * similarity
    return np.sqrt(max(0, optimal_cost(cost, mass=part)))
