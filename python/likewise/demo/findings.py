"""What the run found: numbers, and sentences that are chosen by the numbers alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from likewise.demo.comparison import (
    CKA_BIASED,
    CKA_UNBIASED,
    PERMUTATION,
    PROCRUSTES,
    SCORES,
    Estimate,
    Samples,
    Score,
)
from likewise.demo.experiment import Result
from likewise.demo.settings import CLEAN, SHIFTS, State
from likewise.report import number

Finding = tuple[str, str]


def overall(result: Result, score: Score, state: State, layer: int | None = None) -> Samples:
    """Same-layer score, mean over every pair of different networks, (1 + shuffles,).

    `layer=None` takes the mean over all layers too.
    """
    layers = range(result.settings.layers) if layer is None else [layer]
    blocks = result.comparisons.blocks[score.title]
    first, second = np.triu_indices(len(result.networks), k=1)
    means = [blocks[state, k, k][:, first, second].mean(axis=1) for k in layers]
    return np.asarray(np.mean(means, axis=0))


def summary(result: Result) -> Iterator[tuple[str, list[Estimate]]]:
    """The compact table: a row for every state, a column for every score."""
    for state in result.settings.states:
        samples = [overall(result, score, state) for score in SCORES]
        yield state_label(state, result), [Estimate.of(sample) for sample in samples]


def state_label(state: State, result: Result) -> str:
    """Short enough for a table: `step 4`, `step 1024, trained`, `trained, noise`."""
    if state.condition != CLEAN:
        return f"trained, {state.condition}"
    note = {0: ", untrained", result.settings.last_step: ", trained"}
    return f"step {state.step}{note.get(state.step, '')}"


def headline(result: Result) -> str:
    """The finding that the report has as its title."""
    untrained, trained = _untrained_and_trained(result, PROCRUSTES)
    values = f"from {number(untrained[0])} to {number(trained[0])}"
    what = "layer by layer, Procrustes similarity"
    if _beats_controls(trained - untrained):
        return f"Networks trained apart grow alike: {what} rises {values}"
    if _beats_controls(untrained - trained):
        return f"Networks trained apart grow apart: {what} falls {values}"
    return f"Training moves Procrustes similarity no further than chance: {values}"


def findings(result: Result) -> list[Finding]:
    """Statements, each with its numbers; `(mean ± sd)` is always the control."""
    return [
        _training(result),
        _depth(result),
        _rotation_and_permutation(result),
        _chance(result),
        _shift(result),
        _width(result),
    ]


def _training(result: Result) -> Finding:
    numbers = []
    for score in (PROCRUSTES, CKA_UNBIASED):
        untrained, trained = _untrained_and_trained(result, score)
        numbers.append(f"{score.title} {_text(untrained)} untrained, {_text(trained)} trained")
    untrained, trained = _untrained_and_trained(result, PROCRUSTES)
    verb = "raises" if trained[0] > untrained[0] else "lowers"
    return f"Training {verb} the similarity of corresponding layers", "; ".join(numbers) + "."


def _depth(result: Result) -> Finding:
    shares = {score.title: Estimate.of(_same_depth(result, score)) for score in SCORES}
    first = shares[PROCRUSTES.title]
    return (
        f"A layer's best partner in another network has the same depth in {_percent(first)}"
        " of cases by Procrustes",
        "By " + ", ".join(f"{title}: {_percent(x)}" for title, x in list(shares.items())[1:]) + ".",
    )


def _same_depth(result: Result, score: Score) -> Samples:
    """Share of layers whose best partner is as deep, over ordered pairs of networks."""
    layers = range(result.settings.layers)
    blocks = result.comparisons.blocks[score.title]
    state = State(result.settings.last_step, CLEAN)
    different = ~np.eye(len(result.networks), dtype=bool)
    hits = []
    for layer in layers:
        candidates = np.stack([blocks[state, layer, other] for other in layers])
        hits.append((np.argmax(candidates, axis=0) == layer)[:, different].mean(axis=1))
    return np.asarray(np.mean(hits, axis=0))


def _rotation_and_permutation(result: Result) -> Finding:
    rotation = _untrained_and_trained(result, PROCRUSTES)[1]
    permutation = _untrained_and_trained(result, PERMUTATION)[1]
    ahead = "above" if rotation[0] > permutation[0] else "not above"
    return (
        f"The best rotation scores {ahead} the best one-to-one matching of units",
        f"Procrustes {_text(rotation)}, permutation match {_text(permutation)}.",
    )


def _chance(result: Result) -> Finding:
    biased, unbiased, rotation, permutation = (
        Estimate.of(_untrained_and_trained(result, score)[1])
        for score in (CKA_BIASED, CKA_UNBIASED, PROCRUSTES, PERMUTATION)
    )
    return (
        f"Chance is {number(biased.control_mean, 3)} for biased CKA and "
        f"{number(unbiased.control_mean, 3)} for unbiased CKA",
        "Controls of trained networks: biased "
        f"{biased.control}, unbiased {unbiased.control}; for Procrustes {rotation.control}, "
        f"for permutation match {permutation.control}.",
    )


def _shift(result: Result) -> Finding:
    depths = (0, result.settings.layers - 1)
    changes = {
        (shift, layer): change_under(result, PROCRUSTES, shift, layer)
        for shift in SHIFTS
        for layer in range(result.settings.layers)
    }
    shift, layer = min(changes, key=lambda address: changes[address][0])
    verb = "costs" if changes[shift, layer][0] < 0 else "changes"
    numbers = [
        f"at layer {depth + 1}: "
        + ", ".join(f"{name} {_change(changes[name, depth])}" for name in SHIFTS)
        for depth in depths
    ]
    return (
        f"Of the shifts, {shift} {verb} most similarity, at layer {layer + 1}",
        "Change of Procrustes similarity " + "; ".join(numbers) + ".",
    )


def change_under(result: Result, score: Score, shift: str, layer: int) -> Samples:
    """Same-layer score on shifted images minus the score on clean ones, over all pairs."""
    step = result.settings.last_step
    shifted = overall(result, score, State(step, shift), layer)
    return shifted - overall(result, score, State(step, CLEAN), layer)


def _width(result: Result) -> Finding:
    state = State(result.settings.last_step, CLEAN)
    layers = range(result.settings.layers)
    narrow, wide = min(result.settings.widths), max(result.settings.widths)
    means = {
        width: np.mean(
            [result.comparisons.between(PROCRUSTES, state, (k, k), (width, width)) for k in layers],
            axis=0,
        )
        for width in (narrow, wide)
    }
    kind = "Wide" if means[wide][0] > means[narrow][0] else "Narrow"
    return (
        f"{kind} networks agree more among themselves",
        f"Procrustes among width {wide} {_text(means[wide])}, "
        f"among width {narrow} {_text(means[narrow])}.",
    )


def _untrained_and_trained(result: Result, score: Score) -> tuple[Samples, Samples]:
    first, last = result.settings.steps[0], result.settings.last_step
    return overall(result, score, State(first, CLEAN)), overall(result, score, State(last, CLEAN))


def _beats_controls(samples: Samples) -> bool:
    """Observed above every shuffle."""
    return bool(samples[0] > samples[1:].max())


def _text(samples: Samples) -> str:
    return str(Estimate.of(samples))


def _change(samples: Samples) -> str:
    text = _text(samples)
    return text if samples[0] < 0 else f"+{text}"


def _percent(share: Estimate) -> str:
    return (
        f"{number(100 * share.value, 0)} % ({number(100 * share.control_mean, 1)} ± "
        f"{number(100 * share.control_sd, 1)})"
    )
