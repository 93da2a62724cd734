"""What the run found, in sentences that are chosen by the numbers alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from likewise._border.arrays import Array
from likewise.report import number
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.scoring import LINEAR, PROCRUSTES
from likewise.studies.convergence.settings import MAIN, REDUCTIONS
from likewise.studies.convergence.shifts import size_text
from likewise.studies.convergence.summaries import (
    at_end,
    control_at_end,
    drops,
    early_and_late,
    has_positions,
    kinds,
    largest,
    layer_names,
    matching,
    mean,
    share_of_accuracy,
    share_of_gain,
    total_share,
)

Finding = tuple[str, str]

# Held-out scores closer than this are called equal.
_SAME = 0.005


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    linear, procrustes, matched = (
        float(np.nanmean(at_end(result, m))) for m in (LINEAR, PROCRUSTES, matching(result))
    )
    who = "networks trained apart" if result.own else "the networks"
    how = "nearly as well as" if procrustes > 0.85 * linear else "less well than"
    return (
        f"A rotation relates {who} {how} any linear map: held-out r {number(procrustes)} against "
        f"{number(linear)}; unit by unit {number(matched)}"
    )


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers and controls."""
    statements = [_ladder(result)]
    if result.first_epoch is not None:
        statements.append(_first_epoch(result))
    elif len(result.steps) > 1:
        statements.append(_training(result))
    several = len(layer_names(result)) > 1
    if result.shifts and several:
        statements += [_shift(result, transferred=False), _shift(result, transferred=True)]
    statements.append(_basis(result))
    if several:
        statements.append(_depth(result))
    if has_positions(result):
        statements.append(_reductions(result))
    return statements


def _ladder(result: Result) -> Finding:
    matched = matching(result)
    rungs = [at_end(result, measure) for measure in (LINEAR, PROCRUSTES, matched)]
    holds = (rungs[0] >= rungs[1] - _SAME) & (rungs[1] >= rungs[2] - _SAME)
    control = max(float(np.nanmax(control_at_end(result, m))) for m in (LINEAR, PROCRUSTES))
    texts = [
        f"{measure} {_by_layer(result, values)}"
        for measure, values in zip((LINEAR, PROCRUSTES, matched), rungs, strict=True)
    ]
    ratio = float(np.nanmean(rungs[1]) / np.nanmean(rungs[0]))
    return (
        f"Linear ≥ Procrustes ≥ {matched} in {_of(int(holds.sum()), len(holds), 'layer')}",
        f"Held-out r: {'; '.join(texts)}. Procrustes is {_percent(ratio)} of linear. With shuffled "
        f"stimuli at most {number(control)}.",
    )


def _first_epoch(result: Result) -> Finding:
    epoch = result.first_epoch or 0
    shares = {m: total_share(result, m, epoch) for m in (LINEAR, PROCRUSTES, matching(result))}
    most = "Most" if shares[PROCRUSTES] > 0.5 else "Less than half"
    texts = [f"{measure} {_percent(share)}" for measure, share in shares.items()]
    by_layer = _by_layer(result, 100 * share_of_gain(result, PROCRUSTES)[epoch], 0, " %")
    accuracy = ""
    if result.accuracy.size:
        accuracies = result.accuracy[:, [0, epoch, len(result.steps) - 1]].mean(axis=0)
        first, then, last = (_percent(float(value)) for value in accuracies)
        own = _percent(float(share_of_accuracy(result)[epoch]))
        accuracy = (
            f" Accuracy goes from {first} to {then} and {last}, {own} of its own gain by then."
        )
    return (
        f"{most} of the gain over untrained networks is there after the first epoch",
        f"Share of the final gain after step {result.steps[epoch]}, all layers together: "
        f"{', '.join(texts)}. Procrustes by layer: {by_layer}. Untrained networks have "
        f"{number(float(mean(result, result.scores.training, PROCRUSTES)[0].mean()))} of "
        f"{number(float(at_end(result, PROCRUSTES).mean()))} to begin with.{accuracy}",
    )


def _training(result: Result) -> Finding:
    scores = mean(result, result.scores.training, PROCRUSTES)
    rises = float(scores[-1].mean()) > float(scores[0].mean()) + _SAME
    return (
        f"Training {'makes' if rises else 'does not make'} networks more alike",
        f"Procrustes at the first checkpoint: {_by_layer(result, scores[0])}; at the last: "
        f"{_by_layer(result, scores[-1])}.",
    )


