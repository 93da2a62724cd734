"""Averages of two networks, as they are and after their units were matched."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from likewise import DegenerateWarning
from likewise.maps import Layer, average_networks, match_network
from likewise.studies.digits import Digits
from likewise.studies.matching.networks import LAYERS, Numbers, as_arrays, from_arrays
from likewise.studies.matching.settings import Settings
from likewise.studies.training import accuracy

ORDERS = ("as they are", "matched")


@dataclass(frozen=True)
class Averages:
    """Test accuracies; the first axis is that of `ORDERS`."""

    line: Numbers
    """(2, shares): from the first network to the second, ends included."""
    by_layer: Numbers
    """(2, layers): the first network with one layer averaged and all others its own."""

    @property
    def middle(self) -> Numbers:
        """(2,): of the average of both networks in equal shares."""
        values: Numbers = self.line[:, self.line.shape[1] // 2]
        return values


def averages(
    first: nn.Sequential,
    second: nn.Sequential,
    images: torch.Tensor,
    test: Digits,
    settings: Settings,
) -> Averages:
    """Units are matched by what they do on `images`; networks are tested on others."""
    reference, other = (as_arrays(settings, network, images) for network in (first, second))
    with warnings.catch_warnings():  # dead units are counted by the study
        warnings.simplefilter("ignore", DegenerateWarning)
        matched = match_network(reference, other)
    shares = np.linspace(0, 1, settings.shares)

    def tested(layers: dict[str, Layer]) -> float:
        return accuracy(from_arrays(settings, layers), test)

    line, by_layer = [], []
    for partner in (other, matched):
        between = [average_networks(reference, partner, share) for share in shares.tolist()]
        half = average_networks(reference, partner)
        line.append([tested(layers) for layers in between])
        by_layer.append([tested({**reference.layers, layer: half[layer]}) for layer in LAYERS])
    return Averages(np.array(line), np.array(by_layer))
