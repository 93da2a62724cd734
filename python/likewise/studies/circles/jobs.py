"""Every network of the study: which embedding it starts from and which seed it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from likewise.studies.circles.interventions import band_filter, construct, scale_frequency
from likewise.studies.circles.settings import Settings, Stream
from likewise.studies.circles.signals import Floats, fourier_signals

if TYPE_CHECKING:
    from likewise.studies.circles.training import Job, Label

SURVIVAL = "survival"
ABLATION = "ablation"
PERTURBATION = "perturbation"
CONSTRUCTION = "construction"

KEPT = ("strongest one", "strongest two", "random one", "random two")


def jobs(settings: Settings) -> list[Job]:
    """All runs. Those of an embedding share its values, those of a seed the rest and the split."""
    return [
        *_survival(settings),
        *_ablation(settings),
        *_perturbation(settings),
        *_construction(settings),
    ]


def embedding(settings: Settings, number: int) -> Floats:
    """A standard normal embedding (p, dimension)."""
    generator = settings.generator(Stream.EMBEDDING, number)
    return generator.standard_normal((settings.p, settings.dimension))


def kept(settings: Settings, number: int, variant: str) -> list[int]:
    """The frequencies that an ablation leaves in an initial embedding."""
    strength = np.argsort(-fourier_signals(embedding(settings, number))) + 1
    drawn = settings.generator(Stream.RANDOM_CIRCLES, number).choice(
        settings.frequencies, 2, replace=False
    )
    order = strength if variant.startswith("strongest") else drawn + 1
    return [int(k) for k in order[: 1 if variant.endswith("one") else 2]]


def median_frequency(settings: Settings, number: int) -> int:
    """The frequency whose initial signal is the median: neither outcome is certain."""
    order = np.argsort(fourier_signals(embedding(settings, number)))
    return int(order[settings.frequencies // 2]) + 1


def constructed_circles(settings: Settings) -> tuple[int, int]:
    """The two frequencies of every constructed embedding, the strong one first."""
    drawn = settings.generator(Stream.CONSTRUCTION).choice(settings.frequencies, 2, replace=False)
    return int(drawn[0]) + 1, int(drawn[1]) + 1


def _survival(settings: Settings) -> list[Job]:
    return [
        _job(
            settings,
            (SURVIVAL, number, run),
            embedding(settings, number),
            (number, run),
            settings.steps,
            settings.checkpoints if run == 0 else (),
        )
        for number in range(settings.embeddings)
        for run in range(settings.runs)
    ]


def _ablation(settings: Settings) -> list[Job]:
    steps = settings.intervention_steps
    return [
        _job(
            settings,
            (ABLATION, variant, number, run),
            band_filter(embedding(settings, number), kept(settings, number, variant)),
            (number, run),
            steps,
        )
        for variant in KEPT
        for number in range(settings.embeddings)
        for run in range(settings.intervention_runs)
    ]


def _perturbation(settings: Settings) -> list[Job]:
    steps = settings.intervention_steps
    return [
        _job(
            settings,
            (PERTURBATION, factor, number, run),
            scale_frequency(
                embedding(settings, number), median_frequency(settings, number), factor
            ),
            (number, run),
            steps,
        )
        for factor in settings.factors
        for number in range(settings.embeddings)
        for run in range(settings.intervention_runs)
    ]


def _construction(settings: Settings) -> list[Job]:
    strong, weak = constructed_circles(settings)
    result = []
    for index, ratio in enumerate(settings.ratios):
        signals = {
            strong: settings.constructed_signal,
            weak: settings.constructed_signal * ratio,
        }
        generator = settings.generator(Stream.CONSTRUCTION, index + 1)
        start = construct(settings.p, settings.dimension, signals, generator)
        label = (CONSTRUCTION, ratio)
        seed = (settings.embeddings, index)
        result.append(_job(settings, label, start, seed, settings.intervention_steps))
    return result


def _job(
    settings: Settings,
    label: Label,
    start: Floats,
    seed: tuple[int, ...],
    steps: int,
    checkpoints: tuple[int, ...] = (),
) -> Job:
    from likewise.studies.circles.training import Job

    return Job(
        label,
        start,
        settings.key(Stream.NETWORK, *seed),
        steps,
        settings.hidden,
        settings.train_share,
        settings.learning_rate,
        settings.weight_decay,
        checkpoints,
    )
