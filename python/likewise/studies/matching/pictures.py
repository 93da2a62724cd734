"""The figures of one layer and pair at a time: stimuli of units, their matrices and groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likewise import UnitClusters
from likewise.report import Figure, Panels, number
from likewise.report.panels import Json, axis_title
from likewise.report.style import ALIKE_SCALE, CONTRASTS, INK, QUIET
from likewise.studies.matching.data import SIDE
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.groups import sizes
from likewise.studies.matching.networks import LAYERS, Numbers, receptive_field, untrained
from likewise.studies.matching.streaming import Indices

_FIRST, _SECOND = CONTRASTS[0], CONTRASTS[1]
_IMAGE_SCALE = ((0.0, "#ffffff"), (1.0, "#2b333c"))
_RANKS = (("best pair", 0.0), ("a quarter down", 0.25), ("median", 0.5), ("worst", 1.0))
_PITCH = SIDE + 1
_MIDDLE = 4
"""Pixels between the images of two networks."""


def units(result: Result) -> Figure:
    """The images that drive both units of a pair most, for pairs from best to worst."""
    tops = result.settings.tops
    width = 2 * tops * _PITCH + _MIDDLE
    panels = Panels(1, 1, height=80 + 430 * len(_RANKS) // 4, left=150, bottom=8)
    for choice, layer in enumerate(LAYERS):
        for trace in _stimuli(result, layer):
            panels.add(0, 0, trace | _chosen(choice))
    plain = {"showgrid": False, "showticklabels": False, "showline": False}
    panels.axes(
        0,
        0,
        plain | {"range": [-1, width], "constrain": "domain", "constraintoward": "left"},
        plain | {"range": [len(_RANKS) * (_PITCH + 3) - 2, -4], "scaleanchor": "x"},
    )
    caption = (
        f"Rows: one-to-one pairs of the chosen layer, ranked by correlation; r and how many of the "
        f"{tops} images both units have in common stand on the left. Left the {tops} probe images "
        "with the largest activation of the first network's unit, right those of its partner. "
        "Frames: what the unit sees of the image, at the position where it is most active; without "
        "a frame it sees all."
    )
    return Figure("units", "What matched units respond to", panels, caption)


def matrices(result: Result) -> Figure:
    """Correlations between and within two networks, as they are and in matched order."""
    titles = (
        "between, as numbered",
        "between, matched",
        "within the first, matched",
        "within the second, matched",
    )
    panels = Panels(1, 4, height=340, gap=(0.03, 0.0), left=20, bottom=20)
    for column, title in enumerate(titles):
        panels.title(0, column, title)
        panels.axes(0, column, *_square(column))
        for choice, layer in enumerate(LAYERS):
            trace = _matrix(_ordered(result, layer)[column])
            panels.add(0, column, trace | _chosen(choice))
    caption = (
        "Correlation of every unit of the first network (rows) with every unit of the second, dark "
        "at r = 1 and white at 0 or less. Matched: rows by the correlation with their one-to-one "
        "partner, which stands on the diagonal; dead units come last. Right: correlations inside "
        "each network in the same order; where both look alike, matched units also resemble the "
        "same others."
    )
    return Figure("matrices", "Correlations before and after matching", panels, caption)


def groups(result: Result) -> Figure:
    """Spectral clusters and the tree of the units of two networks."""
    from scipy.cluster.hierarchy import dendrogram

    panels = Panels(1, 3, height=420, gap=(0.07, 0.0), left=20, bottom=58)
    panels.title(0, 0, "|r| in order of spectral clusters")
    panels.title(0, 1, "units in each spectral cluster")
    panels.title(0, 2, "tree of all living units")
    panels.axes(0, 0, *_square(0))
    panels.axes(
        0,
        1,
        {"title": axis_title("spectral cluster"), "showgrid": False, "dtick": 1},
        {"title": axis_title("units"), "rangemode": "tozero"},
    )
    panels.axes(
        0,
        2,
        {"showgrid": False, "showticklabels": False},
        {"title": axis_title("1 − |r|"), "range": [-0.06, 1.02]},
    )
    pair = result.settings.pairs[0]
    for choice, layer in enumerate(LAYERS):
        found = result.groups[layer][pair]
        order = [np.argsort(labels, kind="stable") for labels in found.spectral[:2]]
        panels.add(0, 0, _matrix(found.weights[np.ix_(*order)]) | _chosen(choice))
        for trace in _counts(found.spectral):
            panels.add(0, 1, trace | _chosen(choice))
        drawn = dendrogram(found.tree.tree, no_plot=True)
        for trace in _branches(drawn, len(found.weights)):
            panels.add(0, 2, trace | _chosen(choice))
    caption = (
        "Living units of both networks as nodes of a graph with weights |r|. Left and middle: "
        "spectral clusters of the graph with edges between the networks only. Right: agglomerative "
        f"tree ({result.settings.linkage} linkage) of all units with edges inside the networks "
        "too; dots at the bottom say which network a unit is of. Branches that join both colours "
        "low down are features that both networks have."
    )
    return Figure("groups", "Groups of units of both networks", panels, caption)


def _stimuli(result: Result, layer: str) -> list[Json]:
    settings, statistics = result.settings, result.statistics[layer]
    a, b = settings.pairs[0]
    by_correlation = result.partners[layer][a, b].correlation
    field = receptive_field(untrained(settings, 0), layer)
    alive = statistics.alive[b]
    ranked = [
        unit for unit in by_correlation.ranked() if alive[by_correlation.matching.one_to_one[unit]]
    ]
    mosaic = np.full((len(_RANKS) * (_PITCH + 3), 2 * settings.tops * _PITCH + _MIDDLE), np.nan)
    frames: tuple[list[float | None], list[float | None]] = ([], [])
    labels = []
    for row, (name, rank) in enumerate(_RANKS):
        unit = ranked[round(rank * (len(ranked) - 1))]
        partner = int(by_correlation.matching.one_to_one[unit])
        shown = [
            set(statistics.tops[k].images[:, u].tolist()) for k, u in ((a, unit), (b, partner))
        ]
        r = statistics.pairs[a, b].correlation[unit, partner]
        common = len(shown[0] & shown[1])
        labels.append(f"<b>{name}</b><br>r = {number(r)}<br>{common} of {settings.tops} in common")
        top = row * (_PITCH + 3)
        for network, one, left in (
            (a, unit, 0),
            (b, partner, settings.tops * _PITCH + _MIDDLE),
        ):
            tops = statistics.tops[network]
            for k in range(settings.tops):
                x = left + k * _PITCH
                image = result.probe[tops.images[k, one], 0].numpy()
                mosaic[top : top + SIDE, x : x + SIDE] = image
                if field is not None:
                    at = divmod(int(tops.positions[k, one]), _width(field.step))
                    frame = [_clipped(field.start + p * field.step, field.size) for p in at]
                    _add_frame(frames, frame[1], frame[0], x, top)
    second = settings.tops * _PITCH + _MIDDLE
    return [
        _image(mosaic),
        {
            "type": "scatter",
            "mode": "lines",
            "x": frames[0],
            "y": frames[1],
            "line": {"color": "#e4572e", "width": 1.8},
            "hoverinfo": "skip",
            "showlegend": False,
        },
        _text(
            [-1.5] * len(labels),
            [row * (_PITCH + 3) + SIDE / 2 - 0.5 for row in range(len(labels))],
            labels,
            "middle left",
        ),
        _text(
            [-0.5, second - 0.5],
            [-2.6, -2.6],
            ["<b>unit of the first network</b>", "<b>its partner in the second</b>"],
            "middle right",
        ),
    ]


def _width(step: int) -> int:
    """Positions in a row of a feature map."""
    return SIDE // step


def _clipped(start: int, size: int) -> tuple[float, float]:
    """Edges of the pixels of a receptive field that lie in the image."""
    return max(start, 0) - 0.5, min(start + size, SIDE) - 0.5


def _add_frame(
    frames: tuple[list[float | None], list[float | None]],
    across: tuple[float, float],
    down: tuple[float, float],
    x: int,
    y: int,
) -> None:
    left, right = (x + edge for edge in across)
    top, bottom = (y + edge for edge in down)
    frames[0].extend([left, right, right, left, left, None])
    frames[1].extend([top, top, bottom, bottom, top, None])


def _ordered(result: Result, layer: str) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Correlations between as numbered and matched, within the first and within the second."""
    a, b = result.settings.pairs[0]
    statistics = result.statistics[layer]
    between = statistics.pairs[a, b].correlation
    found = result.partners[layer][a, b].correlation
    rows = np.concatenate([found.ranked(), np.flatnonzero(~found.alive)])
    columns: Indices = found.matching.one_to_one[rows]
    return (
        between,
        between[np.ix_(rows, columns)],
        statistics.within[a][np.ix_(rows, rows)],
        statistics.within[b][np.ix_(columns, columns)],
    )


