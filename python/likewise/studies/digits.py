"""Scikit-learn's handwritten digits, some to train on and others to test with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SIDE, CLASSES = 8, 10
TRAINING, HELD_OUT = 1200, 597


@dataclass(frozen=True)
class Digits:
    """Images (n, 1, 8, 8) from 0 to 1 and their labels (n,)."""

    images: Any
    labels: Any


def arrays(random_state: int, held_out: int = HELD_OUT) -> tuple[Digits, Digits]:
    """Training images and held-out ones, in random order with all classes in each."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    images, others, labels, other_labels = train_test_split(
        images, labels, test_size=held_out, stratify=labels, random_state=random_state
    )
    return Digits(images, labels), Digits(others, other_labels)


def digits(seed: int) -> tuple[Digits, Digits]:
    """1200 training images and 597 held-out ones as tensors."""
    import torch

    training, others = (
        Digits(torch.from_numpy(part.images), torch.from_numpy(part.labels))
        for part in arrays(seed)
    )
    return training, others
