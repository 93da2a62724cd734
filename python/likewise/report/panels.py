"""Small multiples: a grid of Plotly panels, built as the plain JSON that Plotly reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from likewise.report.style import FONT, INK, QUIET, RULE

Json = dict[str, Any]

_MOST_LABELS = 50
_TOP, _BOTTOM, _LEFT, _RIGHT = 62, 62, 74, 12


class Panels:
    """A grid of `rows` x `columns` panels with common widths and gaps.

    Plotly numbers axes from 1 in the order x, x2, x3; panels are numbered by rows here, so panel
    (r, c) owns axes r * columns + c + 1.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        *,
        height: int,
        gap: tuple[float, float] = (0.04, 0.16),
        left: int = _LEFT,
        bottom: int = _BOTTOM,
    ) -> None:
        self._columns = columns
        self._named: set[tuple[str, int | None]] = set()
        self._domains = _domains(rows, columns, gap)
        self.traces: list[Json] = []
        self.layout: Json = {
            "height": height,
            "margin": {"t": _TOP, "b": bottom, "l": left, "r": _RIGHT},
            "font": {"family": FONT, "size": 13, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hoverlabel": {"font": {"family": FONT, "size": 13}},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1 + 28 / (height - _TOP - bottom),
                "yanchor": "bottom",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#c3cbd3", "activecolor": INK},
            "annotations": [],
        }

    def add(self, row: int, column: int, trace: Json) -> None:
        """Put a trace into a panel; the legend shows each name once."""
        suffix = self._suffix(row, column)
        name = (trace.get("name", ""), trace.get("meta"))
        if "showlegend" not in trace:
            trace = trace | {"showlegend": bool(name[0]) and name not in self._named}
            self._named.add(name)
        self.traces.append(trace | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})

    def panel(self, row: int, column: int, title: str, x: Json, y: Json) -> None:
        """Set title and axes of a panel; every panel needs this once."""
        suffix = self._suffix(row, column)
        across, up = self._domains[row][column]
        quiet = {"zeroline": False, "linecolor": RULE, "gridcolor": "#edf0f3", "automargin": False}
        self.layout[f"xaxis{suffix}"] = quiet | x | {"domain": across, "anchor": f"y{suffix}"}
        self.layout[f"yaxis{suffix}"] = quiet | y | {"domain": up, "anchor": f"x{suffix}"}
        self.layout["annotations"].append(
            {
                "text": f"<b>{plain(title)}</b>",
                "x": across[0],
                "y": up[1],
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "align": "left",
                "yshift": 5,
                "showarrow": False,
                "font": {"size": 14},
            }
        )

    def json(self) -> Json:
        """`{"data": ..., "layout": ...}` as Plotly reads it."""
        return {"data": self.traces, "layout": self.layout}

    def _suffix(self, row: int, column: int) -> str:
        index = row * self._columns + column + 1
        return "" if index == 1 else str(index)


def plain(text: str) -> str:
    """A text that Plotly shows as it is; it reads some tags, and a new line as one of them."""
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\n", "<br>")):
        text = text.replace(sign, written)
    return text


def axis(title: str = "", **options: Any) -> Json:
    """An axis with a quiet title and any options of Plotly."""
    if not title:
        return options
    quiet = {"text": plain(title), "font": {"size": 13, "color": QUIET}, "standoff": 8}
    return {"title": quiet} | options


def category_axis(
    labels: Sequence[str], title: str = "", *, reverse: bool = False, named: bool = True
) -> Json:
    """An axis with positions 0, 1, 2, ... that names as many of them as there is room for."""
    ends = [-0.5, len(labels) - 0.5]
    shown = range(0, len(labels), -(-len(labels) // _MOST_LABELS))
    return axis(
        title,
        tickmode="array",
        tickvals=list(shown),
        ticktext=[plain(labels[k]) for k in shown],
        showticklabels=named,
        range=ends[::-1] if reverse else ends,
        showgrid=False,
        ticks="",
        showline=False,
    )


def log_axis(title: str) -> Json:
    """A logarithmic axis with a tick at every power of ten."""
    return axis(title, type="log", dtick=1)


def _domains(
    rows: int, columns: int, gap: tuple[float, float]
) -> list[list[tuple[Sequence[float], Sequence[float]]]]:
    """Domains (x, y) of every panel in paper coordinates; row 0 is at the top."""
    width = (1 - gap[0] * (columns - 1)) / columns
    height = (1 - gap[1] * (rows - 1)) / rows
    lefts = [column * (width + gap[0]) for column in range(columns)]
    bottoms = [1 - height - row * (height + gap[1]) for row in range(rows)]
    return [
        [([left, left + width], [max(bottom, 0.0), bottom + height]) for left in lefts]
        for bottom in bottoms
    ]
