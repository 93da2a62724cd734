"""One HTML page: a finding as its title, figures, tables and notes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from likewise.report.findings import Finding, html
from likewise.report.panels import Json, Panel, figure_json
from likewise.report.style import short, style_sheet

_PLOT_OPTIONS = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg"},
}


@dataclass(frozen=True)
class Figure:
    """A picture with what it shows above it and how to read it below it."""

    name: str
    title: str
    caption: str
    panels: Sequence[Panel]
    height: int = 400
    columns: int = 0
    """As many as there are panels if 0."""
    layout: Json = field(default_factory=dict)
    """More options of Plotly."""

    @property
    def has_choices(self) -> bool:
        """Whether buttons of the page choose what it shows."""
        return any("meta" in trace for panel in self.panels for trace in panel.traces)

    def json(self) -> Json:
        """As Plotly reads it."""
        return figure_json(
            self.panels, height=self.height, columns=self.columns, layout=self.layout
        )

    def html(self) -> str:
        return (
            f"<section><h2>{escape(self.title)}</h2>"
            f'<div class="scroll"><div class="plot" id="{escape(self.name)}"></div></div>'
            f"{_data(self.name + '-json', self.json())}"
            f'<p class="caption">{escape(self.caption)}</p></section>'
        )


Value = str | float
Cell = Value | tuple[Value, Value]
"""Text or a number, or (value, control) where the control is set beside it in grey."""


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def html(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.header)
        body = "".join(f"<tr>{_row(row)}</tr>" for row in self.rows)
        return (
            f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )


class Page:
    """Collects the parts of a page in the order they are read."""

    def __init__(self, title: str, kicker: str, lead: str) -> None:
        self._title = title
        self._scripts = ["page.js"]
        self._parts = [
            f'<header><p class="kicker">{escape(kicker)}</p><h1>{escape(title)}</h1>'
            f'<p class="lead">{escape(lead)}</p></header>'
        ]

    def findings(self, findings: Sequence[Finding]) -> None:
        """Every claim with its number, control, evidence and verdict."""
        self._parts.append(html(findings))

    def choices(self, legend: str, labels: Sequence[str], chosen: int) -> None:
        """Buttons that show, in every figure, the traces whose `meta` is the button's index."""
        buttons = "".join(
            f'<label><input type="radio" name="choice" value="{index}"'
            f"{' checked' if index == chosen else ''}><span>{escape(label)}</span></label>"
            for index, label in enumerate(labels)
        )
        self._parts.append(
            f'<fieldset class="choices"><legend>{escape(legend)}</legend>{buttons}</fieldset>'
        )

    def figure(self, figure: Figure) -> None:
        self._parts.append(figure.html())

    def heading(self, title: str) -> None:
        self._parts.append(f"<h2>{escape(title)}</h2>")

    def paragraph(self, text: str) -> None:
        self._parts.append(f"<p>{escape(text)}</p>")

    def table(self, table: Table, *, folded: str | None = None) -> None:
        """A table, behind a line to click on where `folded` gives its text."""
        html = table.html()
        if folded is not None:
            html = f"<details><summary>{escape(folded)}</summary>{html}</details>"
        self._parts.append(html)

    def definitions(self, entries: Sequence[tuple[str, str]]) -> None:
        """Terms and what they mean."""
        items = "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in entries)
        self._parts.append(f"<dl>{items}</dl>")

    def data(self, identifier: str, content: Any) -> None:
        """JSON for a script to read."""
        self._parts.append(_data(identifier, content))

    def script(self, name: str) -> None:
        """A file of JavaScript beside this one, to run when the figures are being drawn."""
        self._scripts.append(name)

    def html(self) -> str:
        """The whole page as one string, Plotly included."""
        from plotly.offline import get_plotlyjs

        files = (Path(__file__).with_name(name) for name in self._scripts)
        script = "".join(file.read_text(encoding="utf-8") for file in files)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,">'
            f"<title>{escape(self._title)}</title><style>{style_sheet()}</style>"
            f"<script>{get_plotlyjs()}</script></head><body><main>{''.join(self._parts)}</main>"
            f"{_data('plot-options', _PLOT_OPTIONS)}<script>{script}</script></body></html>"
        )


def _row(cells: Sequence[Cell]) -> str:
    first, *others = cells
    row = f'<th scope="row">{escape(str(first))}</th>'
    for cell in others:
        value, control = cell if isinstance(cell, tuple) else (cell, "")
        beside = f'<span class="control">{_text(control)}</span>' if control != "" else ""
        row += f"<td>{_text(value)}{beside}</td>"
    return row


def _text(value: Value) -> str:
    return escape(value if isinstance(value, str) else short(value))


def _data(identifier: str, content: Any) -> str:
    """JSON inside the page; `<` is escaped so that no label can end the script element."""
    text = json.dumps(content, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{escape(identifier)}">{text}</script>'
