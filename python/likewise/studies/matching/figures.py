"""The figures of all layers together: curves, bars and spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise.report import Figure, Panels, number
from likewise.report.curves import curve
from likewise.report.heatmap import category_axis
from likewise.report.panels import Json, axis_title
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, DEPTHS
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS
from likewise.studies.matching.numbers import (
    knee_of,
    matched_units,
    partner_mean,
    path_of,
    untrained_mean,
)
from likewise.studies.matching.wording import count

_TICKS = [digit * 10.0**power for power in range(-4, 3) for digit in (1, 2, 5)]
_COLOURS = (*DEPTHS[:4], DEPTHS[5])
_MATCHED, _BETWEEN, _UNMATCHED = ALIKE_SCALE[3][1], ALIKE_SCALE[1][1], "#c9ced4"


def strength(result: Result) -> Figure:
    """How alike partners are in each layer, with all controls; and who has one."""
    panels = Panels(1, 2, height=430, gap=(0.08, 0.0), left=58, bottom=40)
    panels.title(0, 0, "mean correlation with partners")
    panels.title(0, 1, "how alike one-to-one partners are")
    series = (
        ("greedy", CONTRASTS[0], "solid", _trained(result, "correlation", "greedy")),
        ("one to one", CONTRASTS[1], "solid", _trained(result, "correlation", "one_to_one")),
        ("before training", CONTROL, "solid", _before(result)),
        ("same position, other image", CONTROL, "dash", _trained(result, "same_position")),
        ("shuffled", CONTROL, "dot", _trained(result, "shuffled")),
    )
    for name, colour, dash, values in series:
        line = _over_layers(LAYERS, values, name, colour)
        line["line"]["dash"] = dash
        panels.add(0, 0, line)
    panels.axes(
        0, 0, category_axis(LAYERS), {"title": axis_title("mean r"), "range": [-0.02, 1.04]}
    )
    for bar in _bars(result):
        panels.add(0, 1, bar)
    panels.axes(
        0,
        1,
        category_axis(LAYERS),
        {"title": axis_title("share of living units"), "range": [0, 1]},
    )
    panels.layout["barmode"] = "stack"
    caption = (
        "Left: every unit with its most similar one in the other network, which units may share "
        "(greedy), and with its partner where no two share one. Grey, all one to one: networks "
        "before training; the same position of another image, which is what position alone gives; "
        "another position of another image. Right: units by the correlation with their one-to-one "
        "partner."
    )
    return Figure("strength", "Units and their partners in another network", panels, caption)


def agreement(result: Result) -> Figure:
    """Which ways of choosing partners agree."""
    panels = Panels(1, 1, height=340, left=58, bottom=40)
    series = (
        ("greedy and one to one, correlation", CONTRASTS[1], lambda p: p.correlation.same),
        ("greedy and one to one, information", CONTRASTS[2], lambda p: p.information.same),
        ("best pairs, correlation and information", DEPTHS[1], lambda p: p.kept / p.best),
    )
    for name, colour, what in series:
        values = [partner_mean(result, layer, what) for layer in LAYERS]
        panels.add(0, 0, _over_layers(LAYERS, values, name, colour))
    panels.axes(
        0,
        0,
        category_axis(LAYERS),
        {"title": axis_title("share with the same partner"), "range": [0, 1.04]},
    )
    caption = (
        "Share of the living units for which two ways of choosing give the same partner. The last "
        f"is of the {result.settings.best_pairs} one-to-one pairs of a layer that correlate most."
    )
    return Figure("agreement", "How sure partners are", panels, caption)


def sparse(result: Result) -> Figure:
    """Loss and units used along the lasso path."""
    panels = Panels(1, 2, height=420, gap=(0.08, 0.0), left=58, bottom=58)
    panels.title(0, 0, "held-out loss")
    panels.title(0, 1, "units used for a unit")
    penalties = list(result.settings.penalties)
    for layer, colour in zip(LAYERS, _COLOURS, strict=True):
        knee = knee_of(result, layer)
        of_knee = (knee.loss, knee.weights)
        for column, values in enumerate(path_of(result, layer)):
            hover = [
                f"{layer}, penalty {number(a, 3)}: {number(b, 3)}"
                for a, b in zip(penalties, values, strict=True)
            ]
            line = curve(penalties, values.tolist(), layer, colour, hover)
            line["marker"]["size"] = 4
            panels.add(0, column, line | {"showlegend": column == 0})
            panels.add(0, column, _ring(knee.penalty, of_knee[column], colour))
    across = {"title": axis_title("penalty"), "type": "log", "dtick": 1}
    panels.axes(0, 0, across, {"title": axis_title("half squared error"), "range": [0, 0.54]})
    panels.axes(0, 1, across, {"title": axis_title("units with a weight"), "rangemode": "tozero"})
    caption = (
        "Each living unit of one network predicted from those of another by the lasso; feature "
        "maps are means over positions and every image is one sample. Loss: half the squared error "
        f"in units of the variance, held out in {result.settings.folds} folds, mean over units; "
        "0.5 is what predicting nothing costs. Rings: the knee, the largest penalty that costs at "
        f"most {number(100 * result.settings.knee, 0)} % of that more than the best one."
    )
    return Figure("sparse", "One unit from few units of another network", panels, caption)


def spectra(result: Result) -> Figure:
    """Sorted mean activations of all networks."""
    panels = Panels(1, len(HIDDEN), height=360, gap=(0.05, 0.0), left=58, bottom=54)
    for column, layer in enumerate(HIDDEN):
        panels.title(0, column, layer)
        for k in range(result.settings.networks):
            values, _ = result.statistics[layer].spectrum(k)
            name = f"network {k + 1}"
            hover = [
                f"{name}, rank {rank}: {number(value, 3)}"
                for rank, value in enumerate(values.tolist(), 1)
            ]
            ranks = list(range(1, len(values) + 1))
            line = curve(ranks, values.tolist(), name, DEPTHS[k % len(DEPTHS)], hover)
            line["marker"]["size"] = 3
            panels.add(0, column, line | {"showlegend": column == 0})
        up: Json = {"type": "log", "tickvals": _TICKS, "ticktext": [f"{t:g}" for t in _TICKS]}
        up |= {"title": axis_title("mean activation")} if column == 0 else {}
        panels.axes(0, column, {"title": axis_title("rank of the unit")}, up)
    caption = (
        "Mean activation of every living unit after the rectifier, the largest first, on a "
        "logarithmic scale: one line for each network."
    )
    return Figure("spectra", "How active units are", panels, caption)


def averages(result: Result) -> Figure:
    """Accuracy between two networks, and with one layer averaged."""
    panels = Panels(1, 2, height=400, gap=(0.08, 0.0), left=58, bottom=58)
    panels.title(0, 0, "from one network to the other")
    panels.title(0, 1, "one layer averaged, the others of one network")
    shares = np.linspace(0, 1, result.settings.shares).tolist()
    line = np.mean([one.line for one in result.averages.values()], axis=0)
    by_layer = np.mean([one.by_layer for one in result.averages.values()], axis=0)
    for k, (name, colour) in enumerate((("as they are", CONTROL), ("matched", CONTRASTS[1]))):
        hover = [
            f"{name}, {number(share)} of the second: {number(value, 3)}"
            for share, value in zip(shares, line[k].tolist(), strict=True)
        ]
        panels.add(0, 0, curve(shares, line[k].tolist(), name, colour, hover))
        dots = _over_layers(LAYERS, by_layer[k].tolist(), name, colour)
        panels.add(0, 1, dots | {"showlegend": False})
    panels.axes(
        0,
        0,
        {"title": axis_title("share of the second network")},
        {"title": axis_title("test accuracy"), "range": [0, 1.04]},
    )
    panels.axes(0, 1, category_axis(LAYERS), {"range": [0, 1.04]})
    caption = (
        "All weights averaged in these shares, before and after the hidden units of the second "
        "network were put into the order of their one-to-one partners; mean over pairs. Partners "
        "were found on training images, accuracy is that on held-out ones. Right: the first "
        "network with a single layer averaged in equal shares."
    )
    return Figure("averages", "Averages of two networks", panels, caption)


def _trained(result: Result, kind: str, what: str = "one_to_one") -> list[float]:
    return [
        partner_mean(result, layer, lambda p: float(getattr(getattr(p, kind), what)))
        for layer in LAYERS
    ]


def _before(result: Result) -> list[float]:
    return [untrained_mean(result, layer, lambda p: p.correlation.one_to_one) for layer in LAYERS]


def _over_layers(layers: Sequence[str], values: Sequence[float], name: str, colour: str) -> Json:
    hover = [
        f"{layer}, {name}: {number(value, 3)}" for layer, value in zip(layers, values, strict=True)
    ]
    return curve(range(len(layers)), values, name, colour, hover)


def _bars(result: Result) -> list[Json]:
    """Shares of units that are matched, in between and unmatched, the matched ones below."""
    settings = result.settings
    counts = np.array([matched_units(result, layer) for layer in LAYERS])
    above, below, living = counts.T
    high, low = number(settings.matched), number(settings.unmatched)
    parts = (
        (f"r > {high}", above, _MATCHED),
        (f"{low} to {high}", living - above - below, _BETWEEN),
        (f"r < {low}", below, _UNMATCHED),
    )
    return [
        {
            "type": "bar",
            "x": list(range(len(LAYERS))),
            "y": (values / living).tolist(),
            "name": name,
            "marker": {"color": colour},
            "width": 0.62,
            "hovertext": [
                f"{LAYERS[k]}, {name}: {count(v)} of {count(living[k])}"
                for k, v in enumerate(values.tolist())
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for name, values, colour in parts
    ]


def _ring(x: float, y: float, colour: str) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "marker": {"symbol": "circle-open", "size": 15, "color": colour, "line": {"width": 2.5}},
        "showlegend": False,
        "hoverinfo": "skip",
    }
