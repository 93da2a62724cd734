"""Findings, pictures, tables and notes of the study, of its own networks or a user's."""

from __future__ import annotations

from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.report import Cell, Finding, Panel
from likewise.report.charts import band, curve, heat_map
from likewise.report.panels import Json, axis, category_axis
from likewise.report.style import CONTRASTS, DEPTHS, INK
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.pairs import LINEAR, MEASURES, PERMUTATION, PROCRUSTES, SOFT
from likewise.studies.convergence.settings import MAIN, REDUCTIONS
from likewise.studies.convergence.shifts import size_text
from likewise.studies.outcome import Outcome
from likewise.studies.texts import Text
from likewise.studies.verdicts import compared

COLOURS = {LINEAR: DEPTHS[1], PROCRUSTES: DEPTHS[2], PERMUTATION: CONTRASTS[0], SOFT: CONTRASTS[1]}
_OWN = (
    "Three convolutions, a hidden layer and logits, each but the last normalised over the batch "
    "and rectified; trained on varied handwritten digits, probed with others. "
)
_FITTED = {"anew": False, "taken over": True}


def findings(result: Result) -> list[Finding]:
    """Claims of the paper; the unit of evidence is a layer where no other is named."""
    scores, matched = result.scores, result.matching()
    claim = Text(__file__, matching=matched).claim
    linear, procrustes, native = (result.at_end(m) for m in (LINEAR, PROCRUSTES, matched))
    shuffled = result.control_at_end(PROCRUSTES).max(axis=1)
    rotated = result.mean(scores.rotated[:, :, REDUCTIONS.index(MAIN)], matched).mean(axis=1)
    found = [
        claim(compared, "nearly", procrustes, 0.85 * linear, "layer"),
        claim(compared, "chance", procrustes, shuffled, "layer"),
        claim(compared, "better", procrustes, native, "layer"),
        claim(compared, "axes", native, rotated, "layer"),
    ]
    if len(result.steps) > 1:
        course = result.mean(scores.training, PROCRUSTES)
        found.append(claim(compared, "training", course[-1], course[0], "layer"))
    if result.first_epoch is not None:
        share = result.share_of_gain(PROCRUSTES)[result.first_epoch]
        found.append(claim(compared, "epoch", share, 0.5, "layer"))
    if len(result.layer_names()) > 1:
        depth = result.mean(scores.depth, PROCRUSTES)
        own = np.eye(len(depth), dtype=bool)
        others = np.where(own, -np.inf, depth).max(axis=1)
        found.append(claim(compared, "counterpart", depth[own], others, "layer"))
        if result.shifts:
            for how, transferred in _FITTED.items():
                lost = result.drops(PROCRUSTES, transferred=transferred)
                early, late = (lost[:, part].mean(axis=1) for part in result.early_and_late())
                found.append(claim(compared, how, late, early, "shift"))
    if result.has_positions():
        first = next(iter(result.layers.values()))
        maps = [k for k, layer in enumerate(first) if layer.positions is not None]
        alike = (
            result.mean(scores.reduced_shuffled[:, :, REDUCTIONS.index(how)], PROCRUSTES)[maps]
            for how in ("positions", MAIN)
        )
        found.append(claim(compared, "positions", *(r.mean(axis=1) for r in alike), "layer"))
    return found


def outcome(result: Result) -> Outcome:
    """What `likewise study convergence` prints and writes."""
    text = Text(
        __file__,
        networks=_networks(result),
        missing=_missing(result),
        sizes="; ".join(f"{kind} {_sizes(result, kind)}" for kind in result.kinds()),
    )
    figures = [text.figure("ladder", _ladder(result), height=420)]
    if len(result.steps) > 1:
        figures.append(text.figure("training", _training(result), height=760, columns=3))
    if result.shifts:
        columns = len(result.kinds())
        figures.append(text.figure("shift", _shift(result), height=700, columns=columns))
    figures.append(text.figure("layers", _layers(result)))
    ordered = sorted(result.groups(), key=lambda group: group != result.main_group())
    return Outcome(
        result,
        text,
        findings(result),
        numbers(result),
        grids(result),
        figures=figures,
        tables=[
            Text(__file__, group=group).table("end", ["", *MEASURES], _table(result, group))
            for group in ordered
        ],
    )


def _table(result: Result, group: str) -> list[list[Cell]]:
    scores = [result.at_end(measure, group) for measure in MEASURES]
    controls = [result.control_at_end(measure, group).mean(axis=1) for measure in MEASURES]
    pairs = np.stack([scores, controls], axis=-1).swapaxes(0, 1)  # layers, measures, 2
    rows = zip(result.layer_names(), pairs.tolist(), strict=True)
    return [[name, *map(tuple, row)] for name, row in rows]


def _networks(result: Result) -> str:
    same: dict[str, list[str]] = {}
    for name, layers in result.layers.items():
        shapes = ", ".join(f"{layer.name} ({layer.units})" for layer in layers)
        same.setdefault(shapes, []).append(name)
    shapes = "; ".join(f"{', '.join(names)}: {shapes}" for shapes, names in same.items())
    dead = int(result.dead.sum())
    about = _OWN if result.own else ""
    return f"{about}{shapes}. {result.samples} stimuli; {dead} units are constant over them."


def _missing(result: Result) -> str:
    parts = []
    if len(result.steps) == 1:
        parts.append("training: the networks come without checkpoints")
    if not result.shifts:
        parts.append("shift: the stimuli are no images (n, c, h, w) or vectors (n, d) of floats")
    if not result.has_positions():
        parts.append("reductions: no layer gives feature maps or sequences")
    return "; ".join(parts) or "nothing"


