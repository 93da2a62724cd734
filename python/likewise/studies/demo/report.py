"""Findings, pictures, tables and notes of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from likewise.report import Cell, Figure, Finding, Panels, Table, control_text, number
from likewise.report.charts import band, curve, heat_map, of_choice
from likewise.report.panels import Json, axis, category_axis
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL_SCALE, DEPTHS
from likewise.studies.demo.comparison import (
    CKA_BIASED,
    CKA_UNBIASED,
    PERMUTATION,
    PROCRUSTES,
    SCORES,
    Samples,
    Score,
)
from likewise.studies.demo.experiment import Result
from likewise.studies.demo.settings import CLEAN, SHIFTS, State
from likewise.studies.outcome import Outcome, terms
from likewise.studies.verdicts import above, compared

NOTES = """
Procrustes: Similarity ‖X'Y‖* of centred representations scaled to unit Frobenius norm, ‖·‖* being
the sum of the singular values: how well the best rotation or reflection lays one onto the other.
From 0 to 1; 1 means equal up to rotation, shift and scale.

CKA: Linear centred kernel alignment, ‖X'Y‖² / (‖X'X‖ ‖Y'Y‖) in Frobenius norms of centred
representations (Kornblith et al. 2019), from 0 to 1 and above 0 even for unrelated data; unbiased:
the same ratio of unbiased estimates of HSIC (Song et al. 2012), near 0 for unrelated data and shown
as it is when negative.

Permutation match: Mean Pearson correlation of units under the best one-to-one matching of them.
From −1 to 1. Every unit counts alike, while Procrustes weights units by their variance.

Controls: In every shuffle each network sees the held-out images in a random order of its own, the
same for all its layers, and the shown number is computed again. What a representation is stays the
same; only the pairing of stimuli is lost.

