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
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from likewise._border.arrays import Array
from likewise.cli.compare import Comparison
from likewise.errors import LikewiseWarning
from likewise.grid import ends
from likewise.report import Cell, Finding, control_text, number
from likewise.report.findings import HEADER, counts

_WIDTH_OF_FILES = 132
_NARROWEST = 6  # a score and the gap after it
_SHOWN = 20  # rows at either end of a long list of partners


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
    shown = None
    if len(grid.columns) * _NARROWEST <= output.width:
        header = ["", *grid.columns]
        shown = table(header, [_whole_row(comparison, i) for i in range(len(grid.rows))], output)
    if shown is None or not _fits(shown, output):
        shown = table(["", "most alike", "score"], _best_partners(comparison), output)
        output.print("Too wide for this terminal: best partner of every row; --out has them all.")
    width = output.width
    if not output.is_terminal:  # a file has room for whole labels
        output.width = max(width, _width(shown, output))
    output.print(shown)
    output.width = width
    output.print()


def _whole_row(comparison: Comparison, i: int) -> list[Cell]:
    grid = comparison.grid
    return [grid.rows[i], *(_cell(comparison, i, j) for j in range(len(grid.columns)))]


def _best_partners(comparison: Comparison) -> list[list[Cell]]:
    """Of the first and last rows, where there are many."""
    grid, kind = comparison.grid, comparison.measure.kind
    values = grid.values
    if comparison.of_itself:  # with which every item is most alike
        values = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    rows: list[list[Cell]] = []
    for i in ends(len(grid.rows), _SHOWN):
        if i is None:
            rows.append(["...", "", ""])
            continue
        j = _best(values[i], kind)
        rows.append([grid.rows[i], *(("", "") if j is None else _partner(comparison, i, j))])
    return rows


def _partner(comparison: Comparison, i: int, j: int) -> tuple[str, Cell]:
    return comparison.grid.columns[j], _cell(comparison, i, j)


def _table(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], place: Callable[[str, str], Text]
) -> Table:
    result = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in header:
        result.add_column(Text(name))
    for row in rows:
        pairs = [cell if isinstance(cell, tuple) else (cell, "") for cell in row]
        result.add_row(*(place(str(value), str(control)) for value, control in pairs))
    return result


def _beside(value: str, control: str) -> Text:
    return Text.assemble(value, (f" ({control})" if control else "", "dim"), no_wrap=True)


def _below(value: str, control: str) -> Text:
    return Text.assemble(value, (f"\n{control}" if control else "", "dim"), no_wrap=True)


def _fits(shown: Table, output: Console) -> bool:
    return _width(shown, output) <= output.width


def _width(shown: Table, output: Console) -> int:
    """What it takes to show everything in one line."""
    return output.measure(shown, options=output.options.update(max_width=sys.maxsize)).maximum


def _cell(comparison: Comparison, i: int, j: int) -> Cell:
    value = number(float(comparison.grid[i, j]), 3)
    mean, sd = comparison.control_mean, comparison.control_sd
    if mean is None or sd is None:
        return value, ""
    return value, control_text(float(mean[i, j]), float(sd[i, j]))


def _best(values: Array, kind: str) -> int | None:
    """The column most alike; None where there is no number."""
    if np.isnan(values).all():
        return None
    return int(np.nanargmin(values) if kind == "distance" else np.nanargmax(values))


def print_findings(headline: str, findings: Sequence[Finding], output: Console) -> None:
    """The first claim with its verdict, then every claim with its numbers."""
    output.print(Text(headline, style="bold"))
    output.print()
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for name in HEADER:
        shown.add_column(name, ratio=1 if name == HEADER[0] else None, no_wrap=name != HEADER[0])
    for finding in findings:
        *cells, verdict = finding.cells()
        shown.add_row(*map(Text, cells), Text(verdict, style=_STYLES[finding.verdict]))
    output.print(shown)
    output.print(counts(findings))
    output.print()


_STYLES = {"holds": "bold green", "does not hold": "bold red", "undecided": "dim"}
