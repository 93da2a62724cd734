"""Run the study: every network is trained in one go, then the experiments read the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from likewise.studies.circles import survival
from likewise.studies.circles.dynamics import Fitted, fit_all
from likewise.studies.circles.jobs import (
    ABLATION,
    CONSTRUCTION,
    KEPT,
    PERTURBATION,
    SURVIVAL,
    constructed_circles,
    jobs,
    median_frequency,
)
from likewise.studies.circles.settings import Settings, Stream
from likewise.studies.circles.signals import (
    Floats,
    Mask,
    band_filter,
    circularity,
    relative_gradient,
    survivors_absolute,
    survivors_relative,
)
from likewise.studies.circles.training import Label, Run, mean_loss, train_all
from likewise.studies.processes import one_thread, timed

Advance = Callable[[str], None]

RELATIVE = "twice the mean"
ABSOLUTE = "above 10"
_RULES = {RELATIVE: survivors_relative, ABSOLUTE: survivors_absolute}


@dataclass(frozen=True)
class Survival:
    """Arrays (embeddings, runs, frequencies), and the tests under each rule of survival."""

    gradient: Floats
    circularity: Floats
    initial_circularity: Floats
    """(embeddings, frequencies), the control of `circularity`."""
    alive: dict[str, Mask] = field(default_factory=dict)
    correlations: dict[str, list[survival.Correlation]] = field(default_factory=dict)
    """All embeddings together first, then each alone."""
    differences: dict[str, survival.Difference] = field(default_factory=dict)
    separations: dict[str, survival.Separation] = field(default_factory=dict)


@dataclass(frozen=True)
class Collaboration:
    """Held-out loss of a run when its embedding keeps only some circles, at every checkpoint."""

    circles: list[int]
    """The frequencies that survived."""
    subsets: list[Floats]
    """For 1, 2, ... circles: (checkpoints, subsets of so many circles)."""
    dead: Floats
    """(checkpoints,): as many frequencies as there are circles, drawn from those that died."""
    whole: Floats
    """(checkpoints,): nothing removed."""


@dataclass(frozen=True)
class Result:
    """Everything the findings, figures and tables are made from."""

    settings: Settings
    accuracy: dict[str, Floats]
    """Last held-out accuracy of every run of each experiment."""
    tested_steps: NDArray[np.int64]
    test_loss: Floats
    """(embeddings, runs, tested steps)."""
    signals: Floats
    """(embeddings, runs, steps + 1, frequencies)."""
    survival: Survival
    collaboration: list[Collaboration]
    """Of the first run of every embedding."""
    ablation: dict[str, Floats]
    """Last held-out loss (embeddings, runs) by what was kept; "everything" is the control."""
    perturbed: list[int]
    """The frequency that was scaled, for each embedding."""
    perturbation: dict[float, Floats]
    """By factor: signals of that frequency at the last step, (embeddings, runs)."""
    constructed: tuple[int, int]
    construction: dict[float, Floats]
    """By ratio: signals of the two circles, (steps + 1, 2)."""
    fitted: Fitted
    seconds: dict[str, float]


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return len(jobs(settings)) + 3


def run(settings: Settings | None = None, advance: Advance = lambda stage: None) -> Result:
    """Do the whole study; `advance` hears of every network that has been trained.

    Networks are trained in spawned processes: in a script, call this under
    `if __name__ == "__main__":`.
    """
    settings = settings or Settings()
    seconds: dict[str, float] = {}
    advance("training")
    runs = {}
    with timed(seconds, "training"):
        for finished in train_all(jobs(settings), settings.workers):
            runs[finished.label] = finished
            advance("training, " + " ".join(map(str, finished.label)))
    survival_runs = [
        [runs[SURVIVAL, number, index] for index in range(settings.runs)]
        for number in range(settings.embeddings)
    ]
    signals = np.array([[one.signals for one in row] for row in survival_runs])
    with one_thread():
        with timed(seconds, "survival and collaboration"):
            tested = _survival(survival_runs, signals, settings)
            collaboration = [
                _collaboration(row[0], tested.alive[RELATIVE][number, 0], number, settings)
                for number, row in enumerate(survival_runs)
            ]
        advance("fitting recurrences")
        with timed(seconds, "recurrences"):
            fitted = fit_all(signals, tested.alive[RELATIVE], settings)
    built = constructed_circles(settings)
    perturbed = [median_frequency(settings, number) for number in range(settings.embeddings)]
    return Result(
        settings=settings,
        accuracy=_accuracy(runs),
        tested_steps=survival_runs[0][0].tested_steps,
        test_loss=np.array([[one.test_loss for one in row] for row in survival_runs]),
        signals=signals,
        survival=tested,
        collaboration=collaboration,
        ablation=_ablation(runs, settings),
        perturbed=perturbed,
        perturbation=_perturbation(runs, perturbed, settings),
        constructed=built,
        construction={
            ratio: runs[CONSTRUCTION, ratio].signals[:, np.subtract(built, 1)]
            for ratio in settings.ratios
        },
        fitted=fitted,
        seconds=seconds,
    )


def _survival(runs: list[list[Run]], signals: Floats, settings: Settings) -> Survival:
    embeddings = np.array([[one.embedding for one in row] for row in runs])
    initial, gradient = signals[:, 0, 0], relative_gradient(signals, settings.gradient_step)
    everywhere = np.broadcast_to(initial[:, None], gradient.shape)
    generator = settings.generator(Stream.CONTROLS)
    found = Survival(
        gradient=gradient,
        circularity=np.array([[circularity(one) for one in row] for row in embeddings]),
        initial_circularity=np.array([circularity(row[0].initial) for row in runs]),
    )
    for rule, survivors in _RULES.items():
        alive = found.alive[rule] = survivors(embeddings)
        rate = alive.mean(axis=1)
        rows = [slice(None), *(slice(k, k + 1) for k in range(len(rate)))]
        found.correlations[rule] = [
            survival.correlate(initial[row], rate[row], generator, settings.shuffles)
            for row in rows
        ]
        found.differences[rule] = survival.compare_gradients(gradient, alive)
        found.separations[rule] = survival.separate(gradient, everywhere, alive, settings.seed)
    return found


def _collaboration(run: Run, alive: Mask, number: int, settings: Settings) -> Collaboration:
    circles = [int(k) + 1 for k in np.flatnonzero(alive)]
    others = np.flatnonzero(~alive) + 1
    generator = settings.generator(Stream.RANDOM_CIRCLES, number, 1)
    dead = generator.choice(others, min(len(circles), len(others)), replace=False)

    def loss(step: int, frequencies: tuple[int, ...] | None) -> float:
        weights = dict(run.checkpoints[step])
        if frequencies is not None:
            weights["embedding"] = band_filter(weights["embedding"], frequencies)
        return mean_loss(weights, run.test_pairs)

    steps = settings.checkpoints
    return Collaboration(
        circles,
        [
            np.array([[loss(step, some) for some in combinations(circles, size)] for step in steps])
            for size in range(1, len(circles) + 1)
        ],
        np.array([loss(step, tuple(dead.tolist())) for step in steps]),
        np.array([loss(step, None) for step in steps]),
    )


def _ablation(runs: Mapping[Label, Run], settings: Settings) -> dict[str, Floats]:
    """The unablated runs are read at the step where the ablated ones end."""

    def loss(prefix: Label, *place: int) -> float:
        run = runs[(*prefix, *place)]
        row = np.searchsorted(run.tested_steps, settings.intervention_steps)
        return float(run.test_loss[row])

    starts: dict[str, Label] = {"everything": (SURVIVAL,)}
    starts |= {name: (ABLATION, name) for name in KEPT}
    return {name: _each(settings, partial(loss, start)) for name, start in starts.items()}


def _perturbation(
    runs: Mapping[Label, Run], perturbed: list[int], settings: Settings
) -> dict[float, Floats]:
    """The factor 1 is read from the first runs, at the step where the perturbed ones end."""

    def signal(prefix: Label, number: int, index: int) -> float:
        signals = runs[(*prefix, number, index)].signals
        return float(signals[settings.intervention_steps, perturbed[number] - 1])

    starts: dict[float, Label] = {factor: (PERTURBATION, factor) for factor in settings.factors}
    starts[1.0] = (SURVIVAL,)
    return {factor: _each(settings, partial(signal, starts[factor])) for factor in sorted(starts)}


def _each(settings: Settings, value: Callable[[int, int], float]) -> Floats:
    """Of every intervened run, (embeddings, runs)."""
    shape = (settings.embeddings, settings.intervention_runs)
    return np.reshape([value(*place) for place in np.ndindex(shape)], shape)


def _accuracy(runs: Mapping[Label, Run]) -> dict[str, Floats]:
    result: dict[str, list[float]] = {}
    for label, run in runs.items():
        result.setdefault(str(label[0]), []).append(float(run.test_accuracy[-1]))
    return {name: np.array(sorted(values)) for name, values in result.items()}
