"""Heat maps of scores, with the number in every cell where there is room for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likewise.report.panels import Json, plain
from likewise.report.style import INK, PAPER, number

_MOST_CELLS_WITH_NUMBERS = 12
_MOST_LABELS = 50

# Where the colours become too dark for dark text.
_DARK = 0.65


def heat_map(
    values: NDArray[np.float64],
    colours: Sequence[tuple[float, str]],
    limits: tuple[float, float],
    hover: Sequence[Sequence[str]],
    *,
    digits: int = 2,
    backwards: bool = False,
    spread: NDArray[np.float64] | None = None,
) -> list[Json]:
    """Traces of a map of `values` (rows, columns); `hover` has one text for each cell.

    Colours run over `limits`, from the other end if `backwards`; NaN stays uncoloured. Small maps
    show the number in every cell, and ± `spread` below it where that is given.
    """
    n_rows, n_columns = values.shape
    numbered = max(n_rows, n_columns) <= _MOST_CELLS_WITH_NUMBERS
    cells: Json = {
        "type": "heatmap",
        "z": [[None if math.isnan(value) else value for value in row] for row in values.tolist()],
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": [list(stop) for stop in colours],
        "reversescale": backwards,
        "showscale": False,
        "xgap": 2 if numbered else 0,
        "ygap": 2 if numbered else 0,
        "hovertext": [list(row) for row in hover],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    if not numbered:
        return [cells]
    span = max(limits[1] - limits[0], np.finfo(np.float64).tiny)
    depth = (values - limits[0]) / span
    dark = (1 - depth if backwards else depth) > _DARK
    texts = [number(value, digits) for value in values.ravel().tolist()]
    if spread is not None:
        sds = [number(sd, digits) for sd in spread.ravel().tolist()]
        texts = [f"{text}<br>± {sd}" for text, sd in zip(texts, sds, strict=True)]
    return [cells, _numbers(texts, dark)]


def _numbers(texts: Sequence[str], dark: NDArray[np.bool_]) -> Json:
    """A text in every cell, light where the colour is dark."""
    rows, columns = np.indices(dark.shape)
    return {
        "type": "scatter",
        "mode": "text",
        "x": columns.ravel().tolist(),
        "y": rows.ravel().tolist(),
        "text": list(texts),
        "textfont": {"size": 13, "color": [PAPER if d else INK for d in dark.ravel().tolist()]},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def category_axis(labels: Sequence[str], *, reverse: bool = False, named: bool = True) -> Json:
    """An axis with positions 0, 1, 2, ... that names as many of them as there is room for."""
    ends = [-0.5, len(labels) - 0.5]
    shown = range(0, len(labels), -(-len(labels) // _MOST_LABELS))
    return {
        "tickmode": "array",
        "tickvals": list(shown),
        "ticktext": [plain(labels[k]) for k in shown],
        "showticklabels": named,
        "range": ends[::-1] if reverse else ends,
        "showgrid": False,
        "ticks": "",
        "showline": False,
    }
