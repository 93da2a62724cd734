"""How two condensed RDMs are compared. Each comparison prepares every RDM once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from likewise import _cpu
from likewise._border import engine as _engine
from likewise._border.arrays import Array
from likewise.errors import low_rank_rdm, named_convergence

__all__ = [
    "COMPARISONS",
    "Comparator",
    "Comparison",
    "InnerProduct",
    "Product",
    "Ranked",
    "comparator",
    "require_rankable",
    "tie_tolerance",
]

Comparison = Literal[
    "cosine",
    "corr",
    "spearman",
    "rho-a",
    "kendall",
    "tau-b",
    "tau-a",
    "cosine_cov",
    "corr_cov",
    "bures",
    "bures_metric",
    "neg_riem_dist",
]

_PRODUCTS = ("cosine", "corr", "cosine_cov", "corr_cov")
_RHOS = ("spearman", "rho-a")
_COUNTS = ("kendall", "tau-b", "tau-a")
_BURES = ("bures", "bures_metric")

COMPARISONS = (*_PRODUCTS, *_RHOS, *_COUNTS, *_BURES, "neg_riem_dist")

_BLOCK_ENTRIES = 2**22

_MOST_RANKED = 2**31 - 1  # ranks are int32


def tie_tolerance(dtype: Any) -> float:
    """The share of the larger of two entries that they may differ by and tie: what computing an
    RDM in this dtype leaves uncertain."""
    return 1e-6 if dtype == np.float32 else 1e-12


class Comparator(Protocol):
    """A comparison of RDMs."""

    def prepare(self, vectors: Array) -> list[Any]:
        """One prepared RDM for each row of ``(k, m)``, which may be overwritten. Entries tie as
        :func:`tie_tolerance` of their dtype says."""
        ...

    def is_flat(self, item: Any) -> bool:
        """Whether a finite RDM has no score with any, as its entries are all equal."""
        ...

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        """``(len(a), len(b))``; None stands for ``a`` again."""
        ...

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        """``(len(a),)``."""
        ...


def comparator(name: str) -> Comparator:
    """The comparison of that name."""
    if name in _PRODUCTS:
        return Product(name)
    if name in _RHOS:
        return _Rho(name)
    if name in _COUNTS:
        return _Count(name)
    if name in _BURES:
        return _Bures(name)
    return _Riemannian()


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


class InnerProduct(_Named, ABC):
    """An inner product of vectors that are made once of each RDM."""

    @abstractmethod
    def vector(self, item: Any) -> Array:
        """The vector of a prepared RDM."""


class Product(InnerProduct):
    """A cosine of entries, or of the inner products of samples that they stand for."""

    def prepare(self, vectors: Array) -> list[Any]:
        tolerance = tie_tolerance(vectors.dtype)
        return [self._standard(v, tolerance)[0] for v in vectors.astype(np.float64, copy=False)]

    def is_flat(self, item: Array) -> bool:
        return bool(np.isnan(item[0]))

    def _standard(self, vector: Array, tolerance: float) -> tuple[Array, float]:
        """What is compared of an RDM, of unit norm, and its norm; NaN where that is nothing. May
        overwrite the RDM."""
        low, high = vector.min(), vector.max()
        size = max(-low, high)
        flat = high - low <= tolerance * size if self._centres else size == 0
        if flat or not np.isfinite(size):
            n = samples_of(len(vector))
            return np.full(n * n if self._counts_covariance else len(vector), np.nan), math.nan
        scale = 1.0
        if not 1e-100 < size < 1e100:
            scale = math.ldexp(1.0, min(max(-math.frexp(size)[1], -1000), 1000))
            vector *= scale
        if self._centres:
            vector -= vector.mean()
        if self._counts_covariance:
            vector = second_moments(vector).ravel()
        norm = float(np.linalg.norm(vector))
        vector /= norm
        return vector, norm / scale

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        right = a if b is None else b
        scores = np.zeros((len(a), len(right)))
        width = max(_BLOCK_ENTRIES // (len(a) + len(right)), 1)
        for begin in range(0, len(a[0]), width):  # no second copy of all
            left = np.stack([vector[begin : begin + width] for vector in a])
            other = left if b is None else np.stack([vector[begin : begin + width] for vector in b])
            scores += left @ other.T
        return scores

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        return np.array([p @ q for p, q in zip(a, b, strict=True)])

    def vector(self, item: Array) -> Array:
        return item

    def gradients(self, p: Array, q: Array) -> tuple[Array, Array]:
        """Of the score of two condensed RDMs, which it overwrites, by their entries. NaN where all
        entries are equal."""
        vectors, norms = zip(
            *(self._standard(v, tie_tolerance(v.dtype)) for v in (p, q)), strict=True
        )
        score = vectors[0] @ vectors[1]
        sides = zip(vectors, reversed(vectors), norms, strict=True)
        by_p, by_q = (self._by_entries((other - score * own) / norm) for own, other, norm in sides)
        return by_p, by_q

    def _by_entries(self, gradient: Array) -> Array:
        """From the gradient by the vector that is compared to that by the RDM."""
        if self._counts_covariance:
            # -1/2 H G H = -1/2 G of a centred G, in which every entry of the RDM stands twice.
            n = math.isqrt(len(gradient))
            gradient = -gradient.reshape(n, n)[np.triu_indices(n, 1)]
        return gradient - gradient.mean() if self._centres else gradient

    @property
    def _centres(self) -> bool:
        return self.name in ("corr", "corr_cov")

    @property
    def _counts_covariance(self) -> bool:
        return self.name.endswith("_cov")


class Ranks(NamedTuple):
    """``2 r - (m + 1)`` of the ranks ``r`` of an RDM, equal entries sharing their mean rank."""

    values: Array
    """int32."""
    ties: float
    """Sum of ``t^3 - t`` over all sets of t equal entries; NaN where the RDM is not finite."""

    @property
    def finite(self) -> bool:
        return not math.isnan(self.ties)

    @property
    def flat(self) -> bool:
        """Whether all entries are equal."""
        size = float(len(self.values))
        return self.ties >= size**3 - size


def _values(items: list[Ranks]) -> list[Array]:
    return [item.values for item in items]


class Ranked(_Named):
    """A comparison that sees nothing but ranks."""

    def prepare(self, vectors: Array) -> list[Any]:
        ranks, ties = np.empty(vectors.shape, np.int32), np.empty(len(vectors))
        tolerance = tie_tolerance(vectors.dtype)
        vectors = np.ascontiguousarray(vectors, np.float64)
        _cpu.ranks(vectors, tolerance, ranks, ties, _engine.threads())
        return self.of_ranks(ranks, ties)

    def of_ranks(self, ranks: Array, ties: Array) -> list[Ranks]:
        return [Ranks(values, float(t)) for values, t in zip(ranks, ties, strict=True)]

    def is_flat(self, item: Ranks) -> bool:
        return item.flat and self.name in ("spearman", "tau-b", "kendall")


class _Rho(Ranked, InnerProduct):
    """Spearman's correlation, or its mean over all ways to break ties."""

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        right = a if b is None else b
        scores = np.empty((len(a), len(right)))
        _cpu.rank_products(_values(a), _values(right), b is None, False, scores, _engine.threads())
        scales = [np.array([self._scale(item) for item in side]) for side in (a, right)]
        return np.asarray(scores * scales[0][:, None] * scales[1])

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        scores = np.empty(len(a))
        _cpu.rank_products(_values(a), _values(b), False, True, scores, _engine.threads())
        return scores * [self._scale(p) * self._scale(q) for p, q in zip(a, b, strict=True)]

    def vector(self, item: Ranks) -> Array:
        return np.asarray(item.values * self._scale(item))

    def _scale(self, item: Ranks) -> float:
        size = float(len(item.values))
        ties = item.ties if self.name == "spearman" else 0
        squares = (size**3 - size - ties) / 3
        return 1 / math.sqrt(squares) if squares > 0 and item.finite else math.nan


