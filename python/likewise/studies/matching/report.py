"""Findings, pictures, tables and notes of the study."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise.report import Cell, Figure, Finding, Panels, Table
from likewise.report.charts import NO_LEGEND, bars, curve, points
from likewise.report.panels import axis, category_axis, log_axis
from likewise.report.style import ALIKE_SCALE, CONTRASTS, CONTROL, DEPTHS
from likewise.studies.matching import pictures
from likewise.studies.matching.experiment import Result
from likewise.studies.matching.networks import HIDDEN, LAYERS, UNITS, Numbers
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
from likewise.studies.outcome import Outcome, terms
from likewise.studies.verdicts import compared, undecided

NOTES = """
Correlation: Pearson's r over the samples, signed, of activations after the rectifier (of the logits
as they are). Every position of a feature map is a sample. From sums over batches, without keeping
activations.

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
partners of units for whom nobody else is left; means and counts are of living units of the first
network of a pair.

Controls: Shuffled: units of the second network at another position of another image of the batch;
no sample keeps its place. Same position: at the same position of another image. Before training:
the same networks with their initial weights.

Networks: Units: conv1 16, conv2 32, conv3 32, fc 64, logits 10; convolutions of 3 × 3, the third
with stride 2, rectifiers between layers; Adam.

Source: Li, Yosinski, Clune, Lipson, Hopcroft, Convergent learning: do different neural networks
learn the same representations?, ICLR 2016. The networks here are small stand-ins.
"""
_COLOURS = (*DEPTHS[:4], DEPTHS[5])
_COMPARED = "layer comparison"


def findings(result: Result) -> list[Finding]:
    """Claims about units and their partners; every unit of evidence is a layer of a pair."""
    settings = result.settings
    matched, above = share_above(settings.matched), share_above(settings.unmatched)
    controls = [over(result, score(kind)) for kind in ("shuffled", "same_position")]
    controls.append(over(result, score("correlation"), before=True))
    share, low = over(result, matched, HIDDEN), 1 - over(result, above, HIDDEN)
    alike = over(result, score("correlation", "greedy"))
    kept = over(result, lambda p: p.kept / max(p.best, 1), HIDDEN)
    chance = over(result, lambda p: 1 / max(len(p.correlation.similarity), 1), HIDDEN)
    few = paths(result, lambda p: float(p.weights[knee(p.loss, settings.knee)]))
    plain, average = middle_of(result)
    layers = np.array([one.by_layer for one in result.averages.values()])  # pairs, orders, layers
    spread = [value for layer in HIDDEN for value in spreads(result, layer)]
    return [
        compared(
            "One-to-one partners are more alike than all their controls",
            over(result, score("correlation")),
            np.max(controls, axis=0),
            _COMPARED,
            "mean r; the largest of shuffled, same position of another image, and before training",
        ),
        compared(
            "Training gives networks units in common",
            share,
            over(result, matched, HIDDEN, before=True),
            _COMPARED,
            f"share of living hidden units with r > {settings.matched} to their one-to-one "
            "partner, after and before training",
        ),
        undecided(
            "Some units have no partner in the other network",
            float(low.mean()),
            units=f"{low.size} {_COMPARED}s",
            note=f"share of living hidden units with r < {settings.unmatched}; nothing to compare "
            "with",
        ),
        compared(
            "Most units keep their best partner if no two may share one",
            over(result, score("correlation", "same"), HIDDEN),
            0.5,
            _COMPARED,
            "share of hidden units; a half",
        ),
        compared(
            "Units resemble a unit of the other network more than any of their own",
            alike,
            over(result, lambda p: p.inside),
            _COMPARED,
            "mean of the largest r",
        ),
        compared(
            "Mutual information makes the best pairs of correlation too",
            kept,
            chance,
            _COMPARED,
            f"share of the {settings.best_pairs} best hidden pairs; partners at random",
        ),
        compared(
            "A few units tell most of what a whole layer tells about a unit",
            few,
            paths(result, lambda p: float(p.weights[-1]) / 2),
            _COMPARED,
            "units with a weight at the knee of the lasso; half of those at the smallest penalty",
            smaller=True,
        ),
        *(
            compared(
                f"Groups of units mix both networks: {name}",
                shared(result, method),
                shared(result, method, shuffled=True),
                _COMPARED,
                "share of the groups with units of both; with shuffled samples",
            )
            for method, name in (
                ("tree", "cut from the tree of all units"),
                ("spectral", "spectral clusters of edges between the networks alone"),
            )
        ),
        compared(
            "The average of two networks is better after matching",
            average,
            plain,
            "pair",
            "test accuracy, matched and as they are",
        ),
        compared(
            "Averaging one layer costs less after matching",
            layers[:, 1],
            layers[:, 0],
            _COMPARED,
            "test accuracy, matched and as they are",
        ),
        undecided(
            "Mean activations of units differ widely within a layer",
            float(np.median(spread)),
            units=f"{len(spread)} layers of networks",
            note="largest by smallest mean of living hidden units, median; nothing to compare with",
        ),
    ]


def outcome(result: Result) -> Outcome:
    """What `likewise study matching` prints and writes."""
    return Outcome(
        study="matching",
        settings=result.settings,
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        lead=f"{result.settings.networks} convolutional networks of one architecture learned "
        "digits from different initial weights. Which units of one network does another have, too? "
        "Held-out images probe them in all pairs of networks; pictures of single layers show the "
        "first pair.",
        figures=[
            _strength(result),
            pictures.units(result),
            pictures.matrices(result),
            _sparse(result),
            _averages(result),
        ],
        tables=[
            ("Partners, means over pairs; in grey with shuffled samples.", _partners(result)),
            ("Lasso, groups (in grey with shuffled samples), mean activations", _groups(result)),
        ],
        notes=terms(NOTES),
        choices=("Layer", LAYERS, pictures.SHOWN_FIRST),
    )


def _partners(result: Result) -> Table:
    found = numbers(result)["layers"]
    rows: list[list[Cell]] = []
    for layer in LAYERS:
        one = found[layer]
        controlled = [
            (one[f"{kind}_{what}"], one[f"{control}_{what}"])
            for kind, control, what in (
                ("correlation", "shuffled", "greedy"),
                ("correlation", "shuffled", "one_to_one"),
                ("information", "shuffled_information", "one_to_one"),
            )
        ]
        rows.append(
            [
                layer,
                f"{one['living']:g} of {UNITS[layer]}",
                *controlled,
                *(one[f"{name}_one_to_one"] for name in ("same_position", "untrained_correlation")),
                one["inside"],
                *(one[f"{name}_same"] for name in ("correlation", "information")),
                f"{one['matched']:g} / {one['unmatched']:g}",
                f"{one['best_pairs_kept']:g} of {one['best_pairs']:g}",
            ]
        )
    header = ["", "living", "greedy r", "one-to-one r", "information", "same position"]
    header += ["before training", "inside", "same partner, r", "information"]
    return Table([*header, "matched / unmatched", "best pairs kept"], rows)


def _groups(result: Result) -> Table:
    found = numbers(result)["layers"]
    rows: list[list[Cell]] = []
    for layer in LAYERS:
        one = found[layer]
        rows.append(
            [
                layer,
                *(float(value) for value in one["knee"].values()),
                *((one[m]["shared"], one[m]["shared_shuffled"]) for m in ("tree", "spectral")),
                *(f"{one[m]['r_inside']:.2f} / {one[m]['r_outside']:.2f}" for m in ("tree",)),
                ", ".join(f"{value:.1f}" for value in one.get("spread", [])),
            ]
        )
    header = ["", "penalty at the knee", "loss there", "units there", "least loss", "most units"]
    header += ["loss of nothing", "mixed groups of the tree", "mixed spectral clusters"]
    return Table([*header, "|r| inside / outside", "spread of means"], rows)


def _strength(result: Result) -> Figure:
    """How alike partners are in each layer, with all controls; and who has one."""
    settings = result.settings
    panels = Panels(1, 2, height=430, gap=(0.08, 0.0), left=58, bottom=40)
    panels.panel(
        0,
        0,
        "mean correlation with partners",
        category_axis(LAYERS),
        axis("mean r", range=[-0.02, 1.04]),
    )
    before = over(result, score("correlation"), before=True)
    for name, colour, dash, values in (
        ("greedy", CONTRASTS[0], "solid", over(result, score("correlation", "greedy"))),
        ("one to one", CONTRASTS[1], "solid", over(result, score("correlation"))),
        ("before training", CONTROL, "solid", before),
        ("same position, other image", CONTROL, "dash", over(result, score("same_position"))),
        ("shuffled", CONTROL, "dot", over(result, score("shuffled"))),
    ):
        line = curve(range(len(LAYERS)), values.mean(axis=1), name, colour, dash=dash)
        panels.add(0, 0, line)
    up = axis("share of living units", range=[0, 1])
    panels.panel(0, 1, "how alike one-to-one partners are", category_axis(LAYERS), up)
    above, most = (
        over(result, share_above(threshold)).mean(axis=1)
        for threshold in (settings.matched, settings.unmatched)
    )
    for name, shares, colour in (
        (f"r > {settings.matched}", above, ALIKE_SCALE[3][1]),
        (f"{settings.unmatched} to {settings.matched}", most - above, ALIKE_SCALE[1][1]),
        (f"r < {settings.unmatched}", 1 - most, "#c9ced4"),
    ):
        panels.add(0, 1, bars(range(len(LAYERS)), shares, name, colour) | {"width": 0.62})
    panels.layout["barmode"] = "stack"
    return Figure(
        "strength",
        "Units and their partners in another network",
        panels,
        "Left: every unit with its most similar one in the other network, which units may share "
        "(greedy), and with its partner where no two share one. Grey, all one to one: networks "
        "before training; the same position of another image, which is what position alone gives; "
        "another position of another image. Right: units by the correlation with their one-to-one "
        "partner.",
    )


def _sparse(result: Result) -> Figure:
    """Loss and units used along the lasso path."""
    panels = Panels(1, 2, height=420, gap=(0.08, 0.0), left=58, bottom=58)
    up = axis("half squared error", range=[0, 1.08 * TRIVIAL])
    panels.panel(0, 0, "held-out loss", log_axis("penalty"), up)
    up = axis("units with a weight", rangemode="tozero")
    panels.panel(0, 1, "units used for a unit", log_axis("penalty"), up)
    ring: dict[str, Any] = {"symbol": "circle-open", "line": {"width": 2.5}}
    for layer, colour in zip(LAYERS, _COLOURS, strict=True):
        bend = knee_of(result, layer)
        ends = (bend.loss, bend.weights)
        for column, values in enumerate(path_of(result, layer)):
            line = curve(result.settings.penalties, values, layer, colour, marks=4)
            panels.add(0, column, line)
            mark = points([bend.penalty], [ends[column]], f"{layer}, knee", colour, size=15, **ring)
            panels.add(0, column, mark | NO_LEGEND)
    return Figure(
        "sparse",
        "One unit from few units of another network",
        panels,
        "Each living unit of one network predicted from those of another by the lasso; feature "
        "maps are means over positions and every image is one sample. Loss: half the squared error "
        "in units of the variance, held out, mean over units; 0.5 is what predicting nothing "
        "costs. Rings: the knee.",
    )


def _averages(result: Result) -> Figure:
    """Accuracy between two networks, and with one layer averaged."""
    panels = Panels(1, 2, height=400, gap=(0.08, 0.0), left=58, bottom=58)
    up = axis("test accuracy", range=[0, 1.04])
    panels.panel(0, 0, "from one network to the other", axis("share of the second network"), up)
    panels.panel(0, 1, "one layer averaged", category_axis(LAYERS), axis(range=[0, 1.04]))
    shares = np.linspace(0, 1, result.settings.shares)
    line: Numbers = np.mean([one.line for one in result.averages.values()], axis=0)
    by_layer: Numbers = np.mean([one.by_layer for one in result.averages.values()], axis=0)
    for k, (name, colour) in enumerate((("as they are", CONTROL), ("matched", CONTRASTS[1]))):
        panels.add(0, 0, curve(shares, line[k], name, colour))
        panels.add(0, 1, curve(range(len(LAYERS)), by_layer[k], name, colour))
    return Figure(
        "averages",
        "Averages of two networks",
        panels,
        "All weights averaged in these shares, before and after the hidden units of the second "
        "network were put into the order of their one-to-one partners; mean over pairs. Partners "
        "were found on training images, accuracy is that on held-out ones. Right: the first "
        "network with a single layer averaged in equal shares.",
    )
