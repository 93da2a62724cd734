"""Parts and halves of the samples, and what their scores say about the error of a score.

Nothing is drawn twice: copies of a sample are alike in both representations and, in another fold,
known beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise.measure import Measure, score_error
from likewise.measure.orders import equal_groups

__all__ = ["Interval", "Subsets"]

PLAIN, ARCTANH, CUBE_ROOT = range(3)
LEAST_SAMPLES = 50  # below, no coverage was shown
_LEFT_OUT = 0.2  # of the samples, in the parts


class Interval(NamedTuple):
    """How scores of parts and halves become an interval; see ``csrc/inference/cuda/draws.h``."""

    parts: int
    """The first so many draws; the others are pairs of halves."""
    scale: float
    """Variance over the parts times this is that of the score, if samples act one by one..."""
    excess: float
    """...and 1 + this times as much if they act in pairs."""
    quantile: float
    scaled: int
    """The interval is one of the score, of arctanh of similarities that are at most 1 (1), of the
    cube root where the score has any positive value (2)."""
    low: float
    high: float
    """The range of the measure."""
    rounding: float
    """Halves that differ by no more of the width of the range, or of an unbounded score, say
    nothing."""

    def of(self, score: float, draws: Array) -> tuple[float, float, float]:
        """Standard error and both ends."""
        kept = draws.astype(np.float64)
        parts, pairs = kept[: self.parts], kept[self.parts :].reshape(-1, 2)
        parts, pairs = parts[~np.isnan(parts)], pairs[~np.isnan(pairs).any(axis=1)]
        if len(parts) < 2 or len(pairs) < 2 or np.isnan(score):
            return math.nan, math.nan, math.nan
        between = (np.diff(pairs) ** 2).mean() / 4
        of_means = pairs.mean(axis=1).var(ddof=1)
        # Samples that act one by one leave the mean of two halves as it is.
        width = self.high - self.low
        rounding = self.rounding * (abs(score) if math.isinf(width) else width)
        joint = min(of_means / between, 0.5) if between > rounding**2 else 0.0
        # A square, to be on the safe side where the scale leaves the score skewed.
        pairwise = (joint / (1 - joint)) ** (1 if self.scaled == CUBE_ROOT else 2)
        variance = parts.var(ddof=1) * self.scale / (1 + self.excess * pairwise)
        error = math.sqrt(variance)
        reach = self.quantile * error
        low, high = score - reach, score + reach
        if self.scaled == ARCTANH and abs(score) < 1:
            centre, reach = math.atanh(score), reach / (1 - score * score)
            low, high = math.tanh(centre - reach), math.tanh(centre + reach)
        elif self.scaled == CUBE_ROOT and score > 0:
            root = math.cbrt(score)
            least, most = (max(root + sign * reach / (3 * root * root), 0) for sign in (-1, 1))
            low, high = least * least * least, most * most * most
        return error, max(low, self.low), min(high, self.high)


class Subsets:
    """Rows of so many subsets: parts without a fifth of the samples, and pairs of halves.

    Parts keep their samples in the folds that the measure puts them in. Every pass gives the same
    subsets and leaves the generator behind the last one.
    """

    def __init__(
        self,
        chosen: Measure,
        samples: int,
        count: int,
        random_state: int | np.random.Generator | None,
        *,
        groups: Any = None,
    ) -> None:
        self.count, self._pairs = count, count // 4
        self._grouped, self._rows = groups is not None, np.arange(samples)[:, None]
        if self._grouped:
            instead = "intervals from subsets of unequal sizes were not shown to cover"
            self._rows = equal_groups("bootstrap", groups, samples, instead)
        # What is drawn, here called samples: single ones, or groups of so many rows.
        samples, self._size = self._rows.shape
        self._chosen, self._samples, self._half = chosen, samples, samples // 2
        folds = len(self._folds(samples))
        self._part = samples - max(round(_LEFT_OUT * samples / folds), 1) * folds
        self._rng = np.random.default_rng(random_state)
        self._start = self._rng.bit_generator.state

    def require(self, function: str) -> None:
        """Raise ``ValueError`` where halves say nothing."""
        least = getattr(self._chosen, "least_for_interval", LEAST_SAMPLES)
        for_halves = math.ceil(self._of_part(self._half).min_samples / self._size)
        needed, drawn = max(2 * for_halves, least), "groups" if self._grouped else "samples"
        if self._samples < needed:
            raise ValueError(
                f"{function}: needs at least {needed} {drawn} for {self._chosen.name}, got "
                f"{self._samples}; halves of fewer say nothing about the error, compare "
                "with permutation_test instead"
            )

    def interval(self, level: float, dtype: Any) -> Interval:
        left_out, (low, high) = self._samples - self._part, self._chosen.range
        scaled = PLAIN
        if self._chosen.kind == "similarity" and high == 1:
            scaled = ARCTANH
        elif low == 0 and math.isinf(high):
            scaled = CUBE_ROOT
        return Interval(
            self.count - 2 * self._pairs,
            self._part / left_out,
            self._samples / self._part,
            _student(0.5 + level / 2, self._samples / 3),
            scaled,
            low,
            high,
            score_error(self._chosen, dtype),
        )

    def blocks(self, bytes_per_sample: int, most_bytes: int) -> Iterator[tuple[Measure, Array]]:
        """The measure of subsets of such a size, and rows ``(k, size)`` int32 of some of them."""
        self._rng.bit_generator.state = self._start
        for count, size, draw in (
            (self.count - 2 * self._pairs, self._part, self._parts()),
            (2 * self._pairs, self._half, self._halves()),
        ):
            rows = size * self._size
            most = int(np.clip(most_bytes // (max(bytes_per_sample, 4) * rows), 1, count))
            chosen = self._of_part(size)
            for first in range(0, count, most):
                block = np.empty((min(most, count - first), rows), np.int32)
                for row in block:
                    row[:] = self._rows[next(draw)].ravel()
                yield chosen, block

    def _parts(self) -> Iterator[Array]:
        rows = np.empty(self._part, np.int32)
        folds = list(zip(self._folds(self._samples), self._folds(self._part), strict=True))
        while True:
            for fold, kept in folds:
                rows[kept] = self._rng.permutation(fold)[: len(kept)]
            yield rows

    def _halves(self) -> Iterator[Array]:
        while True:
            order = self._rng.permutation(self._samples)
            yield order[: self._half]
            yield order[self._half : 2 * self._half]

    def _folds(self, samples: int) -> list[Array]:
        if hasattr(self._chosen, "folds"):
            return self._chosen.folds(samples)
        return [np.arange(samples)]

    def _of_part(self, size: int) -> Measure:
        if hasattr(self._chosen, "of_part"):
            return self._chosen.of_part(size * self._size, self._samples * self._size)
        return self._chosen


def _student(probability: float, freedom: float) -> float:
    """Quantile of Student's t (Abramowitz & Stegun 1964, 26.7.5); to 1e-3 for 12 degrees."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf(probability)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
