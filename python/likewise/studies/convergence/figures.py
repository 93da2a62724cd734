"""The figures of the end of training: measures, layers and reductions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Figure, Panels, number
from likewise.report.curves import curve
from likewise.report.heatmap import category_axis, heat_map
from likewise.report.panels import Json, axis_title, plain
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, CONTROL_BAND, DEPTHS
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.scoring import LINEAR, MEASURES, PERMUTATION, PROCRUSTES, SOFT
from likewise.studies.convergence.settings import REDUCTIONS
from likewise.studies.convergence.summaries import (
    at_end,
    control_at_end,
    groups,
    layer_names,
    matching,
    mean,
)

COLOURS = {
    LINEAR: DEPTHS[1],
    PROCRUSTES: DEPTHS[2],
    PERMUTATION: CONTRASTS[0],
    SOFT: CONTRASTS[1],
}
ROTATED, SHUFFLED = "units rotated", "stimuli shuffled"


def ladder(result: Result) -> Figure:
    """Every measure by depth, at the end."""
    named = groups(result)
    named_already: set[str] = set()
    panels = Panels(1, len(named), height=420, gap=(0.05, 0.0), left=58, bottom=54)
    for column, group in enumerate(named):
        panels.title(0, column, group)
        panels.axes(0, column, layer_axis(result), score_axis(column))
        values = {measure: at_end(result, measure, group) for measure in MEASURES}
        if np.array_equal(values[SOFT], values[PERMUTATION], equal_nan=True):
            del values[SOFT]
        for measure, scores in values.items():
            if not np.isnan(scores).all():
                shown = {"showlegend": measure not in named_already}
                panels.add(0, column, line(result, measure, scores) | shown)
                named_already.add(measure)
        controls = [control_at_end(result, m, group) for m in (LINEAR, PROCRUSTES)]
        panels.add(0, column, band(np.concatenate(controls, axis=1)) | _legend(column))
    caption = (
        "How well the units of one network are predicted from the same layer of another: Pearson r "
        "on held-out stimuli, mean over units, folds and pairs of networks. Between networks of "
        "equal widths soft matching is the best permutation. The grey band holds the same score "
        "of the linear and the Procrustes map with the stimuli of one network shuffled."
    )
    return Figure("ladder", "What networks share under ever stricter maps", panels, caption)


def layers(result: Result) -> Figure:
    """Every layer with every layer."""
    shown = (LINEAR, PROCRUSTES, SOFT)
    panels = Panels(1, len(shown), height=400, gap=(0.03, 0.0), left=74, bottom=40)
    names = layer_names(result)
    for column, measure in enumerate(shown):
        values = mean(result, result.scores.depth, measure)
        panels.title(0, column, measure)
        up = category_axis(names, reverse=True, named=column == 0)
        panels.axes(0, column, category_axis(names), up)
        hover = [
            [plain(f"{a} → {b}: {number(float(values[i, j]), 3)}") for j, b in enumerate(names)]
            for i, a in enumerate(names)
        ]
        for trace in heat_map(values, ALIKE_SCALE, (0, 1), hover):
            panels.add(0, column, trace)
    caption = (
        "Held-out r of every layer of one network (rows, the source of the map) with every layer "
        "of another (columns, what is predicted), at the end of training, mean over pairs. "
        "Soft matching shares units out where layers differ in their number. Darker is more alike."
    )
    return Figure("layers", "Which layers predict each other", panels, caption)


def reductions(result: Result) -> Figure:
    """Four reductions of feature maps, with the test for a privileged basis."""
    matched = matching(result)
    panels = Panels(1, len(REDUCTIONS), height=420, gap=(0.03, 0.0), left=58, bottom=54)
    for column, how in enumerate(REDUCTIONS):
        panels.title(0, column, how)
        panels.axes(0, column, layer_axis(result), score_axis(column))
        scores = result.scores
        shown = {"showlegend": column == 0}
        for measure in (LINEAR, PROCRUSTES, matched):
            values = mean(result, scores.reduced[:, :, column], measure)
            panels.add(0, column, line(result, measure, values) | shown)
        rotated = mean(result, scores.rotated[:, :, column], matched)
        dotted = line(result, f"{matched}, {ROTATED}", rotated.mean(axis=1), COLOURS[matched])
        dotted["line"] |= {"dash": "dot"}
        panels.add(0, column, dotted | shown)
        shuffled = [
            mean(result, scores.reduced_shuffled[:, :, column], m) for m in (LINEAR, PROCRUSTES)
        ]
        panels.add(0, column, band(np.concatenate(shuffled, axis=1)) | _legend(column))
    caption = (
        "What a unit of a feature map is. mean: a channel, its mean over the map. centre: a "
        f"channel, at the centre. positions: a channel, {result.settings.positions} positions of "
        "every map being samples, held out together. flatten: every position of every channel. "
        "Layers without maps are the same in all; those of more than "
        f"{result.settings.most_units} flattened units are left out. Dotted: the units of one "
        "network rotated at random; where that is lower, the axes of the units are shared. The "
        "grey band is the score of the linear and the Procrustes map with stimuli shuffled."
    )
    return Figure("reductions", "What the reduction of feature maps decides", panels, caption)


def line(
    result: Result, name: str, values: Array, colour: str | None = None, mark: str = ""
) -> Json:
    """A curve over layers; layers without a value are left out."""
    names = layer_names(result)
    kept = [k for k, value in enumerate(values) if not np.isnan(value)]
    hover = [f"{name}, {names[k]}: {number(float(values[k]), 3)}{mark}" for k in kept]
    return curve(
        [float(k) for k in kept],
        [float(values[k]) for k in kept],
        name,
        colour or COLOURS[name],
        hover,
    )


def band(draws: Array, x: Sequence[float] | None = None) -> Json:
    """The area between the smallest and the largest of a control's draws (positions, draws)."""
    kept = ~np.isnan(draws).all(axis=1)
    at = np.arange(len(draws), dtype=float)[kept] if x is None else np.asarray(x)[kept]
    low, high = np.nanmin(draws[kept], axis=1), np.nanmax(draws[kept], axis=1)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*at.tolist(), *at[::-1].tolist()],
        "y": [*high.tolist(), *low[::-1].tolist()],
        "fill": "toself",
        "fillcolor": CONTROL_BAND,
        "line": {"width": 1.5, "color": CONTROL},
        "name": SHUFFLED,
        "legendgroup": SHUFFLED,
        "hoverinfo": "skip",
    }


def layer_axis(result: Result) -> Json:
    """One position for every layer."""
    names = layer_names(result)
    return category_axis(names) | {"title": axis_title("layer"), "range": [-0.3, len(names) - 0.7]}


def score_axis(column: int, title: str = "held-out r") -> Json:
    """From 0 to 1 in all panels; the first alone is labelled."""
    axis: Json = {"range": [-0.12, 1.03], "zeroline": True, "zerolinecolor": "#9aa5b0"}
    return axis | ({"title": axis_title(title)} if column == 0 else {"showticklabels": False})


def _legend(column: int) -> Json:
    return {"showlegend": column == 0}
