"""The page of ``likewise watch``: what a monitor has seen of a training so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise.report.charts import NO_LEGEND, curve
from likewise.report.page import Figure, Page
from likewise.report.panels import Json, Panel, axis
from likewise.report.style import DEPTHS, INK, number

_POINTS = 400
_AGAINST = {
    "start": (
        "How much of its beginning each layer keeps",
        "Every layer compared with itself as it was when the monitor was made.",
    ),
    "before": (
        "How much each layer still changes",
        "Every layer compared with itself at the look before.",
    ),
    "reference": (
        "How like the reference network each layer is",
        "Every layer compared with its layer of the reference network, which stays as it was.",
    ),
}
_COLLAPSE = {
    "nc1": "NC1: spread in classes",
    "nc2_norms": "NC2: unequal lengths",
    "nc2_angles": "NC2: unequal angles",
    "nc3": "NC3: classifier",
    "nc4": "NC4: other answers",
}
_HIGHEST = {"nc2_angles": 2, "nc3": 2, "nc4": 1}

_ON_COLLAPSE = (
    "All go to 0 as the samples of a class become one point and the classes equally far apart "
    "(Papyan et al. 2020): spread of samples around the means of their classes, unequal lengths "
    "and angles of these means, how far the classifier is from them, and the share of samples to "
    "which the nearest mean would give another class."
)
_ON_GUIDANCE = "Distance of each layer from the layer of the guide it is pulled towards."
_ON_NUMBERS = "At the steps of the looks, as the training gave them."


class _Row(NamedTuple):
    """One figure: panels side by side, each with its title, axis and named lines."""

    name: str
    title: str
    caption: str
    cells: list[tuple[str, Json, dict[str, Array]]]
    height: int = 400


class Training:
    """A history as a page, or as what has changed on it.

    ``history`` maps columns to numbers, ``notes`` are those of the monitor that wrote it.
    """

    def __init__(self, name: str, history: Mapping[str, Array], notes: Mapping[str, Any]) -> None:
        self.name, self._notes = name, notes
        self._columns = history
        self.rows = len(next(iter(history.values()), ()))
        # Every stride-th look, and the last.
        kept = np.arange(self.rows)[:: max(1, math.ceil(self.rows / _POINTS))]
        self._kept = np.union1d(kept, [self.rows - 1]) if self.rows else kept

    def page(self) -> Page:
        """The whole page, which asks ``state`` for what is new."""
        page = Page(self.title(), f"likewise watch, {self.name}", self.lead())
        for figure in self._figures():
            page.figure(figure)
        page.data("rows", self.rows)
        page.script("watch.js")
        return page

    def state(self) -> Json:
        """What the page's script wants to know."""
        figures = {figure.name: figure.json() for figure in self._figures()}
        return {
            "rows": self.rows,
            "title": self.title(),
            "lead": self.lead(),
            "figures": figures,
        }

    def title(self) -> str:
        """Which layers have moved most and least so far."""
        if not self.rows:
            return "No look at the network yet"
        step = f"Step {int(self._columns['step'][-1])}"
        for title, about in self._notes["measures"].items():
            layers = self._group(f"start {title}")
            last = {k: v[-1] for k, v in layers.items() if np.isfinite(v[-1])}
            if self.rows > 1 and len(last) > 1:
                sign = 1 if about["kind"] == "similarity" else -1
                moved = sorted(last, key=lambda layer: sign * last[layer])
                most, least = moved[0], moved[-1]
                return (
                    f"{step}: layer {most} has changed most "
                    f"({title} {number(last[most])}), layer {least} least ({number(last[least])})"
                )
        return step

    def lead(self) -> str:
        """What was looked at, how often, and what it costs."""
        notes = self._notes
        text = (
            f"{notes['model']}: {self.rows} looks at the same {notes['samples']} samples, one in "
            f"{notes['every']} steps. Feature maps and sequences: {notes['reduce']}."
        )
        if self.rows > 1:
            spent, total = (self._columns[f"time/{name}"][-1] for name in ("monitor", "training"))
            text += f" Looking has taken {number(100 * spent / total, 1)} % of the training's time."
        return text

    def _figures(self) -> list[Figure]:
        """Those that there is something for."""
        found = [self._alignment(kind, *texts) for kind, texts in _AGAINST.items()]
        collapse = [
            (
                _COLLAPSE[name].replace(": ", "\n"),
                axis(range=_room([0, _HIGHEST.get(name)]), nticks=5),
                {"": values},
            )
            for name, values in self._group("collapse").items()
        ]
        pairs = self._group("guidance")
        guided = [("", axis(rangemode="tozero"), pairs)] if pairs else []
        told = [(name, axis(), {"": values}) for name, values in self._group("numbers").items()]
        found += [
            _Row("collapse", "Neural collapse of the last layer", _ON_COLLAPSE, collapse, 300),
            _Row("guidance", "How far each layer is from its guide", _ON_GUIDANCE, guided),
            _Row("numbers", "What the training says of itself", _ON_NUMBERS, told, 300),
        ]
        return [self._drawn(row) for row in found if row.cells]

    def _alignment(self, kind: str, title: str, caption: str) -> _Row:
        cells = []
        for name, about in self._notes["measures"].items():
            lines = self._group(f"{kind} {name}")
            if lines:
                cells.append((name, axis(range=_room(about["range"])), lines))
                same = about["range"][about["kind"] == "similarity"]
                caption += f" {name} is a {about['kind']}; {number(same, 0)} where nothing differs."
        return _Row(kind, title, caption + " Colours run from the first layer to the last.", cells)

    def _drawn(self, row: _Row) -> Figure:
        steps = self._columns["step"][self._kept]
        panels = []
        for title, up, lines in row.cells:
            traces = []
            for k, (name, values) in enumerate(lines.items()):
                colour = DEPTHS[k * len(DEPTHS) // len(lines)] if name else INK
                line = curve(steps, values[self._kept], name or title, colour, marks=4)
                traces.append(line if name else line | NO_LEGEND)
            panels.append(Panel(title, axis("step", rangemode="tozero"), up, traces))
        return Figure(row.name, row.title, row.caption, panels, row.height)

    def _group(self, group: str) -> dict[str, Array]:
        """Columns that begin so, by the rest of their names."""
        parts = {column: column.partition("/") for column in self._columns}
        return {rest: self._columns[c] for c, (own, _, rest) in parts.items() if own == group}


def _room(ends: Sequence[float | None]) -> list[float | None]:
    """The range of an axis: a little more than the score's, None where that has no end."""
    low, high = ends
    margin = 0.03 * ((high or 1) - (low or 0))
    return [low if low is None else low - margin, high if high is None else high + margin]
