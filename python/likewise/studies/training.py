"""What the trainings of small torch networks have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from likewise.studies.digits import Digits

__all__ = ["accuracy", "descend", "drawn"]

Network = TypeVar("Network", bound=nn.Module)


def drawn(seed: int, make: Callable[[], Network]) -> Network:
    """A network with the initial weights of this seed; torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def accuracy(network: nn.Module, data: Digits) -> float:
    """Share of the images whose largest output is that of their label."""
    with torch.no_grad():
        answers = network(data.images).argmax(1)
    return float((answers == data.labels).float().mean())
