"""What the convergence study trains and compares."""

from __future__ import annotations

from dataclasses import dataclass

from likewise.studies.digits import TRAINING

REDUCTIONS = ("mean", "centre", "positions", "flatten")
MAIN = "mean"
"""The reduction of feature maps wherever no other is named: a channel is a unit, its response the
mean over all positions."""


@dataclass(frozen=True)
class Settings:
    """Sizes of everything; the defaults are the full run."""

    seed: int = 0
    seeds: int = 3
    """Networks of each width."""
    widths: tuple[int, ...] = (8, 16)
    """Channels of the first convolution; the others have twice as many."""
    epochs: int = 20
    variants: int = 11
    """Of every training image in an epoch: 1200 images in batches of 32 make 412 steps."""
    batch_size: int = 32
    learning_rate: float = 1e-3
    early: tuple[int, ...] = (30, 100, 200)
    """Checkpoints within the first epoch, in steps, beside its start and its end."""
    later: tuple[int, ...] = (2, 5, 10)
    """Checkpoints after it, in epochs, beside the last."""
    folds: int = 5
    draws: int = 5
    """Of every control: shuffled stimuli and rotated units."""
    depths: int = 8
    """Most layers of a network that are compared, evenly spread from its first to its last."""
    most_units: int = 1024
    """Wider layers are left out where flattened."""
    positions: int = 8
    """Of every feature map, where positions are samples."""
    processes: int = 2
    """Of one thread each, for training and for comparing; 1 stays in the calling process."""

    @classmethod
    def quick(cls, seed: int = 0) -> Settings:
        """Two networks of one width and three epochs."""
        return cls(
            seed=seed,
            seeds=2,
            widths=(16,),
            epochs=3,
            early=(100,),
            later=(2,),
            draws=2,
            most_units=512,
        )

    @property
    def epoch_steps(self) -> int:
        """Batches in an epoch; an incomplete last one is left out."""
        return TRAINING * self.variants // self.batch_size

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Steps at which networks are kept, 0 being the untrained network."""
        epochs = (*self.later, self.epochs) if self.epochs > 1 else ()
        return (0, *self.early, *(k * self.epoch_steps for k in (1, *epochs)))

    def of_seed(self, number: int) -> int:
        """The seed of a network; weights, order of images and their variants are drawn from it."""
        return self.seed * self.seeds + number
