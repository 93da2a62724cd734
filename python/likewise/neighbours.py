"""How far two representations agree on the nearest neighbours of their samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array
from likewise._border.pairs import Pair, empty_scores, give_scores, read_pair
from likewise.errors import DegenerateWarning, warn, warn_degenerate
from likewise.measure import Kind, prepare_batch, register
from likewise.measure.legacy import LegacyMeasure

__all__ = ["CKNNA", "JaccardKNN", "MutualKNN", "cknna", "jaccard_knn", "mutual_knn"]

Metric = Literal["cosine", "euclidean"]

# What the CUDA engine's status says about a representation; 1 is one that cannot be used.
_UNALIGNED = 2


class _Prepared(NamedTuple):
    neighbours: Array
    """``(n, k)`` neighbours of every sample, ascending."""
    similarity: Array
    """``(n, k)`` cosines with them, empty where nobody asks for them."""
    usable: bool
    constant_units: int
    width: int


@dataclass(frozen=True)
class _NeighbourMeasure(LegacyMeasure):
    """What the measures of common neighbours share."""

    k: int = 10
    center: bool = True

    name: ClassVar[str]
    score: ClassVar[str]
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

    def prepare(self, items: Sequence[Array]) -> list[_Prepared]:
        """The nearest neighbours of all samples of each item."""
        found = _cpu.neighbours_prepare(
            list(items),
            int(self.k),
            self._euclidean,
            self.center,
            self.score == "cknna",
            _engine.threads(),
        )
        return [_Prepared(*facts, item.shape[1]) for facts, item in zip(found, items, strict=True)]

    def compare(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        """Scores of all pairs."""
        scores = np.empty((len(a), len(a if b is None else b)))
        self._compare(a, b, False, scores)
        return scores

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        other = a if b is None else b
        items = a if b is None else a + b
        scores = library.empty((len(a), len(other)), np.float64)
        status, constants = (library.empty((len(items),), np.int64) for _ in range(2))
        library.engine.neighbour_scores(
            a, b or [], b is None, scores, status, constants, *self._options(), library.run
        )
        self._finish(library, [item.shape[1] for item in items], status, constants)
        return scores

    def _on_device(self, pair: Pair) -> Any:
        library, sides = pair.library, (pair.x, pair.y)
        scores = empty_scores(pair)
        counts = [_different_items(side) if scores.size else 0 for side in sides]
        status, constants = (library.empty((sum(counts),), np.int64) for _ in range(2))
        if scores.size:
            library.engine.neighbour_pairs(
                *sides, scores, status, constants, *self._options(), library.run
            )
        widths = np.repeat([side.shape[-1] for side in sides], counts)
        self._finish(library, widths, status, constants)
        return give_scores(pair, scores)

    def _finish(self, library: Any, widths: Any, *findings: Any) -> None:
        found = library.finish(*findings)
        if found is None:
            return
        status, constants = found
        constant = constants == widths
        warn_degenerate(self.name, int(constants[~constant].sum()), int(constant.sum()))
        if status.any() and (status[status != 0] == _UNALIGNED).all():
            _warn_unaligned(self.name)

    def _options(self) -> tuple[str, int, bool, bool]:
        return self.score, int(self.k), self._euclidean, self.center

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        if pair.library.engine is not _cpu:
            return self._on_device(pair)
        scores = empty_scores(pair)
        if scores.size:
            a, b = (prepare_batch(self.prepare, batch) for batch in (pair.x, pair.y))
            self._compare(a, b, True, scores)
        return give_scores(pair, scores)

    def _compare(
        self, a: list[_Prepared], b: list[_Prepared] | None, paired: bool, scores: Array
    ) -> None:
        _cpu.neighbours_compare(
            self.score,
            [item[:3] for item in a],
            None if b is None else [item[:3] for item in b],
            paired,
            scores,
            _engine.threads(),
        )
        seen = {id(item): item for item in (a if b is None else a + b)}.values()
        constant = [item for item in seen if item.constant_units == item.width]
        units = sum(item.constant_units for item in seen) - sum(item.width for item in constant)
        warn_degenerate(self.name, units, len(constant))


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

    def _compare(
        self, a: list[_Prepared], b: list[_Prepared] | None, paired: bool, scores: Array
    ) -> None:
        super()._compare(a, b, paired, scores)
        if np.isnan(scores).any() and all(item.usable for item in a + (b or [])):
            _warn_unaligned(self.name)


def _warn_unaligned(function: str) -> None:
    warn(
        f"{function}: a representation has no positive alignment with itself (score NaN)",
        DegenerateWarning,
    )


def _different_items(batch: Any) -> int:
    """How many there are in a batch whose axes may repeat."""
    axes = zip(batch.shape[:-2], batch.strides[:-2], strict=True)
    return math.prod(size for size, stride in axes if stride)


def mutual_knn(
    x: Any,
    y: Any,
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


def jaccard_knn(
    x: Any,
    y: Any,
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


def cknna(x: Any, y: Any, *, k: int = 10, center: bool = True, check_finite: bool = True) -> Any:
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
