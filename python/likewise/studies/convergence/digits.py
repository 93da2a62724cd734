"""Handwritten digits, in many variants for training, and others to probe the networks with."""

from __future__ import annotations

import math

import numpy as np
import torch

SIDE, CLASSES = 8, 10
TRAINING, PROBE = 1200, 597

_ANGLE, _PIXELS, _NOISE = 15.0, 1.0, 0.1


def load(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """1200 images to train on (n, 1, 8, 8) from 0 to 1 and their classes, and 597 others."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    images, probe, labels, probe_labels = train_test_split(
        images, labels, test_size=PROBE, stratify=labels, random_state=seed
    )
    return (
        torch.from_numpy(images),
        torch.from_numpy(labels),
        torch.from_numpy(probe),
        torch.from_numpy(probe_labels),
    )


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
