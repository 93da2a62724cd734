"""Run the study: train, record, and compare every network with every other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.convergence.networks import Networks
from likewise.studies.convergence.pairs import Job, Scores, compared
from likewise.studies.convergence.recordings import Layer, recorded
from likewise.studies.convergence.settings import Settings
from likewise.studies.convergence.shifts import shifts
from likewise.studies.processes import as_done, one_thread

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
    started = time.perf_counter()
    own = networks is None
    if networks is None:
        from likewise.studies.convergence.training import networks as trained

        networks = trained(settings, advance)
        seconds["training"] = time.perf_counter() - started
    if networks.samples < 2 * settings.folds:
        raise ValueError(
            f"Networks: probe must have at least {2 * settings.folds} samples for "
            f"{settings.folds} folds, got {networks.samples}"
        )
    started = time.perf_counter()
    advance("recording")
    shifted = shifts(networks.probe, settings.seed)
    names = tuple(networks.models)
    with one_thread():
        recordings = [recorded(networks, name, shifted, settings) for name in names]
    seconds["recording"] = time.perf_counter() - started
    started = time.perf_counter()
    count = len(names)
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    jobs = [Job(k, recordings[i], recordings[j]) for k, (i, j) in enumerate(pairs)]
    found: dict[int, Scores] = {}
    for k, scores in _compared(settings, jobs):
        found[k] = scores
        i, j = pairs[k]
        advance(f"{names[i]} compared with {names[j]}")
    seconds["comparing"] = time.perf_counter() - started
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


def _compared(settings: Settings, jobs: list[Job]) -> Iterator[tuple[int, Scores]]:
    """Scores of every pair, as they are done. One process means this one."""
    function = partial(compared, settings)
    if settings.processes > 1:
        yield from as_done(function, jobs, settings.processes)
        return
    for k, job in enumerate(jobs):
        with one_thread():
            scores = function(job)
        yield k, scores
