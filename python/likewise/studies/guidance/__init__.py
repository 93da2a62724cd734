"""Guidance: does a network that trains badly train well if it represents as a guide does?

Subramaniam et al., "Training the untrainable: introducing inductive bias via representational
alignment", NeurIPS 2025, on digits, sequences and strings of bits.
"""

from likewise.studies.guidance.report import outcome
from likewise.studies.guidance.settings import Settings
from likewise.studies.guidance.training import Result, run, stages

__all__ = ["Result", "Settings", "outcome", "run", "stages"]
