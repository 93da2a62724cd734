"""What the measures that match units share: prepared units, and warnings about constant ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._border.arrays import Array
from likewise._border.pairs import Pair, batch_size
from likewise.errors import warn_degenerate
from likewise.measure import compare_reordered
from likewise.measure.legacy import LegacyMeasure

__all__ = ["Similarity", "UnitMeasure", "Units", "engine_lists", "unit_norm"]

Similarity = Literal["correlation"]


class Units(NamedTuple):
    """A representation whose units are centred and of unit norm; constant ones are zero."""

    data: Array
    constant: int


def unit_norm(x: Array) -> Units:
    """The units of one representation ``(n, d)``: inner products are correlations."""
    data = np.empty(x.shape, x.dtype)
    return Units(data, _cpu.unit_columns(x, data))


@dataclass(frozen=True)
class UnitMeasure(LegacyMeasure):
    """A measure of the correlations between units."""

    similarity: Similarity = "correlation"

    name: ClassVar[str]
    streamable: ClassVar[bool] = False
    symmetric: ClassVar[bool] = True
    min_samples: ClassVar[int] = 2
    invariances: ClassVar[frozenset[str]] = frozenset(
        {"translation", "isotropic_scaling", "permutation"}
    )

    def __post_init__(self) -> None:
        if self.similarity != "correlation":
            raise ValueError(
                f"{self.name}: similarity must be 'correlation', got {self.similarity!r}"
            )

    def prepare(self, items: Sequence[Array]) -> list[Units]:
        """Units centred and of unit norm, and how many are constant."""
        return [unit_norm(item) for item in items]

    def _reordered(self, x: Array, y: Array, orders: Iterable[Array]) -> Array:
        """Each side prepared once: orders of the samples are orders of the prepared rows."""
        return compare_reordered(self, x, y, orders)

    @abstractmethod
    def compare(self, a: list[Units], b: list[Units] | None) -> Array:
        """Scores of all pairs."""

    def warn_of(self, items: list[Units]) -> None:
        """One warning about the constant units and representations among these."""
        widths = np.array([item.data.shape[1] for item in items], np.int64)
        self._warn(widths, np.array([item.constant for item in items], np.int64))

    def warn_of_pair(self, pair: Pair, constants: Array) -> None:
        """The same for a batch of pairs, with the numbers of constant units ``(..., 2)``."""
        if not (batch_size(pair.batch) and constants.any()):
            return
        sides = (pair.x, pair.y)
        counts = [_once(constants[..., k], side).ravel() for k, side in enumerate(sides)]
        widths = [np.full(c.shape, side.shape[-1]) for c, side in zip(counts, sides, strict=True)]
        self._warn(np.concatenate(widths), np.concatenate(counts))

    def _warn(self, widths: Array, constants: Array) -> None:
        constant = constants == widths
        warn_degenerate(self.name, int(constants[~constant].sum()), int(constant.sum()))


def engine_lists(
    a: list[Units], b: list[Units] | None
) -> tuple[list[Array], list[int], list[Array] | None, list[int]]:
    """The two collections as the engine takes them; ``b=None`` stands for ``a`` again."""
    other = a if b is None else b
    return (
        [item.data for item in a],
        [item.constant for item in a],
        None if b is None else [item.data for item in b],
        [item.constant for item in other],
    )


def _once(counts: Array, side: Array) -> Array:
    """Counts per item of the batch, but one for items that broadcasting repeats."""
    return counts[tuple(slice(1) if s == 0 else slice(None) for s in side.strides[:-2])]
