"""Other versions of the probe: noise, rotation and shuffled pixels of growing size."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from likewise.studies.convergence.networks import Probe
from likewise.studies.convergence.variants import rotated

NOISE, ROTATION, SHUFFLE = "noise", "rotation", "shuffled pixels"
SIZES: dict[str, tuple[float, ...]] = {
    NOISE: (0.5, 1, 2),
    ROTATION: (30, 60, 90),
    SHUFFLE: (0.25, 0.5, 1),
}


class Shift(NamedTuple):
    """The same samples, shifted."""

    kind: str
    size: float
    """Noise in standard deviations of the probe's numbers, degrees, or the share of pixels."""
    inputs: torch.Tensor

    @property
    def label(self) -> str:
        """`noise, 0.5 sd`, `rotation, 30°` or `shuffled pixels, 25 %`."""
        return f"{self.kind}, {size_text(self.kind, self.size)}"


def size_text(kind: str, size: float) -> str:
    """The size with its unit."""
    if kind == NOISE:
        return f"{size:g} sd"
    return f"{size:g}°" if kind == ROTATION else f"{100 * size:.0f} %"


def shifts(probe: Probe, seed: int) -> list[Shift]:
    """All shifts that this probe can have: of images all, of vectors all but rotations, or none."""
    if not isinstance(probe, torch.Tensor) or not probe.is_floating_point():
        return []
    if probe.ndim not in (2, 4):
        return []
    makers = {NOISE: _noise, ROTATION: _rotation, SHUFFLE: _shuffle}
    kinds = [kind for kind in SIZES if kind != ROTATION or probe.ndim == 4]
    return [
        Shift(kind, size, makers[kind](probe, size, torch.Generator().manual_seed(seed)))
        for kind in kinds
        for size in SIZES[kind]
    ]


def _noise(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn(probe.shape, generator=generator).to(probe)
    return probe + size * probe.std() * noise


def _rotation(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    return rotated(probe, torch.full((len(probe),), math.radians(size)))


def _shuffle(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    """The same pixels move in all samples, each with all its channels."""
    pixels = probe.flatten(2) if probe.ndim > 2 else probe
    count = pixels.shape[-1]
    moved = torch.randperm(count, generator=generator)[: round(size * count)]
    order = torch.arange(count)
    order[moved.sort().values] = moved
    return pixels[..., order].reshape(probe.shape)
