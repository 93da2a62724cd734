"""Run the study: train the networks, look at their units, match them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from likewise._border.arrays import Array
from likewise.studies.digits import Digits, digits
from likewise.studies.matching.averaging import Averages, averages
from likewise.studies.matching.groups import Groups, groups
from likewise.studies.matching.networks import (
    RECORDED,
    Job,
    trained_weights,
    untrained,
    with_weights,
)
from likewise.studies.matching.partners import PairPartners, partners
from likewise.studies.matching.settings import Settings
from likewise.studies.matching.sparse import Path, path
from likewise.studies.matching.streaming import LayerStatistics, Pair, derangement, stream
from likewise.studies.processes import as_done, one_thread, timed
from likewise.studies.training import accuracy
from likewise.torch import record

Advance = Callable[[str], None]
Networks = list[nn.Sequential]

_AFTER_TRAINING = 5


@dataclass
class Result:
    """What one run found, by layer and by pair of networks."""

    settings: Settings
    accuracies: list[float] = field(default_factory=list)
    """Of the networks, on the probe."""
    probe: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """The images that units were probed with."""
    statistics: dict[str, LayerStatistics] = field(default_factory=dict)
    partners: dict[str, dict[Pair, PairPartners]] = field(default_factory=dict)
    untrained: dict[str, dict[Pair, PairPartners]] = field(default_factory=dict)
    """Of the same networks before training."""
    paths: dict[str, dict[Pair, Path]] = field(default_factory=dict)
    groups: dict[str, dict[Pair, Groups]] = field(default_factory=dict)
    shuffled_groups: dict[str, dict[Pair, Groups]] = field(default_factory=dict)
    """Units of the second network at other samples: the control."""
    averages: dict[Pair, Averages] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return settings.networks + _AFTER_TRAINING


def run(settings: Settings | None = None, advance: Advance = lambda stage: None) -> Result:
    """Do everything; `advance` hears of every part that is done."""
    settings = settings or Settings()
    result = Result(settings)
    training, probe = digits(settings.seed)
    result.probe = probe.images
    with timed(result.seconds, "training"):
        networks = trained(settings, advance)
    with one_thread():
        result.accuracies = [accuracy(network, probe) for network in networks]
        with timed(result.seconds, "statistics and partners"):
            result.statistics, result.partners = _matched(networks, probe, settings)
            advance("units matched")
            before = [untrained(settings, k) for k in range(settings.networks)]
            result.untrained = _matched(before, probe, settings)[1]
            advance("units of untrained networks matched")
        with timed(result.seconds, "sparse prediction"):
            # Feature maps as means over positions, so that folds hold out whole images.
            for layer, seen in _living(result, networks, reduce="mean"):
                result.paths[layer] = {
                    (a, b): path(seen[a], seen[b], settings) for a, b in settings.pairs
                }
            advance("units predicted from few")
        with timed(result.seconds, "groups"):
            _group(result, networks)
            advance("units grouped")
        with timed(result.seconds, "averages"):
            for a, b in settings.pairs:
                result.averages[a, b] = averages(
                    networks[a], networks[b], training.images, probe, settings
                )
            advance("networks averaged")
    return result


def trained(settings: Settings, advance: Advance) -> Networks:
    """All networks of a run."""
    jobs = [Job(settings, k) for k in range(settings.networks)]
    weights = {}
    for k, found in as_done(trained_weights, jobs, settings.processes):
        weights[k] = found
        advance(f"network {k + 1} of {settings.networks} trained")
    return [with_weights(settings, weights[k]) for k in range(settings.networks)]


def _matched(
    networks: Networks, probe: Digits, settings: Settings
) -> tuple[dict[str, LayerStatistics], dict[str, dict[Pair, PairPartners]]]:
    statistics = stream(networks, probe.images, settings)
    found = {
        layer: {pair: partners(one, pair, settings) for pair in settings.pairs}
        for layer, one in statistics.items()
    }
    return statistics, found


def _group(result: Result, networks: Networks) -> None:
    settings = result.settings
    options = {"positions": settings.positions, "random_state": settings.seed}
    generator = np.random.default_rng(settings.seed)
    for layer, seen in _living(result, networks, reduce="positions", **options):
        result.groups[layer], result.shuffled_groups[layer] = {}, {}
        for a, b in settings.pairs:
            x, y = seen[a], seen[b]
            other = derangement(generator, len(y))
            result.groups[layer][a, b] = groups(x, y, settings)
            result.shuffled_groups[layer][a, b] = groups(x, y[other], settings)


def _living(
    result: Result, networks: Networks, **options: Any
) -> Iterator[tuple[str, list[Array]]]:
    """Layers with the activations of the living units of every network."""
    modules = list(RECORDED.values())
    seen = [record(network, result.probe, modules, **options) for network in networks]
    for layer, module in RECORDED.items():
        alive = result.statistics[layer].alive
        yield layer, [one[module][:, units] for one, units in zip(seen, alive, strict=True)]
