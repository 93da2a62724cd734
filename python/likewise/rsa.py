"""Representational similarity analysis: comparison of dissimilarity matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from likewise import _cpu, _engine
from likewise._array import Array, read
from likewise._comparison import (
    COMPARISONS,
    Comparison,
    InnerProduct,
    Product,
    Ranked,
    comparator,
    require_rankable,
    samples_of,
    square,
)
from likewise._gradients import Gradients, pair_gradients, tracked
from likewise._representations import Pair, batch_size, empty_scores, give_scores, read_pair
from likewise.errors import warn_degenerate
from likewise.measure import prepare_batch, register, reordered_products
from likewise.rdm import DISSIMILARITIES, Dissimilarity, Resampler, fill_rdm, warn_without

__all__ = [
    "RSA",
    "compare_rdms",
    "require_comparison",
    "require_condensed",
    "rsa",
]

# Comparisons that are inner products of RDMs or their ranks.
_REORDERED_ON_DEVICE = ("cosine", "corr", "spearman", "rho-a")

_CHUNK_BYTES = 64 * 2**20


class _Prepared(NamedTuple):
    rdm: Any
    """What the comparison needs of the condensed RDM."""
    usable: bool
    constant_units: int
    width: int


@register
@dataclass(frozen=True)
class RSA:
    """Similarity of two RDMs; see :func:`rsa`."""

    dissimilarity: Dissimilarity = "correlation"
    comparison: Comparison = "spearman"

    name: ClassVar[str] = "rsa"
    streamable: ClassVar[bool] = False
    is_metric: ClassVar[bool] = False
    min_samples: ClassVar[int] = 3
    compares_samples: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.dissimilarity not in DISSIMILARITIES:
            known = ", ".join(map(repr, DISSIMILARITIES))
            raise ValueError(
                f"rsa: dissimilarity must be one of {known}, got {self.dissimilarity!r}"
            )
        require_comparison(self.name, self.comparison)

    @property
    def kind(self) -> str:
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
        warn_without("rsa", int(without[usable].sum()), self.dissimilarity)
        return [_Prepared(*facts) for facts in zip(rdms, usable, constants, widths, strict=True)]

    def _rdms(self, items: Sequence[Array]) -> tuple[list[Any], Array, Array]:
        """Of each item its prepared RDM, whether that is finite, and its undirected samples."""
        count, n = len(items), len(items[0])
        size, threads = n * (n - 1) // 2, _engine.threads()
        require_rankable(self.name, self.comparison, size)
        by = comparator(self.comparison)
        without = np.empty(count, np.int64)
        if isinstance(by, Ranked):
            ranks, ties = np.empty((count, size), np.int32), np.empty(count)
            _cpu.ranked_rdms(list(items), self.dissimilarity, ranks, ties, without, threads)
            return by.of_ranks(ranks, ties), np.isfinite(ties), without
        vectors = np.empty((count, size), items[0].dtype)
        for k, item in enumerate(items):
            without[k] = fill_rdm(item, self.dissimilarity, vectors[k])
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        vectors[~finite] = np.nan
        return by.prepare(vectors), finite, without

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

    def reordered(self, x: Array, y: Array, orders: Array) -> Array:
        """Of comparisons by inner products: rows and columns of the RDM of y change places."""
        by = comparator(self.comparison)
        if not isinstance(by, InnerProduct) or self.comparison.endswith("_cov"):
            return np.array([self(x, y[order], check_finite=False) for order in orders], float)
        (p,), (q,) = self.prepare([x]), self.prepare([y])
        if not (p.usable and q.usable):
            return np.full(len(orders), np.nan)
        return reordered_products(
            square(by.vector(p.rdm)), square(by.vector(q.rdm)), orders.astype(np.int32)
        )

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

    def resampled(self, x: Array, y: Array, draws: Array) -> Array:
        """From entries of the RDMs of all samples: copies of a sample tie exactly."""
        by = comparator(self.comparison)
        require_rankable(self.name, self.comparison, draws.shape[1] * (draws.shape[1] - 1) // 2)
        sides = [Resampler(side, self.dissimilarity) for side in (x, y)]
        scores = np.empty(len(draws))
        size = int(np.clip(_CHUNK_BYTES // (8 * draws.shape[1] ** 2), 1, len(draws)))
        for first in range(0, len(draws), size):
            part = draws[first : first + size]
            vectors, usable = zip(*(side.rdms(part) for side in sides), strict=True)
            found = by.paired(*map(by.prepare, vectors))
            scores[first : first + size] = np.where(np.logical_and(*usable), found, np.nan)
        return scores

    def resampled_on_device(self, library: Any, x: Any, y: Any, draws: Array) -> Any:
        """The same of device arrays."""
        self._require_rankable(draws.shape[1])
        scores = library.empty((len(draws),), np.float64)
        options = self.dissimilarity, self.comparison
        library.engine.rsa_resampled(x, y, draws, scores, *options, library.run)
        return scores

    def on_device(self, library: Any, a: list[Any], b: list[Any] | None) -> Any:
        """Scores of all pairs of device arrays."""
        items = a if b is None else a + b
        self._require_rankable(items[0].shape[0])
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        without, constants = (library.empty((len(items),), np.int64) for _ in range(2))
        options = self.dissimilarity, self.comparison
        library.engine.rsa_scores(
            a, b or [], b is None, scores, without, constants, *options, library.run
        )
        widths = np.array([item.shape[-1] for item in items])
        self._finish(library, without, constants, len(a), widths)
        return scores

    def _on_device(self, pair: Pair) -> Any:
        self._require_rankable(pair.x.shape[-2])
        library, count = pair.library, batch_size(pair.batch)
        scores = empty_scores(pair)
        # Of items that broadcasting repeats once: room for all, and zeros are no findings.
        without, constants = (library.zeros((2 * count,), np.int64) for _ in range(2))
        options = self.dissimilarity, self.comparison
        distinct = library.engine.rsa_pairs(
            pair.x, pair.y, scores, without, constants, *options, library.run
        )
        widths = np.repeat([pair.x.shape[-1], pair.y.shape[-1]], [distinct, 2 * count - distinct])
        self._finish(library, without, constants, distinct, widths)
        return give_scores(pair, scores)

    def _finish(
        self, library: Any, without: Any, constants: Any, first: int, widths: Array
    ) -> None:
        """Warnings about the first side's items, so many of them, and about the others."""
        found = library.finish(without, constants)
        if found is None:
            return
        for side in np.split(found[0], [first]):
            warn_without(self.name, int(side.sum()), self.dissimilarity)
        constant = found[1] == widths
        warn_degenerate(self.name, int(found[1][~constant].sum()), int(constant.sum()))

    def _require_rankable(self, samples: int) -> None:
        require_rankable(self.name, self.comparison, samples * (samples - 1) // 2)

    def gradients(
        self,
        x: Any,
        y: Any,
        *,
        wanted: tuple[bool, bool] = (True, True),
        check_finite: bool = True,
    ) -> Gradients:
        """By x and y, of comparisons that are smooth: cosine, corr, cosine_cov, corr_cov."""

        def run(pair: Pair, scores: Array, by_x: Array | None, by_y: Array | None) -> None:
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

        def run_on_device(pair: Pair, by_x: Any, by_y: Any) -> None:
            library, options = pair.library, (self.dissimilarity, self.comparison)
            library.engine.rsa_gradients(pair.x, pair.y, by_x, by_y, *options, library.run)

        return pair_gradients(self, x, y, wanted, check_finite, run, run_on_device)

    def _weights(self, sides: Sequence[Array]) -> tuple[Array, Array]:
        """Gradients of the score by the RDMs; NaN where that is NaN."""
        size = len(sides[0]) * (len(sides[0]) - 1) // 2
        rdms = np.empty((2, size))
        for side, rdm in zip(sides, rdms, strict=True):
            fill_rdm(side.astype(np.float64), self.dissimilarity, rdm)
            if (side == side[:1]).all():
                rdm[:] = np.nan
        by = comparator(self.comparison)
        assert isinstance(by, Product)
        return by.gradients(*rdms)

    @tracked
    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
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


def rsa(
    x: Any,
    y: Any,
    *,
    dissimilarity: Dissimilarity = "correlation",
    comparison: Comparison = "spearman",
    check_finite: bool = True,
) -> Any:
    """Similarity of the dissimilarity matrices of two representations.

    Compares ``rdm(x)`` with ``rdm(y)`` (Kriegeskorte, Mur & Bandettini 2008) by one of
    rsatoolbox's names, ``p`` and ``q`` being the two condensed RDMs of length ``m``::

        cosine         p'q / (|p| |q|)
        corr           Pearson correlation
        spearman       Pearson correlation of ranks, equal values sharing their mean rank
        rho-a          12 sum (rank p - mean) (rank q - mean) / (m^3 - m): the mean of Spearman's
                       correlation over all ways to break ties
        tau-b, kendall (concordant - discordant) / sqrt((M - ties p) (M - ties q)), M = m (m-1) / 2
        tau-a          (concordant - discordant) / M
        cosine_cov     cosine after whitening by the covariance that independent noise of the
                       samples gives the entries: tr(G H) / (|G| |H|), with G = -1/2 C D C the
                       centred second moments of each RDM (linear CKA of squared distances;
                       Diedrichsen et al. 2021)
        corr_cov       the same of RDMs minus their mean
        bures          |G^(1/2) H^(1/2)|_* / sqrt(tr G tr H)
        bures_metric   tr G + tr H - 2 |G^(1/2) H^(1/2)|_*: a squared distance
        neg_riem_dist  -min sqrt(sum log^2 eig((a G + b N) H^-1)) over a, b > 0, with G, H about the
                       first sample and N the covariance of its differences (Shahbazi et al. 2021);
                       not symmetric, needs RDMs of full rank and, on the CPU, SciPy

    Range [-1, 1]; of bures [0, 1], of bures_metric [0, inf), of neg_riem_dist (-inf, 0].

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast; at least 3 samples.
    dissimilarity
        As in :func:`rdm`, "mahalanobis" apart. A unit that is constant over samples takes part in
        "correlation" and "cosine", which look along units; it is counted in a warning.
    comparison
        See above.
    check_finite
        Look for NaN and infinity first. On a CUDA device also whether "neg_riem_dist" has RDMs of
        full rank: without a look those of a lower one score NaN.

    Returns
    -------
    ``(...)``; NaN for a constant representation, or for an RDM whose entries are all equal.

    Raises
    ------
    ValueError
        An unknown dissimilarity or comparison, different numbers of samples, fewer than 3 samples,
        ranks of more than 65536, no units, NaN or infinity, an RDM of y below full rank with
        "neg_riem_dist".
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    Warns
    -----
    DegenerateWarning
        Constant units or representations, and samples without variance or length.
    """
    return RSA(dissimilarity, comparison)(x, y, check_finite=check_finite)


def compare_rdms(
    p: Any, q: Any, *, comparison: Comparison = "spearman", check_finite: bool = True
) -> Any:
    """Similarity of all RDMs of one list with all of another, by the comparisons of :func:`rsa`.

    Parameters
    ----------
    p, q
        Condensed RDMs ``(k, m)`` or ``(m,)``, ``m = n (n - 1) / 2``: of :func:`rdm`, of models, of
        SciPy's ``pdist``.
    comparison
        See :func:`rsa`.
    check_finite
        As in :func:`rsa`.

    Returns
    -------
    ``(k_p, k_q)``, without the axis of a single RDM. NaN where all entries of one are equal.

    Raises
    ------
    ValueError
        An unknown comparison, RDMs of different sizes or of none that n samples give, ranks of
        RDMs of more than 65536 samples, NaN or infinity, an RDM in q below full rank with
        "neg_riem_dist".
    InputTypeError
        For inputs that cannot be used as they are.
    """
    name = "compare_rdms"
    require_comparison(name, comparison)
    sides, library = read(name, check_finite, p=p, q=q)
    require_condensed(name, p=sides[0], q=sides[1])
    require_rankable(name, comparison, sides[0].shape[-1])
    shape = (*sides[0].shape[:-1], *sides[1].shape[:-1])
    if library.engine is not _cpu:
        found = library.empty(shape, np.float64)
        samples = samples_of(sides[0].shape[-1])
        library.engine.compare_rdms(*sides, samples, found, comparison, library.run)
        library.finish()
        return library.give(library.cast(found, sides[0].dtype))
    by = comparator(comparison)
    lists = [np.atleast_2d(side).copy() for side in sides]
    scores = np.empty(tuple(map(len, lists)))
    if scores.size:
        scores[:] = by.all_pairs(by.prepare(lists[0]), by.prepare(lists[1]))
    return library.give(scores.astype(sides[0].dtype, copy=False).reshape(shape))


def require_condensed(function: str, **rdms: Any) -> None:
    """Raise ``ValueError`` for what are not condensed RDMs of one number of samples, 3 at least."""
    first = next(iter(rdms.values())).shape
    for name, side in rdms.items():
        size = side.shape[-1] if side.ndim in (1, 2) else 0
        n = samples_of(size)
        if size < 3 or size != n * (n - 1) // 2 or size != first[-1]:
            raise ValueError(
                f"{function}: {' and '.join(rdms)} must have shapes (k, m) or (m,) with the same "
                f"m = n (n - 1) / 2 of at least 3, got {name} of shape {side.shape}"
            )


def require_comparison(function: str, comparison: str) -> None:
    """Raise ``ValueError`` for an unknown comparison."""
    if comparison not in COMPARISONS:
        known = ", ".join(map(repr, COMPARISONS))
        raise ValueError(f"{function}: comparison must be one of {known}, got {comparison!r}")
