"""Many trainings of the study of circles: one process for each core against one after another.

Every training is single-threaded in both. The processes are started anew each time, so their
start is part of what they take. Contestants take turns; the runs of both must be equal.

`python -m benchmarks.circles [runs] [steps] [rounds]`
"""

from __future__ import annotations

import sys
import time
from statistics import median

import numpy as np
import torch

from likewise.studies.circles.settings import Settings
from likewise.studies.circles.training import Job, Run, train, train_all

WORKERS = 2
GOAL = 1.8


def workload(runs: int, steps: int) -> list[Job]:
    settings = Settings.quick()
    embedding = np.random.default_rng(0).standard_normal((settings.p, settings.dimension))
    return [Job(("run", k), embedding, (0, k), steps, settings) for k in range(runs)]


def check(first: list[Run], second: list[Run]) -> None:
    expected = {run.label: run.signals for run in first}
    for run in second:
        np.testing.assert_allclose(run.signals, expected[run.label], rtol=1e-5)


def main() -> None:
    runs, steps, rounds = (
        int(a) for a in (sys.argv[1:] + ["16", "3000", "3"][len(sys.argv) - 1 :])
    )
    torch.set_num_threads(1)
    jobs = workload(runs, steps)
    train(workload(1, 20)[0])  # loads what is loaded once
    ratios = []
    for _ in range(rounds):
        started = time.perf_counter()
        alone = [train(job) for job in jobs]
        between = time.perf_counter()
        together = list(train_all(jobs, WORKERS))
        ended = time.perf_counter()
        check(alone, together)
        ratios.append((between - started) / (ended - between))
        print(
            f"one after another {between - started:.2f} s, {WORKERS} processes "
            f"{ended - between:.2f} s, {ratios[-1]:.2f} times as fast"
        )
    print(f"median {median(ratios):.2f} (goal {GOAL}) for {runs} runs of {steps} steps")


if __name__ == "__main__":
    main()
