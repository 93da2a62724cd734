"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Cell, Finding, Panel
from likewise.report.charts import NO_LEGEND, band, curve, points
from likewise.report.panels import Json, axis, category_axis
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.truncation.clusters import CLUSTERS, Run
from likewise.studies.truncation.experiment import Result
from likewise.studies.truncation.flow import truncated_points
from likewise.studies.verdicts import bounded, compared, plural

NAMES = ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4")
STATES = ("untrained", "trained")
_SHOWN = (0.0, 0.5, 1.0, 3.0)
_EPOCHS = (0, 1, 2, 5, 10, 20, 50, 100, 200)
_CROSS: Json = {"size": 11, "symbol": "x-thin", "line": {"width": 2, "color": INK}}
_CORNER: Json = {"size": 10, "symbol": "square-open", "line": {"width": 2}}
_RUNS = {
    "separated": ("separated cluster", CONTRASTS[1]),
    "near_side": ("control: target on the near side", CONTROL),
    "positive_orthant": ("control: positive orthant", "#3d434a"),
    "shared": ("two clusters, one map", CONTRASTS[0]),
}


def collapse(result: Result) -> Array:
    """NC1 to NC4 of every network and epoch, ``(networks, epochs + 1, 5)``."""
    return np.array([network.collapse for network in result.networks])


def of_layers(result: Result, name: str, trained: bool) -> Array:
    """A list of a `Structure` over layers, of every network."""
    return np.array([getattr(network.structure[trained], name) for network in result.networks])


def truncated_at(result: Result) -> float:
    """When the diameter of every separated cluster is 0; NaN where it never is."""
    wide = np.max([run.diameters[:, 0] for run in result.separated], axis=0)
    return float(result.settings.times[np.argmax(wide == 0)]) if wide[-1] == 0 else math.nan


