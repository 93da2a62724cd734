"""Run the study: train, record, and compare every network with every other."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.convergence.networks import Networks
from likewise.studies.convergence.pairs import MEASURES, PERMUTATION, SOFT, Job, Scores, compared
from likewise.studies.convergence.recordings import Layer, recorded
from likewise.studies.convergence.settings import MAIN, REDUCTIONS, Settings
from likewise.studies.convergence.shifts import SIZES, shifts
from likewise.studies.processes import as_done, one_thread, timed

Advance = Callable[[str], None]

SAME, DIFFERENT = "networks of equal widths", "networks of different widths"

# Gains smaller than this have no share that means anything.
_SMALLEST_GAIN = 0.02


@dataclass(frozen=True)
class Result:
    """Everything the findings, figures and tables are made from."""

    settings: Settings
    names: tuple[str, ...]
    """Of the networks."""
    own: bool
    """Whether the study trained them."""
    layers: dict[str, list[Layer]]
    """By network, in the order of their depth."""
    samples: int
    steps: tuple[str, ...]
    """Names of the checkpoints."""
    first_epoch: int | None
    """The checkpoint at the end of the first epoch."""
    shifts: list[tuple[str, float]]
    """Kind and size."""
    pairs: list[tuple[int, int]]
    """Source and target of every comparison, numbers of networks."""
    scores: Scores
    """Pairs first."""
    accuracy: Array
    """(networks, checkpoints + shifts); (networks, 0) without labels."""
    dead: Array
    """(networks, layers): constant units at the end."""
    seconds: dict[str, float]

    def same_sizes(self, pair: tuple[int, int]) -> bool:
        """Whether the layers of both have as many units."""
        a, b = ([layer.units for layer in self.layers[self.names[k]]] for k in pair)
        return a == b

    def groups(self) -> dict[str, list[int]]:
        """Those pairs that there are, those whose layers are as wide first."""
        same = [self.same_sizes(pair) for pair in self.pairs]
        found = {
            SAME: [k for k, equal in enumerate(same) if equal],
            DIFFERENT: [k for k, equal in enumerate(same) if not equal],
        }
        return {name: pairs for name, pairs in found.items() if pairs}

    def main_group(self) -> str:
        """The pairs that everything is stated for where no others are named."""
        return next(iter(self.groups()))

    def mean(self, scores: Array, measure: str, group: str | None = None) -> Array:
        """Mean over the pairs of a group, of scores (pairs, measures, ...)."""
        pairs = self.groups()[group or self.main_group()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NaN where no pair has a score
            means = np.nanmean(scores[pairs, MEASURES.index(measure)], axis=0)
        return np.asarray(means)

    def at_end(self, measure: str, group: str | None = None) -> Array:
        """Of every layer with its counterpart, (layers,)."""
        return np.asarray(self.mean(self.scores.training, measure, group)[-1])

    def control_at_end(self, measure: str, group: str | None = None) -> Array:
        """The same with shuffled samples, (layers, draws)."""
        shuffled = self.scores.reduced_shuffled[:, :, REDUCTIONS.index(MAIN)]
        return self.mean(shuffled, measure, group)

    def matching(self) -> str:
        """Permutation, or soft matching where the main pairs are of different widths."""
        return PERMUTATION if self.main_group() == SAME else SOFT

    def share_of_gain(self, measure: str) -> Array:
        """(s - s0) / (s_end - s0), (checkpoints, layers); NaN for gains that are too small."""
        return _share(self.mean(self.scores.training, measure))

    def share_of_accuracy(self) -> Array:
        """The same of the mean accuracy, (checkpoints,)."""
        accuracy = self.accuracy[:, : len(self.steps)].mean(axis=0)
        return np.asarray(_share(accuracy[:, None])[:, 0])

    def drops(self, measure: str, *, transferred: bool = False) -> Array:
        """How much every shift takes from every layer's score, (shifts, layers)."""
        scores = self.scores.transferred if transferred else self.scores.refitted
        return self.at_end(measure) - self.mean(scores, measure)

    def early_and_late(self) -> tuple[slice, slice]:
        """The first and the last layers; one in the middle belongs to neither."""
        count = len(self.layer_names())
        return slice(0, count // 2), slice(count - count // 2, count)

    def layer_names(self) -> list[str]:
        """Names of the layers where all networks have the same, else their depths."""
        names = [[layer.name for layer in layers] for layers in self.layers.values()]
        if all(one == names[0] for one in names):
            return names[0]
        return [f"depth {k + 1}" for k in range(len(names[0]))]

    def has_positions(self) -> bool:
        """Whether any layer gives maps or sequences, which can be reduced in several ways."""
        return any(layer.positions is not None for one in self.layers.values() for layer in one)

    def kinds(self) -> list[str]:
        """Kinds of shift that the probe could have."""
        present = {kind for kind, _ in self.shifts}
        return [kind for kind in SIZES if kind in present]


def stages(settings: Settings, networks: Networks | None = None) -> int:
    """How many times `run` calls `advance`."""
    trained = settings.seeds * len(settings.widths) if networks is None else 0
    count = trained if networks is None else len(networks.models)
    return trained + 1 + count * (count - 1)


def run(
    settings: Settings | None = None,
    advance: Advance = lambda stage: None,
    networks: Networks | None = None,
) -> Result:
    """Do the whole study, with networks of its own where none are given.

    `advance` hears of every network that is trained and every pair that is compared. Unless
    `processes` is 1, processes are spawned: in a script, call this under
    ``if __name__ == "__main__":``.
    """
    settings = settings or Settings()
    seconds: dict[str, float] = {}
    own = networks is None
    if networks is None:
        from likewise.studies.convergence.training import networks as trained

        with timed(seconds, "training"):
            networks = trained(settings, advance)
    if networks.samples < 2 * settings.folds:
        raise ValueError(
            f"Networks: probe must have at least {2 * settings.folds} samples for "
            f"{settings.folds} folds, got {networks.samples}"
        )
    advance("recording")
    shifted = shifts(networks.probe, settings.seed)
    names = tuple(networks.models)
    with timed(seconds, "recording"), one_thread():
        recordings = [recorded(networks, name, shifted, settings) for name in names]
    pairs = list(permutations(range(len(names)), 2))
    jobs = [Job(k, recordings[i], recordings[j]) for k, (i, j) in enumerate(pairs)]
    found: dict[int, Scores] = {}
    with timed(seconds, "comparing"):
        for k, scores in as_done(partial(compared, settings), jobs, settings.processes):
            found[k] = scores
            i, j = pairs[k]
            advance(f"{names[i]} compared with {names[j]}")
    return Result(
        settings=settings,
        names=names,
        own=own,
        layers={name: one.layers for name, one in zip(names, recordings, strict=True)},
        samples=networks.samples,
        steps=networks.steps,
        first_epoch=networks.first_epoch,
        shifts=[(shift.kind, shift.size) for shift in shifted],
        pairs=pairs,
        scores=Scores.stacked([found[k] for k in range(len(pairs))]),
        accuracy=np.array([one.accuracy for one in recordings]),
        dead=np.array([one.dead for one in recordings]),
        seconds=seconds,
    )


def _share(scores: Array) -> Array:
    gain = scores[-1] - scores[0]
    gain = np.where(np.abs(gain) < _SMALLEST_GAIN, np.nan, gain)
    share: Array = (scores - scores[0]) / gain
    return share
