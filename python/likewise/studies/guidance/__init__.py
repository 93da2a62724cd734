"""Guidance: does a network that trains badly train well if it represents as a guide does?

Subramaniam et al., "Training the untrainable: introducing inductive bias via representational
alignment", NeurIPS 2025, on digits, sequences and strings of bits.
"""

from likewise.studies.guidance.experiment import Result, run, stages
from likewise.studies.guidance.settings import Settings

__all__ = ["Result", "Settings", "run", "stages"]
