"""The demo behind `likewise demo`: train, record, compare, report.

`run` does the work and returns a `Result`; the modules that print and draw only read it.
"""

from likewise.demo.experiment import Result, run, stages
from likewise.demo.settings import Settings

__all__ = ["Result", "Settings", "run", "stages"]
