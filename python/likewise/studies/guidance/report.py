"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from likewise.report import Cell, Figure, Finding, Panels, Table, number
from likewise.report.charts import NO_LEGEND, curve, of_choice, points, texts
from likewise.report.panels import axis, category_axis, log_axis
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.guidance.settings import (
    BASE,
    CONDITIONS,
    CUT,
    GUIDE_TRAINED,
    GUIDE_UNTRAINED,
    TRAINED,
    UNTRAINED,
    Row,
)
from likewise.studies.guidance.training import CURVES, Numbers, Result, error_consistency
from likewise.studies.outcome import Outcome, terms
from likewise.studies.verdicts import compared

NOTES = """
Guidance: To the loss of the task is added the sum of 1 − CKA over pairs of layers, one of the guide
and one of the target at the same relative depth. The guide is frozen, in evaluation mode, and its
own answers are not used. The trained guide has seen the same training data and no more.

CKA: Linear centred kernel alignment, ‖X'Y‖² / (‖X'X‖ ‖Y'Y‖) in Frobenius norms of the centred
batch, biased; feature maps and sequences are flattened. From 0 to 1; blind to rotation, shift and
scale.

Error consistency: Cohen's kappa (o − e) / (1 − e): o is the share of test answers that both
networks have right or both have wrong, e what their two accuracies alone would give.

Initial weights: Those of fully connected targets have variance 1 / inputs. The effect of guidance
on them hangs on that: with torch's default, a third of it, the base network of 20 layers overfits
less and leaves less to gain.

Source: Subramaniam et al., Training the untrainable: introducing inductive bias via
representational alignment, NeurIPS 2025. The networks here are small stand-ins.
"""
_TASKS = {
    "digits": (
        "fully connected target of {width} units a layer, guided by {guide_depth} convolutions of "
        "{guide_width} channels with skips"
    ),
    "copying": (
        "{depth} layers of {width} tanh units, guided by {guide_depth} causal Transformer blocks; "
        "up to {longest} of 10 symbols are to be repeated after a sign"
    ),
    "parity": (
        "{depth} Transformer blocks of width {width}, guided by {guide_depth} layers of tanh "
        "units; the sum of 2 to {longest} bits is to be called odd or even"
    ),
}
_COLOURS = {BASE: CONTROL} | dict(zip((UNTRAINED, TRAINED, CUT), CONTRASTS, strict=True))


def compared_networks(row: Row) -> tuple[str, ...]:
    """The networks of a row whose errors are compared: targets, then guides."""
    return (*row.conditions, GUIDE_UNTRAINED, GUIDE_TRAINED)


def kappas(result: Result, row: Row, first: str, second: str) -> Numbers:
    """Error consistency of two networks, one value for every seed."""
    pairs = zip(result.of(row, first), result.of(row, second), strict=True)
    return np.array([error_consistency(a, b) for a, b in pairs])


def kappa(result: Result, row: Row, first: str, second: str) -> float:
    """Mean over the seeds where it is defined; NaN if it is for none."""
    values = kappas(result, row, first, second)
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def findings(result: Result) -> list[Finding]:
    """What each guide does for each target, beside the target alone."""
    claims = {
        UNTRAINED: "a guide that was never trained helps",
        TRAINED: "a trained guide helps",
        CUT: f"the untrained guide helps if cut off after {result.settings.cut_off} steps",
    }
    found = [
        compared(
            f"{row.title}: {claim}",
            result.at_end(row, condition),
            result.at_end(row, BASE),
            "seed",
            "test accuracy guided and alone",
        )
        for row in result.settings.rows
        for condition, claim in claims.items()
        if condition in row.conditions
    ]
    row = result.settings.rows[0]
    ends = np.array([run.distances[[0, -1]] for run in result.of(row, UNTRAINED)]).mean(axis=0)
    found.append(
        compared(
            f"{row.title}: guided layers come nearer to the untrained guide's",
            ends[1],
            ends[0],
            "layer",
            "1 − CKA at the last and the first step",
            smaller=True,
        )
    )
    if {TRAINED, UNTRAINED} <= set(row.conditions):
        guided, alone, other = (
            kappas(result, row, name, GUIDE_TRAINED) for name in (TRAINED, BASE, UNTRAINED)
        )
        found.append(
            compared(
                f"{row.title}: the trained guide passes its errors on",
                guided,
                np.maximum(alone, other),
                "seed",
                "Cohen's kappa with the trained guide: of the network it guided; the larger of "
                "the network alone and the one that the untrained guide guided",
            )
        )
    return found


