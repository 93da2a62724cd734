"""What each measure can and cannot see in given data, from its shapes and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise._border.pairs import Items, Pair, read_items
from likewise._border.types import AnyItems
from likewise.errors import quiet
from likewise.inference import in_orders, score_and_draws
from likewise.measure import Measure, MeasureLike, measure
from likewise.measure.orders import Orders

__all__ = ["Recommendation", "Statement", "recommend"]

_COMMON: tuple[MeasureLike, ...] = (
    "cka",
    "procrustes",
    "cca",
    "rsa",
    "mutual_knn",
    "permutation_match",
)
_DOMINANT = 0.5  # of the variance in one unit
_FAR = 10.0  # means of that many standard deviations
_INFLATED = 0.1  # of the way from the worst to the best score, by chance


@dataclass(frozen=True)
class Statement:
    """One thing that was seen in the data, and what it means for measures."""

    topic: str
    """``"samples"``, ``"constant units"``, ``"dominant unit"``, ``"large means"``, ``"repeats"``,
    ``"zero samples"`` or ``"chance"``."""
    about: str
    """The item, or the measure for ``"chance"``."""
    text: str
    numbers: dict[str, float]
    """What the sentence is made of."""


@dataclass(frozen=True, repr=False)
class Recommendation:
    """Statements about the data, then one for each measure, the least inflated first."""

    statements: tuple[Statement, ...]

    def __repr__(self) -> str:
        """A table of topic, item or measure, and sentence."""
        lines = [("topic", "about", ""), *((s.topic, s.about, s.text) for s in self.statements)]
        topic, about = (max(len(line[k]) for line in lines) for k in (0, 1))
        return "\n".join(f"{a:{topic}}  {b:{about}}  {text}".rstrip() for a, b, text in lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, strings and numbers; None where a number is not finite."""

        def plain(value: float) -> float | None:
            return value if math.isfinite(value) else None

        statements = [
            {
                "topic": s.topic,
                "about": s.about,
                "text": s.text,
                "numbers": {name: plain(value) for name, value in s.numbers.items()},
            }
            for s in self.statements
        ]
        return {"statements": statements}


def recommend(
    items: AnyItems,
    *,
    measures: Sequence[MeasureLike] = _COMMON,
    n: int = 10,
    random_state: int | np.random.Generator | None = 0,
    check_finite: bool = True,
) -> Recommendation:
    """What can each measure see in these representations, and what is it blind to or misled by?

    Looks at every item for units that are constant, one unit with more than half of the variance,
    means beyond ten standard deviations, samples that repeat others or are zero (padding), and
    fewer samples than twice the units. Then scores the two widest items (a single one with itself)
    by each measure, as they are and with the stimuli of one in ``n`` random orders: that is the
    level of chance at these shapes. Of the way from a measure's worst to its best score, a share
    above 0.1 by chance is called inflated.

    Parameters
    ----------
    items
        Representations ``(n_samples, d)`` as :func:`pairwise` takes them.
    measures
        Names of :func:`likewise.measures`, or measure objects.
    n
        Orders for each measure, at least 2.
    random_state
        Seed or generator.

    Returns
    -------
    Recommendation
        ``statements``, each with ``topic``, ``about``, ``text`` and ``numbers``; prints as a table.

    Raises
    ------
    ValueError
        For ``n < 2``, no items, and what :func:`pairwise` and the measures refuse.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((30, 40))
    >>> x[:, 3] = 7
    >>> found = lw.recommend({"layer": x}, measures=["cka"])
    >>> [(s.topic, s.about) for s in found.statements]
    [('samples', 'layer'), ('constant units', 'layer'), ('chance', 'cka')]
    >>> found.statements[1].text
    '1 of 40 units is constant: it adds nothing to any score.'
    """
    if n < 2:
        raise ValueError(f"recommend: n must be at least 2, got {n}")
    chosen = [measure(name) for name in measures]
    least = max((m.min_samples for m in chosen), default=2)
    read = read_items("recommend", "items", items, check_finite=check_finite, min_samples=least)
    if not read.arrays:
        raise ValueError("recommend: needs at least one item, got none")
    labels = read.labels or tuple(map(str, range(len(read.arrays))))
    found = []
    for label, array in zip(labels, read.arrays, strict=True):
        host = np.asarray(read.library.host(array), np.float64)
        found += _of_item(label, host, chosen)
    orders = Orders(read.arrays[0].shape[0], n, random_state, function="recommend")
    chances = [_of_measure(m, read, labels, orders) for m in chosen]
    chances.sort(key=lambda s: (math.isnan(s.numbers["share"]), s.numbers["share"]))
    return Recommendation((*found, *chances))