class _Count(Ranked):
    """Kendall's, from the numbers of concordant and of equal pairs."""

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        return self._taus(a, a if b is None else b, paired=False)

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        return self._taus(a, b, paired=True)

    def _taus(self, left: list[Ranks], right: list[Ranks], paired: bool) -> Array:
        shape = (len(left),) if paired else (len(left), len(right))
        counts = np.empty((*shape, 3))
        _cpu.kendall(_values(left), _values(right), paired, counts, _engine.threads())
        size = len(left[0].values) if left else 0
        pairs = size * (size - 1) / 2
        difference, ties_left, ties_right = np.moveaxis(counts, -1, 0)
        finite = [np.array([item.finite for item in side]) for side in (left, right)]
        difference[~(finite[0] & finite[1] if paired else np.logical_and.outer(*finite))] = np.nan
        if self.name == "tau-a":
            return np.asarray(difference / pairs)
        untied = np.sqrt((pairs - ties_left) * (pairs - ties_right))
        taus = np.full(shape, np.nan)
        np.divide(difference, untied, out=taus, where=untied > 0)
        return taus


class _Root(NamedTuple):
    """An RDM for Bures's comparisons."""

    data: Any
    norm: float
    clipped: bool
    """Its second moments have negative eigenvalues: it has no squared Euclidean distances."""


