"""Scores of redrawn samples on CUDA devices: what the inference functions do there.

The orders of the samples come from NumPy's generators and are sent without a wait; rows are
gathered on the device, and what is said about the scores is computed there. The public functions
that compare the draws report to the call that they are parts of, which waits once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Pair
from likewise.errors import quiet
from likewise.measure import Measure, score_error
from likewise.measure.orders import Orders
from likewise.measure.subsets import Interval, Subsets

__all__ = ["bootstrap_on_device", "permutation_test_on_device"]

_CHUNK_BYTES = 256 * 2**20
_SUBSET_BYTES = 64 * 2**20
_ORDER_BYTES = 32 * 2**20  # of which the host keeps one block


def permutation_test_on_device(chosen: Measure, pair: Pair, orders: Orders) -> list[Any]:
    """The score, its p-value and the scores with the samples of y in these orders."""
    library = pair.library
    score, null = _score_and_draws(chosen, pair, lambda pair: _reordered(chosen, pair, orders))
    low, high = chosen.range
    own = [score, score]
    reference = getattr(chosen, "reference", chosen)
    if np.isinf(high - low) and reference is not None:
        with library.parts(), quiet():
            own = [_compared(reference, library, side, side) for side in (pair.x, pair.y)]
    error = score_error(chosen, pair.x.dtype)
    how = (chosen.kind == "similarity", orders.exact, error, high - low)
    p_value = library.empty((), np.float64)
    library.engine.p_value(score, null, own, how, p_value, library.run)
    return [library.give(value) for value in (score, p_value, null)]


def bootstrap_on_device(
    chosen: Measure, pair: Pair, subsets: Subsets, interval: Interval
) -> list[Any]:
    """The score, its standard error, both ends of the interval and the scores of the subsets."""
    library = pair.library
    score, draws = _score_and_draws(chosen, pair, lambda pair: _of_subsets(pair, subsets))
    summary = [library.empty((), np.float64) for _ in range(3)]
    library.engine.interval(score, draws, tuple(interval), *summary, library.run)
    return [library.give(value) for value in (score, *summary, draws)]


def _score_and_draws(chosen: Measure, pair: Pair, draw: Callable[[Pair], Any]) -> tuple[Any, Any]:
    library = pair.library
    with library.parts(), quiet():
        draws = draw(pair)
    with library.parts(last=True):
        score = _compared(chosen, library, pair.x, pair.y)
    if library.coarse:
        exact = np.dtype(np.float64)
        wide = pair._replace(x=library.cast(pair.x, exact), y=library.cast(pair.y, exact))
        with library.parts(), quiet():
            draws = library.cast(draw(wide), pair.x.dtype)
    return score, draws


def _reordered(chosen: Measure, pair: Pair, orders: Orders) -> Any:
    """Scores of x with y, its samples in each of these orders."""
    library, fast = pair.library, getattr(chosen, "reordered_on_device", None)
    scores: list[Any] = []
    for block in orders.blocks(most_bytes=_ORDER_BYTES):
        some = None if fast is None else fast(library, pair.x, pair.y, block)
        if some is None:
            break
        scores.append(library.cast(some, pair.x.dtype))
    if not scores:
        for block in orders.blocks(_bytes_per_draw(chosen, pair, orders.samples), _CHUNK_BYTES):
            (y,) = _gathered(library, [pair.y], block)
            scores.append(_compared(chosen, library, pair.x, y))
    return _joined(pair, scores, orders.count)


def _of_subsets(pair: Pair, subsets: Subsets) -> Any:
    """Scores of these rows of x with the same rows of y."""
    library, scores = pair.library, []
    width = pair.x.shape[1] + pair.y.shape[1]
    for part, rows in subsets.blocks(width * pair.x.dtype.itemsize, _SUBSET_BYTES):
        drawn = _gathered(library, [pair.x, pair.y], rows)
        scores.append(_compared(part, library, *drawn))
    return _joined(pair, scores, subsets.count)


def _gathered(library: Any, sides: list[Any], rows: Array) -> list[Any]:
    drawn = [library.empty((*rows.shape, side.shape[1]), side.dtype) for side in sides]
    library.engine.gather_rows(sides, rows, drawn, library.run)
    return drawn


def _bytes_per_draw(chosen: Measure, pair: Pair, samples: int) -> int:
    numbers = samples * (pair.x.shape[1] + pair.y.shape[1])  # most measures copy x for every draw
    if getattr(chosen, "compares_samples", False):
        numbers += samples * samples  # which stay until all items are compared
    return int(numbers * pair.x.dtype.itemsize)


def _compared(chosen: Measure, library: Any, x: Any, y: Any) -> Any:
    """Scores of the measure, as arrays of the engine."""
    scores = chosen(library.give(x), library.give(y), check_finite=False)
    return library.view("scores", scores)


def _joined(pair: Pair, parts: list[Any], count: int) -> Any:
    if len(parts) == 1:
        return parts[0]
    out = pair.library.empty((count,), pair.x.dtype)
    pair.library.engine.join(parts, out, pair.library.run)
    return out
