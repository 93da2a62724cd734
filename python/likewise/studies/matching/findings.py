"""What the run found, in sentences that are chosen by the numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from likewise.report import number
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS
from likewise.studies.matching.numbers import (
    contrast_of,
    count,
    knee_of,
    matched_units,
    middle_of,
    partner_mean,
    shared_share,
    untrained_mean,
)
from likewise.studies.matching.partners import PairPartners

Finding = tuple[str, str]

# Accuracies closer than this are called the same.
_SAME = 0.02


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    settings = result.settings
    above, below, living = _pooled(result)
    numbers_ = (
        f"of the hidden units {_percent(above / living)} match one to one with r > "
        f"{number(settings.matched)}, {_percent(below / living)} with less than "
        f"{number(settings.unmatched)}"
    )
    if not _above_controls(result, HIDDEN):
        return f"Units of different networks match no better than their controls: {numbers_}"
    return f"Networks of different seeds share some units and not others: {numbers_}"


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers and controls; means over pairs of networks."""
    return [
        _strength(result),
        _matched(result),
        _greedy(result),
        _inside(result),
        _information(result),
        _sparse(result),
        _tree(result),
        _spectral(result),
        _means(result),
        _averages(result),
    ]


def _strength(result: Result) -> Finding:
    higher = _above_controls(result, LAYERS)
    verb = "" if higher else "not in all layers "
    return (
        f"Units have partners in other networks, {verb}above all controls",
        "Mean r one to one, in brackets at another image and position, at the same position of "
        "another image, and before training: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{_mean(result, layer, 'correlation')} ({_mean(result, layer, 'shuffled')}, "
                f"{_mean(result, layer, 'same_position')}, "
                f"{number(untrained_mean(result, layer, lambda p: p.correlation.one_to_one))})"
            ),
        ),
    )


def _matched(result: Result) -> Finding:
    settings = result.settings
    above, below, living = _pooled(result)
    return (
        f"{count(above)} of {count(living)} living hidden units are matched, "
        f"{count(below)} are unmatched",
        f"Matched is r > {number(settings.matched)} with the one-to-one partner, unmatched r < "
        f"{number(settings.unmatched)}; matched / unmatched / living: "
        + _by_layer(
            LAYERS,
            lambda layer: " / ".join(map(count, matched_units(result, layer))),
        ),
    )


def _greedy(result: Result) -> Finding:
    same = [partner_mean(result, layer, lambda p: p.correlation.same) for layer in HIDDEN]
    share = float(np.mean(same))
    verb = "Most" if share > 0.5 else "Fewer than half of the"
    return (
        f"{verb} hidden units keep their best partner if no two may share one",
        "Share with the same partner, greedy and one to one: "
        + _by_layer(
            LAYERS,
            lambda layer: _percent(partner_mean(result, layer, lambda p: p.correlation.same)),
        )
        + " Mean r of greedy partners: "
        + _by_layer(
            LAYERS,
            lambda layer: number(partner_mean(result, layer, lambda p: p.correlation.greedy)),
        ),
    )


def _inside(result: Result) -> Finding:
    closer = [
        layer
        for layer in LAYERS
        if partner_mean(result, layer, lambda p: p.inside - p.correlation.greedy) > 0
    ]
    statement = (
        f"In {_listed(closer)} units resemble another unit of their own network more than their "
        "best partner in the other"
        if closer
        else "No layer's units resemble each other more than their partners in the other network"
    )
    return (
        statement,
        "Mean largest r with another unit of the same network, in brackets with a unit of the "
        "other network: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{number(partner_mean(result, layer, lambda p: p.inside))} "
                f"({number(partner_mean(result, layer, lambda p: p.correlation.greedy))})"
            ),
        ),
    )


def _information(result: Result) -> Finding:
    kept, best = (
        sum(partner_mean(result, layer, what) for layer in HIDDEN)
        for what in (lambda p: p.kept, lambda p: p.best)
    )
    return (
        f"Mutual information makes {_percent(kept / best)} of the best hidden pairs too",
        f"Of the {result.settings.best_pairs} best pairs of a layer by correlation, those that are "
        "one-to-one partners by mutual information as well: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{count(partner_mean(result, layer, lambda p: p.kept))} of "
                f"{count(partner_mean(result, layer, lambda p: p.best))}"
            ),
        )
        + " Mean information of one-to-one partners in nats, in brackets shuffled: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{_mean(result, layer, 'information')} "
                f"({_mean(result, layer, 'shuffled_information')})"
            ),
        ),
    )