Data: scikit-learn's 8 x 8 digits. Shifts of the held-out images: Gaussian noise, rotation by 90°,
one fixed shuffle of the pixels. scikit-learn's MLPClassifier, rectified units, Adam; recorded are
the rectified activations.
"""

_CONTROL = "control (stimuli shuffled)"


def findings(result: Result) -> list[Finding]:
    """Claims about all networks, each against the same number with the stimuli shuffled."""
    settings, comparisons = result.settings, result.comparisons
    layers = range(settings.layers)
    first, last = (State(step, CLEAN) for step in (settings.steps[0], settings.last_step))
    shuffles = f"{settings.shuffles} shuffles"

    def overall(score: Score, state: State) -> Samples:
        return comparisons.overall(score, state, layers)

    def claim(statement: str, samples: Samples, note: str) -> Finding:
        return above(statement, float(samples[0]), samples[1:], shuffles, note)

    def among(width: int) -> Samples:
        pairs = [comparisons.between(PROCRUSTES, last, (k, k), (width, width)) for k in layers]
        return np.asarray(np.mean(pairs, axis=0))

    different = ~np.eye(len(result.networks), dtype=bool)
    per_network = [
        [
            comparisons.blocks[score.title][last, k, k][0].sum(axis=1, where=different)
            for k in layers
        ]
        for score in (PROCRUSTES, PERMUTATION)
    ]
    rotation, permutation = np.mean(per_network, axis=1) / (len(result.networks) - 1)
    return [
        *(
            claim(
                f"Training makes corresponding layers more alike, by {score.title}",
                overall(score, last) - overall(score, first),
                "similarity trained minus untrained, mean over layers and pairs of networks",
            )
            for score in (PROCRUSTES, CKA_UNBIASED)
        ),
        claim(
            "A layer's best partner in another network has the same depth",
            _same_depth(result, last),
            "share of layers, by Procrustes",
        ),
        compared(
            "The best rotation scores above the best one-to-one matching of units",
            rotation,
            permutation,
            "network",
            "Procrustes and permutation match, mean over layers and partners",
        ),
        compared(
            "Unbiased CKA is nearer to 0 than biased CKA where nothing is shared",
            np.abs(overall(CKA_UNBIASED, last)[1:]),
            overall(CKA_BIASED, last)[1:],
            "shuffle",
            "size of both with stimuli shuffled",
            smaller=True,
        ),
        *(
            claim(
                f"Under {shift} networks are less alike",
                overall(PROCRUSTES, last) - overall(PROCRUSTES, State(settings.last_step, shift)),
                "Procrustes similarity on clean images minus that on shifted ones",
            )
            for shift in SHIFTS
        ),
        claim(
            "Wide networks agree more among themselves than narrow ones",
            among(max(settings.widths)) - among(min(settings.widths)),
            "difference in Procrustes similarity",
        ),
    ]


def _same_depth(result: Result, state: State) -> Samples:
    """Share of layers whose best partner is as deep, over ordered pairs of networks."""
    layers = range(result.settings.layers)
    blocks = result.comparisons.blocks[PROCRUSTES.title]
    different = ~np.eye(len(result.networks), dtype=bool)
    hits = []
    for layer in layers:
        candidates = np.stack([blocks[state, layer, other] for other in layers])
        hits.append((np.argmax(candidates, axis=0) == layer)[:, different].mean(axis=1))
    return np.asarray(np.mean(hits, axis=0))


def outcome(result: Result) -> Outcome:
    """What `likewise demo` prints and writes."""
    settings = result.settings
    count = len(result.recordings)
    constant = sum(result.constant_units.values())
    units = sum(activations.shape[1] for activations in result.recordings.values())
    labels = [f"width {a} with width {b}" for a, b in pairings(result)]
    return Outcome(
        study="",
        command="likewise demo",
        settings=settings,
        findings=findings(result),
        numbers={},
        grids={},
        seconds=result.seconds,
        lead=f"{len(result.networks)} multilayer perceptrons with {settings.layers} hidden layers "
        f"of {' and '.join(map(str, settings.widths))} units were trained on handwritten digits, "
        f"{settings.networks_per_width} seeds for each width. Every hidden layer, at every "
        "checkpoint and under three shifts of the images, was compared with every other.",
        figures=[_layer_maps(result), _training_curves(result), _shift_curves(result)],
        tables=[
            (
                "Similarity of corresponding layers, mean over layers and all pairs of different "
                f"networks; beside it the control, mean ± sd over {settings.shuffles} shuffles of "
                "the stimuli.",
                _summary(result),
            ),
            ("Share of held-out images classified; control: labels shuffled", _accuracy(result)),
        ],
        notes=[
            *terms(NOTES),
            (
                "Comparisons",
                f"{count} recordings; all {count * (count - 1) // 2:,} pairs by each of "
                f"{len(SCORES)} measures, and {result.comparisons.control_pairs:,} pairs with "
                f"shuffled stimuli. {constant:,} of {units:,} recorded units gave the same value "
                "for every image and contribute nothing. Warnings raised while comparing: "
                f"{'; '.join(result.comparisons.warnings) or 'none'}.",
            ),
        ],
        choices=("Compare networks of", labels, len(labels) - 1),
    )


def _state_label(state: State, result: Result) -> str:
    """Short enough for a table: `step 4`, `step 1024, trained`, `trained, noise`."""
    if state.condition != CLEAN:
        return f"trained, {state.condition}"
    note = {0: ", untrained", result.settings.last_step: ", trained"}
    return f"step {state.step}{note.get(state.step, '')}"


def _cell(samples: Samples) -> Cell:
    """The observed number, and mean and sd of those of shuffles."""
    control = control_text(float(samples[1:].mean()), float(samples[1:].std(ddof=1)), 4)
    return number(float(samples[0]), 3), control


def _summary(result: Result) -> Table:
    layers = range(result.settings.layers)
    rows: list[list[Cell]] = [
        [
            _state_label(state, result),
            *(_cell(result.comparisons.overall(score, state, layers)) for score in SCORES),
        ]
        for state in result.settings.states
    ]
    return Table(["", *(score.title for score in SCORES)], rows)


def _accuracy(result: Result) -> Table:
    widths = result.settings.widths
    rows: list[list[Cell]] = [
        [_state_label(state, result), *(_cell(result.accuracy[state, width]) for width in widths)]
        for state in result.settings.states
    ]
    return Table(["", *(f"width {width}" for width in widths)], rows)


def pairings(result: Result) -> list[tuple[int, int]]:
    """The pairs of widths a reader chooses from; a trace's `meta` is its position here."""
    return list(combinations_with_replacement(result.settings.widths, 2))


def _layer_maps(result: Result) -> Figure:
    """Layer against layer at the end of training; below it the control."""
    settings = result.settings
    layers = range(settings.layers)
    names = [f"layer {k + 1}" for k in layers]
    panels = Panels(2, len(SCORES), height=600, gap=(0.03, 0.16), left=64, bottom=34)
    last = State(settings.last_step, CLEAN)
    for column, score in enumerate(SCORES):
        samples = np.array(
            [
                [
                    [result.comparisons.between(score, last, (a, b), widths) for b in layers]
                    for a in layers
                ]
                for widths in pairings(result)
            ]
        )
        values, means = samples[..., 0], samples[..., 1:].mean(axis=-1)
        sds = samples[..., 1:].std(axis=-1, ddof=1)
        rows = category_axis(names, reverse=True, named=column == 0)
        for row, title in enumerate((score.title, "stimuli shuffled")):
            panels.panel(row, column, title, category_axis(names), rows)
        limits = (float(values.min()), float(values.max()))
        for choice in range(len(samples)):
            maps = (
                heat_map(values[choice], limits, ALIKE_SCALE),
                heat_map(means[choice], (0, 1), CONTROL_SCALE, digits=3, spread=sds[choice]),
            )
            for row, traces in enumerate(maps):
                for trace in traces:
                    panels.add(row, column, _chosen(result, trace, choice))
    return Figure(
        "layers",
        "Which layers resemble each other across networks",
        panels,
        "Every cell compares a layer of one network (row) with a layer of another (column) at the "
        "end of training, on clean images: the mean over all pairs of different networks of the "
        "chosen widths, rows having the first width and columns the second. Blue runs from the "
        "lowest to the highest score of each measure, so colours compare within a measure only; "
        "the numbers compare everywhere. Grey is the control, mean ± sd over shuffles of the "
        "stimuli, from white at 0 to black at 1.",
    )


