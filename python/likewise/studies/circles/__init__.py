"""Which circles survive in the embeddings of networks that add modulo p.

Ding, Guo, Michaud, Liu, Tegmark 2024, arXiv 2405.17420. `signals` and `dynamics` are also of use by
themselves, on embeddings trained elsewhere.
"""

from likewise.studies.circles.experiment import Result, run, stages
from likewise.studies.circles.report import outcome
from likewise.studies.circles.settings import Settings

__all__ = ["Result", "Settings", "outcome", "run", "stages"]
