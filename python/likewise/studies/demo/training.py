"""Digits and their shifts; small perceptrons, trained with scikit-learn and kept at checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.studies import digits
from likewise.studies.demo.settings import (
    CLEAN,
    NOISE,
    PIXEL_SHUFFLE,
    ROTATION,
    Network,
    Settings,
    Stream,
)

Images = NDArray[np.float32]

# The smallest step scikit-learn accepts that leaves every float32 weight as it was.
_NO_LEARNING = 1e-300


@dataclass(frozen=True)
class Data:
    """Training images, and the held-out images (n, 64) in every condition."""

    train_images: Images
    train_labels: NDArray[np.int64]
    test_images: dict[str, Images]
    test_labels: NDArray[np.int64]


def load(settings: Settings) -> Data:
    """Split the 1797 digits, stratified by class, and shift the held-out ones."""
    seed = int(settings.generator(Stream.SPLIT).integers(2**31))
    training, test = digits.arrays(seed, settings.held_out)
    shifted = conditions(test.images[:, 0], settings)
    return Data(training.images[:, 0].reshape(-1, 64), training.labels, shifted, test.labels)


def conditions(images: Images, settings: Settings) -> dict[str, Images]:
    """Images (n, 8, 8) as they are and under the shifts, (n, 64); row i is the same digit."""
    flat = images.reshape(len(images), -1)
    noise = settings.generator(Stream.NOISE).standard_normal(flat.shape, dtype=np.float32)
    order = settings.generator(Stream.PIXELS).permutation(flat.shape[1])
    return {
        CLEAN: flat,
        NOISE: flat + np.float32(settings.noise_sd) * noise,
        ROTATION: np.rot90(images, axes=(1, 2)).reshape(flat.shape),
        PIXEL_SHUFFLE: flat[:, order],
    }


@dataclass(frozen=True)
class Checkpoint:
    """Weights (d_in, d_out) and biases (d_out,) of all layers, the output layer last."""

    network: Network
    step: int
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    def hidden(self, images: Images) -> list[NDArray[np.float32]]:
        """Rectified activations (n, width) of every hidden layer."""
        activations: list[NDArray[np.float32]] = []
        signal = images
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            signal = np.maximum(signal @ weight + bias, 0)
            activations.append(signal)
        return activations

    def predict(self, images: Images) -> NDArray[np.int64]:
        """The digit with the largest output, for every image."""
        outputs = self.hidden(images)[-1] @ self.weights[-1] + self.biases[-1]
        return np.asarray(np.argmax(outputs, axis=1))


def train(network: Network, data: Data, settings: Settings) -> Iterator[Checkpoint]:
    """Train one network with Adam and yield it at `settings.steps`, 0 being its initialisation."""
    rows = _stream_of_rows(network, len(data.train_images), settings)
    classifier = _classifier(network, settings, settings.learning_rate)
    step = 0
    for checkpoint in settings.steps:
        if checkpoint == 0:
            first = rows[: settings.batch_size]
            untrained = _classifier(network, settings, _NO_LEARNING)
            _fit(untrained, data, first)
            yield _snapshot(network, 0, untrained)
            continue
        chosen = rows[step * settings.batch_size : checkpoint * settings.batch_size]
        _fit(classifier, data, chosen)
        step = checkpoint
        yield _snapshot(network, step, classifier)


def _fit(classifier: Any, data: Data, rows: NDArray[np.int64]) -> None:
    """Train on these rows; matrices this small are slower with more than one BLAS thread."""
    from threadpoolctl import threadpool_limits

    images, labels = data.train_images[rows], data.train_labels[rows]
    with threadpool_limits(limits=1, user_api="blas"):
        classifier.partial_fit(images, labels, classes=np.arange(10))


def _classifier(network: Network, settings: Settings, learning_rate: float) -> Any:
    """The same `random_state` draws the same initial weights, whatever the learning rate."""
    from sklearn.neural_network import MLPClassifier

    generator = settings.generator(Stream.WEIGHTS, network.number)
    return MLPClassifier(
        hidden_layer_sizes=(network.width,) * settings.layers,
        batch_size=settings.batch_size,
        learning_rate_init=learning_rate,
        random_state=int(generator.integers(2**31)),
    )


def _stream_of_rows(network: Network, n_rows: int, settings: Settings) -> NDArray[np.int64]:
    """Rows in the order they are trained on: one shuffle of the training set after another."""
    needed = settings.last_step * settings.batch_size
    generator = settings.generator(Stream.BATCHES, network.number)
    epochs = [generator.permutation(n_rows) for _ in range(-(-needed // n_rows))]
    return np.concatenate(epochs)[:needed]


def _snapshot(network: Network, step: int, classifier: Any) -> Checkpoint:
    weights = tuple(weight.copy() for weight in classifier.coefs_)
    biases = tuple(bias.copy() for bias in classifier.intercepts_)
    return Checkpoint(network, step, weights, biases)