class _Bures:
    """Second moments as covariances: with roots F F' = G, a Procrustes comparison of F."""

    def __init__(self, name: str) -> None:
        similar = name == "bures"
        self.options = (False, similar, 1.0, "similarity" if similar else "euclidean")
        self.squared = not similar

    def prepare(self, vectors: Array) -> list[Any]:
        # What is not finite has no root and scores NaN, as nothing to compare does.
        roots, losses = [], []
        for v in vectors:
            finite = np.isfinite(v).all()
            f, lost = root(second_moments(v)) if finite else (np.zeros((2, 1)), 0.0)
            roots.append(f)
            losses.append(lost > len(f) * tie_tolerance(vectors.dtype))
        prepared = _cpu.procrustes_prepare(roots, *self.options, _engine.threads())
        return [
            _Root(data, norm, lost) for (data, norm, *_), lost in zip(prepared, losses, strict=True)
        ]

    def is_flat(self, item: _Root) -> bool:
        return item.norm == 0

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        scores = np.empty((len(a), len(a if b is None else b)))
        with named_convergence("rsa"):
            _cpu.procrustes_compare(
                [item.data for item in a],
                [item.norm for item in a],
                [item.data for item in b or []],
                [item.norm for item in b or []],
                b is None,
                scores,
                *self.options,
                _engine.threads(),
            )
        return scores**2 if self.squared else scores

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        return np.array([self.all_pairs([p], [q])[0, 0] for p, q in zip(a, b, strict=True)])


class _Riemannian:
    """Minus the affine-invariant distance, one scale and one share of noise being free."""

    def prepare(self, vectors: Array) -> list[Any]:
        return [_about_first(v.astype(np.float64)) for v in vectors]

    def is_flat(self, item: Array) -> bool:
        return False

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        return np.array([[_negative_distance(p, q) for q in (a if b is None else b)] for p in a])

    def paired(self, a: list[Any], b: list[Any]) -> Array:
        return np.array([_negative_distance(p, q) for p, q in zip(a, b, strict=True)])


def require_rankable(function: str, comparison: str, size: int) -> None:
    """Raise ``ValueError`` for a comparison by ranks of condensed RDMs that are too long."""
    if comparison in (*_RHOS, *_COUNTS) and size > _MOST_RANKED:
        raise ValueError(
            f"{function}: comparison {comparison!r} ranks at most {_MOST_RANKED} dissimilarities, "
            f"those of 65536 samples; got {size}"
        )


def samples_of(size: int) -> int:
    """n of a condensed RDM with ``size = n (n - 1) / 2`` entries."""
    return int(np.ceil(np.sqrt(2 * size)))


def square(vector: Array) -> Array:
    """The RDM itself, ``(n, n)``."""
    n = samples_of(len(vector))
    out = np.zeros((n, n))
    out[np.triu_indices(n, 1)] = vector
    return out + out.T


def second_moments(vector: Array) -> Array:
    """``-1/2 H D H``: inner products of centred samples whose squared distances are D."""
    d = square(vector)
    means = d.mean(axis=0)
    g: Array = -(d - means - means[:, None] + means.mean()) / 2
    return g


def root(g: Array) -> tuple[Array, float]:
    """F with ``F F' = G`` up to negative eigenvalues and rounding, zeros for zeros, and the size of
    the least of those as a share of the largest."""
    values, vectors = np.linalg.eigh(g)
    largest = max(values[-1], 0)
    kept = values > len(g) * np.finfo(np.float64).eps * largest
    if not kept.any():
        return np.zeros((len(g), 1)), float(values[0] < 0)
    out: Array = vectors[:, kept] * np.sqrt(values[kept])
    return out, float(max(-values[0], 0) / largest)


def _about_first(vector: Array) -> Array:
    """Inner products of the samples minus the first one, ``(n - 1, n - 1)``."""
    d = square(vector)
    g: Array = (d[0, 1:, None] + d[0, None, 1:] - d[1:, 1:]) / 2
    return g


def _negative_distance(g: Array, h: Array) -> float:
    from scipy.linalg import eigvalsh
    from scipy.optimize import minimize

    if not (np.isfinite(g).all() and np.isfinite(h).all()):
        return float("nan")
    lower = np.linalg.eigvalsh(h)
    if lower[0] <= len(h) * np.finfo(np.float64).eps * lower[-1]:
        raise low_rank_rdm(len(h))
    noise = np.eye(len(g)) + 1  # of differences from the first sample

    def distance(theta: Array) -> float:
        values = eigvalsh(np.exp(theta[0]) * g + np.exp(theta[1]) * noise, h)
        return float(np.sqrt((np.log(np.maximum(values, np.finfo(float).tiny)) ** 2).sum()))

    return -float(minimize(distance, (0.0, 0.0), method="Nelder-Mead").fun)
