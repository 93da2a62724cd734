"""Representational similarity analysis: comparison of dissimilarity matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from likewise._border.arrays import Array, read
from likewise._border.pairs import Found, Pair
from likewise._border.types import AnyArray, ArrayT, score_function
from likewise._comparison import (
    IN_NUMPY,
    ON_DEVICES,
    PRODUCTS,
    REORDERED,
    Comparison,
    comparator,
    require_comparison,
    require_condensed,
    require_rankable,
)
from likewise.measure import EngineMeasure, Kind, register
from likewise.rdm import (
    DISSIMILARITIES,
    Dissimilarity,
    fill_rdm,
    warn_clipped,
    warn_flat,
    warn_without,
)

__all__ = ["RSA", "compare_rdms", "rsa"]


@register
@dataclass(frozen=True)
class RSA(EngineMeasure):
    """Similarity of two RDMs; see :func:`rsa`."""

    dissimilarity: Dissimilarity = "correlation"
    comparison: Comparison = "spearman"

    name: ClassVar[str] = "rsa"
    min_samples: ClassVar[int] = 3
    kinds: ClassVar[int] = 3
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
    def on_devices(self) -> bool:
        return self.comparison in ON_DEVICES

    @property
    def differentiable(self) -> bool:
        return self.comparison in PRODUCTS

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

    def counted_scores(
        self, library: Any, a: list[Any], b: list[Any] | None
    ) -> tuple[Any, Array | None, Array]:
        if self.on_devices:
            return super().counted_scores(library, a, b)
        items, here = library.on_cpu([*a, *(b or ())])
        other = None if b is None else items[len(a) :]
        scores, *found = super().counted_scores(here, items[: len(a)], other)
        return library.sent(scores), *found

    def pairs(self, pair: Pair) -> Any:
        if self.on_devices:
            return super().pairs(pair)
        return pair.library.sent(super().pairs(pair.on_cpu()))

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        self._require_rankable(a[0].shape[0])
        if self.comparison in IN_NUMPY:
            return self._compare(a, b, *out)
        return library.engine.rsa_scores(a, b, *out, self._options(), library.run)

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        self._require_rankable(x.shape[-2])
        if self.comparison in IN_NUMPY:
            return self._compare_pairs(x, y, *out)
        return library.engine.rsa_pairs(x, y, *out, self._options(), library.run)

    def fill_gradients(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return library.engine.rsa_gradients(x, y, *out, self._options(), library.run)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        if self.comparison not in REORDERED:
            return None
        self._require_rankable(x.shape[0])
        return self.in_orders(library, "rsa_reordered", x, y, orders, self._options())

    def bytes_per_pair(self, samples: int, units: int) -> int:
        return 8 * samples * max(samples, units)

    def report(self, found: Found) -> None:
        _, flat, without = found.counts
        for side in np.split(without, [found.rows]):
            warn_without(self.name, int(side.sum()), self.dissimilarity)
        super().report(found)
        warn_flat(self.name, int(flat.sum()))

    def _options(self) -> tuple[str, str]:
        return self.dissimilarity, self.comparison

    def _require_rankable(self, samples: int) -> None:
        require_rankable(self.name, self.comparison, samples * (samples - 1) // 2)

    def _compare(self, a: list[Array], b: list[Array], scores: Array, counts: Array) -> None:
        left, constant = self._prepared(a, counts[:, : len(a)])
        right, also = self._prepared(b, counts[:, len(a) :]) if b else (None, constant)
        scores[...] = comparator(self.comparison).all_pairs(left, right)
        scores[np.logical_or.outer(constant, also)] = np.nan

    def _compare_pairs(self, x: Array, y: Array, scores: Array, counts: Array) -> None:
        sides, unusable = [], np.zeros(scores.shape, bool)
        for k, side in enumerate((x, y)):
            few = side[tuple(slice(1 if s == 0 else None) for s in side.strides[:-2])]
            items = list(few.reshape(-1, *few.shape[-2:]))
            found = np.zeros((self.kinds, len(items)), np.int64)
            prepared, constant = self._prepared(items, found)
            places = np.arange(len(items)).reshape(few.shape[:-2])
            places = np.broadcast_to(places, scores.shape)
            counts[:, k] = found[:, places]
            unusable |= constant[places]
            sides.append([prepared[item] for item in places.flat])
        scores[...] = comparator(self.comparison).paired(*sides).reshape(scores.shape)
        scores[unusable] = np.nan

    def _prepared(self, items: list[Array], counts: Array) -> tuple[list[Any], Array]:
        """What a comparison in NumPy needs of the RDM of each item, and which are constant; fills
        what the engine counts."""
        by, n = comparator(self.comparison), len(items[0])
        rdms = np.empty((len(items), n * (n - 1) // 2))
        in_units = self.comparison != "bures_metric"  # no scale of an RDM changes the others
        for item, rdm, found in zip(items, rdms, counts.T, strict=True):
            without = fill_rdm(item, self.dissimilarity, rdm, in_units=in_units)
            found[:] = (item == item[0]).all(axis=0).sum(), 0, without
        prepared = by.prepare(rdms)
        constant = counts[0] == [item.shape[1] for item in items]
        usable = ~constant & np.isfinite(rdms).all(axis=1)
        counts[1] = usable & [by.is_flat(item) for item in prepared]
        counts[2] *= usable
        return prepared, constant


@score_function
def rsa(
    x: AnyArray[Any],
    y: AnyArray[Any],
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
                       both of the nearest matrices without negative eigenvalues where RDMs hold no
                       squared Euclidean distances, also in the traces (rsatoolbox keeps those);
                       :func:`compare_rdms` warns then, RDMs of representations always do
        neg_riem_dist  -min sqrt(sum log^2 eig((a G + b N) H^-1)) over a, b > 0, with G, H about the
                       first sample and N the covariance of its differences (Shahbazi et al. 2021);
                       not symmetric, needs RDMs of full rank and SciPy

    Dissimilarities are computed in double, float32 representations as well. Ranks and pairs tie
    where two of them differ by no more than 1e-12 of the larger one (chains of ties whose ends
    differ by more are cut at their larger gaps), so that repeated stimuli and whole numbers tie
    whatever rounding says. No scale of the representations is too large or too small. With m =
    n (n - 1) / 2 dissimilarities, memory peaks at 4 m bytes per representation of ranks, 8 m of
    others, and beside these, for each thread, one RDM of 8 m and at most 14 m while it is ranked
    (4 m beyond 2^25 dissimilarities).

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
        Look for NaN and infinity first.

    Returns
    -------
    ``(...)``; NaN for a constant representation, and for an RDM whose entries are all equal where
    the comparison is not defined for it (not of cosine and cosine_cov, and 0 of rho-a and tau-a).

    Raises
    ------
    ValueError
        An unknown dissimilarity or comparison, different numbers of samples, fewer than 3 samples,
        ranks of more than 65536, no units, NaN or infinity, an RDM of y below full rank with
        "neg_riem_dist".
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries), and torch
        tensors that require grad with a comparison other than cosine, corr, cosine_cov, corr_cov:
        those have gradients in closed form, 0 for samples that are equal or have no direction.

    Warns
    -----
    DegenerateWarning
        Constant units or representations, samples without variance or length, RDMs whose entries
        are all equal.
    """
    return RSA(dissimilarity, comparison)(x, y, check_finite=check_finite)


