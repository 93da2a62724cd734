"""The answers the contestants must give: plain NumPy and SciPy in float64."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from .data import Array

Pairs = list[tuple[int, int]]


def centred_unit_norm(items: Sequence[Array]) -> list[Array]:
    centred = [item - item.mean(axis=0) for item in items]
    return [item / np.linalg.norm(item) for item in centred]


def first_scores(exact: Any) -> Callable[[Any], float]:
    """Largest difference of the first answers from these, or of these from the first of them."""
    wanted = np.asarray(exact)

    def error(found: Any) -> float:
        found = np.asarray(found, np.float64)
        some = tuple(slice(min(sizes)) for sizes in zip(found.shape, wanted.shape, strict=True))
        return float(np.abs(found[some] - wanted[some]).max())

    return error


def procrustes_error(items: Sequence[Array], pairs: Pairs) -> Callable[[Any], float]:
    """Against singular values in float64."""
    unit = centred_unit_norm([item.astype(np.float64) for item in items])
    return first_scores([np.linalg.norm(unit[i].T @ unit[j], "nuc") for i, j in pairs])


def assignment_error(costs: Array) -> Callable[[Sequence[Any]], float]:
    """Relative excess cost of the first assignments over SciPy's optimum of the same matrices.

    Infinite where the columns are not a permutation.
    """
    wide = costs.astype(np.float64)
    rows = np.arange(costs.shape[1])
    optimum = [cost[linear_sum_assignment(cost)].sum() for cost in wide]

    def error(found: Sequence[Any]) -> float:
        worst = 0.0 if len(found) else np.inf
        for cost, columns, best in zip(wide, found, optimum, strict=False):
            if not np.array_equal(np.sort(columns), rows):
                return np.inf
            worst = max(worst, abs(cost[rows, columns].sum() - best) / abs(best))
        return worst

    return error


def transport_error(costs: Array) -> Callable[[Sequence[Array]], float]:
    """Relative excess cost of plans over the bound that the first of them, ours, proves.

    Weak duality: whatever the duals, no plan costs less. Infinite where the masses are not uniform.
    """
    import likewise as lw

    wide = costs.astype(np.float64)
    proof = lw.optimal_transport(wide, return_duals=True)
    u = proof.u + (wide - proof.u[..., None] - proof.v[:, None, :]).min(
        axis=-1
    )  # feasible at any rate
    bounds = u.mean(axis=-1) + proof.v.mean(axis=-1)

    def error(found: Sequence[Array]) -> float:
        worst = 0.0 if len(found) else np.inf
        for cost, plan, bound in zip(wide, found, bounds, strict=False):
            rows, columns = plan.sum(axis=1) * len(plan), plan.sum(axis=0) * len(plan.T)
            if max(np.abs(rows - 1).max(), np.abs(columns - 1).max()) > 1e-5:
                return np.inf
            worst = max(worst, ((plan * cost).sum() - bound) / bound)
        return worst

    return error


def linear_gram(item: Array) -> Array:
    centred_item = item - item.mean(axis=0)
    return centred_item @ centred_item.T


def rbf_gram(item: Array, bandwidth: float) -> Array:
    """exp(-|x - y|^2 / (2 bandwidth^2))."""
    gram = linear_gram(item)
    norms = gram.diagonal()
    squared = np.maximum(norms[:, None] + norms - 2 * gram, 0)
    return np.exp(squared / (-2 * bandwidth**2))


def centred(gram: Array) -> Array:
    means = gram.mean(axis=0)
    return gram - means - means[:, None] + means.mean()


def unbiased(gram: Array) -> Array:
    """U-centred (Szekely and Rizzo 2014): products of two of these are unbiased HSIC."""
    n = len(gram)
    gram = gram.copy()
    np.fill_diagonal(gram, 0)
    means = gram.sum(axis=0) / (n - 2)
    means -= means.sum() / (2 * (n - 1))
    gram -= means + means[:, None]
    np.fill_diagonal(gram, 0)
    return gram


def cka_error(
    items: Sequence[Array], gram: Callable[[Array], Array], centre: Callable[[Array], Array]
) -> Callable[[Array], float]:
    """Against the definition, for at most eight items."""
    some = [centre(gram(item.astype(np.float64))) for item in items[:8]]
    some = [matrix / np.linalg.norm(matrix) for matrix in some]
    return first_scores([[np.vdot(a, b) for b in some] for a in some])


def orthonormal(item: Array) -> Array:
    return np.linalg.svd(item - item.mean(axis=0), full_matrices=False)[0]


def some_of(pairs: Sequence[Any], share: int, what: str = "pairs") -> tuple[Any, str]:
    """One in so many, for slow peers, and the words that say so."""
    few = pairs[: max(1, len(pairs) // share)]
    return few, f"{len(few)} of {len(pairs)} {what}, scaled"


def all_pairs(count: int) -> Pairs:
    return list(itertools.combinations(range(count), 2))
