"""The study's outcome and its report."""

from __future__ import annotations

from functools import partial

from likewise.report import Cell, Page, Table, number
from likewise.studies.circles.experiment import ABSOLUTE, RELATIVE, Result
from likewise.studies.circles.figures import figures
from likewise.studies.circles.findings import diverged, findings, headline, median, numbers
from likewise.studies.circles.fitting import FITS, PARTS
from likewise.studies.outcome import OldOutcome as Outcome
from likewise.studies.outcome import provenance

_TERMS = (
    (
        "Signal",
        "s_k = ‖F_k‖, F_k the Fourier coefficient of the embedding over the tokens at frequency k.",
    ),
    (
        "Survival",
        "Two rules: a signal more than twice the mean over all p frequencies, or one above 10.",
    ),
    (
        "Circularity",
        "From 0 to 1: how much of a projection on Re F_k and Im F_k moves with frequency k. 1 is "
        "a perfect circle.",
    ),
    (
        "Recurrence",
        "Increments x(t+1) − x(t) of all signals as W x + b, by least squares and by the lasso, "
        "and as x (r + A x), Lotka-Volterra. R² is that of the increments; the roll-out starts at "
        "the first state of a stretch and is compared with its last.",
    ),
)


def outcome(result: Result) -> Outcome:
    """What `likewise study circles` prints and writes."""
    grids = {
        "signals": result.signals,
        "test_loss": result.test_loss,
        "tested_steps": result.tested_steps,
        "gradient": result.survival.gradient,
        "circularity": result.survival.circularity,
        "survives_relative": result.survival.alive[RELATIVE],
        "survives_absolute": result.survival.alive[ABSOLUTE],
    }
    return Outcome(
        study="circles",
        settings=result.settings,
        headline=headline(result),
        findings=findings(result),
        numbers=numbers(result),
        grids=grids,
        seconds=result.seconds,
        page=partial(_page, result),
    )


def _page(result: Result, shown: Outcome) -> Page:
    page = Page(shown.headline, "likewise study circles", _lead(result))
    first, *others = figures(result)
    page.figure(first)
    page.findings(shown.findings)
    for figure in others:
        page.figure(figure)
    page.heading("Recurrences of the signals")
    page.paragraph(
        "Medians over all runs. Held-out time: fitted to the first "
        f"{100 * result.settings.fitted_share:.0f} % of the steps and scored on the rest. Held-out "
        "run: fitted to the other runs of the same embedding. In grey beside the error, what "
        "standing still would give."
    )
    page.table(_recurrences(result))
    page.heading("How it was done")
    page.definitions(_TERMS)
    page.definitions(_notes(result))
    return page


def _lead(result: Result) -> str:
    settings = result.settings
    return (
        f"Networks learn to add modulo {settings.p} and place the {settings.p} tokens on circles. "
        f"{settings.embeddings} random embeddings were trained {settings.runs} times each, with "
        "other weights and another split of the pairs every time, to see which frequencies survive "
        "from the same start; then the start itself was changed. Numbers in brackets are the "
        "control."
    )


def _recurrences(result: Result) -> Table:
    rows: list[list[Cell]] = []
    for fit in FITS:
        for part in PARTS:
            scores = result.fitted.scores[fit][part]
            error = number(median(scores, "error"), 3).replace("inf", "diverges")
            rows.append(
                [
                    f"{fit}, {part}",
                    number(median(scores, "r2"), 3),
                    (error, number(median(scores, "still"), 3)),
                    f"{diverged(scores)} of {len(scores)}",
                ]
            )
    return Table(["", "R² of increments", "roll-out error", "roll-outs that diverge"], rows)


def _notes(result: Result) -> list[tuple[str, str]]:
    settings = result.settings
    return [
        (
            "Network",
            f"Shared embedding in {settings.dimension} dimensions, two hidden layers of "
            f"{settings.hidden} SiLU units, {settings.p} outputs; float32.",
        ),
        (
            "Training",
            f"{100 * settings.train_share:.0f} % of all ordered pairs at once, AdamW, learning "
            f"rate {settings.learning_rate:g}, weight decay {settings.weight_decay:g} on "
            f"everything; {settings.steps} steps, interventions {settings.intervention_steps}.",
        ),
        (
            "Source",
            "Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420, which trains 30 000 steps: "
            "a frequency that is undecided here may still change.",
        ),
        ("Seed", f"{settings.seed}"),
        *provenance(result.seconds),
    ]
