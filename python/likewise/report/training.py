"""The page of ``likewise watch``: what a monitor has seen of a training so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.report.charts import NO_LEGEND, curve
from likewise.report.page import Figure, Page
from likewise.report.panels import Json, Panels, axis
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

# Asks for what is new; a page whose figures are others by now is loaded again.
_SCRIPT = """
const shown = document.querySelector("main");
const lead = document.querySelector(".lead");
let rows = Number(document.getElementById("rows").textContent);
async function look() {
  try {
    const answer = await fetch(`state?rows=${rows}`);
    if (answer.status === 200) {
      const state = await answer.json();
      const names = Object.keys(state.figures);
      if (names.join() !== plots.map((plot) => plot.id).join()) { location.reload(); return; }
      for (const plot of plots) {
        const figure = state.figures[plot.id];
        await Plotly.react(plot, figure.data, figure.layout, options);
      }
      document.title = document.querySelector("h1").textContent = state.title;
      lead.textContent = state.lead;
      rows = state.rows;
      document.body.dataset.rows = String(rows);
    } else if (answer.status !== 204) {
      throw new Error(await answer.text());
    }
    shown.style.opacity = 1;
  } catch (error) {
    shown.style.opacity = 0.5;
    const said = error instanceof TypeError ? "The server does not answer" : error.message;
    lead.textContent = `${said}; this is how things were at the last look.`;
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
"""


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
        page.script(_SCRIPT)
        return page

    def state(self) -> Json:
        """What the page's script wants to know."""
        figures = {figure.name: figure.panels.json() for figure in self._figures()}
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
        figures = [self._alignment(kind, *texts) for kind, texts in _AGAINST.items()]
        figures += [self._collapse(), self._guidance(), self._numbers()]
        return [figure for figure in figures if figure is not None]

    def _alignment(self, kind: str, title: str, caption: str) -> Figure | None:
        measures = {
            name: about
            for name, about in self._notes["measures"].items()
            if self._group(f"{kind} {name}")
        }
        if not measures:
            return None
        panels = Panels(1, len(measures), height=400, gap=(0.06, 0.0), left=58, bottom=54)
        for column, (name, about) in enumerate(measures.items()):
            panels.panel(0, column, name, _STEPS, axis(range=_room(about["range"])))
            self._lines(panels, column, self._group(f"{kind} {name}"))
            same = about["range"][about["kind"] == "similarity"]
            caption += f" {name} is a {about['kind']}; {number(same, 0)} where nothing differs."
        return Figure(
            kind, title, panels, caption + " Colours run from the first layer to the last."
        )

    def _collapse(self) -> Figure | None:
        found = self._group("collapse")
        if not found:
            return None
        panels = Panels(1, len(found), height=300, gap=(0.04, 0.0), left=48, bottom=54)
        for column, (name, values) in enumerate(found.items()):
            up = axis(range=_room([0, _HIGHEST.get(name)]), nticks=5)
            panels.panel(0, column, _COLLAPSE[name].replace(": ", "\n"), _STEPS, up)
            panels.add(0, column, self._curve(_COLLAPSE[name], values, INK) | NO_LEGEND)
        return Figure(
            "collapse",
            "Neural collapse of the last layer",
            panels,
            "All go to 0 as the samples of a class become one point and the classes equally far "
            "apart (Papyan et al. 2020): spread of samples around the means of their classes, "
            "unequal lengths and angles of these means, how far the classifier is from them, and "
            "the share of samples to which the nearest mean would give another class.",
        )

    def _guidance(self) -> Figure | None:
        pairs = self._group("guidance")
        if not pairs:
            return None
        panels = Panels(1, 1, height=400, left=58, bottom=54)
        panels.panel(0, 0, "", _STEPS, axis(rangemode="tozero"))
        self._lines(panels, 0, pairs)
        caption = "Distance of each layer from the layer of the guide it is pulled towards."
        return Figure("guidance", "How far each layer is from its guide", panels, caption)

    def _numbers(self) -> Figure | None:
        found = self._group("numbers")
        if not found:
            return None
        panels = Panels(1, len(found), height=300, gap=(0.05, 0.0), left=58, bottom=54)
        for column, (name, values) in enumerate(found.items()):
            panels.panel(0, column, name, _STEPS, axis())
            panels.add(0, column, self._curve(name, values, INK) | NO_LEGEND)
        caption = "At the steps of the looks, as the training gave them."
        return Figure("numbers", "What the training says of itself", panels, caption)

    def _group(self, group: str) -> dict[str, Array]:
        """Columns that begin so, by the rest of their names."""
        parts = {column: column.partition("/") for column in self._columns}
        return {rest: self._columns[c] for c, (own, _, rest) in parts.items() if own == group}

    def _lines(self, panels: Panels, column: int, lines: Mapping[str, Array]) -> None:
        for k, (name, values) in enumerate(lines.items()):
            panels.add(0, column, self._curve(name, values, DEPTHS[k * len(DEPTHS) // len(lines)]))

    def _curve(self, name: str, values: Array, colour: str) -> Json:
        return curve(self._columns["step"][self._kept], values[self._kept], name, colour, marks=4)


_STEPS: Json = axis("step", rangemode="tozero")


def _room(ends: Sequence[float | None]) -> list[float | None]:
    """The range of an axis: a little more than the score's, None where that has no end."""
    low, high = ends
    margin = 0.03 * ((high or 1) - (low or 0))
    return [low if low is None else low - margin, high if high is None else high + margin]
