"""Findings, pictures, tables and notes of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from likewise.report import Cell, Finding, Panel, control_text, number
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
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import above, compared

_CONTROL = "control (stimuli shuffled)"
_ZERO: Json = {"zeroline": True, "zerolinecolor": "#9aa5b0", "zerolinewidth": 1}


def findings(result: Result) -> list[Finding]:
    """Claims about all networks, each against the same number with the stimuli shuffled."""
    settings, comparisons = result.settings, result.comparisons
    layers = range(settings.layers)
    first, last = (State(step, CLEAN) for step in (settings.steps[0], settings.last_step))

    def overall(score: Score, state: State) -> Samples:
        return comparisons.overall(score, state, layers)

    def claim(key: str, samples: Samples, **values: str) -> Finding:
        draws, shuffles = samples[1:], f"{settings.shuffles} shuffles"
        return Text(__file__, **values).claim(above, key, float(samples[0]), draws, shuffles)

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
    best = np.mean(per_network, axis=1) / (len(result.networks) - 1)
    unbiased, biased = (overall(score, last)[1:] for score in (CKA_UNBIASED, CKA_BIASED))
    unpaired, both = np.abs(unbiased), Text(__file__).claim
    clean = overall(PROCRUSTES, last)
    shifted = {shift: overall(PROCRUSTES, State(settings.last_step, shift)) for shift in SHIFTS}
    gained = {s.title: overall(s, last) - overall(s, first) for s in (PROCRUSTES, CKA_UNBIASED)}
    return [
        *(claim("training", gain, score=title) for title, gain in gained.items()),
        claim("depth", _same_depth(result, last)),
        both(compared, "rotation", *best, "network"),
        both(compared, "unbiased", unpaired, biased, "shuffle", smaller=True),
        *(claim("shift", clean - scores, shift=shift) for shift, scores in shifted.items()),
        claim("wide", among(max(settings.widths)) - among(min(settings.widths))),
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
    settings, comparisons = result.settings, result.comparisons
    count = len(result.recordings)
    text = Text(
        __file__,
        **vars(settings),
        networks=len(result.networks),
        sizes=" and ".join(map(str, settings.widths)),
        count=count,
        pairs=count * (count - 1) // 2,
        measures=len(SCORES),
        control_pairs=comparisons.control_pairs,
        constant=sum(result.constant_units.values()),
        units=sum(activations.shape[1] for activations in result.recordings.values()),
        warnings="; ".join(comparisons.warnings) or "none",
    )
    labels = [f"width {a} with width {b}" for a, b in pairings(result)]
    titles = [score.title for score in SCORES]
    widths = [f"width {width}" for width in settings.widths]
    return Outcome(
        result,
        text,
        findings(result),
        numbers={},
        grids={},
        figures=[
            text.figure("layers", layer_maps(result), height=600, columns=len(SCORES)),
            text.figure("training", training_curves(result), height=430),
            text.figure("shift", shift_curves(result), height=410),
        ],
        tables=[
            text.table("summary", ["", *titles], _summary(result)),
            text.table("accuracy", ["", *widths], _accuracy(result)),
        ],
        choices=("Compare networks of", labels, len(labels) - 1),
    )


def _state_label(state: State, result: Result) -> str:
    """Short enough for a table: `step 4`, `step 1024, trained`, `trained, noise`."""
    if state.condition != CLEAN:
        return f"trained, {state.condition}"
    note = {0: ", untrained", result.settings.last_step: ", trained"}
    return f"step {state.step}{note.get(state.step, '')}"


def _row(result: Result, state: State, cells: Sequence[Samples]) -> list[Cell]:
    """The observed numbers, and mean and sd of those of shuffles."""
    row: list[Cell] = [_state_label(state, result)]
    for observed, *shuffled in cells:
        control = control_text(float(np.mean(shuffled)), float(np.std(shuffled, ddof=1)), 4)
        row.append((number(float(observed), 3), control))
    return row


def _summary(result: Result) -> list[list[Cell]]:
    layers, overall = range(result.settings.layers), result.comparisons.overall
    return [
        _row(result, state, [overall(score, state, layers) for score in SCORES])
        for state in result.settings.states
    ]


def _accuracy(result: Result) -> list[list[Cell]]:
    return [
        _row(result, state, [result.accuracy[state, width] for width in result.settings.widths])
        for state in result.settings.states
    ]


def pairings(result: Result) -> list[tuple[int, int]]:
    """The pairs of widths a reader chooses from; a trace's `meta` is its position here."""
    return list(combinations_with_replacement(result.settings.widths, 2))


