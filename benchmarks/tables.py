"""The one table of the benchmarks: printed side by side, and written as JSON."""

from __future__ import annotations

import operator
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """How ours and a peer's value become one number, how it reads, and when a goal is met."""

    name: str
    of: Callable[[float, float], float]
    show: Callable[[float], str]
    met: Callable[[float, float], bool]


RATIO = Comparison(
    "peer / ours",
    of=lambda ours, peer: peer / ours,
    show=lambda value: f"{value:.3g}x",
    met=operator.ge,
)
EXCESS = Comparison(
    "ours - peer",
    of=lambda ours, peer: ours - peer,
    show=lambda value: f"{1e3 * value:+.1f} ms",
    met=operator.le,
)
SHARE = Comparison(
    "ours / peer",
    of=lambda ours, peer: ours / peer,
    show=lambda value: f"{100 * value:.3g} %",
    met=operator.le,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of a table; `value` is seconds per unit, or bytes, and None for an absent peer."""

    name: str
    value: float | None = None
    spread: float | None = None
    comparison: float | None = None
    goal: float | None = None
    error: float | None = None
    how: str = ""
    rounds: int = 0
    wall: float | None = None
    cpu: float | None = None


@dataclass(frozen=True)
class Table:
    """One workload; the first row is ours. `clock` is "cpu", "wall" or "memory"."""

    title: str
    unit: str
    clock: str
    comparison: Comparison
    rows: Sequence[Row]
    other_jobs: float | None = None

    def lines(self) -> list[str]:
        """The table as text, columns aligned."""
        cells = [["", f"{self.clock} per {self.unit}", self.comparison.name, "goal", "error", ""]]
        for row in self.rows:
            cells.append([row.name, *self._figures(row), row.how])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        title = self.title
        if self.other_jobs is not None:
            title += f"  [other jobs kept {self.other_jobs:.1f} of {os.cpu_count()} cores busy]"
        lines = [title]
        for name, *figures, how in cells:
            middle = "  ".join(
                figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=False)
            )
            lines.append(f"  {name.ljust(widths[0])}  {middle}  {how}".rstrip())
        return lines

    def _figures(self, row: Row) -> list[str]:
        if row.value is None:
            value = ""
        elif self.clock == "memory":
            value = size(row.value)
        else:
            value = duration(row.value) + f" ±{100 * (row.spread or 0) / 2:2.0f} %"
        compared = "" if row.comparison is None else self.comparison.show(row.comparison)
        goal = "" if row.goal is None else self.comparison.show(row.goal)
        if row.comparison is not None and row.goal is not None:
            met = self.comparison.met(row.comparison, row.goal)
            goal = goal if met else f"missed {goal}"
        error = "" if row.error is None else f"{row.error:.0e}"
        return [value, compared, goal, error]

    def as_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "unit": self.unit,
            "clock": self.clock,
            "comparison": self.comparison.name,
            "other_jobs": self.other_jobs,
            "rows": [asdict(row) for row in self.rows],
        }


def machine() -> dict[str, Any]:
    """Name of the processor, its number of cores, and the Python that runs."""
    cpuinfo = Path("/proc/cpuinfo")
    name = platform.processor() or platform.machine()
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return {"processor": name, "cores": os.cpu_count(), "python": platform.python_version()}


def size(count: float) -> str:
    return f"{count / 2**20:.3g} MiB"


def duration(seconds: float) -> str:
    for scale, unit in ((1.0, "s "), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
