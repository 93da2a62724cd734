"""Handwritten digits in many variants."""

from __future__ import annotations

import math

import torch

from likewise.studies.digits import SIDE

_ANGLE, _PIXELS, _NOISE = 15.0, 1.0, 0.1


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
