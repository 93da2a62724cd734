"""The figures of the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Figure, Panels, control_text, number
from likewise.report.curves import control_band, curve
from likewise.report.heatmap import category_axis
from likewise.report.panels import Json, axis_title
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.truncation.clusters import CLUSTERS, Run
from likewise.studies.truncation.experiment import Result
from likewise.studies.truncation.findings import collapse, of_layers
from likewise.studies.truncation.flow import truncated_points

_SHOWN = (0.0, 0.5, 1.0, 3.0)
_CONTROL = "control (units rotated)"
_CROSS: Json = {"size": 11, "symbol": "x-thin", "line": {"width": 2, "color": INK}}
_CORNER: Json = {"size": 10, "symbol": "square-open", "color": INK, "line": {"width": 2}}


def pictures(result: Result) -> Figure:
    """All clusters from far, and the first one in its layer's coordinates at four times."""
    scene, times = result.scene, result.settings.times
    panels = Panels(1, 1 + len(_SHOWN), height=330, gap=(0.03, 0.0), left=24, bottom=34)
    plane = np.linalg.svd(scene.targets - scene.targets.mean(axis=0))[2][:2]
    middle = scene.points.mean(axis=0)
    flat, corners = (scene.points - middle) @ plane.T, (scene.targets - middle) @ plane.T
    panels.title(0, 0, "from far")
    _square(panels, 0, flat)
    for k in range(CLUSTERS):
        panels.add(0, 0, _dots(flat[scene.labels == k], f"cluster {k + 1}", CONTRASTS[k], True))
    panels.add(0, 0, _marks(corners, "target", _CROSS, True))
    run, rotation = result.separated[0], scene.rotations[0]
    inside = scene.points[scene.labels == 0] @ rotation.T
    target = (rotation @ scene.targets[0])[None]
    for column, shown in enumerate(_SHOWN, start=1):
        moment = int(np.argmin(np.abs(times - shown)))
        value = run.values[moment]
        panels.title(0, column, f"cluster 1, time {number(float(times[moment]), 1)}")
        _square(panels, column, np.concatenate([inside, target])[:, :2])
        points = truncated_points(inside, value)[:, :2]
        panels.add(0, column, _dots(points, "cluster 1", CONTRASTS[0], False))
        panels.add(0, column, _marks(-value[None, :2], "corner of the map", _CORNER, column == 1))
        panels.add(0, column, _marks(target[:, :2], "target", _CROSS, False))
    caption = (
        f"Left: three clusters of {result.settings.points} points in three dimensions, seen on the "
        "plane of their targets. Then the first one after its truncation map, in the first two "
        "coordinates of its layer. Points below or left of the map's corner (square) are pushed "
        "onto its faces; the corner moves towards the target (cross) and takes all of them along, "
        "until the cluster is the corner."
    )
    return Figure("clusters", "A truncation map takes its cluster to a point", panels, caption)


def flows(result: Result) -> Figure:
    """Share of truncated points, diameter and loss over time, beside the controls."""
    scenarios: list[tuple[str, str, Run]] = [
        ("separated cluster", CONTRASTS[1], result.separated[0]),
        ("two clusters, one map", CONTRASTS[0], result.shared),
        ("control: target on the near side", CONTROL, result.withdrawing),
        ("control: positive orthant", "#3d434a", result.resting),
    ]
    panels = Panels(1, 3, height=400, gap=(0.06, 0.0), left=58, bottom=54)
    titles = ("share of truncated points = rate", "largest diameter", "loss")
    times = result.settings.times
    for column, title in enumerate(titles):
        panels.title(0, column, title)
        panels.axes(0, column, {"title": axis_title("time")}, _above_zero())
        for name, colour, run in scenarios:
            quantity = (run.shares.mean(axis=1), run.diameters.max(axis=1), run.losses)[column]
            panels.add(0, column, _line(times, quantity, name, colour, column == 0))
    caption = (
        "The exact flow. The share is the mean over the three coordinates of n_k/N, which is the "
        "rate at which the map's coordinate k goes to its goal: it rises while the map moves into "
        "the cluster, and falls while it withdraws. A map for two clusters makes each a point, but "
        "the same point, and their loss stops above 0."
    )
    return Figure("flows", "The more points are truncated, the faster", panels, caption)


