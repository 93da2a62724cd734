"""The demo's report: one HTML page."""

from __future__ import annotations

import platform
from importlib.metadata import version

from likewise.demo.comparison import SCORES, Estimate
from likewise.demo.experiment import Result
from likewise.demo.figures import (
    change,
    estimate,
    layer_maps,
    pairings,
    shift_curves,
    training_curves,
)
from likewise.demo.findings import findings, headline, state_label, summary
from likewise.demo.settings import CLEAN, SHIFTS, State
from likewise.report import Cell, Page, Table, number

_MEASURES = (
    (
        "Procrustes",
        "Similarity ‖X'Y‖* of centred representations scaled to unit Frobenius norm, ‖·‖* being "
        "the sum of the singular values: how well the best rotation or reflection lays one onto "
        "the other. From 0 to 1; 1 means equal up to rotation, shift and scale.",
    ),
    (
        "CKA, biased",
        "Linear centred kernel alignment, ‖X'Y‖² / (‖X'X‖ ‖Y'Y‖) in Frobenius norms of centred "
        "representations (Kornblith et al. 2019). From 0 to 1; above 0 even for unrelated data.",
    ),
    (
        "CKA, unbiased",
        "The same ratio with the unbiased estimate of HSIC (Song et al. 2012) in all three places. "
        "Near 0 for unrelated data and shown as it is when negative.",
    ),
    (
        "Permutation match",
        "Mean Pearson correlation of units under the best one-to-one matching of them. From −1 to "
        "1. Every unit counts alike, while Procrustes weights units by their variance.",
    ),
)


def document(result: Result) -> Page:
    """Lay the page out: findings, figures, tables, notes."""
    settings = result.settings
    page = Page(headline(result), "likewise demo", _lead(result))
    page.findings(findings(result))
    labels = [f"width {a} with width {b}" for a, b in pairings(result)]
    page.choices("Compare networks of", labels, len(labels) - 1)
    for figure in (layer_maps(result), training_curves(result), shift_curves(result)):
        page.figure(figure)
    page.heading("The numbers")
    page.paragraph(
        "Similarity of corresponding layers, mean over layers and over all pairs of different "
        "networks of both widths. In grey the control: mean ± sd of the same number over "
        f"{settings.shuffles} shuffles of the stimuli."
    )
    page.table(_summary(result))
    page.paragraph("Share of held-out images classified correctly; the control shuffles labels.")
    page.table(_accuracy(result))
    page.table(_same_layers(result), folded="Corresponding layers: every number in the figures")
    page.table(_layer_pairs(result), folded="Layer by layer: every number in the heat maps")
    page.heading("How it was done")
    page.definitions(_MEASURES)
    page.definitions(_notes(result))
    return page


def _lead(result: Result) -> str:
    settings = result.settings
    widths = " and ".join(str(width) for width in settings.widths)
    trained = [Estimate.of(result.accuracy[_last(result), width]) for width in settings.widths]
    accuracy = " and ".join(
        f"{number(100 * e.value, 1)} % (control {number(100 * e.control_mean, 1)} ± "
        f"{number(100 * e.control_sd, 1)})"
        for e in trained
    )
    return (
        f"{len(result.networks)} multilayer perceptrons with {settings.layers} hidden layers of "
        f"{widths} units were trained on handwritten digits, {settings.networks_per_width} seeds "
        f"for each width. They classify {accuracy} of {settings.held_out} held-out images "
        "correctly. Every hidden layer, at every checkpoint and under three shifts of the images, "
        "was compared with every other. Numbers in brackets are the control: the same number "
        f"with the stimuli shuffled, mean ± sd over {settings.shuffles} shuffles."
    )


def _summary(result: Result) -> Table:
    header = ["", *(score.title for score in SCORES)]
    rows: list[list[Cell]] = [
        [label, *map(_cell, estimates)] for label, estimates in summary(result)
    ]
    return Table(header, rows)


