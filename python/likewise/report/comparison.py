"""The page that ``likewise compare --out grid.html`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from likewise.report.charts import heat_map
from likewise.report.page import Figure, Page
from likewise.report.panels import Panel, category_axis, plain
from likewise.report.style import ALIKE_SCALE, CONTROL_SCALE, control_text, number

if TYPE_CHECKING:
    from likewise.cli.compare import Comparison

Values = NDArray[np.float64]

_CELL = 42
_SMALLEST, _LARGEST = 130, 900
_LETTER = 7.5
_ROOM_FOR_LABELS = 420


def comparison_page(comparisons: Sequence[Comparison]) -> str:
    """HTML with a heat map of every grid, each beside its control."""
    first = comparisons[0]
    titles = ", ".join(comparison.title for comparison in comparisons)
    size = f"{len(first.grid.rows)} × {len(first.grid.columns)} representations"
    page = Page(f"{size} by {titles}", f"likewise {version('likewise')} compare", _lead(first))
    for index, comparison in enumerate(comparisons):
        page.figure(_figure(f"grid-{index}", comparison))
    return page.html()


def _lead(comparison: Comparison) -> str:
    text = "Blue is the score: the darker, the more alike."
    if comparison.shuffles:
        text += (
            f" Grey is the control: the mean of the same score over {comparison.shuffles} shuffles "
            f"of the stimuli on the column side (seed {comparison.seed}). Point at a cell for "
            "labels, score and control with its sd, the score above chance (0 up to what 1 "
            "shuffle in 20 exceeds, 1 at the best score there is) and its p-value."
        )
    return text


def _figure(name: str, comparison: Comparison) -> Figure:
    rows, columns = comparison.grid.rows, comparison.grid.columns
    mean, sd = comparison.control_mean, comparison.control_sd
    longest = int(_LETTER * max(map(len, columns))) + 16
    upright = longest * len(columns) > _ROOM_FOR_LABELS
    bottom = longest if upright else 36
    height = min(max(_CELL * len(rows), _SMALLEST), _LARGEST) + bottom + 48
    # Colours run the other way for distances: darker stays more alike.
    backwards = comparison.measure.kind == "distance"
    hover = _hover(comparison)
    values = np.asarray(comparison.grid, dtype=np.float64)
    maps = [heat_map(values, _limits(values), ALIKE_SCALE, hover=hover, backwards=backwards)]
    if mean is not None and sd is not None:
        means, sds = np.asarray(mean), np.asarray(sd)
        limits = _limits(np.stack([values, means]))
        grey = heat_map(
            means, limits, CONTROL_SCALE, hover=hover, backwards=backwards, spread=sds, digits=3
        )
        maps.append(grey)
    across = category_axis(columns) | {"tickangle": -90 if upright else 0}
    titles = ("score", "control: stimuli shuffled")
    panels = [
        Panel(title, across, category_axis(rows, reverse=True, named=k == 0), traces)
        for k, (title, traces) in enumerate(zip(titles, maps, strict=False))
    ]
    low, high = comparison.measure.range
    caption = (
        f"{comparison.title} is a {comparison.measure.kind} between {number(low)} and "
        f"{number(high)}; {'smaller' if backwards else 'larger'} is more alike."
    )
    if (found := comparison.calibration) is not None and not np.isnan(found.threshold):
        caption += (
            f" Beyond {number(found.threshold, 3)} a score is above chance however many pairs are "
            f"looked at; the best, {number(found.aggregate.score, 3)}, has "
            f"p = {number(found.aggregate.p_value, 3)} for the whole grid."
        )
    return Figure(name, comparison.title, caption, panels, height)


def _hover(comparison: Comparison) -> list[list[str]]:
    grid, mean, sd = comparison.grid, comparison.control_mean, comparison.control_sd
    lines = []
    for i, row in enumerate(grid.rows):
        line = []
        for j, column in enumerate(grid.columns):
            value = float(grid[i, j])
            text = number(value, 3)
            if mean is not None and sd is not None:
                text += f" ({control_text(float(mean[i, j]), float(sd[i, j]))})"
            if (found := comparison.calibration) is not None:
                above, p = float(found.above_chance[i, j]), float(found.p_values[i, j])
                text += f"<br>above chance {number(above, 3)}, p = {number(p, 3)}"
            line.append(f"{plain(row)}<br>{plain(column)}<br><b>{text}</b>")
        lines.append(line)
    return lines


def _limits(values: Values) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
