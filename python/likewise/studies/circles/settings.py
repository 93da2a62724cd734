"""What the study of circles trains and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """One independent random stream for every use, so that no draw depends on the order of work."""

    EMBEDDING = 0
    NETWORK = 1
    RANDOM_CIRCLES = 2
    CONSTRUCTION = 3
    CONTROLS = 4


@dataclass(frozen=True)
class Settings:
    """Sizes of the study; the defaults are those of the full run."""

    seed: int = 0
    p: int = 59
    """The modulus, an odd number."""
    dimension: int = 128
    hidden: int = 100
    learning_rate: float = 0.01
    weight_decay: float = 0.5
    train_share: float = 0.8
    steps: int = 1500
    checkpoints: tuple[int, ...] = (0, 50, 100, 150, 200, 300, 500, 1000)
    embeddings: int = 2
    """Initial embeddings; each is trained `runs` times with other weights and another split."""
    runs: int = 8
    gradient_step: int = 4
    dynamics_steps: int = 1000
    """The recurrences are fitted to so many steps from the start."""
    fitted_share: float = 0.8
    """Part of these steps that is fitted when the rest is held out."""
    intervention_runs: int = 3
    """Runs of every ablation and every perturbation, with the seeds of the first runs."""
    intervention_steps: int = 1000
    factors: tuple[float, ...] = (0.85, 0.925, 1.075, 1.15)
    """Perturbations of one frequency; the unperturbed runs are there anyway."""
    constructed_signal: float = 80.0
    ratios: tuple[float, ...] = tuple(float(r) for r in np.exp(np.linspace(-4, 0, 16)))
    """Signal of the second constructed circle over that of the first."""
    shuffles: int = 1000
    workers: int | None = None
    """Processes; as many as there are cores if not given."""

    @classmethod
    def quick(cls, seed: int = 0) -> Settings:
        """p = 31 and short runs, for less than a minute on two cores."""
        return cls(
            seed=seed,
            p=31,
            dimension=64,
            steps=650,
            embeddings=3,
            runs=4,
            checkpoints=(0, 50, 100, 150, 200, 300, 450, 650),
            dynamics_steps=650,
            intervention_runs=1,
            intervention_steps=400,
            factors=(0.85, 1.15),
            constructed_signal=40.0,
            ratios=(0.1, 0.5, 1.0),
        )

    @property
    def frequencies(self) -> int:
        """How many frequencies compete, (p - 1) / 2."""
        return (self.p - 1) // 2

    def generator(self, stream: Stream, *index: int) -> np.random.Generator:
        return np.random.default_rng(self.key(stream, *index))

    def key(self, stream: Stream, *index: int) -> tuple[int, ...]:
        """Seeds one draw."""
        return (self.seed, stream, *index)