def outcome(result: Result) -> Outcome:
    """What `likewise study guidance` prints and writes."""
    settings = result.settings
    rows = settings.rows
    return Outcome(
        study="guidance",
        settings=settings,
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        lead="Some networks train badly: they overfit, or do not train at all. Here each is "
        "trained alone, and again while its layers are pulled towards those of a frozen guide: one "
        "that has learned the task, one with random weights, and the random one for the first "
        f"{settings.cut_off} steps only.",
        figures=[_accuracies(result), _curves(result), _distances(result)],
        tables=[
            (f"{row.title}, at the end of training, mean over seeds.", _table(result, row))
            for row in rows
        ],
        notes=[*((row.title, _described(row)) for row in rows), *terms(NOTES)],
        choices=("Show", [row.title for row in rows], 0) if len(rows) > 1 else None,
    )


def _table(result: Result, row: Row) -> Table:
    table: list[list[Cell]] = []
    for name in compared_networks(row):
        values = [float(result.at_end(row, name, what).mean()) for what in CURVES]
        sums = [run.distances[[0, -1]].sum(axis=1) for run in result.of(row, name) if run.pairs]
        first, last = np.mean(sums, axis=0) if sums else (math.nan, math.nan)
        table.append([name, *values, float(first), float(last)])
    header = ["", *(what.replace("_", " ") for what in CURVES), "sum of distances, first", "last"]
    return Table(header, table)


def _described(row: Row) -> str:
    norm = "" if row.normalized else " Without batch normalisation, as a negative control."
    return (
        f"{_TASKS[row.task].format(**vars(row))}. {row.examples} training examples, {row.epochs} "
        f"epochs of Adam; the guide {row.guide_epochs}.{norm}"
    )


def _accuracies(result: Result) -> Figure:
    """Test accuracy of every target at the end, a dot for every seed."""
    rows = result.settings.rows
    panels = Panels(1, len(rows), height=380, gap=(0.035, 0.0), left=58, bottom=40)
    for column, row in enumerate(rows):
        up = axis("test accuracy" if column == 0 else "", range=[0, 1.04])
        up |= {"showticklabels": column == 0}
        panels.panel(0, column, row.title, category_axis(CONDITIONS, named=False), up)
        for k, condition in enumerate(CONDITIONS):
            if condition in row.conditions:
                values = result.at_end(row, condition)
                mean = float(values.mean())
                dots = points([k] * len(values), values, condition, _COLOURS[condition], size=12)
                panels.add(0, column, dots)
                line = curve([k - 0.32, k + 0.32], [mean] * 2, "mean", INK, marks=0)
                panels.add(0, column, line | NO_LEGEND)
                words = texts([k], [mean], [f"{number(mean)}<br> "], textposition="top center")
                panels.add(0, column, words)
    return Figure(
        "accuracies",
        "What guidance does to each target",
        panels,
        "Share of test answers that are right after training: a dot for every seed, the line is "
        "their mean. All targets of one seed start from the same weights and see the same "
        "batches; the base network is the control.",
    )


