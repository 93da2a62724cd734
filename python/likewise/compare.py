"""What ``likewise compare`` does: grids over the user's activations, each with its control."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

import numpy as np

from likewise._array import Array
from likewise.errors import quiet
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


def parse_measures(text: str) -> list[tuple[str, Measure]]:
    """Titles and measures from ``"procrustes,cka:estimator=unbiased"``.

    Measures are separated by commas, options follow their measure after colons. Values are
    numbers, ``true`` or ``false`` where they read as such, and text elsewhere.

    Raises
    ------
    ValueError
        For an unknown measure, option or option value, or no measure at all.
    """
    chosen = []
    parts = [part.strip() for part in text.split(",")]
    for part in dict.fromkeys(filter(None, parts)):
        name, *settings = part.split(":")
        known = [option.name for option in fields(measure(name))]  # type: ignore[arg-type]
        options = dict(_option(name, setting, known) for setting in settings)
        chosen.append((part, measure(name, **options)))
    if not chosen:
        raise ValueError("no measure given")
    return chosen


def _option(name: str, setting: str, known: Sequence[str]) -> tuple[str, Any]:
    option, separator, value = setting.partition("=")
    if not separator or option not in known:
        raise ValueError(f"measure {name!r} has the options {', '.join(known)}; got {setting!r}")
    try:
        return option, json.loads(value)
    except json.JSONDecodeError:
        return option, value


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
        grid = pairwise(a, chosen) if b is None else cross(a, b, chosen)
        if not shuffles:
            results.append(Comparison(title, chosen, grid))
            continue
        draws = []
        generator = np.random.default_rng(seed)
        for _ in range(shuffles):
            advance(f"{title}, control")
            columns = a if b is None else b
            order = generator.permutation(len(next(iter(columns.values()))))
            shuffled = {label: array[order] for label, array in columns.items()}
            with quiet():  # The comparison above has warned of the same arrays.
                draws.append(np.asarray(cross(a, shuffled, chosen, check_finite=False)))
        mean, sd = np.mean(draws, axis=0), np.std(draws, axis=0, ddof=1)
        results.append(
            Comparison(title, chosen, grid, _like(grid, mean), _like(grid, sd), shuffles, seed)
        )
    return results


def stages(measures: Sequence[tuple[str, Measure]], shuffles: int) -> int:
    """How many times `compare` calls `advance`."""
    return len(measures) * (1 + shuffles)


def to_json(comparisons: Sequence[Comparison]) -> str:
    """All grids as JSON; each ``grid`` is what :meth:`likewise.Grid.from_dict` reads."""
    entries = []
    for comparison in comparisons:
        entry: dict[str, Any] = {
            "title": comparison.title,
            "kind": comparison.measure.kind,
            "grid": comparison.grid.to_dict(),
            "control": None,
        }
        if comparison.control_mean is not None and comparison.control_sd is not None:
            entry["control"] = {
                "shuffles": comparison.shuffles,
                "seed": comparison.seed,
                "mean": comparison.control_mean.to_dict(),
                "sd": comparison.control_sd.to_dict(),
            }
        entries.append(entry)
    return json.dumps({"likewise": version("likewise"), "comparisons": entries}, allow_nan=False)


def to_csv(comparisons: Sequence[Comparison]) -> str:
    """One line for each score: measure, row, column, value, control_mean, control_sd."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["measure", "row", "column", "value", "control_mean", "control_sd"])
    for comparison in comparisons:
        grids = (comparison.grid, comparison.control_mean, comparison.control_sd)
        for i, row in enumerate(comparison.grid.rows):
            for j, column in enumerate(comparison.grid.columns):
                cells = ["" if grid is None else repr(float(grid[i, j])) for grid in grids]
                writer.writerow([comparison.title, row, column, *cells])
    return buffer.getvalue()


def _like(grid: Grid, values: Array) -> Grid:
    return Grid(values, grid.rows, grid.columns, grid.measure, grid.options)
