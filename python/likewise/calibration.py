"""Scores above chance: a whole grid of layers against one draw of orders of the stimuli."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items, Pair, narrowed, read_collections
from likewise._border.types import AnyItems
from likewise.errors import quiet
from likewise.grid import table
from likewise.inference import in_orders, require_no_folds, score_and_draws, tie_width
from likewise.measure import Measure, MeasureLike, measure
from likewise.measure.orders import Orders

__all__ = ["Aggregate", "Calibration", "calibrate"]

Aggregation = Literal["max", "mean", "best_per_row"]


class Aggregate(NamedTuple):
    """One number for a whole grid, with its own null distribution."""

    score: float
    p_value: float
    null: Any
    """The same number of every draw, ``(n,)`` float64, in the items' library."""


class Calibration(NamedTuple):
    """Scores of a grid, and which of them are above chance."""

    scores: Any
    p_values: Any
    """Of each pair alone, in ``[1 / (n + 1), 1]``."""
    above_chance: Any
    """``max(0, (score - t) / (best - t))`` with the threshold ``t`` of the pair alone: 0 up to it,
    1 at the best score that the measure has."""
    threshold: float
    """What the best score of the whole grid exceeds by chance with a probability of at most
    ``alpha``: a score beyond it is above chance however many pairs were looked at."""
    aggregate: Aggregate

    def __repr__(self) -> str:
        score, p_value, null = self.aggregate
        return (
            f"Calibration(threshold={self.threshold:.4g}, aggregate={score:.4g}, "
            f"p_value={p_value:.4g}, over {null.shape[0]} shuffles)\n{self.above_chance!r}"
        )


def calibrate(
    items_a: AnyItems,
    items_b: AnyItems | None = None,
    measure: MeasureLike = "cka",
    n: int = 200,
    alpha: float = 0.05,
    aggregate: Aggregation = "max",
    groups: Any = None,
    within: bool = False,
    random_state: int | np.random.Generator | None = 0,
    *,
    check_finite: bool = True,
    **options: Any,
) -> Calibration:
    """Which scores of a grid of layers are above chance, and how far?

    Compares every representation of one collection with every one of another, or of the same, and
    does so again with the stimuli of the second side in ``n`` other orders. One draw of orders
    serves all layers: a draw is a whole grid, whose best, mean or best by row is a draw of that
    number. Orders depend on ``n``, ``groups`` and ``random_state`` alone.

    Thresholds are the ``ceil((1 - alpha) (n + 1))``-th smallest of the draws and the score itself
    (largest for distances). ``p = (1 + #{draws at least as extreme}) / (n + 1)``, one-sided, as
    :func:`permutation_test` has it: scores tie within the error that the measure declares, and
    where no more than ``n`` orders are admissible each is taken once and p-values are exact.

    Where a collection is compared with itself, ``threshold`` and ``aggregate`` leave out the
    diagonal; symmetric measures compare each pair once. Pairs with a score of NaN are left out of
    both everywhere; where none is left both are NaN.

    Parameters
    ----------
    items_a, items_b
        Collections as :func:`cross` and :func:`pairwise` take them: lists, mappings of labels or
        stacked arrays of representations ``(n_samples, d)``.
    measure
        A name of :func:`likewise.measures` with its ``options``, or a measure object.
    n
        Number of orders.
    alpha
        Probability of a score beyond the threshold by chance, between 0 and 1.
    aggregate
        ``"max"``: the best score of the grid (the smallest distance); ``"mean"``: of all pairs;
        ``"best_per_row"``: the mean over rows of the best score of each.
    groups, within
        Which samples may be exchanged, as in :func:`permutation_test`.
    random_state
        Seed or generator.

    Returns
    -------
    Calibration
        ``scores``, ``p_values`` and ``above_chance`` ``(m_a, m_b)``, Grids where items had labels;
        the family-wise ``threshold``; ``aggregate`` with ``score``, ``p_value`` and ``null``.
        Scores of measures without a best one (HSIC) are ``score - t`` above chance.

    Raises
    ------
    ValueError
        For ``n < 1``, ``alpha`` outside (0, 1), an unknown aggregate, no items, and what
        :func:`permutation_test` and :func:`cross` refuse.

    Notes
    -----
    Memory is that of the items, 64 MiB, and 8 bytes for each of ``n m_a m_b`` scores. The method is
    that of Gröger, Wen & Brbić (2026, Revisiting the Platonic Representation Hypothesis).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 40))
    >>> a = {"first": x, "last": rng.standard_normal((60, 40))}
    >>> found = lw.calibrate(a, {"copy": x + rng.standard_normal((60, 40))})
    >>> found.scores["last", "copy"] > 0.3, found.above_chance["last", "copy"]
    (np.True_, np.float64(0.0))
    >>> bool(found.above_chance["first", "copy"] > 0.1), found.aggregate.p_value < 0.01
    (True, True)
    """
    given = {"items_a": items_a} if items_b is None else {"items_a": items_a, "items_b": items_b}
    chosen = _measure(measure, options)
    found, _ = calibrated(
        given, chosen, n, alpha, aggregate, groups, within, random_state, check_finite
    )
    return found


