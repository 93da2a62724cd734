"""Convergence: how alike do networks become that are trained apart, and when, and where?

Kapoor, Srivastava & Khosla, "Bridging critical gaps in convergent learning: how representational
alignment evolves across layers, training, and distribution shifts", NeurIPS 2025.
"""

from likewise.studies.convergence.experiment import Result, run, stages
from likewise.studies.convergence.networks import Networks, load
from likewise.studies.convergence.report import outcome
from likewise.studies.convergence.settings import Settings

__all__ = ["Networks", "Result", "Settings", "load", "outcome", "run", "stages"]
