"""What the run found: numbers, and sentences that are chosen by the numbers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from likewise.report import control_text, number
from likewise.studies.circles.dynamics import Score
from likewise.studies.circles.experiment import ABSOLUTE, RELATIVE, Collaboration, Result
from likewise.studies.circles.fitting import COMPETITION, FITS, LATER, LINEAR, OTHER, PARTS, SAME
from likewise.studies.circles.jobs import KEPT

Finding = tuple[str, str]
_SIGNIFICANT = 0.01


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    pooled = result.survival.correlations[RELATIVE][0]
    numbers = f"r = {number(pooled.r)}, p = {power(pooled.p_value)}"
    if pooled.r > 0 and pooled.p_value < _SIGNIFICANT:
        return f"Circles that start strong are the ones that survive: {numbers}"
    return f"Initial strength does not tell here which circles survive: {numbers}"


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers; `(mean ± sd)` is always the control."""
    return [
        _few(result),
        _initial(result),
        _gradient(result),
        _collaboration(result),
        _ablation(result),
        _perturbation(result),
        _construction(result),
        _linear(result),
        _held_out(result),
    ]


def median(scores: Sequence[Score], name: str) -> float:
    """Over runs; infinite where most roll-outs diverge."""
    return float(np.median([getattr(one, name) for one in scores]))


def diverged(scores: Sequence[Score]) -> int:
    return sum(math.isinf(one.error) for one in scores)


def power(value: float) -> str:
    """A p-value: `0.012` or `6e−10`."""
    if math.isnan(value) or value >= 1e-3:
        return number(value, 3)
    return f"{value:.0e}".replace("e-0", "e-").replace("-", "−")


def example(result: Result) -> Collaboration | None:
    """The first run with at least two circles whose checkpoints were kept."""
    return next((one for one in result.collaboration if len(one.circles) > 1), None)


def _few(result: Result) -> Finding:
    settings = result.settings
    counts = {rule: mask.sum(axis=2) for rule, mask in result.survival.alive.items()}
    alive = result.survival.alive[RELATIVE]
    roundness = result.survival.circularity
    before = result.survival.initial_circularity
    relative, absolute = counts[RELATIVE], counts[ABSOLUTE]
    return (
        f"Of {settings.frequencies} frequencies {number(relative.mean(), 1)} survive on average",
        f"By the rule of more than twice the mean signal: {relative.min()} to {relative.max()} in "
        f"{relative.size} runs of {settings.steps} steps. By the rule of a signal above 10: "
        f"{absolute.min()} to {absolute.max()}, as dying ones are still counted. Circularity of "
        f"survivors {number(_mean(roundness[alive]))}, of the others "
        f"{number(_mean(roundness[~alive]))} (at the start "
        f"{control_text(before.mean(), before.std(ddof=1), 2)}). Held-out accuracy "
        f"{number(result.accuracy['survival'].min(), 3)} or more.",
    )


def _initial(result: Result) -> Finding:
    pooled, *each = result.survival.correlations[RELATIVE]
    absolute = result.survival.correlations[ABSOLUTE][0]
    verb = "do" if pooled.r > 0 and pooled.p_value < _SIGNIFICANT else "do not detectably"
    return (
        f"Frequencies with a higher initial signal {verb} survive more often",
        f"Pearson r {number(pooled.r)} ({control_text(pooled.control_mean, pooled.control_sd)}) "
        f"with the survival rate over {pooled.points} frequencies, p = {power(pooled.p_value)}; "
        f"embedding by embedding {', '.join(number(one.r) for one in each)}. Survivors by a "
        f"signal above 10: r {number(absolute.r)}, p = {power(absolute.p_value)}.",
    )


def _gradient(result: Result) -> Finding:
    tested = result.survival.differences[RELATIVE]
    svm = result.survival.separations[RELATIVE]
    step = result.settings.gradient_step
    faster = tested.alive > tested.dead and tested.welch_p < _SIGNIFICANT
    verb = "grow faster" if faster else "do not detectably grow faster"
    return (
        f"Survivors {verb} from the first steps",
        f"Relative change of the signal at step {step}: {_thousandths(tested.alive)} for "
        f"survivors, {_thousandths(tested.dead)} for the others, p = {power(tested.welch_p)} "
        f"(Welch) and {power(tested.student_p)} (Student). A linear SVM on this and the initial "
        f"signal has balanced accuracy {number(svm.accuracy)} "
        f"({control_text(svm.control_mean, svm.control_sd, 2)}, shuffled labels) on frequencies "
        "held out.",
    )


def _collaboration(result: Result) -> Finding:
    shown = example(result)
    if shown is None:
        return "Collaboration could not be seen", "No recorded run kept two circles or more."
    one, every = shown.subsets[0][-1], float(shown.subsets[-1][-1, 0])
    together = every < one.min()
    means = ", ".join(
        f"{size} of them {number(table[-1].mean())}" for size, table in enumerate(shown.subsets, 1)
    )
    return (
        "Circles work together: all of them do better than the best alone"
        if together
        else "Circles do not work together: one alone does as well",
        f"Held-out loss of a network whose embedding keeps only some of its "
        f"{len(shown.circles)} circles (mean over choices): {means}; nothing removed "
        f"{number(shown.whole[-1], 3)}; {len(shown.circles)} frequencies that died "
        f"{number(shown.dead[-1])}; guessing {number(math.log(result.settings.p))}.",
    )