def findings(result: Result) -> list[Finding]:
    """Claims of the paper about the flow, then about networks."""
    claim = Text(__file__).claim
    made, away, both = result.composition, result.withdrawing, result.shared
    structures = [s for network in result.networks for s in network.structure]
    shares = np.array([run.shares[[0, -1]] for run in result.separated])  # clusters, ends, Q
    widest = max(run.diameters[-1, 0] for run in result.separated)
    start, end = (float(both.diameters[k].max()) for k in (0, -1))
    ratio = max(run.check[0] / run.check[1] for run in (*result.separated, away, both))
    turned, euler = (float(flow.errors.max()) for flow in (result.rotation, result.euler))
    worst = max([made.identity_error, *(s.identity_error for s in structures)])
    bound = 1e-14 * max(max(s.conditions) for s in structures)
    states = f"{plural(len(structures), 'network state')} and the flow's"
    clusters = plural(CLUSTERS, "cluster")
    nc = collapse(result)
    nc1 = np.array([network.layers for network in result.networks])  # networks, states, layers
    adapted = of_layers(result, "cumulative", True)
    rotated = of_layers(result, "cumulative_control", True)[..., 0]
    off, diameters = (
        [of_layers(result, name, trained) for trained in (True, False)]
        for name in ("off", "diameters")
    )
    last = [values[:, -1] for values in diameters]
    return [
        claim(bounded, "points", float(widest), 1e-9, clusters, control=away.diameters[-1, 0]),
        claim(compared, "faster", shares[:, 1], shares[:, 0], "coordinate"),
        claim(bounded, "both", end, 0.01 * start, "2 clusters", control=start),
        claim(bounded, "euler", ratio, 0.75, "5 flows"),
        claim(bounded, "orthogonal", turned, 1e-12, "1 flow", control=euler),
        claim(bounded, "affine", worst, bound, states),
        claim(compared, "nc1", nc1[:, 1], nc1[:, 0], "hidden layer", smaller=True),
        *(
            claim(compared, name, nc[:, -1, k], nc[:, 0, k], "network", smaller=True)
            for k, name in enumerate(NAMES)
            if name not in ("nc1", "nc2_norms")
        ),
        claim(compared, "adapted", adapted, rotated, "layer", smaller=True),
        claim(compared, "off", *off, "layer"),
        claim(compared, "contract", *last, "network", smaller=True),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study truncation` prints and writes."""
    text = Text(__file__, **vars(result.settings))
    header = ["", "NC1", "NC2 norms", "NC2 angles", "NC3", "NC4"]
    return Outcome(
        result,
        text,
        findings(result),
        numbers(result),
        grids(result),
        figures=[
            text.figure("clusters", _clusters(result), height=330),
            text.figure("flows", _flows(result)),
            text.figure("collapse", _collapse(result)),
            text.figure("structure", _structure(result)),
        ],
        tables=[text.table("collapse", header, _epochs(result))],
    )


def _scenarios(result: Result) -> dict[str, Run]:
    runs = (result.separated[0], result.withdrawing, result.resting, result.shared)
    return dict(zip(_RUNS, runs, strict=True))


def _epochs(result: Result) -> list[list[Cell]]:
    nc = collapse(result).mean(axis=0)
    shown = sorted({epoch for epoch in _EPOCHS if epoch < len(nc)} | {len(nc) - 1})
    rows: list[list[Cell]] = [[f"epoch {epoch}", *nc[epoch].tolist()] for epoch in shown]
    shuffled = np.mean([n.shuffled for n in result.networks if n.shuffled], axis=0)
    return [*rows, ["labels shuffled", *shuffled.tolist()]]


def _clusters(result: Result) -> list[Panel]:
    """All clusters from far, and the first one in its layer's coordinates at four times."""
    scene, times = result.scene, result.settings.times
    plane = np.linalg.svd(scene.targets - scene.targets.mean(axis=0))[2][:2]
    middle = scene.points.mean(axis=0)
    flat, corners = (scene.points - middle) @ plane.T, (scene.targets - middle) @ plane.T
    far = [_cloud(flat[scene.labels == k], k) for k in range(CLUSTERS)]
    far.append(_dots(corners, "target", INK, **_CROSS))
    panels = [Panel("from far", *_square(0, flat), far)]
    run, rotation = result.separated[0], scene.rotations[0]
    inside = scene.points[scene.labels == 0] @ rotation.T
    target = (rotation @ scene.targets[0])[None, :2]
    everything = np.concatenate([inside[:, :2], target])
    for column, shown in enumerate(_SHOWN, start=1):
        moment = int(np.argmin(np.abs(times - shown)))
        value = run.values[moment]
        traces = [
            _cloud(truncated_points(inside, value)[:, :2], 0),
            _dots(-value[None, :2], "corner of the map", INK, **_CORNER),
            _dots(target, "target", INK, **_CROSS),
        ]
        title = f"cluster 1, time {times[moment]:.1f}"
        panels.append(Panel(title, *_square(column, everything), traces))
    return panels


def _flows(result: Result) -> list[Panel]:
    """Share of truncated points, diameter and loss over time, beside the controls."""
    times, up = result.settings.times, axis(rangemode="tozero")
    runs = _scenarios(result)
    shown = {
        "share of truncated points = rate": {k: run.shares.mean(axis=1) for k, run in runs.items()},
        "largest diameter": {k: run.diameters.max(axis=1) for k, run in runs.items()},
        "loss": {k: run.losses for k, run in runs.items()},
    }
    return [
        Panel(title, axis("time"), up, [curve(times, y, *_RUNS[k], marks=0) for k, y in of.items()])
        for title, of in shown.items()
    ]


def _collapse(result: Result) -> list[Panel]:
    """NC1, NC2, NC3 and NC4 after every epoch."""
    nc = collapse(result)
    shown = {
        "NC1: variability within": {"": 0},
        "NC2: from a simplex": {"norms": 1, "angles": 2},
        "NC3: classifier from means": {"": 3},
        "NC4: not the nearest mean": {"": 4},
    }
    panels = []
    for title, parts in shown.items():
        lines = [
            curve(range(len(network)), network[:, k], name or title[:3], colour, marks=0)
            | ({} if name else NO_LEGEND)
            for (name, k), colour in zip(parts.items(), (DEPTHS[1], DEPTHS[5]), strict=False)
            for network in nc
        ]
        panels.append(Panel(title, axis("epoch"), axis(rangemode="tozero"), lines))
    return panels


def _structure(result: Result) -> list[Panel]:
    """Adaptedness of the cumulative weights with its control; units off and on for classes."""
    names = [f"layer {k + 1}" for k in range(result.settings.layers)]
    shown = {
        "cumulative": ("off-diagonal share of the weights so far", names),
        "off": ("units off for a whole class", names),
        "diameters": ("class diameter / distance of means", ["images", *names]),
    }
    panels = []
    for key, (title, labels) in shown.items():
        traces = []
        for trained, colour in ((False, CONTROL), (True, DEPTHS[1])):
            if key == "cumulative":
                mean, sd = of_layers(result, "cumulative_control", trained).mean(axis=0).T
                ends = mean - 2 * sd, mean + 2 * sd
                traces.append(band(range(len(mean)), *ends, "control (units rotated)"))
            values = of_layers(result, key, trained).mean(axis=0)
            traces.append(curve(range(len(labels)), values, STATES[trained], colour))
        panels.append(Panel(title, category_axis(labels), axis(rangemode="tozero"), traces))
    return panels


def _dots(shown: Array, name: str, colour: str, **marker: Any) -> Json:
    return points(shown[:, 0], shown[:, 1], name, colour, **marker)


def _cloud(shown: Array, cluster: int) -> Json:
    return _dots(shown, f"cluster {cluster + 1}", CONTRASTS[cluster], size=5, opacity=0.55)


def _square(column: int, shown: Array) -> tuple[Json, Json]:
    """Axes of equal scale without numbers that hold these points."""
    low, high = shown.min(axis=0), shown.max(axis=0)
    reach = 0.6 * float((high - low).max())
    x, y = (
        axis(range=[m - reach, m + reach], showticklabels=False, nticks=5)
        for m in ((low + high) / 2).tolist()
    )
    return x, y | {"scaleanchor": "x" if column == 0 else f"x{column + 1}"}


def numbers(result: Result) -> dict[str, Any]:
    """What the findings and tables state, as plain numbers."""
    nc = collapse(result)
    return {
        "identity_error": result.composition.identity_error,
        "scales_error": result.composition.scales_error,
        "stray_points": result.composition.strays,
        "points_at_time": truncated_at(result),
        "flows": {
            name: {
                "share": run.shares[[0, -1]].mean(axis=1),
                "loss": run.losses[[0, -1]],
                "diameter": run.diameters[[0, -1]].max(axis=1),
                "events": run.events,
                "euler_difference": run.check[0],
                "euler_difference_of_twice_the_step": run.check[1],
            }
            for name, run in _scenarios(result).items()
        },
        "rotation": {
            "loss": result.rotation.losses[[0, -1]],
            "orthogonality_error": result.rotation.errors.max(),
            "orthogonality_error_of_euler": result.euler.errors.max(),
        },
        "collapse": {
            name: {"untrained": nc[:, 0, k], "trained": nc[:, -1, k]}
            for k, name in enumerate(NAMES)
        },
        "nc1_with_shuffled_labels": [n.shuffled.nc1 for n in result.networks if n.shuffled],
        "accuracy": [network.accuracy for network in result.networks],
        "structure": [
            dict(zip(STATES, network.structure, strict=True)) for network in result.networks
        ],
    }


def grids(result: Result) -> dict[str, Array]:
    """The curves and points behind the figures."""
    named = {f"separated_{k}": run for k, run in enumerate(result.separated)}
    named |= {k: run for k, run in _scenarios(result).items() if k != "separated"}
    arrays = {"times": result.settings.times, "collapse": collapse(result)}
    for name, run in named.items():
        arrays |= {
            f"{name}_shares": run.shares,
            f"{name}_losses": run.losses,
            f"{name}_diameters": run.diameters,
            f"{name}_shifts": run.values,
        }
    return arrays | {
        "rotation_losses": result.rotation.losses,
        "rotation_errors": result.rotation.errors,
        "points": result.scene.points,
        "labels": result.scene.labels,
        "truncated_points": result.composition.points,
        "truncated_points_times": result.settings.times[result.composition.moments],
    }
