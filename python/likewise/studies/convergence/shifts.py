"""Other versions of images: variants to train on, and shifts of the probe of growing size."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from likewise.studies.convergence.networks import Probe
from likewise.studies.digits import SIDE

NOISE, ROTATION, SHUFFLE = "noise", "rotation", "shuffled pixels"
SIZES: dict[str, tuple[float, ...]] = {
    NOISE: (0.5, 1, 2),
    ROTATION: (30, 60, 90),
    SHUFFLE: (0.25, 0.5, 1),
}

_ANGLE, _PIXELS, _NOISE = 15.0, 1.0, 0.1


class Shift(NamedTuple):
    """The same samples, shifted."""

    kind: str
    size: float
    """Noise in standard deviations of the probe's numbers, degrees, or the share of pixels."""
    inputs: torch.Tensor


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
    makers = {NOISE: _noisy, ROTATION: _turned, SHUFFLE: _shuffled}
    kinds = [kind for kind in SIZES if kind != ROTATION or probe.ndim == 4]
    return [
        Shift(kind, size, makers[kind](probe, size, torch.Generator().manual_seed(seed)))
        for kind in kinds
        for size in SIZES[kind]
    ]


def _noisy(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    noise = torch.randn(probe.shape, generator=generator).to(probe)
    return probe + size * probe.std() * noise


def _turned(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    return rotated(probe, torch.full((len(probe),), math.radians(size)))


def _shuffled(probe: torch.Tensor, size: float, generator: torch.Generator) -> torch.Tensor:
    """The same pixels move in all samples, each with all its channels."""
    pixels = probe.flatten(2) if probe.ndim > 2 else probe
    count = pixels.shape[-1]
    moved = torch.randperm(count, generator=generator)[: round(size * count)]
    order = torch.arange(count)
    order[moved.sort().values] = moved
    return pixels[..., order].reshape(probe.shape)


def varied(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Every image turned by up to 15 degrees, moved by up to a pixel, with noise of sd 0.1."""
    draws = 2 * torch.rand(len(images), 3, generator=generator) - 1
    moved = rotated(images, math.radians(_ANGLE) * draws[:, 0], 2 * _PIXELS / SIDE * draws[:, 1:])
    return moved + _NOISE * torch.randn(images.shape, generator=generator)


def rotated(
    images: torch.Tensor, angles: torch.Tensor, offsets: torch.Tensor | None = None
) -> torch.Tensor:
    """Each image (c, h, w) turned by its angle in radians, and moved by its offset (n, 2).

    Offsets are in halves of the side; bilinear, and what comes in from outside is 0.
    """
    cos, sin = angles.cos(), angles.sin()
    transform = torch.zeros(len(images), 2, 3, dtype=images.dtype)
    transform[:, 0, 0], transform[:, 0, 1] = cos, -sin
    transform[:, 1, 0], transform[:, 1, 1] = sin, cos
    if offsets is not None:
        transform[:, :, 2] = offsets
    grid = torch.nn.functional.affine_grid(transform, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, align_corners=False)
