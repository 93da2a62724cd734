"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise.report import Cell, Finding, Panel
from likewise.report.charts import NO_LEGEND, bars, curve, points
from likewise.report.panels import Json, axis, category_axis, log_axis
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, DEPTHS
from likewise.studies.digits import HELD_OUT
from likewise.studies.matching import pictures
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS, UNITS
from likewise.studies.matching.sparse import TRIVIAL, knee
from likewise.studies.matching.summaries import (
    grids,
    knee_of,
    middle_of,
    numbers,
    over,
    path_of,
    paths,
    score,
    share_above,
    shared,
    spreads,
)
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import compared, undecided

TEXT = """
{networks} convolutional networks of one architecture learned digits from different initial weights.
Which units of one network does another have, too? Held-out images probe them in all pairs of
networks; pictures of single layers show the first pair.

# Claims
alike: One-to-one partners are more alike than all their controls
    mean r; the largest of shuffled, same position of another image, and before training
common: Training gives networks units in common
    share of living hidden units with r > {matched} to their one-to-one partner, after and before
    training
alone: Some units have no partner in the other network
    share of living hidden units with r < {unmatched}; nothing to compare with
kept: Most units keep their best partner if no two may share one
    share of hidden units; a half
own: Units resemble a unit of the other network more than any of their own
    mean of the largest r
information: Mutual information makes the best pairs of correlation too
    share of the {best_pairs} best hidden pairs; partners at random
few: A few units tell most of what a whole layer tells about a unit
    units with a weight at the knee of the lasso; half of those at the smallest penalty
tree: Groups of units mix both networks: cut from the tree of all units
    share of the groups with units of both; with shuffled samples
spectral: Groups of units mix both networks: spectral clusters of edges between the networks alone
    share of the groups with units of both; with shuffled samples
average: The average of two networks is better after matching
    test accuracy, matched and as they are
layer: Averaging one layer costs less after matching
    test accuracy, matched and as they are
spread: Mean activations of units differ widely within a layer
    largest by smallest mean of living hidden units, median; nothing to compare with

# Figures
strength: Units and their partners in another network
    Left: every unit with its most similar one in the other network, which units may share (greedy),
    and with its partner where no two share one. Grey, all one to one: networks before training; the
    same position of another image, which is what position alone gives; another position of another
    image. Right: units by the correlation with their one-to-one partner.
units: What matched units respond to
    Rows: one-to-one pairs of the chosen layer, ranked by correlation. Left the probe images with
    the largest activation of the first network's unit, right those of its partner. Shared: images
    among the {tops} strongest of both, of {held_out}; chance gives {chance:.1f}. Frames: what the
    unit sees of the image, at the position where it is most active; without a frame it sees all.
matrices: Correlations before and after matching
    Correlation of every unit of the first network (rows) with every unit of the second, dark at
    r = 1 and palest at 0 or less. Matched: rows by the correlation with their one-to-one partner,
    which stands on the diagonal; dead units come last. Right: correlations inside each network in
    the same order; where both look alike, matched units also resemble the same others.
sparse: One unit from few units of another network
    Each living unit of one network predicted from those of another by the lasso; feature maps are
    means over positions and every image is one sample. Loss: half the squared error in units of the
    variance, held out, mean over units; 0.5 is what predicting nothing costs. Rings: the knee.
averages: Averages of two networks
    All weights averaged in these shares, before and after the hidden units of the second network
    were put into the order of their one-to-one partners; mean over pairs. Partners were found on
    training images, accuracy is that on held-out ones. Right: the first network with a single layer
    averaged in equal shares.

# Tables
partners: Partners, means over pairs; in grey with shuffled samples.
groups: Lasso, groups (in grey with shuffled samples), mean activations

# Notes
Correlation: Pearson's r over the samples, signed, of activations after the rectifier (of the logits
    as they are). Every position of a feature map is a sample. From sums over batches, without
    keeping activations.
Partners: Greedy: each unit with the unit of the other network that it correlates most with; several
    may have the same. One to one: the assignment of units to units with the largest sum of
    correlations. Units of the first network of a pair look for partners in the second. Groups and
    averages use some positions of every map, drawn once, and partners for averages are those on
    training images.
Information: Mutual information in nats, of activations in bins: zeros in one of their own, all
    others between quantiles of the first batch; less the bias of so many samples.
Lasso: min 1/2 mean squared error + penalty × sum |weight|, all units centred and scaled to unit
    variance. The knee is the largest penalty that costs at most a tenth of what predicting nothing
    costs more than the best one.
Dead units: Active at less than 1 % of the samples. They count as similar to nothing (0) and can be
    partners of units for whom nobody else is left; means and counts are of living units of the
    first network of a pair.
Controls: Shuffled: units of the second network at another position of another image of the batch;
    no sample keeps its place. Same position: at the same position of another image. Before
    training: the same networks with their initial weights.
Networks: Units: conv1 16, conv2 32, conv3 32, fc 64, logits 10; convolutions of 3 × 3, the third
    with stride 2, rectifiers between layers; Adam.
Source: Li, Yosinski, Clune, Lipson, Hopcroft, Convergent learning: do different neural networks
    learn the same representations?, ICLR 2016. The networks here are small stand-ins.
"""
_COLOURS = (*DEPTHS[:4], DEPTHS[5])
_COMPARED = "layer comparison"
_RING: Json = {"symbol": "circle-open", "line": {"width": 2.5}}
_PARTNERS = {
    "living": "living",
    "correlation_greedy": "greedy r",
    "correlation_one_to_one": "one-to-one r",
    "information_one_to_one": "information",
    "same_position_one_to_one": "same position",
    "untrained_correlation_one_to_one": "before training",
    "inside": "inside",
    "correlation_same": "same partner, r",
    "information_same": "information",
    "matched": "matched / unmatched",
    "best_pairs_kept": "best pairs kept",
}
_GROUPS = (
    *("penalty at the knee", "loss there", "units there", "least loss", "most units"),
    *("loss of nothing", "mixed groups of the tree", "mixed spectral clusters"),
    *("|r| inside / outside", "spread of means"),
)


