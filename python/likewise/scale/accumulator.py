"""Measures from streamed sums over samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np

from likewise._array import Array, Items, read_collections
from likewise._ids import require_same_ids
from likewise._moments import Moments, augmented
from likewise.grid import labelled
from likewise.information import bin_edges, information_of_counts, joint_counts, unit_codes
from likewise.kernels import HSIC
from likewise.measure import Measure, measure

__all__ = ["Accumulator", "MinibatchCKA", "UnitAccumulator"]


class _Accumulator(ABC):
    """Sums over batches of two collections of representations, or of one with itself."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._sums: dict[str, Array] = {}
        self._items: tuple[Items, Items | None] | None = None

    @property
    def state(self) -> dict[str, Array]:
        """The sums, plain float64 or int64 arrays. Sums of the states of several workers that saw
        the same representations are the state of all their samples."""
        return {name: array.copy() for name, array in self._sums.items()}

    @state.setter
    def state(self, sums: dict[str, Array]) -> None:
        shapes = {name: np.shape(array) for name, array in sums.items()}
        own = {name: array.shape for name, array in self._sums.items()}
        if shapes != own:
            raise ValueError(
                f"{type(self).__name__}: a state must have the arrays of this accumulator, which "
                f"has seen items of other widths or none: expected {own}, got {shapes}"
            )
        for name, array in sums.items():
            self._sums[name] = np.array(array, self._sums[name].dtype)

    def merge(self, other: Any) -> None:
        """Add the samples that another accumulator of the same kind has seen."""
        if type(other) is not type(self) or other._settings() != self._settings():
            raise ValueError(
                f"{type(self).__name__}: only accumulators of the same measure and options merge"
            )
        if other._items is None:
            return
        if self._items is None:
            self._items, self._sums = other._items, other.state
            return
        self._require_same(other._items)
        for name, array in other._sums.items():
            self._sums[name] += array

    @abstractmethod
    def _settings(self) -> Any:
        """What two accumulators must have in common to merge."""

    def _read(self, items_a: Any, items_b: Any, check_finite: bool) -> tuple[Items, Items | None]:
        """Checked items; the first batch decides labels and widths."""
        name = f"{type(self).__name__}.update"
        sides = {"items_a": items_a} | ({} if items_b is None else {"items_b": items_b})
        a, *rest = read_collections(name, sides, check_finite=check_finite, min_samples=1)
        b = rest[0] if rest else None
        if not a.arrays or (b is not None and not b.arrays):
            raise ValueError(f"{name}: at least one item is needed on each side")
        given = (_without_samples(a), None if b is None else _without_samples(b))
        if self._items is None:
            self._items = given
        else:
            self._require_same(given)
        return a, b

    def _require_same(self, given: tuple[Items, Items | None]) -> None:
        assert self._items is not None
        for name, own, new in zip(("items_a", "items_b"), self._items, given, strict=True):
            if _layout(own) != _layout(new):
                raise ValueError(
                    f"{type(self).__name__}: {name} must have the labels and widths of the first "
                    f"batch, {_layout(own)}, got {_layout(new)}"
                )

    def _seen(self) -> tuple[Items, Items]:
        if self._items is None:
            raise ValueError(f"{type(self).__name__}.compute: no samples were seen")
        a, b = self._items
        return a, a if b is None else b

    def _add(self, name: str, array: Array) -> None:
        if name in self._sums:
            self._sums[name] += array
        else:
            self._sums[name] = array

    def _add_moments(self, prefix: str, a: list[Array], b: list[Array] | None) -> None:
        left = augmented(a)
        right = left if b is None else augmented(b)
        self._add(f"{prefix}cross", left.T @ right)
        if b is None:
            return
        for side, items in (("a", a), ("b", b)):
            for k, item in enumerate(items):
                one = augmented([item])
                self._add(f"{prefix}{side}/{k}", one.T @ one)

    def _moments(self, prefix: str) -> Moments:
        assert self._items is not None
        a, b = self._items
        cross = self._sums[f"{prefix}cross"]
        widths = [array.shape[1] for array in a.arrays]
        if b is None:
            starts = np.cumsum([1 + len(widths), *widths])
            alone = []
            for k, (start, width) in enumerate(zip(starts, widths, strict=False)):
                index = np.r_[0, 1 + k, start : start + width]
                alone.append(cross[np.ix_(index, index)])
            return Moments(cross, (alone, alone), (widths, widths))
        sides = [
            [self._sums[f"{prefix}{side}/{k}"] for k in range(len(items.arrays))]
            for side, items in (("a", a), ("b", b))
        ]
        others = [array.shape[1] for array in b.arrays]
        return Moments(cross, (sides[0], sides[1]), (widths, others))


