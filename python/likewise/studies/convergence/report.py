"""Findings, pictures, tables and notes of the study, of its own networks or a user's."""

from __future__ import annotations

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Cell, Figure, Finding, Panels, Table
from likewise.report.charts import band, curve, heat_map
from likewise.report.panels import Json, axis, category_axis
from likewise.report.style import CONTRASTS, DEPTHS, INK
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.pairs import LINEAR, MEASURES, PERMUTATION, PROCRUSTES, SOFT
from likewise.studies.convergence.settings import MAIN, REDUCTIONS
from likewise.studies.convergence.shifts import size_text
from likewise.studies.convergence.summaries import (
    at_end,
    control_at_end,
    drops,
    early_and_late,
    grids,
    groups,
    has_positions,
    kinds,
    layer_names,
    main_group,
    matching,
    mean,
    numbers,
    share_of_accuracy,
    share_of_gain,
)
from likewise.studies.outcome import Outcome, terms
from likewise.studies.verdicts import compared

NOTES = """
Maps: Linear: ridge regression with its penalty chosen within the training folds, any linear map.
Procrustes: rotation and reflection alone; between different widths a partial isometry. Permutation:
one unit stands in for one unit, at the largest sum of correlations; equal widths only. Soft
matching: units are shared out among units by optimal transport (Khosla & Williams 2023); between
equal widths the best permutation.

Score: Pearson r of every unit of the target with its prediction from the source, mean over units,
then over folds; the map is fitted on the other folds. A constant unit counts as 0. Every pair of
networks is compared in both directions. Feature maps and sequences by their mean over positions,
wherever no other reduction is named.

Controls: The stimuli of the source in random order; the units of the source rotated at random
(Haar), for matchings. Images are shuffled whole, with all their positions.

Source: Kapoor, Srivastava & Khosla, Bridging critical gaps in convergent learning, NeurIPS 2025.
Their networks are larger, and are recorded before normalisation and nonlinearity.
"""
COLOURS = {LINEAR: DEPTHS[1], PROCRUSTES: DEPTHS[2], PERMUTATION: CONTRASTS[0], SOFT: CONTRASTS[1]}
_ROTATED, _SHUFFLED = "units rotated", "stimuli shuffled"


def findings(result: Result) -> list[Finding]:
    """Claims of the paper; the unit of evidence is a layer where no other is named."""
    matched = matching(result)
    linear, procrustes, native = (at_end(result, m) for m in (LINEAR, PROCRUSTES, matched))
    rotated = mean(result, result.scores.rotated[:, :, REDUCTIONS.index(MAIN)], matched)
    found = [
        compared(
            "A rotation relates networks nearly as well as any linear map",
            procrustes,
            0.85 * linear,
            "layer",
            "held-out r of Procrustes; 85 % of that of linear maps",
        ),
        compared(
            "A rotation relates networks beyond chance",
            procrustes,
            control_at_end(result, PROCRUSTES).max(axis=1),
            "layer",
            "held-out r; the largest with stimuli shuffled",
        ),
        compared(
            f"A rotation relates networks better than {matched}",
            procrustes,
            native,
            "layer",
            "held-out r of both",
        ),
        compared(
            "The axes of the units are shared",
            native,
            rotated.mean(axis=1),
            "layer",
            f"held-out r of {matched}; with the units of one network rotated at random",
        ),
    ]
    if len(result.steps) > 1:
        course = mean(result, result.scores.training, PROCRUSTES)
        found.append(
            compared(
                "Training makes networks more alike",
                course[-1],
                course[0],
                "layer",
                "held-out r of Procrustes at the last and the first checkpoint",
            )
        )
    if result.first_epoch is not None:
        found.append(
            compared(
                "Most of the gain is there after the first epoch",
                share_of_gain(result, PROCRUSTES)[result.first_epoch],
                0.5,
                "layer",
                "share of the gain of Procrustes over untrained networks; a half",
            )
        )
    early, late = early_and_late(result)
    if len(layer_names(result)) > 1:
        scores = mean(result, result.scores.depth, PROCRUSTES)
        own = np.eye(len(scores), dtype=bool)
        found.append(
            compared(
                "A layer predicts its counterpart best",
                scores[own],
                np.where(own, -np.inf, scores).max(axis=1),
                "layer",
                "held-out r of Procrustes; the largest with another layer",
            )
        )
        for how, transferred in (("anew to shifted stimuli", False), ("without shift", True)):
            if result.shifts:
                lost = drops(result, PROCRUSTES, transferred=transferred)
                found.append(
                    compared(
                        f"Maps fitted {how} lose more in late layers than in early ones",
                        lost[:, late].mean(axis=1),
                        lost[:, early].mean(axis=1),
                        "shift",
                        "loss of held-out r of Procrustes, late and early",
                    )
                )
    if has_positions(result):
        positions, means = (
            mean(result, result.scores.reduced_shuffled[:, :, REDUCTIONS.index(how)], PROCRUSTES)
            for how in ("positions", MAIN)
        )
        first = next(iter(result.layers.values()))
        maps = [k for k, layer in enumerate(first) if layer.positions is not None]
        found.append(
            compared(
                "Positions of feature maps are alike even with stimuli shuffled",
                positions[maps].mean(axis=1),
                means[maps].mean(axis=1),
                "layer",
                "held-out r of Procrustes, stimuli shuffled: positions as samples; means over them",
            )
        )
    return found


