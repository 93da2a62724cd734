"""The similarity of two RDMs as a measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array
from likewise._border.pairs import Pair, batch_size, empty_scores, give_scores, read_pair
from likewise._comparison import (
    COMPARISONS,
    Comparison,
    InnerProduct,
    Product,
    Ranked,
    comparator,
    require_rankable,
    square,
    tie_tolerance,
)
from likewise.errors import warn_degenerate
from likewise.measure import Kind, prepare_batch, register, reordered_products
from likewise.measure.legacy import LegacyMeasure
from likewise.rdm import (
    DISSIMILARITIES,
    Dissimilarity,
    fill_rdm,
    warn_flat,
    warn_without,
)

__all__ = ["ON_DEVICES", "RSA", "require_comparison"]

# Comparisons that are inner products of RDMs or their ranks, and of second moments.
_REORDERED_ON_DEVICE = ("cosine", "corr", "spearman", "rho-a")
ON_DEVICES = (*_REORDERED_ON_DEVICE, "cosine_cov", "corr_cov")


class _Prepared(NamedTuple):
    rdm: Any
    """What the comparison needs of the condensed RDM."""
    usable: bool
    flat: bool
    """All dissimilarities are equal, and the comparison needs a difference."""
    constant_units: int
    width: int


@register
@dataclass(frozen=True)
class RSA(LegacyMeasure):
    """Similarity of two RDMs; see :func:`rsa`."""

    dissimilarity: Dissimilarity = "correlation"
    comparison: Comparison = "spearman"

    name: ClassVar[str] = "rsa"
    streamable: ClassVar[bool] = False
    is_metric: ClassVar[bool] = False
    min_samples: ClassVar[int] = 3
    compares_samples: ClassVar[bool] = True
    reference: ClassVar[None] = None
    """Unbounded comparisons are 0 of an RDM with itself, or refuse one below full rank."""

    def __post_init__(self) -> None:
        if self.dissimilarity not in DISSIMILARITIES:
            known = ", ".join(map(repr, DISSIMILARITIES))
            raise ValueError(
                f"rsa: dissimilarity must be one of {known}, got {self.dissimilarity!r}"
            )
        require_comparison(self.name, self.comparison)

    @property
    def kind(self) -> Kind:
        return "distance" if self.comparison == "bures_metric" else "similarity"

    @property
    def range(self) -> tuple[float, float]:
        special = {
            "bures": (0.0, 1.0),
            "bures_metric": (0.0, np.inf),
            "neg_riem_dist": (-np.inf, 0.0),
        }
        return special.get(self.comparison, (-1.0, 1.0))

    @property
    def symmetric(self) -> bool:
        return self.comparison != "neg_riem_dist"

    @property
    def has_cuda(self) -> bool:
        return self.comparison in ON_DEVICES

    @property
    def differentiable(self) -> bool:
        return isinstance(comparator(self.comparison), Product)

    @property
    def invariances(self) -> frozenset[str]:
        scale_free = self.dissimilarity in ("correlation", "cosine")
        always = frozenset({"permutation"})
        if scale_free or self.comparison != "bures_metric":
            always |= {"isotropic_scaling"}
        if self.dissimilarity == "correlation":
            return always
        always |= {"orthogonal"}
        return always if self.dissimilarity == "cosine" else always | {"translation"}

    def prepare(self, items: Sequence[Array]) -> list[_Prepared]:
        """What the comparison needs of the RDM of each item."""
        if not items:
            return []
        constants = [int((item == item[:1]).all(axis=0).sum()) for item in items]
        widths = [item.shape[1] for item in items]
        rdms, finite, without = self._rdms(items)
        usable = [
            bool(known and constant < width)
            for known, constant, width in zip(finite, constants, widths, strict=True)
        ]
        flat = map(comparator(self.comparison).is_flat, rdms)
        warn_without("rsa", int(without[usable].sum()), self.dissimilarity)
        facts = zip(rdms, usable, flat, constants, widths, strict=True)
        return [_Prepared(*fact) for fact in facts]

    def _rdms(self, items: Sequence[Array]) -> tuple[list[Any], Array, Array]:
        """Of each item its prepared RDM, whether that is finite, and its undirected samples."""
        count, n = len(items), len(items[0])
        size, threads = n * (n - 1) // 2, _engine.threads()
        require_rankable(self.name, self.comparison, size)
        by = comparator(self.comparison)
        without = np.empty(count, np.int64)
        if isinstance(by, Ranked):
            ranks, ties = np.empty((count, size), np.int32), np.empty(count)
            tolerance = tie_tolerance(np.float64)
            _cpu.ranked_rdms(
                list(items), self.dissimilarity, tolerance, ranks, ties, without, threads
            )
            return by.of_ranks(ranks, ties), np.isfinite(ties), without
        vectors = np.empty((count, size))
        for k, item in enumerate(items):
            without[k] = fill_rdm(item, self.dissimilarity, vectors[k], in_units=self._scale_free)
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        vectors[~finite] = np.nan
        return by.prepare(vectors), finite, without

    @property
    def _scale_free(self) -> bool:
        """Whether scores are the same of multiples of an RDM."""
        return self.comparison != "bures_metric"

    def compare(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        """Scores of all pairs."""
        other = a if b is None else b
        scores = np.empty((len(a), len(other)))
        if scores.size:
            right = None if b is None else [item.rdm for item in other]
            scores[:] = comparator(self.comparison).all_pairs([item.rdm for item in a], right)
            unusable = [[not item.usable for item in side] for side in (a, other)]
            scores[np.logical_or.outer(*map(np.array, unusable))] = np.nan
        self._warn(a if b is None else a + b)
        return scores

    def _reordered(self, x: Array, y: Array, orders: Iterable[Array]) -> Array:
        """Of comparisons by inner products: rows and columns of the RDM of y change places."""
        by = comparator(self.comparison)
        if not isinstance(by, InnerProduct) or self.comparison.endswith("_cov"):
            found = [self(x, y[order], check_finite=False) for block in orders for order in block]
            return np.array(found, float)
        (p,), (q,) = self.prepare([x]), self.prepare([y])
        if not (p.usable and q.usable):
            return np.full(sum(map(len, orders)), np.nan)
        sides = square(by.vector(p.rdm)), square(by.vector(q.rdm))
        return np.concatenate([reordered_products(*sides, block) for block in orders])

    def reordered_on_device(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        """The same of device arrays; comparisons that need more than inner products go the long
        way."""
        if self.comparison not in _REORDERED_ON_DEVICE:
            return None
        self._require_rankable(orders.shape[1])
        scores = library.empty((len(orders),), np.float64)
        options = self.dissimilarity, self.comparison
        library.engine.rsa_reordered(x, y, orders, scores, *options, library.run)
        return scores

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        items = a if b is None else a + b
        self._require_rankable(items[0].shape[0])
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        findings = [library.empty((len(items),), np.int64) for _ in range(3)]
        options = self.dissimilarity, self.comparison
        library.engine.rsa_scores(a, b or [], b is None, scores, *findings, *options, library.run)
        widths = np.array([item.shape[-1] for item in items])
        self._finish(library, findings, len(a), widths)
        return scores

    def _on_device(self, pair: Pair) -> Any:
        self._require_rankable(pair.x.shape[-2])
        library, count = pair.library, batch_size(pair.batch)
        scores = empty_scores(pair)
        # Of items that broadcasting repeats once: room for all, and zeros are no findings.
        findings = [library.zeros((2 * count,), np.int64) for _ in range(3)]
        options = self.dissimilarity, self.comparison
        distinct = library.engine.rsa_pairs(
            pair.x, pair.y, scores, *findings, *options, library.run
        )
        widths = np.repeat([pair.x.shape[-1], pair.y.shape[-1]], [distinct, 2 * count - distinct])
        self._finish(library, findings, distinct, widths)
        return give_scores(pair, scores)

    def _finish(self, library: Any, findings: list[Any], first: int, widths: Array) -> None:
        """Warnings about the first side's items, so many of them, and about the others."""
        found = library.finish(*findings)
        if found is None:
            return
        without, constants, flat = found
        for side in np.split(without, [first]):
            warn_without(self.name, int(side.sum()), self.dissimilarity)
        constant = constants == widths
        warn_degenerate(self.name, int(constants[~constant].sum()), int(constant.sum()))
        warn_flat(self.name, int(flat.sum()))

    def _require_rankable(self, samples: int) -> None:
        require_rankable(self.name, self.comparison, samples * (samples - 1) // 2)

    def _fill_gradients(
        self, pair: Pair, scores: Array, by_x: Array | None, by_y: Array | None
    ) -> None:
        scores[...] = self(pair.x, pair.y, check_finite=False)
        for index in np.ndindex(pair.batch):
            sides = pair.x[index], pair.y[index]
            weights = self._weights(sides)
            for side, weight, out in zip(sides, weights, (by_x, by_y), strict=True):
                if out is None:
                    continue
                if np.isfinite(weight).all():
                    _cpu.rdm_gradient(
                        side, self.dissimilarity, weight, out[index], _engine.threads()
                    )
                else:
                    out[index] = np.nan

    def _fill_gradients_on_device(self, pair: Pair, by_x: Any, by_y: Any) -> None:
        library, options = pair.library, (self.dissimilarity, self.comparison)
        library.engine.rsa_gradients(pair.x, pair.y, by_x, by_y, *options, library.run)

    def _weights(self, sides: Sequence[Array]) -> tuple[Array, Array]:
        """Gradients of the score by the RDMs in units; NaN where that is NaN."""
        size = len(sides[0]) * (len(sides[0]) - 1) // 2
        rdms = np.empty((2, size))
        for side, rdm in zip(sides, rdms, strict=True):
            fill_rdm(side, self.dissimilarity, rdm, in_units=True)
            if (side == side[:1]).all():
                rdm[:] = np.nan
        by = comparator(self.comparison)
        assert isinstance(by, Product)
        return by.gradients(*rdms)

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        if not self.has_cuda:
            pair = pair.on_cpu()
        if pair.library.engine is not _cpu:
            return self._on_device(pair)
        scores = empty_scores(pair)
        if scores.size:
            a, b = (prepare_batch(self.prepare, batch) for batch in (pair.x, pair.y))
            sides = ([item.rdm for item in side] for side in (a, b))
            found = comparator(self.comparison).paired(*sides)
            usable = [p.usable and q.usable for p, q in zip(a, b, strict=True)]
            scores[...] = np.where(usable, found, np.nan).reshape(pair.batch)
            self._warn(list({id(item): item for item in a + b}.values()))
        return give_scores(pair, scores)

    def _warn(self, items: list[_Prepared]) -> None:
        constant = [item for item in items if item.constant_units == item.width]
        units = sum(item.constant_units for item in items) - sum(item.width for item in constant)
        warn_degenerate(self.name, units, len(constant))
        warn_flat(self.name, sum(item.usable and item.flat for item in items))


def require_comparison(function: str, comparison: str) -> None:
    """Raise ``ValueError`` for an unknown comparison."""
    if comparison not in COMPARISONS:
        known = ", ".join(map(repr, COMPARISONS))
        raise ValueError(f"{function}: comparison must be one of {known}, got {comparison!r}")
