"""How far two representations agree on the nearest neighbours of their samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np

from likewise._border.types import AnyArray, score_function
from likewise.errors import DegenerateWarning, warn
from likewise.measure import EngineMeasure, Found, Kind, register

__all__ = ["CKNNA", "JaccardKNN", "MutualKNN", "cknna", "jaccard_knn", "mutual_knn"]

Metric = Literal["cosine", "euclidean"]

_STATUS = 1  # in counts: 1 for a representation that cannot be used, or
_UNALIGNED = 2


@dataclass(frozen=True)
class _NeighbourMeasure(EngineMeasure):
    """What the measures of common neighbours share."""

    k: int = 10
    center: bool = True

    name: ClassVar[str]
    score: ClassVar[str]
    kinds: ClassVar[int] = 2
    streamable: ClassVar[bool] = False
    kind: ClassVar[Kind] = "similarity"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    least_for_interval: ClassVar[int] = 200
    symmetric: ClassVar[bool] = True
    is_metric: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (isinstance(self.k, (int, np.integer)) and self.k >= 1):
            raise ValueError(f"{self.name}: k must be a positive integer, got {self.k!r}")

    @property
    def _euclidean(self) -> bool:
        return False

    @property
    def min_samples(self) -> int:
        return int(self.k) + 1

    def of_part(self, samples: int, whole: int) -> Self:
        """With so many neighbours that they are the same share of the samples."""
        return replace(self, k=max(round(self.k * samples / whole), 1))

    @property
    def invariances(self) -> frozenset[str]:
        always = frozenset({"isotropic_scaling", "orthogonal", "permutation"})
        return always | {"translation"} if self.center or self._euclidean else always

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        return library.engine.neighbour_scores(a, b, *out, self._options(), library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.neighbour_pairs(x, y, *out, self._options(), library.run)

    def report(self, found: Found) -> None:
        super().report(found)
        status = found.counts[_STATUS]
        if status.any() and (status[status != 0] == _UNALIGNED).all():
            warn(
                f"{self.name}: a representation has no positive alignment with itself (score NaN)",
                DegenerateWarning,
            )

    def _options(self) -> tuple[str, int, bool, bool]:
        return self.score, int(self.k), self._euclidean, bool(self.center)


@dataclass(frozen=True)
class _OverlapMeasure(_NeighbourMeasure):
    """Those that look at the sets of neighbours alone, by any metric."""

    metric: Metric = "cosine"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metric not in ("cosine", "euclidean"):
            raise ValueError(
                f"{self.name}: metric must be 'cosine' or 'euclidean', got {self.metric!r}"
            )

    @property
    def _euclidean(self) -> bool:
        return self.metric == "euclidean"


@register
class MutualKNN(_OverlapMeasure):
    """Share of common neighbours; see :func:`mutual_knn`."""

    name = "mutual_knn"
    score = "mutual"


@register
class JaccardKNN(_OverlapMeasure):
    """Common neighbours among all neighbours; see :func:`jaccard_knn`."""

    name = "jaccard_knn"
    score = "jaccard"


@register
class CKNNA(_NeighbourMeasure):
    """Kernel alignment on common neighbours; see :func:`cknna`."""

    name = "cknna"
    score = "cknna"
    symmetric = False
    range = (-math.inf, math.inf)

    @property
    def min_samples(self) -> int:
        return max(super().min_samples, 4)


@score_function
def mutual_knn(
    x: AnyArray[Any],
    y: AnyArray[Any],
    *,
    k: int = 10,
    metric: Metric = "cosine",
    center: bool = True,
    check_finite: bool = True,
) -> Any:
    """Mean share of the ``k`` nearest neighbours that two representations have in common.

    ``mean_i |N_k(x_i) & N_k(y_i)| / k`` over samples, a sample not being its own neighbour (Huh,
    Cheung, Wang & Isola 2024, "The Platonic Representation Hypothesis"). Range [0, 1]; for
    unrelated representations ``k / (n - 1)`` in the mean.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast; ``n > k``.
    k
        Number of neighbours. Dissimilarities (1 - cosine, distances) that differ by less than 1e-12
        of the larger (float32: 1e-6) are equal; of equally near samples those of lowest index are
        taken.
    metric
        Nearness: "cosine" of two samples, or "euclidean" distance.
    center
        Subtract the mean of every unit first. ``False`` gives the numbers of the authors' code.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(...)``; NaN for a constant representation.

    Raises
    ------
    ValueError
        An unknown metric, k below 1 or above ``n - 1``, different numbers of samples, no units, NaN
        or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    Warns
    -----
    DegenerateWarning
        Constant units or representations, with their number.
    """
    return MutualKNN(k, center, metric)(x, y, check_finite=check_finite)


@score_function
def jaccard_knn(
    x: AnyArray[Any],
    y: AnyArray[Any],
    *,
    k: int = 10,
    metric: Metric = "cosine",
    center: bool = True,
    check_finite: bool = True,
) -> Any:
    """Mean Jaccard index of the sets of ``k`` nearest neighbours.

    ``mean_i |N_k(x_i) & N_k(y_i)| / |N_k(x_i) | N_k(y_i)|`` over samples (Wang et al. 2020). Range
    [0, 1]. Parameters, errors and warnings are those of :func:`mutual_knn`.
    """
    return JaccardKNN(k, center, metric)(x, y, check_finite=check_finite)


@score_function
def cknna(
    x: AnyArray[Any],
    y: AnyArray[Any],
    *,
    k: int = 10,
    center: bool = True,
    check_finite: bool = True,
) -> Any:
    """Centred kernel nearest-neighbour alignment: unbiased CKA, seen through common neighbours.

    With the cosines ``K`` and ``L`` of the samples and the mask ``M_ij`` of those ``j`` that are
    among the ``k`` nearest neighbours of ``i`` in both, ``HSIC(M * K, M * L)`` by the unbiased
    estimator of Song et al. (2012, equation 5), divided by the square root of the same of each
    representation with itself (Huh, Cheung, Wang & Isola 2024, appendix and code). 1 for
    representations with equal cosines. Not bounded, since the three masks differ, and not quite
    symmetric, since neighbours need not be mutual.

    Parameters, errors and warnings are those of :func:`mutual_knn`; at least 4 samples. NaN, with a
    :class:`DegenerateWarning`, where a representation has no positive alignment with itself.
    """
    return CKNNA(k, center)(x, y, check_finite=check_finite)
