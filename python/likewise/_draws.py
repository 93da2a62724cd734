"""Scores of redrawn samples on CUDA devices: what the inference functions do there.

The orders of the samples come from NumPy's generators and are sent without a wait; rows are
gathered on the device, and what is said about the scores is computed there. The public functions
that compare the draws report to the call that they are parts of, which waits once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from likewise._array import Array
from likewise._representations import Pair
from likewise.errors import quiet
from likewise.measure import Measure

__all__ = ["bootstrap_on_device", "permutation_test_on_device"]

_CHUNK_BYTES = 256 * 2**20


def permutation_test_on_device(chosen: Measure, pair: Pair, orders: Array) -> list[Any]:
    """The score, its p-value and the scores with the samples of y in these orders ``(k, n)``."""
    library = pair.library
    score, null = _score_and_draws(chosen, pair, orders, _reordered)
    p_value = library.empty((), np.float64)
    library.engine.p_value(score, null, chosen.kind == "similarity", p_value, library.run)
    return [library.give(value) for value in (score, p_value, null)]


def bootstrap_on_device(chosen: Measure, pair: Pair, rows: Array) -> list[Any]:
    """The score, its standard error, both percentiles and the scores of these rows ``(k, n)``."""
    library = pair.library
    score, draws = _score_and_draws(chosen, pair, rows, _resampled)
    summary = [library.empty((), np.float64) for _ in range(3)]
    library.engine.spread(draws, *summary, library.run)
    return [library.give(value) for value in (score, *summary, draws)]


def _score_and_draws(
    chosen: Measure, pair: Pair, rows: Array, draw: Callable[[Measure, Pair, Array], Any]
) -> tuple[Any, Any]:
    library, rows = pair.library, rows.astype(np.int32)
    with library.parts(), quiet():
        draws = draw(chosen, pair, rows)
    with library.parts(last=True):
        score = _compared(chosen, library, pair.x, pair.y)
    if library.coarse:
        exact = np.dtype(np.float64)
        wide = pair._replace(x=library.cast(pair.x, exact), y=library.cast(pair.y, exact))
        with library.parts(), quiet():
            draws = library.cast(draw(chosen, wide, rows), pair.x.dtype)
    return score, draws


def _reordered(chosen: Measure, pair: Pair, orders: Array) -> Any:
    """Scores of x with y, its samples in each of these orders."""
    fast = getattr(chosen, "reordered_on_device", None)
    found = _in_parts(fast, pair, orders)
    return _redrawn(chosen, pair, orders, resample_x=False) if found is None else found


def _resampled(chosen: Measure, pair: Pair, rows: Array) -> Any:
    """Scores of these rows of x with the same rows of y."""
    fast = getattr(chosen, "resampled_on_device", None)
    found = _in_parts(fast, pair, rows)
    return _redrawn(chosen, pair, rows, resample_x=True) if found is None else found


def _in_parts(fast: Any, pair: Pair, rows: Array) -> Any:
    """What a measure's own way gives; None where it has none."""
    if fast is None:
        return None
    scores = []
    for part in _chunks(rows, 4 * rows.shape[1]):
        some = fast(pair.library, pair.x, pair.y, part)
        if some is None:
            return None
        scores.append(pair.library.cast(some, pair.x.dtype))
    return _joined(pair, scores, len(rows))


def _redrawn(chosen: Measure, pair: Pair, rows: Array, *, resample_x: bool) -> Any:
    library, x, y = pair.library, pair.x, pair.y
    samples = rows.shape[1]
    numbers = samples * (x.shape[1] + y.shape[1])  # x is copied for every draw by most measures
    if getattr(chosen, "compares_samples", False):
        numbers += samples * samples  # which stay until all items are compared
    scores = []
    for part in _chunks(rows, numbers * x.dtype.itemsize):
        sides = [x, y] if resample_x else [y]
        drawn = [library.empty((len(part), *side.shape), side.dtype) for side in sides]
        library.engine.gather_rows(sides, part, drawn, library.run)
        scores.append(_compared(chosen, library, drawn[0] if resample_x else x, drawn[-1]))
    return _joined(pair, scores, len(rows))


def _compared(chosen: Measure, library: Any, x: Any, y: Any) -> Any:
    """Scores of the measure, as arrays of the engine."""
    scores = chosen(library.give(x), library.give(y), check_finite=False)
    return library.view("scores", scores)


def _chunks(rows: Array, bytes_per_draw: int) -> Iterator[Array]:
    size = int(np.clip(_CHUNK_BYTES // bytes_per_draw, 1, len(rows)))
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def _joined(pair: Pair, parts: list[Any], count: int) -> Any:
    if len(parts) == 1:
        return parts[0]
    out = pair.library.empty((count,), pair.x.dtype)
    pair.library.engine.join(parts, out, pair.library.run)
    return out
