"""Run the study: every row with every seed, in processes of one thread each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from likewise.studies.guidance.settings import Row, Settings
from likewise.studies.guidance.training import Run, train_all
from likewise.studies.processes import as_done, one_thread

Advance = Callable[[str], None]
Job = tuple[Row, int]


@dataclass
class Result:
    """All trainings, in the order of rows, seeds and conditions."""

    settings: Settings
    runs: list[Run] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """By row: time of the trainings, one after another."""

    def of(self, row: Row, condition: str) -> list[Run]:
        """One training for every seed."""
        return [run for run in self.runs if run.row == row.name and run.condition == condition]


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return len(settings.rows) * settings.seeds


def run(settings: Settings | None = None, advance: Advance = lambda stage: None) -> Result:
    """Train everything; `advance` hears of every row and seed that is done."""
    settings = settings or Settings()
    result = Result(settings)
    jobs = [(row, repetition) for row in settings.rows for repetition in range(settings.seeds)]
    # The longest first, so that no process is left with them at the end.
    longest = sorted(jobs, key=lambda job: -job[0].depth * job[0].examples * job[0].epochs)
    done: dict[tuple[str, int], list[Run]] = {}
    for (row, repetition), (runs, seconds) in _trained(settings, longest):
        done[row.name, repetition] = runs
        result.seconds[row.title] = result.seconds.get(row.title, 0.0) + seconds
        advance(f"{row.title}, seed {repetition + 1} of {settings.seeds} trained")
    for row, repetition in jobs:
        result.runs += done[row.name, repetition]
    return result


def _trained(
    settings: Settings, jobs: Sequence[Job]
) -> Iterator[tuple[Job, tuple[list[Run], float]]]:
    """What comes of every job, as it is done. One process means this one."""
    train = partial(_timed, settings)
    if settings.processes == 1:
        for job in jobs:
            with one_thread():
                found = train(job)
            yield job, found
        return
    yield from ((jobs[k], found) for k, found in as_done(train, jobs, settings.processes))


def _timed(settings: Settings, job: Job) -> tuple[list[Run], float]:
    started = time.perf_counter()
    return train_all(settings, *job), time.perf_counter() - started


def error_consistency(first: Run, second: Run) -> float:
    """Cohen's kappa of which test answers two networks have right.

    1 if both err on the same inputs, 0 as often as chance has it; NaN where neither errs or both
    always do.
    """
    from sklearn.metrics import cohen_kappa_score

    if np.unique([first.correct, second.correct]).size == 1:
        return float("nan")
    return float(cohen_kappa_score(first.correct, second.correct))
