"""The figures of training and of shift."""

from __future__ import annotations

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Figure, Panels, number
from likewise.report.curves import curve
from likewise.report.heatmap import category_axis
from likewise.report.panels import Json, axis_title
from likewise.report.style import CONTRASTS, DEPTHS, INK
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.figures import band, layer_axis, line, score_axis
from likewise.studies.convergence.scoring import LINEAR, PROCRUSTES
from likewise.studies.convergence.shifts import size_text
from likewise.studies.convergence.summaries import (
    drops,
    kinds,
    layer_names,
    matching,
    mean,
    share_of_accuracy,
    share_of_gain,
)


def training(result: Result) -> Figure:
    """Every layer at every checkpoint: scores above, shares of the final gain below."""
    shown = (LINEAR, PROCRUSTES, matching(result))
    panels = Panels(2, len(shown), height=760, gap=(0.03, 0.16), left=58, bottom=74)
    x = [float(k) for k in range(len(result.steps))]
    for column, measure in enumerate(shown):
        panels.title(0, column, measure)
        panels.title(1, column, f"{measure}: share of the final gain")
        panels.axes(0, column, _step_axis(result), score_axis(column))
        share_axis: Json = {"range": [-0.25, 1.4], "tickformat": ".0%"}
        share_axis |= {"title": axis_title("share")} if column == 0 else {"showticklabels": False}
        panels.axes(1, column, _step_axis(result), share_axis)
        shuffled = mean(result, result.scores.training_shuffled, measure)[:, :, 0]
        panels.add(0, column, band(shuffled, x) | {"showlegend": column == 0})
        scores = mean(result, result.scores.training, measure)
        shares = share_of_gain(result, measure)
        for k, name in enumerate(layer_names(result)):
            legend = {"showlegend": column == 0}
            panels.add(0, column, _course(result, name, k, scores[:, k]) | legend)
            if not np.isnan(shares[:, k]).any():
                hidden = {"showlegend": False}
                panels.add(1, column, _course(result, name, k, shares[:, k]) | hidden)
        if result.accuracy.size:
            panels.add(1, column, _accuracy_course(result) | {"showlegend": column == 0})
    caption = (
        "Above: held-out r of the same layer of two networks at every checkpoint, drawn at equal "
        "distances; the first checkpoint is the untrained network. Below: the same from the "
        "untrained network (0 %) to the end of training (100 %), and the accuracy in the same way; "
        "layers that gain less than 0.02 have no share. The grey band spans all layers with "
        "stimuli shuffled."
    )
    if result.first_epoch is not None:
        caption += f" The first epoch ends at {result.steps[result.first_epoch]}."
    return Figure("training", "How alike networks become during training", panels, caption)


def shift(result: Result) -> Figure:
    """What each shift takes from the scores of every layer, with both kinds of maps."""
    present = kinds(result)
    panels = Panels(2, len(present), height=700, gap=(0.03, 0.16), left=58, bottom=54)
    lost = [drops(result, PROCRUSTES, transferred=transferred) for transferred in (False, True)]
    shuffled = mean(result, result.scores.refitted_shuffled, PROCRUSTES)[..., 0]
    low, high = _range(np.concatenate(lost))
    for row, (how, values) in enumerate(zip(("fitted anew", "taken over"), lost, strict=True)):
        for column, kind in enumerate(present):
            panels.title(row, column, f"{kind}, maps {how}")
            up: Json = {"range": [low, high], "zeroline": True, "zerolinecolor": "#9aa5b0"}
            title = axis_title("loss of held-out r")
            up |= {"title": title} if column == 0 else {"showticklabels": False}
            panels.axes(row, column, layer_axis(result), up)
            of_kind = [k for k, (name, _) in enumerate(result.shifts) if name == kind]
            for place, k in enumerate(of_kind):
                size = size_text(kind, result.shifts[k][1])
                name = ("small", "middle", "large")[place]
                mark = f" ({size})"
                if row == 0:
                    mark = f" ({size}; stimuli shuffled, r at most {number(shuffled[k].max())})"
                drawn = line(result, name, values[k], _SIZES[place], mark)
                panels.add(row, column, drawn | {"showlegend": row + column == 0})
    sizes = "; ".join(
        f"{kind} {', '.join(size_text(kind, s) for name, s in result.shifts if name == kind)}"
        for kind in present
    )
    caption = (
        "Held-out r of the Procrustes map without shift minus that with it, after training: above "
        "0 the shift makes networks less alike. Above: maps fitted to shifted stimuli and scored "
        "on others, equally shifted. Below: maps fitted to stimuli without shift, scored on "
        f"shifted ones. Small, middle and large: {sizes}; noise in standard deviations of the "
        "stimuli."
    )
    return Figure("shift", "What a shift of the stimuli takes away, by depth", panels, caption)


_MOST_STEPS = 6
_SIZES = (DEPTHS[0], DEPTHS[1], CONTRASTS[2])


def _course(result: Result, name: str, layer: int, values: Array) -> Json:
    colour = DEPTHS[layer * len(DEPTHS) // len(layer_names(result))]
    hover = [
        f"{name}, {step}: {number(float(value), 3)}"
        for step, value in zip(result.steps, values, strict=True)
    ]
    x = [float(k) for k in range(len(values))]
    return curve(x, [float(value) for value in values], name, colour, hover)


def _accuracy_course(result: Result) -> Json:
    shares = share_of_accuracy(result)
    drawn = curve(
        [float(k) for k in range(len(shares))],
        [float(value) for value in shares],
        "accuracy",
        INK,
        [
            f"accuracy, {s}: {number(float(v), 3)}"
            for s, v in zip(result.steps, shares, strict=True)
        ],
    )
    drawn["line"] |= {"dash": "dot"}
    return drawn


def _step_axis(result: Result) -> Json:
    labels = list(result.steps)
    title = "checkpoint"
    if result.own:
        title = "training step"
    if result.accuracy.size:
        means = result.accuracy[:, : len(labels)].mean(axis=0)
        labels = [f"{s}\n{100 * a:.0f} %" for s, a in zip(labels, means, strict=True)]
        title += ", accuracy"
    every = -(-len(labels) // _MOST_STEPS)
    labels = [label if k % every == 0 else "" for k, label in enumerate(labels)]
    axis = category_axis(labels) | {"title": axis_title(title), "tickangle": 0}
    return axis | {"range": [-0.3, len(labels) - 0.7]}


def _range(values: Array) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.06 * max(high - low, 0.05)
    return min(low, 0.0) - room, high + room
