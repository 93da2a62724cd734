"""Groups of units of two networks: bipartite spectral clusters and a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from likewise import UnitClusters, cluster_units, unit_similarity
from likewise._border.arrays import Array
from likewise.studies.matching.networks import Numbers
from likewise.studies.matching.settings import Settings


@dataclass(frozen=True)
class Groups:
    """Of the living units of two networks in one layer."""

    weights: Numbers
    """|r| of every unit of the first network with every unit of the second."""
    spectral: UnitClusters[Any]
    """Edges between the networks only: a group holds units of both almost by construction."""
    tree: UnitClusters[Any]
    """Edges inside the networks too: a group holds units of both only if they are alike."""

    def contrast(self, clusters: UnitClusters[Any]) -> tuple[float, float]:
        """Mean |r| of units of two networks in the same group, and in different ones.

        NaN where there are no such units.
        """
        same = clusters.labels_x[:, None] == clusters.labels_y[None]
        inside, outside = (
            float(self.weights[part].mean()) if part.any() else np.nan for part in (same, ~same)
        )
        return inside, outside

    def mixed(self, method: str) -> float:
        """Share of the groups that hold units of both networks; `spectral` or `tree`."""
        clusters: UnitClusters[Any] = getattr(self, method)
        numbers = {*clusters.labels_x.tolist(), *clusters.labels_y.tolist()}
        return clusters.shared / len(numbers)


def groups(x: Array, y: Array, settings: Settings) -> Groups:
    """Of living units x (n, dx) and y (n, dy); one group for every so many units of x."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    count = max(2, x.shape[1] // settings.units_per_group)
    return Groups(
        np.abs(unit_similarity(x, y)),
        cluster_units(x, y, count, random_state=settings.seed),
        cluster_units(x, y, count, method="hierarchical", edges="all", linkage=settings.linkage),
    )
