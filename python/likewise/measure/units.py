"""What the measures that match units share: who computes them, and warnings of constant units."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from likewise._border.arrays import NUMPY, Array
from likewise._border.pairs import Pair
from likewise.measure.base import EngineMeasure

__all__ = ["Correlation", "UnitMeasure", "Units", "unit_norm"]

Correlation = Literal["correlation"]


class Units(NamedTuple):
    """A representation whose units are centred and of unit norm; constant ones are zero."""

    data: Array
    constant: int


def unit_norm(x: Array) -> Units:
    """The units of one representation ``(n, d)``: inner products are correlations."""
    data = np.empty(x.shape, x.dtype)
    return Units(data, NUMPY.engine.unit_columns(x, data))


@dataclass(frozen=True)
class UnitMeasure(EngineMeasure):
    """A measure of the correlations between units, which says who matches whom."""

    similarity: Correlation = "correlation"

    name: ClassVar[str]
    invariances: ClassVar[frozenset[str]] = frozenset(
        {"translation", "isotropic_scaling", "permutation"}
    )

    def __post_init__(self) -> None:
        if self.similarity != "correlation":
            raise ValueError(
                f"{self.name}: similarity must be 'correlation', got {self.similarity!r}"
            )

    @abstractmethod
    def why_on_cpu(self, library: Any, widest: int) -> str:
        """Why a device does not match representations of up to so many units, "" if it does."""

    @abstractmethod
    def empty_partners(self, pair: Pair) -> Any:
        """An array for the engine to fill: who matches whom in a batch."""

    @abstractmethod
    def fill_matches(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        """:meth:`fill_pairs`, whose last output is ``empty_partners`` or None."""

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        return self.fill_matches(library, x, y, *out, None)

    def there(self, pair: Pair) -> Pair:
        """The pair where it is matched."""
        why = self.why_on_cpu(pair.library, max(pair.x.shape[-1], pair.y.shape[-1]))
        return pair.on_cpu(why) if why else pair

    def matches(self, pair: Pair) -> tuple[Any, Any]:
        """Scores of a batch, and who matches whom."""
        partners = self.empty_partners(pair)

        def fill(library: Any, x: Any, y: Any, *out: Any) -> Any:
            return self.fill_matches(library, x, y, *out, partners)

        return self.counted_pairs(pair, fill), partners

    def pairs(self, pair: Pair) -> Any:
        here = self.there(pair)
        scores = super().pairs(here)
        return scores if here is pair else pair.library.sent(scores)

    def counted_scores(
        self, library: Any, a: list[Any], b: list[Any] | None
    ) -> tuple[Any, Array | None, Array]:
        items = a if b is None else a + b
        why = self.why_on_cpu(library, max((item.shape[1] for item in items), default=0))
        if not why:
            return super().counted_scores(library, a, b)
        copies, here = library.on_cpu(items, why)
        sides = copies[: len(a)], None if b is None else copies[len(a) :]
        scores, counts, sums = super().counted_scores(here, *sides)
        return library.sent(scores), counts, sums
