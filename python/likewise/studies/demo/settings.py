"""What the demo trains, records and compares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

CLEAN = "clean"
NOISE = "noise"
ROTATION = "rotation by 90°"
PIXEL_SHUFFLE = "pixel shuffle"
SHIFTS = (NOISE, ROTATION, PIXEL_SHUFFLE)


class Stream(IntEnum):
    """One independent random stream for every use, so that no draw depends on the order of work."""

    SPLIT = 0
    NOISE = 1
    PIXELS = 2
    BATCHES = 3
    CONTROLS = 4
    WEIGHTS = 5


@dataclass(frozen=True)
class Settings:
    """Sizes of the demo; the defaults are what `likewise demo` runs."""

    seed: int = 0
    networks_per_width: int = 4
    widths: tuple[int, ...] = (32, 96)
    layers: int = 4
    steps: tuple[int, ...] = (0, 2, 8, 32, 128, 512)
    batch_size: int = 64
    learning_rate: float = 1e-3
    held_out: int = 500
    noise_sd: float = 0.3
    shuffles: int = 20

    @property
    def last_step(self) -> int:
        return self.steps[-1]

    @property
    def states(self) -> tuple[State, ...]:
        """Every checkpoint on clean images, then the last one under each shift."""
        training = tuple(State(step, CLEAN) for step in self.steps)
        return training + tuple(State(self.last_step, shift) for shift in SHIFTS)

    def generator(self, stream: Stream, *index: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, stream, *index))


@dataclass(frozen=True)
class State:
    """When a network is looked at, and on which version of the held-out images."""

    step: int
    condition: str


@dataclass(frozen=True)
class Network:
    """One network to train; `number` counts over both widths, `seed` within one."""

    number: int
    width: int
    seed: int

    @property
    def label(self) -> str:
        return f"width {self.width}, seed {self.seed}"


@dataclass(frozen=True)
class Key:
    """Address of one recorded representation; layers count from 0 here and from 1 in labels."""

    network: Network
    layer: int
    state: State

    @property
    def label(self) -> str:
        state = self.state
        return f"{self.network.label}, layer {self.layer + 1}, step {state.step}, {state.condition}"


Recordings = dict[Key, NDArray[np.float32]]


def networks(settings: Settings) -> tuple[Network, ...]:
    """All networks, those of the first width first."""
    seeds = range(settings.networks_per_width)
    pairs = [(width, seed) for width in settings.widths for seed in seeds]
    return tuple(Network(number, width, seed) for number, (width, seed) in enumerate(pairs))
