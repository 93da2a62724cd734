"""Representational similarity analysis: comparison of dissimilarity matrices."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from likewise import _cpu
from likewise._border.arrays import read
from likewise._comparison import (
    Comparison,
    comparator,
    require_rankable,
    samples_of,
)
from likewise._rsa_measure import ON_DEVICES, RSA, require_comparison
from likewise.rdm import Dissimilarity, warn_clipped, warn_flat

__all__ = [
    "RSA",
    "compare_rdms",
    "require_comparison",
    "require_condensed",
    "rsa",
]


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
    p: Any, q: Any, *, comparison: Comparison = "spearman", check_finite: bool = True
) -> Any:
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
    if library.engine is not _cpu:
        scores = library.empty(shape, np.float64)
        flat = library.zeros((sum(math.prod(side.shape[:-1]) for side in sides),), np.int64)
        samples = samples_of(sides[0].shape[-1])
        library.engine.compare_rdms(*sides, samples, scores, flat, comparison, library.run)
        if found := library.finish(flat):
            warn_flat(name, int(found[0].sum()))
        return library.give(library.cast(scores, sides[0].dtype))
    by = comparator(comparison)
    lists = [np.atleast_2d(side) for side in sides]
    scores = np.empty(tuple(map(len, lists)))
    if scores.size:
        items = [by.prepare(rdms.copy()) for rdms in lists]
        scores[:] = by.all_pairs(*items)
        each = zip(itertools.chain(*items), itertools.chain(*lists), strict=True)
        warn_flat(
            name, sum(by.is_flat(item) and bool(np.isfinite(rdm).all()) for item, rdm in each)
        )
        if comparison.startswith("bures"):
            warn_clipped(name, sum(item.clipped for side in items for item in side))
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
