"""What a measure is: the class that all measures share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import (
    Found,
    Pair,
    first_of_repeats,
    narrowed,
    read_pair,
    require_no_overflow,
)
from likewise._border.tracking import is_tracked, tracked
from likewise.errors import InputTypeError, warn_degenerate, warn_small_sample

if TYPE_CHECKING:
    from likewise.measure.moments import Moments

__all__ = ["EngineMeasure", "Found", "Gradients", "Kind", "Measure", "score_error"]

Kind = Literal["similarity", "distance"]
_NONE = np.empty(0, np.int64)


class Gradients(NamedTuple):
    """Scores ``(...)`` and their gradients by ``x (..., n, dx)`` and ``y (..., n, dy)``, of the
    broadcast batch axes."""

    score: Any
    x: Any
    """None where it was not asked for."""
    y: Any


class Measure(ABC):
    """A number for two representations, with what is known about it.

    A measure is a frozen dataclass whose fields are its options, with ``name`` and what differs
    from the defaults below. In NumPy it has ``prepare``, the work that is needed once per
    representation, and ``compare``, which takes two lists of prepared items of mixed widths and
    gives the whole block of scores. One such class and ``@register`` is all that is needed: the
    measure is then found by ``lw.measure``, ``lw.<name>``, :func:`likewise.pairwise`, the inference
    functions, streams, devices (which bring their arrays to the CPU for it), the command line,
    reports and the tests of declared properties.

    The measures of this package are :class:`EngineMeasure`: the engine prepares and compares.
    """

    name: ClassVar[str]
    """Name of the public function that computes it."""
    least_for_interval: ClassVar[int] = 50
    """Fewest samples for which :func:`likewise.bootstrap` was seen to cover."""

    @property
    def flexible(self) -> bool:
        """Whether few samples inflate its scores."""
        return False

    @property
    def streamable(self) -> bool:
        """Whether it is a function of sums over samples, :meth:`from_moments`."""
        return False

    @property
    def differentiable(self) -> bool:
        """Whether it has ``gradients``."""
        return False

    @property
    def min_samples(self) -> int:
        """Fewest samples for which it is defined."""
        return 2

    @property
    def kind(self) -> Kind:
        """Whether alike representations score high or low."""
        return "similarity"

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest possible score."""
        return 0.0, 1.0

    @property
    def symmetric(self) -> bool:
        """Whether both sides may change places."""
        return True

    @property
    def is_metric(self) -> bool:
        """Whether it obeys the triangle inequality and is zero between equivalent items only."""
        return False

    @property
    def invariances(self) -> frozenset[str]:
        """Of ``translation``, ``isotropic_scaling``, ``orthogonal``, ``permutation``,
        ``invertible``: what may be done to the units of one side without changing the score."""
        return frozenset()

    @property
    def errors(self) -> tuple[float, float]:
        """How far scores of float64 and of float32 data may be off, as shares of the width of their
        range or, where that is infinite, of the largest score that is compared, among them the
        root of the product of what both sides score with themselves by :attr:`reference`.

        Digits of distances are fewer near 0.
        """
        return (1e-10, 1e-5) if self.kind == "similarity" else (1e-9, 3e-5)

    @property
    def reference(self) -> Measure | None:
        """The measure by which items that are compared with themselves give the size of scores."""
        return self

    def prepare(self, items: Sequence[Array]) -> list[Any]:
        """Everything that is needed once per representation. Items are checked 2-D floats."""
        raise NotImplementedError(f"{self.name}: has no prepare")

    def compare(self, a: list[Any], b: list[Any] | None) -> Array:
        """Scores ``(len(a), len(b))`` in float64; ``b=None`` compares ``a`` with itself."""
        raise NotImplementedError(f"{self.name}: has no compare")

    @property
    def on_devices(self) -> bool:
        """Whether CUDA devices compute it; otherwise the CPU does, from copies, and says so."""
        return False

    def scores(self, library: Any, a: Sequence[Any], b: Sequence[Any] | None) -> Any:
        """Scores of all pairs of the library's arrays ``(n, d)``, float64 there; ``b=None``
        compares ``a`` with itself. Warns, and finishes the call."""
        items, _ = library.on_cpu([*a, *(b or ())])
        left = self.prepare(items[: len(a)])
        right = None if b is None else self.prepare(items[len(a) :])
        return library.sent(self.compare(left, right))

    def pairs(self, pair: Pair) -> Any:
        """The same of every x of a batch with its y."""
        here, scores = pair.on_cpu(), np.empty(pair.batch)
        for index in np.ndindex(pair.batch):
            sides = (self.prepare([side[index]]) for side in (here.x, here.y))
            scores[index] = self.compare(*sides)[0, 0]
        return pair.library.sent(scores)

    def reordered(self, library: Any, x: Any, y: Any, orders: Array) -> Any:
        """Scores of x with y, its samples in each of these orders ``(k, n)``, without a warning or
        a wait; None where :meth:`pairs` of reordered copies are as fast."""
        return None

    def bytes_per_pair(self, samples: int, units: int) -> int:
        """What comparing one pair with so many units together takes at most, about."""
        return 8 * samples * units

    def of_part(self, samples: int, whole: int) -> Self:
        """The measure of so many of all samples that sees as much of them: neighbours in
        proportion."""
        return self

    def folds(self, samples: int) -> list[Array]:
        """Which samples are held out together, of measures that are scored on such."""
        return [np.arange(samples)]

    def from_moments(self, moments: Sequence[Moments]) -> Array:
        """Scores of all pairs from sums over samples, one set of sums per fold; measures without
        folds get one. Streamable measures only."""
        raise NotImplementedError(f"{self.name}: is no function of sums over samples")

    def gradients(
        self,
        x: Any,
        y: Any,
        *,
        wanted: tuple[bool, bool] = (True, True),
        check_finite: bool = True,
    ) -> Gradients:
        """Scores of batches with their gradients by x and by y, or by those that are wanted. NaN
        where the score is; elsewhere as the measure's function says.

        Raises :class:`InputTypeError` for measures that are not differentiable.
        """
        self.require_differentiable()
        pair = self._read(x, y, check_finite)
        library = pair.library
        by_x, by_y = (
            library.empty(side.shape, side.dtype) if asked else None
            for side, asked in zip((pair.x, pair.y), wanted, strict=True)
        )
        score = self.pairs_and_gradients(pair, by_x, by_y)
        by_x, by_y = (None if side is None else library.give(side) for side in (by_x, by_y))
        return Gradients(_given(self, pair, score), by_x, by_y)

    def require_differentiable(self) -> None:
        """Raise ``InputTypeError`` for measures without gradients."""
        if not self.differentiable:
            raise InputTypeError(
                f"{self.name}: x or y requires grad and {self} is not differentiable; call "
                ".detach() first"
            )

    def pairs_and_gradients(self, pair: Pair, by_x: Any, by_y: Any) -> Any:
        """:meth:`pairs`, and the gradients that are not None filled."""
        raise NotImplementedError(f"{self.name}: has no gradients")

    def __call__(self, x: Any, y: Any, *, check_finite: bool = True) -> Any:
        """Scores of batches ``x (..., n, dx)`` and ``y (..., n, dy)``, as the public function."""
        if is_tracked(x, y):
            return tracked("tracked_scores")(self, x, y, check_finite)
        pair = self._read(x, y, check_finite)
        return _given(self, pair, self.pairs(pair))

    def _read(self, x: Any, y: Any, check_finite: bool) -> Pair:
        return read_pair(self.name, x, y, check_finite=check_finite, min_samples=self.min_samples)


