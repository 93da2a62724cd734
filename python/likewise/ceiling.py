"""Noise ceilings: the best score that noise in the data allows."""

from __future__ import annotations

from typing import Generic, NamedTuple

import numpy as np

from likewise._border.arrays import NUMPY, Array, read
from likewise._border.types import AnyArray, ArrayT
from likewise._comparison import (
    IN_NUMPY,
    Comparison,
    comparator,
    require_comparison,
    require_condensed,
    require_rankable,
)
from likewise.measure.frames import near_one
from likewise.rdm import warn_flat

# As what RDMs are pooled.
_POOLED = {"cosine": "cosine", "cosine_cov": "cosine", "corr": "corr", "corr_cov": "corr"}
_POOLED |= dict.fromkeys(("spearman", "rho-a", "kendall", "tau-b", "tau-a"), "rho-a")

__all__ = ["RSACeiling", "noise_ceiling", "rsa_noise_ceiling"]


def noise_ceiling(repeats: AnyArray[ArrayT], *, check_finite: bool = True) -> ArrayT:
    """The largest correlation with mean responses that noise between repeats allows.

    The root of the reliability of the mean over ``r`` repeats, ``sqrt((B - W) / B)`` with ``B`` and
    ``W`` the mean squares between and within stimuli (one-way analysis of variance; the intraclass
    correlation ICC(1, k) of Shrout & Fleiss 1979): a model that knew the true responses would
    correlate that much with the measured means. Range [0, 1]; 0 where repeats agree no more than
    stimuli do.

    Parameters
    ----------
    repeats
        ``(..., r, n, d)``: the responses of ``d`` units to ``n`` stimuli, at least 2 repeats.

    Returns
    -------
    ``(..., d)``. ``linear_predictivity(x, repeats.mean(axis=-3)).corrected(...)`` takes it.

    Raises
    ------
    ValueError
        Fewer than 2 repeats or stimuli, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    (data,), library = read("noise_ceiling", check_finite, repeats=repeats)
    if data.ndim < 3 or data.shape[-3] < 2 or data.shape[-2] < 2:
        raise ValueError(
            "noise_ceiling: repeats must have shape (..., r, n, d) with r, n >= 2, got "
            f"{data.shape}"
        )
    (data,), library = library.on_cpu([data])
    count, stimuli = data.shape[-3], data.shape[-2]
    wide, _ = near_one(data.astype(np.float64), axis=(-3, -2))
    moved, _ = near_one(wide - wide[..., :1, :1, :], axis=(-3, -2))  # equal ones become zeros
    means = moved.mean(axis=-3, keepdims=True)
    within = ((moved - means) ** 2).sum(axis=(-3, -2)) / (stimuli * (count - 1))
    between = count * means[..., 0, :, :].var(axis=-2, ddof=1)
    signal = np.maximum(between - within, 0)
    known = ~(between <= 0)  # NaN stays NaN
    ceiling = np.sqrt(np.divide(signal, between, out=np.zeros_like(signal), where=known))
    return library.give(ceiling.astype(data.dtype, copy=False))


class RSACeiling(NamedTuple, Generic[ArrayT]):
    """What the best model RDM may score, given how much subjects differ: numbers."""

    lower: float
    """Mean over subjects of the score of the other subjects' pooled RDM."""
    upper: float
    """The same of the RDM pooled over all subjects, the tested one included."""


def rsa_noise_ceiling(
    rdms: AnyArray[ArrayT], *, comparison: Comparison = "spearman", check_finite: bool = True
) -> RSACeiling[ArrayT]:
    """Bounds on the score of the true RDM (Nili et al. 2014).

    RDMs are pooled by the mean of what the comparison sees: of unit length ("cosine",
    "cosine_cov"), standardised ("corr", "corr_cov"), ranked ("spearman", "rho-a" and, as an
    approximation, the taus), or as they are ("neg_riem_dist"). As rsatoolbox's
    ``boot_noise_ceiling``.

    Parameters
    ----------
    rdms
        Condensed RDMs ``(subjects, m)`` of at least 2 subjects, seeds or repeats.
    comparison
        See :func:`likewise.rsa`; not "bures" and "bures_metric", for which no pooling is known.
    check_finite
        Look for NaN and infinity first.

    Raises
    ------
    ValueError
        An unknown comparison, fewer than 2 RDMs, or what :func:`likewise.compare_rdms` refuses.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    name = "rsa_noise_ceiling"
    require_comparison(name, comparison)
    if comparison.startswith("bures"):
        raise ValueError(f"{name}: comparison {comparison!r} has no ceiling, choose another")
    (given,), library = read(name, check_finite, rdms=rdms)
    if given.ndim != 2 or given.shape[0] < 2:
        raise ValueError(f"{name}: rdms must have shape (subjects >= 2, m), got {given.shape}")
    require_condensed(name, rdms=given)
    require_rankable(name, comparison, given.shape[1])
    (given,), library = library.on_cpu([given])
    if comparison in IN_NUMPY:
        parts = np.asarray(given, np.float64)
    else:
        parts = np.empty(given.shape)
        library.engine.compared_rdms(given, parts, _POOLED[comparison], library.run)
        if _POOLED[comparison] == "rho-a":  # centred ranks as whole numbers: their sums tie exactly
            size = float(given.shape[1])
            parts = np.rint(parts * np.sqrt((size**3 - size) / 3))
    total = parts.sum(axis=0)
    rest = (total - parts) / (len(parts) - 1)
    lower = [
        _scores(one[None], part[None], comparison)[0] for one, part in zip(rest, parts, strict=True)
    ]
    upper, flat = _scores(total[None] / len(parts), parts, comparison)
    without = np.isnan(parts).any(axis=1) & np.isfinite(given).all(axis=1)
    warn_flat(name, int(flat[1:].sum() + without.sum()))
    return RSACeiling(float(np.mean(lower)), float(np.mean(upper)))


def _scores(p: Array, q: Array, comparison: str) -> tuple[Array, Array]:
    """Scores of all pairs of RDMs, and which of them are flat."""
    scores, flat = np.empty((len(p), len(q))), np.zeros(len(p) + len(q), np.int64)
    if comparison in IN_NUMPY:
        by = comparator(comparison)
        scores[:] = by.all_pairs(by.prepare(p), by.prepare(q))
    else:
        NUMPY.engine.compare_rdms(p, q, scores, flat, comparison, NUMPY.run)
    return scores, flat