def layer_maps(result: Result) -> list[Panel]:
    """Layer against layer at the end of training; below it the control."""
    layers = range(result.settings.layers)
    names = [f"layer {k + 1}" for k in layers]
    last = State(result.settings.last_step, CLEAN)
    observed: list[Panel] = []
    controls: list[Panel] = []
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
        limits = (float(values.min()), float(values.max()))
        blue = [heat_map(value, limits, ALIKE_SCALE) for value in values]
        grey = [
            heat_map(mean, (0, 1), CONTROL_SCALE, digits=3, spread=sd)
            for mean, sd in zip(means, sds, strict=True)
        ]
        rows = category_axis(names, reverse=True, named=column == 0)
        for panels, title, maps in (
            (observed, score.title, blue),
            (controls, "stimuli shuffled", grey),
        ):
            traces = [_chosen(result, t, k) for k, shown in enumerate(maps) for t in shown]
            panels.append(Panel(title, category_axis(names), rows, traces))
    return observed + controls


def training_curves(result: Result) -> list[Panel]:
    """Same-layer score at every checkpoint."""
    settings = result.settings
    states = [State(step, CLEAN) for step in settings.steps]
    labels = []
    for state in states:
        accuracies = [result.accuracy[state, width][0] for width in settings.widths]
        labels.append(f"{state.step}\n{100 * np.mean(accuracies):.0f} %")
    between = result.comparisons.between
    panels = []
    for column, score in enumerate(SCORES):
        traces = []
        for choice, widths in enumerate(pairings(result)):
            series = {
                f"layer {k + 1}": [between(score, state, (k, k), widths) for state in states]
                for k in range(settings.layers)
            }
            traces += _lines(result, series, DEPTHS, choice)
        across = category_axis(labels, "training step, accuracy")
        panels.append(Panel(score.title, across, _score_axis(column, "similarity"), traces))
    return panels


def shift_curves(result: Result) -> list[Panel]:
    """Change of the same-layer score under each shift, by depth."""
    step, layers = result.settings.last_step, range(result.settings.layers)
    between = result.comparisons.between
    across = category_axis([str(k + 1) for k in layers], "hidden layer")
    panels = []
    for column, score in enumerate(SCORES):
        traces = []
        for choice, widths in enumerate(pairings(result)):
            clean, *shifted = (
                np.array([between(score, State(step, name), (k, k), widths) for k in layers])
                for name in (CLEAN, *SHIFTS)
            )
            series = {
                name: list(scores - clean) for name, scores in zip(SHIFTS, shifted, strict=True)
            }
            traces += _lines(result, series, CONTRASTS, choice)
        up = _score_axis(column, "change in similarity")
        panels.append(Panel(score.title, across, up, traces))
    return panels


def _lines(
    result: Result, series: dict[str, list[Samples]], colours: Sequence[str], choice: int
) -> list[Json]:
    """Bands of the controls, then lines of what was observed."""
    traces = []
    for samples in series.values():
        draws = np.array(samples)[:, 1:]
        mean, sd = draws.mean(axis=1), draws.std(axis=1, ddof=1)
        traces.append(band(range(len(mean)), mean - 2 * sd, mean + 2 * sd, _CONTROL))
    for (name, samples), colour in zip(series.items(), colours, strict=False):
        traces.append(curve(range(len(samples)), np.array(samples)[:, 0], name, colour))
    return [_chosen(result, trace, choice) for trace in traces]


def _chosen(result: Result, trace: Json, choice: int) -> Json:
    """The widest pair is shown first."""
    return of_choice(trace, choice, len(pairings(result)) - 1)


def _score_axis(column: int, title: str) -> Json:
    """All panels share the scale of the first, which alone is labelled."""
    return axis(title, **_ZERO) if column == 0 else axis(matches="y", showticklabels=False, **_ZERO)
