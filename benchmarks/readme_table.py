"""Markdown table for the README: every row of a full run that has a goal.

`pytest benchmarks --table-json run.json && python -m benchmarks.readme_table run.json`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .tables import EXCESS, RATIO, SHARE, duration, size

COMPARISONS = {comparison.name: comparison for comparison in (RATIO, EXCESS, SHARE)}


def lines(run: dict[str, Any]) -> Iterator[str]:
    machine = run["machine"]
    yield f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}."
    yield ""
    yield "| workload | ours | peer | its time | compared | goal |"
    yield "|---|---|---|---|---|---|"
    for table in run["tables"]:
        comparison = COMPARISONS[table["comparison"]]
        show = size if table["clock"] == "memory" else duration
        ours, *others = table["rows"]
        for row in others:
            if row["goal"] is None or row["value"] is None:
                continue
            compared = comparison.show(row["comparison"])
            if not comparison.met(row["comparison"], row["goal"]):
                compared += " (missed)"
            cells = [
                table["title"],
                f"{show(ours['value'])} per {table['unit']}",
                row["name"],
                show(row["value"]),
                compared,
                comparison.show(row["goal"]),
            ]
            yield f"| {' | '.join(cell.strip() for cell in cells)} |"


if __name__ == "__main__":
    print("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))