def _sizes(result: Result, kind: str) -> str:
    return ", ".join(size_text(kind, size) for name, size in result.shifts if name == kind)


def _ladder(result: Result) -> list[Panel]:
    """Every measure by depth, at the end."""
    panels = []
    for column, group in enumerate(result.groups()):
        controls = [result.control_at_end(m, group) for m in (LINEAR, PROCRUSTES)]
        traces = [_band(np.concatenate(controls, axis=1))]
        values = {measure: result.at_end(measure, group) for measure in MEASURES}
        if np.array_equal(values[SOFT], values[PERMUTATION], equal_nan=True):
            del values[SOFT]
        traces += [_line(m, r, COLOURS[m]) for m, r in values.items() if not np.isnan(r).all()]
        panels.append(Panel(group, _layer_axis(result), _score_axis(column), traces))
    return panels


def _training(result: Result) -> list[Panel]:
    """Every layer at every checkpoint: scores above, shares of the final gain below."""
    names = result.layer_names()
    above, below = [], []
    for column, measure in enumerate((LINEAR, PROCRUSTES, result.matching())):
        scores = result.mean(result.scores.training, measure)
        shuffled = result.mean(result.scores.training_shuffled, measure)[:, :, 0]
        traces, shares = (
            [
                _line(name, values[:, k], DEPTHS[k * len(DEPTHS) // len(names)])
                for k, name in enumerate(names)
                if not np.isnan(values[:, k]).any()
            ]
            for values in (scores, result.share_of_gain(measure))
        )
        traces.insert(0, _band(shuffled))
        if result.accuracy.size:
            course = result.share_of_accuracy()
            shares.append(curve(range(len(course)), course, "accuracy", INK, dash="dot"))
        up = _score_axis(column, "share") | {"range": [-0.25, 1.4], "tickformat": ".0%"}
        above.append(Panel(measure, _step_axis(result), _score_axis(column), traces))
        below.append(Panel(f"{measure}: share of the final gain", _step_axis(result), up, shares))
    return above + below


def _shift(result: Result) -> list[Panel]:
    """What each shift takes from the scores of every layer, with both kinds of maps."""
    lost = {how: result.drops(PROCRUSTES, transferred=over) for how, over in _FITTED.items()}
    both = np.stack(list(lost.values()))
    low, high = min(0.0, float(np.nanmin(both))), float(np.nanmax(both))
    room = 0.06 * max(high - low, 0.05)
    sizes = {"small": DEPTHS[0], "middle": DEPTHS[1], "large": CONTRASTS[2]}
    panels = []
    for how, values in lost.items():
        for column, kind in enumerate(result.kinds()):
            of_kind = [k for k, (name, _) in enumerate(result.shifts) if name == kind]
            looks = zip(of_kind, sizes.items(), strict=False)
            lines = [_line(name, values[k], colour) for k, (name, colour) in looks]
            up = _score_axis(column, "loss of held-out r") | {"range": [low - room, high + room]}
            title = f"{kind}, maps {'fitted ' * (how == 'anew')}{how}"
            panels.append(Panel(title, _layer_axis(result), up, lines))
    return panels


def _layers(result: Result) -> list[Panel]:
    """Every layer with every layer."""
    names = result.layer_names()
    return [
        Panel(
            measure,
            category_axis(names),
            category_axis(names, reverse=True, named=column == 0),
            heat_map(result.mean(result.scores.depth, measure)),
        )
        for column, measure in enumerate((LINEAR, PROCRUSTES, SOFT))
    ]


def _line(name: str, values: Array, colour: str) -> Json:
    return curve(range(len(values)), values, name, colour)


def _band(draws: Array) -> Json:
    """Between the smallest and the largest of a control's draws (positions, draws)."""
    low, high = np.fmin.reduce(draws, axis=1), np.fmax.reduce(draws, axis=1)
    return band(range(len(draws)), low, high, "stimuli shuffled")


def _layer_axis(result: Result) -> Json:
    names = result.layer_names()
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


def numbers(result: Result) -> dict[str, Any]:
    """Means over pairs, by group and measure; NaN where there is nothing to compare."""
    out: dict[str, Any] = {
        "networks": list(result.names),
        "layers": {n: [layer._asdict() for layer in one] for n, one in result.layers.items()},
        "samples": result.samples,
        "checkpoints": list(result.steps),
        "shifts": [{"kind": kind, "size": size} for kind, size in result.shifts],
        "reductions": list(REDUCTIONS),
        "constant_units": result.dead,
        "accuracy": result.accuracy,
    }
    for group in result.groups():
        for measure in MEASURES:
            scores = result.scores
            out.setdefault(group, {})[measure] = {
                name: result.mean(getattr(scores, name), measure, group)
                for name in type(scores).__dataclass_fields__
            }
    if result.first_epoch is not None:
        out["share_of_gain_after_first_epoch"] = {
            measure: result.share_of_gain(measure)[result.first_epoch] for measure in MEASURES
        }
    return out


def grids(result: Result) -> dict[str, Array]:
    """Scores of every pair, (pairs, measures, ...), and which networks they are of."""
    scores = {
        name: getattr(result.scores, name) for name in type(result.scores).__dataclass_fields__
    }
    return scores | {"pairs": np.array(result.pairs), "accuracy": result.accuracy}
