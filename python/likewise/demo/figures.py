"""The three figures of the demo's report."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

from likewise.demo.comparison import SCORES, Estimate, Score
from likewise.demo.experiment import Result
from likewise.demo.settings import CLEAN, SHIFTS, State
from likewise.report import Figure, Panels
from likewise.report.curves import control_band, curve
from likewise.report.heatmap import category_axis, heat_map
from likewise.report.panels import Json, axis_title
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL_SCALE, DEPTHS

Widths = tuple[int, int]

_CONTROL = "control (stimuli shuffled)"


def pairings(result: Result) -> list[Widths]:
    """The pairs of widths a reader chooses from; a trace's `meta` is its position here."""
    return list(combinations_with_replacement(result.settings.widths, 2))


def estimate(
    result: Result, score: Score, state: State, layers: tuple[int, int], widths: Widths
) -> Estimate:
    """Mean over the pairs of different networks of these widths."""
    return Estimate.of(result.comparisons.between(score, state, layers, widths))


def change(result: Result, score: Score, shift: str, layer: int, widths: Widths) -> Estimate:
    """Same-layer score on shifted images minus the score on clean ones."""
    step = result.settings.last_step
    shifted, clean = (
        result.comparisons.between(score, State(step, condition), (layer, layer), widths)
        for condition in (shift, CLEAN)
    )
    return Estimate.of(shifted - clean)


def layer_maps(result: Result) -> Figure:
    """Layer against layer at the end of training; below it the control."""
    names = [f"layer {layer + 1}" for layer in range(result.settings.layers)]
    panels = Panels(2, len(SCORES), height=600, gap=(0.03, 0.16), left=64, bottom=34)
    for column, score in enumerate(SCORES):
        maps = [_layer_map(result, score, widths) for widths in pairings(result)]
        values = np.array([[[cell.value for cell in row] for row in cells] for cells in maps])
        means = np.array([[[cell.control_mean for cell in row] for row in cells] for cells in maps])
        sds = np.array([[[cell.control_sd for cell in row] for row in cells] for cells in maps])
        panels.title(0, column, score.title)
        panels.title(1, column, "stimuli shuffled")
        rows = category_axis(names, reverse=True, named=column == 0)
        for row in range(2):
            panels.axes(row, column, category_axis(names), rows)
        for choice, cells in enumerate(maps):
            hover = [[str(cell) for cell in row] for row in cells]
            limits = (float(values.min()), float(values.max()))
            observed = heat_map(values[choice], ALIKE_SCALE, limits, hover)
            control = heat_map(
                means[choice], CONTROL_SCALE, (0, 1), hover, digits=3, spread=sds[choice]
            )
            for row, traces in enumerate((observed, control)):
                for trace in traces:
                    panels.add(row, column, trace | _chosen(result, choice))
    caption = (
        f"Every cell compares a layer of one network (row) with a layer of another (column) after "
        f"step {result.settings.last_step}, on clean images: the mean over all pairs of different "
        f"networks of the chosen widths, rows having the first width and columns the second. "
        f"Blue runs from the lowest to the highest score of each measure, so colours compare "
        f"within a measure only; the numbers compare everywhere. Grey is the control, mean ± sd "
        f"over {result.settings.shuffles} shuffles of the stimuli, from white at 0 to black at 1."
    )
    return Figure("layers", "Which layers resemble each other across networks", panels, caption)


