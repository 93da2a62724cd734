"""More samples than fit into memory: sums that stream, merge and travel."""

from likewise.scale.accumulator import Accumulator, MinibatchCKA, UnitAccumulator

__all__ = ["Accumulator", "MinibatchCKA", "UnitAccumulator"]
