"""Heat maps of scores, with the number in every cell where there is room for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .panels import Json
from .style import number

_MOST_CELLS_WITH_NUMBERS = 12


def heat_map(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    colours: Sequence[tuple[float, str]],
    limits: tuple[float, float],
    hover: Sequence[Sequence[str]],
    digits: int = 2,
) -> Json:
    """A trace over `values` (rows, columns); `hover` has one line of text for each cell."""
    trace: Json = {
        "type": "heatmap",
        "z": [[None if math.isnan(value) else value for value in row] for row in values.tolist()],
        "x": list(range(len(columns))),
        "y": list(range(len(rows))),
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": [list(stop) for stop in colours],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertext": [list(row) for row in hover],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    if max(values.shape) <= _MOST_CELLS_WITH_NUMBERS:
        trace["text"] = [[number(value, digits) for value in row] for row in values.tolist()]
        trace["texttemplate"] = "%{text}"
        trace["textfont"] = {"size": 13}
    else:
        trace["xgap"] = trace["ygap"] = 0
    return trace


def category_axis(labels: Sequence[str], *, reverse: bool = False) -> Json:
    """An axis that names every row or column; positions are 0, 1, 2, ..."""
    count = len(labels)
    ends = [-0.5, count - 0.5]
    return {
        "tickmode": "array",
        "tickvals": list(range(count)),
        "ticktext": list(labels),
        "range": ends[::-1] if reverse else ends,
        "showgrid": False,
        "ticks": "",
        "showline": False,
    }
