"""Orders of samples for a permutation test, made in blocks: memory does not grow with the draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from likewise._border.arrays import Array

__all__ = ["Orders"]

_BLOCK_BYTES = 4 * 2**20


class Orders:
    """So many random orders of the samples, or all of them if there are no more than that.

    Every pass gives the same orders, in blocks ``(k, samples)`` of any size, and leaves the
    generator behind the last one.
    """

    def __init__(
        self, samples: int, count: int, random_state: int | np.random.Generator | None
    ) -> None:
        self.samples = samples
        self.exact = samples <= 20 and math.factorial(samples) <= count  # 21! is beyond int64
        self.count = math.factorial(samples) if self.exact else count
        self._rng = np.random.default_rng(random_state)
        self._start = self._rng.bit_generator.state

    def blocks(self, bytes_per_order: int = 0, most_bytes: int = _BLOCK_BYTES) -> Iterator[Array]:
        """Blocks of int32 for each of which so many bytes are needed in all."""
        size = int(np.clip(most_bytes // max(bytes_per_order, 4 * self.samples), 1, self.count))
        self._rng.bit_generator.state = self._start
        orders = self._all() if self.exact else self._random()
        for first in range(0, self.count, size):
            block = np.empty((min(size, self.count - first), self.samples), np.int32)
            for row, order in zip(block, orders, strict=False):
                row[:] = order
            yield block

    def _all(self) -> Iterator[Array]:
        return map(np.array, itertools.permutations(range(self.samples)))

    def _random(self) -> Iterator[Array]:
        while True:
            yield self._rng.permutation(self.samples)
