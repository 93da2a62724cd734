"""Units across networks: how alike single units are, who matches whom, and which form groups."""

from __future__ import annotations

from typing import Any, Generic, Literal, NamedTuple

import numpy as np

from likewise._border.arrays import read
from likewise._border.device import is_device_array
from likewise._border.pairs import Pair, give_scores, read_pair, require_representation
from likewise._border.types import AnyArray, ArrayT
from likewise._comparison import tie_tolerance
from likewise.assignment import linear_sum_assignment
from likewise.errors import warn_degenerate
from likewise.measure.frames import near_one

__all__ = [
    "UnitMatching",
    "UnitStatistics",
    "match_units",
    "unit_similarity",
    "unit_statistics",
]

Similarity = Literal["correlation", "mutual_information"]


def unit_similarity(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    *,
    similarity: Similarity = "correlation",
    bins: int = 10,
    bias_correction: bool = True,
    check_finite: bool = True,
) -> ArrayT:
    """Every unit of ``x`` with every unit of ``y``, ``(..., dx, dy)``.

    ``"correlation"`` is Pearson's, signed, in [-1, 1]; computed in float64, so that for float32
    inputs it is that of the numbers given, off by the rounding of the result, at most ``2**-24``.
    ``"mutual_information"`` is
    ``sum p_ij log(p_ij / (p_i p_j))`` in nats of the joint histogram: zeros, which a rectifier
    makes many of, have a bin for themselves, all other values share ``bins - 1`` quantiles (Li,
    Yosinski, Clune, Lipson & Hopcroft 2016). It is at most ``log(bins)``.

    Parameters
    ----------
    x, y
        ``(..., n, dx)`` and ``(..., n, dy)``, batch axes broadcast.
    similarity
        ``"correlation"`` or ``"mutual_information"``.
    bins
        Of mutual information, 3 to 256.
    bias_correction
        Subtract ``(K_xy - K_x - K_y + 1) / (2 n)`` for ``K`` occupied bins (Miller 1955); values of
        independent units are then around 0, also below.
    check_finite
        Look for NaN and infinity first.

    Returns
    -------
    ``(..., dx, dy)``; 0 for constant units, of which a warning says how many there are.

    Raises
    ------
    ValueError
        An unknown similarity, bins out of range, different numbers of samples, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    name = "unit_similarity"
    if similarity not in ("correlation", "mutual_information"):
        raise ValueError(
            f"{name}: similarity must be 'correlation' or 'mutual_information', got {similarity!r}"
        )
    if not 3 <= bins <= 256:
        raise ValueError(f"{name}: bins must be between 3 and 256, got {bins}")
    pair = read_pair(name, x, y, check_finite=check_finite)
    if similarity == "correlation":
        return _correlations(name, pair)
    pair = pair.on_cpu()
    from likewise.information import mutual_information

    out = np.empty((*pair.batch, pair.x.shape[-1], pair.y.shape[-1]), pair.x.dtype)
    constant = 0
    for index in np.ndindex(pair.batch):
        sides = pair.x[index], pair.y[index]
        constant += sum(int((side == side[0]).all(axis=0).sum()) for side in sides)
        out[index] = mutual_information(*sides, bins, bias_correction)
    warn_degenerate(name, constant, 0)
    return give_scores(pair, out)


def _correlations(function: str, pair: Pair) -> Any:
    x, y, batch, library, _ = pair
    counts = library.zeros((1, 2, *batch), np.int64)
    out = library.empty((*batch, x.shape[-1], y.shape[-1]), np.float64)
    wide = [library.cast(side, np.dtype(np.float64)) for side in (x, y)]
    library.engine.unit_correlations(*wide, out, counts, library.run)
    scores = give_scores(pair, out)
    if found := library.finish(counts):
        warn_degenerate(function, int(found[0].sum()), 0)
    return scores


class UnitMatching(NamedTuple, Generic[ArrayT]):
    """Partners of the units of x by a similarity matrix.

    Attributes
    ----------
    greedy
        The most similar unit of y for each unit of x, ``(dx,)``; repeats are allowed. The first of
        those that are equal but for rounding (a relative 1e-12, 1e-6 in float32).
    one_to_one
        Partner in the assignment with the largest sum, ``(dx,)``; -1 for units without one.
    greedy_similarity, one_to_one_similarity
        Similarity to those partners, ``(dx,)``; NaN without one.
    matched, unmatched
        How many units of x have a one-to-one partner of at least ``threshold``, and the others.
    threshold
        What counts as matched.
    same_partner
        Share of the units of x whose two partners are the same.
    """

    greedy: ArrayT
    one_to_one: ArrayT
    greedy_similarity: ArrayT
    one_to_one_similarity: ArrayT
    matched: int
    unmatched: int
    threshold: float
    same_partner: float

    def __repr__(self) -> str:
        if is_device_array(self.greedy):
            return (
                f"UnitMatching(arrays on a device, {self.matched} matched and {self.unmatched} "
                f"unmatched at {self.threshold:g}, same partner={self.same_partner:.0%})"
            )
        greedy = np.mean(np.asarray(self.greedy_similarity))
        one_to_one = np.nanmean(np.asarray(self.one_to_one_similarity))
        return (
            f"UnitMatching(mean greedy={greedy:.4g}, mean one-to-one="
            f"{one_to_one:.4g}, {self.matched} matched and "
            f"{self.unmatched} unmatched at {self.threshold:g}, same partner="
            f"{self.same_partner:.0%})"
        )


def match_units(similarity: AnyArray[ArrayT], *, threshold: float = 0.5) -> UnitMatching[ArrayT]:
    """Greedy and one-to-one partners by any similarity matrix (Li et al. 2016).

    Parameters
    ----------
    similarity
        ``(dx, dy)``, larger is more alike: from :func:`unit_similarity` or a stream.
    threshold
        Least similarity of units that count as matched.

    Raises
    ------
    ValueError
        If ``similarity`` is not a matrix with units on both sides, or not finite.
    """
    (matrix,), library = read("match_units", True, similarity=similarity)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"match_units: similarity must have shape (dx, dy), got {matrix.shape}")
    (matrix,), library = library.on_cpu([matrix])
    units = np.arange(len(matrix))
    best = matrix.max(axis=1, keepdims=True).astype(np.float64)
    greedy = (matrix >= best - tie_tolerance(matrix.dtype) * np.abs(best)).argmax(axis=1)
    partners = np.full(len(matrix), -1)
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    partners[rows] = columns
    paired = np.where(partners >= 0, matrix[units, partners], np.nan).astype(np.float64)
    matched = int(np.count_nonzero(paired >= threshold))
    return UnitMatching(
        library.give(greedy),
        library.give(partners),
        library.give(matrix[units, greedy].astype(np.float64)),
        library.give(paired),
        matched,
        len(matrix) - matched,
        threshold,
        float((greedy == partners).mean()),
    )


class UnitStatistics(NamedTuple, Generic[ArrayT]):
    """Of each unit, over the samples."""

    mean: ArrayT
    """``(..., d)``."""
    deviation: ArrayT
    """``(..., d)``."""
    active: ArrayT
    """Share of samples at which the unit is not zero, ``(..., d)``."""
    spectrum: ArrayT
    """The means, largest first: what networks are overlaid by, ``(..., d)``."""
    spread: ArrayT
    """Largest mean divided by the smallest positive one, ``(...)``; NaN without any."""


def unit_statistics(x: AnyArray[ArrayT], *, check_finite: bool = True) -> UnitStatistics[ArrayT]:
    """How active the units of a network are (Li et al. 2016, mean activations).

    Parameters
    ----------
    x
        ``(..., n, d)``, usually after the rectifier.
    check_finite
        Look for NaN and infinity first.

    Raises
    ------
    ValueError
        No samples or units, NaN or infinity.
    InputTypeError
        For inputs that cannot be used as they are.
    """
    (data,), library = read("unit_statistics", check_finite, x=x)
    require_representation("unit_statistics", "x", data, 1)
    (data,), library = library.on_cpu([data])
    # Deviations of differences, which are exactly 0 for equal values, in units whose squares fit.
    near, exponents = near_one(data.astype(np.float64), axis=-2)
    with np.errstate(invalid="ignore"):  # infinite ones, of an unchecked call
        deviation = (near - near[..., :1, :]).std(axis=-2)
    mean, deviation = (np.ldexp(p, -exponents[..., 0, :]) for p in (near.mean(axis=-2), deviation))
    spectrum = -np.sort(-mean, axis=-1)
    least = np.where(mean > 0, mean, np.inf).min(axis=-1)
    with np.errstate(invalid="ignore"):
        spread = np.where(np.isfinite(least), spectrum[..., 0] / least, np.nan)
    parts = (
        mean,
        deviation,
        np.count_nonzero(data, axis=-2) / data.shape[-2],
        spectrum,
        spread,
    )
    return UnitStatistics(
        *(library.give(np.asarray(part).astype(data.dtype, copy=False)) for part in parts)
    )
