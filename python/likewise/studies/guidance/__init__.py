"""Guidance: does a network that trains badly train well if it represents as a guide does?

Subramaniam et al., "Training the untrainable: introducing inductive bias via representational
alignment", NeurIPS 2025, on digits, sequences and strings of bits.
"""

from likewise.studies.guidance.document import document
from likewise.studies.guidance.experiment import Result, run, stages
from likewise.studies.guidance.findings import findings, grids, headline, numbers
from likewise.studies.guidance.settings import Settings
from likewise.studies.outcome import OldOutcome as Outcome

__all__ = ["Result", "Settings", "outcome", "run", "stages"]


def outcome(result: Result) -> Outcome:
    """What the run found, to print and to save."""
    return Outcome(
        study="guidance",
        settings=result.settings,
        headline=headline(result),
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        page=lambda outcome: document(result),
    )