def outcome(result: Result) -> Outcome:
    """What `likewise study convergence` prints and writes."""
    figures = [_ladder(result)]
    if len(result.steps) > 1:
        figures.append(_training(result))
    if result.shifts:
        figures.append(_shift(result))
    figures.append(_layers(result))
    ordered = sorted(groups(result), key=lambda group: group != main_group(result))
    return Outcome(
        study="convergence",
        settings=result.settings,
        findings=findings(result),
        numbers=numbers(result),
        grids=grids(result),
        seconds=result.seconds,
        lead="Networks are compared with each other layer by layer, during training and on shifted "
        "stimuli where there are any: how well does one predict the other under any linear map, "
        "under a rotation, and unit by unit? Scores are Pearson r on held-out stimuli, mean over "
        "both directions; their control is the same with the stimuli of one network shuffled.",
        figures=figures,
        tables=[
            (
                f"Held-out r at the end, {group}; in grey the mean with stimuli shuffled.",
                _table(result, group),
            )
            for group in ordered
        ],
        notes=[
            ("Networks", _networks(result)),
            *terms(NOTES),
            ("Left out", _missing(result) or "nothing"),
        ],
    )


def _table(result: Result, group: str) -> Table:
    rows: list[list[Cell]] = []
    for k, name in enumerate(layer_names(result)):
        scores = [at_end(result, measure, group)[k] for measure in MEASURES]
        controls = [control_at_end(result, measure, group)[k].mean() for measure in MEASURES]
        pairs = zip(scores, controls, strict=True)
        rows.append([name, *((float(score), float(control)) for score, control in pairs)])
    return Table(["", *MEASURES], rows)


def _networks(result: Result) -> str:
    same: dict[str, list[str]] = {}
    for name, layers in result.layers.items():
        shapes = ", ".join(f"{layer.name} ({layer.units})" for layer in layers)
        same.setdefault(shapes, []).append(name)
    shapes = "; ".join(f"{', '.join(names)}: {shapes}" for shapes, names in same.items())
    trained = (
        "Three convolutions, a hidden layer and logits, each but the last normalised over the "
        "batch and rectified; trained on varied handwritten digits, probed with others. "
        if result.own
        else ""
    )
    dead = int(result.dead.sum())
    return f"{trained}{shapes}. {result.samples} stimuli; {dead} units are constant over them."


def _missing(result: Result) -> str:
    parts = []
    if len(result.steps) == 1:
        parts.append("training: the networks come without checkpoints")
    if not result.shifts:
        parts.append("shift: the stimuli are no images (n, c, h, w) or vectors (n, d) of floats")
    if not has_positions(result):
        parts.append("reductions: no layer gives feature maps or sequences")
    return "; ".join(parts) or "nothing"


def _ladder(result: Result) -> Figure:
    """Every measure by depth, at the end."""
    named = groups(result)
    panels = Panels(1, len(named), height=420, gap=(0.05, 0.0), left=58, bottom=54)
    for column, group in enumerate(named):
        panels.panel(0, column, group, _layer_axis(result), _score_axis(column))
        values = {measure: at_end(result, measure, group) for measure in MEASURES}
        if np.array_equal(values[SOFT], values[PERMUTATION], equal_nan=True):
            del values[SOFT]
        for measure, scores in values.items():
            if not np.isnan(scores).all():
                panels.add(0, column, _line(measure, scores))
        controls = [control_at_end(result, m, group) for m in (LINEAR, PROCRUSTES)]
        panels.add(0, column, _band(np.concatenate(controls, axis=1)))
    return Figure(
        "ladder",
        "What networks share under ever stricter maps",
        panels,
        "How well the units of one network are predicted from the same layer of another: Pearson r "
        "on held-out stimuli, mean over units, folds and pairs of networks. The grey band holds "
        "the same score of the linear and the Procrustes map with the stimuli of one network "
        "shuffled.",
    )


