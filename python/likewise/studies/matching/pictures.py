"""The figures of one layer and pair at a time: matrices of correlations and groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise import UnitClusters
from likewise.report import Figure, Panels
from likewise.report.panels import Json, axis_title
from likewise.report.style import ALIKE_SCALE, CONTRASTS, QUIET
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.groups import sizes
from likewise.studies.matching.networks import LAYERS, Numbers
from likewise.studies.matching.streaming import Indices

SHOWN_FIRST = LAYERS.index("conv2")

_FIRST, _SECOND = CONTRASTS[0], CONTRASTS[1]
_BARE: Json = {"showgrid": False, "showticklabels": False, "showline": False, "ticks": ""}


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
            panels.add(0, column, trace | of_layer(choice))
    caption = (
        "Correlation of every unit of the first network (rows) with every unit of the second, dark "
        "at r = 1 and palest at 0 or less. Matched: rows by the correlation with their one-to-one "
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
        panels.add(0, 0, _matrix(found.weights[np.ix_(*order)]) | of_layer(choice))
        for trace in _counts(found.spectral):
            panels.add(0, 1, trace | of_layer(choice))
        drawn = dendrogram(found.tree.tree, no_plot=True)
        for trace in _branches(drawn, len(found.weights)):
            panels.add(0, 2, trace | of_layer(choice))
    caption = (
        "Living units of both networks as nodes of a graph with weights |r|. Left and middle: "
        "spectral clusters of the graph with edges between the networks only. Right: agglomerative "
        f"tree ({result.settings.linkage} linkage) of all units with edges inside the networks "
        "too; dots at the bottom say which network a unit is of. Branches that join both colours "
        "low down are features that both networks have."
    )
    return Figure("groups", "Groups of units of both networks", panels, caption)


def _ordered(result: Result, layer: str) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Correlations between as numbered and matched, within the first and within the second."""
    a, b = result.settings.pairs[0]
    statistics = result.statistics[layer]
    between = statistics.pairs[a, b].correlation
    found = result.partners[layer][a, b].correlation
    partner_of = found.matching.one_to_one
    dead = np.flatnonzero(~found.alive)
    dead = dead[np.argsort(~statistics.alive[b, partner_of[dead]], kind="stable")]
    rows = np.concatenate([found.ranked(), dead])
    columns: Indices = partner_of[rows]
    return (
        between,
        between[np.ix_(rows, columns)],
        statistics.within[a][np.ix_(rows, rows)],
        statistics.within[b][np.ix_(columns, columns)],
    )


def _square(column: int) -> tuple[Json, Json]:
    """Axes of a matrix whose size changes with the layer."""
    plain = _BARE | {"constrain": "domain"}
    anchor = "x" if column == 0 else f"x{column + 1}"
    return plain, plain | {"autorange": "reversed", "scaleanchor": anchor}


def _matrix(values: Numbers) -> Json:
    return {
        "type": "heatmap",
        "z": np.round(values, 4).tolist(),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [list(stop) for stop in ALIKE_SCALE],
        "showscale": False,
        "hovertemplate": "units %{y} and %{x}: %{z:.2f}<extra></extra>",
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
    size = 7 if len(leaves) <= 40 else 4
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
            "marker": {
                "color": [_FIRST if u < first else _SECOND for u in leaves],
                "size": size,
            },
            "hovertext": [
                f"first network, unit {u + 1}" if u < first else f"second, unit {u - first + 1}"
                for u in leaves
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "showlegend": False,
        },
    ]


def of_layer(choice: int) -> Json:
    """Marks a trace as belonging to one layer."""
    return {"meta": choice, "visible": choice == SHOWN_FIRST}
