"""What the run found: numbers, and sentences that are chosen by the numbers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from likewise.report import number
from likewise.studies.guidance.experiment import Result, error_consistency
from likewise.studies.guidance.settings import (
    BASE,
    CUT,
    GUIDE_TRAINED,
    GUIDE_UNTRAINED,
    TRAINED,
    UNTRAINED,
    Row,
)
from likewise.studies.guidance.training import Numbers

Finding = tuple[str, str]

# Accuracies closer than this are called the same.
_SAME = 0.02


def compared(row: Row) -> tuple[str, ...]:
    """The networks of a row whose errors are compared: targets, then guides."""
    return (*row.conditions, GUIDE_UNTRAINED, GUIDE_TRAINED)


def at_end(result: Result, row: Row, condition: str, what: str = "test_accuracy") -> Numbers:
    """One value for every seed: the last record of a curve."""
    return np.array([getattr(run, what)[-1] for run in result.of(row, condition)])


def mean(result: Result, row: Row, condition: str, what: str = "test_accuracy") -> float:
    """The same, mean over seeds."""
    return float(at_end(result, row, condition, what).mean())


def consistency(result: Result, row: Row) -> Numbers:
    """Cohen's kappa of which test answers are right, (seeds, networks, networks)."""
    runs = [result.of(row, name) for name in compared(row)]
    return np.array(
        [
            [[error_consistency(a[seed], b[seed]) for b in runs] for a in runs]
            for seed in range(result.settings.seeds)
        ]
    )


def kappa(result: Result, row: Row, first: str, second: str) -> float:
    """Mean over the seeds where it is defined; NaN if it is for none."""
    values = [
        error_consistency(a, b)
        for a, b in zip(result.of(row, first), result.of(row, second), strict=True)
    ]
    defined = [value for value in values if not math.isnan(value)]
    return float(np.mean(defined)) if defined else math.nan