def calibrated(
    given: dict[str, Any],
    chosen: Any,
    n: int,
    alpha: float = 0.05,
    aggregate: Aggregation = "max",
    groups: Any = None,
    within: bool = False,
    random_state: int | np.random.Generator | None = 0,
    check_finite: bool = True,
) -> tuple[Calibration, Array]:
    """:func:`calibrate` of one or two collections, and the scores ``(n, m_a, m_b)`` of all draws,
    float64."""
    if n < 1:
        raise ValueError(f"calibrate: n must be at least 1, got {n}")
    if not 0 < alpha < 1:
        raise ValueError(f"calibrate: alpha must be between 0 and 1, got {alpha!r}")
    if aggregate not in get_args(Aggregation):
        known = ", ".join(map(repr, get_args(Aggregation)))
        raise ValueError(f"calibrate: aggregate must be one of {known}, got {aggregate!r}")
    a, *others = read_collections(
        "calibrate", given, check_finite=check_finite, min_samples=chosen.min_samples
    )
    b = others[0] if others else None
    of_itself = b is None
    if not a.arrays or not (b or a).arrays:
        raise ValueError("calibrate: needs at least one item on each side, got none")
    samples = a.arrays[0].shape[0]
    require_no_folds("calibrate", chosen, samples, groups)
    orders = Orders(samples, n, random_state, groups=groups, within=within, function="calibrate")
    right = b or a
    raw = chosen.scores(a.library, a.arrays, None if b is None else b.arrays)
    raw = narrowed(chosen, a.library, raw, a.arrays[0].dtype)
    null, ties = _null(chosen, a, b, orders)
    sign = 1.0 if chosen.kind == "similarity" else -1.0
    scores = sign * a.library.host(raw).astype(np.float64)
    null *= sign
    p_values = _p_values(scores, null, ties, orders)
    thresholds = _order_statistic(scores, null, alpha, orders)
    best = max(sign * bound for bound in chosen.range)
    above = scores - thresholds
    if math.isfinite(best):
        with np.errstate(divide="ignore", invalid="ignore"):
            above = np.where(above > 0, above / (best - thresholds), above)
    above = np.clip(above, 0, 1 if math.isfinite(best) else None)  # NaN stays
    left_out = np.isnan(scores)
    if of_itself:
        np.fill_diagonal(left_out, True)
    tie = float(np.nanmax(ties, initial=0.0))
    threshold = _order_statistic(*_aggregated("max", scores, null, left_out), alpha, orders)
    whole, of_draws = _aggregated(aggregate, scores, null, left_out)
    p_value = float(_p_values(whole, of_draws, np.asarray(tie), orders))
    shown = asdict(chosen)

    def given_back(values: Array, name: str) -> Any:
        return table(a.library.sent(values), a, right, f"{name} of {chosen.name}", shown)

    found = Calibration(
        table(raw, a, right, chosen.name, shown),
        given_back(p_values, "p-value"),
        given_back(above, "share above chance"),
        float(sign * threshold),
        Aggregate(float(sign * whole), p_value, a.library.give(a.library.sent(sign * of_draws))),
    )
    return found, sign * null


def _measure(name: MeasureLike, options: dict[str, Any]) -> Any:
    return measure(name, **options)


def _null(chosen: Measure, a: Items, b: Items | None, orders: Orders) -> tuple[Array, Array]:
    """Scores ``(orders, m_a, m_b)`` and by how much those of each pair may differ and tie."""
    right = a.arrays if b is None else b.arrays
    shape = len(a.arrays), len(right)
    null, ties = np.empty((orders.count, *shape)), np.zeros(shape)
    mirrored = b is None and chosen.symmetric
    for i, j in np.ndindex(shape):
        if mirrored and j < i:
            null[:, i, j], ties[i, j] = null[:, j, i], ties[j, i]
            continue
        pair = Pair(a.arrays[i], right[j], (), a.library)
        pair = pair if chosen.on_devices else pair.on_cpu()
        with quiet():  # The scores have warned of the same arrays.
            score, draws = score_and_draws(
                chosen, pair, lambda pair: in_orders(chosen, pair, orders)
            )
            null[:, i, j] = draws
            if not np.isnan(score):
                ties[i, j] = tie_width(chosen, pair, [score, *draws])
    return null, ties


def _p_values(scores: Array, null: Array, ties: Array, orders: Orders) -> Array:
    extreme = np.count_nonzero(null >= scores - ties, axis=0)
    p = extreme / orders.count if orders.exact else (1 + extreme) / (1 + orders.count)
    return np.where(np.isnan(scores), np.nan, p)


def _order_statistic(scores: Array, null: Array, alpha: float, orders: Orders) -> Array:
    """The ``ceil((1 - alpha) k)``-th smallest of k: of the draws and the score, which is one of the
    draws where these are all orders."""
    every = null if orders.exact else np.concatenate([null, np.asarray(scores)[None]])
    every = np.sort(every, axis=0)  # NaN last: such draws are as extreme as can be
    rank = math.ceil((1 - alpha) * len(every) * (1 - 1e-12))
    return np.where(np.isnan(scores), np.nan, every[max(rank, 1) - 1])


def _aggregated(how: str, scores: Array, null: Array, left_out: Array) -> tuple[Array, Array]:
    """One number for the grid and for each draw, NaN where no pair is left."""
    grids = np.concatenate([scores[None], null])
    kept = ~left_out & ~np.isnan(grids)
    if how == "mean":
        total = np.where(kept, grids, 0).sum(axis=(1, 2))
        count = kept.sum(axis=(1, 2))
    else:
        axes = 2 if how == "best_per_row" else (1, 2)
        best = np.where(kept, grids, -np.inf).max(axis=axes).reshape(len(grids), -1)
        there = np.isfinite(best)
        total, count = np.where(there, best, 0).sum(axis=1), there.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = total / count
    return whole[0], whole[1:]
