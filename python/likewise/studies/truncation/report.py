"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Cell, Figure, Finding, Panels, Table
from likewise.report.charts import NO_LEGEND, band, curve, points
from likewise.report.panels import Json, axis, category_axis
from likewise.report.style import CONTRASTS, CONTROL, DEPTHS, INK
from likewise.studies.outcome import Outcome, terms
from likewise.studies.truncation.clusters import CLUSTERS, Run
from likewise.studies.truncation.experiment import Result
from likewise.studies.truncation.flow import truncated_points
from likewise.studies.verdicts import bounded, compared, plural

NAMES = ("nc1", "nc2_norms", "nc2_angles", "nc3", "nc4")
STATES = ("untrained", "trained")
NOTES = """
Truncation map: τ(x) = R' max(R(x + β), 0) − β: what a rectifier does, seen in the space of the
inputs. Points in its positive orthant stay, points in the negative one all become −β.

Exact flow: The gradient flow of 1/(2N) Σ|τ(x) − t|² in β. Each coordinate of Rβ goes to its goal
exponentially at the rate n_k/N, n_k of the N points being truncated in it; a point that enters or
leaves is an event, whose time is known in closed form.

Neural collapse: NC1: tr(Σ_W Σ_B⁺)/C, variability within classes against that between their means
(Papyan, Han & Donoho 2020). NC2 norms: sd over mean of the distances of class means from their
centre; angles: mean distance of the cosines between them from −1/(C − 1). NC3: distance of
classifier and class means, both scaled to norm 1. NC4: share of images where the classifier and the
nearest class mean differ.

Adapted: W = DR, D diagonal, R orthogonal. Off-diagonal share: of the squares of WR', R being the
polar factor of W.

Controls: Of the flow: a target on the near side, a cluster in the positive orthant, two clusters
under one map, Euler's method with small steps. Of the networks: the untrained network, shuffled
labels, and weights whose units are rotated at random.

Networks: 64 standardised pixels of scikit-learn's digits, hidden layers of rectified units, 10
classes, AdamW. All but the accuracy is measured on the training images.
"""

