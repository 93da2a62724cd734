"""What a study leaves behind."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._files import FORMAT, replacing, write_text
from likewise.report import Figure, Finding, Page, Table
from likewise.report.findings import headline
from likewise.studies.texts import Text

__all__ = ["Outcome"]

_MODULES = {"likewise": "likewise", "numpy": "numpy", "scikit-learn": "sklearn", "torch": "torch"}


@dataclass(frozen=True)
class Outcome:
    """Findings with the numbers behind them, all of one run, and the report that shows them."""

    result: Any
    """What was found, with its `settings`, whose seed repeats it, and `seconds` by part."""
    text: Text
    """What the report says."""
    findings: Sequence[Finding]
    numbers: Mapping[str, Any]
    """Everything that the findings and tables state, as plain numbers, lists and mappings."""
    grids: Mapping[str, Array]
    """The raw scores that the numbers were made of."""
    figures: Sequence[Figure]
    """The one to look at first comes first."""
    tables: Sequence[tuple[str, Table]]
    """Each with a line on what it holds; all but the first are folded."""
    notes: Sequence[tuple[str, str]] = ()
    """More than the text has, and before those."""
    choices: tuple[str, Sequence[str], int] | None = None
    """Buttons of the figures: their legend, labels, and which is chosen. They come before the
    figures that have choices."""

    @property
    def headline(self) -> str:
        """The first claim and its verdict."""
        return headline(self.findings)

    def page(self) -> Page:
        """The report."""
        page = Page(self.headline, self.text.command, self.text.lead)
        first, *others = self.figures
        if not first.has_choices:
            page.figure(first)
        page.findings(self.findings)
        if self.choices is not None:
            page.choices(*self.choices)
        for figure in [first, *others] if first.has_choices else others:
            page.figure(figure)
        page.heading("The numbers")
        for k, (about, table) in enumerate(self.tables):
            if k == 0:
                page.paragraph(about)
            page.table(table, folded=about if k else None)
        page.heading("How it was done")
        page.definitions([*self.notes, *self.text.notes, *_provenance(self.result)])
        return page

    def save(self, folder: Path) -> None:
        """Write ``results.json``, ``grids.npz`` and ``report.html``, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.results(), indent=2, allow_nan=False)
        page = self.page().html()
        grids: dict[str, Any] = dict(self.grids)
        write_text(folder / "results.json", text + "\n")
        with replacing(folder / "grids.npz") as file:
            np.savez_compressed(file, **grids)
        write_text(folder / "report.html", page)

    def results(self) -> dict[str, Any]:
        """What ``results.json`` holds; null stands for NaN and infinity."""
        found: dict[str, Any] = _plain(
            {
                "format": FORMAT,
                "study": self.text.study,
                "settings": self.result.settings,
                "headline": self.headline,
                "findings": [finding.json() for finding in self.findings],
                "numbers": self.numbers,
                "seconds": self.result.seconds,
                "versions": {"likewise": version("likewise"), "python": platform.python_version()},
            }
        )
        return found


def _provenance(result: Any) -> list[tuple[str, str]]:
    """Last notes of a report: how to repeat it, how long its parts took, and what ran them."""
    seed = result.settings.seed
    installed = [name for name, module in _MODULES.items() if find_spec(module)]
    versions = ", ".join(f"{name} {version(name)}" for name in installed)
    return [
        ("Seed", f"{seed}; the same command with --seed {seed} repeats the run."),
        ("Time", ", ".join(f"{name} {value:.1f} s" for name, value in result.seconds.items())),
        ("Versions", f"{versions}, Python {platform.python_version()}"),
    ]


def _plain(value: Any) -> Any:
    """JSON's mappings, lists and numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(vars(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
