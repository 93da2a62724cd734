"""Groups of units that vary together, across two networks."""

from __future__ import annotations

from typing import Generic, Literal, NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise._border.device import is_device_array
from likewise._border.pairs import read_pair
from likewise._border.types import AnyArray, ArrayT
from likewise.errors import warn_degenerate
from likewise.measure.units import unit_norm

__all__ = ["UnitClusters", "cluster_units"]


class UnitClusters(NamedTuple, Generic[ArrayT]):
    """Groups of units of two networks.

    Attributes
    ----------
    labels_x, labels_y
        Cluster of each unit, ``(dx,)`` and ``(dy,)``; -1 for units without any similarity.
    tree
        Of the hierarchical method: SciPy's linkage matrix over the units that have a label, those
        of x first; else None.
    """

    labels_x: ArrayT
    labels_y: ArrayT
    tree: ArrayT

    @property
    def shared(self) -> int:
        """Number of clusters that hold units of both networks."""
        x, y = self._labels()
        return len(x & y)

    def _labels(self) -> list[set[int]]:
        return [set(np.asarray(side).tolist()) - {-1} for side in (self.labels_x, self.labels_y)]

    def __repr__(self) -> str:
        if is_device_array(self.labels_x):
            return "UnitClusters(arrays on a device)"
        x, y = self._labels()
        return f"UnitClusters({len(x | y)} clusters, {self.shared} with units of both networks)"


def cluster_units(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    n_clusters: int,
    *,
    method: Literal["spectral", "hierarchical"] = "spectral",
    edges: Literal["between", "all"] = "between",
    linkage: str = "average",
    random_state: int = 0,
    check_finite: bool = True,
) -> UnitClusters[ArrayT]:
    """Groups of units of two networks that vary together: shared subspaces (Li et al. 2016).

    The graph has the units of both networks as nodes and ``|Pearson correlation|`` as weights.
    ``"spectral"``: eigenvectors of its normalised Laplacian, then k-means (scikit-learn's
    ``SpectralClustering``; with edges between the networks only, Dhillon's bipartite form, 2001).
    ``"hierarchical"``: agglomerative clustering of ``1 - weight`` (SciPy's ``linkage``), whose tree
    is returned.

    Parameters
    ----------
    x, y
        ``(n, dx)`` and ``(n, dy)``.
    n_clusters
        2 to ``dx + dy``.
    method
        ``"spectral"`` needs scikit-learn (``pip install likewise[maps]``), ``"hierarchical"``
        SciPy.
    edges
        ``"between"`` the networks only, or ``"all"``, with those inside each network.
    linkage
        Of the hierarchical method: ``"average"``, ``"single"``, ``"complete"`` or ``"weighted"``.
    random_state
        Seed of the spectral method.
    check_finite
        Look for NaN and infinity first.

    Raises
    ------
    ValueError
        An unknown option, more clusters than units, or what :func:`unit_similarity` refuses.
    """
    name = "cluster_units"
    options = {"method": ("spectral", "hierarchical"), "edges": ("between", "all")}
    for option, value in (("method", method), ("edges", edges)):
        if value not in options[option]:
            raise ValueError(f"{name}: {option} must be one of {options[option]}, got {value!r}")
    pair = read_pair(name, x, y, check_finite=check_finite)
    if pair.batch:
        raise ValueError(f"{name}: x and y must be 2-D, got {pair.x.shape} and {pair.y.shape}")
    pair = pair.on_cpu()
    weights, constant = _graph(pair.x, pair.y, edges == "all")
    warn_degenerate(name, constant, 0)
    labels_x, labels_y, tree = _grouped(
        weights,
        dx=pair.x.shape[1],
        n_clusters=n_clusters,
        method=method,
        linkage=linkage,
        random_state=random_state,
    )
    give = pair.library.give
    return UnitClusters(give(labels_x), give(labels_y), None if tree is None else give(tree))


def _graph(x: Array, y: Array, inside: bool) -> tuple[Array, int]:
    """Weights of the edges between units, and how many of them are constant."""
    (a, constant_a), (b, constant_b) = (unit_norm(s.astype(np.float64)) for s in (x, y))
    units = np.hstack([a, b])
    weights = np.clip(np.abs(units.T @ units), 0, 1)
    weights[weights <= len(x) * np.finfo(np.float64).eps] = 0  # rounding makes no edges
    if not inside:
        dx = a.shape[1]
        weights[:dx, :dx] = weights[dx:, dx:] = 0
    np.fill_diagonal(weights, 0)
    return weights, constant_a + constant_b


def _grouped(
    weights: Array, *, dx: int, n_clusters: int, method: str, linkage: str, random_state: int
) -> tuple[Array, Array, Array | None]:
    """Labels of the units of x and of y, and the tree."""
    kept = weights.sum(axis=1) > 0
    if not 2 <= n_clusters <= kept.sum():
        raise ValueError(
            f"cluster_units: n_clusters must be between 2 and the {kept.sum()} units that vary, "
            f"got {n_clusters}"
        )
    labels = np.full(len(weights), -1)
    tree = None
    weights = weights[np.ix_(kept, kept)]
    if method == "spectral":
        labels[kept] = _spectral(weights, n_clusters, random_state)
    else:
        labels[kept], tree = _hierarchical(weights, n_clusters, linkage)
    return labels[:dx], labels[dx:], tree


def _spectral(weights: Array, n_clusters: int, random_state: int) -> Array:
    from sklearn.cluster import SpectralClustering

    model = SpectralClustering(n_clusters, affinity="precomputed", random_state=random_state)
    labels: Array = model.fit_predict(weights)
    return labels


def _hierarchical(weights: Array, n_clusters: int, linkage: str) -> tuple[Array, Array]:
    from scipy.cluster import hierarchy

    if linkage not in ("average", "single", "complete", "weighted"):
        raise ValueError(
            "cluster_units: linkage must be 'average', 'single', 'complete' or 'weighted', got "
            f"{linkage!r}"
        )
    upper = np.triu_indices(len(weights), 1)
    tree = hierarchy.linkage(1 - weights[upper], method=linkage)
    return hierarchy.fcluster(tree, n_clusters, "maxclust") - 1, tree