def _accuracy(result: Result) -> Table:
    widths = result.settings.widths
    rows: list[list[Cell]] = []
    for state in result.settings.states:
        estimates = [Estimate.of(result.accuracy[state, width]) for width in widths]
        rows.append([state_label(state, result), *map(_cell, estimates)])
    return Table(["", *(f"width {width}" for width in widths)], rows)


def _same_layers(result: Result) -> Table:
    """Everything that the training and the shift figure draw, and the scores behind it."""
    rows: list[list[Cell]] = []
    for widths in pairings(result):
        for state in result.settings.states:
            for layer in range(result.settings.layers):
                cells = [
                    _cell(estimate(result, score, state, (layer, layer), widths))
                    for score in SCORES
                ]
                label = f"{_widths(widths)}, {state_label(state, result)}, layer {layer + 1}"
                rows.append([label, *cells])
        for shift in SHIFTS:
            for layer in range(result.settings.layers):
                cells = [_cell(change(result, score, shift, layer, widths)) for score in SCORES]
                rows.append([f"{_widths(widths)}, change under {shift}, layer {layer + 1}", *cells])
    return Table(["Networks, images, layer", *(score.title for score in SCORES)], rows)


def _layer_pairs(result: Result) -> Table:
    layers = range(result.settings.layers)
    rows: list[list[Cell]] = []
    for widths in pairings(result):
        for a in layers:
            for b in layers:
                cells = [
                    _cell(estimate(result, score, _last(result), (a, b), widths))
                    for score in SCORES
                ]
                rows.append([f"{_widths(widths)}, layer {a + 1} with layer {b + 1}", *cells])
    return Table(["Networks, layers", *(score.title for score in SCORES)], rows)


def _notes(result: Result) -> list[tuple[str, str]]:
    settings = result.settings
    count = len(result.recordings)
    units = sum(activations.shape[1] for activations in result.recordings.values())
    constant = sum(result.constant_units.values())
    warnings = "; ".join(result.comparisons.warnings) or "none"
    versions = ("likewise", "numpy", "scikit-learn", "plotly")
    return [
        (
            "Controls",
            "In every shuffle each network sees the held-out images in a random order of its own, "
            "the same for all its layers, and the shown number is computed again. What a "
            "representation is stays the same; only the pairing of stimuli is lost.",
        ),
        (
            "Data",
            f"scikit-learn's 8 x 8 digits, {result.training_images} for training and "
            f"{settings.held_out} held out, stratified by class. Shifts of the held-out images: "
            f"Gaussian noise of sd {settings.noise_sd} (pixels run from 0 to 1), rotation by 90°, "
            "one fixed shuffle of the pixels.",
        ),
        (
            "Training",
            f"scikit-learn's MLPClassifier, rectified units, Adam, learning rate "
            f"{settings.learning_rate}, batches of {settings.batch_size}, recorded after "
            f"{', '.join(str(step) for step in settings.steps)} steps. Recorded are the rectified "
            "activations.",
        ),
        (
            "Comparisons",
            f"{count} recordings; all {count * (count - 1) // 2:,} pairs by each of "
            f"{len(SCORES)} measures, and {result.comparisons.control_pairs:,} pairs with "
            "shuffled stimuli as controls of the numbers shown here.",
        ),
        (
            "Constant units",
            f"{constant:,} of {units:,} recorded units gave the same value for every image and "
            f"contribute nothing. Warnings raised while comparing: {warnings}.",
        ),
        ("Seed", f"{settings.seed}; likewise demo --seed {settings.seed} repeats this run."),
        (
            "Time",
            ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items()),
        ),
        (
            "Versions",
            ", ".join(f"{name} {version(name)}" for name in versions)
            + f", Python {platform.python_version()}",
        ),
    ]


def _last(result: Result) -> State:
    return State(result.settings.last_step, CLEAN)


def _widths(widths: tuple[int, int]) -> str:
    return f"width {widths[0]} with {widths[1]}"


def _cell(estimate: Estimate) -> Cell:
    return number(estimate.value, 3), estimate.control
