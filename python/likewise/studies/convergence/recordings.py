"""What the networks answer to the probe: everything that is compared later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.studies.convergence.networks import Networks, Probe
from likewise.studies.convergence.settings import MAIN, REDUCTIONS, Settings
from likewise.studies.convergence.shifts import Shift
from likewise.torch import record

_BATCH = 256


class Layer(NamedTuple):
    """A layer of a network."""

    name: str
    units: int
    """Channels, where it gives feature maps or sequences."""
    positions: int | None
    """Of a map or sequence; None for a layer without."""


@dataclass(frozen=True)
class Recorded:
    """One network: arrays (samples, units) by layer, None where there is nothing to compare."""

    layers: list[Layer]
    checkpoints: list[list[Array]]
    """Reduced as `MAIN` says, and so are those below."""
    reduced: dict[str, list[Array | None]]
    """At the last checkpoint, by reduction; for layers without positions the same in all."""
    shifted: list[list[Array]]
    """At the last checkpoint, one for each shift."""
    accuracy: Array
    """At every checkpoint, then of the last one under every shift; empty without labels."""
    dead: list[int]
    """Units of each layer that are constant over the probe at the last checkpoint."""


def recorded(networks: Networks, name: str, shifts: list[Shift], settings: Settings) -> Recorded:
    """Run one network at all its checkpoints on the probe, and at the last on every shift."""
    states = networks.states(name)
    layers = chosen(networks, name, settings.depths)
    checkpoints = [_recorded(model, networks.probe, layers) for model in states]
    reduced = {
        how: _reduced(states[-1], networks.probe, layers, how, settings) for how in REDUCTIONS
    }
    for arrays in reduced.values():
        for k, layer in enumerate(layers):
            if layer.positions is None:
                arrays[k] = checkpoints[-1][k]
    accuracy = []
    if networks.labels is not None:
        seen = [(model, networks.probe) for model in states]
        seen += [(states[-1], shift.inputs) for shift in shifts]
        accuracy = [_accuracy(model, inputs, networks.labels) for model, inputs in seen]
    return Recorded(
        layers=layers,
        checkpoints=checkpoints,
        reduced=reduced,
        shifted=[_recorded(states[-1], shift.inputs, layers) for shift in shifts],
        accuracy=np.array(accuracy),
        dead=[int((np.ptp(array, axis=0) == 0).sum()) for array in checkpoints[-1]],
    )


def chosen(networks: Networks, name: str, depths: int) -> list[Layer]:
    """The layers of one network that are compared, as many as of every other.

    So many as the network with the fewest layers has, at most `depths`, evenly spread from the
    first to the last.
    """
    found = {other: _layers(networks, other) for other in networks.models}
    count = min(depths, *(len(layers) for layers in found.values()))
    own = found[name]
    return [own[round(k)] for k in np.linspace(0, len(own) - 1, count)]


def _layers(networks: Networks, name: str) -> list[Layer]:
    """All layers that the user asked for, as a few samples show them."""
    model = networks.states(name)[-1]
    few = _first(networks.probe, 2)
    means, flat = (record(model, few, networks.layers, reduce=how) for how in ("mean", "flatten"))
    layers = []
    for layer in means.layers:
        units = means[layer].shape[1]
        has_positions = f"{layer} [mean, post]" in means
        positions = flat[layer].shape[1] // units if has_positions else None
        layers.append(Layer(layer, units, positions))
    return layers


def _recorded(
    model: nn.Module, inputs: Probe, layers: list[Layer], how: str = MAIN, **options: Any
) -> list[Array]:
    """Every one of these layers in a reduction."""
    modules = {layer.name.split("#")[0] for layer in layers}
    batches = _batches(inputs)
    found = record(model, batches, lambda name, _: name in modules, reduce=how, **options)
    return [found[layer.name] for layer in layers]


def _reduced(
    model: nn.Module, inputs: Probe, layers: list[Layer], how: str, settings: Settings
) -> list[Array | None]:
    """Layers with positions, those that are not too wide."""
    most = settings.most_units if how == "flatten" else np.inf
    kept = [k for k in layers if k.positions is not None and k.units * k.positions <= most]
    found: dict[Layer, Array] = {}
    if kept:
        positions = settings.positions if how == "positions" else None
        arrays = _recorded(model, inputs, kept, how, positions=positions)
        found = dict(zip(kept, arrays, strict=True))
    return [found.get(layer) for layer in layers]


def _batches(inputs: Probe) -> Any:
    return inputs.split(_BATCH) if isinstance(inputs, torch.Tensor) else inputs


def _first(inputs: Probe, count: int) -> Probe:
    if isinstance(inputs, torch.Tensor):
        return inputs[:count]
    return {name: tensor[:count] for name, tensor in inputs.items()}


def _accuracy(model: nn.Module, inputs: Probe, labels: torch.Tensor) -> float:
    """Share of samples whose largest output is that of their class."""
    training = model.training
    model.eval()
    with torch.no_grad():
        batches = _batches(inputs)
        given = [batches] if isinstance(batches, Mapping) else batches
        outputs = [model(**one) if isinstance(one, Mapping) else model(one) for one in given]
    model.train(training)
    logits = torch.cat([getattr(output, "logits", output) for output in outputs])
    if logits.ndim != 2 or len(logits) != len(labels):
        raise ValueError(
            "Networks: with labels, models must give scores (samples, classes), got shape "
            f"{tuple(logits.shape)}"
        )
    return float((logits.argmax(1) == labels).float().mean())
