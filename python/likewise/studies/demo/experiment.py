"""Run the demo: train the networks, record them, compare everything with everything."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from likewise.studies.demo import comparison
from likewise.studies.demo.comparison import Advance, Comparisons, Samples
from likewise.studies.demo.settings import (
    Key,
    Network,
    Recordings,
    Settings,
    State,
    Stream,
    networks,
)
from likewise.studies.demo.training import Checkpoint, Data, load, train
from likewise.studies.processes import timed


@dataclass
class Result:
    """Everything the findings, figures and tables are made from.

    `accuracy[state, width]` has shape (1 + shuffles,): mean over networks, first as observed, then
    with shuffled labels. `constant_units[state]` counts units with one value for all images.
    """

    settings: Settings
    networks: tuple[Network, ...]
    recordings: Recordings = field(default_factory=dict)
    accuracy: dict[tuple[State, int], Samples] = field(default_factory=dict)
    constant_units: dict[State, int] = field(default_factory=dict)
    comparisons: Comparisons = field(default_factory=lambda: Comparisons(()))
    seconds: dict[str, float] = field(default_factory=dict)


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return len(networks(settings)) + comparison.stages(settings)


def run(settings: Settings | None = None, advance: Advance = lambda stage: None) -> Result:
    """Do the whole experiment; `advance` hears the name of every stage as it starts."""
    settings = settings or Settings()
    result = Result(settings, networks(settings))
    accuracies: dict[tuple[State, int], list[Samples]] = {}
    with timed(result.seconds, "training and recording"):
        data = load(settings)
        for network in result.networks:
            advance(f"training {network.label}")
            for checkpoint in train(network, data, settings):
                for state in settings.states:
                    if state.step == checkpoint.step:
                        _record(result, checkpoint, state, data)
                        accuracy = _accuracy(checkpoint, state, data, settings)
                        accuracies.setdefault((state, network.width), []).append(accuracy)
    result.accuracy = {
        address: np.mean(per_network, axis=0) for address, per_network in accuracies.items()
    }
    with timed(result.seconds, "comparing"):
        result.comparisons = comparison.compare(
            result.recordings, result.networks, settings, advance
        )
    return result


def _record(result: Result, checkpoint: Checkpoint, state: State, data: Data) -> None:
    """Keep every hidden layer's activations on the held-out images in this condition."""
    for layer, activations in enumerate(checkpoint.hidden(data.test_images[state.condition])):
        result.recordings[Key(checkpoint.network, layer, state)] = activations
        constant = int(np.count_nonzero(np.ptp(activations, axis=0) == 0))
        result.constant_units[state] = result.constant_units.get(state, 0) + constant


def _accuracy(checkpoint: Checkpoint, state: State, data: Data, settings: Settings) -> Samples:
    """Share of held-out images classified correctly, then the same against shuffled labels."""
    predicted = checkpoint.predict(data.test_images[state.condition])
    labels = data.test_labels
    samples = [np.mean(predicted == labels)]
    for shuffle in range(settings.shuffles):
        generator = settings.generator(Stream.CONTROLS, shuffle, checkpoint.network.number)
        samples.append(np.mean(predicted == generator.permutation(labels)))
    return np.array(samples)
