"""What the guidance study trains: one row for every kind of target."""

from __future__ import annotations

from dataclasses import dataclass, replace

BASE = "base"
TRAINED = "trained guide"
UNTRAINED = "untrained guide"
CUT = "untrained guide, cut off"
CONDITIONS = (BASE, UNTRAINED, TRAINED, CUT)

# The guides themselves, as networks that solve the task or do not.
GUIDE_TRAINED = "the trained guide itself"
GUIDE_UNTRAINED = "the untrained guide itself"


@dataclass(frozen=True)
class Row:
    """One kind of target, trained on its own and guided."""

    name: str
    title: str
    task: str
    """`digits`, `copying` or `parity`."""
    examples: int
    epochs: int
    guide_epochs: int
    depth: int
    guide_depth: int
    width: int = 64
    guide_width: int = 8
    normalized: bool = True
    longest: int = 0
    """Symbols or bits in a sequence."""
    conditions: tuple[str, ...] = CONDITIONS
    guide_learning_rate: float = 3e-3


OVERFITS = Row(
    "overfits",
    "20 layers, 300 images",
    task="digits",
    examples=300,
    epochs=100,
    guide_epochs=100,
    depth=20,
    guide_depth=6,
)
UNTRAINABLE = Row(
    "untrainable",
    "50 layers, 1200 images",
    task="digits",
    examples=1200,
    epochs=60,
    guide_epochs=20,
    depth=50,
    guide_depth=16,
)
UNNORMALIZED = replace(
    OVERFITS,
    name="unnormalized",
    title="20 layers, no BatchNorm",
    normalized=False,
    conditions=(BASE, UNTRAINED, TRAINED),
)
COPYING = Row(
    "copying",
    "Copying, recurrent",
    task="copying",
    examples=2000,
    epochs=60,
    guide_epochs=60,
    depth=2,
    guide_depth=2,
    width=32,
    guide_width=32,
    longest=8,
)
PARITY = replace(
    COPYING,
    name="parity",
    title="Parity, Transformer",
    task="parity",
    guide_epochs=120,
    longest=12,
)


@dataclass(frozen=True)
class Settings:
    """The rows and what all of them share; the defaults are the full run."""

    seed: int = 0
    seeds: int = 5
    """Fewer decide nothing: all of five gain by chance in 1 of 32 runs, of three in 1 of 8."""
    rows: tuple[Row, ...] = (OVERFITS, UNTRAINABLE, UNNORMALIZED, COPYING, PARITY)
    batch_size: int = 128
    learning_rate: float = 1e-3
    cut_off: int = 60
    """Steps of guidance where it is cut off."""
    records: int = 20
    """How often accuracy and loss are taken during a training, beside its start."""
    processes: int = 2
    """Of one thread each; 1 trains in the calling process."""

    @classmethod
    def quick(cls, seed: int = 0) -> Settings:
        """The network that overfits alone, once."""
        row = replace(OVERFITS, epochs=80, guide_epochs=60)
        return cls(seed=seed, seeds=1, rows=(row,), processes=1)

    def of_seed(self, repetition: int) -> int:
        """The seed of a repetition; data, weights and batches are drawn from it."""
        return self.seed * self.seeds + repetition
