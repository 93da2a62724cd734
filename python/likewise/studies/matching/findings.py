"""What the run found, in sentences that are chosen by the numbers alone."""

from __future__ import annotations

import numpy as np

from likewise.report import number
from likewise.studies.matching import partner_findings
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS
from likewise.studies.matching.numbers import (
    contrast_of,
    knee_of,
    middle_of,
    shared_share,
)
from likewise.studies.matching.partner_findings import Finding, above_controls, pooled
from likewise.studies.matching.wording import by_layer, percent

# Accuracies closer than this are called the same.
_SAME = 0.02


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    settings = result.settings
    above, below, living = pooled(result)
    numbers_ = (
        f"of the hidden units {percent(above / living)} match one to one with r > "
        f"{number(settings.matched)}, {percent(below / living)} with less than "
        f"{number(settings.unmatched)}"
    )
    if not above_controls(result, HIDDEN):
        statement = "Units of different networks match no better than their controls"
    elif above == 0:
        statement = "Networks of different seeds have similar units, but none in common"
    elif below == 0:
        statement = "Networks of different seeds have partners for all of their units"
    else:
        statement = "Networks of different seeds share some units and not others"
    return f"{statement}: {numbers_}"


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers and controls; means over pairs of networks."""
    return [
        partner_findings.strength(result),
        partner_findings.matched(result),
        partner_findings.greedy(result),
        partner_findings.inside(result),
        partner_findings.information(result),
        _sparse(result),
        _tree(result),
        _spectral(result),
        _means(result),
        _averages(result),
    ]


def _sparse(result: Result) -> Finding:
    knees = {layer: knee_of(result, layer) for layer in LAYERS}
    ratio = float(np.median([k.most_weights / max(k.weights, 1e-9) for k in knees.values()]))
    subject = "A few units tell" if ratio > 2 else "No few units tell"
    return (
        f"{subject} most of what a whole layer tells about a unit of another network",
        "Held-out half squared error and units used at the knee, in brackets at the least loss and "
        "the smallest penalty: "
        + by_layer(
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
        + by_layer(HIDDEN, lambda layer: ", ".join(number(value, 1) for value in spreads[layer]))
        + f" Dead units, active at less than {percent(result.settings.dead)} of the samples: "
        + by_layer(
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
        f"The average of two networks {verb} after matching: {percent(matched)} instead of "
        f"{percent(plain)}",
        f"Test accuracy; the networks themselves reach {percent(parents)}. With one layer "
        "averaged alone, matched and in brackets as they are: "
        + by_layer(
            LAYERS,
            lambda layer: (
                f"{percent(layers[1, LAYERS.index(layer)])} "
                f"({percent(layers[0, LAYERS.index(layer)])})"
            ),
        )
        + " Partners were found on training images.",
    )


def _shares(result: Result, method: str) -> str:
    return by_layer(
        LAYERS,
        lambda layer: (
            f"{percent(shared_share(result, layer, method))} "
            f"({percent(shared_share(result, layer, method, shuffled=True))})"
        ),
    )


def _contrasts(result: Result, method: str) -> str:
    def text(layer: str) -> str:
        inside, outside = contrast_of(result, layer, method)
        return f"{number(inside)} ({number(outside)})"

    return by_layer(LAYERS, text)