def _sparse(result: Result) -> Finding:
    knees = {layer: knee_of(result, layer) for layer in LAYERS}
    ratio = float(np.median([k.most_weights / max(k.weights, 1e-9) for k in knees.values()]))
    few = ratio > 2
    statement = "A few units predict a unit of another network nearly as well as all of them"
    return (
        statement if few else "No few units predict a unit of another network as well as all",
        "Held-out half squared error and units used at the knee, in brackets at the least loss and "
        "the smallest penalty: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{number(knees[layer].loss)} with {number(knees[layer].weights, 1)} "
                f"({number(knees[layer].least_loss)} with {number(knees[layer].most_weights, 1)})"
            ),
        )
        + f" Without any unit the loss is {number(knees[HIDDEN[0]].trivial)}.",
    )


def _tree(result: Result) -> Finding:
    shares = [shared_share(result, layer, "tree") for layer in HIDDEN]
    controls = [shared_share(result, layer, "tree", shuffled=True) for layer in HIDDEN]
    mixed = all(share > control for share, control in zip(shares, controls, strict=True))
    return (
        "Cut from the tree of all units, groups "
        + ("mix both networks" if mixed else "mix the networks no more than shuffled ones"),
        "Share of the groups that hold units of both networks, in brackets with shuffled samples: "
        + _shares(result, "tree")
        + " Mean |r| of units of two networks in the same group, in brackets in different ones: "
        + _contrasts(result, "tree"),
    )


def _spectral(result: Result) -> Finding:
    mixed = all(shared_share(result, layer, "spectral") > 0.5 for layer in HIDDEN)
    control = all(shared_share(result, layer, "spectral", shuffled=True) > 0.5 for layer in HIDDEN)
    statement = (
        "Most spectral clusters hold units of both networks"
        if mixed
        else ("Not in every layer do most spectral clusters hold units of both networks")
    )
    if mixed and control:
        statement += ", but so they do with shuffled samples"
    return (
        statement,
        "The graph has edges between the networks only, which alone mixes them; share of the "
        "clusters, in brackets with shuffled samples: "
        + _shares(result, "spectral")
        + " Mean |r| of units of two networks in the same cluster, in brackets in different ones: "
        + _contrasts(result, "spectral"),
    )


def _means(result: Result) -> Finding:
    spreads = {
        layer: [result.statistics[layer].spectrum(k)[1] for k in range(result.settings.networks)]
        for layer in HIDDEN
    }
    every = [value for values in spreads.values() for value in values]
    return (
        f"Mean activations of a layer differ by factors of {number(min(every), 1)} to "
        f"{number(max(every), 1)}",
        "Largest by smallest mean of the living units, by network: "
        + _by_layer(HIDDEN, lambda layer: ", ".join(number(value, 1) for value in spreads[layer]))
        + f" Dead units, active at less than {_percent(result.settings.dead)} of the samples: "
        + _by_layer(
            HIDDEN,
            lambda layer: ", ".join(
                str(dead) for dead in (~result.statistics[layer].alive).sum(axis=1)
            ),
        ),
    )


def _averages(result: Result) -> Finding:
    plain, matched = middle_of(result)
    parents = float(np.mean(result.accuracies))
    verb = "is better" if matched > plain + _SAME else "is no better"
    layers = np.mean([one.by_layer for one in result.averages.values()], axis=0)
    return (
        f"The average of two networks {verb} after matching: {_percent(matched)} instead of "
        f"{_percent(plain)}",
        f"Test accuracy; the networks themselves reach {_percent(parents)}. With one layer "
        "averaged alone, matched and in brackets as they are: "
        + _by_layer(
            LAYERS,
            lambda layer: (
                f"{_percent(layers[1, LAYERS.index(layer)])} "
                f"({_percent(layers[0, LAYERS.index(layer)])})"
            ),
        )
        + " Partners were found on training images.",
    )


def _above_controls(result: Result, layers: Sequence[str]) -> bool:
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


def _pooled(result: Result) -> tuple[float, float, float]:
    """Matched, unmatched and living hidden units of a network, mean over pairs."""
    above, below, living = np.sum([matched_units(result, layer) for layer in HIDDEN], axis=0)
    return float(above), float(below), float(living)


def _mean(result: Result, layer: str, kind: str) -> str:
    def one_to_one(pair: PairPartners) -> float:
        return float(getattr(pair, kind).one_to_one)

    return number(partner_mean(result, layer, one_to_one))


def _shares(result: Result, method: str) -> str:
    return _by_layer(
        LAYERS,
        lambda layer: (
            f"{_percent(shared_share(result, layer, method))} "
            f"({_percent(shared_share(result, layer, method, shuffled=True))})"
        ),
    )


def _contrasts(result: Result, method: str) -> str:
    def text(layer: str) -> str:
        inside, outside = contrast_of(result, layer, method)
        return f"{number(inside)} ({number(outside)})"

    return _by_layer(LAYERS, text)


def _by_layer(layers: Sequence[str], text: Callable[[str], str]) -> str:
    return "; ".join(f"{layer} {text(layer)}" for layer in layers) + "."


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"
