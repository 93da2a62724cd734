"""Every network of the study: which embedding it starts from and which seed it has."""

from __future__ import annotations

import numpy as np

from likewise.studies.circles.settings import Settings, Stream
from likewise.studies.circles.signals import (
    Floats,
    band_filter,
    construct,
    fourier_signals,
    scale_frequency,
)
from likewise.studies.circles.training import Job, Label

SURVIVAL = "survival"
ABLATION = "ablation"
PERTURBATION = "perturbation"
CONSTRUCTION = "construction"

KEPT = ("strongest one", "strongest two", "random one", "random two")


def jobs(settings: Settings) -> list[Job]:
    """All runs. Those of an embedding share its values, those of a seed the rest and the split."""

    def job(
        label: Label,
        start: Floats,
        seed: tuple[int, ...],
        steps: int = settings.intervention_steps,
        checkpoints: tuple[int, ...] = (),
    ) -> Job:
        return Job(label, start, settings.key(Stream.NETWORK, *seed), steps, settings, checkpoints)

    starts = [embedding(settings, number) for number in range(settings.embeddings)]
    found = [
        job(
            (SURVIVAL, number, run),
            start,
            (number, run),
            settings.steps,
            settings.checkpoints if run == 0 else (),
        )
        for number, start in enumerate(starts)
        for run in range(settings.runs)
    ]
    for number, start in enumerate(starts):
        changed = {
            (ABLATION, variant): band_filter(start, kept(settings, number, variant))
            for variant in KEPT
        } | {
            (PERTURBATION, factor): scale_frequency(
                start, median_frequency(settings, number), factor
            )
            for factor in settings.factors
        }
        found += [
            job((*name, number, run), one, (number, run))
            for name, one in changed.items()
            for run in range(settings.intervention_runs)
        ]
    strong, weak = constructed_circles(settings)
    for index, ratio in enumerate(settings.ratios):
        generator = settings.generator(Stream.CONSTRUCTION, index + 1)
        circles = {strong: settings.constructed_signal, weak: settings.constructed_signal * ratio}
        start = construct(settings.p, settings.dimension, circles, generator)
        found.append(job((CONSTRUCTION, ratio), start, (settings.embeddings, index)))
    return found


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
