"""Training networks, alone and guided, and looking at them on the way."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from likewise import LikewiseWarning
from likewise.studies.guidance.data import IGNORED, Data, load
from likewise.studies.guidance.networks import guide_of, target_of
from likewise.studies.guidance.settings import (
    BASE,
    CUT,
    GUIDE_TRAINED,
    GUIDE_UNTRAINED,
    TRAINED,
    Row,
    Settings,
)
from likewise.studies.processes import as_done
from likewise.studies.training import descend, drawn
from likewise.torch.guidance import Guidance, even_layer_map

Numbers = NDArray[np.float64]

CURVES = ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "scale")


@dataclass(frozen=True)
class Run:
    """One training: `epochs` has shape (r,), and so have accuracies, losses and scales."""

    row: str
    repetition: int
    condition: str
    epochs: NDArray[np.int64]
    train_accuracy: Numbers
    test_accuracy: Numbers
    train_loss: Numbers
    test_loss: Numbers
    scale: Numbers
    """Standard deviation of the outputs over test inputs, mean over outputs."""
    correct: NDArray[np.bool_]
    """Which test answers are right at the end."""
    pairs: tuple[str, ...] = ()
    distances: Numbers = field(default_factory=lambda: np.empty((0, 0)))
    """(steps, pairs), every step of guidance."""


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

    def at_end(self, row: Row, condition: str, what: str = "test_accuracy") -> Numbers:
        """One value for every seed: the last record of a curve."""
        return np.array([getattr(run, what)[-1] for run in self.of(row, condition)])


def stages(settings: Settings) -> int:
    """How many times `run` calls `advance`."""
    return len(settings.rows) * settings.seeds


def run(
    settings: Settings | None = None, advance: Callable[[str], None] = lambda stage: None
) -> Result:
    """Train everything; `advance` hears of every row and seed that is done."""
    settings = settings or Settings()
    result = Result(settings)
    jobs = [(row, repetition) for row in settings.rows for repetition in range(settings.seeds)]
    # The longest first, so that no process is left with them at the end.
    longest = sorted(jobs, key=lambda job: -job[0].depth * job[0].examples * job[0].epochs)
    done: dict[tuple[str, int], list[Run]] = {}
    for k, (runs, seconds) in as_done(partial(_timed, settings), longest, settings.processes):
        row, repetition = longest[k]
        done[row.name, repetition] = runs
        result.seconds[row.title] = result.seconds.get(row.title, 0.0) + seconds
        advance(f"{row.title}, seed {repetition + 1} of {settings.seeds} trained")
    for row, repetition in jobs:
        result.runs += done[row.name, repetition]
    return result


def error_consistency(first: Run, second: Run) -> float:
    """Cohen's kappa of which test answers two networks have right.

    1 if both err on the same inputs, 0 as often as chance has it; NaN where neither errs or both
    always do.
    """
    from sklearn.metrics import cohen_kappa_score

    if np.unique([first.correct, second.correct]).size == 1:
        return float("nan")
    return float(cohen_kappa_score(first.correct, second.correct))


def _timed(settings: Settings, job: tuple[Row, int]) -> tuple[list[Run], float]:
    started = time.perf_counter()
    return train_all(settings, *job), time.perf_counter() - started


def train_all(settings: Settings, row: Row, repetition: int) -> list[Run]:
    """Both guides of a row, then its targets, with one seed.

    All targets of a seed start from the same weights and see the same batches.
    """
    seed = settings.of_seed(repetition)
    training, test = load(row, seed)
    trained, untrained = (drawn(2 * seed + k, lambda: guide_of(row)) for k in range(2))
    course = _Course(settings, row, repetition, training, test)
    runs = [
        course.run(GUIDE_UNTRAINED, untrained, 0, 0.0),
        course.run(GUIDE_TRAINED, trained, row.guide_epochs, row.guide_learning_rate),
    ]
    for condition in row.conditions:
        target = drawn(seed, lambda: target_of(row))
        guidance = None
        if condition != BASE:
            guide = trained if condition == TRAINED else untrained
            until = settings.cut_off if condition == CUT else None
            guidance = _guidance(row, guide, target, until)
        with guidance or nullcontext():
            runs.append(course.run(condition, target, row.epochs, settings.learning_rate, guidance))
    return runs


def _guidance(row: Row, guide: nn.Module, target: nn.Module, until: int | None) -> Guidance:
    if row.task != "digits":
        # The blocks alone: all else in a Transformer has no counterpart in a recurrent network.
        names = [[f"blocks.{k}" for k in range(depth)] for depth in (row.guide_depth, row.depth)]
        blocks = even_layer_map(*names)
        return Guidance(guide, target, dict(blocks), until=until)
    with warnings.catch_warnings():
        if not row.normalized:  # what this row is there to show
            warnings.simplefilter("ignore", LikewiseWarning)
        return Guidance(guide, target, until=until)


@dataclass(frozen=True)
class _Course:
    """What all trainings of one row and seed share."""

    settings: Settings
    row: Row
    repetition: int
    training: Data
    test: Data

    def run(
        self,
        condition: str,
        network: nn.Module,
        epochs: int,
        learning_rate: float,
        guidance: Guidance | None = None,
    ) -> Run:
        optimizer = torch.optim.Adam(network.parameters(), learning_rate, fused=True)
        generator = torch.Generator().manual_seed(self.settings.of_seed(self.repetition))
        steps = np.linspace(0, epochs, self.settings.records + 1).round().astype(np.int64)
        recorded = np.unique(steps)
        looks = []
        for epoch in range(epochs + 1):
            if epoch in recorded:
                looks.append(self._look(network))
            if epoch == epochs:
                break
            order = torch.randperm(len(self.training.inputs), generator=generator)
            for rows in order.split(self.settings.batch_size):
                loss = _loss(network(self.training.inputs[rows]), self.training.answers[rows])
                if guidance is not None:
                    loss = loss + guidance(self.training.inputs[rows])
                descend(optimizer, loss)
        log = [] if guidance is None else guidance.log
        pairs = tuple(log[0].distances) if log else ()
        distances = np.array([list(step.distances.values()) for step in log])
        curves = dict(zip(CURVES, np.array([look[:5] for look in looks]).T, strict=True))
        return Run(
            row=self.row.name,
            repetition=self.repetition,
            condition=condition,
            epochs=recorded,
            correct=looks[-1][5],
            pairs=pairs,
            distances=distances.reshape(len(log), len(pairs)),
            **curves,
        )

    def _look(self, network: nn.Module) -> tuple[Any, ...]:
        """Accuracies, losses and scale in evaluation mode, and which test answers are right."""
        network.eval()
        with torch.no_grad():
            outputs = [network(data.inputs) for data in (self.training, self.test)]
        network.train()
        answers = (self.training.answers, self.test.answers)
        pairs = list(zip(outputs, answers, strict=True))
        correct = [(o.argmax(-1) == a)[a != IGNORED].numpy() for o, a in pairs]
        losses = [_loss(o, a).item() for o, a in pairs]
        scale = outputs[1][self.test.answers != IGNORED].std(0).mean().item()
        return correct[0].mean(), correct[1].mean(), *losses, scale, correct[1]


def _loss(outputs: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the answers that are asked for."""
    return nn.functional.cross_entropy(
        outputs.flatten(0, -2), answers.flatten(), ignore_index=IGNORED
    )