_SHOWN = (0.0, 0.5, 1.0, 3.0)


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
    made, away, both = result.composition, result.withdrawing, result.shared
    structures = [s for network in result.networks for s in network.structure]
    shares = np.array([run.shares[[0, -1]] for run in result.separated])  # clusters, ends, Q
    wide = np.array([run.diameters[[0, -1], 0] for run in result.separated])
    worst = max([made.identity_error, *(s.identity_error for s in structures)])
    condition = max(max(s.conditions) for s in structures)
    nc = collapse(result)
    nc1 = np.array([network.layers for network in result.networks])  # networks, states, layers
    trained, untrained = (of_layers(result, "diameters", t)[:, -1] for t in (True, False))
    return [
        bounded(
            "Separated clusters become points",
            float(wide[:, 1].max()),
            1e-9,
            plural(CLUSTERS, "cluster"),
            "largest diameter at the end; control: under a map whose target is on the near side",
            control=float(away.diameters[-1, 0]),
        ),
        compared(
            "Truncation speeds itself up: its rate, the share of truncated points, rises",
            shares[:, 1],
            shares[:, 0],
            "coordinate",
            "share at the end and at the start",
        ),
        bounded(
            "One map takes two clusters with different targets to one point",
            float(both.diameters[-1].max()),
            0.01 * float(both.diameters[0].max()),
            "2 clusters",
            "largest diameter at the end and at the start; a hundredth of that is called a point",
            control=float(both.diameters[0].max()),
        ),
        bounded(
            "Small steps come to the exact flow",
            max(run.check[0] / run.check[1] for run in (*result.separated, away, both)),
            0.75,
            "5 flows",
            "largest difference from Euler's method by that with twice the step; 0.75 at most",
        ),
        bounded(
            "R stays orthogonal along the flow of R and β",
            float(result.rotation.errors.max()),
            1e-12,
            "1 flow",
            "largest |RR' − 1|; control: plain Euler steps",
            control=float(result.euler.errors.max()),
        ),
        bounded(
            "A rectifier network is one affine map after truncations of its input space",
            worst,
            1e-14 * condition,
            f"{plural(len(structures), 'network state')} and the flow's",
            "largest relative error; what the condition of the weights allows",
        ),
        compared(
            "Digit networks collapse: NC1 falls in training",
            nc1[:, 1],
            nc1[:, 0],
            "hidden layer",
            "after and before training",
            smaller=True,
        ),
        *(
            compared(
                f"Digit networks collapse: {title} falls in training",
                nc[:, -1, NAMES.index(name)],
                nc[:, 0, NAMES.index(name)],
                "network",
                "before the classifier, after and before training",
                smaller=True,
            )
            for name, title in (("nc2_angles", "NC2 (angles)"), ("nc3", "NC3"), ("nc4", "NC4"))
        ),
        compared(
            "Trained weights are nearer to adapted than their random rotations",
            of_layers(result, "cumulative", True),
            of_layers(result, "cumulative_control", True)[..., 0],
            "layer",
            "off-diagonal share of the cumulative weights, 0 if adapted",
            smaller=True,
        ),
        compared(
            "Training turns units off for whole classes",
            of_layers(result, "off", True),
            of_layers(result, "off", False),
            "layer",
            "share of (class, unit), trained and untrained",
        ),
        compared(
            "Classes contract in input space",
            trained,
            untrained,
            "network",
            "class diameter by distance of means after all truncations, trained and untrained",
            smaller=True,
        ),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study truncation` prints and writes."""
    settings = result.settings
    return Outcome(
        study="truncation",
        settings=settings,
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        lead="Chen (arXiv 2501.07400) writes a rectifier network as truncation maps of its input "
        "space, and shows when training contracts each class to a point. First the flow he "
        f"describes, solved exactly for three clusters of {settings.points} points; then networks "
        f"trained on handwritten digits for {settings.epochs} epochs, measured by the same maps. "
        "The formulas were derived anew from the abstract and definitions of the paper.",
        figures=[_clusters(result), _flows(result), _training(result), _structure(result)],
        tables=[
            ("Neural collapse of the digit networks, mean over networks.", _collapse_table(result)),
        ],
        notes=terms(NOTES),
    )


def _scenarios(result: Result) -> dict[str, Run]:
    return {
        "separated": result.separated[0],
        "near_side": result.withdrawing,
        "positive_orthant": result.resting,
        "shared": result.shared,
    }


def _collapse_table(result: Result) -> Table:
    nc = collapse(result).mean(axis=0)
    epochs = sorted({e for e in (0, 1, 2, 5, 10, 20, 50, 100, 200) if e < len(nc)} | {len(nc) - 1})
    rows: list[list[Cell]] = [[f"epoch {epoch}", *map(float, nc[epoch])] for epoch in epochs]
    shuffled = np.array([n.shuffled for n in result.networks if n.shuffled]).mean(axis=0)
    rows.append(["labels shuffled", *map(float, shuffled)])
    return Table(["", "NC1", "NC2 norms", "NC2 angles", "NC3", "NC4"], rows)


def _clusters(result: Result) -> Figure:
    """All clusters from far, and the first one in its layer's coordinates at four times."""
    scene, times = result.scene, result.settings.times
    panels = Panels(1, 1 + len(_SHOWN), height=330, gap=(0.03, 0.0), left=24, bottom=34)
    plane = np.linalg.svd(scene.targets - scene.targets.mean(axis=0))[2][:2]
    middle = scene.points.mean(axis=0)
    flat, corners = (scene.points - middle) @ plane.T, (scene.targets - middle) @ plane.T
    panels.panel(0, 0, "from far", *_square(0, flat))
    cross: dict[str, Any] = {"size": 11, "symbol": "x-thin", "line": {"width": 2, "color": INK}}
    corner: dict[str, Any] = {"size": 10, "symbol": "square-open", "line": {"width": 2}}
    for k in range(CLUSTERS):
        own = flat[scene.labels == k]
        panels.add(0, 0, _dots(own, f"cluster {k + 1}", CONTRASTS[k], size=5, opacity=0.55))
    panels.add(0, 0, _dots(corners, "target", INK, **cross))
    run, rotation = result.separated[0], scene.rotations[0]
    inside = scene.points[scene.labels == 0] @ rotation.T
    target = (rotation @ scene.targets[0])[None, :2]
    for column, shown in enumerate(_SHOWN, start=1):
        moment = int(np.argmin(np.abs(times - shown)))
        value = run.values[moment]
        axes = _square(column, np.concatenate([inside[:, :2], target]))
        panels.panel(0, column, f"cluster 1, time {times[moment]:.1f}", *axes)
        moved = truncated_points(inside, value)[:, :2]
        dots = _dots(moved, "cluster 1", CONTRASTS[0], size=5, opacity=0.55)
        panels.add(0, column, dots)
        panels.add(0, column, _dots(-value[None, :2], "corner of the map", INK, **corner))
        panels.add(0, column, _dots(target, "target", INK, **cross))
    return Figure(
        "clusters",
        "Truncation maps and their clusters",
        panels,
        "Left: three clusters in three dimensions, seen on the plane of their targets. Then the "
        "first one after its truncation map, in the first two coordinates of its layer. Points "
        "below or left of the map's corner (square) are pushed onto its faces; the corner moves "
        "towards the target (cross) and takes them along.",
    )


def _flows(result: Result) -> Figure:
    """Share of truncated points, diameter and loss over time, beside the controls."""
    colours = (CONTRASTS[1], CONTROL, "#3d434a", CONTRASTS[0])
    names = (
        "separated cluster",
        "control: target on the near side",
        "control: positive orthant",
        "two clusters, one map",
    )
    panels = Panels(1, 3, height=400, gap=(0.06, 0.0), left=58, bottom=54)
    titles = ("share of truncated points = rate", "largest diameter", "loss")
    for column, title in enumerate(titles):
        panels.panel(0, column, title, axis("time"), axis(rangemode="tozero"))
        for name, colour, run in zip(names, colours, _scenarios(result).values(), strict=True):
            y = (run.shares.mean(axis=1), run.diameters.max(axis=1), run.losses)[column]
            panels.add(0, column, curve(result.settings.times, y, name, colour, marks=0))
    return Figure(
        "flows",
        "The exact flow and its controls",
        panels,
        "The share is the mean over the three coordinates of n_k/N, which is the rate at which the "
        "map's coordinate k goes to its goal.",
    )


def _training(result: Result) -> Figure:
    """NC1, NC2, NC3 and NC4 after every epoch."""
    panels = Panels(1, 4, height=400, gap=(0.05, 0.0), left=52, bottom=54)
    shown: tuple[tuple[str, tuple[tuple[str, int, str], ...]], ...] = (
        ("NC1: variability within", (("NC1", 0, DEPTHS[1]),)),
        ("NC2: from a simplex", (("norms", 1, DEPTHS[1]), ("angles", 2, DEPTHS[5]))),
        ("NC3: classifier from means", (("NC3", 3, DEPTHS[1]),)),
        ("NC4: not the nearest mean", (("NC4", 4, DEPTHS[1]),)),
    )
    for column, (title, parts) in enumerate(shown):
        panels.panel(0, column, title, axis("epoch"), axis(rangemode="tozero"))
        for name, k, colour in parts:
            for network in collapse(result):
                line = curve(range(len(network)), network[:, k], name, colour, marks=0)
                panels.add(0, column, line if len(parts) > 1 else line | NO_LEGEND)
    return Figure(
        "collapse",
        "How collapsed digit networks become",
        panels,
        "On the training images, in the layer before the classifier; epoch 0 is the untrained "
        "network, a line is a network. Complete neural collapse is 0 in all panels.",
    )


def _structure(result: Result) -> Figure:
    """Adaptedness of the cumulative weights with its control; units off and on for classes."""
    panels = Panels(1, 3, height=400, gap=(0.06, 0.0), left=58, bottom=54)
    names = [f"layer {k + 1}" for k in range(result.settings.layers)]
    for column, (title, key) in enumerate(
        (
            ("off-diagonal share of the weights so far", "cumulative"),
            ("units off for a whole class", "off"),
            ("class diameter / distance of means", "diameters"),
        )
    ):
        labels = ["images", *names] if key == "diameters" else names
        panels.panel(0, column, title, category_axis(labels), axis(rangemode="tozero"))
        for trained, colour in ((False, CONTROL), (True, DEPTHS[1])):
            values = of_layers(result, key, trained).mean(axis=0)
            if key == "cumulative":
                mean, sd = of_layers(result, "cumulative_control", trained).mean(axis=0).T
                low, high = mean - 2 * sd, mean + 2 * sd
                panels.add(0, 0, band(range(len(mean)), low, high, "control (units rotated)"))
            panels.add(0, column, curve(range(len(labels)), values, STATES[trained], colour))
    return Figure(
        "structure",
        "Digit networks as truncation maps",
        panels,
        "Left: how far W(l) = W_l ... W_1 is from a scaling of rotated coordinates, 0 if adapted; "
        "the bands are the same weights with units rotated at random, mean ± 2 sd. Middle: share "
        "of (class, unit) with n_k = N, the unit off for all images of the class. Right: mean "
        "diameter of a class over the mean distance of two class means, in input space after each "
        "layer's truncation. Means over networks.",
    )


def _dots(shown: Array, name: str, colour: str, **marker: Any) -> Json:
    return points(shown[:, 0], shown[:, 1], name, colour, **marker)


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
            {state: vars(s) for state, s in zip(STATES, network.structure, strict=True)}
            for network in result.networks
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
