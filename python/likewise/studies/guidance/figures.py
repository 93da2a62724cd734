"""The figures of the guidance report."""

from __future__ import annotations

import numpy as np

from likewise.report import Figure, Panels, number
from likewise.report.curves import curve
from likewise.report.heatmap import category_axis, heat_map
from likewise.report.panels import Json, axis_title
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.guidance.experiment import Result
from likewise.studies.guidance.findings import at_end, compared, kappa, mean
from likewise.studies.guidance.settings import BASE, CONDITIONS, CUT, TRAINED, UNTRAINED, Row

_COLOURS = {BASE: CONTROL} | dict(zip((UNTRAINED, TRAINED, CUT), CONTRASTS, strict=True))
_CURVES = {
    "train_accuracy": "accuracy, training",
    "test_accuracy": "accuracy, test",
    "test_loss": "test loss",
    "scale": "sd of the outputs",
}


def accuracies(result: Result) -> Figure:
    """Test accuracy of every target at the end, a dot for every seed."""
    rows = result.settings.rows
    panels = Panels(1, len(rows), height=380, gap=(0.035, 0.0), left=58, bottom=40)
    for column, row in enumerate(rows):
        panels.title(0, column, row.title)
        up: Json = {"range": [0, 1.04]}
        up |= {"title": axis_title("test accuracy")} if column == 0 else {"showticklabels": False}
        panels.axes(0, column, category_axis(CONDITIONS, named=False), up)
        for k, condition in enumerate(CONDITIONS):
            if condition in row.conditions:
                shown = {"showlegend": column == 0}
                panels.add(0, column, _dots(result, row, condition, k) | shown)
                panels.add(0, column, _mean_line(mean(result, row, condition), k))
    caption = (
        "Share of test answers that are right after training: a dot for every seed, the line is "
        "their mean. All targets of one seed start from the same weights and see the same "
        "batches; the base network is the control."
    )
    return Figure("accuracies", "What guidance does to each target", panels, caption)


def curves(result: Result) -> Figure:
    """Accuracy, loss and scale during training, mean over seeds."""
    panels = Panels(1, len(_CURVES), height=400, gap=(0.055, 0.0), left=48, bottom=54)
    for column, (what, title) in enumerate(_CURVES.items()):
        panels.title(0, column, title)
        up: Json = {"type": "log", "exponentformat": "power", "dtick": 1} if what == "scale" else {}
        if what.endswith("accuracy"):
            up = {"range": [0, 1.04]}
        panels.axes(0, column, {"title": axis_title("epoch")}, up)
        for choice, row in enumerate(result.settings.rows):
            for condition in row.conditions:
                runs = result.of(row, condition)
                y = np.mean([getattr(run, what) for run in runs], axis=0).tolist()
                x = runs[0].epochs.tolist()
                hover = [
                    f"{condition}, epoch {a}: {number(b, 3)}" for a, b in zip(x, y, strict=True)
                ]
                line = curve(x, y, condition, _COLOURS[condition], hover)
                line["marker"]["size"] = 4
                shown = {"showlegend": column == 0}
                panels.add(0, column, line | shown | _chosen(choice))
    caption = (
        "Every network in evaluation mode, mean over seeds. The right panel shows how far the "
        "outputs spread over test inputs, on a logarithmic scale."
    )
    return Figure("curves", "Accuracy, loss and scale during training", panels, caption)


def distances(result: Result) -> Figure:
    """The log of guidance: every pair of layers, at every step."""
    guided = [name for name in CONDITIONS if name != BASE]
    panels = Panels(1, len(guided), height=430, gap=(0.04, 0.0), left=58, bottom=54)
    for column, condition in enumerate(guided):
        panels.title(0, column, condition)
        up: Json = {"range": [0, 1.02]} | ({"title": axis_title("1 − CKA")} if column == 0 else {})
        panels.axes(0, column, {"title": axis_title("step")}, up)
        for choice, row in enumerate(result.settings.rows):
            if condition in row.conditions:
                for line in _pairs(result, row, condition):
                    shown = {"showlegend": column == 0}
                    panels.add(0, column, line | shown | _chosen(choice))
    caption = (
        "Distance 1 − CKA of each guide layer and its target layer on the training batch, mean "
        "over seeds and over ten neighbouring steps; colours run from the first layers to the "
        "last. Cut off, the guide is not looked at any more."
    )
    return Figure("distances", "How far each layer is from its guide", panels, caption)


def errors(result: Result) -> Figure:
    """Error consistency of every two networks of a row."""
    panels = Panels(1, 1, height=430, left=190, bottom=60)
    names = (*CONDITIONS, *compared(result.settings.rows[0])[-2:])
    panels.axes(0, 0, category_axis(_broken(names)), category_axis(names, reverse=True))
    for choice, row in enumerate(result.settings.rows):
        present = compared(row)
        values = np.array(
            [
                [kappa(result, row, a, b) if {a, b} <= set(present) else np.nan for b in names]
                for a in names
            ]
        )
        hover = [
            [f"{a} / {b}: {number(values[i, j], 3)}" for j, b in enumerate(names)]
            for i, a in enumerate(names)
        ]
        for trace in heat_map(values, ALIKE_SCALE, (0, 1), hover):
            panels.add(0, 0, trace | _chosen(choice))
    caption = (
        "Cohen's kappa of which test answers are right, mean over seeds: 1 if two networks err on "
        "the same inputs, 0 if as often as their accuracies have it by chance. NaN where one "
        "network is missing in this row, or none of the two ever errs."
    )
    return Figure("errors", "Which networks err on the same inputs", panels, caption)


def _dots(result: Result, row: Row, condition: str, position: int) -> Json:
    values = at_end(result, row, condition).tolist()
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [position] * len(values),
        "y": values,
        "name": condition,
        "legendgroup": condition,
        "marker": {"color": _COLOURS[condition], "size": 12},
        "hovertext": [f"{condition}: {number(value, 3)}" for value in values],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _mean_line(value: float, position: int) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": [position - 0.32, position, position + 0.32],
        "y": [value] * 3,
        "text": ["", f"{number(value)}<br> ", ""],  # above the dots
        "textposition": "top center",
        "line": {"color": INK, "width": 2},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _pairs(result: Result, row: Row, condition: str) -> list[Json]:
    runs = result.of(row, condition)
    means = np.mean([run.distances for run in runs], axis=0)
    steps, pairs = means.shape
    starts = list(range(0, steps, 10))
    smooth = np.array([means[start : start + 10].mean(axis=0) for start in starts])
    lines = []
    for k, pair in enumerate(runs[0].pairs):
        colour = DEPTHS[k * len(DEPTHS) // pairs]
        name = pair.replace(" -> ", " → ")
        hover = [
            f"{name}, step {start}: {number(y, 3)}"
            for start, y in zip(starts, smooth[:, k].tolist(), strict=True)
        ]
        line = curve(starts, smooth[:, k].tolist(), name, colour, hover)
        lines.append(line | {"mode": "lines"})
    return lines


def _broken(names: tuple[str, ...]) -> list[str]:
    """On two lines."""
    return [name.replace(" guide", "\nguide", 1) for name in names]


def _chosen(choice: int) -> Json:
    """Marks a trace as belonging to one row of the study; the first is shown first."""
    return {"meta": choice, "visible": choice == 0}
