"""Who matches whom: greedy and one to one, by correlation and by mutual information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise import UnitMatching, match_units
from likewise.studies.matching.networks import Numbers
from likewise.studies.matching.settings import Settings
from likewise.studies.matching.streaming import Indices, LayerStatistics, Pair


@dataclass(frozen=True)
class Partners:
    """Partners of the living units of one network, `alive` (units,), in another.

    Dead units count as similar to nothing (0). They stay in the matching, as partners for those
    whom nobody is left for, and out of all means and counts.
    """

    matching: UnitMatching[Any]
    alive: NDArray[np.bool_]

    @property
    def greedy(self) -> float:
        """Mean similarity to the most similar unit; units may share it."""
        return float(self.matching.greedy_similarity[self.alive].mean())

    @property
    def one_to_one(self) -> float:
        """Mean similarity to the partner where no two units share one."""
        return float(self.similarity.mean())

    @property
    def similarity(self) -> Numbers:
        """To the one-to-one partner, for each living unit."""
        values: Numbers = self.matching.one_to_one_similarity[self.alive]
        return values

    @property
    def same(self) -> float:
        """Share of the units whose two partners are the same."""
        equal = self.matching.greedy == self.matching.one_to_one
        return float(equal[self.alive].mean())

    def ranked(self) -> Indices:
        """Living units, the most similar to its one-to-one partner first."""
        units = np.flatnonzero(self.alive)
        return units[np.argsort(-self.similarity, kind="stable")]


@dataclass(frozen=True)
class PairPartners:
    """Of two networks in one layer, and what the controls give."""

    correlation: Partners
    information: Partners
    shuffled: Partners
    same_position: Partners
    shuffled_information: Partners
    inside: float
    """Mean over living units of the largest correlation with another unit of the same network."""
    kept: int
    """Of the best pairs by correlation, those that mutual information makes too."""
    best: int
    """How many these best pairs are."""

    def numbers(self, settings: Settings) -> dict[str, float]:
        """Every mean, share and count, by name."""
        r = self.correlation.similarity
        counts = {
            "living": len(r),
            "matched": int((r > settings.matched).sum()),
            "unmatched": int((r < settings.unmatched).sum()),
            "inside": self.inside,
            "best_pairs": self.best,
            "best_pairs_kept": self.kept,
        }
        return counts | {
            f"{kind}_{what}": getattr(found, what)
            for kind, found in vars(self).items()
            if isinstance(found, Partners)
            for what in ("greedy", "one_to_one", "same")
        }


def partners(statistics: LayerStatistics, pair: Pair, settings: Settings) -> PairPartners:
    """Units of the first network with their partners in the second."""
    alive, others = (statistics.alive[network] for network in pair)
    both = np.outer(alive, others)
    found = {
        name: Partners(match_units(np.where(both, similarity, 0)), alive)
        for name, similarity in vars(statistics.pairs[pair]).items()
    }
    by_correlation, by_information = found["correlation"], found["information"]
    best = by_correlation.ranked()[: settings.best_pairs]
    equal = by_correlation.matching.one_to_one == by_information.matching.one_to_one
    return PairPartners(
        **found, inside=_inside(statistics, pair[0]), kept=int(equal[best].sum()), best=len(best)
    )


def _inside(statistics: LayerStatistics, network: int) -> float:
    others = statistics.within[network].copy()
    np.fill_diagonal(others, -np.inf)
    return float(others.max(axis=1)[statistics.alive[network]].mean())
