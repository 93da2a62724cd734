"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from likewise.report import Cell, Finding, Panel, number
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
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import compared

_COLOURS = {BASE: CONTROL} | dict(zip((UNTRAINED, TRAINED, CUT), CONTRASTS, strict=True))
_SHOWN = {
    "train_accuracy": "accuracy, training",
    "test_accuracy": "accuracy, test",
    "test_loss": "test loss",
    "scale": "sd of the outputs",
}


def _of_row(result: Result, row: Row) -> Text:
    return Text(__file__, cut_off=result.settings.cut_off, **vars(row))


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
    rows = result.settings.rows
    found = [
        _of_row(result, row).claim(
            compared, condition, result.at_end(row, condition), result.at_end(row, BASE), "seed"
        )
        for row in rows
        for condition in (UNTRAINED, TRAINED, CUT)
        if condition in row.conditions
    ]
    row, claim = rows[0], _of_row(result, rows[0]).claim
    ends = np.array([run.distances[[0, -1]] for run in result.of(row, UNTRAINED)]).mean(axis=0)
    found.append(claim(compared, "nearer", ends[1], ends[0], "layer", smaller=True))
    if {TRAINED, UNTRAINED} <= set(row.conditions):
        guided, alone, other = (
            kappas(result, row, name, GUIDE_TRAINED) for name in (TRAINED, BASE, UNTRAINED)
        )
        found.append(claim(compared, "errors", guided, np.maximum(alone, other), "seed"))
    return found


def outcome(result: Result) -> Outcome:
    """What `likewise study guidance` prints and writes."""
    text, rows = Text(__file__, cut_off=result.settings.cut_off), result.settings.rows
    header = ["", *(what.replace("_", " ") for what in CURVES), "sum of distances, first", "last"]
    return Outcome(
        result,
        text,
        findings(result),
        numbers(result),
        grids(result),
        figures=[
            text.figure("accuracies", _accuracies(result), height=380),
            text.figure("curves", _curves(result)),
            text.figure("distances", _distances(result), height=430),
        ],
        tables=[_of_row(result, row).table("end", header, _table(result, row)) for row in rows],
        notes=[(row.title, _described(result, row)) for row in rows],
        choices=("Show", [row.title for row in rows], 0) if len(rows) > 1 else None,
    )


def _table(result: Result, row: Row) -> list[list[Cell]]:
    table: list[list[Cell]] = []
    for name in compared_networks(row):
        values = [float(result.at_end(row, name, what).mean()) for what in CURVES]
        sums = [run.distances[[0, -1]].sum(axis=1) for run in result.of(row, name) if run.pairs]
        ends = np.mean(sums, axis=0).tolist() if sums else [math.nan, math.nan]
        table.append([name, *values, *ends])
    return table


def _described(result: Result, row: Row) -> str:
    norm = "" if row.normalized else " Without batch normalisation, as a negative control."
    return (
        f"{_of_row(result, row).line('Rows', row.task)}. {row.examples} training examples, "
        f"{row.epochs} epochs of Adam; the guide {row.guide_epochs}.{norm}"
    )


def _accuracies(result: Result) -> list[Panel]:
    """Test accuracy of every target at the end, a dot for every seed."""
    panels = []
    for column, row in enumerate(result.settings.rows):
        traces = []
        for k, condition in enumerate(CONDITIONS):
            if condition in row.conditions:
                values = result.at_end(row, condition)
                mean = float(values.mean())
                line = curve([k - 0.32, k + 0.32], [mean] * 2, "mean", INK, marks=0) | NO_LEGEND
                words = texts([k], [mean], [f"{number(mean)}<br> "], textposition="top center")
                dots = points([k] * len(values), values, condition, _COLOURS[condition], size=12)
                traces += [dots, line, words]
        up = axis("test accuracy" * (column == 0), range=[0, 1.04], showticklabels=column == 0)
        panels.append(Panel(row.title, category_axis(CONDITIONS, named=False), up, traces))
    return panels


def _curves(result: Result) -> list[Panel]:
    """Accuracy, loss and scale during training, mean over seeds."""
    panels = []
    for what, title in _SHOWN.items():
        lines = []
        for choice, row in enumerate(result.settings.rows):
            for condition in row.conditions:
                runs = result.of(row, condition)
                y = np.mean([getattr(run, what) for run in runs], axis=0)
                line = curve(runs[0].epochs, y, condition, _COLOURS[condition], marks=4)
                lines.append(of_choice(line, choice))
        up = log_axis("") | {"exponentformat": "power"} if what == "scale" else axis()
        if what.endswith("accuracy"):
            up = axis(range=[0, 1.04])
        panels.append(Panel(title, axis("epoch"), up, lines))
    return panels


def _distances(result: Result) -> list[Panel]:
    """The log of guidance: every pair of layers, at every step."""
    panels = []
    for column, condition in enumerate(name for name in CONDITIONS if name != BASE):
        lines = []
        for choice, row in enumerate(result.settings.rows):
            runs = result.of(row, condition)
            if not runs:
                continue
            means = np.mean([run.distances for run in runs], axis=0)
            starts = range(0, len(means), 10)
            smooth = np.array([means[start : start + 10].mean(axis=0) for start in starts])
            for k, pair in enumerate(runs[0].pairs):
                colour = DEPTHS[k * len(DEPTHS) // len(runs[0].pairs)]
                line = curve(starts, smooth[:, k], pair.replace("->", "→"), colour, marks=0)
                lines.append(of_choice(line, choice))
        up = axis("1 − CKA" * (column == 0), range=[0, 1.02])
        panels.append(Panel(condition, axis("step"), up, lines))
    return panels


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
