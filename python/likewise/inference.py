"""How much of a score is chance: permutation test and bootstrap over stimuli."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from likewise import _cpu
from likewise._array import Array
from likewise._device import is_device_array
from likewise._draws import bootstrap_on_device, permutation_test_on_device
from likewise._orders import Orders
from likewise._representations import Pair, read_pair
from likewise.errors import quiet
from likewise.measure import Measure, measure, require_version, score_error

__all__ = ["Bootstrap", "PermutationTest", "bootstrap", "permutation_test"]

_CHUNK_BYTES = 32 * 2**20


class PermutationTest(NamedTuple):
    """A score and what it is when the rows of ``y`` are shuffled."""

    score: Any
    p_value: Any
    """A float; of data on a device an array there, so that nothing has to wait for it."""
    null: Any
    """The ``n`` scores of shuffled data; their mean and standard deviation are the control."""

    def __repr__(self) -> str:
        if is_device_array(self.null):
            return f"PermutationTest(over {self.null.shape[0]} shuffles on a device)"
        null = np.asarray(self.null)
        return (
            f"PermutationTest(score={float(self.score):.4g}, p_value={self.p_value:.4g}, "
            f"null={null.mean():.4g} ± {null.std():.4g} over {null.size} shuffles)"
        )


class Bootstrap(NamedTuple):
    """A score and its spread over resampled stimuli."""

    score: Any
    standard_error: Any
    low: Any
    """2.5th percentile of the draws."""
    high: Any
    """97.5th percentile of the draws. Floats; of data on a device arrays there."""
    draws: Any

    def __repr__(self) -> str:
        if is_device_array(self.draws):
            return f"Bootstrap(over {self.draws.shape[0]} draws on a device)"
        return (
            f"Bootstrap(score={float(self.score):.4g}, standard_error={self.standard_error:.4g}, "
            f"low={self.low:.4g}, high={self.high:.4g}, over {len(self.draws)} draws)"
        )


def permutation_test(
    x: Any,
    y: Any,
    measure: str | Measure = "procrustes",
    n: int = 1000,
    random_state: int | np.random.Generator | None = 0,
    *,
    check_finite: bool = True,
    **options: Any,
) -> PermutationTest:
    """Is this score larger than chance? Compares it with ``n`` shuffles of the stimuli of ``y``.

    ``p = (1 + #{shuffles at least as extreme}) / (n + 1)`` (Phipson & Smyth 2010), one-sided:
    larger for similarities, smaller for distances. Where the stimuli have no more than ``n``
    orders, each is taken once and the p-value is exact: ``#{orders at least as extreme} / n!``,
    the given one among them. Shuffles that tie with the score, as those of repeated stimuli do, are
    as extreme: scores tie within the error that the measure declares, 1e-10 of its range in float64
    and 1e-5 in float32 (distances 1e-9 and 3e-5, whose digits are fewer near 0).

    Orders are made in blocks: memory stays below twice the input and 64 MiB, beside the matrices of
    all pairs of samples that RSA, neighbours and CKA of wide data compare.

    Parameters
    ----------
    x, y
        Representations ``(n_samples, dx)`` and ``(n_samples, dy)``.
    measure
        A name of :func:`likewise.measures` with its ``options``, or a measure object.
    n
        Number of shuffles.
    random_state
        Seed or generator.

    Returns
    -------
    PermutationTest
        ``score``, ``p_value`` in ``[1 / (n + 1), 1]`` or ``[1 / n!, 1]`` (NaN if the score is) and
        the ``null``: the scores of the ``n`` shuffles, or of all orders.

    Raises
    ------
    ValueError
        For ``n < 1``, representations that are not 2-D, or what the measure itself refuses.
    InputTypeError
        For arrays on a CUDA device and a measure that has no version for them.
    """
    chosen, pair = _one_pair("permutation_test", x, y, measure, options, n, check_finite)
    library, orders = pair.library, Orders(pair.x.shape[0], n, random_state)
    if library.engine is not _cpu:
        return PermutationTest(*permutation_test_on_device(chosen, pair, orders))
    score = chosen(pair.x, pair.y, check_finite=False)
    with quiet():
        null = _reordered(chosen, pair.x, pair.y, orders).astype(pair.x.dtype, copy=False)
    p_value = float("nan")
    if not np.isnan(score):
        tie = _tie(chosen, pair, [score, *null])
        excess = null.astype(np.float64) - float(score)
        similarity = chosen.kind == "similarity"
        extreme = np.count_nonzero(excess >= -tie if similarity else excess <= tie)
        p_value = float(
            extreme / orders.count if orders.exact else (1 + extreme) / (orders.count + 1)
        )
    return PermutationTest(library.give(np.asarray(score)), p_value, library.give(null))


def bootstrap(
    x: Any,
    y: Any,
    measure: str | Measure = "procrustes",
    n: int = 1000,
    random_state: int | np.random.Generator | None = 0,
    *,
    check_finite: bool = True,
    **options: Any,
) -> Bootstrap:
    """How far does this score move when other stimuli are drawn? ``n`` resamples with replacement.

    The same rows are drawn from both representations. Repeated rows look like agreement, so the
    draws of flexible measures sit above the score when samples are few; the standard error and
    the percentile interval (Efron & Tibshirani 1993, ch. 13) describe the spread, not a bias.

    Parameters
    ----------
    x, y
        Representations ``(n_samples, dx)`` and ``(n_samples, dy)``.
    measure
        A name of :func:`likewise.measures` with its ``options``, or a measure object.
    n
        Number of resamples, at least 2.
    random_state
        Seed or generator.

    Returns
    -------
    Bootstrap
        ``score``, ``standard_error``, ``low``, ``high`` (95 % percentile interval) and ``draws``.
        Draws in which a representation is constant are NaN and left out of the summary.

    Raises
    ------
    ValueError
        For ``n < 2``, representations that are not 2-D, or what the measure itself refuses.
    InputTypeError
        For arrays on a CUDA device and a measure that has no version for them.
    """
    chosen, pair = _one_pair("bootstrap", x, y, measure, options, n, check_finite, at_least=2)
    rng = np.random.default_rng(random_state)
    samples = pair.x.shape[0]
    rows = np.array([rng.integers(samples, size=samples) for _ in range(n)])
    library = pair.library
    if library.engine is not _cpu:
        return Bootstrap(*bootstrap_on_device(chosen, pair, rows))
    score = chosen(pair.x, pair.y, check_finite=False)
    draws = _resampled(chosen, pair.x, pair.y, rows)
    kept = draws[~np.isnan(draws)].astype(np.float64)
    error = low = high = float("nan")
    if kept.size >= 2:
        error = float(kept.std(ddof=1))
        low, high = (float(q) for q in np.quantile(kept, [0.025, 0.975]))
    return Bootstrap(library.give(np.asarray(score)), error, low, high, library.give(draws))


def _one_pair(
    function: str,
    x: Any,
    y: Any,
    name: str | Measure,
    options: dict[str, Any],
    n: int,
    check_finite: bool,
    at_least: int = 1,
) -> tuple[Measure, Pair]:
    chosen = measure(name, **options)
    if n < at_least:
        raise ValueError(f"{function}: n must be at least {at_least}, got {n}")
    pair = read_pair(function, x, y, check_finite=check_finite, min_samples=chosen.min_samples)
    if pair.batch:
        raise ValueError(
            f"{function}: x and y must be 2-D, got shapes {pair.x.shape} and {pair.y.shape}"
        )
    if pair.library.engine is not _cpu:
        require_version(function, "x and y", chosen)
    return chosen, pair


def _tie(chosen: Measure, pair: Pair, scores: list[Any]) -> float:
    """The largest difference that rounding can make between two of these scores."""
    scale = chosen.range[1] - chosen.range[0]
    if np.isinf(scale):
        reference = getattr(chosen, "reference", chosen)
        with quiet():
            own = [float(reference(side, side, check_finite=False)) for side in (pair.x, pair.y)]
        scale = float(np.nanmax(np.abs([*scores, np.sqrt(abs(own[0] * own[1]))])))
    return score_error(chosen, pair.x.dtype) * scale


def _reordered(chosen: Measure, x: Array, y: Array, orders: Orders) -> Array:
    """Scores of x with y, its samples in each of these orders."""
    if hasattr(chosen, "reordered"):
        return chosen.reordered(x, y, orders.blocks())
    blocks = orders.blocks(y.nbytes, _CHUNK_BYTES)
    return np.concatenate([chosen(x, y[block], check_finite=False) for block in blocks])


def _resampled(chosen: Measure, x: Array, y: Array, rows: Array) -> Array:
    """Scores of each of these rows of x with the same rows of y."""
    with quiet():
        if hasattr(chosen, "resampled"):
            return chosen.resampled(x, y, rows).astype(x.dtype, copy=False)
        size = int(np.clip(_CHUNK_BYTES // (x.nbytes + y.nbytes), 1, len(rows)))
        parts = [rows[first : first + size] for first in range(0, len(rows), size)]
        return np.concatenate([chosen(x[part], y[part], check_finite=False) for part in parts])
