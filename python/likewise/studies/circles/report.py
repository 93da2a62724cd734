"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from likewise.report import Cell, Finding, Panel
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
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import compared, given

_HEADER = ["", "R² of increments", "roll-out error; standing still", "roll-outs that diverge"]
_ERRORS = ("error", "still")


def _text(result: Result) -> Text:
    return Text(__file__, **vars(result.settings), frequencies=result.settings.frequencies)


def findings(result: Result) -> list[Finding]:
    """Claims of the paper; the unit of evidence is a training where no other is named."""
    claim = _text(result).claim
    tested, fitted = result.survival, result.fitted
    alive = tested.alive[RELATIVE]
    pooled, svm = tested.correlations[RELATIVE][0], tested.separations[RELATIVE]
    gap = abs(svm.accuracy - svm.control_mean)
    chance = math.erfc(gap / (svm.control_sd * math.sqrt(2))) if svm.control_sd > 0 else math.nan
    rounder, grown = tested.circularity, tested.gradient
    start = np.broadcast_to(tested.initial_circularity[:, None], alive.shape)
    several = [one for one in result.collaboration if len(one.circles) > 1]
    together = [one.subsets[-1][-1, 0] for one in several]
    alone = [one.subsets[0][-1].min() for one in several]
    strong, random = (result.ablation[f"{which} two"] for which in ("strongest", "random"))
    down, *_, up = (result.perturbation[factor] for factor in sorted(result.perturbation))
    ratios = np.array([ratio for ratio in result.construction if ratio < 1])
    ends = [weak / strong for strong, weak in (result.construction[r][-1] for r in ratios)]
    r2 = {fit: [one.r2 for one in fitted.scores[fit][SAME]] for fit in (LINEAR, COMPETITION)}
    foretold = {
        key: [[getattr(one, name) for one in fitted.scores[LINEAR][part]] for name in _ERRORS]
        for key, part in (("later", LATER), ("other", OTHER))
    }
    r, shuffled, p_value = pooled.r, pooled.control_mean, pooled.p_value
    splits = "20 splits of the frequencies"
    return [
        claim(given, "strong", r, shuffled, p_value, f"{pooled.points} frequencies"),
        claim(compared, "round", _of(alive, rounder), _of(alive, start), "run"),
        claim(compared, "grow", _of(alive, grown), _of(~alive, grown), "run"),
        claim(given, "told", svm.accuracy, svm.control_mean, chance, splits),
        claim(compared, "together", together, alone, "run", smaller=True),
        claim(compared, "two", strong, random, "run", smaller=True),
        claim(compared, "scaled", up, down, "run"),
        claim(compared, "weaker", ends, ratios, "run", smaller=True),
        claim(compared, "linear", r2[LINEAR], fitted.unrelated, "run"),
        *(claim(compared, k, *errors, "run", smaller=True) for k, errors in foretold.items()),
        claim(compared, "competition", r2[COMPETITION], r2[LINEAR], "run"),
        claim(compared, "help", fitted.cooperative, fitted.toward_dead, "run"),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study circles` prints and writes."""
    text = _text(result)
    return Outcome(
        result,
        text,
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
        figures=[
            text.figure("signals", _signals(result)),
            text.figure("survival", _survival(result)),
            text.figure("interventions", _interventions(result), height=860, columns=2),
        ],
        tables=[text.table("recurrences", _HEADER, _recurrences(result))],
    )


def _recurrences(result: Result) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for fit in FITS:
        for part in PARTS:
            scores = result.fitted.scores[fit][part]
            r2, error, still = np.median([list(vars(one).values()) for one in scores], axis=0)
            diverged = sum(math.isinf(one.error) for one in scores)
            rows.append([f"{fit}, {part}", r2, (error, still), f"{diverged}"])
    return rows


def _signals(result: Result) -> list[Panel]:
    signals, alive = result.signals[0, 0], result.survival.alive[RELATIVE][0, 0]
    steps = np.arange(0, len(signals), 10)
    cut = steps[steps <= result.settings.dynamics_steps]
    looks = [("survives", CONTRASTS[1]) if lives else ("dies", CONTROL) for lives in alive]
    whole, start = (
        [curve(x, signals[x, k], *looks[k], marks=0) for k in np.argsort(alive, kind="stable")]
        for x in (steps, cut)
    )
    start += [
        curve(cut, states, fit, colour, dash="dot", marks=0)
        for fit, colour in ((LINEAR, CONTRASTS[0]), (SPARSE, CONTRASTS[2]))
        for states in result.fitted.example[fit][cut].T
    ]
    shown = {"one run: every frequency": whole, "the recurrence from the start": start}
    x, y = axis("training step"), axis("signal ‖F_k‖")
    return [Panel(title, x, y, traces) for title, traces in shown.items()]


def _survival(result: Result) -> list[Panel]:
    tested, initial = result.survival, result.signals[:, 0, 0]
    alive = tested.alive[RELATIVE]
    rates = [
        points(x, y, f"embedding {k + 1}", DEPTHS[k % len(DEPTHS)], size=9)
        for k, (x, y) in enumerate(zip(initial, alive.mean(axis=1), strict=True))
    ]
    everywhere = np.broadcast_to(initial[:, None], tested.gradient.shape)
    runs = [
        points(tested.gradient[mask], everywhere[mask], name, colour, size=7)
        for name, mask, colour in (("dies", ~alive, CONTROL), ("survives", alive, CONTRASTS[1]))
    ]
    strength, share = axis("initial signal"), axis("share of runs", range=[-0.05, 1.05])
    growth = axis(f"relative change of the signal at step {result.settings.gradient_step}")
    return [
        Panel("survival rate by initial signal", strength, share, rates),
        Panel("survivors by signal and gradient", growth, strength, runs),
    ]


def _interventions(result: Result) -> list[Panel]:
    shown = max(result.collaboration, key=lambda one: len(one.circles))
    steps, loss = result.settings.checkpoints, log_axis("held-out loss")
    kept = [
        curve(steps, losses.mean(axis=1), f"{k + 1} kept", DEPTHS[k % len(DEPTHS)])
        for k, losses in enumerate(shown.subsets)
    ]
    kept.append(curve(steps, shown.dead, "as many that died", CONTROL))
    kept.append(curve(steps, shown.whole, "nothing removed", INK))
    scaled = [
        points([factor] * values.size, values.ravel(), "scaled", DEPTHS[1]) | NO_LEGEND
        for factor, values in result.perturbation.items()
    ]
    names = [name.replace(" ", "\n") for name in result.ablation]
    colours = [CONTROL if name == "everything" else DEPTHS[3] for name in result.ablation]
    ablated = [
        points([k] * values.size, values.ravel(), name, colours[k]) | NO_LEGEND
        for k, (name, values) in enumerate(result.ablation.items())
    ]
    ratios = sorted(result.construction)
    ends = [result.construction[r][-1, 1] / result.construction[r][-1, 0] for r in ratios]
    built = points(ratios, ends, "built", DEPTHS[4]) | NO_LEGEND
    unchanged = curve(ratios, ratios, "unchanged", CONTROL, dash="dot", marks=0) | NO_LEGEND
    before, after = log_axis("ratio of signals at the start"), log_axis("ratio at the end")
    factor, signal = axis("factor at the start"), axis("final signal")
    return [
        Panel("one run with some circles", axis("step"), loss, kept),
        Panel("one frequency scaled", factor, signal, scaled),
        Panel("the rest removed before training", category_axis(names), loss, ablated),
        Panel("two built circles", before, after, [built, unchanged]),
    ]


def numbers(result: Result) -> dict[str, Any]:
    """Everything that the findings state, and more."""
    tested, fitted, alive = result.survival, result.fitted, result.survival.alive[RELATIVE]
    return {
        "survivors": {rule: mask.sum(axis=2) for rule, mask in tested.alive.items()},
        "correlations": tested.correlations,
        "gradients": tested.differences,
        "svm": tested.separations,
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
        "recurrences": fitted.scores,
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
