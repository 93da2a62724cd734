"""What a study leaves behind."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._files import FORMAT, replacing, write_text
from likewise.report import Page

__all__ = ["Outcome", "provenance"]


@dataclass(frozen=True)
class Outcome:
    """Findings with the numbers behind them, all of one run."""

    study: str
    settings: Any
    """The dataclass the run was made with."""
    headline: str
    """The finding in one sentence."""
    findings: Sequence[tuple[str, str]]
    """Statements, each with its numbers and controls."""
    numbers: Mapping[str, Any]
    """Everything that the findings state, as plain numbers, lists and mappings of them."""
    grids: Mapping[str, Array]
    """The raw scores that the numbers were made of."""
    seconds: Mapping[str, float]
    """How long each part took."""
    page: Callable[[Outcome], Page]
    """Makes the report."""

    def save(self, folder: Path) -> None:
        """Write ``results.json``, ``grids.npz`` and ``report.html``, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.results(), indent=2, allow_nan=False, default=_plain)
        page = self.page(self).html()
        grids: dict[str, Any] = dict(self.grids)
        write_text(folder / "results.json", text + "\n")
        with replacing(folder / "grids.npz") as file:
            np.savez_compressed(file, **grids)
        write_text(folder / "report.html", page)

    def results(self) -> dict[str, Any]:
        """What ``results.json`` holds."""
        return {
            "format": FORMAT,
            "study": self.study,
            "settings": asdict(self.settings),
            "headline": self.headline,
            "findings": [{"statement": a, "numbers": b} for a, b in self.findings],
            "numbers": dict(self.numbers),
            "seconds": dict(self.seconds),
            "versions": {"likewise": version("likewise"), "python": platform.python_version()},
        }


def provenance(seconds: Mapping[str, float]) -> list[tuple[str, str]]:
    """Last notes of a report: how long its parts took, and what ran them."""
    packages = ("likewise", "numpy", "torch", "scikit-learn")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        ("Time", ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())),
        ("Versions", f"{versions}, Python {platform.python_version()}"),
    ]


def _plain(value: Any) -> Any:
    """NumPy's numbers as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no number, list or mapping")
