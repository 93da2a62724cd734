"""Units across networks: how alike single units are, who matches whom, and which form groups."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from likewise._array import Array, give_scores, read, read_pair, require_representation
from likewise._units import unit_norm
from likewise.assignment import linear_sum_assignment
from likewise.errors import warn_degenerate

__all__ = [
    "UnitClusters",
    "UnitMatching",
    "UnitStatistics",
    "cluster_units",
    "match_units",
    "unit_similarity",
    "unit_statistics",
]

Similarity = Literal["correlation", "mutual_information"]


def unit_similarity(
    x: Any,
    y: Any,
    *,
    similarity: Similarity = "correlation",
    bins: int = 10,
    bias_correction: bool = True,
    check_finite: bool = True,
) -> Any:
    """Every unit of ``x`` with every unit of ``y``, ``(..., dx, dy)``.

    ``"correlation"`` is Pearson's, signed, in [-1, 1]. ``"mutual_information"`` is
    ``sum p_ij log(p_ij / (p_i p_j))`` in nats of the joint histogram: zeros, which a rectifier
    makes many of, have a bin for themselves, all other values share ``bins - 1`` quantiles (Li,
    Yosinski, Clune, Lipson & Hopcroft 2016). It is at most ``log(bins)``.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    similarity
        ``"correlation"`` or ``"mutual_information"``.
    bins
        Of mutual information, 3 to 256.
    bias_correction
        Subtract ``(K_xy - K_x - K_y + 1) / (2 n)`` for ``K`` occupied bins (Miller 1955); values of
        independent units are then around 0, also below.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(..., dx, dy)``; 0 for constant units, of which a warning says how many there are.

    Raises
    ------
    ValueError
        An unknown similarity, bins out of range, different numbers of samples, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    name = "unit_similarity"
    if similarity not in ("correlation", "mutual_information"):
        raise ValueError(
            f"{name}: similarity must be 'correlation' or 'mutual_information', got {similarity!r}"
        )
    if not 3 <= bins <= 256:
        raise ValueError(f"{name}: bins must be between 3 and 256, got {bins}")
    pair = read_pair(name, x, y, check_finite=check_finite)
    out = np.empty((*pair.batch, pair.x.shape[-1], pair.y.shape[-1]), pair.x.dtype)
    constant = 0
    for index in np.ndindex(pair.batch):
        sides, counts = zip(*(unit_norm(side[index]) for side in (pair.x, pair.y)), strict=True)
        constant += sum(counts)
        if similarity == "correlation":
            np.clip(sides[0].T @ sides[1], -1, 1, out=out[index])
        else:
            from likewise.information import mutual_information

            out[index] = mutual_information(pair.x[index], pair.y[index], bins, bias_correction)
    warn_degenerate(name, constant, 0)
    return give_scores(pair, out)


class UnitMatching(NamedTuple):
    """Partners of the units of x by a similarity matrix.

    Attributes
    ----------
    greedy
        The most similar unit of y for each unit of x, ``(dx,)``; repeats are allowed.
    one_to_one
        Partner in the assignment with the largest sum, ``(dx,)``; -1 for units without one.
    greedy_similarity, one_to_one_similarity
        Similarity to those partners, ``(dx,)``; NaN without one.
    matched, unmatched
        How many units of x have a one-to-one partner of at least ``threshold``, and the others.
    threshold
        What counts as matched.
    same_partner
        Share of the units of x whose two partners are the same.
    """

    greedy: Array
    one_to_one: Array
    greedy_similarity: Array
    one_to_one_similarity: Array
    matched: int
    unmatched: int
    threshold: float
    same_partner: float

    def __repr__(self) -> str:
        return (
            f"UnitMatching(mean greedy={self.greedy_similarity.mean():.4g}, mean one-to-one="
            f"{np.nanmean(self.one_to_one_similarity):.4g}, {self.matched} matched and "
            f"{self.unmatched} unmatched at {self.threshold:g}, same partner="
            f"{self.same_partner:.0%})"
        )


