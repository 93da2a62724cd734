"""How often the intervals of `likewise.bootstrap` hold what they are about.

`python -m benchmarks.coverage [MEASURE ...]` adds the cells that `coverage.csv` beside this file
does not have yet, of these measures or of all; `python -m benchmarks.coverage --table` prints them
for NOTES.md. Populations, sizes and seeds are fixed here. Some 20 minutes of one thread for each
population.
"""

from __future__ import annotations

import csv
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import likewise as lw

from .data import Array

RESULTS = Path(__file__).with_suffix(".csv")
SIZES = (50, 100, 200)
TRIALS, DRAWS, FRESH = 2000, 120, 10_000
SEED = 2026
VARIANTS: dict[str, dict[str, Any]] = {"cka": {"estimator": "unbiased"}}  # beside the defaults


def shared(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Three Gaussian factors seen through 6 and 7 noisy units."""
    fixed = np.random.default_rng(11)
    z = rng.standard_normal((*shape, 3))
    return tuple(  # type: ignore[return-value]
        z @ fixed.standard_normal((3, d)) + rng.standard_normal((*shape, d)) for d in (6, 7)
    )


def unrelated(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Independent Gaussian units, 5 and 5."""
    return tuple(rng.standard_normal((*shape, 5)) for _ in range(2))  # type: ignore[return-value]


def rectified(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Five clusters of unequal spread, and rectified units: 12 and 10."""
    fixed = np.random.default_rng(12)
    cluster, spread = rng.integers(5, size=shape), rng.lognormal(0, 0.4, (*shape, 1))
    x, y = (
        2 * fixed.standard_normal((5, d))[cluster] + rng.standard_normal((*shape, d))
        for d in (12, 10)
    )
    return x * spread, np.maximum(y, 0)


POPULATIONS = {f.__name__: f for f in (shared, unrelated, rectified)}
Population = Callable[[np.random.Generator, tuple[int, ...]], tuple[Array, Array]]


class Cell(NamedTuple):
    """One measure of samples of one size from one population."""

    population: str
    measure: str
    options: str
    samples: int
    trials: int
    estimand: float
    spread: float
    """Standard deviation of the score over fresh samples..."""
    standard_error: float
    """...and what the bootstrap takes for it: the root of its mean square."""
    below: float
    above: float
    """Shares of the intervals that lie on either side of the estimand."""

    @property
    def coverage(self) -> float:
        return 1 - self.below - self.above


def variants() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in lw.measures():
        yield name, {}
        if name in VARIANTS:
            yield name, VARIANTS[name]


def simulate(
    population: str, measure: str, samples: int, trials: int = TRIALS, **options: Any
) -> Cell | None:
    """Intervals of that many fresh samples, and the mean score of others; None if refused."""
    draw: Population = POPULATIONS[population]
    compare = lw.measure(measure, **options)
    try:
        lw.bootstrap(*draw(np.random.default_rng(0), (samples,)), compare, n=8)
    except ValueError:
        return None
    key = (SEED, list(POPULATIONS).index(population), samples)
    rng = np.random.default_rng((*key, 0))
    fresh = np.concatenate([compare(*draw(rng, (100, samples))) for _ in range(FRESH // 100)])
    estimand, below, above, squares = float(fresh.mean()), 0, 0, 0.0
    for trial in range(trials):
        rng = np.random.default_rng((*key, 1, trial))
        found = lw.bootstrap(*draw(rng, (samples,)), compare, n=DRAWS, random_state=rng)
        below += found.high < estimand
        above += found.low > estimand
        squares += found.standard_error**2
    shown = " ".join(f"{name}={value}" for name, value in options.items())
    return Cell(
        population,
        measure,
        shown,
        samples,
        trials,
        estimand,
        float(fresh.std()),
        float(np.sqrt(squares / trials)),
        below / trials,
        above / trials,
    )


def results() -> list[Cell]:
    """The cells that were simulated."""
    if not RESULTS.exists():
        return []
    with RESULTS.open() as file:
        rows = list(csv.reader(file))[1:]
    return [
        Cell(row[0], row[1], row[2], int(row[3]), int(row[4]), *map(float, row[5:])) for row in rows
    ]


def add_cells(measures: list[str]) -> None:
    for population in POPULATIONS:
        for samples in SIZES:
            for name, options in variants():
                shown = " ".join(f"{key}={value}" for key, value in options.items())
                done = {cell[:4] for cell in results()}
                if (name not in measures and measures) or (
                    (population, name, shown, samples) in done
                ):
                    continue
                cell = simulate(population, name, samples, **options)
                if cell is None:
                    continue
                with RESULTS.open("a") as file:
                    writer = csv.writer(file, lineterminator="\n")
                    if not file.tell():
                        writer.writerow(Cell._fields)
                    writer.writerow([f"{v:.5g}" if isinstance(v, float) else v for v in cell])
                print(*cell[:4], f"{cell.coverage:.1%}", flush=True)


def least(name: str) -> int:
    return int(getattr(lw.measure(name), "least_for_interval", 0))


def table() -> Iterator[str]:
    """Coverage in per cent, in brackets the standard error over the spread of the score."""
    cells = {cell[:4]: cell for cell in results()}
    columns = [(p, n) for p in POPULATIONS for n in SIZES if any(c[0] == p for c in cells)]
    yield "| measure | " + " | ".join(f"{p}, {n}" for p, n in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, options in sorted({cell[1:3] for cell in cells}):
        row = []
        for population, samples in columns:
            cell = cells.get((population, name, options, samples))
            found = "not run"
            if cell is not None:
                found = f"{100 * cell.coverage:.1f} ({cell.standard_error / cell.spread:.2f})"
            if samples < least(name):
                found = "refused" if cell is None else f"refused: {found}"
            row.append(found)
        yield f"| {name} {options}".rstrip() + " | " + " | ".join(row) + " |"


if __name__ == "__main__":
    if sys.argv[1:] == ["--table"]:
        print("\n".join(table()))
    else:
        warnings.simplefilter("ignore")
        with lw.num_threads(1):
            add_cells(sys.argv[1:])
