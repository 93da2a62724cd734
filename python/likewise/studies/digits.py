"""Scikit-learn's handwritten digits, some to train on and others to test with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

SIDE, CLASSES = 8, 10
TRAINING, HELD_OUT = 1200, 597


@dataclass(frozen=True)
class Digits:
    """Images (n, 1, 8, 8) from 0 to 1 and their labels (n,)."""

    images: torch.Tensor
    labels: torch.Tensor


def digits(seed: int) -> tuple[Digits, Digits]:
    """1200 training images and 597 held-out ones, in random order with all classes in each."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    images, held_out, labels, held_out_labels = train_test_split(
        images, labels, test_size=HELD_OUT, stratify=labels, random_state=seed
    )
    return (
        Digits(torch.from_numpy(images), torch.from_numpy(labels)),
        Digits(torch.from_numpy(held_out), torch.from_numpy(held_out_labels)),
    )