def _curves(result: Result) -> Figure:
    """Accuracy, loss and scale during training, mean over seeds."""
    shown = {
        "train_accuracy": "accuracy, training",
        "test_accuracy": "accuracy, test",
        "test_loss": "test loss",
        "scale": "sd of the outputs",
    }
    panels = Panels(1, len(shown), height=400, gap=(0.055, 0.0), left=48, bottom=54)
    for column, (what, title) in enumerate(shown.items()):
        up = log_axis("") | {"exponentformat": "power"} if what == "scale" else axis()
        if what.endswith("accuracy"):
            up = axis(range=[0, 1.04])
        panels.panel(0, column, title, axis("epoch"), up)
        for choice, row in enumerate(result.settings.rows):
            for condition in row.conditions:
                runs = result.of(row, condition)
                y = np.mean([getattr(run, what) for run in runs], axis=0)
                line = curve(runs[0].epochs, y, condition, _COLOURS[condition], marks=4)
                panels.add(0, column, of_choice(line, choice))
    return Figure(
        "curves",
        "Accuracy, loss and scale during training",
        panels,
        "Every network in evaluation mode, mean over seeds. The right panel shows how far the "
        "outputs spread over test inputs, on a logarithmic scale.",
    )


def _distances(result: Result) -> Figure:
    """The log of guidance: every pair of layers, at every step."""
    guided = [name for name in CONDITIONS if name != BASE]
    panels = Panels(1, len(guided), height=430, gap=(0.04, 0.0), left=58, bottom=54)
    for column, condition in enumerate(guided):
        up = axis("1 − CKA" if column == 0 else "", range=[0, 1.02])
        panels.panel(0, column, condition, axis("step"), up)
        for choice, row in enumerate(result.settings.rows):
            runs = result.of(row, condition)
            if not runs:
                continue
            means = np.mean([run.distances for run in runs], axis=0)
            starts = range(0, len(means), 10)
            smooth = np.array([means[start : start + 10].mean(axis=0) for start in starts])
            for k, pair in enumerate(runs[0].pairs):
                colour = DEPTHS[k * len(DEPTHS) // len(runs[0].pairs)]
                name = pair.replace(" -> ", " → ")
                line = curve(starts, smooth[:, k], name, colour, marks=0)
                panels.add(0, column, of_choice(line, choice))
    return Figure(
        "distances",
        "How far each layer is from its guide",
        panels,
        "Distance 1 − CKA of each guide layer and its target layer on the training batch, mean "
        "over seeds and over ten neighbouring steps; colours run from the first layers to the "
        "last. Cut off, the guide is not looked at any more.",
    )


def numbers(result: Result) -> dict[str, Any]:
    """By row and network, a value for every seed; kappa of every two, NaN where undefined."""
    out: dict[str, Any] = {}
    for row in result.settings.rows:
        names = compared_networks(row)
        of_row: dict[str, Any] = {
            name: {what: result.at_end(row, name, what) for what in CURVES} for name in names
        }
        for name in names:
            runs = result.of(row, name)
            if runs[0].pairs:
                of_row[name]["pairs"] = list(runs[0].pairs)
                of_row[name]["last_distances"] = [run.distances[-1] for run in runs]
        of_row["kappa"] = {
            f"{a} / {b}": kappa(result, row, a, b)
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        }
        out[row.name] = of_row
    return out


def grids(result: Result) -> dict[str, Numbers]:
    """Curves (seeds, records), distances (seeds, steps, pairs) and kappas, seeds first."""
    out: dict[str, Numbers] = {}
    for row in result.settings.rows:
        names = compared_networks(row)
        for name in names:
            runs = result.of(row, name)
            for what in ("epochs", "train_accuracy", "test_accuracy", "test_loss", "scale"):
                out[f"{row.name}.{name}.{what}"] = np.array([getattr(run, what) for run in runs])
            if runs[0].pairs:
                out[f"{row.name}.{name}.distances"] = np.array([run.distances for run in runs])
        consistency = [[kappas(result, row, a, b) for b in names] for a in names]
        out[f"{row.name}.kappa"] = np.array(consistency).transpose(2, 0, 1)
    return out
