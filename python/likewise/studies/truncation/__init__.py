"""Truncation maps and neural collapse (Chen 2025, arXiv 2501.07400).

The exact flow of truncation maps on clusters, with controls, and digit networks measured by the
same maps and by NC1 to NC4 over training.
"""

from functools import partial

from likewise.studies.outcome import Outcome
from likewise.studies.truncation.experiment import Result, run, stages
from likewise.studies.truncation.findings import findings, grids, headline, numbers
from likewise.studies.truncation.settings import Settings

__all__ = ["Result", "Settings", "outcome", "run", "stages"]


def outcome(result: Result) -> Outcome:
    """Findings, numbers and the report of a run."""
    from likewise.studies.truncation.document import document

    return Outcome(
        "truncation",
        result.settings,
        headline(result),
        findings(result),
        numbers(result),
        grids(result),
        result.seconds,
        partial(document, result),
    )
