"""The report of the guidance study: one HTML page."""

from __future__ import annotations

from likewise.report import Cell, Page, Table, number
from likewise.studies.digits import HELD_OUT
from likewise.studies.guidance import figures
from likewise.studies.guidance.data import HELD_OUT_SEQUENCES
from likewise.studies.guidance.experiment import Result
from likewise.studies.guidance.findings import (
    compared,
    ends_of_distances,
    findings,
    headline,
    mean,
)
from likewise.studies.guidance.settings import Row
from likewise.studies.outcome import provenance

_MEASURES = (
    (
        "Guidance",
        "To the loss of the task is added the sum of 1 − CKA over pairs of layers, one of the "
        "guide and one of the target at the same relative depth. The guide is frozen; its own "
        "answers are not used.",
    ),
    (
        "CKA",
        "Linear centred kernel alignment, ‖X'Y‖² / (‖X'X‖ ‖Y'Y‖) in Frobenius norms of the centred "
        "batch, biased; feature maps and sequences are flattened. From 0 to 1; blind to rotation, "
        "shift and scale.",
    ),
    (
        "Error consistency",
        "Cohen's kappa (o − e) / (1 − e): o is the share of test answers that both networks have "
        "right or both have wrong, e what their two accuracies alone would give.",
    ),
    (
        "Helps",
        "A guide helps if test accuracy is above that of the base network with every seed, and by "
        "more than two points in the mean.",
    ),
)
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


def document(result: Result) -> Page:
    """Lay the page out: the main figure, findings, figures, tables, notes."""
    rows = result.settings.rows
    page = Page(headline(result), "likewise study guidance", _lead(result))
    page.figure(figures.accuracies(result))
    page.findings(findings(result))
    if len(rows) > 1:
        page.choices("Show", [row.title for row in rows], 0)
    for figure in (figures.curves(result), figures.distances(result), figures.errors(result)):
        page.figure(figure)
    page.heading("The numbers")
    page.paragraph("At the end of training, mean over seeds. Guides are trained on the same data.")
    for row in rows:
        page.table(_table(result, row), folded=None if row is rows[0] else row.title)
    page.heading("How it was done")
    page.definitions(_MEASURES)
    page.definitions(_notes(result))
    return page


def _lead(result: Result) -> str:
    settings = result.settings
    kinds = _count(len(settings.rows), "kind") + " of target"
    return (
        "Some networks train badly: they overfit, or do not train at all. Here each is trained "
        "alone, and again while its layers are pulled towards those of a frozen guide: one that "
        "has learned the task, one with random weights, and the random one for the first "
        f"{settings.cut_off} steps only. {kinds}, {_count(settings.seeds, 'seed')}."
    )


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _table(result: Result, row: Row) -> Table:
    table: list[list[Cell]] = []
    for name in compared(row):
        values = [
            number(mean(result, row, name, what), 3)
            for what in ("train_accuracy", "test_accuracy", "train_loss", "test_loss", "scale")
        ]
        log = "–"
        if result.of(row, name)[0].pairs:
            first, last = ends_of_distances(result, row, name)
            log = f"{number(first)} → {number(last)}"
        table.append([name, *values, log])
    header = [
        row.title,
        "training accuracy",
        "test accuracy",
        "training loss",
        "test loss",
        "sd of outputs",
        "sum of distances",
    ]
    return Table(header, table)


def _notes(result: Result) -> list[tuple[str, str]]:
    settings = result.settings
    rows = [(row.title, _described(row)) for row in settings.rows]
    return [
        *rows,
        (
            "Initial weights",
            "Those of fully connected targets have variance 1 / inputs. The effect of guidance on "
            "them hangs on that: with torch's default, a third of it, the base network of 20 "
            "layers overfits less and leaves less to gain.",
        ),
        (
            "Training",
            f"Adam, learning rate {settings.learning_rate}, batches of {settings.batch_size}. "
            "Guides run in evaluation mode. The trained guide has seen the same training data "
            "and no more.",
        ),
        (
            "Seed",
            f"{settings.seed}; likewise study guidance --seed {settings.seed} repeats the full "
            "run. Data, weights and order of batches are drawn anew for each of the seeds.",
        ),
        *provenance(result.seconds),
        (
            "Source",
            "Subramaniam et al., Training the untrainable: introducing inductive bias via "
            "representational alignment, NeurIPS 2025. The networks here are small stand-ins.",
        ),
    ]


def _described(row: Row) -> str:
    sizes = {
        "width": row.width,
        "depth": row.depth,
        "guide_width": row.guide_width,
        "guide_depth": row.guide_depth,
        "longest": row.longest,
    }
    tested = HELD_OUT if row.task == "digits" else HELD_OUT_SEQUENCES
    norm = "" if row.normalized else " Without batch normalisation, as a negative control."
    return (
        f"{_TASKS[row.task].format(**sizes)}. {row.examples} training examples, {tested} for "
        f"testing, {row.epochs} epochs; the guide {row.guide_epochs} with learning rate "
        f"{row.guide_learning_rate}.{norm}"
    )