def training_curves(result: Result) -> Figure:
    """Same-layer score at every checkpoint."""
    steps = result.settings.steps
    panels = Panels(1, len(SCORES), height=430, gap=(0.03, 0.0), left=58, bottom=78)
    for column, score in enumerate(SCORES):
        panels.title(0, column, score.title)
        panels.axes(0, column, _step_axis(result), _score_axis(column, "similarity"))
        for choice, widths in enumerate(pairings(result)):
            series = []
            for layer in range(result.settings.layers):
                points = [
                    estimate(result, score, State(step, CLEAN), (layer, layer), widths)
                    for step in steps
                ]
                series.append((f"layer {layer + 1}", DEPTHS[layer % len(DEPTHS)], points))
            _draw(panels, column, series, _chosen(result, choice))
    caption = (
        "Similarity of corresponding layers of different networks at each recorded step of "
        "training, on clean held-out images; step 0 is the untrained network. The recorded steps "
        "are drawn at equal distances. Under each step stands the held-out accuracy, mean over all "
        "networks. Grey bands are the control, the same numbers with the stimuli shuffled: mean ± "
        f"2 sd over {result.settings.shuffles} shuffles, one band for each layer."
    )
    return Figure("training", "How alike corresponding layers are during training", panels, caption)


def shift_curves(result: Result) -> Figure:
    """Change of the same-layer score under each shift, by depth."""
    layers = range(result.settings.layers)
    panels = Panels(1, len(SCORES), height=410, gap=(0.03, 0.0), left=58, bottom=54)
    for column, score in enumerate(SCORES):
        panels.title(0, column, score.title)
        panels.axes(0, column, _layer_axis(result), _score_axis(column, "change in similarity"))
        for choice, widths in enumerate(pairings(result)):
            series = []
            for shift, colour in zip(SHIFTS, CONTRASTS, strict=True):
                points = [change(result, score, shift, layer, widths) for layer in layers]
                series.append((shift, colour, points))
            _draw(panels, column, series, _chosen(result, choice))
    caption = (
        "Similarity of corresponding layers of different networks on shifted images minus the same "
        "on clean images, after the last training step: below 0, the shift makes networks differ "
        "more. Grey bands are the control, the same difference with the stimuli shuffled: mean ± "
        f"2 sd over {result.settings.shuffles} shuffles, one band for each shift."
    )
    return Figure("shift", "What a shift of the images changes, by depth", panels, caption)


def _layer_map(result: Result, score: Score, widths: Widths) -> list[list[Estimate]]:
    state = State(result.settings.last_step, CLEAN)
    layers = range(result.settings.layers)
    return [[estimate(result, score, state, (a, b), widths) for b in layers] for a in layers]


def _draw(
    panels: Panels, column: int, series: list[tuple[str, str, list[Estimate]]], chosen: Json
) -> None:
    """Bands first, so that lines lie on top; the legend has one entry for each name."""
    x = [float(position) for position in range(len(series[0][2]))]
    for k, (_, _, points) in enumerate(series):
        means = [point.control_mean for point in points]
        sds = [point.control_sd for point in points]
        in_legend = {"showlegend": column == 0 and k == 0}
        panels.add(0, column, control_band(x, means, sds, _CONTROL) | in_legend | chosen)
    for name, colour, points in series:
        hover = [f"{name}: {point}" for point in points]
        line = curve(x, [point.value for point in points], name, colour, hover)
        panels.add(0, column, line | {"showlegend": column == 0} | chosen)


def _chosen(result: Result, choice: int) -> Json:
    """Marks a trace as belonging to one pair of widths; the widest pair is shown first."""
    return {"meta": choice, "visible": choice == len(pairings(result)) - 1}


def _step_axis(result: Result) -> Json:
    labels = []
    for step in result.settings.steps:
        accuracies = [result.accuracy[State(step, CLEAN), w][0] for w in result.settings.widths]
        labels.append(f"{step}\n{100 * np.mean(accuracies):.0f} %")
    return category_axis(labels) | {"title": axis_title("training step, accuracy")}


def _layer_axis(result: Result) -> Json:
    labels = [str(layer + 1) for layer in range(result.settings.layers)]
    return category_axis(labels) | {"title": axis_title("hidden layer")}


def _score_axis(column: int, title: str) -> Json:
    """All panels share the scale of the first, which alone is labelled."""
    axis: Json = {"zeroline": True, "zerolinecolor": "#9aa5b0", "zerolinewidth": 1}
    if column == 0:
        return axis | {"title": axis_title(title)}
    return axis | {"matches": "y", "showticklabels": False}