def compare_rdms(
    p: AnyArray[ArrayT],
    q: AnyArray[ArrayT],
    *,
    comparison: Comparison = "spearman",
    check_finite: bool = True,
) -> ArrayT:
    """Similarity of all RDMs of one list with all of another, by the comparisons of :func:`rsa`.

    Entries of float64 RDMs tie as there; those of float32 within 1e-6 of the larger one.

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
    ``(k_p, k_q)``, without the axis of a single RDM. NaN as in :func:`rsa`.

    Raises
    ------
    ValueError
        An unknown comparison, RDMs of different sizes or of none that n samples give, ranks of
        RDMs of more than 65536 samples, NaN or infinity, an RDM in q below full rank with
        "neg_riem_dist".
    InputTypeError
        For inputs that cannot be used as they are.

    Warns
    -----
    DegenerateWarning
        RDMs whose entries are all equal; without squared Euclidean distances, of "bures" and
        "bures_metric".
    """
    name = "compare_rdms"
    require_comparison(name, comparison)
    sides, library = read(name, check_finite, p=p, q=q)
    require_condensed(name, p=sides[0], q=sides[1])
    require_rankable(name, comparison, sides[0].shape[-1])
    shape = (*sides[0].shape[:-1], *sides[1].shape[:-1])
    if comparison not in ON_DEVICES:
        sides, library = library.on_cpu(sides)
    scores = library.empty(shape, np.float64)
    flat = library.zeros((sum(math.prod(side.shape[:-1]) for side in sides),), np.int64)
    if comparison in IN_NUMPY and scores.size:
        _compare_in_numpy(name, sides, comparison, scores, flat)
    elif 0 not in shape:
        library.engine.compare_rdms(*sides, scores, flat, comparison, library.run)
    if found := library.finish(flat):
        warn_flat(name, int(found[0].sum()))
    return library.give(library.cast(scores, sides[0].dtype))


def _compare_in_numpy(
    function: str, sides: list[Array], comparison: str, scores: Array, flat: Array
) -> None:
    by, lists = comparator(comparison), [np.atleast_2d(side) for side in sides]
    p, q = (by.prepare(rdms) for rdms in lists)
    scores[...] = by.all_pairs(p, q).reshape(scores.shape)
    finite = np.concatenate([np.isfinite(rdms).all(axis=1) for rdms in lists])
    flat[:] = finite & [by.is_flat(item) for item in (*p, *q)]
    if comparison.startswith("bures"):
        warn_clipped(function, sum(item.clipped for item in (*p, *q)))
