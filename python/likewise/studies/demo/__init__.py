"""The demo behind ``likewise demo``: train, record, compare, report. Needs no torch."""

from likewise.studies.demo.experiment import Result, run, stages
from likewise.studies.demo.report import outcome
from likewise.studies.demo.settings import Settings

__all__ = ["Result", "Settings", "outcome", "run", "stages"]
