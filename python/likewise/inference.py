"""How much of a score is chance: permutation test and bootstrap over stimuli."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple

import numpy as np

from likewise._border.arrays import Array
from likewise._border.device import is_device_array
from likewise._border.pairs import Pair, narrowed, read_pair
from likewise._border.types import AnyArray, ArrayT
from likewise.errors import quiet
from likewise.measure import Measure, MeasureLike, measure, score_error
from likewise.measure.orders import Orders
from likewise.measure.subsets import Subsets

__all__ = ["Bootstrap", "PermutationTest", "bootstrap", "permutation_test"]


class PermutationTest(NamedTuple, Generic[ArrayT]):
    """A score and what it is when the rows of ``y`` are shuffled."""

    score: ArrayT
    p_value: float
    null: ArrayT
    """The ``n`` scores of shuffled data; their mean and standard deviation are the control."""

    def __repr__(self) -> str:
        given: Any = self.null
        if is_device_array(given):
            return f"PermutationTest(over {given.shape[0]} shuffles on a device)"
        null = np.asarray(self.null)
        return (
            f"PermutationTest(score={np.asarray(self.score):.4g}, p_value={self.p_value:.4g}, "
            f"null={null.mean():.4g} ± {null.std():.4g} over {null.size} shuffles)"
        )


class Bootstrap(NamedTuple, Generic[ArrayT]):
    """A score and how far it is from what it estimates."""

    score: ArrayT
    standard_error: float
    low: float
    high: float
    """The ends of the interval."""
    draws: ArrayT
    """The ``n`` scores of subsets: parts without a fifth of the samples, then pairs of halves."""

    def __repr__(self) -> str:
        given: Any = self.draws
        if is_device_array(given):
            return f"Bootstrap(over {given.shape[0]} draws on a device)"
        return (
            f"Bootstrap(score={np.asarray(self.score):.4g}, "
            f"standard_error={self.standard_error:.4g}, low={self.low:.4g}, "
            f"high={self.high:.4g}, over {len(given)} draws)"
        )


def permutation_test(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    measure: MeasureLike = "procrustes",
    n: int = 1000,
    random_state: int | np.random.Generator | None = 0,
    *,
    groups: Any = None,
    within: bool = False,
    check_finite: bool = True,
    **options: Any,
) -> PermutationTest[ArrayT]:
    """Is this score larger than chance? Compares it with ``n`` shuffles of the stimuli of ``y``.

    ``p = (1 + #{shuffles at least as extreme}) / (n + 1)`` (Phipson & Smyth 2010), one-sided:
    larger for similarities, smaller for distances. Where the stimuli have no more than ``n``
    orders, each is taken once and the p-value is exact: ``#{orders at least as extreme} / n!``,
    the given one among them. Shuffles that tie with the score, as those of repeated stimuli do, are
    as extreme: scores tie within the error that the measure declares, 1e-10 of its range in float64
    and 1e-5 in float32 (distances 1e-9 and 3e-5, whose digits are fewer near 0).

    Samples that depend on each other (frames of a film, repeats of a stimulus) are exchanged as
    what may be exchanged under the null hypothesis: whole ``groups``, whose samples keep their
    order, or samples ``within`` their groups. Each admissible order is as likely as any other, and
    all are taken once where they are at most ``n``.

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
    groups
        Which group each sample is of, ``(n_samples,)`` labels of any kind. Of equal sizes, unless
        ``within``.
    within
        Exchange samples within their groups, and not the groups.

    Returns
    -------
    PermutationTest
        ``score``, ``p_value`` in ``[1 / (n + 1), 1]``, or from 1 over the number of all orders
        (NaN if the score is), and the ``null``: the scores of the ``n`` shuffles, or of all orders.

    Raises
    ------
    ValueError
        For ``n < 1``, representations that are not 2-D, groups of unequal sizes or of nothing to
        exchange, ``within`` without groups, groups together with a measure that holds out folds of
        single samples, or what the measure itself refuses.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> films = np.repeat(np.arange(6), 10)  # 6 films of 10 frames
    >>> x = np.eye(6)[films] + 0.1 * rng.standard_normal((60, 6))
    >>> lw.permutation_test(x, x, "cka", groups=films).null.size  # 6! orders of films
    720
    """
    chosen, pair = _one_pair("permutation_test", x, y, measure, options, n, check_finite)
    samples = pair.x.shape[0]
    require_no_folds("permutation_test", chosen, samples, groups)
    orders = Orders(samples, n, random_state, groups=groups, within=within)
    library = pair.library
    score, null = score_and_draws(chosen, pair, lambda pair: in_orders(chosen, pair, orders))
    p_value = float("nan")
    if not np.isnan(score):
        tie = tie_width(chosen, pair, [score, *null])
        excess = null.astype(np.float64) - float(score)
        similarity = chosen.kind == "similarity"
        extreme = np.count_nonzero(excess >= -tie if similarity else excess <= tie)
        p_value = float(
            extreme / orders.count if orders.exact else (1 + extreme) / (orders.count + 1)
        )
    return PermutationTest(_given(library, score), p_value, _given(library, null))


def bootstrap(
    x: AnyArray[ArrayT],
    y: AnyArray[ArrayT],
    measure: MeasureLike = "procrustes",
    n: int = 1000,
    random_state: int | np.random.Generator | None = 0,
    *,
    groups: Any = None,
    level: float = 0.95,
    check_finite: bool = True,
    **options: Any,
) -> Bootstrap[ArrayT]:
    """How far may this score be from what it estimates? An interval from ``n`` subsets of stimuli.

    The estimand is the expectation of the score over fresh samples of this size: of unbiased HSIC
    the population's value, of unbiased CKA the same up to a term in ``1 / n_samples``; of biased
    CKA, Procrustes, CCA, neighbours and matchings the inflation by few samples is part of it, and
    of predictivity the size of the training folds. It is no interval for the population's value of
    a biased score.

    Stimuli are drawn without replacement, since copies of one would look like agreement and sit on
    both sides of a fold. Scores ``T`` of parts of ``m`` samples, which leave out a fifth, give the
    delete-d jackknife's variance, ``v = m / (n - m) Var T`` (Shao & Wu 1989; the rate of Politis,
    Romano & Wolf 1999). It is right if samples act one by one, and ``1 + n / m`` times too large if
    they act in pairs, as in a U-statistic without first-order term (Efron & Stein 1981). Which
    holds is seen in pairs of disjoint halves A and B: ``s = Var((T_A + T_B) / 2)`` over the draws,
    as a share of ``E(T_A - T_B)^2 / 4``, is 0 or 1/2 (the difference of both is the unbiased
    variance of Wang & Lindsay 2014, of halves). So ``se^2 = v / (1 + n / m (s / (1 - s))^2)``,
    without the square, which is there for skewed scores, on the scale of cube roots.
    The interval is ``score +- t se``, of ``arctanh`` of similarities that are at most 1 (Fisher
    1921) and of the cube root of scores with the range (0, inf) (Wilson & Hilferty 1931), cut at
    the range of the measure; ``t`` is Student's quantile for ``n_samples / 3`` degrees, as many as
    Satterthwaite gives the variance of variates of kurtosis 7.

    ``benchmarks/NOTES.md`` has the coverage in simulations of every measure. Neighbours of a subset
    are as many as make the same share of it; samples stay in the folds that they are in. Nothing
    was shown for flexible measures (Procrustes, CCA, predictivity) of fewer samples than four times
    the wider side has units, whose halves fit noise. Samples that depend on each other need
    ``groups``, which are drawn whole and count as the samples do otherwise: the estimand is then
    the expectation over as many fresh groups.

    Parameters
    ----------
    x, y
        Representations ``(n_samples, dx)`` and ``(n_samples, dy)``.
    measure
        A name of :func:`likewise.measures` with its ``options``, or a measure object.
    n
        Number of subsets, at least 8; half of them parts.
    random_state
        Seed or generator.
    groups
        Which group each sample is of, ``(n_samples,)`` labels; groups have equal sizes, since
        subsets of one size are compared.
    level
        Confidence level of the interval.

    Returns
    -------
    Bootstrap
        ``score``, ``standard_error``, ``low``, ``high`` and ``draws``. Draws in which a
        representation is constant are NaN and left out.

    Raises
    ------
    ValueError
        For ``n < 8``, a ``level`` outside (0, 1), representations that are not 2-D, fewer samples
        (or groups) than intervals were seen to cover for (50; 100 for predictivity, 200 for
        neighbours and HSIC) or than the measure needs for both halves, groups of unequal sizes or
        together with a measure that holds out folds of single samples, or what the measure itself
        refuses.
    """
    chosen, pair = _one_pair("bootstrap", x, y, measure, options, n, check_finite, at_least=8)
    if not 0 < level < 1:
        raise ValueError(f"bootstrap: level must be between 0 and 1, got {level!r}")
    library, samples = pair.library, pair.x.shape[0]
    require_no_folds("bootstrap", chosen, samples, groups)
    subsets = Subsets(chosen, samples, n, random_state, groups=groups)
    subsets.require("bootstrap")
    score, draws = score_and_draws(chosen, pair, lambda pair: _of_subsets(pair, subsets))
    found = subsets.interval(level, pair.x.dtype).of(float(score), draws)
    return Bootstrap(_given(library, score), *found, _given(library, draws))


def require_no_folds(function: str, chosen: Measure, samples: int, groups: Any) -> None:
    if groups is not None and len(chosen.folds(samples)) > 1:
        raise ValueError(
            f"{function}: groups cannot be kept whole by the folds of {chosen.name}, which holds "
            "out single samples"
        )


def _one_pair(
    function: str,
    x: Any,
    y: Any,
    name: MeasureLike,
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
    return chosen, pair if chosen.on_devices else pair.on_cpu()


def score_and_draws(
    chosen: Measure, pair: Pair, draw: Callable[[Pair], list[Any]]
) -> tuple[Any, Array]:
    """The score, with its warnings, and scores of redrawn samples, in the dtype of the data."""
    library, dtype = pair.library, pair.x.dtype
    with library.parts(), quiet():
        draws = draw(pair)
    score = narrowed(chosen, library, chosen.pairs(pair), dtype)
    if library.coarse:
        with library.parts(), quiet():
            draws = draw(pair.in_double())
    with quiet():
        parts = [library.host(narrowed(chosen, library, part, dtype)) for part in draws]
    return library.host(score)[()], np.concatenate(parts)


def in_orders(chosen: Measure, pair: Pair, orders: Orders) -> list[Any]:
    """Scores of x with y, its samples in each of these orders."""
    x, y, _, library, _ = pair
    scores = []
    for block in orders.blocks():
        some = chosen.reordered(library, x, y, block)
        if some is None:
            break
        scores.append(some)
    if scores:
        return scores
    bytes_per_order = chosen.bytes_per_pair(orders.samples, x.shape[1] + y.shape[1])
    for block in orders.blocks(bytes_per_order, library.block_bytes):
        batch = (len(block),)
        left = library.broadcast(x, (*batch, *x.shape))
        scores.append(chosen.pairs(Pair(left, library.take(y, block), batch, library)))
    return scores


def _of_subsets(pair: Pair, subsets: Subsets) -> list[Any]:
    """Scores of subsets of the samples."""
    x, y, _, library, _ = pair
    scores = []
    bytes_per_sample = (x.shape[1] + y.shape[1]) * x.dtype.itemsize
    for part, rows in subsets.blocks(bytes_per_sample, library.block_bytes):
        taken = Pair(library.take(x, rows), library.take(y, rows), (len(rows),), library)
        scores.append(part.pairs(taken))
    return scores


def tie_width(chosen: Measure, pair: Pair, scores: list[Any]) -> float:
    """The largest difference that rounding can make between two of these scores."""
    scale = chosen.range[1] - chosen.range[0]
    if np.isinf(scale):
        own = [0.0, 0.0]
        if chosen.reference is not None:
            with quiet():
                own = [_with_itself(chosen.reference, pair, side) for side in (pair.x, pair.y)]
        scale = float(np.nanmax(np.abs([*scores, np.sqrt(abs(own[0] * own[1]))])))
    return score_error(chosen, pair.x.dtype) * scale


def _with_itself(measure: Measure, pair: Pair, side: Any) -> float:
    library = pair.library
    return float(library.host(measure.pairs(pair._replace(x=side, y=side))))


def _given(library: Any, values: Any) -> Any:
    return library.give(library.sent(np.asarray(values)))