def findings(result: Result) -> list[Finding]:
    """Claims about units and their partners; every unit of evidence is a layer of a pair."""
    settings = result.settings
    claim = Text(TEXT, **vars(settings)).claim
    matched, above = share_above(settings.matched), share_above(settings.unmatched)
    alike, same = over(result, score("correlation")), over(result, score("correlation", "same"))
    controls = [over(result, score(kind)) for kind in ("shuffled", "same_position")]
    controls.append(over(result, score("correlation"), before=True))
    share, start = (over(result, matched, HIDDEN, before=before) for before in (False, True))
    low = 1 - over(result, above, HIDDEN)
    greedy, inside = over(result, score("correlation", "greedy")), over(result, lambda p: p.inside)
    kept = over(result, lambda p: p.kept / max(p.best, 1), HIDDEN)
    chance = over(result, lambda p: 1 / max(len(p.correlation.similarity), 1), HIDDEN)
    few = paths(result, lambda p: float(p.weights[knee(p.loss, settings.knee)]))
    half = paths(result, lambda p: float(p.weights[-1]) / 2)
    mixed = {
        method: [shared(result, method, shuffled=shuffled) for shuffled in (False, True)]
        for method in ("tree", "spectral")
    }
    plain, average = middle_of(result)
    layers = np.array([one.by_layer for one in result.averages.values()])  # pairs, orders, layers
    spread = [value for layer in HIDDEN for value in spreads(result, layer)]
    lone, networks = f"{low.size} {_COMPARED}s", f"{len(spread)} layers of networks"
    return [
        claim(compared, "alike", alike, np.max(controls, axis=0), _COMPARED),
        claim(compared, "common", share, start, _COMPARED),
        claim(undecided, "alone", float(low.mean()), units=lone),
        claim(compared, "kept", same[: len(HIDDEN)], 0.5, _COMPARED),
        claim(compared, "own", greedy, inside, _COMPARED),
        claim(compared, "information", kept, chance, _COMPARED),
        claim(compared, "few", few, half, _COMPARED, smaller=True),
        *(claim(compared, method, *shares, _COMPARED) for method, shares in mixed.items()),
        claim(compared, "average", average, plain, "pair"),
        claim(compared, "layer", layers[:, 1], layers[:, 0], _COMPARED),
        claim(undecided, "spread", float(np.median(spread)), units=networks),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study matching` prints and writes."""
    tops = result.settings.tops
    chance = {"held_out": HELD_OUT, "chance": tops**2 / HELD_OUT}
    text = Text(TEXT, **vars(result.settings), **chance)
    found = numbers(result)
    stacked = {"barmode": "stack"}
    return Outcome(
        study="matching",
        settings=result.settings,
        findings=findings(result),
        numbers=found,
        grids=grids(result),
        seconds=result.seconds,
        lead=text.lead,
        figures=[
            text.figure("strength", _strength(result), height=430, layout=stacked),
            text.figure("units", pictures.units(result), height=500),
            text.figure("matrices", pictures.matrices(result), height=340),
            text.figure("sparse", _sparse(result), height=420),
            text.figure("averages", _averages(result)),
        ],
        tables=[
            text.table("partners", ["", *_PARTNERS.values()], _partners(found["layers"])),
            text.table("groups", ["", *_GROUPS], _groups(found["layers"])),
        ],
        notes=text.notes,
        choices=("Layer", LAYERS, pictures.SHOWN_FIRST),
    )


def _partners(layers: dict[str, dict[str, Any]]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for layer, one in layers.items():
        cells: dict[str, Cell] = {name: one[name] for name in _PARTNERS}
        for what in ("greedy", "one_to_one"):
            name = f"correlation_{what}"
            cells[name] = one[name], one[f"shuffled_{what}"]
        name = "information_one_to_one"
        cells[name] = one[name], one[f"shuffled_{name}"]
        cells["living"] = f"{one['living']:g} of {UNITS[layer]}"
        cells["matched"] = f"{one['matched']:g} / {one['unmatched']:g}"
        cells["best_pairs_kept"] = f"{one['best_pairs_kept']:g} of {one['best_pairs']:g}"
        rows.append([layer, *cells.values()])
    return rows


def _groups(layers: dict[str, dict[str, Any]]) -> list[list[Cell]]:
    return [
        [
            layer,
            *map(float, one["knee"].values()),
            *((one[m]["shared"], one[m]["shared_shuffled"]) for m in ("tree", "spectral")),
            f"{one['tree']['r_inside']:.2f} / {one['tree']['r_outside']:.2f}",
            ", ".join(f"{value:.1f}" for value in one.get("spread", [])),
        ]
        for layer, one in layers.items()
    ]


def _strength(result: Result) -> list[Panel]:
    """How alike partners are in each layer, with all controls; and who has one."""
    settings, places = result.settings, range(len(LAYERS))
    before = over(result, score("correlation"), before=True)
    lines = [
        curve(places, values.mean(axis=1), name, colour, dash=dash)
        for name, colour, dash, values in (
            ("greedy", CONTRASTS[0], "solid", over(result, score("correlation", "greedy"))),
            ("one to one", CONTRASTS[1], "solid", over(result, score("correlation"))),
            ("before training", CONTROL, "solid", before),
            ("same position, other image", CONTROL, "dash", over(result, score("same_position"))),
            ("shuffled", CONTROL, "dot", over(result, score("shuffled"))),
        )
    ]
    high, low = settings.matched, settings.unmatched
    above, most = (over(result, share_above(r)).mean(axis=1) for r in (high, low))
    shares = [
        bars(places, values, name, colour) | {"width": 0.62}
        for name, values, colour in (
            (f"r > {high}", above, ALIKE_SCALE[3][1]),
            (f"{low} to {high}", most - above, ALIKE_SCALE[1][1]),
            (f"r < {low}", 1 - most, "#c9ced4"),
        )
    ]
    r, share = axis("mean r", range=[-0.02, 1.04]), axis("share of living units", range=[0, 1])
    names = category_axis(LAYERS)
    return [
        Panel("mean correlation with partners", names, r, lines),
        Panel("how alike one-to-one partners are", names, share, shares),
    ]


def _sparse(result: Result) -> list[Panel]:
    """Loss and units used along the lasso path."""
    traces: tuple[list[Json], list[Json]] = [], []
    for layer, colour in zip(LAYERS, _COLOURS, strict=True):
        bend = knee_of(result, layer)
        ends = (bend.loss, bend.weights)
        for panel, values, end in zip(traces, path_of(result, layer), ends, strict=True):
            panel.append(curve(result.settings.penalties, values, layer, colour, marks=4))
            ring = points([bend.penalty], [end], f"{layer}, knee", colour, size=15, **_RING)
            panel.append(ring | NO_LEGEND)
    error = axis("half squared error", range=[0, 1.08 * TRIVIAL])
    weights = axis("units with a weight", rangemode="tozero")
    return [
        Panel("held-out loss", log_axis("penalty"), error, traces[0]),
        Panel("units used for a unit", log_axis("penalty"), weights, traces[1]),
    ]


def _averages(result: Result) -> list[Panel]:
    """Accuracy between two networks, and with one layer averaged."""
    found = result.averages.values()
    shares = np.linspace(0, 1, result.settings.shares)
    orders = {"as they are": CONTROL, "matched": CONTRASTS[1]}
    line, by_layer = (
        [
            curve(x, y, *look)
            for y, look in zip(np.mean(values, axis=0), orders.items(), strict=True)
        ]
        for x, values in (
            (shares, [one.line for one in found]),
            (range(len(LAYERS)), [one.by_layer for one in found]),
        )
    )
    share, up = axis("share of the second network"), axis("test accuracy", range=[0, 1.04])
    return [
        Panel("from one network to the other", share, up, line),
        Panel("one layer averaged", category_axis(LAYERS), axis(range=[0, 1.04]), by_layer),
    ]
