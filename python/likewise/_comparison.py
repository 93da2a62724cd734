"""Comparisons of RDMs that are written in NumPy, and what all comparisons share."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from likewise._border.arrays import NUMPY, Array
from likewise._border.engine import named_convergence
from likewise.errors import low_rank_rdm

__all__ = [
    "COMPARISONS",
    "IN_NUMPY",
    "ON_DEVICES",
    "PRODUCTS",
    "REORDERED",
    "Comparator",
    "Comparison",
    "comparator",
    "require_comparison",
    "require_condensed",
    "require_rankable",
    "samples_of",
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

PRODUCTS = ("cosine", "corr", "cosine_cov", "corr_cov")  # of entries: they have gradients
REORDERED = ("cosine", "corr", "spearman", "rho-a")  # made once for all orders of samples
ON_DEVICES = (*REORDERED, "cosine_cov", "corr_cov")
IN_NUMPY = ("bures", "bures_metric", "neg_riem_dist")
_RANKED = ("spearman", "rho-a", "kendall", "tau-b", "tau-a")

COMPARISONS = ("cosine", "corr", *_RANKED, "cosine_cov", "corr_cov", *IN_NUMPY)

_MOST_RANKED = 2**31 - 1  # ranks are int32


def tie_tolerance(dtype: Any) -> float:
    """The share of the larger of two entries that they may differ by and tie: what computing an
    RDM in this dtype leaves uncertain."""
    return 1e-6 if dtype == np.float32 else 1e-12


class Comparator(Protocol):
    """A comparison of RDMs; those that are not finite score NaN."""

    def prepare(self, vectors: Array) -> list[Any]:
        """One prepared RDM for each row of ``(k, m)``."""
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
    """The comparison of that name, of those in NumPy."""
    return _Riemannian() if name == "neg_riem_dist" else _Bures(name)


class _Root(NamedTuple):
    """An RDM for Bures's comparisons."""

    data: Array
    """F of second moments F F', zeros where there is nothing to compare."""
    clipped: bool
    """Its second moments have negative eigenvalues: it has no squared Euclidean distances."""


class _Bures:
    """Second moments as covariances: with roots F F' = G, a Procrustes comparison of F."""

    def __init__(self, name: str) -> None:
        similar = name == "bures"
        self.options = (False, similar, 1.0, "similarity" if similar else "euclidean")
        self.squared = not similar

    def prepare(self, vectors: Array) -> list[Any]:
        items = []
        for v in vectors:
            finite = np.isfinite(v).all()
            n = samples_of(len(v))
            f, lost = root(second_moments(v)) if finite else (np.zeros((n, 1)), 0.0)
            items.append(_Root(f, lost > len(f) * tie_tolerance(vectors.dtype)))
        return items

    def is_flat(self, item: _Root) -> bool:
        return not item.data.any()

    def all_pairs(self, a: list[Any], b: list[Any] | None) -> Array:
        lists = ([item.data for item in side] for side in (a, b or ()))
        scores = np.empty((len(a), len(a if b is None else b)))
        counts = np.zeros((3, len(a) + len(b or ())), np.int64)
        with named_convergence("rsa"):
            NUMPY.engine.procrustes_scores(*lists, scores, counts, self.options, NUMPY.run)
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
    if comparison in _RANKED and size > _MOST_RANKED:
        raise ValueError(
            f"{function}: comparison {comparison!r} ranks at most {_MOST_RANKED} dissimilarities, "
            f"those of 65536 samples; got {size}"
        )


def require_comparison(function: str, comparison: str) -> None:
    """Raise ``ValueError`` for an unknown comparison."""
    if comparison not in COMPARISONS:
        known = ", ".join(map(repr, COMPARISONS))
        raise ValueError(f"{function}: comparison must be one of {known}, got {comparison!r}")


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
