"""The images: scikit-learn's handwritten digits, and three ways to shift them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likewise.demo.settings import CLEAN, NOISE, PIXEL_SHUFFLE, ROTATION, Settings, Stream

SIDE = 8
BRIGHTEST = 16.0

Images = NDArray[np.float32]


@dataclass(frozen=True)
class Digits:
    """Training images, and the held-out images (n, 64) in every condition."""

    train_images: Images
    train_labels: NDArray[np.int64]
    test_images: dict[str, Images]
    test_labels: NDArray[np.int64]


def load(settings: Settings) -> Digits:
    """Split the 1797 digits, stratified by class, and shift the held-out ones."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / BRIGHTEST).astype(np.float32)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images,
        labels,
        test_size=settings.held_out,
        stratify=labels,
        random_state=int(settings.generator(Stream.SPLIT).integers(2**31)),
    )
    return Digits(train_images, train_labels, conditions(test_images, settings), test_labels)


def conditions(images: Images, settings: Settings) -> dict[str, Images]:
    """The images as they are and under the three shifts; row i is the same digit in all four."""
    noise = settings.generator(Stream.NOISE).standard_normal(images.shape, dtype=np.float32)
    order = settings.generator(Stream.PIXELS).permutation(images.shape[1])
    turned = np.rot90(images.reshape(-1, SIDE, SIDE), axes=(1, 2))
    return {
        CLEAN: images,
        NOISE: images + np.float32(settings.noise_sd) * noise,
        ROTATION: turned.reshape(images.shape),
        PIXEL_SHUFFLE: images[:, order],
    }
