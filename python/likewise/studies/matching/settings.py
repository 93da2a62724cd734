"""What the matching study trains and how it looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

PENALTIES = tuple(10 ** (-k / 4) for k in range(11))


@dataclass(frozen=True)
class Settings:
    """The defaults are the full run."""

    seed: int = 0
    networks: int = 4
    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    penalties: tuple[float, ...] = PENALTIES
    """Of the lasso, the largest first; 1 is the largest correlation there is."""
    folds: int = 5
    knee: float = 0.1
    """Loss that may be lost at the knee, as a share of what predicting nothing costs."""
    units_per_group: int = 4
    linkage: str = "average"
    """Of the tree of units."""
    probe_batch: int = 200
    """Images in a batch of the probe; sums over activations are kept, activations are not."""
    positions: int = 16
    """Positions of a feature map drawn for what needs all samples at once: groups, averages."""
    dead: float = 0.01
    """Units that are not zero at a smaller share of the probe's samples are called dead."""
    bins: int = 10
    """Of mutual information; zeros have one for themselves."""
    matched: float = 0.9
    """Units whose one-to-one partner correlates more than this count as matched."""
    unmatched: float = 0.5
    """Units whose one-to-one partner correlates less than this count as unmatched."""
    best_pairs: int = 8
    """Pairs of a layer that correlate most, looked up again among those of mutual information."""
    tops: int = 30
    """Images that drive a unit most, counted where two units have them in common."""
    shown: int = 5
    """Of these, those in the report."""
    shares: int = 11
    """Points on the line between two networks, ends included."""
    processes: int = 2
    """Of one thread each; 1 trains in the calling process."""

    @classmethod
    def quick(cls, seed: int = 0) -> Settings:
        """One pair of networks."""
        return cls(seed=seed, networks=2, epochs=40, processes=1)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Networks that are compared: units of the first look for partners in the second."""
        return list(combinations(range(self.networks), 2))

    def of_network(self, number: int) -> int:
        """The seed of a network's weights and batches."""
        return self.seed * self.networks + number
