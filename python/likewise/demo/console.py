"""What the demo prints."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from likewise.cli.console import Cell, print_list, table
from likewise.demo.comparison import SCORES
from likewise.demo.experiment import Result
from likewise.demo.findings import findings, headline, summary
from likewise.report import number


def print_result(result: Result, output: Console) -> None:
    """The headline, the compact table, and the findings below it."""
    rows: list[list[Cell]] = []
    for label, estimates in summary(result):
        cells: list[Cell] = [(number(e.value), e.control) for e in estimates]
        rows.append([label, *cells])
    header = ["", *(score.title for score in SCORES)]
    output.print(Text(headline(result), style="bold"))
    output.print(
        "Similarity of corresponding layers, mean over layers and all pairs of different networks. "
        "In brackets the control: mean ± sd over "
        f"{result.settings.shuffles} shuffles of the stimuli."
    )
    output.print()
    output.print(table(header, rows, output))
    output.print()
    print_list(findings(result), output)