def _shift(result: Result, *, transferred: bool) -> Finding:
    lost = drops(result, PROCRUSTES, transferred=transferred)
    early, late = early_and_late(result)
    texts, deeper = [], []
    for kind in kinds(result):
        k = largest(result, kind)
        first, last = float(np.nanmean(lost[k, early])), float(np.nanmean(lost[k, late]))
        deeper.append(last > first + _SAME)
        size = size_text(kind, result.shifts[k][1])
        texts.append(f"{kind} ({size}) {number(first)} in early, {number(last)} in late layers")
    what = "Maps fitted without shift" if transferred else "Maps fitted anew to shifted stimuli"
    count = _of(sum(deeper), len(deeper), "kind")
    return (
        f"{what} lose more in late layers than in early ones for {count} of shift",
        f"What Procrustes loses on shifted stimuli at the largest size: {'; '.join(texts)}.",
    )


def _basis(result: Result) -> Finding:
    measure = matching(result)
    main = REDUCTIONS.index(MAIN)
    native = at_end(result, measure)
    rotated = mean(result, result.scores.rotated[:, :, main], measure)
    shared = native > rotated.max(axis=1) + _SAME
    return (
        f"The axes of the units are shared in {_of(int(shared.sum()), len(shared), 'layer')}",
        f"{measure.capitalize()}: {_by_layer(result, native)}; with the units of one network "
        f"rotated at random: {_by_layer(result, rotated.mean(axis=1))} (mean of "
        f"{result.settings.draws} rotations).",
    )


def _depth(result: Result) -> Finding:
    scores = mean(result, result.scores.depth, PROCRUSTES)
    best = int((scores.argmax(axis=1) == np.arange(len(scores))).sum())
    early, late = early_and_late(result)
    blocks = [float(scores[a, b].mean()) for a, b in ((early, early), (late, late), (early, late))]
    apart = "stand apart" if min(blocks[:2]) > blocks[2] + _SAME else "do not stand apart"
    return (
        f"Early and late layers {apart}; {best} of {len(scores)} layers predict their counterpart "
        "best",
        f"Procrustes, mean over pairs of layers: early with early {number(blocks[0])}, late with "
        f"late {number(blocks[1])}, early to late {number(blocks[2])}.",
    )


def _reductions(result: Result) -> Finding:
    scores = mean(result, result.scores.reduced, PROCRUSTES)
    shuffled = mean(result, result.scores.reduced_shuffled, PROCRUSTES).mean(axis=2)
    first = next(iter(result.layers.values()))
    maps = [k for k, layer in enumerate(first) if layer.positions is not None]
    texts = []
    for r, how in enumerate(REDUCTIONS):
        kept = [k for k in maps if not np.isnan(scores[r, k])]
        if kept:
            value, chance = float(scores[r, kept].mean()), float(shuffled[r, kept].mean())
            some = "" if len(kept) == len(maps) else f" in {len(kept)} of {len(maps)} layers"
            texts.append(f"{how} {number(value)}{some}, shuffled {number(chance)}")
    chances = [
        float(np.nanmax(shuffled[r, maps]))
        for r in range(len(REDUCTIONS))
        if not np.isnan(shuffled[r, maps]).all()
    ]
    verb = "do not all start from 0" if max(chances) > 0.1 else "all start from 0"
    return (
        f"Reductions of feature maps differ in their scores, and {verb}",
        f"Procrustes, mean over layers with maps: {'; '.join(texts)}. Positions share what every "
        "sample has there, an image its dark margins for example.",
    )


def _by_layer(
    result: Result, values: Sequence[float] | Array, digits: int = 2, unit: str = ""
) -> str:
    pairs = zip(layer_names(result), values, strict=True)
    return ", ".join(f"{name} {number(float(value), digits)}{unit}" for name, value in pairs)


def _of(count: int, total: int, what: str) -> str:
    part = {total: "all", 0: "none of"}.get(count, f"{count} of")
    return f"{part} {total} {what}{'s' if total != 1 else ''}"


def _percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"
