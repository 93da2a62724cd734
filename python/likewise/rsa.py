"""Representational similarity analysis: dissimilarity matrices and their comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from likewise import _cpu, _engine
from likewise._array import (
    Array,
    empty_scores,
    give_scores,
    read,
    read_pair,
    require_finite,
    require_representation,
)
from likewise.errors import DegenerateWarning, warn, warn_degenerate
from likewise.measure import prepare_batch, register

__all__ = ["RSA", "rdm", "rsa"]

Dissimilarity = Literal["correlation", "cosine", "euclidean", "sqeuclidean", "mahalanobis"]
Comparison = Literal["cosine", "corr", "spearman", "rho-a", "kendall", "tau-b", "tau-a"]

_DISSIMILARITIES = ("correlation", "cosine", "euclidean", "sqeuclidean")
_PRODUCTS = ("cosine", "corr", "spearman", "rho-a")
_COUNTS = ("kendall", "tau-b", "tau-a")


class _Prepared(NamedTuple):
    vector: Array
    """What the comparison needs of the condensed RDM; NaN if it has nothing to compare."""
    usable: bool
    constant_units: int
    width: int


def rdm(
    x: Any,
    *,
    dissimilarity: Dissimilarity = "correlation",
    precision: Any = None,
    check_finite: bool = True,
) -> Any:
    """Dissimilarities of all pairs of samples, condensed as SciPy's ``pdist`` does it.

    ``out[k]`` belongs to the k-th pair ``i < j``, row by row. With samples ``x_i``::

        correlation   1 - corr(x_i, x_j), over units
        cosine        1 - cos(x_i, x_j)
        euclidean     |x_i - x_j|
        sqeuclidean   |x_i - x_j|^2
        mahalanobis   sqrt((x_i - x_j)' precision (x_i - x_j))

    Distances are summed from differences where samples are nearly equal, so that none of them is
    rounding. A sample whose units are all equal (correlation) or zero (cosine) is at 1 from every
    other, with a :class:`DegenerateWarning`.

    Parameters
    ----------
    x
        ``(..., n, d)``, at least 2 samples.
    dissimilarity
        See above; SciPy's names.
    precision
        Inverse covariance of the noise ``(d, d)``, symmetric and positive definite; "mahalanobis"
        needs it and nothing else takes it.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(..., n (n - 1) / 2)`` in the dtype and library of x.

    Raises
    ------
    ValueError
        An unknown dissimilarity; a precision that is missing, not wanted, of another shape or not
        positive definite; fewer than 2 samples, no units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).
    """
    root = _precision_root(dissimilarity, precision)
    (array,), library = read("rdm", False, x=x)
    require_representation("rdm", "x", array, 2)
    if check_finite:
        require_finite("rdm", "x", array)
    n = array.shape[-2]
    out = np.empty((*array.shape[:-2], n * (n - 1) // 2), array.dtype)
    if root is None:
        _warn_without("rdm", _rdm(array, dissimilarity, out), dissimilarity)
    else:
        _rdm(_whitened(array, root), "euclidean", out)
    return library.give(out)


def _precision_root(dissimilarity: str, precision: Any) -> Array | None:
    """L of precision = L L'."""
    if dissimilarity not in (*_DISSIMILARITIES, "mahalanobis"):
        known = ", ".join(map(repr, (*_DISSIMILARITIES, "mahalanobis")))
        raise ValueError(f"rdm: dissimilarity must be one of {known}, got {dissimilarity!r}")
    if dissimilarity != "mahalanobis":
        if precision is not None:
            raise ValueError("rdm: precision goes with dissimilarity='mahalanobis' alone")
        return None
    if precision is None:
        raise ValueError("rdm: dissimilarity='mahalanobis' needs a precision (d, d)")
    (matrix,), _ = read("rdm", True, precision=precision)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"rdm: precision must have shape (d, d), got {matrix.shape}")
    if not np.allclose(matrix, matrix.T, rtol=1e-6):
        raise ValueError("rdm: precision must be symmetric")
    try:
        return np.linalg.cholesky(matrix.astype(np.float64))
    except np.linalg.LinAlgError:
        raise ValueError("rdm: precision must be positive definite") from None


def _rdm(array: Array, dissimilarity: str, out: Array) -> int:
    """Fills the condensed RDMs; returns the number of samples without variance or length."""
    return _cpu.rdm(array, dissimilarity, out, _engine.threads())


def _whitened(array: Array, root: Array) -> Array:
    """Samples whose Euclidean distances are the Mahalanobis distances of these."""
    if root.shape[0] != array.shape[-1]:
        raise ValueError(
            f"rdm: precision must have shape {(array.shape[-1],) * 2}, got {root.shape}"
        )
    centred = array - array.mean(axis=-2, keepdims=True)
    return np.asarray((centred @ root).astype(array.dtype))


def _warn_without(function: str, without: int, dissimilarity: str) -> None:
    if without:
        warn(
            f"{function}: {without} sample{'s' * (without != 1)} without "
            f"{'variance' if dissimilarity == 'correlation' else 'length'} (dissimilarity 1)",
            DegenerateWarning,
        )


