"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from likewise.report import Cell, Figure, Finding, Panels, Table
from likewise.report.charts import NO_LEGEND, curve, points
from likewise.report.panels import axis, category_axis, log_axis
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.circles.dynamics import (
    COMPETITION,
    FITS,
    LATER,
    LINEAR,
    OTHER,
    PARTS,
    SAME,
    SPARSE,
)
from likewise.studies.circles.experiment import ABSOLUTE, RELATIVE, Result
from likewise.studies.circles.signals import Floats, Mask
from likewise.studies.outcome import Outcome, terms
from likewise.studies.verdicts import compared, given

NOTES = """
Signal: s_k = ‖F_k‖, F_k the Fourier coefficient of the embedding over the tokens at frequency k. A
frequency survives if its signal is more than twice the mean over all p frequencies, or by the
second rule above 10. What is undecided at the last step may still change: the paper trains 30 000.

Circularity: From 0 to 1: how much of a projection on Re F_k and Im F_k moves with frequency k. 1 is
a perfect circle.

Recurrence: Increments x(t+1) − x(t) of all signals as W x + b, by least squares and by the lasso,
and as x (r + A x), Lotka-Volterra. R² is that of the increments; the roll-out starts at the first
state of a stretch and is compared with its last. Held-out time: fitted to the first steps and
scored on the rest; held-out run: fitted to the other runs of the same embedding.

Network: Shared embedding, two hidden layers of SiLU units, p outputs; float32; the training pairs
at once, AdamW with weight decay on everything.

Source: Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420.
"""