class EngineMeasure(Measure):
    """A measure that both engines compute, by functions of the same names and arguments."""

    @property
    def on_devices(self) -> bool:
        return True

    kinds: ClassVar[int] = 1
    """How many things the engine counts of every item; constant units come first, below 0 where the
    CPU's engine met numbers that are not finite."""

    def sums(self) -> int:
        """How many things it counts over all pairs."""
        return 0

    def fill_scores(self, library: Any, a: list[Any], b: list[Any], *out: Any) -> Any:
        """Fill scores ``(len(a), len(b))``, counts ``(kinds, items)`` and, if there are any, sums
        of all pairs, an empty ``b`` standing for ``a``."""
        raise NotImplementedError

    def fill_pairs(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        """The same of the pairs of a batch: scores ``(...)``, counts ``(kinds, 2, ...)``. False
        where all counts are zero, which only the CPU's engine knows."""
        raise NotImplementedError

    def fill_gradients(self, library: Any, x: Any, y: Any, *out: Any) -> Any:
        """The same, and gradients by x and by y or None. Of differentiable measures."""
        raise NotImplementedError

    def in_orders(
        self, library: Any, function: str, x: Any, y: Any, orders: Array, options: Any
    ) -> Any:
        """:meth:`reordered` by this function of the engine; None where an engine has none, or it
        says that it does not take so many samples."""
        run = getattr(library.engine, function, None)
        scores = library.empty((len(orders),), np.float64)
        if run is None or run(x, y, orders, scores, options, library.run) is False:
            return None
        return scores

    def report(self, found: Found) -> None:
        """Warn of what was found in the items of a call."""
        constant = found.constant
        units = int(found.counts[0][~constant].sum())
        warn_degenerate(self.name, units, int(constant.sum()), self.dropped(found))
        if self.flexible:
            warn_small_sample(self.name, found.samples, int(found.widths.max()), 0)

    def dropped(self, found: Found) -> int:
        """Directions that were left out."""
        return 0

    def is_coarse(self, counts: Array) -> bool:
        """Whether float32 has too few digits for what was compared."""
        return False

    def scores(self, library: Any, a: Sequence[Any], b: Sequence[Any] | None) -> Any:
        others = None if b is None else list(b)
        scores, counts, sums = self.counted_scores(library, list(a), others)
        if counts is not None:
            widths = np.array([item.shape[1] for item in (*a, *(b or ()))])
            self.report(Found(counts, widths, len(a), a[0].shape[0], sums))
        return scores

    def counted_scores(
        self, library: Any, a: list[Any], b: list[Any] | None
    ) -> tuple[Any, Array | None, Array]:
        """Scores, counts and sums on the host, without a warning; no counts without a wait."""
        items = a if b is None else a + b
        scores = library.empty((len(a), len(a if b is None else b)), np.float64)
        counts = library.zeros((self.kinds, len(items)), np.int64)
        sums = [library.zeros((self.sums(),), np.int64)] if self.sums() else []
        if 0 not in scores.shape:
            self.fill_scores(library, a, b or [], scores, counts, *sums)
        found = library.finish(counts, *sums)
        if found is None or 0 in scores.shape:
            return scores, None, _NONE
        if self._is_coarse(library, items[0], found[0]):
            wide = [library.cast(item, np.dtype(np.float64)) for item in items]
            return self.counted_scores(library, wide[: len(a)], wide[len(a) :] or None)
        require_no_overflow(self.name, found[0][0], items)
        return scores, np.maximum(found[0], 0), found[1] if sums else _NONE

    def pairs(self, pair: Pair) -> Any:
        return self.counted_pairs(pair, self.fill_pairs)

    def pairs_and_gradients(self, pair: Pair, by_x: Any, by_y: Any) -> Any:
        def fill(library: Any, x: Any, y: Any, *out: Any) -> Any:
            return self.fill_gradients(library, x, y, *out, by_x, by_y)

        return self.counted_pairs(pair, fill)

    def counted_pairs(self, pair: Pair, fill: Callable[..., Any], *axes: int) -> Any:
        """What this makes of the pairs of a batch, ``(..., *axes)``, and warnings."""
        x, y, batch, library, _ = pair
        scores = library.empty((*batch, *axes), np.float64)
        if 0 in batch:
            library.finish()
            return scores
        counts = library.zeros((self.kinds, 2, *batch), np.int64)
        sums = [library.zeros((self.sums(),), np.int64)] if self.sums() else []
        if fill(library, x, y, scores, counts, *sums) is not False:
            found = library.finish(counts, *sums)
            if found is not None and self._is_coarse(library, x, found[0]):
                return self.pairs(pair.in_double())
            if found is not None:
                self.report_pairs(pair, *found)
        elif self.flexible:
            warn_small_sample(self.name, x.shape[-2], x.shape[-1], y.shape[-1])
        return scores

    def report_pairs(self, pair: Pair, counts: Array, sums: Array = _NONE) -> None:
        """:meth:`report` of a batch, each of its items once."""
        sides = [first_of_repeats(counts[:, k], side) for k, side in enumerate(pair[:2])]
        if pair.unchecked and any((side[0] < 0).any() for side in sides):
            pair.require_finite(self.name)
        rows = sides[0].shape[1]
        widths = np.repeat([s.shape[-1] for s in pair[:2]], [rows, sides[1].shape[1]])
        self.report(Found(np.maximum(np.hstack(sides), 0), widths, rows, pair.x.shape[-2], sums))

    def _is_coarse(self, library: Any, item: Any, counts: Array) -> bool:
        if item.dtype == np.float64 or not self.is_coarse(counts):
            return False
        library.found_coarse()
        return True


def _given(measure: Measure, pair: Pair, scores: Any) -> Any:
    """Scores of a pair in the dtype and library of its arrays."""
    return pair.library.give(narrowed(measure, pair.library, scores, pair.x.dtype))


def score_error(measure: Measure, dtype: Any) -> float:
    """The declared error of scores of such data, as a share of their scale."""
    return measure.errors[np.dtype(dtype) == np.float32]