def helps(result: Result, row: Row, condition: str) -> bool:
    """Whether guidance wins with every seed, and more than a little in the mean."""
    gains = at_end(result, row, condition) - at_end(result, row, BASE)
    return bool(gains.min() > 0 and gains.mean() > _SAME)


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    row = result.settings.rows[0]
    base, guided = mean(result, row, BASE), mean(result, row, UNTRAINED)
    values = f"test accuracy {_percent(guided)} instead of {_percent(base)}"
    verb = "helps" if helps(result, row, UNTRAINED) else "does not help"
    return f"Guidance by a network that was never trained {verb}: {values}"


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers; the control of every one is the base network."""
    statements = []
    for row in result.settings.rows:
        if not row.normalized:
            statements.append(_unnormalized(result, row))
            continue
        statements.append(_gain(result, row))
        if CUT in row.conditions:
            statements.append(_cut_off(result, row))
    statements.append(_errors(result, result.settings.rows[0]))
    return statements


def _gain(result: Result, row: Row) -> Finding:
    helping = [name for name in (UNTRAINED, TRAINED) if helps(result, row, name)]
    verb = {
        0: "Neither guide helps",
        1: f"The {' '.join(helping)} alone helps",
        2: "Both guides help",
    }[len(helping)]
    if result.settings.seeds > 1:
        verb += " with every seed"
    texts = [
        f"{name} {_accuracies(result, row, name)}, test loss "
        f"{number(mean(result, row, name, 'test_loss'))}"
        for name in row.conditions
    ]
    guide = f"the trained guide itself reaches {_percent(mean(result, row, GUIDE_TRAINED))}"
    return f"{row.title}: {verb}", f"Test accuracy: {'; '.join(texts)}; {guide}."


def _cut_off(result: Result, row: Row) -> Finding:
    base, cut, guided = (mean(result, row, name) for name in (BASE, CUT, UNTRAINED))
    steps = result.settings.cut_off
    if guided - base <= _SAME:
        return (
            f"{row.title}: no gain that {steps} steps of guidance could have a share of",
            f"Test accuracy {_percent(base)} alone, {_percent(cut)} with guidance cut off, "
            f"{_percent(guided)} guided throughout.",
        )
    share = (cut - base) / (guided - base)
    part = f"{_percent(share)} of the gain" if share > 0 else "nothing of the gain"
    return (
        f"{row.title}: the first {steps} steps of guidance bring {part}",
        f"Test accuracy {_percent(base)} alone, {_percent(cut)} with guidance cut off after "
        f"{steps} steps, {_percent(guided)} guided throughout, by the same untrained guide.",
    )


def _unnormalized(result: Result, row: Row) -> Finding:
    base, guided = mean(result, row, BASE), mean(result, row, UNTRAINED)
    first, last = ends_of_distances(result, row, UNTRAINED)
    fails = guided < base - _SAME and last < first
    statement = "guidance fails though the distances fall" if fails else "guidance does not fail"
    scales = [number(mean(result, row, name, "scale"), 3) for name in (BASE, UNTRAINED)]
    return (
        f"{row.title}: {statement}",
        f"Test accuracy {_accuracies(result, row, BASE)} alone, "
        f"{_accuracies(result, row, UNTRAINED)} with the untrained and "
        f"{_accuracies(result, row, TRAINED)} with the trained guide. Guided by the untrained one, "
        f"the sum of distances goes from {number(first)} to {number(last)}; the standard deviation "
        f"of its outputs ends at {scales[1]}, that of the base network at {scales[0]}. CKA does "
        "not see scale.",
    )


def _errors(result: Result, row: Row) -> Finding:
    guided, base = (kappa(result, row, name, GUIDE_TRAINED) for name in (TRAINED, BASE))
    verb = "passes its errors on" if guided > base else "does not pass its errors on"
    others = kappa(result, row, TRAINED, BASE)
    return (
        f"{row.title}: the trained guide {verb}",
        f"Cohen's kappa of correct answers with the guide: {number(guided)} guided, "
        f"{number(base)} alone; of the two with each other {number(others)}. 0 is chance.",
    )


def ends_of_distances(result: Result, row: Row, condition: str) -> tuple[float, float]:
    """Sum of the distances at the first and the last step of guidance, mean over seeds."""
    sums = np.array([run.distances[[0, -1]].sum(axis=1) for run in result.of(row, condition)])
    return float(sums[:, 0].mean()), float(sums[:, 1].mean())


def numbers(result: Result) -> dict[str, Any]:
    """By row and network, a value for every seed; kappa of every two, None where undefined."""
    out: dict[str, Any] = {}
    for row in result.settings.rows:
        of_row: dict[str, Any] = {}
        for name in compared(row):
            of_row[name] = {
                what: at_end(result, row, name, what)
                for what in ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "scale")
            }
            first = result.of(row, name)[0]
            if first.pairs:
                of_row[name]["pairs"] = list(first.pairs)
                of_row[name]["last_distances"] = [r.distances[-1] for r in result.of(row, name)]
        names = compared(row)
        of_row["kappa"] = {
            f"{a} / {b}": None if math.isnan(value := kappa(result, row, a, b)) else value
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        }
        out[row.name] = of_row
    return out


def grids(result: Result) -> dict[str, Numbers]:
    """Curves (seeds, records), distances (seeds, steps, pairs) and kappas, seeds first."""
    out: dict[str, Numbers] = {}
    for row in result.settings.rows:
        for name in compared(row):
            runs = result.of(row, name)
            for what in ("epochs", "train_accuracy", "test_accuracy", "test_loss", "scale"):
                out[f"{row.name}.{name}.{what}"] = np.array([getattr(run, what) for run in runs])
            if runs[0].pairs:
                out[f"{row.name}.{name}.distances"] = np.array([run.distances for run in runs])
        out[f"{row.name}.kappa"] = consistency(result, row)
    return out


def _accuracies(result: Result, row: Row, condition: str) -> str:
    values: Sequence[float] = at_end(result, row, condition).tolist()
    text = _percent(float(np.mean(values)))
    if len(values) == 1:
        return text
    return f"{text} (seeds {', '.join(f'{100 * value:.0f}' for value in values)})"


def _percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"