def _training_curves(result: Result) -> Figure:
    """Same-layer score at every checkpoint."""
    settings = result.settings
    labels = []
    for step in settings.steps:
        accuracies = [result.accuracy[State(step, CLEAN), width][0] for width in settings.widths]
        labels.append(f"{step}\n{100 * np.mean(accuracies):.0f} %")
    panels = Panels(1, len(SCORES), height=430, gap=(0.03, 0.0), left=58, bottom=78)
    for column, score in enumerate(SCORES):
        across = category_axis(labels, "training step, accuracy")
        panels.panel(0, column, score.title, across, _score_axis(column, "similarity"))
        for choice, widths in enumerate(pairings(result)):
            series = {
                f"layer {k + 1}": [
                    result.comparisons.between(score, State(step, CLEAN), (k, k), widths)
                    for step in settings.steps
                ]
                for k in range(settings.layers)
            }
            _draw(panels, column, series, DEPTHS, result, choice)
    return Figure(
        "training",
        "How alike corresponding layers are during training",
        panels,
        "Similarity of corresponding layers of different networks at each recorded step of "
        "training, on clean held-out images; step 0 is the untrained network. The recorded steps "
        "are drawn at equal distances. Grey bands are the control, the same numbers with the "
        "stimuli shuffled: mean ± 2 sd, one band for each layer.",
    )


def _shift_curves(result: Result) -> Figure:
    """Change of the same-layer score under each shift, by depth."""
    step, layers = result.settings.last_step, range(result.settings.layers)
    panels = Panels(1, len(SCORES), height=410, gap=(0.03, 0.0), left=58, bottom=54)
    for column, score in enumerate(SCORES):
        across = category_axis([str(k + 1) for k in layers], "hidden layer")
        panels.panel(0, column, score.title, across, _score_axis(column, "change in similarity"))
        for choice, widths in enumerate(pairings(result)):
            scores = {
                condition: [
                    result.comparisons.between(score, State(step, condition), (k, k), widths)
                    for k in layers
                ]
                for condition in (CLEAN, *SHIFTS)
            }
            series = {shift: list(np.subtract(scores[shift], scores[CLEAN])) for shift in SHIFTS}
            _draw(panels, column, series, CONTRASTS, result, choice)
    return Figure(
        "shift",
        "What a shift of the images changes, by depth",
        panels,
        "Similarity of corresponding layers of different networks on shifted images minus the same "
        "on clean images, after the last training step: below 0, the shift makes networks differ "
        "more. Grey bands are the control, the same difference with the stimuli shuffled: mean ± "
        "2 sd, one band for each shift.",
    )


def _draw(
    panels: Panels,
    column: int,
    series: dict[str, list[Samples]],
    colours: Sequence[str],
    result: Result,
    choice: int,
) -> None:
    """Bands first, so that lines lie on top."""
    for samples in series.values():
        draws = np.array(samples)[:, 1:]
        mean, sd = draws.mean(axis=1), draws.std(axis=1, ddof=1)
        trace = band(range(len(mean)), mean - 2 * sd, mean + 2 * sd, _CONTROL)
        panels.add(0, column, _chosen(result, trace, choice))
    for (name, samples), colour in zip(series.items(), colours, strict=False):
        trace = curve(range(len(samples)), np.array(samples)[:, 0], name, colour)
        panels.add(0, column, _chosen(result, trace, choice))


def _chosen(result: Result, trace: Json, choice: int) -> Json:
    """The widest pair is shown first."""
    return of_choice(trace, choice, len(pairings(result)) - 1)


def _score_axis(column: int, title: str) -> Json:
    """All panels share the scale of the first, which alone is labelled."""
    line: Json = {"zeroline": True, "zerolinecolor": "#9aa5b0", "zerolinewidth": 1}
    return axis(title, **line) if column == 0 else axis(matches="y", showticklabels=False, **line)
