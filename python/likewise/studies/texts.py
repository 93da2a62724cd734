"""What a report says, read from a file: its lead, then claims, figures, tables and notes.

Sections begin with ``# Name``, entries of a section with their key and a colon; lines that belong
to an entry are indented. A claim is followed by what its number and its control are, the title of
a figure by its caption. ``{names}`` stand for values of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from likewise.report import Cell, Figure, Finding, Panel, Table

__all__ = ["Text"]


class Text:
    """What stands in ``report.md`` beside a ``report.py``, with the values of a run."""

    def __init__(self, report: str, **values: Any) -> None:
        self._lead, self._entries = _parsed(Path(report).with_suffix(".md"))
        self._values = values
        self.study = Path(report).parent.name

    @property
    def command(self) -> str:
        """What one types for this report."""
        return f"likewise {'study ' * (self.study != 'demo')}{self.study}"

    @property
    def lead(self) -> str:
        """What was done, in a few sentences."""
        return self._lead.format(**self._values)

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Terms with what they mean."""
        return [(term, self.line("Notes", term)) for term in self._entries["Notes"]]

    def line(self, section: str, key: str) -> str:
        """An entry as one line."""
        return " ".join(self._pair(section, key)).strip()

    def claim(
        self, test: Callable[..., Finding], key: str, *numbers: Any, **options: Any
    ) -> Finding:
        """A claim as `test`, a function of `verdicts`, decides it by these numbers."""
        statement, note = self._pair("Claims", key)
        return test(statement, *numbers, note=note, **options)

    def figure(self, key: str, panels: Sequence[Panel], **options: Any) -> Figure:
        """A figure with its title and caption; `options` are fields of :class:`Figure`."""
        return Figure(key, *self._pair("Figures", key), panels, **options)

    def table(
        self, key: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]
    ) -> tuple[str, Table]:
        """A table after the line that says what it holds."""
        return self.line("Tables", key), Table(header, rows)

    def _pair(self, section: str, key: str) -> tuple[str, str]:
        first, rest = self._entries[section][key]
        return first.format(**self._values), rest.format(**self._values)


@cache
def _parsed(file: Path) -> tuple[str, dict[str, dict[str, tuple[str, str]]]]:
    """The lead, and by section and key the first line and all others as one."""
    lead, *sections = file.read_text(encoding="utf-8").split("\n# ")
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for section in sections:
        name, *lines = section.splitlines()
        entries, key = found.setdefault(name, {}), ""
        for line in filter(None, lines):
            if line.startswith(" "):
                first, rest = entries[key]
                entries[key] = first, f"{rest} {line.strip()}".lstrip()
            else:
                key, _, first = line.partition(": ")
                entries[key] = first, ""
    return " ".join(lead.split()), found
