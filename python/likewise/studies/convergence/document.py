"""The report of the convergence study: one HTML page."""

from __future__ import annotations

from likewise.report import Cell, Page, Table, number
from likewise.studies.convergence import courses, figures
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.findings import findings, headline
from likewise.studies.convergence.scoring import MEASURES
from likewise.studies.convergence.summaries import (
    at_end,
    control_at_end,
    groups,
    has_positions,
    layer_names,
    main_group,
)
from likewise.studies.digits import HELD_OUT, TRAINING
from likewise.studies.outcome import provenance

_MEASURES = (
    (
        "Linear",
        "Ridge regression with its penalty chosen within the training folds: any linear map.",
    ),
    ("Procrustes", "Rotation and reflection alone; between different widths a partial isometry."),
    (
        "Permutation",
        "One unit stands in for one unit, at the largest sum of correlations; equal widths only.",
    ),
    (
        "Soft matching",
        "Units are shared out among units by optimal transport (Khosla & Williams 2023); between "
        "equal widths the best permutation.",
    ),
    (
        "Score",
        "Pearson r of every unit of the target with its prediction from the source, mean over "
        "units, then over folds; the map is fitted on the other folds. A constant unit counts as "
        "0. Every pair of networks is compared in both directions.",
    ),
)


def document(result: Result) -> Page:
    """Lay the page out: the main figure, findings, figures, table, notes."""
    page = Page(headline(result), "likewise study convergence", _lead(result))
    page.figure(figures.ladder(result))
    page.findings(findings(result))
    if len(result.steps) > 1:
        page.figure(courses.training(result))
    if result.shifts:
        page.figure(courses.shift(result))
    page.figure(figures.layers(result))
    if has_positions(result):
        page.figure(figures.reductions(result))
    page.heading("The numbers")
    page.paragraph(
        "Held-out r at the end of training; in grey the same with stimuli shuffled, mean of "
        f"{result.settings.draws} draws and the largest of them."
    )
    for group in groups(result):
        page.table(_table(result, group), folded=None if group == main_group(result) else group)
    page.heading("How it was done")
    page.definitions(_MEASURES)
    page.definitions(_notes(result))
    return page


def _lead(result: Result) -> str:
    who = (
        f"{len(result.names)} small convolutional networks, trained on handwritten digits from "
        "different initial weights,"
        if result.own
        else f"{len(result.names)} networks"
    )
    parts = ["layer by layer"]
    if len(result.steps) > 1:
        parts.append(f"at {len(result.steps)} checkpoints")
    if result.shifts:
        parts.append("on shifted stimuli")
    reduced = ", of feature maps by their mean over positions" if has_positions(result) else ""
    stage = "after rectification" if result.own else "as the modules give them"
    return (
        f"{who} are compared with each other {', '.join(parts)}: how well does one predict the "
        "other under any linear map, under a rotation, and unit by unit? Scores are Pearson r on "
        f"held-out stimuli, mean over both directions, of layers {stage}{reduced}, where nothing "
        "else is said; their control is the same with the stimuli of one network shuffled."
    )


def _table(result: Result, group: str) -> Table:
    rows: list[list[Cell]] = []
    for k, name in enumerate(layer_names(result)):
        cells: list[Cell] = [name]
        for measure in MEASURES:
            draws = control_at_end(result, measure, group)[k]
            control = f"{number(float(draws.mean()))}, {number(float(draws.max()))}"
            cells.append((number(float(at_end(result, measure, group)[k]), 3), control))
        rows.append(cells)
    return Table([group, *MEASURES], rows)


def _notes(result: Result) -> list[tuple[str, str]]:
    settings = result.settings
    notes = [("Networks", _networks(result)), ("Layers", _layers(result))]
    notes.append(
        (
            "Stimuli",
            f"{result.samples}, none of them used for training."
            if result.own
            else f"{result.samples}, as given.",
        )
    )
    notes.append(
        (
            "Folds",
            f"{settings.folds}, shuffled with seed {settings.seed}: the same for all measures, "
            "layers, checkpoints, shifts and controls.",
        )
    )
    if has_positions(result):
        notes.append(
            (
                "Reduction",
                "Feature maps and sequences by their mean over positions, wherever no other "
                "reduction is named.",
            )
        )
    notes.append(
        (
            "Controls",
            f"The stimuli of the source in random order, {settings.draws} draws at the end of "
            "training and one at other checkpoints and under shift; the units of the source "
            f"rotated at random (Haar), {settings.draws} draws, for matchings. Images are shuffled "
            "whole, with all their positions.",
        )
    )
    missing = _missing(result)
    if missing:
        notes.append(("Left out", missing))
    again = f"; likewise study convergence --seed {settings.seed} repeats the full run"
    notes += [
        ("Seed", f"{settings.seed}{again if result.own else ''}."),
        *provenance(result.seconds),
        (
            "Source",
            "Kapoor, Srivastava & Khosla, Bridging critical gaps in convergent learning, NeurIPS "
            "2025. Their networks are larger, and are recorded before normalisation and "
            "nonlinearity.",
        ),
    ]
    return notes


def _networks(result: Result) -> str:
    settings = result.settings
    if not result.own:
        return ", ".join(result.names) + "."
    widths = " and ".join(map(str, settings.widths))
    return (
        f"{settings.seeds} of each width: three convolutions, of {widths} channels and then twice "
        "as many, 64 units and 10 logits, each but the last normalised over the batch and "
        f"rectified. {TRAINING} digits of 8 × 8 pixels, each in {settings.variants} new variants "
        "an epoch (turned by up to 15°, moved by up to a pixel, noise of sd 0.1), so that an epoch "
        f"has {settings.epoch_steps} steps; {settings.epochs} epochs of Adam with learning rate "
        f"{settings.learning_rate}, batches of {settings.batch_size}. Untrained networks are "
        f"normalised by the statistics of training images. {HELD_OUT} digits are kept apart."
    )


def _layers(result: Result) -> str:
    if result.own:
        text = "As they come out, after normalisation and rectification; logits as they are. "
    else:
        text = f"As the modules give them; at most {result.settings.depths}, evenly spread. "
    described = {
        name: ", ".join(f"{layer.name} ({layer.units})" for layer in layers)
        for name, layers in result.layers.items()
    }
    texts: dict[str, list[str]] = {}
    for name, what in described.items():
        texts.setdefault(what, []).append(name)
    text += "; ".join(f"{', '.join(names)}: {what}" for what, names in texts.items()) + "."
    if result.dead.any():
        text += (
            f" {int(result.dead.sum())} units are constant over the stimuli at the end, by layer "
            f"{', '.join(map(str, result.dead.sum(axis=0)))}."
        )
    return text


def _missing(result: Result) -> str:
    parts = []
    if len(result.steps) == 1:
        parts.append("training: the networks come without checkpoints")
    if not result.shifts:
        parts.append("shift: the stimuli are no images (n, c, h, w) or vectors (n, d) of floats")
    if not has_positions(result):
        parts.append("reductions: no layer gives feature maps or sequences")
    return "; ".join(parts)
