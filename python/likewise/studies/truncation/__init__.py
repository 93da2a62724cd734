"""Truncation maps and neural collapse (Chen 2025, arXiv 2501.07400).

The exact flow of truncation maps on clusters, with controls, and digit networks measured by the
same maps and by NC1 to NC4 over training.
"""

from likewise.studies.truncation.experiment import Result, run, stages
from likewise.studies.truncation.report import outcome
from likewise.studies.truncation.settings import Settings

__all__ = ["Result", "Settings", "outcome", "run", "stages"]
