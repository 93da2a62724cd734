"""Traces of all reports: curves, bands, points, bars and heat maps, as the JSON Plotly reads.

NaN is a gap everywhere. Hovering names the trace and the place, unless texts are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.report.panels import Json, plain
from likewise.report.style import ALIKE_SCALE, CONTROL, CONTROL_BAND, INK, PAPER, number

NO_LEGEND: Json = {"showlegend": False}

_MOST_CELLS_WITH_NUMBERS = 12

# Where the colours become too dark for dark text.
_DARK = 0.65


def curve(
    x: Iterable[float],
    y: Iterable[float],
    name: str,
    colour: str,
    *,
    hover: Sequence[str] | None = None,
    dash: str = "solid",
    marks: int = 7,
) -> Json:
    """A line with markers of this size, without any for 0."""
    return _scatter(x, y, name, hover) | {
        "mode": "lines+markers" if marks else "lines",
        "line": {"color": colour, "width": 2.2 if marks else 1.8, "dash": dash},
        "marker": {"color": colour, "size": marks},
    }


def points(
    x: Iterable[float],
    y: Iterable[float],
    name: str,
    colour: str | Sequence[str],
    *,
    hover: Sequence[str] | None = None,
    size: int = 8,
    **marker: Any,
) -> Json:
    """Markers alone."""
    look = {"color": colour, "size": size, "opacity": 0.75} | marker
    return _scatter(x, y, name, hover) | {"mode": "markers", "marker": look}


def band(x: Iterable[float], low: Iterable[float], high: Iterable[float], name: str) -> Json:
    """The grey area between two lines, which is where a control lies."""
    rows = [row for row in zip(x, low, high, strict=True) if not any(map(math.isnan, row))]
    return _scatter(
        [row[0] for row in rows + rows[::-1]],
        [row[1] for row in rows] + [row[2] for row in rows[::-1]],
        name,
    ) | {
        "mode": "lines",
        "fill": "toself",
        "fillcolor": CONTROL_BAND,
        "line": {"width": 0.5, "color": CONTROL},
        "hoverinfo": "skip",
        "hovertemplate": None,
    }


def bars(x: Iterable[float], y: Iterable[float], name: str, colour: str) -> Json:
    """Bars of one colour."""
    trace = _scatter(x, y, name)
    return trace | {"type": "bar", "marker": {"color": colour}}


def texts(x: Iterable[float], y: Iterable[float], words: Sequence[str], **options: Any) -> Json:
    """Words at these places."""
    look = {"mode": "text", "text": list(words), "textfont": {"size": 13, "color": INK}}
    return _scatter(x, y, "") | look | options


def heat_map(
    values: NDArray[np.float64],
    limits: tuple[float, float] = (0.0, 1.0),
    colours: Sequence[tuple[float, str]] = ALIKE_SCALE,
    *,
    hover: Sequence[Sequence[str]] | None = None,
    digits: int = 2,
    backwards: bool = False,
    spread: NDArray[np.float64] | None = None,
    numbered: bool = True,
) -> list[Json]:
    """Traces of a map of `values` (rows, columns).

    Colours run over `limits`, from the other end if `backwards`. Small maps show the number in
    every cell if `numbered`, and ± `spread` below it where that is given.
    """
    numbered = numbered and max(values.shape) <= _MOST_CELLS_WITH_NUMBERS
    cells: Json = {
        "type": "heatmap",
        "z": [_plain(row) for row in values.tolist()],
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": [list(stop) for stop in colours],
        "reversescale": backwards,
        "showscale": False,
        "xgap": 2 if numbered else 0,
        "ygap": 2 if numbered else 0,
        "hovertemplate": "%{y} → %{x}: %{z:.3f}<extra></extra>",
    }
    if hover is not None:
        cells |= {"hovertext": [list(row) for row in hover]}
        cells |= {"hovertemplate": "%{hovertext}<extra></extra>"}
    if not numbered:
        return [cells]
    depth = (values - limits[0]) / max(limits[1] - limits[0], np.finfo(np.float64).tiny)
    dark = (1 - depth if backwards else depth) > _DARK
    words = [number(value, digits) for value in values.ravel().tolist()]
    if spread is not None:
        sds = [number(sd, digits) for sd in spread.ravel().tolist()]
        words = [f"{text}<br>± {sd}" for text, sd in zip(words, sds, strict=True)]
    inks = [PAPER if d else INK for d in dark.ravel().tolist()]
    rows, columns = np.indices(values.shape)
    shown = texts(columns.ravel(), rows.ravel(), words, textfont={"size": 13, "color": inks})
    return [cells, shown]


def of_choice(trace: Json, choice: int, shown: int = 0) -> Json:
    """The trace for one button of `Page.choices`; those of `shown` are seen first."""
    return trace | {"meta": choice, "visible": choice == shown}


def _scatter(
    x: Iterable[float], y: Iterable[float], name: str, hover: Sequence[str] | None = None
) -> Json:
    trace: Json = {"type": "scatter", "x": _plain(x), "y": _plain(y)}
    trace |= {"name": plain(name), "legendgroup": name} if name else NO_LEGEND
    if not name:
        return trace | {"hoverinfo": "skip"}
    if hover is None:
        return trace | {"hovertemplate": f"{plain(name)}, %{{x}}: %{{y:.4g}}<extra></extra>"}
    texts = {"hovertext": [plain(text) for text in hover]}
    return trace | texts | {"hovertemplate": "%{hovertext}<extra></extra>"}


def _plain(values: Iterable[float]) -> list[float | None]:
    """Plain numbers, None where there is none."""
    return [float(value) if math.isfinite(value) else None for value in values]
