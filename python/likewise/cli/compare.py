"""What ``likewise compare`` does: grids over the user's activations, each with its control."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._files import FORMAT
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
    of_itself: bool = False
    """Whether the two sides are one collection."""


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
        grid = pairwise(a, chosen) if b is None else cross(a, b, chosen)
        if not shuffles:
            results.append(Comparison(title, chosen, grid, of_itself=b is None))
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
            Comparison(
                title, chosen, grid, _like(grid, mean), _like(grid, sd), shuffles, seed, b is None
            )
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
    whole = {"format": FORMAT, "likewise": version("likewise"), "comparisons": entries}
    return json.dumps(whole, allow_nan=False)


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
