"""Statistics of units from one pass over the probe: sums stay, activations do not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from likewise import DegenerateWarning, unit_statistics
from likewise.scale import UnitAccumulator
from likewise.studies.matching.networks import LAYERS, RECORDED, UNITS, Numbers
from likewise.studies.matching.settings import Settings
from likewise.torch import record

Indices = NDArray[np.int64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class PairStatistics:
    """Units of one network (rows) with those of another (columns)."""

    correlation: Numbers
    information: Numbers
    """Mutual information in nats."""
    shuffled: Numbers
    """Correlation with another position of another image, the control."""
    same_position: Numbers
    """Correlation with the same position of another image: what position alone gives."""
    shuffled_information: Numbers


@dataclass(frozen=True)
class LayerStatistics:
    """One layer of all networks."""

    within: Numbers
    """Correlations inside each network, (networks, units, units)."""
    means: Numbers
    """Mean activations, (networks, units)."""
    active: Numbers
    """Share of samples at which a unit is not zero, (networks, units)."""
    alive: NDArray[np.bool_]
    """Units that vary and are active often enough, (networks, units)."""
    pairs: dict[Pair, PairStatistics]
    tops: list[Tops]
    """Of each network."""

    def spectrum(self, network: int) -> tuple[Numbers, float]:
        """Means of living units, the largest first, and the largest by the smallest positive."""
        if not self.alive[network].any():
            return np.empty(0), np.nan
        found = unit_statistics(self.means[None, network, self.alive[network]])
        return found.spectrum, float(found.spread)


@dataclass
class Tops:
    """The images that drive each unit most, (count, units): the largest activation of each image,
    the image's number and the position."""

    count: int
    values: Numbers = field(init=False)
    images: Indices = field(init=False)
    positions: Indices = field(init=False)

    def update(self, maps: Numbers, first: int) -> None:
        """Add images from number `first` on; `maps` is (images, positions, units)."""
        peaks, where = maps.max(axis=1), maps.argmax(axis=1)
        numbers = np.broadcast_to(first + np.arange(len(maps))[:, None], peaks.shape)
        found = [peaks, numbers, where]
        if hasattr(self, "values"):
            before = [self.values, self.images, self.positions]
            found = [np.concatenate(both) for both in zip(before, found, strict=True)]
        order = np.argsort(-found[0], axis=0, kind="stable")[: self.count]
        self.values, self.images, self.positions = (
            np.take_along_axis(part, order, axis=0) for part in found
        )


def stream(
    networks: Sequence[nn.Module], images: torch.Tensor, settings: Settings
) -> dict[str, LayerStatistics]:
    """All layers, from one pass of all networks over the images.

    Feature maps have a sample at every position. Activations are taken after the rectifier, those
    of the logits as they are. Bins of mutual information are those of the first batch.
    """
    layers = {layer: _Layer(settings, UNITS[layer]) for layer in LAYERS}
    generator = np.random.default_rng(settings.seed)
    modules = list(RECORDED.values())
    first = 0
    for batch in images.split(settings.probe_batch):
        seen = [record(network, batch, modules, reduce="positions") for network in networks]
        for layer, sums in layers.items():
            maps = [
                one[RECORDED[layer]].astype(np.float64).reshape(len(batch), -1, UNITS[layer])
                for one in seen
            ]
            sums.update(maps, first, generator)
        first += len(batch)
    with warnings.catch_warnings():  # dead units are counted by the study
        warnings.simplefilter("ignore", DegenerateWarning)
        return {layer: sums.compute() for layer, sums in layers.items()}


def _sums_of_pair(bins: int) -> dict[str, UnitAccumulator]:
    """What is summed for two networks, as :class:`PairStatistics` names it."""
    information = {
        name: UnitAccumulator("mutual_information", bins)
        for name in ("information", "shuffled_information")
    }
    names = ("correlation", "shuffled", "same_position")
    return {name: UnitAccumulator() for name in names} | information


class _Layer:
    """What is summed for one layer."""

    def __init__(self, settings: Settings, units: int) -> None:
        self._within = [UnitAccumulator() for _ in range(settings.networks)]
        self._pairs = {pair: _sums_of_pair(settings.bins) for pair in settings.pairs}
        self._tops = [Tops(settings.tops) for _ in range(settings.networks)]
        self._means = np.zeros((settings.networks, units))
        self._active = np.zeros((settings.networks, units))
        self._samples = 0
        self._least = settings.dead

    def update(self, maps: Sequence[Numbers], first: int, generator: np.random.Generator) -> None:
        """Add a batch: (images, positions, units) of every network."""
        images, positions, units = maps[0].shape
        samples = [one.reshape(-1, units) for one in maps]
        count = images * positions
        for k, one in enumerate(samples):
            self._within[k].update(one, one)
            self._tops[k].update(maps[k], first)
            batch = unit_statistics(one)
            self._means[k] += count * batch.mean
            self._active[k] += count * batch.active
        self._samples += count
        anywhere, other_image = derangement(generator, count), derangement(generator, images)
        for (a, b), sums in self._pairs.items():
            x, y = samples[a], samples[b]
            others = {"shuffled": y[anywhere], "shuffled_information": y[anywhere]}
            others["same_position"] = maps[b][other_image].reshape(-1, units)
            for name, accumulator in sums.items():
                accumulator.update(x, others.get(name, y))

    def compute(self) -> LayerStatistics:
        within = np.array([sums.compute() for sums in self._within])
        active = self._active / self._samples
        varies = np.diagonal(within, axis1=1, axis2=2) > 0.5  # constant units have 0 there
        return LayerStatistics(
            within,
            self._means / self._samples,
            active,
            varies & (active >= self._least),
            {
                pair: PairStatistics(**{name: one.compute() for name, one in sums.items()})
                for pair, sums in self._pairs.items()
            },
            self._tops,
        )


def derangement(generator: np.random.Generator, count: int) -> Indices:
    """A random order in which nothing keeps its place: one cycle through all."""
    cycle = generator.permutation(count)
    order = np.empty(count, np.int64)
    order[cycle] = np.roll(cycle, 1)
    return order
