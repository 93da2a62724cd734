"""Small convolutional networks of one architecture: training, receptive fields, plain arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from likewise.maps import Layer, Network
from likewise.studies.digits import CLASSES, SIDE, digits
from likewise.studies.matching.settings import Settings
from likewise.studies.training import descend, drawn
from likewise.torch import record

Numbers = NDArray[np.float64]

LOGITS = "logits"
UNITS = {"conv1": 16, "conv2": 32, "conv3": 32, "fc": 64, LOGITS: CLASSES}
"""Layers and their units; those of a convolution are its channels."""
LAYERS = tuple(UNITS)
HIDDEN = LAYERS[:-1]
RECORDED = {layer: f"{layer}_relu" for layer in HIDDEN} | {LOGITS: LOGITS}
"""The module whose output is a layer's activation: after the rectifier where there is one."""


@dataclass(frozen=True)
class Job:
    """One network to train."""

    settings: Settings
    number: int


def untrained(settings: Settings, number: int) -> nn.Sequential:
    """A network with the initial weights of its seed."""
    return drawn(settings.of_network(number), _convolutional)


def _convolutional() -> nn.Sequential:
    a, b, c, d, classes = UNITS.values()
    layers = OrderedDict(
        conv1=nn.Conv2d(1, a, 3, padding=1),
        conv1_relu=nn.ReLU(),
        conv2=nn.Conv2d(a, b, 3, padding=1),
        conv2_relu=nn.ReLU(),
        conv3=nn.Conv2d(b, c, 3, stride=2, padding=1),
        conv3_relu=nn.ReLU(),
        flat=nn.Flatten(),
        fc=nn.Linear(c * (SIDE // 2) ** 2, d),
        fc_relu=nn.ReLU(),
        logits=nn.Linear(d, classes),
    )
    return nn.Sequential(layers).eval()


def trained_weights(job: Job) -> dict[str, Numbers]:
    """Weights after training: cross-entropy, Adam, batches drawn with the network's seed."""
    settings = job.settings
    training, _ = digits(settings.seed)
    network = untrained(settings, job.number)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, fused=True)
    generator = torch.Generator().manual_seed(settings.of_network(job.number))
    for _ in range(settings.epochs):
        order = torch.randperm(len(training.images), generator=generator)
        for rows in order.split(settings.batch_size):
            outputs = network(training.images[rows])
            descend(optimizer, nn.functional.cross_entropy(outputs, training.labels[rows]))
    return {name: value.numpy() for name, value in network.state_dict().items()}


def with_weights(settings: Settings, weights: Mapping[str, Numbers]) -> nn.Sequential:
    """A network with these weights."""
    network = untrained(settings, 0)
    network.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
    return network


def as_arrays(settings: Settings, network: nn.Module, images: torch.Tensor) -> Network:
    """Weights, and activations of the hidden units at drawn positions of these images."""
    modules = [RECORDED[layer] for layer in HIDDEN]
    seen = record(
        network,
        images,
        modules,
        reduce="positions",
        positions=settings.positions,
        random_state=settings.seed,
    )
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    read, written = (None, *HIDDEN), (*HIDDEN, None)
    layers = {
        layer: Layer(weights[f"{layer}.weight"], a, b, {"bias": weights[f"{layer}.bias"]})
        for layer, a, b in zip(LAYERS, read, written, strict=True)
    }
    return Network(layers, {layer: seen[RECORDED[layer]] for layer in HIDDEN})


def from_arrays(settings: Settings, layers: Mapping[str, Layer]) -> nn.Sequential:
    """The network of these layers."""
    weights: dict[str, Numbers] = {}
    for name, layer in layers.items():
        weights |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.vectors["bias"]}
    return with_weights(settings, weights)


@dataclass(frozen=True)
class Field:
    """The square of the image that a unit sees: first pixel ``start + position * step``."""

    start: int
    step: int
    size: int


def receptive_field(network: nn.Sequential, layer: str) -> Field | None:
    """Of a convolutional layer; None for layers that see the whole image."""
    start, step, size = 0, 1, 1
    for name, module in network.named_children():
        if not isinstance(module, nn.Conv2d):
            continue
        kernel, stride, padding = (
            int(pair[0]) for pair in (module.kernel_size, module.stride, module.padding)
        )
        start -= padding * step
        size += (kernel - 1) * step
        step *= stride
        if name == layer:
            return Field(start, step, size)
    return None
