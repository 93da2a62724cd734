"""Which units do networks of different seeds have in common?

Li, Yosinski, Clune, Lipson, Hopcroft, "Convergent learning: do different neural networks learn the
same representations?", ICLR 2016, arXiv 1511.07543, on digits.
"""

from likewise.studies.matching.document import document
from likewise.studies.matching.experiment import Result, run, stages
from likewise.studies.matching.findings import findings, headline
from likewise.studies.matching.numbers import grids, numbers
from likewise.studies.matching.settings import Settings
from likewise.studies.outcome import OldOutcome as Outcome

__all__ = ["Result", "Settings", "outcome", "run", "stages"]


def outcome(result: Result) -> Outcome:
    """What the run found, to print and to save."""
    return Outcome(
        study="matching",
        settings=result.settings,
        headline=headline(result),
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        page=lambda outcome: document(result, outcome),
    )