def _without_samples(items: Items) -> Items:
    return items._replace(arrays=[array[:0] for array in items.arrays])


def _layout(items: Items | None) -> Any:
    if items is None:
        return None
    widths = [array.shape[1] for array in items.arrays]
    return dict(zip(items.labels, widths, strict=True)) if items.labels else widths


class Accumulator(_Accumulator):
    """A measure of many samples that come in batches: exact, not a mean over batches.

    Sums of products over samples are kept in float64, for all pairs of items at once; ``compute``
    gives what :func:`likewise.pairwise` or :func:`likewise.cross` would of all samples together, in
    any order of batches and merges, to rounding: about 1e-16 times the square of a unit's mean over
    its deviation. Angles of nearly identical items are arccos of almost 1 here (error 1e-8).

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

    def update(
        self,
        items_a: Any,
        items_b: Any = None,
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
        samples = len(a.arrays[0])
        fold = (self._next + np.arange(samples)) % self._folds
        self._next += samples
        for k in range(self._folds):
            rows = slice(None) if self._folds == 1 else fold == k
            self._add_moments(
                f"{k}/",
                [array[rows] for array in a.arrays],
                None if b is None else [array[rows] for array in b.arrays],
            )

    def compute(self) -> Any:
        """Scores ``(m_a, m_b)`` in the library and dtype of the items, a Grid if they had labels.

        Raises
        ------
        ValueError
            Before the first batch, and of fewer samples than the measure needs.
        """
        a, b = self._seen()
        moments = [self._moments(f"{k}/") for k in range(self._folds)]
        samples = sum(m.samples for m in moments)
        if samples < self.measure.min_samples:
            raise ValueError(
                f"Accumulator.compute: {self.measure.name} needs at least "
                f"{self.measure.min_samples} samples, got {samples}"
            )
        return labelled(self.measure.from_moments(moments), a, b, self.measure)


class MinibatchCKA(_Accumulator):
    """CKA from the mean over batches of unbiased HSIC (Nguyen, Raghu & Kornblith 2021).

    ``sum_b HSIC_b(x, y) / sqrt(sum_b HSIC_b(x, x) sum_b HSIC_b(y, y))``. Not the CKA of all
    samples: an estimate of the population's from pairs of samples within batches only, which
    depends on how samples are batched; for kernels that no sums over samples determine, or to agree
    with others' numbers. With the linear kernel, ``Accumulator("cka", estimator="unbiased")`` is
    exact.

    Parameters
    ----------
    kernel, bandwidth, degree, coef0, gamma
        As in :func:`likewise.cka`; a median bandwidth is that of each batch.
    """

    def __init__(self, kernel: str = "linear", **options: Any) -> None:
        self.hsic: HSIC = HSIC(kernel, "unbiased", **options)  # type: ignore[arg-type]
        super().__init__()

    def _settings(self) -> Any:
        return self.hsic

    def update(self, items_a: Any, items_b: Any = None, *, check_finite: bool = True) -> None:
        """Add a batch of at least 4 samples; items as :func:`likewise.pairwise` takes them."""
        a, b = self._read(items_a, items_b, check_finite)
        if len(a.arrays[0]) < 4:
            raise ValueError(
                "MinibatchCKA.update: unbiased HSIC needs batches of at least 4 samples, got "
                f"{len(a.arrays[0])}"
            )
        prepared = [self.hsic.prepare(side.arrays) for side in (a, b) if side is not None]
        self._add("batches", np.array(1.0))
        if b is None:
            products = self.hsic.compare(prepared[0], None)
            self._add("hsic", products)
            return
        self._add("hsic", self.hsic.compare(*prepared))
        for name, side in zip("ab", prepared, strict=True):
            alone = [self.hsic.compare([item], None)[0, 0] for item in side]
            self._add(f"hsic_{name}", np.array(alone))

    def compute(self) -> Any:
        """Scores ``(m_a, m_b)``, a Grid for labelled items. NaN where no HSIC is positive."""
        a, b = self._seen()
        products = self._sums["hsic"]
        own = (
            [np.diag(products)] * 2
            if "hsic_a" not in self._sums
            else [self._sums["hsic_a"], self._sums["hsic_b"]]
        )
        norms = np.outer(*own)
        positive = np.logical_and.outer(own[0] > 0, own[1] > 0)
        scores = np.full(products.shape, np.nan)
        np.divide(products, np.sqrt(np.where(positive, norms, 1)), out=scores, where=positive)
        return labelled(scores, a, b, self.hsic, "minibatch_cka")

    def compute_hsic(self) -> Any:
        """The mean over batches of unbiased HSIC, ``(m_a, m_b)``, a Grid for labelled items.

        Of the population's HSIC it is as unbiased as the HSIC of all samples (Song et al. 2012),
        and noisier: it sees no pairs of samples of two batches.
        """
        a, b = self._seen()
        means = np.asarray(self._sums["hsic"] / self._sums["batches"])
        return labelled(means, a, b, self.hsic, "minibatch_hsic")


class UnitAccumulator(_Accumulator):
    """Unit by unit similarities of two networks from batches: :func:`likewise.unit_similarity`.

    Parameters
    ----------
    similarity
        ``"correlation"``, exact; or ``"mutual_information"``, whose bins are those of the first
        batch.
    bins, bias_correction
        Of mutual information.
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

    def reset(self) -> None:
        """Forget everything, the bins too."""
        super().reset()
        self._edges: tuple[Array, Array] | None = None

    def _settings(self) -> Any:
        return self.similarity, self.bins, self.bias_correction

    def merge(self, other: Any) -> None:
        """Add the samples that another accumulator has seen, with the same bins."""
        mine, theirs = self._edges, getattr(other, "_edges", None)
        if (
            mine is not None
            and theirs is not None
            and not all(np.array_equal(p, q) for p, q in zip(mine, theirs, strict=True))
        ):
            raise ValueError(
                "UnitAccumulator: bins of different first batches do not merge; start every worker "
                "from a copy that has seen one batch"
            )
        super().merge(other)
        self._edges = mine or theirs

    def update(self, x: Any, y: Any, *, check_finite: bool = True) -> None:
        """Add samples ``x (n, dx)`` and ``y (n, dy)``."""
        a, b = self._read([x], [y], check_finite)
        assert b is not None
        left, right = a.arrays[0], b.arrays[0]
        if self.similarity == "correlation":
            self._add_moments("", [left], [right])
            return
        if self._edges is None:
            self._edges = bin_edges(left, self.bins), bin_edges(right, self.bins)
        codes = [unit_codes(side, e) for side, e in zip((left, right), self._edges, strict=True)]
        self._add("counts", joint_counts(codes[0], codes[1], self.bins))

    def compute(self) -> Any:
        """``(dx, dy)`` in the library and dtype of the first batch."""
        a, _ = self._seen()
        if self.similarity == "correlation":
            m = self._moments("")
            norms = [np.sqrt(np.diag(side[0].gram)) for side in (m.rows(), m.columns())]
            inverse = [np.divide(1, v, out=np.zeros_like(v), where=v > 0) for v in norms]
            m.warn("UnitAccumulator", flexible=False)
            values = np.clip(inverse[0][:, None] * m.cross(0, 0) * inverse[1], -1, 1)
        else:
            values = information_of_counts(self._sums["counts"], self.bias_correction)
        return a.library.give(values.astype(a.arrays[0].dtype))
