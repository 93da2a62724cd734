"""Which units do networks of different seeds have in common?

Li, Yosinski, Clune, Lipson, Hopcroft, "Convergent learning: do different neural networks learn the
same representations?", ICLR 2016, arXiv 1511.07543, on digits.
"""

from likewise.studies.matching.experiment import Result, run, stages
from likewise.studies.matching.report import outcome
from likewise.studies.matching.settings import Settings

__all__ = ["Result", "Settings", "outcome", "run", "stages"]
