"""Run the study: train, record, and compare every network with every other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.convergence.networks import Networks
from likewise.studies.convergence.pairs import Job, Scores, compared
from likewise.studies.convergence.recordings import Layer, recorded
from likewise.studies.convergence.settings import Settings
from likewise.studies.convergence.shifts import shifts
from likewise.studies.processes import as_done, one_thread, timed

Advance = Callable[[str], None]


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
