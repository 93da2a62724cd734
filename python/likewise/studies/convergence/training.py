"""Small convolutional networks, trained on varied digits and kept at checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from likewise.studies.convergence.networks import Networks
from likewise.studies.convergence.settings import Settings
from likewise.studies.convergence.shifts import varied
from likewise.studies.digits import CLASSES, SIDE, TRAINING, digits
from likewise.studies.processes import as_done
from likewise.studies.training import descend, drawn

State = dict[str, torch.Tensor]
Job = tuple[int, int]
"""Width and number of a network."""

LAYERS = ("conv1", "conv2", "conv3", "fc", "logits")


class Convolutional(nn.Module):
    """Convolutions of w, 2w and 2w channels, the second of stride 2, 64 units, and the logits.

    All but the logits are normalised over the batch and rectified; a layer is what comes out then.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _convolution(1, width)
        self.conv2 = _convolution(width, 2 * width, stride=2)
        self.conv3 = _convolution(2 * width, 2 * width)
        inputs = 2 * width * (SIDE // 2) ** 2
        self.fc = nn.Sequential(nn.Linear(inputs, 64), nn.BatchNorm1d(64), nn.ReLU())
        self.logits = nn.Linear(64, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.conv3(self.conv2(self.conv1(images)))
        logits: torch.Tensor = self.logits(self.fc(maps.flatten(1)))
        return logits


def networks(settings: Settings, done: Callable[[str], None]) -> Networks:
    """The study's own networks, trained; `done` hears of each."""
    jobs = [(width, number) for width in settings.widths for number in range(settings.seeds)]
    found: dict[Job, list[State]] = {}
    for k, states in as_done(partial(train, settings), jobs, settings.processes):
        found[jobs[k]] = states
        done(f"{_name(jobs[k])} trained")
    _, probe = digits(settings.seed)
    return Networks(
        models={_name(job): [_restored(job[0], state) for state in found[job]] for job in jobs},
        probe=probe.images,
        layers=LAYERS,
        labels=probe.labels,
        checkpoints=settings.checkpoints,
        first_epoch=1 + len(settings.early),
    )


def train(settings: Settings, job: Job) -> list[State]:
    """The weights of one network at its checkpoints."""
    width, number = job
    training, _ = digits(settings.seed)
    images, labels = training.images, training.labels
    seed = settings.of_seed(number)
    network = drawn(seed, lambda: Convolutional(width))
    generator = torch.Generator().manual_seed(seed)
    _normalize(network, varied(images, generator))
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate, fused=True)
    states = [_copy(network)]
    kept = set(settings.checkpoints)
    step = 0
    for _ in range(settings.epochs):
        order = torch.arange(TRAINING).repeat(settings.variants)
        order = order[torch.randperm(len(order), generator=generator)]
        inputs, answers = varied(images[order], generator), labels[order]
        for k in range(settings.epoch_steps):
            rows = slice(k * settings.batch_size, (k + 1) * settings.batch_size)
            loss = nn.functional.cross_entropy(network(inputs[rows]), answers[rows])
            descend(optimizer, loss)
            step += 1
            if step in kept:
                states.append(_copy(network))
    return states


def _convolution(inputs: int, channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, channels, 3, padding=1, stride=stride),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


def _normalize(network: nn.Module, images: torch.Tensor) -> None:
    """Set the means and variances of an untrained network to those of these images."""
    norms = [m for m in network.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    momentum = norms[0].momentum
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network(images)
    for norm in norms:
        norm.momentum = momentum


def _name(job: Job) -> str:
    width, number = job
    return f"network {number + 1} of width {width}"


def _restored(width: int, state: State) -> Convolutional:
    network = drawn(0, lambda: Convolutional(width))
    network.load_state_dict(state)
    return network


def _copy(network: nn.Module) -> State:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
