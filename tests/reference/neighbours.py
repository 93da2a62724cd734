"""Whole matrices and masks, in extended precision; what differs by rounding alone ties."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .exact import Array, Undecided, centred, near_one


def nearest(
    x: Array, k: int, metric: str = "cosine", center: bool = True, near_ties: bool = True
) -> Array:
    """Masks of neighbours; see the tolerance of ties in ``mutual_knn``. Without ``near_ties`` it is
    undecided what differs by about as much."""
    tolerance = 1e-6 if x.dtype == np.float32 else 1e-12
    points = near_one(x) if metric == "euclidean" or not center else centred(x)
    rounding = 1e-30  # of parallel samples, and of a sample that is the mean of all
    if metric == "cosine":
        lengths = np.sqrt((points**2).sum(axis=1))
        if ((lengths > 0) & (lengths < 1e-9 * lengths.max())).any():
            raise Undecided("a sample whose direction rounding decides")
        points = points / np.where(lengths > 0, lengths, 1)[:, None]
        squares = ((points[:, None] - points) ** 2).sum(axis=-1)
        without = lengths == 0
        squares[without] = squares[:, without] = 2  # at cosine 0
    else:
        squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    found = np.zeros(squares.shape, bool)
    for i, row in enumerate(squares):
        order = [j for j in np.argsort(row, kind="stable") if j != i]
        groups = [[order[0]]]
        for previous, j in itertools.pairwise(order):
            gap = row[j] - row[previous]
            if (
                not near_ties
                and max(tolerance / 100 * row[j], rounding) < gap < 100 * tolerance * row[j]
            ):
                raise Undecided("nearly a tie")
            tied = gap <= tolerance * row[j] + rounding
            groups[-1].append(j) if tied else groups.append([j])
        found[i, [j for group in groups for j in sorted(group)][:k]] = True
    return found


def shared(rows: Any, k: int, of_union: bool = False) -> float:
    both = (rows[0] & rows[1]).sum(axis=1)
    return float((both / ((rows[0] | rows[1]).sum(axis=1) if of_union else k)).mean())


def mutual_knn(x: Array, y: Array, k: int, **options: Any) -> float:
    return shared([nearest(side, k, **options) for side in (x, y)], k)


def jaccard_knn(x: Array, y: Array, k: int, **options: Any) -> float:
    return shared([nearest(side, k, **options) for side in (x, y)], k, of_union=True)


def hsic_unbiased(a: Array, b: Array) -> Any:
    """Song et al. 2012, equation 5, of matrices that need not be symmetric; zero diagonals."""
    n = len(a)
    one = np.ones(n)
    total = np.trace(a @ b) + (one @ a @ one) * (one @ b @ one) / ((n - 1) * (n - 2))
    return (total - 2 / (n - 2) * (one @ a @ b @ one)) / (n * (n - 3))


def cknna(x: Array, y: Array, k: int, center: bool = True, near_ties: bool = True) -> float:
    near, cosines = [], []
    for side in (x, y):
        near.append(nearest(side, k, center=center, near_ties=near_ties))
        points = centred(side) if center else near_one(side)
        lengths = np.sqrt((points**2).sum(axis=1))
        points = points / np.where(lengths > 0, lengths, 1)[:, None]
        cosines.append(points @ points.T)
        np.fill_diagonal(cosines[-1], 0)

    def align(i: int, j: int) -> Any:
        both = near[i] & near[j]
        return hsic_unbiased(both * cosines[i], both * cosines[j])

    own = [align(0, 0), align(1, 1)]
    if min(abs(value) for value in own) < (1e-3 if x.dtype == np.float32 else 1e-8) / len(x):
        raise Undecided("an alignment with itself that rounding has made")
    return float(align(0, 1) / np.sqrt(own[0] * own[1])) if min(own) > 0 else np.nan