def _training(result: Result) -> Figure:
    """Every layer at every checkpoint: scores above, shares of the final gain below."""
    shown = (LINEAR, PROCRUSTES, matching(result))
    names = layer_names(result)
    panels = Panels(2, len(shown), height=760, gap=(0.03, 0.16), left=58, bottom=74)
    for column, measure in enumerate(shown):
        panels.panel(0, column, measure, _step_axis(result), _score_axis(column))
        up = _score_axis(column, "share") | {"range": [-0.25, 1.4], "tickformat": ".0%"}
        panels.panel(1, column, f"{measure}: share of the final gain", _step_axis(result), up)
        panels.add(
            0, column, _band(mean(result, result.scores.training_shuffled, measure)[:, :, 0])
        )
        scores = mean(result, result.scores.training, measure)
        for row, values in enumerate((scores, share_of_gain(result, measure))):
            for k, name in enumerate(names):
                if not np.isnan(values[:, k]).any():
                    panels.add(row, column, _line(name, values[:, k], _depth(k, names)))
        if result.accuracy.size:
            shares = share_of_accuracy(result)
            line = curve(range(len(shares)), shares, "accuracy", INK, dash="dot")
            panels.add(1, column, line)
    return Figure(
        "training",
        "How alike networks become during training",
        panels,
        "Above: held-out r of the same layer of two networks at every checkpoint, drawn at equal "
        "distances. Below: the same from the first checkpoint (0 %) to the last (100 %), and the "
        "accuracy in the same way; layers that gain less than 0.02 have no share. The grey band "
        "spans all layers with stimuli shuffled.",
    )


def _shift(result: Result) -> Figure:
    """What each shift takes from the scores of every layer, with both kinds of maps."""
    present = kinds(result)
    panels = Panels(2, len(present), height=700, gap=(0.03, 0.16), left=58, bottom=54)
    lost = [drops(result, PROCRUSTES, transferred=transferred) for transferred in (False, True)]
    low, high = min(0.0, float(np.nanmin(lost))), float(np.nanmax(lost))
    room = 0.06 * max(high - low, 0.05)
    for row, how in enumerate(("fitted anew", "taken over")):
        for column, kind in enumerate(present):
            up = _score_axis(column, "loss of held-out r") | {"range": [low - room, high + room]}
            panels.panel(row, column, f"{kind}, maps {how}", _layer_axis(result), up)
            of_kind = [k for k, (name, _) in enumerate(result.shifts) if name == kind]
            sizes = zip(("small", "middle", "large"), (*DEPTHS[:2], CONTRASTS[2]), strict=True)
            for k, (name, colour) in zip(of_kind, sizes, strict=False):
                panels.add(row, column, _line(name, lost[row][k], colour))
    sizes_of = "; ".join(
        f"{kind} {', '.join(size_text(kind, s) for name, s in result.shifts if name == kind)}"
        for kind in present
    )
    return Figure(
        "shift",
        "What a shift of the stimuli takes away, by depth",
        panels,
        "Held-out r of the Procrustes map without shift minus that with it, at the end: above "
        "0 the shift makes networks less alike. Above: maps fitted to shifted stimuli and scored "
        "on others, equally shifted. Below: maps fitted to stimuli without shift, scored on "
        f"shifted ones. Small, middle and large: {sizes_of}; noise in standard deviations of the "
        "stimuli.",
    )


def _layers(result: Result) -> Figure:
    """Every layer with every layer."""
    shown, names = (LINEAR, PROCRUSTES, SOFT), layer_names(result)
    panels = Panels(1, len(shown), height=400, gap=(0.03, 0.0), left=74, bottom=40)
    for column, measure in enumerate(shown):
        up = category_axis(names, reverse=True, named=column == 0)
        panels.panel(0, column, measure, category_axis(names), up)
        for trace in heat_map(mean(result, result.scores.depth, measure)):
            panels.add(0, column, trace)
    return Figure(
        "layers",
        "Which layers predict each other",
        panels,
        "Held-out r of every layer of one network (rows, the source of the map) with every layer "
        "of another (columns, what is predicted), at the end, mean over pairs. Soft matching "
        "shares units out where layers differ in their number. Darker is more alike.",
    )


def _line(name: str, values: Array, colour: str | None = None) -> Json:
    return curve(range(len(values)), values, name, colour or COLOURS[name])


def _band(draws: Array) -> Json:
    """Between the smallest and the largest of a control's draws (positions, draws)."""
    low, high = np.fmin.reduce(draws, axis=1), np.fmax.reduce(draws, axis=1)
    return band(range(len(draws)), low, high, _SHUFFLED)


def _depth(layer: int, names: list[str]) -> str:
    return DEPTHS[layer * len(DEPTHS) // len(names)]


def _layer_axis(result: Result) -> Json:
    names = layer_names(result)
    return category_axis(names, "layer") | {"range": [-0.3, len(names) - 0.7]}


def _step_axis(result: Result) -> Json:
    labels, title = list(result.steps), "checkpoint"
    if result.accuracy.size:
        means = result.accuracy[:, : len(labels)].mean(axis=0)
        labels = [f"{s}\n{100 * a:.0f} %" for s, a in zip(labels, means, strict=True)]
        title += ", accuracy"
    every = -(-len(labels) // 6)
    labels = [label if k % every == 0 else "" for k, label in enumerate(labels)]
    return category_axis(labels, title) | {"tickangle": 0, "range": [-0.3, len(labels) - 0.7]}


def _score_axis(column: int, title: str = "held-out r") -> Json:
    """The same in all panels; the first alone is labelled."""
    up = axis(title if column == 0 else "", range=[-0.12, 1.03], showticklabels=column == 0)
    return up | {"zeroline": True, "zerolinecolor": "#9aa5b0"}
