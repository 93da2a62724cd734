"""Findings of papers on convergent representations, run again on the engine.

Each study is a package with ``Settings`` (``Settings(seed=...)`` for the full run,
``Settings.quick(seed)`` for one of less than a minute), ``stages(settings)``,
``run(settings, advance) -> Result`` and ``outcome(result) -> Outcome``. ``likewise study NAME``
does all of that and writes the outcome into a folder. A package is its science and one
``report.py`` with the findings, pictures and tables, whose words stand in ``report.md`` beside it;
`demo` is one more, without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from likewise.report import Finding
from likewise.studies.outcome import Outcome

__all__ = ["NAMES", "Finding", "Outcome", "study"]

NAMES: tuple[str, ...] = ("circles", "convergence", "guidance", "matching", "truncation")


def study(name: str) -> Any:
    """The module of a study.

    Raises
    ------
    ValueError
        For a name that is not in ``NAMES``.
    """
    if name not in NAMES:
        raise ValueError(f"study: name must be one of {', '.join(NAMES)}, got {name!r}")
    return import_module(f"likewise.studies.{name}")


def __getattr__(name: str) -> Any:
    if name in NAMES:
        return study(name)
    raise AttributeError(f"module 'likewise.studies' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *NAMES])
