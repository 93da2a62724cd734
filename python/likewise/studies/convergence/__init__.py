"""Convergence: how alike do networks become that are trained apart, and when, and where?

Kapoor, Srivastava & Khosla, "Bridging critical gaps in convergent learning: how representational
alignment evolves across layers, training, and distribution shifts", NeurIPS 2025.
"""

from likewise.studies.convergence.document import document
from likewise.studies.convergence.experiment import Result, run, stages
from likewise.studies.convergence.findings import findings, headline
from likewise.studies.convergence.networks import Networks, load
from likewise.studies.convergence.settings import Settings
from likewise.studies.convergence.summaries import grids, numbers
from likewise.studies.outcome import OldOutcome as Outcome

__all__ = ["Networks", "Result", "Settings", "load", "outcome", "run", "stages"]


def outcome(result: Result) -> Outcome:
    """What the run found, to print and to save."""
    return Outcome(
        study="convergence",
        settings=result.settings,
        headline=headline(result),
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        page=lambda outcome: document(result),
    )