@register
@dataclass(frozen=True)
class RSA:
    """Similarity of two RDMs; see :func:`rsa`."""

    dissimilarity: Dissimilarity = "correlation"
    comparison: Comparison = "spearman"

    name: ClassVar[str] = "rsa"
    streamable: ClassVar[bool] = False
    kind: ClassVar[str] = "similarity"
    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    symmetric: ClassVar[bool] = True
    is_metric: ClassVar[bool] = False
    min_samples: ClassVar[int] = 3

    def __post_init__(self) -> None:
        if self.dissimilarity not in _DISSIMILARITIES:
            known = ", ".join(map(repr, _DISSIMILARITIES))
            raise ValueError(
                f"rsa: dissimilarity must be one of {known}, got {self.dissimilarity!r}"
            )
        if self.comparison not in (*_PRODUCTS, *_COUNTS):
            known = ", ".join(map(repr, (*_PRODUCTS, *_COUNTS)))
            raise ValueError(f"rsa: comparison must be one of {known}, got {self.comparison!r}")

    @property
    def invariances(self) -> frozenset[str]:
        always = frozenset({"isotropic_scaling", "permutation"})
        if self.dissimilarity == "correlation":
            return always
        always |= {"orthogonal"}
        return always if self.dissimilarity == "cosine" else always | {"translation"}

    def prepare(self, items: Sequence[Array]) -> list[_Prepared]:
        """The RDM of each item, or a vector whose inner products with others are the scores."""
        constants = [int((item == item[:1]).all(axis=0).sum()) for item in items]
        n = len(items[0]) if items else 0
        vectors = np.empty((len(items), n * (n - 1) // 2), items[0].dtype if items else None)
        usable, without = [], 0
        for item, constant, vector in zip(items, constants, vectors, strict=True):
            flat = _rdm(item, self.dissimilarity, vector)
            usable.append(constant < item.shape[1] and bool(np.isfinite(vector).all()))
            without += flat if usable[-1] else 0
        _warn_without("rsa", without, self.dissimilarity)
        if self.comparison in ("spearman", "rho-a"):
            ranks = vectors if vectors.dtype == np.float64 else np.empty(vectors.shape)
            unit_norm = self.comparison == "spearman"
            _cpu.scaled_ranks(vectors, unit_norm, ranks, _engine.threads())
            vectors = ranks
        elif self.comparison in _PRODUCTS:
            vectors = self._unit(vectors.astype(np.float64))
        widths = [item.shape[1] for item in items]
        return [_Prepared(*facts) for facts in zip(vectors, usable, constants, widths, strict=True)]

    def _unit(self, vectors: Array) -> Array:
        if self.comparison == "corr":
            vectors = vectors - vectors.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.where(norms > 0, norms, np.nan))

    def compare(self, a: list[_Prepared], b: list[_Prepared] | None) -> Array:
        """Scores of all pairs: one product, or O(n log n) counts of concordant pairs."""
        other = a if b is None else b
        scores = np.empty((len(a), len(other)))
        if scores.size:
            left = np.stack([item.vector for item in a])
            right = left if b is None else np.stack([item.vector for item in other])
            if self.comparison in _PRODUCTS:
                scores[:] = left @ right.T
            else:
                scores[:] = self._taus(left, right, paired=False)
            unusable = [[not item.usable for item in side] for side in (a, other)]
            scores[np.logical_or.outer(*map(np.array, unusable))] = np.nan
        self._warn(a if b is None else a + b)
        return scores

    def _taus(self, left: Array, right: Array, paired: bool) -> Array:
        shape = (len(left),) if paired else (len(left), len(right))
        counts = np.empty((*shape, 3))
        _cpu.kendall(left, right, paired, counts, _engine.threads())
        pairs = left.shape[1] * (left.shape[1] - 1) / 2
        difference, ties_left, ties_right = np.moveaxis(counts, -1, 0)
        if self.comparison == "tau-a":
            return np.asarray(difference / pairs)
        untied = np.sqrt((pairs - ties_left) * (pairs - ties_right))
        taus = np.full(shape, np.nan)
        np.divide(difference, untied, out=taus, where=untied > 0)
        return taus

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        pair = read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)
        scores = empty_scores(pair)
        if scores.size:
            a, b = (prepare_batch(self.prepare, batch) for batch in (pair.x, pair.y))
            left, right = (np.stack([item.vector for item in side]) for side in (a, b))
            if self.comparison in _PRODUCTS:
                found = np.einsum("ij,ij->i", left, right)
            else:
                found = self._taus(left, right, paired=True)
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

    Range [-1, 1].

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
    ``(...)``; NaN for a constant representation, or for an RDM whose entries are all equal.

    Raises
    ------
    ValueError
        An unknown dissimilarity or comparison, different numbers of samples, fewer than 3 samples,
        no units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are (complex, sparse, mixed libraries).

    Warns
    -----
    DegenerateWarning
        Constant units or representations, and samples without variance or length.
    """
    return RSA(dissimilarity, comparison)(x, y, check_finite=check_finite)
