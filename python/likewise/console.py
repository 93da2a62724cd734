"""What the command line prints: tables, progress, and one-line messages."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from likewise._array import Array
from likewise.compare import Comparison
from likewise.errors import LikewiseWarning
from likewise.report import Cell, control_text, number

_WIDTH_OF_FILES = 132


def standard_output() -> Console:
    """The terminal; a file or pipe gets room for a whole table."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES, highlight=False)


def fail(message: object) -> NoReturn:
    """End with one line on standard error and exit status 2."""
    print(f"likewise: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(2)


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar, where standard error is a terminal.

    The yielded function starts the next stage and takes its name.
    """
    if not sys.stderr.isatty():
        yield lambda stage: None
        return
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        started = 0

        def advance(stage: str) -> None:
            nonlocal started
            bar.update(task, completed=started, description=stage)
            started += 1

        yield advance


@contextmanager
def one_line_warnings() -> Iterator[None]:
    """Print this package's warnings as one line each, however often they were raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LikewiseWarning)
        try:
            yield
        finally:
            lines = Counter(f"{w.category.__name__}: {w.message}" for w in caught)
            for line, times in lines.items():
                repeated = f" ({times} times)" if times > 1 else ""
                print(f"likewise: {line}{repeated}", file=sys.stderr)


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], output: Console) -> Table:
    """A compact table; a cell (number, control) shows the control dimmed.

    The control stands beside its number where the terminal has room for that, else below it.
    """
    beside = _table(header, rows, _beside)
    return beside if _fits(beside, output) else _table(header, rows, _below)


def print_grid(comparison: Comparison, output: Console) -> None:
    """The whole grid where it fits the terminal, else the best partner of every row."""
    grid, kind = comparison.grid, comparison.measure.kind
    better = "smaller" if kind == "distance" else "larger"
    output.print(Text(comparison.title, style="bold"), f"({kind}, {better} is more alike)")
    cells = [
        [_cell(comparison, i, j) for j in range(len(grid.columns))] for i in range(len(grid.rows))
    ]
    rows: list[list[Cell]] = [[label, *line] for label, line in zip(grid.rows, cells, strict=True)]
    shown = table(["", *grid.columns], rows, output)
    if not _fits(shown, output):
        best = _best(grid.values, kind)
        rows = [[grid.rows[i], grid.columns[j], cells[i][j]] for i, j in enumerate(best)]
        shown = table(["", "most alike", "score"], rows, output)
        output.print("Too wide for this terminal: best partner of every row; --out has them all.")
    output.print(shown)
    output.print()


def _table(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], place: Callable[[str, str], Text]
) -> Table:
    result = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        result.add_column(Text(name))
    for row in rows:
        texts = [Text(cell) if isinstance(cell, str) else place(*cell) for cell in row]
        result.add_row(*texts)
    return result


def _beside(value: str, control: str) -> Text:
    return Text.assemble(value, (f" ({control})" if control else "", "dim"), no_wrap=True)


def _below(value: str, control: str) -> Text:
    return Text.assemble(value, (f"\n{control}" if control else "", "dim"), no_wrap=True)


def _fits(shown: Table, output: Console) -> bool:
    unbounded = output.options.update(max_width=sys.maxsize)
    return output.measure(shown, options=unbounded).maximum <= output.width


def _cell(comparison: Comparison, i: int, j: int) -> Cell:
    value = number(float(comparison.grid[i, j]), 3)
    mean, sd = comparison.control_mean, comparison.control_sd
    if mean is None or sd is None:
        return value, ""
    return value, control_text(float(mean[i, j]), float(sd[i, j]))


def _best(values: Array, kind: str) -> list[int]:
    """The column most alike for every row; NaN is never chosen while there is a number."""
    worst = np.inf if kind == "distance" else -np.inf
    filled = np.where(np.isnan(values), worst, values)
    best = np.argmin(filled, axis=1) if kind == "distance" else np.argmax(filled, axis=1)
    return [int(column) for column in best]


def print_findings(headline: str, findings: Sequence[tuple[str, str]], output: Console) -> None:
    """What was found, and the statements below it."""
    output.print(Text(headline, style="bold"))
    output.print()
    print_list(findings, output)


def print_list(findings: Sequence[tuple[str, str]], output: Console) -> None:
    """Statements with the numbers behind them."""
    for statement, numbers in findings:
        output.print(Text(f"• {statement}", style="bold"))
        output.print(Padding(numbers, (0, 0, 0, 2)))
    output.print()
