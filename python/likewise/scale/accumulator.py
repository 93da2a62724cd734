"""Measures from streamed sums over samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from likewise._border.arrays import Array
from likewise._border.types import AnyArray, AnyItems
from likewise._ids import require_same_ids
from likewise.grid import labelled
from likewise.information import (
    bin_edges,
    information_of_counts,
    joint_counts,
)
from likewise.measure import Measure, measure
from likewise.measure.moments import require_samples
from likewise.scale._moment_sums import MomentSums

__all__ = ["Accumulator", "UnitAccumulator"]

_EDGES = ("edges_a", "edges_b")


class Accumulator(MomentSums):
    """A measure of many samples that come in batches: exact, not a mean over batches.

    Sums of products over samples are kept in float64, for all pairs of items at once; ``compute``
    gives what :func:`likewise.pairwise` or :func:`likewise.cross` would of all samples together, in
    any order of batches and merges.

    Samples are measured from the mean of the first batch, in units of a power of two that grow with
    them, so that means and sizes cost no digits. What does is the distance of that first batch from
    the mean of all samples, ``D`` deviations: sums are right to about ``1e-16 (1 + D**2)``, where
    ``D**2`` is at most the number of samples over those of the first batch. A merge moves the sums
    of the other accumulator to the shift of this one, with the same bound. Unbiased CKA also loses
    what single samples far from all others contribute to themselves, and angles of nearly identical
    items are arccos of almost 1 (error 1e-7).

    Parameters
    ----------
    measure
        The name of a streamable measure with its ``options``: cka and hsic with the linear kernel
        (biased and unbiased), procrustes, shape_distance, cca, svcca, pwcca, linear_predictivity;
        or such a measure object. Samples of linear_predictivity go to the folds in turn, as they
        come: shuffle them first.

    Raises
    ------
    ValueError
        For a measure that is no function of such sums.
    """

    def __init__(self, measure_: str | Measure = "cka", /, **options: Any) -> None:
        self.measure = measure(measure_, **options)
        if not self.measure.streamable:
            raise ValueError(
                f"Accumulator: {self.measure.name} with these options is no function of sums over "
                "samples; compute it from all samples, or use lw.scale.MinibatchCKA for kernels"
            )
        self._folds = int(getattr(self.measure, "cv", 1))
        super().__init__()

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._next = 0

    def _settings(self) -> Any:
        return self.measure

    def _restored(self, arrays: Mapping[str, Array]) -> None:
        counts = [arrays[f"{fold}/cross"][0, 0] for fold in range(self._folds)]
        self._next = round(float(sum(counts)))

    def _resume(self, items_a: Any, items_b: Any, arrays: Mapping[str, Any], samples: int) -> None:
        super()._resume(items_a, items_b, arrays, samples)
        self._next = samples

    def merge(self, other: Any) -> None:
        """Add the samples that another accumulator of the same measure has seen."""
        super().merge(other)
        self._next += other._next

    def update(
        self,
        items_a: AnyItems,
        items_b: AnyItems | None = None,
        *,
        ids_a: Any = None,
        ids_b: Any = None,
        check_finite: bool = True,
    ) -> None:
        """Add a batch: items as :func:`likewise.pairwise` takes them, or two collections of them.

        ``ids_a`` and ``ids_b`` say what the samples of each item are, as ``ids`` of ``pairwise``.

        Raises
        ------
        ValueError
            Other labels or widths than in the first batch, items of different numbers of samples,
            ids that differ, NaN or infinity.
        InputTypeError
            For inputs that cannot be used as they are.
        """
        a, b = self._read(items_a, items_b, check_finite)
        sides = [("ids_a", ids_a, a)] + ([] if b is None else [("ids_b", ids_b, b)])
        require_same_ids("Accumulator.update", sides)
        a.library.finish()
        samples = a.arrays[0].shape[0]
        if samples:
            self._begin(a, b)
            self._add_samples(a, b, self._next)
            self._next += samples

    def compute(self) -> Any:
        """Scores ``(m_a, m_b)`` in the library and dtype of the items, a Grid if they had labels.

        Raises
        ------
        ValueError
            Before the first batch, and of fewer samples than the measure needs.
        """
        scores, a, b = self._computed(self._scores)
        return labelled(scores, a, b, self.measure)

    def _scores(self, sums: dict[str, Array]) -> Array:
        samples = sum(sums[f"{fold}/cross"][0, 0] for fold in range(self._folds))
        require_samples(self.measure.name, self.measure.min_samples, round(float(samples)))
        return self.measure.from_moments([self._moments(sums, fold) for fold in range(self._folds)])


class UnitAccumulator(MomentSums):
    """Unit by unit similarities of two networks from batches: :func:`likewise.unit_similarity`.

    Parameters
    ----------
    similarity
        ``"correlation"``, exact; or ``"mutual_information"``, whose bins are those of the first
        batch.
    bins, bias_correction
        Of mutual information, which is counted on the CPU, wherever the samples are.
    """

    def __init__(
        self,
        similarity: Literal["correlation", "mutual_information"] = "correlation",
        bins: int = 10,
        bias_correction: bool = True,
    ) -> None:
        if similarity not in ("correlation", "mutual_information"):
            raise ValueError(
                "UnitAccumulator: similarity must be 'correlation' or 'mutual_information', got "
                f"{similarity!r}"
            )
        if not 3 <= bins <= 256:
            raise ValueError(f"UnitAccumulator: bins must be between 3 and 256, got {bins}")
        self.similarity, self.bins, self.bias_correction = similarity, bins, bias_correction
        super().__init__()

    def _settings(self) -> Any:
        return self.similarity, self.bins, self.bias_correction

    def _shapes(self, widths: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
        if self.similarity == "correlation":
            return super()._shapes(widths)
        (left,), (right,) = widths
        edges = {"edges_a": (left, self.bins - 2), "edges_b": (right, self.bins - 2)}
        return edges | {"counts": (left, right, self.bins, self.bins)}

    def _combined(self, own: dict[str, Array], theirs: dict[str, Array]) -> dict[str, Array]:
        if self.similarity == "correlation":
            return super()._combined(own, theirs)
        if not all(np.array_equal(own[name], theirs[name], equal_nan=True) for name in _EDGES):
            raise ValueError(
                "UnitAccumulator: bins of different first batches do not merge; start every "
                "worker from a copy that has seen one batch"
            )
        return own | {"counts": own["counts"] + theirs["counts"]}

    def update(self, x: AnyArray[Any], y: AnyArray[Any], *, check_finite: bool = True) -> None:
        """Add samples ``x (n, dx)`` and ``y (n, dy)``."""
        a, b = self._read([x], [y], check_finite)
        assert b is not None
        a.library.finish()
        if not a.arrays[0].shape[0]:
            return
        self._begin(a, b)
        if self.similarity == "correlation":
            self._add_samples(a, b, 0)
            return
        sides, _ = a.library.on_cpu([a.arrays[0], b.arrays[0]])
        sums = self._host()
        if not sums:
            pairs = zip(_EDGES, sides, strict=True)
            sums = {name: bin_edges(side, self.bins) for name, side in pairs}
        edges = sums["edges_a"], sums["edges_b"]
        counts = joint_counts(sides[0], sides[1], edges)
        self._store(sums | {"counts": sums.get("counts", 0) + counts}, a.library)

    def compute(self) -> Any:
        """``(dx, dy)`` in the library and dtype of the first batch."""
        values, a, _ = self._computed(self._similarities)
        return a.library.give(a.library.cast(values, a.arrays[0].dtype))

    def _similarities(self, sums: dict[str, Array]) -> Array:
        if self.similarity == "mutual_information":
            return information_of_counts(sums["counts"], self.bias_correction)
        m = self._moments(sums, 0)
        norms = [np.sqrt(np.diag(side[0].gram)) for side in (m.rows(), m.columns())]
        inverse = [np.divide(1, v, out=np.zeros_like(v), where=v > 0) for v in norms]
        m.warn("UnitAccumulator", flexible=False)
        values: Array = np.clip(inverse[0][:, None] * m.cross(0, 0) * inverse[1], -1, 1)
        return values
