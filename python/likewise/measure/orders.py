"""Orders of samples for a permutation test, made in blocks: memory does not grow with the draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from likewise._border.arrays import Array, on_host

__all__ = ["Orders", "equal_groups", "groups_of"]

_BLOCK_BYTES = 4 * 2**20


def groups_of(function: str, groups: Any, samples: int) -> list[Array]:
    """The rows of each group, in the order of their first samples."""
    labels = on_host(function, groups)
    if labels.shape != (samples,):
        raise ValueError(
            f"{function}: groups must have one label for each of the {samples} samples, got shape "
            f"{labels.shape}"
        )
    if labels.dtype == object:  # of strings and numbers together, which do not sort
        labels = np.array([f"{type(label).__name__} {label}" for label in labels])
    if np.issubdtype(labels.dtype, np.floating) and np.isnan(labels).any():
        row = int(np.flatnonzero(np.isnan(labels))[0])
        raise ValueError(f"{function}: groups must be labels, got NaN for sample {row}")
    _, first, group, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rows = np.split(np.argsort(group, kind="stable"), np.cumsum(sizes)[:-1])
    return [rows[k] for k in np.argsort(first)]


def equal_groups(function: str, groups: Any, samples: int, instead: str) -> Array:
    """Rows ``(groups, size)`` of groups that may take each other's place."""
    rows = groups_of(function, groups, samples)
    sizes = sorted({len(group) for group in rows})
    if len(sizes) > 1:
        raise ValueError(
            f"{function}: groups must have equal sizes to be exchanged whole, got {len(rows)} of "
            f"{sizes[0]} to {sizes[-1]} samples; {instead}"
        )
    if len(rows) < 2:
        raise ValueError(f"{function}: groups must be at least 2, all samples are in one")
    return np.stack(rows)


class Orders:
    """So many random orders of the samples, or all of them if there are no more than that.

    With ``groups`` whole groups change places, their samples in the order that they are in, or
    samples do ``within`` their groups. Every pass gives the same orders, in blocks ``(k, samples)``
    of any size, and leaves the generator behind the last one.
    """

    def __init__(
        self,
        samples: int,
        count: int,
        random_state: int | np.random.Generator | None,
        *,
        groups: Any = None,
        within: bool = False,
        function: str = "permutation_test",
    ) -> None:
        self.samples = samples
        # Places among which what stands there is exchanged: rows (places, rows of each).
        if groups is not None and within:
            self._places = [rows[:, None] for rows in groups_of(function, groups, samples)]
            if all(len(rows) < 2 for rows in self._places):
                raise ValueError(
                    f"{function}: within=True exchanges samples of a group, got groups of one"
                )
        elif groups is not None:
            instead = "within=True exchanges samples within their groups"
            self._places = [equal_groups(function, groups, samples, instead)]
        elif within:
            raise ValueError(f"{function}: within=True needs groups")
        else:
            self._places = [np.arange(samples)[:, None]]
        admissible = math.prod(math.factorial(min(len(p), 21)) for p in self._places)
        self.exact = admissible <= min(count, math.factorial(20))  # 21! is beyond int64
        self.count = admissible if self.exact else count
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
                for places, exchanged in zip(self._places, order, strict=True):
                    row[places] = places[exchanged]
            yield block

    def _all(self) -> Iterator[tuple[Any, ...]]:
        every = [map(list, itertools.permutations(range(len(p)))) for p in self._places]
        return itertools.product(*every)

    def _random(self) -> Iterator[tuple[Any, ...]]:
        while True:
            yield tuple(self._rng.permutation(len(places)) for places in self._places)
