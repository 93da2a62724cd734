"""The numbers of a run: means over pairs of networks, and what is read off them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from likewise._border.arrays import Array
from likewise.studies.convergence.experiment import Result
from likewise.studies.convergence.pairs import MEASURES, PERMUTATION, SOFT
from likewise.studies.convergence.settings import MAIN, REDUCTIONS
from likewise.studies.convergence.shifts import SIZES

SAME, DIFFERENT = "networks of equal widths", "networks of different widths"

# Gains smaller than this have no share that means anything.
_SMALLEST_GAIN = 0.02


def groups(result: Result) -> dict[str, list[int]]:
    """Pairs by whether their layers are as wide; those that there are, those of one size first."""
    same = [result.same_sizes(pair) for pair in result.pairs]
    found = {
        SAME: [k for k, equal in enumerate(same) if equal],
        DIFFERENT: [k for k, equal in enumerate(same) if not equal],
    }
    return {name: pairs for name, pairs in found.items() if pairs}


def main_group(result: Result) -> str:
    """The pairs that everything is stated for where no others are named."""
    return next(iter(groups(result)))


def mean(result: Result, scores: Array, measure: str, group: str | None = None) -> Array:
    """Mean over the pairs of a group, of scores (pairs, measures, ...)."""
    pairs = groups(result)[group or main_group(result)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NaN where no pair has a score
        means = np.nanmean(scores[pairs, MEASURES.index(measure)], axis=0)
    return np.asarray(means)


def at_end(result: Result, measure: str, group: str | None = None) -> Array:
    """Of every layer with its counterpart, (layers,)."""
    return np.asarray(mean(result, result.scores.training, measure, group)[-1])


def control_at_end(result: Result, measure: str, group: str | None = None) -> Array:
    """The same with shuffled samples, (layers, draws)."""
    shuffled = result.scores.reduced_shuffled[:, :, REDUCTIONS.index(MAIN)]
    return mean(result, shuffled, measure, group)


def matching(result: Result) -> str:
    """Permutation, or soft matching where the main pairs are of different widths."""
    return PERMUTATION if main_group(result) == SAME else SOFT


def share_of_gain(result: Result, measure: str) -> Array:
    """(s - s0) / (s_end - s0) of every checkpoint and layer; NaN for gains that are too small."""
    return _share(mean(result, result.scores.training, measure))


def share_of_accuracy(result: Result) -> Array:
    """The same of the mean accuracy, (checkpoints,)."""
    accuracy = result.accuracy[:, : len(result.steps)].mean(axis=0)
    return np.asarray(_share(accuracy[:, None])[:, 0])


def drops(result: Result, measure: str, *, transferred: bool = False) -> Array:
    """How much every shift takes from every layer's score, (shifts, layers)."""
    scores = result.scores.transferred if transferred else result.scores.refitted
    return at_end(result, measure) - mean(result, scores, measure)


def early_and_late(result: Result) -> tuple[slice, slice]:
    """The first and the last layers; one in the middle belongs to neither."""
    count = len(layer_names(result))
    return slice(0, count // 2), slice(count - count // 2, count)


def layer_names(result: Result) -> list[str]:
    """Names of the layers where all networks have the same, else their depths."""
    names = [[layer.name for layer in layers] for layers in result.layers.values()]
    if all(one == names[0] for one in names):
        return names[0]
    return [f"depth {k + 1}" for k in range(len(names[0]))]


def has_positions(result: Result) -> bool:
    """Whether any layer gives maps or sequences, which can be reduced in several ways."""
    return any(layer.positions is not None for one in result.layers.values() for layer in one)


def kinds(result: Result) -> list[str]:
    """Kinds of shift that the probe could have."""
    present = {kind for kind, _ in result.shifts}
    return [kind for kind in SIZES if kind in present]


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
    for group in groups(result):
        for measure in MEASURES:
            scores = result.scores
            out.setdefault(group, {})[measure] = {
                name: mean(result, getattr(scores, name), measure, group)
                for name in type(scores).__dataclass_fields__
            }
    if result.first_epoch is not None:
        out["share_of_gain_after_first_epoch"] = {
            measure: share_of_gain(result, measure)[result.first_epoch] for measure in MEASURES
        }
    return out


def grids(result: Result) -> dict[str, Array]:
    """Scores of every pair, (pairs, measures, ...), and which networks they are of."""
    scores = {
        name: getattr(result.scores, name) for name in type(result.scores).__dataclass_fields__
    }
    return scores | {"pairs": np.array(result.pairs), "accuracy": result.accuracy}


def _share(scores: Array) -> Array:
    gain = scores[-1] - scores[0]
    gain = np.where(np.abs(gain) < _SMALLEST_GAIN, np.nan, gain)
    share: Array = (scores - scores[0]) / gain
    return share