def match_units(similarity: Any, *, threshold: float = 0.5) -> UnitMatching:
    """Greedy and one-to-one partners by any similarity matrix (Li et al. 2016).

    Parameters
    ----------
    similarity
        ``(dx, dy)``, larger is more alike: from :func:`unit_similarity` or a stream.
    threshold
        Least similarity of units that count as matched.

    Raises
    ------
    ValueError
        If ``similarity`` is not a matrix with units on both sides, or not finite.
    """
    (matrix,), _ = read("match_units", True, similarity=similarity)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"match_units: similarity must have shape (dx, dy), got {matrix.shape}")
    units = np.arange(len(matrix))
    greedy = matrix.argmax(axis=1)
    partners = np.full(len(matrix), -1)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    partners[rows] = columns
    paired = np.where(partners >= 0, matrix[units, partners], np.nan).astype(np.float64)
    matched = int(np.count_nonzero(paired >= threshold))
    return UnitMatching(
        greedy,
        partners,
        matrix[units, greedy].astype(np.float64),
        paired,
        matched,
        len(matrix) - matched,
        threshold,
        float((greedy == partners).mean()),
    )


class UnitClusters(NamedTuple):
    """Groups of units of two networks.

    Attributes
    ----------
    labels_x, labels_y
        Cluster of each unit, ``(dx,)`` and ``(dy,)``; -1 for units without any similarity.
    tree
        Of the hierarchical method: SciPy's linkage matrix over the units that have a label, those
        of x first; else None.
    """

    labels_x: Array
    labels_y: Array
    tree: Array | None

    @property
    def shared(self) -> int:
        """Number of clusters that hold units of both networks."""
        return len((set(self.labels_x.tolist()) & set(self.labels_y.tolist())) - {-1})

    def __repr__(self) -> str:
        count = len((set(self.labels_x.tolist()) | set(self.labels_y.tolist())) - {-1})
        return f"UnitClusters({count} clusters, {self.shared} with units of both networks)"


def cluster_units(
    x: Any,
    y: Any,
    n_clusters: int,
    *,
    method: Literal["spectral", "hierarchical"] = "spectral",
    edges: Literal["between", "all"] = "between",
    linkage: str = "average",
    random_state: int = 0,
    check_finite: bool = True,
) -> UnitClusters:
    """Groups of units of two networks that vary together: shared subspaces (Li et al. 2016).

    The graph has the units of both networks as nodes and |Pearson correlation| as weights.
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
    (a, constant_a), (b, constant_b) = (unit_norm(side.astype(float)) for side in (pair.x, pair.y))
    warn_degenerate(name, constant_a + constant_b, 0)
    dx = a.shape[1]
    units = np.hstack([a, b])
    weights = np.clip(np.abs(units.T @ units), 0, 1)
    if edges == "between":
        weights[:dx, :dx] = weights[dx:, dx:] = 0
    np.fill_diagonal(weights, 0)
    kept = weights.sum(axis=1) > 0
    if not 2 <= n_clusters <= kept.sum():
        raise ValueError(
            f"{name}: n_clusters must be between 2 and the {kept.sum()} units that vary, got "
            f"{n_clusters}"
        )
    weights = weights[np.ix_(kept, kept)]
    labels = np.full(units.shape[1], -1)
    if method == "spectral":
        labels[kept], tree = _spectral(weights, n_clusters, random_state), None
    else:
        labels[kept], tree = _hierarchical(weights, n_clusters, linkage)
    return UnitClusters(labels[:dx], labels[dx:], tree)


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


class UnitStatistics(NamedTuple):
    """Of each unit, over the samples."""

    mean: Any
    """``(..., d)``."""
    deviation: Any
    """``(..., d)``."""
    active: Any
    """Share of samples at which the unit is not zero, ``(..., d)``."""
    spectrum: Any
    """The means, largest first: what networks are overlaid by, ``(..., d)``."""
    spread: Any
    """Largest mean divided by the smallest positive one, ``(...)``; NaN without any."""


def unit_statistics(x: Any, *, check_finite: bool = True) -> UnitStatistics:
    """How active the units of a network are (Li et al. 2016, mean activations).

    Parameters
    ----------
    x
        ``(..., n, d)``, usually after the rectifier.
    check_finite
        Look for NaN and infinity first.

    Raises
    ------
    ValueError
        No samples or units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    (data,), library = read("unit_statistics", check_finite, x=x)
    require_representation("unit_statistics", "x", data, 1)
    mean = data.mean(axis=-2, dtype=np.float64)
    spectrum = -np.sort(-mean, axis=-1)
    least = np.where(mean > 0, mean, np.inf).min(axis=-1)
    with np.errstate(invalid="ignore"):
        spread = np.where(np.isfinite(least), spectrum[..., 0] / least, np.nan)
    parts = (
        mean,
        data.std(axis=-2, dtype=np.float64),
        np.count_nonzero(data, axis=-2) / data.shape[-2],
        spectrum,
        spread,
    )
    return UnitStatistics(
        *(library.give(np.asarray(part).astype(data.dtype, copy=False)) for part in parts)
    )