def findings(result: Result) -> list[Finding]:
    """Claims of the paper; the unit of evidence is a training where no other is named."""
    tested, fitted = result.survival, result.fitted
    alive = tested.alive[RELATIVE]
    pooled, svm = tested.correlations[RELATIVE][0], tested.separations[RELATIVE]
    start = np.broadcast_to(tested.initial_circularity[:, None], alive.shape)
    several = [one for one in result.collaboration if len(one.circles) > 1]
    factors = sorted(result.perturbation)
    ratios = np.array([ratio for ratio in result.construction if ratio < 1])
    ends = [result.construction[ratio][-1] for ratio in ratios]
    linear = fitted.scores[LINEAR]

    def scores(fit: str, part: str, name: str = "r2") -> list[float]:
        return [float(getattr(one, name)) for one in fitted.scores[fit][part]]

    return [
        given(
            "Circles that start strong survive more often",
            pooled.r,
            pooled.control_mean,
            pooled.p_value,
            f"{pooled.points} frequencies",
            "Pearson r of initial signal and survival rate; shuffled",
        ),
        compared(
            "Survivors are rounder than they were",
            _of(alive, tested.circularity),
            _of(alive, start),
            "run",
            "circularity of survivors at the end and at the start",
        ),
        compared(
            "Survivors grow faster from the first steps",
            _of(alive, tested.gradient),
            _of(~alive, tested.gradient),
            "run",
            "relative change of the signal, of survivors and of the others",
        ),
        given(
            "Initial signal and first change tell who survives",
            svm.accuracy,
            svm.control_mean,
            math.erfc(abs(svm.accuracy - svm.control_mean) / (svm.control_sd * math.sqrt(2)))
            if svm.control_sd > 0
            else math.nan,
            "20 splits of the frequencies",
            "balanced accuracy of a linear SVM on frequencies held out; labels shuffled",
        ),
        compared(
            "Circles work together: all of them do better than the best alone",
            [one.subsets[-1][-1, 0] for one in several],
            [one.subsets[0][-1].min() for one in several],
            "run",
            "held-out loss of a network whose embedding keeps only these circles",
            smaller=True,
        ),
        compared(
            "Two strong circles are a better start than two others",
            result.ablation["strongest two"],
            result.ablation["random two"],
            "run",
            "held-out loss after training from embeddings with two frequencies alone",
            smaller=True,
        ),
        compared(
            "Scaling a frequency up at the start raises its signal at the end",
            result.perturbation[factors[-1]],
            result.perturbation[factors[0]],
            "run",
            "final signal of the frequency of median strength, scaled by the largest and the "
            "smallest factor",
        ),
        compared(
            "Of two built circles the weaker falls behind",
            [weak / strong for strong, weak in ends],
            ratios,
            "run",
            "ratio of their signals at the end and at the start",
            smaller=True,
        ),
        compared(
            "A linear recurrence fits signals better than those of unrelated runs would",
            scores(LINEAR, SAME),
            fitted.unrelated,
            "run",
            "R² of the increments; regressed on the signals of a run with another embedding",
        ),
        *(
            compared(
                f"The linear recurrence foretells a {part}",
                [one.error for one in linear[part]],
                [one.still for one in linear[part]],
                "run",
                "error of the roll-out; of signals that stay as they were",
                smaller=True,
            )
            for part in (LATER, OTHER)
        ),
        compared(
            "Lotka-Volterra fits better than a linear recurrence",
            scores(COMPETITION, SAME),
            scores(LINEAR, SAME),
            "run",
            "R² of the increments",
        ),
        compared(
            "Survivors help each other more than those that die",
            fitted.cooperative,
            fitted.toward_dead,
            "run",
            "share of positive W from survivors to survivors and to the others",
        ),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study circles` prints and writes."""
    settings = result.settings
    return Outcome(
        study="circles",
        settings=settings,
        findings=findings(result),
        numbers=numbers(result),
        grids={
            "signals": result.signals,
            "test_loss": result.test_loss,
            "tested_steps": result.tested_steps,
            "gradient": result.survival.gradient,
            "circularity": result.survival.circularity,
            "survives_relative": result.survival.alive[RELATIVE],
            "survives_absolute": result.survival.alive[ABSOLUTE],
        },
        seconds=result.seconds,
        lead=f"Networks learn to add modulo {settings.p} and place the {settings.p} tokens on "
        f"circles. {settings.embeddings} random embeddings were trained {settings.runs} times "
        "each, with other weights and another split of the pairs every time, to see which "
        "frequencies survive from the same start; then the start itself was changed.",
        figures=[_signals(result), _survival(result), _interventions(result)],
        tables=[
            ("Recurrences of the signals, medians over all runs.", _recurrences(result)),
        ],
        notes=terms(NOTES),
    )


def _recurrences(result: Result) -> Table:
    rows: list[list[Cell]] = []
    for fit in FITS:
        for part in PARTS:
            r2, error, still = np.median(
                [(one.r2, one.error, one.still) for one in result.fitted.scores[fit][part]], axis=0
            ).tolist()
            diverged = sum(math.isinf(one.error) for one in result.fitted.scores[fit][part])
            rows.append([f"{fit}, {part}", r2, (error, still), f"{diverged}"])
    header = ["", "R² of increments", "roll-out error; standing still", "roll-outs that diverge"]
    return Table(header, rows)


def _signals(result: Result) -> Figure:
    panels = Panels(1, 2, height=420, gap=(0.08, 0), bottom=58)
    signals, alive = result.signals[0, 0], result.survival.alive[RELATIVE][0, 0]
    for column, title in enumerate(("one run: every frequency", "the recurrence from the start")):
        panels.panel(0, column, title, axis("training step"), axis("signal ‖F_k‖"))
    steps = np.arange(0, len(signals), 10)
    cut = steps[steps <= result.settings.dynamics_steps]
    for k in np.argsort(alive, kind="stable"):
        name, colour = ("survives", CONTRASTS[1]) if alive[k] else ("dies", CONTROL)
        for column, rows in enumerate((steps, cut)):
            panels.add(0, column, curve(rows, signals[rows, k], name, colour, marks=0))
    for fit, colour in ((LINEAR, CONTRASTS[0]), (SPARSE, CONTRASTS[2])):
        for states in result.fitted.example[fit][cut].T:
            panels.add(0, 1, curve(cut, states, fit, colour, dash="dot", marks=0))
    return Figure(
        "signals",
        f"The signals of {result.settings.frequencies} frequencies during training",
        panels,
        "Left: the signal of every frequency in the first run. Green: more than twice the mean at "
        "the end; grey: not, or not yet. Right: the same with linear recurrences fitted to these "
        "steps and rolled out from the first state alone (dotted).",
    )


def _survival(result: Result) -> Figure:
    panels = Panels(1, 2, height=430, gap=(0.08, 0), bottom=58)
    tested, initial = result.survival, result.signals[:, 0, 0]
    alive = tested.alive[RELATIVE]
    up = axis("share of runs", range=[-0.05, 1.05])
    panels.panel(0, 0, "survival rate by initial signal", axis("initial signal"), up)
    for k, (x, y) in enumerate(zip(initial, alive.mean(axis=1), strict=True)):
        panels.add(0, 0, points(x, y, f"embedding {k + 1}", DEPTHS[k % len(DEPTHS)], size=9))
    across = axis(f"relative change of the signal at step {result.settings.gradient_step}")
    panels.panel(0, 1, "survivors by signal and gradient", across, axis("initial signal"))
    everywhere = np.broadcast_to(initial[:, None], tested.gradient.shape)
    for name, mask, colour in (("dies", ~alive, CONTROL), ("survives", alive, CONTRASTS[1])):
        panels.add(0, 1, points(tested.gradient[mask], everywhere[mask], name, colour, size=7))
    return Figure(
        "survival",
        "Survival against the initial signal and its first change",
        panels,
        "Left: one point for each frequency of each initial embedding; the share of its runs, with "
        "other weights and another split, in which it survived. Right: one point for each "
        "frequency and run.",
    )


def _interventions(result: Result) -> Figure:
    panels = Panels(2, 2, height=860, gap=(0.08, 0.16), bottom=84)
    panels.panel(0, 0, "one run with some circles", axis("step"), log_axis("held-out loss"))
    shown = max(result.collaboration, key=lambda one: len(one.circles))
    lines = [(f"{k} kept", losses.mean(axis=1)) for k, losses in enumerate(shown.subsets, 1)]
    lines += [("as many that died", shown.dead), ("nothing removed", shown.whole)]
    for k, (name, losses) in enumerate(lines):
        colour = {len(lines) - 2: CONTROL, len(lines) - 1: INK}.get(k, DEPTHS[k % len(DEPTHS)])
        panels.add(0, 0, curve(result.settings.checkpoints, losses, name, colour))
    panels.panel(0, 1, "one frequency scaled", axis("factor at the start"), axis("final signal"))
    for factor, values in result.perturbation.items():
        dots = points([factor] * values.size, values.ravel(), "scaled", DEPTHS[1])
        panels.add(0, 1, dots | NO_LEGEND)
    names = [name.replace(" ", "\n") for name in result.ablation]
    title = "the rest removed before training"
    panels.panel(1, 0, title, category_axis(names), log_axis("held-out loss"))
    for place, (name, values) in enumerate(result.ablation.items()):
        colour = CONTROL if name == "everything" else DEPTHS[3]
        panels.add(1, 0, points([place] * values.size, values.ravel(), name, colour) | NO_LEGEND)
    ratios = sorted(result.construction)
    ends = [result.construction[r][-1, 1] / result.construction[r][-1, 0] for r in ratios]
    up = log_axis("ratio at the end")
    panels.panel(1, 1, "two built circles", log_axis("ratio of signals at the start"), up)
    panels.add(1, 1, points(ratios, ends, "built", DEPTHS[4]) | NO_LEGEND)
    line = curve(ratios, ratios, "unchanged", CONTROL, dash="dot", marks=0)
    panels.add(1, 1, line | NO_LEGEND)
    return Figure(
        "interventions",
        "What changed embeddings do",
        panels,
        "Top left: at every checkpoint all frequencies but some are removed from the embedding and "
        "the same network is tested, mean over all choices of so many survivors; grey are as many "
        "frequencies that died. Top right: final signal of the frequency of median strength after "
        "scaling it at the start. Below left: held-out loss of trainings from embeddings with some "
        "frequencies alone; grey is the control, nothing removed. Below right: embeddings of two "
        "circles and nothing else; below the dotted line the weaker one fell behind.",
    )


def numbers(result: Result) -> dict[str, Any]:
    """Everything that the findings state, and more."""
    tested, fitted, alive = result.survival, result.fitted, result.survival.alive[RELATIVE]
    return {
        "survivors": {rule: mask.sum(axis=2) for rule, mask in tested.alive.items()},
        "correlations": {r: [asdict(one) for one in c] for r, c in tested.correlations.items()},
        "gradients": {rule: asdict(one) for rule, one in tested.differences.items()},
        "svm": {rule: asdict(one) for rule, one in tested.separations.items()},
        "circularity": {
            "survivors": _mean(tested.circularity[alive]),
            "others": _mean(tested.circularity[~alive]),
            "at the start": _mean(tested.initial_circularity),
        },
        "accuracy": result.accuracy,
        "collaboration": [
            {
                "circles": one.circles,
                "loss": [table.mean(axis=1) for table in one.subsets],
                "loss of dead": one.dead,
                "loss of all frequencies": one.whole,
            }
            for one in result.collaboration
        ],
        "ablation": result.ablation,
        "perturbation": {
            "frequencies": result.perturbed,
            "final signal": {f"{f:g}": v for f, v in result.perturbation.items()},
        },
        "construction": {
            "frequencies": result.constructed,
            "final signals": {f"{r:.4g}": v[-1] for r, v in result.construction.items()},
        },
        "recurrences": {
            fit: {part: [asdict(s) for s in fitted.scores[fit][part]] for part in PARTS}
            for fit in FITS
        },
        "r2 of unrelated signals": fitted.unrelated,
        "share of W kept by the lasso": fitted.nonzero,
        "positive W among survivors": fitted.cooperative,
        "positive W toward the dead": fitted.toward_dead,
    }


def _of(mask: Mask, values: Floats) -> Floats:
    """Of every run, the mean over the frequencies of the mask; NaN where there are none."""
    counts = mask.sum(axis=-1)
    sums = np.where(mask, values, 0).sum(axis=-1)
    means: Floats = np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return means


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else math.nan
