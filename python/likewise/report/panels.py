"""Small multiples: a grid of Plotly panels, built as the plain JSON that Plotly reads."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from typing import Any, NamedTuple

from likewise.report.style import FONT, INK, QUIET, RULE

Json = dict[str, Any]

_MOST_LABELS = 50
_UPRIGHT = -90  # tickangle
_BETWEEN_ROWS = 0.16

# In pixels.
_TOP, _RIGHT, _NUMBERS, _NOTHING = 62, 12, 58, 16
_LINE, _LETTER = 18, 7.5


class Panel(NamedTuple):
    """One plot of a figure; what comes first in `traces` lies below the rest."""

    title: str
    x: Json
    y: Json
    traces: Sequence[Json]


def figure_json(
    panels: Sequence[Panel], *, height: int, columns: int = 0, layout: Json | None = None
) -> Json:
    """`{"data": ..., "layout": ...}` as Plotly reads it: panels side by side, row by row.

    `columns` is as many as there are panels if 0, `layout` has more options of Plotly. Panels are
    further apart where they have labels of their own. The legend shows each name once.
    """
    columns = columns or len(panels)
    left = max(_left_of(panel) for panel in panels[::columns])
    bottom = max(map(_below, panels[-columns:]))
    data: list[Json] = []
    found: Json = {
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
    named: set[tuple[str, int | None]] = set()
    rooms = [_room_for(panel) for k, panel in enumerate(panels) if k % columns]
    domains = _domains(len(panels), columns, max(rooms, default=0.0))
    quiet = {"zeroline": False, "linecolor": RULE, "gridcolor": "#edf0f3", "automargin": False}
    for k, (panel, (across, up)) in enumerate(zip(panels, domains, strict=True)):
        number = "" if k == 0 else str(k + 1)  # x, x2, x3, ...
        found[f"xaxis{number}"] = quiet | panel.x | {"domain": across, "anchor": f"y{number}"}
        found[f"yaxis{number}"] = quiet | panel.y | {"domain": up, "anchor": f"x{number}"}
        found["annotations"].append(
            {
                "text": f"<b>{plain(panel.title)}</b>",
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
        for trace in panel.traces:
            name = (trace.get("name", ""), trace.get("meta"))
            shown = {"showlegend": bool(name[0]) and name not in named} | trace
            if "showlegend" not in trace:
                named.add(name)
            data.append(shown | {"xaxis": f"x{number}", "yaxis": f"y{number}"})
    return {"data": data, "layout": found | (layout or {})}


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


def _left_of(panel: Panel) -> int:
    """What the labels of the upright axis take."""
    if not panel.y.get("showticklabels", True):
        return _NOTHING
    labels = panel.y.get("ticktext")
    return _written(labels) if labels else _NUMBERS


def _below(panel: Panel) -> int:
    """What the labels and the title of the axis below take."""
    labels: list[str] = panel.x.get("ticktext", [""])
    if panel.x.get("tickangle") == _UPRIGHT:
        return _written(labels)
    lines = max(text.count("<br>") for text in labels) + ("title" in panel.x)
    return _LINE * (2 + lines)


def _written(labels: Sequence[str]) -> int:
    return int(_LETTER * max(len(unescape(text)) for text in labels)) + _NOTHING


def _room_for(panel: Panel) -> float:
    """To the left of a panel, for what its axis has written there."""
    if "title" in panel.y:
        return 0.08
    return 0.055 if panel.y.get("showticklabels", True) else 0.03


def _domains(count: int, columns: int, gap: float) -> list[tuple[list[float], list[float]]]:
    """Domains (x, y) of every panel in paper coordinates, row by row from the top."""
    rows = -(-count // columns)
    width = (1 - gap * (columns - 1)) / columns
    height = (1 - _BETWEEN_ROWS * (rows - 1)) / rows
    places = [divmod(k, columns) for k in range(count)]
    lefts = [column * (width + gap) for _, column in places]
    bottoms = [max(1 - height - row * (height + _BETWEEN_ROWS), 0.0) for row, _ in places]
    return [([x, x + width], [y, y + height]) for x, y in zip(lefts, bottoms, strict=True)]
