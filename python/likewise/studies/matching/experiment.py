"""Run the study: train the networks, look at their units, match them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    LAYERS,
    RECORDED,
    Job,
    Numbers,
    trained_weights,
    untrained,
    with_weights,
)
from likewise.studies.matching.partners import PairPartners, partners
from likewise.studies.matching.settings import Settings
from likewise.studies.matching.sparse import Knee, Path, knee, path
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

    def over(self, name: str, layers: Sequence[str] = LAYERS, *, before: bool = False) -> Numbers:
        """A number of the partners in every layer and pair of networks, (layers, pairs).

        `before` training if so.
        """
        found = self.untrained if before else self.partners
        pairs = [[one.numbers(self.settings)[name] for one in found[k].values()] for k in layers]
        return np.array(pairs)

    def share(self, name: str, layers: Sequence[str] = LAYERS, *, before: bool = False) -> Numbers:
        """The same, a count as a share of the living units."""
        living = self.over("living", layers, before=before)
        share: Numbers = self.over(name, layers, before=before) / living
        return share

    def shared(self, method: str, *, shuffled: bool = False) -> Numbers:
        """Share of the groups that hold units of both networks, (layers, pairs)."""
        found = self.shuffled_groups if shuffled else self.groups
        return np.array([[one.mixed(method) for one in found[k].values()] for k in LAYERS])

    def over_paths(self, what: Callable[[Path], float]) -> Numbers:
        """Of every layer and pair, (layers, pairs)."""
        return np.array([[what(one) for one in self.paths[layer].values()] for layer in LAYERS])

    def path_of(self, layer: str) -> tuple[Numbers, Numbers]:
        """Loss and weights per unit for each penalty, means over pairs of networks."""
        paths = self.paths[layer].values()
        return np.mean([p.loss for p in paths], axis=0), np.mean([p.weights for p in paths], axis=0)

    def knee_of(self, layer: str) -> Knee:
        """Of the mean path of a layer."""
        loss, weights = self.path_of(layer)
        k = knee(loss, self.settings.knee)
        return Knee(
            penalty=self.settings.penalties[k],
            loss=float(loss[k]),
            weights=float(weights[k]),
            least_loss=float(loss.min()),
            most_weights=float(weights[-1]),
            trivial=float(loss[0]),
        )

    def middle_of(self) -> Numbers:
        """Test accuracy of the average of two networks, as they are and matched: (2, pairs)."""
        return np.array([one.middle for one in self.averages.values()]).T

    def spreads(self, layer: str) -> list[float]:
        """Of every network, the largest by the smallest mean activation of living units."""
        return [self.statistics[layer].spectrum(k)[1] for k in range(self.settings.networks)]


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
