"""Plain rectifier networks on digits, and how collapsed and adapted they are during training."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import chain, pairwise

import numpy as np

from likewise._border.arrays import Array
from likewise.collapse import NeuralCollapse, neural_collapse
from likewise.studies import digits
from likewise.studies.digits import CLASSES
from likewise.studies.processes import one_thread
from likewise.studies.truncation.settings import Settings, Stream
from likewise.truncation import TruncationMaps, adaptedness, cluster_diameters

Arrays = list[Array]


@dataclass(frozen=True)
class Data:
    """Digits, every pixel with mean 0 and sd 1 over the training images."""

    images: Array
    labels: Array
    test_images: Array
    test_labels: Array


@dataclass(frozen=True)
class Structure:
    """A network seen as truncation maps, on the training images; lists run over hidden layers."""

    adapted: list[float]
    """Off-diagonal share of every weight."""
    adapted_control: list[tuple[float, float]]
    """Mean and sd of the same over random rotations of the units."""
    cumulative: list[float]
    cumulative_control: list[tuple[float, float]]
    conditions: list[float]
    identity_error: float
    """Network against one affine map after all truncations, largest relative difference."""
    truncated: list[float]
    """Mean of ``n_k / N``."""
    off: list[float]
    """Share of (class, unit) with the unit off for every image of the class."""
    on: list[float]
    """Share of (class, unit) with the unit on for every image of the class."""
    sectors: list[int]
    """How many different sectors the images lie in."""
    diameters: list[float]
    """Mean diameter of a class over mean distance of two class means, in input space, before the
    first and after every truncation."""


@dataclass
class Training:
    """One network: NC1 to NC4 before the classifier after every epoch, 0 the initialisation."""

    collapse: list[NeuralCollapse] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    """Of the held-out images, before the first and after the last epoch."""
    layers: list[list[float]] = field(default_factory=list)
    """NC1 of every hidden layer, before and after training."""
    structure: list[Structure] = field(default_factory=list)
    """Before and after training."""
    shuffled: NeuralCollapse | None = None
    """At the end, with the labels shuffled."""
    monitor_seconds: float = 0.0


def load(settings: Settings) -> Data:
    """The 1797 digits, split by class."""
    seed = int(settings.generator(Stream.SPLIT).integers(2**31))
    training, test = digits.arrays(seed, settings.held_out)
    pixels, others = (
        part.images.reshape(len(part.images), -1).astype(np.float64) for part in (training, test)
    )
    mean, sd = pixels.mean(axis=0), pixels.std(axis=0)
    sd[sd == 0] = 1
    images, test_images = (((x - mean) / sd).astype(np.float32) for x in (pixels, others))
    return Data(images, training.labels, test_images, test.labels)


def train(number: int, data: Data, settings: Settings) -> Training:
    """Train one network; torch's random state and number of threads are left as they were."""
    import torch
    from torch import nn

    from likewise.studies.training import descend, drawn
    from likewise.torch import CollapseMonitor

    result = Training()
    sizes = [data.images.shape[1], *[settings.width] * settings.layers]

    def made() -> nn.Sequential:
        hidden = [[nn.Linear(*ends), nn.ReLU()] for ends in pairwise(sizes)]
        return nn.Sequential(*chain(*hidden), nn.Linear(settings.width, CLASSES))

    network = drawn(1000 * settings.seed + number, made)
    images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    monitor = CollapseMonitor(network, [(images, labels)], str(2 * settings.layers))
    order = settings.generator(Stream.BATCHES, number)
    with one_thread():
        for epoch in range(settings.epochs + 1):
            if epoch:
                rows = torch.from_numpy(order.permutation(len(labels)))
                for batch in rows.split(settings.batch_size):
                    outputs = network(images[batch])
                    descend(optimizer, nn.functional.cross_entropy(outputs, labels[batch]))
            called = time.perf_counter()
            monitor(epoch)
            result.monitor_seconds += time.perf_counter() - called
            if epoch in (0, settings.epochs):
                layers = [m for m in network if isinstance(m, nn.Linear)]
                weights = [m.weight.detach().double().numpy().copy() for m in layers]
                biases = [m.bias.detach().double().numpy().copy() for m in layers]
                draws = settings.generator(Stream.CONTROLS, number, epoch)
                _look(result, weights, biases, data, draws)
                result.structure.append(structure(weights, biases, data, settings, number))
    result.collapse = [found for _, found in monitor.history]
    return result


def _look(
    result: Training, weights: Arrays, biases: Arrays, data: Data, rng: np.random.Generator
) -> None:
    """Accuracy, NC1 of all layers, and the control with shuffled labels."""
    signals = hidden(weights, biases, data.images)
    result.layers.append([neural_collapse(signal, data.labels).nc1 for signal in signals])
    shuffled = rng.permutation(data.labels)
    result.shuffled = neural_collapse(signals[-1], shuffled, weights[-1], biases[-1])
    tested = hidden(weights, biases, data.test_images)[-1] @ weights[-1].T + biases[-1]
    result.accuracy.append(float(np.mean(tested.argmax(axis=1) == data.test_labels)))


def hidden(weights: Arrays, biases: Arrays, images: Array) -> Arrays:
    """Rectified outputs of every hidden layer, in float64."""
    signal = images.astype(np.float64)
    signals = []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        signal = np.maximum(signal @ weight.T + bias, 0)
        signals.append(signal)
    return signals


def structure(
    weights: Arrays, biases: Arrays, data: Data, settings: Settings, number: int
) -> Structure:
    """The hidden layers of a network as truncation maps."""
    # However badly conditioned: what that costs is measured by the identity's error.
    maps = TruncationMaps(weights[:-1], biases[:-1], max_condition=np.inf)
    path, sectors = maps.path(data.images), maps.sectors(data.images)
    last = hidden(weights, biases, data.images)[-1]
    error = float(np.abs(maps.apply(path[-1], len(maps)) - last).max() / np.abs(last).max())
    members = [data.labels == c for c in range(CLASSES)]
    shares = [np.stack([sector[of].mean(axis=0) for of in members]) for sector in sectors]
    rng = settings.generator(Stream.CONTROLS, number)
    turns = [
        np.linalg.qr(rng.standard_normal((settings.width, settings.width)))[0]
        for _ in range(settings.rotations)
    ]
    return Structure(
        [adaptedness(weight).off_diagonal for weight in weights[:-1]],
        [_rotated(weight, turns) for weight in weights[:-1]],
        [adaptedness(weight).off_diagonal for weight in maps.weights],
        [_rotated(weight, turns) for weight in maps.weights],
        maps.conditions,
        error,
        [float(sector.mean()) for sector in sectors],
        [float(np.mean(share == 1)) for share in shares],
        [float(np.mean(share == 0)) for share in shares],
        [len(np.unique(np.packbits(sector, axis=1), axis=0)) for sector in sectors],
        [_relative_diameter(points, data.labels) for points in path],
    )


def _rotated(weight: Array, turns: list[Array]) -> tuple[float, float]:
    shares = [adaptedness(turn @ weight).off_diagonal for turn in turns]
    return float(np.mean(shares)), float(np.std(shares, ddof=1))


def _relative_diameter(points: Array, labels: Array) -> float:
    means = np.stack([points[labels == c].mean(axis=0) for c in range(CLASSES)])
    first, second = np.triu_indices(CLASSES, 1)
    between = np.linalg.norm(means[first] - means[second], axis=1).mean()
    return float(cluster_diameters(points, labels).mean() / between)