def _ablation(result: Result) -> Finding:
    means = {name: float(np.exp(np.log(v).mean())) for name, v in result.ablation.items()}
    best, worst = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return (
        f"Of embeddings reduced before training, {best} learns best and {worst} worst",
        f"Held-out loss at step {result.settings.intervention_steps} (geometric mean over "
        f"{result.ablation['everything'].size} runs): "
        + ", ".join(f"{name} {number(means[name], 4)}" for name in ("everything", *KEPT))
        + ".",
    )


def _perturbation(result: Result) -> Finding:
    means = {factor: float(v.mean()) for factor, v in result.perturbation.items()}
    low, high = min(means), max(means)
    verb = "raises" if means[high] > means[low] else "does not raise"
    return (
        f"Scaling one frequency at the start {verb} its signal at the end",
        "Mean final signal of the frequency of median strength: "
        + "; ".join(
            f"scaled by {number(factor, 3)}: {number(means[factor], 1)}" for factor in means
        )
        + f"; {result.perturbation[low].size} runs each, step "
        f"{result.settings.intervention_steps}.",
    )


def _construction(result: Result) -> Finding:
    last = {ratio: signals[-1] for ratio, signals in result.construction.items()}
    strong, weak = result.constructed
    shares = {ratio: float(pair[1] / pair[0]) for ratio, pair in last.items()}
    fell = [ratio for ratio, share in shares.items() if ratio < 1 and share < ratio]
    return (
        f"Of two built circles the weaker fell behind in {len(fell)} of "
        f"{sum(ratio < 1 for ratio in shares)} runs",
        f"Frequencies {strong} and {weak} alone, signals {result.settings.constructed_signal:g} "
        "and that times a ratio. Ratio at the start → at the end: "
        + ", ".join(f"{number(r)} → {number(shares[r])}" for r in sorted(shares))
        + f". Held-out accuracy {number(result.accuracy['construction'].min(), 3)} or more.",
    )


def _linear(result: Result) -> Finding:
    fitted = result.fitted
    scores = fitted.scores[LINEAR][SAME]
    r2, unrelated = median(scores, "r2"), float(np.median(fitted.unrelated))
    says = "hardly more than" if r2 - unrelated < 0.02 else "more than"
    return (
        f"A linear recurrence fits the signals with R² {number(r2, 3)}, {says} unrelated ones do",
        f"Median over {len(scores)} runs, least {number(min(s.r2 for s in scores), 3)}; increments "
        "regressed on the signals of a run with another embedding reach "
        f"{number(unrelated, 3)}, so this R² is no evidence. Rolled out from the start, the error "
        f"at step {result.settings.dynamics_steps} is {number(median(scores, 'error'), 4)} of the "
        f"signals (standing still {number(median(scores, 'still'))}); exp(Wt) in place of "
        f"(I + W)^t differs by {number(float(np.median(fitted.exponential_gap)), 4)}. "
        f"Among survivors {number(100 * _mean(np.array(fitted.cooperative)), 0)} % of the W_ij "
        "are positive, from survivors to those that die "
        f"{number(100 * _mean(np.array(fitted.toward_dead)), 0)} %.",
    )


def _held_out(result: Result) -> Finding:
    scores = result.fitted.scores
    linear, volterra = scores[LINEAR], scores[COMPETITION]
    held = max(median(linear[LATER], "r2"), median(linear[OTHER], "r2"))
    verb = "does not carry" if held < 0.5 else "carries"
    texts = []
    for part in (LATER, OTHER):
        one = linear[part]
        texts.append(
            f"{part}: R² {number(median(one, 'r2'))}, roll-out error "
            f"{number(median(one, 'error'), 3)} (standing still {number(median(one, 'still'), 3)})"
        )
    return (
        f"That R² {verb} over to steps and runs that were not fitted",
        "Linear, least squares, medians. " + "; ".join(texts) + ". Lotka-Volterra: R² "
        f"{number(median(volterra[SAME], 'r2'), 3)} on fitted steps, and its roll-out diverges in "
        f"{diverged(volterra[SAME])} of {len(volterra[SAME])} runs.",
    )


def numbers(result: Result) -> dict[str, Any]:
    """Everything that the findings state; None where it is not defined or infinite."""
    tested = result.survival
    fitted = result.fitted
    everything = {
        "survivors": {rule: mask.sum(axis=2).tolist() for rule, mask in tested.alive.items()},
        "correlations": {r: [asdict(one) for one in c] for r, c in tested.correlations.items()},
        "gradients": {rule: asdict(one) for rule, one in tested.differences.items()},
        "svm": {rule: asdict(one) for rule, one in tested.separations.items()},
        "circularity": {
            "survivors": _mean(tested.circularity[tested.alive[RELATIVE]]),
            "others": _mean(tested.circularity[~tested.alive[RELATIVE]]),
            "at the start": _mean(tested.initial_circularity),
        },
        "accuracy": {name: values.tolist() for name, values in result.accuracy.items()},
        "collaboration": [
            {
                "circles": one.circles,
                "loss": [table.mean(axis=1).tolist() for table in one.subsets],
                "loss of dead": one.dead.tolist(),
                "loss of all frequencies": one.whole.tolist(),
            }
            for one in result.collaboration
        ],
        "ablation": {name: values.tolist() for name, values in result.ablation.items()},
        "perturbation": {
            "frequencies": result.perturbed,
            "final signal": {f"{f:g}": v.tolist() for f, v in result.perturbation.items()},
        },
        "construction": {
            "frequencies": list(result.constructed),
            "final signals": {f"{r:.4g}": v[-1].tolist() for r, v in result.construction.items()},
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
    defined: dict[str, Any] = _defined(everything)
    return defined


def _defined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _defined(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_defined(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _thousandths(value: float) -> str:
    return f"{number(1000 * value)} ‰"
