"""Handwritten digits: images to train on, and others to probe the units with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

SIDE, CLASSES = 8, 10
PROBE = 597


@dataclass(frozen=True)
class Data:
    """Images (n, 1, 8, 8) from 0 to 1 and their labels (n,)."""

    images: torch.Tensor
    labels: torch.Tensor


def digits(seed: int) -> tuple[Data, Data]:
    """1200 training images and 597 held-out ones, in random order with all classes in each."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    images, probe, labels, probe_labels = train_test_split(
        images, labels, test_size=PROBE, stratify=labels, random_state=seed
    )
    return (
        Data(torch.from_numpy(images), torch.from_numpy(labels)),
        Data(torch.from_numpy(probe), torch.from_numpy(probe_labels)),
    )