def training(result: Result) -> Figure:
    """NC1, NC2, NC3 and NC4 after every epoch."""
    nc = collapse(result)
    panels = Panels(1, 4, height=400, gap=(0.05, 0.0), left=52, bottom=54)
    shown: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
        ("NC1: variability within", (("NC1", 0),)),
        ("NC2: distance from a simplex", (("norms", 1), ("angles", 2))),
        ("NC3: classifier from means", (("NC3", 3),)),
        ("NC4: not the nearest mean", (("NC4", 4),)),
    )
    epochs = np.arange(nc.shape[1], dtype=np.float64)
    colours = (DEPTHS[1], DEPTHS[1], DEPTHS[5], DEPTHS[1], DEPTHS[1])
    for column, (title, parts) in enumerate(shown):
        panels.title(0, column, title)
        panels.axes(0, column, {"title": axis_title("epoch")}, _above_zero())
        for name, k in parts:
            for index, network in enumerate(nc):
                legend = column == 1 and index == 0
                panels.add(0, column, _line(epochs, network[:, k], name, colours[k], legend))
    caption = (
        f"{_networks(result)} of {result.settings.layers} hidden layers of "
        f"{result.settings.width} units, on the training images, in the layer before the "
        "classifier; epoch 0 is the untrained network, a line is a network. Complete neural "
        "collapse is 0 in all panels."
    )
    return Figure("collapse", "How collapsed digit networks become", panels, caption)


def structure(result: Result) -> Figure:
    """Adaptedness of the cumulative weights with its control; units off and on for classes."""
    panels = Panels(1, 3, height=400, gap=(0.06, 0.0), left=58, bottom=54)
    names = [f"layer {k + 1}" for k in range(result.settings.layers)]
    x = [float(k) for k in range(result.settings.layers)]
    states = ((False, "untrained", CONTROL), (True, "trained", DEPTHS[1]))
    titles = (
        "off-diagonal share of the weights so far",
        "units off for a whole class",
        "class diameter / distance of means",
    )
    for column, title in enumerate(titles):
        panels.title(0, column, title)
        labels = names if column < 2 else ["images", *names]
        panels.axes(0, column, category_axis(labels), _above_zero())
    for trained, name, colour in states:
        shares = of_layers(result, "cumulative", trained)
        controls = of_layers(result, "cumulative_control", trained)
        band = control_band(x, controls[:, 0].tolist(), controls[:, 1].tolist(), _CONTROL)
        panels.add(0, 0, band | {"showlegend": not trained})
        hover = [
            f"{name}: {number(share, 3)} ({control_text(mean, sd)})"
            for share, (mean, sd) in zip(shares, controls, strict=True)
        ]
        panels.add(0, 0, curve(x, shares.tolist(), name, colour, hover))
        for column, key in ((1, "off"), (2, "diameters")):
            values = of_layers(result, key, trained)
            hover = [f"{name}: {number(value, 3)}" for value in values]
            positions = [float(k) for k in range(len(values))]
            line = curve(positions, values.tolist(), name, colour, hover)
            panels.add(0, column, line | {"showlegend": False})
    caption = (
        "Left: how far W(l) = W_l ... W_1 is from a scaling of rotated coordinates, 0 if adapted; "
        "the band is the same weight with its units rotated at random, mean ± 2 sd over "
        f"{result.settings.rotations} rotations. Middle: share of (class, unit) with n_k = N, the "
        "unit off for all images of the class. Right: mean diameter of a class over the mean "
        "distance of two class means, in input space after each layer's truncation; dynamical "
        f"collapse would bring it to 0. Means over {_networks(result)}."
    )
    return Figure("structure", "Digit networks as truncation maps", panels, caption)


def _networks(result: Result) -> str:
    count = len(result.networks)
    return f"{count} network{'s' * (count != 1)}"


def _square(panels: Panels, column: int, points: Array) -> None:
    """Axes of equal scale without numbers that hold these points."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = 0.6 * float((high - low).max())
    x, y = (
        {"range": [m - reach, m + reach], "showticklabels": False, "nticks": 5}
        for m in ((low + high) / 2).tolist()
    )
    anchor = "x" if column == 0 else f"x{column + 1}"
    panels.axes(0, column, x, y | {"scaleanchor": anchor})


def _above_zero() -> Json:
    return {"rangemode": "tozero"}


def _line(x: Array, y: Array, name: str, colour: str, legend: bool) -> Json:
    hover = [f"{name}: {number(value, 3)}" for value in y.tolist()]
    line = curve(x.tolist(), y.tolist(), name, colour, hover)
    return line | {"mode": "lines", "showlegend": legend}


def _dots(points: Array, name: str, colour: str, legend: bool) -> Json:
    return _marks(points, name, {"size": 5, "color": colour, "opacity": 0.55}, legend)


def _marks(points: Array, name: str, marker: Json, legend: bool) -> Json:
    xs: Sequence[float] = points[:, 0].tolist()
    return {
        "type": "scatter",
        "mode": "markers",
        "x": xs,
        "y": points[:, 1].tolist(),
        "name": name,
        "legendgroup": name,
        "marker": marker,
        "showlegend": legend,
        "hoverinfo": "skip",
    }