def _square(column: int) -> tuple[Json, Json]:
    """Axes of a matrix whose size changes with the layer."""
    plain = {"showgrid": False, "showticklabels": False, "showline": False, "constrain": "domain"}
    anchor = "x" if column == 0 else f"x{column + 1}"
    return plain, plain | {"autorange": "reversed", "scaleanchor": anchor}


def _matrix(values: Numbers) -> Json:
    return {
        "type": "heatmap",
        "z": np.round(values, 4).tolist(),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, "#ffffff"], *(list(stop) for stop in ALIKE_SCALE[1:])],
        "showscale": False,
        "hovertemplate": "units %{y} and %{x}: %{z:.2f}<extra></extra>",
    }


def _image(pixels: NDArray[np.float64]) -> Json:
    return {
        "type": "heatmap",
        "z": [[None if np.isnan(v) else round(v, 3) for v in row] for row in pixels.tolist()],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [list(stop) for stop in _IMAGE_SCALE],
        "showscale": False,
        "hoverinfo": "skip",
    }


def _counts(clusters: UnitClusters) -> list[Json]:
    counts = np.array(sizes(clusters)).T.tolist()
    places = list(range(1, len(counts[0]) + 1))
    return [
        {
            "type": "bar",
            "x": places,
            "y": values,
            "name": name,
            "marker": {"color": colour},
            "hovertemplate": f"{name}, cluster %{{x}}: %{{y}}<extra></extra>",
        }
        for name, values, colour in zip(
            ("first network", "second network"), counts, (_FIRST, _SECOND), strict=True
        )
    ]


def _branches(drawn: dict[str, list[list[float]]], first: int) -> list[Json]:
    """Lines of the tree and a dot for every unit; those below `first` are the first network's."""
    x: list[float | None] = []
    y: list[float | None] = []
    for across, up in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        x += [*across, None]
        y += [*up, None]
    leaves: Sequence[int] = drawn["leaves"]  # type: ignore[assignment]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "line": {"color": QUIET, "width": 1.2},
            "hoverinfo": "skip",
            "showlegend": False,
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [5 + 10 * k for k in range(len(leaves))],
            "y": [-0.03] * len(leaves),
            "marker": {"color": [_FIRST if u < first else _SECOND for u in leaves], "size": 7},
            "hovertext": [
                f"first network, unit {u + 1}" if u < first else f"second, unit {u - first + 1}"
                for u in leaves
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "showlegend": False,
        },
    ]


def _text(x: list[float], y: list[float], texts: list[str], position: str) -> Json:
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": texts,
        "textposition": position,
        "textfont": {"size": 13, "color": INK},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _chosen(choice: int) -> Json:
    """Marks a trace as belonging to one layer; the first is shown first."""
    return {"meta": choice, "visible": choice == 0}