def _of_item(label: str, x: Array, chosen: list[Measure]) -> list[Statement]:
    samples, units = x.shape
    found: list[Statement] = []

    def say(topic: str, text: str, **numbers: float) -> None:
        found.append(Statement(topic, label, text, {k: float(v) for k, v in numbers.items()}))

    if samples < 2 * units:
        flexible = _names(m for m in chosen if m.flexible)
        say(
            "samples",
            f"{samples} samples for {units} units, fewer than {2 * units}: "
            + (f"{flexible} can fit noise." if flexible else "no measure that was asked for fits."),
            samples=samples,
            units=units,
        )
    means, spread = x.mean(axis=0), np.ptp(x, axis=0)
    constant = int((spread == 0).sum())
    if constant:
        verb, it = ("is", "it adds") if constant == 1 else ("are", "they add")
        say(
            "constant units",
            f"{constant} of {units} units {verb} constant: {it} nothing to any score.",
            constant=constant,
            units=units,
        )
    largest = spread.max()
    if largest > 0:  # sums of squares in units of the largest range neither over- nor underflow
        variance = (((x - means) / largest) ** 2).mean(axis=0)
        total = variance.sum()
        unit, share = int(variance.argmax()), float(variance.max() / total)
        if units > 1 and share > _DOMINANT:
            blind = _names(m for m in chosen if "orthogonal" in m.invariances and not _rescales(m))
            say(
                "dominant unit",
                f"unit {unit} has {share:.0%} of the variance of {units} units"
                + (f": little else is seen by {blind}; standardise units." if blind else "."),
                unit=unit,
                share=share,
            )
        far = float(np.sqrt(((means / largest) ** 2).sum() / total))
        if far > _FAR:
            moved = _names(m for m in chosen if "translation" not in m.invariances)
            say(
                "large means",
                f"the mean sample is {far:.3g} times as long as samples differ from it"
                + (
                    f": it is seen by {moved}; subtract it."
                    if moved
                    else ", which no measure that was asked for sees."
                ),
                ratio=far,
            )
    zeros = int((~x.any(axis=1)).sum())
    distinct = len(np.unique(x + 0.0, axis=0))
    if distinct < samples:
        say(
            "repeats",
            f"{samples - distinct} of {samples} samples repeat others: {distinct} distinct ones "
            "tie in ranks and neighbours, and permutation tests should keep repeats in groups.",
            repeated=samples - distinct,
            distinct=distinct,
        )
    if zeros:
        say(
            "zero samples",
            f"{zeros} of {samples} samples {'is' if zeros == 1 else 'are'} zero in all units, as "
            "padding is: leave them out if they are.",
            zeros=zeros,
            samples=samples,
        )
    return found


def _rescales(chosen: Measure) -> bool:
    """Whether the size of a unit, beside that of others, is nothing to it."""
    return "invertible" in chosen.invariances


def _names(chosen: Any) -> str:
    return ", ".join(m.name for m in chosen)


def _of_measure(chosen: Measure, read: Items, labels: Sequence[str], orders: Orders) -> Statement:
    widest = sorted(range(len(labels)), key=lambda k: -read.arrays[k].shape[1])
    i, j = sorted(widest[:2]) if len(widest) > 1 else (0, 0)
    pair = Pair(read.arrays[i], read.arrays[j], (), read.library)
    pair = pair if chosen.on_devices else pair.on_cpu()
    with quiet():
        score, draws = score_and_draws(chosen, pair, lambda pair: in_orders(chosen, pair, orders))
    draws = draws.astype(np.float64)
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    best, worst = chosen.range[:: -1 if chosen.kind == "similarity" else 1]
    worst = 0.0 if chosen.kind == "similarity" and worst < 0 else worst  # chance is about 0
    share = (mean - worst) / (best - worst) if math.isfinite(best - worst) else math.nan
    text = (
        f"{labels[i]} and {labels[j]} score {float(score):.3g}, and {mean:.3g} ± {sd:.2g} by "
        f"chance over {len(draws)} orders"
    )
    if share > _INFLATED:
        text += f": chance is {share:.0%} of the way to the best score, read it beside lw.calibrate"
    elif abs(float(score) - mean) <= 2 * sd:
        text += ": it sees nothing beyond chance here"
    elif not math.isnan(share):
        text += ": it can be read as it is"
    numbers = {"score": float(score), "chance": mean, "sd": sd, "share": share}
    return Statement("chance", chosen.name, text + ".", numbers)
