"""What the study of truncation maps computes and trains."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """One independent random stream for every use."""

    CLUSTERS = 0
    SCALES = 1
    ROTATION = 2
    SPLIT = 3
    BATCHES = 4
    CONTROLS = 5


@dataclass(frozen=True)
class Settings:
    """Sizes of the study; the defaults are the full run."""

    seed: int = 0
    points: int = 200
    """In each cluster of the exact flow."""
    spread: float = 0.4
    """Standard deviation of a cluster in every coordinate."""
    radius: float = 16.0
    """Distance of the clusters from their centre."""
    horizon: float = 8.0
    moments: int = 321
    """Times at which the flow is looked at, equally spaced from 0 to the horizon."""
    small_step: float = 1e-3
    """Of the integrator that the exact flow is checked with."""
    networks: int = 5
    """Fewer decide nothing: all of five fall by chance in 1 of 32 runs, of three in 1 of 8."""
    width: int = 64
    layers: int = 3
    """Hidden ones."""
    epochs: int = 400
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    held_out: int = 360
    rotations: int = 20
    """Random rotations of the units, the control of how adapted weights are."""

    @classmethod
    def quick(cls, seed: int = 0) -> Settings:
        """One network, fewer epochs, fewer moments, a coarser check."""
        return cls(seed=seed, networks=1, epochs=40, moments=161, small_step=4e-3)

    @property
    def times(self) -> np.ndarray:
        return np.linspace(0, self.horizon, self.moments)

    def generator(self, stream: Stream, *index: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, stream, *index))
