"""What ``likewise compare`` does: grids over the user's activations, each with its control."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from likewise._border.arrays import Array
from likewise._files import FORMAT
from likewise.calibration import Calibration, calibrated
from likewise.grid import Grid, cross, pairwise
from likewise.measure import Measure, measure

__all__ = ["Comparison", "compare", "parse_measures", "to_csv", "to_json"]


@dataclass(frozen=True)
class Comparison:
    """Scores of one measure, and mean and sd of the same scores over shuffles of the stimuli.

    ``shuffles`` is 0, and the controls are None, where none were asked for.
    """

    title: str
    measure: Measure
    grid: Grid
    control_mean: Grid | None = None
    control_sd: Grid | None = None
    shuffles: int = 0
    seed: int = 0
    of_itself: bool = False
    """Whether the two sides are one collection."""
    calibration: Calibration | None = None
    """Of the same shuffles: scores above chance, p-values, threshold, best score of the grid."""


def parse_measures(text: str) -> list[tuple[str, Measure]]:
    """Titles and measures from ``"procrustes,cka(kernel=rbf,bandwidth=0.5)"``.

    Measures are separated by commas, options follow their measure in brackets, or after colons as
    in ``cka:kernel=rbf``. Values are JSON (numbers, ``true``, ``["median", 1.0]``) where they read
    as such, and text elsewhere.

    Raises
    ------
    ValueError, TypeError
        For an unknown measure, option or option value, or no measure at all.
    """
    chosen = []
    for part in dict.fromkeys(filter(None, (part.strip() for part in _split(text, ",")))):
        name, bracket, inside = part.partition("(")
        if bracket and part.endswith(")"):
            settings = _split(inside[:-1], ",")
        else:
            name, *settings = _split(part, ":")
        options = dict(_option(name, setting) for setting in settings if setting.strip())
        chosen.append((part, measure(name.strip(), **options)))
    if not chosen:
        raise ValueError("no measure given")
    return chosen


def _split(text: str, separator: str) -> list[str]:
    """Parts between separators that stand outside of brackets and quotes."""
    parts, depth, quoted = [""], 0, False
    for sign in text:
        quoted ^= sign == '"'
        depth += (sign in "([{") - (sign in ")]}") if not quoted else 0
        if sign == separator and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _option(name: str, setting: str) -> tuple[str, Any]:
    option, separator, value = (part.strip() for part in setting.partition("="))
    if not separator:
        raise ValueError(f"measure {name!r}: options are written as name=value, got {setting!r}")
    try:
        found = json.loads(value)
    except json.JSONDecodeError:
        return option, value
    return option, tuple(found) if isinstance(found, list) else found


def compare(
    a: Mapping[str, Array],
    b: Mapping[str, Array] | None,
    measures: Sequence[tuple[str, Measure]],
    *,
    shuffles: int = 20,
    seed: int = 0,
    advance: Callable[[str], None] = lambda stage: None,
) -> list[Comparison]:
    """Compare every array of `a` with every array of `b`, or of `a` itself if `b` is None.

    In a shuffle the rows of all arrays on the column side are put in one random order, so that
    rows no longer belong together; everything else stays as it is.

    Raises
    ------
    ValueError, TypeError
        Whatever :func:`likewise.cross` and :func:`likewise.pairwise` refuse.
    """
    results = []
    for title, chosen in measures:
        advance(title)
        if not shuffles:
            grid = pairwise(a, chosen) if b is None else cross(a, b, chosen)
            results.append(Comparison(title, chosen, grid, of_itself=b is None))
            continue
        advance(f"{title}, control")
        given = {"items_a": a} if b is None else {"items_a": a, "items_b": b}
        found, draws = calibrated(given, chosen, shuffles, random_state=seed)
        grid, drawn = found.scores, len(draws)
        mean, sd = draws.mean(axis=0), draws.std(axis=0, ddof=1)
        means, sds = _like(grid, mean), _like(grid, sd)
        results.append(Comparison(title, chosen, grid, means, sds, drawn, seed, b is None, found))
    return results


def stages(measures: Sequence[tuple[str, Measure]], shuffles: int) -> int:
    """How many times `compare` calls `advance`."""
    return len(measures) * (2 if shuffles else 1)


def to_json(comparisons: Sequence[Comparison]) -> str:
    """All grids as JSON; each ``grid`` is what :meth:`likewise.Grid.from_dict` reads."""
    entries = []
    for comparison in comparisons:
        entry: dict[str, Any] = {
            "title": comparison.title,
            "kind": comparison.measure.kind,
            "grid": comparison.grid.to_dict(),
            "control": None,
            "calibration": None,
        }
        if comparison.control_mean is not None and comparison.control_sd is not None:
            entry["control"] = {
                "shuffles": comparison.shuffles,
                "seed": comparison.seed,
                "mean": comparison.control_mean.to_dict(),
                "sd": comparison.control_sd.to_dict(),
            }
        if comparison.calibration is not None:
            found = comparison.calibration
            entry["calibration"] = {
                "above_chance": found.above_chance.to_dict(),
                "p_values": found.p_values.to_dict(),
                "threshold": _plain(found.threshold),
                "best_score": _plain(found.aggregate.score),
                "best_p_value": _plain(found.aggregate.p_value),
            }
        entries.append(entry)
    whole = {"format": FORMAT, "likewise": version("likewise"), "comparisons": entries}
    return json.dumps(whole, allow_nan=False)


def to_csv(comparisons: Sequence[Comparison]) -> str:
    """One line for each score: measure, row, column, value, control_mean, control_sd, above_chance,
    p_value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    numbers = ["value", "control_mean", "control_sd", "above_chance", "p_value"]
    writer.writerow(["measure", "row", "column", *numbers])
    for comparison in comparisons:
        found = comparison.calibration
        calibration = (None, None) if found is None else (found.above_chance, found.p_values)
        grids = (comparison.grid, comparison.control_mean, comparison.control_sd, *calibration)
        for i, row in enumerate(comparison.grid.rows):
            for j, column in enumerate(comparison.grid.columns):
                cells = ["" if grid is None else repr(float(grid[i, j])) for grid in grids]
                writer.writerow([comparison.title, row, column, *cells])
    return buffer.getvalue()


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _like(grid: Grid, values: Array) -> Grid:
    return Grid(values, grid.rows, grid.columns, grid.measure, grid.options)
