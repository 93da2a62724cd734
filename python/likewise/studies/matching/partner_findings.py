"""What the run found about single units and their partners."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise.report import number
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS
from likewise.studies.matching.numbers import matched_units, partner_mean, untrained_mean
from likewise.studies.matching.partners import PairPartners
from likewise.studies.matching.wording import by_layer, count, listed, percent

Finding = tuple[str, str]


def strength(result: Result) -> Finding:
    """Correlation with one-to-one partners, beside all controls."""
    verb = "are" if above_controls(result, LAYERS) else "are not in all layers"
    return (
        f"One-to-one partners {verb} more alike than all controls",
        "Mean r one to one, in brackets at another image and position, at the same position of "
        "another image, and before training: "
        + by_layer(
            LAYERS,
            lambda layer: (
                f"{_mean(result, layer, 'correlation')} ({_mean(result, layer, 'shuffled')}, "
                f"{_mean(result, layer, 'same_position')}, "
                f"{number(untrained_mean(result, layer, lambda p: p.correlation.one_to_one))})"
            ),
        ),
    )


def matched(result: Result) -> Finding:
    """How many units have a partner, and how many have none."""
    settings = result.settings
    above, below, living = pooled(result)
    return (
        f"{count(above)} of {count(living)} living hidden units are matched, "
        f"{count(below)} are unmatched",
        f"Matched is r > {number(settings.matched)} with the one-to-one partner, unmatched r < "
        f"{number(settings.unmatched)}; matched / unmatched / living: "
        + by_layer(
            LAYERS,
            lambda layer: " / ".join(map(count, matched_units(result, layer))),
        ),
    )


def greedy(result: Result) -> Finding:
    """Whether best partners stay where no two units share one."""
    same = [partner_mean(result, layer, lambda p: p.correlation.same) for layer in HIDDEN]
    share = float(np.mean(same))
    verb = "Most" if share > 0.5 else "Fewer than half of the"
    return (
        f"{verb} hidden units keep their best partner if no two may share one",
        "Share with the same partner, greedy and one to one: "
        + by_layer(
            LAYERS,
            lambda layer: percent(partner_mean(result, layer, lambda p: p.correlation.same)),
        )
        + " Mean r of greedy partners: "
        + by_layer(
            LAYERS,
            lambda layer: number(partner_mean(result, layer, lambda p: p.correlation.greedy)),
        ),
    )


def inside(result: Result) -> Finding:
    """Whether units are more like others of their own network than like their partners."""
    closer = [
        layer
        for layer in LAYERS
        if partner_mean(result, layer, lambda p: p.inside - p.correlation.greedy) > 0
    ]
    statement = (
        f"In {listed(closer)} units resemble another unit of their own network more than their "
        "best partner in the other"
        if closer
        else "No layer's units resemble each other more than their partners in the other network"
    )
    return (
        statement,
        "Mean largest r with another unit of the same network, in brackets with a unit of the "
        "other network: "
        + by_layer(
            LAYERS,
            lambda layer: (
                f"{number(partner_mean(result, layer, lambda p: p.inside))} "
                f"({number(partner_mean(result, layer, lambda p: p.correlation.greedy))})"
            ),
        ),
    )


def information(result: Result) -> Finding:
    """Whether mutual information finds the same partners."""
    kept, best = (
        sum(partner_mean(result, layer, what) for layer in HIDDEN)
        for what in (lambda p: p.kept, lambda p: p.best)
    )
    return (
        f"Mutual information makes {percent(kept / best)} of the best hidden pairs too",
        f"Of the {result.settings.best_pairs} best pairs of a layer by correlation, those that are "
        "one-to-one partners by mutual information as well: "
        + by_layer(
            LAYERS,
            lambda layer: (
                f"{count(partner_mean(result, layer, lambda p: p.kept))} of "
                f"{count(partner_mean(result, layer, lambda p: p.best))}"
            ),
        )
        + " Mean information of one-to-one partners in nats, in brackets shuffled: "
        + by_layer(
            LAYERS,
            lambda layer: (
                f"{_mean(result, layer, 'information')} "
                f"({_mean(result, layer, 'shuffled_information')})"
            ),
        ),
    )


def above_controls(result: Result, layers: Sequence[str]) -> bool:
    """Whether one-to-one partners of trained networks are better than all controls."""
    return all(
        partner_mean(result, layer, lambda p: p.correlation.one_to_one)
        > max(
            partner_mean(result, layer, lambda p: p.shuffled.one_to_one),
            partner_mean(result, layer, lambda p: p.same_position.one_to_one),
            untrained_mean(result, layer, lambda p: p.correlation.one_to_one),
        )
        for layer in layers
    )


def pooled(result: Result) -> tuple[float, float, float]:
    """Matched, unmatched and living hidden units of a network, mean over pairs."""
    above, below, living = np.sum([matched_units(result, layer) for layer in HIDDEN], axis=0)
    return float(above), float(below), float(living)


def _mean(result: Result, layer: str, kind: str) -> str:
    def one_to_one(pair: PairPartners) -> float:
        return float(getattr(pair, kind).one_to_one)

    return number(partner_mean(result, layer, one_to_one))
