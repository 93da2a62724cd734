"""Lines with markers, and the grey band that their control makes."""

from __future__ import annotations

from collections.abc import Sequence

from likewise.report.panels import Json, plain
from likewise.report.style import CONTROL_BAND


def curve(
    x: Sequence[float], y: Sequence[float | None], name: str, colour: str, hover: Sequence[str]
) -> Json:
    """A line through `y`, broken where that is None; `name` ties it to its like in other panels."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "name": plain(name),
        "legendgroup": name,
        "line": {"color": colour, "width": 2.2},
        "marker": {"color": colour, "size": 7},
        "hovertext": [plain(text) for text in hover],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def control_band(x: Sequence[float], mean: Sequence[float], sd: Sequence[float], name: str) -> Json:
    """The area between mean - 2 sd and mean + 2 sd."""
    above = [m + 2 * s for m, s in zip(mean, sd, strict=True)]
    below = [m - 2 * s for m, s in zip(mean, sd, strict=True)]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": [*above, *reversed(below)],
        "fill": "toself",
        "fillcolor": CONTROL_BAND,
        "line": {"width": 0.5, "color": CONTROL_BAND},
        "name": name,
        "legendgroup": name,
        "hoverinfo": "skip",
    }
